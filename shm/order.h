/*
 * order.h - every ordering that the protocol of rings, bells, cells, records and the journal leans on, by name
 *
 * Each is the weakest that will do: a model that is checked exhaustively (tests/model) or ThreadSanitizer fails when it is taken
 * away, and a test builds it so. A build may override one, by -DBH_ORDER_...=__ATOMIC_RELAXED or '-DBH_FENCE_...()=(void)0'.
 * What is relaxed in the code and has no name here may be in any order.
 */
#pragma once

#include "shm/words.h"

/* ring.c: an event is whole before its head can be seen, and is read after its head was. */
#ifndef BH_ORDER_SEQ_STORE
#define BH_ORDER_SEQ_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_SEQ_LOAD
#define BH_ORDER_SEQ_LOAD __ATOMIC_ACQUIRE
#endif

/* ring.c: a slot is given back after it was read and what it asked for was done, and is written after it was given back. */
#ifndef BH_ORDER_CURSOR_STORE
#define BH_ORDER_CURSOR_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_CURSOR_LOAD
#define BH_ORDER_CURSOR_LOAD __ATOMIC_ACQUIRE
#endif

/*
 * ring.c, for the compiler: nothing of the next event before the head of this one. Who is killed between the two would leave a ring in
 * which the event after an unwritten head has overwritten the last one that was written.
 */
#ifndef BH_FENCE_NEXT
#define BH_FENCE_NEXT() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

/* bell.c: who reads an episode then reads a cursor at least as new. */
#ifndef BH_ORDER_EPISODE_STORE
#define BH_ORDER_EPISODE_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_EPISODE_LOAD
#define BH_ORDER_EPISODE_LOAD __ATOMIC_ACQUIRE
#endif

/* bell.c: announce, fence, look again; publish, fence, read the episode. One of the two sees the other. */
#ifndef BH_FENCE_ANNOUNCE
#define BH_FENCE_ANNOUNCE() shm_full_barrier()
#endif
#ifndef BH_FENCE_RING
#define BH_FENCE_RING() shm_full_barrier()
#endif

/* outbox.c: attach and count it as an overflow, fence, see whether the consumer sleeps. bell.c: publish, fence, ring in any case. */
#ifndef BH_FENCE_ATTACH
#define BH_FENCE_ATTACH() shm_full_barrier()
#endif
#ifndef BH_FENCE_RING_ALWAYS
#define BH_FENCE_RING_ALWAYS() shm_full_barrier()
#endif

/* outbox.c: a cell is written before the count that tells of it, and read after it. */
#ifndef BH_ORDER_OVERFLOW_STORE
#define BH_ORDER_OVERFLOW_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_OVERFLOW_LOAD
#define BH_ORDER_OVERFLOW_LOAD __ATOMIC_ACQUIRE
#endif

/* outbox.c: count, fence, look at the cursor once more; the other half is the sleeper's announcement. */
#ifndef BH_FENCE_PUT
#define BH_FENCE_PUT() shm_full_barrier()
#endif
#ifndef BH_FENCE_CONFLATE
#define BH_FENCE_CONFLATE() shm_full_barrier()
#endif

/* latch.c, words.h: a copy is whole before the turn says so, and no word of the next one is seen before that turn. */
#ifndef BH_ORDER_TURN_STORE
#define BH_ORDER_TURN_STORE __ATOMIC_RELEASE
#endif
#ifndef BH_ORDER_TURN_LOAD
#define BH_ORDER_TURN_LOAD __ATOMIC_ACQUIRE
#endif

/* journal.c, for the compiler: the transaction before this one is committed and carried out before anything of this one is written. */
#ifndef BH_FENCE_BEGIN
#define BH_FENCE_BEGIN() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

/* journal.c: a record is whole before it is committed. */
#ifndef BH_ORDER_COMMIT
#define BH_ORDER_COMMIT __ATOMIC_RELEASE
#endif
