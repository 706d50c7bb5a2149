/* What the desk shows: differences only, urgent first, within the link, and never against the hand. */
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/unit/panel.h"

#define MS BH_NS_PER_MS

/* A desk whose bytes are decoded again, as the hardware would. */
struct desk {
	struct panel panel;
	struct shadow_memory mem;
	struct shadow s;
	struct bh_midi_parser parser;
	uint64_t now;
	size_t bytes;	      /* since desk_reset_count() */
	struct bh_mcu_cmd log[600];
	size_t n;
};

static struct desk *
desk_new(const struct surface_caps *caps)
{
	static struct desk d;
	memset(&d, 0, sizeof(d));
	panel_x_touch(&d.panel);
	d.now = 1000 * MS;
	ck_assert(!shadow_init(&d.s, &d.mem, d.panel.c, d.panel.n, caps));
	return &d;
}

static void
desk_reset_count(struct desk *d)
{
	d->bytes = 0;
	d->n = 0;
}

static void
desk_take(struct desk *d, const uint8_t *bytes, size_t len)
{
	static const struct bh_mcu_opts any = {0};
	d->bytes += len;
	for (size_t i = 0; i < len; i++) {
		struct bh_midi_msg m;
		if (!bh_midi_parse(&d->parser, bytes[i], &m))
			continue;
		ck_assert_uint_lt(d->n, 600);
		ck_assert(bh_mcu_decode_cmd(&any, &m, &d->log[d->n++]));
	}
}

/* One look: all that may go now. Returns when to look again. */
static uint64_t
desk_step(struct desk *d)
{
	uint8_t buf[SHADOW_BATCH];
	uint64_t again;
	size_t len;
	while ((len = shadow_next(&d->s, d->now, buf, sizeof(buf), &again)) > 0) {
		shadow_written(&d->s, len);
		desk_take(d, buf, len);
	}
	return again;
}

/* Until nothing is left, or `limit_ms` have passed. Meters that stay up never end. */
static void
desk_run(struct desk *d, uint64_t limit_ms)
{
	uint64_t end = d->now + limit_ms * MS, again;
	while ((again = desk_step(d)) != 0 && again <= end) {
		ck_assert_uint_gt(again, d->now);
		d->now = again;
	}
}

static void
desk_want_f(struct desk *d, const char *name, double f)
{
	union bh_val v = {.f = f};
	ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, name), 0, BH_FLOAT, &v));
}

static void
desk_want_i(struct desk *d, const char *name, int64_t i)
{
	union bh_val v = {.i = i};
	ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, name), 0, BH_INT, &v));
}

static void
desk_want_text(struct desk *d, const char *name, const char *text)
{
	union bh_val v = {0};
	snprintf(v.s, sizeof(v.s), "%s", text);
	ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, name), 0, BH_TEXT, &v));
}

static void
desk_want_strip(struct desk *d, const char *name, unsigned color, const char *upper, const char *lower)
{
	char text[BH_TEXT_MAX + 1];
	bh_feedback_strip(text, color, upper, lower);
	desk_want_text(d, name, text);
}

static unsigned
count_kind(const struct desk *d, enum bh_mcu_cmd_kind kind)
{
	unsigned n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += d->log[i].kind == kind;
	return n;
}

/* A desk that has been rendered once, counts at zero. */
static struct desk *
desk_rendered(void)
{
	struct surface_caps caps = panel_caps();
	struct desk *d = desk_new(&caps);
	for (unsigned i = 0; i < d->panel.n; i++)
		if (d->panel.c[i].kind == BH_CTL_FADER) {
			union bh_val v = {.f = 0.5};
			ck_assert(shadow_feedback(&d->s, i, 0, BH_FLOAT, &v));
		}
	desk_run(d, 5000);
	ck_assert(shadow_is_settled(&d->s));
	d->now += 1000 * MS;
	desk_reset_count(d);
	return d;
}

/* The panel of the wire protocol's link budget: 523 bytes, 404 with running status. */
START_TEST(a_full_x_touch_costs_no_more_than_the_din_budget)
{
	struct surface_caps caps = panel_caps();
	caps.running_status = _i;
	struct desk *d = desk_new(&caps);
	for (int i = 1; i <= 8; i++) {
		char name[16];
		snprintf(name, sizeof(name), "fader%d", i);
		desk_want_f(d, name, 0.25);
		snprintf(name, sizeof(name), "strip%d", i);
		desk_want_strip(d, name, (unsigned)i % 8, "Upper--", "Lower--");
	}
	desk_want_f(d, "fader_main", 0.75);
	desk_want_text(d, "timecode", "10.02.01.126");
	desk_run(d, 5000);
	ck_assert_uint_le(d->bytes, _i ? 404 : 523);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 9);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 95);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_RING), 8);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_DIGIT), 12);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_COLOURS), 1);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LCD), 1);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_METER), 8);
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(on_a_din_cable_no_second_carries_more_than_3125_bytes)
{
	struct surface_caps caps = panel_caps();
	caps.running_status = true;
	caps.bytes_per_s = 3125;
	struct desk *d = desk_new(&caps);
	uint64_t begin = d->now;
	desk_run(d, 5000);
	ck_assert(shadow_is_settled(&d->s));
	/* All of it, less what may lie ahead in the buffers and the last message. */
	uint64_t took_ms = (d->now - begin) / MS;
	ck_assert_uint_ge(took_ms, (d->bytes - 9) * 1000 / 3125 - SHADOW_AHEAD_MS - 40);
	ck_assert_uint_le(took_ms, d->bytes * 1000 / 3125 + 1);
}
END_TEST

START_TEST(urgent_things_go_first)
{
	static const enum bh_mcu_cmd_kind order[] = {BH_MCU_CMD_FADER, BH_MCU_CMD_LED,     BH_MCU_CMD_RING, BH_MCU_CMD_DIGIT,
						     BH_MCU_CMD_COLOURS, BH_MCU_CMD_LCD, BH_MCU_CMD_METER};
	struct desk *d = desk_rendered();
	struct bh_ring_state ring = {BH_RING_WRAP, 1, true, false};
	desk_want_f(d, "meter1", 0.5);
	desk_want_strip(d, "strip1", 1, "x", "y");
	desk_want_text(d, "assign", "P1");
	desk_want_i(d, "vpot3", bh_feedback_ring(&ring));
	desk_want_i(d, "play", BH_LIGHT_ON);
	desk_want_f(d, "fader2", 1);
	desk_step(d);
	size_t at = 0;
	for (size_t i = 0; i < d->n; i++) {
		while (at < 7 && d->log[i].kind != order[at])
			at++;
		ck_assert_msg(at < 7, "message %zu is out of order", i);
	}
	ck_assert_uint_eq(at, 6);
}
END_TEST

START_TEST(a_fader_overtakes_a_display_that_waits_for_the_cable)
{
	struct surface_caps caps = panel_caps();
	caps.bytes_per_s = 3125;
	struct desk *d = desk_new(&caps);
	desk_step(d); /* the cable is full: LEDs are on the way */
	desk_reset_count(d);
	desk_want_f(d, "fader1", 1);
	d->now += 20 * MS;
	desk_step(d);
	ck_assert_uint_gt(d->n, 1);
	ck_assert_int_eq(d->log[0].kind, BH_MCU_CMD_FADER);
}
END_TEST

START_TEST(only_differences_are_sent)
{
	struct desk *d = desk_rendered();
	desk_want_i(d, "mute3", BH_LIGHT_OFF);
	desk_want_f(d, "fader1", 0.5);
	desk_want_strip(d, "strip1", 7, "", "");
	desk_want_text(d, "timecode", "");
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
	desk_want_i(d, "mute3", BH_LIGHT_ON);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 3);
	ck_assert_uint_eq(d->log[0].note, 0x12);
	ck_assert_int_eq(d->log[0].led, BH_MCU_LED_ON);
}
END_TEST

/* A page switch costs at most the bytes of the controls that differ: 30 of text a strip, 3 a fader or LED. */
START_TEST(a_page_switch_costs_no_more_than_its_differing_controls)
{
	struct desk *d = desk_rendered();
	char name[16], text[16];
	for (int i = 1; i <= 8; i++) {
		snprintf(name, sizeof(name), "strip%d", i);
		snprintf(text, sizeof(text), "Input %d", i);
		desk_want_strip(d, name, 7, text, "-oo dB");
	}
	desk_run(d, 1000);
	desk_reset_count(d);
	for (int i = 2; i <= 4; i += 2) {
		snprintf(name, sizeof(name), "strip%d", i);
		desk_want_strip(d, name, 7, "Aux", "0.0 dB");
		snprintf(name, sizeof(name), "fader%d", i);
		desk_want_f(d, name, 0.1);
		snprintf(name, sizeof(name), "mute%d", i);
		desk_want_i(d, name, BH_LIGHT_ON);
	}
	desk_run(d, 1000);
	ck_assert(shadow_is_settled(&d->s));
	ck_assert_uint_le(d->bytes, 2 * (30 + 3 + 3));
	ck_assert_uint_le(count_kind(d, BH_MCU_CMD_LCD), 4);
}
END_TEST

START_TEST(one_changed_character_costs_nine_bytes)
{
	struct desk *d = desk_rendered();
	desk_want_strip(d, "strip8", 7, "Vox", "-3.0 dB");
	desk_run(d, 1000);
	desk_reset_count(d);
	desk_want_strip(d, "strip8", 7, "Vox", "-3.1 dB");
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 9);
	ck_assert_uint_eq(d->log[0].offset, 0x69 + 3);
	ck_assert_str_eq(d->log[0].text, "1");
}
END_TEST

START_TEST(text_is_made_fit_for_the_display)
{
	struct desk *d = desk_rendered();
	desk_want_strip(d, "strip2", 7, "B\xc3\xbchne links", "\xe2\x88\x92\xe2\x88\x9e");
	desk_run(d, 1000);
	ck_assert_mem_eq(d->mem.lcd_shown + 7, "Buhne l", 7);
	ck_assert_mem_eq(d->mem.lcd_shown + 56 + 7, "-oo    ", 7);
}
END_TEST

START_TEST(colors_travel_only_when_they_change_and_at_most_5_times_a_second)
{
	struct desk *d = desk_rendered();
	desk_want_strip(d, "strip1", 7, "a", "");
	desk_run(d, 100);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_COLOURS), 0);
	for (unsigned k = 0; k < 100; k++) { /* 100 changes in one second */
		desk_want_strip(d, "strip1", 1 + k % 6, "a", "");
		desk_step(d);
		d->now += 10 * MS;
	}
	desk_run(d, 1000);
	ck_assert_uint_le(count_kind(d, BH_MCU_CMD_COLOURS), 6);
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_COLOURS), 5);
	ck_assert_uint_eq(d->mem.color_shown[0], 1 + 99 % 6);
}
END_TEST

START_TEST(black_is_never_shown_behind_text)
{
	struct desk *d = desk_rendered();
	desk_want_strip(d, "strip1", 0, "a", "");
	desk_run(d, 1000);
	ck_assert_uint_eq(d->mem.color_wanted[0], 7);
}
END_TEST

START_TEST(a_fader_moves_at_most_50_times_a_second_and_to_the_newest)
{
	struct desk *d = desk_rendered();
	for (int k = 0; k <= 1000; k++) {
		desk_want_f(d, "fader1", k / 1000.0);
		desk_step(d);
		d->now += MS;
	}
	desk_run(d, 1000);
	ck_assert_uint_le(count_kind(d, BH_MCU_CMD_FADER), 52);
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_FADER), 48);
	ck_assert_uint_eq(d->log[d->n - 1].pos_14bit, 16380);
}
END_TEST

START_TEST(positions_are_rounded_to_the_devices_steps)
{
	struct desk *d = desk_rendered();
	desk_want_f(d, "fader1", 0.5 + 1.0 / 16380); /* less than a step away */
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
	desk_want_f(d, "fader1", 0.123456);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->log[0].pos_14bit % 4, 0);
	desk_want_f(d, "fader1", 17);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->log[1].pos_14bit, 16380);
	desk_want_f(d, "fader1", (double)NAN);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->log[2].pos_14bit, 0);
}
END_TEST

START_TEST(a_touched_fader_is_never_driven_and_set_once_when_the_hand_leaves)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	shadow_touch(&d->s, f, true);
	desk_want_f(d, "fader1", 0.9); /* late feedback while touched */
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
	ck_assert(shadow_hand(&d->s, f, 4000, d->now)); /* the hand is newer */
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
	shadow_touch(&d->s, f, false);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].pos_14bit, 4000);
}
END_TEST

START_TEST(feedback_that_is_newer_than_the_hand_waits_for_the_release)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	shadow_touch(&d->s, f, true);
	ck_assert(shadow_hand(&d->s, f, 4000, d->now));
	desk_want_f(d, "fader1", 1);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
	shadow_touch(&d->s, f, false);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].pos_14bit, 16380);
}
END_TEST

START_TEST(a_mere_touch_sets_the_motor_once_too)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader3");
	shadow_touch(&d->s, f, true);
	shadow_touch(&d->s, f, false);
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 1);
	shadow_touch(&d->s, f, false); /* a release without a touch is none */
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 1);
}
END_TEST

START_TEST(a_touch_while_the_command_is_on_its_way_counts_as_not_shown)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	uint8_t buf[SHADOW_BATCH];
	uint64_t again;
	desk_want_f(d, "fader1", 1);
	size_t len = shadow_next(&d->s, d->now, buf, sizeof(buf), &again);
	ck_assert_uint_eq(len, 3);
	shadow_touch(&d->s, f, true);
	shadow_written(&d->s, len);
	shadow_touch(&d->s, f, false);
	d->now += 100 * MS;
	desk_step(d);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].pos_14bit, 16380);
}
END_TEST

START_TEST(the_motors_own_report_is_not_taken_for_a_hand)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	desk_want_f(d, "fader1", 1);
	desk_step(d);
	d->now += 100 * MS;
	ck_assert(!shadow_hand(&d->s, f, 9000, d->now));
	ck_assert_uint_eq(d->s.stats.motor_echoes, 1);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->mem.item[f].wanted, 16380);
}
END_TEST

START_TEST(a_slow_motor_is_followed_to_its_end_but_not_for_ever)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	desk_want_f(d, "fader1", 1);
	desk_step(d);
	for (int k = 0; k < 11; k++) { /* 550 ms on its way */
		d->now += 50 * MS;
		ck_assert(!shadow_hand(&d->s, f, (uint16_t)(9000 + 600 * k), d->now));
	}
	d->now += 2000 * MS;
	ck_assert(!shadow_hand(&d->s, f, 16376, d->now)); /* where it was sent to, however late */
	ck_assert(shadow_hand(&d->s, f, 16000, d->now));
	desk_want_f(d, "fader1", 0);
	d->now += 1000 * MS;
	desk_step(d);
	unsigned taken = 0;
	for (int k = 0; k < 20; k++) { /* a nail, all the time */
		d->now += 50 * MS;
		taken += shadow_hand(&d->s, f, (uint16_t)(9000 + 200 * k), d->now);
	}
	ck_assert_uint_ge(taken, 8);
}
END_TEST

START_TEST(a_fader_moved_without_touch_is_kept_where_it_is_once_it_rests)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	uint64_t last = 0;
	for (int k = 1; k <= 20; k++) {
		ck_assert(shadow_hand(&d->s, f, (uint16_t)(k * 100), d->now));
		last = d->now;
		desk_step(d);
		d->now += 10 * MS;
	}
	ck_assert_uint_eq(d->n, 0);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].pos_14bit, 2000);
	ck_assert_uint_ge(d->now - last, SHADOW_SETTLE_MS * MS);
}
END_TEST

START_TEST(a_fader_nobody_wants_anything_of_is_not_moved)
{
	struct surface_caps caps = panel_caps();
	struct desk *d = desk_new(&caps);
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 0);
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(feedback_of_a_generation_that_was_taken_changes_nothing)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	union bh_val v = {.f = 0.25};
	ck_assert(shadow_feedback(&d->s, f, 7, BH_FLOAT, &v));
	desk_run(d, 1000);
	shadow_touch(&d->s, f, true);
	ck_assert(shadow_hand(&d->s, f, 8000, d->now));
	shadow_touch(&d->s, f, false);
	desk_run(d, 1000);
	/* A successor reads the cell again, which is older than the hand. */
	ck_assert(shadow_feedback(&d->s, f, 7, BH_FLOAT, &v));
	desk_run(d, 1000);
	ck_assert_uint_eq(d->mem.item[f].wanted, 8000);
	ck_assert_uint_eq(d->log[d->n - 1].pos_14bit, 8000);
	ck_assert(shadow_feedback(&d->s, f, 8, BH_FLOAT, &v));
	desk_run(d, 1000);
	ck_assert_uint_eq(d->log[d->n - 1].pos_14bit, 4096);
}
END_TEST

START_TEST(lights_go_on_off_and_flash)
{
	struct desk *d = desk_rendered();
	static const enum bh_mcu_led want[] = {BH_MCU_LED_FLASH, BH_MCU_LED_ON, BH_MCU_LED_OFF};
	desk_want_i(d, "record", BH_LIGHT_FLASH);
	desk_step(d);
	desk_want_i(d, "record", BH_LIGHT_ON);
	desk_step(d);
	desk_want_i(d, "record", BH_LIGHT_OFF);
	desk_step(d);
	ck_assert_uint_eq(d->n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(d->log[i].note, 0x5f);
		ck_assert_int_eq(d->log[i].led, want[i]);
	}
	desk_want_i(d, "smpte_led", BH_LIGHT_ON);
	desk_step(d);
	ck_assert_uint_eq(d->log[3].note, 0x71);
}
END_TEST

START_TEST(what_shows_nothing_is_told_in_vain_and_that_is_no_fault)
{
	struct desk *d = desk_rendered();
	union bh_val v = {.i = BH_LIGHT_ON};
	ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, "vpot1_push"), 0, BH_INT, &v));
	ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, "jog"), 0, BH_INT, &v));
	ck_assert(!shadow_feedback(&d->s, panel_find(&d->panel, "play"), 0, BH_FLOAT, &v));
	ck_assert(!shadow_feedback(&d->s, BH_MAX_CONTROLS, 0, BH_INT, &v));
	desk_run(d, 1000);
	ck_assert_uint_eq(d->bytes, 0);
}
END_TEST

START_TEST(a_refused_press_flashes_until_it_is_taken_back)
{
	struct desk *d = desk_rendered();
	desk_want_i(d, "play", BH_LIGHT_ON);
	desk_step(d);
	shadow_refuse(&d->s, panel_find(&d->panel, "play"), true);
	desk_step(d);
	ck_assert_int_eq(d->log[1].led, BH_MCU_LED_FLASH);
	desk_want_i(d, "play", BH_LIGHT_OFF);
	desk_step(d);
	ck_assert_uint_eq(d->n, 2);
	shadow_refuse(&d->s, panel_find(&d->panel, "play"), false);
	desk_step(d);
	ck_assert_uint_eq(d->n, 3);
	ck_assert_int_eq(d->log[2].led, BH_MCU_LED_OFF);
	shadow_refuse(&d->s, panel_find(&d->panel, "fader1"), true); /* nothing to flash with */
	desk_step(d);
	ck_assert_uint_eq(d->n, 3);
}
END_TEST

START_TEST(rings_in_every_mode)
{
	static const struct {
		struct bh_ring_state in;
		enum bh_mcu_ring mode;
		uint8_t pos;
		bool extra;
	} rows[] = {
		{{BH_RING_DOT, 0.5, true, false}, BH_MCU_RING_DOT, 6, false},
		{{BH_RING_DOT, 0, true, false}, BH_MCU_RING_DOT, 1, false},
		{{BH_RING_DOT, 1, true, true}, BH_MCU_RING_DOT, 11, true},
		{{BH_RING_PAN, 0.5, true, true}, BH_MCU_RING_BOOST_CUT, 6, true},
		{{BH_RING_WRAP, 1, true, false}, BH_MCU_RING_WRAP, 11, false},
		{{BH_RING_SPREAD, 1, true, false}, BH_MCU_RING_SPREAD, 6, false},
		{{BH_RING_SPREAD, 0, true, false}, BH_MCU_RING_SPREAD, 1, false},
		{{BH_RING_WRAP, 1, false, false}, BH_MCU_RING_DOT, 0, false},
	};
	struct desk *d = desk_rendered();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		desk_want_i(d, "vpot5", bh_feedback_ring(&rows[i].in));
		desk_step(d);
		ck_assert_uint_eq(d->n, i + 1);
		ck_assert_int_eq(d->log[i].kind, BH_MCU_CMD_RING);
		ck_assert_uint_eq(d->log[i].index, 4);
		ck_assert_int_eq(d->log[i].ring, rows[i].mode);
		ck_assert_uint_eq(d->log[i].value, rows[i].pos);
		ck_assert_int_eq(d->log[i].extra, rows[i].extra);
	}
}
END_TEST

START_TEST(digits_change_one_by_one_from_the_right)
{
	struct desk *d = desk_rendered();
	desk_want_text(d, "timecode", "109");
	desk_want_text(d, "assign", "P1");
	desk_step(d);
	ck_assert_uint_eq(d->n, 5);
	ck_assert_uint_eq(d->log[0].index, 0);
	ck_assert_uint_eq(d->log[0].value, '9');
	ck_assert_uint_eq(d->log[3].index, 10);
	ck_assert_uint_eq(d->log[3].value, '1');
	ck_assert_uint_eq(d->log[4].index, 11);
	desk_reset_count(d);
	desk_want_text(d, "timecode", "11.0");
	desk_step(d);
	ck_assert_uint_eq(d->n, 2); /* 109 -> 11.0: two cells differ, the first stays */
}
END_TEST

START_TEST(meters_are_thinned_to_20_a_second_and_held_up)
{
	struct desk *d = desk_rendered();
	for (int k = 0; k < 1000; k++) {
		desk_want_f(d, "meter1", k % 2 ? 0.9 : 0.2);
		desk_step(d);
		d->now += MS;
	}
	ck_assert_uint_le(count_kind(d, BH_MCU_CMD_METER), 21);
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_METER), 18);
	ck_assert_uint_gt(d->s.stats.thinned, 400); /* half of them equal what is shown */
	desk_reset_count(d);
	desk_run(d, 1000); /* stays up: said again, as surfaces let it fall */
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_METER), 3);
	ck_assert_uint_le(count_kind(d, BH_MCU_CMD_METER), 6);
	desk_want_f(d, "meter1", 0);
	desk_run(d, 1000);
	desk_reset_count(d);
	desk_run(d, 10000);
	ck_assert_uint_eq(d->bytes, 0); /* an empty meter costs nothing */
}
END_TEST

START_TEST(overload_is_marked_and_held_so_that_it_can_be_read)
{
	struct desk *d = desk_rendered();
	desk_want_f(d, "meter4", 1.01);
	desk_step(d);
	ck_assert_uint_eq(d->n, 2);
	ck_assert_int_eq(d->log[0].kind, BH_MCU_CMD_METER_OVER);
	ck_assert(d->log[0].on);
	ck_assert_uint_eq(d->log[1].value, 12);
	d->now += 100 * MS;
	desk_want_f(d, "meter4", 0.5);
	desk_step(d);
	ck_assert_uint_eq(d->n, 3);
	ck_assert_uint_eq(d->log[2].value, 6);
	desk_want_f(d, "meter4", 0);
	d->now += 100 * MS;
	desk_step(d);
	ck_assert_uint_eq(d->n, 4);
	for (int k = 0; k < 17; k++) { /* nothing more, until it was marked for two seconds */
		d->now += 100 * MS;
		desk_step(d);
		ck_assert_uint_eq(d->n, 4);
	}
	d->now += 100 * MS;
	desk_step(d);
	ck_assert_uint_eq(d->n, 6);
	ck_assert_int_eq(d->log[4].kind, BH_MCU_CMD_METER_OVER);
	ck_assert(!d->log[4].on);
}
END_TEST

START_TEST(overload_mark_goes_with_what_it_was_about)
{
	struct desk *d = desk_rendered();
	desk_want_f(d, "meter4", 1.01);
	desk_step(d);
	shadow_dark(&d->s);
	d->now += 100 * MS;
	desk_step(d);
	bool cleared = false;
	for (unsigned k = 0; k < d->n; k++)
		cleared |= d->log[k].kind == BH_MCU_CMD_METER_OVER && !d->log[k].on;
	ck_assert(cleared);
}
END_TEST

START_TEST(digits_count_characters_and_know_accents)
{
	struct desk *d = desk_rendered();
	desk_want_text(d, "timecode", "Größe 1.5");
	desk_step(d);
	/* From the right: 5, 1 with its dot, blank, E, S S (there is room), O, R, G. */
	static const uint8_t codes[] = {0x35, 0x71, 0x20, 0x05, 0x13, 0x13, 0x0f, 0x12, 0x07};
	for (unsigned k = 0; k < sizeof(codes); k++)
		ck_assert_uint_eq(d->mem.digit_shown[k], codes[k]);
}
END_TEST

START_TEST(a_successor_sends_only_what_differs)
{
	struct desk *d = desk_rendered();
	struct surface_caps caps = panel_caps();
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_step(d);
	desk_want_i(d, "mute2", BH_LIGHT_ON); /* never sent by the one who dies */
	desk_reset_count(d);
	ck_assert(shadow_init(&d->s, &d->mem, d->panel.c, d->panel.n, &caps));
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].note, 0x11);
}
END_TEST

START_TEST(what_was_not_written_whole_is_sent_again_by_the_successor)
{
	struct desk *d = desk_rendered();
	struct surface_caps caps = panel_caps();
	uint8_t buf[SHADOW_BATCH];
	uint64_t again;
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_want_i(d, "mute2", BH_LIGHT_ON);
	ck_assert_uint_eq(shadow_next(&d->s, d->now, buf, sizeof(buf), &again), 6);
	shadow_written(&d->s, 5);
	ck_assert(shadow_init(&d->s, &d->mem, d->panel.c, d->panel.n, &caps));
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert_uint_eq(d->log[0].note, 0x11);
}
END_TEST

START_TEST(after_a_replug_everything_is_sent_again_by_itself)
{
	struct desk *d = desk_rendered();
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_want_strip(d, "strip1", 3, "Kick", "0 dB");
	shadow_touch(&d->s, panel_find(&d->panel, "fader1"), true);
	desk_run(d, 1000);
	desk_reset_count(d);
	shadow_forget(&d->s);
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 95);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 9); /* no hand was on it while it was away */
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(a_memory_of_another_panel_is_not_believed)
{
	struct desk *d = desk_rendered();
	struct surface_caps caps = panel_caps();
	d->panel.c[3].addr = 2;
	ck_assert(!shadow_init(&d->s, &d->mem, d->panel.c, d->panel.n, &caps));
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 95);
}
END_TEST

START_TEST(a_scribbled_memory_puts_nothing_on_the_cable_that_is_no_message)
{
	struct desk *d = desk_rendered();
	struct surface_caps caps = panel_caps();
	srandom(3);
	for (int k = 0; k < 50; k++) {
		uint8_t *at = (uint8_t *)&d->mem + offsetof(struct shadow_memory, item);
		for (size_t i = 0; i < sizeof(d->mem) - offsetof(struct shadow_memory, item); i++)
			at[i] = (uint8_t)random();
		ck_assert(shadow_init(&d->s, &d->mem, d->panel.c, d->panel.n, &caps));
		desk_reset_count(d);
		desk_run(d, 200); /* desk_take() demands that each message decodes */
		ck_assert_uint_eq(d->parser.counters.cut_short + d->parser.counters.orphan_data, 0);
	}
}
END_TEST

START_TEST(a_control_without_a_binding_is_dark_and_a_fader_stays)
{
	static const char *const names[] = {"mute1", "vpot1", "strip1", "assign", "meter1", "fader1"};
	struct desk *d = desk_rendered();
	struct bh_ring_state ring = {BH_RING_WRAP, 1, true, false};
	const union bh_val none = {0};
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_want_i(d, "vpot1", bh_feedback_ring(&ring));
	desk_want_strip(d, "strip1", 3, "Kick", "0 dB");
	desk_want_text(d, "assign", "P1");
	desk_want_f(d, "meter1", 1);
	desk_want_f(d, "fader1", 1);
	desk_run(d, 200);
	desk_reset_count(d);
	for (size_t i = 0; i < 6; i++)
		ck_assert(shadow_feedback(&d->s, panel_find(&d->panel, names[i]), 5, BH_NONE, &none));
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 0);
	ck_assert_int_eq(d->log[0].led, BH_MCU_LED_OFF);
	ck_assert_uint_eq(d->log[1].value, 0);
	ck_assert_mem_eq(d->mem.lcd_shown, "       ", 7);
	ck_assert_uint_eq(d->mem.color_shown[0], 7);
	ck_assert_uint_eq(d->log[d->n - 1].value, 0);
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(another_sysex_id_sends_the_displays_anew)
{
	struct desk *d = desk_rendered();
	shadow_device_id(&d->s, 0x14);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 0);
	shadow_device_id(&d->s, 0x15);
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LCD), 1);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_COLOURS), 1);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED) + count_kind(d, BH_MCU_CMD_FADER), 0);
	ck_assert_uint_eq(d->log[d->n - 1].device_id, 0x15);
}
END_TEST

START_TEST(a_fader_that_is_left_moves_only_when_somebody_wants_it)
{
	struct desk *d = desk_rendered();
	unsigned f = panel_find(&d->panel, "fader1");
	shadow_forget(&d->s);
	shadow_leave(&d->s, f);
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 8);
	desk_reset_count(d);
	desk_want_f(d, "fader1", 0.1);
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 1);
}
END_TEST

START_TEST(dark_is_dark_and_leaves_the_faders)
{
	struct desk *d = desk_rendered();
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_want_strip(d, "strip1", 3, "Kick", "0 dB");
	desk_want_text(d, "assign", "P1");
	desk_run(d, 1000);
	desk_reset_count(d);
	shadow_dark(&d->s);
	desk_run(d, 1000);
	ck_assert(shadow_is_settled(&d->s));
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 0);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 1);
	for (int i = 0; i < BH_MCU_LCD_CELLS; i++)
		ck_assert_int_eq(d->mem.lcd_shown[i], ' ');
}
END_TEST

START_TEST(an_answer_to_the_device_goes_before_everything)
{
	struct desk *d = desk_rendered();
	static const uint8_t query[] = {0xf0, 0, 0, 0x66, 0x14, 0, 0xf7};
	desk_want_f(d, "fader1", 1);
	ck_assert(shadow_raw(&d->s, query, sizeof(query)));
	desk_step(d);
	ck_assert_int_eq(d->log[0].kind, BH_MCU_CMD_QUERY);
	ck_assert_int_eq(d->log[1].kind, BH_MCU_CMD_FADER);
	static const uint8_t big[SHADOW_RAW_MAX + 1];
	ck_assert(!shadow_raw(&d->s, big, sizeof(big)));
}
END_TEST

START_TEST(a_busy_fader_does_not_starve_its_neighbours)
{
	struct surface_caps caps = panel_caps();
	caps.bytes_per_s = 300; /* a very slow cable: one fader message each 10 ms */
	caps.fader_hz = 0;
	struct desk *d = desk_new(&caps);
	bool seen[9] = {false};
	for (int k = 0; k < 200; k++) {
		char name[16];
		for (int i = 1; i <= 8; i++) {
			snprintf(name, sizeof(name), "fader%d", i);
			desk_want_f(d, name, k % 100 / 100.0);
		}
		desk_step(d);
		d->now += 2 * MS;
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->log[i].kind == BH_MCU_CMD_FADER)
			seen[d->log[i].index] = true;
	for (int i = 0; i < 8; i++)
		ck_assert_msg(seen[i], "fader %d was starved", i + 1);
}
END_TEST

/* Send bytes as a person would, and let the desk take them. */
static void
desk_emit(struct desk *d, const uint8_t *bytes, size_t len)
{
	ck_assert(shadow_raw(&d->s, bytes, len));
	desk_run(d, 1000);
}

START_TEST(everything_is_sent_once_more_on_request_and_hands_stay)
{
	struct desk *d = desk_rendered();
	unsigned main = panel_find(&d->panel, "fader_main");
	desk_want_f(d, "meter1", 0.5);
	desk_run(d, 100);
	size_t full = d->bytes;
	shadow_touch(&d->s, main, true);
	desk_run(d, 1000);
	desk_reset_count(d);
	shadow_redraw(&d->s);
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 95);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 8);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_RING), 8);
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_METER_OVER), 8);
	ck_assert(shadow_is_touched(&d->s, main));
	ck_assert(shadow_is_settled(&d->s));
	ck_assert_uint_gt(d->bytes, full);
	desk_reset_count(d);
	shadow_touch(&d->s, main, false);
	desk_run(d, 1000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_FADER), 1);
}
END_TEST

START_TEST(what_a_person_emits_stays_until_it_is_wanted_anew)
{
	static const uint8_t led[] = {0x90, 0x10, 0x7f, 0x90, 0x11, 0x7f};
	struct desk *d = desk_rendered();
	desk_emit(d, led, sizeof(led));
	ck_assert_uint_eq(d->n, 2); /* the bytes, and nothing against them */
	desk_want_i(d, "mute3", BH_LIGHT_ON);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 3);
	/* Wanted as it was: but what it shows is not known any more. */
	desk_want_i(d, "mute1", BH_LIGHT_OFF);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 4);
	ck_assert(d->log[3].note == 0x10 && d->log[3].led == BH_MCU_LED_OFF);
	desk_reset_count(d);
	shadow_redraw(&d->s);
	desk_run(d, 5000);
	ck_assert_uint_eq(count_kind(d, BH_MCU_CMD_LED), 95);
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(every_kind_of_bytes_is_repaired_by_what_is_wanted_next)
{
	static const struct {
		uint8_t bytes[24], len;
		enum bh_mcu_cmd_kind kind;
	} rows[] = {
		{{0xe1, 0x00, 0x20}, 3, BH_MCU_CMD_FADER},
		{{0xb0, 0x31, 0x05}, 3, BH_MCU_CMD_RING},
		{{0xb0, 0x42, 0x31}, 3, BH_MCU_CMD_DIGIT},
		{{0xf0, 0, 0, 0x66, 0x14, 0x12, 0x07, 'x', 'y', 0xf7}, 10, BH_MCU_CMD_LCD},
		{{0xf0, 0, 0, 0x66, 0x14, 0x72, 1, 2, 3, 4, 5, 6, 7, 1, 0xf7}, 15, BH_MCU_CMD_COLOURS},
	};
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		struct desk *d = desk_rendered();
		desk_want_f(d, "fader2", 0.5);
		desk_run(d, 2000);
		desk_reset_count(d);
		desk_emit(d, rows[i].bytes, rows[i].len);
		ck_assert_msg(d->n == 1 && d->log[0].kind == rows[i].kind, "row %zu: %zu messages", i, d->n);
		desk_want_f(d, "fader2", 0.5);
		desk_want_i(d, "vpot2", bh_feedback_ring(&(struct bh_ring_state){0}));
		desk_want_text(d, "timecode", "");
		desk_want_strip(d, "strip2", 0, "", "");
		desk_run(d, 2000);
		ck_assert_msg(count_kind(d, rows[i].kind) == 2, "row %zu: %zu messages", i, d->n);
	}
}
END_TEST

START_TEST(a_reset_leaves_nothing_known)
{
	static const uint8_t reset[] = {0xf0, 0, 0, 0x66, 0x14, 0x08, 0, 0xf7};
	struct desk *d = desk_rendered();
	desk_want_f(d, "fader2", 0.5);
	desk_run(d, 2000);
	desk_emit(d, reset, sizeof(reset));
	ck_assert(!shadow_is_settled(&d->s));
	desk_reset_count(d);
	desk_want_i(d, "mute1", BH_LIGHT_OFF);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->n, 1);
	shadow_redraw(&d->s);
	desk_run(d, 5000);
	ck_assert(shadow_is_settled(&d->s));
}
END_TEST

START_TEST(an_emitted_position_is_not_taken_for_a_hand)
{
	static const uint8_t up[] = {0xe1, 0x00, 0x60};
	struct desk *d = desk_rendered();
	unsigned fader = panel_find(&d->panel, "fader2");
	desk_emit(d, up, sizeof(up));
	d->now += 50 * MS;
	ck_assert(!shadow_hand(&d->s, fader, 6000, d->now));
}
END_TEST

START_TEST(held_faders_are_driven_once_they_are_given_back)
{
	struct desk *d = desk_rendered();
	desk_want_f(d, "fader1", 0.25);
	desk_run(d, 1000);
	shadow_hold_faders(&d->s, true);
	desk_reset_count(d);
	desk_want_f(d, "fader1", 0.5);
	desk_want_i(d, "mute1", BH_LIGHT_ON);
	desk_run(d, 2000);
	ck_assert_uint_eq(d->n, 1);
	ck_assert(shadow_is_settled(&d->s));
	shadow_hold_faders(&d->s, false);
	desk_run(d, 2000);
	ck_assert_uint_ge(count_kind(d, BH_MCU_CMD_FADER), 1);
	ck_assert_uint_eq(d->log[1].pos_14bit, 8192);
}
END_TEST

START_TEST(a_measured_fader_is_driven_within_its_own_travel)
{
	struct surface_caps caps = panel_caps();
	caps.measured.fader[0] = (struct travel){.min = 12, .max = 15935};
	struct desk *d = desk_new(&caps);
	static const struct {
		double wanted;
		uint16_t pos;
	} rows[] = {{1, 15935}, {0, 12}, {0.5, 7972}, {2, 15935}, {-1, 12}};
	desk_run(d, 5000);
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		d->now += 100 * MS;
		desk_reset_count(d);
		desk_want_f(d, "fader1", rows[i].wanted);
		desk_run(d, 1000);
		ck_assert_uint_eq(d->n, 1);
		ck_assert_uint_eq(d->log[0].pos_14bit, rows[i].pos);
	}
	desk_reset_count(d);
	desk_want_f(d, "fader2", 1);
	desk_run(d, 1000);
	ck_assert_uint_eq(d->log[0].pos_14bit, 16380);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shadow");
	TCase *t = tcase_create("all");
	tcase_add_loop_test(t, a_full_x_touch_costs_no_more_than_the_din_budget, 0, 2);
	tcase_add_test(t, on_a_din_cable_no_second_carries_more_than_3125_bytes);
	tcase_add_test(t, urgent_things_go_first);
	tcase_add_test(t, a_fader_overtakes_a_display_that_waits_for_the_cable);
	tcase_add_test(t, only_differences_are_sent);
	tcase_add_test(t, a_page_switch_costs_no_more_than_its_differing_controls);
	tcase_add_test(t, one_changed_character_costs_nine_bytes);
	tcase_add_test(t, text_is_made_fit_for_the_display);
	tcase_add_test(t, colors_travel_only_when_they_change_and_at_most_5_times_a_second);
	tcase_add_test(t, black_is_never_shown_behind_text);
	tcase_add_test(t, a_fader_moves_at_most_50_times_a_second_and_to_the_newest);
	tcase_add_test(t, positions_are_rounded_to_the_devices_steps);
	tcase_add_test(t, a_touched_fader_is_never_driven_and_set_once_when_the_hand_leaves);
	tcase_add_test(t, feedback_that_is_newer_than_the_hand_waits_for_the_release);
	tcase_add_test(t, a_mere_touch_sets_the_motor_once_too);
	tcase_add_test(t, a_touch_while_the_command_is_on_its_way_counts_as_not_shown);
	tcase_add_test(t, the_motors_own_report_is_not_taken_for_a_hand);
	tcase_add_test(t, a_slow_motor_is_followed_to_its_end_but_not_for_ever);
	tcase_add_test(t, a_fader_moved_without_touch_is_kept_where_it_is_once_it_rests);
	tcase_add_test(t, a_fader_nobody_wants_anything_of_is_not_moved);
	tcase_add_test(t, feedback_of_a_generation_that_was_taken_changes_nothing);
	tcase_add_test(t, lights_go_on_off_and_flash);
	tcase_add_test(t, what_shows_nothing_is_told_in_vain_and_that_is_no_fault);
	tcase_add_test(t, a_refused_press_flashes_until_it_is_taken_back);
	tcase_add_test(t, rings_in_every_mode);
	tcase_add_test(t, digits_change_one_by_one_from_the_right);
	tcase_add_test(t, meters_are_thinned_to_20_a_second_and_held_up);
	tcase_add_test(t, overload_is_marked_and_held_so_that_it_can_be_read);
	tcase_add_test(t, overload_mark_goes_with_what_it_was_about);
	tcase_add_test(t, digits_count_characters_and_know_accents);
	tcase_add_test(t, a_successor_sends_only_what_differs);
	tcase_add_test(t, what_was_not_written_whole_is_sent_again_by_the_successor);
	tcase_add_test(t, after_a_replug_everything_is_sent_again_by_itself);
	tcase_add_test(t, everything_is_sent_once_more_on_request_and_hands_stay);
	tcase_add_test(t, what_a_person_emits_stays_until_it_is_wanted_anew);
	tcase_add_test(t, every_kind_of_bytes_is_repaired_by_what_is_wanted_next);
	tcase_add_test(t, a_reset_leaves_nothing_known);
	tcase_add_test(t, an_emitted_position_is_not_taken_for_a_hand);
	tcase_add_test(t, held_faders_are_driven_once_they_are_given_back);
	tcase_add_test(t, a_measured_fader_is_driven_within_its_own_travel);
	tcase_add_test(t, a_memory_of_another_panel_is_not_believed);
	tcase_add_test(t, a_scribbled_memory_puts_nothing_on_the_cable_that_is_no_message);
	tcase_add_test(t, a_control_without_a_binding_is_dark_and_a_fader_stays);
	tcase_add_test(t, another_sysex_id_sends_the_displays_anew);
	tcase_add_test(t, a_fader_that_is_left_moves_only_when_somebody_wants_it);
	tcase_add_test(t, dark_is_dark_and_leaves_the_faders);
	tcase_add_test(t, an_answer_to_the_device_goes_before_everything);
	tcase_add_test(t, a_busy_fader_does_not_starve_its_neighbours);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
