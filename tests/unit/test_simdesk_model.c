/* The simulated desk and its cable, in virtual time: what the device does, byte for byte. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"

#define MS BH_NS_PER_MS

struct said {
	uint8_t bytes[65536];
	size_t n;
	bool nobody; /* nobody listens */
};

static struct desk desk;
static struct said said;
static struct cable cable;

static bool
hear(void *data, const uint8_t *bytes, size_t len)
{
	struct said *s = data;
	if (s->nobody || len > sizeof(s->bytes) - s->n)
		return false;
	memcpy(s->bytes + s->n, bytes, len);
	s->n += len;
	return true;
}

static void
set_up(void)
{
	memset(&said, 0, sizeof(said));
	desk_init(&desk, &desk_defaults, &(struct desk_ops){hear, &said}, 1 * BH_NS_PER_S);
}

/* Now, counted from the start. */
static uint64_t
at_ms(uint64_t ms)
{
	return BH_NS_PER_S + ms * MS;
}

#define HOST(ms, ...)                                                                              \
	desk_receive(&desk, at_ms(ms), (const uint8_t[]){__VA_ARGS__},                             \
		     sizeof((const uint8_t[]){__VA_ARGS__}))

#define ASSERT_SAID(...)                                                                           \
	do {                                                                                       \
		static const uint8_t want_[] = {__VA_ARGS__};                                      \
		ck_assert_uint_eq(said.n, sizeof(want_));                                          \
		ck_assert_mem_eq(said.bytes, want_, sizeof(want_));                                \
		said.n = 0;                                                                        \
	} while (0)

static void
host_fader(uint64_t ms, unsigned fader, unsigned pos)
{
	HOST(ms, (uint8_t)(0xe0 | fader), pos & 0x7f, (uint8_t)(pos >> 7));
}

static unsigned
pos_at(uint64_t ms, unsigned fader)
{
	desk_advance(&desk, at_ms(ms));
	return desk_pos(&desk.fader[fader]);
}

START_TEST(a_motor_takes_a_quarter_second_for_the_whole_way)
{
	host_fader(0, 0, 0x3fff);
	ck_assert_uint_eq(pos_at(0, 0), 0);
	ck_assert_uint_eq(pos_at(125, 0), DESK_TOP / 2 + 2);
	ck_assert(desk_motors_busy(&desk));
	ck_assert_uint_lt(pos_at(249, 0), DESK_TOP);
	ck_assert_uint_eq(pos_at(250, 0), DESK_TOP);
	ck_assert(!desk_motors_busy(&desk));
	host_fader(300, 0, 8192);
	ck_assert_uint_eq(pos_at(425, 0), 8192);
	ck_assert_uint_eq(said.n, 0);
}
END_TEST

START_TEST(motors_that_settle_at_once_are_there_at_once)
{
	desk.opts.throw_ns = 0;
	host_fader(0, 8, 0x2000);
	ck_assert_uint_eq(desk_pos(&desk.fader[8]), 0x2000);
	ck_assert(!desk_motors_busy(&desk));
	ck_assert_uint_eq(desk_next_ns(&desk), 0);
}
END_TEST

START_TEST(a_motor_can_be_turned_round_on_its_way)
{
	host_fader(0, 0, DESK_TOP);
	host_fader(100, 0, 0);
	ck_assert_uint_eq(pos_at(150, 0), desk_quantise(DESK_TOP * 0.2));
	ck_assert_uint_eq(pos_at(200, 0), 0);
}
END_TEST

START_TEST(a_hand_is_stronger_than_the_motor_and_the_fight_is_counted)
{
	desk_touch(&desk, at_ms(0), 0, true);
	ASSERT_SAID(0x90, 0x68, 0x7f);
	host_fader(10, 0, 8192);
	ck_assert_uint_eq(pos_at(1000, 0), 0);
	ck_assert_uint_eq(desk.count[DESK_C_FIGHTS], 1);
	ck_assert_uint_eq(desk.count[DESK_C_TOUCHED], 1);
	desk_touch(&desk, at_ms(1000), 0, false);
	ASSERT_SAID(0x90, 0x68, 0x00);
	/* What the host wrote meanwhile is where the cap goes in the end. */
	ck_assert_uint_eq(pos_at(3000, 0), 8192);
}
END_TEST

START_TEST(a_fight_that_was_on_its_way_when_the_finger_came_back_is_known_as_late)
{
	desk_touch(&desk, at_ms(0), 0, true);
	desk_move(&desk, at_ms(0), 0, 8192, 0, false);
	desk_touch(&desk, at_ms(10), 0, false);
	desk_touch(&desk, at_ms(20), 0, true);
	desk_move(&desk, at_ms(20), 0, 12000, 0, false);
	host_fader(30, 0, 8188);
	ck_assert_uint_eq(desk.count[DESK_C_FIGHTS], 1);
	ck_assert_uint_eq(desk.count[DESK_C_LATE], 1);
	ck_assert_uint_eq(desk.count[DESK_C_STALE] + desk.count[DESK_C_JUMPS], 0);
	host_fader(40, 0, 8100);
	ck_assert_uint_eq(desk.count[DESK_C_FIGHTS], 2);
	ck_assert_uint_eq(desk.count[DESK_C_LATE], 1);
	/* Where another hand had been is nowhere to go back to. */
	desk_touch(&desk, at_ms(50), 0, false);
	desk_touch(&desk, at_ms(60), 0, true);
	host_fader(70, 0, 8188);
	ck_assert_uint_eq(desk.count[DESK_C_FIGHTS], 3);
	ck_assert_uint_eq(desk.count[DESK_C_LATE], 1);
}
END_TEST

START_TEST(a_write_of_where_the_hand_is_is_no_fight)
{
	desk_touch(&desk, at_ms(0), 0, true);
	desk_move(&desk, at_ms(0), 0, 4096, 0, false);
	host_fader(1, 0, 4096);
	ck_assert_uint_eq(desk.count[DESK_C_FIGHTS], 0);
	ck_assert_uint_eq(desk.count[DESK_C_TOUCHED], 1);
}
END_TEST

START_TEST(a_fader_that_nobody_confirms_runs_back_after_a_second)
{
	host_fader(0, 0, 4000);
	desk_move(&desk, at_ms(1000), 0, 12000, 100 * MS, true);
	ck_assert_uint_eq(pos_at(2099, 0), 12000);
	ck_assert_uint_eq(desk.count[DESK_C_RAN_BACK], 0);
	ck_assert_uint_lt(pos_at(2110, 0), 12000);
	ck_assert_uint_eq(pos_at(2400, 0), 4000);
	ck_assert_uint_eq(desk.count[DESK_C_RAN_BACK], 1);
}
END_TEST

START_TEST(a_fader_that_is_confirmed_stays)
{
	host_fader(0, 0, 4000);
	desk_move(&desk, at_ms(1000), 0, 12000, 100 * MS, true);
	host_fader(1150, 0, 12000);
	ck_assert_uint_eq(pos_at(5000, 0), 12000);
	ck_assert_uint_eq(desk.count[DESK_C_RAN_BACK], 0);
	/* The way from the bottom to 4000 was one. */
	ck_assert_uint_eq(desk.count[DESK_C_JUMPS], 1);
}
END_TEST

START_TEST(a_fader_of_which_the_host_never_spoke_stays_where_it_was_put)
{
	desk_move(&desk, at_ms(0), 2, 12000, 0, true);
	ck_assert_uint_eq(pos_at(5000, 2), 12000);
}
END_TEST

START_TEST(a_move_is_told_in_steps_of_four_up_to_16380_at_200_a_second)
{
	desk_move(&desk, at_ms(0), 0, 0x3fff, 20 * MS, true);
	ck_assert(desk_hands_busy(&desk));
	desk_advance(&desk, at_ms(20));
	ck_assert(!desk_hands_busy(&desk));
	ASSERT_SAID(0x90, 0x68, 0x7f, 0xe0, 0x00, 0x20, 0xe0, 0x00, 0x40, 0xe0, 0x7c, 0x5f, 0xe0,
		    0x7c, 0x7f, 0x90, 0x68, 0x00);
}
END_TEST

START_TEST(what_is_said_does_not_depend_on_how_often_one_looks)
{
	uint8_t rare[4096];
	desk_move(&desk, at_ms(0), 0, 9000, 333 * MS, true);
	desk_tap(&desk, at_ms(0), 0x10, 100 * MS);
	desk_advance(&desk, at_ms(1000));
	size_t n = said.n;
	ck_assert_uint_gt(n, 100);
	memcpy(rare, said.bytes, n);
	set_up();
	desk_move(&desk, at_ms(0), 0, 9000, 333 * MS, true);
	desk_tap(&desk, at_ms(0), 0x10, 100 * MS);
	for (uint64_t ms = 0; ms <= 1000; ms++)
		desk_advance(&desk, at_ms(ms));
	ck_assert_uint_eq(said.n, n);
	ck_assert_mem_eq(said.bytes, rare, n);
}
END_TEST

START_TEST(motors_are_reported_only_if_the_path_does_that)
{
	host_fader(0, 0, DESK_TOP);
	desk_advance(&desk, at_ms(300));
	ck_assert_uint_eq(said.n, 0);
	desk.opts.reports_motor = true;
	host_fader(300, 0, 0);
	desk_advance(&desk, at_ms(600));
	ck_assert_uint_eq(said.n, 3 * 50);
	ck_assert_uint_eq(said.bytes[said.n - 3], 0xe0);
	ck_assert_uint_eq(said.bytes[said.n - 2], 0);
	ck_assert_uint_eq(said.bytes[said.n - 1], 0);
}
END_TEST

START_TEST(untouched_moves_are_silent_when_the_host_wants_it_so)
{
	desk_move(&desk, at_ms(0), 0, 4000, 0, false);
	ASSERT_SAID(0xe0, 0x20, 0x1f);
	HOST(1, 0xf0, 0, 0, 0x66, 0x14, 0x0c, 0x00, 0xf7);
	desk_move(&desk, at_ms(2), 0, 8000, 0, false);
	ck_assert_uint_eq(said.n, 0);
	desk_touch(&desk, at_ms(3), 0, true);
	desk_move(&desk, at_ms(4), 0, 8192, 0, false);
	ASSERT_SAID(0x90, 0x68, 0x7f, 0xe0, 0x00, 0x40);
}
END_TEST

START_TEST(values_that_the_hand_has_left_behind_are_counted_as_stale)
{
	host_fader(0, 0, 2000);
	desk_move(&desk, at_ms(1000), 0, 8000, 100 * MS, true);
	desk_advance(&desk, at_ms(1100));
	host_fader(1101, 0, 8004); /* rounding is forgiven */
	ck_assert_uint_eq(desk.count[DESK_C_STALE], 0);
	host_fader(1102, 0, 5000);
	ck_assert_uint_eq(desk.count[DESK_C_STALE], 1);
	host_fader(1103, 0, 2000);
	ck_assert_uint_eq(desk.count[DESK_C_STALE], 2);
	host_fader(1104, 0, 12000); /* somewhere new */
	ck_assert_uint_eq(desk.count[DESK_C_STALE], 2);
	ck_assert_uint_eq(desk.logged, 5);
	ck_assert(desk.log[2].stale && desk.log[3].stale && !desk.log[4].stale);
	ck_assert_uint_eq(desk.log[2].at_ns, at_ms(1102));
}
END_TEST

START_TEST(messages_that_change_nothing_are_redundant)
{
	HOST(0, 0x90, 0x10, 0x7f);
	HOST(0, 0x90, 0x10, 0x7f, 0x10, 0x00); /* running status */
	ck_assert_uint_eq(desk.count[DESK_C_REDUNDANT], 1);
	const uint64_t *led = desk.count + DESK_C_KIND + 3 * DESK_LED;
	ck_assert_uint_eq(led[0], 8);
	ck_assert_uint_eq(led[1], 3);
	ck_assert_uint_eq(led[2], 1);
	host_fader(0, 0, 8192);
	host_fader(0, 0, 8193); /* less than a step of the device */
	HOST(0, 0xb0, 0x31, 0x06, 0x31, 0x06);
	HOST(0, 0xb0, 0x40, 0x20); /* a blank digit is blank from the start */
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x12, 0x00, 'A', 0xf7);
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x12, 0x00, 'A', 0xf7);
	ck_assert_uint_eq(desk.count[DESK_C_REDUNDANT], 5);
	ck_assert_uint_eq(desk.count[DESK_C_MESSAGES], 10);
	ck_assert_uint_eq(desk.count[DESK_C_BYTES], 3 + 5 + 3 + 3 + 5 + 3 + 9 + 9);
}
END_TEST

START_TEST(lights_rings_and_digits_show_what_they_are_told)
{
	HOST(0, 0x90, 0x08, 0x01, 0x5e, 0x7f, 0x73, 0x7f);
	ck_assert_int_eq(desk.led[0x08], BH_MCU_LED_FLASH);
	ck_assert_int_eq(desk.led[0x5e], BH_MCU_LED_ON);
	ck_assert_int_eq(desk.led[0x73], BH_MCU_LED_ON);
	HOST(0, 0xb0, 0x30, 0x56, 0x32, 0x36, 0x37, 0x2b);
	ck_assert_int_eq(desk.ring[0].mode, BH_MCU_RING_BOOST_CUT);
	ck_assert(desk.ring[0].extra && desk.ring[0].pos == 6);
	ck_assert_int_eq(desk.ring[2].mode, BH_MCU_RING_SPREAD);
	ck_assert_int_eq(desk.ring[7].mode, BH_MCU_RING_WRAP);
	ck_assert_uint_eq(desk.ring[7].pos, 11);
	char text[32];
	HOST(0, 0xb0, 0x40, 0x31, 0x42, 0x72, 0x4b, 0x10, 0x4a, 0x4e);
	desk_digits(&desk, 0, 10, text, sizeof(text));
	ck_assert_str_eq(text, "       2. 1");
	desk_digits(&desk, 10, 2, text, sizeof(text));
	ck_assert_str_eq(text, "PN.");
}
END_TEST

START_TEST(text_wraps_from_the_upper_line_to_the_lower_and_ends_there)
{
	char text[BH_MCU_CELL_WIDTH + 1];
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x12, 0x35, 'a', 'b', 'c', 'd', 'e', 0xf7);
	desk_strip_text(&desk, 7, 0, text);
	ck_assert_str_eq(text, "    abc");
	desk_strip_text(&desk, 0, 1, text);
	ck_assert_str_eq(text, "de");
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x12, 0x6f, 'x', 'y', 0xf7);
	desk_strip_text(&desk, 7, 1, text);
	ck_assert_str_eq(text, "      x");
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x72, 1, 2, 3, 4, 5, 6, 7, 0, 0xf7);
	ck_assert_str_eq(desk_colour_name(desk.colour[0]), "red");
	ck_assert_str_eq(desk_colour_name(desk.colour[7]), "off");
	/* Another device's text is not ours. */
	HOST(0, 0xf0, 0, 0, 0x66, 0x15, 0x12, 0x00, 'Z', 0xf7);
	desk_strip_text(&desk, 0, 0, text);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(desk.count[DESK_C_KIND + 3 * DESK_UNKNOWN + 1], 1);
}
END_TEST

START_TEST(a_meter_falls_by_itself_and_overload_stays)
{
	HOST(0, 0xd0, 0x3c, 0x3e);
	ck_assert_uint_eq(desk_meter_level(&desk, 3), 12);
	desk_advance(&desk, at_ms(149));
	ck_assert_uint_eq(desk_meter_level(&desk, 3), 12);
	ck_assert_uint_eq(desk_next_ns(&desk), at_ms(150));
	desk_advance(&desk, at_ms(150));
	ck_assert_uint_eq(desk_meter_level(&desk, 3), 11);
	desk_advance(&desk, at_ms(1800));
	ck_assert_uint_eq(desk_meter_level(&desk, 3), 0);
	ck_assert_uint_eq(desk_next_ns(&desk), 0);
	ck_assert(desk.meter[3].over);
	HOST(1900, 0xd0, 0x3f);
	ck_assert(!desk.meter[3].over);
}
END_TEST

START_TEST(a_desk_that_was_switched_on_says_so_once)
{
	desk_connect(&desk, at_ms(0));
	ASSERT_SAID(0xf0, 0x00, 0x00, 0x66, 0x14, 0x01, 0x58, 0x59, 0x5a, 0x57, 0x18, 0x61, 0x05,
		    0x57, 0x18, 0x61, 0x05, 0xf7);
	desk_connect(&desk, at_ms(1));
	ck_assert_uint_eq(said.n, 0);
	HOST(2, 0x90, 0x5e, 0x7f);
	host_fader(3, 0, 8192);
	desk_power_cycle(&desk, at_ms(1000));
	ck_assert_int_eq(desk.led[0x5e], BH_MCU_LED_OFF);
	ck_assert(!desk.fader[0].has_target);
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 8192);
	desk_connect(&desk, at_ms(1001));
	ck_assert_uint_eq(said.n, 18);
}
END_TEST

START_TEST(queries_are_answered_if_the_desk_is_one_that_answers)
{
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x13, 0x00, 0xf7);
	ASSERT_SAID(0xf0, 0x00, 0x00, 0x66, 0x14, 0x14, 'V', '1', '.', '2', '2', 0xf7);
	desk.opts.answers = false;
	HOST(0, 0xf0, 0, 0, 0x66, 0x14, 0x00, 0xf7);
	ck_assert_uint_eq(said.n, 0);
}
END_TEST

START_TEST(ticks_are_told_fifteen_at_a_time_and_counted_when_they_were_heard)
{
	desk_turn(&desk, at_ms(0), 1, 20);
	desk_turn(&desk, at_ms(0), 1, -3);
	desk_jog(&desk, at_ms(0), -1);
	ASSERT_SAID(0xb0, 0x11, 0x0f, 0xb0, 0x11, 0x05, 0xb0, 0x11, 0x43, 0xb0, 0x3c, 0x41);
	ck_assert_int_eq(desk.turned[1], 17);
	ck_assert_int_eq(desk.jogged, -1);
	said.nobody = true;
	desk_turn(&desk, at_ms(0), 1, -7);
	ck_assert_int_eq(desk.turned[1], 17);
	ck_assert_int_eq(desk.turned_lost, 7);
	ck_assert_int_eq(desk_turn(&desk, at_ms(0), 8, 1), -EINVAL);
}
END_TEST

START_TEST(a_tap_ends_by_itself)
{
	desk_tap(&desk, at_ms(0), 0x5e, 30 * MS);
	ASSERT_SAID(0x90, 0x5e, 0x7f);
	ck_assert_uint_eq(desk_next_ns(&desk), at_ms(30));
	desk_advance(&desk, at_ms(30));
	ASSERT_SAID(0x90, 0x5e, 0x00);
	ck_assert_uint_eq(desk.presses[0x5e], 1);
	ck_assert(!desk_hands_busy(&desk));
	/* No such buttons: a light, a touch. */
	ck_assert_int_eq(desk_tap(&desk, at_ms(30), 0x71, 0), -EINVAL);
	ck_assert_int_eq(desk_tap(&desk, at_ms(30), 0x68, 0), -EINVAL);
}
END_TEST

START_TEST(rubbish_is_counted_and_the_next_message_is_understood)
{
	HOST(0, 0x12, 0x34, 0xf7, 0xf4, 0xe0, 0x90, 0x10, 0x7f);
	ck_assert_uint_eq(desk.count[DESK_C_ODD], 5);
	ck_assert_int_eq(desk.led[0x10], BH_MCU_LED_ON);
}
END_TEST

/* ---- the cable ------------------------------------------------------------------------------- */

static size_t
carry(uint64_t from_ns, uint64_t to_ns, uint64_t step_ns, uint64_t *last_ns)
{
	const uint8_t *bytes;
	size_t total = 0, n;
	for (uint64_t t = from_ns; t <= to_ns; t += step_ns)
		while ((n = cable_tx(&cable, t, &bytes)) > 0) {
			cable_tx_done(&cable, t, n);
			total += n;
			*last_ns = t;
		}
	return total;
}

START_TEST(din_carries_3125_bytes_a_second_whenever_one_looks)
{
	static const uint64_t steps[] = {100000, 320000, 1000000, 1500000};
	static const uint8_t bytes[5000] = {0};
	uint64_t last;
	cable_init(&cable);
	cable_limit(&cable, CABLE_DIN_RATE);
	cable_peer(&cable, true, 0);
	ck_assert(cable_send(&cable, bytes, sizeof(bytes)));
	size_t n = carry(BH_NS_PER_S, 2 * BH_NS_PER_S - 1, steps[_i], &last);
	/* What the line could have carried in the 2 ms before may be caught up. */
	ck_assert_uint_ge(n, 3125 - 7);
	ck_assert_uint_le(n, 3125 + 7);
	ck_assert_uint_eq(cable.to_host.busy_ns, n * 320000);
}
END_TEST

START_TEST(din_holds_the_host_to_its_pace_too)
{
	cable_init(&cable);
	cable_limit(&cable, CABLE_DIN_RATE);
	cable_peer(&cable, true, 0);
	uint64_t t = BH_NS_PER_S;
	size_t total = 0;
	while (t < 2 * BH_NS_PER_S) {
		size_t n = cable_rx(&cable, t);
		cable_rx_done(&cable, t, n);
		total += n;
		uint64_t next = cable_next_ns(&cable, t);
		ck_assert_uint_gt(next, t);
		t = next;
	}
	ck_assert_uint_ge(total, 3125);
	ck_assert_uint_le(total, 3125 + 7);
	cable_limit(&cable, 0);
	ck_assert_uint_gt(cable_rx(&cable, t), 1000);
}
END_TEST

START_TEST(a_split_message_goes_byte_by_byte_with_gaps)
{
	const uint8_t *bytes;
	cable_init(&cable);
	cable_peer(&cable, true, 0);
	cable_split(&cable, true, MS);
	ck_assert(cable_send(&cable, (const uint8_t[]){0x90, 0x10, 0x7f}, 3));
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t t = BH_NS_PER_S + i * MS;
		ck_assert_uint_eq(cable_tx(&cable, t - 1, &bytes), i ? 0 : 1);
		ck_assert_uint_eq(cable_tx(&cable, t, &bytes), 1);
		cable_tx_done(&cable, t, 1);
		if (i < 2)
			ck_assert_uint_eq(cable_next_ns(&cable, t), t + MS);
	}
	ck_assert_uint_eq(cable_queued(&cable), 0);
}
END_TEST

START_TEST(a_full_queue_loses_whole_messages_and_counts_them)
{
	static const uint8_t bytes[CABLE_QUEUE - 2] = {0};
	cable_init(&cable);
	ck_assert(!cable_send(&cable, bytes, 3));
	cable_peer(&cable, true, 0);
	ck_assert(cable_send(&cable, bytes, sizeof(bytes)));
	ck_assert(!cable_send(&cable, bytes, 3));
	ck_assert(cable_send(&cable, bytes, 2));
	ck_assert_uint_eq(cable.lost_messages, 2);
	ck_assert_uint_eq(cable.lost_bytes, 6);
	cable_peer(&cable, true, 0);
	ck_assert_uint_eq(cable_queued(&cable), 0);
}
END_TEST

START_TEST(active_sensing_fills_the_silence)
{
	const uint8_t *bytes;
	cable_init(&cable);
	cable_peer(&cable, true, BH_NS_PER_S);
	cable_sensing(&cable, true, BH_NS_PER_S);
	ck_assert_uint_eq(cable_next_ns(&cable, BH_NS_PER_S), at_ms(250));
	cable_tick(&cable, at_ms(249));
	ck_assert_uint_eq(cable_queued(&cable), 0);
	cable_tick(&cable, at_ms(250));
	ck_assert_uint_eq(cable_tx(&cable, at_ms(250), &bytes), 1);
	ck_assert_uint_eq(bytes[0], 0xfe);
}
END_TEST

START_TEST(units_whose_faders_go_less_far_report_their_own_ends)
{
	ck_assert_int_lt(desk_travel(&desk, at_ms(0), 100, 100), 0);
	ck_assert_int_eq(desk_travel(&desk, at_ms(0), 12, 15935), 0);
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 12);
	desk_move(&desk, at_ms(1), 0, DESK_TOP, 0, true);
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 15935);
	/* The host confirms it: nothing runs back. */
	host_fader(2, 0, 15935);
	desk_advance(&desk, at_ms(3000));
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 15935);
	ck_assert_uint_eq(desk.count[DESK_C_RAN_BACK], 0);
	host_fader(3000, 0, 0);
	desk_advance(&desk, at_ms(4000));
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 12);
	ck_assert(!desk_motors_busy(&desk));
	host_fader(4000, 0, DESK_TOP);
	desk_advance(&desk, at_ms(5000));
	ck_assert_uint_eq(desk_pos(&desk.fader[0]), 15935);
	ck_assert(!desk_motors_busy(&desk));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("simdesk_model");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, a_motor_takes_a_quarter_second_for_the_whole_way);
	tcase_add_test(t, units_whose_faders_go_less_far_report_their_own_ends);
	tcase_add_test(t, motors_that_settle_at_once_are_there_at_once);
	tcase_add_test(t, a_motor_can_be_turned_round_on_its_way);
	tcase_add_test(t, a_hand_is_stronger_than_the_motor_and_the_fight_is_counted);
	tcase_add_test(t, a_fight_that_was_on_its_way_when_the_finger_came_back_is_known_as_late);
	tcase_add_test(t, a_write_of_where_the_hand_is_is_no_fight);
	tcase_add_test(t, a_fader_that_nobody_confirms_runs_back_after_a_second);
	tcase_add_test(t, a_fader_that_is_confirmed_stays);
	tcase_add_test(t, a_fader_of_which_the_host_never_spoke_stays_where_it_was_put);
	tcase_add_test(t, a_move_is_told_in_steps_of_four_up_to_16380_at_200_a_second);
	tcase_add_test(t, what_is_said_does_not_depend_on_how_often_one_looks);
	tcase_add_test(t, motors_are_reported_only_if_the_path_does_that);
	tcase_add_test(t, untouched_moves_are_silent_when_the_host_wants_it_so);
	tcase_add_test(t, values_that_the_hand_has_left_behind_are_counted_as_stale);
	tcase_add_test(t, messages_that_change_nothing_are_redundant);
	tcase_add_test(t, lights_rings_and_digits_show_what_they_are_told);
	tcase_add_test(t, text_wraps_from_the_upper_line_to_the_lower_and_ends_there);
	tcase_add_test(t, a_meter_falls_by_itself_and_overload_stays);
	tcase_add_test(t, a_desk_that_was_switched_on_says_so_once);
	tcase_add_test(t, queries_are_answered_if_the_desk_is_one_that_answers);
	tcase_add_test(t, ticks_are_told_fifteen_at_a_time_and_counted_when_they_were_heard);
	tcase_add_test(t, a_tap_ends_by_itself);
	tcase_add_test(t, rubbish_is_counted_and_the_next_message_is_understood);
	tcase_add_loop_test(t, din_carries_3125_bytes_a_second_whenever_one_looks, 0, 4);
	tcase_add_test(t, din_holds_the_host_to_its_pace_too);
	tcase_add_test(t, a_split_message_goes_byte_by_byte_with_gaps);
	tcase_add_test(t, a_full_queue_loses_whole_messages_and_counts_them);
	tcase_add_test(t, active_sensing_fills_the_silence);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
