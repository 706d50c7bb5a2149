/*
 * mixer.h - a small mixer that exists only in memory
 *
 * Channels with fader (dB), mute, solo, pan and a meter; a main fader; scenes that remember levels and mutes; a transport. Pure:
 * no clock, no I/O. It is the backend of the demo and of most tests.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MIXER_CHANNELS 64
#define MIXER_SCENES 4
#define MIXER_MIN_DB (-90.0)
#define MIXER_MAX_DB 10.0

struct mixer_channel {
	double level_db, pan, meter_db;
	bool mute, solo;
};

struct mixer_scene {
	bool stored;
	double level_db[MIXER_CHANNELS];
	bool mute[MIXER_CHANNELS];
};

struct mixer {
	unsigned channels;
	struct mixer_channel ch[MIXER_CHANNELS];
	double main_db, main_meter_db;
	struct mixer_scene scene[MIXER_SCENES];
	unsigned current;
	bool playing, recording;
	uint64_t position_ms;
	uint32_t noise; /* state of the signal's generator */
};

extern const char *const mixer_scene_names[MIXER_SCENES + 1];

void mixer_init(struct mixer *m, unsigned channels);
/* Remember levels and mutes under scene k; call scene k up (its levels, if it was ever stored). */
void mixer_store(struct mixer *m, unsigned k);
void mixer_recall(struct mixer *m, unsigned k);
/* Is channel k heard? Mute, and another channel's solo, silence it. */
bool mixer_is_audible(const struct mixer *m, unsigned k);
/* `ms` pass: the transport runs, meters move (peaks of a made-up signal behind each fader, falling 20 dB a second). */
void mixer_advance(struct mixer *m, unsigned ms);
