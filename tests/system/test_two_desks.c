/*
 * Two desks in one pipeline, through every process: side by side as one row of sixteen strips over what the mixer offers, and as a second
 * operator's desk with pages of its own on the same parameters.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "procs/router/taper.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

static struct pipeline pl;
static struct simdesk *left, *right;
static char out[8192];

#define DESKS                                                                                      \
	"bulkhead: 1\n" PIPELINE_PATIENT                                                           \
	"router: {" PIPELINE_PATIENT_PRESSES "}\n"                                                 \
	"surfaces:\n"                                                                              \
	"  left: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}\n"

static const char row_yaml[] =
	DESKS "  right: {device: x-touch, transport: socket, path: \"@DIR@/right/desk.sock\"}\n"
	      "drivers: {loop: {kind: loop, channels: 20, meters: false}}\n"
	      "banks:\n  row: {items: loop/ch*/level, strips: [left/1-8, right/1-8], pins: {16: \"20\"}, each: {fader: \"loop/ch{}/level\","
	      " mute: \"loop/ch{}/mute\", strip: {strip: \"loop/ch{}/level\", text: \"Ch {}\"}}}\n"
	      "pages:\n  - {name: Row, banks: [row]}\n"
	      "global: {bindings: {left/bank_right: {action: bank/next, args: [row]}, left/channel_right: {action: channel/next, args: [row]},"
	      " left/bank_left: {action: bank/home, args: [row]}, right/timecode: {display: time}}}\n";

static const char two_yaml[] =
	DESKS "  right: {device: x-touch, transport: socket, path: \"@DIR@/right/desk.sock\", pages: guest}\n"
	      "drivers: {loop: {kind: loop, channels: 4, meters: false}}\n"
	      "pages:\n"
	      "  - name: A\n    bindings: {left/fader1: loop/ch1/level, right/fader1: loop/ch1/level, left/mute1: loop/ch1/mute, right/mute1: loop/ch1/mute}\n"
	      "  - name: B\n    bindings: {left/fader1: loop/ch2/level, right/fader1: loop/ch2/level}\n"
	      "global: {bindings: {left/f1: {action: page/next}, right/f1: {action: page/next}, left/timecode: {display: page},"
	      " right/timecode: {display: room/page/guest}}}\n";

static void
begin(const char *yaml)
{
	char dir[160];
	pipeline_prepare(&pl, yaml);
	snprintf(dir, sizeof(dir), "%s/right", pl.dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	left = simdesk_start(pl.dir, NULL);
	right = simdesk_start(dir, NULL);
	ck_assert(left && right);
	simdesk_must(left, "set settle instant");
	simdesk_must(right, "set settle instant");
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(left, "wait peer");
	simdesk_must(right, "wait peer");
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(left);
	simdesk_stop(right);
	pipeline_clean(&pl);
}

static void
set(const char *param, const char *value)
{
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", "set", param, "--", value, NULL);
	ck_assert_msg(r == 0, "set %s %s ends with %d: %s", param, value, r, out);
}

static int
target_of(unsigned ch)
{
	static const struct bh_taper_range range = {BH_TAPER_FADER_DB, -90, 10, 0};
	char param[32];
	snprintf(param, sizeof(param), "ch%u/level", ch);
	return (int)lround(bh_taper_position(&range, pipeline_number(&pl, "loop", param)) * 16380);
}

static void
fader_shows(struct simdesk *desk, int fader, unsigned ch)
{
	ck_assert_msg(pipeline_until(10000, abs(simdesk_pos(desk, fader) - target_of(ch)) <= 8), "fader %d stands at %d, channel %u is at %d\n%s",
		      fader, simdesk_pos(desk, fader), ch, target_of(ch), pipeline_log(&pl));
}

START_TEST(two_desks_are_one_row_over_a_long_list)
{
	begin(row_yaml);
	set("loop/ch1/level", "-10");
	set("loop/ch9/level", "-20");
	set("loop/ch20/level", "-30");
	set("loop/ch17/level", "-40");
	simdesk_must(left, "expect strip 1 upper \"Ch 1\" within 30s; expect strip 8 upper \"Ch 8\" within 30s");
	simdesk_must(right, "expect strip 1 upper \"Ch 9\" within 30s; expect strip 7 upper \"Ch 15\" within 30s; expect strip 8 upper \"Ch 20\" within 30s");
	fader_shows(left, 1, 1);
	fader_shows(right, 1, 9);
	fader_shows(right, 8, 20);
	/* A hand on the second desk moves the channel that its strip names. */
	simdesk_must(right, "move 2 0.6 over 0.1s touching; wait hands");
	ck_assert(pipeline_until(10000, abs(target_of(10) - simdesk_pos(right, 2)) <= 8));
	/* One on: sixteen strips go by one, the pinned one stays. */
	simdesk_must(left, "tap channel_right");
	simdesk_must(left, "expect strip 1 upper \"Ch 2\" within 30s; expect strip 8 upper \"Ch 9\" within 30s");
	simdesk_must(right, "expect strip 1 upper \"Ch 10\" within 30s; expect strip 8 upper \"Ch 20\" within 30s");
	fader_shows(left, 8, 9);
	fader_shows(right, 1, 10);
	/* To the end, and home. */
	simdesk_must(left, "tap bank_right");
	simdesk_must(right, "expect strip 7 upper \"Ch 19\" within 30s; expect strip 8 upper \"Ch 20\"");
	simdesk_must(left, "tap bank_left; expect strip 1 upper \"Ch 1\" within 30s");
	simdesk_must(right, "expect strip 1 upper \"Ch 9\" within 30s");
	fader_shows(right, 1, 9);
}
END_TEST

/* Ten digits, aligned right: hours, minutes and seconds, and a second later others. */
START_TEST(a_window_shows_the_time_of_day)
{
	char first[64] = "", then[64] = "";
	begin(row_yaml);
	ck_assert(pipeline_until(10000, ({
		const char *at = strstr(simdesk_state(right), "\"timecode\":\"");
		sscanf(at ? at + 12 : "", "%63[^\"]", first);
		strpbrk(first, "0123456789") != NULL;
	})));
	ck_assert(pipeline_until(10000, ({
		const char *at = strstr(simdesk_state(right), "\"timecode\":\"");
		sscanf(at ? at + 12 : "", "%63[^\"]", then);
		strcmp(first, then) != 0;
	})));
}
END_TEST

START_TEST(a_second_operator_has_pages_of_his_own_and_follows_the_same_parameters)
{
	begin(two_yaml);
	set("loop/ch1/level", "-10");
	set("loop/ch2/level", "-40");
	fader_shows(left, 1, 1);
	fader_shows(right, 1, 1);
	/* The right one turns; the left one does not. */
	simdesk_must(right, "tap f1; expect digits timecode \"B\" within 30s");
	simdesk_must(left, "expect digits timecode \"A\" within 30s");
	fader_shows(right, 1, 2);
	fader_shows(left, 1, 1);
	/* Back on the same page: each hand is seen at the other desk, and the last one counts. */
	simdesk_must(right, "tap f1; expect digits timecode \"A\" within 30s");
	fader_shows(right, 1, 1);
	simdesk_must(left, "move 1 0.8 over 0.2s touching; wait hands");
	ck_assert(pipeline_until(10000, abs(target_of(1) - simdesk_pos(left, 1)) <= 8));
	fader_shows(right, 1, 1);
	simdesk_must(right, "move 1 0.3 over 0.2s touching; wait hands");
	ck_assert(pipeline_until(10000, abs(target_of(1) - simdesk_pos(right, 1)) <= 8));
	fader_shows(left, 1, 1);
	simdesk_must(left, "tap mute1; expect led mute1 on within 30s");
	simdesk_must(right, "expect led mute1 on within 30s; tap mute1; expect led mute1 off within 30s");
	simdesk_must(left, "expect led mute1 off within 30s");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("two_desks");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 90);
	tcase_add_test(t, two_desks_are_one_row_over_a_long_list);
	tcase_add_test(t, a_window_shows_the_time_of_day);
	tcase_add_test(t, a_second_operator_has_pages_of_his_own_and_follows_the_same_parameters);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
