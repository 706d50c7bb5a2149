/*
 * ws.h - one WebSocket connection to obs-websocket, in the process's own loop
 *
 * No thread, no loop of the library's: its descriptor is watched by bh_loop, and the library runs only when there is something to
 * read or to write (docs/decisions/0016 says how and why). What can block is one thing, declared by on_busy(): looking up a name. While
 * a connection is open nothing of ours allocates.
 *
 *	open ──► on_open ──► on_message, on_pong, on_writable ... ──► on_close
 *	  └──────────────────────── on_close (it did not come about)
 *
 * After obs_ws_open() has returned 0 on_close() is called exactly once, unless obs_ws_close() ends it before: after that nothing is
 * called any more. Callbacks come from the loop or from within obs_ws_open(), obs_ws_send() and obs_ws_ping(). Each may send, ping and
 * close; obs_ws_open() is for on_close() alone, obs_ws_free() for none.
 *
 * Fails: whatever a peer does ends in on_close() with words for the operator. No handshake within OBS_WS_OPEN_MS, a message that
 * comes more slowly than OBS_WS_MESSAGE_MS and OBS_WS_BYTES_PER_S allow, one longer than OBS_WS_MESSAGE_MAX, text where binary was
 * agreed, broken frames: closed. Time in which this process does not run is not counted.
 * A frame that stops in the middle, or of which a few bytes come now and then, holds up the pongs, too: who pings (conn.h) finds it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_loop;
struct obs_ws;

#define OBS_WS_MESSAGE_MAX (4u << 20) /* of one message from OBS; address space, and memory only while it is used */
#define OBS_WS_SEND_MAX (256u << 10)  /* of all that waits to be sent */
#define OBS_WS_OPEN_MS 5000u	      /* TCP, TLS and handshake together */
#define OBS_WS_MESSAGE_MS 5000u	      /* for a message that comes in parts, and for each OBS_WS_BYTES_PER_S of it a second more */
#define OBS_WS_BYTES_PER_S 65536u
#define OBS_WS_LOOKUP_MS 30000u	      /* what on_busy() declares for a name */

enum obs_ws_end {
	OBS_WS_NO_NAME,	  /* nobody knows the host's name */
	OBS_WS_NO_ANSWER, /* nobody took the connection: refused, unreachable, or nothing in time */
	OBS_WS_NOT_OBS,	  /* somebody answers, but not as a WebSocket server that speaks obswebsocket.msgpack */
	OBS_WS_NO_TLS,	  /* somebody answers, but TLS cannot be agreed, or its certificate is not trusted */
	OBS_WS_LOST,	  /* it ended without a word; code 1006 */
	OBS_WS_CLOSED,	  /* the peer closed it, with a code */
	OBS_WS_BROKEN,	  /* we closed it, for what the peer sent is against the protocol or beyond our limits */
};

struct obs_ws_ops {
	void (*on_open)(void *data);
	/* One whole message, borrowed until it returns. */
	void (*on_message)(void *data, const uint8_t *bytes, size_t len);
	/* Why: static or valid until it returns; without an address. The code is CLOSED's, as the peer gave it; else 1006 or 0. */
	void (*on_close)(void *data, enum obs_ws_end end, int code, const char *why);
	/* All that waited has gone out, after obs_ws_send() had said -EAGAIN. May be NULL. */
	void (*on_writable)(void *data);
	/* The answer to obs_ws_ping(). May be NULL. */
	void (*on_pong)(void *data);
	/* The next call may take so long; 0: it is over. For bh_proc_busy(). May be NULL. */
	void (*on_busy)(void *data, uint32_t limit_ms);
};

/* `ops` and `data` are borrowed and outlive it. NULL and errno. */
struct obs_ws *obs_ws_new(struct bh_loop *loop, const struct obs_ws_ops *ops, void *data);
void obs_ws_free(struct obs_ws *ws); /* NULL is fine; closes, calls nothing */

/*
 * Connect. One that is open is closed before, without a call. A name is looked up at most every 10 s, addresses are tried one after the
 * other. TLS: the certificate must be for `host`, which is a name then, and of an authority that the system knows (SSL_CERT_FILE may name
 * others); the first use takes 0.2 s. 0: on_open() or on_close() comes, perhaps before it returns. -errno: the arguments, no memory,
 * or -EBUSY in a callback; nothing is called.
 */
int obs_ws_open(struct obs_ws *ws, const char *host, uint16_t port, bool tls);
/* Say good-bye if there is room for it, and end it now. NULL is fine. */
void obs_ws_close(struct obs_ws *ws);
bool obs_ws_is_open(const struct obs_ws *ws);

/*
 * Send a message: it is copied, and goes to the kernel before the call returns if the peer takes it; within a callback, right after it.
 * 0, -ENOTCONN, -EAGAIN: too much waits, on_writable() tells when nothing does; -EMSGSIZE: it can never fit.
 */
int obs_ws_send(struct obs_ws *ws, const uint8_t *bytes, size_t len);
/* 0 or -ENOTCONN. It overtakes what waits. */
int obs_ws_ping(struct obs_ws *ws);

struct obs_ws_counts {
	uint64_t bytes_in, bytes_out; /* of messages, without their frames */
	uint64_t messages_in, messages_out, pings, pongs;
	uint32_t opens, lookups;
	uint32_t waiting; /* bytes in the send buffer now */
};
const struct obs_ws_counts *obs_ws_counts(const struct obs_ws *ws);
