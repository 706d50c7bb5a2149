/* msg.c - see msg.h */
#include "common/wire/msg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"

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
		size_t c = bh_utf8(o->data + i, o->len - i);
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

int
bh_wire_check(const uint8_t *data, size_t len, size_t max, const char **why)
{
	struct bh_packed found = {.why = "too large"};
	int r = len > max ? -EBADMSG : bh_packed_check(data, len, BH_WIRE_DEPTH, true, &found);
	if (why)
		*why = found.why;
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
