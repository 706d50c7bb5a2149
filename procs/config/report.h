/* report.h - what is wrong with a configuration: all of it, in the order of the file, each with its line and a caret */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "procs/config/arena.h"

/* A file that was read: the configuration, a device's, a kind's. */
struct source {
	const char *path; /* as people know it */
	const char *text; /* not NUL-terminated */
	size_t len;
};

struct report_entry {
	const struct source *src;
	uint32_t line, col; /* from 1; 0 = the file as a whole */
	const char *text;
};

#define REPORT_MAX 100u /* entries that are printed; more are counted */

struct report {
	struct arena *arena; /* borrowed */
	struct report_entry *entry;
	uint32_t count, more;
	/* What is allowed, and hardly meant: printed only where nothing is wrong. */
	struct report_entry *warning;
	uint32_t warnings;
};

/* `key` (may be NULL): the path of the key, "drivers.loop.channels". `best` (may be NULL): what may have been meant. */
void report_add(struct report *r, const struct source *src, uint32_t line, uint32_t col, const char *key,
		const char *best, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
void report_warn(struct report *r, const struct source *src, uint32_t line, uint32_t col, const char *key,
		 const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Sort and print: what is wrong, or else the warnings. */
void report_print(struct report *r, FILE *out);
