/*
 * Supervisor and keeper are killed again and again under a working pipeline: nothing is restarted, nothing is lost, nobody notices.
 *
 * BH_ADOPTIONS: kills of the supervisor (100; soak 1,000). Printed is how long a successor takes until it has taken over the last
 * process, from before the keeper starts it: the bar is 10 ms after exec, which comes later.
 */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define BENCH "adoption"
#define BAR_MS 10.0

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
	"drivers:\n"
	"  loop: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"  loop2: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"
	"supervisor: {crash_limit: 0, backoff_first_ms: 0ms, backoff_max_ms: 0ms, watch: no}\n"
	PIPELINE_PATIENT
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      fader1: loop/ch1/level\n"
	"      mute1: loop/ch1/mute\n"
	"      fader2: loop2/ch1/level\n";

static const char *const names[] = {"router", "control", "store", "desk", "loop", "loop2"};
#define NAMES BH_ARRAY_LEN(names)

static struct pipeline pl;
static struct simdesk *desk;
static char out[8192];

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

static const struct bh_table_head *
head(void)
{
	return bh_seg_section(pipeline_seg(&pl, "bulkhead.table"), BH_SEC_TABLE, sizeof(struct bh_table_head), NULL);
}

static uint64_t
adopted(void)
{
	return __atomic_load_n(&head()->adopted_ns, __ATOMIC_ACQUIRE);
}

/* ------------------------------------------------------------------ what a process holds */

#define HELD_MAX 2048
#define OTHERS 16

#define FOR_WRITING 1u
#define IS_PIPE 2u

/* Shared memory and bells, each with how it is opened; of all else, how many. */
struct held {
	unsigned n, fds;
	uint64_t what[HELD_MAX];
};

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void
look_at(pid_t pid, struct held *h)
{
	char dir[64], path[400], to[100];
	struct stat st, link;
	memset(h, 0, sizeof(*h));
	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(dir);
	ck_assert_msg(d != NULL, "process %d is not there", (int)pid);
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ssize_t n = readlink(path, to, sizeof(to) - 1);
		if (n <= 0)
			continue;
		to[n] = 0;
		h->fds++;
		bool is_pipe = !strncmp(to, "pipe:", 5);
		if ((!is_pipe && !strstr(to, "/memfd:")) || stat(path, &st) < 0 || lstat(path, &link) < 0 || h->n == HELD_MAX)
			continue;
		h->what[h->n++] = (uint64_t)st.st_ino << 2 | (is_pipe ? IS_PIPE : 0) | (link.st_mode & S_IWUSR ? FOR_WRITING : 0);
	}
	closedir(d);
	qsort(h->what, h->n, sizeof(h->what[0]), by_number);
}

static bool
holds(const struct held *h, uint64_t what)
{
	return bsearch(&what, h->what, h->n, sizeof(what), by_number);
}

/* Of a pipe that a process was given by those who started it, it has one end; of bells keeper and supervisor have both. */
static void
drop_single_ends(struct held *h)
{
	struct held all = *h;
	h->n = 0;
	for (unsigned i = 0; i < all.n; i++)
		if (!(all.what[i] & IS_PIPE) || holds(&all, all.what[i] ^ FOR_WRITING))
			h->what[h->n++] = all.what[i];
}

static void
expect_same(const char *name, const struct held *a, const struct held *b)
{
	for (unsigned i = 0; i < a->n; i++)
		if (!holds(b, a->what[i]))
			fprintf(stderr, "%s no longer holds inode %llu%s\n", name, (unsigned long long)a->what[i] >> 2, a->what[i] & FOR_WRITING ? ", for writing" : "");
	for (unsigned i = 0; i < b->n; i++)
		if (!holds(a, b->what[i]))
			fprintf(stderr, "%s now holds inode %llu%s\n", name, (unsigned long long)b->what[i] >> 2, b->what[i] & FOR_WRITING ? ", for writing" : "");
	ck_assert_msg(a->n == b->n && !memcmp(a->what, b->what, a->n * sizeof(a->what[0])),
		      "%s held %u pieces of shared memory and bells, and now %u or others\n%s", name, a->n, b->n, pipeline_log(&pl));
}

struct picture {
	struct bh_proc_body body[NAMES];
	struct held child[NAMES], keeper, supervisor;
};

/* It reads what it is given when it comes to it. */
static bool
keeper_has_all(struct picture *p)
{
	look_at(pipeline_pid(&pl, "keeper"), &p->keeper);
	look_at(pipeline_pid(&pl, "supervisor"), &p->supervisor);
	drop_single_ends(&p->keeper);
	drop_single_ends(&p->supervisor);
	return p->keeper.n == p->supervisor.n && !memcmp(p->keeper.what, p->supervisor.what, p->keeper.n * sizeof(p->keeper.what[0]));
}

static void
take_picture(struct picture *p)
{
	for (unsigned i = 0; i < NAMES; i++) {
		ck_assert(pipeline_body(&pl, names[i], &p->body[i]));
		look_at((pid_t)p->body[i].pid, &p->child[i]);
	}
	ck_assert_msg(pipeline_until(20000, keeper_has_all(p)), "the keeper has %u pieces of shared memory and bells, the supervisor %u\n%s",
		      p->keeper.n, p->supervisor.n, pipeline_log(&pl));
}

/* Once it does nothing else: a snapshot that is written is open, too. */
static bool
has_descriptors(uint32_t pid, unsigned n)
{
	static struct held h;
	look_at((pid_t)pid, &h);
	return h.fds == n;
}

/* The same processes, none restarted, with the same descriptors. */
static void
expect_untouched(const char *bench, const struct picture *before, const struct picture *after)
{
	unsigned restarts = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		const struct bh_proc_body *b = &before->body[i], *a = &after->body[i];
		restarts += a->restarts;
		ck_assert_msg(a->pid == b->pid && a->start_time == b->start_time && a->alive, "%s is another process\n%s", names[i],
			      pipeline_log(&pl));
		ck_assert_uint_eq(a->death[0].time_ns, 0);
		expect_same(names[i], &before->child[i], &after->child[i]);
		ck_assert_msg(pipeline_until(20000, has_descriptors(b->pid, before->child[i].fds)), "%s had %u descriptors, and has %u", names[i],
			      before->child[i].fds, after->child[i].fds);
	}
	expect_same("the keeper", &before->keeper, &after->keeper);
	expect_same("the supervisor", &before->supervisor, &after->supervisor);
	ck_assert_int_eq(bench_count(bench, "restarts of anything", restarts, 0), BENCH_MET);
}

static void
expect_at_work(unsigned turn)
{
	simdesk_must(desk, "move 1 0.%u over 0.05s touching; wait hands", 10 + turn % 80);
	ck_assert_msg(pipeline_until(10000, pipeline_settled(&pl, "loop", "ch1/level")), "fader 1 does nothing\n%s", pipeline_log(&pl));
}

/* ------------------------------------------------------------------ the supervisor */

/* Kill it and wait until the next one has taken over. Returns how long that took. */
static uint64_t
kill_supervisor(void)
{
	uint64_t was = adopted();
	pid_t pid = pipeline_pid(&pl, "supervisor");
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_msg(pipeline_until(20000, adopted() != was), "nobody took over\n%s", pipeline_log(&pl));
	return head()->adoption_ns;
}

START_TEST(a_supervisor_killed_again_and_again_is_followed_by_one_that_takes_over_all)
{
	static struct picture before, after;
	static double took[100000];
	unsigned long n = bound("BH_ADOPTIONS", 100, 1000);
	unsigned seed = 1, fds = 0;
	struct bench_figures f;
	ck_assert_uint_lt(n, BH_ARRAY_LEN(took));
	take_picture(&before);
	for (unsigned i = 0; i < n; i++) {
		struct timespec ts = {.tv_nsec = rand_r(&seed) % 3000000};
		took[i] = (double)kill_supervisor();
		if (i % 10 == 0) {
			uint64_t was = adopted();
			kill(pipeline_pid(&pl, "supervisor"), SIGKILL); /* the hand moves before, or while, the next one comes */
			expect_at_work(i / 10);
			ck_assert_msg(pipeline_until(20000, adopted() != was), "nobody took over\n%s", pipeline_log(&pl));
		}
		if (i == 0) {
			struct held h;
			kill_supervisor();
			look_at(pipeline_pid(&pl, "supervisor"), &h);
			fds = h.fds;
		}
		nanosleep(&ts, NULL); /* not to wait for anything: to hit another moment each time */
	}
	kill_supervisor();
	ck_assert(pipeline_until(20000, pipeline_all_ok(&pl)));
	take_picture(&after);
	expect_untouched(BENCH, &before, &after);
	/* What is not shared memory, and comes and goes: spares, files of programs. It must not grow. */
	ck_assert_msg(after.supervisor.fds <= fds + OTHERS, "the second supervisor had %u descriptors, the last has %u", fds, after.supervisor.fds);
	ck_assert_msg(after.keeper.fds <= before.keeper.fds + OTHERS, "the keeper had %u descriptors, and has %u", before.keeper.fds,
		      after.keeper.fds);
	expect_at_work(99);
	bench_quantiles(took, n, &f);
	bench_print(BENCH, "figure", "start of a supervisor to the last process taken over, %lu kills: p50 %.2f ms, p99 %.2f ms", n, f.p50 / 1e6,
		    f.p99 / 1e6);
	bench_print(BENCH, "bar", "taken over, p50 in ms from before exec: %.2f <= %.0f %s", f.p50 / 1e6, BAR_MS, f.p50 / 1e6 <= BAR_MS ? "met" : "missed");
}
END_TEST

/* ------------------------------------------------------------------ causes */

static bool
died_so(const char *name, uint32_t pid, enum bh_cause cause, unsigned code)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b) && b.death[0].pid == pid && b.death[0].cause == cause && b.death[0].code == code;
}

static bool
is_another(const char *name, uint32_t pid)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b) && b.alive && b.pid != pid && b.health.health == BH_HEALTH_OK;
}

static bool
is_gone(uint32_t pid)
{
	char path[64];
	int c = 'X';
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %c", (char *)&c) != 1)
		c = 'X';
	if (f)
		fclose(f);
	return (char)c == 'X' || (char)c == 'Z';
}

/* By a signal, or by its own hand. */
static void
end_driver(uint32_t pid, bool by_signal)
{
	char other[16]; /* each time another action: one that has killed twice is not done a third time */
	snprintf(other, sizeof(other), "%u", pid);
	if (by_signal)
		kill((pid_t)pid, SIGKILL);
	else
		pipeline_tool(&pl, out, sizeof(out), "bulkhead", "do", "loop2/fault", "exit", other, NULL);
	ck_assert_msg(pipeline_until(10000, is_gone(pid)), "loop2 does not die: %s\n%s", out, pipeline_log(&pl));
}

START_TEST(the_cause_of_a_death_without_a_supervisor_is_not_lost)
{
	struct bh_proc_body b;
	for (unsigned i = 0; i < 8; i++) {
		bool by_signal = i % 2 == 0;
		ck_assert(pipeline_body(&pl, "loop2", &b));
		pid_t s = pipeline_pid(&pl, "supervisor");
		uint64_t was = adopted();
		kill(s, SIGSTOP);
		if (i % 4 < 2) /* its child, or the keeper's: then it dies first */
			end_driver(b.pid, by_signal);
		kill(s, SIGKILL);
		ck_assert_msg(pipeline_until(20000, adopted() != was), "nobody took over\n%s", pipeline_log(&pl));
		if (i % 4 >= 2)
			end_driver(b.pid, by_signal);
		ck_assert_msg(pipeline_until(20000, is_another("loop2", b.pid)), "loop2 does not come back\n%s", pipeline_log(&pl));
		ck_assert_msg(pipeline_until(10000, died_so("loop2", b.pid, by_signal ? BH_CAUSE_SIGNAL : BH_CAUSE_EXIT, by_signal ? SIGKILL : 3)),
			      "the cause is lost\n%s", pipeline_log(&pl));
		ck_assert(pipeline_body(&pl, "loop2", &b));
		ck_assert_uint_eq(b.restarts, i + 1);
	}
	/* Nobody else has noticed. */
	for (unsigned i = 0; i < NAMES - 1; i++) {
		ck_assert(pipeline_body(&pl, names[i], &b));
		ck_assert_uint_eq(b.restarts, 0);
	}
}
END_TEST

/* ------------------------------------------------------------------ the keeper */

START_TEST(a_keeper_killed_again_and_again_is_followed_by_one_that_is_given_all)
{
	static struct picture before, after;
	unsigned long n = bound("BH_KEEPERS", 20, 200);
	take_picture(&before);
	pid_t supervisor = pipeline_pid(&pl, "supervisor");
	for (unsigned i = 0; i < n; i++) {
		uint32_t lives = __atomic_load_n(&head()->keeper_lives, __ATOMIC_ACQUIRE);
		pid_t pid = pipeline_pid(&pl, "keeper");
		kill(pid, SIGKILL);
		ck_assert_msg(pipeline_until(20000, head()->keeper_lives == lives + 1 && pipeline_pid(&pl, "keeper") != pid &&
							    pipeline_is_ok(&pl, "keeper")),
			      "no keeper follows\n%s", pipeline_log(&pl));
	}
	ck_assert_int_eq(pipeline_pid(&pl, "supervisor"), supervisor);
	expect_at_work(7);
	/* It has them when it can give them away. */
	kill_supervisor();
	take_picture(&after);
	expect_untouched("adoption_keeper", &before, &after);
	expect_at_work(8);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("adoption");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_supervisor_killed_again_and_again_is_followed_by_one_that_takes_over_all);
	tcase_add_test(t, the_cause_of_a_death_without_a_supervisor_is_not_lost);
	tcase_add_test(t, a_keeper_killed_again_and_again_is_followed_by_one_that_is_given_all);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
