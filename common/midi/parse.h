/*
 * parse - a stream of MIDI bytes into messages, and messages into bytes
 *
 * In:    bytes, one by one, cut anywhere: a read may end in the middle of a message
 * Out:   one struct bh_midi_msg per complete message
 * Fails: never. What is not MIDI is dropped and counted, and the parser is in step again at the
 *        next status byte (surfaces that are plugged in while they talk start in mid-message).
 *
 * Pure: no I/O, no clock, no allocation. The parser is plain old data without pointers, so that it
 * can live in a shared segment and be continued by another process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest legal Mackie Control message has 120 bytes; the bound is generous. */
enum { BH_MIDI_SYSEX_MAX = 512 };

enum {
	BH_MIDI_NOTE_OFF = 0x80,
	BH_MIDI_NOTE_ON = 0x90,
	BH_MIDI_POLY_PRESSURE = 0xa0,
	BH_MIDI_CONTROL = 0xb0,
	BH_MIDI_PROGRAM = 0xc0,
	BH_MIDI_PRESSURE = 0xd0,
	BH_MIDI_BEND = 0xe0,
	BH_MIDI_SYSEX = 0xf0,
	BH_MIDI_SYSEX_END = 0xf7,
	BH_MIDI_CLOCK = 0xf8,
	BH_MIDI_FILLER = 0xfd, /* undefined in MIDI: our byte rings are pre-filled with it */
	BH_MIDI_ACTIVE_SENSING = 0xfe,
	BH_MIDI_RESET = 0xff,
};

struct bh_midi_msg {
	uint8_t status;       /* with its channel; F0 for system exclusive */
	uint8_t data[2];      /* unused ones are 0 */
	uint8_t len;          /* data bytes in use, 0-2; 0 for system exclusive */
	const uint8_t *sysex; /* borrowed: F0 .. F7 whole, until the next byte is fed; else NULL */
	size_t sysex_len;     /* with F0 and F7 */
};

/* What a stream has contained; each oddity has its own count. */
struct bh_midi_counters {
	uint64_t messages;       /* handed out, realtime messages included */
	uint64_t running;        /* of these, sent without a status byte of their own */
	uint64_t active_sensing; /* FE, skipped */
	uint64_t filler;         /* FD, skipped */
	uint64_t undefined;      /* F4, F5, F9: skipped */
	uint64_t orphan_data;    /* data bytes without a status they could belong to */
	uint64_t cut_short;      /* messages that another status byte ended too early */
	uint64_t sysex_aborted;  /* system exclusive ended by a status byte other than F7 */
	uint64_t sysex_too_long; /* system exclusive over the bound, dropped whole */
	uint64_t stray_end;      /* F7 without F0 */
};

struct bh_midi_parser {
	uint8_t status;   /* the message that is being collected; 0 = none */
	uint8_t running;  /* channel status that data bytes may repeat; 0 = none */
	uint8_t have;     /* data bytes collected */
	uint8_t implied;  /* bool: the message began without a status byte */
	uint8_t in_sysex; /* bool */
	uint8_t too_long; /* bool: the bound is passed, skipping to the end */
	uint8_t data[2];
	uint32_t sysex_len;
	uint8_t sysex[BH_MIDI_SYSEX_MAX];
	struct bh_midi_counters counters;
};

/* Forget the message in hand; counters included. All bytes zero is the same. */
void bh_midi_parser_init(struct bh_midi_parser *p);

/* Forget the message in hand and running status (the device was opened anew); keeps the counters. */
void bh_midi_parser_resync(struct bh_midi_parser *p);

/* Feed one byte. True if it completed a message, which is then in *out. */
bool bh_midi_parse(struct bh_midi_parser *p, uint8_t byte, struct bh_midi_msg *out);

/* Data bytes that follow a status byte: 0-2, or -1 for F0 and for what is undefined. */
int bh_midi_data_len(uint8_t status);

/*
 * The sending side. With use_running the status byte is left out where it repeats (DIN only: USB-MIDI
 * has no running status, and the kernel's coder expands it anyway).
 */
struct bh_midi_encoder {
	uint8_t use_running; /* bool */
	uint8_t running;     /* status sent last; 0 = none */
};

/* Bytes written to out, or -ENOSPC (nothing written), or -EINVAL for what is no MIDI message. */
int bh_midi_encode(struct bh_midi_encoder *e, const struct bh_midi_msg *msg, uint8_t *out,
		   size_t cap);
