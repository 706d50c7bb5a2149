/* A pad's axes and buttons, from what the kernel says to what the router is told. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/pad/model.h"

#define LINEAR                                                                                     \
	(struct pad_options)                                                                       \
	{                                                                                          \
		.bend = {.deadzone = 0, .gamma = 1}, .trigger = 0.5                                \
	}

static struct pad p;

static void
set(unsigned type, unsigned code, int value)
{
	struct input_event ev = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
	pad_event(&p, &ev);
}

static double
at(enum pad_axis axis)
{
	double pos[PAD_AXES];
	pad_position(&p, pos);
	return pos[axis];
}

static bool
is_held(enum pad_button b)
{
	return pad_held(&p) >> b & 1;
}

static double
chance(double min, double max)
{
	return min + (max - min) * ((double)(rand() % 100001) / 100000);
}

START_TEST(ends_and_centre_are_exact)
{
	static const struct pad_range ranges[] = {
		{-32768, 32767}, {0, 255}, {0, 1023}, {-128, 127}, {-1, 1}};
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		int32_t middle = (ranges[i].min + ranges[i].max) / 2;
		for (double gamma = 0.5; gamma < 4; gamma += 0.5) {
			const struct pad_bend b = {0.02, gamma};
			double x = pad_axis_unit(ranges[i], ranges[i].max),
			       y = pad_axis_unit(ranges[i], middle);
			pad_stick_bend(&b, &x, &y);
			ck_assert_double_eq(pad_stick_position(x, false), 1);
			ck_assert_double_eq(pad_stick_position(x, true), 0);
			ck_assert_double_eq(pad_stick_position(y, false), 0.5);
			x = pad_axis_unit(ranges[i], ranges[i].min);
			y = pad_axis_unit(ranges[i], ranges[i].max);
			pad_stick_bend(&b, &x, &y);
			ck_assert_double_eq(pad_stick_position(x, false), 0);
			ck_assert_double_eq(pad_stick_position(y, false), 1);
			ck_assert_double_eq(pad_trigger_bend(&b, 1), 1);
		}
	}
}
END_TEST

START_TEST(gamma_is_applied_once)
{
	const struct pad_bend b = {0, 1.5};
	double x = 0.5, y = 0;
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq_tol(x, pow(0.5, 1.5), 1e-12);
	x = -0.25;
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq_tol(x, -pow(0.25, 1.5), 1e-12);
	ck_assert_double_eq_tol(pad_trigger_bend(&b, 0.5), pow(0.5, 1.5), 1e-12);
}
END_TEST

START_TEST(the_dead_zone_is_round_and_the_rest_is_stretched)
{
	const struct pad_bend b = {0.2, 1};
	double x = 0.14, y = 0.14;
	pad_stick_bend(&b, &x, &y); /* 0.198 from the centre */
	ck_assert_double_eq(x, 0);
	ck_assert_double_eq(y, 0);
	x = 0.6, y = 0;
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq_tol(x, 0.5, 1e-12);
	x = 0.48, y = -0.36; /* 0.6 away: the direction stays */
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq_tol(x, 0.4, 1e-12);
	ck_assert_double_eq_tol(y, -0.3, 1e-12);
}
END_TEST

START_TEST(near_the_centre_is_exactly_the_centre)
{
	const struct pad_bend b = {0, 1.5};
	double x = 0.049, y = 0.6;
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq(pad_stick_position(x, false), 0.5);
	ck_assert_double_eq(pad_stick_position(x, true), 0.5);
	ck_assert_double_gt(y, 0.4);
	x = 0.06; /* behind it the curve begins where it is, not at 0.05 */
	pad_stick_bend(&b, &x, &y);
	ck_assert_double_eq_tol(x, pow(0.06, 1.5), 1e-12);
}
END_TEST

START_TEST(whatever_comes_in_what_goes_out_is_monotonous_and_within_bounds)
{
	for (unsigned n = 0; n < 3000; n++) {
		const struct pad_bend b = {chance(0, 0.9), chance(0.1, 10)};
		double y = chance(-1, 1), lo = chance(-1, 1), hi = chance(lo, 1), y1 = y, y2 = y,
		       a = lo, c = hi;
		pad_stick_bend(&b, &a, &y1);
		pad_stick_bend(&b, &c, &y2);
		ck_assert_double_ge(a, -1);
		ck_assert_double_le(c, 1);
		ck_assert(a * lo >= 0 && c * hi >= 0); /* never to the other side */
		double z = chance(0, 1), more = chance(z, 1);
		ck_assert_double_le(pad_trigger_bend(&b, z), pad_trigger_bend(&b, more));
		y1 = y2 = 0, a = lo, c = hi;
		pad_stick_bend(&b, &a, &y1);
		pad_stick_bend(&b, &c, &y2);
		ck_assert_double_le(a, c);
	}
	double x = NAN, y = 1;
	pad_stick_bend(&(struct pad_bend){0.1, 1}, &x, &y);
	ck_assert_double_eq(x, 0);
	ck_assert_double_eq(pad_trigger_bend(&(struct pad_bend){0.1, 1}, NAN), 0);
	ck_assert_double_eq(pad_axis_unit((struct pad_range){5, 5}, 5), 0);
	ck_assert_double_eq(pad_axis_unit((struct pad_range){INT32_MIN, INT32_MAX}, INT32_MAX), 1);
}
END_TEST

START_TEST(small_changes_are_none_but_rest_and_ends_are_reached)
{
	ck_assert(!pad_axis_differs(0.7, 0.7004, 0.5, 0.5));
	ck_assert(pad_axis_differs(0.7, 0.7006, 0.5, 0.5));
	ck_assert(pad_axis_differs(0.5002, 0.5, 0.5, 0.5));
	ck_assert(!pad_axis_differs(0.5, 0.5, 0.5, 0.5));
	ck_assert(pad_axis_differs(0.9999, 1, 0.5, 0.5));
	ck_assert(pad_axis_differs(0.0001, 0, 0, 1));
	ck_assert(pad_axis_differs(NAN, 0.3, 0.5, 0.5));
}
END_TEST

START_TEST(idle_triggers_are_zero)
{
	struct pad_state s = {.has[ABS_X] = true,
			      .has[ABS_Y] = true,
			      .has[ABS_RX] = true,
			      .has[ABS_RY] = true,
			      .has[ABS_Z] = true,
			      .has[ABS_RZ] = true,
			      .range[ABS_Z] = {-128, 127},
			      .range[ABS_RZ] = {0, 1023}};
	s.abs[ABS_Z] = -128;
	s.abs[ABS_RZ] = 30; /* as some tremble */
	pad_init(&p, &LINEAR, &s);
	ck_assert_double_eq(at(PAD_ZL), 0);
	ck_assert_double_eq(at(PAD_ZR), 0);
	set(EV_ABS, ABS_Z, 127);
	ck_assert_double_eq(at(PAD_ZL), 1);
	p.opt.invert[PAD_ZL] = true;
	ck_assert_double_eq(at(PAD_ZL), 0);
	pad_rest(&p);
	ck_assert_double_eq(at(PAD_ZL), 1);
	ck_assert_double_eq(at(PAD_ZL), pad_axis_rest(&p, PAD_ZL));
}
END_TEST

START_TEST(up_and_right_are_one_unless_inverted)
{
	pad_init(&p, &LINEAR, NULL);
	set(EV_ABS, ABS_Y, -32768);
	set(EV_ABS, ABS_RX, 32767);
	ck_assert_double_eq(at(PAD_LY), 1);
	ck_assert_double_eq(at(PAD_RX), 1);
	ck_assert_double_eq(at(PAD_LX), 0.5);
	p.opt.invert[PAD_LY] = p.opt.invert[PAD_LX] = true;
	ck_assert_double_eq(at(PAD_LY), 0);
	ck_assert_double_eq(at(PAD_LX), 0.5);
}
END_TEST

START_TEST(every_button_has_its_code)
{
	static const struct {
		uint16_t code;
		enum pad_button nintendo, xbox;
	} row[] = {
		{BTN_EAST, PAD_A, PAD_B},
		{BTN_SOUTH, PAD_B, PAD_A},
		{BTN_NORTH, PAD_X, PAD_X},
		{BTN_WEST, PAD_Y, PAD_Y},
		{BTN_TL, PAD_LB, PAD_LB},
		{BTN_TR, PAD_RB, PAD_RB},
		{BTN_TL2, PAD_LT, PAD_LT},
		{BTN_TR2, PAD_RT, PAD_RT},
		{BTN_THUMBL, PAD_L3, PAD_L3},
		{BTN_THUMBR, PAD_R3, PAD_R3},
		{BTN_START, PAD_PLUS, PAD_PLUS},
		{BTN_SELECT, PAD_MINUS, PAD_MINUS},
		{BTN_MODE, PAD_HOME, PAD_HOME},
		{BTN_Z, PAD_CAPTURE, PAD_CAPTURE},
		{KEY_RECORD, PAD_CAPTURE, PAD_CAPTURE},
		{BTN_DPAD_UP, PAD_UP, PAD_UP},
		{BTN_DPAD_DOWN, PAD_DOWN, PAD_DOWN},
		{BTN_DPAD_LEFT, PAD_LEFT, PAD_LEFT},
		{BTN_DPAD_RIGHT, PAD_RIGHT, PAD_RIGHT},
	};
	uint32_t all = 0;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (unsigned nintendo = 0; nintendo < 2; nintendo++) {
			struct pad_options o = LINEAR;
			o.nintendo = nintendo;
			pad_init(&p, &o, NULL);
			set(EV_KEY, row[i].code, 1);
			ck_assert_uint_eq(pad_held(&p),
					  1u << (nintendo ? row[i].nintendo : row[i].xbox));
			set(EV_KEY, row[i].code, 2); /* the kernel's key repeat is no edge */
			ck_assert_uint_eq(pad_held(&p),
					  1u << (nintendo ? row[i].nintendo : row[i].xbox));
			set(EV_KEY, row[i].code, 0);
			ck_assert_uint_eq(pad_held(&p), 0);
		}
		all |= 1u << row[i].nintendo;
	}
	ck_assert_uint_eq(all, (1u << PAD_BUTTONS) - 1);
}
END_TEST

START_TEST(a_hat_is_four_buttons)
{
	pad_init(&p, &LINEAR, NULL);
	set(EV_ABS, ABS_HAT0X, -1);
	set(EV_ABS, ABS_HAT0Y, 1);
	ck_assert_uint_eq(pad_held(&p), 1u << PAD_LEFT | 1u << PAD_DOWN);
	set(EV_ABS, ABS_HAT0X, 1);
	set(EV_ABS, ABS_HAT0Y, -1);
	ck_assert_uint_eq(pad_held(&p), 1u << PAD_RIGHT | 1u << PAD_UP);
	set(EV_ABS, ABS_HAT0X, 0);
	set(EV_ABS, ABS_HAT0Y, 0);
	ck_assert_uint_eq(pad_held(&p), 0);
}
END_TEST

START_TEST(a_trigger_is_a_button_once_though_it_trembles)
{
	pad_init(&p, &LINEAR, NULL);
	set(EV_ABS, ABS_RZ, 127);
	ck_assert(!is_held(PAD_RT));
	set(EV_ABS, ABS_RZ, 128);
	ck_assert(is_held(PAD_RT));
	set(EV_ABS, ABS_RZ, 120);
	ck_assert(is_held(PAD_RT));
	set(EV_ABS, ABS_RZ, 100);
	ck_assert(!is_held(PAD_RT));
	set(EV_ABS, ABS_RZ, 120);
	ck_assert(!is_held(PAD_RT));
}
END_TEST

START_TEST(triggers_that_are_switches_are_axes_too)
{
	struct pad_state s = {
		.has[ABS_X] = true, .has[ABS_Y] = true, .has[ABS_RX] = true, .has[ABS_RY] = true};
	pad_init(&p, &LINEAR, &s);
	ck_assert_double_eq(at(PAD_ZL), 0);
	set(EV_KEY, BTN_TL2, 1);
	ck_assert_double_eq(at(PAD_ZL), 1);
	ck_assert_double_eq(at(PAD_ZR), 0);
	ck_assert(is_held(PAD_LT) && !is_held(PAD_RT));
}
END_TEST

START_TEST(a_pad_without_a_driver_of_its_own_has_its_stick_on_z)
{
	struct pad_state s = {.has[ABS_X] = true,
			      .has[ABS_Y] = true,
			      .has[ABS_Z] = true,
			      .has[ABS_RZ] = true,
			      .has[ABS_GAS] = true,
			      .has[ABS_BRAKE] = true};
	for (unsigned i = 0; i < ABS_CNT; i++)
		s.range[i] = (struct pad_range){0, 255};
	pad_init(&p, &LINEAR, &s);
	pad_rest(&p);
	ck_assert_uint_eq(pad_held(&p), 0);
	ck_assert_double_eq(at(PAD_RX), 0.5);
	set(EV_ABS, ABS_Z, 255);
	set(EV_ABS, ABS_GAS, 255);
	ck_assert_double_eq(at(PAD_RX), 1);
	ck_assert_double_eq(at(PAD_ZR), 1);
	ck_assert_uint_eq(pad_held(&p), 1u << PAD_RT);
}
END_TEST

START_TEST(after_lost_frames_nothing_counts_until_the_state_was_read)
{
	const struct input_event report = {.type = EV_SYN, .code = SYN_REPORT};
	pad_init(&p, &LINEAR, NULL);
	set(EV_KEY, BTN_TL, 1);
	ck_assert_int_eq(pad_event(&p, &report), PAD_FRAME);
	set(EV_SYN, SYN_DROPPED, 0);
	set(EV_KEY, BTN_TL, 0);
	ck_assert(is_held(PAD_LB));
	ck_assert_int_eq(pad_event(&p, &report), PAD_REREAD);
	pad_set_state(&p, &(struct pad_state){0});
	ck_assert(!is_held(PAD_LB));
	ck_assert_int_eq(pad_event(&p, &report), PAD_FRAME);
	set(EV_KEY, KEY_MAX + 100, 1); /* codes that there are not do no harm */
	set(EV_ABS, ABS_MAX + 1, 1);
}
END_TEST

START_TEST(motion_sensors_and_touch_pads_are_no_pads)
{
	uint8_t keys[KEY_CNT / 8] = {0},
			       axes[ABS_CNT / 8] = {[ABS_X / 8] = 1 << ABS_X | 1 << ABS_Y};
	ck_assert(!pad_is_one(keys, axes));
	keys[BTN_LEFT / 8] |= 1 << BTN_LEFT % 8;
	ck_assert(!pad_is_one(keys, axes));
	keys[BTN_SOUTH / 8] |= 1 << BTN_SOUTH % 8;
	ck_assert(pad_is_one(keys, axes));
	ck_assert(!pad_is_one(keys, (uint8_t[ABS_CNT / 8]){0}));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pad_model");
	TCase *t = tcase_create("all");
	tcase_add_test(t, ends_and_centre_are_exact);
	tcase_add_test(t, gamma_is_applied_once);
	tcase_add_test(t, the_dead_zone_is_round_and_the_rest_is_stretched);
	tcase_add_test(t, near_the_centre_is_exactly_the_centre);
	tcase_add_test(t, whatever_comes_in_what_goes_out_is_monotonous_and_within_bounds);
	tcase_add_test(t, small_changes_are_none_but_rest_and_ends_are_reached);
	tcase_add_test(t, idle_triggers_are_zero);
	tcase_add_test(t, up_and_right_are_one_unless_inverted);
	tcase_add_test(t, every_button_has_its_code);
	tcase_add_test(t, a_hat_is_four_buttons);
	tcase_add_test(t, a_trigger_is_a_button_once_though_it_trembles);
	tcase_add_test(t, triggers_that_are_switches_are_axes_too);
	tcase_add_test(t, a_pad_without_a_driver_of_its_own_has_its_stick_on_z);
	tcase_add_test(t, after_lost_frames_nothing_counts_until_the_state_was_read);
	tcase_add_test(t, motion_sensors_and_touch_pads_are_no_pads);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
