/*
 * bell.h - sleep, and be woken once
 *
 * The sleeper announces its sleep by an episode number in its own self segment (odd = asleep), looks at its rings once
 * more, and sleeps. A waker publishes, reads the episode, and makes a system call only if it is odd and was not
 * answered before: one system call for a sleep, however many events follow.
 *
 * Two kinds. A process that only waits for rings sleeps on a futex: on the sequence word of the next slot of each inbox,
 * words that the *wakers* write; a waker that is several slots ahead wakes the word at the position that the sleeper
 * announced. A process that also has descriptors has a pipe, whose read end is in its epoll (edge-triggered) and
 * whose write end only wakers hold. Every write makes an edge, also into a pipe that nobody has read, until it is full:
 * its reader empties it now and then.
 *
 * Order: announce, fence, look again, sleep; publish, fence, read episode, ring (both fences full ones, see order.h). Weaken
 * either and a wake-up can be lost. The last look is bh_inbox_pending() for each inbox: an event, or a value that went to its cell
 * while the ring was full.
 *
 *	bh_bell_announce(self);
 *	for each inbox k:
 *		wait[k].word = bh_ring_word(&ib[k].ring, &wait[k].value);
 *		if (bh_inbox_pending(&ib[k]))
 *			something = true;
 *	if (!something)
 *		bh_bell_sleep(wait, n, deadline_ns);
 *	bh_bell_awake(self);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"

/* What a waker needs to wake one sleeper. */
struct bh_bell_tx {
	const struct bh_self *sleeper; /* borrowed: the sleeper's self segment, read-only */
	uint64_t *answered;	       /* borrowed: &answered[sleeper's slot] of the waker's own self segment */
	const struct bh_event *ring;   /* borrowed: the waker's own ring towards the sleeper */
	uint32_t ring_mask;
	uint16_t waker_slot;	       /* our slot: index of the sleeper's cursor for our ring */
	int pipe_wr;		       /* borrowed, -1 if none */
	uint64_t *calls;	       /* borrowed: counter of system calls, may be NULL */
};

/*
 * Wake the sleeper if it sleeps, was not yet rung in this episode, and has an event of ours to look at. Returns the
 * number of system calls (0 or 1).
 */
int bh_bell_ring(struct bh_bell_tx *bell);

/* Wake it in any case: by a successor when it attaches, and by the supervisor for the peers of a dead process. */
void bh_bell_ring_always(struct bh_bell_tx *bell);

/* Announce that we are about to sleep (episode becomes odd); look at all rings after it. */
void bh_bell_announce(struct bh_self *self);
/* We are awake (episode becomes even). */
void bh_bell_awake(struct bh_self *self);

#define BH_BELL_WORDS 64

/* One word to sleep on: the low half of the sequence of the next slot, and its value before the last look. */
struct bh_bell_wait {
	const uint32_t *word;
	uint32_t value;
};

/*
 * Sleep until one of the words changes or is woken, or `deadline_ns` (CLOCK_BOOTTIME is not for futexes: this one is
 * CLOCK_MONOTONIC; 0 = no deadline) has passed. One system call. Returns 1 woken, interrupted by a signal, or a word had
 * already changed; 0 deadline; -errno (-EINVAL more than BH_BELL_WORDS). Without words it waits for deadline or signal.
 */
int bh_bell_sleep(const struct bh_bell_wait *words, unsigned count, uint64_t deadline_ns);
/* The same; `*which` is the word that was rung, or 0 where that is not known. */
int bh_bell_sleep_which(const struct bh_bell_wait *words, unsigned count, uint64_t deadline_ns, unsigned *which);
