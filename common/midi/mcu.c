/*
 * mcu - see mcu.h
 */
#include "common/midi/mcu.h"

#include <errno.h>
#include <string.h>

enum {
	CC_VPOT = 0x10,
	CC_PEDAL = 0x2e,
	CC_RING = 0x30,
	CC_JOG = 0x3c,
	CC_DIGIT = 0x40,
	TICKS_MASK = 0x3f,
	TICKS_LEFT = 0x40,
	RING_EXTRA = 0x40,
	METER_OVER_SET = 0xe,
	METER_OVER_CLEAR = 0xf,
};

enum {
	OP_QUERY = 0x00,
	OP_ANNOUNCE = 0x01,
	OP_REPLY = 0x02,
	OP_CONFIRMED = 0x03,
	OP_REFUSED = 0x04,
	OP_READY = 0x06,
	OP_RESET = 0x08,
	OP_RECALIBRATE = 0x09,
	OP_CLICK = 0x0a,
	OP_BACKLIGHT = 0x0b,
	OP_TOUCHLESS = 0x0c,
	OP_SENSITIVITY = 0x0e,
	OP_OFFLINE = 0x0f,
	OP_TIMECODE = 0x10,
	OP_ASSIGNMENT = 0x11,
	OP_LCD = 0x12,
	OP_VERSION_REQUEST = 0x13,
	OP_VERSION = 0x14,
	OP_METER_MODE = 0x20,
	OP_METER_ORIENTATION = 0x21,
	OP_FADERS_DOWN = 0x61,
	OP_LEDS_OFF = 0x62,
	OP_GO_OFFLINE = 0x63,
	OP_COLOURS = 0x72,
};

enum { HEADER_LEN = 5, BODY_AT = HEADER_LEN + 1 };

static const uint8_t header[] = {0xf0, 0x00, 0x00, 0x66};

/* ---- system exclusive framing ---------------------------------------------------------------- */

struct sysex {
	uint8_t id;
	uint8_t op;
	const uint8_t *body;
	size_t len;
};

static bool
sysex_open(const struct bh_mcu_opts *opts, const struct bh_midi_msg *msg, struct sysex *s)
{
	if (!msg->sysex || msg->sysex_len < BODY_AT + 1 ||
	    memcmp(msg->sysex, header, sizeof(header)) != 0)
		return false;
	s->id = msg->sysex[4];
	s->op = msg->sysex[5];
	s->body = msg->sysex + BODY_AT;
	s->len = msg->sysex_len - BODY_AT - 1;
	if (opts->device_id != BH_MCU_ID_ANY)
		return s->id == opts->device_id;
	return s->id == BH_MCU_ID_MCU || s->id == BH_MCU_ID_MCU_XT || s->id == BH_MCU_ID_LOGIC ||
	       s->id == BH_MCU_ID_LOGIC_XT;
}

struct body {
	uint8_t bytes[BH_MCU_BYTES_MAX];
	size_t len;
};

static void
body_add(struct body *b, const void *data, size_t len)
{
	if (len > sizeof(b->bytes) - b->len)
		len = sizeof(b->bytes) - b->len;
	memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

static void
body_byte(struct body *b, unsigned byte)
{
	uint8_t v = (uint8_t)byte;
	body_add(b, &v, 1);
}

static void
body_open(struct body *b, uint8_t device_id, uint8_t op)
{
	b->len = 0;
	body_add(b, header, sizeof(header));
	body_byte(b, device_id);
	body_byte(b, op);
}

static int
put(struct bh_midi_encoder *enc, const struct bh_midi_msg *msg, uint8_t *out, size_t cap)
{
	struct bh_midi_encoder none = {0};
	return bh_midi_encode(enc ? enc : &none, msg, out, cap);
}

static int
put_sysex(struct bh_midi_encoder *enc, struct body *b, uint8_t *out, size_t cap)
{
	body_byte(b, BH_MIDI_SYSEX_END);
	struct bh_midi_msg msg = {
		.status = BH_MIDI_SYSEX, .sysex = b->bytes, .sysex_len = b->len};
	return put(enc, &msg, out, cap);
}

static int
put2(struct bh_midi_encoder *enc, unsigned status, unsigned d0, unsigned d1, uint8_t *out,
     size_t cap)
{
	struct bh_midi_msg msg = {
		.status = (uint8_t)status, .data = {(uint8_t)d0, (uint8_t)d1}, .len = 2};
	return put(enc, &msg, out, cap);
}

static int
put1(struct bh_midi_encoder *enc, unsigned status, unsigned d0, uint8_t *out, size_t cap)
{
	struct bh_midi_msg msg = {.status = (uint8_t)status, .data = {(uint8_t)d0}, .len = 1};
	return put(enc, &msg, out, cap);
}

/* ---- surface to host: decode ----------------------------------------------------------------- */

/* Sign and magnitude, not two's complement: 47 is seven ticks to the left. */
static int16_t
ticks_of(const struct bh_mcu_opts *opts, uint8_t v)
{
	int n = v & TICKS_MASK;
	if (n == 0 && opts->zero_is_a_tick)
		n = 1;
	return (int16_t)(v & TICKS_LEFT ? -n : n);
}

static bool
event_note(uint8_t note, bool pressed, struct bh_mcu_event *ev)
{
	ev->pressed = pressed;
	if (note >= BH_MCU_NOTE_TOUCH && note < BH_MCU_NOTE_TOUCH + BH_MCU_FADERS) {
		ev->kind = BH_MCU_EV_TOUCH;
		ev->index = (uint8_t)(note - BH_MCU_NOTE_TOUCH);
	} else {
		ev->kind = BH_MCU_EV_BUTTON;
		ev->note = note;
	}
	return true;
}

static bool
event_control(const struct bh_mcu_opts *opts, uint8_t cc, uint8_t v, struct bh_mcu_event *ev)
{
	if (cc >= CC_VPOT && cc < CC_VPOT + BH_MCU_STRIPS) {
		ev->kind = BH_MCU_EV_VPOT;
		ev->index = (uint8_t)(cc - CC_VPOT);
		ev->ticks = ticks_of(opts, v);
	} else if (cc == CC_JOG) {
		ev->kind = BH_MCU_EV_JOG;
		ev->ticks = ticks_of(opts, v);
	} else if (cc == CC_PEDAL) {
		ev->kind = BH_MCU_EV_PEDAL;
		ev->value = v;
	}
	/* Zero ticks are no event, unless this device means one by it. */
	if ((ev->kind == BH_MCU_EV_VPOT || ev->kind == BH_MCU_EV_JOG) && ev->ticks == 0)
		ev->kind = BH_MCU_EV_OTHER;
	return ev->kind != BH_MCU_EV_OTHER;
}

static bool
event_sysex(const struct sysex *s, struct bh_mcu_event *ev)
{
	ev->device_id = s->id;
	switch (s->op) {
	case OP_ANNOUNCE:
		if (s->len != sizeof(ev->serial) + sizeof(ev->challenge))
			return false;
		ev->kind = BH_MCU_EV_ANNOUNCE;
		memcpy(ev->challenge, s->body + sizeof(ev->serial), sizeof(ev->challenge));
		break;
	case OP_CONFIRMED:
	case OP_REFUSED:
		if (s->len != sizeof(ev->serial))
			return false;
		ev->kind = s->op == OP_CONFIRMED ? BH_MCU_EV_CONFIRMED : BH_MCU_EV_REFUSED;
		break;
	case OP_READY: ev->kind = BH_MCU_EV_READY; return true;
	case OP_VERSION:
		if (s->len > sizeof(ev->version) - 1)
			return false;
		ev->kind = BH_MCU_EV_VERSION;
		memcpy(ev->version, s->body, s->len);
		return true;
	default: return false;
	}
	memcpy(ev->serial, s->body, sizeof(ev->serial));
	return true;
}

bool
bh_mcu_decode_event(const struct bh_mcu_opts *opts, const struct bh_midi_msg *msg,
		    struct bh_mcu_event *ev)
{
	struct sysex s;
	*ev = (struct bh_mcu_event){0};
	if (msg->status == BH_MIDI_SYSEX) {
		if (sysex_open(opts, msg, &s) && event_sysex(&s, ev))
			return true;
		*ev = (struct bh_mcu_event){0};
		return false;
	}
	if ((msg->status & 0xf0) == BH_MIDI_BEND && (msg->status & 0x0f) < BH_MCU_FADERS) {
		ev->kind = BH_MCU_EV_FADER;
		ev->index = msg->status & 0x0f;
		ev->pos_14bit = (uint16_t)(msg->data[1] << 7 | msg->data[0]);
		return true;
	}
	switch (msg->status) {
	case BH_MIDI_NOTE_ON: return event_note(msg->data[0], msg->data[1] != 0, ev);
	case BH_MIDI_NOTE_OFF: return event_note(msg->data[0], false, ev);
	case BH_MIDI_CONTROL: return event_control(opts, msg->data[0], msg->data[1], ev);
	}
	return false;
}

/* ---- surface to host: encode ----------------------------------------------------------------- */

static int
encode_ticks(struct bh_midi_encoder *enc, unsigned cc, int ticks, uint8_t *out, size_t cap)
{
	if (ticks == 0 || ticks > BH_MCU_TICKS_MAX || ticks < -BH_MCU_TICKS_MAX)
		return -EINVAL;
	return put2(enc, BH_MIDI_CONTROL, cc,
		    ticks > 0 ? (unsigned)ticks : (unsigned)(TICKS_LEFT | -ticks), out, cap);
}

int
bh_mcu_encode_event(uint8_t device_id, struct bh_midi_encoder *enc, const struct bh_mcu_event *ev,
		    uint8_t *out, size_t cap)
{
	struct body b;
	unsigned vel = ev->pressed ? 0x7f : 0;
	switch (ev->kind) {
	case BH_MCU_EV_OTHER: return -EINVAL;
	case BH_MCU_EV_BUTTON:
		if (ev->note >= BH_MCU_NOTE_TOUCH && ev->note < BH_MCU_NOTE_TOUCH + BH_MCU_FADERS)
			return -EINVAL;
		return put2(enc, BH_MIDI_NOTE_ON, ev->note, vel, out, cap);
	case BH_MCU_EV_TOUCH:
		if (ev->index >= BH_MCU_FADERS)
			return -EINVAL;
		return put2(enc, BH_MIDI_NOTE_ON, BH_MCU_NOTE_TOUCH + ev->index, vel, out, cap);
	case BH_MCU_EV_FADER:
		if (ev->index >= BH_MCU_FADERS || ev->pos_14bit > BH_MCU_POS_MAX)
			return -EINVAL;
		return put2(enc, BH_MIDI_BEND | ev->index, ev->pos_14bit & 0x7f,
			    ev->pos_14bit >> 7, out, cap);
	case BH_MCU_EV_VPOT:
		if (ev->index >= BH_MCU_STRIPS)
			return -EINVAL;
		return encode_ticks(enc, CC_VPOT + ev->index, ev->ticks, out, cap);
	case BH_MCU_EV_JOG: return encode_ticks(enc, CC_JOG, ev->ticks, out, cap);
	case BH_MCU_EV_PEDAL:
		return put2(enc, BH_MIDI_CONTROL, CC_PEDAL, ev->value, out, cap);
	case BH_MCU_EV_ANNOUNCE:
		body_open(&b, device_id, OP_ANNOUNCE);
		body_add(&b, ev->serial, sizeof(ev->serial));
		body_add(&b, ev->challenge, sizeof(ev->challenge));
		return put_sysex(enc, &b, out, cap);
	case BH_MCU_EV_CONFIRMED:
	case BH_MCU_EV_REFUSED:
		body_open(&b, device_id,
			  ev->kind == BH_MCU_EV_CONFIRMED ? OP_CONFIRMED : OP_REFUSED);
		body_add(&b, ev->serial, sizeof(ev->serial));
		return put_sysex(enc, &b, out, cap);
	case BH_MCU_EV_READY: body_open(&b, device_id, OP_READY); return put_sysex(enc, &b, out, cap);
	case BH_MCU_EV_VERSION:
		body_open(&b, device_id, OP_VERSION);
		body_add(&b, ev->version, strnlen(ev->version, sizeof(ev->version) - 1));
		return put_sysex(enc, &b, out, cap);
	}
	return -EINVAL;
}

/* ---- host to surface: encode ----------------------------------------------------------------- */

/* Sysex commands whose body is one fixed byte, one number, or a flag. */
struct simple_op {
	enum bh_mcu_cmd_kind kind;
	uint8_t op;
	enum { BODY_NONE, BODY_ZERO, BODY_7F, BODY_FLAG, BODY_VALUE, BODY_INDEX_VALUE } body;
	uint8_t index_max, value_max;
};

static const struct simple_op simple_ops[] = {
	{BH_MCU_CMD_QUERY, OP_QUERY, BODY_NONE, 0, 0},
	{BH_MCU_CMD_RESET, OP_RESET, BODY_ZERO, 0, 0},
	{BH_MCU_CMD_RECALIBRATE, OP_RECALIBRATE, BODY_ZERO, 0, 0},
	{BH_MCU_CMD_CLICK, OP_CLICK, BODY_FLAG, 0, 0},
	{BH_MCU_CMD_BACKLIGHT, OP_BACKLIGHT, BODY_VALUE, 0, 0x7f},
	{BH_MCU_CMD_TOUCHLESS, OP_TOUCHLESS, BODY_FLAG, 0, 0},
	{BH_MCU_CMD_SENSITIVITY, OP_SENSITIVITY, BODY_INDEX_VALUE, BH_MCU_FADERS - 1, 5},
	{BH_MCU_CMD_OFFLINE, OP_OFFLINE, BODY_7F, 0, 0},
	{BH_MCU_CMD_VERSION_REQUEST, OP_VERSION_REQUEST, BODY_ZERO, 0, 0},
	{BH_MCU_CMD_METER_MODE, OP_METER_MODE, BODY_INDEX_VALUE, BH_MCU_STRIPS - 1, 7},
	{BH_MCU_CMD_METER_ORIENTATION, OP_METER_ORIENTATION, BODY_FLAG, 0, 0},
	{BH_MCU_CMD_FADERS_DOWN, OP_FADERS_DOWN, BODY_NONE, 0, 0},
	{BH_MCU_CMD_LEDS_OFF, OP_LEDS_OFF, BODY_NONE, 0, 0},
	{BH_MCU_CMD_GO_OFFLINE, OP_GO_OFFLINE, BODY_NONE, 0, 0},
};

enum { N_SIMPLE_OPS = sizeof(simple_ops) / sizeof(simple_ops[0]) };

static int
encode_simple(uint8_t device_id, struct bh_midi_encoder *enc, const struct bh_mcu_cmd *cmd,
	      uint8_t *out, size_t cap)
{
	const struct simple_op *op = simple_ops;
	while (op < simple_ops + N_SIMPLE_OPS && op->kind != cmd->kind)
		op++;
	if (op == simple_ops + N_SIMPLE_OPS)
		return -EINVAL;
	struct body b;
	body_open(&b, device_id, op->op);
	switch (op->body) {
	case BODY_NONE: break;
	case BODY_ZERO: body_byte(&b, 0); break;
	case BODY_7F: body_byte(&b, 0x7f); break;
	case BODY_FLAG: body_byte(&b, cmd->on); break;
	case BODY_INDEX_VALUE:
		if (cmd->index > op->index_max)
			return -EINVAL;
		body_byte(&b, cmd->index);
		/* fallthrough */
	case BODY_VALUE:
		if (cmd->value > op->value_max)
			return -EINVAL;
		body_byte(&b, cmd->value);
	}
	return put_sysex(enc, &b, out, cap);
}

static int
encode_text(uint8_t device_id, struct bh_midi_encoder *enc, const struct bh_mcu_cmd *cmd, uint8_t op,
	    size_t max, uint8_t *out, size_t cap)
{
	if (cmd->text_len == 0 || cmd->text_len > max)
		return -EINVAL;
	struct body b;
	body_open(&b, device_id, op);
	if (op == OP_LCD) {
		if (cmd->offset >= BH_MCU_LCD_CELLS)
			return -EINVAL;
		body_byte(&b, cmd->offset);
		/* A display shows what it likes for other bytes, and 80-FF would end the message. */
		for (size_t i = 0; i < cmd->text_len; i++)
			if (!bh_mcu_is_display_char((uint8_t)cmd->text[i]))
				return -EINVAL;
	}
	body_add(&b, cmd->text, cmd->text_len);
	return put_sysex(enc, &b, out, cap);
}

static int
encode_ring(struct bh_midi_encoder *enc, const struct bh_mcu_cmd *cmd, uint8_t *out, size_t cap)
{
	if (cmd->index >= BH_MCU_STRIPS || cmd->value > BH_MCU_RING_POS_MAX ||
	    (unsigned)cmd->ring > BH_MCU_RING_SPREAD)
		return -EINVAL;
	return put2(enc, BH_MIDI_CONTROL, CC_RING + cmd->index,
		    (cmd->extra ? RING_EXTRA : 0u) | (unsigned)cmd->ring << 4 | cmd->value, out,
		    cap);
}

int
bh_mcu_encode_cmd(uint8_t device_id, struct bh_midi_encoder *enc, const struct bh_mcu_cmd *cmd,
		  uint8_t *out, size_t cap)
{
	static const uint8_t velocity[] = {
		[BH_MCU_LED_OFF] = 0, [BH_MCU_LED_FLASH] = 1, [BH_MCU_LED_ON] = 0x7f};
	struct body b;
	switch (cmd->kind) {
	case BH_MCU_CMD_LED:
		if ((unsigned)cmd->led > BH_MCU_LED_ON)
			return -EINVAL;
		return put2(enc, BH_MIDI_NOTE_ON, cmd->note, velocity[cmd->led], out, cap);
	case BH_MCU_CMD_FADER:
		if (cmd->index >= BH_MCU_FADERS || cmd->pos_14bit > BH_MCU_POS_MAX)
			return -EINVAL;
		return put2(enc, BH_MIDI_BEND | cmd->index, cmd->pos_14bit & 0x7f,
			    cmd->pos_14bit >> 7, out, cap);
	case BH_MCU_CMD_RING: return encode_ring(enc, cmd, out, cap);
	case BH_MCU_CMD_DIGIT:
		if (cmd->index >= BH_MCU_DIGITS)
			return -EINVAL;
		return put2(enc, BH_MIDI_CONTROL, CC_DIGIT + cmd->index, cmd->value, out, cap);
	case BH_MCU_CMD_METER:
		if (cmd->index >= BH_MCU_STRIPS || cmd->value > BH_MCU_METER_MAX)
			return -EINVAL;
		return put1(enc, BH_MIDI_PRESSURE, cmd->index << 4 | cmd->value, out, cap);
	case BH_MCU_CMD_METER_OVER:
		if (cmd->index >= BH_MCU_STRIPS)
			return -EINVAL;
		return put1(enc, BH_MIDI_PRESSURE,
			    cmd->index << 4 | (cmd->on ? METER_OVER_SET : METER_OVER_CLEAR), out,
			    cap);
	case BH_MCU_CMD_LCD:
		return encode_text(device_id, enc, cmd, OP_LCD, BH_MCU_LCD_CELLS, out, cap);
	case BH_MCU_CMD_TIMECODE:
		return encode_text(device_id, enc, cmd, OP_TIMECODE, 10, out, cap);
	case BH_MCU_CMD_ASSIGNMENT:
		return encode_text(device_id, enc, cmd, OP_ASSIGNMENT, 2, out, cap);
	case BH_MCU_CMD_COLOURS:
		body_open(&b, device_id, OP_COLOURS);
		for (size_t i = 0; i < BH_MCU_STRIPS; i++) {
			if (cmd->colours[i] > 7)
				return -EINVAL;
			body_byte(&b, cmd->colours[i]);
		}
		return put_sysex(enc, &b, out, cap);
	case BH_MCU_CMD_REPLY:
		body_open(&b, device_id, OP_REPLY);
		body_add(&b, cmd->serial, sizeof(cmd->serial));
		body_add(&b, cmd->response, sizeof(cmd->response));
		return put_sysex(enc, &b, out, cap);
	case BH_MCU_CMD_OTHER: return -EINVAL;
	case BH_MCU_CMD_QUERY:
	case BH_MCU_CMD_VERSION_REQUEST:
	case BH_MCU_CMD_RESET:
	case BH_MCU_CMD_RECALIBRATE:
	case BH_MCU_CMD_CLICK:
	case BH_MCU_CMD_BACKLIGHT:
	case BH_MCU_CMD_TOUCHLESS:
	case BH_MCU_CMD_SENSITIVITY:
	case BH_MCU_CMD_OFFLINE:
	case BH_MCU_CMD_METER_MODE:
	case BH_MCU_CMD_METER_ORIENTATION:
	case BH_MCU_CMD_FADERS_DOWN:
	case BH_MCU_CMD_LEDS_OFF:
	case BH_MCU_CMD_GO_OFFLINE: return encode_simple(device_id, enc, cmd, out, cap);
	}
	return -EINVAL;
}

/* ---- host to surface: decode ----------------------------------------------------------------- */

static bool
cmd_simple(const struct sysex *s, struct bh_mcu_cmd *cmd)
{
	const struct simple_op *op = simple_ops;
	while (op < simple_ops + N_SIMPLE_OPS && op->op != s->op)
		op++;
	if (op == simple_ops + N_SIMPLE_OPS)
		return false;
	static const uint8_t want[] = {[BODY_NONE] = 0, [BODY_ZERO] = 1, [BODY_7F] = 1,
				       [BODY_FLAG] = 1, [BODY_VALUE] = 1, [BODY_INDEX_VALUE] = 2};
	if (s->len != want[op->body])
		return false;
	cmd->kind = op->kind;
	switch (op->body) {
	case BODY_NONE:
	case BODY_ZERO:
	case BODY_7F: return true;
	case BODY_FLAG: cmd->on = s->body[0] != 0; return true;
	case BODY_VALUE: cmd->value = s->body[0]; return cmd->value <= op->value_max;
	case BODY_INDEX_VALUE:
		cmd->index = s->body[0];
		cmd->value = s->body[1];
		return cmd->index <= op->index_max && cmd->value <= op->value_max;
	}
	return false;
}

static bool
cmd_text(enum bh_mcu_cmd_kind kind, const uint8_t *text, size_t len, size_t max,
	 struct bh_mcu_cmd *cmd)
{
	if (len == 0 || len > max)
		return false;
	cmd->kind = kind;
	cmd->text_len = (uint8_t)len;
	memcpy(cmd->text, text, len);
	return true;
}

static bool
cmd_sysex(const struct sysex *s, struct bh_mcu_cmd *cmd)
{
	cmd->device_id = s->id;
	switch (s->op) {
	case OP_LCD:
		if (s->len < 1 || s->body[0] >= BH_MCU_LCD_CELLS)
			return false;
		cmd->offset = s->body[0];
		return cmd_text(BH_MCU_CMD_LCD, s->body + 1, s->len - 1, BH_MCU_LCD_CELLS, cmd);
	case OP_TIMECODE: return cmd_text(BH_MCU_CMD_TIMECODE, s->body, s->len, 10, cmd);
	case OP_ASSIGNMENT: return cmd_text(BH_MCU_CMD_ASSIGNMENT, s->body, s->len, 2, cmd);
	case OP_COLOURS:
		if (s->len != BH_MCU_STRIPS)
			return false;
		cmd->kind = BH_MCU_CMD_COLOURS;
		for (size_t i = 0; i < BH_MCU_STRIPS; i++)
			cmd->colours[i] = s->body[i] & 7;
		return true;
	case OP_REPLY:
		if (s->len != sizeof(cmd->serial) + sizeof(cmd->response))
			return false;
		cmd->kind = BH_MCU_CMD_REPLY;
		memcpy(cmd->serial, s->body, sizeof(cmd->serial));
		memcpy(cmd->response, s->body + sizeof(cmd->serial), sizeof(cmd->response));
		return true;
	}
	return cmd_simple(s, cmd);
}

static bool
cmd_control(uint8_t cc, uint8_t v, struct bh_mcu_cmd *cmd)
{
	if (cc >= CC_RING && cc < CC_RING + BH_MCU_STRIPS) {
		cmd->kind = BH_MCU_CMD_RING;
		cmd->index = (uint8_t)(cc - CC_RING);
		cmd->extra = v & RING_EXTRA;
		cmd->ring = (enum bh_mcu_ring)(v >> 4 & 3);
		cmd->value = v & 0x0f;
		if (cmd->value > BH_MCU_RING_POS_MAX)
			cmd->value = BH_MCU_RING_POS_MAX;
		return true;
	}
	if (cc >= CC_DIGIT && cc < CC_DIGIT + BH_MCU_DIGITS) {
		cmd->kind = BH_MCU_CMD_DIGIT;
		cmd->index = (uint8_t)(cc - CC_DIGIT);
		cmd->value = v;
		return true;
	}
	return false;
}

static bool
cmd_meter(uint8_t v, struct bh_mcu_cmd *cmd)
{
	if (v >> 4 >= BH_MCU_STRIPS)
		return false;
	cmd->index = v >> 4;
	if ((v & 0x0f) > BH_MCU_METER_MAX) {
		cmd->kind = BH_MCU_CMD_METER_OVER;
		cmd->on = (v & 0x0f) == METER_OVER_SET;
	} else {
		cmd->kind = BH_MCU_CMD_METER;
		cmd->value = v & 0x0f;
	}
	return true;
}

static bool
cmd_led(uint8_t note, uint8_t velocity, struct bh_mcu_cmd *cmd)
{
	cmd->kind = BH_MCU_CMD_LED;
	cmd->note = note;
	cmd->led = velocity == 0   ? BH_MCU_LED_OFF
		   : velocity == 1 ? BH_MCU_LED_FLASH
				   : BH_MCU_LED_ON;
	return true;
}

bool
bh_mcu_decode_cmd(const struct bh_mcu_opts *opts, const struct bh_midi_msg *msg,
		  struct bh_mcu_cmd *cmd)
{
	struct sysex s;
	memset(cmd, 0, sizeof(*cmd));
	if (msg->status == BH_MIDI_SYSEX) {
		if (sysex_open(opts, msg, &s) && cmd_sysex(&s, cmd))
			return true;
		memset(cmd, 0, sizeof(*cmd));
		return false;
	}
	if ((msg->status & 0xf0) == BH_MIDI_BEND && (msg->status & 0x0f) < BH_MCU_FADERS) {
		cmd->kind = BH_MCU_CMD_FADER;
		cmd->index = msg->status & 0x0f;
		cmd->pos_14bit = (uint16_t)(msg->data[1] << 7 | msg->data[0]);
		return true;
	}
	switch (msg->status) {
	case BH_MIDI_NOTE_ON: return cmd_led(msg->data[0], msg->data[1], cmd);
	case BH_MIDI_NOTE_OFF: return cmd_led(msg->data[0], 0, cmd);
	case BH_MIDI_CONTROL: return cmd_control(msg->data[0], msg->data[1], cmd);
	case BH_MIDI_CONTROL | 0x0f: /* some hosts send the digits on channel 16 */
		return msg->data[0] >= CC_DIGIT && cmd_control(msg->data[0], msg->data[1], cmd);
	case BH_MIDI_PRESSURE: return cmd_meter(msg->data[0], cmd);
	}
	return false;
}

void
bh_mcu_response(const uint8_t c[4], uint8_t r[4])
{
	r[0] = (uint8_t)(0x7f & (c[0] + (c[1] ^ 0x0a) - c[3]));
	r[1] = (uint8_t)(0x7f & ((c[2] >> 4) ^ (c[0] + c[3])));
	r[2] = (uint8_t)(0x7f & ((c[3] - (c[2] << 2)) ^ (c[0] | c[1])));
	r[3] = (uint8_t)(0x7f & (c[1] - c[2] + (0xf0 ^ (c[3] << 4))));
}

/* ---- names ----------------------------------------------------------------------------------- */

#define EIGHT(name) name "1", name "2", name "3", name "4", name "5", name "6", name "7", name "8"

/* clang-format off */
static const char *const note_names[128] = {
	[0x00] = EIGHT("rec"), [0x08] = EIGHT("solo"), [0x10] = EIGHT("mute"), [0x18] = EIGHT("select"),
	[0x20] = "vpot1_push", "vpot2_push", "vpot3_push", "vpot4_push",
		 "vpot5_push", "vpot6_push", "vpot7_push", "vpot8_push",
	[0x28] = "track", "send", "pan", "plugin", "eq", "inst",
	[0x2e] = "bank_left", "bank_right", "channel_left", "channel_right",
	[0x32] = "flip", "global_view", "name_value", "smpte_beats",
	[0x36] = EIGHT("f"),
	[0x3e] = "midi_tracks", "inputs", "audio_tracks", "audio_inst", "aux", "buses", "outputs", "user",
	[0x46] = "shift", "option", "control", "alt",
	[0x4a] = "read", "write", "trim", "touch", "latch", "group",
	[0x50] = "save", "undo", "cancel", "enter",
	[0x54] = "marker", "nudge", "cycle", "drop", "replace", "click", "solo",
	[0x5b] = "rewind", "forward", "stop", "play", "record",
	[0x60] = "up", "down", "left", "right", "zoom", "scrub",
	[0x66] = "foot_a", "foot_b",
	[0x68] = EIGHT("fader"),
	[0x70] = "fader_main",
	[0x71] = "smpte_led", "beats_led", "solo_led",
};
/* clang-format on */

const char *
bh_mcu_note_name(uint8_t note)
{
	return note < 128 ? note_names[note] : NULL;
}

int
bh_mcu_note_by_name(const char *name)
{
	for (int note = 0; note < 128; note++)
		if (note_names[note] && strcmp(note_names[note], name) == 0)
			return note;
	return -ENOENT;
}
