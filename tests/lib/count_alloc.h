/* count_alloc.h - what count_alloc.c counts, one file for each process */
#pragma once

#include <stdint.h>

#define COUNT_ALLOC_CALLERS 16u

struct count_alloc {
	uint64_t allocated, freed;
	uint64_t caller[COUNT_ALLOC_CALLERS]; /* of the last ones: addresses in that process */
};
