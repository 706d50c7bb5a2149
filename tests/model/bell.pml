/*
 * bell.pml - shm/bell.c and shm/outbox.c: sleeping, being woken once, cells and overflow, either side killed at any step
 *
 * WAKERS tell one sleeper the values 1 to VALUES, each by a cell and a ring of SLOTS slots, put or conflated; they ring after any of
 * them, or for nothing. The sleeper takes what is there, announces, looks again, sleeps: on a futex or in epoll with a pipe. One who is
 * killed has a successor; the sleeper's may begin with a fresh self segment.
 *
 * Holds: the newest value arrives and nobody sleeps on (what is lost would leave everybody asleep for good); no more than one
 * system call for a sleep and life of a waker.
 */
#ifndef WAKERS
#define WAKERS 1
#endif
#ifndef VALUES
#define VALUES 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef DEPTH
#define DEPTH 4
#endif

#ifndef SLOTS
#define SLOTS 1
#endif
#define SEQ(w, p) (7 * (w) + (p) % SLOTS)
#define DATA(w, p) (7 * (w) + 2 + (p) % SLOTS)
#define CELL(w) (7 * (w) + 4)
#define OVERFLOW(w) (7 * (w) + 5)
#define CURSOR(w) (7 * (w) + 6)
#define EPISODE (7 * WAKERS)
#define WORDS (7 * WAKERS + 1)
#define CPUS (WAKERS + 1)
#define SLEEPER WAKERS
#define RESYNC 100
#define NEVER 255 /* a value that the word does not have */

#define M_episode_store 1
#define M_episode_load 2
#define M_fence_announce 3
#define M_fence_ring 4
#define M_fence_put 5
#define M_fence_conflate 6
#define M_overflow_store 7
#define M_overflow_load 8
#define M_look_again 9
#define M_word_late 10
#define M_answered 11
#define M_ring_for_nothing 12
#define M_wrong_word 13
#define M_ring_on_attach 14
#define M_second_look 15
#define M_overflow_unseen 16
#define M_resync 17
#define M_same_episode 18
#define M_seen_at_attach 19
#define M_ring_first 20
#define M_answered_kept 21
#define M_cell_last 22
#define M_no_flush 23
#define M_fence_always 24
#define M_overflow_on_attach 25
#define M_fence_attach 26
#define M_resync_on_attach 27

#include "memory.pml"

/* The kernel's side, and what outlives everybody. */
bool edge, asleep;
byte waits[WAKERS]; /* the slot whose word is slept on */
byte newest[WAKERS], upto[WAKERS];
bit fresh[WAKERS]; /* the sleeper's self segment is another one: attach to it */

inline wake_word(c)
{
	/* FUTEX_WAKE */
	if
	:: asleep && !pipe && waits[me] == (c) % SLOTS -> asleep = false
	:: else
	fi
}

inline ring_always()
{
	/* bh_bell_ring_always() */
	FENCE_BUT(M_fence_always);
	if
	:: pipe -> edge = true
	:: else ->
		LOAD(c, CURSOR(me));
		atomic { wake_word(c) }
	fi
}

inline push(v)
{
	if
	:: pos - seen == SLOTS -> LOAD(seen, CURSOR(me)); assert(seen <= pos)
	:: else
	fi;
	if
	:: pos - seen < SLOTS ->
		STORE(DATA(me, pos), v, RLX);
		STORE(SEQ(me, pos), pos + 1, REL);
		pos++;
		ok = true
	:: else -> ok = false
	fi
}

/* Its own words: nobody else writes them, so reading and writing is one step. */
inline write_cell(g)
{
	atomic {
		LOAD(c, CELL(me));
		if
		:: c < g -> STORE(CELL(me), g, REL)
		:: else
		fi;
		c = 0
	}
}

inline overflow()
{
	atomic {
		LOAD(c, OVERFLOW(me));
		STORE(OVERFLOW(me), c + 1, ORDER(M_overflow_store));
		c = 0
	}
}

/* What bh_outbox_attach() says to the consumer. */
inline attached()
{
	overflow();
	FENCE_BUT(M_fence_attach);
	LOAD(e, EPISODE);
	if
	:: e % 2 && !IS(M_resync_on_attach) ->
		LOAD(seen, CURSOR(me));
		if
		:: seen == pos -> push(RESYNC)
		:: else
		fi
	:: else
	fi;
	d_step { e = 0; ok = false }
}

inline put(g)
{
	/* bh_outbox_put() */
	if
	:: !IS(M_cell_last) -> write_cell(g)
	:: else
	fi;
	push(g);
	if
	:: !ok ->
		overflow();
		FENCE_BUT(M_fence_put);
		if
		:: IS(M_second_look) -> skip
		:: else -> push(g)
		fi
	:: else
	fi;
	if
	:: IS(M_cell_last) -> write_cell(g)
	:: else
	fi
}

inline conflate(g)
{
	/* bh_outbox_conflate() */
	write_cell(g);
	overflow();
	FENCE_BUT(M_fence_conflate);
	LOAD(seen, CURSOR(me));
	if
	:: seen == pos && !IS(M_resync) -> push(RESYNC)
	:: else
	fi
}

inline flush()
{
	/* bh_bell_ring() */
	FENCE_BUT(M_fence_ring);
	if
	:: IS(M_episode_load) -> LOAD(c, CURSOR(me))
	:: else
	fi;
	LOAD(e, EPISODE);
	if
	:: (e % 2) && e != answered && !fresh[me] ->
		atomic {
			if
			:: !IS(M_episode_load) -> LOAD(c, CURSOR(me))
			:: else
			fi;
			LOAD(s, SEQ(me, c))
		}
		if
		:: s == c + 1 || IS(M_ring_for_nothing) ->
			assert(e != called);
			if :: skip :: DIE fi; /* before the call: published, and nobody is rung */
			atomic {
				called = e;
				if
				:: pipe -> edge = true
				:: else ->
					if
					:: IS(M_wrong_word) -> wake_word(pos - 1)
					:: else -> wake_word(c)
					fi
				fi
			}
			if
			:: !IS(M_answered) -> answered = e
			:: else
			fi;
			SAY(("flush waker %d rang 1\n", me))
		:: else -> SAY(("flush waker %d rang 0\n", me))
		fi
	:: else -> SAY(("flush waker %d rang 0\n", me))
	fi;
	c = 0; e = 0; s = 0
}

proctype waker(byte me, mutant; bool pipe)
{
	byte pos, seen, answered, called, c, e, s;
	bool ok, idle;
life:
		OPERATION {
			d_step {
				pos = (mem[SEQ(me, 0)] > mem[SEQ(me, 1)] -> mem[SEQ(me, 0)] : mem[SEQ(me, 1)]);
				answered = 0;
				fresh[me] = 0
			}
			LOAD(seen, CURSOR(me));
			/* The one before us may have died between a cell and its event. */
			if
			:: !IS(M_overflow_on_attach) -> attached()
			:: else
			fi;
			if
			:: !IS(M_ring_on_attach) -> ring_always()
			:: else
			fi;
			SAY(("tx_attach waker %d pos %d\n", me, pos))
		}
		do
		:: upto[me] <= VALUES ->
			MORTAL;
			if
			:: IS(M_ring_first) -> flush()
			:: else
			fi;
			if
			:: OPERATION { put(upto[me]); SAY(("put waker %d value %d ring %d pos %d\n", me, upto[me], ok, pos)) }
			:: OPERATION { conflate(upto[me]); SAY(("conflate waker %d value %d pos %d\n", me, upto[me], pos)) }
			fi;
			atomic { ok = false; c = 0; upto[me]++ }
			if
			:: IS(M_ring_first) || IS(M_no_flush) -> skip
			:: upto[me] <= VALUES -> skip /* together with the next */
			:: else ->
				MORTAL;
				OPERATION { flush() }
			fi
		:: fresh[me] ->
			/* The supervisor has sent the sleeper's new segment. */
			OPERATION {
				d_step {
					if
					:: !IS(M_answered_kept) -> answered = 0
					:: else
					fi;
					called = 0;
					fresh[me] = 0
				}
				attached();
				ring_always();
				c = 0;
				SAY(("tx_attach waker %d pos %d\n", me, pos))
			}
		:: upto[me] > VALUES && !fresh[me] -> if :: fresh[me] :: DIE fi
		:: upto[me] == 1 && !idle -> OPERATION { flush(); idle = true } /* for nothing: nothing was said yet */
		od
died:
	skip;
	BURY(me);
	atomic {
		/* Whoever says the same again is told that it is known; or it is repeated, as a redo record is. */
		if
		:: mem[CELL(me)] == upto[me] -> upto[me]++
		:: true
		fi;
		SAY(("waker_dies waker %d upto %d\n", me, upto[me]));
		pos = 0; seen = 0; answered = 0; called = 0; c = 0; e = 0; s = 0; ok = false;
		goto life
	}
}

inline look(w)
{
	/* bh_inbox_pending() */
	LOAD(s, SEQ(w, pos[w]));
	LOAD(c, OVERFLOW(w));
	d_step {
		work = work || s == pos[w] + 1 || (c != looked[w] && !IS(M_overflow_unseen));
		s = 0;
		c = 0
	}
}

inline read_word(w)
{
	/* bh_ring_word() */
	LOAD(word[w], SEQ(w, pos[w]));
	if
	:: word[w] == pos[w] + 1 && !IS(M_word_late) -> word[w] = NEVER
	:: else
	fi
}

inline take(w)
{
	LOAD(s, SEQ(w, pos[w]));
	if
	:: s == pos[w] + 1 ->
		LOAD(c, DATA(w, pos[w]));
		assert(c);
		atomic {
			if
			:: c != RESYNC && c > newest[w] -> newest[w] = c
			:: c == RESYNC -> looked[w] = NEVER
			:: else
			fi;
			pos[w]++;
			work = true
		}
		STORE(CURSOR(w), pos[w], REL);
		SAY(("take waker %d there 1 pos %d\n", w, pos[w]))
	:: else ->
		SAY(("take waker %d there 0 pos %d\n", w, pos[w]));
		if
		:: IS(M_overflow_load) -> LOAD(e, CELL(w))
		:: else
		fi;
		LOAD(c, OVERFLOW(w));
		if
		:: c != looked[w] ->
			if
			:: !IS(M_overflow_load) -> LOAD(e, CELL(w))
			:: else
			fi;
			d_step {
				if
				:: e > newest[w] -> newest[w] = e
				:: else
				fi;
				looked[w] = c;
				work = true
			};
			SAY(("cells waker %d value %d\n", w, e))
		:: else
		fi
	fi;
	d_step { c = 0; s = 0; e = 0 }
}

proctype sleeper(byte me, mutant; bool pipe)
{
	byte episode, c, s, e;
	byte pos[WAKERS], looked[WAKERS], word[WAKERS];
	bool work, late;
life:
		OPERATION {
			d_step {
				pos[0] = mem[CURSOR(0)];
				looked[0] = (IS(M_seen_at_attach) -> mem[OVERFLOW(0)] : NEVER);
#if WAKERS > 1
				pos[1] = mem[CURSOR(1)];
				looked[1] = (IS(M_seen_at_attach) -> mem[OVERFLOW(1)] : NEVER);
#endif
				episode = mem[EPISODE]
			}
			SAY(("rx_attach\n"))
		}
		do
		:: true ->
			MORTAL;
			OPERATION { take(0) }
#if WAKERS > 1
			OPERATION { take(1) }
#endif
			if
			:: work -> work = false
			:: else ->
				if
				:: late = false
				:: late = true
				fi;
				OPERATION {
					if
					:: !late ->
						read_word(0);
#if WAKERS > 1
						read_word(1);
#endif
					:: else
					fi;
					/* bh_bell_announce() */
					episode = episode + (episode % 2 -> (IS(M_same_episode) -> 0 : 2) : 1);
					STORE(EPISODE, episode, ORDER(M_episode_store));
					FENCE_BUT(M_fence_announce);
					SAY(("announce late %d episode %d\n", late, episode))
				}
				MORTAL;
				OPERATION {
					if
					:: !IS(M_look_again) ->
						look(0);
#if WAKERS > 1
						look(1);
#endif
					:: else
					fi;
					if
					:: late ->
						read_word(0);
#if WAKERS > 1
						read_word(1);
#endif
					:: else
					fi;
					SAY(("look work %d\n", work))
				}
				if
				:: !work && !pipe ->
					OPERATION {
						/* FUTEX_WAIT: compares, and sleeps. */
						d_step {
							waits[0] = pos[0] % SLOTS;
#if WAKERS > 1
							waits[1] = pos[1] % SLOTS;
#endif
							asleep = (mem[SEQ(0, pos[0])] == word[0]
#if WAKERS > 1
								&& mem[SEQ(1, pos[1])] == word[1]
#endif
							)
						}
						SAY(("sleep %d\n", asleep))
					}
					if
					:: (!asleep)
					:: DIE
					fi
				:: !work && pipe -> SAY(("sleep %d\n", !edge)); 
					if
					:: atomic { (edge) -> edge = false }
					:: DIE
					fi
				
				:: else -> edge = false /* epoll that does not wait takes the edge all the same */
				fi;
				OPERATION {
					/* bh_bell_awake() */
					episode++;
					STORE(EPISODE, episode, RLX);
					SAY(("awake episode %d\n", episode))
				}
				d_step {
					word[0] = 0; waits[0] = 0;
#if WAKERS > 1
					word[1] = 0; waits[1] = 0;
#endif
					late = false;
					work = false
				}
			fi;
		od
died:
	skip;
	BURY(me);
	atomic {
		asleep = false; waits[0] = 0; pos[0] = 0; looked[0] = 0; word[0] = 0;
#if WAKERS > 1
		waits[1] = 0; pos[1] = 0; looked[1] = 0; word[1] = 0; 
#endif
		episode = 0; c = 0; s = 0; e = 0; work = false; late = false;
		if
		:: SAY(("sleeper_dies fresh 0\n"))
		:: mem[EPISODE] = 0; /* a fresh self segment counts from the beginning */
			fresh[0] = 1;
#if WAKERS > 1
			fresh[1] = 1;
#endif
			SAY(("sleeper_dies fresh 1\n"))
		fi;
		goto life
	}
}

init {
	bool how; /* by a pipe */
	atomic {
		CHOOSE_MUTANT;
		upto[0] = 1;
#if WAKERS > 1
		upto[1] = 1;
#endif
		if
#ifndef NO_FUTEX
		:: how = false
#endif
#ifndef NO_PIPE
		:: how = true
#endif
		fi;
		FLUSHERS;
		run waker(0, chosen, how);
#if WAKERS > 1
		run waker(1, chosen, how);
#endif
		run sleeper(SLEEPER, chosen, how)
	}
	timeout -> assert(newest[0] == VALUES);
#if WAKERS > 1
	assert(newest[1] == VALUES)
#endif
}
