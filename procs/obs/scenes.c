/*
 * scenes.c - scenes and groups, program, preview, studio mode, tally; see model.h
 *
 * What OBS 29 does, as tried out:
 *   - CurrentProgramSceneChanged comes when a transition has ended, but GetCurrentProgramScene names the new scene from its beginning. So a
 *     transition that starts is asked what it leads to, and until it ends both scenes are on air.
 *   - In studio mode a scene that is put on air while a transition runs is answered with success and not shown; and from then on OBS names
 *     a scene that is not on air. We refuse it.
 *   - StudioModeStateChanged says nothing of the preview: it is asked for.
 *
 * With studio mode off there is no preview: `preview` keeps its last value (a choice cannot be none), the tally of scenes and
 * `scene/NAME/preview` say that nothing is in preview. So lights belong to these.
 */
#include "procs/obs/scenes_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

int
obs_refuse_value(struct obs_model *m, uint32_t object, enum obs_kind k, int err, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct obs_ask ask = {.is_value = true, .param = obs_param(m, object, k)};
	obs_fail(m, &ask, "%s", text);
	return -err;
}

/* ------------------------------------------------------------------ tally */

/* What an item shows may have become known to us only after it. */
static uint32_t
source_of(struct obs_model *m, uint32_t item)
{
	struct obs_object *o = &m->object[item];
	if (o->source != OBS_NONE || !o->number)
		return o->source;
	char name[OBS_NAME_MAX + 1];
	memcpy(name, o->name, sizeof(name));
	if (o->number > 1 && strrchr(name, '#'))
		*strrchr(name, '#') = '\0';
	return o->source = obs_find_source(m, name);
}

static void
collect_edges(struct obs_model *m)
{
	struct obs_show *s = &m->show;
	s->edges = 0;
	for (uint32_t n = 1; n < m->objects; n++) {
		uint32_t source;
		if (m->object[n].used && m->object[n].cls == OBS_ITEM && !m->object[n].hidden && (source = source_of(m, n)) != OBS_NONE)
			s->edge[s->edges++] = (struct obs_tally_edge){m->object[n].parent, source};
	}
	obs_tally_sort(s->edge, s->edges);
	s->edges_stale = false;
}

static void
tell_tally(struct obs_model *m, uint32_t object)
{
	enum obs_kind k = m->object[object].cls == OBS_SCENE ? OBS_K_SCENE_TALLY : OBS_K_INPUT_TALLY;
	struct bh_value now = bh_enum(m->show.tally[object]), told;
	if (!obs_told(m, object, k, &told) || told.i != now.i)
		obs_tell(m, object, k, now);
}

static bool
is_scene(const struct obs_model *m, uint32_t n)
{
	return n < m->objects && m->object[n].used && m->object[n].cls == OBS_SCENE;
}

void
obs_scenes_tally(struct obs_model *m)
{
	struct obs_show *s = &m->show;
	uint64_t result_ns = m->result_ns;
	if (s->edges_stale)
		collect_edges(m);
	s->stale = false;
	obs_tally(s->tally, m->objects, s->edge, s->edges, is_scene(m, m->program) ? m->program : OBS_NONE,
		  m->in_transition && is_scene(m, m->transition_from) ? m->transition_from : OBS_NONE,
		  m->studio_mode && is_scene(m, m->preview) ? m->preview : OBS_NONE, s->stack);
	m->result_ns = 0; /* worked out, not answered */
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && (m->object[n].cls == OBS_SCENE || m->object[n].cls == OBS_INPUT))
			tell_tally(m, n);
	m->result_ns = result_ns;
	obs_cameras_tally(m);
}

void
obs_scenes_changed(struct obs_model *m, bool items)
{
	m->show.stale = true;
	m->show.edges_stale |= items;
}

void
obs_scenes_settle(struct obs_model *m)
{
	if (m->show.stale && !m->taking)
		obs_scenes_tally(m);
}

/* ------------------------------------------------------------------ program and preview */

/* While the T-bar is under way, what was on air before is the programme still. */
static uint32_t
shown_program(const struct obs_model *m)
{
	bool by_hand = m->show.tbar != OBS_TBAR_HOME && m->show.tbar != OBS_TBAR_AWAY;
	return m->in_transition && by_hand && is_scene(m, m->transition_from) ? m->transition_from : m->program;
}

static void
tell_choice(struct obs_model *m, enum obs_kind k, uint32_t scene)
{
	int64_t at = is_scene(m, scene) ? obs_list_find(&m->scenes, m->object[scene].name) : -1;
	if (at >= 0)
		obs_tell(m, 0, k, bh_enum(at));
}

void
obs_scenes_tell(struct obs_model *m)
{
	uint32_t program = shown_program(m);
	uint64_t result_ns = m->result_ns;
	/* A list of scenes comes before those on air and in preview: no light goes out for that. */
	if (m->taking && (!is_scene(m, program) || (m->studio_mode && !is_scene(m, m->preview))))
		return;
	m->result_ns = 0; /* that it is not older than what was told has been looked at */
	tell_choice(m, OBS_K_PROGRAM, program);
	if (m->studio_mode)
		tell_choice(m, OBS_K_PREVIEW, m->preview);
	tell_choice(m, OBS_K_SELECTED, m->studio_mode ? m->preview : program);
	for (uint32_t n = 1; n < m->objects; n++) {
		if (!is_scene(m, n) || m->object[n].is_group)
			continue;
		obs_tell(m, n, OBS_K_SCENE_PROGRAM, bh_bool(n == program));
		obs_tell(m, n, OBS_K_SCENE_PREVIEW, bh_bool(m->studio_mode && n == m->preview));
	}
	m->result_ns = result_ns;
}

/* Of events the cameras hear for themselves. */
static void
tell_cameras(struct obs_model *m)
{
	if (!m->in_event && !m->taking)
		obs_cameras_follow(m);
}

/* The program scene as OBS names it. During a transition another one than before is what it leads to. */
void
obs_scenes_program_is(struct obs_model *m, uint32_t scene)
{
	bool changed = scene != m->program;
	if (m->in_transition && changed)
		m->transition_from = m->program;
	m->program = scene;
	obs_scenes_tell(m);
	obs_scenes_changed(m, false);
	if (changed)
		tell_cameras(m);
}

static void
preview_is(struct obs_model *m, uint32_t scene)
{
	bool changed = scene != m->preview;
	m->preview = scene;
	obs_scenes_tell(m);
	obs_scenes_changed(m, false);
	if (changed)
		tell_cameras(m);
}

static uint32_t
scene_in(const struct obs_model *m, const msgpack_object *d, const char *key)
{
	char name[OBS_NAME_MAX + 1];
	return obs_get_str(d, key, name, sizeof(name)) ? obs_find(m, OBS_SCENE, OBS_NONE, name) : OBS_NONE;
}

/* 5.4 has "sceneName" beside the older name. */
static uint32_t
scene_of_either(const struct obs_model *m, const msgpack_object *d, const char *key)
{
	uint32_t n = scene_in(m, d, key);
	return n != OBS_NONE ? n : scene_in(m, d, "sceneName");
}

static void
studio_mode_is(struct obs_model *m, bool on)
{
	bool was = m->studio_mode;
	m->studio_mode = on;
	obs_tell(m, 0, OBS_K_STUDIO_MODE, bh_bool(on));
	if (on && !was && m->in_event)
		obs_read_plain(m, OBS_REQ_GET_PREVIEW);
	if (!on)
		m->preview = OBS_NONE;
	obs_transitions_studio_mode(m);
	obs_scenes_tell(m);
	obs_scenes_changed(m, false);
}

/* ------------------------------------------------------------------ the list of scenes */

struct names {
	uint32_t count;
	const char *at[OBS_CHOICES_MAX];
	char name[OBS_CHOICES_MAX][OBS_NAME_MAX + 1];
};

static void
publish_list(struct obs_model *m, const struct names *l)
{
	bool changed = obs_list_set(m, &m->scenes, l->at, l->count) == 1;
	for (enum obs_kind k = OBS_K_PROGRAM; k <= OBS_K_SELECTED; k++)
		if (l->count && (changed || obs_param(m, 0, k) == OBS_NONE))
			obs_publish_choices(m, 0, k, &m->scenes);
	obs_scenes_tell(m);
}

/* OBS tells the bottom of its list first; ours begins at the top. */
static void
take_scenes(struct obs_model *m, const msgpack_object *d)
{
	static struct names l;
	const msgpack_object *scenes;
	uint32_t count;
	if (!obs_get_array(d, "scenes", &scenes, &count))
		return;
	l.count = 0;
	for (uint32_t i = count; i-- > 0;) {
		char name[OBS_NAME_MAX + 1];
		if (!obs_get_str(&scenes[i], "sceneName", name, sizeof(name)))
			continue;
		bool is_new = obs_find(m, OBS_SCENE, OBS_NONE, name) == OBS_NONE;
		uint32_t n = obs_add(m, OBS_SCENE, OBS_NONE, name);
		if (n == OBS_NONE)
			continue;
		m->object[n].index = (int32_t)(count - 1 - i);
		m->object[n].is_group = false;
		if (is_new && m->in_event)
			obs_items_want_list(m, n);
		obs_publish(m, n);
		if (l.count == OBS_CHOICES_MAX)
			continue;
		memcpy(l.name[l.count], name, sizeof(name));
		l.at[l.count] = l.name[l.count];
		l.count++;
	}
	publish_list(m, &l);
}

static void
rename_in_list(struct obs_model *m, const char *old, const char *name)
{
	static struct names l;
	l.count = m->scenes.count;
	for (uint32_t i = 0; i < l.count; i++) {
		snprintf(l.name[i], sizeof(l.name[i]), "%s", strcmp(m->scenes.name[i], old) ? m->scenes.name[i] : name);
		l.at[i] = l.name[i];
	}
	publish_list(m, &l);
}

static void
add_scene(struct obs_model *m, const char *name, bool is_group)
{
	uint32_t n = obs_add(m, OBS_SCENE, OBS_NONE, name);
	if (n == OBS_NONE)
		return;
	m->object[n].is_group = is_group;
	obs_publish(m, n);
	obs_scenes_tell(m);
	if (m->in_event)
		obs_items_want_list(m, n);
}

static void
take_groups(struct obs_model *m, const msgpack_object *d)
{
	const msgpack_object *groups;
	uint32_t count;
	if (!obs_get_array(d, "groups", &groups, &count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		char name[OBS_NAME_MAX + 1];
		if (obs_str(&groups[i], name, sizeof(name)))
			add_scene(m, name, true);
	}
}

void
obs_scenes_forget(struct obs_model *m, uint32_t object)
{
	m->show.list[object] = 0;
	if (m->program == object)
		m->program = OBS_NONE;
	if (m->preview == object)
		m->preview = OBS_NONE;
	if (m->transition_from == object)
		m->transition_from = OBS_NONE;
	obs_scenes_changed(m, true);
}

/* ------------------------------------------------------------------ what OBS tells */

static bool
scene_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1], old[OBS_NAME_MAX + 1];
	bool is_group = false;
	uint32_t scene;
	if (!strcmp(type, "SceneCreated") && obs_get_str(d, "sceneName", name, sizeof(name))) {
		obs_get_bool(d, "isGroup", &is_group);
		add_scene(m, name, is_group);
	} else if (!strcmp(type, "SceneRemoved")) {
		if ((scene = scene_in(m, d, "sceneName")) != OBS_NONE)
			obs_remove(m, scene);
	} else if (!strcmp(type, "SceneListChanged")) {
		take_scenes(m, d);
	} else if (!strcmp(type, "SceneNameChanged") && obs_get_str(d, "oldSceneName", old, sizeof(old)) &&
		   obs_get_str(d, "sceneName", name, sizeof(name)) && (scene = obs_find(m, OBS_SCENE, OBS_NONE, old)) != OBS_NONE) {
		obs_rename(m, scene, name);
		rename_in_list(m, old, name);
		obs_scenes_changed(m, true); /* the new name may have been another's */
	} else {
		return !strncmp(type, "Scene", 5) && strncmp(type, "SceneItem", 9) && strncmp(type, "SceneTransition", 15) &&
		       strncmp(type, "SceneCollection", 15);
	}
	return true;
}

static bool
shown_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	uint32_t scene = scene_in(m, d, "sceneName");
	bool on;
	if (!strcmp(type, "CurrentProgramSceneChanged")) {
		m->show.program_event_ns = m->now_ns;
		m->show.misnamed = false;
		if (scene != OBS_NONE)
			obs_scenes_program_is(m, scene);
	} else if (!strcmp(type, "CurrentPreviewSceneChanged")) {
		m->show.preview_event_ns = m->now_ns;
		if (scene != OBS_NONE)
			preview_is(m, scene);
	} else if (!strcmp(type, "StudioModeStateChanged")) {
		if (obs_get_bool(d, "studioModeEnabled", &on))
			studio_mode_is(m, on);
	} else {
		return false;
	}
	return true;
}

bool
obs_scenes_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	return obs_items_event(m, type, d) || obs_transitions_event(m, type, d) || shown_event(m, type, d) || scene_event(m, type, d);
}

static void
take_list_result(struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	take_scenes(m, d);
	m->transition_from = OBS_NONE;
	if (obs_get_str(d, "currentProgramSceneName", name, sizeof(name)))
		obs_scenes_program_is(m, obs_find(m, OBS_SCENE, OBS_NONE, name));
	if (obs_get_str(d, "currentPreviewSceneName", name, sizeof(name)))
		m->preview = obs_find(m, OBS_SCENE, OBS_NONE, name);
	obs_scenes_tell(m);
}

static void
take_shown(struct obs_model *m, enum obs_req req, const msgpack_object *d)
{
	bool program = req == OBS_REQ_GET_PROGRAM;
	uint64_t event_ns = program ? m->show.program_event_ns : m->show.preview_event_ns;
	if ((m->result_ns && event_ns > m->result_ns) || (program && m->show.misnamed))
		return;
	uint32_t scene = scene_of_either(m, d, program ? "currentProgramSceneName" : "currentPreviewSceneName");
	if (scene == OBS_NONE)
		return;
	if (program)
		obs_scenes_program_is(m, scene);
	else
		preview_is(m, scene);
}

static bool
scene_result(struct obs_model *m, enum obs_req req, const struct obs_result *r)
{
	bool on;
	switch (req) {
	case OBS_REQ_GET_SCENE_LIST:
		if (r->ok)
			take_list_result(m, r->data);
		return true;
	case OBS_REQ_GET_GROUP_LIST:
		if (r->ok)
			take_groups(m, r->data);
		return true;
	case OBS_REQ_GET_STUDIO_MODE:
		if (r->ok && obs_get_bool(r->data, "studioModeEnabled", &on))
			studio_mode_is(m, on);
		return true;
	case OBS_REQ_GET_PROGRAM:
	case OBS_REQ_GET_PREVIEW:
		if (r->ok)
			take_shown(m, req, r->data);
		return true;
	case OBS_REQ_GET_VIDEO_SETTINGS:
		if (r->ok) {
			obs_get_number(r->data, "baseWidth", &m->canvas_width);
			obs_get_number(r->data, "baseHeight", &m->canvas_height);
		}
		return true;
	default: return false;
	}
}

bool
obs_scenes_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r)
{
	return scene_result(m, req, r) || obs_items_result(m, req, object, r) || obs_transitions_result(m, req, r);
}

/* ------------------------------------------------------------------ what a hand wants */

bool
obs_is_on_its_way(const struct obs_model *m, enum obs_kind k)
{
	uint32_t id = obs_param(m, 0, k);
	return id != OBS_NONE && obs_queue_is_busy(m->queue, id);
}

static int
check_shown(struct obs_model *m, uint32_t object, enum obs_kind k)
{
	bool program = k == OBS_K_PROGRAM || k == OBS_K_SCENE_PROGRAM;
	if (program && m->studio_mode && m->in_transition)
		return obs_refuse_value(m, object, k, EBUSY, "OBS is in the middle of a transition");
	if (!program && !m->studio_mode && !obs_is_on_its_way(m, OBS_K_STUDIO_MODE))
		return obs_refuse_value(m, object, k, EPERM, "studio mode is off: there is no preview");
	return 0;
}

static int
put_scene(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	const char *name = m->object[object].name;
	if (object == 0 && (v->i < 0 || v->i >= (int64_t)m->scenes.count))
		return -EINVAL;
	if (object == 0)
		name = m->scenes.name[v->i];
	ask->req = k == OBS_K_PROGRAM || k == OBS_K_SCENE_PROGRAM ? OBS_REQ_SET_PROGRAM : OBS_REQ_SET_PREVIEW;
	obs_put_request(o, id, ask->req, 1);
	obs_put_str(o, "sceneName", name);
	return 0;
}

int
obs_scenes_set(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint64_t until_ns)
{
	switch (k) {
	case OBS_K_PROGRAM:
	case OBS_K_PREVIEW: {
		int r = check_shown(m, object, k);
		uint32_t scene = r == 0 && v->i >= 0 && v->i < m->scenes.count ? obs_find(m, OBS_SCENE, OBS_NONE, m->scenes.name[v->i]) : OBS_NONE;
		if (scene != OBS_NONE)
			obs_scene_asked(m, k == OBS_K_PREVIEW ? OBS_TO_PREVIEW : OBS_TO_PROGRAM, scene);
		return r;
	}
	case OBS_K_SCENE_PROGRAM:
	case OBS_K_SCENE_PREVIEW:
		if (!v->i)
			return obs_refuse_value(m, object, k, EINVAL, "a scene leaves when another is chosen");
		int r = check_shown(m, object, k);
		if (r == 0)
			obs_scene_asked(m, k == OBS_K_SCENE_PREVIEW ? OBS_TO_PREVIEW : OBS_TO_PROGRAM, object);
		return r;
	case OBS_K_TRANSITION_DURATION:
		if (m->show.fixed)
			return obs_refuse_value(m, object, k, EPERM, "the current transition has no duration that can be set");
		return 0;
	case OBS_K_TBAR:
		return obs_tbar_set(m, v->f, until_ns);
	default: return 0;
	}
}

int
obs_scenes_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o,
		  struct obs_ask *ask)
{
	switch (k) {
	case OBS_K_PROGRAM:
	case OBS_K_PREVIEW:
	case OBS_K_SCENE_PROGRAM:
	case OBS_K_SCENE_PREVIEW: return put_scene(m, object, k, v, id, o, ask);
	case OBS_K_STUDIO_MODE:
		ask->req = OBS_REQ_SET_STUDIO_MODE;
		obs_put_request(o, id, ask->req, 1);
		obs_put_bool(o, "studioModeEnabled", v->i != 0);
		return 0;
	default:
		return m->object[object].cls == OBS_ITEM ? obs_items_encode(m, object, k, v, id, o, ask)
							 : obs_transitions_encode(m, k, v, id, o, ask);
	}
}

void
obs_scenes_done(struct obs_model *m, const struct obs_ask *ask)
{
	if (ask->req == OBS_REQ_SET_TBAR)
		obs_tbar_done(m);
}

void
obs_scenes_failed(struct obs_model *m, const struct obs_ask *ask, bool refused)
{
	if (ask->req == OBS_REQ_SET_TBAR)
		obs_tbar_failed(m, ask, refused);
}

/* ------------------------------------------------------------------ life */

void
obs_scenes_begin(struct obs_model *m)
{
	m->program = m->preview = m->transition_from = OBS_NONE;
	m->in_transition = false;
	m->show.hears_transforms = false;
	memset(m->show.list, 0, sizeof(m->show.list));
	m->show.program_event_ns = m->show.preview_event_ns = 0;
	obs_scenes_changed(m, true);
	obs_transitions_begin(m);
}

void
obs_scenes_disconnected(struct obs_model *m)
{
	memset(m->show.list, 0, sizeof(m->show.list));
}

uint64_t
obs_scenes_tick(struct obs_model *m)
{
	obs_scenes_settle(m);
	return obs_transitions_tick(m);
}
