/*
 * page.c - what is derived from the configuration, and pages
 *
 * Per configuration: controls, parameters, the names that bindings point at, each once, and entries: what a page has for a
 * control, without a layer or while one is on. Each control shows one entry (the page's own before an inherited one before a
 * global one; that of a layer that is on before all), and for each name there is a list of the bindings that show it, so that an
 * event costs the same however many pages and bindings there are. Turning a page, pressing a layer's key, moving a bank are all
 * the same: another entry, or the same with other names behind it, and only where that is so anything is rendered.
 *
 * Pages are turned for a group of surfaces; who is in none shows what the main group shows.
 *
 * A fader that is held meanwhile goes on with the entry it was grabbed with: an operator on air finishes the fade he is in, and
 * nothing jumps. It answers to the new one once it was let go. The same if a new configuration takes its binding away: then
 * it does nothing until it is let go.
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
		struct core_target *at = &core->target[t];
		core->steps++;
		if (at->hash != p->hash || at->driver != p->slot || at->param != NONE)
			continue;
		if (strcmp(at->name, p->name) && !core_bank_takes(core, t, p))
			continue;
		at->param = (uint32_t)(p - core->param);
		at->same = p->target;
		p->target = t;
		core_queue_target(core, t);
		core_queue_watch(core, at->param);
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

uint32_t
core_ctl_page(const struct bh_core *core, const struct core_ctl *c)
{
	return core->group[core->peer[c->slot].group].page;
}

const char *
core_page_name(const struct bh_core *core, uint32_t page)
{
	const struct bh_cfg_page *row = bh_config_row(core->config, BH_TAB_PAGES, page);
	return row ? core_str(core, row->name) : "";
}

bool
core_is_page_shown(const struct bh_core *core, uint32_t page)
{
	for (uint32_t k = 0; k < core->groups; k++)
		if (core->group[k].page == page)
			return true;
	return false;
}

void
core_cut_text(char out[BH_TEXT_MAX + 1], const char *s)
{
	size_t len = strlen(s);
	if (len > BH_TEXT_MAX)
		for (len = BH_TEXT_MAX; len && ((uint8_t)s[len] & 0xc0) == 0x80;)
			len--;
	memset(out, 0, BH_TEXT_MAX + 1);
	memcpy(out, s, len);
}

/* ------------------------------------------------------------------ entries */

static uint64_t
entry_key(uint32_t page, uint32_t layer, uint32_t surface, uint32_t control)
{
	return (uint64_t)(page & 0xffff) << 48 | (uint64_t)(layer & 0xffff) << 32 | (uint64_t)surface << 16 | control;
}

static uint32_t
entry_bucket(const struct bh_core *core, uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & core->bucket_mask_entry;
}

static uint32_t
find_entry(struct bh_core *core, uint64_t key)
{
	uint32_t at = entry_bucket(core, key), e;
	for (; (e = core->bucket_entry[at]) != NONE; at = (at + 1) & core->bucket_mask_entry) {
		core->steps++;
		if (core->entry[e].key == key)
			break;
	}
	return e;
}

/* The page it inherits from, or NONE. */
static uint32_t
page_below(const struct bh_core *core, uint32_t page)
{
	const struct bh_cfg_page *row = bh_config_row(core->config, BH_TAB_PAGES, page);
	return row ? row->inherit - 1 : NONE;
}

/* Of a page, of those it inherits from, of all pages. */
static uint32_t
entry_through(struct bh_core *core, uint32_t page, uint32_t layer, const struct core_ctl *c)
{
	for (unsigned depth = 0; page != NONE && depth <= PAGES_DEEP; depth++) {
		uint32_t e = find_entry(core, entry_key(page, layer, c->slot, c->index));
		if (e != NONE)
			return e;
		page = page_below(core, page);
	}
	return find_entry(core, entry_key(BH_PAGE_GLOBAL, layer, c->slot, c->index));
}

/* What a control shows by now. */
static uint32_t
entry_now(struct bh_core *core, const struct core_ctl *c)
{
	uint32_t page = core_ctl_page(core, c), e = NONE;
	for (uint32_t k = core->layers_on; k-- > 0 && e == NONE;)
		e = entry_through(core, page, core->layer_on[k] + 1u, c);
	return e != NONE ? e : entry_through(core, page, 0, c);
}

/* ------------------------------------------------------------------ what is shown */

static void
link_target(struct bh_core *core, uint32_t link, uint32_t t)
{
	if (t == NONE)
		return;
	uint32_t next = core->target[t].first;
	core->link[link] = next;
	core->link_back[link] = NONE;
	if (next != NONE)
		core->link_back[next] = link;
	core->target[t].first = link;
	if (next == NONE)
		core_queue_watch(core, core->target[t].param);
}

static void
unlink_target(struct bh_core *core, uint32_t link, uint32_t t)
{
	if (t == NONE)
		return;
	uint32_t next = core->link[link], back = core->link_back[link];
	if (back == NONE)
		core->target[t].first = next;
	else
		core->link[back] = next;
	if (next != NONE)
		core->link_back[next] = back;
	if (core->target[t].first == NONE)
		core_queue_watch(core, core->target[t].param);
}

static uint32_t
part_length(const uint32_t *parts, uint32_t lights, enum bh_part part)
{
	return parts[part] == NONE ? 0 : part == BH_PART_LIGHT ? lights : 1;
}

/* For every binding of a control or an entry: its number in `b_`. */
#define EACH_PART(c, b_)                                                                           \
	for (int part_ = 0; part_ < BH_PART_COUNT; part_++)                                        \
		for (uint32_t b_ = (c)->part[part_], end_ = b_ + part_length((c)->part, (c)->lights, (enum bh_part)part_); \
		     b_ != end_; b_++)

static void
clear_parts(struct core_ctl *c)
{
	for (int k = 0; k < BH_PART_COUNT; k++)
		c->part[k] = NONE;
	c->lights = 0;
}

static bool
is_held(struct bh_core *core, const struct core_ctl *c)
{
	return c->cfg->kind == BH_CTL_FADER && core_ctl_rec(core, c)->flags & BH_CTRL_TOUCHED;
}

static void
hide_entry(struct bh_core *core, struct core_ctl *c)
{
	bool held = is_held(core, c);
	EACH_PART (c, b) {
		unlink_target(core, 2 * b, binding_row_target(core, b));
		unlink_target(core, 2 * b + 1, core->binding_when[b]);
		if (core->entry[c->entry].bank && !(held && b == c->drive))
			core_bank_hide(core, b);
	}
	clear_parts(c);
}

/* Name the targets of an entry after the item on its place; but what is in a hand stays what it is. */
static void
name_entry(struct bh_core *core, struct core_ctl *c, struct core_entry *e)
{
	bool held = is_held(core, c), all = true;
	EACH_PART (e, b) {
		bool keep = held && b == c->drive;
		all = all && (!keep || core_bank_is_same(core, b));
		if (!keep)
			core_bank_show(core, b);
	}
	if (all)
		core_bank_stamp(core, e);
}

/* True: it shows something else now. */
static bool
show_entry(struct bh_core *core, struct core_ctl *c, uint32_t e)
{
	struct core_entry *en = e == NONE ? NULL : &core->entry[e];
	core->steps++;
	if (c->entry == e && (!en || !core_bank_is_stale(core, en)))
		return false;
	hide_entry(core, c);
	c->entry = e;
	if (!en)
		return true;
	if (core_bank_is_blank(core, en)) {
		core_bank_stamp(core, en);
		return true;
	}
	if (en->bank)
		name_entry(core, c, en);
	memcpy(c->part, en->part, sizeof(c->part));
	c->lights = en->lights;
	EACH_PART (c, b) {
		link_target(core, 2 * b, binding_row_target(core, b));
		link_target(core, 2 * b + 1, core->binding_when[b]);
	}
	return true;
}

/* The hand that is on a fader keeps what it has: see the top of this file. `was`: the entry that was shown. */
static void
keep_grip(struct bh_core *core, struct core_ctl *c, uint32_t was)
{
	struct bh_rec_control *r = core_ctl_rec(core, c);
	bool held = c->drive != core_main(c) || (c->entry != NONE && core_bank_is_stale(core, &core->entry[c->entry]));
	if (r->flags & BH_CTRL_DEAF || held == !!(r->flags & BH_CTRL_HELD))
		return;
	core_dirty(core, c->rec);
	if (!held) {
		r->flags &= (uint16_t)~BH_CTRL_HELD;
	} else if (c->drive == NONE || was == NONE) {
		r->flags |= BH_CTRL_DEAF;
		c->drive = NONE;
	} else {
		uint32_t t = binding_row_target(core, c->drive);
		r->flags |= BH_CTRL_HELD;
		r->grab_page = (uint16_t)(core->entry[was].key >> 48);
		r->grab_layer = (uint16_t)(core->entry[was].key >> 32);
		r->grab_name = t == NONE ? 0 : core->target[t].hash;
	}
}

/* Let it show this entry. `page`: it is another page than before. */
static void
switch_ctl(struct bh_core *core, struct core_ctl *c, uint32_t e, bool page)
{
	uint32_t was = c->entry;
	bool other = show_entry(core, c, e);
	if (other)
		core_overlay_ends(core, c);
	if (other && is_held(core, c)) {
		keep_grip(core, c, was);
	} else if (other) {
		struct bh_rec_control *r = core_ctl_rec(core, c);
		c->drive = core_main(c);
		if (c->cfg->kind == BH_CTL_FADER && r->hand_ns > core->now) {
			/* Let go of already: the window was for the parameter that it has left. */
			r->hand_ns = 0;
			core_dirty(core, c->rec);
			core_ctl_arm(core, c);
		}
	}
	if (other || (page && e != NONE && core->entry[e].of_page))
		core_queue_ctl(core, (uint32_t)(c - core->ctl));
}

void
core_ctl_let_go(struct bh_core *core, struct core_ctl *c)
{
	uint32_t had = c->drive;
	c->drive = NONE;
	if (had != NONE && had != core_main(c) && core_binding(core, had)->bank)
		core_bank_hide(core, had);
	if (c->entry != NONE && show_entry(core, c, c->entry))
		core_queue_ctl(core, (uint32_t)(c - core->ctl));
	c->drive = core_main(c);
}

void
core_ctl_again(struct bh_core *core, struct core_ctl *c)
{
	switch_ctl(core, c, c->entry, false);
}

/* ------------------------------------------------------------------ turning pages */

static void
activate_group(struct bh_core *core, uint32_t group)
{
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		const struct core_peer *peer = &core->peer[s];
		for (uint32_t k = 0; peer->role == BH_ROLE_SURFACE && peer->group == group && k < peer->count; k++) {
			struct core_ctl *c = &core->ctl[peer->first + k];
			switch_ctl(core, c, entry_now(core, c), true);
		}
	}
}

/* Write down which page a group shows. `back`: hash of the name of the one before; 0: leave it. */
static void
write_page(struct bh_core *core, uint32_t group, uint32_t back)
{
	const struct core_group *gr = &core->group[group];
	struct core_param *p = core_room_param(core, gr->row);
	struct bh_rec_global *g = core_global(core);
	const char *name = core_page_name(core, gr->page);
	if (group == 0) {
		g->tag = BH_REC_TAG_GLOBAL;
		g->page = gr->page;
		g->pages = bh_config_count(core->config, BH_TAB_PAGES);
		g->page_hash = bh_name_hash(name);
		core_cut_text(g->page_name, name);
		if (back)
			g->back_hash = back;
		core_dirty(core, BH_REC_GLOBAL);
	}
	if (!p)
		return;
	if (back)
		core_param_rec(core, p)->spare[0] = back;
	core_room_put(core, p, &(union bh_val){.i = gr->page}, 0);
}

void
core_turn_page(struct bh_core *core, uint32_t group, uint32_t page)
{
	struct bh_rec_global *g = core_global(core);
	struct core_group *gr = &core->group[group];
	if (page >= bh_config_count(core->config, BH_TAB_PAGES))
		return;
	if (group == 0) {
		g->page_ns = core->now;
		g->flags &= (uint16_t)~BH_GLOBAL_RESTORED;
		core_dirty(core, BH_REC_GLOBAL);
	}
	if (page == gr->page)
		return;
	g->turns++;
	core_dirty(core, BH_REC_GLOBAL);
	uint32_t back = bh_name_hash(core_page_name(core, gr->page));
	gr->page = page;
	activate_group(core, group);
	write_page(core, group, back);
}

/* The page of this name, or NONE. */
static uint32_t
page_of_hash(const struct bh_core *core, uint32_t hash)
{
	for (uint32_t k = 0; hash && k < bh_config_count(core->config, BH_TAB_PAGES); k++)
		if (bh_name_hash(core_page_name(core, k)) == hash)
			return k;
	return NONE;
}

/* The page that a group showed before, or NONE. */
static uint32_t
page_before(struct bh_core *core, uint32_t group)
{
	struct core_param *p = group ? core_room_param(core, core->group[group].row) : NULL;
	return page_of_hash(core, group == 0 ? core_global(core)->back_hash : p ? (uint32_t)core_param_rec(core, p)->spare[0] : 0);
}

/*
 * A press is an edge that the surface counted, and counts once: two quick presses are two pages. A key that bounces is a matter
 * of its device.
 */
int
core_page_verb(struct bh_core *core, uint32_t group, uint16_t action, const char *arg)
{
	uint32_t pages = bh_config_count(core->config, BH_TAB_PAGES);
	uint32_t page = core->group[group].page, to = NONE;
	switch ((enum bh_page_action)action) {
	case BH_PAGE_NEXT: to = pages ? (page + 1) % pages : NONE; break;
	case BH_PAGE_PREVIOUS: to = pages ? (page + pages - 1) % pages : NONE; break;
	case BH_PAGE_GO: to = (uint32_t)core_find_page(core, arg); break;
	case BH_PAGE_BACK:
		to = page_before(core, group);
		if (to == NONE)
			return 0; /* none was */
		break;
	case BH_BANK_NEXT:
	case BH_BANK_PREVIOUS:
	case BH_BANK_CHANNEL_NEXT:
	case BH_BANK_CHANNEL_PREVIOUS:
	case BH_BANK_HOME: return core_bank_action(core, action, arg);
	case BH_PAGE_ACTION_COUNT: return -ENOENT;
	}
	if (to >= pages)
		return -ENOENT;
	core_turn_page(core, group, to);
	return 0;
}

int
core_page_action(struct bh_core *core, const struct core_ctl *c, uint16_t action, const char *arg)
{
	return core_page_verb(core, c ? core->peer[c->slot].group : 0, action, arg);
}

/* ------------------------------------------------------------------ layers */

void
core_find_layers(struct bh_core *core)
{
	core->layers_on = 0;
	for (uint32_t k = 0; k < core->peer[BH_SLOT_ROUTER].count; k++) {
		const struct bh_cfg_room *row = core_room_row(core, k);
		struct core_param *p = row->kind == BH_ROOM_LAYER ? core_room_param(core, k) : NULL;
		if (p && core_param_rec(core, p)->flags & BH_PAR_KNOWN && core_param_rec(core, p)->reported.i)
			core->layer_on[core->layers_on++] = (uint16_t)k;
	}
}

/* The first entry whose key is not less. */
static uint32_t
entry_from(struct bh_core *core, uint64_t key)
{
	uint32_t low = 0, high = core->entries;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		core->steps++;
		if (core->entry[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void
activate_layer(struct bh_core *core, uint32_t group, uint32_t page, uint32_t layer)
{
	uint64_t key = entry_key(page, layer, 0, 0);
	for (uint32_t e = entry_from(core, key); e < core->entries && core->entry[e].key >> 32 == key >> 32; e++) {
		struct core_ctl *c = &core->ctl[core->entry[e].ctl];
		if (core->peer[c->slot].group == group)
			switch_ctl(core, c, entry_now(core, c), false);
	}
}

/* Only what has an entry on this layer can look different. */
void
core_layer_changed(struct bh_core *core, uint32_t row)
{
	core_find_layers(core);
	for (uint32_t g = 0; g < core->groups; g++) {
		uint32_t page = core->group[g].page;
		for (unsigned depth = 0; page != NONE && depth <= PAGES_DEEP; depth++) {
			activate_layer(core, g, page, row + 1);
			page = page_below(core, page);
		}
		activate_layer(core, g, BH_PAGE_GLOBAL, row + 1);
	}
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
	free(core->link_back);
	free(core->entry);
	free(core->bucket_entry);
	free(core->layer_on);
	free(core->react_next);
	core_bank_unplan(core);
	free(core->bucket_param);
	free(core->bucket_target);
	free(core->queue);
	free(core->tell);
	core->ctl = NULL;
	core->param = NULL;
	core->target = NULL;
	core->binding_target = core->binding_when = core->binding_ctl = core->link = core->link_back = NULL;
	core->bucket_param = core->bucket_target = core->bucket_entry = core->queue = core->tell = core->react_next = NULL;
	core->entry = NULL;
	core->layer_on = NULL;
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
		bool room = row->role == BH_ROLE_ROUTER && row->slot == BH_SLOT_ROUTER && bh_config_count(f->config, BH_TAB_ROOM);
		if (row->slot >= BH_MAX_SLOTS || (row->role != BH_ROLE_SURFACE && row->role != BH_ROLE_DRIVER && !room))
			continue;
		struct core_peer *peer = &f->peer[row->slot];
		peer->role = row->role;
		peer->name = room ? BH_ROOM_NAME : core_str(f, row->name);
		peer->base = row->record_base;
		peer->records = row->records;
		peer->count = row->role == BH_ROLE_DRIVER ? row->params
			      : room			  ? bh_config_count(f->config, BH_TAB_ROOM)
			      : sf			  ? sf->controls
							  : 0;
		if (peer->count > peer->records)
			peer->count = peer->records;
		if (peer->base < BH_REC_FIRST || peer->base > f->records || peer->count > f->records - peer->base) {
			snprintf(why, cap, "%s needs records %u to %u, but the router's state has %u", peer->name,
				 peer->base, peer->base + peer->count, f->records);
			return -ENOSPC;
		}
		if (row->role != BH_ROLE_SURFACE) {
			peer->first = f->params;
			f->params += peer->count;
			peer->strings_cap = 4096 + 32 * peer->count + (room ? core_room_strings(f) : 0);
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
	f->bucket_mask_entry = bucket_mask(f->bindings);
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
	f->link_back = filled(2 * f->bindings);
	f->entry = calloc(f->bindings + 1, sizeof(*f->entry));
	f->bucket_entry = filled(f->bucket_mask_entry + 1);
	f->layer_on = calloc(f->peer[BH_SLOT_ROUTER].count + 1, sizeof(*f->layer_on));
	f->bucket_param = filled(f->bucket_mask_param + 1);
	f->bucket_target = filled(f->bucket_mask_target + 1);
	bool ok = f->ctl && f->param && f->target && f->queue && f->tell && f->binding_target && f->binding_when &&
		  f->binding_ctl && f->link && f->link_back && f->entry && f->bucket_entry && f->layer_on &&
		  f->react_next && f->bucket_param && f->bucket_target;
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
	for (uint32_t b = 0; b < f->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(f, b);
		if (row->driver == BH_DRIVER_PAGE)
			f->binding_target[b] = (uint32_t)core_find_page(f, row->args_len ? core_str(f, row->args) : "");
		else if (row->driver < BH_MAX_SLOTS && row->kind != BH_BIND_ACTION && !core_bank_owns(f, row, false))
			f->binding_target[b] = core_plan_target(f, row->driver, core_str(f, row->target));
		if (row->when.op != BH_COND_ALWAYS && row->when.driver < BH_MAX_SLOTS && !core_bank_owns(f, row, true))
			f->binding_when[b] = core_plan_target(f, row->when.driver, core_str(f, row->when.target));
		struct core_ctl *c = core_find_ctl(f, row->surface, row->control);
		f->binding_ctl[b] = c ? (uint32_t)(c - f->ctl) : NONE;
	}
}

/* ------------------------------------------------------------------ plan: entries */

struct keyed {
	uint64_t key;
	uint32_t b;
};

static int
by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->b > y->b) - (x->b < y->b);
}

/* It looks different on another page: it says which one is shown. */
static bool
is_of_page(const struct bh_core *f, const struct bh_cfg_binding *row)
{
	return row->driver == BH_DRIVER_PAGE || row->flags & BH_BINDF_SHOW_PAGE || strchr(core_str(f, row->text), '$');
}

static void
entry_add(struct bh_core *f, struct core_entry *e, uint32_t b)
{
	const struct bh_cfg_binding *row = core_binding(f, b);
	if (e->part[row->part] == NONE)
		e->part[row->part] = b;
	if (row->part == BH_PART_LIGHT && b == e->part[BH_PART_LIGHT] + e->lights)
		e->lights++;
	e->of_page |= is_of_page(f, row);
	if (row->bank && !e->bank) {
		e->bank = row->bank;
		e->place = row->bank_pos;
	}
}

static void
entry_file(struct bh_core *f, uint32_t e)
{
	uint32_t at = entry_bucket(f, f->entry[e].key);
	while (f->bucket_entry[at] != NONE)
		at = (at + 1) & f->bucket_mask_entry;
	f->bucket_entry[at] = e;
}

static int
plan_entries(struct bh_core *f)
{
	struct keyed *list = malloc((f->bindings + 1) * sizeof(*list));
	uint32_t n = 0;
	bool sorted = true;
	if (!list)
		return -ENOMEM;
	for (uint32_t b = 0; b < f->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(f, b);
		if (f->binding_ctl[b] == NONE || !row->kind || row->kind >= BH_BIND_KIND_COUNT || row->part >= BH_PART_COUNT)
			continue;
		list[n] = (struct keyed){entry_key(row->page, row->layer, row->surface, row->control), b};
		sorted = sorted && (!n || list[n - 1].key <= list[n].key);
		n++;
	}
	if (!sorted)
		qsort(list, n, sizeof(*list), by_key);
	for (uint32_t k = 0; k < n; k++) {
		if (!k || list[k].key != list[k - 1].key)
			f->entry[f->entries++] = (struct core_entry){.key = list[k].key, .ctl = f->binding_ctl[list[k].b],
								     .part = {NONE, NONE, NONE, NONE}};
		entry_add(f, &f->entry[f->entries - 1], list[k].b);
	}
	free(list);
	for (uint32_t e = 0; e < f->entries; e++)
		entry_file(f, e);
	return 0;
}

/* The main group first; one more for each page parameter that the room has besides. */
static void
plan_groups(struct bh_core *f)
{
	f->group[0] = (struct core_group){.row = NONE};
	f->groups = 1;
	for (uint32_t k = 0; k < f->peer[BH_SLOT_ROUTER].count; k++) {
		const struct bh_cfg_room *row = core_room_row(f, k);
		if (row->kind != BH_ROOM_PAGE)
			continue;
		if (strcmp(core_str(f, row->name), "page") == 0)
			f->group[0].row = k;
		else if (f->groups < BH_MAX_SLOTS)
			f->group[f->groups++] = (struct core_group){.row = k};
	}
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		const struct bh_cfg_surface *sf = bh_config_surface(f->config, s);
		for (uint32_t g = 1; sf && g < f->groups; g++)
			if (f->group[g].row == sf->page_room && sf->page_room)
				f->peer[s].group = g;
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
			if (peer->role == BH_ROLE_SURFACE)
				f->ctl[peer->first + k] = (struct core_ctl){
					.slot = s, .index = (uint16_t)k, .rec = rec, .drive = NONE, .entry = NONE,
					.part = {NONE, NONE, NONE, NONE}, .touch_button = NONE, .meter_param = NONE,
					.cfg = bh_config_control(f->config, sf, k)};
			else
				f->param[peer->first + k] = (struct core_param){
					.slot = s, .index = k, .rec = rec, .target = NONE, .next = NONE};
		}
	}
}

static void
plan_owners(struct bh_core *f)
{
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		for (uint32_t k = 0; k < f->peer[s].count; k++)
			f->owner[f->peer[s].base + k] = f->peer[s].first + k;
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
			if (r->flags & BH_CTRL_HELD) {
				uint32_t e = find_entry(core, entry_key(r->grab_page, r->grab_layer, c->slot, c->index));
				c->drive = e == NONE ? NONE : core->entry[e].part[BH_PART_MAIN];
				core_bank_hold(core, c->drive, r->grab_name);
			}
			if (r->flags & BH_CTRL_DEAF)
				c->drive = NONE;
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

/* The records of the room as they are, for rows move. */
static int
copy_room(const struct bh_core *f, const struct bh_core *before, uint8_t (**out)[BH_RECORD_BYTES], uint32_t *count)
{
	const struct core_peer *peer = &before->peer[BH_SLOT_ROUTER];
	if (!peer->records)
		peer = &f->peer[BH_SLOT_ROUTER]; /* the first with a room */
	*count = peer->base < f->records && peer->records <= f->records - peer->base ? peer->records : 0;
	*out = malloc((*count + 1) * sizeof(**out));
	if (!*out)
		return -ENOMEM;
	memcpy(*out, f->rec + peer->base, *count * sizeof(**out));
	return 0;
}

/* Each group's page, by its name: the one shown before, else the one that the configuration starts with. */
static void
plan_pages(struct bh_core *f)
{
	struct bh_rec_global *g = core_global(f);
	uint32_t pages = bh_config_count(f->config, BH_TAB_PAGES), page = NONE;
	if (g->tag == BH_REC_TAG_GLOBAL) {
		page = page_of_hash(f, g->page_hash);
		if (page == NONE && g->page < pages)
			page = g->page;
	} else if (f->group[0].row != NONE) {
		page = (uint32_t)core_find_page(f, core_str(f, core_room_row(f, f->group[0].row)->def.text));
	}
	f->group[0].page = page < pages ? page : 0;
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
	fresh.binding_target = fresh.binding_when = fresh.binding_ctl = fresh.link = fresh.link_back = NULL;
	fresh.bucket_param = fresh.bucket_target = fresh.bucket_entry = fresh.queue = fresh.tell = NULL;
	fresh.react_next = NULL;
	fresh.bank = NULL;
	fresh.bank_name = NULL;
	fresh.entry = NULL;
	fresh.layer_on = NULL;
	fresh.ctls = fresh.params = fresh.targets = fresh.entries = fresh.room_at = fresh.banks = 0;
	fresh.queue_head = fresh.queue_len = fresh.tell_head = fresh.tell_len = fresh.resets = 0;
	int r = plan_peers(&fresh, why, cap);
	if (r == 0)
		r = plan_alloc(&fresh);
	if (r == 0) {
		plan_items(&fresh);
		plan_touch(&fresh);
		core_plan_strips(&fresh);
		plan_bindings(&fresh);
		core_steps_plan(&fresh);
		r = plan_entries(&fresh);
		if (r == 0)
			r = core_bank_plan(&fresh);
	}
	uint8_t(*room)[BH_RECORD_BYTES] = NULL;
	uint32_t rooms = 0;
	if (r == 0)
		r = copy_room(&fresh, first ? &fresh : core, &room, &rooms);
	if (r < 0) {
		if (r == -ENOMEM)
			snprintf(why, cap, "not enough memory");
		core_unplan(&fresh);
		return r;
	}
	fresh.run_first = first_run(&fresh);
	plan_owners(&fresh);
	core_buttons_plan(&fresh);
	plan_groups(&fresh);
	core_room_plan(&fresh);
	plan_records(&fresh);
	plan_pages(&fresh);
	core_room_records(&fresh, room, rooms);
	free(room);

	struct bh_core old = *core;
	*core = fresh;
	core->heap_len = 0;
	memset(core->heap_pos, 0, core->records * sizeof(*core->heap_pos));
	core_find_layers(core);
	core_bank_start(core);
	for (uint32_t k = core->ctls; k-- > 0;) {
		show_entry(core, &core->ctl[k], entry_now(core, &core->ctl[k]));
		core->ctl[k].drive = core_main(&core->ctl[k]);
	}
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
	const char *name = core_page_name(core, core->group[0].page);
	if (g->tag != BH_REC_TAG_GLOBAL || g->config_generation != generation || g->page_hash != bh_name_hash(name)) {
		g->config_generation = generation;
		write_page(core, 0, 0);
	}
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		struct bh_rec_peer *r = core_peer_rec(core, s);
		uint16_t what = core->peer[s].role == BH_ROLE_SURFACE ? BH_PEER_SURFACE : BH_PEER_DRIVER;
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
