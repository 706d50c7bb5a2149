/*
 * outputs.c - stream, record, replay buffer, virtual camera, statistics, profiles and collections; see model.h
 *
 * What an output does is what its events say, never that a request for it was accepted: a stream with a bad address is answered with
 * success, then goes STARTING, STOPPED. `stream` and its like are on from STARTING until STOPPED; `stream/state` says how far it is. OBS's
 * own `outputActive` is no help: it is false for a recording that pauses.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

#define PAUSE_NS  (2000 * BH_NS_PER_MS)	 /* OBS has done it by then, or will not */
#define FREEZE_NS (30000 * BH_NS_PER_MS) /* a change of collection takes seconds, not this long */

struct output {
	enum obs_kind on, state;
	const char *event, *name;
	enum obs_req start, stop, get;
};

static const struct output outputs[OBS_OUTPUTS] = {
	[OBS_STREAM] = {OBS_K_STREAM, OBS_K_STREAM_STATE, "StreamStateChanged", "the stream", OBS_REQ_START_STREAM, OBS_REQ_STOP_STREAM,
			OBS_REQ_GET_STREAM},
	[OBS_RECORD] = {OBS_K_RECORD, OBS_K_RECORD_STATE, "RecordStateChanged", "the recording", OBS_REQ_START_RECORD, OBS_REQ_STOP_RECORD,
			OBS_REQ_GET_RECORD},
	[OBS_REPLAY] = {OBS_K_REPLAY, OBS_K_REPLAY_STATE, "ReplayBufferStateChanged", "the replay buffer", OBS_REQ_START_REPLAY,
			OBS_REQ_STOP_REPLAY, OBS_REQ_GET_REPLAY},
	[OBS_VIRTUALCAM] = {OBS_K_VIRTUALCAM, OBS_K_VIRTUALCAM_STATE, "VirtualcamStateChanged", "the virtual camera",
			    OBS_REQ_START_VIRTUALCAM, OBS_REQ_STOP_VIRTUALCAM, OBS_REQ_GET_VIRTUALCAM},
};

/* ------------------------------------------------------------------ numbers */

/* Digits that nobody reads would only be reported. */
static void
tell_number(struct obs_model *m, enum obs_kind k, double v, double step)
{
	const struct obs_kind_row *row = &obs_kinds[k];
	v = round(v / step) * step;
	if (row->max > row->min)
		v = fmin(fmax(v, row->min), row->max);
	obs_tell(m, 0, k, bh_float(v));
}

static void
tell_scaled(struct obs_model *m, const msgpack_object *d, const char *key, double scale, enum obs_kind k, double step)
{
	double v;
	if (obs_get_number(d, key, &v))
		tell_number(m, k, v * scale, step);
}

static void
tell_share(struct obs_model *m, const msgpack_object *d, const char *part, const char *all, enum obs_kind k)
{
	double n, of;
	if (obs_get_number(d, part, &n) && obs_get_number(d, all, &of))
		tell_number(m, k, of > 0 ? n / of * 100 : 0, 0.01);
}

/* ------------------------------------------------------------------ what an output does */

static void
tell_nothing_runs(struct obs_model *m, enum obs_output_id n)
{
	if (n == OBS_STREAM) {
		tell_number(m, OBS_K_STREAM_TIME, 0, 1);
		tell_number(m, OBS_K_STREAM_CONGESTION, 0, 1);
	} else if (n == OBS_RECORD) {
		tell_number(m, OBS_K_RECORD_TIME, 0, 1);
	}
}

static void
state_is(struct obs_model *m, enum obs_output_id n, enum obs_output state)
{
	m->outputs.state[n] = state;
	m->outputs.known[n] = true;
	obs_tell(m, 0, outputs[n].state, bh_enum(state));
	obs_tell(m, 0, outputs[n].on, bh_bool(state != OBS_OUTPUT_STOPPED));
	if (n == OBS_RECORD)
		obs_tell(m, 0, OBS_K_RECORD_PAUSED, bh_bool(state == OBS_OUTPUT_PAUSED));
	if (state == OBS_OUTPUT_STOPPED)
		tell_nothing_runs(m, n);
}

static bool
state_of_word(const char *word, enum obs_output *out)
{
	static const struct {
		const char *word;
		enum obs_output state;
	} words[] = {{"STARTING", OBS_OUTPUT_STARTING}, {"STARTED", OBS_OUTPUT_STARTED}, {"STOPPING", OBS_OUTPUT_STOPPING},
		     {"STOPPED", OBS_OUTPUT_STOPPED}, {"RECONNECTING", OBS_OUTPUT_RECONNECTING}, {"RECONNECTED", OBS_OUTPUT_STARTED},
		     {"PAUSED", OBS_OUTPUT_PAUSED}, {"RESUMED", OBS_OUTPUT_STARTED}};
	static const char prefix[] = "OBS_WEBSOCKET_OUTPUT_";
	if (strncmp(word, prefix, sizeof(prefix) - 1))
		return false;
	for (size_t i = 0; i < BH_ARRAY_LEN(words); i++)
		if (!strcmp(word + sizeof(prefix) - 1, words[i].word)) {
			*out = words[i].state;
			return true;
		}
	return false;
}

static void
on_state(struct obs_model *m, enum obs_output_id n, const msgpack_object *d)
{
	char word[64];
	enum obs_output was = m->outputs.state[n], now;
	if (!obs_get_str(d, "outputState", word, sizeof(word)) || !state_of_word(word, &now))
		return;
	m->outputs.event_ns[n] = m->now_ns;
	state_is(m, n, now);
	if (n == OBS_RECORD && now != OBS_OUTPUT_STARTING)
		m->outputs.pause_until_ns = 0;
	if (was == OBS_OUTPUT_STARTING && now == OBS_OUTPUT_STOPPED)
		obs_refuse_value(m, 0, outputs[n].on, EIO, "OBS could not start %s; OBS's own window and log say why", outputs[n].name);
}

/* What a question finds. Between the events of a start or a stop OBS says "active" or not as it likes: only its events count then. */
static void
take_active(struct obs_model *m, enum obs_output_id n, const msgpack_object *d)
{
	bool active, paused = false, reconnecting = false, known = m->outputs.known[n];
	enum obs_output was = m->outputs.state[n];
	if (!obs_get_bool(d, "outputActive", &active) || (m->result_ns && m->outputs.event_ns[n] > m->result_ns))
		return;
	if (known && (was == OBS_OUTPUT_STARTING || was == OBS_OUTPUT_STOPPING))
		return;
	if (!obs_get_bool(d, "outputPaused", &paused))
		obs_get_bool(d, "ouputPaused", &paused); /* as 5.0 spells it */
	obs_get_bool(d, "outputReconnecting", &reconnecting);
	state_is(m, n, !active ? OBS_OUTPUT_STOPPED : paused ? OBS_OUTPUT_PAUSED : reconnecting ? OBS_OUTPUT_RECONNECTING : OBS_OUTPUT_STARTED);
}

static void
take_output(struct obs_model *m, enum obs_output_id n, const msgpack_object *d)
{
	take_active(m, n, d);
	if (m->outputs.state[n] == OBS_OUTPUT_STOPPED)
		return;
	if (n == OBS_STREAM) {
		tell_scaled(m, d, "outputDuration", 1e-3, OBS_K_STREAM_TIME, 0.1);
		tell_scaled(m, d, "outputCongestion", 100, OBS_K_STREAM_CONGESTION, 0.1);
		tell_share(m, d, "outputSkippedFrames", "outputTotalFrames", OBS_K_STREAM_DROPPED);
	} else if (n == OBS_RECORD) {
		tell_scaled(m, d, "outputDuration", 1e-3, OBS_K_RECORD_TIME, 0.1);
	}
}

static void
take_stats(struct obs_model *m, const msgpack_object *d)
{
	tell_scaled(m, d, "activeFps", 1, OBS_K_FPS, 0.01);
	tell_scaled(m, d, "averageFrameRenderTime", 1, OBS_K_FRAME_TIME, 0.01);
	tell_scaled(m, d, "cpuUsage", 1, OBS_K_CPU, 0.1);
	tell_scaled(m, d, "memoryUsage", 1, OBS_K_MEMORY, 1);
	tell_scaled(m, d, "availableDiskSpace", 1.0 / 1024, OBS_K_DISK, 0.01);
	tell_share(m, d, "renderSkippedFrames", "renderTotalFrames", OBS_K_RENDER_SKIPPED);
	tell_share(m, d, "outputSkippedFrames", "outputTotalFrames", OBS_K_OUTPUT_SKIPPED);
}

/* A file's name says more than the beginning of its path. */
static void
on_replay_saved(struct obs_model *m, const msgpack_object *d)
{
	char path[4096];
	if (!obs_get_str(d, "savedReplayPath", path, sizeof(path)))
		return;
	const char *name = strrchr(path, '/');
	obs_tell(m, 0, OBS_K_REPLAY_SAVED, bh_text(strlen(path) > BH_TEXT_MAX && name ? name + 1 : path));
}

/* ------------------------------------------------------------------ pause */

static void
pause_wanted(struct obs_model *m, bool on)
{
	m->outputs.pause_wanted = on;
	m->outputs.pause_until_ns = m->now_ns + PAUSE_NS;
}

static uint64_t
pause_tick(struct obs_model *m)
{
	struct obs_outputs *o = &m->outputs;
	if (!o->pause_until_ns || m->now_ns < o->pause_until_ns)
		return o->pause_until_ns;
	o->pause_until_ns = 0;
	if (o->pause_wanted)
		obs_refuse_value(m, 0, OBS_K_RECORD_PAUSED, EIO, "OBS did not pause the recording: one that has the stream's encoder cannot pause "
								 "(OBS: Settings, Output, quality of the recording)");
	else
		obs_refuse_value(m, 0, OBS_K_RECORD_PAUSED, EIO, "OBS did not go on recording");
	obs_read_plain(m, OBS_REQ_GET_RECORD);
	return 0;
}

/* ------------------------------------------------------------------ profiles and collections */

static void
choice_is(struct obs_model *m, enum obs_kind k, const struct obs_list *list, const char *name)
{
	int64_t at = obs_list_find(list, name);
	if (at >= 0)
		obs_tell(m, 0, k, bh_enum(at));
}

static void
take_names(struct obs_model *m, enum obs_kind k, struct obs_list *list, const msgpack_object *d, const char *key, const char *current_key)
{
	static char name[OBS_CHOICES_MAX][OBS_NAME_MAX + 1];
	const char *at[OBS_CHOICES_MAX], *const *names = at;
	char current[OBS_NAME_MAX + 1];
	const msgpack_object *items;
	struct bh_value told;
	uint32_t count, n = 0;
	if (!obs_get_array(d, key, &items, &count))
		return;
	bool had = obs_told(m, 0, k, &told) && told.i >= 0 && told.i < (int64_t)list->count;
	if (had)
		snprintf(current, sizeof(current), "%s", list->name[told.i]);
	for (uint32_t i = 0; i < count && n < OBS_CHOICES_MAX; i++)
		if (obs_str(&items[i], name[n], sizeof(name[n]))) {
			at[n] = name[n];
			n++;
		}
	bool changed = obs_list_set(m, list, names, n) == 1;
	if (n && (changed || obs_param(m, 0, k) == OBS_NONE))
		obs_publish_choices(m, 0, k, list);
	if (obs_get_str(d, current_key, current, sizeof(current)) || had)
		choice_is(m, k, list, current);
}

static void
on_changing(struct obs_model *m)
{
	m->frozen = true;
	m->outputs.frozen_until_ns = m->now_ns + FREEZE_NS;
}

static void
on_changed(struct obs_model *m)
{
	m->frozen = false;
	m->outputs.frozen_until_ns = 0;
	m->wants_picture = true;
}

/* Its end was never told: look for ourselves. */
uint64_t
obs_outputs_thaw(struct obs_model *m)
{
	if (m->frozen && m->outputs.frozen_until_ns && m->now_ns >= m->outputs.frozen_until_ns)
		on_changed(m);
	return m->frozen ? m->outputs.frozen_until_ns : 0;
}

static bool
config_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	if (!strcmp(type, "CurrentSceneCollectionChanging") || !strcmp(type, "CurrentProfileChanging")) {
		on_changing(m);
	} else if (!strcmp(type, "CurrentSceneCollectionChanged")) {
		if (obs_get_str(d, "sceneCollectionName", name, sizeof(name)))
			choice_is(m, OBS_K_COLLECTION, &m->collections, name);
		on_changed(m);
	} else if (!strcmp(type, "CurrentProfileChanged")) {
		if (obs_get_str(d, "profileName", name, sizeof(name)))
			choice_is(m, OBS_K_PROFILE, &m->profiles, name);
		on_changed(m);
	} else if (!strcmp(type, "SceneCollectionListChanged")) {
		take_names(m, OBS_K_COLLECTION, &m->collections, d, "sceneCollections", "currentSceneCollectionName");
	} else if (!strcmp(type, "ProfileListChanged")) {
		take_names(m, OBS_K_PROFILE, &m->profiles, d, "profiles", "currentProfileName");
	} else {
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------ the area */

bool
obs_outputs_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	for (unsigned n = 0; n < OBS_OUTPUTS; n++)
		if (!strcmp(type, outputs[n].event)) {
			on_state(m, (enum obs_output_id)n, d);
			return true;
		}
	if (!strcmp(type, "ReplayBufferSaved")) {
		on_replay_saved(m, d);
		return true;
	}
	return config_event(m, type, d);
}

bool
obs_outputs_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r)
{
	(void)object;
	for (unsigned n = 0; n < OBS_OUTPUTS; n++)
		if (req == outputs[n].get) {
			if (r->ok)
				take_output(m, (enum obs_output_id)n, r->data);
			return true;
		}
	switch (req) {
	case OBS_REQ_GET_STATS:
		m->outputs.asked_ns = 0;
		if (r->ok)
			take_stats(m, r->data);
		return true;
	case OBS_REQ_GET_PROFILES:
		if (r->ok)
			take_names(m, OBS_K_PROFILE, &m->profiles, r->data, "profiles", "currentProfileName");
		return true;
	case OBS_REQ_GET_COLLECTIONS:
		if (r->ok)
			take_names(m, OBS_K_COLLECTION, &m->collections, r->data, "sceneCollections", "currentSceneCollectionName");
		return true;
	default: return false;
	}
}

static int
put_choice(const struct obs_list *list, const struct bh_value *v, enum obs_req req, const char *member, uint32_t id, struct obs_out *o,
	   struct obs_ask *ask)
{
	if (v->i < 0 || v->i >= (int64_t)list->count)
		return -EINVAL;
	ask->req = req;
	obs_put_request(o, id, req, 1);
	obs_put_str(o, member, list->name[v->i]);
	return 0;
}

int
obs_outputs_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o,
		   struct obs_ask *ask)
{
	(void)object;
	if (k == OBS_K_PROFILE)
		return put_choice(&m->profiles, v, OBS_REQ_SET_PROFILE, "profileName", id, o, ask);
	if (k == OBS_K_COLLECTION)
		return put_choice(&m->collections, v, OBS_REQ_SET_COLLECTION, "sceneCollectionName", id, o, ask);
	ask->req = OBS_REQ_COUNT;
	for (unsigned n = 0; n < OBS_OUTPUTS; n++)
		if (k == outputs[n].on)
			ask->req = v->i ? outputs[n].start : outputs[n].stop;
	if (k == OBS_K_RECORD_PAUSED) {
		ask->req = v->i ? OBS_REQ_PAUSE_RECORD : OBS_REQ_RESUME_RECORD;
		pause_wanted(m, v->i != 0);
	}
	if (ask->req == OBS_REQ_COUNT)
		return -EINVAL;
	obs_put_request(o, id, ask->req, 0);
	return 0;
}

bool
obs_outputs_is_harmless(const struct obs_model *m, const struct obs_ask *ask, int code)
{
	enum { RUNNING = 500, NOT_RUNNING = 501, PAUSED = 502, NOT_PAUSED = 503 };
	for (unsigned n = 0; n < OBS_OUTPUTS; n++) {
		if (ask->req == outputs[n].start && code == RUNNING)
			return m->outputs.state[n] != OBS_OUTPUT_STOPPING;
		/* One that is starting does not run yet, but it will. */
		if (ask->req == outputs[n].stop && code == NOT_RUNNING)
			return m->outputs.state[n] != OBS_OUTPUT_STARTING;
	}
	return (ask->req == OBS_REQ_PAUSE_RECORD && code == PAUSED) || (ask->req == OBS_REQ_RESUME_RECORD && code == NOT_PAUSED);
}

void
obs_outputs_failed(struct obs_model *m, const struct obs_ask *ask)
{
	if (ask->req == OBS_REQ_PAUSE_RECORD || ask->req == OBS_REQ_RESUME_RECORD)
		m->outputs.pause_until_ns = 0;
}

void
obs_outputs_begin(struct obs_model *m)
{
	m->outputs = (struct obs_outputs){0};
}

/* Only what runs is asked how it is doing; and nothing anew while OBS owes the last answer. */
static void
poll_all(struct obs_model *m)
{
	m->outputs.asked_ns = obs_read_plain(m, OBS_REQ_GET_STATS) == 0 ? m->now_ns : 0;
	if (m->outputs.state[OBS_STREAM] != OBS_OUTPUT_STOPPED)
		obs_read_plain(m, OBS_REQ_GET_STREAM);
	if (m->outputs.state[OBS_RECORD] != OBS_OUTPUT_STOPPED)
		obs_read_plain(m, OBS_REQ_GET_RECORD);
}

uint64_t
obs_outputs_tick(struct obs_model *m)
{
	uint64_t next = pause_tick(m), period = (uint64_t)m->cfg->stats_ms * BH_NS_PER_MS;
	if (!m->connected || !period)
		return next;
	if (m->now_ns >= m->next_stats_ns) {
		if (!m->outputs.asked_ns || m->now_ns >= m->outputs.asked_ns + OBS_ANSWER_MS * BH_NS_PER_MS)
			poll_all(m);
		m->next_stats_ns = m->now_ns + period;
	}
	return next && next < m->next_stats_ns ? next : m->next_stats_ns;
}
