/* calibrate_file - a surface's calibration in the state folder: read at start, written whole or not at all */
#pragma once

#include "procs/surface/calibrate.h"

/* 0; -ENOENT = never calibrated; -EINVAL = damaged; else why it cannot be read. `c` is cleared unless it is 0. */
int calibration_load(struct calibration *c, const char *surface);
/* 0 or -errno: the old one is still there. */
int calibration_save(const struct calibration *c, const char *surface);
/* 0 or -errno; none is fine. */
int calibration_remove(const char *surface);
