/*
 * conn - one wanted connection between a port of ours and a peer's, that comes back when the peer
 *does
 *
 *	state     event     next      do
 *	absent    seen      trying    connect
 *	trying    made      linked
 *	trying    refused   trying    wait, longer each time
 *	trying    tick      trying    connect, once the wait is over
 *	trying    seen      trying    connect at once: the peer is new
 *	linked    cut       trying    wait: its port still stands, or GONE follows
 *	any       gone      absent
 *
 * ALSA refuses with EAGAIN while another program has the same port open as rawmidi, so a refusal is
 * no end. The waits have no jitter: this is one kernel on one machine, nobody is trampled.
 *
 * Pure: time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum midi_conn_state { MIDI_CONN_ABSENT, MIDI_CONN_TRYING, MIDI_CONN_LINKED };
enum midi_conn_event {
	MIDI_CONN_SEEN,
	MIDI_CONN_GONE,
	MIDI_CONN_MADE,
	MIDI_CONN_REFUSED,
	MIDI_CONN_CUT,
	MIDI_CONN_TICK,
};

#define MIDI_CONN_WAIT_MIN_NS 100000000ull
#define MIDI_CONN_WAIT_MAX_NS 5000000000ull

/* Zero is the start. */
struct midi_conn {
	enum midi_conn_state state;
	uint32_t refusals;
	uint64_t retry_ns; /* when to try again; 0 = not waiting */
};

const char *midi_conn_state_name(enum midi_conn_state state);
/* True: connect now, and tell the outcome by MADE or REFUSED. */
bool midi_conn_step(struct midi_conn *c, enum midi_conn_event event, uint64_t now_ns);

/*
 * How well does a port of the sequencer carry the name that a person wrote, "CLIENT" or "CLIENT:PORT"? Exactly, or
 * somewhere in it, case aside in both. Kernel ports repeat the client's name ("X-Touch X-TOUCH_INT") and are padded
 * with blanks: both may be left out. An empty name, and an empty side of the colon, are nobody's.
 */
enum midi_conn_match { MIDI_CONN_NO, MIDI_CONN_PART, MIDI_CONN_EXACT };
enum midi_conn_match midi_conn_match(const char *wanted, const char *client, const char *port);
