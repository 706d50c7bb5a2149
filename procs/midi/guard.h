/*
 * guard - does what a route sends come back to it?
 *
 * Messages of a loop are the same ones again and again, faster than any hand: each that has passed within the last
 * moment counts, and what counts drains away by the time. Over the limit the route is cut; it is tried again after a
 * while, longer each time. A single echo, or a stream of different messages, never cuts.
 *
 *	repeat     the same message passed within MIDI_GUARD_NEAR_NS; for messages that repeat by nature
 *	           (clock, meters: `often`) MIDI_GUARD_OFTEN_NS
 *	level      +1 for each repeat, -1 for each MIDI_GUARD_DRAIN_NS: 200 repeats a second pass for ever
 *	cut        level at MIDI_GUARD_LIMIT; for 1 s, twice as long each time up to 30 s, from 1 s again after a
 *	           minute without
 *
 * A virtual cable brings some thousand messages a second, and is cut within a tenth of one; a DIN cable about 900: half
 * a second. An encoder that is spun as fast as a hand can gives some 300, and that for less than the second it would need.
 *
 * Pure: time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MIDI_GUARD_NEAR_NS    100000000ull
#define MIDI_GUARD_OFTEN_NS   10000000ull
#define MIDI_GUARD_DRAIN_NS   5000000ull
#define MIDI_GUARD_LIMIT      250u
#define MIDI_GUARD_CUT_MIN_NS 1000000000ull
#define MIDI_GUARD_CUT_MAX_NS 30000000000ull
#define MIDI_GUARD_CALM_NS    60000000000ull

enum { MIDI_GUARD_SLOTS = 256 };

/* Zero is the start. */
struct midi_guard {
	struct midi_guard_seen {
		uint64_t hash, last_ns;
	} seen[MIDI_GUARD_SLOTS];
	uint32_t level;
	uint64_t drained_ns;	    /* the level is right for this moment */
	uint64_t cut_ns, until_ns;  /* cut since, until; 0 = open */
	uint64_t wait_ns;	    /* of the last cut */
	uint64_t cuts, stopped;	    /* counts: times cut, messages that did not pass */
};

enum midi_guard_verdict { MIDI_GUARD_PASS, MIDI_GUARD_STOP, MIDI_GUARD_CUT /* stop, and it is new */ };

/* A message, by a hash of its bytes, wants to pass. */
enum midi_guard_verdict midi_guard_step(struct midi_guard *g, uint64_t hash, bool often, uint64_t now_ns);
/* Is it cut at this moment? */
bool midi_guard_is_cut(const struct midi_guard *g, uint64_t now_ns);
uint64_t midi_guard_hash(const void *bytes, uint32_t len);
