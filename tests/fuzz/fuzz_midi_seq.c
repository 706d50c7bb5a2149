/*
 * Any bytes as sequencer events for mappings of every type, and as chunks of system exclusive: raw
 * values are in range, scale back to themselves, and messages handed out begin with F0, end with F7
 * and are within the bound.
 */
#include <stdlib.h>
#include <string.h>

#include "procs/midi/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static void
on_sysex(void *data, const uint8_t *bytes, size_t len)
{
	demand(len >= 2 && len <= MIDI_SYSEX_MAX && bytes[0] == 0xf0 && bytes[len - 1] == 0xf7);
	for (size_t i = 1; i + 1 < len; i++)
		demand(bytes[i] < 0x80);
	++*(uint64_t *)data;
}

static void
hear(const struct midi_event *ev, const struct midi_map *maps, struct midi_pair *pairs,
     const struct midi_index_entry *index, size_t entries, uint64_t now)
{
	uint16_t raw;

	for (size_t i = midi_index_find(index, entries, 1, ev); midi_index_is(index, entries, i, 1, ev); i++) {
		const struct midi_map *m = &maps[index[i].row];

		if (!midi_map_in(m, &pairs[index[i].row], ev, now, &raw))
			continue;
		demand(raw <= midi_raw_max(m->type));
		demand(midi_to_raw(m, midi_to_value(m, raw)) == raw);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct midi_sysex s;
	struct midi_map maps[MIDI_TYPE_COUNT];
	struct midi_pair pairs[MIDI_TYPE_COUNT] = {0};
	struct midi_index_entry index[2 * MIDI_TYPE_COUNT];
	struct midi_rpn rpn = {0};
	size_t entries = 0;
	uint64_t messages = 0, now = 0;
	char why[80];
	uint16_t raw;

	memset(&s, 0, sizeof(s));
	for (size_t at = 0, n; at < size; at += n) {
		n = 1 + data[at] % 7;
		if (n > size - at)
			n = size - at;
		midi_sysex_add(&s, data + at, n, on_sysex, &messages);
	}
	demand(s.whole == messages);

	for (enum midi_type t = 0; t < MIDI_TYPE_COUNT; t++) {
		demand(midi_map_init(&maps[t], t, 1 + size % 16, 0, -60, 10, why, sizeof(why)) ==
		       0);
		entries += (size_t)midi_index_keys(&maps[t], 1, t, index + entries);
	}
	midi_index_sort(index, entries);
	for (size_t at = 0; at + 5 <= size; at += 5) {
		struct midi_event ev = {.kind = data[at] % (MIDI_EV_OTHER + 1),
					.channel = data[at + 1],
					.number = data[at + 2],
					.value = (uint16_t)(data[at + 3] << 8 | data[at + 4])},
				  inner;

		now += data[at + 1] * 100000ull;
		hear(&ev, maps, pairs, index, entries, now);
		if (midi_rpn_in(&rpn, &ev, &inner))
			hear(&inner, maps, pairs, index, entries, now);
		for (enum midi_type t = 0; t < MIDI_TYPE_COUNT; t++)
			if (midi_pair_due(&pairs[t], now, &raw))
				demand(raw <= 16383);
	}
	return 0;
}
