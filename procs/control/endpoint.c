/* endpoint.c - see endpoint.h */
#include "procs/control/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define REQUESTS_HWM 256 /* answers that a client may leave unread; further ones are dropped */
#define EVENTS_HWM 1024
#define MESSAGE_MAX 65536 /* larger ones end the connection before they take memory */

static void *
open_socket(struct endpoint *ep, int type, const char *path, int hwm)
{
	char where[128];
	int linger = 0, handshake_ms = 2000;
	int64_t max = MESSAGE_MAX;
	void *s = zmq_socket(ep->ctx, type);
	if (!s)
		return NULL;
	zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &max, sizeof(max));
	zmq_setsockopt(s, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof(handshake_ms));
	snprintf(where, sizeof(where), "ipc://%s", path);
	if (zmq_bind(s, where) == 0)
		return s;
	int e = errno;
	zmq_close(s);
	errno = e;
	return NULL;
}

int
endpoint_open(struct endpoint *ep, const char *dir)
{
	*ep = (struct endpoint){0};
	if ((size_t)snprintf(ep->requests_path, sizeof(ep->requests_path), "%s/control.sock", dir) >= sizeof(ep->requests_path) ||
	    (size_t)snprintf(ep->events_path, sizeof(ep->events_path), "%s/events.sock", dir) >= sizeof(ep->events_path))
		return -ENAMETOOLONG;
	ep->ctx = zmq_ctx_new();
	if (!ep->ctx)
		return -errno;
	zmq_ctx_set(ep->ctx, ZMQ_IO_THREADS, 1);
	zmq_ctx_set(ep->ctx, ZMQ_MAX_SOCKETS, 8);
	ep->requests = open_socket(ep, ZMQ_ROUTER, ep->requests_path, REQUESTS_HWM);
	if (ep->requests)
		ep->events = open_socket(ep, ZMQ_XPUB, ep->events_path, EVENTS_HWM);
	return ep->requests && ep->events ? 0 : -errno;
}

void
endpoint_close(struct endpoint *ep)
{
	if (ep->requests)
		zmq_close(ep->requests);
	if (ep->events)
		zmq_close(ep->events);
	if (ep->ctx)
		zmq_ctx_term(ep->ctx);
	*ep = (struct endpoint){0};
}

static int
socket_fd(void *socket)
{
	int fd = -1;
	size_t len = sizeof(fd);
	return zmq_getsockopt(socket, ZMQ_FD, &fd, &len) == 0 ? fd : -errno;
}

int
endpoint_requests_fd(const struct endpoint *ep)
{
	return socket_fd(ep->requests);
}

int
endpoint_events_fd(const struct endpoint *ep)
{
	return socket_fd(ep->events);
}

static bool
has_more(void *socket)
{
	int more = 0;
	size_t len = sizeof(more);
	return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len) == 0 && more;
}

/* One frame: its length (which may be larger than cap) or -errno. */
static int
receive_frame(void *socket, void *buf, size_t cap)
{
	int n;
	do
		n = zmq_recv(socket, buf, cap, ZMQ_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int
endpoint_receive(struct endpoint *ep, struct endpoint_client *client, uint8_t *buf, size_t cap, size_t *len)
{
	int n = receive_frame(ep->requests, client->identity, sizeof(client->identity));
	if (n < 0)
		return 0;
	client->len = (uint8_t)n;
	client->delimiter = false;
	*len = 0;
	if (!has_more(ep->requests))
		return -EPROTO;
	n = receive_frame(ep->requests, buf, cap);
	if (n == 0 && has_more(ep->requests)) {
		client->delimiter = true;
		n = receive_frame(ep->requests, buf, cap);
	}
	*len = n > 0 ? (size_t)n : 0;
	bool extra = false;
	while (has_more(ep->requests)) {
		uint8_t rest[16];
		if (receive_frame(ep->requests, rest, sizeof(rest)) < 0)
			break;
		extra = true;
	}
	return extra || n < 0 ? -EPROTO : 1;
}

int
endpoint_answer(struct endpoint *ep, const struct endpoint_client *client, const void *data, size_t len)
{
	if (zmq_send(ep->requests, client->identity, client->len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return -errno;
	if (client->delimiter && zmq_send(ep->requests, "", 0, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return -errno;
	return zmq_send(ep->requests, data, len, ZMQ_DONTWAIT) < 0 ? -errno : 0;
}

void
endpoint_publish(struct endpoint *ep, const char *topic, const void *data, size_t len)
{
	if (zmq_send(ep->events, topic, strlen(topic), ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0)
		zmq_send(ep->events, data, len, ZMQ_DONTWAIT);
}

int
endpoint_subscription(struct endpoint *ep, bool *on, char *topic, size_t cap)
{
	uint8_t buf[256];
	for (;;) {
		int n = receive_frame(ep->events, buf, sizeof(buf));
		if (n < 0)
			return 0;
		/* Other messages from a subscriber are allowed by XPUB and mean nothing here. */
		if (n < 1 || n > (int)sizeof(buf) || buf[0] > 1)
			continue;
		size_t len = (size_t)n - 1 < cap - 1 ? (size_t)n - 1 : cap - 1;
		*on = buf[0];
		memcpy(topic, buf + 1, len);
		topic[len] = '\0';
		return 1;
	}
}
