/* What router and surfaces tell each other: packing and taking apart. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"

START_TEST(a_ring_comes_out_as_it_went_in)
{
	for (unsigned mode = 0; mode < 4; mode++)
		for (int k = 0; k <= 10; k++) {
			struct bh_ring_state in = {(enum bh_ring_mode)mode, k / 10.0, true, k & 1};
			struct bh_ring_state out = bh_feedback_ring_open(bh_feedback_ring(&in));
			ck_assert_int_eq(out.mode, in.mode);
			ck_assert_double_eq_tol(out.pos, in.pos, 1.0 / 65535);
			ck_assert(out.lit);
			ck_assert_int_eq(out.mark, in.mark);
		}
}
END_TEST

START_TEST(a_dark_ring_is_zero_and_positions_are_clamped)
{
	struct bh_ring_state dark = {BH_RING_WRAP, 0.5, false, false};
	struct bh_ring_state high = {BH_RING_DOT, 7, true, false}, low = {BH_RING_DOT, -7, true, false};
	ck_assert_int_eq(bh_feedback_ring(&dark), 0);
	ck_assert_double_eq(bh_feedback_ring_open(bh_feedback_ring(&high)).pos, 1);
	ck_assert_double_eq(bh_feedback_ring_open(bh_feedback_ring(&low)).pos, 0);
}
END_TEST

START_TEST(a_strip_comes_out_as_it_went_in)
{
	char text[BH_TEXT_MAX + 1];
	struct bh_strip_state s;
	bh_feedback_strip(text, 5, "Kick", "-3.0 dB");
	bh_feedback_strip_open(text, &s);
	ck_assert_uint_eq(s.color, 5);
	ck_assert_uint_eq(s.len[0], 4);
	ck_assert_mem_eq(s.line[0], "Kick", 4);
	ck_assert_uint_eq(s.len[1], 7);
	ck_assert_mem_eq(s.line[1], "-3.0 dB", 7);
}
END_TEST

START_TEST(long_lines_are_cut_on_a_characters_border)
{
	char text[BH_TEXT_MAX + 1];
	struct bh_strip_state s;
	bh_feedback_strip(text, 1, "12345678901234567890123456789\xc3\xbc", /* 31 bytes */
			  "1234567890123456789012345678901234567890");
	bh_feedback_strip_open(text, &s);
	ck_assert_uint_eq(s.len[0], 29);
	ck_assert_uint_eq(s.len[1], 30);
}
END_TEST

START_TEST(text_in_another_form_is_an_upper_line)
{
	struct bh_strip_state s;
	bh_feedback_strip_open("7 of 9", &s);
	ck_assert_uint_eq(s.color, 0);
	ck_assert_uint_eq(s.len[0], 6);
	ck_assert_uint_eq(s.len[1], 0);
	bh_feedback_strip_open("", &s);
	ck_assert_uint_eq(s.len[0], 0);
	bh_feedback_strip_open("a\nb", &s);
	ck_assert_uint_eq(s.len[0], 1);
	ck_assert_mem_eq(s.line[1], "b", 1);
}
END_TEST

START_TEST(feedback_from_before_the_last_move_is_older)
{
	ck_assert(bh_feedback_is_older(4, 5));
	ck_assert(!bh_feedback_is_older(5, 5));
	ck_assert(!bh_feedback_is_older(6, 5));
	ck_assert(!bh_feedback_is_older(0, 5)); /* it does not say */
	ck_assert(!bh_feedback_is_older(4, 0)); /* no move */
	ck_assert(bh_feedback_is_older(0xfffffffe, 3)); /* generations wrap */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("feedback");
	TCase *t = tcase_create("all");
	tcase_add_test(t, a_ring_comes_out_as_it_went_in);
	tcase_add_test(t, a_dark_ring_is_zero_and_positions_are_clamped);
	tcase_add_test(t, a_strip_comes_out_as_it_went_in);
	tcase_add_test(t, long_lines_are_cut_on_a_characters_border);
	tcase_add_test(t, text_in_another_form_is_an_upper_line);
	tcase_add_test(t, feedback_from_before_the_last_move_is_older);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
