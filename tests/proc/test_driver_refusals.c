/* What a driver says of what its backend refused: in words, once, with who asked; and what it knows of values nobody has heard. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/host.h"

enum { A_ADD, A_REMOVE, A_RENAME, A_LIST, A_STAMP, A_REFUSE, A_LATER, A_REFUSE_VALUE, A_UNCONFIRMED };
enum { P_ANSWER, P_SEEN, P_VALUES, P_METER, P_WATCHES, P_WATCHED, P_STATIC };

#define WAIT_MS 10000

static struct host h;

static void
setup(void)
{
	host_start(&h, "probe", NULL);
}

static void
teardown(void)
{
	host_stop(&h);
}

/* The next drop, which is the n-th. */
static const struct host_dropped *
drop(unsigned n)
{
	ck_assert_msg(host_until(&h, WAIT_MS, h.drops > n), "there are %u drops", h.drops);
	return &h.dropped[n];
}

START_TEST(a_refused_action_is_told_once_in_the_backends_words)
{
	host_act(&h, A_REFUSE, 0, "no such scene", NULL);
	const struct host_dropped *d = drop(0);
	ck_assert_uint_eq(d->action, A_REFUSE);
	ck_assert(!d->is_value);
	ck_assert_int_eq(d->why, BH_DROP_FAILED);
	ck_assert_str_eq(d->words, "no such scene");
	host_act(&h, A_REFUSE, 0, NULL);
	ck_assert_str_eq(drop(1)->words, "");
	ck_assert_uint_ne(drop(1)->gen, d->gen);
	host_act(&h, 99, 0, NULL); /* none: what comes after it was told before it */
	ck_assert_uint_eq(drop(2)->action, 99);
	ck_assert_uint_eq(h.drops, 3);
}
END_TEST

START_TEST(an_action_that_fails_later_is_told_with_its_own_number)
{
	host_act(&h, A_LATER, 0, "took too long", NULL);
	host_act(&h, A_REFUSE, 0, "another", NULL);
	const struct host_dropped *late = drop(0), *other = drop(1);
	ck_assert_uint_eq(late->action, A_LATER);
	ck_assert_str_eq(late->words, "took too long");
	ck_assert_uint_eq(other->gen, late->gen + 1);
	ck_assert_str_eq(other->words, "another");
}
END_TEST

START_TEST(long_words_are_cut_between_characters)
{
	char text[400];
	memset(text, 'x', 239);
	strcpy(text + 239, "\u00e4\u00e4\u00e4");
	host_act(&h, A_REFUSE, 0, text, NULL);
	ck_assert_uint_eq(strlen(drop(0)->words), 239);
	ck_assert_mem_eq(drop(0)->words, text, 239);
}
END_TEST

START_TEST(a_refused_value_names_its_parameter)
{
	char id[16];
	snprintf(id, sizeof(id), "%d", P_STATIC);
	host_act(&h, A_ADD, 0, "p", "1", NULL);
	host_act(&h, A_REFUSE_VALUE, 0, id, "out of range", NULL);
	ck_assert(drop(0)->is_value);
	ck_assert_uint_eq(drop(0)->action, P_STATIC);
	ck_assert_str_eq(drop(0)->words, "out of range");
}
END_TEST

static uint64_t
reported_at(bh_param_id id)
{
	struct bh_cell_body c;
	ck_assert_int_eq(bh_inbox_cell(&h.in, id, &c), 1);
	return c.stamp_ns;
}

START_TEST(what_stands_in_place_of_a_refused_value_is_told_even_if_it_stood_before)
{
	struct bh_value v = {0};
	char id[16];
	snprintf(id, sizeof(id), "%d", P_STATIC);
	host_act(&h, A_ADD, 0, "p", "1", NULL);
	host_param(&h, "p0");
	host_want(&h, P_STATIC, bh_float(5), true);
	host_expect(&h, P_STATIC, bh_float(5), WAIT_MS);
	uint64_t before = reported_at(P_STATIC);
	host_act(&h, A_REFUSE_VALUE, 0, id, "no", NULL);
	ck_assert(host_until(&h, WAIT_MS, reported_at(P_STATIC) > before));
	ck_assert(host_reported(&h, P_STATIC, &v) == 1 && v.f == 5);
}
END_TEST

static int64_t
unconfirmed(void)
{
	struct bh_value v = {0};
	char id[16];
	unsigned n = h.drops;
	snprintf(id, sizeof(id), "%d", P_STATIC);
	host_act(&h, A_UNCONFIRMED, 0, id, NULL);
	host_act(&h, 99, 0, NULL);
	drop(n);
	ck_assert_int_eq(host_reported(&h, P_ANSWER, &v), 1);
	return v.i;
}

START_TEST(a_value_that_the_backend_has_not_heard_is_unconfirmed_until_it_is_reported)
{
	host_act(&h, A_ADD, 0, "p", "1", NULL);
	host_param(&h, "p0");
	host_want(&h, P_STATIC, bh_float(5), true);
	host_expect(&h, P_STATIC, bh_float(5), WAIT_MS);
	ck_assert_int_eq(unconfirmed(), -1);
	/* From here on it is deaf. */
	host_want(&h, P_STATIC, bh_float(7), true);
	ck_assert_int_eq(unconfirmed(), 7);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("refusals of drivers");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_refused_action_is_told_once_in_the_backends_words);
	tcase_add_test(t, an_action_that_fails_later_is_told_with_its_own_number);
	tcase_add_test(t, long_words_are_cut_between_characters);
	tcase_add_test(t, a_refused_value_names_its_parameter);
	tcase_add_test(t, what_stands_in_place_of_a_refused_value_is_told_even_if_it_stood_before);
	tcase_add_test(t, a_value_that_the_backend_has_not_heard_is_unconfirmed_until_it_is_reported);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
