/*
 * bh-obs's WebSocket connection against a server of a few lines, that can do what a real one never would. Client and server are in
 * one thread: the test waits for a condition while it runs the loop and the server by turns.
 */
#include <check.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "common/loop.h"
#include "common/mem.h"
#include "common/sandbox.h"
#include "common/units.h"
#include "procs/obs/ws.h"
#include "tests/lib/patience.h"

#define MB (1u << 20)
enum { CONTINUED = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80 };

/* ------------------------------------------------------------------ the server */

struct server {
	int listen_fd, fd; /* -1 = none */
	uint16_t port;
	const char *answer;   /* to the handshake: NULL = the right one, "" = none, else this */
	const char *protocol; /* of the right one; NULL = without */
	const char *behind;   /* bytes that go with the right one */
	size_t behind_len;
	char request[4096];
	size_t request_len;
	bool shook, deaf;
	unsigned accepted;
	uint8_t *got; /* what came behind the handshake, unmasked by frames() */
	size_t got_len, got_cap;
};

static void
server_listen(struct server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	*s = (struct server){.fd = -1, .protocol = "obswebsocket.msgpack", .got_cap = 8 * MB};
	s->got = malloc(s->got_cap);
	s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(s->listen_fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(s->listen_fd, 8), 0);
	ck_assert_int_eq(getsockname(s->listen_fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
}

static void
server_hang_up(struct server *s, bool reset)
{
	struct linger now = {.l_onoff = 1};
	if (s->fd >= 0 && reset)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->shook = false;
	s->request_len = s->got_len = 0;
}

static void
server_free(struct server *s)
{
	server_hang_up(s, false);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	free(s->got);
}

static void
server_shake(struct server *s)
{
	char key[64] = "", hash[20], accept[64], text[512];
	const char *at = strcasestr(s->request, "Sec-WebSocket-Key: ");
	ck_assert_ptr_nonnull(at);
	sscanf(at + 19, "%60[^\r]", key);
	int n = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	lws_SHA1((unsigned char *)text, (size_t)n, (unsigned char *)hash);
	lws_b64_encode_string(hash, 20, accept, sizeof(accept));
	n = snprintf(text, sizeof(text), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
		     accept, s->protocol ? "Sec-WebSocket-Protocol: " : "", s->protocol ? s->protocol : "", s->protocol ? "\r\n" : "");
	if (s->behind_len)
		memcpy(text + n, s->behind, s->behind_len);
	ck_assert_int_eq(send(s->fd, text, (size_t)n + s->behind_len, MSG_NOSIGNAL), n + (int)s->behind_len);
}

static void
server_read_request(struct server *s)
{
	ssize_t n = recv(s->fd, s->request + s->request_len, sizeof(s->request) - 1 - s->request_len, MSG_DONTWAIT);
	if (n <= 0)
		return;
	s->request_len += (size_t)n;
	s->request[s->request_len] = '\0';
	if (!strstr(s->request, "\r\n\r\n"))
		return;
	s->shook = true;
	if (!s->answer)
		server_shake(s);
	else
		ck_assert_int_eq(send(s->fd, s->answer, strlen(s->answer), MSG_NOSIGNAL), (int)strlen(s->answer));
}

static void
server_turn(struct server *s)
{
	if (s->fd < 0) {
		s->fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		s->accepted += s->fd >= 0;
	}
	if (s->fd < 0 || s->deaf)
		return;
	if (!s->shook) {
		server_read_request(s);
		return;
	}
	ssize_t n = recv(s->fd, s->got + s->got_len, s->got_cap - s->got_len, MSG_DONTWAIT);
	if (n > 0)
		s->got_len += (size_t)n;
}

/* The n-th whole frame of the client, unmasked in place: its opcode with FIN, or -1. */
static int
server_frame(struct server *s, unsigned nth, uint8_t **payload, size_t *len)
{
	for (size_t at = 0;;) {
		uint8_t *p = s->got + at;
		size_t left = s->got_len - at, head = 6, n;
		if (left < 6)
			return -1;
		if (!(p[1] & 0x80)) /* a check's macro is a system call each time */
			ck_abort_msg("a client's frame is not masked");
		n = p[1] & 0x7f;
		if (n == 126) {
			n = (size_t)p[2] << 8 | p[3];
			head = 8;
		} else if (n == 127) {
			n = 0;
			for (int i = 2; i < 10; i++)
				n = n << 8 | p[i];
			head = 14;
		}
		if (left < head + n)
			return -1;
		if (nth-- == 0) {
			for (size_t i = 0; i < n; i++)
				p[head + i] ^= p[head - 4 + i % 4];
			memset(p + head - 4, 0, 4); /* once is enough */
			*payload = p + head;
			*len = n;
			return p[0];
		}
		at += head + n;
	}
}

/* ------------------------------------------------------------------ the client, and both together */

struct room {
	struct bh_loop *loop;
	struct obs_ws *ws;
	struct server s;
	unsigned opens, messages, closes, writables, pongs, busy, idle;
	enum obs_ws_end end;
	int code;
	char why[200];
	uint8_t *last; /* the newest message */
	size_t last_len, total;
	const char *close_in; /* the callback that closes */
	bool open_in_close;
};

static void
may_close(struct room *r, const char *where)
{
	if (r->close_in && !strcmp(r->close_in, where))
		obs_ws_close(r->ws);
}

static void
on_open(void *data)
{
	struct room *r = data;
	r->opens++;
	may_close(r, "open");
}

static void
on_message(void *data, const uint8_t *bytes, size_t len)
{
	struct room *r = data;
	r->messages++;
	ck_assert_uint_le(len, OBS_WS_MESSAGE_MAX);
	memcpy(r->last, bytes, len);
	r->last_len = len;
	r->total += len;
	may_close(r, "message");
}

static void
on_close(void *data, enum obs_ws_end end, int code, const char *why)
{
	struct room *r = data;
	r->closes++;
	r->end = end;
	r->code = code;
	snprintf(r->why, sizeof(r->why), "%s", why);
	ck_assert(!obs_ws_is_open(r->ws));
	if (r->open_in_close) {
		r->open_in_close = false;
		ck_assert_int_eq(obs_ws_open(r->ws, "127.0.0.1", r->s.port, false), 0);
	}
}

static void
on_writable(void *data)
{
	struct room *r = data;
	r->writables++;
	may_close(r, "writable");
}

static void
on_pong(void *data)
{
	struct room *r = data;
	r->pongs++;
	may_close(r, "pong");
}

static void
on_busy(void *data, uint32_t limit_ms)
{
	struct room *r = data;
	r->busy += limit_ms > 0;
	r->idle += limit_ms == 0;
}

static const struct obs_ws_ops ops = {.on_open = on_open, .on_message = on_message, .on_close = on_close,
				      .on_writable = on_writable, .on_pong = on_pong, .on_busy = on_busy};

static void
turn(struct room *r)
{
	server_turn(&r->s);
	ck_assert_int_eq(bh_loop_step(r->loop, false), 0);
}

#define until(r, cond)                                                                                                 \
	do {                                                                                                           \
		uint64_t limit = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;                                            \
		while (!(cond)) {                                                                                      \
			ck_assert_msg(bh_mono_ns() < limit, "never: %s (%s)", #cond, (r)->why);                        \
			turn(r);                                                                                       \
			usleep(100);                                                                                   \
		}                                                                                                      \
	} while (0)

/* What shall not happen is given some turns in which it could. */
static void
some_turns(struct room *r)
{
	for (int i = 0; i < 200; i++) {
		turn(r);
		usleep(100);
	}
}

static void
room_init(struct room *r)
{
	*r = (struct room){.loop = bh_loop_new(), .last = malloc(OBS_WS_MESSAGE_MAX)};
	server_listen(&r->s);
	r->ws = obs_ws_new(r->loop, &ops, r);
	ck_assert_ptr_nonnull(r->ws);
}

static void
room_fini(struct room *r)
{
	obs_ws_free(r->ws);
	bh_loop_free(r->loop);
	server_free(&r->s);
	free(r->last);
}

static void
room_connect(struct room *r)
{
	unsigned before = r->opens;
	ck_assert_int_eq(obs_ws_open(r->ws, "127.0.0.1", r->s.port, false), 0);
	until(r, r->opens == before + 1);
	ck_assert(obs_ws_is_open(r->ws));
}

/* From the server, while the client reads. */
static void
server_send(struct room *r, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	while (len > 0) {
		ssize_t n = send(r->s.fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		ck_assert_msg(n > 0 || errno == EAGAIN, "send: %s", strerror(errno));
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
		ck_assert_int_eq(bh_loop_step(r->loop, false), 0);
	}
}

static size_t
frame_head(uint8_t *out, unsigned first, size_t len)
{
	size_t n = 0;
	out[n++] = (uint8_t)first;
	if (len < 126) {
		out[n++] = (uint8_t)len;
	} else if (len < 65536) {
		out[n++] = 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	} else {
		out[n++] = 127;
		for (int i = 7; i >= 0; i--)
			out[n++] = (uint8_t)(len >> 8 * i);
	}
	return n;
}

static void
server_send_frame(struct room *r, unsigned first, const void *payload, size_t len)
{
	uint8_t head[10];
	server_send(r, head, frame_head(head, first, len));
	server_send(r, payload, len);
}

static void
expect_end(struct room *r, enum obs_ws_end end, int code, const char *why)
{
	until(r, r->closes > 0);
	ck_assert_msg(r->end == end && r->code == code && strstr(r->why, why), "end %d, code %d: %s", r->end, r->code, r->why);
	some_turns(r);
	ck_assert_uint_eq(r->closes, 1);
	ck_assert(!obs_ws_is_open(r->ws));
	ck_assert_uint_eq(bh_loop_next_deadline(r->loop), 0);
}

static void
server_expect_close(struct room *r, unsigned nth, unsigned code)
{
	uint8_t *p;
	size_t len;
	until(r, server_frame(&r->s, nth, &p, &len) >= 0);
	ck_assert_int_eq(server_frame(&r->s, nth, &p, &len), FIN | CLOSE);
	ck_assert_uint_ge(len, 2);
	ck_assert_uint_eq((unsigned)p[0] << 8 | p[1], code);
}

/* ------------------------------------------------------------------ messages */

START_TEST(a_message_goes_each_way)
{
	struct room r;
	uint8_t *p;
	size_t len;
	char host[64];
	room_init(&r);
	room_connect(&r);
	ck_assert_int_eq(strncmp(r.s.request, "GET / HTTP/1.1\r\n", 16), 0);
	ck_assert_ptr_nonnull(strcasestr(r.s.request, "\r\nSec-WebSocket-Protocol: obswebsocket.msgpack\r\n"));
	ck_assert_ptr_nonnull(strcasestr(r.s.request, "\r\nSec-WebSocket-Version: 13\r\n"));
	ck_assert_ptr_null(strcasestr(r.s.request, "\r\nOrigin:"));
	ck_assert_ptr_null(strcasestr(r.s.request, "\r\nSec-WebSocket-Extensions:"));
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", r.s.port);
	ck_assert_ptr_nonnull(strcasestr(r.s.request, host));
	server_send_frame(&r, FIN | BINARY, "hello", 5);
	until(&r, r.messages == 1);
	ck_assert_mem_eq(r.last, "hello", 5);
	ck_assert_int_eq(obs_ws_send(r.ws, (const uint8_t *)"and back", 8), 0);
	until(&r, server_frame(&r.s, 0, &p, &len) >= 0);
	ck_assert_int_eq(server_frame(&r.s, 0, &p, &len), FIN | BINARY);
	ck_assert_uint_eq(len, 8);
	ck_assert_mem_eq(p, "and back", 8);
	const struct obs_ws_counts *c = obs_ws_counts(r.ws);
	ck_assert_uint_eq(c->bytes_in, 5);
	ck_assert_uint_eq(c->bytes_out, 8);
	ck_assert_uint_eq(c->messages_in, 1);
	ck_assert_uint_eq(c->messages_out, 1);
	ck_assert_uint_eq(c->waiting, 0);
	ck_assert_uint_eq(r.closes, 0);
	room_fini(&r);
}
END_TEST

START_TEST(what_is_sent_is_in_the_kernel_when_the_call_returns)
{
	struct room r;
	uint8_t bytes[256];
	room_init(&r);
	room_connect(&r);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(obs_ws_send(r.ws, (const uint8_t *)"0123456789", 10), 0);
		/* Two heads of bytes, four of the mask. */
		ck_assert_int_eq(recv(r.s.fd, bytes, sizeof(bytes), MSG_DONTWAIT), 16);
	}
	room_fini(&r);
}
END_TEST

START_TEST(what_came_with_the_handshake_is_not_lost)
{
	struct room r;
	room_init(&r);
	r.s.behind = "\x82\x05hello\x82\x03two\x82";
	r.s.behind_len = 13;
	room_connect(&r);
	until(&r, r.messages == 2);
	ck_assert_mem_eq(r.last, "two", 3);
	server_send(&r, "\x02no", 3);
	until(&r, r.messages == 3);
	ck_assert_mem_eq(r.last, "no", 2);
	room_fini(&r);
}
END_TEST

START_TEST(a_message_may_come_byte_by_byte_and_many_at_once)
{
	struct room r;
	uint8_t many[4000];
	room_init(&r);
	room_connect(&r);
	for (int i = 0; i < 7; i++) {
		ck_assert_uint_eq(r.messages, 0);
		server_send(&r, "\x82\x05hello" + i, 1);
		turn(&r);
	}
	until(&r, r.messages == 1);
	for (size_t i = 0; i < sizeof(many); i += 4)
		memcpy(many + i, "\x82\x02ok", 4);
	server_send(&r, many, sizeof(many));
	until(&r, r.messages == 1001);
	ck_assert_uint_eq(r.total, 5 + 2000);
	server_send_frame(&r, FIN | BINARY, "", 0);
	until(&r, r.messages == 1002);
	ck_assert_uint_eq(r.last_len, 0);
	room_fini(&r);
}
END_TEST

START_TEST(fragments_become_one_message_and_a_ping_between_them_is_answered)
{
	struct room r;
	uint8_t *p;
	size_t len;
	room_init(&r);
	room_connect(&r);
	server_send_frame(&r, BINARY, "one ", 4);
	server_send_frame(&r, CONTINUED, "two ", 4);
	server_send_frame(&r, FIN | PING, "are you there", 13);
	until(&r, server_frame(&r.s, 0, &p, &len) >= 0);
	ck_assert_int_eq(server_frame(&r.s, 0, &p, &len), FIN | PONG);
	ck_assert_uint_eq(len, 13);
	ck_assert_mem_eq(p, "are you there", 13);
	ck_assert_uint_eq(r.messages, 0);
	server_send_frame(&r, FIN | CONTINUED, "three", 5);
	until(&r, r.messages == 1);
	ck_assert_uint_eq(r.last_len, 13);
	ck_assert_mem_eq(r.last, "one two three", 13);
	/* and its last moment is forgotten */
	ck_assert_uint_eq(bh_loop_next_deadline(r.loop), 0);
	room_fini(&r);
}
END_TEST

static uint8_t *
pattern(size_t len)
{
	uint8_t *p = malloc(len);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 13);
	return p;
}

START_TEST(a_message_of_the_largest_size_comes_whole)
{
	struct room r;
	uint8_t *p = pattern(OBS_WS_MESSAGE_MAX);
	room_init(&r);
	room_connect(&r);
	for (int i = 0; i < 2; i++) {
		server_send_frame(&r, FIN | BINARY, p, OBS_WS_MESSAGE_MAX);
		until(&r, r.messages == (unsigned)i + 1);
		ck_assert_uint_eq(r.last_len, OBS_WS_MESSAGE_MAX);
		ck_assert_int_eq(memcmp(r.last, p, OBS_WS_MESSAGE_MAX), 0);
	}
	/* In pieces of odd sizes, too. */
	size_t at = 0, n = 0;
	for (unsigned k = 1; at < MB; k += 977, at += n) {
		n = at + k * 7 < MB ? k * 7 : MB - at;
		server_send_frame(&r, (at ? CONTINUED : BINARY) | (at + n == MB ? FIN : 0), p + at, n);
	}
	until(&r, r.messages == 3);
	ck_assert_uint_eq(r.last_len, MB);
	ck_assert_int_eq(memcmp(r.last, p, MB), 0);
	free(p);
	room_fini(&r);
}
END_TEST

START_TEST(an_oversized_message_is_refused_before_it_is_read)
{
	struct room r;
	uint8_t head[10];
	room_init(&r);
	room_connect(&r);
	server_send(&r, head, frame_head(head, FIN | BINARY, OBS_WS_MESSAGE_MAX + (size_t)1));
	uint8_t *p = pattern(32768); /* the library hands on 16 KB at a time */
	server_send(&r, p, 32768);
	free(p);
	until(&r, r.closes == 1);
	server_expect_close(&r, 0, 1009);
	expect_end(&r, OBS_WS_BROKEN, 0, "more than 4 MB");
	room_fini(&r);
}
END_TEST

START_TEST(fragments_without_end_are_refused_at_the_limit)
{
	struct room r;
	uint8_t *p = pattern(MB);
	room_init(&r);
	room_connect(&r);
	for (unsigned i = 0; i < 4; i++)
		server_send_frame(&r, i ? CONTINUED : BINARY, p, MB);
	some_turns(&r);
	ck_assert_uint_eq(r.closes, 0);
	server_send_frame(&r, CONTINUED, "x", 1);
	until(&r, r.closes == 1);
	server_expect_close(&r, 0, 1009);
	expect_end(&r, OBS_WS_BROKEN, 0, "more than 4 MB");
	free(p);
	room_fini(&r);
}
END_TEST

START_TEST(text_is_refused)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	server_send_frame(&r, FIN | TEXT, "{\"op\":0}", 8);
	until(&r, r.closes == 1);
	server_expect_close(&r, 0, 1003);
	expect_end(&r, OBS_WS_BROKEN, 0, "text");
	ck_assert_uint_eq(r.messages, 0);
	room_fini(&r);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} broken[] = {
	{"\xf2\x02no", 4},		       /* reserved bits */
	{"\x83\x02no", 4},		       /* reserved opcodes */
	{"\x8b\x02no", 4},
	{"\x80\x02no", 4},		       /* goes on with nothing */
	{"\x02\x02no\x82\x02no", 8},	       /* a new one within another */
	{"\x09\x02no", 4},		       /* a ping in fragments */
	{"\x89\x7e\x01\x00", 4},	       /* a ping of 256 bytes */
	{"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* a length that is none */
};

START_TEST(frames_against_the_protocol_end_it)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	server_send(&r, broken[_i].bytes, broken[_i].len);
	expect_end(&r, OBS_WS_BROKEN, 0, "against the WebSocket protocol");
	ck_assert_uint_eq(r.messages, 0);
	room_fini(&r);
}
END_TEST

START_TEST(rubbish_after_the_handshake_never_harms)
{
	struct room r;
	room_init(&r);
	srandom((unsigned)_i);
	for (int round = 0; round < 40; round++) {
		uint8_t bytes[3000];
		unsigned before = r.closes;
		size_t len = (size_t)(random() % (long)sizeof(bytes));
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)random();
		if (random() % 2 && len > 2)
			bytes[0] = FIN | BINARY; /* the beginning of one that is good */
		room_connect(&r);
		/* It may end in the middle of it. */
		for (size_t at = 0; at < len && r.closes == before; at += 500) {
			if (send(r.s.fd, bytes + at, len - at < 500 ? len - at : 500, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				break;
			turn(&r);
		}
		server_hang_up(&r.s, random() % 2);
		until(&r, r.closes == before + 1);
	}
	room_fini(&r);
}
END_TEST

START_TEST(a_message_that_never_ends_is_given_up)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	uint64_t began = bh_mono_ns();
	server_send_frame(&r, BINARY, "it begins", 9);
	uint64_t fed = 0;
	while (!r.closes) { /* a little now and then does not help */
		if (bh_mono_ns() - fed > 200 * BH_NS_PER_MS) {
			server_send_frame(&r, CONTINUED, "x", 1);
			fed = bh_mono_ns();
		}
		ck_assert_uint_lt(bh_mono_ns() - began, PATIENCE_MS * BH_NS_PER_MS);
		turn(&r);
		usleep(1000);
	}
	ck_assert_uint_ge(bh_mono_ns() - began, OBS_WS_MESSAGE_MS * BH_NS_PER_MS);
	server_expect_close(&r, 0, 1008);
	expect_end(&r, OBS_WS_BROKEN, 0, "did not go on with it");
	room_fini(&r);
}
END_TEST

START_TEST(a_process_that_was_stopped_reads_on)
{
	struct room r;
	uint8_t *p = pattern(200000);
	room_init(&r);
	room_connect(&r);
	server_send_frame(&r, BINARY, p, 100000);
	until(&r, bh_loop_next_deadline(r.loop) != 0);
	/* While it does not run, as in a debugger, the rest comes, and is more than what is read at once. */
	uint8_t head[10];
	size_t n = frame_head(head, FIN | CONTINUED, 100000);
	ck_assert_int_eq(send(r.s.fd, head, n, MSG_NOSIGNAL), (int)n);
	ssize_t sent = send(r.s.fd, p + 100000, 100000, MSG_NOSIGNAL);
	ck_assert_int_gt(sent, 0);
	usleep((OBS_WS_MESSAGE_MS + 1500) * 1000);
	server_send(&r, p + 100000 + sent, 100000 - (size_t)sent);
	until(&r, r.messages + r.closes == 1);
	ck_assert_uint_eq(r.messages, 1);
	ck_assert_int_eq(memcmp(r.last, p, 200000), 0);
	free(p);
	room_fini(&r);
}
END_TEST

/* ------------------------------------------------------------------ sending */

static void
fill(struct room *r, unsigned *sent)
{
	uint8_t bytes[1000];
	int n;
	do {
		memset(bytes, (int)(*sent & 0xff), sizeof(bytes));
		memcpy(bytes, sent, sizeof(*sent));
		n = obs_ws_send(r->ws, bytes, sizeof(bytes));
		*sent += n == 0;
		ck_assert_uint_le(obs_ws_counts(r->ws)->waiting, OBS_WS_SEND_MAX);
	} while (n == 0);
	ck_assert_int_eq(n, -EAGAIN);
}

START_TEST(a_peer_that_does_not_read_stops_us_and_then_gets_all_in_order)
{
	struct room r;
	unsigned sent = 0, number;
	uint8_t *p;
	size_t len;
	room_init(&r);
	room_connect(&r);
	r.s.deaf = true;
	/* Full is only what stays so while the kernel has its turns. */
	for (unsigned before = UINT32_MAX; before != sent;) {
		before = sent;
		fill(&r, &sent);
		some_turns(&r);
	}
	unsigned pongs = r.pongs;
	ck_assert_int_eq(obs_ws_ping(r.ws), 0);
	ck_assert_uint_eq(r.writables, 0);
	ck_assert_uint_gt(sent, 200);
	/* What comes in meanwhile is read. */
	server_send_frame(&r, FIN | BINARY, "hello", 5);
	until(&r, r.messages == 1);
	r.s.deaf = false;
	until(&r, r.writables == 1 && obs_ws_counts(r.ws)->waiting == 0);
	until(&r, server_frame(&r.s, sent, &p, &len) >= 0); /* and the ping among them */
	unsigned pings = 0;
	for (unsigned i = 0; i < sent + 1; i++) {
		int op = server_frame(&r.s, i, &p, &len);
		pings += op == (FIN | PING);
		if (op == (FIN | PING))
			continue;
		ck_assert_int_eq(op, FIN | BINARY);
		ck_assert_uint_eq(len, 1000);
		memcpy(&number, p, sizeof(number));
		ck_assert_uint_eq(number, i - pings);
		ck_assert_uint_eq(p[999], number & 0xff);
	}
	ck_assert_uint_eq(pings, 1);
	ck_assert_uint_eq(r.pongs, pongs);
	ck_assert_uint_eq(obs_ws_counts(r.ws)->messages_out, sent);
	ck_assert_uint_eq(r.closes, 0);
	/* It goes on as before. */
	ck_assert_int_eq(obs_ws_send(r.ws, (const uint8_t *)"more", 4), 0);
	until(&r, server_frame(&r.s, sent + 1, &p, &len) >= 0);
	room_fini(&r);
}
END_TEST

START_TEST(what_cannot_be_sent_is_said_at_once)
{
	struct room r;
	uint8_t *big = calloc(1, OBS_WS_SEND_MAX + 1);
	room_init(&r);
	ck_assert_int_eq(obs_ws_send(r.ws, big, 1), -ENOTCONN);
	ck_assert_int_eq(obs_ws_ping(r.ws), -ENOTCONN);
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	ck_assert_int_eq(obs_ws_send(r.ws, big, 1), -ENOTCONN);
	until(&r, r.opens == 1);
	ck_assert_int_eq(obs_ws_send(r.ws, big, OBS_WS_SEND_MAX + 1), -EMSGSIZE);
	ck_assert_int_eq(obs_ws_send(r.ws, big, SIZE_MAX), -EMSGSIZE);
	ck_assert_int_eq(obs_ws_send(r.ws, big, OBS_WS_SEND_MAX - 256), 0);
	uint8_t *p;
	size_t len;
	until(&r, server_frame(&r.s, 0, &p, &len) >= 0);
	ck_assert_uint_eq(len, OBS_WS_SEND_MAX - 256);
	ck_assert_int_eq(obs_ws_open(r.ws, "", 1, false), -EINVAL);
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", 0, false), -EINVAL);
	ck_assert_int_eq(obs_ws_open(r.ws, NULL, 1, false), -EINVAL);
	ck_assert_uint_eq(r.closes, 0);
	free(big);
	room_fini(&r);
}
END_TEST

START_TEST(a_ping_is_answered)
{
	struct room r;
	uint8_t *p;
	size_t len;
	room_init(&r);
	room_connect(&r);
	ck_assert_int_eq(obs_ws_ping(r.ws), 0);
	until(&r, server_frame(&r.s, 0, &p, &len) >= 0);
	ck_assert_int_eq(server_frame(&r.s, 0, &p, &len), FIN | PING);
	ck_assert_uint_eq(r.pongs, 0);
	server_send_frame(&r, FIN | PONG, p, len);
	until(&r, r.pongs == 1);
	ck_assert_uint_eq(r.messages, 0);
	room_fini(&r);
}
END_TEST

START_TEST(a_flood_of_pings_takes_no_memory_from_us)
{
	struct room r;
	uint8_t pings[127 * 128];
	int small = 4096;
	room_init(&r);
	setsockopt(r.s.listen_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	room_connect(&r);
	r.s.deaf = true;
	for (size_t i = 0; i < sizeof(pings); i += 127) {
		memset(pings + i, 'x', 127);
		pings[i] = FIN | PING;
		pings[i + 1] = 125;
	}
	for (int i = 0; i < 20; i++)
		server_send(&r, pings, sizeof(pings));
	some_turns(&r);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (int i = 0; i < 1000; i++)
		server_send(&r, pings, sizeof(pings));
	some_turns(&r);
	ck_assert_uint_lt(mallinfo2().uordblks + mallinfo2().hblkhd, before + 600000);
	r.s.deaf = false;
	server_send_frame(&r, FIN | BINARY, "still there", 11);
	until(&r, r.messages == 1);
	ck_assert_uint_eq(r.closes, 0);
	room_fini(&r);
}
END_TEST

/* ------------------------------------------------------------------ ends */

START_TEST(a_close_code_comes_with_its_words_and_is_echoed)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	server_send_frame(&r, FIN | CLOSE, "\x0f\xa9" "Authentication failed.", 24);
	until(&r, r.closes == 1);
	server_expect_close(&r, 0, 4009);
	expect_end(&r, OBS_WS_CLOSED, 4009, "Authentication failed.");
	room_fini(&r);
}
END_TEST

START_TEST(what_came_before_a_close_and_a_hang_up_is_read)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	ck_assert_int_eq(send(r.s.fd, "\x82\x05hello\x88\x04\x0f\xab\x1b\n", 13, MSG_NOSIGNAL), 13);
	server_hang_up(&r.s, false);
	expect_end(&r, OBS_WS_CLOSED, 4011, "  "); /* nothing that a terminal would obey */
	ck_assert_uint_eq(r.messages, 1);
	room_fini(&r);
}
END_TEST

START_TEST(a_close_without_a_code_is_one_too)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	server_send_frame(&r, FIN | CLOSE, "", 0);
	expect_end(&r, OBS_WS_CLOSED, 0, "it closed the connection");
	room_fini(&r);
}
END_TEST

START_TEST(a_peer_that_dies_is_lost)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	server_hang_up(&r.s, _i == 1);
	expect_end(&r, OBS_WS_LOST, 1006, "without a word");
	room_fini(&r);
}
END_TEST

START_TEST(nobody_at_the_port_is_known_at_once)
{
	struct room r;
	room_init(&r);
	close(r.s.listen_fd);
	r.s.listen_fd = -1;
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	expect_end(&r, OBS_WS_NO_ANSWER, 0, "Connection refused");
	/* Again and again, and nothing is left behind. */
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
		until(&r, r.closes == i + 2);
	}
	ck_assert_uint_eq(r.opens, 0);
	room_fini(&r);
}
END_TEST

static const struct {
	const char *answer, *why;
	enum obs_ws_end end;
	int code;
} handshake[] = {
	{"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP", OBS_WS_NOT_OBS, 0},
	{"\x15\x03\x03\x02\x02\x0a", "does not speak HTTP", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP 404", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP 200", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", "HTTP 401", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP 301", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	 "Sec-WebSocket-Protocol: obswebsocket.msgpack\r\nSec-WebSocket-Accept: wrong\r\n\r\n", "no WebSocket handshake", OBS_WS_NOT_OBS, 0},
	{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "no WebSocket handshake", OBS_WS_NOT_OBS, 0},
};

START_TEST(who_is_no_obs_is_recognised)
{
	struct room r;
	room_init(&r);
	r.s.answer = handshake[_i].answer;
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	expect_end(&r, handshake[_i].end, handshake[_i].code, handshake[_i].why);
	ck_assert_uint_eq(r.opens, 0);
	/* and the next one may be OBS */
	server_hang_up(&r.s, false);
	r.s.answer = NULL;
	room_connect(&r);
	room_fini(&r);
}
END_TEST

START_TEST(a_server_without_msgpack_is_recognised)
{
	struct room r;
	room_init(&r);
	r.s.protocol = _i ? "obswebsocket.json" : NULL;
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	expect_end(&r, OBS_WS_NOT_OBS, 0, _i ? "no WebSocket handshake" : "does not know obswebsocket.msgpack");
	ck_assert_uint_eq(r.opens, 0);
	room_fini(&r);
}
END_TEST

START_TEST(one_that_hangs_up_in_the_handshake_is_lost)
{
	struct room r;
	room_init(&r);
	r.s.answer = "HTTP/1.1 101 Swit";
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	until(&r, r.s.shook);
	server_hang_up(&r.s, _i == 1);
	expect_end(&r, OBS_WS_LOST, 1006, "before it answered");
	room_fini(&r);
}
END_TEST

START_TEST(a_handshake_that_never_ends_is_given_up)
{
	struct room r;
	room_init(&r);
	r.s.answer = _i ? "HTTP/1.1 101 Switching Protocols\r\n" : "";
	uint64_t began = bh_mono_ns(), fed = 0;
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	while (!r.closes) {
		if (_i && r.s.shook && bh_mono_ns() - fed > 100 * BH_NS_PER_MS) {
			if (send(r.s.fd, "X: y\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
				r.s.answer = "";
			fed = bh_mono_ns();
		}
		ck_assert_uint_lt(bh_mono_ns() - began, PATIENCE_MS * BH_NS_PER_MS);
		turn(&r);
		usleep(1000);
	}
	expect_end(&r, OBS_WS_NO_ANSWER, 0, "does not answer");
	ck_assert_uint_ge(bh_mono_ns() - began, OBS_WS_OPEN_MS * BH_NS_PER_MS);
	room_fini(&r);
}
END_TEST

START_TEST(a_handshake_with_too_much_in_it_ends)
{
	struct room r;
	char line[1024];
	room_init(&r);
	r.s.answer = "HTTP/1.1 101 Switching Protocols\r\n";
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	until(&r, r.s.shook);
	memset(line, 'x', sizeof(line));
	memcpy(line, "Upgrade: ", 9);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	for (int i = 0; i < 10000 && !r.closes; i++) {
		if (send(r.s.fd, line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			usleep(100);
		turn(&r);
	}
	until(&r, r.closes == 1);
	ck_assert_uint_eq(r.opens, 0);
	room_fini(&r);
}
END_TEST

/* ------------------------------------------------------------------ closing */

static const char *const places[] = {"open", "message", "pong", "writable"};

START_TEST(it_can_be_closed_in_any_callback)
{
	struct room r;
	unsigned sent = 0;
	room_init(&r);
	r.close_in = places[_i];
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
	until(&r, r.opens == 1);
	if (_i == 3) {
		r.s.deaf = true;
		fill(&r, &sent);
		r.s.deaf = false;
	}
	if (_i == 1 || _i == 2) /* more than one: after the close nothing comes */
		server_send(&r, _i == 1 ? "\x82\x01" "a\x82\x01" "b" : "\x8a\x00\x8a\x00", _i == 1 ? 6 : 4);
	until(&r, !obs_ws_is_open(r.ws));
	some_turns(&r);
	ck_assert_uint_eq(r.closes, 0);
	ck_assert_uint_le(r.messages, 1);
	ck_assert_uint_le(r.pongs, 1);
	uint8_t *p;
	size_t len;
	until(&r, server_frame(&r.s, sent, &p, &len) >= 0);
	server_expect_close(&r, sent, 1000);
	/* and used again */
	server_hang_up(&r.s, false);
	r.close_in = NULL;
	room_connect(&r);
	room_fini(&r);
}
END_TEST

START_TEST(it_can_be_closed_at_any_time_and_opened_again)
{
	struct room r;
	room_init(&r);
	obs_ws_close(NULL);
	obs_ws_close(r.ws);
	for (unsigned turns = 0; turns < 12; turns++) {
		ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, false), 0);
		for (unsigned i = 0; i < turns; i++)
			turn(&r);
		if (turns % 2)
			obs_ws_close(r.ws);
		/* else it is opened on top of the one before */
		server_hang_up(&r.s, false);
	}
	some_turns(&r);
	unsigned closes = r.closes;
	server_hang_up(&r.s, false);
	room_connect(&r);
	ck_assert_uint_eq(r.closes, closes);
	server_send_frame(&r, FIN | BINARY, "hello", 5);
	until(&r, r.messages >= 1);
	room_fini(&r);
}
END_TEST

START_TEST(it_can_be_opened_again_where_its_end_is_told)
{
	struct room r;
	room_init(&r);
	room_connect(&r);
	r.open_in_close = true;
	server_hang_up(&r.s, true);
	until(&r, r.opens == 2);
	ck_assert_uint_eq(r.closes, 1);
	room_fini(&r);
}
END_TEST

static unsigned
descriptors(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

START_TEST(two_hundred_connections_leave_nothing_behind)
{
	struct room r;
	unsigned before = 0;
	room_init(&r);
	for (unsigned i = 0; i < 200; i++) {
		room_connect(&r);
		obs_ws_send(r.ws, (const uint8_t *)"x", 1);
		if (i % 3 == 0) {
			server_hang_up(&r.s, i % 2);
			until(&r, !obs_ws_is_open(r.ws));
		} else {
			obs_ws_close(r.ws);
			server_hang_up(&r.s, false);
		}
		if (i == 10)
			before = descriptors();
	}
	ck_assert_uint_eq(descriptors(), before);
	ck_assert_uint_eq(obs_ws_counts(r.ws)->opens, 200);
	room_fini(&r);
}
END_TEST

/* ------------------------------------------------------------------ what it costs, and where it runs */

static int
client_socket(const struct room *r)
{
	struct sockaddr_in peer;
	for (int fd = 3; fd < 256; fd++) {
		socklen_t len = sizeof(peer);
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET && ntohs(peer.sin_port) == r->s.port)
			return fd;
	}
	ck_abort_msg("no socket of the client's");
	return -1;
}

START_TEST(an_open_connection_that_is_idle_wakes_nobody)
{
	struct room r;
	int on = 0;
	socklen_t len = sizeof(on);
	room_init(&r);
	room_connect(&r);
	ck_assert_uint_eq(bh_loop_next_deadline(r.loop), 0);
	ck_assert_int_eq(getsockopt(client_socket(&r), IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	ck_assert_int_ne(on, 0);
	ck_assert_int_ne(fcntl(client_socket(&r), F_GETFD) & FD_CLOEXEC, 0);
	room_fini(&r);
}
END_TEST

START_TEST(messages_take_no_memory)
{
	struct room r;
	uint8_t *p;
	size_t len, before = 0;
	room_init(&r);
	room_connect(&r);
	for (unsigned i = 0; i < 2000; i++) {
		if (i == 100)
			before = mallinfo2().uordblks;
		server_send_frame(&r, FIN | BINARY, "hello", 5);
		ck_assert_int_eq(obs_ws_send(r.ws, (const uint8_t *)"hello", 5), 0);
		until(&r, r.messages == i + 1 && server_frame(&r.s, 0, &p, &len) >= 0);
		r.s.got_len = 0;
	}
	ck_assert_uint_eq(mallinfo2().uordblks, before);
	room_fini(&r);
}
END_TEST

START_TEST(a_name_is_looked_up_and_the_loop_is_told_before)
{
	struct room r;
	room_init(&r);
	uint64_t began = bh_mono_ns();
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(obs_ws_open(r.ws, "localhost", r.s.port, false), 0);
		until(&r, r.opens == i + 1);
		obs_ws_close(r.ws);
		server_hang_up(&r.s, false);
	}
	ck_assert_ptr_nonnull(strcasestr(r.s.request, "\r\nHost: localhost:"));
	/* Once in ten seconds, should this machine have stood still. */
	unsigned lookups = obs_ws_counts(r.ws)->lookups;
	ck_assert_uint_ge(lookups, 1);
	ck_assert_uint_le(lookups, 1 + (bh_mono_ns() - began) / (10 * BH_NS_PER_S));
	ck_assert_uint_eq(r.busy, lookups);
	ck_assert_uint_eq(r.idle, lookups);
	room_connect(&r); /* by its address: no name is asked for */
	ck_assert_uint_eq(r.busy, lookups);
	room_fini(&r);
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_said_to_be_so)
{
	struct room r;
	room_init(&r);
	ck_assert_int_eq(obs_ws_open(r.ws, "no such host", r.s.port, false), 0);
	expect_end(&r, OBS_WS_NO_NAME, 0, "");
	ck_assert_uint_eq(r.busy, 1);
	ck_assert_uint_eq(r.idle, 1);
	room_fini(&r);
}
END_TEST

START_TEST(a_proxy_for_the_web_is_not_asked)
{
	struct room r;
	setenv("http_proxy", "127.0.0.1:1", 1);
	room_init(&r);
	room_connect(&r);
	room_fini(&r);
}
END_TEST

START_TEST(tls_with_a_server_that_has_none_is_said_to_fail)
{
	struct room r;
	room_init(&r);
	ck_assert_int_eq(obs_ws_open(r.ws, "127.0.0.1", r.s.port, true), 0);
	until(&r, r.s.fd >= 0);
	ck_assert_int_eq(send(r.s.fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL), 28);
	r.s.deaf = true;
	expect_end(&r, OBS_WS_NO_TLS, 0, "");
	/* Without, as before. */
	server_hang_up(&r.s, false);
	r.s.deaf = false;
	room_connect(&r);
	room_fini(&r);
}
END_TEST

/* A certificate of today's, for this machine, in a folder of its own. */
static void
make_certificate(char *dir, char *cert, char *key, size_t cap)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	ck_assert(pkey && x && mkdtemp(dir));
	snprintf(cert, cap, "%s/cert", dir);
	snprintf(key, cap, "%s/key", dir);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ck_assert_int_gt(X509_sign(x, pkey, EVP_sha256()), 0);
	FILE *f = fopen(cert, "w");
	ck_assert(f && PEM_write_X509(f, x) == 1 && fclose(f) == 0);
	f = fopen(key, "w");
	ck_assert(f && PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

static int
on_tls_server(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	uint8_t buf[LWS_PRE + 64];
	(void)user;
	if (reason != LWS_CALLBACK_RECEIVE)
		return 0;
	ck_assert_uint_le(len, 64);
	memcpy(buf + LWS_PRE, in, len); /* what it is told it says again */
	return lws_write(wsi, buf + LWS_PRE, len, LWS_WRITE_BINARY) < 0 ? -1 : 0;
}

/* What is taken from here on is not looked for at the end. */
static void
leaks(bool may)
{
	(void)may;
#ifdef __SANITIZE_ADDRESS__
	if (may)
		__lsan_disable();
	else
		__lsan_enable();
#endif
}

START_TEST(tls_wants_a_certificate_that_is_trusted)
{
	static const struct lws_protocols protocols[] = {{.name = "obswebsocket.msgpack", .callback = on_tls_server, .rx_buffer_size = 1024}, {.name = NULL}};
	struct room r;
	char dir[] = "/tmp/bh-obs-tls.XXXXXX", cert[64], key[64];
	make_certificate(dir, cert, key, sizeof(cert));
	setenv("SSL_CERT_FILE", _i ? cert : "/dev/null", 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	room_init(&r);
	struct lws_context_creation_info info = {
		.protocols = protocols, .gid = (gid_t)-1, .uid = (uid_t)-1, .ssl_cert_filepath = cert, .ssl_private_key_filepath = key,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
		.fd_limit_per_thread = 20,
	};
	leaks(true); /* the library forgets a server's context for connections that it might make itself */
	struct lws_context *server = lws_create_context(&info);
	ck_assert_ptr_nonnull(server);
	struct lws_vhost *vhost = lws_create_vhost(server, &info);
	leaks(false);
	ck_assert_ptr_nonnull(vhost);
	lws_service(server, -1);
	ck_assert_int_eq(obs_ws_open(r.ws, "localhost", (uint16_t)lws_get_vhost_listen_port(vhost), true), 0);
	until(&r, (lws_service(server, -1), r.opens + r.closes > 0));
	if (_i) {
		ck_assert_uint_eq(r.opens, 1);
		ck_assert_int_eq(obs_ws_send(r.ws, (const uint8_t *)"in secret", 9), 0);
		until(&r, (lws_service(server, -1), r.messages == 1));
		ck_assert_mem_eq(r.last, "in secret", 9);
	} else {
		expect_end(&r, OBS_WS_NO_TLS, 0, "certificate");
	}
	obs_ws_close(r.ws);
	lws_context_destroy(server);
	unlink(cert);
	unlink(key);
	rmdir(dir);
	room_fini(&r);
}
END_TEST

/* The client in a process of its own, confined as bh-obs is. */
static int
confined_client(uint16_t port, const char *host)
{
	static const struct bh_sandbox box = {.line = {{BH_MAY_TCP, NULL, "as bh-obs"}, {BH_MAY_UDP, NULL, "as bh-obs"}, {BH_MAY_READ, "/dev/urandom", "as bh-obs"}}};
	static struct bh_sandbox_plan plan;
	struct room r = {.loop = bh_loop_new(), .last = malloc(OBS_WS_MESSAGE_MAX), .s = {.fd = -1, .listen_fd = -1}};
	bh_sandbox_plan(&plan, &box, NULL);
	bh_sandbox_host(&plan, host);
	bh_sandbox_port(&plan, port);
	bh_sandbox_enter(&plan);
	r.ws = obs_ws_new(r.loop, &ops, &r);
	if (!r.ws || obs_ws_open(r.ws, host, port, false) < 0)
		return 3;
	uint64_t limit = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	while (!r.messages && !r.closes && bh_mono_ns() < limit)
		bh_loop_step(r.loop, true);
	if (!r.messages) {
		fprintf(stderr, "confined: end %d, %s\n", r.end, r.why);
		return 4;
	}
	obs_ws_free(r.ws);
	bh_loop_free(r.loop);
	free(r.last);
	return 0;
}

START_TEST(it_works_in_a_confined_process)
{
	static const char *const host[] = {"127.0.0.1", "localhost"};
	struct server s;
	int status = 0;
	server_listen(&s);
	s.behind = "\x82\x05hello";
	s.behind_len = 7;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(confined_client(s.port, host[_i]));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		server_turn(&s);
		usleep(200);
	}
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	server_free(&s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs ws");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_message_goes_each_way);
	tcase_add_test(t, what_is_sent_is_in_the_kernel_when_the_call_returns);
	tcase_add_test(t, what_came_with_the_handshake_is_not_lost);
	tcase_add_test(t, a_message_may_come_byte_by_byte_and_many_at_once);
	tcase_add_test(t, fragments_become_one_message_and_a_ping_between_them_is_answered);
	tcase_add_test(t, a_message_of_the_largest_size_comes_whole);
	tcase_add_test(t, an_oversized_message_is_refused_before_it_is_read);
	tcase_add_test(t, fragments_without_end_are_refused_at_the_limit);
	tcase_add_test(t, text_is_refused);
	tcase_add_loop_test(t, frames_against_the_protocol_end_it, 0, (int)BH_ARRAY_LEN(broken));
	tcase_add_loop_test(t, rubbish_after_the_handshake_never_harms, 0, 4);
	tcase_add_test(t, a_message_that_never_ends_is_given_up);
	tcase_add_test(t, a_process_that_was_stopped_reads_on);
	tcase_add_test(t, a_peer_that_does_not_read_stops_us_and_then_gets_all_in_order);
	tcase_add_test(t, what_cannot_be_sent_is_said_at_once);
	tcase_add_test(t, a_ping_is_answered);
	tcase_add_test(t, a_flood_of_pings_takes_no_memory_from_us);
	tcase_add_test(t, a_close_code_comes_with_its_words_and_is_echoed);
	tcase_add_test(t, what_came_before_a_close_and_a_hang_up_is_read);
	tcase_add_test(t, a_close_without_a_code_is_one_too);
	tcase_add_loop_test(t, a_peer_that_dies_is_lost, 0, 2);
	tcase_add_test(t, nobody_at_the_port_is_known_at_once);
	tcase_add_loop_test(t, who_is_no_obs_is_recognised, 0, (int)BH_ARRAY_LEN(handshake));
	tcase_add_loop_test(t, a_server_without_msgpack_is_recognised, 0, 2);
	tcase_add_loop_test(t, one_that_hangs_up_in_the_handshake_is_lost, 0, 2);
	tcase_add_loop_test(t, a_handshake_that_never_ends_is_given_up, 0, 2);
	tcase_add_test(t, a_handshake_with_too_much_in_it_ends);
	tcase_add_loop_test(t, it_can_be_closed_in_any_callback, 0, (int)BH_ARRAY_LEN(places));
	tcase_add_test(t, it_can_be_closed_at_any_time_and_opened_again);
	tcase_add_test(t, it_can_be_opened_again_where_its_end_is_told);
	tcase_add_test(t, two_hundred_connections_leave_nothing_behind);
	tcase_add_test(t, an_open_connection_that_is_idle_wakes_nobody);
	tcase_add_test(t, messages_take_no_memory);
	tcase_add_test(t, a_name_is_looked_up_and_the_loop_is_told_before);
	tcase_add_test(t, a_name_that_nobody_knows_is_said_to_be_so);
	tcase_add_test(t, a_proxy_for_the_web_is_not_asked);
	tcase_add_test(t, tls_with_a_server_that_has_none_is_said_to_fail);
	tcase_add_loop_test(t, tls_wants_a_certificate_that_is_trusted, 0, 2);
	tcase_add_loop_test(t, it_works_in_a_confined_process, 0, 2);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
