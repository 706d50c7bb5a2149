/*
 * ptz.c - cameras and PTZ targets as parameters: position, zoom, and sticks whose deflection is a speed
 *
 * A stick that is out of its centre moves its camera every 16 ms until it is told otherwise. It stops by itself when OBS goes away,
 * when OBS refuses three times in a row, and when nothing new was told for 10 s: a hand is never that still, so whatever held it has died.
 * Several sticks on one camera add up.
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TICK_NS	  16000000ull
#define LATE_NS	  100000000ull /* after a standstill of ours the picture does not jump */
#define STILL_NS  (10ull * 1000 * 1000 * 1000)
#define PAN_GAIN  15.0
#define ZOOM_GAIN 3.0
#define GAMMA	  1.0 /* a pad bends its sticks itself, once */

/* ------------------------------------------------------------------ values */

static int refuse(struct obs_model *m, uint32_t object, enum obs_kind k, int err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int
refuse(struct obs_model *m, uint32_t object, enum obs_kind k, int err, const char *fmt, ...)
{
	struct obs_ask ask = {.req = OBS_REQ_SET_ITEM_TRANSFORM, .lane = OBS_LANE_VALUE, .is_value = true, .param = obs_param(m, object, k)};
	char text[240];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	obs_fail(m, &ask, "%s", text);
	return -err;
}

/* NULL: refused. */
static struct obs_camera *
movable(struct obs_model *m, uint32_t camera, uint32_t object, enum obs_kind k, int *err)
{
	struct obs_camera *c = camera < m->cameras->cameras ? &m->cameras->camera[camera] : NULL;

	if (!c)
		*err = refuse(m, object, k, ENOENT, "there is no camera");
	else if (!c->cfg->ptz)
		*err = refuse(m, object, k, EPERM, "camera \"%s\" is not to be moved (ptz: no)", c->cfg->id);
	else if (!m->connected || m->frozen)
		*err = refuse(m, object, k, ENOTCONN, m->connected ? "OBS is changing its scene collection" : "OBS is not connected");
	else if (obs_camera_item(m, c) == OBS_NONE)
		*err = refuse(m, object, k, ENOENT, "no source \"%s\" in scene \"%s\" of OBS", c->cfg->source, c->cfg->scene);
	else
		return c;
	return NULL;
}

static void
set_axis(struct obs_model *m, struct obs_camera *c, enum obs_axis axis, double v)
{
	obs_aim_at(m, &c->aim, obs_camera_item(m, c));
	if (obs_aim_is_known(m, &c->aim, c)) {
		obs_aim_move_to(m, &c->aim, axis, v);
		obs_aim_send(m, c);
		return;
	}
	c->aim.later |= OBS_AXIS_BIT(axis);
	c->aim.later_to[axis] = v;
}

static bool
is_centred(const struct obs_stick *s)
{
	return s->at[OBS_AXIS_X] == 0 && s->at[OBS_AXIS_Y] == 0 && s->at[OBS_AXIS_ZOOM] == 0;
}

static void
deflect(struct obs_model *m, struct obs_stick *s, uint32_t object, enum obs_kind first, enum obs_axis axis, double v)
{
	v = isfinite(v) ? fmax(-1, fmin(1, v)) : 0;
	s->at[axis] = v;
	s->told_ns[axis] = m->now_ns;
	if (v != 0 && !m->cameras->moved_ns)
		m->cameras->moved_ns = m->now_ns;
	obs_tell(m, object, (enum obs_kind)(first + (int)axis), bh_float(v));
}

static int
set_stick(struct obs_model *m, struct obs_stick *s, uint32_t camera, uint32_t object, enum obs_kind first, enum obs_kind k, double v)
{
	int err = 0;

	/* The centre is always taken: whatever it moved stands still. */
	if (v != 0 && !movable(m, camera, object, k, &err)) {
		deflect(m, s, object, first, (enum obs_axis)(k - first), 0);
		return err;
	}
	deflect(m, s, object, first, (enum obs_axis)(k - first), v);
	return 0;
}

static int
set_ptz(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v)
{
	struct obs_ptz *p = NULL;
	struct obs_camera *c;
	int err = 0;

	for (uint32_t i = 0; i < m->cameras->ptzs; i++)
		if (m->cameras->ptz[i].object == object)
			p = &m->cameras->ptz[i];
	if (!p)
		return -ENOENT;
	if (k == OBS_K_PTZ_MODIFIER) {
		p->modifier = v->i != 0;
		obs_tell(m, object, k, bh_bool(p->modifier));
		return 0;
	}
	if (k == OBS_K_PTZ_CAMERA) {
		if (v->i < 0 || v->i >= m->cameras->cameras)
			return -ERANGE;
		obs_ptz_turn_to(m, p, (uint32_t)v->i);
		return 0;
	}
	if (k >= OBS_K_PTZ_MOVE_X)
		return set_stick(m, &p->stick, p->camera, object, OBS_K_PTZ_MOVE_X, k, v->f);
	if ((c = movable(m, p->camera, object, k, &err)))
		set_axis(m, c, (enum obs_axis)(k - OBS_K_PTZ_X), v->f);
	return err;
}

int
obs_cameras_set(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v)
{
	struct obs_camera *c;
	uint32_t camera;
	int err = 0;

	if (k >= OBS_K_PTZ_CAMERA && k <= OBS_K_PTZ_MOVE_ZOOM)
		return set_ptz(m, object, k, v);
	c = obs_camera_of(m, object);
	if (!c || k < OBS_K_CAMERA_X || k > OBS_K_CAMERA_MOVE_ZOOM)
		return -ENOENT;
	camera = (uint32_t)(c - m->cameras->camera);
	if (k >= OBS_K_CAMERA_MOVE_X)
		return set_stick(m, &c->stick, camera, object, OBS_K_CAMERA_MOVE_X, k, v->f);
	if (movable(m, camera, object, k, &err))
		set_axis(m, c, (enum obs_axis)(k - OBS_K_CAMERA_X), v->f);
	return err;
}

/* ------------------------------------------------------------------ sticks */

static void
centre(struct obs_model *m, struct obs_stick *s, uint32_t object, enum obs_kind first)
{
	for (int axis = 0; axis < OBS_AXES; axis++)
		if (s->at[axis] != 0) {
			s->at[axis] = 0;
			obs_tell(m, object, (enum obs_kind)(first + axis), bh_float(0));
		}
}

void
obs_sticks_stop(struct obs_model *m, uint32_t camera, const char *why)
{
	struct obs_cameras *all = m->cameras;
	bool stopped = false;

	for (uint32_t i = 0; i < all->cameras; i++)
		if ((camera == OBS_NONE || camera == i) && !is_centred(&all->camera[i].stick)) {
			centre(m, &all->camera[i].stick, all->camera[i].object, OBS_K_CAMERA_MOVE_X);
			stopped = true;
		}
	for (uint32_t i = 0; i < all->ptzs; i++)
		if ((camera == OBS_NONE || camera == all->ptz[i].camera) && !is_centred(&all->ptz[i].stick)) {
			centre(m, &all->ptz[i].stick, all->ptz[i].object, OBS_K_PTZ_MOVE_X);
			stopped = true;
		}
	if (stopped && why)
		obs_note(m, "camera %s: its move has been stopped: %s", camera == OBS_NONE ? "" : all->camera[camera].cfg->id, why);
}

void
obs_cameras_lost(struct obs_model *m)
{
	obs_sticks_stop(m, OBS_NONE, NULL);
	m->cameras->moved_ns = 0;
	m->cameras->stale_on_air = false;
	for (uint32_t i = 0; i < m->cameras->cameras; i++) {
		m->cameras->camera[i].aim.live = false;
		m->cameras->camera[i].aim.dirty = m->cameras->camera[i].aim.later = 0;
		m->cameras->camera[i].aim.read_ns = 0;
	}
	for (uint32_t i = 0; i < OBS_OTHER_AIMS; i++)
		m->cameras->other[i] = (struct obs_aim){.item = OBS_NONE};
}

/* What has not been told anew for so long is let go. */
static void
let_go(struct obs_model *m, struct obs_stick *s, uint32_t object, enum obs_kind first)
{
	for (int axis = 0; axis < OBS_AXES; axis++)
		if (s->at[axis] != 0 && m->now_ns - s->told_ns[axis] > STILL_NS) {
			s->at[axis] = 0;
			obs_tell(m, object, (enum obs_kind)(first + axis), bh_float(0));
			obs_note(m, "%s: a move has been stopped: nothing new was told for 10 s", m->object[object].name);
		}
}

static void
add_stick(const struct obs_stick *s, double pan_gain, double zoom_gain, double gamma, double v[OBS_AXES])
{
	v[OBS_AXIS_X] += obs_camera_velocity(s->at[OBS_AXIS_X], gamma, pan_gain, OBS_PAN_STEP);
	v[OBS_AXIS_Y] += obs_camera_velocity(s->at[OBS_AXIS_Y], gamma, pan_gain, OBS_PAN_STEP);
	v[OBS_AXIS_ZOOM] += obs_camera_velocity(s->at[OBS_AXIS_ZOOM], gamma, zoom_gain, OBS_ZOOM_STEP);
}

/* All sticks together; false: none is out of its centre. */
static bool
velocity(const struct obs_model *m, uint32_t camera, double v[OBS_AXES])
{
	const struct obs_cameras *all = m->cameras;

	memset(v, 0, OBS_AXES * sizeof(*v));
	add_stick(&all->camera[camera].stick, PAN_GAIN, ZOOM_GAIN, GAMMA, v);
	for (uint32_t i = 0; i < all->ptzs; i++)
		if (all->ptz[i].camera == camera)
			add_stick(&all->ptz[i].stick, all->ptz[i].cfg->pan_gain, all->ptz[i].cfg->zoom_gain, all->ptz[i].cfg->gamma, v);
	return v[OBS_AXIS_X] != 0 || v[OBS_AXIS_Y] != 0 || v[OBS_AXIS_ZOOM] != 0;
}

static void
follow_sticks(struct obs_model *m, uint32_t camera, double seconds)
{
	struct obs_camera *c = &m->cameras->camera[camera];
	double v[OBS_AXES];

	if (!velocity(m, camera, v) || !c->cfg->ptz || obs_camera_item(m, c) == OBS_NONE)
		return;
	obs_aim_at(m, &c->aim, obs_camera_item(m, c));
	if (!obs_aim_is_known(m, &c->aim, c))
		return;
	obs_aim_pan(&c->aim, v[OBS_AXIS_X] * seconds, v[OBS_AXIS_Y] * seconds);
	if (v[OBS_AXIS_ZOOM] != 0)
		obs_aim_zoom(m, &c->aim, obs_camera_zoom_during(v[OBS_AXIS_ZOOM], seconds));
	obs_aim_send(m, c);
}

static bool
any_stick(const struct obs_cameras *all)
{
	for (uint32_t i = 0; i < all->cameras; i++)
		if (!is_centred(&all->camera[i].stick))
			return true;
	for (uint32_t i = 0; i < all->ptzs; i++)
		if (!is_centred(&all->ptz[i].stick))
			return true;
	return false;
}

static void
run_sticks(struct obs_model *m)
{
	struct obs_cameras *all = m->cameras;
	uint64_t since = m->now_ns - all->moved_ns;

	if (m->now_ns < all->moved_ns + TICK_NS)
		return;
	for (uint32_t i = 0; i < all->cameras; i++)
		let_go(m, &all->camera[i].stick, all->camera[i].object, OBS_K_CAMERA_MOVE_X);
	for (uint32_t i = 0; i < all->ptzs; i++)
		let_go(m, &all->ptz[i].stick, all->ptz[i].object, OBS_K_PTZ_MOVE_X);
	for (uint32_t i = 0; i < all->cameras && !m->frozen; i++)
		follow_sticks(m, i, (double)(since > LATE_NS ? TICK_NS : since) / 1e9);
	all->moved_ns = any_stick(all) ? m->now_ns : 0;
}

uint64_t
obs_cameras_tick(struct obs_model *m)
{
	struct obs_cameras *all = m->cameras;
	uint64_t next = 0;

	if (all->moved_ns && !any_stick(all))
		all->moved_ns = 0;
	if (all->moved_ns)
		run_sticks(m);
	if (all->moved_ns)
		next = all->moved_ns + TICK_NS;
	for (uint32_t i = 0; i < all->cameras; i++) {
		uint64_t at = obs_aim_settle(m, &all->camera[i]);

		if (at && (!next || at < next))
			next = at;
	}
	return next;
}
