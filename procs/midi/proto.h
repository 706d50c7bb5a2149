/*
 * proto - MIDI events to the values of parameters, and back
 *
 * In:    events as the ALSA sequencer has them (a note, a controller, a chunk of system exclusive)
 * Out:   raw values of mappings, scaled values, events to send, whole system exclusive messages
 * Fails: never. What is out of range is clamped or refused with -EINVAL; what is broken is counted.
 *
 * Pure: no I/O, no clock (time comes in), no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MIDI_SYSEX_MAX = 4096 }; /* bytes of one message, F0 and F7 included */

/* What a mapping stands for. The order is that of the configuration's choices. */
enum midi_type { MIDI_CC, MIDI_CC14, MIDI_NOTE, MIDI_PITCHBEND, MIDI_PROGRAM, MIDI_TYPE_COUNT };
const char *midi_type_name(enum midi_type type);

struct midi_map {
	enum midi_type type;
	uint8_t channel; /* 0-15; people write 1-16 */
	uint8_t number;  /* note, controller (CC14: the high half's, 0-31); else 0 */
	double min, max; /* what raw 0 and the highest raw value mean; min > max turns it around */
};

/* Check what a person wrote, channel from 1. Fills *m; 0, or -EINVAL with `why`. min = max = 0
 * means the raw range (pitch bend: -8192 to 8191). */
int midi_map_init(struct midi_map *m, enum midi_type type, uint32_t channel, uint32_t number,
		  double min, double max, char *why, size_t cap);

/* The highest raw value: 127 or 16383. */
uint16_t midi_raw_max(enum midi_type type);
double midi_to_value(const struct midi_map *m, uint16_t raw);
/* Clamped to the range, to the nearest step; what is no number is the minimum. */
uint16_t midi_to_raw(const struct midi_map *m, double value);

enum midi_event_kind {
	MIDI_EV_NOTE,      /* value = velocity, 0 = off */
	MIDI_EV_CONTROL,   /* number, value */
	MIDI_EV_CONTROL14, /* number = the high half's; ALSA programs send it to each other */
	MIDI_EV_PROGRAM,
	MIDI_EV_BEND, /* value 0-16383, rest at 8192 */
	MIDI_EV_PRESSURE,
	MIDI_EV_POLY_PRESSURE,
	MIDI_EV_OTHER, /* none of a mapping's business */
};

struct midi_event {
	enum midi_event_kind kind;
	uint8_t channel, number;
	uint16_t value;
};

/*
 * Two 7-bit controllers as one of 14 bits. The high half waits for the low one, so that a fader
 * that goes down through a step does not seem to jump; a device that sends the high half alone is
 * told by the next high half, or by MIDI_PAIR_NS without a low one. A low half alone refines the
 * last high one.
 */
#define MIDI_PAIR_NS 10000000ull
struct midi_pair {
	uint64_t since_ns; /* when the waiting high half came */
	uint8_t msb;
	bool known;   /* a high half was ever seen */
	bool waiting; /* it has not been passed on */
};

/*
 * An event for this mapping (see midi_index): true if *raw is a new value. `pair` is used by CC14
 * only. A note is 0 or 127.
 */
bool midi_map_in(const struct midi_map *m, struct midi_pair *pair, const struct midi_event *ev,
		 uint64_t now_ns, uint16_t *raw);
/* The high half has waited long enough: true, and *raw. */
bool midi_pair_due(struct midi_pair *pair, uint64_t now_ns, uint16_t *raw);

/* The events that carry a raw value: 1 or 2. */
int midi_map_out(const struct midi_map *m, uint16_t raw, struct midi_event out[2]);

/* Which mappings an event concerns: sorted keys, searched by halves. */
struct midi_index_entry {
	uint32_t key;
	uint32_t row;
};
/* The keys of a mapping on a port: 1 or 2 entries. */
int midi_index_keys(const struct midi_map *m, uint16_t port, uint32_t row,
		    struct midi_index_entry out[2]);
void midi_index_sort(struct midi_index_entry *entries, size_t count);
/* First entry for the event, its equals follow; `count` when there is none. */
size_t midi_index_find(const struct midi_index_entry *entries, size_t count, uint16_t port,
		       const struct midi_event *ev);
/* Is entry n of the event's kind too (after midi_index_find())? */
bool midi_index_is(const struct midi_index_entry *entries, size_t count, size_t n, uint16_t port,
		   const struct midi_event *ev);

/* System exclusive arrives in chunks, cut anywhere. */
struct midi_sysex {
	uint32_t len;
	bool open, too_long;
	uint64_t whole, cut_short, dropped_long,
		stray; /* counts; stray = bytes outside a message */
	uint8_t bytes[MIDI_SYSEX_MAX];
};
typedef void midi_sysex_fn(void *data, const uint8_t *bytes, size_t len);
/* Calls fn for each message that is complete, F0 .. F7; the bytes are borrowed for the call. */
void midi_sysex_add(struct midi_sysex *s, const uint8_t *chunk, size_t len, midi_sysex_fn *fn,
		    void *data);

/*
 * "90 3c 40" or "903c40" appended to out. How many bytes `out` holds then, or -EINVAL (no
 * hexadecimal), -ENOSPC. For the action `send`.
 */
int midi_hex_add(const char *text, uint8_t *out, size_t have, size_t cap);
