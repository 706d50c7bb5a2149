/*
 * tail.c - see tail.h
 *
 * A producer fills a slot before it moves the slot's sequence, so an unchanged sequence does not prove that a copy is whole. But
 * what it is filling lies within one event's length behind the newest published slot: older slots than that are at rest.
 */
#include "supervisor/ctl/tail.h"

#include <errno.h>
#include <string.h>

#define EXTENT_MAX (1u + BH_CONT_MAX) /* slots of the longest event */

static uint64_t
sequence(const struct tail *t, uint64_t pos)
{
	return __atomic_load_n(&t->slots[pos & t->mask].seq, __ATOMIC_ACQUIRE);
}

/* May the producer be filling the slot that held `pos`, or has it done so? */
static bool
is_in_danger(const struct tail *t, uint64_t pos)
{
	uint64_t near = pos + t->mask + 1 - EXTENT_MAX;
	return (sequence(t, near) & ~BH_SEQ_CONT) > near;
}

/* Copy a slot; true if it held position `pos` before and after. */
static bool
copy_slot(const struct tail *t, uint64_t pos, uint64_t flag, void *out)
{
	const uint64_t *from = (const uint64_t *)&t->slots[pos & t->mask];
	uint64_t *to = out;
	if (sequence(t, pos) != ((pos + 1) | flag))
		return false;
	for (unsigned i = 0; i < sizeof(struct bh_event) / 8; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
	return sequence(t, pos) == ((pos + 1) | flag) && !is_in_danger(t, pos);
}

/* Position after the newest slot that was written. */
static uint64_t
ring_end(const struct tail *t)
{
	uint64_t end = 0;
	for (uint64_t i = 0; i <= t->mask; i++) {
		uint64_t seq = sequence(t, i) & ~BH_SEQ_CONT;
		/* A sequence belongs into its slot, or it is rubbish. */
		if (seq > end && ((seq - 1) & t->mask) == i)
			end = seq;
	}
	return end;
}

int
tail_init(struct tail *t, const struct bh_seg *outbox, uint32_t last)
{
	uint32_t count;
	memset(t, 0, sizeof(*t));
	t->slots = bh_seg_section(outbox, BH_SEC_RING, sizeof(struct bh_event), &count);
	if (!t->slots || count <= EXTENT_MAX || count & (count - 1))
		return -EPROTO;
	t->mask = count - 1;
	uint64_t end = ring_end(t), begin = end;
	for (uint32_t n = 0; begin > 0 && end - begin + EXTENT_MAX <= t->mask && n < last; begin--) {
		uint64_t seq = sequence(t, begin - 1);
		if (seq != begin && seq != (begin | BH_SEQ_CONT))
			break;
		n += seq == begin;
	}
	t->pos = begin;
	return 0;
}

int
tail_next(struct tail *t, struct bh_event *ev, uint8_t *payload, size_t *len)
{
	for (;;) {
		uint64_t seq = sequence(t, t->pos), number = seq & ~BH_SEQ_CONT;
		*len = 0;
		if (number < t->pos + 1)
			return 0;
		if (number > t->pos + 1 || is_in_danger(t, t->pos)) {
			/* Overtaken: go on in the middle of the ring, where there is time to read. */
			uint64_t end = ring_end(t), to = end > (t->mask + 1) / 2 ? end - (t->mask + 1) / 2 : 0;
			if (to <= t->pos)
				to = t->pos + 1;
			t->missed += to - t->pos;
			t->pos = to;
			continue;
		}
		if (seq & BH_SEQ_CONT || !copy_slot(t, t->pos, 0, ev)) {
			t->pos += seq & BH_SEQ_CONT ? 1 : 0;
			continue;
		}
		uint8_t cont = ev->cont <= BH_CONT_MAX ? ev->cont : 0;
		bool whole = true;
		for (uint8_t k = 0; k < cont && whole; k++) {
			struct bh_cont c;
			whole = copy_slot(t, t->pos + 1 + k, BH_SEQ_CONT, &c);
			memcpy(payload + k * BH_CONT_BYTES, c.data, BH_CONT_BYTES);
		}
		if (!whole && sequence(t, t->pos) == t->pos + 1)
			return 0; /* not published in full yet */
		if (!whole)
			continue;
		*len = cont ? (size_t)(cont - 1) * BH_CONT_BYTES : 0;
		if (cont) {
			/* `len` is the low byte of the length; `cont` tells the rest. */
			size_t l = ev->len;
			while (l <= *len)
				l += 256;
			*len = l <= (size_t)cont * BH_CONT_BYTES ? l : (size_t)cont * BH_CONT_BYTES;
		}
		t->pos += 1u + cont;
		return 1;
	}
}
