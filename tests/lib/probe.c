/*
 * bh-probe - a driver that does nothing but show what the skeleton of drivers does: its actions call the skeleton's functions
 *
 * In:    actions; what stands in `seen` is the newest value wanted of any parameter that was added
 * Out:   parameters that are added, removed and renamed; what the functions return in `answer`
 * Fails: never, unless told to
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/driver.h"

struct probe {
	struct bh_driver *drv; /* borrowed: outlives us */
	uint32_t later_origin, later_gen; /* gen 0 = nothing */
	bool deaf;	       /* values are neither applied nor reported */
	char why[64];
	unsigned watches;
};

enum { P_ANSWER, P_SEEN, P_VALUES, P_METER, P_WATCHES, P_WATCHED };

static const struct bh_param probe_params[] = {
	[P_ANSWER] = BH_PARAM("answer", .type = BH_INT, .min = -1e18, .max = 1e18, .access = BH_R),
	[P_SEEN] = BH_PARAM("seen", .type = BH_FLOAT, .min = -1e9, .max = 1e9, .access = BH_R),
	[P_VALUES] = BH_PARAM("values", .type = BH_INT, .max = 1e9, .access = BH_R),
	[P_METER] = BH_PARAM("meter", .type = BH_FLOAT, .unit = "dB", .min = -60, .max = 0, .access = BH_METER),
	[P_WATCHES] = BH_PARAM("watches", .type = BH_INT, .max = 1e9, .access = BH_R),
	[P_WATCHED] = BH_PARAM("watched", .type = BH_INT, .max = 1e9, .access = BH_R),
	{0},
};

enum { A_ADD, A_REMOVE, A_RENAME, A_LIST, A_STAMP, A_REFUSE, A_LATER, A_REFUSE_VALUE, A_UNCONFIRMED, A_LEVEL };

static const struct bh_action_desc probe_actions[] = {
	[A_ADD] = BH_ACTION("add", .args = "PREFIX COUNT", .help = "add PREFIX0 to PREFIXn"),
	[A_REMOVE] = BH_ACTION("remove", .args = "FIRST COUNT", .help = "remove by their numbers"),
	[A_RENAME] = BH_ACTION("rename", .args = "ID NAME", .help = "rename by its number"),
	[A_LIST] = BH_ACTION("list", .args = "PREFIX COUNT", .help = "these and no others"),
	[A_STAMP] = BH_ACTION("stamp", .args = "ID", .help = "when its newest value was wanted"),
	[A_REFUSE] = BH_ACTION("refuse", .args = "WHY", .help = "fail, and say why; without WHY say nothing"),
	[A_LATER] = BH_ACTION("later", .args = "WHY", .help = "fail after the next action"),
	[A_REFUSE_VALUE] = BH_ACTION("refuse-value", .args = "ID WHY", .help = "say that a value was refused"),
	[A_UNCONFIRMED] = BH_ACTION("unconfirmed", .args = "ID", .help = "is a wanted value newer than what was reported?"),
	[A_LEVEL] = BH_ACTION("level", .args = "DB", .help = "what the meter shows"),
	{0},
};

static int
answer(struct probe *p, int64_t n)
{
	return bh_report(p->drv, P_ANSWER, bh_int(n));
}

/* How many could be added. */
static int64_t
add_all(struct probe *p, const char *prefix, unsigned count)
{
	char name[BH_NAME_MAX + 1];
	struct bh_param d = {.name = name, .type = BH_FLOAT, .min = -1000, .max = 1000, .access = BH_RW};
	int64_t n = 0;
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s%u", prefix, i);
		n += bh_param_add(p->drv, &d) >= 0;
	}
	return n;
}

static int
probe_on_action(void *data, const struct bh_action *a)
{
	struct probe *p = data;
	const char *first = a->argc > 0 ? a->argv[0] : "", *second = a->argc > 1 ? a->argv[1] : "";
	unsigned id = (unsigned)atoi(first), count = (unsigned)atoi(second);
	struct bh_param d = {.name = second, .type = BH_FLOAT, .min = -1000, .max = 1000, .access = BH_RW};
	struct bh_value v;
	int64_t n = 0;
	if (p->later_gen)
		bh_action_failed(p->drv, A_LATER, p->later_origin, p->later_gen, "%s", p->why);
	p->later_gen = 0;
	switch (a->id) {
	case A_ADD: return answer(p, add_all(p, first, count));
	case A_REMOVE:
		for (unsigned i = 0; i < count; i++)
			n += bh_param_remove(p->drv, id + i) == 0;
		return answer(p, n);
	case A_RENAME: return answer(p, bh_param_rename(p->drv, id, &d));
	case A_LIST:
		bh_param_begin(p->drv);
		add_all(p, first, count);
		return answer(p, bh_param_sweep(p->drv));
	case A_LEVEL: return bh_report(p->drv, P_METER, bh_float(atof(first)));
	case A_STAMP: return answer(p, (int64_t)bh_wanted_stamp(p->drv, id));
	case A_REFUSE:
		if (a->argc)
			bh_action_failed(p->drv, a->id, a->origin, a->gen, "%s", first);
		return -EIO;
	case A_LATER:
		p->later_origin = a->origin;
		p->later_gen = a->gen;
		snprintf(p->why, sizeof(p->why), "%s", first);
		return 0;
	case A_REFUSE_VALUE:
		bh_value_failed(p->drv, id, "%s", second);
		return bh_reported(p->drv, id, &v) ? bh_report(p->drv, id, v) : 0;
	case A_UNCONFIRMED: p->deaf = true; return answer(p, bh_unconfirmed(p->drv, id, &v) ? (int64_t)v.f : -1);
	}
	return -EINVAL;
}

static int
probe_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct probe *p = data;
	struct bh_value n = bh_int(0);
	if (p->deaf)
		return -ENOTCONN;
	bh_reported(p->drv, P_VALUES, &n);
	bh_report(p->drv, P_VALUES, bh_int(n.i + 1));
	bh_report(p->drv, P_SEEN, bh_float(v->f));
	return bh_report(p->drv, id, *v);
}

/* How often this was called in this life, and how many are looked at. */
static void
probe_on_watch(void *data, bh_param_id id, bool watched)
{
	struct probe *p = data;
	if (bh_watched(p->drv, id) == watched)
		bh_report(p->drv, P_WATCHES, bh_int(++p->watches));
	bh_report(p->drv, P_WATCHED, bh_int(bh_watched_count(p->drv)));
}

static int
probe_start(struct bh_driver *drv, void *data)
{
	struct probe *p = data;
	p->drv = drv;
	bh_health_ok(drv);
	return 0;
}

BH_DRIVER(.name = "probe", .state_size = sizeof(struct probe), .params = probe_params, .actions = probe_actions, .max_params = 4096,
	  .start = probe_start, .on_value = probe_on_value, .on_action = probe_on_action, .on_watch = probe_on_watch)
