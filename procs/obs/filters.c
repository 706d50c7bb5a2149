/*
 * filters.c - filters of inputs and scenes, and the numbers and switches among their settings; see model.h
 *
 * OBS tells a filter's settings without those that stand at their default, and its defaults by the filter's kind: the parameters are the
 * defaults, and what was told over them. A setting is of the type that its default has ("ratio": 4 in a file of OBS is a float all the same). Before
 * obs-websocket 5.4 no event tells that settings have changed: then those filters are asked every second of which a setting was
 * set here once; of the others, settings are as they were in the last picture.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"
#include "procs/obs/settings.h"

#define SETTINGS_NS	 1000000000ull
#define POLLS_MAX	 16u /* of one round; a room has few filters that are turned */
#define SETTING_WHOLE	 1   /* obs_object.number */
#define SETTING_SWITCH	 2

/* ------------------------------------------------------------------ settings */

/* A number or a switch, as a value of a float, an integer, a switch; false: something else. */
static bool
setting_value(const msgpack_object *x, double *number, uint8_t *type)
{
	switch (x->type) {
	case MSGPACK_OBJECT_BOOLEAN: *number = x->via.boolean; *type = SETTING_SWITCH; return true;
	case MSGPACK_OBJECT_POSITIVE_INTEGER: *number = (double)x->via.u64; *type = SETTING_WHOLE; return true;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: *number = (double)x->via.i64; *type = SETTING_WHOLE; return true;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64: *number = x->via.f64; *type = 0; return isfinite(x->via.f64);
	default: return false;
	}
}

static struct bh_value
as_value(const struct obs_object *s, double x)
{
	if (s->number == SETTING_SWITCH)
		return bh_bool(x != 0);
	if (s->number == SETTING_WHOLE)
		return bh_int((int64_t)llround(fmin(fmax(x, -9e15), 9e15)));
	return bh_float(x);
}

/* The setting of a filter: there, or added. What a default or the range of a well-known filter says of its type counts more than this value. */
static uint32_t
setting_of(struct obs_model *m, uint32_t filter, const char *name, uint8_t type, bool is_default)
{
	uint32_t n = obs_find(m, OBS_SETTING, filter, name);
	const struct obs_setting_range *r = obs_setting_range(m->object[filter].kind, name);
	bool fresh = n == OBS_NONE;
	n = obs_add(m, OBS_SETTING, filter, name);
	if (n == OBS_NONE)
		return n;
	struct obs_object *o = &m->object[n];
	if (r && type != SETTING_SWITCH)
		type = r->step > 0 ? SETTING_WHOLE : 0;
	if (!fresh && (!is_default || o->number == type))
		return n;
	o->number = type;
	obs_publish(m, n);
	return n;
}

/* Calls `take` for each number and switch of a map of settings. */
static void
each_setting(struct obs_model *m, uint32_t filter, const msgpack_object *map, void (*take)(struct obs_model *, uint32_t, const char *, double, uint8_t))
{
	char name[OBS_NAME_MAX + 1];
	double x;
	uint8_t type;
	for (uint32_t k = 0; map && map->type == MSGPACK_OBJECT_MAP && k < map->via.map.size; k++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[k];
		if (kv->key.type != MSGPACK_OBJECT_STR || !kv->key.via.str.size || kv->key.via.str.size > OBS_NAME_MAX)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)kv->key.via.str.size, kv->key.via.str.ptr);
		if (setting_value(&kv->val, &x, &type))
			take(m, filter, name, x, type);
	}
}

static void
take_default(struct obs_model *m, uint32_t filter, const char *name, double x, uint8_t type)
{
	uint32_t n = setting_of(m, filter, name, type, true);
	if (n != OBS_NONE)
		m->object[n].def = x;
}

static void
take_setting(struct obs_model *m, uint32_t filter, const char *name, double x, uint8_t type)
{
	uint32_t n = setting_of(m, filter, name, type, false);
	if (n == OBS_NONE)
		return;
	m->object[n].told = true;
	obs_tell(m, n, OBS_K_SETTING, as_value(&m->object[n], x));
}

/* Those that were not told stand at their default. */
static void
take_settings(struct obs_model *m, uint32_t filter, const msgpack_object *map)
{
	if (!m->cfg->settings)
		return;
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && m->object[n].cls == OBS_SETTING && m->object[n].parent == filter)
			m->object[n].told = false;
	each_setting(m, filter, map, take_setting);
	for (uint32_t n = 1; n < m->objects; n++) {
		struct obs_object *o = &m->object[n];
		if (o->used && o->cls == OBS_SETTING && o->parent == filter && !o->told) {
			o->seen = true;
			obs_tell(m, n, OBS_K_SETTING, as_value(o, o->def));
		}
	}
}

static void
take_defaults_of_kind(struct obs_model *m, const char *kind, const msgpack_object *map)
{
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && m->object[n].cls == OBS_FILTER && !strcmp(m->object[n].kind, kind))
			each_setting(m, n, map, take_default);
}

/* ------------------------------------------------------------------ filters */

/* A filter as it stands in lists and events; OBS_NONE = it has no name. */
static uint32_t
take_filter(struct obs_model *m, uint32_t source, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	int64_t index;
	bool on;
	if (source == OBS_NONE || !obs_get_str(d, "filterName", name, sizeof(name)))
		return OBS_NONE;
	uint32_t n = obs_add(m, OBS_FILTER, source, name);
	if (n == OBS_NONE)
		return n;
	struct obs_object *o = &m->object[n];
	obs_get_str(d, "filterKind", o->kind, sizeof(o->kind));
	if (obs_get_int(d, "filterIndex", &index) && index >= 0 && index < INT32_MAX)
		o->index = (int32_t)index;
	obs_publish(m, n);
	if (obs_get_bool(d, "filterEnabled", &on))
		obs_tell(m, n, OBS_K_FILTER_ENABLED, bh_bool(on));
	return n;
}

/* All filters of a source; those that are not among them are gone. Outside of a picture new ones need one: their defaults are not known. */
static void
take_list(struct obs_model *m, uint32_t source, const msgpack_object *d)
{
	const msgpack_object *items;
	uint32_t count, before = m->serial;
	if (!obs_get_array(d, "filters", &items, &count))
		return;
	obs_unsee(m, OBS_FILTER, source);
	for (uint32_t k = 0; k < count; k++)
		take_filter(m, source, &items[k]);
	obs_sweep(m, OBS_FILTER, source);
	m->wants_picture |= !m->taking && m->serial != before && m->cfg->settings;
}

static void
take_one(struct obs_model *m, uint32_t filter, const msgpack_object *d)
{
	const msgpack_object *settings;
	bool on;
	if (obs_get_bool(d, "filterEnabled", &on))
		obs_tell(m, filter, OBS_K_FILTER_ENABLED, bh_bool(on));
	if (obs_get_map(d, "filterSettings", &settings))
		take_settings(m, filter, settings);
}

bool
obs_filters_result(struct obs_model *m, enum obs_req req, uint32_t n, const struct obs_result *r)
{
	const msgpack_object *defaults;
	if (req != OBS_REQ_GET_FILTER_LIST && req != OBS_REQ_GET_FILTER && req != OBS_REQ_GET_FILTER_DEFAULTS)
		return false;
	bool is_source = m->object[n].cls == OBS_INPUT || m->object[n].cls == OBS_SCENE;
	if (req == OBS_REQ_GET_FILTER_LIST && is_source && r->ok)
		take_list(m, n, r->data);
	else if (req == OBS_REQ_GET_FILTER && m->object[n].cls == OBS_FILTER && r->ok)
		take_one(m, n, r->data);
	else if (req == OBS_REQ_GET_FILTER_DEFAULTS && m->object[n].cls == OBS_FILTER && r->ok &&
		 obs_get_map(r->data, "defaultFilterSettings", &defaults))
		take_defaults_of_kind(m, m->object[n].kind, defaults);
	return true;
}

/* ------------------------------------------------------------------ events */

static void
on_created(struct obs_model *m, uint32_t source, uint32_t unused, const msgpack_object *d)
{
	const msgpack_object *map;
	uint32_t n = take_filter(m, source, d);
	(void)unused;
	if (n == OBS_NONE)
		return;
	obs_tell(m, n, OBS_K_FILTER_ENABLED, bh_bool(true)); /* the event does not say, a new one is */
	if (m->cfg->settings && obs_get_map(d, "defaultFilterSettings", &map))
		each_setting(m, n, map, take_default);
	if (obs_get_map(d, "filterSettings", &map))
		take_settings(m, n, map);
}

static void
on_removed(struct obs_model *m, uint32_t source, uint32_t n, const msgpack_object *d)
{
	(void)source, (void)d;
	if (n != OBS_NONE)
		obs_remove(m, n);
}

static void
on_renamed(struct obs_model *m, uint32_t source, uint32_t unused, const msgpack_object *d)
{
	char old[OBS_NAME_MAX + 1], name[OBS_NAME_MAX + 1];
	(void)unused;
	if (!obs_get_str(d, "oldFilterName", old, sizeof(old)) || !obs_get_str(d, "filterName", name, sizeof(name)))
		return;
	uint32_t n = obs_find(m, OBS_FILTER, source, old);
	if (n != OBS_NONE)
		obs_rename(m, n, name);
	else
		m->wants_picture |= obs_find(m, OBS_FILTER, source, name) == OBS_NONE;
}

static void
on_enabled(struct obs_model *m, uint32_t source, uint32_t n, const msgpack_object *d)
{
	bool on;
	(void)source;
	if (n != OBS_NONE && obs_get_bool(d, "filterEnabled", &on))
		obs_tell(m, n, OBS_K_FILTER_ENABLED, bh_bool(on));
}

static void
on_settings(struct obs_model *m, uint32_t source, uint32_t n, const msgpack_object *d)
{
	const msgpack_object *map;
	(void)source;
	m->tells_settings = true;
	if (n != OBS_NONE && obs_get_map(d, "filterSettings", &map))
		take_settings(m, n, map);
}

static void
on_reindexed(struct obs_model *m, uint32_t source, uint32_t n, const msgpack_object *d)
{
	(void)n;
	take_list(m, source, d);
}

bool
obs_filters_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	static const struct {
		const char *type;
		void (*on)(struct obs_model *m, uint32_t source, uint32_t filter, const msgpack_object *d);
	} rows[] = {{"SourceFilterEnableStateChanged", on_enabled}, {"SourceFilterSettingsChanged", on_settings}, {"SourceFilterCreated", on_created},
		    {"SourceFilterRemoved", on_removed}, {"SourceFilterNameChanged", on_renamed}, {"SourceFilterListReindexed", on_reindexed}};
	char source_name[OBS_NAME_MAX + 1], name[OBS_NAME_MAX + 1];
	if (strncmp(type, "SourceFilter", strlen("SourceFilter")))
		return false;
	uint32_t source = obs_get_str(d, "sourceName", source_name, sizeof(source_name)) ? obs_find_source(m, source_name) : OBS_NONE;
	uint32_t n = source != OBS_NONE && obs_get_str(d, "filterName", name, sizeof(name)) ? obs_find(m, OBS_FILTER, source, name) : OBS_NONE;
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++)
		if (!strcmp(rows[k].type, type) && source != OBS_NONE)
			rows[k].on(m, source, n, d);
	return true;
}

/* ------------------------------------------------------------------ what a hand wants */

static void
put_setting(struct obs_out *o, const struct obs_object *s, const struct bh_value *v)
{
	const char *key = s->name;
	obs_put_map(o, "filterSettings", 1);
	if (v->type == BH_BOOL)
		obs_put_bool(o, key, v->i);
	else if (v->type == BH_INT)
		obs_put_int(o, key, v->i);
	else
		obs_put_number(o, key, v->f);
}

int
obs_filters_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	bool is_setting = k == OBS_K_SETTING;
	uint32_t filter = is_setting ? m->object[object].parent : object;
	const struct obs_object *f = &m->object[filter];
	obs_put_request(o, id, ask->req, 3);
	obs_put_str(o, "sourceName", m->object[f->parent].name);
	obs_put_str(o, "filterName", f->name);
	if (is_setting) {
		m->object[filter].asked = true;
		if (!m->next_settings_ns)
			m->next_settings_ns = m->now_ns + SETTINGS_NS;
		put_setting(o, &m->object[object], v);
	} else {
		obs_put_bool(o, "filterEnabled", v->i);
	}
	return 0;
}

uint64_t
obs_filters_tick(struct obs_model *m)
{
	unsigned polls = 0;
	if (!m->next_settings_ns || m->tells_settings)
		return 0;
	if (m->next_settings_ns > m->now_ns)
		return m->next_settings_ns;
	for (uint32_t n = 1; n < m->objects && polls < POLLS_MAX; n++)
		if (m->object[n].used && m->object[n].cls == OBS_FILTER && m->object[n].asked) {
			obs_read_filter(m, n);
			polls++;
		}
	m->next_settings_ns = polls ? m->now_ns + SETTINGS_NS : 0;
	return m->next_settings_ns;
}
