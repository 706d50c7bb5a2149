/*
 * feedback.c - what the surfaces show: a function of page, bindings, parameters and health, sent by difference
 *
 * What a control was told last is state. Meters are the exception: their level is nobody's state, it is passed on as it
 * comes, and only that there is none any more is rendered.
 */
#include "procs/router/core_int.h"

#include <math.h>
#include <string.h>

void
core_queue_ctl(struct bh_core *core, uint32_t ctl)
{
	if (core->ctl[ctl].queued)
		return;
	core->ctl[ctl].queued = true;
	core->queue[(core->queue_head + core->queue_len++) % core->ctls] = ctl;
}

static bool
is_text(const struct core_ctl *c)
{
	return c->cfg->kind == BH_CTL_STRIP || c->cfg->kind == BH_CTL_DIGITS;
}

/* After what was told last, and after the levels that passed without being told. Never 0. */
static uint32_t
next_gen(const struct bh_rec_control *r, const struct core_ctl *c)
{
	uint32_t last = (int32_t)(c->meter_gen - r->told_gen) > 0 ? c->meter_gen : r->told_gen;
	return last + 1 ? last + 1 : 1;
}

void
core_show(struct bh_core *core, struct core_ctl *c, const struct core_shown *shown, bool force)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	bool same = r->flags & BH_CTRL_TOLD && r->told_type == shown->type;
	if (same && is_text(c))
		same = strncmp(r->text, shown->v.s, sizeof(r->text)) == 0;
	else if (same)
		same = r->told.u == shown->v.u[0];
	if (same && !force)
		return;
	r->flags |= BH_CTRL_TOLD;
	r->told_type = shown->type;
	r->told_gen = next_gen(r, c);
	c->meter_gen = r->told_gen;
	if (is_text(c))
		memcpy(r->text, shown->v.s, sizeof(r->text));
	else
		r->told.u = shown->v.u[0];
	core_dirty(core, c->rec);
	struct bh_event ev = {
		.kind = shown->kind, .type = shown->type, .id = c->index, .gen = r->told_gen, .stamp_ns = core->now};
	if (c->cfg->kind == BH_CTL_FADER)
		ev.total = r->seen_gen; /* what the hand did later is not in this: see common/feedback.h */
	core_out_value(core, c->slot, &ev, &shown->v);
}

/* A meter that still shows the levels of a parameter that still sends them. Before the first level after a restart: whoever is up. */
static bool
meter_goes_on(struct bh_core *core, const struct core_ctl *c)
{
	struct core_param *p = core_main(c) == NONE ? NULL : core_binding_param(core, core_main(c));
	bool same = p && (c->meter_param == NONE || c->meter_param == (uint32_t)(p - core->param));
	return c->meter_live && same && core_is_up(core, p->slot) && core_ctl_rec(core, c)->flags & BH_CTRL_TOLD;
}

void
core_render(struct bh_core *core, struct core_ctl *c)
{
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	struct core_shown shown = {.kind = BH_EV_VALUE, .type = BH_NONE};
	bool meter = c->cfg->kind == BH_CTL_METER;
	uint64_t looked_ns = c->look_ns;
	switch ((enum bh_control_kind)c->cfg->kind) {
	case BH_CTL_FADER: core_fader_render(core, c); return;
	case BH_CTL_JOG:
	case BH_CTL_PEDAL:
	case BH_CTL_KIND_COUNT: return; /* nothing to show with */
	case BH_CTL_VPOT:
	case BH_CTL_BUTTON:
	case BH_CTL_STRIP:
	case BH_CTL_METER:
	case BH_CTL_DIGITS:
	case BH_CTL_LED: break;
	}
	if (meter)
		shown.kind = BH_EV_METER;
	if (meter && meter_goes_on(core, c))
		return;
	core_picture(core, c, &shown);
	if (c->look_ns != looked_ns)
		core_ctl_arm(core, c);
	if (r->flags & BH_CTRL_REFUSED && core->now < r->flash_ns) {
		shown.type = BH_INT;
		shown.v.i = BH_LIGHT_FLASH;
	}
	bool light = c->cfg->kind == BH_CTL_BUTTON || c->cfg->kind == BH_CTL_LED;
	if (light && core->quiet && shown.type == BH_INT && shown.v.i == BH_LIGHT_FLASH)
		shown.v.i = BH_LIGHT_ON;
	core_show(core, c, &shown, meter && c->meter_live);
	c->meter_live = false;
}

/*
 * A level, from its driver to the meters on this page that show it. It needs no durability: the next one is a few milliseconds
 * away. So nothing is written down, and a transaction of meters alone is not committed but sent.
 */
void
core_show_level(struct bh_core *core, const struct core_param *p, uint32_t bn, const union bh_val *v, uint64_t stamp_ns)
{
	struct core_ctl *c = &core->ctl[core->binding_ctl[bn]];
	const struct bh_rec_control *r = core_ctl_rec(core, c);
	const struct bh_cfg_binding *b = core_binding(core, bn);
	if (c->cfg->kind != BH_CTL_METER || c->queued || !core_has_room(core, 0, 1))
		return;
	double level = p->type == BH_FLOAT ? v->f : (double)v->i;
	struct bh_taper_range range = core_binding_range(p, b);
	struct core_shown shown = {.type = BH_FLOAT, .v.f = core_binding_pos(p, b, v)};
	if (level > range.max)
		shown.v.f = level - range.max < 1 ? 1 + (level - range.max) : 2; /* above 1 = overload */
	if (!(r->flags & BH_CTRL_TOLD))
		return; /* nobody can take it yet */
	c->meter_gen = next_gen(r, c);
	struct bh_event ev = {
		.kind = BH_EV_METER, .type = BH_FLOAT, .id = c->index, .gen = c->meter_gen, .stamp_ns = stamp_ns};
	core_out_value(core, c->slot, &ev, &shown.v);
	c->meter_live = shown.v.f != 0;
	c->meter_param = (uint32_t)(p - core->param);
}
