/*
 * tree.c - see tree.h
 *
 * Built on the parser's events, not on its documents: those take tens of megabytes for a large file, resolve aliases before one can
 * count, and know nothing of our limits. libfyaml stops at the first wrong syntax, so there is one such error in a report.
 */
#include "procs/config/tree.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#ifdef BH_SANITIZED
/* Version 0.7.12 loses a buffer of its own after some wrong quoted keys. We live for one file. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so\n";
}
#endif

struct anchor {
	const char *name;
	struct node *node;
};

struct frame {
	struct node *node;
	const char *anchor; /* name, NULL = none */
	uint32_t items;	    /* in node->item so far */
};

struct building {
	struct arena *arena;
	struct report *report;
	const struct source *src;
	struct fy_diag *diag;	  /* owned */
	struct fy_parser *parser; /* owned */
	struct frame frame[TREE_DEPTH_MAX];
	unsigned depth;
	struct anchor *anchor;
	uint32_t anchors;
	uint32_t nodes;
	struct node *root;
	bool failed;
};

static void
fail(struct building *b, const struct fy_mark *at, const char *what)
{
	report_add(b->report, b->src, at ? (uint32_t)at->line + 1 : 1, at ? (uint32_t)at->column + 1 : 1, NULL, NULL,
		   "%s", what);
	b->failed = true;
}

static struct node *
node_new(struct building *b, enum node_kind kind, const struct fy_mark *at)
{
	struct node *n = arena_alloc(b->arena, sizeof(*n));
	n->kind = kind;
	n->src = b->src;
	n->line = at ? (uint32_t)at->line + 1 : 1;
	n->col = at ? (uint32_t)at->column + 1 : 1;
	n->weight = n->depth = 1;
	return n;
}

static const char *
token_copy(struct building *b, struct fy_token *token)
{
	size_t len = 0;
	const char *text = token ? fy_token_get_text(token, &len) : NULL;
	return text ? arena_copy(b->arena, text, len) : NULL;
}

/* ------------------------------------------------------------------ putting nodes together */

struct pair_ref {
	const char *key;
	uint32_t i;
};

static int
pair_order(const void *a, const void *b)
{
	const struct pair_ref *x = a, *y = b;
	int r = strcmp(x->key, y->key);
	return r ? r : x->i < y->i ? -1 : 1;
}

/* Keys that came before go; sorted, because a mapping may have a hundred thousand. */
static void
drop_doubles(struct building *b, struct node *map)
{
	struct pair_ref *ref = malloc((map->count + 1) * sizeof(*ref));
	if (!ref) {
		b->failed = true;
		return;
	}
	for (uint32_t i = 0; i < map->count; i++)
		ref[i] = (struct pair_ref){map->item[2 * i]->text, i};
	qsort(ref, map->count, sizeof(*ref), pair_order);
	for (uint32_t i = 1; i < map->count; i++) {
		if (strcmp(ref[i].key, ref[i - 1].key) != 0)
			continue;
		const struct node *key = map->item[2 * ref[i].i], *first = map->item[2 * ref[i - 1].i];
		report_add(b->report, b->src, key->line, key->col, key->text, NULL,
			   "is written twice; the first is in line %u", first->line);
		map->item[2 * ref[i].i] = NULL;
		ref[i].i = ref[i - 1].i;
	}
	free(ref);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < map->count; i++) {
		if (!map->item[2 * i])
			continue;
		map->item[2 * kept] = map->item[2 * i];
		map->item[2 * kept++ + 1] = map->item[2 * i + 1];
	}
	map->count = kept;
}

static void
remember_anchor(struct building *b, const char *name, struct node *n)
{
	for (uint32_t i = 0; i < b->anchors; i++) {
		if (strcmp(b->anchor[i].name, name) == 0) {
			b->anchor[i].node = n;
			return;
		}
	}
	if (b->anchors >= 256) {
		report_add(b->report, b->src, n->line, n->col, NULL, NULL, "too many anchors, at most 256");
		b->failed = true;
		return;
	}
	*ARENA_PUSH(b->arena, b->anchor, b->anchors) = (struct anchor){name, n};
}

/* A finished node goes into the one that is open. */
static void
attach(struct building *b, struct node *n, const char *anchor)
{
	if (anchor)
		remember_anchor(b, anchor, n);
	if (!b->depth) {
		b->root = n;
		return;
	}
	struct frame *f = &b->frame[b->depth - 1];
	struct node *parent = f->node;
	if (!n->line) {
		const struct node *near = f->items % 2 && parent->kind == NODE_MAP ? parent->item[f->items - 1] : parent;
		n->line = near->line;
		n->col = near->col;
	}
	bool is_key = parent->kind == NODE_MAP && f->items % 2 == 0;
	if (is_key && (n->kind != NODE_TEXT || n->is_null)) {
		report_add(b->report, b->src, n->line, n->col, NULL, NULL, "a key is one word or text");
		b->failed = true;
	}
	*ARENA_PUSH(b->arena, parent->item, f->items) = n;
	parent->weight += n->weight;
	if (parent->depth < n->depth + 1)
		parent->depth = n->depth + 1;
	b->nodes += n->weight;
	/* Counted at each level, so that depth costs too; that is within a factor of the depth. */
	if (parent->weight > TREE_NODES_MAX || b->nodes > TREE_NODES_MAX * TREE_DEPTH_MAX) {
		report_add(b->report, b->src, n->line, n->col, NULL, NULL,
			   "too large: at most %u values, what aliases stand for included", TREE_NODES_MAX);
		b->failed = true;
	}
	if (b->depth + n->depth > TREE_DEPTH_MAX) {
		report_add(b->report, b->src, n->line, n->col, NULL, NULL, "nested too deeply, at most %u levels",
			   TREE_DEPTH_MAX);
		b->failed = true;
	}
}

/* ------------------------------------------------------------------ events */

static void
on_scalar(struct building *b, struct fy_event *ev, const struct fy_mark *at)
{
	size_t len = 0;
	const char *text = ev->scalar.value ? fy_token_get_text(ev->scalar.value, &len) : NULL;
	if (len > TREE_SCALAR_MAX) {
		fail(b, at, "this text is too long, at most 4096 bytes");
		return;
	}
	if (len && memchr(text, '\0', len)) {
		fail(b, at, "a text cannot hold a NUL character");
		return;
	}
	struct node *n = node_new(b, NODE_TEXT, at);
	const struct fy_mark *end = fy_event_end_mark(ev);
	n->text = arena_copy(b->arena, text, len);
	if (at && end && end->input_pos > at->input_pos) {
		n->from = at->input_pos;
		n->to = end->input_pos;
	}
	bool plain = !ev->scalar.value || fy_token_scalar_style(ev->scalar.value) == FYSS_PLAIN;
	/* What is not written has no place of its own. */
	if (plain && !len)
		n->line = n->col = 0;
	n->is_null = plain && (!len || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
	attach(b, n, token_copy(b, ev->scalar.anchor));
}

static void
on_alias(struct building *b, struct fy_event *ev, const struct fy_mark *at)
{
	const char *name = token_copy(b, ev->alias.anchor);
	for (uint32_t i = 0; name && i < b->anchors; i++) {
		if (strcmp(b->anchor[i].name, name) == 0) {
			attach(b, b->anchor[i].node, NULL);
			return;
		}
	}
	/* An alias inside its own anchor is one to something unfinished: there are no circles. */
	fail(b, at, "there is no such anchor before this alias");
}

static void
on_start(struct building *b, enum node_kind kind, struct fy_token *anchor, const struct fy_mark *at)
{
	if (b->depth >= TREE_DEPTH_MAX) {
		fail(b, at, "nested too deeply, at most 16 levels");
		return;
	}
	b->frame[b->depth++] = (struct frame){.node = node_new(b, kind, at), .anchor = token_copy(b, anchor)};
}

static void
on_end(struct building *b)
{
	if (!b->depth)
		return;
	struct frame *f = &b->frame[--b->depth];
	f->node->count = f->node->kind == NODE_MAP ? f->items / 2 : f->items;
	if (f->node->kind == NODE_MAP)
		drop_doubles(b, f->node);
	attach(b, f->node, f->anchor);
}

static void
on_event(struct building *b, struct fy_event *ev)
{
	const struct fy_mark *at = fy_event_start_mark(ev);
	struct fy_token *tag = ev->type == FYET_SCALAR	       ? ev->scalar.tag
			       : ev->type == FYET_MAPPING_START ? ev->mapping_start.tag
			       : ev->type == FYET_SEQUENCE_START ? ev->sequence_start.tag
								 : NULL;
	if (tag) {
		fail(b, fy_token_start_mark(tag), "tags (!) are not used here; put a text with ! into quotes");
		return;
	}
	switch (ev->type) {
	case FYET_SCALAR: on_scalar(b, ev, at); break;
	case FYET_ALIAS: on_alias(b, ev, at); break;
	case FYET_SEQUENCE_START: on_start(b, NODE_LIST, ev->sequence_start.anchor, at); break;
	case FYET_MAPPING_START: on_start(b, NODE_MAP, ev->mapping_start.anchor, at); break;
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END: on_end(b); break;
	case FYET_DOCUMENT_START:
		if (b->root)
			fail(b, at, "a second document (---) in one file");
		break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: break;
	}
}

/* ------------------------------------------------------------------ wrong syntax */

/* What libfyaml says, and what a person can do about it. The first that is contained in its text counts. */
static const struct {
	const char *theirs, *ours;
} words[] = {
	{"quoted scalar", "the closing quote is missing, or the text goes on too far to the left"},
	{"missing comma", "a comma is missing between two entries, or a bracket is not closed"},
	{"without a closing", "a bracket is not closed"},
	{"mismatched flow", "this bracket does not close the one that is open"},
	{"invalid nested block mapping", "a ':' is not allowed here; put a text with ': ' into quotes"},
	{"cannot start with", "a text cannot begin with this character; put it into quotes"},
	{"invalid escape", "an unknown escape with \\; between '...' a \\ stands for itself"},
	{"invalid value after", "a ':' is missing after the key"},
	{"multiline plain key", "a ':' is missing after the key, or a text runs on into the next line"},
	{"indendation", "the indentation does not fit the lines above"},
	{"indent", "the indentation does not fit the lines above"},
	{"tab", "a tab; indent with spaces"},
};

/* Is there a tab in the indentation of this line? */
static bool
is_tabbed(const struct source *src, uint32_t line)
{
	const char *p = src->text, *end = p + src->len;
	for (; line > 1 && p < end; line--) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	while (p < end && *p == ' ')
		p++;
	return p < end && *p == '\t';
}

/* A place behind the end of the text is of no use: the end of the last line with something in it. */
static void
pull_back(const struct source *src, struct fy_mark *at)
{
	const char *p = src->text, *end = p + src->len;
	struct fy_mark last = {0}, now = {0};
	for (; p < end; p++) {
		if (*p == '\n') {
			now.line++;
			now.column = 0;
			continue;
		}
		now.column += ((unsigned char)*p & 0xc0) != 0x80;
		if (*p != ' ' && *p != '\t' && *p != '\r')
			last = now;
	}
	if (at->line > last.line)
		*at = last;
}

static void
report_syntax(struct building *b)
{
	struct fy_diag_error *e = NULL;
	void *prev = NULL;
	while ((e = fy_diag_errors_iterate(b->diag, &prev)) && e->type < FYET_ERROR)
		;
	if (!e) {
		fail(b, NULL, "this is not YAML");
	} else {
		struct fy_mark at = {.line = e->line > 0 ? e->line - 1 : 0, .column = e->column > 0 ? e->column - 1 : 0};
		const char *what = e->msg ? e->msg : "wrong syntax";
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strstr(what, words[i].theirs)) {
				what = words[i].ours;
				break;
			}
		}
		if (is_tabbed(b->src, (uint32_t)at.line + 1))
			what = "a tab; indent with spaces";
		pull_back(b->src, &at);
		fail(b, &at, what);
	}
}

/* Well-formed UTF-8 without control characters? Else the place of the first that is not. */
static bool
check_text(struct building *b)
{
	const unsigned char *p = (const unsigned char *)b->src->text, *end = p + b->src->len;
	struct fy_mark at = {0};
	while (p < end) {
		unsigned n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;
		bool good = n && (size_t)(end - p) >= n;
		for (unsigned i = 1; good && i < n; i++)
			good = (p[i] & 0xc0) == 0x80;
		/* Overlong forms, surrogates, beyond the last. */
		if (good && n == 3)
			good = !(*p == 0xe0 && p[1] < 0xa0) && !(*p == 0xed && p[1] >= 0xa0);
		if (good && n == 4)
			good = !(*p == 0xf0 && p[1] < 0x90) && !(*p == 0xf4 && p[1] >= 0x90);
		if (!good) {
			fail(b, &at, "this is not UTF-8 text");
			return false;
		}
		if ((*p < 0x20 && *p != '\n' && *p != '\t' && *p != '\r') || *p == 0x7f) {
			fail(b, &at, "a control character");
			return false;
		}
		at.line += *p == '\n';
		at.column = *p == '\n' ? 0 : at.column + 1;
		p += n;
	}
	return true;
}

/* The library would say it itself, in its own words. */
static void
swallow(struct fy_diag *diag, void *user, const char *buf, size_t len)
{
	(void)diag, (void)user, (void)buf, (void)len;
}

static bool
start(struct building *b)
{
	struct fy_diag_cfg said;
	fy_diag_cfg_default(&said);
	said.fp = NULL;
	said.output_fn = swallow;
	b->diag = fy_diag_create(&said);
	if (!b->diag)
		return false;
	fy_diag_set_collect_errors(b->diag, true);
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = b->diag};
	b->parser = fy_parser_create(&cfg);
	return b->parser && fy_parser_set_string(b->parser, b->src->text, b->src->len) == 0;
}

struct node *
tree_parse(struct arena *arena, struct report *report, const struct source *src)
{
	struct building b = {.arena = arena, .report = report, .src = src};
	if (src->len > TREE_TEXT_MAX) {
		report_add(report, src, 0, 0, NULL, NULL, "the file is too large, at most 4 MB");
		return NULL;
	}
	if (!check_text(&b) || !src->len)
		return NULL;
	if (!start(&b))
		fail(&b, NULL, "the parser of YAML cannot start");
	for (struct fy_event *ev; !b.failed && (ev = fy_parser_parse(b.parser));) {
		bool last = ev->type == FYET_STREAM_END;
		on_event(&b, ev);
		fy_parser_event_free(b.parser, ev);
		if (last)
			break;
	}
	if (!b.failed && fy_parser_get_stream_error(b.parser))
		report_syntax(&b);
	if (b.parser)
		fy_parser_destroy(b.parser);
	if (b.diag)
		fy_diag_destroy(b.diag);
	return b.failed ? NULL : b.root;
}

/* ------------------------------------------------------------------ looking */

static const struct node *
pair_part(const struct node *map, const char *key, uint32_t part)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->count; i++)
		if (strcmp(map->item[2 * i]->text, key) == 0)
			return map->item[2 * i + part];
	return NULL;
}

const struct node *
node_get(const struct node *map, const char *key)
{
	return pair_part(map, key, 1);
}

const struct node *
node_key(const struct node *map, const char *key)
{
	return pair_part(map, key, 0);
}

const char *
node_text(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);
	return n && n->kind == NODE_TEXT && !n->is_null ? n->text : NULL;
}
