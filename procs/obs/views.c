/*
 * views.c - actions that choose a camera, and go into split views and out of them
 *
 *   action       in full                                    in a split
 *   camera       its scene, by studio mode or as told       its source in the split scene, or (preview) its scene in preview
 *   split left   the split scene with the last camera       the other split
 *   split exit   the default camera's scene, full           the same
 *
 * In studio mode OBS has a copy of a scene on air (unless its option "Duplicate Scene" is off): what changes in the split scene does not
 * show there until it is put on air again. That is done by the same batch, as a cut; while a transition runs, when it has ended.
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <string.h>

#define UNDO 0x80000000u /* in an ask's ref: view and last camera before it */

/* ------------------------------------------------------------------ choosing */

static uint32_t
note_view(const struct obs_cameras *c)
{
	return UNDO | (c->last == OBS_NONE ? 0 : c->last << 2) | c->view;
}

/* An action of ours was not done: the view is as it was. */
void
obs_cameras_undo(struct obs_model *m, const struct obs_ask *ask)
{
	if (!ask->is_action)
		return;
	m->asked[OBS_TO_PROGRAM].until_ns = m->asked[OBS_TO_PREVIEW].until_ns = 0;
	if (!(ask->ref & UNDO) || !m->cameras)
		return;
	if (m->cameras->cameras)
		m->cameras->last = (ask->ref & ~UNDO) >> 2;
	obs_view_is(m, (enum obs_view)(ask->ref & 3));
}

/* The items that stand for cameras in a split scene: one is shown, then those that are, or may be, shown are hidden. Without `d` only counts. */
static uint32_t
show_in_split(struct obs_model *m, struct obs_doing *d, uint32_t scene, uint32_t chosen, enum obs_view view)
{
	struct obs_cameras *c = m->cameras;
	bool right = view == OBS_VIEW_SPLIT_RIGHT;
	const char *name = m->object[scene].name, *chosen_source = c->camera[chosen].cfg->split_source;
	uint32_t n = 0, shown = chosen_source && *chosen_source ? obs_find(m, OBS_ITEM, scene, chosen_source) : OBS_NONE;

	if (shown == OBS_NONE)
		return 0;
	for (uint32_t k = 0; k < c->cameras + 1; k++) {
		uint32_t i = k == 0 ? chosen : k - 1;
		const char *source = c->camera[i].cfg->split_source;
		uint32_t item = k > 0 && i == chosen ? OBS_NONE : source && *source ? obs_find(m, OBS_ITEM, scene, source) : OBS_NONE;

		if (item == OBS_NONE || (k > 0 && item == shown) || (k > 0 && !c->camera[i].may_show[right] && !obs_is_on(m, item, OBS_K_ITEM_VISIBLE)))
			continue;
		n++;
		if (!d)
			continue;
		obs_batched(d, OBS_REQ_SET_ITEM_ENABLED, "sib", "sceneName", name, "sceneItemId", m->object[item].id, "sceneItemEnabled", k == 0);
		c->camera[i].may_show[right] = k == 0;
	}
	return n;
}

static uint32_t
camera_scene(const struct obs_doing *d, uint32_t camera)
{
	struct obs_camera *c = &d->m->cameras->camera[camera];
	uint32_t scene = obs_camera_scene(d->m, c);

	if (scene == OBS_NONE)
		obs_refuse(d, ENOENT, "camera \"%s\" has no scene \"%s\" in OBS", c->cfg->id, c->cfg->scene);
	return scene;
}

/* A scene with what must happen before it in `before` requests of the same batch, which are written by the caller in between. */
static int
begin_scene(struct obs_doing *d, bool preview, uint32_t before)
{
	bool turn_on = preview && !d->m->studio_mode;
	int r = preview ? 0 : obs_must_not_run(d);

	if (r < 0)
		return r;
	obs_batch(d, before + turn_on + 1);
	if (turn_on)
		obs_batched(d, OBS_REQ_SET_STUDIO_MODE, "b", "studioModeEnabled", true);
	return 0;
}

static int
end_scene(struct obs_doing *d, bool preview, uint32_t scene)
{
	enum obs_req req = preview ? OBS_REQ_SET_PREVIEW : OBS_REQ_SET_PROGRAM;
	int r;

	obs_batched(d, req, "s", "sceneName", d->m->object[scene].name);
	r = obs_batch_end(d, req);
	if (r == 0)
		obs_scene_asked(d->m, preview ? OBS_TO_PREVIEW : OBS_TO_PROGRAM, scene);
	return r;
}

static int
go_to(struct obs_doing *d, bool preview, uint32_t scene)
{
	int r = begin_scene(d, preview, 0);

	return r < 0 ? r : end_scene(d, preview, scene);
}

static int
choose_full(struct obs_doing *d, uint32_t camera, bool preview)
{
	struct obs_cameras *c = d->m->cameras;
	uint32_t scene = camera_scene(d, camera);
	int r;

	if (scene == OBS_NONE)
		return -ENOENT;
	d->ref = note_view(c);
	r = go_to(d, preview, scene);
	if (r == 0 && c->view == OBS_VIEW_FULL)
		c->last = camera;
	return r;
}

static int
choose_in_split(struct obs_doing *d, uint32_t camera)
{
	struct obs_model *m = d->m;
	struct obs_cameras *c = m->cameras;
	uint32_t scene = obs_split_scene(m, c->view);
	const char *source = c->camera[camera].cfg->split_source;
	bool copy_on_air;
	int r;

	if (scene == OBS_NONE)
		return obs_refuse(d, ENOENT, "the split scene is not in OBS");
	if (!source || !*source)
		return obs_refuse(d, ENOENT, "camera \"%s\" is in no split view: it has no split_source", c->camera[camera].cfg->id);
	if (obs_look(d, OBS_ITEM, scene, source) == OBS_NONE)
		return -ENOENT;
	copy_on_air = m->studio_mode && m->program == scene;
	c->stale_on_air |= copy_on_air && m->in_transition;
	copy_on_air &= !m->in_transition;
	d->ref = note_view(c);
	obs_batch(d, show_in_split(m, NULL, scene, camera, c->view) + (copy_on_air ? OBS_RENEW_REQUESTS : 0));
	show_in_split(m, d, scene, camera, c->view);
	if (copy_on_air)
		obs_renew_on_air(d, scene);
	r = obs_batch_end(d, OBS_REQ_SET_ITEM_ENABLED);
	if (r == 0)
		c->last = camera;
	return r;
}

static struct obs_ptz *
ptz_by_name(const struct obs_doing *d, const char *name)
{
	uint32_t object = obs_look(d, OBS_PTZ, OBS_NONE, name);

	for (uint32_t i = 0; i < d->m->cameras->ptzs; i++)
		if (object != OBS_NONE && d->m->cameras->ptz[i].object == object)
			return &d->m->cameras->ptz[i];
	return NULL;
}

static int64_t
camera_by_id(const struct obs_doing *d, const char *id)
{
	int64_t at = obs_camera_meant(d->m->cameras, id);

	if (at < 0)
		obs_look(d, OBS_CAMERA, OBS_NONE, id);
	return at;
}

int
obs_do_camera(struct obs_doing *d)
{
	struct obs_cameras *c = d->m->cameras;
	const char *how = obs_arg(d, 1);
	int64_t camera = camera_by_id(d, obs_arg(d, 0));
	bool is_word = !how || !strcmp(how, "program") || !strcmp(how, "preview"), is_full = c->view == OBS_VIEW_FULL, preview;
	struct obs_ptz *pad = is_word ? NULL : ptz_by_name(d, how);
	int r;

	if (camera < 0 || (!is_word && !pad))
		return -ENOENT;
	preview = pad ? pad->modifier : how ? !strcmp(how, "preview") : is_full && d->m->studio_mode;
	if (is_full || preview)
		r = choose_full(d, (uint32_t)camera, preview);
	else
		r = choose_in_split(d, (uint32_t)camera);
	if (r < 0 || !c->camera[camera].cfg->ptz)
		return r;
	if (pad && (pad->modifier || !is_full))
		obs_ptz_turn_to(d->m, pad, (uint32_t)camera);
	if (!is_full && !preview)
		obs_ptz_turn_dynamic(d->m, (uint32_t)camera);
	return r;
}

/* ------------------------------------------------------------------ in and out of splits */

static int
enter(struct obs_doing *d, enum obs_view view)
{
	struct obs_model *m = d->m;
	struct obs_cameras *c = m->cameras;
	const char *side = view == OBS_VIEW_SPLIT_LEFT ? "left" : "right", *name = view == OBS_VIEW_SPLIT_LEFT ? m->cfg->split_left : m->cfg->split_right;
	uint32_t scene = obs_split_scene(m, view), items;
	int r;

	if (!name || !*name)
		return obs_refuse(d, ENOENT, "there is no split view on the %s: split_%s is not set", side, side);
	if (scene == OBS_NONE)
		return obs_look(d, OBS_SCENE, OBS_NONE, name) == OBS_NONE ? -ENOENT : -EAGAIN;
	d->ref = note_view(c);
	items = c->last == OBS_NONE ? 0 : show_in_split(m, NULL, scene, c->last, view);
	r = begin_scene(d, m->studio_mode, items);
	if (r < 0)
		return r;
	if (items)
		show_in_split(m, d, scene, c->last, view);
	r = end_scene(d, m->studio_mode, scene);
	if (r < 0)
		return r;
	obs_view_is(m, view);
	if (c->last != OBS_NONE)
		obs_ptz_turn_dynamic(m, c->last);
	return 0;
}

static int
leave(struct obs_doing *d)
{
	struct obs_cameras *c = d->m->cameras;
	int64_t camera = d->m->cfg->default_camera ? obs_camera_find(c, d->m->cfg->default_camera) : -1;
	uint32_t scene;
	int r;

	if (!c->cameras)
		return obs_refuse(d, ENOENT, "there are no cameras in the configuration");
	camera = camera < 0 ? 0 : camera;
	scene = camera_scene(d, (uint32_t)camera);
	if (scene == OBS_NONE)
		return -ENOENT;
	d->ref = note_view(c);
	r = go_to(d, d->m->studio_mode, scene);
	if (r < 0)
		return r;
	c->last = (uint32_t)camera;
	obs_view_is(d->m, OBS_VIEW_FULL);
	obs_ptz_turn_dynamic(d->m, c->last);
	return 0;
}

int
obs_do_split(struct obs_doing *d)
{
	const char *left = d->m->cfg->split_left;
	bool only_right = !left || !*left, right = obs_arg(d, 1) ? obs_arg_is(d, 1, "right") : only_right;

	if (obs_arg_is(d, 0, "left") || obs_arg_is(d, 0, "right"))
		return enter(d, obs_arg_is(d, 0, "right") ? OBS_VIEW_SPLIT_RIGHT : OBS_VIEW_SPLIT_LEFT);
	if (obs_arg_is(d, 0, "exit") || (obs_arg_is(d, 0, "toggle") && d->m->cameras->view != OBS_VIEW_FULL))
		return leave(d);
	return enter(d, right ? OBS_VIEW_SPLIT_RIGHT : OBS_VIEW_SPLIT_LEFT);
}

int
obs_do_ptz(struct obs_doing *d)
{
	struct obs_ptz *p = ptz_by_name(d, obs_arg(d, 0));
	int64_t camera;

	if (!p)
		return -ENOENT;
	if (obs_arg_is(d, 1, "dynamic")) {
		p->dynamic = true;
		obs_cameras_follow(d->m);
		return 0;
	}
	camera = camera_by_id(d, obs_arg(d, 1));
	if (camera < 0)
		return -ENOENT;
	if (!d->m->cameras->camera[camera].cfg->ptz)
		return obs_refuse(d, EPERM, "camera \"%s\" is not to be moved (ptz: no)", d->m->cameras->camera[camera].cfg->id);
	obs_ptz_turn_to(d->m, p, (uint32_t)camera);
	return 0;
}
