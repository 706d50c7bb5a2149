/*
 * meter.h - from the levels that OBS tells to what a meter shows
 *
 * OBS tells InputVolumeMeters 20 times a second: of each channel of each input that is active [magnitude, peak, peak before the fader],
 * linear, the first two after fader and mute (obs-websocket, "InputVolumeMeters"; Obs_VolumeMeter.cpp). A meter shows the peak after the fader of
 * the loudest channel: it rises at once, stays for the hold time, then falls by so many dB a second (OBS's own mixer: 23.53 fast,
 * 11.76 medium, 8.57 slow). At 0 dB and above it is overloaded, which is told as a value above the range. An input that is no longer
 * told has fallen silent: its meter falls by itself.
 *
 * Pure: time is an argument; no two levels closer than OBS_METER_STEP_MS apart are told.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OBS_METER_MIN_DB -60.0
#define OBS_METER_MAX_DB 0.0
#define OBS_METER_OVER_DB 0.1  /* told at least, when it is overloaded */
#define OBS_METER_STEP_MS 50u  /* between two levels of a meter that falls by itself */
#define OBS_METER_SILENT_MS 150u /* not told for so long: OBS has nothing of it */

struct obs_meter {
	double db;	      /* shown at at_ns */
	uint64_t at_ns, held_ns; /* 0 = it is at the bottom; peak that is held until then */
};

struct obs_ballistics {
	double decay_db_s;
	uint32_t hold_ms;
};

/* What it shows at a moment at or after the last, with nothing new. OBS_METER_MIN_DB at the bottom. */
double obs_meter_at(const struct obs_meter *m, const struct obs_ballistics *b, uint64_t now_ns);
/* A new level: what it shows now. */
double obs_meter_level(struct obs_meter *m, const struct obs_ballistics *b, double peak_db, uint64_t now_ns);
/* The loudest channel's peak after the fader, in dB; OBS_METER_MIN_DB for silence, and for what is no number. */
double obs_meter_peak(const double (*levels)[3], unsigned channels);

/* All meters of a driver, by the parameter that shows each. */
struct obs_meters;
typedef void (*obs_meter_fn)(void *data, uint32_t param, double db);

/* Room for meters on parameters below `params`. NULL: no memory. */
struct obs_meters *obs_meters_new(uint32_t params, struct obs_ballistics b, obs_meter_fn tell, void *data);
void obs_meters_free(struct obs_meters *m); /* NULL is fine */
void obs_meters_configure(struct obs_meters *m, struct obs_ballistics b);
void obs_meters_level(struct obs_meters *m, uint32_t param, const double (*levels)[3], unsigned channels, uint64_t now_ns);
/* Whatever falls by itself. The next moment at which something does; 0 = all are at the bottom, or told by OBS. */
uint64_t obs_meters_tick(struct obs_meters *m, uint64_t now_ns);
/* All to the bottom at once: the connection has gone, or nobody looks at this one any more. */
void obs_meters_silence(struct obs_meters *m);
void obs_meters_forget(struct obs_meters *m, uint32_t param);
