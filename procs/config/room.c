/*
 * room.c - the router's own parameters: pages, layers, banks, variables, what reactions remember
 *
 * Their order is fixed: page; page/GROUP; quiet; layer/fine; layers; banks; variables; reactions; macros that run.
 */
#include <stdio.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define ROOMS_MAX (BH_MAX_ROOM - BH_ROOM_RUNS)
#define CHOICES_MAX 64u

uint32_t
add_room(struct compile *c, enum bh_room_kind kind, enum bh_type type, const char *name, const struct node *place)
{
	if (c->rooms == ROOMS_MAX && place)
		COMPLAIN(c, place, name, NULL, "too many layers, variables, banks and reactions together, at most %u", ROOMS_MAX);
	struct room_row *r = ARENA_PUSH(c->arena, c->room, c->rooms);
	r->name = name;
	r->place = place;
	r->known = (struct known){.type = type, .is_read_only = kind == BH_ROOM_EDGE};
	r->row = (struct bh_cfg_room){
		.name = put_text(c, name), .kind = (uint8_t)kind, .type = (uint8_t)type, .place = place_of(place)};
	return c->rooms - 1;
}

int
find_room(const struct compile *c, const char *name)
{
	for (uint32_t i = 0; i < c->rooms; i++)
		if (strcmp(c->room[i].name, name) == 0)
			return (int)i;
	return -1;
}

int
find_layer(struct compile *c, const struct node *n, const char *path)
{
	int row = find_room(c, arena_print(c->arena, "layer/%s", n->text));
	struct bh_suggest s = {.word = n->text};
	if (row >= 0) {
		c->room[row].is_used = true;
		return row;
	}
	for (uint32_t i = 0; i < c->rooms; i++)
		if (c->room[i].row.kind == BH_ROOM_LAYER)
			bh_suggest_offer(&s, c->room[i].name + strlen("layer/"));
	COMPLAIN(c, n, path, s.best, "there is no layer called \"%s\": name it in `layers`, at the top of the file", n->text);
	return -1;
}

/* ------------------------------------------------------------------ pages and groups */

static void
set_choices(struct compile *c, struct room_row *r, const char *const *choice, uint32_t count)
{
	size_t cap = 1, used = 0;
	for (uint32_t i = 0; i < count; i++)
		cap += strlen(choice[i]) + 1;
	char *packed = arena_alloc(c->arena, cap);
	for (uint32_t i = 0; i < count; i++) {
		size_t n = strlen(choice[i]) + 1;
		memcpy(packed + used, choice[i], n);
		used += n;
	}
	r->known.choice = choice;
	r->known.choices = count;
	r->row.choices = bh_config_writer_str(c->w, packed, used);
	r->row.choices_len = (uint32_t)used;
	r->row.count = count;
	r->row.def = (struct bh_cfg_operand){.type = BH_FLOAT, .text = count ? put_text(c, choice[0]) : 0};
}

static void
add_groups(struct compile *c, const char *const *name)
{
	for (uint32_t i = 0; i < c->processes; i++) {
		struct process *p = &c->process[i];
		if (p->role != BH_ROLE_SURFACE || !p->common.pages || !*p->common.pages)
			continue;
		const char *path = arena_print(c->arena, "surfaces.%s.pages", p->name);
		const struct node *at = node_get(node_get(node_get(c->root, "surfaces"), p->name), "pages");
		if (!is_plain_name(p->common.pages)) {
			COMPLAIN(c, at ? at : p->place, path, NULL, "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
			continue;
		}
		const char *row = arena_print(c->arena, "page/%s", p->common.pages);
		int known = find_room(c, row);
		p->page_room = known >= 0 ? (uint32_t)known : add_room(c, BH_ROOM_PAGE, BH_ENUM, row, at ? at : p->place);
		if (known < 0)
			set_choices(c, &c->room[p->page_room], name, c->pages);
	}
}

static void
add_pages(struct compile *c)
{
	const char **name = arena_alloc(c->arena, (c->pages + 1) * sizeof(*name));
	for (uint32_t i = 0; i < c->pages; i++)
		name[i] = c->page_of[i].name ? c->page_of[i].name : "";
	uint32_t row = add_room(c, BH_ROOM_PAGE, BH_ENUM, "page", NULL);
	set_choices(c, &c->room[row], name, c->pages);
	add_groups(c, name);
}

/* ------------------------------------------------------------------ layers */

static void
add_layers(struct compile *c)
{
	const struct node *list = node_get(c->root, "layers");
	add_room(c, BH_ROOM_LAYER, BH_BOOL, "layer/fine", NULL);
	if (!list || (list->kind == NODE_TEXT && list->is_null))
		return;
	if (list->kind != NODE_LIST) {
		COMPLAIN(c, list, "layers", NULL, "is a list of names, as in [shift, option]");
		return;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct node *n = list->item[i];
		const char *path = arena_print(c->arena, "layers[%u]", i);
		if (n->kind != NODE_TEXT || !is_plain_name(n->text)) {
			COMPLAIN(c, n, path, NULL, "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
			continue;
		}
		const char *name = arena_print(c->arena, "layer/%s", n->text);
		if (strcmp(n->text, "fine") == 0)
			COMPLAIN(c, n, path, NULL, "the layer `fine` is there always, for fine steps of knobs");
		else if (find_room(c, name) >= 0)
			COMPLAIN(c, n, path, NULL, "is written twice");
		else
			add_room(c, BH_ROOM_LAYER, BH_BOOL, name, n);
	}
}

/* ------------------------------------------------------------------ variables */

static void
read_choices(struct compile *c, struct room_row *r, const struct node *list, const char *path)
{
	if (list->kind != NODE_LIST || !list->count) {
		COMPLAIN(c, list, path, NULL, "is a list of texts");
		return;
	}
	if (list->count > CHOICES_MAX) {
		COMPLAIN(c, list->item[CHOICES_MAX], path, NULL, "too many, at most %u", CHOICES_MAX);
		return;
	}
	const char **choice = arena_alloc(c->arena, (list->count + 1) * sizeof(*choice));
	uint32_t count = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct node *n = list->item[i];
		bool is_twin = false;
		if (n->kind != NODE_TEXT || n->is_null || !*n->text || strlen(n->text) > BH_TEXT_MAX) {
			COMPLAIN(c, n, path, NULL, "is a text of 1 to %u bytes", BH_TEXT_MAX);
			continue;
		}
		for (uint32_t k = 0; k < count; k++)
			is_twin = is_twin || strcmp(choice[k], n->text) == 0;
		if (is_twin)
			COMPLAIN(c, n, path, NULL, "\"%s\" is written twice", n->text);
		choice[count++] = n->text;
	}
	r->known.type = BH_ENUM;
	r->row.type = BH_ENUM;
	set_choices(c, r, choice, count);
}

static void
read_variable(struct compile *c, const struct node *key, const struct node *map)
{
	const char *path = arena_print(c->arena, "variables.%s", key->text);
	if (!is_plain_name(key->text)) {
		COMPLAIN(c, key, path, NULL, "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
		return;
	}
	if (strcmp(key->text, "page") == 0) {
		COMPLAIN(c, key, path, NULL, "$page is the name of the page: take another name");
		return;
	}
	uint32_t row = add_room(c, BH_ROOM_VAR, BH_TEXT, arena_print(c->arena, "var/%s", key->text), key);
	struct room_row *r = &c->room[row];
	r->row.def = (struct bh_cfg_operand){.type = BH_TEXT};
	if (map->kind != NODE_MAP) {
		if (map->kind != NODE_TEXT || !map->is_null)
			COMPLAIN(c, map, path, NULL, "is a mapping, as in { choices: [A, B], default: A } or { default: \"\" }");
		return;
	}
	check_section(c, map, "variable", path);
	const struct node *choices = node_get(map, "choices"), *def = node_get(map, "default");
	if (choices)
		read_choices(c, r, choices, arena_print(c->arena, "%s.choices", path));
	if (def)
		read_operand(c, def, def->kind == NODE_TEXT ? def->text : "", arena_print(c->arena, "%s.default", path), &r->known,
			     &r->row.def);
}

static void
add_variables(struct compile *c)
{
	const struct node *map = node_get(c->root, "variables");
	if (!map || (map->kind == NODE_TEXT && map->is_null))
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, "variables", NULL, "is a mapping: a name, and its choices or default");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++)
		read_variable(c, map->item[2 * i], map->item[2 * i + 1]);
}

/* ------------------------------------------------------------------ all */

void
compile_room(struct compile *c)
{
	add_pages(c);
	add_room(c, BH_ROOM_QUIET, BH_BOOL, "quiet", NULL);
	add_layers(c);
	compile_bank_heads(c);
	add_variables(c);
	compile_reaction_rooms(c);
	for (uint32_t i = 0; i < BH_ROOM_RUNS; i++)
		add_room(c, BH_ROOM_RUN, BH_NONE, arena_print(c->arena, "run/%u", i), NULL);
	struct process *router = &c->process[BH_SLOT_ROUTER];
	/* Room to grow: a layer more is no reason to move. */
	router->records = (c->rooms + 63) / 64 * 64;
}

void
write_room(struct compile *c)
{
	for (uint32_t i = 0; i < c->rooms; i++) {
		struct room_row *r = &c->room[i];
		if (r->row.kind == BH_ROOM_LAYER && r->is_used && !r->is_set && r->place)
			WARN(c, r->place, "layers", "nothing switches the layer \"%s\" on: write momentary: room/%s for a key",
			     r->name + strlen("layer/"), r->name);
		bh_config_writer_row(c->w, BH_TAB_ROOM, &r->row, sizeof(r->row));
	}
}
