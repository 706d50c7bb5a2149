/*
 * policy.h - what the supervisor decides about one process, as a pure table of state x event
 *
 * Nothing here looks at a clock or a process: an event and the time go in, the next state and what to do come out. The
 * state is plain data that survives the supervisor (table.c keeps it), so a successor goes on counting where the last one
 * stopped.
 *
 * Failures are counted against a window which one good start does not reset: who becomes ready and dies at once, again
 * and again, ends in FAILED like anyone else. Only a person (start, release) or a new configuration lifts that.
 *
 *   stopped -start-> starting -ready-> running -hang-> ending -died-> judged: starting, backing-off or failed
 *   starting, running -died-> judged; -stop/hold/restart-> leaving -died-> stopped / held / starting
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

enum bh_policy_state {
	BH_POL_STOPPED,	    /* not running, by wish (or not yet started) */
	BH_POL_STARTING,    /* spawned, not yet ready; the deadline is for READY */
	BH_POL_RUNNING,
	BH_POL_ENDING,	    /* hung or never ready: SIGABRT sent, SIGKILL at the deadline */
	BH_POL_LEAVING,	    /* asked to leave, SIGKILL at the deadline; `after` says what follows */
	BH_POL_BACKING_OFF, /* spawned again at the deadline */
	BH_POL_FAILED,	    /* crash loop: waits for a person or a new configuration */
	BH_POL_HELD,	    /* taken out by a person */
	BH_POL_STATES
};

enum bh_policy_event {
	BH_POL_EV_START,
	BH_POL_EV_STOP,
	BH_POL_EV_HOLD,
	BH_POL_EV_RELEASE,
	BH_POL_EV_RESTART,
	BH_POL_EV_READY,
	BH_POL_EV_DIED,	  /* also: could not be spawned at all */
	BH_POL_EV_HANG,
	BH_POL_EV_OVER,	  /* it is over a limit */
	BH_POL_EV_CONFIG, /* its configuration changed */
	BH_POL_EV_TIMER,  /* the deadline has passed */
	BH_POL_EVENTS
};

/* What to do, any of these at once. */
#define BH_POL_DO_SPAWN	  1u
#define BH_POL_DO_LEAVE	  2u  /* ask it to leave: STOP message and SIGTERM */
#define BH_POL_DO_ABORT	  4u
#define BH_POL_DO_KILL	  8u
#define BH_POL_DO_ABANDON 16u /* it will not die: forget the process, its segments are lost */
#define BH_POL_DO_FRESH	  32u /* with SPAWN: new segments first */
#define BH_POL_DO_REVERT  64u /* the configuration kills its readers: take the one before */
#define BH_POL_REFUSED	  128u/* the wish makes no sense in this state; nothing changed */

#define BH_POLICY_DEATHS 32u /* remembered: the largest crash limit */

struct bh_policy_limits {
	uint32_t crash_limit; /* failures within the window that end in FAILED; 0 = never */
	uint64_t crash_window_ns;
	uint64_t backoff_first_ns, backoff_max_ns; /* before the second restart, doubling; the first is immediate */
	uint64_t ready_ns; /* STARTING for longer is a failure */
	uint64_t stop_ns;  /* LEAVING for longer is killed */
	uint64_t abort_ns; /* between SIGABRT and SIGKILL; 0 = SIGKILL at once */
	uint64_t bury_ns;  /* after SIGKILL: who still lives is abandoned */
};

struct bh_policy {
	uint8_t state;	       /* enum bh_policy_state */
	uint8_t after;	       /* ENDING, LEAVING: the state that follows the death; 0xff = as judged */
	uint8_t cause;	       /* enum bh_cause that we gave ourselves (HANG, LIMIT, NEVER_READY), NONE = as the kernel says */
	uint8_t killed;	       /* SIGKILL was sent */
	uint8_t attach_deaths; /* in a row, with `attaching` set */
	uint8_t config_deaths; /* in a row, under a configuration that it never was ready with */
	uint8_t fresh;	       /* the next start gets new segments */
	uint8_t pad;
	uint32_t deaths;       /* failures ever: index of the next in death_ns */
	uint32_t pad2;
	uint64_t deadline_ns;  /* CLOCK_MONOTONIC, 0 = none */
	uint64_t death_ns[BH_POLICY_DEATHS];
	uint8_t death_cause[BH_POLICY_DEATHS]; /* enum bh_cause */
};

struct bh_policy_input {
	enum bh_policy_event event;
	/* DIED only */
	enum bh_cause cause;
	bool attaching; /* its self segment says that it was attaching */
	bool unproven;	/* it was never ready with the configuration in use, and there is one before */
};

/* Apply one event. Returns what to do (BH_POL_...). Times are CLOCK_MONOTONIC. */
unsigned bh_policy_step(struct bh_policy *p, const struct bh_policy_limits *limits,
			const struct bh_policy_input *in, uint64_t now_ns);

/* Failures within the window that ends now. */
uint32_t bh_policy_recent(const struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns);

/* The same by cause: `count` has room for each enum bh_cause. */
#define BH_POLICY_CAUSES (BH_CAUSE_UNKNOWN + 1u)
void bh_policy_causes(const struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns, uint32_t count[BH_POLICY_CAUSES]);

/* The pause before a restart after the n-th failure within the window (from 1: none). */
uint64_t bh_policy_backoff_ns(const struct bh_policy_limits *limits, uint32_t recent);

/* The health that the state alone implies; RUNNING: OK, and the process knows better. */
enum bh_health bh_policy_health(const struct bh_policy *p);

/* Has it a process (as far as we know)? */
bool bh_policy_is_alive(const struct bh_policy *p);

/* Does a person or the configuration want it to run? */
bool bh_policy_is_wanted(const struct bh_policy *p);

/* Bring a state that was read from memory into its bounds: a torn or foreign one must not lead us astray. */
void bh_policy_sanitise(struct bh_policy *p);

const char *bh_policy_state_name(unsigned state);
