/*
 * table.h - the one description of each configuration key
 *
 * A process lists its keys in an array of struct bh_cfg_field. Parsing, `bulkhead check`, defaults, man page, reference and
 * completion are generated from it: `bh-NAME --describe` prints the table (with the driver's parameters and actions) as
 * YAML, the build keeps that in kinds/NAME.yaml, and bh-config reads it there. bh-config checks values against it
 * and writes them, by key, into the process's options (compiled.h); the process reads them back into its struct by
 * the same table, so a changed struct layout can do no harm.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum bh_cfg_type {
	BH_CFG_END = 0,
	BH_CFG_STR,	/* char * (borrowed from the options: lives until the next reload) */
	BH_CFG_BOOL,	/* bool */
	BH_CFG_U32,	/* uint32_t */
	BH_CFG_I32,	/* int32_t */
	BH_CFG_FLOAT,	/* double */
	BH_CFG_PORT,	/* uint16_t, 1-65535 */
	BH_CFG_MS,	/* uint32_t milliseconds, written 250ms, 1s, 2m */
	BH_CFG_BYTES,	/* uint64_t, written 64k, 10M */
	BH_CFG_ENUM,	/* uint32_t, one of .choices */
	BH_CFG_PATH,	/* char *, made absolute against the configuration file's folder */
	BH_CFG_SECRET,	/* char *, never printed */
	BH_CFG_LIST,	/* struct bh_cfg_list: a list of mappings described by .sub */
};

enum bh_reload { BH_RELOAD_RESTART = 0, BH_RELOAD_LIVE };

struct bh_cfg_list {
	void *items; /* array of .sub's struct, `count` of them; owned by the config image */
	uint32_t count;
};

struct bh_cfg_field {
	const char *key;
	enum bh_cfg_type type;
	uint32_t offset; /* in the process's struct */
	const char *def; /* as a person would write it; NULL = required (LIST: empty) */
	const char *min, *max;
	const char *const *choices; /* ENUM: NULL-terminated */
	const char *unit; /* FLOAT, U32, I32: "dB", "%": may be written behind the number; NULL = none */
	enum bh_reload reload;
	const char *help; /* one line, no full stop needed */
	const struct bh_cfg_field *sub; /* LIST */
	uint32_t sub_size;		/* LIST: sizeof its struct */
};

/* One row: BH_CFG(struct lamp_config, port, .type = BH_CFG_PORT, .def = "7000", .help = "UDP port") */
#define BH_CFG(strct, member, ...) {.key = #member, .offset = (uint32_t)offsetof(strct, member), __VA_ARGS__}
#define BH_CFG_LAST {.key = NULL, .type = BH_CFG_END}

#define BH_CFG_LIST_MAX 256u /* items of one list */
#define BH_CFG_LIST_DEPTH 3u /* lists in lists */

/* "u32" and the like, as --describe prints them; NULL / BH_CFG_END for none. */
const char *bh_cfg_type_name(enum bh_cfg_type type);
enum bh_cfg_type bh_cfg_type_from_name(const char *name);

/*
 * The text of one value -> its place in a struct. Pure. `err` (cap bytes) receives what is wrong, in plain words, on -EINVAL.
 * STR, PATH and SECRET are not handled here (they are texts).
 */
int bh_cfg_parse_value(const struct bh_cfg_field *f, const char *text, void *out, char *err, size_t cap);

/* Bytes that the value of a field takes in its struct. */
size_t bh_cfg_value_size(enum bh_cfg_type type);

/* Print the table as YAML (a list of mappings), each line behind `indent` spaces: part of --describe. */
void bh_cfg_describe(FILE *out, const struct bh_cfg_field *fields, int indent);

/*
 * The whole of --describe, in this order: bh_cfg_describe_kind(), then, for drivers, bh_cfg_describe_max_params(),
 * bh_cfg_describe_params() and bh_cfg_describe_actions(). `role` is the word "router", "surface", "driver" ...; any table may be NULL.
 */
void bh_cfg_describe_kind(FILE *out, const char *kind, const char *role, const struct bh_cfg_field *fields);
struct bh_param;
struct bh_action_desc;
/* How many parameters a driver may have where the configuration does not say; nothing for 0. */
void bh_cfg_describe_max_params(FILE *out, uint32_t n);
void bh_cfg_describe_params(FILE *out, const struct bh_param *params);
void bh_cfg_describe_actions(FILE *out, const struct bh_action_desc *actions);

struct bh_options; /* compiled.h */

/*
 * Fill `strct` (size bytes, zeroed here) from compiled options by the table: defaults first, then what the user wrote. Options
 * that are not mapped (head == NULL) count as empty. A list's own key has the number of its items as text, its items' keys are
 * "ports[0].name".
 * Texts point into the options; lists are allocated into *image (free() it after the struct is no longer used).
 * 0, or -EBADMSG (options do not fit the table: a peer fault), with `err` filled.
 */
int bh_cfg_load(const struct bh_options *opt, const struct bh_cfg_field *fields, void *strct, size_t size, void **image,
		char *err, size_t cap);
