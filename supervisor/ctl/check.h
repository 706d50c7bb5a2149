/* check.h - bh-config as a child */
#pragma once

#include "supervisor/ctl/ctl.h"

/* Check FILE; its errors go to stderr. CTL_OK, CTL_BAD_CONFIG, or CTL_FAILED when it could not be tried. */
int ctl_check_config(struct ctl *ctl, const char *file);
/* The same, and what would be different from the configuration that runs: lines (free() them) in *changes. */
int ctl_check_against(struct ctl *ctl, const char *file, char **changes);
/* The text of FILE without its secrets (free() it) in *text. CTL_OK, or CTL_FAILED after saying why. */
int ctl_redact(struct ctl *ctl, const char *file, char **text);
/* Convert a configuration of XTouch-GW; ours goes to `out` (borrowed; -1 = stdout), notes and errors to stderr. As above. */
int ctl_import(struct ctl *ctl, const char *file, int out);
/* The same without a word: 0, else what it ended with or -errno, and its errors in `text`. */
int ctl_try_config(const char *file, char *text, size_t cap);
