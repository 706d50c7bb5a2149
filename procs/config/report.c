/* report.c - see report.h */
#include "procs/config/report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/mem.h"

/* Columns of a source line that are shown; a longer line is shown around the caret. */
enum { SHOWN_COLUMNS = 100, SHOWN_BEFORE = 60 };

void
report_add(struct report *r, const struct source *src, uint32_t line, uint32_t col, const char *key,
	   const char *best, const char *fmt, ...)
{
	char what[512];
	if (r->count >= REPORT_MAX) {
		r->more++;
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	struct report_entry *e = ARENA_PUSH(r->arena, r->entry, r->count);
	e->src = src;
	e->line = line;
	e->col = col;
	e->text = arena_print(r->arena, "%s%s%s%s%s%s", key ? key : "", key ? ": " : "", what,
			      best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
}

void
report_warn(struct report *r, const struct source *src, uint32_t line, uint32_t col, const char *key, const char *fmt, ...)
{
	char what[512];
	if (r->warnings >= REPORT_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	*ARENA_PUSH(r->arena, r->warning, r->warnings) = (struct report_entry){
		.src = src, .line = line, .col = col,
		.text = arena_print(r->arena, "warning: %s%s%s", key ? key : "", key ? ": " : "", what)};
}

static int
entry_order(const void *a, const void *b)
{
	const struct report_entry *x = a, *y = b;
	if (x->src != y->src)
		return strcmp(x->src->path, y->src->path);
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

static const char *
find_line(const struct source *src, uint32_t line, size_t *len)
{
	const char *p = src->text, *end = src->text + src->len;
	for (uint32_t i = 1; i < line && p < end; i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	*len = (size_t)((nl ? nl : end) - p);
	while (*len && p[*len - 1] == '\r')
		--*len;
	return p;
}

static const char *
next_char(const char *p, const char *end)
{
	do
		p++;
	while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
	return p;
}

/* Is the word before `colon` the key of a secret, or written like one? Where a file is wrong, nobody can tell by the tables. */
static bool
is_secret(const char *line, const char *colon)
{
	static const char *const secret[] = {"password", "passphrase", "passwd", "secret", "token"};
	const char *from = colon;
	char word[32];
	while (from > line && (isalnum((unsigned char)from[-1]) || from[-1] == '_' || from[-1] == '-'))
		from--;
	snprintf(word, sizeof(word), "%.*s", (int)(colon - from), from);
	for (size_t i = 0; i < BH_ARRAY_LEN(secret); i++)
		if (strcasestr(word, secret[i]))
			return true;
	return bh_suggest_from(word, secret, 1) != NULL; /* "pasword"; what is like the short ones is often another word */
}

/* Where the value behind a colon ends. Rather too much of the line than too little. */
static const char *
value_end(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	if (p < end && (*p == '"' || *p == '\'' || *p == '[' || *p == '{')) {
		const char *last = memrchr(p + 1, *p == '[' ? ']' : *p == '{' ? '}' : *p, (size_t)(end - p - 1));
		return last ? last + 1 : end;
	}
	while (p < end && *p != ',' && *p != '}' && *p != ']')
		p++;
	return p;
}

/* What a terminal would take for a command is not printed, and no secret: reports end in logs. */
static void
put_source(FILE *out, const char *line, const char *end, const char *from, const char *to)
{
	const char *hidden = line;
	for (const char *p = line; p < to; p++) {
		if (*p == ':' && p >= hidden && is_secret(line, p))
			hidden = value_end(p + 1, end);
		if (p < from)
			continue;
		if (p >= hidden || *p == ':' || *p == ' ')
			putc((unsigned char)*p < 0x20 && *p != '\t' ? ' ' : *p, out);
		else if (((unsigned char)*p & 0xc0) != 0x80)
			putc('*', out);
	}
}

static void
print_source(const struct report_entry *e, FILE *out)
{
	size_t len;
	const char *line = find_line(e->src, e->line, &len), *end = line + len, *caret = line;
	if (!len)
		return;
	for (uint32_t i = 1; i < e->col && caret < end; i++)
		caret = next_char(caret, end);
	const char *from = line;
	for (size_t before = 0; from < caret && (size_t)(caret - from) > SHOWN_BEFORE; before++)
		from = next_char(from, end);
	const char *to = from;
	for (int i = 0; i < SHOWN_COLUMNS && to < end; i++)
		to = next_char(to, end);
	fprintf(out, "    %s", from > line ? "..." : "");
	put_source(out, line, end, from, to);
	fprintf(out, "%s\n    %s", to < end ? "..." : "", from > line ? "   " : "");
	for (const char *p = from; p < caret; p = next_char(p, end))
		putc(*p == '\t' ? '\t' : ' ', out);
	fputs("^\n", out);
}

static void
print_entries(struct report_entry *entry, uint32_t count, FILE *out)
{
	if (count)
		qsort(entry, count, sizeof(*entry), entry_order);
	for (uint32_t i = 0; i < count; i++) {
		const struct report_entry *e = &entry[i];
		if (!e->line) {
			fprintf(out, "%s: %s\n", e->src->path, e->text);
			continue;
		}
		fprintf(out, "%s:%u:%u: %s\n", e->src->path, e->line, e->col, e->text);
		print_source(e, out);
	}
}

void
report_print(struct report *r, FILE *out)
{
	print_entries(r->entry, r->count, out);
	if (r->more)
		fprintf(out, "and %u more\n", r->more);
	if (!r->count)
		print_entries(r->warning, r->warnings, out);
}
