/*
 * sched.c - real-time scheduling of those who are on the way of an event, where it is asked for and granted
 *
 * Without it a busy machine lets a fader wait for as long as it likes. Round robin, at the lowest numbers: sound servers and the
 * kernel's own threads come first. We stand above all whom we judge, or one that spins could keep us from ending it.
 *
 * The brake: who computes for longer than `realtime_limit_ms` without ever waiting gets SIGXCPU from the kernel (RLIMIT_RTTIME), which
 * ends him like any crash, and SIGKILL at twice that.
 *
 * Fails: not granted is told once and shown by `bulkhead doctor`; everybody goes on as everybody does.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("sched");

#define US_PER_MS 1000u

/* 0 = as everybody. */
int
sched_level(const struct super *s, unsigned role)
{
	if (!s->cfg.realtime)
		return 0;
	switch ((enum bh_role)role) {
	case BH_ROLE_SUPERVISOR: return 5;
	case BH_ROLE_ROUTER: return 4;
	case BH_ROLE_SURFACE: return 3;
	case BH_ROLE_DRIVER: return 2;
	case BH_ROLE_NONE:
	case BH_ROLE_CONTROL:
	case BH_ROLE_STORE: break;
	}
	return 0;
}

static int
set_level(pid_t pid, int level)
{
	struct sched_param p = {.sched_priority = level};
	int want = level ? SCHED_RR : SCHED_OTHER, have = sched_getscheduler(pid);
	if (have == want && !level)
		return 0;
	return sched_setscheduler(pid, want, &p) < 0 ? -errno : 0;
}

void
sched_process(struct super *s, pid_t pid, unsigned role)
{
	struct rlimit brake = {.rlim_cur = s->cfg.realtime_limit_ms * US_PER_MS, .rlim_max = 2 * s->cfg.realtime_limit_ms * US_PER_MS};
	int level = sched_level(s, role);
	if (!s->sched_used)
		return;
	if (level && prlimit(pid, RLIMIT_RTTIME, &brake, NULL) < 0 && errno != EPERM)
		bh_warn("process %d has no limit to its real-time scheduling: %m", (int)pid);
	int r = set_level(pid, level);
	if (r < 0 && r != -ESRCH)
		bh_warn("process %d is scheduled as everybody: %s", (int)pid, strerror(-r));
}

/* After every configuration: ourselves, and all who run. */
void
sched_apply(struct super *s)
{
	struct rlimit l;
	int level = sched_level(s, BH_ROLE_SUPERVISOR);
	if (!level && !s->sched_used)
		return;
	if (level && getrlimit(RLIMIT_RTPRIO, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_RTPRIO, &l);
	}
	if (getrlimit(RLIMIT_RTTIME, &l) == 0) {
		l.rlim_cur = s->cfg.realtime_limit_ms * US_PER_MS;
		setrlimit(RLIMIT_RTTIME, &l);
	}
	int r = set_level(getpid(), level);
	if (r < 0) {
		bh_warn("real-time scheduling is not granted (%s): going on without; `bulkhead doctor` says what to do", strerror(-r));
		return;
	}
	s->sched_used = true;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && s->slot[q].body.alive)
			sched_process(s, (pid_t)s->slot[q].body.pid, s->slot[q].body.role);
	s->sched_used = level > 0;
}
