/*
 * keep.c - our side of the keeper
 *
 * Everything that a successor of ours will need lies with the keeper before it is used. A keeper that does not read for a
 * while is sent everything again once it does; one that dies is replaced at once, and gets everything, too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("keep");

#define QUICK_NS (250 * BH_NS_PER_MS)

struct batch {
	struct super *s;
	struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
};

static void
keeper_send(struct super *s, struct bh_spawn_msg *msg, const int *fds)
{
	if (s->keeper_sock < 0)
		return;
	int r = bh_spawn_send(s->keeper_sock, msg, fds);
	if (r != -EAGAIN || s->keeper_stale)
		return;
	s->keeper_stale = true;
	bh_watch_events(s->keeper_watch, EPOLLIN | EPOLLOUT);
}

static void
batch_flush(struct batch *b)
{
	if (b->msg.nfds)
		keeper_send(b->s, &b->msg, b->fds);
	b->msg.nfds = 0;
}

static void
batch_add(struct batch *b, uint16_t role, uint16_t slot, uint16_t peer, uint16_t flags)
{
	struct bh_spawn_fd what = {.role = role, .slot = slot, .peer = peer, .flags = flags};
	int *fd = spawn_place(b->s, &what);
	if (!fd || *fd < 0)
		return;
	b->msg.type = BH_SPAWN_KEEP;
	b->fds[b->msg.nfds] = *fd;
	b->msg.fd[b->msg.nfds++] = what;
	if (b->msg.nfds == BH_SPAWN_FDS)
		batch_flush(b);
}

static void
batch_slot(struct batch *b, uint16_t slot)
{
	static const uint16_t pairs[] = {BH_FD_SELF, BH_FD_PARAMS, BH_FD_STATE, BH_FD_PRIVATE};
	static const uint16_t singles[] = {BH_FD_BELL_RD, BH_FD_BELL_WR, BH_FD_DEVICE, BH_FD_SOCKET, BH_FD_PROGRAM};
	for (unsigned i = 0; i < BH_ARRAY_LEN(pairs); i++) {
		batch_add(b, pairs[i], slot, 0, 0);
		batch_add(b, pairs[i], slot, 0, BH_SPAWN_FD_RW);
	}
	for (unsigned i = 0; i < BH_ARRAY_LEN(singles); i++)
		batch_add(b, singles[i], slot, 0, 0);
	batch_add(b, BH_FD_OPTIONS, slot, 0, 0);
	batch_add(b, BH_FD_OPTIONS, slot, 1, 0);
	for (uint16_t q = 0; q < BH_MAX_SLOTS; q++) {
		batch_add(b, BH_FD_OUTBOX, slot, q, 0);
		batch_add(b, BH_FD_OUTBOX, slot, q, BH_SPAWN_FD_RW);
	}
}

void
keep_fd(struct super *s, uint16_t role, uint16_t slot, uint16_t peer, uint16_t flags)
{
	static struct batch b;
	b.s = s;
	batch_add(&b, role, slot, peer, flags);
	batch_flush(&b);
}

void
keep_slot(struct child *c)
{
	static struct batch b;
	b.s = c->s;
	batch_slot(&b, c->slot);
	for (uint16_t q = 0; q < BH_MAX_SLOTS; q++) {
		batch_add(&b, BH_FD_OUTBOX, q, c->slot, 0);
		batch_add(&b, BH_FD_OUTBOX, q, c->slot, BH_SPAWN_FD_RW);
	}
	batch_flush(&b);
}

/* role 0: all that belongs to the slot. */
void
keep_forget(struct super *s, uint16_t slot, uint16_t role)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_FORGET, .slot = slot, .value = role};
	keeper_send(s, &msg, NULL);
}

void
keep_all(struct super *s)
{
	static struct batch b;
	b.s = s;
	for (uint16_t slot = 0; slot < BH_MAX_SLOTS; slot++) {
		if (s->slot[slot].used) {
			batch_slot(&b, slot);
			if (s->slot[slot].sock < 0)
				keep_forget(s, slot, BH_FD_SOCKET);
			if (s->slot[slot].device < 0)
				keep_forget(s, slot, BH_FD_DEVICE);
			if (s->slot[slot].program < 0)
				keep_forget(s, slot, BH_FD_PROGRAM);
		} else {
			keep_forget(s, slot, 0);
		}
	}
	batch_add(&b, BH_FD_CONFIG, 0, 0, 0);
	batch_add(&b, BH_FD_CONFIG, 0, 1, 0);
	batch_add(&b, BH_FD_SOURCE, 0, 0, 0);
	batch_add(&b, BH_FD_SOURCE, 0, 1, 0);
	batch_add(&b, BH_FD_TABLE, 0, 0, 0);
	batch_add(&b, BH_FD_TABLE, 0, 0, BH_SPAWN_FD_RW);
	batch_add(&b, BH_FD_FILE_WATCH, 0, 0, 0);
	batch_add(&b, BH_FD_LOCK, 0, 0, 0);
	batch_flush(&b);
}

/* Adoption: take what the keeper kept. 0 or -errno. */
int
keep_receive(struct super *s)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS], r;
	do {
		r = bh_spawn_recv(s->keeper_sock, &msg, fds, 1);
		if (r != 1)
			return r == 0 ? -EPIPE : r;
		for (unsigned i = 0; i < msg.nfds; i++) {
			int *place = msg.type == BH_SPAWN_HANDOVER ? spawn_place(s, &msg.fd[i]) : NULL;
			if (!place) {
				close(fds[i]);
				continue;
			}
			bh_close(place);
			*place = fds[i];
		}
	} while (msg.type != BH_SPAWN_HANDOVER || !(msg.flags & BH_SPAWN_LAST));
	s->exec_ns = msg.value;
	return 0;
}

static void on_keeper_death(struct super *s);

static void
on_keeper(void *data, int fd, uint32_t events)
{
	static struct bh_spawn_msg msg;
	struct super *s = data;
	int fds[BH_SPAWN_FDS], r;
	while ((r = bh_spawn_recv(fd, &msg, fds, 0)) == 1 || r == -EPROTO) {
		for (unsigned i = 0; r == 1 && i < msg.nfds; i++)
			close(fds[i]);
		if (r == 1 && msg.type == BH_SPAWN_REAPED)
			watch_on_reaped(s, (pid_t)msg.value, msg.error);
	}
	if (r != -EAGAIN) {
		on_keeper_death(s);
		return;
	}
	if (events & EPOLLOUT && s->keeper_stale) {
		s->keeper_stale = false;
		bh_watch_events(s->keeper_watch, EPOLLIN);
		keep_all(s);
	}
}

void
keep_poll(struct super *s)
{
	if (s->keeper_sock >= 0)
		on_keeper(s, s->keeper_sock, 0);
}

static void
on_keeper_pid(void *data, int fd, uint32_t events)
{
	(void)fd, (void)events;
	on_keeper_death(data);
}

int
keep_attach(struct super *s, int sock, pid_t pid)
{
	s->keeper_sock = sock;
	s->keeper_pid = pid;
	s->keeper_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	s->keeper_stale = false;
	s->keeper_started_ns = bh_mono_ns();
	s->keeper_watch = bh_loop_watch(s->loop, sock, EPOLLIN, on_keeper, s);
	if (!s->keeper_watch)
		return -errno;
	if (s->keeper_pidfd >= 0)
		s->keeper_pid_watch = bh_loop_watch(s->loop, s->keeper_pidfd, EPOLLIN, on_keeper_pid, s);
	return 0;
}

static void
keeper_detach(struct super *s)
{
	bh_watch_free(s->keeper_watch);
	bh_watch_free(s->keeper_pid_watch);
	s->keeper_watch = s->keeper_pid_watch = NULL;
	bh_close(&s->keeper_sock);
	bh_close(&s->keeper_pidfd);
	s->keeper_pid = 0;
}

static int
start_keeper(struct super *s)
{
	char path[4096], me[16], config[sizeof(s->path)];
	char *argv[] = {path, "--takeover", me, config, NULL};
	int pair[2], r = bh_path_program(path, sizeof(path), "bh-keeper");
	pid_t pid;
	if (r < 0)
		return r;
	snprintf(me, sizeof(me), "%d", (int)getpid());
	snprintf(config, sizeof(config), "%s", s->main_path);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = super_run_program(path, argv, (int[3]){pair[1], -1, -1}, -1, &pid, SUPER_RUN_KEEPER);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	r = keep_attach(s, pair[0], pid);
	if (r < 0)
		return r;
	keep_all(s);
	s->head->keeper_pid = (uint32_t)pid;
	s->head->keeper_lives++;
	table_pid_file(s);
	notify_systemd("MAINPID=%d", (int)pid);
	bh_info("a new keeper (%d) has taken over", (int)pid);
	return 0;
}

static void
on_keeper_death(struct super *s)
{
	if (!s->keeper_pid && s->keeper_sock < 0)
		return;
	bool quick = bh_mono_ns() - s->keeper_started_ns < QUICK_NS;
	keeper_detach(s);
	s->keeper_quick = quick ? s->keeper_quick + 1 : 0;
	if (!s->running) {
		_exit(1); /* nothing was started yet: nothing to keep */
	}
	bh_warn("the keeper died; starting another");
	uint64_t delay_ms = s->keeper_quick < 4 ? 0 : s->keeper_quick > 9 ? 1000 : 25u << (s->keeper_quick - 4);
	if (delay_ms > s->cfg.backoff_max_ms)
		delay_ms = s->cfg.backoff_max_ms;
	s->keeper_due_ns = bh_mono_ns() + delay_ms * BH_NS_PER_MS;
	keep_on_timer(s, bh_mono_ns());
	super_arm(s);
}

void
keep_on_timer(struct super *s, uint64_t now)
{
	if (!s->keeper_due_ns || now < s->keeper_due_ns)
		return;
	s->keeper_due_ns = 0;
	int r = start_keeper(s);
	if (r < 0) {
		bh_err("a new keeper cannot be started: %s; trying again", strerror(-r));
		keeper_detach(s);
		s->keeper_due_ns = now + BH_NS_PER_S;
	}
}

void
keep_quit(struct super *s, int exit_code)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_QUIT, .value = (uint64_t)exit_code};
	if (s->keeper_sock >= 0)
		bh_spawn_send(s->keeper_sock, &msg, NULL);
}
