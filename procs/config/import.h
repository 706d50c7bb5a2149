/*
 * import.h - a configuration of XTouch-GW becomes one of ours
 *
 * Reads its YAML (schema of version 1.8, every key of it, those that it ignores itself included) and writes ours, with comments. What
 * has no counterpart is written as a comment in its place and told in the notes, each with its line and the reason.
 */
#pragma once

#include <stdio.h>

#include "procs/config/report.h"

struct import_result {
	unsigned converted; /* controls that do here what they did there */
	unsigned noted;	    /* things that have no counterpart */
};

/*
 * Convert `src` to `out`. Mistakes of the file (wrong YAML, an unknown control) go into the report and are left out; -EINVAL, with
 * nothing written, if it is no configuration of XTouch-GW at all. `notes` receives a line for each thing without a counterpart.
 */
int import_xtouch_gw(const struct source *src, struct arena *arena, struct report *report, FILE *out, FILE *notes,
		     struct import_result *result);
