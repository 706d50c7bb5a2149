/*
 * proc.h - the runtime of a process: attach, loop, sleep, be told, leave
 *
 * A process gets its identity and descriptors on descriptor 3 (spawn.h), maps its own segments for writing and its peers' for
 * reading, says that it is ready, and then runs one loop: drain the inboxes, run due timers, ring the peers' bells once,
 * sleep. All allocation happens at attach, at reload, or when a peer gets new segments.
 *
 * Order of files to read: this header, then any driver bottom-up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/compiled.h"
#include "common/config/table.h"
#include "common/loop.h"
#include "common/request.h"
#include "common/sandbox.h"
#include "shm/dir.h"
#include "shm/hist.h"
#include "shm/outbox.h"

struct bh_proc;

/* Another process as we see it. */
struct bh_peer {
	uint16_t slot;
	uint8_t role;	     /* enum bh_role */
	bool present;
	bool has_in, has_out, has_dir;
	char name[32], kind[24];
	uint32_t health;     /* as the supervisor told us last */
	struct bh_seg self_seg, params_seg, state_seg; /* read-only mappings, zeroed if none */
	const struct bh_self *self;
	struct bh_dir dir;
	struct bh_inbox in;  /* its ring to us */
	struct bh_outbox out;/* our ring to it */
	int bell_wr;	     /* owned, -1 if none */
	/* owed work: what it had consumed when we looked last */
	uint64_t owed_cursor, owed_since_ns;
	bool owed_told;	     /* the supervisor knows */
};

struct bh_proc_ops {
	const char *kind;	/* "router": the binary is bh-<kind> */
	enum bh_role role;
	size_t state_size;	/* zeroed for us */
	const struct bh_cfg_field *fields; /* own configuration keys, may be NULL */
	size_t config_size;	/* of the struct they fill */
	struct bh_sandbox sandbox; /* what it needs beyond its segments, each line with its reason; nothing = the tightest */
	const char *const *hists; /* names of latency histograms, NULL-terminated, at most 8 */
	void (*describe)(FILE *out); /* further parts of --describe (drivers: parameters, actions); may be NULL */
	/* --no-supervisor: make what the supervisor would have and set proc->spawn_fd. 0 = go on, else an exit code. NULL = not offered */
	int (*standalone)(struct bh_proc *proc, int argc, char **argv);

	/* Attached, configuration there. 0 or -errno (after bh_proc_health() said why). */
	int (*start)(struct bh_proc *proc, void *state);
	/* Also after a failed start; half-built state is normal. `clean` = asked to leave. */
	void (*stop)(struct bh_proc *proc, void *state, bool clean);
	/* A peer's inbox has events or conflated ones. Consume (bh_proc_take()) until nothing is left. Not called for the
	 * supervisor's unless wants_supervisor. */
	void (*drain)(struct bh_proc *proc, void *state, struct bh_peer *peer);
	bool wants_supervisor; /* supervisor's health and result events go to drain, not to the runtime */
	/* A peer appeared, got fresh segments, or left (present = false). May be NULL. */
	void (*on_peer)(struct bh_proc *proc, void *state, struct bh_peer *peer);
	/* The health of another process changed (not called when wants_supervisor). May be NULL. */
	void (*on_health)(struct bh_proc *proc, void *state, struct bh_peer *peer);
	/* The supervisor asks something of us, or passes on what a person asks (request.h; `args` NULL: it has none). Answer the latter
	 * by bh_proc_answer(). Not called when wants_supervisor. May be NULL. */
	void (*on_request)(struct bh_proc *proc, void *state, const struct bh_event *ev, const struct bh_request_args *args);
	/* New configuration is mapped in proc->config / proc->options / bh_proc_config(); the old one is valid until we return.
	 * 0, or -errno = refused with `why` filled: the old one stays in use. */
	int (*on_config)(struct bh_proc *proc, void *state, const void *new_config, char *why, size_t cap);
	/* All inboxes are empty, timers ran; outboxes are flushed after it. May be NULL. */
	void (*before_sleep)(struct bh_proc *proc, void *state);
};

struct bh_proc {
	const struct bh_proc_ops *ops;
	void *state;
	uint16_t slot;
	char name[32];
	bool successor;	  /* not the first life of this slot */
	bool standalone;  /* no supervisor: own segments, and a router in ourselves */
	bool confined;	  /* it was a spare: before it attached */
	uint64_t holds;	  /* BH_HOLDS_ bits, once confined */
	bool quit;
	struct bh_seg self_seg, params_seg, state_seg, private_seg, table_seg;
	struct bh_self *self; /* ours, writable */
	struct bh_account *account; /* of peer and class, in the same segment; NULL if it has none */
	struct bh_hist *hists;
	struct bh_dir dir;    /* ours, writable (drivers) */
	struct bh_config config;
	struct bh_options options;
	void *cfg, *cfg_image;
	struct bh_loop *loop;
	struct bh_peer peer[BH_MAX_SLOTS];
	uint16_t woken_by; /* slot whose ring woke us, or BH_SLOT_NONE: its events are taken first */
	uint32_t ins, outs; /* bit per slot: who has a ring to us, from us. A turn touches no other peer's memory */
	struct bh_watch *mail_watch, *bell_watch;
	int spawn_fd, bell_rd;
	int device_fd;	  /* kept from a predecessor, -1 = none; owned until taken */
	uint64_t now_ns;  /* CLOCK_BOOTTIME of this turn */
	struct bh_timer *owed_timer;
	bool owed_remind; /* all who owe us something are known to the supervisor */
	uint64_t owed_due_ns, owed_step_ns; /* when it is due, and how long before that it was set */
};

/* main() of every process: options --describe, --version, --help, --no-supervisor. */
int bh_proc_main(int argc, char **argv, const struct bh_proc_ops *ops);

/* Our own configuration struct, filled from the table. */
const void *bh_proc_config(const struct bh_proc *proc);

/*
 * Take the next event from a peer: 1 = there (payload of `*len` bytes in the caller's buffer of BH_PAYLOAD_MAX), 0 = none.
 * A broken one is counted, skipped and reported once. Call bh_proc_done() when it is processed, or before a side
 * effect that must not happen twice.
 */
int bh_proc_take(struct bh_proc *proc, struct bh_peer *peer, struct bh_event *ev, uint8_t *payload, size_t *len);
void bh_proc_done(struct bh_proc *proc, struct bh_peer *peer, const struct bh_event *ev);

/* Put an event into the outbox for a peer (outbox.h); counts; the bell rings at the end of the turn. */
int bh_proc_put(struct bh_proc *proc, struct bh_peer *peer, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags);
int bh_proc_send(struct bh_proc *proc, struct bh_peer *peer, const struct bh_event *ev, const void *payload, size_t len);
/* Ring now, not at the end of the turn (before a long call). */
void bh_proc_flush(struct bh_proc *proc);

struct bh_peer *bh_proc_router(struct bh_proc *proc);
struct bh_peer *bh_proc_peer(struct bh_proc *proc, uint16_t slot); /* NULL if absent */

/* The answer to a request that on_request() was given: now or later, by its number. 0 or -errno; text for people, printf-style. */
void bh_proc_answer(struct bh_proc *proc, uint32_t number, int err, const char *text, ...) __attribute__((format(printf, 4, 5)));

/* Say how we are. Only a change is written, logged and told to the supervisor. printf-style reason; hint may be NULL. */
void bh_proc_health(struct bh_proc *proc, enum bh_health health, const char *hint, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));

/* A call that may take long: no hang is called before `limit_ms`. 0 ends it. */
void bh_proc_busy(struct bh_proc *proc, uint32_t limit_ms);

/* Have the supervisor and keeper keep a copy of a device's descriptor for our successor (-1: forget it). */
int bh_proc_keep_device(struct bh_proc *proc, int fd);

/* Read and act on what lies in the socketpair (for processes with wants_supervisor, on BH_EV_MAIL). */
void bh_proc_mail(struct bh_proc *proc);

static inline void
bh_count(struct bh_proc *proc, enum bh_counter c, uint64_t n)
{
	__atomic_store_n(&proc->self->counter[c], proc->self->counter[c] + n, __ATOMIC_RELAXED);
}
