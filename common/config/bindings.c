/* bindings.c - see bindings.h */
#include "common/config/bindings.h"

#include <string.h>

#include "common/mem.h"

#define ON(kind) (1u << BH_CTL_##kind)
#define PRESSED ON(BUTTON)
#define ANY 0xffffffffu

/* clang-format off */
const struct bh_binding_row bh_binding_rows[BH_BIND_KIND_COUNT] = {
	[BH_BIND_VALUE] = {
		.kind = BH_BIND_VALUE, .key = "value", .controls = ON(FADER) | ON(VPOT) | ON(BUTTON) | ON(PEDAL),
		.needs_target = true, .sets = true,
		.fields = "min,max,step,taper,curve,invert,accel,fine,pickup,ring,light,hold,double,also,label",
		.help = "follows a parameter and sets it; a button turns a switch over or goes to the next choice",
	},
	[BH_BIND_RELATIVE] = {
		.kind = BH_BIND_RELATIVE, .key = "relative", .controls = ON(VPOT) | ON(JOG),
		.needs_target = true, .sets = true, .fields = "step,min,max,taper,invert,accel,fine,ring,light,label",
		.help = "moves a parameter by steps, one for each click of the knob",
	},
	[BH_BIND_ACTION] = {
		.kind = BH_BIND_ACTION, .key = "action", .controls = ON(BUTTON),
		.needs_target = true, .fields = "args,light,hold,double,also,label",
		.help = "does something when it is pressed: an action of a driver, or page/next, page/go, bank/next and so on",
	},
	[BH_BIND_STRIP] = {
		.kind = BH_BIND_STRIP, .key = "strip", .controls = ON(STRIP),
		.needs_target = false, .fields = "text,color,lower,overlay,scroll,light,label",
		.help = "shows a text in the upper line and a parameter in the lower one",
	},
	[BH_BIND_METER] = {
		.kind = BH_BIND_METER, .key = "meter", .controls = ON(METER),
		.needs_target = true, .fields = "min,max,taper,label",
		.help = "shows a level",
	},
	[BH_BIND_DISPLAY] = {
		.kind = BH_BIND_DISPLAY, .key = "display", .controls = ON(DIGITS),
		.needs_target = false, .fields = "text,effect,pace,format,label",
		.help = "shows a parameter, a text, the name of the page (display: page) or the time of day (display: time)",
	},
	[BH_BIND_LIGHT] = {
		.kind = BH_BIND_LIGHT, .key = "light", .controls = ON(LED) | ON(BUTTON),
		.needs_target = true, .fields = "flash,invert,hold,double,label",
		.help = "lights while a parameter is on, or not 0, or while a condition holds; beside another kind it is a key of that",
	},
	[BH_BIND_TOGGLE] = {
		.kind = BH_BIND_TOGGLE, .key = "toggle", .controls = ON(BUTTON),
		.needs_target = true, .sets = true, .fields = "on,off,light,hold,double,also,label",
		.help = "flips a parameter between two values, off and on",
	},
	[BH_BIND_MOMENTARY] = {
		.kind = BH_BIND_MOMENTARY, .key = "momentary", .controls = ON(BUTTON),
		.needs_target = true, .sets = true, .fields = "on,off,light,also,label",
		.help = "sets a parameter while it is pressed, and back when it is let go",
	},
	[BH_BIND_RADIO] = {
		.kind = BH_BIND_RADIO, .key = "radio", .controls = ON(BUTTON),
		.needs_target = true, .sets = true, .fields = "on,light,hold,double,also,label",
		.help = "sets a parameter to one value, and is lit while it has it",
	},
	[BH_BIND_SELECT] = {
		.kind = BH_BIND_SELECT, .key = "select", .controls = ON(BUTTON),
		.needs_target = true, .sets = true, .fields = "choices,light,hold,double,also,label",
		.help = "goes on to the next of several values",
	},
	[BH_BIND_DO] = {
		.kind = BH_BIND_DO, .key = "do", .controls = ON(BUTTON),
		.needs_target = true, .fields = "light,hold,double,label",
		.help = "runs steps, one after the other",
	},
};

const struct bh_binding_field bh_binding_fields[] = {
	{"accel", "bool", ON(VPOT) | ON(JOG), "the faster it is turned, the further it goes"},
	{"also", "steps", PRESSED, "further steps, when the main thing was done"},
	{"args", "list", PRESSED, "arguments of the action; $NAME is a variable, $page the page's name, $$ a $"},
	{"choices", "list", PRESSED, "the values to go through; all that there are, if not written"},
	{"color", "color", ON(STRIP), "of the strip: default red green yellow blue magenta cyan white"},
	{"curve", "float", ON(FADER) | ON(VPOT) | ON(PEDAL), "0.1 to 10: travel is bent by this power; above 1 the lower end gets finer"},
	{"double", "binding", PRESSED, "what a double press does: { KIND: TARGET, ms: 300 }; the main thing then waits for so long"},
	{"effect", "effect", ON(DIGITS), "how the text moves: static blink marquee spinner pulse progress"},
	{"fine", "float", ON(VPOT) | ON(JOG), "above 0, at most 1: what a step is multiplied by while the layer `fine` is on; else 0.1"},
	{"flash", "bool", ON(BUTTON) | ON(LED), "flash instead of being lit"},
	{"format", "format", ON(DIGITS), "how a parameter is written: plain; timecode (its seconds as hours, minutes, seconds, frames)"},
	{"hold", "binding", PRESSED, "what a long press does: { KIND: TARGET, ms: 500 }; the main thing is then not done"},
	{"invert", "bool", ANY, "the other way round"},
	{"label", "text", ANY, "your own name for the binding, shown by the tool"},
	{"light", "lights", ON(BUTTON) | ON(LED) | ON(VPOT) | ON(STRIP),
	 "a condition, or a list of { when: CONDITION, show: on off flash, color: COLOR, ring: RING }: the first that holds is shown"},
	{"lower", "lower", ON(STRIP), "the lower line: value; name (of the parameter, the value while it changes); text (second line of `text`)"},
	{"max", "float", ANY, "value at the control's upper end, in the parameter's unit"},
	{"min", "float", ANY, "value at the control's lower end, in the parameter's unit"},
	{"off", "value", PRESSED, "value when it is off; else the lowest"},
	{"on", "value", PRESSED, "value when it is on; else the highest"},
	{"overlay", "bool", ON(STRIP), "yes: the lower line shows the value of what is touched or turned below it; no: it never does"},
	{"pace", "duration", ON(DIGITS), "20ms to 60s: time of one movement of the effect"},
	{"pickup", "bool", ON(FADER) | ON(PEDAL), "the hand takes over where it meets the value"},
	{"ring", "ring", ON(VPOT), "what the V-Pot's ring shows: dot pan wrap spread; else what fits the parameter"},
	{"scroll", "bool", ON(STRIP), "a text that is too long wanders, instead of being cut"},
	{"step", "float", ON(VPOT) | ON(JOG), "change for each click, in the parameter's unit"},
	{"taper", "taper", ON(FADER) | ON(VPOT) | ON(PEDAL) | ON(METER) | ON(JOG),
	 "how travel becomes value: linear fader_db log steps obs_db; else as the parameter says"},
	{"text", "text", ON(STRIP) | ON(DIGITS), "the text to show; on a strip, what stands behind a line break is its lower line"},
};
const size_t bh_binding_field_count = BH_ARRAY_LEN(bh_binding_fields);

const struct bh_section_key bh_section_keys[] = {
	{"root", "bulkhead", "number", "version of the format: 1"},
	{"root", "surfaces", "processes", "the panels: NAME: { device: DEVICE, ... }"},
	{"root", "drivers", "processes", "the backends: NAME: { kind: KIND, ... }"},
	{"root", "router", "process", "keys of the router"},
	{"root", "store", "process", "keys of the store"},
	{"root", "control", "process", "keys of the control endpoint"},
	{"root", "supervisor", "process", "keys of the supervisor"},
	{"root", "layers", "list", "names of layers: bindings that go before the others while the layer is on; `fine` is there always"},
	{"root", "variables", "variables", "values of your own: NAME: { choices: [...], default: VALUE }"},
	{"root", "banks", "banks", "rows of strips over a long list: NAME: { items: ..., strips: ..., each: ... }"},
	{"root", "pages", "pages", "the pages, in their order"},
	{"root", "global", "global", "what holds on every page that has none of its own"},
	{"root", "reactions", "reactions", "what is done when a parameter changes, whatever page is shown"},
	{"page", "name", "text", "its name; required"},
	{"page", "color", "color", "its colour"},
	{"page", "inherit", "text", "name of a page whose bindings, layers and banks hold where this one has none"},
	{"page", "banks", "list", "names of banks that stand on this page"},
	{"page", "bindings", "bindings", "CONTROL: what it is bound to"},
	{"page", "layers", "layers", "LAYER: { CONTROL: ... }: bindings while that layer is on"},
	{"page", "reactions", "reactions", "what is done when a parameter changes while this page is shown"},
	{"global", "banks", "list", "names of banks that stand on every page"},
	{"global", "bindings", "bindings", "CONTROL: what it is bound to"},
	{"global", "layers", "layers", "LAYER: { CONTROL: ... }: bindings while that layer is on"},
	{"light", "when", "condition", "the light is so while this holds; required"},
	{"light", "show", "light", "off, on or flash; on if not written"},
	{"light", "color", "color", "of a strip"},
	{"light", "ring", "ring", "of a V-Pot's ring"},
	{"hold", "ms", "duration", "how long it is pressed for that: 100ms to 10s, 500ms if not written"},
	{"double", "ms", "duration", "within what time it is pressed twice: 100ms to 2s, 300ms if not written"},
	{"step", "action", "name", "an action of a driver, or of the router"},
	{"step", "args", "list", "its arguments"},
	{"step", "set", "name", "a parameter that is set to `to`"},
	{"step", "to", "value", "the value; in a text $NAME is a variable, $$ a $"},
	{"step", "toggle", "name", "a parameter that is turned over"},
	{"step", "add", "name", "a parameter to which `by` is added"},
	{"step", "by", "float", "the difference, in the parameter's unit"},
	{"step", "wait", "duration", "at most 10m after the step before it"},
	{"step", "if", "condition", "the step is left out if this does not hold then"},
	{"step", "at", "edge", "press, or release: when the button is let go"},
	{"reaction", "name", "text", "its name; what it remembers then goes on when its condition is edited"},
	{"reaction", "when", "condition", "when this becomes true; also `changes PARAM`. Required"},
	{"reaction", "do", "steps", "what is done then"},
	{"reaction", "else", "steps", "what is done when it becomes false"},
	{"bank", "items", "items", "DRIVER/BEFORE*AFTER: what stands for the * in the names of parameters; or a list of names. Required"},
	{"bank", "strips", "strips", "the strips it stands on, from left to right: desk/1-8, or a list. Required"},
	{"bank", "pins", "pins", "PLACE: ITEM: what always stands there"},
	{"bank", "order", "order", "offered (as it came), or name"},
	{"bank", "each", "bindings", "FAMILY: BINDING: for fader1 to fader8 the family is fader; {} is the item. Required"},
	{"variable", "choices", "list", "the values it can have; without them it is a text"},
	{"variable", "default", "text", "its value at the first start"},
};
const size_t bh_section_key_count = BH_ARRAY_LEN(bh_section_keys);

static const char *const color_names[] = {"default", "red", "green", "yellow", "blue", "magenta", "cyan", "white"};
static const char *const ring_names[] = {
	[BH_RING_DOT] = "dot", [BH_RING_PAN] = "pan", [BH_RING_WRAP] = "wrap", [BH_RING_SPREAD] = "spread",
};
static const char *const effect_names[] = {
	[BH_FX_STATIC] = "static", [BH_FX_BLINK] = "blink", [BH_FX_MARQUEE] = "marquee", [BH_FX_SPINNER] = "spinner",
	[BH_FX_PULSE] = "pulse", [BH_FX_PROGRESS] = "progress",
};
static const char *const op_names[] = {
	[BH_COND_EQ] = "==", [BH_COND_NE] = "!=", [BH_COND_GT] = ">", [BH_COND_GE] = ">=", [BH_COND_LT] = "<", [BH_COND_LE] = "<=",
};
static const char *const taper_names[] = {
	[BH_TAPER_LINEAR] = "linear", [BH_TAPER_FADER_DB] = "fader_db", [BH_TAPER_LOG] = "log", [BH_TAPER_STEPS] = "steps",
	[BH_TAPER_OBS_DB] = "obs_db",
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
bh_effect_from_name(const char *name)
{
	return place_of(name, effect_names, BH_ARRAY_LEN(effect_names));
}

const char *
bh_effect_name(int effect)
{
	return effect >= 0 && (size_t)effect < BH_ARRAY_LEN(effect_names) ? effect_names[effect] : NULL;
}

int
bh_cond_op_from_name(const char *name)
{
	return place_of(name, op_names, BH_ARRAY_LEN(op_names));
}

const char *
bh_cond_op_name(int op)
{
	return op >= 0 && (size_t)op < BH_ARRAY_LEN(op_names) ? op_names[op] : NULL;
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
