/*
 * bank.c - banks: a long list of things on a row of strips
 *
 * What is written once in `each` is compiled for every place of the row, with {} left in its texts: which item stands there is the
 * router's business. A page that has the bank gets a copy of these bindings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define BANKS_MAX 64u
#define ITEMS_MAX BH_MAX_PARAMS

struct strip {
	const struct process *surface;
	uint8_t strip;
};

struct bank_in {
	struct compile *c;
	struct bank *bank;
	const char *path;
	struct strip *place;
	uint32_t places;
};

int
find_bank(const struct compile *c, const char *name)
{
	for (uint32_t i = 0; i < c->banks; i++) {
		if (strcmp(c->bank[i].name, name) == 0) {
			c->room[c->bank[i].row.room].is_set = true;
			return (int)i;
		}
	}
	return -1;
}

void
compile_bank_heads(struct compile *c)
{
	const struct node *map = node_get(c->root, "banks");
	if (!map || (map->kind == NODE_TEXT && map->is_null))
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, "banks", NULL, "is a mapping: a name, and what the bank is made of");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		const struct node *key = map->item[2 * i];
		const char *path = arena_print(c->arena, "banks.%s", key->text);
		if (!is_plain_name(key->text)) {
			COMPLAIN(c, key, path, NULL, "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
			continue;
		}
		if (c->banks == BANKS_MAX) {
			COMPLAIN(c, key, path, NULL, "too many banks, at most %u", BANKS_MAX);
			return;
		}
		struct bank *b = ARENA_PUSH(c->arena, c->bank, c->banks);
		*b = (struct bank){.name = key->text, .place = key, .node = map->item[2 * i + 1]};
		b->row = (struct bh_cfg_bank){.name = put_text(c, key->text), .driver = BH_SLOT_NONE, .place = place_of(key)};
		b->row.room = add_room(c, BH_ROOM_BANK, BH_INT, arena_print(c->arena, "bank/%s", key->text), key);
		c->room[b->row.room].row.ref = (uint16_t)(c->banks - 1);
		c->room[b->row.room].row.def = (struct bh_cfg_operand){.type = BH_FLOAT, .text = put_text(c, "0")};
	}
}

static const char *
sub_path(struct bank_in *in, const char *key)
{
	return arena_print(in->c->arena, "%s.%s", in->path, key);
}

/* ------------------------------------------------------------------ items */

static void
read_pattern(struct bank_in *in, const struct node *n)
{
	struct bh_cfg_bank *row = &in->bank->row;
	struct target t;
	const char *star = strchr(n->text, '*');
	if (!star || strchr(star + 1, '*')) {
		COMPLAIN(in->c, star ? node_at(in->c, n, strchr(star + 1, '*')) : n, sub_path(in, "items"), NULL,
			 "is a pattern with one *, as in obs/input/*/volume, or a list of names");
		return;
	}
	if (!find_target(in->c, n, n->text, sub_path(in, "items"), &t))
		return;
	if (!t.process) {
		COMPLAIN(in->c, n, sub_path(in, "items"), NULL, "a bank shows what a driver offers");
		return;
	}
	star = strchr(t.name, '*');
	if (!star) {
		COMPLAIN(in->c, n, sub_path(in, "items"), NULL, "the * stands behind the name of the driver, as in obs/input/*/volume");
		return;
	}
	row->driver = t.driver;
	row->before = bh_config_writer_str(in->c->w, t.name, (size_t)(star - t.name));
	row->after = put_text(in->c, star + 1);
	row->max = t.process->common.params;
}

static void
read_items(struct bank_in *in)
{
	const struct node *n = node_get(in->bank->node, "items"), *order = node_get(in->bank->node, "order");
	struct bh_cfg_bank *row = &in->bank->row;
	bool is_list = n && n->kind == NODE_LIST;
	if (!n || n->kind == NODE_MAP || (n->kind == NODE_TEXT && n->is_null) || (is_list && !n->count)) {
		COMPLAIN(in->c, n ? n : in->bank->place, sub_path(in, "items"), NULL,
			 "is required: a pattern as in obs/input/*/volume, or a list of names");
		return;
	}
	if (order && (order->kind != NODE_TEXT || (strcmp(order->text, "offered") != 0 && strcmp(order->text, "name") != 0)))
		COMPLAIN(in->c, order, sub_path(in, "order"), NULL, "is offered or name");
	else if (order && is_list)
		COMPLAIN(in->c, node_key(in->bank->node, "order"), sub_path(in, "order"), NULL, "a list stands in its own order");
	else if (order && strcmp(order->text, "name") == 0)
		row->flags |= BH_BANKF_BY_NAME;
	if (!is_list) {
		read_pattern(in, n);
		return;
	}
	if (n->count > ITEMS_MAX) {
		COMPLAIN(in->c, n->item[ITEMS_MAX], sub_path(in, "items"), NULL, "too many items, at most %u", ITEMS_MAX);
		return;
	}
	pack_texts(in->c, n, sub_path(in, "items"), BH_NAME_MAX, &row->items, &row->items_len, &row->max);
}

/* ------------------------------------------------------------------ strips */

static bool
has_strip(const struct process *surface, uint32_t strip)
{
	for (uint32_t i = 0; i < surface->device->controls; i++)
		if (surface->device->control[i].strip == strip)
			return true;
	return false;
}

static const struct process *
strips_surface(struct bank_in *in, const struct node *n, const char **rest)
{
	struct compile *c = in->c;
	const char *slash = strchr(n->text, '/');
	const struct process *only = NULL;
	unsigned surfaces = 0;
	*rest = slash ? slash + 1 : n->text;
	if (slash) {
		const struct process *p = process_named(c, BH_ROLE_SURFACE, n->text, (size_t)(slash - n->text));
		if (!p)
			COMPLAIN(c, n, sub_path(in, "strips"), meant_process(c, BH_ROLE_SURFACE, n->text, (size_t)(slash - n->text)),
				 "there is no surface called \"%.*s\"", (int)(slash - n->text), n->text);
		return p;
	}
	for (uint32_t i = 0; i < c->processes; i++) {
		if (c->process[i].role == BH_ROLE_SURFACE) {
			only = &c->process[i];
			surfaces++;
		}
	}
	if (surfaces == 1)
		return only;
	if (surfaces)
		COMPLAIN(c, n, sub_path(in, "strips"), NULL, "there are %u surfaces: write which, as in %s/%s", surfaces, only->name,
			 n->text);
	else
		COMPLAIN(c, n, sub_path(in, "strips"), NULL, "there is no surface");
	return NULL;
}

static void
add_place(struct bank_in *in, const struct node *n, const struct process *surface, uint32_t strip)
{
	for (uint32_t i = 0; i < in->places; i++) {
		if (in->place[i].surface == surface && in->place[i].strip == strip) {
			COMPLAIN(in->c, n, sub_path(in, "strips"), NULL, "strip %u of %s is written twice", strip + 1, surface->name);
			return;
		}
	}
	if (in->places == BH_MAX_CONTROLS)
		return;
	*ARENA_PUSH(in->c->arena, in->place, in->places) = (struct strip){surface, (uint8_t)strip};
}

/* "desk/1-8", "desk/3", "1-8". */
static void
read_strip_range(struct bank_in *in, const struct node *n)
{
	const char *rest;
	unsigned first, last;
	int used = 0;
	if (n->kind != NODE_TEXT || n->is_null) {
		COMPLAIN(in->c, n, sub_path(in, "strips"), NULL, "is a range of strips, as in desk/1-8");
		return;
	}
	const struct process *surface = strips_surface(in, n, &rest);
	if (!surface || surface->is_broken)
		return;
	if (sscanf(rest, "%3u-%3u%n", &first, &last, &used) == 2 && !rest[used]) {
		;
	} else if (sscanf(rest, "%3u%n", &first, &used) == 1 && !rest[used]) {
		last = first;
	} else {
		COMPLAIN(in->c, n, sub_path(in, "strips"), NULL, "\"%s\" is no range of strips, as in desk/1-8", n->text);
		return;
	}
	for (unsigned i = first; i <= last || i == first; i++) {
		if (!i || last < first || !has_strip(surface, i - 1)) {
			COMPLAIN(in->c, n, sub_path(in, "strips"), NULL, last < first ? "it goes from left to right" : "%s (%s) has no strip %u",
				 surface->name, surface->device->name, i);
			return;
		}
		add_place(in, n, surface, i - 1);
	}
}

static void
read_strips(struct bank_in *in)
{
	const struct node *n = node_get(in->bank->node, "strips");
	if (!n || n->kind == NODE_MAP || (n->kind == NODE_LIST && !n->count)) {
		COMPLAIN(in->c, n ? n : in->bank->place, sub_path(in, "strips"), NULL, "is required: the strips it stands on, as in desk/1-8");
		return;
	}
	for (uint32_t i = 0; n->kind == NODE_LIST && i < n->count; i++)
		read_strip_range(in, n->item[i]);
	if (n->kind == NODE_TEXT)
		read_strip_range(in, n);
	in->bank->row.places = (uint16_t)in->places;
}

/* ------------------------------------------------------------------ pins */

static bool
check_pin(struct bank_in *in, const struct node *item, const char *path)
{
	const struct node *items = node_get(in->bank->node, "items");
	if (item->kind != NODE_TEXT || item->is_null || !*item->text || strlen(item->text) > BH_NAME_MAX) {
		COMPLAIN(in->c, item, path, NULL, "is the name of an item");
		return false;
	}
	struct bh_suggest s = {.word = item->text};
	if (!items || items->kind != NODE_LIST)
		return true;
	for (uint32_t i = 0; i < items->count; i++) {
		if (items->item[i]->kind != NODE_TEXT)
			return true;
		if (strcmp(items->item[i]->text, item->text) == 0)
			return true;
		bh_suggest_offer(&s, items->item[i]->text);
	}
	COMPLAIN(in->c, item, path, s.best, "\"%s\" is none of the items", item->text);
	return false;
}

static void
read_pins(struct bank_in *in)
{
	const struct node *map = node_get(in->bank->node, "pins");
	const char *pin[BH_MAX_CONTROLS] = {0};
	size_t cap = 1, used = 0;
	if (!map || (map->kind == NODE_TEXT && map->is_null))
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(in->c, map, sub_path(in, "pins"), NULL, "is a mapping: a place, and its item, as in { 8: Music }");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		const struct node *key = map->item[2 * i], *item = map->item[2 * i + 1];
		const char *path = arena_print(in->c->arena, "%s.pins.%s", in->path, key->text);
		char *end;
		unsigned long place = strtoul(key->text, &end, 10);
		if (*end || end == key->text || !place || place > in->places) {
			COMPLAIN(in->c, key, path, NULL, "is a place of the bank, 1 to %u", in->places);
			continue;
		}
		if (check_pin(in, item, path))
			pin[place - 1] = item->text;
	}
	for (uint32_t i = 0; i < in->places; i++)
		cap += (pin[i] ? strlen(pin[i]) : 0) + 1;
	char *packed = arena_alloc(in->c->arena, cap);
	for (uint32_t i = 0; i < in->places; i++) {
		size_t n = pin[i] ? strlen(pin[i]) : 0;
		if (n)
			memcpy(packed + used, pin[i], n);
		used += n + 1;
	}
	in->bank->row.pins = bh_config_writer_str(in->c->w, packed, used);
	in->bank->row.pins_len = (uint32_t)used;
}

/* ------------------------------------------------------------------ each */

/* "fader" for fader1, "vpot_push" for vpot1_push. */
static bool
is_of_family(const char *name, const char *family)
{
	for (; *name; name++) {
		if (*name >= '0' && *name <= '9')
			continue;
		if (*name != *family++)
			return false;
	}
	return !*family;
}

static const struct bh_cfg_control *
control_of(const struct strip *s, const char *family)
{
	const struct device *d = s->surface->device;
	for (uint32_t i = 0; i < d->controls; i++)
		if (d->control[i].strip == s->strip && is_of_family(d->control[i].name, family))
			return &d->control[i];
	return NULL;
}

static const char *
meant_family(struct bank_in *in, const struct strip *s, const char *word)
{
	struct bh_suggest best = {.word = word};
	const struct device *d = s->surface->device;
	for (uint32_t i = 0; i < d->controls; i++) {
		char *family = arena_copy(in->c->arena, d->control[i].name, strlen(d->control[i].name)), *to = family;
		for (const char *p = family; *p; p++)
			if (*p < '0' || *p > '9')
				*to++ = *p;
		*to = '\0';
		if (d->control[i].strip == s->strip)
			bh_suggest_offer(&best, family);
	}
	return best.best;
}

/* One family on all places. What is wrong on the first is wrong on all: it is said once. */
static void
read_family(struct bank_in *in, uint16_t number, const struct node *key, const struct node *node)
{
	struct compile *c = in->c;
	const char *path = sub_path(in, "each");
	uint32_t errors = c->report->count + c->report->more;
	for (uint32_t i = 0; i < in->places && errors == c->report->count + c->report->more; i++) {
		struct entry e = {.page = BH_PAGE_GLOBAL, .bank = number, .bank_pos = (uint16_t)i, .surface = in->place[i].surface};
		e.control = control_of(&in->place[i], key->text);
		if (e.control)
			read_entry(c, &e, path, key, node);
		else
			COMPLAIN(c, key, arena_print(c->arena, "%s.%s", path, key->text), meant_family(in, &in->place[i], key->text),
				 "strip %u of %s has no \"%s\"", in->place[i].strip + 1, in->place[i].surface->name, key->text);
	}
}

static void
read_each(struct bank_in *in, uint16_t number)
{
	struct compile *c = in->c;
	const struct node *map = node_get(in->bank->node, "each");
	uint32_t before = c->bindings;
	if (!map || map->kind != NODE_MAP || !map->count) {
		COMPLAIN(c, map ? map : in->bank->place, sub_path(in, "each"), NULL,
			 "is required: a family of controls, and what it is bound to, as in { fader: \"obs/input/{}/volume\" }");
		return;
	}
	c->in_bank = true;
	for (uint32_t i = 0; i < map->count; i++)
		read_family(in, number, map->item[2 * i], map->item[2 * i + 1]);
	c->in_bank = false;
	/* They wait for the pages that have the bank. */
	uint32_t n = c->bindings - before;
	in->bank->binding = arena_alloc(c->arena, (n + 1) * sizeof(*in->bank->binding));
	if (n)
		memcpy(in->bank->binding, c->binding + before, n * sizeof(*c->binding));
	in->bank->bindings = n;
	c->bindings = before;
}

void
compile_banks(struct compile *c)
{
	for (uint32_t i = 0; i < c->banks; i++) {
		struct bank_in in = {.c = c, .bank = &c->bank[i], .path = arena_print(c->arena, "banks.%s", c->bank[i].name)};
		if (in.bank->node->kind != NODE_MAP) {
			COMPLAIN(c, in.bank->place, in.path, NULL, "is a mapping with items, strips and each");
			continue;
		}
		check_section(c, in.bank->node, "bank", in.path);
		read_items(&in);
		read_strips(&in);
		read_pins(&in);
		read_each(&in, (uint16_t)(i + 1));
	}
}

/* ------------------------------------------------------------------ on a page */

static void
put_bank(struct compile *c, const struct bank *b, uint16_t page, const struct node *at, const char *path)
{
	if (c->bindings + b->bindings > BINDINGS_MAX) {
		COMPLAIN(c, at, path, NULL, "too many bindings, at most %u", BINDINGS_MAX);
		return;
	}
	for (uint32_t i = 0; i < b->bindings; i++) {
		struct bh_cfg_binding *row = ARENA_PUSH(c->arena, c->binding, c->bindings);
		*row = b->binding[i];
		row->page = page;
	}
}

void
read_bank_list(struct compile *c, const struct node *list, uint16_t page, const char *path)
{
	if (!list || (list->kind == NODE_TEXT && list->is_null))
		return;
	if (list->kind != NODE_LIST) {
		COMPLAIN(c, list, path, NULL, "is a list of names of banks");
		return;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct node *n = list->item[i];
		int bank = n->kind == NODE_TEXT ? find_bank(c, n->text) : -1;
		bool is_twin = false;
		for (uint32_t k = 0; k < i; k++)
			is_twin = is_twin || (n->kind == NODE_TEXT && list->item[k]->kind == NODE_TEXT &&
					      strcmp(list->item[k]->text, n->text) == 0);
		if (is_twin) {
			COMPLAIN(c, n, path, NULL, "is written twice");
		} else if (bank >= 0) {
			c->bank[bank].is_used = true;
			put_bank(c, &c->bank[bank], page, n, path);
		} else {
			struct bh_suggest s = {.word = n->kind == NODE_TEXT ? n->text : ""};
			for (uint32_t k = 0; k < c->banks; k++)
				bh_suggest_offer(&s, c->bank[k].name);
			COMPLAIN(c, n, path, s.best, "there is no bank called \"%s\"", s.word);
		}
	}
}
