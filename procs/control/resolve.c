/* resolve.c - see resolve.h */
#include "procs/control/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/midi/check.h"

static int
resolve_set(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	struct bh_view_param p;
	int r = bh_view_find_param(v, req->name, &p, err);
	if (r == 0)
		r = bh_wire_value_parse(v->slot[p.slot].dir, &p.rec, req, &act->args.v, err);
	if (r < 0)
		return r;
	act->code = BH_REQ_SET;
	act->args.slot = p.slot;
	act->args.index = p.rec.index;
	act->args.type = p.rec.type;
	return 0;
}

static int
resolve_page(const struct bh_view *v, const char *name, const char *surface, struct control_act *act, struct bh_wire_error *err)
{
	int number, slot = *surface ? bh_view_find_proc(v, surface, err) : 0;
	if (slot < 0)
		return slot;
	if (*surface && !bh_config_surface(v->config, (uint16_t)slot))
		return bh_wire_fail(err, "bad-value", NULL, "%.60s is no surface", surface);
	int r = bh_view_find_page(v, name, &number, err);
	if (r < 0)
		return r;
	act->args.slot = (uint16_t)slot;
	act->code = BH_REQ_PAGE;
	act->args.type = BH_INT;
	act->args.v.i = number;
	return 0;
}

static unsigned
count_args(const struct bh_wire_request *req)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < req->args_len; i++)
		n += req->args[i] == '\0';
	return n;
}

/* An action of the router itself: the name of a bank goes with it. */
static int
resolve_own(const struct bh_view *v, const struct bh_wire_request *req, unsigned own, struct control_act *act, struct bh_wire_error *err)
{
	const char *bank = req->args_len ? req->args : "";
	bool found = false;
	for (uint32_t k = 0; v->config && k < bh_config_count(v->config, BH_TAB_BANKS) && !found; k++) {
		const struct bh_cfg_bank *row = bh_config_row(v->config, BH_TAB_BANKS, k);
		found = strcmp(bh_config_str(v->config, row->name), bank) == 0;
	}
	if (!found)
		return bh_wire_fail(err, "unknown-name", "`bulkhead params room/bank/*` lists them", "there is no bank \"%.100s\"", bank);
	act->code = BH_REQ_DO;
	act->args.slot = BH_DRIVER_PAGE;
	act->args.index = own;
	act->args.type = BH_TEXT;
	act->args.text_len = req->args_len;
	memcpy(act->args.text, req->args, req->args_len);
	return 0;
}

static int
resolve_do(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	const struct bh_cfg_action *a;
	int own = bh_view_own_action(req->name);
	if (own == BH_PAGE_GO)
		return resolve_page(v, req->args_len ? req->args : "", "", act, err);
	if (own >= 0 && own <= BH_PAGE_BACK)
		return resolve_page(v, req->name + 5, "", act, err);
	if (own >= 0)
		return resolve_own(v, req, (unsigned)own, act, err);
	int r = bh_view_find_action(v, req->name, &act->args.slot, &a, err);
	if (r < 0)
		return r;
	if (count_args(req) < a->args)
		return bh_wire_fail(err, "bad-value", NULL, "%s needs %u argument%s: %s", req->name, a->args, a->args == 1 ? "" : "s",
				    bh_config_str(v->config, a->help));
	act->code = BH_REQ_DO;
	act->args.index = a->index;
	act->args.type = BH_TEXT;
	act->args.text_len = req->args_len;
	memcpy(act->args.text, req->args, req->args_len);
	snprintf(act->args.v.s, sizeof(act->args.v.s), "%.*s", (int)sizeof(act->args.v.s) - 1, req->args_len ? req->args : "");
	return 0;
}

static int
resolve_control(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	static const struct {
		enum bh_wire_verb verb;
		enum bh_request code;
		uint32_t kinds;
		const char *what;
	} rows[] = {
		{BH_VERB_PRESS, BH_REQ_PRESS, 1u << BH_CTL_BUTTON, "pressed: it is no button"},
		{BH_VERB_MOVE, BH_REQ_MOVE, 1u << BH_CTL_FADER | 1u << BH_CTL_PEDAL, "moved: it is no fader or pedal"},
		{BH_VERB_TURN, BH_REQ_TURN, 1u << BH_CTL_VPOT | 1u << BH_CTL_JOG, "turned: it is no V-Pot or jog wheel"},
	};
	struct bh_view_control c;
	int r = bh_view_find_control(v, req->name, &c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].verb != req->verb)
			continue;
		if (!(rows[i].kinds >> c.control->kind & 1))
			return bh_wire_fail(err, "bad-value", NULL, "%s cannot be %s", req->name, rows[i].what);
		act->code = rows[i].code;
	}
	act->args.slot = c.slot;
	act->args.index = c.index;
	if (req->verb == BH_VERB_MOVE) {
		if (!(req->f >= 0 && req->f <= 1))
			return bh_wire_fail(err, "bad-value", NULL, "a position goes from 0 to 1 (0 %% to 100 %%)");
		act->args.type = BH_FLOAT;
		act->args.v.f = req->f;
		return 0;
	}
	int64_t n = req->verb == BH_VERB_PRESS && !req->value_type ? 2 : req->i;
	if (req->verb == BH_VERB_PRESS ? n < 0 || n > 2 : n < -10000 || n > 10000)
		return bh_wire_fail(err, "bad-value", NULL, "%s", req->verb == BH_VERB_PRESS ? "a press is 1, letting go 0, both 2"
												   : "at most 10000 ticks at once");
	act->args.type = BH_INT;
	act->args.v.i = n;
	return 0;
}

static int
resolve_proc(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	static const struct {
		enum bh_wire_verb verb;
		enum bh_request code;
	} rows[] = {
		{BH_VERB_START, BH_REQ_START}, {BH_VERB_STOP, BH_REQ_STOP},	  {BH_VERB_RESTART, BH_REQ_RESTART},
		{BH_VERB_HOLD, BH_REQ_HOLD},   {BH_VERB_RELEASE, BH_REQ_RELEASE}, {BH_VERB_KILL, BH_REQ_KILL},
	};
	int slot = bh_view_find_proc(v, req->name, err);
	if (slot < 0)
		return slot;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].verb == req->verb)
			act->code = rows[i].code;
	if (slot == BH_SLOT_SUPERVISOR && req->verb != BH_VERB_RESTART)
		return bh_wire_fail(err, "refused", "`bulkhead restart supervisor` tries its successor, `bulkhead stop --all` ends everything",
				    "the supervisor is what starts and stops the others");
	if (req->verb == BH_VERB_KILL && (req->i < 1 || req->i > 64))
		return bh_wire_fail(err, "bad-value", NULL, "signals go from 1 to 64");
	act->args.slot = (uint16_t)slot;
	act->args.type = BH_INT;
	act->args.v.i = req->verb == BH_VERB_KILL || (req->verb == BH_VERB_RESTART && req->value_type == BH_WIRE_BOOL) ? req->i : 0;
	return 0;
}

/* What a surface or driver does itself. The supervisor passes it on. */
static int
resolve_process(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	static const char *const steps[BH_CALIBRATE_STEPS] = {"begin", "state", "finish", "cancel", "show", "reset"};
	struct bh_proc_body body;
	int slot = bh_view_find_proc(v, req->name, err);
	if (slot < 0)
		return slot;
	uint8_t role = bh_view_proc(v, (uint16_t)slot, &body) ? body.role : BH_ROLE_NONE;
	if (role != BH_ROLE_SURFACE && (req->verb != BH_VERB_SYNC || role != BH_ROLE_DRIVER))
		return bh_wire_fail(err, "bad-value", NULL, "%s is no surface%s", req->name, req->verb == BH_VERB_SYNC ? " or driver" : "");
	act->args.slot = (uint16_t)slot;
	if (req->verb == BH_VERB_EMIT) {
		size_t at;
		const char *why;
		if (!bh_midi_is_whole((const uint8_t *)req->args, req->args_len, &at, &why) || !req->args_len)
			return bh_wire_fail(err, "bad-value", NULL, "byte %zu: %s", at + 1, req->args_len ? why : "there is none");
		act->code = BH_REQ_EMIT;
		act->args.text_len = req->args_len;
		memcpy(act->args.text, req->args, req->args_len);
		return 0;
	}
	if (req->verb == BH_VERB_SYNC) {
		act->code = BH_REQ_SYNC;
		return 0;
	}
	act->code = BH_REQ_CALIBRATE;
	act->args.type = BH_INT;
	while (act->args.v.i < BH_CALIBRATE_STEPS && strcmp(steps[act->args.v.i], req->str) != 0)
		act->args.v.i++;
	if (act->args.v.i == BH_CALIBRATE_STEPS)
		return bh_wire_fail(err, "bad-value", "begin, state, finish, cancel, show or reset", "there is no step \"%.40s\"", req->str);
	return 0;
}

int
control_resolve(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err)
{
	memset(act, 0, sizeof(*act));
	act->to = BH_SLOT_ROUTER;
	switch (req->verb) {
	case BH_VERB_SET: return resolve_set(v, req, act, err);
	case BH_VERB_DO: return resolve_do(v, req, act, err);
	case BH_VERB_PAGE: return resolve_page(v, req->name, req->str, act, err);
	case BH_VERB_PRESS:
	case BH_VERB_MOVE:
	case BH_VERB_TURN: return resolve_control(v, req, act, err);
	case BH_VERB_START:
	case BH_VERB_STOP:
	case BH_VERB_RESTART:
	case BH_VERB_HOLD:
	case BH_VERB_RELEASE:
	case BH_VERB_KILL: act->to = BH_SLOT_SUPERVISOR; return resolve_proc(v, req, act, err);
	case BH_VERB_RELOAD:
		act->to = BH_SLOT_SUPERVISOR;
		act->code = BH_REQ_RELOAD;
		if (req->name[0] && req->name[0] != '/')
			return bh_wire_fail(err, "bad-value", NULL, "the path of a configuration is absolute");
		act->args.text_len = (uint32_t)strlen(req->name);
		memcpy(act->args.text, req->name, act->args.text_len);
		return 0;
	case BH_VERB_PROFILE:
		act->to = BH_SLOT_SUPERVISOR;
		act->code = BH_REQ_PROFILE;
		act->args.text_len = (uint32_t)strlen(req->name);
		memcpy(act->args.text, req->name, act->args.text_len);
		return 0;
	case BH_VERB_EMIT:
	case BH_VERB_SYNC:
	case BH_VERB_CALIBRATE: act->to = BH_SLOT_SUPERVISOR; return resolve_process(v, req, act, err);
	case BH_VERB_QUIT:
		act->to = BH_SLOT_SUPERVISOR;
		act->code = BH_REQ_QUIT;
		return 0;
	case BH_VERB_VERSION:
	case BH_VERB_STATUS:
	case BH_VERB_PAGES:
	case BH_VERB_PARAMS:
	case BH_VERB_GET:
	case BH_VERB_NAMES:
	case BH_VERB_COUNT: break;
	}
	return bh_wire_fail(err, "unknown-verb", NULL, "not an act");
}

const char *
control_code_of(enum bh_wire_verb verb, int64_t result)
{
	switch (result) {
	case -ENOENT: return "unknown-name";
	case -EINVAL:
	case -ERANGE:
	case -EBADMSG: return verb == BH_VERB_RELOAD || verb == BH_VERB_PROFILE ? "bad-config" : "bad-value";
	case -EBUSY:
	case -ENOSPC: return "busy";
	case -EALREADY:
	case -EPERM:
	case -EACCES: return "refused";
	case -ESRCH:
	case -ENOTCONN:
	case -ENODEV: return "not-running";
	case -ETIMEDOUT: return "timed-out";
	default: return "failed";
	}
}
