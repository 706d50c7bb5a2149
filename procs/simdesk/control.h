/*
 * control - other programs play the desk: lines of script by a Unix stream socket
 *
 * In:    lines; each is a script of its own, played when the one before is over
 * Out:   for each line what it prints ("{..." JSON, "# ..." text), then one of: "ok", "fail PLACE: what was seen",
 *        "error PLACE: what is wrong in the line"
 * Fails: a client that does not read, or sends a line without end, is dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "procs/simdesk/run.h"

enum { CONTROL_CLIENTS = 8, CONTROL_LINE_MAX = 16384, CONTROL_OUT_MAX = 4 << 20 };

struct control_client {
	int fd; /* owned; -1 = free */
	struct control *control;
	struct bh_watch *watch;
	uint32_t events;
	size_t have;
	char in[CONTROL_LINE_MAX];
	char *out; /* owned */
	size_t out_len, out_cap;
	struct script *script; /* owned; of the line in hand, or NULL */
	struct run run;
	bool over; /* no more lines will come */
};

struct control {
	const char *path;	/* borrowed */
	struct bh_loop *loop;	/* borrowed */
	struct run_env *env;	/* borrowed */
	int listen_fd;		/* owned */
	struct bh_watch *listen_watch;
	struct control_client client[CONTROL_CLIENTS];
};

/* 0 or -errno. */
int control_open(struct control *c, const char *path, struct bh_loop *loop, struct run_env *env);
void control_close(struct control *c);
/* Play on. *next_ns: when to come again at the latest; 0 = when something happens. */
void control_step(struct control *c, uint64_t now_ns, uint64_t *next_ns);
