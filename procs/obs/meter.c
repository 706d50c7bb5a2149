/* meter.c - see meter.h */
#include "procs/obs/meter.h"

#include <math.h>
#include <stdlib.h>

#define MS_NS 1000000ull

double
obs_meter_at(const struct obs_meter *m, const struct obs_ballistics *b, uint64_t now_ns)
{
	if (!m->at_ns)
		return OBS_METER_MIN_DB;
	uint64_t from = m->held_ns > m->at_ns ? m->held_ns : m->at_ns;
	double db = now_ns > from ? m->db - b->decay_db_s * (double)(now_ns - from) / 1e9 : m->db;
	return db > OBS_METER_MIN_DB ? db : OBS_METER_MIN_DB;
}

double
obs_meter_level(struct obs_meter *m, const struct obs_ballistics *b, double peak_db,
		uint64_t now_ns)
{
	double falling = obs_meter_at(m, b, now_ns);
	uint64_t held = m->held_ns;
	bool rises = peak_db >= falling;
	m->db = rises ? peak_db : falling;
	if (rises)
		held = now_ns + b->hold_ms * MS_NS;
	m->held_ns = held;
	m->at_ns = m->db > OBS_METER_MIN_DB ? now_ns : 0;
	return m->at_ns ? m->db : OBS_METER_MIN_DB;
}

double
obs_meter_peak(const double (*levels)[3], unsigned channels)
{
	double peak = 0;
	for (unsigned c = 0; c < channels; c++)
		if (isfinite(levels[c][1]) && levels[c][1] > peak)
			peak = levels[c][1];
	double db = peak > 0 ? 20 * log10(peak) : OBS_METER_MIN_DB;
	return db > OBS_METER_MIN_DB ? db : OBS_METER_MIN_DB;
}

/* ------------------------------------------------------------------ all of them */

struct obs_meters {
	struct obs_ballistics b;
	obs_meter_fn tell;
	void *data;
	struct obs_meter *meter; /* owned, by parameter */
	uint64_t *heard_ns;      /* owned, by parameter: OBS told it last */
	uint32_t *up, ups;       /* owned: those that are not at the bottom */
	uint32_t params;
};

struct obs_meters *
obs_meters_new(uint32_t params, struct obs_ballistics b, obs_meter_fn tell, void *data)
{
	struct obs_meters *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	*m = (struct obs_meters){.b = b,
				 .tell = tell,
				 .data = data,
				 .params = params,
				 .meter = calloc(params, sizeof(*m->meter)),
				 .heard_ns = calloc(params, sizeof(*m->heard_ns)),
				 .up = calloc(params, sizeof(*m->up))};
	if (m->meter && m->heard_ns && m->up)
		return m;
	obs_meters_free(m);
	return NULL;
}

void
obs_meters_free(struct obs_meters *m)
{
	if (!m)
		return;
	free(m->meter);
	free(m->heard_ns);
	free(m->up);
	free(m);
}

void
obs_meters_configure(struct obs_meters *m, struct obs_ballistics b)
{
	m->b = b;
}

static void
told(struct obs_meters *m, uint32_t param, double db)
{
	m->tell(m->data, param,
		db >= OBS_METER_MAX_DB && db < OBS_METER_OVER_DB ? OBS_METER_OVER_DB : db);
}

void
obs_meters_level(struct obs_meters *m, uint32_t param, const double (*levels)[3], unsigned channels,
		 uint64_t now_ns)
{
	if (param >= m->params)
		return;
	struct obs_meter *one = &m->meter[param];
	bool was_up = one->at_ns;
	double db = obs_meter_level(one, &m->b, obs_meter_peak(levels, channels), now_ns);
	m->heard_ns[param] = now_ns;
	if (!was_up && one->at_ns)
		m->up[m->ups++] = param;
	told(m, param, db);
}

/* Place k of the list is free: the last takes it. */
static void
drop(struct obs_meters *m, uint32_t k)
{
	m->meter[m->up[k]] = (struct obs_meter){0};
	m->up[k] = m->up[--m->ups];
}

uint64_t
obs_meters_tick(struct obs_meters *m, uint64_t now_ns)
{
	uint64_t next = 0;
	for (uint32_t k = 0; k < m->ups;) {
		uint32_t param = m->up[k];
		struct obs_meter *one = &m->meter[param];
		uint64_t due = m->heard_ns[param] + OBS_METER_SILENT_MS * MS_NS;
		if (!one->at_ns) {
			drop(m, k);
			continue;
		}
		if (due < one->at_ns + OBS_METER_STEP_MS * MS_NS)
			due = one->at_ns + OBS_METER_STEP_MS * MS_NS;
		if (due <= now_ns) {
			told(m, param, obs_meter_level(one, &m->b, OBS_METER_MIN_DB, now_ns));
			due = now_ns + OBS_METER_STEP_MS * MS_NS;
		}
		if (!next || due < next)
			next = due;
		k++;
	}
	return next;
}

void
obs_meters_silence(struct obs_meters *m)
{
	while (m->ups) {
		told(m, m->up[0], OBS_METER_MIN_DB);
		drop(m, 0);
	}
}

void
obs_meters_forget(struct obs_meters *m, uint32_t param)
{
	for (uint32_t k = 0; k < m->ups; k++)
		if (m->up[k] == param) {
			told(m, param, OBS_METER_MIN_DB);
			drop(m, k);
			return;
		}
}
