/* lines.h - what is different between two texts, line by line, as `diff -u` shows it */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define LINES_EDITS_MAX 1000 /* of more, everything between the first and the last difference is shown as replaced */

/* True if anything was printed. Three lines around each difference. Bounded in time and memory. */
bool ctl_diff_lines(FILE *out, const char *a, const char *b, const char *name_a, const char *name_b);
