/* obs_server.c - see obs_server.h */
#include "tests/fakes/obs_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/must.h"
#include "tests/lib/obs_tape.h"
#include "tests/lib/obs_text.h"

enum { RULES = 64, TYPES = 256, NAME = 64, HELD = 4096 };

static const char salt[] = "c2FsdHNhbHRzYWx0c2FsdA==", challenge[] = "Y2hhbGxlbmdlY2hhbGxlbmdl";

/* A message of the tape. */
struct part {
	msgpack_unpacked un;
	char what;
	int op;
	bool played; /* of an event */
	size_t after; /* of an event: the message of the client that it came behind */
};

/* A request of the tape and its answer: of a message of its own or of a batch. */
struct take {
	char type[NAME];
	const msgpack_object *data, *answer; /* answer: requestStatus and responseData are its members */
	size_t part;
	bool used;
};

struct rule {
	char type[NAME];
	int code;
	msgpack_unpacked data;
	char *bytes; /* owned: what `data` is in */
};

struct held {
	char *bytes;
	size_t len;
};

struct obs_server {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	int listener, wake[2], fd;
	uint16_t port;
	bool stopping, listening, held, deaf, no_pongs, greeted, identified;
	char password[128], *hello;
	enum obs_server_manner manner;
	int refuse_code, client_code;
	struct ws_reader reader;
	char request[2048]; /* of the handshake */
	size_t request_len;
	struct rule rule[RULES];
	unsigned rules;
	struct held queue[HELD];
	unsigned queued;
	struct {
		char type[NAME], data[4096];
		unsigned n;
	} seen[TYPES];
	unsigned types, connections, identifies, pings, requests;
	uint32_t subscriptions;
	struct obs_tape tape;
	struct part *part; /* owned; one for each entry of the tape */
	struct take *take; /* owned */
	size_t takes;
};

/* ------------------------------------------------------------------ sending; all under the lock */

static void
drop_connection(struct obs_server *s, bool reset)
{
	if (s->fd >= 0 && reset)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	bh_close(&s->fd);
	ws_reader_fini(&s->reader);
	s->request_len = 0;
	s->greeted = s->identified = false;
	while (s->queued)
		free(s->queue[--s->queued].bytes);
}

static void
send_all(struct obs_server *s, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len && s->fd >= 0;) {
		ssize_t n = send(s->fd, (const char *)bytes + at, len - at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the thread will read its end */
		at += (size_t)n;
	}
}

static void
send_frame(struct obs_server *s, const struct ws_frame *head, unsigned coding, const void *bytes, size_t len)
{
	uint8_t *all = malloc(WS_HEAD_MAX + len);
	must(all, "%m");
	const size_t n = ws_frame_put(all, head, coding);
	if (len)
		memcpy(all + n, bytes, len);
	send_all(s, all, n + len);
	free(all);
}

static void
send_message(struct obs_server *s, enum ws_opcode opcode, const void *bytes, size_t len)
{
	send_frame(s, &(struct ws_frame){.fin = true, .opcode = (uint8_t)opcode, .len = len}, 0, bytes, len);
}

static void
send_close(struct obs_server *s, int code, const char *reason)
{
	char text[125] = {(char)(code >> 8), (char)code};
	snprintf(text + 2, sizeof(text) - 2, "%s", reason);
	send_message(s, WS_CLOSE, text, 2 + strlen(text + 2));
}

static void
send_text(struct obs_server *s, const char *text)
{
	msgpack_sbuffer buf;
	obs_text_buffer(&buf, text);
	send_message(s, WS_BINARY, buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
}

/* ------------------------------------------------------------------ the tape */

static bool
are_equal(const msgpack_object *a, const msgpack_object *b)
{
	return msgpack_object_equal(*a, *b);
}

/* Each text of `a` stands in `b`, too: the same object is meant, whatever its numbers. */
static bool
names_are_equal(const msgpack_object *a, const msgpack_object *b)
{
	if (a->type != MSGPACK_OBJECT_MAP || b->type != MSGPACK_OBJECT_MAP)
		return a->type == b->type;
	for (uint32_t i = 0; i < a->via.map.size; i++) {
		const msgpack_object_kv *x = &a->via.map.ptr[i];
		bool same = x->val.type != MSGPACK_OBJECT_STR;
		for (uint32_t k = 0; k < b->via.map.size && !same; k++)
			same = are_equal(&x->key, &b->via.map.ptr[k].key) && are_equal(&x->val, &b->via.map.ptr[k].val);
		if (!same)
			return false;
	}
	return true;
}

static struct take *
add_take(struct obs_server *s, const msgpack_object *request, const msgpack_object *answer, size_t part)
{
	static const size_t step = 256;
	if (s->takes % step == 0) {
		s->take = realloc(s->take, (s->takes + step) * sizeof(*s->take));
		must(s->take, "%m");
	}
	struct take *t = &s->take[s->takes++];
	*t = (struct take){.data = obs_at(request, "requestData"), .answer = answer, .part = part};
	snprintf(t->type, sizeof(t->type), "%s", obs_string(request, "requestType"));
	return t;
}

/* The answer to a request of the tape, which came later: NULL if it never did. */
static const msgpack_object *
find_answer(struct obs_server *s, size_t from, int op, const char *id)
{
	for (size_t i = from; i < s->tape.entries && s->part[i].what != 'C'; i++)
		if (s->part[i].what == '<' && s->part[i].op == op && obs_is(&s->part[i].un.data, "d/requestId", id))
			return obs_at(&s->part[i].un.data, "d");
	return NULL;
}

static void
add_takes(struct obs_server *s, size_t i)
{
	const msgpack_object *d = obs_at(&s->part[i].un.data, "d");
	const msgpack_object *answer = find_answer(s, i, s->part[i].op + 1, obs_string(d, "requestId"));
	if (!answer)
		return;
	if (s->part[i].op == 6) {
		add_take(s, d, answer, i);
		return;
	}
	const msgpack_object *requests = obs_at(d, "requests"), *results = obs_at(answer, "results");
	if (requests->type != MSGPACK_OBJECT_ARRAY || results->type != MSGPACK_OBJECT_ARRAY)
		return;
	for (uint32_t k = 0; k < requests->via.array.size && k < results->via.array.size; k++)
		add_take(s, &requests->via.array.ptr[k], &results->via.array.ptr[k], i);
}

static void
load_tape(struct obs_server *s, const char *path)
{
	size_t asked = 0;
	int r = obs_tape_load(&s->tape, path);
	must(r == 0, "%s: %s", path, strerror(-r));
	s->part = calloc(s->tape.entries + 1, sizeof(*s->part));
	must(s->part, "%m");
	for (size_t i = 0; i < s->tape.entries; i++) {
		const struct obs_tape_entry *e = &s->tape.entry[i];
		struct part *p = &s->part[i];
		p->what = e->what;
		msgpack_unpacked_init(&p->un);
		if (e->what != '<' && e->what != '>')
			continue;
		must(msgpack_unpack_next(&p->un, (const char *)e->bytes, e->len, NULL) == MSGPACK_UNPACK_SUCCESS, "%s: no msgpack", path);
		p->op = (int)obs_number(&p->un.data, "op");
		if (e->what == '>')
			asked = i;
		p->after = asked;
	}
	for (size_t i = 0; i < s->tape.entries; i++)
		if (s->part[i].what == '>' && (s->part[i].op == 6 || s->part[i].op == 8))
			add_takes(s, i);
}

static void
unload_tape(struct obs_server *s)
{
	for (size_t i = 0; i < s->tape.entries; i++)
		msgpack_unpacked_destroy(&s->part[i].un);
	obs_tape_unload(&s->tape);
	free(s->part);
	free(s->take);
}

typedef bool like_fn(const msgpack_object *a, const msgpack_object *b);

/* The first that was not used yet, else the last that is like it. */
static struct take *
search(struct obs_server *s, const char *type, const msgpack_object *data, like_fn *like)
{
	struct take *found = NULL;
	for (size_t i = 0; i < s->takes; i++) {
		struct take *t = &s->take[i];
		if (strcmp(t->type, type) != 0 || !like(t->data, data))
			continue;
		found = t;
		if (!t->used)
			break;
	}
	if (found)
		found->used = true;
	return found;
}

static void
play_event(struct obs_server *s, size_t i)
{
	s->part[i].played = true;
	send_message(s, WS_BINARY, s->tape.entry[i].bytes, s->tape.entry[i].len);
}

/* Events that were recorded behind the client's message `part`. */
static void
play_after(struct obs_server *s, size_t part)
{
	for (size_t i = part; i < s->tape.entries; i++)
		if (s->part[i].what == '<' && s->part[i].op == 5 && s->part[i].after == part && !s->part[i].played)
			play_event(s, i);
}

/* ------------------------------------------------------------------ answering */

static const struct rule *
find_rule(const struct obs_server *s, const char *type)
{
	for (unsigned i = s->rules; i-- > 0;)
		if (!strcmp(s->rule[i].type, type))
			return &s->rule[i];
	return NULL;
}

static void
pack_key(msgpack_packer *pk, const char *key)
{
	msgpack_pack_str_with_body(pk, key, strlen(key));
}

static void
pack_status(msgpack_packer *pk, int code)
{
	pack_key(pk, "requestStatus");
	msgpack_pack_map(pk, code == 100 ? 2 : 3);
	pack_key(pk, "result");
	if (code == 100)
		msgpack_pack_true(pk);
	else
		msgpack_pack_false(pk);
	pack_key(pk, "code");
	msgpack_pack_int(pk, code);
	if (code != 100) {
		pack_key(pk, "comment");
		pack_key(pk, "So the test wants it.");
	}
}

static int
code_without_answer(const struct obs_server *s, const char *type)
{
	for (size_t i = 0; i < s->takes; i++)
		if (!strcmp(s->take[i].type, type))
			return strncmp(type, "Get", 3) == 0 ? 600 : 100;
	return 204;
}

/* The members of an answer behind those that tell what it answers. Returns the message of the tape that it is from, or 0. */
static size_t
pack_answer(struct obs_server *s, msgpack_packer *pk, const msgpack_object *request, unsigned members)
{
	static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};
	const char *type = obs_string(request, "requestType");
	const struct rule *rule = find_rule(s, type);
	struct take *t = NULL;
	if (!rule) {
		t = search(s, type, obs_at(request, "requestData"), are_equal);
		t = t ? t : search(s, type, obs_at(request, "requestData"), names_are_equal);
	}
	const msgpack_object *data = rule ? &rule->data.data : t ? obs_at(t->answer, "responseData") : &nil;
	const bool has_data = data->type != MSGPACK_OBJECT_NIL;
	msgpack_pack_map(pk, members + 2 + has_data);
	pack_key(pk, "requestType");
	pack_key(pk, type);
	if (t) {
		pack_key(pk, "requestStatus");
		msgpack_pack_object(pk, *obs_at(t->answer, "requestStatus"));
	} else {
		pack_status(pk, rule ? rule->code : code_without_answer(s, type));
	}
	if (has_data) {
		pack_key(pk, "responseData");
		msgpack_pack_object(pk, *data);
	}
	return t ? t->part : 0;
}

static void
note(struct obs_server *s, const msgpack_object *request)
{
	const char *type = obs_string(request, "requestType");
	unsigned i = 0;
	while (i < s->types && strcmp(s->seen[i].type, type) != 0)
		i++;
	must(i < TYPES, "too many types of requests");
	if (i == s->types)
		snprintf(s->seen[s->types++].type, NAME, "%s", type);
	s->seen[i].n++;
	s->requests++;
	obs_text_print(s->seen[i].data, sizeof(s->seen[i].data), obs_at(request, "requestData"));
}

static void
answer_batch(struct obs_server *s, msgpack_packer *pk, const msgpack_object *d)
{
	const msgpack_object *requests = obs_at(d, "requests");
	const uint32_t n = requests->type == MSGPACK_OBJECT_ARRAY ? requests->via.array.size : 0;
	msgpack_pack_map(pk, 2);
	pack_key(pk, "requestId");
	msgpack_pack_object(pk, *obs_at(d, "requestId"));
	pack_key(pk, "results");
	msgpack_pack_array(pk, n);
	for (uint32_t i = 0; i < n; i++) {
		const msgpack_object *request = &requests->via.array.ptr[i];
		const bool has_id = obs_has(request, "requestId");
		note(s, request);
		pack_answer(s, pk, request, has_id);
		if (has_id) {
			pack_key(pk, "requestId");
			msgpack_pack_object(pk, *obs_at(request, "requestId"));
		}
	}
}

static void
answer(struct obs_server *s, int op, const msgpack_object *d)
{
	msgpack_sbuffer buf;
	msgpack_packer pk;
	size_t part = 0;
	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	msgpack_pack_map(&pk, 2);
	pack_key(&pk, "op");
	msgpack_pack_int(&pk, op + 1);
	pack_key(&pk, "d");
	if (op == 8) {
		answer_batch(s, &pk, d);
	} else {
		note(s, d);
		part = pack_answer(s, &pk, d, 1);
		pack_key(&pk, "requestId");
		msgpack_pack_object(&pk, *obs_at(d, "requestId"));
	}
	if (s->manner != OBS_SERVER_MUTE)
		send_message(s, WS_BINARY, buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
	if (part)
		play_after(s, part);
}

/* ------------------------------------------------------------------ identifying */

static void
greet(struct obs_server *s)
{
	char text[512];
	if (s->manner == OBS_SERVER_NO_HELLO)
		return;
	snprintf(text, sizeof(text), "{'op': 0, 'd': {'obsWebSocketVersion': '5.1.0', 'rpcVersion': 1%s%s%s%s%s}}",
		 s->password[0] ? ", 'authentication': {'challenge': '" : "", s->password[0] ? challenge : "", s->password[0] ? "', 'salt': '" : "",
		 s->password[0] ? salt : "", s->password[0] ? "'}" : "");
	send_text(s, s->hello ? s->hello : text);
}

static bool
is_password_right(const struct obs_server *s, const msgpack_object *d)
{
	char right[64];
	obs_text_answer(right, s->password, salt, challenge);
	return !s->password[0] || obs_is(d, "authentication", right);
}

static void
identify(struct obs_server *s, const msgpack_object *d, int op)
{
	if (obs_has(d, "eventSubscriptions"))
		s->subscriptions = (uint32_t)obs_number(d, "eventSubscriptions");
	else if (op == 1)
		s->subscriptions = 2047;
	if (op == 1 && (s->refuse_code || !is_password_right(s, d))) {
		send_close(s, s->refuse_code ? s->refuse_code : 4009, "So the test wants it.");
		return;
	}
	if (s->manner == OBS_SERVER_NO_IDENTIFIED)
		return;
	s->identified = true;
	s->identifies += op == 1;
	send_text(s, "{'op': 2, 'd': {'negotiatedRpcVersion': 1}}");
}

static void
take_binary(struct obs_server *s, const uint8_t *bytes, size_t len)
{
	msgpack_unpacked un;
	msgpack_unpacked_init(&un);
	if (msgpack_unpack_next(&un, (const char *)bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS) {
		const int op = (int)obs_number(&un.data, "op");
		if (op == 1 || op == 3)
			identify(s, obs_at(&un.data, "d"), op);
		else if (!s->identified)
			send_close(s, 4007, "Not identified.");
		else if (op == 6 || op == 8)
			answer(s, op, obs_at(&un.data, "d"));
		else
			send_close(s, 4006, "Unknown op.");
	} else {
		send_close(s, 4002, "No msgpack.");
	}
	msgpack_unpacked_destroy(&un);
}

static bool
is_request(const uint8_t *bytes, size_t len)
{
	msgpack_unpacked un;
	msgpack_unpacked_init(&un);
	bool ok = msgpack_unpack_next(&un, (const char *)bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS && obs_number(&un.data, "op") >= 6;
	msgpack_unpacked_destroy(&un);
	return ok;
}

static void
hold(struct obs_server *s, const uint8_t *bytes, size_t len)
{
	must(s->queued < HELD, "too many requests are held");
	struct held *h = &s->queue[s->queued++];
	h->bytes = malloc(len + 1);
	must(h->bytes, "%m");
	memcpy(h->bytes, bytes, len);
	h->len = len;
}

static void
on_message(void *data, enum ws_opcode opcode, const uint8_t *bytes, size_t len)
{
	struct obs_server *s = data;
	switch (opcode) {
	case WS_BINARY:
		if (s->held && is_request(bytes, len))
			hold(s, bytes, len);
		else
			take_binary(s, bytes, len);
		return;
	case WS_TEXT: send_close(s, 4002, "Text on a session of msgpack."); return;
	case WS_CLOSE:
		s->client_code = len >= 2 ? bytes[0] << 8 | bytes[1] : 1005;
		send_message(s, WS_CLOSE, bytes, len >= 2 ? 2 : 0);
		return;
	case WS_PING:
		s->pings++;
		if (!s->no_pongs)
			send_message(s, WS_PONG, bytes, len);
		return;
	case WS_PONG:
	case WS_CONTINUATION: return;
	}
}

/* ------------------------------------------------------------------ the handshake */

static void
upgrade(struct obs_server *s)
{
	char key[128] = "", accept[32], text[512];
	const char *at = strcasestr(s->request, "Sec-WebSocket-Key:");
	if (at)
		sscanf(at + 18, " %127[^\r\n]", key);
	ws_accept(accept, s->manner == OBS_SERVER_WRONG_KEY ? "wrong" : key);
	snprintf(text, sizeof(text), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		 accept, s->manner == OBS_SERVER_NO_SUBPROTOCOL ? "" : "Sec-WebSocket-Protocol: obswebsocket.msgpack\r\n");
	send_all(s, text, s->manner == OBS_SERVER_HALF_UPGRADE ? strlen(text) / 2 : strlen(text));
	if (s->manner != OBS_SERVER_HALF_UPGRADE && s->manner != OBS_SERVER_WRONG_KEY)
		greet(s);
}

static void
meet(struct obs_server *s)
{
	static const char nothing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n";
	static const char rubbish[] = "SSH-2.0-OpenSSH_9.2p1\r\n\0\1\2\3\377\377\377";
	s->greeted = true;
	switch (s->manner) {
	case OBS_SERVER_SILENT: return;
	case OBS_SERVER_NOT_FOUND: send_all(s, nothing, sizeof(nothing) - 1); return;
	case OBS_SERVER_RUBBISH: send_all(s, rubbish, sizeof(rubbish)); return;
	case OBS_SERVER_DROP: drop_connection(s, true); return;
	case OBS_SERVER_PROPER:
	case OBS_SERVER_WRONG_KEY:
	case OBS_SERVER_NO_SUBPROTOCOL:
	case OBS_SERVER_HALF_UPGRADE:
	case OBS_SERVER_NO_HELLO:
	case OBS_SERVER_NO_IDENTIFIED:
	case OBS_SERVER_MUTE: upgrade(s); return;
	}
}

static void
take_bytes(struct obs_server *s, const uint8_t *bytes, size_t len)
{
	const size_t room = sizeof(s->request) - 1 - s->request_len, n = len < room ? len : room;
	if (!s->greeted) {
		memcpy(s->request + s->request_len, bytes, n);
		s->request_len += n;
		s->request[s->request_len] = 0;
		if (strstr(s->request, "\r\n\r\n"))
			meet(s);
	}
	if (s->fd >= 0)
		ws_reader_put(&s->reader, bytes, len, on_message, s);
}

/* ------------------------------------------------------------------ the thread */

static void
listen_on(struct obs_server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(s->listener >= 0, "%m");
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	must(bind(s->listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(s->listener, 8) == 0, "port %u: %m", s->port);
	must(getsockname(s->listener, (struct sockaddr *)&a, &len) == 0, "%m");
	s->port = ntohs(a.sin_port);
}

static void
take_connection(struct obs_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	drop_connection(s, false);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = PATIENCE_MS / 1000}, sizeof(struct timeval));
	s->fd = fd;
	s->connections++;
	s->client_code = 0;
}

static void
read_connection(struct obs_server *s)
{
	uint8_t bytes[16384];
	ssize_t n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0)
		take_bytes(s, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		drop_connection(s, false);
}

static void
drain_wake(struct obs_server *s)
{
	char bytes[64];
	while (read(s->wake[0], bytes, sizeof(bytes)) > 0)
		;
}

static void *
serve(void *data)
{
	struct obs_server *s = data;
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct pollfd fds[3] = {{.fd = s->wake[0], .events = POLLIN}, {.fd = s->listener, .events = POLLIN},
					{.fd = s->deaf ? -1 : s->fd, .events = POLLIN}};
		pthread_mutex_unlock(&s->lock);
		poll(fds, 3, -1);
		pthread_mutex_lock(&s->lock);
		if (fds[0].revents)
			drain_wake(s);
		/* What was closed meanwhile, or is another one now, is not ready. */
		if (fds[2].revents && fds[2].fd == s->fd && !s->deaf)
			read_connection(s);
		if (fds[1].revents && fds[1].fd == s->listener)
			take_connection(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct obs_server *
obs_server_start(uint16_t port, const char *password, const char *tape)
{
	struct obs_server *s = calloc(1, sizeof(*s));
	must(s, "%m");
	pthread_mutex_init(&s->lock, NULL);
	s->fd = -1;
	s->port = port;
	snprintf(s->password, sizeof(s->password), "%s", password ? password : "");
	if (tape)
		load_tape(s, tape);
	listen_on(s);
	must(pipe2(s->wake, O_CLOEXEC | O_NONBLOCK) == 0, "%m");
	must(pthread_create(&s->thread, NULL, serve, s) == 0, "no thread");
	return s;
}

static void
begin(struct obs_server *s)
{
	pthread_mutex_lock(&s->lock);
}

/* The thread looks anew at what it waits for. */
static void
end(struct obs_server *s)
{
	ssize_t n = write(s->wake[1], "", 1);
	(void)n; /* full: it will look */
	pthread_mutex_unlock(&s->lock);
}

void
obs_server_stop(struct obs_server *s)
{
	if (!s)
		return;
	begin(s);
	s->stopping = true;
	end(s);
	pthread_join(s->thread, NULL);
	drop_connection(s, false);
	bh_close(&s->listener);
	close(s->wake[0]);
	close(s->wake[1]);
	unload_tape(s);
	for (unsigned i = 0; i < s->rules; i++) {
		msgpack_unpacked_destroy(&s->rule[i].data);
		free(s->rule[i].bytes);
	}
	free(s->hello);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint16_t
obs_server_port(const struct obs_server *s)
{
	return s->port;
}

/* ------------------------------------------------------------------ orders */

#define ORDER(s, ...)                                                                              \
	do {                                                                                       \
		begin(s);                                                                          \
		__VA_ARGS__;                                                                       \
		end(s);                                                                            \
	} while (0)

void
obs_server_set_manner(struct obs_server *s, enum obs_server_manner manner)
{
	ORDER(s, s->manner = manner);
}

void
obs_server_set_hello(struct obs_server *s, const char *message)
{
	ORDER(s, free(s->hello), s->hello = message ? strdup(message) : NULL);
}

void
obs_server_refuse_identify(struct obs_server *s, int code)
{
	ORDER(s, s->refuse_code = code);
}

void
obs_server_set_listening(struct obs_server *s, bool on)
{
	begin(s);
	if (!on)
		bh_close(&s->listener);
	else if (s->listener < 0)
		listen_on(s);
	end(s);
}

void
obs_server_hold_answers(struct obs_server *s, bool on)
{
	begin(s);
	s->held = on;
	for (unsigned i = 0; !on && i < s->queued; i++) {
		take_binary(s, (const uint8_t *)s->queue[i].bytes, s->queue[i].len);
		free(s->queue[i].bytes);
	}
	if (!on)
		s->queued = 0;
	end(s);
}

void
obs_server_set_deaf(struct obs_server *s, bool on)
{
	ORDER(s, s->deaf = on);
}

void
obs_server_ignore_pings(struct obs_server *s, bool on)
{
	ORDER(s, s->no_pongs = on);
}

void
obs_server_answer(struct obs_server *s, const char *type, int code, const char *data)
{
	msgpack_sbuffer buf;
	obs_text_buffer(&buf, data ? data : "null");
	begin(s);
	must(s->rules < RULES, "too many rules");
	struct rule *r = &s->rule[s->rules++];
	snprintf(r->type, sizeof(r->type), "%s", type);
	r->code = code;
	r->bytes = buf.data;
	msgpack_unpacked_init(&r->data);
	must(msgpack_unpack_next(&r->data, buf.data, buf.size, NULL) == MSGPACK_UNPACK_SUCCESS, "%s", data);
	end(s);
}

void
obs_server_say(struct obs_server *s, const char *message, ...)
{
	bh_autofree char *text = NULL;
	va_list ap;
	va_start(ap, message);
	must(vasprintf(&text, message, ap) > 0, "%m");
	va_end(ap);
	ORDER(s, send_text(s, text));
}

void
obs_server_event(struct obs_server *s, const char *type, const char *data, ...)
{
	bh_autofree char *text = NULL;
	va_list ap;
	va_start(ap, data);
	must(vasprintf(&text, data, ap) > 0, "%m");
	va_end(ap);
	obs_server_say(s, "{'op': 5, 'd': {'eventType': '%s', 'eventIntent': 1, 'eventData': %s}}", type, text);
}

void
obs_server_frame(struct obs_server *s, const struct ws_frame *head, unsigned coding, const void *bytes, size_t len)
{
	ORDER(s, send_frame(s, head, coding, bytes, len));
}

void
obs_server_bytes(struct obs_server *s, const void *bytes, size_t len)
{
	ORDER(s, send_all(s, bytes, len));
}

void
obs_server_drip(struct obs_server *s, const void *bytes, size_t len, unsigned pause_us)
{
	for (size_t i = 0; i < len; i++) {
		obs_server_bytes(s, (const char *)bytes + i, 1);
		usleep(pause_us);
	}
}

void
obs_server_close(struct obs_server *s, int code, const char *reason)
{
	ORDER(s, send_close(s, code, reason));
}

void
obs_server_drop(struct obs_server *s)
{
	ORDER(s, drop_connection(s, true));
}

void
obs_server_play(struct obs_server *s)
{
	begin(s);
	for (size_t i = 0; i < s->tape.entries; i++)
		if (s->part[i].what == '<' && s->part[i].op == 5 && !s->part[i].played)
			play_event(s, i);
	end(s);
}

/* ------------------------------------------------------------------ what came */

#define ASK(s, what)                                                                               \
	({                                                                                         \
		pthread_mutex_lock(&(s)->lock);                                                    \
		__auto_type x_ = (what);                                                           \
		pthread_mutex_unlock(&(s)->lock);                                                  \
		x_;                                                                                \
	})

unsigned
obs_server_connections(struct obs_server *s)
{
	return ASK(s, s->connections);
}

unsigned
obs_server_held(struct obs_server *s)
{
	return ASK(s, s->queued);
}

unsigned
obs_server_identified(struct obs_server *s)
{
	return ASK(s, s->identifies);
}

bool
obs_server_is_connected(struct obs_server *s)
{
	return ASK(s, s->fd >= 0);
}

unsigned
obs_server_pings(struct obs_server *s)
{
	return ASK(s, s->pings);
}

uint32_t
obs_server_subscriptions(struct obs_server *s)
{
	return ASK(s, s->subscriptions);
}

int
obs_server_client_code(struct obs_server *s)
{
	return ASK(s, s->client_code);
}

unsigned
obs_server_requests(struct obs_server *s, const char *type)
{
	unsigned n = 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->types; i++)
		if (!strcmp(s->seen[i].type, type))
			n = s->seen[i].n;
	if (!*type)
		n = s->requests;
	pthread_mutex_unlock(&s->lock);
	return n;
}

const char *
obs_server_last(struct obs_server *s, const char *type)
{
	static char text[sizeof(s->seen[0].data)];
	text[0] = 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->types; i++)
		if (!strcmp(s->seen[i].type, type))
			memcpy(text, s->seen[i].data, sizeof(text));
	pthread_mutex_unlock(&s->lock);
	return text;
}

const char *
obs_server_unasked(struct obs_server *s)
{
	static char text[16384];
	size_t len = 0;
	char data[256];
	text[0] = 0;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->takes && len < sizeof(text); i++)
		if (!s->take[i].used)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s\n", s->take[i].type,
						obs_text_print(data, sizeof(data), s->take[i].data));
	pthread_mutex_unlock(&s->lock);
	return text;
}
