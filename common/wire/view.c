/* view.c - see view.h */
#include "common/wire/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "shm/latch.h"

/* ------------------------------------------------------------------ did you mean */

/* Candidates come and go in buffers; the best one is kept here. */
struct guess {
	struct bh_suggest s;
	char best[BH_WIRE_NAME_MAX];
};

static void
guess_offer(struct guess *g, const char *candidate)
{
	bh_suggest_offer(&g->s, candidate);
	if (g->s.best == candidate) {
		snprintf(g->best, sizeof(g->best), "%s", candidate);
		g->s.best = g->best;
	}
}

static int
guess_fail(const struct guess *g, struct bh_wire_error *err, const char *what, const char *list)
{
	char hint[160] = "";
	if (g->s.best)
		snprintf(hint, sizeof(hint), "did you mean \"%.120s\"?", g->best);
	else
		snprintf(hint, sizeof(hint), "`bulkhead %s` lists them", list);
	bh_wire_fail(err, "unknown-name", hint, "there is no %s \"%.200s\"", what, g->s.word);
	return -ENOENT;
}

/* ------------------------------------------------------------------ processes */

int
bh_view_proc(const struct bh_view *v, uint16_t slot, struct bh_proc_body *body)
{
	uint32_t count = 0;
	const struct bh_proc_entry *e =
		v->table ? bh_seg_section(v->table, BH_SEC_PROCS, sizeof(struct bh_proc_entry), &count) : NULL;
	if (!e || slot >= count || bh_proc_entry_read(&e[slot], body) <= 0 || body->role == BH_ROLE_NONE)
		return 0;
	body->name[sizeof(body->name) - 1] = body->kind[sizeof(body->kind) - 1] = '\0';
	body->health.reason[sizeof(body->health.reason) - 1] = body->health.hint[sizeof(body->health.hint) - 1] = '\0';
	return 1;
}

static void
slot_name(const struct bh_view *v, uint16_t slot, char *out, size_t cap)
{
	struct bh_proc_body body;
	const struct bh_cfg_proc *p = v->config ? bh_config_proc(v->config, slot) : NULL;
	if (p)
		snprintf(out, cap, "%s", bh_config_str(v->config, p->name));
	else if (bh_view_proc(v, slot, &body))
		snprintf(out, cap, "%s", body.name);
	else
		snprintf(out, cap, "%u", slot);
}

int
bh_view_find_proc(const struct bh_view *v, const char *name, struct bh_wire_error *err)
{
	struct guess g = {.s.word = name};
	struct bh_proc_body body;
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		if (!bh_view_proc(v, s, &body))
			continue;
		if (strcmp(body.name, name) == 0)
			return s;
		guess_offer(&g, body.name);
	}
	return guess_fail(&g, err, "process", "status");
}

/* NAME in these stands for the process's own. */
static const char *
usual_hint(uint32_t health)
{
	switch ((enum bh_health)health) {
	case BH_HEALTH_FAILED: return "it died too often: see its log, then `bulkhead restart NAME`";
	case BH_HEALTH_HELD: return "`bulkhead release NAME` puts it back";
	case BH_HEALTH_STOPPED: return "`bulkhead start NAME` starts it";
	case BH_HEALTH_BAD_CONFIG: return "correct its options, then `bulkhead reload`";
	case BH_HEALTH_AUTH_FAILED: return "correct its password, then `bulkhead reload`";
	case BH_HEALTH_NO_PERMISSION: return "the user must be allowed to open the device: see its group in the log";
	case BH_HEALTH_STARTING:
	case BH_HEALTH_OK:
	case BH_HEALTH_CONNECTING:
	case BH_HEALTH_DEGRADED:
	case BH_HEALTH_BACKING_OFF:
	case BH_HEALTH_COUNT: break;
	}
	return "";
}

void
bh_view_hint(const struct bh_proc_body *body, char *out, size_t cap)
{
	const char *hint = body->health.hint[0] ? body->health.hint : usual_hint(body->health.health);
	const char *at = strstr(hint, "NAME");
	if (at)
		snprintf(out, cap, "%.*s%s%s", (int)(at - hint), hint, body->name, at + 4);
	else
		snprintf(out, cap, "%s", hint);
}

/* ------------------------------------------------------------------ parameters */

void
bh_view_params_init(struct bh_view_params *it, const struct bh_dir *dir)
{
	memset(it, 0, sizeof(*it));
	bh_dir_index(&it->index, dir);
}

int
bh_view_params_next(struct bh_view_params *it, struct bh_dir_record *rec)
{
	while (it->at < BH_MAX_PARAMS)
		if (bh_dir_find(&it->index, it->at++, rec) == 0)
			return 1;
	return 0;
}

void
bh_view_param_name(const struct bh_view *v, uint16_t slot, const struct bh_dir_record *rec, char *out, size_t cap)
{
	char name[40] = BH_ROOM_NAME;
	if (slot != BH_SLOT_ROUTER)
		slot_name(v, slot, name, sizeof(name));
	snprintf(out, cap, "%s/%.*s", name, (int)BH_NAME_MAX, rec->name);
}

int
bh_view_find_param(const struct bh_view *v, const char *name, struct bh_view_param *out, struct bh_wire_error *err)
{
	struct guess g = {.s.word = name};
	char full[BH_WIRE_NAME_MAX];
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		struct bh_view_params it;
		if (!v->slot[s].dir)
			continue;
		bh_view_params_init(&it, v->slot[s].dir);
		while (bh_view_params_next(&it, &out->rec)) {
			bh_view_param_name(v, s, &out->rec, full, sizeof(full));
			if (strcmp(full, name) == 0) {
				out->slot = s;
				return 0;
			}
			guess_offer(&g, full);
		}
	}
	return guess_fail(&g, err, "parameter", "params");
}

/* ------------------------------------------------------------------ the router's state */

static const struct bh_record *
state_records(const struct bh_view *v, uint32_t *count)
{
	*count = 0;
	return v->state ? bh_seg_section(v->state, BH_SEC_RECORDS, sizeof(struct bh_record), count) : NULL;
}

uint32_t
bh_view_state_count(const struct bh_view *v)
{
	uint32_t count;
	state_records(v, &count);
	return count;
}

int
bh_view_state_read(const struct bh_view *v, uint32_t n, void *data)
{
	uint32_t count, gen;
	const struct bh_record *r = state_records(v, &count);
	return r && n < count && bh_record_read(&r[n], &gen, data) == 1;
}

int
bh_view_global(const struct bh_view *v, struct bh_rec_global *out)
{
	if (!bh_view_state_read(v, BH_REC_GLOBAL, out) || out->tag != BH_REC_TAG_GLOBAL)
		return 0;
	out->page_name[sizeof(out->page_name) - 1] = '\0';
	return 1;
}

int
bh_view_page_of(const struct bh_view *v, uint32_t room)
{
	const struct bh_cfg_room *row = v->config ? bh_config_row(v->config, BH_TAB_ROOM, room) : NULL;
	struct bh_rec_global g;
	struct bh_rec_param p;
	if (!row || row->kind != BH_ROOM_PAGE || strcmp(bh_config_str(v->config, row->name), "page") == 0)
		return bh_view_global(v, &g) ? (int)g.page : -ENOENT;
	uint32_t n = bh_view_record(v, BH_SLOT_ROUTER, room);
	bool there = n != BH_REC_NONE && bh_view_state_read(v, n, &p) && p.tag == BH_REC_TAG_PARAM && p.type == BH_ENUM &&
		     p.name_hash == bh_name_hash(bh_config_str(v->config, row->name));
	return there && p.reported.i >= 0 && p.reported.i < bh_config_count(v->config, BH_TAB_PAGES) ? (int)p.reported.i : -ENOENT;
}

static const char *const own_actions[BH_PAGE_ACTION_COUNT] = {
	[BH_PAGE_NEXT] = "page/next", [BH_PAGE_PREVIOUS] = "page/previous", [BH_PAGE_GO] = "page/go", [BH_PAGE_BACK] = "page/back",
	[BH_BANK_NEXT] = "bank/next", [BH_BANK_PREVIOUS] = "bank/previous", [BH_BANK_CHANNEL_NEXT] = "channel/next",
	[BH_BANK_CHANNEL_PREVIOUS] = "channel/previous", [BH_BANK_HOME] = "bank/home",
};

const char *
bh_view_own_action_name(unsigned action)
{
	return action < BH_PAGE_ACTION_COUNT ? own_actions[action] : NULL;
}

int
bh_view_own_action(const char *name)
{
	for (unsigned k = 0; k < BH_PAGE_ACTION_COUNT; k++)
		if (strcmp(own_actions[k], name) == 0)
			return (int)k;
	return -ENOENT;
}

uint32_t
bh_view_record(const struct bh_view *v, uint16_t slot, uint32_t index)
{
	const struct bh_cfg_proc *p = v->config ? bh_config_proc(v->config, slot) : NULL;
	return p && index < p->records ? p->record_base + index : BH_REC_NONE;
}

int
bh_view_param_state(const struct bh_view *v, uint16_t slot, const struct bh_dir_record *rec, struct bh_rec_param *out)
{
	uint32_t n = bh_view_record(v, slot, rec->index);
	return n != BH_REC_NONE && bh_view_state_read(v, n, out) && out->tag == BH_REC_TAG_PARAM && out->slot == slot &&
	       out->index == rec->index && out->name_hash == bh_name_hash(rec->name) && out->type == rec->type;
}

/* ------------------------------------------------------------------ controls, actions, pages */

int
bh_view_find_control(const struct bh_view *v, const char *name, struct bh_view_control *out, struct bh_wire_error *err)
{
	struct guess g = {.s.word = name};
	const char *slash = strchr(name, '/');
	unsigned found = 0;
	char full[64], where[120] = "";
	for (uint16_t s = 0; v->config && s < BH_MAX_SLOTS; s++) {
		const struct bh_cfg_surface *sf = bh_config_surface(v->config, s);
		char surface[40];
		if (!sf)
			continue;
		slot_name(v, s, surface, sizeof(surface));
		for (uint16_t k = 0; k < sf->controls; k++) {
			const struct bh_cfg_control *c = bh_config_control(v->config, sf, k);
			if (!c)
				break;
			if (slash)
				snprintf(full, sizeof(full), "%s/%.23s", surface, c->name);
			else
				snprintf(full, sizeof(full), "%.23s", c->name);
			guess_offer(&g, full);
			if (strcmp(full, name) != 0)
				continue;
			*out = (struct bh_view_control){s, k, c};
			snprintf(where + strlen(where), sizeof(where) - strlen(where), "%s%s/%.23s", found ? " or " : "", surface,
				 c->name);
			found++;
		}
	}
	if (found == 1)
		return 0;
	if (found == 0)
		return guess_fail(&g, err, "control", "names controls");
	bh_wire_fail(err, "unknown-name", "name the surface too", "\"%.40s\" is on several surfaces: %s", name, where);
	return -ENOENT;
}

static bool
slot_has_kind(const struct bh_view *v, uint16_t slot, const char *kind)
{
	const struct bh_cfg_proc *p = v->config ? bh_config_proc(v->config, slot) : NULL;
	return p && p->role == BH_ROLE_DRIVER && strcmp(bh_config_str(v->config, p->kind), kind) == 0;
}

/* Call `fn` with the full name of every action of every driver until it returns true. */
static bool
each_action(const struct bh_view *v, bool (*fn)(void *data, uint16_t slot, const struct bh_cfg_action *a, const char *full), void *data)
{
	uint32_t n = v->config ? bh_config_count(v->config, BH_TAB_ACTIONS) : 0;
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		for (uint32_t i = 0; i < n; i++) {
			const struct bh_cfg_action *a = bh_config_row(v->config, BH_TAB_ACTIONS, i);
			char name[40], full[BH_WIRE_NAME_MAX];
			if (!slot_has_kind(v, s, bh_config_str(v->config, a->kind)))
				continue;
			slot_name(v, s, name, sizeof(name));
			snprintf(full, sizeof(full), "%s/%s", name, bh_config_str(v->config, a->name));
			if (fn(data, s, a, full))
				return true;
		}
	}
	return false;
}

struct action_search {
	struct guess g;
	uint16_t slot;
	const struct bh_cfg_action *found;
};

static bool
action_matches(void *data, uint16_t slot, const struct bh_cfg_action *a, const char *full)
{
	struct action_search *as = data;
	if (strcmp(full, as->g.s.word) == 0) {
		as->slot = slot;
		as->found = a;
		return true;
	}
	guess_offer(&as->g, full);
	return false;
}

int
bh_view_find_action(const struct bh_view *v, const char *name, uint16_t *slot, const struct bh_cfg_action **out, struct bh_wire_error *err)
{
	struct action_search as = {.g.s.word = name};
	if (!each_action(v, action_matches, &as))
		return guess_fail(&as.g, err, "action", "names actions");
	*slot = as.slot;
	*out = as.found;
	return 0;
}

int
bh_view_find_page(const struct bh_view *v, const char *name, int *number, struct bh_wire_error *err)
{
	struct guess g = {.s.word = name};
	uint32_t count = v->config ? bh_config_count(v->config, BH_TAB_PAGES) : 0;
	char *end;
	for (uint32_t i = 0; i < count; i++) {
		const struct bh_cfg_page *p = bh_config_row(v->config, BH_TAB_PAGES, i);
		const char *have = bh_config_str(v->config, p->name);
		if (strcmp(have, name) == 0) {
			*number = (int)i;
			return 0;
		}
		guess_offer(&g, have);
	}
	/* A page may be called "next" or "2": its name comes first. */
	if (strcmp(name, "next") == 0 || strcmp(name, "previous") == 0 || strcmp(name, "back") == 0) {
		*number = *name == 'n' ? -1 : *name == 'p' ? -2 : -3;
		return 0;
	}
	unsigned long n = strtoul(name, &end, 10);
	if (end != name && *end == '\0' && n >= 1 && n <= count) {
		*number = (int)n - 1;
		return 0;
	}
	return guess_fail(&g, err, "page", "pages");
}
