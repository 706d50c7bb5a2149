/*
 * catalog.h - what there is to configure: kinds of process (kinds/NAME.yaml, printed by `bh-NAME --describe`) and devices
 * (devices/NAME.yaml, written by people)
 */
#pragma once

#include "common/config/compiled.h"
#include "common/config/table.h"
#include "procs/config/tree.h"

struct action {
	const char *name, *args, *help; /* args, help: "" = none */
	uint16_t index, required, most; /* number of arguments */
};

struct param {
	const char *name, *type, *unit, *min, *max, *choices, *access;
	const char *const *choice; /* `choices` one by one */
	uint32_t choice_count;
};

struct kind {
	const char *name;
	enum bh_role role;
	const struct bh_cfg_field *fields;
	struct action *action;
	uint32_t actions;
	struct param *param;
	uint32_t params;
	const char *max_params; /* default of the key `params`, NULL = as all drivers */
};

struct device {
	const char *name;
	struct source src;
	bool is_read, is_good;
	const char *description;
	struct bh_cfg_control *control;
	uint32_t controls, strips;
	const struct node *options; /* defaults of options of the surface process, NULL = none */
};

struct catalog {
	struct arena *arena;   /* borrowed */
	struct report *report; /* borrowed */
	struct kind *kind;
	uint32_t kinds;
	struct device *device;
	uint32_t devices;
};

/* Texts are borrowed: they outlive the catalog. What is wrong with a kind is reported at once, with a device when it is asked for. */
void catalog_add_kind(struct catalog *c, const char *path, const char *text, size_t len);
void catalog_add_device(struct catalog *c, const char *name, const char *path, const char *text, size_t len);
/* All of folder/kinds and folder/devices, sorted by name. 0 or -errno: there is no such folder. */
int catalog_load(struct catalog *c, const char *folder);

const struct kind *catalog_kind(const struct catalog *c, const char *name);
/* NULL: there is none. Else look at is_good: false = there is one, and what is wrong with it is in the report. */
const struct device *catalog_device(struct catalog *c, const char *name);

/* A file's text in the arena; NULL with errno set. At most TREE_TEXT_MAX + 1 bytes. */
char *read_text(struct arena *a, const char *path, size_t *len);
