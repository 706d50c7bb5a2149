/*
 * kinds.c - the kinds of binding, one row each: what a press, a position, a tick does
 *
 * Those of a button alone are in switch.c; when a press counts is in gesture.c, how far a turn goes in turn.c.
 * A new kind is a row here and a row in common/config/bindings.c. What it shows is in show.c.
 */
#include "procs/router/core_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------ scales */

struct bh_taper_range
core_binding_range(const struct core_param *p, const struct bh_cfg_binding *b)
{
	struct bh_taper_range r = p->range;
	if (p->type == BH_BOOL)
		r = (struct bh_taper_range){BH_TAPER_STEPS, 0, 1, 1};
	if (p->type == BH_ENUM)
		r = (struct bh_taper_range){BH_TAPER_STEPS, 0, p->choices ? p->choices - 1 : 0, 1};
	if (b->flags & BH_BINDF_HAS_RANGE) {
		r.min = b->min;
		r.max = b->max;
	}
	if (b->taper < BH_TAPER_COUNT)
		r.taper = (enum bh_taper)b->taper;
	return r;
}

/* The ends stay what they are. */
static double
curved(double x, double by)
{
	return by > 0 && by != 1 && x > 0 && x < 1 ? pow(x, by) : x;
}

double
core_binding_pos(const struct core_param *p, const struct bh_cfg_binding *b, const union bh_val *v)
{
	struct bh_taper_range r = core_binding_range(p, b);
	double pos = bh_taper_position(&r, p->type == BH_FLOAT ? v->f : (double)v->i);
	if (b->curve > 0)
		pos = curved(pos, 1 / b->curve);
	return b->flags & BH_BINDF_INVERT ? 1 - pos : pos;
}

union bh_val
core_binding_value(const struct core_param *p, const struct bh_cfg_binding *b, double pos)
{
	struct bh_taper_range r = core_binding_range(p, b);
	double x = curved(b->flags & BH_BINDF_INVERT ? 1 - pos : pos, b->curve), v = bh_taper_value(&r, x);
	bool steps = b->flags & BH_BINDF_HAS_STEP && b->step > 0 && x > 0 && x < 1;
	if (steps)
		v = fmin(fmax(r.min + round((v - r.min) / b->step) * b->step, r.min), r.max);
	return core_number(p, v);
}

int64_t
core_whole(double x)
{
	const double most = 9007199254740992.0; /* 2^53 */
	return x > -most ? x < most ? (int64_t)llround(x) : (int64_t)most : -(int64_t)most; /* NaN: the least */
}

union bh_val
core_number(const struct core_param *p, double x)
{
	union bh_val v = {.u = {0}};
	if (p->type == BH_FLOAT)
		v.f = x;
	else
		v.i = core_whole(x);
	return v;
}

/* ------------------------------------------------------------------ value: a control follows a parameter and sets it */

/* Is it above all that this scale can say? */
static bool
is_above(const struct core_param *p, const struct bh_cfg_binding *b, const union bh_val *v)
{
	struct bh_taper_range r = core_binding_range(p, b);
	double top = bh_taper_value(&r, 1);
	return p->type == BH_FLOAT && top < r.max && v->f > top;
}

static void
value_on_value(struct bh_core *core, struct core_ctl *c, uint32_t bn, double pos, uint64_t stamp_ns)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_param *p = core_binding_param(core, bn);
	if (!core_is_number(p))
		return;
	union bh_val v = core_binding_value(p, b, pos), now;
	/* At the top of its scale, and the value is above: where the fader stands says nothing new. */
	if (core_newest(core, p, &now, NULL) != BH_NONE && is_above(p, b, &now) && core_binding_pos(p, b, &now) == pos)
		return;
	core_want(core, p, &v, core_origin(c), stamp_ns);
}

/* A switch turns over what is newest, so that two presses are two turns however slow the backend is. */
static bool
value_on_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_param *p = core_binding_param(core, bn);
	union bh_val v;
	if (!core_is_number(p) || !(p->access & BH_ACCESS_WRITE)) {
		core_refuse(core, c);
		return false;
	}
	struct bh_taper_range r = core_binding_range(p, b);
	return core_turned_over(core, p, &r, &v) && core_want(core, p, &v, core_origin(c), stamp_ns);
}

/* What its values are multiples of; 0 = any. */
static double
unit_of(const struct core_param *p, const struct bh_taper_range *r)
{
	if (p->type == BH_FLOAT)
		return r->taper == BH_TAPER_STEPS ? r->step : 0;
	return p->type == BH_INT && r->step > 0 ? r->step : 1;
}

static void
relative_on_relative(struct bh_core *core, struct core_ctl *c, uint32_t bn, int32_t ticks, uint64_t stamp_ns)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_param *p = core_binding_param(core, bn);
	union bh_val now;
	if (!core_is_number(p) || p->type == BH_TRIGGER)
		return;
	struct bh_taper_range r = core_binding_range(p, b);
	double steps = core_turn_steps(core, c, b, ticks, stamp_ns), unit = unit_of(p, &r), x;
	if (core_newest(core, p, &now, NULL) == BH_NONE)
		now = core_number(p, p->def);
	x = p->type == BH_FLOAT ? now.f : (double)now.i;
	bool choice = p->type == BH_BOOL || p->type == BH_ENUM;
	if (unit > 0 || b->flags & BH_BINDF_HAS_STEP)
		x = core_turn_whole(core, c, p, &r, x, steps * (b->flags & BH_BINDF_HAS_STEP && !choice ? b->step : unit), unit);
	else if (!(steps > 0 && is_above(p, b, &now)))
		x = bh_taper_value(&r, curved(curved(bh_taper_position(&r, x), b->curve > 0 ? 1 / b->curve : 1) + steps / 64, b->curve));
	if (r.max > r.min) /* else it has no range */
		x = x > r.min ? x < r.max ? x : r.max : r.min;
	union bh_val v = core_number(p, x);
	core_want(core, p, &v, core_origin(c), stamp_ns);
}

/* ------------------------------------------------------------------ action: a press does something */

static bool
action_on_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_doing d = {.driver = b->driver, .action = b->action, .args = b->args, .args_len = b->args_len,
			       .vars = b->flags & BH_BINDF_VARS, .item = core_bank_item(core, b),
			       .origin = core_origin(c), .stamp_ns = stamp_ns};
	if (core_do(core, c, &d) == 0)
		return true;
	core_refuse(core, c);
	return false;
}

/* clang-format off */
const struct core_kind core_kinds[BH_BIND_KIND_COUNT] = {
	[0]                = {NULL,            NULL,           NULL},
	[BH_BIND_VALUE]    = {value_on_press,  value_on_value, relative_on_relative},
	[BH_BIND_RELATIVE] = {NULL,            NULL,           relative_on_relative},
	[BH_BIND_ACTION]   = {action_on_press, NULL,           NULL},
	[BH_BIND_TOGGLE]   = {core_toggle_press, NULL,         NULL},
	[BH_BIND_MOMENTARY] = {core_momentary_press, NULL,     NULL},
	[BH_BIND_RADIO]    = {core_radio_press, NULL,          NULL},
	[BH_BIND_SELECT]   = {core_select_press, NULL,         NULL},
	[BH_BIND_DO]       = {core_do_press,   NULL,           NULL},
};
/* clang-format on */
