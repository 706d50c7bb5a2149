/*
 * test_redo.c - the router's commit, as a recipe over shm/, killed at every store
 *
 * A small router with two records, one inbox and two outboxes. For each input it decides changes and outputs, commits them
 * as a redo record, and carries them out. Its child is single-stepped through one input; from each image of the shared
 * memory a successor attaches, finishes what was committed, and goes on with the rest of the inputs. Whatever the image, both
 * drivers must then have got each event once and in order, and the records must say what the inputs add up to.
 */
#include <errno.h>

#include "shm/journal.h"
#include "shm/latch.h"
#include "shm/outbox.h"
#include "tests/lib/pair.h"
#include "tests/lib/step.h"

#define DESK	4
#define LAMP	5 /* gets values, some of them conflated */
#define CUTTER	6 /* gets actions */
#define RING	16u
#define INPUTS	6u

/* Segments: what the router writes, and what the others do. */
enum { SELF, STATE, PRIVATE, TO_LAMP, TO_CUTTER, OWN, DESK_SELF = OWN, LAMP_SELF, CUTTER_SELF, FROM_DESK, SEGMENTS };

struct house {
	struct bh_seg_fds fds[SEGMENTS];
	struct bh_seg seg[SEGMENTS];
	/* the router's own view */
	struct bh_self *self;
	struct bh_record *record;
	struct bh_journal journal;
	struct bh_outbox lamp, cutter;
	struct bh_inbox desk;
};

static void
house_build(struct house *h)
{
	memset(h, 0, sizeof(*h));
	ck_assert_int_eq(bh_seg_create_self(&h->fds[SELF], "router.self", BH_SLOT_ROUTER, 1), 0);
	ck_assert_int_eq(bh_seg_create_state(&h->fds[STATE], "router.state", BH_SLOT_ROUTER, 1, 2), 0);
	ck_assert_int_eq(bh_seg_create_private(&h->fds[PRIVATE], "router.private", BH_SLOT_ROUTER, 1, 2048, 0, 0), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->fds[TO_LAMP], "router>lamp", BH_SLOT_ROUTER, LAMP, 1, RING, 2), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->fds[TO_CUTTER], "router>cutter", BH_SLOT_ROUTER, CUTTER, 1, RING, 0), 0);
	ck_assert_int_eq(bh_seg_create_self(&h->fds[DESK_SELF], "desk.self", DESK, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&h->fds[LAMP_SELF], "lamp.self", LAMP, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&h->fds[CUTTER_SELF], "cutter.self", CUTTER, 1), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->fds[FROM_DESK], "desk>router", DESK, BH_SLOT_ROUTER, 1, RING, 2), 0);
	for (int k = 0; k < SEGMENTS; k++)
		ck_assert_int_eq(bh_seg_map(&h->seg[k], h->fds[k].rw, 0, true), 0);
}

static void
house_pull_down(struct house *h)
{
	bh_outbox_detach(&h->lamp);
	bh_outbox_detach(&h->cutter);
	bh_inbox_detach(&h->desk);
	for (int k = 0; k < SEGMENTS; k++) {
		bh_seg_unmap(&h->seg[k]);
		pair_fds_close(&h->fds[k]);
	}
}

static struct bh_self *
self_of(struct house *h, int segment)
{
	return bh_seg_section(&h->seg[segment], BH_SEC_SELF, sizeof(struct bh_self), NULL);
}

/* ------------------------------------------------------------------ the router */

/* What the records hold: [0] the sum of all values, [1] how many actions were passed on. */
static uint64_t
record_value(const struct house *h, uint32_t n, uint32_t *gen)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {0};
	*gen = 0;
	ck_assert_int_ge(bh_record_read(&h->record[n], gen, data), 0);
	return data[0];
}

static void
decide_change(struct house *h, uint32_t n, uint64_t value, uint32_t gen)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {value};
	ck_assert_int_eq(bh_journal_change(&h->journal, n, gen, data), 0);
}

/* A value: the sum goes to the lamp twice, once as an event and once, for another id, as a conflated one; and an action. */
static void
decide(struct house *h, const struct bh_event *in)
{
	uint32_t gen, count_gen;
	uint64_t sum = record_value(h, 0, &gen) + (uint64_t)in->v.i, count = record_value(h, 1, &count_gen) + 1;
	struct bh_journal_output value = {.slot = LAMP, .flags = BH_OUT_PUSH | BH_OUT_CELL};
	value.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_INT, .id = 0, .gen = gen + 1, .v.u[0] = sum};
	struct bh_journal_output quiet = {.slot = LAMP, .flags = BH_OUT_CELL};
	quiet.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = gen + 1, .v.u[0] = sum * 2};
	struct bh_journal_output action = {.slot = CUTTER, .flags = BH_OUT_PUSH};
	action.ev = (struct bh_event){.kind = BH_EV_ACTION, .id = (uint32_t)count};

	bh_journal_begin(&h->journal, DESK, in->kind, h->desk.ring.next, in->stamp_ns);
	bh_journal_outbox_end(&h->journal, LAMP, h->lamp.ring.pos);
	bh_journal_outbox_end(&h->journal, CUTTER, h->cutter.ring.pos);
	decide_change(h, 0, sum, gen + 1);
	decide_change(h, 1, count, count_gen + 1);
	ck_assert_int_eq(bh_journal_output(&h->journal, &action), 0);
	ck_assert_int_eq(bh_journal_output(&h->journal, &quiet), 0); /* into an empty ring the first time: with a RESYNC */
	ck_assert_int_eq(bh_journal_output(&h->journal, &value), 0);
	value.ev.id = 0, value.ev.gen = gen + 2, value.ev.v.u[0] = sum; /* twice the same id in one commit */
	action.ev.id = (uint32_t)count + 1000;
	ck_assert_int_eq(bh_journal_output(&h->journal, &value), 0);
	ck_assert_int_eq(bh_journal_output(&h->journal, &action), 0);
	decide_change(h, 0, sum, gen + 2);
	bh_journal_commit(&h->journal);
}

/* Carry out the newest commit: as its author, or as the successor of one who got somewhere into it. */
static void
carry_out(struct house *h)
{
	const struct bh_journal_change *change;
	const struct bh_journal_output *output;
	const struct bh_journal_slot *txn = bh_journal_last(&h->journal, &change, &output);
	if (!txn)
		return;
	uint32_t lamp_done = bh_outbox_since(&h->lamp, txn->outbox_end[LAMP]);
	uint32_t cutter_done = bh_outbox_since(&h->cutter, txn->outbox_end[CUTTER]);
	ck_assert_uint_le(lamp_done, 2);
	ck_assert_uint_le(cutter_done, 2);
	for (uint32_t k = 0; k < txn->changes; k++)
		bh_record_write(&h->record[change[k].record], change[k].gen, change[k].data);
	for (uint32_t k = 0; k < txn->outputs; k++) {
		struct bh_outbox *ob = output[k].slot == LAMP ? &h->lamp : &h->cutter;
		uint32_t *done = output[k].slot == LAMP ? &lamp_done : &cutter_done;
		struct bh_event ev = output[k].ev;
		if (!(output[k].flags & BH_OUT_PUSH))
			bh_outbox_conflate(ob, &ev, NULL, 0);
		else if (*done)
			--*done;
		else
			ck_assert_int_eq(bh_outbox_put(ob, &ev, NULL, 0), 0);
	}
	bh_outbox_flush(&h->lamp);
	bh_outbox_flush(&h->cutter);
	if (h->desk.ring.pos < txn->input_seq)
		bh_ring_seek(&h->desk.ring, txn->input_seq);
}

static void
router_attach(struct house *h)
{
	h->self = self_of(h, SELF);
	h->record = bh_seg_section(&h->seg[STATE], BH_SEC_RECORDS, sizeof(struct bh_record), NULL);
	ck_assert_int_eq(bh_journal_attach(&h->journal, &h->seg[PRIVATE]), 0);
	ck_assert_int_eq(bh_outbox_attach(&h->lamp, h->fds[TO_LAMP].rw, h->self, self_of(h, LAMP_SELF), -1), 0);
	ck_assert_int_eq(bh_outbox_attach(&h->cutter, h->fds[TO_CUTTER].rw, h->self, self_of(h, CUTTER_SELF), -1), 0);
	ck_assert_int_eq(bh_inbox_attach(&h->desk, h->fds[FROM_DESK].ro, h->self, DESK), 0);
	ck_assert(!h->lamp.ring.realigned && !h->cutter.ring.realigned && !h->desk.ring.jumped);
	carry_out(h);
}

static bool
router_step(struct house *h)
{
	struct bh_event in;
	if (bh_ring_peek(&h->desk.ring, &in, NULL, 0, NULL) != 1)
		return false;
	decide(h, &in);
	carry_out(h);
	return true;
}

/* ------------------------------------------------------------------ the others */

static void
desk_says(struct house *h, unsigned n)
{
	struct bh_outbox desk;
	ck_assert_int_eq(bh_outbox_attach(&desk, h->fds[FROM_DESK].rw, self_of(h, DESK_SELF), self_of(h, SELF), -1), 0);
	for (unsigned k = 0; k < n; k++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .v.i = (int64_t)k + 1};
		ck_assert_int_eq(bh_outbox_put(&desk, &ev, NULL, 0), 0);
	}
	bh_outbox_detach(&desk);
}

static void
expect_all_of_it(struct house *h, unsigned inputs)
{
	struct bh_inbox in;
	struct bh_event ev;
	struct bh_cell_body body;
	uint64_t sum = 0;
	ck_assert_int_eq(bh_inbox_attach(&in, h->fds[TO_LAMP].ro, self_of(h, LAMP_SELF), BH_SLOT_ROUTER), 0);
	for (uint32_t k = 1; k <= 2 * inputs;) {
		ck_assert_int_eq(bh_ring_peek(&in.ring, &ev, NULL, 0, NULL), 1);
		bh_ring_advance(&in.ring, &ev);
		if (ev.kind == BH_EV_RESYNC)
			continue;
		sum += k % 2 ? (k + 1) / 2 : 0;
		ck_assert_uint_eq(ev.gen, k++);
		ck_assert_uint_eq(ev.v.u[0], sum);
	}
	while (bh_ring_peek(&in.ring, &ev, NULL, 0, NULL) == 1) {
		ck_assert_uint_eq(ev.kind, BH_EV_RESYNC);
		bh_ring_advance(&in.ring, &ev);
	}
	ck_assert_int_eq(bh_inbox_cell(&in, 0, &body), 1);
	ck_assert_uint_eq(body.v.u[0], sum);
	ck_assert_int_eq(bh_inbox_cell(&in, 1, &body), 1);
	ck_assert_uint_eq(body.v.u[0], 2 * sum);
	bh_inbox_detach(&in);

	ck_assert_int_eq(bh_inbox_attach(&in, h->fds[TO_CUTTER].ro, self_of(h, CUTTER_SELF), BH_SLOT_ROUTER), 0);
	for (uint32_t k = 0; k < 2 * inputs; k++) {
		ck_assert_int_eq(bh_ring_peek(&in.ring, &ev, NULL, 0, NULL), 1);
		ck_assert_uint_eq(ev.kind, BH_EV_ACTION);
		ck_assert_uint_eq(ev.id, k / 2 + 1 + (k % 2 ? 1000 : 0));
		bh_ring_advance(&in.ring, &ev);
	}
	ck_assert_int_eq(bh_ring_peek(&in.ring, &ev, NULL, 0, NULL), 0);
	bh_inbox_detach(&in);

	uint32_t gen;
	ck_assert_uint_eq(record_value(h, 0, &gen), sum);
	ck_assert_uint_eq(record_value(h, 1, &gen), inputs);
	ck_assert_uint_eq(h->self->cursor[DESK], inputs);
}

/* ------------------------------------------------------------------ the test */

static struct house house;

START_TEST(undisturbed_it_works)
{
	house_build(&house);
	router_attach(&house);
	desk_says(&house, INPUTS);
	while (router_step(&house))
		;
	expect_all_of_it(&house, INPUTS);
	house_pull_down(&house);
}
END_TEST

#ifndef BH_SANITIZED
static void
one_input(void *arg)
{
	(void)arg;
	router_step(&house);
}

static void
finish_an_attach(void *arg)
{
	(void)arg;
	struct house again = house;
	memset(&again.lamp, 0, sizeof(again.lamp));
	router_attach(&again);
}

static void
load_image(struct house *h, void *const *copies)
{
	house_build(h);
	for (int k = 0; k < SEGMENTS; k++) {
		if (k < OWN)
			memcpy(h->seg[k].base, copies[k], k == SELF ? sizeof(struct bh_seg_header) + sizeof(struct bh_self) : h->seg[k].size);
		else
			memcpy(h->seg[k].base, house.seg[k].base, h->seg[k].size);
	}
}

static void
successor_goes_on(void *arg, void *const *copies)
{
	unsigned *images = arg;
	struct house h;
	load_image(&h, copies);
	router_attach(&h);
	while (router_step(&h))
		;
	expect_all_of_it(&h, INPUTS);
	house_pull_down(&h);
	++*images;
}

static void
ranges_of(struct bh_step_range *range)
{
	for (int k = 0; k < OWN; k++)
		range[k] = (struct bh_step_range){house.seg[k].base, house.seg[k].size};
	range[SELF].len = sizeof(struct bh_seg_header) + sizeof(struct bh_self); /* not its histograms */
}

START_TEST(killed_at_any_store_of_any_input_its_successor_finishes_exactly_once)
{
	struct bh_step_range range[OWN];
	house_build(&house);
	router_attach(&house);
	desk_says(&house, INPUTS);
	ranges_of(range);
	for (unsigned n = 0; n < INPUTS; n++) {
		unsigned images = 0;
		int ret = bh_step_images(one_input, &images, range, OWN, successor_goes_on);
		ck_assert_int_gt(ret, 50);
		ck_assert_uint_eq(images, ret);
		/* We take the child's place: what it did is in memory. */
		bh_outbox_detach(&house.lamp);
		bh_outbox_detach(&house.cutter);
		bh_inbox_detach(&house.desk);
		router_attach(&house);
	}
	expect_all_of_it(&house, INPUTS);
	house_pull_down(&house);
}
END_TEST

/* The first image of each commit in which it is committed and nothing is done yet; its successor is killed at every store too. */
START_TEST(the_successor_of_a_successor_finishes_it_too)
{
	struct bh_step_range range[OWN];
	house_build(&house);
	router_attach(&house);
	desk_says(&house, INPUTS);
	for (unsigned n = 0; n < 2; n++)
		ck_assert(router_step(&house));
	struct bh_event in;
	ck_assert_int_eq(bh_ring_peek(&house.desk.ring, &in, NULL, 0, NULL), 1);
	decide(&house, &in); /* and died */
	ranges_of(range);
	unsigned images = 0;
	ck_assert_int_gt(bh_step_images(finish_an_attach, &images, range, OWN, successor_goes_on), 40);
	ck_assert_uint_gt(images, 40);
	house_pull_down(&house);
}
END_TEST
#endif

int
main(void)
{
	Suite *suite = suite_create("redo");
	TCase *tc = tcase_create("redo");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, undisturbed_it_works);
#ifndef BH_SANITIZED
	tcase_add_test(tc, killed_at_any_store_of_any_input_its_successor_finishes_exactly_once);
	tcase_add_test(tc, the_successor_of_a_successor_finishes_it_too);
#endif
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
