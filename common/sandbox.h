/*
 * sandbox.h - what a process gives up once it has attached
 *
 * A process that a peer has taken over, or that scribbles, still runs as its user, and a user may re-open the read-only
 * descriptor of a peer's segment for writing through /proc/self/fd. A seccomp filter takes that away, and with it other
 * programs, other processes and the network, except for what the process's row says it needs. docs/decisions/0011 says
 * what this covers and what not.
 */
#pragma once

#include <stdint.h>

enum bh_sandbox_may {
	BH_MAY_CREATE = 1,   /* new files (O_CREAT with O_EXCL), rename, unlink; still no existing file for writing */
	BH_MAY_UNIX = 2,     /* sockets of this machine */
	BH_MAY_UDP = 4,	     /* datagrams */
	BH_MAY_THREADS = 8,
	BH_MAY_TCP = 32,     /* streams to hosts; it waits for none unless BH_MAY_UNIX. Names of hosts need BH_MAY_UDP, too: they are asked for by datagrams */
	BH_MAY_OPEN_RW = 16, /* devices that come and go: a filter sees no paths, so this gives up BH_HOLDS_READ_ONLY */
};

/* Where nothing can be confined: why. */
#if defined(BH_SANITIZED)
#define BH_UNCONFINED "sanitizers look for leaks from a process of their own"
#elif defined(BH_COVERED)
#define BH_UNCONFINED "coverage is written into existing files at the end"
#elif !defined(__x86_64__) && !defined(__aarch64__)
#define BH_UNCONFINED "no list of system calls for this machine type"
#endif

/* One row: all zero is the tightest. */
struct bh_sandbox {
	uint32_t may;	    /* enum bh_sandbox_may */
	const char *reason; /* why it needs that; may be NULL if it needs nothing */
};

/*
 * From here on the calling thread and those it will start are confined, for good; call it while there is one thread.
 * Returns what holds (BH_HOLDS_ bits of shm/layout.h), 0 if the build is BH_UNCONFINED, or -errno. Says at level dbg which.
 */
int bh_sandbox_enter(const struct bh_sandbox *box);
