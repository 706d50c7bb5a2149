/*
 * camera.h - the arithmetic of cameras: pan and zoom by scene item transforms, acceleration, velocity
 *
 * Pure; time is an argument. A camera is an item of a scene; panning moves it, zooming scales it about the centre of the canvas, so
 * that what is in the middle stays there. An item with bounds is zoomed by its bounds, else by its scale. Facts: obs-websocket
 * "SetSceneItemTransform" (alignment bits: 1 left, 2 right, 4 top, 8 bottom, 0 centre); behaviour as operators of the reference know it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct obs_transform;

#define OBS_SCALE_MIN 0.01
#define OBS_SCALE_MAX 10.0

/* Zoom by `factor` about the middle of a canvas; *t is changed, the factor that was possible within the limits comes back (a clamped zoom does not drift). */
double obs_camera_zoom(struct obs_transform *t, double factor, double canvas_width, double canvas_height);
/* Centre it: alignment kept, position such that its middle is the canvas's. */
void obs_camera_reset_position(struct obs_transform *t, double canvas_width, double canvas_height);
/* Bounds = canvas, or scale 1. */
void obs_camera_reset_zoom(struct obs_transform *t, double canvas_width, double canvas_height);
/* How large it is now, as a factor of "fills the canvas". */
double obs_camera_zoom_of(const struct obs_transform *t, double canvas_width, double canvas_height);

/* A deflection -1..1 of a stick to pixels (or factor) per second: sign * |v|^gamma * gain * step per 16 ms. */
double obs_camera_velocity(double deflection, double gamma, double gain, double step);
