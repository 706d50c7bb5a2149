/*
 * resolve.h - from the names of a request to the slots and numbers that router and supervisor understand
 *
 * Pure but for reading shared memory through the view.
 */
#pragma once

#include "common/request.h"
#include "common/wire/view.h"

struct control_act {
	uint16_t to;		/* slot of who carries it out */
	enum bh_request code;
	struct bh_request_args args;
};

/* 0, or -errno with `err` filled: the name is unknown, the value wrong, the control of another kind. */
int control_resolve(const struct bh_view *v, const struct bh_wire_request *req, struct control_act *act, struct bh_wire_error *err);

/* The word of the protocol for what router or supervisor answered. */
const char *control_code_of(enum bh_wire_verb verb, int64_t result);
