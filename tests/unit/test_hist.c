/* test_hist.c - histogram buckets are narrow, cover everything, and quantiles come out within 3.2 % */
#include "shm/hist.h"

#include <stdlib.h>

#include "tests/lib/pair.h"

static struct bh_hist h;

START_TEST(every_value_lies_in_a_bucket_whose_top_is_within_3_2_percent)
{
	uint64_t rnd = 42;
	for (int k = 0; k < 50000; k++) {
		uint64_t ns = pair_random(&rnd) >> (28 + pair_random(&rnd) % 36); /* up to 2^36 */
		unsigned bucket = bh_hist_bucket(ns);
		uint64_t top = bh_hist_bucket_top(bucket);
		ck_assert_uint_lt(bucket, BH_HIST_BUCKETS);
		ck_assert_uint_le(ns, top);
		ck_assert(top - ns <= ns / 31 || top == ns);
		if (bucket)
			ck_assert_uint_gt(ns, bh_hist_bucket_top(bucket - 1));
	}
}
END_TEST

START_TEST(buckets_follow_each_other_without_a_gap)
{
	for (unsigned k = 0; k + 1 < BH_HIST_BUCKETS; k++) {
		ck_assert_uint_eq(bh_hist_bucket(bh_hist_bucket_top(k)), k);
		ck_assert_uint_eq(bh_hist_bucket(bh_hist_bucket_top(k) + 1), k + 1);
	}
	ck_assert_uint_ge(bh_hist_bucket_top(BH_HIST_BUCKETS - 1), 1ull << 36);
	ck_assert_uint_eq(bh_hist_bucket(UINT64_MAX), BH_HIST_BUCKETS - 1);
	ck_assert_uint_eq(bh_hist_bucket_top(UINT32_MAX), bh_hist_bucket_top(BH_HIST_BUCKETS - 1));
}
END_TEST

static int
compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

START_TEST(quantiles_agree_with_sorting)
{
	enum { N = 5000 };
	static uint64_t sample[N];
	uint64_t rnd = 7, sum = 0;
	for (int k = 0; k < N; k++) {
		sample[k] = 100 + pair_random(&rnd) % 1000000;
		bh_hist_add(&h, sample[k]);
		sum += sample[k];
	}
	qsort(sample, N, sizeof(sample[0]), compare);
	const unsigned at[] = {1, 10, 250, 500, 900, 990, 999, 1000};
	for (unsigned k = 0; k < sizeof(at) / sizeof(at[0]); k++) {
		uint64_t exact = sample[(N * at[k] + 999) / 1000 - 1], got = bh_hist_quantile(&h, at[k]);
		ck_assert_uint_ge(got, exact);
		ck_assert_uint_le(got, exact + exact / 31 + 1);
	}
	ck_assert_uint_eq(h.count, N);
	ck_assert_uint_eq(h.sum_ns, sum);
	ck_assert_uint_eq(h.max_ns, sample[N - 1]);
}
END_TEST

START_TEST(the_edges_are_answered_too)
{
	memset(&h, 0, sizeof(h));
	ck_assert_uint_eq(bh_hist_quantile(&h, 500), 0);
	bh_hist_add(&h, 0);
	ck_assert_uint_eq(bh_hist_quantile(&h, 0), 0);
	ck_assert_uint_eq(bh_hist_quantile(&h, 1000), 0);
	bh_hist_add(&h, 20);
	ck_assert_uint_eq(bh_hist_quantile(&h, 500), 0);
	ck_assert_uint_eq(bh_hist_quantile(&h, 501), 20);
	ck_assert_uint_eq(bh_hist_quantile(&h, 5000), 20);
}
END_TEST

START_TEST(a_peers_rubbish_gives_some_number_and_no_harm)
{
	memset(&h, 0xff, sizeof(h));
	ck_assert_uint_le(bh_hist_quantile(&h, 1000), bh_hist_bucket_top(BH_HIST_BUCKETS - 1));
	ck_assert_uint_gt(bh_hist_quantile(&h, 500), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hist");
	TCase *tc = tcase_create("hist");
	tcase_add_test(tc, every_value_lies_in_a_bucket_whose_top_is_within_3_2_percent);
	tcase_add_test(tc, buckets_follow_each_other_without_a_gap);
	tcase_add_test(tc, quantiles_agree_with_sorting);
	tcase_add_test(tc, the_edges_are_answered_too);
	tcase_add_test(tc, a_peers_rubbish_gives_some_number_and_no_harm);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
