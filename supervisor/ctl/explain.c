/* explain.c - see explain.h */
#include "supervisor/ctl/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/feedback.h"
#include "supervisor/ctl/bound.h"

struct explain {
	const struct bh_view *v;
	const struct bh_view_control *c;
	const struct explain_refusal *refusal;
	uint64_t now_ns;
	struct bh_wire_out *o;
	struct bound bound;
	struct bh_rec_control rec;
	bool has_rec;
};

/* A sentence of `why`. */
__attribute__((format(printf, 2, 3))) static void
because(struct explain *e, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bh_wire_str(e->o, NULL, text);
}

static void
put_age(struct explain *e, const char *key, uint64_t ns)
{
	if (ns && ns <= e->now_ns)
		bh_wire_float(e->o, key, (double)(e->now_ns - ns) / 1e9);
}

/* ------------------------------------------------------------------ the parameter behind a binding */

struct behind {
	bool is_param; /* the binding points at a parameter */
	bool found, known;
	char name[BH_WIRE_NAME_MAX];
	struct bh_view_param p;
	struct bh_rec_param r;
};

static void
look_behind(const struct explain *e, const struct bh_cfg_binding *b, struct behind *out)
{
	struct bh_wire_error err;
	memset(out, 0, sizeof(*out));
	out->is_param = b->driver < BH_MAX_SLOTS && b->kind != BH_BIND_ACTION;
	bound_target(e->v, b->driver, b->target, out->name, sizeof(out->name));
	if (!out->is_param || bh_view_find_param(e->v, out->name, &out->p, &err) < 0)
		return;
	out->found = true;
	out->known = bh_view_param_state(e->v, out->p.slot, &out->p.rec, &out->r);
}

static void
origin_text(const struct explain *e, uint32_t origin, char *out, size_t cap)
{
	uint16_t slot = (uint16_t)(origin >> 16);
	const struct bh_cfg_surface *s = slot < BH_MAX_SLOTS ? bh_config_surface(e->v->config, slot) : NULL;
	const struct bh_cfg_control *c = s ? bh_config_control(e->v->config, s, origin & 0xffff) : NULL;
	if (c)
		snprintf(out, cap, "%s/%.23s", bound_process(e->v, slot), c->name);
	else
		snprintf(out, cap, "%s", slot == BH_SLOT_CONTROL ? "a request" : slot == BH_SLOT_STORE ? "the snapshot"
					 : slot == BH_SLOT_ROUTER ? "a reaction" : "?");
}

static void
put_behind(struct explain *e, const struct behind *p)
{
	const struct bh_dir *dir = e->v->slot[p->p.slot].dir;
	union bh_val v = {.u = {0}};
	char origin[64];
	if (!p->found || !p->known)
		return;
	enum bh_type type = bh_param_newest(&p->r, &v, NULL);
	if (type != BH_NONE)
		bh_view_put_value(e->o, dir, &p->p.rec, type, &v);
	bool text = p->r.type == BH_TEXT;
	if (p->r.flags & BH_PAR_WANTED && !text) {
		v = (union bh_val){.u = {p->r.wanted.u}};
		bh_wire_map(e->o, "wanted");
		bh_view_put_value(e->o, dir, &p->p.rec, (enum bh_type)p->r.type, &v);
		put_age(e, "age_s", p->r.wanted_ns);
		origin_text(e, p->r.origin, origin, sizeof(origin));
		bh_wire_str(e->o, "by", origin);
		bh_wire_bool(e->o, "confirmed", !(p->r.flags & BH_PAR_PENDING));
		bh_wire_close(e->o);
	}
	if (p->r.flags & BH_PAR_KNOWN && !text) {
		v = (union bh_val){.u = {p->r.reported.u}};
		bh_wire_map(e->o, "reported");
		bh_view_put_value(e->o, dir, &p->p.rec, (enum bh_type)p->r.type, &v);
		put_age(e, "age_s", p->r.reported_ns);
		bh_wire_close(e->o);
	}
}

/* ------------------------------------------------------------------ why */

static void
why_parameter(struct explain *e, const struct bh_cfg_binding *b)
{
	struct behind p;
	struct bh_proc_body body;
	char origin[64];
	look_behind(e, b, &p);
	if (b->bank) {
		const struct bh_cfg_bank *bank = bh_config_row(e->v->config, BH_TAB_BANKS, b->bank - 1u);
		because(e, "{} is the item that the bank %s has on its place %u now", bh_config_str(e->v->config, bank->name),
			b->bank_pos + 1u);
		return;
	}
	if (!p.is_param)
		return;
	if (b->driver != BH_SLOT_ROUTER && bh_view_proc(e->v, b->driver, &body) && body.health.health != BH_HEALTH_OK &&
	    body.health.health != BH_HEALTH_DEGRADED)
		because(e, "%s is not in service: its strips say so, its faders stay where they are, and what is set waits for it",
			bound_process(e->v, b->driver));
	if (!p.found) {
		because(e, "there is no parameter %s: it appears here as soon as its driver offers it; see `bulkhead params \"%s/*\"`", p.name,
			bound_process(e->v, b->driver));
		return;
	}
	if (!p.known || !(p.r.flags & (BH_PAR_KNOWN | BH_PAR_WANTED))) {
		because(e, "nobody has said what %s is: its default is shown, or nothing", p.name);
		return;
	}
	origin_text(e, p.r.origin, origin, sizeof(origin));
	if (p.r.flags & BH_PAR_STALE)
		because(e, "the value of %s is from the last snapshot, and nobody has confirmed it", p.name);
	else if (p.r.flags & BH_PAR_ADRIFT)
		because(e, "%s set %s; its driver reports another value, which may be an older echo: the wanted one is shown until that is sure",
			origin, p.name);
	else if (p.r.flags & BH_PAR_PENDING)
		because(e, "%s set %s, and its driver has not confirmed it yet: the wanted value is shown", origin, p.name);
	else
		because(e, "it shows what %s is", p.name);
}

static void
why_hand(struct explain *e)
{
	const struct bh_rec_control *r = &e->rec;
	const struct bh_cfg_page *page = bh_config_row(e->v->config, BH_TAB_PAGES, r->grab_page);
	bool fader = e->c->control->kind == BH_CTL_FADER;
	if (!e->has_rec)
		return;
	if (fader && r->flags & BH_CTRL_TOUCHED)
		because(e, "a hand is on it: the motor is not driven");
	if (r->flags & BH_CTRL_HELD)
		because(e, "it was held when the page turned: until it is let go it moves what page %s had under it",
			page ? bh_config_str(e->v->config, page->name) : "?");
	if (r->flags & BH_CTRL_DEAF)
		because(e, "it is held, but what it was bound to is gone: it does nothing until it is let go");
	if (fader && !(r->flags & BH_CTRL_TOUCHED) && r->settle_ns > e->now_ns)
		because(e, "it was let go just now: the motor is set in %" PRIu64 " ms", (r->settle_ns - e->now_ns) / 1000000);
	else if (fader && !(r->flags & BH_CTRL_TOUCHED) && r->hand_ns > e->now_ns)
		because(e, "a hand moved it just now: the backend does not drive it for another %" PRIu64 " ms",
			(r->hand_ns - e->now_ns) / 1000000);
	if (r->flags & BH_CTRL_REFUSED)
		because(e, "it flashes because its last action was refused");
	if (fader && bound_room_is_on(e->v, "quiet"))
		because(e, "the room is quiet: motors stand still, and a fader takes over where it meets the value");
}

static void
put_why(struct explain *e)
{
	const struct bh_cfg_binding *main = e->bound.part[BH_PART_MAIN];
	bh_wire_array(e->o, "why");
	if (e->refusal->stamp_ns)
		because(e, "%.0f s ago %s", e->now_ns > e->refusal->stamp_ns ? (double)(e->now_ns - e->refusal->stamp_ns) / 1e9 : 0,
			e->refusal->words);
	why_hand(e);
	if (!main && !e->bound.lights)
		because(e, "nothing is bound to it on this page%s", e->c->control->kind == BH_CTL_FADER ? ": it stays where it is" : "");
	if (main)
		why_parameter(e, main);
	bh_wire_close(e->o);
}

/* ------------------------------------------------------------------ what is shown */

static void
shown_text(const struct explain *e, char *out, size_t cap)
{
	static const char *const lights[] = {[BH_LIGHT_OFF] = "off", [BH_LIGHT_ON] = "on", [BH_LIGHT_FLASH] = "flashing"};
	const struct bh_rec_control *r = &e->rec;
	snprintf(out, cap, "nothing");
	if (!e->has_rec || !(r->flags & BH_CTRL_TOLD) || r->told_type == BH_NONE)
		return;
	switch ((enum bh_control_kind)e->c->control->kind) {
	case BH_CTL_FADER: snprintf(out, cap, "%.1f %%", r->told.f * 100); break;
	case BH_CTL_VPOT: {
		struct bh_ring_state ring = bh_feedback_ring_open(r->told.i);
		snprintf(out, cap, ring.lit ? "ring %s at %.0f %%" : "ring dark", bh_ring_name((int)ring.mode), ring.pos * 100);
		break;
	}
	case BH_CTL_BUTTON:
	case BH_CTL_LED: snprintf(out, cap, "%s", r->told.u <= BH_LIGHT_FLASH ? lights[r->told.u] : "?"); break;
	case BH_CTL_STRIP: {
		struct bh_strip_state s;
		bh_feedback_strip_open(r->text, &s);
		snprintf(out, cap, "\"%.*s\" over \"%.*s\"%s%s", (int)s.len[0], s.line[0], (int)s.len[1], s.line[1], s.color ? ", " : "",
			 s.color ? bh_color_name(s.color) : "");
		break;
	}
	case BH_CTL_DIGITS: snprintf(out, cap, "\"%.63s\"", r->text); break;
	case BH_CTL_JOG:
	case BH_CTL_PEDAL: snprintf(out, cap, "it can show nothing"); break;
	case BH_CTL_METER: snprintf(out, cap, "the level as it comes"); break;
	case BH_CTL_KIND_COUNT: break;
	}
}

static void
put_hand(struct explain *e)
{
	const struct bh_rec_control *r = &e->rec;
	uint8_t kind = e->c->control->kind;
	bool fader = kind == BH_CTL_FADER || kind == BH_CTL_PEDAL;
	uint64_t when = fader ? r->moved_ns : kind == BH_CTL_BUTTON ? r->pressed_ns : r->turned_ns;
	if (!e->has_rec || kind == BH_CTL_STRIP || kind == BH_CTL_DIGITS || kind == BH_CTL_METER || kind == BH_CTL_LED || !when)
		return;
	bh_wire_map(e->o, "hand");
	put_age(e, "age_s", when);
	if (fader && r->flags & BH_CTRL_POSITION)
		bh_wire_float(e->o, "position", r->position);
	bh_wire_bool(e->o, "on_it", r->flags & (BH_CTRL_TOUCHED | BH_CTRL_PRESSED));
	bh_wire_close(e->o);
}

static void
put_bindings(struct explain *e)
{
	struct behind p;
	bh_wire_array(e->o, "bindings");
	for (int k = 0; k < BH_PART_COUNT; k++)
		if (e->bound.part[k] && k != BH_PART_LIGHT)
			bound_put(e->v, NULL, e->bound.part[k], e->o);
	for (unsigned k = 0; k < e->bound.lights; k++)
		bound_put(e->v, NULL, e->bound.light[k], e->o);
	bh_wire_close(e->o);
	if (!e->bound.part[BH_PART_MAIN])
		return;
	look_behind(e, e->bound.part[BH_PART_MAIN], &p);
	if (!p.is_param)
		return;
	bh_wire_map(e->o, "parameter");
	bh_wire_str(e->o, "name", p.name);
	put_behind(e, &p);
	bh_wire_close(e->o);
}

static void
put_layers(struct explain *e)
{
	bh_wire_array(e->o, "layers");
	for (uint32_t k = 0; k < bh_config_count(e->v->config, BH_TAB_ROOM); k++) {
		const struct bh_cfg_room *row = bh_config_row(e->v->config, BH_TAB_ROOM, k);
		const char *name = bh_config_str(e->v->config, row->name);
		if (row->kind == BH_ROOM_LAYER && bound_room_is_on(e->v, name))
			bh_wire_str(e->o, NULL, name);
	}
	bh_wire_close(e->o);
}

void
explain_control(const struct bh_view *v, const struct bh_view_control *c, const struct explain_refusal *refusal, uint64_t now_ns,
		struct bh_wire_out *o)
{
	struct explain e = {.v = v, .c = c, .refusal = refusal, .now_ns = now_ns, .o = o};
	char text[200];
	uint32_t n = bh_view_record(v, c->slot, c->index);
	e.has_rec = n != BH_REC_NONE && bh_view_state_read(v, n, &e.rec) && e.rec.tag == BH_REC_TAG_CONTROL &&
		    e.rec.slot == c->slot && e.rec.index == c->index;
	bound_find(v, c->slot, c->index, &e.bound);
	const struct bh_cfg_page *page = bh_config_row(v->config, BH_TAB_PAGES, e.bound.page);
	bh_wire_map(o, NULL);
	snprintf(text, sizeof(text), "%s/%.23s", bound_process(v, c->slot), c->control->name);
	bh_wire_str(o, "control", text);
	bh_wire_str(o, "kind", bh_control_kind_name(c->control->kind));
	bh_wire_map(o, "page");
	bh_wire_uint(o, "number", e.bound.page + 1);
	bh_wire_str(o, "name", page ? bh_config_str(v->config, page->name) : "");
	bh_wire_close(o);
	put_layers(&e);
	put_bindings(&e);
	shown_text(&e, text, sizeof(text));
	bh_wire_str(o, "shown", text);
	put_hand(&e);
	put_why(&e);
	bh_wire_close(o);
}
