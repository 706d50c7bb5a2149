/*
 * gesture.c - buttons: what a press means, and when
 *
 *   the entry has           done
 *   MAIN alone              at the press
 *   HOLD                    when it was pressed for hold ms; MAIN at the release, if that comes
 * earlier DOUBLE                  at the second press within double ms; MAIN when that time is over
 * without one HOLD and DOUBLE         as both: the long press counts from the first press alone
 *
 *   hold_ns  double_ns  pressed
 *   -        -          no       nothing is going on
 *   -        -          yes      `row` was done; its release is to come
 *   set      any        yes      a long press? decided by the release, or at hold_ns
 *   -        set        any      a second press? decided by it, or at double_ns
 *
 * All is counted by the stamps of the hand, so that a gesture comes out the same however late we
 * learn of it; what it does bears the moment it was complete, and is judged by that like any press:
 * a late cut is worse than none. A gesture belongs to the bindings that it began with: a page or
 * layer that changes before it is decided changes nothing. If what they point at has become
 * something else meanwhile (a bank was moved, a new configuration), it is dropped, and its button
 * flashes.
 *
 * All of it is in the record of the control: a successor goes on with it.
 */
#include "procs/router/core_int.h"

#include <string.h>

#define HOLD_MS   500u
#define DOUBLE_MS 300u

/* ------------------------------------------------------------------ the entry that a row belongs
 * to */

static bool
same_entry(const struct bh_cfg_binding *a, const struct bh_cfg_binding *b)
{
	return a->page == b->page && a->surface == b->surface && a->control == b->control &&
	       a->layer == b->layer;
}

static uint32_t
entry_part(const struct bh_core *core, uint32_t b, enum bh_part part)
{
	const struct bh_cfg_binding *row = core_binding(core, b);
	uint32_t k = b;
	while (k && same_entry(core_binding(core, k - 1), row))
		k--;
	for (; k < core->bindings && same_entry(core_binding(core, k), row); k++)
		if (core_binding(core, k)->part == part)
			return k;
	return NONE;
}

/* What a row is about, as a number that outlives the configuration and changes with what a bank
 * puts there. Never 0. */
static uint32_t
row_hash(struct bh_core *core, uint32_t b)
{
	const struct bh_cfg_binding *row = core_binding(core, b);
	uint32_t t = row->driver == BH_DRIVER_PAGE ? NONE : core->binding_target[b];
	const char *item = core_bank_item(core, row);
	const struct {
		uint32_t target, item;
		uint16_t surface, control, driver, action;
		uint8_t kind, part;
		uint16_t steps;
	} what = {
		.target = t == NONE ? bh_name_hash(core_str(core, row->target))
				    : core->target[t].hash,
		.item = item ? bh_name_hash(item) : 0,
		.surface = row->surface,
		.control = row->control,
		.driver = row->driver,
		.action = row->action,
		.kind = row->kind,
		.part = row->part,
		.steps = row->steps,
	};
	uint32_t h = bh_crc32c(0, &what, sizeof(what));
	return h ? h : 1;
}

static void
set_row(struct bh_core *core, struct core_ctl *c, uint32_t b)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	r->row = b == NONE ? 0 : b + 1;
	r->row_hash = b == NONE ? 0 : row_hash(core, b);
	core_dirty(core, c->rec);
}

/* ------------------------------------------------------------------ doing, letting go */

static void
button_do(struct bh_core *core, struct core_ctl *c, uint32_t b, uint64_t stamp_ns)
{
	set_row(core, c, NONE);
	if (b == NONE)
		return;
	const struct bh_cfg_binding *row = core_binding(core, b);
	const struct core_kind *kind = &core_kinds[row->kind];
	if (!kind->on_press || core_too_old(core, c, row, stamp_ns) ||
	    !kind->on_press(core, c, b, stamp_ns))
		return;
	if (row->steps)
		core_steps_press(core, c, row, stamp_ns);
	if (row->steps || core_ctl_rec(core, c)->let_go_rec)
		set_row(core, c, b);
}

/* What was done at the press has its end. */
static void
button_let_go(struct bh_core *core, struct core_ctl *c, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	uint32_t b = r->row ? r->row - 1 : NONE;
	if (r->let_go_rec)
		(void)core_momentary_release(core, c,
					     stamp_ns); /* else it is owed: core_buttons_param() */
	if (b == NONE)
		return;
	if (b < core->bindings && core_binding(core, b)->steps)
		core_steps_release(core, c, core_binding(core, b), stamp_ns);
	set_row(core, c, NONE);
}

/* The gesture that is going on is this part of its entry. */
static void
gesture_decide(struct bh_core *core, struct core_ctl *c, enum bh_part part, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	uint32_t b = r->row ? r->row - 1 : NONE;
	r->hold_ns = r->double_ns = 0;
	core_dirty(core, c->rec);
	if (b >= core->bindings || row_hash(core, b) != r->row_hash) {
		set_row(core, c, NONE);
		core_refuse(core, c);
		return;
	}
	button_do(core, c, entry_part(core, b, part), stamp_ns);
	if (!(r->flags & BH_CTRL_PRESSED))
		button_let_go(core, c, stamp_ns);
}

static void
gesture_drop(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	r->hold_ns = r->double_ns = 0;
	set_row(core, c, NONE);
	core_refuse(core, c);
}

/* ------------------------------------------------------------------ the hand */

static uint64_t
window_ns(const struct bh_core *core, uint32_t b, uint32_t otherwise_ms)
{
	uint32_t ms = core_binding(core, b)->ms;
	return (ms ? ms : otherwise_ms) * 1000000ull;
}

static void
button_press(struct bh_core *core, struct core_ctl *c, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (r->double_ns && !r->hold_ns && stamp_ns <= r->double_ns) {
		gesture_decide(core, c, BH_PART_DOUBLE, stamp_ns);
		return;
	}
	if (r->hold_ns) /* its release was lost: nobody knows how long it was */
		gesture_drop(core, c);
	else if (r->double_ns)
		gesture_decide(core, c, BH_PART_MAIN, r->double_ns);
	button_let_go(core, c, stamp_ns);
	r->pressed_ns = stamp_ns;
	uint32_t main = c->part[BH_PART_MAIN], hold = c->part[BH_PART_HOLD],
		 twice = c->part[BH_PART_DOUBLE];
	if (hold == NONE && twice == NONE) {
		button_do(core, c, main, stamp_ns);
		return;
	}
	set_row(core, c, hold == NONE ? twice : hold);
	r->hold_ns = hold == NONE ? 0 : stamp_ns + window_ns(core, hold, HOLD_MS);
	r->double_ns = twice == NONE ? 0 : stamp_ns + window_ns(core, twice, DOUBLE_MS);
}

static void
button_release(struct bh_core *core, struct core_ctl *c, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (r->hold_ns && stamp_ns >= r->hold_ns) {
		gesture_decide(core, c, BH_PART_HOLD, r->hold_ns);
	} else if (r->hold_ns) {
		r->hold_ns = 0;
		if (stamp_ns >= r->double_ns) /* or there is none */
			gesture_decide(core, c, BH_PART_MAIN, stamp_ns);
	} else if (!r->double_ns) {
		button_let_go(core, c, stamp_ns);
	}
}

void
core_button(struct bh_core *core, struct core_ctl *c, bool pressed, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	r->flags = (uint16_t)(pressed ? r->flags | BH_CTRL_PRESSED : r->flags & ~BH_CTRL_PRESSED);
	core_dirty(core, c->rec);
	if (pressed)
		button_press(core, c, stamp_ns);
	else
		button_release(core, c, stamp_ns);
	core_ctl_arm(core, c);
}

void
core_button_lost(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	r->flags &= (uint16_t)~BH_CTRL_PRESSED;
	core_dirty(core, c->rec);
	if (r->hold_ns)
		gesture_drop(core, c);
	else if (!r->double_ns) /* else it was let go in time, or will be */
		button_let_go(core, c, core->now);
	core_ctl_arm(core, c);
}

uint64_t
core_button_due(struct bh_core *core, const struct core_ctl *c)
{
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	return r->hold_ns ? r->hold_ns : r->double_ns;
}

void
core_button_timer(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (r->hold_ns && core->now >= r->hold_ns)
		gesture_decide(core, c, BH_PART_HOLD, r->hold_ns);
	else if (!r->hold_ns && r->double_ns && core->now >= r->double_ns)
		gesture_decide(core, c, BH_PART_MAIN, r->double_ns);
}

/* ------------------------------------------------------------------ a new configuration */

/* The parameter behind a record that a button of the old one has noted; *gone: there will be none.
 */
static struct core_param *
noted_param(struct bh_core *core, uint32_t rec, uint32_t hash, bool *gone)
{
	uint32_t n = rec < core->records ? core->owner[rec] : NONE;
	struct core_param *p =
		n < core->params && core->param[n].rec == rec ? &core->param[n] : NULL;
	*gone = !p || (p->present && p->hash != hash);
	return p && p->present && p->hash == hash ? p : NULL;
}

void
core_buttons_plan(struct bh_core *core)
{
	core->oweds = core->holding = 0;
	for (uint32_t k = BH_REC_FIRST; k < core->records; k++) {
		const struct bh_rec_control *r = (const struct bh_rec_control *)core->rec[k];
		if (r->tag != BH_REC_TAG_CONTROL || r->kind != BH_CTL_BUTTON || !r->let_go_rec)
			continue;
		uint32_t n = core->owner[k];
		const struct core_ctl *c =
			n < core->ctls && core->ctl[n].rec == k ? &core->ctl[n] : NULL;
		core->holding++;
		if (c && c->slot == r->slot && c->index == r->index &&
		    c->cfg->kind == BH_CTL_BUTTON)
			continue;
		if (core->oweds < CORE_OWED_MAX)
			core->owed[core->oweds++] =
				(struct core_owed){k, r->let_go_rec, r->let_go_hash, r->let_go};
	}
}

/* The same row under another number? */
static uint32_t
row_again(struct bh_core *core, const struct core_ctl *c, const struct bh_rec_control *r)
{
	if (r->row - 1 < core->bindings && row_hash(core, r->row - 1) == r->row_hash)
		return r->row - 1;
	for (int part = 0; part < BH_PART_COUNT; part++)
		if (c->part[part] != NONE && row_hash(core, c->part[part]) == r->row_hash)
			return c->part[part];
	return NONE;
}

void
core_buttons_adopt(struct bh_core *core)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		if (c->cfg->kind != BH_CTL_BUTTON || !r->row)
			continue;
		uint32_t b = row_again(core, c, r);
		if (b == r->row - 1)
			continue;
		if (b == NONE && (r->hold_ns || r->double_ns))
			gesture_drop(core, c);
		else
			set_row(core, c, b);
		core_ctl_arm(core, c);
	}
}

void
core_buttons_param(struct bh_core *core, struct core_param *p)
{
	bool gone;
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		const struct bh_rec_control *r = core_ctl_rec(core, c);
		core->steps++;
		if (c->cfg->kind == BH_CTL_BUTTON && r->let_go_rec == p->rec &&
		    !(r->flags & BH_CTRL_PRESSED) && !r->hold_ns && !r->double_ns)
			(void)core_momentary_release(core, c, core->now);
	}
	for (uint32_t k = 0; k < core->oweds; k++) {
		struct core_owed *o = &core->owed[k];
		struct core_param *to = noted_param(core, o->param_rec, o->hash, &gone);
		if (!to && !gone)
			continue;
		union bh_val v = {.u = {o->v.u}};
		struct bh_rec_control *r = (struct bh_rec_control *)core->rec[o->ctl_rec];
		if (to && to->type != BH_TEXT)
			(void)core_want(core, to, &v, (uint32_t)BH_SLOT_ROUTER << 16, core->now);
		if (r->tag == BH_REC_TAG_CONTROL && r->kind == BH_CTL_BUTTON &&
		    r->let_go_rec == o->param_rec)
			r->let_go_rec = 0;
		core_dirty(core, o->ctl_rec);
		*o = core->owed[--core->oweds];
		core->holding--;
		k--;
	}
}
