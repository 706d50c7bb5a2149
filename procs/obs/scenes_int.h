/*
 * scenes_int.h - what the files of scenes and outputs keep and share; part of struct obs_model, nobody else needs it
 *
 *   scenes.c       scenes and groups, program, preview, studio mode, tally; hands events, values and answers on to the two below
 *   items.c        items of scenes and groups: visible, locked, transform
 *   transitions.c  the current transition, its duration, whether one runs, the T-bar
 *   outputs.c      stream, record, replay buffer, virtual camera, statistics, profiles and collections
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "procs/obs/model.h"
#include "procs/obs/tally.h"

struct obs_model;

/* See transitions.c for the rules. */
enum obs_tbar { OBS_TBAR_HOME, OBS_TBAR_OPEN, OBS_TBAR_BACK, OBS_TBAR_DONE, OBS_TBAR_AWAY };

/* Lists of items that are read anew. */
enum { OBS_LIST_ASKED = 1, OBS_LIST_AGAIN = 2 };

struct obs_show {
	enum obs_tbar tbar;
	bool tbar_top;	   /* it starts at the top: the last travel ended there */
	bool tbar_said;	   /* why it does nothing has been said for this travel */
	bool misnamed;	   /* a transition was taken back: until the next one OBS calls that its program to which it did not come */
	bool fixed;	   /* the current transition has no duration */
	int64_t duration_ms; /* of one that has; 0 = not known */
	uint64_t program_event_ns, preview_event_ns; /* answers to what was asked before are older */
	/* tally */
	bool stale, edges_stale;
	uint32_t edges;
	struct obs_tally_edge edge[OBS_OBJECTS_MAX];
	uint8_t tally[OBS_OBJECTS_MAX]; /* by object */
	uint32_t stack[OBS_OBJECTS_MAX];
	/* items */
	bool hears_transforms; /* one was told: the subscription works */
	uint8_t list[OBS_OBJECTS_MAX]; /* by scene: OBS_LIST_... */
};

enum obs_output_id { OBS_STREAM, OBS_RECORD, OBS_REPLAY, OBS_VIRTUALCAM, OBS_OUTPUTS };

struct obs_outputs {
	bool known[OBS_OUTPUTS];
	enum obs_output state[OBS_OUTPUTS];
	uint64_t event_ns[OBS_OUTPUTS];
	uint64_t asked_ns;	  /* the poll that has had no answer yet; 0 = none */
	bool pause_wanted;
	uint64_t pause_until_ns;  /* PAUSED or RESUMED is to be told by then; 0 = nothing is waited for */
	uint64_t frozen_until_ns; /* a change of collection or profile that is never told to have ended */
};

/* --- items.c */
bool obs_items_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_items_encode(struct obs_model *m, uint32_t item, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o,
		     struct obs_ask *ask);
bool obs_items_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r);
bool obs_items_is_heard(const struct obs_model *m, enum obs_kind k); /* will OBS tell that it has this value? */
void obs_items_want_list(struct obs_model *m, uint32_t scene); /* read its items anew */

/* --- scenes.c */
void obs_scenes_begin(struct obs_model *m);	   /* a new picture: nothing is known of what runs */
void obs_scenes_disconnected(struct obs_model *m); /* what was asked will not be answered */
void obs_scenes_program_is(struct obs_model *m, uint32_t scene);
void obs_scenes_tell(struct obs_model *m); /* program and preview, of the room and of each scene */
void obs_scenes_changed(struct obs_model *m, bool items); /* tally is to be worked out anew, with the items or without */
void obs_scenes_forget(struct obs_model *m, uint32_t object); /* it is about to be removed */
void obs_scenes_settle(struct obs_model *m); /* do it, if it is to be done and no picture is under way */
/* Before a value is queued. 1 = it has been dealt with, 0 = queue it, -errno = refused, and `value_failed` has said why. */
int obs_scenes_set(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint64_t until_ns);
void obs_scenes_done(struct obs_model *m, const struct obs_ask *ask); /* a request of ours that is no value has been accepted */
/* A request that changes something was refused by OBS; or dropped, or never answered. */
void obs_scenes_failed(struct obs_model *m, const struct obs_ask *ask, bool refused);

/* --- transitions.c */
void obs_transitions_begin(struct obs_model *m);
bool obs_transitions_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_transitions_encode(struct obs_model *m, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask);
bool obs_transitions_result(struct obs_model *m, enum obs_req req, const struct obs_result *r);
uint64_t obs_transitions_tick(struct obs_model *m);
void obs_transition_ended(struct obs_model *m);
void obs_transitions_studio_mode(struct obs_model *m); /* it was turned on or off, or is told in a picture */
int obs_tbar_set(struct obs_model *m, double position, uint64_t until_ns);
void obs_tbar_done(struct obs_model *m);
void obs_tbar_failed(struct obs_model *m, const struct obs_ask *ask, bool refused);

/* --- outputs.c */
void obs_outputs_begin(struct obs_model *m);
uint64_t obs_outputs_thaw(struct obs_model *m); /* ticks while nothing else does, because all is frozen */
/* OBS says no because it is so already: no failure. */
bool obs_outputs_is_harmless(const struct obs_model *m, const struct obs_ask *ask, int code);
void obs_outputs_failed(struct obs_model *m, const struct obs_ask *ask);

/* A value of the room that waits for OBS or for its answer. */
bool obs_is_on_its_way(const struct obs_model *m, enum obs_kind k);
/* A value that cannot be done, in words for an operator; returns -err. */
int obs_refuse_value(struct obs_model *m, uint32_t object, enum obs_kind k, int err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
