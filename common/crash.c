/*
 * crash.c - see crash.h
 *
 * Everything below on_crash() may run with any lock held and the heap broken: no malloc, no stdio.
 * The unwinder is linked in, not loaded when it is needed: loading takes 0.2 ms of each start where
 * it is done ahead, and fails in a sandbox where it is not.
 */
#include "common/crash.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <unwind.h>

#include "common/limits.h"
#include "common/mem.h"

#define FRAMES_MAX   40
#define MEMORY_PROBE (1u << 20)

static char crash_name[40] = "?";
static uint8_t crash_stack[32768]; /* of its own: the other may be what is full */
static volatile sig_atomic_t inside;

struct line {
	char text[240];
	size_t len;
};

static void
put(struct line *l, const char *s)
{
	while (*s && l->len < sizeof(l->text) - 1)
		l->text[l->len++] = *s++;
}

static void
put_number(struct line *l, uint64_t n, unsigned base)
{
	char digits[24];
	unsigned at = sizeof(digits) - 1;
	digits[at] = 0;
	do
		digits[--at] = "0123456789abcdef"[n % base];
	while ((n /= base) && at);
	put(l, digits + at);
}

static void
begin(struct line *l)
{
	l->len = 0;
	put(l, crash_name);
	put(l, ": crash: ");
}

static void
finish(struct line *l)
{
	l->text[l->len++] = '\n';
	(void)!write(STDERR_FILENO, l->text, l->len);
}

static void
put_place(uintptr_t pc)
{
	struct line l;
	Dl_info info;
	begin(&l);
	put(&l, "  at ");
	if (dladdr((void *)pc, &info) && info.dli_fname) {
		const char *slash = strrchr(info.dli_fname, '/');
		put(&l, slash ? slash + 1 : info.dli_fname);
		put(&l, "+0x");
		put_number(&l, pc - (uintptr_t)info.dli_fbase, 16);
		if (info.dli_sname) {
			put(&l, " ");
			put(&l, info.dli_sname);
		}
	} else {
		put(&l, "0x");
		put_number(&l, pc, 16);
	}
	finish(&l);
}

static _Unwind_Reason_Code
on_frame(struct _Unwind_Context *at, void *data)
{
	unsigned *n = data;
	int before = 0;
	uintptr_t pc = _Unwind_GetIPInfo(at, &before);
	/* The first is ours. A return address stands behind the call, and may be another
	 * function's. */
	if (pc && (*n)++ > 0)
		put_place(before ? pc : pc - 1);
	return *n < FRAMES_MAX && pc ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static bool
is_limited(int what)
{
	struct rlimit l;
	return getrlimit((__rlimit_resource_t)what, &l) == 0 && l.rlim_cur != RLIM_INFINITY;
}

static bool
has_no_memory(void)
{
	void *p = mmap(NULL, MEMORY_PROBE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (p != MAP_FAILED)
		munmap(p, MEMORY_PROBE);
	return p == MAP_FAILED;
}

/* A process that was refused something and stumbled over it. */
int
bh_crash_limit(int err)
{
	if (is_limited(RLIMIT_DATA) && (err == ENOMEM || has_no_memory()))
		return BH_EXIT_LIMIT + BH_LIMIT_MEMORY;
	if (err == EMFILE)
		return BH_EXIT_LIMIT + BH_LIMIT_FILES;
	return 0;
}

static void
on_crash(int sig, siginfo_t *si, void *context)
{
	struct line l;
	unsigned n = 0;
	int err = errno;
	sigset_t set;
	(void)context;
	if (!inside) {
		inside = 1;
		signal(SIGALRM, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, SIGALRM);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		alarm(1);
		bool is_asked = si->si_code == SI_USER && si->si_pid != getpid();
		begin(&l);
		put(&l, is_asked ? "ended by signal " : "signal ");
		put_number(&l, (uint64_t)sig, 10);
		if (sig == SIGSEGV || sig == SIGBUS) {
			put(&l, ", address 0x");
			put_number(&l, (uintptr_t)si->si_addr, 16);
		}
		put(&l, "; it was");
		finish(&l);
		_Unwind_Backtrace(on_frame, &n);
		/* Not one that others have ended: they know why. */
		int limit = is_asked ? 0 : bh_crash_limit(err);
		if (limit)
			_exit(limit);
	}
	/* The handler is gone (SA_RESETHAND): now it takes its course. */
	signal(sig, SIG_DFL);
	raise(sig);
}

void
bh_crash_name(const char *name)
{
	snprintf(crash_name, sizeof(crash_name), "%s", name);
}

void
bh_crash_init(const char *name)
{
	static const int ours[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction sa = {.sa_sigaction = on_crash,
			       .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER},
			 was;
	stack_t st = {.ss_sp = crash_stack, .ss_size = sizeof(crash_stack)}, had;
	bh_crash_name(name);
	if (sigaltstack(NULL, &had) == 0 && had.ss_flags & SS_DISABLE)
		sigaltstack(&st, NULL);
	for (unsigned i = 0; i < BH_ARRAY_LEN(ours); i++)
		if (sigaction(ours[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
			sigaction(ours[i], &sa, NULL);
}
