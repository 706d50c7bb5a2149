/*
 * publish - one message of the device becomes one event for the router: never none, never two
 *
 * Whoever is killed between the message and its event leaves a mark (input.h). A successor that comes to the marked message
 * asks outbox and cell whether the event had gone out. A press that is refused because the ring is full is one that was
 * decided: it may be refused, it is not doubled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/surface/input.h"
#include "shm/outbox.h"

/*
 * Publish the message in hand as `ev` (its gen is filled in). `*recovering`: a predecessor may have published this one; cleared
 * once the marked one has come by. Returns as bh_outbox_put(), or 2: it was out already.
 */
int publish_event(struct input *in, bool *recovering, struct bh_outbox *out, struct bh_event *ev, uint16_t cell_flags);
