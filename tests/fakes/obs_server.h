/*
 * obs_server.h - what stands in for OBS where a real one does not do it: plays tapes, and is hostile by order
 *
 * A WebSocket server on the loop-back device, in a thread of its own; the newest connection is the one that it talks to. Left
 * alone it greets, checks the password, identifies, and answers each request by the first of:
 *   a rule of obs_server_answer()
 *   the tape: the recorded answers to the same request (type and data) in their order, the last one again and again; else one to the
 *     same type whose texts (names) are the same; requests in a batch are looked up one by one. With the answer go the events
 *     that were recorded after that request
 *   100 for a request that the tape has, with other data, and that sets something; 600 for one that gets
 *   204
 * The rest is by order of the test, from its own thread. Aborts with a message where the server itself cannot go on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/units.h"
#include "tests/fakes/ws_frame.h"
#include "tests/lib/patience.h"

struct obs_server;

/* How it meets the connections that come; may be changed between them. */
enum obs_server_manner {
	OBS_SERVER_PROPER,
	OBS_SERVER_SILENT,	    /* accepts, and never says a byte */
	OBS_SERVER_NOT_FOUND,	    /* is a web server: 404 */
	OBS_SERVER_RUBBISH,	    /* is no web server */
	OBS_SERVER_WRONG_KEY,	    /* upgrades with a wrong Sec-WebSocket-Accept */
	OBS_SERVER_NO_SUBPROTOCOL, /* upgrades, and speaks no subprotocol that was asked for */
	OBS_SERVER_HALF_UPGRADE,    /* stops in the middle of its answer */
	OBS_SERVER_NO_HELLO,	    /* upgrades, and never greets */
	OBS_SERVER_NO_IDENTIFIED,  /* never answers Identify */
	OBS_SERVER_MUTE,	    /* identifies, and never answers a request */
	OBS_SERVER_DROP,	    /* closes what it has accepted */
};

/* Port 0: any. Password NULL: none. Tape NULL: none. */
struct obs_server *obs_server_start(uint16_t port, const char *password, const char *tape);
void obs_server_stop(struct obs_server *s); /* NULL is fine */
uint16_t obs_server_port(const struct obs_server *s);

void obs_server_set_manner(struct obs_server *s, enum obs_server_manner manner);
/* Say this in place of the proper Hello: text as in obs_text.h, of the whole message; NULL: the proper one again. */
void obs_server_set_hello(struct obs_server *s, const char *message);
/* Close with this code in place of Identified: 4009, 4010, ... 0: do not. */
void obs_server_refuse_identify(struct obs_server *s, int code);
/* Stop listening, so that the port is refused; and listen again. */
void obs_server_set_listening(struct obs_server *s, bool on);
/* While held, requests are kept, neither looked at nor answered; they are when it is let go. How many are kept: a batch is one. */
void obs_server_hold_answers(struct obs_server *s, bool on);
unsigned obs_server_held(struct obs_server *s);
/* Read nothing more, and read again. */
void obs_server_set_deaf(struct obs_server *s, bool on);
void obs_server_ignore_pings(struct obs_server *s, bool on);

/* A rule: code and responseData (text, or NULL) for this type of request, of all data. The newest rule for a type holds. */
void obs_server_answer(struct obs_server *s, const char *type, int code, const char *data);

/* On the connection (nothing without one). Texts are as in obs_text.h, made by printf. */
void obs_server_say(struct obs_server *s, const char *message, ...) __attribute__((format(printf, 2, 3)));
void obs_server_event(struct obs_server *s, const char *type, const char *data, ...) __attribute__((format(printf, 3, 4)));
/* A frame with this head, true or not, and these bytes behind it; `coding` as ws_frame_put(). */
void obs_server_frame(struct obs_server *s, const struct ws_frame *head, unsigned coding, const void *bytes, size_t len);
void obs_server_bytes(struct obs_server *s, const void *bytes, size_t len);
/* One byte at a time, each after a pause. */
void obs_server_drip(struct obs_server *s, const void *bytes, size_t len, unsigned pause_us);
void obs_server_close(struct obs_server *s, int code, const char *reason); /* a close frame, and no more */
void obs_server_drop(struct obs_server *s);				   /* a reset, as of a process that died */
/* The events of the tape that were not played yet, in their order. */
void obs_server_play(struct obs_server *s);

/* What came: connections accepted, connections identified, whole messages, pings; requests of a type ("" = all). */
unsigned obs_server_connections(struct obs_server *s);
unsigned obs_server_identified(struct obs_server *s);
bool obs_server_is_connected(struct obs_server *s);
unsigned obs_server_pings(struct obs_server *s);
unsigned obs_server_requests(struct obs_server *s, const char *type);
/* requestData of the newest request of this type, as JSON; "" if there was none. Static, for the test's thread. */
const char *obs_server_last(struct obs_server *s, const char *type);
/* eventSubscriptions of the newest Identify or Reidentify. */
uint32_t obs_server_subscriptions(struct obs_server *s);
/* Close code that the client sent on the newest connection; 0 = none. */
int obs_server_client_code(struct obs_server *s);
/* Requests of the tape that nothing asked for, one per line: what a driver no longer does. Static. */
const char *obs_server_unasked(struct obs_server *s);

#define obs_server_until(ms, cond)                                                                 \
	({                                                                                         \
		uint64_t until_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                   \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < until_)                                   \
			usleep(1000);                                                              \
		ok_;                                                                               \
	})
