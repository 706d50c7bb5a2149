/*
 * usbmidi - MIDI bytes to USB MIDI event packets and back, for the device side of the double
 *
 * USB MIDI 1.0, section 4: four bytes, cable << 4 | code index, then up to three MIDI bytes.
 * Running status is spelled out, realtime may stand inside a sysex. A status byte that cuts a sysex
 * short ends it unsent; data bytes without a status are dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero is a good start. */
struct usbmidi_packer {
	uint8_t status;  /* running; 0xf0 inside a sysex */
	uint8_t data[3]; /* of the message so far, status included for system common */
	uint8_t have;
};

/* Takes one byte; true when it has filled pkt[4]. */
bool usbmidi_pack(struct usbmidi_packer *p, unsigned cable, uint8_t byte, uint8_t pkt[4]);

/* The MIDI bytes of a packet; how many (0 for what is reserved). */
size_t usbmidi_unpack(const uint8_t pkt[4], uint8_t bytes[3]);

/* Zero is a good start. Collects the packets of one sysex into one line. */
struct usbmidi_text {
	char line[4096];
	size_t len;
	bool in_sysex;
};

/* Adds a packet; " 90 10 7f" when a message is complete (borrowed until the next call), else NULL.
 */
const char *usbmidi_text_add(struct usbmidi_text *t, const uint8_t pkt[4]);
