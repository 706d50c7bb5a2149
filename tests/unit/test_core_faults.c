/*
 * test_core_faults - faults of XTouch-GW that must not come back: feedback, motors, lights
 *
 * Each is named after its place in the study of that program (docs/reference/feedback-rules.md has
 * the table): 3.1 admitted by its authors, 3.2 found by reading. The rules as such are in
 * test_core.c.
 */
#include <check.h>
#include <stdlib.h>

#include "common/feedback.h"
#include "procs/router/taper.h"
#include "tests/lib/core_rig.h"

#define near(a, b) ck_assert_double_eq_tol(a, b, 1e-6)

static struct rig *r;

static void
setup(void)
{
	r = rig_new();
}

static void
teardown(void)
{
	rig_free(r);
}

/* Its shadow was filled from what it received: so an echo was taken for news, and news that came
 * twice for an echo. */
START_TEST(fault_3_2_1_an_echo_is_known_by_what_we_sent_not_by_what_was_received)
{
	mix_report(r, RIG_LEVEL1, -40);
	rig_advance(r, 1000);
	rig_clear(r);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, fader_at(-10));
	desk_move(r, RIG_FADER1, fader_at(0));
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 200);
	mix_report(r, RIG_LEVEL1, -10); /* echoes of both, late */
	mix_report(r, RIG_LEVEL1, 0);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1); /* set once, where the hand left it */
	near(told_last(r, RIG_FADER1)->v.f, fader_at(0));
	/* What was received before is news again. */
	mix_report(r, RIG_LEVEL1, -40);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-40));
	mix_report(r, RIG_LEVEL1, 0);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(0));
}
END_TEST

/* Its last-write-wins was dead code: late feedback dragged a fader that somebody held. */
START_TEST(fault_3_2_2_late_feedback_drags_no_fader_that_is_held)
{
	desk_touch(r, RIG_FADER1, true);
	for (int k = 0; k < 50; k++) {
		desk_move(r, RIG_FADER1, 0.01 * k);
		mix_report(r, RIG_LEVEL1, -90 + k);
		rig_advance(r, 20);
	}
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	near(mix_value(r, RIG_LEVEL1), sent_last(r, RIG_LEVEL1)->v.f);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 299);
	near(told_last(r, RIG_FADER1)->v.f, 0.49);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

/* Its squelch was one for all: feedback to one fader swallowed the hands on all others for 120 ms.
 */
START_TEST(fault_3_2_3_feedback_to_one_fader_squelches_no_other)
{
	for (int touched = 1; touched >= 0; touched--) {
		unsigned before = sent_count(r, RIG_LEVEL2);
		if (touched)
			desk_touch(r, RIG_FADER2, true);
		for (int k = 0; k < 30; k++) {
			mix_report(r, RIG_LEVEL1, -50 + k);
			desk_move(r, RIG_FADER2, 0.5 + 0.01 * k);
			rig_advance(r, 5);
		}
		ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), before + 30);
		if (touched)
			desk_touch(r, RIG_FADER2, false);
		rig_advance(r, 2000);
	}
}
END_TEST

/* Each feedback was written at once and again after 90 ms, and each move of a hand was answered by
 * its motor. */
START_TEST(fault_3_2_4_feedback_is_written_once_and_a_hand_is_not_answered)
{
	mix_report(r, RIG_LEVEL1, 0);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	mix_report(r, RIG_MUTED, 1);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_MUTE), 1);
	desk_touch(r, RIG_FADER1, true);
	for (int k = 0; k < 100; k++) {
		desk_move(r, RIG_FADER1, 0.005 * k);
		rig_advance(r, 100);
	}
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

/* What matched nothing went raw to the surface: another program's pitch bend moved a fader of QLC+.
 */
START_TEST(fault_3_2_5_feedback_that_nothing_shows_goes_nowhere)
{
	mix_report(r, RIG_ROOM, 99);
	mix_report(r, RIG_LEVEL3, 5); /* of another page */
	rig_event(r, RIG_MIX,
		  (struct bh_event){
			  .kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 60, .gen = 1, .v.f = 1});
	rig_advance(r, 5000);
	ck_assert_uint_eq(r->logged, 0);
	/* It is known all the same. */
	desk_press(r, RIG_F1);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(5));
}
END_TEST

/* A page turned, but not what hung on other rows than rec, solo, mute, select; indicators kept what
 * they showed. */
START_TEST(fault_3_2_6_every_light_is_true_after_a_page_switch_and_nothing_else_is_sent)
{
	mix_report(r, RIG_MUTED, 1);
	mix_report(r, RIG_RECORDING, 1);
	desk_press(r, RIG_F2);
	ck_assert_int_eq(desk_ctl(r, RIG_MUTE)->told_type, BH_NONE);
	ck_assert_int_eq(desk_ctl(r, RIG_LED)->told_type, BH_NONE);
	ck_assert_int_eq(desk_ctl(r, RIG_F2)->told.i, BH_LIGHT_ON);
	mix_report(r, RIG_MUTED, 0);
	rig_clear(r);
	desk_press(r, RIG_F1);
	desk_press(r, RIG_F1);
	ck_assert_int_eq(desk_ctl(r, RIG_MUTE)->told.i, BH_LIGHT_OFF);
	ck_assert_int_eq(desk_ctl(r, RIG_LED)->told.i, BH_LIGHT_FLASH);
	ck_assert_int_eq(desk_ctl(r, RIG_F2)->told.i, BH_LIGHT_OFF);
	ck_assert_uint_eq(told_count(r, RIG_FADER2),
			  0); /* the same on all of them but the last, where it is not bound */
}
END_TEST

/* Rings were set to zero by every switch and never restored: 288 messages for nothing. */
START_TEST(fault_3_2_7_rings_come_back_with_their_page)
{
	mix_report(r, RIG_PAN, 0.5);
	int64_t was = desk_ctl(r, RIG_VPOT)->told.i;
	desk_press(r, RIG_F1);
	ck_assert_int_eq(desk_ctl(r, RIG_VPOT)->told_type, BH_NONE);
	desk_press(r, RIG_F1);
	desk_press(r, RIG_F1);
	ck_assert_int_eq(desk_ctl(r, RIG_VPOT)->told.i, was);
	ck_assert_uint_eq(told_count(r, RIG_VPOT), 3); /* moved, dark, back */
}
END_TEST

/* A note off with a release velocity of 64 was passed on as a half. */
START_TEST(fault_3_2_15_release_velocity_is_no_value)
{
	struct rig_maker m;
	rig_make(&m);
	rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_MOMENTARY, "room"));
	rig_page(&m, "Page", 0);
	rig_free(r);
	r = rig_new_full(rig_finish(&m, 1));
	desk_push(r, RIG_MUTE, true);
	ck_assert_double_eq(sent_last(r, RIG_ROOM)->v.f, 100);
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_RELEASE,
				    .type = BH_INT,
				    .id = RIG_MUTE,
				    .gen = ++r->desk_gen[RIG_MUTE],
				    .v.i = 64});
	ck_assert_double_eq(sent_last(r, RIG_ROOM)->v.f, 0);
}
END_TEST

/* Pushed quickly to the top, a fader arrived at 87 %: the squelch ate the last messages. */
START_TEST(fault_3_1_fader_pushed_fast_to_the_top_reaches_it)
{
	for (int delay = 0; delay <= 200; delay += 50) {
		desk_touch(r, RIG_FADER1, true);
		desk_move(r, RIG_FADER1, 0);
		for (int k = 0; k <= 20; k++) {
			double was = mix_value(r, RIG_LEVEL1);
			desk_move(r, RIG_FADER1, k < 20 ? k / 20.0 : 16380 / 16383.0);
			mix_report(r, RIG_LEVEL1, was);
			rig_advance(r, 3);
		}
		desk_touch(r, RIG_FADER1, false);
		ck_assert_double_eq(sent_last(r, RIG_LEVEL1)->v.f, 10);
		rig_advance(r, (unsigned)delay);
		mix_report(r, RIG_LEVEL1, 10);
		rig_advance(r, 2000);
		ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 1);
		near(mix_value(r, RIG_LEVEL1), 10);
	}
}
END_TEST

/* The physical top reads 16380: the program's echo of just less than the whole pulled the motor
 * down again. */
START_TEST(fault_3_1_the_echo_of_the_top_does_not_pull_the_motor_down)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 16380 / 16383.0);
	desk_touch(r, RIG_FADER1, false);
	mix_report(r, RIG_LEVEL1, 9.999); /* 7 bits, there and back */
	rig_advance(r, 5000);
	ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

/* No grace for notes: lights flickered on the echo of the press before. */
START_TEST(fault_3_1_lights_do_not_flicker_on_late_echoes)
{
	for (int k = 0; k < 4; k++)
		desk_press(r, RIG_MUTE);
	ck_assert_uint_eq(told_count(r, RIG_MUTE), 4);
	for (int k = 0; k < 4; k++) {
		mix_report(r, RIG_MUTED, !(k & 1));
		rig_advance(r, 20);
	}
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_MUTE), 4);
	ck_assert_int_eq(desk_ctl(r, RIG_MUTE)->told.i, BH_LIGHT_OFF);
}
END_TEST

/* The same of a hand that comes back to where it was: the echo of its first pass is no confirmation of the last. */
START_TEST(fault_3_1_echoes_of_a_hand_there_and_back_do_not_move_the_motor)
{
	static const double way[] = {-10.5, -3, 0, -3, -10.5};
	desk_touch(r, RIG_FADER1, true);
	for (int k = 0; k < 5; k++)
		desk_move(r, RIG_FADER1, fader_at(way[k]));
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 500);
	for (int k = 0; k < 5; k++) {
		mix_report(r, RIG_LEVEL1, way[k]);
		rig_advance(r, 20);
	}
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-10.5));
	ck_assert(!(mix_param(r, RIG_LEVEL1)->flags & (BH_PAR_PENDING | BH_PAR_OVERTAKEN)));
}
END_TEST

/* Feedback of the page before arrived after the switch, and moved the new page's fader. */
START_TEST(fault_3_1_feedback_of_the_page_before_moves_nothing_on_the_new_one)
{
	desk_press(r, RIG_F1);
	unsigned n = told_count(r, RIG_FADER1);
	mix_report(r, RIG_LEVEL1, 3);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), n);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
}
END_TEST

/* Toggles were driven by a memory that a reload deleted: the next press only recorded. */
START_TEST(fault_3_2_19_a_switch_turns_over_right_after_a_reload)
{
	mix_report(r, RIG_MUTED, 1);
	rig_reconfigure(r, rig_changed_config());
	desk_press(r, RIG_MUTE);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		fault_3_2_1_an_echo_is_known_by_what_we_sent_not_by_what_was_received,
		fault_3_2_2_late_feedback_drags_no_fader_that_is_held,
		fault_3_2_3_feedback_to_one_fader_squelches_no_other,
		fault_3_2_4_feedback_is_written_once_and_a_hand_is_not_answered,
		fault_3_2_5_feedback_that_nothing_shows_goes_nowhere,
		fault_3_2_6_every_light_is_true_after_a_page_switch_and_nothing_else_is_sent,
		fault_3_2_7_rings_come_back_with_their_page,
		fault_3_2_15_release_velocity_is_no_value,
		fault_3_2_19_a_switch_turns_over_right_after_a_reload,
		fault_3_1_fader_pushed_fast_to_the_top_reaches_it,
		fault_3_1_the_echo_of_the_top_does_not_pull_the_motor_down,
		fault_3_1_lights_do_not_flicker_on_late_echoes,
		fault_3_1_echoes_of_a_hand_there_and_back_do_not_move_the_motor,
		fault_3_1_feedback_of_the_page_before_moves_nothing_on_the_new_one,
	};
	Suite *s = suite_create("core_faults");
	TCase *t = tcase_create("faults");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++)
		tcase_add_test(t, tests[k]);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
