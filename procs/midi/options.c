/*
 * options - the configuration of bh-midi: its table, and what no table can say
 *
 * In:    options that fit the table
 * Out:   a set of ports, parameters and routes, in which every name means something
 * Fails: with the first mistake: where it stands, what is wrong, what may have been meant. Nothing is left of the set then,
 *        and the one in use stays as it is.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "procs/midi/midi.h"

/* ------------------------------------------------------------------ the table */

static const char *const directions[] = {"both", "in", "out", NULL};
static const char *const confirms[] = {"sent", "echo", NULL};
static const char *const param_confirms[] = {"port", "sent", "echo", NULL};
static const char *const types[] = {"cc",	"cc14",		 "note", "pitchbend", "program",
				    "pressure", "poly_pressure", "nrpn", "rpn",	      "relative", NULL};
static const char *const valued[] = {"auto", "number", "switch", NULL};
static const char *const stepping[] = {"sign", "twos", "offset", NULL};
static const char *const tapers[] = {"linear", "fader_db", "log", NULL};

#define LIVE .reload = BH_RELOAD_LIVE

static const struct bh_cfg_field port_fields[] = {
	BH_CFG(struct midi_port_config, name, .type = BH_CFG_STR, .help = "name of the port that others see"),
	BH_CFG(struct midi_port_config, connect, .type = BH_CFG_STR, .def = "",
	       .help = "peer to stay connected to, CLIENT or CLIENT:PORT, by a part of the name; empty for none"),
	BH_CFG(struct midi_port_config, connect_from, .type = BH_CFG_STR, .def = "",
	       .help = "the peer that we hear, where it is another than the one we send to"),
	BH_CFG(struct midi_port_config, connect_to, .type = BH_CFG_STR, .def = "",
	       .help = "the peer that we send to, where it is another than the one we hear"),
	BH_CFG(struct midi_port_config, direction, .type = BH_CFG_ENUM, .def = "both", .choices = directions,
	       .help = "in: events come to us; out: events go from us"),
	BH_CFG(struct midi_port_config, confirm, .type = BH_CFG_ENUM, .def = "sent", .choices = confirms,
	       .help = "sent: what was sent counts as taken; echo: only what the peer says itself does"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field param_fields[] = {
	BH_CFG(struct midi_param_config, name, .type = BH_CFG_STR, .help = "the parameter, as in synth/volume"),
	BH_CFG(struct midi_param_config, port, .type = BH_CFG_STR, .help = "name of a port in the list of ports"),
	BH_CFG(struct midi_param_config, type, .type = BH_CFG_ENUM, .def = "cc", .choices = types,
	       .help = "what carries the value; cc14 uses two controllers, number and number + 32; relative is a controller that "
		       "tells steps"),
	BH_CFG(struct midi_param_config, channel, .type = BH_CFG_U32, .def = "1", .min = "1", .max = "16",
	       .help = "MIDI channel"),
	BH_CFG(struct midi_param_config, number, .type = BH_CFG_U32, .def = "0", .min = "0", .max = "16383",
	       .help = "controller or note, 0 to 127; for cc14 0 to 31; for nrpn and rpn 0 to 16383"),
	BH_CFG(struct midi_param_config, values, .type = BH_CFG_ENUM, .def = "auto", .choices = valued,
	       .help = "a number, or a switch that is on above 0; auto: notes are switches, all else numbers"),
	BH_CFG(struct midi_param_config, on_value, .type = BH_CFG_U32, .def = "0", .max = "16383",
	       .help = "what a switch sends for on: velocity or value; 0 means the highest"),
	BH_CFG(struct midi_param_config, min, .type = BH_CFG_FLOAT, .def = "0",
	       .help = "value at the lowest position; min and max both 0 mean MIDI's own numbers"),
	BH_CFG(struct midi_param_config, max, .type = BH_CFG_FLOAT, .def = "0", .help = "value at the highest position"),
	BH_CFG(struct midi_param_config, direction, .type = BH_CFG_ENUM, .def = "both", .choices = directions,
	       .help = "in: only reported to us; out: only sent"),
	BH_CFG(struct midi_param_config, confirm, .type = BH_CFG_ENUM, .def = "port", .choices = param_confirms,
	       .help = "as the port's, or otherwise than it"),
	BH_CFG(struct midi_param_config, steps, .type = BH_CFG_ENUM, .def = "sign", .choices = stepping,
	       .help = "relative: up 1 to 63, down 65 to 127 (sign), 127 to 64 (twos), or around 64 (offset)"),
	BH_CFG(struct midi_param_config, unit, .type = BH_CFG_STR, .def = "", .help = "unit to show"),
	BH_CFG(struct midi_param_config, taper, .type = BH_CFG_ENUM, .def = "linear", .choices = tapers,
	       .help = "how positions of a fader spread over the range"),
	BH_CFG(struct midi_param_config, label, .type = BH_CFG_STR, .def = "", .help = "short name for a strip"),
	BH_CFG_LAST,
};

static const struct {
	const char *name;
	uint32_t kinds;
} passed[] = {
	{"channel", MIDI_PASS_CHANNEL},
	{"note", MIDI_PASS_NOTE},
	{"note_on", MIDI_PASS_NOTE_ON},
	{"note_off", MIDI_PASS_NOTE_OFF},
	{"poly_pressure", MIDI_PASS_POLY_PRESSURE},
	{"cc", MIDI_PASS_CC},
	{"program", MIDI_PASS_PROGRAM},
	{"pressure", MIDI_PASS_PRESSURE},
	{"pitchbend", MIDI_PASS_PITCHBEND},
	{"sysex", MIDI_PASS_SYSEX},
	{"common", MIDI_PASS_COMMON},
	{"realtime", MIDI_PASS_REALTIME},
	{"all", MIDI_PASS_ALL},
};
static const char *const passed_names[] = {"channel", "note",	   "note_on", "note_off", "poly_pressure", "cc",  "program",
					   "pressure", "pitchbend", "sysex",   "common",   "realtime",	    "all", NULL};

static const struct bh_cfg_field type_fields[] = {
	{.key = "type", .offset = offsetof(struct midi_word_config, number), .type = BH_CFG_ENUM, .choices = passed_names,
	 .help = "kind of message; channel: all that have one; common: time code, song position; realtime: clock, start, stop"},
	BH_CFG_LAST,
};
static const struct bh_cfg_field channel_fields[] = {
	{.key = "channel", .offset = offsetof(struct midi_word_config, number), .type = BH_CFG_U32, .min = "1", .max = "16",
	 .help = "MIDI channel"},
	BH_CFG_LAST,
};
static const struct bh_cfg_field range_fields[] = {
	BH_CFG(struct midi_word_config, range, .type = BH_CFG_STR, .help = "a number or a range, 60 or 36-47"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field map_fields[] = {
	BH_CFG(struct midi_pair_config, from, .type = BH_CFG_U32, .max = "127", .help = "channel, controller or note that comes in"),
	BH_CFG(struct midi_pair_config, to, .type = BH_CFG_U32, .max = "127", .help = "what it becomes"),
	BH_CFG_LAST,
};

static const char *const step_names[] = {"channel",	     "transpose",	  "renumber",	     "velocity",
					 "value",	     "note_to_cc",	  "cc_to_note",	     "note_to_pitchbend",
					 "pitchbend_to_note", "pitchbend_to_cc", "cc_to_pitchbend", NULL};

static const struct bh_cfg_field step_fields[] = {
	{.key = "do", .offset = offsetof(struct midi_step_config, kind), .type = BH_CFG_ENUM, .choices = step_names,
	 .help = "what this step makes of the messages that it concerns"},
	BH_CFG(struct midi_step_config, channel, .type = BH_CFG_U32, .def = "0", .max = "16",
	       .help = "channel of what it makes; 0: the message's own"),
	BH_CFG(struct midi_step_config, by, .type = BH_CFG_I32, .def = "0", .min = "-127", .max = "127",
	       .help = "transpose, renumber: how far up"),
	BH_CFG(struct midi_step_config, number, .type = BH_CFG_I32, .def = "-1", .min = "-1", .max = "127",
	       .help = "note or controller that it makes; pitchbend_to_cc and cc_to_pitchbend: the controller of channel 1"),
	BH_CFG(struct midi_step_config, map, .type = BH_CFG_LIST, .sub = map_fields, .sub_size = sizeof(struct midi_pair_config),
	       .help = "one by one: channels for channel, channels to controllers for pitchbend_to_cc, and so on"),
	BH_CFG(struct midi_step_config, fixed, .type = BH_CFG_U32, .def = "0", .max = "127",
	       .help = "velocity, value: always this; 0: not"),
	BH_CFG(struct midi_step_config, invert, .type = BH_CFG_BOOL, .def = "no", .help = "velocity, value: upside down"),
	BH_CFG(struct midi_step_config, curve, .type = BH_CFG_FLOAT, .def = "1", .min = "0.1", .max = "10",
	       .help = "velocity, value: exponent; below 1 louder, above 1 softer in the middle"),
	BH_CFG(struct midi_step_config, scale, .type = BH_CFG_FLOAT, .def = "1", .min = "0", .max = "127",
	       .help = "velocity, value: times this, after the curve"),
	BH_CFG(struct midi_step_config, min, .type = BH_CFG_U32, .def = "0", .max = "127", .help = "velocity, value: not below, of 127"),
	BH_CFG(struct midi_step_config, max, .type = BH_CFG_U32, .def = "127", .max = "127", .help = "velocity, value: not above, of 127"),
	BH_CFG_LAST,
};

#define WORDS(m, fields_, text)                                                                                                \
	BH_CFG(struct midi_route_config, m, .type = BH_CFG_LIST, .sub = fields_, .sub_size = sizeof(struct midi_word_config),  \
	       .help = text)
static const struct bh_cfg_field route_fields[] = {
	BH_CFG(struct midi_route_config, from, .type = BH_CFG_STR, .help = "port on which it comes in"),
	BH_CFG(struct midi_route_config, to, .type = BH_CFG_STR, .help = "port from which it goes out"),
	WORDS(types, type_fields, "kinds of message that pass; empty: all that have a channel"),
	WORDS(channels, channel_fields, "channels that pass; empty: all"),
	WORDS(notes, range_fields, "notes that pass, as 60 or 36-47; empty: all"),
	WORDS(except_notes, range_fields, "notes that do not"),
	WORDS(controllers, range_fields, "controllers that pass, as 7 or 16-23; empty: all"),
	WORDS(except_controllers, range_fields, "controllers that do not"),
	BH_CFG(struct midi_route_config, transform, .type = BH_CFG_LIST, .sub = step_fields,
	       .sub_size = sizeof(struct midi_step_config), .help = "steps, one after the other, on what has passed"),
	BH_CFG(struct midi_route_config, back, .type = BH_CFG_BOOL, .def = "no",
	       .help = "may go back to where it came from"),
	{.key = "switch", .offset = offsetof(struct midi_route_config, switch_name), .type = BH_CFG_STR, .def = "",
	 .help = "name of a parameter that turns this route on and off; empty: always on"},
	BH_CFG(struct midi_route_config, start_on, .type = BH_CFG_BOOL, .def = "yes", .help = "on, until its switch says otherwise"),
	BH_CFG(struct midi_route_config, label, .type = BH_CFG_STR, .def = "", .help = "short name for a strip and for messages"),
	BH_CFG_LAST,
};

const struct bh_cfg_field midi_fields[] = {
	BH_CFG(struct midi_config, client, .type = BH_CFG_STR, .def = "Bulkhead", LIVE,
	       .help = "name of our client on the sequencer"),
	BH_CFG(struct midi_config, ports, .type = BH_CFG_LIST, LIVE, .sub = port_fields,
	       .sub_size = sizeof(struct midi_port_config), .help = "our ports"),
	BH_CFG(struct midi_config, parameters, .type = BH_CFG_LIST, LIVE, .sub = param_fields,
	       .sub_size = sizeof(struct midi_param_config), .help = "parameters: what a MIDI message means"),
	BH_CFG(struct midi_config, routes, .type = BH_CFG_LIST, LIVE, .sub = route_fields,
	       .sub_size = sizeof(struct midi_route_config), .help = "what passes from port to port, and as what"),
	BH_CFG_LAST,
};

/* ------------------------------------------------------------------ mistakes */

struct making {
	struct midi_set *set;
	const struct bh_config *options;
	char *why;
	size_t cap;
	char key[96]; /* of what is looked at: "routes[0]" */
};

static const struct bh_cfg_option *
written(const struct making *k, const char *item)
{
	char key[160];

	snprintf(key, sizeof(key), "%s%s%s", k->key, *item != '\0' ? "." : "", item);
	return k->options->head != NULL ? bh_config_option(k->options, key) : NULL;
}

/* "bulkhead.yaml:12: routes[0].to: what is wrong" */
__attribute__((format(printf, 3, 4))) static int
refuse(struct making *k, const char *item, const char *fmt, ...)
{
	const struct bh_cfg_option *o = written(k, item);
	const char *file = o != NULL ? bh_config_str(k->options, k->options->head->file_off) : "";
	const char *slash = strrchr(file, '/');
	size_t n = 0;
	va_list ap;

	if (o != NULL && o->place.line != 0)
		n = (size_t)snprintf(k->why, k->cap, "%s:%u: ", slash != NULL ? slash + 1 : file, o->place.line);
	if (n < k->cap)
		n += (size_t)snprintf(k->why + n, k->cap - n, "%s%s%s: ", k->key, *item != '\0' ? "." : "", item);
	va_start(ap, fmt);
	if (n < k->cap)
		vsnprintf(k->why + n, k->cap - n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int64_t
midi_port_by_name(const struct midi_set *s, const char *name)
{
	for (uint32_t i = 0; i < s->port_count; i++)
		if (strcmp(s->ports[i].cfg->name, name) == 0)
			return i;
	return -ENOENT;
}

uint32_t
midi_port_hash(const struct midi_set *s, uint32_t port)
{
	const char *name = s->ports[port].cfg->name;

	return (uint32_t)midi_guard_hash(name, (uint32_t)strlen(name)) | 1;
}

static int64_t
port_of(struct making *k, const char *item, const char *name)
{
	int64_t port = midi_port_by_name(k->set, name);
	struct bh_suggest s = {.word = name};

	if (port >= 0)
		return port;
	for (uint32_t i = 0; i < k->set->port_count; i++)
		bh_suggest_offer(&s, k->set->ports[i].cfg->name);
	return s.best != NULL ? refuse(k, item, "no port is called \"%s\"; did you mean \"%s\"?", name, s.best)
			      : refuse(k, item, "no port is called \"%s\"", name);
}

/* ------------------------------------------------------------------ ports */

static const char *
first_of(const char *a, const char *b)
{
	return *a != '\0' ? a : b;
}

static int
make_port(struct making *k, const struct midi_port_config *c)
{
	struct midi_port *p = &k->set->ports[k->set->port_count];

	if (c->name[0] == '\0')
		return refuse(k, "name", "it is empty");
	if (midi_port_by_name(k->set, c->name) >= 0)
		return refuse(k, "name", "\"%s\" is there twice", c->name);
	*p = (struct midi_port){.cfg = c, .seq_port = -1};
	p->dir = c->direction == MIDI_BOTH ? MIDI_DIR_IN | MIDI_DIR_OUT : c->direction == MIDI_IN ? MIDI_DIR_IN : MIDI_DIR_OUT;
	p->link[0].want = first_of(c->connect_from, c->connect);
	p->link[1].want = first_of(c->connect_to, c->connect);
	if (c->connect_from[0] != '\0' && (p->dir & MIDI_DIR_IN) == 0)
		return refuse(k, "connect_from", "the port only sends");
	if (c->connect_to[0] != '\0' && (p->dir & MIDI_DIR_OUT) == 0)
		return refuse(k, "connect_to", "the port only hears");
	for (unsigned d = 0; d < 2; d++)
		if (p->link[d].want[0] != '\0')
			p->link[d].dir = p->dir & (d == 0 ? MIDI_DIR_IN : MIDI_DIR_OUT);
	k->set->port_count++;
	return 0;
}

/* ------------------------------------------------------------------ parameters */

static bool
name_is_taken(const struct midi_set *s, const char *name)
{
	for (uint32_t i = 0; i < s->row_count; i++)
		if (strcmp(s->rows[i].cfg->name, name) == 0)
			return true;
	for (uint32_t i = 0; i < s->route_count; i++)
		if (strcmp(s->routes[i].cfg->switch_name, name) == 0)
			return true;
	return false;
}

static int
check_switch(struct making *k, struct midi_row *r, const struct midi_param_config *c)
{
	uint16_t top = midi_raw_max(r->map.type);

	r->is_switch = c->values == MIDI_VALUES_SWITCH || (c->values == MIDI_VALUES_AUTO && c->type == MIDI_NOTE);
	r->on_raw = c->on_value != 0 ? (uint16_t)c->on_value : top;
	if (r->is_switch && (c->type == MIDI_PROGRAM || c->type == MIDI_RELATIVE))
		return refuse(k, "values", "a %s is no switch", midi_type_name(r->map.type));
	if (!r->is_switch && c->on_value != 0)
		return refuse(k, "on_value", "only a switch has one; `values: switch` makes it one");
	if (c->on_value > top)
		return refuse(k, "on_value", "%u is more than the most, %u", c->on_value, top);
	if (r->is_switch && (c->min != 0 || c->max != 0))
		return refuse(k, c->min != 0 ? "min" : "max", "a switch has no range; `values: number` makes it a number");
	return 0;
}

static int
make_row(struct making *k, const struct midi_param_config *c)
{
	struct midi_row *r = &k->set->rows[k->set->row_count];
	int64_t port = port_of(k, "port", c->port);
	char why[80];

	if (port < 0)
		return (int)port;
	if (c->name[0] == '\0')
		return refuse(k, "name", "it is empty");
	if (name_is_taken(k->set, c->name))
		return refuse(k, "name", "\"%s\" is there twice", c->name);
	*r = (struct midi_row){.cfg = c, .port = (uint16_t)port, .id = -1};
	if (midi_map_init(&r->map, (enum midi_type)c->type, c->channel, c->number, c->min, c->max, why, sizeof(why)) < 0)
		return refuse(k, strncmp(why, "number", 6) == 0 ? "number" : "max", "%s", why);
	r->is_sent = c->direction != MIDI_IN;
	r->is_heard = c->direction != MIDI_OUT;
	r->waits_echo = c->confirm == 0 ? k->set->ports[port].cfg->confirm == MIDI_CONFIRM_ECHO : c->confirm == 2;
	if (r->waits_echo && !r->is_heard)
		return refuse(k, c->confirm == 2 ? "confirm" : "direction", "what is only sent has no echo; `confirm: sent`");
	k->set->row_count++;
	return check_switch(k, r, c);
}

static void
make_index(struct midi_set *s)
{
	for (uint32_t i = 0; i < s->row_count; i++)
		if (s->rows[i].is_heard)
			s->index_count +=
				(size_t)midi_index_keys(&s->rows[i].map, s->rows[i].port, i, s->index + s->index_count);
	midi_index_sort(s->index, s->index_count);
}

/* ------------------------------------------------------------------ routes */

static int
add_ranges(struct making *k, const char *list, const struct bh_cfg_list *l, bool only, struct midi_set128 *set)
{
	const struct midi_word_config *w = l->items;
	uint8_t low, high;

	if (only && l->count > 0)
		*set = (struct midi_set128){{0, 0}};
	for (uint32_t i = 0; i < l->count; i++) {
		char item[48];

		snprintf(item, sizeof(item), "%s[%u].range", list, i);
		if (midi_range_parse(w[i].range, &low, &high) < 0)
			return refuse(k, item, "\"%s\" is neither a number from 0 to 127 nor a range as 36-47", w[i].range);
		for (unsigned n = low; n <= high; n++)
			only ? midi_set_add(set, n) : midi_set_drop(set, n);
	}
	return 0;
}

static int
make_filter(struct making *k, struct midi_filter *f, const struct midi_route_config *c)
{
	const struct midi_word_config *type = c->types.items, *channel = c->channels.items;
	int r;

	midi_filter_init(f);
	if (c->types.count > 0)
		f->kinds = 0;
	for (uint32_t i = 0; i < c->types.count; i++)
		f->kinds |= passed[type[i].number].kinds;
	if (c->channels.count > 0)
		f->channels = 0;
	for (uint32_t i = 0; i < c->channels.count; i++)
		f->channels |= (uint16_t)(1u << (channel[i].number - 1));
	r = add_ranges(k, "notes", &c->notes, true, &f->notes);
	r = r < 0 ? r : add_ranges(k, "except_notes", &c->except_notes, false, &f->notes);
	r = r < 0 ? r : add_ranges(k, "controllers", &c->controllers, true, &f->controllers);
	return r < 0 ? r : add_ranges(k, "except_controllers", &c->except_controllers, false, &f->controllers);
}

/* Which keys do something for which step; what is written elsewhere would mislead. */
static const char *const step_keys[MIDI_STEP_COUNT] = {
	[MIDI_STEP_CHANNEL] = "channel map",
	[MIDI_STEP_TRANSPOSE] = "by",
	[MIDI_STEP_RENUMBER] = "by number map",
	[MIDI_STEP_VELOCITY] = "fixed invert curve scale min max",
	[MIDI_STEP_VALUE] = "fixed invert curve scale min max",
	[MIDI_STEP_NOTE_TO_CC] = "channel by number map",
	[MIDI_STEP_CC_TO_NOTE] = "channel by number map",
	[MIDI_STEP_NOTE_TO_PITCHBEND] = "channel",
	[MIDI_STEP_PITCHBEND_TO_NOTE] = "channel number map",
	[MIDI_STEP_PITCHBEND_TO_CC] = "channel number map",
	[MIDI_STEP_CC_TO_PITCHBEND] = "channel number map",
};

static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static int
check_step_keys(struct making *k, const struct midi_step_config *c)
{
	for (const struct bh_cfg_field *f = step_fields + 1; f->type != BH_CFG_END; f++) {
		const struct bh_cfg_option *o = written(k, f->key);
		const char *plain = f->type == BH_CFG_LIST ? "0" : f->def;

		if (o != NULL && strcmp(bh_config_str(k->options, o->text), plain) != 0 &&
		    !has_word(step_keys[c->kind], f->key))
			return refuse(k, f->key, "does nothing for %s; it takes %s", step_names[c->kind], step_keys[c->kind]);
	}
	return 0;
}

/* People count channels from 1, the wire from 0: which side of the map is one. */
static int
make_map(struct making *k, struct midi_step *s, const struct bh_cfg_list *map)
{
	bool from_channel = s->kind == MIDI_STEP_CHANNEL || s->kind == MIDI_STEP_PITCHBEND_TO_CC ||
			    s->kind == MIDI_STEP_PITCHBEND_TO_NOTE;
	bool to_channel = s->kind == MIDI_STEP_CHANNEL || s->kind == MIDI_STEP_CC_TO_PITCHBEND;
	const struct midi_pair_config *pair = map->items;

	s->has_map = map->count > 0;
	for (uint32_t i = 0; i < map->count; i++) {
		uint32_t from = pair[i].from - from_channel, to = pair[i].to - to_channel;
		char item[48];

		snprintf(item, sizeof(item), "map[%u].%s", i, from_channel && from > 15 ? "from" : "to");
		if ((from_channel && from > 15) || (to_channel && to > 15))
			return refuse(k, item, "channels are 1 to 16");
		s->map[from] = (uint8_t)to;
	}
	return 0;
}

static int
make_step(struct making *k, struct midi_step *s, const struct midi_step_config *c)
{
	int r = check_step_keys(k, c);

	if (r < 0)
		return r;
	midi_step_init(s, (enum midi_step_kind)c->kind);
	s->channel = (uint8_t)c->channel;
	s->by = (int16_t)c->by;
	s->number = (int16_t)c->number;
	s->fixed = (uint8_t)c->fixed;
	s->min = (uint8_t)c->min;
	s->max = (uint8_t)c->max;
	s->invert = c->invert;
	s->scale = c->scale;
	s->curve = c->curve;
	if (c->min > c->max)
		return refuse(k, "min", "%u is above max, %u", c->min, c->max);
	if (c->kind == MIDI_STEP_CHANNEL && c->channel == 0 && c->map.count == 0)
		return refuse(k, "do", "it needs a channel or a map");
	if (c->kind == MIDI_STEP_PITCHBEND_TO_NOTE && c->number < 0 && c->map.count == 0)
		return refuse(k, "do", "it needs a number, the note");
	return make_map(k, s, &c->map);
}

static int
make_steps(struct making *k, struct midi_route *r, const struct midi_route_config *c)
{
	const struct midi_step_config *list = c->transform.items;
	char key[sizeof(k->key)];
	int e = 0;

	r->step = calloc(c->transform.count != 0 ? c->transform.count : 1, sizeof(*r->step));
	if (r->step == NULL)
		return -ENOMEM;
	r->steps = c->transform.count;
	memcpy(key, k->key, sizeof(key));
	for (uint32_t i = 0; i < r->steps && e == 0; i++) {
		snprintf(k->key, sizeof(k->key), "%.60s.transform[%u]", key, i);
		e = make_step(k, &r->step[i], &list[i]);
	}
	if (e == 0)
		memcpy(k->key, key, sizeof(key));
	return e;
}

static int
make_route(struct making *k, const struct midi_route_config *c)
{
	struct midi_route *r = &k->set->routes[k->set->route_count];
	int64_t from = port_of(k, "from", c->from), to;
	int e;

	if (from < 0)
		return (int)from;
	to = port_of(k, "to", c->to);
	if (to < 0)
		return (int)to;
	if ((k->set->ports[from].dir & MIDI_DIR_IN) == 0)
		return refuse(k, "from", "the port \"%s\" only sends", c->from);
	if ((k->set->ports[to].dir & MIDI_DIR_OUT) == 0)
		return refuse(k, "to", "the port \"%s\" only hears", c->to);
	if (from == to && !c->back)
		return refuse(k, "to", "it would go back to where it came from; `back: yes` allows it");
	if (c->switch_name[0] != '\0' && name_is_taken(k->set, c->switch_name))
		return refuse(k, "switch", "\"%s\" is there twice", c->switch_name);
	r->cfg = c;
	r->from = (uint16_t)from;
	r->to = (uint16_t)to;
	r->id = -1;
	r->is_on = c->start_on || c->switch_name[0] == '\0';
	k->set->route_count++; /* from here on its steps are freed with the set */
	k->set->ports[from].is_source = true;
	e = make_filter(k, &r->filter, c);
	return e < 0 ? e : make_steps(k, r, c);
}

/* ------------------------------------------------------------------ all of it */

static void *
room_for(uint32_t count, size_t size)
{
	return calloc(count != 0 ? count : 1, size);
}

int
midi_set_make(struct midi_set *s, const struct midi_config *cfg, const struct bh_options *options, char *why, size_t cap)
{
	const struct midi_port_config *port = cfg->ports.items;
	const struct midi_param_config *param = cfg->parameters.items;
	const struct midi_route_config *route = cfg->routes.items;
	struct making k = {.set = s, .options = &options->c, .why = why, .cap = cap};
	int r = 0;

	*s = (struct midi_set){.ports = room_for(cfg->ports.count, sizeof(*s->ports)),
			       .rows = room_for(cfg->parameters.count, sizeof(*s->rows)),
			       .routes = room_for(cfg->routes.count, sizeof(*s->routes)),
			       .index = room_for(2 * cfg->parameters.count, sizeof(*s->index)),
			       .of_id = room_for(BH_MAX_PARAMS, sizeof(*s->of_id)),
			       .id_count = BH_MAX_PARAMS};
	if (s->ports == NULL || s->rows == NULL || s->routes == NULL || s->index == NULL || s->of_id == NULL) {
		snprintf(why, cap, "no memory");
		r = -ENOMEM;
	}
	for (uint32_t i = 0; i < cfg->ports.count && r == 0; i++) {
		snprintf(k.key, sizeof(k.key), "ports[%u]", i);
		r = make_port(&k, &port[i]);
	}
	for (uint32_t i = 0; i < cfg->parameters.count && r == 0; i++) {
		snprintf(k.key, sizeof(k.key), "parameters[%u]", i);
		r = make_row(&k, &param[i]);
	}
	for (uint32_t i = 0; i < cfg->routes.count && r == 0; i++) {
		snprintf(k.key, sizeof(k.key), "routes[%u]", i);
		r = make_route(&k, &route[i]);
	}
	if (r < 0) {
		midi_set_free(s);
		return r;
	}
	make_index(s);
	return 0;
}

void
midi_set_free(struct midi_set *s)
{
	for (uint32_t i = 0; i < s->route_count; i++)
		free(s->routes[i].step);
	free(s->ports);
	free(s->rows);
	free(s->routes);
	free(s->index);
	free(s->of_id);
	*s = (struct midi_set){0};
}
