/* What a meter shows of the levels that OBS tells. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/meter.h"

#define MS     1000000ull
#define AT(ms) (1000 * MS + (ms)*MS) /* no clock begins at 0 */

static const struct obs_ballistics fast = {.decay_db_s = 20},
				   held = {.decay_db_s = 20, .hold_ms = 500};

START_TEST(peak_is_the_loudest_channel_after_the_fader)
{
	const double levels[3][3] = {{0.1, 0.25, 1}, {0.2, 0.5, 1}, {0, NAN, 1}};
	ck_assert_double_eq_tol(obs_meter_peak(levels, 3), -6.02, 0.01);
	ck_assert_double_eq(obs_meter_peak(levels, 0), OBS_METER_MIN_DB);
	const double silent[1][3] = {{0, 0, 0.5}}; /* muted */
	ck_assert_double_eq(obs_meter_peak(silent, 1), OBS_METER_MIN_DB);
	const double odd[2][3] = {{0, INFINITY, 0}, {0, -3, 0}};
	ck_assert_double_eq(obs_meter_peak(odd, 2), OBS_METER_MIN_DB);
}
END_TEST

START_TEST(meter_rises_at_once_and_falls_by_its_rate)
{
	struct obs_meter m = {0};
	ck_assert_double_eq(obs_meter_level(&m, &fast, -10, AT(0)), -10);
	ck_assert_double_eq_tol(obs_meter_at(&m, &fast, AT(100)), -12, 1e-9);
	ck_assert_double_eq_tol(obs_meter_level(&m, &fast, -40, AT(500)), -20, 1e-9);
	ck_assert_double_eq_tol(obs_meter_level(&m, &fast, -40, AT(1000)), -30, 1e-9);
	ck_assert_double_eq(obs_meter_level(&m, &fast, -5, AT(1001)), -5);
	ck_assert_double_eq(obs_meter_at(&m, &fast, AT(100000)), OBS_METER_MIN_DB);
}
END_TEST

START_TEST(peak_is_held_before_it_falls)
{
	struct obs_meter m = {0};
	obs_meter_level(&m, &held, -10, AT(0));
	ck_assert_double_eq(obs_meter_level(&m, &held, -50, AT(200)), -10);
	ck_assert_double_eq(obs_meter_level(&m, &held, -50, AT(500)), -10);
	ck_assert_double_eq_tol(obs_meter_level(&m, &held, -50, AT(600)), -12, 1e-9);
	ck_assert_double_eq_tol(obs_meter_level(&m, &held, -50, AT(700)), -14, 1e-9);
}
END_TEST

/* ------------------------------------------------------------------ several */

static double shown[8];
static unsigned tells;

static void
tell(void *data, uint32_t param, double db)
{
	ck_assert_ptr_eq(data, shown);
	shown[param] = db;
	tells++;
}

START_TEST(what_obs_no_longer_tells_falls_by_itself_and_then_costs_nothing)
{
	const double loud[1][3] = {{1, 0.5, 1}};
	struct obs_meters *m = obs_meters_new(8, fast, tell, shown);
	ck_assert_uint_eq(obs_meters_tick(m, AT(0)), 0);
	obs_meters_level(m, 3, loud, 1, AT(0));
	ck_assert_double_eq_tol(shown[3], -6.02, 0.01);
	uint64_t now = AT(0), next;
	double before = shown[3];
	while ((next = obs_meters_tick(m, now))) {
		ck_assert_double_le(shown[3], before);
		ck_assert_uint_gt(next, now);
		before = shown[3];
		now = next;
	}
	ck_assert_double_eq(shown[3], OBS_METER_MIN_DB);
	/* 54 dB at 20 dB/s. */
	ck_assert_uint_le(now, AT(3000));
	ck_assert_uint_ge(now, AT(2650));
	obs_meters_free(m);
}
END_TEST

START_TEST(what_obs_tells_is_not_told_twice)
{
	const double loud[1][3] = {{1, 0.5, 1}};
	struct obs_meters *m = obs_meters_new(8, fast, tell, shown);
	tells = 0;
	for (unsigned k = 0; k < 100; k++) {
		obs_meters_level(m, 1, loud, 1, AT(50 * k));
		ck_assert_uint_gt(obs_meters_tick(m, AT(50 * k + 10)), AT(50 * k + 50));
	}
	ck_assert_uint_eq(tells, 100);
	obs_meters_free(m);
}
END_TEST

START_TEST(overload_is_told_above_the_range)
{
	const double clipped[1][3] = {{1, 1, 1}}, hot[1][3] = {{1, 2, 2}},
		     fine[1][3] = {{1, 0.99, 1}};
	struct obs_meters *m = obs_meters_new(8, fast, tell, shown);
	obs_meters_level(m, 0, clipped, 1, AT(0));
	ck_assert_double_eq(shown[0], OBS_METER_OVER_DB);
	obs_meters_level(m, 1, hot, 1, AT(0));
	ck_assert_double_eq_tol(shown[1], 6.02, 0.01);
	obs_meters_level(m, 2, fine, 1, AT(0));
	ck_assert_double_lt(shown[2], 0);
	obs_meters_free(m);
}
END_TEST

START_TEST(silence_and_forgetting_put_meters_to_the_bottom_at_once)
{
	const double loud[1][3] = {{1, 0.5, 1}};
	struct obs_meters *m = obs_meters_new(8, held, tell, shown);
	for (unsigned k = 0; k < 8; k++)
		obs_meters_level(m, k, loud, 1, AT(0));
	obs_meters_level(m, 8, loud, 1, AT(0)); /* none of ours */
	obs_meters_forget(m, 4);
	ck_assert_double_eq(shown[4], OBS_METER_MIN_DB);
	ck_assert_double_gt(shown[5], OBS_METER_MIN_DB);
	obs_meters_silence(m);
	for (unsigned k = 0; k < 8; k++)
		ck_assert_double_eq(shown[k], OBS_METER_MIN_DB);
	ck_assert_uint_eq(obs_meters_tick(m, AT(10)), 0);
	obs_meters_free(m);
}
END_TEST

START_TEST(a_meter_never_rises_without_a_level_and_never_falls_faster_than_its_rate)
{
	srand(1);
	for (unsigned run = 0; run < 200; run++) {
		struct obs_ballistics b = {.decay_db_s = 1 + rand() % 60,
					   .hold_ms = (uint32_t)(rand() % 1000)};
		struct obs_meter m = {0};
		uint64_t now = AT(0);
		double before = OBS_METER_MIN_DB;
		for (unsigned k = 0; k < 500; k++) {
			uint64_t step = (uint64_t)(rand() % 300) * MS;
			double peak = -70 + rand() % 80,
			       expected = before - b.decay_db_s * (double)step / 1e9;
			now += step;
			double db = obs_meter_level(
				&m, &b, peak < OBS_METER_MIN_DB ? OBS_METER_MIN_DB : peak, now);
			ck_assert_double_ge(db, peak < OBS_METER_MIN_DB ? OBS_METER_MIN_DB : peak);
			ck_assert(db <= before + 1e-9 || db <= peak + 1e-9);
			ck_assert_double_ge(db + 1e-9, expected);
			before = db;
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs_meter");
	TCase *t = tcase_create("all");
	tcase_add_test(t, peak_is_the_loudest_channel_after_the_fader);
	tcase_add_test(t, meter_rises_at_once_and_falls_by_its_rate);
	tcase_add_test(t, peak_is_held_before_it_falls);
	tcase_add_test(t, what_obs_no_longer_tells_falls_by_itself_and_then_costs_nothing);
	tcase_add_test(t, what_obs_tells_is_not_told_twice);
	tcase_add_test(t, overload_is_told_above_the_range);
	tcase_add_test(t, silence_and_forgetting_put_meters_to_the_bottom_at_once);
	tcase_add_test(t, a_meter_never_rises_without_a_level_and_never_falls_faster_than_its_rate);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
