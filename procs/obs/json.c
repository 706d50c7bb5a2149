/*
 * json.c - a person's JSON object as msgpack, see proto.h
 *
 * RFC 8259, strictly. Whole numbers that fit become integers, others floats. Maps and arrays carry a 16-bit count, filled in
 * when they end.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"
#include "procs/obs/proto.h"

struct reader {
	const char *p;
	uint8_t *out;
	size_t len, cap;
	int error;
};

static int
fail(struct reader *r, int error)
{
	if (r->error == 0)
		r->error = error;
	return -1;
}

static int
put(struct reader *r, const void *bytes, size_t n)
{
	if (n > r->cap - r->len)
		return fail(r, -EMSGSIZE);
	memcpy(r->out + r->len, bytes, n);
	r->len += n;
	return 0;
}

static int
pack_write(void *data, const char *bytes, size_t n)
{
	return put(data, bytes, n);
}

static void
skip_space(struct reader *r)
{
	r->p += strspn(r->p, " \t\r\n");
}

/* The next character that is no space: is it this one? Then it is taken. */
static bool
take(struct reader *r, char c)
{
	skip_space(r);
	if (*r->p != c)
		return false;
	r->p++;
	return true;
}

/* ------------------------------------------------------------------ texts */

static int
take_hex4(struct reader *r, uint32_t *c)
{
	*c = 0;
	for (int i = 0; i < 4; i++, r->p++) {
		char h = *r->p;
		uint32_t digit = h >= '0' && h <= '9' ? (uint32_t)(h - '0') : (h | 32) >= 'a' && (h | 32) <= 'f' ? (uint32_t)((h | 32) - 'a' + 10) : 16;
		if (digit == 16)
			return fail(r, -EINVAL);
		*c = *c << 4 | digit;
	}
	return 0;
}

static int
put_code_point(struct reader *r, uint32_t c)
{
	uint8_t s[4];
	if (c < 0x80)
		return s[0] = (uint8_t)c, put(r, s, 1);
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		s[i] = (uint8_t)(0x80 | (c & 0x3f));
	s[0] = (uint8_t)(0xf00u >> n | c);
	return put(r, s, n);
}

static int
take_unicode(struct reader *r)
{
	uint32_t c, low;
	if (take_hex4(r, &c) < 0)
		return -1;
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->p[0] != '\\' || r->p[1] != 'u')
			return fail(r, -EINVAL);
		r->p += 2;
		if (take_hex4(r, &low) < 0)
			return -1;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(r, -EINVAL);
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return fail(r, -EINVAL);
	}
	return put_code_point(r, c);
}

static int
take_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = *r->p++;
	if (c == 'u')
		return take_unicode(r);
	const char *at = c ? strchr(from, c) : NULL;
	return at ? put(r, &to[at - from], 1) : fail(r, -EINVAL);
}

static int
take_character(struct reader *r)
{
	if (*r->p == '\\')
		return r->p++, take_escape(r);
	size_t n = bh_utf8((const uint8_t *)r->p, strnlen(r->p, 4));
	if (n == 0 || (uint8_t)*r->p < 0x20)
		return fail(r, -EINVAL);
	r->p += n;
	return put(r, r->p - n, n);
}

/* Behind the first quote. */
static int
take_text(struct reader *r)
{
	size_t at = r->len;
	if (put(r, "\xda\0\0", 3) < 0)
		return -1;
	while (*r->p != '"')
		if (take_character(r) < 0)
			return -1;
	r->p++;
	size_t len = r->len - at - 3;
	if (len > UINT16_MAX)
		return fail(r, -EMSGSIZE);
	r->out[at + 1] = (uint8_t)(len >> 8);
	r->out[at + 2] = (uint8_t)len;
	return 0;
}

/* ------------------------------------------------------------------ numbers, words */

static int
take_number(struct reader *r)
{
	msgpack_packer pk = {.data = r, .callback = pack_write};
	const char *start = r->p, *digits = start + (*start == '-');
	size_t n = strspn(digits, "0123456789"), fraction = 0, exponent = 0;
	const char *end = digits + n;
	if (n == 0 || (n > 1 && *digits == '0'))
		return fail(r, -EINVAL);
	if (*end == '.') {
		fraction = strspn(end + 1, "0123456789");
		if (fraction == 0)
			return fail(r, -EINVAL);
		end += 1 + fraction;
	}
	if (*end == 'e' || *end == 'E') {
		end += 1 + (end[1] == '-' || end[1] == '+');
		exponent = strspn(end, "0123456789");
		if (exponent == 0)
			return fail(r, -EINVAL);
		end += exponent;
	}
	r->p = end;
	errno = 0;
	long long i = strtoll(start, NULL, 10);
	if (fraction + exponent == 0 && errno == 0)
		return msgpack_pack_int64(&pk, i);
	double f = strtod(start, NULL);
	return isfinite(f) ? msgpack_pack_double(&pk, f) : fail(r, -EINVAL);
}

static int
take_word(struct reader *r)
{
	static const struct {
		const char *word, *byte;
	} words[] = {{"true", "\xc3"}, {"false", "\xc2"}, {"null", "\xc0"}};
	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i].word);
		if (!strncmp(r->p, words[i].word, n)) {
			r->p += n;
			return put(r, words[i].byte, 1);
		}
	}
	return fail(r, -EINVAL);
}

/* ------------------------------------------------------------------ objects and arrays */

static int take_value(struct reader *r, unsigned depth);

/* Behind the first brace. */
static int
take_items(struct reader *r, bool map, unsigned depth)
{
	size_t at = r->len, n = 0;
	if (depth == 0)
		return fail(r, -EINVAL);
	if (put(r, map ? "\xde\0\0" : "\xdc\0\0", 3) < 0)
		return -1;
	if (take(r, map ? '}' : ']'))
		return 0;
	do {
		if (map && (!take(r, '"') || take_text(r) < 0 || !take(r, ':')))
			return fail(r, -EINVAL);
		if (take_value(r, depth - 1) < 0)
			return -1;
		n++;
	} while (take(r, ','));
	if (!take(r, map ? '}' : ']'))
		return fail(r, -EINVAL);
	if (n > UINT16_MAX)
		return fail(r, -EMSGSIZE);
	r->out[at + 1] = (uint8_t)(n >> 8);
	r->out[at + 2] = (uint8_t)n;
	return 0;
}

static int
take_value(struct reader *r, unsigned depth)
{
	skip_space(r);
	switch (*r->p) {
	case '{': return r->p++, take_items(r, true, depth);
	case '[': return r->p++, take_items(r, false, depth);
	case '"': return r->p++, take_text(r);
	case 't':
	case 'f':
	case 'n': return take_word(r);
	default: return take_number(r);
	}
}

int
obs_json_to_msgpack(const char *json, uint8_t *out, size_t cap)
{
	struct reader r = {.p = json, .out = out, .cap = cap < INT32_MAX ? cap : INT32_MAX};
	if (!take(&r, '{'))
		return -EINVAL;
	if (take_items(&r, true, OBS_DEPTH - 2) < 0)
		return r.error;
	skip_space(&r);
	return *r.p ? -EINVAL : (int)r.len;
}
