/*
 * endpoint.h - the two ZeroMQ sockets of bh-control
 *
 * ROUTER at RUNTIME/control.sock for requests, XPUB at RUNTIME/events.sock for what happens. ZMQ_FD says "look", no more: it is
 * edge-triggered, shared by reading and writing, and a send or receive may swallow its edge; so after each of them, and
 * before each sleep, the caller drains until there is nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_IDENTITY_MAX 255

struct endpoint {
	void *ctx, *requests, *events; /* owned */
	char requests_path[108], events_path[108];
};

/* Who asked, to be handed back with the answer. */
struct endpoint_client {
	uint8_t identity[ENDPOINT_IDENTITY_MAX];
	uint8_t len;
	bool delimiter; /* a REQ socket puts an empty frame between */
};

/* Bind both. `dir` is the runtime folder. 0 or -errno (-ENAMETOOLONG: its path is too long for a socket). */
int endpoint_open(struct endpoint *ep, const char *dir);
/* Zeroed is fine. Removes the socket files. */
void endpoint_close(struct endpoint *ep);
/* Descriptors to watch for reading. */
int endpoint_requests_fd(const struct endpoint *ep);
int endpoint_events_fd(const struct endpoint *ep);

/*
 * The next request: 1 and its bytes (cut at cap; `*len` tells the real length), 0 = none, -EPROTO = frames in a shape that is no
 * request (taken out; `client` can be answered).
 */
int endpoint_receive(struct endpoint *ep, struct endpoint_client *client, uint8_t *buf, size_t cap, size_t *len);
/* 0 or -errno; -EAGAIN when the client does not read: the answer is dropped. */
int endpoint_answer(struct endpoint *ep, const struct endpoint_client *client, const void *data, size_t len);
/* Topic and body; dropped for who is too slow. */
void endpoint_publish(struct endpoint *ep, const char *topic, const void *data, size_t len);
/* The next change of subscriptions: 1, `*on` and the topic (cut at cap - 1), 0 = none. */
int endpoint_subscription(struct endpoint *ep, bool *on, char *topic, size_t cap);
