/*
 * switch.c - the kinds of binding that are a button on a parameter: TOGGLE, MOMENTARY, RADIO,
 * SELECT; and DO, which is a button alone
 *
 *   TOGGLE     turns over what is newest, so that two presses are two turns however slow the
 * backend is MOMENTARY  `on` at the press, `off` at the release: of the parameter that was pressed,
 * whatever the page shows by then RADIO      sets `on`; lit while it is that SELECT     goes on to
 * the next of its choices, from the last to the first, from anything else to the first
 *
 * `on` and `off` are the ends of the parameter's range if they are not written. A light and a press
 * agree: lit means that TOGGLE turns it off.
 */
#include "procs/router/core_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One of the two values of a switch. False: the parameter has none such. */
static bool
switch_value(const struct bh_core *core, const struct core_param *p, const struct bh_cfg_binding *b,
	     bool on, union bh_val *v)
{
	bool turned = on != !!(b->flags & BH_BINDF_INVERT);
	const struct bh_cfg_operand *o = turned ? &b->on : &b->off;
	memset(v, 0, sizeof(*v));
	if (o->type != BH_NONE)
		return core_operand(core, p, o, v);
	if (p->type == BH_TEXT)
		return !turned; /* the empty one */
	struct bh_taper_range r = core_binding_range(p, b);
	bool ranged = r.max > r.min;
	*v = core_number(p, turned ? ranged ? r.max : 1 : ranged ? r.min : 0);
	return true;
}

/* What a motor fader would show at the same place. */
static bool
switch_same(const struct core_param *p, const union bh_val *a, const union bh_val *b)
{
	if (p->type == BH_TEXT)
		return strcmp(a->s, b->s) == 0;
	if (p->type != BH_FLOAT)
		return a->i == b->i;
	return a->f == b->f ||
	       (p->range.max > p->range.min && bh_taper_same(bh_taper_position(&p->range, a->f),
							     bh_taper_position(&p->range, b->f)));
}

/* The parameter of a press that sets it; NULL: it cannot, and the button says so. */
static struct core_param *
pressed_param(struct bh_core *core, struct core_ctl *c, uint32_t bn)
{
	struct core_param *p = core_binding_param(core, bn);
	if (p && p->access & BH_ACCESS_WRITE && p->type != BH_NONE)
		return p;
	core_refuse(core, c);
	return NULL;
}

static bool
set_or_refuse(struct bh_core *core, struct core_ctl *c, struct core_param *p, bool makes_sense,
	      const union bh_val *v, uint64_t stamp_ns)
{
	if (makes_sense && core_want(core, p, v, core_origin(c), stamp_ns))
		return true;
	core_refuse(core, c);
	return false;
}

/* ------------------------------------------------------------------ toggle, radio */

static bool
is_on(struct bh_core *core, const struct core_param *p, const struct bh_cfg_binding *b)
{
	union bh_val now, with;
	if (p->type == BH_TRIGGER || core_newest(core, p, &now, NULL) == BH_NONE)
		return false;
	/* With no value of its own for "on" it is on wherever it is not off. */
	bool written = b->kind == BH_BIND_RADIO ||
		       (b->flags & BH_BINDF_INVERT ? &b->off : &b->on)->type != BH_NONE;
	if (!switch_value(core, p, b, written, &with))
		return false;
	return switch_same(p, &now, &with) == written;
}

bool
core_toggle_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	struct core_param *p = pressed_param(core, c, bn);
	const struct bh_cfg_binding *b = core_binding(core, bn);
	union bh_val v;
	return p && set_or_refuse(core, c, p, switch_value(core, p, b, !is_on(core, p, b), &v), &v,
				  stamp_ns);
}

bool
core_radio_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	struct core_param *p = pressed_param(core, c, bn);
	union bh_val v;
	return p &&
	       set_or_refuse(core, c, p, switch_value(core, p, core_binding(core, bn), true, &v),
			     &v, stamp_ns);
}

/* ------------------------------------------------------------------ momentary */

bool
core_momentary_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	struct core_param *p = pressed_param(core, c, bn);
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct bh_rec_control *r = core_ctl_rec(core, c);
	union bh_val on, off;
	if (!p)
		return false;
	if (!switch_value(core, p, b, false, &off) ||
	    !set_or_refuse(core, c, p, switch_value(core, p, b, true, &on), &on, stamp_ns))
		return false;
	if (p->type == BH_TRIGGER)
		return true;
	core->holding += !r->let_go_rec;
	r->let_go_rec = p->rec;
	r->let_go_hash = p->hash;
	r->let_go.u = off.u[0]; /* of a TEXT the row is asked again */
	core_dirty(core, c->rec);
	return true;
}

/* Does another button hold the same parameter down? Then that one lets it go. */
static bool
is_held_by_another(struct bh_core *core, const struct core_ctl *than, uint32_t param_rec)
{
	for (uint32_t k = 0; core->holding > 1 && k < core->ctls; k++) {
		const struct core_ctl *c = &core->ctl[k];
		core->steps++;
		if (c != than && c->cfg->kind == BH_CTL_BUTTON &&
		    core_ctl_rec(core, c)->let_go_rec == param_rec)
			return true;
	}
	return false;
}

/* What a button holds down: by its record, and in the room, where rows move with a configuration, by its name. */
static struct core_param *
held_param(struct bh_core *core, const struct bh_rec_control *r)
{
	const struct core_peer *room = &core->peer[BH_SLOT_ROUTER];
	uint32_t n = r->let_go_rec < core->records ? core->owner[r->let_go_rec] : NONE;
	struct core_param *p = n < core->params && core->param[n].rec == r->let_go_rec ? &core->param[n] : NULL;
	bool is_room = r->let_go_rec >= room->base && r->let_go_rec < room->base + room->records;
	if ((p && p->hash == r->let_go_hash) || !is_room)
		return p;
	for (uint32_t k = 0; k < room->count; k++)
		if (core->param[room->first + k].hash == r->let_go_hash)
			return &core->param[room->first + k];
	return p;
}

bool
core_momentary_release(struct bh_core *core, struct core_ctl *c, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	uint32_t b = r->row ? r->row - 1 : NONE;
	struct core_param *p = held_param(core, r);
	union bh_val v = {.u = {r->let_go.u}};
	if (p && !p->present)
		return false; /* its directory is being read */
	if (p && p->type == BH_TEXT) {
		memset(&v, 0, sizeof(v));
		if (b < core->bindings && core_binding(core, b)->kind == BH_BIND_MOMENTARY)
			(void)switch_value(core, p, core_binding(core, b), false, &v);
	}
	if (p && p->hash == r->let_go_hash && !is_held_by_another(core, c, p->rec))
		(void)core_want(core, p, &v, core_origin(c), stamp_ns);
	r->let_go_rec = 0;
	core->holding--;
	core_dirty(core, c->rec);
	return true;
}

/* ------------------------------------------------------------------ select */

/* A choice as it is written in the list, against the parameter. */
static bool
choice_value(const struct bh_core *core, const struct core_param *p, uint32_t off, union bh_val *v)
{
	const char *text = core_str(core, off);
	char *end;
	double x = strtod(text, &end);
	bool number = end != text && !*end && isfinite(x);
	const struct bh_cfg_operand o = {
		.text = off, .type = number ? BH_FLOAT : BH_TEXT, .num = number ? x : 0};
	return core_operand(core, p, &o, v);
}

/* The one after the newest. False: there is none that the parameter can be. */
static bool
next_choice(struct bh_core *core, const struct core_param *p, const struct bh_cfg_binding *b,
	    union bh_val *v)
{
	union bh_val now, each, first;
	bool known = core_newest(core, p, &now, NULL) != BH_NONE, any = false, take = false;
	for (uint32_t off = b->choices; off - b->choices < b->choices_len;
	     off += (uint32_t)strlen(core_str(core, off)) + 1) {
		core->steps++;
		if (!choice_value(core, p, off, &each))
			continue;
		if (take) {
			*v = each;
			return true;
		}
		if (!any)
			first = each;
		any = true;
		take = known && switch_same(p, &now, &each);
	}
	if (any)
		*v = first;
	return any;
}

/* All that there are. */
static bool
next_of_all(struct bh_core *core, const struct core_param *p, const struct bh_cfg_binding *b,
	    union bh_val *v)
{
	struct bh_taper_range r = core_binding_range(p, b);
	union bh_val now;
	memset(v, 0, sizeof(*v));
	if (p->type == BH_TEXT || p->type == BH_FLOAT || !(r.max > r.min))
		return false;
	bool known = core_newest(core, p, &now, NULL) != BH_NONE;
	v->i = known && now.i >= core_whole(r.min) && now.i < core_whole(r.max) ? now.i + 1
										: core_whole(r.min);
	return true;
}

bool
core_select_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	struct core_param *p = pressed_param(core, c, bn);
	const struct bh_cfg_binding *b = core_binding(core, bn);
	union bh_val v;
	if (!p)
		return false;
	bool ok = b->choices_len ? next_choice(core, p, b, &v) : next_of_all(core, p, b, &v);
	return set_or_refuse(core, c, p, ok, &v, stamp_ns);
}

/* Lit: another one than the first. */
static bool
is_selected(struct bh_core *core, const struct core_param *p, const struct bh_cfg_binding *b)
{
	union bh_val now, first;
	if (core_newest(core, p, &now, NULL) == BH_NONE)
		return false;
	if (b->choices_len)
		return choice_value(core, p, b->choices, &first) && !switch_same(p, &now, &first);
	return core_is_number(p) && now.i != core_whole(core_binding_range(p, b).min);
}

/* ------------------------------------------------------------------ do; light */

bool
core_do_press(struct bh_core *core, struct core_ctl *c, uint32_t bn, uint64_t stamp_ns)
{
	(void)core, (void)c, (void)bn, (void)stamp_ns;
	return true; /* its steps follow */
}

bool
core_switch_is_on(struct bh_core *core, uint32_t bn)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	const struct core_param *p = core_binding_param(core, bn);
	return p && (b->kind == BH_BIND_SELECT ? is_selected(core, p, b) : is_on(core, p, b));
}
