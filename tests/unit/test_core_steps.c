/* test_core_steps - macros, reactions and variables, by the configuration that a person writes; see stage.h */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "common/feedback.h"
#include "tests/lib/stage.h"

#define HEAD "bulkhead: 1\nsurfaces: {desk: {device: x-touch}}\ndrivers: {loop: {kind: loop}}\n"

static struct stage *s;

static void
params(void)
{
	stage_param(s, "loop/ch1/level", BH_FLOAT, -90, 10, NULL);
	stage_param(s, "loop/ch2/level", BH_FLOAT, -90, 10, NULL);
	stage_param(s, "loop/ch1/mute", BH_BOOL, 0, 1, NULL);
	stage_param(s, "loop/ch2/mute", BH_BOOL, 0, 1, NULL);
	stage_param(s, "loop/scene", BH_ENUM, 0, 2, "Opening|Interview|Closing");
	stage_report(s, "loop/ch1/level", -10);
	stage_report(s, "loop/ch2/level", -20);
	stage_report(s, "loop/ch1/mute", 0);
	stage_report(s, "loop/ch2/mute", 0);
	stage_report(s, "loop/scene", 0);
	stage_clear(s);
}

static void
begin(const char *yaml)
{
	s = stage_new(yaml);
	params();
}

static void
teardown(void)
{
	stage_free(s);
}

/* ------------------------------------------------------------------ macros */

#define MACRO                                                                                      \
	HEAD "pages:\n  - name: Main\n    bindings:\n"                                              \
	     "      rec1: {do: [{action: loop/mark}, {set: loop/ch1/mute, to: on}, {wait: 300ms, action: loop/scene, args: [Interview]}," \
	     " {wait: 200ms, set: loop/ch1/mute, to: off}]}\n"

START_TEST(steps_are_done_in_their_order_with_their_waits)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 1);
	stage_advance(s, 299);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_advance(s, 1);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Interview)");
	stage_advance(s, 199);
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 1);
	stage_advance(s, 1);
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 0);
	stage_advance(s, 5000);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Interview)");
}
END_TEST

START_TEST(a_macro_goes_on_with_the_next_router)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	stage_restart(s);
	stage_advance(s, 300);
	stage_restart(s);
	stage_advance(s, 300);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Interview)");
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 0);
}
END_TEST

START_TEST(a_step_is_dropped_rather_than_done_late)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	/* Nobody runs the timers for two seconds, as when the router was away. */
	stage_clear(s);
	stage_restart(s);
	stage_skip(s, 2000);
	stage_advance(s, 1);
	ck_assert_str_eq(stage_done(s), "");
	ck_assert_uint_eq(stage_sent_count(s, "loop/ch1/mute"), 0);
	ck_assert_int_eq(stage_shown(s, "rec1"), BH_LIGHT_FLASH); /* and it says so */
}
END_TEST

START_TEST(two_presses_run_side_by_side)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	stage_advance(s, 100);
	stage_tap(s, "rec1");
	stage_advance(s, 1000);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/mark() loop/scene(Interview) loop/scene(Interview)");
}
END_TEST

START_TEST(more_macros_than_can_run_are_refused_visibly)
{
	begin(MACRO);
	for (int k = 0; k < 20; k++)
		stage_tap(s, "rec1");
	ck_assert_int_eq(stage_shown(s, "rec1"), BH_LIGHT_FLASH);
	stage_clear(s);
	stage_advance(s, 300);
	unsigned done = 0;
	for (const char *p = stage_done(s); *p; p++)
		done += *p == '(';
	ck_assert_uint_eq(done, 16);
}
END_TEST

START_TEST(a_running_macro_survives_a_reload_that_keeps_it)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	/* The same list stands elsewhere now. */
	stage_reload(s, HEAD "pages:\n  - name: Main\n    bindings:\n"
			     "      rec2: {do: [{action: loop/mark}]}\n"
			     "      rec7: {do: [{action: loop/mark}, {set: loop/ch1/mute, to: on}, {wait: 300ms, action: loop/scene, args: [Interview]},"
			     " {wait: 200ms, set: loop/ch1/mute, to: off}]}\n");
	stage_advance(s, 1000);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Interview)");
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 0);
}
END_TEST

START_TEST(a_running_macro_ends_with_the_configuration_that_had_it)
{
	begin(MACRO);
	stage_tap(s, "rec1");
	stage_reload(s, HEAD "pages:\n  - name: Main\n    bindings:\n      rec1: {do: [{action: loop/mark}]}\n");
	stage_advance(s, 1000);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
}
END_TEST

START_TEST(a_step_whose_condition_does_not_hold_is_passed_over)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n"
		   "      rec1: {do: [{set: loop/ch2/mute, to: on, if: loop/ch1/level > -12}, {action: loop/mark, if: not loop/ch1/mute},"
		   " {action: loop/scene, args: [Closing], if: loop/scene == Closing}, {toggle: loop/ch1/mute}, {add: loop/ch1/level, by: -3}]}\n");
	stage_tap(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 1);
	ck_assert_double_eq(stage_sent(s, "loop/ch1/level"), -13);
	stage_report(s, "loop/ch1/level", -80);
	stage_advance(s, 2000);
	stage_clear(s);
	stage_tap(s, "rec1");
	ck_assert_uint_eq(stage_sent_count(s, "loop/ch2/mute"), 0);
	ck_assert_str_eq(stage_done(s), ""); /* muted by now */
	ck_assert_double_eq(stage_sent(s, "loop/ch1/level"), -83);
}
END_TEST

/* R: `also[]` runs after the primary; midi steps on both edges, action steps on the press only. */
START_TEST(also_steps_follow_the_main_thing_on_press_and_on_release)
{
	begin(HEAD "pages:\n  - name: Main\n    bindings:\n"
		   "      rec1: {action: loop/mark, also: [{set: loop/ch2/mute, to: on}, {set: loop/ch2/mute, to: off, at: release}]}\n");
	stage_press(s, "rec1");
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 1);
	stage_advance(s, 400);
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 1);
	stage_release(s, "rec1");
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 0);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
}
END_TEST

/* ------------------------------------------------------------------ variables */

START_TEST(a_variable_stands_in_arguments_for_what_it_is_at_the_press)
{
	begin(HEAD "variables: {camera: {choices: [Main, Left], default: Main}, title: {default: x}}\n"
		   "pages:\n  - name: Talk\n    bindings:\n"
		   "      rec1: {action: loop/scene, args: [$camera]}\n"
		   "      rec2: {radio: room/var/camera, on: Left}\n"
		   "      rec3: {action: loop/store, args: [\"$page: $title costs $$5\"]}\n");
	stage_tap(s, "rec1");
	stage_tap(s, "rec2");
	ck_assert_int_eq(stage_shown(s, "rec2"), BH_LIGHT_ON);
	stage_tap(s, "rec1");
	stage_set_text(s, "room/var/title", "News");
	stage_tap(s, "rec3");
	ck_assert_str_eq(stage_done(s), "loop/scene(Main) loop/scene(Left) loop/store(Talk: News costs $5)");
	stage_restart(s);
	stage_clear(s);
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_done(s), "loop/scene(Left)");
}
END_TEST

START_TEST(a_variable_stands_in_the_text_that_a_step_sets)
{
	begin(HEAD "variables: {camera: {choices: [Main, Left], default: Main}, title: {default: x}}\n"
		   "pages:\n  - name: Talk\n    bindings:\n"
		   "      rec1: {do: [{set: room/var/title, to: 'on air from $camera for $$5'}]}\n"
		   "      rec2: {radio: room/var/camera, on: Left}\n"
		   "      rec3: {radio: room/var/camera, on: Main}\n"
		   "reactions: [{when: room/var/camera == Left, do: [{set: room/var/title, to: $page}]}]\n");
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_words(s, "room/var/title"), "on air from Main for $5");
	stage_tap(s, "rec2");
	stage_tap(s, "rec3");
	stage_tap(s, "rec2");
	ck_assert_str_eq(stage_words(s, "room/var/title"), "Talk");
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_words(s, "room/var/title"), "on air from Left for $5");
}
END_TEST

/* ------------------------------------------------------------------ reactions */

#define REACTS                                                                                     \
	HEAD "pages:\n  - name: Main\n    bindings: {rec1: {action: page/next}}\n  - name: Other\n    bindings: {rec1: {action: page/next}}\n" \
	     "    reactions: [{when: loop/ch2/mute, do: [{action: loop/scene, args: [Closing]}]}]\n"  \
	     "reactions:\n  - {when: loop/ch1/mute, do: [{action: loop/mark}], else: [{action: loop/scene, args: [Opening]}]}\n"

/* R: `toggle`: driven by the backend, not by the press; the first observation only records; repeats are ignored. */
START_TEST(a_reaction_acts_on_the_edge_and_not_on_the_state_it_finds)
{
	s = stage_new(REACTS);
	params(); /* here it sees the mute for the first time: off */
	ck_assert_str_eq(stage_done(s), "");
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_report(s, "loop/ch1/mute", 1);
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_report(s, "loop/ch1/mute", 0);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Opening)");
}
END_TEST

/* Fault 19: a reload deleted the memory, so that the next real edge was only recorded. */
START_TEST(a_reload_keeps_the_memory_of_the_edge)
{
	begin(REACTS);
	stage_reload(s, "# moved by a line\n" REACTS);
	ck_assert_str_eq(stage_done(s), "");
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_restart(s);
	stage_report(s, "loop/ch1/mute", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_report(s, "loop/ch1/mute", 0);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/scene(Opening)");
}
END_TEST

START_TEST(a_reaction_of_a_page_acts_only_while_the_page_is_shown)
{
	begin(REACTS);
	stage_report(s, "loop/ch2/mute", 1);
	ck_assert_str_eq(stage_done(s), "");
	stage_tap(s, "rec1");
	ck_assert_str_eq(stage_done(s), ""); /* turning to it is no edge */
	stage_report(s, "loop/ch2/mute", 0);
	stage_report(s, "loop/ch2/mute", 1);
	ck_assert_str_eq(stage_done(s), "loop/scene(Closing)");
}
END_TEST

START_TEST(a_reaction_to_any_change_and_to_a_comparison)
{
	begin(HEAD "pages: [{name: Main}]\nreactions:\n"
		   "  - {when: changes loop/scene, do: [{action: loop/mark}]}\n"
		   "  - {when: loop/ch1/level > -3, do: [{set: loop/ch2/mute, to: on}], else: [{set: loop/ch2/mute, to: off}]}\n");
	stage_report(s, "loop/scene", 2);
	stage_report(s, "loop/scene", 2);
	stage_report(s, "loop/scene", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark() loop/mark()");
	stage_report(s, "loop/ch1/level", -2);
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 1);
	stage_report(s, "loop/ch1/level", 0);
	ck_assert_uint_eq(stage_sent_count(s, "loop/ch2/mute"), 1);
	stage_report(s, "loop/ch1/level", -30);
	ck_assert_double_eq(stage_sent(s, "loop/ch2/mute"), 0);
}
END_TEST

START_TEST(a_reaction_to_the_room_knows_what_the_room_began_with)
{
	begin(HEAD "pages: [{name: Main}, {name: Talk}]\nvariables: {a: {choices: [x, y], default: x}}\nreactions:\n"
		   "  - {when: room/var/a == y, do: [{action: loop/mark}]}\n"
		   "  - {when: room/page == Talk, do: [{set: loop/ch1/mute, to: on}], else: [{set: loop/ch1/mute, to: off}]}\n");
	stage_set(s, "room/var/a", 1);
	ck_assert_str_eq(stage_done(s), "loop/mark()");
	stage_set(s, "room/page", 1);
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 1);
	stage_restart(s);
	stage_set(s, "room/page", 0);
	ck_assert_double_eq(stage_sent(s, "loop/ch1/mute"), 0);
}
END_TEST

START_TEST(reactions_that_undo_each_other_come_to_an_end)
{
	begin(HEAD "pages: [{name: Main}]\nvariables: {a: {choices: [x, y], default: x}}\nreactions:\n"
		   "  - {when: room/var/a == y, do: [{set: room/var/a, to: x}]}\n"
		   "  - {when: room/var/a == x, do: [{set: room/var/a, to: y}]}\n");
	stage_set_text(s, "room/var/a", "y");
	stage_set(s, "room/var/a", 1);
	stage_advance(s, 10000);
	/* It ended: here we are. */
	stage_tap(s, "rec1");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("core_steps");
	TCase *t = tcase_create("steps");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, steps_are_done_in_their_order_with_their_waits);
	tcase_add_test(t, a_macro_goes_on_with_the_next_router);
	tcase_add_test(t, a_step_is_dropped_rather_than_done_late);
	tcase_add_test(t, two_presses_run_side_by_side);
	tcase_add_test(t, more_macros_than_can_run_are_refused_visibly);
	tcase_add_test(t, a_running_macro_survives_a_reload_that_keeps_it);
	tcase_add_test(t, a_running_macro_ends_with_the_configuration_that_had_it);
	tcase_add_test(t, a_step_whose_condition_does_not_hold_is_passed_over);
	tcase_add_test(t, also_steps_follow_the_main_thing_on_press_and_on_release);
	tcase_add_test(t, a_variable_stands_in_arguments_for_what_it_is_at_the_press);
	tcase_add_test(t, a_variable_stands_in_the_text_that_a_step_sets);
	tcase_add_test(t, a_reaction_acts_on_the_edge_and_not_on_the_state_it_finds);
	tcase_add_test(t, a_reload_keeps_the_memory_of_the_edge);
	tcase_add_test(t, a_reaction_of_a_page_acts_only_while_the_page_is_shown);
	tcase_add_test(t, a_reaction_to_any_change_and_to_a_comparison);
	tcase_add_test(t, a_reaction_to_the_room_knows_what_the_room_began_with);
	tcase_add_test(t, reactions_that_undo_each_other_come_to_an_end);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
