/* packed.c - see packed.h */
#include "common/packed.h"

#include <errno.h>

struct look {
	const uint8_t *p, *end;
	bool plain;
	struct bh_packed found;
};

static int
bad(struct look *l, const char *why)
{
	l->found.why = why;
	return -EBADMSG;
}

static int
skip(struct look *l, uint64_t n)
{
	if (n > (size_t)(l->end - l->p))
		return bad(l, "cut short");
	l->p += n;
	return 0;
}

/* A big-endian count of 1, 2 or 4 bytes. */
static int
take_count(struct look *l, unsigned bytes, uint32_t *n)
{
	if ((size_t)(l->end - l->p) < bytes)
		return bad(l, "cut short");
	*n = 0;
	while (bytes--)
		*n = *n << 8 | *l->p++;
	return 0;
}

static int
skip_counted(struct look *l, unsigned bytes, unsigned more)
{
	uint32_t n = 0;
	int r = take_count(l, bytes, &n);
	return r < 0 ? r : skip(l, (uint64_t)n + more);
}

static int
look_text(struct look *l, uint32_t n)
{
	const uint8_t *at = l->p;
	int r = skip(l, n);
	for (size_t one; l->plain && r == 0 && at < l->p; at += one)
		if ((one = bh_utf8(at, (size_t)(l->p - at))) == 0)
			return bad(l, "a text that is not UTF-8");
	return r;
}

static int
look_counted_text(struct look *l, unsigned bytes)
{
	uint32_t n = 0;
	int r = take_count(l, bytes, &n);
	return r < 0 ? r : look_text(l, n);
}

static bool
is_text(uint8_t b)
{
	return (b >= 0xa0 && b <= 0xbf) || (b >= 0xd9 && b <= 0xdb);
}

static int look_value(struct look *l, unsigned depth);

static int
look_items(struct look *l, uint32_t n, bool map, unsigned depth)
{
	int r = 0;
	if (depth == 0)
		return bad(l, "nested too deep");
	if (n > (size_t)(l->end - l->p) / (map ? 2 : 1))
		return bad(l, "announces more elements than it has bytes");
	*(map ? &l->found.pairs : &l->found.items) += n;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (map && (l->p == l->end || !is_text(*l->p)))
			return bad(l, "a key that is not a text");
		if (map)
			r = look_value(l, depth - 1);
		if (r == 0)
			r = look_value(l, depth - 1);
	}
	return r;
}

static int
look_counted_items(struct look *l, unsigned bytes, bool map, unsigned depth)
{
	uint32_t n = 0;
	int r = take_count(l, bytes, &n);
	return r < 0 ? r : look_items(l, n, map, depth);
}

static int
look_value(struct look *l, unsigned depth)
{
	if (l->p == l->end)
		return bad(l, "cut short");
	uint8_t b = *l->p++;
	if (b < 0x80 || b >= 0xe0)
		return 0;
	if (b < 0xa0)
		return look_items(l, b & 15, b < 0x90, depth);
	if (b < 0xc0)
		return look_text(l, b & 31);
	if (l->plain && ((b >= 0xc7 && b <= 0xc9) || (b >= 0xd4 && b <= 0xd8)))
		return bad(l, "a type that is not used here");
	switch (b) {
	case 0xc0: /* nil, false, true */
	case 0xc2:
	case 0xc3: return 0;
	case 0xc4: /* bin */
	case 0xc5:
	case 0xc6: return skip_counted(l, 1u << (b - 0xc4), 0);
	case 0xc7: /* ext */
	case 0xc8:
	case 0xc9: return skip_counted(l, 1u << (b - 0xc7), 1);
	case 0xca: return skip(l, 4); /* float */
	case 0xcb: return skip(l, 8);
	case 0xcc: /* uint, int */
	case 0xcd:
	case 0xce:
	case 0xcf:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3: return skip(l, 1u << (b & 3));
	case 0xd4: /* fixext */
	case 0xd5:
	case 0xd6:
	case 0xd7:
	case 0xd8: return skip(l, (1u << (b - 0xd4)) + 1);
	case 0xd9: /* str */
	case 0xda:
	case 0xdb: return look_counted_text(l, 1u << (b - 0xd9));
	case 0xdc:
	case 0xdd: return look_counted_items(l, 2u << (b - 0xdc), false, depth);
	case 0xde:
	case 0xdf: return look_counted_items(l, 2u << (b - 0xde), true, depth);
	}
	return bad(l, "not msgpack");
}

int
bh_packed_check(const uint8_t *bytes, size_t len, unsigned depth, bool plain, struct bh_packed *found)
{
	struct look l = {.p = bytes, .end = bytes + len, .plain = plain};
	uint8_t b = len ? *bytes : 0xc1;
	int r = (b & 0xf0) == 0x80 || b == 0xde || b == 0xdf ? look_value(&l, depth) : bad(&l, len ? "not a map" : "empty");
	if (r == 0 && l.p != l.end)
		r = bad(&l, "bytes behind its end");
	if (found)
		*found = l.found;
	return r;
}

size_t
bh_utf8(const uint8_t *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = n == 0 ? 0 : s[0] < 0x80 ? 1 : s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	if (len == 0 || len > n)
		return 0;
	if (len == 1)
		return 1;
	uint32_t c = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}
