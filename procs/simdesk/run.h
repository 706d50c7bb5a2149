/*
 * run - playing a script on a desk
 *
 * In:    a script, the time
 * Out:   hands on the desk; what is said goes to env->print; whether all expectations were met
 * Fails: an expectation that is not met in time ends the script, with the place, what was expected and what was seen.
 *
 * Nothing here sleeps: run_step() does what can be done now and says when it wants to be called again. It must
 * also be called whenever the desk may have changed. Several scripts can play on one desk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"
#include "procs/simdesk/script.h"

/* What the scripts on one desk share. */
struct run_env {
	struct desk *desk;   /* borrowed */
	struct cable *cable; /* borrowed */
	/* Open or close the port. 0 or -errno. May be NULL. */
	int (*plug)(void *data, bool in);
	void *data;
	uint64_t within_ns; /* deadline of an expectation that names none */
	uint64_t mark[DESK_COUNTS];
	bool quit; /* a script said so */
};

enum { RUN_DEPTH = 16, RUN_SAW = 600 };

struct run_frame {
	const struct script_block *block; /* borrowed */
	size_t at;
	int64_t left; /* repetitions after this one */
};

struct run_load {
	bool on;
	const struct script_stmt *stmt; /* borrowed */
	uint64_t rng, next_ns, end_ns;
};

struct run {
	struct run_env *env;	      /* borrowed */
	const struct script *script;  /* borrowed */
	void (*print)(void *data, const char *text); /* text ends its own lines */
	void *data;
	struct run_frame frame[RUN_DEPTH];
	unsigned depth; /* frames in use; 0 = at the end */
	uint64_t start_ns;
	bool began;         /* the statement in hand has been looked at before */
	uint64_t began_ns;
	bool holds;         /* of expect: the condition is true, since hold_ns */
	uint64_t hold_ns, looked_ns, quiet_bytes;
	int64_t done;       /* of turn: ticks sent so far */
	struct run_load load;
	char saw[RUN_SAW];  /* why it failed */
};

enum run_result { RUN_DONE, RUN_WAITING, RUN_FAILED };

void run_start(struct run *r, struct run_env *env, const struct script *s, uint64_t now_ns);
/* *next_ns: when to come again at the latest; 0 = when something happens. */
enum run_result run_step(struct run *r, uint64_t now_ns, uint64_t *next_ns);
