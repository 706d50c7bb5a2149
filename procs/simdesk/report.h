/*
 * report - the desk as JSON, one line each
 *
 * Fails: never but by the stream's errors, which the caller sees with ferror().
 */
#pragma once

#include <stdio.h>

#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"

/* All that it shows and has counted. */
void report_state(FILE *to, const struct desk *d, const struct cable *c);
/* The host's fader values of late: [seconds, fader 1-9, target, cap, touched, stale]. */
void report_targets(FILE *to, const struct desk *d);
/* What hands did in the end: positions told, ticks sent, presses sent. */
void report_end_state(FILE *to, const struct desk *d);
