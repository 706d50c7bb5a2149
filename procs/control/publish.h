/*
 * publish.h - what happens, told to whoever subscribed
 *
 * Health and configuration changes go out as they come. Values and pages are read off the router's state: while somebody
 * subscribes to them, it is looked through at an interval, and each record that moved is told once with its newest
 * value. So the rate is bounded whatever the pipeline does, and without a subscriber nothing runs at all.
 */
#pragma once

#include <stdbool.h>

#include "common/wire/view.h"
#include "procs/control/endpoint.h"

struct publisher {
	struct endpoint *ep; /* borrowed */
	struct bh_wire_out out;
	unsigned watchers;	/* subscriptions that may match "value/..." or "page" */
	uint64_t *seen;		/* owned: turn of each record as told last; NULL = nobody watches */
	uint32_t seen_count;
	uint64_t number;	/* of events, so that a gap can be seen */
};

void publisher_init(struct publisher *p, struct endpoint *ep);
void publisher_fini(struct publisher *p);
/* Take in changes of subscriptions. Returns whether values or pages are watched now. */
bool publisher_subscriptions(struct publisher *p, const struct bh_view *v);
/* Tell each record of the router's state that moved. Returns how many were told. */
unsigned publisher_look(struct publisher *p, const struct bh_view *v);
void publisher_health(struct publisher *p, const struct bh_view *v, uint16_t slot);
void publisher_config(struct publisher *p, const struct bh_view *v);
