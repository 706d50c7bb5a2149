/*
 * engine.h - the core made to happen: inputs from the rings, one transaction each, committed before it is carried out
 *
 *	take an input, or a timer, or a step of what is left
 *	core: changes and outputs             nothing has happened yet: who dies here takes the input again
 *	journal, commit                       it happens from here on, whoever dies
 *	state records, outputs, cursor        who dies here leaves the rest to his successor (router_recover())
 *
 * A transaction of meters alone is sent without the journal: a level needs no durability. One that neither changes nor says
 * anything only moves the cursor. Knows segments and rings, but no process around them: driver.c is that.
 */
#pragma once

#include "procs/router/core.h"
#include "shm/dir.h"
#include "shm/journal.h"
#include "shm/outbox.h"

struct router_peer {
	struct bh_inbox *in;   /* borrowed; NULL = none */
	struct bh_outbox *out; /* borrowed; NULL = none */
	struct bh_dir *dir;    /* borrowed; NULL = none */
	uint32_t dir_seen, dir_epoch;
	bool dir_known;
	bool look; /* at its cells, once its ring is empty */
};

struct router {
	struct bh_core *core; /* owned */
	struct bh_tx tx;      /* owned */
	struct bh_journal journal;
	struct bh_record *records; /* borrowed: our state segment */
	uint32_t record_count;
	struct bh_self *self; /* borrowed: our own */
	struct router_peer peer[BH_MAX_SLOTS];
	uint32_t outs; /* bit per slot: who has a ring from us */
	/* The time of an input; NULL as `ev` = now. Set for tests that turn the clock; default bh_now_ns(). */
	uint64_t (*clock)(const struct bh_event *ev);
	bool dirty; /* the state changed since this was cleared */
	struct bh_account *account; /* borrowed, may be NULL: see BH_SEC_ACCOUNT */
	struct bh_hist *taken; /* borrowed, may be NULL: from an event's stamp until its outputs were published */
};

/* Attach to our state and private segments. 0 or -errno; router_fini() in any case. */
int router_init(struct router *r, const struct bh_seg *state, const struct bh_seg *priv, struct bh_self *self);
void router_fini(struct router *r);

/*
 * With the peers in place: finish the transaction that a predecessor committed, then load the records. Those whose check sum
 * fails are dropped and counted. Returns how many were.
 */
int router_recover(struct router *r);

/* Take a configuration into use, read all directories, look at all memories. As bh_core_config(). */
int router_config(struct router *r, const struct bh_config *config, const struct bh_core_options *opt, char *why,
		  size_t cap);

/*
 * Write the router's own parameters into a directory of its own, where that does not say the same already. 0, -ENOSPC: not all of
 * them fit.
 */
int router_tell_room(struct router *r, struct bh_dir *dir);

/* The peer's rings or directory are other ones than before (or gone: all NULL). While running, meet it then. */
void router_peer_changed(struct router *r, uint16_t slot, struct bh_inbox *in, struct bh_outbox *out, struct bh_dir *dir);
/* Read its directory, tell it what its memory does not have, and look at what it says. */
void router_meet(struct router *r, uint16_t slot);

/*
 * Take events from a peer, at most a batch; when its ring is empty and it has conflated, look at its cells. `mail` (may be
 * NULL) is called for BH_EV_MAIL after the cursor has moved; false = the ring may be another one by now, stop. What the supervisor
 * says is taken before each event of others.
 */
void router_drain(struct router *r, uint16_t slot, bool (*mail)(void *data), void *data);

/* One event of it: 1 taken, 0 none, -EINTR as above. Does not look at cells. */
int router_take(struct router *r, uint16_t slot, bool (*mail)(void *data), void *data);

/* What is due by `until_ns`, each at its own time; the true time is `now_ns`. */
void router_timers(struct router *r, uint64_t until_ns, uint64_t now_ns);
/* Everything that is left to render or to tell. */
void router_steps(struct router *r);
