/* test_latch.c - a latch shows whole values whoever writes, dies or lies */
#include "shm/latch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/lib/pair.h"
#include "tests/lib/step.h"

static struct bh_cell *cell; /* shared memory */

static void
map_cell(void)
{
	cell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(cell, MAP_FAILED);
}

static struct bh_cell_body
body_of(uint32_t n)
{
	struct bh_cell_body body = {.stamp_ns = n, .gen = n, .total = n, .type = BH_INT, .kind = BH_EV_VALUE, .extra = n};
	for (int k = 0; k < 8; k++)
		body.v.u[k] = n;
	return body;
}

static void
expect_whole(const struct bh_cell_body *body)
{
	struct bh_cell_body want = body_of(body->gen);
	ck_assert_mem_eq(body, &want, sizeof(want));
}

START_TEST(a_latch_never_written_says_so)
{
	struct bh_cell_body body;
	ck_assert_int_eq(bh_cell_read(cell, &body), 0);
}
END_TEST

START_TEST(a_latch_shows_the_newest_value)
{
	struct bh_cell_body body;
	for (uint32_t n = 1; n < 100; n++) {
		struct bh_cell_body next = body_of(n);
		bh_cell_write(cell, &next);
		ck_assert_int_eq(bh_cell_read(cell, &body), n);
		ck_assert_uint_eq(body.gen, n);
		expect_whole(&body);
	}
}
END_TEST

START_TEST(lengths_that_are_no_multiple_of_a_word_stay_inside)
{
	for (size_t len = 1; len <= 40; len++) {
		struct { uint64_t turn; char copy[2][40]; uint64_t guard; } l = {.guard = 0x1234};
		char in[40], out[41];
		for (int round = 1; round < 4; round++) {
			memset(in, round, sizeof(in));
			memset(out, 'x', sizeof(out));
			bh_latch_write(&l.turn, l.copy, 40, in, len);
			ck_assert_int_eq(bh_latch_read(&l.turn, l.copy, 40, out, len), round);
			ck_assert_mem_eq(out, in, len);
			ck_assert_int_eq(out[len], 'x');
			ck_assert_uint_eq(l.guard, 0x1234);
		}
	}
}
END_TEST

#ifndef BH_SANITIZED
static void
write_two(void *arg)
{
	(void)arg;
	struct bh_cell_body next = body_of(2);
	bh_cell_write(cell, &next);
}

static void
expect_one_or_two(void *arg, void *const *copies)
{
	void *copy = copies[0];
	unsigned *seen = arg;
	struct bh_cell_body body;
	/* What readers find, and what the successor's next write makes of it. */
	struct bh_cell image;
	memcpy(&image, copy, sizeof(image));
	ck_assert_int_ge(bh_cell_read(&image, &body), 1);
	ck_assert(body.gen == 1 || body.gen == 2);
	ck_assert_uint_ge(body.gen, *seen);
	*seen = body.gen;
	expect_whole(&body);
	struct bh_cell_body next = body_of(3);
	bh_cell_write(&image, &next);
	ck_assert_int_ge(bh_cell_read(&image, &body), 1);
	ck_assert_uint_eq(body.gen, 3);
	expect_whole(&body);
}

START_TEST(a_writer_killed_at_any_store_leaves_the_old_or_the_new_value)
{
	struct bh_cell_body one = body_of(1);
	unsigned seen = 1;
	const struct bh_step_range whole = {cell, sizeof(*cell)};
	bh_cell_write(cell, &one);
	int images = bh_step_images(write_two, &seen, &whole, 1, expect_one_or_two);
	ck_assert_int_ge(images, 11); /* eleven words of the body, then the turn */
	ck_assert_uint_eq(seen, 2);
}
END_TEST
#endif

#ifdef BH_SANITIZED
#define READS 20000u
#else
#define READS 300000u
#endif

static bool stop;

static void *
write_at_full_speed(void *arg)
{
	(void)arg;
	for (uint32_t n = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
		struct bh_cell_body next = body_of(n);
		bh_cell_write(cell, &next);
		if (n % 256 == 0)
			sched_yield();
	}
	return NULL;
}

START_TEST(readers_never_see_a_mixture)
{
	pthread_t writer;
	struct bh_cell_body body;
	unsigned whole = 0;
	uint32_t last = 0;
	ck_assert_int_eq(pthread_create(&writer, NULL, write_at_full_speed, NULL), 0);
	for (unsigned tries = 0; whole < READS && tries < 100 * READS; tries++) {
		int64_t turn = bh_cell_read(cell, &body);
		ck_assert(turn >= 0 || turn == -EAGAIN);
		if (turn <= 0)
			continue;
		expect_whole(&body);
		ck_assert_uint_ge(body.gen, last);
		last = body.gen;
		whole++;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	ck_assert_uint_eq(whole, READS);
}
END_TEST

static void *
spin_the_turn(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		__atomic_fetch_add(&cell->turn, 1, __ATOMIC_RELAXED);
	return NULL;
}

START_TEST(a_hostile_turn_costs_a_reader_eight_tries_at_most)
{
	struct bh_cell_body body;
	pthread_t liar;
	ck_assert_int_eq(pthread_create(&liar, NULL, spin_the_turn, NULL), 0);
	for (unsigned tries = 0; tries < 20000; tries++) {
		int64_t turn = bh_cell_read(cell, &body); /* the proof is that it returns */
		ck_assert(turn >= 0 || turn == -EAGAIN);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(liar, NULL);
	cell->turn = UINT64_MAX;
	ck_assert_int_eq(bh_cell_read(cell, &body), -EPROTO);
	cell->turn = 1ull << 63;
	ck_assert_int_eq(bh_cell_read(cell, &body), -EPROTO);
}
END_TEST

START_TEST(a_writer_with_a_damaged_turn_recovers_by_writing)
{
	const uint64_t damaged[] = {UINT64_MAX, UINT64_MAX - 1, INT64_MAX, 1ull << 63, 0xdeadbeefdeadbeef};
	for (unsigned k = 0; k < sizeof(damaged) / sizeof(damaged[0]); k++) {
		struct bh_cell_body body, next = body_of(k + 1);
		cell->turn = damaged[k];
		bh_cell_write(cell, &next);
		ck_assert_int_gt(bh_cell_read(cell, &body), 0);
		ck_assert_uint_eq(body.gen, k + 1);
	}
}
END_TEST

START_TEST(a_record_shows_damage_of_any_byte)
{
	struct bh_record *rec = (struct bh_record *)cell;
	uint8_t data[BH_RECORD_BYTES], out[BH_RECORD_BYTES];
	uint32_t gen = 0;
	ck_assert_int_eq(bh_record_read(rec, &gen, out), 0);
	for (int k = 0; k < (int)sizeof(data); k++)
		data[k] = (uint8_t)(3 * k);
	bh_record_write(rec, 41, data);
	bh_record_write(rec, 42, data);
	ck_assert_int_eq(bh_record_read(rec, &gen, out), 1);
	ck_assert_uint_eq(gen, 42);
	ck_assert_mem_eq(out, data, sizeof(data));
	uint8_t *copy = (uint8_t *)&rec->copy[rec->turn & 1];
	for (unsigned k = 0; k < sizeof(struct bh_record_copy); k++) {
		copy[k] ^= 0x10;
		ck_assert_int_eq(bh_record_read(rec, &gen, out), -EBADMSG);
		copy[k] ^= 0x10;
	}
	ck_assert_int_eq(bh_record_read(rec, NULL, out), 1);
	rec->turn = UINT64_MAX;
	ck_assert_int_eq(bh_record_read(rec, &gen, out), -EBADMSG);
}
END_TEST

START_TEST(a_record_written_twice_is_the_same_record)
{
	struct bh_record *rec = (struct bh_record *)cell;
	uint8_t data[BH_RECORD_BYTES] = "same", out[BH_RECORD_BYTES];
	uint32_t gen;
	for (int k = 0; k < 2; k++) {
		bh_record_write(rec, 7, data);
		ck_assert_int_eq(bh_record_read(rec, &gen, out), 1);
		ck_assert_uint_eq(gen, 7);
		ck_assert_mem_eq(out, data, sizeof(data));
	}
}
END_TEST

START_TEST(health_and_process_entries_come_back_with_an_end)
{
	struct bh_self *self = (struct bh_self *)cell;
	struct bh_health_record h = {.health = BH_HEALTH_DEGRADED, .since_ns = 5}, back;
	memset(h.reason, 'r', sizeof(h.reason));
	memset(h.hint, 'h', sizeof(h.hint));
	bh_health_write(self, &h);
	ck_assert_int_eq(bh_health_read(self, &back), 1);
	ck_assert_uint_eq(back.health, BH_HEALTH_DEGRADED);
	ck_assert_uint_eq(strlen(back.reason), sizeof(back.reason) - 1);
	ck_assert_uint_eq(strlen(back.hint), sizeof(back.hint) - 1);

	memset(cell, 0, 4096);
	struct bh_proc_entry *entry = (struct bh_proc_entry *)cell;
	struct bh_proc_body body, out;
	memset(&body, 'b', sizeof(body));
	bh_proc_entry_write(entry, &body);
	ck_assert_int_eq(bh_proc_entry_read(entry, &out), 1);
	ck_assert_uint_eq(strlen(out.name), sizeof(out.name) - 1);
	ck_assert_uint_eq(strlen(out.kind), sizeof(out.kind) - 1);
	ck_assert_uint_eq(out.pid, 0x62626262);
}
END_TEST

START_TEST(every_word_has_a_name_and_every_other_a_question_mark)
{
	for (uint32_t k = 0; k < BH_HEALTH_COUNT; k++)
		ck_assert_str_ne(bh_health_name(k), "?");
	for (uint32_t k = 0; k < BH_EV_KIND_COUNT; k++)
		ck_assert_str_ne(bh_event_kind_name(k), "?");
	for (uint32_t k = BH_CAUSE_NONE; k <= BH_CAUSE_UNKNOWN; k++)
		ck_assert_str_ne(bh_cause_name(k), "?");
	for (uint32_t k = BH_DROP_LATE; k <= BH_DROP_DOWN; k++)
		ck_assert_str_ne(bh_drop_name(k), "?");
	ck_assert_str_eq(bh_health_name(BH_HEALTH_AUTH_FAILED), "auth-failed");
	ck_assert_str_eq(bh_health_name(BH_HEALTH_COUNT), "?");
	ck_assert_str_eq(bh_event_kind_name(UINT32_MAX), "?");
	ck_assert_str_eq(bh_cause_name(999), "?");
	ck_assert_str_eq(bh_drop_name(0), "?");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("latch");
	TCase *tc = tcase_create("latch");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, map_cell, NULL);
	tcase_add_test(tc, a_latch_never_written_says_so);
	tcase_add_test(tc, a_latch_shows_the_newest_value);
	tcase_add_test(tc, lengths_that_are_no_multiple_of_a_word_stay_inside);
#ifndef BH_SANITIZED
	tcase_add_test(tc, a_writer_killed_at_any_store_leaves_the_old_or_the_new_value);
#endif
	tcase_add_test(tc, readers_never_see_a_mixture);
	tcase_add_test(tc, a_hostile_turn_costs_a_reader_eight_tries_at_most);
	tcase_add_test(tc, a_writer_with_a_damaged_turn_recovers_by_writing);
	tcase_add_test(tc, a_record_shows_damage_of_any_byte);
	tcase_add_test(tc, a_record_written_twice_is_the_same_record);
	tcase_add_test(tc, health_and_process_entries_come_back_with_an_end);
	tcase_add_test(tc, every_word_has_a_name_and_every_other_a_question_mark);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
