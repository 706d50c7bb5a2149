/* bell.c - see bell.h */
#include "shm/bell.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/order.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the futex word is the low half of a sequence");

static void
bell_write_pipe(const struct bh_bell_tx *bell)
{
	/* A full pipe is a bell that is ringing already. */
	(void)!write(bell->pipe_wr, "", 1);
	shm_count(bell->calls, 1);
}

/* All our futexes are shared ones: the same word has another address in each process. */
static void
bell_wake(const struct bh_bell_tx *bell, uint64_t cursor)
{
	syscall(SYS_futex, &bell->ring[cursor & bell->ring_mask].seq, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	shm_count(bell->calls, 1);
}

static uint64_t
bell_cursor(const struct bh_bell_tx *bell)
{
	return __atomic_load_n(&bell->sleeper->cursor[bell->waker_slot % BH_MAX_SLOTS], __ATOMIC_RELAXED);
}

int
bh_bell_ring(struct bh_bell_tx *bell)
{
	if (!bell->sleeper)
		return 0;
	BH_FENCE_RING();
	uint64_t episode = __atomic_load_n(&bell->sleeper->bell.episode, BH_ORDER_EPISODE_LOAD);
	if (!(episode & 1) || episode == __atomic_load_n(bell->answered, __ATOMIC_RELAXED))
		return 0;
	uint64_t cursor = bell_cursor(bell);
	/*
	 * Nothing new at the sleeper's position: nothing to wake it for. Ringing all the same would answer the episode,
	 * and if the sleeper is only about to sleep, the ring that matters would not be made.
	 */
	if (__atomic_load_n(&bell->ring[cursor & bell->ring_mask].seq, __ATOMIC_RELAXED) != cursor + 1)
		return 0;
	if (__atomic_load_n(&bell->sleeper->bell.mode, __ATOMIC_RELAXED) & BH_BELL_PIPE && bell->pipe_wr >= 0)
		bell_write_pipe(bell);
	else
		bell_wake(bell, cursor);
	/* After the call: who dies in between is followed by one that rings again. */
	__atomic_store_n(bell->answered, episode, __ATOMIC_RELAXED);
	return 1;
}

void
bh_bell_ring_always(struct bh_bell_tx *bell)
{
	if (!bell->sleeper)
		return;
	BH_FENCE_RING_ALWAYS();
	if (bell->pipe_wr >= 0)
		bell_write_pipe(bell);
	if (!(__atomic_load_n(&bell->sleeper->bell.mode, __ATOMIC_RELAXED) & BH_BELL_PIPE) && bell->ring)
		bell_wake(bell, bell_cursor(bell));
}

void
bh_bell_announce(struct bh_self *self)
{
	uint64_t episode = __atomic_load_n(&self->bell.episode, __ATOMIC_RELAXED);
	/* Odd already: our predecessor died asleep. Its episode may have been answered, so ours must be another. */
	__atomic_store_n(&self->bell.episode, episode + (episode & 1 ? 2 : 1), BH_ORDER_EPISODE_STORE);
	BH_FENCE_ANNOUNCE();
}

void
bh_bell_awake(struct bh_self *self)
{
	uint64_t episode = __atomic_load_n(&self->bell.episode, __ATOMIC_RELAXED);
	if (episode & 1)
		__atomic_store_n(&self->bell.episode, episode + 1, __ATOMIC_RELAXED);
}

int
bh_bell_sleep(const struct bh_bell_wait *words, unsigned count, uint64_t deadline_ns)
{
	unsigned which;
	return bh_bell_sleep_which(words, count, deadline_ns, &which);
}

int
bh_bell_sleep_which(const struct bh_bell_wait *words, unsigned count, uint64_t deadline_ns, unsigned *which)
{
	static const uint32_t nobody_wakes_this;
	static const struct bh_bell_wait alone = {.word = &nobody_wakes_this};
	struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / 1000000000u),
		.tv_nsec = (long)(deadline_ns % 1000000000u),
	};
	struct timespec *limit = deadline_ns ? &until : NULL;
	*which = 0;
	if (count > BH_BELL_WORDS)
		return -EINVAL;
	if (count == 0) {
		words = &alone;
		count = 1;
	}
	long ret;
	if (count == 1) {
		ret = syscall(SYS_futex, words[0].word, FUTEX_WAIT_BITSET, words[0].value, limit, NULL,
			      FUTEX_BITSET_MATCH_ANY);
	} else {
		struct futex_waitv wait[BH_BELL_WORDS];
		for (unsigned k = 0; k < count; k++)
			wait[k] = (struct futex_waitv){
				.val = words[k].value, .uaddr = (uintptr_t)words[k].word, .flags = FUTEX_32};
		ret = syscall(SYS_futex_waitv, wait, count, 0, limit, CLOCK_MONOTONIC);
	}
	if (ret > 0 && ret < (long)count)
		*which = (unsigned)ret;
	if (ret >= 0 || errno == EAGAIN || errno == EINTR)
		return 1;
	return errno == ETIMEDOUT ? 0 : -errno;
}
