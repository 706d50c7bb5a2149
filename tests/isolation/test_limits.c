/*
 * A driver that takes more of the machine than it may: it is ended, `limit` is the cause, and which
 * one is said. A driver that does it again and again ends in `failed`, and who looks is told what
 * is lost and how to have it back.
 *
 * The limits are the kernel's; what a driver does about a refusal is its own affair, so both are
 * tried: one that stumbles over it, and one that goes on regardless.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pipeline.h"

#define YAML(supervisor)                                                                           \
	"bulkhead: 1\n"                                                                            \
	"drivers:\n"                                                                               \
	"  good: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER "}\n"          \
	"  bad: {kind: loop, channels: 8, meters: false, " PIPELINE_PATIENT_DRIVER                 \
	", hang_ms: 60s}\n" PIPELINE_PATIENT                                                       \
	"supervisor: {crash_limit: 5, crash_window_ms: 10m, backoff_first_ms: 0ms, "               \
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
	struct bh_proc_body good;
	ck_assert(pipeline_body(&pl, "good", &good));
	ck_assert_uint_eq(good.restarts, 0);
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
	return b.alive && b.pid != pid && b.health.health == BH_HEALTH_OK;
}

static void
expect_limit(uint32_t pid, enum bh_limit limit)
{
	char words[40];
	ck_assert_msg(pipeline_until(40000, is_back(pid)), "it is not ended: %s\n%s", out,
		      pipeline_log(&pl));
	struct bh_proc_body b = bad();
	ck_assert_msg(b.death[0].pid == pid && b.death[0].cause == BH_CAUSE_LIMIT &&
			      b.death[0].code == limit,
		      "it died of %s %u, not of its limit of %s\n%s",
		      bh_cause_name(b.death[0].cause), b.death[0].code, bh_limit_name(limit),
		      pipeline_log(&pl));
	tool("status", "bad", NULL, NULL, NULL);
	snprintf(words, sizeof(words), "limit of %s", bh_limit_name(limit));
	ck_assert_msg(strstr(out, words) != NULL, "the status does not say \"%s\": %s", words, out);
	snprintf(words, sizeof(words), "over its limit of %s", bh_limit_name(limit));
	ck_assert_msg(strstr(pipeline_log_text(&pl), words) != NULL,
		      "the log does not say \"%s\"\n%s", words, pipeline_log(&pl));
}

/* A sanitizer maps more than any limit. */
#ifndef BH_SANITIZED
START_TEST(who_is_refused_memory_and_stumbles_is_said_to_be_over_that_limit)
{
	start(YAML(", memory_max_bytes: 48M"));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", "eat", NULL, NULL);
	expect_limit(pid, BH_LIMIT_MEMORY);
	end();
}
END_TEST

START_TEST(who_stands_at_its_limit_of_memory_and_goes_on_is_found)
{
	start(YAML(", memory_max_bytes: 48M"));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", "eat", "45", NULL);
	expect_limit(pid, BH_LIMIT_MEMORY);
	end();
}
END_TEST
#endif

START_TEST(who_has_opened_all_that_it_may_is_found)
{
	start(YAML(", files_max: 200"));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", "open", NULL, NULL);
	expect_limit(pid, BH_LIMIT_FILES);
	end();
}
END_TEST

/* It makes no hang: it is patient, and is let be for a minute. What it eats is judged by itself. */
START_TEST(who_eats_more_than_its_share_of_a_processor_is_found)
{
	start(YAML(", cpu_max: 10"));
	uint32_t pid = bad().pid;
	tool("do", "bad/fault", "spin", NULL, NULL);
	expect_limit(pid, BH_LIMIT_CPU);
	end();
}
END_TEST

START_TEST(nobody_is_limited_unless_it_is_written)
{
	char path[64], line[200];
	unsigned found = 0;
	start(YAML(""));
	snprintf(path, sizeof(path), "/proc/%u/limits", bad().pid);
	FILE *f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		found += !strncmp(line, "Max data size", 13) && strstr(line, "unlimited");
	fclose(f);
	ck_assert_uint_eq(found, 1);
	end();
}
END_TEST

/* ------------------------------------------------------------------ poison */

static bool
is_at(double level)
{
	return pipeline_number(&pl, "bad", "ch1/level") == level;
}

static void
poison(void)
{
	uint32_t pid = bad().pid;
	ck_assert_int_eq(tool("do", "bad/fault", "crash-on", "ch1/level", "-13"), 0);
	tool("set", "bad/ch1/level", "-13", NULL, NULL);
	ck_assert_msg(pipeline_until(20000, is_back(pid)), "it does not die of it: %s\n%s", out, pipeline_log(&pl));
}

static uint64_t
skipped(void)
{
	return __atomic_load_n(&pipeline_self(&pl, "bad")->counter[BH_CNT_QUARANTINED], __ATOMIC_RELAXED);
}

START_TEST(a_value_that_kills_twice_is_skipped_until_it_is_released)
{
	start(YAML(""));
	poison();
	ck_assert_msg(pipeline_until(20000, is_at(-13)), "it is not tried once more\n%s", pipeline_log(&pl));
	tool("set", "bad/ch1/level", "-20", NULL, NULL);
	ck_assert(pipeline_until(20000, is_at(-20)));
	poison();
	/* On resync, too: it is what is wanted. Another passes. */
	ck_assert_msg(pipeline_until(20000, skipped() > 0), "it is not skipped\n%s", pipeline_log(&pl));
	ck_assert(!is_at(-13));
	tool("set", "bad/ch1/level", "-14", NULL, NULL);
	ck_assert_msg(pipeline_until(20000, is_at(-14)), "another value does not pass\n%s", pipeline_log(&pl));
	uint64_t before = skipped();
	tool("set", "bad/ch1/level", "-13", NULL, NULL);
	ck_assert_msg(pipeline_until(20000, skipped() > before), "it is not skipped again\n%s", pipeline_log(&pl));
	ck_assert(is_at(-14));
	ck_assert_msg(tool("release", "bad", NULL, NULL, NULL) == 0, "not released: %s", out);
	ck_assert_msg(pipeline_until(20000, is_at(-13)), "what is wanted is not done now\n%s", pipeline_log(&pl));
	ck_assert_int_ne(tool("release", "bad", NULL, NULL, NULL), 0);
	ck_assert_msg(strstr(out, "nothing is quarantined") != NULL, "it does not say why not: %s", out);
	end();
}
END_TEST

START_TEST(a_crash_loop_ends_after_five_starts_with_its_causes)
{
	struct bh_proc_body b;
	unsigned starts = 1;
	start(YAML(""));
	for (uint32_t pid = bad().pid; pid; starts++) {
		if (starts == 2)
			tool("do", "bad/fault", "exit", NULL, NULL);
		else
			kill((pid_t)pid, SIGKILL);
		ck_assert_msg(pipeline_until(20000, is_back(pid) || bad().health.health == BH_HEALTH_FAILED), "neither back nor failed: %s\n%s", out,
			      pipeline_log(&pl));
		if (!is_back(pid))
			break;
		pid = bad().pid;
	}
	ck_assert_uint_eq(starts, 5);
	b = bad();
	ck_assert(!b.alive);
	ck_assert_msg(strstr(b.health.reason, "5 failures in 600 s (1 exit, 4 signal), the last by signal 9") != NULL, "the reason is: %s", b.health.reason);
	ck_assert_msg(strstr(b.health.hint, "bulkhead release bad") != NULL, "the hint is: %s", b.health.hint);
	ck_assert_int_eq(tool("release", "bad", NULL, NULL, NULL), 0);
	ck_assert_msg(pipeline_until(20000, pipeline_is_ok(&pl, "bad")), "not released\n%s", pipeline_log(&pl));
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("limits");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
#ifndef BH_SANITIZED
	tcase_add_test(t, who_is_refused_memory_and_stumbles_is_said_to_be_over_that_limit);
	tcase_add_test(t, who_stands_at_its_limit_of_memory_and_goes_on_is_found);
#endif
	tcase_add_test(t, who_has_opened_all_that_it_may_is_found);
	tcase_add_test(t, who_eats_more_than_its_share_of_a_processor_is_found);
	tcase_add_test(t, a_value_that_kills_twice_is_skipped_until_it_is_released);
	tcase_add_test(t, a_crash_loop_ends_after_five_starts_with_its_causes);
	tcase_add_test(t, nobody_is_limited_unless_it_is_written);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
