/*
 * camera.h - the arithmetic of cameras: pan and zoom by scene item transforms, velocity
 *
 * Pure; time is an argument. A camera is an item of a scene; panning moves it, zooming scales it about the centre of the canvas, so
 * that what is in the middle stays there. An item with bounds is zoomed by its bounds, else by its scale. Facts: obs-websocket
 * "SetSceneItemTransform" (alignment bits: 1 left, 2 right, 4 top, 8 bottom, 0 centre; positions and sizes up to 90000 pixels either side, bounds
 * of 1 pixel at least); behaviour as operators of the reference know it.
 *
 * Position is where the anchor (the alignment's point of the item) is on the canvas, and the item turns about it. So a zoom by f about a
 * point c is position' = c + f (position - c) with the size times f, whatever the alignment and the rotation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct obs_transform;

#define OBS_SCALE_MIN 0.01
#define OBS_SCALE_MAX 10.0
#define OBS_POSITION_MAX 90000.0
#define OBS_BOUNDS_MIN 1.0

/* Zoom by `factor` about the middle of a canvas; *t is changed, the factor that was possible within the limits comes back (a clamped zoom does not drift).
 * An item with bounds keeps to 1..1000 % of the canvas, without to scales of 1..1000 %. What is outside of the limits may come back, not go further. */
double obs_camera_zoom(struct obs_transform *t, double factor, double canvas_width, double canvas_height);
/* Move it by pixels, within what OBS takes. What is no number is no move. */
void obs_camera_pan(struct obs_transform *t, double x, double y);
/* Centre it: alignment and rotation kept, position such that its middle is the canvas's. */
void obs_camera_reset_position(struct obs_transform *t, double canvas_width, double canvas_height);
/* Bounds = canvas, or scale 1 (mirrored stays mirrored); what is in the middle of the canvas stays there. */
void obs_camera_reset_zoom(struct obs_transform *t, double canvas_width, double canvas_height);
/* How large it is now, as a factor of "as large as fits into the canvas"; its scale if its source has no size yet. */
double obs_camera_zoom_of(const struct obs_transform *t, double canvas_width, double canvas_height);
/* Is it zoomed by its bounds? */
bool obs_camera_has_bounds(const struct obs_transform *t);

/* A deflection -1..1 of a stick to pixels (or parts of a zoom) per second: sign * |v|^gamma * gain * step per 16 ms. */
double obs_camera_velocity(double deflection, double gamma, double gain, double step);
/* The factor of a zoom that runs with `velocity` for so long: there and back is exactly where it was. */
double obs_camera_zoom_during(double velocity, double seconds);
