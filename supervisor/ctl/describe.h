/*
 * describe.h - an event of a ring as a msgpack map: names instead of ids, and a sentence
 *
 * What an id means depends on who tells whom (layout.h, "Ids and values by direction"). Pure but for the view.
 */
#pragma once

#include "common/wire/view.h"

/*
 * Members: time_s (wall clock), from, to, seq, kind, id, gen, total, and where it can be told name, value, text, flags; `words`
 * is a sentence for people, empty for what only machines care about.
 */
void ctl_describe(const struct bh_view *v, uint16_t from, uint16_t to, const struct bh_event *ev, const uint8_t *payload, size_t len,
		  struct bh_wire_out *o);
