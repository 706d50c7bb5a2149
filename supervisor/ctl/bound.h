/*
 * bound.h - which bindings a control has now: of the page its surface shows, what that inherits, what is global, and the layers that
 * are on, each over the one before, as the router has it (procs/router/page.c)
 *
 * Pure but for the view.
 */
#pragma once

#include "common/wire/view.h"

#define BOUND_LIGHTS 16u

struct bound {
	uint32_t page; /* number of the page shown */
	const struct bh_cfg_binding *part[BH_PART_COUNT]; /* NULL = none; LIGHT: the first */
	const struct bh_cfg_binding *light[BOUND_LIGHTS]; /* all of LIGHT, in their order */
	unsigned lights;
};

/* The page that this surface shows. */
uint32_t bound_page(const struct bh_view *v, uint16_t surface);
void bound_find(const struct bh_view *v, uint16_t surface, uint32_t control, struct bound *out);

/* "loop/ch1/level", "page/next", "room/quiet"; "" for none. */
void bound_target(const struct bh_view *v, uint16_t driver, uint32_t target, char *out, size_t cap);
/* "loop/scene == Opening". */
void bound_condition(const struct bh_view *v, const struct bh_cfg_cond *cond, char *out, size_t cap);
const char *bound_process(const struct bh_view *v, uint16_t slot); /* name of a process, "room" for the router's own, "?" */
/* Is this parameter of the room on? False if it is not known. */
bool bound_room_is_on(const struct bh_view *v, const char *name);

/* A map with what a binding says: part, kind, target, when, words (all of it, for people), text, label, global, file, line, column. */
void bound_put(const struct bh_view *v, const char *key, const struct bh_cfg_binding *b, struct bh_wire_out *o);
