/* A game pad in the whole pipeline, from the pad's own events to what the mixer has: bound, pulled
 * and killed. */
#include <check.h>
#include <linux/input.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/lib/pipeline.h"

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces: {pad1: {device: gamepad, kind: pad, path: \"@DIR@/pad.sock\", layout: xbox, "
	"deadzone: 0, gamma: 1}}\n"
	"drivers: {loop: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}}\n"
	"router: {" PIPELINE_PATIENT_PRESSES "}\n"
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      pad1/a: {toggle: loop/ch1/mute}\n"
	"      pad1/rb: {momentary: loop/ch2/mute}\n"
	"      pad1/home: {action: loop/transport, args: [play]}\n"
	"      pad1/axis_lx: loop/ch1/pan\n"
	"      pad1/axis_zr: loop/ch2/level\n";

static struct pipeline pl;
static int listener = -1, wire = -1;

static void
plug(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/pad.sock", pl.dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
}

static void
unplug(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/pad.sock", pl.dir);
	unlink(path);
	bh_close(&listener);
	bh_close(&wire);
}

static void
say(unsigned type, unsigned code, int value)
{
	struct input_event ev = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
	ck_assert_int_eq(send(wire, &ev, sizeof(ev), MSG_NOSIGNAL), (ssize_t)sizeof(ev));
}

static void
frame(unsigned type, unsigned code, int value)
{
	say(type, code, value);
	say(EV_SYN, SYN_REPORT, 0);
}

static bool
is_at(const char *param, double wanted)
{
	double v = pipeline_number(&pl, "loop", param);
	return fabs(v - wanted) < 1e-3;
}

#define expect(param, wanted)                                                                      \
	ck_assert_msg(pipeline_until(10000, is_at(param, wanted)), "%s: %s", param,                \
		      pipeline_log(&pl))

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
	plug();
	pipeline_run(&pl);
	wire = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(wire, 0);
	say(EV_SYN, SYN_REPORT, 0); /* nothing is held */
	ck_assert_msg(pipeline_until(10000, pipeline_all_ok(&pl)), "%s", pipeline_log(&pl));
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	unplug();
	pipeline_clean(&pl);
}

START_TEST(buttons_and_axes_are_bound_like_those_of_a_desk)
{
	expect("ch1/mute", 0);
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_KEY, BTN_SOUTH, 0);
	expect("ch1/mute", 1);
	frame(EV_ABS, ABS_X, 32767);
	expect("ch1/pan", 1);
	frame(EV_ABS, ABS_X, -32768);
	expect("ch1/pan", -1);
	double stopped = pipeline_number(&pl, "loop", "transport");
	frame(EV_KEY, BTN_MODE, 1);
	ck_assert(pipeline_until(10000, pipeline_number(&pl, "loop", "transport") != stopped));
}
END_TEST

START_TEST(unplugging_a_deflected_stick_centres_what_it_is_bound_to)
{
	frame(EV_ABS, ABS_X, 32767);
	frame(EV_KEY, BTN_TR, 1);
	expect("ch1/pan", 1);
	expect("ch2/mute", 1);
	unplug();
	expect("ch1/pan", 0);
	expect("ch2/mute", 0);
	ck_assert(pipeline_until(10000, !pipeline_is_ok(&pl, "pad1")));
	plug();
	wire = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	frame(EV_SYN, SYN_REPORT, 0);
	ck_assert(pipeline_until(10000, pipeline_is_ok(&pl, "pad1")));
	frame(EV_ABS, ABS_X, 32767);
	expect("ch1/pan", 1);
}
END_TEST

START_TEST(a_killed_process_toggles_nothing_again)
{
	frame(EV_ABS, ABS_X, 32767);
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_KEY, BTN_TR, 1);
	expect("ch1/mute", 1);
	expect("ch2/mute", 1);
	pid_t pid = pipeline_pid(&pl, "pad1");
	kill(pid, SIGKILL);
	bh_close(&wire);
	wire = accept4(listener, NULL, NULL, SOCK_CLOEXEC); /* the successor */
	say(EV_KEY, BTN_SOUTH, 1);
	say(EV_ABS, ABS_X, -32768);
	frame(EV_SYN, SYN_REPORT, 0); /* how it stands: RB was let go meanwhile */
	expect("ch2/mute", 0);
	expect("ch1/pan", -1);
	ck_assert_int_ne(pipeline_pid(&pl, "pad1"), pid);
	ck_assert(is_at("ch1/mute", 1));
	frame(EV_KEY, BTN_SOUTH, 0);
	frame(EV_KEY, BTN_SOUTH, 1);
	expect("ch1/mute", 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gamepad");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, buttons_and_axes_are_bound_like_those_of_a_desk);
	tcase_add_test(t, unplugging_a_deflected_stick_centres_what_it_is_bound_to);
	tcase_add_test(t, a_killed_process_toggles_nothing_again);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
