/*
 * learn.h - what a control that a hand has moved is bound to, and a line of configuration for it
 *
 * Pure but for the view.
 */
#pragma once

#include "common/wire/view.h"

/* Does this event of a surface come from a hand that means something by it? Letting go does not. */
bool learn_is_hand(const struct bh_event *ev);

/*
 * Members: control, kind, happened, page (map: number, name), binding (map, missing when nothing is bound there: kind, target,
 * text, label, global, file, line, column), line (to be pasted), example (bool: its parameter is there and fits). False: the
 * configuration has no such control.
 */
bool learn_describe(const struct bh_view *v, uint16_t slot, const struct bh_event *ev, struct bh_wire_out *o);

/* The line for a control. `param` may be NULL (none fits). Pure. */
void learn_line(char *out, size_t cap, const char *control, enum bh_control_kind kind, const char *param,
		const struct bh_dir_record *rec);
