/*
 * Somebody else sits in a process of ours: with exactly the memory, bells and socket that it has, and confined as it is, it does its worst
 * at full speed, while a desk beside it moves a fader of a driver beside it.
 *
 * For each role: the real process is stopped, and the hostile one gets what it holds, by pidfd_getfd(). It fills what it may write with random words
 * and with those that are likely to hurt, wakes every word that it can see, rings and fills bells, lies on the socket to the supervisor, and
 * tries to get at what it may only read. Nobody else may be restarted, each move of the other desk arrives, none twice; what was refused is
 * counted by the hostile one itself. Where the kernel does not let us take descriptors from our own children, nothing is tried, and it says so.
 *
 * BH_HOSTILE_S: seconds for each role (3; soak 720).
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/spawn.h"
#include "tests/bench/harness.h"
#include "tests/isolation/lane.h"
#include "tests/lib/bounds.h"
#include "tests/lib/profile.h"

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces:\n"
	"  desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\", link: free}\n"
	"  loud: {device: x-touch, transport: socket, path: \"@DIR@/loud.sock\", link: free}\n"
	"drivers:\n"
	"  good: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  bad: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	PIPELINE_PATIENT
	"router: {" PIPELINE_PATIENT_PRESSES "}\n"
	"supervisor: {crash_limit: 0, backoff_first_ms: 10ms, backoff_max_ms: 50ms}\n"
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      desk/fader1: good/ch1/level\n"
	"      loud/fader1: bad/ch1/level\n"
	"      loud/play: {action: bad/mark}\n";

static const struct {
	const char *name, *kind;
} role[] = {{"bad", "loop"}, {"loud", "surface"}, {"store", "store"}, {"control", "control"}, {"router", "router"}};
enum { ROUTER = 4, ROLES = 5 };

static const char *const everybody[] = {"keeper", "supervisor", "router", "control", "store", "desk", "loud", "good", "bad"};
static pid_t pid_of[BH_ARRAY_LEN(everybody)];

static struct pipeline pl;
static struct lane lane, loud;

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
	lane_listen(&lane, &pl, "desk");
	lane_listen(&loud, &pl, "loud");
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	lane_connect(&lane, "good", "ch1/level");
	lane_connect(&loud, "bad", "ch1/level");
	for (unsigned i = 0; i < BH_ARRAY_LEN(everybody); i++)
		pid_of[i] = pipeline_pid(&pl, everybody[i]);
}

static void
teardown(void)
{
	lane_close(&lane);
	lane_close(&loud);
	pipeline_stop(&pl);
	pipeline_clean(&pl);
}

/* ------------------------------------------------------------------ what the process has */

#define MAPS 64
#define FDS 64

struct loot {
	struct {
		uint64_t *at;
		size_t words;
	} own[MAPS], seen[MAPS];
	unsigned owns, sees;
	int ro[MAPS], bell[FDS], sock;
	unsigned ros, bells;
};
static struct loot loot;

/* What both sides know: how far it is, and what should not have been possible. */
struct tally {
	volatile uint32_t go;
	volatile uint64_t words, wakes, lies, rings, attempts, broken;
	volatile uint32_t confined;
};
static struct tally *tally;

static int
take_fd(int pidfd, int fd)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static void
take_memory(const char *link, const char *name, int fd)
{
	struct stat st;
	const char *at = strstr(link, "memfd:");
	size_t n = strlen(name);
	if (!at || fstat(fd, &st) < 0 || st.st_size < 4096)
		return;
	at += strlen("memfd:");
	bool own = strncmp(at, name, n) == 0 && (at[n] == '.' || at[n] == '>');
	bool to_us = strchr(at, '>') && strncmp(strchr(at, '>') + 1, name, n) == 0;
	bool rw = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	if (own && rw && loot.owns < MAPS) {
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ck_assert_ptr_ne(map, MAP_FAILED);
		loot.own[loot.owns].at = map;
		loot.own[loot.owns++].words = (size_t)st.st_size / 8;
	} else if (!own && !rw && loot.sees < MAPS && (to_us || strstr(at, "router.") == at || strstr(at, "supervisor.self") == at)) {
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		ck_assert_ptr_ne(map, MAP_FAILED);
		loot.seen[loot.sees].at = map;
		loot.seen[loot.sees++].words = (size_t)st.st_size / 8;
		loot.ro[loot.ros++] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	}
}

/* The descriptors of `from`; those of the process itself have bells and the socket, those of the supervisor the memory. */
static bool
take_all(pid_t from, const char *name, bool itself)
{
	char path[64], link[300];
	snprintf(path, sizeof(path), "/proc/%d/fd", from);
	DIR *dir = opendir(path);
	int pidfd = (int)syscall(SYS_pidfd_open, from, 0);
	if (!dir || pidfd < 0)
		return false;
	for (const struct dirent *e; (e = readdir(dir));) {
		int number = atoi(e->d_name), fd;
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (e->d_name[0] == '.' || n < 0)
			continue;
		link[n] = '\0';
		bool pipe = strncmp(link, "pipe:", 5) == 0;
		if (!(itself ? pipe || number == BH_SPAWN_FD : strncmp(link, "/memfd:", 7) == 0))
			continue;
		fd = take_fd(pidfd, number);
		if (fd < 0) {
			fprintf(stderr, "not tried: descriptors of %d cannot be had: %m\n", from);
			closedir(dir);
			close(pidfd);
			return false;
		}
		if (!itself)
			take_memory(link, name, fd);
		else if (number == BH_SPAWN_FD)
			loot.sock = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		else if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY && number > 2 && loot.bells < FDS)
			loot.bell[loot.bells++] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		close(fd);
	}
	closedir(dir);
	close(pidfd);
	return true;
}

static void
give_back(void)
{
	for (unsigned i = 0; i < loot.owns; i++)
		munmap(loot.own[i].at, loot.own[i].words * 8);
	for (unsigned i = 0; i < loot.sees; i++)
		munmap(loot.seen[i].at, loot.seen[i].words * 8);
	for (unsigned i = 0; i < loot.ros; i++)
		close(loot.ro[i]);
	for (unsigned i = 0; i < loot.bells; i++)
		close(loot.bell[i]);
	if (loot.sock > 0)
		close(loot.sock);
	memset(&loot, 0, sizeof(loot));
}

/* ------------------------------------------------------------------ the hostile one: no check in here, it is killed at any time */

static uint64_t dice;

static uint64_t
roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice;
}

/* Bytes in a row: anything. */
static void
scribble(void)
{
	unsigned k = (unsigned)(roll() % loot.owns);
	size_t n = 1 + roll() % 512, at = roll() % loot.own[k].words;
	for (size_t i = 0; i < n && at + i < loot.own[k].words; i++)
		loot.own[k].at[at + i] = roll();
	tally->words += n;
}

/* Single words that lie near the truth: positions one further, ends of types, the half of a word. The layout's first kilobytes most. */
static void
aim(void)
{
	static const uint64_t ends[] = {0, 1, UINT64_MAX, INT64_MAX, 1ull << 63, UINT32_MAX, 0x7fffffff, 0x0000ffff0000ffff, 0x4142434445464748};
	unsigned k = (unsigned)(roll() % loot.owns);
	size_t words = loot.own[k].words, near = words < 512 ? words : 512;
	for (unsigned i = 0; i < 256; i++) {
		volatile uint64_t *w = &loot.own[k].at[roll() % (roll() & 1 ? near : words)];
		switch (roll() % 5) {
		case 0: *w = ends[roll() % BH_ARRAY_LEN(ends)]; break;
		case 1: *w += 1; break;
		case 2: *w -= 1 + roll() % 4096; break;
		case 3: *w ^= 1ull << roll() % 64; break;
		case 4: *w = loot.own[k].at[roll() % words]; break;
		}
	}
	tally->words += 256;
}

static void
wake(void)
{
	for (unsigned i = 0; i < 64; i++) {
		bool own = !loot.sees || roll() & 1;
		unsigned k = (unsigned)(roll() % (own ? loot.owns : loot.sees));
		uint32_t *w = (uint32_t *)(own ? loot.own[k].at + roll() % loot.own[k].words : loot.seen[k].at + roll() % loot.seen[k].words);
		syscall(SYS_futex, w, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	}
	tally->wakes += 64;
}

static void
ring(void)
{
	static const char noise[4096];
	for (unsigned i = 0; i < loot.bells; i++)
		if (write(loot.bell[i], noise, 1 + roll() % sizeof(noise)) > 0)
			tally->rings++;
}

/* What the supervisor reads from it: malformed in each way, and well-formed lies. */
static void
lie(void)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
	if (loot.sock <= 0)
		return;
	memset(&msg, 0, sizeof(msg));
	for (unsigned i = 0; i < BH_SPAWN_FDS; i++)
		fds[i] = loot.ro[0];
	switch (roll() % 6) {
	case 0: /* any bytes, any length */
		for (size_t i = 0; i < sizeof(msg) / 8; i++)
			((uint64_t *)&msg)[i] = roll();
		send(loot.sock, &msg, roll() % sizeof(msg), MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1: /* a true frame of random content, with descriptors that it does not speak of */
		for (size_t i = 0; i < sizeof(msg) / 8; i++)
			((uint64_t *)&msg)[i] = roll();
		msg.nfds = (uint16_t)(roll() % 8);
		bh_spawn_send(loot.sock, &msg, fds);
		break;
	case 2: /* a flood of descriptors */
		msg.type = BH_SPAWN_DEVICE;
		msg.nfds = BH_SPAWN_FDS;
		for (unsigned i = 0; i < BH_SPAWN_FDS; i++)
			msg.fd[i] = (struct bh_spawn_fd){.role = BH_FD_DEVICE, .slot = (uint16_t)roll()};
		bh_spawn_send(loot.sock, &msg, fds);
		break;
	case 3: /* what only others say */
		msg.type = (uint16_t)(1 + roll() % 20);
		msg.slot = (uint16_t)roll();
		msg.value = roll();
		if (msg.type != BH_SPAWN_READY)
			bh_spawn_send(loot.sock, &msg, NULL);
		break;
	case 4:
		msg.type = BH_SPAWN_READY;
		msg.value = roll();
		bh_spawn_send(loot.sock, &msg, NULL);
		break;
	case 5:
		msg.type = BH_SPAWN_CONFIG_BACK;
		msg.value = roll() % 8;
		msg.error = (int32_t)roll();
		memset(msg.text, 'x', sizeof(msg.text));
		bh_spawn_send(loot.sock, &msg, NULL);
		break;
	}
	tally->lies++;
}

/* At what it may not: each success is a breach. Unconfined (sanitizers) only what the kernel refuses anyway is tried. */
static void
trespass(void)
{
	char path[64];
	unsigned k = loot.ros ? (unsigned)(roll() % loot.ros) : 0;
	if (!loot.ros)
		return;
	tally->attempts++;
	tally->broken += mprotect(loot.seen[k].at, 4096, PROT_READ | PROT_WRITE) == 0;
	tally->broken += ftruncate(loot.ro[k], 0) == 0;
	tally->broken += mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, loot.ro[k], 0) != MAP_FAILED;
	if (!tally->confined)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", loot.ro[k]);
	tally->broken += open(path, O_RDWR) >= 0;
	tally->broken += open(path, O_WRONLY | O_TRUNC) >= 0;
	tally->broken += fchmod(loot.ro[k], 0600) == 0;
	tally->broken += kill(getppid(), 0) == 0;
	tally->broken += fork() >= 0;
	for (unsigned i = 0; i < loot.bells; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", loot.bell[i]);
		tally->broken += open(path, O_RDONLY | O_NONBLOCK) >= 0;
		tally->broken += fcntl(loot.bell[i], F_SETFL, 0) == 0;
	}
	int fd, last = -1;
	while ((fd = dup(loot.ro[k])) >= 0)
		last = fd;
	for (; last > 700; last--)
		close(last);
	for (fd = last; fd > 300; fd--)
		close(fd);
}

static void
be_hostile(const struct bh_sandbox_plan *plan, unsigned seed)
{
	static void (*const deed[])(void) = {scribble, scribble, scribble, aim, aim, aim, wake, ring, lie, trespass};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGABRT, SIG_DFL);
	dice = 0x9e3779b97f4a7c15ull * (seed + 1);
	tally->confined = (bh_sandbox_enter(plan) & BH_HOLDS_READ_ONLY) != 0;
	for (;;) {
		if (!tally->go) {
			usleep(1000);
			continue;
		}
		deed[roll() % BH_ARRAY_LEN(deed)]();
	}
}

/* ------------------------------------------------------------------ the others */

static void
expect_others_alive(const char *but)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(everybody); i++)
		if (strcmp(everybody[i], but) != 0)
			ck_assert_msg(pipeline_pid(&pl, everybody[i]) == pid_of[i], "%s was restarted when %s was hostile:\n%s", everybody[i], but,
				      pipeline_log(&pl));
}

static uint64_t
faults_told(const char *but)
{
	uint64_t n = 0;
	for (unsigned i = 1; i < BH_ARRAY_LEN(everybody); i++) {
		const struct bh_self *self = strcmp(everybody[i], but) ? pipeline_self(&pl, everybody[i]) : NULL;
		if (self)
			n += __atomic_load_n(&self->counter[BH_CNT_PEER_FAULTS], __ATOMIC_RELAXED);
	}
	return n;
}

static void
measure(struct notice_bar *bar, unsigned ms, bool hostile)
{
	tally->go = hostile;
	lane_measure(&lane, ms, 1000);
	notice_take(bar, &lane);
}

static bool
is_back(const char *name, pid_t old)
{
	pid_t now = pipeline_pid(&pl, name);
	return now > 0 && now != old && pipeline_is_ok(&pl, name);
}

START_TEST(a_hostile_process_harms_nobody)
{
	static struct bh_sandbox_plan plan;
	static struct notice_bar bar;
	const char *name = role[_i].name, *why = profile_read(role[_i].kind, pl.dir, &plan);
	char what[64];
	ck_assert_msg(!why, "%s", why);
	snprintf(what, sizeof(what), "beside a hostile %s", name);
	bar = (struct notice_bar){.bench = "hostile_peer", .what = what, .limit = 1.15};
	pid_t victim = pipeline_pid(&pl, name);
	if (!take_all(pipeline_pid(&pl, "supervisor"), name, false) || !take_all(victim, name, true)) {
		give_back();
		return;
	}
	ck_assert_uint_gt(loot.owns, 1);
	uint64_t faults = faults_told(name);
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(tally, MAP_FAILED);
	kill(victim, SIGSTOP);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		be_hostile(&plan, (unsigned)_i);
	uint64_t end = bh_mono_ns() + bound("BH_HOSTILE_S", 3, 720) * BH_NS_PER_S;
	while (bh_mono_ns() < end) {
		if (_i == ROUTER) {
			/* Nothing goes through it: what counts is that all others are there. */
			tally->go = 1;
			usleep(100000);
		} else {
			measure(&bar, 150, false);
			measure(&bar, 150, true);
			measure(&bar, 150, true);
			measure(&bar, 150, false);
		}
		expect_others_alive(name);
		ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	give_back();
	faults = faults_told(name) - faults;
	kill(victim, SIGKILL);
	ck_assert_msg(pipeline_until(20000, is_back(name, victim)), "%s did not come back:\n%s", name, pipeline_log(&pl));
	expect_others_alive(name);
	if (_i == ROUTER) {
		/* With its memory went whose finger lies where: the hand takes it off, and comes back. */
		static const uint8_t touch[] = {0x90, 0x68, 0x00, 0x90, 0x68, 0x7f};
		lane_send(&lane, touch, sizeof(touch));
	}
	lane_measure(&lane, 100, 1000);
	lane.n = 0;
	ck_assert(pipeline_number(&pl, "good", "ledger/twice") == 0);
	notice_print(&bar);
	bench_print("hostile_peer", "figure", "%s: %llu words, %llu wakes, %llu rings, %llu lies, %llu attempts; %llu faults told", what,
		    (unsigned long long)tally->words, (unsigned long long)tally->wakes, (unsigned long long)tally->rings,
		    (unsigned long long)tally->lies, (unsigned long long)tally->attempts, (unsigned long long)faults);
	ck_assert_uint_gt(tally->words, 0);
	/* The desk and the driver speak to the router, control and store to router and supervisor: somebody has noticed. */
	ck_assert_uint_gt(faults, 0);
	ck_assert_int_eq(bench_count("hostile_peer", "what is refused and worked", (double)tally->broken, 0), BENCH_MET);
	munmap(tally, sizeof(*tally));
}
END_TEST

/* ------------------------------------------------------------------ the control socket */

static int
dial(const char *file)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/run/%s", pl.dir, file);
	if (access(at.sun_path, F_OK) < 0)
		snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/%s", pl.dir, file);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		bh_close(&fd);
	return fd;
}

/* The greeting of ZMTP 3 with no security, and a socket type. */
static size_t
greet(uint8_t *out)
{
	memset(out, 0, 64);
	out[0] = 0xff;
	out[9] = 0x7f;
	out[10] = 3;
	memcpy(out + 12, "NULL", 4);
	static const char ready[] = "\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x06" "DEALER";
	memcpy(out + 64, ready, sizeof(ready) - 1);
	return 64 + sizeof(ready) - 1;
}

static void
say(int fd, const void *data, size_t len)
{
	send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One connection: noise, half a greeting, half a frame, a huge one, frames of noise. */
static void
pester(int fd, unsigned how)
{
	uint8_t buf[8192];
	size_t n = greet(buf);
	switch (how % 6) {
	case 0:
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = (uint8_t)roll();
		say(fd, buf, sizeof(buf));
		return;
	case 1: say(fd, buf, roll() % 64); return;
	case 2: /* a frame of 2^63 - 1 bytes */
		memcpy(buf + n, "\x02\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
		say(fd, buf, n + 9);
		return;
	case 3: /* half a frame */
		memcpy(buf + n, "\x00\xf0half", 6);
		say(fd, buf, n + 6);
		return;
	case 4: /* whole frames of noise, with and without more behind them */
		for (unsigned i = 0; i < 20; i++) {
			buf[n++] = (uint8_t)(roll() & 1);
			buf[n++] = 100;
			for (unsigned k = 0; k < 100; k++)
				buf[n++] = (uint8_t)roll();
		}
		say(fd, buf, n);
		return;
	case 5: /* another mechanism than ours: CURVE, of which it has no key */
		memcpy(buf + 12, "CURVE", 5);
		for (size_t i = 64; i < 400; i++)
			buf[i] = (uint8_t)roll();
		say(fd, buf, 400);
		return;
	}
}

START_TEST(noise_and_thousands_of_connections_on_its_sockets_leave_control_well)
{
	static const char *const files[] = {"control.sock", "events.sock"};
	static int fd[1500];
	char out[4096];
	unsigned dialled = 0, total = 0;
	struct rlimit l;
	dice = 12345;
	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max < 4096 ? l.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &l);
	unsigned at_once = (unsigned)l.rlim_cur > 1700 ? 1500 : (unsigned)l.rlim_cur / 2;
	memset(fd, -1, sizeof(fd));
	uint64_t end = bh_mono_ns() + bound("BH_HOSTILE_S", 3, 720) * BH_NS_PER_S;
	while (bh_mono_ns() < end) {
		unsigned k = total % at_once;
		bh_close(&fd[k]);
		fd[k] = dial(files[roll() & 1]);
		total++;
		if (fd[k] >= 0) {
			dialled++;
			pester(fd[k], (unsigned)roll());
		}
		if (total % 500 == 0)
			lane_measure(&lane, 5, 500);
	}
	ck_assert_uint_gt(dialled, at_once);
	for (unsigned i = 0; i < BH_ARRAY_LEN(fd); i++)
		bh_close(&fd[i]);
	expect_others_alive("");
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", "status", NULL);
	ck_assert_msg(r == 0, "status ends with %d: %s", r, out);
	ck_assert_msg(pipeline_tool(&pl, out, sizeof(out), "bulkhead", "set", "good/ch2/level", "-7dB", NULL) == 0, "%s", out);
	expect_others_alive("");
	ck_assert(pipeline_number(&pl, "good", "ledger/twice") == 0);
	bench_print("hostile_peer", "figure", "control: %u connections (%u at once) of noise", dialled, at_once);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hostile peer");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120 + (double)bound("BH_HOSTILE_S", 3, 720));
	tcase_add_loop_test(t, a_hostile_process_harms_nobody, 0, ROLES);
	tcase_add_test(t, noise_and_thousands_of_connections_on_its_sockets_leave_control_well);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
