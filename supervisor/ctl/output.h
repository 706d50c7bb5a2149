/*
 * output.h - the writers: how an answer is shown
 *
 * Answers and events are msgpack maps as they came (docs/reference/control-protocol.md). The text writer makes tables and
 * sentences of those that it knows; the JSON writer prints any of them as it is.
 */
#pragma once

#include <stdio.h>

#include "common/wire/msg.h"

struct ctl_writer {
	void (*status)(FILE *out, const msgpack_object *answer);
	void (*pages)(FILE *out, const msgpack_object *answer);
	void (*params)(FILE *out, const msgpack_object *answer);
	void (*get)(FILE *out, const msgpack_object *answer);
	void (*names)(FILE *out, const msgpack_object *answer);
	void (*version)(FILE *out, const msgpack_object *answer);
	void (*done)(FILE *out, const msgpack_object *answer); /* of an act */
	void (*words)(FILE *out, const msgpack_object *event); /* monitor */
	void (*learned)(FILE *out, const msgpack_object *what);
	void (*explained)(FILE *out, const msgpack_object *what);
	void (*latency)(FILE *out, const msgpack_object *what);
	void (*trace)(FILE *out, const msgpack_object *event);
	/* To `out` for programs, to stderr for people. */
	void (*error)(FILE *out, const char *code, const char *text, const char *hint);
};

extern const struct ctl_writer ctl_text, ctl_json;

/* One msgpack object as JSON: texts escaped, numbers that JSON has no word for as null. */
void ctl_json_object(FILE *out, const msgpack_object *obj);
void ctl_json_string(FILE *out, const char *s, size_t len);
