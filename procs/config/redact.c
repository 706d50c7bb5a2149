/* redact.c - see redact.h */
#include "procs/config/redact.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "procs/config/diff.h"

struct hidden {
	struct span {
		size_t from, to;
	} *span;
	uint32_t spans;
};

/* All texts below a value. One that an alias stands for is hidden where it is written. */
static void
hide(struct arena *arena, struct hidden *h, const struct node *n)
{
	if (n->kind == NODE_TEXT) {
		if (n->to > n->from)
			*ARENA_PUSH(arena, h->span, h->spans) = (struct span){n->from, n->to};
		return;
	}
	for (uint32_t i = 0; i < n->count; i++)
		hide(arena, h, n->item[n->kind == NODE_MAP ? 2 * i + 1 : i]);
}

static void
look(const struct catalog *c, struct arena *arena, struct hidden *h, const struct node *n)
{
	for (uint32_t i = 0; n->kind != NODE_TEXT && i < n->count; i++) {
		const struct node *value = n->item[n->kind == NODE_MAP ? 2 * i + 1 : i];
		if (n->kind == NODE_MAP && diff_is_secret(c, n->item[2 * i]->text))
			hide(arena, h, value);
		else
			look(c, arena, h, value);
	}
}

static int
by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* In a comment: from behind "password:" to the end of the line. */
static void
hide_comment(const struct catalog *c, struct arena *arena, struct hidden *h, const char *text, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t end = i;
		char word[64];
		if (text[i] != ':' || i + 1 >= to)
			continue;
		while (end > from && (isalnum((unsigned char)text[end - 1]) || text[end - 1] == '_' || text[end - 1] == '-'))
			end--;
		snprintf(word, sizeof(word), "%.*s", (int)(i - end), text + end);
		if (!diff_is_secret(c, word))
			continue;
		*ARENA_PUSH(arena, h->span, h->spans) = (struct span){i + 1 + (text[i + 1] == ' '), to};
		return;
	}
}

/* What follows a # at the beginning of a line or behind a blank. Inside of a text that is no comment, and hidden all the same. */
static void
look_at_comments(const struct catalog *c, struct arena *arena, struct hidden *h, const struct source *src)
{
	for (size_t at = 0; at < src->len;) {
		const char *nl = memchr(src->text + at, '\n', src->len - at);
		size_t end = nl ? (size_t)(nl - src->text) : src->len, hash = at;
		while (hash < end && (src->text[hash] == ' ' || src->text[hash] == '\t'))
			hash++;
		for (; hash < end; hash++) {
			if (src->text[hash] != '#' || (hash > at && src->text[hash - 1] != ' ' && src->text[hash - 1] != '\t'))
				continue;
			hide_comment(c, arena, h, src->text, hash, end);
			break;
		}
		at = end + 1;
	}
}

int
redact(const struct catalog *c, struct arena *arena, struct report *report, const struct source *src, FILE *out)
{
	struct hidden h = {0};
	uint32_t before = report->count;
	const struct node *root = tree_parse(arena, report, src);
	if (!root && report->count > before)
		return -EINVAL;
	if (root)
		look(c, arena, &h, root);
	look_at_comments(c, arena, &h, src);
	if (h.spans)
		qsort(h.span, h.spans, sizeof(*h.span), by_place);
	size_t at = 0;
	for (uint32_t i = 0; i < h.spans; i++) {
		size_t from = h.span[i].from, to = h.span[i].to;
		if (from < at || to > src->len)
			continue;
		/* A block of lines: up to the line of what follows. */
		const char *nl = memrchr(src->text + from, '\n', to - from);
		fwrite(src->text + at, 1, from - at, out);
		fputs(nl ? "***\n" : "***", out);
		at = nl ? (size_t)(nl + 1 - src->text) : to;
	}
	fwrite(src->text + at, 1, src->len - at, out);
	return 0;
}
