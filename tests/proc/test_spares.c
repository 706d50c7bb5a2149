/* test_spares.c - processes that wait to follow others: when they do, when they must not, and that none is left behind */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/units.h"
#include "tests/lib/fleet.h"

/* proc NAME ROLE SLOT HANG_MS READY_MS OPTIONS LIVE START: all run one program, so there is one spare for them all. */
#define FIXED                                                                                      \
	"proc router 2 1 60000 60000 1 1 1\n"                                                         \
	"proc control 3 2 60000 60000 1 1 1\n"                                                        \
	"option watch no\n"
#define LOOP "proc loop 6 5 60000 60000 1 1 1\n"
#define OTHER "proc other 6 6 60000 60000 1 1 1\n"
#define SPARES "option spares yes\n"
#define NOBODY_GIVES_UP "option crash_limit 0\noption backoff_first_ms 0ms\n"

static pid_t
spare(struct fleet *f)
{
	return (pid_t)fleet_proc(f, "loop").spare_pid;
}

static uint32_t
warm_starts(struct fleet *f, const char *name)
{
	return fleet_proc(f, name).warm_starts;
}

static void
start(struct fleet *f, const char *config)
{
	fleet_start(f, config);
	fleet_wait(10000, fleet_all_ok(f));
	fleet_wait(10000, spare(f));
	ck_assert(fleet_lives(spare(f)));
}

/* Another process, and ok. */
static void
wait_for_next(struct fleet *f, const char *name, pid_t before)
{
	fleet_wait(10000, fleet_pid(f, name) && fleet_pid(f, name) != before && fleet_is_ok(f, name));
}

START_TEST(a_process_that_dies_is_followed_by_its_spare_and_another_is_made)
{
	struct fleet f;
	start(&f, FIXED LOOP OTHER SPARES);
	ck_assert_uint_eq(fleet_proc(&f, "router").spare_pid, fleet_proc(&f, "loop").spare_pid);
	ck_assert_uint_eq(fleet_proc(&f, "control").spare_pid, 0); /* nobody's hand waits for it */
	ck_assert_uint_eq(fleet_count_children(&f), 5);
	pid_t was = fleet_pid(&f, "loop"), next = spare(&f);
	kill(was, SIGKILL);
	wait_for_next(&f, "loop", was);
	ck_assert_int_eq(fleet_pid(&f, "loop"), next);
	ck_assert_uint_eq(warm_starts(&f, "loop"), 1);
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 1);
	ck_assert_int_eq(fleet_proc(&f, "loop").death[0].cause, BH_CAUSE_SIGNAL);
	fleet_wait(10000, spare(&f) && spare(&f) != next);
	ck_assert_uint_eq(fleet_count_children(&f), 5);
	fleet_end(&f);
}
END_TEST

START_TEST(every_death_is_followed_warm_as_often_as_there_is_time_to_make_a_spare)
{
	struct fleet f;
	static const char *const names[] = {"loop", "router", "other"};
	start(&f, FIXED LOOP OTHER SPARES NOBODY_GIVES_UP);
	for (unsigned i = 0; i < 9; i++) {
		const char *name = names[i % 3];
		pid_t was = fleet_pid(&f, name);
		fleet_wait(10000, spare(&f));
		pid_t next = spare(&f);
		kill(was, SIGKILL);
		wait_for_next(&f, name, was);
		ck_assert_int_eq(fleet_pid(&f, name), next);
		ck_assert_uint_eq(warm_starts(&f, name), i / 3 + 1);
		fleet_wait(10000, fleet_all_ok(&f));
	}
	fleet_end(&f);
}
END_TEST

START_TEST(the_second_of_two_deaths_at_once_starts_cold)
{
	struct fleet f;
	start(&f, FIXED LOOP OTHER SPARES);
	pid_t loop = fleet_pid(&f, "loop"), other = fleet_pid(&f, "other");
	kill(fleet_supervisor(&f), SIGSTOP); /* so that it finds both dead */
	kill(loop, SIGKILL);
	kill(other, SIGKILL);
	fleet_wait(10000, !fleet_lives(loop) && !fleet_lives(other));
	kill(fleet_supervisor(&f), SIGCONT);
	wait_for_next(&f, "loop", loop);
	wait_for_next(&f, "other", other);
	ck_assert_uint_eq(warm_starts(&f, "loop") + warm_starts(&f, "other"), 1);
	fleet_end(&f);
}
END_TEST

START_TEST(a_process_that_is_only_stopped_is_not_followed)
{
	struct fleet f;
	start(&f, FIXED "proc loop 6 5 1000 60000 1 1 1\n" OTHER SPARES);
	pid_t loop = fleet_pid(&f, "loop"), waiting = spare(&f);
	kill(loop, SIGSTOP);
	/* The return of another is work for all: it is owed, and judged. */
	kill(fleet_pid(&f, "other"), SIGKILL);
	fleet_wait(10000, fleet_health(&f, "loop") == BH_HEALTH_DEGRADED);
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	ck_assert_uint_eq(warm_starts(&f, "loop"), 0);
	ck_assert_int_eq(fleet_pid(&f, "other"), waiting);
	fleet_wait(10000, spare(&f) && spare(&f) != waiting);
	waiting = spare(&f);
	kill(loop, SIGKILL); /* which ends a stopped one, too */
	wait_for_next(&f, "loop", loop);
	ck_assert_int_eq(fleet_pid(&f, "loop"), waiting);
	ck_assert(!fleet_lives(loop));
	fleet_end(&f);
}
END_TEST

START_TEST(a_spare_that_is_stopped_is_not_used)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	pid_t loop = fleet_pid(&f, "loop"), stopped = spare(&f);
	kill(stopped, SIGSTOP);
	kill(loop, SIGKILL);
	wait_for_next(&f, "loop", loop);
	ck_assert_int_ne(fleet_pid(&f, "loop"), stopped);
	ck_assert_uint_eq(warm_starts(&f, "loop"), 0);
	kill(stopped, SIGKILL); /* nobody else can end it in this state */
	fleet_end(&f);
}
END_TEST

START_TEST(a_spare_that_dies_is_made_anew_at_growing_intervals)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	uint64_t least_ms = 1000;
	for (unsigned i = 0; i < 2; i++, least_ms *= 2) {
		pid_t was = spare(&f);
		uint64_t killed = fleet_now_ms();
		kill(was, SIGKILL);
		fleet_wait(10000, spare(&f) != was);
		ck_assert_int_eq(spare(&f), 0);
		fleet_wait(10000, spare(&f));
		ck_assert_uint_ge(fleet_now_ms() - killed, least_ms);
	}
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 0);
	ck_assert_uint_eq(fleet_proc(&f, "loop").recent_failures, 0);
	fleet_end(&f);
}
END_TEST

/* Whichever of them dies at whichever moment of it, somebody is well in the end, and nobody is left over. */
START_TEST(kills_during_the_hand_over_leave_one_process_that_is_well)
{
	struct fleet f;
	unsigned seed = 7;
	start(&f, FIXED LOOP SPARES NOBODY_GIVES_UP);
	for (unsigned i = 0; i < 12; i++) {
		fleet_wait(20000, spare(&f) && fleet_is_ok(&f, "loop"));
		pid_t was = fleet_pid(&f, "loop"), next = spare(&f), supervisor = (pid_t)f.head->supervisor_pid;
		uint32_t lives = __atomic_load_n(&f.head->supervisor_lives, __ATOMIC_ACQUIRE);
		struct timespec ts = {.tv_nsec = rand_r(&seed) % 1500000};
		bool both = i % 3 == 2;
		kill(was, SIGKILL);
		nanosleep(&ts, NULL); /* not to wait for anything: to hit another moment each time */
		if (i % 3 != 1)
			kill(next, SIGKILL);
		if (i % 3 == 1 || both)
			kill(supervisor, SIGKILL);
		if (i % 3 == 1 || both)
			fleet_wait(10000, f.head->supervisor_lives > lives);
		fleet_wait(20000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != was && fleet_all_ok(&f));
	}
	fleet_wait(20000, fleet_all_ok(&f) && fleet_lives(fleet_pid(&f, "loop")) && spare(&f) && fleet_count_children(&f) == 4);
	fleet_end(&f);
}
END_TEST

START_TEST(spares_end_with_their_supervisor_and_the_next_makes_others)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	pid_t was = spare(&f), supervisor = fleet_supervisor(&f), loop = fleet_pid(&f, "loop");
	kill(supervisor, SIGKILL);
	fleet_wait(10000, fleet_supervisor(&f) && fleet_supervisor(&f) != supervisor);
	fleet_wait(10000, !fleet_lives(was));
	fleet_wait(10000, spare(&f) && spare(&f) != was);
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	ck_assert_uint_eq(fleet_count_children(&f), 4);
	pid_t next = spare(&f);
	kill(loop, SIGKILL);
	wait_for_next(&f, "loop", loop);
	ck_assert_int_eq(fleet_pid(&f, "loop"), next);
	fleet_end(&f);
}
END_TEST

START_TEST(without_supervisor_and_keeper_the_spares_leave_too)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	pid_t k = fleet_keeper(&f), s = fleet_supervisor(&f);
	kill(k, SIGSTOP);
	kill(s, SIGKILL);
	kill(k, SIGKILL);
	fleet_wait(10000, fleet_count_children(&f) == 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_clean_end_leaves_no_spare)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	pid_t was = spare(&f);
	kill(f.started, SIGTERM);
	ck_assert_int_eq(fleet_exit(&f), 0);
	ck_assert(!fleet_lives(was));
	ck_assert_uint_eq(fleet_count_children(&f), 0);
	fleet_end(&f);
}
END_TEST

START_TEST(spares_go_when_they_are_no_longer_wanted_and_come_when_they_are)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES);
	pid_t was = spare(&f);
	fleet_write(&f, FIXED LOOP);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	fleet_wait(10000, !fleet_lives(was) && !spare(&f));
	pid_t loop = fleet_pid(&f, "loop");
	kill(loop, SIGKILL);
	wait_for_next(&f, "loop", loop);
	ck_assert_uint_eq(warm_starts(&f, "loop"), 0);
	fleet_write(&f, FIXED LOOP SPARES);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	fleet_wait(10000, spare(&f));
	fleet_end(&f);
}
END_TEST

START_TEST(who_backs_off_takes_no_spare)
{
	struct fleet f;
	start(&f, FIXED LOOP SPARES "option backoff_first_ms 300ms\n");
	pid_t was = fleet_pid(&f, "loop");
	kill(was, SIGKILL);
	wait_for_next(&f, "loop", was);
	fleet_wait(10000, spare(&f));
	pid_t waiting = spare(&f);
	was = fleet_pid(&f, "loop");
	kill(was, SIGKILL); /* the second within the window */
	wait_for_next(&f, "loop", was);
	ck_assert_uint_eq(warm_starts(&f, "loop"), 1);
	ck_assert_int_eq(spare(&f), waiting);
	ck_assert(fleet_lives(waiting));
	fleet_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("spares");
	TCase *tc = tcase_create("spares");
	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, a_process_that_dies_is_followed_by_its_spare_and_another_is_made);
	tcase_add_test(tc, every_death_is_followed_warm_as_often_as_there_is_time_to_make_a_spare);
	tcase_add_test(tc, the_second_of_two_deaths_at_once_starts_cold);
	tcase_add_test(tc, a_process_that_is_only_stopped_is_not_followed);
	tcase_add_test(tc, a_spare_that_is_stopped_is_not_used);
	tcase_add_test(tc, a_spare_that_dies_is_made_anew_at_growing_intervals);
	tcase_add_test(tc, kills_during_the_hand_over_leave_one_process_that_is_well);
	tcase_add_test(tc, spares_end_with_their_supervisor_and_the_next_makes_others);
	tcase_add_test(tc, without_supervisor_and_keeper_the_spares_leave_too);
	tcase_add_test(tc, a_clean_end_leaves_no_spare);
	tcase_add_test(tc, spares_go_when_they_are_no_longer_wanted_and_come_when_they_are);
	tcase_add_test(tc, who_backs_off_takes_no_spare);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
