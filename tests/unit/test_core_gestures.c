/* test_core_gestures - buttons, knobs and pickup: what hands mean; each rule by its name, on the
 * desk of core_rig.h */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "procs/router/core_int.h"
#include "tests/lib/core_rig.h"

#define MS         1000000ull
#define near(a, b) ck_assert_double_eq_tol(a, b, 1e-6)

/* ------------------------------------------------------------------ allocations */

static unsigned long allocations;
#ifndef BH_SANITIZED
extern void *__libc_malloc(size_t size), *__libc_calloc(size_t n, size_t size),
	*__libc_realloc(void *p, size_t size);

void *
malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}
#endif

/* ------------------------------------------------------------------ desks */

static struct rig *r;

static struct bh_cfg_operand
number(double x)
{
	return (struct bh_cfg_operand){.num = x, .type = BH_FLOAT};
}

static struct bh_cfg_operand
word(struct rig_maker *m, const char *s)
{
	return (struct bh_cfg_operand){.text = rig_str(m, s), .type = BH_TEXT};
}

static void
part(struct rig_maker *m, unsigned ctl, enum bh_part which, uint16_t ms, enum bh_binding_kind kind,
     const char *target)
{
	struct bh_cfg_binding *b = rig_bind(m, 0, ctl, kind, target);
	b->part = (uint8_t)which;
	b->ms = ms;
	if (kind == BH_BIND_ACTION)
		b->action = (uint16_t)(10 + which);
	rig_put(m, b);
}

static void
steps(struct rig_maker *m, struct bh_cfg_binding *b, unsigned first, unsigned count)
{
	b->step_first = first;
	b->steps = (uint16_t)count;
	rig_put(m, b);
}

static void
step_set(struct rig_maker *m, const char *target, double to, unsigned flags)
{
	struct bh_cfg_step s = {.kind = BH_STEP_SET,
				.driver = RIG_MIX,
				.target = rig_str(m, target),
				.to = number(to),
				.flags = (uint8_t)flags,
				.when.driver = BH_SLOT_NONE};
	bh_config_writer_row(m->w, BH_TAB_STEPS, &s, sizeof(s));
}

/* What a test changes in the desk of the next reload. */
enum { ALL_THERE, OTHER_MUTE, NO_MUTE };

static int
desk(int variant, uint64_t generation)
{
	struct rig_maker m;
	struct bh_cfg_binding *b;
	rig_make(&m);
	/* 0: Switches */
	b = rig_bind(&m, 0, RIG_FADER1, BH_BIND_VALUE, "ch1/level");
	rig_put(&m, b);
	if (variant != NO_MUTE)
		rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_MOMENTARY,
				     variant == OTHER_MUTE ? "recording" : "ch1/mute"));
	b = rig_bind(&m, 0, RIG_VPOT, BH_BIND_RELATIVE, "count");
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_TOGGLE, "ch1/level");
	b->on = number(0);
	b->off = number(-60);
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_SCENE, BH_BIND_SELECT, "scene");
	b->choices = bh_config_writer_str(m.w, "Day\0Off", 7);
	b->choices_len = 8;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_JOG, BH_BIND_RELATIVE, "room");
	b->flags = BH_BINDF_ACCEL | BH_BINDF_HAS_STEP;
	b->step = 0.5;
	rig_put(&m, b);
	rig_put(&m, rig_bind(&m, 0, RIG_TOUCH1, BH_BIND_RADIO, "scene"));
	b = rig_bind(&m, 0, RIG_PEDAL, BH_BIND_VALUE, "ch2/level");
	b->flags = BH_BINDF_PICKUP;
	rig_put(&m, b);
	rig_page(&m, "Switches", 0);
	/* 1: Other */
	uint32_t first = m.bindings;
	rig_put(&m, rig_bind(&m, 1, RIG_FADER1, BH_BIND_VALUE, "ch3/level"));
	rig_put(&m, rig_bind(&m, 1, RIG_MUTE, BH_BIND_MOMENTARY, "recording"));
	rig_put(&m, rig_bind(&m, 1, RIG_VPOT, BH_BIND_RELATIVE, "scene"));
	rig_put(&m, rig_bind(&m, 1, RIG_PEDAL, BH_BIND_VALUE, "ch3/level"));
	rig_page(&m, "Other", first);
	rig_page_action(&m, RIG_F1, "next", NULL);
	return rig_finish(&m, generation);
}

static void
setup(void)
{
	r = rig_new_full(desk(ALL_THERE, 1));
}

static void
teardown(void)
{
	rig_free(r);
}

/* A desk of one page with these bindings alone. */
#define DESK(m_, ...)                                                                              \
	do {                                                                                       \
		struct rig_maker m_;                                                               \
		rig_make(&m_);                                                                     \
		__VA_ARGS__                                                                        \
		rig_page(&m_, "Page", 0);                                                          \
		rig_free(r);                                                                       \
		r = rig_new_full(rig_finish(&m_, 1));                                              \
	} while (0)

static void
turn_page(void)
{
	desk_press(r, RIG_F1);
}

static unsigned
light(unsigned ctl)
{
	return (unsigned)desk_ctl(r, ctl)->told.i;
}

/* ------------------------------------------------------------------ switches */

START_TEST(toggle_goes_between_its_two_values_and_is_lit_at_the_first)
{
	desk_press(r, RIG_PLAY); /* it stands at -10: neither of them */
	near(sent_last(r, RIG_LEVEL1)->v.f, 0);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_ON);
	desk_press(r, RIG_PLAY);
	near(sent_last(r, RIG_LEVEL1)->v.f, -60);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_OFF);
	/* A backend that says nearly so means it. */
	mix_report(r, RIG_LEVEL1, -60);
	rig_advance(r, 300);
	mix_report(r, RIG_LEVEL1, 0.01);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_ON);
	desk_press(r, RIG_PLAY);
	near(sent_last(r, RIG_LEVEL1)->v.f, -60);
}
END_TEST

START_TEST(toggle_without_values_goes_between_the_ends)
{
	DESK(m, rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_TOGGLE, "ch1/mute"));
	     rig_put(&m, rig_bind(&m, 0, RIG_PLAY, BH_BIND_TOGGLE, "room"));
	     struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_SCENE, BH_BIND_TOGGLE, "scene");
	     b->flags = BH_BINDF_INVERT; rig_put(&m, b););
	desk_press(r, RIG_MUTE);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	desk_press(r, RIG_MUTE); /* before the backend answers */
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_ON); /* 50 is not off */
	desk_press(r, RIG_PLAY);
	near(sent_last(r, RIG_ROOM)->v.f, 0);
	desk_press(r, RIG_PLAY);
	near(sent_last(r, RIG_ROOM)->v.f, 100);
	ck_assert_uint_eq(light(RIG_SCENE), BH_LIGHT_ON); /* inverted: lit at the lowest */
	desk_press(r, RIG_SCENE);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 2);
	ck_assert_uint_eq(light(RIG_SCENE), BH_LIGHT_OFF);
}
END_TEST

START_TEST(switch_of_what_cannot_be_set_flashes)
{
	DESK(m, rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_TOGGLE, "recording"));
	     rig_put(&m, rig_bind(&m, 0, RIG_PLAY, BH_BIND_MOMENTARY, "nowhere"));
	     rig_put(&m, rig_bind(&m, 0, RIG_SCENE, BH_BIND_SELECT, "ch1/level")););
	desk_press(r, RIG_MUTE);
	desk_press(r, RIG_PLAY);
	desk_press(r, RIG_SCENE);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_FLASH);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_FLASH);
	ck_assert_uint_eq(light(RIG_SCENE), BH_LIGHT_FLASH);
	ck_assert_uint_eq(sent_count(r, RIG_RECORDING) + sent_count(r, RIG_LEVEL1), 0);
	rig_advance(r, 1000);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_OFF);
}
END_TEST

START_TEST(radio_sets_its_value_and_is_lit_while_it_is_that)
{
	DESK(m, struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_MUTE, BH_BIND_RADIO, "scene");
	     b->on = word(&m, "Night"); rig_put(&m, b);
	     b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_RADIO, "scene"); b->on = word(&m, "Off");
	     rig_put(&m, b););
	desk_press(r, RIG_MUTE);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 1);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_ON);
	desk_press(r, RIG_MUTE);
	ck_assert_uint_eq(sent_count(r, RIG_SCENES), 1);
	desk_press(r, RIG_PLAY);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_OFF);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_ON);
}
END_TEST

START_TEST(select_goes_round_and_from_anything_else_to_the_first)
{
	desk_press(r, RIG_SCENE); /* Day, Off */
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 2);
	desk_press(r, RIG_SCENE);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 0);
	mix_report(r, RIG_SCENES, 0);
	rig_advance(r, 300);
	mix_report(r, RIG_SCENES, 1); /* Night is not among them */
	ck_assert_uint_eq(light(RIG_SCENE), BH_LIGHT_ON);
	desk_press(r, RIG_SCENE);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 0);
}
END_TEST

START_TEST(select_without_a_list_goes_through_all_that_there_are)
{
	DESK(m, rig_put(&m, rig_bind(&m, 0, RIG_SCENE, BH_BIND_SELECT, "scene"));
	     struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_SELECT, "count");
	     b->choices = bh_config_writer_str(m.w,
					       "2\0"
					       "7.0\0"
					       "99",
					       8);
	     b->choices_len = 9; rig_put(&m, b););
	for (int k = 1; k <= 3; k++) {
		desk_press(r, RIG_SCENE);
		ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, k % 3);
	}
	desk_press(r, RIG_PLAY);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 2);
	desk_press(r, RIG_PLAY);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 7);
}
END_TEST

/* ------------------------------------------------------------------ momentary */

START_TEST(momentary_is_on_while_it_is_pressed)
{
	desk_push(r, RIG_MUTE, true);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_ON);
	desk_push(r, RIG_MUTE, false);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(light(RIG_MUTE), BH_LIGHT_OFF);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	desk_push(r, RIG_MUTE, false);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_lets_go_of_what_it_pressed_whatever_the_page_shows_then)
{
	desk_push(r, RIG_MUTE, true);
	turn_page();
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	desk_push(r, RIG_MUTE, false);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	ck_assert_uint_eq(sent_count(r, RIG_RECORDING), 0);
}
END_TEST

START_TEST(momentary_is_let_go_once_when_its_surface_vanishes)
{
	desk_push(r, RIG_MUTE, true);
	bh_core_inbox(r->core, RIG_DESK, 99);
	rig_begin(r);
	rig_end(r);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	r->desk_gen[RIG_MUTE] = 0;
	desk_push(r, RIG_MUTE, false);
	rig_advance(r, 5000);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_whose_release_stands_in_its_cell_alone_is_let_go)
{
	desk_push(r, RIG_MUTE, true);
	struct bh_cell_body cell = {
		.gen = 7, .kind = BH_EV_RELEASE, .type = BH_BOOL, .stamp_ns = r->now_ns};
	rig_begin(r);
	bh_core_cell(r->core, RIG_DESK, RIG_MUTE, &cell);
	rig_end(r);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_pressed_again_without_a_release_lets_go_first)
{
	desk_push(r, RIG_MUTE, true);
	desk_push(r, RIG_MUTE, true);
	desk_push(r, RIG_MUTE, false);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 4); /* on off on off */
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
}
END_TEST

START_TEST(momentary_is_let_go_once_over_a_reload)
{
	desk_push(r, RIG_MUTE, true);
	rig_reconfigure(r, desk(OTHER_MUTE, 2));
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	desk_push(r, RIG_MUTE, false);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	ck_assert_uint_eq(sent_count(r, RIG_RECORDING), 0);
	/* and without a binding at all */
	rig_reconfigure(r, desk(ALL_THERE, 3));
	desk_push(r, RIG_MUTE, true);
	rig_reconfigure(r, desk(NO_MUTE, 4));
	desk_push(r, RIG_MUTE, false);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 4);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
}
END_TEST

/* The mixer alone: the desk is taken out of the configuration. */
static int
no_desk(void)
{
	struct rig_maker m = {.w = bh_config_writer_new()};
	struct bh_cfg_proc mix = {.name = rig_str(&m, "mix"), .kind = rig_str(&m, "loop"), .slot = RIG_MIX,
				  .role = BH_ROLE_DRIVER, .record_base = RIG_MIX_BASE, .records = 64, .params = 64};
	bh_config_writer_row(m.w, BH_TAB_PROCS, &mix, sizeof(mix));
	rig_page(&m, "Page", 0);
	return rig_finish(&m, 7);
}

START_TEST(momentary_whose_surface_is_taken_out_is_let_go_by_the_reload)
{
	desk_push(r, RIG_MUTE, true);
	rig_reconfigure(r, no_desk());
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	rig_directory(r);
	rig_restart(r);
	rig_reconfigure(r, desk(ALL_THERE, 8));
	desk_push(r, RIG_MUTE, false);
	rig_advance(r, 1000);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_of_a_surface_that_is_out_of_service_is_let_go)
{
	desk_push(r, RIG_MUTE, true);
	rig_event(r, BH_SLOT_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_DESK, .v.i = BH_HEALTH_BACKING_OFF});
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1); /* it will be back in a moment, and the finger is still there */
	rig_event(r, BH_SLOT_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_DESK, .v.i = BH_HEALTH_FAILED});
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	desk_push(r, RIG_MUTE, false);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_goes_on_in_a_successor_and_is_let_go_by_it)
{
	desk_push(r, RIG_MUTE, true);
	rig_restart(r);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	desk_push(r, RIG_MUTE, false);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	rig_restart(r);
	rig_advance(r, 1000);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_let_go_while_its_directory_is_read_is_paid_when_it_is_there)
{
	desk_push(r, RIG_MUTE, true);
	rig_begin(r);
	bh_core_directory_reset(r->core, RIG_MIX);
	rig_end(r);
	desk_push(r, RIG_MUTE, false);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	rig_directory(r);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
	rig_directory(r);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(what_two_buttons_hold_is_let_go_by_the_last)
{
	DESK(m, rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_MOMENTARY, "ch1/mute"));
	     rig_put(&m, rig_bind(&m, 0, RIG_PLAY, BH_BIND_MOMENTARY, "ch1/mute")););
	desk_push(r, RIG_MUTE, true);
	desk_push(r, RIG_PLAY, true);
	desk_push(r, RIG_MUTE, false);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 1);
	desk_push(r, RIG_PLAY, false);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 2);
}
END_TEST

START_TEST(momentary_of_a_text_has_its_text_back)
{
	DESK(m, struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_MUTE, BH_BIND_MOMENTARY, "title");
	     b->on = word(&m, "ON AIR"); b->off = word(&m, "quiet please"); rig_put(&m, b););
	desk_push(r, RIG_MUTE, true);
	ck_assert_str_eq(sent_last(r, RIG_TITLE)->v.s, "ON AIR");
	rig_restart(r);
	desk_push(r, RIG_MUTE, false);
	ck_assert_str_eq(sent_last(r, RIG_TITLE)->v.s, "quiet please");
}
END_TEST

START_TEST(request_to_press_presses_and_lets_go_as_it_says)
{
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PRESS, RIG_DESK, RIG_MUTE, BH_INT, 1, NULL),
			 0);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 1);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PRESS, RIG_DESK, RIG_MUTE, BH_INT, 0, NULL),
			 0);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 0);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PRESS, RIG_DESK, RIG_MUTE, BH_INT, 2, NULL),
			 0);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 0);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 4);
}
END_TEST

/* ------------------------------------------------------------------ scales */

START_TEST(curve_holds_both_ways_and_its_ends_are_exact)
{
	DESK(m, struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_FADER1, BH_BIND_VALUE, "room");
	     b->curve = 2; rig_put(&m, b);
	     b = rig_bind(&m, 0, RIG_FADER2, BH_BIND_VALUE, "ch1/pan"); b->curve = 0.5;
	     b->flags = BH_BINDF_INVERT | BH_BINDF_HAS_RANGE; b->min = 0; b->max = 1;
	     rig_put(&m, b););
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	near(sent_last(r, RIG_ROOM)->v.f, 25);
	desk_move(r, RIG_FADER1, 1);
	ck_assert_double_eq(sent_last(r, RIG_ROOM)->v.f, 100);
	desk_move(r, RIG_FADER1, 0);
	ck_assert_double_eq(sent_last(r, RIG_ROOM)->v.f, 0);
	desk_touch(r, RIG_FADER1, false);
	mix_report(r, RIG_ROOM, 0);
	rig_advance(r, 1000);
	mix_report(r, RIG_ROOM, 49);
	near(told_last(r, RIG_FADER1)->v.f, 0.7);
	mix_report(r, RIG_ROOM, 100);
	ck_assert_double_eq(told_last(r, RIG_FADER1)->v.f, 1);
	/* inverted, with a range of its own */
	desk_touch(r, RIG_FADER2, true);
	desk_move(r, RIG_FADER2, 0.75);
	near(sent_last(r, RIG_PAN)->v.f, 0.5);
	desk_move(r, RIG_FADER2, 1);
	ck_assert_double_eq(sent_last(r, RIG_PAN)->v.f, 0);
	desk_move(r, RIG_FADER2, 0);
	ck_assert_double_eq(sent_last(r, RIG_PAN)->v.f, 1);
}
END_TEST

START_TEST(fader_of_steps_stops_at_them_and_reaches_both_ends)
{
	DESK(m, struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_FADER1, BH_BIND_VALUE, "room");
	     b->flags = BH_BINDF_HAS_STEP; b->step = 30; rig_put(&m, b);
	     rig_put(&m, rig_bind(&m, 0, RIG_FADER2, BH_BIND_VALUE, "count"));
	     rig_put(&m, rig_bind(&m, 0, RIG_PEDAL, BH_BIND_VALUE, "scene")););
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	near(sent_last(r, RIG_ROOM)->v.f, 60);
	desk_move(r, RIG_FADER1, 0.97);
	near(sent_last(r, RIG_ROOM)->v.f, 90);
	desk_move(r, RIG_FADER1, 1);
	near(sent_last(r, RIG_ROOM)->v.f, 100);
	desk_touch(r, RIG_FADER2, true);
	desk_move(r, RIG_FADER2, 0.26);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 3);
	desk_move(r, RIG_FADER2, 1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 10);
	desk_move(r, RIG_PEDAL, 0.5);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 1);
	desk_move(r, RIG_PEDAL, 1);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 2);
}
END_TEST

/* ------------------------------------------------------------------ pickup */

START_TEST(pickup_takes_over_where_the_hand_meets_or_crosses_the_value)
{
	double at = fader_at(-20); /* 0.37 */
	desk_move(r, RIG_PEDAL, 0.1);
	desk_move(r, RIG_PEDAL, 0.3);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 0);
	desk_move(r, RIG_PEDAL, at + 0.05); /* crossed */
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 1);
	desk_move(r, RIG_PEDAL, 0.9);
	desk_move(r, RIG_PEDAL, 0.2);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 3);
	near(fader_at(sent_last(r, RIG_LEVEL2)->v.f), 0.2);
}
END_TEST

START_TEST(pickup_is_lost_when_somebody_else_sets_the_value)
{
	desk_move(r, RIG_PEDAL, fader_at(-20));
	desk_move(r, RIG_PEDAL, 0.5);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2),
			  1); /* the first one met it, and changed nothing */
	mix_report(r, RIG_LEVEL2, sent_last(r, RIG_LEVEL2)->v.f);
	mix_report(r, RIG_LEVEL2, 5);
	desk_move(r, RIG_PEDAL, 0.55);
	desk_move(r, RIG_PEDAL, 0.6);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 1);
	desk_move(r, RIG_PEDAL, fader_at(5) - 0.003); /* met */
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 2);
}
END_TEST

START_TEST(pickup_is_begun_anew_by_a_page_switch_and_kept_by_a_successor)
{
	desk_move(r, RIG_PEDAL, fader_at(-20));
	desk_move(r, RIG_PEDAL, 0.5);
	rig_restart(r);
	desk_move(r, RIG_PEDAL, 0.6);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 2);
	turn_page();
	desk_move(r, RIG_PEDAL, 0.62); /* no pickup there */
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL3), 1);
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, BH_FLOAT, -50, NULL);
	turn_page();
	desk_move(r, RIG_PEDAL, 0.63);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 3); /* the request alone */
}
END_TEST

START_TEST(quiet_room_drives_no_motor_and_its_faders_take_over_by_pickup)
{
	r->core->quiet = true;
	mix_report(r, RIG_LEVEL1, 0);
	turn_page();
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	turn_page();
	/* It stands where it was driven last: -10 dB. */
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, fader_at(-10) + 0.02);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
	desk_move(r, RIG_FADER1, fader_at(0) + 0.01);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 1);
	desk_move(r, RIG_FADER1, 1);
	ck_assert_double_eq(sent_last(r, RIG_LEVEL1)->v.f, 10);
	desk_touch(r, RIG_FADER1, false);
	mix_report(r, RIG_LEVEL1, 10);
	rig_advance(r, 5000);
	mix_report(r, RIG_LEVEL1, -30);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	/* Over: the motors go to what is true by then. */
	r->core->quiet = false;
	turn_page();
	turn_page();
	near(told_last(r, RIG_FADER1)->v.f, fader_at(-30));
}
END_TEST

/* ------------------------------------------------------------------ turning */

START_TEST(single_clicks_go_one_step_and_fast_ones_further)
{
	double was = 50, by = 0;
	for (int k = 0; k < 3; k++) {
		rig_advance(r, 800);
		desk_turn(r, RIG_JOG, 1);
		near(sent_last(r, RIG_ROOM)->v.f - was, 0.5);
		was = sent_last(r, RIG_ROOM)->v.f;
	}
	for (int k = 0; k < 5; k++) { /* 10 a second */
		rig_advance(r, 100);
		desk_turn(r, RIG_JOG, 1);
		by = sent_last(r, RIG_ROOM)->v.f - was;
		was = sent_last(r, RIG_ROOM)->v.f;
	}
	near(by, 0.5 * (1 + 3.9 * pow(10 / 9.0, 1.4)));
	for (int k = 0; k < 5; k++) { /* 100 a second */
		rig_advance(r, 10);
		desk_turn(r, RIG_JOG, -1);
		by = sent_last(r, RIG_ROOM)->v.f - was;
		was = sent_last(r, RIG_ROOM)->v.f;
	}
	near(by, -7.5); /* 15 times, and no further */
	rig_advance(r, 701);
	desk_turn(r, RIG_JOG, 1);
	near(sent_last(r, RIG_ROOM)->v.f - was, 0.5);
}
END_TEST

START_TEST(speed_is_smoothed_with_three_quarters_of_the_newest_and_a_turn_back_halves_it)
{
	rig_advance(r, 1000);
	desk_turn(r, RIG_JOG, 1);
	rig_advance(r, 100);
	desk_turn(r, RIG_JOG, 1); /* 10: the first measured */
	rig_advance(r, 50);
	desk_turn(r, RIG_JOG, 1); /* 20 */
	near(desk_ctl(r, RIG_JOG)->speed, 0.75 * 20 + 0.25 * 10);
	double was = mix_value(r, RIG_ROOM);
	rig_advance(r, 50);
	desk_turn(r, RIG_JOG, -1);
	double v = 0.75 * 20 + 0.25 * 17.5;
	near(desk_ctl(r, RIG_JOG)->speed, -v);
	near(mix_value(r, RIG_ROOM) - was, -0.5 * (1 + 3.9 * pow(v / 9, 1.4)) / 2);
}
END_TEST

START_TEST(clicks_of_one_message_are_all_counted)
{
	rig_advance(r, 1000);
	desk_turn(r, RIG_JOG, 1);
	double was = mix_value(r, RIG_ROOM);
	rig_advance(r, 400);
	desk_turn(r, RIG_JOG, 4); /* 10 a second */
	near(mix_value(r, RIG_ROOM) - was, 4 * 0.5 * (1 + 3.9 * pow(10 / 9.0, 1.4)));
}
END_TEST

START_TEST(fine_turns_of_whole_numbers_lose_no_click)
{
	desk_turn(r, RIG_VPOT, 1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 6);
	r->core->fine = true;
	for (int k = 0; k < 9; k++)
		desk_turn(r, RIG_VPOT, 1);
	ck_assert_uint_eq(sent_count(r, RIG_COUNT), 1);
	rig_restart(r); /* the rest is state, too */
	r->core->fine = true;
	desk_turn(r, RIG_VPOT, 1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 7);
	/* There and back is where it was: no flutter on the edge. */
	for (int k = 0; k < 20; k++)
		desk_turn(r, RIG_VPOT, k % 2 ? 1 : -1);
	ck_assert_uint_eq(sent_count(r, RIG_COUNT), 2);
	for (int k = 0; k < 25; k++)
		desk_turn(r, RIG_VPOT, 1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 9);
	for (int k = 0; k < 5; k++)
		desk_turn(r, RIG_VPOT, 1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 10);
}
END_TEST

START_TEST(rest_of_a_turn_is_not_anothers)
{
	r->core->fine = true;
	for (int k = 0; k < 9; k++)
		desk_turn(r, RIG_VPOT, 1);
	turn_page(); /* the scene: choices go by tens of clicks, too */
	desk_turn(r, RIG_VPOT, 1);
	ck_assert_uint_eq(sent_count(r, RIG_SCENES), 0);
	for (int k = 0; k < 9; k++)
		desk_turn(r, RIG_VPOT, 1);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 1);
}
END_TEST

START_TEST(turn_against_a_stop_leaves_no_rest)
{
	desk_turn(r, RIG_VPOT, 50);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 10);
	r->core->fine = true;
	for (int k = 0; k < 9; k++)
		desk_turn(r, RIG_VPOT, 1);
	for (int k = 0; k < 10; k++)
		desk_turn(r, RIG_VPOT, -1);
	ck_assert_int_eq(sent_last(r, RIG_COUNT)->v.i, 9);
}
END_TEST

START_TEST(fine_factor_of_a_binding_holds_for_faders_scales_too)
{
	DESK(m, struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_VPOT, BH_BIND_VALUE, "room");
	     b->flags = BH_BINDF_HAS_STEP; b->step = 2; b->fine = 0.25; rig_put(&m, b););
	desk_turn(r, RIG_VPOT, 1);
	near(mix_value(r, RIG_ROOM), 52);
	r->core->fine = true;
	desk_turn(r, RIG_VPOT, 1);
	near(mix_value(r, RIG_ROOM), 52.5);
}
END_TEST

/* ------------------------------------------------------------------ gestures */

static void
gesture_desk(bool hold, bool twice, uint16_t ms)
{
	DESK(
		m, part(&m, RIG_PLAY, BH_PART_MAIN, 0, BH_BIND_ACTION, "main"); if (hold) {
			part(&m, RIG_PLAY, BH_PART_HOLD, ms, BH_BIND_ACTION, "hold");
		} if (twice) { part(&m, RIG_PLAY, BH_PART_DOUBLE, ms, BH_BIND_ACTION, "double"); });
}

/* That many actions, the last one this. */
static void
expect_done(unsigned count, enum bh_part last, uint64_t stamp_ns)
{
	ck_assert_uint_eq(actions_count(r), count);
	ck_assert_uint_eq(action_last(r)->ev.id, 10u + last);
	ck_assert_uint_eq(action_last(r)->ev.stamp_ns, stamp_ns);
}

START_TEST(press_without_gestures_is_done_at_once)
{
	gesture_desk(false, false, 0);
	desk_push(r, RIG_PLAY, true);
	expect_done(1, BH_PART_MAIN, r->now_ns);
	rig_advance(r, 2000);
	desk_push(r, RIG_PLAY, false);
	expect_done(1, BH_PART_MAIN, r->now_ns - 2000 * MS);
}
END_TEST

START_TEST(long_press_is_done_once_while_it_is_still_pressed)
{
	gesture_desk(true, false, 0);
	uint64_t t = r->now_ns;
	desk_push(r, RIG_PLAY, true);
	rig_advance(r, 499);
	ck_assert_uint_eq(actions_count(r), 0);
	rig_advance(r, 1);
	expect_done(1, BH_PART_HOLD, t + 500 * MS);
	rig_advance(r, 5000);
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 5000);
	ck_assert_uint_eq(actions_count(r), 1);
}
END_TEST

START_TEST(press_let_go_before_it_is_long_is_done_at_the_release)
{
	gesture_desk(true, false, 0);
	desk_push(r, RIG_PLAY, true);
	rig_advance(r, 300);
	desk_push(r, RIG_PLAY, false);
	expect_done(1, BH_PART_MAIN, r->now_ns);
	rig_advance(r, 5000);
	ck_assert_uint_eq(actions_count(r), 1);
}
END_TEST

START_TEST(second_press_in_time_is_a_double_one)
{
	gesture_desk(false, true, 0);
	desk_press(r, RIG_PLAY);
	rig_advance(r, 250);
	ck_assert_uint_eq(actions_count(r), 0);
	desk_press(r, RIG_PLAY);
	expect_done(1, BH_PART_DOUBLE, r->now_ns);
	/* A third begins anew. */
	rig_advance(r, 100);
	desk_press(r, RIG_PLAY);
	rig_advance(r, 299);
	ck_assert_uint_eq(actions_count(r), 1);
	rig_advance(r, 1);
	expect_done(2, BH_PART_MAIN, r->now_ns);
}
END_TEST

START_TEST(press_without_a_second_is_done_when_the_window_is_over)
{
	gesture_desk(false, true, 150);
	uint64_t t = r->now_ns;
	desk_press(r, RIG_PLAY);
	rig_advance(r, 149);
	ck_assert_uint_eq(actions_count(r), 0);
	rig_advance(r, 2000);
	expect_done(1, BH_PART_MAIN, t + 150 * MS);
	/* held all the while: the same */
	t = r->now_ns;
	desk_push(r, RIG_PLAY, true);
	rig_advance(r, 2000);
	expect_done(2, BH_PART_MAIN, t + 150 * MS);
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 2000);
	ck_assert_uint_eq(actions_count(r), 2);
}
END_TEST

START_TEST(long_double_and_single_presses_of_one_button)
{
	gesture_desk(true, true, 0);
	uint64_t t = r->now_ns;
	desk_push(r, RIG_PLAY, true); /* long */
	rig_advance(r, 600);
	expect_done(1, BH_PART_HOLD, t + 500 * MS);
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 1000);
	ck_assert_uint_eq(actions_count(r), 1);
	desk_press(r, RIG_PLAY); /* double */
	rig_advance(r, 200);
	desk_push(r, RIG_PLAY, true);
	expect_done(2, BH_PART_DOUBLE, r->now_ns);
	rig_advance(r, 1000); /* its second press is not a long one */
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 1000);
	ck_assert_uint_eq(actions_count(r), 2);
	t = r->now_ns;
	desk_press(r, RIG_PLAY); /* single */
	rig_advance(r, 1000);
	expect_done(3, BH_PART_MAIN, t + 300 * MS);
	desk_push(r, RIG_PLAY, true); /* single, let go after the window and before it is long */
	rig_advance(r, 400);
	desk_push(r, RIG_PLAY, false);
	expect_done(4, BH_PART_MAIN, r->now_ns);
	rig_advance(r, 5000);
	ck_assert_uint_eq(actions_count(r), 4);
}
END_TEST

static int
gesture_pages(const char *main, uint64_t generation)
{
	struct rig_maker m;
	rig_make(&m);
	part(&m, RIG_PLAY, BH_PART_MAIN, 0, BH_BIND_TOGGLE, main);
	part(&m, RIG_PLAY, BH_PART_HOLD, 0, BH_BIND_MOMENTARY, "room");
	part(&m, RIG_PLAY, BH_PART_DOUBLE, 0, BH_BIND_SELECT, "scene");
	rig_page(&m, "Page", 0);
	uint32_t first = m.bindings;
	rig_put(&m, rig_bind(&m, 1, RIG_PLAY, BH_BIND_TOGGLE, "ch2/level"));
	rig_page(&m, "Other", first);
	rig_page_action(&m, RIG_F1, "next", NULL);
	return rig_finish(&m, generation);
}

START_TEST(gesture_is_decided_by_the_bindings_that_it_began_with)
{
	rig_free(r);
	r = rig_new_full(gesture_pages("ch1/mute", 1));
	desk_push(r, RIG_PLAY, true);
	turn_page();
	rig_advance(r, 100);
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 1000);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 0);
	/* and a long one */
	turn_page();
	desk_push(r, RIG_PLAY, true);
	turn_page();
	rig_advance(r, 600);
	near(mix_value(r, RIG_ROOM), 100);
	desk_push(r, RIG_PLAY, false);
	near(mix_value(r, RIG_ROOM), 0);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 0);
	/* The next press is the new page's. */
	desk_press(r, RIG_PLAY);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 1);
}
END_TEST

START_TEST(gesture_goes_on_in_a_successor)
{
	rig_free(r);
	r = rig_new_full(gesture_pages("ch1/mute", 1));
	desk_press(r, RIG_PLAY);
	rig_restart(r);
	rig_advance(r, 100);
	desk_press(r, RIG_PLAY);
	ck_assert_int_eq(sent_last(r, RIG_SCENES)->v.i, 1);
	desk_push(r, RIG_PLAY, true);
	rig_restart(r);
	rig_advance(r, 499);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 0);
	rig_advance(r, 1);
	near(mix_value(r, RIG_ROOM), 100);
	rig_restart(r);
	desk_push(r, RIG_PLAY, false);
	near(mix_value(r, RIG_ROOM), 0);
	desk_press(r, RIG_PLAY);
	rig_restart(r);
	rig_advance(r, 300);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
}
END_TEST

START_TEST(gesture_goes_on_over_a_reload_that_keeps_its_bindings_and_is_dropped_visibly_by_another)
{
	rig_free(r);
	r = rig_new_full(gesture_pages("ch1/mute", 1));
	desk_press(r, RIG_PLAY);
	rig_reconfigure(r, gesture_pages("ch1/mute", 2));
	rig_advance(r, 300);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	desk_press(r, RIG_PLAY);
	rig_reconfigure(r, desk(NO_MUTE, 3));
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_FLASH);
	rig_advance(r, 5000);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED) + sent_count(r, RIG_LEVEL1), 1);
	ck_assert_uint_ne(light(RIG_PLAY), BH_LIGHT_FLASH);
}
END_TEST

START_TEST(gesture_whose_time_came_while_nobody_was_there_is_refused)
{
	rig_free(r);
	r = rig_new_full(gesture_pages("ch1/mute", 1));
	desk_press(r, RIG_PLAY);
	uint64_t due = bh_core_deadline(r->core);
	ck_assert_uint_eq(due, r->now_ns + 300 * MS);
	r->now_ns = due;
	rig_begin(r);
	bh_core_timers(r->core, due + 5000 * MS);
	rig_end(r);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 0);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_FLASH);
}
END_TEST

START_TEST(gesture_is_what_the_hand_did_however_late_it_is_heard)
{
	gesture_desk(true, true, 0);
	uint64_t t = r->now_ns;
	/* All three come at once, half a second late: pressed, let go after 100 ms, pressed again
	 * after 200. */
	r->now_ns += 500 * MS;
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_PRESS,
				    .type = BH_BOOL,
				    .id = RIG_PLAY,
				    .v.i = 1,
				    .stamp_ns = t});
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_RELEASE,
				    .type = BH_BOOL,
				    .id = RIG_PLAY,
				    .gen = ++r->desk_gen[RIG_PLAY],
				    .stamp_ns = t + 100 * MS});
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_PRESS,
				    .type = BH_BOOL,
				    .id = RIG_PLAY,
				    .v.i = 1,
				    .stamp_ns = t + 200 * MS});
	expect_done(1, BH_PART_DOUBLE, t + 200 * MS); /* and its driver finds it too old, or not */
	desk_push(r, RIG_PLAY, false);
	rig_advance(r, 5000);
	/* A release that says it was long. */
	t = r->now_ns;
	desk_push(r, RIG_PLAY, true);
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_RELEASE,
				    .type = BH_BOOL,
				    .id = RIG_PLAY,
				    .gen = ++r->desk_gen[RIG_PLAY],
				    .stamp_ns = t + 700 * MS});
	expect_done(2, BH_PART_HOLD, t + 500 * MS);
	/* A second press after the window, heard before the window was closed here. */
	r->now_ns += 1000 * MS;
	t = r->now_ns;
	desk_press(r, RIG_PLAY);
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_PRESS,
				    .type = BH_BOOL,
				    .id = RIG_PLAY,
				    .v.i = 1,
				    .stamp_ns = t + 301 * MS});
	expect_done(3, BH_PART_MAIN, t + 300 * MS);
}
END_TEST

START_TEST(gesture_whose_surface_vanishes_is_dropped_visibly)
{
	gesture_desk(true, false, 0);
	desk_push(r, RIG_PLAY, true);
	bh_core_inbox(r->core, RIG_DESK, 99);
	rig_begin(r);
	rig_end(r);
	rig_advance(r, 100);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_FLASH);
	rig_advance(r, 5000);
	ck_assert_uint_eq(actions_count(r), 0);
}
END_TEST

START_TEST(press_whose_release_was_lost_is_dropped_by_the_next)
{
	gesture_desk(true, false, 0);
	desk_push(r, RIG_PLAY, true);
	rig_advance(r, 100);
	desk_push(r, RIG_PLAY, true);
	rig_advance(r, 100);
	desk_push(r, RIG_PLAY, false);
	expect_done(1, BH_PART_MAIN, r->now_ns);
}
END_TEST

START_TEST(refused_gesture_flashes)
{
	gesture_desk(true, true, 0);
	mix_health(r, BH_HEALTH_BACKING_OFF);
	desk_press(r, RIG_PLAY);
	rig_advance(r, 299);
	ck_assert_uint_ne(light(RIG_PLAY), BH_LIGHT_FLASH);
	rig_advance(r, 1);
	ck_assert_uint_eq(light(RIG_PLAY), BH_LIGHT_FLASH);
	ck_assert_uint_eq(actions_count(r), 0);
}
END_TEST

/* ------------------------------------------------------------------ also, do */

START_TEST(also_steps_follow_what_was_done_and_the_release)
{
	DESK(m, step_set(&m, "ch2/level", 0, 0); step_set(&m, "room", 7, BH_STEPF_RELEASE);
	     steps(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_TOGGLE, "ch1/mute"), 0, 2);
	     steps(&m, rig_bind(&m, 0, RIG_PLAY, BH_BIND_TOGGLE, "recording"), 0, 2););
	desk_push(r, RIG_MUTE, true);
	ck_assert_int_eq(sent_last(r, RIG_MUTED)->v.i, 1);
	near(mix_value(r, RIG_LEVEL2), 0);
	near(mix_value(r, RIG_ROOM), 50);
	rig_restart(r);
	desk_push(r, RIG_MUTE, false);
	near(mix_value(r, RIG_ROOM), 7);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 1);
	/* What was refused has no consequences. */
	rig_clear(r);
	mix_report(r, RIG_LEVEL2, 0);
	mix_report(r, RIG_LEVEL2, -20);
	mix_report(r, RIG_ROOM, 7);
	mix_report(r, RIG_ROOM, 50);
	desk_press(r, RIG_PLAY);
	rig_advance(r, 1000);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2) + sent_count(r, RIG_ROOM), 0);
}
END_TEST

START_TEST(do_runs_its_steps)
{
	DESK(m, step_set(&m, "ch2/level", 0, 0); step_set(&m, "ch1/mute", 1, 0);
	     steps(&m, rig_bind(&m, 0, RIG_PLAY, BH_BIND_DO, NULL), 0, 2);
	     part(&m, RIG_SCENE, BH_PART_MAIN, 0, BH_BIND_ACTION, "main");
	     struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_SCENE, BH_BIND_DO, NULL);
	     b->part = BH_PART_HOLD; steps(&m, b, 0, 1););
	desk_press(r, RIG_PLAY);
	near(mix_value(r, RIG_LEVEL2), 0);
	ck_assert_int_eq((int)mix_value(r, RIG_MUTED), 1);
	mix_report(r, RIG_LEVEL2, 0);
	mix_report(r, RIG_LEVEL2, -20);
	desk_push(r, RIG_SCENE, true);
	rig_advance(r, 500);
	near(mix_value(r, RIG_LEVEL2), 0);
	ck_assert_uint_eq(actions_count(r), 0);
}
END_TEST

/* ------------------------------------------------------------------ cost */

START_TEST(gestures_allocate_nothing)
{
	rig_free(r);
	r = rig_new_full(gesture_pages("ch1/mute", 1));
	r->logged = RIG_LOG;
	unsigned long before = allocations;
	for (int k = 0; k < 20; k++) {
		desk_press(r, RIG_PLAY);
		rig_advance(r, 100);
		desk_press(r, RIG_PLAY);
		desk_push(r, RIG_PLAY, true);
		rig_advance(r, 600);
		turn_page();
		desk_push(r, RIG_PLAY, false);
		turn_page();
	}
	ck_assert_uint_eq(allocations, before);
}
END_TEST

int
main(void)
{
	const struct {
		const char *name;
		const TTest *test[24];
	} cases[] = {
		{"switches",
		 {toggle_goes_between_its_two_values_and_is_lit_at_the_first,
		  toggle_without_values_goes_between_the_ends, switch_of_what_cannot_be_set_flashes,
		  radio_sets_its_value_and_is_lit_while_it_is_that,
		  select_goes_round_and_from_anything_else_to_the_first,
		  select_without_a_list_goes_through_all_that_there_are}},
		{"momentary",
		 {momentary_is_on_while_it_is_pressed,
		  momentary_lets_go_of_what_it_pressed_whatever_the_page_shows_then,
		  momentary_is_let_go_once_when_its_surface_vanishes,
		  momentary_whose_release_stands_in_its_cell_alone_is_let_go,
		  momentary_pressed_again_without_a_release_lets_go_first,
		  momentary_is_let_go_once_over_a_reload,
		  momentary_whose_surface_is_taken_out_is_let_go_by_the_reload,
		  momentary_of_a_surface_that_is_out_of_service_is_let_go,
		  momentary_goes_on_in_a_successor_and_is_let_go_by_it,
		  momentary_let_go_while_its_directory_is_read_is_paid_when_it_is_there,
		  what_two_buttons_hold_is_let_go_by_the_last,
		  momentary_of_a_text_has_its_text_back,
		  request_to_press_presses_and_lets_go_as_it_says}},
		{"scales",
		 {curve_holds_both_ways_and_its_ends_are_exact,
		  fader_of_steps_stops_at_them_and_reaches_both_ends}},
		{"pickup",
		 {pickup_takes_over_where_the_hand_meets_or_crosses_the_value,
		  pickup_is_lost_when_somebody_else_sets_the_value,
		  pickup_is_begun_anew_by_a_page_switch_and_kept_by_a_successor,
		  quiet_room_drives_no_motor_and_its_faders_take_over_by_pickup}},
		{"turning",
		 {single_clicks_go_one_step_and_fast_ones_further,
		  speed_is_smoothed_with_three_quarters_of_the_newest_and_a_turn_back_halves_it,
		  clicks_of_one_message_are_all_counted, fine_turns_of_whole_numbers_lose_no_click,
		  rest_of_a_turn_is_not_anothers, turn_against_a_stop_leaves_no_rest,
		  fine_factor_of_a_binding_holds_for_faders_scales_too}},
		{"gestures",
		 {press_without_gestures_is_done_at_once,
		  long_press_is_done_once_while_it_is_still_pressed,
		  press_let_go_before_it_is_long_is_done_at_the_release,
		  second_press_in_time_is_a_double_one,
		  press_without_a_second_is_done_when_the_window_is_over,
		  long_double_and_single_presses_of_one_button,
		  gesture_is_decided_by_the_bindings_that_it_began_with,
		  gesture_goes_on_in_a_successor,
		  gesture_goes_on_over_a_reload_that_keeps_its_bindings_and_is_dropped_visibly_by_another,
		  gesture_whose_time_came_while_nobody_was_there_is_refused,
		  gesture_is_what_the_hand_did_however_late_it_is_heard,
		  gesture_whose_surface_vanishes_is_dropped_visibly,
		  press_whose_release_was_lost_is_dropped_by_the_next, refused_gesture_flashes}},
		{"steps", {also_steps_follow_what_was_done_and_the_release, do_runs_its_steps}},
		{"cost", {gestures_allocate_nothing}},
	};
	Suite *s = suite_create("core_gestures");
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		TCase *t = tcase_create(cases[k].name);
		tcase_set_timeout(t, 60);
		tcase_add_checked_fixture(t, setup, teardown);
		for (size_t n = 0; n < 24 && cases[k].test[n]; n++)
			tcase_add_test(t, cases[k].test[n]);
		suite_add_tcase(s, t);
	}
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
