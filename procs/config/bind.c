/*
 * bind.c - what a control is bound to, checked as far as it can be before anything runs
 *
 * An entry of a control becomes one row for each of its parts: the main thing, each light, the long press, the double press. Every
 * key is used or refused with the reason: nothing is accepted and does nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/feedback.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define LABEL_MAX 120u
#define LIGHTS_MAX 16u
#define HOLD_MS 500u
#define DOUBLE_MS 300u

/* One part of a control that is being read. */
struct binding {
	struct compile *c;
	const struct entry *e;
	const char *path;	 /* "pages[0].bindings.fader1" */
	const struct node *key;	 /* the control as written, or "hold" and "double" */
	const struct node *node; /* what it is bound to */
	const struct process *surface;
	const struct bh_cfg_control *control;
	const struct bh_binding_row *row;
	struct target target; /* driver == BH_SLOT_NONE: none */
	struct bh_cfg_binding out;
};

static const char *
sub_path(struct binding *b, const char *key)
{
	return arena_print(b->c->arena, "%s.%s", b->path, key);
}

static bool
push(struct binding *b, const struct bh_cfg_binding *row)
{
	if (b->c->bindings == BINDINGS_MAX)
		COMPLAIN(b->c, b->key, b->path, NULL, "too many bindings, at most %u", BINDINGS_MAX);
	if (b->c->bindings >= BINDINGS_MAX)
		return false;
	*ARENA_PUSH(b->c->arena, b->c->binding, b->c->bindings) = *row;
	return true;
}

/* ------------------------------------------------------------------ the control */

/* "desk/fader1", or "fader1" where there is only one surface. Sets b->surface. */
static const char *
find_surface(struct binding *b)
{
	struct compile *c = b->c;
	const char *name = b->key->text, *slash = strchr(name, '/');
	if (slash) {
		b->surface = process_named(c, BH_ROLE_SURFACE, name, (size_t)(slash - name));
		if (!b->surface)
			COMPLAIN(c, b->key, b->path, meant_process(c, BH_ROLE_SURFACE, name, (size_t)(slash - name)),
				 "there is no surface called \"%.*s\"", (int)(slash - name), name);
		return slash + 1;
	}
	const struct process *only = NULL;
	unsigned surfaces = 0;
	for (uint32_t i = 0; i < c->processes; i++) {
		if (c->process[i].role == BH_ROLE_SURFACE) {
			only = &c->process[i];
			surfaces++;
		}
	}
	if (surfaces == 1)
		b->surface = only;
	else if (surfaces)
		COMPLAIN(c, b->key, b->path, NULL, "there are %u surfaces: write which, as in %s/%s", surfaces,
			 only->name, name);
	else
		COMPLAIN(c, b->key, b->path, NULL, "there is no surface");
	return name;
}

static bool
find_control(struct binding *b)
{
	if (b->e->control) {
		b->surface = b->e->surface;
		b->control = b->e->control;
		b->out.control = (uint16_t)(b->control - b->surface->device->control);
		b->out.surface = b->surface->slot;
		return true;
	}
	const char *name = find_surface(b);
	if (!b->surface || b->surface->is_broken)
		return false;
	const struct device *d = b->surface->device;
	for (uint32_t i = 0; i < d->controls; i++) {
		if (strcmp(d->control[i].name, name) == 0) {
			b->control = &d->control[i];
			b->out.control = (uint16_t)i;
			b->out.surface = b->surface->slot;
			return true;
		}
	}
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < d->controls; i++)
		bh_suggest_offer(&s, d->control[i].name);
	COMPLAIN(b->c, b->key, b->path, s.best, "%s (%s) has no control \"%s\"", b->surface->name, d->name, name);
	return false;
}

static bool
is_on(const struct binding *b, enum bh_control_kind kind)
{
	return b->control->kind == kind;
}

/* ------------------------------------------------------------------ numbers, words, texts */

static bool
read_float(struct binding *b, const char *key, double *out)
{
	const struct node *n = node_get(b->node, key);
	struct bh_cfg_field f = {.type = BH_CFG_FLOAT};
	char why[128];
	if (!n)
		return false;
	if (b->target.known.unit && *b->target.known.unit)
		f.unit = b->target.known.unit;
	if (n->kind != NODE_TEXT || n->is_null)
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is a number");
	else if (bh_cfg_parse_value(&f, n->text, out, why, sizeof(why)) < 0)
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "%s", why);
	else
		return true;
	return false;
}

static void
read_factor(struct binding *b, const char *key, double min, double max, double *out)
{
	double x;
	if (!read_float(b, key, &x))
		return;
	if (x >= min && x <= max)
		*out = x;
	else
		COMPLAIN(b->c, node_get(b->node, key), sub_path(b, key), NULL, "is %g to %g", min, max);
}

static void
read_flag(struct binding *b, const char *key, unsigned flag)
{
	bool on = false;
	if (read_yes(b->c, b->node, key, b->path, &on) && on)
		b->out.flags |= flag;
}

static uint32_t
read_words(struct binding *b, const char *key, size_t most)
{
	const struct node *n = node_get(b->node, key);
	if (!n)
		return 0;
	if (n->kind != NODE_TEXT) {
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is a text");
		return 0;
	}
	if (strlen(n->text) > most) {
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is too long, at most %zu bytes", most);
		return 0;
	}
	return put_text(b->c, n->text);
}

static void
read_range(struct binding *b)
{
	bool min = read_float(b, "min", &b->out.min), max = read_float(b, "max", &b->out.max);
	const struct node *n = node_key(b->node, "min") ? node_key(b->node, "min") : node_key(b->node, "max");
	if (n && !(node_get(b->node, "min") && node_get(b->node, "max")))
		COMPLAIN(b->c, n, sub_path(b, n->text), NULL, "min and max go together");
	else if (min && max && !(b->out.min < b->out.max))
		COMPLAIN(b->c, node_get(b->node, "min"), sub_path(b, "min"), NULL,
			 "min is not below max; to turn it round, write invert: yes");
	else if (min && max)
		b->out.flags |= BH_BINDF_HAS_RANGE;
	if (read_float(b, "step", &b->out.step)) {
		if (b->out.step > 0)
			b->out.flags |= BH_BINDF_HAS_STEP;
		else
			COMPLAIN(b->c, node_get(b->node, "step"), sub_path(b, "step"), NULL, "is more than 0");
	}
	read_factor(b, "curve", 0.1, 10, &b->out.curve);
	read_factor(b, "fine", 0.0001, 1, &b->out.fine);
}

/* ------------------------------------------------------------------ strips and displays */

enum lower { LOWER_VALUE, LOWER_NAME, LOWER_TEXT };
static const char *const lower_names[] = {[LOWER_VALUE] = "value", [LOWER_NAME] = "name", [LOWER_TEXT] = "text"};
static const char *const format_names[] = {"plain", "timecode"};
static const char *const light_names[] = {[BH_LIGHT_OFF] = "off", [BH_LIGHT_ON] = "on", [BH_LIGHT_FLASH] = "flash"};

#define NAMES(what)                                                                                \
	static int what##_from_name(const char *name)                                              \
	{                                                                                          \
		for (size_t i = 0; i < BH_ARRAY_LEN(what##_names); i++)                            \
			if (strcmp(what##_names[i], name) == 0)                                    \
				return (int)i;                                                     \
		return -1;                                                                         \
	}                                                                                          \
	static const char *what##_name(int i)                                                      \
	{                                                                                          \
		return i >= 0 && (size_t)i < BH_ARRAY_LEN(what##_names) ? what##_names[i] : NULL;  \
	}
NAMES(lower)
NAMES(format)
NAMES(light)

static void
read_strip_fields(struct binding *b)
{
	const char *text = node_text(b->node, "text");
	bool two_lines = text && strchr(text, '\n'), overlay = true;
	int lower = read_word(b->c, b->node, "lower", b->path, lower_from_name, lower_name);
	const struct node *at = node_get(b->node, "lower");
	if (lower == LOWER_TEXT && !two_lines)
		COMPLAIN(b->c, at, sub_path(b, "lower"), NULL,
			 "there is no second line in the text: write text: \"Upper\\nLower\", with the double quotes");
	else if (lower >= 0 && lower != LOWER_TEXT && two_lines)
		COMPLAIN(b->c, at, sub_path(b, "lower"), NULL, "the text has a second line, which is the lower one");
	else if (lower == LOWER_NAME && b->target.driver == BH_SLOT_NONE)
		COMPLAIN(b->c, at, sub_path(b, "lower"), NULL, "there is no parameter whose name it could be");
	if (two_lines)
		b->out.flags |= BH_BINDF_TEXT_LOWER;
	if (lower == LOWER_NAME)
		b->out.flags |= BH_BINDF_NAME_LOWER;
	if (read_yes(b->c, b->node, "overlay", b->path, &overlay) && !overlay)
		b->out.flags |= BH_BINDF_NO_OVERLAY;
	read_flag(b, "scroll", BH_BINDF_SCROLL);
	if (node_get(b->node, "color") && !(b->control->flags & BH_CTL_HAS_COLOR))
		COMPLAIN(b->c, node_key(b->node, "color"), sub_path(b, "color"), NULL, "%s of %s (%s) has no colours",
			 b->control->name, b->surface->name, b->surface->device->name);
}

static void
read_display_fields(struct binding *b)
{
	uint32_t pace = 0;
	int effect = read_word(b->c, b->node, "effect", b->path, bh_effect_from_name, bh_effect_name);
	int format = read_word(b->c, b->node, "format", b->path, format_from_name, format_name);
	bool has_pace = read_duration(b->c, b->node, "pace", b->path, "20ms", "60s", &pace);
	bool has_param = b->target.driver != BH_SLOT_NONE;
	b->out.effect = (uint8_t)(effect > 0 ? effect : BH_FX_STATIC);
	b->out.ms = (uint16_t)pace;
	if (has_pace && effect <= BH_FX_STATIC && effect != -1)
		COMPLAIN(b->c, node_key(b->node, "pace"), sub_path(b, "pace"), NULL, "a text that stands still has no pace");
	else if (has_pace && !node_get(b->node, "effect"))
		COMPLAIN(b->c, node_key(b->node, "pace"), sub_path(b, "pace"), NULL, "is of an effect: write that too");
	if (effect == BH_FX_PROGRESS && !has_param)
		COMPLAIN(b->c, node_get(b->node, "effect"), sub_path(b, "effect"), NULL, "progress is that of a parameter");
	if (format == 1)
		b->out.flags |= BH_BINDF_TIMECODE;
	if (format >= 0 && !has_param)
		COMPLAIN(b->c, node_key(b->node, "format"), sub_path(b, "format"), NULL, "is of a parameter: there is none");
	if (node_get(b->node, "text") && node_get(b->node, "display") && !node_get(b->node, "display")->is_null)
		COMPLAIN(b->c, node_key(b->node, "text"), sub_path(b, "text"), NULL, "a display shows either that or a text");
}

/* ------------------------------------------------------------------ what a press does */

static void
read_operands(struct binding *b)
{
	const struct node *on = node_get(b->node, "on"), *off = node_get(b->node, "off");
	if (on)
		read_operand(b->c, on, on->kind == NODE_TEXT ? on->text : "", sub_path(b, "on"), &b->target.known, &b->out.on);
	if (off)
		read_operand(b->c, off, off->kind == NODE_TEXT ? off->text : "", sub_path(b, "off"), &b->target.known, &b->out.off);
	if (b->row->kind == BH_BIND_RADIO && !on)
		COMPLAIN(b->c, b->node, sub_path(b, "on"), NULL, "is required: the value that the key sets");
	if (on && off && b->out.on.type && b->out.on.type == b->out.off.type && b->out.on.num == b->out.off.num &&
	    b->out.on.text == b->out.off.text)
		COMPLAIN(b->c, off, sub_path(b, "off"), NULL, "on and off are the same");
}

static void
read_choices(struct binding *b)
{
	const struct node *list = node_get(b->node, "choices");
	const char *path = sub_path(b, "choices");
	struct bh_cfg_operand ignored;
	uint32_t count = 0;
	if (!list)
		return;
	if (list->kind != NODE_LIST || list->count < 2) {
		COMPLAIN(b->c, list, path, NULL, "is a list of at least two values");
		return;
	}
	for (uint32_t i = 0; i < list->count; i++)
		if (list->item[i]->kind == NODE_TEXT)
			read_operand(b->c, list->item[i], list->item[i]->text, path, &b->target.known, &ignored);
	pack_texts(b->c, list, path, BH_NAME_MAX, &b->out.choices, &b->out.choices_len, &count);
}

/* What the hand may set, told to the room: see note_set(). */
static void
note_hand(struct binding *b)
{
	if (b->row->kind == BH_BIND_RADIO)
		note_set(b->c, &b->target, &b->out.on);
	else if (b->row->sets)
		note_set(b->c, &b->target, NULL);
}

static void
read_fields(struct binding *b)
{
	read_range(b);
	read_flag(b, "invert", BH_BINDF_INVERT);
	read_flag(b, "flash", BH_BINDF_FLASH);
	read_flag(b, "accel", BH_BINDF_ACCEL);
	read_flag(b, "pickup", BH_BINDF_PICKUP);
	int ring = read_word(b->c, b->node, "ring", b->path, bh_ring_from_name, bh_ring_name);
	int taper = read_word(b->c, b->node, "taper", b->path, bh_taper_from_name, bh_taper_name);
	int color = read_word(b->c, b->node, "color", b->path, bh_color_from_name, bh_color_name);
	b->out.ring = (uint8_t)(ring > 0 ? ring : 0);
	if (ring >= 0)
		b->out.flags |= BH_BINDF_HAS_RING;
	b->out.taper = (uint8_t)(taper >= 0 ? taper : 0xff);
	b->out.color = (uint8_t)(color > 0 ? color : 0);
	b->out.text = read_words(b, "text", BH_TEXT_MAX);
	b->out.label = read_words(b, "label", LABEL_MAX);
	if (node_get(b->node, "ring") && is_on(b, BH_CTL_VPOT) && !(b->control->flags & BH_CTL_HAS_RING))
		COMPLAIN(b->c, node_key(b->node, "ring"), sub_path(b, "ring"), NULL, "%s has no ring", b->control->name);
	if (b->row->kind == BH_BIND_STRIP)
		read_strip_fields(b);
	if (b->row->kind == BH_BIND_DISPLAY)
		read_display_fields(b);
	read_operands(b);
	read_choices(b);
	const struct node *also = node_get(b->node, "also");
	if (also)
		read_steps(b->c, also, sub_path(b, "also"), true, &b->out.step_first, &b->out.steps);
}

/* ------------------------------------------------------------------ lights */

static bool
can_light(struct binding *b, const struct node *at)
{
	bool can = is_on(b, BH_CTL_VPOT)    ? b->control->flags & BH_CTL_HAS_RING
		   : is_on(b, BH_CTL_STRIP) ? b->control->flags & BH_CTL_HAS_COLOR
					    : b->control->flags & BH_CTL_HAS_LED;
	if (!can)
		COMPLAIN(b->c, at, sub_path(b, "light"), NULL, "%s has no %s", b->control->name,
			 is_on(b, BH_CTL_VPOT)	  ? "ring"
			 : is_on(b, BH_CTL_STRIP) ? "colours"
						  : "light");
	return can;
}

/* Keys that this control has no use for. */
static void
check_light_keys(struct binding *b, const struct node *map, const char *path)
{
	static const struct {
		const char *key, *what;
		enum bh_control_kind only; /* else 0 */
		enum bh_control_kind never;
	} rules[] = {{"color", "a strip", BH_CTL_STRIP, 0}, {"ring", "a V-Pot", BH_CTL_VPOT, 0}, {"show", "a light or a ring", 0, BH_CTL_STRIP}};
	check_section(b->c, map, "light", path);
	for (size_t i = 0; i < BH_ARRAY_LEN(rules); i++) {
		const struct node *key = node_key(map, rules[i].key);
		if (key && ((rules[i].only && !is_on(b, rules[i].only)) || (rules[i].never && is_on(b, rules[i].never))))
			COMPLAIN(b->c, key, arena_print(b->c->arena, "%s.%s", path, key->text), NULL, "is of %s, and %s is a %s",
				 rules[i].what, b->control->name, bh_control_kind_name(b->control->kind));
	}
	if (is_on(b, BH_CTL_STRIP) && !node_key(map, "color"))
		COMPLAIN(b->c, map, path, NULL, "does not say which colour");
}

static void
read_light(struct binding *b, const struct node *n, const char *path)
{
	struct bh_cfg_binding light = {
		.page = b->out.page, .surface = b->out.surface, .control = b->out.control, .layer = b->out.layer,
		.bank = b->out.bank, .bank_pos = b->out.bank_pos, .kind = BH_BIND_LIGHT, .part = BH_PART_LIGHT,
		.driver = BH_SLOT_NONE, .taper = 0xff, .light_on = BH_LIGHT_ON, .place = place_of(n)};
	const struct node *when = n;
	if (n->kind == NODE_MAP) {
		check_light_keys(b, n, path);
		when = node_get(n, "when");
		int show = read_word(b->c, n, "show", path, light_from_name, light_name);
		int color = read_word(b->c, n, "color", path, bh_color_from_name, bh_color_name);
		int ring = read_word(b->c, n, "ring", path, bh_ring_from_name, bh_ring_name);
		light.light_on = (uint8_t)(show >= 0 ? show : BH_LIGHT_ON);
		light.color = (uint8_t)(color > 0 ? color : 0);
		light.ring = (uint8_t)(ring > 0 ? ring : 0);
		light.flags = ring >= 0 ? BH_BINDF_HAS_RING : 0;
		path = arena_print(b->c->arena, "%s.when", path);
	} else if (is_on(b, BH_CTL_STRIP)) {
		COMPLAIN(b->c, n, path, NULL, "is a list on a strip, as in [{ when: loop/ch1/mute, color: red }]");
		return;
	}
	if (!when)
		COMPLAIN(b->c, n, path, NULL, "is required: when it is so");
	else if (read_cond(b->c, when, path, false, &light.when))
		push(b, &light);
}

static void
read_lights(struct binding *b)
{
	const struct node *n = node_get(b->node, "light");
	const char *path = sub_path(b, "light");
	if (!n || !(bh_binding_field_named("light")->controls & 1u << b->control->kind) || !can_light(b, node_key(b->node, "light")))
		return;
	if (n->kind != NODE_LIST) {
		read_light(b, n, path);
		return;
	}
	if (!n->count || n->count > LIGHTS_MAX)
		COMPLAIN(b->c, n, path, NULL, n->count ? "too many lights, at most %u" : "is a list of 1 to %u conditions", LIGHTS_MAX);
	for (uint32_t i = 0; i < n->count && i < LIGHTS_MAX; i++)
		read_light(b, n->item[i], arena_print(b->c->arena, "%s[%u]", path, i));
}

/* ------------------------------------------------------------------ the kind */

/* What a control does when only a name is written. */
static const struct bh_binding_row *
natural_row(enum bh_control_kind kind)
{
	static const uint8_t natural[BH_CTL_KIND_COUNT] = {
		[BH_CTL_FADER] = BH_BIND_VALUE,	 [BH_CTL_VPOT] = BH_BIND_VALUE,	  [BH_CTL_BUTTON] = BH_BIND_VALUE,
		[BH_CTL_JOG] = BH_BIND_RELATIVE, [BH_CTL_STRIP] = BH_BIND_STRIP,  [BH_CTL_METER] = BH_BIND_METER,
		[BH_CTL_DIGITS] = BH_BIND_DISPLAY, [BH_CTL_PEDAL] = BH_BIND_VALUE, [BH_CTL_LED] = BH_BIND_LIGHT,
	};
	return &bh_binding_rows[natural[kind]];
}

/* The row whose key is in the mapping; more than one is an error, but for a light beside something else. */
static const struct bh_binding_row *
written_row(struct binding *b, const struct node **target)
{
	const struct bh_binding_row *row = NULL;
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		const struct node *key = i == BH_BIND_LIGHT ? NULL : node_key(b->node, bh_binding_rows[i].key);
		if (!key)
			continue;
		if (row)
			COMPLAIN(b->c, key, sub_path(b, key->text), NULL,
				 "a control does one thing on a page: either %s or %s", row->key, key->text);
		else
			*target = node_get(b->node, key->text);
		row = row ? row : &bh_binding_rows[i];
	}
	/* A strip or display of a text alone may have lights too. */
	if (!row && node_get(b->node, "text") && !natural_row(b->control->kind)->needs_target)
		return natural_row(b->control->kind);
	if (!row && node_key(b->node, "light")) {
		row = &bh_binding_rows[BH_BIND_LIGHT];
		*target = node_get(b->node, "light");
	}
	return row;
}

static bool
is_row_key(const char *key)
{
	for (int k = 1; k < BH_BIND_KIND_COUNT; k++)
		if (k != BH_BIND_LIGHT && strcmp(bh_binding_rows[k].key, key) == 0)
			return true;
	return false;
}

/* May `key` stand beside this kind, on this control, in this part of it? */
static bool
has_use_for(const struct binding *b, const struct bh_binding_field *f)
{
	static const char *const not_within[] = {"hold", "double", "light"};
	for (size_t i = 0; b->out.part != BH_PART_MAIN && i < BH_ARRAY_LEN(not_within); i++)
		if (strcmp(f->key, not_within[i]) == 0)
			return false;
	return bh_binding_row_has(b->row, f->key) && f->controls & 1u << b->control->kind;
}

/* Of a binding whose kind is not known yet every key is a candidate. */
static const char *
meant_key(const struct binding *b, const char *key)
{
	struct bh_suggest s = {.word = key};
	for (int k = 1; k < BH_BIND_KIND_COUNT && !b->row; k++)
		bh_suggest_offer(&s, bh_binding_rows[k].key);
	for (size_t k = 0; k < bh_binding_field_count; k++)
		if (!b->row || has_use_for(b, &bh_binding_fields[k]))
			bh_suggest_offer(&s, bh_binding_fields[k].key);
	return s.best;
}

static void
refuse_field(struct binding *b, const struct node *key)
{
	const char *path = sub_path(b, key->text);
	if (b->out.part != BH_PART_MAIN && bh_binding_row_has(b->row, key->text))
		COMPLAIN(b->c, key, path, NULL, "is of the control as a whole: write it beside %s", b->key->text);
	else if (bh_binding_row_has(b->row, key->text))
		COMPLAIN(b->c, key, path, NULL, "does nothing on %s (%s)", b->control->name, bh_control_kind_name(b->control->kind));
	else if (b->row->kind == BH_BIND_MOMENTARY && (strcmp(key->text, "hold") == 0 || strcmp(key->text, "double") == 0))
		COMPLAIN(b->c, key, path, NULL, "momentary acts with the press itself, so nothing can come instead of it");
	else
		COMPLAIN(b->c, key, path, NULL, "a binding of kind %s has no key \"%s\"", b->row->key, key->text);
}

/* false: there was one that does not belong there. */
static bool
check_binding_keys(struct binding *b)
{
	bool all_known = true;
	for (uint32_t i = 0; i < b->node->count; i++) {
		const struct node *key = b->node->item[2 * i];
		const struct bh_binding_field *f = bh_binding_field_named(key->text);
		if (is_row_key(key->text) || (b->row ? f && has_use_for(b, f) : f != NULL) ||
		    (b->row && strcmp(b->row->key, key->text) == 0) ||
		    (b->out.part != BH_PART_MAIN && strcmp(key->text, "ms") == 0))
			continue;
		all_known = false;
		if (f)
			refuse_field(b, key);
		else
			COMPLAIN(b->c, key, sub_path(b, key->text), meant_key(b, key->text), "unknown key");
	}
	return all_known;
}

static void
list_kinds_of(const struct bh_cfg_control *ctl, char *buf, size_t cap)
{
	buf[0] = '\0';
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		size_t used = strlen(buf);
		if (bh_binding_rows[i].controls & 1u << ctl->kind)
			snprintf(buf + used, cap - used, "%s%s", used ? " or " : "", bh_binding_rows[i].key);
	}
}

static bool
check_fit(struct binding *b, const struct node *at)
{
	char kinds[128];
	if (b->out.part != BH_PART_MAIN && b->row->kind == BH_BIND_LIGHT) {
		COMPLAIN(b->c, at, b->path, NULL,
			 "a press of this kind takes value, action, toggle, momentary, radio, select or do, not %s", b->row->key);
		return false;
	}
	if (b->row->controls & 1u << b->control->kind) {
		if (b->row->kind != BH_BIND_LIGHT || b->control->flags & BH_CTL_HAS_LED)
			return true;
		COMPLAIN(b->c, at, b->path, NULL, "%s has no light", b->control->name);
		return false;
	}
	list_kinds_of(b->control, kinds, sizeof(kinds));
	COMPLAIN(b->c, at, b->path, NULL, "%s (%s) takes %s, not %s", b->control->name,
		 bh_control_kind_name(b->control->kind), kinds, b->row->key);
	return false;
}

/* ------------------------------------------------------------------ what it is bound to */

static void
read_action(struct binding *b, const struct node *n, const char *path)
{
	struct call call;
	if (!read_call(b->c, n, node_get(b->node, "args"), path, sub_path(b, "args"), &call))
		return;
	b->out.driver = call.driver;
	b->out.action = call.action;
	b->out.target = put_text(b->c, call.target);
	b->out.args = call.args;
	b->out.args_len = call.args_len;
	b->out.flags |= call.has_vars ? BH_BINDF_VARS : 0;
}

/* "page" and "time" are no parameters. */
static bool
read_display_word(struct binding *b, const struct node *n)
{
	static const char *const words[] = {"page", "time"};
	if (strcmp(n->text, "page") == 0)
		b->out.flags |= BH_BINDF_SHOW_PAGE;
	else if (strcmp(n->text, "time") == 0)
		b->out.flags |= BH_BINDF_SHOW_TIME;
	else if (!strchr(n->text, '/'))
		COMPLAIN(b->c, n, sub_path(b, "display"), bh_suggest_from(n->text, words, BH_ARRAY_LEN(words)),
			 "\"%s\" is not DRIVER/NAME, as in loop/ch1/level", n->text);
	else
		return false;
	return true;
}

static void
read_target(struct binding *b, const struct node *n)
{
	const char *path = n == b->node ? b->path : sub_path(b, b->row->key);
	struct target t;
	if (b->row->kind == BH_BIND_DO) {
		read_steps(b->c, n, path, true, &b->out.step_first, &b->out.steps);
		return;
	}
	/* A light alone: of a parameter as such, else by conditions. */
	if (b->row->kind == BH_BIND_LIGHT && (n->kind != NODE_TEXT || strchr(n->text, ' ')))
		return;
	if (n->kind != NODE_TEXT) {
		COMPLAIN(b->c, n, path, NULL, "is one name, as in loop/ch1/level");
		return;
	}
	if (n->is_null) {
		COMPLAIN(b->c, n, path, NULL, "has no value");
		return;
	}
	if (b->row->kind == BH_BIND_ACTION) {
		read_action(b, n, path);
		return;
	}
	if (b->row->kind == BH_BIND_DISPLAY && read_display_word(b, n))
		return;
	if (b->row->sets ? !find_settable(b->c, n, path, &t) : !find_target(b->c, n, n->text, path, &t))
		return;
	b->target = t;
	b->out.driver = t.driver;
	b->out.target = put_text(b->c, t.name);
	bool as_number = b->row->kind == BH_BIND_VALUE || b->row->kind == BH_BIND_RELATIVE || b->row->kind == BH_BIND_METER;
	if (as_number && t.known.type == BH_TEXT)
		COMPLAIN(b->c, n, path, NULL, "%s is a text: it has no scale to move on", n->text);
}

/* `light` alone, whose conditions become parts of their own: what belongs to a parameter does not go with it. */
static void
check_light_alone(struct binding *b)
{
	static const char *const keys[] = {"flash", "invert"};
	const struct node *n = node_get(b->node, "light");
	if (b->row->kind != BH_BIND_LIGHT)
		return;
	b->out.light_on = b->out.flags & BH_BINDF_FLASH ? BH_LIGHT_FLASH : BH_LIGHT_ON;
	for (size_t i = 0; n && b->target.driver == BH_SLOT_NONE && i < BH_ARRAY_LEN(keys); i++)
		if (node_key(b->node, keys[i]))
			COMPLAIN(b->c, node_key(b->node, keys[i]), sub_path(b, keys[i]), NULL,
				 "is for a parameter alone; beside a condition write { when: CONDITION, show: flash }");
}

static bool
read_map(struct binding *b)
{
	const struct node *target = NULL;
	b->row = written_row(b, &target);
	/* Only the long or the double press does something. */
	bool is_empty_press = !b->row && is_on(b, BH_CTL_BUTTON) && (node_key(b->node, "hold") || node_key(b->node, "double"));
	if (is_empty_press)
		b->row = &bh_binding_rows[BH_BIND_DO];
	bool all_known = check_binding_keys(b);
	if (!b->row) {
		if (all_known)
			COMPLAIN(b->c, b->node, b->path, NULL, "does not say what it does: %s", b->out.part == BH_PART_MAIN
				 ? "value, relative, toggle, momentary, radio, select, action, do, strip, meter, display or light"
				 : "value, toggle, momentary, radio, select, action or do");
		return false;
	}
	if (!check_fit(b, target ? node_key(b->node, b->row->key) : b->key))
		return false;
	if (target && !(target->is_null && !b->row->needs_target && node_get(b->node, "text")))
		read_target(b, target);
	read_fields(b);
	check_light_alone(b);
	return true;
}

/* false: nothing came of it. */
static bool
read_body(struct binding *b)
{
	if (b->node->kind == NODE_TEXT && !b->node->is_null) {
		b->row = natural_row(b->control->kind);
		if (b->row->kind == BH_BIND_LIGHT)
			b->out.light_on = BH_LIGHT_ON;
		read_target(b, b->node);
	} else if (b->node->kind != NODE_MAP) {
		COMPLAIN(b->c, b->node, b->path, NULL, "is a name as in loop/ch1/level, or a mapping as in {action: loop/scene}");
		return false;
	} else if (!read_map(b)) {
		return false;
	}
	b->out.kind = (uint8_t)b->row->kind;
	note_hand(b);
	return true;
}

/* ------------------------------------------------------------------ the parts */

static struct binding
part_of(const struct binding *b, enum bh_part part, const char *path, const struct node *key, const struct node *node)
{
	struct binding p = *b;
	p.path = path;
	p.key = key;
	p.node = node;
	p.row = NULL;
	p.target = (struct target){.driver = BH_SLOT_NONE};
	p.out = (struct bh_cfg_binding){
		.page = b->e->page, .layer = b->e->layer, .bank = b->e->bank, .bank_pos = b->e->bank_pos, .surface = b->out.surface,
		.control = b->out.control, .part = (uint8_t)part, .driver = BH_SLOT_NONE, .taper = 0xff,
		.when = {.driver = BH_SLOT_NONE}, .place = place_of(key)};
	return p;
}

/* `hold` or `double`: a binding within the binding. */
static void
read_gesture(struct binding *b, enum bh_part part, const char *name, const char *min, const char *max, uint32_t def)
{
	const struct node *key = node_key(b->node, name);
	uint32_t ms = def;
	if (!key || !bh_binding_row_has(b->row, name))
		return;
	struct binding p = part_of(b, part, sub_path(b, name), key, node_get(b->node, name));
	if (!read_body(&p))
		return;
	read_duration(b->c, p.node, "ms", p.path, min, max, &ms);
	p.out.ms = (uint16_t)ms;
	push(&p, &p.out);
}

void
read_entry(struct compile *c, const struct entry *e, const char *path, const struct node *key, const struct node *node)
{
	struct binding b = {.c = c, .e = e, .path = arena_print(c->arena, "%s.%s", path, key->text), .key = key, .node = node};
	if (!find_control(&b))
		return;
	b = part_of(&b, BH_PART_MAIN, b.path, key, node);
	if (!read_body(&b) || !push(&b, &b.out))
		return;
	if (node->kind != NODE_MAP) {
		/* A condition in the place of a name: `solo_led: not loop/ch1/mute`. */
		if (b.row->kind == BH_BIND_LIGHT && b.target.driver == BH_SLOT_NONE && strchr(node->text, ' ') && can_light(&b, node))
			read_light(&b, node, b.path);
		return;
	}
	if (b.row->kind != BH_BIND_LIGHT || b.target.driver == BH_SLOT_NONE)
		read_lights(&b);
	if (!is_on(&b, BH_CTL_BUTTON))
		return;
	read_gesture(&b, BH_PART_HOLD, "hold", "100ms", "10s", HOLD_MS);
	read_gesture(&b, BH_PART_DOUBLE, "double", "100ms", "2s", DOUBLE_MS);
}
