/*
 * words.h - copies to and from memory that another process may touch at the same time
 *
 * Private to shm/. Every access is an atomic 64-bit word: the compiler can neither tear nor repeat it, and what was
 * checked is what is used. The ordered pair is for latches, where the order of the data words against the turn is the
 * protocol: a reader that meets one word of a newer value then also meets the turn that came before it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias)) shm_word;

/* latch.c; see order.h, which is where the names are explained */
#ifndef BH_ORDER_WORD_STORE
#define BH_ORDER_WORD_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_WORD_LOAD
#define BH_ORDER_WORD_LOAD __ATOMIC_ACQUIRE
#endif

/*
 * ThreadSanitizer sees no race between atomic words, whatever their order. A build for it alone makes those of an event plain ones: then
 * only the orders of ring.c keep the two sides apart.
 */
#ifdef BH_PLAIN_WORDS
#define SHM_WORD_LOAD(p) (*(p))
#define SHM_WORD_STORE(p, w) (*(p) = (w))
#else
#define SHM_WORD_LOAD(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define SHM_WORD_STORE(p, w) __atomic_store_n(p, w, __ATOMIC_RELAXED)
#endif

static inline void
shm_load_words(void *to, const void *shared, size_t len)
{
	const shm_word *from = shared;
	for (size_t k = 0; k < len / 8; k++) {
		uint64_t w = SHM_WORD_LOAD(from + k);
		memcpy((char *)to + 8 * k, &w, 8);
	}
}

static inline void
shm_store_words(void *shared, const void *from, size_t len)
{
	shm_word *to = shared;
	for (size_t k = 0; k < len / 8; k++) {
		uint64_t w;
		memcpy(&w, (const char *)from + 8 * k, 8);
		SHM_WORD_STORE(to + k, w);
	}
}

/* As above, each word acquire or release; `len` need not be a multiple of 8, the shared side is padded to one. */
static inline void
shm_load_ordered(void *to, const void *shared, size_t len)
{
	const shm_word *from = shared;
	for (size_t at = 0; at < len; at += 8) {
		uint64_t w = __atomic_load_n(from + at / 8, BH_ORDER_WORD_LOAD);
		memcpy((char *)to + at, &w, len - at < 8 ? len - at : 8);
	}
}

static inline void
shm_store_ordered(void *shared, const void *from, size_t len)
{
	shm_word *to = shared;
	for (size_t at = 0; at < len; at += 8) {
		uint64_t w = 0;
		memcpy(&w, (const char *)from + at, len - at < 8 ? len - at : 8);
		__atomic_store_n(to + at / 8, w, BH_ORDER_WORD_STORE);
	}
}

/* Add to a counter that only this process writes and others read. */
static inline void
shm_count(uint64_t *counter, uint64_t n)
{
	if (counter)
		__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/*
 * The full barrier between "I have published" and "do you sleep?", and between "I sleep" and "is there anything?". No
 * operation on one word gives it formally, since the two sides meet in different words. ThreadSanitizer does not model it,
 * and need not: nothing but the decision to make a system call hangs on it, data are handed over by release and acquire.
 */
static inline void
shm_full_barrier(void)
{
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#pragma GCC diagnostic pop
}
