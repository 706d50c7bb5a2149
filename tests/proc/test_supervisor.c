/* test_supervisor.c - the real supervisor with processes that misbehave: restarts, hangs, requests, configurations */
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

#include "common/units.h"
#include "tests/lib/fleet.h"

/* proc NAME ROLE SLOT HANG_MS READY_MS OPTIONS LIVE START. Nobody looks at the file but when asked: else it may be taken twice. */
#define FIXED                                                                                      \
	"proc router 2 1 60000 60000 1 1 1\n"                                                         \
	"proc control 3 2 60000 60000 1 1 1\n"                                                        \
	"proc store 4 3 60000 60000 1 1 1\n"                                                          \
	"option watch no\n"
#define DESK "proc desk 5 4 60000 60000 1 1 1\n"
#define LOOP "proc loop 6 5 60000 60000 1 1 1\n"
#define NOBODY_GIVES_UP "option crash_limit 0\noption backoff_first_ms 0ms\n"

START_TEST(all_start_and_become_ok)
{
	struct fleet f;
	fleet_start(&f, FIXED DESK LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 0);
	ck_assert_uint_eq(f.head->keeper_pid, (uint32_t)f.started);
	ck_assert_int_eq(fleet_keeper(&f), f.started);
	fleet_end(&f);
}
END_TEST

START_TEST(a_killed_process_comes_back_at_once)
{
	struct fleet f;
	fleet_start(&f, FIXED DESK LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t pid = fleet_pid(&f, "loop");
	kill(pid, SIGKILL);
	fleet_wait(5000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != pid && fleet_is_ok(&f, "loop"));
	struct bh_proc_body b = fleet_proc(&f, "loop");
	ck_assert_uint_eq(b.restarts, 1);
	ck_assert_uint_eq(b.recent_failures, 1);
	ck_assert_int_eq(b.death[0].cause, BH_CAUSE_SIGNAL);
	ck_assert_int_eq(b.death[0].code, SIGKILL);
	ck_assert_uint_eq(b.death[0].pid, (uint32_t)pid);
	ck_assert_uint_gt(b.last_recovery_ns, 0);
	ck_assert_uint_eq(b.segment_epoch, 0);
	fleet_end(&f);
}
END_TEST

START_TEST(every_role_comes_back_and_the_others_stay)
{
	static const char *const names[] = {"router", "control", "store", "desk", "loop"};
	struct fleet f;
	pid_t before[5];
	fleet_start(&f, FIXED DESK LOOP NOBODY_GIVES_UP);
	fleet_wait(10000, fleet_all_ok(&f));
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 5; k++)
			before[k] = fleet_pid(&f, names[k]);
		kill(before[i], SIGKILL);
		fleet_wait(5000, fleet_pid(&f, names[i]) && fleet_pid(&f, names[i]) != before[i] && fleet_all_ok(&f));
		for (int k = 0; k < 5; k++)
			ck_assert_int_eq(k != i, fleet_pid(&f, names[k]) == before[k]);
	}
	fleet_end(&f);
}
END_TEST

START_TEST(a_crash_loop_ends_in_failed_with_its_cause_and_release_tries_again)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc crasher 6 5 60000 60000 1 1 1\noption backoff_first_ms 5ms\nproc loop 6 6 60000 60000 1 1 1\n");
	fleet_wait(10000, fleet_health(&f, "crasher") == BH_HEALTH_FAILED);
	struct bh_proc_body b = fleet_proc(&f, "crasher");
	ck_assert_uint_eq(b.restarts, 4);
	ck_assert_int_eq(b.death[0].cause, BH_CAUSE_SIGNAL);
	ck_assert_int_eq(b.death[0].code, SIGABRT);
	ck_assert_ptr_nonnull(strstr(b.health.reason, "5 failures"));
	ck_assert_ptr_nonnull(strstr(b.health.hint, "release crasher"));
	fleet_wait(10000, fleet_is_ok(&f, "loop"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 0);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELEASE, "crasher", 0, NULL, NULL, 0), 0);
	fleet_wait(10000, fleet_proc(&f, "crasher").restarts >= 9);
	fleet_wait(10000, fleet_health(&f, "crasher") == BH_HEALTH_FAILED);
	fleet_end(&f);
}
END_TEST

START_TEST(two_deaths_while_attaching_bring_fresh_segments)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc unborn 6 5 60000 60000 1 1 1\noption backoff_first_ms 5ms\n");
	fleet_wait(10000, fleet_health(&f, "unborn") == BH_HEALTH_FAILED);
	ck_assert_uint_eq(fleet_proc(&f, "unborn").segment_epoch, 2); /* five deaths: twice two */
	ck_assert_uint_eq(fleet_proc(&f, "router").restarts, 0);
	fleet_wait(5000, fleet_is_ok(&f, "router"));
	fleet_end(&f);
}
END_TEST

START_TEST(a_process_that_is_never_ready_is_ended_with_that_cause)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc late 6 5 60000 150 1 1 1\noption crash_limit 2\n");
	fleet_wait(15000, fleet_health(&f, "late") == BH_HEALTH_FAILED);
	ck_assert_int_eq(fleet_proc(&f, "late").death[0].cause, BH_CAUSE_NEVER_READY);
	fleet_end(&f);
}
END_TEST

START_TEST(a_process_that_owes_work_without_progress_is_called_hung_and_ended)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc deaf 6 5 300 60000 1 1 1\noption crash_limit 2\n");
	fleet_wait(20000, fleet_health(&f, "deaf") == BH_HEALTH_FAILED);
	struct bh_proc_body b = fleet_proc(&f, "deaf");
	ck_assert_int_eq(b.death[0].cause, BH_CAUSE_HANG);
	ck_assert_uint_eq(b.hangs, 2);
	ck_assert_uint_eq(fleet_proc(&f, "router").restarts, 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_stopped_process_is_shown_as_stopped_and_left_alone)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc sluggish 6 5 2000 60000 1 1 1\n" DESK);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t pid = fleet_pid(&f, "sluggish");
	kill(pid, SIGSTOP);
	kill(fleet_pid(&f, "desk"), SIGKILL); /* its return makes work for all */
	fleet_wait(10000, fleet_health(&f, "sluggish") == BH_HEALTH_DEGRADED);
	ck_assert_str_eq(fleet_proc(&f, "sluggish").health.reason, "stopped");
	/* Longer than a hang would take. */
	uint64_t until = fleet_now_ms() + 4000;
	while (fleet_now_ms() < until) {
		ck_assert_int_eq(fleet_pid(&f, "sluggish"), pid);
		fleet_pause();
	}
	/* Nor does that time count once it goes on: it has not come to its work yet. */
	kill(pid, SIGCONT);
	for (until = fleet_now_ms() + 1000; fleet_now_ms() < until; fleet_pause())
		ck_assert_int_eq(fleet_pid(&f, "sluggish"), pid);
	fleet_wait(5000, fleet_is_ok(&f, "sluggish"));
	ck_assert_int_eq(fleet_pid(&f, "sluggish"), pid);
	ck_assert_uint_eq(fleet_proc(&f, "sluggish").hangs, 0);
	fleet_end(&f);
}
END_TEST

/* Not killed: it goes on, hears it and leaves. Again and again, for a moment is looked for in which this goes wrong. */
START_TEST(a_stopped_process_leaves_when_it_is_asked)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc sluggish 6 5 2000 60000 1 1 1\noption stop_ms 60s\n" DESK NOBODY_GIVES_UP);
	fleet_wait(10000, fleet_all_ok(&f));
	for (int i = 0; i < 5; i++) {
		kill(fleet_pid(&f, "sluggish"), SIGSTOP);
		kill(fleet_pid(&f, "desk"), SIGKILL); /* its return makes work for all */
		fleet_wait(10000, fleet_health(&f, "sluggish") == BH_HEALTH_DEGRADED);
		if (i % 2) /* it goes on, and the supervisor does not know yet */
			kill(fleet_pid(&f, "sluggish"), SIGCONT);
		ck_assert_int_eq(fleet_ask(&f, BH_REQ_STOP, "sluggish", 0, NULL, NULL, 0), 0);
		fleet_wait(10000, fleet_health(&f, "sluggish") == BH_HEALTH_STOPPED && !fleet_pid(&f, "sluggish"));
		ck_assert_int_ne(fleet_proc(&f, "sluggish").death[0].cause, BH_CAUSE_SIGNAL);
		ck_assert_int_eq(fleet_ask(&f, BH_REQ_START, "sluggish", 0, NULL, NULL, 0), 0);
		fleet_wait(10000, fleet_all_ok(&f));
	}
	fleet_end(&f);
}
END_TEST

START_TEST(hold_release_stop_start_restart_and_kill_do_what_they_say)
{
	struct fleet f;
	char text[500];
	fleet_start(&f, FIXED LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_HOLD, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_health(&f, "loop") == BH_HEALTH_HELD && !fleet_pid(&f, "loop"));
	ck_assert_int_lt(fleet_ask(&f, BH_REQ_RESTART, "loop", 0, NULL, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "held"));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELEASE, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "loop"));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_STOP, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_health(&f, "loop") == BH_HEALTH_STOPPED && !fleet_pid(&f, "loop"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").wanted, 0);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_START, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "loop"));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_START, "loop", 0, NULL, NULL, 0), -EALREADY);
	pid_t pid = fleet_pid(&f, "loop");
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RESTART, "loop", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != pid && fleet_is_ok(&f, "loop"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").recent_failures, 0);
	pid = fleet_pid(&f, "loop");
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_KILL, "loop", SIGABRT, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != pid && fleet_is_ok(&f, "loop"));
	ck_assert_int_eq(fleet_proc(&f, "loop").death[0].code, SIGABRT);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_KILL, "loop", 99, NULL, NULL, 0), -EINVAL);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_START, "nobody", 0, NULL, NULL, 0), -ENOENT);
	fleet_end(&f);
}
END_TEST

START_TEST(bh_control_passes_the_answer_on_before_it_is_restarted_itself)
{
	struct fleet f;
	fleet_start(&f, FIXED);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t pid = fleet_pid(&f, "control");
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RESTART, "control", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_pid(&f, "control") && fleet_pid(&f, "control") != pid && fleet_is_ok(&f, "control"));
	fleet_end(&f);
}
END_TEST

START_TEST(who_does_not_leave_when_asked_is_killed)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc stubborn 6 5 60000 60000 1 1 1\noption stop_ms 100ms\n");
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_STOP, "stubborn", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_health(&f, "stubborn") == BH_HEALTH_STOPPED && !fleet_pid(&f, "stubborn"));
	ck_assert_int_eq(fleet_proc(&f, "stubborn").death[0].code, SIGKILL);
	fleet_end(&f);
}
END_TEST

START_TEST(a_process_not_wanted_at_the_start_waits_for_a_person)
{
	struct fleet f;
	fleet_start(&f, FIXED LOOP "proc spare 6 6 60000 60000 1 1 0\n");
	fleet_wait(10000, fleet_is_ok(&f, "loop"));
	fleet_wait(10000, fleet_health(&f, "spare") == BH_HEALTH_STOPPED);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_START, "spare", 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "spare"));
	fleet_end(&f);
}
END_TEST

START_TEST(a_reload_starts_the_new_stops_the_removed_and_restarts_what_changed)
{
	struct fleet f;
	fleet_start(&f, FIXED LOOP DESK "proc old 6 6 60000 60000 1 1 1\n");
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t router = fleet_pid(&f, "router"), loop = fleet_pid(&f, "loop"), desk = fleet_pid(&f, "desk"),
	      old = fleet_pid(&f, "old");
	/* loop's options need a restart, desk's do not; old goes, new comes in its very slot */
	fleet_write(&f, FIXED "proc loop 6 5 60000 60000 2 2 1\nproc desk 5 4 60000 60000 2 1 1\nproc new 6 6 60000 60000 1 1 1\n");
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "new"));
	fleet_wait(5000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != loop && fleet_is_ok(&f, "loop"));
	ck_assert_int_eq(fleet_proc(&f, "old").role, BH_ROLE_NONE);
	ck_assert(!fleet_lives(old));
	ck_assert_int_eq(fleet_pid(&f, "router"), router);
	ck_assert_int_eq(fleet_pid(&f, "desk"), desk);
	ck_assert_uint_eq(f.head->config_generation, 1);
	fleet_end(&f);
}
END_TEST

START_TEST(a_broken_configuration_replaces_nothing_and_the_answer_says_why)
{
	struct fleet f;
	char text[9000], broken[2100];
	fleet_start(&f, FIXED LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t loop = fleet_pid(&f, "loop");
	strcpy(broken, "error ");
	memset(broken + 6, 'x', 390);
	strcpy(broken + 396, "the end\n");
	fleet_write(&f, broken);
	ck_assert_int_lt(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "fleet.conf:1:1: xxx"));
	ck_assert_uint_gt(strlen(text), 400);
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	ck_assert_uint_eq(f.head->config_generation, 0);
	/* and it is none the worse for it */
	fleet_write(&f, FIXED LOOP DESK);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, f.config, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "desk"));
	fleet_end(&f);
}
END_TEST

START_TEST(a_configuration_that_one_process_refuses_is_taken_by_nobody)
{
	struct fleet f;
	char text[500];
	fleet_start(&f, FIXED "proc picky 6 5 60000 60000 1 1 1\n");
	fleet_wait(10000, fleet_all_ok(&f));
	fleet_write(&f, FIXED "proc picky 6 5 60000 60000 2 1 1\n" DESK);
	ck_assert_int_lt(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "picky refuses it: it tastes bad"));
	ck_assert_int_eq(fleet_proc(&f, "desk").role, BH_ROLE_NONE);
	ck_assert_uint_eq(f.head->config_generation, 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_configuration_that_crashes_its_reader_twice_is_taken_back)
{
	struct fleet f;
	fleet_start(&f, FIXED "proc brittle 6 5 60000 60000 1 1 1\n");
	fleet_wait(10000, fleet_all_ok(&f));
	pid_t pid = fleet_pid(&f, "brittle");
	fleet_write(&f, FIXED "proc brittle 6 5 60000 60000 66 66 1\n" DESK);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	/* taken into use, and taken back: that counts as two */
	fleet_wait(10000, f.head->config_generation == 2);
	fleet_wait(10000, fleet_is_ok(&f, "brittle"));
	fleet_wait(5000, fleet_proc(&f, "desk").role == BH_ROLE_NONE);
	ck_assert_int_ne(fleet_pid(&f, "brittle"), pid);
	ck_assert_int_eq(fleet_proc(&f, "brittle").death[1].code, SIGABRT);
	fleet_end(&f);
}
END_TEST

START_TEST(sighup_reads_the_configuration_anew)
{
	struct fleet f;
	fleet_start(&f, FIXED LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	fleet_write(&f, FIXED LOOP DESK);
	kill(f.started, SIGHUP);
	fleet_wait(5000, fleet_is_ok(&f, "desk"));
	fleet_end(&f);
}
END_TEST

/* What the keeper that we start says on standard error, and its exit status. */
static int
start_and_read(struct fleet *f, char *text, size_t cap)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/stderr", f->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t first = f->started;
	f->started = fleet_launch(f, fd);
	int status = fleet_exit(f);
	ssize_t n = pread(fd, text, cap - 1, 0);
	text[n > 0 ? n : 0] = 0;
	close(fd);
	f->started = first;
	return status;
}

START_TEST(a_wrong_first_configuration_ends_with_5_and_its_text)
{
	struct fleet f;
	char text[2000];
	fleet_init(&f, "error no such driver; did you mean loop?\n");
	ck_assert_int_eq(start_and_read(&f, text, sizeof(text)), 5);
	ck_assert_ptr_nonnull(strstr(text, "fleet.conf:1:1: no such driver; did you mean loop?"));
	ck_assert_int_eq(fleet_keeper(&f), 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_second_pipeline_in_the_same_folder_is_refused)
{
	struct fleet f;
	char text[2000], pid[32];
	fleet_start(&f, FIXED LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(start_and_read(&f, text, sizeof(text)), 2);
	snprintf(pid, sizeof(pid), "keeper %d", (int)f.started);
	ck_assert_ptr_nonnull(strstr(text, "running already"));
	ck_assert_ptr_nonnull(strstr(text, pid));
	ck_assert(fleet_all_ok(&f));
	fleet_end(&f);
}
END_TEST

START_TEST(a_clean_end_leaves_nothing_behind)
{
	struct fleet f;
	pid_t pid[4];
	fleet_start(&f, FIXED LOOP DESK);
	fleet_wait(10000, fleet_all_ok(&f));
	static const char *const names[] = {"router", "store", "desk", "loop"};
	for (int i = 0; i < 4; i++)
		pid[i] = fleet_pid(&f, names[i]);
	kill(f.started, _i ? SIGINT : SIGTERM);
	ck_assert_int_eq(fleet_exit(&f), 0);
	for (int i = 0; i < 4; i++)
		ck_assert(!fleet_lives(pid[i]));
	ck_assert_int_eq(fleet_keeper(&f), 0); /* no pid file */
	/* surfaces leave first, the store after the router */
	struct bh_proc_body desk = fleet_proc(&f, "desk"), loop = fleet_proc(&f, "loop"), router = fleet_proc(&f, "router"),
			    store = fleet_proc(&f, "store");
	ck_assert_uint_lt(desk.death[0].time_ns, loop.death[0].time_ns);
	ck_assert_uint_lt(loop.death[0].time_ns, router.death[0].time_ns);
	ck_assert_uint_lt(router.death[0].time_ns, store.death[0].time_ns);
	fleet_end(&f);
}
END_TEST

START_TEST(quit_is_answered_before_everything_ends)
{
	struct fleet f;
	fleet_start(&f, FIXED LOOP);
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_QUIT, NULL, 0, NULL, NULL, 0), 0);
	ck_assert_int_eq(fleet_exit(&f), 0);
	fleet_end(&f);
}
END_TEST

static bool
link_is(const char *link, const char *what)
{
	char target[160] = ""; /* readlink() ends nothing with a NUL: a shorter answer must not keep a longer one's tail */
	return readlink(link, target, sizeof(target) - 1) > 0 && !strcmp(target, what);
}

START_TEST(the_log_is_rotated_and_everybody_writes_to_the_new_one)
{
	struct fleet f;
	char config[600], path[128], old[136];
	struct stat st;
	fleet_start(&f, FIXED);
	snprintf(config, sizeof(config), FIXED LOOP NOBODY_GIVES_UP "option log_dir %s/log\noption log_max_bytes 4k\noption log_keep 2\n",
		 f.dir);
	fleet_write(&f, config);
	ck_assert_int_eq(fleet_ask(&f, BH_REQ_RELOAD, NULL, 0, NULL, NULL, 0), 0);
	fleet_wait(5000, fleet_is_ok(&f, "loop"));
	snprintf(path, sizeof(path), "%s/log/bulkhead.log", f.dir);
	snprintf(old, sizeof(old), "%s.1", path);
	ck_assert_int_eq(stat(path, &st), 0);
	for (int i = 0; stat(old, &st) < 0 && i < 200; i++) {
		pid_t pid = fleet_pid(&f, "loop");
		kill(pid, SIGKILL);
		fleet_wait(5000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != pid && fleet_is_ok(&f, "loop"));
	}
	fleet_wait(5000, stat(old, &st) == 0);
	/* the router has been there all the time: its standard error is the new file */
	char link[160];
	snprintf(link, sizeof(link), "/proc/%d/fd/2", (int)fleet_pid(&f, "router"));
	fleet_wait(5000, link_is(link, path));
	fleet_end(&f);
}
END_TEST

static uint64_t
switches(pid_t pid)
{
	char path[64], line[256];
	unsigned long n = 0, total = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
			total += n;
	fclose(f);
	return total;
}

START_TEST(nothing_wakes_an_idle_supervisor_or_keeper)
{
	struct fleet f;
	fleet_start(&f, FIXED LOOP DESK);
	fleet_wait(10000, fleet_all_ok(&f));
	/* A whole second without a wake-up of either has to come within ten. */
	bool quiet = false;
	for (int i = 0; i < 10 && !quiet; i++) {
		pid_t s = fleet_supervisor(&f);
		uint64_t before = switches(s) + switches(f.started), until = fleet_now_ms() + 1000;
		while (fleet_now_ms() < until)
			fleet_pause();
		quiet = switches(s) + switches(f.started) == before;
	}
	ck_assert(quiet);
	fleet_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, all_start_and_become_ok);
	tcase_add_test(tc, a_killed_process_comes_back_at_once);
	tcase_add_test(tc, every_role_comes_back_and_the_others_stay);
	tcase_add_test(tc, a_crash_loop_ends_in_failed_with_its_cause_and_release_tries_again);
	tcase_add_test(tc, two_deaths_while_attaching_bring_fresh_segments);
	tcase_add_test(tc, a_process_that_is_never_ready_is_ended_with_that_cause);
	tcase_add_test(tc, a_process_that_owes_work_without_progress_is_called_hung_and_ended);
	tcase_add_test(tc, a_stopped_process_is_shown_as_stopped_and_left_alone);
	tcase_add_test(tc, a_stopped_process_leaves_when_it_is_asked);
	tcase_add_test(tc, hold_release_stop_start_restart_and_kill_do_what_they_say);
	tcase_add_test(tc, bh_control_passes_the_answer_on_before_it_is_restarted_itself);
	tcase_add_test(tc, who_does_not_leave_when_asked_is_killed);
	tcase_add_test(tc, a_process_not_wanted_at_the_start_waits_for_a_person);
	tcase_add_test(tc, a_reload_starts_the_new_stops_the_removed_and_restarts_what_changed);
	tcase_add_test(tc, a_broken_configuration_replaces_nothing_and_the_answer_says_why);
	tcase_add_test(tc, a_configuration_that_one_process_refuses_is_taken_by_nobody);
	tcase_add_test(tc, a_configuration_that_crashes_its_reader_twice_is_taken_back);
	tcase_add_test(tc, sighup_reads_the_configuration_anew);
	tcase_add_test(tc, a_wrong_first_configuration_ends_with_5_and_its_text);
	tcase_add_test(tc, a_second_pipeline_in_the_same_folder_is_refused);
	tcase_add_loop_test(tc, a_clean_end_leaves_nothing_behind, 0, 2);
	tcase_add_test(tc, quit_is_answered_before_everything_ends);
	tcase_add_test(tc, the_log_is_rotated_and_everybody_writes_to_the_new_one);
	tcase_add_test(tc, nothing_wakes_an_idle_supervisor_or_keeper);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
