/*
 * bh-midi's pass-through without a sequencer: filters, each step of a transform, and properties that hold for any message
 * and any step.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/midi/transform.h"

/* For the many: an assertion of check costs a write. */
#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			ck_abort_msg("seed %llu: %s", (unsigned long long)seed, #x);               \
	} while (0)

static uint64_t seed;
static struct midi_filter filter;
static struct midi_step steps[4];
static uint32_t step_count;
static struct midi_event out[MIDI_OUT_MAX];

static void
setup(void)
{
	midi_filter_init(&filter);
	step_count = 0;
}

static struct midi_step *
step(enum midi_step_kind kind)
{
	struct midi_step *s = &steps[step_count++];

	midi_step_init(s, kind);
	return s;
}

static int
pass(struct midi_event ev)
{
	return midi_transform(&filter, steps, step_count, &ev, out);
}

/* Messages as people say them, channel from 1. */
static struct midi_event
msg(enum midi_event_kind kind, unsigned channel, unsigned number, unsigned value)
{
	return (struct midi_event){
		.kind = kind, .channel = (uint8_t)(channel - 1), .number = (uint16_t)number, .value = (uint16_t)value};
}
#define NOTE(ch, n, v) msg(MIDI_EV_NOTE, ch, n, v)
#define CC(ch, n, v)   msg(MIDI_EV_CONTROL, ch, n, v)
#define BEND(ch, v)    msg(MIDI_EV_BEND, ch, 0, v)

static bool
same(const struct midi_event *a, const struct midi_event *b)
{
	return a->kind == b->kind && a->channel == b->channel && a->number == b->number && a->value == b->value &&
	       a->release == b->release;
}

static void
expect(struct midi_event in, struct midi_event want)
{
	if (pass(in) != 1)
		ck_abort_msg("%d messages, not 1", pass(in));
	if (!same(&out[0], &want))
		ck_abort_msg("kind %d channel %d number %d value %d", out[0].kind, out[0].channel + 1, out[0].number,
			     out[0].value);
}

static void
expect_none(struct midi_event in)
{
	ck_assert_int_eq(pass(in), 0);
}

/* ------------------------------------------------------------------ filters */

START_TEST(passthrough_sends_the_same_message)
{
	struct midi_event off = NOTE(3, 60, 0);

	off.release = 77;
	expect(NOTE(3, 60, 99), NOTE(3, 60, 99));
	expect(off, off); /* the velocity of a release, too */
	expect(CC(16, 127, 0), CC(16, 127, 0));
	expect(BEND(9, 16383), BEND(9, 16383));
	expect(msg(MIDI_EV_PROGRAM, 1, 0, 5), msg(MIDI_EV_PROGRAM, 1, 0, 5));
	expect(msg(MIDI_EV_PRESSURE, 1, 0, 5), msg(MIDI_EV_PRESSURE, 1, 0, 5));
	expect(msg(MIDI_EV_POLY_PRESSURE, 1, 2, 5), msg(MIDI_EV_POLY_PRESSURE, 1, 2, 5));
	expect_none(msg(MIDI_EV_SYSTEM, 1, 0xf8, 0)); /* only where asked */
	expect_none((struct midi_event){.kind = MIDI_EV_OTHER});
}
END_TEST

START_TEST(passthrough_filters_by_type)
{
	static const struct {
		uint32_t kind;
		enum midi_event_kind event;
		unsigned number, value;
	} rows[] = {
		{MIDI_PASS_NOTE_ON, MIDI_EV_NOTE, 60, 1},
		{MIDI_PASS_NOTE_OFF, MIDI_EV_NOTE, 60, 0},
		{MIDI_PASS_POLY_PRESSURE, MIDI_EV_POLY_PRESSURE, 60, 1},
		{MIDI_PASS_CC, MIDI_EV_CONTROL, 7, 1},
		{MIDI_PASS_PROGRAM, MIDI_EV_PROGRAM, 0, 1},
		{MIDI_PASS_PRESSURE, MIDI_EV_PRESSURE, 0, 1},
		{MIDI_PASS_PITCHBEND, MIDI_EV_BEND, 0, 1},
		{MIDI_PASS_COMMON, MIDI_EV_SYSTEM, 0xf2, 1},
		{MIDI_PASS_REALTIME, MIDI_EV_SYSTEM, 0xf8, 0},
	};

	for (size_t f = 0; f < sizeof(rows) / sizeof(*rows); f++)
		for (size_t e = 0; e < sizeof(rows) / sizeof(*rows); e++) {
			filter.kinds = rows[f].kind;
			ck_assert_int_eq(pass(msg(rows[e].event, 1, rows[e].number, rows[e].value)), f == e);
		}
}
END_TEST

START_TEST(passthrough_filters_by_channel)
{
	filter.channels = 1u << 2 | 1u << 15;
	for (unsigned ch = 1; ch <= 16; ch++)
		ck_assert_int_eq(pass(BEND(ch, 5)), ch == 3 || ch == 16);
	filter.kinds = MIDI_PASS_ALL;
	ck_assert_int_eq(pass(msg(MIDI_EV_SYSTEM, 1, 0xf8, 0)), 1); /* has none */
}
END_TEST

START_TEST(passthrough_filters_by_note)
{
	uint8_t low, high;

	filter.notes = (struct midi_set128){{0, 0}};
	ck_assert_int_eq(midi_range_parse("36-47", &low, &high), 0);
	for (unsigned n = low; n <= high; n++)
		midi_set_add(&filter.notes, n);
	midi_set_drop(&filter.notes, 40); /* except */
	for (unsigned n = 0; n < 128; n++) {
		bool in = n >= 36 && n <= 47 && n != 40;

		ck_assert_int_eq(pass(NOTE(1, n, 100)), in);
		ck_assert_int_eq(pass(NOTE(1, n, 0)), in); /* its end goes where its beginning went */
		ck_assert_int_eq(pass(msg(MIDI_EV_POLY_PRESSURE, 1, n, 100)), in);
	}
	ck_assert_int_eq(pass(CC(1, 60, 1)), 1); /* no note */
}
END_TEST

START_TEST(passthrough_filters_by_controller)
{
	filter.controllers = (struct midi_set128){{0, 0}};
	midi_set_add(&filter.controllers, 7);
	ck_assert_int_eq(pass(CC(1, 7, 1)), 1);
	ck_assert_int_eq(pass(CC(1, 8, 1)), 0);
	ck_assert_int_eq(pass(NOTE(1, 8, 1)), 1);
}
END_TEST

START_TEST(ranges_are_a_number_or_two)
{
	static const char *const wrong[] = {"", "-", "a", "5-", "-5", "5-4", "128", "0-128", "5 - 6", "1-2-3", " 5", "5 "};
	uint8_t low, high;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_int_eq(midi_range_parse(wrong[i], &low, &high), -EINVAL);
	ck_assert_int_eq(midi_range_parse("0-127", &low, &high), 0);
	ck_assert(low == 0 && high == 127);
	ck_assert_int_eq(midi_range_parse("64", &low, &high), 0);
	ck_assert(low == 64 && high == 64);
}
END_TEST

/* ------------------------------------------------------------------ steps */

START_TEST(pb_to_cc_uses_the_source_channel)
{
	step(MIDI_STEP_PITCHBEND_TO_CC)->channel = 1;
	/* The defaults: controller 45 for channel 1, and so on, all on the target channel. */
	for (unsigned ch = 1; ch <= 9; ch++)
		expect(BEND(ch, 16383), CC(1, 45 + ch - 1, 127));
	steps[0].number = 70;
	expect(BEND(9, 0), CC(1, 78, 0));
	steps[0].number = 120;
	expect(BEND(8, 0), CC(1, 127, 0));
	expect_none(BEND(9, 0)); /* there is no controller 128 */
}
END_TEST

START_TEST(pb_to_cc_goes_by_the_map_where_there_is_one)
{
	struct midi_step *s = step(MIDI_STEP_PITCHBEND_TO_CC);

	s->has_map = true;
	s->map[0] = 0x50; /* channel 1 */
	s->map[8] = 7;
	expect(BEND(1, 8192), CC(1, 0x50, 64));
	expect(BEND(9, 8192), CC(9, 7, 64)); /* no target channel: its own */
	expect(BEND(2, 8192), CC(2, 46, 64));
}
END_TEST

START_TEST(pb_to_cc_rounds_to_the_nearest)
{
	step(MIDI_STEP_PITCHBEND_TO_CC)->channel = 1;
	for (unsigned v = 0; v <= 16383; v++)
		expect(BEND(1, v), CC(1, 45, (unsigned)lrint(v / 16383.0 * 127)));
}
END_TEST

START_TEST(pb_to_note_has_the_bend_as_velocity)
{
	step(MIDI_STEP_PITCHBEND_TO_NOTE)->number = 60;
	expect(BEND(4, 16383), NOTE(4, 60, 127));
	expect(BEND(4, 8192), NOTE(4, 60, 64));
	expect(BEND(4, 0), NOTE(4, 60, 0));
	expect(CC(4, 1, 2), CC(4, 1, 2)); /* no business of it */
}
END_TEST

START_TEST(cc_to_pb_multiplies_by_129)
{
	struct midi_step *s = step(MIDI_STEP_CC_TO_PITCHBEND);

	for (unsigned v = 0; v <= 127; v++)
		expect(CC(5, 7, v), BEND(5, v * 129));
	s->channel = 2;
	expect(CC(5, 7, 127), BEND(2, 16383));
	s->number = 45; /* what pitchbend_to_cc made, back */
	expect(CC(1, 45, 1), BEND(1, 129));
	expect(CC(1, 53, 1), BEND(9, 129));
	expect_none(CC(1, 44, 1));
	expect_none(CC(1, 61, 1));
	s->has_map = true;
	s->map[7] = 15;
	expect(CC(1, 7, 1), BEND(16, 129));
}
END_TEST

START_TEST(note_to_cc_sends_velocity_and_zero_at_the_end)
{
	struct midi_step *s = step(MIDI_STEP_NOTE_TO_CC);
	struct midi_event off = NOTE(2, 60, 0);

	off.release = 64;
	expect(NOTE(2, 60, 99), CC(2, 60, 99));
	expect(off, CC(2, 60, 0)); /* not 64 */
	s->number = 20;
	s->channel = 11;
	expect(NOTE(2, 60, 127), CC(11, 20, 127));
	s->number = -1;
	s->by = -40;
	expect(NOTE(2, 60, 127), CC(11, 20, 127));
	expect_none(NOTE(2, 39, 127));
}
END_TEST

START_TEST(cc_to_note_ends_at_zero)
{
	struct midi_step *s = step(MIDI_STEP_CC_TO_NOTE);

	expect(CC(1, 20, 127), NOTE(1, 20, 127));
	expect(CC(1, 20, 0), NOTE(1, 20, 0));
	s->has_map = true;
	s->map[20] = 36;
	expect(CC(1, 20, 1), NOTE(1, 36, 1));
}
END_TEST

START_TEST(note_to_pb_multiplies_by_129)
{
	step(MIDI_STEP_NOTE_TO_PITCHBEND)->channel = 3;
	expect(NOTE(1, 60, 127), BEND(3, 16383));
	expect(NOTE(1, 60, 0), BEND(3, 0));
}
END_TEST

START_TEST(channels_are_changed_one_and_all)
{
	struct midi_step *s = step(MIDI_STEP_CHANNEL);

	s->channel = 10;
	expect(NOTE(1, 60, 1), NOTE(10, 60, 1));
	expect(BEND(16, 1), BEND(10, 1));
	s->has_map = true;
	s->map[0] = 4; /* channel 1 to 5 */
	expect(NOTE(1, 60, 1), NOTE(5, 60, 1));
	s->channel = 0;
	expect(NOTE(2, 60, 1), NOTE(2, 60, 1));
}
END_TEST

START_TEST(transpose_drops_what_leaves_the_keyboard)
{
	step(MIDI_STEP_TRANSPOSE)->by = 12;
	expect(NOTE(1, 60, 1), NOTE(1, 72, 1));
	expect(NOTE(1, 60, 0), NOTE(1, 72, 0));
	expect(msg(MIDI_EV_POLY_PRESSURE, 1, 60, 1), msg(MIDI_EV_POLY_PRESSURE, 1, 72, 1));
	expect(CC(1, 60, 1), CC(1, 60, 1));
	expect_none(NOTE(1, 116, 1));
	steps[0].by = -61;
	expect_none(NOTE(1, 60, 1));
}
END_TEST

START_TEST(controllers_are_renumbered)
{
	struct midi_step *s = step(MIDI_STEP_RENUMBER);

	s->by = 10;
	expect(CC(1, 7, 5), CC(1, 17, 5));
	expect(NOTE(1, 7, 5), NOTE(1, 7, 5));
	expect_none(CC(1, 120, 5));
	s->number = 3;
	expect(CC(1, 7, 5), CC(1, 3, 5));
	s->has_map = true;
	s->map[7] = 11;
	expect(CC(1, 7, 5), CC(1, 11, 5));
}
END_TEST

START_TEST(velocities_are_shaped_and_never_end_a_note)
{
	struct midi_step *s = step(MIDI_STEP_VELOCITY);

	s->scale = 0.5;
	expect(NOTE(1, 60, 100), NOTE(1, 60, 50));
	expect(NOTE(1, 60, 1), NOTE(1, 60, 1)); /* a half would be no note */
	expect(NOTE(1, 60, 0), NOTE(1, 60, 0));
	expect(CC(1, 60, 100), CC(1, 60, 100));
	s->scale = 2;
	expect(NOTE(1, 60, 100), NOTE(1, 60, 127));
	s->scale = 1;
	s->invert = true;
	expect(NOTE(1, 60, 127), NOTE(1, 60, 1));
	expect(NOTE(1, 60, 1), NOTE(1, 60, 127));
	s->invert = false;
	s->curve = 2;
	expect(NOTE(1, 60, 127), NOTE(1, 60, 127));
	expect(NOTE(1, 60, 64), NOTE(1, 60, 32));
	s->curve = 0.5;
	expect(NOTE(1, 60, 32), NOTE(1, 60, 64));
	s->curve = 1;
	s->min = 40;
	s->max = 80;
	expect(NOTE(1, 60, 1), NOTE(1, 60, 40));
	expect(NOTE(1, 60, 127), NOTE(1, 60, 80));
	s->fixed = 99;
	expect(NOTE(1, 60, 1), NOTE(1, 60, 99));
	expect(NOTE(1, 60, 0), NOTE(1, 60, 0));
}
END_TEST

START_TEST(values_are_shaped_in_7_and_14_bits)
{
	struct midi_step *s = step(MIDI_STEP_VALUE);

	s->invert = true;
	expect(CC(1, 7, 0), CC(1, 7, 127));
	expect(BEND(1, 0), BEND(1, 16383));
	expect(NOTE(1, 7, 1), NOTE(1, 7, 1));
	expect(msg(MIDI_EV_PROGRAM, 1, 0, 3), msg(MIDI_EV_PROGRAM, 1, 0, 3));
	s->invert = false;
	s->max = 64;
	expect(BEND(1, 16383), BEND(1, 64 * 129));
	expect(msg(MIDI_EV_PRESSURE, 1, 0, 127), msg(MIDI_EV_PRESSURE, 1, 0, 64));
}
END_TEST

START_TEST(steps_work_one_after_the_other)
{
	step(MIDI_STEP_PITCHBEND_TO_CC)->channel = 1;
	step(MIDI_STEP_VALUE)->invert = true;
	step(MIDI_STEP_CC_TO_NOTE)->channel = 16;
	expect(BEND(2, 16383), NOTE(16, 46, 0));
	expect(BEND(2, 0), NOTE(16, 46, 127));
}
END_TEST

START_TEST(fourteen_bit_messages_go_on_as_their_controllers)
{
	ck_assert_int_eq(pass(msg(MIDI_EV_CONTROL14, 1, 7, 12345)), 2);
	ck_assert(same(&out[0], &(struct midi_event){.kind = MIDI_EV_CONTROL, .number = 7, .value = 12345 >> 7}));
	ck_assert(same(&out[1], &(struct midi_event){.kind = MIDI_EV_CONTROL, .number = 39, .value = 12345 & 127}));
	ck_assert_int_eq(pass(msg(MIDI_EV_NRPN, 1, 300, 12345)), 4);
	ck_assert_int_eq(out[0].number, 99);
	ck_assert_int_eq(out[3].number, 38);
	midi_set_drop(&filter.controllers, 38); /* each of them is filtered for itself */
	ck_assert_int_eq(pass(msg(MIDI_EV_NRPN, 1, 300, 12345)), 3);
}
END_TEST

/* ------------------------------------------------------------------ properties */

static unsigned
dice(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

static void
roll_step(struct midi_step *s)
{
	midi_step_init(s, dice(MIDI_STEP_COUNT));
	s->channel = (uint8_t)dice(17);
	s->by = (int16_t)((int)dice(255) - 127);
	s->number = (int16_t)((int)dice(129) - 1);
	s->invert = dice(2);
	s->fixed = dice(4) ? 0 : (uint8_t)dice(128);
	s->min = (uint8_t)dice(64);
	s->max = (uint8_t)(64 + dice(64));
	s->scale = dice(300) / 100.0;
	s->curve = 0.1 + dice(900) / 100.0;
	s->has_map = dice(2);
	for (unsigned i = 0; i < 128; i++)
		s->map[i] = dice(2) ? MIDI_NO_MAP
				    : (uint8_t)dice(s->kind == MIDI_STEP_CHANNEL || s->kind == MIDI_STEP_CC_TO_PITCHBEND ? 16 : 128);
}

/* Whatever goes in, what comes out is a message that MIDI has. */
START_TEST(what_comes_out_is_always_midi)
{
	for (seed = 1; seed < 40000; seed++) {
		struct midi_event in = {.kind = dice(MIDI_EV_OTHER + 1),
					.channel = (uint8_t)dice(256),
					.half = (uint8_t)dice(3),
					.release = (uint8_t)dice(256),
					.number = (uint16_t)dice(65536),
					.value = (uint16_t)dice(65536)};
		int n;

		setup();
		filter.kinds = MIDI_PASS_ALL;
		while (step_count < 4 && dice(5) > 0)
			roll_step(&steps[step_count++]);
		n = pass(in);
		HOLDS(n <= MIDI_OUT_MAX);
		for (int i = 0; i < n; i++) {
			HOLDS(out[i].channel < 16);
			HOLDS(out[i].value <= (out[i].kind == MIDI_EV_BEND || out[i].kind == MIDI_EV_SYSTEM ? 16383 : 127));
			HOLDS(out[i].kind == MIDI_EV_SYSTEM || out[i].number < 128);
		}
	}
}
END_TEST

/* A key that sounds somewhere is let go there: for any steps that leave notes notes, its end follows its beginning. */
START_TEST(the_end_of_a_note_follows_its_beginning)
{
	for (uint64_t k = 1; k < 20000; k++) {
		struct midi_event on, off, went;
		int n;

		seed = k;
		setup();
		while (step_count < 4 && dice(5) > 0)
			roll_step(&steps[step_count++]);
		on = off = NOTE(1 + dice(16), dice(128), 1 + dice(127));
		off.value = 0;
		off.release = (uint8_t)dice(128);
		for (unsigned i = 0; i < step_count; i++)
			if (steps[i].kind == MIDI_STEP_VALUE || steps[i].kind == MIDI_STEP_CC_TO_PITCHBEND ||
			    steps[i].kind == MIDI_STEP_NOTE_TO_PITCHBEND || steps[i].kind == MIDI_STEP_NOTE_TO_CC)
				steps[i].kind = MIDI_STEP_TRANSPOSE;
		n = pass(on);
		went = out[0];
		HOLDS(pass(off) == n);
		if (n == 0)
			continue;
		HOLDS(went.value > 0 && out[0].value == 0);
		HOLDS(went.kind == out[0].kind && went.channel == out[0].channel && went.number == out[0].number);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi transform");
	TCase *tc = tcase_create("transform");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, passthrough_sends_the_same_message);
	tcase_add_test(tc, passthrough_filters_by_type);
	tcase_add_test(tc, passthrough_filters_by_channel);
	tcase_add_test(tc, passthrough_filters_by_note);
	tcase_add_test(tc, passthrough_filters_by_controller);
	tcase_add_test(tc, ranges_are_a_number_or_two);
	tcase_add_test(tc, pb_to_cc_uses_the_source_channel);
	tcase_add_test(tc, pb_to_cc_goes_by_the_map_where_there_is_one);
	tcase_add_test(tc, pb_to_cc_rounds_to_the_nearest);
	tcase_add_test(tc, pb_to_note_has_the_bend_as_velocity);
	tcase_add_test(tc, cc_to_pb_multiplies_by_129);
	tcase_add_test(tc, note_to_cc_sends_velocity_and_zero_at_the_end);
	tcase_add_test(tc, cc_to_note_ends_at_zero);
	tcase_add_test(tc, note_to_pb_multiplies_by_129);
	tcase_add_test(tc, channels_are_changed_one_and_all);
	tcase_add_test(tc, transpose_drops_what_leaves_the_keyboard);
	tcase_add_test(tc, controllers_are_renumbered);
	tcase_add_test(tc, velocities_are_shaped_and_never_end_a_note);
	tcase_add_test(tc, values_are_shaped_in_7_and_14_bits);
	tcase_add_test(tc, steps_work_one_after_the_other);
	tcase_add_test(tc, fourteen_bit_messages_go_on_as_their_controllers);
	tcase_add_test(tc, what_comes_out_is_always_midi);
	tcase_add_test(tc, the_end_of_a_note_follows_its_beginning);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
