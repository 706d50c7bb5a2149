/*
 * obs_text.h - messages of obs-websocket as short texts, for tests
 *
 * The text is JSON in which a string may also stand in single quotes, so that it reads well in C:
 * "{'inputName': 'Mic', 'inputVolumeDb': -9}". A number with neither point nor exponent is an integer.
 */
#pragma once

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>

/* Append the text's value. 0, or -EINVAL; what was appended by then stays. */
int obs_text_pack(msgpack_packer *pk, const char *text);
/* The same into a buffer that is made here, and destroyed by the caller. Aborts with a message if the text is no value. */
void obs_text_buffer(msgpack_sbuffer *buf, const char *text);
/* `authentication` of Identify: what a client that knows the password answers to a challenge. */
void obs_text_answer(char out[static 64], const char *password, const char *salt, const char *challenge);
/* Write a value as JSON; cut to cap. Returns buf. */
char *obs_text_print(char *buf, size_t cap, const msgpack_object *o);

/*
 * A value within a value, by its path: "results/0/responseData/inputName". Never NULL: what is not there is nil.
 * The others read such a value: NAN, "" (one of 16 buffers of the thread) and false where it is of another type.
 */
const msgpack_object *obs_at(const msgpack_object *o, const char *path);
bool obs_has(const msgpack_object *o, const char *path);
double obs_number(const msgpack_object *o, const char *path);
const char *obs_string(const msgpack_object *o, const char *path);
bool obs_is(const msgpack_object *o, const char *path, const char *text);
bool obs_true(const msgpack_object *o, const char *path);
