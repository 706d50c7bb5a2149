/* test_realtime.c - who is scheduled how, where that is granted, and the brake */
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/units.h"
#include "tests/lib/fleet.h"

#define FLEET                                                                                      \
	"proc router 2 1 60000 60000 1 1 1\n"                                                         \
	"proc control 3 2 60000 60000 1 1 1\n"                                                        \
	"proc store 4 3 60000 60000 1 1 1\n"                                                          \
	"proc desk 5 4 60000 60000 1 1 1\n"                                                           \
	"proc loop 6 5 60000 60000 1 1 1\n"                                                           \
	"option crash_limit 0\noption backoff_first_ms 0ms\n"
#define REAL_TIME "option realtime yes\n"

/* Asked as the supervisor asks. */
static bool
is_granted(void)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0) {
		struct sched_param p = {.sched_priority = 5};
		_exit(sched_setscheduler(0, SCHED_RR, &p) < 0);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int
level(pid_t pid)
{
	struct sched_param p = {0};
	int policy = sched_getscheduler(pid);
	return policy == SCHED_RR && sched_getparam(pid, &p) == 0 ? p.sched_priority : policy == SCHED_OTHER ? 0 : -1;
}

START_TEST(those_on_the_way_of_an_event_come_before_others_and_the_rest_does_not)
{
	struct fleet f;
	struct rlimit l;
	bool granted = is_granted();
	fleet_start(&f, FLEET REAL_TIME "option spares yes\noption realtime_limit_ms 5s\n");
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(level(fleet_supervisor(&f)), granted ? 5 : 0);
	ck_assert_int_eq(level(fleet_pid(&f, "router")), granted ? 4 : 0);
	ck_assert_int_eq(level(fleet_pid(&f, "desk")), granted ? 3 : 0);
	ck_assert_int_eq(level(fleet_pid(&f, "loop")), granted ? 2 : 0);
	ck_assert_int_eq(level(fleet_pid(&f, "control")), 0);
	ck_assert_int_eq(level(fleet_pid(&f, "store")), 0);
	ck_assert_int_eq(level(fleet_keeper(&f)), 0);
	if (granted) {
		ck_assert_int_eq(prlimit(fleet_pid(&f, "loop"), RLIMIT_RTTIME, NULL, &l), 0);
		ck_assert_uint_eq(l.rlim_cur, 5000000);
	}
	/* A successor, warm or cold, and the next supervisor are no different. */
	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			fleet_wait(10000, fleet_proc(&f, "loop").spare_pid);
		pid_t was = fleet_pid(&f, "loop");
		kill(was, SIGKILL);
		fleet_wait(10000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != was && fleet_is_ok(&f, "loop"));
		ck_assert_int_eq(level(fleet_pid(&f, "loop")), granted ? 2 : 0);
	}
	pid_t supervisor = fleet_supervisor(&f);
	kill(supervisor, SIGKILL);
	fleet_wait(10000, fleet_supervisor(&f) && fleet_supervisor(&f) != supervisor && level(fleet_supervisor(&f)) == (granted ? 5 : 0));
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(level(fleet_pid(&f, "router")), granted ? 4 : 0);
	/* Taken back while all run. */
	fleet_write(&f, FLEET);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	ck_assert_int_eq(level(fleet_supervisor(&f)), 0);
	ck_assert_int_eq(level(fleet_pid(&f, "router")), 0);
	ck_assert_int_eq(level(fleet_pid(&f, "loop")), 0);
	fleet_end(&f);
}
END_TEST

START_TEST(who_computes_without_a_pause_is_ended_by_the_kernel)
{
	struct fleet f;
	if (!is_granted())
		return;
	fleet_start(&f, FLEET REAL_TIME "option realtime_limit_ms 300ms\nproc greedy 6 6 60000 60000 1 1 1\n");
	fleet_wait(20000, fleet_proc(&f, "greedy").restarts >= 1);
	struct bh_proc_body b = fleet_proc(&f, "greedy");
	/* At the limit SIGXCPU ends it, which is told as a limit of CPU time; at twice that, SIGKILL. */
	ck_assert(b.death[0].cause == BH_CAUSE_LIMIT ? b.death[0].code == BH_LIMIT_CPU : b.death[0].code == SIGKILL);
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 0);
	fleet_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("realtime");
	TCase *tc = tcase_create("realtime");
	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, those_on_the_way_of_an_event_come_before_others_and_the_rest_does_not);
	tcase_add_test(tc, who_computes_without_a_pause_is_ended_by_the_kernel);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
