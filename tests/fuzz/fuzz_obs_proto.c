/*
 * What comes from OBS as bytes: our look at them and msgpack-c agree, a message that is taken has texts that are sound and results
 * that can be read, and what is refused has a reason. The same bytes as a person's JSON become sound msgpack or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"
#include "procs/obs/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HOLDS(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

static void
sound_text(const char *s, size_t cap)
{
	size_t len = strnlen(s, cap);
	HOLDS(len < cap);
	for (size_t i = 0, n; i < len; i += n)
		HOLDS((n = bh_utf8((const uint8_t *)s + i, len - i)) > 0);
}

/* Every member of a map, as every type. */
static void
look_into(const msgpack_object *map, unsigned depth)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return;
	HOLDS(depth < OBS_DEPTH);
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object *key = &map->via.map.ptr[i].key, *items;
		char name[64], text[16] = "";
		double f = 0;
		int64_t n = 0;
		bool b;
		uint32_t count = 0;
		HOLDS(key->type == MSGPACK_OBJECT_STR);
		if (key->via.str.size >= sizeof(name) || memchr(key->via.str.ptr, 0, key->via.str.size))
			continue;
		memcpy(name, key->via.str.ptr, key->via.str.size);
		name[key->via.str.size] = 0;
		HOLDS(obs_get(map, name) != NULL);
		int types = obs_get_bool(map, name, &b) + obs_get_str(map, name, text, sizeof(text)) + obs_get_map(map, name, &items) +
			    obs_get_array(map, name, &items, &count) + obs_get_number(map, name, &f);
		HOLDS(types <= 1 && f - f == 0);
		HOLDS(!obs_get_int(map, name, &n) || obs_get_number(map, name, &f));
		sound_text(text, sizeof(text));
		if (obs_get_map(map, name, &items))
			look_into(items, depth + 1);
	}
}

static void
look_at_result(const struct obs_result *r)
{
	sound_text(r->comment, sizeof(r->comment));
	HOLDS(r->req <= OBS_REQ_COUNT);
	look_into(r->data, 2);
}

static void
look_at(const struct obs_msg *m)
{
	struct obs_result r;
	sound_text(m->version, sizeof(m->version));
	sound_text(m->challenge, sizeof(m->challenge));
	sound_text(m->salt, sizeof(m->salt));
	sound_text(m->event, sizeof(m->event));
	look_into(m->data, 2);
	look_at_result(&m->result);
	HOLDS(m->op == OBS_OP_BATCH_RESPONSE || m->results == 0);
	for (uint32_t i = 0; i < m->results; i++)
		if (obs_batch_result(m, i, &r))
			look_at_result(&r);
	HOLDS(!obs_batch_result(m, m->results, &r));
}

static void
agree_with_msgpack(const uint8_t *data, size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	if (bh_packed_check(data, len, OBS_DEPTH, false, NULL) < 0)
		return;
	msgpack_unpacked_init(&u);
	HOLDS(msgpack_unpack_next(&u, (const char *)data, len, &off) == MSGPACK_UNPACK_SUCCESS && off == len);
	msgpack_unpacked_destroy(&u);
}

static void
as_json(const uint8_t *data, size_t len)
{
	static uint8_t out[4096];
	char *text = malloc(len + 1);
	HOLDS(text);
	memcpy(text, data, len);
	text[len] = 0;
	int n = obs_json_to_msgpack(text, out, sizeof(out));
	HOLDS(n < 0 || bh_packed_check(out, (size_t)n, OBS_DEPTH, false, NULL) == 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct obs_decoder d; /* goes on from message to message, as the process's does */
	struct obs_msg m;
	const char *why = NULL;
	if (!d.zone)
		HOLDS(obs_decoder_init(&d) == 0);
	/* A copy of exactly this size: what is read behind it shows. */
	uint8_t *bytes = malloc(len ? len : 1);
	HOLDS(bytes);
	memcpy(bytes, data, len);
	if (obs_decode(&d, bytes, len, &m, &why) == 0)
		look_at(&m);
	else
		HOLDS(why && *why);
	agree_with_msgpack(bytes, len);
	as_json(bytes, len);
	free(bytes);
	return 0;
}
