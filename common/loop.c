/*
 * loop.c - see loop.h
 *
 * Watches live in a fixed pool and are handed to epoll by index and generation, so that an event for a watch that was freed
 * within the same turn is recognised and dropped.
 */
#include "common/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/units.h"

#define LOOP_WATCHES 96
#define LOOP_TIMERS 64

struct bh_watch {
	struct bh_loop *loop;
	bh_fd_fn fn;
	void *data;
	int fd;
	uint32_t generation;
	bool used;
};

struct bh_timer {
	struct bh_loop *loop;
	bh_timer_fn fn;
	void *data;
	uint64_t at_ns, period_ns;
	bool used;
};

struct bh_loop {
	int epoll_fd; /* owned; -1 until the first watch */
	unsigned fds;
	bool quit;
	void (*on_wake)(void *data);
	void *on_wake_data;
	struct bh_watch watch[LOOP_WATCHES];
	unsigned timers; /* no timer in use stands beyond: a sleep looks at no more than it must */
	struct bh_timer timer[LOOP_TIMERS];
};

struct bh_loop *
bh_loop_new(void)
{
	struct bh_loop *loop = calloc(1, sizeof(*loop));
	if (loop)
		loop->epoll_fd = -1;
	return loop;
}

void
bh_loop_free(struct bh_loop *loop)
{
	if (!loop)
		return;
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop);
}

static uint64_t
watch_key(const struct bh_watch *w)
{
	return (uint64_t)w->generation << 32 | (uint32_t)(w - w->loop->watch);
}

struct bh_watch *
bh_loop_watch(struct bh_loop *loop, int fd, uint32_t events, bh_fd_fn fn, void *data)
{
	struct bh_watch *w = NULL;
	if (loop->epoll_fd < 0)
		loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return NULL;
	for (unsigned i = 0; i < LOOP_WATCHES && !w; i++)
		if (!loop->watch[i].used)
			w = &loop->watch[i];
	if (!w) {
		errno = ENOSPC;
		return NULL;
	}
	w->loop = loop;
	w->fn = fn;
	w->data = data;
	w->fd = fd;
	w->generation++;
	struct epoll_event ev = {.events = events, .data.u64 = watch_key(w)};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return NULL;
	w->used = true;
	loop->fds++;
	return w;
}

int
bh_watch_events(struct bh_watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = watch_key(w)};
	return epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) < 0 ? -errno : 0;
}

void
bh_watch_free(struct bh_watch *w)
{
	if (!w || !w->used)
		return;
	epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->used = false;
	w->generation++;
	w->loop->fds--;
}

struct bh_timer *
bh_timer_new(struct bh_loop *loop, bh_timer_fn fn, void *data)
{
	for (unsigned i = 0; i < LOOP_TIMERS; i++) {
		struct bh_timer *t = &loop->timer[i];
		if (t->used)
			continue;
		*t = (struct bh_timer){.loop = loop, .fn = fn, .data = data, .used = true};
		if (i >= loop->timers)
			loop->timers = i + 1;
		return t;
	}
	errno = ENOSPC;
	return NULL;
}

void
bh_timer_free(struct bh_timer *t)
{
	if (t)
		t->used = false;
}

void
bh_timer_at(struct bh_timer *t, uint64_t mono_ns, uint64_t period_ns)
{
	t->at_ns = mono_ns;
	t->period_ns = period_ns;
}

void
bh_timer_in_ms(struct bh_timer *t, uint64_t ms)
{
	bh_timer_at(t, bh_mono_ns() + ms * BH_NS_PER_MS, 0);
}

bool
bh_timer_armed(const struct bh_timer *t)
{
	return t->at_ns != 0;
}

uint64_t
bh_loop_next_deadline(const struct bh_loop *loop)
{
	uint64_t next = 0;
	for (unsigned i = 0; i < loop->timers; i++) {
		const struct bh_timer *t = &loop->timer[i];
		if (t->used && t->at_ns && (!next || t->at_ns < next))
			next = t->at_ns;
	}
	return next;
}

bool
bh_loop_has_fds(const struct bh_loop *loop)
{
	return loop->fds != 0;
}

int
bh_loop_run_timers(struct bh_loop *loop, uint64_t now_mono_ns)
{
	int ran = 0;
	for (unsigned i = 0; i < loop->timers; i++) {
		struct bh_timer *t = &loop->timer[i];
		if (!t->used || !t->at_ns || t->at_ns > now_mono_ns)
			continue;
		/* A late periodic timer runs once and keeps its rhythm from now on. */
		t->at_ns = t->period_ns ? now_mono_ns + t->period_ns : 0;
		t->fn(t->data);
		ran++;
	}
	return ran;
}

/* Until the next timer, to the nanosecond where the kernel can (5.11), else to the next millisecond. */
static int
loop_wait(struct bh_loop *loop, struct epoll_event *ev, int most, bool wait)
{
	static bool coarse;
	uint64_t next = wait ? bh_loop_next_deadline(loop) : 0, now = next ? bh_mono_ns() : 0, left = next > now ? next - now : 0;
	struct timespec ts = {.tv_sec = (time_t)(left / BH_NS_PER_S), .tv_nsec = (long)(left % BH_NS_PER_S)};
	bool for_ever = wait && !next;
	if (!coarse) {
		int n = epoll_pwait2(loop->epoll_fd, ev, most, for_ever ? NULL : &ts, NULL);
		if (n >= 0 || errno != ENOSYS)
			return n;
		coarse = true;
	}
	uint64_t ms = (left + BH_NS_PER_MS - 1) / BH_NS_PER_MS;
	return epoll_wait(loop->epoll_fd, ev, most, for_ever ? -1 : ms > 3600000 ? 3600000 : (int)ms);
}

void
bh_loop_on_wake(struct bh_loop *loop, void (*fn)(void *data), void *data)
{
	loop->on_wake = fn;
	loop->on_wake_data = data;
}

int
bh_loop_step(struct bh_loop *loop, bool wait)
{
	struct epoll_event ev[16];
	if (loop->epoll_fd < 0)
		loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int n = loop_wait(loop, ev, 16, wait);
	if (n < 0 && errno != EINTR)
		return -errno;
	if (loop->on_wake)
		loop->on_wake(loop->on_wake_data);
	for (int i = 0; i < n; i++) {
		struct bh_watch *w = &loop->watch[(uint32_t)ev[i].data.u64 % LOOP_WATCHES];
		if (w->used && watch_key(w) == ev[i].data.u64)
			w->fn(w->data, w->fd, ev[i].events);
	}
	bh_loop_run_timers(loop, bh_mono_ns());
	return 0;
}

int
bh_loop_run(struct bh_loop *loop)
{
	int r = 0;
	loop->quit = false;
	while (!loop->quit && r == 0)
		r = bh_loop_step(loop, true);
	return r;
}

void
bh_loop_quit(struct bh_loop *loop)
{
	loop->quit = true;
}
