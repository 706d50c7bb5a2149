/* watch.h - the loop of monitor and trace: rings that are chosen, told in the order of their stamps */
#pragma once

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/direct.h"

/* Is this ring, this event wanted? `only` = slot that was named, -1 = none. */
typedef bool (*ctl_ring_fn)(const struct bh_view *v, uint16_t from, uint16_t to, int only);
typedef bool (*ctl_event_fn)(const struct bh_event *ev, int only);

/* One event as it was read. */
struct ctl_seen {
	uint16_t from, to;
	uint8_t rank;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
};
/* True = that was enough. */
typedef bool (*ctl_tell_fn)(void *data, const struct bh_view *v, const struct ctl_seen *e);

struct ctl_follow {
	long last;	      /* begin with so many that are still there */
	uint64_t timeout_ms;  /* 0 = for ever */
	ctl_ring_fn ring;
	ctl_event_fn event;
	void (*ready)(void *data); /* from here on nothing is missed; may be NULL */
	ctl_tell_fn tell;
	void *data;
};

/* Tell events until one was enough, the time is over or a signal ends it. `name` = a process, may be NULL. The exit code. */
int ctl_follow(struct ctl *ctl, const char *name, const struct ctl_follow *f);
/* Show events by `show` until a signal ends it, or, with --once, what is there. The exit code. */
int ctl_watch(struct ctl *ctl, const char *name, long last, ctl_ring_fn ring, ctl_event_fn event,
	      void (*show)(FILE *out, const msgpack_object *event));
/* Role of a slot. */
uint8_t ctl_role(const struct bh_view *v, uint16_t slot);
