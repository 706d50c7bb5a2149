/*
 * bh-simdesk as a program: its socket, its command socket, a pseudo terminal, scripts and exit codes, and the picture in a
 * terminal. The desk's own tests (test_simdesk_*) are in virtual time; here is only what needs the process.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/lib/patience.h"
#include "tests/lib/scratch.h"
#include "tests/lib/simdesk.h"


static char dir[64];
static struct simdesk *desk;

static void
set_up(void)
{
	scratch_dir(dir, sizeof(dir), "simdesk");
}

static void
tear_down(void)
{
	simdesk_stop(desk);
	desk = NULL;
	scratch_remove(dir);
}

static void
start(void)
{
	desk = simdesk_start(dir, NULL);
	ck_assert_msg(desk, "%m");
}

/* A host: connects, and the desk knows it. */
static int
host_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, simdesk_socket(desk));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "%m");
	simdesk_must(desk, "wait peer");
	return fd;
}

#define HOST_SAYS(fd, ...)                                                                         \
	ck_assert_int_eq(write(fd, (const uint8_t[]){__VA_ARGS__},                                 \
			       sizeof((const uint8_t[]){__VA_ARGS__})),                            \
			 (ssize_t)sizeof((const uint8_t[]){__VA_ARGS__}))

/* Read exactly n bytes, or end the test. */
static void
host_hears(int fd, uint8_t *bytes, size_t n)
{
	for (size_t have = 0; have < n;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "%zu bytes of %zu came", have, n);
		ssize_t r = read(fd, bytes + have, n - have);
		ck_assert_int_gt(r, 0);
		have += (size_t)r;
	}
}

#define HOST_HEARS(fd, ...)                                                                        \
	do {                                                                                       \
		static const uint8_t want_[] = {__VA_ARGS__};                                      \
		uint8_t got_[sizeof(want_)];                                                       \
		host_hears(fd, got_, sizeof(got_));                                                \
		ck_assert_mem_eq(got_, want_, sizeof(want_));                                      \
	} while (0)

#define ANNOUNCEMENT                                                                               \
	0xf0, 0x00, 0x00, 0x66, 0x14, 0x01, 0x58, 0x59, 0x5a, 0x57, 0x18, 0x61, 0x05, 0x57, 0x18,  \
		0x61, 0x05, 0xf7

static bool
hears_the_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;
	return poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &c, 1) <= 0;
}

START_TEST(what_a_host_writes_is_shown_and_what_hands_do_is_told)
{
	start();
	bh_autoclose int host = host_connect();
	HOST_HEARS(host, ANNOUNCEMENT);
	HOST_SAYS(host, 0x90, 0x10, 0x7f, 0x5e, 0x01, 0xe0, 0x2c, 0x62, 0xb0, 0x31, 0x06, 0x40, 0x31,
		  0xd0, 0x7c, 0xf0, 0x00, 0x00, 0x66, 0x14, 0x12, 0x31, 'B', 'a', 's', 's', ' ', ' ',
		  ' ', 0xf7, 0xf0, 0x00, 0x00, 0x66, 0x14, 0x72, 1, 2, 3, 4, 5, 6, 7, 7, 0xf7);
	simdesk_must(desk, "set within 30s; expect strip 8 color white; expect strip 1 color red; "
			   "expect led mute1 on");
	simdesk_must(desk, "expect led play flash; expect fader 1 12588; expect ring 2 dot 6");
	simdesk_must(desk, "expect digits timecode \"1\"; expect strip 8 upper \"Bass\"; expect led.bytes = 5");
	ck_assert_int_eq(simdesk_target(desk, 1), 12588);
	ck_assert_int_eq(simdesk_pos(desk, 1), 12588);
	ck_assert_int_eq(simdesk_target(desk, 2), -1);
	ck_assert_uint_eq(simdesk_counter(desk, "messages"), 8);
	ck_assert_uint_eq(simdesk_counter(desk, "odd"), 0);
	simdesk_must(desk, "touch 1; move 1 1; release 1; turn 8 -7; tap select8; jog 1");
	HOST_HEARS(host, 0x90, 0x68, 0x7f, 0xe0, 0x7c, 0x7f, 0x90, 0x68, 0x00, 0xb0, 0x17, 0x47, 0x90,
		   0x1f, 0x7f, 0x90, 0x1f, 0x00, 0xb0, 0x3c, 0x01);
	ck_assert_int_eq(simdesk_stop(desk), 0);
	desk = NULL;
}
END_TEST

START_TEST(a_pulled_cable_ends_the_connection_and_a_new_one_is_taken)
{
	start();
	bh_autoclose int host = host_connect();
	HOST_HEARS(host, ANNOUNCEMENT);
	HOST_SAYS(host, 0x90, 0x10, 0x7f);
	simdesk_must(desk, "expect led mute1 on within 30s; unplug; expect peer gone");
	ck_assert(hears_the_end(host));
	ck_assert_int_ne(access(simdesk_socket(desk), F_OK), 0);
	simdesk_must(desk, "tap play; plug");
	bh_autoclose int second = host_connect();
	/* It was not switched off: it shows what it showed and does not announce itself. The tap was not heard. */
	simdesk_must(desk, "expect led mute1 on; press stop");
	HOST_HEARS(second, 0x90, 0x5d, 0x7f);
	ck_assert_uint_eq(simdesk_counter(desk, "lost_messages"), 2);
	simdesk_must(desk, "unplug; plug fresh; expect led mute1 off");
	bh_autoclose int third = host_connect();
	HOST_HEARS(third, ANNOUNCEMENT);
}
END_TEST

START_TEST(a_new_host_takes_the_place_of_the_one_before)
{
	start();
	bh_autoclose int first = host_connect();
	HOST_HEARS(first, ANNOUNCEMENT);
	bh_autoclose int second = host_connect();
	ck_assert(hears_the_end(first));
	simdesk_must(desk, "press play");
	HOST_HEARS(second, 0x90, 0x5e, 0x7f);
	ck_assert_int_eq(simdesk_number(simdesk_state(desk), "\"cable\"", "peers"), 2);
}
END_TEST

/* The line's own clock counts 0.32 ms for each byte; by how much the desk's clock must have gone on is known from that. */
START_TEST(din_speed_is_kept_in_both_directions)
{
	uint8_t bytes[900];
	start();
	bh_autoclose int host = host_connect();
	HOST_HEARS(host, ANNOUNCEMENT);
	simdesk_must(desk, "limit din; mark");
	int64_t before = simdesk_number(simdesk_state(desk), "{", "time_ns");
	for (size_t i = 0; i < sizeof(bytes); i += 3)
		memcpy(bytes + i, (const uint8_t[]){0xe0, 0x00, (uint8_t)(i / 3 & 0x7f)}, 3);
	ck_assert_int_eq(write(host, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	simdesk_must(desk, "expect fader.messages = 300 since mark within 30s");
	const char *state = simdesk_state(desk);
	int64_t took = simdesk_number(state, "{", "time_ns") - before;
	ck_assert_int_eq(simdesk_number(state, "\"from_host\"", "busy_ns"), 900 * 320000);
	/* 2 ms may have been caught up. */
	ck_assert_int_ge(took, 898 * 320000 - 2 * (int64_t)BH_NS_PER_MS);

	before = simdesk_number(simdesk_state(desk), "{", "time_ns");
	simdesk_must(desk, "repeat 100 { jog 1 }");
	host_hears(host, bytes, 300);
	state = simdesk_state(desk);
	took = simdesk_number(state, "{", "time_ns") - before;
	ck_assert_int_ge(took, 298 * 320000 - 2 * (int64_t)BH_NS_PER_MS);
	ck_assert_int_eq(simdesk_number(state, "\"to_host\"", "busy_ns"), 300 * 320000);
}
END_TEST

START_TEST(lines_of_the_command_socket_are_answered_in_order)
{
	start();
	ck_assert_int_eq(simdesk_do(desk, "tuch 1"), SIMDESK_ERROR);
	ck_assert_str_eq(simdesk_answer(desk),
			 "error line:1:1: 'tuch' is no statement; did you mean \"touch\"?");
	ck_assert_int_eq(simdesk_do(desk, "expect led play on within 20ms"), SIMDESK_FAIL);
	ck_assert_str_eq(simdesk_answer(desk),
			 "fail line:1:1: expect led play on within 20ms: it is off");
	ck_assert_int_eq(simdesk_do(desk, "print \"hello\"; print \"there\""), SIMDESK_OK);
	ck_assert_str_eq(simdesk_answer(desk), "ok");
	ck_assert_int_eq(strncmp(simdesk_output(desk), "# hello\n# there\n", 16), 0);
	simdesk_must(desk, "random-load seed 3 for 100ms rate 100; end-state");
	ck_assert_int_eq(strncmp(simdesk_output(desk), "{\"faders\":", 10), 0);
	simdesk_must(desk, "quit");
	ck_assert_int_lt(simdesk_do(desk, "state"), 0);
}
END_TEST

START_TEST(what_one_client_does_another_one_can_wait_for)
{
	start();
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[sizeof(a.sun_path)], answer[16] = "";
	snprintf(path, sizeof(path), "%s/desk-play.sock", dir);
	strcpy(a.sun_path, path);
	bh_autoclose int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(other, (struct sockaddr *)&a, sizeof(a)), 0);
	simdesk_begin(desk, "expect fader 3 0.5 within 30s");
	ck_assert_int_eq(write(other, "move 3 0.5\n", 11), 11);
	host_hears(other, (uint8_t *)answer, 3);
	ck_assert_str_eq(answer, "ok\n");
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
}
END_TEST

/* Run to its end; its standard output and error are in out. */
static int
run_desk(const char *args, char *out, size_t cap)
{
	char command[1024];
	const char *bin = getenv("BH_BIN");
	snprintf(command, sizeof(command), "%s/bh-simdesk --socket %s/desk.sock %s 2>&1", bin ? bin : "bin",
		 dir, args);
	FILE *f = popen(command, "re");
	ck_assert_ptr_nonnull(f);
	out[fread(out, 1, cap - 1, f)] = '\0';
	int status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(the_exit_code_says_how_the_script_went)
{
	static char out[65536];
	ck_assert_int_eq(run_desk("-e 'print \"a\"' -e 'print \"b\"'", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "# a\n# b\n");
	ck_assert_int_eq(run_desk("-e 'expect led play on within 10ms'", out, sizeof(out)), 1);
	ck_assert_str_eq(out, "-e:1:1: expect led play on within 10ms: it is off\n");
	ck_assert_int_eq(run_desk("-e 'touch 10'", out, sizeof(out)), 2);
	ck_assert_str_eq(out, "-e:1:7: a fader is 1 to 9 or main, not '10'\n");
	ck_assert_int_eq(run_desk("--no-such-option", out, sizeof(out)), 2);
	ck_assert_int_eq(run_desk("--script /no/such/file", out, sizeof(out)), 2);
	ck_assert_int_eq(run_desk("--command /no/such/folder/x", out, sizeof(out)), 3);
	ck_assert_int_eq(run_desk("--help-script", out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "random-load"));
}
END_TEST

START_TEST(a_shell_can_tell_a_running_desk_what_to_do)
{
	static char out[65536];
	char args[512];
	start();
	snprintf(args, sizeof(args), "--tell %s/desk-play.sock -e 'pedal 5' -e 'print \"x\"'", dir);
	ck_assert_int_eq(run_desk(args, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "ok\n# x\nok\n");
	ck_assert_int_eq(simdesk_number(simdesk_state(desk), "{", "pedal"), 5);
	snprintf(args, sizeof(args), "--tell %s/desk-play.sock -e 'expect led play on' -e 'pedal 6'", dir);
	ck_assert_int_eq(run_desk(args, out, sizeof(out)), 1);
	ck_assert_int_eq(simdesk_number(simdesk_state(desk), "{", "pedal"), 5);
	snprintf(args, sizeof(args), "--tell %s/desk-play.sock -e 'xyz'", dir);
	ck_assert_int_eq(run_desk(args, out, sizeof(out)), 2);
	ck_assert_int_eq(run_desk("--tell /no/such/socket -e 'pedal 1'", out, sizeof(out)), 3);
}
END_TEST

START_TEST(a_script_from_a_file_leaves_its_end_state)
{
	static char out[65536];
	char path[128], args[512];
	snprintf(path, sizeof(path), "%s/load.desk", dir);
	FILE *f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs("turn 2 5\n  expect led mute1 on\n", f);
	fclose(f);
	snprintf(args, sizeof(args), "--script %s --end-state -", path);
	ck_assert_int_eq(run_desk(args, out, sizeof(out)), 1);
	char want[256];
	snprintf(want, sizeof(want), "%s:2:3: expect led mute1 on: it is off\n", path);
	ck_assert_msg(strstr(out, want), "%s", out);
	/* Nobody was there to hear the ticks. */
	ck_assert_int_eq(simdesk_number(out, "vpots", "vpot2"), 0);
	ck_assert_int_eq(simdesk_number(out, "presses", "lost_ticks"), 5);
}
END_TEST

START_TEST(a_socket_in_use_is_refused_and_one_left_behind_is_taken)
{
	static char out[65536];
	start();
	ck_assert_int_eq(run_desk("-e 'wait 1ms'", out, sizeof(out)), 3);
	ck_assert_ptr_nonnull(strstr(out, "Address already in use"));
	kill(simdesk_pid(desk), SIGKILL);
	ck_assert_int_eq(simdesk_stop(desk), -1);
	ck_assert_int_eq(access(dir, F_OK), 0);
	start();
	bh_autoclose int host = host_connect();
	HOST_HEARS(host, ANNOUNCEMENT);
}
END_TEST

START_TEST(a_pseudo_terminal_carries_raw_bytes)
{
	char link[128], option[160];
	snprintf(link, sizeof(link), "%s/tty", dir);
	snprintf(option, sizeof(option), "--pty=%s", link);
	desk = simdesk_start(dir, (const char *const[]){option, NULL});
	ck_assert_msg(desk, "%m");
	bh_autoclose int host = open(link, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_msg(host >= 0, "%s: %m", link);
	HOST_HEARS(host, ANNOUNCEMENT);
	/* 03, 0A, 0D, 11, 13 and 7F mean something to a terminal, but not here. */
	HOST_SAYS(host, 0x90, 0x03, 0x7f, 0x0a, 0x7f, 0x0d, 0x7f, 0x11, 0x7f, 0x13, 0x7f);
	simdesk_must(desk, "set within 30s; expect led rec4 on; expect led solo3 on; expect led solo6 on");
	simdesk_must(desk, "expect led mute2 on; expect led mute4 on; press solo3; press mute4");
	HOST_HEARS(host, 0x90, 0x0a, 0x7f, 0x90, 0x13, 0x7f);
}
END_TEST

START_TEST(it_can_be_the_one_that_connects_and_does_so_again)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/bridge", dir);
	desk = simdesk_start(dir, (const char *const[]){"--connect", a.sun_path, NULL});
	ck_assert_msg(desk, "%m");
	simdesk_must(desk, "expect peer gone");
	bh_autoclose int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	for (int i = 0; i < 2; i++) {
		bh_autoclose int host = accept(listener, NULL, NULL);
		ck_assert_int_ge(host, 0);
		simdesk_must(desk, "wait peer");
		if (i == 0)
			HOST_HEARS(host, ANNOUNCEMENT);
		HOST_SAYS(host, 0x90, 0x10, i ? 0x00 : 0x7f);
		simdesk_must(desk, "expect led mute1 %s within 30s; press play; release play",
			     i ? "off" : "on");
		HOST_HEARS(host, 0x90, 0x5e, 0x7f, 0x90, 0x5e, 0x00);
	}
}
END_TEST

/* ---- the terminal ---------------------------------------------------------------------------- */

struct terminal {
	int fd; /* owned */
	pid_t pid;
	char seen[1 << 18];
	size_t n;
};

static struct terminal term;

static void
terminal_start(void)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	memset(&term, 0, sizeof(term));
	term.pid = forkpty(&term.fd, NULL, NULL, &size);
	ck_assert_int_ge(term.pid, 0);
	if (term.pid == 0) {
		char program[4096], sock[128];
		snprintf(program, sizeof(program), "%s/bh-simdesk", getenv("BH_BIN"));
		snprintf(sock, sizeof(sock), "%s/desk.sock", dir);
		setenv("TERM", "xterm-256color", 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		execl(program, program, "--socket", sock, (char *)NULL);
		_exit(127);
	}
}

/* Read on until the screen's bytes from `from` on hold this text. Returns where it ended. */
static size_t
terminal_shows(size_t from, const char *text)
{
	uint64_t end_ns = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	for (;;) {
		char *at = term.n > from ? memmem(term.seen + from, term.n - from, text, strlen(text)) : NULL;
		if (at)
			return (size_t)(at - term.seen) + strlen(text);
		struct pollfd p = {.fd = term.fd, .events = POLLIN};
		ck_assert_msg(bh_mono_ns() < end_ns && poll(&p, 1, PATIENCE_MS) == 1,
			      "\"%s\" does not appear in %.*s", text, (int)(term.n - from),
			      term.seen + from);
		ssize_t n = read(term.fd, term.seen + term.n, sizeof(term.seen) - term.n - 1);
		ck_assert_msg(n > 0, "the terminal ended before \"%s\": %.*s", text, (int)(term.n - from),
			      term.seen + from);
		term.n += (size_t)n;
	}
}

static int
terminal_host(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/desk.sock", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_msg(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "%m");
	return fd;
}

static void
keys(const char *text)
{
	ck_assert_int_eq(write(term.fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int
terminal_end(void)
{
	int status;
	ck_assert_int_eq(waitpid(term.pid, &status, 0), term.pid);
	bh_close(&term.fd);
	return status;
}

START_TEST(a_script_that_waits_for_a_silent_host_goes_on_when_it_is_here)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/bridge", dir);
	desk = simdesk_start(dir, (const char *const[]){"--connect", a.sun_path, "-e", "wait peer within 30s; touch 1", NULL});
	ck_assert_msg(desk, "%m");
	bh_autoclose int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	bh_autoclose int host = accept(listener, NULL, NULL);
	ck_assert_int_ge(host, 0);
	HOST_HEARS(host, ANNOUNCEMENT);
	HOST_HEARS(host, 0x90, 0x68, 0x7f);
}
END_TEST

START_TEST(keys_and_mouse_play_the_desk_in_a_terminal)
{
	terminal_start();
	size_t at = terminal_shows(0, "host: none");
	terminal_shows(0, "scrub");
	bh_autoclose int host = terminal_host();
	terminal_shows(at, "here");
	HOST_HEARS(host, ANNOUNCEMENT);
	HOST_SAYS(host, 0xf0, 0x00, 0x00, 0x66, 0x14, 0x12, 0x0e, 'D', 'r', 'u', 'm', 's', 0xf7);
	terminal_shows(at, "Drums");
	keys("3m");
	HOST_HEARS(host, 0x90, 0x12, 0x7f, 0x90, 0x12, 0x00);
	keys("v+");
	HOST_HEARS(host, 0x90, 0x22, 0x7f, 0xb0, 0x12, 0x01, 0x90, 0x22, 0x00);
	/* Up: touch, one per cent, and after a while the finger leaves. */
	keys("\033OA");
	HOST_HEARS(host, 0x90, 0x6a, 0x7f, 0xe2, 0x24, 0x01, 0x90, 0x6a, 0x00);
	/* Mouse: press and release on strip 1's second light (column 3, line 5); wheel up over ring 5. */
	keys("\033[<0;3;5M\033[<0;3;5m");
	HOST_HEARS(host, 0x90, 0x08, 0x7f, 0x90, 0x08, 0x00);
	keys("\033[<64;34;4M");
	HOST_HEARS(host, 0xb0, 0x14, 0x01);
	/* Drag fader 1 from the bottom to the top of its slot. */
	keys("\033[<0;3;15M\033[<32;3;6M\033[<0;3;6m");
	HOST_HEARS(host, 0x90, 0x68, 0x7f, 0xe0, 0x7c, 0x7f, 0x90, 0x68, 0x00);
	at = term.n;
	keys("?");
	terminal_shows(at, "choose a strip");
	at = term.n;
	keys("q");
	/* The cursor is on again, and the main screen is back. */
	terminal_shows(at, "\033[?1049l");
	terminal_shows(at, "\033[?1002l");
	int status = terminal_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(a_crash_leaves_a_clean_terminal)
{
	terminal_start();
	terminal_shows(0, "scrub");
	size_t at = term.n;
	kill(term.pid, SIGSEGV);
	terminal_shows(at, "\033[?1002l");
	terminal_shows(at, "\033[?1049l\033[?25h\033[0m");
	int status = terminal_end();
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

START_TEST(a_picture_of_which_nothing_changes_costs_nothing)
{
	char path[64], before[512], after[512];
	terminal_start();
	terminal_shows(0, "scrub");
	bh_autoclose int host = terminal_host();
	terminal_shows(0, "here");
	HOST_HEARS(host, ANNOUNCEMENT);
	HOST_SAYS(host, 0x90, 0x10, 0x01); /* flashing, too */
	snprintf(path, sizeof(path), "/proc/%d/schedstat", term.pid);
	/* The third number counts how often it has run. Wait for a second in which it does not run at all. */
	for (int i = 0;; i++) {
		for (int k = 0; k < 2; k++) {
			char *text = k ? after : before;
			FILE *f = fopen(path, "re");
			ck_assert_ptr_nonnull(f);
			text[fread(text, 1, sizeof(before) - 1, f)] = '\0';
			fclose(f);
			struct pollfd p = {.fd = term.fd, .events = POLLIN};
			if (k == 0)
				while (poll(&p, 1, 1000) == 1)
					ck_assert_int_gt(read(term.fd, term.seen, sizeof(term.seen)), 0);
		}
		if (strcmp(before, after) == 0)
			break;
		ck_assert_msg(i < 10, "it ran again and again: %s then %s", before, after);
	}
	kill(term.pid, SIGTERM);
	int status = terminal_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("simdesk");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, what_a_host_writes_is_shown_and_what_hands_do_is_told);
	tcase_add_test(t, a_pulled_cable_ends_the_connection_and_a_new_one_is_taken);
	tcase_add_test(t, a_new_host_takes_the_place_of_the_one_before);
	tcase_add_test(t, din_speed_is_kept_in_both_directions);
	tcase_add_test(t, lines_of_the_command_socket_are_answered_in_order);
	tcase_add_test(t, what_one_client_does_another_one_can_wait_for);
	tcase_add_test(t, the_exit_code_says_how_the_script_went);
	tcase_add_test(t, a_shell_can_tell_a_running_desk_what_to_do);
	tcase_add_test(t, a_script_from_a_file_leaves_its_end_state);
	tcase_add_test(t, a_socket_in_use_is_refused_and_one_left_behind_is_taken);
	tcase_add_test(t, a_pseudo_terminal_carries_raw_bytes);
	tcase_add_test(t, it_can_be_the_one_that_connects_and_does_so_again);
	tcase_add_test(t, a_script_that_waits_for_a_silent_host_goes_on_when_it_is_here);
	tcase_add_test(t, keys_and_mouse_play_the_desk_in_a_terminal);
	tcase_add_test(t, a_crash_leaves_a_clean_terminal);
	tcase_add_test(t, a_picture_of_which_nothing_changes_costs_nothing);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
