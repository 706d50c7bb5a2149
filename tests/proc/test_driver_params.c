/* The directory of a driver that adds, renames and removes thousands of parameters, as a backend does it. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/host.h"

enum { A_ADD, A_REMOVE, A_RENAME, A_LIST, A_STAMP, A_REFUSE, A_LATER, A_REFUSE_VALUE, A_UNCONFIRMED, A_LEVEL };
enum { P_ANSWER, P_SEEN, P_VALUES, P_METER, P_WATCHES, P_WATCHED, P_STATIC };

#define WAIT_MS 10000
#define LAST "x4089" /* BH_MAX_PARAMS - P_STATIC - 1 */

static struct host h;
static int64_t asked;

/* One action after the other: what the function in the driver returned. */
static int64_t
ask(uint32_t action, const char *first, const char *second)
{
	struct bh_cell_body before = {0}, after = {0};
	struct bh_value v = {0};
	bh_inbox_cell(&h.in, P_ANSWER, &before);
	/* What is answered twice is not told twice. */
	host_act(&h, A_STAMP, 0, "999999", NULL);
	ck_assert(host_until(&h, WAIT_MS, bh_inbox_cell(&h.in, P_ANSWER, &after) == 1 && after.v.i == 0));
	host_act(&h, action, 0, first, second, NULL);
	host_act(&h, 99, 0, NULL); /* none: it comes back when the one before it is done */
	asked++;
	ck_assert(host_until(&h, WAIT_MS, (int64_t)h.drops == asked));
	ck_assert_int_eq(host_reported(&h, P_ANSWER, &v), 1);
	if (h.drops == BH_ARRAY_LEN(h.dropped))
		h.drops = 0, asked = 0;
	return v.i;
}

static int64_t
ask_n(uint32_t action, const char *first, unsigned n)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", n);
	return ask(action, first, text);
}

static uint32_t
count_live(void)
{
	static struct bh_dir_index ix;
	struct bh_dir_record r;
	uint32_t n = 0;
	memset(&ix, 0, sizeof(ix));
	bh_dir_index(&ix, &h.dir);
	for (uint32_t i = 0; i < BH_MAX_PARAMS; i++)
		n += bh_dir_find(&ix, i, &r) == 0;
	return n;
}

static bool
has(const char *name)
{
	struct bh_dir_record r;
	bool there = false;
	for (uint32_t n = 0; n < bh_dir_count(&h.dir); n++)
		if (bh_dir_read(&h.dir, n, &r) == 0 && strcmp(r.name, name) == 0)
			there = !(r.flags & BH_DIR_TOMBSTONE);
	return there;
}

static void
setup_small(void)
{
	asked = 0;
	host_start_large(&h, "probe", P_STATIC + 13, NULL);
}

static void
setup_large(void)
{
	asked = 0;
	host_start_large(&h, "probe", BH_MAX_PARAMS, NULL);
}

static void
teardown(void)
{
	host_stop(&h);
}

START_TEST(as_many_as_there_may_be_are_added_at_once_and_no_more)
{
	unsigned most = BH_MAX_PARAMS - P_STATIC;
	ck_assert_int_eq(ask_n(A_ADD, "x", BH_MAX_PARAMS), most);
	ck_assert_uint_eq(count_live(), BH_MAX_PARAMS);
	uint32_t last = host_param(&h, LAST), records = bh_dir_count(&h.dir);
	ck_assert_uint_eq(last, BH_MAX_PARAMS - 1);
	ck_assert_int_eq(ask_n(A_LIST, "x", most), 0); /* nothing new, nothing gone */
	ck_assert_uint_eq(bh_dir_count(&h.dir), records);
	host_want(&h, last, bh_float(-6), true);
	host_expect(&h, last, bh_float(-6), WAIT_MS);
	ck_assert_int_eq(ask_n(A_LIST, "y", 1000), most); /* there was no room for any of them */
	ck_assert_int_eq(ask_n(A_ADD, "y", 1000), 1000);
	ck_assert(has("y999") && !has("x0") && !has(LAST));
}
END_TEST

START_TEST(an_index_is_given_away_last_by_whom_it_was_used_last)
{
	ck_assert_int_eq(ask_n(A_ADD, "a", 4), 4); /* from P_STATIC on */
	ck_assert_int_eq(ask(A_REMOVE, "8", "1"), 1);
	ck_assert_int_eq(ask(A_REMOVE, "6", "1"), 1);
	ck_assert_int_eq(ask_n(A_ADD, "b", 9), 9); /* those that nobody had */
	ck_assert_uint_eq(host_param(&h, "b0"), 10);
	ck_assert_uint_eq(host_param(&h, "b8"), 18);
	ck_assert_int_eq(ask_n(A_ADD, "c", 3), 2); /* then those that are free longest */
	ck_assert_uint_eq(host_param(&h, "c0"), 8);
	ck_assert_uint_eq(host_param(&h, "c1"), 6);
	host_kill(&h);
	host_restart(&h);
	ck_assert_uint_eq(host_param(&h, "c1"), 6);
	ck_assert_int_eq(ask_n(A_ADD, "c", 2), 2);
	ck_assert_uint_eq(count_live(), P_STATIC + 13);
}
END_TEST

START_TEST(a_directory_that_is_full_of_what_was_is_begun_anew)
{
	char name[32];
	ck_assert_int_eq(ask_n(A_ADD, "a", 13), 13);
	host_want(&h, 7, bh_float(-4), true);
	host_expect(&h, 7, bh_float(-4), WAIT_MS);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		ck_assert_int_eq(ask(A_RENAME, "6", name), 0);
		ck_assert(has(name) && has("a1") && has("a12"));
		ck_assert_uint_eq(count_live(), P_STATIC + 13);
	}
	ck_assert_uint_gt(h.dir.head->epoch, 0);
	ck_assert_uint_eq(host_param(&h, "name99"), 6);
	ck_assert_uint_eq(host_param(&h, "a1"), 7);
	host_kill(&h);
	host_restart(&h);
	ck_assert_uint_eq(host_param(&h, "name99"), 6);
	host_expect(&h, 7, bh_float(-4), WAIT_MS);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%u", P_STATIC + i % 13);
		ck_assert_int_eq(ask(A_REMOVE, name, "1"), 1);
		snprintf(name, sizeof(name), "again%u/", i);
		ck_assert_int_eq(ask(A_ADD, name, "1"), 1);
		ck_assert_uint_eq(count_live(), P_STATIC + 13);
	}
}
END_TEST

START_TEST(a_new_parameter_does_not_get_the_value_of_the_one_that_had_its_index)
{
	struct bh_value v = {0};
	ck_assert_int_eq(ask_n(A_ADD, "a", 13), 13);
	host_want(&h, 8, bh_float(-55), true);
	host_expect(&h, 8, bh_float(-55), WAIT_MS);
	ck_assert_int_eq(ask(A_REMOVE, "8", "1"), 1);
	ck_assert_int_eq(ask_n(A_ADD, "b", 1), 1);
	ck_assert_uint_eq(host_param(&h, "b0"), 8);
	ck_assert_int_eq(ask(A_STAMP, "8", NULL), 0);
	/* Neither when all cells are looked at ... */
	host_reported(&h, P_VALUES, &v);
	bh_outbox_send(&h.out, &(struct bh_event){.kind = BH_EV_RESYNC, .stamp_ns = bh_now_ns()}, NULL, 0);
	host_want(&h, 9, bh_float(-1), true);
	host_expect(&h, 9, bh_float(-1), WAIT_MS);
	host_expect(&h, P_VALUES, bh_int(v.i + 1), WAIT_MS);
	/* ... nor in the next life. */
	host_kill(&h);
	host_restart(&h);
	ck_assert_int_eq(ask(A_STAMP, "8", NULL), 0);
	host_expect(&h, P_VALUES, bh_int(v.i + 1), WAIT_MS);
	host_want(&h, 8, bh_float(7), true);
	host_expect(&h, 8, bh_float(7), WAIT_MS);
}
END_TEST

START_TEST(a_driver_knows_when_a_value_was_wanted)
{
	uint64_t then = bh_now_ns() - 3 * BH_NS_PER_S;
	ck_assert_int_eq(ask_n(A_ADD, "a", 2), 2);
	ck_assert_int_eq(ask(A_STAMP, "7", NULL), 0);
	host_want_at(&h, 7, bh_float(2), then, true);
	host_expect(&h, 7, bh_float(2), WAIT_MS);
	ck_assert_int_eq(ask(A_STAMP, "7", NULL), (int64_t)then);
	host_kill(&h);
	host_restart(&h);
	ck_assert_int_eq(ask(A_STAMP, "7", NULL), (int64_t)then);
}
END_TEST

static void
level(const char *db)
{
	host_act(&h, A_LEVEL, 0, db, NULL);
	host_act(&h, 99, 0, NULL);
	asked++;
	ck_assert(host_until(&h, WAIT_MS, (int64_t)h.drops == asked));
}

START_TEST(levels_that_nobody_looks_at_are_not_sent)
{
	struct bh_value v;
	level("-20");
	ck_assert_int_eq(host_reported(&h, P_METER, &v), 0);
	host_want(&h, P_METER, bh_float(1), true);
	host_expect(&h, P_WATCHES, bh_int(1), WAIT_MS);
	host_expect(&h, P_WATCHED, bh_int(1), WAIT_MS);
	host_expect(&h, P_METER, bh_float(-20), WAIT_MS); /* what it is by now */
	level("-10");
	host_expect(&h, P_METER, bh_float(-10), WAIT_MS);
	host_want(&h, P_METER, bh_float(1), true); /* no news */
	host_want(&h, P_METER, bh_float(0), true);
	host_expect(&h, P_WATCHES, bh_int(2), WAIT_MS);
	host_expect(&h, P_WATCHED, bh_int(0), WAIT_MS);
	level("-5");
	host_expect(&h, P_METER, bh_float(-10), 100);
	/* The next life finds it where it stands. */
	host_want(&h, P_METER, bh_float(1), true);
	host_expect(&h, P_WATCHES, bh_int(3), WAIT_MS);
	host_kill(&h);
	host_restart(&h);
	host_expect(&h, P_WATCHES, bh_int(1), WAIT_MS);
	host_expect(&h, P_WATCHED, bh_int(1), WAIT_MS);
	level("-3");
	host_expect(&h, P_METER, bh_float(-3), WAIT_MS);
	host_kill(&h);
	host_want(&h, P_METER, bh_float(0), true); /* while it is down */
	host_restart(&h);
	level("-1");
	host_expect(&h, P_METER, bh_float(-3), 100);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parameters of drivers");
	TCase *small = tcase_create("small"), *large = tcase_create("large");
	tcase_add_checked_fixture(small, setup_small, teardown);
	tcase_add_checked_fixture(large, setup_large, teardown);
	tcase_set_timeout(small, 120);
	tcase_set_timeout(large, 120);
	tcase_add_test(large, as_many_as_there_may_be_are_added_at_once_and_no_more);
	tcase_add_test(small, an_index_is_given_away_last_by_whom_it_was_used_last);
	tcase_add_test(small, a_directory_that_is_full_of_what_was_is_begun_anew);
	tcase_add_test(small, a_new_parameter_does_not_get_the_value_of_the_one_that_had_its_index);
	tcase_add_test(small, levels_that_nobody_looks_at_are_not_sent);
	tcase_add_test(small, a_driver_knows_when_a_value_was_wanted);
	suite_add_tcase(s, small);
	suite_add_tcase(s, large);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
