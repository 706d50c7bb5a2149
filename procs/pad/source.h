/*
 * source - where a pad's events come from: an evdev node, found by the pad's name, or a Unix socket
 * that delivers the same structs
 *
 * A node is asked for its state by ioctl. A socket cannot be asked: what it sends up to the first
 * SYN_REPORT, and up to the next one after lost frames, is its state.
 *
 * A pad that goes away gives ENODEV on reading; while there is none, hint_fd becomes readable when
 * it is worth looking again.
 */
#pragma once

#include <linux/input.h>
#include <stdbool.h>
#include <sys/types.h>

#include "procs/pad/model.h"

struct source_config {
	const char *path;   /* a node or socket; empty: the first pad of /dev/input that fits */
	const char *match;  /* part of its name, upper or lower case; empty: any */
	const char *serial; /* part of its serial number or Bluetooth address; empty: any */
	bool grab;
};

struct source {
	int fd;      /* owned, -1 = none */
	int hint_fd; /* owned, -1 = none */
	bool asks;   /* its state can be asked for */
	bool nintendo;
	char what[128];                           /* in words, once it was open */
	uint8_t part[sizeof(struct input_event)]; /* of an event, from a socket */
	size_t part_len;
};

void source_init(struct source *s);
void source_fini(struct source *s);
/* Watch, then look. 0, or -ENODEV none there, -EACCES one that fits and may not be opened, -EBUSY
 * another program has it for itself, ... */
int source_open(struct source *s, const struct source_config *cfg);
void source_close(struct source *s);
/* What it has and how it stands. 0 or -errno; -ENOTTY: it cannot be asked. */
int source_state(const struct source *s, struct pad_state *out);
/* At most `max` events; -EAGAIN none now, any other error: it is gone. */
ssize_t source_read(struct source *s, struct input_event *ev, size_t max);
/* For us alone, or for everybody. 0 or -errno. */
int source_grab(const struct source *s, bool on);
/* The hint was readable: true = worth to look. Watches anew with the next source_open(). */
bool source_hint(struct source *s);
