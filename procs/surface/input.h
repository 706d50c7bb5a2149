/*
 * input - what the device said, in a memory that outlives us, until it is decoded and published
 *
 * The device is read straight into a byte ring that is pre-filled with FD, which is never a byte of MIDI. So whatever a
 * process had read when it was killed is found by its successor: everything in the window of the last read that is not
 * FD. `decoded` moves only past whole messages that were published; a successor parses again from there, with the
 * running status that held there.
 *
 * Publishing cannot be one store, so the message in hand is marked before: its end, the outbox's position, and the
 * generation its cell will have. A successor that comes to the marked message asks bh_outbox (input_was_marked()) whether it
 * had gone out; so no tick and no press is doubled, and none is lost.
 *
 *   bh_bytes_head.parser[0] running status    [1] end of the marked message    [2] outbox position    [3] generation
 *
 * Fails: a memory whose positions cannot be is started afresh; what was in it is lost and counted by the caller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/midi/parse.h"
#include "shm/layout.h"

enum {
	INPUT_READ_MAX = 256, /* bytes of one read */
	INPUT_RING_MIN = 2048, /* several reads and the longest sysex */
};

struct input {
	uint8_t *ring; /* borrowed */
	uint32_t size;
	struct bh_bytes_head *head; /* borrowed */
	struct bh_midi_parser parser;
	uint64_t at;  /* next byte to parse */
	uint64_t end; /* bytes read so far */
};

/* Take over a memory (both borrowed). Returns the bytes found that are not decoded yet, or -EINVAL: too small. */
int input_init(struct input *in, uint8_t *ring, uint32_t size, struct bh_bytes_head *head);

/* Where the next read may write, and how much. */
void *input_room(struct input *in, size_t *len);
/* That read returned `n` bytes. */
void input_got(struct input *in, size_t n);

/* The next whole message; false = none. Bytes that are no message are passed and counted by the parser. */
bool input_next(struct input *in, struct bh_midi_msg *msg);
/* The message from input_next() is dealt with, for good. */
void input_done(struct input *in);

/* Before publishing the message in hand: where the outbox stands, and the generation its cell gets (0: it has none). */
void input_mark(struct input *in, uint64_t outbox_pos, uint32_t gen);
/* Had a predecessor marked the message in hand? Then with which position and generation. */
bool input_was_marked(const struct input *in, uint64_t *outbox_pos, uint32_t *gen);

/* The device is another or was away: what is in hand is no use any more. */
void input_forget(struct input *in);
