/* bh-midi's pure half: values and events, 14-bit pairs, the index, system exclusive, hexadecimal.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/midi/proto.h"

/* For the many: an assertion of check costs a write. */
#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			ck_abort_msg("%s", #x);                                                    \
	} while (0)

static struct midi_map
map(enum midi_type type, uint32_t channel, uint32_t number, double min, double max)
{
	struct midi_map m;
	char why[100];

	HOLDS(midi_map_init(&m, type, channel, number, min, max, why, sizeof(why)) == 0);
	return m;
}

static bool
feed(const struct midi_map *m, struct midi_pair *p, uint8_t number, uint16_t value, uint64_t now,
     uint16_t *raw)
{
	struct midi_event ev = {.kind = MIDI_EV_CONTROL, .number = number, .value = value};

	return midi_map_in(m, p, &ev, now, raw);
}

START_TEST(every_raw_value_survives_the_way_there_and_back)
{
	static const double ranges[][2] = {{0, 0}, {0, 1}, {-60, 10}, {100, 0}, {1, 128}};

	for (enum midi_type t = 0; t < MIDI_TYPE_COUNT; t++)
		for (size_t r = 0; r < sizeof(ranges) / sizeof(*ranges); r++) {
			struct midi_map m = map(t, 1, 0, ranges[r][0], ranges[r][1]);

			for (uint16_t raw = 0; raw <= midi_raw_max(t); raw++)
				HOLDS(midi_to_raw(&m, midi_to_value(&m, raw)) == raw);
		}
}
END_TEST

START_TEST(values_beyond_the_range_are_clamped)
{
	struct midi_map m = map(MIDI_CC, 1, 7, -60, 10), turned = map(MIDI_CC, 1, 7, 10, -60);

	ck_assert_uint_eq(midi_to_raw(&m, -1e9), 0);
	ck_assert_uint_eq(midi_to_raw(&m, 1e9), 127);
	ck_assert_uint_eq(midi_to_raw(&m, INFINITY), 127);
	ck_assert_uint_eq(midi_to_raw(&m, -INFINITY), 0);
	ck_assert_uint_eq(midi_to_raw(&m, NAN), 0);
	ck_assert_uint_eq(midi_to_raw(&turned, 11), 0);
	ck_assert_uint_eq(midi_to_raw(&turned, -61), 127);
	ck_assert_double_eq(midi_to_value(&m, 60000), 10);
}
END_TEST

START_TEST(pitch_bend_rests_at_zero)
{
	struct midi_map m = map(MIDI_PITCHBEND, 1, 0, 0, 0);

	ck_assert_uint_eq(midi_to_raw(&m, 0), 8192);
	ck_assert_double_eq(midi_to_value(&m, 8192), 0);
}
END_TEST

START_TEST(what_midi_cannot_say_is_refused_with_the_reason)
{
	struct midi_map m;
	char why[100] = "";

	ck_assert_int_eq(midi_map_init(&m, MIDI_CC, 0, 7, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "1 to 16"));
	ck_assert_int_eq(midi_map_init(&m, MIDI_CC, 17, 7, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(midi_map_init(&m, MIDI_CC, 1, 128, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(midi_map_init(&m, MIDI_CC14, 1, 32, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "cc14"));
	ck_assert_int_eq(midi_map_init(&m, MIDI_NRPN, 1, 16384, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(midi_map_init(&m, MIDI_PRESSURE, 1, 1, 0, 0, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(midi_map_init(&m, MIDI_NOTE, 1, 60, 5, 5, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(midi_map_init(&m, MIDI_NOTE, 1, 60, NAN, 5, why, sizeof(why)), -EINVAL);
}
END_TEST

START_TEST(a_high_half_waits_for_its_low_half)
{
	struct midi_map m = map(MIDI_CC14, 1, 7, 0, 0);
	struct midi_pair p = {0};
	uint16_t raw;

	ck_assert(!feed(&m, &p, 39, 5, 0, &raw)); /* a low half of what? */
	ck_assert(!feed(&m, &p, 7, 65, 0, &raw));
	ck_assert(feed(&m, &p, 39, 3, 1, &raw));
	ck_assert_uint_eq(raw, 65 << 7 | 3);
	ck_assert(!feed(&m, &p, 7, 64, 2, &raw)); /* down through a step: no value of 64 << 7 */
	ck_assert(feed(&m, &p, 39, 127, 3, &raw));
	ck_assert_uint_eq(raw, 64 << 7 | 127);
	ck_assert(feed(&m, &p, 39, 126, 4, &raw)); /* the low half alone refines */
	ck_assert_uint_eq(raw, 64 << 7 | 126);
}
END_TEST

START_TEST(a_device_that_sends_high_halves_only_has_the_whole_range)
{
	struct midi_map m = map(MIDI_CC14, 1, 7, 0, 0);
	struct midi_pair p = {0};
	uint16_t raw;

	ck_assert(!feed(&m, &p, 7, 10, 0, &raw));
	ck_assert(!midi_pair_due(&p, MIDI_PAIR_NS - 1, &raw));
	ck_assert(midi_pair_due(&p, MIDI_PAIR_NS, &raw));
	ck_assert_uint_eq(raw, 10 * 129);
	ck_assert(!midi_pair_due(&p, 2 * MIDI_PAIR_NS, &raw)); /* once */
	/* A stream of them is not held up for ever: each tells of the one before. */
	ck_assert(!feed(&m, &p, 7, 11, 100, &raw));
	ck_assert(feed(&m, &p, 7, 127, 101, &raw));
	ck_assert_uint_eq(raw, 11 * 129);
	ck_assert(midi_pair_due(&p, 101 + MIDI_PAIR_NS, &raw));
	ck_assert_uint_eq(raw, 16383); /* its highest is ours */
	/* One that has low halves means what it says. */
	ck_assert(feed(&m, &p, 39, 0, 200, &raw));
	ck_assert_uint_eq(raw, 127 << 7);
	ck_assert(!feed(&m, &p, 7, 10, 300, &raw));
	ck_assert(midi_pair_due(&p, 300 + MIDI_PAIR_NS, &raw));
	ck_assert_uint_eq(raw, 10 << 7);
}
END_TEST

/* Nearest of 7 bits; and the ends stay the ends, both ways. */
START_TEST(midi_cc_translate_scales_14_to_7_bits)
{
	for (uint32_t v = 0; v <= 16383; v++)
		HOLDS(midi_to_7bit((uint16_t)v) == lrint(v / 16383.0 * 127));
	for (uint16_t v = 0; v <= 127; v++) {
		ck_assert_uint_eq(midi_to_14bit(v), v * 129);
		ck_assert_uint_eq(midi_to_7bit(midi_to_14bit(v)), v);
	}
	ck_assert_uint_eq(midi_to_14bit(127), 16383);
}
END_TEST

/* What a fader at one place sends by a controller and by pitch bend. */
START_TEST(a_value_goes_out_as_the_nearest_step_of_its_message)
{
	struct midi_map cc = map(MIDI_CC, 1, 7, 0, 1), bend = map(MIDI_PITCHBEND, 1, 0, 0, 1);

	for (uint32_t v = 0; v <= 16383; v += 7) {
		double value = midi_to_value(&bend, (uint16_t)v);

		HOLDS(midi_to_raw(&bend, value) == v);
		HOLDS(midi_to_raw(&cc, value) == midi_to_7bit((uint16_t)v));
	}
}
END_TEST

START_TEST(alsas_own_14_bit_controller_is_one_value)
{
	struct midi_map m = map(MIDI_CC14, 1, 7, 0, 0), coarse = map(MIDI_CC, 1, 7, 0, 0);
	struct midi_event ev = {.kind = MIDI_EV_CONTROL14, .number = 7, .value = 12345};
	struct midi_pair p = {0};
	uint16_t raw;

	ck_assert(midi_map_in(&m, &p, &ev, 0, &raw));
	ck_assert_uint_eq(raw, 12345);
	ck_assert(midi_map_in(&coarse, &p, &ev, 0, &raw));
	ck_assert_uint_eq(raw, 12345 >> 7);
}
END_TEST

START_TEST(fourteen_bits_go_out_high_half_first)
{
	struct midi_map m = map(MIDI_CC14, 3, 7, 0, 0);
	struct midi_event ev[MIDI_OUT_MAX];

	ck_assert_int_eq(midi_map_out(&m, 12345, ev), 2);
	ck_assert_int_eq(ev[0].number, 7);
	ck_assert_int_eq(ev[0].channel, 2);
	ck_assert_int_eq(ev[0].value, 12345 >> 7);
	ck_assert_int_eq(ev[1].number, 39);
	ck_assert_int_eq(ev[1].value, 12345 & 127);
}
END_TEST

/* An event on its way through the index to the one mapping that is there. */
static bool
hear(const struct midi_map *m, struct midi_rpn *rpn, struct midi_pair *p, const struct midi_event *ev, uint16_t *raw)
{
	struct midi_index_entry e[2];
	size_t n = (size_t)midi_index_keys(m, 0, 0, e);
	struct midi_event data;
	bool heard = false;

	midi_index_sort(e, n);
	if (midi_index_find(e, n, 0, ev) < n)
		heard = midi_map_in(m, p, ev, 0, raw);
	if (midi_rpn_in(rpn, ev, &data) && midi_index_find(e, n, 0, &data) < n)
		heard |= midi_map_in(m, p, &data, 0, raw);
	return heard;
}

START_TEST(what_is_sent_is_understood_by_the_same_mapping)
{
	for (enum midi_type t = 0; t < MIDI_TYPE_COUNT; t++) {
		struct midi_map m = map(t, 16, t == MIDI_NRPN || t == MIDI_RPN ? 1234 : 0, 0, 0);
		struct midi_rpn rpn = {0};

		for (uint32_t raw = 0; raw <= midi_raw_max(t); raw++) {
			struct midi_pair p = {0};
			struct midi_event ev[MIDI_OUT_MAX];
			uint16_t got = 0;
			int n = midi_map_out(&m, (uint16_t)raw, ev);

			for (int i = 0; i < n; i++)
				HOLDS(hear(&m, &rpn, &p, &ev[i], &got) == (i == n - 1));
			HOLDS(got == raw);
		}
	}
}
END_TEST

START_TEST(nrpn_and_rpn_are_four_controllers_and_do_not_mix)
{
	struct midi_map nrpn = map(MIDI_NRPN, 2, 1234, 0, 0), rpn = map(MIDI_RPN, 2, 1234, 0, 0);
	struct midi_event ev[MIDI_OUT_MAX];
	struct midi_rpn state = {0};
	struct midi_pair p = {0};
	uint16_t raw;

	ck_assert_int_eq(midi_map_out(&nrpn, 8193, ev), 4);
	ck_assert_int_eq(ev[0].number, 99);
	ck_assert_int_eq(ev[0].value, 1234 >> 7);
	ck_assert_int_eq(ev[1].number, 98);
	ck_assert_int_eq(ev[1].value, 1234 & 127);
	ck_assert_int_eq(ev[2].number, 6);
	ck_assert_int_eq(ev[2].value, 64);
	ck_assert_int_eq(ev[3].number, 38);
	ck_assert_int_eq(ev[3].value, 1);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(ev[i].channel, 1);
		ck_assert(!hear(&rpn, &state, &p, &ev[i], &raw)); /* the other kind of number */
	}
	/* Data for no number, and after the number of none. */
	state = (struct midi_rpn){0};
	ck_assert(!hear(&nrpn, &state, &p, &ev[3], &raw));
	ck_assert_int_eq(midi_map_out(&rpn, 0, ev), 4);
	ev[0].value = ev[1].value = 127;
	for (int i = 0; i < 4; i++)
		ck_assert(!hear(&rpn, &state, &p, &ev[i], &raw));
}
END_TEST

START_TEST(a_release_is_zero_whatever_its_velocity)
{
	struct midi_map m = map(MIDI_NOTE, 1, 60, 0, 0);
	struct midi_event off = {.kind = MIDI_EV_NOTE, .number = 60, .release = 64};
	struct midi_event on = {.kind = MIDI_EV_NOTE, .number = 60, .value = 99};
	uint16_t raw = 1;

	ck_assert(midi_map_in(&m, NULL, &on, 0, &raw));
	ck_assert_uint_eq(raw, 99);
	ck_assert(midi_map_in(&m, NULL, &off, 0, &raw));
	ck_assert_uint_eq(raw, 0);
}
END_TEST

START_TEST(steps_of_a_knob_are_told_in_each_of_the_three_ways)
{
	static const struct {
		enum midi_steps how;
		int64_t steps;
		uint16_t value;
		int told;
	} rows[] = {
		{MIDI_STEPS_SIGN, 1, 1, 1},     {MIDI_STEPS_SIGN, -1, 65, -1},   {MIDI_STEPS_SIGN, 500, 63, 63},
		{MIDI_STEPS_SIGN, -500, 127, -63}, {MIDI_STEPS_TWOS, 1, 1, 1},   {MIDI_STEPS_TWOS, -1, 127, -1},
		{MIDI_STEPS_TWOS, -63, 65, -63}, {MIDI_STEPS_OFFSET, 1, 65, 1},  {MIDI_STEPS_OFFSET, -1, 63, -1},
		{MIDI_STEPS_OFFSET, 63, 127, 63},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int told = 0;

		ck_assert_uint_eq(midi_relative_out(rows[i].how, rows[i].steps, &told), rows[i].value);
		ck_assert_int_eq(told, rows[i].told);
	}
	for (int how = MIDI_STEPS_SIGN; how <= MIDI_STEPS_OFFSET; how++)
		for (int n = -63; n <= 63; n++) {
			int told;

			if (n != 0)
				ck_assert_int_eq(midi_relative_in(how, midi_relative_out(how, n, &told)), n);
		}
}
END_TEST

START_TEST(the_index_finds_each_mapping_and_no_other)
{
	struct midi_map maps[] = {
		map(MIDI_CC, 1, 7, 0, 0),        map(MIDI_CC, 2, 7, 0, 0),
		map(MIDI_CC14, 1, 7, 0, 0),      map(MIDI_NOTE, 1, 7, 0, 0),
		map(MIDI_PITCHBEND, 1, 0, 0, 0), map(MIDI_PROGRAM, 1, 0, 0, 0),
	};
	struct midi_index_entry e[16];
	struct midi_event ev = {.kind = MIDI_EV_CONTROL, .number = 7};
	size_t n = 0, at;

	for (uint32_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		n += (size_t)midi_index_keys(&maps[i], 5, i, e + n);
	ck_assert_uint_eq(n, 7);
	midi_index_sort(e, n);
	at = midi_index_find(e, n, 5, &ev);
	ck_assert_uint_eq(e[at].row, 0); /* both that use controller 7 of channel 1 */
	ck_assert(midi_index_is(e, n, at + 1, 5, &ev));
	ck_assert_uint_eq(e[at + 1].row, 2);
	ck_assert(!midi_index_is(e, n, at + 2, 5, &ev));
	ck_assert_uint_eq(midi_index_find(e, n, 4, &ev), n); /* another port */
	ev.number = 39;
	ck_assert_uint_eq(e[midi_index_find(e, n, 5, &ev)].row, 2);
	ev.number = 8;
	ck_assert_uint_eq(midi_index_find(e, n, 5, &ev), n);
	ev.kind = MIDI_EV_OTHER;
	ck_assert_uint_eq(midi_index_find(e, n, 5, &ev), n);
	ev = (struct midi_event){.kind = MIDI_EV_BEND, .number = 77};
	ck_assert_uint_eq(e[midi_index_find(e, n, 5, &ev)].row, 4);
	ck_assert_uint_eq(midi_index_find(NULL, 0, 5, &ev), 0);
}
END_TEST

struct collected {
	int count;
	size_t len;
	uint8_t bytes[MIDI_SYSEX_MAX];
};

static void
collect(void *data, const uint8_t *bytes, size_t len)
{
	struct collected *c = data;

	c->count++;
	c->len = len;
	memcpy(c->bytes, bytes, len);
}

START_TEST(a_system_exclusive_in_pieces_is_one_message)
{
	static const uint8_t bytes[] = {0xf0, 0, 0, 0x66, 0xfe, 0x14, 0x12, 0x41, 0xf7};
	static const uint8_t whole[] = {0xf0, 0, 0, 0x66, 0x14, 0x12, 0x41, 0xf7};

	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		struct midi_sysex s = {0};
		struct collected c = {0};

		midi_sysex_add(&s, bytes, cut, collect, &c);
		midi_sysex_add(&s, bytes + cut, sizeof(bytes) - cut, collect, &c);
		ck_assert_int_eq(c.count, 1);
		ck_assert_uint_eq(c.len, sizeof(whole));
		ck_assert_mem_eq(c.bytes, whole, sizeof(whole));
	}
}
END_TEST

START_TEST(a_system_exclusive_over_the_bound_is_dropped_whole)
{
	static struct midi_sysex s;
	static struct collected c;
	uint8_t b = 0xf0;

	midi_sysex_add(&s, &b, 1, collect, &c);
	b = 1;
	for (int i = 0; i < MIDI_SYSEX_MAX - 2; i++)
		midi_sysex_add(&s, &b, 1, collect, &c);
	midi_sysex_add(&s, (const uint8_t *)"\xf7", 1, collect, &c);
	ck_assert_int_eq(c.count, 1); /* exactly the bound */
	ck_assert_uint_eq(c.len, MIDI_SYSEX_MAX);
	midi_sysex_add(&s, (const uint8_t *)"\xf0", 1, collect, &c);
	for (int i = 0; i < MIDI_SYSEX_MAX - 1; i++)
		midi_sysex_add(&s, &b, 1, collect, &c);
	midi_sysex_add(&s, (const uint8_t *)"\xf7", 1, collect, &c);
	ck_assert_int_eq(c.count, 1);
	ck_assert_uint_eq(s.dropped_long, 1);
	midi_sysex_add(&s, (const uint8_t *)"\xf0\x01\xf7", 3, collect, &c);
	ck_assert_int_eq(c.count, 2); /* in step again */
}
END_TEST

START_TEST(a_broken_system_exclusive_is_counted_and_the_next_is_whole)
{
	struct midi_sysex s = {0};
	struct collected c = {0};

	midi_sysex_add(&s, (const uint8_t *)"\x01\xf7\xf0\x01\x90\x10\x7f\xf0\x02\xf0\x03\xf7", 12,
		       collect, &c);
	ck_assert_int_eq(c.count, 1);
	ck_assert_mem_eq(c.bytes, "\xf0\x03\xf7", 3);
	ck_assert_uint_eq(s.cut_short, 2);
	ck_assert_uint_eq(s.stray, 5);
}
END_TEST

START_TEST(hexadecimal_is_read_with_and_without_blanks)
{
	uint8_t out[4];

	ck_assert_int_eq(midi_hex_add("90 3C40", out, 0, sizeof(out)), 3);
	ck_assert_mem_eq(out, "\x90\x3c\x40", 3);
	ck_assert_int_eq(midi_hex_add(" f7 ", out, 3, sizeof(out)), 4);
	ck_assert_int_eq(midi_hex_add("00", out, 4, sizeof(out)), -ENOSPC);
	ck_assert_int_eq(midi_hex_add("9", out, 0, sizeof(out)), -EINVAL);
	ck_assert_int_eq(midi_hex_add("9 0", out, 0, sizeof(out)), -EINVAL);
	ck_assert_int_eq(midi_hex_add("zz", out, 0, sizeof(out)), -EINVAL);
	ck_assert_int_eq(midi_hex_add("", out, 0, sizeof(out)), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi proto");
	TCase *tc = tcase_create("proto");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, every_raw_value_survives_the_way_there_and_back);
	tcase_add_test(tc, values_beyond_the_range_are_clamped);
	tcase_add_test(tc, pitch_bend_rests_at_zero);
	tcase_add_test(tc, what_midi_cannot_say_is_refused_with_the_reason);
	tcase_add_test(tc, a_high_half_waits_for_its_low_half);
	tcase_add_test(tc, a_device_that_sends_high_halves_only_has_the_whole_range);
	tcase_add_test(tc, midi_cc_translate_scales_14_to_7_bits);
	tcase_add_test(tc, a_value_goes_out_as_the_nearest_step_of_its_message);
	tcase_add_test(tc, nrpn_and_rpn_are_four_controllers_and_do_not_mix);
	tcase_add_test(tc, a_release_is_zero_whatever_its_velocity);
	tcase_add_test(tc, steps_of_a_knob_are_told_in_each_of_the_three_ways);
	tcase_add_test(tc, alsas_own_14_bit_controller_is_one_value);
	tcase_add_test(tc, fourteen_bits_go_out_high_half_first);
	tcase_add_test(tc, what_is_sent_is_understood_by_the_same_mapping);
	tcase_add_test(tc, the_index_finds_each_mapping_and_no_other);
	tcase_add_test(tc, a_system_exclusive_in_pieces_is_one_message);
	tcase_add_test(tc, a_system_exclusive_over_the_bound_is_dropped_whole);
	tcase_add_test(tc, a_broken_system_exclusive_is_counted_and_the_next_is_whole);
	tcase_add_test(tc, hexadecimal_is_read_with_and_without_blanks);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
