/*
 * fader.c - motor faders, and who has the say over them
 *
 *   hand on it             never driven; what it does is wanted at once
 *   released               settle_ns = settle_ms from now: then the motor is set once, to the newest value.
 *                          At once if the hand left it exactly at an end
 *   moved without a touch  (finger nail, sleeve, a request) as a touch that ends with each movement
 *   until hand_ns          the backend does not drive it; afterwards it shows the newest again
 *   sent by us             what it reports within motor_ms, untouched, is its motor
 *   pickup, or room/quiet  its moves do nothing until they meet or cross the value; under room/quiet no motor moves
 */
#include "procs/router/core_int.h"

#include <math.h>

/* An X-Touch that stands at its stop reports 16380: that is the top. */
#define SNAP (7.5 / 16383.0)
/* Pickup: so near is there. A step of a 7-bit fader. */
#define PICKUP_NEAR (1.0 / 127)

static uint64_t
in_ms(const struct bh_core *core, uint32_t ms)
{
	return core->now + ms * 1000000ull;
}

/* Of two moments; 0 = never. */
static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static bool
is_moved(const struct core_ctl *c)
{
	return c->cfg->kind == BH_CTL_FADER || c->cfg->kind == BH_CTL_PEDAL;
}

void
core_ctl_arm(struct bh_core *core, struct core_ctl *c)
{
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	uint64_t when = c->look_ns;
	if (r->flags & BH_CTRL_REFUSED)
		when = sooner(when, r->flash_ns);
	if (c->cfg->kind == BH_CTL_BUTTON) {
		when = sooner(when, core_button_due(core, c));
	} else if (is_moved(c) && !(r->flags & BH_CTRL_TOUCHED)) {
		when = sooner(when, r->settle_ns);
		when = sooner(when, r->hand_ns > core->now ? r->hand_ns : 0);
	}
	core_due(core, c->rec, when);
}

void
core_ctl_timer(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (r->flags & BH_CTRL_REFUSED && core->now >= r->flash_ns) {
		r->flags &= (uint16_t)~BH_CTRL_REFUSED;
		core_dirty(core, c->rec);
	}
	if (is_moved(c) && r->settle_ns && core->now >= r->settle_ns) {
		r->settle_ns = 0;
		core_dirty(core, c->rec);
	}
	if (c->cfg->kind == BH_CTL_BUTTON)
		core_button_timer(core, c);
	if (c->look_ns <= core->now)
		c->look_ns = 0; /* rendering says when to look again */
	core_ctl_arm(core, c);
	core_queue_ctl(core, (uint32_t)(c - core->ctl));
}

/* The hand has let go: when is the motor set? */
static void
fader_let_go(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	bool at_end = r->flags & BH_CTRL_MOVED && (r->position == 0 || r->position == 1);
	r->hand_ns = in_ms(core, core->opt.hand_ms);
	r->settle_ns = at_end ? 0 : in_ms(core, core->opt.settle_ms);
	if (at_end)
		core_queue_ctl(core, (uint32_t)(c - core->ctl));
}

void
core_fader_touched(struct bh_core *core, struct core_ctl *c, bool touched)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (!touched == !(r->flags & BH_CTRL_TOUCHED))
		return;
	core_dirty(core, c->rec);
	if (touched) {
		r->flags |= BH_CTRL_TOUCHED;
		r->settle_ns = 0;
	} else {
		bool held = r->flags & (BH_CTRL_HELD | BH_CTRL_DEAF);
		r->flags &= (uint16_t)~(BH_CTRL_TOUCHED | BH_CTRL_HELD | BH_CTRL_DEAF);
		core_ctl_let_go(core, c);
		fader_let_go(core, c);
		if (held) {
			/* What it is bound to now was not moved by this hand: it owes it nothing but the time to let go. */
			r->hand_ns = 0;
			r->settle_ns = in_ms(core, core->opt.settle_ms);
		}
	}
	core_overlay(core, c);
	core_ctl_arm(core, c);
}

/* Where it stood before this move, as far as we know. False: we do not. */
static bool
fader_stood(const struct core_ctl *c, const struct bh_rec_control *r, double *pos)
{
	bool driven = c->cfg->flags & BH_CTL_HAS_MOTOR && r->flags & BH_CTRL_TOLD && r->told_type == BH_FLOAT &&
		      r->told_ns > r->moved_ns;
	*pos = driven ? r->told.f : r->position;
	return driven || r->flags & BH_CTRL_POSITION;
}

/* Pickup: a hand has the parameter from where its fader stood at the value, meets it or crosses it, until somebody else sets it. */
static bool
fader_has_it(struct bh_core *core, const struct core_ctl *c, double pos)
{
	const struct bh_cfg_binding *b = core_binding(core, c->drive);
	const struct core_param *p = core_binding_param(core, c->drive);
	bool motor = c->cfg->flags & BH_CTL_HAS_MOTOR;
	union bh_val v, there;
	double from;
	if (!(b->flags & BH_BINDF_PICKUP || (core->quiet && motor)) || !core_is_number(p) ||
	    core_newest(core, p, &v, NULL) == BH_NONE)
		return true;
	double at = core_binding_pos(p, b, &v);
	if (fabs(pos - at) < PICKUP_NEAR)
		return true;
	if (!fader_stood(c, core_ctl_rec(core, c), &from))
		return false;
	there = core_binding_value(p, b, from);
	return there.u[0] == v.u[0] || fabs(from - at) < PICKUP_NEAR || (from < at) != (pos < at);
}

static void
fader_take(struct bh_core *core, struct core_ctl *c, double pos, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	pos = pos < SNAP ? 0 : pos > 1 - SNAP ? 1 : pos;
	bool has_it = c->drive != NONE && fader_has_it(core, c, pos);
	r->position = pos;
	r->flags |= BH_CTRL_POSITION | BH_CTRL_MOVED;
	r->moved_ns = core->now;
	core_dirty(core, c->rec);
	if (!(r->flags & BH_CTRL_TOUCHED))
		fader_let_go(core, c);
	core_overlay(core, c);
	core_ctl_arm(core, c);
	if (!has_it)
		return;
	const struct core_kind *k = &core_kinds[core_binding(core, c->drive)->kind];
	if (k->on_value)
		k->on_value(core, c, c->drive, r->position, stamp_ns);
}

void
core_fader_sent(struct bh_core *core, struct core_ctl *c, double pos, uint64_t stamp_ns)
{
	fader_take(core, c, pos, stamp_ns);
}

void
core_fader_moved(struct bh_core *core, struct core_ctl *c, double pos, uint64_t stamp_ns)
{
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	bool motor = c->cfg->flags & BH_CTL_HAS_MOTOR && !(r->flags & BH_CTRL_TOUCHED) && r->told_ns &&
		     core->now - r->told_ns < core->opt.motor_ms * 1000000ull && !(r->flags & BH_CTRL_MOVED);
	if (!motor)
		fader_take(core, c, pos, stamp_ns);
}

/* Where it shall stand. False: nothing says so. */
static bool
fader_wanted(struct bh_core *core, struct core_ctl *c, double *pos)
{
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	struct core_param *p = core_main(c) == NONE ? NULL : core_binding_param(core, core_main(c));
	const struct bh_cfg_binding *b = core_main(c) == NONE ? NULL : core_binding(core, core_main(c));
	union bh_val v;
	if (!p || p->type == BH_TEXT || p->type == BH_TRIGGER || b->kind != BH_BIND_VALUE)
		return false;
	const struct bh_rec_param *pr = core_param_rec(core, p);
	if (core->now < r->hand_ns && pr->flags & BH_PAR_WANTED) {
		/* Still the hand's: not what was reported since, but what it was set to. */
		v.u[0] = pr->wanted.u;
	} else if (core_newest(core, p, &v, NULL) == BH_NONE) {
		/* The default, unless the driver may be about to say: a motor that goes there and back is a jump. */
		if (!core_is_up(core, p->slot) || core->now < core_grace_end(core, p->slot))
			return false;
		if (p->type == BH_FLOAT)
			v.f = p->def;
		else
			v.i = core_whole(p->def);
	}
	*pos = core_binding_pos(p, b, &v);
	return true;
}

void
core_fader_render(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	struct core_shown shown = {.kind = BH_EV_VALUE, .type = BH_FLOAT};
	bool moved = r->flags & BH_CTRL_MOVED;
	double pos;
	if (core->quiet || r->flags & BH_CTRL_TOUCHED || r->settle_ns > core->now)
		return;
	if (!moved && core->now < r->hand_ns && r->flags & BH_CTRL_TOLD)
		return; /* the hand's window: its timer comes back here */
	if (!fader_wanted(core, c, &pos)) {
		/* Nothing to show: it stays where it is. Where a hand left it, the motor has to be told so. */
		pos = r->position;
		if (!moved && r->flags & BH_CTRL_TOLD)
			return;
		if (!moved)
			shown.type = BH_NONE;
	}
	if (shown.type == BH_FLOAT) {
		bool end = pos == 0 || pos == 1;
		bool told = r->flags & BH_CTRL_TOLD && r->told_type == BH_FLOAT;
		if (!moved && told && bh_taper_same(pos, r->told.f) && !(end && pos != r->told.f))
			return;
		shown.v.f = pos;
	}
	r->flags &= (uint16_t)~BH_CTRL_MOVED;
	r->told_ns = core->now;
	core_show(core, c, &shown, moved);
}
