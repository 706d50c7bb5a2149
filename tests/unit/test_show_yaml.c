/* test_show_yaml - what is written about displays, from YAML to what the surface is told; the rules one by one are in test_core_show */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "tests/lib/stage.h"

static struct stage *s;

#define HEAD "bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\ndrivers: {loop: {}}\n"

static void
begin(const char *yaml)
{
	s = stage_new(yaml);
	stage_param(s, "loop/ch1/level", BH_FLOAT, 0, 1, NULL);
	stage_param(s, "loop/ch1/pan", BH_FLOAT, -1, 1, NULL);
	stage_param(s, "loop/ch1/mute", BH_BOOL, 0, 1, NULL);
	stage_param(s, "loop/scene", BH_ENUM, 0, 2, "Opening|Main part|Closing");
	stage_report(s, "loop/ch1/level", 0.25);
	stage_report(s, "loop/ch1/pan", 0);
	stage_report(s, "loop/ch1/mute", 0);
	stage_report(s, "loop/scene", 1);
	stage_advance(s, 2000);
}

static void
end(void)
{
	stage_free(s);
}

static struct bh_ring_state
ring(const char *name)
{
	return bh_feedback_ring_open(stage_shown(s, name));
}

START_TEST(strips_as_they_are_written)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n"
		   "      fader1: loop/ch1/level\n"
		   "      fader2: loop/ch1/level\n"
		   "      strip1: {strip: loop/scene, text: Host, color: red, light: [{when: loop/ch1/mute, color: blue}]}\n"
		   "      strip2: {strip: loop/ch1/level, text: Guest microphone 2, lower: name, overlay: no}\n"
		   "      strip3: {strip: null, text: \"Upper\\nLower\"}\n"
		   "      strip4: {strip: loop/ch1/level, text: \"Two\\nlines\"}\n"
		   "      strip5: {strip: loop/scene, text: Guest microphone 2, scroll: yes}\n");
	ck_assert_str_eq(stage_text(s, "strip1"), "1Host\nManPart");
	ck_assert_str_eq(stage_text(s, "strip2"), "0GstMic2\nch1Levl");
	ck_assert_str_eq(stage_text(s, "strip3"), "0Upper\nLower");
	ck_assert_str_eq(stage_text(s, "strip4"), "0Two\nlines");
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_str_eq(stage_text(s, "strip1"), "4Host\nManPart");
	stage_touch(s, "fader1", true);
	ck_assert_str_eq(stage_text(s, "strip1"), "4Host\n25%");
	stage_touch(s, "fader2", true);
	ck_assert_str_eq(stage_text(s, "strip2"), "0GstMic2\nch1Levl");
	stage_touch(s, "fader1", false);
	stage_advance(s, 1500);
	ck_assert_str_eq(stage_text(s, "strip1"), "4Host\nManPart");
	stage_clear(s);
	stage_advance(s, 10000);
	ck_assert_uint_gt(stage_told_count(s, "strip5"), 10);
	stage_health(s, "loop", BH_HEALTH_BACKING_OFF);
	stage_advance(s, 120000);
	ck_assert_str_eq(stage_text(s, "strip1"), "4loop\ndown 2m");
	ck_assert_str_eq(stage_text(s, "strip4"), "0loop\ndown 2m");
	ck_assert_str_eq(stage_text(s, "strip3"), "0Upper\nLower"); /* nothing there hangs on it */
}
END_TEST

START_TEST(digits_as_they_are_written)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n"
		   "      timecode: {display: page}\n      assign: {display: time}\n"
		   "  - name: Code\n    bindings:\n      timecode: {display: loop/ch1/level, format: timecode}\n"
		   "  - name: Bar\n    bindings:\n      timecode: {display: loop/ch1/level, effect: progress}\n"
		   "  - name: Blink\n    bindings:\n      timecode: {text: On air, effect: blink, pace: 100ms}\n"
		   "global: {bindings: {f1: {action: page/next}}}\n");
	ck_assert_str_eq(stage_text(s, "timecode"), "Main");
	ck_assert_uint_eq(strlen(stage_text(s, "assign")), 2);
	stage_tap(s, "f1");
	ck_assert_str_eq(stage_text(s, "timecode"), "00:00:00:06");
	stage_tap(s, "f1");
	ck_assert_str_eq(stage_text(s, "timecode"), "===-------");
	stage_tap(s, "f1");
	stage_clear(s);
	stage_advance(s, 1000);
	ck_assert_uint_eq(stage_told_count(s, "timecode"), 10);
}
END_TEST

START_TEST(quiet_room_as_it_is_switched)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n"
		   "      fader1: loop/ch1/level\n"
		   "      vpot1: {relative: loop/ch1/pan, light: [{when: loop/ch1/mute, show: flash}]}\n"
		   "      rec1: {action: loop/mark, light: [{when: loop/ch1/mute, show: flash}]}\n"
		   "      strip1: {strip: null, text: Guest microphone 2, scroll: yes}\n"
		   "      timecode: {text: On air, effect: marquee}\n"
		   "      f8: {toggle: room/quiet}\n");
	ck_assert_int_eq(ring("vpot1").mode, BH_RING_PAN);
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_int_eq(stage_shown(s, "rec1"), BH_LIGHT_FLASH);
	stage_tap(s, "f8");
	ck_assert_int_eq(stage_shown(s, "f8"), BH_LIGHT_ON);
	ck_assert_int_eq(stage_shown(s, "rec1"), BH_LIGHT_ON);
	ck_assert_str_eq(stage_text(s, "strip1"), "0GstMic2\n");
	double at = stage_motor(s, "fader1");
	stage_clear(s);
	stage_report(s, "loop/ch1/level", 0.75);
	stage_advance(s, 60000);
	ck_assert_uint_eq(stage_told_count(s, "fader1"), 0);
	ck_assert_uint_eq(stage_told_count(s, "vpot1") + stage_told_count(s, "strip1") + stage_told_count(s, "timecode"), 0);
	ck_assert_double_eq(stage_motor(s, "fader1"), at);
	stage_tap(s, "f8");
	ck_assert_uint_eq(stage_told_count(s, "fader1"), 1);
	ck_assert_double_eq(stage_motor(s, "fader1"), 0.75);
	ck_assert_int_eq(stage_shown(s, "rec1"), BH_LIGHT_FLASH);
	stage_advance(s, 3000);
	ck_assert_uint_gt(stage_told_count(s, "vpot1"), 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("show_yaml");
	TCase *t = tcase_create("written");
	tcase_add_checked_fixture(t, NULL, end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, strips_as_they_are_written);
	tcase_add_test(t, digits_as_they_are_written);
	tcase_add_test(t, quiet_room_as_it_is_switched);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
