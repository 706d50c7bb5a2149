/*
 * items.c - items of scenes and groups: visible, locked, transform; see model.h
 *
 * An item is known by its number in its scene (sceneItemId). It is called as what it shows; of several that show the same in one scene
 * the one with the lowest number, which is the oldest, has the plain name, the next is "NAME#2": so the names do not depend on the order of
 * layers, and are the same after a restart of OBS or of us.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

static uint32_t
find_scene(const struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	return obs_get_str(d, "sceneName", name, sizeof(name)) ? obs_find(m, OBS_SCENE, OBS_NONE, name) : OBS_NONE;
}

static uint32_t
find_item(const struct obs_model *m, const msgpack_object *d)
{
	uint32_t scene = find_scene(m, d);
	int64_t id;
	return scene != OBS_NONE && obs_get_int(d, "sceneItemId", &id) ? obs_find_item(m, scene, id) : OBS_NONE;
}

/* ------------------------------------------------------------------ what OBS tells of one */

static void
tell_transform(struct obs_model *m, uint32_t item)
{
	const struct obs_transform *t = &m->transform[item];
	obs_tell(m, item, OBS_K_ITEM_X, bh_float(t->x));
	obs_tell(m, item, OBS_K_ITEM_Y, bh_float(t->y));
	obs_tell(m, item, OBS_K_ITEM_SCALE, bh_float(fabs(t->scale_x) * 100));
	obs_tell(m, item, OBS_K_ITEM_SCALE_X, bh_float(t->scale_x * 100));
	obs_tell(m, item, OBS_K_ITEM_SCALE_Y, bh_float(t->scale_y * 100));
	obs_tell(m, item, OBS_K_ITEM_ROTATION, bh_float(t->rotation));
	obs_tell(m, item, OBS_K_ITEM_CROP_LEFT, bh_int(t->crop_left));
	obs_tell(m, item, OBS_K_ITEM_CROP_RIGHT, bh_int(t->crop_right));
	obs_tell(m, item, OBS_K_ITEM_CROP_TOP, bh_int(t->crop_top));
	obs_tell(m, item, OBS_K_ITEM_CROP_BOTTOM, bh_int(t->crop_bottom));
}

/* An event came after this answer was asked for. */
static bool
is_older(const struct obs_model *m, uint32_t item, enum obs_kind k)
{
	uint32_t id = obs_param(m, item, k);
	return m->result_ns && id != OBS_NONE && m->of_param[id].event_ns > m->result_ns;
}

static void
take_transform(struct obs_model *m, uint32_t item, const msgpack_object *d)
{
	struct obs_transform *t = &m->transform[item];
	const msgpack_object *map;
	if (!obs_get_map(d, "sceneItemTransform", &map) || is_older(m, item, OBS_K_ITEM_X))
		return;
	t->known = true;
	obs_get_number(map, "positionX", &t->x);
	obs_get_number(map, "positionY", &t->y);
	obs_get_number(map, "scaleX", &t->scale_x);
	obs_get_number(map, "scaleY", &t->scale_y);
	obs_get_number(map, "rotation", &t->rotation);
	obs_get_number(map, "width", &t->width);
	obs_get_number(map, "height", &t->height);
	obs_get_number(map, "sourceWidth", &t->source_width);
	obs_get_number(map, "sourceHeight", &t->source_height);
	obs_get_number(map, "boundsWidth", &t->bounds_width);
	obs_get_number(map, "boundsHeight", &t->bounds_height);
	obs_get_int(map, "alignment", &t->alignment);
	obs_get_int(map, "cropLeft", &t->crop_left);
	obs_get_int(map, "cropRight", &t->crop_right);
	obs_get_int(map, "cropTop", &t->crop_top);
	obs_get_int(map, "cropBottom", &t->crop_bottom);
	obs_get_str(map, "boundsType", t->bounds_type, sizeof(t->bounds_type));
	tell_transform(m, item);
	obs_cameras_transform(m, item);
}

static void
take_enabled(struct obs_model *m, uint32_t item, const msgpack_object *d)
{
	bool on;
	struct bh_value told;
	if (!obs_get_bool(d, "sceneItemEnabled", &on))
		return;
	obs_tell(m, item, OBS_K_ITEM_VISIBLE, bh_bool(on));
	if (obs_told(m, item, OBS_K_ITEM_VISIBLE, &told))
		on = told.i != 0; /* an event may be newer than this answer */
	if (m->object[item].hidden == !on)
		return;
	m->object[item].hidden = !on;
	obs_scenes_changed(m, true);
}

static void
take_locked(struct obs_model *m, uint32_t item, const msgpack_object *d)
{
	bool on;
	if (obs_get_bool(d, "sceneItemLocked", &on))
		obs_tell(m, item, OBS_K_ITEM_LOCKED, bh_bool(on));
}

/* ------------------------------------------------------------------ come and go */

static bool
write_name(char out[OBS_NAME_MAX + 1], const char *source, unsigned number)
{
	if (number == 1)
		return snprintf(out, OBS_NAME_MAX + 1, "%s", source) >= 0;
	return snprintf(out, OBS_NAME_MAX + 1, "%.*s#%u", (int)OBS_NAME_MAX - 4, source, number) >= 0;
}

/* A new one has the first number that is free. */
static uint32_t
add_item(struct obs_model *m, uint32_t scene, const char *source, int64_t id)
{
	char name[OBS_NAME_MAX + 1];
	unsigned number = 1;
	while (write_name(name, source, number) && obs_find(m, OBS_ITEM, scene, name) != OBS_NONE)
		if (++number > UINT8_MAX)
			return OBS_NONE;
	uint32_t item = obs_add(m, OBS_ITEM, scene, name);
	if (item == OBS_NONE)
		return OBS_NONE;
	m->object[item].number = (uint8_t)number;
	m->object[item].id = id;
	m->object[item].source = obs_find_source(m, source);
	m->object[item].hidden = false;
	obs_scenes_changed(m, true);
	return item;
}

/* Of the items of a scene that show `source` the one with the lowest number above `number`; OBS_NONE = there is none. */
static uint32_t
next_like(const struct obs_model *m, uint32_t scene, uint32_t source, unsigned number)
{
	uint32_t best = OBS_NONE;
	for (uint32_t n = 1; n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		if (o->used && o->cls == OBS_ITEM && o->parent == scene && o->source == source && o->number > number &&
		    (best == OBS_NONE || o->number < m->object[best].number))
			best = n;
	}
	return best;
}

/* Those behind a gap move up: what remains of two is called by the plain name. */
static void
close_gaps(struct obs_model *m, uint32_t scene, uint32_t source)
{
	char name[OBS_NAME_MAX + 1];
	unsigned number = 1;
	if (source == OBS_NONE || !m->object[source].used)
		return;
	for (uint32_t n; (n = next_like(m, scene, source, number - 1)) != OBS_NONE; number++) {
		if (m->object[n].number == number)
			continue;
		m->object[n].number = (uint8_t)number;
		write_name(name, m->object[source].name, number);
		obs_rename(m, n, name);
	}
}

static void
remove_item(struct obs_model *m, uint32_t item)
{
	uint32_t scene = m->object[item].parent, source = m->object[item].source;
	obs_remove(m, item);
	close_gaps(m, scene, source);
}

/* What the list of its scene does not have. */
static void
remove_unseen(struct obs_model *m, uint32_t scene)
{
	uint32_t gone = 0;
	for (uint32_t n = 1; n < m->objects; n++)
		if (m->object[n].used && m->object[n].cls == OBS_ITEM && m->object[n].parent == scene && !m->object[n].seen) {
			obs_remove(m, n);
			gone++;
		}
	for (uint32_t n = 1; gone && n < m->objects; n++) {
		const struct obs_object *o = &m->object[n];
		char name[OBS_NAME_MAX + 1];
		if (!o->used || o->cls != OBS_ITEM || o->parent != scene || o->number < 2 || o->source == OBS_NONE)
			continue;
		write_name(name, m->object[o->source].name, o->number - 1u);
		if (obs_find(m, OBS_ITEM, scene, name) == OBS_NONE)
			close_gaps(m, scene, o->source);
	}
}

/* ------------------------------------------------------------------ lists */

struct listed {
	int64_t id;
	int32_t index;
	uint32_t item;
	const msgpack_object *map;
};

static bool
is_before(const struct listed *a, const struct listed *b, bool by_id)
{
	return by_id ? a->id < b->id : a->index > b->index;
}

/* Lists come nearly in order. */
static void
sort_list(struct listed *l, uint32_t count, bool by_id)
{
	for (uint32_t i = 1; i < count; i++) {
		struct listed moved = l[i];
		uint32_t at = i;
		for (; at && is_before(&moved, &l[at - 1], by_id); at--)
			l[at] = l[at - 1];
		l[at] = moved;
	}
}

static uint32_t
read_list(const msgpack_object *d, struct listed *l, uint32_t cap)
{
	const msgpack_object *items;
	uint32_t count, n = 0;
	if (!obs_get_array(d, "sceneItems", &items, &count))
		return 0;
	for (uint32_t i = 0; i < count && n < cap; i++) {
		int64_t index = 0;
		l[n] = (struct listed){.map = &items[i], .item = OBS_NONE};
		if (!obs_get_int(&items[i], "sceneItemId", &l[n].id))
			continue;
		if (obs_get_int(&items[i], "sceneItemIndex", &index) && index >= 0 && index < INT32_MAX)
			l[n].index = (int32_t)index;
		n++;
	}
	return n;
}

/* It shows something else than it did: another item, under an old number (a collection that was changed for another). */
static bool
is_of(const struct obs_model *m, uint32_t item, const char *source)
{
	const struct obs_object *o = &m->object[item];
	size_t n = strlen(source);
	return o->source != OBS_NONE ? !strcmp(m->object[o->source].name, source)
				     : !strncmp(o->name, source, n) && (!o->name[n] || o->name[n] == '#');
}

static void
match_listed(struct obs_model *m, uint32_t scene, struct listed *l)
{
	char source[OBS_NAME_MAX + 1];
	if (!obs_get_str(l->map, "sourceName", source, sizeof(source)))
		return;
	l->item = obs_find_item(m, scene, l->id);
	if (l->item != OBS_NONE && !is_of(m, l->item, source)) {
		remove_item(m, l->item);
		l->item = OBS_NONE;
	}
	if (l->item == OBS_NONE)
		l->item = add_item(m, scene, source, l->id);
	else
		m->object[l->item].seen = true;
}

/* GetSceneItemList, GetGroupSceneItemList: named in the order of their numbers, offered in that of OBS's list, from the top. */
static void
take_list(struct obs_model *m, uint32_t scene, const msgpack_object *d)
{
	static struct listed l[OBS_OBJECTS_MAX];
	uint32_t count = read_list(d, l, OBS_OBJECTS_MAX);
	obs_unsee(m, OBS_ITEM, scene);
	sort_list(l, count, true);
	for (uint32_t i = 0; i < count; i++)
		match_listed(m, scene, &l[i]);
	remove_unseen(m, scene);
	sort_list(l, count, false);
	for (uint32_t i = 0; i < count; i++) {
		if (l[i].item == OBS_NONE || !m->object[l[i].item].used)
			continue;
		m->object[l[i].item].index = l[i].index;
		obs_publish(m, l[i].item);
		take_enabled(m, l[i].item, l[i].map);
		take_locked(m, l[i].item, l[i].map);
		take_transform(m, l[i].item, l[i].map);
	}
}

static void
take_order(struct obs_model *m, uint32_t scene, const msgpack_object *d)
{
	static struct listed l[OBS_OBJECTS_MAX];
	uint32_t count = read_list(d, l, OBS_OBJECTS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t item = obs_find_item(m, scene, l[i].id);
		if (item != OBS_NONE)
			m->object[item].index = l[i].index;
		else
			obs_items_want_list(m, scene);
	}
}

/* ------------------------------------------------------------------ reading lists anew */

static void
ask_list(struct obs_model *m, uint32_t scene)
{
	enum obs_req req = m->object[scene].is_group ? OBS_REQ_GET_GROUP_ITEM_LIST : OBS_REQ_GET_ITEM_LIST;
	m->show.list[scene] = obs_read_source(m, req, scene) == 0 ? OBS_LIST_ASKED : 0;
}

/* However many events ask for it, one question is on its way and one waits. A picture that is being taken has all lists anyway. */
void
obs_items_want_list(struct obs_model *m, uint32_t scene)
{
	if (m->taking)
		return;
	if (m->show.list[scene] & OBS_LIST_ASKED)
		m->show.list[scene] |= OBS_LIST_AGAIN;
	else
		ask_list(m, scene);
}

static void
list_answered(struct obs_model *m, uint32_t scene)
{
	uint8_t was = m->show.list[scene];
	m->show.list[scene] = 0;
	if (was & OBS_LIST_AGAIN)
		ask_list(m, scene);
}

bool
obs_items_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r)
{
	switch (req) {
	case OBS_REQ_GET_ITEM_LIST:
	case OBS_REQ_GET_GROUP_ITEM_LIST:
		if (r->ok && m->object[object].cls == OBS_SCENE)
			take_list(m, object, r->data);
		list_answered(m, object);
		return true;
	case OBS_REQ_GET_ITEM_ENABLED:
		if (r->ok)
			take_enabled(m, object, r->data);
		return true;
	case OBS_REQ_GET_ITEM_LOCKED:
		if (r->ok)
			take_locked(m, object, r->data);
		return true;
	case OBS_REQ_GET_ITEM_TRANSFORM:
		if (r->ok)
			take_transform(m, object, r->data);
		return true;
	default: return false;
	}
}

/* ------------------------------------------------------------------ events */

static void
on_created(struct obs_model *m, const msgpack_object *d)
{
	char source[OBS_NAME_MAX + 1];
	uint32_t scene = find_scene(m, d);
	int64_t id;
	if (scene == OBS_NONE || !obs_get_int(d, "sceneItemId", &id) || !obs_get_str(d, "sourceName", source, sizeof(source)))
		return;
	/* Its visibility, transform and place are not told: the list has them. */
	if (obs_find_item(m, scene, id) == OBS_NONE) {
		uint32_t item = add_item(m, scene, source, id);
		if (item != OBS_NONE)
			obs_publish(m, item);
	}
	obs_items_want_list(m, scene);
}

static void
on_removed(struct obs_model *m, const msgpack_object *d)
{
	uint32_t scene = find_scene(m, d), item = find_item(m, d);
	if (item != OBS_NONE)
		remove_item(m, item);
	if (scene != OBS_NONE && (m->show.list[scene] & OBS_LIST_ASKED))
		obs_items_want_list(m, scene); /* the list on its way may have it still */
}

static void
on_transform(struct obs_model *m, const msgpack_object *d)
{
	uint32_t item = find_item(m, d);
	m->show.hears_transforms = true;
	if (item != OBS_NONE)
		take_transform(m, item, d);
}

/* It is subscribed to when the first one is moved, which may be too late for the event of that very move. */
bool
obs_items_is_heard(const struct obs_model *m, enum obs_kind k)
{
	return k < OBS_K_ITEM_X || k > OBS_K_ITEM_CROP_BOTTOM || m->show.hears_transforms;
}

bool
obs_items_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	if (strncmp(type, "SceneItem", 9))
		return false;
	uint32_t item, scene;
	if (!strcmp(type, "SceneItemCreated"))
		on_created(m, d);
	else if (!strcmp(type, "SceneItemRemoved"))
		on_removed(m, d);
	else if (!strcmp(type, "SceneItemTransformChanged"))
		on_transform(m, d);
	else if (!strcmp(type, "SceneItemListReindexed") && (scene = find_scene(m, d)) != OBS_NONE)
		take_order(m, scene, d);
	else if ((item = find_item(m, d)) == OBS_NONE)
		return true;
	else if (!strcmp(type, "SceneItemEnableStateChanged"))
		take_enabled(m, item, d);
	else if (!strcmp(type, "SceneItemLockStateChanged"))
		take_locked(m, item, d);
	return true;
}

/* ------------------------------------------------------------------ what a hand wants */

static void
begin(const struct obs_model *m, uint32_t item, enum obs_req req, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	ask->req = req;
	obs_put_request(o, id, req, 3);
	obs_put_str(o, "sceneName", m->object[m->object[item].parent].name);
	obs_put_int(o, "sceneItemId", m->object[item].id);
}

/* Width and height together: what they are to each other, and which way they look, stays. */
static void
put_scale(const struct obs_transform *t, double percent, struct obs_out *o)
{
	double x = percent / 100, y = x;
	if (t->known && t->scale_x != 0) {
		double factor = x / fabs(t->scale_x);
		x = copysign(x, t->scale_x);
		y = t->scale_y * factor;
	}
	obs_put_map(o, "sceneItemTransform", 2);
	obs_put_number(o, "scaleX", x);
	obs_put_number(o, "scaleY", y);
}

static int
put_transform(const struct obs_model *m, uint32_t item, enum obs_kind k, const struct bh_value *v, struct obs_out *o)
{
	static const char *const members[] = {"positionX", "positionY", NULL, "scaleX", "scaleY", "rotation",
					      "cropLeft", "cropRight", "cropTop", "cropBottom"};
	if (k < OBS_K_ITEM_X || k > OBS_K_ITEM_CROP_BOTTOM)
		return -EINVAL;
	if (k == OBS_K_ITEM_SCALE) {
		put_scale(&m->transform[item], v->f, o);
		return 0;
	}
	obs_put_map(o, "sceneItemTransform", 1);
	if (k >= OBS_K_ITEM_CROP_LEFT)
		obs_put_int(o, members[k - OBS_K_ITEM_X], v->i);
	else
		obs_put_number(o, members[k - OBS_K_ITEM_X], k == OBS_K_ITEM_SCALE_X || k == OBS_K_ITEM_SCALE_Y ? v->f / 100 : v->f);
	return 0;
}

int
obs_items_encode(struct obs_model *m, uint32_t item, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o,
		 struct obs_ask *ask)
{
	if (k == OBS_K_ITEM_VISIBLE) {
		begin(m, item, OBS_REQ_SET_ITEM_ENABLED, id, o, ask);
		obs_put_bool(o, "sceneItemEnabled", v->i != 0);
		return 0;
	}
	if (k == OBS_K_ITEM_LOCKED) {
		begin(m, item, OBS_REQ_SET_ITEM_LOCKED, id, o, ask);
		obs_put_bool(o, "sceneItemLocked", v->i != 0);
		return 0;
	}
	begin(m, item, OBS_REQ_SET_ITEM_TRANSFORM, id, o, ask);
	return put_transform(m, item, k, v, o);
}
