/*
 * A driver that does its worst, and what people may do with processes: no other process notices.
 *
 * The driver that misbehaves is "bad"; desk, router and the driver "good" must keep their processes, their state and their
 * speed. In the end of each test, a hand still moves a fader of good.
 */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/taper.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define YAML(bad) \
	"bulkhead: 1\n" \
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n" \
	"drivers:\n" \
	"  good: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n" \
	"  bad: {kind: loop, channels: 8, meters: false, hang_ms: 500ms" bad "}\n" \
	PIPELINE_PATIENT \
	"router: {" PIPELINE_PATIENT_PRESSES "}\n" \
	"supervisor: {crash_limit: 4, backoff_first_ms: 20ms, backoff_max_ms: 50ms}\n" \
	"pages:\n" \
	"  - name: Mix\n" \
	"    bindings:\n" \
	"      fader1: good/ch1/level\n" \
	"      mute1: good/ch1/mute\n" \
	"      vpot1: {relative: good/ch1/pan, step: 0.01}\n" \
	"      play: {action: good/mark}\n" \
	"      strip1: {strip: good/ch1/level, text: Good, color: green}\n" \
	"      fader2: bad/ch1/level\n" \
	"      fader3: bad/ch2/level\n" \
	"      mute2: bad/ch1/mute\n" \
	"      stop: {action: bad/mark}\n" \
	"      strip2: {strip: bad/ch1/level, text: Bad, color: red}\n"

static struct pipeline pl;
static struct simdesk *desk;
static char out[65536];

static const char *const others[] = {"keeper", "supervisor", "router", "control", "store", "desk", "good"};
static pid_t others_pid[BH_ARRAY_LEN(others)];
static pid_t bad_pid;
static uint64_t fights; /* of a load in which hands come back at once: to write what is on its way by then is late, not wrong */

static void
start(const char *yaml)
{
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
	for (unsigned i = 0; i < BH_ARRAY_LEN(others); i++)
		others_pid[i] = pipeline_pid(&pl, others[i]);
	bad_pid = pipeline_pid(&pl, "bad");
}

/* However busy the machine is, bad is told to misbehave in time. */
static void
setup(void)
{
	start(YAML(", " PIPELINE_PATIENT_DRIVER));
}

/* Where a press of bad's must count, and one of long ago must not. */
static void
setup_patient(void)
{
	start(YAML(", max_age_ms: 5s"));
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

static int
tool(const char *a, const char *b, const char *c, const char *d)
{
	return pipeline_tool(&pl, out, sizeof(out), "bulkhead", a, b, c, d, NULL);
}

static void
must(const char *a, const char *b, const char *c, const char *d)
{
	int r = tool(a, b, c, d);
	ck_assert_msg(r == 0, "bulkhead %s %s %s %s ends with %d: %s\n%s", a, b, c ? c : "", d ? d : "", r, out, pipeline_log(&pl));
}

static int
position_of(const char *driver, const char *param)
{
	static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};
	return (int)lround(bh_taper_position(&level_range, pipeline_number(&pl, driver, param)) * 16380);
}

/* The motor, too, has been told: a hand that comes back before that would meet what is on its way. */
static bool
follows(int fader, const char *driver, const char *param)
{
	int pos = simdesk_pos(desk, fader);
	return abs(position_of(driver, param) - pos) <= 8 && abs(simdesk_target(desk, fader) - pos) <= 8;
}

static void
expect_follows(unsigned fader, const char *driver, const char *param)
{
	ck_assert_msg(pipeline_until(5000, follows((int)fader, driver, param)),
		      "fader %u stands at %d, %s/%s at %d\n%s", fader, simdesk_pos(desk, (int)fader), driver, param,
		      position_of(driver, param), pipeline_log(&pl));
}

/* Nobody but bad has noticed anything, and the desk works. */
static void
expect_untouched(void)
{
	struct bh_proc_body b;
	for (unsigned i = 0; i < BH_ARRAY_LEN(others); i++) {
		ck_assert_msg(pipeline_pid(&pl, others[i]) == others_pid[i], "%s was restarted:\n%s", others[i], pipeline_log(&pl));
		if (pipeline_body(&pl, others[i], &b))
			ck_assert_msg(b.health.health == BH_HEALTH_OK, "%s is not ok: %s", others[i], b.health.reason);
	}
	simdesk_must(desk, "move 1 0.%u over 0.1s touching; wait hands", 21u + (unsigned)rand() % 70u);
	expect_follows(1, "good", "ch1/level");
	simdesk_must(desk, "expect strip 1 upper \"Good\" within 30s");
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), fights);
	ck_assert(pipeline_number(&pl, "good", "ledger/twice") == 0);
}

static bool
is_restarted(pid_t old)
{
	pid_t now = pipeline_pid(&pl, "bad");
	return now > 0 && now != old && pipeline_is_ok(&pl, "bad");
}

static bool
is_health(const char *name, enum bh_health health)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b) && b.health.health == health;
}

/* What good has on its own, before and after. */
struct room {
	double level[8], pan[8], mute[8], actions;
};

static struct room
good_room(void)
{
	struct room r;
	for (unsigned n = 1; n <= 8; n++) {
		char param[32];
		snprintf(param, sizeof(param), "ch%u/level", n);
		r.level[n - 1] = pipeline_number(&pl, "good", param);
		snprintf(param, sizeof(param), "ch%u/pan", n);
		r.pan[n - 1] = pipeline_number(&pl, "good", param);
		snprintf(param, sizeof(param), "ch%u/mute", n);
		r.mute[n - 1] = pipeline_number(&pl, "good", param);
	}
	r.actions = pipeline_number(&pl, "good", "ledger/actions");
	return r;
}

static void
set_the_scene(void)
{
	simdesk_must(desk, "move 1 0.6 over 0.1s touching; move 2 0.4 over 0.1s touching; move 3 0.7 over 0.1s touching; turn 1 9; "
			   "tap mute1; tap mute2; tap play; wait hands");
	expect_follows(1, "good", "ch1/level");
	expect_follows(2, "bad", "ch1/level");
	expect_follows(3, "bad", "ch2/level");
	simdesk_must(desk, "expect led mute1 on within 30s; expect led mute2 on within 30s; wait motors within 30s; expect quiet for 300ms within 30s");
	ck_assert(pipeline_until(5000, pipeline_number(&pl, "good", "ledger/actions") == 1));
	ck_assert(pipeline_until(5000, pipeline_number(&pl, "good", "ch1/mute") == 1 && pipeline_number(&pl, "bad", "ch1/mute") == 1));
	ck_assert(pipeline_until(5000, fabs(pipeline_number(&pl, "good", "ch1/pan") - 0.09) < 1e-9 &&
					       pipeline_settled(&pl, "good", "ch1/level")));
}

/* ------------------------------------------------------------------ faults */

START_TEST(a_driver_that_scribbles_over_all_its_memory_harms_nobody_else)
{
	set_the_scene();
	for (unsigned i = 0; i < 2; i++) {
		struct room before = good_room(), after;
		int fader[4];
		for (int n = 1; n <= 3; n++)
			fader[n] = simdesk_pos(desk, n);
		pid_t old = pipeline_pid(&pl, "bad");
		simdesk_must(desk, "mark");
		tool("do", "bad/fault", "scribble", NULL);
		ck_assert_msg(pipeline_until(10000, is_restarted(old)), "bad does not come back:\n%s", pipeline_log(&pl));
		simdesk_must(desk, "expect quiet for 500ms within 30s");
		after = good_room();
		ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
		for (int n = 1; n <= 3; n++)
			ck_assert_msg(simdesk_pos(desk, n) == fader[n], "fader %d stood at %d and stands at %d", n, fader[n],
				      simdesk_pos(desk, n));
		/* What was wanted of it, it has again. */
		simdesk_must(desk, "expect led mute2 on within 30s; expect strip 2 upper \"Bad\" within 30s");
		ck_assert_msg(pipeline_until(5000, abs(position_of("bad", "ch1/level") - fader[2]) <= 8 &&
							   abs(position_of("bad", "ch2/level") - fader[3]) <= 8),
			      "bad's levels are at %d and %d, the faders at %d and %d\n%s", position_of("bad", "ch1/level"),
			      position_of("bad", "ch2/level"), fader[2], fader[3], pipeline_log(&pl));
		expect_untouched();
		simdesk_must(desk, "move 2 0.%u over 0.1s touching; wait hands", 45 + 20 * i);
		expect_follows(2, "bad", "ch1/level");
	}
}
END_TEST

START_TEST(a_driver_that_scribbles_under_a_moving_load_harms_nobody_else)
{
	set_the_scene();
	simdesk_begin(desk, "random-load seed 3 for 2s rate 60 using fader1 fader2 fader3 vpot1 mute1 mute2 play stop");
	tool("do", "bad/fault", "scribble", NULL);
	ck_assert_msg(pipeline_until(10000, is_restarted(bad_pid)), "bad does not come back:\n%s", pipeline_log(&pl));
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	simdesk_must(desk, "wait hands; wait motors within 30s; expect quiet for 500ms within 30s");
	fights = simdesk_counter(desk, "fights");
	expect_follows(1, "good", "ch1/level");
	expect_follows(2, "bad", "ch1/level");
	expect_follows(3, "bad", "ch2/level");
	expect_untouched();
}
END_TEST

START_TEST(a_crash_loop_ends_in_failed_with_a_reason_and_a_hint_and_the_others_go_on)
{
	struct bh_proc_body b;
	set_the_scene();
	simdesk_must(desk, "mark");
	for (unsigned i = 0; i < 4; i++) {
		pid_t old = pipeline_pid(&pl, "bad");
		if (old > 0)
			kill(old, SIGSEGV);
		ck_assert_msg(pipeline_until(10000, is_restarted(old) || is_health("bad", BH_HEALTH_FAILED)),
			      "neither back nor failed:\n%s", pipeline_log(&pl));
		ck_assert_msg(i == 3 || !is_health("bad", BH_HEALTH_FAILED), "given up after %u deaths", i + 1);
	}
	ck_assert(pipeline_until(5000, is_health("bad", BH_HEALTH_FAILED)));
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_msg(!b.alive && b.health.reason[0], "failed without a reason");
	int r = tool("status", NULL, NULL, NULL);
	ck_assert_int_eq(r, 3);
	ck_assert_msg(strstr(out, "hint: bad: ") && strstr(out, "bulkhead release bad"), "no hint in: %s", out);
	ck_assert_msg(strstr(out, "lost: bad: Mix: fader2-3, mute2") != NULL, "it does not say what is lost: %s", out);
	ck_assert_msg(strstr(out, "4 failures in 30 s, the last by signal 11") || strstr(out, "4 failures in 30 s, the last by exit"),
		      "it does not say why: %s", out);
	ck_assert_msg(strstr(pipeline_log_text(&pl), "Lost until then: Mix: fader2-3, mute2") != NULL, "the log does not say what is lost:\n%s",
		      pipeline_log(&pl));
	printf("failed: %s\n", b.health.reason);
	/* Its strip says so; its faders keep their place. */
	simdesk_must(desk, "expect strip 2 lower \"down\" within 30s; wait motors within 30s; expect fader.messages = 0 since mark");
	expect_untouched();
	/* Only a person lifts it. */
	must("release", "bad", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, pipeline_is_ok(&pl, "bad")), "not released:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "expect strip 2 upper \"Bad\" within 30s");
	expect_follows(2, "bad", "ch1/level");
	expect_untouched();
}
END_TEST

START_TEST(a_driver_that_hangs_on_owed_work_is_ended_as_hung)
{
	struct bh_proc_body b;
	set_the_scene();
	/* It hangs without anything owed after the action: nobody may be blamed for being idle. */
	tool("do", "bad/fault", "hang", NULL);
	simdesk_must(desk, "move 2 0.8 over 0.1s touching; wait hands");
	expect_untouched();
	ck_assert_msg(pipeline_until(10000, is_restarted(bad_pid)), "the hang is not ended:\n%s", pipeline_log(&pl));
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_uint_eq(b.hangs, 1);
	ck_assert_uint_eq(b.death[0].cause, BH_CAUSE_HANG);
	ck_assert_uint_eq(b.death[0].pid, bad_pid);
	ck_assert_msg(b.death[0].code == SIGABRT || b.death[0].code == SIGKILL, "it ended by %u", b.death[0].code);
	must("status", "bad", NULL, NULL);
	ck_assert_msg(strstr(out, "hang") != NULL, "the status does not speak of a hang: %s", out);
	/* The value that it was told meanwhile is there. (A press of long ago: see the stopped one.) */
	expect_follows(2, "bad", "ch1/level");
	expect_follows(3, "bad", "ch2/level");
	ck_assert(pipeline_number(&pl, "bad", "ledger/twice") == 0);
	expect_untouched();
}
END_TEST

START_TEST(a_driver_that_spins_is_ended_as_hung)
{
	struct bh_proc_body b;
	set_the_scene();
	tool("do", "bad/fault", "spin", NULL);
	simdesk_must(desk, "move 2 0.2 over 0.1s touching; wait hands");
	expect_untouched();
	ck_assert_msg(pipeline_until(10000, is_restarted(bad_pid)), "the spinning is not ended:\n%s", pipeline_log(&pl));
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_uint_eq(b.death[0].cause, BH_CAUSE_HANG);
	expect_follows(2, "bad", "ch1/level");
	expect_untouched();
}
END_TEST

START_TEST(an_idle_driver_is_never_called_hung)
{
	struct bh_proc_body b;
	set_the_scene();
	/* Ten times its patience without any work: the time itself is what is tried. */
	usleep(5000000);
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_uint_eq(b.hangs, 0);
	ck_assert_int_eq(pipeline_pid(&pl, "bad"), bad_pid);
	expect_untouched();
}
END_TEST

START_TEST(a_stopped_driver_is_shown_and_left_alone_and_goes_on_with_the_newest_value)
{
	struct bh_proc_body b;
	set_the_scene();
	must("kill", "--signal", "STOP", "bad");
	/* Far more than its ring of 1024 holds; the newest is what counts. The press will be of long ago. */
	simdesk_must(desk, "tap stop; repeat 60 { move 2 0.9 over 0.1s touching; move 2 0.1 over 0.1s touching }; move 2 0.55 over 0.1s touching; "
			   "wait hands");
	ck_assert_msg(pipeline_until(10000, is_health("bad", BH_HEALTH_DEGRADED)), "not shown as stopped:\n%s", pipeline_log(&pl));
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_msg(strstr(b.health.reason, "stopped") != NULL, "the reason is: %s", b.health.reason);
	ck_assert_uint_eq(b.hangs, 0);
	ck_assert_int_eq(pipeline_pid(&pl, "bad"), bad_pid);
	expect_untouched();
	must("kill", "--signal", "CONT", "bad");
	expect_follows(2, "bad", "ch1/level");
	ck_assert_msg(pipeline_until(10000, is_health("bad", BH_HEALTH_OK)), "not ok again:\n%s", pipeline_log(&pl));
	ck_assert_int_eq(pipeline_pid(&pl, "bad"), bad_pid);
	/* The press was not carried out any more. */
	ck_assert(pipeline_number(&pl, "bad", "ledger/late") == 0);
	ck_assert(pipeline_number(&pl, "bad", "ledger/actions") == 0);
	simdesk_must(desk, "tap stop; wait hands");
	ck_assert_msg(pipeline_until(5000, pipeline_number(&pl, "bad", "ledger/actions") == 1), "a new press does nothing:\n%s",
		      pipeline_log(&pl));
	expect_untouched();
}
END_TEST

/* ------------------------------------------------------------------ people */

START_TEST(a_process_is_held_released_stopped_started_and_restarted_by_the_tool)
{
	struct bh_proc_body b;
	set_the_scene();
	must("hold", "bad", NULL, NULL);
	ck_assert(pipeline_until(10000, is_health("bad", BH_HEALTH_HELD) && !pipeline_pid(&pl, "bad")));
	simdesk_must(desk, "expect strip 2 lower \"held\" within 30s");
	/* A person wants it so: all is well. Who asks for this one is told that it does not run. */
	ck_assert_int_eq(tool("status", NULL, NULL, NULL), 0);
	ck_assert_int_eq(tool("status", "bad", NULL, NULL), 3);
	ck_assert_msg(strstr(out, "held") && strstr(out, "hint: bad: bulkhead release bad"), "the status does not say: %s", out);
	ck_assert_int_eq(tool("restart", "bad", NULL, NULL), 1);
	ck_assert_int_eq(pipeline_pid(&pl, "bad"), 0);
	/* What is wanted of it meanwhile waits. */
	simdesk_must(desk, "move 2 0.66 over 0.1s touching; wait hands");
	expect_untouched();
	must("release", "bad", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, is_restarted(bad_pid)), "not released:\n%s", pipeline_log(&pl));
	expect_follows(2, "bad", "ch1/level");

	must("stop", "bad", NULL, NULL);
	ck_assert(pipeline_until(10000, is_health("bad", BH_HEALTH_STOPPED) && !pipeline_pid(&pl, "bad")));
	simdesk_must(desk, "expect strip 2 lower \"stopped\" within 30s");
	expect_untouched();
	must("start", "bad", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, pipeline_is_ok(&pl, "bad")), "not started:\n%s", pipeline_log(&pl));
	ck_assert_int_ne(tool("start", "bad", NULL, NULL), 0);

	pid_t old = pipeline_pid(&pl, "bad");
	must("restart", "bad", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, is_restarted(old)), "not restarted:\n%s", pipeline_log(&pl));
	old = pipeline_pid(&pl, "bad");
	must("kill", "--signal", "ABRT", "bad"); /* a sanitizer would catch SIGSEGV */
	ck_assert_msg(pipeline_until(10000, is_restarted(old)), "not back:\n%s", pipeline_log(&pl));
	ck_assert(pipeline_body(&pl, "bad", &b));
	ck_assert_uint_eq(b.death[0].cause, BH_CAUSE_SIGNAL);
	ck_assert_uint_eq(b.death[0].code, SIGABRT);
	ck_assert_int_eq(tool("stop", "nobody", NULL, NULL), 2);
	ck_assert_int_eq(tool("hold", NULL, NULL, NULL), 2);
	expect_follows(2, "bad", "ch1/level");
	simdesk_must(desk, "expect strip 2 upper \"Bad\" within 30s");
	expect_untouched();
	ck_assert_int_eq(tool("status", NULL, NULL, NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hostile");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 90);
	tcase_add_test(t, a_driver_that_scribbles_over_all_its_memory_harms_nobody_else);
	tcase_add_test(t, a_driver_that_scribbles_under_a_moving_load_harms_nobody_else);
	tcase_add_test(t, a_crash_loop_ends_in_failed_with_a_reason_and_a_hint_and_the_others_go_on);
	tcase_add_test(t, a_driver_that_hangs_on_owed_work_is_ended_as_hung);
	tcase_add_test(t, a_driver_that_spins_is_ended_as_hung);
	tcase_add_test(t, an_idle_driver_is_never_called_hung);
	tcase_add_test(t, a_process_is_held_released_stopped_started_and_restarted_by_the_tool);
	TCase *patient = tcase_create("patient");
	tcase_add_checked_fixture(patient, setup_patient, teardown);
	tcase_set_timeout(patient, 90);
	tcase_add_test(patient, a_stopped_driver_is_shown_and_left_alone_and_goes_on_with_the_newest_value);
	suite_add_tcase(s, t);
	suite_add_tcase(s, patient);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
