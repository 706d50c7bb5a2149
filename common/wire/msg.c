/* msg.c - see msg.h */
#include "common/wire/msg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OUT_KEEP (64u << 10) /* a buffer up to this size is kept for the next message */

/* ------------------------------------------------------------------ building */

static int
out_write(void *data, const char *buf, size_t len)
{
	struct bh_wire_out *o = data;
	if (o->failed)
		return -1;
	if (len > o->cap - o->len) {
		size_t cap = o->cap ? o->cap : 1024;
		while (cap - o->len < len)
			cap *= 2;
		uint8_t *p = cap <= BH_WIRE_ANSWER_MAX ? realloc(o->data, cap) : NULL;
		if (!p) {
			o->failed = true;
			return -1;
		}
		o->data = p;
		o->cap = cap;
	}
	memcpy(o->data + o->len, buf, len);
	o->len += len;
	return 0;
}

void
bh_wire_out_init(struct bh_wire_out *o)
{
	memset(o, 0, sizeof(*o));
	msgpack_packer_init(&o->pk, o, out_write);
}

void
bh_wire_out_fini(struct bh_wire_out *o)
{
	free(o->data);
	memset(o, 0, sizeof(*o));
}

void
bh_wire_out_reset(struct bh_wire_out *o)
{
	if (o->cap > OUT_KEEP) {
		free(o->data);
		o->data = NULL;
		o->cap = 0;
	}
	o->len = 0;
	o->depth = 0;
	o->failed = false;
	msgpack_packer_init(&o->pk, o, out_write);
}

static void
pack_text(struct bh_wire_out *o, const char *s, size_t len)
{
	msgpack_pack_str(&o->pk, len);
	msgpack_pack_str_body(&o->pk, s, len);
}

/* What stands before each value: it is counted in its container, and its key is written. */
static void
out_begin(struct bh_wire_out *o, const char *key)
{
	if (o->depth > 0) {
		if (o->level[o->depth - 1].map != (key != NULL))
			o->failed = true; /* a value without a key in a map, or with one in an array */
		o->level[o->depth - 1].count++;
	}
	if (key && o->depth > 0)
		pack_text(o, key, strlen(key));
}

static void
out_open(struct bh_wire_out *o, const char *key, bool map)
{
	char head[5] = {map ? (char)0xdf : (char)0xdd, 0, 0, 0, 0};
	out_begin(o, key);
	if (o->depth == BH_WIRE_DEPTH) {
		o->failed = true;
		return;
	}
	o->level[o->depth].at = o->len + 1;
	o->level[o->depth].count = 0;
	o->level[o->depth].map = map;
	o->depth++;
	out_write(o, head, sizeof(head));
}

void
bh_wire_map(struct bh_wire_out *o, const char *key)
{
	out_open(o, key, true);
}

void
bh_wire_array(struct bh_wire_out *o, const char *key)
{
	out_open(o, key, false);
}

void
bh_wire_close(struct bh_wire_out *o)
{
	if (o->depth == 0) {
		o->failed = true;
		return;
	}
	o->depth--;
	if (o->failed)
		return;
	uint32_t n = o->level[o->depth].count;
	uint8_t *p = o->data + o->level[o->depth].at;
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

size_t
bh_wire_utf8(const uint8_t *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = n == 0 ? 0 : s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	if (len == 0 || len > n || s[0] >= 0xf8)
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

void
bh_wire_str(struct bh_wire_out *o, const char *key, const char *s)
{
	size_t len = strlen(s);
	out_begin(o, key);
	size_t at = o->len;
	pack_text(o, s, len);
	if (o->failed)
		return;
	/* Names and reasons come from peers' memory: a broken one must not make the whole answer unreadable. */
	at = o->len - len;
	for (size_t i = at; i < o->len;) {
		size_t c = bh_wire_utf8(o->data + i, o->len - i);
		if (c == 0)
			o->data[i] = '?';
		i += c ? c : 1;
	}
}

void
bh_wire_int(struct bh_wire_out *o, const char *key, int64_t i)
{
	out_begin(o, key);
	msgpack_pack_int64(&o->pk, i);
}

void
bh_wire_uint(struct bh_wire_out *o, const char *key, uint64_t u)
{
	out_begin(o, key);
	msgpack_pack_uint64(&o->pk, u);
}

void
bh_wire_float(struct bh_wire_out *o, const char *key, double f)
{
	out_begin(o, key);
	msgpack_pack_double(&o->pk, f);
}

void
bh_wire_bool(struct bh_wire_out *o, const char *key, bool b)
{
	out_begin(o, key);
	if (b)
		msgpack_pack_true(&o->pk);
	else
		msgpack_pack_false(&o->pk);
}

void
bh_wire_bin(struct bh_wire_out *o, const char *key, const void *data, size_t len)
{
	out_begin(o, key);
	msgpack_pack_bin(&o->pk, len);
	msgpack_pack_bin_body(&o->pk, data, len);
}

void
bh_wire_nil(struct bh_wire_out *o, const char *key)
{
	out_begin(o, key);
	msgpack_pack_nil(&o->pk);
}

void
bh_wire_object(struct bh_wire_out *o, const char *key, msgpack_object obj)
{
	out_begin(o, key);
	msgpack_pack_object(&o->pk, obj);
}

/* ------------------------------------------------------------------ checking */

struct check {
	const uint8_t *p, *end;
	const char *why;
};

static int
bad(struct check *c, const char *why)
{
	if (!c->why)
		c->why = why;
	return -EBADMSG;
}

static int
take_count(struct check *c, unsigned bytes, uint32_t *n)
{
	if ((size_t)(c->end - c->p) < bytes)
		return bad(c, "cut short");
	*n = 0;
	while (bytes--)
		*n = *n << 8 | *c->p++;
	return 0;
}

static int
check_text(struct check *c, uint32_t len)
{
	if (len > (size_t)(c->end - c->p))
		return bad(c, "cut short");
	for (const uint8_t *stop = c->p + len; c->p < stop;) {
		size_t n = bh_wire_utf8(c->p, (size_t)(stop - c->p));
		if (n == 0)
			return bad(c, "a text that is not UTF-8");
		c->p += n;
	}
	return 0;
}

static int
skip(struct check *c, size_t n)
{
	if (n > (size_t)(c->end - c->p))
		return bad(c, "cut short");
	c->p += n;
	return 0;
}

static bool
is_text(uint8_t b)
{
	return (b >= 0xa0 && b <= 0xbf) || (b >= 0xd9 && b <= 0xdb);
}

static int check_value(struct check *c, unsigned depth);

static int
check_items(struct check *c, uint32_t n, bool map, unsigned depth)
{
	if (depth == 0)
		return bad(c, "nested too deep");
	if (n > (size_t)(c->end - c->p) / (map ? 2 : 1))
		return bad(c, "announces more elements than it has bytes");
	for (uint32_t i = 0; i < n; i++) {
		if (map) {
			if (c->p == c->end || !is_text(*c->p))
				return bad(c, "a key that is not a text");
			int r = check_value(c, depth - 1);
			if (r < 0)
				return r;
		}
		int r = check_value(c, depth - 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
check_value(struct check *c, unsigned depth)
{
	/* Bytes behind the first byte of the plain types c0..df; -1 = looked at below, -2 = not allowed. */
	static const int8_t plain[32] = {0, -2, 0, 0, -1, -1, -1, -2, -2, -2, 4, 8, 1, 2, 4, 8,
					 1, 2, 4, 8, -2, -2, -2, -2, -2, -1, -1, -1, -1, -1, -1, -1};
	uint32_t n = 0;
	int r;
	if (c->p == c->end)
		return bad(c, "cut short");
	uint8_t b = *c->p++;
	if (b < 0x80 || b >= 0xe0)
		return 0;
	if (b < 0x90)
		return check_items(c, b & 15, true, depth);
	if (b < 0xa0)
		return check_items(c, b & 15, false, depth);
	if (b < 0xc0)
		return check_text(c, b & 31);
	if (plain[b - 0xc0] == -2)
		return bad(c, "a type that is not used here");
	if (plain[b - 0xc0] >= 0)
		return skip(c, (size_t)plain[b - 0xc0]);
	switch (b) {
	case 0xc4:
	case 0xc5:
	case 0xc6: r = take_count(c, 1u << (b - 0xc4), &n); return r < 0 ? r : skip(c, n);
	case 0xd9:
	case 0xda:
	case 0xdb: r = take_count(c, 1u << (b - 0xd9), &n); return r < 0 ? r : check_text(c, n);
	case 0xdc:
	case 0xdd: r = take_count(c, b == 0xdc ? 2 : 4, &n); return r < 0 ? r : check_items(c, n, false, depth);
	default: r = take_count(c, b == 0xde ? 2 : 4, &n); return r < 0 ? r : check_items(c, n, true, depth);
	}
}

int
bh_wire_check(const uint8_t *data, size_t len, size_t max, const char **why)
{
	struct check c = {data, data + len, NULL};
	int r = 0;
	if (len > max)
		r = bad(&c, "too large");
	else if (len == 0 || !((data[0] & 0xf0) == 0x80 || data[0] == 0xde || data[0] == 0xdf))
		r = bad(&c, "not a map");
	else
		r = check_value(&c, BH_WIRE_DEPTH);
	if (r == 0 && c.p != c.end)
		r = bad(&c, "something behind the end");
	if (why)
		*why = c.why;
	return r;
}

/* ------------------------------------------------------------------ taking apart */

int
bh_wire_in_init(struct bh_wire_in *in, const uint8_t *data, size_t len, size_t max, const char **why)
{
	size_t off = 0;
	msgpack_unpacked_init(&in->u);
	in->root = NULL;
	int r = bh_wire_check(data, len, max, why);
	if (r < 0)
		return r;
	if (msgpack_unpack_next(&in->u, (const char *)data, len, &off) != MSGPACK_UNPACK_SUCCESS ||
	    in->u.data.type != MSGPACK_OBJECT_MAP) {
		if (why)
			*why = "cannot be unpacked";
		return -EBADMSG;
	}
	in->root = &in->u.data;
	return 0;
}

void
bh_wire_in_fini(struct bh_wire_in *in)
{
	msgpack_unpacked_destroy(&in->u);
	in->root = NULL;
}

const msgpack_object *
bh_wire_get(const msgpack_object *map, const char *key)
{
	size_t len = strlen(key);
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (kv->key.type == MSGPACK_OBJECT_STR && kv->key.via.str.size == len &&
		    memcmp(kv->key.via.str.ptr, key, len) == 0)
			return &kv->val;
	}
	return NULL;
}

int
bh_wire_get_str(const msgpack_object *map, const char *key, char *buf, size_t cap)
{
	const msgpack_object *o = bh_wire_get(map, key);
	buf[0] = '\0';
	if (!o || o->type == MSGPACK_OBJECT_NIL)
		return 0;
	if (o->type != MSGPACK_OBJECT_STR || o->via.str.size >= cap || memchr(o->via.str.ptr, 0, o->via.str.size))
		return -EINVAL;
	memcpy(buf, o->via.str.ptr, o->via.str.size);
	buf[o->via.str.size] = '\0';
	return 1;
}

int64_t
bh_wire_get_int(const msgpack_object *map, const char *key, int64_t def)
{
	const msgpack_object *o = bh_wire_get(map, key);
	if (!o)
		return def;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return o->via.u64 <= INT64_MAX ? (int64_t)o->via.u64 : def;
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return o->via.i64;
	if ((o->type == MSGPACK_OBJECT_FLOAT64 || o->type == MSGPACK_OBJECT_FLOAT32) && fabs(o->via.f64) < 0x1p53 &&
	    floor(o->via.f64) == o->via.f64)
		return (int64_t)o->via.f64;
	return def;
}

double
bh_wire_get_float(const msgpack_object *map, const char *key, double def)
{
	const msgpack_object *o = bh_wire_get(map, key);
	if (!o)
		return def;
	if (o->type == MSGPACK_OBJECT_FLOAT64 || o->type == MSGPACK_OBJECT_FLOAT32)
		return isfinite(o->via.f64) ? o->via.f64 : def;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return (double)o->via.u64;
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return (double)o->via.i64;
	return def;
}

bool
bh_wire_get_bool(const msgpack_object *map, const char *key, bool def)
{
	const msgpack_object *o = bh_wire_get(map, key);
	return o && o->type == MSGPACK_OBJECT_BOOLEAN ? o->via.boolean : def;
}
