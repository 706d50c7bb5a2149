/*
 * tree.h - YAML text as a tree, each node with its place
 *
 * The only place that knows libfyaml. Every scalar is text: the tables decide about types, so that `on` never becomes a
 * boolean behind anybody's back. Bounded: size, depth, number of nodes; an alias counts for all that it stands for, so that a few
 * lines cannot unfold to millions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/config/report.h"

#define TREE_TEXT_MAX (4u << 20) /* bytes of a file */
#define TREE_DEPTH_MAX 16u
#define TREE_NODES_MAX 1000000u
#define TREE_SCALAR_MAX 4096u

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool is_null;	      /* TEXT: nothing is written, or a plain ~ or null */
	const struct source *src;
	uint32_t line, col;   /* from 1 */
	size_t from, to;      /* TEXT: where it is written, in bytes of the source; 0, 0 = nowhere */
	const char *text;     /* TEXT */
	struct node **item;   /* LIST: items; MAP: key, value, key, value ... */
	uint32_t count;	      /* of items, of pairs */
	uint32_t weight, depth; /* of everything below, this included */
};

/*
 * Parse. NULL: an empty file, or wrong syntax, which is in the report. Keys are texts and unique: others are reported
 * and left out.
 */
struct node *tree_parse(struct arena *arena, struct report *report, const struct source *src);

const struct node *node_get(const struct node *map, const char *key); /* the value; NULL if absent, or no map */
const struct node *node_key(const struct node *map, const char *key); /* the key itself */
/* Text of a key's value, NULL if absent or no text. */
const char *node_text(const struct node *map, const char *key);
