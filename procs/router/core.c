/* core.c - transactions, timers, and what comes in; see core.h */
#include "procs/router/core_int.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ life */

int
bh_tx_init(struct bh_tx *tx, size_t bytes)
{
	memset(tx, 0, sizeof(*tx));
	tx->change = calloc(bytes / sizeof(struct bh_journal_change) + 1, sizeof(*tx->change));
	tx->output = calloc(bytes / sizeof(struct bh_journal_output) + 1, sizeof(*tx->output));
	if (tx->change && tx->output)
		return 0;
	bh_tx_fini(tx);
	return -ENOMEM;
}

void
bh_tx_fini(struct bh_tx *tx)
{
	free(tx->change);
	free(tx->output);
	memset(tx, 0, sizeof(*tx));
}

int
bh_core_new(struct bh_core **out, uint32_t records)
{
	struct bh_core *core = calloc(1, sizeof(*core));
	*out = NULL;
	if (!core || records < BH_REC_FIRST)
		goto fail;
	core->records = records;
	core->rec = calloc(records, sizeof(*core->rec));
	core->gen = calloc(records, sizeof(*core->gen));
	core->mark = calloc(records, sizeof(*core->mark));
	core->due = calloc(records, sizeof(*core->due));
	core->heap = calloc(records, sizeof(*core->heap));
	core->heap_pos = calloc(records, sizeof(*core->heap_pos));
	core->owner = calloc(records, sizeof(*core->owner));
	if (!core->rec || !core->gen || !core->mark || !core->due || !core->heap || !core->heap_pos || !core->owner)
		goto fail;
	*out = core;
	return 0;
fail:
	bh_core_free(core);
	return -ENOMEM;
}

void
bh_core_free(struct bh_core *core)
{
	if (!core)
		return;
	core_unplan(core);
	free(core->rec);
	free(core->gen);
	free(core->mark);
	free(core->due);
	free(core->heap);
	free(core->heap_pos);
	free(core->owner);
	free(core);
}

int
bh_core_load(struct bh_core *core, uint32_t rec, uint32_t gen, const void *data)
{
	if (rec >= core->records)
		return -ERANGE;
	memcpy(core->rec[rec], data, BH_RECORD_BYTES);
	core->gen[rec] = gen;
	return 0;
}

const void *
bh_core_record(const struct bh_core *core, uint32_t rec, uint32_t *gen)
{
	if (rec >= core->records || !core->rec[rec][0])
		return NULL;
	*gen = core->gen[rec];
	return core->rec[rec];
}

uint64_t
bh_core_steps(const struct bh_core *core)
{
	return core->steps;
}

uint32_t
bh_core_page(const struct bh_core *core)
{
	return core->group[0].page;
}

/* Everything on the page that hangs on this driver looks different now. */
static void
core_queue_driver(struct bh_core *core, uint16_t slot)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		const struct core_ctl *c = &core->ctl[k];
		core->steps++;
		if (core_main(c) == NONE || core_binding(core, core_main(c))->driver != slot)
			continue;
		core_queue_ctl(core, k);
		if (c->strip != NONE)
			core_queue_ctl(core, c->strip); /* it may say so */
	}
}

/* ------------------------------------------------------------------ timers: a binary heap, earliest first */

static void
heap_place(struct bh_core *core, uint32_t pos, uint32_t rec)
{
	core->heap[pos] = rec;
	core->heap_pos[rec] = pos + 1;
}

static void
heap_sift(struct bh_core *core, uint32_t pos)
{
	uint32_t rec = core->heap[pos];
	while (pos && core->due[core->heap[(pos - 1) / 2]] > core->due[rec]) {
		heap_place(core, pos, core->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
		core->steps++;
	}
	for (uint32_t kid = 2 * pos + 1; kid < core->heap_len; kid = 2 * pos + 1) {
		if (kid + 1 < core->heap_len && core->due[core->heap[kid + 1]] < core->due[core->heap[kid]])
			kid++;
		if (core->due[core->heap[kid]] >= core->due[rec])
			break;
		heap_place(core, pos, core->heap[kid]);
		pos = kid;
		core->steps++;
	}
	heap_place(core, pos, rec);
}

static void
heap_remove(struct bh_core *core, uint32_t rec)
{
	uint32_t pos = core->heap_pos[rec] - 1, last = core->heap[--core->heap_len];
	core->heap_pos[rec] = 0;
	if (last == rec)
		return;
	heap_place(core, pos, last);
	heap_sift(core, pos);
}

void
core_due(struct bh_core *core, uint32_t rec, uint64_t when)
{
	core->due[rec] = when;
	if (!when) {
		if (core->heap_pos[rec])
			heap_remove(core, rec);
		return;
	}
	if (!core->heap_pos[rec])
		heap_place(core, core->heap_len++, rec);
	heap_sift(core, core->heap_pos[rec] - 1);
}

void
bh_core_clock(struct bh_core *core, int64_t offset_ns)
{
	core->clock_ns = offset_ns;
}

uint64_t
bh_core_deadline(const struct bh_core *core)
{
	return core->heap_len ? core->due[core->heap[0]] : 0;
}

void
bh_core_timers(struct bh_core *core, uint64_t wall_ns)
{
	core->wall = wall_ns > core->now ? wall_ns : core->now;
	while (core->heap_len && core->due[core->heap[0]] <= core->now && core_has_room(core, 16, 16)) {
		uint32_t rec = core->heap[0], n = core->owner[rec];
		core_due(core, rec, 0);
		if (core->rec[rec][0] == BH_REC_TAG_CONTROL && n < core->ctls)
			core_ctl_timer(core, &core->ctl[n]);
		else if (core->rec[rec][0] == BH_REC_TAG_PARAM && n < core->params)
			core_param_timer(core, &core->param[n]);
		else if (core->rec[rec][0] == BH_REC_TAG_RUN)
			core_run_timer(core, rec);
		else if (core->rec[rec][0] == BH_REC_TAG_PEER)
			core_queue_driver(core, (uint16_t)(rec - BH_REC_PEER(0)));
	}
}

/* ------------------------------------------------------------------ transactions */

bool
core_has_room(const struct bh_core *core, uint32_t changes, uint32_t outputs)
{
	return core->tx->bytes >=
	       changes * sizeof(struct bh_journal_change) + outputs * sizeof(struct bh_journal_output);
}

static void
core_spend(struct bh_core *core, size_t bytes)
{
	core->tx->bytes -= bytes < core->tx->bytes ? bytes : core->tx->bytes;
}

void
core_dirty(struct bh_core *core, uint32_t rec)
{
	if (core->mark[rec] == core->serial)
		return;
	core->mark[rec] = core->serial;
	core->gen[rec]++;
	core->tx->change[core->tx->changes++] = rec;
	core_spend(core, sizeof(struct bh_journal_change));
}

static struct bh_journal_output *
core_output(struct bh_core *core)
{
	struct bh_journal_output *out = &core->tx->output[core->tx->outputs++];
	memset(out, 0, sizeof(*out));
	core_spend(core, sizeof(*out));
	return out;
}

static uint32_t
core_cont(size_t len)
{
	return (uint32_t)((len + BH_CONT_BYTES - 1) / BH_CONT_BYTES);
}

void
core_out_value(struct bh_core *core, uint16_t slot, struct bh_event *ev, const union bh_val *v)
{
	struct bh_journal_output *out = core_output(core);
	size_t len = ev->type == BH_TEXT ? strnlen(v->s, BH_TEXT_MAX) : 0;
	uint32_t slots = 1 + (len > BH_INLINE_MAX ? core_cont(len) : 0);
	out->slot = slot;
	out->flags = BH_OUT_CELL;
	if (core->tx->room[slot] >= slots) {
		core->tx->room[slot] -= slots;
		out->flags |= BH_OUT_PUSH;
	} else {
		core->tx->room[slot] = 0; /* what follows must not overtake the count of what is in the ring */
	}
	out->ev = *ev;
	out->v = *v;
	core->tx->meters += ev->kind == BH_EV_METER;
	core->tx->drives += core->peer[slot].role == BH_ROLE_DRIVER;
}

int
core_out_payload(struct bh_core *core, uint16_t slot, const struct bh_event *ev, const void *payload, size_t len)
{
	uint32_t slots = 1 + core_cont(len);
	if (len > BH_PAYLOAD_MAX || core->tx->room[slot] < slots)
		return -ENOSPC;
	core->tx->room[slot] -= slots;
	core->tx->drives += core->peer[slot].role == BH_ROLE_DRIVER;
	struct bh_journal_output *out = core_output(core);
	out->slot = slot;
	out->flags = BH_OUT_PUSH;
	out->cell_flags = (uint32_t)len;
	out->ev = *ev;
	size_t at = len < sizeof(out->v) ? len : sizeof(out->v);
	if (at)
		memcpy(&out->v, payload, at);
	while (at < len) {
		size_t part = sizeof(out->ev) + sizeof(out->v);
		if (part > len - at)
			part = len - at;
		out = core_output(core);
		out->slot = slot;
		out->flags = BH_OUT_MORE;
		memcpy((char *)out + offsetof(struct bh_journal_output, ev), (const char *)payload + at, part);
		at += part;
	}
	return 0;
}

void
bh_core_begin(struct bh_core *core, struct bh_tx *tx, uint64_t now_ns)
{
	core->tx = tx;
	/* Time does not run backwards, whatever the caller's clock does after a restart on another machine. */
	core->now = core->wall = now_ns;
	core->serial++;
	tx->changes = tx->outputs = tx->meters = tx->drives = tx->levels = tx->faults = 0;
}

/* The generations of a peer whose ring to us is a fresh one begin anew. */
static void
core_reset_some(struct bh_core *core, uint16_t slot)
{
	struct core_peer *peer = &core->peer[slot];
	for (; peer->reset_at < peer->count; peer->reset_at++) {
		if (!core_has_room(core, 2, 1))
			return;
		core->steps++;
		if (peer->role == BH_ROLE_SURFACE) {
			struct core_ctl *c = &core->ctl[peer->first + peer->reset_at];
			struct bh_rec_control *r = core_ctl_rec(core, c);
			bool held = r->flags & (BH_CTRL_TOUCHED | BH_CTRL_PRESSED);
			if (!r->seen_gen && !r->seen_total && !held)
				continue;
			r->seen_gen = r->seen_total = 0;
			if (r->flags & BH_CTRL_TOUCHED)
				core_fader_touched(core, c, false);
			if (r->flags & BH_CTRL_PRESSED)
				core_button_lost(core, c);
			core_dirty(core, c->rec);
		} else {
			struct core_param *p = &core->param[peer->first + peer->reset_at];
			if (!core_param_rec(core, p)->seen_gen)
				continue;
			core_param_rec(core, p)->seen_gen = 0;
			core_dirty(core, p->rec);
		}
	}
	struct bh_rec_peer *r = core_peer_rec(core, slot);
	r->tag = BH_REC_TAG_PEER;
	r->slot = slot;
	r->in_epoch = peer->reset_epoch;
	r->overflow = 0;
	core_dirty(core, BH_REC_PEER(slot));
	peer->reset = false;
	core->resets--;
}

void
bh_core_end(struct bh_core *core)
{
	while (core->tell_len && core_has_room(core, 1, 1)) {
		struct core_param *p = &core->param[core->tell[core->tell_head]];
		core->tell_head = (core->tell_head + 1) % core->params;
		core->tell_len--;
		core->steps++;
		p->queued = false;
		core_tell_param(core, p);
	}
	/* That a peer's memory is known as ours is written down when it was told all, not before. */
	for (uint16_t s = 0; core->resets && !core->tell_len && s < BH_MAX_SLOTS; s++)
		if (core->peer[s].reset)
			core_reset_some(core, s);
	if (core->config)
		core_room_adopt(core);
	while (core->queue_len && !core->unsettled && core_has_room(core, 1, 1)) {
		struct core_ctl *c = &core->ctl[core->queue[core->queue_head]];
		/* What a driver waits for goes out first, then what the eye waits for: a text costs as much as all the rest. */
		if (core->tx->drives && c->cfg->kind == BH_CTL_STRIP)
			break;
		core->queue_head = (core->queue_head + 1) % core->ctls;
		core->queue_len--;
		core->steps++;
		c->queued = false;
		core_render(core, c);
	}
	core->tx = NULL;
}

bool
bh_core_is_pending(const struct bh_core *core)
{
	return (core->queue_len && !core->unsettled) || core->tell_len || core->resets ||
	       core->room_at < core->peer[BH_SLOT_ROUTER].count;
}

/* ------------------------------------------------------------------ who is who */

bool
core_is_up(struct bh_core *core, uint16_t slot)
{
	if (slot == BH_SLOT_ROUTER)
		return core_has_params(core, slot);
	return slot < BH_MAX_SLOTS && core_peer_rec(core, slot)->flags & BH_PEER_UP;
}

struct core_ctl *
core_find_ctl(struct bh_core *core, uint16_t slot, uint32_t index)
{
	if (slot >= BH_MAX_SLOTS || core->peer[slot].role != BH_ROLE_SURFACE || index >= core->peer[slot].count)
		return NULL;
	return &core->ctl[core->peer[slot].first + index];
}

struct core_param *
core_find_param(struct bh_core *core, uint16_t slot, uint32_t index)
{
	if (!core_has_params(core, slot) || index >= core->peer[slot].count)
		return NULL;
	struct core_param *p = &core->param[core->peer[slot].first + index];
	return p->present ? p : NULL;
}

/* ------------------------------------------------------------------ actions */

void
core_refuse(struct bh_core *core, struct core_ctl *c)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	if (c->cfg->kind != BH_CTL_BUTTON && c->cfg->kind != BH_CTL_LED)
		return;
	r->flags |= BH_CTRL_REFUSED;
	r->flash_ns = core->wall + core->opt.flash_ms * 1000000ull;
	core_dirty(core, c->rec);
	core_ctl_arm(core, c);
	core_queue_ctl(core, (uint32_t)(c - core->ctl));
}

void
core_count_dropped(struct bh_core *core, uint16_t slot)
{
	struct bh_rec_peer *r = core_peer_rec(core, slot);
	r->dropped++;
	r->last_drop_ns = core->now;
	core_dirty(core, BH_REC_PEER(slot));
}

int
core_action(struct bh_core *core, uint16_t driver, uint32_t action, uint32_t origin, uint64_t stamp_ns, const char *args,
	    size_t len)
{
	if (driver >= BH_MAX_SLOTS || core->peer[driver].role != BH_ROLE_DRIVER)
		return -ENOENT;
	int r = -EHOSTDOWN;
	if (core_is_up(core, driver)) {
		struct bh_event ev = {
			.kind = BH_EV_ACTION,
			.type = BH_TRIGGER,
			.id = action,
			.gen = core_peer_rec(core, driver)->action_gen + 1,
			.total = origin,
			.stamp_ns = stamp_ns,
		};
		r = core_out_payload(core, driver, &ev, args, len);
	}
	if (r < 0) {
		core_count_dropped(core, driver);
		return r;
	}
	core_peer_rec(core, driver)->action_gen++;
	core_dirty(core, BH_REC_PEER(driver));
	return 0;
}

bool
core_too_old(struct bh_core *core, struct core_ctl *c, const struct bh_cfg_binding *b, uint64_t stamp_ns)
{
	/* An action of a driver is judged by the driver itself, last of all, and reported back. */
	bool own = b->kind != BH_BIND_ACTION || b->driver == BH_DRIVER_PAGE;
	if (!own || stamp_ns >= core->wall || core->wall - stamp_ns <= core->opt.press_age_ms * 1000000ull)
		return false;
	core_refuse(core, c);
	return true;
}

void
core_turn(struct bh_core *core, struct core_ctl *c, int32_t ticks, uint64_t stamp_ns)
{
	if (!ticks || core_main(c) == NONE)
		return;
	core_overlay(core, c);
	const struct core_kind *k = &core_kinds[core_binding(core, core_main(c))->kind];
	if (k->on_relative)
		k->on_relative(core, c, core_main(c), ticks, stamp_ns);
}

/* ------------------------------------------------------------------ events of surfaces */

/* Is this generation one that was not seen? Generations wrap, and 0 means that its producer does not count. */
static bool
core_is_new(uint32_t gen, uint32_t seen)
{
	return !gen || !seen || (int32_t)(gen - seen) > 0;
}

static bool
is_fader(const struct core_ctl *c)
{
	return c->cfg->kind == BH_CTL_FADER || c->cfg->kind == BH_CTL_PEDAL;
}

static bool
is_wheel(const struct core_ctl *c)
{
	return c->cfg->kind == BH_CTL_VPOT || c->cfg->kind == BH_CTL_JOG;
}

static void
core_seen(struct bh_core *core, struct core_ctl *c, uint32_t gen)
{
	if (!gen)
		return;
	core_ctl_rec(core, c)->seen_gen = gen;
	core_dirty(core, c->rec);
}

static void
core_ticks(struct bh_core *core, struct core_ctl *c, uint32_t total, uint64_t stamp_ns)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	int32_t ticks = (int32_t)(total - r->seen_total);
	r->seen_total = total;
	core_dirty(core, c->rec);
	core_turn(core, c, ticks, stamp_ns);
}

static bool
core_position_ok(uint8_t type, const union bh_val *v)
{
	return type == BH_FLOAT && isfinite(v->f);
}

static void
core_fault(struct bh_core *core)
{
	core->tx->faults++;
}

/*
 * A fader's touch sensor may stand in the device's description as a button, too: a BUTTON of the same note. Then a hand on the cap
 * presses it, and what is bound to it is done.
 */
static void
core_touch_button(struct bh_core *core, const struct core_ctl *fader, bool touched, uint64_t stamp_ns)
{
	struct core_ctl *c = fader->touch_button == NONE ? NULL : &core->ctl[fader->touch_button];
	if (!c)
		return;
	core_button(core, c, touched, stamp_ns);
}

/*
 * What a surface's event means by the kind of control it names; anything else is a fault of the surface. Every kind but PRESS
 * is counted by generation, since its cell may have been looked at before.
 */
static void
core_surface_event(struct bh_core *core, uint16_t from, const struct bh_event *ev)
{
	struct core_ctl *c = core_find_ctl(core, from, ev->id);
	if (!c) {
		core_fault(core);
		return;
	}
	if (ev->kind == BH_EV_PRESS) {
		if (c->cfg->kind != BH_CTL_BUTTON) {
			core_fault(core);
			return;
		}
		core_button(core, c, true, ev->stamp_ns);
		return;
	}
	if (!core_is_new(ev->gen, core_ctl_rec(core, c)->seen_gen))
		return;
	union bh_val v = {.f = ev->v.f};
	if (ev->kind == BH_EV_VALUE && is_fader(c) && core_position_ok(ev->type, &v)) {
		core_seen(core, c, ev->gen);
		core_fader_moved(core, c, v.f, ev->stamp_ns);
	} else if (ev->kind == BH_EV_TOUCH && c->cfg->kind == BH_CTL_FADER) {
		bool was = core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED;
		core_seen(core, c, ev->gen);
		core_fader_touched(core, c, ev->v.i != 0);
		if (was != (ev->v.i != 0))
			core_touch_button(core, c, ev->v.i != 0, ev->stamp_ns);
	} else if (ev->kind == BH_EV_RELATIVE && is_wheel(c)) {
		core_seen(core, c, ev->gen);
		core_ticks(core, c, ev->total, ev->stamp_ns);
	} else if (ev->kind == BH_EV_RELEASE && c->cfg->kind == BH_CTL_BUTTON) {
		core_seen(core, c, ev->gen);
		core_button(core, c, false, ev->stamp_ns);
	} else {
		core_fault(core);
	}
}

/* A press that is known by its cell alone was refused and shown by its surface: it does nothing, but its release is to come. */
static void
surface_button_cell(struct bh_core *core, struct core_ctl *c, bool pressed, uint64_t stamp_ns)
{
	if (!pressed)
		core_button(core, c, false, stamp_ns);
	else
		core_ctl_rec(core, c)->flags |= BH_CTRL_PRESSED;
}

/*
 * A surface's cell after an overflow. Events between were lost, so the end state is what counts: who is touched, where it stands,
 * how far it was turned. A fader that stands elsewhere was moved by a hand, even if the touch is over.
 */
static void
core_surface_cell(struct bh_core *core, struct core_ctl *c, const struct bh_cell_body *body)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	core_seen(core, c, body->gen);
	if (is_wheel(c)) {
		core_ticks(core, c, body->total, body->stamp_ns);
	} else if (is_fader(c)) {
		bool touched = body->flags & BH_CELL_TOUCHED;
		bool moved = core_position_ok(body->type, &body->v) &&
			     (!(r->flags & BH_CTRL_POSITION) || r->position != body->v.f);
		if (!(r->flags & BH_CTRL_TOUCHED) && (touched || (moved && c->cfg->kind == BH_CTL_FADER)))
			core_fader_touched(core, c, true);
		if (moved)
			core_fader_moved(core, c, body->v.f, body->stamp_ns);
		if (!touched && r->flags & BH_CTRL_TOUCHED)
			core_fader_touched(core, c, false);
	} else if (c->cfg->kind == BH_CTL_BUTTON) {
		surface_button_cell(core, c, body->flags & BH_CELL_PRESSED, body->stamp_ns);
	}
}

bool
bh_core_cell_news(const struct bh_core *cc, uint16_t from, uint32_t id, const struct bh_cell_body *body)
{
	struct bh_core *core = (struct bh_core *)cc; /* looks only */
	const struct core_ctl *c = core_find_ctl(core, from, id);
	const struct core_param *p = core_find_param(core, from, id);
	if (c) {
		const struct bh_rec_control *r = core_ctl_rec(core, c);
		return body->gen != r->seen_gen || (is_wheel(c) && body->total != r->seen_total);
	}
	return p && (body->kind == BH_EV_METER || body->gen != core_param_rec(core, p)->seen_gen);
}

void
bh_core_cell(struct bh_core *core, uint16_t from, uint32_t id, const struct bh_cell_body *body)
{
	struct core_ctl *c = core_find_ctl(core, from, id);
	struct core_param *p = core_find_param(core, from, id);
	if (!bh_core_cell_news(core, from, id, body))
		return;
	if (c)
		core_surface_cell(core, c, body);
	else if (p && body->kind == BH_EV_METER)
		core_meter(core, p, &body->v, body->stamp_ns);
	else if (p)
		core_report(core, p, body->gen, body->type, &body->v);
}

void
bh_core_cells_seen(struct bh_core *core, uint16_t from, uint64_t overflow)
{
	struct bh_rec_peer *r = core_peer_rec(core, from);
	if (r->overflow == overflow)
		return;
	r->overflow = overflow;
	core_dirty(core, BH_REC_PEER(from));
}

/* ------------------------------------------------------------------ events of drivers */

/* The whole value of an event; a text may stand in its payload. False: none. */
static bool
core_event_value(const struct bh_event *ev, const void *payload, size_t len, union bh_val *v)
{
	memset(v, 0, sizeof(*v));
	if (ev->type != BH_TEXT) {
		v->u[0] = ev->v.u[0];
		return ev->type != BH_FLOAT || isfinite(v->f);
	}
	const char *text = ev->cont ? payload : ev->v.s;
	size_t n = ev->cont ? len : ev->len;
	if (n > BH_TEXT_MAX || (!ev->cont && n > BH_INLINE_MAX))
		return false;
	memcpy(v->s, text, n);
	return true;
}

static void
core_dropped(struct bh_core *core, uint16_t from, const struct bh_event *ev)
{
	/* Of a value: whoever wanted it last. */
	struct core_param *p = ev->v.u[1] ? core_find_param(core, from, ev->id) : NULL;
	uint32_t origin = p ? core_param_rec(core, p)->origin : ev->total;
	struct core_ctl *c = core_find_ctl(core, (uint16_t)(origin >> 16), origin & 0xffff);
	core_count_dropped(core, from);
	if (c)
		core_refuse(core, c);
}

static void
core_driver_event(struct bh_core *core, uint16_t from, const struct bh_event *ev, const void *payload, size_t len)
{
	struct core_param *p = core_find_param(core, from, ev->id);
	union bh_val v;
	if (ev->kind == BH_EV_DROPPED) {
		core_dropped(core, from, ev);
	} else if ((ev->kind != BH_EV_VALUE && ev->kind != BH_EV_METER) || !core_event_value(ev, payload, len, &v)) {
		core_fault(core);
	} else if (!p) {
		/* Not in the directory yet: its cell is read when it appears. */
		core->steps++;
	} else if (ev->kind == BH_EV_METER) {
		core_meter(core, p, &v, ev->stamp_ns);
	} else if (core_is_new(ev->gen, core_param_rec(core, p)->seen_gen)) {
		core_report(core, p, ev->gen, ev->type, &v);
	}
}

uint64_t
core_grace_end(struct bh_core *core, uint16_t slot)
{
	return core_peer_rec(core, slot)->health_ns + core->opt.echo_ms * 1000000ull;
}

void
core_peer_arm(struct bh_core *core, uint16_t slot)
{
	uint64_t end = core_grace_end(core, slot);
	core_due(core, BH_REC_PEER(slot), core_is_up(core, slot) && end > core->now ? end : 0);
}

/* A surface that will not be back by itself holds nothing down. One that is being restarted does: the finger is still there. */
static void
core_surface_health(struct bh_core *core, uint16_t slot, enum bh_health health)
{
	const struct core_peer *peer = &core->peer[slot];
	if (health != BH_HEALTH_FAILED && health != BH_HEALTH_HELD && health != BH_HEALTH_STOPPED && health != BH_HEALTH_BAD_CONFIG)
		return;
	for (uint32_t k = 0; k < peer->count; k++)
		if (core_ctl_rec(core, &core->ctl[peer->first + k])->flags & BH_CTRL_PRESSED)
			core_button_lost(core, &core->ctl[peer->first + k]);
}

static void
core_health(struct bh_core *core, uint16_t slot, uint32_t health)
{
	struct bh_rec_peer *r = core_peer_rec(core, slot);
	bool up = health == BH_HEALTH_OK || health == BH_HEALTH_DEGRADED;
	bool was = r->flags & BH_PEER_UP;
	if (r->tag == BH_REC_TAG_PEER && r->health == health)
		return;
	if (up != was || r->tag != BH_REC_TAG_PEER)
		r->health_ns = core->now;
	r->tag = BH_REC_TAG_PEER;
	r->slot = slot;
	r->health = (uint8_t)health;
	r->flags = (uint16_t)(up ? r->flags | BH_PEER_UP : r->flags & ~BH_PEER_UP);
	core_dirty(core, BH_REC_PEER(slot));
	if (core->peer[slot].role == BH_ROLE_SURFACE)
		core_surface_health(core, slot, (enum bh_health)health);
	if (core->peer[slot].role != BH_ROLE_DRIVER)
		return;
	core_queue_driver(core, slot);
	core_peer_arm(core, slot);
	for (uint32_t k = 0; up && !was && k < core->peer[slot].count; k++)
		core_param_arm(core, &core->param[core->peer[slot].first + k]);
}

void
bh_core_event(struct bh_core *core, uint16_t from, const struct bh_event *ev, const void *payload, size_t len)
{
	if (ev->kind == BH_EV_HEALTH) {
		/* A process speaks for itself, the supervisor for anyone; the supervisor's word is the one that counts. */
		if (from == BH_SLOT_SUPERVISOR && ev->id < BH_MAX_SLOTS && ev->v.u[0] < BH_HEALTH_COUNT)
			core_health(core, (uint16_t)ev->id, (uint32_t)ev->v.u[0]);
		return;
	}
	if (ev->kind == BH_EV_REQUEST && (from == BH_SLOT_CONTROL || from == BH_SLOT_STORE)) {
		core_request(core, from, ev, payload, len);
		return;
	}
	switch (from < BH_MAX_SLOTS ? core->peer[from].role : BH_ROLE_NONE) {
	case BH_ROLE_SURFACE: core_surface_event(core, from, ev); break;
	case BH_ROLE_DRIVER: core_driver_event(core, from, ev, payload, len); break;
	default: core_fault(core); break;
	}
}

/* ------------------------------------------------------------------ configuration, peers with new memory */

int
bh_core_config(struct bh_core *core, const struct bh_config *config, const struct bh_core_options *opt, char *why,
	       size_t cap)
{
	int r = core_plan(core, config, why, cap);
	if (r == 0) {
		core->opt = *opt;
		core->unsettled = true;
		for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
			if (core->peer[s].role == BH_ROLE_DRIVER)
				core_peer_arm(core, s);
	}
	return r;
}

void
bh_core_unsettle(struct bh_core *core)
{
	core->unsettled = true;
}

void
bh_core_settled(struct bh_core *core)
{
	core->unsettled = false;
}

static bool
newer(uint32_t gen, uint32_t than)
{
	return gen && (int32_t)(gen - than) > 0;
}

void
bh_core_verify(struct bh_core *core, uint16_t slot, bh_core_cell_gen cell_gen, void *data)
{
	const struct core_peer *peer = &core->peer[slot];
	for (uint32_t k = 0; peer->role == BH_ROLE_SURFACE && k < peer->count; k++) {
		struct core_ctl *c = &core->ctl[peer->first + k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		uint32_t there = cell_gen ? cell_gen(data, slot, k) : 0;
		bool meter = c->cfg->kind == BH_CTL_METER; /* its cell goes on without us */
		if (meter) {
			c->meter_live = there != r->told_gen;
			c->meter_gen = there;
		}
		bool differs = meter ? !there : there != r->told_gen;
		if (newer(there, r->told_gen))
			r->told_gen = there; /* the record was lost: the cell takes nothing older than what is in it */
		if (differs)
			r->flags &= (uint16_t)~BH_CTRL_TOLD; /* is told again, and written down with that */
		core_queue_ctl(core, peer->first + k);
	}
	for (uint32_t k = 0; peer->role == BH_ROLE_DRIVER && k < peer->count; k++) {
		struct core_param *p = &core->param[peer->first + k];
		struct bh_rec_param *r = core_param_rec(core, p);
		uint32_t there = cell_gen ? cell_gen(data, slot, k) : 0;
		bool lost = (!r->tag || r->tag == BH_REC_TAG_PARAM) && newer(there, r->wanted_gen);
		if (lost)
			r->wanted_gen = there;
		if (p->present && p->access & BH_ACCESS_METER && (!cell_gen || lost || there != r->wanted_gen))
			core_watch_again(core, p);
		else if (!lost && p->present && (!cell_gen || there != r->wanted_gen))
			core_queue_tell(core, peer->first + k);
	}
}

void
bh_core_inbox(struct bh_core *core, uint16_t slot, uint32_t epoch)
{
	struct core_peer *peer = &core->peer[slot];
	if (peer->role != BH_ROLE_SURFACE && peer->role != BH_ROLE_DRIVER)
		return;
	if (core_peer_rec(core, slot)->in_epoch == epoch || (peer->reset && peer->reset_epoch == epoch))
		return;
	core->resets += !peer->reset;
	peer->reset = true;
	peer->reset_at = 0;
	peer->reset_epoch = epoch;
}
