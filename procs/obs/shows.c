/*
 * shows.c - actions that change the programme: scenes, cut, transition, studio mode
 *
 * What OBS 29 does, as tried out: a cut by choosing the transition Cut for a moment leaves OBS in the middle of a transition when the
 * one before is chosen again too early. So the scene gets a transition of its own, Cut, is put on air, and has its own
 * (or none) back, all in one RequestBatch: OBS takes that over when the transition begins and lets it go when it ends. In studio mode
 * what is asked for while a transition runs is answered with success and not done; and then OBS names a scene that is not on air.
 */
#include "procs/obs/actions_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_NS (2ull * 1000 * 1000 * 1000) /* so long after it was asked for a scene may not be told yet */
#define OLDER_NS 100000000ull		    /* what is told so soon may be from before it was asked for */

enum { PROGRAM = OBS_TO_PROGRAM, PREVIEW = OBS_TO_PREVIEW };

void
obs_scene_asked(struct obs_model *m, enum obs_target target, uint32_t scene)
{
	m->asked[target].scene = scene;
	m->asked[target].until_ns = m->now_ns + RUNS_NS;
	if (target == OBS_TO_PROGRAM)
		m->asked[OBS_TO_PREVIEW].until_ns = 0; /* OBS changes the preview, too, and tells that */
}

/* m->preview, m->program have been told by an event. */
void
obs_scene_told(struct obs_model *m, enum obs_target target)
{
	uint32_t told = target == OBS_TO_PREVIEW ? m->preview : m->program;

	if (told == m->asked[target].scene || m->now_ns + RUNS_NS > m->asked[target].until_ns + OLDER_NS)
		m->asked[target].until_ns = 0;
}

static int
no_preview(const struct obs_doing *d)
{
	return obs_refuse(d, EPERM, "studio mode is off: there is no preview");
}

int
obs_must_not_run(const struct obs_doing *d)
{
	return d->m->studio_mode && d->m->in_transition ? obs_refuse(d, EBUSY, "OBS is in the middle of a transition") : 0;
}

static int
show(struct obs_doing *d, uint32_t scene, int target)
{
	const char *name = d->m->object[scene].name;
	int r;

	if (target == PREVIEW && !d->m->studio_mode)
		return no_preview(d);
	if (target == PROGRAM && (r = obs_must_not_run(d)) < 0)
		return r;
	r = obs_act(d, target == PREVIEW ? OBS_REQ_SET_PREVIEW : OBS_REQ_SET_PROGRAM, "s", "sceneName", name);
	if (r == 0)
		obs_scene_asked(d->m, (enum obs_target)target, scene);
	return r;
}

static int
target_of(const struct obs_doing *d, unsigned arg)
{
	if (obs_arg(d, arg))
		return obs_arg_is(d, arg, "preview") ? PREVIEW : PROGRAM;
	return d->m->studio_mode ? PREVIEW : PROGRAM;
}

int
obs_do_scene(struct obs_doing *d)
{
	uint32_t scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0));

	return scene == OBS_NONE ? -ENOENT : show(d, scene, target_of(d, 1));
}

int
obs_do_program(struct obs_doing *d)
{
	uint32_t scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0));

	return scene == OBS_NONE ? -ENOENT : show(d, scene, PROGRAM);
}

int
obs_do_preview(struct obs_doing *d)
{
	uint32_t scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0));

	return scene == OBS_NONE ? -ENOENT : show(d, scene, PREVIEW);
}

/* ------------------------------------------------------------------ one after the other */

/* OBS tells a new program scene only when its transition has ended: two presses are two scenes all the same. */
static uint32_t
scene_now(const struct obs_model *m, int target)
{
	uint32_t asked = m->asked[target].scene, told = target == PREVIEW ? m->preview : m->program;
	bool waits = m->now_ns < m->asked[target].until_ns && (target == PREVIEW || m->in_transition);

	return waits && asked < m->objects && m->object[asked].used && m->object[asked].cls == OBS_SCENE ? asked : told;
}

static int
step(struct obs_doing *d, int by)
{
	struct obs_model *m = d->m;
	int target = target_of(d, 0);
	uint32_t now = scene_now(m, target), scene;
	int64_t at;

	if (target == PREVIEW && !m->studio_mode)
		return no_preview(d);
	at = now == OBS_NONE ? -1 : obs_list_find(&m->scenes, m->object[now].name);
	if (at < 0)
		return obs_refuse(d, EAGAIN, "OBS has not told its scenes yet");
	if (at + by < 0 || at + by >= m->scenes.count)
		return obs_refuse(d, ERANGE, "\"%s\" is the %s scene", m->object[now].name, by < 0 ? "first" : "last");
	scene = obs_look(d, OBS_SCENE, OBS_NONE, m->scenes.name[at + by]);
	return scene == OBS_NONE ? -ENOENT : show(d, scene, target);
}

int
obs_do_next(struct obs_doing *d)
{
	return step(d, 1);
}

int
obs_do_previous(struct obs_doing *d)
{
	return step(d, -1);
}

/* ------------------------------------------------------------------ to air */

static const char *
cut_name(const struct obs_model *m)
{
	return m->cut_name[0] ? m->cut_name : "Cut";
}

void
obs_batched_cut(struct obs_doing *d, const char *scene)
{
	obs_batched_vars(d, OBS_REQ_GET_OVERRIDE, "", "name=transitionName ms=transitionDuration", "s", "sceneName", scene);
	obs_batched(d, OBS_REQ_SET_OVERRIDE, "ss", "sceneName", scene, "transitionName", cut_name(d->m));
	obs_batched(d, OBS_REQ_SET_PROGRAM, "s", "sceneName", scene);
	obs_batched_vars(d, OBS_REQ_SET_OVERRIDE, "transitionName=name transitionDuration=ms", "", "s", "sceneName", scene);
}

/* OBS would put what was on air into preview, that is the scene itself; unless it is there. */
void
obs_batched_renewal(struct obs_doing *d, const char *scene)
{
	obs_batched_vars(d, OBS_REQ_GET_PREVIEW, "", "preview=currentPreviewSceneName", "");
	obs_batched(d, OBS_REQ_SET_PREVIEW, "s", "sceneName", scene);
	obs_batched_cut(d, scene);
	obs_batched_vars(d, OBS_REQ_SET_PREVIEW, "sceneName=preview", "", "");
}

int
obs_do_cut(struct obs_doing *d)
{
	uint32_t scene = OBS_NONE;
	int r;

	if (!obs_arg(d, 0) && !d->m->studio_mode)
		return no_preview(d);
	if (obs_arg(d, 0) && (scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0))) == OBS_NONE)
		return -ENOENT;
	if ((r = obs_must_not_run(d)) < 0)
		return r;
	/* That which the desk shows in preview, or asked for last: OBS may not have told it yet. */
	if (scene == OBS_NONE && (scene = scene_now(d->m, PREVIEW)) == OBS_NONE)
		return obs_refuse(d, EAGAIN, "OBS has not told yet what is in preview");
	obs_batch(d, OBS_CUT_REQUESTS);
	obs_batched_cut(d, d->m->object[scene].name);
	r = obs_batch_end(d, OBS_REQ_SET_PROGRAM);
	if (r == 0)
		obs_scene_asked(d->m, OBS_TO_PROGRAM, scene);
	return r;
}

static bool
is_ms(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

int
obs_do_transition(struct obs_doing *d)
{
	const char *name = obs_arg(d, 0), *ms = obs_arg(d, 1);
	int64_t duration = 0;
	int r;

	if (name && !ms && is_ms(name) && obs_list_find(&d->m->transitions, name) < 0) {
		ms = name;
		name = NULL;
	}
	if (!d->m->studio_mode)
		return no_preview(d);
	if ((r = obs_must_not_run(d)) < 0)
		return r;
	if (name && !obs_look_list(d, &d->m->transitions, "transition", name))
		return -ENOENT;
	if (ms && (!is_ms(ms) || strlen(ms) > 5 || (duration = atol(ms)) < 50 || duration > 20000))
		return obs_refuse(d, EINVAL, "a transition takes 50 to 20000 ms, not \"%s\"", ms);
	d->m->asked[PREVIEW].until_ns = 0;
	if (!name && !ms)
		return obs_act(d, OBS_REQ_TRIGGER_TRANSITION, "");
	obs_batch(d, 1u + (name != NULL) + (ms != NULL));
	if (name)
		obs_batched(d, OBS_REQ_SET_TRANSITION, "s", "transitionName", name);
	if (ms)
		obs_batched(d, OBS_REQ_SET_TRANSITION_DURATION, "i", "transitionDuration", duration);
	obs_batched(d, OBS_REQ_TRIGGER_TRANSITION, "");
	return obs_batch_end(d, OBS_REQ_TRIGGER_TRANSITION);
}

/* OBS puts what is on air into preview when it turns studio mode on. */
int
obs_do_studio_mode(struct obs_doing *d)
{
	bool on = obs_arg_is(d, 0, "toggle") ? !d->m->studio_mode : obs_arg_is(d, 0, "on");

	return obs_act(d, OBS_REQ_SET_STUDIO_MODE, "b", "studioModeEnabled", on);
}
