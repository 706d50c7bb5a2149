/*
 * ring.h - the single-producer single-consumer event ring
 *
 * The sequence number stands in the slot: position p lives in slot p & mask and is there once the slot's sequence is
 * p + 1. An event is one cache line, longer payloads follow in continuation slots which are written first. Publishing
 * is one release store of the head's sequence; a producer killed before it has written nothing. The consumer's cursor
 * lives in the consumer's self segment; it is moved after the event was processed, so that a successor sees the
 * unfinished one again.
 *
 * Nothing here blocks, locks or allocates. Words of the peer are copied once and checked; a broken one costs the
 * peer its event (-EPROTO, counted by the caller), never the reader its life.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/layout.h"
#include "shm/seg.h"

struct bh_ring_tx {
	struct bh_event *slots; /* borrowed: in our own outbox segment */
	uint32_t mask;
	uint64_t pos;		/* next position to write */
	uint64_t seen;		/* the consumer's cursor as read last */
	const uint64_t *cursor; /* borrowed: the consumer's self segment; NULL = nobody consumes: the oldest is overwritten */
	uint64_t *faults;	/* borrowed counter of impossible cursors, may be NULL (set it after attaching) */
	bool realigned;		/* at attach ring and cursor did not belong together: begun anew where the consumer looks */
};

struct bh_ring_rx {
	const struct bh_event *slots; /* borrowed: the producer's outbox, read-only */
	uint32_t mask;
	uint64_t pos;	  /* next position to read */
	uint64_t *cursor; /* borrowed: our own self segment */
	uint64_t next;	  /* position after what was peeked last: what the cursor will be once it is done */
	bool jumped;	  /* at attach the cursor made no sense and went to the ring's end: look at all cells */
};

/*
 * Attach the producer's side; the end of the ring is found by its sequences. Where ring and cursor cannot belong to each
 * other (one of them is a fresh segment, or was scribbled over) or an event is missing between the two, the ring is
 * emptied and goes on at the cursor. 0 or -EPROTO.
 */
int bh_ring_tx_attach(struct bh_ring_tx *tx, const struct bh_seg *outbox, const uint64_t *consumer_cursor);
/*
 * Attach the consumer's side at the cursor. A cursor that lies further behind than the ring is long is a fresh one: it
 * goes to the ring's end. (A fresh cursor and a ring that has not gone round once cannot be told from a consumer that
 * never consumed: who gives a process a fresh self segment gives it fresh inboxes too.) 0, or -EPROTO.
 */
int bh_ring_rx_attach(struct bh_ring_rx *rx, const struct bh_seg *outbox, uint64_t *cursor);

/* Free slots, as far as the consumer's cursor can be believed. */
uint32_t bh_ring_room(struct bh_ring_tx *tx);

/*
 * Publish one event with `len` bytes of payload in continuation slots (0 to BH_PAYLOAD_MAX). `seq`, `cont`, and with a
 * payload `len` (its low byte), are filled in here. Returns 0; -ENOSPC (nothing written); -EMSGSIZE for a payload that
 * is too long, or takes more than half of the ring. Wakes nobody: see bell.h.
 */
int bh_ring_push(struct bh_ring_tx *tx, const struct bh_event *ev, const void *payload, size_t len);

/*
 * Copy the next event and its payload (at most `cap` bytes; `len` receives the bytes). 1 = there, 0 = none,
 * -EPROTO = the producer broke the protocol at this position (skip it by bh_ring_advance()).
 */
int bh_ring_peek(struct bh_ring_rx *rx, struct bh_event *ev, void *payload, size_t cap, size_t *len);

/* Is there an event (or a fault)? Reads one word. Before sleeping ask bh_inbox_pending(), which knows of overflow too. */
bool bh_ring_has(const struct bh_ring_rx *rx);

/*
 * What bh_ring_peek() met last is done (or is a fault, to be skipped): move the cursor to rx->next by a release store.
 * Nothing peeked, nothing moved. `ev` says at the place of the call which event that is; its words are not used.
 */
void bh_ring_advance(struct bh_ring_rx *rx, const struct bh_event *ev);

/* Move the cursor: for a successor that finishes a commit in which the position after the input is recorded. */
void bh_ring_seek(struct bh_ring_rx *rx, uint64_t pos);

/*
 * The word to sleep on, and the value it had. Whatever the order of this and the last look: what is there at the time of
 * this call is never slept on.
 */
const uint32_t *bh_ring_word(const struct bh_ring_rx *rx, uint32_t *value);
