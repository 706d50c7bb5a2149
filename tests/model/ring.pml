/*
 * ring.pml - shm/ring.c: events in slots, either side killed at any step
 *
 * A ring of four slots, with two short events in it to begin with. The event at position p says p + 1; it may be a long one, with a continuation slot. The producer publishes until
 * position LAST; the consumer waits on the low half of the next slot's word, as a futex does, marks what it has done in memory of its
 * own (DONE), as a router commits and a driver marks, and moves its cursor.
 *
 * Holds: nothing lost, doubled (but by a death, which the mark tells), torn or out of order; all arrives.
 */
#ifndef LAST
#define LAST 6
#endif
#ifndef KILLS
#define KILLS 1 /* altogether */
#endif

#define SEQ(p) ((p) % 4)
#define DATA(p) (4 + (p) % 4)
#define CURSOR 8
#define DONE 9
#define WORDS 10
#define CPUS 2
#ifndef DEPTH
#define DEPTH 4
#endif
#define CONT 128
#define LONG 64 /* in the data word: what `cont` is in an event */
#define NUMBER(word) ((word) & 127)
#define EXTENT(data) (((data) & LONG) -> 2 : 1)

#define M_seq_store 1
#define M_seq_load 2
#define M_cursor_store 3
#define M_head_first 4
#define M_advance_first 5
#define M_count_unfinished 6
#define M_no_extent 7
#define M_no_room_check 8
#define M_any_lap 9
#define M_begin_at_end 10
#define M_no_advance 11
#define M_fence_next 12
#define M_keep_unfinished 13

#include "memory.pml"

bool all_done;

/* ring_end(): own memory, nobody else writes it. */
inline ring_end(end)
{
	d_step {
		k = 0;
		end = 0;
		do
		:: k < 4 ->
			w = mem[k];
			if
			:: (w & CONT) && !IS(M_count_unfinished) -> skip
			:: NUMBER(w) && (NUMBER(w) - 1) % 4 == k ->
				w = NUMBER(w);
				/* `cont` stands in the head, next to what it says */
				if
				:: !IS(M_no_extent) && !(mem[k] & CONT) -> w = w + EXTENT(mem[4 + k]) - 1
				:: else
				fi;
				if
				:: w > end -> end = w
				:: else
				fi
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0;
		w = 0
	}
}

inline clear_unfinished()
{
	k = (IS(M_keep_unfinished) -> pos + 4 : pos);
	do
	:: k < pos + 4 ->
		if
		:: mem[SEQ(k)] == ((k + 1) | CONT) -> STORE(SEQ(k), 0, RLX)
		:: else
		fi;
		k++
	:: else -> k = 0; break
	od
}

proctype producer(byte me, mutant)
{
	byte pos, seen, k, w, more;
life:
		OPERATION {
			ring_end(pos);
			LOAD(seen, CURSOR);
			assert(seen <= pos && pos - seen <= 4);
			clear_unfinished();
			SAY(("tx_attach pos %d seen %d\n", pos, seen))
		}
		do
		:: pos < LAST ->
			MORTAL;
			if
			:: more = 0
			:: pos + 1 < LAST -> more = 1
			fi;
			OPERATION {
				/* bh_ring_push() */
				if
				:: pos + 1 + more - seen > 4 && !IS(M_no_room_check) ->
					LOAD(seen, CURSOR);
					assert(seen <= pos)
				:: else
				fi;
				if
				:: pos + 1 + more - seen <= 4 || IS(M_no_room_check) ->
					if
					:: !IS(M_fence_next) -> ORDERED
					:: else
					fi;
					if
					:: IS(M_head_first) -> STORE(SEQ(pos), pos + 1, REL)
					:: else
					fi;
					if
					:: more ->
						STORE(SEQ(pos + 1), (pos + 2) | CONT, RLX)
					:: else
					fi;
					STORE(DATA(pos), (pos + 1) | (more * LONG), RLX);
					if
					:: !IS(M_head_first) -> STORE(SEQ(pos), pos + 1, ORDER(M_seq_store))
					:: else
					fi;
					pos = pos + 1 + more;
					SAY(("push ok more %d pos %d\n", more, pos))
				:: else ->
					SAY(("push full more %d pos %d\n", more, pos));
#ifndef TRACE
					if
					:: mem[CURSOR] != seen /* nothing else would change: the caller comes again */
					:: DIE
					fi
#endif
				fi
			}
		:: else -> break
		od;
		more = 0;
		if :: DIE fi;
died:
	skip;
	BURY(me);
	atomic {
		SAY(("producer_dies\n"));
		pos = 0; seen = 0; k = 0; w = 0; more = 0;
		goto life
	}
}

proctype consumer(byte me, mutant)
{
	byte pos, w, data, done;
life:
		OPERATION {
			/* bh_ring_rx_attach() */
			LOAD(pos, CURSOR);
			if
			:: IS(M_begin_at_end) && mem[SEQ(pos)] == pos + 1 -> pos = pos + EXTENT(mem[DATA(pos)])
			:: else
			fi;
			LOAD(done, DONE);
			SAY(("rx_attach pos %d\n", pos))
		}
		do
		:: pos < LAST ->
			MORTAL;
			OPERATION {
				/* bh_ring_peek() */
				if
				:: IS(M_seq_load) -> LOAD(data, DATA(pos))
				:: else
				fi;
				LOAD(w, SEQ(pos));
				if
				:: w == pos + 1 || (IS(M_any_lap) && w && !(w & CONT)) ->
					if
					:: !IS(M_seq_load) -> LOAD(data, DATA(pos))
					:: else
					fi;
					assert((data & 63) == pos + 1);
					if
					:: data & LONG ->
						LOAD(w, SEQ(pos + 1));
						assert(w == ((pos + 2) | CONT))
					:: else
					fi;
					SAY(("peek there pos %d more %d\n", pos, EXTENT(data) - 1))
				:: else ->
					SAY(("peek none pos %d\n", pos));
					data = 0
#ifndef TRACE
					; if
					:: NUMBER(mem[SEQ(pos)]) != NUMBER(w)
					:: DIE
					fi
#endif
				fi
			}
			if
			:: data ->
				if
				:: IS(M_advance_first) -> STORE(CURSOR, pos + EXTENT(data), REL)
				:: else
				fi;
				/* It is done: once, or again if the one before us died before he moved the cursor. */
				assert(done == pos || done == pos + EXTENT(data));
				done = pos + EXTENT(data);
				STORE(DONE, done, REL);
				MORTAL;
				OPERATION {
					if
					:: !IS(M_advance_first) && !IS(M_no_advance) -> STORE(CURSOR, done, ORDER(M_cursor_store))
					:: else
					fi;
					pos = done;
					SAY(("advance pos %d\n", pos))
				}
			:: else
			fi;
			data = 0; w = 0
		:: else -> break
		od;
		all_done = true;
		if :: DIE fi;
died:
	skip;
	BURY(me);
	atomic {
		SAY(("consumer_dies\n"));
		pos = 0; w = 0; data = 0; done = 0;
		all_done = false;
		goto life
	}
}

init {
	atomic {
		CHOOSE_MUTANT;
		mem[SEQ(0)] = 1; mem[DATA(0)] = 1;
		mem[SEQ(1)] = 2; mem[DATA(1)] = 2;
		FLUSHERS;
		run producer(0, chosen);
		run consumer(1, chosen)
	}
	timeout -> assert(all_done)
}
