/* proto.c - messages that arrive; those that we send are in encode.c, see proto.h */
#include "procs/obs/proto.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/packed.h"

#define ZONE_LEAST (16u << 10)	/* an event of meters of 40 inputs */
#define ZONE_KEPT (128u << 10)	/* what is larger is given back at the next message that needs less */
#define ZONE_MOST (16u << 20)

/* ------------------------------------------------------------------ members */

static bool
is_text(const msgpack_object *o, const char *text, size_t len)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && !memcmp(o->via.str.ptr, text, len);
}

const msgpack_object *
obs_get(const msgpack_object *map, const char *key)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	size_t len = strlen(key);
	for (uint32_t i = 0; i < map->via.map.size; i++)
		if (is_text(&map->via.map.ptr[i].key, key, len))
			return &map->via.map.ptr[i].val;
	return NULL;
}

bool
obs_get_number(const msgpack_object *map, const char *key, double *out)
{
	const msgpack_object *o = obs_get(map, key);
	if (!o)
		return false;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		*out = (double)o->via.u64;
	else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*out = (double)o->via.i64;
	else if ((o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64) && isfinite(o->via.f64))
		*out = o->via.f64;
	else
		return false;
	return true;
}

bool
obs_get_int(const msgpack_object *map, const char *key, int64_t *out)
{
	const msgpack_object *o = obs_get(map, key);
	double f;
	if (o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
		*out = (int64_t)o->via.u64;
	else if (o && o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*out = o->via.i64;
	else if (o && o->type != MSGPACK_OBJECT_POSITIVE_INTEGER && obs_get_number(map, key, &f) && (f = round(f)) >= -0x1p63 && f < 0x1p63)
		*out = (int64_t)f;
	else
		return false;
	return true;
}

bool
obs_get_bool(const msgpack_object *map, const char *key, bool *out)
{
	const msgpack_object *o = obs_get(map, key);
	if (!o || o->type != MSGPACK_OBJECT_BOOLEAN)
		return false;
	*out = o->via.boolean;
	return true;
}

bool
obs_get_str(const msgpack_object *map, const char *key, char *out, size_t cap)
{
	return obs_str(obs_get(map, key), out, cap);
}

bool
obs_str(const msgpack_object *o, char *out, size_t cap)
{
	if (!o || o->type != MSGPACK_OBJECT_STR || cap == 0)
		return false;
	const uint8_t *s = (const uint8_t *)o->via.str.ptr;
	size_t len = o->via.str.size, kept = 0;
	for (size_t i = 0, n; i < len; i += n) {
		n = s[i] ? bh_utf8(s + i, len - i) : 0;
		if (n == 0)
			return false;
		if (i == kept && i + n < cap)
			kept += n;
	}
	memcpy(out, s, kept);
	out[kept] = 0;
	return true;
}

bool
obs_get_map(const msgpack_object *map, const char *key, const msgpack_object **out)
{
	const msgpack_object *o = obs_get(map, key);
	if (!o || o->type != MSGPACK_OBJECT_MAP)
		return false;
	*out = o;
	return true;
}

bool
obs_get_array(const msgpack_object *map, const char *key, const msgpack_object **items, uint32_t *count)
{
	const msgpack_object *o = obs_get(map, key);
	if (!o || o->type != MSGPACK_OBJECT_ARRAY)
		return false;
	*items = o->via.array.ptr;
	*count = o->via.array.size;
	return true;
}

/* ------------------------------------------------------------------ messages */

/* A text that must be whole to be of any use. */
static bool
get_whole_str(const msgpack_object *map, const char *key, char *out, size_t cap)
{
	const msgpack_object *o = obs_get(map, key);
	return o && o->type == MSGPACK_OBJECT_STR && o->via.str.size < cap && obs_get_str(map, key, out, cap);
}

/* Our own ids are decimal numbers without anything else. */
static uint32_t
get_id(const msgpack_object *map)
{
	char text[12];
	uint64_t id = 0;
	if (!get_whole_str(map, "requestId", text, sizeof(text)) || text[0] == '0')
		return 0;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return 0;
		id = id * 10 + (uint64_t)(*p - '0');
	}
	return id <= UINT32_MAX ? (uint32_t)id : 0;
}

static bool
take_result(const msgpack_object *d, struct obs_result *out)
{
	const msgpack_object *status;
	char type[64];
	int64_t code = 0;
	memset(out, 0, sizeof(*out));
	out->req = get_whole_str(d, "requestType", type, sizeof(type)) ? obs_req_by_name(type) : OBS_REQ_COUNT;
	out->id = get_id(d);
	if (!obs_get_map(d, "requestStatus", &status) || !obs_get_bool(status, "result", &out->ok) || !obs_get_int(status, "code", &code) ||
	    code < 0 || code > INT32_MAX)
		return false;
	out->code = (int)code;
	if (!obs_get_str(status, "comment", out->comment, sizeof(out->comment)))
		out->comment[0] = 0;
	if (!obs_get_map(d, "responseData", &out->data))
		out->data = NULL;
	return true;
}

static const char *
take_hello(const msgpack_object *d, struct obs_msg *m)
{
	const msgpack_object *auth;
	int64_t rpc;
	obs_get_str(d, "obsWebSocketVersion", m->version, sizeof(m->version));
	if (obs_get_int(d, "rpcVersion", &rpc) && rpc > 0 && rpc <= UINT32_MAX)
		m->rpc_version = (uint32_t)rpc;
	m->needs_auth = obs_get_map(d, "authentication", &auth);
	if (m->needs_auth && (!get_whole_str(auth, "challenge", m->challenge, sizeof(m->challenge)) ||
			      !get_whole_str(auth, "salt", m->salt, sizeof(m->salt))))
		return "a Hello that asks for authentication without challenge and salt";
	return NULL;
}

static const char *
take_batch(const msgpack_object *d, struct obs_msg *m)
{
	m->batch_id = get_id(d);
	return obs_get_array(d, "results", &m->items, &m->results) ? NULL : "a RequestBatchResponse without results";
}

/* What is wrong with it, NULL = nothing. */
static const char *
take_message(const msgpack_object *root, struct obs_msg *m)
{
	const msgpack_object *d;
	int64_t op, rpc;
	if (!obs_get_int(root, "op", &op) || !obs_get_map(root, "d", &d))
		return "a message without op and d";
	m->op = (enum obs_op)op;
	switch (op) {
	case OBS_OP_HELLO: return take_hello(d, m);
	case OBS_OP_IDENTIFIED:
		if (obs_get_int(d, "negotiatedRpcVersion", &rpc) && rpc > 0 && rpc <= UINT32_MAX)
			m->rpc_version = (uint32_t)rpc;
		return NULL;
	case OBS_OP_EVENT:
		if (!obs_get_map(d, "eventData", &m->data))
			m->data = NULL;
		return obs_get_str(d, "eventType", m->event, sizeof(m->event)) ? NULL : "an Event without a type";
	case OBS_OP_RESPONSE: return take_result(d, &m->result) ? NULL : "a RequestResponse without a status";
	case OBS_OP_BATCH_RESPONSE: return take_batch(d, m);
	default: return "an op that a server does not send";
	}
}

bool
obs_batch_result(const struct obs_msg *m, uint32_t n, struct obs_result *out)
{
	return m->op == OBS_OP_BATCH_RESPONSE && n < m->results && take_result(&m->items[n], out);
}

/* ------------------------------------------------------------------ decoder */

static int
make_room(struct obs_decoder *d, size_t need)
{
	if (d->zone && need <= d->room && (d->room <= ZONE_KEPT || need > ZONE_KEPT)) {
		msgpack_zone_clear(d->zone);
		return 0;
	}
	size_t room = ZONE_LEAST;
	while (room < need)
		room *= 2;
	msgpack_zone *z = msgpack_zone_new(room);
	if (!z)
		return -ENOMEM;
	if (d->zone)
		msgpack_zone_free(d->zone);
	d->zone = z;
	d->room = room;
	return 0;
}

int
obs_decoder_init(struct obs_decoder *d)
{
	memset(d, 0, sizeof(*d));
	return make_room(d, 0);
}

void
obs_decoder_fini(struct obs_decoder *d)
{
	if (d->zone)
		msgpack_zone_free(d->zone);
	memset(d, 0, sizeof(*d));
}

int
obs_decode(struct obs_decoder *d, const uint8_t *bytes, size_t len, struct obs_msg *out, const char **why)
{
	struct bh_packed found;
	size_t off = 0;
	memset(out, 0, sizeof(*out));
	int r = bh_packed_check(bytes, len, OBS_DEPTH, false, &found);
	size_t need = found.items * sizeof(msgpack_object) + found.pairs * sizeof(msgpack_object_kv);
	const char *text = found.why;
	if (r == 0 && need > ZONE_MOST) {
		text = "too large";
		r = -EBADMSG;
	}
	if (r == 0)
		r = make_room(d, need + sizeof(msgpack_object));
	if (r == 0 && msgpack_unpack((const char *)bytes, len, &off, d->zone, &d->root) < MSGPACK_UNPACK_EXTRA_BYTES) {
		text = "not msgpack";
		r = -EBADMSG;
	}
	if (r == 0 && (text = take_message(&d->root, out)))
		r = -EBADMSG;
	if (why)
		*why = text;
	return r;
}
