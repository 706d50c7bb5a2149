/*
 * keeper - the supervisor's parent: so small that there is nothing in it to go wrong
 *
 * In:    messages of spawn.h from the supervisor (KEEP, FORGET, QUIT), of which it reads type, slot and roles alone
 * Out:   a supervisor, started again whenever it dies, and handed copies of all descriptors; REAPED for each orphan
 * Fails: a supervisor that dies at once, again and again, is started at growing intervals, for ever as long as there is
 *        something to keep. If the keeper dies the supervisor starts another one (--takeover) and hands it its copies.
 *
 * A supervisor that took over and lived for a while has shown that its program is good. When another file stands in its place, and
 * that does not take over (it ends at once, or does nothing for ADOPT_NS), the good one is started again, by the descriptor of its file.
 *
 * It is a subreaper, so that processes whose supervisor died become its children and their causes of death are not lost.
 * Signals to leave or to read the configuration anew are passed on: whoever started us knows only our number.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "common/spawn.h"
#include "common/units.h"

#define KEPT_MAX 3000	/* descriptors: 31 processes with all they can have are under 1000 */
#define REAPED_MAX 64	/* deaths remembered while there is no supervisor */
#define QUICK_NS (250 * BH_NS_PER_MS) /* a life shorter than this counts as a failed start */
#define DELAY_MAX_MS 5000
#define DELAY_USED_MS 100 /* the longest pause after lives that were short, but took over what there is */
#define ADOPT_NS (20 * BH_NS_PER_S) /* a new program that has not taken over by then is no good */
#define HANDOVER_MS 5000 /* a new supervisor that does not read is killed after this */

extern char **environ;

struct kept {
	struct bh_spawn_fd what;
	int fd; /* owned */
};

static struct kept kept[KEPT_MAX];
static unsigned kept_count;
static struct {
	pid_t pid;
	int status;
} reaped[REAPED_MAX];
static unsigned reaped_count;

static pid_t sup_pid;		/* 0 = there is none */
static int sup_sock = -1, sup_pidfd = -1; /* owned */
static uint64_t sup_started_ns, start_at_ns;
static uint64_t sup_exec_ns; /* CLOCK_BOOTTIME when we began to start it: it is told, and says how long it took to take over */
static unsigned quick_deaths;
static bool sup_works; /* this one got as far as handing us something */
static int good_fd = -1, trial_fd = -1; /* owned: files of the programs that have shown to be good, and that runs now */
static struct stat bad;	    /* the file that did not take over; zero = none */
static bool sup_by_name;    /* the one that runs was started from whatever stands there */
static int pending_signal; /* came while there was no supervisor */
static int quit_code = -1; /* set by QUIT: end with this once the supervisor is gone */
static char *config_path;  /* borrowed from argv: passed on, never read */

static bool
is_same(const struct bh_spawn_fd *a, const struct bh_spawn_fd *b)
{
	return a->role == b->role && a->slot == b->slot && a->peer == b->peer && a->flags == b->flags;
}

static void
keep(const struct bh_spawn_fd *what, int fd)
{
	for (unsigned i = 0; i < kept_count; i++) {
		if (is_same(&kept[i].what, what)) {
			close(kept[i].fd);
			kept[i].fd = fd;
			return;
		}
	}
	if (kept_count == KEPT_MAX) {
		close(fd);
		return;
	}
	kept[kept_count++] = (struct kept){.what = *what, .fd = fd};
}

/* role 0: everything that belongs to this slot, outboxes towards it included. */
static void
forget(uint16_t slot, uint64_t role)
{
	for (unsigned i = 0; i < kept_count;) {
		const struct bh_spawn_fd *w = &kept[i].what;
		bool to_it = w->role == BH_FD_OUTBOX && w->peer == slot;
		if ((role && w->role == role && w->slot == slot) || (!role && (w->slot == slot || to_it))) {
			close(kept[i].fd);
			kept[i] = kept[--kept_count];
		} else {
			i++;
		}
	}
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Does something stand there now that is not the file of the good program? */
static bool
is_other_program(const char *path, struct stat *there)
{
	struct stat good;
	return good_fd >= 0 && fstat(good_fd, &good) == 0 && stat(path, there) == 0 &&
	       (good.st_dev != there->st_dev || good.st_ino != there->st_ino);
}

static void
hold_program(void)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)sup_pid);
	bh_close(&trial_fd);
	trial_fd = open(path, O_PATH | O_CLOEXEC);
}

/* What the life that is over says of its program. */
static void
judge_program(bool good)
{
	char path[4096];
	struct stat there;
	if (good && trial_fd >= 0) {
		bh_close(&good_fd);
		good_fd = bh_steal_fd(&trial_fd);
	}
	bh_close(&trial_fd);
	if (good || !sup_by_name || bh_path_program(path, sizeof(path), "bh-supervisor") < 0 || !is_other_program(path, &there))
		return;
	bad = there;
	fprintf(stderr, "bh-keeper: the new program of the supervisor does not take over; back to the old one\n");
}

static void
on_message(const struct bh_spawn_msg *msg, int *fds)
{
	for (unsigned i = 0; i < msg->nfds; i++) {
		if (msg->type == BH_SPAWN_KEEP)
			keep(&msg->fd[i], fds[i]);
		else
			close(fds[i]);
	}
	if (!sup_works && msg->type == BH_SPAWN_KEEP) {
		sup_works = true;
		hold_program();
	}
	if (msg->type == BH_SPAWN_FORGET)
		forget(msg->slot, msg->value);
	if (msg->type == BH_SPAWN_QUIT)
		quit_code = (int)(msg->value & 0xff);
}

/* Take what has come. After the supervisor's death this also takes its last words. */
static void
read_messages(void)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS], r;
	while (sup_sock >= 0 && (r = bh_spawn_recv(sup_sock, &msg, fds, 0)) != -EAGAIN) {
		if (r == 1)
			on_message(&msg, fds);
		else if (r != -EPROTO)
			bh_close(&sup_sock);
	}
}

/* By pidfd: after a takeover it is not our child, and its number may be another's by now. */
static void
signal_supervisor(int sig)
{
	syscall(SYS_pidfd_send_signal, sup_pidfd, sig, NULL, 0);
}

static bool
send_waiting(struct bh_spawn_msg *msg, const int *fds)
{
	int r;
	while ((r = bh_spawn_send(sup_sock, msg, fds)) == -EAGAIN) {
		struct pollfd p = {.fd = sup_sock, .events = POLLOUT};
		if (poll(&p, 1, HANDOVER_MS) <= 0)
			return false;
	}
	return r == 0;
}

static void
hand_over(void)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
	unsigned done = 0;
	do {
		memset(&msg, 0, sizeof(msg));
		msg.type = BH_SPAWN_HANDOVER;
		msg.value = sup_exec_ns;
		for (; done < kept_count && msg.nfds < BH_SPAWN_FDS; done++) {
			msg.fd[msg.nfds] = kept[done].what;
			fds[msg.nfds++] = kept[done].fd;
		}
		msg.flags = done == kept_count ? BH_SPAWN_LAST : 0;
		if (!send_waiting(&msg, fds)) {
			signal_supervisor(SIGKILL);
			return;
		}
	} while (done < kept_count);
	for (unsigned i = 0; i < reaped_count; i++) {
		msg = (struct bh_spawn_msg){
			.type = BH_SPAWN_REAPED, .value = (uint64_t)reaped[i].pid, .error = reaped[i].status};
		send_waiting(&msg, NULL);
	}
	reaped_count = 0;
}

static int
watch_supervisor(pid_t pid)
{
	sup_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	sup_pid = sup_pidfd < 0 ? 0 : pid;
	sup_started_ns = bh_mono_ns();
	return sup_pidfd < 0 ? -errno : 0;
}

static int
start_supervisor(void)
{
	char path[4096], program[4096];
	struct stat there;
	char *first[] = {path, config_path, NULL}, *again[] = {path, "--adopt", config_path, NULL};
	int pair[2], r = bh_path_program(path, sizeof(path), "bh-supervisor");
	pid_t pid;
	posix_spawn_file_actions_t files;
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, pair[1], BH_SPAWN_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, BH_SPAWN_FD + 1);
	sup_exec_ns = bh_now_ns();
	/* Of the file that stands there, unless that is the one that has failed. */
	snprintf(program, sizeof(program), "%s", path);
	sup_by_name = !(is_other_program(path, &there) && is_same_file(&there, &bad));
	if (!sup_by_name)
		snprintf(program, sizeof(program), "/proc/%d/fd/%d", (int)getpid(), good_fd);
	/* It inherits our blocked signals: one that comes before it listens waits for it. */
	r = -posix_spawn(&pid, program, &files, NULL, kept_count ? again : first, environ);
	posix_spawn_file_actions_destroy(&files);
	close(pair[1]);
	if (r == 0)
		r = watch_supervisor(pid);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	sup_sock = pair[0];
	sup_works = false;
	if (kept_count)
		hand_over();
	if (pending_signal)
		signal_supervisor(pending_signal);
	pending_signal = 0;
	return 0;
}

/* The pause before the next start: none, unless it keeps dying young. */
static void
plan_start(bool was_quick)
{
	quick_deaths = was_quick ? quick_deaths + 1 : 0;
	unsigned delay_ms = 0, most_ms = sup_works ? DELAY_USED_MS : DELAY_MAX_MS;
	for (unsigned i = 3; i <= quick_deaths && delay_ms < most_ms; i++)
		delay_ms = delay_ms ? delay_ms * 2 : 25;
	if (delay_ms > most_ms)
		delay_ms = most_ms;
	start_at_ns = bh_mono_ns() + delay_ms * BH_NS_PER_MS;
	if (quick_deaths >= 5 && !kept_count) {
		fprintf(stderr, "bh-keeper: the supervisor cannot be started; giving up\n");
		exit(1);
	}
}

static void
on_supervisor_death(void)
{
	read_messages();
	bh_close(&sup_sock);
	bh_close(&sup_pidfd);
	sup_pid = 0;
	if (quit_code >= 0)
		exit(quit_code);
	bool quick = bh_mono_ns() - sup_started_ns < QUICK_NS;
	judge_program(sup_works && !quick);
	fprintf(stderr, "bh-keeper: the supervisor died; starting the next one%s\n",
		kept_count ? ", which takes over the running processes" : "");
	plan_start(quick);
}

/* Not one that is looked at by a debugger: only of a program that is new, and while the old one can be had. */
static uint64_t
adopt_until(void)
{
	char path[4096];
	struct stat there;
	if (!sup_pid || sup_works || !kept_count || !sup_by_name || bh_path_program(path, sizeof(path), "bh-supervisor") < 0 ||
	    !is_other_program(path, &there))
		return 0;
	return sup_started_ns + ADOPT_NS;
}

static void
reap(void)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct bh_spawn_msg msg = {.type = BH_SPAWN_REAPED, .value = (uint64_t)pid, .error = status};
		if (pid == sup_pid)
			continue; /* its pidfd says so, too */
		if (sup_sock >= 0 && bh_spawn_send(sup_sock, &msg, NULL) == 0)
			continue;
		if (reaped_count == REAPED_MAX)
			memmove(&reaped[0], &reaped[1], sizeof(reaped[0]) * --reaped_count);
		reaped[reaped_count].pid = pid;
		reaped[reaped_count++].status = status;
	}
}

static void
on_signal(int fd)
{
	struct signalfd_siginfo si;
	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap();
		else if (sup_pid)
			signal_supervisor((int)si.ssi_signo);
		else
			pending_signal = (int)si.ssi_signo, start_at_ns = 0;
	}
}

static int
signals(void)
{
	static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
	sigset_t set;
	sigemptyset(&set);
	for (unsigned i = 0; i < BH_ARRAY_LEN(ours); i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
main(int argc, char **argv)
{
	bool takeover = argc == 4 && !strcmp(argv[1], "--takeover");
	struct rlimit files;
	if (!takeover && (argc != 2 || argv[1][0] == '-')) {
		fprintf(stderr, "usage: bh-keeper FILE\nKeeps Bulkhead's supervisor alive; `bulkhead run` starts it.\n");
		return 2;
	}
	config_path = argv[argc - 1];
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int sig_fd = signals();
	if (takeover) {
		sup_sock = BH_SPAWN_FD;
		if (watch_supervisor((pid_t)atoi(argv[2])) < 0)
			on_supervisor_death();
	}
	for (;;) {
		uint64_t now = bh_mono_ns();
		if (!sup_pid && now >= start_at_ns && start_supervisor() < 0)
			plan_start(true);
		uint64_t until = adopt_until();
		if (until && now >= until)
			signal_supervisor(SIGKILL);
		uint64_t next = sup_pid ? until : start_at_ns;
		int wait_ms = sup_pid && next <= now ? -1 : next <= now ? 0 : (int)((next - now) / BH_NS_PER_MS) + 1;
		struct pollfd p[] = {{.fd = sig_fd, .events = POLLIN},
				     {.fd = sup_sock, .events = POLLIN},
				     {.fd = sup_pidfd, .events = POLLIN}};
		poll(p, 3, wait_ms);
		on_signal(sig_fd);
		read_messages();
		if (p[2].fd >= 0 && p[2].revents)
			on_supervisor_death();
	}
}
