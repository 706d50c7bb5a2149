/* units.h - time and other quantities, with their clocks */
#pragma once

#include <stdint.h>
#include <time.h>

#define BH_NS_PER_MS 1000000ull
#define BH_NS_PER_S 1000000000ull

/* Now, by CLOCK_BOOTTIME: stamps of events, ages. Goes on while the machine sleeps. */
static inline uint64_t
bh_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * BH_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Now, by CLOCK_MONOTONIC: deadlines for sleeping. */
static inline uint64_t
bh_mono_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * BH_NS_PER_S + (uint64_t)ts.tv_nsec;
}
