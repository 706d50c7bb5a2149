/*
 * All that can happen to the model of OBS, in any order, with any bytes: messages that come (through the decoder), pictures, wishes, actions,
 * time, connections that end. What it tells stays sound: parameters with names and ids of their own, values of their types; what it sends is
 * whole and bounded; the books of the queue agree.
 *
 * The input is a row of records: a byte that says what happens, two of the length, then that many bytes.
 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"
#include "common/units.h"
#include "procs/obs/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HOLDS(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort();                                                                   \
	} while (0)

#define PARAMS 512u
#define STEPS_MAX 400u

enum { MESSAGE, PICTURE, WISH, ACTION, TIME, DISCONNECT, WATCH, SEND, KINDS };

struct param {
	bool used;
	char name[BH_NAME_MAX + 1];
	enum bh_type type;
	int64_t choices;
};

static struct {
	struct obs_model *model;
	struct obs_decoder decoder;
	uint64_t now;
	struct param param[PARAMS];
	uint32_t id[OBS_IN_FLIGHT];
	unsigned in_flight;
	bool picture, connected;
	uint32_t picture_id;
	uint8_t out[256 << 10];
} w;

/* ------------------------------------------------------------------ the sink */

static void
sound_text(const char *s, size_t most)
{
	size_t len = s ? strlen(s) : 0;
	HOLDS(s && len <= most);
	for (size_t i = 0, n; i < len; i += n)
		HOLDS((n = bh_utf8((const uint8_t *)s + i, len - i)) > 0);
}

static struct param *
by_id(bh_param_id id)
{
	HOLDS(id < PARAMS && w.param[id].used);
	return &w.param[id];
}

static struct param *
by_name(const char *name)
{
	for (uint32_t i = 0; i < PARAMS; i++)
		if (w.param[i].used && !strcmp(w.param[i].name, name))
			return &w.param[i];
	return NULL;
}

static void
describe(struct param *p, const struct bh_param *d)
{
	sound_text(d->name, BH_NAME_MAX);
	HOLDS(d->name[0] && d->type > BH_NONE && d->type <= BH_TRIGGER);
	HOLDS(d->type != BH_ENUM || d->choices);
	p->used = true;
	p->type = d->type;
	for (p->choices = 0; d->choices && d->choices[p->choices]; p->choices++)
		sound_text(d->choices[p->choices], OBS_NAME_MAX);
	if (d->label)
		sound_text(d->label, 1000);
	memcpy(p->name, d->name, strlen(d->name) + 1);
}

static int64_t
on_add(void *ctx, const struct bh_param *d)
{
	struct param *p = by_name(d->name);
	(void)ctx;
	for (uint32_t i = 0; !p && i < PARAMS; i++)
		if (!w.param[i].used)
			p = &w.param[i];
	if (!p)
		return -ENOSPC;
	describe(p, d);
	return p - w.param;
}

static int
on_remove(void *ctx, bh_param_id id)
{
	(void)ctx;
	memset(by_id(id), 0, sizeof(struct param));
	return 0;
}

static int
on_rename(void *ctx, bh_param_id id, const struct bh_param *d)
{
	struct param *p = by_id(id), *other = by_name(d->name);
	(void)ctx;
	HOLDS(!other || other == p);
	describe(p, d);
	return 0;
}

static int
on_report(void *ctx, bh_param_id id, struct bh_value v)
{
	const struct param *p = by_id(id);
	(void)ctx;
	HOLDS(v.type == p->type);
	HOLDS(v.type != BH_FLOAT || isfinite(v.f));
	HOLDS(v.type != BH_BOOL || v.i == 0 || v.i == 1);
	HOLDS(v.type != BH_ENUM || (v.i >= 0 && v.i < p->choices));
	if (v.type == BH_TEXT)
		sound_text(v.s, BH_TEXT_MAX);
	return 0;
}

static void
on_meter(void *ctx, bh_param_id id, const double (*levels)[3], unsigned channels)
{
	(void)ctx;
	by_id(id);
	for (unsigned i = 0; i < channels; i++)
		HOLDS(isfinite(levels[i][0]) && isfinite(levels[i][1]) && isfinite(levels[i][2]));
}

static void
on_value_failed(void *ctx, bh_param_id id, const char *text)
{
	(void)ctx;
	(void)id;
	sound_text(text, 4096);
}

static void
on_action_failed(void *ctx, const struct obs_ask *ask, const char *text)
{
	(void)ctx;
	(void)ask;
	sound_text(text, 4096);
}

static void
on_note(void *ctx, const char *text)
{
	(void)ctx;
	sound_text(text, 4096);
}

static const struct obs_sink sink = {NULL, on_add, on_remove, on_rename, on_report, on_meter, on_value_failed, on_action_failed, on_note};

/* ------------------------------------------------------------------ what happens */

static void
on_dropped(void *ctx, const struct obs_ask *ask)
{
	obs_model_dropped(ctx, ask);
}

static uint32_t
id_in(const uint8_t *bytes, size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	char id[16] = "";
	const msgpack_object *d = NULL;
	HOLDS(bh_packed_check(bytes, len, OBS_DEPTH + 2, false, NULL) == 0);
	msgpack_unpacked_init(&u);
	HOLDS(msgpack_unpack_next(&u, (const char *)bytes, len, &off) == MSGPACK_UNPACK_SUCCESS);
	HOLDS(obs_get_map(&u.data, "d", &d) && obs_get_str(d, "requestId", id, sizeof(id)));
	msgpack_unpacked_destroy(&u);
	return (uint32_t)strtoul(id, NULL, 10);
}

static void
send_all(void)
{
	const uint8_t *bytes;
	size_t len;
	struct obs_ask ask;
	while (w.connected && !obs_model_is_frozen(w.model) &&
	       obs_queue_next(obs_model_queue(w.model), w.now, &bytes, &len, &ask, on_dropped) == 1) {
		w.id[w.in_flight++ % OBS_IN_FLIGHT] = id_in(bytes, len);
		HOLDS(ask.until_ns == 0 || w.now <= ask.until_ns);
	}
	HOLDS(obs_queue_counts(obs_model_queue(w.model))->in_flight <= OBS_IN_FLIGHT);
}

/* Which of our requests it answers is not left to chance: nearly all answers would be to nobody. */
static uint32_t
some_id(uint32_t said)
{
	return w.in_flight ? w.id[said % (w.in_flight < OBS_IN_FLIGHT ? w.in_flight : OBS_IN_FLIGHT)] : said;
}

static void
next_stage(void)
{
	struct obs_out o;
	obs_out_init(&o, w.out, sizeof(w.out));
	w.picture = obs_model_stage(w.model, OBS_ID_MAX + ++w.picture_id, &o, w.now);
	HOLDS(!w.picture || obs_out_done(&o));
}

static void
take_batch(struct obs_msg *m)
{
	if (w.picture) {
		m->batch_id = OBS_ID_MAX + w.picture_id;
		w.picture = false;
		if (obs_model_batch(w.model, m, w.now) == 0)
			next_stage();
		return;
	}
	m->batch_id = some_id(m->batch_id);
	obs_model_batched(w.model, m, w.now);
}

static void
take_message(const uint8_t *bytes, size_t len)
{
	struct obs_msg m;
	struct obs_ask ask;
	if (!w.connected || obs_decode(&w.decoder, bytes, len, &m, NULL) < 0)
		return;
	if (m.op == OBS_OP_EVENT)
		obs_model_event(w.model, m.event, m.data, w.now);
	else if (m.op == OBS_OP_BATCH_RESPONSE)
		take_batch(&m);
	else if (m.op == OBS_OP_RESPONSE && obs_queue_answer(obs_model_queue(w.model), some_id(m.result.id), m.result.ok, w.now, &ask))
		obs_model_answer(w.model, &ask, &m.result, w.now);
}

/* Texts of hands come from configurations and requests, which are UTF-8. */
static void
take_text(char *to, size_t cap, const uint8_t *b, size_t len)
{
	size_t n = 0;
	for (size_t i = 0, c; i < len && n < cap - 1; i += c) {
		c = bh_utf8(b + i, len - i);
		if (c == 0 || n + c > cap - 1) {
			to[n++] = '?';
			c = 1;
			continue;
		}
		memcpy(to + n, b + i, c);
		n += c;
	}
	to[n] = 0;
}

static void
wish(const uint8_t *b, size_t len)
{
	struct bh_value v = {0};
	uint32_t id = len > 2 ? (b[0] | (uint32_t)b[1] << 8) % PARAMS : 0;
	if (!w.param[id].used || len < 3)
		return;
	v.type = w.param[id].type;
	if (v.type == BH_TEXT) {
		char text[BH_TEXT_MAX + 1];
		take_text(text, sizeof(text), b + 2, len - 2);
		v = bh_text(text);
	} else if (v.type == BH_FLOAT) {
		memcpy(&v.f, b + 2, len - 2 < 8 ? len - 2 : 8);
		v.f = isfinite(v.f) ? v.f : 0; /* the skeleton lets nothing else through */
	} else {
		v.i = (int8_t)b[2];
	}
	obs_model_set(w.model, id, &v, w.now - (len > 10 ? b[10] * 10 * BH_NS_PER_MS : 0), w.now, BH_NS_PER_S);
}

static void
act(const uint8_t *b, size_t len)
{
	struct bh_action a = {.stamp_ns = w.now};
	uint32_t actions = 0;
	char text[512];
	if (len < 1)
		return;
	while (obs_actions[actions].name)
		actions++;
	a.id = b[0] % actions;
	take_text(text, sizeof(text), b + 1, len - 1);
	for (char *word = strtok(text, "\n"); word && a.argc < BH_ACTION_ARGS; word = strtok(NULL, "\n"))
		a.argv[a.argc++] = word;
	obs_model_action(w.model, &a, w.now, BH_NS_PER_S);
}

static void
disconnect(void)
{
	obs_model_disconnected(w.model);
	w.connected = w.picture = false;
	w.in_flight = 0;
}

static void
pass_time(const uint8_t *b, size_t len)
{
	w.now += (len ? b[0] : 1) * 20 * BH_NS_PER_MS;
	obs_model_tick(w.model, w.now);
}

static void
happen(uint8_t what, const uint8_t *b, size_t len)
{
	switch (what % KINDS) {
	case MESSAGE: take_message(b, len); break;
	case PICTURE:
		obs_model_begin(w.model, w.now);
		w.connected = true;
		next_stage();
		break;
	case WISH: wish(b, len); break;
	case ACTION: act(b, len); break;
	case TIME: pass_time(b, len); break;
	case DISCONNECT: disconnect(); break;
	case WATCH:
		if (len > 1 && w.param[b[0] | (b[1] & 1) << 8].used)
			obs_model_watch(w.model, b[0] | (uint32_t)(b[1] & 1) << 8, b[1] & 2);
		obs_model_subscriptions(w.model);
		break;
	case SEND: send_all(); break;
	}
	HOLDS(obs_queue_balanced(obs_model_queue(w.model)));
	obs_model_wants_picture(w.model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct obs_camera_config cameras[] = {{.id = "one", .scene = "Scene 1", .source = "Red", .split_source = "Red", .ptz = true},
						     {.id = "two", .scene = "Scene 2", .source = "Blue", .split_source = "Blue"}};
	static struct obs_ptz_config pads[] = {{.name = "pad", .camera = "one", .pan_gain = 15, .zoom_gain = 3, .gamma = 1.5}};
	static struct obs_config cfg = {.transforms = true, .settings = true, .stats_ms = 1000, .media_ms = 500, .meter_decay_db_s = 20,
					.meter_hold_ms = 1000, .cameras = {cameras, 2}, .split_left = "Inner", .default_camera = "one", .ptz = {pads, 1}};
	const uint8_t *end = data + len;
	memset(&w, 0, offsetof(__typeof__(w), out));
	w.now = 1000 * BH_NS_PER_S;
	HOLDS(obs_decoder_init(&w.decoder) == 0);
	w.model = obs_model_new(&cfg, &sink, PARAMS);
	HOLDS(w.model);
	for (unsigned n = 0; end - data >= 3 && n < STEPS_MAX; n++) {
		uint8_t what = data[0];
		size_t size = data[1] | (size_t)data[2] << 8;
		data += 3;
		size = size < (size_t)(end - data) ? size : (size_t)(end - data);
		happen(what, data, size);
		data += size;
	}
	disconnect();
	for (bh_param_id id = 0; id < PARAMS; id++)
		obs_model_report(w.model, id);
	obs_model_free(w.model);
	obs_decoder_fini(&w.decoder);
	return 0;
}
