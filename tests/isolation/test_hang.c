/*
 * A driver that hangs, spins, is starved or takes its time: it is ended within its limit, or left
 * alone.
 *
 * BH_HANGS: hangs measured for each way of ending (12; soak 200). The time goes from the turn in
 * which the driver took the value that it hangs on, to when its successor is in service. Bars: the
 * limit of 10 ms + 3 ms with the backtrace off (abort_ms: 0ms), and + its budget of 50 ms with it.
 * Nothing fails on a time; what fails is a hang that is not found, or a process taken for dead that
 * was not.
 */
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pipeline.h"

#define LIMIT_MS  10.0
#define BUDGET_MS 50.0

#define YAML(bad, supervisor)                                                                      \
	"bulkhead: 1\n"                                                                            \
	"drivers:\n"                                                                               \
	"  good: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"          \
	"  bad: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER ", " bad        \
	"}\n" PIPELINE_PATIENT "supervisor: {crash_limit: 0, backoff_first_ms: 0ms, "              \
			       "backoff_max_ms: 0ms, watch: no" supervisor "}\n"

static struct pipeline pl;
static char out[16384];

static void
start(const char *yaml)
{
	pipeline_prepare(&pl, yaml);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s",
		      pipeline_log(&pl));
}

static void
end(void)
{
	pipeline_stop(&pl);
	pipeline_clean(&pl);
}

static struct bh_proc_body
bad(void)
{
	struct bh_proc_body b;
	ck_assert(pipeline_body(&pl, "bad", &b));
	return b;
}

static int
tool(const char *a, const char *b, const char *c, const char *d, const char *e)
{
	return pipeline_tool(&pl, out, sizeof(out), "bulkhead", a, b, c, d, e, NULL);
}

static bool
is_back(uint32_t pid)
{
	struct bh_proc_body b = bad();
	return b.alive && b.pid != pid && b.health.health == BH_HEALTH_OK && b.last_recovery_ns;
}

static bool
is_at(double level)
{
	return pipeline_number(&pl, "bad", "ch1/level") == level;
}

/* ------------------------------------------------------------------ how soon */

static uint64_t hung_ns; /* when it took what it hangs on */

/* Its mark stands while it hangs; the successor's, who is given the same, is of another life. */
static bool
look_at_mark(uint32_t pid)
{
	const struct bh_self *self = pipeline_self(&pl, "bad");
	uint64_t stamp = __atomic_load_n(&self->inflight.stamp_ns, __ATOMIC_RELAXED);
	if (__atomic_load_n(&self->inflight.seq, __ATOMIC_ACQUIRE) &&
	    __atomic_load_n(&self->pid, __ATOMIC_ACQUIRE) == pid && bad().pid == pid)
		hung_ns = stamp;
	return false;
}

/* Meanwhile somebody else sets a value. */
static pid_t
begin_set(const char *value)
{
	pid_t pid = fork();
	if (pid == 0) {
		tool("set", "bad/ch1/level", value, NULL, NULL);
		_exit(0);
	}
	return pid;
}

/* As it is when nobody has died for a while; but where the machine is too busy, none comes. */
static void
await_spare(void)
{
	for (unsigned i = 0; i < 100 && !bad().spare_pid; i++)
		usleep(20000);
}

/* Hang on a value; how long until its successor serves, or 0: it was another life that took it. */
static double
hang_once(unsigned i)
{
	char value[16];
	struct bh_proc_body before, after;
	double level = -10 - (double)(i % 500) / 10; /* each time another: one that has killed twice
							is not given a third time */
	snprintf(value, sizeof(value), "%.1f", level);
	await_spare();
	before = bad();
	tool("do", "bad/fault", "hang-on", "ch1/level", value);
	hung_ns = 0;
	pid_t hand = begin_set(value);
	ck_assert_msg(pipeline_until(20000, look_at_mark(before.pid) || is_back(before.pid) ||
						    is_at(level)),
		      "it hangs, and is not ended: %s\n%s", out, pipeline_log(&pl));
	waitpid(hand, NULL, 0);
	if (!is_back(before.pid))
		return 0;
	after = bad();
	ck_assert_msg(pipeline_until(20000, is_at(level)),
		      "what it hung on is not tried once more\n%s", pipeline_log(&pl));
	if (after.death[0].pid != before.pid || after.death[0].cause != BH_CAUSE_HANG || !hung_ns)
		return 0;
	return (double)(after.death[0].time_ns + after.last_recovery_ns) - (double)hung_ns;
}

static void
measure(const char *name, const char *what, double bar_ms, unsigned n)
{
	static double took[10000];
	unsigned kept = 0;
	struct bench_figures f;
	uint32_t hangs = bad().hangs, warm = bad().warm_starts;
	for (unsigned i = 0; i < n; i++) {
		double ns = hang_once(i);
		if (ns > 0)
			took[kept++] = ns;
	}
	ck_assert_uint_gt(kept, 0);
	bench_quantiles(took, kept, &f);
	bench_print(name, "figure",
		    "hang to the successor in service, %s: p50 %.2f ms, p99 %.2f ms; %u of %u "
		    "hangs measured, %u found, %u starts warm",
		    what, f.p50 / 1e6, f.p99 / 1e6, kept, n, bad().hangs - hangs, bad().warm_starts - warm);
	bench_print(name, "bar", "hang of %.0f ms limit, %s, p50 in ms: %.2f <= %.0f %s", LIMIT_MS,
		    what, f.p50 / 1e6, bar_ms, f.p50 / 1e6 <= bar_ms ? "met" : "missed");
}

START_TEST(a_hang_is_ended_within_its_limit)
{
	struct bh_proc_body good;
	unsigned n = (unsigned)bound("BH_HANGS", 12, 200);
	start(YAML("hang_ms: 10ms", ", abort_ms: 0ms"));
	measure("hang", "backtrace off", LIMIT_MS + 3, n);
	ck_assert(pipeline_body(&pl, "good", &good));
	ck_assert_uint_eq(good.restarts, 0);
	end();
}
END_TEST

START_TEST(who_hangs_says_where_and_is_ended_within_its_budget)
{
	struct bh_proc_body good;
	unsigned n = (unsigned)bound("BH_HANGS", 12, 200);
	start(YAML("hang_ms: 10ms", ""));
	measure("hang_backtrace", "with a backtrace", LIMIT_MS + BUDGET_MS + 3, n);
	ck_assert(pipeline_body(&pl, "good", &good));
	ck_assert_uint_eq(good.restarts, 0);
	const char *log = pipeline_log_text(&pl);
#ifndef BH_SANITIZED
	ck_assert_msg(strstr(log, "bad: crash: ended by signal 6; it was") != NULL,
		      "no last words\n%s", pipeline_log(&pl));
	ck_assert_msg(strstr(log, "bad: crash:   at bh-loop+0x") != NULL, "no backtrace\n%s",
		      pipeline_log(&pl));
#endif
	ck_assert_msg(strstr(log, "has not consumed what router sent it") != NULL,
		      "the log does not say why\n%s", pipeline_log(&pl));
	end();
}
END_TEST

/* ------------------------------------------------------------------ whom nobody waits for */

/* No work is owed: only its own loop shows it. */
START_TEST(a_loop_that_stands_still_is_found_though_nobody_waits_for_it)
{
	static const char *const how[] = {"hang", "spin"};
	start(YAML("hang_ms: 500ms", ""));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", how[_i], NULL, NULL);
	ck_assert_msg(pipeline_until(20000, is_back(pid)), "it is not ended: %s\n%s", out,
		      pipeline_log(&pl));
	ck_assert_uint_eq(bad().hangs, 1);
	ck_assert_int_eq(bad().death[0].cause, BH_CAUSE_HANG);
	ck_assert_msg(strstr(pipeline_log_text(&pl), "bad: its loop has stood still") != NULL,
		      "the log does not say why\n%s", pipeline_log(&pl));
	end();
}
END_TEST

/* Longer than its limit of hangs, shorter than its own: with work waiting. */
START_TEST(a_declared_call_has_a_limit_of_its_own)
{
	start(YAML("hang_ms: 500ms", ""));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", "busy", "60000", "3000");
	tool("set", "bad/ch1/level", "-7", NULL, NULL);
	ck_assert_msg(pipeline_until(20000, is_at(-7)), "the value does not arrive: %s\n%s", out,
		      pipeline_log(&pl));
	ck_assert_uint_eq(bad().hangs, 0);
	ck_assert_uint_eq(bad().pid, pid);
	/* And over that limit it is a hang. */
	tool("do", "bad/fault", "busy", "800", "3600000");
	tool("set", "bad/ch1/level", "-8", NULL, NULL);
	ck_assert_msg(pipeline_until(20000, is_back(pid)), "it is not ended: %s\n%s", out,
		      pipeline_log(&pl));
	ck_assert_uint_eq(bad().hangs, 1);
	ck_assert_msg(pipeline_until(20000, is_at(-8)), "the value does not arrive\n%s",
		      pipeline_log(&pl));
	end();
}
END_TEST

/* ------------------------------------------------------------------ starved */

static pid_t
hog(int cpu)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		__asm__ volatile("");
}

/* It gets next to nothing of its processor for ten times its patience, with work waiting: it is
 * late, not hung. */
START_TEST(a_starved_driver_is_never_taken_for_hung)
{
	struct sched_param none = {0};
	cpu_set_t set;
	pid_t hogs[3];
	int cpu = sched_getcpu();
	char value[16];
	start(YAML("hang_ms: 400ms", ""));
	uint32_t pid = bad().pid;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity((pid_t)pid, sizeof(set), &set) < 0 ||
	    sched_setscheduler((pid_t)pid, SCHED_IDLE, &none) < 0) {
		end();
		return; /* not ours to starve */
	}
	for (unsigned i = 0; i < BH_ARRAY_LEN(hogs); i++)
		hogs[i] = hog(cpu);
	for (unsigned i = 0; i <= 40; i++) {
		snprintf(value, sizeof(value), "-%u.5", i);
		tool("set", "bad/ch1/level", value, NULL, NULL);
		usleep(100000);
	}
	ck_assert_msg(bad().hangs == 0 && bad().pid == pid, "starved, and taken for hung\n%s",
		      pipeline_log(&pl));
	for (unsigned i = 0; i < BH_ARRAY_LEN(hogs); i++) {
		kill(hogs[i], SIGKILL);
		waitpid(hogs[i], NULL, 0);
	}
	ck_assert_msg(pipeline_until(20000, is_at(-40.5)), "it has not the newest value\n%s",
		      pipeline_log(&pl));
	ck_assert_uint_eq(bad().hangs, 0);
	ck_assert_uint_eq(bad().pid, pid);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hang");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_hang_is_ended_within_its_limit);
	tcase_add_test(t, who_hangs_says_where_and_is_ended_within_its_budget);
	tcase_add_loop_test(t, a_loop_that_stands_still_is_found_though_nobody_waits_for_it, 0, 2);
	tcase_add_test(t, a_declared_call_has_a_limit_of_its_own);
	tcase_add_test(t, a_starved_driver_is_never_taken_for_hung);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
