/*
 * actions_int.h - what the files of actions and cameras share; nobody else needs it
 *
 *   actions.c  the table, its arguments, how an action is looked up, written and refused
 *   shows.c    what changes the programme: scenes, cut, transition, studio mode
 *   deeds.c    all else that is asked of OBS
 *   cameras.c  cameras and split views: what is shown, which one a PTZ target drives
 *   views.c    cameras and split views: choosing one
 *   aim.c      an item that is moved: where it shall be, where it is
 *   ptz.c      parameters of cameras and PTZ targets, sticks
 *   moves.c    actions that move: nudge, scale, reset
 *
 * An action is one message to OBS. What takes several requests is one RequestBatch, so that it is done whole or not at all,
 * whatever becomes of us or of the connection in between; what must be put back is put back by the same batch.
 */
#pragma once

#include "procs/obs/model_int.h"

/* An action that is being carried out. */
struct obs_doing {
	struct obs_model *m;
	const struct bh_action *a;
	uint64_t until_ns;
	uint32_t ref;	   /* comes back in the ask */
	/* of a message that is being written */
	struct obs_out *o; /* NULL: there was no room, and that was told */
	uint32_t id;
};

typedef int (*obs_deed)(struct obs_doing *d);

/* --- actions.c */
struct obs_ask obs_ask_of(const struct obs_doing *d);
/* Tells it in words for an operator; returns -err. */
int obs_refuse(const struct obs_doing *d, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Argument n, NULL if it was not given. */
const char *obs_arg(const struct obs_doing *d, unsigned n);
bool obs_arg_is(const struct obs_doing *d, unsigned n, const char *word);
/* An object by the name that a person wrote; OBS_NONE: refused with what might have been meant. */
uint32_t obs_look(const struct obs_doing *d, enum obs_class cls, uint32_t parent, const char *name);
uint32_t obs_look_source(const struct obs_doing *d, const char *name); /* an input or a scene */
const char *obs_look_list(const struct obs_doing *d, const struct obs_list *l, const char *what, const char *name); /* NULL: refused */
/* "on", "off", "toggle" of what is told. 1, 0, or -EINVAL (refused: OBS has not told it yet). */
int obs_onoff(const struct obs_doing *d, unsigned arg, uint32_t object, enum obs_kind k);
bool obs_is_on(const struct obs_model *m, uint32_t object, enum obs_kind k);
int obs_must_have(const struct obs_doing *d, enum obs_req req, const char *what); /* 0, or refused: this OBS has no such request */

/* One request. `types` has a letter for each of the members that follow as pairs of name and value: s text, b bool, i int64_t, n number. */
int obs_act(struct obs_doing *d, enum obs_req req, const char *types, ...);
/* Several, as a whole: begin with their number, then each, then end, which names the one that it is all about. */
void obs_batch(struct obs_doing *d, uint32_t requests);
void obs_batched(struct obs_doing *d, enum obs_req req, const char *types, ...);
void obs_batched_vars(struct obs_doing *d, enum obs_req req, const char *in, const char *out, const char *types, ...);
int obs_batch_end(struct obs_doing *d, enum obs_req about);

/* --- shows.c */
#define OBS_CUT_REQUESTS 4u
/* Writes what puts a scene on air without any transition, in a batch: its own transition is a cut for so long. */
void obs_batched_cut(struct obs_doing *d, const char *scene);
#define OBS_RENEW_REQUESTS (OBS_CUT_REQUESTS + 3u)
/* The same for the scene that is on air already, of which OBS has a copy there: what is in preview stays in preview. */
void obs_batched_renewal(struct obs_doing *d, const char *scene);
/* In studio mode OBS drops what is to go on air while a transition runs, but says that it did it. 0, or refused. */
int obs_must_not_run(const struct obs_doing *d);
int obs_do_scene(struct obs_doing *d);
int obs_do_program(struct obs_doing *d);
int obs_do_preview(struct obs_doing *d);
int obs_do_next(struct obs_doing *d);
int obs_do_previous(struct obs_doing *d);
int obs_do_cut(struct obs_doing *d);
int obs_do_transition(struct obs_doing *d);
int obs_do_studio_mode(struct obs_doing *d);

/* --- deeds.c */
int obs_do_stream(struct obs_doing *d);
int obs_do_record(struct obs_doing *d);
int obs_do_replay(struct obs_doing *d);
int obs_do_virtual_camera(struct obs_doing *d);
int obs_do_pause(struct obs_doing *d);
int obs_do_split_file(struct obs_doing *d);
int obs_do_chapter(struct obs_doing *d);
int obs_do_save_replay(struct obs_doing *d);
int obs_do_mute(struct obs_doing *d);
int obs_do_item(struct obs_doing *d);
int obs_do_filter(struct obs_doing *d);
int obs_do_hotkey(struct obs_doing *d);
int obs_do_keys(struct obs_doing *d);
int obs_do_media(struct obs_doing *d);
int obs_do_seek(struct obs_doing *d);
int obs_do_screenshot(struct obs_doing *d);
int obs_do_profile(struct obs_doing *d);
int obs_do_collection(struct obs_doing *d);
int obs_do_press_button(struct obs_doing *d);
int obs_do_request(struct obs_doing *d);

/* --- views.c */
int obs_do_camera(struct obs_doing *d);
int obs_do_split(struct obs_doing *d);
int obs_do_ptz(struct obs_doing *d);

/* --- moves.c */
int obs_do_nudge_x(struct obs_doing *d);
int obs_do_nudge_y(struct obs_doing *d);
int obs_do_zoom(struct obs_doing *d);
int obs_do_reset(struct obs_doing *d);

/* ------------------------------------------------------------------ cameras */

enum obs_axis { OBS_AXIS_X, OBS_AXIS_Y, OBS_AXIS_ZOOM, OBS_AXES };
#define OBS_AXIS_BIT(axis) (1u << (axis))

/* Of a scene or an item by its name in the configuration: kept over a rename in OBS, looked up anew when it has gone. */
struct obs_place {
	uint32_t object, serial;
};

/* An item that is being moved. */
struct obs_aim {
	uint32_t item, serial;
	struct obs_transform want; /* where it shall be; OBS's own idea is in the model */
	unsigned dirty;		   /* bit per axis: not sent yet */
	bool live;		   /* `want` is ahead of what OBS has told */
	uint64_t settle_ns;	   /* until then what OBS tells may be older than what we sent */
	uint64_t read_ns;	   /* it was asked for then; 0 = it was not */
	bool checked;		   /* a scale near nothing is no slip: it was read again */
	unsigned later;		   /* bit per axis: to be done when it is known */
	double later_to[OBS_AXES];
	unsigned failures;	   /* in a row */
	uint64_t used_ns;
};

struct obs_stick { /* a deflection: how fast something moves */
	double at[OBS_AXES];
	uint64_t told_ns[OBS_AXES];
};

struct obs_camera {
	const struct obs_camera_config *cfg; /* borrowed */
	uint32_t object;
	struct obs_place scene, source;
	struct obs_aim aim;
	struct obs_stick stick;
	bool may_show[2]; /* its source in that split scene was asked to be shown, and not to be hidden since */
};

struct obs_ptz {
	const struct obs_ptz_config *cfg; /* borrowed */
	uint32_t object, camera;	  /* camera: place in the table, OBS_NONE if there is none */
	bool dynamic, modifier;
	struct obs_stick stick;
};

#define OBS_OTHER_AIMS 8u

struct obs_cameras {
	struct obs_camera *camera; /* owned */
	struct obs_ptz *ptz;	   /* owned */
	uint32_t cameras, ptzs;
	struct obs_list ids;	   /* name owned */
	struct obs_place split[2];
	enum obs_view view;
	uint32_t last;		   /* the camera chosen last */
	uint32_t options;	   /* hash of all names in the options: with others the active scene is followed anew */
	uint32_t followed;	   /* hash of the scene that was followed last, and of the options; 0 = none */
	uint32_t kept_preview;	   /* until kept_until_ns: what is told to be in preview is that again, nobody chose it */
	uint64_t kept_until_ns;
	bool stale_on_air;	   /* a split scene was changed while a transition ran: what is on air is older */
	uint64_t moved_ns;	   /* sticks were followed up to then; 0 = none is out of its centre */
	struct obs_aim other[OBS_OTHER_AIMS]; /* items that are no camera's */
};

/* --- cameras.c */
uint32_t obs_camera_scene(struct obs_model *m, struct obs_camera *c);  /* OBS_NONE: not in OBS */
uint32_t obs_camera_item(struct obs_model *m, struct obs_camera *c);   /* the same */
int64_t obs_camera_find(const struct obs_cameras *c, const char *id);  /* place, -1 */
int64_t obs_camera_meant(const struct obs_cameras *c, const char *name); /* the same, or the camera that the PTZ target of this name moves now */
void obs_ptz_turn_to(struct obs_model *m, struct obs_ptz *p, uint32_t camera);
void obs_ptz_turn_dynamic(struct obs_model *m, uint32_t camera); /* the targets that follow what is shown */
uint32_t obs_split_scene(struct obs_model *m, enum obs_view view);
/* What is on air is a copy of this scene from before it was changed: the same batch puts it on air anew. */
void obs_renew_on_air(struct obs_doing *d, uint32_t scene);
void obs_view_is(struct obs_model *m, enum obs_view view);
/* --- aim.c */
enum { OBS_CHANGED_X = 1, OBS_CHANGED_Y = 2, OBS_CHANGED_SIZE = 4, OBS_CHANGED_ALL = 7 }; /* bits of `dirty`, by axis */
#define OBS_PAN_STEP  2.0
#define OBS_ZOOM_STEP 0.02
struct obs_camera *obs_camera_of(const struct obs_model *m, uint32_t object);
void obs_aim_at(struct obs_model *m, struct obs_aim *aim, uint32_t item); /* begin anew if it is another item */
/* Is `want` where the item is, or will be? If it has to be asked for first, it is. `c`: the camera, NULL = no camera's. */
bool obs_aim_is_known(struct obs_model *m, struct obs_aim *aim, const struct obs_camera *c);
void obs_aim_change(struct obs_aim *aim, unsigned axes);
void obs_aim_pan(struct obs_aim *aim, double x, double y);
void obs_aim_zoom(const struct obs_model *m, struct obs_aim *aim, double factor);
void obs_aim_move_to(const struct obs_model *m, struct obs_aim *aim, enum obs_axis axis, double v);
void obs_aim_send(struct obs_model *m, struct obs_camera *c); /* what has changed, as a value: the newest only */
void obs_aim_put(struct obs_model *m, struct obs_out *o, struct obs_aim *aim); /* the three members of SetSceneItemTransform */
void obs_aim_report(struct obs_model *m, struct obs_camera *c);
void obs_aim_all_known(struct obs_model *m); /* a picture was taken */
uint64_t obs_aim_settle(struct obs_model *m, struct obs_camera *c); /* next moment, 0 = none */
/* --- ptz.c */
void obs_sticks_stop(struct obs_model *m, uint32_t camera /* OBS_NONE = all */, const char *why /* NULL: is not told */);
