/* test_core - the rules of the router, each by its name; desk and mixer as in core_rig.h */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "procs/router/taper.h"
#include "tests/lib/core_rig.h"

#define STEP BH_TAPER_STEP
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

static void
expect_strip(unsigned ctl, const char *text)
{
	ck_assert_str_eq(desk_ctl(r, ctl)->text, text);
}

/* ------------------------------------------------------------------ values */

START_TEST(moved_fader_sets_its_parameter_by_its_taper)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 12588 / 16383.0);
	near(sent_last(r, RIG_LEVEL1)->v.f, 0);
	ck_assert_int_eq(sent_last(r, RIG_LEVEL1)->ev.kind, BH_EV_VALUE);
	ck_assert_uint_eq(sent_last(r, RIG_LEVEL1)->ev.stamp_ns, r->now_ns);
	desk_move(r, RIG_FADER1, 0);
	near(sent_last(r, RIG_LEVEL1)->v.f, -100);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 2);
}
END_TEST

START_TEST(reported_value_moves_the_fader_and_the_strip)
{
	mix_report(r, RIG_LEVEL1, 0);
	near(told_last(r, RIG_FADER1)->v.f, 12588 / 16383.0);
	expect_strip(RIG_STRIP1, "1Ch 1\n0.0dB");
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
	mix_report(r, RIG_LEVEL1, -100);
	expect_strip(RIG_STRIP1, "1Ch 1\n-inf");
	ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 0);
}
END_TEST

START_TEST(top_and_bottom_of_a_real_fader_are_the_ends)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 16380 / 16383.0);
	ck_assert_double_eq(sent_last(r, RIG_LEVEL1)->v.f, 10);
	desk_move(r, RIG_FADER1, 7 / 16383.0);
	ck_assert_double_eq(sent_last(r, RIG_LEVEL1)->v.f, -100);
}
END_TEST

START_TEST(press_toggles_the_newest_even_before_the_backend_answers)
{
	desk_press(r, RIG_MUTE);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	ck_assert_int_eq(told_last(r, RIG_MUTE)->v.i, BH_LIGHT_ON);
	desk_press(r, RIG_MUTE);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	mix_report(r, RIG_MUTED, 1);
	mix_report(r, RIG_MUTED, 0);
	ck_assert_int_eq(told_last(r, RIG_MUTE)->v.i, BH_LIGHT_OFF);
	ck_assert_uint_eq(told_count(r, RIG_MUTE), 2);
}
END_TEST

START_TEST(press_steps_through_choices_and_round)
{
	desk_press(r, RIG_SCENE);
	expect_strip(RIG_STRIP2, "0scene\nNight");
	desk_press(r, RIG_SCENE);
	expect_strip(RIG_STRIP2, "0scene\nOff");
	desk_press(r, RIG_SCENE);
	expect_strip(RIG_STRIP2, "0scene\nDay");
	ck_assert_uint_eq(sent_count(r, RIG_SCENES), 3);
}
END_TEST

START_TEST(old_press_does_nothing_but_flash)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_MUTE, .v.i = 1,
						 .stamp_ns = r->now_ns - 2000000000ull});
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 0);
	ck_assert_int_eq(told_last(r, RIG_MUTE)->v.i, BH_LIGHT_FLASH);
}
END_TEST

START_TEST(ticks_step_the_parameter_and_the_ring_follows)
{
	desk_turn(r, RIG_VPOT, 3);
	near(sent_last(r, RIG_PAN)->v.f, 0.06);
	struct bh_ring_state ring = bh_feedback_ring_open(told_last(r, RIG_VPOT)->v.i);
	ck_assert(ring.lit);
	ck_assert_int_eq(ring.mode, BH_RING_PAN);
	ck_assert_double_eq_tol(ring.pos, 0.53, 1e-4);
	desk_turn(r, RIG_VPOT, -5);
	near(sent_last(r, RIG_PAN)->v.f, -0.04);
}
END_TEST

START_TEST(ticks_stop_at_the_ends_of_the_range)
{
	desk_turn(r, RIG_VPOT, 1000);
	near(sent_last(r, RIG_PAN)->v.f, 1);
	desk_turn(r, RIG_VPOT, 5);
	ck_assert_uint_eq(sent_count(r, RIG_PAN), 1);
}
END_TEST

START_TEST(ticks_are_counted_by_their_running_total)
{
	/* Two events were lost; the third one's total says how far it was turned in all. */
	r->total[RIG_VPOT] = 10;
	r->desk_gen[RIG_VPOT] = 2;
	desk_turn(r, RIG_VPOT, 1);
	near(sent_last(r, RIG_PAN)->v.f, 11 * 0.02);
	/* The same event twice counts once. */
	r->desk_gen[RIG_VPOT]--;
	desk_turn(r, RIG_VPOT, 0);
	ck_assert_uint_eq(sent_count(r, RIG_PAN), 1);
}
END_TEST

START_TEST(light_flashes_while_its_parameter_is_on)
{
	mix_report(r, RIG_RECORDING, 1);
	ck_assert_int_eq(told_last(r, RIG_LED)->v.i, BH_LIGHT_FLASH);
	mix_report(r, RIG_RECORDING, 0);
	ck_assert_int_eq(told_last(r, RIG_LED)->v.i, BH_LIGHT_OFF);
}
END_TEST

START_TEST(meters_pass_by_without_a_change_of_state)
{
	mix_meter(r, 0.5);
	ck_assert_int_eq(told_last(r, RIG_METER)->ev.kind, BH_EV_METER);
	near(told_last(r, RIG_METER)->v.f, 0.5);
	ck_assert_uint_eq(r->tx.changes, 0);
	ck_assert_uint_eq(r->tx.meters, r->tx.outputs);
	mix_meter(r, 1.25);
	ck_assert_double_gt(told_last(r, RIG_METER)->v.f, 1);
	/* Turning the page darkens it. */
	desk_press(r, RIG_F1);
	ck_assert_int_eq(told_last(r, RIG_METER)->ev.type, BH_NONE);
	mix_meter(r, 0.5);
	ck_assert_int_eq(told_last(r, RIG_METER)->ev.type, BH_NONE);
}
END_TEST

/* ------------------------------------------------------------------ hand and motor */

START_TEST(touched_fader_is_never_driven)
{
	desk_touch(r, RIG_FADER1, true);
	mix_report(r, RIG_LEVEL1, 0);
	mix_report(r, RIG_LEVEL1, -40);
	rig_advance(r, 60000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
}
END_TEST

START_TEST(hand_keeps_only_its_own_fader_from_moving)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	mix_report(r, RIG_LEVEL2, 0);
	near(told_last(r, RIG_FADER2)->v.f, fader_at(0));
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
}
END_TEST

START_TEST(motor_is_set_once_after_the_release_to_where_the_hand_left_it)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	desk_move(r, RIG_FADER1, 0.4);
	mix_report(r, RIG_LEVEL1, sent_last(r, RIG_LEVEL1)->v.f);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 89);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, 0.4);
	rig_advance(r, 10000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

START_TEST(motor_is_set_at_once_when_the_hand_left_it_at_an_end)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 1);
	desk_touch(r, RIG_FADER1, false);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 1);
}
END_TEST

START_TEST(hand_that_only_rested_leaves_the_fader_to_the_backend)
{
	desk_touch(r, RIG_FADER1, true);
	mix_report(r, RIG_LEVEL1, 0);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 299);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 1);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(0));
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

START_TEST(backend_waits_until_the_hands_window_is_over)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	mix_report(r, RIG_LEVEL1, sent_last(r, RIG_LEVEL1)->v.f);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 150);
	mix_report(r, RIG_LEVEL1, 5);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, 0.3);
	rig_advance(r, 150);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(5));
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 2);
}
END_TEST

START_TEST(move_without_a_touch_is_a_hand_and_is_told_back)
{
	rig_advance(r, 1000);
	desk_move(r, RIG_FADER1, 0.3);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 50);
	desk_move(r, RIG_FADER1, 0.35);
	rig_advance(r, 89);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 1);
	near(told_last(r, RIG_FADER1)->v.f, 0.35);
}
END_TEST

START_TEST(what_a_motor_reports_of_its_own_way_is_no_hand)
{
	mix_report(r, RIG_LEVEL1, 0);
	rig_advance(r, 100);
	desk_move(r, RIG_FADER1, 0.5);
	desk_move(r, RIG_FADER1, 0.7);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
	/* A touch is one, however soon. */
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.6);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
}
END_TEST

START_TEST(fader_pushed_fast_to_the_top_arrives_at_the_top)
{
	/* While faders 1 and 2 are being driven, nothing of the hand's on fader 1 is lost. */
	desk_touch(r, RIG_FADER1, true);
	for (int k = 0; k <= 100; k++) {
		desk_move(r, RIG_FADER1, k / 100.0);
		mix_report(r, RIG_LEVEL2, -k);
		mix_report(r, RIG_LEVEL1, sent_last(r, RIG_LEVEL1)->v.f);
		rig_advance(r, 1);
	}
	desk_touch(r, RIG_FADER1, false);
	ck_assert_double_eq(sent_last(r, RIG_LEVEL1)->v.f, 10);
	rig_advance(r, 1000);
	ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 1);
}
END_TEST

START_TEST(fader_gets_no_output_for_less_than_a_step)
{
	mix_report(r, RIG_LEVEL1, -10.001);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	mix_report(r, RIG_LEVEL1, -10.1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	mix_report(r, RIG_LEVEL1, -10.1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

START_TEST(feedback_to_a_fader_says_up_to_which_move_it_knows_the_hand)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 90);
	ck_assert_uint_eq(told_last(r, RIG_FADER1)->ev.total, r->desk_gen[RIG_FADER1]);
	mix_report(r, RIG_LEVEL2, -3);
	ck_assert_uint_eq(told_last(r, RIG_FADER2)->ev.total, 0);
}
END_TEST

START_TEST(small_steps_add_up_to_an_output)
{
	for (int k = 1; k <= 40; k++)
		mix_report(r, RIG_LEVEL1, -10 + 0.01 * k);
	near(desk_ctl(r, RIG_FADER1)->told.f, told_last(r, RIG_FADER1)->v.f);
	ck_assert_double_lt(fabs(told_last(r, RIG_FADER1)->v.f - fader_at(-9.6)), STEP);
	ck_assert_uint_lt(told_count(r, RIG_FADER1), 40);
}
END_TEST

/* ------------------------------------------------------------------ echo and last writer */

START_TEST(report_equal_to_what_was_sent_confirms_it)
{
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, 0, NULL);
	ck_assert(mix_param(r, RIG_LEVEL1)->flags & BH_PAR_PENDING);
	mix_report(r, RIG_LEVEL1, 0.001);
	ck_assert(!(mix_param(r, RIG_LEVEL1)->flags & BH_PAR_PENDING));
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

START_TEST(older_echo_does_not_move_the_fader_while_a_newer_value_is_pending)
{
	desk_touch(r, RIG_FADER1, true);
	double sent[3];
	for (int k = 0; k < 3; k++) {
		desk_move(r, RIG_FADER1, 0.3 + 0.1 * k);
		sent[k] = sent_last(r, RIG_LEVEL1)->v.f;
	}
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 95);
	for (int k = 0; k < 3; k++)
		mix_report(r, RIG_LEVEL1, sent[k]);
	rig_advance(r, 10000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, 0.5);
	near(mix_value(r, RIG_LEVEL1), sent[2]);
}
END_TEST

START_TEST(backend_that_insists_wins_after_the_echo_window)
{
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, 0, NULL);
	mix_report(r, RIG_LEVEL1, -6);
	near(mix_value(r, RIG_LEVEL1), 0);
	rig_advance(r, 249);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(0));
	rig_advance(r, 1);
	near(mix_value(r, RIG_LEVEL1), -6);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-6));
}
END_TEST

START_TEST(last_writer_wins_between_hand_and_backend)
{
	mix_report(r, RIG_LEVEL1, 0);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	desk_touch(r, RIG_FADER1, false);
	mix_report(r, RIG_LEVEL1, sent_last(r, RIG_LEVEL1)->v.f);
	rig_advance(r, 1000);
	mix_report(r, RIG_LEVEL1, 3);
	near(mix_value(r, RIG_LEVEL1), 3);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(3));
}
END_TEST

START_TEST(a_value_is_not_sent_back_to_where_it_came_from)
{
	mix_report(r, RIG_LEVEL1, -3);
	mix_report(r, RIG_MUTED, 1);
	mix_report(r, RIG_PAN, 0.5);
	rig_advance(r, 5000);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 0);
	ck_assert_uint_eq(sent_count(r, RIG_PAN), 0);
	/* nor the fader's own position back to it while it moves */
	desk_touch(r, RIG_FADER1, true);
	rig_clear(r);
	desk_move(r, RIG_FADER1, 0.2);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
}
END_TEST

START_TEST(driver_that_never_reports_keeps_what_was_wanted)
{
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, 0, NULL);
	rig_advance(r, 60000);
	near(mix_value(r, RIG_LEVEL1), 0);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
}
END_TEST

/* ------------------------------------------------------------------ pages */

START_TEST(page_switch_sends_only_what_differs)
{
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
	ck_assert_uint_eq(told_count(r, RIG_FADER2), 0); /* the same parameter on both pages */
	ck_assert_str_eq(told_last(r, RIG_STRIP1)->v.s, "1Ch 3\n-30.0dB");
	ck_assert_str_eq(told_last(r, RIG_DIGITS)->v.s, "Other");
	ck_assert_int_eq(told_last(r, RIG_VPOT)->ev.type, BH_NONE);
	ck_assert_int_eq(told_last(r, RIG_F2)->v.i, BH_LIGHT_ON);
	/* and back: what each showed before */
	desk_press(r, RIG_F1);
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(bh_core_page(r->core), 0);
	near(desk_ctl(r, RIG_FADER1)->told.f, fader_at(-10));
	rig_clear(r);
	ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, 0, 0, BH_INT, 0, NULL);
	for (unsigned k = 0; k < RIG_CTLS; k++)
		ck_assert_uint_eq(told_count(r, k), 0);
}
END_TEST

START_TEST(page_switch_shows_the_newest_known_value_then_the_default)
{
	rig_free(r);
	r = rig_new_with(rig_config(), true);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL3, -30);
	ck_assert_int_eq(desk_ctl(r, RIG_FADER2)->told_type, BH_NONE); /* it may be about to say */
	rig_advance(r, 250);
	near(desk_ctl(r, RIG_FADER2)->told.f, fader_at(-20)); /* ch2's default in the directory */
	/* reported while another page was shown: kept all the same */
	mix_report(r, RIG_LEVEL3, 4);
	desk_press(r, RIG_F1);
	near(desk_ctl(r, RIG_FADER1)->told.f, fader_at(4));
}
END_TEST

START_TEST(unbound_controls_go_dark_and_an_unbound_fader_stays)
{
	desk_press(r, RIG_F1);
	rig_clear(r);
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(bh_core_page(r->core), 2);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	ck_assert_int_eq(told_last(r, RIG_STRIP1)->ev.type, BH_NONE);
	ck_assert_int_eq(told_last(r, RIG_DIGITS)->ev.type, BH_NONE);
	/* moved by a hand it is told to stay there, and nothing else happens */
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.9);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 500);
	near(told_last(r, RIG_FADER1)->v.f, 0.9);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1) + sent_count(r, RIG_LEVEL3), 0);
}
END_TEST

START_TEST(fader_held_over_a_page_switch_goes_on_with_what_it_was_grabbed_with)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	desk_move(r, RIG_FADER1, 0.4);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 2);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL3), 0); /* nothing jumps */
	expect_strip(RIG_STRIP1, "1Ch 3\n-30.0dB");
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 90);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
	rig_advance(r, 1000);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.2);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL3), 1);
}
END_TEST

START_TEST(held_fader_is_the_same_one_after_turning_the_page_there_and_back)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	desk_press(r, RIG_F1);
	desk_press(r, RIG_F1);
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(bh_core_page(r->core), 0);
	ck_assert(!(desk_ctl(r, RIG_FADER1)->flags & BH_CTRL_HELD));
	desk_move(r, RIG_FADER1, 0.4);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 2);
}
END_TEST

START_TEST(fader_let_go_before_the_page_switch_shows_the_new_page_after_settling)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 40);
	desk_press(r, RIG_F1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 50);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
}
END_TEST

START_TEST(page_go_turns_to_the_named_page_and_its_button_is_lit)
{
	desk_press(r, RIG_F2);
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	ck_assert_int_eq(told_last(r, RIG_F2)->v.i, BH_LIGHT_ON);
	desk_press(r, RIG_F1);
	ck_assert_int_eq(told_last(r, RIG_F2)->v.i, BH_LIGHT_OFF);
}
END_TEST

START_TEST(new_configuration_under_the_hand_leaves_the_fader_deaf_until_it_is_let_go)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	rig_reconfigure(r, rig_changed_config());
	desk_move(r, RIG_FADER1, 0.6);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL3), 0);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 90);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
}
END_TEST

START_TEST(same_configuration_again_sends_nothing)
{
	rig_reconfigure(r, rig_config());
	for (unsigned k = 0; k < RIG_CTLS; k++)
		ck_assert_msg(told_count(r, k) == 0, "control %u", k);
	expect_strip(RIG_STRIP1, "1Ch 1\n-10.0dB");
}
END_TEST

/* ------------------------------------------------------------------ actions */

START_TEST(press_sends_the_action_with_the_moment_of_the_press)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1,
						 .stamp_ns = r->now_ns - 5000000});
	const struct rig_out *a = action_last(r);
	ck_assert_uint_eq(a->ev.id, 3);
	ck_assert_uint_eq(a->ev.gen, 1);
	ck_assert_uint_eq(a->ev.total, (uint32_t)RIG_DESK << 16 | RIG_PLAY);
	ck_assert_uint_eq(a->ev.stamp_ns, r->now_ns - 5000000);
	ck_assert_str_eq(a->v.s, "play");
	ck_assert_uint_eq(a->flags, BH_OUT_PUSH);
}
END_TEST

START_TEST(touch_of_a_fader_presses_the_button_of_the_same_note_once)
{
	uint32_t before = actions_count(r);
	desk_touch(r, RIG_FADER1, true);
	desk_touch(r, RIG_FADER1, true);
	ck_assert_uint_eq(actions_count(r), before + 1);
	ck_assert_uint_eq(action_last(r)->ev.id, 7);
	ck_assert_uint_ne(desk_ctl(r, RIG_TOUCH1)->flags & BH_CTRL_PRESSED, 0);
	desk_touch(r, RIG_FADER1, false);
	ck_assert_uint_eq(desk_ctl(r, RIG_TOUCH1)->flags & BH_CTRL_PRESSED, 0);
	desk_touch(r, RIG_FADER2, true); /* it has none */
	ck_assert_uint_eq(actions_count(r), before + 1);
	desk_touch(r, RIG_FADER1, true);
	ck_assert_uint_eq(actions_count(r), before + 2);
}
END_TEST

START_TEST(action_to_a_driver_that_is_down_is_refused_and_flashes_for_a_second)
{
	mix_health(r, BH_HEALTH_BACKING_OFF);
	rig_clear(r);
	desk_press(r, RIG_PLAY);
	ck_assert_uint_eq(actions_count(r), 0);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_FLASH);
	rig_advance(r, 999);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_FLASH);
	rig_advance(r, 1);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_OFF);
	uint32_t gen;
	const struct bh_rec_peer *p = bh_core_record(r->core, BH_REC_PEER(RIG_MIX), &gen);
	ck_assert_uint_eq(p->dropped, 1);
	/* and is not made up for later */
	mix_health(r, BH_HEALTH_OK);
	rig_advance(r, 5000);
	ck_assert_uint_eq(actions_count(r), 0);
}
END_TEST

START_TEST(action_for_which_there_is_no_room_is_refused_visibly)
{
	r->room = 1;
	desk_press(r, RIG_PLAY);
	ck_assert_uint_eq(actions_count(r), 0);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_FLASH);
}
END_TEST

START_TEST(action_that_the_driver_dropped_flashes_its_button)
{
	desk_press(r, RIG_PLAY);
	const struct rig_out *a = action_last(r);
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_DROPPED, .id = a->ev.id, .gen = a->ev.gen, .total = a->ev.total,
						.v.i = BH_DROP_LATE});
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_FLASH);
	rig_advance(r, 1000);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_OFF);
}
END_TEST

START_TEST(values_without_room_go_to_their_cells_alone)
{
	r->room = 0;
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	ck_assert_uint_eq(sent_last(r, RIG_LEVEL1)->flags, BH_OUT_CELL);
	r->room = 8;
	desk_move(r, RIG_FADER1, 0.4);
	ck_assert_uint_eq(sent_last(r, RIG_LEVEL1)->flags, BH_OUT_CELL | BH_OUT_PUSH);
}
END_TEST

/* ------------------------------------------------------------------ drivers that come and go */

START_TEST(strip_of_a_driver_that_is_down_says_so_and_the_fader_stays)
{
	mix_health(r, BH_HEALTH_BACKING_OFF);
	expect_strip(RIG_STRIP1, "1mix\ndown");
	mix_health(r, BH_HEALTH_CONNECTING);
	expect_strip(RIG_STRIP1, "1mix\nconnect");
	ck_assert_uint_eq(told_count(r, RIG_FADER1) + told_count(r, RIG_MUTE) + told_count(r, RIG_VPOT), 0);
	mix_health(r, BH_HEALTH_OK);
	expect_strip(RIG_STRIP1, "1Ch 1\n-10.0dB");
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
}
END_TEST

START_TEST(what_a_hand_does_while_the_driver_is_down_is_not_lost_to_its_first_report)
{
	mix_health(r, BH_HEALTH_BACKING_OFF);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	desk_touch(r, RIG_FADER1, false);
	double wanted = sent_last(r, RIG_LEVEL1)->v.f;
	rig_advance(r, 20000);
	mix_report(r, RIG_LEVEL1, -10); /* its old value, before it has looked at ours */
	mix_health(r, BH_HEALTH_OK);
	rig_advance(r, 100);
	near(mix_value(r, RIG_LEVEL1), wanted);
	mix_report(r, RIG_LEVEL1, wanted);
	rig_advance(r, 1000);
	near(mix_value(r, RIG_LEVEL1), wanted);
	near(desk_ctl(r, RIG_FADER1)->told.f, 0.3);
}
END_TEST

static void
verify(uint16_t slot)
{
	bh_core_verify(r->core, slot, NULL, NULL);
	rig_begin(r);
	rig_end(r);
}

START_TEST(driver_with_fresh_memory_is_told_what_it_has_not_confirmed_and_nothing_else)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, BH_FLOAT, 0, NULL);
	mix_report(r, RIG_LEVEL2, 0);
	mix_report(r, RIG_LEVEL2, -7); /* changed by the backend since */
	rig_clear(r);
	verify(RIG_MIX);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 0);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 1); /* has no memory of its own */
	near(sent_last(r, RIG_ROOM)->v.f, 50);
}
END_TEST

START_TEST(surface_with_fresh_memory_is_told_everything)
{
	verify(RIG_DESK);
	for (unsigned k = 0; k < RIG_CTLS; k++)
		ck_assert_msg(told_count(r, k) == (k != RIG_JOG && k != RIG_PEDAL), "control %u", k);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-10));
}
END_TEST

START_TEST(inbox_with_fresh_memory_counts_from_one_again_and_nobody_touches)
{
	desk_touch(r, RIG_FADER1, true);
	desk_turn(r, RIG_VPOT, 5);
	bh_core_inbox(r->core, RIG_DESK, 7);
	rig_begin(r);
	rig_end(r);
	ck_assert(!(desk_ctl(r, RIG_FADER1)->flags & BH_CTRL_TOUCHED));
	memset(r->desk_gen, 0, sizeof(r->desk_gen));
	memset(r->total, 0, sizeof(r->total));
	desk_turn(r, RIG_VPOT, 1);
	near(sent_last(r, RIG_PAN)->v.f, 0.12);
	bh_core_inbox(r->core, RIG_DESK, 7);
	ck_assert(!bh_core_is_pending(r->core));
}
END_TEST

START_TEST(cells_after_an_overflow_bring_the_end_state_once)
{
	struct bh_cell_body fader = {.gen = 9, .type = BH_FLOAT, .kind = BH_EV_TOUCH, .v.f = 0.25};
	struct bh_cell_body vpot = {.gen = 4, .kind = BH_EV_RELATIVE, .total = 7};
	struct bh_cell_body level = {.gen = 50, .kind = BH_EV_VALUE, .type = BH_FLOAT, .v.f = 3};
	for (int k = 0; k < 2; k++) {
		rig_begin(r);
		bh_core_cell(r->core, RIG_DESK, RIG_FADER1, &fader);
		bh_core_cell(r->core, RIG_DESK, RIG_VPOT, &vpot);
		bh_core_cell(r->core, RIG_MIX, RIG_LEVEL2, &level);
		bh_core_cells_seen(r->core, RIG_DESK, 3);
		rig_end(r);
	}
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_eq(sent_count(r, RIG_PAN), 1);
	near(sent_last(r, RIG_PAN)->v.f, 0.14);
	near(told_last(r, RIG_FADER2)->v.f, fader_at(3));
	/* The hand that was on it is off again; the motor is set once. */
	rig_advance(r, 1000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	near(told_last(r, RIG_FADER1)->v.f, 0.25);
	/* An event that the cell has already told of does nothing. */
	r->desk_gen[RIG_FADER1] = 7;
	desk_move(r, RIG_FADER1, 0.9);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
}
END_TEST

/* ------------------------------------------------------------------ directory */

START_TEST(unresolved_binding_keeps_its_name_and_resolves_when_the_parameter_appears)
{
	expect_strip(RIG_LOST, "0Ch 9\nmissing");
	rig_dir_add(r, 20, "ch9/level", 0, 0xffffffff);
	expect_strip(RIG_LOST, "0Ch 9\n");
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 20, .gen = 1, .v.f = -3});
	expect_strip(RIG_LOST, "0Ch 9\n-3.0dB");
}
END_TEST

START_TEST(removed_parameter_is_missing_and_its_fader_stays)
{
	rig_dir_add(r, RIG_LEVEL1, "ch1/level", BH_DIR_TOMBSTONE, 0xffffffff);
	expect_strip(RIG_STRIP1, "1Ch 1\nmissing");
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
	ck_assert(mix_param(r, RIG_LEVEL1)->flags & BH_PAR_GONE);
}
END_TEST

START_TEST(renamed_parameter_brings_its_value_along)
{
	rig_dir_add(r, RIG_LEVEL1, "ch1/level", BH_DIR_TOMBSTONE, 0xffffffff);
	rig_dir_add(r, 20, "ch9/level", 0, RIG_LEVEL1);
	expect_strip(RIG_LOST, "0Ch 9\n-10.0dB");
}
END_TEST

START_TEST(index_that_means_another_parameter_forgets_the_value)
{
	rig_begin(r);
	bh_core_directory_reset(r->core, RIG_MIX);
	rig_end(r);
	rig_dir_add(r, RIG_LEVEL1, "ch2/level", 0, 0xffffffff);
	ck_assert(isnan(mix_value(r, RIG_LEVEL1)));
}
END_TEST

START_TEST(broken_directory_record_is_refused)
{
	struct bh_dir_record d = {.name = "x", .index = 9999, .type = BH_FLOAT};
	rig_begin(r);
	ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, NULL, 0), -EPROTO);
	d.index = 1;
	d.max = NAN;
	ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, NULL, 0), -EPROTO);
	d.max = 1;
	memset(d.name, 'x', sizeof(d.name));
	ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, NULL, 0), -EPROTO);
	rig_end(r);
	ck_assert_uint_eq(r->tx.faults, 0 + 3);
}
END_TEST

/* ------------------------------------------------------------------ requests and restoring */

START_TEST(request_to_set_is_a_writer_like_another)
{
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, 0, NULL), 0);
	near(sent_last(r, RIG_LEVEL1)->v.f, 0);
	near(told_last(r, RIG_FADER1)->v.f, fader_at(0));
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, 99, NULL), -ERANGE);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_RO, BH_FLOAT, 9, NULL), -EACCES);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, 60, BH_FLOAT, 9, NULL), -ENOENT);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL1, BH_FLOAT, NAN, NULL), -EINVAL);
	ck_assert_str_ne(r->result_text, "");
}
END_TEST

START_TEST(request_to_move_is_a_hand_and_the_motor_follows_it)
{
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_MOVE, RIG_DESK, RIG_FADER1, BH_FLOAT, 0.4, NULL), 0);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	rig_advance(r, 90);
	near(told_last(r, RIG_FADER1)->v.f, 0.4);
	desk_touch(r, RIG_FADER1, true);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_MOVE, RIG_DESK, RIG_FADER1, BH_FLOAT, 0.6, NULL), -EBUSY);
}
END_TEST

START_TEST(requests_to_press_turn_do_and_page_are_carried_out)
{
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PRESS, RIG_DESK, RIG_MUTE, BH_INT, 2, NULL), 0);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_TURN, RIG_DESK, RIG_VPOT, BH_INT, -2, NULL), 0);
	near(sent_last(r, RIG_PAN)->v.f, -0.04);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_DO, RIG_MIX, 5, BH_INT, 0, "stop"), 0);
	ck_assert_uint_eq(action_last(r)->ev.id, 5);
	ck_assert_str_eq(action_last(r)->v.s, "stop");
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, 0, 0, BH_INT, -2, NULL), 0);
	ck_assert_uint_eq(bh_core_page(r->core), 2);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, 0, 0, BH_INT, 7, NULL), -ENOENT);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PRESS, RIG_DESK, RIG_FADER1, BH_INT, 2, NULL), -EINVAL);
	mix_health(r, BH_HEALTH_HELD);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_DO, RIG_MIX, 5, BH_INT, 0, "stop"), -EHOSTDOWN);
}
END_TEST

static void
cold_start(void)
{
	rig_free(r);
	r = rig_new_with(rig_config(), true);
}

START_TEST(restored_value_is_shown_as_stale_until_it_is_confirmed)
{
	cold_start();
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, -12, "mix/ch1/level"), 0);
	mix_health(r, BH_HEALTH_OK);
	expect_strip(RIG_STRIP1, "1Ch 1\n-12.0?");
	near(desk_ctl(r, RIG_FADER1)->told.f, fader_at(-12));
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0); /* the backend has a memory of its own */
	mix_report(r, RIG_LEVEL1, -12);
	expect_strip(RIG_STRIP1, "1Ch 1\n-12.0dB");
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, -50, "mix/ch1/level"), -EALREADY);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, -50, "mix/nothing"), -ENOENT);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, -50, "ghost/ch1"), -ENOENT);
}
END_TEST

START_TEST(backend_without_a_memory_is_given_the_rooms_value)
{
	cold_start();
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_ROOM, 50); /* its factory setting */
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, 80, "mix/room"), 0);
	near(sent_last(r, RIG_ROOM)->v.f, 80);
	ck_assert(mix_param(r, RIG_ROOM)->flags & BH_PAR_STALE);
	mix_report(r, RIG_ROOM, 80);
	ck_assert(!(mix_param(r, RIG_ROOM)->flags & BH_PAR_STALE));
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, 10, "mix/room"), -EALREADY);
}
END_TEST

START_TEST(page_is_restored_unless_somebody_has_turned_one)
{
	cold_start();
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_NONE, 0, "page:Other"), 0);
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_NONE, 0, "page:Mix"), -EALREADY);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_NONE, 0, "page:Gone"), -ENOENT);
}
END_TEST

START_TEST(text_parameter_is_shown_and_set)
{
	mix_report_text(r, RIG_TITLE, "Evening news");
	ck_assert_str_eq(mix_param(r, RIG_TITLE)->text, "Evening news");
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_TITLE, BH_TEXT, 0, "Late show"), 0);
	ck_assert_str_eq(sent_last(r, RIG_TITLE)->v.s, "Late show");
	ck_assert(mix_param(r, RIG_TITLE)->flags & BH_PAR_TEXT_WANTED);
}
END_TEST

/* ------------------------------------------------------------------ successor, determinism, bad input */

START_TEST(successor_says_nothing_that_was_said_before)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	mix_report(r, RIG_MUTED, 1);
	rig_advance(r, 10);
	rig_clear(r);
	rig_restart(r);
	ck_assert_uint_eq(r->logged, 0);
	desk_move(r, RIG_FADER1, 0.35);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 90);
	near(told_last(r, RIG_FADER1)->v.f, 0.35);
}
END_TEST

START_TEST(timers_survive_the_router)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	desk_touch(r, RIG_FADER1, false);
	mix_health(r, BH_HEALTH_HELD);
	desk_press(r, RIG_PLAY);
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, BH_FLOAT, 0, NULL);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL2, -9);
	rig_clear(r);
	rig_restart(r);
	rig_advance(r, 89);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_advance(r, 1);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 1);
	rig_advance(r, 1000);
	ck_assert_int_eq(told_last(r, RIG_PLAY)->v.i, BH_LIGHT_OFF);
	near(mix_value(r, RIG_LEVEL2), -9);
}
END_TEST

START_TEST(fader_held_over_page_switch_and_restart_still_has_its_grip)
{
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	desk_press(r, RIG_F1);
	rig_restart(r);
	rig_clear(r);
	desk_move(r, RIG_FADER1, 0.4);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL3), 0);
}
END_TEST

static uint32_t
chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

static uint64_t
play(uint64_t seed)
{
	struct rig *g = rig_new();
	for (int k = 0; k < 3000; k++) {
		unsigned ctl = chance(&seed) % 2;
		switch (chance(&seed) % 10) {
		case 0: desk_touch(g, ctl, chance(&seed) % 2); break;
		case 1: desk_move(g, ctl, chance(&seed) % 1000 / 999.0); break;
		case 2: desk_press(g, chance(&seed) % 2 ? RIG_MUTE : RIG_PLAY); break;
		case 3: desk_turn(g, RIG_VPOT, (int)(chance(&seed) % 9) - 4); break;
		case 4: mix_report(g, RIG_LEVEL1, -(double)(chance(&seed) % 100)); break;
		case 5: mix_report(g, RIG_MUTED, chance(&seed) % 2); break;
		case 6: desk_press(g, RIG_F1); break;
		case 7: mix_health(g, chance(&seed) % 3 ? BH_HEALTH_OK : BH_HEALTH_CONNECTING); break;
		default: rig_advance(g, chance(&seed) % 200); break;
		}
	}
	uint64_t digest = g->digest;
	rig_free(g);
	return digest;
}

START_TEST(same_inputs_give_the_same_outputs_bit_for_bit)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		ck_assert_uint_eq(play(seed), play(seed));
	ck_assert_uint_ne(play(1), play(2));
}
END_TEST

START_TEST(rubbish_from_a_peer_is_counted_and_changes_nothing)
{
	const struct bh_event bad[] = {
		{.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 99999, .v.f = 0.5},
		{.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_FADER1, .gen = 1000, .v.f = NAN},
		{.kind = BH_EV_VALUE, .type = BH_TEXT, .id = RIG_FADER1, .gen = 1000},
		{.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_FADER1},
		{.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = RIG_MUTE, .gen = 1000, .v.i = 1},
		{.kind = BH_EV_ACTION, .id = 0, .gen = 1000},
	};
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		rig_event(r, RIG_DESK, bad[k]);
		ck_assert_msg(r->tx.faults == 1 && r->tx.changes == 0 && r->tx.outputs == 0, "event %zu", k);
	}
	rig_event(r, 17, bad[0]);
	ck_assert_uint_eq(r->tx.faults, 1);
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_BOOL, .id = RIG_LEVEL1, .gen = 99, .v.i = 1});
	ck_assert_uint_eq(r->tx.faults, 1);
	/* Only the supervisor speaks for others. */
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_FAILED});
	expect_strip(RIG_STRIP1, "1Ch 1\n-10.0dB");
}
END_TEST

static double
wild(uint64_t *seed)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 0, -0.0, 1, 4e-324};
	return chance(seed) % 2 ? odd[chance(seed) % 9] : (chance(seed) % 2000 - 1000.0) / 500;
}

static void
any_bytes(struct rig *g, uint64_t *seed)
{
	static const uint16_t from[] = {BH_SLOT_SUPERVISOR, BH_SLOT_CONTROL, BH_SLOT_STORE, RIG_DESK, RIG_MIX, 31};
	struct bh_request_args a;
	struct bh_event ev;
	struct bh_cell_body body;
	struct bh_dir_record d;
	for (size_t k = 0; k < sizeof(a); k++)
		((uint8_t *)&a)[k] = (uint8_t)chance(seed);
	memcpy(&ev, &a, sizeof(ev));
	memcpy(&body, &a, sizeof(body));
	memcpy(&d, &a, sizeof(d));
	a.slot = from[chance(seed) % 6];
	a.index = chance(seed) % 20;
	a.type %= 8;
	ev.kind = (uint8_t)(chance(seed) % 24);
	ev.type = body.type = (uint8_t)(chance(seed) % 8);
	ev.id = chance(seed) % 20;
	ev.cont = chance(seed) % 2;
	if (chance(seed) % 2)
		ev.gen = body.gen = 0;
	body.kind = (uint8_t)(chance(seed) % 24);
	ev.v.f = body.v.f = a.v.f = wild(seed);
	d.index = chance(seed) % 70;
	d.type = (uint8_t)(chance(seed) % 8);
	d.taper = (uint8_t)(chance(seed) % 5);
	d.min = wild(seed);
	d.max = wild(seed);
	d.step = wild(seed);
	d.def = wild(seed);
	g->room = chance(seed) % 8;
	rig_begin(g);
	if (chance(seed) % 50 == 0)
		bh_core_directory(g->core, RIG_MIX, &d, a.text, chance(seed) % sizeof(a.text));
	else if (chance(seed) % 4 == 0)
		bh_core_cell(g->core, from[chance(seed) % 6], chance(seed) % 80, &body);
	else
		bh_core_event(g->core, from[chance(seed) % 6], &ev, &a, chance(seed) % 8 ? sizeof(a) : chance(seed) % 64);
	rig_end(g);
	rig_advance(g, chance(seed) % 30);
	rig_clear(g);
}

START_TEST(any_bytes_from_any_peer_are_survived_and_every_value_said_makes_sense)
{
	uint64_t seed = 7;
	for (int k = 0; k < 60000; k++) {
		any_bytes(r, &seed);
		double f = desk_ctl(r, RIG_FADER1)->told.f;
		ck_assert(desk_ctl(r, RIG_FADER1)->told_type != BH_FLOAT || (f >= 0 && f <= 1));
		ck_assert(isfinite(mix_value(r, RIG_LEVEL2)) || mix_param(r, RIG_LEVEL2)->type != BH_FLOAT ||
			  !(mix_param(r, RIG_LEVEL2)->flags & (BH_PAR_KNOWN | BH_PAR_WANTED)));
	}
	/* and it still works */
	r->room = 1024;
	rig_directory(r);
	mix_health(r, BH_HEALTH_OK);
	r->mix_gen[RIG_LEVEL2] = mix_param(r, RIG_LEVEL2)->seen_gen;
	mix_report(r, RIG_LEVEL2, -3);
	rig_advance(r, 1000);
	near(mix_value(r, RIG_LEVEL2), -3);
}
END_TEST

START_TEST(configuration_that_does_not_fit_is_refused_and_changes_nothing)
{
	struct bh_core *small;
	char why[96] = "";
	struct bh_core_options opt = {0};
	ck_assert_int_eq(bh_core_new(&small, 100), 0);
	ck_assert_int_eq(bh_core_config(small, &r->config, &opt, why, sizeof(why)), -ENOSPC);
	ck_assert_str_ne(why, "");
	bh_core_free(small);
}
END_TEST

/* ------------------------------------------------------------------ cost */

static uint64_t
cost(unsigned pages, unsigned per_page)
{
	struct rig *g = rig_new_with(rig_large_config(pages, per_page), true);
	mix_health(g, BH_HEALTH_OK);
	rig_advance(g, 1000);
	uint64_t before = bh_core_steps(g->core);
	for (int k = 0; k < 1000; k++) {
		desk_touch(g, RIG_FADER1, true);
		desk_move(g, RIG_FADER1, k / 1000.0);
		mix_report(g, RIG_LEVEL1, sent_last(g, RIG_LEVEL1)->v.f);
		desk_touch(g, RIG_FADER1, false);
		desk_press(g, RIG_MUTE);
		desk_turn(g, RIG_VPOT, k % 2 ? 1 : -1);
		rig_advance(g, 5);
		rig_clear(g);
	}
	uint64_t steps = bh_core_steps(g->core) - before;
	rig_free(g);
	return steps;
}

START_TEST(cost_of_an_event_does_not_grow_with_pages_and_bindings)
{
	uint64_t small = cost(1, 16), large = cost(64, 512);
	ck_assert_uint_gt(small, 1000);
	ck_assert_msg(large * 10 <= small * 11, "%llu steps against %llu", (unsigned long long)large,
		      (unsigned long long)small);
}
END_TEST

int
main(void)
{
	const struct {
		const char *name;
		const TTest *test[20];
	} cases[] = {
		{"values",
		 {moved_fader_sets_its_parameter_by_its_taper, reported_value_moves_the_fader_and_the_strip,
		  top_and_bottom_of_a_real_fader_are_the_ends, press_toggles_the_newest_even_before_the_backend_answers,
		  press_steps_through_choices_and_round, old_press_does_nothing_but_flash,
		  ticks_step_the_parameter_and_the_ring_follows, ticks_stop_at_the_ends_of_the_range,
		  ticks_are_counted_by_their_running_total, light_flashes_while_its_parameter_is_on,
		  meters_pass_by_without_a_change_of_state}},
		{"hand",
		 {touched_fader_is_never_driven, hand_keeps_only_its_own_fader_from_moving,
		  motor_is_set_once_after_the_release_to_where_the_hand_left_it,
		  motor_is_set_at_once_when_the_hand_left_it_at_an_end,
		  hand_that_only_rested_leaves_the_fader_to_the_backend, backend_waits_until_the_hands_window_is_over,
		  move_without_a_touch_is_a_hand_and_is_told_back, what_a_motor_reports_of_its_own_way_is_no_hand,
		  fader_pushed_fast_to_the_top_arrives_at_the_top, fader_gets_no_output_for_less_than_a_step,
		  small_steps_add_up_to_an_output, feedback_to_a_fader_says_up_to_which_move_it_knows_the_hand}},
		{"echo",
		 {report_equal_to_what_was_sent_confirms_it,
		  older_echo_does_not_move_the_fader_while_a_newer_value_is_pending,
		  backend_that_insists_wins_after_the_echo_window, last_writer_wins_between_hand_and_backend,
		  a_value_is_not_sent_back_to_where_it_came_from, driver_that_never_reports_keeps_what_was_wanted}},
		{"pages",
		 {page_switch_sends_only_what_differs, page_switch_shows_the_newest_known_value_then_the_default,
		  unbound_controls_go_dark_and_an_unbound_fader_stays,
		  fader_held_over_a_page_switch_goes_on_with_what_it_was_grabbed_with,
		  held_fader_is_the_same_one_after_turning_the_page_there_and_back,
		  fader_let_go_before_the_page_switch_shows_the_new_page_after_settling,
		  page_go_turns_to_the_named_page_and_its_button_is_lit,
		  new_configuration_under_the_hand_leaves_the_fader_deaf_until_it_is_let_go,
		  same_configuration_again_sends_nothing}},
		{"actions",
		 {touch_of_a_fader_presses_the_button_of_the_same_note_once,
		  press_sends_the_action_with_the_moment_of_the_press,
		  action_to_a_driver_that_is_down_is_refused_and_flashes_for_a_second,
		  action_for_which_there_is_no_room_is_refused_visibly, action_that_the_driver_dropped_flashes_its_button,
		  values_without_room_go_to_their_cells_alone}},
		{"drivers",
		 {strip_of_a_driver_that_is_down_says_so_and_the_fader_stays,
		  what_a_hand_does_while_the_driver_is_down_is_not_lost_to_its_first_report,
		  driver_with_fresh_memory_is_told_what_it_has_not_confirmed_and_nothing_else,
		  surface_with_fresh_memory_is_told_everything,
		  inbox_with_fresh_memory_counts_from_one_again_and_nobody_touches,
		  cells_after_an_overflow_bring_the_end_state_once}},
		{"directory",
		 {unresolved_binding_keeps_its_name_and_resolves_when_the_parameter_appears,
		  removed_parameter_is_missing_and_its_fader_stays, renamed_parameter_brings_its_value_along,
		  index_that_means_another_parameter_forgets_the_value, broken_directory_record_is_refused}},
		{"requests",
		 {request_to_set_is_a_writer_like_another, request_to_move_is_a_hand_and_the_motor_follows_it,
		  requests_to_press_turn_do_and_page_are_carried_out,
		  restored_value_is_shown_as_stale_until_it_is_confirmed,
		  backend_without_a_memory_is_given_the_rooms_value,
		  page_is_restored_unless_somebody_has_turned_one, text_parameter_is_shown_and_set}},
		{"life",
		 {successor_says_nothing_that_was_said_before, timers_survive_the_router,
		  fader_held_over_page_switch_and_restart_still_has_its_grip,
		  same_inputs_give_the_same_outputs_bit_for_bit, rubbish_from_a_peer_is_counted_and_changes_nothing,
		  any_bytes_from_any_peer_are_survived_and_every_value_said_makes_sense,
		  configuration_that_does_not_fit_is_refused_and_changes_nothing,
		  cost_of_an_event_does_not_grow_with_pages_and_bindings}},
	};
	Suite *s = suite_create("core");
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		TCase *t = tcase_create(cases[k].name);
		tcase_add_checked_fixture(t, setup, teardown);
		for (size_t n = 0; n < 20 && cases[k].test[n]; n++)
			tcase_add_test(t, cases[k].test[n]);
		suite_add_tcase(s, t);
	}
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
