/*
 * picture.c - the picture of all that OBS has, by one RequestBatch a stage; see model.h
 *
 *   lists    what has a name: scenes, inputs, groups, transitions, profiles, collections; what this OBS can do; outputs
 *   details  of each input volume, media state, filters; of each scene filters and items
 *   rest     what only the details have told: all else of inputs that have audio, settings of filters
 *
 * obs-websocket cannot be asked about names that one does not know, so it cannot be one batch for all. A batch too long for the caller's memory or
 * for OBS_PLAN_MAX requests is sent in parts. Events go on meanwhile: what an event has told since a stage was sent is newer than the
 * stage's answer (params.c), and when something came, went or was renamed, there is another picture behind this one.
 */
#include <errno.h>
#include <string.h>

#include "procs/obs/model_int.h"

enum stage { LISTS, DETAILS, REST, STAGES };

#define BATCH_MAX     (256u * 1024u)
#define LOST_MAX      3u /* what is listed and still not found cannot be asked for: a name that is too long for us */
#define REQUEST_BYTES 160u /* of a request without its names */

/* ------------------------------------------------------------------ what is asked */

static const enum obs_req lists[] = {
	OBS_REQ_GET_VERSION, OBS_REQ_GET_SCENE_LIST, OBS_REQ_GET_INPUT_LIST, OBS_REQ_GET_GROUP_LIST, OBS_REQ_GET_STUDIO_MODE,
	OBS_REQ_GET_TRANSITION_LIST, OBS_REQ_GET_TRANSITION, OBS_REQ_GET_PROFILES, OBS_REQ_GET_COLLECTIONS, OBS_REQ_GET_VIDEO_SETTINGS,
	OBS_REQ_GET_STREAM, OBS_REQ_GET_RECORD, OBS_REQ_GET_REPLAY, OBS_REQ_GET_VIRTUALCAM, OBS_REQ_GET_STATS};

static bool
is_first_of_kind(const struct obs_model *m, uint32_t filter)
{
	for (uint32_t n = 1; n < filter; n++)
		if (m->object[n].used && m->object[n].cls == OBS_FILTER && !strcmp(m->object[n].kind, m->object[filter].kind))
			return false;
	return true;
}

/* Requests of object n in this stage; how many. */
static unsigned
requests_of(const struct obs_model *m, uint32_t n, enum obs_req out[8])
{
	const struct obs_object *o = &m->object[n];
	unsigned k = 0;
	if (!o->used)
		return 0;
	if (m->stage == DETAILS && o->cls == OBS_INPUT) {
		out[k++] = OBS_REQ_GET_INPUT_VOLUME;
		out[k++] = OBS_REQ_GET_MEDIA;
		out[k++] = OBS_REQ_GET_FILTER_LIST;
	} else if (m->stage == DETAILS && o->cls == OBS_SCENE) {
		out[k++] = OBS_REQ_GET_FILTER_LIST;
		out[k++] = o->is_group ? OBS_REQ_GET_GROUP_ITEM_LIST : OBS_REQ_GET_ITEM_LIST;
	} else if (m->stage == REST && o->cls == OBS_INPUT && o->audio) {
		out[k++] = OBS_REQ_GET_INPUT_MUTE;
		out[k++] = OBS_REQ_GET_INPUT_BALANCE;
		out[k++] = OBS_REQ_GET_INPUT_SYNC;
		out[k++] = OBS_REQ_GET_INPUT_MONITOR;
		out[k++] = OBS_REQ_GET_INPUT_TRACKS;
	} else if (m->stage == REST && o->cls == OBS_FILTER && m->cfg->settings) {
		if (is_first_of_kind(m, n))
			out[k++] = OBS_REQ_GET_FILTER_DEFAULTS;
		out[k++] = OBS_REQ_GET_FILTER;
	}
	return k;
}

static bool
plan(struct obs_model *m, enum obs_req req, uint32_t object, size_t cap, size_t *bytes)
{
	const struct obs_object *o = &m->object[object];
	size_t more = REQUEST_BYTES + strlen(o->name) + strlen(o->kind) + (o->parent != OBS_NONE ? strlen(m->object[o->parent].name) : 0);
	if (!obs_can(m, req) && m->stage != LISTS)
		return true;
	if (m->planned == OBS_PLAN_MAX || *bytes + more > cap)
		return false;
	*bytes += more;
	m->plan[m->planned++] = (struct obs_planned){.req = (uint16_t)req, .object = (uint16_t)object, .ref = obs_ref(m, object)};
	return true;
}

/* As many objects as there is room for, each with all of its requests. */
static void
plan_stage(struct obs_model *m, size_t cap)
{
	enum obs_req req[8];
	size_t bytes = 128;
	m->planned = 0;
	if (m->stage == LISTS) {
		for (size_t k = 0; m->cursor == 0 && k < BH_ARRAY_LEN(lists); k++)
			plan(m, lists[k], 0, cap, &bytes);
		m->cursor = m->objects;
		return;
	}
	for (; m->cursor < m->objects; m->cursor++) {
		uint32_t before = m->planned;
		unsigned n = requests_of(m, m->cursor, req);
		for (unsigned k = 0; k < n; k++)
			if (!plan(m, req[k], m->cursor, cap, &bytes)) {
				m->planned = before;
				return;
			}
	}
}

static void
put_planned(struct obs_model *m, struct obs_out *o, const struct obs_planned *p)
{
	const struct obs_object *x = &m->object[p->object];
	enum obs_req req = (enum obs_req)p->req;
	if (p->object == 0) {
		obs_put_batched(o, req, 0);
	} else if (req == OBS_REQ_GET_FILTER_DEFAULTS) {
		obs_put_batched(o, req, 1);
		obs_put_str(o, "filterKind", x->kind);
	} else if (x->cls == OBS_FILTER) {
		obs_put_batched(o, req, 2);
		obs_put_str(o, "sourceName", m->object[x->parent].name);
		obs_put_str(o, "filterName", x->name);
	} else {
		bool source = req == OBS_REQ_GET_FILTER_LIST;
		obs_put_batched(o, req, 1);
		obs_put_str(o, source ? "sourceName" : x->cls == OBS_SCENE ? "sceneName" : "inputName", x->name);
	}
}

/* ------------------------------------------------------------------ stage by stage */

static void
each_class(struct obs_model *m, void (*fn)(struct obs_model *m, enum obs_class cls, uint32_t parent))
{
	static const enum obs_class classes[] = {OBS_SCENE, OBS_INPUT, OBS_ITEM, OBS_FILTER, OBS_SETTING};
	for (size_t k = 0; k < BH_ARRAY_LEN(classes); k++)
		fn(m, classes[k], OBS_NONE);
}

void
obs_model_begin(struct obs_model *m, uint64_t now_ns)
{
	m->now_ns = now_ns;
	m->taking = true;
	m->wants_picture = m->again = m->lost = false;
	m->full_params = false;
	m->stage = LISTS;
	m->cursor = 0;
	m->planned = 0;
	obs_publish(m, 0);
	obs_scenes_begin(m);
	obs_outputs_begin(m);
	each_class(m, obs_unsee);
}

static void
finish(struct obs_model *m)
{
	m->taking = false;
	m->connected = true;
	m->not_ready = 0;
	m->planned = 0;
	m->next_media_ns = 0;
	m->lost_pictures = m->lost ? m->lost_pictures + 1 : 0;
	m->wants_picture |= m->again || (m->lost && m->lost_pictures < LOST_MAX);
	each_class(m, obs_sweep);
	obs_cameras_publish(m);
	obs_scenes_tally(m);
}

bool
obs_model_stage(struct obs_model *m, uint32_t id, struct obs_out *o, uint64_t now_ns)
{
	m->now_ns = now_ns;
	if (!m->taking)
		return false;
	plan_stage(m, o->cap < BATCH_MAX ? o->cap : BATCH_MAX);
	while (m->planned == 0 && m->cursor >= m->objects && m->stage + 1 < STAGES) {
		m->stage++;
		m->cursor = 0;
		plan_stage(m, o->cap < BATCH_MAX ? o->cap : BATCH_MAX);
	}
	if (m->planned == 0) {
		finish(m);
		return false;
	}
	m->stage_ns = now_ns;
	obs_put_batch(o, id, m->planned);
	for (uint32_t k = 0; k < m->planned; k++)
		put_planned(m, o, &m->plan[k]);
	return true;
}

/* ------------------------------------------------------------------ answers */

static void
take_version(struct obs_model *m, const msgpack_object *d)
{
	char name[64];
	const msgpack_object *items;
	uint32_t count;
	if (!obs_get_array(d, "availableRequests", &items, &count))
		return;
	memset(m->has_request, 0, sizeof(m->has_request));
	m->tells_settings = false;
	for (uint32_t k = 0; k < count; k++) {
		if (items[k].type != MSGPACK_OBJECT_STR || items[k].via.str.size >= sizeof(name))
			continue;
		memcpy(name, items[k].via.str.ptr, items[k].via.str.size);
		name[items[k].via.str.size] = '\0';
		enum obs_req req = obs_req_by_name(name);
		if (req < OBS_REQ_COUNT)
			m->has_request[req / 64] |= 1ull << req % 64;
		/* Came with obs-websocket 5.4, as SourceFilterSettingsChanged did, of which nothing else tells. */
		m->tells_settings |= !strcmp(name, "GetSourceFilterKindList");
	}
}

static void
take_one(struct obs_model *m, const struct obs_planned *p, const struct obs_result *r)
{
	if (p->req == OBS_REQ_GET_VERSION && r->ok)
		take_version(m, r->data);
	else
		obs_take_result(m, (enum obs_req)p->req, p->ref, r, m->stage_ns);
}

static bool
is_list(uint16_t req)
{
	return req == OBS_REQ_GET_VERSION || req == OBS_REQ_GET_SCENE_LIST || req == OBS_REQ_GET_INPUT_LIST;
}

int
obs_model_batch(struct obs_model *m, const struct obs_msg *msg, uint64_t now_ns)
{
	struct obs_result r;
	m->now_ns = now_ns;
	if (!m->taking)
		return 0;
	unsigned missing = m->stage == LISTS ? 3 : 0;
	for (uint32_t k = 0; k < m->planned; k++) {
		if (k >= msg->results || !obs_batch_result(msg, k, &r) || r.req != (enum obs_req)m->plan[k].req)
			continue;
		if (r.code == OBS_STATUS_NOT_READY) {
			m->not_ready++;
			return -EAGAIN;
		}
		missing -= r.ok && is_list(m->plan[k].req);
		take_one(m, &m->plan[k], &r);
	}
	m->planned = 0;
	return missing ? -EAGAIN : 0;
}
