/*
 * feedback.h - what the router and a surface process tell each other about controls
 *
 * The id of every event and cell is the control's index within its surface (compiled.h). All is normalised: nothing here
 * knows about MIDI, so the router does not, and a web page or a game pad takes the same feedback.
 *
 * surface to router (its outbox; stamp = when the bytes were read)
 *   FADER, PEDAL  BH_EV_VALUE     FLOAT  0..1, position of the hand
 *   FADER         BH_EV_TOUCH     BOOL   i = 1 touched, 0 released; cell flag BH_CELL_TOUCHED
 *   VPOT, JOG     BH_EV_RELATIVE  INT    i = ticks, clockwise is positive
 *   BUTTON        BH_EV_PRESS     BOOL   i = 1
 *   BUTTON        BH_EV_RELEASE   BOOL   i = 0
 *
 * router to surface (its outbox to that surface: the cell holds what the control shall show)
 *   FADER         BH_EV_VALUE     FLOAT  0..1, where the motor shall stand
 *   VPOT          BH_EV_VALUE     INT    bh_feedback_ring()
 *   BUTTON, LED   BH_EV_VALUE     INT    enum bh_light
 *   STRIP         BH_EV_VALUE     TEXT   bh_feedback_strip(): colour, upper and lower line
 *   DIGITS        BH_EV_VALUE     TEXT   shown aligned right; '.' lights the dot of the digit before it
 *   METER         BH_EV_METER     FLOAT  0..1 of the scale; above 1 = overload
 *   any           as above        NONE   nothing is bound: a light is off, a ring dark, a display blank; a fader stays
 *
 * A fader's VALUE says in `total` (the cell's `extra`) up to which generation of that control the router knew the hand: feedback
 * from before the last move under a touch is ignored, for after that move there will be another. Else a value that crossed
 * the move on its way would drive the fader back under the hand, or just after it.
 *
 * The surface drives a fader when the generation of its cell changes, never while it is touched. When the hand leaves a
 * fader, the surface sets the motor once: to feedback that came after the hand's last move, else to where the hand
 * left it. So the router need not echo a hand's value back, and may send a correction at any time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/compiled.h"

enum bh_light { BH_LIGHT_OFF, BH_LIGHT_ON, BH_LIGHT_FLASH };

/* Is feedback that knows the hand up to generation `seen` (0: it does not say) older than its move `moved` (0: none)? */
static inline bool
bh_feedback_is_older(uint32_t seen, uint32_t moved)
{
	return seen && moved && (int32_t)(moved - seen) > 0;
}

/* A V-Pot's ring. A dark one is 0. */
struct bh_ring_state {
	enum bh_ring_mode mode;
	double pos; /* 0..1; the device rounds it to its LEDs */
	bool lit;
	bool mark;  /* further LED, for instance "at the default value" */
};

static inline int64_t
bh_feedback_ring(const struct bh_ring_state *r)
{
	double pos = r->pos > 0 ? r->pos < 1 ? r->pos : 1 : 0;
	if (!r->lit)
		return r->mark ? 1 << 19 : 0;
	return (int64_t)(pos * 65535 + 0.5) | (int64_t)(r->mode & 3) << 16 | 1 << 18 |
	       (r->mark ? 1 << 19 : 0);
}

static inline struct bh_ring_state
bh_feedback_ring_open(int64_t i)
{
	return (struct bh_ring_state){
		.mode = (enum bh_ring_mode)(i >> 16 & 3),
		.pos = (double)(i & 0xffff) / 65535,
		.lit = i >> 18 & 1,
		.mark = i >> 19 & 1,
	};
}

/*
 * A scribble strip as one text of at most BH_TEXT_MAX bytes: the colour as a figure 0-7 (bit 0 red, 1 green, 2 blue; 0 =
 * the device's default), the upper line, '\n', the lower line. Each line is cut on a character's border at 30 bytes, and at
 * a line break. `out` has BH_TEXT_MAX + 1 bytes.
 */
void bh_feedback_strip(char *out, unsigned color, const char *upper, const char *lower);

struct bh_strip_state {
	uint8_t color;
	const char *line[2]; /* borrowed from the text; not terminated */
	size_t len[2];
};

/* Take a strip's text apart. A text in another form is all upper line, colour 0. */
void bh_feedback_strip_open(const char *text, struct bh_strip_state *s);
