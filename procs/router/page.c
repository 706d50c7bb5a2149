/*
 * page.c - what is derived from the configuration, and pages
 *
 * Per configuration: controls, parameters, and the names that bindings point at, each once. Per page shown: the active binding
 * of each part of a control (the page's own entry before an inherited one before a global one; a layer that is on before all), and for
 * each name the bindings that show it, so that an event costs
 * the same however many pages and bindings there are.
 *
 * A fader that is held while the page turns goes on with the binding it was grabbed with: an operator on air finishes the fade he
 * is in, and nothing jumps. It answers to the new page once it was let go. The same if a new configuration takes its binding
 * away: then it does nothing until it is let go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/core_int.h"

#define PAGES_DEEP 16u /* of inheritance */

static uint32_t
binding_row_target(const struct bh_core *core, uint32_t b)
{
	const struct bh_cfg_binding *row = core_binding(core, b);
	return row->driver == BH_DRIVER_PAGE ? NONE : core->binding_target[b];
}

static struct core_param *
target_param(struct bh_core *core, uint32_t t)
{
	return t == NONE || core->target[t].param == NONE ? NULL : &core->param[core->target[t].param];
}

struct core_param *
core_binding_param(struct bh_core *core, uint32_t b)
{
	return target_param(core, binding_row_target(core, b));
}

struct core_param *
core_when_param(struct bh_core *core, uint32_t b)
{
	return target_param(core, core->binding_when[b]);
}

void
core_set_target(struct bh_core *core, struct core_param *p)
{
	for (uint32_t t = core->bucket_target[p->hash & core->bucket_mask_target]; t != NONE; t = core->target[t].next) {
		core->steps++;
		if (core->target[t].hash != p->hash || core->target[t].driver != p->slot ||
		    strcmp(core->target[t].name, p->name))
			continue;
		core->target[t].param = (uint32_t)(p - core->param);
		core->target[t].same = p->target;
		p->target = t;
		core_queue_target(core, t);
		return;
	}
}

/* ------------------------------------------------------------------ pages */

int
core_find_page(const struct bh_core *core, const char *name)
{
	uint32_t n = bh_config_count(core->config, BH_TAB_PAGES);
	for (uint32_t k = 0; k < n; k++) {
		const struct bh_cfg_page *page = bh_config_row(core->config, BH_TAB_PAGES, k);
		if (strcmp(core_str(core, page->name), name) == 0)
			return (int)k;
	}
	return -ENOENT;
}

/* ------------------------------------------------------------------ what is active */

static void
link_target(struct bh_core *core, uint32_t link, uint32_t t)
{
	if (t == NONE)
		return;
	core->link[link] = core->target[t].first;
	core->target[t].first = link;
}

static void
unlink_target(struct bh_core *core, uint32_t t)
{
	if (t != NONE)
		core->target[t].first = NONE;
}

static uint32_t
part_length(const struct core_ctl *c, enum bh_part part)
{
	return c->part[part] == NONE ? 0 : part == BH_PART_LIGHT ? c->lights : 1;
}

/* For every active binding of a control: its number in `b_`. */
#define EACH_PART(c, b_)                                                                           \
	for (int part_ = 0; part_ < BH_PART_COUNT; part_++)                                        \
		for (uint32_t b_ = (c)->part[part_], end_ = b_ + part_length(c, (enum bh_part)part_); b_ != end_; b_++)

/* Everything of a control's entry replaces everything of the one below it. */
static void
clear_parts(struct core_ctl *c)
{
	for (int k = 0; k < BH_PART_COUNT; k++)
		c->part[k] = NONE;
	c->lights = 0;
}

/* The rows of one page (or the global ones) that hold without a layer, or with this one. */
static void
activate_range(struct bh_core *core, uint32_t first, uint32_t count, uint32_t layer)
{
	uint32_t last = NONE;
	for (uint32_t b = first; b - first < count && b < core->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(core, b);
		struct core_ctl *c = row->layer == layer ? core_find_ctl(core, row->surface, row->control) : NULL;
		core->steps++;
		if (!c || !row->kind || row->kind >= BH_BIND_KIND_COUNT)
			continue;
		if (core->binding_ctl[b] != last)
			clear_parts(c);
		last = core->binding_ctl[b];
		if (c->part[row->part] == NONE)
			c->part[row->part] = b;
		c->lights += row->part == BH_PART_LIGHT;
	}
}

static void
activate_page(struct bh_core *core, uint32_t page, uint32_t layer, unsigned depth)
{
	const struct bh_cfg_page *row = bh_config_row(core->config, BH_TAB_PAGES, page);
	if (!row || depth > PAGES_DEEP)
		return;
	if (row->inherit)
		activate_page(core, row->inherit - 1, layer, depth + 1);
	activate_range(core, row->first, row->count, layer);
}

static void
activate_layer(struct bh_core *core, uint32_t page, uint32_t layer)
{
	activate_range(core, core->global_first, core->bindings - core->global_first, layer);
	activate_page(core, page, layer, 0);
}

/* Global bindings, then the page's, each over the other; then the same of each layer that is on. */
void
core_activate(struct bh_core *core, uint32_t page)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		EACH_PART (c, b) {
			unlink_target(core, binding_row_target(core, b));
			unlink_target(core, core->binding_when[b]);
		}
		clear_parts(c);
	}
	activate_layer(core, page, 0);
	for (uint32_t k = core->ctls; k-- > 0;) {
		core->steps++;
		EACH_PART (&core->ctl[k], b) {
			link_target(core, 2 * b, binding_row_target(core, b));
			link_target(core, 2 * b + 1, core->binding_when[b]);
		}
	}
}

/* What the hand drives: see the top of this file. */
static void
settle_drives(struct bh_core *core)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		if (r->flags & BH_CTRL_HELD && c->drive == core_main(c)) {
			r->flags &= (uint16_t)~BH_CTRL_HELD;
			core_dirty(core, c->rec);
		}
		if (r->flags & BH_CTRL_DEAF)
			c->drive = NONE;
		else if (!(r->flags & BH_CTRL_HELD))
			c->drive = core_main(c);
	}
}

static void
hold_faders(struct bh_core *core, uint32_t old_page)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		if (c->cfg->kind != BH_CTL_FADER)
			continue;
		if (r->flags & BH_CTRL_TOUCHED) {
			if (r->flags & (BH_CTRL_HELD | BH_CTRL_DEAF))
				continue;
			r->flags |= BH_CTRL_HELD;
			r->grab_page = (uint16_t)old_page;
			core_dirty(core, c->rec);
		} else if (r->hand_ns > core->now) {
			/* Let go of already: the window was for the parameter that it has left. */
			r->hand_ns = 0;
			core_dirty(core, c->rec);
			core_ctl_arm(core, c);
		}
	}
}

static void
write_page(struct bh_core *core, uint32_t page)
{
	struct bh_rec_global *g = core_global(core);
	const struct bh_cfg_page *row = bh_config_row(core->config, BH_TAB_PAGES, page);
	const char *name = row ? core_str(core, row->name) : "";
	g->tag = BH_REC_TAG_GLOBAL;
	g->page = page;
	g->pages = bh_config_count(core->config, BH_TAB_PAGES);
	g->page_hash = bh_name_hash(name);
	memset(g->page_name, 0, sizeof(g->page_name));
	size_t len = strlen(name);
	if (len > BH_TEXT_MAX)
		for (len = BH_TEXT_MAX; len && ((uint8_t)name[len] & 0xc0) == 0x80;)
			len--;
	memcpy(g->page_name, name, len);
	core_dirty(core, BH_REC_GLOBAL);
}

void
core_turn_page(struct bh_core *core, uint32_t page)
{
	struct bh_rec_global *g = core_global(core);
	uint32_t old = g->page;
	if (page >= bh_config_count(core->config, BH_TAB_PAGES))
		return;
	g->page_ns = core->now;
	g->flags &= (uint16_t)~BH_GLOBAL_RESTORED;
	core_dirty(core, BH_REC_GLOBAL);
	if (page == old)
		return;
	g->turns++;
	write_page(core, page);
	hold_faders(core, old);
	core_activate(core, page);
	settle_drives(core);
	for (uint32_t k = 0; k < core->ctls; k++)
		core_queue_ctl(core, k);
}

int
core_page_action(struct bh_core *core, const struct core_ctl *c, uint16_t action, const char *arg)
{
	uint32_t pages = bh_config_count(core->config, BH_TAB_PAGES), page = bh_core_page(core);
	(void)c;
	if (!pages)
		return -ENOENT;
	int to = action == BH_PAGE_NEXT	      ? (int)((page + 1) % pages)
		 : action == BH_PAGE_PREVIOUS ? (int)((page + pages - 1) % pages)
		 : action == BH_PAGE_GO	      ? core_find_page(core, arg)
					      : -EOPNOTSUPP;
	if (to >= 0)
		core_turn_page(core, (uint32_t)to);
	return to < 0 ? to : 0;
}

bool
core_is_page_shown(const struct bh_core *core, uint32_t page)
{
	return bh_core_page(core) == page;
}

/* ------------------------------------------------------------------ the room's own parameters */

uint32_t
core_room_rec(const struct bh_core *core, uint32_t row)
{
	const struct core_peer *peer = &core->peer[BH_SLOT_ROUTER];
	return row < peer->count ? peer->base + row : NONE;
}

void
core_queue_room(struct bh_core *core, uint32_t row)
{
	const struct core_peer *peer = &core->peer[BH_SLOT_ROUTER];
	if (row < peer->count)
		core_queue_param(core, &core->param[peer->first + row]);
}

const char *
core_bank_item(struct bh_core *core, const struct bh_cfg_binding *b)
{
	(void)core, (void)b;
	return NULL;
}

/* ------------------------------------------------------------------ plan */

static uint32_t
bucket_mask(uint32_t items)
{
	uint32_t size = 16;
	while (size < 2 * items)
		size *= 2;
	return size - 1;
}

static void *
filled(uint32_t items)
{
	uint32_t *a = malloc((items ? items : 1) * sizeof(*a));
	if (a)
		memset(a, 0xff, (items ? items : 1) * sizeof(*a)); /* NONE */
	return a;
}

void
core_unplan(struct bh_core *core)
{
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		free(core->peer[s].strings);
	memset(core->peer, 0, sizeof(core->peer));
	free(core->ctl);
	free(core->param);
	free(core->target);
	free(core->binding_target);
	free(core->binding_when);
	free(core->binding_ctl);
	free(core->link);
	free(core->react_next);
	free(core->bucket_param);
	free(core->bucket_target);
	free(core->queue);
	free(core->tell);
	core->ctl = NULL;
	core->param = NULL;
	core->target = NULL;
	core->binding_target = core->binding_when = core->binding_ctl = core->link = core->react_next = NULL;
	core->bucket_param = core->bucket_target = core->queue = core->tell = NULL;
}

/* Runs stand together, see compiled.h. */
static uint32_t
first_run(const struct bh_core *f)
{
	uint32_t n = bh_config_count(f->config, BH_TAB_ROOM);
	for (uint32_t k = 0; k + BH_ROOM_RUNS <= n; k++)
		if (((const struct bh_cfg_room *)bh_config_row(f->config, BH_TAB_ROOM, k))->kind == BH_ROOM_RUN)
			return core_room_rec(f, k + BH_ROOM_RUNS - 1) == NONE ? NONE : core_room_rec(f, k);
	return NONE;
}

/* Who there is, and where its records are. */
static int
plan_peers(struct bh_core *f, char *why, size_t cap)
{
	for (uint32_t k = 0; k < bh_config_count(f->config, BH_TAB_PROCS); k++) {
		const struct bh_cfg_proc *row = bh_config_row(f->config, BH_TAB_PROCS, k);
		const struct bh_cfg_surface *sf = bh_config_surface(f->config, row->slot);
		if (row->slot >= BH_MAX_SLOTS || (row->role != BH_ROLE_SURFACE && row->role != BH_ROLE_DRIVER))
			continue;
		struct core_peer *peer = &f->peer[row->slot];
		peer->role = row->role;
		peer->name = core_str(f, row->name);
		peer->base = row->record_base;
		peer->records = row->records;
		peer->count = row->role == BH_ROLE_DRIVER ? row->params : sf ? sf->controls : 0;
		if (peer->count > peer->records)
			peer->count = peer->records;
		if (peer->base < BH_REC_FIRST || peer->base > f->records || peer->count > f->records - peer->base) {
			snprintf(why, cap, "%s needs records %u to %u, but the router's state has %u", peer->name,
				 peer->base, peer->base + peer->count, f->records);
			return -ENOSPC;
		}
		if (row->role == BH_ROLE_DRIVER) {
			peer->first = f->params;
			f->params += peer->count;
			peer->strings_cap = 4096 + 32 * peer->count;
			peer->strings = malloc(peer->strings_cap);
			if (!peer->strings)
				return -ENOMEM;
		} else {
			peer->first = f->ctls;
			f->ctls += peer->count;
		}
	}
	return 0;
}

static int
plan_alloc(struct bh_core *f)
{
	f->bindings = bh_config_count(f->config, BH_TAB_BINDINGS);
	f->binding = bh_config_row(f->config, BH_TAB_BINDINGS, 0);
	f->stride = f->config->head->table[BH_TAB_BINDINGS].stride;
	f->bucket_mask_param = bucket_mask(f->params);
	f->reactions = bh_config_count(f->config, BH_TAB_REACTIONS);
	uint32_t targets = 2 * f->bindings + f->reactions; /* at most */
	f->bucket_mask_target = bucket_mask(targets);
	f->ctl = calloc(f->ctls + 1, sizeof(*f->ctl));
	f->param = calloc(f->params + 1, sizeof(*f->param));
	f->target = calloc(targets + 1, sizeof(*f->target));
	f->react_next = filled(f->reactions);
	f->queue = calloc(f->ctls + 1, sizeof(*f->queue));
	f->tell = calloc(f->params + 1, sizeof(*f->tell));
	f->binding_target = filled(f->bindings);
	f->binding_when = filled(f->bindings);
	f->binding_ctl = filled(f->bindings);
	f->link = filled(2 * f->bindings);
	f->bucket_param = filled(f->bucket_mask_param + 1);
	f->bucket_target = filled(f->bucket_mask_target + 1);
	bool ok = f->ctl && f->param && f->target && f->queue && f->tell && f->binding_target && f->binding_when &&
		  f->binding_ctl && f->link && f->react_next && f->bucket_param && f->bucket_target;
	return ok ? 0 : -ENOMEM;
}

uint32_t
core_plan_target(struct bh_core *f, uint16_t driver, const char *name)
{
	uint32_t hash = bh_name_hash(name), *bucket = &f->bucket_target[hash & f->bucket_mask_target];
	for (uint32_t t = *bucket; t != NONE; t = f->target[t].next)
		if (f->target[t].hash == hash && f->target[t].driver == driver && strcmp(f->target[t].name, name) == 0)
			return t;
	uint32_t t = f->targets++;
	f->target[t] = (struct core_target){
		.driver = driver, .hash = hash, .name = name, .param = NONE, .same = NONE, .react = NONE, .first = NONE, .next = *bucket};
	*bucket = t;
	return t;
}

/* What each binding points at. An action of a driver points at nothing that could be shown. */
static void
plan_bindings(struct bh_core *f)
{
	f->global_first = f->bindings;
	for (uint32_t b = 0; b < f->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(f, b);
		if (row->page == BH_PAGE_GLOBAL && b < f->global_first)
			f->global_first = b;
		if (row->driver == BH_DRIVER_PAGE)
			f->binding_target[b] = (uint32_t)core_find_page(f, row->args_len ? core_str(f, row->args) : "");
		else if (row->driver < BH_MAX_SLOTS && row->kind != BH_BIND_ACTION)
			f->binding_target[b] = core_plan_target(f, row->driver, core_str(f, row->target));
		if (row->when.op != BH_COND_ALWAYS && row->when.driver < BH_MAX_SLOTS)
			f->binding_when[b] = core_plan_target(f, row->when.driver, core_str(f, row->when.target));
		struct core_ctl *c = core_find_ctl(f, row->surface, row->control);
		f->binding_ctl[b] = c ? (uint32_t)(c - f->ctl) : NONE;
	}
}

static void
plan_items(struct bh_core *f)
{
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		struct core_peer *peer = &f->peer[s];
		const struct bh_cfg_surface *sf = bh_config_surface(f->config, s);
		for (uint32_t k = 0; k < peer->count; k++) {
			uint32_t rec = peer->base + k;
			f->owner[rec] = peer->first + k;
			if (peer->role == BH_ROLE_SURFACE)
				f->ctl[peer->first + k] = (struct core_ctl){
					.slot = s, .index = (uint16_t)k, .rec = rec, .drive = NONE,
					.part = {NONE, NONE, NONE, NONE}, .touch_button = NONE,
					.cfg = bh_config_control(f->config, sf, k)};
			else
				f->param[peer->first + k] = (struct core_param){
					.slot = s, .index = k, .rec = rec, .target = NONE, .next = NONE};
		}
	}
}

/* The buttons that stand for the touch sensors of faders. */
static void
plan_touch(struct bh_core *f)
{
	for (uint32_t k = 0; k < f->ctls; k++) {
		struct core_ctl *fader = &f->ctl[k];
		if (fader->cfg->kind != BH_CTL_FADER || fader->cfg->touch == 0xff)
			continue;
		for (uint32_t n = 0; n < f->ctls; n++)
			if (f->ctl[n].slot == fader->slot && f->ctl[n].cfg->kind == BH_CTL_BUTTON &&
			    f->ctl[n].cfg->addr == fader->cfg->touch)
				fader->touch_button = n;
	}
}

/*
 * Records that are about something else by now are begun anew, here only: a successor comes to the same end. A generation is
 * kept: the cell behind it takes only later ones.
 */
static void
plan_records(struct bh_core *core)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		const struct core_ctl *c = &core->ctl[k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		if (r->tag == BH_REC_TAG_CONTROL && r->slot == c->slot && r->index == c->index && r->kind == c->cfg->kind)
			continue;
		struct bh_rec_control fresh = {
			.tag = BH_REC_TAG_CONTROL, .kind = c->cfg->kind, .slot = c->slot, .index = c->index};
		fresh.told_gen = r->tag == BH_REC_TAG_CONTROL ? r->told_gen : 0;
		*r = fresh;
	}
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		struct bh_rec_peer *r = core_peer_rec(core, s);
		const char *name = core->peer[s].name;
		uint32_t hash = name ? bh_name_hash(name) : 0;
		if (r->tag == BH_REC_TAG_PEER && r->name_hash && r->name_hash != hash)
			memset(r, 0, sizeof(*r));
	}
}

/* The binding of page `page` (else a global one) for a control, by search: for what was held when the predecessor died. */
static uint32_t
binding_on_page(const struct bh_core *core, const struct core_ctl *c, uint32_t page)
{
	uint32_t found = NONE;
	for (uint32_t b = 0; b < core->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(core, b);
		if (row->surface == c->slot && row->control == c->index && row->part == BH_PART_MAIN && !row->layer &&
		    (row->page == page || (row->page == BH_PAGE_GLOBAL && found == NONE)))
			found = b;
	}
	return found;
}

/* Which parameter the hand on control `rec` drives, as a number that outlives the configuration. */
static uint64_t
drive_name(const struct bh_core *core, const struct core_ctl *c)
{
	uint32_t t = c->drive == NONE ? NONE : binding_row_target(core, c->drive);
	return t == NONE ? 0 : (uint64_t)core->target[t].hash << 32 | (uint64_t)core->target[t].driver << 8 | 1;
}

/* Faders that are held across a new configuration: the same parameter, or none until they are let go. */
static void
plan_held(struct bh_core *core, const struct bh_core *old)
{
	for (uint32_t k = 0; k < core->ctls; k++) {
		struct core_ctl *c = &core->ctl[k];
		struct bh_rec_control *r = core_ctl_rec(core, c);
		if (!(r->flags & BH_CTRL_TOUCHED) || c->cfg->kind != BH_CTL_FADER)
			continue;
		if (!old) {
			c->drive = r->flags & BH_CTRL_DEAF   ? NONE
				   : r->flags & BH_CTRL_HELD ? binding_on_page(core, c, r->grab_page)
							     : core_main(c);
			continue;
		}
		uint64_t was = 0;
		for (uint32_t o = 0; o < old->ctls; o++)
			if (old->ctl[o].rec == c->rec)
				was = drive_name(old, &old->ctl[o]);
		r->flags &= (uint16_t)~(BH_CTRL_HELD | BH_CTRL_DEAF);
		c->drive = core_main(c);
		if (drive_name(core, c) != was) {
			r->flags |= BH_CTRL_DEAF;
			c->drive = NONE;
		}
		c->replanned = true;
	}
}

int
core_plan(struct bh_core *core, const struct bh_config *config, char *why, size_t cap)
{
	struct bh_core fresh = *core;
	bool first = !core->config;
	fresh.config = config;
	memset(fresh.peer, 0, sizeof(fresh.peer));
	fresh.ctl = NULL;
	fresh.param = NULL;
	fresh.target = NULL;
	fresh.binding_target = fresh.binding_when = fresh.binding_ctl = fresh.link = fresh.react_next = NULL;
	fresh.bucket_param = fresh.bucket_target = fresh.queue = fresh.tell = NULL;
	fresh.ctls = fresh.params = fresh.targets = 0;
	fresh.queue_head = fresh.queue_len = fresh.tell_head = fresh.tell_len = fresh.resets = 0;
	int r = plan_peers(&fresh, why, cap);
	if (r == 0)
		r = plan_alloc(&fresh);
	if (r < 0) {
		if (r == -ENOMEM)
			snprintf(why, cap, "not enough memory");
		core_unplan(&fresh);
		return r;
	}
	fresh.run_first = first_run(&fresh);
	plan_items(&fresh);
	plan_touch(&fresh);
	plan_bindings(&fresh);
	core_steps_plan(&fresh);
	core_buttons_plan(&fresh);
	plan_records(&fresh);

	struct bh_core old = *core;
	*core = fresh;
	core->heap_len = 0;
	memset(core->heap_pos, 0, core->records * sizeof(*core->heap_pos));
	struct bh_rec_global *g = core_global(core);
	uint32_t pages = bh_config_count(config, BH_TAB_PAGES);
	for (uint32_t k = 0; k < pages; k++) {
		const struct bh_cfg_page *row = bh_config_row(config, BH_TAB_PAGES, k);
		if (g->tag == BH_REC_TAG_GLOBAL && bh_name_hash(core_str(core, row->name)) == g->page_hash) {
			g->page = k;
			break;
		}
	}
	if (g->page >= pages)
		g->page = 0;
	core_activate(core, g->page);
	for (uint32_t k = 0; k < core->ctls; k++)
		core->ctl[k].drive = core_main(&core->ctl[k]);
	plan_held(core, first ? NULL : &old);
	for (uint32_t k = 0; k < core->ctls; k++) {
		core_ctl_arm(core, &core->ctl[k]);
		core_queue_ctl(core, k);
	}
	core_steps_arm(core);
	core_unplan(&old);
	return 0;
}

void
bh_core_adopt(struct bh_core *core)
{
	struct bh_rec_global *g = core_global(core);
	uint64_t generation = core->config->head->generation;
	const struct bh_cfg_page *row = bh_config_row(core->config, BH_TAB_PAGES, g->page);
	const char *name = row ? core_str(core, row->name) : "";
	if (g->tag != BH_REC_TAG_GLOBAL || g->config_generation != generation || g->page_hash != bh_name_hash(name)) {
		g->config_generation = generation;
		write_page(core, g->page);
	}
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		struct bh_rec_peer *r = core_peer_rec(core, s);
		uint16_t what = core->peer[s].role == BH_ROLE_DRIVER ? BH_PEER_DRIVER : BH_PEER_SURFACE;
		uint32_t hash = core->peer[s].name ? bh_name_hash(core->peer[s].name) : 0;
		if (!hash || (r->tag == BH_REC_TAG_PEER && r->name_hash == hash && r->flags & what))
			continue;
		r->tag = BH_REC_TAG_PEER;
		r->slot = s;
		r->flags |= what;
		r->name_hash = hash;
		core_dirty(core, BH_REC_PEER(s));
	}
	core_buttons_adopt(core);
	for (uint32_t k = 0; k < core->ctls; k++) {
		if (core->ctl[k].replanned)
			core_dirty(core, core->ctl[k].rec);
		core->ctl[k].replanned = false;
	}
	core_steps_adopt(core);
}
