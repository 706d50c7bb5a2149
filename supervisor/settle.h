/*
 * settle.h - something changes several times in a row: when is it time to look at it?
 *
 * An editor's save is three to five changes within a few milliseconds. They count as one once nothing more has come for `delay`, and
 * at the latest after ten times that: who writes without a pause is looked at, too. Pure: time comes in as an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct settle {
	uint64_t due_ns; /* 0 = nothing has changed */
	uint64_t latest_ns;
};

static inline void
settle_touch(struct settle *s, uint64_t now_ns, uint64_t delay_ns)
{
	if (!s->due_ns)
		s->latest_ns = now_ns + 10 * delay_ns;
	s->due_ns = now_ns + delay_ns < s->latest_ns ? now_ns + delay_ns : s->latest_ns;
	if (!s->due_ns)
		s->due_ns = 1;
}

/* True once when it is time. */
static inline bool
settle_is_due(struct settle *s, uint64_t now_ns)
{
	if (!s->due_ns || now_ns < s->due_ns)
		return false;
	s->due_ns = 0;
	return true;
}
