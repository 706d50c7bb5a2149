/*
 * ws.c - see ws.h
 *
 * libwebsockets has a poll() loop of its own, and Debian's build no way to plug in another. While a connection comes about, that loop
 * is run without waiting (lws_service(-1)) when the socket has something, and every 20 ms. Once it is open, its socket is serviced by
 * itself, with the events that our loop saw: reading, then writing, for what the library wants to write (pongs, the echo of a
 * close) goes out at the end of the same turn. None of the library's own time-outs is relied on.
 *
 * OBS leaves Nagle's algorithm on, so the second of two small messages waits for our acknowledgement of the first: it is sent at once
 * (TCP_QUICKACK, which the kernel forgets, so again after each read).
 */
#include "procs/obs/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/units.h"

BH_LOG_TOPIC("ws");

#define CHUNK 16384u		    /* read at once; a message up to this size is handed on where the library put it */
#define KEPT 65536u		    /* of the place for long messages, memory that is kept after one */
#define TICK_NS (20 * BH_NS_PER_MS) /* while a connection comes about */
#define LATE_NS (100 * BH_NS_PER_MS) /* so late, it is we who did not run, and no peer is blamed for that */
#define ADDRESSES 8u
#define NEXT_ADDRESS_MS 1500u	    /* not the last one: this long, then the next */
#define LOOKUP_AGAIN_MS 10000u
#define TLS_LOAD_MS 5000u	    /* the system's list of authorities */

enum state { IDLE, CONNECTING, OPEN };

struct ending {
	bool set;
	enum obs_ws_end end;
	int code;
	char why[160];
};

struct obs_ws {
	struct bh_loop *loop;
	const struct obs_ws_ops *ops;
	void *data;
	struct lws_context *context; /* owned; kept from connection to connection */
	bool context_tls;
	struct lws *wsi;	     /* the library's; NULL once it has let go of it */
	struct bh_watch *watch;	     /* owned */
	struct bh_timer *timer;	     /* owned; CONNECTING: ticks; OPEN: the message's last moment */
	int fd;			     /* the library's */
	enum state state;
	unsigned depth;		     /* inside the library */
	bool closing;		     /* obs_ws_close() was called there */
	bool tcp, asked, http, no_msgpack; /* how far it has come: connected, handshake sent, answered */
	bool want_ping, want_writable, want_out, wrote;
	unsigned goodbye;	     /* the code of our close frame; 0 = none */
	struct ending ending;
	uint64_t deadline_ns;	     /* CONNECTING: of this address; OPEN: when the timer is due. CLOCK_MONOTONIC */
	uint64_t began_ns;	     /* OPEN: the message; CONNECTING: the last tick */

	/* where to */
	char host[256];
	uint16_t port;
	bool tls;
	char address[ADDRESSES][INET6_ADDRSTRLEN + 16]; /* numeric, with scope */
	unsigned addresses, next;
	char looked_up[256];
	uint64_t looked_up_ns;

	uint8_t *in;		     /* owned, OBS_WS_MESSAGE_MAX */
	size_t in_len;
	bool in_begun;
	uint8_t *out;		     /* owned, OBS_WS_SEND_MAX: frames, one behind the other */
	size_t out_head, out_tail;
	struct obs_ws_counts counts;
};

/* A message in the send buffer; the library writes the frame's head before it, and masks it where it stands. */
struct frame {
	size_t len;
	uint8_t pre[LWS_PRE];
	uint8_t bytes[];
};
#define FRAME_SIZE(len) ((sizeof(struct frame) + (len) + 15u) & ~(size_t)15u)

/* ------------------------------------------------------------------ the end of a connection */

/* The first reason is the reason. */
static void __attribute__((format(printf, 4, 5)))
end_with(struct obs_ws *ws, enum obs_ws_end end, int code, const char *fmt, ...)
{
	va_list ap;
	if (ws->ending.set)
		return;
	ws->ending = (struct ending){.set = true, .end = end, .code = code};
	va_start(ap, fmt);
	vsnprintf(ws->ending.why, sizeof(ws->ending.why), fmt, ap);
	va_end(ap);
}

static bool
is_doomed(const struct obs_ws *ws)
{
	return ws->ending.set || ws->closing;
}

/* The library is about to close the socket, or has. */
static void
let_go(struct obs_ws *ws)
{
	bh_watch_free(ws->watch);
	ws->watch = NULL;
	ws->wsi = NULL;
	ws->fd = -1;
}

/* A hang-up without data is what the library takes for the end in any state, without last words and without waiting. */
static void
kill_it(struct obs_ws *ws)
{
	if (!ws->wsi)
		return;
	struct lws_pollfd hup = {.fd = ws->fd, .events = LWS_POLLIN, .revents = LWS_POLLHUP};
	ws->depth++;
	lws_service_fd(ws->context, &hup);
	if (ws->wsi) {
		bh_bug_self("the WebSocket library holds on to a closed connection");
		lws_context_destroy(ws->context);
		ws->context = NULL;
		let_go(ws);
	}
	ws->depth--;
}

static void
service(struct obs_ws *ws, short revents)
{
	struct lws_pollfd p = {.fd = ws->fd, .events = LWS_POLLIN | LWS_POLLOUT, .revents = revents};
	ws->depth++;
	lws_service_fd(ws->context, &p);
	ws->depth--;
}

static void
say_goodbye(struct obs_ws *ws, unsigned code)
{
	if (ws->state != OPEN || !ws->wsi || lws_partial_buffered(ws->wsi))
		return;
	ws->goodbye = code;
	for (int i = 0; i < 2 && ws->wsi; i++) /* told that we want to, then done */
		service(ws, LWS_POLLOUT);
}

static void
to_idle(struct obs_ws *ws)
{
	if (ws->in_len > KEPT)
		madvise(ws->in + KEPT, OBS_WS_MESSAGE_MAX - KEPT, MADV_DONTNEED);
	ws->state = IDLE;
	ws->goodbye = 0;
	ws->closing = ws->want_ping = ws->want_writable = ws->want_out = ws->in_begun = false;
	ws->in_len = ws->out_head = ws->out_tail = 0;
	ws->ending.set = false;
	bh_timer_at(ws->timer, 0, 0);
}

static void
close_now(struct obs_ws *ws)
{
	if (ws->state == IDLE)
		return;
	say_goodbye(ws, LWS_CLOSE_STATUS_NORMAL);
	kill_it(ws);
	to_idle(ws);
}

/* ------------------------------------------------------------------ what the library tells */

static void
on_failed(struct obs_ws *ws, struct lws *wsi, const char *what)
{
	unsigned status = ws->asked ? lws_http_client_http_response(wsi) : 0;
	if (!ws->tcp)
		end_with(ws, OBS_WS_NO_ANSWER, 0, "%s", what);
	else if (!ws->asked)
		end_with(ws, OBS_WS_NO_TLS, 0, "its certificate is not trusted, or there is no TLS: the log says more");
	else if (ws->no_msgpack)
		end_with(ws, OBS_WS_NOT_OBS, 0, "it does not know obswebsocket.msgpack: obs-websocket 4, or another program");
	else if (status && status != 101)
		end_with(ws, OBS_WS_NOT_OBS, 0, "it answers HTTP %u, not WebSocket", status);
	else if (!strncmp(what, "HS:", 3) || strstr(what, "parsing header"))
		end_with(ws, OBS_WS_NOT_OBS, 0, "its answer is no WebSocket handshake (%s)", what);
	else
		end_with(ws, OBS_WS_LOST, 1006, "it closed the connection before it answered");
}

/* The library does not say whether it closed for what it read, or because there is nothing more to be read. */
static void
on_gone(struct obs_ws *ws)
{
	char byte;
	ssize_t n = recv(ws->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		end_with(ws, OBS_WS_BROKEN, 1002, "it sent frames that are against the WebSocket protocol");
	else
		end_with(ws, OBS_WS_LOST, 1006, "it closed the connection without a word");
}

static void
on_peer_close(struct obs_ws *ws, const uint8_t *bytes, size_t len)
{
	int code = len >= 2 ? bytes[0] << 8 | bytes[1] : 0;
	char words[124];
	size_t n = 0;
	for (size_t i = 2; i < len && n < sizeof(words) - 1; i++)
		words[n++] = bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : ' ';
	words[n] = '\0';
	end_with(ws, OBS_WS_CLOSED, code, "%s", n ? words : "it closed the connection");
}

static void
deliver(struct obs_ws *ws, const uint8_t *bytes, size_t len)
{
	ws->counts.messages_in++;
	ws->counts.bytes_in += len;
	ws->ops->on_message(ws->data, bytes, len);
}

static void
give_time(struct obs_ws *ws)
{
	ws->deadline_ns = ws->began_ns + OBS_WS_MESSAGE_MS * BH_NS_PER_MS + ws->in_len * BH_NS_PER_S / OBS_WS_BYTES_PER_S;
	bh_timer_at(ws->timer, ws->deadline_ns, 0);
}

static void
on_part(struct obs_ws *ws, const uint8_t *bytes, size_t len)
{
	size_t rest = lws_remaining_packet_payload(ws->wsi);
	if (!lws_frame_is_binary(ws->wsi)) {
		end_with(ws, OBS_WS_BROKEN, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "it sent text, where binary messages were agreed");
		return;
	}
	if (!ws->in_begun && lws_is_final_fragment(ws->wsi) && rest == 0) {
		deliver(ws, bytes, len);
		return;
	}
	if (rest > OBS_WS_MESSAGE_MAX || len + rest > OBS_WS_MESSAGE_MAX - ws->in_len) {
		end_with(ws, OBS_WS_BROKEN, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "it sent a message of more than %u MB", OBS_WS_MESSAGE_MAX >> 20);
		return;
	}
	if (!ws->in_begun) {
		ws->began_ns = bh_mono_ns();
		give_time(ws);
	}
	ws->in_begun = true;
	memcpy(ws->in + ws->in_len, bytes, len);
	ws->in_len += len;
	if (!lws_is_final_fragment(ws->wsi) || rest)
		return;
	bh_timer_at(ws->timer, 0, 0);
	ws->in_begun = false;
	len = ws->in_len;
	ws->in_len = 0;
	deliver(ws, ws->in, len);
	if (len > KEPT)
		madvise(ws->in + KEPT, OBS_WS_MESSAGE_MAX - KEPT, MADV_DONTNEED);
}

static void
write_ping(struct obs_ws *ws)
{
	uint8_t buf[LWS_PRE + 1] = {0};
	ws->want_ping = false;
	if (lws_write(ws->wsi, buf + LWS_PRE, 0, LWS_WRITE_PING) < 0)
		end_with(ws, OBS_WS_LOST, 1006, "it does not take what we send");
}

/* Until the kernel takes no more: then the library holds the rest of one frame, and nothing is added behind it. */
static void
write_frames(struct obs_ws *ws)
{
	if (ws->want_ping && !lws_partial_buffered(ws->wsi))
		write_ping(ws);
	while (ws->out_head < ws->out_tail && !lws_partial_buffered(ws->wsi) && !is_doomed(ws)) {
		struct frame *f = (struct frame *)(ws->out + ws->out_head);
		if (lws_write(ws->wsi, f->bytes, f->len, LWS_WRITE_BINARY) < 0)
			end_with(ws, OBS_WS_LOST, 1006, "it does not take what we send");
		ws->counts.messages_out++;
		ws->counts.bytes_out += f->len;
		ws->out_head += FRAME_SIZE(f->len);
	}
	if (ws->out_head == ws->out_tail)
		ws->out_head = ws->out_tail = 0;
	ws->counts.waiting = (uint32_t)(ws->out_tail - ws->out_head);
}

static void
on_established(struct obs_ws *ws)
{
	int on = 1;
	ws->state = OPEN;
	ws->counts.opens++;
	bh_timer_at(ws->timer, 0, 0);
	setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bh_watch_events(ws->watch, EPOLLIN) < 0)
		end_with(ws, OBS_WS_LOST, 1006, "the socket cannot be watched: %m");
	else
		ws->ops->on_open(ws->data);
}

static int
on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct lws_context *context = lws_get_context(wsi);
	struct obs_ws *ws = context ? lws_context_user(context) : NULL;
	(void)user;
	if (!ws || !ws->wsi || ws->wsi != wsi)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_WSI_CREATE: ws->tcp = true; break;
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: ws->asked = true; break;
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
		ws->no_msgpack = lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) == 0;
		return ws->no_msgpack ? -1 : 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED: on_established(ws); break;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		on_failed(ws, wsi, in ? (const char *)in : "no connection");
		let_go(ws);
		break;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		if (!is_doomed(ws))
			on_part(ws, in, len);
		break;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		ws->counts.pongs++;
		if (!is_doomed(ws) && ws->ops->on_pong)
			ws->ops->on_pong(ws->data);
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		ws->wrote = true;
		if (ws->goodbye) {
			lws_close_reason(wsi, (enum lws_close_status)ws->goodbye, NULL, 0);
			return -1;
		}
		if (!is_doomed(ws))
			write_frames(ws);
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: on_peer_close(ws, in, len); break;
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		on_gone(ws);
		let_go(ws);
		break;
	default: break;
	}
	return 0;
}

static void
on_lws_log(int level, const char *line)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(5, 60000);
	bh_log_limited(&limit, level == LLL_ERR ? BH_LOG_WARN : BH_LOG_DBG, bh_log_topic, "libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

/* ------------------------------------------------------------------ servicing it */

static void
service_all(struct obs_ws *ws)
{
	ws->depth++;
	lws_service(ws->context, -1);
	ws->depth--;
}

/* What was read behind the handshake lies in the library, and no event of the socket tells of it. */
static void
service_rest(struct obs_ws *ws)
{
	for (int i = 0; i < 64 && ws->wsi && !is_doomed(ws) && !lws_service_adjust_timeout(ws->context, 1, 0); i++)
		service_all(ws);
}

static void
write_out(struct obs_ws *ws)
{
	/* A pong, or the echo of a close, goes first, and alone: then what is ours. */
	ws->wrote = false;
	for (int i = 0; i < 3 && !ws->wrote && ws->state == OPEN && ws->wsi && !ws->closing && !lws_partial_buffered(ws->wsi); i++)
		service(ws, LWS_POLLOUT);
	if (ws->state != OPEN || !ws->wsi || is_doomed(ws))
		return;
	bool more = lws_partial_buffered(ws->wsi) || ws->out_head < ws->out_tail;
	if (more != ws->want_out && bh_watch_events(ws->watch, EPOLLIN | (more ? (uint32_t)EPOLLOUT : 0u)) == 0)
		ws->want_out = more;
	if (!more && ws->want_writable) {
		ws->want_writable = false;
		ws->depth++;
		if (ws->ops->on_writable)
			ws->ops->on_writable(ws->data);
		ws->depth--;
		if (ws->out_head < ws->out_tail && ws->wsi && !is_doomed(ws))
			service(ws, LWS_POLLOUT);
	}
}

static bool connect_next(struct obs_ws *ws);

/* Nothing of the library is on the stack: what has come of it? */
static void
settle(struct obs_ws *ws)
{
	struct ending ending;
	if (ws->depth || ws->state == IDLE)
		return;
	if (ws->closing) {
		close_now(ws);
		return;
	}
	if (!ws->ending.set)
		return;
	if (ws->ending.end == OBS_WS_BROKEN)
		say_goodbye(ws, (unsigned)ws->ending.code);
	kill_it(ws);
	if (ws->ending.end == OBS_WS_NO_ANSWER && ws->next < ws->addresses) {
		ws->ending.set = false;
		if (connect_next(ws))
			return;
	}
	ending = ws->ending;
	to_idle(ws);
	ws->ops->on_close(ws->data, ending.end, ending.end == OBS_WS_BROKEN ? 0 : ending.code, ending.why);
}

/* The library would wait for a head that never comes, of ssh for example. */
static bool
answers_http(struct obs_ws *ws)
{
	static const char want[] = "HTTP/1.";
	char head[sizeof(want) - 1];
	if (ws->http || ws->tls || !ws->tcp)
		return true;
	ssize_t n = recv(ws->fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	ws->http = n == (ssize_t)sizeof(head);
	if (n <= 0 || !memcmp(head, want, (size_t)n))
		return true;
	end_with(ws, OBS_WS_NOT_OBS, 0, "it does not speak HTTP");
	return false;
}

static void
on_connecting(struct obs_ws *ws, uint32_t events)
{
	if (!ws->tcp && (events & (EPOLLERR | EPOLLHUP))) {
		/* The library would read the error and forget it. */
		int err = 0;
		socklen_t size = sizeof(err);
		getsockopt(ws->fd, SOL_SOCKET, SO_ERROR, &err, &size);
		end_with(ws, OBS_WS_NO_ANSWER, 0, "%s", strerror(err ? err : ECONNREFUSED));
		return;
	}
	/* Twice: it may want to write what it learnt from what it has read. */
	for (int i = 0; i < 2 && ws->state == CONNECTING && ws->wsi && !is_doomed(ws); i++)
		if (answers_http(ws))
			service_all(ws);
	if (ws->state == OPEN) {
		service_rest(ws);
		write_out(ws);
	}
}

static void
on_fd(void *data, int fd, uint32_t events)
{
	struct obs_ws *ws = data;
	int on = 1;
	if (ws->state == CONNECTING) {
		on_connecting(ws, events);
		settle(ws);
		return;
	}
	if (events & EPOLLOUT)
		service(ws, LWS_POLLOUT);
	if (ws->wsi && !is_doomed(ws) && (events & ~(uint32_t)EPOLLOUT)) {
		/* Also what is left before the end: a close frame, and its code. */
		service(ws, LWS_POLLIN);
		if (ws->wsi)
			setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	}
	if (ws->wsi)
		write_out(ws);
	settle(ws);
}

/* Only here is it seen how much has come since: while a message comes fast enough its timer moves on. */
static void
on_message_timer(struct obs_ws *ws)
{
	uint64_t now = bh_mono_ns();
	if (now - ws->deadline_ns > LATE_NS)
		ws->began_ns = now; /* what has come is still to be read */
	give_time(ws);
	if (now >= ws->deadline_ns)
		end_with(ws, OBS_WS_BROKEN, LWS_CLOSE_STATUS_POLICY_VIOLATION, "it began a message and did not go on with it");
}

static void
on_connecting_timer(struct obs_ws *ws)
{
	uint64_t now = bh_mono_ns();
	if (now - ws->began_ns > LATE_NS)
		ws->deadline_ns += now - ws->began_ns;
	ws->began_ns = now;
	on_connecting(ws, 0);
	if (ws->state == CONNECTING && now >= ws->deadline_ns)
		end_with(ws, OBS_WS_NO_ANSWER, 0, "%s", ws->tcp ? "it takes the connection, but does not answer" : strerror(ETIMEDOUT));
}

static void
on_timer(void *data)
{
	struct obs_ws *ws = data;
	if (ws->state == OPEN)
		on_message_timer(ws);
	else if (ws->state == CONNECTING)
		on_connecting_timer(ws);
	settle(ws);
}

/* ------------------------------------------------------------------ connecting */

static int
context_for(struct obs_ws *ws, bool tls)
{
	static const struct lws_protocols protocols[] = {
		{.name = "obs", .callback = on_lws, .rx_buffer_size = CHUNK, .tx_packet_size = OBS_WS_SEND_MAX},
		{.name = NULL},
	};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.user = ws,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.fd_limit_per_thread = 4, /* else it takes memory for all that the process may open */
		.pt_serv_buf_size = CHUNK + LWS_PRE,
		.timeout_secs = 2 * OBS_WS_OPEN_MS / 1000, /* ours comes first */
		.connect_timeout_secs = 2 * OBS_WS_OPEN_MS / 1000,
		.options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
	};
	if (ws->context && ws->context_tls == tls)
		return 0;
	lws_context_destroy(ws->context);
	ws->context_tls = tls;
	if (tls && ws->ops->on_busy)
		ws->ops->on_busy(ws->data, TLS_LOAD_MS);
	ws->context = lws_create_context(&info);
	if (tls && ws->ops->on_busy)
		ws->ops->on_busy(ws->data, 0);
	if (!ws->context)
		return -ENOMEM;
	service_all(ws);
	return 0;
}

/* To the next address: true, something will come of it; else ws->ending says why not. */
static bool
connect_next(struct obs_ws *ws)
{
	static const lws_retry_bo_t no_pings = {.secs_since_valid_hangup = 0}; /* of the library's own */
	const char *address = ws->address[ws->next++];
	char name[300];
	snprintf(name, sizeof(name), strchr(ws->host, ':') ? "[%s]:%u" : "%s:%u", ws->host, ws->port);
	struct lws_client_connect_info info = {
		.context = ws->context,
		.address = address,
		.port = ws->port,
		.ssl_connection = (ws->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.path = "/",
		.host = name,
		.protocol = "obswebsocket.msgpack",
		.local_protocol_name = "obs",
		.ietf_version_or_minus_one = -1,
		.alpn = "http/1.1",
		.retry_and_idle_policy = &no_pings,
		.pwsi = &ws->wsi,
	};
	uint32_t limit_ms = ws->next < ws->addresses ? NEXT_ADDRESS_MS : OBS_WS_OPEN_MS;
	ws->state = CONNECTING;
	ws->tcp = ws->asked = ws->http = ws->no_msgpack = false;
	errno = 0;
	ws->depth++;
	struct lws *wsi = lws_client_connect_via_info(&info);
	ws->depth--;
	if (!wsi || !ws->wsi) {
		/* Refused within the call; the library does not say why, but the system did. */
		end_with(ws, OBS_WS_NO_ANSWER, 0, "%s", strerror(errno && errno != EINPROGRESS ? errno : ECONNREFUSED));
		ws->wsi = NULL;
		return ws->next < ws->addresses ? (ws->ending.set = false, connect_next(ws)) : false;
	}
	ws->fd = lws_get_socket_fd(wsi);
	ws->watch = bh_loop_watch(ws->loop, ws->fd, EPOLLIN | EPOLLOUT | EPOLLET, on_fd, ws);
	if (!ws->watch) {
		end_with(ws, OBS_WS_NO_ANSWER, 0, "the socket cannot be watched: %m");
		kill_it(ws);
		return false;
	}
	uint64_t now = bh_mono_ns();
	ws->began_ns = now;
	ws->deadline_ns = now + limit_ms * BH_NS_PER_MS;
	bh_timer_at(ws->timer, now + TICK_NS, TICK_NS);
	return true;
}

static void
take_addresses(struct obs_ws *ws, const struct addrinfo *found)
{
	ws->addresses = 0;
	for (; found && ws->addresses < ADDRESSES; found = found->ai_next)
		if (getnameinfo(found->ai_addr, found->ai_addrlen, ws->address[ws->addresses], sizeof(ws->address[0]), NULL, 0, NI_NUMERICHOST) == 0)
			ws->addresses++;
}

/* Blocks: for a name, as long as the name service does. An address costs nothing. 0 or EAI_. */
static int
look_up(struct obs_ws *ws)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
	int r = getaddrinfo(ws->host, NULL, &hints, &found);
	if (r == EAI_NONAME) {
		uint64_t now = bh_mono_ns();
		if (ws->addresses && !strcmp(ws->looked_up, ws->host) && now - ws->looked_up_ns < LOOKUP_AGAIN_MS * BH_NS_PER_MS)
			return 0;
		if (ws->ops->on_busy)
			ws->ops->on_busy(ws->data, OBS_WS_LOOKUP_MS);
		/* A second for each server that is asked, not the usual ten. */
		if (res_init() == 0)
			_res.retrans = _res.retry = 1;
		hints.ai_flags = 0;
		r = getaddrinfo(ws->host, NULL, &hints, &found);
		if (ws->ops->on_busy)
			ws->ops->on_busy(ws->data, 0);
		ws->counts.lookups++;
		ws->looked_up_ns = bh_mono_ns();
	}
	snprintf(ws->looked_up, sizeof(ws->looked_up), "%s", ws->host);
	take_addresses(ws, r == 0 ? found : NULL);
	if (r == 0)
		freeaddrinfo(found);
	return r == 0 && !ws->addresses ? EAI_NONAME : r;
}

/* ------------------------------------------------------------------ for the driver */

int
obs_ws_open(struct obs_ws *ws, const char *host, uint16_t port, bool tls)
{
	if (!host || !host[0] || strlen(host) >= sizeof(ws->host) || !port)
		return -EINVAL;
	if (ws->depth)
		return -EBUSY;
	close_now(ws);
	int r = context_for(ws, tls);
	if (r < 0)
		return r;
	snprintf(ws->host, sizeof(ws->host), "%s", host);
	ws->port = port;
	ws->tls = tls;
	ws->state = CONNECTING;
	ws->next = 0;
	r = look_up(ws);
	if (r != 0)
		end_with(ws, OBS_WS_NO_NAME, 0, "%s", r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
	else
		connect_next(ws);
	settle(ws);
	return 0;
}

void
obs_ws_close(struct obs_ws *ws)
{
	if (!ws || ws->state == IDLE)
		return;
	if (ws->depth)
		ws->closing = true; /* as soon as the library is off the stack */
	else
		close_now(ws);
}

bool
obs_ws_is_open(const struct obs_ws *ws)
{
	return ws->state == OPEN && ws->wsi && !is_doomed(ws);
}

static bool
make_room(struct obs_ws *ws, size_t size)
{
	if (OBS_WS_SEND_MAX - (ws->out_tail - ws->out_head) < size)
		return false;
	if (OBS_WS_SEND_MAX - ws->out_tail < size) {
		memmove(ws->out, ws->out + ws->out_head, ws->out_tail - ws->out_head);
		ws->out_tail -= ws->out_head;
		ws->out_head = 0;
	}
	return true;
}

int
obs_ws_send(struct obs_ws *ws, const uint8_t *bytes, size_t len)
{
	if (!obs_ws_is_open(ws))
		return -ENOTCONN;
	if (len > OBS_WS_SEND_MAX || FRAME_SIZE(len) > OBS_WS_SEND_MAX)
		return -EMSGSIZE;
	if (!make_room(ws, FRAME_SIZE(len))) {
		ws->want_writable = true;
		return -EAGAIN;
	}
	struct frame *f = (struct frame *)(ws->out + ws->out_tail);
	f->len = len;
	memcpy(f->bytes, bytes, len);
	ws->out_tail += FRAME_SIZE(len);
	ws->counts.waiting = (uint32_t)(ws->out_tail - ws->out_head);
	if (!ws->depth && !ws->want_out) {
		write_out(ws);
		settle(ws);
	}
	return 0;
}

int
obs_ws_ping(struct obs_ws *ws)
{
	if (!obs_ws_is_open(ws))
		return -ENOTCONN;
	ws->want_ping = true;
	ws->counts.pings++;
	if (!ws->depth && !ws->want_out) {
		write_out(ws);
		settle(ws);
	}
	return 0;
}

const struct obs_ws_counts *
obs_ws_counts(const struct obs_ws *ws)
{
	return &ws->counts;
}

struct obs_ws *
obs_ws_new(struct bh_loop *loop, const struct obs_ws_ops *ops, void *data)
{
	struct obs_ws *ws = calloc(1, sizeof(*ws));
	if (!ws)
		return NULL;
	*ws = (struct obs_ws){.loop = loop, .ops = ops, .data = data, .fd = -1};
	ws->in = mmap(NULL, OBS_WS_MESSAGE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ws->out = ws->in == MAP_FAILED ? NULL : calloc(1, OBS_WS_SEND_MAX);
	ws->timer = ws->out ? bh_timer_new(loop, on_timer, ws) : NULL;
	if (!ws->timer) {
		int err = errno;
		obs_ws_free(ws);
		errno = err;
		return NULL;
	}
	/* OBS is on this network: a proxy for the web is not asked, whatever the environment says. */
	unsetenv("http_proxy");
	lws_set_log_level(LLL_ERR | (bh_log_enabled(BH_LOG_DBG) ? LLL_WARN : 0), on_lws_log);
	return ws;
}

void
obs_ws_free(struct obs_ws *ws)
{
	if (!ws)
		return;
	close_now(ws);
	lws_context_destroy(ws->context);
	bh_timer_free(ws->timer);
	free(ws->out);
	if (ws->in && ws->in != MAP_FAILED)
		munmap(ws->in, OBS_WS_MESSAGE_MAX);
	free(ws);
}
