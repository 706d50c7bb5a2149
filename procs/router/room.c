/*
 * room.c - the router's own parameters: pages, quiet mode, layers, banks, variables, the memory of edges
 *
 * To everybody they are parameters like those of a driver that is always up, called "room": bound, shown, asked for, kept by the
 * store. Who wants a value of one has it in the same transaction, with all that follows from it; nothing is sent to anyone.
 *
 *   page      the surfaces of its group turn
 *   layer     what has an entry on it shows that
 *   bank      its strips show other items
 *   quiet     struct bh_core.quiet
 *   variable  nothing but who shows it, asks for it, or reacts to it
 *   edge      read only: a reaction's memory
 *
 * The configuration says what there is. A value goes on over a new one by its parameter's name, that of an ENUM by the
 * name of its choice. A run (steps.c) has a record among them, but is no parameter.
 */
#include <errno.h>
#include <string.h>

#include "procs/router/core_int.h"

static const struct core_peer *
room_peer(const struct bh_core *core)
{
	return &core->peer[BH_SLOT_ROUTER];
}

uint32_t
core_room_rec(const struct bh_core *core, uint32_t row)
{
	return row < room_peer(core)->count ? room_peer(core)->base + row : NONE;
}

struct core_param *
core_room_param(struct bh_core *core, uint32_t row)
{
	return core_find_param(core, BH_SLOT_ROUTER, row);
}

void
core_queue_room(struct bh_core *core, uint32_t row)
{
	struct core_param *p = core_room_param(core, row);
	if (p)
		core_queue_param(core, p);
}

bool
core_room_restores(const struct bh_core *core, const struct core_param *p)
{
	/* A key that nobody holds must not be down, and the past is no edge. */
	uint8_t kind = core_room_row(core, p->index)->kind;
	return kind != BH_ROOM_LAYER && kind != BH_ROOM_EDGE && kind != BH_ROOM_RUN;
}

/* ------------------------------------------------------------------ values */

/* Name of choice n, or NULL. */
static const char *
choice_name(const struct bh_core *core, const struct bh_cfg_room *row, int64_t n)
{
	const char *s = core_str(core, row->choices), *end = s + row->choices_len;
	for (; row->choices_len && n > 0 && s < end; n--)
		s += strlen(s) + 1;
	return row->choices_len && n == 0 && s < end ? s : NULL;
}

static int64_t
choice_by_hash(const struct bh_core *core, const struct bh_cfg_room *row, uint64_t hash)
{
	const char *s = core_str(core, row->choices), *end = s + row->choices_len;
	for (int64_t n = 0; row->choices_len && s < end; n++, s += strlen(s) + 1)
		if (bh_name_hash(s) == hash)
			return n;
	return -1;
}

static void
write_value(const struct bh_core *core, const struct core_param *p, struct bh_rec_param *r, const union bh_val *v)
{
	const struct bh_cfg_room *row = core_room_row(core, p->index);
	if (p->type == BH_TEXT) {
		memcpy(r->text, v->s, sizeof(r->text));
		r->text[BH_TEXT_MAX] = '\0';
		return;
	}
	r->reported.u = r->wanted.u = v->u[0];
	if (p->type == BH_ENUM) {
		const char *name = choice_name(core, row, v->i);
		r->choice = name ? bh_name_hash(name) : 0;
	}
}

void
core_room_put(struct bh_core *core, struct core_param *p, const union bh_val *v, uint32_t origin)
{
	struct bh_rec_param *r = core_param_rec(core, p);
	union bh_val was, is;
	enum bh_type had = core_newest(core, p, &was, NULL);
	write_value(core, p, r, v);
	r->flags |= BH_PAR_KNOWN | BH_PAR_WANTED;
	r->wanted_ns = r->reported_ns = core->now;
	r->origin = origin;
	core_dirty(core, p->rec);
	core_newest(core, p, &is, NULL);
	if (had != BH_NONE && memcmp(&was, &is, sizeof(is)) == 0)
		return;
	core_queue_param(core, p);
	core_param_changed(core, p);
}

void
core_room_set(struct bh_core *core, uint32_t row, bool on)
{
	struct core_param *p = core_room_param(core, row);
	if (p)
		core_room_put(core, p, &(union bh_val){.i = on}, (uint32_t)BH_SLOT_ROUTER << 16);
}

/* The value in question as this parameter can have it. False: it cannot. */
static bool
fit_value(const struct core_param *p, union bh_val *v)
{
	switch ((enum bh_type)p->type) {
	case BH_BOOL: v->i = v->i != 0; return true;
	case BH_ENUM: return v->i >= 0 && v->i < p->choices;
	case BH_INT:
		v->i = v->i > (int64_t)p->range.min ? v->i < (int64_t)p->range.max ? v->i : (int64_t)p->range.max
						    : (int64_t)p->range.min;
		return true;
	case BH_TEXT: return true;
	case BH_NONE:
	case BH_FLOAT:
	case BH_TRIGGER: break;
	}
	return false;
}

static void
turn_group(struct bh_core *core, uint32_t row, uint32_t page)
{
	for (uint32_t g = 0; g < core->groups; g++)
		if (core->group[g].row == row)
			core_turn_page(core, g, page);
}

static void
set_quiet(struct bh_core *core, bool quiet)
{
	core->quiet = quiet;
	for (uint32_t k = 0; k < core->ctls; k++)
		core_queue_ctl(core, k);
}

bool
core_room_want(struct bh_core *core, struct core_param *p, const union bh_val *wanted, uint32_t origin)
{
	const struct bh_cfg_room *row = core_room_row(core, p->index);
	union bh_val v = *wanted, was;
	if (!fit_value(p, &v))
		return false;
	bool same = core_newest(core, p, &was, NULL) != BH_NONE && p->type != BH_TEXT && was.i == v.i;
	if (row->kind == BH_ROOM_PAGE) {
		turn_group(core, p->index, (uint32_t)v.i);
		return true;
	}
	core_room_put(core, p, &v, origin);
	switch ((enum bh_room_kind)row->kind) {
	case BH_ROOM_QUIET:
		if (!same)
			set_quiet(core, v.i);
		break;
	case BH_ROOM_LAYER:
		core->fine = strcmp(p->name, "layer/fine") == 0 ? v.i : core->fine;
		if (!same)
			core_layer_changed(core, p->index);
		break;
	case BH_ROOM_BANK:
		if (!same)
			core_bank_moved(core, row->ref);
		break;
	case BH_ROOM_PAGE:
	case BH_ROOM_VAR:
	case BH_ROOM_EDGE:
	case BH_ROOM_RUN:
	case BH_ROOM_KIND_COUNT: break;
	}
	return true;
}

/* ------------------------------------------------------------------ plan */

uint32_t
core_room_strings(const struct bh_core *core)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < bh_config_count(core->config, BH_TAB_ROOM); k++)
		n += core_room_row(core, k)->choices_len;
	return n;
}

static void
plan_param(struct bh_core *core, struct core_param *p, const struct bh_cfg_room *row)
{
	struct core_peer *peer = &core->peer[BH_SLOT_ROUTER];
	const char *name = core_str(core, row->name);
	memcpy(p->name, name, strlen(name) + 1); /* at most BH_NAME_MAX: compiled.c */
	p->hash = bh_name_hash(name);
	p->type = row->type;
	p->access = row->kind == BH_ROOM_EDGE ? BH_ACCESS_READ : BH_ACCESS_READ | BH_ACCESS_WRITE;
	p->dir_gen = 1;
	p->range = (struct bh_taper_range){.taper = BH_TAPER_STEPS, .max = row->type == BH_INT ? BH_MAX_PARAMS : 1, .step = 1};
	p->present = true;
	if (row->type == BH_ENUM) {
		p->choices = (uint16_t)(row->count < UINT16_MAX ? row->count : UINT16_MAX);
		p->range.max = p->choices ? p->choices - 1.0 : 0;
		p->choices_off = peer->strings_len;
		p->choices_len = row->choices_len;
		memcpy(peer->strings + peer->strings_len, core_str(core, row->choices), row->choices_len);
		peer->strings_len += row->choices_len;
	}
	p->next = core->bucket_param[p->hash & core->bucket_mask_param];
	core->bucket_param[p->hash & core->bucket_mask_param] = (uint32_t)(p - core->param);
	core_set_target(core, p);
}

void
core_room_plan(struct bh_core *core)
{
	const struct core_peer *peer = room_peer(core);
	for (uint32_t k = 0; k < peer->count; k++) {
		const struct bh_cfg_room *row = core_room_row(core, k);
		if (row->kind != BH_ROOM_RUN && row->type != BH_NONE && row->type <= BH_TEXT)
			plan_param(core, &core->param[peer->first + k], row);
	}
}

/* What it is when nobody has said anything yet. */
static void
write_default(const struct bh_core *core, const struct core_param *p, struct bh_rec_param *r)
{
	const struct bh_cfg_room *row = core_room_row(core, p->index);
	union bh_val v;
	if (row->kind == BH_ROOM_EDGE)
		return;
	if (!core_operand(core, p, &row->def, &v) || !fit_value(p, &v))
		memset(&v, 0, sizeof(v));
	write_value(core, p, r, &v);
	r->flags |= BH_PAR_KNOWN;
}

/* The record of this parameter among those there were, or NULL. */
static const struct bh_rec_param *
find_record(const struct core_param *p, const uint8_t (*was)[BH_RECORD_BYTES], uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		/* Where it was is where it mostly is. */
		const struct bh_rec_param *r = (const struct bh_rec_param *)was[(k + p->index) % count];
		if (r->tag == BH_REC_TAG_PARAM && r->slot == BH_SLOT_ROUTER && r->name_hash == p->hash && r->type == p->type)
			return r;
	}
	return NULL;
}

static void
plan_record(struct bh_core *core, struct core_param *p, const uint8_t (*was)[BH_RECORD_BYTES], uint32_t count)
{
	const struct bh_rec_param *old = find_record(p, was, count);
	const struct bh_cfg_room *row = core_room_row(core, p->index);
	struct bh_rec_param r = {.tag = BH_REC_TAG_PARAM, .type = p->type, .slot = BH_SLOT_ROUTER};
	if (old)
		r = *old;
	r.index = p->index;
	r.dir_gen = p->dir_gen;
	r.name_hash = p->hash;
	if (p->type == BH_ENUM && old) {
		int64_t n = choice_by_hash(core, row, r.choice);
		if (n < 0)
			write_default(core, p, &r);
		else
			r.reported.i = r.wanted.i = n;
	} else if (!old) {
		write_default(core, p, &r);
	}
	for (uint32_t g = 0; g < core->groups && row->kind == BH_ROOM_PAGE; g++) {
		if (core->group[g].row != p->index)
			continue;
		if (g)
			core->group[g].page = (uint32_t)r.reported.i;
		else
			write_value(core, p, &r, &(union bh_val){.i = core->group[0].page});
	}
	p->replanned = memcmp(core->rec[p->rec], &r, sizeof(r)) != 0;
	memcpy(core->rec[p->rec], &r, sizeof(r));
}

/* Runs have no names: the first stays the first. */
static uint32_t
next_run(const uint8_t (*was)[BH_RECORD_BYTES], uint32_t count, uint32_t from)
{
	while (from < count && was[from][0] != BH_REC_TAG_RUN)
		from++;
	return from;
}

void
core_room_records(struct bh_core *core, const uint8_t (*was)[BH_RECORD_BYTES], uint32_t count)
{
	const struct core_peer *peer = room_peer(core);
	for (uint32_t k = 0, run = 0; k < peer->count; k++) {
		struct core_param *p = &core->param[peer->first + k];
		uint8_t fresh[BH_RECORD_BYTES] = {BH_REC_TAG_RUN};
		if (p->present) {
			plan_record(core, p, was, count);
			continue;
		}
		run = next_run(was, count, run);
		const uint8_t *r = run < count ? was[run++] : fresh;
		p->replanned = memcmp(core->rec[p->rec], r, BH_RECORD_BYTES) != 0;
		memcpy(core->rec[p->rec], r, BH_RECORD_BYTES);
	}
	core->quiet = core->fine = false;
	for (uint32_t k = 0; k < peer->count; k++) {
		struct core_param *p = core_room_param(core, k);
		bool on = p && p->type == BH_BOOL && core_param_rec(core, p)->reported.i;
		core->quiet |= on && core_room_row(core, k)->kind == BH_ROOM_QUIET;
		core->fine |= on && strcmp(p->name, "layer/fine") == 0;
	}
}

bool
core_room_adopt(struct bh_core *core)
{
	const struct core_peer *peer = room_peer(core);
	for (; core->room_at < peer->count; core->room_at++) {
		struct core_param *p = &core->param[peer->first + core->room_at];
		core->steps++;
		if (!core_has_room(core, 1, 0))
			return false;
		if (core_room_row(core, core->room_at)->kind == BH_ROOM_EDGE)
			core_reaction_look(core, core_room_row(core, core->room_at)->ref);
		if (!p->replanned)
			continue;
		p->replanned = false;
		core_dirty(core, p->rec);
	}
	return true;
}

/* ------------------------------------------------------------------ for others to see */

int
bh_core_room(const struct bh_core *cc, uint32_t n, struct bh_dir_record *rec, const char **choices, size_t *len)
{
	struct bh_core *core = (struct bh_core *)cc; /* looks only */
	if (n >= room_peer(core)->count)
		return -ERANGE;
	const struct core_param *p = core_room_param(core, n);
	if (!p)
		return -ENOENT;
	memset(rec, 0, sizeof(*rec));
	memcpy(rec->name, p->name, sizeof(rec->name));
	rec->index = n;
	rec->gen = p->dir_gen;
	rec->type = p->type;
	rec->taper = (uint8_t)p->range.taper;
	rec->access = p->access;
	rec->was = NONE;
	rec->min = p->range.min;
	rec->max = p->range.max;
	rec->step = p->range.step;
	rec->choices = p->choices;
	*choices = p->choices_len ? room_peer(core)->strings + p->choices_off : NULL;
	*len = p->choices_len;
	return 0;
}
