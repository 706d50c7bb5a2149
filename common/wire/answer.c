/* answer.c - the answers to what only reads; see view.h */
#include "common/config/loss.h"
#include "common/limits.h"
#include "common/wire/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/sandbox.h"
#include "shm/latch.h"

static const char *const role_names[] = {"none", "supervisor", "router", "control", "store", "surface", "driver"};
static const char *const type_names[] = {"none", "bool", "int", "float", "enum", "text", "trigger"};
static const char *const counter_names[] = {
	[BH_CNT_EVENTS_IN] = "events_in", [BH_CNT_EVENTS_OUT] = "events_out", [BH_CNT_CONFLATED] = "conflated",
	[BH_CNT_DROPPED_LATE] = "dropped_late", [BH_CNT_REFUSED] = "refused", [BH_CNT_METERS_THINNED] = "meters_thinned",
	[BH_CNT_PEER_FAULTS] = "peer_faults", [BH_CNT_RECORDS_BAD] = "records_bad", [BH_CNT_WAKEUPS] = "wakeups",
	[BH_CNT_SLEEPS] = "sleeps", [BH_CNT_BELLS] = "bells", [BH_CNT_QUARANTINED] = "quarantined",
	[BH_CNT_RECONNECTS] = "reconnects", [BH_CNT_BYTES_IN] = "bytes_in", [BH_CNT_BYTES_OUT] = "bytes_out",
	[BH_CNT_LINK_ODDITIES] = "link_oddities",
	[BH_CNT_VALUES_APPLIED] = "values_applied", [BH_CNT_VALUES_LEFT_OUT] = "values_left_out", [BH_CNT_ACTIONS_BEGUN] = "actions_begun",
};

static const char *
name_of(const char *const *names, size_t n, unsigned i)
{
	return i < n ? names[i] : "?";
}
#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), (i))

static double
seconds_since(uint64_t now_ns, uint64_t then_ns)
{
	return then_ns && then_ns < now_ns ? (double)((now_ns - then_ns) / 1000000) / 1000.0 : 0;
}

static int
answer_error(struct bh_wire_out *o, uint64_t id, const struct bh_wire_error *err)
{
	bh_wire_begin_answer(o, id, false);
	bh_wire_put_error(o, err);
	bh_wire_close(o);
	return -EINVAL;
}

/* ------------------------------------------------------------------ status */

static void
put_deaths(struct bh_wire_out *o, const struct bh_proc_body *b, uint64_t now_ns)
{
	bh_wire_array(o, "deaths");
	for (unsigned i = 0; i < 4 && b->death[i].time_ns; i++) {
		bh_wire_map(o, NULL);
		bh_wire_str(o, "cause", bh_cause_name(b->death[i].cause));
		bh_wire_int(o, "code", b->death[i].code);
		if (b->death[i].cause == BH_CAUSE_LIMIT)
			bh_wire_str(o, "limit", bh_limit_name(b->death[i].code));
		bh_wire_int(o, "pid", b->death[i].pid);
		bh_wire_float(o, "ago_s", seconds_since(now_ns, b->death[i].time_ns));
		bh_wire_close(o);
	}
	bh_wire_close(o);
}

static void
put_self(struct bh_wire_out *o, const struct bh_self *self)
{
	struct bh_health_record h;
	if (bh_health_read(self, &h) > 0) {
		h.reason[sizeof(h.reason) - 1] = '\0';
		bh_wire_map(o, "claims"); /* its own word; "health" is as judged from outside */
		bh_wire_str(o, "health", bh_health_name(h.health));
		bh_wire_str(o, "reason", h.reason);
		bh_wire_close(o);
	}
	bh_wire_map(o, "counters");
	for (unsigned i = 0; i < sizeof(counter_names) / sizeof(counter_names[0]); i++)
		if (counter_names[i])
			bh_wire_uint(o, counter_names[i], __atomic_load_n(&self->counter[i], __ATOMIC_RELAXED));
	bh_wire_close(o);
}

/* Of all peers together: what it told, by class, and what became of it; what it took. */
static void
put_account(struct bh_wire_out *o, const struct bh_account *rows)
{
	static const char *const classes[BH_CLASSES] = {"values", "relative", "actions", "meters", "other"};
	bh_wire_map(o, "account");
	for (unsigned c = 0; c < BH_CLASSES; c++) {
		struct bh_account all = {0};
		for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
			const struct bh_account *a = &rows[s * BH_CLASSES + c];
			all.sent += __atomic_load_n(&a->sent, __ATOMIC_RELAXED);
			all.published += __atomic_load_n(&a->published, __ATOMIC_RELAXED);
			all.conflated += __atomic_load_n(&a->conflated, __ATOMIC_RELAXED);
			all.dropped += __atomic_load_n(&a->dropped, __ATOMIC_RELAXED);
			all.taken += __atomic_load_n(&a->taken, __ATOMIC_RELAXED);
		}
		bh_wire_map(o, classes[c]);
		bh_wire_uint(o, "sent", all.sent);
		bh_wire_uint(o, "published", all.published);
		bh_wire_uint(o, "conflated", all.conflated);
		bh_wire_uint(o, "dropped", all.dropped);
		bh_wire_uint(o, "taken", all.taken);
		bh_wire_close(o);
	}
	bh_wire_close(o);
}

/* What of its confinement holds, and what the kernel does not have. */
static void
put_holds(struct bh_wire_out *o, const struct bh_self *self)
{
	uint64_t holds = __atomic_load_n(&self->holds, __ATOMIC_RELAXED);
	bh_wire_array(o, "holds");
	for (size_t i = 0; i < bh_sandbox_word_count; i++)
		if (holds & bh_sandbox_words[i].bit)
			bh_wire_str(o, NULL, bh_sandbox_words[i].name);
	bh_wire_close(o);
	bh_wire_array(o, "lacks");
	for (size_t i = 0; i < bh_sandbox_word_count; i++)
		if (holds & BH_LACKS(bh_sandbox_words[i].bit))
			bh_wire_str(o, NULL, bh_sandbox_words[i].name);
	bh_wire_close(o);
}

/* Stopped or held by a person is as it should be; all else but ok is not. */
static bool
is_well(const struct bh_proc_body *b)
{
	return b->health.health == BH_HEALTH_OK || b->health.health == BH_HEALTH_STOPPED || b->health.health == BH_HEALTH_HELD;
}

static void
put_proc(const struct bh_view *v, uint16_t slot, const struct bh_proc_body *b, uint64_t now_ns, bool all, struct bh_wire_out *o)
{
	char hint[160];
	bh_view_hint(b, hint, sizeof(hint));
	bh_wire_map(o, NULL);
	bh_wire_str(o, "name", b->name);
	bh_wire_str(o, "kind", b->kind);
	bh_wire_str(o, "role", NAME_OF(role_names, b->role));
	bh_wire_str(o, "health", bh_health_name(b->health.health));
	bh_wire_bool(o, "well", is_well(b));
	bh_wire_float(o, "since_s", seconds_since(now_ns, b->health.since_ns));
	bh_wire_str(o, "reason", b->health.reason);
	bh_wire_str(o, "hint", hint);
	bh_wire_bool(o, "wanted", b->wanted);
	bh_wire_bool(o, "alive", b->alive);
	bh_wire_uint(o, "pid", b->alive ? b->pid : 0);
	bh_wire_uint(o, "restarts", b->restarts);
	bh_wire_uint(o, "warm_starts", b->warm_starts);
	bh_wire_uint(o, "spare_pid", b->spare_pid);
	bh_wire_float(o, "up_s", b->alive ? seconds_since(now_ns, b->started_ns) : 0);
	bh_wire_uint(o, "hangs", b->hangs);
	bh_wire_float(o, "last_recovery_ms", (double)(b->last_recovery_ns / 1000) / 1000.0);
	if (b->next_start_ns > now_ns)
		bh_wire_float(o, "next_start_s", (double)((b->next_start_ns - now_ns) / 1000000) / 1000.0);
	put_deaths(o, b, now_ns);
	if (b->role == BH_ROLE_DRIVER && (b->health.health == BH_HEALTH_OK || b->health.health == BH_HEALTH_DEGRADED))
		bh_view_put_missing(v, slot, all ? 20 : 3, o);
	if (!b->alive || b->health.health == BH_HEALTH_FAILED) {
		char lost[600];
		if (bh_config_loss(v->config, slot, lost, sizeof(lost))[0])
			bh_wire_str(o, "lost", lost);
	}
	if (b->alive && v->slot[slot].self)
		put_holds(o, v->slot[slot].self);
	if (all && v->slot[slot].self)
		put_self(o, v->slot[slot].self);
	if (all && v->slot[slot].account)
		put_account(o, v->slot[slot].account);
	bh_wire_close(o);
}

static void
put_table_head(const struct bh_view *v, uint64_t now_ns, struct bh_wire_out *o)
{
	const struct bh_table_head *h =
		v->table ? bh_seg_section(v->table, BH_SEC_TABLE, sizeof(struct bh_table_head), NULL) : NULL;
	char path[sizeof(h->config_path)];
	if (!h)
		return;
	memcpy(path, h->config_path, sizeof(path));
	path[sizeof(path) - 1] = '\0';
	bh_wire_str(o, "config", path);
	memcpy(path, h->profile, sizeof(h->profile));
	path[sizeof(h->profile) - 1] = '\0';
	bh_wire_str(o, "profile", path);
	bh_wire_uint(o, "configurations", __atomic_load_n(&h->config_generation, __ATOMIC_RELAXED));
	bh_wire_float(o, "up_s", seconds_since(now_ns, h->started_ns));
	bh_wire_uint(o, "keeper_pid", __atomic_load_n(&h->keeper_pid, __ATOMIC_RELAXED));
	bh_wire_uint(o, "supervisor_pid", __atomic_load_n(&h->supervisor_pid, __ATOMIC_RELAXED));
	bh_wire_uint(o, "supervisor_lives", h->supervisor_lives);
	bh_wire_uint(o, "keeper_lives", h->keeper_lives);
}

static int
answer_status(const struct bh_view *v, const struct bh_wire_request *req, uint64_t now_ns, struct bh_wire_out *o)
{
	struct bh_wire_error err = {0};
	struct bh_proc_body b;
	int only = -1;
	bool well = true;
	if (req->name[0]) {
		only = bh_view_find_proc(v, req->name, &err);
		if (only < 0)
			return answer_error(o, req->id, &err);
	}
	bh_wire_begin_answer(o, req->id, true);
	bh_wire_str(o, "version", BH_VERSION);
	bh_wire_bool(o, "control_answers", !v->direct);
	put_table_head(v, now_ns, o);
	bh_wire_array(o, "processes");
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		if ((only >= 0 && s != only) || !bh_view_proc(v, s, &b))
			continue;
		/* Asked for by name, only ok is well: the question was whether it runs. */
		well = well && (only >= 0 ? b.health.health == BH_HEALTH_OK : is_well(&b));
		put_proc(v, s, &b, now_ns, only >= 0, o);
	}
	bh_wire_close(o);
	bh_wire_bool(o, "well", well);
	bh_wire_close(o);
	return 0;
}

/* ------------------------------------------------------------------ pages */

static void
put_group(const struct bh_view *v, uint32_t room, const char *group, struct bh_wire_out *o)
{
	int page = bh_view_page_of(v, room);
	const struct bh_cfg_page *p = page >= 0 ? bh_config_row(v->config, BH_TAB_PAGES, (uint32_t)page) : NULL;
	bh_wire_map(o, NULL);
	bh_wire_str(o, "name", group);
	if (p) {
		bh_wire_uint(o, "page", (uint64_t)page + 1);
		bh_wire_str(o, "shown", bh_config_str(v->config, p->name));
	}
	bh_wire_array(o, "surfaces");
	for (uint32_t i = 0; i < bh_config_count(v->config, BH_TAB_SURFACES); i++) {
		const struct bh_cfg_surface *s = bh_config_row(v->config, BH_TAB_SURFACES, i);
		const struct bh_cfg_proc *proc = bh_config_proc(v->config, s->slot);
		if (proc && s->page_room == room)
			bh_wire_str(o, NULL, bh_config_str(v->config, proc->name));
	}
	bh_wire_close(o);
	bh_wire_close(o);
}

/* Surfaces whose pages turn together: the main ones, and the others by the name of their group. */
static void
put_groups(const struct bh_view *v, struct bh_wire_out *o)
{
	bh_wire_array(o, "groups");
	if (v->config)
		put_group(v, 0, "main", o);
	for (uint32_t k = 1; v->config && k < bh_config_count(v->config, BH_TAB_ROOM); k++) {
		const struct bh_cfg_room *row = bh_config_row(v->config, BH_TAB_ROOM, k);
		const char *name = bh_config_str(v->config, row->name);
		if (row->kind == BH_ROOM_PAGE && strncmp(name, "page/", 5) == 0)
			put_group(v, k, name + 5, o);
	}
	bh_wire_close(o);
}

static int
answer_pages(const struct bh_view *v, const struct bh_wire_request *req, struct bh_wire_out *o)
{
	struct bh_rec_global g;
	bool known = bh_view_global(v, &g);
	uint32_t count = v->config ? bh_config_count(v->config, BH_TAB_PAGES) : 0;
	bh_wire_begin_answer(o, req->id, true);
	bh_wire_array(o, "pages");
	for (uint32_t i = 0; i < count; i++) {
		const struct bh_cfg_page *p = bh_config_row(v->config, BH_TAB_PAGES, i);
		bh_wire_map(o, NULL);
		bh_wire_uint(o, "number", i + 1);
		bh_wire_str(o, "name", bh_config_str(v->config, p->name));
		bh_wire_uint(o, "bindings", p->count);
		bh_wire_bool(o, "shown", known && g.page == i);
		bh_wire_close(o);
	}
	bh_wire_close(o);
	if (known)
		bh_wire_str(o, "shown", g.page_name);
	put_groups(v, o);
	bh_wire_close(o);
	return 0;
}

/* ------------------------------------------------------------------ parameters */

static void
put_plain(struct bh_wire_out *o, const char *key, const struct bh_dir_record *rec, const union bh_val *val)
{
	char text[BH_TEXT_MAX + 1];
	switch ((enum bh_type)rec->type) {
	case BH_BOOL: bh_wire_bool(o, key, val->i); return;
	case BH_INT:
	case BH_ENUM: bh_wire_int(o, key, val->i); return;
	case BH_FLOAT: bh_wire_float(o, key, val->f); return;
	case BH_TEXT:
		snprintf(text, sizeof(text), "%.*s", (int)BH_TEXT_MAX, val->s);
		bh_wire_str(o, key, text);
		return;
	case BH_NONE:
	case BH_TRIGGER: break;
	}
	bh_wire_nil(o, key);
}

void
bh_view_put_value(struct bh_wire_out *o, const struct bh_dir *dir, const struct bh_dir_record *rec, enum bh_type type,
		  const union bh_val *val)
{
	char text[200];
	if (type == BH_NONE)
		return;
	put_plain(o, "value", rec, val);
	bh_wire_value_text(dir, rec, val, text, sizeof(text));
	bh_wire_str(o, "text", text);
}

static void
put_state(struct bh_wire_out *o, const struct bh_dir *dir, const struct bh_dir_record *rec, const struct bh_rec_param *p, bool all,
	  uint64_t now_ns)
{
	union bh_val val;
	bool stale = false;
	enum bh_type type = bh_param_newest(p, &val, &stale);
	bh_view_put_value(o, dir, rec, type, &val);
	bh_wire_bool(o, "stale", stale);
	bh_wire_bool(o, "pending", p->flags & BH_PAR_PENDING);
	bh_wire_bool(o, "refused", p->flags & BH_PAR_REFUSED);
	if (rec->type != BH_TEXT && p->flags & BH_PAR_WANTED)
		put_plain(o, "wanted", rec, &(union bh_val){.u = {p->wanted.u}});
	if (rec->type != BH_TEXT && p->flags & BH_PAR_KNOWN)
		put_plain(o, "reported", rec, &(union bh_val){.u = {p->reported.u}});
	if (all && p->wanted_ns)
		bh_wire_float(o, "wanted_ago_s", seconds_since(now_ns, p->wanted_ns));
	if (all && p->reported_ns)
		bh_wire_float(o, "reported_ago_s", seconds_since(now_ns, p->reported_ns));
}

static void
put_choices(struct bh_wire_out *o, const struct bh_dir *dir, const struct bh_dir_record *rec)
{
	char name[BH_NAME_MAX + 1];
	bh_wire_array(o, "choices");
	for (unsigned k = 0; k < rec->choices && bh_dir_choice(dir, rec, k, name, sizeof(name)) == 0; k++)
		bh_wire_str(o, NULL, name);
	bh_wire_close(o);
}

static void
put_access(struct bh_wire_out *o, uint8_t access)
{
	char text[8] = "";
	if (access & BH_ACCESS_READ)
		strcat(text, "r");
	if (access & BH_ACCESS_WRITE)
		strcat(text, "w");
	if (access & BH_ACCESS_METER)
		strcat(text, "m");
	bh_wire_str(o, "access", text);
}

/* The members of a parameter, into the open map. */
static void
put_param(const struct bh_view *v, uint16_t slot, const struct bh_dir_record *rec, bool all, uint64_t now_ns, struct bh_wire_out *o)
{
	const struct bh_dir *dir = v->slot[slot].dir;
	char full[BH_WIRE_NAME_MAX];
	struct bh_proc_body b;
	struct bh_rec_param p;
	bh_view_param_name(v, slot, rec, full, sizeof(full));
	bh_wire_str(o, "name", full);
	bh_wire_str(o, "type", NAME_OF(type_names, rec->type));
	bh_wire_str(o, "unit", rec->unit);
	put_access(o, rec->access);
	if (bh_view_param_state(v, slot, rec, &p))
		put_state(o, dir, rec, &p, all, now_ns);
	/* A value whose driver is not there is the last one known. */
	bh_wire_bool(o, "driver_ok", bh_view_proc(v, slot, &b) && b.health.health == BH_HEALTH_OK);
	if (!all)
		return;
	if (rec->max > rec->min) {
		bh_wire_float(o, "min", rec->min);
		bh_wire_float(o, "max", rec->max);
	}
	if (rec->type == BH_ENUM)
		put_choices(o, dir, rec);
	bh_wire_str(o, "label", rec->label);
}

static int
answer_params(const struct bh_view *v, const struct bh_wire_request *req, uint64_t now_ns, struct bh_wire_out *o)
{
	struct bh_view_params it;
	struct bh_dir_record rec;
	char full[BH_WIRE_NAME_MAX];
	bh_wire_begin_answer(o, req->id, true);
	bh_wire_array(o, "params");
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		bh_view_params_init(&it, v->slot[s].dir);
		while (bh_view_params_next(&it, &rec)) {
			bh_view_param_name(v, s, &rec, full, sizeof(full));
			if (!bh_wire_glob(req->name, full))
				continue;
			bh_wire_map(o, NULL);
			put_param(v, s, &rec, false, now_ns, o);
			bh_wire_close(o);
		}
	}
	bh_wire_close(o);
	bh_wire_close(o);
	return 0;
}

static int
answer_get(const struct bh_view *v, const struct bh_wire_request *req, uint64_t now_ns, struct bh_wire_out *o)
{
	struct bh_wire_error err = {0};
	struct bh_view_param p;
	if (bh_view_find_param(v, req->name, &p, &err) < 0)
		return answer_error(o, req->id, &err);
	bh_wire_begin_answer(o, req->id, true);
	put_param(v, p.slot, &p.rec, true, now_ns, o);
	bh_wire_close(o);
	return 0;
}

/* ------------------------------------------------------------------ names */

static void
names_processes(const struct bh_view *v, struct bh_wire_out *o)
{
	struct bh_proc_body b;
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		if (bh_view_proc(v, s, &b))
			bh_wire_str(o, NULL, b.name);
}

static void
names_pages(const struct bh_view *v, struct bh_wire_out *o)
{
	for (uint32_t i = 0; v->config && i < bh_config_count(v->config, BH_TAB_PAGES); i++) {
		const struct bh_cfg_page *p = bh_config_row(v->config, BH_TAB_PAGES, i);
		bh_wire_str(o, NULL, bh_config_str(v->config, p->name));
	}
}

static void
names_params(const struct bh_view *v, struct bh_wire_out *o)
{
	struct bh_view_params it;
	struct bh_dir_record rec;
	char full[BH_WIRE_NAME_MAX];
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		bh_view_params_init(&it, v->slot[s].dir);
		while (bh_view_params_next(&it, &rec)) {
			bh_view_param_name(v, s, &rec, full, sizeof(full));
			bh_wire_str(o, NULL, full);
		}
	}
}

static void
names_controls(const struct bh_view *v, struct bh_wire_out *o)
{
	for (uint16_t s = 0; v->config && s < BH_MAX_SLOTS; s++) {
		const struct bh_cfg_surface *sf = bh_config_surface(v->config, s);
		const struct bh_cfg_proc *p = bh_config_proc(v->config, s);
		char full[64];
		for (uint16_t k = 0; sf && p && k < sf->controls; k++) {
			const struct bh_cfg_control *c = bh_config_control(v->config, sf, k);
			if (!c)
				break;
			snprintf(full, sizeof(full), "%.32s/%.23s", bh_config_str(v->config, p->name), c->name);
			bh_wire_str(o, NULL, full);
		}
	}
}

static void
names_actions(const struct bh_view *v, struct bh_wire_out *o)
{
	uint32_t procs = v->config ? bh_config_count(v->config, BH_TAB_PROCS) : 0;
	for (uint32_t i = 0; i < procs; i++) {
		const struct bh_cfg_proc *p = bh_config_row(v->config, BH_TAB_PROCS, i);
		const char *kind = bh_config_str(v->config, p->kind);
		for (uint32_t k = 0; p->role == BH_ROLE_DRIVER && k < bh_config_count(v->config, BH_TAB_ACTIONS); k++) {
			const struct bh_cfg_action *a = bh_config_row(v->config, BH_TAB_ACTIONS, k);
			char full[BH_WIRE_NAME_MAX];
			if (strcmp(bh_config_str(v->config, a->kind), kind) != 0)
				continue;
			snprintf(full, sizeof(full), "%s/%s", bh_config_str(v->config, p->name), bh_config_str(v->config, a->name));
			bh_wire_str(o, NULL, full);
		}
	}
	bool banks = v->config && bh_config_count(v->config, BH_TAB_BANKS);
	for (unsigned k = 0; procs && k < (banks ? BH_PAGE_ACTION_COUNT : BH_BANK_NEXT); k++)
		bh_wire_str(o, NULL, bh_view_own_action_name(k));
}

static int
answer_names(const struct bh_view *v, const struct bh_wire_request *req, struct bh_wire_out *o)
{
	static const struct {
		const char *kind;
		void (*put)(const struct bh_view *v, struct bh_wire_out *o);
	} rows[] = {
		{"processes", names_processes}, {"pages", names_pages},	    {"params", names_params},
		{"controls", names_controls},	{"actions", names_actions},
	};
	struct bh_wire_error err = {0};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].kind, req->name) != 0)
			continue;
		bh_wire_begin_answer(o, req->id, true);
		bh_wire_array(o, "names");
		rows[i].put(v, o);
		bh_wire_close(o);
		bh_wire_close(o);
		return 0;
	}
	bh_wire_fail(&err, "bad-value", NULL, "there are names of processes, pages, params, controls and actions, not of \"%.60s\"",
		     req->name);
	return answer_error(o, req->id, &err);
}

/* ------------------------------------------------------------------ all of them */

static int
answer_version(const struct bh_wire_request *req, struct bh_wire_out *o)
{
	bh_wire_begin_answer(o, req->id, true);
	bh_wire_str(o, "version", BH_VERSION);
	bh_wire_uint(o, "protocol", BH_WIRE_VERSION);
	bh_wire_uint(o, "segments", BH_SEG_VERSION);
	bh_wire_close(o);
	return 0;
}

int
bh_view_answer(const struct bh_view *v, const struct bh_wire_request *req, uint64_t now_ns, struct bh_wire_out *o)
{
	switch (req->verb) {
	case BH_VERB_VERSION: return answer_version(req, o);
	case BH_VERB_STATUS: return answer_status(v, req, now_ns, o);
	case BH_VERB_PAGES: return answer_pages(v, req, o);
	case BH_VERB_PARAMS: return answer_params(v, req, now_ns, o);
	case BH_VERB_GET: return answer_get(v, req, now_ns, o);
	case BH_VERB_NAMES: return answer_names(v, req, o);
	case BH_VERB_SET:
	case BH_VERB_DO:
	case BH_VERB_PRESS:
	case BH_VERB_MOVE:
	case BH_VERB_TURN:
	case BH_VERB_PAGE:
	case BH_VERB_START:
	case BH_VERB_STOP:
	case BH_VERB_RESTART:
	case BH_VERB_HOLD:
	case BH_VERB_RELEASE:
	case BH_VERB_KILL:
	case BH_VERB_RELOAD:
	case BH_VERB_EMIT:
	case BH_VERB_SYNC:
	case BH_VERB_CALIBRATE:
	case BH_VERB_QUIT:
	case BH_VERB_PROFILE:
	case BH_VERB_COUNT: break;
	}
	return -ENOTSUP;
}
