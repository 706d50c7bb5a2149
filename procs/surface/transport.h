/*
 * transport - the wire to a device, behind five operations
 *
 * A transport is open (fd is the device) or absent (hint_fd, if there is one, becomes readable when it is worth trying to
 * open again: a node appeared, a port was announced). All descriptors are non-blocking. Nothing is logged here: the
 * driver says what it means for people.
 *
 * Errors of read and write: -EAGAIN nothing now; anything else: the device is gone, close and wait for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport_config {
	const char *path; /* socket: of the Unix socket or the pty */
	/* rawmidi, sequencer: patterns, see transport_matches(); empty = any */
	const char *card;
	const char *port;
	const char *usb; /* "1397:00b4", empty = any */
	const char *name; /* of our own sequencer client */
};

struct transport;

struct transport_ops {
	const char *name;
	bool keeps; /* the descriptor works for a successor too */
	/* 0 = open; -ENODEV not there, -EACCES, -EBUSY, ... */
	int (*open)(struct transport *t);
	/* Go on with a predecessor's descriptor (owned from now on). 0, or -errno with the descriptor closed. */
	int (*adopt)(struct transport *t, int fd);
	ssize_t (*read)(struct transport *t, void *buf, size_t len);
	ssize_t (*write)(struct transport *t, const void *buf, size_t len);
	void (*close)(struct transport *t); /* back to absent; fine when absent */
	/* hint_fd is readable: read it out; it may be another afterwards, or -1 until the next open. True = try to open now. */
	bool (*hint)(struct transport *t);
	void (*fini)(struct transport *t);
};

struct transport {
	const struct transport_ops *ops;
	struct transport_config cfg; /* texts borrowed: outlive the transport */
	int fd;	     /* owned while open, else -1 */
	int hint_fd; /* owned, or -1 */
	char what[96]; /* the device in words, once it was opened */
	void *own;   /* the transport's own, owned */
};

extern const struct transport_ops transport_socket, transport_rawmidi, transport_seq;

/* Take a configuration; makes the hint. 0 or -errno. */
int transport_init(struct transport *t, const struct transport_ops *ops, const struct transport_config *cfg);
/* A zeroed one is fine. */
void transport_fini(struct transport *t);

/* ---- used by the transports ---- */

/*
 * How well does a text fit a pattern? The pattern is a list of alternatives "a|b|" in order of preference; one fits if it stands
 * anywhere in the text; the empty one fits all. Returns the number of the alternative from 0, or -1. Pure.
 */
int transport_matches(const char *pattern, const char *text);
