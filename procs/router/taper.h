/*
 * taper.h - between the position of a control (0..1) and the value of a parameter
 *
 * Pure. LINEAR is what it says. FADER_DB is the scale printed beside a Mackie Control's faders: +10 dB at the top, 0 dB at
 * 12588 of 16383, -10 dB a little above the middle; the bottom is the parameter's minimum ("-inf"). What a parameter cannot reach
 * is clamped, so that the printed scale stays true: one that ends at 0 dB is at its maximum from the 0 dB mark on. LOG moves by
 * equal factors (of a range that begins at 0 or below: over three decades). STEPS stops at multiples of the step. OBS_DB is the fader
 * of OBS's mixer (OBS_FADER_LOG of libobs): 0 dB at the top, -96 dB at the bottom, below it the parameter's minimum; what is above
 * 0 dB stands at the top.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* One step of a 12-bit motor fader, the smallest movement worth an output. */
#define BH_TAPER_STEP (4.0 / 16383.0)

struct bh_taper_range {
	enum bh_taper taper;
	double min, max, step; /* step 0 = none */
};

/* Both accept anything: NaN and what lies outside are clamped. An empty range gives its minimum, and position 0. */
double bh_taper_value(const struct bh_taper_range *r, double position);
double bh_taper_position(const struct bh_taper_range *r, double value);

/* Would a motor fader stand at the same place for both? */
bool bh_taper_same(double position_a, double position_b);
