/* transform - see the header. */
#include "procs/midi/transform.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ filter */

void
midi_filter_init(struct midi_filter *f)
{
	*f = (struct midi_filter){.kinds = MIDI_PASS_CHANNEL, .channels = 0xffff};
	memset(&f->notes, 0xff, sizeof(f->notes));
	memset(&f->controllers, 0xff, sizeof(f->controllers));
}

int
midi_range_parse(const char *text, uint8_t *low, uint8_t *high)
{
	char *end;
	long a, b;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	a = b = strtol(text, &end, 10);
	if (*end == '-') {
		text = end + 1;
		if (*text < '0' || *text > '9')
			return -EINVAL;
		b = strtol(text, &end, 10);
	}
	if (*end != '\0' || a > 127 || b > 127 || a > b)
		return -EINVAL;
	*low = (uint8_t)a;
	*high = (uint8_t)b;
	return 0;
}

static uint32_t
kind_of(const struct midi_event *ev)
{
	switch (ev->kind) {
	case MIDI_EV_NOTE: return ev->value > 0 ? MIDI_PASS_NOTE_ON : MIDI_PASS_NOTE_OFF;
	case MIDI_EV_POLY_PRESSURE: return MIDI_PASS_POLY_PRESSURE;
	case MIDI_EV_CONTROL:
	case MIDI_EV_CONTROL14:
	case MIDI_EV_NRPN:
	case MIDI_EV_RPN: return MIDI_PASS_CC;
	case MIDI_EV_PROGRAM: return MIDI_PASS_PROGRAM;
	case MIDI_EV_PRESSURE: return MIDI_PASS_PRESSURE;
	case MIDI_EV_BEND: return MIDI_PASS_PITCHBEND;
	case MIDI_EV_SYSTEM: return ev->number >= 0xf8 ? MIDI_PASS_REALTIME : MIDI_PASS_COMMON;
	case MIDI_EV_OTHER: break;
	}
	return 0;
}

bool
midi_filter_passes(const struct midi_filter *f, const struct midi_event *ev)
{
	uint32_t kind = kind_of(ev);

	if ((f->kinds & kind) == 0)
		return false;
	if ((kind & MIDI_PASS_CHANNEL) && !(f->channels >> (ev->channel & 15) & 1))
		return false;
	if (kind & (MIDI_PASS_NOTE | MIDI_PASS_POLY_PRESSURE))
		return midi_set_has(&f->notes, ev->number);
	return kind != MIDI_PASS_CC || midi_set_has(&f->controllers, ev->number);
}

/* ------------------------------------------------------------------ steps */

void
midi_step_init(struct midi_step *s, enum midi_step_kind kind)
{
	*s = (struct midi_step){.kind = kind, .number = -1, .max = 127, .scale = 1, .curve = 1};
	memset(s->map, MIDI_NO_MAP, sizeof(s->map));
}

static bool
to_channel(const struct midi_step *s, struct midi_event *ev)
{
	if (s->channel != 0)
		ev->channel = s->channel - 1;
	return true;
}

static bool
to_number(struct midi_event *ev, int number)
{
	ev->number = (uint16_t)number;
	return number >= 0 && number <= 127;
}

static uint16_t
scaled(const struct midi_step *s, uint16_t value, uint16_t top, uint16_t least)
{
	uint16_t unit = top > 127 ? 129 : 1;
	double x = (double)value / top;

	if (s->fixed != 0)
		return s->fixed * unit;
	if (s->invert)
		x = (double)(top + least - value) / top;
	x = pow(x, s->curve) * s->scale * top;
	x = fmin(fmax(x, s->min * unit), s->max * unit);
	return (uint16_t)fmax(rint(x), least);
}

static bool
step_channel(const struct midi_step *s, struct midi_event *ev)
{
	if (ev->kind == MIDI_EV_SYSTEM)
		return true;
	if (s->has_map && s->map[ev->channel & 15] != MIDI_NO_MAP) {
		ev->channel = s->map[ev->channel & 15];
		return true;
	}
	return to_channel(s, ev);
}

static bool
step_values(const struct midi_step *s, struct midi_event *ev)
{
	switch (ev->kind) {
	case MIDI_EV_CONTROL:
	case MIDI_EV_PRESSURE:
	case MIDI_EV_POLY_PRESSURE: ev->value = scaled(s, ev->value, 127, 0); break;
	case MIDI_EV_BEND: ev->value = scaled(s, ev->value, 16383, 0); break;
	case MIDI_EV_NOTE:
	case MIDI_EV_CONTROL14: /* never here: they go through midi_plain() first */
	case MIDI_EV_NRPN:
	case MIDI_EV_RPN:
	case MIDI_EV_PROGRAM:
	case MIDI_EV_SYSTEM:
	case MIDI_EV_OTHER: break;
	}
	return true;
}

/* A number on the wire, by the map, or the one given, or its own. */
static bool
step_number(const struct midi_step *s, struct midi_event *ev)
{
	if (s->has_map && s->map[ev->number & 127] != MIDI_NO_MAP)
		return to_number(ev, s->map[ev->number & 127]);
	return to_number(ev, s->number >= 0 ? s->number : ev->number + s->by);
}

static bool
step_from_note(const struct midi_step *s, struct midi_event *ev)
{
	bool to_bend = s->kind == MIDI_STEP_NOTE_TO_PITCHBEND;

	ev->kind = to_bend ? MIDI_EV_BEND : MIDI_EV_CONTROL;
	ev->release = 0;
	if (!to_bend)
		return step_number(s, ev) && to_channel(s, ev);
	ev->value = midi_to_14bit(ev->value);
	ev->number = 0;
	return to_channel(s, ev);
}

static bool
step_from_bend(const struct midi_step *s, struct midi_event *ev)
{
	uint8_t source = ev->channel & 15; /* the fader's, whatever channel it goes to */
	int number = s->number;

	if (s->kind == MIDI_STEP_PITCHBEND_TO_CC) {
		ev->kind = MIDI_EV_CONTROL;
		number = (number >= 0 ? number : MIDI_PB_BASE) + source;
	} else {
		ev->kind = MIDI_EV_NOTE;
		number = number >= 0 ? number : 0;
	}
	if (s->has_map && s->map[source] != MIDI_NO_MAP)
		number = s->map[source];
	ev->value = midi_to_7bit(ev->value > 16383 ? 16383 : ev->value);
	return to_number(ev, number) && to_channel(s, ev);
}

static bool
step_cc_to_bend(const struct midi_step *s, struct midi_event *ev)
{
	int channel = s->channel != 0 ? s->channel - 1 : ev->channel & 15;

	if (s->has_map && s->map[ev->number & 127] != MIDI_NO_MAP)
		channel = s->map[ev->number & 127];
	else if (s->number >= 0)
		channel = ev->number - s->number;
	if (channel < 0 || channel > 15)
		return false;
	*ev = (struct midi_event){
		.kind = MIDI_EV_BEND, .channel = (uint8_t)channel, .value = midi_to_14bit(ev->value & 127)};
	return true;
}

bool
midi_step_apply(const struct midi_step *s, struct midi_event *ev)
{
	bool is_note = ev->kind == MIDI_EV_NOTE, is_cc = ev->kind == MIDI_EV_CONTROL;

	switch (s->kind) {
	case MIDI_STEP_CHANNEL: return step_channel(s, ev);
	case MIDI_STEP_TRANSPOSE:
		return !(is_note || ev->kind == MIDI_EV_POLY_PRESSURE) || to_number(ev, ev->number + s->by);
	case MIDI_STEP_RENUMBER: return !is_cc || step_number(s, ev);
	case MIDI_STEP_VELOCITY:
		if (is_note && ev->value > 0)
			ev->value = scaled(s, ev->value, 127, 1);
		return true;
	case MIDI_STEP_VALUE: return step_values(s, ev);
	case MIDI_STEP_NOTE_TO_CC:
	case MIDI_STEP_NOTE_TO_PITCHBEND: return !is_note || step_from_note(s, ev);
	case MIDI_STEP_CC_TO_NOTE:
		if (!is_cc)
			return true;
		ev->kind = MIDI_EV_NOTE;
		return step_number(s, ev) && to_channel(s, ev);
	case MIDI_STEP_PITCHBEND_TO_NOTE:
	case MIDI_STEP_PITCHBEND_TO_CC: return ev->kind != MIDI_EV_BEND || step_from_bend(s, ev);
	case MIDI_STEP_CC_TO_PITCHBEND: return !is_cc || step_cc_to_bend(s, ev);
	case MIDI_STEP_COUNT: break;
	}
	return true;
}

/* Numbers and values as MIDI can have them, whatever a peer wrote into its event. */
static void
make_legal(struct midi_event *ev)
{
	uint16_t top = ev->kind == MIDI_EV_BEND || ev->kind == MIDI_EV_SYSTEM ? 16383 : 127;

	ev->channel &= 15;
	ev->release &= 127;
	ev->value = ev->value > top ? top : ev->value;
	if (ev->kind != MIDI_EV_SYSTEM)
		ev->number &= 127;
}

int
midi_transform(const struct midi_filter *f, const struct midi_step *steps, uint32_t count, const struct midi_event *in,
	       struct midi_event out[MIDI_OUT_MAX])
{
	struct midi_event plain[MIDI_OUT_MAX];
	int n = midi_plain(in, plain), sent = 0;

	for (int i = 0; i < n; i++) {
		struct midi_event ev = plain[i];
		bool passes;

		make_legal(&ev);
		passes = midi_filter_passes(f, &ev);
		for (uint32_t k = 0; passes && k < count; k++)
			passes = midi_step_apply(&steps[k], &ev);
		if (passes)
			out[sent++] = ev;
	}
	return sent;
}
