/*
 * sandbox.c - see sandbox.h
 *
 * Limits of memory and time, because what it reads is somebody's file; then the tightest row of common/sandbox.h. It still
 * may read what its user may read.
 */
#include "procs/config/sandbox.h"

#include <sys/resource.h>

#include "common/sandbox.h"

int
config_confine(uint32_t may)
{
	setrlimit(RLIMIT_CPU, &(struct rlimit){20, 20});
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef BH_SANITIZED
	/* Sanitizers reserve terabytes. */
	setrlimit(RLIMIT_AS, &(struct rlimit){1u << 30, 1u << 30});
#endif
	int r = bh_sandbox_enter(&(struct bh_sandbox){may, "writes a version into the history"});
	return r < 0 ? r : 0;
}
