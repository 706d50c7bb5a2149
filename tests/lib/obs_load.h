/*
 * obs_load.h - forty inputs of a real OBS, each on a strip of one of five desks, through the whole pipeline
 *
 * Pages: "Meters" with a meter and a fader for each input, "Bare" with faders alone. Needs no check; what must be and is not aborts.
 */
#pragma once

#include "tests/lib/obs_peer.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define OBS_LOAD_INPUTS 40
#define OBS_LOAD_DESKS 5

struct obs_load {
	struct obs_peer *obs;
	struct pipeline pl;
	struct simdesk *desk[OBS_LOAD_DESKS];
};

/* `options` are further ones of the driver, ", key: value", or "". */
void obs_load_start(struct obs_load *l, const char *options);
/* The same with other options, by a reload. */
void obs_load_configure(struct obs_load *l, const char *options);
void obs_load_stop(struct obs_load *l);
void obs_load_page(struct obs_load *l, const char *page);
/* Has the meter of input `n` been told something since the last time that this was asked for it? */
bool obs_load_meter_moves(struct obs_load *l, int n);
/* Nothing comes from OBS any more: of half a second. */
bool obs_load_is_silent(struct obs_load *l);
/* Of bh-obs. */
double obs_load_private_dirty_kb(struct obs_load *l);
/* What it takes in so many seconds. */
struct obs_load_use {
	double share;	/* of a core */
	double wakeups; /* a second: how often it went to sleep by itself */
};
struct obs_load_use obs_load_use(struct obs_load *l, unsigned seconds);
