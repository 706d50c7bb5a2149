/* taper.c - see taper.h */
#include "procs/router/taper.h"

#include <math.h>
#include <stddef.h>

#define ZERO_DB_POS (12588.0 / 16383.0)

/* The scale of an MCU fader, from the top; linear in dB between the marks. Below the last one it falls to the minimum. */
static const struct {
	double db, pos;
} taper_marks[] = {
	{10, 1}, {0, ZERO_DB_POS}, {-10, 0.545}, {-20, 0.37}, {-30, 0.24}, {-40, 0.15}, {-60, 0.05},
};
#define TAPER_MARKS (sizeof(taper_marks) / sizeof(taper_marks[0]))

static double
clamp(double x, double lo, double hi)
{
	return x > lo ? x < hi ? x : hi : lo; /* NaN -> lo */
}

static double
between(double x, double x0, double x1, double y0, double y1)
{
	return x1 == x0 ? y0 : y0 + (x - x0) / (x1 - x0) * (y1 - y0);
}

static double
db_value(const struct bh_taper_range *r, double pos)
{
	size_t last = TAPER_MARKS - 1;
	if (pos <= 0)
		return r->min;
	for (size_t k = 0; k < last; k++)
		if (pos >= taper_marks[k + 1].pos)
			return clamp(between(pos, taper_marks[k].pos, taper_marks[k + 1].pos, taper_marks[k].db,
					     taper_marks[k + 1].db),
				     r->min, r->max);
	double bottom = r->min < taper_marks[last].db ? r->min : taper_marks[last].db;
	return clamp(between(pos, taper_marks[last].pos, 0, taper_marks[last].db, bottom), r->min, r->max);
}

static double
db_position(const struct bh_taper_range *r, double value)
{
	size_t last = TAPER_MARKS - 1;
	if (value <= r->min)
		return 0;
	if (value >= taper_marks[0].db)
		return 1;
	for (size_t k = 0; k < last; k++)
		if (value >= taper_marks[k + 1].db)
			return between(value, taper_marks[k].db, taper_marks[k + 1].db, taper_marks[k].pos,
				       taper_marks[k + 1].pos);
	return clamp(between(value, taper_marks[last].db, r->min, taper_marks[last].pos, 0), 0, 1);
}

/* A range that begins at 0 has no logarithm: it is spread over three decades instead. */
#define LOG_DECADES 1000.0

static double
log_value(const struct bh_taper_range *r, double pos)
{
	if (r->min > 0)
		return r->min * pow(r->max / r->min, pos);
	return r->min + (r->max - r->min) * (pow(LOG_DECADES, pos) - 1) / (LOG_DECADES - 1);
}

static double
log_position(const struct bh_taper_range *r, double value)
{
	if (r->min > 0)
		return log(value / r->min) / log(r->max / r->min);
	return log((value - r->min) / (r->max - r->min) * (LOG_DECADES - 1) + 1) / log(LOG_DECADES);
}

/* libobs, obs-audio-controls.c: log_def_to_db(), log_db_to_def(). */
#define OBS_RANGE_DB 96.0
#define OBS_OFFSET_DB 6.0
#define OBS_SPAN_DB (OBS_RANGE_DB + OBS_OFFSET_DB)

static double
obs_value(const struct bh_taper_range *r, double pos)
{
	double db = pos >= 1 ? 0 : OBS_OFFSET_DB - OBS_SPAN_DB * pow(OBS_SPAN_DB / OBS_OFFSET_DB, -pos);
	return clamp(db, r->min, r->max);
}

static double
obs_position(const struct bh_taper_range *r, double db)
{
	if (db >= 0)
		return 1;
	if (db <= r->min || db <= -OBS_RANGE_DB)
		return 0;
	return clamp(log(OBS_SPAN_DB / (OBS_OFFSET_DB - db)) / log(OBS_SPAN_DB / OBS_OFFSET_DB), 0, 1);
}

static double
steps_value(const struct bh_taper_range *r, double value)
{
	return r->step > 0 ? clamp(r->min + round((value - r->min) / r->step) * r->step, r->min, r->max) : value;
}

double
bh_taper_value(const struct bh_taper_range *r, double position)
{
	double pos = clamp(position, 0, 1);
	if (!(r->max > r->min))
		return r->min;
	if (pos == 0)
		return r->min;
	switch (r->taper) {
	case BH_TAPER_FADER_DB: return db_value(r, pos);
	case BH_TAPER_LOG: return pos == 1 ? r->max : clamp(log_value(r, pos), r->min, r->max);
	case BH_TAPER_STEPS: return steps_value(r, between(pos, 0, 1, r->min, r->max));
	case BH_TAPER_OBS_DB: return obs_value(r, pos);
	case BH_TAPER_LINEAR:
	case BH_TAPER_COUNT: break;
	}
	return pos == 1 ? r->max : between(pos, 0, 1, r->min, r->max);
}

double
bh_taper_position(const struct bh_taper_range *r, double value)
{
	if (!(r->max > r->min))
		return 0;
	double v = clamp(value, r->min, r->max);
	switch (r->taper) {
	case BH_TAPER_FADER_DB: return db_position(r, v);
	case BH_TAPER_LOG: return clamp(log_position(r, v), 0, 1);
	case BH_TAPER_STEPS: v = steps_value(r, v); break;
	case BH_TAPER_OBS_DB: return obs_position(r, v);
	case BH_TAPER_LINEAR:
	case BH_TAPER_COUNT: break;
	}
	return between(v, r->min, r->max, 0, 1);
}

bool
bh_taper_same(double position_a, double position_b)
{
	return fabs(position_a - position_b) < BH_TAPER_STEP * 0.999;
}
