/*
 * param.c - what parameters are worth: wanted here, reported there
 *
 *   wanted   pending   report equal to it      confirmed, no longer pending
 *            pending, and wanted anew before that came: equal to it
 *                                              adrift for echo_ms: it may be the echo of an older value, and others follow
 *            pending   another                 adrift: may be an older echo; shown is still what is wanted
 *            adrift    another                 it goes on answering: echo_ms begins anew
 *            adrift    echo_ms without a word, or ECHO_MOST times that since it was wanted:
 *                                              the backend insists: reported counts
 *   not pending        any                     the backend was last: reported counts
 *   reported           somebody wants another  wanted and pending
 *
 * "Equal" is what a motor fader would show at the same place. While a driver is down nothing expires: what is wanted waits
 * for it, and the window begins anew when it is back.
 */
#include "procs/router/core_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A backend that answers with half a second's delay each way still sends echoes a second later. */
#define ECHO_MOST 6u

/* What is left of the flags when a report counts. */
#define CONFIRMED ((uint16_t)~(BH_PAR_PENDING | BH_PAR_ADRIFT | BH_PAR_STALE | BH_PAR_OVERTAKEN))

enum bh_type
core_newest(struct bh_core *core, const struct core_param *p, union bh_val *v, bool *stale)
{
	return bh_param_newest(core_param_rec(core, p), v, stale);
}

void
core_queue_tell(struct bh_core *core, uint32_t param)
{
	if (core->param[param].queued)
		return;
	core->param[param].queued = true;
	core->tell[(core->tell_head + core->tell_len++) % core->params] = param;
}

void
core_queue_target(struct bh_core *core, uint32_t target)
{
	if (target == NONE)
		return;
	bool of_condition;
	for (uint32_t n = core->target[target].first; n != NONE; n = core->link[n]) {
		uint32_t k = core->binding_ctl[core_link_binding(n, &of_condition)];
		const struct core_ctl *c = &core->ctl[k];
		core->steps++;
		core_queue_ctl(core, k);
		if (c->strip != NONE && core_overlay_shows(core, &core->ctl[c->strip], c))
			core_queue_ctl(core, c->strip);
	}
}

void
core_queue_param(struct bh_core *core, const struct core_param *p)
{
	for (uint32_t t = p->target; t != NONE; t = core->target[t].same)
		core_queue_target(core, t);
}

static double
number(uint8_t type, const union bh_num *n)
{
	return type == BH_FLOAT ? n->f : (double)n->i;
}

static bool
param_equal(const struct core_param *p, const union bh_num *a, const union bh_num *b)
{
	if (p->type != BH_FLOAT)
		return a->i == b->i;
	if (a->f == b->f)
		return true;
	return p->range.max > p->range.min && bh_taper_same(bh_taper_position(&p->range, number(p->type, a)),
							   bh_taper_position(&p->range, number(p->type, b)));
}

/* ------------------------------------------------------------------ wanted */

void
core_param_out(struct bh_core *core, struct core_param *p, uint64_t stamp_ns)
{
	const struct bh_rec_param *r = core_param_rec(core, p);
	struct bh_event ev = {
		.kind = BH_EV_VALUE, .type = p->type, .id = p->index, .gen = r->wanted_gen, .stamp_ns = stamp_ns};
	union bh_val v = {.u = {0}};
	if (p->type == BH_TEXT)
		memcpy(v.s, r->text, sizeof(v.s));
	else
		v.u[0] = r->wanted.u;
	core_out_value(core, p->slot, &ev, &v);
}

static void
param_want(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin, uint64_t stamp_ns)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	r->wanted_gen += r->wanted_gen + 1 ? 1 : 2; /* never 0 */
	r->wanted_ns = core->now;
	r->origin = origin;
	if (r->flags & BH_PAR_PENDING && p->type != BH_TEXT && r->wanted.u != v->u[0])
		r->flags |= BH_PAR_OVERTAKEN;
	r->flags |= BH_PAR_WANTED | BH_PAR_PENDING;
	r->flags &= (uint16_t)~(BH_PAR_ADRIFT | BH_PAR_REFUSED | BH_PAR_STALE);
	if (p->type == BH_TEXT) {
		memcpy(r->text, v->s, sizeof(r->text));
		r->flags |= BH_PAR_TEXT_WANTED;
	} else {
		r->wanted.u = v->u[0];
		r->echo_ns = core->now + core->opt.echo_ms * 1000000ull;
	}
	core_dirty(core, p->rec);
	core_due(core, p->rec, 0);
	core_param_out(core, p, stamp_ns);
}

bool
core_want(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin, uint64_t stamp_ns)
{
	union bh_val now;
	bool stale;
	if (!(p->access & BH_ACCESS_WRITE) || (p->type == BH_FLOAT && !isfinite(v->f)))
		return false;
	if (p->slot == BH_SLOT_ROUTER)
		return core_room_want(core, p, v, origin);
	enum bh_type type = core_newest(core, p, &now, &stale);
	bool same = type == BH_TEXT ? strcmp(now.s, v->s) == 0 : now.u[0] == v->u[0];
	const struct bh_rec_param *r = core_param_rec(core, p);
	bool adrift = r->flags & BH_PAR_ADRIFT && !param_equal(p, &r->reported, &r->wanted);
	if (type != BH_NONE && same && !stale && !adrift && p->type != BH_TRIGGER)
		return true;
	param_want(core, p, v, origin, stamp_ns);
	core_queue_param(core, p);
	core_param_changed(core, p);
	return true;
}

/*
 * The driver's cells are fresh, or may be. What it has not confirmed it is told again; what it cannot remember, too; but nothing
 * that the backend has meanwhile decided otherwise.
 */
void
core_tell_param(struct bh_core *core, struct core_param *p)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	union bh_val v;
	if (p->present && p->access & BH_ACCESS_METER)
		core_tell_watch(core, p);
	if (!p->present || !(p->access & BH_ACCESS_WRITE))
		return;
	if (r->flags & BH_PAR_PENDING) {
		core_param_out(core, p, core->now);
		return;
	}
	if (!(p->access & BH_ACCESS_RESTORE) || core_newest(core, p, &v, NULL) == BH_NONE)
		return;
	bool stale = r->flags & BH_PAR_STALE;
	param_want(core, p, &v, r->origin, core->now);
	r->flags |= stale ? BH_PAR_STALE : 0;
}

/* ------------------------------------------------------------------ reported */

/* The moment from which a differing report is no echo. 0: the driver is down, and nothing expires. */
static uint64_t
param_echo_end(struct bh_core *core, const struct core_param *p)
{
	if (!core_is_up(core, p->slot))
		return 0;
	uint64_t back = core_grace_end(core, p->slot);
	uint64_t end = core_param_rec(core, p)->echo_ns;
	return back > end ? back : end;
}

void
core_param_arm(struct bh_core *core, struct core_param *p)
{
	const struct bh_rec_param *r = core_param_rec(core, p);
	bool waits = p->present && p->type != BH_TEXT && r->flags & BH_PAR_ADRIFT;
	core->steps++;
	if (p->access & BH_ACCESS_METER) {
		core_due(core, p->rec, p->present ? r->echo_ns : 0);
		return;
	}
	core_due(core, p->rec, waits ? param_echo_end(core, p) : 0);
}

void
core_param_timer(struct bh_core *core, struct core_param *p)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	if (p->present && p->access & BH_ACCESS_METER)
		core_watch_timer(core, p);
	if (!(r->flags & BH_PAR_ADRIFT) || !p->present)
		return;
	uint64_t end = param_echo_end(core, p);
	if (!end || end > core->now) {
		core_due(core, p->rec, end);
		return;
	}
	r->flags &= CONFIRMED;
	core_dirty(core, p->rec);
	core_queue_param(core, p);
	core_param_changed(core, p);
}

/* From here on a differing report is the backend's last word, whatever was wanted. 0: the driver is down. */
static uint64_t
param_echo_most(struct bh_core *core, const struct core_param *p)
{
	uint64_t window = core->opt.echo_ms * 1000000ull, back = core_grace_end(core, p->slot);
	uint64_t end = core_param_rec(core, p)->wanted_ns + ECHO_MOST * window;
	return !core_is_up(core, p->slot) ? 0 : back > end ? back : end;
}

static void
report_number(struct bh_core *core, struct core_param *p, const union bh_val *v)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	uint64_t most = param_echo_most(core, p), again = core->now + core->opt.echo_ms * 1000000ull;
	r->reported.u = v->u[0];
	if (!(r->flags & BH_PAR_PENDING)) {
		r->flags &= (uint16_t)~BH_PAR_STALE;
	} else if (param_equal(p, &r->reported, &r->wanted) && !(r->flags & BH_PAR_OVERTAKEN)) {
		r->flags &= CONFIRMED;
	} else if (most && core->now >= most) {
		r->flags &= CONFIRMED;
	} else {
		r->flags |= BH_PAR_ADRIFT;
		r->echo_ns = most && most < again ? most : again;
	}
}

void
core_report(struct bh_core *core, struct core_param *p, uint32_t gen, uint8_t type, const union bh_val *v)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	union bh_val was, is;
	bool was_stale, is_stale;
	if (type != p->type || (type == BH_FLOAT && !isfinite(v->f))) {
		core->tx->faults++;
		return;
	}
	enum bh_type had = core_newest(core, p, &was, &was_stale);
	if (type == BH_TEXT) {
		memcpy(r->text, v->s, sizeof(r->text));
		r->text[BH_TEXT_MAX] = '\0';
		r->flags &= (uint16_t)~(BH_PAR_TEXT_WANTED | BH_PAR_PENDING | BH_PAR_STALE);
	} else {
		report_number(core, p, v);
	}
	r->flags |= BH_PAR_KNOWN;
	r->seen_gen = gen;
	r->reported_ns = core->now;
	core_dirty(core, p->rec);
	core_param_arm(core, p);
	core_newest(core, p, &is, &is_stale);
	if (had == BH_NONE || was_stale != is_stale || memcmp(&was, &is, sizeof(is))) {
		core_queue_param(core, p);
		core_param_changed(core, p);
	}
}

/* ------------------------------------------------------------------ the directory */

struct core_param *
core_param_by_name(struct bh_core *core, uint16_t slot, const char *name)
{
	uint32_t hash = bh_name_hash(name);
	if (!core->params)
		return NULL;
	for (uint32_t k = core->bucket_param[hash & core->bucket_mask_param]; k != NONE; k = core->param[k].next) {
		struct core_param *p = &core->param[k];
		core->steps++;
		if (p->hash == hash && p->slot == slot && strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static void
param_unlink(struct bh_core *core, struct core_param *p)
{
	uint32_t *at = &core->bucket_param[p->hash & core->bucket_mask_param];
	while (*at != NONE && &core->param[*at] != p)
		at = &core->param[*at].next;
	if (*at != NONE)
		*at = p->next;
}

/* It is no longer there: what was bound to it says so. */
static void
param_forget(struct bh_core *core, struct core_param *p)
{
	if (!p->present)
		return;
	param_unlink(core, p);
	p->present = false;
	core_due(core, p->rec, 0);
	core_queue_param(core, p);
	for (uint32_t t = p->target, next; t != NONE; t = next) {
		next = core->target[t].same;
		core->target[t].param = core->target[t].same = NONE;
	}
	p->target = NONE;
}

void
bh_core_directory_reset(struct bh_core *core, uint16_t slot)
{
	if (slot >= BH_MAX_SLOTS || core->peer[slot].role != BH_ROLE_DRIVER)
		return;
	for (uint32_t k = 0; k < core->peer[slot].count; k++) {
		struct core_param *p = &core->param[core->peer[slot].first + k];
		bool was = p->present;
		param_forget(core, p);
		if (was)
			core_bank_gone(core, p);
	}
	core->peer[slot].strings_len = 0;
}

static void
param_copy_choices(struct core_peer *peer, struct core_param *p, uint16_t choices, const char *names, size_t len)
{
	p->choices = choices;
	p->choices_len = 0;
	if (!names || !len || len > peer->strings_cap - peer->strings_len || names[len - 1])
		return; /* shown as numbers */
	p->choices_off = peer->strings_len;
	p->choices_len = (uint32_t)len;
	memcpy(peer->strings + peer->strings_len, names, len);
	peer->strings_len += (uint32_t)len;
}

/* Is the record in the state about this very parameter? If not, begin it anew; a renamed one brings its value along. */
static void
param_claim_record(struct bh_core *core, struct core_param *p, uint32_t was)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	if (r->tag == BH_REC_TAG_PARAM && r->slot == p->slot && r->index == p->index && r->name_hash == p->hash &&
	    r->type == p->type) {
		if (r->dir_gen == p->dir_gen && !(r->flags & BH_PAR_GONE))
			return;
	} else {
		const struct core_peer *peer = &core->peer[p->slot];
		struct bh_rec_param *old = was < peer->count ? (struct bh_rec_param *)core->rec[peer->base + was] : NULL;
		uint32_t wanted_gen = !r->tag || r->tag == BH_REC_TAG_PARAM ? r->wanted_gen : 0;
		struct bh_rec_param fresh = {.tag = BH_REC_TAG_PARAM};
		if (old && old->tag == BH_REC_TAG_PARAM && old->slot == p->slot && old->type == p->type)
			fresh = *old;
		*r = fresh;
		r->seen_gen = 0;
		r->wanted_gen = wanted_gen; /* goes on, so that its cell takes the next value */
		r->type = p->type;
		r->slot = p->slot;
		r->index = p->index;
		r->name_hash = p->hash;
	}
	r->flags &= (uint16_t)~BH_PAR_GONE;
	r->dir_gen = p->dir_gen;
	core_dirty(core, p->rec);
}

static bool
record_is_sound(const struct core_peer *peer, const struct bh_dir_record *d)
{
	bool number = d->type == BH_FLOAT || d->type == BH_INT;
	if (d->index >= peer->count || !memchr(d->name, '\0', sizeof(d->name)) || !d->name[0])
		return false;
	if (d->type == BH_NONE || d->type > BH_TRIGGER || d->taper >= BH_TAPER_COUNT)
		return false;
	return !number || (isfinite(d->min) && isfinite(d->max) && isfinite(d->step) && isfinite(d->def));
}

int
bh_core_directory(struct bh_core *core, uint16_t slot, const struct bh_dir_record *rec, const char *choices, size_t len)
{
	struct core_peer *peer = slot < BH_MAX_SLOTS ? &core->peer[slot] : NULL;
	if (!peer || peer->role != BH_ROLE_DRIVER)
		return -ENOENT;
	if (!record_is_sound(peer, rec)) {
		core->tx->faults++;
		return -EPROTO;
	}
	struct core_param *p = &core->param[peer->first + rec->index];
	bool gone = rec->flags & BH_DIR_TOMBSTONE || strcmp(p->name, rec->name) != 0;
	char was[sizeof(p->name)] = "";
	if (rec->was < peer->count)
		memcpy(was, core->param[peer->first + rec->was].name, sizeof(was));
	gone = gone && p->present;
	param_forget(core, p);
	if (gone)
		core_bank_gone(core, p);
	if (rec->flags & BH_DIR_TOMBSTONE) {
		struct bh_rec_param *r = core_param_rec(core, p);
		if (r->tag == BH_REC_TAG_PARAM && !(r->flags & BH_PAR_GONE)) {
			r->flags |= BH_PAR_GONE;
			core_dirty(core, p->rec);
		}
		return 0;
	}
	memcpy(p->name, rec->name, sizeof(p->name));
	memcpy(p->unit, rec->unit, sizeof(p->unit));
	memcpy(p->label, rec->label, sizeof(p->label));
	p->unit[sizeof(p->unit) - 1] = p->label[sizeof(p->label) - 1] = '\0';
	p->hash = bh_name_hash(p->name);
	p->dir_gen = rec->gen;
	p->type = rec->type;
	p->access = rec->access;
	p->def = rec->def;
	p->range = (struct bh_taper_range){(enum bh_taper)rec->taper, rec->min, rec->max, rec->step};
	param_copy_choices(peer, p, rec->choices, choices, len);
	p->present = true;
	p->next = core->bucket_param[p->hash & core->bucket_mask_param];
	core->bucket_param[p->hash & core->bucket_mask_param] = (uint32_t)(p - core->param);
	param_claim_record(core, p, rec->was);
	core_set_target(core, p);
	core_bank_offer(core, p, was);
	core_param_arm(core, p);
	core_queue_watch(core, (uint32_t)(p - core->param));
	if (core->holding)
		core_buttons_param(core, p);
	return 0;
}
