/* test_core_hands - gestures, layers and banks together, by the configuration that a person writes; see stage.h */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "tests/lib/stage.h"

#define HEAD                                                                                                            \
	"bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\ndrivers: {loop: {kind: loop}}\nlayers: [shift]\n"              \
	"variables: {camera: {choices: [Main, Left, Right], default: Main}}\n"
/* A page of these bindings, a row of a bank, and the keys. */
#define DESK(bindings)                                                                                                  \
	HEAD "banks:\n  row: {items: [a, b, c, d, e, f, g, h, i, j], strips: [1-8], each: {mute: {momentary: \"loop/{}/mute\"}, "   \
	     "solo: {toggle: \"loop/{}/solo\", double: {toggle: \"loop/{}/mute\"}}}}\n"                                    \
	     "pages:\n  - name: Main\n    banks: [row]\n    bindings:\n" bindings "  - name: Other\n    bindings:\n"       \
	     "      rec1: {toggle: loop/other}\n"                                                                       \
	     "global:\n  bindings:\n    shift: {momentary: room/layer/shift}\n    control: {momentary: room/layer/fine}\n"  \
	     "    user: {toggle: room/quiet}\n    f1: {action: page/next}\n    bank_right: {action: channel/next, args: [row]}\n"

static struct stage *s;

static void
begin(const char *yaml)
{
	static const char *const bools[] = {"loop/a/mute", "loop/b/mute", "loop/a/solo", "loop/b/solo",
					    "loop/talk",   "loop/live",	  "loop/other",	 "loop/cue"};
	s = stage_new(yaml);
	for (size_t k = 0; k < sizeof(bools) / sizeof(bools[0]); k++) {
		stage_param(s, bools[k], BH_BOOL, 0, 1, NULL);
		stage_report(s, bools[k], 0);
	}
	stage_param(s, "loop/count", BH_INT, 0, 10, NULL);
	stage_report(s, "loop/count", 5);
	stage_param(s, "loop/level", BH_FLOAT, 0, 100, NULL);
	stage_report(s, "loop/level", 50);
	stage_advance(s, 1000);
	stage_clear(s);
}

static void
teardown(void)
{
	stage_free(s);
}

START_TEST(layer_key_is_held_over_the_change_that_it_makes)
{
	begin(DESK("      rec1: {momentary: loop/talk}\n    layers:\n      shift: {rec1: {momentary: loop/live}}\n"));
	stage_press(s, "shift");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 1);
	stage_press(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/live"), 1);
	stage_release(s, "shift");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 0);
	ck_assert_double_eq(stage_sent(s, "loop/live"), 1); /* still pressed */
	stage_release(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/live"), 0);
	ck_assert_uint_eq(stage_sent_count(s, "loop/live"), 2);
	ck_assert_uint_eq(stage_sent_count(s, "loop/talk"), 0);
	stage_tap(s, "rec1");
	ck_assert_uint_eq(stage_sent_count(s, "loop/talk"), 2);
}
END_TEST

START_TEST(layer_key_goes_on_in_a_successor_and_lets_go_there)
{
	begin(DESK("      rec1: {momentary: loop/talk}\n"));
	stage_press(s, "shift");
	stage_restart(s);
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 1);
	stage_release(s, "shift");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 0);
}
END_TEST

START_TEST(long_press_may_be_a_layer_key_whose_short_press_is_another)
{
	begin(DESK("      rec2: {toggle: loop/cue, hold: {momentary: room/layer/shift}}\n      rec1: {toggle: loop/talk}\n"
		   "    layers:\n      shift: {rec1: {toggle: loop/live}}\n"));
	stage_tap(s, "rec2");
	ck_assert_double_eq(stage_sent(s, "loop/cue"), 1);
	stage_press(s, "rec2");
	stage_advance(s, 600);
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 1);
	stage_tap(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/live"), 1);
	stage_release(s, "rec2");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 0);
	ck_assert_uint_eq(stage_sent_count(s, "loop/cue"), 1);
	ck_assert_uint_eq(stage_sent_count(s, "loop/talk"), 0);
}
END_TEST

START_TEST(gesture_begun_on_a_layer_is_decided_by_it)
{
	begin(DESK("      rec1: {toggle: loop/talk}\n    layers:\n      shift: {rec1: {toggle: loop/live, hold: {toggle: loop/cue}}}\n"));
	stage_press(s, "shift");
	stage_press(s, "rec1");
	stage_release(s, "shift");
	stage_advance(s, 100);
	stage_release(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/live"), 1);
	ck_assert_uint_eq(stage_sent_count(s, "loop/talk") + stage_sent_count(s, "loop/cue"), 0);
}
END_TEST

START_TEST(momentary_of_a_bank_lets_go_of_the_item_that_it_pressed)
{
	begin(DESK("      rec1: {toggle: loop/talk}\n"));
	stage_press(s, "mute1");
	ck_assert_double_eq(stage_sent(s, "loop/a/mute"), 1);
	stage_tap(s, "bank_right");
	stage_release(s, "mute1");
	ck_assert_double_eq(stage_sent(s, "loop/a/mute"), 0);
	ck_assert_uint_eq(stage_sent_count(s, "loop/b/mute"), 0);
	stage_tap(s, "mute1");
	ck_assert_uint_eq(stage_sent_count(s, "loop/b/mute"), 2);
}
END_TEST

START_TEST(gesture_under_which_the_bank_moves_is_dropped_visibly)
{
	begin(DESK("      rec1: {toggle: loop/talk}\n"));
	stage_tap(s, "solo1");
	stage_tap(s, "bank_right");
	stage_advance(s, 300);
	ck_assert_uint_eq(stage_sent_count(s, "loop/a/solo") + stage_sent_count(s, "loop/b/solo"), 0);
	ck_assert_int_eq(stage_shown(s, "solo1"), BH_LIGHT_FLASH);
	stage_advance(s, 2000);
	ck_assert_int_eq(stage_shown(s, "solo1"), BH_LIGHT_OFF);
	stage_tap(s, "solo1");
	stage_advance(s, 300);
	ck_assert_double_eq(stage_sent(s, "loop/b/solo"), 1);
}
END_TEST

START_TEST(fine_layer_turns_whole_numbers_by_tens_of_clicks)
{
	begin(DESK("      vpot1: {relative: loop/count}\n      vpot2: {relative: loop/level, step: 2, fine: 0.25}\n"));
	stage_turn(s, "vpot1", 1);
	ck_assert_double_eq(stage_sent(s, "loop/count"), 6);
	stage_press(s, "control");
	for (int k = 0; k < 10; k++)
		stage_turn(s, "vpot1", 1);
	ck_assert_double_eq(stage_sent(s, "loop/count"), 7);
	stage_turn(s, "vpot2", 1);
	ck_assert_double_eq(stage_sent(s, "loop/level"), 50.5);
	stage_release(s, "control");
	stage_turn(s, "vpot2", 1);
	ck_assert_double_eq(stage_sent(s, "loop/level"), 52.5);
}
END_TEST

START_TEST(quiet_key_keeps_motors_still_and_then_shows_what_is_true)
{
	begin(DESK("      fader1: loop/level\n"));
	stage_tap(s, "user");
	stage_report(s, "loop/level", 80);
	stage_advance(s, 3000);
	ck_assert_uint_eq(stage_told_count(s, "fader1"), 0);
	stage_touch(s, "fader1", true);
	stage_move(s, "fader1", 0.6);
	ck_assert_uint_eq(stage_sent_count(s, "loop/level"), 0);
	stage_move(s, "fader1", 0.9); /* across */
	ck_assert_double_eq_tol(stage_sent(s, "loop/level"), 90, 1e-6);
	stage_touch(s, "fader1", false);
	stage_report(s, "loop/level", 90);
	stage_advance(s, 3000);
	stage_report(s, "loop/level", 20);
	stage_tap(s, "user");
	stage_advance(s, 3000);
	ck_assert_double_eq_tol(stage_motor(s, "fader1"), 0.2, 1e-6);
}
END_TEST

START_TEST(variable_is_selected_turned_and_lit)
{
	begin(DESK("      select1: {radio: room/var/camera, on: Left}\n      select2: {select: room/var/camera, choices: [Main, Right]}\n"));
	stage_tap(s, "select1");
	ck_assert_str_eq(stage_words(s, "room/var/camera"), "Left");
	ck_assert_int_eq(stage_shown(s, "select1"), BH_LIGHT_ON);
	stage_tap(s, "select2");
	ck_assert_str_eq(stage_words(s, "room/var/camera"), "Main");
	ck_assert_int_eq(stage_shown(s, "select1"), BH_LIGHT_OFF);
	stage_tap(s, "select2");
	ck_assert_str_eq(stage_words(s, "room/var/camera"), "Right");
}
END_TEST

START_TEST(gesture_of_a_button_that_a_reload_leaves_alone_goes_on)
{
	begin(DESK("      rec1: {toggle: loop/talk, double: {toggle: loop/cue}}\n"));
	stage_tap(s, "rec1");
	stage_reload(s, DESK("      fader1: loop/level\n      rec1: {toggle: loop/talk, double: {toggle: loop/cue}}\n"));
	stage_tap(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/cue"), 1);
	ck_assert_uint_eq(stage_sent_count(s, "loop/talk"), 0);
}
END_TEST

/* The rows of the room move: a layer comes before the one that is held. */
START_TEST(layer_key_lets_go_after_a_reload_that_moves_the_layers)
{
	s = stage_new("bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\nlayers: [shift]\npages: [{name: Main}]\n"
		      "global: {bindings: {shift: {momentary: room/layer/shift}}}\n");
	stage_press(s, "shift");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 1);
	stage_reload(s, "bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\nlayers: [alpha, beta, shift]\npages: [{name: Main}]\n"
			"global: {bindings: {option: {momentary: room/layer/alpha}, shift: {momentary: room/layer/shift}}}\n");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 1);
	stage_release(s, "shift");
	ck_assert_double_eq(stage_value(s, "room/layer/shift"), 0);
	ck_assert_double_eq(stage_value(s, "room/layer/alpha"), 0);
}
END_TEST

/* The scale of OBS's fader ends at 0 dB, its levels do not. */
START_TEST(what_is_above_the_scale_stays_until_a_hand_moves_it)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n      fader1: {value: loop/mic, taper: obs_db}\n"
		   "      vpot2: {relative: loop/mic, taper: obs_db}\n      strip1: loop/mic\n");
	stage_param(s, "loop/mic", BH_FLOAT, -100, 26, NULL);
	stage_report(s, "loop/mic", -20);
	stage_advance(s, 1000);
	ck_assert_double_eq_tol(stage_motor(s, "fader1"), 0.482447, 1e-5);
	stage_report(s, "loop/mic", 12);
	stage_advance(s, 1000);
	ck_assert_double_eq(stage_motor(s, "fader1"), 1);
	ck_assert_msg(strstr(stage_text(s, "strip1"), "12.0") != NULL, "%s", stage_text(s, "strip1"));
	stage_clear(s);
	/* A hand on it, and what the cap says where it stands. */
	stage_touch(s, "fader1", true);
	stage_move(s, "fader1", 1);
	stage_move(s, "fader1", 16380 / 16383.0);
	stage_touch(s, "fader1", false);
	stage_turn(s, "vpot2", 3);
	stage_advance(s, 1000);
	ck_assert_uint_eq(stage_sent_count(s, "loop/mic"), 0);
	ck_assert_double_eq(stage_value(s, "loop/mic"), 12);
	ck_assert_double_eq(stage_motor(s, "fader1"), 1);
	/* Set by number, too. */
	stage_set(s, "loop/mic", 20);
	ck_assert_double_eq(stage_sent(s, "loop/mic"), 20);
	stage_report(s, "loop/mic", 20);
	stage_advance(s, 1000);
	ck_assert_double_eq(stage_motor(s, "fader1"), 1);
	/* Once it is moved it is what the scale says, at the top, too. */
	stage_touch(s, "fader1", true);
	stage_move(s, "fader1", 0.5);
	ck_assert_double_eq_tol(stage_sent(s, "loop/mic"), -18.73863, 1e-4);
	stage_move(s, "fader1", 1);
	ck_assert_double_eq(stage_sent(s, "loop/mic"), 0);
	stage_move(s, "fader1", 0);
	ck_assert_double_eq(stage_sent(s, "loop/mic"), -100);
	stage_touch(s, "fader1", false);
	stage_report(s, "loop/mic", 20);
	stage_advance(s, 1000);
	stage_turn(s, "vpot2", -1);
	ck_assert_double_lt(stage_sent(s, "loop/mic"), 0);
	ck_assert_double_gt(stage_sent(s, "loop/mic"), -1);
}
END_TEST

int
main(void)
{
	const TTest *tests[] = {
		layer_key_is_held_over_the_change_that_it_makes,
		layer_key_goes_on_in_a_successor_and_lets_go_there,
		layer_key_lets_go_after_a_reload_that_moves_the_layers,
		long_press_may_be_a_layer_key_whose_short_press_is_another,
		gesture_begun_on_a_layer_is_decided_by_it,
		momentary_of_a_bank_lets_go_of_the_item_that_it_pressed,
		gesture_under_which_the_bank_moves_is_dropped_visibly,
		fine_layer_turns_whole_numbers_by_tens_of_clicks,
		quiet_key_keeps_motors_still_and_then_shows_what_is_true,
		variable_is_selected_turned_and_lit,
		gesture_of_a_button_that_a_reload_leaves_alone_goes_on,
		what_is_above_the_scale_stays_until_a_hand_moves_it,
	};
	Suite *suite = suite_create("core_hands");
	TCase *t = tcase_create("hands");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, NULL, teardown);
	for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++)
		tcase_add_test(t, tests[k]);
	suite_add_tcase(suite, t);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
