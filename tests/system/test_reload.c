/*
 * A new configuration under a running pipeline: what changes takes effect, what is not concerned does not notice, and a wrong one
 * changes nothing.
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

#define DRIVERS_PLAIN \
	"  loop: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n" \
	"  bus: {kind: loop, channels: 8, meters: false}\n"

#define MIX(fader2) \
	"pages:\n" \
	"  - name: Mix\n" \
	"    bindings:\n" \
	"      fader1: loop/ch1/level\n" \
	"      fader2: " fader2 "\n" \
	"      fader3: bus/ch1/level\n" \
	"      mute1: loop/ch1/mute\n" \
	"      vpot1: {relative: loop/ch1/pan, step: 0.01}\n" \
	"      play: {action: loop/mark}\n" \
	"      meter1: loop/ch1/meter\n"

/* Taken by the word alone: on a busy machine the watch would be there first. What strips show for a moment would end at any time. */
#define CONFIG(drivers, fader2) \
	"bulkhead: 1\n" \
	"supervisor: {watch: no}\n" \
	"router: {overlay: 0ms, " PIPELINE_PATIENT_PRESSES "}\n" \
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n" \
	"drivers:\n" drivers PIPELINE_PATIENT MIX(fader2)

static struct pipeline pl;
static struct simdesk *desk;
static char out[65536];

static void
setup(void)
{
	pipeline_prepare(&pl, CONFIG(DRIVERS_PLAIN, "loop/ch2/level"));
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
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
reload(const char *yaml)
{
	pipeline_config(&pl, yaml);
	int r = tool("reload", NULL, NULL, NULL);
	ck_assert_msg(r == 0, "reload ends with %d: %s\n%s", r, out, pipeline_log(&pl));
}

/* Who ran when the test looked. */
static const char *const names[] = {"keeper", "supervisor", "router", "control", "store", "desk", "loop", "bus"};
struct pids {
	pid_t of[BH_ARRAY_LEN(names)];
};

static struct pids
look(void)
{
	struct pids p;
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++) {
		p.of[i] = pipeline_pid(&pl, names[i]);
		ck_assert_msg(p.of[i] > 0, "%s does not run", names[i]);
	}
	return p;
}

/* All still the same processes, but for `except` (may be NULL). */
static void
expect_same(const struct pids *before, const char *except)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		if (!except || strcmp(names[i], except))
			ck_assert_msg(pipeline_pid(&pl, names[i]) == before->of[i], "%s was restarted:\n%s", names[i],
				      pipeline_log(&pl));
}

static pid_t
pid_of(const struct pids *p, const char *name)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return p->of[i];
	return -1;
}

/* Nothing was sent to the desk since the mark; else what it shows goes to stderr. */
static void
expect_silence(void)
{
	if (simdesk_do(desk, "expect bytes = 0 since mark") == SIMDESK_OK)
		return;
	char what[256];
	snprintf(what, sizeof(what), "%s", simdesk_answer(desk));
	fprintf(stderr, "the desk: %s", simdesk_state(desk));
	ck_abort_msg("%s\n%s", what, pipeline_log(&pl));
}

static int
position_of(const char *driver, const char *param)
{
	static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};
	return (int)lround(bh_taper_position(&level_range, pipeline_number(&pl, driver, param)) * 16380);
}

static void
expect_follows(unsigned fader, const char *driver, const char *param)
{
	ck_assert_msg(pipeline_until(5000, abs(position_of(driver, param) - simdesk_pos(desk, (int)fader)) <= 8),
		      "fader %u stands at %d, %s/%s at %d\n%s", fader, simdesk_pos(desk, (int)fader), driver, param,
		      position_of(driver, param), pipeline_log(&pl));
}

/* ------------------------------------------------------------------ what changes */

START_TEST(a_changed_binding_takes_effect_under_a_moving_load_and_nobody_is_restarted)
{
	struct pids before = look();
	simdesk_begin(desk, "random-load seed 5 for 3s rate 60 using fader1 fader2 fader3 vpot1 mute1 play");
	for (unsigned i = 0; i < 6; i++) {
		reload(i % 2 ? CONFIG(DRIVERS_PLAIN, "loop/ch2/level") : CONFIG(DRIVERS_PLAIN, "loop/ch5/level"));
		expect_same(&before, NULL);
	}
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch5/level"));
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	expect_same(&before, NULL);
	/* The hand is the last writer of the unchanged ones; nothing was lost or came twice. */
	simdesk_must(desk, "wait hands; wait motors within 30s; expect quiet for 500ms within 30s");
	expect_follows(1, "loop", "ch1/level");
	expect_follows(3, "bus", "ch1/level");
	expect_follows(2, "loop", "ch5/level");
	char end[16384];
	simdesk_must(desk, "end-state");
	snprintf(end, sizeof(end), "%s", simdesk_output(desk));
	int64_t presses = strstr(end, "\"play\":") ? simdesk_number(end, "\"presses\"", "play") : 0;
	ck_assert_int_gt(presses, 3);
	ck_assert_msg(pipeline_until(5000, pipeline_number(&pl, "loop", "ledger/actions") == (double)presses),
		      "%lld presses, %g actions", (long long)presses, pipeline_number(&pl, "loop", "ledger/actions"));
	ck_assert(pipeline_number(&pl, "loop", "ledger/twice") == 0);
	/* And the new binding works. */
	double old = pipeline_number(&pl, "loop", "ch2/level");
	simdesk_must(desk, "move 2 0.33 over 0.1s touching; wait hands");
	expect_follows(2, "loop", "ch5/level");
	ck_assert_double_eq(pipeline_number(&pl, "loop", "ch2/level"), old);
}
END_TEST

START_TEST(a_fader_that_gets_another_parameter_goes_where_that_stands)
{
	ck_assert_int_eq(tool("set", "loop/ch5/level", "0", NULL), 0);
	simdesk_must(desk, "move 2 0.2 over 0.1s touching; wait hands");
	expect_follows(2, "loop", "ch2/level");
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch5/level"));
	ck_assert_msg(pipeline_until(5000, abs(simdesk_target(desk, 2) - position_of("loop", "ch5/level")) <= 4),
		      "fader 2 was sent to %d, the parameter it has got is at %d", simdesk_target(desk, 2),
		      position_of("loop", "ch5/level"));
	ck_assert(pipeline_number(&pl, "loop", "ch5/level") == 0);
	/* The same again changes nothing and sends nothing. */
	simdesk_must(desk, "wait motors within 30s; expect quiet for 300ms within 30s; mark");
	struct pids before = look();
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch5/level"));
	simdesk_must(desk, "expect quiet for 500ms within 30s");
	expect_silence();
	expect_same(&before, NULL);
}
END_TEST

/* ------------------------------------------------------------------ a wrong one */

static unsigned
configurations(void)
{
	int r = tool("status", "--json", NULL, NULL);
	ck_assert_msg(r == 0, "status ends with %d: %s", r, out);
	return (unsigned)simdesk_number(out, "\"v\"", "configurations");
}

START_TEST(a_wrong_configuration_is_refused_with_its_place_and_changes_nothing)
{
	static const struct {
		const char *yaml, *place;
	} wrong[] = {
		{CONFIG(DRIVERS_PLAIN, "loop/ch5/level") "      fadr4: loop/ch6/level\n", "pipeline.yaml:19:7: "},
		{CONFIG(DRIVERS_PLAIN, "lop/ch5/level"), "pipeline.yaml:13:15: "},
		{CONFIG("  loop: {kind: loop, channels: many}\n", "loop/ch5/level"), "pipeline.yaml:6:"},
		{CONFIG(DRIVERS_PLAIN, "loop/ch5/level") "  - name: [\n", "pipeline.yaml:"},
		{"", "pipeline.yaml"},
	};
	struct pids before = look();
	simdesk_must(desk, "move 1 0.6 over 0.1s touching; move 2 0.3 over 0.1s touching; wait hands; wait motors within 30s");
	simdesk_must(desk, "expect quiet for 400ms within 30s");
	unsigned used = configurations();
	simdesk_must(desk, "mark");
	for (unsigned i = 0; i < BH_ARRAY_LEN(wrong); i++) {
		pipeline_config(&pl, wrong[i].yaml);
		int r = tool("reload", NULL, NULL, NULL);
		ck_assert_msg(r == 5, "reload of wrong configuration %u ends with %d: %s", i, r, out);
		ck_assert_msg(strstr(out, wrong[i].place) != NULL, "no %s in the answer: %s", wrong[i].place, out);
		ck_assert_msg(i || strstr(out, "did you mean \"fader4\"?"), "no hint in the answer: %s", out);
	}
	ck_assert_uint_eq(configurations(), used);
	expect_same(&before, NULL);
	expect_silence();
	/* The good one works on. */
	simdesk_must(desk, "move 2 0.8 over 0.1s touching; wait hands");
	expect_follows(2, "loop", "ch2/level");
	/* A file that is not there. */
	char path[128];
	snprintf(path, sizeof(path), "%s/none.yaml", pl.dir);
	ck_assert_int_ne(tool("reload", path, NULL, NULL), 0);
	expect_same(&before, NULL);
	/* And the next good one is taken. */
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch5/level"));
	ck_assert_uint_eq(configurations(), used + 1);
	expect_same(&before, NULL);
}
END_TEST

/* ------------------------------------------------------------------ drivers */

static bool
is_known(const char *name)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b);
}

START_TEST(a_driver_that_is_added_starts_and_one_that_is_removed_leaves)
{
	struct pids before = look();
	reload(CONFIG(DRIVERS_PLAIN "  extra: {kind: loop, channels: 2, meters: false}\n", "extra/ch1/level"));
	ck_assert_msg(pipeline_until(10000, pipeline_is_ok(&pl, "extra")), "the new driver is not ok:\n%s", pipeline_log(&pl));
	expect_same(&before, NULL);
	simdesk_must(desk, "move 2 0.5 over 0.1s touching; wait hands");
	expect_follows(2, "extra", "ch1/level");
	/* Gone again, and bus with it; a second one of the same name is a new one. */
	reload("bulkhead: 1\n"
	       "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
	       "drivers: {loop: {kind: loop, channels: 8, meters: false}}\n"
	       "pages: [{name: Mix, bindings: {fader1: loop/ch1/level, fader2: loop/ch2/level}}]\n");
	ck_assert_msg(pipeline_until(10000, !is_known("extra") && !is_known("bus")), "the removed drivers do not leave:\n%s",
		      pipeline_log(&pl));
	ck_assert_msg(kill(pid_of(&before, "bus"), 0) < 0, "bus still runs");
	ck_assert_int_eq(pipeline_pid(&pl, "router"), pid_of(&before, "router"));
	ck_assert_int_eq(pipeline_pid(&pl, "desk"), pid_of(&before, "desk"));
	ck_assert_int_eq(pipeline_pid(&pl, "loop"), pid_of(&before, "loop"));
	simdesk_must(desk, "move 2 0.4 over 0.1s touching; wait hands");
	expect_follows(2, "loop", "ch2/level");
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch2/level"));
	ck_assert_msg(pipeline_until(10000, pipeline_is_ok(&pl, "bus")), "bus does not come back:\n%s", pipeline_log(&pl));
	ck_assert_int_eq(pipeline_pid(&pl, "loop"), pid_of(&before, "loop"));
	simdesk_must(desk, "move 3 0.5 over 0.1s touching; wait hands");
	expect_follows(3, "bus", "ch1/level");
}
END_TEST

static bool
is_another(const char *name, pid_t old)
{
	pid_t now = pipeline_pid(&pl, name);
	return now > 0 && now != old && pipeline_is_ok(&pl, name);
}

START_TEST(an_option_that_needs_it_restarts_its_driver_alone_and_a_live_one_restarts_nobody)
{
	struct pids before = look();
	simdesk_must(desk, "move 3 0.7 over 0.1s touching; move 1 0.7 over 0.1s touching; wait hands");
	expect_follows(3, "bus", "ch1/level");
	reload(CONFIG("  loop: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
		      "  bus: {kind: loop, channels: 4, meters: false}\n",
		      "loop/ch2/level"));
	ck_assert_msg(pipeline_until(10000, is_another("bus", pid_of(&before, "bus"))), "bus was not restarted:\n%s",
		      pipeline_log(&pl));
	expect_same(&before, "bus");
	expect_follows(3, "bus", "ch1/level");
	/* Channels that it no longer has are gone from its directory. */
	ck_assert(pipeline_until(10000, tool("get", "bus/ch4/level", NULL, NULL) == 0 && tool("get", "bus/ch5/level", NULL, NULL) == 2));
	/* Live: meters begin to move in the same process, and rest again. */
	before = look();
	ck_assert_int_eq(tool("do", "loop/transport", "play", NULL), 0);
	simdesk_must(desk, "expect quiet for 300ms within 30s; mark");
	ck_assert(pipeline_number(&pl, "loop", "ch1/meter") <= -90);
	reload(CONFIG("  loop: {kind: loop, channels: 8, meters: true, " PIPELINE_PATIENT_DRIVER "}\n"
		      "  bus: {kind: loop, channels: 4, meters: false}\n",
		      "loop/ch2/level"));
	simdesk_must(desk, "expect meter.messages > 5 since mark within 30s");
	expect_same(&before, NULL);
	reload(CONFIG("  loop: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
		      "  bus: {kind: loop, channels: 4, meters: false}\n",
		      "loop/ch2/level"));
	expect_same(&before, NULL);
	uint64_t told = pipeline_self(&pl, "loop")->counter[BH_CNT_EVENTS_OUT];
	usleep(300000); /* not to wait for a state: nothing may come in this time, where it was 20 a second for each meter */
	ck_assert_uint_le(pipeline_self(&pl, "loop")->counter[BH_CNT_EVENTS_OUT], told + 9);
}
END_TEST

/* ------------------------------------------------------------------ more than there is room for */

#define DRIVERS_MANY \
	DRIVERS_PLAIN "  big1: {kind: loop, channels: 2, params: 4096}\n  big2: {kind: loop, channels: 2, params: 4096}\n" \
		      "  big3: {kind: loop, channels: 2, params: 4096}\n"

static uint32_t
router_room(void)
{
	uint32_t n = 0;
	/* The one there is now: a larger one has the same name. */
	pipeline_forget(&pl, "router.state");
	const struct bh_seg *state = pipeline_seg(&pl, "router.state");
	if (state)
		bh_seg_section(state, BH_SEC_RECORDS, sizeof(struct bh_record), &n);
	return n;
}

START_TEST(one_that_needs_more_room_restarts_the_router_which_goes_on_where_it_was)
{
	struct pids before = look();
	uint32_t room = router_room();
	simdesk_must(desk, "move 1 0.6 over 0.1s touching; move 2 0.3 over 0.1s touching; turn vpot1 7; tap mute1; tap play; wait hands; "
			   "wait motors within 30s; expect led mute1 on within 30s; expect quiet for 500ms within 30s");
	int pan = (int)lround(pipeline_number(&pl, "loop", "ch1/pan") * 1000);
	simdesk_must(desk, "mark");
	reload(CONFIG(DRIVERS_MANY, "loop/ch2/level"));
	ck_assert_msg(strstr(out, "router: more room for controls and parameters (restarts)") != NULL, "%s", out);
	ck_assert_msg(pipeline_until(30000, is_another("router", pid_of(&before, "router"))), "the router was not restarted:\n%s",
		      pipeline_log(&pl));
	ck_assert_msg(pipeline_until(30000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	expect_same(&before, "router");
	ck_assert_uint_gt(router_room(), room);
	/* All that it knew it knows: nothing was sent to the desk, nothing to the drivers. */
	simdesk_must(desk, "expect quiet for 500ms within 30s");
	expect_silence();
	expect_follows(1, "loop", "ch1/level");
	expect_follows(2, "loop", "ch2/level");
	/* Ticks go on from where they were, and what a hand does is done once. */
	simdesk_must(desk, "turn vpot1 -7; tap mute1; tap play; move 3 0.8 over 0.1s touching; wait hands");
	ck_assert_msg(pipeline_until(10000, (int)lround(pipeline_number(&pl, "loop", "ch1/pan") * 1000) != pan), "the V-Pot is dead");
	ck_assert(pipeline_until(10000, fabs(pipeline_number(&pl, "loop", "ch1/pan")) < 0.0005));
	simdesk_must(desk, "expect led mute1 off within 30s");
	ck_assert(pipeline_until(10000, pipeline_number(&pl, "loop", "ledger/actions") == 2));
	expect_follows(3, "bus", "ch1/level");
	/* The tool reads the larger state, and the new ones work. */
	ck_assert_int_eq(tool("set", "big3/ch2/level", "-6dB", NULL), 0);
	ck_assert(pipeline_until(10000, fabs(pipeline_number(&pl, "big3", "ch2/level") + 6) < 0.01));
	ck_assert(pipeline_until(10000, tool("get", "big3/ch2/level", NULL, NULL) == 0 && strstr(out, "-6.0 dB")));
	/* Back to fewer: nobody else is restarted for that. */
	before = look();
	reload(CONFIG(DRIVERS_PLAIN, "loop/ch2/level"));
	expect_same(&before, NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reload");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 90);
	tcase_add_test(t, a_changed_binding_takes_effect_under_a_moving_load_and_nobody_is_restarted);
	tcase_add_test(t, a_fader_that_gets_another_parameter_goes_where_that_stands);
	tcase_add_test(t, a_wrong_configuration_is_refused_with_its_place_and_changes_nothing);
	tcase_add_test(t, a_driver_that_is_added_starts_and_one_that_is_removed_leaves);
	tcase_add_test(t, an_option_that_needs_it_restarts_its_driver_alone_and_a_live_one_restarts_nobody);
	tcase_add_test(t, one_that_needs_more_room_restarts_the_router_which_goes_on_where_it_was);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
