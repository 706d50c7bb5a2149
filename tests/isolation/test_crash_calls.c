/*
 * test_crash_calls.c - what is written to disk, supervisor and keeper, killed at each system call
 *
 * What these leave behind is seen from outside only after a system call. bh-store's snapshot: at each entry and exit the folder is
 * copied, and read. Supervisor and keeper of a whole pipeline are really killed at the n-th entry or exit: while they restart a child,
 * while one hands over to the other, while the pipeline starts. Whoever comes next adopts what runs, and nothing but what had died is
 * started, once; where both are gone, everybody leaves. Short: a sample of the n, evenly spread; in the long form all of them.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procs/store/snapshot.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/fleet.h"
#include "tests/lib/scratch.h"
#include "tests/lib/step.h"

/* ------------------------------------------------------------------ the store */

static struct {
	char dir[64], copy[64];
	struct snapshot next;
	uint64_t before; /* generation that is there; 0 = none */
	unsigned wrong, calls, newer;
} store;

static void
fill(struct snapshot *s, uint64_t generation)
{
	char name[24];
	for (unsigned k = 0; k < 40; k++) {
		snprintf(name, sizeof(name), "loop/ch%u/level", k);
		ck_assert_int_eq(snapshot_set(s, name, BH_FLOAT, &(union bh_val){.f = (double)(generation * 100 + k)}, generation), 0);
	}
	s->generation = generation;
}

static bool
is_generation(const struct snapshot *s, uint64_t generation)
{
	bool same = s->generation == generation && s->count == 40;
	for (unsigned k = 0; same && k < s->count; k++)
		same = (uint64_t)s->entry[k].v.f == generation * 100 + k;
	return same;
}

static void
copy_file(const char *name)
{
	char from[128], to[128], bytes[32768];
	snprintf(from, sizeof(from), "%s/%s", store.dir, name);
	snprintf(to, sizeof(to), "%s/%s", store.copy, name);
	unlink(to);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return;
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(out, 0);
	for (ssize_t n; (n = read(in, bytes, sizeof(bytes))) > 0;)
		ck_assert_int_eq(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

/* The next bh-store, on a copy of the folder: reads a whole generation, and can write the one after. */
static void
read_copy(void *arg)
{
	struct snapshot got;
	char why[120] = "";
	(void)arg;
	copy_file("snapshot-a");
	copy_file("snapshot-b");
	copy_file("snapshot.new");
	ck_assert_int_eq(snapshot_init(&got), 0);
	int ret = snapshot_read(&got, store.copy, why, sizeof(why));
	bool newer = ret == 0 && is_generation(&got, store.before + 1), older = ret == 0 && store.before && is_generation(&got, store.before);
	store.wrong += !newer && !older && !(ret == -ENOENT && !store.before);
	store.newer += newer;
	store.calls++;
	got.count = 0;
	fill(&got, store.before + 2);
	store.wrong += snapshot_write(&got, store.copy) != 0 || snapshot_read(&got, store.copy, why, sizeof(why)) != 0 ||
		       !is_generation(&got, store.before + 2);
	snapshot_fini(&got);
}

static void
write_next(void *arg)
{
	(void)arg;
	if (snapshot_write(&store.next, store.dir) != 0)
		_exit(1);
}

START_TEST(a_snapshot_killed_at_any_system_call_leaves_a_whole_generation)
{
	unsigned wrong = 0, calls = 0;
	scratch_dir(store.dir, sizeof(store.dir), "store");
	scratch_dir(store.copy, sizeof(store.copy), "copy");
	ck_assert_int_eq(snapshot_init(&store.next), 0);
	for (store.before = 0; store.before < 4; store.before++) {
		store.wrong = store.calls = store.newer = 0;
		fill(&store.next, store.before + 1);
		int ret = bh_step_calls(write_next, NULL, read_copy);
		ck_assert_int_gt(ret, 10);
		ck_assert_uint_gt(store.newer, 0);
		ck_assert_uint_lt(store.newer, store.calls);
		wrong += store.wrong;
		calls += store.calls;
	}
	bench_print("crash_calls", "figure", "snapshot: 4 writes, %u entries and exits of system calls", calls);
	ck_assert_int_eq(bench_count("crash_calls", "snapshots that are not a whole generation", wrong, 0), BENCH_MET);
	snapshot_fini(&store.next);
}
END_TEST

/* ------------------------------------------------------------------ supervisor and keeper */

#define FLEET \
	"proc router 2 1 60000 60000 1 1 1\n" \
	"proc control 3 2 60000 60000 1 1 1\n" \
	"proc store 4 3 60000 60000 1 1 1\n" \
	"proc desk 5 4 60000 60000 1 1 1\n" \
	"proc loop 6 5 60000 60000 1 1 1\n" \
	"option crash_limit 0\noption backoff_first_ms 0ms\n"

static const char *const names[] = {"router", "control", "store", "desk", "loop"};
#define NAMES 5
#define VICTIM 4
#define QUIET_MS 40 /* no system call for so long: it may have done its work; whether it has is asked of the table */

struct known {
	pid_t pid[NAMES];
	uint32_t restarts[NAMES], lives;
};

static struct known
remember(struct fleet *f)
{
	struct known k = {.lives = f->head->supervisor_lives};
	for (int i = 0; i < NAMES; i++) {
		k.pid[i] = fleet_pid(f, names[i]);
		k.restarts[i] = fleet_proc(f, names[i]).restarts;
	}
	return k;
}

static unsigned trials, wrong_trials;

static void
wrong(const char *what, unsigned n, const char *why)
{
	wrong_trials++;
	bench_print("crash_calls", "figure", "%s, call %u: %s", what, n, why);
}

/* Everybody as before, but `victim` (-1: nobody), who was started once. */
static void
expect_untouched(struct fleet *f, const struct known *was, int victim, const char *what, unsigned n)
{
	for (int i = 0; i < NAMES; i++) {
		uint32_t restarts = fleet_proc(f, names[i]).restarts - was->restarts[i];
		if (i != victim && (fleet_pid(f, names[i]) != was->pid[i] || restarts))
			wrong(what, n, "somebody was restarted who had not died");
		if (i == victim && (restarts != 1 || fleet_pid(f, names[i]) == was->pid[i]))
			wrong(what, n, "who had died was not started exactly once");
	}
}

static void
stop_and_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

/*
 * Let `pid` (traced) make `n` entries and exits, then kill it. False: it had done its work before, as `done` says; it goes on then.
 * `*made` receives how many there were.
 */
static bool
kill_at_call(struct fleet *f, pid_t pid, unsigned n, bool (*done)(struct fleet *f, void *arg), void *arg, unsigned *made)
{
	uint64_t until = fleet_now_ms() + PATIENCE_MS;
	for (*made = 0; *made < n;) {
		int ret = bh_step_next(pid, QUIET_MS);
		if (ret == 0)
			return false;
		*made += ret == 1;
		if (ret != 1 && done(f, arg)) {
			bh_step_let_go(pid);
			return false;
		}
		ck_assert_msg(fleet_now_ms() < until, "it neither works nor ends");
	}
	stop_and_kill(pid);
	return true;
}

static bool
victim_is_back(struct fleet *f, void *arg)
{
	const struct known *was = arg;
	return fleet_pid(f, names[VICTIM]) && fleet_pid(f, names[VICTIM]) != was->pid[VICTIM] && fleet_all_ok(f);
}

static bool
has_adopted(struct fleet *f, void *arg)
{
	const struct known *was = arg;
	return f->head->supervisor_lives > was->lives && fleet_all_ok(f);
}

static bool
nobody_twice(struct fleet *f)
{
	return fleet_count_children(f) == NAMES;
}

/* A supervisor is killed at the n-th call after a child of its died. False: it had started it again before. */
static bool
restart_trial(struct fleet *f, unsigned n, unsigned *made)
{
	struct known was = remember(f);
	pid_t s = fleet_supervisor(f);
	ck_assert_int_eq(bh_step_seize(s), 0);
	kill(was.pid[VICTIM], SIGKILL);
	bool killed = kill_at_call(f, s, n, victim_is_back, &was, made);
	fleet_wait(10000, victim_is_back(f, &was));
	if (killed)
		fleet_wait(10000, f->head->supervisor_lives == was.lives + 1 && fleet_supervisor(f) && fleet_supervisor(f) != s);
	fleet_wait(10000, fleet_all_ok(f) && nobody_twice(f));
	expect_untouched(f, &was, VICTIM, "restart of a child", n);
	return killed;
}

/* The child of the keeper that is its new supervisor. 0 = there is none yet. */
static pid_t
child_of(pid_t keeper, pid_t but)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)keeper, (int)keeper);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	if (fd >= 0)
		close(fd);
	for (char *at = text; *at;) {
		pid_t pid = (pid_t)strtol(at, &at, 10);
		char exe[64], link[256] = "";
		snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
		if (pid != but && pid && readlink(exe, link, sizeof(link) - 1) > 0 && strstr(link, "/bh-supervisor"))
			return pid;
		at += strspn(at, " \n");
	}
	return 0;
}

static pid_t
await_supervisor(pid_t keeper, pid_t but)
{
	pid_t s = 0;
	uint64_t until = fleet_now_ms() + PATIENCE_MS;
	while (!(s = child_of(keeper, but)) && fleet_now_ms() < until)
		;
	ck_assert_int_gt(s, 0);
	return s;
}

/* The next supervisor is killed while it adopts. */
static bool
adopt_trial(struct fleet *f, unsigned n, unsigned *made)
{
	struct known was = remember(f);
	pid_t s = fleet_supervisor(f), k = fleet_keeper(f);
	kill(s, SIGKILL);
	pid_t next = await_supervisor(k, s);
	ck_assert_int_eq(bh_step_seize(next), 0);
	bool killed = kill_at_call(f, next, n, has_adopted, &was, made);
	fleet_wait(10000, has_adopted(f, &was) && fleet_supervisor(f) && fleet_supervisor(f) != s);
	if (killed)
		fleet_wait(10000, fleet_supervisor(f) != next);
	fleet_wait(10000, fleet_all_ok(f) && nobody_twice(f));
	expect_untouched(f, &was, -1, "adoption", n);
	return killed;
}

static bool
is_over(struct fleet *f)
{
	return fleet_count_all(f) == 0;
}

/*
 * The keeper is killed while it hands over to the next supervisor. If that one has got all, it goes on, with a new keeper; else both are
 * gone, and everybody leaves. `*over`: the latter.
 */
static bool
hand_over_trial(struct fleet *f, unsigned n, unsigned *made, bool *over)
{
	struct known was = remember(f);
	pid_t s = fleet_supervisor(f), k = fleet_keeper(f);
	*over = false;
	ck_assert_int_eq(bh_step_seize(k), 0);
	kill(s, SIGKILL);
	bool killed = kill_at_call(f, k, n, has_adopted, &was, made);
	if (killed)
		fleet_wait(10000, (*over = is_over(f)) || (has_adopted(f, &was) && fleet_keeper(f) && fleet_keeper(f) != k));
	else
		fleet_wait(10000, has_adopted(f, &was));
	if (*over)
		return killed;
	fleet_wait(10000, fleet_all_ok(f) && nobody_twice(f));
	expect_untouched(f, &was, -1, "hand-over", n);
	return killed;
}

typedef bool (*trial_fn)(struct fleet *f, unsigned n, unsigned *made, bool *over);

static bool
restart_any(struct fleet *f, unsigned n, unsigned *made, bool *over)
{
	*over = false;
	return restart_trial(f, n, made);
}

static bool
adopt_any(struct fleet *f, unsigned n, unsigned *made, bool *over)
{
	*over = false;
	return adopt_trial(f, n, made);
}

/* One after the other in the same fleet, for as long as it lives. */
static void
each_call(const char *what, trial_fn trial, unsigned bounded)
{
	struct fleet f;
	unsigned total = 0, made, killed = 0, ended = 0;
	bool over;
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	trial(&f, UINT32_MAX, &total, &over);
	ck_assert_uint_gt(total, 10);
	unsigned step = (unsigned)bound("BH_CRASH_CALLS", total / bounded + 1, 1);
	for (unsigned n = step / 2; n < total; n += step) {
		killed += trial(&f, n, &made, &over);
		trials++;
		if (!over)
			continue;
		ended++;
		f.entries = NULL;
		fleet_end(&f);
		fleet_start(&f, FLEET);
		fleet_wait(10000, fleet_all_ok(&f));
	}
	fleet_end(&f);
	bench_print("crash_calls", "figure", "%s: %u calls, each %u-th tried, %u kills, %u pipelines ended with it", what, total, step, killed, ended);
	ck_assert_int_eq(bench_count("crash_calls", what, wrong_trials, 0), BENCH_MET);
	ck_assert_uint_gt(killed, 0);
}

START_TEST(a_supervisor_killed_at_any_call_of_a_restart_leaves_one_child)
{
	each_call("supervisor restarts a child", restart_any, 10);
}
END_TEST

START_TEST(a_supervisor_killed_at_any_call_of_its_adoption_is_followed_by_one_that_adopts)
{
	each_call("supervisor adopts", adopt_any, 8);
}
END_TEST

START_TEST(a_keeper_killed_at_any_call_of_a_hand_over_leaves_all_or_nothing)
{
	each_call("keeper hands over", hand_over_trial, 6);
}
END_TEST

/* ------------------------------------------------------------------ the first start */

static bool
has_started(struct fleet *f, void *arg)
{
	(void)arg;
	return fleet_is_there(f) && fleet_all_ok(f) && nobody_twice(f);
}

/* Whoever is killed while the pipeline starts: it is there in the end, each process once, or nothing is. */
static bool
start_trial(bool keeper, unsigned n, unsigned *made)
{
	struct fleet f;
	bool over = false;
	fleet_init(&f, FLEET);
	f.started = fleet_launch(&f, -1);
	pid_t pid = keeper ? f.started : await_supervisor(f.started, 0);
	ck_assert_int_eq(bh_step_seize(pid), 0);
	bool killed = kill_at_call(&f, pid, n, has_started, NULL, made);
	if (killed)
		fleet_wait(10000, (over = keeper && is_over(&f)) || has_started(&f, NULL));
	else
		fleet_wait(10000, has_started(&f, NULL));
	for (int i = 0; i < NAMES && !over; i++)
		if (fleet_proc(&f, names[i]).restarts)
			wrong(keeper ? "keeper starts" : "supervisor starts", n, "somebody was started twice");
	if (over)
		f.entries = NULL;
	fleet_end(&f);
	return killed;
}

static void
each_call_of_start(const char *what, bool keeper, unsigned bounded)
{
	unsigned total = 0, made, killed = 0;
	start_trial(keeper, UINT32_MAX, &total);
	unsigned step = (unsigned)bound("BH_CRASH_CALLS", total / bounded + 1, 1);
	for (unsigned n = step / 2; n < total; n += step) {
		killed += start_trial(keeper, n, &made);
		trials++;
	}
	bench_print("crash_calls", "figure", "%s: %u calls, each %u-th tried, %u kills", what, total, step, killed);
	ck_assert_int_eq(bench_count("crash_calls", what, wrong_trials, 0), BENCH_MET);
	ck_assert_uint_gt(killed, 0);
}

START_TEST(a_supervisor_killed_at_any_call_of_the_first_start_is_followed_by_one_that_starts)
{
	each_call_of_start("supervisor starts", false, 6);
}
END_TEST

START_TEST(a_keeper_killed_at_any_call_of_the_first_start_leaves_all_or_nothing)
{
	each_call_of_start("keeper starts", true, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crash_calls");
	TCase *tc = tcase_create("crash_calls");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_snapshot_killed_at_any_system_call_leaves_a_whole_generation);
	tcase_add_test(tc, a_supervisor_killed_at_any_call_of_a_restart_leaves_one_child);
	tcase_add_test(tc, a_supervisor_killed_at_any_call_of_its_adoption_is_followed_by_one_that_adopts);
	tcase_add_test(tc, a_keeper_killed_at_any_call_of_a_hand_over_leaves_all_or_nothing);
	tcase_add_test(tc, a_supervisor_killed_at_any_call_of_the_first_start_is_followed_by_one_that_starts);
	tcase_add_test(tc, a_keeper_killed_at_any_call_of_the_first_start_leaves_all_or_nothing);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
