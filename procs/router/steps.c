/*
 * steps.c - macros: the steps of `do`, `also` and of reactions
 *
 * Steps without a wait are done in the transaction of the press. From the first one that waits, or for which there is no room in
 * the transaction, the rest stands in a run: a record of the state, so that a successor of the router goes on with it. A step
 * whose time came more than press_age_ms ago, because nobody was there to do it, is dropped with all behind it, counted and shown.
 *
 * A run goes on over a new configuration if its list of steps is still in it, word for word; else it ends there, counted.
 *
 * A reaction is an edge: it remembers, over reloads and restarts, what it saw last, and acts when that changes. What it sees
 * first it only remembers. The memory goes on while its page is not shown. A reaction that sets off too many others in a second
 * (two that undo each other) is left out until the second is over, and counted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "procs/router/core_int.h"

#define REACTIONS_PER_S 50u
#define REACTIONS_DEEP 8u /* reactions to reactions in one transaction */

/* ------------------------------------------------------------------ actions */

static size_t
word_length(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

/* The text behind a $name; "" if nobody knows it. */
static void
variable_text(struct bh_core *core, const char *name, size_t len, char *out, size_t cap)
{
	char full[BH_NAME_MAX + 8];
	union bh_val v;
	out[0] = '\0';
	if (len == 4 && memcmp(name, "page", 4) == 0) {
		snprintf(out, cap, "%s", core_page_name(core, core->group[0].page));
		return;
	}
	snprintf(full, sizeof(full), "var/%.*s", (int)(len < 100 ? len : 100), name);
	struct core_param *p = core_param_by_name(core, BH_SLOT_ROUTER, full);
	if (p && core_newest(core, p, &v, NULL) != BH_NONE)
		core_text(core, p, &v, &(struct core_fit){.width = BH_TEXT_MAX, .whole = true}, out, cap);
}

size_t
core_expand(struct bh_core *core, const char *args, size_t len, const char *item, char *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char text[BH_TEXT_MAX + 1] = {args[i]};
		size_t word = args[i] == '$' ? word_length(args + i + 1) : 0;
		size_t part = 1;
		if (word) {
			variable_text(core, args + i + 1, word, text, sizeof(text));
			part = strlen(text);
			i += word;
		} else if (args[i] == '$' && args[i + 1] == '$') {
			i++;
		} else if (item && args[i] == '{' && args[i + 1] == '}') {
			part = strnlen(item, cap);
			if (part > cap - n)
				return 0;
			memcpy(out + n, item, part);
			n += part;
			i++;
			continue;
		}
		if (part > cap - n)
			return 0;
		memcpy(out + n, text, part);
		n += part;
	}
	return n;
}

int
core_do(struct bh_core *core, const struct core_ctl *c, const struct core_doing *d)
{
	char words[BH_PAYLOAD_MAX];
	const char *args = d->args_len ? core_str(core, d->args) : "";
	size_t len = d->args_len;
	if (len && (d->vars || d->item)) {
		len = core_expand(core, args, len, d->item, words, sizeof(words));
		if (!len)
			return -E2BIG;
		args = words;
	}
	if (d->driver == BH_DRIVER_PAGE)
		return core_page_action(core, c, d->action, args);
	return core_action(core, d->driver, d->action, d->origin, d->stamp_ns, args, len);
}

/* ------------------------------------------------------------------ one step */

static const struct bh_cfg_step *
step_at(const struct bh_core *core, uint32_t n)
{
	return bh_config_row(core->config, BH_TAB_STEPS, n);
}

static struct core_param *
step_param(struct bh_core *core, uint16_t driver, uint32_t name_off, const char *item)
{
	char name[BH_NAME_MAX + 8];
	const char *written = core_str(core, name_off);
	if (!item || !strstr(written, "{}"))
		return core_named_param(core, driver, name_off);
	size_t n = core_expand(core, written, strlen(written) + 1, item, name, sizeof(name));
	return n && driver < BH_MAX_SLOTS ? core_param_by_name(core, driver, name) : NULL;
}

static bool
set_value(struct bh_core *core, const struct bh_cfg_step *s, const struct core_param *p, const char *item, union bh_val *v)
{
	char full[2 * BH_NAME_MAX];
	const char *text = core_str(core, s->to.text);
	if (s->to.type != BH_TEXT || !(s->flags & BH_STEPF_VARS || (item && strstr(text, "{}"))))
		return core_operand(core, p, &s->to, v);
	return core_expand(core, text, strlen(text) + 1, item, full, sizeof(full)) && core_operand_text(core, p, full, v);
}

static bool
step_value(struct bh_core *core, const struct bh_cfg_step *s, const struct core_param *p, const char *item, union bh_val *v)
{
	if (s->kind == BH_STEP_SET)
		return set_value(core, s, p, item, v);
	if (s->kind == BH_STEP_TOGGLE) {
		struct bh_taper_range whole = core_binding_range(p, &(struct bh_cfg_binding){.taper = 0xff});
		return core_turned_over(core, p, &whole, v);
	}
	return core_added(core, p, s->to.num, v);
}

/* False: it could not be done. */
static bool
do_step(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_step *s, const struct bh_rec_run *run,
	uint64_t stamp_ns)
{
	const char *item = run->item[0] ? run->item : NULL;
	union bh_val v;
	if (s->when.op != BH_COND_ALWAYS &&
	    !core_holds(core, &s->when, step_param(core, s->when.driver, s->when.target, item)))
		return true;
	if (s->kind == BH_STEP_ACTION) {
		struct core_doing d = {.driver = s->driver, .action = s->action, .args = s->args, .args_len = s->args_len,
				       .vars = s->flags & BH_STEPF_VARS, .item = item, .origin = run->origin,
				       .stamp_ns = stamp_ns};
		return core_do(core, c, &d) >= 0;
	}
	struct core_param *p = step_param(core, s->driver, s->target, item);
	return p && step_value(core, s, p, item, &v) && core_want(core, p, &v, run->origin, stamp_ns);
}

/* ------------------------------------------------------------------ runs */

static struct core_ctl *
run_control(struct bh_core *core, const struct bh_rec_run *run)
{
	return core_find_ctl(core, (uint16_t)(run->origin >> 16), run->origin & 0xffff);
}

static void
run_failed(struct bh_core *core, const struct bh_rec_run *run)
{
	struct core_ctl *c = run_control(core, run);
	core_count_dropped(core, BH_SLOT_ROUTER);
	if (c)
		core_refuse(core, c);
}

static uint32_t
mix(uint32_t h, const void *data, size_t len)
{
	return bh_crc32c(h, data, len);
}

static uint32_t
mix_text(const struct bh_core *core, uint32_t h, uint32_t off)
{
	const char *s = core_str(core, off);
	return mix(h, s, strlen(s) + 1);
}

static uint32_t
mix_operand(const struct bh_core *core, uint32_t h, const struct bh_cfg_operand *o)
{
	h = mix(h, &o->num, sizeof(o->num));
	h = mix(h, &o->type, sizeof(o->type));
	return mix_text(core, h, o->text);
}

/* What a list of steps says, wherever it stands. */
static uint32_t
list_hash(const struct bh_core *core, uint32_t first, uint32_t count)
{
	uint32_t h = count;
	for (uint32_t k = 0; k < count; k++) {
		const struct bh_cfg_step *s = step_at(core, first + k);
		uint32_t words[] = {s->kind, s->flags, s->driver, s->action, s->delay_ms, s->when.op, s->when.driver};
		h = mix(h, words, sizeof(words));
		h = mix_text(core, h, s->target);
		h = mix(h, core_str(core, s->args), s->args_len);
		h = mix_operand(core, h, &s->to);
		h = mix_text(core, h, s->when.target);
		h = mix_operand(core, h, &s->when.with);
	}
	return h;
}

static uint32_t
run_rec(const struct bh_core *core, uint32_t n)
{
	return core->run_first == NONE ? NONE : core->run_first + n;
}

static struct bh_rec_run *
run_at(struct bh_core *core, uint32_t rec)
{
	return (struct bh_rec_run *)core->rec[rec];
}

/* A record for it, or NONE. */
static uint32_t
free_run(struct bh_core *core)
{
	for (uint32_t n = 0; n < BH_ROOM_RUNS && core->run_first != NONE; n++)
		if (!run_at(core, run_rec(core, n))->count)
			return run_rec(core, n);
	return NONE;
}

/* The rest of it waits. */
static void
run_keep(struct bh_core *core, const struct bh_rec_run *run, uint32_t rec)
{
	bool is_new = rec == NONE;
	if (is_new)
		rec = free_run(core);
	if (rec == NONE) {
		run_failed(core, run);
		return;
	}
	*run_at(core, rec) = *run;
	if (is_new)
		run_at(core, rec)->hash = list_hash(core, run->first, run->count);
	core_dirty(core, rec);
	core_due(core, rec, run->due_ns);
}

static void
run_end(struct bh_core *core, uint32_t rec)
{
	if (rec == NONE)
		return;
	*run_at(core, rec) = (struct bh_rec_run){.tag = BH_REC_TAG_RUN};
	core_dirty(core, rec);
	core_due(core, rec, 0);
}

/*
 * Do what is due. `run` is a copy; `rec` where it stands, NONE = nowhere yet. Steps of the other edge of the button are passed
 * over, with their waits.
 */
static void
run_on(struct bh_core *core, struct bh_rec_run run, uint32_t rec)
{
	bool release = run.flags & BH_RUN_RELEASE;
	for (; run.at < run.count; run.at++, run.flags &= (uint16_t)~BH_RUN_WAITED) {
		const struct bh_cfg_step *s = step_at(core, run.first + run.at);
		core->steps++;
		if (!!(s->flags & BH_STEPF_RELEASE) != release)
			continue;
		bool waits = s->delay_ms && !(run.flags & BH_RUN_WAITED);
		if (waits) {
			run.flags |= BH_RUN_WAITED;
			run.due_ns += s->delay_ms * 1000000ull;
		}
		if (run.due_ns > core->now || !core_has_room(core, 8, 8)) {
			run_keep(core, &run, rec);
			return;
		}
		if (core->wall - run.due_ns > core->opt.press_age_ms * 1000000ull) {
			run_failed(core, &run);
			break;
		}
		if (!do_step(core, run_control(core, &run), s, &run, run.due_ns))
			run_failed(core, &run);
	}
	run_end(core, rec);
}

static void
run_start(struct bh_core *core, uint32_t first, uint32_t count, uint32_t origin, uint64_t stamp_ns, const char *item,
	  bool release)
{
	struct bh_rec_run run = {
		.tag = BH_REC_TAG_RUN, .flags = release ? BH_RUN_RELEASE : 0, .first = first, .count = count,
		.origin = origin, .due_ns = stamp_ns < core->now ? stamp_ns : core->now,
	};
	if (!count || first > bh_config_count(core->config, BH_TAB_STEPS) ||
	    count > bh_config_count(core->config, BH_TAB_STEPS) - first)
		return;
	if (item)
		snprintf(run.item, sizeof(run.item), "%s", item);
	run_on(core, run, NONE);
}

void
core_run_timer(struct bh_core *core, uint32_t rec)
{
	struct bh_rec_run run = *run_at(core, rec);
	if (run.tag == BH_REC_TAG_RUN && run.count)
		run_on(core, run, rec);
}

void
core_steps_press(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns)
{
	run_start(core, b->step_first, b->steps, (uint32_t)c->slot << 16 | c->index, stamp_ns, core_bank_item(core, b), false);
}

void
core_steps_release(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns)
{
	run_start(core, b->step_first, b->steps, (uint32_t)c->slot << 16 | c->index, stamp_ns, core_bank_item(core, b), true);
}

/* ------------------------------------------------------------------ reactions */

static bool
is_page_shown(const struct bh_core *core, uint16_t page)
{
	return page == BH_PAGE_GLOBAL || core_is_page_shown(core, page);
}

static uint32_t
value_hash(const struct core_param *p, const union bh_val *v)
{
	uint32_t h = p->type == BH_TEXT ? bh_name_hash(v->s) : bh_crc32c(1, v->u, sizeof(v->u[0]));
	return h ? h : 1;
}

/* More than a room full of people can mean. */
static bool
is_too_often(struct bh_core *core, struct bh_rec_param *r)
{
	if (core->now - r->spare[1] > 1000000000ull) {
		r->spare[1] = core->now;
		r->spare[2] = 0;
	}
	return ++r->spare[2] > REACTIONS_PER_S;
}

static void
react(struct bh_core *core, uint32_t n, const struct core_param *p, const union bh_val *v)
{
	const struct bh_cfg_reaction *row = bh_config_row(core->config, BH_TAB_REACTIONS, n);
	uint32_t rec = core_room_rec(core, row->room);
	if (rec == NONE)
		return;
	struct bh_rec_param *r = (struct bh_rec_param *)core->rec[rec];
	bool changes = row->when.op == BH_COND_CHANGES, known = r->flags & BH_PAR_KNOWN;
	uint32_t hash = value_hash(p, v);
	bool holds = !changes && core_holds(core, &row->when, p);
	bool edge = known && (changes ? r->spare[0] != hash : holds != (r->reported.i != 0));
	if (known && !edge && r->spare[0] == hash)
		return;
	r->flags |= BH_PAR_KNOWN;
	r->reported.i = changes ? 0 : holds;
	r->reported_ns = core->now;
	r->spare[0] = hash;
	/* What the store brings back is the past. */
	bool restored = p->slot == BH_SLOT_ROUTER && core_param_rec(core, p)->origin >> 16 == BH_SLOT_STORE;
	edge = edge && !restored;
	bool often = edge && is_too_often(core, r);
	core_dirty(core, rec);
	core_queue_room(core, row->room);
	if (often || core->reacting >= REACTIONS_DEEP)
		core_count_dropped(core, BH_SLOT_ROUTER);
	if (!edge || often || core->reacting >= REACTIONS_DEEP || !is_page_shown(core, row->page))
		return;
	core->reacting++;
	bool when = changes || holds;
	run_start(core, when ? row->step_first : row->else_first, when ? row->steps : row->else_steps,
		  (uint32_t)BH_SLOT_ROUTER << 16 | (n & 0xffff), core->now, NULL, false);
	core->reacting--;
}

void
core_reaction_look(struct bh_core *core, uint32_t n)
{
	const struct bh_cfg_reaction *row = bh_config_row(core->config, BH_TAB_REACTIONS, n);
	const struct core_param *p = row && row->when.driver == BH_SLOT_ROUTER ? core_named_param(core, BH_SLOT_ROUTER, row->when.target) : NULL;
	uint32_t rec = row ? core_room_rec(core, row->room) : NONE;
	union bh_val v;
	if (p && rec != NONE && !(((struct bh_rec_param *)core->rec[rec])->flags & BH_PAR_KNOWN) &&
	    core_newest(core, p, &v, NULL) != BH_NONE)
		react(core, n, p, &v);
}

void
core_param_changed(struct bh_core *core, const struct core_param *p)
{
	union bh_val v;
	bool stale;
	if (!core->reactions || core_newest(core, p, &v, &stale) == BH_NONE || stale)
		return;
	for (uint32_t t = p->target; t != NONE; t = core->target[t].same) {
		for (uint32_t n = core->target[t].react; n != NONE; n = core->react_next[n]) {
			core->steps++;
			react(core, n, p, &v);
		}
	}
}

/* ------------------------------------------------------------------ a new configuration */

void
core_steps_plan(struct bh_core *core)
{
	core->reactions = bh_config_count(core->config, BH_TAB_REACTIONS);
	for (uint32_t n = core->reactions; n-- > 0;) {
		const struct bh_cfg_reaction *row = bh_config_row(core->config, BH_TAB_REACTIONS, n);
		core->react_next[n] = NONE;
		if (row->when.driver >= BH_MAX_SLOTS)
			continue;
		uint32_t t = core_plan_target(core, row->when.driver, core_str(core, row->when.target));
		core->react_next[n] = core->target[t].react;
		core->target[t].react = n;
	}
}

/* The same list in this configuration, or NONE. */
static uint32_t
find_list(const struct bh_core *core, const struct bh_rec_run *run)
{
	for (uint32_t b = 0; b < core->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(core, b);
		if (row->steps == run->count && list_hash(core, row->step_first, row->steps) == run->hash)
			return row->step_first;
	}
	for (uint32_t n = 0; n < core->reactions; n++) {
		const struct bh_cfg_reaction *row = bh_config_row(core->config, BH_TAB_REACTIONS, n);
		if (row->steps == run->count && list_hash(core, row->step_first, row->steps) == run->hash)
			return row->step_first;
		if (row->else_steps == run->count && list_hash(core, row->else_first, row->else_steps) == run->hash)
			return row->else_first;
	}
	return NONE;
}

void
core_steps_arm(struct bh_core *core)
{
	for (uint32_t n = 0; n < BH_ROOM_RUNS && core->run_first != NONE; n++) {
		const struct bh_rec_run *run = run_at(core, run_rec(core, n));
		if (run->tag == BH_REC_TAG_RUN && run->count)
			core_due(core, run_rec(core, n), run->due_ns);
	}
}

void
core_steps_adopt(struct bh_core *core)
{
	for (uint32_t n = 0; n < BH_ROOM_RUNS && core->run_first != NONE; n++) {
		uint32_t rec = run_rec(core, n);
		struct bh_rec_run *run = run_at(core, rec);
		if (run->tag != BH_REC_TAG_RUN || !run->count)
			continue;
		uint32_t first = find_list(core, run);
		if (first == run->first)
			continue;
		if (first == NONE) {
			run_failed(core, run);
			run_end(core, rec);
			continue;
		}
		run->first = first;
		core_dirty(core, rec);
	}
}
