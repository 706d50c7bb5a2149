/*
 * redo.pml - shm/journal.c and procs/router/engine.c: one redo record for each input, the router killed at any step
 *
 * Two producers' rings hold FIRST and SECOND inputs. Each input adds a number of its own to one record, counts in another, and
 * sends an action to consumer 0. Those of the second have two more outputs: a value for consumer 1 for which there is no room (its cell
 * alone, and a RESYNC if the ring is empty), and an action for consumer 1. An action says how many inputs there were. The router is killed KILLS times, its successors
 * too. The journal's check sum is not leant on: a torn slot counts as sound. Slots of rings and records are one word here: that they
 * are whole is what ring.pml and latch.pml show.
 *
 * Holds: each input happens once; each action arrives once and in order; the newest value arrives; never more than one transaction
 * is half done.
 */
#ifndef FIRST
#define FIRST 2
#endif
#ifndef SECOND
#define SECOND 1
#endif
#ifndef KILLS
#define KILLS 2
#endif
#ifndef DEPTH
#define DEPTH 7
#endif
#define INPUTS (FIRST + SECOND)

#define COMMIT(t) (4 * ((t) % 2))
#define TXN(t) (4 * ((t) % 2) + 1)
#define CHANGE(t) (4 * ((t) % 2) + 2) /* the new sum, and whose input it was */
#define ENDS(t) (4 * ((t) % 2) + 3)
#define SUM 8
#define COUNT 9
#define CURSOR(in) (10 + (in))
#define CELL 12
#define OVERFLOW 13
#define CURSOR_OF_1 14
#define OUT(o, p) (15 + (INPUTS + 2) * (o) + (p))
#define WORDS (15 + INPUTS + 2 + 2 * INPUTS + 2)
#define CPUS 1
#define RESYNC 100

#define M_commit 1
#define M_fence_begin 2
#define M_publish_first 4
#define M_apply_first 5
#define M_no_skip 6
#define M_count_resync 7
#define M_keep_cursor 8
#define M_no_redo 9
#define M_ends_after 10
#define M_cursor_first 11
#define M_no_republish 12
#define M_one_slot 13

#include "memory.pml"

byte got[2], cell_got;

/* Which number an input adds: each bit is one input. */
#define NUMBER(in, cursor) (1 << ((in) * FIRST + (cursor)))

#define ONES(s) (((s) & 1) + (((s) / 2) & 1) + (((s) / 4) & 1) + ((s) / 8))

inline ring_ends()
{
	d_step {
		pos[0] = 0;
		do
		:: mem[OUT(0, pos[0])] -> pos[0]++
		:: else -> break
		od;
		pos[1] = 0;
		do
		:: mem[OUT(1, pos[1])] -> pos[1]++
		:: else -> break
		od
	}
}

/* bh_outbox_since() */
inline since(o, end)
{
	d_step {
		k = end;
		done[o] = 0;
		do
		:: k < pos[o] ->
			if
			:: mem[OUT(o, k)] != RESYNC || IS(M_count_resync) -> done[o]++
			:: else
			fi;
			k++
		:: else -> k = 0; break
		od
	}
}

inline push(o, v)
{
	STORE(OUT(o, pos[o]), v, REL);
	pos[o]++
}

/* bh_outbox_conflate() */
inline conflate(v)
{
	LOAD(k, CELL);
	if
	:: k != v -> STORE(CELL, v, REL)
	:: else
	fi;
	LOAD(k, OVERFLOW);
	STORE(OVERFLOW, k + 1, REL);
	FENCE;
	LOAD(k, CURSOR_OF_1);
	if
	:: k == pos[1] -> push(1, RESYNC)
	:: else
	fi;
	k = 0
}

inline publish_all()
{
	if
	:: done[0] && !IS(M_no_skip) -> done[0]--
	:: else -> push(0, count)
	fi;
	if
	:: in ->
		conflate(count);
		if
		:: done[1] && !IS(M_no_skip) -> done[1]--
		:: else -> push(1, count)
		fi
	:: else
	fi
}

inline apply()
{
	STORE(SUM, sum, REL);
	STORE(COUNT, count, REL)
}

inline recover()
{
	/* bh_journal_attach(), bh_journal_last() */
	d_step {
		txn = 0;
		if
		:: mem[COMMIT(0)] && mem[COMMIT(0)] == mem[TXN(0)] && mem[TXN(0)] % 2 == 0 -> txn = mem[TXN(0)]
		:: else
		fi;
		if
		:: mem[COMMIT(1)] > txn && mem[COMMIT(1)] == mem[TXN(1)] && mem[TXN(1)] % 2 == 1 -> txn = mem[TXN(1)]
		:: else
		fi
	}
	/* router_recover() */
	if
	:: txn ->
		d_step {
			sum = mem[CHANGE(txn)] % 32;
			count = ONES(sum);
			in = mem[CHANGE(txn)] / 128;
			next = (mem[CHANGE(txn)] / 32) % 4
		}
		/* All before it is done; of it, nobody knows. */
		assert(mem[COUNT] == count || mem[COUNT] + 1 == count);
		if
		:: !IS(M_no_redo) -> apply()
		:: else
		fi;
		since(0, mem[ENDS(txn)] / 16);
		since(1, mem[ENDS(txn)] % 16);
		if
		:: !IS(M_no_republish) -> publish_all()
		:: else
		fi;
		done[0] = 0; done[1] = 0;
		if
		:: !IS(M_keep_cursor) -> STORE(CURSOR(in), next, REL)
		:: else
		fi
	:: else
	fi;
	LOAD(sum, SUM);
	LOAD(count, COUNT);
	LOAD(cursor[0], CURSOR(0));
	LOAD(cursor[1], CURSOR(1));
	in = 0; next = 0
}

inline journal(t)
{
	STORE(COMMIT(t), 0, RLX);
	if
	:: !IS(M_fence_begin) -> ORDERED
	:: else
	fi;
	STORE(CHANGE(t), in * 128 + next * 32 + sum, RLX);
	STORE(TXN(t), txn, RLX);
	STORE(ENDS(t), (IS(M_ends_after) -> (pos[0] + 1) * 16 + pos[1] + 1 : pos[0] * 16 + pos[1]), RLX);
	STORE(COMMIT(t), txn, ORDER(M_commit))
}

proctype router(byte me, mutant)
{
	byte txn, sum, count, in, next, k;
	byte pos[2], done[2], cursor[2];
life:
	OPERATION {
		ring_ends();
		recover();
		SAY(("recover txn %d sum %d count %d pos %d %d cursor %d %d\n", txn, sum, count, pos[0], pos[1], cursor[0], cursor[1]))
	}
	do
	:: true ->
		if
		:: cursor[0] < FIRST -> in = 0
		:: cursor[1] < SECOND -> in = 1
		:: cursor[0] == FIRST && cursor[1] == SECOND -> break
		fi;
		MORTAL;
		OPERATION {
			next = cursor[in];
			sum = sum + NUMBER(in, next);
			next++;
			count++;
			txn++;
			if
			:: IS(M_cursor_first) -> STORE(CURSOR(in), next, REL)
			:: else
			fi;
			if
			:: IS(M_apply_first) -> apply()
			:: else
			fi;
			if
			:: IS(M_publish_first) -> push(0, count)
			:: else
			fi;
			journal((IS(M_one_slot) -> 0 : txn));
			SAY(("commit txn %d input %d cursor %d sum %d count %d\n", txn, in, next, sum, count))
		}
		MORTAL;
		OPERATION {
			apply();
			SAY(("apply sum %d count %d\n", sum, count))
		}
		MORTAL;
		OPERATION {
			if
			:: IS(M_publish_first) -> done[0] = 1
			:: else
			fi;
			publish_all();
			SAY(("publish pos %d %d\n", pos[0], pos[1]))
		}
		MORTAL;
		OPERATION {
			STORE(CURSOR(in), next, REL);
			cursor[in] = next;
			SAY(("seek input %d cursor %d\n", in, next))
		}
		in = 0; next = 0; k = 0
	od;
	if :: DIE fi;
died:
	skip;
	BURY(me);
	atomic {
		SAY(("router_dies\n"));
		txn = 0; sum = 0; count = 0; in = 0; next = 0; k = 0;
		pos[0] = 0; pos[1] = 0; done[0] = 0; done[1] = 0; cursor[0] = 0; cursor[1] = 0;
		goto life
	}
}

proctype consumer0()
{
	byte v;
end:
	do
	:: OPERATION { atomic {
		mem[OUT(0, got[0])] ->
		v = mem[OUT(0, got[0])];
		assert(v == got[0] + 1);
		got[0]++;
		SAY(("consume0 %d\n", v));
		v = 0
	} }
	od
}

proctype consumer1()
{
	byte p, v, looked, last;
	do
	:: OPERATION { atomic {
		mem[OUT(1, p)] ->
		v = mem[OUT(1, p)];
		if
		:: v != RESYNC -> assert(v > last); last = v; got[1]++
		:: else
		fi;
		p++;
		v = 0;
		SAY(("consume1 %d\n", p))
	   }
	   mem[CURSOR_OF_1] = p }
	:: atomic { mem[OUT(1, p)] == 0 && mem[OVERFLOW] != looked -> looked = mem[OVERFLOW] }
	   cell_got = mem[CELL]
	od
}

init {
	atomic {
		CHOOSE_MUTANT;
		FLUSHERS;
		run router(0, chosen);
		run consumer0();
		run consumer1()
	}
	timeout -> assert(mem[SUM] == (1 << INPUTS) - 1 && mem[COUNT] == INPUTS && got[0] == INPUTS && got[1] == SECOND &&
		cell_got == mem[CELL] && mem[CURSOR(0)] == FIRST && mem[CURSOR(1)] == SECOND)
}
