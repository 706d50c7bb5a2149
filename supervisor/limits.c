/*
 * limits.c - how much of the machine a driver may have: set for it, and judged now and then
 *
 * In:    memory_max_bytes, cpu_max, files_max; /proc of the process; memory.events of our own
 * cgroup (v2), where there is one Out:   rlimits; a driver over one of them is ended, with that
 * cause Fails: where a limit cannot be set the log says so, and what can be seen in /proc is judged
 * all the same.
 *
 * The kernel refuses what is over a limit, and most programs stumble over that at once: they say so
 * by their exit status (common/crash.c). Who goes on regardless stands at its limit, and is found
 * there. CPU is a share, over time, so no rlimit can express it; an rlimit on CPU time that
 * somebody else has set is understood.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("limits");

#define CPU_STRIKES    3  /* looks in a row at which it had more than its share */
#define MEMORY_PERCENT 95 /* of its limit: the rest is too small for what it asks for */

static void
set(struct child *c, __rlimit_resource_t what, uint64_t most, const char *name)
{
	struct rlimit l = {.rlim_cur = most, .rlim_max = most};
	if (most && prlimit((pid_t)c->body.pid, what, &l, NULL) < 0)
		bh_warn("%s: its %s cannot be limited: %m", c->body.name, name);
}

void
limits_set(struct child *c)
{
	const struct super_config *cfg = &c->s->cfg;
	c->mem.limit = BH_LIMIT_NONE;
	c->usage = (struct usage){0};
	if (c->body.role != BH_ROLE_DRIVER)
		return;
	set(c, RLIMIT_DATA, cfg->memory_max_bytes, "memory");
	set(c, RLIMIT_NOFILE, cfg->files_max, "descriptors");
}

/* Private data as RLIMIT_DATA counts it. */
static uint64_t
memory_of(pid_t pid)
{
	char path[64];
	uint64_t pages = 0;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "re");
	if (f && fscanf(f, "%*u %*u %*u %*u %*u %" SCNu64, &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
files_of(pid_t pid)
{
	char path[64];
	uint64_t n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* More than its share of a processor, look after look? */
static bool
eats_cpu(struct child *c, uint64_t ran_ns, uint64_t now, uint32_t percent)
{
	struct usage *u = &c->usage;
	uint64_t passed = now - u->at_ns, ran = ran_ns - u->ran_ns;
	bool over = percent && u->at_ns && passed && ran_ns >= u->ran_ns &&
		    ran * 100 > passed * percent;
	u->strikes = over ? u->strikes + 1 : 0;
	u->at_ns = now;
	u->ran_ns = ran_ns;
	return u->strikes >= CPU_STRIKES;
}

/* What was set at its start, whatever the configuration says by now; 0 = nothing. */
static uint64_t
limit_of(const struct child *c, __rlimit_resource_t what)
{
	struct rlimit l;
	return prlimit((pid_t)c->body.pid, what, NULL, &l) == 0 && l.rlim_cur != RLIM_INFINITY
		       ? l.rlim_cur
		       : 0;
}

/* Which limit it is over, if any. */
static enum bh_limit
judge(struct child *c, uint64_t now, char *why, size_t cap)
{
	const struct super_config *cfg = &c->s->cfg;
	uint64_t have, most, ran = cfg->cpu_max ? watch_ran_ns((pid_t)c->body.pid) : 0;
	if (eats_cpu(c, ran, now, cfg->cpu_max)) {
		snprintf(why, cap, "more than %u %% of a processor all the time", cfg->cpu_max);
		return BH_LIMIT_CPU;
	}
	most = cfg->memory_max_bytes ? limit_of(c, RLIMIT_DATA) : 0;
	if (most && (have = memory_of((pid_t)c->body.pid)) >= most / 100 * MEMORY_PERCENT) {
		snprintf(why, cap, "%" PRIu64 " of %" PRIu64 " MiB", have >> 20, most >> 20);
		return BH_LIMIT_MEMORY;
	}
	most = cfg->files_max ? limit_of(c, RLIMIT_NOFILE) : 0;
	if (most && (have = files_of((pid_t)c->body.pid)) >= most) {
		snprintf(why, cap, "%" PRIu64 " of %" PRIu64 " descriptors", have, most);
		return BH_LIMIT_FILES;
	}
	return BH_LIMIT_NONE;
}

void
limits_look(struct child *c, uint64_t now)
{
	char why[80];
	if (c->body.role != BH_ROLE_DRIVER || c->mem.policy.state != BH_POL_RUNNING || c->frozen)
		return;
	enum bh_limit limit = judge(c, now, why, sizeof(why));
	if (!limit)
		return;
	bh_warn("%s: over its limit of %s: it has %s; ending it", c->body.name,
		bh_limit_name(limit), why);
	c->mem.limit = (uint8_t)limit;
	super_policy(c, BH_POL_EV_OVER, false, false);
}

/* ------------------------------------------------------------------ after a death */

/* How often the kernel has killed somebody of ours because the group's memory was used up; 0 where
 * it does not say. */
static uint64_t
oom_kills(void)
{
	char line[300], path[400] = "";
	uint64_t n = 0;
	FILE *f = fopen("/proc/self/cgroup", "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4))
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.events", line + 3);
	}
	if (f)
		fclose(f);
	f = path[0] ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "oom_kill %" SCNu64, &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

void
limits_init(struct super *s)
{
	s->oom_kills = oom_kills();
}

enum bh_limit
limits_of_death(struct child *c, int cause, int code)
{
	if (cause == BH_CAUSE_EXIT && code > BH_EXIT_LIMIT && code < BH_EXIT_LIMIT + BH_LIMIT_COUNT)
		return (enum bh_limit)(code - BH_EXIT_LIMIT);
	if (cause == BH_CAUSE_SIGNAL && code == SIGXCPU)
		return BH_LIMIT_CPU;
	if (cause == BH_CAUSE_SIGNAL && code == SIGKILL && !c->mem.policy.killed) {
		uint64_t before = c->s->oom_kills;
		c->s->oom_kills = oom_kills();
		return c->s->oom_kills > before ? BH_LIMIT_MEMORY : BH_LIMIT_NONE;
	}
	return BH_LIMIT_NONE;
}
