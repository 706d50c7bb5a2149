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
	case MIDI_TYPE_COUNT: break;
	}
	return "?";
}

uint16_t
midi_raw_max(enum midi_type type)
{
	return type == MIDI_CC14 || type == MIDI_PITCHBEND ? 16383 : 127;
}

int
midi_map_init(struct midi_map *m, enum midi_type type, uint32_t channel, uint32_t number,
	      double min, double max, char *why, size_t cap)
{
	uint32_t top = type == MIDI_CC14 ? 31 : type == MIDI_CC || type == MIDI_NOTE ? 127 : 0;

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
			       .number = (uint8_t)number,
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

static bool
pair_in(struct midi_pair *p, uint8_t half, bool high, uint64_t now_ns, uint16_t *raw)
{
	bool alone = high && p->waiting; /* the one before never got its low half */

	if (high) {
		*raw = (uint16_t)(p->msb << 7);
		p->msb = half;
		p->known = p->waiting = true;
		p->since_ns = now_ns;
		return alone;
	}
	if (!p->known)
		return false;
	p->waiting = false;
	*raw = (uint16_t)(p->msb << 7 | half);
	return true;
}

bool
midi_pair_due(struct midi_pair *pair, uint64_t now_ns, uint16_t *raw)
{
	if (!pair->waiting || now_ns - pair->since_ns < MIDI_PAIR_NS)
		return false;
	pair->waiting = false;
	*raw = (uint16_t)(pair->msb << 7);
	return true;
}

bool
midi_map_in(const struct midi_map *m, struct midi_pair *pair, const struct midi_event *ev,
	    uint64_t now_ns, uint16_t *raw)
{
	uint16_t top = midi_raw_max(m->type);

	if (m->type == MIDI_CC14 && ev->kind == MIDI_EV_CONTROL)
		return pair_in(pair, ev->value & 127, ev->number < 32, now_ns, raw);
	if (m->type == MIDI_CC14) { /* both halves at once */
		pair->msb = (uint8_t)(ev->value >> 7 & 127);
		pair->known = true;
		pair->waiting = false;
	}
	*raw = ev->value > top ? top : ev->value;
	if (m->type == MIDI_NOTE)
		*raw = ev->value > 0 ? 127 : 0;
	else if (m->type == MIDI_CC && ev->kind == MIDI_EV_CONTROL14)
		*raw = ev->value >> 7 & 127;
	return true;
}

int
midi_map_out(const struct midi_map *m, uint16_t raw, struct midi_event out[2])
{
	struct midi_event ev = {.channel = m->channel, .number = m->number, .value = raw};

	switch (m->type) {
	case MIDI_CC14:
		ev.kind = MIDI_EV_CONTROL;
		out[0] = out[1] = ev;
		out[0].value = raw >> 7 & 127;
		out[1].value = raw & 127;
		out[1].number = (uint8_t)(m->number + 32);
		return 2;
	case MIDI_NOTE:
		ev.kind = MIDI_EV_NOTE;
		ev.value = raw > 0 ? 127 : 0;
		break;
	case MIDI_PITCHBEND: ev.kind = MIDI_EV_BEND; break;
	case MIDI_PROGRAM: ev.kind = MIDI_EV_PROGRAM; break;
	case MIDI_CC:
	case MIDI_TYPE_COUNT: ev.kind = MIDI_EV_CONTROL; break;
	}
	out[0] = ev;
	return 1;
}

/* A key has the port above, then what kind of message, channel and number. */
static uint32_t
make_key(uint16_t port, enum midi_event_kind kind, uint8_t channel, uint8_t number)
{
	if (kind == MIDI_EV_CONTROL14)
		kind = MIDI_EV_CONTROL;
	if (kind == MIDI_EV_BEND || kind == MIDI_EV_PROGRAM)
		number = 0;
	return (uint32_t)port << 16 | (uint32_t)kind << 12 | (uint32_t)(channel & 15) << 8 | number;
}

int
midi_index_keys(const struct midi_map *m, uint16_t port, uint32_t row,
		struct midi_index_entry out[2])
{
	struct midi_event ev[2];
	int n = midi_map_out(m, 0, ev);

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
	uint32_t key = make_key(port, ev->kind, ev->channel, ev->number);
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
