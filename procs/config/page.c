/*
 * page.c - pages: their names and order, who inherits from whom, and what stands on them
 *
 * Names come first, for a key may go to a page further down; then what stands on each; at the end the bindings are put in the order
 * in which the router wants them: by page, layer, surface, control and part, so that all of a control's entry stands together.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define PAGE_NAME_MAX 63u
#define INHERIT_MAX 16u /* PAGES_DEEP of procs/router/page.c */

int
find_page(const struct compile *c, const char *name)
{
	for (uint32_t i = 0; i < c->pages; i++)
		if (c->page_of[i].name && strcmp(c->page_of[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *
meant_page(const struct compile *c, const char *name)
{
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < c->pages; i++)
		if (c->page_of[i].name)
			bh_suggest_offer(&s, c->page_of[i].name);
	return s.best;
}

/* ------------------------------------------------------------------ heads */

/* All but what other pages' names and the room are needed for. */
static void
read_head(struct compile *c, const struct node *n, const char *path)
{
	uint32_t i = c->pages;
	struct bh_cfg_page *page = ARENA_PUSH(c->arena, c->page, c->pages);
	c->page_of[i].node = n;
	page->place = place_of(n);
	if (n->kind != NODE_MAP) {
		COMPLAIN(c, n, path, NULL, "is a mapping with name and bindings");
		return;
	}
	check_section(c, n, "page", path);
	const char *name = node_text(n, "name");
	const struct node *at = node_get(n, "name") ? node_get(n, "name") : n;
	const char *name_path = arena_print(c->arena, "%s.name", path);
	if (!name || !*name)
		COMPLAIN(c, at, name_path, NULL, "is required: a page has a name");
	else if (strlen(name) > PAGE_NAME_MAX)
		COMPLAIN(c, at, name_path, NULL, "is too long, at most %u bytes", PAGE_NAME_MAX);
	else if (find_page(c, name) >= 0)
		COMPLAIN(c, at, name_path, NULL, "there is a page of this name already");
	else
		page->name = put_text(c, c->page_of[i].name = name);
	int color = read_word(c, n, "color", path, bh_color_from_name, bh_color_name);
	page->color = (uint32_t)(color > 0 ? color : 0);
}

static void
read_heads(struct compile *c)
{
	const struct node *pages = node_get(c->root, "pages");
	bool is_list = pages && pages->kind == NODE_LIST;
	uint32_t count = is_list ? pages->count : 0;
	if (pages && !is_list && !pages->is_null)
		COMPLAIN(c, pages, "pages", NULL, "is a list of pages, each with name and bindings");
	if (count > PAGES_MAX) {
		COMPLAIN(c, pages->item[PAGES_MAX], "pages", NULL, "too many pages, at most %u", PAGES_MAX);
		count = PAGES_MAX;
	}
	c->page_of = arena_alloc(c->arena, (count + 1) * sizeof(*c->page_of));
	for (uint32_t i = 0; i < count; i++)
		read_head(c, pages->item[i], arena_print(c->arena, "pages[%u]", i));
	/* There is always a page to show. */
	if (!count) {
		ARENA_PUSH(c->arena, c->page, c->pages)->name = put_text(c, "Main");
		c->page_of[0].name = "Main";
	}
	c->page_of[0].is_reached = true;
}

/* ------------------------------------------------------------------ inheritance */

static void
read_inherit(struct compile *c, uint32_t i)
{
	const struct node *n = node_get(c->page_of[i].node, "inherit");
	const char *path = arena_print(c->arena, "pages[%u].inherit", i);
	if (!n)
		return;
	int up = n->kind == NODE_TEXT ? find_page(c, n->text) : -1;
	if (n->kind != NODE_TEXT || n->is_null) {
		COMPLAIN(c, n, path, NULL, "is the name of a page");
	} else if (up < 0) {
		COMPLAIN(c, n, path, meant_page(c, n->text), "there is no page called \"%s\"", n->text);
	} else if ((uint32_t)up == i) {
		COMPLAIN(c, n, path, NULL, "a page does not inherit from itself");
	} else {
		c->page[i].inherit = (uint32_t)up + 1;
		c->page_of[up].is_inherited = true;
	}
}

/* Each circle is reported once, at the page of it that comes first. */
static void
check_inherit(struct compile *c, uint32_t i)
{
	const struct node *n = node_get(c->page_of[i].node, "inherit");
	const char *path = arena_print(c->arena, "pages[%u].inherit", i);
	uint32_t up = c->page[i].inherit, links = 0;
	for (; up && up - 1 > i && links <= c->pages; links++)
		up = c->page[up - 1].inherit;
	if (up && up - 1 == i) {
		COMPLAIN(c, n, path, NULL, "the pages inherit from each other in a circle: \"%s\" comes back to itself",
			 c->page_of[i].name ? c->page_of[i].name : "");
		return;
	}
	for (links = 0, up = c->page[i].inherit; up && links <= c->pages; links++)
		up = c->page[up - 1].inherit;
	if (!up && links > INHERIT_MAX)
		COMPLAIN(c, n, path, NULL, "there are %u pages above this one, at most %u", links, INHERIT_MAX);
}

/* ------------------------------------------------------------------ what stands on them */

static void
read_bindings(struct compile *c, uint16_t page, uint16_t layer, const struct node *map, const char *path)
{
	struct entry e = {.page = page, .layer = layer};
	if (!map || (map->kind == NODE_TEXT && map->is_null))
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, path, NULL, "is a mapping: a control, and what it is bound to");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++)
		read_entry(c, &e, path, map->item[2 * i], map->item[2 * i + 1]);
}

static void
read_layers(struct compile *c, uint16_t page, const struct node *map, const char *path)
{
	if (!map || (map->kind == NODE_TEXT && map->is_null))
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, path, NULL, "is a mapping: a layer, and the controls that it binds");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		const struct node *key = map->item[2 * i];
		const char *sub = arena_print(c->arena, "%s.%s", path, key->text);
		int row = find_layer(c, key, sub);
		if (row >= 0)
			read_bindings(c, page, (uint16_t)(row + 1), map->item[2 * i + 1], sub);
	}
}

static void
read_body(struct compile *c, uint16_t page, const struct node *n, const char *path)
{
	read_bindings(c, page, 0, node_get(n, "bindings"), arena_print(c->arena, "%s.bindings", path));
	read_bank_list(c, node_get(n, "banks"), page, arena_print(c->arena, "%s.banks", path));
	read_layers(c, page, node_get(n, "layers"), arena_print(c->arena, "%s.layers", path));
}

/* ------------------------------------------------------------------ twins */

/* A control of a page and layer; `i` where it was written. */
static int
entry_order(const struct bh_cfg_binding *x, const struct bh_cfg_binding *y)
{
	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	if (x->surface != y->surface)
		return x->surface < y->surface ? -1 : 1;
	return x->control < y->control ? -1 : x->control > y->control;
}

struct twin {
	const struct bh_cfg_binding *b;
	uint32_t i;
};

static int
twin_order(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;
	int order = entry_order(x->b, y->b);
	return order ? order : x->i < y->i ? -1 : x->i > y->i;
}

static const char *
place_name(struct compile *c, const struct bh_cfg_binding *b)
{
	const char *layer = b->layer ? arena_print(c->arena, ".layers.%s", c->room[b->layer - 1].name + strlen("layer/")) : ".bindings";
	if (b->page == BH_PAGE_GLOBAL)
		return arena_print(c->arena, "global%s", layer);
	return arena_print(c->arena, "pages[%u]%s", b->page, layer);
}

/* "fader1" and "desk/fader1" are two keys for one control, and a bank may stand where there is a binding. */
static void
check_twins(struct compile *c)
{
	struct twin *twin = arena_alloc(c->arena, (c->bindings + 1) * sizeof(*twin));
	uint32_t n = 0;
	for (uint32_t i = 0; i < c->bindings; i++)
		if (c->binding[i].part == BH_PART_MAIN)
			twin[n++] = (struct twin){&c->binding[i], i};
	qsort(twin, n, sizeof(*twin), twin_order);
	for (uint32_t i = 1; i < n; i++) {
		const struct bh_cfg_binding *a = twin[i - 1].b, *b = twin[i].b;
		if (entry_order(a, b) != 0)
			continue;
		if (b->bank)
			report_add(c->report, c->src, b->place.line, b->place.column, place_name(c, b), NULL,
				   "the bank \"%s\" stands on a control that is bound already, in line %u",
				   c->bank[b->bank - 1].name, a->place.line);
		else
			report_add(c->report, c->src, b->place.line, b->place.column, place_name(c, b), NULL,
				   "this control is bound already, in line %u", a->place.line);
	}
}

/* ------------------------------------------------------------------ order */

/* The place where it was read stands in its padding until it is sorted. */
static int
binding_order(const void *a, const void *b)
{
	const struct bh_cfg_binding *x = a, *y = b;
	int order = entry_order(x, y);
	if (order)
		return order;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return x->pad[0] < y->pad[0] ? -1 : x->pad[0] > y->pad[0];
}

void
order_bindings(struct compile *c)
{
	for (uint32_t i = 0; i < c->bindings; i++)
		c->binding[i].pad[0] = i;
	if (c->bindings)
		qsort(c->binding, c->bindings, sizeof(*c->binding), binding_order);
	for (uint32_t p = 0, at = 0; p < c->pages; p++) {
		c->page[p].first = at;
		while (at < c->bindings && c->binding[at].page == p)
			at++;
		c->page[p].count = at - c->page[p].first;
	}
	for (uint32_t i = 0; i < c->bindings; i++)
		c->binding[i].pad[0] = 0;
}

/* Once: where no key turns pages, all of them are meant. */
static void
warn_unreached(struct compile *c)
{
	const struct page *first = NULL;
	uint32_t more = 0;
	for (uint32_t i = 0; i < c->pages && !c->every_page; i++) {
		const struct page *p = &c->page_of[i];
		if (p->is_reached || p->is_inherited || !p->name)
			continue;
		more += first != NULL;
		first = first ? first : p;
	}
	if (!first)
		return;
	const char *others = more ? arena_print(c->arena, " (and %u more)", more) : "";
	WARN(c, first->node, "pages", "no control leads to the page \"%s\"%s: write action: page/next for a key, or page/go with its name",
	     first->name, others);
}

void
compile_pages(struct compile *c)
{
	const struct node *global = node_get(c->root, "global");
	read_heads(c);
	compile_room(c);
	compile_banks(c);
	for (uint32_t i = 0; i < c->pages; i++)
		read_inherit(c, i);
	for (uint32_t i = 0; i < c->pages; i++)
		check_inherit(c, i);
	for (uint32_t i = 0; i < c->pages; i++)
		read_body(c, (uint16_t)i, c->page_of[i].node, arena_print(c->arena, "pages[%u]", i));
	if (global && global->kind != NODE_MAP && !global->is_null)
		COMPLAIN(c, global, "global", NULL, "is a mapping with bindings");
	if (global && global->kind == NODE_MAP) {
		check_section(c, global, "global", "global");
		read_body(c, BH_PAGE_GLOBAL, global, "global");
	}
	compile_reactions(c);
	check_twins(c);
	warn_unreached(c);
}
