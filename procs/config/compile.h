/*
 * compile.h - the text of a configuration into the tables that the processes read
 *
 * Pure but for the catalog's files, so that the tests and the fuzzer run all of it in their own process.
 */
#pragma once

#include "common/config/compiled.h"
#include "procs/config/catalog.h"

#define PAGES_MAX 512u
#define BINDINGS_MAX 65535u

struct compile_env {
	struct catalog *catalog;
	const char *path;   /* of the file, as people know it: in errors and in the tables */
	const char *folder; /* absolute: what relative paths are relative to */
	const struct bh_config *previous; /* NULL = none */
	uint64_t generation;
	/* As in common/paths.h: where a program is, and what stands for $runtime and $state in a path. 0 or -errno. */
	int (*program)(char *buf, size_t cap, const char *binary);
	int (*runtime)(char *buf, size_t cap, const char *file);
	int (*state)(char *buf, size_t cap, const char *file);
};

struct compiled {
	struct bh_config_writer *common;		 /* owned */
	struct bh_config_writer *options[BH_MAX_SLOTS];  /* owned; NULL = slot not in use */
	const char *name[BH_MAX_SLOTS];			 /* of its process, in the arena */
	const struct node *root;			 /* of the text, in the arena */
};

/* 0, or -EINVAL with at least one entry in the report and nothing in `out`. */
int bh_config_compile(const char *text, size_t len, const struct compile_env *env, struct arena *arena,
		      struct report *report, struct compiled *out);
void compiled_fini(struct compiled *c);
