/* `bulkhead` against the real pipeline: exit codes, JSON that is JSON, and reading while this or that is down. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "common/wire/msg.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

static struct pipeline p;
static struct simdesk *desk;
static char out[1 << 20];

static const char yaml[] = "bulkhead: 1\n"
			   "router: {" PIPELINE_PATIENT_PRESSES "}\n"
			   "surfaces: { desk: { device: x-touch, transport: socket, path: \"@DIR@/desk.sock\" } }\n"
			   "drivers:\n"
			   "  loop: { kind: loop, channels: 4, " PIPELINE_PATIENT_DRIVER " }\n"
			   PIPELINE_PATIENT
			   "pages:\n"
			   "  - name: Mix\n"
			   "    bindings:\n"
			   "      fader1: loop/ch1/level\n"
			   "      mute1: loop/ch1/mute\n"
			   "      vpot1: { relative: loop/ch1/pan, step: 0.1 }\n"
			   "  - name: Scenes\n"
			   "    bindings:\n"
			   "      select1: { action: loop/scene, args: [Opening] }\n"
			   "      select2: { action: loop/scene, args: [Nowhere] }\n";

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
	ck_assert_msg(pipeline_until(5000, tool("version") == 0 && strstr(out, "running")), "bh-control does not answer:\n%s", out);
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

static double
reported(const char *param)
{
	return pipeline_number(&p, "loop", param);
}

/* ------------------------------------------------------------------ without a pipeline */

START_TEST(without_a_pipeline_it_says_so_by_four)
{
	static const char *const lines[][3] = {{"status", NULL, NULL}, {"pages", NULL, NULL}, {"params", NULL, NULL},
					       {"get", "loop/x", NULL}, {"set", "loop/x", "1"}, {"page", "next", NULL},
					       {"restart", "loop", NULL}, {"monitor", "--once", NULL}, {"trace", "loop", "--once"}};
	pipeline_prepare(&p, yaml);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int got = pipeline_tool(&p, out, sizeof(out), "bulkhead", lines[i][0], lines[i][1], lines[i][2], NULL);
		ck_assert_msg(got == 4, "%s: exit %d: %s", lines[i][0], got, out);
	}
	expect(4, "status", "--json");
	ck_assert_msg(is_json(), "%s", out);
	pipeline_clean(&p);
}
END_TEST

START_TEST(a_wrong_configuration_is_five_and_is_not_run)
{
	char path[128];
	pipeline_prepare(&p, "bulkhead: 1\ndrivers:\n  loop: { kind: lop }\n");
	snprintf(path, sizeof(path), "%s/pipeline.yaml", p.dir);
	expect(5, "check", path);
	ck_assert_msg(strstr(out, "pipeline.yaml:3:") && strstr(out, "loop"), "%s", out);
	expect(5, "check", "--json", path);
	ck_assert_msg(is_json() && strstr(out, "pipeline.yaml:3:"), "%s", out);
	expect(5, "run", "-c", path);
	expect(5, "check", "/nowhere.yaml");
	expect(4, "status");
	pipeline_clean(&p);
}
END_TEST

START_TEST(a_right_configuration_is_zero)
{
	char path[128];
	pipeline_prepare(&p, yaml);
	snprintf(path, sizeof(path), "%s/pipeline.yaml", p.dir);
	expect(0, "check", path);
	pipeline_clean(&p);
}
END_TEST

/* ------------------------------------------------------------------ with one */

START_TEST(status_is_zero_when_all_are_well)
{
	expect(0, "status");
	ck_assert_msg(strstr(out, "loop") && strstr(out, "router") && strstr(out, "ok"), "%s", out);
	expect(0, "status", "loop");
	expect(2, "status", "lop");
	ck_assert_msg(strstr(out, "did you mean \"loop\""), "%s", out);
}
END_TEST

START_TEST(a_start_counts_no_faults_of_peers)
{
	static const char *const names[] = {"router", "control", "store", "desk", "loop"};
	ck_assert_msg(pipeline_until(5000, tool("status", "desk") == 0 && strstr(out, "bytes_out")), "nothing is shown:\n%s", out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		expect(0, "status", names[i]);
		ck_assert_msg(!strstr(out, "peer_faults"), "%s", out);
	}
}
END_TEST

START_TEST(every_verb_that_reads_prints_json)
{
	static const char *const lines[][4] = {
		{"status", "--json"}, {"status", "loop", "--json"}, {"pages", "--json"}, {"params", "--json"}, {"params", "loop/ch1/*", "--json"},
		{"get", "loop/scene", "--json"}, {"names", "controls", "--json"}, {"version", "--json"}, {"trace", "router", "--json", "--once"},
		{"monitor", "--json", "--once", "--last=20"}};
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int got = pipeline_tool(&p, out, sizeof(out), "bulkhead", lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL);
		ck_assert_msg(got == 0, "%s: exit %d: %s", lines[i][0], got, out);
		ck_assert_msg(is_json(), "%s: %s", lines[i][0], out);
	}
	expect(2, "get", "loop/ch1/levle", "--json");
	ck_assert_msg(is_json() && strstr(out, "loop/ch1/level"), "%s", out);
}
END_TEST

/* A name that its driver does not have: with its place, what was meant, and on its strip; gone once the driver has it. */
START_TEST(status_names_what_is_bound_to_nothing)
{
	expect(0, "status");
	ck_assert_msg(!strstr(out, "note: loop"), "%s", out);
	char other[2048];
	const char *at = strstr(yaml, "loop/ch1/mute");
	snprintf(other, sizeof(other), "%.*sloop/ch1/mutte\n      strip2: loop/ch9/level\n      mute2: { light: [{ when: loop/nothing/like/it }] }%s",
		 (int)(at - yaml), yaml, at + strlen("loop/ch1/mute"));
	pipeline_config(&p, other);
	expect(0, "reload");
	ck_assert_msg(pipeline_until(10000, tool("status") == 0 && strstr(out, "note: loop: the configuration names 3 parameters that it does not have:")),
		      "%s", out);
	ck_assert_msg(strstr(out, "  ch1/mutte (") && strstr(out, "pipeline.yaml:11:7); did you mean \"ch1/mute\"?"), "%s", out);
	ck_assert_msg(strstr(out, "  ch9/level (") && strstr(out, "pipeline.yaml:12:7); did you mean \"ch1/level\"?"), "%s", out);
	ck_assert_msg(strstr(out, "  nothing/like/it (") && !strstr(out, "and 1 more"), "%s", out);
	expect(0, "status", "loop", "--json");
	ck_assert_msg(is_json() && strstr(out, "\"missing\":3"), "%s", out);
	simdesk_must(desk, "expect strip 2 lower \"missing\" within 10s");
	pipeline_config(&p, yaml);
	expect(0, "reload");
	ck_assert_msg(pipeline_until(10000, tool("status") == 0 && !strstr(out, "note: loop")), "%s", out);
}
END_TEST

/* No page shows the meter: it is sent while the tool looks, and no longer. */
START_TEST(a_level_comes_while_the_tool_looks)
{
	struct bh_cell_body c;
	ck_assert_int_eq(pipeline_reported(&p, "loop", "ch1/meter", &c), 0);
	ck_assert_msg(pipeline_until(10000, tool("get", "loop/ch1/meter") == 0 && strstr(out, "loop/ch1/meter") && !strstr(out, "not known") &&
					     pipeline_wanted(&p, "loop", "ch1/meter", &c) == 1 && c.v.f == 1), "%s", out);
	ck_assert_int_eq(pipeline_wanted(&p, "loop", "ch2/meter", &c), 0);
	ck_assert(pipeline_until(30000, pipeline_wanted(&p, "loop", "ch1/meter", &c) == 1 && c.v.f == 0));
	ck_assert(pipeline_until(10000, tool("params", "loop/*/meter") == 0 && pipeline_wanted(&p, "loop", "ch4/meter", &c) == 1 && c.v.f == 1));
}
END_TEST

START_TEST(a_parameter_is_set_as_people_write_it)
{
	expect(0, "set", "loop/ch1/level", "-6dB");
	ck_assert_msg(pipeline_until(3000, fabs(reported("ch1/level") + 6) < 0.01), "level is %g", reported("ch1/level"));
	ck_assert_msg(pipeline_until(3000, tool("get", "loop/ch1/level") == 0 && strstr(out, "-6.0 dB") && !strstr(out, "not confirmed")),
		      "%s", out);
	expect(0, "set", "loop/ch1/mute", "on");
	ck_assert(pipeline_until(3000, reported("ch1/mute") == 1));
	expect(2, "set", "loop/ch1/level", "50dB");
	expect(2, "set", "loop/ch1/mute", "perhaps");
	expect(2, "set", "loop/ch1/meter", "-6dB");
	expect(2, "set", "loop/nothing", "1");
}
END_TEST

START_TEST(controls_are_moved_as_by_a_hand)
{
	expect(0, "move", "fader1", "0%");
	ck_assert_msg(pipeline_until(3000, reported("ch1/level") < -60), "level is %g", reported("ch1/level"));
	double before = reported("ch1/mute");
	expect(0, "press", "desk/mute1");
	ck_assert(pipeline_until(3000, reported("ch1/mute") == 1 - before));
	double pan = reported("ch1/pan");
	expect(0, "turn", "vpot1", "-3");
	ck_assert_msg(pipeline_until(3000, fabs(reported("ch1/pan") - (pan - 0.3)) < 0.01), "pan is %g", reported("ch1/pan"));
	expect(2, "press", "fader1");
	expect(2, "move", "fader1", "2");
	expect(2, "turn", "vopt1");
	ck_assert_msg(strstr(out, "vpot1"), "%s", out);
}
END_TEST

START_TEST(pages_are_turned_and_the_one_shown_is_marked)
{
	expect(0, "page", "Scenes");
	ck_assert_msg(pipeline_until(3000, tool("pages") == 0 && strstr(out, "*   2")), "%s", out);
	expect(0, "page", "next");
	ck_assert_msg(pipeline_until(3000, tool("pages") == 0 && strstr(out, "*   1")), "%s", out);
	expect(0, "do", "page/go", "Scenes");
	ck_assert_msg(pipeline_until(3000, tool("pages") == 0 && strstr(out, "*   2")), "%s", out);
	/* The page is a parameter of the room's. */
	expect(0, "get", "room/page");
	ck_assert_msg(strstr(out, "Scenes"), "%s", out);
	expect(0, "set", "room/page", "Mix");
	ck_assert_msg(pipeline_until(3000, tool("pages") == 0 && strstr(out, "*   1")), "%s", out);
	expect(0, "params", "room/*");
	ck_assert_msg(strstr(out, "room/page") && strstr(out, "room/quiet") && !strstr(out, "room/run"), "%s", out);
	expect(0, "page", "back", "--surface", "desk");
	ck_assert_msg(pipeline_until(3000, tool("pages") == 0 && strstr(out, "*   2")), "%s", out);
	expect(2, "page", "next", "--surface", "loop");
	expect(2, "page", "Scense");
	ck_assert_msg(strstr(out, "Scenes"), "%s", out);
}
END_TEST

START_TEST(a_control_is_explained_with_its_binding_its_values_and_why)
{
	expect(0, "set", "loop/ch1/level", "-6dB");
	ck_assert(pipeline_until(5000, fabs(reported("ch1/level") + 6) < 0.01));
	ck_assert(pipeline_until(5000, tool("explain", "fader1") == 0 && strstr(out, "it shows what loop/ch1/level is")));
	ck_assert_msg(strstr(out, "desk/fader1: a fader on page 1 (Mix)") && strstr(out, "value loop/ch1/level") &&
			      strstr(out, "pipeline.yaml:10:7") && strstr(out, "by a request") && strstr(out, "reported  -6.0 dB"),
		      "%s", out);
	/* Another page, where it has nothing. */
	expect(0, "page", "Scenes");
	ck_assert(pipeline_until(5000, tool("explain", "desk/fader1") == 0 && strstr(out, "nothing is bound to it on this page")));
	expect(0, "explain", "--json", "select1");
	ck_assert(is_json());
	ck_assert_ptr_nonnull(strstr(out, "\"line\":15"));
	expect(2, "explain", "fader99");
	ck_assert_ptr_nonnull(strstr(out, "fader"));
	/* A hand, and a driver that is away. */
	expect(0, "page", "Mix");
	expect(0, "stop", "loop");
	simdesk_must(desk, "touch 1");
	ck_assert(pipeline_until(5000, tool("explain", "fader1") == 0 && strstr(out, "a hand is on it") && strstr(out, "loop is not in service")));
	/* Nobody need answer. */
	kill(pipeline_pid(&p, "control"), SIGSTOP);
	expect(0, "explain", "fader1");
	kill(pipeline_pid(&p, "control"), SIGCONT);
}
END_TEST

START_TEST(what_a_driver_refused_is_told_with_the_control_that_asked)
{
	expect(0, "page", "Scenes");
	simdesk_must(desk, "tap select2; wait hands");
	ck_assert(pipeline_until(5000, tool("explain", "select2") == 0 && strstr(out, "there is no scene \"Nowhere\"")));
	ck_assert_msg(strstr(out, "loop/scene was not done") != NULL, "%s", out);
	ck_assert_ptr_nonnull(strstr(pipeline_log_text(&p), "desk/select2: scene was not done: there is no scene \"Nowhere\""));
	expect(0, "explain", "select1");
	ck_assert_ptr_null(strstr(out, "was not done"));
	expect(0, "monitor", "--once", "--last", "500");
	ck_assert_ptr_nonnull(strstr(out, "loop/scene was not done: there is no scene \"Nowhere\""));
}
END_TEST

START_TEST(latency_tells_how_long_a_hand_takes_to_arrive)
{
	simdesk_must(desk, "move 1 0.6 over 0.2s touching; wait hands");
	ck_assert(pipeline_until(5000, tool("latency", "--json") == 0 && strstr(out, "\"hand to driver\"") && strstr(out, "\"hand to router\"")));
	ck_assert(is_json());
	ck_assert(pipeline_until(5000, tool("latency", "loop") == 0 && strstr(out, "hand to driver") && !strstr(out, "hand to router")));
	/* From now on: nothing happens. */
	expect(0, "latency", "loop", "--json", "--timeout", "0.1");
	ck_assert_msg(strstr(out, "\"count\":0") != NULL, "%s", out);
	expect(2, "latency", "nobody");
}
END_TEST

START_TEST(an_action_is_done)
{
	double before = reported("ledger/actions");
	expect(0, "do", "loop/mark");
	ck_assert_msg(pipeline_until(3000, reported("ledger/actions") == before + 1), "%g", reported("ledger/actions"));
	expect(2, "do", "loop/mrk");
	expect(2, "do", "loop/scene");
}
END_TEST

START_TEST(monitor_and_trace_tell_what_happened)
{
	expect(0, "set", "loop/ch2/level", "-12dB");
	ck_assert(pipeline_until(3000, fabs(reported("ch2/level") + 12) < 0.01));
	expect(0, "monitor", "--once", "--last", "200");
	ck_assert_msg(strstr(out, "loop/ch2/level is to be -12.0 dB") && strstr(out, "loop/ch2/level is -12.0 dB"), "%s", out);
	expect(0, "trace", "loop", "--once", "--last", "200");
	ck_assert_msg(strstr(out, "router>loop") && strstr(out, "loop>router") && strstr(out, "loop/ch2/level"), "%s", out);
}
END_TEST

START_TEST(a_process_is_stopped_started_held_and_released)
{
	expect(0, "stop", "loop");
	ck_assert(pipeline_until(5000, !pipeline_is_ok(&p, "loop")));
	ck_assert_msg(pipeline_until(5000, tool("status", "loop") == 3 && strstr(out, "stopped")), "%s", out);
	expect(0, "status");
	expect(0, "start", "loop");
	ck_assert_msg(pipeline_until(5000, tool("status", "loop") == 0), "%s", out);
	expect(0, "hold", "loop");
	ck_assert_msg(pipeline_until(5000, tool("status", "loop") == 3 && strstr(out, "held")), "%s", out);
	expect(0, "release", "loop");
	ck_assert_msg(pipeline_until(5000, tool("status", "loop") == 0), "%s", out);
	pid_t before = pipeline_pid(&p, "loop");
	expect(0, "restart", "loop");
	ck_assert(pipeline_until(5000, pipeline_is_ok(&p, "loop") && pipeline_pid(&p, "loop") != before));
	before = pipeline_pid(&p, "loop");
	expect(0, "kill", "--signal", "ABRT", "loop"); /* a sanitizer would catch SIGSEGV */
	ck_assert(pipeline_until(5000, pipeline_is_ok(&p, "loop") && pipeline_pid(&p, "loop") != before));
	expect(0, "status", "loop");
	ck_assert_msg(strstr(out, "signal 6"), "%s", out);
	expect(2, "kill", "--signal", "BOOM", "loop");
}
END_TEST

START_TEST(status_works_while_bh_control_does_not_answer)
{
	pid_t control = pipeline_pid(&p, "control");
	kill(control, SIGSTOP);
	unsetenv("BULKHEAD_PATIENCE"); /* there is nothing to wait for */
	expect(3, "status");
	ck_assert_msg(strstr(out, "bh-control does not answer") && strstr(out, "loop"), "%s", out);
	expect(3, "status", "--json");
	ck_assert_msg(is_json(), "%s", out);
	/* Not only status reads on. */
	expect(0, "get", "loop/ch1/level");
	setenv("BULKHEAD_PATIENCE", "8", 1);
	kill(control, SIGCONT);
	ck_assert_msg(pipeline_until(5000, tool("status") == 0), "%s", out);
}
END_TEST

START_TEST(kill_9_of_bh_control_is_noticed_by_nobody)
{
	pid_t router = pipeline_pid(&p, "router"), loop = pipeline_pid(&p, "loop");
	for (unsigned i = 0; i < 4; i++) { /* the fifth death within the window is for good */
		pid_t control = pipeline_pid(&p, "control");
		kill(control, SIGKILL);
		int r = tool("status");
		ck_assert_msg(r == 0 || r == 3, "exit %d: %s", r, out);
		/* An act waits for the successor. */
		char level[16];
		snprintf(level, sizeof(level), "-%udB", 20 + i);
		expect(0, "set", "loop/ch3/level", level);
		ck_assert(pipeline_until(3000, fabs(reported("ch3/level") + 20 + i) < 0.01));
		ck_assert(pipeline_until(5000, pipeline_is_ok(&p, "control") && pipeline_pid(&p, "control") != control));
	}
	ck_assert_int_eq(pipeline_pid(&p, "router"), router);
	ck_assert_int_eq(pipeline_pid(&p, "loop"), loop);
}
END_TEST

START_TEST(a_bh_control_that_has_failed_is_released_all_the_same)
{
	for (unsigned i = 0; i < 20 && !(tool("status", "control") == 3 && strstr(out, "failed")); i++) {
		ck_assert(pipeline_until(8000, pipeline_pid(&p, "control") > 0 || (tool("status", "control") == 3 && strstr(out, "failed"))));
		pid_t control = pipeline_pid(&p, "control");
		if (control > 0)
			kill(control, SIGKILL);
	}
	ck_assert_msg(strstr(out, "failed") != NULL, "%s", out);
	expect(0, "get", "loop/ch1/level");
	unsetenv("BULKHEAD_PATIENCE");
	expect(1, "set", "loop/ch1/level", "-6dB");
	ck_assert_msg(strstr(out, "nothing was done") != NULL, "%s", out);
	setenv("BULKHEAD_PATIENCE", "8", 1);
	expect(0, "release", "control");
	ck_assert_msg(pipeline_until(5000, tool("status") == 0), "%s", out);
	expect(0, "set", "loop/ch1/level", "-6dB");
	/* It may be gone before its answer is here. */
	static const char *const ways[][2] = {{"stop", "start"}, {"hold", "release"}};
	for (unsigned i = 0; i < 2; i++) {
		unsetenv("BULKHEAD_PATIENCE");
		tool(ways[i][0], "control");
		setenv("BULKHEAD_PATIENCE", "8", 1);
		ck_assert_msg(pipeline_until(5000, tool("status", "control") == 3), "%s: %s", ways[i][0], out);
		expect(0, ways[i][1], "control");
		ck_assert_msg(pipeline_until(5000, tool("status") == 0), "%s", out);
	}
}
END_TEST

START_TEST(status_works_while_keeper_or_supervisor_is_down)
{
	static const char *const who[] = {"keeper", "supervisor"};
	for (unsigned i = 0; i < 4; i++) {
		pid_t before = pipeline_pid(&p, who[i % 2]);
		expect(0, "kill", "--signal", "KILL", who[i % 2]);
		int r = tool("status");
		ck_assert_msg((r == 0 || r == 3) && strstr(out, "loop"), "%s killed: exit %d: %s", who[i % 2], r, out);
		ck_assert_msg(pipeline_until(5000, pipeline_pid(&p, who[i % 2]) != before), "no other %s", who[i % 2]);
		ck_assert_msg(pipeline_until(5000, tool("status") == 0), "%s", out);
	}
}
END_TEST

START_TEST(a_wrong_reload_is_five_and_changes_nothing)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/wrong.yaml", p.dir);
	FILE *f = fopen(path, "w");
	fputs("bulkhead: 1\ndrivers:\n  loop: { kind: loop, chanels: 4 }\n", f);
	fclose(f);
	pid_t loop = pipeline_pid(&p, "loop");
	expect(5, "reload", path);
	ck_assert_msg(strstr(out, "wrong.yaml:3:") && strstr(out, "channels"), "%s", out);
	expect(0, "status");
	ck_assert_int_eq(pipeline_pid(&p, "loop"), loop);
	expect(0, "reload");
	expect(0, "status");
	ck_assert_int_eq(pipeline_pid(&p, "loop"), loop);
}
END_TEST

START_TEST(subscribers_hear_of_values_pages_and_health)
{
	char where[128], topic[200];
	static uint8_t body[65536];
	bool value = false, page = false, health = false;
	int ms = 200, n;
	void *ctx = zmq_ctx_new(), *sub = zmq_socket(ctx, ZMQ_SUB);
	snprintf(where, sizeof(where), "ipc://%s/run/events.sock", p.dir);
	zmq_setsockopt(sub, ZMQ_RCVTIMEO, &ms, sizeof(ms));
	ck_assert_int_eq(zmq_connect(sub, where), 0);
	zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "value/loop/ch1/level", 20);
	zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "page", 4);
	zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "health/", 7);
	uint64_t until = bh_mono_ns() + 2 * PATIENCE_MS * BH_NS_PER_MS;
	expect(0, "kill", "--signal", "KILL", "loop");
	for (unsigned i = 0; !(value && page && health) && bh_mono_ns() < until; i++) {
		/* When a subscription has arrived cannot be seen from here: so something goes on happening. */
		tool("set", "loop/ch1/level", i % 2 ? "-10dB" : "-20dB");
		tool("page", "next");
		if (i % 5 == 4)
			tool("kill", "--signal", "KILL", "loop");
		while ((n = zmq_recv(sub, topic, sizeof(topic) - 1, 0)) > 0) {
			struct bh_wire_in in;
			topic[n] = '\0';
			int len = zmq_recv(sub, body, sizeof(body), 0);
			ck_assert_int_gt(len, 0);
			ck_assert_int_eq(bh_wire_in_init(&in, body, (size_t)len, sizeof(body), NULL), 0);
			ck_assert_int_gt((int)bh_wire_get_int(in.root, "number", 0), 0);
			value |= !strcmp(topic, "value/loop/ch1/level") && bh_wire_get(in.root, "text");
			page |= !strcmp(topic, "page") && bh_wire_get(in.root, "name");
			health |= !strcmp(topic, "health/loop") && bh_wire_get(in.root, "health");
			bh_wire_in_fini(&in);
		}
	}
	ck_assert_msg(value && page && health, "value %d page %d health %d", value, page, health);
	zmq_close(sub);
	zmq_ctx_term(ctx);
}
END_TEST

START_TEST(stop_all_ends_everything)
{
	pid_t loop = pipeline_pid(&p, "loop"), router = pipeline_pid(&p, "router");
	expect(0, "stop", "--all");
	ck_assert(pipeline_until(10000, kill(loop, 0) < 0 && kill(router, 0) < 0));
	ck_assert_msg(pipeline_until(10000, tool("status") == 4), "%s", out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tool");
	TCase *none = tcase_create("no pipeline"), *t = tcase_create("pipeline");
	tcase_set_timeout(none, 60);
	tcase_add_test(none, without_a_pipeline_it_says_so_by_four);
	tcase_add_test(none, a_wrong_configuration_is_five_and_is_not_run);
	tcase_add_test(none, a_right_configuration_is_zero);
	tcase_set_timeout(t, 90);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, status_is_zero_when_all_are_well);
	tcase_add_test(t, a_start_counts_no_faults_of_peers);
	tcase_add_test(t, every_verb_that_reads_prints_json);
	tcase_add_test(t, status_names_what_is_bound_to_nothing);
	tcase_add_test(t, a_level_comes_while_the_tool_looks);
	tcase_add_test(t, a_parameter_is_set_as_people_write_it);
	tcase_add_test(t, controls_are_moved_as_by_a_hand);
	tcase_add_test(t, pages_are_turned_and_the_one_shown_is_marked);
	tcase_add_test(t, a_control_is_explained_with_its_binding_its_values_and_why);
	tcase_add_test(t, what_a_driver_refused_is_told_with_the_control_that_asked);
	tcase_add_test(t, latency_tells_how_long_a_hand_takes_to_arrive);
	tcase_add_test(t, an_action_is_done);
	tcase_add_test(t, monitor_and_trace_tell_what_happened);
	tcase_add_test(t, a_process_is_stopped_started_held_and_released);
	tcase_add_test(t, status_works_while_bh_control_does_not_answer);
	tcase_add_test(t, kill_9_of_bh_control_is_noticed_by_nobody);
	tcase_add_test(t, a_bh_control_that_has_failed_is_released_all_the_same);
	tcase_add_test(t, status_works_while_keeper_or_supervisor_is_down);
	tcase_add_test(t, a_wrong_reload_is_five_and_changes_nothing);
	tcase_add_test(t, subscribers_hear_of_values_pages_and_health);
	tcase_add_test(t, stop_all_ends_everything);
	suite_add_tcase(s, none);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
