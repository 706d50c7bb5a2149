/* camera.c - see camera.h */
#include "procs/obs/camera.h"

#include <math.h>
#include <string.h>

#include "procs/obs/model.h"

#define TICKS_PER_S (1000.0 / 16) /* steps are told per 16 ms, as in the reference */

enum { LEFT = 1, RIGHT = 2, TOP = 4, BOTTOM = 8 };

struct vec {
	double x, y;
};

static struct vec
turn(struct vec v, double degrees)
{
	double a = degrees * M_PI / 180, c = cos(a), s = sin(a);

	return (struct vec){v.x * c - v.y * s, v.x * s + v.y * c};
}

static double
clamp(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

bool
obs_camera_has_bounds(const struct obs_transform *t)
{
	return t->bounds_type[0] != '\0' && strcmp(t->bounds_type, "OBS_BOUNDS_NONE") != 0 && t->bounds_width > 0 && t->bounds_height > 0;
}

/* Of the box that the alignment is about, with the sign of a mirrored item. */
static struct vec
size_of(const struct obs_transform *t)
{
	if (obs_camera_has_bounds(t))
		return (struct vec){t->bounds_width, t->bounds_height};
	return (struct vec){t->scale_x * fmax(0, t->source_width - (double)t->crop_left - (double)t->crop_right),
			    t->scale_y * fmax(0, t->source_height - (double)t->crop_top - (double)t->crop_bottom)};
}

/* How far a value may grow (factor > 1) or shrink; one that is outside of its limits already may only come back. */
static double
limit(double factor, double value, double min, double max)
{
	value = fabs(value);
	if (factor > 1)
		return value > 0 ? fmin(factor, fmax(1, max / value)) : 1;
	return value > 0 ? fmax(factor, fmin(1, min / value)) : 1;
}

/* A position that is thrown beyond what OBS takes would be cut there, and the picture would drift. */
static double
limit_position(double factor, double pos, double centre)
{
	double way = fabs(pos - centre);

	return factor > 1 && way * factor > OBS_POSITION_MAX - centre ? fmax(1, (OBS_POSITION_MAX - centre) / way) : factor;
}

static void
grow(struct obs_transform *t, double x, double y, double canvas_width, double canvas_height)
{
	struct vec c = {canvas_width / 2, canvas_height / 2};
	struct vec d = turn((struct vec){t->x - c.x, t->y - c.y}, x == y ? 0 : -t->rotation);

	d = turn((struct vec){d.x * x, d.y * y}, x == y ? 0 : t->rotation);
	if (obs_camera_has_bounds(t)) {
		t->bounds_width *= x;
		t->bounds_height *= y;
	} else {
		t->scale_x *= x;
		t->scale_y *= y;
	}
	t->width *= x;
	t->height *= y;
	t->x = clamp(c.x + d.x, -OBS_POSITION_MAX, OBS_POSITION_MAX);
	t->y = clamp(c.y + d.y, -OBS_POSITION_MAX, OBS_POSITION_MAX);
}

double
obs_camera_zoom(struct obs_transform *t, double factor, double canvas_width, double canvas_height)
{
	if (!isfinite(factor) || factor <= 0)
		return 1;
	if (obs_camera_has_bounds(t)) {
		factor = limit(factor, t->bounds_width, fmax(OBS_BOUNDS_MIN, canvas_width * OBS_SCALE_MIN),
			       canvas_width > 0 ? canvas_width * OBS_SCALE_MAX : OBS_POSITION_MAX);
		factor = limit(factor, t->bounds_height, fmax(OBS_BOUNDS_MIN, canvas_height * OBS_SCALE_MIN),
			       canvas_height > 0 ? canvas_height * OBS_SCALE_MAX : OBS_POSITION_MAX);
	} else {
		factor = limit(factor, t->scale_x, OBS_SCALE_MIN, OBS_SCALE_MAX);
		factor = limit(factor, t->scale_y, OBS_SCALE_MIN, OBS_SCALE_MAX);
	}
	factor = limit_position(factor, t->x, canvas_width / 2);
	factor = limit_position(factor, t->y, canvas_height / 2);
	if (factor != 1)
		grow(t, factor, factor, canvas_width, canvas_height);
	return factor;
}

void
obs_camera_pan(struct obs_transform *t, double x, double y)
{
	if (isfinite(x))
		t->x = clamp(t->x + x, -OBS_POSITION_MAX, OBS_POSITION_MAX);
	if (isfinite(y))
		t->y = clamp(t->y + y, -OBS_POSITION_MAX, OBS_POSITION_MAX);
}

void
obs_camera_reset_position(struct obs_transform *t, double canvas_width, double canvas_height)
{
	struct vec size = size_of(t);
	double anchor_x = t->alignment & LEFT ? 0 : t->alignment & RIGHT ? 1 : 0.5;
	double anchor_y = t->alignment & TOP ? 0 : t->alignment & BOTTOM ? 1 : 0.5;
	struct vec to_middle = turn((struct vec){(0.5 - anchor_x) * size.x, (0.5 - anchor_y) * size.y}, t->rotation);

	t->x = canvas_width / 2 - to_middle.x;
	t->y = canvas_height / 2 - to_middle.y;
}

void
obs_camera_reset_zoom(struct obs_transform *t, double canvas_width, double canvas_height)
{
	bool by_bounds = obs_camera_has_bounds(t);
	double w = by_bounds ? canvas_width : copysign(1, t->scale_x), h = by_bounds ? canvas_height : copysign(1, t->scale_y);
	double now_w = by_bounds ? t->bounds_width : t->scale_x, now_h = by_bounds ? t->bounds_height : t->scale_y;

	if (w == 0 || h == 0)
		return; /* the canvas is not known yet */
	if (now_w != 0 && now_h != 0)
		grow(t, w / now_w, h / now_h, canvas_width, canvas_height);
	*(by_bounds ? &t->bounds_width : &t->scale_x) = w;
	*(by_bounds ? &t->bounds_height : &t->scale_y) = h;
}

double
obs_camera_zoom_of(const struct obs_transform *t, double canvas_width, double canvas_height)
{
	struct vec size = size_of(t);

	if (canvas_width <= 0 || canvas_height <= 0 || size.x == 0 || size.y == 0)
		return fmax(fabs(t->scale_x), fabs(t->scale_y));
	return fmax(fabs(size.x) / canvas_width, fabs(size.y) / canvas_height);
}

double
obs_camera_velocity(double deflection, double gamma, double gain, double step)
{
	if (!isfinite(deflection) || deflection == 0)
		return 0;
	deflection = clamp(deflection, -1, 1);
	return copysign(pow(fabs(deflection), gamma), deflection) * gain * step * TICKS_PER_S;
}

double
obs_camera_zoom_during(double velocity, double seconds)
{
	return exp(velocity * seconds);
}
