/*
 * Confinement, attacked from inside: a child enters the profile of each program, as that prints it, and tries what a process that was taken over would.
 * Where the user's own rights would let it pass is shown first, by the same attempts without a profile.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "shm/layout.h"
#include "tests/lib/host.h"
#include "tests/lib/profile.h"
#include "tests/lib/scratch.h"

#ifndef BH_UNCONFINED

#define PROFILES (int)PROFILE_KINDS
#define SOME_PORT PROFILE_PORT /* nobody is there, and the machine itself says so */

/* What a process has at hand: a peer's segment, read-only, and a sibling. */
static int peer_rw, peer_ro, bell[2], other_port;
static pid_t sibling;
static int pty;
static char dir[64], pty_name[64];
static uint64_t holds; /* in the child */

static int listener = -1;

/* A server of this machine that is none of our business. */
static int
listen_somewhere(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 8) == 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void
setup(void)
{
	char path[64];
	peer_rw = memfd_create("peer.state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_ge(peer_rw, 0);
	ck_assert_int_eq(ftruncate(peer_rw, 4096), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", peer_rw);
	peer_ro = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(peer_ro, 0);
	/* As shm/seg.c and supervisor/spawn.c make them. */
	ck_assert_int_eq(fcntl(peer_rw, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), 0);
	ck_assert_int_eq(fchmod(peer_rw, 0400), 0);
	ck_assert_int_eq(pipe2(bell, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(fchmod(bell[1], 0200), 0);
	other_port = listen_somewhere();
	pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert(pty >= 0 && grantpt(pty) == 0 && unlockpt(pty) == 0 && ptsname_r(pty, pty_name, sizeof(pty_name)) == 0);
	sibling = fork();
	ck_assert_int_ge(sibling, 0);
	if (sibling == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	scratch_dir(dir, sizeof(dir), "sandbox");
}

static void
teardown(void)
{
	kill(sibling, SIGKILL);
	waitpid(sibling, NULL, 0);
	scratch_remove(dir);
	close(peer_rw);
	close(peer_ro);
	close(bell[0]);
	close(bell[1]);
	close(listener);
	close(pty);
}

/* In the child: a claim that does not hold ends it with its line. */
#define HOLDS(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s (%m)\n", __FILE__, __LINE__, #cond); \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
/* By the filter: not for these arguments, or as if the kernel had no such call. By Landlock and by modes: EACCES. */
#define REFUSED(call) HOLDS((call) < 0 && (errno == EPERM || errno == ENOSYS))
#define KEPT_OUT(call) HOLDS((call) < 0 && (errno == EACCES || errno == EPERM || errno == ENOSYS))

/* Run `claims` in a child under a profile; -1 = without one. Returns its wait status. */
static int
under(int which, void (*claims)(uint32_t may))
{
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		static struct bh_sandbox_plan plan;
		close(peer_rw); /* a reader has no such thing */
		close(bell[0]);
		if (which >= 0) {
			const char *why = profile_read(profile_kinds[which], dir, &plan);
			if (why)
				fprintf(stderr, "bh-%s: %s\n", profile_kinds[which], why);
			HOLDS(!why);
			holds = bh_sandbox_enter(&plan);
			HOLDS(holds & BH_HOLDS_CALLS && holds & BH_HOLDS_READ_ONLY);
		}
		uint32_t may = plan.may;
		claims(may);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int
reopen_for_writing(void)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", peer_ro);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* openat2() by its number: the struct is flags, mode, resolve. */
static long
reopen_by_openat2(void)
{
	char path[64];
	uint64_t how[3] = {O_RDWR, 0, 0};
	snprintf(path, sizeof(path), "/proc/self/fd/%d", peer_ro);
	return syscall(SYS_openat2, AT_FDCWD, path, how, sizeof(how));
}

static long
read_the_sibling(void)
{
	char word[8];
	struct iovec mine = {word, sizeof(word)}, its = {dir, sizeof(word)};
	return syscall(SYS_process_vm_readv, sibling, &mine, 1, &its, 1, 0);
}

/* ------------------------------------------------------------------ refused */

static void
all_is_open(uint32_t may)
{
	(void)may;
	HOLDS(fchmod(peer_ro, 0600) == 0); /* it is its owner's */
	HOLDS(reopen_for_writing() >= 0);
	HOLDS(reopen_by_openat2() >= 0);
	HOLDS(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	HOLDS(kill(sibling, 0) == 0);
	char *argv[] = {(char *)"/bin/true", NULL};
	execv(argv[0], argv);
	HOLDS(!"exec");
}

START_TEST(without_a_profile_a_reader_can_write_a_peers_segment)
{
	ck_assert_int_eq(under(-1, all_is_open), 0);
}
END_TEST

static void
segments_stay_read_only(uint32_t may)
{
	HOLDS(mmap(NULL, 4096, PROT_READ, MAP_SHARED, peer_ro, 0) != MAP_FAILED);
	HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, peer_ro, 0) == MAP_FAILED && errno == EACCES);
	REFUSED(reopen_by_openat2());
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", peer_ro);
	/* Even where devices may be opened for writing: the mode of the segment says no. */
	KEPT_OUT(reopen_for_writing());
	KEPT_OUT(open(path, O_WRONLY));
	KEPT_OUT(open(path, O_ACCMODE));
	REFUSED(open(path, O_RDWR | O_CREAT, 0600));
	REFUSED(open(path, O_RDONLY | O_TRUNC));
	REFUSED(truncate(path, 0));
#ifdef SYS_open
	KEPT_OUT(syscall(SYS_open, path, O_RDWR));
#endif
#ifdef SYS_creat
	REFUSED(syscall(SYS_creat, path, 0600));
#endif
	/* The one form in which a file may be made is none in which this one can be had. */
	HOLDS(open(path, O_RDWR | O_CREAT | O_EXCL, 0600) < 0 && errno == (may & BH_MAY_CREATE ? EEXIST : EPERM));
	KEPT_OUT(open("/proc/self/mem", O_RDWR));
	/* Nor may the mode be another, nor its size, nor its seals. */
	REFUSED(fchmod(peer_ro, 0600));
	REFUSED(chmod(path, 0600));
	REFUSED(fchown(peer_ro, getuid(), getgid()));
	REFUSED(syscall(SYS_fchmodat, AT_FDCWD, path, 0600));
	REFUSED(ftruncate(peer_ro, 0));
	REFUSED(fallocate(peer_ro, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	REFUSED(fcntl(peer_ro, F_ADD_SEALS, F_SEAL_WRITE));
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, peer_ro, 0);
	HOLDS(mprotect(map, 4096, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
}

/* Who rings somebody's bell can do nothing else with it. */
static void
bells_are_only_rung(uint32_t may)
{
	char path[64];
	(void)may;
	HOLDS(write(bell[1], "x", 1) == 1);
	REFUSED(fcntl(bell[1], F_SETFL, 0));
	int no = 0;
	REFUSED(ioctl(bell[1], FIONBIO, &no));
	REFUSED(fcntl(bell[1], F_SETPIPE_SZ, 4096));
	REFUSED(fcntl(bell[1], F_SETOWN, sibling));
	REFUSED(fcntl(bell[1], F_SETSIG, SIGKILL));
	REFUSED(fcntl(bell[1], F_SETLEASE, F_RDLCK));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", bell[1]);
	KEPT_OUT(open(path, O_RDONLY | O_NONBLOCK));
}

START_TEST(a_bell_is_rung_and_neither_read_nor_stopped)
{
	char c;
	ck_assert_int_eq(under(_i, bells_are_only_rung), 0);
	ck_assert_int_eq(read(bell[0], &c, 1), 1);
	ck_assert(fcntl(bell[1], F_GETFL) & O_NONBLOCK);
}
END_TEST

START_TEST(a_read_only_segment_cannot_be_had_writable)
{
	ck_assert_int_eq(under(_i, segments_stay_read_only), 0);
}
END_TEST

static void
others_are_out_of_reach(uint32_t may)
{
	char *argv[] = {(char *)"/bin/true", NULL};
	REFUSED(ptrace(PTRACE_ATTACH, sibling, NULL, NULL));
	REFUSED(ptrace(PTRACE_SEIZE, sibling, NULL, NULL));
	REFUSED(read_the_sibling());
	REFUSED(syscall(SYS_process_vm_writev, sibling, NULL, 0, NULL, 0, 0));
	REFUSED(syscall(SYS_pidfd_open, sibling, 0));
	REFUSED(syscall(SYS_pidfd_getfd, 0, 0, 0));
	REFUSED(kill(sibling, SIGKILL));
	REFUSED(kill(-1, 0));
	REFUSED(syscall(SYS_tgkill, sibling, sibling, SIGKILL));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
	REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	REFUSED(syscall(SYS_userfaultfd, 0));
	REFUSED(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	REFUSED(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
	REFUSED(syscall(SYS_unshare, 0));
	REFUSED(syscall(SYS_init_module, NULL, 0, ""));
	REFUSED(execv(argv[0], argv));
	REFUSED(syscall(SYS_execveat, AT_FDCWD, argv[0], argv, NULL, 0));
	if (!(may & BH_MAY_TCP)) {
		REFUSED(socket(AF_INET, SOCK_STREAM, 0));
		REFUSED(socket(AF_INET6, SOCK_STREAM, 0));
	}
	REFUSED(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socket(AF_PACKET, SOCK_DGRAM, 0));
	if (!(may & BH_MAY_UDP))
		REFUSED(socket(AF_INET, SOCK_DGRAM, 0));
	if (!(may & BH_MAY_UNIX)) {
		int fd = may & BH_MAY_TCP ? socket(AF_INET, SOCK_STREAM, 0) : -1;
		REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
		REFUSED(listen(fd, 1));
		REFUSED(accept(fd, NULL, NULL));
		REFUSED(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	}
	REFUSED(fork());
	REFUSED(syscall(SYS_setuid, 65534));
	REFUSED(syscall(SYS_shmget, 1, 4096, 0600 | IPC_CREAT));
	REFUSED(syscall(SYS_add_key, "user", "x", "y", 1, -4));
	REFUSED(setpriority(PRIO_PROCESS, sibling, 19));
	REFUSED(syscall(SYS_sched_setaffinity, sibling, 0, NULL));
	REFUSED(syscall(SYS_clock_settime, 0, NULL));
	struct rlimit none = {0, 0};
	REFUSED(prlimit(sibling, RLIMIT_CPU, &none, NULL));
	REFUSED(ioctl(0, TIOCSTI, "x"));
	REFUSED(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0 && (errno == EPERM || errno == EACCES));
	if (!(may & BH_MAY_MEMORY))
		REFUSED(memfd_create("x", 0));
	if (!(may & BH_MAY_CREATE)) {
		REFUSED(unlink(dir));
		REFUSED(rename(dir, "/tmp/bh-sandbox-never"));
		REFUSED(open("/tmp/bh-sandbox-never", O_WRONLY | O_CREAT | O_EXCL, 0600));
	}
	/* It may give up more, never take back. */
	static struct bh_sandbox_plan wide = {.may = UINT32_MAX & ~BH_MAY_SECRETS, .files = 4096};
	bh_sandbox_enter(&wide);
	REFUSED(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	if (!(may & BH_MAY_TCP))
		REFUSED(socket(AF_INET, SOCK_STREAM, 0));
}

START_TEST(no_other_process_program_or_network_can_be_reached)
{
	ck_assert_int_eq(under(_i, others_are_out_of_reach), 0);
	ck_assert_int_eq(kill(sibling, 0), 0);
}
END_TEST

/* ------------------------------------------------------------------ what Landlock and limits add */

static int
connect_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int r = connect(fd, (struct sockaddr *)&at, sizeof(at)), e = errno;
	close(fd);
	errno = e;
	return r;
}

static void
only_its_files(uint32_t may)
{
	char path[128];
	if (!(holds & BH_HOLDS_PATHS)) {
		fprintf(stderr, "not tried: this kernel has no Landlock\n");
		return;
	}
	/* Somebody's configuration, other processes, somebody's files. */
	KEPT_OUT(open("/etc/shadow", O_RDONLY));
	KEPT_OUT(open("/root", O_RDONLY | O_DIRECTORY));
	KEPT_OUT(open("/tmp", O_RDONLY | O_DIRECTORY));
	snprintf(path, sizeof(path), "/proc/%d/mem", sibling);
	KEPT_OUT(open(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d/environ", sibling);
	KEPT_OUT(open(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", sibling);
	KEPT_OUT(open(path, O_RDONLY));
	KEPT_OUT(open("/tmp/bh-sandbox-never", O_WRONLY | O_CREAT | O_EXCL, 0600));
	KEPT_OUT(mkdir("/tmp/bh-sandbox-never", 0700));
	KEPT_OUT(unlink("/etc/passwd"));
	KEPT_OUT(open("/etc/passwd", O_RDWR));
	KEPT_OUT(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	if (!(may & BH_MAY_CREATE))
		KEPT_OUT(open(dir, O_RDONLY | O_DIRECTORY));
	if (holds & BH_HOLDS_PORTS && may & BH_MAY_TCP) {
		KEPT_OUT(connect_to(other_port));
		HOLDS(connect_to(SOME_PORT) < 0 && errno == ECONNREFUSED);
	}
}

START_TEST(only_the_files_and_ports_of_its_profile_are_there)
{
	ck_assert_int_eq(under(_i, only_its_files), 0);
}
END_TEST

static void
within_limits(uint32_t may)
{
	struct rlimit l;
	int fd = 0, n = 0;
	HOLDS(holds & BH_HOLDS_LIMITS);
	while ((fd = dup(0)) >= 0)
		HOLDS(++n < 5000);
	HOLDS(errno == EMFILE && fd < 0);
	HOLDS(getrlimit(RLIMIT_FSIZE, &l) == 0 && l.rlim_cur == 1ull << 30);
	if (may & BH_MAY_SECRETS) {
		HOLDS(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max == 0);
		HOLDS(prctl(PR_GET_DUMPABLE) == 0);
	}
	l = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	if (geteuid())
		HOLDS(setrlimit(RLIMIT_FSIZE, &l) < 0);
}

START_TEST(descriptors_and_files_have_limits)
{
	ck_assert_int_eq(under(_i, within_limits), 0);
}
END_TEST

/* A driver's memory is limited by the supervisor, as configured (memory_max). */
static void
allocates(uint32_t may)
{
	struct rlimit l = {256u << 20, 256u << 20};
	(void)may;
	setrlimit(RLIMIT_DATA, &l);
	HOLDS(mmap(NULL, 512u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

START_TEST(half_a_gigabyte_is_refused_where_memory_is_limited)
{
	ck_assert_int_eq(under(_i, allocates), 0);
}
END_TEST

static void
calls_what_is_refused(uint32_t may)
{
	(void)may;
	char *argv[] = {(char *)"/bin/true", NULL};
	execv(argv[0], argv);
}

START_TEST(in_tests_a_refused_call_ends_the_process_with_its_name)
{
	char text[256] = "";
	int said[2], old = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe(said), 0);
	dup2(said[1], STDERR_FILENO);
	setenv("BULKHEAD_SANDBOX", "trap", 1);
	int status = under(0, calls_what_is_refused);
	unsetenv("BULKHEAD_SANDBOX");
	dup2(old, STDERR_FILENO);
	close(old);
	ck_assert_int_gt(read(said[0], text, sizeof(text) - 1), 0);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "ended with %x: %s", status, text);
	ck_assert_msg(strstr(text, "refused: execve") != NULL, "said: %s", text);
	close(said[0]);
	close(said[1]);
}
END_TEST

/* ------------------------------------------------------------------ own work */

static void *
nothing(void *arg)
{
	return arg;
}

static void
creates(void)
{
	char name[80], over[80], text[8] = "";
	snprintf(name, sizeof(name), "%s/new", dir);
	snprintf(over, sizeof(over), "%s/snapshot", dir);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	HOLDS(fd >= 0 && write(fd, "room", 4) == 4 && fsync(fd) == 0 && rename(name, over) == 0);
	fd = open(over, O_RDONLY);
	HOLDS(fd >= 0 && read(fd, text, sizeof(text)) == 4 && !strcmp(text, "room") && unlink(over) == 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	HOLDS(fd >= 0 && fsync(fd) == 0);
}

static void
own_work_is_done(uint32_t may)
{
	/* every process: its segments, files to read, time, sleep and wake, names from the system's files */
	int pipefd[2];
	HOLDS(pipe(pipefd) == 0 && write(pipefd[1], "x", 1) == 1);
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pipefd) == 0);
	struct bh_loop *loop = bh_loop_new();
	HOLDS(loop && malloc(1 << 20));
	if (may & BH_MAY_UDP) {
		int fd = bh_udp_connect("127.0.0.1", 9);
		HOLDS(fd >= 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1);
		HOLDS(bh_udp_connect("localhost", 9) >= 0);
	}
	if (may & BH_MAY_TCP) {
		/* Nobody is there, and the machine itself says so. */
		struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(SOME_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		HOLDS(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 && errno == ECONNREFUSED);
		HOLDS(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0) >= 0);
		HOLDS(getaddrinfo("localhost", "4455", &hints, &found) == 0 && found);
		freeaddrinfo(found);
	}
	if (may & BH_MAY_UNIX && may & BH_MAY_CREATE) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		snprintf(at.sun_path, sizeof(at.sun_path), "%s/new", dir);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		HOLDS(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0);
		HOLDS(connect(to, (struct sockaddr *)&at, sizeof(at)) == 0 && accept(fd, NULL, NULL) >= 0);
		HOLDS(unlink(at.sun_path) == 0);
	}
	if (may & BH_MAY_CREATE)
		creates();
	if (may & BH_MAY_THREADS) {
		pthread_t thread;
		HOLDS(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
	}
	/* A desk at a pty, which may be plugged in anew. */
	if (may & BH_MAY_OPEN_RW && may & BH_MAY_UNIX)
		HOLDS(open(pty_name, O_RDWR | O_NOCTTY) >= 0);
}

START_TEST(each_profile_lets_its_process_work)
{
	ck_assert_int_eq(under(_i, own_work_is_done), 0);
}
END_TEST

static void
aborts(uint32_t may)
{
	(void)may;
	abort();
}

START_TEST(a_failed_assertion_still_dies_of_sigabrt)
{
	int status = under(_i, aborts);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

/* ------------------------------------------------------------------ the real ones */

/* Of a started driver: the word that readers see, and what the kernel says. */
static void
expect_confined(const struct host *h, uint64_t expected)
{
	char path[64], text[4096] = "";
	snprintf(path, sizeof(path), "/proc/%d/status", h->pid);
	int fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1"));
	ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2"));
	ck_assert_uint_eq(h->self->holds & (BH_HOLDS_CALLS | BH_HOLDS_READ_ONLY | BH_HOLDS_NO_NETWORK), expected);
}

START_TEST(drivers_run_confined_and_say_so)
{
	static struct host h;
	host_start(&h, "loop", "channels", "8", NULL);
	expect_confined(&h, BH_HOLDS_CALLS | BH_HOLDS_READ_ONLY | BH_HOLDS_NO_NETWORK);
	host_kill(&h);
	host_restart(&h);
	expect_confined(&h, BH_HOLDS_CALLS | BH_HOLDS_READ_ONLY | BH_HOLDS_NO_NETWORK);
	host_stop(&h);
	memset(&h, 0, sizeof(h));
	host_start(&h, "template", "host", "127.0.0.1", "port", "9", NULL);
	expect_confined(&h, BH_HOLDS_CALLS | BH_HOLDS_READ_ONLY);
	host_stop(&h);
}
END_TEST

/* All of a file of /proc; NULL if it cannot be read. */
static const char *
proc_file(pid_t pid, const char *name)
{
	static char text[256 * 1024];
	char path[64];
	size_t n = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *f = fopen(path, "r");
	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = '\0';
	return text;
}

START_TEST(a_password_is_in_no_core_and_in_nothing_that_others_read)
{
	static struct host h;
	static const char secret[] = "Xq7-never-seen-again";
	host_start(&h, "obs", "port", "1", "password", secret, NULL);
	ck_assert_uint_eq(h.self->holds & BH_HOLDS_NO_DUMP, BH_HOLDS_NO_DUMP);
	static const char *const names[] = {"cmdline", "environ", "comm", "limits"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = proc_file(h.pid, names[i]);
		ck_assert(!text || !strstr(text, secret));
	}
	/* Its options, as they are mapped, are marked (dd): root, who alone may look, sees it. */
	const char *maps = geteuid() == 0 ? proc_file(h.pid, "smaps") : NULL, *options = maps ? strstr(maps, "options") : NULL;
	if (options) {
		const char *flags = strstr(options, "VmFlags:");
		ck_assert_ptr_nonnull(flags);
		const char *dd = strstr(flags, " dd"), *line = strchr(flags, '\n');
		ck_assert_msg(dd && line && dd < line, "%.100s", flags);
	} else {
		fprintf(stderr, "not looked at: the mapping of the options\n");
	}
	host_stop(&h);
}
END_TEST

START_TEST(a_debugger_attaches_from_outside)
{
	static struct host h;
	int status;
	host_start(&h, "loop", "channels", "8", NULL);
	ck_assert_int_eq(ptrace(PTRACE_ATTACH, h.pid, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(h.pid, &status, 0), h.pid);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(ptrace(PTRACE_DETACH, h.pid, NULL, NULL), 0);
	uint32_t level = host_param(&h, "ch1/level");
	ck_assert_int_eq(host_want(&h, level, bh_float(-6), true), 0);
	host_expect(&h, level, bh_float(-6), 2000);
	host_stop(&h);
}
END_TEST

#else

START_TEST(a_build_that_cannot_be_confined_says_so)
{
	static struct bh_sandbox_plan plan;
	ck_assert_uint_eq(bh_sandbox_enter(&plan), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}
END_TEST

#endif

int
main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
#ifndef BH_UNCONFINED
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, without_a_profile_a_reader_can_write_a_peers_segment);
	tcase_add_loop_test(t, a_read_only_segment_cannot_be_had_writable, 0, PROFILES);
	tcase_add_loop_test(t, a_bell_is_rung_and_neither_read_nor_stopped, 0, PROFILES);
	tcase_add_loop_test(t, only_the_files_and_ports_of_its_profile_are_there, 0, PROFILES);
	tcase_add_loop_test(t, descriptors_and_files_have_limits, 0, PROFILES);
	tcase_add_loop_test(t, half_a_gigabyte_is_refused_where_memory_is_limited, 0, PROFILES);
	tcase_add_test(t, in_tests_a_refused_call_ends_the_process_with_its_name);
	tcase_add_loop_test(t, no_other_process_program_or_network_can_be_reached, 0, PROFILES);
	tcase_add_loop_test(t, each_profile_lets_its_process_work, 0, PROFILES);
	tcase_add_loop_test(t, a_failed_assertion_still_dies_of_sigabrt, 0, PROFILES);
	tcase_add_test(t, drivers_run_confined_and_say_so);
	tcase_add_test(t, a_password_is_in_no_core_and_in_nothing_that_others_read);
	tcase_add_test(t, a_debugger_attaches_from_outside);
#else
	tcase_add_test(t, a_build_that_cannot_be_confined_says_so);
#endif
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
