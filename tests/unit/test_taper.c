/* test_taper - between positions of a fader and values */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "procs/router/taper.h"

static const struct bh_taper_range db = {BH_TAPER_FADER_DB, -100, 10, 0};
static const struct bh_taper_range pan = {BH_TAPER_LINEAR, -1, 1, 0};

START_TEST(fader_scale_has_0_db_where_the_desk_prints_it)
{
	ck_assert_double_eq_tol(bh_taper_value(&db, 12588 / 16383.0), 0, 1e-9);
	ck_assert_double_eq_tol(bh_taper_position(&db, 0), 12588 / 16383.0, 1e-9);
	ck_assert_double_eq_tol(bh_taper_value(&db, 1), 10, 1e-9);
	ck_assert_double_eq(bh_taper_position(&db, 10), 1);
}
END_TEST

START_TEST(bottom_of_the_fader_is_the_minimum)
{
	ck_assert_double_eq(bh_taper_value(&db, 0), -100);
	ck_assert_double_eq(bh_taper_position(&db, -100), 0);
	ck_assert_double_lt(bh_taper_value(&db, 0.001), -90);
}
END_TEST

START_TEST(parameter_that_ends_at_0_db_keeps_the_printed_scale)
{
	struct bh_taper_range obs = {BH_TAPER_FADER_DB, -100, 0, 0};
	ck_assert_double_eq(bh_taper_value(&obs, 1), 0);
	ck_assert_double_eq_tol(bh_taper_position(&obs, 0), 12588 / 16383.0, 1e-9);
	ck_assert_double_eq_tol(bh_taper_value(&obs, 0.545), -10, 1e-9);
}
END_TEST

START_TEST(every_taper_goes_there_and_back)
{
	const struct bh_taper_range all[] = {
		db, pan, {BH_TAPER_LOG, 20, 20000, 0}, {BH_TAPER_LOG, 0, 100, 0}, {BH_TAPER_FADER_DB, -60, 10, 0},
		{BH_TAPER_OBS_DB, -100, 26, 0}};
	for (size_t t = 0; t < sizeof(all) / sizeof(all[0]); t++)
		for (int k = 0; k <= 16383; k++) {
			double pos = k / 16383.0, value = bh_taper_value(&all[t], pos);
			ck_assert(value >= all[t].min && value <= all[t].max);
			ck_assert_msg(fabs(bh_taper_position(&all[t], value) - pos) < (t == 4 ? 0.051 : 1e-6),
				      "taper %zu at %g", t, pos);
		}
}
END_TEST

START_TEST(every_taper_rises)
{
	const struct bh_taper_range all[] = {db, pan, {BH_TAPER_LOG, 20, 20000, 0}, {BH_TAPER_STEPS, 0, 7, 1},
					     {BH_TAPER_OBS_DB, -100, 26, 0}};
	for (size_t t = 0; t < sizeof(all) / sizeof(all[0]); t++)
		for (int k = 1; k <= 16383; k++)
			ck_assert(bh_taper_value(&all[t], k / 16383.0) >= bh_taper_value(&all[t], (k - 1) / 16383.0));
}
END_TEST

START_TEST(steps_stop_at_multiples_of_the_step)
{
	struct bh_taper_range r = {BH_TAPER_STEPS, 0, 3, 1};
	ck_assert_double_eq(bh_taper_value(&r, 0.2), 1);
	ck_assert_double_eq(bh_taper_value(&r, 0.5), 2);
	ck_assert_double_eq(bh_taper_value(&r, 1), 3);
	ck_assert_double_eq_tol(bh_taper_position(&r, 2), 2 / 3.0, 1e-12);
}
END_TEST

START_TEST(nonsense_is_clamped)
{
	struct bh_taper_range none = {BH_TAPER_LINEAR, 5, 5, 0}, wrong = {BH_TAPER_LOG, 9, 1, 0};
	ck_assert_double_eq(bh_taper_value(&db, NAN), -100);
	ck_assert_double_eq(bh_taper_value(&db, 7), 10);
	ck_assert_double_eq(bh_taper_value(&db, -7), -100);
	ck_assert_double_eq(bh_taper_position(&pan, NAN), 0);
	ck_assert_double_eq(bh_taper_position(&pan, INFINITY), 1);
	ck_assert_double_eq(bh_taper_value(&none, 0.5), 5);
	ck_assert_double_eq(bh_taper_position(&none, 5), 0);
	ck_assert_double_eq(bh_taper_value(&wrong, 0.5), 9);
	ck_assert_double_eq(bh_taper_position(&wrong, 4), 0);
}
END_TEST

/* What obs_fader_get_db() and obs_fader_get_deflection() of libobs 29.0.2 say of an OBS_FADER_LOG; see tests/peers/test_obs_fader.c. */
START_TEST(the_fader_of_obs_has_its_marks)
{
	static const struct {
		double pos, db;
	} marks[] = {
		{0.05, -82.52740},
		{0.1, -70.83433},
		{0.25, -44.23286},
		{0.5, -18.73863},
		{0.75, -6.18326},
		{0.9, -1.96519},
		{0.99, -0.17242},
	};
	const struct bh_taper_range obs = {BH_TAPER_OBS_DB, -100, 26, 0}, low = {BH_TAPER_OBS_DB, -60, -6, 0};
	for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
		ck_assert_double_eq_tol(bh_taper_value(&obs, marks[k].pos), marks[k].db, 1e-4);
		ck_assert_double_eq_tol(bh_taper_position(&obs, marks[k].db), marks[k].pos, 1e-6);
	}
	ck_assert_double_eq(bh_taper_value(&obs, 1), 0);
	ck_assert_double_eq(bh_taper_value(&obs, 0), -100);
	ck_assert_double_eq(bh_taper_position(&obs, 0), 1);
	ck_assert_double_eq(bh_taper_position(&obs, 26), 1);
	ck_assert_double_eq(bh_taper_position(&obs, -96), 0);
	ck_assert_double_eq(bh_taper_position(&obs, -99), 0);
	/* A binding that reaches no further does not stretch the scale. */
	ck_assert_double_eq(bh_taper_value(&low, 1), -6);
	ck_assert_double_eq(bh_taper_value(&low, 0.001), -60);
	ck_assert_double_eq_tol(bh_taper_position(&low, -6), bh_taper_position(&obs, -6), 1e-12);
}
END_TEST

START_TEST(positions_less_than_a_step_apart_are_the_same)
{
	ck_assert(bh_taper_same(0.5, 0.5 + 3 / 16383.0));
	ck_assert(!bh_taper_same(0.5, 0.5 + 4 / 16383.0));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("taper");
	TCase *t = tcase_create("taper");
	tcase_add_test(t, fader_scale_has_0_db_where_the_desk_prints_it);
	tcase_add_test(t, bottom_of_the_fader_is_the_minimum);
	tcase_add_test(t, parameter_that_ends_at_0_db_keeps_the_printed_scale);
	tcase_add_test(t, every_taper_goes_there_and_back);
	tcase_add_test(t, every_taper_rises);
	tcase_add_test(t, steps_stop_at_multiples_of_the_step);
	tcase_add_test(t, nonsense_is_clamped);
	tcase_add_test(t, the_fader_of_obs_has_its_marks);
	tcase_add_test(t, positions_less_than_a_step_apart_are_the_same);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
