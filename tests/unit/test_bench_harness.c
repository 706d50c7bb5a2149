/* test_bench_harness.c - the bench harness says met, missed and inconclusive where it should */
#include "tests/bench/harness.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/lib/pair.h"

/* A way whose figures are known beforehand, and repeat after `count` measurements. */
struct script {
	double p50[8];
	unsigned count, at;
};

static int
play_script(void *arg, struct bench_figures *out)
{
	struct script *s = arg;
	out->p50 = s->p50[s->at++ % s->count];
	out->p99 = 2 * out->p50;
	return 0;
}

static int
cannot(void *arg, struct bench_figures *out)
{
	(void)arg;
	(void)out;
	return -ENOSYS;
}

static int
run(struct script *subject, struct script *anchor, struct script *floor, double limit)
{
	const struct bench_plan plan = {
		.name = "test_bench_harness",
		.subject = {"subject", play_script, subject},
		.anchor = {"anchor", play_script, anchor},
		.floor = {"floor", play_script, floor},
		.bar = {{BENCH_P50, limit}, {BENCH_P99, limit}},
	};
	return bench_run(&plan);
}

START_TEST(a_ratio_within_the_bar_is_met_and_one_beyond_is_missed)
{
	struct script subject = {{120}, 1, 0}, anchor = {{100}, 1, 0}, floor = {{50}, 1, 0};
	ck_assert_int_eq(run(&subject, &anchor, &floor, 1.25), BENCH_MET);
	subject.p50[0] = 130;
	ck_assert_int_eq(run(&subject, &anchor, &floor, 1.25), BENCH_MISSED);
}
END_TEST

START_TEST(a_subject_that_does_not_agree_with_itself_decides_nothing)
{
	/* In the self test the outer two of four measurements are a third slower than the inner two. */
	struct script subject = {{100, 100, 120, 90, 90, 120}, 6, 0}, anchor = {{100}, 1, 0}, floor = {{50}, 1, 0};
	ck_assert_int_eq(run(&subject, &anchor, &floor, 1.25), BENCH_INCONCLUSIVE);
	subject.at = 0; /* a wide bar bears it */
	ck_assert_int_eq(run(&subject, &anchor, &floor, 2.2), BENCH_MET);
}
END_TEST

START_TEST(a_floor_that_never_holds_still_decides_nothing)
{
	struct script subject = {{100}, 1, 0}, anchor = {{100}, 1, 0}, floor = {{50, 70}, 2, 0};
	ck_assert_int_eq(run(&subject, &anchor, &floor, 1.25), BENCH_INCONCLUSIVE);
}
END_TEST

START_TEST(rounds_in_which_the_floor_moved_do_not_count)
{
	/* Every second round: the floor moves, and the subject is slow. The self test has rounds of its own in between. */
	struct script subject = {{100, 100, 100, 100}, 4, 0}, anchor = {{100, 100, 10, 10}, 4, 0};
	struct script floor = {{50, 50, 50, 50, 50, 70, 50, 50}, 8, 0};
	ck_assert_int_eq(run(&subject, &anchor, &floor, 1.25), BENCH_MET);
}
END_TEST

START_TEST(what_cannot_be_measured_is_an_error)
{
	struct script some = {{100}, 1, 0};
	const struct bench_plan plan = {
		.name = "test_bench_harness",
		.subject = {"subject", cannot, NULL},
		.anchor = {"anchor", play_script, &some},
		.floor = {"floor", play_script, &some},
		.bar = {{BENCH_P50, 1.25}},
	};
	ck_assert_int_eq(bench_run(&plan), -ENOSYS);
	struct script zero = {{0}, 1, 0};
	ck_assert_int_eq(run(&zero, &some, &some, 1.25), -ERANGE);
}
END_TEST

START_TEST(quantiles_of_samples_are_theirs)
{
	double samples[101];
	struct bench_figures f;
	for (int k = 0; k <= 100; k++)
		samples[k] = 100 - k;
	bench_quantiles(samples, 101, &f);
	ck_assert_double_eq(f.p50, 50);
	ck_assert_double_eq(f.p99, 99);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bench_harness");
	TCase *tc = tcase_create("bench_harness");
	unsetenv("BH_BENCH_DIR");
	tcase_add_test(tc, a_ratio_within_the_bar_is_met_and_one_beyond_is_missed);
	tcase_add_test(tc, a_subject_that_does_not_agree_with_itself_decides_nothing);
	tcase_add_test(tc, a_floor_that_never_holds_still_decides_nothing);
	tcase_add_test(tc, rounds_in_which_the_floor_moved_do_not_count);
	tcase_add_test(tc, what_cannot_be_measured_is_an_error);
	tcase_add_test(tc, quantiles_of_samples_are_theirs);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
