/*
 * sandbox.h - what a process gives up once it has attached
 *
 * A process that a peer has taken over, or that scribbles, still runs as its user, and a user may re-open the read-only
 * descriptor of a peer's segment for writing through /proc/self/fd, read other people's passwords and end other processes. Several
 * mechanisms of the kernel take that away, each used where the kernel has it:
 *
 *   no new privileges   setuid programs are no way out (and the others need it)
 *   seccomp             no other program, no other process's memory, descriptors, limits or signals; files are opened to read; no sockets
 *   Landlock            the files and folders of its profile, the TCP ports of its profile, no signals and abstract sockets beyond itself
 *   limits              descriptors, processes, size of files; no core of who has a password
 *   MDWE                no memory becomes executable
 *   not dumpable        where there are passwords: no other process of the user may look into it
 *
 * A profile is a list of lines, each with its reason; all that is not in it is refused. docs/decisions/0011 says what this covers and what not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum bh_sandbox_may {
	BH_MAY_CREATE = 1,   /* new files (O_CREAT with O_EXCL), rename, unlink; still no existing file for writing */
	BH_MAY_UNIX = 2,     /* sockets of this machine */
	BH_MAY_UDP = 4,	     /* datagrams */
	BH_MAY_THREADS = 8,
	BH_MAY_OPEN_RW = 16, /* devices that come and go. A filter sees no paths: the modes of segments and Landlock say which files it may be */
	BH_MAY_TCP = 32,     /* streams to hosts; it waits for none unless BH_MAY_UNIX. Names of hosts need BH_MAY_UDP, too: they are asked for by datagrams */
	BH_MAY_MEMORY = 64,  /* makes memory for others */
	BH_MAY_SECRETS = 128,/* has passwords: nobody may look into it */
	/* each with a path; what is not there is left out */
	BH_MAY_READ = 256,
	BH_MAY_KEEP = 512,   /* a folder: files are made, renamed, removed there */
	BH_MAY_USE = 1024,   /* opened to read and write, and asked by ioctl */
	BH_MAY_PORT = 2048,  /* connects to this TCP port */
	BH_MAY_FILES = 4096, /* so many descriptors, not the usual 512 */
};

/* Where nothing can be confined: why. */
#if defined(BH_SANITIZED)
#define BH_UNCONFINED "sanitizers look for leaks from a process of their own"
#elif defined(BH_COVERED)
#define BH_UNCONFINED "coverage is written into existing files at the end"
#elif !defined(__x86_64__) && !defined(__aarch64__)
#define BH_UNCONFINED "no list of system calls for this machine type"
#endif

struct bh_sandbox_line {
	uint32_t may;	  /* one of enum bh_sandbox_may; 0 = the end */
	const char *what; /* its path, or number; NULL = none, or as configured: see bh_sandbox.configured */
	const char *why;
};

struct bh_sandbox_plan;

/* A profile. All zero is the tightest. */
struct bh_sandbox {
	struct bh_sandbox_line line[16];
	/*
	 * What depends on the process's own configuration: adds paths and ports, takes away what this configuration does not need. Only keys
	 * that restart the process may decide here. May be NULL.
	 */
	void (*configured)(struct bh_sandbox_plan *plan, const void *config);
};

#define BH_SANDBOX_PATHS 40u
#define BH_SANDBOX_PORTS 4u

/* A profile for one life. */
struct bh_sandbox_plan {
	uint32_t may; /* those without a path */
	uint32_t files;
	unsigned paths, ports;
	struct bh_sandbox_path {
		uint32_t may;
		char path[256];
	} path[BH_SANDBOX_PATHS];
	uint16_t port[BH_SANDBOX_PORTS];
};

void bh_sandbox_plan(struct bh_sandbox_plan *plan, const struct bh_sandbox *box, const void *config);
/* For configured(): `may` with a path (empty ones are left out), the folder that a path is in, a port; take away. */
void bh_sandbox_path(struct bh_sandbox_plan *plan, uint32_t may, const char *path);
void bh_sandbox_parent(struct bh_sandbox_plan *plan, uint32_t may, const char *path);
void bh_sandbox_port(struct bh_sandbox_plan *plan, uint16_t port);
void bh_sandbox_drop(struct bh_sandbox_plan *plan, uint32_t may);
/* What getaddrinfo() reads to find this host. False: it is a number, and needs nothing. */
bool bh_sandbox_host(struct bh_sandbox_plan *plan, const char *host);

/* Where libasound looks for configuration in the user's home. */
void bh_sandbox_home(struct bh_sandbox_plan *plan);

/*
 * From here on the calling thread and those it will start are confined, for good; call it while there is one thread.
 * Returns what holds (BH_HOLDS_ bits of shm/layout.h) and what the kernel does not have (BH_LACKS), 0 if the build is BH_UNCONFINED. Says
 * at level dbg which. A spare does all that it can before it is needed (early), the rest when it has its configuration (late).
 *
 * Who has secrets writes no core and is looked into by root alone, unless BULKHEAD_DEBUG=1 is in the environment; all others write cores as
 * the limits say. In builds for tests BULKHEAD_SANDBOX=trap ends a process at the first call that is refused, with its name on stderr.
 */
uint64_t bh_sandbox_enter(const struct bh_sandbox_plan *plan);
uint64_t bh_sandbox_enter_early(const struct bh_sandbox *box);
uint64_t bh_sandbox_enter_late(const struct bh_sandbox *box, const void *config, uint64_t holds);

/* --sandbox: its profile, a line each: word, path or number or -, reason; between them tabs. */
void bh_sandbox_print(FILE *out, const struct bh_sandbox *box);
const char *bh_sandbox_may_name(uint32_t may);

/* What the bits of bh_self.holds mean. */
struct bh_sandbox_word {
	uint64_t bit;
	const char *name; /* as in answers */
	const char *what; /* for people: what is refused */
	const char *since;/* which kernel has it */
};
extern const struct bh_sandbox_word bh_sandbox_words[];
extern const size_t bh_sandbox_word_count;
