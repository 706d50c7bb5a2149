/*
 * Random steps of hands, backend and pages through the whole pipeline on the simulated desk: after silence the desk shows what the
 * mixer holds, every press that counts was decided once, and turning all pages once round changes nothing. The same properties,
 * in millions of steps and with late backends, are those of test_core_property.c; here they go through every process.
 *
 * BH_LIVE_STEPS: how many (10000). BH_SEED: of the steps; a failure names it.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/taper.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define PAGES 3u
#define STRIPS 4u
#define BATCH 100u
#define SILENCE_EVERY 2500u

static struct pipeline pl;
static struct simdesk *desk;
static char yaml[8192], line[8192], out[4096];
static uint64_t seed, state;
static unsigned step;
static unsigned long presses;

static unsigned
rnd(unsigned below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((state >> 33) % below);
}

static void
make_yaml(void)
{
	size_t n = (size_t)snprintf(yaml, sizeof(yaml),
				    "bulkhead: 1\n"
				    "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
				    "drivers: {loop: {kind: loop, channels: %u, meters: false, max_age_ms: 1h}}\n"
				    "router: {" PIPELINE_PATIENT_PRESSES "}\n" PIPELINE_PATIENT
				    "global: {bindings: {bank_right: {action: page/next}, bank_left: {action: page/previous}, play: {action: loop/mark},"
				    " timecode: {display: page}}}\n"
				    "pages:\n",
				    PAGES * STRIPS);
	for (unsigned p = 0; p < PAGES; p++) {
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "  - name: P%u\n    bindings:\n", p);
		for (unsigned k = 1; k <= STRIPS; k++) {
			unsigned ch = p * STRIPS + k;
			n += (size_t)snprintf(yaml + n, sizeof(yaml) - n,
					      "      fader%u: loop/ch%u/level\n      mute%u: loop/ch%u/mute\n"
					      "      vpot%u: {relative: loop/ch%u/pan, step: 0.02, ring: pan}\n"
					      "      strip%u: {strip: loop/ch%u/level, text: C%u}\n",
					      k, ch, k, ch, k, ch, k, ch, ch);
		}
	}
	ck_assert_uint_lt(n, sizeof(yaml));
}

static void
setup(void)
{
	const char *s = getenv("BH_SEED");
	seed = state = s ? strtoull(s, NULL, 10) : 20261121;
	step = 0;
	presses = 0;
	make_yaml();
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	simdesk_must(desk, "set settle instant");
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

/* ------------------------------------------------------------------ steps */

static size_t
add_step(size_t n)
{
	unsigned what = rnd(100), k = 1 + rnd(STRIPS);
	char *at = line + n;
	size_t room = sizeof(line) - n;
	if (what < 45)
		return (size_t)snprintf(at, room, "move %u %.4f over 2ms touching; ", k, rnd(20) ? rnd(16384) / 16383.0 : (double)rnd(2));
	if (what < 60)
		return (size_t)snprintf(at, room, "tap mute%u for 1ms; ", k);
	if (what < 80)
		return (size_t)snprintf(at, room, "turn %u %d; ", k, (int)rnd(15) - 7);
	if (what < 92) {
		presses++;
		return (size_t)snprintf(at, room, "tap play for 1ms; ");
	}
	return (size_t)snprintf(at, room, "tap bank_%s for 1ms; ", rnd(2) ? "right" : "left");
}

static void
set(const char *param, double x)
{
	char value[32];
	snprintf(value, sizeof(value), "%g", x);
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", "set", param, "--", value, NULL);
	ck_assert_msg(r == 0, "set %s %s ends with %d: %s", param, value, r, out);
}

/* Somebody at another place of the room. */
static void
backend_moves(void)
{
	char param[40];
	unsigned ch = 1 + rnd(PAGES * STRIPS);
	snprintf(param, sizeof(param), "loop/ch%u/%s", ch, rnd(2) ? "level" : "mute");
	set(param, strstr(param, "level") ? -90 + (double)rnd(100) : (double)rnd(2));
}

/* ------------------------------------------------------------------ after silence */

static uint32_t
page_shown(void)
{
	const struct bh_seg *seg = pipeline_seg(&pl, "router.state");
	uint32_t count;
	struct bh_rec_global g;
	const struct bh_record *rec = seg ? bh_seg_section(seg, BH_SEC_RECORDS, sizeof(*rec), &count) : NULL;
	ck_assert_ptr_nonnull(rec);
	ck_assert_int_eq(bh_record_read(&rec[BH_REC_GLOBAL], NULL, &g), 1);
	return g.page;
}

static int
mixer_target(unsigned ch)
{
	static const struct bh_taper_range range = {BH_TAPER_FADER_DB, -90, 10, 0};
	char param[32];
	snprintf(param, sizeof(param), "ch%u/level", ch);
	return (int)lround(bh_taper_position(&range, pipeline_number(&pl, "loop", param)) * 16380);
}

static bool
settled(unsigned ch, const char *what)
{
	char param[32];
	snprintf(param, sizeof(param), "ch%u/%s", ch, what);
	return pipeline_settled(&pl, "loop", param);
}

static int64_t
decided(void)
{
	return (int64_t)pipeline_number(&pl, "loop", "ledger/actions");
}

static void
expect_the_truth(void)
{
	simdesk_must(desk, "wait hands within 30s; wait motors within 30s");
	/* The windows of hands and echoes are over, and the value overlays have left the strips. */
	simdesk_must(desk, "expect quiet for 2500ms within 60s");
	uint32_t page = page_shown();
	for (unsigned ch = 1; ch <= PAGES * STRIPS; ch++)
		ck_assert_msg(pipeline_until(5000, settled(ch, "level") && settled(ch, "mute") && settled(ch, "pan")),
			      "channel %u is not what was wanted (BH_SEED=%llu, step %u)\n%s", ch, (unsigned long long)seed, step,
			      pipeline_log(&pl));
	for (unsigned k = 1; k <= STRIPS; k++) {
		unsigned ch = page * STRIPS + k;
		char param[32];
		int shown = simdesk_pos(desk, (int)k);
		ck_assert_msg(abs(shown - mixer_target(ch)) <= 8, "fader %u stands at %d, the mixer's channel %u is at %d (BH_SEED=%llu, step %u)\n%s", k,
			      shown, ch, mixer_target(ch), (unsigned long long)seed, step, pipeline_log(&pl));
		snprintf(param, sizeof(param), "ch%u/mute", ch);
		simdesk_must(desk, "expect led mute%u %s within 10s", k, pipeline_number(&pl, "loop", param) > 0 ? "on" : "off");
	}
	ck_assert_msg(pipeline_until(5000, decided() == (int64_t)presses), "%lu presses, %lld actions (BH_SEED=%llu, step %u)\n%s", presses,
		      (long long)decided(), (unsigned long long)seed, step, pipeline_log(&pl));
	ck_assert_double_eq(pipeline_number(&pl, "loop", "ledger/twice"), 0);
}

/* Nothing goes to the mixer by that. */
static void
turn_round(void)
{
	double before[PAGES * STRIPS + 1];
	char param[32];
	for (unsigned ch = 1; ch <= PAGES * STRIPS; ch++) {
		snprintf(param, sizeof(param), "ch%u/level", ch);
		before[ch] = pipeline_number(&pl, "loop", param);
	}
	uint32_t page = page_shown();
	for (unsigned k = 0; k < PAGES; k++)
		simdesk_must(desk, "tap bank_right; expect quiet for 300ms within 30s");
	ck_assert(pipeline_until(5000, page_shown() == page));
	expect_the_truth();
	for (unsigned ch = 1; ch <= PAGES * STRIPS; ch++) {
		snprintf(param, sizeof(param), "ch%u/level", ch);
		ck_assert_double_eq(pipeline_number(&pl, "loop", param), before[ch]);
	}
}

START_TEST(ten_thousand_random_steps_end_in_the_truth)
{
	const char *s = getenv("BH_LIVE_STEPS");
	unsigned steps = s ? (unsigned)strtoul(s, NULL, 10) : 10000;
	while (step < steps) {
		size_t n = 0;
		for (unsigned k = 0; k < BATCH; k++, step++)
			n += add_step(n);
		ck_assert_uint_lt(n, sizeof(line));
		line[n - 2] = '\0';
		simdesk_must(desk, "%s", line);
		backend_moves();
		if (step % SILENCE_EVERY == 0)
			expect_the_truth();
	}
	turn_round();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("live");
	TCase *t = tcase_create("live");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, ten_thousand_random_steps_end_in_the_truth);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
