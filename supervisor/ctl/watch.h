/* watch.h - the loop of monitor and trace: rings that are chosen, told in the order of their stamps */
#pragma once

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/direct.h"

/* Is this ring, this event wanted? `only` = slot that was named, -1 = none. */
typedef bool (*ctl_ring_fn)(const struct bh_view *v, uint16_t from, uint16_t to, int only);
typedef bool (*ctl_event_fn)(const struct bh_event *ev, int only);

/* Show events by `show` until a signal ends it, or, with --once, what is there. The exit code. */
int ctl_watch(struct ctl *ctl, const char *name, long last, ctl_ring_fn ring, ctl_event_fn event,
	      void (*show)(FILE *out, const msgpack_object *event));
/* Role of a slot. */
uint8_t ctl_role(const struct bh_view *v, uint16_t slot);
