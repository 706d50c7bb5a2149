/* The travel of a fader: what hands push becomes ends, ends become 0 to 1, and back to where the motor goes. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "procs/surface/calibrate.h"

static uint16_t
below(unsigned n)
{
	return (uint16_t)(random() % (long)n);
}

static struct travel
any_travel(void)
{
	uint16_t min = below(8192);
	return (struct travel){.min = min, .max = (uint16_t)(min + CALIBRATE_TRAVEL + below(16384 - min - CALIBRATE_TRAVEL))};
}

/* ------------------------------------------------------------------ positions */

START_TEST(the_ends_are_exact_in_both_directions)
{
	srandom(1);
	for (int k = 0; k < 2000; k++) {
		struct travel t = any_travel();
		uint16_t snap = below(200), step = (uint16_t)(1 + below(64));
		ck_assert(travel_is_possible(&t));
		ck_assert_double_eq(travel_unit(&t, snap, t.min), 0);
		ck_assert_double_eq(travel_unit(&t, snap, t.max), 1);
		ck_assert_double_eq(travel_unit(&t, snap, 0), 0);
		ck_assert_double_eq(travel_unit(&t, snap, BH_MCU_POS_MAX), 1);
		ck_assert_double_eq(travel_unit(&t, snap, t.min + snap), 0);
		ck_assert_double_eq(travel_unit(&t, snap, t.max - snap), 1);
		ck_assert_uint_eq(travel_pos(&t, step, 0), t.min);
		ck_assert_uint_eq(travel_pos(&t, step, 1), t.max);
		ck_assert_uint_eq(travel_pos(&t, step, -3), t.min);
		ck_assert_uint_eq(travel_pos(&t, step, 3), t.max);
		ck_assert_uint_eq(travel_pos(&t, step, NAN), t.min);
	}
}
END_TEST

START_TEST(further_up_is_never_less)
{
	unsigned wrong = 0; /* an assertion each would take minutes */
	srandom(2);
	for (int k = 0; k < 40; k++) {
		struct travel t = any_travel();
		uint16_t snap = below(200), step = (uint16_t)(1 + below(64));
		double was = 0;
		for (unsigned pos = 0; pos <= BH_MCU_POS_MAX; pos++) {
			double u = travel_unit(&t, snap, (uint16_t)pos);
			wrong += !(u >= was && u <= 1);
			was = u;
		}
		uint16_t at = 0;
		for (unsigned i = 0; i <= 1000; i++) {
			uint16_t pos = travel_pos(&t, step, i / 1000.0);
			wrong += !(pos >= at && pos >= t.min && pos <= t.max);
			at = pos;
		}
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(there_and_back_is_within_a_step)
{
	unsigned wrong = 0;
	srandom(3);
	for (int k = 0; k < 40; k++) {
		struct travel t = any_travel();
		uint16_t step = (uint16_t)(1 + below(16)), snap = step;
		for (unsigned pos = t.min; pos <= t.max; pos++) {
			int back = travel_pos(&t, step, travel_unit(&t, snap, (uint16_t)pos));
			wrong += abs(back - (int)pos) > step;
		}
		for (unsigned i = 0; i <= 1000; i++) {
			double u = travel_unit(&t, snap, travel_pos(&t, step, i / 1000.0));
			wrong += !(fabs(u - i / 1000.0) <= (snap + step / 2.0 + 1) / (t.max - t.min));
		}
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_fader_that_was_not_measured_is_as_before)
{
	struct travel t = {.min = 0, .max = 16380};
	ck_assert_double_eq(travel_unit(&t, 0, 8190), 0.5);
	ck_assert_uint_eq(travel_pos(&t, 4, 0.5), 8192); /* whole steps */
	ck_assert_double_eq(travel_unit(&t, 8, 16376), 1);
	ck_assert_double_eq(travel_unit(&t, 8, 4), 0);
	ck_assert_double_eq(travel_unit(&(struct travel){0}, 8, 100), 0);
}
END_TEST

/* ------------------------------------------------------------------ measuring */

static struct measure m;

static void
push(unsigned fader, int from, int to)
{
	for (int i = 0; i <= 20; i++)
		measure_move(&m, fader, (uint16_t)(from + (to - from) * i / 20));
}

START_TEST(three_times_to_each_end_is_a_travel)
{
	struct travel t;
	const char *why;
	memset(&m, 0, sizeof(m));
	ck_assert(!measure_result(&m.fader[2], &t, &why));
	ck_assert_str_eq(why, "not moved");
	push(2, 5000, 15935);
	push(2, 15935, 12);
	push(2, 12, 15938);
	push(2, 15938, 14);
	ck_assert(!measure_result(&m.fader[2], &t, &why));
	push(2, 14, 15936);
	push(2, 15936, 12);
	ck_assert(!measure_result(&m.fader[2], &t, &why)); /* it may still go further */
	measure_release(&m, 2);
	ck_assert(measure_result(&m.fader[2], &t, &why));
	/* What every pass has reached. */
	ck_assert_uint_eq(t.min, 14);
	ck_assert_uint_eq(t.max, 15935);
	ck_assert(!measure_result(&m.fader[3], &t, &why));
}
END_TEST

START_TEST(where_it_stood_is_no_end)
{
	struct travel t;
	const char *why;
	memset(&m, 0, sizeof(m));
	push(0, 900, 16380); /* it lay near the bottom, nobody pushed it there */
	ck_assert(m.fader[0].bottoms == 0);
	measure_release(&m, 0);
	ck_assert(m.fader[0].tops == 1 && m.fader[0].bottoms == 0);
	/* From the top to where no end is, and back: that is a push. */
	push(1, 16000, 9000);
	push(1, 9000, 16380);
	measure_release(&m, 1);
	ck_assert(m.fader[1].tops == 1 && m.fader[1].top[0] == 16380);
	for (int k = 0; k < 3; k++) {
		push(0, 16380, 0);
		push(0, 0, 16380);
	}
	ck_assert(measure_result(&m.fader[0], &t, &why));
	ck_assert(t.min == 0 && t.max == 16380);
}
END_TEST

START_TEST(a_push_that_misses_the_end_is_told)
{
	struct travel t;
	const char *why;
	memset(&m, 0, sizeof(m));
	push(0, 8000, 16380);
	push(0, 16380, 0);
	push(0, 0, 14000); /* a tired hand */
	push(0, 14000, 0);
	push(0, 0, 16380);
	push(0, 16380, 0);
	measure_release(&m, 0);
	ck_assert(!measure_result(&m.fader[0], &t, &why));
	ck_assert(strstr(why, "same end"));
	/* Further pushes make it good. */
	push(0, 0, 16380);
	push(0, 16380, 0);
	push(0, 0, 16380);
	measure_release(&m, 0);
	ck_assert(measure_result(&m.fader[0], &t, &why));
}
END_TEST

START_TEST(trembling_at_the_end_is_one_pass)
{
	memset(&m, 0, sizeof(m));
	push(1, 8000, 16000);
	for (int k = 0; k < 50; k++) {
		push(1, 16000, 16000 + k);
		measure_release(&m, 1); /* its touch is lost now and then */
	}
	ck_assert(m.fader[1].tops == 1 && m.fader[1].bottoms == 0);
	ck_assert_uint_eq(m.fader[1].top[0], 16049);
	measure_release(&m, 99);
	measure_move(&m, 99, 5);
	measure_move(&m, 1, 0xffff);
}
END_TEST

START_TEST(whatever_hands_do_the_travel_is_possible_or_refused)
{
	srandom(4);
	for (int k = 0; k < 300; k++) {
		memset(&m, 0, sizeof(m));
		for (int i = 0; i < 400; i++) {
			if (random() % 5)
				measure_move(&m, 0, below(16384));
			else
				measure_release(&m, 0);
		}
		struct travel t;
		const char *why;
		if (measure_result(&m.fader[0], &t, &why))
			ck_assert(travel_is_possible(&t));
	}
}
END_TEST

/* ------------------------------------------------------------------ the file */

START_TEST(what_is_kept_is_read_again)
{
	struct calibration a = {0}, b = {0};
	char text[CALIBRATE_TEXT_MAX];
	srandom(5);
	for (int k = 0; k < 100; k++) {
		for (unsigned i = 0; i < BH_MCU_FADERS; i++)
			a.fader[i] = random() % 3 ? any_travel() : (struct travel){0};
		int n = calibration_print(&a, "desk", text, sizeof(text));
		ck_assert_int_gt(n, 20);
		ck_assert_int_eq(calibration_parse(&b, text, (size_t)n), 0);
		ck_assert_mem_eq(&a, &b, sizeof(a));
	}
	ck_assert_int_lt(calibration_print(&a, "desk", text, 30), 0);
}
END_TEST

START_TEST(a_damaged_file_changes_nothing)
{
	static const char *const rows[] = {
		"", "0 12 15935\n", "# bulkhead calibration 2\n0 12 15935\n", "# bulkhead calibration 1\n0 12 15935",
		"# bulkhead calibration 1\n9 12 15935\n", "# bulkhead calibration 1\n0 12 16384\n", "# bulkhead calibration 1\n0 15935 12\n",
		"# bulkhead calibration 1\n0 12 100\n", "# bulkhead calibration 1\n0 12\n", "# bulkhead calibration 1\n0 12 15935 7\n",
		"# bulkhead calibration 1\nx\n", "# bulkhead calibration 1\n0 12 99999999999\n",
	};
	struct calibration c = {.fader[4] = {.min = 1, .max = 16000}}, was = c;
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		ck_assert_msg(calibration_parse(&c, rows[i], strlen(rows[i])) < 0, "row %zu", i);
		ck_assert_mem_eq(&c, &was, sizeof(c));
	}
	/* Cut anywhere it is refused, or it is a file of fewer faders. */
	char text[CALIBRATE_TEXT_MAX];
	int n = calibration_print(&c, "desk", text, sizeof(text));
	for (int len = 0; len < n; len++)
		if (calibration_parse(&c, text, (size_t)len) == 0)
			ck_assert_int_eq(text[len - 1], '\n');
	srandom(6);
	for (int k = 0; k < 5000; k++) {
		char bad[CALIBRATE_TEXT_MAX];
		memcpy(bad, text, (size_t)n);
		bad[below((unsigned)n)] = (char)random();
		if (calibration_parse(&c, bad, (size_t)n) == 0)
			for (unsigned i = 0; i < BH_MCU_FADERS; i++)
				ck_assert(!c.fader[i].max || travel_is_possible(&c.fader[i]));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("calibrate");
	TCase *t = tcase_create("travel"), *w = tcase_create("measuring"), *f = tcase_create("file");
	tcase_add_test(t, the_ends_are_exact_in_both_directions);
	tcase_add_test(t, further_up_is_never_less);
	tcase_add_test(t, there_and_back_is_within_a_step);
	tcase_add_test(t, a_fader_that_was_not_measured_is_as_before);
	tcase_add_test(w, three_times_to_each_end_is_a_travel);
	tcase_add_test(w, where_it_stood_is_no_end);
	tcase_add_test(w, a_push_that_misses_the_end_is_told);
	tcase_add_test(w, trembling_at_the_end_is_one_pass);
	tcase_add_test(w, whatever_hands_do_the_travel_is_possible_or_refused);
	tcase_add_test(f, what_is_kept_is_read_again);
	tcase_add_test(f, a_damaged_file_changes_nothing);
	suite_add_tcase(s, t);
	suite_add_tcase(s, w);
	suite_add_tcase(s, f);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
