/*
 * Everything is killed with -9, keeper and supervisor together included: nothing is left of it but the lock and bh-control's sockets, which
 * the next start takes over without a question.
 *
 * BH_CUTS: how often (6; soak 100): idle, under a moving load, and while a new configuration is read; all processes at once, or keeper and
 * supervisor alone, whom the others follow. What is left is looked for in /proc of everybody and in the folders.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

/* Each program that a pipeline can consist of. What has no device and no backend here waits for one. */
static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces:\n"
	"  desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}\n"
	"  pad: {device: gamepad, kind: pad, path: \"@DIR@/none.sock\"}\n"
	"drivers:\n"
	"  loop: {kind: loop, channels: 8, " PIPELINE_PATIENT_DRIVER "}\n"
	"  obs: {kind: obs, host: 127.0.0.1, port: 1}\n"
	"  midi: {kind: midi}\n"
	"supervisor: {crash_limit: 0}\n"
	"store: {delay_ms: 10ms}\n"
	PIPELINE_PATIENT
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      desk/fader1: loop/ch1/level\n"
	"      desk/mute1: loop/ch1/mute\n";

static const char *const names[] = {"router", "control", "store", "desk", "pad", "loop", "obs", "midi"};

static struct pipeline pl;
static struct simdesk *desk;

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
}

static void
teardown(void)
{
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

static bool
all_started(void)
{
	struct bh_proc_body b;
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		if (!pipeline_body(&pl, names[i], &b) || !b.alive || b.health.health == BH_HEALTH_STARTING)
			return false;
	return pipeline_is_ok(&pl, "router") && pipeline_is_ok(&pl, "loop") && pipeline_is_ok(&pl, "control") && pipeline_is_ok(&pl, "desk");
}

/* ------------------------------------------------------------------ what there is */

#define PROCS_MAX 64
#define MEMORY_MAX 1024

static pid_t procs[PROCS_MAX];
static unsigned proc_count;
static uint64_t memory[MEMORY_MAX]; /* inodes: each memfd has its own */
static unsigned memory_count;
static unsigned left_over;

static bool
is_pid(const struct dirent *e)
{
	return e->d_name[0] >= '1' && e->d_name[0] <= '9';
}

/* The processes whose runtime folder this is, but the desk, which is the test's. */
static unsigned
find_procs(pid_t *found, unsigned cap)
{
	char path[300], text[16384], want[128];
	size_t want_len = (size_t)snprintf(want, sizeof(want), "BULKHEAD_RUNTIME_DIR=%s/run", pl.dir) + 1;
	unsigned n = 0;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));) {
		pid_t pid = is_pid(e) ? atoi(e->d_name) : 0;
		if (!pid || pid == simdesk_pid(desk) || pid == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
		bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text)); /* of a zombie: nothing */
		if (len > 0 && memmem(text, (size_t)len, want, want_len) && n < cap)
			found[n++] = pid;
	}
	if (d)
		closedir(d);
	return n;
}

static bool
is_ours(uint64_t inode)
{
	for (unsigned i = 0; i < memory_count; i++)
		if (memory[i] == inode)
			return true;
	return false;
}

/* Shared memory that a process has open or mapped: noted (`note`), or counted as far as it is known. */
static unsigned
look_at_memory(pid_t pid, bool note)
{
	char dir[64], path[400], to[256];
	struct stat st;
	unsigned known = 0;
	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ssize_t n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = 0;
		if (!strstr(to, "/memfd:") || stat(path, &st) < 0)
			continue;
		if (note && !is_ours(st.st_ino) && memory_count < MEMORY_MAX)
			memory[memory_count++] = st.st_ino;
		known += is_ours(st.st_ino);
	}
	if (d)
		closedir(d);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *f = fopen(path, "re");
	unsigned long inode;
	while (f && fgets(to, sizeof(to), f))
		if (strstr(to, "/memfd:") && sscanf(to, "%*s %*s %*s %*s %lu", &inode) == 1)
			known += is_ours(inode);
	if (f)
		fclose(f);
	return known;
}

static unsigned
memory_left(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));)
		if (is_pid(e))
			n += look_at_memory(atoi(e->d_name), false);
	if (d)
		closedir(d);
	return n;
}

static void
take_stock(void)
{
	proc_count = find_procs(procs, PROCS_MAX);
	memory_count = 0;
	for (unsigned i = 0; i < proc_count; i++)
		look_at_memory(procs[i], true);
	ck_assert_uint_ge(proc_count, BH_ARRAY_LEN(names) + 2);
	ck_assert_uint_gt(memory_count, 40);
}

/* ------------------------------------------------------------------ killing */

/* Stopped or dead; or waiting for a child of its own that was stopped before it could become another program. */
static bool
is_at_rest(pid_t pid)
{
	char path[64], state = 'X';
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	if (f)
		fclose(f);
	return state == 'T' || state == 'D' || state == 'Z' || state == 'X';
}

/*
 * At once: first all are stopped, so that nobody acts on the death of another, then killed. All, or keeper and supervisor alone, and the
 * rest is continued by nobody but the kernel.
 */
static void
cut(bool only_two)
{
	pid_t keeper = pipeline_pid(&pl, "keeper"), supervisor = pipeline_pid(&pl, "supervisor");
	/* Until nobody new is seen: somebody may be starting somebody. */
	for (unsigned before = 0; before != proc_count || before == 0;) {
		before = proc_count;
		for (unsigned i = 0; i < proc_count; i++)
			if (!only_two || procs[i] == keeper || procs[i] == supervisor)
				kill(procs[i], SIGSTOP);
		for (unsigned i = 0; i < proc_count; i++)
			if (!only_two || procs[i] == keeper || procs[i] == supervisor)
				ck_assert(pipeline_until(10000, is_at_rest(procs[i])));
		take_stock();
	}
	for (unsigned i = 0; i < proc_count; i++)
		if (procs[i] == supervisor)
			kill(procs[i], SIGKILL);
	for (unsigned i = 0; i < proc_count; i++)
		if (procs[i] == keeper || (!only_two && procs[i] != supervisor))
			kill(procs[i], SIGKILL);
}

/* ------------------------------------------------------------------ afterwards */

static void
expect_nobody(const char *what)
{
	pid_t left[PROCS_MAX];
	unsigned turns = 0, n;
	while ((n = find_procs(left, PROCS_MAX)) > 0) {
		for (unsigned i = 0; turns == second_in_turns(2000) && i < n; i++)
			fprintf(stderr, "%s: process %d is left\n", what, (int)left[i]);
		ck_assert_msg(turns++ < second_in_turns(2000), "%s: %u processes are left after a second\n%s", what, n, pipeline_log(&pl));
		usleep(2000);
	}
}

/* Each name in a folder must be one of these. */
static unsigned
strangers(const char *folder, const char *const *allowed)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		bool known = e->d_name[0] == '.' && (!e->d_name[1] || !strcmp(e->d_name, ".."));
		for (unsigned i = 0; allowed[i]; i++)
			known |= !strcmp(e->d_name, allowed[i]);
		if (!known)
			fprintf(stderr, "left: %s/%s\n", folder, e->d_name);
		n += !known;
	}
	closedir(d);
	return n;
}

static void
expect_nothing_left(unsigned turn, const char *what)
{
	static const char *const runtime[] = {"pid", "control.sock", "events.sock", NULL};
	static const char *const all[] = {"run", "state", "pipeline.yaml", "log", "desk.sock", "desk-play.sock", NULL};
	char path[128];
	expect_nobody(what);
	unsigned segments = memory_left();
	snprintf(path, sizeof(path), "%s/run", pl.dir);
	unsigned files = strangers(path, runtime);
	files += strangers(pl.dir, all);
	if (segments || files)
		fprintf(stderr, "%u: %s: %u segments and %u files are left\n", turn, what, segments, files);
	left_over += segments + files;
}

static void
cut_and_look(unsigned turn, bool only_two)
{
	static const char *const when[] = {"idle", "under load", "while it reads a configuration"};
	char what[80];
	unsigned how = turn % 3;
	snprintf(what, sizeof(what), "%s killed %s", only_two ? "keeper and supervisor" : "all", when[how]);
	ck_assert_msg(pipeline_until(20000, all_started()), "not all has started\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
	if (how == 1)
		simdesk_begin(desk, "random-load seed %u for 1s rate 50 using fader1 mute1", turn + 1);
	if (how == 2) {
		pipeline_config(&pl, yaml);
		kill(pipeline_pid(&pl, "keeper"), SIGHUP);
	}
	usleep(how ? 1000u * (turn * 37 % 200) : 0); /* another moment each time */
	take_stock();
	cut(only_two);
	while (pl.maps) /* what we have seen of it ourselves */
		bh_seg_unmap(&pl.map[--pl.maps].seg);
	expect_nothing_left(turn, what);
	if (how == 1)
		simdesk_end(desk); /* in whatever way */
}

START_TEST(after_everything_was_killed_nothing_is_left_and_the_next_start_asks_nothing)
{
	unsigned n = (unsigned)bound("BH_CUTS", 6, 100);
	for (unsigned i = 0; i < n; i++) {
		pipeline_run(&pl);
		cut_and_look(i, i / 3 % 2);
		waitpid(pl.pid, NULL, 0);
	}
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, all_started()), "the next start fails\n%s", pipeline_log(&pl));
	pipeline_stop(&pl);
	bench_print("nothing_left", "figure", "killed %u times, in %u of them keeper and supervisor alone", n, n > 3 ? n / 6 * 3 + (n % 6 > 3 ? n % 6 - 3 : 0) : 0);
	ck_assert_int_eq(bench_count("nothing_left", "segments, and files beside lock and sockets, left when all was killed", left_over, 0), BENCH_MET);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nothing-left");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, after_everything_was_killed_nothing_is_left_and_the_next_start_asks_nothing);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
