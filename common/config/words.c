/* words.c - see words.h */
#include "common/config/words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/feedback.h"

struct words {
	const struct bh_config *c;
	char *out;
	size_t cap, len;
};

static struct words
begin(const struct bh_config *c, char *out, size_t cap)
{
	if (cap)
		out[0] = '\0';
	return (struct words){.c = c, .out = out, .cap = cap};
}

__attribute__((format(printf, 2, 3))) static void
put(struct words *w, const char *fmt, ...)
{
	va_list ap;
	if (w->len + 1 >= w->cap)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(w->out + w->len, w->cap - w->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	w->len += (size_t)n;
	if (w->len < w->cap)
		return;
	/* It was cut: not within a character. */
	w->len = w->cap - 1;
	size_t at = w->len;
	while (at && ((unsigned char)w->out[at - 1] & 0xc0) == 0x80)
		at--;
	if (at && (unsigned char)w->out[at - 1] >= 0xc0) {
		unsigned char lead = (unsigned char)w->out[at - 1];
		size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
		if (w->len - (at - 1) < need)
			w->len = at - 1;
	}
	w->out[w->len] = '\0';
}

static const char *
str(const struct words *w, uint32_t off)
{
	return bh_config_str(w->c, off);
}

/* ------------------------------------------------------------------ what it is about */

static void
put_target(struct words *w, uint16_t driver, uint16_t action, uint32_t target)
{
	const struct bh_cfg_proc *p;
	if (driver == BH_SLOT_NONE)
		return;
	if (driver == BH_DRIVER_PAGE) {
		bool is_channel = action == BH_BANK_CHANNEL_NEXT || action == BH_BANK_CHANNEL_PREVIOUS;
		put(w, "%s/%s", action < BH_BANK_NEXT ? "page" : is_channel ? "channel" : "bank", str(w, target));
	} else if (driver == BH_SLOT_ROUTER) {
		put(w, BH_ROOM_NAME "/%s", str(w, target));
	} else if ((p = bh_config_proc(w->c, driver))) {
		put(w, "%s/%s", str(w, p->name), str(w, target));
	}
}

/* Texts one behind the other. */
static void
put_list(struct words *w, uint32_t off, uint32_t len, const char *sep)
{
	for (uint32_t i = 0; i < len;) {
		const char *s = str(w, off + i);
		put(w, "%s%s", i ? sep : "", s);
		i += (uint32_t)strlen(s) + 1;
	}
}

static void
put_operand(struct words *w, const struct bh_cfg_operand *o)
{
	const char *text = str(w, o->text);
	if (*text || o->type != BH_FLOAT)
		put(w, "%s", text);
	else
		put(w, "%g", o->num);
}

static void
put_cond(struct words *w, const struct bh_cfg_cond *cond)
{
	if (cond->op == BH_COND_ALWAYS)
		return;
	put(w, "%s", cond->op == BH_COND_OFF ? "not " : cond->op == BH_COND_CHANGES ? "changes " : "");
	put_target(w, cond->driver, 0, cond->target);
	const char *op = bh_cond_op_name(cond->op);
	if (op) {
		put(w, " %s ", op);
		put_operand(w, &cond->with);
	}
}

/* ------------------------------------------------------------------ steps */

static void
put_step(struct words *w, const struct bh_cfg_step *s)
{
	if (s->flags & BH_STEPF_RELEASE)
		put(w, "when let go ");
	if (s->delay_ms)
		put(w, "%u ms later ", s->delay_ms);
	switch ((enum bh_step_kind)s->kind) {
	case BH_STEP_SET: put(w, "set "); break;
	case BH_STEP_TOGGLE: put(w, "toggle "); break;
	case BH_STEP_ADD: put(w, "add "); break;
	case BH_STEP_ACTION:
	case BH_STEP_KIND_COUNT: break;
	}
	if (s->kind == BH_STEP_ADD) {
		put_operand(w, &s->to);
		put(w, " to ");
	}
	put_target(w, s->driver, s->action, s->target);
	if (s->kind == BH_STEP_SET) {
		put(w, " to ");
		put_operand(w, &s->to);
	}
	if (s->args_len) {
		put(w, " ");
		put_list(w, s->args, s->args_len, " ");
	}
	if (s->when.op != BH_COND_ALWAYS) {
		put(w, " if ");
		put_cond(w, &s->when);
	}
}

static void
put_steps(struct words *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct bh_cfg_step *s = bh_config_row(w->c, BH_TAB_STEPS, first + i);
		put(w, "%s", i ? "; " : "");
		if (s)
			put_step(w, s);
	}
}

/* ------------------------------------------------------------------ bindings */

static void
put_light(struct words *w, const struct bh_cfg_binding *b)
{
	const char *color = bh_color_name(b->color), *ring = bh_ring_name(b->ring);
	if (b->color && color)
		put(w, "colour %s", color);
	else if (b->flags & BH_BINDF_HAS_RING && ring)
		put(w, "ring %s", ring);
	else
		put(w, "light %s", b->light_on == BH_LIGHT_FLASH ? "flashes" : b->light_on == BH_LIGHT_OFF ? "off" : "on");
	put(w, " while ");
	put_cond(w, &b->when);
}

/* Beside the target: what the kind has more. */
static void
put_more(struct words *w, const struct bh_cfg_binding *b)
{
	if (b->args_len) {
		put(w, " ");
		put_list(w, b->args, b->args_len, " ");
	}
	if (b->flags & BH_BINDF_SHOW_PAGE)
		put(w, " page");
	if (b->flags & BH_BINDF_SHOW_TIME)
		put(w, " time");
	if (b->text && *str(w, b->text)) {
		char line[BH_TEXT_MAX + 1];
		snprintf(line, sizeof(line), "%s", str(w, b->text));
		for (char *p = line; *p; p++)
			*p = *p == '\n' ? '|' : *p;
		put(w, " \"%s\"", line);
	}
	if (b->on.type != BH_NONE) {
		put(w, b->kind == BH_BIND_RADIO ? " to " : " on = ");
		put_operand(w, &b->on);
	}
	if (b->off.type != BH_NONE) {
		put(w, ", off = ");
		put_operand(w, &b->off);
	}
	if (b->choices_len) {
		put(w, " of ");
		put_list(w, b->choices, b->choices_len, ", ");
	}
	if (b->flags & BH_BINDF_HAS_RANGE)
		put(w, " from %g to %g", b->min, b->max);
	if (b->flags & BH_BINDF_HAS_STEP)
		put(w, " by %g", b->step);
	if (b->flags & BH_BINDF_INVERT)
		put(w, ", the other way round");
}

static void
put_main(struct words *w, const struct bh_cfg_binding *b)
{
	const struct bh_binding_row *row = b->kind < BH_BIND_KIND_COUNT ? &bh_binding_rows[b->kind] : NULL;
	if (b->kind == BH_BIND_DO) {
		put(w, b->steps ? "do: " : "nothing");
		put_steps(w, b->step_first, b->steps);
		return;
	}
	put(w, "%s", row && row->key ? row->key : "?");
	if (b->driver != BH_SLOT_NONE)
		put(w, " ");
	put_target(w, b->driver, b->action, b->target);
	put_more(w, b);
	if (b->steps) {
		put(w, "; also ");
		put_steps(w, b->step_first, b->steps);
	}
}

void
bh_words_target(const struct bh_config *c, uint16_t driver, uint16_t action, uint32_t target, char *out, size_t cap)
{
	struct words w = begin(c, out, cap);
	put_target(&w, driver, action, target);
}

void
bh_words_cond(const struct bh_config *c, const struct bh_cfg_cond *cond, char *out, size_t cap)
{
	struct words w = begin(c, out, cap);
	put_cond(&w, cond);
}

void
bh_words_step(const struct bh_config *c, const struct bh_cfg_step *s, char *out, size_t cap)
{
	struct words w = begin(c, out, cap);
	put_step(&w, s);
}

void
bh_words_binding(const struct bh_config *c, const struct bh_cfg_binding *b, char *out, size_t cap)
{
	struct words w = begin(c, out, cap);
	const struct bh_cfg_room *layer = b->layer ? bh_config_row(c, BH_TAB_ROOM, b->layer - 1u) : NULL;
	const struct bh_cfg_bank *bank = b->bank ? bh_config_row(c, BH_TAB_BANKS, b->bank - 1u) : NULL;
	if (layer)
		put(&w, "while %s is on: ", bh_config_str(c, layer->name));
	if (b->part == BH_PART_HOLD)
		put(&w, "held for %u ms: ", b->ms);
	if (b->part == BH_PART_DOUBLE)
		put(&w, "pressed twice within %u ms: ", b->ms);
	if (b->part == BH_PART_LIGHT)
		put_light(&w, b);
	else
		put_main(&w, b);
	if (bank)
		put(&w, ", place %u of bank %s", b->bank_pos + 1u, bh_config_str(c, bank->name));
}
