/* inputs.c - inputs and media: what OBS tells of them, and requests for what a hand wants; see model.h */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

#define CHANNELS_MAX 8u
#define MEDIA_SOON_NS 150000000ull /* a media source says where it is that long after it was moved */

/* In the order of the choices of OBS_K_MONITOR and OBS_K_MEDIA_STATE. */
static const char *const monitor_types[] = {"OBS_MONITORING_TYPE_NONE", "OBS_MONITORING_TYPE_MONITOR_ONLY", "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"};
static const char *const media_states[] = {"OBS_MEDIA_STATE_NONE", "OBS_MEDIA_STATE_PLAYING", "OBS_MEDIA_STATE_OPENING", "OBS_MEDIA_STATE_BUFFERING",
					   "OBS_MEDIA_STATE_PAUSED", "OBS_MEDIA_STATE_STOPPED", "OBS_MEDIA_STATE_ENDED", "OBS_MEDIA_STATE_ERROR"};

/* ------------------------------------------------------------------ what comes */

static int64_t
place_of(const char *word, const char *const *words, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!strcmp(word, words[k]))
			return (int64_t)k;
	return -1;
}

/* Kinds with a transport; a source of another kind has one if it ever says so. */
static bool
is_media_kind(const char *kind)
{
	static const char *const kinds[] = {"ffmpeg_source", "vlc_source", "slideshow"};
	return place_of(kind, kinds, BH_ARRAY_LEN(kinds)) >= 0;
}

static void
become(struct obs_model *m, uint32_t n, bool audio, bool media)
{
	struct obs_object *o = &m->object[n];
	if (o->audio == audio && o->media == media && obs_param(m, n, OBS_K_INPUT_TALLY) != OBS_NONE)
		return;
	o->audio = audio;
	o->media = media;
	obs_publish(m, n);
}

static uint32_t
add_input(struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1], kind[sizeof(m->object->kind)];
	if (!obs_get_str(d, "inputName", name, sizeof(name)))
		return OBS_NONE;
	uint32_t n = obs_add(m, OBS_INPUT, OBS_NONE, name);
	if (n == OBS_NONE)
		return n;
	struct obs_object *o = &m->object[n];
	if (!obs_get_str(d, "unversionedInputKind", kind, sizeof(kind)))
		obs_get_str(d, "inputKind", kind, sizeof(kind)) || (kind[0] = '\0');
	if (strcmp(kind, o->kind)) {
		snprintf(o->kind, sizeof(o->kind), "%s", kind);
		o->media = is_media_kind(kind);
		obs_publish(m, n);
	}
	become(m, n, o->audio, o->media);
	return n;
}

static void
take_list(struct obs_model *m, const msgpack_object *d)
{
	const msgpack_object *items;
	uint32_t count;
	if (!obs_get_array(d, "inputs", &items, &count))
		return;
	for (uint32_t k = 0; k < count; k++)
		add_input(m, &items[k]);
}

static void
take_volume(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	double db;
	if (!obs_get_number(d, "inputVolumeDb", &db))
		return;
	become(m, n, true, m->object[n].media); /* an event may come before the first answer */
	obs_tell(m, n, OBS_K_VOLUME, bh_float(fmin(fmax(db, obs_kinds[OBS_K_VOLUME].min), obs_kinds[OBS_K_VOLUME].max)));
}

static void
take_mute(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	bool muted;
	if (obs_get_bool(d, "inputMuted", &muted))
		obs_tell(m, n, OBS_K_MUTE, bh_bool(muted));
}

static void
take_balance(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	double balance;
	if (obs_get_number(d, "inputAudioBalance", &balance))
		obs_tell(m, n, OBS_K_BALANCE, bh_float(balance));
}

static void
take_sync(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	int64_t ms;
	if (obs_get_int(d, "inputAudioSyncOffset", &ms))
		obs_tell(m, n, OBS_K_SYNC, bh_int(ms));
}

static void
take_monitor(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	char type[64];
	int64_t choice = obs_get_str(d, "monitorType", type, sizeof(type)) ? place_of(type, monitor_types, BH_ARRAY_LEN(monitor_types)) : -1;
	if (choice >= 0)
		obs_tell(m, n, OBS_K_MONITOR, bh_enum(choice));
}

static void
take_tracks(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	static const char *const track[] = {"1", "2", "3", "4", "5", "6"};
	const msgpack_object *tracks;
	bool on;
	if (!obs_get_map(d, "inputAudioTracks", &tracks))
		return;
	for (unsigned k = 0; k < BH_ARRAY_LEN(track); k++)
		if (obs_get_bool(tracks, track[k], &on))
			obs_tell(m, n, OBS_K_TRACK1 + k, bh_bool(on));
}

static bool
is_running(int64_t state)
{
	return state == OBS_MEDIA_PLAYING || state == OBS_MEDIA_OPENING || state == OBS_MEDIA_BUFFERING;
}

/* Where a media source is, OBS does not say by itself. */
static void
look_by(struct obs_model *m, uint64_t when_ns)
{
	if (m->next_media_ns > when_ns)
		m->next_media_ns = when_ns;
}

static uint64_t
media_period(const struct obs_model *m)
{
	return (uint64_t)(m->cfg->media_ms ? m->cfg->media_ms : 500) * 1000000;
}

static void
tell_media(struct obs_model *m, uint32_t n, int64_t state)
{
	become(m, n, m->object[n].audio, m->object[n].media || state != OBS_MEDIA_NONE);
	obs_tell(m, n, OBS_K_MEDIA_STATE, bh_enum(state));
	obs_tell(m, n, OBS_K_MEDIA_PLAYING, bh_bool(is_running(state)));
	if (is_running(state))
		look_by(m, m->now_ns + media_period(m));
}

static void
take_media(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	char word[64];
	double duration = 0, cursor = 0;
	int64_t state = obs_get_str(d, "mediaState", word, sizeof(word)) ? place_of(word, media_states, BH_ARRAY_LEN(media_states)) : -1;
	if (state < 0)
		return;
	tell_media(m, n, state);
	/* null where there is nothing to play */
	obs_get_number(d, "mediaDuration", &duration);
	obs_get_number(d, "mediaCursor", &cursor);
	duration = fmax(duration, 0) / 1000;
	obs_publish_range(m, n, OBS_K_MEDIA_CURSOR, 0, duration, 0);
	obs_tell(m, n, OBS_K_MEDIA_DURATION, bh_float(duration));
	obs_tell(m, n, OBS_K_MEDIA_CURSOR, bh_float(fmin(fmax(cursor, 0) / 1000, duration > 0 ? duration : HUGE_VAL)));
}

/* ------------------------------------------------------------------ results */

bool
obs_inputs_result(struct obs_model *m, enum obs_req req, uint32_t n, const struct obs_result *r)
{
	if (req == OBS_REQ_GET_INPUT_LIST) {
		if (r->ok)
			take_list(m, r->data);
		return true;
	}
	static const struct {
		enum obs_req req;
		void (*take)(struct obs_model *m, uint32_t n, const msgpack_object *d);
	} rows[] = {{OBS_REQ_GET_INPUT_VOLUME, take_volume}, {OBS_REQ_GET_INPUT_MUTE, take_mute}, {OBS_REQ_GET_INPUT_BALANCE, take_balance},
		    {OBS_REQ_GET_INPUT_SYNC, take_sync}, {OBS_REQ_GET_INPUT_MONITOR, take_monitor}, {OBS_REQ_GET_INPUT_TRACKS, take_tracks},
		    {OBS_REQ_GET_MEDIA, take_media}};
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++) {
		if (rows[k].req != req)
			continue;
		if (m->object[n].cls != OBS_INPUT)
			return true;
		if (r->ok) {
			/* Answers come in any order; OBS has them only of what has audio. */
			become(m, n, m->object[n].audio || req != OBS_REQ_GET_MEDIA, m->object[n].media);
			rows[k].take(m, n, r->data);
		} else if (req == OBS_REQ_GET_INPUT_VOLUME && r->code == OBS_STATUS_INVALID_STATE)
			become(m, n, false, m->object[n].media);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ events */

static void
on_created(struct obs_model *m, uint32_t unused, const msgpack_object *d)
{
	static const enum obs_req reads[] = {OBS_REQ_GET_INPUT_VOLUME, OBS_REQ_GET_INPUT_MUTE, OBS_REQ_GET_INPUT_BALANCE, OBS_REQ_GET_INPUT_SYNC,
					     OBS_REQ_GET_INPUT_MONITOR, OBS_REQ_GET_INPUT_TRACKS, OBS_REQ_GET_MEDIA};
	uint32_t n = add_input(m, d);
	(void)unused;
	if (n == OBS_NONE || m->taking || m->frozen)
		return; /* the picture tells the rest */
	for (size_t k = 0; k < BH_ARRAY_LEN(reads); k++)
		if (obs_can(m, reads[k]))
			obs_read_input(m, reads[k], n);
	if (obs_can(m, OBS_REQ_GET_FILTER_LIST))
		obs_read_source(m, OBS_REQ_GET_FILTER_LIST, n);
	obs_scenes_tally(m);
}

static void
on_removed(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	(void)d;
	if (n == OBS_NONE)
		return;
	obs_remove(m, n);
	obs_scenes_tally(m);
}

static void
on_renamed(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	char old[OBS_NAME_MAX + 1], name[OBS_NAME_MAX + 1];
	(void)n;
	if (!obs_get_str(d, "oldInputName", old, sizeof(old)) || !obs_get_str(d, "inputName", name, sizeof(name)))
		return;
	n = obs_find(m, OBS_INPUT, OBS_NONE, old);
	if (n != OBS_NONE)
		obs_rename(m, n, name);
	else
		m->wants_picture |= obs_find(m, OBS_INPUT, OBS_NONE, name) == OBS_NONE;
}

static double
number_of(const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64)
		return isfinite(o->via.f64) ? o->via.f64 : 0;
	return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (double)o->via.u64 : 0;
}

/* Of a muted input, and one without sound, OBS tells zeros or nothing. */
static void
meter(struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	const msgpack_object *channels;
	double levels[CHANNELS_MAX][3];
	uint32_t count, n, id, used = 0;
	if (!obs_get_str(d, "inputName", name, sizeof(name)) || (n = obs_find(m, OBS_INPUT, OBS_NONE, name)) == OBS_NONE)
		return;
	id = obs_param(m, n, OBS_K_METER);
	if (id == OBS_NONE || !m->of_param[id].watched || !obs_get_array(d, "inputLevelsMul", &channels, &count))
		return;
	for (uint32_t c = 0; c < count && used < CHANNELS_MAX; c++) {
		const msgpack_object *level = &channels[c];
		if (level->type != MSGPACK_OBJECT_ARRAY || level->via.array.size != 3)
			continue;
		for (unsigned k = 0; k < 3; k++)
			levels[used][k] = number_of(&level->via.array.ptr[k]);
		used++;
	}
	m->sink->meter(m->sink->ctx, id, levels, used);
}

static void
on_meters(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	const msgpack_object *items;
	uint32_t count;
	(void)n;
	if (!m->watched_meters || !obs_get_array(d, "inputs", &items, &count))
		return;
	for (uint32_t k = 0; k < count; k++)
		meter(m, &items[k]);
}

static void
look_soon(struct obs_model *m, uint32_t n)
{
	m->object[n].asked = true;
	look_by(m, m->now_ns + MEDIA_SOON_NS);
}

static void
on_started(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	(void)d;
	if (n == OBS_NONE)
		return;
	tell_media(m, n, OBS_MEDIA_PLAYING);
	look_soon(m, n);
}

static void
on_ended(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	(void)d;
	if (n == OBS_NONE)
		return;
	tell_media(m, n, OBS_MEDIA_ENDED);
	look_soon(m, n);
}

static void
on_action(struct obs_model *m, uint32_t n, const msgpack_object *d)
{
	static const char *const words[] = {"PLAY", "RESTART", "PAUSE", "STOP"};
	static const int64_t state[] = {OBS_MEDIA_PLAYING, OBS_MEDIA_PLAYING, OBS_MEDIA_PAUSED, OBS_MEDIA_STOPPED};
	const char *const prefix = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_";
	char action[80];
	if (n == OBS_NONE || !obs_get_str(d, "mediaAction", action, sizeof(action)))
		return;
	int64_t k = strncmp(action, prefix, strlen(prefix)) ? -1 : place_of(action + strlen(prefix), words, BH_ARRAY_LEN(words));
	if (k >= 0)
		tell_media(m, n, state[k]);
	look_soon(m, n);
}

bool
obs_inputs_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	static const struct {
		const char *type;
		void (*on)(struct obs_model *m, uint32_t n, const msgpack_object *d);
		bool known; /* only for an input that we know */
	} rows[] = {{"InputVolumeMeters", on_meters, false}, {"InputVolumeChanged", take_volume, true}, {"InputMuteStateChanged", take_mute, true},
		    {"InputAudioBalanceChanged", take_balance, true}, {"InputAudioSyncOffsetChanged", take_sync, true},
		    {"InputAudioTracksChanged", take_tracks, true}, {"InputAudioMonitorTypeChanged", take_monitor, true},
		    {"MediaInputPlaybackStarted", on_started, true}, {"MediaInputPlaybackEnded", on_ended, true},
		    {"MediaInputActionTriggered", on_action, true}, {"InputCreated", on_created, false}, {"InputRemoved", on_removed, true},
		    {"InputNameChanged", on_renamed, false}};
	char name[OBS_NAME_MAX + 1];
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++) {
		if (strcmp(rows[k].type, type))
			continue;
		uint32_t n = rows[k].known && obs_get_str(d, "inputName", name, sizeof(name)) ? obs_find(m, OBS_INPUT, OBS_NONE, name) : OBS_NONE;
		if (!rows[k].known || n != OBS_NONE)
			rows[k].on(m, n, d);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ what a hand wants */

static void
begin(struct obs_model *m, struct obs_out *o, uint32_t id, enum obs_req req, uint32_t members, uint32_t object)
{
	obs_put_request(o, id, req, members + 1);
	obs_put_str(o, "inputName", m->object[object].name);
}

/*
 * OBS reads, changes and writes all tracks of an input at once, each request on a thread of its own: what is on its way for other tracks is said
 * again, so that none of two is lost.
 */
static void
encode_tracks(struct obs_model *m, uint32_t object, enum obs_kind k, uint32_t id, struct obs_out *o)
{
	static const char *const track[] = {"1", "2", "3", "4", "5", "6"};
	bool say[BH_ARRAY_LEN(track)];
	uint32_t n = 0;
	for (unsigned t = 0; t < BH_ARRAY_LEN(track); t++) {
		uint32_t param = obs_param(m, object, OBS_K_TRACK1 + t);
		say[t] = param != OBS_NONE && m->wanted[param].type == BH_BOOL && (OBS_K_TRACK1 + t == k || obs_queue_is_busy(m->queue, param));
		n += say[t];
	}
	begin(m, o, id, OBS_REQ_SET_INPUT_TRACKS, 1, object);
	obs_put_map(o, "inputAudioTracks", n);
	for (unsigned t = 0; t < BH_ARRAY_LEN(track); t++)
		if (say[t])
			obs_put_bool(o, track[t], m->wanted[obs_param(m, object, OBS_K_TRACK1 + t)].i);
}

static void
encode_playing(struct obs_model *m, uint32_t object, bool on, uint32_t id, struct obs_out *o)
{
	struct bh_value state;
	bool over = obs_told(m, object, OBS_K_MEDIA_STATE, &state) && (state.i == OBS_MEDIA_ENDED || state.i == OBS_MEDIA_STOPPED || state.i == OBS_MEDIA_NONE);
	begin(m, o, id, OBS_REQ_TRIGGER_MEDIA, 1, object);
	obs_put_str(o, "mediaAction", !on	? "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE"
				      : over	? "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART"
						: "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PLAY");
}

int
obs_inputs_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	const struct obs_kind_row *row = &obs_kinds[k];
	double x = row->max > row->min ? fmin(fmax(v->f, row->min), row->max) : v->f;
	if (k >= OBS_K_TRACK1 && k <= OBS_K_TRACK6) {
		encode_tracks(m, object, k, id, o);
		return 0;
	}
	if (k == OBS_K_MEDIA_PLAYING) {
		encode_playing(m, object, v->i, id, o);
		return 0;
	}
	begin(m, o, id, ask->req, 1, object);
	switch (ask->req) {
	case OBS_REQ_SET_INPUT_VOLUME: obs_put_number(o, "inputVolumeDb", x); return 0;
	case OBS_REQ_SET_INPUT_MUTE: obs_put_bool(o, "inputMuted", v->i); return 0;
	case OBS_REQ_SET_INPUT_BALANCE: obs_put_number(o, "inputAudioBalance", x); return 0;
	case OBS_REQ_SET_INPUT_SYNC: obs_put_int(o, "inputAudioSyncOffset", v->i < -950 ? -950 : v->i > 20000 ? 20000 : v->i); return 0;
	case OBS_REQ_SET_INPUT_MONITOR: obs_put_str(o, "monitorType", monitor_types[v->i]); return 0;
	case OBS_REQ_SET_MEDIA_CURSOR: obs_put_int(o, "mediaCursor", (int64_t)llround(fmax(v->f, 0) * 1000)); return 0;
	default: return -ENOTSUP;
	}
}

/* ------------------------------------------------------------------ where media are */

uint64_t
obs_inputs_tick(struct obs_model *m)
{
	struct bh_value v;
	if (m->next_media_ns > m->now_ns)
		return m->next_media_ns == UINT64_MAX ? 0 : m->next_media_ns;
	m->next_media_ns = UINT64_MAX; /* when none plays, the next to begin is told by an event */
	for (uint32_t n = 1; n < m->objects; n++) {
		struct obs_object *o = &m->object[n];
		if (!o->used || o->cls != OBS_INPUT || !o->media)
			continue;
		bool playing = obs_told(m, n, OBS_K_MEDIA_STATE, &v) && is_running(v.i);
		if (playing)
			look_by(m, m->now_ns + media_period(m));
		if (playing || o->asked)
			obs_read_input(m, OBS_REQ_GET_MEDIA, n);
		o->asked = false;
	}
	return m->next_media_ns == UINT64_MAX ? 0 : m->next_media_ns;
}
