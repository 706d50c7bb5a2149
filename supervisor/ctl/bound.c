/* bound.c - see bound.h */
#include "supervisor/ctl/bound.h"

#include <stdio.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/words.h"

#define PAGES_DEEP 16u

/* The record of a row of BH_TAB_ROOM. */
static bool
room_record(const struct bh_view *v, uint32_t row, struct bh_rec_param *out)
{
	uint32_t n = bh_view_record(v, BH_SLOT_ROUTER, row);
	return n != BH_REC_NONE && bh_view_state_read(v, n, out) && out->tag == BH_REC_TAG_PARAM;
}

static int64_t
room_number(const struct bh_view *v, uint32_t row, int64_t def)
{
	struct bh_rec_param r;
	union bh_val val;
	return room_record(v, row, &r) && bh_param_newest(&r, &val, NULL) != BH_NONE ? val.i : def;
}

bool
bound_room_is_on(const struct bh_view *v, const char *name)
{
	for (uint32_t k = 0; v->config && k < bh_config_count(v->config, BH_TAB_ROOM); k++) {
		const struct bh_cfg_room *row = bh_config_row(v->config, BH_TAB_ROOM, k);
		if (strcmp(bh_config_str(v->config, row->name), name) == 0)
			return room_number(v, k, 0) != 0;
	}
	return false;
}

uint32_t
bound_page(const struct bh_view *v, uint16_t surface)
{
	const struct bh_cfg_surface *s = bh_config_surface(v->config, surface);
	struct bh_rec_global g;
	uint32_t page = bh_view_global(v, &g) ? g.page : 0;
	return s && s->page_room ? (uint32_t)room_number(v, s->page_room, page) : page;
}

static void
take(struct bound *out, const struct bh_cfg_binding *b, bool *fresh)
{
	if (*fresh) {
		memset(out->part, 0, sizeof(out->part));
		out->lights = 0;
	}
	*fresh = false;
	if (!out->part[b->part])
		out->part[b->part] = b;
	if (b->part == BH_PART_LIGHT && out->lights < BOUND_LIGHTS)
		out->light[out->lights++] = b;
}

static void
take_range(const struct bh_view *v, uint16_t surface, uint32_t control, uint32_t page, uint32_t layer, struct bound *out)
{
	bool fresh = true;
	for (uint32_t i = 0; i < bh_config_count(v->config, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(v->config, BH_TAB_BINDINGS, i);
		if (b->page == page && b->layer == layer && b->surface == surface && b->control == control)
			take(out, b, &fresh);
	}
}

static void
take_page(const struct bh_view *v, uint16_t surface, uint32_t control, uint32_t page, uint32_t layer, unsigned depth, struct bound *out)
{
	const struct bh_cfg_page *row = bh_config_row(v->config, BH_TAB_PAGES, page);
	if (!row || depth > PAGES_DEEP)
		return;
	if (row->inherit)
		take_page(v, surface, control, row->inherit - 1, layer, depth + 1, out);
	take_range(v, surface, control, page, layer, out);
}

void
bound_find(const struct bh_view *v, uint16_t surface, uint32_t control, struct bound *out)
{
	memset(out, 0, sizeof(*out));
	out->page = bound_page(v, surface);
	take_range(v, surface, control, BH_PAGE_GLOBAL, 0, out);
	take_page(v, surface, control, out->page, 0, 0, out);
	for (uint32_t k = 0; k < bh_config_count(v->config, BH_TAB_ROOM); k++) {
		const struct bh_cfg_room *row = bh_config_row(v->config, BH_TAB_ROOM, k);
		if (row->kind != BH_ROOM_LAYER || !room_number(v, k, 0))
			continue;
		take_range(v, surface, control, BH_PAGE_GLOBAL, k + 1, out);
		take_page(v, surface, control, out->page, k + 1, 0, out);
	}
}

const char *
bound_process(const struct bh_view *v, uint16_t slot)
{
	const struct bh_cfg_proc *p = slot < BH_MAX_SLOTS ? bh_config_proc(v->config, slot) : NULL;
	return slot == BH_SLOT_ROUTER ? BH_ROOM_NAME : p ? bh_config_str(v->config, p->name) : "?";
}

void
bound_target(const struct bh_view *v, uint16_t driver, uint32_t target, char *out, size_t cap)
{
	out[0] = '\0';
	if (driver == BH_DRIVER_PAGE)
		snprintf(out, cap, "page/%s", bh_config_str(v->config, target));
	else if (driver != BH_SLOT_NONE)
		snprintf(out, cap, "%s/%s", bound_process(v, driver), bh_config_str(v->config, target));
}

void
bound_condition(const struct bh_view *v, const struct bh_cfg_cond *cond, char *out, size_t cap)
{
	bh_words_cond(v->config, cond, out, cap);
}

static const char *
part_name(uint8_t part)
{
	static const char *const names[BH_PART_COUNT] = {
		[BH_PART_MAIN] = "main", [BH_PART_LIGHT] = "light", [BH_PART_HOLD] = "hold", [BH_PART_DOUBLE] = "double"};
	return part < BH_PART_COUNT ? names[part] : "?";
}

void
bound_put(const struct bh_view *v, const char *key, const struct bh_cfg_binding *b, struct bh_wire_out *o)
{
	char target[BH_WIRE_NAME_MAX], when[2 * BH_WIRE_NAME_MAX], words[400];
	const struct bh_binding_row *row = b->kind < BH_BIND_KIND_COUNT ? &bh_binding_rows[b->kind] : NULL;
	bh_words_target(v->config, b->driver, b->action, b->target, target, sizeof(target));
	bh_words_binding(v->config, b, words, sizeof(words));
	bound_condition(v, &b->when, when, sizeof(when));
	bh_wire_map(o, key);
	bh_wire_str(o, "part", part_name(b->part));
	bh_wire_str(o, "kind", row && row->key ? row->key : "?");
	bh_wire_str(o, "target", target);
	bh_wire_str(o, "when", when);
	bh_wire_str(o, "words", words);
	bh_wire_str(o, "text", bh_config_str(v->config, b->text));
	bh_wire_str(o, "label", bh_config_str(v->config, b->label));
	bh_wire_bool(o, "global", b->page == BH_PAGE_GLOBAL);
	bh_wire_str(o, "file", bh_config_str(v->config, v->config->head->file_off));
	bh_wire_uint(o, "line", b->place.line);
	bh_wire_uint(o, "column", b->place.column);
	bh_wire_close(o);
}
