/* options.h - the configuration of bh-obs: struct obs_config (model.h) as its table fills it */
#pragma once

#include <stddef.h>

#include "procs/obs/model.h"

extern const struct bh_cfg_field obs_fields[];

/* What a table cannot say: names that are there once, and that mean something. 0, or -EINVAL and `why`. Pure. */
int obs_options_check(const struct obs_config *cfg, char *why, size_t cap);
