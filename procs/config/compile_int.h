/* compile_int.h - what the parts of the compiler share */
#pragma once

#include "procs/config/compile.h"

/* A process as it is written. */
struct process {
	const char *name;
	const struct node *place; /* its key; NULL = not written */
	const struct kind *kind;  /* NULL: a fixed process without a table of its own */
	enum bh_role role;
	uint16_t slot;
	bool is_broken; /* reported already: nothing more is said about what hangs on it */
	const struct device *device;
	/* keys that every process has; see options.c */
	struct process_common {
		bool start;
		uint32_t params, hang_ms, ready_ms, max_age_ms, ring_slots;
		const char *kind, *device;
	} common;
	struct option {
		const char *key, *text;
		struct bh_cfg_place place;
		bool is_live;
	} *option;
	uint32_t options;
	uint32_t record_base, records;
};

struct compile {
	struct arena *arena;
	struct report *report;
	const struct compile_env *env;
	const struct source *src; /* of the file; lives as long as the report */
	const struct node *root;
	struct process *process;
	uint32_t processes;
	struct bh_cfg_page *page;
	uint32_t pages;
	const char **page_name; /* NULL = not a good one */
	struct bh_cfg_binding *binding;
	uint32_t bindings;
	struct bh_config_writer *w; /* borrowed: the common tables */
};

#define COMPLAIN(c, node, key, best, ...)                                                          \
	report_add((c)->report, (node)->src, (node)->line, (node)->col, key, best, __VA_ARGS__)

static inline struct bh_cfg_place
place_of(const struct node *n)
{
	return n ? (struct bh_cfg_place){n->line, n->col} : (struct bh_cfg_place){0};
}

static inline uint32_t
put_text(struct compile *c, const char *s)
{
	return bh_config_writer_str(c->w, s, __builtin_strlen(s));
}

/* options.c: the keys of one process. `map` may be NULL (nothing written); `path` as in errors: "drivers.loop". */
void compile_options(struct compile *c, struct process *p, const struct node *map, const char *path);
/* The keys that processes of this role have besides those of their kind. */
const struct bh_cfg_field *common_fields(enum bh_role role);
/* CRC of the options: of all, and of those alone that need a restart. */
uint32_t options_check(const struct process *p, bool restart_only);

/* bind.c: pages and bindings. */
void compile_pages(struct compile *c);
