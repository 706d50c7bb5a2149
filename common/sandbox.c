/*
 * sandbox.c - see sandbox.h
 *
 * A list of what is refused, not of what is allowed: a new libc may use a call that we have not heard of, and what
 * matters is that a process which has been taken over can do nothing to others. Refused is EPERM, which a library
 * survives and a log shows; only calls by the numbers of another machine type, which the list would miss, are deadly.
 */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "shm/layout.h"

BH_LOG_TOPIC("sandbox");

#ifndef BH_UNCONFINED

#ifdef __x86_64__
#define OUR_ARCH AUDIT_ARCH_X86_64
#else
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
/* The low half of an argument: both machine types are little-endian, and all arguments we look at are ints. */
#define ARG(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))

/* clang-format off */
static const int never[] = {
	/* no other program */
	__NR_execve, __NR_execveat,
	/* no other process's memory, descriptors or signals; our own (abort) pass, see only_to_ourselves() */
	__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_pidfd_getfd, __NR_pidfd_open,
	__NR_pidfd_send_signal, __NR_tkill, __NR_rt_sigqueueinfo, __NR_rt_tgsigqueueinfo,
	/* ways around the rules for opens */
	__NR_openat2, __NR_io_uring_setup, __NR_open_by_handle_at, __NR_fanotify_init, __NR_truncate,
#ifdef __NR_creat
	__NR_creat,
#endif
	/* what files are where */
	__NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_move_mount, __NR_open_tree, __NR_fsopen,
	__NR_fsconfig, __NR_fsmount, __NR_fspick, __NR_mount_setattr, __NR_unshare, __NR_setns,
	/* the kernel itself */
	__NR_bpf, __NR_userfaultfd, __NR_perf_event_open, __NR_kexec_load, __NR_kexec_file_load, __NR_init_module,
	__NR_finit_module, __NR_delete_module, __NR_reboot,
};

static const int to_create[] = {
	__NR_unlinkat, __NR_renameat, __NR_renameat2, __NR_linkat, __NR_symlinkat, __NR_mknodat,
	__NR_fchmodat, __NR_fchownat,
#ifdef __x86_64__
	__NR_unlink, __NR_rmdir, __NR_rename, __NR_link, __NR_symlink, __NR_mknod, __NR_chmod, __NR_chown, __NR_lchown,
#endif
};

static const int to_start_threads[] = {
	__NR_clone, __NR_clone3,
#ifdef __x86_64__
	__NR_fork, __NR_vfork,
#endif
};

static const int to_speak[] = {__NR_socket, __NR_connect, __NR_bind, __NR_listen, __NR_accept, __NR_accept4};
static const int to_be_called[] = {__NR_listen, __NR_accept, __NR_accept4};
/* clang-format on */

struct program {
	struct sock_filter code[256];
	unsigned short len;
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
refuse_all(struct program *p, const int *nr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		give_if(p, (uint32_t)nr[i], REFUSED);
}

/* The rules between begin and end are for one call, and the last of them decides. */
static unsigned short
begin(struct program *p, int nr)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
	return (unsigned short)(p->len - 1);
}

static void
end(struct program *p, unsigned short at)
{
	p->code[at].jf = (uint8_t)(p->len - at - 1);
}

/* Existing files are opened to read; new ones, if at all, so that they cannot be an old one by another name. */
static void
only_harmless_opens(struct program *p, int nr, unsigned flags_arg, uint32_t may)
{
	uint32_t harm = O_CREAT | O_TRUNC | (may & BH_MAY_OPEN_RW ? 0 : O_ACCMODE);
	unsigned short at = begin(p, nr);
	if (may & BH_MAY_CREATE) {
		load(p, ARG(flags_arg));
		put(p, BPF_ALU | BPF_AND | BPF_K, O_CREAT | O_EXCL, 0, 0);
		give_if(p, O_CREAT | O_EXCL, SECCOMP_RET_ALLOW);
	}
	load(p, ARG(flags_arg));
	put(p, BPF_JMP | BPF_JSET | BPF_K, harm, 0, 1);
	give(p, REFUSED);
	give(p, SECCOMP_RET_ALLOW);
	end(p, at);
}

static void
only_to_ourselves(struct program *p, int nr)
{
	unsigned short at = begin(p, nr);
	load(p, ARG(0));
	give_if(p, (uint32_t)getpid(), SECCOMP_RET_ALLOW);
	give(p, REFUSED);
	end(p, at);
}

static void
only_these_sockets(struct program *p, uint32_t may)
{
	unsigned short at = begin(p, __NR_socket);
	load(p, ARG(0));
	if (may & BH_MAY_UNIX)
		give_if(p, AF_UNIX, SECCOMP_RET_ALLOW);
	if (may & (BH_MAY_UDP | BH_MAY_TCP)) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
		give(p, REFUSED);
		load(p, ARG(1));
		put(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
		if (may & BH_MAY_UDP)
			give_if(p, SOCK_DGRAM, SECCOMP_RET_ALLOW);
		if (may & BH_MAY_TCP)
			give_if(p, SOCK_STREAM, SECCOMP_RET_ALLOW);
	}
	give(p, REFUSED);
	end(p, at);
}

static void
compose(struct program *p, uint32_t may)
{
	load(p, (uint32_t)offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	give(p, SECCOMP_RET_KILL_PROCESS);
	load(p, (uint32_t)offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* the x32 numbers */
	put(p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	give(p, SECCOMP_RET_KILL_PROCESS);
	only_harmless_opens(p, __NR_open, 1, may);
#endif
	only_harmless_opens(p, __NR_openat, 2, may);
	only_to_ourselves(p, __NR_kill);
	only_to_ourselves(p, __NR_tgkill);
	refuse_all(p, never, BH_ARRAY_LEN(never));
	if (!(may & BH_MAY_CREATE))
		refuse_all(p, to_create, BH_ARRAY_LEN(to_create));
	if (!(may & BH_MAY_THREADS))
		refuse_all(p, to_start_threads, BH_ARRAY_LEN(to_start_threads));
	if (may & (BH_MAY_UNIX | BH_MAY_UDP | BH_MAY_TCP))
		only_these_sockets(p, may);
	else
		refuse_all(p, to_speak, BH_ARRAY_LEN(to_speak));
	if (!(may & BH_MAY_UNIX))
		refuse_all(p, to_be_called, BH_ARRAY_LEN(to_be_called));
	give(p, SECCOMP_RET_ALLOW);
}

int
bh_sandbox_enter(const struct bh_sandbox *box)
{
	struct program p = {.len = 0};
	compose(&p, box->may);
	struct sock_fprog program = {.len = p.len, .filter = p.code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return -errno;
	bh_dbg("confined%s%s", box->reason ? "; allowed is what it needs: " : "", box->reason ? box->reason : "");
	return BH_HOLDS_CALLS | (box->may & BH_MAY_OPEN_RW ? 0 : BH_HOLDS_READ_ONLY) |
	       (box->may & (BH_MAY_UDP | BH_MAY_TCP) ? 0 : BH_HOLDS_NO_NETWORK);
}

#else

int
bh_sandbox_enter(const struct bh_sandbox *box)
{
	(void)box;
	bh_dbg("not confined: %s", BH_UNCONFINED);
	return 0;
}

#endif
