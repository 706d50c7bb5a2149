/*
 * transitions.c - the current transition, its duration, whether one runs, and the T-bar; see model.h
 *
 * Whether one runs: from SceneTransitionStarted to SceneTransitionEnded. OBS does not tell the end of all of them (one that is broken off, one
 * that is exchanged under the T-bar), so when the end is overdue the cursor is asked: 1 = it is over, 0 = it was taken back.
 *
 * The T-bar is that of a mixer: it may stay in the middle, and a finished travel starts the next one from where it ended. What OBS 29
 * does with SetTBarPosition, as tried out: from 0.9 on it finishes by itself, up to 0.1 it takes the transition back, whatever
 * `release` says; and then any further position begins another transition (so a hand that creeps from 0.9 to 1 would put the old scene on
 * air again). So of the first and the last tenth only the ends are sent, once, with release. p is the way from where the travel starts:
 *
 *   state   p up to 0.1                     between                            from 0.9 on
 *   HOME    -                               beyond 0.125: position, OPEN       1 and release, DONE
 *   OPEN    0 and release, BACK             position                           1 and release, DONE
 *   BACK    -                               -                                  -             (when OBS has answered: HOME)
 *   DONE    -                               -                                  -             (when it has ended: HOME, at the other end)
 *   AWAY    HOME                            -                                  -
 *
 * AWAY: the transition went its way without the hand (another person ended it, studio mode was turned off, OBS refused): the fader is sent home,
 * and a hand that holds it has to bring it there first. While a transition runs that is not the T-bar's, HOME stays HOME. OBS moves the T-bar with a fade if the
 * current transition is a cut, and takes a transition that was taken back for running still (but it does run the next one).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "procs/obs/model_int.h"

#define BACK	 0.1   /* up to here OBS takes it back */
#define OPENS	 0.125 /* a hand that rests where the last travel ended begins no new one */
#define FINISHES 0.9   /* from here on OBS finishes it */

#define OVERDUE_NS  (2000 * BH_NS_PER_MS)
#define UNKNOWN_NS  (10000 * BH_NS_PER_MS) /* a stinger */
#define CURSOR_NS   (1000 * BH_NS_PER_MS)

/* ------------------------------------------------------------------ whether one runs */

static void
tell_home(struct obs_model *m)
{
	m->tbar = m->show.tbar_top ? 1 : 0;
	obs_tell(m, 0, OBS_K_TBAR, bh_float(m->tbar));
}

static void
run_over(struct obs_model *m)
{
	m->in_transition = false;
	m->transition_from = OBS_NONE;
	m->transition_until_ns = 0;
	obs_tell(m, 0, OBS_K_TRANSITION_ACTIVE, bh_bool(false));
	obs_scenes_tell(m);
	obs_scenes_changed(m, false);
}

void
obs_transition_ended(struct obs_model *m)
{
	if (m->show.tbar == OBS_TBAR_DONE) {
		m->show.tbar_top = !m->show.tbar_top;
		m->show.tbar = OBS_TBAR_HOME;
		tell_home(m);
	} else if (m->show.tbar == OBS_TBAR_OPEN || m->show.tbar == OBS_TBAR_BACK) {
		m->show.tbar = OBS_TBAR_AWAY;
		tell_home(m);
	}
	run_over(m);
}

/* Back at its beginning: what was on air before is, whatever OBS calls its program. */
static void
taken_back(struct obs_model *m)
{
	if (m->in_transition && m->transition_from != OBS_NONE)
		m->program = m->transition_from;
	m->show.misnamed = true;
	run_over(m);
}

static void
run_started(struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	int64_t ms = m->show.duration_ms;
	bool told = obs_get_int(d, "transitionDuration", &ms);
	bool known = ms > 0 && ms <= 60000 && (told || !m->show.fixed);
	m->in_transition = true;
	m->show.misnamed = false;
	m->transition_until_ns = m->now_ns + (known ? (uint64_t)ms * BH_NS_PER_MS + OVERDUE_NS : UNKNOWN_NS);
	obs_tell(m, 0, OBS_K_TRANSITION_ACTIVE, bh_bool(true));
	uint32_t scene = obs_get_str(d, "toScene", name, sizeof(name)) ? obs_find(m, OBS_SCENE, OBS_NONE, name) : OBS_NONE;
	if (scene != OBS_NONE)
		obs_scenes_program_is(m, scene);
	else
		obs_read_plain(m, OBS_REQ_GET_PROGRAM);
}

static void
take_cursor(struct obs_model *m, const msgpack_object *d)
{
	double at;
	if (!obs_get_number(d, "transitionCursor", &at))
		return;
	if (!m->in_transition) {
		/* A new picture: is one running, is the T-bar where it was? */
		if (at > 0 && at < 1) {
			m->in_transition = true;
			obs_tell(m, 0, OBS_K_TRANSITION_ACTIVE, bh_bool(true));
			m->transition_until_ns = m->now_ns + CURSOR_NS;
		} else if (m->show.tbar != OBS_TBAR_HOME) {
			m->show.tbar = OBS_TBAR_AWAY;
			tell_home(m);
		}
		return;
	}
	if (at > 0 && at < 1) {
		m->transition_until_ns = m->now_ns + CURSOR_NS;
		return;
	}
	if (at <= 0 && m->show.tbar != OBS_TBAR_DONE)
		taken_back(m);
	else
		obs_transition_ended(m);
	if (at >= 1)
		obs_read_plain(m, OBS_REQ_GET_PROGRAM);
}

/* Only the hand ends what it holds open. */
uint64_t
obs_transitions_tick(struct obs_model *m)
{
	if (!m->in_transition || !m->connected || m->show.tbar == OBS_TBAR_OPEN)
		return 0;
	if (m->now_ns >= m->transition_until_ns) {
		obs_read_plain(m, OBS_REQ_GET_TRANSITION_CURSOR);
		m->transition_until_ns = m->now_ns + CURSOR_NS;
	}
	return m->transition_until_ns;
}

/* ------------------------------------------------------------------ the T-bar */

/* The ends go past the queue's values: they are never conflated. */
static int
send_end(struct obs_model *m, double position, uint64_t until_ns)
{
	uint32_t id;
	struct obs_out *o = obs_do_begin(m, OBS_REQ_SET_TBAR, 2, &id);
	if (!o)
		return obs_refuse_value(m, 0, OBS_K_TBAR, ENOSPC, "OBS does not answer: too much waits for it");
	obs_put_number(o, "position", position);
	obs_put_bool(o, "release", true);
	return obs_do_commit(m, OBS_REQ_SET_TBAR, NULL, (uint32_t)OBS_K_TBAR, until_ns);
}

static int
tbar_back(struct obs_model *m, uint64_t until_ns)
{
	int r = send_end(m, 0, until_ns);
	if (r < 0)
		return r;
	m->show.tbar = OBS_TBAR_BACK;
	return 1;
}

static int
tbar_done(struct obs_model *m, uint64_t until_ns)
{
	int r = send_end(m, 1, until_ns);
	if (r < 0)
		return r;
	m->show.tbar = OBS_TBAR_DONE;
	m->transition_until_ns = m->now_ns + OVERDUE_NS;
	return 1;
}

/* Once for each travel, not for each of its hundred positions. */
static int
tbar_refuse(struct obs_model *m, const char *why)
{
	if (m->show.tbar_said) {
		m->has_failed = true;
		return -EBUSY;
	}
	m->show.tbar_said = true;
	return obs_refuse_value(m, 0, OBS_K_TBAR, EBUSY, "%s", why);
}

static int
tbar_leaves_home(struct obs_model *m, double p, uint64_t until_ns)
{
	if (p <= OPENS)
		return 1;
	if (!m->studio_mode && !obs_is_on_its_way(m, OBS_K_STUDIO_MODE))
		return tbar_refuse(m, "studio mode is off: the T-bar has nothing to move");
	if (m->in_transition)
		return tbar_refuse(m, "OBS is in the middle of a transition");
	if (p >= FINISHES)
		return tbar_done(m, until_ns);
	m->show.tbar = OBS_TBAR_OPEN;
	return 0;
}

static int
tbar_move(struct obs_model *m, double p, uint64_t until_ns)
{
	switch (m->show.tbar) {
	case OBS_TBAR_HOME: return tbar_leaves_home(m, p, until_ns);
	case OBS_TBAR_OPEN:
		if (p <= BACK)
			return tbar_back(m, until_ns);
		return p >= FINISHES ? tbar_done(m, until_ns) : 0;
	case OBS_TBAR_BACK:
	case OBS_TBAR_DONE: return 1;
	case OBS_TBAR_AWAY:
		if (p > BACK)
			return tbar_refuse(m, "the transition went on without the T-bar: bring it back to its end first");
		m->show.tbar = OBS_TBAR_HOME;
		return 1;
	}
	return 1;
}

/* 1: what the hand has set is what it is. */
int
obs_tbar_set(struct obs_model *m, double position, uint64_t until_ns)
{
	double before = m->tbar;
	m->tbar = fmin(fmax(position, 0), 1);
	double p = m->show.tbar_top ? 1 - m->tbar : m->tbar;
	if (p <= BACK)
		m->show.tbar_said = false;
	int r = tbar_move(m, p, until_ns);
	if (r == 1)
		obs_tell(m, 0, OBS_K_TBAR, bh_float(m->tbar));
	else if (r < 0)
		m->tbar = before;
	obs_scenes_settle(m);
	return r;
}

/* OBS has its 0: nothing else tells that it was taken back. */
void
obs_tbar_done(struct obs_model *m)
{
	if (m->show.tbar != OBS_TBAR_BACK)
		return;
	taken_back(m);
	m->show.tbar = OBS_TBAR_HOME;
	obs_scenes_settle(m);
}

/* Not heard by OBS: it stands where it stood, and the next position goes on from there. Refused: OBS has no such thing now. */
void
obs_tbar_failed(struct obs_model *m, const struct obs_ask *ask, bool refused)
{
	if (refused && m->show.tbar != OBS_TBAR_HOME) {
		m->show.tbar = OBS_TBAR_AWAY;
		tell_home(m);
	} else if (!refused && !ask->is_value && (m->show.tbar == OBS_TBAR_DONE || m->show.tbar == OBS_TBAR_BACK)) {
		m->show.tbar = OBS_TBAR_OPEN;
	}
	obs_read_plain(m, OBS_REQ_GET_TRANSITION_CURSOR);
}

void
obs_transitions_studio_mode(struct obs_model *m)
{
	if (m->studio_mode) {
		if (!m->in_event && m->taking)
			obs_read_plain(m, OBS_REQ_GET_TRANSITION_CURSOR);
		return;
	}
	if (m->show.tbar != OBS_TBAR_HOME || m->show.tbar_top || m->tbar > 0) {
		m->show.tbar = m->tbar > BACK ? OBS_TBAR_AWAY : OBS_TBAR_HOME;
		m->show.tbar_top = false;
	}
	tell_home(m);
	if (m->in_transition && m->in_event)
		run_over(m);
}

/* ------------------------------------------------------------------ the current one */

static void
transition_is(struct obs_model *m, const char *name)
{
	int64_t at = obs_list_find(&m->transitions, name);
	if (at >= 0)
		obs_tell(m, 0, OBS_K_TRANSITION, bh_enum(at));
	else
		obs_read_plain(m, OBS_REQ_GET_TRANSITION_LIST);
}

/* OBS names it in the language of its user. */
static void
note_cut(struct obs_model *m, const msgpack_object *transition, const char *name)
{
	char kind[32];
	if (obs_get_str(transition, "transitionKind", kind, sizeof(kind)) && !strcmp(kind, "cut_transition"))
		snprintf(m->cut_name, sizeof(m->cut_name), "%s", name);
}

static void
take_transitions(struct obs_model *m, const msgpack_object *d)
{
	static char name[OBS_CHOICES_MAX][OBS_NAME_MAX + 1];
	const char *at[OBS_CHOICES_MAX], *const *names = at;
	const msgpack_object *items;
	uint32_t count, n = 0;
	char current[OBS_NAME_MAX + 1];
	if (!obs_get_array(d, "transitions", &items, &count))
		return;
	for (uint32_t i = 0; i < count && n < OBS_CHOICES_MAX; i++)
		if (obs_get_str(&items[i], "transitionName", name[n], sizeof(name[n]))) {
			note_cut(m, &items[i], name[n]);
			at[n] = name[n];
			n++;
		}
	bool changed = obs_list_set(m, &m->transitions, names, n) == 1;
	if (n && (changed || obs_param(m, 0, OBS_K_TRANSITION) == OBS_NONE))
		obs_publish_choices(m, 0, OBS_K_TRANSITION, &m->transitions);
	if (!obs_get_str(d, "currentSceneTransitionName", current, sizeof(current)))
		return;
	int64_t k = obs_list_find(&m->transitions, current);
	if (k >= 0)
		obs_tell(m, 0, OBS_K_TRANSITION, bh_enum(k));
	if (!m->taking)
		obs_read_plain(m, OBS_REQ_GET_TRANSITION);
}

static void
take_duration(struct obs_model *m, const msgpack_object *d)
{
	if (obs_get_int(d, "transitionDuration", &m->show.duration_ms))
		obs_tell(m, 0, OBS_K_TRANSITION_DURATION, bh_int(m->show.duration_ms));
}

static void
take_current(struct obs_model *m, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	if (obs_get_str(d, "transitionName", name, sizeof(name)) && obs_list_find(&m->transitions, name) >= 0)
		transition_is(m, name);
	obs_get_bool(d, "transitionFixed", &m->show.fixed);
	take_duration(m, d);
}

/* ------------------------------------------------------------------ the area */

bool
obs_transitions_event(struct obs_model *m, const char *type, const msgpack_object *d)
{
	char name[OBS_NAME_MAX + 1];
	if (!strcmp(type, "SceneTransitionStarted")) {
		run_started(m, d);
	} else if (!strcmp(type, "SceneTransitionEnded")) {
		obs_transition_ended(m);
	} else if (!strcmp(type, "CurrentSceneTransitionChanged")) {
		if (obs_get_str(d, "transitionName", name, sizeof(name)))
			transition_is(m, name);
		obs_read_plain(m, OBS_REQ_GET_TRANSITION);
		if (m->in_transition)
			obs_read_plain(m, OBS_REQ_GET_TRANSITION_CURSOR); /* its end may never be told now */
	} else if (!strcmp(type, "CurrentSceneTransitionDurationChanged")) {
		take_duration(m, d);
	} else {
		return !strcmp(type, "SceneTransitionVideoEnded");
	}
	return true;
}

bool
obs_transitions_result(struct obs_model *m, enum obs_req req, const struct obs_result *r)
{
	switch (req) {
	case OBS_REQ_GET_TRANSITION_LIST:
		if (r->ok)
			take_transitions(m, r->data);
		return true;
	case OBS_REQ_GET_TRANSITION:
		if (r->ok)
			take_current(m, r->data);
		return true;
	case OBS_REQ_GET_TRANSITION_CURSOR:
		if (r->ok)
			take_cursor(m, r->data);
		return true;
	default: return false;
	}
}

int
obs_transitions_encode(struct obs_model *m, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	switch (k) {
	case OBS_K_TRANSITION:
		if (v->i < 0 || v->i >= (int64_t)m->transitions.count)
			return -EINVAL;
		ask->req = OBS_REQ_SET_TRANSITION;
		obs_put_request(o, id, ask->req, 1);
		obs_put_str(o, "transitionName", m->transitions.name[v->i]);
		return 0;
	case OBS_K_TRANSITION_DURATION:
		ask->req = OBS_REQ_SET_TRANSITION_DURATION;
		obs_put_request(o, id, ask->req, 1);
		obs_put_int(o, "transitionDuration", v->i);
		return 0;
	case OBS_K_TBAR:
		ask->req = OBS_REQ_SET_TBAR;
		obs_put_request(o, id, ask->req, 2);
		obs_put_number(o, "position", m->show.tbar_top ? 1 - m->tbar : m->tbar);
		obs_put_bool(o, "release", false);
		obs_tell(m, 0, OBS_K_TBAR, bh_float(m->tbar)); /* OBS tells no position: what was sent is what it has */
		return 0;
	default: return -EINVAL;
	}
}

void
obs_transitions_begin(struct obs_model *m)
{
	m->transition_until_ns = 0;
	m->show.misnamed = false;
	obs_tell(m, 0, OBS_K_TRANSITION_ACTIVE, bh_bool(false));
	obs_tell(m, 0, OBS_K_TBAR, bh_float(m->tbar));
}
