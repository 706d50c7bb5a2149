/*
 * upgrade.c - a new program for a process that runs: the new one is ready before the old one leaves, and the old one comes back
 *
 *   none -request-> preparing -parked-> leaving -told who it is-> proving -ready, and alive for a while-> none
 *                       |                                            |
 *                   not parked: the old one goes on              died, or not ready: the old program is started again
 *
 * The old program is held by a descriptor of the file that the old process was started from, whatever stands on the disk since. The
 * keeper has a copy, so that who was put back to it stays there under the next supervisor, until the file on the disk is another
 * one or a person asks again.
 *
 * Our own program is tried by --version, then the keeper starts it, and goes back to the one before if it does not take over.
 *
 * Fails: a program that cannot be started costs nothing; one that parks well and then dies costs two restarts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("upgrade");

#define PROVE_NS (5 * BH_NS_PER_S)
#define SELF_LIMIT_NS (5 * BH_NS_PER_S)
#define ANSWER_NS (50 * BH_NS_PER_MS) /* bh-control has to pass an answer on before it leaves */

static void __attribute__((format(printf, 3, 4)))
answer(struct child *c, int err, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (err)
		bh_warn("%s: %s", c->body.name, text);
	else
		bh_info("%s: %s", c->body.name, text);
	if (c->upgrade.request)
		super_result(c->s, c->upgrade.request, err, text);
	c->upgrade.request = 0;
}

static void
over(struct child *c)
{
	c->upgrade.stage = UPGRADE_NONE;
	c->upgrade.until_ns = 0;
	spare_end(&c->upgrade.next);
	bh_close(&c->upgrade.old);
}

/* Forget the program that it was put back to. */
static void
use_the_disk(struct child *c)
{
	if (c->program < 0)
		return;
	bh_close(&c->program);
	keep_forget(c->s, c->slot, BH_FD_PROGRAM);
	memset(&c->upgrade.bad, 0, sizeof(c->upgrade.bad));
}

static void
put_back(struct child *c)
{
	bh_close(&c->program);
	c->program = bh_steal_fd(&c->upgrade.old);
	c->upgrade.bad = c->upgrade.next.file;
	keep_fd(c->s, BH_FD_PROGRAM, c->slot, 0, 0);
}

void
upgrade_begin(struct child *c, uint32_t number)
{
	struct upgrade *u = &c->upgrade;
	char path[64];
	if (u->stage != UPGRADE_NONE || c->mem.policy.state != BH_POL_RUNNING) {
		super_result(c->s, number, -EBUSY, u->stage != UPGRADE_NONE ? "it is being upgraded already" : "it does not run well now");
		return;
	}
	u->request = number;
	snprintf(path, sizeof(path), "/proc/%u/exe", c->body.pid);
	u->old = open(path, O_PATH | O_CLOEXEC);
	if (u->old < 0) {
		answer(c, -errno, "not upgraded: its program cannot be held, so there would be no way back (%s)", strerror(errno));
		return;
	}
	snprintf(u->next.binary, sizeof(u->next.binary), "%s", c->binary);
	u->next.of = c;
	u->stage = UPGRADE_PREPARING;
	u->until_ns = bh_mono_ns() + c->ready_ms * BH_NS_PER_MS;
	int r = spare_begin(c->s, &u->next);
	if (r < 0)
		upgrade_failed(c, strerror(-r));
}

void
upgrade_parked(struct child *c)
{
	struct upgrade *u = &c->upgrade;
	bh_info("%s: the new program is ready; the old one leaves", c->body.name);
	u->stage = UPGRADE_LEAVING;
	u->until_ns = 0;
	if (c->slot == BH_SLOT_CONTROL) {
		answer(c, 0, "its new program is ready and takes over");
		c->later = BH_POL_EV_RESTART;
		c->later_ns = bh_mono_ns() + ANSWER_NS;
		return;
	}
	super_policy(c, BH_POL_EV_RESTART, false, false);
}

/* The one that was to come died, or is not ready in time, before it was told anything. */
void
upgrade_failed(struct child *c, const char *what)
{
	if (c->upgrade.stage == UPGRADE_NONE)
		return;
	answer(c, -ENOEXEC, "not upgraded: the new program %s; the old one goes on", what); /* or is started again */
	if (c->upgrade.stage == UPGRADE_LEAVING)
		put_back(c);
	over(c);
}

/* What a start of this process uses: the one that was prepared. */
struct spare *
upgrade_next(struct child *c)
{
	struct upgrade *u = &c->upgrade;
	if (u->stage != UPGRADE_LEAVING)
		return NULL;
	if (!spare_is_usable(&u->next)) {
		upgrade_failed(c, "died while it waited");
		return NULL;
	}
	u->stage = UPGRADE_PROVING;
	return &u->next;
}

/* What it is started from: the file of its name, or the one that it was put back to as long as that is still the one that failed. */
void
upgrade_program(struct child *c, char path[64], const char **program)
{
	struct spare_file now;
	*program = c->binary;
	if (c->program >= 0 && c->upgrade.bad.ino && spare_file_of(c->binary, &now) && memcmp(&now, &c->upgrade.bad, sizeof(now)) != 0) {
		bh_info("%s: %s is another file now", c->body.name, c->binary);
		use_the_disk(c);
	}
	if (c->program < 0)
		return;
	snprintf(path, 64, "/proc/%d/fd/%d", (int)getpid(), c->program);
	*program = path;
}

void
upgrade_ready(struct child *c)
{
	struct upgrade *u = &c->upgrade;
	if (u->stage != UPGRADE_PROVING)
		return;
	use_the_disk(c);
	u->until_ns = bh_mono_ns() + PROVE_NS;
	answer(c, 0, "the new program has taken over");
}

/* Before it is judged: a death within the trial brings the old program back. */
void
upgrade_died(struct child *c)
{
	struct upgrade *u = &c->upgrade;
	if (u->stage == UPGRADE_PREPARING) {
		answer(c, -ECANCELED, "not upgraded: it died by itself meanwhile");
		over(c);
	} else if (u->stage == UPGRADE_PROVING) {
		put_back(c);
		answer(c, -ENOEXEC, "not upgraded: the new program did not live; back to the old one");
		over(c);
	}
}

/* A person, or the configuration, wants something else. */
void
upgrade_cancel(struct child *c)
{
	if (c->upgrade.stage != UPGRADE_NONE && c->upgrade.request)
		answer(c, -ECANCELED, "not upgraded: it was to leave meanwhile");
	over(c);
}

void
upgrade_on_timer(struct super *s, uint64_t now)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		struct upgrade *u = &c->upgrade;
		if (!c->used || !u->until_ns || now < u->until_ns)
			continue;
		if (u->stage == UPGRADE_PREPARING)
			upgrade_failed(c, "was not ready in time");
		else
			over(c);
	}
	if (s->self_try.pid && now >= s->self_try.until_ns && !s->self_try.late) {
		s->self_try.late = true;
		kill(s->self_try.pid, SIGKILL); /* ours, and not reaped yet */
	}
}

/* ------------------------------------------------------------------ ourselves */

void
upgrade_self(struct super *s, uint32_t number)
{
	static char path[4096];
	char *argv[] = {path, "--version", NULL};
	if (s->self_try.pid) {
		super_result(s, number, -EBUSY, "it is being upgraded already");
		return;
	}
	int r = bh_path_program(path, sizeof(path), "bh-supervisor");
	if (r == 0)
		r = super_run_program(path, argv, (int[3]){-1, -1, -1}, logfile_fd(s), &s->self_try.pid, SUPER_RUN_ASIDE);
	if (r < 0) {
		s->self_try.pid = 0;
		super_result(s, number, r, "not upgraded: the new program cannot be started; the old one goes on");
		return;
	}
	s->self_try.number = number;
	s->self_try.late = false;
	s->self_try.until_ns = bh_mono_ns() + SELF_LIMIT_NS;
}

bool
upgrade_reaped(struct super *s, pid_t pid, int status)
{
	if (!s->self_try.pid || pid != s->self_try.pid)
		return false;
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	s->self_try.pid = 0;
	s->self_try.until_ns = 0;
	super_result(s, s->self_try.number, well ? 0 : -ENOEXEC,
		     well		? "the new program takes over"
		     : s->self_try.late ? "not upgraded: the new program does not answer; the old one goes on"
					: "not upgraded: the new program does not run; the old one goes on");
	bh_info("a new program for the supervisor %s", well ? "runs: it takes over" : "does not run: this one goes on");
	s->restart_me = well;
	return true;
}
