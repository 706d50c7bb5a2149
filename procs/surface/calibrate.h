/*
 * calibrate - the travel of each fader: which position it reports at its ends, and how that becomes 0 to 1 and back
 *
 * In:    positions as the device reports them, while a person pushes each fader to its ends several times
 * Out:   the travel of each fader; a position as 0..1, and 0..1 as a position for the motor; all of it as a small text file
 * Fails: a fader that was not pushed to both ends often enough, or each time to another end, keeps the travel it had.
 *
 * Units of one model differ: some report 0 to 16380, some 12 to 15935. What lies within `snap` of an end is the end, so that a
 * hand at the stop always means exactly 0 or 1. Between them nothing is bent.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/midi/mcu.h"

enum {
	CALIBRATE_PASSES = 3,	   /* to each end */
	CALIBRATE_SPREAD = 256,	   /* ends that differ by more are not the same end */
	CALIBRATE_TRAVEL = 4096,   /* no fader has less */
	CALIBRATE_TEXT_MAX = 1024, /* bytes of a file */
};

/* Positions reported at the ends. All zero = not measured. */
struct travel {
	uint16_t min, max;
};

struct calibration {
	struct travel fader[BH_MCU_FADERS]; /* by address */
};

/* 0..1: exactly 0 and 1 at the ends, never decreasing. `snap` is cut so that something is left between the ends. */
double travel_unit(const struct travel *t, uint16_t snap, uint16_t pos_14bit);
/* The nearest position of the motor, in steps from the lower end; exactly the ends for 0 and 1, never beyond them. A NaN is 0. */
uint16_t travel_pos(const struct travel *t, uint16_t step, double unit);
bool travel_is_possible(const struct travel *t);

/*
 * One fader being measured. Zeroed = nothing was seen yet. A push to an end is over when the fader has left that half, or when the
 * hand lets go of it there; of each end the last pushes count, so a bad one is made good by further ones.
 */
struct measure_fader {
	uint8_t zone; /* where it is: 0 between, 1 at the top, 2 at the bottom */
	bool moved;
	bool began_here; /* it stood in this zone from the beginning: nobody has pushed it there */
	bool let_go;	 /* this push is counted already */
	uint16_t extreme; /* reached in this zone */
	uint16_t top[CALIBRATE_PASSES], bottom[CALIBRATE_PASSES]; /* of the last pushes, going round */
	uint32_t tops, bottoms;
};

struct measure {
	struct measure_fader fader[BH_MCU_FADERS];
};

void measure_move(struct measure *m, unsigned fader, uint16_t pos_14bit);
void measure_release(struct measure *m, unsigned fader);
/* Its travel: the end that every push has reached. False with what is wrong. */
bool measure_result(const struct measure_fader *f, struct travel *out, const char **why);

/* As a file. print: bytes written (< cap), or -ENOSPC. parse: 0, or -EINVAL: not one of ours; `c` is then as it was. */
int calibration_print(const struct calibration *c, const char *surface, char *text, size_t cap);
int calibration_parse(struct calibration *c, const char *text, size_t len);
