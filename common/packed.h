/*
 * packed.h - one look through the bytes of a msgpack message before msgpack-c sees them
 *
 * Bounded depth and counts, keys that are texts, nothing behind the end: so five bytes that announce four billion elements cost
 * a comparison. Pure; needs no msgpack.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_packed {
	size_t items, pairs; /* elements of all arrays and of all maps: what unpacking takes memory for */
	const char *why;     /* static text: what is wrong */
};

/*
 * Is this one complete map, at most `depth` maps and arrays inside each other? `plain`: all texts are UTF-8, and no types that applications
 * make up (ext). 0 or -EBADMSG. `found` may be NULL.
 */
int bh_packed_check(const uint8_t *bytes, size_t len, unsigned depth, bool plain, struct bh_packed *found);

/* Length of the UTF-8 character at s (at most n bytes), 0 if it is none. */
size_t bh_utf8(const uint8_t *s, size_t n);
