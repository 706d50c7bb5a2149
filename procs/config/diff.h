/*
 * diff.h - what is different in a new configuration, in lines for people
 *
 * Made from the two texts, so that every key there is, or will be, is seen, and from the compiled tables, which say what it
 * means for each process. Pure. Values of secret keys are never in it.
 */
#pragma once

#include "procs/config/catalog.h"

#define DIFF_LINES_MAX 40u /* more are counted */

struct diff {
	struct arena *arena;	       /* borrowed */
	const struct catalog *catalog; /* borrowed: which keys are secret */
	const struct bh_config *before, *after; /* borrowed */
	const char **line;
	uint32_t lines, more;
};

/* The roots of both texts; `before` may be NULL (not known any more): then only what the tables tell is told. */
void diff_configurations(struct diff *d, const struct node *before, const struct node *after);
/* One line each, and what was left out. */
void diff_print(const struct diff *d, FILE *out);

/* Is this the name of a key whose value is a secret in any kind of process? */
bool diff_is_secret(const struct catalog *c, const char *key);
