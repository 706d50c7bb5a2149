/*
 * show.c - what a control shows: a function of its bindings, the parameters behind them, the health of their drivers, and the time
 *
 * By the kind of control, so that whatever stands in the tables a light gets a light and a strip a text.
 *
 *   a light        LIGHT rows: the first whose condition holds, else dark. None, or one that says only when it is off: by what
 *                  the button itself does
 *   a ring         the parameter, in the mode that fits it; LIGHT rows darken it, let it flash, give it another mode
 *   a strip        upper line: text, label or name; lower line: value, and while a hand is at a control of the strip what it
 *                  is changed to; who is not there, and since when
 *   digits         page, time, timecode, value or text, each still or moving
 *
 * What changes by itself (time, flash, text that wanders) says when: c->look_ns. All that moves is in step with the clock of the
 * core, so two rings flash together. In quiet mode nothing moves.
 */
#include "procs/router/core_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define RING_FLASH_MS 300u
#define MARK_NEAR 0.004 /* of the scale: so near is "at the default" */
#define DAY_S 86400

static const char *
text_or(const char *a, const char *b)
{
	return a && *a ? a : b;
}

/* The picture is another one at this moment. */
static void
look_at(struct core_ctl *c, uint64_t when)
{
	if (!c->look_ns || when < c->look_ns)
		c->look_ns = when;
}

/* The number of the period in which we are, since `from`; the next one begins at c->look_ns. */
static uint64_t
beat(struct bh_core *core, struct core_ctl *c, uint64_t from, uint32_t ms)
{
	uint64_t period = ms * NS_PER_MS, n = (core->now - from) / period;
	look_at(c, from + (n + 1) * period);
	return n;
}

static unsigned
width_of(const struct core_ctl *c)
{
	return c->cfg->width ? c->cfg->width : c->cfg->kind == BH_CTL_DIGITS ? 10 : 7;
}

/* ------------------------------------------------------------------ lights */

/* The LIGHT row that holds, or NONE. */
static uint32_t
light_row(struct bh_core *core, const struct core_ctl *c)
{
	for (uint32_t k = 0; c->part[BH_PART_LIGHT] != NONE && k < c->lights; k++) {
		uint32_t bn = c->part[BH_PART_LIGHT] + k;
		core->steps++;
		if (core_holds(core, &core_binding(core, bn)->when, core_when_param(core, bn)))
			return bn;
	}
	return NONE;
}

static bool
is_switched_on(const struct core_param *p, const struct bh_cfg_binding *b, const union bh_val *v)
{
	bool on = p->type == BH_FLOAT ? v->f > p->range.min : p->type == BH_TEXT ? v->s[0] : v->i != 0;
	return on != !!(b->flags & BH_BINDF_INVERT);
}

/* Lit while its parameter is on, or what a press makes it; the button of the page that is shown. */
static enum bh_light
main_light(struct bh_core *core, uint32_t bn)
{
	if (bn == NONE)
		return BH_LIGHT_OFF;
	const struct bh_cfg_binding *b = core_binding(core, bn);
	struct core_param *p = core_binding_param(core, bn);
	union bh_val v;
	if (b->kind == BH_BIND_ACTION || b->kind == BH_BIND_DO) {
		bool here = b->driver == BH_DRIVER_PAGE && b->action == BH_PAGE_GO &&
			    core->binding_target[bn] == core_ctl_page(core, &core->ctl[core->binding_ctl[bn]]);
		return here ? BH_LIGHT_ON : BH_LIGHT_OFF;
	}
	if (core_is_switch(b))
		return core_switch_is_on(core, bn) ? BH_LIGHT_ON : BH_LIGHT_OFF;
	bool known = p && p->type != BH_TRIGGER && core_newest(core, p, &v, NULL) != BH_NONE;
	if (!known || !is_switched_on(p, b, &v))
		return BH_LIGHT_OFF;
	return b->kind == BH_BIND_LIGHT && b->flags & BH_BINDF_FLASH ? BH_LIGHT_FLASH : BH_LIGHT_ON;
}

/* Nothing holds: dark, unless the rows say no more than when it is off. */
static enum bh_light
else_light(struct bh_core *core, const struct core_ctl *c)
{
	const struct bh_cfg_binding *last = core_binding(core, c->part[BH_PART_LIGHT] + c->lights - 1);
	return last->light_on == BH_LIGHT_OFF ? main_light(core, core_main(c)) : (enum bh_light)last->light_off;
}

static void
light_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	uint32_t row = light_row(core, c);
	out->type = BH_INT;
	if (row != NONE)
		out->v.i = core_binding(core, row)->light_on;
	else
		out->v.i = c->lights ? else_light(core, c) : main_light(core, core_main(c));
}

/* ------------------------------------------------------------------ rings */

static bool
is_named(const struct core_param *p, const char *word)
{
	const char *last = strrchr(p->name, '/');
	return strcmp(last ? last + 1 : p->name, word) == 0;
}

/* A width grows to both sides, what has a middle goes from there, a level rises, a choice is a dot. */
static enum bh_ring_mode
fitting_ring(const struct core_param *p, const struct bh_cfg_binding *b)
{
	struct bh_taper_range r = core_binding_range(p, b);
	if (p->type == BH_BOOL || p->type == BH_ENUM)
		return BH_RING_DOT;
	if (strcmp(p->unit, "Q") == 0 || is_named(p, "q") || is_named(p, "width") || is_named(p, "bandwidth") ||
	    is_named(p, "spread"))
		return BH_RING_SPREAD;
	return r.max > 0 && r.min == -r.max ? BH_RING_PAN : BH_RING_WRAP;
}

/* At the middle, or at a default that is not the end of the scale. */
static bool
is_at_mark(const struct core_param *p, const struct bh_cfg_binding *b, const struct bh_ring_state *ring)
{
	union bh_val def = {.u = {0}};
	if (p->type != BH_FLOAT && p->type != BH_INT)
		return false;
	if (p->type == BH_FLOAT)
		def.f = p->def;
	else
		def.i = core_whole(p->def);
	double mark = ring->mode == BH_RING_PAN ? 0.5 : core_binding_pos(p, b, &def);
	return mark > MARK_NEAR && mark < 1 - MARK_NEAR && fabs(ring->pos - mark) < MARK_NEAR;
}

/* Nothing holds: the value, but where the rows say no more than when it is lit. */
static bool
else_dark(struct bh_core *core, const struct core_ctl *c)
{
	const struct bh_cfg_binding *last = c->lights ? core_binding(core, c->part[BH_PART_LIGHT] + c->lights - 1) : NULL;
	return last && last->light_on == BH_LIGHT_ON && !(last->flags & BH_BINDF_HAS_RING);
}

static void
ring_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	uint32_t bn = core_main(c), row = light_row(core, c);
	const struct bh_cfg_binding *b = bn == NONE ? NULL : core_binding(core, bn);
	const struct bh_cfg_binding *light = row == NONE ? NULL : core_binding(core, row);
	struct core_param *p = b ? core_binding_param(core, bn) : NULL;
	struct bh_ring_state ring = {0};
	union bh_val v;
	if (core_is_number(p) && core_newest(core, p, &v, NULL) != BH_NONE) {
		ring.lit = true;
		ring.pos = core_binding_pos(p, b, &v);
		ring.mode = b->flags & BH_BINDF_HAS_RING ? (enum bh_ring_mode)(b->ring & 3) : fitting_ring(p, b);
		ring.mark = is_at_mark(p, b, &ring);
	}
	if (light && light->flags & BH_BINDF_HAS_RING)
		ring.mode = (enum bh_ring_mode)(light->ring & 3);
	bool dark = light ? light->light_on == BH_LIGHT_OFF : else_dark(core, c);
	if (light && light->light_on == BH_LIGHT_FLASH && !core->quiet)
		dark = beat(core, c, 0, RING_FLASH_MS) & 1;
	if (dark)
		ring.lit = ring.mark = false;
	out->type = BH_INT;
	out->v.i = bh_feedback_ring(&ring);
}

/* ------------------------------------------------------------------ text that moves */

/* Since when this text moves: what moves begins at its beginning. */
static uint64_t
moving_since(struct bh_core *core, const struct core_ctl *c, uint32_t hash)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (r->told_extra != hash || r->effect_ns > core->now) {
		r->told_extra = hash;
		r->effect_ns = core->now;
		core_dirty(core, c->rec);
	}
	return r->effect_ns;
}

/* It stands still. */
static void
moving_stops(struct bh_core *core, const struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (!r->told_extra)
		return;
	r->told_extra = 0;
	core_dirty(core, c->rec);
}

/* ------------------------------------------------------------------ strips */

struct strip_lines {
	unsigned color;
	bool changed;			 /* by a hand: the lower line is `change` */
	char line[2][BH_NAME_MAX + 8]; /* upper, lower */
	char change[BH_NAME_MAX + 8];
};

static void
set_line(struct strip_lines *s, int line, const char *text)
{
	size_t len = strnlen(text, sizeof(s->line[line]) - 1);
	memmove(s->line[line], text, len);
	s->line[line][len] = '\0';
}

static void
set_default(struct strip_lines *s, int line, const char *text)
{
	if (!s->line[line][0] && text)
		set_line(s, line, text);
}

/* The upper line, if it has none yet; in a bank with the item's name. */
static void
bank_line(struct bh_core *core, const struct bh_cfg_binding *b, struct strip_lines *s, const char *text)
{
	char named[sizeof(s->line[0])];
	if (!s->line[0][0])
		set_line(s, 0, core_bank_text(core, b, text, named, sizeof(named)));
}

/* What is written behind a line break is the lower line. */
static void
split_lines(struct strip_lines *s)
{
	char *end = strchr(s->line[0], '\n');
	if (!end)
		return;
	*end = '\0';
	set_line(s, 1, end + 1);
}

/* The control whose value the lower line shows for now, or NULL. */
static struct core_ctl *
overlay_of(struct bh_core *core, const struct core_ctl *strip)
{
	const struct bh_rec_control *r = core_ctl_rec(core, strip);
	uint32_t base = core->peer[strip->slot].base;
	struct core_ctl *c = r->overlay_ctl > base ? core_find_ctl(core, strip->slot, r->overlay_ctl - base) : NULL;
	if (r->overlay_ctl == base)
		c = core_find_ctl(core, strip->slot, 0);
	if (!c || c->strip != (uint32_t)(strip - core->ctl) || !core->opt.overlay_ms)
		return NULL;
	bool touched = core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED;
	return touched || core->now < r->overlay_ns ? c : NULL;
}

bool
core_overlay_shows(struct bh_core *core, const struct core_ctl *strip, const struct core_ctl *c)
{
	return overlay_of(core, strip) == c;
}

static bool
overlay_line(struct bh_core *core, struct core_ctl *strip, struct strip_lines *s)
{
	struct core_ctl *c = overlay_of(core, strip);
	bool held = c && c->cfg->kind == BH_CTL_FADER && c->drive != core_main(c); /* over a page switch: the strip is another's */
	uint32_t bn = !c || held ? NONE : core_main(c);
	struct core_param *p = bn == NONE ? NULL : core_binding_param(core, bn);
	struct core_fit fit = {.width = width_of(strip)};
	union bh_val v;
	if (!p || core_newest(core, p, &v, NULL) == BH_NONE)
		return false;
	core_change_text(core, p, &v, &fit, s->change, sizeof(s->change));
	if (!(core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED))
		look_at(strip, core_ctl_rec(core, strip)->overlay_ns);
	return true;
}

/* Whose strip it is: its own driver's, or that of its fader or V-Pot. */
static uint16_t
strip_driver(struct bh_core *core, const struct core_ctl *strip, const struct bh_cfg_binding *b)
{
	if (b->driver < BH_MAX_SLOTS)
		return b->driver;
	uint32_t main = strip->fader == NONE ? NONE : core_main(&core->ctl[strip->fader]);
	return main == NONE ? BH_SLOT_NONE : core_binding(core, main)->driver;
}

static bool
is_gone(struct bh_core *core, uint16_t driver)
{
	return driver < BH_MAX_SLOTS && core->peer[driver].role == BH_ROLE_DRIVER && !core_is_up(core, driver);
}

static void
down_lines(struct bh_core *core, struct core_ctl *strip, uint16_t driver, struct strip_lines *s)
{
	const struct bh_rec_peer *r = core_peer_rec(core, driver);
	uint64_t since = r->health_ns && r->health_ns < core->now ? r->health_ns : core->now;
	if (core->peer[driver].name)
		set_line(s, 0, core->peer[driver].name);
	look_at(strip, since + core_down_text(r->health, core->now - since, s->line[1], sizeof(s->line[1])));
}

static void
value_lines(struct bh_core *core, const struct core_ctl *strip, const struct bh_cfg_binding *b, struct core_param *p,
	    struct strip_lines *s)
{
	struct core_fit fit = {.width = width_of(strip), .whole = b->flags & BH_BINDF_SCROLL};
	const char *name = text_or(p->label, p->name);
	union bh_val v;
	if (b->flags & BH_BINDF_NAME_LOWER) {
		set_default(s, 0, core->peer[p->slot].name);
		set_line(s, 1, name);
		return;
	}
	set_default(s, 0, name);
	if (s->changed || b->flags & BH_BINDF_TEXT_LOWER)
		return;
	if (core_newest(core, p, &v, &fit.stale) != BH_NONE)
		core_text(core, p, &v, &fit, s->line[1], sizeof(s->line[1]));
}

static void
bound_lines(struct bh_core *core, struct core_ctl *c, struct strip_lines *s)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	struct core_param *p = core_binding_param(core, core_main(c));
	uint16_t driver = strip_driver(core, c, b);
	uint32_t row = light_row(core, c);
	s->color = b->color;
	if (row != NONE && core_binding(core, row)->color)
		s->color = core_binding(core, row)->color;
	bank_line(core, b, s, text_or(core_str(core, b->text), core_str(core, b->label)));
	split_lines(s);
	if (is_gone(core, driver)) {
		down_lines(core, c, driver, s);
	} else if (b->bank && !core_bank_item(core, b)) {
		s->line[0][0] = s->line[1][0] = '\0'; /* a blank place */
		s->color = 0;
	} else if (b->driver >= BH_MAX_SLOTS) {
		return;
	} else if (!p) {
		bank_line(core, b, s, core_str(core, b->target));
		set_line(s, 1, "missing");
	} else {
		value_lines(core, c, b, p, s);
	}
}

/* Lines that are too long wander if the binding says so, else they are abbreviated. */
static void
fit_lines(struct bh_core *core, struct core_ctl *c, bool scrolls, struct strip_lines *s)
{
	unsigned width = width_of(c);
	bool wanders = false;
	for (int k = 0; k < 2; k++)
		wanders |= scrolls && core_text_length(s->line[k], false) > width;
	uint64_t since = 0;
	if (wanders)
		since = moving_since(core, c, bh_name_hash(s->line[0]) * 31 + bh_name_hash(s->line[1]) + 1);
	else
		moving_stops(core, c);
	for (int k = 0; k < 2; k++) {
		char cut[sizeof(s->line[0])];
		uint64_t next = 0;
		if (wanders)
			next = core_wander(s->line[k], width, core->now - since, cut, sizeof(cut));
		else
			core_fit_text(s->line[k], width, false, cut, sizeof(cut));
		if (next)
			look_at(c, core->now + next);
		set_line(s, k, cut);
	}
}

static void
strip_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	struct strip_lines s;
	s.line[0][0] = s.line[1][0] = '\0';
	s.changed = !(b->flags & BH_BINDF_NO_OVERLAY) && overlay_line(core, c, &s);
	bound_lines(core, c, &s);
	if (s.changed)
		set_line(&s, 1, s.change);
	fit_lines(core, c, b->flags & BH_BINDF_SCROLL && !core->quiet, &s);
	out->type = BH_TEXT;
	bh_feedback_strip(out->v.s, s.color, s.line[0], s.line[1]);
}

void
core_overlay(struct bh_core *core, struct core_ctl *c)
{
	if (c->strip == NONE || !core->opt.overlay_ms)
		return;
	struct core_ctl *strip = &core->ctl[c->strip];
	struct bh_rec_control *r = core_ctl_rec(core, strip);
	bool touched = core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED;
	core_queue_ctl(core, c->strip);
	if (touched && r->overlay_ctl == c->rec)
		return; /* it stays until the release, however often it moves */
	r->overlay_ctl = c->rec;
	r->overlay_ns = core->now + core->opt.overlay_ms * NS_PER_MS;
	core_dirty(core, strip->rec);
}

void
core_overlay_ends(struct bh_core *core, struct core_ctl *c)
{
	if (c->strip == NONE)
		return;
	struct bh_rec_control *r = core_ctl_rec(core, &core->ctl[c->strip]);
	core_queue_ctl(core, c->strip); /* it may speak for the driver behind this one */
	if (r->overlay_ctl != c->rec || core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED)
		return;
	r->overlay_ctl = 0;
	r->overlay_ns = 0;
	core_dirty(core, core->ctl[c->strip].rec);
}

void
core_plan_strips(struct bh_core *core)
{
	for (uint32_t k = 0; k < core->ctls; k++)
		core->ctl[k].strip = core->ctl[k].fader = NONE;
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *strip = &core->ctl[k];
		if (strip->cfg->kind != BH_CTL_STRIP || strip->cfg->strip == 0xff)
			continue;
		for (uint32_t n = 0; n < core->ctls; n++) {
			struct core_ctl *c = &core->ctl[n];
			bool hand = c->cfg->kind == BH_CTL_FADER || c->cfg->kind == BH_CTL_VPOT;
			if (!hand || c->slot != strip->slot || c->cfg->strip != strip->cfg->strip || c->strip != NONE)
				continue;
			c->strip = k;
			if (strip->fader == NONE || c->cfg->kind == BH_CTL_FADER)
				strip->fader = n;
		}
	}
}

/* ------------------------------------------------------------------ digits */

static void
clock_text(struct bh_core *core, struct core_ctl *c, char *out, size_t cap)
{
	int64_t local = (int64_t)core->now + core->clock_ns, s = local / (int64_t)NS_PER_S, rest = local % (int64_t)NS_PER_S;
	if (rest < 0) {
		rest += (int64_t)NS_PER_S;
		s--;
	}
	int64_t day = s % DAY_S < 0 ? s % DAY_S + DAY_S : s % DAY_S;
	look_at(c, core->now + NS_PER_S - (uint64_t)rest);
	unsigned width = width_of(c), h = (unsigned)(day / 3600), m = (unsigned)(day / 60 % 60);
	if (width >= 6)
		snprintf(out, cap, "%02u:%02u:%02u", h, m, (unsigned)(day % 60));
	else
		snprintf(out, cap, width >= 4 ? "%02u:%02u" : "%02u", h, m);
}

static void
param_digits(struct bh_core *core, const struct core_ctl *c, const struct bh_cfg_binding *b, struct core_param *p, char *out,
	     size_t cap)
{
	struct core_fit fit = {.width = width_of(c), .dots = true, .whole = b->effect == BH_FX_MARQUEE && !core->quiet};
	union bh_val v;
	if (!p || core_newest(core, p, &v, &fit.stale) == BH_NONE)
		snprintf(out, cap, "--");
	else if (b->flags & BH_BINDF_TIMECODE && core_is_number(p))
		core_timecode(p->type == BH_FLOAT ? v.f : (double)v.i,
			      p->range.step > 0.001 && p->range.step <= 0.5 ? (unsigned)core_whole(1 / p->range.step) : 25, out,
			      cap);
	else
		core_text(core, p, &v, &fit, out, cap);
}

/* As much of the row as the value is of its scale; without one it fills up again and again. */
static void
progress_text(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b, struct core_param *p, uint64_t since,
	      uint32_t pace, char *out)
{
	unsigned width = width_of(c), full = 0;
	union bh_val v;
	if (core_is_number(p) && core_newest(core, p, &v, NULL) != BH_NONE)
		full = (unsigned)core_whole(core_binding_pos(p, b, &v) * width);
	else if (!p && b->driver >= BH_MAX_SLOTS && !core->quiet)
		full = (unsigned)(beat(core, c, since, pace) % (width + 1));
	for (unsigned k = 0; k < width; k++)
		out[k] = k < full ? '=' : '-';
	out[width] = '\0';
}

static void
spinner_text(const char *text, unsigned width, uint64_t n, char *out, size_t cap)
{
	static const char turn[] = {'_', '-', '=', '-'};
	char cut[BH_NAME_MAX];
	core_fit_text(text, width > 1 ? width - 1 : 0, true, cut, sizeof(cut));
	snprintf(out, cap, "%s%c", width > 1 ? cut : "", turn[n % sizeof(turn)]);
}

/* Every digit with a dot, and without. */
static void
pulse_text(const char *text, unsigned width, uint64_t n, char *out, size_t cap)
{
	char cut[BH_NAME_MAX];
	size_t len = 0;
	core_fit_text(text, width, true, cut, sizeof(cut));
	for (const char *s = cut; *s && len + 2 < cap; s++) {
		if (*s == '.' || *s == ',' || *s == ':')
			continue;
		out[len++] = *s;
		if (n & 1 && ((uint8_t)s[1] & 0xc0) != 0x80)
			out[len++] = '.';
	}
	out[len] = '\0';
}

/* The paces that read well, in ms. */
static const uint32_t effect_ms[BH_FX_COUNT] = {
	[BH_FX_BLINK] = 500, [BH_FX_MARQUEE] = 300, [BH_FX_SPINNER] = 200, [BH_FX_PULSE] = 500, [BH_FX_PROGRESS] = 300};
#define PACE_MIN_MS 20u

static void
move_digits(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b, const char *text, char *out, size_t cap)
{
	struct core_param *p = core_binding_param(core, core_main(c));
	enum bh_effect effect = b->effect < BH_FX_COUNT ? (enum bh_effect)b->effect : BH_FX_STATIC;
	unsigned width = width_of(c);
	uint32_t pace = b->ms ? b->ms : effect_ms[effect];
	pace = pace < PACE_MIN_MS ? PACE_MIN_MS : pace;
	bool moves = effect != BH_FX_STATIC && (!core->quiet || effect == BH_FX_PROGRESS);
	uint64_t since = 0;
	if (moves)
		since = moving_since(core, c, effect == BH_FX_MARQUEE ? bh_name_hash(text) : core_main(c) + 1);
	else
		moving_stops(core, c);
	switch (moves ? effect : BH_FX_STATIC) {
	case BH_FX_BLINK:
		if (beat(core, c, since, pace) & 1)
			text = "";
		break;
	case BH_FX_MARQUEE: core_march(text, width, beat(core, c, since, pace), out, cap); return;
	case BH_FX_SPINNER: spinner_text(text, width, beat(core, c, since, pace), out, cap); return;
	case BH_FX_PULSE: pulse_text(text, width, beat(core, c, since, pace), out, cap); return;
	case BH_FX_PROGRESS: progress_text(core, c, b, p, since, pace, out); return;
	case BH_FX_STATIC:
	case BH_FX_COUNT: break;
	}
	core_fit_text(text, width, true, out, cap);
}

static void
digits_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	const struct bh_cfg_binding *b = core_binding(core, core_main(c));
	char text[BH_NAME_MAX + 8] = "", shown[4 * BH_NAME_MAX];
	if (b->flags & BH_BINDF_SHOW_PAGE)
		snprintf(text, sizeof(text), "%s", core_page_name(core, core_ctl_page(core, c)));
	else if (b->flags & BH_BINDF_SHOW_TIME)
		clock_text(core, c, text, sizeof(text));
	else if (b->driver < BH_MAX_SLOTS)
		param_digits(core, c, b, core_binding_param(core, core_main(c)), text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%s", core_str(core, b->text));
	move_digits(core, c, b, text, shown, sizeof(shown));
	out->type = BH_TEXT;
	core_cut_text(out->v.s, shown);
}

/* ------------------------------------------------------------------ all of them */

void
core_picture(struct bh_core *core, struct core_ctl *c, struct core_shown *out)
{
	bool bound = core_main(c) != NONE, lit = c->part[BH_PART_LIGHT] != NONE;
	c->look_ns = 0;
	switch ((enum bh_control_kind)c->cfg->kind) {
	case BH_CTL_BUTTON:
	case BH_CTL_LED:
		if (bound || lit)
			light_picture(core, c, out);
		break;
	case BH_CTL_VPOT:
		if (bound || lit)
			ring_picture(core, c, out);
		break;
	case BH_CTL_STRIP:
	case BH_CTL_DIGITS:
		if (!bound)
			moving_stops(core, c);
		else if (c->cfg->kind == BH_CTL_STRIP)
			strip_picture(core, c, out);
		else
			digits_picture(core, c, out);
		break;
	case BH_CTL_METER: /* only that there is no level now; levels pass by: core_meter() */
		if (bound) {
			out->type = BH_FLOAT;
			out->v.f = 0;
		}
		break;
	case BH_CTL_FADER:
	case BH_CTL_JOG:
	case BH_CTL_PEDAL:
	case BH_CTL_KIND_COUNT: break;
	}
}
