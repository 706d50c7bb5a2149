/* A driver alone in a terminal: the real bh-loop, with pipes for keyboard and screen. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/sandbox.h"
#include "tests/lib/patience.h"
#include "tests/lib/scratch.h"

/* One run: keyboard, screen (its log goes there, too). */
static struct {
	pid_t pid;
	int in, out;
	char text[65536];
	size_t len;
} run;

static void
start(char **argv)
{
	char path[512];
	int in[2], out[2];
	posix_spawn_file_actions_t fa;
	memset(&run, 0, sizeof(run));
	snprintf(path, sizeof(path), "%s/bh-loop", getenv("BH_BIN"));
	argv[0] = path;
	ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out[1], STDERR_FILENO);
	ck_assert_int_eq(posix_spawn(&run.pid, path, &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	close(out[1]);
	run.in = in[1];
	run.out = out[0];
}
#define START(...) start((char *[]){NULL, __VA_ARGS__, NULL})

static void
type(const char *lines)
{
	ck_assert_int_eq(write(run.in, lines, strlen(lines)), (ssize_t)strlen(lines));
}

/* Read what comes; false at the end or when nothing comes in time. */
static bool
look(int ms)
{
	struct pollfd p = {.fd = run.out, .events = POLLIN};
	if (poll(&p, 1, ms) <= 0)
		return false;
	ssize_t n = read(run.out, run.text + run.len, sizeof(run.text) - 1 - run.len);
	if (n <= 0)
		return false;
	run.len += (size_t)n;
	run.text[run.len] = 0;
	return true;
}

static void
expect(const char *what)
{
	while (!strstr(run.text, what))
		ck_assert_msg(look(PATIENCE_MS), "\"%s\" is not in:\n%s", what, run.text);
}

/* The keyboard's end, if it has not ended yet; all it says; its exit code. */
static int
finish(void)
{
	int status;
	bh_close(&run.in);
	while (look(PATIENCE_MS))
		;
	ck_assert_int_eq(waitpid(run.pid, &status, 0), run.pid);
	bh_close(&run.out);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(lines_set_values_and_do_actions_and_params_shows_them)
{
	START("--no-supervisor");
	type("set ch1/level -6\nset ch2/mute on\ndo transport play\nparams\n");
	ck_assert_int_eq(finish(), 0);
	expect("\nch1/level = -6 dB\n");
	expect("\nch2/mute = on\n");
	expect("\nch2/pan = 0\n");
	expect("\ntransport/playing = on\n");
	expect("\nledger/actions = 1\n");
}
END_TEST

START_TEST(a_traced_value_is_there_before_the_next_line)
{
	START("--no-supervisor", "--trace");
	expect("\nch8/pan = 0\n");
	type("set ch1/level -12\n");
	expect("\nch1/level = -12 dB\n");
	type("set ch1/level -3.5\n");
	expect("\nch1/level = -3.5 dB\n");
	type("quit\n");
	ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(without_trace_nothing_is_printed_that_was_not_asked_for)
{
	START("--no-supervisor");
	type("set ch1/level -6\nquit\n");
	ck_assert_int_eq(finish(), 0);
	ck_assert_ptr_null(strstr(run.text, "ch1/level"));
}
END_TEST

START_TEST(a_line_that_cannot_be_done_says_why_and_the_next_is_done)
{
	char longest[3000];
	START("--no-supervisor");
	type("set nothing 1\nset ch1/meter 1\nset ch1/level loud\nset ch1/level 99\nset ch1/level\ndo nothing\ndo scene nowhere\n");
	expect("error: no parameter nothing");
	expect("error: ch1/meter cannot be set");
	expect("error: ch1/level does not take this value");
	expect("error: no action nothing");
	expect("error: not done: there is no scene \"nowhere\"");
	type("frobnicate\n");
	expect("error: set PARAM VALUE, do ACTION ARG.., params, or quit");
	memset(longest, 'x', sizeof(longest) - 2);
	longest[sizeof(longest) - 2] = '\n';
	longest[sizeof(longest) - 1] = 0;
	type(longest);
	expect("error: the line is too long");
	type("set ch1/level -6\nparams"); /* the last line without an end */
	ck_assert_int_eq(finish(), 0);
	expect("\nch1/level = -6 dB\n");
}
END_TEST

START_TEST(options_come_from_a_configuration)
{
	char path[128];
	const char *yaml = "bulkhead: 1\ndrivers:\n  other: { kind: template, host: 127.0.0.1 }\n  mix: { kind: loop, channels: 2 }\n";
	int fd = scratch_file(path, sizeof(path), "alone", NULL);
	ck_assert_int_eq(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	START("--no-supervisor", "--config", path);
	type("params\n");
	ck_assert_int_eq(finish(), 0);
	expect("\nch2/level = ");
	ck_assert_ptr_null(strstr(run.text, "ch3/level"));
	/* what bh-config refuses ends it with bh-config's words and code */
	ck_assert_int_eq(pwrite(fd, "bulkhead: 9", 11, 0), 11);
	START("--no-supervisor", "--config", path);
	ck_assert_int_eq(finish(), 5);
	expect(":1:");
	/* and so does one that has no such driver */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, "bulkhead: 1\n", 12, 0), 12);
	START("--no-supervisor", "--config", path);
	ck_assert_int_eq(finish(), 5);
	expect("no driver of kind loop");
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(a_signal_ends_it_cleanly)
{
	START("--no-supervisor");
	type("params\n");
	expect("ch1/level");
	ck_assert_int_eq(kill(run.pid, SIGTERM), 0);
	while (look(PATIENCE_MS))
		;
	ck_assert_int_eq(finish(), 0);
	expect("stopped: asked to leave");
}
END_TEST

#ifndef BH_UNCONFINED
START_TEST(alone_it_is_confined_as_in_the_pipeline)
{
	char path[64], text[4096] = "";
	START("--no-supervisor");
	type("params\n");
	expect("ch1/level");
	snprintf(path, sizeof(path), "/proc/%d/status", run.pid);
	int fd = open(path, O_RDONLY);
	ck_assert(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2"));
	ck_assert_int_eq(finish(), 0);
}
END_TEST
#endif

START_TEST(wrong_use_shows_the_right_one)
{
	START("--no-supervisor", "--nonsense");
	ck_assert_int_eq(finish(), 2);
	expect("usage: bh-loop --no-supervisor [--config FILE] [--trace]");
}
END_TEST

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	Suite *s = suite_create("standalone");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, lines_set_values_and_do_actions_and_params_shows_them);
	tcase_add_test(t, a_traced_value_is_there_before_the_next_line);
	tcase_add_test(t, without_trace_nothing_is_printed_that_was_not_asked_for);
	tcase_add_test(t, a_line_that_cannot_be_done_says_why_and_the_next_is_done);
	tcase_add_test(t, options_come_from_a_configuration);
	tcase_add_test(t, a_signal_ends_it_cleanly);
#ifndef BH_UNCONFINED
	tcase_add_test(t, alone_it_is_confined_as_in_the_pipeline);
#endif
	tcase_add_test(t, wrong_use_shows_the_right_one);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
