/*
 * profile.h - the profile of a program of ours, as that prints it (--sandbox)
 *
 * What its configuration would name (folders, a port) is the test's own: `folder`, PROFILE_PORT, /dev/pts, localhost.
 */
#pragma once

#include "common/sandbox.h"

#define PROFILE_KINDS 9
#define PROFILE_PORT 1
extern const char *const profile_kinds[PROFILE_KINDS]; /* every program that is confined from its attachment on */

/* NULL, or what is wrong with it. */
const char *profile_read(const char *kind, const char *folder, struct bh_sandbox_plan *plan);
