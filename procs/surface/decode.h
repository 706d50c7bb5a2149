/*
 * decode - messages of the device as events of controls
 *
 * In:    MIDI messages
 * Out:   struct surface_event: which control, and what happened to it; or something the device says about itself
 * Fails: a message that belongs to no control of this panel gives false; the caller counts it.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/compiled.h"
#include "common/midi/mcu.h"
#include "procs/surface/calibrate.h"

enum surface_event_kind {
	SURFACE_MOVE,	  /* fader: pos_14bit, unit */
	SURFACE_TOUCH,	  /* fader: on */
	SURFACE_TURN,	  /* V-Pot, jog: ticks */
	SURFACE_BUTTON,	  /* on = pressed */
	SURFACE_PEDAL,	  /* unit */
	SURFACE_ANNOUNCE, /* the device says who it is (device): an answer, or it was switched on */
	SURFACE_VERSION,  /* device.version */
};

struct surface_event {
	enum surface_event_kind kind;
	unsigned control;
	bool on;
	uint16_t pos_14bit;
	double unit; /* 0..1 */
	int ticks;
	struct bh_mcu_event device;
};

#define DECODE_NONE 0xffffu

struct decode {
	struct bh_mcu_opts opts;
	struct calibration travel; /* of every fader */
	uint16_t snap;
	bool invert_vpots;
	uint16_t by_note[128]; /* control of a button, or DECODE_NONE */
	uint16_t by_touch[128];
	uint16_t by_bend[16];
	uint16_t by_cc[128];
	uint8_t kind[BH_MAX_CONTROLS];
};

struct decode_options {
	uint16_t fader_min, fader_max; /* what the device reports at the ends */
	uint16_t fader_snap;	       /* what is so near to an end is the end */
	const struct calibration *measured; /* goes before the two; may be NULL (borrowed for the call) */
	bool invert_vpots, zero_is_a_tick;
};

/* Addresses that no MIDI message has are left out. */
void decode_init(struct decode *d, const struct bh_cfg_control *controls, unsigned n, const struct decode_options *o);

bool decode_message(const struct decode *d, const struct bh_midi_msg *msg, struct surface_event *ev);
