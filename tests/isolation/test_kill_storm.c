/*
 * Drivers are killed five times a second: the others are as quick as before, and the desk shows the truth.
 *
 * BH_STORM_S: seconds of storm, by one driver after the other (8; soak 60 for each), and as many quiet ones. BH_SEED (1). The storm of all at once takes half of it.
 *
 * Two desks: hands play on `desk`, whose strips are four drivers; a lane measures from the desk `fast` to the driver `calm`, which is
 * never killed. Slices are interleaved: quiet, storm, storm, quiet; in every other round hands play, in storm and quiet alike, in
 * those between nobody touches anything, and then no fader and no light may be written at all. After each slice the desk is compared
 * with what the drivers have.
 */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/taper.h"
#include "tests/bench/harness.h"
#include "tests/isolation/lane.h"
#include "tests/lib/bounds.h"
#include "tests/lib/simdesk.h"

#define VICTIMS 4
#define SLICE_MS 400
#define KILL_MS 200 /* five times a second */
#define PACE_US 1000

static const char yaml[] =
	"bulkhead: 1\n" PIPELINE_PATIENT
	"router: {" PIPELINE_PATIENT_PRESSES ", " PIPELINE_PATIENT_ECHOES "}\n"
	"supervisor: {crash_limit: 0, backoff_first_ms: 0ms, backoff_max_ms: 0ms}\n"
	"surfaces:\n"
	"  desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}\n"
	"  fast: {device: x-touch, transport: socket, path: \"@DIR@/fast.sock\"}\n"
	"drivers:\n"
	"  v1: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  v2: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  v3: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  v4: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  calm: {kind: loop, channels: 2, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"pages:\n"
	"  - name: All\n"
	"    bindings:\n"
	"      fast/fader1: calm/ch1/level\n"
	"      desk/fader1: v1/ch1/level\n      desk/fader2: v2/ch1/level\n      desk/fader3: v3/ch1/level\n      desk/fader4: v4/ch1/level\n"
	"      desk/vpot1: {relative: v1/ch1/pan, step: 0.001}\n      desk/vpot2: {relative: v2/ch1/pan, step: 0.001}\n"
	"      desk/vpot3: {relative: v3/ch1/pan, step: 0.001}\n      desk/vpot4: {relative: v4/ch1/pan, step: 0.001}\n"
	"      desk/mute1: v1/ch1/mute\n      desk/mute2: v2/ch1/mute\n      desk/mute3: v3/ch1/mute\n      desk/mute4: v4/ch1/mute\n"
	"      desk/strip1: {strip: v1/ch1/level, text: One}\n      desk/strip2: {strip: v2/ch1/level, text: Two}\n"
	"      desk/strip3: {strip: v3/ch1/level, text: Three}\n      desk/strip4: {strip: v4/ch1/level, text: Four}\n";

static const char *const victim[VICTIMS] = {"v1", "v2", "v3", "v4"};
static const char *const label[VICTIMS] = {"One", "Two", "Three", "Four"};
static const char *const others[] = {"keeper", "supervisor", "router", "control", "store", "desk", "fast", "calm"};
static pid_t others_pid[BH_ARRAY_LEN(others)];

static struct pipeline pl;
static struct simdesk *desk;
static struct lane lane;
static unsigned seed, kills, not_up, compared;

/* ------------------------------------------------------------------ the storm */

struct storm {
	unsigned victims; /* bits */
	uint64_t next_ns;
};

static void
kill_when_due(void *data)
{
	struct storm *s = data;
	if (bh_mono_ns() < s->next_ns)
		return;
	s->next_ns += KILL_MS * BH_NS_PER_MS;
	for (unsigned v = 0; v < VICTIMS; v++) {
		pid_t pid = s->victims >> v & 1 ? pipeline_pid(&pl, victim[v]) : -1;
		if (pid > 0 && kill(pid, SIGKILL) == 0)
			kills++;
		else
			not_up += s->victims >> v & 1;
	}
}

/* ------------------------------------------------------------------ the truth */

static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};

static int
position_of(unsigned v)
{
	return (int)lround(bh_taper_position(&level_range, pipeline_number(&pl, victim[v], "ch1/level")) * 16380);
}

static bool
is_settled(unsigned v)
{
	return pipeline_is_ok(&pl, victim[v]) && pipeline_settled(&pl, victim[v], "ch1/level") &&
	       pipeline_settled(&pl, victim[v], "ch1/mute") && pipeline_settled(&pl, victim[v], "ch1/pan");
}

/* Where the cap is, where its motor was sent, where a hand has left it: all at what the driver has. */
static bool
fader_agrees(unsigned v)
{
	int target = simdesk_target(desk, (int)v + 1), pos = simdesk_pos(desk, (int)v + 1);
	return abs(pos - position_of(v)) <= 8 && (target < 0 || abs(target - pos) <= 8);
}

static void
expect_truth(const char *when)
{
	char hands[16384];
	for (unsigned v = 0; v < VICTIMS; v++)
		ck_assert_msg(pipeline_until(10000, is_settled(v)), "%s: %s is not settled\n%s", when, victim[v], pipeline_log(&pl));
	simdesk_must(desk, "end-state");
	snprintf(hands, sizeof(hands), "%s", simdesk_output(desk));
	for (unsigned v = 0; v < VICTIMS; v++) {
		ck_assert_msg(pipeline_until(10000, fader_agrees(v)), "%s: %s is at %d, the fader at %d, sent to %d\n%s", when, victim[v],
			      position_of(v), simdesk_pos(desk, (int)v + 1), simdesk_target(desk, (int)v + 1), pipeline_log(&pl));
		simdesk_must(desk, "expect led mute%u %s within 30s; expect strip %u upper \"%s\" within 30s", v + 1,
			     pipeline_number(&pl, victim[v], "ch1/mute") > 0 ? "on" : "off", v + 1, label[v]);
		char name[16];
		snprintf(name, sizeof(name), "vpot%u", v + 1);
		double turned = 0.001 * (double)simdesk_number(hands, "\"vpots\"", name), pan = pipeline_number(&pl, victim[v], "ch1/pan");
		ck_assert_msg(fabs(pan - turned) < 1e-6, "%s: %s turned by %.3f, %s is at %.3f\n%s", when, name, turned, victim[v], pan, pipeline_log(&pl));
		compared++;
	}
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), simdesk_counter(desk, "late"));
	ck_assert_uint_eq(simdesk_counter(desk, "stale"), 0);
	ck_assert_uint_eq(simdesk_counter(desk, "jumps"), 0);
}

static void
slice(struct notice_bar *bar, unsigned victims, bool hands)
{
	struct storm storm = {.victims = victims, .next_ns = bh_mono_ns() + (uint64_t)(rand() % KILL_MS) * BH_NS_PER_MS};
	if (hands)
		simdesk_begin(desk, "random-load seed %u for 0.%us rate 40 using fader1 fader2 fader3 fader4 vpot1 vpot2 vpot3 vpot4 "
				    "mute1 mute2 mute3 mute4", seed++, SLICE_MS / 100);
	else
		simdesk_must(desk, "mark");
	lane.between = victims ? kill_when_due : NULL;
	lane.data = &storm;
	lane_measure(&lane, SLICE_MS, PACE_US);
	notice_take(bar, &lane);
	if (hands) {
		ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
		simdesk_must(desk, "wait hands; wait motors within 30s");
	} else {
		/* Nobody wanted anything, and what the drivers have is what it was: there is nothing to write, however often they die. */
		simdesk_must(desk, "expect fader.messages = 0 since mark; expect led.messages = 0 since mark");
	}
	expect_truth(hands ? "after hands" : "at rest");
}

static void
storm_for(struct notice_bar *bar, unsigned seconds, bool one_by_one)
{
	unsigned rounds = seconds * 1000 / (2 * SLICE_MS) ? seconds * 1000 / (2 * SLICE_MS) : 1;
	for (unsigned round = 0; round < rounds; round++) {
		unsigned victims = one_by_one ? 1u << (round * VICTIMS / rounds) : (1u << VICTIMS) - 1;
		slice(bar, 0, round % 2);
		slice(bar, victims, round % 2);
		slice(bar, victims, round % 2);
		slice(bar, 0, round % 2);
	}
}

static void
begin(void)
{
	pipeline_prepare(&pl, yaml);
	lane_listen(&lane, &pl, "fast");
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&pl);
	lane_connect(&lane, "calm", "ch1/level");
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
	for (unsigned i = 0; i < BH_ARRAY_LEN(others); i++)
		others_pid[i] = pipeline_pid(&pl, others[i]);
	/* A first touch of everything. */
	simdesk_must(desk, "move 1 0.5 over 0.1s touching; move 2 0.6 over 0.1s touching; move 3 0.4 over 0.1s touching; move 4 0.7 over 0.1s touching; "
			   "wait hands; wait motors within 30s; expect quiet for 300ms within 30s");
}

START_TEST(drivers_that_die_five_times_a_second_slow_nobody_and_the_desk_shows_the_truth)
{
	static struct notice_bar one = {.bench = "kill_storm", .what = "beside a driver that is killed 5 times a second", .limit = 1.15};
	static struct notice_bar all = {.bench = "kill_storm", .what = "beside four drivers, each killed 5 times a second", .limit = 1.15};
	unsigned seconds = (unsigned)bound("BH_STORM_S", 8, 60 * VICTIMS);
	seed = (unsigned)bound("BH_SEED", 1, 1);
	srand(seed);
	begin();
	expect_truth("before the storm");
	storm_for(&one, seconds, true);
	storm_for(&all, seconds / 2, false);
	for (unsigned i = 0; i < BH_ARRAY_LEN(others); i++)
		ck_assert_msg(pipeline_pid(&pl, others[i]) == others_pid[i], "%s was restarted\n%s", others[i], pipeline_log(&pl));
	for (unsigned v = 0; v < VICTIMS; v++)
		ck_assert(pipeline_number(&pl, victim[v], "ledger/twice") == 0);
	bench_print("kill_storm", "bench", "%u kills in %u s of storm; %u were due while the driver was not yet back", kills, seconds + seconds / 2, not_up);
	notice_print(&one);
	notice_print(&all);
	bench_print("kill_storm", "figure", "desk and drivers compared %u times, %llu writes on their way when a finger came back", compared,
		    (unsigned long long)simdesk_counter(desk, "late"));
	bench_count("kill_storm", "differences between desk and drivers", 0, 0);
}
END_TEST

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	lane_close(&lane);
	pipeline_clean(&pl);
}

int
main(void)
{
	Suite *s = suite_create("kill storm");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, (double)bound("BH_TIMEOUT", 300, 14000));
	tcase_add_test(t, drivers_that_die_five_times_a_second_slow_nobody_and_the_desk_shows_the_truth);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
