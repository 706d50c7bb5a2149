/*
 * verb_doctor.c - does this machine give Bulkhead what it can use?
 *
 * In:    what the kernel says, tried where asking is not enough; shared memory, if a pipeline runs
 * Out:   a line for each check: how it is, and what to do where it could be better
 * Fails: never. What cannot be looked at is told as it is.
 *
 * One row a check, below. A check says one sentence, and a hint where it is not well.
 */
#include <errno.h>
#include <glob.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "shm/latch.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

#define REAL_TIME_LEVEL 5 /* the highest that the supervisor asks for */
#define FILES_ENOUGH 4096

struct finding {
	bool well;
	char text[200], hint[300];
};

static void __attribute__((format(printf, 3, 4)))
say(struct finding *f, bool well, const char *text, ...)
{
	va_list ap;
	f->well = well;
	va_start(ap, text);
	vsnprintf(f->text, sizeof(f->text), text, ap);
	va_end(ap);
}

static void
advise(struct finding *f, const char *hint)
{
	snprintf(f->hint, sizeof(f->hint), "%s", hint);
}

/* ------------------------------------------------------------------ the checks */

/* Tried by a child, as the supervisor does it: limits, capabilities and groups of the scheduler all have a say. */
static int
try_real_time(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct sched_param p = {.sched_priority = REAL_TIME_LEVEL};
		struct rlimit l;
		if (getrlimit(RLIMIT_RTPRIO, &l) == 0) {
			l.rlim_cur = l.rlim_max;
			setrlimit(RLIMIT_RTPRIO, &l);
		}
		_exit(sched_setscheduler(0, SCHED_RR, &p) < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EAGAIN;
	return -WEXITSTATUS(status);
}

static void
check_real_time(struct finding *f)
{
	pid_t keeper, supervisor;
	direct_pids(&keeper, &supervisor);
	int granted = try_real_time(), policy = supervisor ? sched_getscheduler(supervisor) : -1;
	if (policy == SCHED_RR || policy == SCHED_FIFO) {
		say(f, true, "in use by supervisor, router, surfaces and drivers");
	} else if (granted < 0) {
		say(f, false, "not granted (%s): on a busy machine faders and restarts have to wait", strerror(-granted));
		advise(f, "a file /etc/security/limits.d/bulkhead.conf with `@audio - rtprio 10`, this user in group audio, and a new login; for "
			  "the service, LimitRTPRIO=10 in user@.service and bulkhead.service. Then: supervisor: {realtime: yes}");
	} else if (supervisor) {
		say(f, true, "granted, and not in use by what runs (supervisor: {realtime: yes})");
	} else {
		say(f, true, "granted");
	}
}

static void
check_filter(struct finding *f)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) {
		say(f, true, "the kernel filters system calls: processes can be confined");
		return;
	}
	say(f, false, "the kernel takes no filter of system calls (%s): processes run unconfined", strerror(errno));
	advise(f, "a kernel with CONFIG_SECCOMP_FILTER; in a container, one that allows it");
}

/* Is there anything that this matches, and can it be opened? */
static void
check_devices(struct finding *f, const char *pattern, int mode, const char *what, const char *hint)
{
	glob_t g;
	size_t can = 0, all = 0;
	if (glob(pattern, 0, NULL, &g) == 0) {
		all = g.gl_pathc;
		for (size_t i = 0; i < all; i++)
			can += access(g.gl_pathv[i], mode) == 0;
		globfree(&g);
	}
	if (!all) {
		say(f, true, "there are none (%s)", pattern);
		return;
	}
	say(f, can > 0, "%zu of %zu %s can be opened", can, all, what);
	if (!can)
		advise(f, hint);
}

static void
check_sequencer(struct finding *f)
{
	check_devices(f, "/dev/snd/seq", R_OK | W_OK, "sequencers", "this user in group audio, and a new login");
}

static void
check_midi(struct finding *f)
{
	check_devices(f, "/dev/snd/midiC*D*", R_OK | W_OK, "MIDI ports", "this user in group audio, and a new login");
}

static void
check_pads(struct finding *f)
{
	check_devices(f, "/dev/input/event*", R_OK, "input devices",
		      "the rules deploy/udev/70-bulkhead.rules in /etc/udev/rules.d; they give game pads to whoever sits at the machine");
}

static void
check_files(struct finding *f)
{
	struct rlimit l = {0};
	getrlimit(RLIMIT_NOFILE, &l);
	say(f, l.rlim_max >= FILES_ENOUGH, "at most %llu", (unsigned long long)l.rlim_max);
	if (!f->well)
		advise(f, "LimitNOFILE=4096 or more: a large configuration shares many segments");
}

static void
check_folder(struct finding *f)
{
	char path[512];
	int r = bh_path_runtime(path, sizeof(path), NULL);
	if (r == 0 && access(path, R_OK | W_OK | X_OK) < 0)
		r = -errno;
	say(f, r == 0, "%s%s%s", path, r ? " cannot be used: " : "", r ? strerror(-r) : "");
	if (r)
		advise(f, "--runtime DIR, or BULKHEAD_RUNTIME_DIR, with a folder of yours");
}

static void
check_spares(struct finding *f)
{
	static struct direct d;
	unsigned could = 0, have = 0;
	uint32_t n = 0;
	if (direct_open(&d, false) < 0) {
		say(f, true, "nothing runs");
		return;
	}
	const struct bh_proc_entry *e = bh_seg_section(&d.table, BH_SEC_PROCS, sizeof(*e), &n);
	for (uint32_t q = 1; e && q < n && q < BH_MAX_SLOTS; q++) {
		struct bh_proc_body b;
		if (bh_proc_entry_read(&e[q], &b) <= 0 || !b.alive)
			continue;
		if (b.role != BH_ROLE_DRIVER && b.role != BH_ROLE_SURFACE && b.role != BH_ROLE_ROUTER)
			continue;
		could++;
		have += b.spare_pid != 0;
	}
	direct_close(&d);
	say(f, have == could, "%u of %u processes that could have one have a spare", have, could);
	if (!f->well)
		advise(f, "supervisor: {spares: yes}; after a start or a death they take a second to come; its log tells of those that died");
}

static const struct {
	const char *name;
	void (*look)(struct finding *f);
} checks[] = {
	{"real-time", check_real_time},
	{"spares", check_spares},
	{"confinement", check_filter},
	{"sequencer", check_sequencer},
	{"midi", check_midi},
	{"pads", check_pads},
	{"files", check_files},
	{"folder", check_folder},
};

/* ------------------------------------------------------------------ */

static void
put_json(const struct finding *f, const char *name, bool first)
{
	printf("%s{\"name\":", first ? "{\"ok\":true,\"checks\":[" : ",");
	ctl_json_string(stdout, name, strlen(name));
	printf(",\"well\":%s,\"text\":", f->well ? "true" : "false");
	ctl_json_string(stdout, f->text, strlen(f->text));
	fputs(",\"hint\":", stdout);
	ctl_json_string(stdout, f->hint, strlen(f->hint));
	fputs("}", stdout);
}

int
verb_doctor(struct ctl *ctl, int argc, char **argv)
{
	bool well = true;
	(void)argc, (void)argv;
	for (size_t i = 0; i < BH_ARRAY_LEN(checks); i++) {
		struct finding f = {0};
		checks[i].look(&f);
		well = well && f.well;
		if (ctl->json) {
			put_json(&f, checks[i].name, i == 0);
			continue;
		}
		printf("%-6s %-12s %s\n", f.well ? "ok" : "warn", checks[i].name, f.text);
		if (f.hint[0])
			printf("       %-12s %s\n", "", f.hint);
	}
	if (ctl->json)
		printf("],\"well\":%s}\n", well ? "true" : "false");
	return well ? CTL_OK : CTL_DEGRADED;
}
