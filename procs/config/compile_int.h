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
		const char *kind, *device, *pages;
	} common;
	struct option {
		const char *key, *text;
		struct bh_cfg_place place;
		bool is_live;
	} *option;
	uint32_t options;
	uint32_t record_base, records;
	uint32_t page_room; /* surfaces: row of BH_TAB_ROOM */
};

/* What is known of a parameter before anything runs: those that its kind lists, and the router's own. */
struct known {
	enum bh_type type; /* BH_NONE: nothing is */
	bool has_range, is_read_only;
	double min, max;
	const char *unit; /* NULL = none */
	const char *const *choice;
	uint32_t choices;
};

/* What a name stands for. */
struct target {
	uint16_t driver; /* slot, or BH_SLOT_ROUTER */
	const char *name; /* within the driver */
	struct known known;
	const struct process *process; /* NULL for the router's own */
	uint32_t room; /* its row, for the router's own */
};

/* A parameter of the router, as a row of BH_TAB_ROOM. */
struct room_row {
	struct bh_cfg_room row;
	const char *name;
	struct known known;
	const struct node *place; /* NULL = not written */
	bool is_set;  /* something in the configuration sets it */
	bool is_used; /* layers: something is bound while it is on */
};

struct bank {
	struct bh_cfg_bank row;
	const char *name;
	const struct node *place, *node;
	struct bh_cfg_binding *binding; /* on all its places; their page is set when a page has it */
	uint32_t bindings;
	bool is_used;
};

/* What is read one after the other where its number must be known before. */
struct page {
	const char *name; /* NULL = not a good one */
	const struct node *node;
	bool is_reached, is_inherited;
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
	struct page *page_of; /* beside each of them */
	uint32_t pages;
	struct bh_cfg_binding *binding;
	uint32_t bindings;
	struct room_row *room;
	uint32_t rooms;
	struct bh_cfg_step *step;
	uint32_t steps;
	struct bh_cfg_reaction *reaction;
	uint32_t reactions, reactions_read;
	struct bank *bank;
	uint32_t banks;
	bool in_bank; /* {} stands for the item */
	bool every_page; /* something turns the pages one by one */
	struct bh_config_writer *w; /* borrowed: the common tables */
};

#define COMPLAIN(c, node, key, best, ...)                                                          \
	report_add((c)->report, (node)->src, (node)->line, (node)->col, key, best, __VA_ARGS__)
#define WARN(c, node, key, ...) report_warn((c)->report, (node)->src, (node)->line, (node)->col, key, __VA_ARGS__)

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
/* The same with the defaults of one kind (may be NULL). Until the next call. */
const struct bh_cfg_field *common_fields_of(enum bh_role role, const struct kind *k);
/* CRC of the options: of all, and of those alone that need a restart. */
uint32_t options_check(const struct process *p, bool restart_only);

/* ------------------------------------------------------------------ target.c: names, values and keys as they are written */
const struct process *process_named(const struct compile *c, enum bh_role role, const char *name, size_t len);
const char *meant_process(struct compile *c, enum bh_role role, const char *name, size_t len);
/* A node that stands where `p`, within the text of `n`, does: so that the caret shows the wrong part. */
const struct node *node_at(struct compile *c, const struct node *n, const char *p);
/* "loop/ch1/level", "room/page". False: wrong, and reported. */
bool find_target(struct compile *c, const struct node *at, const char *text, const char *path, struct target *out);
/* The same, and it is a parameter that will be set. */
bool find_settable(struct compile *c, const struct node *at, const char *path, struct target *out);
/* A value of a parameter. */
bool read_operand(struct compile *c, const struct node *at, const char *text, const char *path, const struct known *known,
		  struct bh_cfg_operand *out);
/* A value that a page parameter is set to makes that page reachable; NULL: any. */
void note_set(struct compile *c, const struct target *t, const struct bh_cfg_operand *to);
/* The keys of a mapping against a section of bh_section_keys; unknown ones are reported. */
void check_section(struct compile *c, const struct node *map, const char *section, const char *path);
/* A duration within a range. */
bool read_duration(struct compile *c, const struct node *map, const char *key, const char *path, const char *min,
		   const char *max, uint32_t *out);
bool read_yes(struct compile *c, const struct node *map, const char *key, const char *path, bool *out);
/* A word out of a table; -1: not written, or wrong and reported. */
int read_word(struct compile *c, const struct node *map, const char *key, const char *path, int (*number)(const char *),
	      const char *(*name)(int));
bool is_plain_name(const char *name);
/* Texts one behind the other, each NUL-terminated, from a list (or one text); how many. False: wrong, and reported. */
bool pack_texts(struct compile *c, const struct node *list, const char *path, size_t most, uint32_t *off, uint32_t *len,
		uint32_t *count);

/* cond.c: "obs/scene == Wide". */
bool read_cond(struct compile *c, const struct node *n, const char *path, bool with_changes, struct bh_cfg_cond *out);

/* ------------------------------------------------------------------ steps.c: actions and lists of steps */
struct call {
	uint16_t driver, action;
	const char *target;
	uint32_t args, args_len;
	bool has_vars;
};
/* The action that `n` names, with the arguments `args` (NULL = none). */
bool read_call(struct compile *c, const struct node *n, const struct node *args, const char *path, const char *args_path,
	       struct call *out);
/* A list of steps; `pressed`: there is a button that is let go some time. */
void read_steps(struct compile *c, const struct node *list, const char *path, bool pressed, uint32_t *first, uint16_t *count);

/* ------------------------------------------------------------------ bind.c: what a control is bound to */
struct entry {
	uint16_t page, layer, bank, bank_pos;
	const struct process *surface; /* with the control, where they are known already (banks) */
	const struct bh_cfg_control *control;
};
void read_entry(struct compile *c, const struct entry *e, const char *path, const struct node *key, const struct node *node);

/* page.c: pages and what stands on them. */
void compile_pages(struct compile *c);
/* Their numbers, once all is read: sorts the bindings. */
void order_bindings(struct compile *c);
int find_page(const struct compile *c, const char *name);
const char *meant_page(const struct compile *c, const char *name);

/* room.c: layers, variables, groups of surfaces, and the rows of the router's own parameters. */
void compile_room(struct compile *c);
int find_room(const struct compile *c, const char *name);
/* The row of a layer, or -1: reported. */
int find_layer(struct compile *c, const struct node *n, const char *path);
uint32_t add_room(struct compile *c, enum bh_room_kind kind, enum bh_type type, const char *name, const struct node *place);
void write_room(struct compile *c);

/* bank.c */
void compile_bank_heads(struct compile *c); /* names, before all others */
void compile_banks(struct compile *c);
int find_bank(const struct compile *c, const char *name);
/* Put the banks of a list on a page. */
void read_bank_list(struct compile *c, const struct node *list, uint16_t page, const char *path);

/* react.c */
void compile_reaction_rooms(struct compile *c); /* the rows that remember, before all else */
void compile_reactions(struct compile *c);
