/*
 * sandbox.c - see sandbox.h
 *
 * The filter is a list of what is refused, not of what is allowed: a new libc may use a call that we have not heard of, and what
 * matters is that a process which has been taken over can do nothing to others. A call that is refused altogether is ENOSYS, as on a
 * kernel that has it not: libraries know that and take another way. One that is refused for its arguments is EPERM. Only calls by the
 * numbers of another machine type, which the list would miss, are deadly.
 */
#include "common/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "shm/layout.h"

BH_LOG_TOPIC("sandbox");

#define FILES_USUAL 512u
#define FILE_BYTES_MAX (1ull << 30)

const struct bh_sandbox_word bh_sandbox_words[] = {
	{BH_HOLDS_NO_PRIVS, "no-new-privileges", "programs with more rights give it none", "3.5"},
	{BH_HOLDS_CALLS, "seccomp", "no other program, no other process's memory, descriptors, limits or signals", "3.17"},
	{BH_HOLDS_READ_ONLY, "read-only", "nothing that exists is opened for writing: what it maps read-only stays so", "3.17"},
	{BH_HOLDS_NO_NETWORK, "no-network", "it speaks to this machine at most", "3.17"},
	{BH_HOLDS_PATHS, "landlock-paths", "it sees the files and folders of its profile only", "5.13"},
	{BH_HOLDS_PORTS, "landlock-ports", "TCP to the ports of its profile only", "6.7"},
	{BH_HOLDS_SCOPE, "landlock-scope", "no signals and abstract sockets of other processes", "6.12"},
	{BH_HOLDS_LIMITS, "limits", "descriptors, processes, size of files; no core where there is a password", "2.6"},
	{BH_HOLDS_NO_NEW_CODE, "no-new-code", "no memory becomes executable", "6.3; by seccomp before"},
	{BH_HOLDS_NO_DUMP, "no-dump", "it has a password: no other process of the user looks into it", "2.6"},
	{BH_HOLDS_TRAP, "trap", "for tests: a refused call ends it", "3.17"},
};
const size_t bh_sandbox_word_count = BH_ARRAY_LEN(bh_sandbox_words);

/* ------------------------------------------------------------------ profiles */

static const struct {
	uint32_t may;
	const char *name;
} may_names[] = {
	{BH_MAY_CREATE, "create"}, {BH_MAY_UNIX, "unix"}, {BH_MAY_UDP, "udp"}, {BH_MAY_THREADS, "threads"}, {BH_MAY_OPEN_RW, "open-rw"},
	{BH_MAY_TCP, "tcp"}, {BH_MAY_MEMORY, "memory"}, {BH_MAY_SECRETS, "secrets"}, {BH_MAY_READ, "read"}, {BH_MAY_KEEP, "keep"},
	{BH_MAY_USE, "use"}, {BH_MAY_PORT, "port"}, {BH_MAY_FILES, "files"},
};

const char *
bh_sandbox_may_name(uint32_t may)
{
	for (size_t i = 0; i < BH_ARRAY_LEN(may_names); i++)
		if (may_names[i].may == may)
			return may_names[i].name;
	return NULL;
}

void
bh_sandbox_path(struct bh_sandbox_plan *plan, uint32_t may, const char *path)
{
	if (!path || !path[0] || plan->paths == BH_SANDBOX_PATHS || strlen(path) >= sizeof(plan->path[0].path))
		return;
	struct bh_sandbox_path *p = &plan->path[plan->paths++];
	p->may = may;
	snprintf(p->path, sizeof(p->path), "%s", path);
}

void
bh_sandbox_parent(struct bh_sandbox_plan *plan, uint32_t may, const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	if (path[0])
		bh_sandbox_path(plan, may, slash ? folder : ".");
}

void
bh_sandbox_port(struct bh_sandbox_plan *plan, uint16_t port)
{
	if (plan->ports < BH_SANDBOX_PORTS)
		plan->port[plan->ports++] = port;
}

void
bh_sandbox_drop(struct bh_sandbox_plan *plan, uint32_t may)
{
	plan->may &= ~may;
}

bool
bh_sandbox_host(struct bh_sandbox_plan *plan, const char *host)
{
	static const char *const names[] = {"/usr", "/lib", "/etc/ld.so.cache", "/etc/hosts",    "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
					    "/etc/services", "/etc/resolv.conf"};
	/* Whoever writes these puts a new file in their place, and a rule is for the file that is there: so the folders. */
	static const char *const folders[] = {"/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager"};
	unsigned char number[16];
	if (inet_pton(AF_INET, host, number) == 1 || inet_pton(AF_INET6, host, number) == 1)
		return false;
	for (size_t i = 0; i < BH_ARRAY_LEN(names); i++)
		bh_sandbox_path(plan, BH_MAY_READ, names[i]);
	if (strcmp(host, "localhost") == 0)
		return true;
	for (size_t i = 0; i < BH_ARRAY_LEN(folders); i++)
		bh_sandbox_path(plan, BH_MAY_READ, folders[i]);
	return true;
}

void
bh_sandbox_home(struct bh_sandbox_plan *plan)
{
	static const char *const names[] = {".asoundrc", ".config/alsa"};
	const char *home = getenv("HOME");
	char path[PATH_MAX];
	for (size_t i = 0; home && *home && i < BH_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", home, names[i]);
		bh_sandbox_path(plan, BH_MAY_READ, path);
	}
}

static void
plan_line(struct bh_sandbox_plan *plan, const struct bh_sandbox_line *l)
{
	if (l->may & (BH_MAY_READ | BH_MAY_KEEP | BH_MAY_USE))
		bh_sandbox_path(plan, l->may, l->what);
	else if (l->may == BH_MAY_PORT && l->what)
		bh_sandbox_port(plan, (uint16_t)atoi(l->what));
	else if (l->may == BH_MAY_FILES)
		plan->files = (uint32_t)atoi(l->what);
	else
		plan->may |= l->may & ~BH_MAY_PORT;
}

void
bh_sandbox_plan(struct bh_sandbox_plan *plan, const struct bh_sandbox *box, const void *config)
{
	memset(plan, 0, sizeof(*plan));
	plan->files = FILES_USUAL;
	for (size_t i = 0; i < BH_ARRAY_LEN(box->line) && box->line[i].may; i++)
		plan_line(plan, &box->line[i]);
	if (box->configured && config)
		box->configured(plan, config);
}

void
bh_sandbox_print(FILE *out, const struct bh_sandbox *box)
{
	for (const struct bh_sandbox_line *l = box->line; l < box->line + BH_ARRAY_LEN(box->line) && l->may; l++)
		fprintf(out, "%s\t%s\t%s\n", bh_sandbox_may_name(l->may), l->what ? l->what : "-", l->why);
}

#ifndef BH_UNCONFINED

/* ------------------------------------------------------------------ seccomp */

#ifdef __x86_64__
#define OUR_ARCH AUDIT_ARCH_X86_64
#else
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

/* The low half of an argument: both machine types are little-endian, and all arguments we look at are ints. */
#define ARG(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))

#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_process_mrelease
#define __NR_process_mrelease 448
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#endif

struct call {
	int nr;
	const char *name;
};
#define CALL(x) {__NR_##x, #x}

/* clang-format off */
static const struct call never[] = {
	/* no other program */
	CALL(execve), CALL(execveat),
	/* no other process's memory, descriptors or signals; our own (abort) pass, see only_to_ourselves() */
	CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(pidfd_getfd), CALL(pidfd_open),
	CALL(pidfd_send_signal), CALL(tkill), CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo), CALL(kcmp),
	CALL(process_madvise), CALL(process_mrelease), CALL(migrate_pages), CALL(move_pages),
	/* their share of the machine */
	CALL(setpriority), CALL(ioprio_set),
	/* ways around the rules for opens */
	CALL(openat2), CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register), CALL(open_by_handle_at), CALL(name_to_handle_at),
	CALL(fanotify_init), CALL(truncate), CALL(memfd_secret), CALL(mknodat),
	/* memory and queues by global names */
	CALL(shmget), CALL(shmat), CALL(semget), CALL(msgget), CALL(mq_open), CALL(add_key), CALL(request_key), CALL(keyctl),
	/* what files are where */
	CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount), CALL(open_tree), CALL(fsopen),
	CALL(fsconfig), CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(unshare), CALL(setns), CALL(quotactl), CALL(swapon), CALL(swapoff),
	/* who it is */
	CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid), CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(setfsuid),
	CALL(setfsgid), CALL(capset), CALL(personality),
	/* the kernel itself, the clock, the machine's name */
	CALL(bpf), CALL(userfaultfd), CALL(perf_event_open), CALL(kexec_load), CALL(kexec_file_load), CALL(init_module),
	CALL(finit_module), CALL(delete_module), CALL(reboot), CALL(syslog), CALL(acct), CALL(settimeofday), CALL(clock_settime),
	CALL(clock_adjtime), CALL(adjtimex), CALL(sethostname), CALL(setdomainname), CALL(vhangup),
#ifdef __x86_64__
	CALL(creat), CALL(mknod), CALL(iopl), CALL(ioperm), CALL(modify_ldt), CALL(uselib),
#endif
};

static const struct call to_create[] = {
	CALL(unlinkat), CALL(renameat2), CALL(linkat), CALL(symlinkat), CALL(mkdirat), CALL(utimensat), CALL(setxattr), CALL(lsetxattr),
	CALL(removexattr), CALL(lremovexattr),
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __x86_64__
	CALL(unlink), CALL(rmdir), CALL(rename), CALL(link), CALL(symlink), CALL(mkdir), CALL(utime), CALL(utimes), CALL(futimesat),
#endif
};

/* Memory of a peer is no file by a name, but it has rights and a size. */
static const struct call to_make_memory[] = {
	CALL(memfd_create), CALL(ftruncate), CALL(fallocate), CALL(fchmod), CALL(fchown), CALL(fchmodat), CALL(fchownat), CALL(fchmodat2),
	CALL(fsetxattr), CALL(fremovexattr), CALL(flock),
#ifdef __x86_64__
	CALL(chmod), CALL(chown), CALL(lchown),
#endif
};

static const struct call to_start_threads[] = {
	CALL(clone), CALL(clone3),
#ifdef __x86_64__
	CALL(fork), CALL(vfork),
#endif
};

static const struct call to_speak[] = {CALL(socket), CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4)};
static const struct call to_be_called[] = {CALL(bind), CALL(listen), CALL(accept), CALL(accept4)};

/* Refused for some arguments: for their names only. */
static const struct call by_argument[] = {
	CALL(openat), CALL(kill), CALL(tgkill), CALL(prlimit64), CALL(fcntl), CALL(ioctl), CALL(mmap), CALL(mprotect), CALL(pkey_mprotect),
	CALL(sched_setscheduler), CALL(sched_setparam), CALL(sched_setattr), CALL(sched_setaffinity),
#ifdef __x86_64__
	CALL(open),
#endif
};
/* clang-format on */

/*
 * The kernel runs a filter once for each number that there is when it takes it, to know which calls always pass: what this costs is how many
 * steps there are to the answer. So numbers are found by halves, not one after the other.
 */
#define NUMBERS 512
#define RULES 24
enum { ALLOW, UNKNOWN, NO_SUCH_CALL, RULE };

struct program {
	struct sock_filter code[1024];
	unsigned short len;
	uint32_t unknown, refused; /* what to give for a call that it has not, and for arguments that it may not use */
	uint8_t answer[NUMBERS]; /* ALLOW, ...; from RULE on: its rule's number */
	unsigned short rule[RULES]; /* where it begins */
	uint8_t rules;
};

static void
put(struct program *p, unsigned code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->code[p->len++] = (struct sock_filter){.code = (uint16_t)code, .jt = jt, .jf = jf, .k = k};
}

static void
load(struct program *p, uint32_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void
give(struct program *p, uint32_t what)
{
	put(p, BPF_RET | BPF_K, what, 0, 0);
}

/* `what` if the word loaded last is `value`. */
static void
give_if(struct program *p, uint32_t value, uint32_t what)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	give(p, what);
}

static void
answer(struct program *p, int nr, unsigned what)
{
	if (nr < NUMBERS && p->answer[nr] == ALLOW)
		p->answer[nr] = (uint8_t)what;
}

static void
refuse_all(struct program *p, const struct call *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer(p, c[i].nr, UNKNOWN);
}

/* What follows is for one call, and gives an answer in the end. The first rule for it counts. */
static void
begin(struct program *p, int nr)
{
	answer(p, nr, (unsigned)RULE + p->rules);
	p->rule[p->rules++] = p->len;
}

/* Existing files are opened to read; new ones, if at all, so that they cannot be an old one by another name. */
static void
only_harmless_opens(struct program *p, int nr, unsigned flags_arg, uint32_t may)
{
	uint32_t harm = O_CREAT | O_TRUNC | (may & BH_MAY_OPEN_RW ? 0 : O_ACCMODE);
	begin(p, nr);
	if (may & BH_MAY_CREATE) {
		load(p, ARG(flags_arg));
		put(p, BPF_ALU | BPF_AND | BPF_K, O_CREAT | O_EXCL, 0, 0);
		give_if(p, O_CREAT | O_EXCL, SECCOMP_RET_ALLOW);
	}
	load(p, ARG(flags_arg));
	put(p, BPF_JMP | BPF_JSET | BPF_K, harm, 0, 1);
	give(p, p->refused);
	give(p, SECCOMP_RET_ALLOW);
}

/* The process that it is about is this one, by number or (where that stands for it) 0. */
static void
only_to_ourselves(struct program *p, int nr, bool zero)
{
	begin(p, nr);
	load(p, ARG(0));
	if (zero)
		give_if(p, 0, SECCOMP_RET_ALLOW);
	give_if(p, (uint32_t)getpid(), SECCOMP_RET_ALLOW);
	give(p, p->refused);
}

/* libzmq sets the class of each thread to what it is anyway, and dies if it may not: the filter cannot tell a thread from another process. */
static void
only_usual_classes(struct program *p)
{
	begin(p, __NR_sched_setscheduler);
	load(p, ARG(1));
	put(p, BPF_JMP | BPF_JGT | BPF_K, SCHED_RR, 0, 1);
	give(p, p->refused);
	give(p, SECCOMP_RET_ALLOW);
}

static void
only_these_sockets(struct program *p, uint32_t may)
{
	begin(p, __NR_socket);
	load(p, ARG(0));
	if (may & BH_MAY_UNIX)
		give_if(p, AF_UNIX, SECCOMP_RET_ALLOW);
	if (may & (BH_MAY_UDP | BH_MAY_TCP)) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
		give(p, p->refused);
		load(p, ARG(1));
		put(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
		if (may & BH_MAY_UDP)
			give_if(p, SOCK_DGRAM, SECCOMP_RET_ALLOW);
		if (may & BH_MAY_TCP)
			give_if(p, SOCK_STREAM, SECCOMP_RET_ALLOW);
	}
	give(p, p->refused);
}

/*
 * What can be done by a descriptor that others hold, too: bells are shared by all who ring them, so nobody may make one blocking or
 * smaller; signals by a descriptor go to ourselves; leases and notices keep others from files.
 */
static void
only_harmless_control(struct program *p, uint32_t may)
{
	static const uint32_t refused[] = {F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ};
	static const uint32_t ioctls[] = {TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCCONS, FIONBIO, FIOASYNC, FIOSETOWN, SIOCSPGRP};
	begin(p, __NR_fcntl);
	load(p, ARG(1));
	for (size_t i = 0; i < BH_ARRAY_LEN(refused); i++)
		give_if(p, refused[i], p->refused);
	if (!(may & BH_MAY_MEMORY))
		give_if(p, F_ADD_SEALS, p->refused);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 4);
	load(p, ARG(2));
	put(p, BPF_JMP | BPF_JSET | BPF_K, O_NONBLOCK, 0, 1);
	give(p, SECCOMP_RET_ALLOW);
	give(p, p->refused);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN, 0, 3);
	load(p, ARG(2));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0);
	give(p, p->refused);
	give(p, SECCOMP_RET_ALLOW);
	begin(p, __NR_ioctl);
	load(p, ARG(1));
	for (size_t i = 0; i < BH_ARRAY_LEN(ioctls); i++)
		give_if(p, ioctls[i], p->refused);
	give(p, SECCOMP_RET_ALLOW);
}

/* Memory is written or executed, never both, nor the one after the other: what MDWE says, for kernels that have it not. */
static void
only_old_code(struct program *p)
{
	begin(p, __NR_mmap);
	load(p, ARG(2));
	put(p, BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC, 0, 0);
	give_if(p, PROT_WRITE | PROT_EXEC, p->refused);
	give(p, SECCOMP_RET_ALLOW);
	static const int change[] = {__NR_mprotect, __NR_pkey_mprotect};
	for (size_t i = 0; i < BH_ARRAY_LEN(change); i++) {
		begin(p, change[i]);
		load(p, ARG(2));
		put(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
		give(p, p->refused);
		give(p, SECCOMP_RET_ALLOW);
	}
}

/* libc asks for clone3() and takes clone() if there is none: of that one the filter sees what it is to be. */
static void
only_threads(struct program *p)
{
	answer(p, __NR_clone3, NO_SUCH_CALL);
#ifdef __x86_64__
	answer(p, __NR_fork, UNKNOWN);
	answer(p, __NR_vfork, UNKNOWN);
#endif
	begin(p, __NR_clone);
	load(p, ARG(0));
	put(p, BPF_JMP | BPF_JSET | BPF_K, 0x10000 /* CLONE_THREAD */, 1, 0);
	give(p, p->refused);
	give(p, SECCOMP_RET_ALLOW);
}

static void
compose(struct program *p, uint32_t may, bool trap)
{
	static const int of_a_process[] = {__NR_prlimit64, __NR_sched_setscheduler, __NR_sched_setparam, __NR_sched_setattr,
					   __NR_sched_setaffinity};
	p->unknown = trap ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | ENOSYS;
	p->refused = trap ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | EPERM;
#ifdef __x86_64__
	only_harmless_opens(p, __NR_open, 1, may);
#endif
	only_harmless_opens(p, __NR_openat, 2, may);
	only_harmless_control(p, may);
	only_old_code(p);
	only_to_ourselves(p, __NR_kill, false);
	only_to_ourselves(p, __NR_tgkill, false);
	if (may & BH_MAY_THREADS)
		only_usual_classes(p);
	for (size_t i = 0; i < BH_ARRAY_LEN(of_a_process); i++)
		only_to_ourselves(p, of_a_process[i], true);
	if (!(may & BH_MAY_CREATE))
		refuse_all(p, to_create, BH_ARRAY_LEN(to_create));
	if (!(may & BH_MAY_MEMORY))
		refuse_all(p, to_make_memory, BH_ARRAY_LEN(to_make_memory));
	if (may & BH_MAY_THREADS)
		only_threads(p);
	else
		refuse_all(p, to_start_threads, BH_ARRAY_LEN(to_start_threads));
	if (may & (BH_MAY_UNIX | BH_MAY_UDP | BH_MAY_TCP))
		only_these_sockets(p, may);
	else
		refuse_all(p, to_speak, BH_ARRAY_LEN(to_speak));
	if (!(may & BH_MAY_UNIX))
		refuse_all(p, to_be_called, BH_ARRAY_LEN(to_be_called));
	refuse_all(p, never, BH_ARRAY_LEN(never));
}

/* Those of a few numbers that do not simply pass, one after the other. `rules`: where they begin in `out`, filled in later. */
static void
list(struct program *out, const struct program *p, unsigned lo, unsigned hi, unsigned short rules)
{
	for (unsigned nr = lo; nr < hi; nr++) {
		if (p->answer[nr] == ALLOW)
			continue;
		put(out, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
		if (p->answer[nr] == UNKNOWN)
			give(out, p->unknown);
		else if (p->answer[nr] == NO_SUCH_CALL)
			give(out, SECCOMP_RET_ERRNO | ENOSYS);
		else
			put(out, BPF_JMP | BPF_JA, (uint32_t)(rules + p->rule[p->answer[nr] - RULE] - out->len - 1), 0, 0);
	}
	give(out, SECCOMP_RET_ALLOW);
}

/* Numbers from `lo` up to `hi`. The kernel makes machine code of each step, so a short list is better than a deep search. */
static void
search(struct program *out, const struct program *p, unsigned lo, unsigned hi, unsigned short rules)
{
	unsigned special = 0, unknown = 0, mid = (lo + hi) / 2;
	for (unsigned nr = lo; nr < hi; nr++) {
		special += p->answer[nr] != ALLOW;
		unknown += p->answer[nr] == UNKNOWN;
	}
	if (unknown == hi - lo) {
		give(out, p->unknown);
		return;
	}
	if (special <= 6 || hi - lo <= 2) {
		list(out, p, lo, hi, rules);
		return;
	}
	put(out, BPF_JMP | BPF_JGE | BPF_K, mid, 0, 1);
	unsigned short far = out->len;
	put(out, BPF_JMP | BPF_JA, 0, 0, 0);
	search(out, p, lo, mid, rules);
	out->code[far].k = (uint32_t)(out->len - far - 1);
	search(out, p, mid, hi, rules);
}

static void
begin_search(struct program *out, const struct program *p, unsigned short rules)
{
	out->len = 0;
	load(out, (uint32_t)offsetof(struct seccomp_data, arch));
	put(out, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	give(out, SECCOMP_RET_KILL_PROCESS);
	load(out, (uint32_t)offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* the x32 numbers */
	put(out, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	give(out, SECCOMP_RET_KILL_PROCESS);
#endif
	put(out, BPF_JMP | BPF_JGE | BPF_K, NUMBERS, 0, 1);
	give(out, SECCOMP_RET_ALLOW);
	search(out, p, 0, NUMBERS, rules);
}

/* The search, and the rules behind it. */
static int
install(const struct program *p)
{
	struct program all = {.len = 0};
	begin_search(&all, p, 0);
	begin_search(&all, p, all.len); /* as long as before: now it is known how long */
	if (all.len + p->len > BH_ARRAY_LEN(all.code))
		return -E2BIG;
	memcpy(all.code + all.len, p->code, p->len * sizeof(p->code[0]));
	struct sock_fprog program = {.len = (unsigned short)(all.len + p->len), .filter = all.code};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

static const char *
call_name(int nr)
{
	static const struct {
		const struct call *call;
		size_t n;
	} all[] = {
		{never, BH_ARRAY_LEN(never)},
		{to_create, BH_ARRAY_LEN(to_create)},
		{to_make_memory, BH_ARRAY_LEN(to_make_memory)},
		{to_start_threads, BH_ARRAY_LEN(to_start_threads)},
		{to_speak, BH_ARRAY_LEN(to_speak)},
		{by_argument, BH_ARRAY_LEN(by_argument)},
	};
	for (size_t k = 0; k < BH_ARRAY_LEN(all); k++)
		for (size_t i = 0; i < all[k].n; i++)
			if (all[k].call[i].nr == nr)
				return all[k].call[i].name;
	return "a call without a name";
}

static void
on_trap(int sig, siginfo_t *info, void *context)
{
	char line[128];
	(void)context;
	int n = snprintf(line, sizeof(line), "sandbox: refused: %s (system call %d)\n", call_name(info->si_syscall), info->si_syscall);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
	raise(sig);
	_exit(1);
}

static bool
is_set(const char *name, const char *value)
{
	const char *is = getenv(name);
	return is && strcmp(is, value) == 0;
}

/* Only where the build is one for tests: nobody's environment ends a process that is on air. */
static bool
wants_trap(void)
{
#ifdef BH_FOR_TESTS
	return is_set("BULKHEAD_SANDBOX", "trap");
#else
	return false;
#endif
}

static uint64_t
enter_seccomp(uint32_t may, bool modes)
{
	struct program p = {.len = 0};
	bool trap = wants_trap();
	if (trap)
		sigaction(SIGSYS, &(struct sigaction){.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESETHAND}, NULL);
	compose(&p, may, trap);
	uint64_t bits = BH_HOLDS_CALLS | (may & BH_MAY_OPEN_RW && !modes ? 0 : BH_HOLDS_READ_ONLY) |
			(may & (BH_MAY_UDP | BH_MAY_TCP) ? 0 : BH_HOLDS_NO_NETWORK);
	if (install(&p) < 0)
		return BH_LACKS(bits);
	return bits | (trap ? BH_HOLDS_TRAP : 0);
}

/* One more filter, for sockets alone. */
static uint64_t
narrow_sockets(uint32_t may)
{
	struct program p = {.len = 0, .unknown = SECCOMP_RET_ERRNO | ENOSYS, .refused = SECCOMP_RET_ERRNO | EPERM};
	only_these_sockets(&p, may);
	if (!(may & BH_MAY_UNIX))
		refuse_all(&p, to_be_called, BH_ARRAY_LEN(to_be_called));
	if (install(&p) < 0)
		return 0;
	return may & (BH_MAY_UDP | BH_MAY_TCP) ? 0 : BH_HOLDS_NO_NETWORK;
}

/* ------------------------------------------------------------------ Landlock */

/* As the kernel defines them (linux/landlock.h); headers are often older than the kernel. */
#define LL_VERSION 1u
#define LL_PATH_BENEATH 1
#define LL_NET_PORT 2
#define LL_EXECUTE (1ull << 0)
#define LL_WRITE_FILE (1ull << 1)
#define LL_READ (1ull << 2 | 1ull << 3) /* files and folders */
#define LL_READ_FILE (1ull << 2)
#define LL_REMOVE (1ull << 4 | 1ull << 5)
#define LL_MAKE (0x7full << 6) /* char, dir, reg, sock, fifo, block, sym */
#define LL_MAKE_DIR (1ull << 7)
#define LL_MAKE_REG (1ull << 8)
#define LL_MAKE_SOCK (1ull << 9)
#define LL_REFER (1ull << 13)	  /* since 2 */
#define LL_TRUNCATE (1ull << 14)  /* since 3 */
#define LL_IOCTL_DEV (1ull << 15) /* since 5 */
#define LL_BIND_TCP 1ull	  /* since 4 */
#define LL_CONNECT_TCP 2ull
#define LL_ABSTRACT_SOCKETS 1ull  /* since 6 */
#define LL_SIGNALS 2ull

struct ll_ruleset {
	uint64_t fs, net, scoped;
};
struct ll_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));
struct ll_port {
	uint64_t allowed, port;
};

static long
ll_create(const struct ll_ruleset *attr, size_t size, uint32_t flags)
{
	return syscall(__NR_landlock_create_ruleset, attr, size, flags);
}

static uint64_t
ll_rights(uint32_t may)
{
	uint64_t of_files = LL_READ_FILE | LL_WRITE_FILE | LL_IOCTL_DEV;
	switch (may) {
	case BH_MAY_READ: return LL_READ;
	case BH_MAY_KEEP: return LL_READ | LL_WRITE_FILE | LL_REMOVE | LL_MAKE_REG | LL_MAKE_SOCK | LL_MAKE_DIR | LL_REFER;
	case BH_MAY_USE: return LL_READ | of_files;
	}
	return 0;
}

static void
ll_allow_path(int ruleset, const struct ll_ruleset *attr, const struct bh_sandbox_path *p)
{
	bh_autoclose int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct ll_path rule = {.allowed = ll_rights(p->may) & attr->fs, .parent_fd = fd};
	if (fd < 0)
		return;
	if (syscall(__NR_landlock_add_rule, ruleset, LL_PATH_BENEATH, &rule, 0) == 0 || errno != EINVAL)
		return;
	rule.allowed &= LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE | LL_IOCTL_DEV; /* a file has no others */
	syscall(__NR_landlock_add_rule, ruleset, LL_PATH_BENEATH, &rule, 0);
}

static uint64_t
enter_landlock(const struct bh_sandbox_plan *plan)
{
	const uint64_t all = BH_HOLDS_PATHS | BH_HOLDS_PORTS | BH_HOLDS_SCOPE;
	long abi = ll_create(NULL, 0, LL_VERSION);
	if (abi < 1)
		return BH_LACKS(all);
	struct ll_ruleset attr = {.fs = LL_EXECUTE | LL_WRITE_FILE | LL_READ | LL_REMOVE | LL_MAKE};
	attr.fs |= (abi >= 2 ? LL_REFER : 0) | (abi >= 3 ? LL_TRUNCATE : 0) | (abi >= 5 ? LL_IOCTL_DEV : 0);
	attr.net = abi >= 4 ? LL_BIND_TCP | LL_CONNECT_TCP : 0;
	attr.scoped = abi >= 6 ? LL_ABSTRACT_SOCKETS | LL_SIGNALS : 0;
	/* The kernel of before knows a shorter one. */
	bh_autoclose int ruleset = (int)ll_create(&attr, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
	if (ruleset < 0)
		return BH_LACKS(all);
	for (unsigned i = 0; i < plan->paths; i++)
		ll_allow_path(ruleset, &attr, &plan->path[i]);
	for (unsigned i = 0; attr.net && i < plan->ports; i++) {
		struct ll_port rule = {LL_CONNECT_TCP, plan->port[i]};
		syscall(__NR_landlock_add_rule, ruleset, LL_NET_PORT, &rule, 0);
	}
	if (syscall(__NR_landlock_restrict_self, ruleset, 0) < 0)
		return BH_LACKS(all);
	return BH_HOLDS_PATHS | (attr.net ? BH_HOLDS_PORTS : BH_LACKS(BH_HOLDS_PORTS)) |
	       (attr.scoped ? BH_HOLDS_SCOPE : BH_LACKS(BH_HOLDS_SCOPE));
}

/* ------------------------------------------------------------------ the rest */

static bool
limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(what, &now) < 0)
		return false;
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most)
		now.rlim_max = most;
	if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > most)
		now.rlim_cur = most;
	return setrlimit(what, &now) == 0;
}

static uint64_t
enter_limits(const struct bh_sandbox_plan *plan, bool debug)
{
	bool ok = limit(RLIMIT_NOFILE, plan->files);
	ok &= limit(RLIMIT_FSIZE, FILE_BYTES_MAX);
	if (!(plan->may & BH_MAY_THREADS))
		ok &= limit(RLIMIT_NPROC, 0);
	if (plan->may & BH_MAY_SECRETS && !debug)
		ok &= limit(RLIMIT_CORE, 0);
	signal(SIGXFSZ, SIG_IGN);
	return ok ? BH_HOLDS_LIMITS : BH_LACKS(BH_HOLDS_LIMITS);
}

/*
 * A user may open what is its own as the file's mode says; segments are 0400 and bells 0200 once they are made, and chmod is refused. Who may do
 * without the mode (root) gives that up.
 */
static bool
obey_modes(void)
{
	const uint32_t over = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[2] = {{0}};
	if (syscall(__NR_capget, &head, has) < 0)
		return false;
	if (!((has[0].effective | has[0].permitted) & over))
		return true;
	has[0].effective &= ~over;
	has[0].permitted &= ~over;
	has[0].inheritable &= ~over;
	return syscall(__NR_capset, &head, has) == 0;
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static void
say(uint64_t holds)
{
	char words[256] = "";
	size_t n = 0;
	for (size_t i = 0; i < bh_sandbox_word_count; i++)
		if (holds & BH_LACKS(bh_sandbox_words[i].bit) && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "", bh_sandbox_words[i].name);
	if (holds & BH_LACKS(BH_HOLDS_CALLS))
		bh_warn("not confined: the kernel takes no filter; going on without. Missing: %s", words);
	else
		bh_dbg("confined%s%s", n ? "; the kernel has not: " : "", words);
}

/* What does not depend on paths. */
static uint64_t
enter_first(const struct bh_sandbox_plan *plan)
{
	bool debug = is_set("BULKHEAD_DEBUG", "1");
	uint64_t holds = enter_limits(plan, debug);
	if (plan->may & BH_MAY_SECRETS && !debug)
		holds |= prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? BH_HOLDS_NO_DUMP : BH_LACKS(BH_HOLDS_NO_DUMP);
	holds |= prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0 ? BH_HOLDS_NO_NEW_CODE : BH_LACKS(BH_HOLDS_NO_NEW_CODE);
	holds |= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? BH_HOLDS_NO_PRIVS : BH_LACKS(BH_HOLDS_NO_PRIVS);
	return holds | enter_seccomp(plan->may, plan->may & BH_MAY_MEMORY ? false : obey_modes());
}

uint64_t
bh_sandbox_enter(const struct bh_sandbox_plan *plan)
{
	uint64_t holds = enter_first(plan) | enter_landlock(plan);
	say(holds);
	return holds;
}

uint64_t
bh_sandbox_enter_early(const struct bh_sandbox *box)
{
	struct bh_sandbox_plan plan;
	bh_sandbox_plan(&plan, box, NULL);
	return enter_first(&plan) | (box->configured ? 0 : enter_landlock(&plan));
}

uint64_t
bh_sandbox_enter_late(const struct bh_sandbox *box, const void *config, uint64_t holds)
{
	struct bh_sandbox_plan plan;
	uint32_t may = 0;
	for (size_t i = 0; i < BH_ARRAY_LEN(box->line); i++)
		may |= box->line[i].may;
	if (box->configured) {
		bh_sandbox_plan(&plan, box, config);
		/* A filter more for what this configuration does without. */
		if (holds & BH_HOLDS_CALLS && (may ^ plan.may) & (BH_MAY_UNIX | BH_MAY_UDP | BH_MAY_TCP))
			holds |= narrow_sockets(plan.may);
		holds |= enter_landlock(&plan);
	}
	say(holds);
	return holds;
}

#else

uint64_t
bh_sandbox_enter(const struct bh_sandbox_plan *plan)
{
	(void)plan;
	bh_dbg("not confined: %s", BH_UNCONFINED);
	return 0;
}

uint64_t
bh_sandbox_enter_early(const struct bh_sandbox *box)
{
	(void)box;
	bh_dbg("not confined: %s", BH_UNCONFINED);
	return 0;
}

uint64_t
bh_sandbox_enter_late(const struct bh_sandbox *box, const void *config, uint64_t holds)
{
	(void)box, (void)config;
	return holds;
}

#endif
