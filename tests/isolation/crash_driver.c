/*
 * crash_driver.c - scenes of a driver: its directory of parameters, what it reports, what it applies
 *
 * The skeleton of common/driver.c itself, with segments of the test around it and a clock that stands still (what is compared must
 * not depend on the time). Its parts that talk to nobody but memory run as they are in life.
 */
#include "common/units.h"

static unsigned long long driver_clock_ns;
#define bh_now_ns() ((uint64_t)driver_clock_ns)
#include "common/driver.c"
#undef bh_now_ns

#include "tests/isolation/crash_scenes.h"

#define LAMP 4
#define CAP  12u /* records of the directory: it is begun anew in the middle of the work */
#define PARAMS CAP
#define FIRST_NS 1000u
#define NEXT_NS 2000u

enum { SELF, DIRECTORY, PRIVATE, OUT, ROUTER, IN };

/* What it did, in memory that survives it. */
struct done {
	uint64_t actions[4], values, mixed_up;
	int64_t applied[PARAMS];
};

struct lamp_life {
	struct bh_proc proc;
	struct bh_driver drv;
	struct done *done;
};

static void
driver_build(struct crash_memory *m)
{
	crash_self(m, LAMP);
	crash_params(m, LAMP, CAP, 256);
	crash_private(m, LAMP, 0, 0, sizeof(struct done));
	crash_outbox(m, LAMP, BH_SLOT_ROUTER, 32, PARAMS);
	crash_own(m);
	crash_self(m, BH_SLOT_ROUTER);
	crash_outbox(m, BH_SLOT_ROUTER, LAMP, 32, PARAMS);
}

/* ------------------------------------------------------------------ a driver */

static int
lamp_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct done *done = *(struct done **)data;
	done->applied[id] = v->i;
	done->values++;
	return 0;
}

static int
lamp_on_action(void *data, const struct bh_action *a)
{
	struct done *done = *(struct done **)data;
	done->actions[a->id]++;
	return 0;
}

static const struct bh_action_desc lamp_actions[] = {BH_ACTION("cut"), BH_ACTION("take"), BH_ACTION("fade"), BH_ACTION("dark"), {0}};
static const struct bh_driver_desc lamp_desc = {
	.name = "lamp", .state_size = sizeof(void *), .on_value = lamp_on_value, .on_action = lamp_on_action, .actions = lamp_actions};

/* As the runtime and driver_start() do. */
static void
driver_attach(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	struct bh_proc *proc = &l->proc;
	struct bh_peer *router = &proc->peer[BH_SLOT_ROUTER];
	driver_desc = &lamp_desc;
	proc->slot = LAMP;
	snprintf(proc->name, sizeof(proc->name), "lamp");
	proc->self = crash_self_of(m, SELF);
	proc->private_seg = m->seg[PRIVATE];
	proc->now_ns = driver_clock_ns;
	crash_must(bh_dir_attach(&proc->dir, &m->seg[DIRECTORY]) == 0);
	*router = (struct bh_peer){.slot = BH_SLOT_ROUTER, .role = BH_ROLE_ROUTER, .present = true, .has_in = true, .has_out = true, .self = crash_self_of(m, ROUTER)};
	crash_must(bh_outbox_attach(&router->out, m->fds[OUT].rw, proc->self, router->self, -1) == 0);
	crash_must(bh_inbox_attach(&router->in, m->fds[IN].ro, proc->self, BH_SLOT_ROUTER) == 0);
	l->drv.proc = proc;
	crash_must(driver_prepare(&l->drv) == 0);
	l->done = crash_section(m, PRIVATE, BH_SEC_SCRATCH, NULL);
	*(struct done **)l->drv.data = l->done;
	directory_recall(&l->drv);
	quarantine_predecessor(&l->drv);
	reported_recall(&l->drv);
	l->drv.started = true;
}

static void
driver_leave(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	bh_outbox_detach(&l->proc.peer[BH_SLOT_ROUTER].out);
	bh_inbox_detach(&l->proc.peer[BH_SLOT_ROUTER].in);
	free(l->drv.param);
	free(l->drv.bucket);
	free(l->drv.data);
}

/* ------------------------------------------------------------------ the directory, and what is reported */

static const char *const colours[] = {"red", "green", "blue", NULL};

static int64_t
have(struct bh_driver *drv, const char *name, bool choices)
{
	const struct bh_param d = {.name = name, .type = BH_INT, .access = BH_RW, .choices = choices ? colours : NULL};
	return bh_param_add(drv, &d);
}

/* What each parameter is worth: no two are worth the same. */
static int64_t
worth(const char *name)
{
	return 1000 + (int64_t)(bh_name_hash(name) % 100000);
}

static void
report(struct bh_driver *drv, const char *name)
{
	int64_t id = find_param(drv, name);
	crash_must(id >= 0);
	crash_must(bh_report(drv, (bh_param_id)id, bh_int(worth(name))) == 0);
}

/* Somebody wants something of each: the router has written what it is worth. */
static void
want(struct crash_memory *m, uint32_t id, const char *name, uint64_t stamp_ns)
{
	struct bh_outbox ob;
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .id = id, .stamp_ns = stamp_ns, .v.i = worth(name)};
	crash_must(bh_outbox_attach(&ob, m->fds[IN].rw, crash_self_of(m, ROUTER), crash_self_of(m, SELF), -1) == 0);
	crash_must(bh_outbox_put(&ob, &ev, NULL, 0) == 0);
	bh_outbox_detach(&ob);
}

static void
directory_before(struct crash_memory *m)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct lamp_life *l = m->life;
	driver_clock_ns = FIRST_NS;
	driver_attach(m);
	for (unsigned k = 0; k < 4; k++) {
		crash_must(have(&l->drv, names[k], k == 2) == (int64_t)k);
		want(m, k, names[k], FIRST_NS - 100);
		report(&l->drv, names[k]);
	}
	/* Some that were: the directory is nearly full. */
	for (unsigned k = 0; k < 2; k++) {
		int64_t id = have(&l->drv, "passing", false);
		crash_must(id >= 0 && bh_param_remove(&l->drv, (bh_param_id)id) == 0);
	}
}

static void
directory_work(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	const struct bh_param other = {.name = "c2", .type = BH_INT, .access = BH_RW, .choices = colours};
	driver_clock_ns = FIRST_NS;
	crash_must(have(&l->drv, "e", false) >= 0);
	report(&l->drv, "e");
	crash_must(bh_param_remove(&l->drv, 1) == 0);
	crash_must(bh_param_rename(&l->drv, 2, &other) == 0); /* here at the latest it is begun anew */
	report(&l->drv, "c2");
	crash_must(have(&l->drv, "f", true) >= 0);
	report(&l->drv, "f");
}

/* Nothing that is believed of a parameter is another's. The new name of c goes on with its cells. */
static void
compare(struct lamp_life *l)
{
	struct bh_value v;
	for (uint32_t id = 0; id < l->drv.used; id++) {
		if (!l->drv.param[id].live)
			continue;
		const char *name = param_name(&l->drv, id);
		bool renamed = !strcmp(name, "c2");
		if (bh_reported(&l->drv, id, &v) && v.i != worth(name) && !(renamed && v.i == worth("c")))
			l->done->mixed_up++;
		if (bh_wanted(&l->drv, id, &v) && v.i != worth(name) && !(renamed && v.i == worth("c")))
			l->done->mixed_up++;
	}
}

static void
driver_recover(struct crash_memory *m)
{
	driver_clock_ns = NEXT_NS;
	driver_attach(m);
}

static void
directory_go_on(struct crash_memory *m)
{
	static const char *const names[] = {"a", "c2", "d", "e", "f"};
	struct lamp_life *l = m->life;
	compare(l);
	for (unsigned k = 0; k < 5; k++)
		crash_must(have(&l->drv, names[k], k == 1 || k == 4) >= 0);
	bh_param_sweep(&l->drv);
	compare(l);
	for (unsigned k = 0; k < 5; k++)
		report(&l->drv, names[k]);
}

/* By layout.h alone: the newest record of each index. */
static uint32_t
directory_judge(struct crash_memory *m, char *why, size_t cap)
{
	const struct bh_dir_head *head = crash_section(m, DIRECTORY, BH_SEC_DIRECTORY, NULL);
	const struct bh_dir_record *rec = crash_section(m, DIRECTORY, BH_SEC_DIR_RECORDS, NULL);
	const char *strings = crash_section(m, DIRECTORY, BH_SEC_DIR_STRINGS, NULL);
	const struct done *done = crash_section(m, PRIVATE, BH_SEC_SCRATCH, NULL);
	static const char *const names[] = {"a", "c2", "d", "e", "f"};
	const struct bh_dir_record *newest[PARAMS] = {NULL};
	uint32_t end = head->epoch * 16;
	if (head->count > CAP || head->strings > 256)
		crash_wrong(why, cap, "%lu records", (unsigned long)head->count);
	for (uint32_t n = 0; n < head->count && n < CAP; n++) {
		if (rec[n].index >= PARAMS || rec[n].check != crash_crc32c(&rec[n], offsetof(struct bh_dir_record, check)))
			crash_wrong(why, cap, "record %u is torn", n);
		else
			newest[rec[n].index] = &rec[n];
	}
	for (unsigned k = 0; k < 5; k++) {
		unsigned found = 0;
		for (uint32_t id = 0; id < PARAMS; id++) {
			const struct bh_dir_record *r = newest[id];
			struct bh_cell_body body;
			if (!r || r->flags & BH_DIR_TOMBSTONE || strcmp(r->name, names[k]) != 0)
				continue;
			found++;
			end = end * 31 + id;
			if (r->choices && memcmp(strings + r->choices_off, "red\0green\0blue", 15) != 0)
				crash_wrong(why, cap, "%s has lost the names of its choices", r->name);
			if (!crash_cell(m, OUT, id, &body) || body.v.i != worth(r->name))
				crash_wrong(why, cap, "%s is reported as %ld", r->name, (long)body.v.i);
		}
		if (found != 1)
			crash_wrong(why, cap, "%s is there %u times", names[k], found);
	}
	for (uint32_t id = 0; id < PARAMS; id++)
		if (newest[id] && !(newest[id]->flags & BH_DIR_TOMBSTONE) && (!strcmp(newest[id]->name, "b") || !strcmp(newest[id]->name, "c")))
			crash_wrong(why, cap, "%s is still there", newest[id]->name);
	if (head->epoch == 0 && (!newest[0] || strcmp(newest[0]->name, "a") || !newest[3] || strcmp(newest[3]->name, "d")))
		crash_wrong(why, cap, "a name has got another id under the same epoch");
	if (done->mixed_up)
		crash_wrong(why, cap, "%lu values were believed that were other parameters'", (unsigned long)done->mixed_up);
	return end;
}

/* Readers, while it lies dead: each released record is whole. */
static void
directory_survive(struct crash_memory *m, char *why, size_t cap)
{
	const struct bh_dir_head *head = crash_section(m, DIRECTORY, BH_SEC_DIRECTORY, NULL);
	const struct bh_dir_record *rec = crash_section(m, DIRECTORY, BH_SEC_DIR_RECORDS, NULL);
	for (uint32_t n = 0; n < head->count && n < CAP; n++)
		if (rec[n].check != crash_crc32c(&rec[n], offsetof(struct bh_dir_record, check)))
			crash_wrong(why, cap, "readers see that record %u is torn", n);
}

/* ------------------------------------------------------------------ applying */

enum { EVENTS = 8 };

/* Values of two parameters and actions, in turns. */
static void
apply_before(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	struct bh_outbox ob;
	driver_clock_ns = FIRST_NS;
	driver_attach(m);
	crash_must(have(&l->drv, "a", false) == 0 && have(&l->drv, "b", false) == 1);
	crash_must(bh_outbox_attach(&ob, m->fds[IN].rw, crash_self_of(m, ROUTER), l->proc.self, -1) == 0);
	for (unsigned k = 0; k < EVENTS; k++) {
		struct bh_event ev = {.kind = k % 2 ? BH_EV_ACTION : BH_EV_VALUE, .type = k % 2 ? BH_NONE : BH_INT, .stamp_ns = FIRST_NS};
		ev.id = k % 2 ? k / 2 : k / 2 % 2;
		ev.gen = k % 2 ? k / 2 + 1 : 0;
		ev.v.i = k % 2 ? 0 : 100 + k;
		crash_must(bh_outbox_put(&ob, &ev, NULL, 0) == 0);
	}
	bh_outbox_detach(&ob);
}

static void
apply_work(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	driver_clock_ns = FIRST_NS;
	driver_on_router(&l->drv, &l->proc.peer[BH_SLOT_ROUTER]);
}

static void
apply_go_on(struct crash_memory *m)
{
	struct lamp_life *l = m->life;
	driver_resync(&l->drv, false);
	driver_on_router(&l->drv, &l->proc.peer[BH_SLOT_ROUTER]);
}

static uint32_t
apply_judge(struct crash_memory *m, char *why, size_t cap)
{
	const struct done *done = crash_section(m, PRIVATE, BH_SEC_SCRATCH, NULL);
	const struct bh_self *self = crash_self_of(m, SELF);
	uint32_t count = 0, end = 0, not_done = 0, deaths = 0, active = 0;
	const struct bh_quarantine *q = crash_section(m, PRIVATE, BH_SEC_QUARANTINE, &count);
	for (unsigned k = 0; k < 4; k++) {
		if (done->actions[k] > 1)
			crash_wrong(why, cap, "action %u was done %lu times", k, (unsigned long)done->actions[k]);
		not_done += done->actions[k] == 0;
		end = end * 2 + (uint32_t)done->actions[k];
	}
	if (not_done > 1)
		crash_wrong(why, cap, "%u actions are missing, and it died but once", not_done);
	if (done->applied[0] != 104 || done->applied[1] != 106)
		crash_wrong(why, cap, "the newest values were not applied: %ld %ld", (long)done->applied[0], (long)done->applied[1]);
	for (uint32_t k = 0; k < count; k++) {
		deaths += q[k].deaths;
		active += q[k].active;
		if (q[k].deaths && q[k].kind != BH_EV_VALUE && q[k].kind != BH_EV_ACTION)
			crash_wrong(why, cap, "the quarantine of nothing");
	}
	if (deaths > 1 || active)
		crash_wrong(why, cap, "%u deaths are told of one", deaths);
	if (self->inflight.seq)
		crash_wrong(why, cap, "something is still in flight");
	if (self->cursor[BH_SLOT_ROUTER] != EVENTS)
		crash_wrong(why, cap, "the cursor stands at %lu", (unsigned long)self->cursor[BH_SLOT_ROUTER]);
	return end * 4 + deaths;
}

const struct crash_scene crash_driver[] = {
	{.name = "directory: add, remove, rename, begin anew", .build = driver_build, .before = directory_before, .work = directory_work,
	 .recover = driver_recover, .go_on = directory_go_on, .leave = driver_leave, .judge = directory_judge,
	 .survive = directory_survive, .second = 40},
	{.name = "driver applies values and actions", .build = driver_build, .before = apply_before, .work = apply_work,
	 .recover = driver_recover, .go_on = apply_go_on, .leave = driver_leave, .judge = apply_judge, .second = 40},
	{0},
};
