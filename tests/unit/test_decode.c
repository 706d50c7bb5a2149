/* Messages of a surface as events of the controls of its panel. */
#include <stdlib.h>

#include "procs/surface/decode.h"
#include "tests/unit/panel.h"

static struct panel panel;
static struct decode d;
static struct surface_event ev;

static void
set_up(void)
{
	struct decode_options o = {.fader_max = 16380};
	panel_x_touch(&panel);
	decode_init(&d, panel.c, panel.n, &o);
}

static bool
say(uint8_t status, uint8_t d0, uint8_t d1)
{
	struct bh_midi_msg m = {.status = status, .data = {d0, d1}, .len = 2};
	return decode_message(&d, &m, &ev);
}

static void
assert_control(const char *name)
{
	ck_assert_str_eq(panel.c[ev.control].name, name);
}

START_TEST(buttons_come_by_their_names)
{
	ck_assert(say(0x90, 0x12, 0x7f));
	ck_assert_int_eq(ev.kind, SURFACE_BUTTON);
	ck_assert(ev.on);
	assert_control("mute3");
	ck_assert(say(0x80, 0x5e, 0x40));
	ck_assert(!ev.on);
	assert_control("play");
	ck_assert(say(0x90, 0x20, 0x7f));
	assert_control("vpot1_push");
	ck_assert(say(0x90, 0x66, 0x7f));
	assert_control("foot_a");
}
END_TEST

START_TEST(lamps_are_not_pressed)
{
	ck_assert(!say(0x90, 0x71, 0x7f));
	ck_assert(!say(0x90, 0x7f, 0x7f));
}
END_TEST

START_TEST(faders_have_position_and_touch)
{
	ck_assert(say(0xe8, 0x7c, 0x7f));
	ck_assert_int_eq(ev.kind, SURFACE_MOVE);
	assert_control("fader_main");
	ck_assert_double_eq(ev.unit, 1);
	ck_assert_uint_eq(ev.pos_14bit, 16380);
	ck_assert(say(0xe0, 0x7f, 0x7f)); /* beyond what this device reports */
	ck_assert_double_eq(ev.unit, 1);
	ck_assert(say(0xe0, 0x00, 0x00));
	assert_control("fader1");
	ck_assert_double_eq(ev.unit, 0);
	ck_assert(say(0x90, 0x70, 0x7f));
	ck_assert_int_eq(ev.kind, SURFACE_TOUCH);
	assert_control("fader_main");
	ck_assert(ev.on);
	ck_assert(say(0x90, 0x68, 0x00));
	assert_control("fader1");
	ck_assert(!ev.on);
}
END_TEST

START_TEST(near_an_end_is_the_end_and_a_measured_fader_has_its_own)
{
	struct calibration measured = {.fader[1] = {.min = 12, .max = 15935}};
	struct decode_options o = {.fader_max = 16380, .fader_snap = 8, .measured = &measured};
	decode_init(&d, panel.c, panel.n, &o);
	ck_assert(say(0xe0, 0x78, 0x7f)); /* 16376 */
	ck_assert_double_eq(ev.unit, 1);
	ck_assert(say(0xe0, 0x07, 0x00));
	ck_assert_double_eq(ev.unit, 0);
	ck_assert(say(0xe0, 0x00, 0x40));
	ck_assert_double_eq(ev.unit, 8192.0 / 16380);
	ck_assert(say(0xe1, 0x3f, 0x7c)); /* 15935 */
	ck_assert_double_eq(ev.unit, 1);
	ck_assert_uint_eq(ev.pos_14bit, 15935);
	ck_assert(say(0xe1, 0x0c, 0x00));
	ck_assert_double_eq(ev.unit, 0);
	ck_assert(say(0xe0, 0x3f, 0x7c)); /* its neighbour was not measured */
	ck_assert(ev.unit < 0.98);
}
END_TEST

START_TEST(pots_jog_and_pedal_turn)
{
	ck_assert(say(0xb0, 0x17, 0x47));
	ck_assert_int_eq(ev.kind, SURFACE_TURN);
	assert_control("vpot8");
	ck_assert_int_eq(ev.ticks, -7);
	ck_assert(say(0xb0, 0x3c, 0x01));
	assert_control("jog");
	ck_assert_int_eq(ev.ticks, 1);
	ck_assert(say(0xb0, 0x2e, 0x7f));
	ck_assert_int_eq(ev.kind, SURFACE_PEDAL);
	assert_control("pedal");
	ck_assert_double_eq(ev.unit, 1);
}
END_TEST

START_TEST(a_device_that_turns_the_other_way_is_inverted)
{
	struct decode_options o = {.invert_vpots = true, .zero_is_a_tick = true};
	decode_init(&d, panel.c, panel.n, &o);
	ck_assert(say(0xb0, 0x10, 0x03));
	ck_assert_int_eq(ev.ticks, -3);
	ck_assert(say(0xb0, 0x10, 0x00));
	ck_assert_int_eq(ev.ticks, -1);
	ck_assert(say(0xb0, 0x3c, 0x01)); /* the jog wheel does not */
	ck_assert_int_eq(ev.ticks, 1);
}
END_TEST

START_TEST(what_the_panel_lacks_is_nothing)
{
	struct decode_options o = {0};
	decode_init(&d, panel.c, 3, &o); /* three faders only */
	ck_assert(say(0xe2, 0, 0));
	ck_assert(!say(0xe3, 0, 0));
	ck_assert(!say(0x90, 0x12, 0x7f));
	ck_assert(!say(0xb0, 0x10, 0x01));
	ck_assert(!say(0xb0, 0x3c, 0x01));
	ck_assert(!say(0xc0, 0x01, 0));
}
END_TEST

START_TEST(the_device_says_who_it_is)
{
	static const uint8_t b[] = {0xf0, 0, 0, 0x66, 0x15, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xf7};
	struct bh_midi_msg m = {.status = 0xf0, .sysex = b, .sysex_len = sizeof(b)};
	ck_assert(decode_message(&d, &m, &ev));
	ck_assert_int_eq(ev.kind, SURFACE_ANNOUNCE);
	ck_assert_uint_eq(ev.device.device_id, 0x15);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("decode");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, buttons_come_by_their_names);
	tcase_add_test(t, lamps_are_not_pressed);
	tcase_add_test(t, faders_have_position_and_touch);
	tcase_add_test(t, near_an_end_is_the_end_and_a_measured_fader_has_its_own);
	tcase_add_test(t, pots_jog_and_pedal_turn);
	tcase_add_test(t, a_device_that_turns_the_other_way_is_inverted);
	tcase_add_test(t, what_the_panel_lacks_is_nothing);
	tcase_add_test(t, the_device_says_who_it_is);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
