/* The language of the simulated desk: what is wrong is told with its place, what is right is played in virtual time. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "procs/simdesk/run.h"

#define MS BH_NS_PER_MS

/* What the host does, and when (from the start). */
struct host_byte {
	uint64_t at_ms;
	uint8_t bytes[16];
	size_t n;
};

static struct desk desk;
static struct cable cable;
static struct run_env env;
static struct run run;
static char printed[65536];
static uint64_t now_ns;
static const uint64_t start_ns = 5 * BH_NS_PER_S;

static bool
hear(void *data, const uint8_t *bytes, size_t len)
{
	return cable_send(data, bytes, len);
}

static int
plug(void *data, bool in)
{
	cable_peer(data, in, now_ns);
	if (in)
		desk_connect(&desk, now_ns);
	return 0;
}

static void
take_print(void *data, const char *text)
{
	(void)data;
	size_t n = strlen(printed);
	snprintf(printed + n, sizeof(printed) - n, "%s", text);
}

static void
set_up(void)
{
	now_ns = start_ns;
	printed[0] = '\0';
	cable_init(&cable);
	desk_init(&desk, &desk_defaults, &(struct desk_ops){hear, &cable}, now_ns);
	desk.fresh = false;
	cable_peer(&cable, true, now_ns);
	env = (struct run_env){.desk = &desk, .cable = &cable, .plug = plug, .data = &cable};
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Play to the end in virtual time. The host's bytes come when they are due. */
static enum run_result
play_with(const char *text, const struct host_byte *host, size_t n_host)
{
	struct script *script;
	char *errors;
	int r = script_parse("t", text, strlen(text), &script, &errors);
	ck_assert_msg(r == 0, "%s", errors ? errors : "no memory");
	run.print = take_print;
	run_start(&run, &env, script, now_ns);
	enum run_result result;
	uint64_t next;
	for (unsigned turns = 0; (result = run_step(&run, now_ns, &next)) == RUN_WAITING; turns++) {
		ck_assert_uint_lt(turns, 1000000);
		next = sooner(next, desk_next_ns(&desk));
		if (n_host)
			next = sooner(next, start_ns + host->at_ms * MS);
		ck_assert_msg(next != 0, "waits for nothing");
		now_ns = next > now_ns ? next : now_ns;
		for (; n_host && start_ns + host->at_ms * MS <= now_ns; host++, n_host--)
			desk_receive(&desk, now_ns, host->bytes, host->n);
	}
	script_free(script);
	return result;
}

static enum run_result
play(const char *text)
{
	return play_with(text, NULL, 0);
}

static uint64_t
took_ms(void)
{
	return (now_ns - start_ns) / MS;
}

static void
assert_sent(const uint8_t *want, size_t len)
{
	ck_assert_uint_eq(cable_queued(&cable), len);
	ck_assert_mem_eq(cable.queue, want, len);
}

#define ASSERT_SENT(...)                                                                           \
	assert_sent((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* ---- errors ---------------------------------------------------------------------------------- */

static const struct {
	const char *text, *error;
} wrong[] = {
	{"tuch 1", "t:1:1: 'tuch' is no statement; did you mean \"touch\"?\n"},
	{"wait 1s\n  touch 0", "t:2:9: a fader is 1 to 9 or main, not '0'\n"},
	{"touch 1; touch", "t:1:15: a fader is 1 to 9 or main, not the end\n"},
	{"wait 100", "t:1:6: a time needs a unit, as in 0.2s, 200ms or 2min; here is '100'\n"},
	{"move 1 2.5", "t:1:8: a position is 0 to 1, 0% to 100%, or a 14-bit value up to 16383, not '2.5'\n"},
	{"move 1 0.5 ovr 1s", "t:1:12: 'ovr' is too much here\n"},
	{"press mute", "t:1:7: 'mute' is no button; did you mean \"mute1\"?\n"},
	{"press smpte_led", "t:1:7: 'smpte_led' is no button\n"},
	{"expect led mute1 onn", "t:1:18: 'onn' is no state of a light (on, off, flash); did you mean \"on\"?\n"},
	{"expect fights", "t:1:14: one of = != < <= > >= is missing: here is the end\n"},
	{"expect fihgts = 0", "t:1:8: 'fihgts' is no thing that can be expected; did you mean \"fights\"?\n"},
	{"expect quiet", "t:1:13: quiet for how long? As in: expect quiet for 200ms\n"},
	{"expect strip 3 upper Kick", "t:1:22: text in \"quotes\" is missing: here is 'Kick'\n"},
	{"print \"abc", "t:1:7: this text has no closing \"\n"},
	{"repeat 2 {\n touch 1\n", "t:1:10: this '{' is not closed\n"},
	{"touch 1 }", "t:1:9: '}' is too much here\n"},
	{"send 90 5E 7FF", "t:1:12: '7FF' is no byte in hexadecimal\n"},
	{"random-load seed 1", "t:1:19: load for how long? As in: random-load seed 7 for 5s\n"},
	{"touch 1 $", "t:1:9: what is '$'?\n"},
	{"turn 1 nan", "t:1:8: the number of ticks is missing: here is 'nan'\n"},
	/* All errors at once, each with its place. */
	{"touch x\n# fine\ntap play; foo\n\tset thro 1s",
	 "t:1:7: a fader is 1 to 9 or main, not 'x'\nt:3:11: 'foo' is no statement\n"
	 "t:4:6: 'thro' is no setting; did you mean \"throw\"?\n"},
};

START_TEST(an_error_names_its_place_and_what_was_meant)
{
	struct script *script;
	char *errors;
	ck_assert_int_lt(script_parse("t", wrong[_i].text, strlen(wrong[_i].text), &script, &errors), 0);
	ck_assert_ptr_null(script);
	ck_assert_str_eq(errors, wrong[_i].error);
	free(errors);
}
END_TEST

START_TEST(blocks_nest_only_so_deep)
{
	char text[2048] = "";
	struct script *script;
	char *errors;
	for (int i = 0; i < 100; i++)
		strcat(text, "repeat 2 { ");
	ck_assert_int_lt(script_parse("t", text, strlen(text), &script, &errors), 0);
	ck_assert_ptr_nonnull(strstr(errors, "nested deeper than"));
	free(errors);
}
END_TEST

/* ---- playing --------------------------------------------------------------------------------- */

START_TEST(the_example_of_the_reference_plays)
{
	static const struct host_byte host[] = {{700, {0x90, 0x12, 0x7f}, 3}};
	ck_assert_int_eq(play_with("at 0.2s touch 1; move 1 0.75 over 0.3s; release 1; expect led mute3 on within 1s",
				   host, 1),
			 RUN_DONE);
	ck_assert_uint_eq(took_ms(), 700);
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), desk_quantise(0.75 * DESK_TOP));
	/* Touch, 60 positions, release. */
	ck_assert_uint_eq(cable_queued(&cable), 3 + 60 * 3 + 3);
}
END_TEST

START_TEST(each_control_can_be_played)
{
	ck_assert_int_eq(play("press shift; tap f1 for 10ms; release shift; turn vpot2 -3; jog 1\n"
			      "pedal 64; send F0 7E F7; press vpot3_push"),
			 RUN_DONE);
	ASSERT_SENT(0x90, 0x46, 0x7f, 0x90, 0x36, 0x7f, 0x90, 0x36, 0x00, 0x90, 0x46, 0x00, 0xb0,
		    0x11, 0x43, 0xb0, 0x3c, 0x01, 0xb0, 0x2e, 0x40, 0xf0, 0x7e, 0xf7, 0x90, 0x22, 0x7f);
	ck_assert_uint_eq(took_ms(), 10);
}
END_TEST

START_TEST(a_turn_over_time_sends_all_its_ticks)
{
	ck_assert_int_eq(play("turn 1 100 over 0.5s; turn 1 -30 over 100ms"), RUN_DONE);
	ck_assert_uint_eq(took_ms(), 600);
	ck_assert_int_eq(desk.turned[0], 70);
	ck_assert_uint_gt(desk.count[DESK_C_SENT_MESSAGES], 40);
}
END_TEST

START_TEST(a_failed_expectation_says_what_was_seen_and_ends_the_script)
{
	ck_assert_int_eq(play("wait 50ms\n  expect led mute3 on within 1s ; tap play"), RUN_FAILED);
	ck_assert_str_eq(run.saw, "t:2:3: expect led mute3 on within 1s: it is off");
	ck_assert_uint_eq(took_ms(), 1050);
	ck_assert_uint_eq(cable_queued(&cable), 0);
}
END_TEST

static const struct {
	const char *text;
	bool met;
} conditions[] = {
	{"expect fader 1 0.5", true},	    {"expect fader 1 0.51", false},
	{"expect fader 1 0.51 +-0.02", true}, {"expect fader 1 8188", true},
	{"expect fader 1 50%", true},	    {"expect target 1 8192", true},
	{"expect target 2 0", false},	    {"expect led solo2 flash", true},
	{"expect led solo2 on", false},	    {"expect ring 2 dot 6", true},
	{"expect ring 2 dot 6 extra", false}, {"expect ring 3 off", true},
	{"expect ring 2 wrap 6", false},    {"expect strip 1 upper \"Kick\"", true},
	{"expect strip 1 upper \"Kic\"", false}, {"expect strip 1 lower \"\"", true},
	{"expect strip 1 color white", true}, {"expect strip 1 color red", false},
	{"expect digits timecode \"1\"", true}, {"expect digits assignment \"1\"", false},
	{"expect meter 1 >= 12", true},	    {"expect meter 1 over", false},
	{"expect meter 1 < 12", false},	    {"expect peer here", true},
	{"expect peer gone", false},	    {"expect messages = 6", true},
	{"expect messages > 6", false},	    {"expect bytes = 0 since mark", false},
	{"mark; expect bytes = 0 since mark", true},
	{"expect fights = 0", true},	    {"expect redundant != 0", false},
};

START_TEST(a_condition_is_met_or_not)
{
	static const uint8_t host[] = {0xe0, 0x00, 0x40, 0x90, 0x09, 0x01, 0xb0, 0x31, 0x06,
				       0x40, 0x31, 0xd0, 0x0c, 0xf0, 0x00, 0x00, 0x66, 0x14,
				       0x12, 0x00, 'K',	 'i',  'c',  'k',  0xf7};
	desk.opts.throw_ns = 0;
	desk_receive(&desk, now_ns, host, sizeof(host));
	ck_assert_int_eq(play(conditions[_i].text), conditions[_i].met ? RUN_DONE : RUN_FAILED);
	ck_assert_uint_eq(took_ms(), 0);
}
END_TEST

START_TEST(what_must_stay_true_for_a_time_is_watched)
{
	static const struct host_byte host[] = {{100, {0x90, 0x10, 0x7f}, 3},
						{150, {0x90, 0x10, 0x00}, 3},
						{200, {0x90, 0x10, 0x7f}, 3}};
	ck_assert_int_eq(play_with("expect led mute1 on within 1s for 300ms", host, 3), RUN_DONE);
	ck_assert_uint_eq(took_ms(), 500);
	set_up();
	ck_assert_int_eq(play_with("expect led mute1 off for 300ms", host, 3), RUN_FAILED);
	ck_assert_uint_eq(took_ms(), 100);
}
END_TEST

START_TEST(quiet_is_no_byte_at_all)
{
	static const struct host_byte host[] = {{100, {0xfe}, 1}};
	ck_assert_int_eq(play_with("expect quiet for 99ms", host, 1), RUN_DONE);
	set_up();
	ck_assert_int_eq(play_with("expect quiet for 200ms", host, 1), RUN_FAILED);
	ck_assert_uint_eq(took_ms(), 100);
	ck_assert_ptr_nonnull(strstr(run.saw, "1 bytes came"));
	set_up();
	ck_assert_int_eq(play_with("expect quiet for 200ms within 1s", host, 1), RUN_DONE);
	ck_assert_uint_eq(took_ms(), 300);
}
END_TEST

START_TEST(moves_can_go_on_beside_the_script)
{
	ck_assert_int_eq(play("move 1 1 over 0.4s touching &; move 2 0.5 over 100ms touching\n"
			      "expect fader 2 0.5; expect fader 1 0.25; wait hands; expect fader 1 1"),
			 RUN_DONE);
	ck_assert_uint_eq(took_ms(), 400);
	ck_assert(!desk.fader[0].touched && !desk.fader[1].touched);
}
END_TEST

START_TEST(repeat_repeats_and_nests)
{
	ck_assert_int_eq(play("repeat 3 {\n print \"a\"; repeat 2 { jog 1 }\n}\nrepeat 0 { jog 5 }; repeat 1000000 {}"),
			 RUN_DONE);
	ck_assert_str_eq(printed, "# a\n# a\n# a\n");
	ck_assert_int_eq(desk.jogged, 6);
}
END_TEST

START_TEST(a_long_loop_without_time_gives_way)
{
	struct script *script;
	char *errors;
	const char *text = "repeat 1000000 { mark }";
	uint64_t next;
	ck_assert_int_eq(script_parse("t", text, strlen(text), &script, &errors), 0);
	run_start(&run, &env, script, now_ns);
	ck_assert_int_eq(run_step(&run, now_ns, &next), RUN_WAITING);
	ck_assert_uint_eq(next, now_ns);
	script_free(script);
}
END_TEST

START_TEST(a_pause_in_which_nobody_ran_is_none)
{
	struct script *script;
	char *errors;
	const char *text = "expect quiet for 400ms within 30s";
	uint64_t next;
	ck_assert_int_eq(script_parse("t", text, strlen(text), &script, &errors), 0);
	run_start(&run, &env, script, now_ns);
	ck_assert_int_eq(run_step(&run, now_ns, &next), RUN_WAITING);
	now_ns += 5000 * MS;
	ck_assert_int_eq(run_step(&run, now_ns, &next), RUN_WAITING);
	unsigned looks = 0;
	for (; run_step(&run, now_ns, &next) == RUN_WAITING; now_ns = next)
		ck_assert_uint_lt(++looks, 100);
	ck_assert_uint_ge(took_ms(), 5300);
	ck_assert_uint_le(took_ms(), 5400);
	script_free(script);
}
END_TEST

START_TEST(the_cable_can_be_pulled_and_put_back)
{
	ck_assert_int_eq(play("unplug; tap play; expect peer gone; expect lost_messages = 2\n"
			      "plug fresh; wait peer; tap stop"),
			 RUN_DONE);
	/* The announcement of a desk that was switched on, and the tap. */
	ck_assert_uint_eq(cable_queued(&cable), 18 + 6);
	ck_assert_uint_eq(desk.presses[0x5e], 0);
	ck_assert_int_eq(desk.presses_lost, 1);
}
END_TEST

START_TEST(settings_reach_the_desk)
{
	ck_assert_int_eq(play("set settle instant; set return 20ms; set report on; set answers off; set jump 0.1; set travel 12 15935; set within 2s"),
			 RUN_DONE);
	ck_assert_uint_eq(desk.opts.throw_ns, 0);
	ck_assert_uint_eq(desk.opts.return_ns, 20 * MS);
	ck_assert(desk.opts.reports_motor);
	ck_assert(!desk.opts.answers);
	ck_assert_uint_eq(desk.opts.jump, 1638);
	ck_assert_int_eq(play("expect led play on"), RUN_FAILED);
	ck_assert_uint_eq(took_ms(), 2000);
}
END_TEST

START_TEST(the_same_seed_is_the_same_load_and_its_end_state_is_what_was_sent)
{
	static uint8_t first[CABLE_QUEUE];
	static char state[sizeof(printed)];
	const char *text = "random-load seed 7 for 2s rate 100; end-state";
	ck_assert_int_eq(play(text), RUN_DONE);
	size_t n = cable_queued(&cable);
	memcpy(first, cable.queue, n);
	memcpy(state, printed, sizeof(state));
	ck_assert_uint_gt(n, 1000);
	ck_assert_uint_ge(took_ms(), 2000);
	set_up();
	ck_assert_int_eq(play(text), RUN_DONE);
	ck_assert_uint_eq(cable_queued(&cable), n);
	ck_assert_mem_eq(cable.queue, first, n);
	ck_assert_str_eq(printed, state);

	/* Hear the bytes as a host does, and compare. */
	struct bh_midi_parser p = {0};
	struct bh_midi_msg msg;
	struct bh_mcu_event ev;
	const struct bh_mcu_opts any = {0};
	int64_t turned[BH_MCU_STRIPS] = {0};
	uint64_t presses[DESK_BUTTONS] = {0};
	uint16_t pos[BH_MCU_FADERS] = {0};
	int touched = 0, pressed = 0;
	for (size_t i = 0; i < n; i++) {
		if (!bh_midi_parse(&p, first[i], &msg) || !bh_mcu_decode_event(&any, &msg, &ev))
			continue;
		if (ev.kind == BH_MCU_EV_VPOT)
			turned[ev.index] += ev.ticks;
		else if (ev.kind == BH_MCU_EV_FADER)
			pos[ev.index] = ev.pos_14bit;
		else if (ev.kind == BH_MCU_EV_TOUCH)
			touched += ev.pressed ? 1 : -1;
		else if (ev.kind == BH_MCU_EV_BUTTON) {
			presses[ev.note] += ev.pressed;
			pressed += ev.pressed ? 1 : -1;
		}
	}
	ck_assert_int_eq(touched, 0);
	ck_assert_int_eq(pressed, 0);
	ck_assert_mem_eq(turned, desk.turned, sizeof(turned));
	ck_assert_mem_eq(presses, desk.presses, sizeof(presses));
	for (unsigned i = 0; i < BH_MCU_FADERS; i++)
		ck_assert_uint_eq(pos[i], desk.fader[i].has_reported ? desk.fader[i].reported : 0);

	set_up();
	ck_assert_int_eq(play("random-load seed 8 for 2s rate 100"), RUN_DONE);
	ck_assert(cable_queued(&cable) != n || memcmp(cable.queue, first, n) != 0);
}
END_TEST

START_TEST(a_load_keeps_to_the_controls_it_was_given)
{
	ck_assert_int_eq(play("random-load seed 1 for 1s rate 200 using jog mute3"), RUN_DONE);
	ck_assert_uint_gt(desk.presses[0x12], 0);
	ck_assert_int_ne(desk.jogged, 0);
	ck_assert_uint_eq(desk.count[DESK_C_SENT_MESSAGES] * 3, cable_queued(&cable));
	for (size_t i = 0; i < cable_queued(&cable); i += 3)
		ck_assert(cable.queue[i + 1] == 0x12 || cable.queue[i + 1] == 0x3c);
}
END_TEST

START_TEST(garbage_has_its_length_and_comes_from_its_seed)
{
	ck_assert_int_eq(play("garbage 1000 seed 5"), RUN_DONE);
	ck_assert_uint_eq(cable_queued(&cable), 1000);
}
END_TEST

START_TEST(every_word_of_the_language_is_in_the_reference)
{
	char path[4096];
	const char *src = getenv("BH_SRC"), *help, *syntax;
	ck_assert_ptr_nonnull(src);
	snprintf(path, sizeof(path), "%s/docs/reference/simdesk.md", src);
	FILE *f = fopen(path, "re");
	ck_assert_msg(f, "%s: %m", path);
	static char text[65536];
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (unsigned row = 0; (syntax = script_help_row(row, &help)); row++) {
		char line[600];
		snprintf(line, sizeof(line), "  %s\n        %s\n", syntax, help);
		ck_assert_msg(strstr(text, line), "docs/reference/simdesk.md lacks:\n%s", line);
	}
	for (unsigned c = 0; c < DESK_COUNTS; c++)
		ck_assert_msg(strstr(text, desk_count_name(c)), "counter %s", desk_count_name(c));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("simdesk_script");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_loop_test(t, an_error_names_its_place_and_what_was_meant, 0, (int)BH_ARRAY_LEN(wrong));
	tcase_add_test(t, blocks_nest_only_so_deep);
	tcase_add_test(t, the_example_of_the_reference_plays);
	tcase_add_test(t, each_control_can_be_played);
	tcase_add_test(t, a_turn_over_time_sends_all_its_ticks);
	tcase_add_test(t, a_failed_expectation_says_what_was_seen_and_ends_the_script);
	tcase_add_loop_test(t, a_condition_is_met_or_not, 0, (int)BH_ARRAY_LEN(conditions));
	tcase_add_test(t, what_must_stay_true_for_a_time_is_watched);
	tcase_add_test(t, quiet_is_no_byte_at_all);
	tcase_add_test(t, moves_can_go_on_beside_the_script);
	tcase_add_test(t, repeat_repeats_and_nests);
	tcase_add_test(t, a_long_loop_without_time_gives_way);
	tcase_add_test(t, a_pause_in_which_nobody_ran_is_none);
	tcase_add_test(t, the_cable_can_be_pulled_and_put_back);
	tcase_add_test(t, settings_reach_the_desk);
	tcase_add_test(t, the_same_seed_is_the_same_load_and_its_end_state_is_what_was_sent);
	tcase_add_test(t, a_load_keeps_to_the_controls_it_was_given);
	tcase_add_test(t, garbage_has_its_length_and_comes_from_its_seed);
	tcase_add_test(t, every_word_of_the_language_is_in_the_reference);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
