/*
 * outbox.h - what one process tells another: a ring, and a cell for each id that holds its newest value
 *
 * Values, touches, releases, relative ticks and meters write their cell first and then the ring; when the ring is full
 * they stay in the cell alone and are counted as conflated, and the consumer that has emptied the ring and sees the
 * overflow count moved takes from the cells what it has not seen (by generation, or by the running total). Actions
 * and presses have no cell: when the ring is full they are refused, counted, and the caller shows it. Nobody ever waits.
 */
#pragma once

#include "shm/bell.h"
#include "shm/latch.h"
#include "shm/ring.h"

struct bh_outbox {
	struct bh_seg seg; /* owned mapping */
	struct bh_outbox_head *head;
	struct bh_cell *cells;
	uint32_t cell_count;
	struct bh_ring_tx ring;
	struct bh_bell_tx bell;
	uint64_t *conflated, *refused, *out, *thinned; /* borrowed counters, may be NULL */
	struct bh_account *account; /* borrowed: BH_CLASSES of them, of this peer; NULL (set it after attaching) = nobody counts */
};

struct bh_inbox {
	struct bh_seg seg; /* owned mapping, read-only */
	const struct bh_outbox_head *head;
	const struct bh_cell *cells;
	uint32_t cell_count;
	struct bh_ring_rx ring;
	uint64_t overflow_seen;
	uint16_t from; /* slot */
};

/*
 * Map and attach. `self` is ours; `peer` the consumer's self segment. `pipe_wr` is its bell's pipe or -1. Whoever attaches as a
 * producer counts as an overflow: his predecessor may have died when a value stood in its cell and not yet in the ring, so the
 * consumer looks at all cells once. Ring its bell (bh_bell_ring_always()).
 */
int bh_outbox_attach(struct bh_outbox *ob, int fd, struct bh_self *self, const struct bh_self *peer, int pipe_wr);
int bh_inbox_attach(struct bh_inbox *ib, int fd, struct bh_self *self, uint16_t from);
void bh_outbox_detach(struct bh_outbox *ob);
void bh_inbox_detach(struct bh_inbox *ib);

/* Does this kind have a cell? */
bool bh_kind_has_cell(uint8_t kind);
enum bh_class bh_kind_class(uint8_t kind);
/* The accounts in a self segment: BH_MAX_SLOTS * BH_CLASSES, by peer and class; NULL if it has none. */
struct bh_account *bh_account_of(const struct bh_seg *self);
/* One more event of this kind was taken from `slot`. `account`: BH_MAX_SLOTS * BH_CLASSES, or NULL. */
void bh_account_taken(struct bh_account *account, uint16_t slot, uint8_t kind);

/*
 * Tell. Writes the cell, then the ring; when that is full, counts the overflow and looks once more, so that a consumer
 * that emptied the ring in between is not left asleep. `v` is the whole value, NULL = the event's inline bytes. The
 * cell keeps what an event does not say: TOUCH and RELATIVE leave its value, and all but RELATIVE its total; `cell_flags`
 * replaces its flags. Fills in ev->gen, total, len and inline bytes as sent.
 *
 * `ev->gen` = 0 takes the next generation of the cell, and a RELATIVE adds `ev->v.i` ticks to the running total. A gen that
 * is given makes the call repeatable, for a successor that finishes its predecessor's commit: the cell is written only if
 * it is older (by serial-number arithmetic), `ev->total` is the running total itself, and the event goes into the ring
 * in any case, because whether it had gone there is known by the ring's position, not by the cell (bh_ring_tx.pos).
 *
 * Returns 0 in the ring, 1 conflated into the cell, -ENOSPC refused, -ERANGE no such cell, -EMSGSIZE a ring too small for
 * this value. Wakes nobody until bh_outbox_flush().
 */
int bh_outbox_put(struct bh_outbox *ob, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags);

/*
 * As bh_outbox_put() with a full ring: into the cell alone, counted as overflow. For outputs for which there was no room when
 * they were decided and committed: repeating them must not move the ring. (If the consumer has emptied it meanwhile and
 * may sleep, a RESYNC wakes it, which bh_outbox_since() leaves out.) Returns 1, or -ERANGE.
 */
int bh_outbox_conflate(struct bh_outbox *ob, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags);

/*
 * How many events stand in the ring from position `pos` on, RESYNC apart: what a predecessor published of the outputs that
 * it committed with this position as the outbox's end. UINT32_MAX: cannot be told, the ring was begun anew; then values
 * belong in their cells, and actions must not be repeated. So a successor finishes the commit before it says anything else.
 */
uint32_t bh_outbox_since(const struct bh_outbox *ob, uint64_t pos);

/* Count an action that was refused before it came here. */
void bh_outbox_refuse(struct bh_outbox *ob);

/* An event without a cell and with a payload (requests, results). 0 or -ENOSPC. */
int bh_outbox_send(struct bh_outbox *ob, const struct bh_event *ev, const void *payload, size_t len);

/* Ring the consumer's bell if it sleeps. Once after a batch, not once an event. Returns system calls made. */
int bh_outbox_flush(struct bh_outbox *ob);

/*
 * Copy the whole value out of an event with its payload: a text of more than BH_INLINE_MAX bytes travels as payload. The
 * text is terminated in `out`. 0, or -EPROTO for a text that is too long or has a NUL inside. Whether it is UTF-8 is the
 * reader's to judge.
 */
int bh_event_value(const struct bh_event *ev, const void *payload, size_t len, union bh_val *out);

/* Read cell `id`: 1 there, 0 never written, -ERANGE, -EAGAIN. */
int bh_inbox_cell(const struct bh_inbox *ib, uint32_t id, struct bh_cell_body *body);

/*
 * Has the producer conflated since we looked at all cells last? Reads one word; `now` receives the count, which the
 * consumer stores in `overflow_seen` after it has looked. True after attaching: what a predecessor saw is not known here.
 */
bool bh_inbox_overflowed(const struct bh_inbox *ib, uint64_t *now);

/* The last look before sleeping: an event, a fault, or an overflow? */
bool bh_inbox_pending(const struct bh_inbox *ib);
