/* bindings.c - see bindings.h */
#include "common/config/bindings.h"

#include <string.h>

#include "common/mem.h"

#define ON(kind) (1u << BH_CTL_##kind)

/* clang-format off */
const struct bh_binding_row bh_binding_rows[BH_BIND_KIND_COUNT] = {
	[BH_BIND_VALUE] = {
		.kind = BH_BIND_VALUE, .key = "value", .controls = ON(FADER) | ON(VPOT) | ON(BUTTON) | ON(PEDAL),
		.needs_target = true, .fields = "min,max,step,taper,invert,ring,label",
		.help = "follows a parameter and sets it; a button turns a switch over or goes to the next choice",
	},
	[BH_BIND_RELATIVE] = {
		.kind = BH_BIND_RELATIVE, .key = "relative", .controls = ON(VPOT) | ON(JOG),
		.needs_target = true, .fields = "step,min,max,taper,invert,ring,label",
		.help = "moves a parameter by steps, one for each click of the knob",
	},
	[BH_BIND_ACTION] = {
		.kind = BH_BIND_ACTION, .key = "action", .controls = ON(BUTTON),
		.needs_target = true, .fields = "args,label",
		.help = "does something when it is pressed: an action of a driver, or page/next, page/previous, page/go",
	},
	[BH_BIND_STRIP] = {
		.kind = BH_BIND_STRIP, .key = "strip", .controls = ON(STRIP),
		.needs_target = false, .fields = "text,color,label",
		.help = "shows a text in the upper line and a parameter in the lower one",
	},
	[BH_BIND_METER] = {
		.kind = BH_BIND_METER, .key = "meter", .controls = ON(METER),
		.needs_target = true, .fields = "min,max,taper,label",
		.help = "shows a level",
	},
	[BH_BIND_DISPLAY] = {
		.kind = BH_BIND_DISPLAY, .key = "display", .controls = ON(DIGITS),
		.needs_target = false, .fields = "text,label",
		.help = "shows a parameter, a text, or (display: page) the name of the page",
	},
	[BH_BIND_LIGHT] = {
		.kind = BH_BIND_LIGHT, .key = "light", .controls = ON(LED) | ON(BUTTON),
		.needs_target = true, .fields = "flash,invert,label",
		.help = "lights while a parameter is on, or not 0",
	},
	[BH_BIND_TOGGLE] = {
		.kind = BH_BIND_TOGGLE, .key = "toggle", .controls = ON(BUTTON),
		.needs_target = true, .fields = "on,off,invert,label",
		.help = "flips a parameter between two values, off and on",
	},
	[BH_BIND_MOMENTARY] = {
		.kind = BH_BIND_MOMENTARY, .key = "momentary", .controls = ON(BUTTON),
		.needs_target = true, .fields = "on,off,invert,label",
		.help = "sets a parameter while it is pressed, and back when it is let go",
	},
	[BH_BIND_RADIO] = {
		.kind = BH_BIND_RADIO, .key = "radio", .controls = ON(BUTTON),
		.needs_target = true, .fields = "on,label",
		.help = "sets a parameter to one value, and is lit while it has it",
	},
	[BH_BIND_SELECT] = {
		.kind = BH_BIND_SELECT, .key = "select", .controls = ON(BUTTON),
		.needs_target = true, .fields = "choices,label",
		.help = "goes on to the next of several values",
	},
	[BH_BIND_DO] = {
		.kind = BH_BIND_DO, .key = "do", .controls = ON(BUTTON),
		.needs_target = false, .fields = "label",
		.help = "runs steps, one after the other",
	},
};

const struct bh_binding_field bh_binding_fields[] = {
	{"args", "list", "arguments of the action"},
	{"choices", "list", "the values to go through; all that there are, if not written"},
	{"color", "color", "of the strip: default red green yellow blue magenta cyan white"},
	{"flash", "bool", "flash instead of being lit"},
	{"invert", "bool", "the other way round"},
	{"label", "text", "your own name for the binding, shown by the tool"},
	{"max", "float", "value at the control's upper end, in the parameter's unit"},
	{"min", "float", "value at the control's lower end, in the parameter's unit"},
	{"off", "value", "value when it is off; else the lowest"},
	{"on", "value", "value when it is on; else the highest"},
	{"ring", "ring", "what the V-Pot's ring shows: dot pan wrap spread"},
	{"step", "float", "change for each click, in the parameter's unit; of a V-Pot or jog wheel"},
	{"taper", "taper", "how travel becomes value: linear fader_db log steps; else as the parameter says"},
	{"text", "text", "the text to show"},
};
const size_t bh_binding_field_count = BH_ARRAY_LEN(bh_binding_fields);

static const char *const color_names[] = {"default", "red", "green", "yellow", "blue", "magenta", "cyan", "white"};
static const char *const ring_names[] = {
	[BH_RING_DOT] = "dot", [BH_RING_PAN] = "pan", [BH_RING_WRAP] = "wrap", [BH_RING_SPREAD] = "spread",
};
static const char *const taper_names[] = {
	[BH_TAPER_LINEAR] = "linear", [BH_TAPER_FADER_DB] = "fader_db", [BH_TAPER_LOG] = "log", [BH_TAPER_STEPS] = "steps",
};
static const char *const control_names[] = {
	[BH_CTL_FADER] = "fader", [BH_CTL_VPOT] = "vpot", [BH_CTL_BUTTON] = "button", [BH_CTL_JOG] = "jog",
	[BH_CTL_STRIP] = "strip", [BH_CTL_METER] = "meter", [BH_CTL_DIGITS] = "digits", [BH_CTL_PEDAL] = "pedal",
	[BH_CTL_LED] = "led",
};
/* clang-format on */

static int
place_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int
bh_color_from_name(const char *name)
{
	return place_of(name, color_names, BH_ARRAY_LEN(color_names));
}

const char *
bh_color_name(int color)
{
	return color >= 0 && (size_t)color < BH_ARRAY_LEN(color_names) ? color_names[color] : NULL;
}

int
bh_ring_from_name(const char *name)
{
	return place_of(name, ring_names, BH_ARRAY_LEN(ring_names));
}

const char *
bh_ring_name(int ring)
{
	return ring >= 0 && (size_t)ring < BH_ARRAY_LEN(ring_names) ? ring_names[ring] : NULL;
}

int
bh_taper_from_name(const char *name)
{
	return place_of(name, taper_names, BH_ARRAY_LEN(taper_names));
}

const char *
bh_taper_name(int taper)
{
	return taper >= 0 && (size_t)taper < BH_ARRAY_LEN(taper_names) ? taper_names[taper] : NULL;
}

int
bh_control_kind_from_name(const char *name)
{
	return place_of(name, control_names, BH_ARRAY_LEN(control_names));
}

const char *
bh_control_kind_name(int kind)
{
	return kind > 0 && (size_t)kind < BH_ARRAY_LEN(control_names) ? control_names[kind] : NULL;
}

const struct bh_binding_field *
bh_binding_field_named(const char *key)
{
	for (size_t i = 0; i < bh_binding_field_count; i++)
		if (strcmp(bh_binding_fields[i].key, key) == 0)
			return &bh_binding_fields[i];
	return NULL;
}

bool
bh_binding_row_has(const struct bh_binding_row *row, const char *key)
{
	size_t len = strlen(key);
	for (const char *p = row->fields; p && *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && strncmp(p, key, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}
