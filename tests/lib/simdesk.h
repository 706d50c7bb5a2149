/*
 * simdesk.h - a simulated desk in a test: bh-simdesk as a child, and a wire to its command socket
 *
 * The statements are those of docs/reference/simdesk.md. A test says what hands do and what the desk must show:
 *
 *	struct simdesk *desk = simdesk_start(dir, NULL);
 *	simdesk_must(desk, "move 1 0.75 over 0.2s touching");
 *	simdesk_must(desk, "expect led mute%d on within 1s", 3);
 *	ck_assert_uint_eq(simdesk_counter(desk, "fights"), 0);
 *	simdesk_stop(desk);
 *
 * Functions with "must" in their comment end the running check test with a message when something is not as it should be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct simdesk;

/*
 * Start the program (in BH_BIN) with its sockets in the folder dir, and wait until it listens. args: more arguments, ended by
 * NULL, or NULL. It dies with us. NULL and errno on failure.
 */
struct simdesk *simdesk_start(const char *dir, const char *const args[]);
/* Ends it (SIGTERM), waits, and returns its exit code, or -1 if it died otherwise. NULL is fine. */
int simdesk_stop(struct simdesk *s);

/* Where bh-surface connects: dir/desk.sock. */
const char *simdesk_socket(const struct simdesk *s);
pid_t simdesk_pid(const struct simdesk *s);
/* How long an answer may take (default 120 s). */
void simdesk_set_patience(struct simdesk *s, unsigned timeout_ms);

enum { SIMDESK_OK = 0, SIMDESK_FAIL = 1, SIMDESK_ERROR = 2 };

/* Play a line and wait for its end: one of the above, or -errno (the program is gone, no answer in time). */
int simdesk_do(struct simdesk *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Must be OK. */
void simdesk_must(struct simdesk *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same in two halves, for a line during which the test does something else. Must be sent; simdesk_end() is as simdesk_do(). */
void simdesk_begin(struct simdesk *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int simdesk_end(struct simdesk *s);
/* Is the answer here? Does not wait. True also when no answer can come any more. */
bool simdesk_is_over(struct simdesk *s);

/* Of the last line: the answer ("fail line:1:1: ..."), and what it printed before it. Until the next line. */
const char *simdesk_answer(const struct simdesk *s);
const char *simdesk_output(const struct simdesk *s);

/* The whole state as JSON (must). Until the next line. */
const char *simdesk_state(struct simdesk *s);
/* A counter of the state (must): "fights", "led.bytes", ... */
uint64_t simdesk_counter(struct simdesk *s, const char *name);
/* Where a cap is and what the host wrote last, by fader 1-9 (must). The target is -1 while there is none. */
int simdesk_pos(struct simdesk *s, int fader);
int simdesk_target(struct simdesk *s, int fader);
/* Of the state or end state: the whole number behind "key": after the place where `after` first stands (must). */
int64_t simdesk_number(const char *json, const char *after, const char *key);
