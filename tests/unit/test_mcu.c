/*
 * The Mackie Control codec against the conformance vectors (sections A surface to host, B and C both
 * ways). Each row is decoded to its struct and, unless it is marked as accepted only, encoded back to the
 * same bytes.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/midi/mcu.h"

#define BYTES(...) .bytes = {__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__})
#define HDR(id)	   0xf0, 0x00, 0x00, 0x66, id
#define SERIAL	   0x58, 0x59, 0x5a, 0x57, 0x18, 0x61, 0x05
#define PRESS(n)   {.kind = BH_MCU_EV_BUTTON, .note = n, .pressed = true}
#define RELEASE(n) {.kind = BH_MCU_EV_BUTTON, .note = n}
#define LED(n, l)  {.kind = BH_MCU_CMD_LED, .note = n, .led = BH_MCU_LED_##l}
#define RING(i, m, p, e) \
	{.kind = BH_MCU_CMD_RING, .index = i, .ring = BH_MCU_RING_##m, .value = p, .extra = e}
#define LCD(id, off, str) \
	{.kind = BH_MCU_CMD_LCD, .device_id = id, .offset = off, .text = str, \
	 .text_len = sizeof(str) - 1}

struct event_row {
	int row;
	uint8_t bytes[24];
	size_t len;
	bool accept_only;
	struct bh_mcu_event ev;
};

/* clang-format off */
static const struct event_row events[] = {
	{1, BYTES(0x90, 0x00, 0x7f), .ev = PRESS(0x00)},
	{2, BYTES(0x90, 0x00, 0x00), .ev = RELEASE(0x00)},
	{3, BYTES(0x90, 0x0f, 0x7f), .ev = PRESS(0x0f)},
	{4, BYTES(0x90, 0x0f, 0x00), .ev = RELEASE(0x0f)},
	{5, BYTES(0x80, 0x0f, 0x00), .accept_only = true, .ev = RELEASE(0x0f)},
	{6, BYTES(0x90, 0x10, 0x7f), .ev = PRESS(0x10)},
	{7, BYTES(0x90, 0x1f, 0x7f), .ev = PRESS(0x1f)},
	{8, BYTES(0x90, 0x20, 0x7f), .ev = PRESS(0x20)},
	{9, BYTES(0x90, 0x2f, 0x7f), .ev = PRESS(0x2f)},
	{10, BYTES(0x90, 0x30, 0x7f), .ev = PRESS(0x30)},
	{11, BYTES(0x90, 0x32, 0x7f), .ev = PRESS(0x32)},
	{12, BYTES(0x90, 0x35, 0x7f), .ev = PRESS(0x35)},
	{13, BYTES(0x90, 0x36, 0x7f), .ev = PRESS(0x36)},
	{14, BYTES(0x90, 0x46, 0x7f), .ev = PRESS(0x46)},
	{15, BYTES(0x90, 0x5d, 0x7f), .ev = PRESS(0x5d)},
	{16, BYTES(0x90, 0x5e, 0x7f), .ev = PRESS(0x5e)},
	{17, BYTES(0x90, 0x5f, 0x7f), .ev = PRESS(0x5f)},
	{18, BYTES(0x90, 0x65, 0x7f), .ev = PRESS(0x65)},
	{19, BYTES(0x90, 0x66, 0x7f), .ev = PRESS(0x66)},
	{20, BYTES(0x90, 0x68, 0x7f), .ev = {.kind = BH_MCU_EV_TOUCH, .index = 0, .pressed = true}},
	{21, BYTES(0x90, 0x68, 0x00), .ev = {.kind = BH_MCU_EV_TOUCH, .index = 0}},
	{22, BYTES(0x90, 0x70, 0x7f), .ev = {.kind = BH_MCU_EV_TOUCH, .index = 8, .pressed = true}},
	{23, BYTES(0xe0, 0x00, 0x00), .ev = {.kind = BH_MCU_EV_FADER, .index = 0, .pos_14bit = 0}},
	{24, BYTES(0xe0, 0x40, 0x55), .ev = {.kind = BH_MCU_EV_FADER, .index = 0, .pos_14bit = 10944}},
	{25, BYTES(0xe0, 0x7f, 0x7f), .ev = {.kind = BH_MCU_EV_FADER, .index = 0, .pos_14bit = 16383}},
	{26, BYTES(0xe0, 0x7c, 0x7f), .ev = {.kind = BH_MCU_EV_FADER, .index = 0, .pos_14bit = 16380}},
	{27, BYTES(0xe8, 0x00, 0x40), .ev = {.kind = BH_MCU_EV_FADER, .index = 8, .pos_14bit = 8192}},
	{28, BYTES(0xb0, 0x10, 0x01), .ev = {.kind = BH_MCU_EV_VPOT, .index = 0, .ticks = 1}},
	{29, BYTES(0xb0, 0x17, 0x47), .ev = {.kind = BH_MCU_EV_VPOT, .index = 7, .ticks = -7}},
	{30, BYTES(0xb0, 0x10, 0x41), .ev = {.kind = BH_MCU_EV_VPOT, .index = 0, .ticks = -1}},
	{31, BYTES(0xb0, 0x10, 0x05), .ev = {.kind = BH_MCU_EV_VPOT, .index = 0, .ticks = 5}},
	{32, BYTES(0xb0, 0x13, 0x7f), .ev = {.kind = BH_MCU_EV_VPOT, .index = 3, .ticks = -63}},
	{33, BYTES(0xb0, 0x3c, 0x01), .ev = {.kind = BH_MCU_EV_JOG, .ticks = 1}},
	{34, BYTES(0xb0, 0x3c, 0x41), .ev = {.kind = BH_MCU_EV_JOG, .ticks = -1}},
	{35, BYTES(0xb0, 0x2e, 0x40), .ev = {.kind = BH_MCU_EV_PEDAL, .value = 0x40}},
	{66, BYTES(HDR(0x14), 0x01, SERIAL, 0x57, 0x18, 0x61, 0x05, 0xf7),
	 .ev = {.kind = BH_MCU_EV_ANNOUNCE, .device_id = 0x14, .serial = {SERIAL},
		.challenge = {0x57, 0x18, 0x61, 0x05}}},
	{68, BYTES(HDR(0x10), 0x03, SERIAL, 0xf7),
	 .ev = {.kind = BH_MCU_EV_CONFIRMED, .device_id = 0x10, .serial = {SERIAL}}},
	{69, BYTES(HDR(0x10), 0x04, SERIAL, 0xf7),
	 .ev = {.kind = BH_MCU_EV_REFUSED, .device_id = 0x10, .serial = {SERIAL}}},
	{71, BYTES(HDR(0x14), 0x14, 0x56, 0x31, 0x2e, 0x30, 0x20, 0xf7),
	 .ev = {.kind = BH_MCU_EV_VERSION, .device_id = 0x14, .version = "V1.0 "}},
};

struct cmd_row {
	int row;
	uint8_t bytes[24];
	size_t len;
	bool running; /* two messages in running status; the struct is the second */
	struct bh_mcu_cmd cmd;
};

static const struct cmd_row cmds[] = {
	{36, BYTES(0x90, 0x08, 0x7f), .cmd = LED(0x08, ON)},
	{37, BYTES(0x90, 0x08, 0x00), .cmd = LED(0x08, OFF)},
	{38, BYTES(0x90, 0x08, 0x01), .cmd = LED(0x08, FLASH)},
	{39, BYTES(0x90, 0x5e, 0x7f), .cmd = LED(0x5e, ON)},
	{40, BYTES(0x90, 0x71, 0x7f), .cmd = LED(0x71, ON)},
	{41, BYTES(0x90, 0x72, 0x7f), .cmd = LED(0x72, ON)},
	{42, BYTES(0x90, 0x73, 0x01), .cmd = LED(0x73, FLASH)},
	{43, BYTES(0xe0, 0x2c, 0x62), .cmd = {.kind = BH_MCU_CMD_FADER, .index = 0, .pos_14bit = 12588}},
	{44, BYTES(0xe8, 0x7f, 0x7f), .cmd = {.kind = BH_MCU_CMD_FADER, .index = 8, .pos_14bit = 16383}},
	{45, BYTES(0xb0, 0x31, 0x06), .cmd = RING(1, DOT, 6, false)},
	{46, BYTES(0xb0, 0x30, 0x00), .cmd = RING(0, DOT, 0, false)},
	{47, BYTES(0xb0, 0x30, 0x01), .cmd = RING(0, DOT, 1, false)},
	{48, BYTES(0xb0, 0x30, 0x0b), .cmd = RING(0, DOT, 11, false)},
	{49, BYTES(0xb0, 0x30, 0x11), .cmd = RING(0, BOOST_CUT, 1, false)},
	{50, BYTES(0xb0, 0x30, 0x2b), .cmd = RING(0, WRAP, 11, false)},
	{51, BYTES(0xb0, 0x30, 0x36), .cmd = RING(0, SPREAD, 6, false)},
	{52, BYTES(0xb0, 0x30, 0x56), .cmd = RING(0, BOOST_CUT, 6, true)},
	{53, BYTES(0xb0, 0x40, 0x31), .cmd = {.kind = BH_MCU_CMD_DIGIT, .index = 0, .value = '1'}},
	{54, BYTES(0xb0, 0x49, 0x20), .cmd = {.kind = BH_MCU_CMD_DIGIT, .index = 9, .value = 0x20}},
	{55, BYTES(0xb0, 0x43, 0x72),
	 .cmd = {.kind = BH_MCU_CMD_DIGIT, .index = 3, .value = '2' | BH_MCU_DIGIT_DOT}},
	{56, BYTES(0xb0, 0x40, 0x30, 0x41, 0x31), .running = true,
	 .cmd = {.kind = BH_MCU_CMD_DIGIT, .index = 1, .value = '1'}},
	{57, BYTES(0xb0, 0x4b, 0x10, 0x4a, 0x4e), .running = true,
	 .cmd = {.kind = BH_MCU_CMD_DIGIT, .index = 10, .value = 0x4e}},
	{58, BYTES(0xd0, 0x0c), .cmd = {.kind = BH_MCU_CMD_METER, .index = 0, .value = 12}},
	{59, BYTES(0xd0, 0x7c), .cmd = {.kind = BH_MCU_CMD_METER, .index = 7, .value = 12}},
	{60, BYTES(0xd0, 0x10), .cmd = {.kind = BH_MCU_CMD_METER, .index = 1, .value = 0}},
	{61, BYTES(0xd0, 0x3e), .cmd = {.kind = BH_MCU_CMD_METER_OVER, .index = 3, .on = true}},
	{62, BYTES(0xd0, 0x3f), .cmd = {.kind = BH_MCU_CMD_METER_OVER, .index = 3, .on = false}},

	{63, BYTES(HDR(0x14), 0x00, 0xf7), .cmd = {.kind = BH_MCU_CMD_QUERY, .device_id = 0x14}},
	{64, BYTES(HDR(0x15), 0x00, 0xf7), .cmd = {.kind = BH_MCU_CMD_QUERY, .device_id = 0x15}},
	{65, BYTES(HDR(0x10), 0x00, 0xf7), .cmd = {.kind = BH_MCU_CMD_QUERY, .device_id = 0x10}},
	{67, BYTES(HDR(0x14), 0x02, SERIAL, 0x64, 0x5a, 0x5e, 0x57, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_REPLY, .device_id = 0x14, .serial = {SERIAL},
		 .response = {0x64, 0x5a, 0x5e, 0x57}}},
	{70, BYTES(HDR(0x14), 0x13, 0x00, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_VERSION_REQUEST, .device_id = 0x14}},
	{72, BYTES(HDR(0x10), 0x12, 0x00, 'H', 'e', 'l', 'l', 'o', 0xf7), .cmd = LCD(0x10, 0, "Hello")},
	{73, BYTES(HDR(0x14), 0x12, 0x00, 'K', 'i', 'c', 'k', ' ', ' ', ' ', 0xf7),
	 .cmd = LCD(0x14, 0, "Kick   ")},
	{74, BYTES(HDR(0x14), 0x12, 0x31, 'B', 'a', 's', 's', ' ', ' ', ' ', 0xf7),
	 .cmd = LCD(0x14, 0x31, "Bass   ")},
	{75, BYTES(HDR(0x14), 0x12, 0x38, '-', '3', '.', '0', 'd', 'B', ' ', 0xf7),
	 .cmd = LCD(0x14, 0x38, "-3.0dB ")},
	{76, BYTES(HDR(0x14), 0x12, 0x69, 'C', ' ', ' ', ' ', ' ', ' ', ' ', 0xf7),
	 .cmd = LCD(0x14, 0x69, "C      ")},
	{77, BYTES(HDR(0x15), 0x12, 0x00, 'G', 't', 'r', ' ', ' ', ' ', ' ', 0xf7),
	 .cmd = LCD(0x15, 0, "Gtr    ")},
	{78, BYTES(HDR(0x14), 0x72, 1, 2, 3, 4, 5, 6, 7, 7, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_COLOURS, .device_id = 0x14, .colours = {1, 2, 3, 4, 5, 6, 7, 7}}},
	{79, BYTES(HDR(0x15), 0x72, 0, 1, 2, 3, 4, 5, 6, 7, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_COLOURS, .device_id = 0x15, .colours = {0, 1, 2, 3, 4, 5, 6, 7}}},
	{80, BYTES(HDR(0x14), 0x0a, 0x00, 0xf7), .cmd = {.kind = BH_MCU_CMD_CLICK, .device_id = 0x14}},
	{81, BYTES(HDR(0x14), 0x0b, 0x0f, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_BACKLIGHT, .device_id = 0x14, .value = 15}},
	{82, BYTES(HDR(0x14), 0x0c, 0x01, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_TOUCHLESS, .device_id = 0x14, .on = true}},
	{83, BYTES(HDR(0x14), 0x0e, 0x08, 0x03, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_SENSITIVITY, .device_id = 0x14, .index = 8, .value = 3}},
	{84, BYTES(HDR(0x10), 0x0f, 0x7f, 0xf7), .cmd = {.kind = BH_MCU_CMD_OFFLINE, .device_id = 0x10}},
	{85, BYTES(HDR(0x10), 0x10, 0x36, 0x32, 0x31, 0x71, 0x30, 0x72, 0x30, 0x79, 0x30, 0x31, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_TIMECODE, .device_id = 0x10, .text = "621q0r0y01", .text_len = 10}},
	{86, BYTES(HDR(0x14), 0x20, 0x00, 0x03, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_METER_MODE, .device_id = 0x14, .index = 0, .value = 3}},
	{87, BYTES(HDR(0x14), 0x20, 0x07, 0x07, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_METER_MODE, .device_id = 0x14, .index = 7, .value = 7}},
	{88, BYTES(HDR(0x14), 0x21, 0x00, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_METER_ORIENTATION, .device_id = 0x14}},
	{89, BYTES(HDR(0x14), 0x21, 0x01, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_METER_ORIENTATION, .device_id = 0x14, .on = true}},
	{90, BYTES(HDR(0x14), 0x08, 0x00, 0xf7), .cmd = {.kind = BH_MCU_CMD_RESET, .device_id = 0x14}},
	{91, BYTES(HDR(0x14), 0x09, 0x00, 0xf7),
	 .cmd = {.kind = BH_MCU_CMD_RECALIBRATE, .device_id = 0x14}},
	{92, BYTES(HDR(0x10), 0x61, 0xf7), .cmd = {.kind = BH_MCU_CMD_FADERS_DOWN, .device_id = 0x10}},
	{93, BYTES(HDR(0x10), 0x62, 0xf7), .cmd = {.kind = BH_MCU_CMD_LEDS_OFF, .device_id = 0x10}},
	{94, BYTES(HDR(0x10), 0x63, 0xf7), .cmd = {.kind = BH_MCU_CMD_GO_OFFLINE, .device_id = 0x10}},
};
/* clang-format on */

enum {
	N_EVENTS = sizeof(events) / sizeof(events[0]),
	N_CMDS = sizeof(cmds) / sizeof(cmds[0]),
};

static const struct bh_mcu_opts any = {0};

/* The last message in these bytes; the parser owns the sysex. */
static struct bh_midi_msg
last_msg(struct bh_midi_parser *p, const uint8_t *bytes, size_t len, size_t *n)
{
	struct bh_midi_msg msg = {0}, m;
	*n = 0;
	for (size_t i = 0; i < len; i++)
		if (bh_midi_parse(p, bytes[i], &m)) {
			msg = m;
			++*n;
		}
	return msg;
}

static void
assert_same_event(const struct bh_mcu_event *a, const struct bh_mcu_event *b)
{
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->device_id, b->device_id);
	ck_assert_uint_eq(a->note, b->note);
	ck_assert_int_eq(a->pressed, b->pressed);
	ck_assert_uint_eq(a->index, b->index);
	ck_assert_uint_eq(a->value, b->value);
	ck_assert_uint_eq(a->pos_14bit, b->pos_14bit);
	ck_assert_int_eq(a->ticks, b->ticks);
	ck_assert_mem_eq(a->serial, b->serial, sizeof(a->serial));
	ck_assert_mem_eq(a->challenge, b->challenge, sizeof(a->challenge));
	ck_assert_str_eq(a->version, b->version);
}

static void
assert_same_cmd(const struct bh_mcu_cmd *a, const struct bh_mcu_cmd *b)
{
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->device_id, b->device_id);
	ck_assert_uint_eq(a->note, b->note);
	ck_assert_int_eq(a->led, b->led);
	ck_assert_uint_eq(a->index, b->index);
	ck_assert_uint_eq(a->value, b->value);
	ck_assert_int_eq(a->on, b->on);
	ck_assert_uint_eq(a->pos_14bit, b->pos_14bit);
	ck_assert_int_eq(a->ring, b->ring);
	ck_assert_int_eq(a->extra, b->extra);
	ck_assert_mem_eq(a->colours, b->colours, sizeof(a->colours));
	ck_assert_uint_eq(a->offset, b->offset);
	ck_assert_uint_eq(a->text_len, b->text_len);
	ck_assert_mem_eq(a->text, b->text, sizeof(a->text));
	ck_assert_mem_eq(a->serial, b->serial, sizeof(a->serial));
	ck_assert_mem_eq(a->response, b->response, sizeof(a->response));
}

START_TEST(each_vector_from_the_surface_means_what_the_table_says)
{
	const struct event_row *r = &events[_i];
	struct bh_midi_parser p = {0};
	struct bh_mcu_event ev;
	size_t n;
	struct bh_midi_msg msg = last_msg(&p, r->bytes, r->len, &n);
	ck_assert_msg(n == 1 && bh_mcu_decode_event(&any, &msg, &ev), "vector %d", r->row);
	assert_same_event(&ev, &r->ev);
	if (r->accept_only)
		return;
	uint8_t out[BH_MCU_BYTES_MAX];
	int len = bh_mcu_encode_event(r->ev.device_id, NULL, &r->ev, out, sizeof(out));
	ck_assert_msg(len == (int)r->len, "vector %d: %d", r->row, len);
	ck_assert_mem_eq(out, r->bytes, r->len);
}
END_TEST

START_TEST(each_vector_from_the_host_means_what_the_table_says)
{
	const struct cmd_row *r = &cmds[_i];
	struct bh_midi_parser p = {0};
	struct bh_mcu_cmd cmd;
	size_t n;
	struct bh_midi_msg msg = last_msg(&p, r->bytes, r->len, &n);
	ck_assert_uint_eq(n, r->running ? 2 : 1);
	ck_assert_msg(bh_mcu_decode_cmd(&any, &msg, &cmd), "vector %d", r->row);
	assert_same_cmd(&cmd, &r->cmd);
	struct bh_midi_encoder e = {.use_running = r->running, .running = r->running ? 0xb0 : 0};
	size_t skip = r->running ? 3 : 0;
	uint8_t out[BH_MCU_BYTES_MAX];
	int len = bh_mcu_encode_cmd(r->cmd.device_id, &e, &r->cmd, out, sizeof(out));
	ck_assert_msg(len == (int)(r->len - skip), "vector %d: %d", r->row, len);
	ck_assert_mem_eq(out, r->bytes + skip, r->len - skip);
}
END_TEST

/* With active sensing and filler at places that move through the stream: the same events. */
START_TEST(all_vectors_decode_the_same_with_realtime_bytes_between_any_two)
{
	uint8_t stream[1024];
	size_t len = 0;
	for (size_t i = 0; i < N_EVENTS; i++) {
		for (size_t k = 0; k < events[i].len; k++) {
			stream[len++] = events[i].bytes[k];
			if ((len + (size_t)_i) % 3 == 0)
				stream[len++] = k & 1 ? 0xfe : 0xfd;
		}
	}
	struct bh_midi_parser p = {0};
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		struct bh_midi_msg m;
		struct bh_mcu_event ev;
		if (!bh_midi_parse(&p, stream[i], &m))
			continue;
		ck_assert(bh_mcu_decode_event(&any, &m, &ev));
		assert_same_event(&ev, &events[n++].ev);
	}
	ck_assert_uint_eq(n, N_EVENTS);
}
END_TEST

START_TEST(zero_ticks_are_one_only_on_devices_that_mean_it)
{
	const struct bh_mcu_opts one = {.zero_is_a_tick = true};
	struct bh_midi_msg right = {.status = 0xb0, .data = {0x10, 0x00}, .len = 2};
	struct bh_midi_msg left = {.status = 0xb0, .data = {0x10, 0x40}, .len = 2};
	struct bh_mcu_event ev;
	ck_assert(!bh_mcu_decode_event(&any, &right, &ev));
	ck_assert_int_eq(ev.kind, BH_MCU_EV_OTHER);
	ck_assert(bh_mcu_decode_event(&one, &right, &ev));
	ck_assert_int_eq(ev.ticks, 1);
	ck_assert(bh_mcu_decode_event(&one, &left, &ev));
	ck_assert_int_eq(ev.ticks, -1);
}
END_TEST

START_TEST(sysex_of_another_device_is_not_for_us)
{
	const struct bh_mcu_opts mine = {.device_id = BH_MCU_ID_MCU_XT};
	struct bh_midi_parser p = {0};
	struct bh_mcu_cmd cmd;
	size_t n;
	const uint8_t query[] = {HDR(0x14), 0x00, 0xf7};
	struct bh_midi_msg msg = last_msg(&p, query, sizeof(query), &n);
	ck_assert(bh_mcu_decode_cmd(&any, &msg, &cmd));
	ck_assert(!bh_mcu_decode_cmd(&mine, &msg, &cmd));
	ck_assert_int_eq(cmd.kind, BH_MCU_CMD_OTHER);
}
END_TEST

START_TEST(messages_of_the_wrong_length_or_kind_are_not_ours)
{
	static const struct {
		uint8_t bytes[16];
		size_t len;
	} bad[] = {
		{BYTES(HDR(0x14), 0x01, 1, 2, 3, 0xf7)},  {BYTES(HDR(0x14), 0x03, 0xf7)},
		{BYTES(HDR(0x14), 0x72, 1, 2, 0xf7)},	  {BYTES(HDR(0x14), 0x12, 0xf7)},
		{BYTES(HDR(0x14), 0x12, 0x70, 'a', 0xf7)}, {BYTES(HDR(0x14), 0x12, 0x00, 0xf7)},
		{BYTES(HDR(0x58), 0x54, 0x00, 0xf7)},	  {BYTES(HDR(0x14), 0x18, 0x00, 0xf7)},
		{BYTES(HDR(0x14), 0x0e, 0x09, 0x03, 0xf7)}, {BYTES(HDR(0x14), 0x20, 0x00, 0x08, 0xf7)},
		{BYTES(0xf0, 0x7e, 0x7f, 0x06, 0x01, 0xf7)}, {BYTES(0xe9, 0, 0)},
		{BYTES(0x91, 0, 0x7f)},			  {BYTES(0xb0, 0x50, 1)},
		{BYTES(0xd1, 0x0c)},			  {BYTES(0xf8)},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bh_midi_parser p = {0};
		struct bh_mcu_event ev;
		struct bh_mcu_cmd cmd;
		size_t n;
		struct bh_midi_msg msg = last_msg(&p, bad[i].bytes, bad[i].len, &n);
		ck_assert_uint_eq(n, 1);
		ck_assert_msg(!bh_mcu_decode_event(&any, &msg, &ev), "row %zu", i);
		ck_assert_msg(!bh_mcu_decode_cmd(&any, &msg, &cmd), "row %zu", i);
		ck_assert_int_eq(ev.kind, BH_MCU_EV_OTHER);
		ck_assert_int_eq(cmd.kind, BH_MCU_CMD_OTHER);
	}
}
END_TEST

START_TEST(digits_come_on_channel_16_too)
{
	struct bh_midi_msg m = {.status = 0xbf, .data = {0x40, 0x31}, .len = 2};
	struct bh_mcu_cmd cmd;
	ck_assert(bh_mcu_decode_cmd(&any, &m, &cmd));
	ck_assert_int_eq(cmd.kind, BH_MCU_CMD_DIGIT);
	m.data[0] = 0x30;
	ck_assert(!bh_mcu_decode_cmd(&any, &m, &cmd));
}
END_TEST

START_TEST(what_has_no_coding_is_refused)
{
	static const struct bh_mcu_cmd bad_cmds[] = {
		{.kind = BH_MCU_CMD_OTHER},
		{.kind = BH_MCU_CMD_FADER, .index = 9},
		{.kind = BH_MCU_CMD_FADER, .pos_14bit = 16384},
		{.kind = BH_MCU_CMD_RING, .index = 8},
		{.kind = BH_MCU_CMD_RING, .value = 12},
		{.kind = BH_MCU_CMD_DIGIT, .index = 12},
		{.kind = BH_MCU_CMD_DIGIT, .value = 0x80},
		{.kind = BH_MCU_CMD_METER, .value = 14},
		{.kind = BH_MCU_CMD_METER_OVER, .index = 8},
		{.kind = BH_MCU_CMD_LED, .note = 0x80},
		{.kind = BH_MCU_CMD_COLOURS, .colours = {8}},
		{.kind = BH_MCU_CMD_LCD, .offset = 112, .text = "a", .text_len = 1},
		{.kind = BH_MCU_CMD_LCD},
		{.kind = BH_MCU_CMD_LCD, .text = "\\", .text_len = 1},
		{.kind = BH_MCU_CMD_LCD, .text = "\xf7", .text_len = 1},
		{.kind = BH_MCU_CMD_SENSITIVITY, .value = 6},
	};
	static const struct bh_mcu_event bad_events[] = {
		{.kind = BH_MCU_EV_OTHER},
		{.kind = BH_MCU_EV_BUTTON, .note = 0x68},
		{.kind = BH_MCU_EV_TOUCH, .index = 9},
		{.kind = BH_MCU_EV_FADER, .pos_14bit = 0x4000},
		{.kind = BH_MCU_EV_VPOT, .ticks = 0},
		{.kind = BH_MCU_EV_VPOT, .ticks = 64},
		{.kind = BH_MCU_EV_JOG, .ticks = -64},
		{.kind = BH_MCU_EV_PEDAL, .value = 0x80},
	};
	uint8_t out[BH_MCU_BYTES_MAX];
	for (size_t i = 0; i < sizeof(bad_cmds) / sizeof(bad_cmds[0]); i++)
		ck_assert_int_eq(bh_mcu_encode_cmd(0x14, NULL, &bad_cmds[i], out, sizeof(out)), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_events) / sizeof(bad_events[0]); i++)
		ck_assert_int_eq(bh_mcu_encode_event(0x14, NULL, &bad_events[i], out, sizeof(out)),
				 -EINVAL);
	struct bh_mcu_cmd lcd = LCD(0, 0, "Hello");
	ck_assert_int_eq(bh_mcu_encode_cmd(0x14, NULL, &lcd, out, 5), -ENOSPC);
}
END_TEST

START_TEST(the_longest_display_message_has_120_bytes)
{
	struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_LCD, .text_len = BH_MCU_LCD_CELLS}, back;
	memset(cmd.text, 'x', BH_MCU_LCD_CELLS);
	uint8_t out[BH_MCU_BYTES_MAX];
	int len = bh_mcu_encode_cmd(0x14, NULL, &cmd, out, sizeof(out));
	ck_assert_int_eq(len, 120);
	struct bh_midi_msg msg = {.status = 0xf0, .sysex = out, .sysex_len = (size_t)len};
	ck_assert(bh_mcu_decode_cmd(&any, &msg, &back));
	ck_assert_mem_eq(back.text, cmd.text, BH_MCU_LCD_CELLS);
}
END_TEST

START_TEST(the_challenge_of_vector_66_gets_the_response_of_vector_67)
{
	uint8_t r[4];
	bh_mcu_response((const uint8_t[]){0x57, 0x18, 0x61, 0x05}, r);
	ck_assert_mem_eq(r, ((const uint8_t[]){0x64, 0x5a, 0x5e, 0x57}), 4);
}
END_TEST

START_TEST(text_is_what_a_display_can_show)
{
	static const struct {
		const char *in, *out;
		size_t used;
	} rows[] = {
		{"Kick", "Kick   ", 4},
		{"", "       ", 0},
		{"Saxophone", "Saxopho", 7},
		{"Bücher", "Bucher ", 6},
		{"Ćevapi", "Cevapi ", 6},
		{"Straße", "Strasse", 7},
		{"Straße1", "Strase1", 7}, /* what was made to fit stays whole */
		{"Œuvre", "OEuvre ", 6},
		{"a\xcc\x88"
		 "b",
		 "ab     ", 2},				   /* combining dots */
		{"C:\\x", "C:/x   ", 4},		   /* an X-Touch mis-shows the backslash */
		{"-\xe2\x88\x9e dB", "-oo dB ", 6},	   /* infinity */
		{"\xe2\x88\x92"
		 "3.5",
		 "-3.5   ", 4},				   /* true minus */
		{"\xe6\xbc\xa2\xe5\xad\x97", "__     ", 2}, /* two Han characters */
		{"\xf0\x9f\x8e\xa4mic", "_mic   ", 4},	   /* a pictograph */
		{"a\x01"
		 "b\x7f",
		 "a_b_   ", 4},
		{"a\xff\xfe"
		 "b",
		 "a__b   ", 4},				   /* not UTF-8 at all */
		{"\xc3", "_      ", 1},			   /* half a character */
		{"\xc0\xaf", "__     ", 2},		   /* overlong slash */
		{"\xed\xa0\x80", "_      ", 1},		   /* surrogate */
		{"a\tb", "a b    ", 3},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[8] = {0};
		ck_assert_uint_eq(bh_mcu_text(rows[i].in, strlen(rows[i].in), out, 7), rows[i].used);
		ck_assert_str_eq(out, rows[i].out);
	}
}
END_TEST

START_TEST(all_text_however_broken_is_safe_to_send)
{
	srandom(7);
	for (int k = 0; k < 2000; k++) {
		char in[16], out[7];
		size_t len = (size_t)(random() % 16);
		for (size_t i = 0; i < len; i++)
			in[i] = (char)random();
		bh_mcu_text(in, len, out, sizeof(out));
		for (size_t i = 0; i < sizeof(out); i++)
			ck_assert(bh_mcu_is_display_char((uint8_t)out[i]));
	}
}
END_TEST

START_TEST(segments_have_letters_figures_and_dots)
{
	ck_assert_uint_eq(bh_mcu_digit_code('A'), 0x01);
	ck_assert_uint_eq(bh_mcu_digit_code('z'), 0x1a);
	ck_assert_uint_eq(bh_mcu_digit_code('7'), 0x37);
	ck_assert_uint_eq(bh_mcu_digit_code(' '), 0x20);
	ck_assert_uint_eq(bh_mcu_digit_code('-'), 0x2d);
	ck_assert_uint_eq(bh_mcu_digit_code('~'), 0x20);
	for (char c = ' '; c < '`'; c++)
		ck_assert_int_eq(bh_mcu_digit_char(bh_mcu_digit_code(c)), c);
	uint8_t d[10];
	bh_mcu_digits("Pn.", d, 2);
	ck_assert_mem_eq(d, "\x10\x4e", 2);
	bh_mcu_digits("109.02.01.126", d, 10);
	ck_assert_mem_eq(d, "10\x79"
			    "0\x72"
			    "0\x71"
			    "126",
			 10);
	bh_mcu_digits("7", d, 3);
	ck_assert_mem_eq(d, "  7", 3);
	bh_mcu_digits("..", d, 2);
	ck_assert_mem_eq(d, "\x20\x6e", 2);
	bh_mcu_digits("1234", d, 2);
	ck_assert_mem_eq(d, "34", 2);
}
END_TEST

START_TEST(names_and_notes_are_each_others_inverse)
{
	int named = 0;
	for (int note = 0; note < 128; note++) {
		const char *name = bh_mcu_note_name((uint8_t)note);
		if (!name)
			continue;
		ck_assert_int_eq(bh_mcu_note_by_name(name), note);
		named++;
	}
	ck_assert_int_eq(named, 116);
	ck_assert_int_eq(bh_mcu_note_by_name("mute3"), 0x12);
	ck_assert_int_eq(bh_mcu_note_by_name("plugin"), 0x2b);
	ck_assert_int_eq(bh_mcu_note_by_name("f8"), 0x3d);
	ck_assert_int_eq(bh_mcu_note_by_name("user"), 0x45);
	ck_assert_int_eq(bh_mcu_note_by_name("group"), 0x4f);
	ck_assert_int_eq(bh_mcu_note_by_name("solo"), 0x5a);
	ck_assert_int_eq(bh_mcu_note_by_name("record"), 0x5f);
	ck_assert_int_eq(bh_mcu_note_by_name("scrub"), 0x65);
	ck_assert_int_eq(bh_mcu_note_by_name("fader_main"), 0x70);
	ck_assert_int_eq(bh_mcu_note_by_name("solo_led"), 0x73);
	ck_assert_int_eq(bh_mcu_note_by_name("nothing"), -ENOENT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mcu");
	TCase *t = tcase_create("all");
	tcase_add_loop_test(t, each_vector_from_the_surface_means_what_the_table_says, 0, N_EVENTS);
	tcase_add_loop_test(t, each_vector_from_the_host_means_what_the_table_says, 0, N_CMDS);
	tcase_add_loop_test(t, all_vectors_decode_the_same_with_realtime_bytes_between_any_two, 0, 3);
	tcase_add_test(t, zero_ticks_are_one_only_on_devices_that_mean_it);
	tcase_add_test(t, sysex_of_another_device_is_not_for_us);
	tcase_add_test(t, messages_of_the_wrong_length_or_kind_are_not_ours);
	tcase_add_test(t, digits_come_on_channel_16_too);
	tcase_add_test(t, what_has_no_coding_is_refused);
	tcase_add_test(t, the_longest_display_message_has_120_bytes);
	tcase_add_test(t, the_challenge_of_vector_66_gets_the_response_of_vector_67);
	tcase_add_test(t, text_is_what_a_display_can_show);
	tcase_add_test(t, all_text_however_broken_is_safe_to_send);
	tcase_add_test(t, segments_have_letters_figures_and_dots);
	tcase_add_test(t, names_and_notes_are_each_others_inverse);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
