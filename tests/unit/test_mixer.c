/* The embedded backend's mixer. */
#include <check.h>
#include <stdlib.h>

#include "procs/loop/mixer.h"

START_TEST(a_muted_channel_is_silent_and_solo_silences_the_others)
{
	struct mixer m;
	mixer_init(&m, 4);
	ck_assert(mixer_is_audible(&m, 0));
	m.ch[0].mute = true;
	ck_assert(!mixer_is_audible(&m, 0));
	m.ch[2].solo = true;
	ck_assert(mixer_is_audible(&m, 2));
	ck_assert(!mixer_is_audible(&m, 1));
}
END_TEST

START_TEST(a_scene_brings_back_levels_and_mutes)
{
	struct mixer m;
	mixer_init(&m, 4);
	m.ch[1].level_db = -6;
	m.ch[2].mute = true;
	mixer_store(&m, 2);
	m.ch[1].level_db = -40;
	m.ch[2].mute = false;
	mixer_recall(&m, 2);
	ck_assert_double_eq(m.ch[1].level_db, -6);
	ck_assert(m.ch[2].mute);
	ck_assert_uint_eq(m.current, 2);
}
END_TEST

START_TEST(a_scene_that_was_never_stored_changes_no_level)
{
	struct mixer m;
	mixer_init(&m, 2);
	m.ch[0].level_db = -3;
	mixer_recall(&m, 1);
	ck_assert_double_eq(m.ch[0].level_db, -3);
	ck_assert_uint_eq(m.current, 1);
}
END_TEST

START_TEST(meters_rise_with_the_signal_and_fall_when_it_stops)
{
	struct mixer m;
	mixer_init(&m, 2);
	m.ch[0].level_db = 0;
	m.playing = true;
	mixer_advance(&m, 50);
	ck_assert_double_ge(m.ch[0].meter_db, -12);
	ck_assert_double_le(m.ch[0].meter_db, 0);
	ck_assert_double_eq(m.ch[1].meter_db, MIXER_MIN_DB);
	m.playing = false;
	for (int i = 0; i < 100; i++)
		mixer_advance(&m, 50);
	ck_assert_double_eq(m.ch[0].meter_db, MIXER_MIN_DB);
	ck_assert_uint_eq(m.position_ms, 50);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mixer");
	TCase *t = tcase_create("all");
	tcase_add_test(t, a_muted_channel_is_silent_and_solo_silences_the_others);
	tcase_add_test(t, a_scene_brings_back_levels_and_mutes);
	tcase_add_test(t, a_scene_that_was_never_stored_changes_no_level);
	tcase_add_test(t, meters_rise_with_the_signal_and_fall_when_it_stops);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
