/*
 * bounds.h - how long, and how often
 *
 * Tests of what is rare have a bounded form for each change and a long one by hand (BH_SOAK=1). A name in the environment overrides both.
 */
#pragma once

#include <stdlib.h>

static inline unsigned long
bound(const char *name, unsigned long bounded, unsigned long soak)
{
	const char *own = getenv(name), *is_soak = getenv("BH_SOAK");
	if (own && *own)
		return strtoul(own, NULL, 10);
	return is_soak && *is_soak == '1' ? soak : bounded;
}
