/* The verbs that work on a surface itself, against the real pipeline and the simulated desk. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

static struct pipeline p;
static struct simdesk *desk;
static char out[1 << 18];

static const char yaml[] = "bulkhead: 1\n"
			   "surfaces: { desk: { device: x-touch, transport: socket, path: \"@DIR@/desk.sock\" } }\n"
			   "router: {" PIPELINE_PATIENT_PRESSES "}\n"
			   PIPELINE_PATIENT
			   "drivers: { loop: { kind: loop, channels: 4 } }\n"
			   "pages:\n"
			   "  - name: Mix\n"
			   "    bindings:\n"
			   "      fader1: loop/ch1/level\n"
			   "      mute1: loop/ch1/mute\n"
			   "      vpot1: { relative: loop/ch1/pan, step: 0.1 }\n"
			   "      strip1: { strip: loop/ch1/level, text: Host, color: red }\n"
			   "global:\n"
			   "  bindings:\n"
			   "    f8: { action: loop/mark }\n";

#define tool(...) pipeline_tool(&p, out, sizeof(out), "bulkhead", __VA_ARGS__, NULL)
#define expect(code, ...)                                                                          \
	do {                                                                                       \
		int got_ = tool(__VA_ARGS__);                                                      \
		ck_assert_msg(got_ == (code), "exit %d, not %d:\n%s\n%s", got_, code, out, pipeline_log(&p)); \
	} while (0)

static void
setup(void)
{
	pipeline_prepare(&p, yaml);
	desk = simdesk_start(p.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&p);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&p)), "not all are ok:\n%s", pipeline_log(&p));
	simdesk_must(desk, "wait peer"); /* or what hands do is heard by nobody */
	ck_assert_msg(pipeline_until(10000, tool("version") == 0 && strstr(out, "running")), "bh-control does not answer:\n%s", out);
}

static void
teardown(void)
{
	pipeline_stop(&p);
	simdesk_stop(desk);
	pipeline_clean(&p);
}

static bool
is_json(void)
{
	FILE *f = popen("python3 -m json.tool --json-lines >/dev/null 2>&1", "w");
	ck_assert_ptr_nonnull(f);
	fputs(out, f);
	return pclose(f) == 0;
}

/* ------------------------------------------------------------------ a tool that runs while something is done */

struct running {
	FILE *f;
	pid_t pid;
	size_t len;
};

/* Read on until it has said `word`. */
static void
await(struct running *r, const char *word)
{
	for (int c; !strstr(out, word);) {
		c = fgetc(r->f);
		ck_assert_msg(c != EOF, "it ended before it said \"%s\":\n%s", word, out);
		out[r->len++] = (char)c;
		out[r->len] = '\0';
	}
}

/* Start it, and read until it has said `word` (on either output). */
static void
begin(struct running *r, const char *args, const char *word)
{
	char line[512];
	int ends[2];
	const char *bin = getenv("BH_BIN");
	snprintf(line, sizeof(line), "exec %s/bulkhead %s 2>&1 </dev/null", bin ? bin : "bin", args);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	r->pid = fork();
	ck_assert_int_ge(r->pid, 0);
	if (r->pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	close(ends[1]);
	r->f = fdopen(ends[0], "r");
	r->len = 0;
	ck_assert_ptr_nonnull(r->f);
	out[0] = '\0';
	await(r, word);
}

/* The rest of what it says; its exit code. */
static int
end(struct running *r)
{
	r->len += fread(out + r->len, 1, sizeof(out) - 1 - r->len, r->f);
	out[r->len] = '\0';
	fclose(r->f);
	int status;
	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
interrupt(const struct running *r, int sig)
{
	kill(r->pid, sig);
}

/* All that hands have done has come to the router: what one desk says comes in order. A press that is too old by then is dropped. */
static void
hands_are_heard(void)
{
	double before = pipeline_number(&p, "loop", "ch1/mute");
	bool heard = false;
	for (unsigned i = 0; i < 20 && !heard; i++) {
		simdesk_must(desk, "tap mute1");
		heard = pipeline_until(1000, pipeline_number(&p, "loop", "ch1/mute") != before);
	}
	ck_assert(heard);
}

/* ------------------------------------------------------------------ learn */

#define LEARNS "turn a knob"

START_TEST(learn_tells_what_a_hand_has_moved)
{
	struct running r;
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "move 1 0.5 over 50ms touching");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/fader1: a fader") && strstr(out, "value loop/ch1/level") && strstr(out, "pipeline.yaml:9:"),
		      "%s", out);
	ck_assert_msg(strstr(out, "\n  fader1: loop/"), "%s", out);

	hands_are_heard(); /* or what is left of the last gesture is learnt */
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "tap mute3");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/mute3: a button, pressed") && strstr(out, "on page 1 (Mix) not bound"), "%s", out);
	/* A switch that nothing on the page has yet, of the same strip. */
	ck_assert_msg(strstr(out, "mute3: loop/ch3/"), "%s", out);

	hands_are_heard(); /* or what is left of the last gesture is learnt */
	begin(&r, "learn desk", LEARNS);
	simdesk_must(desk, "turn 2 3");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/vpot2: a vpot, turned") && strstr(out, "vpot2: { relative: loop/ch2/pan, step: "), "%s", out);

	hands_are_heard(); /* or what is left of the last gesture is learnt */
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "tap f8");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "action loop/mark (global)") && strstr(out, "pipeline.yaml:15:"), "%s", out);
}
END_TEST

START_TEST(the_line_that_learn_gives_is_one_that_checks)
{
	char path[128], text[2048], *line;
	struct running r;
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "turn 3 1");
	ck_assert_msg(end(&r) == 0, "%s", out);
	line = strstr(out, "vpot3: {");
	ck_assert_msg(line != NULL, "%s", out);
	snprintf(text, sizeof(text), "bulkhead: 1\nsurfaces:\n  desk: { device: x-touch }\ndrivers:\n  loop: { kind: loop, channels: 4 }\n"
				     "pages:\n  - name: Mix\n    bindings:\n      %s", line);
	snprintf(path, sizeof(path), "%s/pasted.yaml", p.dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	expect(0, "check", path);
}
END_TEST

START_TEST(learn_without_end_tells_each_once_and_gives_up_in_time)
{
	struct running r;
	expect(1, "learn", "--timeout", "50ms");
	ck_assert_msg(strstr(out, "no hand has moved anything"), "%s", out);
	expect(2, "learn", "dsk", "--timeout", "1");
	ck_assert_msg(strstr(out, "did you mean \"desk\""), "%s", out);
	expect(2, "learn", "--timeout", "soon");
	begin(&r, "learn --all", LEARNS);
	simdesk_must(desk, "move 2 0.5 over 50ms touching; tap solo1; tap solo1; turn 4 -2");
	await(&r, "desk/vpot4");
	interrupt(&r, SIGINT);
	ck_assert_msg(end(&r) == 0, "%s", out);
	const char *fader = strstr(out, "desk/fader2"), *solo = strstr(out, "desk/solo1"), *vpot = strstr(out, "desk/vpot4");
	ck_assert_msg(fader && solo && vpot && fader < solo && solo < vpot, "%s", out);
	ck_assert_msg(!strstr(solo + 1, "desk/solo1"), "%s", out);
	expect(1, "learn", "--json", "--timeout", "50ms");
	ck_assert_msg(is_json(), "%s", out);
}
END_TEST

static void
set_level(const char *text, double db)
{
	expect(0, "set", "loop/ch1/level", text);
	ck_assert_msg(pipeline_until(10000, pipeline_number(&p, "loop", "ch1/level") == db), "%g", pipeline_number(&p, "loop", "ch1/level"));
}

/* ------------------------------------------------------------------ sync and emit */

START_TEST(sync_repairs_what_was_emitted)
{
	unsigned long bytes;
	simdesk_must(desk, "expect strip 1 upper \"Host\" within 30s");
	/* Where nothing is bound, and once everything stands there: so that nobody repairs it before we ask. */
	expect(0, "sync", "desk");
	expect(0, "emit", "desk", "90", "12", "7f", "f000006614121c585858f7");
	simdesk_must(desk, "set within 30s; expect led mute3 on; expect strip 5 upper \"XXX\"");
	expect(0, "sync", "desk");
	ck_assert_msg(sscanf(out, "desk: %lu bytes", &bytes) == 1 && bytes > 300, "%s", out);
	simdesk_must(desk, "expect led mute3 off; expect strip 5 upper \"\"");
	expect(0, "sync");
	ck_assert_msg(strstr(out, "loop: ") && strstr(out, "parameters reported") && strstr(out, "desk: "), "%s", out);
	expect(0, "sync", "loop");
	ck_assert_msg(!strstr(out, "desk"), "%s", out);
	expect(2, "sync", "router");
	expect(2, "sync", "dsk");
	ck_assert_msg(strstr(out, "did you mean \"desk\""), "%s", out);
	expect(0, "sync", "--json");
	ck_assert_msg(is_json(), "%s", out);
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), 0);
}
END_TEST

START_TEST(a_sync_moves_no_fader_and_no_value)
{
	struct bh_cell_body want;
	set_level("-6dB", -6);
	simdesk_must(desk, "move 1 0.6 over 50ms touching; expect target 1 0.6 within 30s; wait motors");
	hands_are_heard();
	ck_assert(pipeline_until(5000, pipeline_wanted(&p, "loop", "ch1/level", &want) == 1 && want.v.f != -6 &&
					       pipeline_number(&p, "loop", "ch1/level") == want.v.f));
	double level = want.v.f;
	int pos = simdesk_pos(desk, 1);
	simdesk_must(desk, "touch 1");
	for (unsigned i = 0; i < 3; i++)
		expect(0, "sync");
	simdesk_must(desk, "release 1; wait motors");
	ck_assert_double_eq(pipeline_number(&p, "loop", "ch1/level"), level);
	ck_assert_int_le(abs(simdesk_pos(desk, 1) - pos), 4);
	ck_assert_uint_eq(simdesk_counter(desk, "touched_writes"), 0);
	ck_assert_uint_eq(simdesk_counter(desk, "ran_back"), 0);
}
END_TEST

START_TEST(emit_shows_what_the_device_answers_and_refuses_what_is_no_message)
{
	struct running r;
	begin(&r, "emit desk f0 00 00 66 14 13 00 f7 --watch 60000", "firmware V");
	ck_assert_msg(strstr(out, "desk: 8 bytes"), "%s", out);
	interrupt(&r, SIGTERM);
	end(&r);
	begin(&r, "emit desk 90 12 7f --watch 60000 --json", "ok\":true");
	simdesk_must(desk, "tap mute2");
	await(&r, "button mute2 released (note 17)\"}");
	interrupt(&r, SIGTERM);
	end(&r);
	ck_assert_msg(strstr(out, "\"90 11 7f\"") && strstr(out, "button mute2 pressed") && is_json(), "%s", out);
	expect(0, "emit", "desk", "90127f", "--watch", "10");

	expect(2, "emit", "desk", "90", "12");
	ck_assert_msg(strstr(out, "after byte 2"), "%s", out);
	expect(2, "emit", "desk", "90", "12", "90");
	ck_assert_msg(strstr(out, "byte 3 (90)"), "%s", out);
	expect(2, "emit", "desk", "9012zz");
	expect(2, "emit", "loop", "90127f");
	expect(2, "emit", "loop", "90127f", "--watch", "10");
	expect(2, "emit", "dsk", "90127f");
	simdesk_must(desk, "touch 3");
	ck_assert_msg(pipeline_until(5000, tool("emit", "desk", "e2", "00", "00") == 1), "%s", out);
	ck_assert_msg(strstr(out, "a hand is on fader3"), "%s", out);
	simdesk_must(desk, "release 3");
	ck_assert_uint_eq(simdesk_counter(desk, "touched_writes"), 0);
	expect(0, "status"); /* and nobody is the worse for it */
	simdesk_must(desk, "unplug");
	ck_assert_msg(pipeline_until(10000, tool("emit", "desk", "90127f") == 4), "%s", out);
	ck_assert_msg(strstr(out, "the device is not there"), "%s", out);
	expect(4, "sync", "desk");
	simdesk_must(desk, "plug");
	ck_assert_msg(pipeline_until(20000, tool("sync", "desk") == 0), "%s", out);
	expect(0, "stop", "desk");
	ck_assert_msg(pipeline_until(10000, tool("emit", "desk", "90127f") == 4), "%s", out);
}
END_TEST

/* ------------------------------------------------------------------ calibrate */

/* As often as is asked for, and not once more: with the last one it ends, and hands mean something again. */
static void
push_all(void)
{
	/* Of a move, all that is sure to be reported is where it ends: so first to where no end is. */
	for (unsigned f = 1; f <= 9; f++)
		simdesk_must(desk, "move %u 0.6 over 30ms touching", f);
	for (unsigned k = 0; k < 3; k++)
		for (unsigned f = 1; f <= 9; f++)
			simdesk_must(desk, "move %u 1.0 over 30ms touching; move %u 0 over 30ms touching", f, f);
}

START_TEST(a_desk_whose_faders_go_less_far_is_calibrated)
{
	struct running r;
	char path[128];
	snprintf(path, sizeof(path), "%s/state/desk.calibration", p.dir);
	/* Motors that are there at once: one that is still on its way when it is taken for still, as on a busy machine, looks like a hand. */
	simdesk_must(desk, "set travel 12 15935; set report on; set settle instant; move 1 1.0 over 50ms touching");
	/* Before: the top is no top. */
	ck_assert(pipeline_until(5000, pipeline_number(&p, "loop", "ch1/level") > 5));
	hands_are_heard();
	ck_assert_double_lt(pipeline_number(&p, "loop", "ch1/level"), 10);
	set_level("-6dB", -6);

	begin(&r, "calibrate desk --timeout 60", "three times");
	push_all();
	ck_assert_msg(end(&r) == 0, "%s", out);
	const char *table = strstr(out, "FADER");
	ck_assert_msg(table && strstr(table, "fader1            12   15935  measured") && strstr(table, "fader_main        12   15935"), "%s", out);
	ck_assert_msg(!strstr(table, "configured") && !strstr(table, "missed") && strstr(table, "reached"), "%s", table);
	/* Hands moved nothing meanwhile. */
	ck_assert_double_eq(pipeline_number(&p, "loop", "ch1/level"), -6);
	ck_assert_int_eq(access(path, R_OK), 0);

	/* Both directions, at once. */
	simdesk_must(desk, "wait motors; move 1 1.0 over 50ms touching");
	ck_assert(pipeline_until(10000, pipeline_number(&p, "loop", "ch1/level") == 10));
	simdesk_must(desk, "move 1 0 over 50ms touching");
	ck_assert(pipeline_until(10000, pipeline_number(&p, "loop", "ch1/level") == -90));
	hands_are_heard();
	set_level("10dB", 10);
	simdesk_must(desk, "expect target 1 15935 within 30s");
	set_level("-inf", -90);
	simdesk_must(desk, "expect target 1 12 within 30s");

	/* And in the next life. */
	pid_t before = pipeline_pid(&p, "desk");
	expect(0, "restart", "desk");
	ck_assert(pipeline_until(10000, pipeline_pid(&p, "desk") != before && pipeline_is_ok(&p, "desk")));
	hands_are_heard(); /* what is set before it is up counts as where the hand left it */
	set_level("10dB", 10);
	simdesk_must(desk, "expect target 1 15935 within 30s");
	expect(0, "calibrate", "desk", "--show");
	ck_assert_msg(strstr(out, "fader9") == NULL && strstr(out, "measured") && !strstr(out, "configured"), "%s", out);
	expect(0, "calibrate", "desk", "--reset", "--json");
	ck_assert_msg(is_json() && strstr(out, "\"max\":16380") && !strstr(out, "measured"), "%s", out);
	ck_assert_int_lt(access(path, R_OK), 0);
	simdesk_must(desk, "expect target 1 16380 within 30s");
}
END_TEST

START_TEST(a_calibration_that_is_left_changes_nothing)
{
	struct running r;
	set_level("-6dB", -6);
	/* In time, but no fader was pushed. */
	expect(1, "calibrate", "desk", "--batch", "--timeout", "300ms");
	ck_assert_msg(strstr(out, "no fader"), "%s", out);
	/* Ctrl-C. */
	begin(&r, "calibrate desk", "three times");
	expect(1, "calibrate", "desk", "--batch");
	ck_assert_msg(strstr(out, "under way"), "%s", out);
	simdesk_must(desk, "move 1 1.0 over 50ms touching");
	hands_are_heard();
	ck_assert_double_eq(pipeline_number(&p, "loop", "ch1/level"), -6);
	/* The tool dies without a word: another may begin once the first is cancelled, here by the desk's restart. */
	interrupt(&r, SIGKILL);
	ck_assert_int_eq(end(&r), 128 + SIGKILL);
	pid_t before = pipeline_pid(&p, "desk");
	expect(0, "restart", "desk");
	ck_assert(pipeline_until(10000, pipeline_pid(&p, "desk") != before && pipeline_is_ok(&p, "desk")));
	simdesk_must(desk, "move 1 0.5 over 50ms touching");
	ck_assert(pipeline_until(5000, pipeline_number(&p, "loop", "ch1/level") != -6));
	expect(2, "calibrate", "loop", "--show");
	expect(0, "calibrate", "desk", "--show", "--json");
	ck_assert_msg(is_json() && !strstr(out, "measured"), "%s", out);
}
END_TEST

START_TEST(a_damaged_calibration_is_told_and_not_used)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/state/desk.calibration", p.dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("# bulkhead calibration 1\n0 15935 12\n", f);
	fclose(f);
	pid_t before = pipeline_pid(&p, "desk");
	expect(0, "restart", "desk");
	ck_assert(pipeline_until(10000, pipeline_pid(&p, "desk") != before && pipeline_is_ok(&p, "desk")));
	expect(0, "calibrate", "desk", "--show");
	ck_assert_msg(!strstr(out, "measured"), "%s", out);
	ck_assert_msg(strstr(pipeline_log_text(&p), "calibration in the state folder cannot be used"), "%s", pipeline_log(&p));
}
END_TEST

START_TEST(without_a_pipeline_they_say_so_by_four)
{
	static const char *const lines[][4] = {{"learn", NULL}, {"sync", NULL}, {"sync", "desk"}, {"emit", "desk", "90127f"},
					       {"calibrate", "desk"}, {"calibrate", "desk", "--show"}};
	pipeline_prepare(&p, yaml);
	for (unsigned i = 0; i < BH_ARRAY_LEN(lines); i++) {
		int got = pipeline_tool(&p, out, sizeof(out), "bulkhead", lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL);
		ck_assert_msg(got == 4, "%s: exit %d: %s", lines[i][0], got, out);
	}
	pipeline_clean(&p);
}
END_TEST

/* ------------------------------------------------------------------ upgrade */

START_TEST(restart_with_upgrade_goes_over_to_the_program_on_the_disk)
{
	pid_t loop = pipeline_pid(&p, "loop"), router = pipeline_pid(&p, "router"), supervisor = pipeline_pid(&p, "supervisor");
	ck_assert_msg(pipeline_until(20000, tool("restart", "--upgrade", "loop") == 0), "%s\n%s", out, pipeline_log(&p));
	ck_assert(pipeline_until(20000, pipeline_is_ok(&p, "loop") && pipeline_pid(&p, "loop") != loop));
	ck_assert_int_eq(pipeline_pid(&p, "router"), router);
	ck_assert_msg(pipeline_until(20000, tool("restart", "--upgrade", "supervisor") == 0), "%s\n%s", out, pipeline_log(&p));
	ck_assert(pipeline_until(20000, pipeline_pid(&p, "supervisor") > 0 && pipeline_pid(&p, "supervisor") != supervisor));
	ck_assert_int_eq(pipeline_pid(&p, "router"), router);
	expect(2, "stop", "--upgrade", "loop");
}
END_TEST

/* ------------------------------------------------------------------ doctor */

START_TEST(doctor_tells_what_is_granted_with_and_without_a_pipeline)
{
	pipeline_prepare(&p, yaml);
	int code = pipeline_tool(&p, out, sizeof(out), "bulkhead", "doctor", NULL);
	ck_assert_msg(code == 0 || code == 3, "%d\n%s", code, out); /* this machine may have much to be told of */
	ck_assert_msg(strstr(out, "real-time") && strstr(out, "nothing runs"), "%s", out);
	code = pipeline_tool(&p, out, sizeof(out), "bulkhead", "doctor", "--json", NULL);
	ck_assert_msg((code == 0 || code == 3) && is_json(), "%s", out);
	pipeline_run(&p);
	ck_assert(pipeline_until(20000, pipeline_tool(&p, out, sizeof(out), "bulkhead", "doctor", NULL) >= 0 &&
						strstr(out, "ok     spares")));
	pipeline_stop(&p);
	pipeline_clean(&p);
}
END_TEST

/* ------------------------------------------------------------------ setup */

#define NO_PORTS "obs=0,qlcplus=0,mqtt=0"

START_TEST(setup_writes_a_configuration_that_checks_and_runs)
{
	char path[128], secret[200];
	struct stat st;
	pipeline_prepare(&p, yaml);
	setenv("BULKHEAD_ASOUND", "/nowhere", 1);
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(path, sizeof(path), "%s/new/folder/bulkhead.yaml", p.dir);
	expect(0, "setup", "-o", path, "--ports", NO_PORTS);
	ck_assert_msg(strstr(out, "simulated desk"), "%s", out);
	expect(0, "check", path);
	ck_assert_int_eq(stat(path, &st), 0);
	/* Never over what is there. */
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("mine\n", f);
	fclose(f);
	expect(1, "setup", "-o", path, "--ports", NO_PORTS);
	ck_assert_msg(strstr(out, "is there already") && strstr(out, "--force"), "%s", out);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(secret, sizeof(secret), f));
	fclose(f);
	ck_assert_str_eq(secret, "mine\n");
	expect(0, "setup", "-o", path, "--force", "--json", "--ports", NO_PORTS);
	ck_assert_msg(is_json(), "%s", out);
	expect(0, "check", path);
	expect(2, "setup", "--ports", "obs=many");
	expect(1, "setup", "-o", "/proc/nothing/here.yaml", "--ports", NO_PORTS);
	/* Nothing is left beside it. */
	snprintf(secret, sizeof(secret), "ls %s/new/folder | wc -l | grep -qx 1", p.dir);
	ck_assert_int_eq(system(secret), 0);
	pipeline_clean(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("verbs");
	TCase *none = tcase_create("no pipeline"), *t = tcase_create("pipeline");
	tcase_set_timeout(none, 60);
	tcase_add_test(none, doctor_tells_what_is_granted_with_and_without_a_pipeline);
	tcase_add_test(none, setup_writes_a_configuration_that_checks_and_runs);
	tcase_add_test(none, without_a_pipeline_they_say_so_by_four);
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, restart_with_upgrade_goes_over_to_the_program_on_the_disk);
	tcase_add_test(t, learn_tells_what_a_hand_has_moved);
	tcase_add_test(t, the_line_that_learn_gives_is_one_that_checks);
	tcase_add_test(t, sync_repairs_what_was_emitted);
	tcase_add_test(t, a_sync_moves_no_fader_and_no_value);
	tcase_add_test(t, emit_shows_what_the_device_answers_and_refuses_what_is_no_message);
	tcase_add_test(t, a_desk_whose_faders_go_less_far_is_calibrated);
	tcase_add_test(t, a_calibration_that_is_left_changes_nothing);
	tcase_add_test(t, a_damaged_calibration_is_told_and_not_used);
	tcase_add_test(t, learn_without_end_tells_each_once_and_gives_up_in_time);
	suite_add_tcase(s, none);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
