/* objects.c - the store of OBS's objects: find, add, rename, remove; see model.h. Their parameters are in params.c. */
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

/* ------------------------------------------------------------------ names */

/*
 * Objects stand in buckets by what is written of their name in paths, so that those who would be written the same are neighbours. Place 0
 * is the room's: as a link it means "none".
 */
static uint32_t
bucket_of(enum obs_class cls, uint32_t parent, const char *name)
{
	char part[OBS_PART_MAX];
	uint32_t h = 2166136261u ^ ((uint32_t)cls * 0x9e3779b1u) ^ (parent * 0x85ebca6bu);
	obs_part(name, part);
	for (const char *s = part; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return (h ^ h >> 15) % OBS_BUCKETS;
}

uint32_t
obs_find(const struct obs_model *m, enum obs_class cls, uint32_t parent, const char *name)
{
	if (cls == OBS_ROOM)
		return 0;
	for (uint32_t n = m->bucket[bucket_of(cls, parent, name)]; n; n = m->object[n].next) {
		const struct obs_object *o = &m->object[n];
		if (o->cls == cls && o->parent == parent && !strcmp(o->name, name))
			return n;
	}
	return OBS_NONE;
}

uint32_t
obs_find_item(const struct obs_model *m, uint32_t scene, int64_t item_id)
{
	for (uint32_t n = 1; n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		if (o->used && o->cls == OBS_ITEM && o->parent == scene && o->id == item_id)
			return n;
	}
	return OBS_NONE;
}

uint32_t
obs_find_source(const struct obs_model *m, const char *name)
{
	uint32_t n = obs_find(m, OBS_INPUT, OBS_NONE, name);
	return n != OBS_NONE ? n : obs_find(m, OBS_SCENE, OBS_NONE, name);
}

static void
link_in(struct obs_model *m, uint32_t n)
{
	struct obs_object *o = &m->object[n];
	uint32_t b = bucket_of(o->cls, o->parent, o->name);
	o->next = m->bucket[b];
	m->bucket[b] = n;
}

static void
link_out(struct obs_model *m, uint32_t n)
{
	const struct obs_object *o = &m->object[n];
	uint32_t *at = &m->bucket[bucket_of(o->cls, o->parent, o->name)];
	while (*at && *at != n)
		at = &m->object[*at].next;
	if (*at)
		*at = o->next;
}

/* Is what is written of object n, its twin's number included, also written of another of its class and parent? */
static bool
is_written_twice(const struct obs_model *m, uint32_t n, bool odd)
{
	const struct obs_object *o = &m->object[n];
	char own[OBS_PART_MAX], other[OBS_PART_MAX];
	obs_own_part(o, own);
	if (o->cls == OBS_SETTING && !strcmp(own, obs_kinds[OBS_K_FILTER_ENABLED].name))
		return true;
	/* Without a twin's number in it, only those of the same bucket can be written so. */
	for (uint32_t k = odd ? m->objects - 1 : m->bucket[bucket_of(o->cls, o->parent, o->name)]; k; k = odd ? k - 1 : m->object[k].next) {
		const struct obs_object *p = &m->object[k];
		if (p == o || !p->used || p->cls != o->cls || p->parent != o->parent)
			continue;
		obs_own_part(p, other);
		if (!strcmp(own, other))
			return true;
	}
	return false;
}

static void
choose_twin(struct obs_model *m, uint32_t n)
{
	struct obs_object *o = &m->object[n];
	char part[OBS_PART_MAX];
	o->twin = 0;
	for (unsigned twin = 2; is_written_twice(m, n, o->twin || strchr(o->name, '~')) && twin < UINT8_MAX; twin++)
		o->twin = (uint8_t)twin;
	obs_own_part(o, part);
	if (strcmp(part, o->name) && o->cls != OBS_ITEM) /* an item has its source's name, of which this was said */
		obs_note(m, "%s \"%.80s\" of OBS is written \"%s\" in names of parameters", obs_class_name(o->cls), o->name, part);
}

/* ------------------------------------------------------------------ add */

static uint32_t
take_place(struct obs_model *m)
{
	uint32_t n = m->free_object;
	if (n)
		m->free_object = m->object[n].next;
	else if (m->objects < OBS_OBJECTS_MAX)
		n = m->objects++;
	return n;
}

static void
object_init(struct obs_model *m, uint32_t n, enum obs_class cls, uint32_t parent, const char *name)
{
	struct obs_object *o = &m->object[n];
	*o = (struct obs_object){.cls = (uint8_t)cls, .used = true, .seen = true, .parent = parent, .source = OBS_NONE, .id = -1, .index = -1,
				 .serial = ++m->serial & OBS_SERIAL_MASK};
	snprintf(o->name, sizeof(o->name), "%s", name);
	for (unsigned k = 0; k < OBS_CLASS_KINDS; k++)
		o->param[k] = OBS_NONE;
	m->transform[n].known = false;
}

void
obs_store_init(struct obs_model *m)
{
	m->objects = 1;
	object_init(m, 0, OBS_ROOM, OBS_NONE, "");
}

uint32_t
obs_add(struct obs_model *m, enum obs_class cls, uint32_t parent, const char *name)
{
	uint32_t n = obs_find(m, cls, parent, name);
	if (n != OBS_NONE) {
		m->object[n].seen = true;
		return n;
	}
	n = take_place(m);
	if (!n) {
		if (!m->full_objects)
			obs_note(m, "OBS has more than %u scenes, inputs, items and filters; the rest of them cannot be used here", OBS_OBJECTS_MAX);
		m->full_objects = true;
		return OBS_NONE;
	}
	object_init(m, n, cls, parent, name);
	choose_twin(m, n);
	link_in(m, n);
	obs_scenes_changed(m, true);
	return n;
}

/* ------------------------------------------------------------------ remove */

static bool
has_below(enum obs_class cls)
{
	return cls == OBS_SCENE || cls == OBS_INPUT || cls == OBS_FILTER;
}

/* What belongs to it, and items elsewhere that show it. */
static void
remove_below(struct obs_model *m, uint32_t object)
{
	for (uint32_t n = 1; n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		if (o->used && n != object && (o->parent == object || (o->cls == OBS_ITEM && o->source == object)))
			obs_remove(m, n);
	}
}

void
obs_remove(struct obs_model *m, uint32_t object)
{
	if (!object || object >= m->objects || !m->object[object].used)
		return;
	struct obs_object *o = &m->object[object];
	obs_scenes_forget(m, object);
	o->used = false; /* a group that shows itself ends here */
	if (has_below(o->cls))
		remove_below(m, object);
	obs_unpublish(m, object);
	link_out(m, object);
	m->transform[object].known = false;
	m->full_objects = false;
	o->next = m->free_object;
	m->free_object = object;
}

void
obs_unsee(struct obs_model *m, enum obs_class cls, uint32_t parent)
{
	for (uint32_t n = 1; n < m->objects; n++) {
		struct obs_object *o = &m->object[n];
		if (o->used && o->cls == cls && (parent == OBS_NONE || o->parent == parent))
			o->seen = false;
	}
}

void
obs_sweep(struct obs_model *m, enum obs_class cls, uint32_t parent)
{
	for (uint32_t n = 1; n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		if (o->used && !o->seen && o->cls == cls && (parent == OBS_NONE || o->parent == parent))
			obs_remove(m, n);
	}
}

/* ------------------------------------------------------------------ rename */

static void
name_object(struct obs_model *m, uint32_t n, const char *name)
{
	struct obs_object *o = &m->object[n];
	link_out(m, n);
	snprintf(o->name, sizeof(o->name), "%s", name);
	choose_twin(m, n);
	link_in(m, n);
	obs_publish_names(m, n);
}

/* An item is called as what it shows: "NAME", the second of the same scene "NAME#2". */
static void
rename_item(struct obs_model *m, uint32_t item, const char *source)
{
	struct obs_object *o = &m->object[item];
	char name[sizeof(o->name)];
	for (unsigned k = o->number ? o->number : 1; k < UINT8_MAX; k++) {
		if (k == 1)
			snprintf(name, sizeof(name), "%s", source);
		else
			snprintf(name, sizeof(name), "%.*s#%u", (int)sizeof(name) - 5, source, k);
		uint32_t other = obs_find(m, OBS_ITEM, o->parent, name);
		if (other == OBS_NONE || other == item) {
			o->number = (uint8_t)k;
			name_object(m, item, name);
			return;
		}
	}
}

void
obs_rename(struct obs_model *m, uint32_t object, const char *name)
{
	if (!object || object >= m->objects || !m->object[object].used || !strcmp(m->object[object].name, name))
		return;
	const struct obs_object *o = &m->object[object];
	uint32_t other = obs_find(m, o->cls, o->parent, name);
	if (other != OBS_NONE)
		obs_remove(m, other); /* OBS has only one of that name: this one is from before */
	m->object[object].seen = true; /* a list that a picture has asked for may have its old name */
	name_object(m, object, name);
	if (o->cls != OBS_INPUT && o->cls != OBS_SCENE)
		return;
	char source[sizeof(o->name)];
	memcpy(source, o->name, sizeof(source));
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && m->object[n].cls == OBS_ITEM && m->object[n].source == object)
			rename_item(m, n, source);
}

/* ------------------------------------------------------------------ lists */

int
obs_list_set(struct obs_model *m, struct obs_list *l, const char *const *names, uint32_t n)
{
	bool same = l->count == (n < OBS_CHOICES_MAX ? n : OBS_CHOICES_MAX);
	for (uint32_t k = 0; same && k < l->count; k++)
		same = !strcmp(l->name[k], names[k]);
	if (same)
		return 0;
	if (n > OBS_CHOICES_MAX)
		obs_note(m, "OBS tells a list of %u names; only the first %u can be chosen", n, OBS_CHOICES_MAX);
	l->count = n < OBS_CHOICES_MAX ? n : OBS_CHOICES_MAX;
	for (uint32_t k = 0; k < l->count; k++)
		snprintf(l->name[k], sizeof(l->name[k]), "%s", names[k]);
	l->changed_ns = m->now_ns;
	return 1;
}

int64_t
obs_list_find(const struct obs_list *l, const char *name)
{
	for (uint32_t k = 0; k < l->count; k++)
		if (!strcmp(l->name[k], name))
			return k;
	return -1;
}
