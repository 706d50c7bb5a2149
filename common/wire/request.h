/*
 * request.h - the verbs of the control protocol and the check of a request
 *
 * One row a verb says which arguments it takes; check, documentation and error texts come from it. Pure: bytes in, a
 * struct or an error out. This is what gets fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/msg.h"

enum bh_wire_verb {
	BH_VERB_VERSION, BH_VERB_STATUS, BH_VERB_PAGES, BH_VERB_PARAMS, BH_VERB_GET, BH_VERB_NAMES, /* bh-control answers itself */
	BH_VERB_SET, BH_VERB_DO, BH_VERB_PRESS, BH_VERB_MOVE, BH_VERB_TURN, BH_VERB_PAGE,	      /* the router */
	BH_VERB_START, BH_VERB_STOP, BH_VERB_RESTART, BH_VERB_HOLD, BH_VERB_RELEASE, BH_VERB_KILL, BH_VERB_RELOAD,
	BH_VERB_QUIT, BH_VERB_PROFILE, /* the supervisor */
	BH_VERB_EMIT, BH_VERB_SYNC, BH_VERB_CALIBRATE, /* a surface or driver, through the supervisor */
	BH_VERB_COUNT
};

/* Kinds of value an argument may have. */
#define BH_WIRE_STR 1u
#define BH_WIRE_INT 2u
#define BH_WIRE_FLOAT 4u
#define BH_WIRE_BOOL 8u
#define BH_WIRE_LIST 16u /* of texts */
#define BH_WIRE_BIN 32u

struct bh_wire_verb_row {
	const char *name;
	const char *to; /* "control", "router", "supervisor", "process": who carries it out */
	const char *arg; /* first argument's key, NULL = none */
	bool required;
	unsigned types; /* of the second argument */
	const char *arg2;
	bool required2;
	const char *help;
};

extern const struct bh_wire_verb_row bh_wire_verbs[BH_VERB_COUNT];

#define BH_WIRE_NAME_MAX 256u
#define BH_WIRE_ARGS_MAX 256u

struct bh_wire_error {
	const char *code; /* one of the words of the protocol; NULL = no error */
	char text[320];
	char hint[160];
};

struct bh_wire_request {
	uint64_t id; /* 0 when the request was too broken to tell */
	enum bh_wire_verb verb;
	char name[BH_WIRE_NAME_MAX]; /* the first argument, "" if none */
	unsigned value_type;	     /* BH_WIRE_STR ... of the second, 0 = none */
	char str[BH_WIRE_NAME_MAX];
	int64_t i; /* INT, BOOL, and a FLOAT that is whole */
	double f;  /* INT, FLOAT */
	char args[BH_WIRE_ARGS_MAX]; /* LIST: each NUL-terminated; BIN: the bytes */
	uint32_t args_len;
};

/* Check and take apart. 0, or -EINVAL with `err` filled (and req->id, if it could be read). */
int bh_wire_request_parse(struct bh_wire_request *req, const uint8_t *data, size_t len, struct bh_wire_error *err);
/* Fill an error; printf-style text; hint may be NULL. Returns -EINVAL, for a tail call. */
int bh_wire_fail(struct bh_wire_error *err, const char *code, const char *hint, const char *text, ...)
	__attribute__((format(printf, 4, 5)));
/* Add the error to an answer as its "error". */
void bh_wire_put_error(struct bh_wire_out *o, const struct bh_wire_error *err);
/* Begin an answer: an open map with v, id and ok. Close it by bh_wire_close(). */
void bh_wire_begin_answer(struct bh_wire_out *o, uint64_t id, bool ok);
