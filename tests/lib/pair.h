/*
 * pair.h - two processes' shared memory in one test: A (a desk, slot 4) tells B (the router, slot 1)
 *
 * Each side has the mappings that it would have in life: its own writable, the other's read-only.
 */
#pragma once

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "shm/outbox.h"

#define PAIR_A 4
#define PAIR_B BH_SLOT_ROUTER

struct pair {
	struct bh_seg_fds a_fds, b_fds, box_fds; /* owned */
	struct bh_seg a_seg, b_seg, a_peer, b_peer;
	struct bh_self *a, *b;		    /* writable, as A's and B's own */
	const struct bh_self *a_ro, *b_ro; /* as the other sees it */
	struct bh_outbox ob;
	struct bh_inbox ib;
};

static inline void
pair_attach_producer(struct pair *p)
{
	ck_assert_int_eq(bh_outbox_attach(&p->ob, p->box_fds.rw, p->a, p->b_ro, -1), 0);
}

static inline void
pair_attach_consumer(struct pair *p)
{
	ck_assert_int_eq(bh_inbox_attach(&p->ib, p->box_fds.ro, p->b, PAIR_A), 0);
}

static inline void
pair_init(struct pair *p, uint32_t slots, uint32_t cells)
{
	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(bh_seg_create_self(&p->a_fds, "a.self", PAIR_A, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&p->b_fds, "b.self", PAIR_B, 1), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&p->box_fds, "a>b", PAIR_A, PAIR_B, 1, slots, cells), 0);
	ck_assert_int_eq(bh_seg_map(&p->a_seg, p->a_fds.rw, BH_SEG_SELF, true), 0);
	ck_assert_int_eq(bh_seg_map(&p->b_seg, p->b_fds.rw, BH_SEG_SELF, true), 0);
	ck_assert_int_eq(bh_seg_map(&p->a_peer, p->a_fds.ro, BH_SEG_SELF, false), 0);
	ck_assert_int_eq(bh_seg_map(&p->b_peer, p->b_fds.ro, BH_SEG_SELF, false), 0);
	p->a = bh_seg_section(&p->a_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	p->b = bh_seg_section(&p->b_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	p->a_ro = bh_seg_section(&p->a_peer, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	p->b_ro = bh_seg_section(&p->b_peer, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	ck_assert(p->a && p->b && p->a_ro && p->b_ro);
	p->b->bell.mode = BH_BELL_FUTEX;
	pair_attach_producer(p);
	pair_attach_consumer(p);
}

static inline void
pair_fds_close(struct bh_seg_fds *fds)
{
	close(fds->rw);
	close(fds->ro);
}

static inline void
pair_fini(struct pair *p)
{
	bh_outbox_detach(&p->ob);
	bh_inbox_detach(&p->ib);
	bh_seg_unmap(&p->a_seg);
	bh_seg_unmap(&p->b_seg);
	bh_seg_unmap(&p->a_peer);
	bh_seg_unmap(&p->b_peer);
	pair_fds_close(&p->a_fds);
	pair_fds_close(&p->b_fds);
	pair_fds_close(&p->box_fds);
}

/*
 * Let both sides use A's and B's own mappings: for tests with two threads, because ThreadSanitizer knows memory by its
 * address and would see no race between two mappings of the same page.
 */
static inline void
pair_share(struct pair *p)
{
	p->ib.ring.slots = p->ob.ring.slots;
	p->ib.head = p->ob.head;
	p->ib.cells = p->ob.cells;
	p->ob.ring.cursor = &p->b->cursor[PAIR_A];
	p->ob.bell.sleeper = p->b;
}

/* Reproducible random numbers: xorshift. */
static inline uint64_t
pair_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The usual end of a test program. */
static inline int
pair_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
