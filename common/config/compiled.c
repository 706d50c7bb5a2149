/*
 * compiled.c - reading compiled configurations
 *
 * Everything is checked once, when an image is opened: it is write-sealed, so what was true then stays true. A damaged image is
 * refused as a whole (-EPROTO). Nothing here allocates.
 */
#include "common/config/compiled.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "shm/crc.h"

static const size_t row_size[BH_TAB_COUNT] = {
	[BH_TAB_PROCS] = sizeof(struct bh_cfg_proc),	   [BH_TAB_SURFACES] = sizeof(struct bh_cfg_surface),
	[BH_TAB_CONTROLS] = sizeof(struct bh_cfg_control), [BH_TAB_PAGES] = sizeof(struct bh_cfg_page),
	[BH_TAB_BINDINGS] = sizeof(struct bh_cfg_binding), [BH_TAB_ACTIONS] = sizeof(struct bh_cfg_action),
	[BH_TAB_OPTIONS] = sizeof(struct bh_cfg_option),   [BH_TAB_STEPS] = sizeof(struct bh_cfg_step),
	[BH_TAB_REACTIONS] = sizeof(struct bh_cfg_reaction), [BH_TAB_BANKS] = sizeof(struct bh_cfg_bank),
	[BH_TAB_ROOM] = sizeof(struct bh_cfg_room),
};

/* ------------------------------------------------------------------ rows and strings */

uint32_t
bh_config_count(const struct bh_config *c, enum bh_cfg_table table)
{
	return c->head && (size_t)table < BH_TAB_COUNT ? c->head->table[table].count : 0;
}

const void *
bh_config_row(const struct bh_config *c, enum bh_cfg_table table, uint32_t n)
{
	if (n >= bh_config_count(c, table))
		return NULL;
	const struct bh_cfg_range *t = &c->head->table[table];
	return (const uint8_t *)c->head + t->off + (size_t)n * t->stride;
}

const char *
bh_config_str(const struct bh_config *c, uint32_t off)
{
	return c->head && off < c->strings_len ? c->strings + off : "";
}

const struct bh_cfg_option *
bh_config_option(const struct bh_config *c, const char *key)
{
	uint32_t n = bh_config_count(c, BH_TAB_OPTIONS);
	for (uint32_t i = 0; i < n; i++) {
		const struct bh_cfg_option *o = bh_config_row(c, BH_TAB_OPTIONS, i);
		if (strcmp(bh_config_str(c, o->key), key) == 0)
			return o;
	}
	return NULL;
}

const struct bh_cfg_surface *
bh_config_surface(const struct bh_config *c, uint16_t slot)
{
	uint32_t n = bh_config_count(c, BH_TAB_SURFACES);
	for (uint32_t i = 0; i < n; i++) {
		const struct bh_cfg_surface *s = bh_config_row(c, BH_TAB_SURFACES, i);
		if (s->slot == slot)
			return s;
	}
	return NULL;
}

const struct bh_cfg_control *
bh_config_control(const struct bh_config *c, const struct bh_cfg_surface *s, uint32_t n)
{
	return n < s->controls ? bh_config_row(c, BH_TAB_CONTROLS, s->first_control + n) : NULL;
}

int
bh_config_find_control(const struct bh_config *c, const struct bh_cfg_surface *s, const char *name)
{
	for (uint32_t i = 0; i < s->controls; i++) {
		const struct bh_cfg_control *ctl = bh_config_control(c, s, i);
		if (ctl && strncmp(ctl->name, name, sizeof(ctl->name)) == 0)
			return (int)i;
	}
	return -ENOENT;
}

const struct bh_cfg_proc *
bh_config_proc(const struct bh_config *c, uint16_t slot)
{
	uint32_t n = bh_config_count(c, BH_TAB_PROCS);
	for (uint32_t i = 0; i < n; i++) {
		const struct bh_cfg_proc *p = bh_config_row(c, BH_TAB_PROCS, i);
		if (p->slot == slot)
			return p;
	}
	return NULL;
}

const struct bh_cfg_proc *
bh_config_find_proc(const struct bh_config *c, const char *name)
{
	uint32_t n = bh_config_count(c, BH_TAB_PROCS);
	for (uint32_t i = 0; i < n; i++) {
		const struct bh_cfg_proc *p = bh_config_row(c, BH_TAB_PROCS, i);
		if (strcmp(bh_config_str(c, p->name), name) == 0)
			return p;
	}
	return NULL;
}

/* ------------------------------------------------------------------ checks */

uint32_t
bh_config_checksum(const struct bh_cfg_head *head, size_t size)
{
	struct bh_cfg_head h = *head;
	h.check = 0;
	uint32_t crc = bh_crc32c(0, head + 1, size - sizeof(h));
	return bh_crc32c(crc, &h, sizeof(h));
}

static bool
is_head_sound(const struct bh_cfg_head *h, size_t size)
{
	if (h->magic != BH_CFG_MAGIC || h->version != BH_CFG_VERSION || h->size != size)
		return false;
	if (h->strings_off < sizeof(*h) || h->strings_off > size || h->strings_len > size - h->strings_off)
		return false;
	/* Offset 0 is the empty string, and no string runs out of the area. */
	const char *strings = (const char *)h + h->strings_off;
	if (!h->strings_len || strings[0] || strings[h->strings_len - 1] || h->file_off >= h->strings_len)
		return false;
	for (size_t i = 0; i < BH_TAB_COUNT; i++) {
		const struct bh_cfg_range *t = &h->table[i];
		if (!t->count)
			continue;
		/* A newer writer's rows may be longer; a table we do not know is left alone, but must be inside. */
		if (t->stride < row_size[i] || t->stride % 8 || !t->stride || t->off % 8 || t->off < sizeof(*h) ||
		    t->off > size || (uint64_t)t->count * t->stride > size - t->off)
			return false;
	}
	return true;
}

static bool
is_string(const struct bh_config *c, uint32_t off)
{
	return off < c->strings_len;
}

/* `len` bytes of NUL-terminated texts. */
static bool
is_text_list(const struct bh_config *c, uint32_t off, uint32_t len)
{
	return len == 0 || (off < c->strings_len && len <= c->strings_len - off && !c->strings[off + len - 1]);
}

/* How many texts stand in a list that is_text_list(). */
static uint32_t
text_count(const struct bh_config *c, uint32_t off, uint32_t len)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < len; i++)
		n += !c->strings[off + i];
	return n;
}

static bool
is_proc_sound(const struct bh_config *c, const struct bh_cfg_proc *p)
{
	if (!is_string(c, p->name) || !is_string(c, p->kind) || !is_string(c, p->binary))
		return false;
	if (p->slot >= BH_MAX_SLOTS || p->role == BH_ROLE_NONE || p->role > BH_ROLE_DRIVER)
		return false;
	/* Names go into segments and the process table with room for 31 bytes, kinds for 23. */
	if (!*bh_config_str(c, p->name) || strlen(bh_config_str(c, p->name)) > 31 ||
	    strlen(bh_config_str(c, p->kind)) > 23)
		return false;
	if (p->params > BH_MAX_PARAMS || p->records > BH_MAX_PARAMS || p->record_base > BH_CFG_RECORDS_MAX ||
	    (p->ring_slots & (p->ring_slots - 1)) || p->ring_slots > BH_CFG_RING_MAX)
		return false;
	return bh_config_proc(c, p->slot) == p && bh_config_find_proc(c, bh_config_str(c, p->name)) == p;
}

static bool
is_surface_sound(const struct bh_config *c, const struct bh_cfg_surface *s)
{
	const struct bh_cfg_proc *p = bh_config_proc(c, s->slot);
	uint32_t all = bh_config_count(c, BH_TAB_CONTROLS);
	const struct bh_cfg_room *room = bh_config_row(c, BH_TAB_ROOM, s->page_room);
	if (s->page_room && (!room || room->kind != BH_ROOM_PAGE))
		return false;
	return p && p->role == BH_ROLE_SURFACE && s->controls <= BH_MAX_CONTROLS && s->first_control <= all &&
	       s->controls <= all - s->first_control && is_string(c, s->device) && bh_config_surface(c, s->slot) == s;
}

static bool
is_control_sound(const struct bh_cfg_control *ctl)
{
	return memchr(ctl->name, '\0', sizeof(ctl->name)) && ctl->name[0] && ctl->kind >= BH_CTL_FADER &&
	       ctl->kind < BH_CTL_KIND_COUNT;
}

/* NaN and infinity would spread into what the router keeps. */
static bool
is_finite(double x)
{
	return x - x == 0;
}

static bool
is_operand_sound(const struct bh_config *c, const struct bh_cfg_operand *o)
{
	return (o->type == BH_NONE || o->type == BH_FLOAT || o->type == BH_TEXT) && is_finite(o->num) && is_string(c, o->text);
}

/* A driver's slot, the router's own parameters, or nothing. */
static bool
is_driver(const struct bh_config *c, uint16_t slot)
{
	const struct bh_cfg_proc *p = slot == BH_SLOT_NONE || slot == BH_SLOT_ROUTER ? NULL : bh_config_proc(c, slot);
	return slot == BH_SLOT_NONE || slot == BH_SLOT_ROUTER || (p && p->role == BH_ROLE_DRIVER);
}

static bool
is_name(const struct bh_config *c, uint32_t off)
{
	return is_string(c, off) && strlen(bh_config_str(c, off)) <= BH_NAME_MAX;
}

static bool
is_cond_sound(const struct bh_config *c, const struct bh_cfg_cond *cond)
{
	return cond->op == BH_COND_ALWAYS || (cond->op < BH_COND_COUNT && is_driver(c, cond->driver) &&
					      is_name(c, cond->target) && is_operand_sound(c, &cond->with));
}

static bool
are_steps(const struct bh_config *c, uint32_t first, uint32_t count)
{
	uint32_t all = bh_config_count(c, BH_TAB_STEPS);
	return !count || (first <= all && count <= all - first);
}

static bool
is_room(const struct bh_config *c, uint32_t row)
{
	return row < bh_config_count(c, BH_TAB_ROOM);
}

static bool
is_step_sound(const struct bh_config *c, const struct bh_cfg_step *s)
{
	return s->kind && s->kind < BH_STEP_KIND_COUNT && (s->driver == BH_DRIVER_PAGE || is_driver(c, s->driver)) &&
	       is_name(c, s->target) && is_text_list(c, s->args, s->args_len) && is_operand_sound(c, &s->to) &&
	       is_cond_sound(c, &s->when);
}

static bool
is_reaction_sound(const struct bh_config *c, const struct bh_cfg_reaction *r)
{
	return is_cond_sound(c, &r->when) && is_room(c, r->room) && are_steps(c, r->step_first, r->steps) &&
	       are_steps(c, r->else_first, r->else_steps) &&
	       (r->page == BH_PAGE_GLOBAL || r->page < bh_config_count(c, BH_TAB_PAGES));
}

static bool
is_bank_sound(const struct bh_config *c, const struct bh_cfg_bank *b)
{
	return is_string(c, b->name) && is_room(c, b->room) && is_driver(c, b->driver) && is_name(c, b->before) &&
	       is_name(c, b->after) && is_text_list(c, b->items, b->items_len) && is_text_list(c, b->pins, b->pins_len) &&
	       b->places <= BH_MAX_CONTROLS && b->max <= BH_MAX_PARAMS &&
	       (!b->pins_len || text_count(c, b->pins, b->pins_len) == b->places);
}

static bool
is_room_sound(const struct bh_config *c, const struct bh_cfg_room *r)
{
	if (!is_name(c, r->name) || !r->kind || r->kind >= BH_ROOM_KIND_COUNT || !is_text_list(c, r->choices, r->choices_len))
		return false;
	if (r->kind == BH_ROOM_BANK && r->ref >= bh_config_count(c, BH_TAB_BANKS))
		return false;
	return text_count(c, r->choices, r->choices_len) == r->count && is_operand_sound(c, &r->def);
}

static bool
is_binding_sound(const struct bh_config *c, const struct bh_cfg_binding *b)
{
	const struct bh_cfg_surface *s = bh_config_surface(c, b->surface);
	if (!s || b->control >= s->controls || !b->kind || b->kind >= BH_BIND_KIND_COUNT || b->ring > BH_RING_SPREAD ||
	    b->part >= BH_PART_COUNT || b->effect >= BH_FX_COUNT)
		return false;
	if (b->page != BH_PAGE_GLOBAL && b->page >= bh_config_count(c, BH_TAB_PAGES))
		return false;
	if (b->driver != BH_DRIVER_PAGE && !is_driver(c, b->driver))
		return false;
	if (!is_name(c, b->target) || !is_string(c, b->text) || !is_string(c, b->label) ||
	    !is_text_list(c, b->args, b->args_len) || !is_text_list(c, b->choices, b->choices_len))
		return false;
	if ((b->layer && !is_room(c, b->layer - 1u)) || !are_steps(c, b->step_first, b->steps) ||
	    b->bank > bh_config_count(c, BH_TAB_BANKS))
		return false;
	return b->color < 8 && is_finite(b->min) && is_finite(b->max) && is_finite(b->step) && is_finite(b->curve) &&
	       is_finite(b->fine) && is_operand_sound(c, &b->on) && is_operand_sound(c, &b->off) && is_cond_sound(c, &b->when);
}

/* No circle: each chain of inheritance ends within as many pages as there are. */
static bool
is_inheritance_sound(const struct bh_config *c)
{
	uint32_t pages = bh_config_count(c, BH_TAB_PAGES);
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t up = i + 1, links = 0;
		for (; up && up <= pages && links <= pages; links++)
			up = ((const struct bh_cfg_page *)bh_config_row(c, BH_TAB_PAGES, up - 1))->inherit;
		if (up)
			return false;
	}
	return true;
}

/* Each page's bindings stand together, the global ones behind them all, and every one belongs to its page. */
static bool
are_pages_sound(const struct bh_config *c)
{
	uint32_t pages = bh_config_count(c, BH_TAB_PAGES), all = bh_config_count(c, BH_TAB_BINDINGS), next = 0;
	if (pages >= BH_DRIVER_PAGE)
		return false;
	for (uint32_t i = 0; i < pages; i++) {
		const struct bh_cfg_page *p = bh_config_row(c, BH_TAB_PAGES, i);
		if (!is_string(c, p->name) || p->first != next || p->count > all - next || p->color > 7)
			return false;
		next += p->count;
		for (uint32_t k = 0; k < p->count; k++)
			if (((const struct bh_cfg_binding *)bh_config_row(c, BH_TAB_BINDINGS, p->first + k))->page != i)
				return false;
	}
	for (; next < all; next++)
		if (((const struct bh_cfg_binding *)bh_config_row(c, BH_TAB_BINDINGS, next))->page != BH_PAGE_GLOBAL)
			return false;
	return true;
}

#define ALL_ROWS(c, table, type, is_sound)                                                         \
	({                                                                                         \
		bool sound_ = true;                                                                \
		for (uint32_t i_ = 0; sound_ && i_ < bh_config_count(c, table); i_++) {            \
			const type *row_ = bh_config_row(c, table, i_);                            \
			sound_ = is_sound;                                                         \
		}                                                                                  \
		sound_;                                                                            \
	})

static bool
are_rows_sound(const struct bh_config *c)
{
	if (bh_config_count(c, BH_TAB_PROCS) > BH_MAX_SLOTS || bh_config_count(c, BH_TAB_SURFACES) > BH_MAX_SLOTS)
		return false;
	return ALL_ROWS(c, BH_TAB_PROCS, struct bh_cfg_proc, is_proc_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_SURFACES, struct bh_cfg_surface, is_surface_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_CONTROLS, struct bh_cfg_control, is_control_sound(row_)) &&
	       are_pages_sound(c) && is_inheritance_sound(c) &&
	       ALL_ROWS(c, BH_TAB_BINDINGS, struct bh_cfg_binding, is_binding_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_STEPS, struct bh_cfg_step, is_step_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_REACTIONS, struct bh_cfg_reaction, is_reaction_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_BANKS, struct bh_cfg_bank, is_bank_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_ROOM, struct bh_cfg_room, is_room_sound(c, row_)) &&
	       ALL_ROWS(c, BH_TAB_ACTIONS, struct bh_cfg_action,
			is_string(c, row_->kind) && is_string(c, row_->name) && is_string(c, row_->help)) &&
	       ALL_ROWS(c, BH_TAB_OPTIONS, struct bh_cfg_option,
			is_string(c, row_->key) && is_string(c, row_->text));
}

int
bh_config_open(struct bh_config *c, const void *image, size_t size)
{
	const struct bh_cfg_head *h = image;
	*c = (struct bh_config){0};
	if (size < sizeof(*h) || size > BH_CFG_SIZE_MAX || (uintptr_t)image % 8)
		return -EPROTO;
	if (!is_head_sound(h, size) || h->check != bh_config_checksum(h, size))
		return -EPROTO;
	*c = (struct bh_config){
		.head = h,
		.size = size,
		.strings = (const char *)image + h->strings_off,
		.strings_len = h->strings_len,
	};
	if (!are_rows_sound(c)) {
		*c = (struct bh_config){0};
		return -EPROTO;
	}
	return 0;
}

int
bh_config_map(struct bh_config *c, int fd)
{
	struct stat st;
	*c = (struct bh_config){0};
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return errno == EINVAL ? -EPERM : -errno;
	/* Shrinking would be a SIGBUS, writing would undo the checks. */
	if (~seals & (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW))
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct bh_cfg_head) || st.st_size > (off_t)BH_CFG_SIZE_MAX)
		return -EPROTO;
	size_t size = (size_t)st.st_size;
	void *image = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		return -errno;
	int r = bh_config_open(c, image, size);
	if (r < 0)
		munmap(image, size);
	return r;
}

void
bh_config_unmap(struct bh_config *c)
{
	if (c->head)
		munmap((void *)c->head, c->size);
	*c = (struct bh_config){0};
}
