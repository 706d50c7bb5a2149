/*
 * obs_client.h - a bare client of obs-websocket 5, for tests: libwebsockets and msgpack-c, and nothing of ours
 *
 * One connection of its own beside that of the driver under test: the witness of what OBS has, the hand that changes
 * OBS behind the driver's back, and what the driver's speed is compared with. Every call blocks until its answer is
 * here; what arrives meanwhile is kept. TCP_NODELAY is set and TCP_QUICKACK armed again around each read, without which
 * Nagle at OBS costs 40 ms. Needs no check; what must be and is not aborts with a message.
 *
 *	struct obs_client *c = obs_client_open(4455, "secret123", OBS_EVENTS_ALL);
 *	obs_client_call(c, "SetInputVolume", "{'inputName': '%s', 'inputVolumeDb': %g}", "Mic", -9.0);
 *	double db = obs_number(obs_client_call(c, "GetInputVolume", "{'inputName': 'Mic'}"), "inputVolumeDb");
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/obs_text.h"

#define OBS_EVENTS_ALL 2047u
#define OBS_EVENTS_METERS (1u << 16)
#define OBS_EVENTS_ACTIVE (1u << 17)
#define OBS_EVENTS_SHOWN (1u << 18)
#define OBS_EVENTS_TRANSFORM (1u << 19)

struct obs_client;

/* Connect and identify; tries again while nothing is there or OBS does not answer GetVersion yet (must come). NULL: no password. */
struct obs_client *obs_client_open(uint16_t port, const char *password, uint32_t events);
/* Once: NULL, and the close code: 4009 and so on, 1006 without one, 0 if there was no connection. `code` may be NULL. */
struct obs_client *obs_client_try(uint16_t port, const char *password, uint32_t events, int *code);
void obs_client_close(struct obs_client *c); /* NULL is fine */
/* Looks at what has arrived first. */
bool obs_client_is_open(struct obs_client *c);
/* Of a connection that is over: as obs_client_try(). */
int obs_client_close_code(const struct obs_client *c);
/* Wait until it is over (must come). */
void obs_client_wait_close(struct obs_client *c);

/*
 * A request; its data is a text as in obs_text.h, made by printf, or NULL. _call(): must succeed; returns responseData, which
 * is valid until the next request. _ask(): returns the code of the answer, 100 if all is well, or -ENOTCONN; the data is
 * obs_client_answer(), and obs_client_comment() what OBS says of it.
 */
const msgpack_object *obs_client_call(struct obs_client *c, const char *type, const char *data, ...) __attribute__((format(printf, 3, 4)));
int obs_client_ask(struct obs_client *c, const char *type, const char *data, ...) __attribute__((format(printf, 3, 4)));
const msgpack_object *obs_client_answer(struct obs_client *c);
const char *obs_client_comment(struct obs_client *c);
/* Only send, and get the request's number; then wait for the code of its answer, which is kept for the last 4096 requests. */
uint32_t obs_client_send(struct obs_client *c, const char *type, const char *data, ...) __attribute__((format(printf, 3, 4)));
int obs_client_wait(struct obs_client *c, uint32_t number);
/* Answers that have come so far. */
uint32_t obs_client_answered(const struct obs_client *c);
/* RequestBatch of [{'requestType': .., 'requestData': {..}}, ..]; returns the results. */
const msgpack_object *obs_client_batch(struct obs_client *c, const char *requests, ...) __attribute__((format(printf, 2, 3)));
/* Any message: {'op': 3, 'd': {..}}, or bytes as they are. */
void obs_client_say(struct obs_client *c, const char *message, ...) __attribute__((format(printf, 2, 3)));
void obs_client_say_bytes(struct obs_client *c, const void *bytes, size_t len);

/* Take in what arrives within the next `ms`, 0 = only what is there. */
void obs_client_pump(struct obs_client *c, unsigned ms);
/*
 * The data of the next event of this type that was not taken yet and in which `field` is `text` (NULL: any); waits for it (must
 * come). Valid until the next call of this kind. Up to 4096 are kept, the oldest go first.
 */
const msgpack_object *obs_client_event(struct obs_client *c, const char *type, const char *field, const char *text);
/* As before, but does not wait longer than ms: NULL. */
const msgpack_object *obs_client_event_within(struct obs_client *c, unsigned ms, const char *type, const char *field, const char *text);
/* The oldest that has arrived and was not taken, of any type; does not wait: NULL. */
const msgpack_object *obs_client_next_event(struct obs_client *c, char *type, size_t cap);
/* Events of a type ("" = all) since the last obs_client_forget(), taken or not. */
unsigned obs_client_count(const struct obs_client *c, const char *type);
void obs_client_forget(struct obs_client *c);

/* Poll an expression about the client's OBS until it holds or ms have passed, but see patience.h. */
#define obs_client_until(c, ms, cond)                                                              \
	({                                                                                         \
		uint64_t until_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                   \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < until_)                                   \
			obs_client_pump(c, 5);                                                     \
		ok_;                                                                               \
	})
