/*
 * kill -9 of each process, at random moments, while hands move the desk; after the last move everything agrees.
 *
 * BH_KILLS: kills of each process (40; soak 1000). BH_SEED: of the first load and of the moments (1). CK_RUN_CASE: only this process, by its
 * name in the process table. Prints for each the time from the kill until it is in service again.
 *
 * What is compared after each load: where the caps are and where hands left them; what the router's records say; what the mixer
 * has; every tick of the V-Pots; every press of the button that counts; and in the end what stands in the snapshot. No motor may
 * have worked against a hand, but by what was on its way when the hand came back, and no fader may have been sent anywhere but where a
 * hand had left it.
 */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/compiled.h"
#include "procs/router/taper.h"
#include "procs/store/snapshot.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define FADERS 4
#define VPOTS 4
#define MUTES 4

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
	"drivers: {loop: {kind: loop, channels: 8, meters: false}}\n"
	"router: {" PIPELINE_PATIENT_ECHOES "}\n"
	"supervisor: {crash_limit: 0, backoff_first_ms: 0ms, backoff_max_ms: 0ms}\n"
	"store: {delay_ms: 50ms}\n"
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      fader1: loop/ch1/level\n"
	"      fader2: loop/ch2/level\n"
	"      fader3: loop/ch3/level\n"
	"      fader4: loop/ch4/level\n"
	"      vpot1: {relative: loop/ch1/pan, step: 0.001}\n"
	"      vpot2: {relative: loop/ch2/pan, step: 0.001}\n"
	"      vpot3: {relative: loop/ch3/pan, step: 0.001}\n"
	"      vpot4: {relative: loop/ch4/pan, step: 0.001}\n"
	"      mute1: loop/ch1/mute\n"
	"      mute2: loop/ch2/mute\n"
	"      mute3: loop/ch3/mute\n"
	"      mute4: loop/ch4/mute\n"
	"      play: {action: loop/mark}\n";

static struct pipeline pl;
static struct simdesk *desk;

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
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

/* ------------------------------------------------------------------ agreement */

static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};

/* Where the mixer's level stands on the fader, as the desk would show it. */
static double
mixer_position(unsigned n)
{
	char param[32];
	snprintf(param, sizeof(param), "ch%u/level", n);
	return bh_taper_position(&level_range, pipeline_number(&pl, "loop", param));
}

static bool
fader_agrees(unsigned n, int hand)
{
	char param[32];
	snprintf(param, sizeof(param), "ch%u/level", n);
	return pipeline_settled(&pl, "loop", param) && fabs(mixer_position(n) - hand / 16383.0) <= 1.01 * BH_TAPER_STEP;
}

static int64_t
mark_presses(const char *end_state)
{
	return strstr(end_state, "\"play\":") ? simdesk_number(end_state, "\"presses\"", "play") : 0;
}

/* Presses that became an action, and those that were refused or came too late: each is counted once. */
static int64_t
marks_decided(void)
{
	const struct bh_seg *state = pipeline_seg(&pl, "router.state");
	uint32_t count = 0;
	struct bh_rec_peer peer = {0};
	struct bh_proc_body body;
	const struct bh_record *rec = state ? bh_seg_section(state, BH_SEC_RECORDS, sizeof(*rec), &count) : NULL;
	ck_assert(pipeline_body(&pl, "loop", &body));
	for (unsigned s = 0; rec && s < BH_MAX_SLOTS; s++) {
		struct bh_rec_peer p;
		if (bh_record_read(&rec[BH_REC_PEER(s)], NULL, &p) == 1 && p.tag == BH_REC_TAG_PEER && p.flags & BH_PEER_DRIVER)
			peer = p;
	}
	return (int64_t)pipeline_number(&pl, "loop", "ledger/actions") + peer.dropped;
}

/* What was written to the faders goes to stderr: it is too long for a message. */
static void
expect_no_fault(const char *victim, unsigned kill_number, const char *counter, uint64_t allowed, const char *what)
{
	uint64_t n = simdesk_counter(desk, counter);
	if (n == allowed)
		return;
	simdesk_must(desk, "targets");
	fprintf(stderr, "[seconds, fader, value, position of the cap, touched, stale]:\n%s", simdesk_output(desk));
	ck_abort_msg("%s kill %u: %s (%s %llu)\n%s", victim, kill_number, what, counter, (unsigned long long)n,
		     pipeline_log(&pl));
}

static void
expect_agreement(const char *victim, unsigned kill_number)
{
	char end[16384];
	simdesk_must(desk, "wait hands");
	simdesk_must(desk, "wait motors within 30s");
	simdesk_must(desk, "end-state");
	snprintf(end, sizeof(end), "%s", simdesk_output(desk));
	for (unsigned n = 1; n <= FADERS; n++) {
		char name[16];
		snprintf(name, sizeof(name), "fader%u", n);
		if (strstr(strstr(end, name) ? strstr(end, name) : "", "null") == strstr(end, name) + strlen(name) + 2)
			continue; /* no hand was on it yet */
		int hand = (int)simdesk_number(end, "\"faders\"", name);
		ck_assert_msg(pipeline_until(5000, fader_agrees(n, hand)),
			      "%s kill %u: fader %u was left at %d, the mixer is at %.1f\n%s", victim, kill_number, n, hand,
			      mixer_position(n) * 16383, pipeline_log(&pl));
		int pos = simdesk_pos(desk, (int)n);
		ck_assert_msg(abs(pos - hand) <= 8, "%s kill %u: fader %u was left at %d and stands at %d\n%s", victim, kill_number,
			      n, hand, pos, pipeline_log(&pl));
	}
	for (unsigned n = 1; n <= MUTES; n++) {
		char param[32];
		snprintf(param, sizeof(param), "ch%u/mute", n);
		ck_assert_msg(pipeline_until(5000, pipeline_settled(&pl, "loop", param)), "%s kill %u: %s is not settled", victim, kill_number, param);
		simdesk_must(desk, "expect led mute%u %s within 30s", n, pipeline_number(&pl, "loop", param) > 0 ? "on" : "off");
	}
	int64_t presses = mark_presses(end);
	ck_assert_msg(pipeline_until(5000, marks_decided() == presses), "%s kill %u: %lld presses, %lld decided\n%s", victim,
		      kill_number, (long long)presses, (long long)marks_decided(), pipeline_log(&pl));
	ck_assert_msg(pipeline_number(&pl, "loop", "ledger/twice") == 0, "%s kill %u: an action was done twice", victim, kill_number);
	ck_assert_msg(pipeline_number(&pl, "loop", "ledger/late") == 0, "%s kill %u: an action was done late", victim, kill_number);
	/* A hand of the load may come back while what confirms its last place is on its way: how long that takes is the machine's affair. */
	expect_no_fault(victim, kill_number, "fights", simdesk_counter(desk, "late"), "a motor worked against a hand");
	expect_no_fault(victim, kill_number, "jumps", 0, "a fader jumped");
	expect_no_fault(victim, kill_number, "stale", 0, "a fader was sent to where a hand had been before");
}

/* Does each total that the surface has told, and that the router has taken, answer for one of these V-Pots? */
static bool
ticks_agree(const int64_t *turned, char *why, size_t cap)
{
	uint32_t cells = 0, count = 0;
	const struct bh_seg *out = pipeline_seg(&pl, "desk>router"), *state = pipeline_seg(&pl, "router.state");
	const struct bh_cell *cell = bh_seg_section(out, BH_SEC_CELLS, sizeof(*cell), &cells);
	const struct bh_record *rec = bh_seg_section(state, BH_SEC_RECORDS, sizeof(*rec), &count);
	bool matched[VPOTS + 1] = {false};
	unsigned checked = 0;
	snprintf(why, cap, "there is no V-Pot");
	for (uint32_t r = BH_REC_FIRST; r < count; r++) {
		struct bh_rec_control c;
		struct bh_cell_body body;
		if (bh_record_read(&rec[r], NULL, &c) != 1 || c.tag != BH_REC_TAG_CONTROL || c.kind != BH_CTL_VPOT)
			continue;
		if (c.index >= cells || bh_cell_read(&cell[c.index], &body) <= 0)
			continue;
		bool known = false;
		for (unsigned n = 1; n <= VPOTS && !known; n++) {
			known = !matched[n] && (uint32_t)turned[n] == body.total;
			matched[n] |= known; /* each V-Pot answers for one control */
		}
		snprintf(why, cap, "the surface told %d ticks, the router took %d; they were turned by %d, %d, %d and %d", (int32_t)body.total,
			 (int32_t)c.seen_total, (int)turned[1], (int)turned[2], (int)turned[3], (int)turned[4]);
		if (!known || c.seen_total != body.total)
			return false;
		checked++;
	}
	return checked >= 1;
}

/* Ticks that hands turned, those that the surface has told, and those that the router has taken: the same running total. */
static void
expect_ticks(void)
{
	char end[16384], why[160];
	int64_t turned[VPOTS + 1] = {0};
	simdesk_must(desk, "end-state");
	snprintf(end, sizeof(end), "%s", simdesk_output(desk));
	for (unsigned n = 1; n <= VPOTS; n++) {
		char name[16];
		snprintf(name, sizeof(name), "vpot%u", n);
		turned[n] = simdesk_number(end, "\"vpots\"", name);
	}
	ck_assert_msg(pipeline_until(10000, ticks_agree(turned, why, sizeof(why))), "%s\n%s", why, pipeline_log(&pl));
}

static bool
snapshot_agrees(struct snapshot *s)
{
	char dir[128], why[120];
	snprintf(dir, sizeof(dir), "%s/state", pl.dir);
	if (snapshot_read(s, dir, why, sizeof(why)) < 0)
		return false;
	for (unsigned n = 1; n <= FADERS; n++) {
		char name[40], param[32];
		bool same = false;
		snprintf(name, sizeof(name), "loop/ch%u/level", n);
		snprintf(param, sizeof(param), "ch%u/level", n);
		for (uint32_t i = 0; i < s->count; i++)
			same |= !strcmp(s->entry[i].name, name) && s->entry[i].v.f == pipeline_number(&pl, "loop", param);
		if (!same)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ the storm */

static bool
is_back(const char *victim, pid_t old)
{
	pid_t now = pipeline_pid(&pl, victim);
	return now > 0 && now != old && pipeline_is_ok(&pl, victim);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void
storm(const char *victim)
{
	unsigned count = (unsigned)bound("BH_KILLS", 40, 1000), seed = (unsigned)bound("BH_SEED", 1, 1);
	double *ms = calloc(count, sizeof(*ms));
	struct snapshot snap;
	srand(seed);
	for (unsigned k = 0; k < count; k++) {
		pid_t old = pipeline_pid(&pl, victim);
		ck_assert_int_gt(old, 1);
		simdesk_begin(desk, "random-load seed %u for 0.15s rate 80 using fader1 fader2 fader3 fader4 vpot1 vpot2 vpot3 vpot4 "
				    "mute1 mute2 mute3 mute4 play",
			      seed + k);
		usleep((useconds_t)(rand() % 150000));
		uint64_t start = bh_mono_ns();
		ck_assert_int_eq(kill(old, SIGKILL), 0);
		ck_assert_msg(pipeline_until(10000, is_back(victim, old)), "%s kill %u: not back in service\n%s", victim, k,
			      pipeline_log(&pl));
		ms[k] = (double)(bh_mono_ns() - start) / 1e6;
		ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
		expect_agreement(victim, k);
	}
	expect_ticks();
	qsort(ms, count, sizeof(*ms), by_size);
	char bench[24];
	snprintf(bench, sizeof(bench), "kill_%s", victim);
	bench_print(bench, "figure", "%s killed %u times: in service again after p50 %.2f ms, p99 %.2f ms; all agreed after each", victim, count,
		    ms[count / 2], ms[(count * 99 + 99) / 100 - 1]);
	free(ms);
	ck_assert_int_eq(snapshot_init(&snap), 0);
	ck_assert_msg(pipeline_until(10000, snapshot_agrees(&snap)), "%s: the snapshot does not agree with the mixer", victim);
	snapshot_fini(&snap);
	ck_assert_msg(pipeline_until(10000, pipeline_all_ok(&pl)), "%s: not all is ok after the storm\n%s", victim, pipeline_log(&pl));
}

START_TEST(the_driver)
{
	storm("loop");
}
END_TEST

START_TEST(the_router)
{
	storm("router");
}
END_TEST

START_TEST(the_surface)
{
	storm("desk");
}
END_TEST

START_TEST(the_store)
{
	storm("store");
}
END_TEST

START_TEST(bh_control)
{
	storm("control");
}
END_TEST

START_TEST(the_supervisor)
{
	storm("supervisor");
}
END_TEST

START_TEST(the_keeper)
{
	storm("keeper");
}
END_TEST

static void
add(Suite *s, const char *victim, const TTest *test)
{
	TCase *t = tcase_create(victim);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, (double)bound("BH_TIMEOUT", 900, 14000));
	tcase_add_test(t, test);
	suite_add_tcase(s, t);
}

int
main(void)
{
	Suite *s = suite_create("kill");
	add(s, "loop", the_driver);
	add(s, "router", the_router);
	add(s, "desk", the_surface);
	add(s, "store", the_store);
	add(s, "control", bh_control);
	add(s, "supervisor", the_supervisor);
	add(s, "keeper", the_keeper);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
