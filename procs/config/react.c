/*
 * react.c - reactions: what is done when a parameter changes
 *
 * Each remembers what it saw last in a row of the room, and a new configuration goes on with that row by its name: the one that was
 * written, else one made from the text of the condition, so that it stays the same wherever in the file it stands.
 */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/records.h"
#include "procs/config/compile_int.h"

#define REACTIONS_MAX 512u

/* Reactions in the order in which they are read: those of everywhere, then those of the pages. */
typedef void reaction_fn(struct compile *c, const struct node *n, uint16_t page, const char *path);

static void
each_of(struct compile *c, const struct node *list, uint16_t page, const char *path, reaction_fn *fn)
{
	for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++)
		fn(c, list->item[i], page, arena_print(c->arena, "%s[%u]", path, i));
}

static void
each_reaction(struct compile *c, reaction_fn *fn)
{
	each_of(c, node_get(c->root, "reactions"), BH_PAGE_GLOBAL, "reactions", fn);
	for (uint32_t i = 0; i < c->pages; i++)
		each_of(c, node_get(c->page_of[i].node, "reactions"), (uint16_t)i, arena_print(c->arena, "pages[%u].reactions", i), fn);
}

/* ------------------------------------------------------------------ what they remember */

static const char *
made_name(struct compile *c, const struct node *n, uint16_t page)
{
	const char *when = node_text(n, "when");
	const char *where = page == BH_PAGE_GLOBAL ? "" : c->page_of[page].name;
	uint32_t hash = bh_name_hash(arena_print(c->arena, "%s\n%s", where ? where : "", when ? when : ""));
	const char *name = arena_print(c->arena, "edge/%08x", hash);
	for (unsigned i = 2; find_room(c, name) >= 0; i++)
		name = arena_print(c->arena, "edge/%08x-%u", hash, i);
	return name;
}

static void
add_edge(struct compile *c, const struct node *n, uint16_t page, const char *path)
{
	const struct node *at = node_get(n, "name");
	const char *name = made_name(c, n, page);
	if (at) {
		const char *written = arena_print(c->arena, "edge/%s", at->kind == NODE_TEXT ? at->text : "");
		if (!is_plain_name(written + strlen("edge/")))
			COMPLAIN(c, at, arena_print(c->arena, "%s.name", path), NULL,
				 "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
		else if (find_room(c, written) >= 0)
			COMPLAIN(c, at, arena_print(c->arena, "%s.name", path), NULL, "there is a reaction of this name already");
		else
			name = written;
	}
	uint32_t row = add_room(c, BH_ROOM_EDGE, BH_BOOL, name, at ? at : n);
	struct bh_cfg_reaction *r = ARENA_PUSH(c->arena, c->reaction, c->reactions);
	*r = (struct bh_cfg_reaction){.when = {.driver = BH_SLOT_NONE}, .room = row, .page = page, .place = place_of(n)};
	c->room[row].row.ref = (uint16_t)(c->reactions - 1);
	if (c->reactions == REACTIONS_MAX + 1)
		COMPLAIN(c, n, path, NULL, "too many reactions, at most %u", REACTIONS_MAX);
}

void
compile_reaction_rooms(struct compile *c)
{
	each_reaction(c, add_edge);
}

/* ------------------------------------------------------------------ what they do */

static void
read_reaction(struct compile *c, const struct node *n, uint16_t page, const char *path)
{
	struct bh_cfg_reaction *r = &c->reaction[c->reactions_read++];
	const struct node *when = node_get(n, "when"), *then = node_get(n, "do"), *otherwise = node_get(n, "else");
	(void)page;
	if (n->kind != NODE_MAP) {
		COMPLAIN(c, n, path, NULL, "is a mapping, as in { when: loop/scene == Closing, do: [{ action: page/next }] }");
		return;
	}
	check_section(c, n, "reaction", path);
	if (!when)
		COMPLAIN(c, n, arena_print(c->arena, "%s.when", path), NULL, "is required: when something is done");
	else
		read_cond(c, when, arena_print(c->arena, "%s.when", path), true, &r->when);
	if (!then && !otherwise)
		COMPLAIN(c, n, arena_print(c->arena, "%s.do", path), NULL, "is required: what is done");
	if (then)
		read_steps(c, then, arena_print(c->arena, "%s.do", path), false, &r->step_first, &r->steps);
	if (otherwise && r->when.op == BH_COND_CHANGES)
		COMPLAIN(c, node_key(n, "else"), arena_print(c->arena, "%s.else", path), NULL,
			 "\"changes\" never becomes false: it has no else");
	else if (otherwise)
		read_steps(c, otherwise, arena_print(c->arena, "%s.else", path), false, &r->else_first, &r->else_steps);
}

static void
check_list(struct compile *c, const struct node *list, const char *path)
{
	if (list && list->kind != NODE_LIST && !(list->kind == NODE_TEXT && list->is_null))
		COMPLAIN(c, list, path, NULL, "is a list of reactions, each with when and do");
}

void
compile_reactions(struct compile *c)
{
	check_list(c, node_get(c->root, "reactions"), "reactions");
	for (uint32_t i = 0; i < c->pages; i++)
		check_list(c, node_get(c->page_of[i].node, "reactions"), arena_print(c->arena, "pages[%u].reactions", i));
	each_reaction(c, read_reaction);
}
