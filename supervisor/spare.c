/*
 * spare.c - warm spares: a process of each kind that waits, linked and confined, for somebody to die
 *
 * In:    which programs run (the slots); that all is quiet; PARKED from the spares
 * Out:   a parked process for spawn.c, which makes it the successor by one message
 * Fails: there is none, or it is no longer of the program that stands on the disk: then a start is cold. A spare that dies while
 *        parked is made anew at growing intervals.
 *
 * A spare is ours alone: the keeper has no copy of its socket before it becomes somebody. So it ends by itself when we do, and the
 * next supervisor makes others. Spares are made one after the other, never while anybody starts, leaves or backs off, and some
 * time after the last of it: the processor belongs to who is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("spare");

#define QUIET_NS (300 * BH_NS_PER_MS)	/* since somebody started or ended */
#define PARK_LIMIT_NS (10 * BH_NS_PER_S)/* a spare that is not parked by then is ended */
#define AGAIN_NS BH_NS_PER_S		/* after the first that died; doubling */
#define AGAIN_MOST_NS (300 * BH_NS_PER_S)
#define PROVEN_NS (60 * BH_NS_PER_S)	/* parked for so long, its end is not one of a row */
#define MEMORY_LEFT_KB (64u << 10) /* available: with less, nobody is started who is not needed */

bool
spare_file_of(const char *path, struct spare_file *out)
{
	struct stat st;
	*out = (struct spare_file){0};
	if (stat(path, &st) < 0)
		return false;
	*out = (struct spare_file){.dev = st.st_dev, .ino = st.st_ino, .size = (uint64_t)st.st_size,
				   .time_ns = (uint64_t)st.st_ctim.tv_sec * BH_NS_PER_S + (uint64_t)st.st_ctim.tv_nsec};
	return true;
}

static bool
is_current(const struct spare *sp)
{
	struct spare_file now;
	return spare_file_of(sp->binary, &now) && memcmp(&now, &sp->file, sizeof(now)) == 0;
}

static bool
is_of(const struct spare *sp, const struct child *c)
{
	return !strcmp(sp->binary, c->binary);
}

/* Those that are on the way of an event, and those that an operator sees; who was put back to an older program would not want this one. */
static bool
may_have_spare(const struct child *c)
{
	return c->used && c->slot != BH_SLOT_SUPERVISOR && !c->mem.removed && c->program < 0 &&
	       (c->body.role == BH_ROLE_DRIVER || c->body.role == BH_ROLE_SURFACE || c->body.role == BH_ROLE_ROUTER);
}

/* `status` shows for whom there is one. */
static void
show(struct super *s, const char *binary, uint32_t pid)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (!c->used || c->body.spare_pid == pid || strcmp(c->binary, binary) != 0)
			continue;
		c->body.spare_pid = may_have_spare(c) ? pid : 0;
		table_write(c);
	}
}

/* Descriptors only: the process may have become somebody. */
static void
let_go(struct spare *sp)
{
	bh_watch_free(sp->pid_watch);
	bh_watch_free(sp->sock_watch);
	sp->pid_watch = sp->sock_watch = NULL;
	bh_close(&sp->sock);
	bh_close(&sp->pidfd);
	sp->pid = 0;
	sp->parked = false;
}

static void
end(struct super *s, struct spare *sp)
{
	if (!sp->pid)
		return;
	if (sp->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, sp->pidfd, SIGKILL, NULL, 0);
	let_go(sp);
	if (!sp->of)
		show(s, sp->binary, 0);
}

void
spare_end(struct spare *sp)
{
	if (sp->pid)
		end(sp->s, sp);
}

static void
failed(struct super *s, struct spare *sp, const char *what)
{
	uint64_t now = bh_mono_ns();
	if (sp->of) {
		end(s, sp);
		upgrade_failed(sp->of, what);
		return;
	}
	sp->failures = sp->parked && now - sp->since_ns > PROVEN_NS ? 1 : sp->failures + 1;
	uint64_t pause = AGAIN_NS << (sp->failures < 10 ? sp->failures - 1 : 9);
	sp->next_ns = now + (pause < AGAIN_MOST_NS ? pause : AGAIN_MOST_NS);
	bh_warn("a spare of %s %s; the next is made in %.0f s at the earliest, a start until then is cold", sp->binary, what,
		(double)(sp->next_ns - now) / (double)BH_NS_PER_S);
	end(s, sp);
	spare_touch(s);
}

static void
on_pidfd(void *data, int fd, uint32_t events)
{
	struct spare *sp = data;
	siginfo_t si = {0};
	char what[60] = "died";
	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG) == 0 && si.si_pid)
		snprintf(what, sizeof(what), si.si_code == CLD_EXITED ? "ended with status %d" : "died of signal %d", si.si_status);
	failed(sp->s, sp, what);
}

static void
on_sock(void *data, int fd, uint32_t events)
{
	static struct bh_spawn_msg msg;
	struct spare *sp = data;
	int fds[BH_SPAWN_FDS], r;
	(void)events;
	while ((r = bh_spawn_recv(fd, &msg, fds, 0)) == 1) {
		for (unsigned i = 0; i < msg.nfds; i++)
			close(fds[i]);
		if (msg.type != BH_SPAWN_PARKED || sp->parked)
			continue;
		if (msg.value != BH_SEG_VERSION) {
			failed(sp->s, sp, "is of another version of the shared memory");
			return;
		}
		sp->parked = true;
		sp->since_ns = bh_mono_ns();
		if (sp->of) {
			sched_process(sp->s, sp->pid, sp->of->body.role);
			upgrade_parked(sp->of);
			return;
		}
		for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
			if (may_have_spare(&sp->s->slot[q]) && is_of(sp, &sp->s->slot[q]))
				sched_process(sp->s, sp->pid, sp->s->slot[q].body.role);
		bh_dbg("%s: a spare is parked (%d)", sp->binary, (int)sp->pid);
		show(sp->s, sp->binary, (uint32_t)sp->pid);
		spare_touch(sp->s);
	}
	if (r == -EAGAIN)
		return;
	/* Its end is closed: the pidfd will say so. */
	bh_watch_free(sp->sock_watch);
	sp->sock_watch = NULL;
}

int
spare_begin(struct super *s, struct spare *sp)
{
	struct bh_spawn_msg park = {.type = BH_SPAWN_PARK};
	char *argv[] = {sp->binary, NULL}, state;
	int pair[2];
	if (!spare_file_of(sp->binary, &sp->file))
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	int r = bh_spawn_send(pair[0], &park, NULL);
	if (r == 0)
		r = super_run_program(sp->binary, argv, (int[3]){pair[1], -1, -1}, logfile_fd(s), &sp->pid, SUPER_RUN_SPARE);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		sp->pid = 0;
		return r;
	}
	sp->s = s;
	sp->sock = pair[0];
	sp->pidfd = (int)syscall(SYS_pidfd_open, sp->pid, 0);
	sp->parked = false;
	sp->since_ns = bh_mono_ns();
	watch_start_time(sp->pid, &sp->start_time, &state);
	sp->pid_watch = sp->pidfd < 0 ? NULL : bh_loop_watch(s->loop, sp->pidfd, EPOLLIN, on_pidfd, sp);
	sp->sock_watch = bh_loop_watch(s->loop, sp->sock, EPOLLIN, on_sock, sp);
	if (!sp->pid_watch || !sp->sock_watch)
		end(s, sp);
	return sp->pid ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ when, and of what */

static bool
is_quiet(const struct super *s)
{
	if (!s->running || s->memory->quitting || s->memory->cold || s->asking || s->run.running || s->restart_me)
		return false;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		const struct child *c = &s->slot[q];
		uint8_t state = c->mem.policy.state;
		if (c->used && (c->waits || state == BH_POL_STARTING || state == BH_POL_ENDING || state == BH_POL_LEAVING ||
				state == BH_POL_BACKING_OFF || c->upgrade.stage == UPGRADE_PREPARING))
			return false;
	}
	return true;
}

static bool
memory_is_short(void)
{
	char buf[512];
	bh_autoclose int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	const char *left = strstr(buf, "MemAvailable:");
	return left && strtoull(left + strlen("MemAvailable:"), NULL, 10) < MEMORY_LEFT_KB;
}

/* Does anybody of this program run, or will again? */
static bool
is_wanted(const struct super *s, const char *binary, bool running)
{
	for (unsigned q = 1; s->cfg.spares && q < BH_MAX_SLOTS; q++) {
		const struct child *c = &s->slot[q];
		if (may_have_spare(c) && !strcmp(c->binary, binary) &&
		    (running ? c->mem.policy.state == BH_POL_RUNNING : bh_policy_is_wanted(&c->mem.policy)))
			return true;
	}
	return false;
}

static struct spare *
entry_of(struct super *s, const char *binary)
{
	struct spare *free_one = NULL;
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->spare); i++) {
		struct spare *sp = &s->spare[i];
		if (!strcmp(sp->binary, binary))
			return sp;
		if (!sp->pid && !is_wanted(s, sp->binary, false))
			free_one = sp;
	}
	if (free_one) {
		*free_one = (struct spare){.sock = -1, .pidfd = -1};
		snprintf(free_one->binary, sizeof(free_one->binary), "%s", binary);
	}
	return free_one;
}

/* Those that are of no use any more leave at once, however busy it is. */
static void
discard(struct super *s, uint64_t now)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->spare); i++) {
		struct spare *sp = &s->spare[i];
		if (!sp->pid)
			continue;
		if (!is_wanted(s, sp->binary, false)) {
			end(s, sp);
		} else if (!is_current(sp)) {
			bh_info("%s is another file now: its spare is made anew", sp->binary);
			end(s, sp);
			sp->failures = 0;
		} else if (!sp->parked && now - sp->since_ns > PARK_LIMIT_NS) {
			failed(s, sp, "was not ready in time");
		}
	}
}

/* One more, if one is missing. */
static void
complete(struct super *s, uint64_t now)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		struct spare *sp = may_have_spare(c) && is_wanted(s, c->binary, true) ? entry_of(s, c->binary) : NULL;
		if (!sp || (sp->pid && sp->parked))
			continue;
		if (sp->pid) {
			s->spare_due_ns = sp->since_ns + PARK_LIMIT_NS + BH_NS_PER_MS; /* comes on its own before that */
			return;
		}
		if (sp->next_ns > now) {
			if (!s->spare_due_ns || sp->next_ns < s->spare_due_ns)
				s->spare_due_ns = sp->next_ns;
			continue;
		}
		if (memory_is_short()) {
			s->spare_due_ns = now + AGAIN_NS;
			return;
		}
		int r = spare_begin(s, sp);
		if (r < 0)
			failed(s, sp, strerror(-r));
		s->spare_due_ns = now + (r < 0 ? QUIET_NS : PARK_LIMIT_NS + BH_NS_PER_MS);
		return;
	}
}

void
spare_touch(struct super *s)
{
	s->spare_due_ns = bh_mono_ns() + QUIET_NS;
}

void
spare_on_timer(struct super *s, uint64_t now)
{
	if (!s->spare_due_ns || now < s->spare_due_ns)
		return;
	s->spare_due_ns = 0;
	discard(s, now);
	if (is_quiet(s)) /* else the change that ends it brings us back */
		complete(s, now);
}

/* ------------------------------------------------------------------ becoming somebody */

/* Parked, alive, and not stopped by anybody. */
bool
spare_is_usable(struct spare *sp)
{
	siginfo_t si = {0};
	return sp->pid && sp->parked && waitid(P_PIDFD, (id_t)sp->pidfd, &si, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 && !si.si_pid;
}

/* Of the program that a cold start would start now. */
struct spare *
spare_for(struct child *c)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(c->s->spare); i++) {
		struct spare *sp = &c->s->spare[i];
		if (sp->pid && is_of(sp, c) && may_have_spare(c) && is_current(sp) && spare_is_usable(sp))
			return sp;
	}
	return NULL;
}

/* Its process is `c` from now on: socket and pidfd are c's. */
void
spare_take(struct spare *sp, struct child *c)
{
	bh_watch_free(sp->pid_watch);
	bh_watch_free(sp->sock_watch);
	sp->pid_watch = sp->sock_watch = NULL;
	c->sock = bh_steal_fd(&sp->sock);
	c->pidfd = bh_steal_fd(&sp->pidfd);
	c->body.pid = (uint32_t)sp->pid;
	c->body.start_time = sp->start_time;
	if (!sp->of)
		c->body.spare_pid = 0;
	sp->pid = 0;
	sp->parked = false;
	sp->failures = 0;
}

/* After that, what can wait: others of its kind have none now. */
void
spare_taken(struct spare *sp, struct child *c)
{
	if (!sp->of)
		show(c->s, c->binary, 0);
	spare_touch(c->s);
}

/* Another supervisor's are gone with it. */
void
spare_adopt(struct super *s)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		s->slot[q].body.spare_pid = 0;
	spare_touch(s);
}

/* A new file as standard error. */
void
spare_log(struct super *s, int fd)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->spare); i++) {
		struct bh_spawn_msg msg = {.type = BH_SPAWN_STDERR, .nfds = 1};
		msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_STDERR, .flags = BH_SPAWN_FD_RW};
		if (s->spare[i].pid && s->spare[i].sock >= 0)
			bh_spawn_send(s->spare[i].sock, &msg, &fd);
	}
}

void
spare_end_all(struct super *s)
{
	int fd[BH_ARRAY_LEN(s->spare)];
	unsigned n = 0;
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->spare); i++) {
		struct spare *sp = &s->spare[i];
		if (sp->pid && sp->pidfd >= 0)
			fd[n++] = dup(sp->pidfd);
		end(s, sp);
	}
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		spare_end(&s->slot[q].upgrade.next);
	s->spare_due_ns = 0;
	/* Whoever looks after our end finds none of them. */
	for (unsigned i = 0; i < n; i++) {
		struct pollfd p = {.fd = fd[i], .events = POLLIN};
		poll(&p, 1, 1000);
		close(fd[i]);
	}
}
