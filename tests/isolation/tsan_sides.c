/*
 * tsan_sides.c - both sides of a ring as threads, under ThreadSanitizer
 *
 * Built by tests/model/check with -DBH_PLAIN_WORDS, whole and with one ordering of shm/order.h weakened at a time. The words of an event
 * are plain memory here, so that nothing but the orderings keeps the two threads apart: whole it must be silent, weakened it must not.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One translation unit, so that a build is one call of the compiler. */
#include "shm/bell.c"
#include "shm/crc.c"
#include "shm/latch.c"
#include "shm/outbox.c"
#include "shm/ring.c"
#include "shm/seg.c"

#define EVENTS 3000u
#define SLOTS 8u

static struct bh_ring_tx tx;
static struct bh_ring_rx rx;

static size_t
length_of(uint32_t n)
{
	return n % 3 ? 0 : n % 120;
}

static void
require(bool holds, const char *what)
{
	if (!holds) {
		printf("failed: %s\n", what);
		exit(1);
	}
}

static void *
produce(void *arg)
{
	uint8_t payload[128];
	(void)arg;
	for (uint32_t n = 0; n < EVENTS;) {
		struct bh_event ev = {.kind = BH_EV_REQUEST, .id = n};
		memset(payload, (int)n, sizeof(payload));
		if (bh_ring_push(&tx, &ev, payload, length_of(n)) == 0)
			n++;
		else
			sched_yield();
	}
	return NULL;
}

static void
consume(void)
{
	uint8_t payload[128];
	struct bh_event ev;
	size_t len;
	for (uint32_t n = 0; n < EVENTS;) {
		int there = bh_ring_peek(&rx, &ev, payload, sizeof(payload), &len);
		require(there >= 0, "an event is broken");
		if (there) {
			require(ev.id == n && len == length_of(n), "an event is lost, or twice there");
			require(!len || payload[len - 1] == (uint8_t)n, "a payload is torn");
			bh_ring_advance(&rx, &ev);
			n++;
		} else {
			sched_yield();
		}
	}
}

int
main(void)
{
	struct bh_seg_fds fds;
	struct bh_seg seg;
	static uint64_t cursor;
	pthread_t other;
	require(bh_seg_create_outbox(&fds, "a>b", 4, 1, 1, SLOTS, 0) == 0, "no segment");
	require(bh_seg_map(&seg, fds.rw, BH_SEG_OUTBOX, true) == 0, "no mapping");
	require(bh_ring_tx_attach(&tx, &seg, &cursor) == 0 && bh_ring_rx_attach(&rx, &seg, &cursor) == 0, "no ring");
	pthread_create(&other, NULL, produce, NULL);
	consume();
	pthread_join(other, NULL);
	printf("%u events, whole and in order\n", EVENTS);
	return 0;
}
