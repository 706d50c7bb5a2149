/*
 * model - what a pad's keys and axes mean: evdev codes to buttons and axes by name. Pure.
 *
 * Holds the state of the pad as the kernel has it. Frames end with SYN_REPORT; after each,
 * pad_held() and pad_position() say how the controls stand. Lost frames (SYN_DROPPED) leave us
 * without a state until it was read anew.
 *
 * Face buttons have the names printed on them: Nintendo's A is in the east, all others' in the
 * south; x and y have the same codes on both, since the kernel's driver for Xbox pads calls its X
 * "north".
 */
#pragma once

#include <linux/input.h>
#include <stdbool.h>
#include <stdint.h>

#include "procs/pad/axis.h"

/* The numbers are `addr` in a device file. */
enum pad_button {
	PAD_A,
	PAD_B,
	PAD_X,
	PAD_Y,
	PAD_LB,
	PAD_RB,
	PAD_LT,
	PAD_RT,
	PAD_L3,
	PAD_R3,
	PAD_PLUS,
	PAD_MINUS,
	PAD_HOME,
	PAD_CAPTURE,
	PAD_UP,
	PAD_DOWN,
	PAD_LEFT,
	PAD_RIGHT,
	PAD_BUTTONS,
};
enum pad_axis { PAD_LX, PAD_LY, PAD_RX, PAD_RY, PAD_ZL, PAD_ZR, PAD_AXES };

enum { PAD_NO_AXIS = 0xff };

struct pad_options {
	struct pad_bend bend;
	double trigger; /* lt and rt are pressed from here on, 0..1 */
	bool nintendo;  /* as the face buttons are printed */
	bool invert[PAD_AXES];
};

/* What the device has and how it stands, as the kernel's ioctls say. */
struct pad_state {
	uint8_t keys[KEY_CNT / 8];
	bool has[ABS_CNT];
	struct pad_range range[ABS_CNT];
	int32_t abs[ABS_CNT];
};

struct pad {
	struct pad_options opt;
	struct pad_state raw;
	uint8_t source[PAD_AXES]; /* the axis of the device, or PAD_NO_AXIS */
	bool pulled[2];           /* the triggers, as buttons */
	bool lost;                /* until the state was read anew */
};

enum pad_turn {
	PAD_MORE,  /* nothing to do yet */
	PAD_FRAME, /* a frame is complete */
	PAD_REREAD /* frames were lost and that is over: read the state anew, then it is as after a
		      frame */
};

/* A pad that has what `state` says (NULL: what most have, all at rest: for a source that can not be
 * asked). */
void pad_init(struct pad *p, const struct pad_options *opt, const struct pad_state *state);
void pad_set_state(struct pad *p, const struct pad_state *state);
/* Nobody touches it. */
void pad_rest(struct pad *p);
enum pad_turn pad_event(struct pad *p, const struct input_event *ev);

/* One bit for each enum pad_button. Triggers that count as pressed are remembered, so that one that
 * trembles at the point is one press. */
uint32_t pad_held(struct pad *p);
/* 0..1 of each enum pad_axis. */
void pad_position(const struct pad *p, double out[PAD_AXES]);
/* Where an axis rests: 0.5 of sticks, 0 of triggers; the other end if it is inverted. */
double pad_axis_rest(const struct pad *p, enum pad_axis axis);

/* Does it look like a game pad, and not like the motion sensors or the touch pad that many of them
 * bring along? */
bool pad_is_one(const uint8_t keys[KEY_CNT / 8], const uint8_t axes[ABS_CNT / 8]);
