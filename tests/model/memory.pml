/*
 * memory.pml - shared words behind explicit store buffers
 *
 * Each processor (CPUS of them) has a list of stores that the others do not see yet. A flusher moves one of them at a time into
 * `mem`, whenever it likes:
 *
 *	TSO	the oldest: what x86 does
 *	PSO	any that no older one to the same word precedes, a buffer for each word: what weaker processors and compilers may do with
 *		relaxed stores. A release store leaves only when everything older has left; what is younger than it may overtake it.
 *
 * Loads happen at once and in order, and see their own processor's stores. A load that is weakened from acquire is written in the
 * models as what it allows: the loads the other way round.
 *
 * Who is killed loses nothing that he has stored under TSO. Under PSO he loses what has not left the buffer: those stores are
 * instructions that the compiler had put later; what stood before a fence for the compiler is not lost once anything behind it has left.
 * So a model that holds under PSO leans on no order but the named ones.
 *
 * Needs WORDS, CPUS, KILLS, and DEPTH (longest list). One of TSO, PSO; with TRACE neither: stores are seen at once, and each OPERATION is one
 * step that prints a line. A process has its number in `me` and a label `died`.
 */
#define RLX 0
#define REL 1

byte mem[WORDS];
byte chosen; /* the mutant: which line is changed, 0 = none. A process gets it as `mutant`, a constant of its own */
#define IS(m) (mutant == m)
#define ORDER(m) (mutant == m -> RLX : REL)

byte kills = KILLS; /* left */
#define DIE atomic { kills > 0 -> kills--; goto died }

#ifdef TRACE

#define OPERATION atomic
#define SAY(args) printf args
#define LOAD(to, a) to = mem[a]
#define STORE(a, v, order) mem[a] = v
#define STORE_ALIVE(a, v, order) mem[a] = v
#define MORTAL if :: skip :: DIE fi
#define FENCE skip
#define FENCE_BUT(m) skip
#define ORDERED skip
#define BURY(cpu) skip
#define FLUSHERS skip
#define CHOOSE_MUTANT skip

#else

#define OPERATION
#define SAY(args) skip

#ifdef PSO
#define KEEPS(order) order
#else
#define KEEPS(order) 0 /* the list is in order as it is */
#endif

typedef buffer {
	byte n;
	byte at[DEPTH];
	byte val[DEPTH];
	bit rel[DEPTH];
	bit fence[DEPTH]; /* a compiler's fence stood before it */
	bit pending;	  /* and before the next one */
	byte must	  /* so many of the oldest have been carried out, whatever becomes of us: one beyond a fence has left */
};
buffer sb[CPUS];
hidden byte tk;

#define LOAD(to, a) d_step { \
	to = mem[a]; \
	tk = 0; \
	do \
	:: tk < sb[me].n -> \
		if \
		:: sb[me].at[tk] == (a) -> to = sb[me].val[tk] \
		:: else \
		fi; \
		tk++ \
	:: else -> break \
	od \
}

#define STORE_ALIVE(a, v, order) d_step { \
	sb[me].n < DEPTH -> \
	sb[me].at[sb[me].n] = a; \
	sb[me].val[sb[me].n] = v; \
	sb[me].rel[sb[me].n] = KEEPS(order); \
	sb[me].fence[sb[me].n] = sb[me].pending; \
	sb[me].pending = 0; \
	sb[me].n++ \
}

/* Who is killed elsewhere than before a store, or asleep, might as well have been killed at the next one. */
#define STORE(a, v, order) \
	if \
	:: STORE_ALIVE(a, v, order) \
	:: DIE \
	fi
#define MORTAL skip

/* Everything has been seen. */
#define FENCE (sb[me].n == 0)
#define FENCE_BUT(m) (mutant == m || sb[me].n == 0)
/* A fence for the compiler alone: what comes after it is carried out after what came before it. */
#define ORDERED sb[me].pending = (KEEPS(1) && sb[me].n > 0)

#define LEAVE(k) d_step { \
	mem[sb[me].at[k]] = sb[me].val[k]; \
	tk = k; \
	do \
	:: tk > sb[me].must && sb[me].fence[tk] -> sb[me].must = tk; break \
	:: tk > sb[me].must && !sb[me].fence[tk] -> tk-- \
	:: else -> break \
	od; \
	if \
	:: k < sb[me].must -> sb[me].must-- \
	:: else \
	fi; \
	if \
	:: sb[me].fence[k] && k + 1 == sb[me].n -> sb[me].pending = 1 \
	:: sb[me].fence[k] && k + 1 < sb[me].n -> sb[me].fence[k + 1] = 1 \
	:: else \
	fi; \
	tk = k; \
	do \
	:: tk + 1 < sb[me].n -> \
		sb[me].at[tk] = sb[me].at[tk + 1]; \
		sb[me].val[tk] = sb[me].val[tk + 1]; \
		sb[me].rel[tk] = sb[me].rel[tk + 1]; \
		sb[me].fence[tk] = sb[me].fence[tk + 1]; \
		tk++ \
	:: else -> break \
	od; \
	sb[me].at[tk] = 0; \
	sb[me].val[tk] = 0; \
	sb[me].rel[tk] = 0; \
	sb[me].fence[tk] = 0; \
	sb[me].n--; \
	sb[me].fence[0] = 0; \
	if \
	:: sb[me].n == 0 -> sb[me].pending = 0 \
	:: else \
	fi \
}

#define MAY(k) (sb[me].n > k && !sb[me].rel[k])
#define OTHER(j, k) (sb[me].at[j] != sb[me].at[k])

proctype flusher(byte me)
{
end:
	do
	:: atomic { sb[me].n > 0 -> LEAVE(0) }
#ifdef PSO
	:: atomic { MAY(1) && OTHER(0, 1) -> LEAVE(1) }
#if DEPTH > 2
	:: atomic { MAY(2) && OTHER(0, 2) && OTHER(1, 2) -> LEAVE(2) }
#endif
#if DEPTH > 3
	:: atomic { MAY(3) && OTHER(0, 3) && OTHER(1, 3) && OTHER(2, 3) -> LEAVE(3) }
#endif
#if DEPTH > 4
	:: atomic { MAY(4) && OTHER(0, 4) && OTHER(1, 4) && OTHER(2, 4) && OTHER(3, 4) -> LEAVE(4) }
#endif
#if DEPTH > 5
	:: atomic { MAY(5) && OTHER(0, 5) && OTHER(1, 5) && OTHER(2, 5) && OTHER(3, 5) && OTHER(4, 5) -> LEAVE(5) }
#endif
#if DEPTH > 6
	:: atomic { MAY(6) && OTHER(0, 6) && OTHER(1, 6) && OTHER(2, 6) && OTHER(3, 6) && OTHER(4, 6) && OTHER(5, 6) -> LEAVE(6) }
#endif
#if DEPTH > 7
	:: atomic { MAY(7) && OTHER(0, 7) && OTHER(1, 7) && OTHER(2, 7) && OTHER(3, 7) && OTHER(4, 7) && OTHER(5, 7) && OTHER(6, 7) -> LEAVE(7) }
#endif
#endif
	od
}

/* The dead one's stores: his successor starts when they are seen, or gone. */
#ifdef PSO
#define BURY(cpu) d_step { \
	tk = 0; \
	do \
	:: tk < DEPTH -> \
		if \
		:: tk < sb[cpu].must -> mem[sb[cpu].at[tk]] = sb[cpu].val[tk] \
		:: else \
		fi; \
		sb[cpu].at[tk] = 0; \
		sb[cpu].val[tk] = 0; \
		sb[cpu].rel[tk] = 0; \
		sb[cpu].fence[tk] = 0; \
		tk++ \
	:: else -> break \
	od; \
	sb[cpu].n = 0; \
	sb[cpu].must = 0; \
	sb[cpu].pending = 0 \
}
#else
#define BURY(cpu) (sb[cpu].n == 0)
#endif

#define FLUSHERS tcpu = 0; do :: tcpu < CPUS -> run flusher(tcpu); tcpu++ :: else -> tcpu = 0; break od
byte tcpu;

c_decl {
	\#include <stdlib.h>
};
#define CHOOSE_MUTANT c_code { now.chosen = getenv("MUTANT") ? atoi(getenv("MUTANT")) : 0; }

#endif
