/* bh-midi's connections: every cell of the table in conn.h, the waits, and the names of peers. */
#include <check.h>
#include <stdlib.h>

#include "procs/midi/conn.h"

static struct midi_conn
in_state(enum midi_conn_state state)
{
	struct midi_conn c = {0};

	if (state != MIDI_CONN_ABSENT)
		ck_assert(midi_conn_step(&c, MIDI_CONN_SEEN, 0));
	if (state == MIDI_CONN_LINKED)
		ck_assert(!midi_conn_step(&c, MIDI_CONN_MADE, 0));
	ck_assert_int_eq(c.state, state);
	return c;
}

START_TEST(every_state_answers_every_event_as_the_table_says)
{
	static const struct {
		enum midi_conn_state next;
		bool connects;
	} want[3][6] = {
		/* seen, gone, made, refused, cut, tick */
		{{1, true}, {0, false}, {0, false}, {0, false}, {0, false}, {0, false}},
		{{1, true}, {0, false}, {2, false}, {1, false}, {1, false}, {1, false}},
		{{2, false}, {0, false}, {2, false}, {2, false}, {1, false}, {2, false}},
	};

	for (int s = 0; s < 3; s++)
		for (int e = 0; e < 6; e++) {
			struct midi_conn c = in_state((enum midi_conn_state)s);

			ck_assert_int_eq(midi_conn_step(&c, (enum midi_conn_event)e, 1000),
					 want[s][e].connects);
			ck_assert_int_eq(c.state, want[s][e].next);
		}
}
END_TEST

START_TEST(refusals_wait_longer_each_time_up_to_a_bound)
{
	struct midi_conn c = in_state(MIDI_CONN_TRYING);
	uint64_t now = 0, wait = MIDI_CONN_WAIT_MIN_NS;

	for (int i = 0; i < 12; i++) {
		midi_conn_step(&c, MIDI_CONN_REFUSED, now);
		ck_assert_uint_eq(c.retry_ns, now + wait);
		ck_assert(!midi_conn_step(&c, MIDI_CONN_TICK, c.retry_ns - 1));
		now = c.retry_ns;
		ck_assert(midi_conn_step(&c, MIDI_CONN_TICK, now));
		ck_assert(!midi_conn_step(&c, MIDI_CONN_TICK, now)); /* once */
		wait = wait * 2 > MIDI_CONN_WAIT_MAX_NS ? MIDI_CONN_WAIT_MAX_NS : wait * 2;
	}
	ck_assert_uint_eq(wait, MIDI_CONN_WAIT_MAX_NS);
	/* One good connection, and the next refusal begins from the start. */
	midi_conn_step(&c, MIDI_CONN_MADE, now);
	midi_conn_step(&c, MIDI_CONN_CUT, now);
	ck_assert_uint_eq(c.retry_ns, now + MIDI_CONN_WAIT_MIN_NS);
}
END_TEST

START_TEST(a_cut_link_whose_peer_stands_is_made_again)
{
	struct midi_conn c = in_state(MIDI_CONN_LINKED);

	midi_conn_step(&c, MIDI_CONN_CUT, 0);
	ck_assert(midi_conn_step(&c, MIDI_CONN_TICK, MIDI_CONN_WAIT_MIN_NS));
}
END_TEST

START_TEST(an_unplugged_peer_is_not_called)
{
	struct midi_conn c = in_state(MIDI_CONN_LINKED);

	midi_conn_step(&c, MIDI_CONN_CUT, 0);
	midi_conn_step(&c, MIDI_CONN_GONE, 0);
	ck_assert(!midi_conn_step(&c, MIDI_CONN_TICK, MIDI_CONN_WAIT_MAX_NS));
	ck_assert(midi_conn_step(&c, MIDI_CONN_SEEN, MIDI_CONN_WAIT_MAX_NS));
}
END_TEST

START_TEST(peers_are_found_by_a_part_of_their_name_in_any_case)
{
	static const struct {
		const char *wanted, *client, *port;
		enum midi_conn_match match;
	} rows[] = {
		{"X-Touch:X-Touch X-TOUCH_INT", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_EXACT},
		{"X-Touch:X-TOUCH_INT", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_EXACT},
		{"x-touch:x-touch_int", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_EXACT},
		{"X-Touch:INT", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_PART},
		{"touch:int", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_PART},
		{"X-Touch", "X-Touch", "anything", MIDI_CONN_EXACT},
		{"X-Touch", "X-Touch-Ext", "X-Touch", MIDI_CONN_PART},
		{"um-one", "UM-ONE", "UM-ONE MIDI 1", MIDI_CONN_EXACT},
		{"Midi Through:Midi Through Port-0", "Midi Through", "Midi Through Port-0", MIDI_CONN_EXACT},
		{"aseqdump:aseqdump", "aseqdump", "aseqdump        ", MIDI_CONN_EXACT},
		{"a2j: synth:out: 1", "a2j: synth", "out: 1", MIDI_CONN_EXACT},
		{"X-Touch:X-TOUCH_EXT", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_NO},
		{"X-Touchy", "X-Touch", "X-Touch X-TOUCH_INT", MIDI_CONN_NO},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ck_assert_msg(midi_conn_match(rows[i].wanted, rows[i].client, rows[i].port) == rows[i].match, "%s",
			      rows[i].wanted);
}
END_TEST

START_TEST(an_empty_pattern_never_matches_the_first_port)
{
	ck_assert_int_eq(midi_conn_match("", "X-Touch", "INT"), MIDI_CONN_NO);
	ck_assert_int_eq(midi_conn_match("", "", ""), MIDI_CONN_NO);
	ck_assert_int_eq(midi_conn_match("X-Touch:", "X-Touch", "X-Touch X-TOUCH_INT"), MIDI_CONN_NO);
	ck_assert_int_eq(midi_conn_match(":INT", "X-Touch", "INT"), MIDI_CONN_NO);
	ck_assert_int_eq(midi_conn_match(":", "X-Touch", "INT"), MIDI_CONN_NO);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi conn");
	TCase *tc = tcase_create("conn");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, every_state_answers_every_event_as_the_table_says);
	tcase_add_test(tc, refusals_wait_longer_each_time_up_to_a_bound);
	tcase_add_test(tc, a_cut_link_whose_peer_stands_is_made_again);
	tcase_add_test(tc, an_unplugged_peer_is_not_called);
	tcase_add_test(tc, peers_are_found_by_a_part_of_their_name_in_any_case);
	tcase_add_test(tc, an_empty_pattern_never_matches_the_first_port);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
