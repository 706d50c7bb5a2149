/*
 * child.c - a process that misbehaves as its name says, for the tests of keeper and supervisor
 *
 *   router    sends an action to everybody whenever somebody becomes ok, so that they owe work
 *   control   passes requests from a socket (child.sock in the runtime folder) to the supervisor, and results back
 *   deaf*     hangs on the first event from the router
 *   sluggish* takes half a second for each event from the router that is a second old
 *   crash*    dies a moment after it was ready
 *   unborn*   dies while it attaches
 *   late*     is never ready
 *   picky*    refuses new configurations
 *   brittle*  crashes at its start under a configuration that gives it options 66
 *   greedy*   computes without a pause, from a moment after it was ready
 *   stubborn* ignores the wish to leave
 *   (any)     does what the end of its program says: see program_says()
 * Anything else consumes what comes and is well. In: rings as any process. Fails: as told.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "common/proc.h"
#include "common/units.h"
#include "tests/lib/child.h"

struct child_state {
	struct bh_proc *proc;
	int fd;
	struct sockaddr_un from; /* who asked last */
	socklen_t from_len;
};

static bool
is_called(const struct bh_proc *proc, const char *prefix)
{
	return !strncmp(proc->name, prefix, strlen(prefix));
}

static void
on_ask(void *data, int fd, uint32_t events)
{
	struct child_state *c = data;
	struct child_ask ask;
	(void)events;
	c->from_len = sizeof(c->from);
	if (recvfrom(fd, &ask, sizeof(ask), MSG_DONTWAIT, (struct sockaddr *)&c->from, &c->from_len) != sizeof(ask))
		return;
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = ask.request, .total = ask.number, .stamp_ns = bh_now_ns()};
	struct bh_peer *sup = bh_proc_peer(c->proc, BH_SLOT_SUPERVISOR);
	if (sup)
		bh_proc_send(c->proc, sup, &ev, &ask.args, sizeof(ask.args));
}

static int
open_socket(struct child_state *c)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int r = bh_path_runtime(at.sun_path, sizeof(at.sun_path), "child.sock");
	if (r < 0)
		return r;
	unlink(at.sun_path);
	c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return bh_loop_watch(c->proc->loop, c->fd, EPOLLIN, on_ask, c) ? 0 : -errno;
}

static void
on_crash(void *data)
{
	(void)data;
	raise(SIGABRT);
}

/* What the last bytes of our own program tell us to do at the start: "abort!!\n", "sleep!!\n". It makes two programs of one. */
static bool
program_says(const char *word)
{
	char end[9] = "";
	bh_autoclose int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	return size > 8 && pread(fd, end, 8, size - 8) == 8 && !strcmp(end, word);
}

static void
on_greed(void *data)
{
	(void)data;
	for (volatile uint64_t n = 0;; n++)
		;
}

static void
wait_for_ever(void)
{
	for (;;)
		pause();
}

static int
child_start(struct bh_proc *proc, void *state)
{
	struct child_state *c = state;
	c->proc = proc;
	c->fd = -1;
	if (is_called(proc, "control"))
		return open_socket(c);
	if (is_called(proc, "late") || program_says("sleep!!\n"))
		wait_for_ever();
	if (program_says("abort!!\n"))
		abort();
	if (is_called(proc, "unborn"))
		raise(SIGKILL);
	const struct bh_cfg_proc *row = bh_config_proc(&proc->config, proc->slot);
	if (is_called(proc, "brittle") && row && row->options_check == 66)
		raise(SIGABRT);
	if (is_called(proc, "crash"))
		bh_timer_in_ms(bh_timer_new(proc->loop, on_crash, NULL), 20);
	if (is_called(proc, "greedy"))
		bh_timer_in_ms(bh_timer_new(proc->loop, on_greed, NULL), 20);
	return 0;
}

static void
child_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct child_state *c = state;
	(void)clean;
	bh_close(&c->fd);
	if (is_called(proc, "stubborn"))
		wait_for_ever();
}

static void
answer(struct child_state *c, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct child_answer a = {.number = ev->total, .more = ev->id, .error = (int32_t)ev->v.i};
	memcpy(a.text, payload, len < sizeof(a.text) ? len : sizeof(a.text) - 1);
	if (c->fd >= 0)
		sendto(c->fd, &a, sizeof(a), MSG_NOSIGNAL, (struct sockaddr *)&c->from, c->from_len);
}

/* Somebody has become ok: work for everybody. */
static void
send_work(struct bh_proc *proc)
{
	for (uint16_t q = BH_SLOT_FIRST_FREE; q < BH_MAX_SLOTS; q++) {
		struct bh_event ev = {.kind = BH_EV_ACTION, .id = 1, .stamp_ns = bh_now_ns()};
		if (bh_proc_peer(proc, q))
			bh_proc_send(proc, bh_proc_peer(proc, q), &ev, NULL, 0);
	}
}

static void
child_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	uint8_t payload[BH_PAYLOAD_MAX] = {0};
	struct bh_event ev;
	size_t len;
	while (bh_proc_take(proc, peer, &ev, payload, &len)) {
		if (peer->slot == BH_SLOT_ROUTER && is_called(proc, "deaf"))
			wait_for_ever();
		if (peer->slot == BH_SLOT_ROUTER && is_called(proc, "sluggish") && bh_now_ns() - ev.stamp_ns > BH_NS_PER_S)
			usleep(500000);
		bh_proc_done(proc, peer, &ev);
		if (peer->slot != BH_SLOT_SUPERVISOR)
			continue;
		if (ev.kind == BH_EV_MAIL)
			bh_proc_mail(proc);
		else if (ev.kind == BH_EV_RESULT)
			answer(state, &ev, payload, len);
		else if (ev.kind == BH_EV_HEALTH && ev.v.i == BH_HEALTH_OK && is_called(proc, "router"))
			send_work(proc);
		memset(payload, 0, sizeof(payload));
	}
	bh_inbox_overflowed(&peer->in, &peer->in.overflow_seen); /* nothing in any cell is of interest here */
}

static int
child_on_config(struct bh_proc *proc, void *state, const void *config, char *why, size_t cap)
{
	(void)state, (void)config;
	if (!is_called(proc, "picky"))
		return 0;
	snprintf(why, cap, "it tastes bad");
	return -EINVAL;
}

static const struct bh_proc_ops child_ops = {
	.kind = "child",
	.role = BH_ROLE_DRIVER,
	.state_size = sizeof(struct child_state),
	.sandbox = {.line = {{BH_MAY_UNIX, NULL, "the test asks through a socket"},
			     {BH_MAY_CREATE, NULL, "made anew by each life"},
			     {BH_MAY_KEEP, "/tmp", "there the test's folders are"},
			     {BH_MAY_KEEP, "/dev/shm", "or there"}}},
	.start = child_start,
	.stop = child_stop,
	.drain = child_drain,
	.on_config = child_on_config,
	.wants_supervisor = true,
};

int
main(int argc, char **argv)
{
	return bh_proc_main(argc, argv, &child_ops);
}
