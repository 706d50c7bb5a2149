/* model.c - start and end of the model; where events, answers and values go; see model.h */
#include "procs/obs/model.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/model_int.h"

/* ------------------------------------------------------------------ start and end */

static int
encode(void *data, uint32_t id, uint32_t request, struct obs_out *o, struct obs_ask *ask)
{
	struct obs_model *m = data;
	const struct obs_of_param *e = id < m->params ? &m->of_param[id] : NULL;
	const struct bh_value *v = &m->wanted[id];
	if (!e || !e->used)
		return -ENOENT;
	enum obs_kind k = (enum obs_kind)e->kind;
	ask->req = obs_kinds[k].set;
	ask->ref = obs_ref(m, e->object);
	if (obs_kinds[k].cls == OBS_CAMERA) /* a move is no value of its own */
		return obs_cameras_encode(m, e->object, request, o, ask);
	if (v->type == BH_NONE)
		return -ENOENT;
	switch (obs_kinds[k].cls) {
	case OBS_INPUT: return obs_inputs_encode(m, e->object, k, v, request, o, ask);
	case OBS_FILTER:
	case OBS_SETTING: return obs_filters_encode(m, e->object, k, v, request, o, ask);
	case OBS_SCENE:
	case OBS_ITEM: return obs_scenes_encode(m, e->object, k, v, request, o, ask);
	case OBS_ROOM:
		return k < OBS_K_PROFILE ? obs_scenes_encode(m, e->object, k, v, request, o, ask)
					 : obs_outputs_encode(m, e->object, k, v, request, o, ask);
	case OBS_CAMERA:
	case OBS_PTZ:
	case OBS_CLASSES: break;
	}
	return -ENOTSUP;
}

static bool
list_init(struct obs_list *l)
{
	l->name = calloc(OBS_CHOICES_MAX, sizeof(*l->name));
	return l->name;
}

static bool
take_memory(struct obs_model *m)
{
	m->object = calloc(OBS_OBJECTS_MAX, sizeof(*m->object));
	m->transform = calloc(OBS_OBJECTS_MAX, sizeof(*m->transform));
	m->of_param = calloc(m->params, sizeof(*m->of_param));
	m->wanted = calloc(m->params, sizeof(*m->wanted));
	m->value = calloc(m->params, sizeof(*m->value));
	m->plan = calloc(OBS_PLAN_MAX, sizeof(*m->plan));
	bool lists = list_init(&m->scenes) && list_init(&m->transitions) && list_init(&m->profiles) && list_init(&m->collections);
	return m->object && m->transform && m->of_param && m->wanted && m->value && m->plan && lists;
}

struct obs_model *
obs_model_new(const struct obs_config *cfg, const struct obs_sink *sink, uint32_t params)
{
	struct obs_model *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->cfg = cfg;
	m->sink = sink;
	m->params = params ? params : 1;
	m->program = m->preview = m->transition_from = OBS_NONE;
	m->queue = take_memory(m) ? obs_queue_new(m->params, encode, m) : NULL;
	if (m->queue)
		obs_store_init(m);
	int r = m->queue ? obs_cameras_init(m) : -ENOMEM;
	if (r < 0) {
		obs_model_free(m);
		errno = -r;
		return NULL;
	}
	return m;
}

void
obs_model_free(struct obs_model *m)
{
	if (!m)
		return;
	obs_cameras_fini(m);
	obs_queue_free(m->queue);
	free(m->object);
	free(m->transform);
	free(m->of_param);
	free(m->wanted);
	free(m->value);
	free(m->plan);
	free(m->scenes.name);
	free(m->transitions.name);
	free(m->profiles.name);
	free(m->collections.name);
	free(m);
}

struct obs_queue *
obs_model_queue(struct obs_model *m)
{
	return m->queue;
}

int
obs_model_reconfigure(struct obs_model *m, const struct obs_config *cfg)
{
	const struct obs_config *was = m->cfg;
	struct obs_chosen chosen;
	obs_model_remember(m, &chosen);
	m->cfg = cfg;
	int r = obs_cameras_init(m);
	if (r < 0) {
		m->cfg = was;
		return r;
	}
	obs_model_recall(m, &chosen);
	bool more = (cfg->transforms && !was->transforms) || (cfg->settings && !was->settings);
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && m->object[n].cls < OBS_CAMERA)
			obs_publish(m, n);
	obs_cameras_publish(m);
	m->wants_picture |= more && m->connected;
	return 0;
}

bool
obs_model_wants_picture(struct obs_model *m)
{
	bool wants = m->wants_picture && !m->taking && !m->frozen;
	if (wants)
		m->wants_picture = false;
	return wants;
}

bool
obs_model_is_frozen(const struct obs_model *m)
{
	return m->frozen;
}

bool
obs_model_is_show(const struct obs_model *m, bh_param_id id)
{
	return id < m->params && m->of_param[id].used && obs_kinds[m->of_param[id].kind].show;
}

bool
obs_model_may_wait(const struct obs_model *m, bh_param_id id)
{
	if (id >= m->params || !m->of_param[id].used)
		return true;
	enum obs_kind k = (enum obs_kind)m->of_param[id].kind;
	bool moves = obs_kinds[k].cls == OBS_CAMERA || (k >= OBS_K_PTZ_X && k <= OBS_K_PTZ_MOVE_ZOOM);
	return !obs_kinds[k].show && !moves;
}

bool
obs_can(const struct obs_model *m, enum obs_req req)
{
	return req < OBS_REQ_COUNT && m->has_request[req / 64] >> req % 64 & 1;
}

/* ------------------------------------------------------------------ what OBS tells */

/* What only a look at all can tell, if it happens while a picture is being taken: its answers may be from before or from after it. */
static bool
is_structural(const char *type)
{
	static const char *const types[] = {"InputCreated", "InputRemoved", "InputNameChanged", "SceneCreated", "SceneRemoved", "SceneNameChanged",
					    "SourceFilterCreated", "SourceFilterRemoved", "SourceFilterNameChanged", "SceneItemCreated",
					    "SceneItemRemoved", "SceneItemListReindexed", "SceneListChanged"};
	for (size_t k = 0; k < BH_ARRAY_LEN(types); k++)
		if (!strcmp(types[k], type))
			return true;
	return false;
}

void
obs_model_event(struct obs_model *m, const char *type, const msgpack_object *data, uint64_t now_ns)
{
	m->now_ns = now_ns;
	m->in_event = true;
	m->again |= m->taking && is_structural(type);
	if (m->frozen) { /* all goes and comes back, and what is the same in both collections stays: the picture behind it tells */
		obs_outputs_event(m, type, data);
		m->in_event = false;
		return;
	}
	if (!obs_inputs_event(m, type, data) && !obs_filters_event(m, type, data) && !obs_scenes_event(m, type, data))
		obs_outputs_event(m, type, data);
	obs_scenes_settle(m);
	obs_cameras_event(m, type, data);
	m->in_event = false;
}

uint32_t
obs_ref(const struct obs_model *m, uint32_t object)
{
	return object | m->object[object].serial << 12 | (uint32_t)m->object[object].named << 24;
}

uint32_t
obs_deref(const struct obs_model *m, uint32_t ref)
{
	uint32_t n = ref & (OBS_OBJECTS_MAX - 1);
	return n < m->objects && m->object[n].used && m->object[n].serial == (ref >> 12 & OBS_SERIAL_MASK) ? n : OBS_NONE;
}

bool
obs_is_renamed(const struct obs_model *m, uint32_t ref)
{
	uint32_t n = obs_deref(m, ref);
	return n != OBS_NONE && m->object[n].named != ref >> 24;
}

void
obs_take_result(struct obs_model *m, enum obs_req req, uint32_t ref, const struct obs_result *r, uint64_t sent_ns)
{
	uint32_t object = obs_deref(m, ref);
	if (object == OBS_NONE)
		return;
	if (obs_is_renamed(m, ref)) {
		m->wants_picture = true; /* asked by a name that is another's now, or nobody's */
		return;
	}
	if (r->code == OBS_STATUS_NOT_FOUND && object) {
		m->lost = true; /* gone or renamed, and the event is still on its way: another picture will tell */
		m->wants_picture |= !m->taking;
		return;
	}
	m->result_ns = sent_ns;
	if (!obs_inputs_result(m, req, object, r) && !obs_filters_result(m, req, object, r) && !obs_scenes_result(m, req, object, r))
		obs_outputs_result(m, req, object, r);
	m->result_ns = 0;
	obs_scenes_settle(m);
}

/* ------------------------------------------------------------------ what OBS refuses */

void
obs_words(const struct obs_result *r, char *out, size_t cap)
{
	static const struct {
		int code;
		const char *words;
	} words[] = {{203, "the request has no type"}, {204, "this OBS has no such request"}, {205, "it did not work"}, {207, "OBS is not ready"},
		     {300, "a field is missing"}, {400, "a field is not allowed"}, {401, "a field has the wrong type"}, {402, "out of range"},
		     {403, "a field is empty"}, {500, "it is running already"}, {501, "it is not running"}, {502, "it is paused"},
		     {503, "it is not paused"}, {504, "it is disabled"}, {505, "studio mode is on"}, {506, "studio mode is off"},
		     {600, "there is no such thing in OBS"}, {601, "it exists already"}, {602, "it is of the wrong kind"}, {604, "not possible now"},
		     {605, "the input is of the wrong kind"}, {606, "it cannot be configured"}, {607, "the filter is of the wrong kind"},
		     {700, "it could not be made"}, {701, "it could not be done"}, {702, "it could not be done"}, {703, "it cannot do that"}};
	const char *say = r->comment;
	size_t n = strlen(say);
	for (size_t k = 0; !n && k < BH_ARRAY_LEN(words); k++)
		if (words[k].code == r->code)
			say = words[k].words;
	n = strlen(say);
	if (n && say[n - 1] == '.')
		n--;
	if (n)
		snprintf(out, cap, "%.*s (%d)", (int)n, say, r->code);
	else
		snprintf(out, cap, "refused with code %d", r->code);
}

void
obs_fail(struct obs_model *m, const struct obs_ask *ask, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->has_failed = true;
	if (ask->is_value && ask->param < m->params && m->of_param[ask->param].used)
		m->sink->value_failed(m->sink->ctx, ask->param, text);
	else if (ask->is_action)
		m->sink->action_failed(m->sink->ctx, ask, text);
	else if (!ask->is_value)
		obs_note(m, "%s", text);
}

static void
fail_param(struct obs_model *m, uint32_t id, const char *text)
{
	struct obs_ask ask = {.is_value = true, .param = id};
	obs_fail(m, &ask, "%s", text);
}

/* What the answer is about: "input Mic", "filter Gain of Mic"; nothing of the room. */
static void
write_what(const struct obs_model *m, const struct obs_ask *ask, char *out, size_t cap)
{
	uint32_t n = ask->is_value && ask->param < m->params ? m->of_param[ask->param].object : 0;
	const struct obs_object *o = &m->object[n];
	out[0] = '\0';
	if (o->cls == OBS_ROOM)
		return;
	int len = snprintf(out, cap, " of %s %.80s", obs_class_name(o->cls), o->name);
	if (o->parent != OBS_NONE && len > 0 && (size_t)len < cap)
		snprintf(out + len, cap - (size_t)len, o->cls == OBS_ITEM ? " in %.80s" : " of %.80s", m->object[o->parent].name);
}

/* ------------------------------------------------------------------ answers */

/* The hand is done: what OBS has told meanwhile is the truth, but the event of the very last value may still be on its way. */
static void
settle(struct obs_model *m, uint32_t id)
{
	struct obs_of_param *e = &m->of_param[id];
	if (obs_queue_is_busy(m->queue, id) || !e->held)
		return;
	if (obs_value_same(&m->value[id], &m->wanted[id]))
		obs_tell_param(m, id, m->value[id]);
	else
		e->held_until_ns = m->now_ns + OBS_SETTLE_NS;
}

/* No event will tell it. */
static bool
is_told_by_answer(const struct obs_model *m, enum obs_kind k)
{
	return k == OBS_K_SETTING ? !m->tells_settings : !obs_kinds[k].event && k != OBS_K_MEDIA_CURSOR && k != OBS_K_TBAR;
}

static void
value_done(struct obs_model *m, uint32_t id)
{
	enum obs_kind k = (enum obs_kind)m->of_param[id].kind;
	if (obs_kinds[k].cls == OBS_CAMERA) {
		obs_cameras_answer(m, m->of_param[id].object, true);
		return;
	}
	if (obs_queue_is_busy(m->queue, id))
		return;
	if (is_told_by_answer(m, k))
		obs_tell_param(m, id, m->wanted[id]);
	else if (k == OBS_K_MEDIA_CURSOR || !obs_items_is_heard(m, k))
		obs_read_kind(m, m->of_param[id].object, k);
	settle(m, id);
}

/* The motor goes back to what OBS has. */
static void
value_refused(struct obs_model *m, const struct obs_ask *ask, const struct obs_result *r)
{
	char what[200], words[200];
	uint32_t id = ask->param;
	if (r->code == OBS_STATUS_NOT_FOUND && obs_is_renamed(m, ask->ref) && !obs_model_is_show(m, id)) {
		obs_queue_value(m->queue, id, m->now_ns); /* by its new name */
		return;
	}
	obs_scenes_failed(m, ask, true);
	obs_outputs_failed(m, ask);
	if (obs_outputs_is_harmless(m, ask, r->code)) {
		value_done(m, id);
		obs_read_kind(m, m->of_param[id].object, (enum obs_kind)m->of_param[id].kind);
		return;
	}
	write_what(m, ask, what, sizeof(what));
	obs_words(r, words, sizeof(words));
	const char *name = obs_req_name(ask->req);
	obs_fail(m, ask, "OBS: %s%s: %s", name ? name : "request", what, words);
	if (obs_kinds[m->of_param[id].kind].cls == OBS_CAMERA) {
		obs_cameras_answer(m, m->of_param[id].object, false);
		return;
	}
	if (obs_queue_is_busy(m->queue, id))
		return; /* a newer one will have an answer of its own */
	if (obs_read_kind(m, m->of_param[id].object, (enum obs_kind)m->of_param[id].kind) < 0 && m->value[id].type != BH_NONE)
		obs_tell_param(m, id, m->value[id]);
	settle(m, id);
}

/* And not of another that had its id before. */
static bool
is_of_param(const struct obs_model *m, const struct obs_ask *ask)
{
	return obs_deref(m, ask->ref) == m->of_param[ask->param].object;
}

void
obs_model_answer(struct obs_model *m, const struct obs_ask *ask, const struct obs_result *r, uint64_t now_ns)
{
	char words[200];
	m->now_ns = now_ns;
	if (ask->is_value) {
		/* A filter is gone, but OBS has set one of its name: no event will tell its settings. */
		m->wants_picture |= r->ok && ask->req == OBS_REQ_SET_FILTER_SETTINGS && obs_deref(m, ask->ref) == OBS_NONE;
		if (ask->param >= m->params || !m->of_param[ask->param].used)
			return;
		if (!is_of_param(m, ask))
			settle(m, ask->param);
		else if (r->ok)
			value_done(m, ask->param);
		else
			value_refused(m, ask, r);
	} else if (ask->lane == OBS_LANE_READ) {
		obs_take_result(m, ask->req, ask->ref, r, ask->sent_ns);
	} else if (!r->ok) {
		obs_scenes_failed(m, ask, true);
		const char *name = obs_req_name(ask->req);
		obs_words(r, words, sizeof(words));
		obs_fail(m, ask, "OBS: %s: %s", name ? name : "request", words);
		obs_cameras_undo(m, ask);
	} else {
		obs_scenes_done(m, ask);
	}
}

void
obs_model_dropped(struct obs_model *m, const struct obs_ask *ask)
{
	const char *name = obs_req_name(ask->req);
	char what[200];
	m->wants_picture |= m->connected && ask->lane == OBS_LANE_READ && !obs_is_poll(ask->req);
	if (m->connected && ask->lane == OBS_LANE_SHOW) {
		obs_scenes_failed(m, ask, false);
		obs_outputs_failed(m, ask);
	}
	if (!ask->is_value && !ask->is_action)
		return;
	write_what(m, ask, what, sizeof(what));
	if (!m->connected)
		obs_fail(m, ask, "%s%s: the connection to OBS was lost%s", name ? name : "request", what,
			 ask->sent_ns ? " before it answered; it may have done it" : ", it was not sent");
	else if (ask->sent_ns)
		obs_fail(m, ask, "OBS: %s%s: no answer for %u s", name ? name : "request", what, OBS_ANSWER_MS / 1000);
	else
		obs_fail(m, ask, "%s%s: not sent, its moment had passed", name ? name : "request", what);
	obs_cameras_undo(m, ask);
	if (!ask->is_value || ask->param >= m->params || !m->of_param[ask->param].used || !is_of_param(m, ask) || !m->connected)
		return;
	const struct obs_of_param *e = &m->of_param[ask->param];
	if (obs_kinds[e->kind].cls == OBS_CAMERA) {
		obs_cameras_answer(m, e->object, false);
		return;
	}
	obs_read_kind(m, e->object, (enum obs_kind)e->kind);
	settle(m, ask->param);
}

static void
on_lost(void *data, const struct obs_ask *ask)
{
	obs_model_dropped(data, ask);
}

void
obs_model_disconnected(struct obs_model *m)
{
	m->connected = m->frozen = m->taking = m->wants_picture = false;
	obs_queue_reset(m->queue, on_lost);
	obs_scenes_disconnected(m);
	obs_cameras_lost(m);
	for (uint32_t id = 0; m->held && id < m->params; id++) {
		m->held -= m->of_param[id].held;
		m->of_param[id].held = false;
	}
}

/* ------------------------------------------------------------------ values */

static uint32_t
choices_of(const struct obs_model *m, enum obs_kind k)
{
	uint32_t n = 0;
	const struct obs_list *l = obs_list_of(m, k);
	if (!obs_kinds[k].choices)
		return l ? l->count : UINT32_MAX;
	while (obs_kinds[k].choices[n])
		n++;
	return n;
}

/* NULL, or why this is no value for it. */
static const char *
unfit(const struct obs_model *m, enum obs_kind k, const struct bh_value *v)
{
	const struct obs_kind_row *row = &obs_kinds[k];
	if (!(row->access & BH_ACCESS_WRITE))
		return "it can only be read";
	if (k != OBS_K_SETTING && v->type != row->type)
		return "the value is of another type";
	if (v->type == BH_FLOAT && !isfinite(v->f))
		return "the value is no number";
	if (row->type == BH_ENUM && (v->i < 0 || v->i >= choices_of(m, k)))
		return "there is no such choice";
	return NULL;
}

/* What changes the programme is never done late, and never by a list that the hand has not seen. */
static int
check_show(struct obs_model *m, uint32_t id, enum obs_kind k, uint64_t stamp_ns, uint64_t max_age_ns)
{
	const struct obs_list *l = obs_list_of(m, k);
	char text[160];
	if (!m->connected || m->frozen) {
		fail_param(m, id, m->frozen ? "not done: OBS changes its scene collection" : "not done: no connection to OBS");
		return -ENOTCONN;
	}
	if (m->now_ns > stamp_ns && m->now_ns - stamp_ns > max_age_ns) {
		snprintf(text, sizeof(text), "not done: it came %.0f ms late", (double)(m->now_ns - stamp_ns) / 1e6);
		fail_param(m, id, text);
		return -ETIME;
	}
	if (l && l->changed_ns > stamp_ns) {
		fail_param(m, id, "not done: OBS has changed the list since it was chosen");
		return -ESTALE;
	}
	return 0;
}

static int
give(struct obs_model *m, uint32_t id, enum obs_kind k, uint64_t stamp_ns, uint64_t max_age_ns)
{
	uint64_t until = max_age_ns < UINT64_MAX - stamp_ns ? stamp_ns + max_age_ns : 0;
	if (obs_kinds[k].cls == OBS_CAMERA || obs_kinds[k].cls == OBS_PTZ)
		return obs_cameras_set(m, m->of_param[id].object, k, &m->wanted[id]);
	int r = obs_scenes_set(m, m->of_param[id].object, k, &m->wanted[id], until);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!obs_kinds[k].show)
		return obs_queue_value(m->queue, id, m->now_ns);
	return obs_queue_show_value(m->queue, id, m->now_ns, until);
}

int
obs_model_set(struct obs_model *m, bh_param_id id, const struct bh_value *v, uint64_t stamp_ns, uint64_t now_ns, uint64_t max_age_ns)
{
	m->now_ns = now_ns;
	if (id >= m->params || !m->of_param[id].used)
		return -ENOENT;
	enum obs_kind k = (enum obs_kind)m->of_param[id].kind;
	const char *why = unfit(m, k, v);
	m->has_failed = false;
	if (why) {
		fail_param(m, id, why);
		return -EINVAL;
	}
	int r = obs_kinds[k].show ? check_show(m, id, k, stamp_ns, max_age_ns) : 0;
	if (r < 0)
		return r;
	/* A stick that is let go and a modifier mean something without OBS, too. */
	if ((!m->connected || m->frozen) && obs_kinds[k].cls != OBS_CAMERA && obs_kinds[k].cls != OBS_PTZ)
		return -ENOTCONN;
	m->wanted[id] = *v;
	m->moves |= obs_kinds[k].cls == OBS_ITEM && k >= OBS_K_ITEM_X;
	r = give(m, id, k, stamp_ns, max_age_ns);
	if (r < 0 && !m->has_failed)
		fail_param(m, id, r == -ENOSPC ? "not done: too much waits for OBS" : strerror(-r));
	return r;
}

void
obs_model_watch(struct obs_model *m, bh_param_id id, bool shown)
{
	if (id >= m->params || !m->of_param[id].used || m->of_param[id].kind != OBS_K_METER || m->of_param[id].watched == shown)
		return;
	m->of_param[id].watched = shown;
	m->watched_meters += shown ? 1 : -1;
}

uint32_t
obs_model_subscriptions(const struct obs_model *m)
{
	uint32_t bits = OBS_SUB_GENERAL | OBS_SUB_CONFIG | OBS_SUB_SCENES | OBS_SUB_INPUTS | OBS_SUB_TRANSITIONS | OBS_SUB_FILTERS | OBS_SUB_OUTPUTS |
			OBS_SUB_ITEMS | OBS_SUB_MEDIA | OBS_SUB_UI;
	if (m->watched_meters)
		bits |= OBS_SUB_METERS;
	if (m->moves || m->cfg->cameras.count)
		bits |= OBS_SUB_TRANSFORM;
	return bits;
}

void
obs_model_report(struct obs_model *m, bh_param_id id)
{
	if (id < m->params && m->of_param[id].used && m->value[id].type != BH_NONE)
		obs_tell_param(m, id, m->value[id]);
}

/* ------------------------------------------------------------------ time */

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* What was held and has not been contradicted is the truth. */
static uint64_t
tick_held(struct obs_model *m)
{
	uint64_t next = 0;
	uint32_t left = m->held;
	for (uint32_t id = 0; left && id < m->params; id++) {
		struct obs_of_param *e = &m->of_param[id];
		if (!e->held)
			continue;
		left--;
		if (!e->held_until_ns)
			settle(m, id); /* what was on its way has been lost */
		if (!e->held || !e->held_until_ns)
			continue;
		if (m->now_ns >= e->held_until_ns)
			obs_tell_param(m, id, m->value[id]);
		else
			next = sooner(next, e->held_until_ns);
	}
	return next;
}

uint64_t
obs_model_tick(struct obs_model *m, uint64_t now_ns)
{
	m->now_ns = now_ns;
	uint64_t next = sooner(tick_held(m), obs_outputs_thaw(m));
	if (!m->connected || m->frozen)
		return next;
	next = sooner(next, obs_inputs_tick(m));
	next = sooner(next, obs_filters_tick(m));
	next = sooner(next, obs_scenes_tick(m));
	next = sooner(next, obs_outputs_tick(m));
	return sooner(next, obs_cameras_tick(m));
}
