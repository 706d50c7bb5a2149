/*
 * aim.c - an item that is being moved: where we want it to be, and where OBS says it is
 *
 * The items' transforms are the model's: read once, kept fresh by SceneItemTransformChanged. While a move of ours is on its way OBS tells
 * where the item was before it, so that we go on from where we want it to be (`want`), and take OBS's word again when
 * all is answered and has settled. Values of a camera share one place in the queue, under the parameter x: one request at most is in
 * flight, and it carries all that has changed since the one before, and only that: a pan never sends a scale.
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SETTLE_NS 100000000ull /* after an answer its event may still be on its way */
#define REREAD_NS 1000000000ull
#define FAILURES  3

/* ------------------------------------------------------------------ what we know of an item */

static uint32_t
handle(const struct obs_model *m, const struct obs_camera *c)
{
	return obs_param(m, c->object, OBS_K_CAMERA_X);
}

static bool
is_ahead(const struct obs_model *m, const struct obs_aim *aim, const struct obs_camera *c)
{
	return aim->live && (aim->dirty || m->now_ns < aim->settle_ns || (c && handle(m, c) != OBS_NONE && obs_queue_is_busy(m->queue, handle(m, c))));
}

void
obs_aim_at(struct obs_model *m, struct obs_aim *aim, uint32_t item)
{
	if (aim->item == item && (item == OBS_NONE || aim->serial == m->object[item].serial))
		return;
	memset(aim, 0, sizeof(*aim));
	aim->item = item;
	aim->serial = item == OBS_NONE ? 0 : m->object[item].serial;
}

static bool
is_vanishing(const struct obs_transform *t)
{
	return !obs_camera_has_bounds(t) && (fabs(t->scale_x) < OBS_SCALE_MIN || fabs(t->scale_y) < OBS_SCALE_MIN);
}

/* Is `want` where the item is, or will be? If it has to be asked for first, it is. */
bool
obs_aim_is_known(struct obs_model *m, struct obs_aim *aim, const struct obs_camera *c)
{
	const struct obs_transform *told = &m->transform[aim->item];

	aim->used_ns = m->now_ns;
	if (is_ahead(m, aim, c))
		return true;
	aim->live = false;
	aim->want = *told;
	if (told->known && (aim->checked || !is_vanishing(told)))
		return true;
	if (!aim->read_ns || m->now_ns - aim->read_ns > REREAD_NS)
		aim->read_ns = obs_read_item(m, OBS_REQ_GET_ITEM_TRANSFORM, aim->item) < 0 ? 0 : m->now_ns;
	return false;
}

static double
zoom_percent(const struct obs_model *m, const struct obs_transform *t)
{
	return 100 * obs_camera_zoom_of(t, m->canvas_width, m->canvas_height);
}

static void
report(struct obs_model *m, uint32_t object, enum obs_kind first, const struct obs_transform *t)
{
	obs_tell(m, object, first, bh_float(t->x));
	obs_tell(m, object, (enum obs_kind)(first + 1), bh_float(t->y));
	obs_tell(m, object, (enum obs_kind)(first + 2), bh_float(zoom_percent(m, t)));
}

void
obs_aim_report(struct obs_model *m, struct obs_camera *c)
{
	uint32_t item = obs_camera_item(m, c);
	const struct obs_transform *t;

	obs_aim_at(m, &c->aim, item);
	if (item == OBS_NONE || (!m->transform[item].known && !c->aim.live))
		return;
	t = is_ahead(m, &c->aim, c) ? &c->aim.want : &m->transform[item];
	report(m, c->object, OBS_K_CAMERA_X, t);
	for (uint32_t i = 0; i < m->cameras->ptzs; i++)
		if (m->cameras->ptz[i].camera < m->cameras->cameras && &m->cameras->camera[m->cameras->ptz[i].camera] == c)
			report(m, m->cameras->ptz[i].object, OBS_K_PTZ_X, t);
}

void
obs_aim_all_known(struct obs_model *m)
{
	for (uint32_t i = 0; i < m->cameras->cameras; i++)
		obs_aim_report(m, &m->cameras->camera[i]);
}

/* ------------------------------------------------------------------ moving */

void
obs_aim_change(struct obs_aim *aim, unsigned axes)
{
	aim->dirty |= axes;
	aim->live = true;
}

void
obs_aim_pan(struct obs_aim *aim, double x, double y)
{
	obs_camera_pan(&aim->want, x, y);
	obs_aim_change(aim, (x != 0 ? OBS_CHANGED_X : 0) | (y != 0 ? OBS_CHANGED_Y : 0));
}

void
obs_aim_zoom(const struct obs_model *m, struct obs_aim *aim, double factor)
{
	double x = aim->want.x, y = aim->want.y;

	if (obs_camera_zoom(&aim->want, factor, m->canvas_width, m->canvas_height) != 1)
		obs_aim_change(aim, OBS_CHANGED_SIZE | (aim->want.x != x ? OBS_CHANGED_X : 0) | (aim->want.y != y ? OBS_CHANGED_Y : 0));
}

void
obs_aim_move_to(const struct obs_model *m, struct obs_aim *aim, enum obs_axis axis, double v)
{
	double now = zoom_percent(m, &aim->want);

	if (axis == OBS_AXIS_X)
		obs_aim_pan(aim, v - aim->want.x, 0);
	else if (axis == OBS_AXIS_Y)
		obs_aim_pan(aim, 0, v - aim->want.y);
	else if (now > 0)
		obs_aim_zoom(m, aim, v / now);
}

void
obs_aim_send(struct obs_model *m, struct obs_camera *c)
{
	uint32_t param = handle(m, c);

	if (c->aim.dirty && param != OBS_NONE)
		obs_queue_value(m->queue, param, m->now_ns);
	obs_aim_report(m, c);
}

static uint32_t
members(const struct obs_aim *aim)
{
	return (aim->dirty & OBS_CHANGED_X ? 1 : 0) + (aim->dirty & OBS_CHANGED_Y ? 1 : 0) + (aim->dirty & OBS_CHANGED_SIZE ? 2 : 0);
}

void
obs_aim_put(struct obs_model *m, struct obs_out *o, struct obs_aim *aim)
{
	bool by_bounds = obs_camera_has_bounds(&aim->want);

	obs_put_str(o, "sceneName", m->object[m->object[aim->item].parent].name);
	obs_put_int(o, "sceneItemId", m->object[aim->item].id);
	obs_put_map(o, "sceneItemTransform", members(aim));
	if (aim->dirty & OBS_CHANGED_X)
		obs_put_number(o, "positionX", aim->want.x);
	if (aim->dirty & OBS_CHANGED_Y)
		obs_put_number(o, "positionY", aim->want.y);
	if (aim->dirty & OBS_CHANGED_SIZE) {
		obs_put_number(o, by_bounds ? "boundsWidth" : "scaleX", by_bounds ? aim->want.bounds_width : aim->want.scale_x);
		obs_put_number(o, by_bounds ? "boundsHeight" : "scaleY", by_bounds ? aim->want.bounds_height : aim->want.scale_y);
	}
	aim->dirty = 0;
}

struct obs_camera *
obs_camera_of(const struct obs_model *m, uint32_t object)
{
	for (uint32_t i = 0; i < m->cameras->cameras; i++)
		if (m->cameras->camera[i].object == object)
			return &m->cameras->camera[i];
	return NULL;
}

/* Everything about a camera goes out under its x. */
int
obs_cameras_encode(struct obs_model *m, uint32_t object, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	struct obs_camera *c = obs_camera_of(m, object);

	if (!c || c->aim.item == OBS_NONE || obs_camera_item(m, c) != c->aim.item)
		return -ENOENT;
	if (!c->aim.dirty)
		return -ENODATA;
	ask->req = OBS_REQ_SET_ITEM_TRANSFORM;
	obs_put_request(o, id, OBS_REQ_SET_ITEM_TRANSFORM, 3);
	obs_aim_put(m, o, &c->aim);
	return 0;
}

void
obs_cameras_answer(struct obs_model *m, uint32_t object, bool ok)
{
	struct obs_camera *c = obs_camera_of(m, object);

	if (!c)
		return;
	c->aim.settle_ns = m->now_ns + SETTLE_NS;
	if (ok) {
		c->aim.failures = 0;
		return;
	}
	c->aim.live = c->aim.dirty != 0;
	if (c->aim.item != OBS_NONE)
		obs_read_item(m, OBS_REQ_GET_ITEM_TRANSFORM, c->aim.item);
	if (++c->aim.failures >= FAILURES) {
		c->aim.failures = 0;
		obs_sticks_stop(m, (uint32_t)(c - m->cameras->camera), "OBS refuses to move it");
	}
	obs_aim_report(m, c);
}

/* ------------------------------------------------------------------ what OBS tells */

static void
do_later(struct obs_model *m, struct obs_camera *c)
{
	unsigned later = c->aim.later;

	c->aim.later = 0;
	if (!later || !obs_aim_is_known(m, &c->aim, c))
		return;
	for (int axis = 0; axis < OBS_AXES; axis++)
		if (later & OBS_AXIS_BIT(axis))
			obs_aim_move_to(m, &c->aim, (enum obs_axis)axis, c->aim.later_to[axis]);
	obs_aim_send(m, c);
}

void
obs_cameras_transform(struct obs_model *m, uint32_t item)
{
	struct obs_cameras *all = m->cameras;

	for (uint32_t i = 0; i < all->cameras; i++) {
		struct obs_camera *c = &all->camera[i];

		if (obs_camera_item(m, c) != item)
			continue;
		obs_aim_at(m, &c->aim, item);
		c->aim.checked = c->aim.read_ns != 0;
		c->aim.read_ns = 0;
		do_later(m, c);
		if (!is_ahead(m, &c->aim, c))
			obs_aim_report(m, c);
	}
	for (uint32_t i = 0; i < OBS_OTHER_AIMS; i++)
		if (all->other[i].item == item) {
			all->other[i].checked = all->other[i].read_ns != 0;
			all->other[i].read_ns = 0;
		}
}

/* What has settled is where OBS says it is. */
uint64_t
obs_aim_settle(struct obs_model *m, struct obs_camera *c)
{
	if (!c->aim.live)
		return 0;
	if (is_ahead(m, &c->aim, c))
		return c->aim.settle_ns > m->now_ns ? c->aim.settle_ns : 0; /* else its answer comes first */
	c->aim.live = false;
	obs_aim_report(m, c);
	return 0;
}
