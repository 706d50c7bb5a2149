/*
 * proto.h - obs-websocket 5 in its msgpack coding: bytes <-> messages
 *
 * Pure: no I/O, no clock. Facts: obs-websocket `docs/generated/protocol.md`, "Message Types (OpCodes)". Each message is a map
 * {op, d}; the order of keys is not fixed. Nothing that arrives is trusted: unknown ops, missing members, members of other
 * types, deep nesting, invalid UTF-8 and bytes behind the end are errors or absent members, never a crash.
 */
#pragma once

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "procs/obs/requests.h"

enum obs_op {
	OBS_OP_HELLO = 0, OBS_OP_IDENTIFY = 1, OBS_OP_IDENTIFIED = 2, OBS_OP_REIDENTIFY = 3, OBS_OP_EVENT = 5,
	OBS_OP_REQUEST = 6, OBS_OP_RESPONSE = 7, OBS_OP_BATCH = 8, OBS_OP_BATCH_RESPONSE = 9
};

/* eventSubscriptions: "Event Subscription" bits */
enum obs_subscription {
	OBS_SUB_GENERAL = 1, OBS_SUB_CONFIG = 2, OBS_SUB_SCENES = 4, OBS_SUB_INPUTS = 8, OBS_SUB_TRANSITIONS = 16, OBS_SUB_FILTERS = 32,
	OBS_SUB_OUTPUTS = 64, OBS_SUB_ITEMS = 128, OBS_SUB_MEDIA = 256, OBS_SUB_VENDORS = 512, OBS_SUB_UI = 1024,
	OBS_SUB_METERS = 1 << 16, OBS_SUB_ACTIVE = 1 << 17, OBS_SUB_SHOWN = 1 << 18, OBS_SUB_TRANSFORM = 1 << 19
};

/* "RequestStatus" codes that we act on */
enum obs_status { OBS_STATUS_OK = 100, OBS_STATUS_NOT_READY = 207, OBS_STATUS_NOT_FOUND = 600, OBS_STATUS_INVALID_STATE = 604 };

#define OBS_NAME_MAX 255 /* bytes of a name in OBS; longer ones are cut on a character's border */
#define OBS_DEPTH 16u	 /* maps and arrays inside each other */

/* ------------------------------------------------------------------ what arrives */

/* A result of a request: alone (op 7) or as one of a batch (op 9). */
struct obs_result {
	enum obs_req req;	/* OBS_REQ_COUNT: a type that we do not know */
	uint32_t id;		/* requestId as we wrote it, 0 = not one of ours */
	bool ok;
	int code;		/* enum obs_status and others */
	char comment[160];	/* OBS's own words, "" if none */
	const msgpack_object *data; /* borrowed; NULL if none */
};

/* A message. What it points at lives until the next obs_decode() with the same decoder, and as long as the bytes. */
struct obs_msg {
	enum obs_op op;
	/* HELLO */
	char version[32];	/* obsWebSocketVersion */
	uint32_t rpc_version;	/* HELLO, IDENTIFIED (negotiated) */
	bool needs_auth;
	char challenge[128], salt[128];
	/* EVENT */
	char event[64];		/* eventType */
	const msgpack_object *data; /* eventData, NULL if none */
	/* RESPONSE */
	struct obs_result result;
	/* BATCH_RESPONSE: see obs_batch_result() */
	uint32_t batch_id, results;
	const msgpack_object *items;
};

/* The zone grows to the largest message and is used again: no allocation once it is warm. What only a whole picture needs is given back. */
struct obs_decoder {
	msgpack_zone *zone; /* owned */
	size_t room;	    /* bytes of it */
	msgpack_object root;
};
int obs_decoder_init(struct obs_decoder *d); /* 0 or -ENOMEM */
void obs_decoder_fini(struct obs_decoder *d); /* zeroed and half-built ones too */
/* 0, -EBADMSG (no msgpack, not this protocol; `why` says what, static text), -ENOMEM. */
int obs_decode(struct obs_decoder *d, const uint8_t *bytes, size_t len, struct obs_msg *out, const char **why);
/* Result n of a batch; false: it is malformed. */
bool obs_batch_result(const struct obs_msg *m, uint32_t n, struct obs_result *out);

/* Members of a map. `map` may be NULL or no map: then nothing is there. false: absent or of another type; *out is untouched. */
const msgpack_object *obs_get(const msgpack_object *map, const char *key);
bool obs_get_number(const msgpack_object *map, const char *key, double *out); /* integer or float, finite */
bool obs_get_int(const msgpack_object *map, const char *key, int64_t *out);   /* floats are rounded; beyond int64: false */
bool obs_get_bool(const msgpack_object *map, const char *key, bool *out);
bool obs_get_str(const msgpack_object *map, const char *key, char *out, size_t cap); /* cut on a character's border; false for what is no UTF-8 or has a NUL */
bool obs_str(const msgpack_object *o, char *out, size_t cap); /* the same of an element of an array */
bool obs_get_map(const msgpack_object *map, const char *key, const msgpack_object **out);
bool obs_get_array(const msgpack_object *map, const char *key, const msgpack_object **items, uint32_t *count);

/* ------------------------------------------------------------------ what we send */

/* A message being built in the caller's memory. `failed`: it did not fit and is not to be sent. Counts of members are checked. */
struct obs_out {
	uint8_t *buf; /* borrowed */
	size_t cap, len;
	bool failed;
	bool batch;   /* open[0] counts the requests of a batch that are still to come */
	uint32_t open[OBS_DEPTH]; /* members still to come of each open map */
	unsigned depth;
};
void obs_out_init(struct obs_out *o, void *buf, size_t cap);
/* All members written, nothing failed? */
bool obs_out_done(const struct obs_out *o);

void obs_put_identify(struct obs_out *o, const char *authentication /* NULL = none */, uint32_t subscriptions);
void obs_put_reidentify(struct obs_out *o, uint32_t subscriptions);
/*
 * A request: then exactly `members` of obs_put_...() in its requestData. id > 0, written as text.
 * Inside a batch the same, without id.
 */
void obs_put_request(struct obs_out *o, uint32_t id, enum obs_req req, uint32_t members);
/* The last resort: any request type, requestData as msgpack bytes (a map; NULL = none). */
void obs_put_raw_request(struct obs_out *o, uint32_t id, const char *type, const uint8_t *data, size_t len);
/* Serial realtime, goes on after a failed one. Then exactly `requests` of obs_put_batched(). */
void obs_put_batch(struct obs_out *o, uint32_t id, uint32_t requests);
void obs_put_batched(struct obs_out *o, enum obs_req req, uint32_t members);
/*
 * The same with variables of the batch, by which OBS hands the answer of one request on to a later one: `out` is "VARIABLE=FIELD ..." of its
 * answer, `in` is "FIELD=VARIABLE ..." of its data, beside `members` written here. "" = none.
 */
void obs_put_batched_vars(struct obs_out *o, enum obs_req req, const char *in, const char *out, uint32_t members);

void obs_put_str(struct obs_out *o, const char *key, const char *value);
void obs_put_number(struct obs_out *o, const char *key, double value);
void obs_put_int(struct obs_out *o, const char *key, int64_t value);
void obs_put_bool(struct obs_out *o, const char *key, bool value);
void obs_put_map(struct obs_out *o, const char *key, uint32_t members); /* then its members */

/* A person's JSON object, for `request`, as msgpack: bytes written, -EINVAL (no JSON object), -EMSGSIZE. */
int obs_json_to_msgpack(const char *json, uint8_t *out, size_t cap);
