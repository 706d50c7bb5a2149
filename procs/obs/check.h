/*
 * check.h - one look through the bytes of a message before msgpack-c sees them
 *
 * Bounded depth and counts, keys that are texts, nothing behind the end: so five bytes that announce four billion elements cost
 * a comparison. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Is this one complete msgpack map, at most `depth` maps and arrays inside each other? 0, or -EBADMSG with a static text in *why. `*room`
 * (may be NULL) receives the bytes that msgpack-c will take from its zone for it.
 */
int obs_check(const uint8_t *bytes, size_t len, unsigned depth, size_t *room, const char **why);

/* Length of the UTF-8 character at s (at most n bytes), 0 if it is none. */
size_t obs_utf8(const uint8_t *s, size_t n);
