/*
 * ring.c - see ring.h
 *
 * What may stand in the sequence word of the slot of position p, in the producer's memory:
 *   p + 1              the event is there
 *   (p + 1) | CONT     bytes of an event whose head stands before p, or is yet to be written
 *   less               an older lap: not there yet
 *   p + 1 + k * slots  impossible while the producer keeps the protocol: a fault
 *   anything else      garbage: as if nothing were there
 */
#include "shm/ring.h"

#include <errno.h>

#include "shm/order.h"

#define RING_POS_MAX (1ull << 62)

static uint64_t
ring_seq(const struct bh_event *slots, uint32_t mask, uint64_t pos)
{
	return __atomic_load_n(&slots[pos & mask].seq, BH_ORDER_SEQ_LOAD);
}

/* An event takes at most half of the ring, so that writing the next one never touches the last one. */
static bool
ring_extent_ok(uint32_t extent, uint32_t mask)
{
	return extent <= BH_CONT_MAX + 1 && extent <= (mask + 1) / 2;
}

/* Does a sequence (without its CONT bit) belong into the slot with this index? */
static bool
ring_fits(uint64_t seq, uint32_t index, uint32_t mask)
{
	return seq && seq <= RING_POS_MAX && ((seq - 1) & mask) == index;
}

/*
 * The position after the newest event. Continuation slots count only through their head: a producer killed before the
 * head has written nothing. With `all`, every word counts: nothing in the ring lies beyond what is returned.
 */
static uint64_t
ring_end(const struct bh_event *slots, uint32_t mask, bool all)
{
	uint64_t end = 0;
	for (uint32_t k = 0; k <= mask; k++) {
		uint64_t word = ring_seq(slots, mask, k);
		uint64_t seq = word & ~BH_SEQ_CONT;
		if (!ring_fits(seq, k, mask) || (word != seq && !all))
			continue;
		if (word == seq) {
			uint32_t extent = 1u + __atomic_load_n(&slots[k].cont, __ATOMIC_RELAXED);
			if (ring_extent_ok(extent, mask))
				seq += extent - 1;
		}
		if (seq > end)
			end = seq;
	}
	return end;
}

static const void *
ring_section(const struct bh_seg *outbox, uint32_t *mask)
{
	uint32_t count;
	const void *slots = bh_seg_section(outbox, BH_SEC_RING, sizeof(struct bh_event), &count);
	if (!slots || count < 2 || count & (count - 1))
		return NULL;
	*mask = count - 1;
	return slots;
}

/* Can a consumer of a ring of `cap` slots that ends at `end` stand there? */
static bool
ring_believes(uint64_t cursor, uint64_t end, uint64_t cap)
{
	return cursor <= end && end - cursor <= cap;
}

/* Does one event follow the other from `pos` to `end`? */
static bool
ring_is_whole(const struct bh_event *slots, uint32_t mask, uint64_t pos, uint64_t end)
{
	while (pos < end) {
		uint32_t extent = 1u + __atomic_load_n(&slots[pos & mask].cont, __ATOMIC_RELAXED);
		if (ring_seq(slots, mask, pos) != pos + 1 || !ring_extent_ok(extent, mask))
			return false;
		pos += extent;
	}
	return pos == end;
}

int
bh_ring_tx_attach(struct bh_ring_tx *tx, const struct bh_seg *outbox, const uint64_t *consumer_cursor)
{
	memset(tx, 0, sizeof(*tx));
	tx->slots = (struct bh_event *)ring_section(outbox, &tx->mask);
	if (!tx->slots || !outbox->writable)
		return -EPROTO;
	uint64_t cap = tx->mask + 1ull;
	uint64_t end = ring_end(tx->slots, tx->mask, false);
	uint64_t cursor = consumer_cursor ? __atomic_load_n(consumer_cursor, BH_ORDER_CURSOR_LOAD) : end;
	if (cursor <= RING_POS_MAX &&
	    !(ring_believes(cursor, end, cap) && ring_is_whole(tx->slots, tx->mask, cursor, end))) {
		/*
		 * No crash leads here: either the ring or the cursor is a fresh one, or somebody scribbled over one of
		 * them. Go on where the consumer looks, with nothing in the ring.
		 */
		for (uint32_t k = 0; k <= tx->mask; k++)
			__atomic_store_n(&tx->slots[k].seq, 0, __ATOMIC_RELAXED);
		end = cursor;
		tx->realigned = true;
	}
	/*
	 * What a predecessor left of an unfinished event has, in its low half, the number that a head at this place will
	 * have; a consumer that sleeps on the low half would not see the difference.
	 */
	for (uint64_t pos = end; pos < end + cap && pos <= end + BH_CONT_MAX; pos++)
		if (ring_seq(tx->slots, tx->mask, pos) == ((pos + 1) | BH_SEQ_CONT))
			__atomic_store_n(&tx->slots[pos & tx->mask].seq, 0, __ATOMIC_RELAXED);
	tx->cursor = consumer_cursor;
	tx->pos = end;
	tx->seen = ring_believes(cursor, end, cap) ? cursor : end - cap; /* full until we see a better one */
	return 0;
}

int
bh_ring_rx_attach(struct bh_ring_rx *rx, const struct bh_seg *outbox, uint64_t *cursor)
{
	memset(rx, 0, sizeof(*rx));
	rx->slots = ring_section(outbox, &rx->mask);
	if (!rx->slots)
		return -EPROTO;
	rx->cursor = cursor;
	rx->pos = __atomic_load_n(cursor, __ATOMIC_RELAXED);
	uint64_t end = ring_end(rx->slots, rx->mask, false);
	if (rx->pos > RING_POS_MAX || (rx->pos < end && end - rx->pos > rx->mask + 1ull)) {
		/* A fresh cursor, or a damaged one: nobody knows what was consumed, and an action must not happen twice. */
		rx->jumped = true;
		bh_ring_seek(rx, end);
	}
	/* A cursor beyond the end means a fresh ring: its producer, when it attaches, starts where we stand. */
	rx->next = rx->pos;
	return 0;
}

/* Look at the cursor again. False: it cannot be believed, the ring counts as full. */
static bool
ring_refresh(struct bh_ring_tx *tx)
{
	if (!tx->cursor) {
		tx->seen = tx->pos;
		return true;
	}
	uint64_t cursor = __atomic_load_n(tx->cursor, BH_ORDER_CURSOR_LOAD);
	if (!ring_believes(cursor, tx->pos, tx->mask + 1ull)) {
		shm_count(tx->faults, 1);
		return false;
	}
	tx->seen = cursor;
	return true;
}

uint32_t
bh_ring_room(struct bh_ring_tx *tx)
{
	if (!ring_refresh(tx))
		return 0;
	return (uint32_t)(tx->mask + 1ull - (tx->pos - tx->seen));
}

int
bh_ring_push(struct bh_ring_tx *tx, const struct bh_event *ev, const void *payload, size_t len)
{
	if (len > BH_PAYLOAD_MAX)
		return -EMSGSIZE;
	uint32_t cont = (uint32_t)((len + BH_CONT_BYTES - 1) / BH_CONT_BYTES);
	if (!ring_extent_ok(1 + cont, tx->mask))
		return -EMSGSIZE;
	uint64_t pos = tx->pos, cap = tx->mask + 1ull;
	if (pos + 1 + cont - tx->seen > cap && (!ring_refresh(tx) || pos + 1 + cont - tx->seen > cap))
		return -ENOSPC;

	BH_FENCE_NEXT();
	for (uint32_t k = 0; k < cont; k++) {
		size_t at = (size_t)k * BH_CONT_BYTES;
		struct bh_cont part = {.seq = (pos + k + 2) | BH_SEQ_CONT};
		memcpy(part.data, (const char *)payload + at, len - at < BH_CONT_BYTES ? len - at : BH_CONT_BYTES);
		shm_store_words(&tx->slots[(pos + k + 1) & tx->mask], &part, sizeof(part));
	}
	struct bh_event head = *ev;
	head.cont = (uint8_t)cont;
	if (cont)
		head.len = (uint8_t)len; /* the low byte: `cont` tells the rest */
	struct bh_event *slot = &tx->slots[pos & tx->mask];
	shm_store_words((char *)slot + 8, (char *)&head + 8, sizeof(head) - 8);
	__atomic_store_n(&slot->seq, pos + 1, BH_ORDER_SEQ_STORE);
	tx->pos = pos + 1 + cont;
	return 0;
}

/* A sequence that a producer that keeps the protocol cannot have written here while we stand at pos. */
static bool
ring_is_fault(uint64_t word, uint64_t pos, uint32_t mask)
{
	uint64_t seq = word & ~BH_SEQ_CONT;
	return word != pos + 1 && seq > pos && ring_fits(seq, (uint32_t)(pos & mask), mask);
}

/* Bytes of payload: `len` is the low byte, and `cont` slots leave only one number that has it. 0: none fits. */
static size_t
ring_payload_len(const struct bh_event *ev)
{
	size_t low = (ev->cont - 1u) * BH_CONT_BYTES, len = (low & ~(size_t)255) | ev->len;
	if (len <= low)
		len += 256;
	return len <= ev->cont * BH_CONT_BYTES ? len : 0;
}

/* Copy the continuation slots. */
static bool
ring_copy_payload(const struct bh_ring_rx *rx, const struct bh_event *ev, char *to, size_t len, size_t cap)
{
	for (uint32_t k = 0; k < ev->cont; k++) {
		struct bh_cont part;
		shm_load_words(&part, &rx->slots[(rx->pos + k + 1) & rx->mask], sizeof(part));
		if (part.seq != ((rx->pos + k + 2) | BH_SEQ_CONT))
			return false;
		size_t at = (size_t)k * BH_CONT_BYTES, end = len < cap ? len : cap;
		if (to && at < end)
			memcpy(to + at, part.data, end - at < BH_CONT_BYTES ? end - at : BH_CONT_BYTES);
	}
	return true;
}

int
bh_ring_peek(struct bh_ring_rx *rx, struct bh_event *ev, void *payload, size_t cap, size_t *len)
{
	uint64_t pos = rx->pos;
	uint64_t word = ring_seq(rx->slots, rx->mask, pos);
	if (len)
		*len = 0;
	rx->next = pos;
	if (word != pos + 1) {
		if (!ring_is_fault(word, pos, rx->mask))
			return 0;
		/* Beyond everything that stands in the ring: one step, however much rubbish there is. */
		memset(ev, 0, sizeof(*ev));
		uint64_t end = ring_end(rx->slots, rx->mask, true);
		rx->next = end > pos ? end : pos + 1;
		return -EPROTO;
	}
	shm_load_words(ev, &rx->slots[pos & rx->mask], sizeof(*ev));
	rx->next = pos + 1;
	size_t bytes = 0;
	if (!ring_extent_ok(1u + ev->cont, rx->mask))
		return -EPROTO;
	rx->next = pos + 1 + ev->cont;
	if (ev->cont) {
		bytes = ring_payload_len(ev);
		if (!bytes || !ring_copy_payload(rx, ev, payload, bytes, cap))
			return -EPROTO;
	}
	if (ev->kind == BH_EV_NONE || ev->kind >= BH_EV_KIND_COUNT || ev->type > BH_TRIGGER)
		return -EPROTO;
	/* A published event never changes under our hands, unless its producer is hostile or damaged. */
	if (ev->seq != pos + 1 || ring_seq(rx->slots, rx->mask, pos) != pos + 1)
		return -EPROTO;
	if (len)
		*len = bytes < cap ? bytes : cap;
	return 1;
}

bool
bh_ring_has(const struct bh_ring_rx *rx)
{
	uint64_t word = ring_seq(rx->slots, rx->mask, rx->pos);
	return word == rx->pos + 1 || ring_is_fault(word, rx->pos, rx->mask);
}

void
bh_ring_seek(struct bh_ring_rx *rx, uint64_t pos)
{
	rx->pos = rx->next = pos;
	__atomic_store_n(rx->cursor, pos, BH_ORDER_CURSOR_STORE);
}

void
bh_ring_advance(struct bh_ring_rx *rx, const struct bh_event *ev)
{
	(void)ev;
	if (rx->next != rx->pos)
		bh_ring_seek(rx, rx->next);
}

const uint32_t *
bh_ring_word(const struct bh_ring_rx *rx, uint32_t *value)
{
	const uint64_t *word = &rx->slots[rx->pos & rx->mask].seq;
	uint64_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
	*value = (uint32_t)seen;
	/* There already: a value that the word does not have, so that nobody sleeps whatever the caller looked at. */
	if (seen == rx->pos + 1)
		*value = ~(uint32_t)seen;
	return (const uint32_t *)word;
}
