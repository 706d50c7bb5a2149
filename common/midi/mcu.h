/*
 * mcu - the Mackie Control protocol, both directions, as structs
 *
 * The host decodes events and encodes commands; the simulated desk does the opposite, with the same
 * tables. One struct is one MIDI message.
 * Fails: what is not Mackie Control comes out as BH_MCU_EV_OTHER or BH_MCU_CMD_OTHER; a struct that has
 *        no coding gives -EINVAL. Nothing is clamped in silence.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/midi/parse.h"

/* Last byte of the sysex header F0 00 00 66 dd. Learn it from the device's answer, or configure it. */
enum {
	BH_MCU_ID_ANY = 0, /* decoding only */
	BH_MCU_ID_LOGIC = 0x10,
	BH_MCU_ID_LOGIC_XT = 0x11,
	BH_MCU_ID_MCU = 0x14,
	BH_MCU_ID_MCU_XT = 0x15,
};

enum {
	BH_MCU_STRIPS = 8,
	BH_MCU_FADERS = 9, /* 8 is the main fader */
	BH_MCU_POS_MAX = 0x3fff,
	BH_MCU_TICKS_MAX = 63,
	BH_MCU_RING_POS_MAX = 11,
	BH_MCU_DIGITS = 12,       /* 0 rightmost time code digit .. 9 leftmost, 10 right assignment, 11 left */
	BH_MCU_DIGIT_DOT = 0x40,  /* in a digit's code */
	BH_MCU_DIGIT_BLANK = 0x20,
	BH_MCU_LCD_COLS = 56,
	BH_MCU_LCD_CELLS = 112,
	BH_MCU_CELL_WIDTH = 7,    /* characters of one strip in one line */
	BH_MCU_METER_MAX = 13,
	BH_MCU_NOTE_TOUCH = 0x68, /* .. 0x70 */
	BH_MCU_BYTES_MAX = 128,   /* no encoded message is longer */
};

/* Surface to host. */
enum bh_mcu_event_kind {
	BH_MCU_EV_OTHER,     /* no Mackie Control message, or not for us */
	BH_MCU_EV_BUTTON,    /* note, pressed */
	BH_MCU_EV_TOUCH,     /* index 0-8, pressed */
	BH_MCU_EV_FADER,     /* index 0-8, pos_14bit */
	BH_MCU_EV_VPOT,      /* index 0-7, ticks: clockwise is positive */
	BH_MCU_EV_JOG,       /* ticks */
	BH_MCU_EV_PEDAL,     /* value 0-127 */
	BH_MCU_EV_ANNOUNCE,  /* op 01: serial, challenge; also what a device says when it is switched on */
	BH_MCU_EV_CONFIRMED, /* op 03: serial */
	BH_MCU_EV_REFUSED,   /* op 04: serial */
	BH_MCU_EV_READY,     /* op 06 */
	BH_MCU_EV_VERSION,   /* op 14: version */
};

struct bh_mcu_event {
	enum bh_mcu_event_kind kind;
	uint8_t device_id; /* of a sysex; else 0 */
	uint8_t note;
	bool pressed;
	uint8_t index;
	uint8_t value;
	uint16_t pos_14bit;
	int16_t ticks;
	uint8_t serial[7];
	uint8_t challenge[4];
	char version[6]; /* terminated */
};

enum bh_mcu_led { BH_MCU_LED_OFF, BH_MCU_LED_FLASH, BH_MCU_LED_ON };
enum bh_mcu_ring { BH_MCU_RING_DOT, BH_MCU_RING_BOOST_CUT, BH_MCU_RING_WRAP, BH_MCU_RING_SPREAD };

/* Host to surface. */
enum bh_mcu_cmd_kind {
	BH_MCU_CMD_OTHER,
	BH_MCU_CMD_LED,               /* note, led */
	BH_MCU_CMD_FADER,             /* index, pos_14bit */
	BH_MCU_CMD_RING,              /* index, ring, value 0-11 (0 dark), extra */
	BH_MCU_CMD_DIGIT,             /* index 0-11, value: code, with BH_MCU_DIGIT_DOT or without */
	BH_MCU_CMD_METER,             /* index, value 0-13 */
	BH_MCU_CMD_METER_OVER,        /* index, on: set or clear the overload mark */
	BH_MCU_CMD_LCD,               /* offset, text, text_len (1-112) */
	BH_MCU_CMD_COLOURS,           /* colours: bit 0 red, 1 green, 2 blue */
	BH_MCU_CMD_QUERY,             /* op 00 */
	BH_MCU_CMD_REPLY,             /* op 02: serial, response */
	BH_MCU_CMD_VERSION_REQUEST,   /* op 13 */
	BH_MCU_CMD_RESET,             /* op 08 */
	BH_MCU_CMD_RECALIBRATE,       /* op 09 */
	BH_MCU_CMD_CLICK,             /* op 0A: on */
	BH_MCU_CMD_BACKLIGHT,         /* op 0B: value, minutes */
	BH_MCU_CMD_TOUCHLESS,         /* op 0C: on */
	BH_MCU_CMD_SENSITIVITY,       /* op 0E: index 0-8, value 0-5 */
	BH_MCU_CMD_OFFLINE,           /* op 0F */
	BH_MCU_CMD_TIMECODE,          /* op 10: text: codes right to left, text_len 1-10 */
	BH_MCU_CMD_ASSIGNMENT,        /* op 11: text: codes right to left, text_len 1-2 */
	BH_MCU_CMD_METER_MODE,        /* op 20: index, value 0-7 */
	BH_MCU_CMD_METER_ORIENTATION, /* op 21: on = vertical */
	BH_MCU_CMD_FADERS_DOWN,       /* op 61 */
	BH_MCU_CMD_LEDS_OFF,          /* op 62 */
	BH_MCU_CMD_GO_OFFLINE,        /* op 63 */
};

struct bh_mcu_cmd {
	enum bh_mcu_cmd_kind kind;
	uint8_t device_id; /* of a decoded sysex; not used for encoding */
	uint8_t note;
	enum bh_mcu_led led;
	uint8_t index;
	uint8_t value;
	bool on;
	uint16_t pos_14bit;
	enum bh_mcu_ring ring;
	bool extra; /* outer LEDs of the ring (X-Touch), or the dot under it */
	uint8_t colours[BH_MCU_STRIPS];
	uint8_t offset;
	uint8_t text_len;
	char text[BH_MCU_LCD_CELLS + 1]; /* terminated when decoded */
	uint8_t serial[7];
	uint8_t response[4];
};

struct bh_mcu_opts {
	uint8_t device_id;   /* decoding: take this id's sysex only, or BH_MCU_ID_ANY */
	bool zero_is_a_tick; /* some devices send a magnitude of 0 for one tick */
};

/* Host side: what the surface says. Sets ev->kind to BH_MCU_EV_OTHER and returns false if nothing. */
bool bh_mcu_decode_event(const struct bh_mcu_opts *opts, const struct bh_midi_msg *msg,
			 struct bh_mcu_event *ev);

/*
 * Host side: bytes for the surface. device_id is that of sysex. enc may be NULL (no running status).
 * Returns the bytes written, -ENOSPC, or -EINVAL for what has no coding.
 */
int bh_mcu_encode_cmd(uint8_t device_id, struct bh_midi_encoder *enc, const struct bh_mcu_cmd *cmd,
		      uint8_t *out, size_t cap);

/* Surface side: what the host wants. A velocity other than 00, 01, 7F counts as on, as on an X-Touch. */
bool bh_mcu_decode_cmd(const struct bh_mcu_opts *opts, const struct bh_midi_msg *msg,
		       struct bh_mcu_cmd *cmd);

/* Surface side: bytes for the host. ticks beyond +-63 and 0 give -EINVAL: split them. */
int bh_mcu_encode_event(uint8_t device_id, struct bh_midi_encoder *enc,
			const struct bh_mcu_event *ev, uint8_t *out, size_t cap);

/* The answer that a Logic Control expects to its challenge. */
void bh_mcu_response(const uint8_t challenge[4], uint8_t response[4]);

/*
 * UTF-8 (up to len bytes, or to its zero byte) as characters that the displays have: 7-bit ASCII without
 * the backslash; accented Latin letters lose their accents, what has no likeness becomes '_'; one that
 * is like two letters ("ss") is only the first of them where both find no room. Fills
 * exactly width characters of out, the rest with spaces; no zero byte. Returns those that are not
 * padding.
 */
size_t bh_mcu_text(const char *utf8, size_t len, char *out, size_t width);

/* Is this byte safe to send to a display? */
bool bh_mcu_is_display_char(uint8_t c);

/* A character as a 7-segment code; blank if it has none. And back (upper case; space if none). */
uint8_t bh_mcu_digit_code(char c);
char bh_mcu_digit_char(uint8_t code);

/*
 * ASCII text on a row of digits, aligned right; out[0] is the leftmost. A '.', ',' or ':' lights the dot
 * of the digit before it. What does not fit on the left is cut.
 */
void bh_mcu_digits(const char *text, uint8_t *out, size_t width);

/*
 * The name of a button or LED by its note ("mute3", "vpot1_push", "play", "smpte_led"), as the device files use
 * it; NULL if it has none. Touch notes give the fader's name. And back: the note, or -ENOENT.
 */
const char *bh_mcu_note_name(uint8_t note);
int bh_mcu_note_by_name(const char *name);
