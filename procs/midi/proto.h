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
enum midi_type {
	MIDI_CC,
	MIDI_CC14,
	MIDI_NOTE, /* the velocity; a release is 0, whatever velocity it has itself */
	MIDI_PITCHBEND,
	MIDI_PROGRAM,
	MIDI_PRESSURE,
	MIDI_POLY_PRESSURE,
	MIDI_NRPN,
	MIDI_RPN,
	MIDI_RELATIVE, /* a controller that tells steps: raw is one message's, see midi_relative_out() */
	MIDI_TYPE_COUNT
};
const char *midi_type_name(enum midi_type type);

struct midi_map {
	enum midi_type type;
	uint8_t channel; /* 0-15; people write 1-16 */
	uint16_t number; /* note, controller (CC14: the high half's, 0-31), NRPN, RPN; else 0 */
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
	MIDI_EV_NRPN,   /* number and value have 14 bits; see `half` */
	MIDI_EV_RPN,
	MIDI_EV_SYSTEM, /* number = the status byte, F1 to FF without F0 and F7; value: F1 to F3 */
	MIDI_EV_OTHER,
};

enum midi_half { MIDI_WHOLE, MIDI_HIGH, MIDI_LOW };

struct midi_event {
	enum midi_event_kind kind;
	uint8_t channel;
	uint8_t half;    /* NRPN, RPN: enum midi_half, which 7 bits `value` is */
	uint8_t release; /* NOTE off: its velocity */
	uint16_t number;
	uint16_t value;
};

/*
 * Two 7-bit controllers as one of 14 bits. The high half waits for the low one, so that a fader
 * that goes down through a step does not seem to jump; a device that sends the high half alone is
 * told by the next high half, or by MIDI_PAIR_NS without a low one. A low half alone refines the
 * last high one. Where never a low half came the device has 7 bits: its 127 is our 16383.
 */
#define MIDI_PAIR_NS 10000000ull
struct midi_pair {
	uint64_t since_ns; /* when the waiting high half came */
	uint8_t msb;
	bool known;   /* a high half was ever seen */
	bool fine;    /* a low half was ever seen */
	bool waiting; /* it has not been passed on */
};

/* 14 bits to the nearest of 7, and 7 bits spread over 14: 0 and the highest stay what they are. */
static inline uint16_t
midi_to_7bit(uint16_t v)
{
	return (uint16_t)((v * 254u + 16383u) / (2u * 16383u));
}
static inline uint16_t
midi_to_14bit(uint16_t v)
{
	return (uint16_t)(v * 129u);
}

/*
 * An event for this mapping (see midi_index): true if *raw is a new value. `pair` is used by those
 * of 14 bits in halves.
 */
bool midi_map_in(const struct midi_map *m, struct midi_pair *pair, const struct midi_event *ev,
		 uint64_t now_ns, uint16_t *raw);
/* The high half has waited long enough: true, and *raw. */
bool midi_pair_due(struct midi_pair *pair, uint64_t now_ns, uint16_t *raw);

#define MIDI_OUT_MAX 4

/* The events that carry a raw value: 1 to 4. */
int midi_map_out(const struct midi_map *m, uint16_t raw, struct midi_event out[MIDI_OUT_MAX]);

/* Which NRPN or RPN each channel of a port has selected: they are messages of several controllers. */
struct midi_rpn {
	uint16_t number[16];
	uint8_t kind[16]; /* MIDI_EV_NRPN, MIDI_EV_RPN; 0 = none */
};
/* A controller: true if it is data for what is selected, which is then in *out. */
bool midi_rpn_in(struct midi_rpn *r, const struct midi_event *ev, struct midi_event *out);
/* One 14-bit controller, NRPN or RPN as plain controllers; anything else as it is. 1 to 4. */
int midi_plain(const struct midi_event *ev, struct midi_event out[MIDI_OUT_MAX]);

/* How a controller tells steps. The order is that of the configuration's choices. */
enum midi_steps {
	MIDI_STEPS_SIGN,   /* up 1 to 63, down 65 to 127: Mackie Control */
	MIDI_STEPS_TWOS,   /* up 1 to 63, down 127 to 64 */
	MIDI_STEPS_OFFSET, /* up 65 to 127, down 63 to 0 */
};
/* The controller value for as many of `steps` (not 0) as one message can tell; *told receives them. */
uint16_t midi_relative_out(enum midi_steps how, int64_t steps, int *told);
int midi_relative_in(enum midi_steps how, uint16_t value);

/* Which mappings an event concerns: sorted keys, searched by halves. */
struct midi_index_entry {
	uint64_t key;
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
