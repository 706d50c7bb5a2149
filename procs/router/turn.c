/*
 * turn.c - V-Pots and jog wheels: how far a turn goes
 *
 *   acceleration  speed is that of the hand, smoothed (weight SMOOTH of the newest), begun anew
 * after a pause of IDLE_NS: the first click after a pause is exactly one step. Times clamp(1 + 3.9
 * (v / 9)^1.4, 1, 15); a turn back begins with half of it. A message of several clicks counts them
 * all fine          times `fine`, while room/layer/fine is on remainder     a parameter of whole
 * steps is moved by whole steps; the rest waits in the record for the next click
 */
#include "procs/router/core_int.h"

#include <math.h>
#include <stdlib.h>

#define IDLE_NS 700000000ull
#define SHORTEST_NS                                                                                \
	4000000ull /* between two messages; less is the link's bunching, not the hand's speed */
#define SMOOTH 0.75

static double
clamp(double x, double lo, double hi)
{
	return x > lo ? x < hi ? x : hi : lo;
}

/* Takes the turn into the record. Returns by how much it is multiplied. */
static double
accelerate(struct bh_core *core, struct core_ctl *c, int32_t ticks, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	uint64_t since = stamp_ns > r->turned_ns ? stamp_ns - r->turned_ns : 0;
	bool idle = !r->turned_ns || since > IDLE_NS, left = ticks < 0;
	bool flip = !idle && r->speed != 0 && (r->speed < 0) != left;
	double was = fabs(r->speed);
	double v = idle ? 0
			: fabs((double)ticks) * 1e9 /
				   (double)(since > SHORTEST_NS ? since : SHORTEST_NS);
	if (was > 0 && !idle)
		v = SMOOTH * v + (1 - SMOOTH) * was;
	r->speed = left ? -v : v;
	r->turned_ns = stamp_ns > r->turned_ns ? stamp_ns : r->turned_ns;
	core_dirty(core, c->rec);
	double by = clamp(1 + 3.9 * pow(v / 9, 1.4), 1, 15);
	return flip ? clamp(by / 2, 1, 15) : by;
}

double
core_turn_steps(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b,
		int32_t ticks, uint64_t stamp_ns)
{
	double steps = b->flags & BH_BINDF_INVERT ? -(double)ticks : (double)ticks;
	if (b->flags & BH_BINDF_ACCEL)
		steps *= accelerate(core, c, ticks, stamp_ns);
	if (core->fine)
		steps *= b->fine > 0 ? b->fine : 0.1;
	return steps;
}

double
core_turn_whole(struct bh_core *core, struct core_ctl *c, const struct core_param *p,
		const struct bh_taper_range *range, double x, double by, double unit)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (!(unit > 0))
		return x + by;
	double all = r->rest_hash == p->hash ? r->rest + by : by;
	double whole = trunc(all / unit + copysign(1e-9, all)) * unit;
	bool stopped = range->max > range->min &&
		       (by > 0 ? x + whole >= range->max : x + whole <= range->min);
	r->rest = stopped ? 0 : all - whole;
	r->rest_hash = p->hash;
	core_dirty(core, c->rec);
	return x + whole;
}
