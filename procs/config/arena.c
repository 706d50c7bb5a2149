/* arena.c - see arena.h */
#include "procs/config/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (256u << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunk;
	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t bytes = size > CHUNK_BYTES / 4 ? size : CHUNK_BYTES;
		struct arena_chunk *fresh = calloc(1, sizeof(*fresh) + bytes);
		if (!fresh) {
			fputs("bh-config: out of memory\n", stderr);
			exit(1);
		}
		fresh->size = bytes;
		/* A large piece goes behind the chunk that still has room. */
		if (c && bytes == size) {
			fresh->next = c->next;
			c->next = fresh;
		} else {
			fresh->next = c;
			a->chunk = fresh;
		}
		c = fresh;
	}
	void *p = c->data + c->used;
	c->used += size;
	return p;
}

char *
arena_copy(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	if (len)
		memcpy(p, s, len);
	return p;
}

char *
arena_print(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void *
arena_grow(struct arena *a, void *array, size_t count, size_t size)
{
	/* Full at 0 and at each power of two from 8 on. */
	if (count && (count < 8 || (count & (count - 1))))
		return array;
	size_t cap = count ? count * 2 : 8;
	void *larger = arena_alloc(a, cap * size);
	if (count)
		memcpy(larger, array, count * size);
	return larger;
}

void
arena_free(struct arena *a)
{
	for (struct arena_chunk *c = a->chunk, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	a->chunk = NULL;
}
