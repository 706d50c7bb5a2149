/*
 * The kernel's behaviour on which shm/ is built, measured anew on the kernel that runs this: on
 * this machine, and in the guest on Debian's 6.1. Each test also shows the opposite where the fact
 * would be hollow without it.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/units.h"

#define SIZE   4096u
#define NOBODY 65534u

static int
memfd(unsigned seals)
{
	int fd = memfd_create("facts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int
reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static uint32_t *
map(int fd, int prot)
{
	return mmap(NULL, SIZE, prot, MAP_SHARED, fd, 0);
}

START_TEST(after_future_write_nobody_maps_for_writing_however_old_the_descriptor)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK);
	int older = reopen(fd, O_RDWR);
	uint32_t *mine = map(fd, PROT_READ | PROT_WRITE), *ro;

	ck_assert_int_ge(older, 0);
	ck_assert_ptr_ne(mine, MAP_FAILED);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	*mine = 1; /* the mapping from before still writes ... */
	ck_assert_ptr_eq(map(fd, PROT_READ | PROT_WRITE),
			 MAP_FAILED); /* ... but a successor's does not come */
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_eq(map(older, PROT_READ | PROT_WRITE), MAP_FAILED);
	ck_assert_int_eq(write(older, "x", 1), -1);
	ro = map(older, PROT_READ);
	ck_assert_ptr_ne(ro, MAP_FAILED);
	ck_assert_uint_eq(*ro, 1);
	ck_assert_int_eq(mprotect(ro, SIZE, PROT_READ | PROT_WRITE), -1);
}
END_TEST

START_TEST(our_seals_let_a_successor_map_for_writing_and_keep_the_size)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	uint32_t *first = map(fd, PROT_READ | PROT_WRITE), *next = map(fd, PROT_READ | PROT_WRITE);

	ck_assert_ptr_ne(first, MAP_FAILED);
	ck_assert_ptr_ne(next, MAP_FAILED);
	*next = 7;
	ck_assert_uint_eq(*first, 7);
	ck_assert_int_eq(ftruncate(fd, SIZE / 2), -1);
	ck_assert_int_eq(ftruncate(fd, SIZE * 2), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(a_read_only_descriptor_maps_read_only)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK), ro = reopen(fd, O_RDONLY);
	uint32_t *p;

	ck_assert_int_ge(ro, 0);
	ck_assert_ptr_eq(map(ro, PROT_READ | PROT_WRITE), MAP_FAILED);
	ck_assert_int_eq(errno, EACCES);
	p = map(ro, PROT_READ);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p, SIZE, PROT_READ | PROT_WRITE), -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

/* In a child: re-open a read-only descriptor for writing, as `uid`, perhaps not dumpable. 0 = it
 * works. */
static int
reopen_as(int ro, uid_t uid, int dumpable)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* A change of user clears the dumpable mark, and /proc/self would then be root's:
		 * the refusal must be the memfd's own. */
		if (uid != getuid() &&
		    (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
			_exit(101);
		if (prctl(PR_SET_DUMPABLE, dumpable) < 0)
			_exit(102);
		_exit(reopen(ro, O_RDWR) >= 0 ? 0 : errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(the_same_user_reopens_a_read_only_descriptor_for_writing)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK), ro = reopen(fd, O_RDONLY);

	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(reopen_as(ro, getuid(), 1), 0);
	if (getuid() == 0) /* for root the closed /proc/self is no obstacle either */
		ck_assert_int_eq(reopen_as(ro, 0, 0), 0);
}
END_TEST

START_TEST(another_user_is_kept_out_by_mode_0600_alone)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK), ro = reopen(fd, O_RDONLY);

	if (getuid() != 0)
		return; /* only root can become another user */
	ck_assert_int_eq(fchmod(fd, 0666), 0);
	ck_assert_int_eq(reopen_as(ro, NOBODY, 1), 0);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(reopen_as(ro, NOBODY, 1), EACCES);
}
END_TEST

static long
futex(uint32_t *word, int op, uint32_t val, const struct timespec *limit)
{
	return syscall(SYS_futex, word, op, val, limit, NULL, 0);
}

START_TEST(futex_wait_and_wake_work_on_read_only_mappings)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK), ro = reopen(fd, O_RDONLY), status;
	uint32_t *word = map(fd, PROT_READ | PROT_WRITE);
	uint32_t *sleeper = map(ro, PROT_READ), *waker = map(ro, PROT_READ);
	struct timespec limit = {.tv_sec = 20};
	uint64_t end = bh_mono_ns() + 20 * BH_NS_PER_S;
	long woken = 0;
	pid_t pid;

	ck_assert_ptr_ne(sleeper, MAP_FAILED);
	ck_assert_ptr_ne(waker, MAP_FAILED);
	ck_assert_int_eq(futex(sleeper, FUTEX_WAIT, 1, &limit), -1); /* the value is compared */
	ck_assert_int_eq(errno, EAGAIN);
	pid = fork();
	if (pid == 0)
		_exit(futex(sleeper, FUTEX_WAIT, 0, &limit) == 0 ? 0 : 1);
	/* Wake until it was there to be woken; the word itself is never written. */
	while (woken == 0 && bh_mono_ns() < end) {
		woken = futex(waker, FUTEX_WAKE, 1, NULL);
		poll(NULL, 0, 1);
	}
	ck_assert_int_eq(woken, 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(*word, 0);
}
END_TEST

START_TEST(futex_waitv_watches_several_read_only_words)
{
	int fd = memfd(F_SEAL_GROW | F_SEAL_SHRINK), ro = reopen(fd, O_RDONLY), status;
	uint32_t *sleeper = map(ro, PROT_READ), *waker = map(ro, PROT_READ);
	struct futex_waitv w[2] = {
		{.uaddr = (uintptr_t)&sleeper[0], .flags = FUTEX_32},
		{.uaddr = (uintptr_t)&sleeper[16], .flags = FUTEX_32},
	};
	uint64_t end = bh_mono_ns() + 20 * BH_NS_PER_S;
	long woken = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec limit;

		clock_gettime(CLOCK_MONOTONIC, &limit);
		limit.tv_sec += 20;
		_exit(syscall(SYS_futex_waitv, w, 2, 0, &limit, CLOCK_MONOTONIC) == 1 ? 0 : 1);
	}
	while (woken == 0 && bh_mono_ns() < end) {
		woken = futex(&waker[16], FUTEX_WAKE, 1, NULL);
		poll(NULL, 0, 1);
	}
	ck_assert_int_eq(woken, 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A child that holds `fd` clears its non-blocking mark. */
static void
peer_makes_blocking(int fd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fcntl(fd, F_SETFL, 0) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(whoever_holds_an_eventfd_can_fill_it_and_make_it_blocking)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t full = UINT64_MAX - 1;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(write(fd, &full, sizeof(full)), sizeof(full));
	peer_makes_blocking(fd);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0); /* ours is blocking now, */
	ck_assert_int_eq(poll(&p, 1, 0), 0); /* and the next ring would wait for ever */
}
END_TEST

START_TEST(the_two_ends_of_a_pipe_have_marks_of_their_own)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	peer_makes_blocking(fds[0]);
	ck_assert_int_eq(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	/* A full pipe costs the waker an error, not its life. */
	while (write(fds[1], "x", 1) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(an_edge_triggered_pipe_wakes_for_each_write_while_old_bytes_lie_unread)
{
	int fds[2], ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		ck_assert_int_eq(epoll_wait(ep, &ev, 1, 0), 1);
		ck_assert_int_eq(epoll_wait(ep, &ev, 1, 0), 0); /* once for each */
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("kernel facts");
	TCase *tc = tcase_create("facts");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, after_future_write_nobody_maps_for_writing_however_old_the_descriptor);
	tcase_add_test(tc, our_seals_let_a_successor_map_for_writing_and_keep_the_size);
	tcase_add_test(tc, a_read_only_descriptor_maps_read_only);
	tcase_add_test(tc, the_same_user_reopens_a_read_only_descriptor_for_writing);
	tcase_add_test(tc, another_user_is_kept_out_by_mode_0600_alone);
	tcase_add_test(tc, futex_wait_and_wake_work_on_read_only_mappings);
	tcase_add_test(tc, futex_waitv_watches_several_read_only_words);
	tcase_add_test(tc, whoever_holds_an_eventfd_can_fill_it_and_make_it_blocking);
	tcase_add_test(tc, the_two_ends_of_a_pipe_have_marks_of_their_own);
	tcase_add_test(tc, an_edge_triggered_pipe_wakes_for_each_write_while_old_bytes_lie_unread);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
