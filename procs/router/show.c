/*
 * show.c - what a control shows: a pure function of its bindings, the parameters behind them and the health of their drivers
 *
 * By the kind of control, so that whatever stands in the tables a light gets a light and a strip a text.
 */
#include "procs/router/core_int.h"

#include <stdio.h>
#include <string.h>

static const char *
text_or(const char *a, const char *b)
{
	return a && *a ? a : b;
}

/* ------------------------------------------------------------------ lights and rings */

static bool
is_switched_on(const struct core_param *p, const struct bh_cfg_binding *b, const union bh_val *v)
{
	bool on = p->type == BH_FLOAT ? v->f > p->range.min : v->i != 0;
	return on != !!(b->flags & BH_BINDF_INVERT);
}

/* Lit while its parameter is on; the button of the page that is shown. */
static enum bh_light
main_light(struct bh_core *core, uint32_t bn)
{
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_param *p = core_binding_param(core, bn);
	union bh_val v;
	if (b->kind == BH_BIND_ACTION) {
		bool here = b->driver == BH_DRIVER_PAGE && b->action == BH_PAGE_GO &&
			    core->binding_target[bn] == core_ctl_page(core, &core->ctl[core->binding_ctl[bn]]);
		return here ? BH_LIGHT_ON : BH_LIGHT_OFF;
	}
	if (core_is_switch(b))
		return core_switch_is_on(core, bn) ? BH_LIGHT_ON : BH_LIGHT_OFF;
	bool known = core_is_number(p) && core_newest(core, p, &v, NULL) != BH_NONE;
	if (!known || p->type == BH_TRIGGER || !is_switched_on(p, b, &v))
		return BH_LIGHT_OFF;
	return b->kind == BH_BIND_LIGHT && b->flags & BH_BINDF_FLASH ? BH_LIGHT_FLASH : BH_LIGHT_ON;
}

static void
light_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	out->type = BH_INT;
	out->v.i = main_light(core, core_main(c));
}

static void
ring_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	struct core_param *p = core_binding_param(core, core_main(c));
	union bh_val v;
	struct bh_ring_state ring = {.mode = (enum bh_ring_mode)(b->ring & 3)};
	if (core_is_number(p) && core_newest(core, p, &v, NULL) != BH_NONE) {
		ring.lit = true;
		ring.pos = core_binding_pos(p, b, &v);
	}
	out->type = BH_INT;
	out->v.i = bh_feedback_ring(&ring);
}

/* ------------------------------------------------------------------ texts */

static void
strip_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	struct core_param *p = core_binding_param(core, core_main(c));
	char item[BH_TEXT_MAX + 1], lower[BH_TEXT_MAX + 1] = "";
	const char *text = core_bank_text(core, b, text_or(core_str(core, b->text), core_str(core, b->label)), item, sizeof(item));
	union bh_val v;
	bool stale;
	out->type = BH_TEXT;
	if (b->driver >= BH_MAX_SLOTS) {
		bh_feedback_strip(out->v.s, b->color, text, "");
	} else if (!core_is_up(core, b->driver)) {
		bh_feedback_strip(out->v.s, b->color, text_or(core->peer[b->driver].name, text),
				  core_down_word(core_peer_rec(core, b->driver)->health));
	} else if (!p) {
		bh_feedback_strip(out->v.s, b->color, text_or(text, core_str(core, b->target)), "missing");
	} else {
		if (core_newest(core, p, &v, &stale) != BH_NONE)
			core_text(core, p, &v, stale, lower, sizeof(lower));
		bh_feedback_strip(out->v.s, b->color, text_or(text, text_or(p->label, p->name)), lower);
	}
}

static void
digits_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	struct core_param *p = core_binding_param(core, core_main(c));
	union bh_val v;
	bool stale;
	out->type = BH_TEXT;
	if (b->flags & BH_BINDF_SHOW_PAGE)
		core_cut_text(out->v.s, core_page_name(core, core_ctl_page(core, c)));
	else if (b->driver >= BH_MAX_SLOTS)
		snprintf(out->v.s, sizeof(out->v.s), "%.63s", core_str(core, b->text));
	else if (p && core_newest(core, p, &v, &stale) != BH_NONE)
		core_text(core, p, &v, stale, out->v.s, sizeof(out->v.s));
	else
		memcpy(out->v.s, "--", 3);
}

/* ------------------------------------------------------------------ all of them */

void
core_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	if (core_main(c) == NONE)
		return;
	switch ((enum bh_control_kind)c->cfg->kind) {
	case BH_CTL_BUTTON:
	case BH_CTL_LED: light_picture(core, c, out); break;
	case BH_CTL_VPOT: ring_picture(core, c, out); break;
	case BH_CTL_STRIP: strip_picture(core, c, out); break;
	case BH_CTL_DIGITS: digits_picture(core, c, out); break;
	case BH_CTL_METER: /* only that there is no level now; levels pass by: core_meter() */
		out->type = BH_FLOAT;
		out->v.f = 0;
		break;
	case BH_CTL_FADER:
	case BH_CTL_JOG:
	case BH_CTL_PEDAL:
	case BH_CTL_KIND_COUNT: break;
	}
}
