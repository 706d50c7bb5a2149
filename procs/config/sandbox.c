/*
 * sandbox.c - see sandbox.h
 *
 * Limits of memory and time, because what it reads is somebody's file; then the tightest row of common/sandbox.h. It still
 * may read what its user may read.
 */
#include "procs/config/sandbox.h"

#include <errno.h>
#include <sys/resource.h>

#include "common/paths.h"
#include "common/sandbox.h"
#include "shm/layout.h"

int
config_confine(uint32_t may)
{
	setrlimit(RLIMIT_CPU, &(struct rlimit){20, 20});
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef BH_SANITIZED
	/* Sanitizers reserve terabytes. */
	setrlimit(RLIMIT_AS, &(struct rlimit){1u << 30, 1u << 30});
#endif
	static const struct bh_sandbox box = {
		.line = {{BH_MAY_MEMORY, NULL, "compiled tables are memory for others; it locks the history"},
			 {BH_MAY_READ, "/", "a configuration may stand anywhere"}}};
	static struct bh_sandbox_plan plan;
	char dir[512];
	bh_sandbox_plan(&plan, &box, NULL);
	plan.may |= may;
	/* Paths in a configuration may begin with these folders: made now, for then it makes none any more. */
	bh_path_runtime(dir, sizeof(dir), NULL);
	if (bh_path_state(dir, sizeof(dir), NULL) == 0 && may & BH_MAY_CREATE)
		bh_sandbox_path(&plan, BH_MAY_KEEP, dir);
	uint64_t holds = bh_sandbox_enter(&plan);
	return holds & BH_LACKS(BH_HOLDS_CALLS) ? -ENOSYS : 0;
}
