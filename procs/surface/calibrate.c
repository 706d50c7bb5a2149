/* calibrate - see calibrate.h */
#include "procs/surface/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BETWEEN, AT_TOP, AT_BOTTOM };
enum { MIDDLE = 0x2000, TOP_FROM = 0x3000, BOTTOM_TO = 0x1000 };

/* ---- positions ------------------------------------------------------------------------------- */

bool
travel_is_possible(const struct travel *t)
{
	return t->max <= BH_MCU_POS_MAX && t->max > t->min && t->max - t->min >= CALIBRATE_TRAVEL;
}

double
travel_unit(const struct travel *t, uint16_t snap, uint16_t pos)
{
	int range = t->max - t->min, near = snap;
	if (range <= 0)
		return 0;
	if (near > range / 4)
		near = range / 4;
	if (pos <= t->min + near)
		return 0;
	if (pos >= t->max - near)
		return 1;
	return (double)(pos - t->min) / range;
}

uint16_t
travel_pos(const struct travel *t, uint16_t step, double unit)
{
	int range = t->max - t->min;
	double by = step ? step : 1;
	if (!(unit > 0) || range <= 0)
		return t->min;
	if (unit >= 1)
		return t->max;
	double pos = t->min + rint(unit * range / by) * by;
	return pos < t->max ? (uint16_t)pos : t->max;
}

/* ---- measuring ------------------------------------------------------------------------------- */

/* Where the push that lasts, or was counted last, is kept. */
static uint16_t *
place(struct measure_fader *f, bool last)
{
	uint32_t top = f->tops - last, bottom = f->bottoms - last;
	return f->zone == AT_TOP ? &f->top[top % CALIBRATE_PASSES] : &f->bottom[bottom % CALIBRATE_PASSES];
}

/* The push that lasts counts now. */
static void
count(struct measure_fader *f)
{
	if (f->zone == BETWEEN || f->began_here || f->let_go)
		return;
	*place(f, false) = f->extreme;
	if (f->zone == AT_TOP)
		f->tops++;
	else
		f->bottoms++;
}

static void
enter(struct measure_fader *f, uint16_t pos)
{
	f->zone = pos >= TOP_FROM ? AT_TOP : AT_BOTTOM;
	f->extreme = pos;
	f->let_go = false;
}

static void
further(struct measure_fader *f, uint16_t pos)
{
	f->extreme = pos;
	if (f->let_go) /* only its touch was lost for a moment */
		*place(f, true) = pos;
}

void
measure_move(struct measure *m, unsigned fader, uint16_t pos)
{
	if (fader >= BH_MCU_FADERS || pos > BH_MCU_POS_MAX)
		return;
	struct measure_fader *f = &m->fader[fader];
	bool at_end = pos >= TOP_FROM || pos <= BOTTOM_TO;
	if ((f->zone == AT_TOP && pos < MIDDLE) || (f->zone == AT_BOTTOM && pos > MIDDLE)) {
		count(f);
		f->zone = BETWEEN;
		f->began_here = false;
	}
	if (f->began_here && !at_end) { /* back there it will have been pushed */
		f->zone = BETWEEN;
		f->began_here = false;
	}
	if (f->zone == BETWEEN && at_end) {
		f->began_here = !f->moved;
		enter(f, pos);
	} else if ((f->zone == AT_TOP && pos > f->extreme) || (f->zone == AT_BOTTOM && pos < f->extreme)) {
		further(f, pos);
	}
	f->moved = true;
}

void
measure_release(struct measure *m, unsigned fader)
{
	if (fader >= BH_MCU_FADERS)
		return;
	struct measure_fader *f = &m->fader[fader];
	count(f);
	f->let_go |= f->zone != BETWEEN && !f->began_here;
}

bool
measure_result(const struct measure_fader *f, struct travel *out, const char **why)
{
	uint16_t top_low = UINT16_MAX, top_high = 0, bottom_low = UINT16_MAX, bottom_high = 0;
	for (unsigned i = 0; i < CALIBRATE_PASSES; i++) {
		top_low = f->top[i] < top_low ? f->top[i] : top_low;
		top_high = f->top[i] > top_high ? f->top[i] : top_high;
		bottom_low = f->bottom[i] < bottom_low ? f->bottom[i] : bottom_low;
		bottom_high = f->bottom[i] > bottom_high ? f->bottom[i] : bottom_high;
	}
	*why = "";
	if (f->tops < CALIBRATE_PASSES || f->bottoms < CALIBRATE_PASSES)
		*why = f->moved ? "not pushed to both ends often enough" : "not moved";
	else if (top_high - top_low > CALIBRATE_SPREAD || bottom_high - bottom_low > CALIBRATE_SPREAD)
		*why = "not pushed to the same ends each time";
	*out = (struct travel){.min = bottom_high, .max = top_low};
	return **why == '\0';
}

/* ---- the file -------------------------------------------------------------------------------- */

static const char first_words[] = "# bulkhead calibration 1";

int
calibration_print(const struct calibration *c, const char *surface, char *text, size_t cap)
{
	int n = snprintf(text, cap, "%s\n# of %s, by `bulkhead calibrate`: fader (from 0), positions at bottom and top\n", first_words, surface);
	for (unsigned i = 0; i < BH_MCU_FADERS && n >= 0 && (size_t)n < cap; i++)
		if (c->fader[i].max)
			n += snprintf(text + n, cap - (size_t)n, "%u %u %u\n", i, c->fader[i].min, c->fader[i].max);
	return n < 0 || (size_t)n >= cap ? -ENOSPC : n;
}

static bool
take_line(struct calibration *c, const char *line)
{
	unsigned fader, min, max;
	int n = 0;
	if (sscanf(line, "%2u %5u %5u%n", &fader, &min, &max, &n) != 3 || line[n] || fader >= BH_MCU_FADERS || max > BH_MCU_POS_MAX ||
	    min > max)
		return false;
	c->fader[fader] = (struct travel){.min = (uint16_t)min, .max = (uint16_t)max};
	return travel_is_possible(&c->fader[fader]);
}

int
calibration_parse(struct calibration *c, const char *text, size_t len)
{
	struct calibration got = {0};
	char copy[CALIBRATE_TEXT_MAX], *rest = copy, *line;
	if (len >= sizeof(copy) || memchr(text, 0, len) || len < sizeof(first_words) ||
	    memcmp(text, first_words, sizeof(first_words) - 1) != 0 || text[len - 1] != '\n')
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line && *line != '#' && !take_line(&got, line))
			return -EINVAL;
	*c = got;
	return 0;
}
