/* describe.c - see describe.h */
#include "supervisor/ctl/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/request.h"
#include "common/units.h"
#include "shm/latch.h"
#include "shm/outbox.h"

struct described {
	char name[BH_WIRE_NAME_MAX], text[280], words[600];
	const struct bh_dir *dir; /* of a parameter, else NULL */
	struct bh_dir_record rec;
	bool has_rec;
};

static uint8_t
role_of(const struct bh_view *v, uint16_t slot, char *name, size_t cap)
{
	struct bh_proc_body b;
	if (!bh_view_proc(v, slot, &b)) {
		snprintf(name, cap, "slot %u", slot);
		return BH_ROLE_NONE;
	}
	snprintf(name, cap, "%s", b.name);
	return b.role;
}

static void
name_control(const struct bh_view *v, uint16_t slot, uint32_t id, struct described *d)
{
	const struct bh_cfg_surface *s = v->config ? bh_config_surface(v->config, slot) : NULL;
	const struct bh_cfg_control *c = s ? bh_config_control(v->config, s, id) : NULL;
	char surface[40];
	role_of(v, slot, surface, sizeof(surface));
	if (c)
		snprintf(d->name, sizeof(d->name), "%s/%.23s", surface, c->name);
}

static void
name_param(const struct bh_view *v, uint16_t slot, uint32_t id, struct described *d)
{
	static struct bh_dir_index index;
	const struct bh_dir *dir = slot < BH_MAX_SLOTS ? v->slot[slot].dir : NULL;
	if (!dir)
		return;
	bh_dir_index(&index, dir);
	if (bh_dir_find(&index, id, &d->rec) < 0)
		return;
	d->dir = dir;
	d->has_rec = true;
	bh_view_param_name(v, slot, &d->rec, d->name, sizeof(d->name));
}

static void
name_action(const struct bh_view *v, uint16_t slot, uint32_t id, struct described *d)
{
	const struct bh_cfg_proc *p = v->config ? bh_config_proc(v->config, slot) : NULL;
	for (uint32_t i = 0; p && i < bh_config_count(v->config, BH_TAB_ACTIONS); i++) {
		const struct bh_cfg_action *a = bh_config_row(v->config, BH_TAB_ACTIONS, i);
		if (a->index == id && strcmp(bh_config_str(v->config, a->kind), bh_config_str(v->config, p->kind)) == 0)
			snprintf(d->name, sizeof(d->name), "%s/%s", bh_config_str(v->config, p->name), bh_config_str(v->config, a->name));
	}
}

/* The value without a directory: as its type says. */
static void
plain_text(const struct bh_event *ev, const union bh_val *val, char *out, size_t cap)
{
	switch ((enum bh_type)ev->type) {
	case BH_BOOL: snprintf(out, cap, "%s", val->i ? "on" : "off"); return;
	case BH_INT:
	case BH_ENUM: snprintf(out, cap, "%" PRId64, val->i); return;
	case BH_FLOAT: snprintf(out, cap, "%.4f", val->f); return;
	case BH_TEXT: snprintf(out, cap, "%.*s", (int)BH_TEXT_MAX, val->s); break;
	case BH_NONE:
	case BH_TRIGGER: snprintf(out, cap, "%s", ""); return;
	}
	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = '|'; /* the two lines of a strip */
}

/* Arguments of an action, each with its end, as words. */
static void
args_text(const uint8_t *payload, size_t len, char *out, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n + 1 < cap; i++)
		out[n++] = payload[i] ? (char)payload[i] : ' ';
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static void
words_of_hand(const struct bh_event *ev, const union bh_val *val, struct described *d)
{
	switch ((enum bh_event_kind)ev->kind) {
	case BH_EV_VALUE: snprintf(d->words, sizeof(d->words), "%s moved to %.1f %%", d->name, val->f * 100); return;
	case BH_EV_TOUCH: snprintf(d->words, sizeof(d->words), "%s %s", d->name, val->i ? "touched" : "let go"); return;
	case BH_EV_PRESS: snprintf(d->words, sizeof(d->words), "%s pressed", d->name); return;
	case BH_EV_RELEASE: snprintf(d->words, sizeof(d->words), "%s released", d->name); return;
	case BH_EV_RELATIVE:
		snprintf(d->words, sizeof(d->words), "%s turned by %+" PRId64, d->name, val->i);
		return;
	default: return; /* the rest has no hand in it */
	}
}

static void
describe_surface(const struct bh_view *v, uint16_t surface, bool to_surface, const struct bh_event *ev, const union bh_val *val,
		 struct described *d)
{
	if (ev->kind > BH_EV_PRESS)
		return;
	name_control(v, surface, ev->id, d);
	plain_text(ev, val, d->text, sizeof(d->text));
	if (!to_surface)
		words_of_hand(ev, val, d);
	else if (ev->kind == BH_EV_VALUE)
		snprintf(d->words, sizeof(d->words), "%s shows %s", d->name, ev->type == BH_NONE ? "nothing" : d->text);
}

static void
describe_driver(const struct bh_view *v, uint16_t driver, bool to_driver, const struct bh_event *ev, const uint8_t *payload, size_t len,
		const union bh_val *val, struct described *d)
{
	if (ev->kind == BH_EV_VALUE || ev->kind == BH_EV_METER) {
		name_param(v, driver, ev->id, d);
		if (d->has_rec && d->rec.type == ev->type)
			bh_wire_value_text(d->dir, &d->rec, val, d->text, sizeof(d->text));
		else
			plain_text(ev, val, d->text, sizeof(d->text));
		if (to_driver && d->has_rec && d->rec.access & BH_ACCESS_METER) {
			snprintf(d->text, sizeof(d->text), "%s", val->u[0] ? "watched" : "not watched");
			snprintf(d->words, sizeof(d->words), val->u[0] ? "somebody looks at %s" : "nobody looks at %s any more", d->name);
		} else if (ev->kind == BH_EV_VALUE)
			snprintf(d->words, sizeof(d->words), "%s %s %s", d->name, to_driver ? "is to be" : "is", d->text);
	} else if (ev->kind == BH_EV_ACTION) {
		name_action(v, driver, ev->id, d);
		args_text(len ? payload : (const uint8_t *)ev->v.s, len ? len : 0, d->text, sizeof(d->text));
		snprintf(d->words, sizeof(d->words), "%s %s", d->name, d->text);
	} else if (ev->kind == BH_EV_DROPPED) {
		bool is_value = ev->v.u[1];
		if (is_value)
			name_param(v, driver, ev->id, d);
		else
			name_action(v, driver, ev->id, d);
		if (len)
			snprintf(d->text, sizeof(d->text), "%.*s", (int)len, (const char *)payload);
		else
			snprintf(d->text, sizeof(d->text), "%s", bh_drop_name((uint32_t)ev->v.i));
		snprintf(d->words, sizeof(d->words), "%s was not %s: %s", d->name, is_value ? "set" : "done", d->text);
	} else if (ev->kind == BH_EV_DIRECTORY) {
		char name[40];
		role_of(v, driver, name, sizeof(name));
		snprintf(d->text, sizeof(d->text), "%" PRId64 " records", ev->v.i);
		snprintf(d->words, sizeof(d->words), "the parameters of %s changed: %s", name, d->text);
	}
}

static const char *
request_name(uint32_t code)
{
	static const struct {
		uint32_t code;
		const char *name;
	} rows[] = {
		{BH_REQ_SET, "set"},	   {BH_REQ_DO, "do"},	      {BH_REQ_PRESS, "press"}, {BH_REQ_MOVE, "move"},
		{BH_REQ_TURN, "turn"},	   {BH_REQ_PAGE, "page"},     {BH_REQ_RESTORE, "restore"}, {BH_REQ_START, "start"},
		{BH_REQ_STOP, "stop"},	   {BH_REQ_RESTART, "restart"}, {BH_REQ_HOLD, "hold"},	{BH_REQ_RELEASE, "release"},
		{BH_REQ_KILL, "kill"},	   {BH_REQ_RELOAD, "reload"}, {BH_REQ_QUIT, "quit"}, {BH_REQ_PROFILE, "profile"},
		{BH_REQ_EMIT, "emit"},	   {BH_REQ_SYNC, "sync"},     {BH_REQ_CALIBRATE, "calibrate"},
		{BH_REQ_WATCH, "watch"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].name;
	return "request";
}

/* Requests: whom they concern stands in the arguments. */
static void
describe_request(const struct bh_view *v, const char *from, const struct bh_event *ev, const uint8_t *payload, size_t len,
		 struct described *d)
{
	struct bh_request_args args;
	char slot[40];
	snprintf(d->text, sizeof(d->text), "%s", request_name(ev->id));
	if (len < sizeof(args)) {
		snprintf(d->words, sizeof(d->words), "%s asks: %s", from, d->text);
		return;
	}
	memcpy(&args, payload, sizeof(args));
	if (ev->id == BH_REQ_SET || ev->id == BH_REQ_WATCH)
		name_param(v, args.slot, args.index, d);
	else if (ev->id == BH_REQ_DO)
		name_action(v, args.slot, args.index, d);
	else if (ev->id == BH_REQ_PRESS || ev->id == BH_REQ_MOVE || ev->id == BH_REQ_TURN)
		name_control(v, args.slot, args.index, d);
	else if (((ev->id >= BH_REQ_START && ev->id <= BH_REQ_KILL) || (ev->id >= BH_REQ_EMIT && ev->id <= BH_REQ_CALIBRATE)) && role_of(v, args.slot, slot, sizeof(slot)) != BH_ROLE_NONE)
		snprintf(d->name, sizeof(d->name), "%s", slot);
	snprintf(d->words, sizeof(d->words), "%s asks: %s %s", from, d->text, d->name);
}

/* What every ring may carry. True if it was one of these. */
static bool
describe_common(const struct bh_view *v, const char *from, const struct bh_event *ev, const uint8_t *payload, size_t len,
		struct described *d)
{
	if (ev->kind == BH_EV_HEALTH) {
		char who[40];
		role_of(v, (uint16_t)ev->id, who, sizeof(who));
		snprintf(d->name, sizeof(d->name), "%s", who);
		snprintf(d->text, sizeof(d->text), "%s", bh_health_name((uint32_t)ev->v.i));
		snprintf(d->words, sizeof(d->words), "%s is %s", who, d->text);
	} else if (ev->kind == BH_EV_REQUEST) {
		describe_request(v, from, ev, payload, len, d);
	} else if (ev->kind == BH_EV_RESULT) {
		snprintf(d->text, sizeof(d->text), "%s%.*s", ev->v.i < 0 ? "failed: " : "done", ev->v.i < 0 ? (int)len : 0,
			 (const char *)payload);
		snprintf(d->words, sizeof(d->words), "%s answers: %s", from, d->text);
	} else {
		return false;
	}
	return true;
}

static void
put_value(struct bh_wire_out *o, const struct bh_event *ev, const union bh_val *val)
{
	char text[BH_TEXT_MAX + 1];
	switch ((enum bh_type)ev->type) {
	case BH_BOOL: bh_wire_bool(o, "value", val->i); return;
	case BH_INT:
	case BH_ENUM: bh_wire_int(o, "value", val->i); return;
	case BH_FLOAT: bh_wire_float(o, "value", val->f); return;
	case BH_TEXT:
		snprintf(text, sizeof(text), "%.*s", (int)BH_TEXT_MAX, val->s);
		bh_wire_str(o, "value", text);
		return;
	case BH_NONE:
	case BH_TRIGGER: return;
	}
}

/* CLOCK_BOOTTIME -> seconds of the wall clock. */
static double
wall_clock(uint64_t stamp_ns)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 - ((double)bh_now_ns() - (double)stamp_ns) / 1e9;
}

void
ctl_describe(const struct bh_view *v, uint16_t from, uint16_t to, const struct bh_event *ev, const uint8_t *payload, size_t len,
	     struct bh_wire_out *o)
{
	static struct described d;
	char from_name[40], to_name[40];
	uint8_t from_role = role_of(v, from, from_name, sizeof(from_name)), to_role = role_of(v, to, to_name, sizeof(to_name));
	union bh_val val;
	memset(&d, 0, sizeof(d));
	if (ev->kind == BH_EV_ACTION || ev->kind >= BH_EV_REQUEST || bh_event_value(ev, payload, len, &val) != 0) {
		memset(&val, 0, sizeof(val));
		val.i = ev->v.i;
	}
	if (describe_common(v, from_name, ev, payload, len, &d))
		;
	else if (from_role == BH_ROLE_SURFACE || to_role == BH_ROLE_SURFACE)
		describe_surface(v, from_role == BH_ROLE_SURFACE ? from : to, to_role == BH_ROLE_SURFACE, ev, &val, &d);
	else if (from_role == BH_ROLE_DRIVER || to_role == BH_ROLE_DRIVER)
		describe_driver(v, from_role == BH_ROLE_DRIVER ? from : to, to_role == BH_ROLE_DRIVER, ev, payload, len, &val, &d);
	bh_wire_map(o, NULL);
	bh_wire_float(o, "time_s", wall_clock(ev->stamp_ns));
	bh_wire_uint(o, "stamp_ns", ev->stamp_ns);
	bh_wire_str(o, "from", from_name);
	bh_wire_str(o, "to", to_name);
	bh_wire_uint(o, "seq", ev->seq & ~BH_SEQ_CONT);
	bh_wire_str(o, "kind", bh_event_kind_name(ev->kind));
	bh_wire_uint(o, "id", ev->id);
	bh_wire_uint(o, "gen", ev->gen);
	bh_wire_uint(o, "total", ev->total);
	if (d.name[0])
		bh_wire_str(o, "name", d.name);
	put_value(o, ev, &val);
	if (d.text[0])
		bh_wire_str(o, "text", d.text);
	bh_wire_str(o, "words", d.words);
	bh_wire_close(o);
}
