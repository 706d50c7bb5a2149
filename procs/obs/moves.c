/*
 * moves.c - actions that move a picture: nudge, scale, reset; of a camera, or of any item of a scene
 *
 * They stand in line with the other actions. Steps add up: each begins where the one before will have put it.
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ACTION_NS 250000000ull /* an action is answered by then, and its event here */

/* ------------------------------------------------------------------ actions */

static struct obs_aim *
other_aim(struct obs_model *m, uint32_t item)
{
	struct obs_aim *at = &m->cameras->other[0];

	for (uint32_t i = 0; i < OBS_OTHER_AIMS; i++) {
		if (m->cameras->other[i].item == item) {
			at = &m->cameras->other[i];
			break;
		}
		if (m->cameras->other[i].used_ns < at->used_ns)
			at = &m->cameras->other[i];
	}
	obs_aim_at(m, at, item);
	return at;
}

/* CAMERA ..., or SCENE SOURCE ...: `rest` is the first argument behind it. NULL: refused. */
static struct obs_aim *
named_aim(struct obs_doing *d, unsigned *rest, struct obs_camera **camera)
{
	struct obs_model *m = d->m;
	int64_t at = obs_camera_meant(m->cameras, obs_arg(d, 0));
	uint32_t scene, item;

	*camera = NULL;
	if (at < 0 && !obs_arg(d, 1)) {
		obs_look(d, OBS_CAMERA, OBS_NONE, obs_arg(d, 0));
		return NULL;
	}
	if (at < 0) {
		*rest = 2;
		if ((scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0))) == OBS_NONE || (item = obs_look(d, OBS_ITEM, scene, obs_arg(d, 1))) == OBS_NONE)
			return NULL;
	} else {
		*rest = 1;
		*camera = &m->cameras->camera[at];
		if (!(*camera)->cfg->ptz) {
			obs_refuse(d, EPERM, "camera \"%s\" is not to be moved (ptz: no)", (*camera)->cfg->id);
			return NULL;
		}
		if ((item = obs_camera_item(m, *camera)) == OBS_NONE) {
			obs_refuse(d, ENOENT, "no source \"%s\" in scene \"%s\" of OBS", (*camera)->cfg->source, (*camera)->cfg->scene);
			return NULL;
		}
		obs_aim_at(m, &(*camera)->aim, item);
		return &(*camera)->aim;
	}
	for (uint32_t i = 0; i < m->cameras->cameras; i++)
		if (obs_camera_item(m, &m->cameras->camera[i]) == item) {
			*camera = &m->cameras->camera[i];
			obs_aim_at(m, &(*camera)->aim, item);
			return &(*camera)->aim;
		}
	return other_aim(m, item);
}

/* Of an action: in its order among the others, not behind what waits. */
static int
send_action(struct obs_doing *d, struct obs_aim *aim, const struct obs_aim *before, struct obs_camera *c)
{
	struct obs_model *m = d->m;

	if (!aim->dirty)
		return 0; /* at a limit already */
	d->o = obs_do_begin(m, OBS_REQ_SET_ITEM_TRANSFORM, 3, &d->id);
	if (!d->o) {
		*aim = *before;
		return obs_refuse(d, ENOSPC, "OBS does not keep up: too many actions wait");
	}
	obs_aim_put(m, d->o, aim);
	aim->settle_ns = m->now_ns + ACTION_NS;
	if (c)
		obs_aim_report(m, c);
	return obs_do_commit(m, OBS_REQ_SET_ITEM_TRANSFORM, d->a, d->ref, d->until_ns);
}

/* 0 and the step, or refused. */
static int
take_step(struct obs_doing *d, unsigned arg, double *step)
{
	const char *text = obs_arg(d, arg);
	char *end;

	if (!text)
		return 0;
	*step = strtod(text, &end);
	if (end == text || *end || !isfinite(*step) || fabs(*step) > OBS_POSITION_MAX)
		return obs_refuse(d, EINVAL, "\"%s\" is no step", text);
	return obs_arg(d, arg + 1) ? obs_refuse(d, EINVAL, "\"%s\" is one word too many", obs_arg(d, arg + 1)) : 0;
}

static int
step(struct obs_doing *d, enum obs_axis axis)
{
	double by = axis == OBS_AXIS_ZOOM ? OBS_ZOOM_STEP : OBS_PAN_STEP;
	struct obs_aim before;
	struct obs_camera *c;
	unsigned rest = 0;
	struct obs_aim *aim = named_aim(d, &rest, &c);
	int r = aim ? take_step(d, rest, &by) : -ENOENT;

	if (r < 0)
		return r;
	if (axis == OBS_AXIS_ZOOM && by <= -1)
		return obs_refuse(d, EINVAL, "a zoom by %g leaves nothing", by);
	if (!obs_aim_is_known(d->m, aim, c))
		return obs_refuse(d, EAGAIN, "OBS has not told yet where it is");
	before = *aim;
	if (axis == OBS_AXIS_ZOOM)
		obs_aim_zoom(d->m, aim, 1 + by);
	else
		obs_aim_pan(aim, axis == OBS_AXIS_X ? by : 0, axis == OBS_AXIS_Y ? by : 0);
	return send_action(d, aim, &before, c);
}

int
obs_do_nudge_x(struct obs_doing *d)
{
	return step(d, OBS_AXIS_X);
}

int
obs_do_nudge_y(struct obs_doing *d)
{
	return step(d, OBS_AXIS_Y);
}

int
obs_do_zoom(struct obs_doing *d)
{
	return step(d, OBS_AXIS_ZOOM);
}

/* What would go on moving it is stopped first. */
int
obs_do_reset(struct obs_doing *d)
{
	const char *which = obs_actions[d->a->id].name;
	struct obs_model *m = d->m;
	struct obs_camera *c;
	unsigned rest = 0;
	struct obs_aim *aim = named_aim(d, &rest, &c), before;

	if (!aim)
		return -ENOENT;
	if (c)
		obs_sticks_stop(m, (uint32_t)(c - m->cameras->camera), NULL);
	/* A scale near nothing is what it is for. */
	if (!obs_aim_is_known(m, aim, c) && !m->transform[aim->item].known)
		return obs_refuse(d, EAGAIN, "OBS has not told yet where it is");
	before = *aim;
	if (strcmp(which, "reset-position") != 0)
		obs_camera_reset_zoom(&aim->want, m->canvas_width, m->canvas_height);
	if (strcmp(which, "reset-zoom") != 0)
		obs_camera_reset_position(&aim->want, m->canvas_width, m->canvas_height);
	obs_aim_change(aim, strcmp(which, "reset-position") ? OBS_CHANGED_ALL : OBS_CHANGED_X | OBS_CHANGED_Y);
	return send_action(d, aim, &before, c);
}
