/*
 * explain.h - why a control shows what it shows
 *
 * Pure but for the view.
 */
#pragma once

#include "common/wire/view.h"

/* What a driver refused of this control last, as far as its ring still has it. */
struct explain_refusal {
	uint64_t stamp_ns; /* 0 = nothing */
	char words[400];   /* "obs/scene was not done: there is no scene Cam 9" */
};

/*
 * Members: control, kind, page (map: number, name), layers (array of those that are on), bindings (array of maps, see bound.h; each with
 * its parameter: value, wanted, reported, ages, who wanted it), shown (text), hand (map, if a hand was seen), why (array of
 * sentences). `now_ns` by CLOCK_BOOTTIME.
 */
void explain_control(const struct bh_view *v, const struct bh_view_control *c, const struct explain_refusal *refusal, uint64_t now_ns,
		     struct bh_wire_out *o);
