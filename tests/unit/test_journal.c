/* test_journal.c - a commit happens as a whole or not at all, and a successor finds the newest */
#include "shm/journal.h"

#include <errno.h>

#include "tests/lib/pair.h"
#include "tests/lib/step.h"

#define BYTES 4096u

static struct bh_seg_fds fds;
static struct bh_seg seg;
static struct bh_journal j;

static void
setup(void)
{
	ck_assert_int_eq(bh_seg_create_private(&fds, "router.private", 1, 1, BYTES, 0, 0), 0);
	ck_assert_int_eq(bh_seg_map(&seg, fds.rw, BH_SEG_PRIVATE, true), 0);
	ck_assert_int_eq(bh_journal_attach(&j, &seg), 0);
}

static void
teardown(void)
{
	bh_seg_unmap(&seg);
	pair_fds_close(&fds);
}

/* A transaction that can be recognised by its number: n % 4 changes, n % 5 outputs. */
static void
write_txn(struct bh_journal *journal, uint32_t n)
{
	uint8_t data[BH_RECORD_BYTES];
	bh_journal_begin(journal, 4, BH_EV_VALUE, 1000 + n, 5000 + n);
	memset(data, (int)n, sizeof(data));
	bh_journal_outbox_end(journal, 4, 7 * n);
	bh_journal_overflow_seen(journal, 5, 9 * n);
	for (uint32_t k = 0; k < n % 4; k++)
		ck_assert_int_eq(bh_journal_change(journal, 10 * n + k, n, data), 0);
	for (uint32_t k = 0; k < n % 5; k++) {
		struct bh_journal_output out = {.slot = (uint16_t)k, .flags = BH_OUT_PUSH, .ev.id = n, .ev.gen = k};
		ck_assert_int_eq(bh_journal_output(journal, &out), 0);
	}
}

static uint32_t
expect_last(const struct bh_journal *journal)
{
	const struct bh_journal_change *change;
	const struct bh_journal_output *output;
	const struct bh_journal_slot *last = bh_journal_last(journal, &change, &output);
	if (!last)
		return 0;
	uint32_t n = (uint32_t)last->txn;
	ck_assert_uint_eq(last->input_seq, 1000 + n);
	ck_assert_uint_eq(last->time_ns, 5000 + n);
	ck_assert_uint_eq(last->input_slot, 4);
	ck_assert_uint_eq(last->input_kind, BH_EV_VALUE);
	ck_assert_uint_eq(last->outbox_end[4], 7 * n);
	ck_assert_uint_eq(last->outbox_end[5], 0);
	ck_assert_uint_eq(last->overflow_seen[5], 9 * n);
	ck_assert_uint_eq(last->changes, n % 4);
	ck_assert_uint_eq(last->outputs, n % 5);
	for (uint32_t k = 0; k < n % 4; k++) {
		ck_assert_uint_eq(change[k].record, 10 * n + k);
		ck_assert_uint_eq(change[k].gen, n);
		uint8_t want[BH_RECORD_BYTES];
		memset(want, (int)n, sizeof(want));
		ck_assert_mem_eq(change[k].data, want, sizeof(want));
	}
	for (uint32_t k = 0; k < n % 5; k++) {
		ck_assert_uint_eq(output[k].slot, k); /* in the order in which they are to be published */
		ck_assert_uint_eq(output[k].ev.id, n);
	}
	return n;
}

START_TEST(an_empty_journal_has_no_last_commit)
{
	ck_assert_ptr_null(bh_journal_last(&j, NULL, NULL));
	ck_assert_uint_eq(j.txn, 0);
}
END_TEST

START_TEST(the_newest_commit_is_found_by_a_successor)
{
	for (uint32_t n = 1; n < 100; n++) {
		write_txn(&j, n);
		ck_assert_uint_eq(expect_last(&j), n - 1);
		ck_assert_uint_eq(bh_journal_commit(&j), n);
		ck_assert_uint_eq(expect_last(&j), n);
		struct bh_journal successor;
		ck_assert_int_eq(bh_journal_attach(&successor, &seg), 0);
		ck_assert_uint_eq(successor.txn, n);
		ck_assert_uint_eq(expect_last(&successor), n);
	}
}
END_TEST

START_TEST(a_transaction_that_was_begun_and_not_committed_never_happened)
{
	write_txn(&j, 1);
	bh_journal_commit(&j);
	for (int k = 0; k < 5; k++) {
		write_txn(&j, 2);
		ck_assert_int_eq(bh_journal_attach(&j, &seg), 0);
		ck_assert_uint_eq(expect_last(&j), 1);
	}
	write_txn(&j, 2);
	bh_journal_commit(&j);
	ck_assert_uint_eq(expect_last(&j), 2);
}
END_TEST

START_TEST(a_transaction_that_is_too_large_says_so_and_stays_within_its_slot)
{
	struct bh_journal_output out = {.slot = 3};
	uint8_t data[BH_RECORD_BYTES] = {1};
	bh_journal_begin(&j, 4, 0, 1, 1);
	unsigned changes = 0, outputs = 0;
	for (;;) {
		if (bh_journal_change(&j, changes, 1, data) < 0)
			break;
		changes++;
		if (bh_journal_output(&j, &out) < 0)
			break;
		outputs++;
	}
	ck_assert_int_eq(bh_journal_output(&j, &out), -ENOSPC);
	ck_assert_uint_ge((changes + 1) * sizeof(struct bh_journal_change) + (outputs + 1) * sizeof(out),
			  BYTES - sizeof(struct bh_journal_slot));
	bh_journal_commit(&j);
	const struct bh_journal_change *change;
	const struct bh_journal_output *output;
	ck_assert_ptr_nonnull(bh_journal_last(&j, &change, &output));
	for (unsigned k = 0; k < changes; k++)
		ck_assert_uint_eq(change[k].record, k);
	for (unsigned k = 0; k < outputs; k++)
		ck_assert_uint_eq(output[k].slot, 3);
	/* The other slot is untouched. */
	ck_assert_uint_eq(*(uint64_t *)j.slots, 0);
}
END_TEST

START_TEST(a_damaged_commit_does_not_count)
{
	write_txn(&j, 1);
	bh_journal_commit(&j);
	for (uint32_t n = 2; n < 8; n++) {
		write_txn(&j, n);
		bh_journal_commit(&j);
		struct bh_journal_slot *slot = (struct bh_journal_slot *)(j.slots + (n & 1) * j.stride);
		size_t len = sizeof(*slot) + slot->bytes;
		for (size_t at = 0; at < len; at++) {
			((uint8_t *)slot)[at] ^= 0x40;
			ck_assert_uint_eq(expect_last(&j), n - 1);
			((uint8_t *)slot)[at] ^= 0x40;
		}
		ck_assert_uint_eq(expect_last(&j), n);
	}
}
END_TEST

START_TEST(rubbish_in_the_journal_is_no_commit)
{
	uint64_t rnd = 9;
	for (int round = 0; round < 2000; round++) {
		uint64_t *words = (uint64_t *)j.slots;
		for (size_t k = 0; k < 2 * j.stride / 8; k++) {
			uint64_t r = pair_random(&rnd);
			words[k] = r >> (r & 3 ? r % 64 : 0);
		}
		for (unsigned k = 0; k < 2; k++) {
			struct bh_journal_slot *slot = (struct bh_journal_slot *)(j.slots + k * j.stride);
			slot->commit = slot->txn = 2 * (pair_random(&rnd) % 1000) + k;
			slot->changes = (uint32_t)(pair_random(&rnd) % 8);
			slot->outputs = (uint32_t)(pair_random(&rnd) >> (pair_random(&rnd) % 64));
			slot->bytes = slot->changes * 120 + slot->outputs * 136;
		}
		ck_assert_int_eq(bh_journal_attach(&j, &seg), 0);
		ck_assert_uint_eq(expect_last(&j), 0);
	}
	write_txn(&j, 1);
	bh_journal_commit(&j);
	ck_assert_uint_eq(expect_last(&j), 1);
}
END_TEST

#ifndef BH_SANITIZED
static void
commit_one_more(void *arg)
{
	(void)arg;
	uint32_t n = (uint32_t)j.txn + 1;
	write_txn(&j, n);
	bh_journal_commit(&j);
}

static void
old_or_new(void *arg, void *const *copies)
{
	void *copy = copies[0];
	unsigned *committed = arg;
	struct bh_seg image = seg;
	image.base = copy;
	struct bh_journal successor;
	ck_assert_int_eq(bh_journal_attach(&successor, &image), 0);
	uint32_t n = expect_last(&successor);
	ck_assert(n == (uint32_t)j.txn || n == (uint32_t)j.txn + 1);
	*committed += n == (uint32_t)j.txn + 1;
}

START_TEST(a_router_killed_at_any_store_of_a_commit_has_committed_all_or_nothing)
{
	const struct bh_step_range whole = {seg.base, seg.size};
	for (int k = 0; k < 6; k++) {
		unsigned committed = 0;
		ck_assert_int_gt(bh_step_images(commit_one_more, &committed, &whole, 1, old_or_new), 10);
		ck_assert_uint_eq(committed, 1); /* by the very last store */
		bh_journal_attach(&j, &seg);
	}
}
END_TEST
#endif

START_TEST(a_segment_without_a_journal_has_none)
{
	struct bh_seg_fds none;
	struct bh_seg other;
	ck_assert_int_eq(bh_seg_create_private(&none, "midi.private", 5, 1, 0, 0, 0), 0);
	ck_assert_int_eq(bh_seg_map(&other, none.rw, 0, true), 0);
	ck_assert_int_eq(bh_journal_attach(&j, &other), -EPROTO);
	bh_seg_unmap(&other);
	pair_fds_close(&none);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tc = tcase_create("journal");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_journal_has_no_last_commit);
	tcase_add_test(tc, the_newest_commit_is_found_by_a_successor);
	tcase_add_test(tc, a_transaction_that_was_begun_and_not_committed_never_happened);
	tcase_add_test(tc, a_transaction_that_is_too_large_says_so_and_stays_within_its_slot);
	tcase_add_test(tc, a_damaged_commit_does_not_count);
	tcase_add_test(tc, rubbish_in_the_journal_is_no_commit);
#ifndef BH_SANITIZED
	tcase_add_test(tc, a_router_killed_at_any_store_of_a_commit_has_committed_all_or_nothing);
#endif
	tcase_add_test(tc, a_segment_without_a_journal_has_none);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
