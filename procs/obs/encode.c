/* encode.c - messages that we send, see proto.h */
#include "procs/obs/proto.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/packed.h"

static int
out_write(void *data, const char *bytes, size_t len)
{
	struct obs_out *o = data;
	if (o->failed || len > o->cap - o->len) {
		o->failed = true;
		return -1;
	}
	memcpy(o->buf + o->len, bytes, len);
	o->len += len;
	return 0;
}

static msgpack_packer
packer(struct obs_out *o)
{
	return (msgpack_packer){.data = o, .callback = out_write};
}

static void
pack_text(struct obs_out *o, const char *s)
{
	msgpack_packer pk = packer(o);
	size_t len = strlen(s);
	for (size_t i = 0, n; i < len; i += n)
		if ((n = bh_utf8((const uint8_t *)s + i, len - i)) == 0) {
			o->failed = true;
			return;
		}
	msgpack_pack_str(&pk, len);
	msgpack_pack_str_body(&pk, s, len);
}

static void
pack_map(struct obs_out *o, uint32_t members)
{
	msgpack_packer pk = packer(o);
	msgpack_pack_map(&pk, members);
}

static void
pack_uint(struct obs_out *o, uint32_t n)
{
	msgpack_packer pk = packer(o);
	msgpack_pack_uint32(&pk, n);
}

/* ------------------------------------------------------------------ what is still to come */

static void
open_map(struct obs_out *o, uint32_t members)
{
	if (members == 0)
		return;
	if (o->depth == OBS_DEPTH)
		o->failed = true;
	else
		o->open[o->depth++] = members;
}

/* Maps of which all has been written are closed by that. */
static void
close_full(struct obs_out *o)
{
	while (o->depth > 0 && o->open[o->depth - 1] == 0)
		o->depth--;
}

static bool
begin_message(struct obs_out *o, enum obs_op op)
{
	if (o->len > 0)
		o->failed = true; /* one message each */
	pack_map(o, 2);
	pack_text(o, "op");
	pack_uint(o, op);
	pack_text(o, "d");
	return !o->failed;
}

static bool
begin_member(struct obs_out *o, const char *key)
{
	if (o->depth == (o->batch ? 1 : 0))
		o->failed = true; /* no map is open */
	if (o->failed)
		return false;
	o->open[o->depth - 1]--;
	pack_text(o, key);
	return true;
}

void
obs_out_init(struct obs_out *o, void *buf, size_t cap)
{
	memset(o, 0, sizeof(*o));
	o->buf = buf;
	o->cap = cap;
}

bool
obs_out_done(const struct obs_out *o)
{
	return !o->failed && o->depth == 0 && o->len > 0;
}

/* ------------------------------------------------------------------ messages */

void
obs_put_identify(struct obs_out *o, const char *authentication, uint32_t subscriptions)
{
	begin_message(o, OBS_OP_IDENTIFY);
	pack_map(o, authentication ? 3 : 2);
	pack_text(o, "rpcVersion");
	pack_uint(o, 1);
	if (authentication) {
		pack_text(o, "authentication");
		pack_text(o, authentication);
	}
	pack_text(o, "eventSubscriptions");
	pack_uint(o, subscriptions);
}

void
obs_put_reidentify(struct obs_out *o, uint32_t subscriptions)
{
	begin_message(o, OBS_OP_REIDENTIFY);
	pack_map(o, 1);
	pack_text(o, "eventSubscriptions");
	pack_uint(o, subscriptions);
}

static void
pack_id(struct obs_out *o, uint32_t id)
{
	char text[12];
	if (id == 0)
		o->failed = true;
	snprintf(text, sizeof(text), "%u", id);
	pack_text(o, "requestId");
	pack_text(o, text);
}

static void
pack_type(struct obs_out *o, const char *type)
{
	pack_text(o, "requestType");
	if (type)
		pack_text(o, type);
	else
		o->failed = true;
}

static void
pack_data(struct obs_out *o, uint32_t members)
{
	if (members == 0)
		return;
	pack_text(o, "requestData");
	pack_map(o, members);
	open_map(o, members);
}

void
obs_put_request(struct obs_out *o, uint32_t id, enum obs_req req, uint32_t members)
{
	begin_message(o, OBS_OP_REQUEST);
	pack_map(o, members ? 3 : 2);
	pack_type(o, obs_req_name(req));
	pack_id(o, id);
	pack_data(o, members);
}

void
obs_put_raw_request(struct obs_out *o, uint32_t id, const char *type, const uint8_t *data, size_t len)
{
	if (data && bh_packed_check(data, len, OBS_DEPTH - 2, false, NULL) < 0)
		o->failed = true;
	begin_message(o, OBS_OP_REQUEST);
	pack_map(o, data ? 3 : 2);
	pack_type(o, type);
	pack_id(o, id);
	if (data) {
		pack_text(o, "requestData");
		out_write(o, (const char *)data, len);
	}
}

void
obs_put_batch(struct obs_out *o, uint32_t id, uint32_t requests)
{
	msgpack_packer pk = packer(o);
	begin_message(o, OBS_OP_BATCH);
	pack_map(o, 4);
	pack_id(o, id);
	pack_text(o, "haltOnFailure");
	msgpack_pack_false(&pk);
	pack_text(o, "executionType");
	pack_uint(o, 0); /* OBS_WEBSOCKET_REQUEST_BATCH_EXECUTION_TYPE_SERIAL_REALTIME */
	pack_text(o, "requests");
	msgpack_pack_array(&pk, requests);
	o->batch = requests > 0;
	open_map(o, requests);
}

/* "sceneName=s transitionName=n" as a map. */
static void
pack_vars(struct obs_out *o, const char *key, const char *vars)
{
	uint32_t n = 0;
	if (!*vars)
		return;
	for (const char *s = vars; (s = strchr(s, '=')); s++)
		n++;
	pack_text(o, key);
	pack_map(o, n);
	for (; n > 0; n--) {
		char name[64], value[64];
		int len = 0;
		if (sscanf(vars, " %63[^= ]=%63[^ ]%n", name, value, &len) != 2) {
			o->failed = true;
			return;
		}
		pack_text(o, name);
		pack_text(o, value);
		vars += len;
	}
}

void
obs_put_batched_vars(struct obs_out *o, enum obs_req req, const char *in, const char *out, uint32_t members)
{
	if (!o->batch || o->depth != 1)
		o->failed = true; /* no batch, or the request before is not whole */
	if (o->failed)
		return;
	o->open[0]--;
	pack_map(o, 1u + (*in != '\0') + (*out != '\0') + (members > 0));
	pack_type(o, obs_req_name(req));
	pack_vars(o, "inputVariables", in);
	pack_vars(o, "outputVariables", out);
	pack_data(o, members);
	close_full(o);
}

void
obs_put_batched(struct obs_out *o, enum obs_req req, uint32_t members)
{
	obs_put_batched_vars(o, req, "", "", members);
}

/* ------------------------------------------------------------------ members */

void
obs_put_str(struct obs_out *o, const char *key, const char *value)
{
	if (!begin_member(o, key))
		return;
	pack_text(o, value);
	close_full(o);
}

void
obs_put_number(struct obs_out *o, const char *key, double value)
{
	msgpack_packer pk = packer(o);
	if (!begin_member(o, key))
		return;
	if (isfinite(value))
		msgpack_pack_double(&pk, value);
	else
		o->failed = true;
	close_full(o);
}

void
obs_put_int(struct obs_out *o, const char *key, int64_t value)
{
	msgpack_packer pk = packer(o);
	if (!begin_member(o, key))
		return;
	msgpack_pack_int64(&pk, value);
	close_full(o);
}

void
obs_put_bool(struct obs_out *o, const char *key, bool value)
{
	msgpack_packer pk = packer(o);
	if (!begin_member(o, key))
		return;
	if (value)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
	close_full(o);
}

void
obs_put_map(struct obs_out *o, const char *key, uint32_t members)
{
	if (!begin_member(o, key))
		return;
	pack_map(o, members);
	open_map(o, members);
	close_full(o);
}
