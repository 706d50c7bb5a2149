/*
 * compile.c - see compile.h
 *
 * The order: processes (names, kinds, options), the room, pages and bindings, then slots and records, then the tables. Nothing is written
 * unless all was right.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/mem.h"
#include "common/records.h"
#include "procs/config/compile_int.h"
#include "shm/crc.h"

/* The processes that are always there, by slot. */
static const struct {
	const char *name;
	enum bh_role role;
} fixed[BH_SLOT_FIRST_FREE] = {
	[BH_SLOT_SUPERVISOR] = {"supervisor", BH_ROLE_SUPERVISOR},
	[BH_SLOT_ROUTER] = {"router", BH_ROLE_ROUTER},
	[BH_SLOT_CONTROL] = {"control", BH_ROLE_CONTROL},
	[BH_SLOT_STORE] = {"store", BH_ROLE_STORE},
};

/* Names that mean something else where a driver or surface could stand. */
static const char *const reserved[] = {"supervisor", "router", "control", "store", "keeper", "bulkhead",
					   "page", "bank", "channel", "global", BH_ROOM_NAME};

/* ------------------------------------------------------------------ processes */

static void
add_fixed(struct compile *c)
{
	for (uint16_t slot = 0; slot < BH_SLOT_FIRST_FREE; slot++) {
		struct process *p = &c->process[c->processes++];
		p->name = fixed[slot].name;
		p->role = fixed[slot].role;
		p->slot = slot;
		p->place = node_key(c->root, p->name);
		p->common.start = true;
		compile_options(c, p, node_get(c->root, p->name), p->name);
	}
}

static bool
check_name(struct compile *c, const struct node *key, const char *path)
{
	const char *name = key->text;
	size_t len = strlen(name);
	bool good = len >= 1 && len <= 31 && isalpha((unsigned char)name[0]);
	for (size_t i = 0; good && i < len; i++)
		good = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-';
	if (!good) {
		COMPLAIN(c, key, path, NULL, "a name has 1 to 31 letters, digits, - and _, and begins with a letter");
		return false;
	}
	for (size_t i = 0; i < BH_ARRAY_LEN(reserved); i++) {
		if (strcmp(name, reserved[i]) == 0) {
			COMPLAIN(c, key, path, NULL, "this name is taken by Bulkhead itself");
			return false;
		}
	}
	for (uint32_t i = 0; i < c->processes; i++) {
		if (strcmp(c->process[i].name, name) == 0) {
			COMPLAIN(c, key, path, NULL, "there is a surface of this name in line %u",
				 c->process[i].place ? c->process[i].place->line : 0);
			return false;
		}
	}
	return true;
}

static void
add_section(struct compile *c, const char *section, enum bh_role role)
{
	const struct node *map = node_get(c->root, section);
	if (!map || map->is_null)
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, section, NULL, "is a mapping: a name, and its options");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		const struct node *key = map->item[2 * i];
		const char *path = arena_print(c->arena, "%s.%s", section, key->text);
		if (!check_name(c, key, path))
			continue;
		if (c->processes >= BH_MAX_SLOTS) {
			COMPLAIN(c, key, path, NULL, "too many processes, at most %u surfaces and drivers together",
				 BH_MAX_SLOTS - BH_SLOT_FIRST_FREE);
			return;
		}
		struct process *p = &c->process[c->processes++];
		p->name = key->text;
		p->role = role;
		p->place = key;
		/* A provisional one: bindings are sorted by it. See give_slots(). */
		p->slot = (uint16_t)(c->processes - 1);
		compile_options(c, p, map->item[2 * i + 1], path);
		p->records = role == BH_ROLE_SURFACE ? BH_MAX_CONTROLS : p->common.params;
	}
}

/* ------------------------------------------------------------------ slots and records */

static const struct bh_cfg_proc *
in_previous(const struct compile *c, const struct process *p)
{
	const struct bh_config *before = c->env->previous;
	const struct bh_cfg_proc *was = before ? bh_config_find_proc(before, p->name) : NULL;
	if (!was || was->slot < BH_SLOT_FIRST_FREE || !p->kind || was->role != p->role ||
	    strcmp(bh_config_str(before, was->kind), p->kind->name) != 0)
		return NULL;
	return was;
}

/* Who was there before keeps the slot; a slot that somebody has just left is given away last. */
static void
give_slots(struct compile *c)
{
	bool is_taken[BH_MAX_SLOTS] = {0}, was_used[BH_MAX_SLOTS] = {0};
	for (uint32_t i = 0; i < BH_SLOT_FIRST_FREE; i++)
		is_taken[i] = true;
	for (uint32_t i = 0; c->env->previous && i < bh_config_count(c->env->previous, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *was = bh_config_row(c->env->previous, BH_TAB_PROCS, i);
		was_used[was->slot] = true;
	}
	for (uint32_t i = BH_SLOT_FIRST_FREE; i < c->processes; i++) {
		const struct bh_cfg_proc *was = in_previous(c, &c->process[i]);
		c->process[i].slot = was ? was->slot : BH_SLOT_NONE;
		if (was)
			is_taken[was->slot] = true;
	}
	for (uint32_t i = BH_SLOT_FIRST_FREE; i < c->processes; i++) {
		struct process *p = &c->process[i];
		for (unsigned pass = 0; pass < 2 && p->slot == BH_SLOT_NONE; pass++) {
			for (uint16_t s = BH_SLOT_FIRST_FREE; s < BH_MAX_SLOTS && p->slot == BH_SLOT_NONE; s++)
				if (!is_taken[s] && (pass || !was_used[s]))
					p->slot = s;
		}
		is_taken[p->slot] = true;
	}
}

static bool
is_free(const struct compile *c, uint32_t base, uint32_t count)
{
	for (uint32_t i = 0; i < c->processes; i++) {
		const struct process *p = &c->process[i];
		if (p->record_base && base < p->record_base + p->records && p->record_base < base + count)
			return false;
	}
	return base + count <= BH_CFG_RECORDS_MAX;
}

/* The router's come last: those of others stay where they are when it has its first. */
static struct process *
nth_with_records(struct compile *c, uint32_t n)
{
	return n + BH_SLOT_FIRST_FREE < c->processes ? &c->process[n + BH_SLOT_FIRST_FREE] : &c->process[BH_SLOT_ROUTER];
}

static const struct bh_cfg_proc *
had_records(const struct compile *c, const struct process *p)
{
	if (p->role == BH_ROLE_ROUTER)
		return c->env->previous ? bh_config_proc(c->env->previous, BH_SLOT_ROUTER) : NULL;
	return in_previous(c, p);
}

static void
give_records(struct compile *c)
{
	uint32_t count = c->processes - BH_SLOT_FIRST_FREE + 1;
	for (uint32_t i = 0; i < count; i++) {
		struct process *p = nth_with_records(c, i);
		const struct bh_cfg_proc *was = had_records(c, p);
		if (was && was->records == p->records && was->record_base >= BH_REC_FIRST &&
		    is_free(c, was->record_base, was->records))
			p->record_base = was->record_base;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct process *p = nth_with_records(c, i);
		uint32_t base = BH_REC_FIRST;
		if (p->record_base)
			continue;
		/* Free room begins where something ends. */
		for (uint32_t k = 0; k <= c->processes && !is_free(c, base, p->records); k++) {
			uint32_t end = UINT32_MAX;
			for (uint32_t n = 0; n < c->processes; n++) {
				const struct process *q = &c->process[n];
				if (q->record_base && q->record_base + q->records > base &&
				    q->record_base + q->records < end)
					end = q->record_base + q->records;
			}
			base = end;
		}
		if (base == UINT32_MAX || !is_free(c, base, p->records)) {
			COMPLAIN(c, p->place ? p->place : c->root, p->name, NULL, "the parameters of all drivers together are too many");
			return;
		}
		p->record_base = base;
	}
}

static void
rename_slot(uint16_t *slot, const uint16_t *now)
{
	if (*slot < BH_MAX_SLOTS)
		*slot = now[*slot];
}

/* Everything was read with provisional slots. */
static void
rename_slots(struct compile *c, const uint16_t *provisional)
{
	uint16_t now[BH_MAX_SLOTS] = {0};
	for (uint32_t i = 0; i < c->processes; i++)
		now[provisional[i]] = c->process[i].slot;
	for (uint32_t i = 0; i < c->bindings; i++) {
		rename_slot(&c->binding[i].surface, now);
		rename_slot(&c->binding[i].driver, now);
		rename_slot(&c->binding[i].when.driver, now);
	}
	for (uint32_t i = 0; i < c->steps; i++) {
		rename_slot(&c->step[i].driver, now);
		rename_slot(&c->step[i].when.driver, now);
	}
	for (uint32_t i = 0; i < c->reactions; i++)
		rename_slot(&c->reaction[i].when.driver, now);
	for (uint32_t i = 0; i < c->banks; i++)
		rename_slot(&c->bank[i].row.driver, now);
}

/* ------------------------------------------------------------------ tables */

static void
write_proc(struct compile *c, const struct process *p)
{
	char binary[4096];
	const char *kind = p->kind ? p->kind->name : p->name;
	snprintf(binary, sizeof(binary), "bh-%s", kind);
	if (c->env->program) {
		const char *name = arena_copy(c->arena, binary, strlen(binary));
		if (c->env->program(binary, sizeof(binary), name) < 0)
			COMPLAIN(c, p->place ? p->place : c->root, p->name, NULL, "its program %s was not found", name);
	}
	struct bh_cfg_proc row = {
		.name = put_text(c, p->name),
		.kind = put_text(c, kind),
		.binary = put_text(c, binary),
		.slot = p->slot,
		.role = (uint8_t)p->role,
		.autostart = p->common.start,
		.ring_slots = p->common.ring_slots,
		.params = p->role == BH_ROLE_DRIVER ? p->common.params : 0,
		.hang_ms = p->common.hang_ms,
		.max_age_ms = p->common.max_age_ms,
		.ready_ms = p->common.ready_ms,
		.options_check = options_check(p, false),
		.live_check = options_check(p, true),
		.place = place_of(p->place),
		.record_base = p->record_base,
		.records = p->records,
	};
	bh_config_writer_row(c->w, BH_TAB_PROCS, &row, sizeof(row));
}

static void
write_surface(struct compile *c, const struct process *p)
{
	struct bh_cfg_surface row = {
		.slot = p->slot,
		.controls = (uint16_t)p->device->controls,
		.device = put_text(c, p->device->name),
		.strips = p->device->strips,
		.page_room = p->page_room,
	};
	for (uint32_t i = 0; i < p->device->controls; i++) {
		uint32_t n = bh_config_writer_row(c->w, BH_TAB_CONTROLS, &p->device->control[i],
						  sizeof(struct bh_cfg_control));
		if (i == 0)
			row.first_control = n;
	}
	bh_config_writer_row(c->w, BH_TAB_SURFACES, &row, sizeof(row));
}

static void
write_actions(struct compile *c, const struct kind *k)
{
	for (uint32_t i = 0; i < k->actions; i++) {
		const struct action *a = &k->action[i];
		struct bh_cfg_action row = {
			.kind = put_text(c, k->name), .name = put_text(c, a->name), .index = a->index,
			.args = a->required, .help = put_text(c, a->help),
		};
		bh_config_writer_row(c->w, BH_TAB_ACTIONS, &row, sizeof(row));
	}
}

static struct bh_config_writer *
write_options(const struct process *p)
{
	struct bh_config_writer *w = bh_config_writer_new();
	for (uint32_t i = 0; w && i < p->options; i++) {
		const struct option *o = &p->option[i];
		struct bh_cfg_option row = {
			.key = bh_config_writer_str(w, o->key, strlen(o->key)),
			.text = bh_config_writer_str(w, o->text, strlen(o->text)),
			.place = o->place,
		};
		bh_config_writer_row(w, BH_TAB_OPTIONS, &row, sizeof(row));
	}
	return w;
}

static void
write_tables(struct compile *c, struct compiled *out)
{
	for (uint32_t i = 0; i < c->processes; i++) {
		const struct process *p = &c->process[i];
		bool first_of_kind = p->kind;
		write_proc(c, p);
		if (p->role == BH_ROLE_SURFACE)
			write_surface(c, p);
		for (uint32_t k = 0; k < i; k++)
			first_of_kind = first_of_kind && c->process[k].kind != p->kind;
		if (first_of_kind)
			write_actions(c, p->kind);
		out->options[p->slot] = write_options(p);
		out->name[p->slot] = p->name;
	}
	for (uint32_t i = 0; i < c->pages; i++)
		bh_config_writer_row(c->w, BH_TAB_PAGES, &c->page[i], sizeof(c->page[i]));
	for (uint32_t i = 0; i < c->bindings; i++)
		bh_config_writer_row(c->w, BH_TAB_BINDINGS, &c->binding[i], sizeof(c->binding[i]));
	for (uint32_t i = 0; i < c->steps; i++)
		bh_config_writer_row(c->w, BH_TAB_STEPS, &c->step[i], sizeof(c->step[i]));
	for (uint32_t i = 0; i < c->reactions; i++)
		bh_config_writer_row(c->w, BH_TAB_REACTIONS, &c->reaction[i], sizeof(c->reaction[i]));
	for (uint32_t i = 0; i < c->banks; i++)
		bh_config_writer_row(c->w, BH_TAB_BANKS, &c->bank[i].row, sizeof(c->bank[i].row));
	write_room(c);
}

/* ------------------------------------------------------------------ the whole */

static void
check_root(struct compile *c)
{
	const struct node *version = node_get(c->root, "bulkhead");
	check_section(c, c->root, "root", "");
	if (!version)
		COMPLAIN(c, c->root, "bulkhead", NULL, "is required: the version of the format; write bulkhead: 1");
	else if (version->kind != NODE_TEXT || strcmp(version->text, "1") != 0)
		COMPLAIN(c, version, "bulkhead", NULL, "this program reads version 1 of the format");
}

static void
compile_all(struct compile *c, struct compiled *out)
{
	uint16_t provisional[BH_MAX_SLOTS];
	check_root(c);
	add_fixed(c);
	add_section(c, "surfaces", BH_ROLE_SURFACE);
	add_section(c, "drivers", BH_ROLE_DRIVER);
	compile_pages(c);
	if (c->report->count)
		return;
	for (uint32_t i = 0; i < c->processes; i++)
		provisional[i] = c->process[i].slot;
	give_slots(c);
	give_records(c);
	rename_slots(c, provisional);
	order_bindings(c);
	write_tables(c, out);
}

int
bh_config_compile(const char *text, size_t len, const struct compile_env *env, struct arena *arena,
		  struct report *report, struct compiled *out)
{
	struct source *src = arena_alloc(arena, sizeof(*src));
	struct compile c = {.arena = arena, .report = report, .env = env, .src = src};
	*src = (struct source){.path = env->path, .text = text, .len = len};
	*out = (struct compiled){0};
	c.process = arena_alloc(arena, BH_MAX_SLOTS * sizeof(*c.process));
	c.root = tree_parse(arena, report, src);
	if (!c.root && !report->count)
		report_add(report, src, 0, 0, NULL, NULL, "the file is empty; it begins with bulkhead: 1");
	if (c.root && c.root->kind != NODE_MAP)
		COMPLAIN(&c, c.root, NULL, NULL, "the file is a mapping; it begins with bulkhead: 1");
	if (!c.root || c.root->kind != NODE_MAP)
		return -EINVAL;
	c.w = out->common = bh_config_writer_new();
	if (!c.w)
		return -ENOMEM;
	compile_all(&c, out);
	out->root = c.root;
	if (!report->count)
		return 0;
	compiled_fini(out);
	return -EINVAL;
}

void
compiled_fini(struct compiled *c)
{
	bh_config_writer_free(c->common);
	for (size_t i = 0; i < BH_MAX_SLOTS; i++)
		bh_config_writer_free(c->options[i]);
	*c = (struct compiled){0};
}
