/*
 * Two hundred saves of the configuration, every second one broken, while hands move faders, turn V-Pots and press: each good one is
 * taken, each broken one is told, no event is lost, and nothing on the desk is written with what it already shows.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/compiled.h"
#include "procs/router/taper.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

/* Ages so large that a busy machine drops no action: what is late is not what is looked at here. */
#define HEAD \
	"bulkhead: 1\n" \
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n" \
	"supervisor: {watch_delay_ms: 10ms}\n" \
	"router: {" PIPELINE_PATIENT_PRESSES ", settle: %ums, overlay: 0ms}\n" \
	"drivers:\n" \
	"  loop: {kind: loop, channels: 8, meters: false, max_age_ms: 1m}\n" \
	"  bus: {kind: loop, channels: 8, meters: false, max_age_ms: %um}\n"

#define PAGES \
	"pages:\n" \
	"  - name: Mix\n" \
	"    bindings:\n" \
	"      fader1: loop/ch1/level\n" \
	"      fader2: loop/ch%u/level\n" \
	"      fader3: bus/ch1/level\n" \
	"      fader4: bus/ch2/level\n" \
	"      mute1: loop/ch1/mute\n" \
	"      mute2: loop/ch%u/mute\n" \
	"      vpot1: {relative: loop/ch1/pan, step: 0.01}\n" \
	"      vpot2: {relative: bus/ch1/pan, step: 0.01}\n" \
	"      play: {action: loop/mark}\n" \
	"      strip1: {strip: loop/ch1/level, text: One}\n" \
	"      strip2: {strip: loop/ch%u/level, text: Ch %u}\n"

static struct pipeline pl;
static struct simdesk *desk;

static const char *const names[] = {"keeper", "supervisor", "router", "control", "store", "desk", "loop", "bus"};
static pid_t pid[BH_ARRAY_LEN(names)];

/* ------------------------------------------------------------------ the file */

/* The n-th good one: no two have the same text; fader 2 goes to and fro between channels 2 and 5. */
static const char *
good(unsigned n)
{
	static char text[4096];
	unsigned ch = n % 2 ? 5 : 2;
	snprintf(text, sizeof(text), "# %u\n" HEAD PAGES "%s", n, n % 3 ? 90 : 60, n % 5 + 1, ch, ch, ch, ch,
		 n % 4 == 3 ? "  - name: Extra\n    bindings: {fader1: bus/ch2/level}\n" : "");
	return text;
}

/* The n-th broken one, and the words by which it is told. */
static const char *
broken(unsigned n, char *words, size_t cap)
{
	static char text[4096];
	switch (n % 4) {
	case 0: /* a key that there is not */
		snprintf(text, sizeof(text), HEAD PAGES "      fadr%u: loop/ch6/level\n", 90, 1, 5, 5, 5, 5, n);
		snprintf(words, cap, "fadr%u", n);
		break;
	case 1: /* a value that is none */
		snprintf(text, sizeof(text), "bulkhead: 1\ndrivers: {loop: {kind: loop, channels: many%u}}\n", n);
		snprintf(words, cap, "many%u", n);
		break;
	case 2: /* half a file */
		snprintf(text, sizeof(text), "%.*s" HEAD "pages:\n  - name: [", (int)(1 + n % 40), "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 90, 1);
		snprintf(words, cap, ".yaml:%u:", 1 + n % 40 + 9);
		break;
	default: /* a driver that there is not */
		snprintf(text, sizeof(text), "bulkhead: 1\ndrivers: {loop: {kind: lop%u}}\n", n);
		snprintf(words, cap, "lop%u", n);
		break;
	}
	return text;
}

/* As editors do. */
static void
save(const char *text)
{
	char temp[128], path[128];
	snprintf(temp, sizeof(temp), "%s/.pipeline.yaml.swp", pl.dir);
	snprintf(path, sizeof(path), "%s/pipeline.yaml", pl.dir);
	FILE *f = fopen(temp, "w");
	ck_assert_ptr_nonnull(f);
	for (const char *p = text; *p;) {
		if (!strncmp(p, "@DIR@", 5)) {
			fputs(pl.dir, f);
			p += 5;
		} else {
			fputc(*p++, f);
		}
	}
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(rename(temp, path), 0);
}

static uint64_t
taken(void)
{
	const struct bh_seg *t = pipeline_seg(&pl, "bulkhead.table");
	const struct bh_table_head *h = bh_seg_section(t, BH_SEC_TABLE, sizeof(*h), NULL);
	return __atomic_load_n(&h->config_generation, __ATOMIC_ACQUIRE);
}

static bool
is_told(const char *words)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, "supervisor", &b) && strstr(b.health.reason, words);
}

/* ------------------------------------------------------------------ what must have come of it */

static int
position_of(const char *driver, const char *param)
{
	static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};
	return (int)lround(bh_taper_position(&level_range, pipeline_number(&pl, driver, param)) * 16380);
}

/* The hand, the mixer and the motor are at one. */
static void
expect_fader(const char *end, unsigned n, const char *driver, const char *param)
{
	char name[16];
	snprintf(name, sizeof(name), "fader%u", n);
	int hand = (int)simdesk_number(end, "\"faders\"", name);
	ck_assert_msg(pipeline_until(10000, abs(position_of(driver, param) - hand) <= 8), "fader %u was left at %d, %s/%s is at %d\n%s", n,
		      hand, driver, param, position_of(driver, param), pipeline_log(&pl));
	int pos = simdesk_pos(desk, (int)n);
	ck_assert_msg(abs(pos - hand) <= 8, "fader %u was left at %d and stands at %d\n%s", n, hand, pos, pipeline_log(&pl));
}

/* Ticks that hands turned, those that the surface told, those that the router took. */
static bool
ticks_are(int64_t turned)
{
	uint32_t cells = 0, count = 0;
	const struct bh_seg *out = pipeline_seg(&pl, "desk>router"), *state = pipeline_seg(&pl, "router.state");
	const struct bh_cell *cell = bh_seg_section(out, BH_SEC_CELLS, sizeof(*cell), &cells);
	const struct bh_record *rec = bh_seg_section(state, BH_SEC_RECORDS, sizeof(*rec), &count);
	int64_t told = 0, took = 0;
	for (uint32_t r = BH_REC_FIRST; r < count; r++) {
		struct bh_rec_control c;
		struct bh_cell_body body;
		if (bh_record_read(&rec[r], NULL, &c) != 1 || c.tag != BH_REC_TAG_CONTROL || c.kind != BH_CTL_VPOT)
			continue;
		if (c.index < cells && bh_cell_read(&cell[c.index], &body) > 0)
			told += (int32_t)body.total;
		took += (int32_t)c.seen_total;
	}
	return told == turned && took == turned;
}

/* Every press became an action, or its refusal is counted. */
static int64_t
presses_decided(void)
{
	const struct bh_seg *state = pipeline_seg(&pl, "router.state");
	uint32_t count = 0;
	uint32_t dropped = 0;
	const struct bh_record *rec = bh_seg_section(state, BH_SEC_RECORDS, sizeof(*rec), &count);
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		struct bh_rec_peer p;
		if (bh_record_read(&rec[BH_REC_PEER(s)], NULL, &p) == 1 && p.tag == BH_REC_TAG_PEER && p.flags & BH_PEER_DRIVER)
			dropped += p.dropped;
	}
	return (int64_t)pipeline_number(&pl, "loop", "ledger/actions") + dropped;
}

static void
expect_presses(const char *end)
{
	int64_t presses = simdesk_number(end, "\"presses\"", "play");
	ck_assert_int_gt(presses, 3);
	ck_assert_msg(pipeline_until(10000, presses_decided() == presses), "%lld presses, %lld actions\n%s", (long long)presses,
		      (long long)presses_decided(), pipeline_log(&pl));
	ck_assert(pipeline_number(&pl, "loop", "ledger/twice") == 0);
}

/* Entries of `targets`: [seconds, fader, value, position of the cap, touched, stale]. */
struct target {
	double at;
	int fader, value, pos;
};

static const char *
next_target(const char *p, struct target *t)
{
	p = strchr(p, '[');
	if (!p || sscanf(p, "[%lf,%d,%d,%d,", &t->at, &t->fader, &t->value, &t->pos) != 4)
		return NULL;
	return p + 1;
}

/*
 * A motor is never told where it was sent last and the cap still stands. Whether it worked against a hand is not looked at here: on a
 * busy machine a hand is back before its last position was confirmed, which is late and not wrong.
 */
static void
expect_calm_motors(void)
{
	int sent[10];
	struct target t;
	memset(sent, 0xff, sizeof(sent));
	simdesk_must(desk, "targets");
	const char *p = strstr(simdesk_output(desk), "\"targets\":[");
	ck_assert_ptr_nonnull(p);
	for (p += strlen("\"targets\":["); (p = next_target(p, &t));) {
		ck_assert_msg(sent[t.fader] != t.value || abs(t.pos - t.value) > 4,
			      "at %.3f fader %d was sent to %d, where it was sent before and stood", t.at, t.fader, t.value);
		sent[t.fader] = t.value;
	}
}

/* Messages that changed nothing. When a desk appears it is told all, whatever it shows: that is taken out. */
static const char *const kinds[] = {"led", "ring", "lcd", "color", "digit"};
static uint64_t at_first[BH_ARRAY_LEN(kinds)];

static uint64_t
redundant(unsigned kind)
{
	char counter[32];
	snprintf(counter, sizeof(counter), "%s.redundant", kinds[kind]);
	return simdesk_counter(desk, counter);
}

/* What was ever written to the motor of fader 4, which no hand touches in the storm. */
static int64_t
writes_to_the_still_one(void)
{
	return simdesk_number(simdesk_state(desk), "\"name\":\"fader4\"", "writes");
}

static void
expect_no_flicker(void)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(kinds); i++) {
		uint64_t n = redundant(i) - at_first[i];
		ck_assert_msg(n == 0, "%llu messages of kind %s changed nothing on the desk\n%s", (unsigned long long)n, kinds[i],
			      pipeline_log(&pl));
	}
	ck_assert_uint_eq(simdesk_counter(desk, "odd"), 0);
	expect_calm_motors();
}

/* ------------------------------------------------------------------ the storm */

static void
keep_moving(unsigned *seed)
{
	if (!simdesk_is_over(desk))
		return;
	if (*seed)
		ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	simdesk_begin(desk, "random-load seed %u for 2s rate 80 using fader1 fader2 fader3 vpot1 vpot2 mute1 mute2 play", ++*seed);
}

START_TEST(every_good_file_is_taken_every_broken_one_is_told_and_the_desk_does_not_notice)
{
	unsigned rounds = getenv("BH_KILLS") ? 40 : 200, seed = 0; /* BH_KILLS: a build that is many times slower */
	uint64_t before = taken(), good_ones = 0;
	char words[32];
	simdesk_must(desk, "move 4 0.7 over 0.1s touching; wait hands; wait motors within 30s; expect quiet for 500ms within 30s");
	int64_t still = writes_to_the_still_one();
	for (unsigned i = 0; i < rounds; i++) {
		if (!seed)
			simdesk_begin(desk, "random-load seed %u for 2s rate 80 using fader1 fader2 fader3 vpot1 vpot2 mute1 mute2 play", ++seed);
		keep_moving(&seed);
		if (i % 2) {
			save(broken(i / 2, words, sizeof(words)));
			ck_assert_msg(pipeline_until(30000, is_told(words)), "save %u: \"%s\" is not told\n%s", i, words, pipeline_log(&pl));
		} else {
			save(good(1 + i / 2));
			good_ones++;
			ck_assert_msg(pipeline_until(30000, taken() == before + good_ones), "save %u is not taken\n%s", i, pipeline_log(&pl));
		}
	}
	save(good(2 * rounds));
	ck_assert(pipeline_until(30000, taken() == before + good_ones + 1));
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		ck_assert_msg(pipeline_pid(&pl, names[i]) == pid[i], "%s was restarted\n%s", names[i], pipeline_log(&pl));
	/* One more gesture on fader 2, which may have been let go of when another parameter came. */
	simdesk_must(desk, "wait hands; move 2 0.6 over 0.1s touching; wait hands; wait motors within 30s; expect quiet for 500ms within 30s");
	simdesk_must(desk, "end-state");
	char end[16384];
	snprintf(end, sizeof(end), "%s", simdesk_output(desk));
	expect_fader(end, 1, "loop", "ch1/level");
	expect_fader(end, 2, "loop", "ch2/level");
	expect_fader(end, 3, "bus", "ch1/level");
	simdesk_must(desk, "expect led mute1 %s within 30s", pipeline_number(&pl, "loop", "ch1/mute") > 0 ? "on" : "off");
	int64_t turned = simdesk_number(end, "\"vpots\"", "vpot1") + simdesk_number(end, "\"vpots\"", "vpot2");
	ck_assert_msg(pipeline_until(10000, ticks_are(turned)), "not all of %lld ticks have arrived\n%s", (long long)turned, pipeline_log(&pl));
	expect_presses(end);
	expect_no_flicker();
	ck_assert_int_eq(writes_to_the_still_one(), still);
	ck_assert_int_le(abs(simdesk_pos(desk, 4) - (int)lround(0.7 * 16380)), 8);
}
END_TEST

START_TEST(nothing_at_all_is_sent_to_a_desk_whose_picture_does_not_change)
{
	uint64_t before = taken();
	char text[4200];
	simdesk_must(desk, "move 1 0.4 over 0.1s touching; wait hands; wait motors within 30s; expect quiet for 500ms within 30s; mark");
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "%s  - name: Page %u\n    bindings: {fader1: bus/ch3/level, mute1: bus/ch3/mute}\n", good(0), i);
		save(text);
		ck_assert_msg(pipeline_until(30000, taken() == before + i + 1), "save %u is not taken\n%s", i, pipeline_log(&pl));
	}
	simdesk_must(desk, "expect quiet for 500ms within 30s; expect bytes = 0 since mark");
}
END_TEST

static void
setup(void)
{
	pipeline_prepare(&pl, "");
	save(good(0));
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	simdesk_set_patience(desk, 120000);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(30000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer; expect quiet for 500ms within 30s");
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		pid[i] = pipeline_pid(&pl, names[i]);
	for (unsigned i = 0; i < BH_ARRAY_LEN(kinds); i++)
		at_first[i] = redundant(i);
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

int
main(void)
{
	Suite *s = suite_create("reload_storm");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, every_good_file_is_taken_every_broken_one_is_told_and_the_desk_does_not_notice);
	tcase_add_test(t, nothing_at_all_is_sent_to_a_desk_whose_picture_does_not_change);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
