/*
 * latch.pml - shm/latch.c: a record in two copies and a turn, its writer killed at any step
 *
 * The value of turn n says n in both of its words. The reader reads READS times, and once more when all has been written.
 *
 * Holds: no value is torn or older than one read before; a dead writer keeps nobody from reading.
 */
#ifndef WRITES
#define WRITES 4
#endif
#ifndef READS
#define READS 3
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef DEPTH
#define DEPTH 5
#endif

#define TURN 0
#define COPY(turn, k) (1 + 2 * ((turn) % 2) + (k))
#define WORDS 5
#define CPUS 1

#define M_turn_store 1
#define M_turn_load 2
#define M_word_store 3
#define M_word_load 4
#define M_no_turn_check 5
#define M_same_copy 6
#define M_turn_first 7

#include "memory.pml"

bool written, read_it;

proctype writer(byte me, mutant)
{
	byte turn;
life:
	skip;
	LOAD(turn, TURN);
	do
	:: turn < WRITES ->
		/* bh_latch_write() */
		MORTAL;
		OPERATION {
			turn++;
			if
			:: IS(M_turn_first) -> STORE(TURN, turn, REL)
			:: else
			fi;
			STORE(COPY(turn + IS(M_same_copy), 0), turn, ORDER(M_word_store));
			STORE(COPY(turn + IS(M_same_copy), 1), turn, ORDER(M_word_store));
			if
			:: !IS(M_turn_first) -> STORE(TURN, turn, ORDER(M_turn_store))
			:: else
			fi;
			SAY(("write %d\n", turn))
		}
	:: else -> break
	od;
	FENCE;
	written = true;
	if :: DIE fi;
died:
	skip;
	BURY(me);
	atomic {
		SAY(("writer_dies\n"));
		turn = 0;
		goto life
	}
}

proctype reader(byte mutant)
{
	byte before, after, a, b, last, n;
	bool final;
	do
	:: n <= READS ->
		if
		:: n == READS -> (written); final = true
		:: else
		fi;
		/* bh_latch_read(), one of its tries; it has no stores, so it reads what all see */
		OPERATION {
			if
			:: IS(M_turn_load) -> a = mem[COPY(mem[TURN], 0)]
			:: else
			fi;
			before = mem[TURN];
			if
			:: !IS(M_turn_load) -> a = mem[COPY(before, 0)]
			:: else
			fi;
			if
			:: IS(M_word_load) -> after = mem[TURN]
			:: else
			fi;
			b = mem[COPY(before, 1)];
			if
			:: !IS(M_word_load) -> after = mem[TURN]
			:: else
			fi;
			SAY(("read %d\n", before))
		}
		if
		:: before == after || IS(M_no_turn_check) ->
			assert(a == before && b == before && before >= last);
			last = before;
			read_it = final
		:: else -> assert(!final)
		fi;
		n++;
		before = 0; after = 0; a = 0; b = 0
	:: else -> break
	od
}

init {
	atomic {
		CHOOSE_MUTANT;
		FLUSHERS;
		run writer(0, chosen);
		run reader(chosen)
	}
	timeout -> assert(read_it)
}
