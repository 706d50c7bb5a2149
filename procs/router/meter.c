/*
 * meter.c - levels, and who looks at them
 *
 * A level is nobody's state: it goes to the meters that show it, and is forgotten. Only while something else looks (a strip, a
 * display, a condition, a reaction, a tool) it is kept in the record, for these to be shown by.
 *
 * A backend sends many levels, many times a second, so its driver is told which of them anybody looks at. That stands in
 * the cell of the parameter towards the driver, as a value of its type: 1 or 0; so it outlives both, and turning a page back and
 * forth within one transaction tells nothing.
 */
#include "procs/router/core_int.h"

static bool
is_leased(struct bh_core *core, const struct core_param *p)
{
	return core_param_rec(core, p)->echo_ns > core->now;
}

static bool
is_watched(struct bh_core *core, const struct core_param *p)
{
	for (uint32_t t = p->target; t != NONE; t = core->target[t].same) {
		core->steps++;
		if (core->target[t].first != NONE || core->target[t].react != NONE)
			return true;
	}
	return is_leased(core, p);
}

void
core_queue_watch(struct bh_core *core, uint32_t param)
{
	if (param != NONE && core->param[param].present && core->param[param].access & BH_ACCESS_METER)
		core_queue_tell(core, param);
}

void
core_watch_again(struct bh_core *core, struct core_param *p)
{
	p->unsure = true;
	core_queue_tell(core, (uint32_t)(p - core->param));
}

void
core_tell_watch(struct bh_core *core, struct core_param *p)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	bool watched = is_watched(core, p), told = r->flags & BH_PAR_WATCHED;
	bool unsure = p->unsure && (watched || r->wanted_gen);
	p->unsure = false;
	if (p->type == BH_TEXT || (watched == told && !unsure))
		return;
	r->wanted_gen += r->wanted_gen + 1 ? 1 : 2; /* never 0 */
	r->wanted.u = core_number(p, watched).u[0];
	r->flags = (uint16_t)(watched ? r->flags | BH_PAR_WATCHED : r->flags & ~(BH_PAR_WATCHED | BH_PAR_KNOWN));
	core_dirty(core, p->rec);
	core->tx->levels++;
	core_param_out(core, p, core->now);
}

void
core_watch_lease(struct bh_core *core, struct core_param *p, uint64_t until_ns)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	if (p->type == BH_TEXT || until_ns <= r->echo_ns)
		return;
	r->echo_ns = until_ns;
	core_dirty(core, p->rec);
	core->tx->levels++;
	core_param_arm(core, p);
	core_queue_watch(core, (uint32_t)(p - core->param));
}

void
core_watch_timer(struct bh_core *core, struct core_param *p)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	if (r->echo_ns && r->echo_ns <= core->now) {
		r->echo_ns = 0;
		core_dirty(core, p->rec);
		core->tx->levels++;
		core_queue_watch(core, (uint32_t)(p - core->param));
	}
	core_param_arm(core, p);
}

static void
keep_level(struct bh_core *core, struct core_param *p, const union bh_val *v)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	if (r->flags & BH_PAR_KNOWN && r->reported.u == v->u[0])
		return;
	r->reported.u = v->u[0];
	r->flags |= BH_PAR_KNOWN;
	r->reported_ns = core->now;
	core_dirty(core, p->rec);
	core->tx->levels++;
	core_param_changed(core, p);
}

void
core_meter(struct bh_core *core, struct core_param *p, const union bh_val *v, uint64_t stamp_ns)
{
	bool keep = is_leased(core, p);
	if (p->type != BH_FLOAT && p->type != BH_INT)
		return;
	for (uint32_t t = p->target; t != NONE; t = core->target[t].same) {
		keep |= core->target[t].react != NONE;
		for (uint32_t n = core->target[t].first; n != NONE; n = core->link[n]) {
			bool of_condition;
			uint32_t bn = core_link_binding(n, &of_condition), ctl = core->binding_ctl[bn];
			core->steps++;
			if (!of_condition && core->ctl[ctl].cfg->kind == BH_CTL_METER) {
				core_show_level(core, p, bn, v, stamp_ns);
				continue;
			}
			keep = true;
			core_queue_ctl(core, ctl);
		}
	}
	if (keep && p->access & BH_ACCESS_METER)
		keep_level(core, p, v);
}
