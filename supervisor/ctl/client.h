/*
 * client.h - asking bh-control
 *
 * A read that is not answered is asked once more, then read from shared memory by the tool itself. An act is sent once
 * and never again: if no answer comes, whether it was done is not known, and that is what is said.
 */
#pragma once

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/direct.h"

struct ctl_answer {
	uint8_t *data; /* owned */
	struct bh_wire_in in;
	const msgpack_object *root; /* the answer's map, with ok = true */
	bool ok;
};

/* A read: `arg` is the verb's first argument, NULL = none. 0, or the exit code after the error was shown. */
int ctl_read(struct ctl *ctl, enum bh_wire_verb verb, const char *arg, struct ctl_answer *a);
/* Begin a request; the caller adds its arguments. Returns its id. */
uint64_t ctl_begin(struct bh_wire_out *o, enum bh_wire_verb verb);
/* Close, send, wait and show. The exit code. */
int ctl_act(struct ctl *ctl, struct bh_wire_out *o, uint64_t id, enum bh_wire_verb verb);
/* The same, but its answer is given to the caller (to be freed), and shown only if it is an error. */
int ctl_ask(struct ctl *ctl, struct bh_wire_out *o, uint64_t id, enum bh_wire_verb verb, struct ctl_answer *a);
/* Look into the pipeline's memory ourselves: 0, or the exit code after saying why not. To be ended by direct_close(). */
int ctl_look(struct ctl *ctl, struct direct *d);
/* The same, with the rings. */
int ctl_look_at(struct ctl *ctl, struct direct *d, bool outboxes);
/* Does bh-control listen, within `ms` (0: now)? */
bool ctl_wait_control(int ms);
void ctl_answer_fini(struct ctl_answer *a);
