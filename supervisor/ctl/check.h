/* check.h - bh-config as a child */
#pragma once

#include "supervisor/ctl/ctl.h"

/* Check FILE; its errors go to stderr. CTL_OK, CTL_BAD_CONFIG, or CTL_FAILED when it could not be tried. */
int ctl_check_config(struct ctl *ctl, const char *file);

/* Convert a configuration of XTouch-GW; ours goes to `out` (borrowed; -1 = stdout), notes and errors to stderr. As above. */
int ctl_import(struct ctl *ctl, const char *file, int out);
