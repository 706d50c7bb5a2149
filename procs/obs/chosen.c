/*
 * chosen.c - what people have chosen of cameras, over a life of ours and over new options
 *
 * The view, the camera that was chosen last, and what each PTZ target drives stand nowhere in OBS. Each is a word of its own in memory that
 * survives us: whatever moment we die at, it is as it was before or as it is now. Names are hashes, because new options may have other
 * cameras in another order: what is not found is as the options say, and so is a target whose camera was changed there.
 */
#include "procs/obs/actions_int.h"

#include "common/records.h"

#define MAGIC	 0x4f425332u /* of this layout */
#define DYNAMIC	 1u
#define MODIFIER 2u

static uint32_t
hash(const char *name)
{
	return name && *name ? bh_name_hash(name) : 0;
}

static uint32_t
hash_of_camera(const struct obs_cameras *c, uint32_t camera)
{
	return camera < c->cameras ? hash(c->camera[camera].cfg->id) : 0;
}

/* OBS_NONE: there is none of this name. */
static uint32_t
camera_of_hash(const struct obs_cameras *c, uint32_t h)
{
	for (uint32_t i = 0; h && i < c->cameras; i++)
		if (hash(c->camera[i].cfg->id) == h)
			return i;
	return OBS_NONE;
}

static struct obs_ptz *
target_of(const struct obs_cameras *c, const struct obs_chosen_target *t)
{
	for (uint32_t i = 0; i < c->ptzs; i++)
		if (hash(c->ptz[i].cfg->name) == t->name && hash(c->ptz[i].cfg->camera) == t->configured)
			return &c->ptz[i];
	return NULL;
}

bool
obs_model_is_choice(const struct obs_model *m, bh_param_id id)
{
	enum obs_kind k = id < m->params && m->of_param[id].used ? (enum obs_kind)m->of_param[id].kind : OBS_KINDS;
	return k == OBS_K_VIEW || k == OBS_K_PTZ_CAMERA || k == OBS_K_PTZ_MODIFIER;
}

void
obs_model_remember(const struct obs_model *m, struct obs_chosen *k)
{
	const struct obs_cameras *c = m->cameras;
	k->magic = MAGIC;
	k->view = c->view;
	k->last = hash_of_camera(c, c->last);
	k->followed = c->followed;
	for (uint32_t i = 0; i < OBS_CHOSEN_TARGETS; i++) {
		const struct obs_ptz *p = i < c->ptzs ? &c->ptz[i] : NULL;
		struct obs_chosen_target *t = &k->target[i];
		t->name = p ? hash(p->cfg->name) : 0;
		t->configured = p ? hash(p->cfg->camera) : 0;
		t->camera = p ? hash_of_camera(c, p->camera) : 0;
		t->flags = p ? (p->dynamic ? DYNAMIC : 0) | (p->modifier ? MODIFIER : 0) : 0;
	}
}

static bool
has_split(const struct obs_model *m, uint32_t view)
{
	const char *scene = view == OBS_VIEW_SPLIT_LEFT ? m->cfg->split_left : view == OBS_VIEW_SPLIT_RIGHT ? m->cfg->split_right : NULL;
	return scene && *scene;
}

void
obs_model_recall(struct obs_model *m, const struct obs_chosen *k)
{
	struct obs_cameras *c = m->cameras;
	if (k->magic != MAGIC)
		return;
	c->view = has_split(m, k->view) ? (enum obs_view)k->view : OBS_VIEW_FULL;
	c->followed = k->followed;
	if (camera_of_hash(c, k->last) != OBS_NONE)
		c->last = camera_of_hash(c, k->last);
	for (uint32_t i = 0; i < OBS_CHOSEN_TARGETS; i++) {
		const struct obs_chosen_target *t = &k->target[i];
		struct obs_ptz *p = t->name ? target_of(c, t) : NULL;
		if (!p)
			continue;
		p->dynamic = t->flags & DYNAMIC;
		p->modifier = t->flags & MODIFIER;
		if (camera_of_hash(c, t->camera) != OBS_NONE)
			p->camera = camera_of_hash(c, t->camera);
	}
}
