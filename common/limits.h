/*
 * limits.h - which limit a process has gone over, and how it says so: by its exit status, where it can still choose one
 *
 * The supervisor sets the limits and judges them (supervisor/limits.c). The number is the `code` of a death whose cause is `limit`.
 */
#pragma once

#include <stdint.h>

enum bh_limit { BH_LIMIT_NONE, BH_LIMIT_MEMORY, BH_LIMIT_CPU, BH_LIMIT_FILES, BH_LIMIT_COUNT };

/* Exit statuses kept for this: 120 + the limit. */
#define BH_EXIT_LIMIT 120

static inline const char *
bh_limit_name(uint32_t limit)
{
	static const char *const names[BH_LIMIT_COUNT] = {"none", "memory", "cpu", "files"};
	return limit < BH_LIMIT_COUNT ? names[limit] : "?";
}
