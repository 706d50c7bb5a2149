/* request.c - see request.h */
#include "common/wire/request.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STR BH_WIRE_STR
#define INT BH_WIRE_INT
#define NUM (BH_WIRE_INT | BH_WIRE_FLOAT)
#define ANY (BH_WIRE_STR | BH_WIRE_INT | BH_WIRE_FLOAT | BH_WIRE_BOOL)

/* clang-format off */
const struct bh_wire_verb_row bh_wire_verbs[BH_VERB_COUNT] = {
	[BH_VERB_VERSION] = {"version", "control", NULL, false, 0, NULL, false, "versions of program and protocol"},
	[BH_VERB_STATUS]  = {"status", "control", "name", false, 0, NULL, false, "health of all processes, or of one"},
	[BH_VERB_PAGES]   = {"pages", "control", NULL, false, 0, NULL, false, "pages, and which one is shown"},
	[BH_VERB_PARAMS]  = {"params", "control", "glob", false, 0, NULL, false, "parameters with their values"},
	[BH_VERB_GET]     = {"get", "control", "param", true, 0, NULL, false, "one parameter with all that is known of it"},
	[BH_VERB_NAMES]   = {"names", "control", "kind", true, 0, NULL, false, "names of processes, pages, params, controls or actions"},
	[BH_VERB_SET]     = {"set", "router", "param", true, ANY, "value", true, "set a parameter"},
	[BH_VERB_DO]      = {"do", "router", "action", true, BH_WIRE_LIST, "args", false, "do an action"},
	[BH_VERB_PRESS]   = {"press", "router", "control", true, INT, "value", false, "1 press, 0 let go, 2 both: a button, as by a hand"},
	[BH_VERB_MOVE]    = {"move", "router", "control", true, NUM, "value", true, "0 to 1: a fader or pedal, as by a hand"},
	[BH_VERB_TURN]    = {"turn", "router", "control", true, INT, "value", true, "ticks, clockwise is positive: a V-Pot or the jog wheel"},
	[BH_VERB_PAGE]    = {"page", "router", "page", true, STR, "surface", false, "a page's name, its number from 1, next, previous or back; of the surface's group"},
	[BH_VERB_START]   = {"start", "supervisor", "name", true, 0, NULL, false, "start a process that is stopped"},
	[BH_VERB_STOP]    = {"stop", "supervisor", "name", true, 0, NULL, false, "stop a process; it stays stopped"},
	[BH_VERB_RESTART] = {"restart", "supervisor", "name", true, BH_WIRE_BOOL, "upgrade", false, "stop a process and start it again; with upgrade: its new program, if that runs"},
	[BH_VERB_HOLD]    = {"hold", "supervisor", "name", true, 0, NULL, false, "take a process out: not started again until released"},
	[BH_VERB_RELEASE] = {"release", "supervisor", "name", true, 0, NULL, false, "end hold and quarantine, and start it"},
	[BH_VERB_KILL]    = {"kill", "supervisor", "name", true, INT, "signal", true, "send a signal"},
	[BH_VERB_RELOAD]  = {"reload", "supervisor", "file", false, 0, NULL, false, "check and take the configuration anew"},
	[BH_VERB_PROFILE] = {"profile", "supervisor", "name", false, 0, NULL, false, "go over to a profile, or which there are"},
	[BH_VERB_EMIT]    = {"emit", "process", "surface", true, BH_WIRE_BIN, "bytes", true, "send bytes to the device: whole MIDI messages"},
	[BH_VERB_SYNC]    = {"sync", "process", "name", true, 0, NULL, false, "a surface shows everything again, a driver reports everything again"},
	[BH_VERB_CALIBRATE] = {"calibrate", "process", "surface", true, BH_WIRE_STR, "step", true, "measure the travel of its faders: begin, state, finish, cancel, show or reset"},
	[BH_VERB_QUIT]    = {"quit", "supervisor", NULL, false, 0, NULL, false, "stop the whole pipeline"},
};
/* clang-format on */

int
bh_wire_fail(struct bh_wire_error *err, const char *code, const char *hint, const char *text, ...)
{
	va_list ap;
	va_start(ap, text);
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), text, ap);
	snprintf(err->hint, sizeof(err->hint), "%s", hint ? hint : "");
	va_end(ap);
	return -EINVAL;
}

void
bh_wire_begin_answer(struct bh_wire_out *o, uint64_t id, bool ok)
{
	bh_wire_map(o, NULL);
	bh_wire_uint(o, "v", BH_WIRE_VERSION);
	bh_wire_uint(o, "id", id);
	bh_wire_bool(o, "ok", ok);
}

void
bh_wire_put_error(struct bh_wire_out *o, const struct bh_wire_error *err)
{
	bh_wire_map(o, "error");
	bh_wire_str(o, "code", err->code ? err->code : "failed");
	bh_wire_str(o, "text", err->text);
	if (err->hint[0])
		bh_wire_str(o, "hint", err->hint);
	bh_wire_close(o);
}

static int
take_list(struct bh_wire_request *req, const msgpack_object *o)
{
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return -EINVAL;
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		const msgpack_object *a = &o->via.array.ptr[i];
		if (a->type != MSGPACK_OBJECT_STR || memchr(a->via.str.ptr, 0, a->via.str.size) ||
		    a->via.str.size >= sizeof(req->args) - req->args_len)
			return -EINVAL;
		memcpy(req->args + req->args_len, a->via.str.ptr, a->via.str.size);
		req->args_len += a->via.str.size;
		req->args[req->args_len++] = '\0';
	}
	return 0;
}

/* The second argument into whatever of the row's types it is. */
static int
take_value(struct bh_wire_request *req, const msgpack_object *root, const struct bh_wire_verb_row *row)
{
	const msgpack_object *o = bh_wire_get(root, row->arg2);
	unsigned t = 0;
	if (!o)
		return row->required2 ? -ENOENT : 0;
	switch (o->type) {
	case MSGPACK_OBJECT_BOOLEAN:
		t = BH_WIRE_BOOL;
		req->i = o->via.boolean;
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 > INT64_MAX)
			return -EINVAL;
		t = BH_WIRE_INT;
		req->i = o->via.i64;
		req->f = (double)req->i;
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		if (!isfinite(o->via.f64))
			return -EINVAL;
		t = BH_WIRE_FLOAT;
		req->f = o->via.f64;
		break;
	case MSGPACK_OBJECT_STR:
		t = BH_WIRE_STR;
		if (bh_wire_get_str(root, row->arg2, req->str, sizeof(req->str)) < 0)
			return -EINVAL;
		break;
	case MSGPACK_OBJECT_ARRAY:
		t = BH_WIRE_LIST;
		if (take_list(req, o) < 0)
			return -EINVAL;
		break;
	case MSGPACK_OBJECT_BIN:
		t = BH_WIRE_BIN;
		if (o->via.bin.size > sizeof(req->args))
			return -EINVAL;
		memcpy(req->args, o->via.bin.ptr, o->via.bin.size);
		req->args_len = o->via.bin.size;
		break;
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_MAP:
	case MSGPACK_OBJECT_EXT: return -EINVAL;
	}
	if (!(t & row->types))
		return -EINVAL;
	req->value_type = t;
	return 0;
}

static int
find_verb(const char *name)
{
	for (int i = 0; i < BH_VERB_COUNT; i++)
		if (strcmp(bh_wire_verbs[i].name, name) == 0)
			return i;
	return -ENOENT;
}

static int
parse_root(struct bh_wire_request *req, const msgpack_object *root, struct bh_wire_error *err)
{
	char verb[32];
	int64_t id = bh_wire_get_int(root, "id", 0);
	req->id = id > 0 ? (uint64_t)id : 0;
	if (bh_wire_get_int(root, "v", 0) != BH_WIRE_VERSION)
		return bh_wire_fail(err, "bad-version", "use a tool of the same version as bh-control",
				    "this bh-control speaks version %d of the protocol", BH_WIRE_VERSION);
	if (req->id == 0)
		return bh_wire_fail(err, "bad-request", NULL, "the request has no id (a number from 1)");
	if (bh_wire_get_str(root, "verb", verb, sizeof(verb)) <= 0)
		return bh_wire_fail(err, "bad-request", NULL, "the request has no verb");
	int v = find_verb(verb);
	if (v < 0)
		return bh_wire_fail(err, "unknown-verb", NULL, "there is no verb \"%s\"", verb);
	const struct bh_wire_verb_row *row = &bh_wire_verbs[v];
	req->verb = (enum bh_wire_verb)v;
	if (row->arg) {
		int r = bh_wire_get_str(root, row->arg, req->name, sizeof(req->name));
		if (r < 0 || (r == 0 && row->required))
			return bh_wire_fail(err, "bad-request", NULL, "%s needs \"%s\", a text of at most %u bytes", verb,
					    row->arg, BH_WIRE_NAME_MAX - 1);
	}
	if (row->arg2 && take_value(req, root, row) < 0)
		return bh_wire_fail(err, "bad-request", NULL, "%s needs a \"%s\" of another type or size", verb, row->arg2);
	return 0;
}

int
bh_wire_request_parse(struct bh_wire_request *req, const uint8_t *data, size_t len, struct bh_wire_error *err)
{
	struct bh_wire_in in;
	const char *why = NULL;
	memset(req, 0, sizeof(*req));
	memset(err, 0, sizeof(*err));
	int r = bh_wire_in_init(&in, data, len, BH_WIRE_REQUEST_MAX, &why);
	if (r < 0)
		bh_wire_fail(err, "bad-request", NULL, "not a request: %s", why);
	else
		r = parse_root(req, in.root, err);
	bh_wire_in_fini(&in);
	return r < 0 ? -EINVAL : 0;
}
