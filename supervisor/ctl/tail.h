/*
 * tail.h - follow a ring as a third party
 *
 * Reads one producer's ring without a cursor that anybody waits for: who reads too slowly misses events, and is told how
 * many. A slot is copied, and believed only if its sequence is still the same afterwards.
 */
#pragma once

#include "shm/layout.h"
#include "shm/seg.h"

struct tail {
	const struct bh_event *slots; /* borrowed */
	uint32_t mask;
	uint64_t pos;	 /* next position to read */
	uint64_t missed; /* slots overwritten before they were read */
};

/* Begin `last` events before the ring's end (as far as they are still there). 0 or -EPROTO. */
int tail_init(struct tail *t, const struct bh_seg *outbox, uint32_t last);
/* The next event and its payload (room for BH_PAYLOAD_MAX): 1, or 0 = none yet. */
int tail_next(struct tail *t, struct bh_event *ev, uint8_t *payload, size_t *len);
