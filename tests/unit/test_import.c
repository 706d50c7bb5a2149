/*
 * test_import - a configuration of XTouch-GW with every key of its schema becomes one of ours, and each control does here what it did
 * there: what its hand sends, and what comes back. The far end of each message is the parameter of bh-midi that stands for it
 * (test_midi_proto.c has the bytes).
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "procs/config/import.h"
#include "tests/lib/stage.h"

static char *ours, *notes;
static struct import_result result;
static struct report report;
static struct arena arena;
static struct stage *s;

static char *
slurp(const char *file)
{
	char path[512], *text = NULL;
	size_t len = 0;
	snprintf(path, sizeof(path), "%s/%s", getenv("BH_SRC"), file);
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	ck_assert_int_ge(getdelim(&text, &len, '\0', f), 0);
	fclose(f);
	return text;
}

/* What comes of it: ours, the notes, the report. */
static int
convert(const char *text)
{
	size_t len, notes_len;
	struct source *src = arena_alloc(&arena, sizeof(*src));
	*src = (struct source){.path = "theirs.yaml", .text = text, .len = strlen(text)};
	report = (struct report){.arena = &arena};
	FILE *out = open_memstream(&ours, &len), *n = open_memstream(&notes, &notes_len);
	int r = import_xtouch_gw(src, &arena, &report, out, n, &result);
	fclose(out);
	fclose(n);
	return r;
}

static void
setup(void)
{
	char *text = slurp("tests/golden/xtouch-gw/everything.yaml");
	int r = convert(text);
	if (report.count)
		report_print(&report, stderr);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(report.count, 0);
	s = stage_new(ours);
	free(text);
	for (unsigned n = 1; n <= 10; n++) {
		char name[40];
		snprintf(name, sizeof(name), "voicemeeter/pb/%u", n);
		stage_param(s, name, BH_FLOAT, 0, 16383, NULL);
	}
	stage_param(s, "voicemeeter/cc/1/20", BH_FLOAT, 0, 127, NULL);
	stage_param(s, "voicemeeter/note/1/60/velocity", BH_FLOAT, 0, 127, NULL);
	stage_param(s, "voicemeeter/note/1/16", BH_BOOL, 0, 1, NULL);
	stage_param(s, "voicemeeter/cc/1/30/switch", BH_BOOL, 0, 1, NULL);
	stage_param(s, "voicemeeter/turn/1/16", BH_INT, -2147483648.0, 2147483647.0, NULL);
	stage_param(s, "voicemeeter/note/1/32", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/cc/3/7/switch", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/note/1/18", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/note/1/16", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/note/1/24", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/note/2/94", BH_BOOL, 0, 1, NULL);
	stage_param(s, "qlc/cc/4/16", BH_FLOAT, 0, 127, NULL);
	stage_param(s, "qlc/cc/4/47", BH_FLOAT, 0, 127, NULL);
	stage_param(s, "synth/note/1/60/velocity", BH_FLOAT, 0, 127, NULL);
	stage_param(s, "synth/turn/1/17", BH_INT, -2147483648.0, 2147483647.0, NULL);
	stage_param(s, "obs/ptz/pad1/modifier", BH_BOOL, 0, 1, NULL);
	stage_param(s, "obs/ptz/pad1/move-x", BH_FLOAT, -1, 1, NULL);
	stage_param(s, "obs/ptz/pad1/move-zoom", BH_FLOAT, -1, 1, NULL);
	stage_param(s, "obs/camera/main/move-x", BH_FLOAT, -1, 1, NULL);
	stage_param(s, "obs/camera/main/x", BH_FLOAT, -90000, 90000, NULL);
	stage_param(s, "obs/scene/CAM Side/item/Side Cam/scale", BH_FLOAT, 1, 1000, NULL);
	stage_clear(s);
}

static void
teardown(void)
{
	stage_free(s);
	free(ours);
	free(notes);
	arena_free(&arena);
}

/* ------------------------------------------------------------------ what hands do */

START_TEST(fader_to_pitch_bend_is_one_to_one)
{
	stage_move(s, "fader1", 0.5);
	ck_assert_double_eq_tol(stage_sent(s, "voicemeeter/pb/1"), 8191.5, 0.01);
	stage_move(s, "fader1", 16380 / 16383.0);
	ck_assert_double_eq(stage_sent(s, "voicemeeter/pb/1"), 16383);
	ck_assert_uint_eq(stage_told_count(s, "fader1"), 0); /* nothing fights the hand */
}
END_TEST

START_TEST(fader_to_controller_and_to_note_is_rescaled)
{
	stage_move(s, "fader2", 1);
	ck_assert_double_eq(stage_sent(s, "voicemeeter/cc/1/20"), 127);
	stage_move(s, "fader3", 0.5);
	ck_assert_double_eq_tol(stage_sent(s, "voicemeeter/note/1/60/velocity"), 63.5, 0.01);
}
END_TEST

START_TEST(passthrough_sends_what_the_hardware_sends)
{
	stage_move(s, "fader4", 0.25);
	ck_assert_double_eq_tol(stage_sent(s, "voicemeeter/pb/4"), 16383 / 4.0, 0.01);
	stage_press(s, "vpot1_push");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/note/1/32"), 1);
	stage_release(s, "vpot1_push");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/note/1/32"), 0);
}
END_TEST

START_TEST(button_sends_127_while_it_is_pressed_and_0_after)
{
	stage_press(s, "mute2");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/cc/1/30/switch"), 1);
	stage_release(s, "mute2");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/cc/1/30/switch"), 0);
	stage_press(s, "solo1");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/pb/10"), 16383);
	stage_release(s, "solo1");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/pb/10"), 0);
}
END_TEST

START_TEST(also_runs_its_midi_steps_on_both_edges)
{
	stage_press(s, "mute1");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/note/1/16"), 1);
	ck_assert_double_eq(stage_sent(s, "qlc/cc/3/7/switch"), 1);
	stage_release(s, "mute1");
	ck_assert_double_eq(stage_sent(s, "voicemeeter/note/1/16"), 0);
	ck_assert_double_eq(stage_sent(s, "qlc/cc/3/7/switch"), 0);
}
END_TEST

START_TEST(v_pot_sends_its_steps)
{
	stage_report(s, "voicemeeter/turn/1/16", 0);
	stage_turn(s, "vpot1", 3);
	ck_assert_double_eq(stage_sent(s, "voicemeeter/turn/1/16"), 3);
	stage_turn(s, "vpot1", -4);
	ck_assert_double_eq(stage_sent(s, "voicemeeter/turn/1/16"), -1);
}
END_TEST

START_TEST(action_send_sends_its_bytes)
{
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_done(s), "synth/send(app,90 3c 64)");
}
END_TEST

START_TEST(toggle_is_a_reaction_to_the_application)
{
	stage_report(s, "qlc/note/1/18", 0);
	stage_tap(s, "mute3");
	stage_advance(s, 2000);
	stage_clear(s);
	stage_report(s, "qlc/note/1/18", 1);
	ck_assert_str_eq(stage_done(s), "synth/send(app,c0 05)");
	stage_report(s, "qlc/note/1/18", 1);
	stage_report(s, "qlc/note/1/18", 0);
	ck_assert_str_eq(stage_done(s), "synth/send(app,c0 05) synth/send(app,c0 00) obs/split(exit)");
}
END_TEST

/* ------------------------------------------------------------------ what comes back */

START_TEST(feedback_moves_the_fader_and_lights_the_button_of_its_page)
{
	stage_report(s, "voicemeeter/pb/1", 16383);
	ck_assert_double_eq(stage_motor(s, "fader1"), 1);
	stage_report(s, "voicemeeter/note/1/16", 1);
	ck_assert_int_eq(stage_shown(s, "mute1"), BH_LIGHT_ON);
	stage_report(s, "voicemeeter/note/1/16", 0);
	ck_assert_int_eq(stage_shown(s, "mute1"), BH_LIGHT_OFF);
	/* Pitch bend 8 of an application that is on the page moves nobody's fader 8. */
	stage_clear(s);
	stage_report(s, "voicemeeter/pb/8", 16383);
	ck_assert_uint_eq(stage_told_count(s, "fader8"), 0);
}
END_TEST

START_TEST(labels_and_colours_are_on_the_strips_and_a_touch_shows_the_value)
{
	stage_report(s, "voicemeeter/pb/1", 0);
	stage_advance(s, 3000);
	ck_assert_str_eq(stage_text(s, "strip1"), "1Host\nA1");
	stage_move(s, "fader1", 1);
	ck_assert_int_eq(strncmp(stage_text(s, "strip1"), "1Host\n", 6), 0);
	ck_assert_str_ne(stage_text(s, "strip1"), "1Host\nA1");
	stage_touch(s, "fader1", false);
	stage_advance(s, 5000);
	ck_assert_str_eq(stage_text(s, "strip1"), "1Host\nA1");
	ck_assert_str_eq(stage_text(s, "strip2"), "2Guest\nB1");
}
END_TEST

/* ------------------------------------------------------------------ pages */

START_TEST(page_keys_turn_and_wrap_and_f_keys_go)
{
	ck_assert_str_eq(stage_text(s, "timecode"), "Voice");
	stage_tap(s, "bank_right");
	ck_assert_str_eq(stage_text(s, "timecode"), "Light");
	stage_advance(s, 1000);
	stage_tap(s, "bank_left");
	stage_advance(s, 1000);
	stage_tap(s, "bank_left");
	ck_assert_str_eq(stage_text(s, "timecode"), "Keys");
	stage_advance(s, 1000);
	stage_tap(s, "f1");
	ck_assert_str_eq(stage_text(s, "timecode"), "Voice");
	ck_assert_int_eq(stage_shown(s, "f1"), BH_LIGHT_ON);
	stage_tap(s, "f8"); /* no such page */
	ck_assert_str_eq(stage_text(s, "timecode"), "Voice");
}
END_TEST

START_TEST(global_controls_hold_on_every_page)
{
	stage_tap(s, "f2");
	stage_move(s, "fader_main", 1);
	ck_assert_double_eq(stage_sent(s, "voicemeeter/pb/9"), 16383);
	stage_press(s, "play");
	ck_assert_double_eq(stage_sent(s, "qlc/note/2/94"), 1);
	stage_release(s, "play");
	/* pages_global.lcd was accepted and ignored there */
	ck_assert_str_eq(stage_text(s, "strip1"), "0Glob\nbal");
}
END_TEST

START_TEST(passthroughs_with_filter_and_transform_work)
{
	stage_tap(s, "f2");
	/* channels 1 to 3, notes 16 and 24; pitch bend becomes a controller: of channel 2 by the map, of 3 by the base */
	stage_move(s, "fader2", 1);
	ck_assert_double_eq(stage_sent(s, "qlc/cc/4/16"), 127);
	stage_move(s, "fader3", 1);
	ck_assert_double_eq(stage_sent(s, "qlc/cc/4/47"), 127);
	stage_press(s, "mute1");
	ck_assert_double_eq(stage_sent(s, "qlc/note/1/16"), 1);
	stage_press(s, "select1");
	ck_assert_double_eq(stage_sent(s, "qlc/note/1/24"), 1);
	stage_clear(s);
	stage_press(s, "mute2"); /* excluded */
	stage_move(s, "fader4", 1);
	ck_assert_str_eq(stage_done(s), "");
	ck_assert_ptr_null(strstr(ours, "qlc/note/1/17"));
	/* pb_to_note on the third page, and a passthrough on all of them */
	stage_tap(s, "f3");
	stage_move(s, "fader1", 1);
	ck_assert_double_eq(stage_sent(s, "synth/note/1/60/velocity"), 127);
	stage_report(s, "synth/turn/1/17", 0);
	stage_turn(s, "vpot2", 1);
	ck_assert_double_eq(stage_sent(s, "synth/turn/1/17"), 1);
}
END_TEST

/* ------------------------------------------------------------------ OBS and game pads */

START_TEST(keys_do_to_obs_what_they_did)
{
	stage_tap(s, "select1");
	stage_tap(s, "select2");
	stage_tap(s, "select3");
	stage_tap(s, "vpot2_push");
	stage_tap(s, "record");
	ck_assert_str_eq(stage_done(s), "obs/scene(CAM Main) obs/scene(CAM Side) obs/transition() obs/reset-zoom(CAM Side,Side Cam) obs/studio-mode(toggle)");
}
END_TEST

START_TEST(steps_do_to_obs_what_they_did)
{
	stage_tap(s, "mute1");
	ck_assert_str_eq(stage_done(s), "obs/scene(CAM Main,program)");
	stage_report(s, "qlc/note/1/18", 1);
	stage_advance(s, 2000);
	stage_clear(s);
	stage_report(s, "qlc/note/1/18", 0);
	ck_assert_str_eq(stage_done(s), "synth/send(app,c0 00) obs/split(exit)");
}
END_TEST

START_TEST(keys_of_a_game_pad_choose_cameras)
{
	stage_tap(s, "pad1/a");
	stage_tap(s, "pad1/b");
	stage_tap(s, "pad1/home");
	stage_tap(s, "pad1/up");
	ck_assert_str_eq(stage_done(s), "obs/camera(main,preview) obs/camera(side,pad1) obs/reset-position(pad1) obs/split(toggle,left)");
	stage_press(s, "pad1/lb");
	ck_assert_double_eq(stage_sent(s, "obs/ptz/pad1/modifier"), 1);
	stage_release(s, "pad1/lb");
	ck_assert_double_eq(stage_sent(s, "obs/ptz/pad1/modifier"), 0);
}
END_TEST

START_TEST(sticks_and_knobs_move_cameras)
{
	stage_move(s, "pad1/axis_lx", 1);
	ck_assert_double_eq(stage_sent(s, "obs/ptz/pad1/move-x"), 1);
	stage_move(s, "pad1/axis_ry", 0);
	ck_assert_double_eq(stage_sent(s, "obs/ptz/pad1/move-zoom"), -1);
	stage_move(s, "pad1/axis_rx", 0.5);
	ck_assert_double_eq_tol(stage_sent(s, "obs/camera/main/move-x"), 0, 1e-9);
	stage_report(s, "obs/camera/main/x", 100);
	stage_turn(s, "jog", 1);
	ck_assert_double_eq_tol(stage_sent(s, "obs/camera/main/x"), 102, 1e-9);
	stage_report(s, "obs/scene/CAM Side/item/Side Cam/scale", 100);
	stage_turn(s, "vpot2", -1);
	ck_assert_double_eq_tol(stage_sent(s, "obs/scene/CAM Side/item/Side Cam/scale"), 95, 1e-9);
}
END_TEST

START_TEST(indicators_light_as_they_did)
{
	static const char scenes[] = "CAM Main|CAM Side|SPLIT L";
	stage_param(s, "obs/selected", BH_ENUM, 0, 2, scenes);
	stage_param(s, "obs/program", BH_ENUM, 0, 2, scenes);
	stage_report(s, "obs/selected", 0);
	stage_report(s, "obs/program", 2);
	ck_assert_int_eq(stage_shown(s, "select1"), BH_LIGHT_ON);
	ck_assert_int_eq(stage_shown(s, "select2"), BH_LIGHT_ON);
	stage_report(s, "obs/selected", 1);
	stage_report(s, "obs/program", 0);
	ck_assert_int_eq(stage_shown(s, "select1"), BH_LIGHT_OFF);
	ck_assert_int_eq(stage_shown(s, "select2"), BH_LIGHT_OFF);
	stage_param(s, "obs/studio-mode", BH_BOOL, 0, 1, NULL);
	stage_report(s, "obs/studio-mode", 1);
	ck_assert_int_eq(stage_shown(s, "record"), BH_LIGHT_ON);
}
END_TEST

/* ------------------------------------------------------------------ what has no counterpart */

START_TEST(everything_without_a_counterpart_is_told_with_its_line_and_stands_in_the_file)
{
	static const char *const told[] = {
		"theirs.yaml:12: synth has no input_port", "mapping_csv", "gamepad.provider", "tray", "Windows audio", "startup_refresh_delay_ms",
		"overlay_per_app", "user: there is no application \"nowhere\"", "rec_master", "colour \"chartreuse\"", "gamepad1.btn.nothing",
		"select4: obs changeScene $camera.scene: $camera has a meaning on a game pad only",
	};
	for (size_t k = 0; k < sizeof(told) / sizeof(told[0]); k++) {
		ck_assert_msg(strstr(notes, told[k]) != NULL, "nothing is said of %s in\n%s", told[k], notes);
	}
	unsigned lines = 0, comments = 0;
	for (const char *p = notes; (p = strchr(p, '\n')); p++)
		lines++;
	for (const char *p = ours; (p = strstr(p, "# NOT CONVERTED")); p++)
		comments++;
	ck_assert_uint_eq(lines, result.noted);
	ck_assert_uint_eq(comments, result.noted);
	ck_assert_uint_eq(result.converted, 42);
}
END_TEST

START_TEST(a_file_of_another_kind_is_refused)
{
	static const char *const wrong[] = {"", "a: [", "bulkhead: 1\npages: []\n", "pages: 3\n", "- 1\n"};
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		ck_assert_int_eq(convert(wrong[k]), -EINVAL);
		ck_assert_uint_gt(report.count, 0);
		free(ours);
		free(notes);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(what_is_wrong_in_theirs_is_told_with_its_place_and_the_rest_is_converted)
{
	ck_assert_int_eq(convert("midi:\n  apps:\n    - {name: a, output_port: x, input_port: y}\n    - {output_port: z}\n"
				 "pages:\n  - name: P\n    controls:\n      mute1: {app: a, midi: {type: note, channel: 17, note: 1}}\n"
				 "      mute2: {app: a, midi: {type: cc, channel: 1}}\n      mute3: {app: a, midi: {type: note, channel: 1, note: 3}}\n"),
			 0);
	ck_assert_uint_ge(report.count, 3);
	ck_assert_ptr_nonnull(strstr(ours, "mute3: { momentary: a/note/1/3 }"));
	ck_assert_uint_eq(result.converted, 1);
	free(ours);
	free(notes);
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("import");
	TCase *t = tcase_create("everything"), *odd = tcase_create("odd");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, fader_to_pitch_bend_is_one_to_one);
	tcase_add_test(t, fader_to_controller_and_to_note_is_rescaled);
	tcase_add_test(t, passthrough_sends_what_the_hardware_sends);
	tcase_add_test(t, button_sends_127_while_it_is_pressed_and_0_after);
	tcase_add_test(t, also_runs_its_midi_steps_on_both_edges);
	tcase_add_test(t, v_pot_sends_its_steps);
	tcase_add_test(t, action_send_sends_its_bytes);
	tcase_add_test(t, toggle_is_a_reaction_to_the_application);
	tcase_add_test(t, feedback_moves_the_fader_and_lights_the_button_of_its_page);
	tcase_add_test(t, labels_and_colours_are_on_the_strips_and_a_touch_shows_the_value);
	tcase_add_test(t, page_keys_turn_and_wrap_and_f_keys_go);
	tcase_add_test(t, global_controls_hold_on_every_page);
	tcase_add_test(t, passthroughs_with_filter_and_transform_work);
	tcase_add_test(t, keys_do_to_obs_what_they_did);
	tcase_add_test(t, steps_do_to_obs_what_they_did);
	tcase_add_test(t, keys_of_a_game_pad_choose_cameras);
	tcase_add_test(t, sticks_and_knobs_move_cameras);
	tcase_add_test(t, indicators_light_as_they_did);
	tcase_add_test(t, everything_without_a_counterpart_is_told_with_its_line_and_stands_in_the_file);
	tcase_add_test(odd, a_file_of_another_kind_is_refused);
	tcase_add_test(odd, what_is_wrong_in_theirs_is_told_with_its_place_and_the_rest_is_converted);
	suite_add_tcase(suite, t);
	suite_add_tcase(suite, odd);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
