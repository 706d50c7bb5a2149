/*
 * guest_lib - what the tests inside the guest share: children, their output, and the USB double
 *
 * Everything waits for a state with a deadline, generous because the guest is emulated. Children
 * die with the test's process. Failing to start something fails the test (ck_abort_msg).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GUEST_WAIT_MS 30000u

/* 77 (a skip) with a reason when this is not the guest; main() returns it. 0 inside. */
int guest_or_skip(void);

/* Start argv (NULL-terminated) with stdout and stderr in a new file `out`. The child's pid. */
pid_t guest_spawn(const char *out, const char *const argv[]);
/* SIGTERM, then wait; *pid becomes 0. Returns the wait status. */
int guest_end(pid_t *pid);
/* Run to the end; its exit status, 128 + signal. */
int guest_run(const char *out, const char *const argv[]);

/* The whole file (owned by the caller), "" when it is not there. */
char *guest_read(const char *path);
/* Wait until the file holds `text` after its first `*from` bytes (NULL: anywhere); moves *from past
 * it. */
bool guest_wait_text(const char *path, const char *text, size_t *from);
/* As above, fails the test with the file's content. */
void guest_expect_text(const char *path, const char *text, size_t *from);
/* Wait until the path exists, or does not. */
bool guest_wait_path(const char *path, bool there);

void guest_pause_ms(unsigned ms); /* between two looks at a state */

/* The double: its program, its control socket, its log. */
struct guest_desk {
	pid_t pid;
	int control;
	const char *log;    /* "SECONDS INT 90 10 7f" a line */
	const char *stream; /* the Unix socket with raw MIDI */
};

/* Starts it and waits until ALSA has the card (unless unplugged). `connect`: it calls the stream.
 */
void guest_desk_start(struct guest_desk *d, bool connect, bool unplugged);
void guest_desk_stop(struct guest_desk *d);
/* One line of control; the answer (static buffer) begins with "ok" or "error". */
const char *guest_desk_say(struct guest_desk *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The card comes and goes with the cable. */
void guest_desk_plug(struct guest_desk *d);
void guest_desk_unplug(struct guest_desk *d);
/* Number of ALSA's card "XTouch", or -1. */
int guest_desk_card(void);
