/*
 * conn.h - the connection to OBS: what follows from what has happened
 *
 *	idle          start → connecting (open)
 *	waiting       tick, the wait is over → connecting (open)
 *	connecting    opened → identifying · an end → waiting
 *	identifying   identified → loading (load) · no password → refused · nothing for 5 s → waiting
 *	loading       loaded → ready · not ready → loading (load, in half a second) · reload → loading (load) · nothing for 15 s → waiting
 *	ready         reload → loading (load)
 *	refused       tick, half a minute is over → connecting (open): a person must act
 *	kicked        as refused: a person in OBS has disconnected us
 *
 *	any           start → connecting (close what is open, open) · stop → idle (close)
 *	identifying, loading, ready: tick → (ping) now and then · three pings without a pong → waiting (close)
 *	all that are open: an end → waiting; 4009, 4010 → refused; 4011 → kicked
 *
 * What is not in this table changes nothing. Waits after an end: 100 ms, doubled each time up to 500 ms, less up to half of it by
 * chance; a name that nobody knows, a port that something else has, a protocol that is broken: 5 s. A connection that was ready for a
 * second begins from the start.
 *
 * Pure: time is an argument, any clock that goes on (CLOCK_BOOTTIME in the driver).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/obs/ws.h"
#include "shm/layout.h"

enum obs_conn_state {
	OBS_CONN_IDLE, OBS_CONN_WAITING, OBS_CONN_CONNECTING, OBS_CONN_IDENTIFYING, OBS_CONN_LOADING, OBS_CONN_READY,
	OBS_CONN_REFUSED, OBS_CONN_KICKED, OBS_CONN_STATES
};

enum obs_conn_event {
	OBS_CONN_START,	      /* there are options, or new ones */
	OBS_CONN_STOP,
	OBS_CONN_OPENED,      /* the WebSocket is open: Hello will come */
	OBS_CONN_IDENTIFIED,  /* op 2 */
	OBS_CONN_NO_PASSWORD, /* Hello asks for one, and there is none in the options */
	OBS_CONN_NOT_READY,   /* 207: OBS is starting, or changing its collection */
	OBS_CONN_LOADED,      /* the picture is whole */
	OBS_CONN_RELOAD,      /* a new picture is needed */
	OBS_CONN_GARBLED,     /* a message that is none */
	OBS_CONN_PONG,
	OBS_CONN_TICK,	      /* obs_conn_deadline() has come, or any other time */
	/* the ends of a connection: see obs_conn_end() */
	OBS_CONN_NO_NAME, OBS_CONN_NO_ANSWER, OBS_CONN_NOT_OBS, OBS_CONN_NO_TLS, OBS_CONN_LOST, OBS_CONN_BROKEN,
	OBS_CONN_SHUT,	      /* 1000, 1001: the server is stopped in OBS's settings */
	OBS_CONN_BAD_PASSWORD, OBS_CONN_BAD_VERSION, OBS_CONN_THROWN_OUT, /* 4009, 4010, 4011 */
	OBS_CONN_OUR_FAULT,   /* any other 4000..4999: OBS did not like what we sent */
	OBS_CONN_EVENTS
};

/* What the caller does then, in this order. */
enum obs_conn_do {
	OBS_CONN_DO_CLOSE = 1, /* obs_ws_close(): nothing comes of this connection any more */
	OBS_CONN_DO_OPEN = 2,  /* obs_ws_open(); an end within the call is fine, too */
	OBS_CONN_DO_LOAD = 4,  /* take the first picture, from its beginning */
	OBS_CONN_DO_PING = 8,
	OBS_CONN_DO_TELL = 16, /* health has changed: obs_conn_health() */
};

enum obs_conn_cause {
	OBS_CAUSE_NONE, OBS_CAUSE_START, OBS_CAUSE_LOADING, OBS_CAUSE_RELOADING, OBS_CAUSE_NOT_READY, OBS_CAUSE_NO_NAME,
	OBS_CAUSE_NO_ANSWER, OBS_CAUSE_NOT_OBS, OBS_CAUSE_NO_TLS, OBS_CAUSE_LOST, OBS_CAUSE_SHUT, OBS_CAUSE_DEAD, OBS_CAUSE_MUTE,
	OBS_CAUSE_SLOW, OBS_CAUSE_BROKEN, OBS_CAUSE_OUR_FAULT, OBS_CAUSE_PASSWORD, OBS_CAUSE_NO_PASSWORD, OBS_CAUSE_VERSION,
	OBS_CAUSE_KICKED, OBS_CAUSES
};

#define OBS_CONN_WAIT_MIN_MS 100u
#define OBS_CONN_WAIT_MAX_MS 500u
#define OBS_CONN_WAIT_LONG_MS 5000u   /* nothing that OBS's next start would change */
#define OBS_CONN_WAIT_PERSON_MS 30000u
#define OBS_CONN_HELLO_MS 5000u
#define OBS_CONN_LOAD_MS 15000u
#define OBS_CONN_AGAIN_MS 500u	      /* after 207 */
#define OBS_CONN_TELL_LOADING_MS 500u /* loading is news only when it takes long */
#define OBS_CONN_STEADY_MS 1000u      /* ready for so long: the next wait is the shortest */
#define OBS_CONN_MISSES 3u

struct obs_conn {
	enum obs_conn_state state;
	enum obs_conn_cause cause; /* of the state, or of the last end until it is ready again */
	uint64_t since_ns;	   /* in this state */
	uint64_t until_ns;	   /* WAITING and the like: retry; IDENTIFYING, LOADING: given up; 0 = none */
	uint64_t again_ns;	   /* LOADING: ask again; 0 = no */
	uint64_t ping_ns;	   /* next ping; 0 = no */
	uint32_t period_ms;	   /* of pings; 0 = none are sent */
	uint32_t unanswered;
	uint32_t tries;		   /* since the last steady connection */
	uint32_t chance;
	bool reloading;		   /* LOADING, and it was ready before on this connection */
};

/* keepalive_ms: a peer that has gone is found within it; 0 = by TCP alone. `seed` is any number: for the jitter. */
void obs_conn_init(struct obs_conn *c, uint32_t keepalive_ms, uint32_t seed);
/* Another period, from the next ping on. */
void obs_conn_keepalive(struct obs_conn *c, uint32_t keepalive_ms);
/* OBS_CONN_DO_ bits. */
unsigned obs_conn_step(struct obs_conn *c, enum obs_conn_event event, uint64_t now_ns);
/* What obs_ws_ops.on_close() was given, as an event. */
enum obs_conn_event obs_conn_end(enum obs_ws_end end, int code);
/* When the next TICK has something to do; 0 = never. */
uint64_t obs_conn_deadline(const struct obs_conn *c);

/*
 * Health for the operator. `hint` may be "". In hints, NAME stands for the process's own name. The reason is without the peer's address
 * and without what the system says: a driver may add both.
 */
struct obs_conn_health {
	enum bh_health health;
	const char *reason, *hint;
};
const struct obs_conn_health *obs_conn_health(const struct obs_conn *c);

const char *obs_conn_state_name(enum obs_conn_state state);
const char *obs_conn_event_name(enum obs_conn_event event);
