/*
 * options.c - the keys of one process: checked against its kind's table, completed by the device's defaults and the table's own
 *
 * Options come out in the order of the table, so that their check sum changes when they do and not when a file is tidied up.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"
#include "shm/crc.h"

#define COMMON(m, ...) BH_CFG(struct process_common, m, __VA_ARGS__)

/* clang-format off */
#define FIELD_START COMMON(start, .type = BH_CFG_BOOL, .def = "yes", .reload = BH_RELOAD_LIVE, \
			   .help = "start it with the pipeline; else only by `bulkhead start`")
#define FIELD_HANG COMMON(hang_ms, .type = BH_CFG_MS, .def = "2s", .min = "10ms", .max = "10m", .reload = BH_RELOAD_LIVE, \
			  .help = "work that is owed this long without progress is a hang: it is killed and restarted")
#define FIELD_READY COMMON(ready_ms, .type = BH_CFG_MS, .def = "10s", .min = "100ms", .max = "10m", .reload = BH_RELOAD_LIVE, \
			   .help = "it must be ready this long after its start")
#define FIELD_RING COMMON(ring_slots, .type = BH_CFG_U32, .def = "1024", .min = "16", .max = "65536", \
			  .help = "events between it and the router that can wait; a power of two")

static const struct bh_cfg_field surface_fields[] = {
	COMMON(device, .type = BH_CFG_STR, .help = "what it is: a file in devices/"),
	COMMON(kind, .type = BH_CFG_STR, .def = "surface", .help = "the program that speaks to it is bh-KIND"),
	COMMON(pages, .type = BH_CFG_STR, .def = "", .reload = BH_RELOAD_LIVE,
	       .help = "surfaces with the same word here turn their pages together, and apart from the others; empty: the main group"),
	FIELD_START, FIELD_HANG, FIELD_READY, FIELD_RING,
	BH_CFG_LAST,
};
static const struct bh_cfg_field driver_fields[] = {
	COMMON(kind, .type = BH_CFG_STR, .def = "", .help = "the program is bh-KIND; without it, the name is the kind"),
	FIELD_START,
	COMMON(params, .type = BH_CFG_U32, .def = "256", .min = "1", .max = "4096",
	       .help = "parameters it can have at most; some kinds have another default"),
	COMMON(max_age_ms, .type = BH_CFG_MS, .def = "250ms", .min = "1ms", .max = "1h", .reload = BH_RELOAD_LIVE,
	       .help = "an action that arrives later than this after the press is dropped"),
	FIELD_HANG, FIELD_READY, FIELD_RING,
	BH_CFG_LAST,
};
static const struct bh_cfg_field fixed_fields[] = {
	FIELD_HANG, FIELD_READY,
	BH_CFG_LAST,
};
/* clang-format on */

const struct bh_cfg_field *
common_fields(enum bh_role role)
{
	static const struct bh_cfg_field none[] = {BH_CFG_LAST};
	switch (role) {
	case BH_ROLE_DRIVER: return driver_fields;
	case BH_ROLE_SURFACE: return surface_fields;
	case BH_ROLE_ROUTER:
	case BH_ROLE_CONTROL:
	case BH_ROLE_STORE: return fixed_fields;
	case BH_ROLE_SUPERVISOR: /* watches, and is watched by the keeper, which knows no options */
	case BH_ROLE_NONE: break;
	}
	return none;
}

const struct bh_cfg_field *
common_fields_of(enum bh_role role, const struct kind *k)
{
	static struct bh_cfg_field own[BH_ARRAY_LEN(driver_fields)];
	if (role != BH_ROLE_DRIVER || !k || !k->max_params)
		return common_fields(role);
	memcpy(own, driver_fields, sizeof(own));
	for (size_t i = 0; i < BH_ARRAY_LEN(own); i++)
		if (own[i].key && strcmp(own[i].key, "params") == 0)
			own[i].def = k->max_params;
	return own;
}

static const struct bh_cfg_field *
field_named(const struct bh_cfg_field *f, const char *key)
{
	for (; f && f->type != BH_CFG_END; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}

static void
offer_fields(struct bh_suggest *s, const struct bh_cfg_field *f)
{
	for (; f && f->type != BH_CFG_END; f++)
		bh_suggest_offer(s, f->key);
}

static bool
is_text(enum bh_cfg_type type)
{
	return type == BH_CFG_STR || type == BH_CFG_PATH || type == BH_CFG_SECRET;
}

/* What was meant by a wrong choice. */
static const char *
meant_choice(const struct bh_cfg_field *f, const char *text)
{
	struct bh_suggest s = {.word = text};
	for (uint32_t i = 0; f->type == BH_CFG_ENUM && f->choices && f->choices[i]; i++)
		bh_suggest_offer(&s, f->choices[i]);
	return s.best;
}

/* The text of a scalar, checked against its field; NULL if it is wrong. `out` has 8 bytes. */
static const char *
checked_text(struct compile *c, const struct bh_cfg_field *f, const struct node *n, const char *path, void *out)
{
	char why[256];
	if (n->kind != NODE_TEXT) {
		COMPLAIN(c, n, path, NULL, "is one value, not a %s", n->kind == NODE_LIST ? "list" : "mapping");
		return NULL;
	}
	if (n->is_null) {
		COMPLAIN(c, n, path, NULL, "has no value; write \"\" for an empty text");
		return NULL;
	}
	if (is_text(f->type))
		return n->text;
	if (bh_cfg_parse_value(f, n->text, out, why, sizeof(why)) < 0) {
		COMPLAIN(c, n, path, meant_choice(f, n->text), "%s", why);
		return NULL;
	}
	return n->text;
}

/* "$runtime/x", "$state/x". */
static const char *
in_place(struct compile *c, const char *text, const struct node *n, const char *path)
{
	static const char *const places[] = {"$runtime", "$state"};
	int (*const finders[])(char *, size_t, const char *) = {c->env->runtime, c->env->state};
	size_t len = strcspn(text, "/");
	char buf[PATH_MAX];
	for (size_t i = 0; i < BH_ARRAY_LEN(places); i++) {
		if (strlen(places[i]) != len || strncmp(text, places[i], len) != 0)
			continue;
		int r = finders[i](buf, sizeof(buf), text[len] ? text + len + 1 : NULL);
		if (r == 0)
			return arena_copy(c->arena, buf, strlen(buf));
		COMPLAIN(c, n, path, NULL, "%s: %s", places[i], strerror(-r));
		return "";
	}
	const char *word = arena_copy(c->arena, text, len);
	COMPLAIN(c, n, path, bh_suggest_from(word, places, BH_ARRAY_LEN(places)),
		 "there is no place called \"%s\"; a path begins with /, ~/, $runtime/, $state/ or a name", word);
	return "";
}

static const char *
absolute(struct compile *c, const char *text, const struct node *n, const char *path)
{
	const char *home = getenv("HOME");
	if (!*text || *text == '/')
		return text;
	if (*text == '$')
		return in_place(c, text, n ? n : c->root, path);
	if (strncmp(text, "~/", 2) == 0 && home)
		return arena_print(c->arena, "%s/%s", home, text + 2);
	return arena_print(c->arena, "%s/%s", c->env->folder, text);
}

static void
add_option(struct compile *c, struct process *p, bool is_live, const char *key, const char *text, const struct node *n)
{
	*ARENA_PUSH(c->arena, p->option, p->options) = (struct option){
		.key = key,
		.text = text,
		/* What stands in a device's file is not the user's. */
		.place = place_of(n && n->src == c->src ? n : NULL),
		.is_live = is_live,
	};
}

/* ------------------------------------------------------------------ a table against a mapping */

struct table_walk {
	struct process *p;
	const struct node *map;	 /* as written; NULL = nothing */
	const struct node *device_options; /* NULL = none */
	const struct node *at;	 /* for what is missing */
	const char *path;	 /* "drivers.loop" */
	const char *prefix;	 /* of option keys: "", "ports[0]." */
	bool is_live;		 /* the list we are in is */
	unsigned depth;
};

static void walk_fields(struct compile *c, const struct table_walk *t, const struct bh_cfg_field *fields);

static void
walk_item(struct compile *c, const struct table_walk *t, const struct bh_cfg_field *f, const struct node *item,
	  uint32_t i, const char *key, const char *path, bool is_live)
{
	struct node *wrapped = NULL;
	if (item->kind == NODE_TEXT && f->sub && f->sub->type != BH_CFG_END && !item->is_null) {
		/* Short form: a text alone is the first key. */
		struct node *k = arena_alloc(c->arena, sizeof(*k));
		*k = *item;
		k->text = f->sub->key;
		wrapped = arena_alloc(c->arena, sizeof(*wrapped));
		*wrapped = *item;
		wrapped->kind = NODE_MAP;
		wrapped->count = 1;
		wrapped->item = arena_alloc(c->arena, 2 * sizeof(*wrapped->item));
		wrapped->item[0] = k;
		wrapped->item[1] = (struct node *)item;
		item = wrapped;
	}
	struct table_walk sub = {
		.p = t->p, .map = item, .at = item, .path = arena_print(c->arena, "%s[%u]", path, i),
		.prefix = arena_print(c->arena, "%s[%u].", key, i), .is_live = is_live, .depth = t->depth + 1,
	};
	if (item->kind != NODE_MAP) {
		COMPLAIN(c, item, sub.path, NULL, "is a mapping of keys and values");
		return;
	}
	walk_fields(c, &sub, f->sub);
}

static void
walk_list(struct compile *c, const struct table_walk *t, const struct bh_cfg_field *f, const struct node *n,
	  const char *key, const char *path)
{
	bool is_live = t->is_live || f->reload == BH_RELOAD_LIVE;
	uint32_t count = n && n->kind == NODE_LIST ? n->count : 0;
	if (n && n->kind != NODE_LIST && !n->is_null) {
		COMPLAIN(c, n, path, NULL, "is a list");
		return;
	}
	if (count > BH_CFG_LIST_MAX) {
		COMPLAIN(c, n->item[BH_CFG_LIST_MAX], path, NULL, "too many, at most %u", BH_CFG_LIST_MAX);
		return;
	}
	if (t->depth >= BH_CFG_LIST_DEPTH || !f->sub)
		return;
	add_option(c, t->p, is_live, key, arena_print(c->arena, "%u", count), n);
	for (uint32_t i = 0; i < count; i++)
		walk_item(c, t, f, n->item[i], i, key, path, is_live);
}

static void
walk_field(struct compile *c, const struct table_walk *t, const struct bh_cfg_field *f)
{
	const char *path = arena_print(c->arena, "%s.%s", t->path, f->key);
	const char *key = arena_print(c->arena, "%s%s", t->prefix, f->key);
	bool is_live = t->is_live || f->reload == BH_RELOAD_LIVE;
	const struct node *n = node_get(t->map, f->key);
	uint64_t ignored;
	if (!n)
		n = node_get(t->device_options, f->key);
	if (f->type == BH_CFG_LIST) {
		walk_list(c, t, f, n, key, path);
		return;
	}
	const char *text = n ? checked_text(c, f, n, path, &ignored) : f->def;
	if (text && f->type == BH_CFG_PATH)
		text = absolute(c, text, n, path);
	if (text)
		add_option(c, t->p, is_live, key, text, n);
	else if (!n)
		COMPLAIN(c, t->at, path, NULL, "is required%s%s", f->help ? ": " : "", f->help ? f->help : "");
}

static void
check_keys(struct compile *c, const struct node *map, const char *path, const struct bh_cfg_field *fields,
	   const struct bh_cfg_field *more)
{
	for (uint32_t i = 0; map && i < map->count; i++) {
		const struct node *key = map->item[2 * i];
		if (field_named(fields, key->text) || field_named(more, key->text))
			continue;
		struct bh_suggest s = {.word = key->text};
		offer_fields(&s, fields);
		offer_fields(&s, more);
		COMPLAIN(c, key, arena_print(c->arena, "%s.%s", path, key->text), s.best, "unknown key");
	}
}

static void
walk_fields(struct compile *c, const struct table_walk *t, const struct bh_cfg_field *fields)
{
	if (t->depth)
		check_keys(c, t->map, t->path, fields, NULL);
	for (const struct bh_cfg_field *f = fields; f && f->type != BH_CFG_END; f++)
		walk_field(c, t, f);
}

/* ------------------------------------------------------------------ keys of every process */

static void
read_common(struct compile *c, struct process *p, const struct node *map, const struct node *at, const char *path)
{
	const struct node *kind = node_get(map, "kind");
	const struct kind *k = catalog_kind(c->env->catalog, kind && kind->kind == NODE_TEXT ? kind->text : p->name);
	for (const struct bh_cfg_field *f = common_fields_of(p->role, k); f->type != BH_CFG_END; f++) {
		const char *key = arena_print(c->arena, "%s.%s", path, f->key);
		const struct node *n = node_get(map, f->key);
		uint8_t *out = (uint8_t *)&p->common + f->offset;
		uint64_t value = 0;
		char why[64];
		const char *text = n ? checked_text(c, f, n, key, &value) : f->def;
		if (!text && !n && at)
			COMPLAIN(c, at, key, NULL, "is required: %s", f->help);
		/* What was wrong is reported; go on with the default. */
		if (!text)
			text = f->def ? f->def : "";
		if (is_text(f->type))
			memcpy(out, &text, sizeof(text));
		else if (bh_cfg_parse_value(f, text, &value, why, sizeof(why)) == 0)
			memcpy(out, &value, bh_cfg_value_size(f->type));
	}
	if (!p->common.ring_slots)
		p->common.ring_slots = 1024;
	if (p->common.ring_slots & (p->common.ring_slots - 1))
		COMPLAIN(c, node_get(map, "ring_slots"), arena_print(c->arena, "%s.ring_slots", path), NULL,
			 "%u is no power of two", p->common.ring_slots);
}

static void
find_kind(struct compile *c, struct process *p, const struct node *map, const struct node *at, const char *path)
{
	const struct node *n = node_get(map, "kind");
	const char *name = *p->common.kind ? p->common.kind : p->name;
	const struct kind *k = catalog_kind(c->env->catalog, name);
	if (k && k->role == p->role) {
		p->kind = k;
		return;
	}
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < c->env->catalog->kinds; i++)
		if (c->env->catalog->kind[i].role == p->role)
			bh_suggest_offer(&s, c->env->catalog->kind[i].name);
	p->is_broken = true;
	path = arena_print(c->arena, "%s.kind", path);
	if (!n && p->role == BH_ROLE_DRIVER)
		COMPLAIN(c, at, path, s.best, "is required, for there is no kind of driver called \"%s\"", name);
	else
		COMPLAIN(c, n ? n : at, path, s.best, "there is no kind of %s called \"%s\"",
			 p->role == BH_ROLE_DRIVER ? "driver" : "surface", name);
}

static void
find_device(struct compile *c, struct process *p, const struct node *map, const char *path)
{
	const struct node *n = node_get(map, "device");
	/* A missing one is reported already. */
	if (!n || n->kind != NODE_TEXT || n->is_null) {
		p->is_broken = true;
		return;
	}
	p->device = catalog_device(c->env->catalog, p->common.device);
	if (!p->device) {
		struct bh_suggest s = {.word = p->common.device};
		for (uint32_t i = 0; i < c->env->catalog->devices; i++)
			bh_suggest_offer(&s, c->env->catalog->device[i].name);
		COMPLAIN(c, n, arena_print(c->arena, "%s.device", path), s.best, "there is no device called \"%s\"",
			 p->common.device);
	}
	if (!p->device || !p->device->is_good)
		p->is_broken = true;
}

void
compile_options(struct compile *c, struct process *p, const struct node *map, const char *path)
{
	const struct node *at = p->place;
	if (map && map->kind != NODE_MAP && !map->is_null) {
		COMPLAIN(c, map, path, NULL, "is a mapping of keys and values");
		p->is_broken = true;
		return;
	}
	if (map && map->kind != NODE_MAP)
		map = NULL;
	read_common(c, p, map, at, path);
	if (p->role == BH_ROLE_SURFACE)
		find_device(c, p, map, path);
	if (p->role == BH_ROLE_SURFACE || p->role == BH_ROLE_DRIVER)
		find_kind(c, p, map, at, path);
	else
		p->kind = catalog_kind(c->env->catalog, p->name);
	/* Without its table nothing can be said about its keys. */
	if ((p->role == BH_ROLE_SURFACE || p->role == BH_ROLE_DRIVER) && !p->kind)
		return;
	const struct bh_cfg_field *fields = p->kind ? p->kind->fields : NULL;
	check_keys(c, map, path, fields, common_fields(p->role));
	struct table_walk t = {.p = p, .map = map, .at = at ? at : map, .path = path, .prefix = ""};
	if (p->device && p->device->is_good) {
		t.device_options = p->device->options;
		check_keys(c, t.device_options, "options", fields, NULL);
	}
	if (!t.at)
		t.at = c->root;
	walk_fields(c, &t, fields);
}

uint32_t
options_check(const struct process *p, bool restart_only)
{
	uint32_t crc = 0;
	for (uint32_t i = 0; i < p->options; i++) {
		const struct option *o = &p->option[i];
		if (restart_only && o->is_live)
			continue;
		crc = bh_crc32c(crc, o->key, strlen(o->key) + 1);
		crc = bh_crc32c(crc, o->text, strlen(o->text) + 1);
	}
	/* A panel with other controls is another surface. */
	if (p->device)
		crc = bh_crc32c(crc, p->device->control, p->device->controls * sizeof(*p->device->control));
	return crc;
}
