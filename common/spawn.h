/*
 * spawn.h - what passes over the socketpair that a process is started with
 *
 * A SOCK_SEQPACKET pair; the child's end is descriptor 3 (BH_SPAWN_FD). Each message is one struct bh_spawn_msg and up to
 * BH_SPAWN_FDS descriptors by SCM_RIGHTS, described one by one in `fd[]`. Only set-up travels here, never events. A running
 * process watches descriptor 3, in its epoll or by SIGIO when it sleeps on futexes (common/proc.c); BH_EV_MAIL in the supervisor's
 * ring may say the same to a process that does neither.
 *
 * The same messages pass between supervisor and keeper, which parses nothing in them but type and slot.
 */
#pragma once

#include <stdint.h>

#include "shm/layout.h"

#define BH_SPAWN_FD 3
#define BH_SPAWN_MAGIC 0x4d505342u
#define BH_SPAWN_FDS 120u
#define BH_EXIT_UNATTACHED 75 /* of a process whose own segments cannot be used: twice, and it gets fresh ones */

enum bh_spawn_type {
	BH_SPAWN_ATTACH = 1, /* to child: your identity and descriptors; may come in several messages, the last with BH_SPAWN_LAST */
	BH_SPAWN_PEER,	     /* to child: segments of a peer, new or fresh (epoch): replace what you have */
	BH_SPAWN_PEER_GONE,  /* to child: forget this peer (taken out of the configuration) */
	BH_SPAWN_CONFIG,     /* to child: new configuration: descriptors CONFIG and OPTIONS */
	BH_SPAWN_CONFIG_BACK,/* from child: configuration `value` taken (error 0) or refused (text) */
	BH_SPAWN_STDERR,     /* to child: a new standard error (log rotation) */
	BH_SPAWN_STOP,	     /* to child: leave cleanly now (SIGTERM says the same) */
	BH_SPAWN_READY,	     /* from child: attached and running */
	BH_SPAWN_DEVICE,     /* from child: keep a copy of this descriptor, hand it to my successor; no descriptor: forget it */
	BH_SPAWN_KEEP,	     /* supervisor to keeper: keep these */
	BH_SPAWN_FORGET,     /* supervisor to keeper: slot's descriptors (or one role of them) are no longer needed */
	BH_SPAWN_HANDOVER,   /* keeper to a new supervisor: everything kept, many messages, the last with BH_SPAWN_LAST; value = when
			      * it was started */
	BH_SPAWN_REAPED,     /* keeper to supervisor: an orphan ended: value = pid, error = wait status */
	BH_SPAWN_QUIT,	     /* supervisor to keeper: clean end, do not restart me */
	BH_SPAWN_PARK,	     /* to child, before ATTACH: you are a spare: do all that needs no identity, say PARKED, and wait */
	BH_SPAWN_PARKED,     /* from child: value = version of the shared layouts, kind and text = what program of which version */
};

#define BH_SPAWN_LAST 1u
#define BH_SPAWN_SUCCESSOR 2u /* attach: you are not the first life of this slot */
#define BH_SPAWN_UNCHANGED 4u /* bh-config: the file has one of the texts that are not wanted again */

enum bh_fd_role {
	BH_FD_SELF = 1,	  /* slot = whose; rw for the owner, ro for others */
	BH_FD_OUTBOX,	  /* slot = from, peer = to */
	BH_FD_PARAMS,
	BH_FD_STATE,
	BH_FD_PRIVATE,
	BH_FD_CONFIG,	  /* compiled configuration of the pipeline */
	BH_FD_OPTIONS,	  /* this process's own options */
	BH_FD_TABLE,	  /* process table */
	BH_FD_BELL_RD,	  /* read end of slot's bell */
	BH_FD_BELL_WR,	  /* write end of slot's bell */
	BH_FD_DEVICE,	  /* a device's descriptor kept for slot */
	BH_FD_STDERR,
	BH_FD_SOCKET,	  /* the supervisor's end of slot's socketpair (keeper only) */
	BH_FD_CHILD_SOCKET, /* the child's end (keeper only, until the child has it) */
	BH_FD_SOURCE,	  /* the text that the compiled configuration was made of (never to a process: it may hold passwords) */
	BH_FD_CHANGES,	  /* bh-config to supervisor: what is different from the configuration in use, for people */
	BH_FD_FILE_WATCH, /* the inotify descriptor of the configuration file (keeper only): its last close takes the kernel 20 ms */
	BH_FD_PROGRAM,	  /* the file that slot is started from, in place of that of its name (keeper only) */
	BH_FD_LOCK,	  /* the locked pid file (keeper only): while anybody has it open, nobody else starts a pipeline here */
};

struct bh_spawn_fd {
	uint16_t role; /* enum bh_fd_role */
	uint16_t slot;
	uint16_t peer;
	uint16_t flags; /* BH_SPAWN_FD_RW: opened for writing */
};
#define BH_SPAWN_FD_RW 1u

struct bh_spawn_msg {
	uint32_t magic;
	uint16_t type;
	uint16_t slot;	/* whom it is about */
	uint16_t flags;
	uint16_t nfds;
	int32_t error;
	uint64_t value;
	char text[96];	/* name of the slot (ATTACH, PEER), reason */
	char kind[24];
	uint8_t role;	/* enum bh_role of the slot */
	uint8_t pad[7];
	struct bh_spawn_fd fd[BH_SPAWN_FDS];
};
static_assert(sizeof(struct bh_spawn_msg) == 152 + 8 * BH_SPAWN_FDS, "ABI");

/* Send with descriptors (borrowed: still ours after). 0 or -errno (-EAGAIN: the peer does not read). */
int bh_spawn_send(int sock, struct bh_spawn_msg *msg, const int *fds);
/*
 * Receive without waiting (`wait` = false) or until there is one. Descriptors (owned by the caller, close-on-exec) go to `fds`
 * (room for BH_SPAWN_FDS). 1 = a message, 0 = closed by the peer, -EAGAIN, -EPROTO = malformed (its descriptors are closed).
 */
int bh_spawn_recv(int sock, struct bh_spawn_msg *msg, int *fds, int wait);
