/* proto - see the header. */
#include "procs/midi/proto.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
midi_type_name(enum midi_type type)
{
	switch (type) {
	case MIDI_CC: return "cc";
	case MIDI_CC14: return "cc14";
	case MIDI_NOTE: return "note";
	case MIDI_PITCHBEND: return "pitchbend";
	case MIDI_PROGRAM: return "program";
	case MIDI_PRESSURE: return "pressure";
	case MIDI_POLY_PRESSURE: return "poly_pressure";
	case MIDI_NRPN: return "nrpn";
	case MIDI_RPN: return "rpn";
	case MIDI_RELATIVE: return "relative";
	case MIDI_TYPE_COUNT: break;
	}
	return "?";
}

uint16_t
midi_raw_max(enum midi_type type)
{
	return type == MIDI_CC14 || type == MIDI_PITCHBEND || type == MIDI_NRPN || type == MIDI_RPN
		       ? 16383
		       : 127;
}

static uint32_t
number_max(enum midi_type type)
{
	switch (type) {
	case MIDI_CC:
	case MIDI_NOTE:
	case MIDI_POLY_PRESSURE:
	case MIDI_RELATIVE: return 127;
	case MIDI_CC14: return 31;
	case MIDI_NRPN:
	case MIDI_RPN: return 16383;
	case MIDI_PITCHBEND:
	case MIDI_PROGRAM:
	case MIDI_PRESSURE:
	case MIDI_TYPE_COUNT: break;
	}
	return 0;
}

int
midi_map_init(struct midi_map *m, enum midi_type type, uint32_t channel, uint32_t number,
	      double min, double max, char *why, size_t cap)
{
	uint32_t top = number_max(type);

	if (channel < 1 || channel > 16) {
		snprintf(why, cap, "channel %u: channels are 1 to 16", channel);
		return -EINVAL;
	}
	if (number > top) {
		snprintf(why, cap, "number %u: for the type %s it is at most %u", number,
			 midi_type_name(type), top);
		return -EINVAL;
	}
	if (!isfinite(min) || !isfinite(max) || (min == max && min != 0)) {
		snprintf(why, cap, "min and max must be two different numbers");
		return -EINVAL;
	}
	if (min == max) {
		min = type == MIDI_PITCHBEND ? -8192 : 0;
		max = type == MIDI_PITCHBEND ? 8191 : midi_raw_max(type);
	}
	*m = (struct midi_map){.type = type,
			       .channel = (uint8_t)(channel - 1),
			       .number = (uint16_t)number,
			       .min = min,
			       .max = max};
	return 0;
}

double
midi_to_value(const struct midi_map *m, uint16_t raw)
{
	uint16_t top = midi_raw_max(m->type);

	return m->min + (m->max - m->min) * (raw > top ? top : raw) / top;
}

uint16_t
midi_to_raw(const struct midi_map *m, double value)
{
	uint16_t top = midi_raw_max(m->type);
	double part = (value - m->min) / (m->max - m->min);

	if (!(part > 0)) /* no number at all included */
		return 0;
	if (part >= 1)
		return top;
	return (uint16_t)lrint(part * top);
}

static uint16_t
pair_coarse(const struct midi_pair *p)
{
	return (uint16_t)(p->fine ? p->msb << 7 : midi_to_14bit(p->msb));
}

static bool
pair_in(struct midi_pair *p, uint8_t half, bool high, uint64_t now_ns, uint16_t *raw)
{
	bool alone = high && p->waiting; /* the one before never got its low half */

	if (high) {
		*raw = pair_coarse(p);
		p->msb = half;
		p->known = p->waiting = true;
		p->since_ns = now_ns;
		return alone;
	}
	if (!p->known)
		return false;
	p->waiting = false;
	p->fine = true;
	*raw = (uint16_t)(p->msb << 7 | half);
	return true;
}

bool
midi_pair_due(struct midi_pair *pair, uint64_t now_ns, uint16_t *raw)
{
	if (!pair->waiting || now_ns - pair->since_ns < MIDI_PAIR_NS)
		return false;
	pair->waiting = false;
	*raw = pair_coarse(pair);
	return true;
}

/* Both halves at once. */
static void
pair_whole(struct midi_pair *p, uint16_t value)
{
	p->msb = (uint8_t)(value >> 7 & 127);
	p->known = p->fine = true;
	p->waiting = false;
}

bool
midi_map_in(const struct midi_map *m, struct midi_pair *pair, const struct midi_event *ev,
	    uint64_t now_ns, uint16_t *raw)
{
	uint16_t top = midi_raw_max(m->type);
	bool is_pair = m->type == MIDI_CC14 || m->type == MIDI_NRPN || m->type == MIDI_RPN;

	if (is_pair && ev->kind == MIDI_EV_CONTROL)
		return pair_in(pair, ev->value & 127, ev->number < 32, now_ns, raw);
	if (is_pair && ev->half != MIDI_WHOLE)
		return pair_in(pair, ev->value & 127, ev->half == MIDI_HIGH, now_ns, raw);
	if (is_pair)
		pair_whole(pair, ev->value);
	*raw = ev->value > top ? top : ev->value;
	if (top == 127 && ev->kind == MIDI_EV_CONTROL14)
		*raw = ev->value >> 7 & 127;
	return true;
}

/* Select the number, then its value, high halves first. */
static int
rpn_out(const struct midi_event *ev, struct midi_event out[MIDI_OUT_MAX])
{
	bool is_rpn = ev->kind == MIDI_EV_RPN;
	const uint8_t number[MIDI_OUT_MAX] = {is_rpn ? 101 : 99, is_rpn ? 100 : 98, 6, 38};
	const uint16_t value[MIDI_OUT_MAX] = {ev->number >> 7 & 127, ev->number & 127, ev->value >> 7 & 127,
					      ev->value & 127};

	for (int i = 0; i < MIDI_OUT_MAX; i++)
		out[i] = (struct midi_event){.kind = MIDI_EV_CONTROL,
					     .channel = ev->channel,
					     .number = number[i],
					     .value = value[i]};
	return MIDI_OUT_MAX;
}

int
midi_plain(const struct midi_event *ev, struct midi_event out[MIDI_OUT_MAX])
{
	if ((ev->kind == MIDI_EV_NRPN || ev->kind == MIDI_EV_RPN) && ev->half == MIDI_WHOLE)
		return rpn_out(ev, out);
	out[0] = *ev;
	if (ev->kind != MIDI_EV_CONTROL14)
		return 1;
	out[0].kind = MIDI_EV_CONTROL;
	out[0].value = ev->value >> 7 & 127;
	if (ev->number >= 32)
		return 1;
	out[1] = out[0];
	out[1].number = ev->number + 32;
	out[1].value = ev->value & 127;
	return 2;
}

int
midi_map_out(const struct midi_map *m, uint16_t raw, struct midi_event out[MIDI_OUT_MAX])
{
	static const enum midi_event_kind kinds[MIDI_TYPE_COUNT] = {
		[MIDI_CC] = MIDI_EV_CONTROL,       [MIDI_CC14] = MIDI_EV_CONTROL14,
		[MIDI_NOTE] = MIDI_EV_NOTE,        [MIDI_PITCHBEND] = MIDI_EV_BEND,
		[MIDI_PROGRAM] = MIDI_EV_PROGRAM,  [MIDI_PRESSURE] = MIDI_EV_PRESSURE,
		[MIDI_NRPN] = MIDI_EV_NRPN,        [MIDI_POLY_PRESSURE] = MIDI_EV_POLY_PRESSURE,
		[MIDI_RPN] = MIDI_EV_RPN,          [MIDI_RELATIVE] = MIDI_EV_CONTROL,
	};
	struct midi_event ev = {
		.kind = kinds[m->type], .channel = m->channel, .number = m->number, .value = raw};

	return midi_plain(&ev, out);
}

bool
midi_rpn_in(struct midi_rpn *r, const struct midi_event *ev, struct midi_event *out)
{
	uint8_t c = ev->channel & 15;
	uint16_t v = ev->value & 127;

	if (ev->kind != MIDI_EV_CONTROL)
		return false;
	if (ev->number >= 98 && ev->number <= 101) {
		uint8_t kind = ev->number < 100 ? MIDI_EV_NRPN : MIDI_EV_RPN;
		uint16_t was = r->kind[c] == kind ? r->number[c] : 0;

		r->kind[c] = kind;
		r->number[c] = (uint16_t)(ev->number & 1 ? v << 7 | (was & 127) : (was & (127 << 7)) | v);
		return false;
	}
	if ((ev->number != 6 && ev->number != 38) || r->kind[c] == 0 || r->number[c] == 16383)
		return false; /* 127 127 is the number of none */
	*out = (struct midi_event){.kind = r->kind[c],
				   .channel = c,
				   .half = ev->number == 6 ? MIDI_HIGH : MIDI_LOW,
				   .number = r->number[c],
				   .value = v};
	return true;
}

uint16_t
midi_relative_out(enum midi_steps how, int64_t steps, int *told)
{
	int n = steps > 63 ? 63 : steps < -63 ? -63 : (int)steps;

	*told = n;
	switch (how) {
	case MIDI_STEPS_SIGN: break;
	case MIDI_STEPS_TWOS: return (uint16_t)(n & 127);
	case MIDI_STEPS_OFFSET: return (uint16_t)(64 + n);
	}
	return (uint16_t)(n < 0 ? 64 - n : n);
}

int
midi_relative_in(enum midi_steps how, uint16_t value)
{
	int v = value & 127;

	switch (how) {
	case MIDI_STEPS_SIGN: break;
	case MIDI_STEPS_TWOS: return v < 64 ? v : v - 128;
	case MIDI_STEPS_OFFSET: return v - 64;
	}
	return v < 64 ? v : 64 - v;
}

/* A key has the port above, then what kind of message, channel and number. */
static uint64_t
make_key(uint16_t port, enum midi_event_kind kind, uint8_t channel, uint16_t number)
{
	if (kind == MIDI_EV_CONTROL14)
		kind = MIDI_EV_CONTROL;
	if (kind == MIDI_EV_BEND || kind == MIDI_EV_PROGRAM || kind == MIDI_EV_PRESSURE)
		number = 0;
	return (uint64_t)port << 32 | (uint64_t)kind << 24 | (uint64_t)(channel & 15) << 16 | number;
}

int
midi_index_keys(const struct midi_map *m, uint16_t port, uint32_t row,
		struct midi_index_entry out[2])
{
	struct midi_event ev[MIDI_OUT_MAX];
	int n = midi_map_out(m, 0, ev);

	if (m->type == MIDI_NRPN || m->type == MIDI_RPN) { /* as midi_rpn_in() hands it out */
		ev[0].kind = m->type == MIDI_RPN ? MIDI_EV_RPN : MIDI_EV_NRPN;
		ev[0].number = m->number;
		n = 1;
	}
	for (int i = 0; i < n; i++)
		out[i] = (struct midi_index_entry){
			make_key(port, ev[i].kind, ev[i].channel, ev[i].number), row};
	return n;
}

static int
by_key(const void *a, const void *b)
{
	const struct midi_index_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

void
midi_index_sort(struct midi_index_entry *entries, size_t count)
{
	if (count > 0)
		qsort(entries, count, sizeof(*entries), by_key);
}

size_t
midi_index_find(const struct midi_index_entry *entries, size_t count, uint16_t port,
		const struct midi_event *ev)
{
	uint64_t key = make_key(port, ev->kind, ev->channel, ev->number);
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (entries[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count && entries[low].key == key ? low : count;
}

bool
midi_index_is(const struct midi_index_entry *entries, size_t count, size_t n, uint16_t port,
	      const struct midi_event *ev)
{
	return n < count && entries[n].key == make_key(port, ev->kind, ev->channel, ev->number);
}

void
midi_sysex_add(struct midi_sysex *s, const uint8_t *chunk, size_t len, midi_sysex_fn *fn,
	       void *data)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t b = chunk[i];

		if (b >= 0xf8) /* realtime may stand anywhere */
			continue;
		if (b >= 0x80 && b != 0xf7 && s->open) {
			s->cut_short++;
			s->open = false;
		}
		if (b == 0xf0) {
			s->open = true;
			s->too_long = false;
			s->len = 0;
		}
		if (!s->open) {
			s->stray++;
			continue;
		}
		if (s->len < MIDI_SYSEX_MAX)
			s->bytes[s->len++] = b;
		else
			s->too_long = true;
		if (b != 0xf7)
			continue;
		s->open = false;
		if (s->too_long) {
			s->dropped_long++;
		} else {
			s->whole++;
			fn(data, s->bytes, s->len);
		}
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
midi_hex_add(const char *text, uint8_t *out, size_t have, size_t cap)
{
	while (*text != '\0') {
		int high = hex_digit(text[0]), low;

		if (*text == ' ' || *text == '\t') {
			text++;
			continue;
		}
		low = high >= 0 ? hex_digit(text[1]) : -1;
		if (low < 0)
			return -EINVAL;
		if (have >= cap)
			return -ENOSPC;
		out[have++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return (int)have;
}
