/* obs_client.c - see obs_client.h */
#include "tests/lib/obs_client.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/lib/must.h"
#include "tests/lib/patience.h"

enum { CODES = 4096, EVENTS_MAX = 4096, RX_STEP = 65536 };

struct message {
	struct message *next;
	msgpack_unpacked un;
	bool taken;
	size_t len;
	char bytes[];
};

struct frame {
	struct frame *next;
	size_t len;
	uint8_t bytes[]; /* LWS_PRE, then the message */
};

enum state { CONNECTING, OPEN, OVER };

struct obs_client {
	struct lws_context *context; /* owned */
	struct lws *wsi;
	lws_sorted_usec_list_t alarm;
	int fd;
	enum state state;
	int close_code;
	struct frame *out, **out_end;
	char *rx;
	size_t rx_len, rx_cap;
	struct message *first, **last; /* events */
	unsigned kept, events;
	struct message *hello, *answer; /* of the request that is waited for */
	bool identified;
	uint32_t number, answered, waiting;
	struct {
		uint32_t number;
		int code;
	} codes[CODES];
	struct {
		char type[64];
		unsigned n;
	} count[64];
};

/* ------------------------------------------------------------------ the socket */

static void
arm_quickack(struct obs_client *c)
{
	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

static void
on_established(struct obs_client *c, struct lws *wsi)
{
	c->state = OPEN;
	c->fd = lws_get_socket_fd(wsi);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	arm_quickack(c);
}

static void
on_over(struct obs_client *c, int code)
{
	c->state = OVER;
	c->wsi = NULL;
	if (!c->close_code)
		c->close_code = code;
}

static void
write_frames(struct obs_client *c)
{
	while (c->out && !lws_send_pipe_choked(c->wsi)) {
		struct frame *f = c->out;
		lws_write(c->wsi, f->bytes + LWS_PRE, f->len, LWS_WRITE_BINARY);
		c->out = f->next;
		if (!c->out)
			c->out_end = &c->out;
		free(f);
	}
	if (c->out)
		lws_callback_on_writable(c->wsi);
}

static void on_message(struct obs_client *c, const char *bytes, size_t len);

static void
on_receive(struct obs_client *c, const void *in, size_t len)
{
	arm_quickack(c);
	if (c->rx_len + len > c->rx_cap) {
		c->rx_cap = c->rx_len + len + RX_STEP;
		c->rx = realloc(c->rx, c->rx_cap);
		must(c->rx, "%m");
	}
	memcpy(c->rx + c->rx_len, in, len);
	c->rx_len += len;
	if (lws_remaining_packet_payload(c->wsi) || !lws_is_final_fragment(c->wsi))
		return;
	on_message(c, c->rx, c->rx_len);
	c->rx_len = 0;
}

static int
on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct obs_client *c = lws_context_user(lws_get_context(wsi));
	(void)user;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED: on_established(c, wsi); break;
	case LWS_CALLBACK_CLIENT_RECEIVE: on_receive(c, in, len); break;
	case LWS_CALLBACK_CLIENT_WRITEABLE: write_frames(c); break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		c->close_code = len >= 2 ? ((uint8_t *)in)[0] << 8 | ((uint8_t *)in)[1] : 1006;
		break;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: on_over(c, 0); break;
	case LWS_CALLBACK_CLIENT_CLOSED: on_over(c, 1006); break;
	}
	return 0;
}

static void
on_alarm(lws_sorted_usec_list_t *alarm)
{
	/* It may go off before the poll that it is to end. */
	lws_cancel_service(lws_container_of(alarm, struct obs_client, alarm)->context);
}

/* One turn of libwebsockets, that sleeps for at most so long. */
static void
turn(struct obs_client *c, uint64_t ns)
{
	if (c->state == OVER)
		return;
	if (c->state == OPEN)
		arm_quickack(c);
	lws_sul_schedule(c->context, 0, &c->alarm, on_alarm, ns ? (lws_usec_t)(ns / 1000) + 1 : 1);
	lws_service(c->context, 0);
	lws_sul_cancel(&c->alarm);
}

/* Turns until it holds, or the connection is over, or the patience is. */
#define turn_until(c, cond)                                                                        \
	({                                                                                         \
		uint64_t now_ = bh_mono_ns(), until_ = now_ + PATIENCE_MS * BH_NS_PER_MS;          \
		while (!(cond) && (c)->state != OVER && now_ < until_) {                           \
			turn(c, until_ - now_);                                                    \
			now_ = bh_mono_ns();                                                       \
		}                                                                                  \
		(cond);                                                                            \
	})

static bool
make_context(struct obs_client *c)
{
	static const struct lws_protocols protocols[] = {{.name = "obswebsocket.msgpack", .callback = on_lws, .rx_buffer_size = RX_STEP},
							 {0}};
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .user = c};
	lws_set_log_level(0, NULL);
	c->context = lws_create_context(&info);
	return c->context != NULL;
}

static bool
connect_to(struct obs_client *c, uint16_t port)
{
	struct lws_client_connect_info info = {.context = c->context, .address = "127.0.0.1", .host = "127.0.0.1", .origin = "127.0.0.1",
					       .path = "/", .port = port, .protocol = "obswebsocket.msgpack", .pwsi = &c->wsi};
	if (!lws_client_connect_via_info(&info))
		on_over(c, 0);
	return turn_until(c, c->state != CONNECTING) && c->state == OPEN;
}

/* ------------------------------------------------------------------ messages */

static void
message_free(struct message *m)
{
	if (!m)
		return;
	msgpack_unpacked_destroy(&m->un);
	free(m);
}

static void
count_event(struct obs_client *c, const char *type)
{
	unsigned i = 0;
	while (i < BH_ARRAY_LEN(c->count) - 1 && c->count[i].type[0] && strcmp(c->count[i].type, type) != 0)
		i++;
	snprintf(c->count[i].type, sizeof(c->count[i].type), "%s", type);
	c->count[i].n++;
	c->events++;
}

static void
drop_first(struct obs_client *c)
{
	struct message *m = c->first;
	c->first = m->next;
	if (!c->first)
		c->last = &c->first;
	c->kept--;
	message_free(m);
}

static void
keep_event(struct obs_client *c, struct message *m)
{
	count_event(c, obs_string(&m->un.data, "d/eventType"));
	*c->last = m;
	c->last = &m->next;
	if (++c->kept > EVENTS_MAX)
		drop_first(c);
}

/* Takes the message. */
static void
take_answer(struct obs_client *c, struct message *m, int code)
{
	uint32_t number = (uint32_t)strtoul(obs_string(&m->un.data, "d/requestId"), NULL, 10);
	c->answered++;
	c->codes[number % CODES].number = number;
	c->codes[number % CODES].code = code;
	if (number != c->waiting) {
		message_free(m);
		return;
	}
	message_free(c->answer);
	c->answer = m;
}

static void
on_message(struct obs_client *c, const char *bytes, size_t len)
{
	struct message *m = calloc(1, sizeof(*m) + len);
	must(m, "%m");
	memcpy(m->bytes, bytes, len);
	m->len = len;
	msgpack_unpacked_init(&m->un);
	must(msgpack_unpack_next(&m->un, m->bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS, "a message of %zu bytes is no msgpack", len);
	const int op = (int)obs_number(&m->un.data, "op");
	if (op == 5) {
		keep_event(c, m);
	} else if (op == 7) {
		take_answer(c, m, (int)obs_number(&m->un.data, "d/requestStatus/code"));
	} else if (op == 9) {
		take_answer(c, m, 100);
	} else if (op == 0 && !c->hello) {
		c->hello = m;
	} else {
		c->identified |= op == 2;
		message_free(m);
	}
}

void
obs_client_say_bytes(struct obs_client *c, const void *bytes, size_t len)
{
	struct frame *f = calloc(1, sizeof(*f) + LWS_PRE + len);
	must(f, "%m");
	memcpy(f->bytes + LWS_PRE, bytes, len);
	f->len = len;
	*c->out_end = f;
	c->out_end = &f->next;
	if (c->state == OPEN)
		lws_callback_on_writable(c->wsi);
}

static void
say_text(struct obs_client *c, const char *text)
{
	msgpack_sbuffer buf;
	obs_text_buffer(&buf, text);
	obs_client_say_bytes(c, buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
}

void
obs_client_say(struct obs_client *c, const char *message, ...)
{
	bh_autofree char *text = NULL;
	va_list ap;
	va_start(ap, message);
	must(vasprintf(&text, message, ap) > 0, "%m");
	va_end(ap);
	say_text(c, text);
}

/* ------------------------------------------------------------------ opening and closing */

static void
identify(struct obs_client *c, const char *password, uint32_t events)
{
	const msgpack_object *auth = obs_at(&c->hello->un.data, "d/authentication");
	char answer[64];
	if (auth->type != MSGPACK_OBJECT_MAP) {
		obs_client_say(c, "{'op': 1, 'd': {'rpcVersion': 1, 'eventSubscriptions': %u}}", events);
		return;
	}
	obs_text_answer(answer, password ? password : "", obs_string(auth, "salt"), obs_string(auth, "challenge"));
	obs_client_say(c, "{'op': 1, 'd': {'rpcVersion': 1, 'authentication': '%s', 'eventSubscriptions': %u}}", answer, events);
}

struct obs_client *
obs_client_try(uint16_t port, const char *password, uint32_t events, int *code)
{
	struct obs_client *c = calloc(1, sizeof(*c));
	must(c, "%m");
	c->out_end = &c->out;
	c->last = &c->first;
	c->fd = -1;
	must(make_context(c), "no context of libwebsockets");
	bool done = connect_to(c, port) && turn_until(c, c->hello);
	if (done) {
		identify(c, password, events);
		done = turn_until(c, c->identified);
	}
	if (code)
		*code = c->close_code;
	if (done)
		return c;
	obs_client_close(c);
	return NULL;
}

struct obs_client *
obs_client_open(uint16_t port, const char *password, uint32_t events)
{
	uint64_t end_ns = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	struct obs_client *c;
	int code = 0;
	do {
		c = obs_client_try(port, password, events, &code);
		if (c && obs_client_ask(c, "GetVersion", NULL) == 100)
			break;
		obs_client_close(c);
		c = NULL;
		usleep(10000);
	} while (code < 4000 && bh_mono_ns() < end_ns);
	must(c, "no OBS answers on port %u: close code %d", port, code);
	return c;
}

void
obs_client_close(struct obs_client *c)
{
	if (!c)
		return;
	lws_context_destroy(c->context);
	while (c->first)
		drop_first(c);
	while (c->out) {
		struct frame *f = c->out;
		c->out = f->next;
		free(f);
	}
	message_free(c->hello);
	message_free(c->answer);
	free(c->rx);
	free(c);
}

bool
obs_client_is_open(struct obs_client *c)
{
	obs_client_pump(c, 0);
	return c->state == OPEN;
}

int
obs_client_close_code(const struct obs_client *c)
{
	return c->close_code;
}

void
obs_client_wait_close(struct obs_client *c)
{
	must(turn_until(c, c->state == OVER), "the connection is still open");
}

/* ------------------------------------------------------------------ requests */

static uint32_t
send_request(struct obs_client *c, const char *type, const char *data, va_list ap)
{
	bh_autofree char *text = NULL, *all = NULL;
	if (data)
		must(vasprintf(&text, data, ap) > 0, "%m");
	c->number++;
	int n = asprintf(&all, "{'op': 6, 'd': {'requestType': '%s', 'requestId': '%u'%s%s}}", type, c->number,
			 data ? ", 'requestData': " : "", data ? text : "");
	must(n > 0, "%m");
	say_text(c, all);
	return c->number;
}

uint32_t
obs_client_send(struct obs_client *c, const char *type, const char *data, ...)
{
	va_list ap;
	va_start(ap, data);
	uint32_t number = send_request(c, type, data, ap);
	va_end(ap);
	return number;
}

int
obs_client_wait(struct obs_client *c, uint32_t number)
{
	must(c->number - number < CODES, "request %u is too long ago", number);
	if (!turn_until(c, c->codes[number % CODES].number == number)) {
		must(c->state == OVER, "no answer to request %u", number);
		return -ENOTCONN;
	}
	return c->codes[number % CODES].code;
}

/* Sends, and waits with its answer kept. */
static int
exchange(struct obs_client *c, const char *type, const char *data, va_list ap)
{
	message_free(c->answer);
	c->answer = NULL;
	c->waiting = send_request(c, type, data, ap);
	return obs_client_wait(c, c->waiting);
}

int
obs_client_ask(struct obs_client *c, const char *type, const char *data, ...)
{
	va_list ap;
	va_start(ap, data);
	int code = exchange(c, type, data, ap);
	va_end(ap);
	return code;
}

const msgpack_object *
obs_client_call(struct obs_client *c, const char *type, const char *data, ...)
{
	va_list ap;
	va_start(ap, data);
	int code = exchange(c, type, data, ap);
	va_end(ap);
	must(code == 100, "%s answered %d: %s", type, code, code < 0 ? "the connection is over" : obs_client_comment(c));
	return obs_client_answer(c);
}

const msgpack_object *
obs_client_answer(struct obs_client *c)
{
	return obs_at(c->answer ? &c->answer->un.data : NULL, "d/responseData");
}

const char *
obs_client_comment(struct obs_client *c)
{
	return c->answer ? obs_string(&c->answer->un.data, "d/requestStatus/comment") : "";
}

uint32_t
obs_client_answered(const struct obs_client *c)
{
	return c->answered;
}

const msgpack_object *
obs_client_batch(struct obs_client *c, const char *requests, ...)
{
	bh_autofree char *text = NULL;
	va_list ap;
	va_start(ap, requests);
	must(vasprintf(&text, requests, ap) > 0, "%m");
	va_end(ap);
	message_free(c->answer);
	c->answer = NULL;
	c->waiting = ++c->number;
	obs_client_say(c, "{'op': 8, 'd': {'requestId': '%u', 'requests': %s}}", c->number, text);
	must(obs_client_wait(c, c->waiting) == 100, "no answer to a batch");
	return obs_at(&c->answer->un.data, "d/results");
}

/* ------------------------------------------------------------------ events */

void
obs_client_pump(struct obs_client *c, unsigned ms)
{
	uint64_t now = bh_mono_ns(), end = now + ms * BH_NS_PER_MS;
	do {
		turn(c, end - now);
		now = bh_mono_ns();
	} while (c->state == OPEN && now < end);
}

static struct message *
find_event(struct obs_client *c, const char *type, const char *field, const char *text)
{
	for (struct message *m = c->first; m; m = m->next) {
		if (m->taken || !obs_is(&m->un.data, "d/eventType", type))
			continue;
		if (!field || obs_is(obs_at(&m->un.data, "d/eventData"), field, text))
			return m;
	}
	return NULL;
}

const msgpack_object *
obs_client_event_within(struct obs_client *c, unsigned ms, const char *type, const char *field, const char *text)
{
	uint64_t now = bh_mono_ns(), end = now + ms * BH_NS_PER_MS;
	while (c->first && c->first->taken) /* of the calls before */
		drop_first(c);
	struct message *m;
	while (!(m = find_event(c, type, field, text)) && c->state == OPEN && now < end) {
		turn(c, end - now);
		now = bh_mono_ns();
	}
	if (!m)
		return NULL;
	m->taken = true;
	return obs_at(&m->un.data, "d/eventData");
}

const msgpack_object *
obs_client_event(struct obs_client *c, const char *type, const char *field, const char *text)
{
	const msgpack_object *o = obs_client_event_within(c, PATIENCE_MS, type, field, text);
	must(o, "no %s with %s %s came", type, field ? field : "any", text ? text : "field");
	return o;
}

const msgpack_object *
obs_client_next_event(struct obs_client *c, char *type, size_t cap)
{
	obs_client_pump(c, 0);
	while (c->first && c->first->taken)
		drop_first(c);
	struct message *m = c->first;
	while (m && m->taken)
		m = m->next;
	if (!m)
		return NULL;
	m->taken = true;
	snprintf(type, cap, "%s", obs_string(&m->un.data, "d/eventType"));
	return obs_at(&m->un.data, "d/eventData");
}

unsigned
obs_client_count(const struct obs_client *c, const char *type)
{
	if (!*type)
		return c->events;
	for (unsigned i = 0; i < BH_ARRAY_LEN(c->count); i++)
		if (!strcmp(c->count[i].type, type))
			return c->count[i].n;
	return 0;
}

void
obs_client_forget(struct obs_client *c)
{
	obs_client_pump(c, 0);
	while (c->first)
		drop_first(c);
	memset(c->count, 0, sizeof(c->count));
	c->events = 0;
}
