/* test_upgrade.c - programs are replaced while they run: by good ones, by bad ones, and by those that show it late */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/units.h"
#include "tests/lib/fleet.h"
#include "tests/lib/scratch.h"

#define READY_MS "60000"
#define FLEET(ready_ms)                                                                            \
	"proc router 2 1 60000 60000 1 1 1\n"                                                         \
	"proc control 3 2 60000 60000 1 1 1\n"                                                        \
	"proc desk 5 4 60000 60000 1 1 1\n"                                                           \
	"proc loop 6 5 60000 " ready_ms " 1 1 1\n"                                                    \
	"option watch no\n"

static char folder[128]; /* programs of our own */

static void
program(const char *name, char path[300])
{
	snprintf(path, 300, "%s/tests/fleet/%s", folder, name);
}

/* A copy, with more behind its end. The old file stays for those who have it open. */
static void
copy(const char *from, const char *to, const char *more)
{
	char part[320], buf[65536];
	size_t n;
	snprintf(part, sizeof(part), "%s.new", to);
	FILE *in = fopen(from, "re"), *out = fopen(part, "we");
	ck_assert(in && out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		ck_assert_uint_eq(fwrite(buf, 1, n, out), n);
	fputs(more, out);
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(part, 0755), 0);
	ck_assert_int_eq(rename(part, to), 0);
}

static void
replace(const char *name, const char *more)
{
	char from[4200], to[300];
	snprintf(from, sizeof(from), "%s/../tests/fleet/%s", getenv("BH_REAL_BIN"), name);
	program(name, to);
	copy(from, to, more);
}

static void
replace_by_script(const char *name, const char *text)
{
	char path[300];
	program(name, path);
	copy("/dev/null", path, text);
}

static void
setup(void)
{
	static const char *const programs[] = {"bh-keeper", "bh-supervisor", "bh-child", "bh-config"};
	char path[300];
	setenv("BH_REAL_BIN", getenv("BH_BIN") ? getenv("BH_BIN") : "build/dev/bin", 1);
	scratch_dir(folder, sizeof(folder), "programs");
	static const char *const parts[] = {"bin", "tests", "tests/fleet"};
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		replace(programs[i], "");
	snprintf(path, sizeof(path), "%s/bin", folder);
	setenv("BH_BIN", path, 1);
}

static void
teardown(void)
{
	ck_assert_int_eq(scratch_remove(folder), 0);
}

/* Does the process run the file that stands there now? */
static bool
runs_new(pid_t pid, const char *name)
{
	char exe[64], path[300];
	struct stat a, b;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	program(name, path);
	ck_assert_int_eq(stat(path, &b), 0);
	return stat(exe, &a) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int
upgrade(struct fleet *f, const char *name, char *text, size_t cap)
{
	return fleet_ask(f, BH_REQ_RESTART, name, 1, NULL, text, cap);
}

static void
begin(struct fleet *f, const char *config)
{
	fleet_start(f, config);
	fleet_wait(10000, fleet_all_ok(f));
}

START_TEST(a_good_program_takes_over_and_nobody_else_notices)
{
	struct fleet f;
	char text[300];
	begin(&f, FLEET(READY_MS));
	pid_t loop = fleet_pid(&f, "loop"), router = fleet_pid(&f, "router");
	replace("bh-child", "newer!!\n");
	ck_assert_int_eq(upgrade(&f, "loop", text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, "has taken over"), "%s", text);
	fleet_wait(10000, fleet_is_ok(&f, "loop"));
	ck_assert_int_ne(fleet_pid(&f, "loop"), loop);
	ck_assert(runs_new(fleet_pid(&f, "loop"), "bh-child"));
	ck_assert(!fleet_lives(loop));
	ck_assert_int_eq(fleet_pid(&f, "router"), router);
	ck_assert_uint_eq(fleet_proc(&f, "loop").recent_failures, 0);
	ck_assert_uint_eq(fleet_count_children(&f), 4);
	/* The others one after the other, the one that carries the wish last. */
	ck_assert_int_eq(upgrade(&f, "router", NULL, 0), 0);
	ck_assert_int_eq(upgrade(&f, "desk", NULL, 0), 0);
	pid_t control = fleet_pid(&f, "control");
	ck_assert_int_eq(upgrade(&f, "control", NULL, 0), 0);
	fleet_wait(10000, fleet_pid(&f, "control") && fleet_pid(&f, "control") != control && fleet_all_ok(&f));
	ck_assert(runs_new(fleet_pid(&f, "router"), "bh-child") && runs_new(fleet_pid(&f, "desk"), "bh-child"));
	ck_assert(runs_new(fleet_pid(&f, "control"), "bh-child"));
	fleet_end(&f);
}
END_TEST

START_TEST(a_program_that_ends_at_once_costs_nothing)
{
	struct fleet f;
	char text[300];
	begin(&f, FLEET(READY_MS));
	pid_t loop = fleet_pid(&f, "loop");
	replace_by_script("bh-child", "#!/bin/sh\nexit 3\n");
	ck_assert_int_lt(upgrade(&f, "loop", text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, "the old one goes on"), "%s", text);
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	ck_assert(fleet_lives(loop) && fleet_is_ok(&f, "loop"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").restarts, 0);
	fleet_end(&f);
}
END_TEST

START_TEST(a_program_that_is_never_ready_costs_nothing)
{
	struct fleet f;
	char text[300];
	begin(&f, FLEET("2000"));
	pid_t loop = fleet_pid(&f, "loop");
	replace_by_script("bh-child", "#!/bin/sh\nexec sleep 1000\n");
	ck_assert_int_lt(upgrade(&f, "loop", text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, "not ready in time"), "%s", text);
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	ck_assert(fleet_lives(loop) && fleet_is_ok(&f, "loop"));
	/* And it can be tried again. */
	replace("bh-child", "newer!!\n");
	fleet_wait(10000, upgrade(&f, "loop", NULL, 0) == 0); /* two seconds may be too short for a good one, too */
	ck_assert(runs_new(fleet_pid(&f, "loop"), "bh-child"));
	fleet_end(&f);
}
END_TEST

/* It waits well, and shows what it is when it is told who it is. */
static void
goes_back(const char *ready, const char *what)
{
	struct fleet f;
	char text[300];
	begin(&f, ready);
	pid_t loop = fleet_pid(&f, "loop");
	replace("bh-child", what);
	ck_assert_int_lt(upgrade(&f, "loop", text, sizeof(text)), 0);
	ck_assert_msg(strstr(text, "back to the old one"), "%s", text);
	fleet_wait(10000, fleet_is_ok(&f, "loop"));
	ck_assert_int_ne(fleet_pid(&f, "loop"), loop);
	ck_assert(!runs_new(fleet_pid(&f, "loop"), "bh-child"));
	/* Also after the next death, and under the next supervisor. */
	pid_t supervisor = fleet_supervisor(&f);
	kill(supervisor, SIGKILL);
	fleet_wait(10000, fleet_supervisor(&f) && fleet_supervisor(&f) != supervisor);
	loop = fleet_pid(&f, "loop");
	kill(loop, SIGKILL);
	fleet_wait(10000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != loop && fleet_is_ok(&f, "loop"));
	ck_assert(!runs_new(fleet_pid(&f, "loop"), "bh-child"));
	/* Until there is a better one. */
	replace("bh-child", "better!\n");
	fleet_wait(10000, upgrade(&f, "loop", NULL, 0) == 0);
	ck_assert(runs_new(fleet_pid(&f, "loop"), "bh-child"));
	fleet_end(&f);
}

START_TEST(a_program_that_dies_once_it_knows_who_it_is_is_replaced_by_the_old_one)
{
	goes_back(FLEET(READY_MS), "abort!!\n");
}
END_TEST

START_TEST(a_program_that_waits_well_and_is_never_ready_is_replaced_by_the_old_one)
{
	goes_back(FLEET("2000"), "sleep!!\n");
}
END_TEST

START_TEST(the_supervisor_is_upgraded_and_nobody_notices)
{
	struct fleet f;
	begin(&f, FLEET(READY_MS));
	pid_t supervisor = fleet_supervisor(&f), loop = fleet_pid(&f, "loop");
	replace("bh-supervisor", "newer!!\n");
	fleet_wait(10000, upgrade(&f, "supervisor", NULL, 0) == 0);
	fleet_wait(10000, fleet_supervisor(&f) && fleet_supervisor(&f) != supervisor);
	ck_assert(runs_new(fleet_supervisor(&f), "bh-supervisor"));
	fleet_wait(10000, fleet_all_ok(&f));
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	fleet_end(&f);
}
END_TEST

static void
supervisor_stays(const char *script)
{
	struct fleet f;
	begin(&f, FLEET(READY_MS));
	pid_t supervisor = fleet_supervisor(&f);
	replace_by_script("bh-supervisor", script);
	ck_assert_int_lt(upgrade(&f, "supervisor", NULL, 0), 0);
	ck_assert_int_eq(fleet_supervisor(&f), supervisor);
	ck_assert(fleet_lives(supervisor));
	fleet_end(&f);
}

START_TEST(a_supervisor_that_cannot_run_is_never_gone_over_to)
{
	supervisor_stays("#!/bin/sh\nexit 3\n");
}
END_TEST

START_TEST(a_supervisor_that_does_not_answer_is_never_gone_over_to)
{
	supervisor_stays("#!/bin/sh\nexec sleep 1000\n");
}
END_TEST

/* It looks well, and does not take over: the keeper starts the old one. */
static void
keeper_goes_back(const char *script)
{
	struct fleet f;
	begin(&f, FLEET(READY_MS));
	pid_t supervisor = fleet_supervisor(&f), loop = fleet_pid(&f, "loop");
	/* One that has lived for a while is known to be good. */
	usleep(600000);
	replace_by_script("bh-supervisor", script);
	fleet_wait(10000, upgrade(&f, "supervisor", NULL, 0) == 0);
	fleet_wait(10000, !fleet_lives(supervisor));
	fleet_wait(30000, fleet_supervisor(&f) && fleet_supervisor(&f) != supervisor && fleet_lives(fleet_supervisor(&f)) &&
				  f.head->supervisor_lives >= 2);
	ck_assert(!runs_new(fleet_supervisor(&f), "bh-supervisor"));
	ck_assert_int_eq(fleet_pid(&f, "loop"), loop);
	/* It is a whole one. */
	kill(loop, SIGKILL);
	fleet_wait(10000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != loop && fleet_is_ok(&f, "loop"));
	fleet_end(&f);
}

START_TEST(from_a_supervisor_that_ends_instead_of_taking_over_the_keeper_goes_back)
{
	keeper_goes_back("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nexit 1\n");
}
END_TEST

START_TEST(from_a_supervisor_that_does_nothing_instead_of_taking_over_the_keeper_goes_back)
{
	keeper_goes_back("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nexec sleep 1000\n");
}
END_TEST

START_TEST(the_spare_of_a_program_that_was_replaced_is_made_anew)
{
	struct fleet f;
	begin(&f, FLEET(READY_MS) "option spares yes\n");
	fleet_wait(10000, fleet_proc(&f, "loop").spare_pid);
	replace("bh-child", "newer!!\n");
	/* Whoever dies now starts the new program, not the old one's spare. */
	pid_t loop = fleet_pid(&f, "loop");
	kill(loop, SIGKILL);
	fleet_wait(10000, fleet_pid(&f, "loop") && fleet_pid(&f, "loop") != loop && fleet_is_ok(&f, "loop"));
	ck_assert(runs_new(fleet_pid(&f, "loop"), "bh-child"));
	ck_assert_uint_eq(fleet_proc(&f, "loop").warm_starts, 0);
	fleet_wait(10000, fleet_proc(&f, "loop").spare_pid && runs_new((pid_t)fleet_proc(&f, "loop").spare_pid, "bh-child"));
	fleet_end(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("upgrade");
	TCase *tc = tcase_create("upgrade");
	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_good_program_takes_over_and_nobody_else_notices);
	tcase_add_test(tc, a_program_that_ends_at_once_costs_nothing);
	tcase_add_test(tc, a_program_that_is_never_ready_costs_nothing);
	tcase_add_test(tc, a_program_that_dies_once_it_knows_who_it_is_is_replaced_by_the_old_one);
	tcase_add_test(tc, a_program_that_waits_well_and_is_never_ready_is_replaced_by_the_old_one);
	tcase_add_test(tc, the_supervisor_is_upgraded_and_nobody_notices);
	tcase_add_test(tc, a_supervisor_that_cannot_run_is_never_gone_over_to);
	tcase_add_test(tc, a_supervisor_that_does_not_answer_is_never_gone_over_to);
	tcase_add_test(tc, from_a_supervisor_that_ends_instead_of_taking_over_the_keeper_goes_back);
	tcase_add_test(tc, from_a_supervisor_that_does_nothing_instead_of_taking_over_the_keeper_goes_back);
	tcase_add_test(tc, the_spare_of_a_program_that_was_replaced_is_made_anew);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
