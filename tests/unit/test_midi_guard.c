/* bh-midi's loop guard: what loops do is cut in time, what hands and machines do never is. */
#include <check.h>
#include <stdlib.h>

#include "procs/midi/guard.h"

#define MS 1000000ull

static struct midi_guard g;

static void
setup(void)
{
	g = (struct midi_guard){0};
}

/* Messages of `kinds` different sorts in turn, one each gap, until one is stopped or `count` have passed. How many passed. */
static uint64_t
stream(uint64_t *now, uint64_t count, unsigned kinds, uint64_t gap_ns, bool often)
{
	for (uint64_t i = 0; i < count; i++, *now += gap_ns) {
		uint32_t msg = (uint32_t)(i % kinds);

		if (midi_guard_step(&g, midi_guard_hash(&msg, sizeof(msg)), often, *now) != MIDI_GUARD_PASS)
			return i;
	}
	return count;
}

START_TEST(a_loop_over_a_virtual_cable_is_cut_within_a_tenth_of_a_second)
{
	uint64_t now = MS;

	ck_assert_uint_lt(stream(&now, 10000, 1, MS / 10, false), 300);
	ck_assert_uint_lt(now, 100 * MS);
	ck_assert(midi_guard_is_cut(&g, now));
	ck_assert_uint_eq(g.cuts, 1);
}
END_TEST

/* A fader is moved while its messages go round: ever more of them share the cable. */
START_TEST(a_loop_of_many_messages_is_cut_too)
{
	uint64_t now = MS;

	ck_assert_uint_lt(stream(&now, 100000, 90, MS / 10, false), 1000);
	setup();
	now = MS;
	ck_assert_uint_lt(stream(&now, 100000, 50, 1100000, false), 1000); /* DIN: 900 messages a second */
}
END_TEST

START_TEST(a_loop_over_a_din_cable_is_cut_within_half_a_second)
{
	uint64_t now = MS;

	ck_assert_uint_lt(stream(&now, 10000, 1, 1100000, false), 400);
	ck_assert_uint_lt(now, 500 * MS);
}
END_TEST

START_TEST(an_echo_of_each_message_never_cuts)
{
	uint64_t now = MS;

	/* A fader of 190 steps a second for ten seconds, each of which comes twice. */
	for (uint32_t i = 0; i < 1900; i++, now += 1000000000ull / 190)
		for (int k = 0; k < 2; k++) {
			uint32_t msg = i % 1024;

			ck_assert_int_eq(midi_guard_step(&g, midi_guard_hash(&msg, 4), false, now), MIDI_GUARD_PASS);
		}
	ck_assert_uint_eq(g.cuts, 0);
}
END_TEST

START_TEST(an_encoder_spun_by_a_hand_never_cuts)
{
	uint64_t now = MS;

	ck_assert_uint_eq(stream(&now, 300, 1, 1000000000ull / 300, false), 300); /* one second without a pause */
	now += 500 * MS;
	ck_assert_uint_eq(stream(&now, 300, 1, 1000000000ull / 300, false), 300);
}
END_TEST

START_TEST(clock_and_meters_never_cut)
{
	uint64_t now = MS;

	ck_assert_uint_eq(stream(&now, 20000, 1, 1000000000ull / 120, true), 20000);    /* clock at 300 BPM */
	setup();
	now = MS;
	ck_assert_uint_eq(stream(&now, 100000, 8, 1000000000ull / 640, true), 100000); /* 8 meters, 80 a second */
}
END_TEST

START_TEST(a_cut_is_tried_again_and_waits_longer_each_time)
{
	uint64_t now = MS, wait = MIDI_GUARD_CUT_MIN_NS;
	uint32_t msg = 1;

	for (int i = 0; i < 8; i++) {
		ck_assert_uint_lt(stream(&now, 10000, 1, MS / 10, false), 10000);
		ck_assert_uint_eq(g.until_ns, now + wait);
		ck_assert_int_eq(midi_guard_step(&g, midi_guard_hash(&msg, 4), false, g.until_ns - 1), MIDI_GUARD_STOP);
		now = g.until_ns;
		wait = wait * 2 > MIDI_GUARD_CUT_MAX_NS ? MIDI_GUARD_CUT_MAX_NS : wait * 2;
	}
	ck_assert_uint_eq(wait, MIDI_GUARD_CUT_MAX_NS);
	ck_assert_uint_eq(g.cuts, 8);
	/* A calm minute, and it begins from the start. */
	now += MIDI_GUARD_CALM_NS;
	ck_assert_uint_lt(stream(&now, 10000, 1, MS / 10, false), 10000);
	ck_assert_uint_eq(g.until_ns, now + MIDI_GUARD_CUT_MIN_NS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi guard");
	TCase *tc = tcase_create("guard");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_loop_over_a_virtual_cable_is_cut_within_a_tenth_of_a_second);
	tcase_add_test(tc, a_loop_of_many_messages_is_cut_too);
	tcase_add_test(tc, a_loop_over_a_din_cable_is_cut_within_half_a_second);
	tcase_add_test(tc, an_echo_of_each_message_never_cuts);
	tcase_add_test(tc, an_encoder_spun_by_a_hand_never_cuts);
	tcase_add_test(tc, clock_and_meters_never_cut);
	tcase_add_test(tc, a_cut_is_tried_again_and_waits_longer_each_time);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
