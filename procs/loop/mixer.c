/* mixer.c - see mixer.h */
#include "procs/loop/mixer.h"

#include <math.h>
#include <string.h>

#define FALL_DB_PER_S 20.0

const char *const mixer_scene_names[MIXER_SCENES + 1] = {"Opening", "Interview", "Music", "Closing", NULL};

void
mixer_init(struct mixer *m, unsigned channels)
{
	memset(m, 0, sizeof(*m));
	m->channels = channels < MIXER_CHANNELS ? channels : MIXER_CHANNELS;
	m->main_db = 0;
	m->main_meter_db = MIXER_MIN_DB;
	m->noise = 1;
	for (unsigned k = 0; k < m->channels; k++) {
		m->ch[k].level_db = MIXER_MIN_DB;
		m->ch[k].meter_db = MIXER_MIN_DB;
	}
}

void
mixer_store(struct mixer *m, unsigned k)
{
	struct mixer_scene *s = &m->scene[k % MIXER_SCENES];
	s->stored = true;
	for (unsigned i = 0; i < m->channels; i++) {
		s->level_db[i] = m->ch[i].level_db;
		s->mute[i] = m->ch[i].mute;
	}
}

void
mixer_recall(struct mixer *m, unsigned k)
{
	m->current = k % MIXER_SCENES;
	const struct mixer_scene *s = &m->scene[m->current];
	for (unsigned i = 0; s->stored && i < m->channels; i++) {
		m->ch[i].level_db = s->level_db[i];
		m->ch[i].mute = s->mute[i];
	}
}

bool
mixer_is_audible(const struct mixer *m, unsigned k)
{
	if (m->ch[k].mute)
		return false;
	for (unsigned i = 0; i < m->channels; i++)
		if (m->ch[i].solo)
			return m->ch[k].solo;
	return true;
}

/* Peaks between -12 and 0 dB, another each time. */
static double
signal_db(struct mixer *m)
{
	m->noise = m->noise * 1664525u + 1013904223u;
	return -12.0 + 12.0 * (double)(m->noise >> 16) / 65535.0;
}

static double
meter_next(double meter_db, double peak_db, unsigned ms)
{
	double fallen = meter_db - FALL_DB_PER_S * ms / 1000.0;
	double next = peak_db > fallen ? peak_db : fallen;
	return next < MIXER_MIN_DB ? MIXER_MIN_DB : next;
}

void
mixer_advance(struct mixer *m, unsigned ms)
{
	double loudest = MIXER_MIN_DB;
	if (m->playing)
		m->position_ms += ms;
	for (unsigned k = 0; k < m->channels; k++) {
		bool heard = m->playing && mixer_is_audible(m, k) && m->ch[k].level_db > MIXER_MIN_DB;
		double peak = heard ? signal_db(m) + m->ch[k].level_db : MIXER_MIN_DB;
		m->ch[k].meter_db = meter_next(m->ch[k].meter_db, peak, ms);
		loudest = fmax(loudest, peak);
	}
	double main_peak = loudest > MIXER_MIN_DB && m->main_db > MIXER_MIN_DB ? loudest + m->main_db : MIXER_MIN_DB;
	m->main_meter_db = meter_next(m->main_meter_db, main_peak, ms);
}
