/* axis - see axis.h */
#include "procs/pad/axis.h"

#include <math.h>

double
pad_trigger_unit(struct pad_range range, int32_t raw)
{
	double span = (double)range.max - range.min;
	if (span <= 0)
		return 0;
	if (raw <= range.min)
		return 0;
	return raw >= range.max ? 1 : ((double)raw - range.min) / span;
}

double
pad_axis_unit(struct pad_range range, int32_t raw)
{
	return range.max > range.min ? pad_trigger_unit(range, raw) * 2 - 1 : 0;
}

static double
clamp_unit(double v)
{
	/* The end is the end, whatever a division makes of it. */
	return v > 1 - 1e-9 ? 1 : v < -1 + 1e-9 ? -1 : v;
}

static double
gamma_once(const struct pad_bend *b, double v)
{
	return fabs(v) < PAD_NEAR ? 0 : copysign(pow(fabs(v), b->gamma), v);
}

void
pad_stick_bend(const struct pad_bend *b, double *x, double *y)
{
	double far = hypot(*x, *y);
	if (!isfinite(far) || far <= b->deadzone || far <= 0) {
		*x = *y = 0;
		return;
	}
	double stretch = (far - b->deadzone) / (1 - b->deadzone) / far;
	*x = gamma_once(b, clamp_unit(*x * stretch));
	*y = gamma_once(b, clamp_unit(*y * stretch));
}

double
pad_trigger_bend(const struct pad_bend *b, double z)
{
	if (!isfinite(z) || z <= b->deadzone)
		return 0;
	return gamma_once(b, clamp_unit((z - b->deadzone) / (1 - b->deadzone)));
}

double
pad_stick_position(double bent, bool inverted)
{
	return ((inverted ? -bent : bent) + 1) / 2;
}

double
pad_trigger_position(double bent, bool inverted)
{
	return inverted ? 1 - bent : bent;
}

bool
pad_axis_differs(double told, double pos, double rest, double span)
{
	if (told == pos)
		return false;
	if (isnan(told) || pos == rest || pos == 0 || pos == 1)
		return true;
	return fabs(told - pos) >= PAD_STEP * span;
}
