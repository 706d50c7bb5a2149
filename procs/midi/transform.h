/*
 * transform - what of a message passes from one port to another, and as what
 *
 * In:    one message, a filter, a list of steps
 * Out:   the messages that go on: none, one, or the 2 to 4 controllers that a 14-bit one consists of
 * Fails: never. A step that would need a note, controller or channel that does not exist drops the message.
 *
 *	step               changes               into
 *	channel            any message           the same on another channel
 *	transpose          note, poly pressure   `by` semitones higher
 *	renumber           controller            another: `map`, else `by` higher
 *	velocity           note on               velocity by fixed, or invert, curve, scale, min, max: 1 to 127
 *	value              all other values      the same, 0 to the highest
 *	note_to_cc         note on, off          controller `number` (the note's own), value = velocity, 0 = off
 *	cc_to_note         controller            note `number` (the controller's own), 0 = off
 *	note_to_pitchbend  note on, off          pitch bend, velocity x 129
 *	pitchbend_to_note  pitch bend            note `number` of that channel, velocity = nearest of 7 bits
 *	pitchbend_to_cc    pitch bend            controller `map`[its channel], else `number` (45) + its channel - 1
 *	cc_to_pitchbend    controller            pitch bend on channel `map`[controller], else controller - `number`
 *	                                         + 1, else `channel`; value x 129
 *
 * Steps work one after the other, each on what the one before has made; what a step does not concern passes it
 * unchanged. A note's end goes the same way as its beginning: equal in, equal out, there is no memory here.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/midi/proto.h"

/* Kinds of message as filters tell them apart. */
enum {
	MIDI_PASS_NOTE_ON = 1u << 0,
	MIDI_PASS_NOTE_OFF = 1u << 1,
	MIDI_PASS_POLY_PRESSURE = 1u << 2,
	MIDI_PASS_CC = 1u << 3,
	MIDI_PASS_PROGRAM = 1u << 4,
	MIDI_PASS_PRESSURE = 1u << 5,
	MIDI_PASS_PITCHBEND = 1u << 6,
	MIDI_PASS_SYSEX = 1u << 7,
	MIDI_PASS_COMMON = 1u << 8,   /* time code quarter frames, song position and selection, tune request */
	MIDI_PASS_REALTIME = 1u << 9, /* clock, start, continue, stop, active sensing, reset */
	MIDI_PASS_NOTE = MIDI_PASS_NOTE_ON | MIDI_PASS_NOTE_OFF,
	MIDI_PASS_CHANNEL = (1u << 7) - 1, /* all that have a channel */
	MIDI_PASS_ALL = (1u << 10) - 1,
};

/* 128 bits, for notes or controllers. */
struct midi_set128 {
	uint64_t bits[2];
};
static inline bool
midi_set_has(const struct midi_set128 *s, unsigned n)
{
	return s->bits[n >> 6 & 1] >> (n & 63) & 1;
}
static inline void
midi_set_add(struct midi_set128 *s, unsigned n)
{
	s->bits[n >> 6 & 1] |= 1ull << (n & 63);
}
static inline void
midi_set_drop(struct midi_set128 *s, unsigned n)
{
	s->bits[n >> 6 & 1] &= ~(1ull << (n & 63));
}

struct midi_filter {
	uint32_t kinds;    /* MIDI_PASS_... */
	uint16_t channels; /* bit 0 = channel 1 */
	struct midi_set128 notes, controllers;
};
/* All messages that have a channel. */
void midi_filter_init(struct midi_filter *f);
/* "60" or "36-47", from 0 to 127, low end first. 0 or -EINVAL. */
int midi_range_parse(const char *text, uint8_t *low, uint8_t *high);
bool midi_filter_passes(const struct midi_filter *f, const struct midi_event *ev);

/* The order is that of the configuration's choices. */
enum midi_step_kind {
	MIDI_STEP_CHANNEL,
	MIDI_STEP_TRANSPOSE,
	MIDI_STEP_RENUMBER,
	MIDI_STEP_VELOCITY,
	MIDI_STEP_VALUE,
	MIDI_STEP_NOTE_TO_CC,
	MIDI_STEP_CC_TO_NOTE,
	MIDI_STEP_NOTE_TO_PITCHBEND,
	MIDI_STEP_PITCHBEND_TO_NOTE,
	MIDI_STEP_PITCHBEND_TO_CC,
	MIDI_STEP_CC_TO_PITCHBEND,
	MIDI_STEP_COUNT
};

#define MIDI_NO_MAP  0xff /* in `map`: not there */
#define MIDI_PB_BASE 45   /* pitchbend_to_cc without a number */

struct midi_step {
	enum midi_step_kind kind;
	uint8_t channel; /* 1-16; 0 = the message's own */
	int16_t by;
	int16_t number; /* -1 = not given */
	bool has_map, invert;
	uint8_t fixed;     /* 0 = none */
	uint8_t min, max;  /* of 127 */
	double scale, curve;
	uint8_t map[128]; /* from channel - 1, controller or note to the same kind of number as it stands on the wire */
};
/* One that changes nothing but what its kind says. */
void midi_step_init(struct midi_step *s, enum midi_step_kind kind);

/* Apply one step: false = dropped. */
bool midi_step_apply(const struct midi_step *s, struct midi_event *ev);

/* The whole way: filter, then steps. How many messages go on: 0 to MIDI_OUT_MAX. */
int midi_transform(const struct midi_filter *f, const struct midi_step *steps, uint32_t count,
		   const struct midi_event *in, struct midi_event out[MIDI_OUT_MAX]);
