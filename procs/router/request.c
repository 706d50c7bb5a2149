/*
 * request.c - what people ask for by the tool, and the store at a cold start
 *
 * A request is a hand on the control it names, or a writer of the parameter, like any other: the same rules hold. Each is answered
 * in the transaction that carries it out.
 */
#include "procs/router/core_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void
answer(struct bh_core *core, uint16_t to, const struct bh_event *ev, int ret, const char *text)
{
	struct bh_event back = {
		.kind = BH_EV_RESULT, .type = BH_INT, .total = ev->total, .stamp_ns = core->now, .v.i = ret};
	/* Without room nobody is told, and the asker's time-out says so. */
	(void)core_out_payload(core, to, &back, text, strlen(text));
}

/* The value of a request as the parameter's type. */
static int
request_value(const struct bh_core *core, const struct core_param *p, const struct bh_request_args *a, union bh_val *v)
{
	memset(v, 0, sizeof(*v));
	bool whole = a->type == BH_INT || a->type == BH_BOOL || a->type == BH_ENUM;
	if (p->type == BH_ENUM && a->type == BH_TEXT) {
		v->i = core_choice(core, p, a->v.s);
		return v->i < 0 ? -ERANGE : 0;
	}
	if (p->type == BH_TEXT) {
		if (a->type != BH_TEXT)
			return -EINVAL;
		memcpy(v->s, a->v.s, BH_TEXT_MAX);
		return 0;
	}
	if (a->type == BH_FLOAT && !isfinite(a->v.f))
		return -EINVAL;
	if (p->type == BH_FLOAT) {
		if (!whole && a->type != BH_FLOAT)
			return -EINVAL;
		v->f = whole ? (double)a->v.i : a->v.f;
		return p->range.max > p->range.min && (v->f < p->range.min || v->f > p->range.max) ? -ERANGE : 0;
	}
	if (p->type == BH_TRIGGER) {
		v->i = 1;
		return 0;
	}
	if (!whole && !(a->type == BH_FLOAT && a->v.f == floor(a->v.f) && fabs(a->v.f) < 9e15))
		return -EINVAL;
	v->i = whole ? a->v.i : (int64_t)a->v.f;
	if (p->type == BH_BOOL)
		v->i = v->i != 0;
	if (p->type == BH_ENUM && (v->i < 0 || v->i >= p->choices))
		return -ERANGE;
	if (p->type == BH_INT && p->range.max > p->range.min &&
	    ((double)v->i < p->range.min || (double)v->i > p->range.max))
		return -ERANGE;
	return 0;
}

static int
request_set(struct bh_core *core, uint16_t from, const struct bh_event *ev, const struct bh_request_args *a,
	    const char **text)
{
	struct core_param *p = core_find_param(core, a->slot, a->index);
	union bh_val v;
	if (!p) {
		*text = "there is no such parameter";
		return -ENOENT;
	}
	int r = request_value(core, p, a, &v);
	if (r == -EINVAL)
		*text = "a value of this type does not fit the parameter";
	if (r == -ERANGE)
		*text = "the value is out of the parameter's range";
	if (r < 0)
		return r;
	if (!core_want(core, p, &v, (uint32_t)from << 16, ev->stamp_ns)) {
		*text = "the parameter cannot be set";
		return -EACCES;
	}
	if (!core_is_up(core, p->slot))
		*text = "its driver is down; it gets the value when it is back";
	return 0;
}

static int
request_do(struct bh_core *core, uint16_t from, const struct bh_event *ev, const struct bh_request_args *a,
	   const char **text)
{
	uint32_t len = a->text_len <= sizeof(a->text) ? a->text_len : 0;
	if (len && a->text[len - 1]) {
		*text = "the arguments are not terminated";
		return -EINVAL;
	}
	if (a->slot == BH_DRIVER_PAGE) {
		int own = a->index < BH_PAGE_ACTION_COUNT
				  ? core_page_action(core, NULL, (uint16_t)a->index, len ? a->text : "")
				  : -ENOENT;
		if (own < 0)
			*text = "there is no such page or bank";
		return own;
	}
	int r = core_action(core, a->slot, a->index, (uint32_t)from << 16, ev->stamp_ns, a->text, len);
	if (r == -EHOSTDOWN)
		*text = "the driver is down";
	if (r == -ENOSPC)
		*text = "the driver is overloaded";
	return r;
}

static int
request_hand(struct bh_core *core, const struct bh_event *ev, const struct bh_request_args *a, const char **text)
{
	struct core_ctl *c = core_find_ctl(core, a->slot, a->index);
	uint8_t kind = c ? c->cfg->kind : 0;
	if (!c) {
		*text = "there is no such control";
		return -ENOENT;
	}
	if (ev->id == BH_REQ_PRESS && kind == BH_CTL_BUTTON) {
		if (a->v.i)
			core_button(core, c, true, ev->stamp_ns);
		if (a->v.i != 1)
			core_button(core, c, false, ev->stamp_ns);
		return 0;
	}
	if (ev->id == BH_REQ_TURN && (kind == BH_CTL_VPOT || kind == BH_CTL_JOG)) {
		if (a->v.i < -10000 || a->v.i > 10000)
			return -ERANGE;
		core_turn(core, c, (int32_t)a->v.i, ev->stamp_ns);
		return 0;
	}
	if (ev->id == BH_REQ_MOVE && (kind == BH_CTL_FADER || kind == BH_CTL_PEDAL)) {
		if (!isfinite(a->v.f) || a->v.f < 0 || a->v.f > 1) {
			*text = "a position is a number from 0 to 1";
			return -ERANGE;
		}
		if (core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED) {
			*text = "a hand is on it";
			return -EBUSY;
		}
		core_fader_sent(core, c, a->v.f, ev->stamp_ns);
		return 0;
	}
	*text = "this control cannot do that";
	return -EINVAL;
}

static int
request_page(struct bh_core *core, const struct bh_request_args *a, const char **text)
{
	static const uint16_t verbs[] = {BH_PAGE_NEXT, BH_PAGE_PREVIOUS, BH_PAGE_BACK};
	bool of_surface = a->slot < BH_MAX_SLOTS && core->peer[a->slot].role == BH_ROLE_SURFACE;
	uint32_t group = of_surface ? core->peer[a->slot].group : 0;
	int64_t n = a->v.i;
	if (n < 0 && n >= -3)
		return core_page_verb(core, group, verbs[-n - 1], "");
	if (n < 0 || n >= bh_config_count(core->config, BH_TAB_PAGES)) {
		*text = "there is no such page";
		return -ENOENT;
	}
	core_turn_page(core, group, (uint32_t)n);
	return 0;
}

/* The page of the last snapshot, unless somebody has turned one since. */
static int
restore_page(struct bh_core *core, const char *name)
{
	int n = core_find_page(core, name);
	if (n < 0)
		return -ENOENT;
	if (core_global(core)->page_ns)
		return -EALREADY;
	core_turn_page(core, 0, (uint32_t)n);
	core_global(core)->flags |= BH_GLOBAL_RESTORED;
	core_dirty(core, BH_REC_GLOBAL);
	return 0;
}

/*
 * A value of the last snapshot. Whatever was said since the cold start is newer, with one exception: what a backend without a
 * memory says of itself is its factory setting, and it is given the room's value.
 */
static int
restore_param(struct bh_core *core, struct core_param *p, const struct bh_request_args *a)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	union bh_val v;
	int ret = request_value(core, p, a, &v);
	bool give = p->access & BH_ACCESS_RESTORE && p->access & BH_ACCESS_WRITE;
	if (p->access & BH_ACCESS_METER || p->type == BH_TRIGGER)
		return -EINVAL;
	if (p->slot == BH_SLOT_ROUTER && !core_room_restores(core, p))
		return -EINVAL;
	if (ret < 0)
		return ret;
	if (p->slot == BH_SLOT_ROUTER && r->flags & BH_PAR_WANTED)
		return -EALREADY;
	if (p->slot == BH_SLOT_ROUTER)
		return core_room_want(core, p, &v, (uint32_t)BH_SLOT_STORE << 16) ? 0 : -EACCES;
	if (r->flags & BH_PAR_WANTED || (!give && r->flags & BH_PAR_KNOWN && !(r->flags & BH_PAR_STALE)))
		return -EALREADY;
	if (give) {
		if (!core_want(core, p, &v, (uint32_t)BH_SLOT_STORE << 16, core->now))
			return -EACCES;
		if (r->flags & BH_PAR_PENDING)
			r->flags |= BH_PAR_STALE;
	} else {
		if (p->type == BH_TEXT)
			memcpy(r->text, v.s, sizeof(r->text));
		else
			r->reported.u = v.u[0];
		r->flags |= BH_PAR_KNOWN | BH_PAR_STALE;
		r->origin = (uint32_t)BH_SLOT_STORE << 16;
	}
	core_dirty(core, p->rec);
	core_queue_param(core, p);
	return 0;
}

static int
request_restore(struct bh_core *core, const struct bh_request_args *a)
{
	char name[sizeof(a->text)];
	uint32_t len = a->text_len < sizeof(name) ? a->text_len : sizeof(name) - 1;
	memcpy(name, a->text, len);
	name[len] = '\0';
	if (strncmp(name, "page:", 5) == 0)
		return restore_page(core, name + 5);
	char *slash = strchr(name, '/');
	if (!slash)
		return -EINVAL;
	*slash = '\0';
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		if (!core_has_params(core, s) || strcmp(core->peer[s].name, name))
			continue;
		struct core_param *p = core_param_by_name(core, s, slash + 1);
		return p ? restore_param(core, p, a) : -ENOENT;
	}
	return -ENOENT;
}

/* Meters that somebody looks at by the tool. What is none is left out: its value is there anyway. */
static int
request_watch(struct bh_core *core, const struct bh_request_args *a)
{
	uint32_t more = a->text_len <= sizeof(a->text) ? a->text_len / (uint32_t)sizeof(uint32_t) : 0, index = a->index;
	if (a->v.i < 0 || a->v.i > BH_WATCH_MOST_S)
		return -ERANGE;
	for (uint32_t k = 0; k <= more; k++) {
		struct core_param *p = core_find_param(core, a->slot, index);
		if (p && p->access & BH_ACCESS_METER && core_has_room(core, 1, 1))
			core_watch_lease(core, p, core->now + (uint64_t)a->v.i * 1000000000ull);
		if (k < more)
			memcpy(&index, a->text + k * sizeof(index), sizeof(index));
	}
	return 0;
}

void
core_request(struct bh_core *core, uint16_t from, const struct bh_event *ev, const void *payload, size_t len)
{
	struct bh_request_args a;
	const char *text = "";
	int r = -EINVAL;
	if (len != sizeof(a)) {
		core->tx->faults++;
		answer(core, from, ev, -EPROTO, "the request is of another version");
		return;
	}
	memcpy(&a, payload, sizeof(a));
	a.v.s[sizeof(a.v.s) - 1] = a.type == BH_TEXT ? '\0' : a.v.s[sizeof(a.v.s) - 1];
	switch (ev->id) {
	case BH_REQ_SET: r = request_set(core, from, ev, &a, &text); break;
	case BH_REQ_DO: r = request_do(core, from, ev, &a, &text); break;
	case BH_REQ_PRESS:
	case BH_REQ_MOVE:
	case BH_REQ_TURN: r = request_hand(core, ev, &a, &text); break;
	case BH_REQ_PAGE: r = request_page(core, &a, &text); break;
	case BH_REQ_WATCH: r = request_watch(core, &a); break;
	case BH_REQ_RESTORE: r = request_restore(core, &a); break;
	default: text = "the router does not know this request"; break;
	}
	answer(core, from, ev, r, text);
}
