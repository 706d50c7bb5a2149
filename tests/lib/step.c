/* step.c - see step.h */
#include "tests/lib/step.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long step_count;
static unsigned step_depth;

/* Where each instruction of the last pass stood, from the first; for bh_step_kill(). */
static struct {
	unsigned long *at, count, cap;
	bool *first; /* NULL = not known yet */
} step_way;

unsigned long
bh_step_instructions(void)
{
	return step_count;
}

static void
step_child(void (*work)(void *arg), void *arg)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	raise(SIGSTOP);
	work(arg);
	_exit(0);
}

/* A child that stands still, just before its work. Its pid, or -errno. */
static pid_t
step_begin(void (*work)(void *arg), void *arg)
{
	int status;
	step_count = 0;
	pid_t pid = fork();
	if (pid == 0)
		step_child(work, arg);
	if (pid < 0)
		return -errno;
	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) ? pid : -EIO;
}

/* ------------------------------------------------------------------ the way back to an instruction */

#ifdef __x86_64__
static void
step_note(pid_t pid)
{
	if (step_way.count == step_way.cap) {
		step_way.cap = step_way.cap ? 2 * step_way.cap : 65536;
		step_way.at = realloc(step_way.at, step_way.cap * sizeof(*step_way.at));
		if (!step_way.at)
			abort();
	}
	step_way.at[step_way.count++] = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), NULL);
}

/* Which of them were met for the first time? */
static void
step_find_firsts(void)
{
	unsigned long room = 4 * step_way.count + 1, *seen = calloc(room, sizeof(*seen));
	free(step_way.first);
	step_way.first = calloc(step_way.count + 1, sizeof(*step_way.first));
	if (!seen || !step_way.first)
		abort();
	for (unsigned long k = 0; k < step_way.count; k++) {
		unsigned long at = step_way.at[k] * 0x9e3779b97f4a7c15ul % room;
		while (seen[at] && seen[at] != step_way.at[k])
			at = (at + 1) % room;
		step_way.first[k] = !seen[at];
		seen[at] = step_way.at[k];
	}
	free(seen);
}

/* The last instruction up to the n-th at which the child was for the first time: there one breakpoint will do. 0 = the beginning. */
static unsigned long
step_milestone(unsigned long n)
{
	if (!step_way.first)
		step_find_firsts();
	while (n > 0 && !step_way.first[n])
		n--;
	return n;
}

/* Run to instruction n of the way, at full speed. */
static bool
step_leap(pid_t pid, unsigned long n)
{
	unsigned long where = step_way.at[n];
	int status;
	errno = 0;
	long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)where, NULL);
	if (errno || ptrace(PTRACE_POKETEXT, pid, (void *)where, (void *)((word & ~0xffl) | 0xcc)) < 0)
		return false;
	if (ptrace(PTRACE_CONT, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP)
		return false;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)where, (void *)word) < 0 ||
	    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rip), (void *)where) < 0)
		return false;
	step_count = n;
	return true;
}
#else
static void
step_note(pid_t pid)
{
	(void)pid;
}

static unsigned long
step_milestone(unsigned long n)
{
	(void)n;
	return 0;
}

static bool
step_leap(pid_t pid, unsigned long n)
{
	(void)pid, (void)n;
	return true;
}
#endif

/* One instruction further. False: the child has ended (or met a signal, or cannot be traced), see `status`. */
static bool
step_one(pid_t pid, int *status)
{
	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, status, 0) != pid)
		return false;
	step_count++;
	return WIFSTOPPED(*status) && WSTOPSIG(*status) == SIGTRAP;
}

/* 0 if it ended by itself and well. */
static int
step_end(pid_t pid, int status)
{
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* Bring the copies up to date; was there anything to bring? */
static bool
step_changed(const struct bh_step_range *range, unsigned ranges, void *const *copies)
{
	bool changed = false;
	for (unsigned k = 0; k < ranges; k++) {
		if (memcmp(copies[k], range[k].memory, range[k].len) == 0)
			continue;
		memcpy(copies[k], range[k].memory, range[k].len);
		changed = true;
	}
	return changed;
}

static int
step_through(pid_t pid, void *arg, const struct bh_step_range *range, unsigned ranges, void *const *copies,
	     void (*on_image)(void *arg, void *const *copies))
{
	int status = 0, images = 1;
	on_image(arg, copies);
	bool more;
	do {
		if (step_depth == 1)
			step_note(pid);
		more = step_one(pid, &status);
		if (step_changed(range, ranges, copies)) {
			on_image(arg, copies);
			images++;
		}
	} while (more);
	int ret = step_end(pid, status);
	return ret < 0 ? ret : images;
}

int
bh_step_images(void (*work)(void *arg), void *arg, const struct bh_step_range *range, unsigned ranges,
	       void (*on_image)(void *arg, void *const *copies))
{
	void *copies[BH_STEP_RANGES] = {NULL};
	unsigned long outer = step_count;
	if (++step_depth == 1) {
		step_way.count = 0;
		free(step_way.first);
		step_way.first = NULL;
	}
	int ret = ranges > BH_STEP_RANGES ? -EINVAL : 0;
	for (unsigned k = 0; ret == 0 && k < ranges; k++) {
		copies[k] = malloc(range[k].len);
		if (!copies[k])
			ret = -ENOMEM;
		else
			memcpy(copies[k], range[k].memory, range[k].len);
	}
	pid_t pid = ret == 0 ? step_begin(work, arg) : ret;
	ret = pid < 0 ? pid : step_through(pid, arg, range, ranges, copies, on_image);
	for (unsigned k = 0; k < BH_STEP_RANGES; k++)
		free(copies[k]);
	step_depth--;
	if (step_depth)
		step_count = outer;
	return ret;
}

int
bh_step_kill(void (*work)(void *arg), void *arg, unsigned long instructions)
{
	int status = 0;
	pid_t pid = step_begin(work, arg);
	if (pid < 0)
		return pid;
	unsigned long milestone = instructions < step_way.count ? step_milestone(instructions) : 0;
	if (milestone && !step_leap(pid, milestone)) {
		/* At full speed it went another way (libc has some that depend on what the processor did before). Not by this one again. */
		step_way.first[milestone] = false;
		step_end(pid, 0x7f);
		return -EAGAIN;
	}
	while (step_count < instructions)
		if (!step_one(pid, &status))
			return step_end(pid, status);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 1 : -EIO;
}

/* ------------------------------------------------------------------ system calls */

int
bh_step_calls(void (*work)(void *arg), void *arg, void (*on_call)(void *arg))
{
	int status = 0, calls = 0;
	pid_t pid = step_begin(work, arg);
	if (pid < 0)
		return pid;
	while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGTRAP) {
		on_call(arg);
		calls++;
	}
	int ret = step_end(pid, status);
	return ret < 0 ? ret : calls;
}

int
bh_step_seize(pid_t pid)
{
	/* If we die it runs on: what a test leaves behind is ended by others. */
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return -errno;
	int status;
	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) ? 0 : -ESRCH;
}

/* Wait for it, but not for ever. As bh_step_next(). */
static int
step_wait(pid_t pid, int *status, unsigned ms)
{
	for (unsigned n = 0; n < ms * 4; n++) {
		pid_t got = waitpid(pid, status, WNOHANG | __WALL);
		if (got == pid)
			return WIFSTOPPED(*status);
		if (got < 0)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = 250000}, NULL);
	}
	return -ETIMEDOUT;
}

int
bh_step_next(pid_t pid, unsigned ms)
{
	int status, sig = 0;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig) < 0 && errno != ESRCH)
			return -errno;
		int ret = step_wait(pid, &status, ms);
		if (ret != 1)
			return ret;
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80))
			return 1;
		if (status >> 16)
			sig = 0; /* a stop of ptrace's own */
	}
}

void
bh_step_let_go(pid_t pid)
{
	int status;
	/* It may be running: then it has to stop first. */
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0)
		return;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
}
