/* import - see import.h */
#include "procs/config/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "procs/config/import_int.h"

#define STRIPS IMPORT_STRIPS

/* clang-format off */
static const struct vocab vocabulary[] = {
	{"fader#", "fader#", WIRE_PB, 1}, {"fader_master", "fader_main", WIRE_PB, 9},
	{"fader#_touch", "fader#_touch", WIRE_NOTE, 104}, {"fader_master_touch", "fader_main_touch", WIRE_NOTE, 112},
	{"vpot#_rotate", "vpot#", WIRE_RELATIVE, 16}, {"vpot#_push", "vpot#_push", WIRE_NOTE, 32},
	{"rec#", "rec#", WIRE_NOTE, 0}, {"solo#", "solo#", WIRE_NOTE, 8}, {"mute#", "mute#", WIRE_NOTE, 16},
	{"select#", "select#", WIRE_NOTE, 24},
	{"assign_track", "track", WIRE_NOTE, 40}, {"assign_send", "send", WIRE_NOTE, 41}, {"assign_pan", "pan", WIRE_NOTE, 42},
	{"assign_plugin", "plugin", WIRE_NOTE, 43}, {"assign_eq", "eq", WIRE_NOTE, 44}, {"assign_instr", "inst", WIRE_NOTE, 45},
	{"bank_left", "bank_left", WIRE_NOTE, 46}, {"bank_right", "bank_right", WIRE_NOTE, 47},
	{"channel_left", "channel_left", WIRE_NOTE, 48}, {"channel_right", "channel_right", WIRE_NOTE, 49},
	{"flip", "flip", WIRE_NOTE, 50}, {"global_view", "global_view", WIRE_NOTE, 51},
	{"name_value", "name_value", WIRE_NOTE, 52}, {"smpte_beats", "smpte_beats", WIRE_NOTE, 53},
	{"f#", "f#", WIRE_NOTE, 54},
	{"view_midi", "midi_tracks", WIRE_NOTE, 62}, {"view_inputs", "inputs", WIRE_NOTE, 63},
	{"view_audio", "audio_tracks", WIRE_NOTE, 64}, {"view_instr", "audio_inst", WIRE_NOTE, 65},
	{"view_aux", "aux", WIRE_NOTE, 66}, {"view_busses", "buses", WIRE_NOTE, 67},
	{"view_outputs", "outputs", WIRE_NOTE, 68}, {"view_user", "user", WIRE_NOTE, 69},
	{"mod_shift", "shift", WIRE_NOTE, 70}, {"mod_option", "option", WIRE_NOTE, 71},
	{"mod_control", "control", WIRE_NOTE, 72}, {"mod_cmd_alt", "alt", WIRE_NOTE, 73},
	{"auto_read_off", "read", WIRE_NOTE, 74}, {"auto_write", "write", WIRE_NOTE, 75}, {"auto_trim", "trim", WIRE_NOTE, 76},
	{"auto_touch", "touch", WIRE_NOTE, 77}, {"auto_latch", "latch", WIRE_NOTE, 78}, {"group", "group", WIRE_NOTE, 79},
	{"save", "save", WIRE_NOTE, 80}, {"undo", "undo", WIRE_NOTE, 81}, {"cancel", "cancel", WIRE_NOTE, 82},
	{"enter", "enter", WIRE_NOTE, 83}, {"marker", "marker", WIRE_NOTE, 84}, {"nudge", "nudge", WIRE_NOTE, 85},
	{"cycle", "cycle", WIRE_NOTE, 86}, {"drop", "drop", WIRE_NOTE, 87}, {"replace", "replace", WIRE_NOTE, 88},
	{"click", "click", WIRE_NOTE, 89}, {"transport_solo", "solo", WIRE_NOTE, 90},
	{"rewind", "rewind", WIRE_NOTE, 91}, {"fast_forward", "forward", WIRE_NOTE, 92}, {"stop", "stop", WIRE_NOTE, 93},
	{"play", "play", WIRE_NOTE, 94}, {"record", "record", WIRE_NOTE, 95},
	{"cursor_up", "up", WIRE_NOTE, 96}, {"cursor_down", "down", WIRE_NOTE, 97}, {"cursor_left", "left", WIRE_NOTE, 98},
	{"cursor_right", "right", WIRE_NOTE, 99}, {"zoom", "zoom", WIRE_NOTE, 100}, {"scrub", "scrub", WIRE_NOTE, 101},
	{"jog_wheel", "jog", WIRE_RELATIVE, 60},
};
/* clang-format on */

/* ------------------------------------------------------------------ saying */

void
import_note(struct import *im, const struct node *n, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	fprintf(im->notes, "%s:%u: %s\n", n ? n->src->path : "", n ? n->line : 0, text);
	fprintf(im->out, "%s# NOT CONVERTED (line %u): %s\n", im->indent, n ? n->line : 0, text);
	im->result->noted++;
}

void
import_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			fputc(*s, out);
	}
	fputc('"', out);
}

/* ------------------------------------------------------------------ their controls */

static void
fill_number(char *out, size_t cap, const char *pattern, unsigned n)
{
	const char *hash = strchr(pattern, '#');
	if (hash)
		snprintf(out, cap, "%.*s%u%s", (int)(hash - pattern), pattern, n, hash + 1);
	else
		snprintf(out, cap, "%s", pattern);
}

/* Before the name of a control: with game pads there are several surfaces. */
static const char *
on_desk(const struct import *im)
{
	return im->pads ? "desk/" : "";
}

static bool
find_control(struct import *im, const char *id, struct found *f)
{
	char name[32];
	if (import_pad_control(im, id, f))
		return true;
	for (size_t k = 0; k < BH_ARRAY_LEN(vocabulary); k++) {
		const struct vocab *v = &vocabulary[k];
		unsigned many = strchr(v->theirs, '#') ? STRIPS : 1;
		for (unsigned n = 1; n <= many; n++) {
			fill_number(name, sizeof(name), v->theirs, n);
			if (strcmp(name, id))
				continue;
			*f = (struct found){.v = v, .n = many > 1 ? n : 0};
			fill_number(name, sizeof(name), v->ours, n);
			snprintf(f->ours, sizeof(f->ours), "%s%s", on_desk(im), name);
			return true;
		}
	}
	return false;
}

/* What the hardware sends for it. */
static struct address
hardware(const struct found *f)
{
	unsigned n = f->n ? f->n - 1 : 0;
	if (f->v->wire == WIRE_PB)
		return (struct address){WIRE_PB, f->v->number + n, 0, false};
	return (struct address){f->v->wire, 1, f->v->number + n, f->v->wire == WIRE_NOTE};
}

/* ------------------------------------------------------------------ applications and their
 * parameters */

static struct app *
find_app(struct import *im, const char *name)
{
	for (uint32_t k = 0; name && k < im->apps; k++)
		if (strcmp(im->app[k].theirs, name) == 0)
			return &im->app[k];
	return NULL;
}

static bool
same_address(const struct address *a, const struct address *b)
{
	return a->wire == b->wire && a->channel == b->channel && a->number == b->number &&
	       a->is_switch == b->is_switch;
}

/* The name of a parameter, made when it is used for the first time. */
static const char *
param_name(struct import *im, struct app *app, struct address at)
{
	static const char *const words[] = {
		[WIRE_PB] = "pb", [WIRE_CC] = "cc", [WIRE_NOTE] = "note", [WIRE_RELATIVE] = "turn"};
	for (uint32_t k = 0; k < app->params; k++)
		if (same_address(&app->param[k].at, &at))
			return app->param[k].name;
	struct param *p = ARENA_PUSH(im->arena, app->param, app->params);
	p->at = at;
	const char *more = at.wire == WIRE_NOTE && !at.is_switch ? "/velocity"
			   : at.wire == WIRE_CC && at.is_switch  ? "/switch"
								 : "";
	if (at.wire == WIRE_PB)
		snprintf(p->name, sizeof(p->name), "pb/%u", at.channel);
	else
		snprintf(p->name, sizeof(p->name), "%s/%u/%u%s", words[at.wire], at.channel,
			 at.number, more);
	return p->name;
}

static bool
read_number(struct import *im, const struct node *map, const char *key, unsigned min, unsigned max,
	    unsigned *out)
{
	const struct node *n = node_get(map, key);
	char *end;
	unsigned long v = n && n->kind == NODE_TEXT ? strtoul(n->text, &end, 0) : 0;
	if (!n)
		return false;
	if (n->kind != NODE_TEXT || *end || end == n->text || v < min || v > max) {
		report_add(im->report, n->src, n->line, n->col, key, NULL,
			   "is a number from %u to %u", min, max);
		return false;
	}
	*out = (unsigned)v;
	return true;
}

/* `midi: {type, channel, cc|note}` of a control: false, with a report, if it is none. */
static bool
read_midi(struct import *im, const struct node *midi, const struct found *f, struct address *at)
{
	const char *type = node_text(midi, "type");
	bool is_button = f->v->wire == WIRE_NOTE;
	*at = (struct address){.channel = 1};
	if (!type) {
		report_add(im->report, midi->src, midi->line, midi->col, "midi", NULL,
			   "has no type");
		return false;
	}
	if (strcmp(type, "passthrough") == 0) {
		*at = hardware(f);
		return true;
	}
	if (!read_number(im, midi, "channel", 1, 16, &at->channel)) {
		report_add(im->report, midi->src, midi->line, midi->col, "midi", NULL,
			   "%s needs a channel", type);
		return false;
	}
	at->is_switch = is_button;
	if (strcmp(type, "pb") == 0) {
		at->wire = WIRE_PB;
		at->is_switch = false;
		return true;
	}
	const char *key = strcmp(type, "note") == 0 ? "note" : "cc";
	at->wire = f->v->wire == WIRE_RELATIVE && *key == 'c' ? WIRE_RELATIVE
		   : *key == 'n'                              ? WIRE_NOTE
							      : WIRE_CC;
	if (read_number(im, midi, key, 0, 127, &at->number))
		return true;
	report_add(im->report, midi->src, midi->line, midi->col, "midi", NULL,
		   "%s needs channel and %s", type, key);
	return false;
}

/* ------------------------------------------------------------------ steps: also, toggle */

/* The bytes of `send`, in hexadecimal, as our action takes them. */
static void
put_bytes(struct import *im, const struct node *params)
{
	for (uint32_t k = 0; params && params->kind == NODE_LIST && k < params->count; k++) {
		const struct node *n = params->item[k];
		char *end = NULL;
		unsigned long v = n->kind == NODE_TEXT ? strtoul(n->text, &end, 0) : 256;
		if (v > 255 || !end || *end)
			report_add(im->report, n->src, n->line, n->col, "params", NULL,
				   "is no byte");
		fprintf(im->out, "%s%02lx", k ? " " : "", v & 0xff);
	}
}

const char *
import_in_words(struct import *im, const struct node *step)
{
	const struct node *params = node_get(step, "params");
	const char *app = node_text(step, "app"), *action = node_text(step, "action");
	const char *words =
		arena_print(im->arena, "%s %s", app ? app : "?", action ? action : "midi");
	for (uint32_t k = 0; params && params->kind == NODE_LIST && k < params->count; k++)
		if (params->item[k]->kind == NODE_TEXT)
			words = arena_print(im->arena, "%s %s", words, params->item[k]->text);
	return words;
}

static const char *
why_no_action(struct import *im, const char *app)
{
	if (app && (strcmp(app, "winaudio") == 0 || strcmp(app, "winmedia") == 0))
		return "Windows audio and media keys are not driven here";
	return find_app(im, app) ? "an application behind MIDI ports has this action only as bytes"
				 : "there is no such application in midi.apps";
}

/* One step as ours; or it has no counterpart, and that is said. */
static void
put_step(struct import *im, const struct node *step, const struct found *f, const char *indent)
{
	const struct node *midi = node_get(step, "midi");
	const char *name = node_text(step, "app"), *action = node_text(step, "action"), *ours,
		   *args, *why;
	struct app *app = find_app(im, name);
	struct address at;
	if (import_is_obs(step)) {
		if (import_obs_action(im, step, f->pad, &ours, &args, &why))
			fprintf(im->out, "%s- { action: %s%s%s }\n", indent, ours,
				*args ? ", args: " : "", args);
		else
			import_note(im, step, "step %s: %s", import_in_words(im, step), why);
		return;
	}
	if (midi && app && read_midi(im, midi, f, &at)) {
		const char *param = param_name(im, app, at);
		bool is_number = !at.is_switch;
		fprintf(im->out, "%s- { set: %s/%s, to: %s }\n", indent, app->name, param,
			is_number ? at.wire == WIRE_PB ? "16383" : "127" : "on");
		fprintf(im->out, "%s- { set: %s/%s, to: %s, at: release }\n", indent, app->name,
			param, is_number ? "0" : "off");
		return;
	}
	if (action && app && strcmp(action, "send") == 0) {
		fprintf(im->out, "%s- { action: %s/send, args: [app, \"", indent, app->name);
		put_bytes(im, node_get(step, "params"));
		fputs("\"] }\n", im->out);
		return;
	}
	import_note(im, step, "step %s: %s", import_in_words(im, step),
		    midi && !app ? "there is no such application in midi.apps"
				 : why_no_action(im, name));
}

static bool
can_convert(struct import *im, const struct node *step)
{
	const char *action = node_text(step, "action"), *ours, *args, *why;
	if (import_is_obs(step))
		return import_obs_action(im, step, 0, &ours, &args, &why);
	return find_app(im, node_text(step, "app")) &&
	       (node_get(step, "midi") || (action && strcmp(action, "send") == 0));
}

static unsigned
convertible(struct import *im, const struct node *steps)
{
	unsigned n = 0;
	for (uint32_t k = 0; steps && steps->kind == NODE_LIST && k < steps->count; k++)
		n += can_convert(im, steps->item[k]);
	return n;
}

static void
put_steps(struct import *im, const char *key, const struct node *steps, const struct found *f,
	  const char *indent)
{
	const char *inner = arena_print(im->arena, "%s  ", indent);
	bool any = convertible(im, steps) > 0;
	if (any)
		fprintf(im->out, "%s%s:\n", indent, key);
	for (uint32_t k = 0; steps && steps->kind == NODE_LIST && k < steps->count; k++)
		put_step(im, steps->item[k], f, inner);
}

/* ------------------------------------------------------------------ one control */

static bool *
place_of(struct import *im, const struct found *f)
{
	return &im->bound[f->v - vocabulary][f->n];
}

static void
bound(struct import *im, const struct found *f)
{
	if (!f->pad)
		*place_of(im, f) = true;
	im->result->converted++;
}

static void
put_also(struct import *im, const struct node *map, const struct found *f)
{
	const struct node *also = node_get(map, "also");
	if (also)
		put_steps(im, "also", also, f, "        ");
}

/* What their indicator lights by, on a button; or it has no counterpart, and that is said. NULL: no
 * light. */
static const char *
light_of(struct import *im, const struct node *map, const struct found *f)
{
	const struct node *indicator = node_get(map, "indicator");
	const char *light = indicator && f->v->wire == WIRE_NOTE && !f->pad
				    ? import_obs_light(im, indicator)
				    : NULL;
	if (indicator && !light)
		import_note(im, indicator, "%s: its indicator lights nothing: %s", f->ours,
			    f->v->wire == WIRE_NOTE && !f->pad ? "there is no such signal"
							       : "this control has no light");
	return light;
}

/* What follows the main thing of a control, and the end of it. */
static void
put_rest(struct import *im, const struct node *map, const struct found *f)
{
	const char *light = light_of(im, map, f);
	if (light)
		fprintf(im->out, "        light: %s\n", light);
	put_also(im, map, f);
	bound(im, f);
}

/* The kind of ours that does what a translation of theirs did. */
static void
put_midi(struct import *im, const struct node *map, const struct found *f, struct app *app,
	 struct address at)
{
	bool is_long = convertible(im, node_get(map, "also")) || node_get(map, "indicator");
	const char *param = param_name(im, app, at),
		   *kind = f->v->wire == WIRE_RELATIVE ? "relative" : "value";
	if (f->v->wire == WIRE_NOTE)
		kind = "momentary"; /* 127 while it is pressed, 0 when it is let go */
	const char *range =
		f->v->wire == WIRE_NOTE && at.wire == WIRE_PB ? ", on: 16383, off: 0" : "";
	if (is_long)
		fprintf(im->out, "      %s:\n        %s: %s/%s\n%s", f->ours, kind, app->name,
			param, *range ? "        on: 16383\n        off: 0\n" : "");
	else
		fprintf(im->out, "      %s: { %s: %s/%s%s }\n", f->ours, kind, app->name, param,
			range);
	put_rest(im, map, f);
}

static void
put_send(struct import *im, const struct node *map, const struct found *f, const struct app *app)
{
	fprintf(im->out, "      %s:\n        action: %s/send\n        args: [app, \"", f->ours,
		app->name);
	put_bytes(im, node_get(map, "params"));
	fputs("\"]\n", im->out);
	put_rest(im, map, f);
}

/* Something done to OBS: a key does it, a knob or a stick moves a camera. */
static void
put_obs(struct import *im, const struct node *map, const struct found *f)
{
	const char *name, *args, *why, *motion;
	bool is_key = f->v->wire == WIRE_NOTE;
	const char *held = is_key ? import_obs_held(im, map, f->pad) : NULL;
	if (held) {
		fprintf(im->out, "      %s: { momentary: %s }\n", f->ours, held);
		bound(im, f);
	} else if (is_key && import_obs_action(im, map, f->pad, &name, &args, &why)) {
		fprintf(im->out, "      %s:\n        action: %s\n", f->ours, name);
		if (*args)
			fprintf(im->out, "        args: %s\n", args);
		put_rest(im, map, f);
	} else if (!is_key && (motion = import_obs_motion(im, map, f, &why))) {
		fprintf(im->out, "      %s: { %s }\n", f->ours, motion);
		bound(im, f);
	} else {
		import_note(im, map, "%s: %s: %s", f->ours, import_in_words(im, map), why);
		put_also(im, map, f);
	}
}

static void
put_action(struct import *im, const struct node *map, const struct found *f, struct app *app,
	   const char *action)
{
	if (import_is_obs(map)) {
		put_obs(im, map, f);
	} else if (app && strcmp(action, "send") == 0 && f->v->wire == WIRE_NOTE) {
		put_send(im, map, f, app);
	} else {
		import_note(im, map, "%s: %s: %s", f->ours, import_in_words(im, map),
			    why_no_action(im, node_text(map, "app")));
		put_also(im, map, f);
	}
}

static void
put_control(struct import *im, const struct node *key, const struct node *map)
{
	struct found f;
	struct address at;
	const char *name = node_text(map, "app"), *action = node_text(map, "action");
	if (!find_control(im, key->text, &f)) {
		import_note(im, key,
			    "%s: no control of an X-Touch or a game pad is called so; there it did "
			    "nothing either",
			    key->text);
		return;
	}
	struct app *app = find_app(im, name);
	const struct node *midi = node_get(map, "midi");
	if (node_get(map, "overlay"))
		fprintf(im->out,
			"      # overlay of %s: our strips show the value of what is touched by "
			"themselves\n",
			f.ours);
	if (midi && f.pad)
		import_note(im, map,
			    "%s: a game pad sent no MIDI there; see docs/howto/gamepad.md for what "
			    "it can be bound to",
			    f.ours);
	else if (midi && !app)
		import_note(im, map, "%s: there is no application \"%s\" in midi.apps", f.ours,
			    name ? name : "");
	else if (midi && read_midi(im, midi, &f, &at))
		put_midi(im, map, &f, app, at);
	else if (!midi && action)
		put_action(im, map, &f, app, action);
}

/* ------------------------------------------------------------------ reactions: toggle */

/* `watch`, or else what the control itself sends. */
static bool
toggle_address(struct import *im, const struct node *toggle, const struct found *f,
	       struct address *at)
{
	const struct node *watch = node_get(toggle, "watch");
	*at = hardware(f);
	if (!watch)
		return true;
	struct found as_button = *f;
	struct vocab button = {.wire = WIRE_NOTE};
	as_button.v = &button;
	const char *type = node_text(watch, "type");
	if (type && !node_get(watch, "channel")) {
		unsigned number = 0;
		read_number(im, watch, strcmp(type, "note") == 0 ? "note" : "cc", 0, 127, &number);
		at->wire = strcmp(type, "note") == 0 ? WIRE_NOTE
			   : strcmp(type, "cc") == 0 ? WIRE_CC
						     : WIRE_PB;
		at->number = number;
		at->is_switch = at->wire != WIRE_PB;
		return true;
	}
	return read_midi(im, watch, &as_button, at);
}

static void
put_toggle(struct import *im, const struct node *key, const struct node *map,
	   const struct node *toggle)
{
	struct found f;
	struct address at;
	const char *source = node_text(toggle, "source");
	struct app *app = find_app(im, source ? source : node_text(map, "app"));
	const struct node *on = node_get(toggle, "on"), *off = node_get(toggle, "off");
	if (!find_control(im, key->text, &f) || f.pad)
		return;
	if (!app || !toggle_address(im, toggle, &f, &at) ||
	    !(convertible(im, on) + convertible(im, off))) {
		for (uint32_t k = 0; k < 2; k++) {
			const struct node *steps = k ? off : on;
			for (uint32_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count;
			     i++)
				import_note(
					im, steps->item[i], "%s: toggle %s: %s: %s", f.ours,
					k ? "off" : "on", import_in_words(im, steps->item[i]),
					app ? why_no_action(im, node_text(steps->item[i], "app"))
					    : "nothing that it could watch is in midi.apps");
		}
		return;
	}
	fprintf(im->out, "      - when: %s/%s\n", app->name, param_name(im, app, at));
	put_steps(im, "do", on, &f, "        ");
	put_steps(im, "else", off, &f, "        ");
}

/* The reactions of a page's controls; `indent` stands before the key. */
static void
put_toggles(struct import *im, const struct node *controls, const char *indent)
{
	bool any = false;
	for (uint32_t k = 0; controls && controls->kind == NODE_MAP && k < controls->count; k++)
		any = any || node_get(controls->item[2 * k + 1], "toggle");
	if (!any)
		return;
	fprintf(im->out, "%sreactions:\n", indent);
	for (uint32_t k = 0; k < controls->count; k++) {
		const struct node *toggle = node_get(controls->item[2 * k + 1], "toggle");
		if (toggle)
			put_toggle(im, controls->item[2 * k], controls->item[2 * k + 1], toggle);
	}
}

/* ------------------------------------------------------------------ pass-through */

static bool
has_word(const struct node *list, const char *word)
{
	for (uint32_t k = 0; list && list->kind == NODE_LIST && k < list->count; k++)
		if (list->item[k]->kind == NODE_TEXT && strcmp(list->item[k]->text, word) == 0)
			return true;
	return false;
}

static bool
has_number(const struct node *list, unsigned n)
{
	for (uint32_t k = 0; list && list->kind == NODE_LIST && k < list->count; k++)
		if (list->item[k]->kind == NODE_TEXT && strtoul(list->item[k]->text, NULL, 0) == n)
			return true;
	return false;
}

static const struct node *
either(const struct node *map, const char *a, const char *b)
{
	const struct node *n = node_get(map, a);
	return n ? n : node_get(map, b);
}

static bool
passes(const struct node *filter, const struct address *at)
{
	const struct node *channels = node_get(filter, "channels"),
			  *types = node_get(filter, "types");
	const struct node *notes = either(filter, "include_notes", "includeNotes");
	const struct node *but = either(filter, "exclude_notes", "excludeNotes");
	const char *type = at->wire == WIRE_PB     ? "pitchBend"
			   : at->wire == WIRE_NOTE ? "noteOn"
						   : "controlChange";
	if (channels && !has_number(channels, at->channel))
		return false;
	if (types && !has_word(types, type) &&
	    !(at->wire == WIRE_NOTE && has_word(types, "noteOff")))
		return false;
	if (at->wire != WIRE_NOTE)
		return true;
	return (!notes || has_number(notes, at->number)) && !has_number(but, at->number);
}

/* Their transforms of pitch bend. */
static struct address
transformed(struct import *im, const struct node *transform, struct address at)
{
	const struct node *to_note = either(transform, "pb_to_note", "pbToNote"),
			  *to_cc = either(transform, "pb_to_cc", "pbToCc");
	unsigned n = at.channel;
	if (at.wire != WIRE_PB)
		return at;
	if (to_note) {
		unsigned number = 0;
		read_number(im, to_note, "note", 0, 127, &number);
		return (struct address){WIRE_NOTE, n, number, false};
	}
	if (!to_cc)
		return at;
	unsigned channel = 1, base = 45, number = 0;
	char key[8];
	read_number(im, to_cc, "target_channel", 1, 16, &channel);
	read_number(im, to_cc, "base_cc", 0, 127, &base);
	snprintf(key, sizeof(key), "%u", n);
	const struct node *by = node_get(to_cc, "cc_by_channel");
	if (!by || !read_number(im, by, key, 0, 127, &number))
		number = (base + n - 1) & 0x7f;
	return (struct address){WIRE_CC, channel, number, false};
}

static bool
is_paging(const struct import *im, const struct address *at)
{
	return at->wire == WIRE_NOTE &&
	       (at->number == im->prev_note || at->number == im->next_note ||
		(at->number >= 54 && at->number <= 61));
}

/* All controls that one rule lets through and that the page itself does not have. */
static void
put_passthrough(struct import *im, const struct node *rule, const struct node *controls)
{
	struct app *app = find_app(im, node_text(rule, "driver"));
	if (!app) {
		import_note(im, rule, "passthrough: there is no application \"%s\" in midi.apps",
			    node_text(rule, "driver") ? node_text(rule, "driver") : "");
		return;
	}
	fprintf(im->out,
		"      # passed through to %s, as line %u said (there it was accepted and "
		"ignored)\n",
		app->name, rule->line);
	for (size_t k = 0; k < BH_ARRAY_LEN(vocabulary); k++) {
		const struct vocab *v = &vocabulary[k];
		for (unsigned n = 1; n <= (strchr(v->theirs, '#') ? STRIPS : 1); n++) {
			char id[32];
			struct found f;
			fill_number(id, sizeof(id), v->theirs, n);
			if (!find_control(im, id, &f) || node_get(controls, id) ||
			    *place_of(im, &f))
				continue;
			struct address at = hardware(&f);
			if (!passes(node_get(rule, "filter"), &at) || is_paging(im, &at))
				continue;
			at = transformed(im, node_get(rule, "transform"), at);
			fprintf(im->out, "      %s: { %s: %s/%s }\n", f.ours,
				v->wire == WIRE_RELATIVE ? "relative"
				: v->wire == WIRE_NOTE   ? "momentary"
							 : "value",
				app->name, param_name(im, app, at));
			bound(im, &f);
		}
	}
}

static void
put_passthroughs(struct import *im, const struct node *page)
{
	const struct node *one = node_get(page, "passthrough"),
			  *many = node_get(page, "passthroughs");
	const struct node *controls = node_get(page, "controls");
	if (one && one->kind == NODE_MAP)
		put_passthrough(im, one, controls);
	for (uint32_t k = 0; many && many->kind == NODE_LIST && k < many->count; k++)
		put_passthrough(im, many->item[k], controls);
}

/* ------------------------------------------------------------------ labels and colours */

static const char *
color_of(struct import *im, const struct node *n)
{
	static const char *const names[] = {"default", "red",     "green", "yellow",
					    "blue",    "magenta", "cyan",  "white"};
	static const struct {
		const char *theirs, *ours;
	} more[] = {{"black", "default"},
		    {"off", "default"},
		    {"pink", "magenta"},
		    {"purple", "magenta"},
		    {"aqua", "cyan"}};
	if (!n || n->kind != NODE_TEXT)
		return NULL;
	if (strlen(n->text) == 1 && *n->text >= '0' && *n->text <= '7')
		return names[*n->text - '0'];
	for (size_t k = 0; k < BH_ARRAY_LEN(more); k++)
		if (strcmp(more[k].theirs, n->text) == 0)
			return more[k].ours;
	if (bh_color_from_name(n->text) >= 0)
		return bh_color_name(bh_color_from_name(n->text));
	import_note(im, n, "colour \"%s\" is not known; there it was black", n->text);
	return NULL;
}

/* Upper and lower line as one text. */
static const char *
label_of(struct import *im, const struct node *n)
{
	if (!n || n->kind == NODE_LIST || n->is_null)
		return NULL;
	if (n->kind == NODE_TEXT)
		return n->text;
	const char *upper = node_text(n, "upper"), *lower = node_text(n, "lower");
	return arena_print(im->arena, "%s%s%s", upper ? upper : "", lower ? "\n" : "",
			   lower ? lower : "");
}

static const struct node *
item_at(const struct node *list, uint32_t k)
{
	return list && list->kind == NODE_LIST && k < list->count ? list->item[k] : NULL;
}

/* The parameter under a strip: its fader's. */
static const char *
strip_param(struct import *im, const struct node *controls, unsigned strip)
{
	char id[16];
	struct found f;
	struct address at;
	snprintf(id, sizeof(id), "fader%u", strip);
	const struct node *map = node_get(controls, id), *midi = node_get(map, "midi");
	struct app *app = find_app(im, node_text(map, "app"));
	if (!midi || !app || !find_control(im, id, &f) || !read_midi(im, midi, &f, &at))
		return NULL;
	return arena_print(im->arena, "%s/%s", app->name, param_name(im, app, at));
}

static void
put_strips(struct import *im, const struct node *lcd, const struct node *controls)
{
	const struct node *labels = node_get(lcd, "labels"), *colors = node_get(lcd, "colors");
	for (uint32_t k = 0; k < STRIPS; k++) {
		const char *label = label_of(im, item_at(labels, k)),
			   *color = color_of(im, item_at(colors, k));
		const char *param = strip_param(im, controls, k + 1);
		if (!label && !color && !param)
			continue;
		fprintf(im->out, "      %sstrip%u: { ", on_desk(im), k + 1);
		if (param)
			fprintf(im->out, "strip: %s, ", param);
		fputs("text: ", im->out);
		import_quoted(im->out, label ? label : "");
		if (param && label && strchr(label, '\n'))
			fputs(", lower: text", im->out);
		if (color)
			fprintf(im->out, ", color: %s", color);
		fputs(" }\n", im->out);
	}
}

/* ------------------------------------------------------------------ pages */

static void
put_controls(struct import *im, const struct node *controls)
{
	for (uint32_t k = 0; controls && controls->kind == NODE_MAP && k < controls->count; k++)
		put_control(im, controls->item[2 * k], controls->item[2 * k + 1]);
}

static const char *
page_name(struct import *im, uint32_t k)
{
	const char *name = node_text(im->pages->item[k], "name");
	return name && *name ? name : arena_print(im->arena, "Page %u", k + 1);
}

static void
put_pages(struct import *im)
{
	fputs("pages:\n", im->out);
	for (uint32_t k = 0; k < im->pages->count; k++) {
		const struct node *page = im->pages->item[k],
				  *controls = node_get(page, "controls");
		fputs("  - name: ", im->out);
		import_quoted(im->out, page_name(im, k));
		fputs("\n    bindings:\n", im->out);
		memset(im->bound, 0, sizeof(*im->bound) * BH_ARRAY_LEN(vocabulary));
		put_controls(im, controls);
		put_passthroughs(im, page);
		put_strips(im, node_get(page, "lcd"), controls);
		put_toggles(im, controls, "    ");
	}
}

static const char *
note_control(unsigned number, char *out, size_t cap)
{
	for (size_t k = 0; k < BH_ARRAY_LEN(vocabulary); k++) {
		const struct vocab *v = &vocabulary[k];
		unsigned many = strchr(v->theirs, '#') ? STRIPS : 1;
		if (v->wire != WIRE_NOTE || number < v->number || number >= v->number + many)
			continue;
		fill_number(out, cap, v->ours, number - v->number + 1);
		return out;
	}
	return NULL;
}

/* Paging keys and the page's name, which were built in there. */
static void
put_navigation(struct import *im)
{
	char name[24];
	const char *c = note_control(im->prev_note, name, sizeof(name));
	fputs("      # page keys, as paging said; F1 to F8 were built in\n", im->out);
	if (c)
		fprintf(im->out, "      %s%s: { action: page/previous }\n", on_desk(im), c);
	c = note_control(im->next_note, name, sizeof(name));
	if (c)
		fprintf(im->out, "      %s%s: { action: page/next }\n", on_desk(im), c);
	for (uint32_t k = 0; k < im->pages->count && k < STRIPS; k++) {
		fprintf(im->out, "      %sf%u: { action: page/go, args: [", on_desk(im), k + 1);
		import_quoted(im->out, page_name(im, k));
		fputs("] }\n", im->out);
	}
	fprintf(im->out, "      %stimecode: { display: page }\n", on_desk(im));
}

/* A global control that is a page key was swallowed there; ours would be bound twice. */
static bool
is_page_key(struct import *im, const char *id)
{
	struct found f;
	if (!find_control(im, id, &f) || f.pad)
		return false;
	struct address at = hardware(&f);
	return at.wire == WIRE_NOTE &&
	       (at.number == im->prev_note || at.number == im->next_note ||
		(at.number >= 54 && at.number < 54 + im->pages->count && at.number <= 61));
}

static void
put_global(struct import *im)
{
	const struct node *controls = node_get(im->global, "controls");
	fputs("global:\n  bindings:\n", im->out);
	memset(im->bound, 0, sizeof(*im->bound) * BH_ARRAY_LEN(vocabulary));
	put_navigation(im);
	for (uint32_t k = 0; controls && controls->kind == NODE_MAP && k < controls->count; k++) {
		if (is_page_key(im, controls->item[2 * k]->text))
			import_note(im, controls->item[2 * k],
				    "%s: it is a page key; there it never reached its application",
				    controls->item[2 * k]->text);
		else
			put_control(im, controls->item[2 * k], controls->item[2 * k + 1]);
	}
	put_passthroughs(im, im->global);
	put_strips(im, node_get(im->global, "lcd"), controls);
	put_toggles(im, controls, "");
}

/* ------------------------------------------------------------------ surface and drivers */

/* A name that a process may have: others could not be written before the slash of a parameter. */
static const char *
process_name(struct import *im, const char *name)
{
	char *clean = arena_copy(im->arena, name, strlen(name) < 24 ? strlen(name) : 24);
	for (char *p = clean; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p))
			*p = '-';
	bool is_taken = !strcmp(clean, "room") || !strcmp(clean, "desk") || !strcmp(clean, "obs") ||
			!strncmp(clean, "pad", 3);
	return is_taken ? arena_print(im->arena, "%s-app", clean) : clean;
}

static void
read_apps(struct import *im)
{
	const struct node *apps = node_get(node_get(im->root, "midi"), "apps");
	for (uint32_t k = 0; apps && apps->kind == NODE_LIST && k < apps->count; k++) {
		const struct node *n = apps->item[k];
		const char *name = node_text(n, "name");
		if (!name || !*name) {
			report_add(im->report, n->src, n->line, n->col, "midi.apps", NULL,
				   "an application has a name");
			continue;
		}
		struct app *app = ARENA_PUSH(im->arena, im->app, im->apps);
		*app = (struct app){
			.theirs = name,
			.name = process_name(im, name),
			.place = n,
			.to = node_text(n, "output_port"),
			.from = node_text(n, "input_port"),
		};
	}
}

static void
put_param(struct import *im, const struct param *p)
{
	static const char *const types[] = {[WIRE_PB] = "pitchbend",
					    [WIRE_CC] = "cc",
					    [WIRE_NOTE] = "note",
					    [WIRE_RELATIVE] = "relative"};
	fprintf(im->out, "      - { name: %s, port: app, type: %s, channel: %u", p->name,
		types[p->at.wire], p->at.channel);
	if (p->at.wire != WIRE_PB)
		fprintf(im->out, ", number: %u", p->at.number);
	if (p->at.wire == WIRE_NOTE || p->at.wire == WIRE_CC)
		fprintf(im->out, ", values: %s", p->at.is_switch ? "switch" : "number");
	fputs(" }\n", im->out);
}

static void
put_drivers(struct import *im)
{
	fputs("drivers:\n", im->out);
	import_obs_driver(im);
	for (uint32_t k = 0; k < im->apps; k++) {
		const struct app *app = &im->app[k];
		fprintf(im->out, "  %s:\n    kind: midi\n    client: ", app->name);
		import_quoted(im->out, arena_print(im->arena, "Bulkhead %s", app->name));
		fputs("\n    ports:\n      - { name: app", im->out);
		if (app->to) {
			fputs(", connect_to: ", im->out);
			import_quoted(im->out, app->to);
		}
		if (app->from) {
			fputs(", connect_from: ", im->out);
			import_quoted(im->out, app->from);
		}
		fputs(", confirm: sent }\n", im->out);
		if (!app->to || !app->from)
			import_note(im, app->place,
				    "%s has no %s; there it took the first MIDI port that it "
				    "found, here it waits for a connection from outside",
				    app->name, app->to ? "input_port" : "output_port");
		if (app->params)
			fputs("    parameters:\n", im->out);
		for (uint32_t i = 0; i < app->params; i++)
			put_param(im, &app->param[i]);
	}
}

static void
put_surface(struct import *im)
{
	const struct node *midi = node_get(im->root, "midi"), *x = node_get(im->root, "xtouch");
	const char *in = node_text(midi, "input_port"), *out = node_text(midi, "output_port"),
		   *mode = node_text(x, "mode");
	fputs("surfaces:\n  desk: { device: x-touch, transport: sequencer, card: ", im->out);
	import_quoted(im->out, in ? in : "X-Touch");
	fputs(" }\n", im->out);
	import_pads_surfaces(im);
	if (in && out && strcmp(in, out))
		import_note(im, node_get(midi, "output_port"),
			    "the output port \"%s\" is another than the input port; one device is "
			    "one port here",
			    out);
	if (mode && strcmp(mode, "ctrl") == 0)
		import_note(im, node_get(x, "mode"),
			    "mode ctrl: switch the X-Touch to Mackie Control (hold SELECT of "
			    "channel 1 while switching it on)");
}

/* Keys that say nothing to us, each with the reason. */
static void
note_rest(struct import *im)
{
	static const struct {
		const char *path[3], *why;
	} rest[] = {
		{{"xtouch", "overlay"},
		 "overlay: strips show the value of what is touched by themselves; `overlay: no` "
		 "on a strip switches it off"},
		{{"xtouch", "overlay_per_app"},
		 "overlay_per_app: a value is shown in its parameter's own unit"},
		{{"xtouch", "startup_refresh_delay_ms"},
		 "startup_refresh_delay_ms: each control is shown when its value is known; nothing "
		 "waits"},
		{{"paging", "channel"},
		 "paging.channel: page keys are controls of the surface, whatever channel it sends "
		 "on"},
		{{"gamepad", "provider"}, "gamepad.provider: pads are read from the kernel"},
		{{"gamepad", "hid", "mapping_csv"},
		 "gamepad.hid.mapping_csv: what a pad's bytes mean is the kernel's to know"},
		{{"tray"}, "the tray is a Windows program; `bulkhead status` says the same"},
		{{"winaudio"}, "Windows audio is not driven here"},
	};
	for (size_t k = 0; k < BH_ARRAY_LEN(rest); k++) {
		const struct node *n = im->root;
		for (size_t i = 0; n && i < 3 && rest[k].path[i]; i++)
			n = node_get(n, rest[k].path[i]);
		if (n)
			import_note(im, n, "%s", rest[k].why);
	}
}

/* Into memory first: what drivers need is known when the pages were written. */
static int
put_all(struct import *im, FILE *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *pages = open_memstream(&text, &len);
	if (!pages)
		return -ENOMEM;
	im->out = pages;
	im->indent = "      ";
	put_pages(im);
	put_global(im);
	fclose(pages);
	im->out = out;
	fprintf(out,
		"# Converted from %s, a configuration of XTouch-GW, by `bulkhead import "
		"xtouch-gw`.\n"
		"# What has no counterpart stands as a comment where it was: look for NOT "
		"CONVERTED.\n"
		"bulkhead: 1\n\n",
		im->root->src->path);
	im->indent = "";
	note_rest(im);
	fputc('\n', out);
	put_surface(im);
	fputc('\n', out);
	im->indent = "    ";
	put_drivers(im);
	fprintf(out, "\n%.*s", (int)len, text);
	free(text);
	return ferror(out) ? -EIO : 0;
}

int
import_xtouch_gw(const struct source *src, struct arena *arena, struct report *report, FILE *out,
		 FILE *notes, struct import_result *result)
{
	static bool places[BH_ARRAY_LEN(vocabulary)][STRIPS + 1];
	struct import im = {.arena = arena,
			    .report = report,
			    .notes = notes,
			    .result = result,
			    .prev_note = 46,
			    .next_note = 47,
			    .bound = places};
	*result = (struct import_result){0};
	im.root = tree_parse(arena, report, src);
	im.pages = node_get(im.root, "pages");
	im.global = node_get(im.root, "pages_global");
	if (!im.root || im.root->kind != NODE_MAP || !im.pages || im.pages->kind != NODE_LIST ||
	    node_get(im.root, "bulkhead")) {
		report_add(report, src, 0, 0, NULL, NULL,
			   "is no configuration of XTouch-GW: it has no list of pages");
		return -EINVAL;
	}
	const struct node *paging = node_get(im.root, "paging");
	if (paging) {
		read_number(&im, paging, "prev_note", 0, 127, &im.prev_note);
		read_number(&im, paging, "next_note", 0, 127, &im.next_note);
	}
	im.obs = node_get(im.root, "obs");
	import_pads_count(&im);
	read_apps(&im);
	return put_all(&im, out);
}
