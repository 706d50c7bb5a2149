/* test_keeper.c - supervisor and keeper die, in every order, and the processes go on */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/units.h"
#include "tests/lib/fleet.h"

#define FLEET                                                                                      \
	"proc router 2 1 60000 60000 1 1 1\n"                                                         \
	"proc control 3 2 60000 60000 1 1 1\n"                                                        \
	"proc store 4 3 60000 60000 1 1 1\n"                                                          \
	"proc desk 5 4 60000 60000 1 1 1\n"                                                           \
	"proc loop 6 5 60000 60000 1 1 1\n"                                                           \
	"option crash_limit 0\noption backoff_first_ms 0ms\n"

static const char *const names[] = {"router", "control", "store", "desk", "loop"};
#define NAMES 5

static void
remember(struct fleet *f, pid_t *pid)
{
	for (int i = 0; i < NAMES; i++)
		pid[i] = fleet_pid(f, names[i]);
}

static void
expect_untouched(struct fleet *f, const pid_t *pid)
{
	for (int i = 0; i < NAMES; i++) {
		ck_assert_int_eq(fleet_pid(f, names[i]), pid[i]);
		ck_assert(fleet_lives(pid[i]));
		ck_assert_uint_eq(fleet_proc(f, names[i]).restarts, 0);
	}
}

static void
kill_supervisor(struct fleet *f)
{
	pid_t s = fleet_supervisor(f);
	uint32_t lives = f->head->supervisor_lives;
	kill(s, SIGKILL);
	fleet_wait(10000, f->head->supervisor_lives == lives + 1 && fleet_supervisor(f) != s && fleet_supervisor(f));
}

static void
kill_keeper(struct fleet *f)
{
	pid_t k = fleet_keeper(f);
	uint32_t lives = f->head->keeper_lives;
	kill(k, SIGKILL);
	fleet_wait(10000, f->head->keeper_lives == lives + 1 && fleet_keeper(f) != k && fleet_keeper(f));
}

static void
expect_restart(struct fleet *f, const char *name, uint32_t restarts)
{
	pid_t pid = fleet_pid(f, name);
	ck_assert_int_gt(pid, 0);
	kill(pid, SIGKILL);
	fleet_wait(10000, fleet_pid(f, name) && fleet_pid(f, name) != pid && fleet_is_ok(f, name));
	ck_assert_uint_eq(fleet_proc(f, name).restarts, restarts);
}

START_TEST(killing_the_supervisor_restarts_nothing)
{
	struct fleet f;
	pid_t pid[NAMES];
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	remember(&f, pid);
	kill_supervisor(&f);
	fleet_wait(5000, fleet_all_ok(&f));
	expect_untouched(&f, pid);
	ck_assert_int_eq(fleet_keeper(&f), f.started);
	fleet_end(&f);
}
END_TEST

START_TEST(the_next_supervisor_restarts_who_dies_under_it_and_answers_requests)
{
	struct fleet f;
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	kill_supervisor(&f);
	expect_restart(&f, "loop", 1);
	/* the keeper had become its parent: the cause is not lost */
	fleet_wait(5000, fleet_proc(&f, "loop").death[0].cause == BH_CAUSE_SIGNAL);
	ck_assert_int_eq(fleet_proc(&f, "loop").death[0].code, SIGKILL);
	expect_restart(&f, "router", 1);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_HOLD, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_health(&f, "loop") == BH_HEALTH_HELD);
	/* a wish outlives the supervisor that was told it */
	kill_supervisor(&f);
	ck_assert_int_eq(fleet_health(&f, "loop"), BH_HEALTH_HELD);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELEASE, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "loop"));
	fleet_end(&f);
}
END_TEST

START_TEST(who_died_while_there_was_no_supervisor_is_restarted_by_the_next)
{
	struct fleet f;
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t loop = fleet_pid(&f, "loop"), desk = fleet_pid(&f, "desk");
	kill(fleet_supervisor(&f), SIGSTOP);
	kill(loop, SIGKILL);
	fleet_wait(5000, !fleet_lives(loop));
	kill_supervisor(&f);
	fleet_wait(10000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != loop && fleet_is_ok(&f, "loop"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 1);
	ck_assert_int_eq(fleet_pid(&f, "desk"), desk);
	fleet_end(&f);
}
END_TEST

START_TEST(killing_the_keeper_brings_another_that_has_everything)
{
	struct fleet f;
	pid_t pid[NAMES];
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	remember(&f, pid);
	pid_t supervisor = fleet_supervisor(&f);
	kill_keeper(&f);
	ck_assert_int_eq(fleet_supervisor(&f), supervisor);
	expect_untouched(&f, pid);
	kill_supervisor(&f);
	fleet_wait(5000, fleet_all_ok(&f));
	expect_untouched(&f, pid);
	expect_restart(&f, "desk", 1);
	fleet_end(&f);
}
END_TEST

START_TEST(supervisor_and_keeper_die_in_turns)
{
	struct fleet f;
	pid_t pid[NAMES];
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	remember(&f, pid);
	for (int i = 0; i < 20; i++)
		if (i % 3 == 2)
			kill_keeper(&f);
		else
			kill_supervisor(&f);
	fleet_wait(5000, fleet_all_ok(&f));
	expect_untouched(&f, pid);
	expect_restart(&f, "router", 1);
	fleet_end(&f);
}
END_TEST

/* At whatever moment of the supervisor's work the kill comes: the fleet comes to rest well. */
START_TEST(a_supervisor_killed_while_it_restarts_somebody_leaves_no_mess)
{
	struct fleet f;
	unsigned seed = 1;
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	for (int i = 0; i < 25; i++) {
		const char *name = names[rand_r(&seed) % NAMES];
		/* By the table: the file of pids may still name the one before. */
		uint32_t lives = __atomic_load_n(&f.head->supervisor_lives, __ATOMIC_ACQUIRE);
		pid_t victim = fleet_pid(&f, name), s = (pid_t)f.head->supervisor_pid;
		struct timespec ts = {.tv_nsec = rand_r(&seed) % 6000000};
		if (victim > 0)
			kill(victim, SIGKILL);
		nanosleep(&ts, NULL); /* not to wait for anything: to hit another moment each time */
		if (s > 0)
			kill(s, SIGKILL);
		fleet_wait(10000, f.head->supervisor_lives > lives);
		/* Another one, and ok: the next supervisor may not have noticed yet who is dead. */
		fleet_wait(10000, fleet_pid(&f, name) && fleet_pid(&f, name) != victim && fleet_all_ok(&f));
	}
	/* nobody runs twice */
	for (int i = 0; i < NAMES; i++)
		fleet_wait(10000, fleet_lives(fleet_pid(&f, names[i])));
	/* A child of a supervisor that died before it could tell of it finds nobody, and leaves. */
	fleet_wait(10000, fleet_count_children(&f) == NAMES);
	fleet_end(&f);
}
END_TEST

START_TEST(without_supervisor_and_keeper_the_orphans_leave_within_a_second)
{
	struct fleet f;
	pid_t pid[NAMES];
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	remember(&f, pid);
	pid_t k = fleet_keeper(&f), s = fleet_supervisor(&f);
	kill(k, SIGSTOP); /* so that neither sees the other die */
	kill(s, SIGKILL);
	kill(k, SIGKILL);
	unsigned turns = 0;
	for (int i = 0; i < NAMES; i++)
		for (; fleet_lives(pid[i]); turns++) {
			ck_assert_uint_lt(turns, second_in_turns(2000));
			fleet_pause();
		}
	/* and the folder is free for the next start */
	struct fleet next = f;
	next.started = fleet_launch(&f, -1);
	fleet_wait(10000, fleet_keeper(&f) == next.started);
	f.entries = NULL;
	fleet_end(&f);
}
END_TEST

START_TEST(signals_to_the_keeper_reach_the_supervisor_even_after_a_takeover)
{
	struct fleet f;
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t loop = fleet_pid(&f, "loop");
	kill_keeper(&f);
	pid_t k = fleet_keeper(&f), s = fleet_supervisor(&f);
	kill(k, SIGTERM);
	fleet_wait(10000, !fleet_lives(loop) && !fleet_lives(s) && !fleet_lives(k));
	ck_assert_int_eq(fleet_keeper(&f), 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_restart_of_the_supervisor_by_request_costs_nobody_anything)
{
	struct fleet f;
	pid_t pid[NAMES];
	fleet_start(&f, FLEET);
	fleet_wait(10000, fleet_all_ok(&f));
	remember(&f, pid);
	pid_t s = fleet_supervisor(&f);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RESTART, "supervisor", 0, NULL, NULL, 0), 0);
	fleet_wait(10000, fleet_supervisor(&f) && fleet_supervisor(&f) != s);
	fleet_wait(10000, fleet_all_ok(&f));
	expect_untouched(&f, pid);
	fleet_end(&f);
}
END_TEST

/* Does systemd hear a line that begins like this? */
static bool
hears(int fd, const char *line)
{
	char text[400];
	uint64_t until = fleet_now_ms() + PATIENCE_MS;
	while (fleet_now_ms() < until) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		if (n < 0) {
			fleet_pause();
			continue;
		}
		text[n] = 0;
		if (!strncmp(text, line, strlen(line)))
			return true;
	}
	return false;
}

START_TEST(systemd_hears_of_the_start_of_a_new_main_process_and_of_the_end)
{
	struct fleet f;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char line[40];
	fleet_init(&f, FLEET);
	snprintf(f.notify, sizeof(f.notify), "%s/notify", f.dir);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", f.notify);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	f.started = fleet_launch(&f, -1);
	ck_assert(hears(fd, "READY=1"));
	kill(f.started, SIGKILL);
	fleet_wait(5000, fleet_keeper(&f) && fleet_keeper(&f) != f.started);
	snprintf(line, sizeof(line), "MAINPID=%d", (int)fleet_keeper(&f));
	ck_assert(hears(fd, line));
	pid_t k = fleet_keeper(&f);
	kill(k, SIGTERM);
	ck_assert(hears(fd, "STOPPING=1"));
	fleet_wait(10000, !fleet_lives(k) && fleet_count_children(&f) == 0);
	close(fd);
	fleet_end(&f);
}
END_TEST

START_TEST(the_failure_count_survives_the_supervisor)
{
	struct fleet f;
	fleet_start(&f, "proc router 2 1 60000 60000 1 1 1\nproc loop 6 5 60000 60000 1 1 1\noption crash_limit 3\n"
			"option backoff_first_ms 1ms\n");
	fleet_wait(10000, fleet_all_ok(&f));
	expect_restart(&f, "loop", 1);
	expect_restart(&f, "loop", 2);
	kill_supervisor(&f);
	ck_assert_uint_eq(fleet_proc(&f, "loop").recent_failures, 2);
	kill(fleet_pid(&f, "loop"), SIGKILL);
	fleet_wait(5000, fleet_health(&f, "loop") == BH_HEALTH_FAILED);
	fleet_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keeper");
	TCase *tc = tcase_create("keeper");
	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, killing_the_supervisor_restarts_nothing);
	tcase_add_test(tc, the_next_supervisor_restarts_who_dies_under_it_and_answers_requests);
	tcase_add_test(tc, who_died_while_there_was_no_supervisor_is_restarted_by_the_next);
	tcase_add_test(tc, killing_the_keeper_brings_another_that_has_everything);
	tcase_add_test(tc, supervisor_and_keeper_die_in_turns);
	tcase_add_test(tc, a_supervisor_killed_while_it_restarts_somebody_leaves_no_mess);
	tcase_add_test(tc, without_supervisor_and_keeper_the_orphans_leave_within_a_second);
	tcase_add_test(tc, signals_to_the_keeper_reach_the_supervisor_even_after_a_takeover);
	tcase_add_test(tc, a_restart_of_the_supervisor_by_request_costs_nobody_anything);
	tcase_add_test(tc, systemd_hears_of_the_start_of_a_new_main_process_and_of_the_end);
	tcase_add_test(tc, the_failure_count_survives_the_supervisor);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
