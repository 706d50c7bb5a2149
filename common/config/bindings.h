/*
 * bindings.h - the rows that describe the kinds of binding, for bh-config, help and reference
 *
 * How each kind acts is the router's business (procs/router/kinds.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/compiled.h"

struct bh_binding_row {
	enum bh_binding_kind kind;
	const char *key;	/* the key that names the kind and its target: "value", "relative", "action" ... */
	uint32_t controls;	/* bit set of 1 << enum bh_control_kind it may stand on */
	bool needs_target;	/* a parameter, an action, or steps; else `text` alone will do */
	bool sets;		/* the hand sets the parameter: it must not be one to read alone */
	const char *fields;	/* further keys, comma-separated: "step,ring,invert" */
	const char *help;
};

extern const struct bh_binding_row bh_binding_rows[BH_BIND_KIND_COUNT];

/* A further key of bindings: it may be written where its kind lists it and the control is one of its own. */
struct bh_binding_field {
	const char *key;
	const char *type; /* "float", "bool", "text", "list", "duration", "value", names: "color", "ring" ...; "lights", "binding", "steps" */
	uint32_t controls; /* bit set of 1 << enum bh_control_kind on which it does something */
	const char *help;
};
extern const struct bh_binding_field bh_binding_fields[];
extern const size_t bh_binding_field_count;
const struct bh_binding_field *bh_binding_field_named(const char *key); /* NULL for none */
bool bh_binding_row_has(const struct bh_binding_row *row, const char *key);

/* The keys of everything else that is not a process: sections root, page, global, light, hold, double, step, reaction, bank, variable. */
struct bh_section_key {
	const char *section, *key, *type, *help;
};
extern const struct bh_section_key bh_section_keys[];
extern const size_t bh_section_key_count;

/* Names and numbers, for reading and printing: "red" and 1 and so on; -1 and NULL for none. */
int bh_color_from_name(const char *name);
const char *bh_color_name(int color);
int bh_ring_from_name(const char *name);
const char *bh_ring_name(int ring);
int bh_effect_from_name(const char *name);
const char *bh_effect_name(int effect);
int bh_cond_op_from_name(const char *name); /* those that compare: "==" and so on */
const char *bh_cond_op_name(int op);
int bh_taper_from_name(const char *name);
const char *bh_taper_name(int taper);
int bh_control_kind_from_name(const char *name);
const char *bh_control_kind_name(int kind);
