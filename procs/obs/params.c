/* params.c - parameters of the objects in the store: their paths, how they come and go, what is told of them; see model.h */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"
#include "procs/obs/settings.h"

#define LABEL_MAX 23u /* of bh_dir_record, without NUL */
#define CUT	  6u  /* "~1f2e3" */

void
obs_note(struct obs_model *m, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->sink->note(m->sink->ctx, text);
}

const char *
obs_class_name(enum obs_class cls)
{
	static const char *const names[OBS_CLASSES] = {"the room", "scene", "input", "item", "filter", "setting", "camera", "PTZ target"};
	return cls < OBS_CLASSES ? names[cls] : "?";
}

/* ------------------------------------------------------------------ paths */

/* So many bytes of s, at most `max`, that no character is cut. */
static size_t
whole_chars(const char *s, size_t max)
{
	size_t n = strlen(s);
	if (n <= max)
		return n;
	for (n = max; n && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

void
obs_part(const char *name, char out[OBS_PART_MAX])
{
	size_t n = whole_chars(name, OBS_NAME_MAX);
	for (size_t k = 0; k < n; k++)
		out[k] = name[k] == '/' || (uint8_t)name[k] < ' ' || name[k] == 0x7f ? '_' : name[k];
	out[n] = '\0';
	if (!n)
		snprintf(out, OBS_PART_MAX, "unnamed");
}

void
obs_own_part(const struct obs_object *o, char out[OBS_PART_MAX])
{
	obs_part(o->name, out);
	size_t n = strlen(out);
	if (o->twin)
		snprintf(out + n, OBS_PART_MAX - n, "~%u", o->twin);
}

/* A part of `max` bytes at most, that still differs where the whole ones did. */
static void
cut_part(char part[OBS_PART_MAX], size_t max)
{
	uint32_t h = 2166136261u;
	if (strlen(part) <= max || max < CUT)
		return;
	for (const char *s = part; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	size_t n = whole_chars(part, max - CUT);
	snprintf(part + n, OBS_PART_MAX - n, "~%05x", (h ^ h >> 20) & 0xfffff);
}

static const char *
class_prefix(enum obs_class cls)
{
	static const char *const prefix[OBS_CLASSES] = {"", "scene/", "input/", "/item/", "/filter/", "/", "camera/", "ptz/"};
	return prefix[cls];
}

/* Appends the path of an object; its own parts are counted in *parts. How long it would be. */
static size_t
append_path(const struct obs_model *m, uint32_t object, size_t max_part, char *out, size_t cap, size_t *parts, unsigned *names)
{
	const struct obs_object *o = &m->object[object];
	char part[OBS_PART_MAX];
	size_t n = 0;
	if (o->cls == OBS_ROOM)
		return 0;
	if (o->parent != OBS_NONE && o->parent < m->objects)
		n = append_path(m, o->parent, max_part, out, cap, parts, names);
	obs_own_part(o, part);
	cut_part(part, max_part);
	*parts += strlen(part);
	++*names;
	return n + (size_t)snprintf(n < cap ? out + n : NULL, n < cap ? cap - n : 0, "%s%s", class_prefix(o->cls), part);
}

static size_t
longest_kind(enum obs_class cls)
{
	size_t most = 0;
	for (unsigned k = obs_class_first(cls); k < obs_class_first(cls + 1); k++)
		if (obs_kinds[k].name[0] && strlen(obs_kinds[k].name) + 1 > most)
			most = strlen(obs_kinds[k].name) + 1;
	return most;
}

/* All parameters of an object are cut alike, as its longest one needs it. True: something was cut. */
static bool
write_path(const struct obs_model *m, uint32_t object, enum obs_kind k, char out[BH_NAME_MAX + 1])
{
	char whole[4 * OBS_PART_MAX] = "";
	const char *last = obs_kinds[k].name;
	size_t parts = 0, tail = longest_kind((enum obs_class)m->object[object].cls);
	unsigned names = 0;
	size_t n = append_path(m, object, OBS_PART_MAX, whole, sizeof(whole), &parts, &names);
	bool cut = names && n + tail > BH_NAME_MAX;
	if (cut) {
		size_t max = (BH_NAME_MAX - (n - parts + tail)) / names;
		n = append_path(m, object, max, whole, sizeof(whole), &parts, &names);
	}
	return snprintf(out, BH_NAME_MAX + 1, "%s%s%s", whole, n && last[0] ? "/" : "", last) > (int)BH_NAME_MAX || cut;
}

void
obs_path(const struct obs_model *m, uint32_t object, enum obs_kind k, char out[BH_NAME_MAX + 1])
{
	write_path(m, object, k, out);
}

/* ------------------------------------------------------------------ what a parameter is */

static void
write_label(const struct obs_object *o, const struct obs_kind_row *row, char out[LABEL_MAX + 1])
{
	const char *name = o->cls == OBS_ROOM ? "" : o->name, *more = row->label ? row->label : "";
	if (snprintf(out, LABEL_MAX + 1, "%s%s%s", name, name[0] && more[0] ? " " : "", more) > (int)LABEL_MAX)
		snprintf(out, LABEL_MAX + 1, "%.*s", (int)whole_chars(name, LABEL_MAX), name);
}

/* Those of its lists that OBS tells; NULL = the asker has to say them. */
static const struct obs_list *
list_of(const struct obs_model *m, enum obs_kind k)
{
	if (k == OBS_K_PROGRAM || k == OBS_K_PREVIEW || k == OBS_K_SELECTED)
		return &m->scenes;
	if (k == OBS_K_TRANSITION)
		return &m->transitions;
	if (k == OBS_K_PROFILE)
		return &m->profiles;
	return k == OBS_K_COLLECTION ? &m->collections : NULL;
}

const struct obs_list *
obs_list_of(const struct obs_model *m, enum obs_kind k)
{
	return list_of(m, k);
}

struct desc { /* what struct bh_param points at */
	struct bh_param p;
	char name[BH_NAME_MAX + 1], label[LABEL_MAX + 1], backend_id[72];
	const char *choices[OBS_CHOICES_MAX + 1];
	bool cut;
};

static void
setting_desc(const struct obs_model *m, uint32_t object, struct bh_param *p)
{
	const struct obs_object *o = &m->object[object];
	const struct obs_setting_range *r = obs_setting_range(m->object[o->parent].kind, o->name);
	p->type = o->number == 2 ? BH_BOOL : o->number == 1 ? BH_INT : BH_FLOAT;
	p->def = o->def;
	p->min = r ? r->min : 0;
	p->max = r ? r->max : o->number == 2 ? 1 : 0;
	p->step = r ? r->step : o->number ? 1 : 0.01;
	p->unit = r ? r->unit : NULL;
	/* Without a range nothing but whole steps is a turn of a V-Pot. */
	p->taper = p->type == BH_FLOAT && (!r || r->step > 0) ? BH_TAPER_STEPS : BH_TAPER_LINEAR;
}

static void
write_desc(const struct obs_model *m, uint32_t object, enum obs_kind k, const struct obs_list *list, struct desc *d)
{
	const struct obs_kind_row *row = &obs_kinds[k];
	const struct obs_object *o = &m->object[object];
	uint32_t id = obs_param(m, object, k);
	d->cut = write_path(m, object, k, d->name);
	write_label(o, row, d->label);
	snprintf(d->backend_id, sizeof(d->backend_id), "%.*s", (int)whole_chars(o->name, sizeof(d->backend_id) - 1), o->name);
	d->p = (struct bh_param){.name = d->name, .type = row->type, .unit = row->unit, .min = row->min, .max = row->max, .step = row->step,
				 .def = row->def, .taper = row->taper, .access = row->access, .choices = row->choices, .label = d->label,
				 .backend_id = d->backend_id};
	if (k == OBS_K_SETTING)
		setting_desc(m, object, &d->p);
	if (id != OBS_NONE && m->of_param[id].ranged) {
		d->p.min = m->of_param[id].min;
		d->p.max = m->of_param[id].max;
		d->p.step = m->of_param[id].step;
	}
	if (row->type != BH_ENUM || row->choices)
		return;
	uint32_t n = 0;
	for (; list && n < list->count; n++)
		d->choices[n] = list->name[n];
	d->choices[n] = NULL;
	d->p.choices = d->choices;
}

/* ------------------------------------------------------------------ come and go */

static bool
applies(const struct obs_model *m, uint32_t object, enum obs_kind k)
{
	const struct obs_object *o = &m->object[object];
	switch (obs_kinds[k].has) {
	case OBS_HAS_ALWAYS: break;
	case OBS_HAS_AUDIO: return o->audio;
	case OBS_HAS_MEDIA: return o->media;
	}
	if (k >= OBS_K_ITEM_X && k <= OBS_K_ITEM_CROP_BOTTOM)
		return m->cfg->transforms;
	if (k == OBS_K_SCENE_PROGRAM || k == OBS_K_SCENE_PREVIEW)
		return !o->is_group;
	return k != OBS_K_SETTING || m->cfg->settings;
}

static uint32_t *
place_of(struct obs_model *m, uint32_t object, enum obs_kind k)
{
	return &m->object[object].param[k - obs_class_first((enum obs_class)m->object[object].cls)];
}

static void
forget_param(struct obs_model *m, uint32_t id)
{
	m->watched_meters -= m->of_param[id].watched;
	m->held -= m->of_param[id].held;
	m->of_param[id] = (struct obs_of_param){0};
	m->value[id].type = BH_NONE;
	m->wanted[id].type = BH_NONE;
}

static void
remove_param(struct obs_model *m, uint32_t object, enum obs_kind k)
{
	uint32_t *at = place_of(m, object, k);
	if (*at == OBS_NONE)
		return;
	m->sink->remove(m->sink->ctx, *at);
	forget_param(m, *at);
	*at = OBS_NONE;
}

static void
note_not_added(struct obs_model *m, const char *name, int64_t e)
{
	if (!m->full_params)
		obs_note(m, "%s and what comes behind it has no room in the directory of parameters: %s; give bh-obs more `params`, or leave out "
			    "transforms or filter settings", name, e < 0 ? strerror((int)-e) : "its id is in use");
	m->full_params = true;
}

/* OBS reads a transform, changes in it what it was told, and writes all of it back. */
static void
group_param(struct obs_model *m, uint32_t object, enum obs_kind k, uint32_t id)
{
	bool moves = k >= OBS_K_ITEM_X && k <= OBS_K_ITEM_CROP_BOTTOM;
	uint32_t group = obs_param(m, object, moves ? OBS_K_ITEM_X : k);
	obs_queue_group(m->queue, id, group != OBS_NONE ? group : id);
}

static void
add_param(struct obs_model *m, uint32_t object, enum obs_kind k, const struct obs_list *list)
{
	struct desc d;
	uint32_t *at = place_of(m, object, k);
	write_desc(m, object, k, list, &d);
	int64_t id = m->sink->add(m->sink->ctx, &d.p);
	if (*at != OBS_NONE && id == *at)
		return;
	if (id < 0 || id >= m->params || m->of_param[id].used) {
		note_not_added(m, d.name, id);
		return;
	}
	if (*at != OBS_NONE)
		forget_param(m, *at);
	*at = (uint32_t)id;
	m->of_param[id] = (struct obs_of_param){.object = object, .kind = (uint16_t)k, .used = true};
	m->value[id].type = BH_NONE;
	m->wanted[id].type = BH_NONE;
	group_param(m, object, k, (uint32_t)id);
	if (d.cut && k == obs_class_first((enum obs_class)m->object[object].cls))
		obs_note(m, "names of OBS are cut in \"%s\": a name of a parameter has %u bytes at most", d.name, BH_NAME_MAX);
}

void
obs_publish(struct obs_model *m, uint32_t object)
{
	enum obs_class cls = (enum obs_class)m->object[object].cls;
	for (unsigned n = obs_class_first(cls); n < obs_class_first(cls + 1); n++) {
		enum obs_kind k = (enum obs_kind)n;
		const struct obs_list *list = list_of(m, k);
		bool told = obs_kinds[k].type == BH_ENUM && !obs_kinds[k].choices;
		if (!applies(m, object, k))
			remove_param(m, object, k);
		else if (!told || (list && list->count))
			add_param(m, object, k, list);
	}
}

void
obs_unpublish(struct obs_model *m, uint32_t object)
{
	enum obs_class cls = (enum obs_class)m->object[object].cls;
	for (unsigned k = obs_class_first(cls); k < obs_class_first(cls + 1); k++)
		remove_param(m, object, (enum obs_kind)k);
}

void
obs_publish_choices(struct obs_model *m, uint32_t object, enum obs_kind k, const struct obs_list *list)
{
	if (!applies(m, object, k))
		return;
	add_param(m, object, k, list);
	/* What was told is not among them any more: nothing is known until OBS tells what it is now. */
	uint32_t id = obs_param(m, object, k);
	if (id != OBS_NONE && m->value[id].type == BH_ENUM && m->value[id].i >= list->count)
		m->value[id].type = BH_NONE;
}

void
obs_publish_range(struct obs_model *m, uint32_t object, enum obs_kind k, double min, double max, double step)
{
	uint32_t id = obs_param(m, object, k);
	if (id == OBS_NONE)
		return;
	struct obs_of_param *e = &m->of_param[id];
	if (e->ranged && e->min == min && e->max == max && e->step == step)
		return;
	e->ranged = true;
	e->min = min;
	e->max = max;
	e->step = step;
	add_param(m, object, k, list_of(m, k));
}

static bool
is_below(const struct obs_model *m, uint32_t n, uint32_t object)
{
	for (unsigned depth = 0; n != OBS_NONE && n < m->objects && depth < 4; depth++, n = m->object[n].parent)
		if (n == object)
			return true;
	return false;
}

static void
rename_param(struct obs_model *m, uint32_t object, enum obs_kind k)
{
	struct desc d;
	uint32_t *at = place_of(m, object, k);
	if (*at == OBS_NONE)
		return;
	write_desc(m, object, k, list_of(m, k), &d);
	int r = m->sink->rename(m->sink->ctx, *at, &d.p);
	if (r == 0)
		return;
	note_not_added(m, d.name, r);
	forget_param(m, *at);
	*at = OBS_NONE;
}

void
obs_publish_names(struct obs_model *m, uint32_t object)
{
	for (uint32_t n = 1; n < m->objects; n++) {
		if (!m->object[n].used || !is_below(m, n, object))
			continue;
		enum obs_class cls = (enum obs_class)m->object[n].cls;
		m->object[n].named++;
		for (unsigned k = obs_class_first(cls); k < obs_class_first(cls + 1); k++)
			rename_param(m, n, (enum obs_kind)k);
	}
}

uint32_t
obs_param(const struct obs_model *m, uint32_t object, enum obs_kind k)
{
	if (object >= m->objects || !m->object[object].used || k >= OBS_KINDS || obs_kinds[k].cls != (enum obs_class)m->object[object].cls)
		return OBS_NONE;
	return m->object[object].param[k - obs_class_first(obs_kinds[k].cls)];
}

/* ------------------------------------------------------------------ what is told */

bool
obs_value_same(const struct bh_value *a, const struct bh_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == BH_FLOAT) /* a float on the way is no other value */
		return fabs(a->f - b->f) <= 1e-5 * fmax(1, fmax(fabs(a->f), fabs(b->f)));
	return a->type == BH_TEXT ? !strcmp(a->s, b->s) : a->i == b->i;
}

void
obs_tell_param(struct obs_model *m, uint32_t id, struct bh_value v)
{
	struct obs_of_param *e = &m->of_param[id];
	if (v.type == BH_FLOAT && !isfinite(v.f))
		return;
	if (m->result_ns && e->event_ns > m->result_ns)
		return;
	if (m->in_event)
		e->event_ns = m->now_ns;
	m->value[id] = v;
	/* A camera's own file knows which of its moves are on their way. */
	if (obs_kinds[e->kind].cls != OBS_CAMERA && obs_queue_is_busy(m->queue, id)) {
		m->held += !e->held;
		e->held = true;
		e->held_until_ns = 0;
		return;
	}
	m->held -= e->held;
	e->held = false;
	m->sink->report(m->sink->ctx, id, v);
}

void
obs_tell(struct obs_model *m, uint32_t object, enum obs_kind k, struct bh_value v)
{
	uint32_t id = obs_param(m, object, k);
	if (id != OBS_NONE)
		obs_tell_param(m, id, v);
}

bool
obs_told(const struct obs_model *m, uint32_t object, enum obs_kind k, struct bh_value *v)
{
	uint32_t id = obs_param(m, object, k);
	if (id == OBS_NONE || m->value[id].type == BH_NONE)
		return false;
	*v = m->value[id];
	return true;
}
