/* The arithmetic of cameras: nothing in the middle of the picture moves when it is zoomed. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/model.h"

#define W 1920.0
#define H 1080.0

static const int64_t alignments[] = {5, 4, 6, 1, 0, 2, 9, 8, 10};

static struct obs_transform
item(int64_t alignment, double scale)
{
	struct obs_transform t = {.known = true, .scale_x = scale, .scale_y = scale, .source_width = W, .source_height = H, .alignment = alignment};

	strcpy(t.bounds_type, "OBS_BOUNDS_NONE");
	obs_camera_reset_position(&t, W, H);
	return t;
}

static struct obs_transform
bounded(int64_t alignment, double width, double height)
{
	struct obs_transform t = item(alignment, 1);

	strcpy(t.bounds_type, "OBS_BOUNDS_SCALE_INNER");
	t.bounds_width = width;
	t.bounds_height = height;
	obs_camera_reset_position(&t, W, H);
	return t;
}

/* Which point of the item, in parts of its box, is in the middle of the canvas? OBS's own way: anchor, turn, position. */
static void
middle(const struct obs_transform *t, double *u, double *v)
{
	bool by_bounds = obs_camera_has_bounds(t);
	double w = by_bounds ? t->bounds_width : t->scale_x * (t->source_width - (double)(t->crop_left + t->crop_right));
	double h = by_bounds ? t->bounds_height : t->scale_y * (t->source_height - (double)(t->crop_top + t->crop_bottom));
	double ax = t->alignment & 1 ? 0 : t->alignment & 2 ? 1 : 0.5, ay = t->alignment & 4 ? 0 : t->alignment & 8 ? 1 : 0.5;
	double a = -t->rotation * M_PI / 180, x = W / 2 - t->x, y = H / 2 - t->y;

	*u = (x * cos(a) - y * sin(a)) / w + ax;
	*v = (x * sin(a) + y * cos(a)) / h + ay;
}

static void
is_same_middle(const struct obs_transform *a, const struct obs_transform *b)
{
	double ua, va, ub, vb;

	middle(a, &ua, &va);
	middle(b, &ub, &vb);
	ck_assert_double_eq_tol(ua, ub, 1e-6);
	ck_assert_double_eq_tol(va, vb, 1e-6);
}

static void
is_same(const struct obs_transform *a, const struct obs_transform *b)
{
	ck_assert_double_eq_tol(a->x, b->x, 1e-6);
	ck_assert_double_eq_tol(a->y, b->y, 1e-6);
	ck_assert_double_eq_tol(a->scale_x, b->scale_x, 1e-9);
	ck_assert_double_eq_tol(a->scale_y, b->scale_y, 1e-9);
	ck_assert_double_eq_tol(a->bounds_width, b->bounds_width, 1e-6);
	ck_assert_double_eq_tol(a->bounds_height, b->bounds_height, 1e-6);
}

START_TEST(a_zoom_keeps_what_is_in_the_middle_for_every_alignment)
{
	for (unsigned i = 0; i < 9; i++)
		for (int by_bounds = 0; by_bounds < 2; by_bounds++)
			for (double rotation = 0; rotation < 360; rotation += 45) {
				struct obs_transform t = by_bounds ? bounded(alignments[i], 1600, 900) : item(alignments[i], 0.75), before;

				t.rotation = rotation;
				t.crop_left = 40;
				t.x += 123;
				t.y -= 77;
				before = t;
				ck_assert_double_eq(obs_camera_zoom(&t, 1.3, W, H), 1.3);
				is_same_middle(&before, &t);
				ck_assert_double_eq_tol(obs_camera_zoom_of(&t, W, H), 1.3 * obs_camera_zoom_of(&before, W, H), 1e-9);
				ck_assert_double_eq(obs_camera_zoom(&t, 1 / 1.3, W, H), 1 / 1.3);
				is_same(&before, &t);
			}
}
END_TEST

START_TEST(a_clamped_zoom_does_not_drift)
{
	for (unsigned i = 0; i < 9; i++)
		for (int by_bounds = 0; by_bounds < 2; by_bounds++) {
			struct obs_transform t = by_bounds ? bounded(alignments[i], W, H) : item(alignments[i], 1), before, there;
			double way = 1;

			t.x += 50;
			before = t;
			for (int n = 0; n < 200; n++)
				way *= obs_camera_zoom(&t, 1.02, W, H);
			ck_assert_double_eq_tol(obs_camera_zoom_of(&t, W, H), OBS_SCALE_MAX, 1e-9);
			is_same_middle(&before, &t);
			there = t;
			ck_assert_double_eq_tol(obs_camera_zoom(&t, 1.02, W, H), 1, 1e-12);
			is_same(&there, &t);
			obs_camera_zoom(&t, 1 / way, W, H);
			is_same(&before, &t);
			ck_assert_double_eq_tol(obs_camera_zoom(&t, 1e-9, W, H), OBS_SCALE_MIN, 1e-9);
			is_same_middle(&before, &t);
		}
}
END_TEST

START_TEST(what_is_outside_of_the_limits_may_come_back)
{
	struct obs_transform t = item(5, 20);

	ck_assert_double_eq(obs_camera_zoom(&t, 1.5, W, H), 1);
	ck_assert_double_eq(obs_camera_zoom(&t, 0.5, W, H), 0.5);
	t = item(5, 0.001);
	ck_assert_double_eq(obs_camera_zoom(&t, 0.5, W, H), 1);
	ck_assert_double_eq(obs_camera_zoom(&t, 2, W, H), 2);
	t = item(5, 0);
	ck_assert_double_eq(obs_camera_zoom(&t, 2, W, H), 1);
	t = bounded(0, 1, 1);
	ck_assert_double_eq(obs_camera_zoom(&t, 0.5, W, H), 1);
}
END_TEST

START_TEST(rubbish_moves_nothing)
{
	struct obs_transform t = item(5, 1), before = t;

	ck_assert_double_eq(obs_camera_zoom(&t, NAN, W, H), 1);
	ck_assert_double_eq(obs_camera_zoom(&t, 0, W, H), 1);
	ck_assert_double_eq(obs_camera_zoom(&t, -2, W, H), 1);
	ck_assert_double_eq(obs_camera_zoom(&t, INFINITY, W, H), 1);
	obs_camera_pan(&t, NAN, INFINITY);
	is_same(&before, &t);
	ck_assert_double_eq(obs_camera_velocity(NAN, 1, 15, 2), 0);
	t.source_width = 0;
	ck_assert_double_eq(obs_camera_zoom_of(&t, W, H), 1);
	obs_camera_reset_zoom(&t, 0, 0);
	ck_assert_double_eq(t.scale_x, 1);
}
END_TEST

START_TEST(a_position_stays_within_what_obs_takes_and_a_zoom_stops_there)
{
	struct obs_transform t = item(5, 1), before;

	obs_camera_pan(&t, 1e9, -1e9);
	ck_assert_double_eq(t.x, OBS_POSITION_MAX);
	ck_assert_double_eq(t.y, -OBS_POSITION_MAX);
	before = t;
	obs_camera_zoom(&t, 3, W, H);
	is_same_middle(&before, &t);
	ck_assert_double_le(fabs(t.x), OBS_POSITION_MAX);
	ck_assert_double_le(fabs(t.y), OBS_POSITION_MAX);
}
END_TEST

START_TEST(a_reset_centres_whatever_the_alignment_rotation_and_mirror)
{
	for (unsigned i = 0; i < 9; i++)
		for (double rotation = 0; rotation < 360; rotation += 30) {
			struct obs_transform t = item(alignments[i], 0.5);
			double u, v;

			t.scale_x = -0.5;
			t.rotation = rotation;
			t.crop_top = 100;
			t.x = 7;
			obs_camera_reset_position(&t, W, H);
			middle(&t, &u, &v);
			ck_assert_double_eq_tol(u, 0.5, 1e-9);
			ck_assert_double_eq_tol(v, 0.5, 1e-9);
			ck_assert_int_eq(t.alignment, alignments[i]);
			ck_assert_double_eq(t.rotation, rotation);
		}
	struct obs_transform t = item(5, 1);

	ck_assert_double_eq(t.x, 0);
	ck_assert_double_eq(t.y, 0);
	t = item(0, 1);
	ck_assert_double_eq(t.x, W / 2);
	ck_assert_double_eq(t.y, H / 2);
}
END_TEST

START_TEST(a_reset_zoom_keeps_the_middle_too)
{
	for (unsigned i = 0; i < 9; i++)
		for (int by_bounds = 0; by_bounds < 2; by_bounds++) {
			struct obs_transform t = by_bounds ? bounded(alignments[i], 800, 300) : item(alignments[i], 2), before;

			t.scale_y = -0.3;
			t.rotation = 33;
			t.x += 90;
			before = t;
			obs_camera_reset_zoom(&t, W, H);
			is_same_middle(&before, &t);
			if (by_bounds) {
				ck_assert_double_eq(t.bounds_width, W);
				ck_assert_double_eq(t.bounds_height, H);
			} else {
				ck_assert_double_eq(t.scale_x, 1);
				ck_assert_double_eq(t.scale_y, -1);
			}
		}
}
END_TEST

START_TEST(velocity_is_even_and_bent_once)
{
	ck_assert_double_eq_tol(obs_camera_velocity(1, 1.5, 15, 2), 15 * 2 * 62.5, 1e-9);
	ck_assert_double_eq_tol(obs_camera_velocity(-0.25, 1.5, 15, 2), -0.125 * 15 * 2 * 62.5, 1e-9);
	ck_assert_double_eq(obs_camera_velocity(5, 1, 1, 1), 62.5);
	ck_assert_double_eq(obs_camera_velocity(0, 1.5, 15, 2), 0);
	ck_assert_double_eq_tol(obs_camera_zoom_during(3, 0.5) * obs_camera_zoom_during(-3, 0.5), 1, 1e-12);
	/* However the time is cut up, the way is the same. */
	double f = 1;

	for (int i = 0; i < 1000; i++)
		f *= obs_camera_zoom_during(0.7, 0.001);
	ck_assert_double_eq_tol(f, obs_camera_zoom_during(0.7, 1), 1e-9);
}
END_TEST

static double
chance(double min, double max)
{
	return min + (max - min) * ((double)(rand() % 100001) / 100000);
}

START_TEST(any_walk_stays_within_the_limits_and_keeps_the_middle)
{
	srand(7);
	for (int walk = 0; walk < 500; walk++) {
		struct obs_transform t = rand() % 2 ? item(alignments[rand() % 9], chance(0.01, 10)) : bounded(alignments[rand() % 9], chance(20, 9000), chance(20, 9000));

		t.rotation = chance(-360, 360);
		for (int n = 0; n < 100; n++) {
			struct obs_transform before = t;
			double want = chance(0.5, 2), got;

			if (rand() % 4 == 0)
				obs_camera_pan(&t, chance(-100, 100), chance(-100, 100));
			before = t;
			got = obs_camera_zoom(&t, want, W, H);
			ck_assert(want > 1 ? got >= 1 && got <= want : got <= 1 && got >= want);
			is_same_middle(&before, &t);
			ck_assert(isfinite(t.x) && isfinite(t.y) && fabs(t.x) <= OBS_POSITION_MAX && fabs(t.y) <= OBS_POSITION_MAX);
			if (!obs_camera_has_bounds(&t))
				ck_assert(t.scale_x > 0.00999 && t.scale_x < 10.001);
			else
				ck_assert_double_ge(fmin(t.bounds_width, t.bounds_height), 1 - 1e-9);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs camera");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_zoom_keeps_what_is_in_the_middle_for_every_alignment);
	tcase_add_test(t, a_clamped_zoom_does_not_drift);
	tcase_add_test(t, what_is_outside_of_the_limits_may_come_back);
	tcase_add_test(t, rubbish_moves_nothing);
	tcase_add_test(t, a_position_stays_within_what_obs_takes_and_a_zoom_stops_there);
	tcase_add_test(t, a_reset_centres_whatever_the_alignment_rotation_and_mirror);
	tcase_add_test(t, a_reset_zoom_keeps_the_middle_too);
	tcase_add_test(t, velocity_is_even_and_bent_once);
	tcase_add_test(t, any_walk_stays_within_the_limits_and_keeps_the_middle);
	suite_add_tcase(s, t);

	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
