/*
 * arena.h - memory that is all given back at once
 *
 * A compilation makes thousands of small things that live exactly as long as it does. Memory that runs out ends the process: it is
 * short-lived, and the supervisor keeps the configuration it has.
 */
#pragma once

#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunk; /* owned; zeroed = empty */
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for anything */
char *arena_copy(struct arena *a, const char *s, size_t len); /* NUL-terminated */
char *arena_print(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An array of `count` elements with room for one more: itself, or a larger copy. */
void *arena_grow(struct arena *a, void *array, size_t count, size_t size);
void arena_free(struct arena *a);

/* Append a zeroed element to `array` of `count`; evaluates to its address. */
#define ARENA_PUSH(a, array, count)                                                                \
	((array) = arena_grow((a), (array), (count), sizeof(*(array))), &(array)[(count)++])
