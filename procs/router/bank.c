/*
 * bank.c - a row of strips over a longer list of things
 *
 *   items     the list in the configuration, or what a driver's directory offers, in the order in which it was offered first (or by
 *             name). One that is gone leaves its place blank and has it again when it comes back; one that is renamed keeps it
 *   places    the strips, which may stand on several surfaces. A pinned place keeps its item; the others show the others, from
 *             room/bank/NAME on. A place without an item is one with nothing bound
 *   targets   a binding of a bank has targets of its own, named after the item while it is shown, and nameless else: what a
 *             parameter costs does not grow with the pages that have the bank
 *
 * The list is a function of the directory, so that a successor has the same. A fader that is held keeps its item; see page.c.
 * Everything that is needed is allocated with the configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/core_int.h"

static struct core_bank *
bank_of(const struct bh_core *core, uint32_t number)
{
	return number && number <= core->banks ? &core->bank[number - 1] : NULL;
}

static bool
is_listed(const struct core_bank *bank)
{
	return bank->cfg->items_len;
}

/* ------------------------------------------------------------------ names */

/* `text` with `item` for each {}. False: too long, and cut between two characters. */
static bool
fill_in(char *out, size_t cap, const char *text, const char *item)
{
	size_t n = 0, len = strlen(item);
	while (*text) {
		bool hole = text[0] == '{' && text[1] == '}';
		size_t part = hole ? len : 1;
		if (n + part >= cap) {
			part = cap - 1 - n;
			memcpy(out + n, hole ? item : text, part);
			for (n += part; n && ((hole ? item[part] : text[part]) & 0xc0) == 0x80 && part; n--, part--)
				;
			out[n] = '\0';
			return false;
		}
		memcpy(out + n, hole ? item : text, part);
		n += part;
		text += hole ? 2 : 1;
	}
	out[n] = '\0';
	return true;
}

static bool
has_hole(const struct bh_core *core, uint32_t off)
{
	return strstr(core_str(core, off), "{}");
}

/* The item that this parameter offers; false: none. */
static bool
offered(const struct bh_core *core, const struct core_bank *bank, const char *name, char *item)
{
	const char *before = core_str(core, bank->cfg->before), *after = core_str(core, bank->cfg->after);
	size_t len = strlen(name), a = strlen(before), z = strlen(after);
	if (is_listed(bank) || len <= a + z || memcmp(name, before, a) != 0 || memcmp(name + len - z, after, z) != 0)
		return false;
	memcpy(item, name + a, len - a - z);
	item[len - a - z] = '\0';
	return true;
}

static uint32_t
find_item(const struct core_bank *bank, const char *name)
{
	uint32_t hash = bh_name_hash(name);
	for (uint32_t k = 0; k < bank->items; k++)
		if (bank->item[k].hash == hash && strcmp(bank->item[k].name, name) == 0)
			return k;
	return NONE;
}

const char *
core_bank_item(struct bh_core *core, const struct bh_cfg_binding *b)
{
	const struct core_bank *bank = bank_of(core, b->bank);
	uint32_t k = bank && b->bank_pos < bank->cfg->places ? bank->place[b->bank_pos].item : NONE;
	return k == NONE ? NULL : bank->item[k].name;
}

const char *
core_bank_text(struct bh_core *core, const struct bh_cfg_binding *b, const char *text, char *buf, size_t cap)
{
	if (!b->bank || !strstr(text, "{}"))
		return text;
	const char *item = core_bank_item(core, b);
	buf[0] = '\0';
	if (item)
		fill_in(buf, cap, text, item);
	return buf;
}

/* ------------------------------------------------------------------ targets that come and go */

static char *
target_name(struct bh_core *core, uint32_t t)
{
	return core->bank_name[t - core->bank_target];
}

static bool
is_own_target(const struct bh_core *core, uint32_t t)
{
	return t != NONE && t >= core->bank_target;
}

static void
detach(struct bh_core *core, uint32_t t)
{
	struct core_target *at = &core->target[t];
	if (!at->hash)
		return;
	uint32_t *from = &core->bucket_target[at->hash & core->bucket_mask_target];
	while (*from != NONE && *from != t)
		from = &core->target[*from].next;
	if (*from == t)
		*from = at->next;
	from = at->param == NONE ? NULL : &core->param[at->param].target;
	while (from && *from != NONE && *from != t)
		from = &core->target[*from].same;
	if (from && *from == t)
		*from = at->same;
	core_queue_watch(core, at->param);
	at->param = at->same = at->next = NONE;
	at->hash = 0;
	target_name(core, t)[0] = '\0';
}

/* With an empty name: whatever parameter has this hash. */
static void
attach(struct bh_core *core, uint32_t t, const char *name, uint32_t hash)
{
	struct core_target *at = &core->target[t];
	detach(core, t);
	snprintf(target_name(core, t), sizeof(core->bank_name[0]), "%s", name);
	at->hash = hash;
	at->next = core->bucket_target[hash & core->bucket_mask_target];
	core->bucket_target[hash & core->bucket_mask_target] = t;
	struct core_param *p = *name ? core_param_by_name(core, at->driver, name) : NULL;
	core->steps++;
	if (!p)
		return;
	at->param = (uint32_t)(p - core->param);
	at->same = p->target;
	p->target = t;
}

bool
core_bank_takes(struct bh_core *core, uint32_t t, const struct core_param *p)
{
	if (core->target[t].name[0] || !is_own_target(core, t))
		return false;
	memcpy(target_name(core, t), p->name, sizeof(core->bank_name[0]));
	return true;
}

void
core_bank_hide(struct bh_core *core, uint32_t b)
{
	if (is_own_target(core, core->binding_target[b]))
		detach(core, core->binding_target[b]);
	if (is_own_target(core, core->binding_when[b]))
		detach(core, core->binding_when[b]);
}

static void
show_target(struct bh_core *core, uint32_t t, uint32_t template, const char *item)
{
	char name[BH_NAME_MAX + 8];
	if (!is_own_target(core, t))
		return;
	if (fill_in(name, BH_NAME_MAX + 1, core_str(core, template), item))
		attach(core, t, name, bh_name_hash(name));
	else
		detach(core, t);
}

void
core_bank_show(struct bh_core *core, uint32_t b)
{
	const struct bh_cfg_binding *row = core_binding(core, b);
	const char *item = core_bank_item(core, row);
	if (!item)
		return;
	if (row->driver != BH_DRIVER_PAGE)
		show_target(core, core->binding_target[b], row->target, item);
	show_target(core, core->binding_when[b], row->when.target, item);
}

bool
core_bank_is_same(struct bh_core *core, uint32_t b)
{
	const struct bh_cfg_binding *row = core_binding(core, b);
	const char *item = core_bank_item(core, row);
	char name[BH_NAME_MAX + 8];
	if (row->driver == BH_DRIVER_PAGE || !is_own_target(core, core->binding_target[b]))
		return true;
	return item && fill_in(name, BH_NAME_MAX + 1, core_str(core, row->target), item) &&
	       bh_name_hash(name) == core->target[core->binding_target[b]].hash;
}

void
core_bank_hold(struct bh_core *core, uint32_t b, uint32_t hash)
{
	if (b != NONE && hash && core_binding(core, b)->bank && core_binding(core, b)->driver != BH_DRIVER_PAGE &&
	    is_own_target(core, core->binding_target[b]) && core->target[core->binding_target[b]].hash != hash) {
		const struct core_ctl *c = &core->ctl[core->binding_ctl[b]];
		attach(core, core->binding_target[b], "", hash);
		if (c->entry != NONE)
			core->entry[c->entry].stamp = 0; /* no place has that */
	}
}

bool
core_bank_is_stale(const struct bh_core *core, const struct core_entry *e)
{
	const struct core_bank *bank = bank_of(core, e->bank);
	return bank && e->place < bank->cfg->places && bank->place[e->place].stamp != e->stamp;
}

bool
core_bank_is_blank(const struct bh_core *core, const struct core_entry *e)
{
	const struct core_bank *bank = bank_of(core, e->bank);
	return bank && (e->place >= bank->cfg->places || bank->place[e->place].item == NONE);
}

void
core_bank_stamp(const struct bh_core *core, struct core_entry *e)
{
	const struct core_bank *bank = bank_of(core, e->bank);
	if (bank && e->place < bank->cfg->places)
		e->stamp = bank->place[e->place].stamp;
}

/* ------------------------------------------------------------------ places */

static int64_t
first_wanted(struct bh_core *core, const struct core_bank *bank)
{
	struct core_param *p = core_room_param(core, bank->cfg->room);
	return p && p->type == BH_INT ? core_param_rec(core, p)->reported.i : 0;
}

static uint32_t
first_shown(struct bh_core *core, const struct core_bank *bank)
{
	int64_t first = first_wanted(core, bank), most = bank->flows > bank->free ? bank->flows - bank->free : 0;
	return (uint32_t)(first < 0 ? 0 : first < most ? first : most);
}

/* Put the items on the places. `touched`: an item that is not what it was, or NONE. */
static void
lay_out(struct bh_core *core, struct core_bank *bank, uint32_t touched)
{
	uint32_t next = first_shown(core, bank);
	for (uint32_t k = 0; k < bank->cfg->places; k++) {
		struct core_place *pl = &bank->place[k];
		uint32_t item = *pl->pin ? find_item(bank, pl->pin) : next < bank->flows ? bank->flow[next++] : NONE;
		uint32_t shown = item != NONE && bank->item[item].there ? item : NONE;
		core->steps++;
		if (shown == pl->item && (shown == NONE || shown != touched))
			continue;
		pl->item = shown;
		pl->stamp = ++bank->serial;
	}
}

static void
show_again(struct bh_core *core, const struct core_bank *bank)
{
	uint32_t number = (uint32_t)(bank - core->bank) + 1;
	for (uint32_t k = 0; k < bank->ctls; k++) {
		struct core_ctl *c = &core->ctl[bank->ctl[k]];
		core->steps++;
		if (c->entry != NONE && core->entry[c->entry].bank == number && core_bank_is_stale(core, &core->entry[c->entry]))
			core_ctl_again(core, c);
	}
}

void
core_bank_moved(struct bh_core *core, uint32_t n)
{
	if (n >= core->banks)
		return;
	lay_out(core, &core->bank[n], NONE);
	show_again(core, &core->bank[n]);
}

int
core_bank_action(struct bh_core *core, uint16_t action, const char *name)
{
	for (uint32_t n = 0; n < core->banks; n++) {
		struct core_bank *bank = &core->bank[n];
		struct core_param *p = core_room_param(core, bank->cfg->room);
		int64_t first = first_shown(core, bank), by = 0;
		if (!p || p->type != BH_INT || strcmp(core_str(core, bank->cfg->name), name) != 0)
			continue;
		int64_t most = bank->flows > bank->free ? bank->flows - bank->free : 0;
		by = action == BH_BANK_NEXT		? bank->free
		     : action == BH_BANK_PREVIOUS	? -(int64_t)bank->free
		     : action == BH_BANK_CHANNEL_NEXT	? 1
		     : action == BH_BANK_CHANNEL_PREVIOUS ? -1
							  : -first;
		first += by;
		union bh_val v = {.i = first < 0 ? 0 : first < most ? first : most};
		return core_want(core, p, &v, (uint32_t)BH_SLOT_ROUTER << 16, core->now) ? 0 : -EACCES;
	}
	return -ENOENT;
}

/* ------------------------------------------------------------------ items */

static bool
is_pinned(const struct core_bank *bank, const char *name)
{
	for (uint32_t k = 0; k < bank->cfg->places; k++)
		if (strcmp(bank->place[k].pin, name) == 0)
			return true;
	return false;
}

static void
flow_add(struct core_bank *bank, uint32_t item)
{
	uint32_t at = bank->flows;
	if (is_pinned(bank, bank->item[item].name))
		return;
	while (bank->cfg->flags & BH_BANKF_BY_NAME && at && strcmp(bank->item[bank->flow[at - 1]].name, bank->item[item].name) > 0)
		at--;
	memmove(bank->flow + at + 1, bank->flow + at, (bank->flows - at) * sizeof(*bank->flow));
	bank->flow[at] = item;
	bank->flows++;
}

static void
flow_again(struct core_bank *bank)
{
	bank->flows = 0;
	for (uint32_t k = 0; k < bank->items; k++)
		flow_add(bank, k);
}

/* A place in the list; when it is full, that of one that is gone. */
static uint32_t
item_add(struct core_bank *bank, const char *name)
{
	uint32_t k = bank->items;
	bool again = k == bank->cap;
	for (k = again ? 0 : k; again && k < bank->cap && bank->item[k].there; k++)
		;
	if (k == bank->cap)
		return NONE;
	snprintf(bank->item[k].name, sizeof(bank->item[k].name), "%s", name);
	bank->item[k].hash = bh_name_hash(bank->item[k].name);
	if (again) {
		flow_again(bank);
		return k;
	}
	bank->items++;
	flow_add(bank, k);
	return k;
}

static void
item_is(struct bh_core *core, struct core_bank *bank, uint32_t k, bool there)
{
	if (k == NONE)
		return;
	bank->item[k].there = there;
	lay_out(core, bank, k);
	show_again(core, bank);
}

void
core_bank_offer(struct bh_core *core, const struct core_param *p, const char *was)
{
	char item[BH_NAME_MAX + 8], old[BH_NAME_MAX + 8];
	for (uint32_t n = 0; n < core->banks; n++) {
		struct core_bank *bank = &core->bank[n];
		if (bank->cfg->driver != p->slot || !offered(core, bank, p->name, item))
			continue;
		uint32_t k = find_item(bank, item), before = *was && offered(core, bank, was, old) ? find_item(bank, old) : NONE;
		if (k == NONE && before != NONE && !bank->item[before].there) {
			k = before;
			snprintf(bank->item[k].name, sizeof(bank->item[k].name), "%s", item);
			bank->item[k].hash = bh_name_hash(item);
			flow_again(bank);
		}
		else if (k != NONE && bank->item[k].there)
			continue;
		if (k == NONE)
			k = item_add(bank, item);
		item_is(core, bank, k, true);
	}
}

void
core_bank_gone(struct bh_core *core, const struct core_param *p)
{
	char item[BH_NAME_MAX + 8];
	for (uint32_t n = 0; n < core->banks; n++)
		if (core->bank[n].cfg->driver == p->slot && offered(core, &core->bank[n], p->name, item))
			item_is(core, &core->bank[n], find_item(&core->bank[n], item), false);
}

/* ------------------------------------------------------------------ plan */

void
core_bank_unplan(struct bh_core *core)
{
	for (uint32_t n = 0; core->bank && n < core->banks; n++) {
		free(core->bank[n].item);
		free(core->bank[n].flow);
		free(core->bank[n].place);
		free(core->bank[n].ctl);
	}
	free(core->bank);
	free(core->bank_name);
	core->bank = NULL;
	core->bank_name = NULL;
	core->banks = 0;
}

static uint32_t
count_texts(const char *s, uint32_t len)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < len; k++)
		n += s[k] == '\0';
	return n;
}

static int
plan_bank(struct bh_core *f, struct core_bank *bank)
{
	const struct bh_cfg_bank *cfg = bank->cfg;
	const char *s = core_str(f, cfg->items), *pin = core_str(f, cfg->pins), *end = pin + cfg->pins_len;
	uint32_t listed = count_texts(s, cfg->items_len);
	bank->cap = is_listed(bank) ? listed : cfg->max ? cfg->max : BH_MAX_PARAMS;
	bank->item = calloc(bank->cap + 1, sizeof(*bank->item));
	bank->flow = calloc(bank->cap + 1, sizeof(*bank->flow));
	bank->place = calloc(cfg->places + 1u, sizeof(*bank->place));
	bank->ctl = calloc(f->ctls + 1, sizeof(*bank->ctl));
	if (!bank->item || !bank->flow || !bank->place || !bank->ctl)
		return -ENOMEM;
	for (uint32_t k = 0; k < cfg->places; k++) {
		bool there = cfg->pins_len && pin < end;
		bank->place[k] = (struct core_place){.pin = there ? pin : "", .item = NONE, .stamp = ++bank->serial};
		bank->free += !*bank->place[k].pin;
		pin += there ? strlen(pin) + 1 : 0;
	}
	for (uint32_t k = 0; k < listed; k++, s += strlen(s) + 1) {
		uint32_t item = find_item(bank, s) == NONE ? item_add(bank, s) : NONE;
		if (item != NONE)
			bank->item[item].there = true;
	}
	return 0;
}

static void
plan_controls(struct bh_core *f)
{
	for (uint32_t e = 0; e < f->entries; e++) {
		struct core_bank *bank = bank_of(f, f->entry[e].bank);
		uint32_t k = 0, ctl = f->entry[e].ctl;
		while (bank && k < bank->ctls && bank->ctl[k] != ctl)
			k++;
		if (bank && k == bank->ctls)
			bank->ctl[bank->ctls++] = ctl;
	}
}

bool
core_bank_owns(const struct bh_core *core, const struct bh_cfg_binding *row, bool of_condition)
{
	return row->bank && has_hole(core, of_condition ? row->when.target : row->target);
}

static void
plan_target(struct bh_core *f, uint32_t *of, uint16_t driver)
{
	uint32_t t = f->targets++;
	f->target[t] = (struct core_target){.driver = driver, .name = f->bank_name[t - f->bank_target], .param = NONE, .same = NONE,
					    .react = NONE, .first = NONE, .next = NONE};
	*of = t;
}

int
core_bank_plan(struct bh_core *f)
{
	uint32_t own = 0, banks = bh_config_count(f->config, BH_TAB_BANKS);
	f->bank_target = f->targets;
	f->bank = calloc(banks + 1, sizeof(*f->bank));
	if (!f->bank)
		return -ENOMEM;
	for (f->banks = 0; f->banks < banks; f->banks++) {
		f->bank[f->banks].cfg = bh_config_row(f->config, BH_TAB_BANKS, f->banks);
		if (plan_bank(f, &f->bank[f->banks]) < 0) {
			f->banks++;
			return -ENOMEM;
		}
	}
	for (uint32_t b = 0; banks && b < f->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(f, b);
		own += core_bank_owns(f, row, false) + core_bank_owns(f, row, true);
	}
	f->bank_name = calloc(own + 1, sizeof(*f->bank_name));
	if (!f->bank_name)
		return -ENOMEM;
	for (uint32_t b = 0; own && b < f->bindings; b++) {
		const struct bh_cfg_binding *row = core_binding(f, b);
		if (core_bank_owns(f, row, false) && row->driver < BH_MAX_SLOTS && row->kind != BH_BIND_ACTION)
			plan_target(f, &f->binding_target[b], row->driver);
		if (core_bank_owns(f, row, true) && row->when.op != BH_COND_ALWAYS && row->when.driver < BH_MAX_SLOTS)
			plan_target(f, &f->binding_when[b], row->when.driver);
	}
	plan_controls(f);
	return 0;
}

void
core_bank_start(struct bh_core *core)
{
	for (uint32_t n = 0; n < core->banks; n++)
		lay_out(core, &core->bank[n], NONE);
}
