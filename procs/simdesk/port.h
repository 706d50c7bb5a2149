/*
 * port - the socket of the simulated desk: where the host's end of the cable is
 *
 * In:    bytes of the host, at the pace of the cable; they go to the desk
 * Out:   the cable's queue
 * Fails: a host that goes away is a pulled cable; the port waits for the next one. A path that cannot be opened is
 *        an error of port_open(). Nothing blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"

enum port_kind {
	PORT_LISTEN,  /* a Unix stream socket; a new host takes the place of the one before */
	PORT_CONNECT, /* to such a socket, again and again */
	PORT_PTY,     /* path, if any, becomes a link to the terminal; nobody can tell whether a host is there */
};

struct port {
	enum port_kind kind;
	const char *path;      /* borrowed; may be NULL for a pty */
	struct bh_loop *loop;  /* borrowed */
	struct desk *desk;     /* borrowed */
	struct cable *cable;   /* borrowed */
	char pty_name[64];
	int listen_fd, fd, slave_fd; /* owned; -1 = none */
	struct bh_watch *listen_watch, *watch;
	uint32_t events;       /* what watch waits for */
	bool blocked;          /* the host does not read: wait until it does */
	bool open;
	uint64_t retry_ns;     /* of a connection; 0 = none */
};

/*
 * A Unix stream socket that listens at path (owned by the caller), or -errno. A socket that nobody listens at any more is
 * replaced; one that is in use gives -EADDRINUSE.
 */
int port_listen_at(const char *path);

void port_init(struct port *p, enum port_kind kind, const char *path, struct bh_loop *loop,
	       struct desk *desk, struct cable *cable);
/* 0 or -errno. Opening what is open, and closing what is closed, does nothing. */
int port_open(struct port *p);
void port_close(struct port *p);

/* Write what can be written, read on if the cable allows it again, connect if it is time. */
void port_pump(struct port *p, uint64_t now_ns);
/* When to pump again, apart from what the cable says; 0 = never. */
uint64_t port_next_ns(const struct port *p);
