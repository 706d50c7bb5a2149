/*
 * cameras.c - cameras and split views: what is shown, and which one a PTZ target drives
 *
 *   view         the active scene is (preview in studio mode, else program)        becomes
 *   any          the left or right split scene                                     that split
 *   full         a camera's scene                                                  full, and that camera is the last one
 *   a split      a camera's scene                                                  as it is: the camera is prepared, the split goes on
 *   any          any other                                                         as it is
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/records.h"

#define RENEW_NS (2ull * 1000 * 1000 * 1000) /* what is on air is renewed at once, or it has been changed since */

/* ------------------------------------------------------------------ what stands in the configuration, in OBS */

static bool
is_there(const struct obs_model *m, const struct obs_place *p, enum obs_class cls)
{
	return p->object < m->objects && m->object[p->object].used && m->object[p->object].cls == cls && m->object[p->object].serial == p->serial;
}

static uint32_t
find_place(struct obs_model *m, struct obs_place *p, enum obs_class cls, uint32_t parent, const char *name)
{
	if (is_there(m, p, cls) && m->object[p->object].parent == parent)
		return p->object;
	p->object = name && *name ? obs_find(m, cls, parent, name) : OBS_NONE;
	if (p->object != OBS_NONE)
		p->serial = m->object[p->object].serial;
	return p->object;
}

uint32_t
obs_camera_scene(struct obs_model *m, struct obs_camera *c)
{
	return find_place(m, &c->scene, OBS_SCENE, OBS_NONE, c->cfg->scene);
}

uint32_t
obs_camera_item(struct obs_model *m, struct obs_camera *c)
{
	uint32_t scene = obs_camera_scene(m, c);

	return scene == OBS_NONE ? OBS_NONE : find_place(m, &c->source, OBS_ITEM, scene, c->cfg->source);
}

uint32_t
obs_split_scene(struct obs_model *m, enum obs_view view)
{
	bool right = view == OBS_VIEW_SPLIT_RIGHT;

	if (view == OBS_VIEW_FULL)
		return OBS_NONE;
	return find_place(m, &m->cameras->split[right], OBS_SCENE, OBS_NONE, right ? m->cfg->split_right : m->cfg->split_left);
}

int64_t
obs_camera_find(const struct obs_cameras *c, const char *id)
{
	return obs_list_find(&c->ids, id);
}

int64_t
obs_camera_meant(const struct obs_cameras *c, const char *name)
{
	int64_t at = obs_camera_find(c, name);

	for (uint32_t i = 0; name && at < 0 && i < c->ptzs; i++)
		if (!strcmp(c->ptz[i].cfg->name, name) && c->ptz[i].camera != OBS_NONE)
			return c->ptz[i].camera;
	return at;
}

/* ------------------------------------------------------------------ start */

static void
free_all(struct obs_cameras *c)
{
	if (!c)
		return;
	free(c->camera);
	free(c->ptz);
	free(c->ids.name);
	free(c);
}

static struct obs_cameras *
make(const struct obs_config *cfg)
{
	struct obs_cameras *c = calloc(1, sizeof(*c));
	uint32_t cameras = cfg->cameras.count < OBS_CHOICES_MAX ? cfg->cameras.count : OBS_CHOICES_MAX;

	if (!c)
		return NULL;
	c->camera = calloc(cameras + 1, sizeof(*c->camera));
	c->ptz = calloc(cfg->ptz.count + 1, sizeof(*c->ptz));
	c->ids.name = calloc(cameras + 1, sizeof(*c->ids.name));
	if (!c->camera || !c->ptz || !c->ids.name) {
		free_all(c);
		return NULL;
	}
	c->cameras = c->ids.count = cameras;
	c->ptzs = cfg->ptz.count;
	c->last = cameras ? 0 : OBS_NONE;
	return c;
}

static uint32_t
with_name(uint32_t hash, const char *name)
{
	return (hash ^ (name ? bh_name_hash(name) : 0)) * 16777619u;
}

int
obs_cameras_init(struct obs_model *m)
{
	struct obs_cameras *c = make(m->cfg);

	if (!c)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->cameras; i++) {
		c->camera[i].cfg = (const struct obs_camera_config *)m->cfg->cameras.items + i;
		c->camera[i].object = c->camera[i].scene.object = c->camera[i].source.object = c->camera[i].aim.item = OBS_NONE;
		strncpy(c->ids.name[i], c->camera[i].cfg->id, OBS_NAME_MAX);
		c->options = with_name(with_name(c->options, c->camera[i].cfg->id), c->camera[i].cfg->scene);
	}
	for (uint32_t i = 0; i < c->ptzs; i++) {
		struct obs_ptz *p = &c->ptz[i];
		int64_t at;

		p->cfg = (const struct obs_ptz_config *)m->cfg->ptz.items + i;
		p->object = OBS_NONE;
		p->dynamic = !p->cfg->camera || !*p->cfg->camera || !strcmp(p->cfg->camera, "dynamic");
		at = p->dynamic ? -1 : obs_camera_find(c, p->cfg->camera);
		p->camera = at >= 0 ? (uint32_t)at : c->last;
		c->options = with_name(with_name(c->options, p->cfg->name), p->cfg->camera);
	}
	c->split[0].object = c->split[1].object = OBS_NONE;
	for (uint32_t i = 0; i < OBS_OTHER_AIMS; i++)
		c->other[i].item = OBS_NONE;
	free_all(m->cameras);
	m->cameras = c;
	return 0;
}

void
obs_cameras_fini(struct obs_model *m)
{
	free_all(m->cameras);
	m->cameras = NULL;
}

static void follow(struct obs_model *m, bool is_news);

static void
report_ptz(struct obs_model *m, const struct obs_ptz *p)
{
	if (p->camera != OBS_NONE)
		obs_tell(m, p->object, OBS_K_PTZ_CAMERA, bh_enum(p->camera));
	obs_tell(m, p->object, OBS_K_PTZ_MODIFIER, bh_bool(p->modifier));
	for (int i = 0; i < OBS_AXES; i++)
		obs_tell(m, p->object, (enum obs_kind)(OBS_K_PTZ_MOVE_X + i), bh_float(p->stick.at[i]));
}

void
obs_cameras_publish(struct obs_model *m)
{
	struct obs_cameras *c = m->cameras;

	obs_unsee(m, OBS_CAMERA, OBS_NONE);
	obs_unsee(m, OBS_PTZ, OBS_NONE);
	for (uint32_t i = 0; i < c->cameras; i++) {
		c->camera[i].object = obs_add(m, OBS_CAMERA, OBS_NONE, c->camera[i].cfg->id);
		if (c->camera[i].object != OBS_NONE)
			obs_publish(m, c->camera[i].object);
	}
	for (uint32_t i = 0; i < c->ptzs; i++) {
		c->ptz[i].object = obs_add(m, OBS_PTZ, OBS_NONE, c->ptz[i].cfg->name);
		if (c->ptz[i].object == OBS_NONE)
			continue;
		obs_publish(m, c->ptz[i].object);
		obs_publish_choices(m, c->ptz[i].object, OBS_K_PTZ_CAMERA, &c->ids);
		report_ptz(m, &c->ptz[i]);
	}
	obs_sweep(m, OBS_CAMERA, OBS_NONE);
	obs_sweep(m, OBS_PTZ, OBS_NONE);
	follow(m, false);
	obs_cameras_tally(m);
	obs_aim_all_known(m);
}

/* ------------------------------------------------------------------ PTZ targets */

void
obs_ptz_turn_to(struct obs_model *m, struct obs_ptz *p, uint32_t camera)
{
	if (camera >= m->cameras->cameras)
		return;
	p->camera = camera;
	obs_tell(m, p->object, OBS_K_PTZ_CAMERA, bh_enum(camera));
	obs_aim_report(m, &m->cameras->camera[camera]);
}

/* The targets that follow what is shown; a camera that may not be moved is none for them. */
void
obs_ptz_turn_dynamic(struct obs_model *m, uint32_t camera)
{
	if (!m->cameras->camera[camera].cfg->ptz)
		return;
	for (uint32_t i = 0; i < m->cameras->ptzs; i++)
		if (m->cameras->ptz[i].dynamic)
			obs_ptz_turn_to(m, &m->cameras->ptz[i], camera);
}

/* ------------------------------------------------------------------ following OBS */

void
obs_view_is(struct obs_model *m, enum obs_view view)
{
	m->cameras->view = view;
	obs_tell(m, 0, OBS_K_VIEW, bh_enum(view));
}

/* A picture is no news: what was chosen since the scene came stays chosen. */
static void
follow(struct obs_model *m, bool is_news)
{
	struct obs_cameras *c = m->cameras;
	uint32_t active = m->studio_mode ? m->preview : m->program;
	uint32_t followed = active == OBS_NONE ? 0 : bh_name_hash(m->object[active].name) ^ c->options;

	is_news |= followed != c->followed;
	c->followed = followed ? followed : c->followed;
	if (active != OBS_NONE)
		for (enum obs_view v = OBS_VIEW_SPLIT_LEFT; v <= OBS_VIEW_SPLIT_RIGHT; v++)
			if (obs_split_scene(m, v) == active)
				c->view = v;
	for (uint32_t i = 0; i < c->cameras && active != OBS_NONE; i++)
		if (obs_camera_scene(m, &c->camera[i]) == active) {
			if (c->view == OBS_VIEW_FULL)
				c->last = i;
			if (is_news && (m->now_ns >= c->kept_until_ns || active != c->kept_preview))
				obs_ptz_turn_dynamic(m, i);
			break;
		}
	obs_view_is(m, c->view);
}

void
obs_cameras_follow(struct obs_model *m)
{
	follow(m, true);
}

void
obs_cameras_tally(struct obs_model *m)
{
	for (uint32_t i = 0; i < m->cameras->cameras; i++) {
		struct obs_camera *c = &m->cameras->camera[i];
		uint32_t scene = obs_camera_scene(m, c), source = obs_find_source(m, c->cfg->source);
		uint32_t split = c->cfg->split_source && *c->cfg->split_source ? obs_find_source(m, c->cfg->split_source) : OBS_NONE;
		const uint32_t all[] = {scene, source, split};
		int64_t most = OBS_TALLY_OFF;
		struct bh_value v;

		for (unsigned k = 0; k < sizeof(all) / sizeof(*all); k++)
			if (all[k] != OBS_NONE &&
			    obs_told(m, all[k], m->object[all[k]].cls == OBS_SCENE ? OBS_K_SCENE_TALLY : OBS_K_INPUT_TALLY, &v) && v.i > most)
				most = v.i;
		obs_tell(m, c->object, OBS_K_CAMERA_TALLY, bh_enum(most));
	}
}

void
obs_renew_on_air(struct obs_doing *d, uint32_t scene)
{
	d->m->cameras->kept_preview = d->m->preview;
	d->m->cameras->kept_until_ns = d->m->now_ns + RENEW_NS;
	obs_batched_renewal(d, d->m->object[scene].name);
}

/* The split scene was changed while a transition ran. */
static void
renew_later(struct obs_model *m)
{
	static const struct bh_action nobody = {0};
	struct obs_doing d = {.m = m, .a = &nobody};
	uint32_t scene = obs_split_scene(m, m->cameras->view);

	m->cameras->stale_on_air = false;
	if (!m->studio_mode || scene == OBS_NONE || m->program != scene)
		return;
	obs_batch(&d, OBS_RENEW_REQUESTS);
	obs_renew_on_air(&d, scene);
	if (d.o && obs_out_done(d.o))
		obs_do_commit(m, OBS_REQ_SET_PROGRAM, NULL, 0, m->now_ns + RENEW_NS);
}

bool
obs_cameras_event(struct obs_model *m, const char *type, const msgpack_object *data)
{
	(void)data;
	if (!strcmp(type, "CurrentPreviewSceneChanged"))
		obs_scene_told(m, OBS_TO_PREVIEW);
	else if (!strcmp(type, "CurrentProgramSceneChanged"))
		obs_scene_told(m, OBS_TO_PROGRAM);
	if (!strcmp(type, "CurrentProgramSceneChanged") || !strcmp(type, "CurrentPreviewSceneChanged") || !strcmp(type, "StudioModeStateChanged"))
		obs_cameras_follow(m);
	if (m->cameras->stale_on_air && !m->in_transition)
		renew_later(m);
	return false;
}
