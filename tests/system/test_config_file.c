/*
 * The configuration file under a running pipeline: however it is saved, it is taken once; a wrong one is told once and changes nothing.
 */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/lib/pipeline.h"

/* What can be told from outside: how many channels the mixer has. */
#define WITH(channels, more) \
	"bulkhead: 1\nsupervisor: {watch_delay_ms: 20ms}\ndrivers: {loop: {kind: loop, channels: " #channels ", meters: false}}\n" more

static struct pipeline pl;
static char out[65536];

static void
setup(void)
{
	pipeline_start(&pl, WITH(2, ""));
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	pipeline_clean(&pl);
}

static int
tool(const char *a, const char *b, const char *c)
{
	return pipeline_tool(&pl, out, sizeof(out), "bulkhead", a, b, c, NULL);
}

static void
write_at(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_msg(f != NULL, "%s: %m", path);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *
at(const char *name)
{
	static char path[4][160];
	static unsigned n;
	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", pl.dir, name);
	return path[n];
}

/* The same text over itself: at no moment is it shorter. */
static void
write_over(const char *path, const char *text)
{
	FILE *f = fopen(path, "r+");
	ck_assert_msg(f != NULL, "%s: %m", path);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

/* As editors do: another file, renamed over the old. */
static void
save(const char *name, const char *text)
{
	char temp[180];
	snprintf(temp, sizeof(temp), "%s.tmp~", at(name));
	write_at(temp, text);
	ck_assert_int_eq(rename(temp, at(name)), 0);
}

static uint64_t
taken(void)
{
	const struct bh_seg *t = pipeline_seg(&pl, "bulkhead.table");
	const struct bh_table_head *h = bh_seg_section(t, BH_SEC_TABLE, sizeof(*h), NULL);
	return __atomic_load_n(&h->config_generation, __ATOMIC_ACQUIRE);
}

/* The mixer has this many channels, and no more. */
static bool
has_channels(unsigned n)
{
	char last[32], beyond[32];
	snprintf(last, sizeof(last), "ch%u/level", n);
	snprintf(beyond, sizeof(beyond), "loop/ch%u/level", n + 1);
	return pipeline_is_ok(&pl, "loop") && !isnan(pipeline_number(&pl, "loop", last)) && tool("get", beyond, NULL) == 2;
}

static void
expect_channels(unsigned n)
{
	ck_assert_msg(pipeline_until(20000, has_channels(n)), "the mixer does not get %u channels:\n%s", n, pipeline_log(&pl));
}

static bool
status_says(const char *words)
{
	return tool("status", "supervisor", NULL) == 0 && strstr(out, words);
}

static unsigned
told(const char *words)
{
	unsigned n = 0;
	for (const char *p = pipeline_log_text(&pl); (p = strstr(p, words)); p++)
		n++;
	return n;
}

START_TEST(a_save_by_rename_over_is_taken_again_and_again_once_each)
{
	uint64_t before = taken();
	pid_t router = pipeline_pid(&pl, "router"), control = pipeline_pid(&pl, "control");
	save("pipeline.yaml", WITH(3, ""));
	expect_channels(3);
	save("pipeline.yaml", WITH(4, ""));
	expect_channels(4);
	save("pipeline.yaml", WITH(5, ""));
	expect_channels(5);
	/* Nobody else was restarted, and each text was taken once. */
	ck_assert_int_eq(pipeline_pid(&pl, "router"), router);
	ck_assert_int_eq(pipeline_pid(&pl, "control"), control);
	ck_assert_uint_eq(taken(), before + 3);
	ck_assert_msg(told("changed: driver loop: channels 4 -> 5 (restarts)") == 1, "%s", pipeline_log(&pl));
}
END_TEST

START_TEST(so_are_other_ways_to_save)
{
	/* Into the file itself, as `echo >` does. */
	write_at(at("pipeline.yaml"), WITH(3, ""));
	expect_channels(3);
	/* Deleted, and created later. */
	ck_assert_int_eq(unlink(at("pipeline.yaml")), 0);
	ck_assert(pipeline_until(20000, status_says("No such file")));
	write_at(at("pipeline.yaml"), WITH(4, ""));
	expect_channels(4);
	ck_assert(!status_says("No such file"));
	/* A hard link of that name. */
	write_at(at("other.yaml"), WITH(5, ""));
	ck_assert_int_eq(unlink(at("pipeline.yaml")), 0);
	ck_assert_int_eq(link(at("other.yaml"), at("pipeline.yaml")), 0);
	expect_channels(5);
	/* It may be read again. */
	if (getuid() == 0)
		return;
	ck_assert_int_eq(chmod(at("pipeline.yaml"), 0), 0);
	write_at(at("next.yaml"), WITH(6, ""));
	ck_assert_int_eq(chmod(at("next.yaml"), 0), 0);
	ck_assert_int_eq(rename(at("next.yaml"), at("pipeline.yaml")), 0);
	ck_assert(pipeline_until(20000, status_says("Permission denied")));
	ck_assert_int_eq(chmod(at("pipeline.yaml"), 0600), 0);
	expect_channels(6);
}
END_TEST

START_TEST(the_same_text_again_is_nothing_new)
{
	uint64_t before = taken();
	save("pipeline.yaml", WITH(2, ""));
	ck_assert_int_eq(utimensat(AT_FDCWD, at("pipeline.yaml"), NULL, 0), 0);
	write_at(at("beside.yaml"), WITH(9, ""));
	save("pipeline.yaml", WITH(3, ""));
	expect_channels(3);
	ck_assert_uint_eq(taken(), before + 1);
}
END_TEST

START_TEST(a_wrong_file_is_told_once_with_its_place_and_mended_it_is_taken)
{
	uint64_t before = taken();
	ck_assert(!status_says("pipeline.yaml:"));
	save("pipeline.yaml", WITH(3, "pges: []\n"));
	ck_assert_msg(pipeline_until(20000, status_says("pipeline.yaml:4:1: pges: unknown key; did you mean \"pages\"?")), "%s", out);
	ck_assert_ptr_nonnull(strstr(out, "the one in use goes on"));
	/* The same again is not told again. */
	save("pipeline.yaml", WITH(3, "pges: []\n"));
	write_over(at("pipeline.yaml"), WITH(3, "pges: []\n"));
	save("pipeline.yaml", WITH(3, "pags: []\n"));
	ck_assert(pipeline_until(20000, status_says("pags: unknown key")));
	ck_assert_msg(told("pipeline.yaml:4:1: pges: unknown key") == 1, "%s", pipeline_log(&pl));
	ck_assert_uint_eq(taken(), before);
	ck_assert(has_channels(2));
	/* Nothing is taken of it, and the way back to what is in use is no new configuration. */
	save("pipeline.yaml", WITH(2, ""));
	ck_assert(pipeline_until(20000, !status_says("unknown key")));
	ck_assert_uint_eq(taken(), before);
	save("pipeline.yaml", WITH(3, ""));
	expect_channels(3);
	ck_assert_uint_eq(taken(), before + 1);
}
END_TEST

START_TEST(a_link_that_comes_to_mean_another_file_is_noticed)
{
	/* A link to a file in a folder that is itself a link. */
	ck_assert_int_eq(mkdir(at("v1"), 0700), 0);
	ck_assert_int_eq(mkdir(at("v2"), 0700), 0);
	write_at(at("v1/x.yaml"), WITH(3, ""));
	write_at(at("v2/x.yaml"), WITH(4, ""));
	ck_assert_int_eq(symlink("v1", at("live")), 0);
	ck_assert_int_eq(symlink("live/x.yaml", at("link")), 0);
	ck_assert_int_eq(rename(at("link"), at("pipeline.yaml")), 0);
	expect_channels(3);
	ck_assert_int_eq(symlink("v2", at("live.new")), 0);
	ck_assert_int_eq(rename(at("live.new"), at("live")), 0);
	expect_channels(4);
	save("v2/x.yaml", WITH(5, ""));
	expect_channels(5);
	/* The folder goes away, and comes back. */
	ck_assert_int_eq(rename(at("v2"), at("away")), 0);
	ck_assert(pipeline_until(20000, status_says("No such file")));
	ck_assert_int_eq(mkdir(at("v3"), 0700), 0);
	write_at(at("v3/x.yaml"), WITH(6, ""));
	ck_assert_int_eq(rename(at("v3"), at("v2")), 0);
	expect_channels(6);
	/* And the link goes to the folder's bottom once more. */
	save("v2/x.yaml", WITH(7, ""));
	expect_channels(7);
}
END_TEST

START_TEST(switched_off_it_waits_for_the_word)
{
	uint64_t before = taken();
	save("pipeline.yaml", "bulkhead: 1\nsupervisor: {watch: no}\ndrivers: {loop: {kind: loop, channels: 3, meters: false}}\n");
	expect_channels(3);
	save("pipeline.yaml", WITH(4, ""));
	ck_assert_int_eq(tool("reload", NULL, NULL), 0);
	ck_assert_msg(strstr(out, "driver loop: channels 3 -> 4 (restarts)") != NULL, "%s", out);
	expect_channels(4);
	ck_assert_uint_eq(taken(), before + 2);
	/* And on again. */
	save("pipeline.yaml", WITH(5, ""));
	expect_channels(5);
}
END_TEST

START_TEST(what_changed_while_the_supervisor_was_down_is_taken_by_the_next)
{
	pid_t supervisor = pipeline_pid(&pl, "supervisor");
	kill(supervisor, SIGSTOP);
	save("pipeline.yaml", WITH(3, ""));
	kill(supervisor, SIGKILL);
	ck_assert(pipeline_until(20000, pipeline_pid(&pl, "supervisor") > 0 && pipeline_pid(&pl, "supervisor") != supervisor));
	expect_channels(3);
	save("pipeline.yaml", WITH(4, ""));
	expect_channels(4);
	ck_assert_msg(told("changed: driver loop: channels 3 -> 4 (restarts)") == 1, "%s", pipeline_log(&pl));
}
END_TEST

/* ------------------------------------------------------------------ history */

static unsigned
versions(void)
{
	unsigned n = 0;
	if (tool("config", "history", NULL) != 0)
		return 0;
	for (const char *p = out; *p; p += strcspn(p, "\n") + 1)
		n++;
	return n;
}

static void
expect_tool(int code, const char *words, const char *a, const char *b, const char *c)
{
	int r = tool(a, b, c);
	ck_assert_msg(r == code, "bulkhead %s %s %s ends with %d: %s", a, b ? b : "", c ? c : "", r, out);
	ck_assert_msg(strstr(out, words) != NULL, "bulkhead %s %s %s does not say \"%s\": %s", a, b ? b : "", c ? c : "", words, out);
}

START_TEST(every_configuration_that_was_in_use_can_be_seen_compared_and_put_back)
{
	ck_assert(pipeline_until(20000, versions() == 1));
	save("pipeline.yaml", WITH(3, "# a comment\n"));
	expect_channels(3);
	ck_assert(pipeline_until(20000, versions() == 2));
	save("pipeline.yaml", WITH(4, ""));
	expect_channels(4);
	ck_assert(pipeline_until(20000, versions() == 3));
	expect_tool(0, "*    3  ", "config", "history", NULL);
	expect_tool(0, "\"version\":1,\"in_use\":false", "config", "history", "--json");
	expect_tool(0, "channels: 4,", "config", "show", NULL);
	expect_tool(0, "channels: 2,", "config", "show", "1");
	expect_tool(0, "\n-drivers: {loop: {kind: loop, channels: 3, meters: false}}\n-# a comment\n+drivers: {loop: {kind: loop, channels: 4, meters: false}}\n",
		    "config", "diff", NULL);
	expect_tool(0, "+++ version 3 (in use)", "config", "diff", "1");
	expect_tool(2, "there is no version 9", "config", "show", "9");
	expect_tool(2, "", "config", "sow", NULL);
	/* An edit that is in the file and wrong is not lost by going back over it. */
	save("pipeline.yaml", WITH(5, "pges: []\n"));
	ck_assert(pipeline_until(20000, status_says("pges: unknown key")));
	expect_tool(0, "what was in", "config", "restore", "2");
	expect_channels(3);
	ck_assert(pipeline_until(20000, versions() == 5));
	expect_tool(0, "was in the file, not in use", "config", "history", NULL);
	expect_tool(0, "pges", "config", "show", "4");
	expect_tool(0, "# a comment", "config", "show", NULL);
	ck_assert(!status_says("pges"));
	/* What does not compile is not put back. */
	expect_tool(5, "pges: unknown key", "config", "restore", "4");
	ck_assert(has_channels(3));
	/* Two before the one in use: all of it works while nothing runs, too. */
	pipeline_stop(&pl);
	expect_tool(0, "nothing runs: it is taken at the next start", "config", "restore", "3");
	pipeline_run(&pl);
	expect_channels(4);
}
END_TEST

START_TEST(a_check_says_what_would_be_different)
{
	write_at(at("other.yaml"), WITH(6, "pages: [{name: New}]\n"));
	ck_assert_int_eq(pipeline_tool(&pl, out, sizeof(out), "bulkhead", "check", "--against", "running", at("other.yaml"), NULL), 0);
	ck_assert_msg(strstr(out, "driver loop: channels 2 -> 6 (restarts)\npage New: added, 0 bindings\n") != NULL, "%s", out);
	ck_assert_int_eq(pipeline_tool(&pl, out, sizeof(out), "bulkhead", "check", "--json", "--against", "running", at("other.yaml"), NULL), 0);
	ck_assert_msg(strstr(out, "{\"ok\":true,\"changes\":[\"driver loop: channels 2 -> 6 (restarts)\",\"page New: added, 0 bindings\"]}") != NULL, "%s", out);
	ck_assert_int_eq(pipeline_tool(&pl, out, sizeof(out), "bulkhead", "check", "--against", "running", at("pipeline.yaml"), NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "nothing that matters is different"));
	ck_assert(has_channels(2));
}
END_TEST

/* ------------------------------------------------------------------ profiles */

#define PAGED(channels, pages) WITH(channels, "pages: [" pages "]\n")

START_TEST(profiles_are_gone_over_to_at_run_time_and_remembered)
{
	ck_assert_int_eq(mkdir(at("profiles"), 0700), 0);
	expect_tool(0, "* default\n", "profile", NULL, NULL);
	write_at(at("profiles/Talk.yaml"), PAGED(3, "{name: A}, {name: B}, {name: C}"));
	write_at(at("profiles/Show.yaml"), PAGED(4, "{name: X}, {name: C}"));
	write_at(at("profiles/Wrong.yaml"), WITH(5, "pges: []\n"));
	expect_tool(0, "* default\n  Show\n  Talk\n  Wrong\n", "profile", NULL, NULL);
	pid_t router = pipeline_pid(&pl, "router");
	expect_tool(0, "driver loop: channels 2 -> 3 (restarts)\npage A: added, 0 bindings\n", "profile", "Talk", NULL);
	expect_channels(3);
	expect_tool(0, "{\"name\":\"Talk\",\"active\":true}", "profile", "--json", NULL);
	expect_tool(0, "profile Talk", "status", NULL, NULL);
	/* The page that is shown stays, for the other has it, too. */
	expect_tool(0, "", "page", "C", NULL);
	expect_tool(0, "changes", "profile", "Show", "--json");
	expect_channels(4);
	expect_tool(0, "*   2  C", "pages", NULL, NULL);
	ck_assert_int_eq(pipeline_pid(&pl, "router"), router);
	/* One with errors, one that there is not, and one that cannot be. */
	uint64_t before = taken();
	expect_tool(5, "Wrong.yaml:4:1: pges: unknown key", "profile", "Wrong", NULL);
	expect_tool(2, "there is no profile \"None\"", "profile", "None", NULL);
	expect_tool(2, "letters, digits", "profile", "../x", NULL);
	ck_assert_uint_eq(taken(), before);
	ck_assert(has_channels(4));
	expect_tool(0, "* Show\n", "profile", NULL, NULL);
	/* Its own file is watched now, the other no longer. */
	save("pipeline.yaml", WITH(7, ""));
	save("profiles/Show.yaml", PAGED(6, "{name: X}, {name: C}"));
	expect_channels(6);
	/* Whoever dies, and over a restart of everything. */
	pid_t keeper = pipeline_pid(&pl, "keeper"), supervisor = pipeline_pid(&pl, "supervisor");
	kill(keeper, SIGKILL);
	ck_assert(pipeline_until(20000, pipeline_pid(&pl, "keeper") > 0 && pipeline_pid(&pl, "keeper") != keeper));
	kill(supervisor, SIGKILL);
	ck_assert(pipeline_until(20000, pipeline_pid(&pl, "supervisor") > 0 && pipeline_pid(&pl, "supervisor") != supervisor));
	ck_assert(pipeline_until(20000, tool("profile", NULL, NULL) == 0 && strstr(out, "* Show\n")));
	pipeline_stop(&pl);
	pipeline_run(&pl);
	expect_channels(6);
	expect_tool(0, "* Show\n", "profile", NULL, NULL);
	/* Back to the file itself. */
	expect_tool(0, "channels 6 -> 7", "profile", "default", NULL);
	expect_channels(7);
	expect_tool(0, "* default\n", "profile", NULL, NULL);
	/* A version belongs to its profile: put back, it is there that it goes, and what is gone over to. */
	ck_assert(pipeline_until(20000, versions() == 5));
	tool("config", "history", NULL);
	const char *show = strstr(out, "Show ");
	ck_assert_ptr_nonnull(show);
	while (show > out && show[-1] != '\n')
		show--;
	char number[16];
	snprintf(number, sizeof(number), "%d", atoi(show + 1));
	expect_tool(0, "profiles/Show.yaml", "config", "restore", number);
	expect_channels(6);
	expect_tool(0, "* Show\n", "profile", NULL, NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config_file");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_save_by_rename_over_is_taken_again_and_again_once_each);
	tcase_add_test(t, so_are_other_ways_to_save);
	tcase_add_test(t, the_same_text_again_is_nothing_new);
	tcase_add_test(t, a_wrong_file_is_told_once_with_its_place_and_mended_it_is_taken);
	tcase_add_test(t, a_link_that_comes_to_mean_another_file_is_noticed);
	tcase_add_test(t, switched_off_it_waits_for_the_word);
	tcase_add_test(t, what_changed_while_the_supervisor_was_down_is_taken_by_the_next);
	tcase_add_test(t, every_configuration_that_was_in_use_can_be_seen_compared_and_put_back);
	tcase_add_test(t, a_check_says_what_would_be_different);
	tcase_add_test(t, profiles_are_gone_over_to_at_run_time_and_remembered);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
