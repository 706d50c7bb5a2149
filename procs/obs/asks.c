/* asks.c - requests of our own: what OBS has, and what somebody wants done; see model_int.h */
#include <errno.h>

#include "procs/obs/model_int.h"

static int
commit_read(struct obs_model *m, enum obs_req req, uint32_t object)
{
	struct obs_ask ask = {.req = req, .lane = OBS_LANE_READ, .ref = obs_ref(m, object)};
	return obs_queue_commit(m->queue, &ask, m->now_ns);
}

/* Asked again and again: one that is lost is no loss. */
bool
obs_is_poll(enum obs_req req)
{
	return req == OBS_REQ_GET_STATS || req == OBS_REQ_GET_STREAM || req == OBS_REQ_GET_RECORD || req == OBS_REQ_GET_MEDIA ||
	       req == OBS_REQ_GET_FILTER || req == OBS_REQ_GET_TRANSITION_CURSOR;
}

static struct obs_out *
begin_read(struct obs_model *m, enum obs_req req, uint32_t members)
{
	uint32_t id;
	struct obs_out *o = obs_queue_begin(m->queue, OBS_LANE_READ, &id);
	if (o)
		obs_put_request(o, id, req, members);
	else
		m->wants_picture |= !obs_is_poll(req); /* all at once goes past the queue */
	return o;
}

static int
read_named(struct obs_model *m, enum obs_req req, uint32_t object, const char *member)
{
	struct obs_out *o = begin_read(m, req, 1);
	if (!o)
		return -ENOSPC;
	obs_put_str(o, member, m->object[object].name);
	return commit_read(m, req, object);
}

int
obs_read_input(struct obs_model *m, enum obs_req req, uint32_t object)
{
	return read_named(m, req, object, "inputName");
}

int
obs_read_source(struct obs_model *m, enum obs_req req, uint32_t object)
{
	bool scene = req == OBS_REQ_GET_ITEM_LIST || req == OBS_REQ_GET_GROUP_ITEM_LIST;
	return read_named(m, req, object, scene ? "sceneName" : "sourceName");
}

int
obs_read_item(struct obs_model *m, enum obs_req req, uint32_t item)
{
	const struct obs_object *i = &m->object[item];
	struct obs_out *o = begin_read(m, req, 2);
	if (!o)
		return -ENOSPC;
	obs_put_str(o, "sceneName", m->object[i->parent].name);
	obs_put_int(o, "sceneItemId", i->id);
	return commit_read(m, req, item);
}

int
obs_read_filter(struct obs_model *m, uint32_t filter)
{
	const struct obs_object *f = &m->object[filter];
	struct obs_out *o = begin_read(m, OBS_REQ_GET_FILTER, 2);
	if (!o)
		return -ENOSPC;
	obs_put_str(o, "sourceName", m->object[f->parent].name);
	obs_put_str(o, "filterName", f->name);
	return commit_read(m, OBS_REQ_GET_FILTER, filter);
}

int
obs_read_plain(struct obs_model *m, enum obs_req req)
{
	return begin_read(m, req, 0) ? commit_read(m, req, 0) : -ENOSPC;
}

int
obs_read_kind(struct obs_model *m, uint32_t object, enum obs_kind k)
{
	enum obs_req req = obs_kinds[k].get;
	if (req == OBS_REQ_COUNT || object >= m->objects || !m->object[object].used)
		return -ENOTSUP;
	switch (obs_kinds[k].cls) {
	case OBS_ROOM:
	case OBS_SCENE: return obs_read_plain(m, req);
	case OBS_INPUT: return obs_read_input(m, req, object);
	case OBS_ITEM: return obs_read_item(m, req, object);
	case OBS_FILTER: return obs_read_filter(m, object);
	case OBS_SETTING: return obs_read_filter(m, m->object[object].parent);
	case OBS_CAMERA:
	case OBS_PTZ:
	case OBS_CLASSES: break;
	}
	return -ENOTSUP;
}

/* ------------------------------------------------------------------ what somebody wants done */

struct obs_out *
obs_do_begin(struct obs_model *m, enum obs_req req, uint32_t members, uint32_t *id)
{
	struct obs_out *o = obs_queue_begin(m->queue, OBS_LANE_SHOW, id);
	if (o)
		obs_put_request(o, *id, req, members);
	return o;
}

int
obs_do_commit(struct obs_model *m, enum obs_req req, const struct bh_action *a, uint32_t ref, uint64_t until_ns)
{
	struct obs_ask ask = {.req = req, .lane = OBS_LANE_SHOW, .is_action = a, .ref = ref, .until_ns = until_ns};
	if (a) {
		ask.action = a->id;
		ask.origin = a->origin;
		ask.gen = a->gen;
		ask.asked_ns = a->stamp_ns;
	}
	return obs_queue_commit(m->queue, &ask, m->now_ns);
}
