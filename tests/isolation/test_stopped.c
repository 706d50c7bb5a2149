/*
 * Each process in turn is stopped by a signal for a while: nobody takes it for dead, the others are as quick as before, and when it goes
 * on every event has become something that is counted.
 *
 * BH_STOP_S: how long each (5; soak 60). Two desks of the test's, `a` and `b`, and two drivers, `x` and `y`; a plays on x, b on y, on rings so
 * short that they run full: moves, turns, presses, and meters the other way. The quickness is that of the pair of which nobody is
 * stopped; beside a stopped router there is none. When all is at rest again, the account in shared memory is gone through:
 *
 *   each ring, values, ticks, actions, meters    sent = published + conflated + dropped, and published = taken
 *   each desk                                    what was written to it = what it has sent
 *   each driver                                  values taken = applied + left out for a newer one; actions taken = begun + dropped as late
 *   all                                          presses written = begun + late + refused by the router + refused by a desk
 *   ticks                                        all of them stand in the parameter, conflated or not
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

#define PACE_US 1000

static const char yaml[] =
	"bulkhead: 1\n" PIPELINE_PATIENT
	"router: {" PIPELINE_PATIENT_PRESSES "}\n"
	"surfaces:\n"
	"  a: {device: x-touch, transport: socket, path: \"@DIR@/a.sock\", ring_slots: 256, link: free}\n"
	"  b: {device: x-touch, transport: socket, path: \"@DIR@/b.sock\", ring_slots: 256, link: free}\n"
	"drivers:\n"
	"  x: {kind: loop, channels: 4, meter_ms: 20ms, ring_slots: 256}\n"
	"  y: {kind: loop, channels: 4, meter_ms: 20ms, ring_slots: 256}\n"
	"pages:\n"
	"  - name: All\n"
	"    bindings:\n"
	"      a/fader1: x/ch1/level\n      a/vpot1: {relative: x/ch1/pan, step: 0.001}\n      a/rec1: {action: x/mark}\n"
	"      a/play: {action: x/transport, args: [play]}\n      a/stop: {action: x/transport, args: [stop]}\n"
	"      a/meter1: x/ch1/meter\n      a/meter2: x/ch2/meter\n      a/meter3: y/ch3/meter\n"
	"      b/fader1: y/ch1/level\n      b/vpot1: {relative: y/ch1/pan, step: 0.001}\n      b/rec1: {action: y/mark}\n"
	"      b/play: {action: y/transport, args: [play]}\n      b/stop: {action: y/transport, args: [stop]}\n"
	"      b/meter1: y/ch1/meter\n      b/meter2: y/ch2/meter\n      b/meter3: x/ch3/meter\n";

static const char *const everyone[] = {"keeper", "supervisor", "control", "store", "router", "a", "x", "y"};
static const char *const linked[] = {"router", "a", "b", "x", "y"};
enum { ROUTER, A, B, X, Y, LINKED };

static struct pipeline pl;
static struct lane desk[2];
static uint16_t slot[LINKED];

/* What was written to each desk beside the moves, which the lane counts. */
static struct written {
	uint64_t turns, presses, releases;
	int64_t ticks;
} written[2];

/* ------------------------------------------------------------------ hands */

enum { NOTE_REC1 = 0x00, NOTE_STOP = 0x5d, NOTE_PLAY = 0x5e };

static void
tap(unsigned d, uint8_t note)
{
	const uint8_t tap[6] = {0x90, note, 0x7f, 0x90, note, 0};
	if (!lane_try(&desk[d], tap, sizeof(tap)))
		return;
	written[d].presses++;
	written[d].releases++;
}

static void
turn(unsigned d)
{
	unsigned by = 1 + (unsigned)rand() % 5;
	bool left = written[d].ticks > 0;
	const uint8_t message[3] = {0xb0, 0x10, (uint8_t)(left ? 0x40 + by : by)};
	if (!lane_try(&desk[d], message, sizeof(message)))
		return;
	written[d].turns++;
	written[d].ticks += left ? -(int)by : (int)by;
}

static void
move(unsigned d)
{
	uint8_t message[3];
	uint32_t before = desk[d].position;
	lane_next_move(&desk[d], message);
	if (lane_try(&desk[d], message, sizeof(message)))
		desk[d].moves++;
	else
		desk[d].position = before;
}

/* Before each sample: the desk that is not measured moves its fader, and both do all the rest. */
static void
play_on(void *data)
{
	const struct lane *measured = data;
	static unsigned n;
	n++;
	for (unsigned d = 0; d < 2; d++) {
		if (&desk[d] != measured)
			move(d);
		if (n % 4 == d)
			turn(d);
		if (n % 16 == d)
			tap(d, NOTE_REC1);
	}
}

/* ------------------------------------------------------------------ the account */

static uint64_t
read_word(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static const struct bh_account *
account_of(unsigned who, unsigned with, enum bh_class class)
{
	char name[24];
	snprintf(name, sizeof(name), "%s.self", linked[who]);
	const struct bh_account *rows = bh_account_of(pipeline_seg(&pl, name));
	ck_assert_msg(rows != NULL, "%s keeps no account", linked[who]);
	return &rows[slot[with] * BH_CLASSES + class];
}

static uint64_t
counter_of(unsigned who, enum bh_counter c)
{
	return read_word(&pipeline_self(&pl, linked[who])->counter[c]);
}

static bool
ring_adds_up(unsigned from, unsigned to, char *why, size_t cap)
{
	static const char *const classes[] = {"values", "ticks", "actions", "meters"};
	for (unsigned c = BH_CLASS_VALUE; c <= BH_CLASS_METER; c++) {
		const struct bh_account *out = account_of(from, to, c);
		uint64_t taken = read_word(&account_of(to, from, c)->taken), published = read_word(&out->published);
		uint64_t sent = read_word(&out->sent), conflated = read_word(&out->conflated), dropped = read_word(&out->dropped);
		snprintf(why, cap, "%s>%s, %s: %llu sent, %llu published, %llu conflated, %llu dropped; %llu taken", linked[from], linked[to], classes[c],
			 (unsigned long long)sent, (unsigned long long)published, (unsigned long long)conflated, (unsigned long long)dropped,
			 (unsigned long long)taken);
		if (sent != published + conflated + dropped || published != taken)
			return false;
	}
	return true;
}

static bool
driver_adds_up(unsigned k, char *why, size_t cap)
{
	uint64_t values = read_word(&account_of(k, ROUTER, BH_CLASS_VALUE)->taken), applied = counter_of(k, BH_CNT_VALUES_APPLIED),
		 left_out = counter_of(k, BH_CNT_VALUES_LEFT_OUT), actions = read_word(&account_of(k, ROUTER, BH_CLASS_ACTION)->taken),
		 begun = counter_of(k, BH_CNT_ACTIONS_BEGUN), late = counter_of(k, BH_CNT_DROPPED_LATE);
	double done = pipeline_number(&pl, linked[k], "ledger/actions");
	snprintf(why, cap, "%s: %llu values taken, %llu applied, %llu left out; %llu actions taken, %llu begun, %.0f done, %llu late", linked[k],
		 (unsigned long long)values, (unsigned long long)applied, (unsigned long long)left_out, (unsigned long long)actions,
		 (unsigned long long)begun, done, (unsigned long long)late);
	return values == applied + left_out && actions == begun + late && (uint64_t)done == begun;
}

/* Actions that the router refused or that a driver told it as dropped. */
static uint64_t
dropped_by_record(unsigned k)
{
	uint32_t count = 0;
	struct bh_rec_peer p;
	const struct bh_record *rec = bh_seg_section(pipeline_seg(&pl, "router.state"), BH_SEC_RECORDS, sizeof(*rec), &count);
	return bh_record_read(&rec[BH_REC_PEER(slot[k])], NULL, &p) == 1 && p.tag == BH_REC_TAG_PEER ? p.dropped : 0;
}

static struct {
	uint64_t values, ticks, actions; /* what the desks had sent before the first hand */
} base[2];

static bool
desk_adds_up(unsigned d, char *why, size_t cap)
{
	uint64_t values = read_word(&account_of(A + d, ROUTER, BH_CLASS_VALUE)->sent) - base[d].values,
		 ticks = read_word(&account_of(A + d, ROUTER, BH_CLASS_RELATIVE)->sent) - base[d].ticks,
		 actions = read_word(&account_of(A + d, ROUTER, BH_CLASS_ACTION)->sent) - base[d].actions;
	snprintf(why, cap, "%s: %llu moves and releases written, %llu sent; %llu turns, %llu sent; %llu presses, %llu sent", linked[A + d],
		 (unsigned long long)(desk[d].moves + written[d].releases), (unsigned long long)values, (unsigned long long)written[d].turns,
		 (unsigned long long)ticks, (unsigned long long)written[d].presses, (unsigned long long)actions);
	return values == desk[d].moves + written[d].releases && ticks == written[d].turns && actions == written[d].presses;
}

/* Where a press can have ended. */
static struct fates {
	uint64_t pressed, begun, late, router, surface;
} fates;

static bool
presses_add_up(char *why, size_t cap)
{
	struct fates f = {0};
	uint64_t recorded = 0, untold = 0;
	for (unsigned d = 0; d < 2; d++) {
		f.pressed += written[d].presses;
		f.surface += read_word(&account_of(A + d, ROUTER, BH_CLASS_ACTION)->dropped);
	}
	for (unsigned k = X; k <= Y; k++) {
		f.begun += counter_of(k, BH_CNT_ACTIONS_BEGUN);
		f.late += counter_of(k, BH_CNT_DROPPED_LATE);
		recorded += dropped_by_record(k);
		untold += read_word(&account_of(k, ROUTER, BH_CLASS_OTHER)->dropped);
	}
	/* The router's record counts what it refused and what it was told; a driver whose ring was full kept it for itself. */
	f.router = recorded - (f.late - untold);
	fates = f;
	snprintf(why, cap, "%llu presses: %llu begun, %llu late (%llu not told), %llu recorded by the router, %llu refused by the desks",
		 (unsigned long long)f.pressed, (unsigned long long)f.begun, (unsigned long long)f.late, (unsigned long long)untold,
		 (unsigned long long)recorded, (unsigned long long)f.surface);
	return f.pressed == f.begun + f.late + f.router + f.surface;
}

static bool
state_converged(unsigned d, char *why, size_t cap)
{
	static const struct bh_taper_range range = {BH_TAPER_FADER_DB, -90, 10, 0};
	double level = bh_taper_position(&range, pipeline_number(&pl, linked[X + d], "ch1/level")) * 16380;
	double pan = pipeline_number(&pl, linked[X + d], "ch1/pan");
	snprintf(why, cap, "%s is at %.1f, its fader at %u; at %.6f after %d ticks", linked[X + d], level, desk[d].position, pan, (int)written[d].ticks);
	return fabs(level - desk[d].position) <= 8 && fabs(pan - 0.001 * (double)written[d].ticks) < 1e-6;
}

static bool
all_adds_up(char *why, size_t cap)
{
	for (unsigned k = A; k < LINKED; k++)
		if (!ring_adds_up(k, ROUTER, why, cap) || !ring_adds_up(ROUTER, k, why, cap))
			return false;
	for (unsigned d = 0; d < 2; d++)
		if (!desk_adds_up(d, why, cap) || !driver_adds_up(X + d, why, cap) || !state_converged(d, why, cap))
			return false;
	return presses_add_up(why, cap);
}

/* ------------------------------------------------------------------ one process after the other */

static bool
transport_is(double playing)
{
	return pipeline_number(&pl, "x", "transport/playing") == playing && pipeline_number(&pl, "y", "transport/playing") == playing;
}

/* A press may come too late on a busy machine, as always: then it is pressed again. */
static void
transport(bool playing)
{
	for (unsigned tries = 0; tries < 100 && !transport_is(playing); tries++) {
		for (unsigned d = 0; d < 2; d++)
			tap(d, playing ? NOTE_PLAY : NOTE_STOP);
		for (unsigned ms = 0; ms < 1000 && !transport_is(playing); ms++)
			usleep(1000);
	}
	ck_assert_msg(transport_is(playing), "the transports do not %s\n%s", playing ? "play" : "stop", pipeline_log(&pl));
}

static bool
is_stopped(pid_t pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'T';
}

static void
play_for(unsigned ms)
{
	uint64_t end = bh_mono_ns() + ms * BH_NS_PER_MS;
	while (bh_mono_ns() < end) {
		play_on(NULL);
		usleep(PACE_US);
	}
}

static void
measure(struct lane *lane, struct notice_bar *all, struct notice_bar *own, unsigned ms)
{
	lane->between = play_on;
	lane->data = lane;
	lane->n = 0;
	lane_measure(lane, ms, PACE_US);
	for (size_t i = 0; i < lane->n; i++)
		ck_assert(lane->ns[i] > 0);
	size_t n = lane->n;
	notice_take(all, lane);
	lane->n = n;
	notice_take(own, lane);
}

static void
stop_one(const char *name, unsigned seconds, struct notice_bar *all)
{
	struct notice_bar own = {.bench = "stopped", .what = name, .limit = 1.15};
	struct lane *lane = !strcmp(name, "router") ? NULL : !strcmp(name, "a") || !strcmp(name, "x") ? &desk[1] : &desk[0];
	char why[300];
	pid_t pid = pipeline_pid(&pl, name);
	transport(true);
	if (lane)
		measure(lane, all, &own, seconds * 150);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_msg(pipeline_until(10000, is_stopped(pid)), "%s does not stop", name);
	if (lane) {
		measure(lane, all, &own, seconds * 500);
		measure(lane, all, &own, seconds * 500);
	} else {
		play_for(seconds * 1000);
	}
	ck_assert_msg(is_stopped(pid), "%s did not stay stopped\n%s", name, pipeline_log(&pl));
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "after %s was stopped not all is ok\n%s", name, pipeline_log(&pl));
	if (lane)
		measure(lane, all, &own, seconds * 150);
	transport(false);
	ck_assert_msg(pipeline_until(20000, all_adds_up(why, sizeof(why))), "after %s was stopped: %s\n%s", name, why, pipeline_log(&pl));
	if (lane)
		bench_print("stopped", "figure", "beside a stopped %s: p99 %.1f us, quiet %.1f us", name, own.disturbed_p99[0] / 1e3, own.quiet_p99[0] / 1e3);
}

static void
begin(void)
{
	pipeline_prepare(&pl, yaml);
	lane_listen(&desk[0], &pl, "a");
	lane_listen(&desk[1], &pl, "b");
	pipeline_run(&pl);
	lane_connect(&desk[0], "x", "ch1/level");
	lane_connect(&desk[1], "y", "ch1/level");
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	slot[ROUTER] = BH_SLOT_ROUTER;
	for (unsigned k = A; k < LINKED; k++) {
		char name[24];
		snprintf(name, sizeof(name), "%s.self", linked[k]);
		ck_assert(pipeline_until(10000, pipeline_seg(&pl, name) != NULL));
		slot[k] = pipeline_seg(&pl, name)->head.writer;
	}
	for (unsigned d = 0; d < 2; d++) {
		/* The fingers lie: what is sent from here on is the hands'. */
		ck_assert(pipeline_until(10000, read_word(&account_of(A + d, ROUTER, BH_CLASS_VALUE)->sent) >= 1));
		base[d].values = read_word(&account_of(A + d, ROUTER, BH_CLASS_VALUE)->sent);
		base[d].ticks = read_word(&account_of(A + d, ROUTER, BH_CLASS_RELATIVE)->sent);
		base[d].actions = read_word(&account_of(A + d, ROUTER, BH_CLASS_ACTION)->sent);
	}
}

static void
print_account(void)
{
	static const char *const classes[] = {"values", "ticks", "actions", "meters"};
	for (unsigned c = BH_CLASS_VALUE; c <= BH_CLASS_METER; c++) {
		struct bh_account all = {0};
		for (unsigned from = 0; from < LINKED; from++)
			for (unsigned to = 0; to < LINKED; to++) {
				const struct bh_account *a = account_of(from, to, c);
				all.sent += a->sent;
				all.published += a->published;
				all.conflated += a->conflated;
				all.dropped += a->dropped;
				all.taken += a->taken;
			}
		bench_print("stopped", "figure", "%s: %llu sent = %llu delivered + %llu conflated + %llu dropped; taken %llu", classes[c],
			    (unsigned long long)all.sent, (unsigned long long)all.published, (unsigned long long)all.conflated,
			    (unsigned long long)all.dropped, (unsigned long long)all.taken);
		bench_count("stopped", classes[c], (double)(all.sent - all.taken - all.conflated - all.dropped), 0);
	}
	bench_print("stopped", "figure", "presses: %llu = %llu done + %llu late + %llu refused by the router + %llu refused by a desk",
		    (unsigned long long)fates.pressed, (unsigned long long)fates.begun, (unsigned long long)fates.late, (unsigned long long)fates.router,
		    (unsigned long long)fates.surface);
}

START_TEST(a_stopped_process_is_nobodys_death_and_every_event_is_accounted_for)
{
	static struct notice_bar all = {.bench = "stopped", .what = "beside a stopped process", .limit = 1.15};
	unsigned seconds = (unsigned)bound("BH_STOP_S", 5, 60);
	pid_t pids[BH_ARRAY_LEN(everyone)];
	srand(1);
	begin();
	for (unsigned i = 0; i < BH_ARRAY_LEN(everyone); i++)
		pids[i] = pipeline_pid(&pl, everyone[i]);
	bench_print("stopped", "bench", "each of %zu processes stopped for %u s", BH_ARRAY_LEN(everyone), seconds);
	for (unsigned i = 0; i < BH_ARRAY_LEN(everyone); i++)
		stop_one(everyone[i], seconds, &all);
	for (unsigned i = 0; i < BH_ARRAY_LEN(everyone); i++) {
		struct bh_proc_body b = {0};
		ck_assert_msg(pipeline_pid(&pl, everyone[i]) == pids[i], "%s was taken for dead\n%s", everyone[i], pipeline_log(&pl));
		pipeline_body(&pl, everyone[i], &b);
		ck_assert_msg(b.hangs == 0 && b.restarts == 0, "%s: %u hangs, %u restarts", everyone[i], b.hangs, b.restarts);
	}
	ck_assert(pipeline_number(&pl, "x", "ledger/twice") == 0 && pipeline_number(&pl, "y", "ledger/twice") == 0);
	bench_count("stopped", "false deaths", 0, 0);
	print_account();
	notice_print(&all);
}
END_TEST

static void
teardown(void)
{
	pipeline_stop(&pl);
	lane_close(&desk[0]);
	lane_close(&desk[1]);
	pipeline_clean(&pl);
}

int
main(void)
{
	Suite *s = suite_create("stopped");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, (double)bound("BH_TIMEOUT", 300, 14000));
	tcase_add_test(t, a_stopped_process_is_nobodys_death_and_every_event_is_accounted_for);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
