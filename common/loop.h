/*
 * loop.h - one loop for descriptors, timers and the bell of a process
 *
 * A loop without descriptors sleeps on the futex words of its inboxes; with descriptors it sleeps in epoll, and its bell is
 * the read end of a pipe there. Timers are few: a sorted array is enough. Nothing is allocated after set-up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bh_loop;
struct bh_timer;
struct bh_watch;

typedef void (*bh_fd_fn)(void *data, int fd, uint32_t events); /* events: EPOLLIN ... */
typedef void (*bh_timer_fn)(void *data);

struct bh_loop *bh_loop_new(void);
void bh_loop_free(struct bh_loop *loop); /* NULL is fine */

/* Watch a descriptor (borrowed) for EPOLLIN, EPOLLOUT, EPOLLET ... Returns a handle (owned by the loop) or NULL and errno. */
struct bh_watch *bh_loop_watch(struct bh_loop *loop, int fd, uint32_t events, bh_fd_fn fn, void *data);
int bh_watch_events(struct bh_watch *w, uint32_t events);
/* Before the descriptor is closed. NULL is fine; safe inside its own callback. */
void bh_watch_free(struct bh_watch *w);

/* A timer, not armed. */
struct bh_timer *bh_timer_new(struct bh_loop *loop, bh_timer_fn fn, void *data);
void bh_timer_free(struct bh_timer *t); /* NULL is fine */
/* Arm for a moment of CLOCK_MONOTONIC (bh_mono_ns()); 0 disarms. period_ns > 0 repeats. */
void bh_timer_at(struct bh_timer *t, uint64_t mono_ns, uint64_t period_ns);
void bh_timer_in_ms(struct bh_timer *t, uint64_t ms);
bool bh_timer_armed(const struct bh_timer *t);

/* --- used by the process runtime (proc.c) and by programs without one (the tool, the simulator) */
uint64_t bh_loop_next_deadline(const struct bh_loop *loop); /* mono_ns, 0 = none */
bool bh_loop_has_fds(const struct bh_loop *loop);
/* Called when a wait is over, before any callback. */
void bh_loop_on_wake(struct bh_loop *loop, void (*fn)(void *data), void *data);
/* Run timers that are due. Returns how many. */
int bh_loop_run_timers(struct bh_loop *loop, uint64_t now_mono_ns);
/* One epoll_wait until the deadline of the next timer (or no wait), then callbacks of descriptors and due timers. 0 or -errno. */
int bh_loop_step(struct bh_loop *loop, bool wait);
/* bh_loop_step() until bh_loop_quit(). */
int bh_loop_run(struct bh_loop *loop);
void bh_loop_quit(struct bh_loop *loop);
