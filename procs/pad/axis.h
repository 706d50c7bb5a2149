/*
 * axis - from what an axis reports to where its control stands. Pure.
 *
 *   range of the device -> -1..1 -> round dead zone, the rest stretched -> near the centre exactly
 * 0 -> gamma, once
 *   -> inversion -> 0..1 with 0.5 as the centre
 *
 * A trigger goes the same way from 0 to 1, and is exactly 0 when it is idle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAD_NEAR 0.05  /* nearer to the centre than this is the centre */
#define PAD_STEP 0.001 /* a change smaller than this is none; of -1..1 */

struct pad_range {
	int32_t min, max;
};

struct pad_bend {
	double deadzone; /* of the way from the centre to the end */
	double gamma;
};

/* -1..1; 0 for a range that is none. */
double pad_axis_unit(struct pad_range range, int32_t raw);
/* 0..1; 0 for a range that is none. */
double pad_trigger_unit(struct pad_range range, int32_t raw);

/* Both axes of a stick, -1..1, as they are pushed: in place. What is no number is the centre. */
void pad_stick_bend(const struct pad_bend *b, double *x, double *y);
/* A trigger, 0..1. */
double pad_trigger_bend(const struct pad_bend *b, double z);

/* -1..1 to a control's 0..1. The centre is exactly 0.5, the ends exactly 0 and 1. */
double pad_stick_position(double bent, bool inverted);
double pad_trigger_position(double bent, bool inverted);

/*
 * Is `pos` to be told, after `told` (NAN: nothing was)? Not if it is the same, nor if it is less
 * than a step of `span` (of -1..1: 0.5 of a control, of a trigger: 1) away, but for rest and ends,
 * which are always told.
 */
bool pad_axis_differs(double told, double pos, double rest, double span);
