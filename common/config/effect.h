/* effect.h - what a new configuration means for one process: the same words for who says it (bh-config) and who does it (supervisor) */
#pragma once

#include <stdbool.h>

#include "common/config/compiled.h"

/* Must the process be started anew to take `after`? Memory of another size needs fresh segments, too. */
static inline bool
bh_cfg_needs_fresh(const struct bh_cfg_proc *before, const struct bh_cfg_proc *after)
{
	return before->ring_slots != after->ring_slots || (after->role == BH_ROLE_DRIVER && before->params != after->params);
}

static inline bool
bh_cfg_needs_restart(const struct bh_cfg_proc *before, const struct bh_cfg_proc *after)
{
	return before->live_check != after->live_check || bh_cfg_needs_fresh(before, after);
}

/* Does it work by anything in here that changed? Surfaces, router, store and control look at every configuration. */
static inline bool
bh_cfg_is_concerned(const struct bh_cfg_proc *before, const struct bh_cfg_proc *after)
{
	return after->role != BH_ROLE_DRIVER || before->options_check != after->options_check ||
	       before->max_age_ms != after->max_age_ms;
}
