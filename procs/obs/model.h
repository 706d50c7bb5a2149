/*
 * model.h - OBS as we know it: its objects, and the parameters that stand for them
 *
 * Pure: no descriptors, no clock. What it finds out goes to a sink (parameters come, go, change), what it wants to know or to
 * change goes into the queue. The rooms:
 *
 *   kinds.c    the table: which parameters each class of object has; names, units, ranges, tapers, the requests behind them
 *   objects.c  the store: find, add, rename, remove
 *   params.c   the parameters of its objects: paths, how they come and go, what is told of them
 *   inputs.c   inputs and media: first picture, events, encoding of values
 *   filters.c  filters and their settings: the same
 *   settings.c ranges of the settings of well-known filters, which OBS does not tell
 *   scenes.c   scenes, items, program, preview, transitions, T-bar, studio mode, tally, profiles, collections: the same
 *   outputs.c  stream, record, replay buffer, virtual camera, statistics: the same, and what is polled
 *   cameras.c  cameras, split views, PTZ targets (the arithmetic is in camera.c)
 *   picture.c  the first picture, stage by stage, each one RequestBatch; a new one after a change of collection or profile
 *   chosen.c   what people have chosen of cameras, over a life and over new options
 *   actions.c  the table of actions and what each asks for
 *   model.c    start, end, dispatch of events and answers
 *
 * An object's number is its place in `object[]`; it is valid until the object is removed. Names are OBS's; two objects of one class
 * and one parent never have the same name, except items of a scene that show one source twice: the second is "NAME#2".
 *
 * Paths of parameters are made of these names, but a "/" or a control character in a name is written "_" there, a path that would be longer than
 * a directory takes has its names cut ("Long na~1f2e3"), an empty name is "unnamed", and what would be written the same as another of its
 * class and parent gets "~2" behind it. Each such name is noted once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/driver.h"
#include "procs/obs/camera.h"
#include "procs/obs/proto.h"
#include "procs/obs/queue.h"

/* ------------------------------------------------------------------ kinds of parameters */

enum obs_class { OBS_ROOM, OBS_SCENE, OBS_INPUT, OBS_ITEM, OBS_FILTER, OBS_SETTING, OBS_CAMERA, OBS_PTZ, OBS_CLASSES };

/* clang-format off */
enum obs_kind {
	/* the room: one object */
	OBS_K_PROGRAM, OBS_K_PREVIEW, OBS_K_SELECTED, OBS_K_STUDIO_MODE, OBS_K_TRANSITION, OBS_K_TRANSITION_DURATION, OBS_K_TRANSITION_ACTIVE, OBS_K_TBAR,
	OBS_K_PROFILE, OBS_K_COLLECTION,
	OBS_K_STREAM, OBS_K_STREAM_STATE, OBS_K_STREAM_TIME, OBS_K_STREAM_CONGESTION, OBS_K_STREAM_DROPPED,
	OBS_K_RECORD, OBS_K_RECORD_STATE, OBS_K_RECORD_PAUSED, OBS_K_RECORD_TIME,
	OBS_K_REPLAY, OBS_K_REPLAY_STATE, OBS_K_REPLAY_SAVED, OBS_K_VIRTUALCAM, OBS_K_VIRTUALCAM_STATE,
	OBS_K_FPS, OBS_K_FRAME_TIME, OBS_K_CPU, OBS_K_MEMORY, OBS_K_DISK, OBS_K_RENDER_SKIPPED, OBS_K_OUTPUT_SKIPPED,
	OBS_K_VIEW,
	/* a scene */
	OBS_K_SCENE_TALLY, OBS_K_SCENE_PROGRAM, OBS_K_SCENE_PREVIEW,
	/* an input */
	OBS_K_INPUT_TALLY, OBS_K_VOLUME, OBS_K_MUTE, OBS_K_MONITOR, OBS_K_BALANCE, OBS_K_SYNC,
	OBS_K_TRACK1, OBS_K_TRACK2, OBS_K_TRACK3, OBS_K_TRACK4, OBS_K_TRACK5, OBS_K_TRACK6, OBS_K_METER,
	OBS_K_MEDIA_STATE, OBS_K_MEDIA_PLAYING, OBS_K_MEDIA_CURSOR, OBS_K_MEDIA_DURATION,
	/* an item of a scene */
	OBS_K_ITEM_VISIBLE, OBS_K_ITEM_LOCKED, OBS_K_ITEM_X, OBS_K_ITEM_Y, OBS_K_ITEM_SCALE, OBS_K_ITEM_SCALE_X, OBS_K_ITEM_SCALE_Y, OBS_K_ITEM_ROTATION,
	OBS_K_ITEM_CROP_LEFT, OBS_K_ITEM_CROP_RIGHT, OBS_K_ITEM_CROP_TOP, OBS_K_ITEM_CROP_BOTTOM,
	/* a filter of an input or of a scene; one of its numeric settings */
	OBS_K_FILTER_ENABLED, OBS_K_SETTING,
	/* a camera of the configuration */
	OBS_K_CAMERA_TALLY, OBS_K_CAMERA_X, OBS_K_CAMERA_Y, OBS_K_CAMERA_ZOOM, OBS_K_CAMERA_MOVE_X, OBS_K_CAMERA_MOVE_Y, OBS_K_CAMERA_MOVE_ZOOM,
	/* a PTZ target (a game pad, a joystick) */
	OBS_K_PTZ_CAMERA, OBS_K_PTZ_MODIFIER, OBS_K_PTZ_X, OBS_K_PTZ_Y, OBS_K_PTZ_ZOOM, OBS_K_PTZ_MOVE_X, OBS_K_PTZ_MOVE_Y, OBS_K_PTZ_MOVE_ZOOM,
	OBS_KINDS
};
/* clang-format on */

/* When an object has the parameter. */
enum obs_has { OBS_HAS_ALWAYS, OBS_HAS_AUDIO, OBS_HAS_MEDIA };

struct obs_kind_row {
	enum obs_class cls;
	/* Under the name of its object: "volume" is "input/NAME/volume", "scene/SCENE/item/SOURCE/x", "input/NAME/filter/FILTER/enabled",
	 * "camera/ID/x"; of the room: as it is. A setting is "input/NAME/filter/FILTER/SETTING": its row has "". */
	const char *name;
	const char *label;   /* on a strip, behind the object's name if there is room; NULL = the object's name alone */
	enum bh_type type;
	const char *unit;
	double min, max, step, def;
	enum bh_taper taper;
	uint8_t access;
	const char *const *choices; /* ENUM: NULL-terminated; NULL = those that OBS tells (obs_choices()) */
	enum obs_has has;
	bool show;	     /* it changes the programme: kept in order, never late, never applied after an outage */
	enum obs_req set, get; /* OBS_REQ_COUNT = none */
	const char *event;   /* the event that tells it; NULL = polled or worked out */
	const char *help;    /* for docs/reference/obs.md */
};
extern const struct obs_kind_row obs_kinds[OBS_KINDS];
/* The first kind of a class; those of a class stand together. OBS_KINDS beyond the last. */
enum obs_kind obs_class_first(enum obs_class cls);

/* Choices of fixed lists, by number. */
enum obs_tally { OBS_TALLY_OFF, OBS_TALLY_PREVIEW, OBS_TALLY_PROGRAM };
enum obs_output { OBS_OUTPUT_STOPPED, OBS_OUTPUT_STARTING, OBS_OUTPUT_STARTED, OBS_OUTPUT_STOPPING, OBS_OUTPUT_RECONNECTING, OBS_OUTPUT_PAUSED };
enum obs_media { OBS_MEDIA_NONE, OBS_MEDIA_PLAYING, OBS_MEDIA_OPENING, OBS_MEDIA_BUFFERING, OBS_MEDIA_PAUSED, OBS_MEDIA_STOPPED, OBS_MEDIA_ENDED, OBS_MEDIA_ERROR };
enum obs_view { OBS_VIEW_FULL, OBS_VIEW_SPLIT_LEFT, OBS_VIEW_SPLIT_RIGHT };

/* ------------------------------------------------------------------ what the model tells */

/* All of it happens inside the call that caused it. Ids as of bh_param_add(). */
struct obs_sink {
	void *ctx;
	int64_t (*add)(void *ctx, const struct bh_param *p); /* also with new choices or range for one that is there; id or -errno */
	int (*remove)(void *ctx, bh_param_id id);
	int (*rename)(void *ctx, bh_param_id id, const struct bh_param *p);
	int (*report)(void *ctx, bh_param_id id, struct bh_value v);
	void (*meter)(void *ctx, bh_param_id id, const double (*levels)[3], unsigned channels); /* inputLevelsMul of one input: see meter.h */
	/* What OBS refused, in its own words, and who asked. */
	void (*value_failed)(void *ctx, bh_param_id id, const char *text);
	void (*action_failed)(void *ctx, const struct obs_ask *ask, const char *text);
	void (*note)(void *ctx, const char *text); /* for the log */
};

/* ------------------------------------------------------------------ objects */

#define OBS_OBJECTS_MAX 4096u
#define OBS_NONE UINT32_MAX
#define OBS_SCENES_MAX 256u
#define OBS_CHOICES_MAX 256u
#define OBS_CLASS_KINDS 40u /* of one class at most */

struct obs_object {
	uint8_t cls;	/* enum obs_class */
	bool used, seen; /* seen: told in the picture that is being taken; what was not is removed at its end */
	bool audio, media, is_group, hidden; /* INPUT: has audio, is a media input; SCENE: is a group; ITEM: is not visible */
	uint8_t number;	/* ITEM: 1, or which of several of the same source in its scene; SETTING: 1 = an integer, 2 = a switch */
	uint8_t twin;	/* 0, or its name in paths has "~2", "~3" behind it: another is written the same there */
	bool asked;	/* FILTER: a setting of it was set once, so it is read from time to time where OBS does not tell of changes; INPUT: its
			 * media state is to be read */
	bool told;	/* SETTING: in the settings that are being taken */
	uint32_t serial;/* of this use of the place: what was asked about an earlier one is not taken for this one */
	uint32_t next;	/* of the same hash, or the next free one */
	uint8_t named;	/* counts changes of its name, or of that of what it belongs to: what was asked by the old one may be about another */
	double def;	/* SETTING: what it is unless it is told */
	uint32_t parent;/* ITEM: scene; FILTER: scene or input; SETTING: filter; else OBS_NONE */
	uint32_t source;/* ITEM: the scene or input that it shows, OBS_NONE = not known to us */
	int64_t id;	/* ITEM: sceneItemId */
	int32_t index;	/* SCENE: place in OBS's list, 0 = top; ITEM: sceneItemIndex; FILTER: index */
	char name[OBS_NAME_MAX + 1];
	char kind[64];	/* INPUT: unversionedInputKind; FILTER: filterKind */
	uint32_t param[OBS_CLASS_KINDS]; /* by kind - first kind of the class; OBS_NONE = has none */
};

/* What a kind of the room and its like knows beside its parameter's value. */
struct obs_transform {
	bool known;
	double x, y, scale_x, scale_y, rotation, width, height, source_width, source_height, bounds_width, bounds_height;
	int64_t alignment;
	int64_t crop_left, crop_right, crop_top, crop_bottom;
	char bounds_type[32];
};

struct obs_camera_config { char *id, *scene, *source, *split_source; bool ptz; };
struct obs_ptz_config { char *name, *camera; double pan_gain, zoom_gain, gamma; };
struct obs_config {
	char *host, *password;
	uint16_t port;
	bool tls, transforms, settings;
	uint32_t stats_ms, media_ms, keepalive_ms;
	double meter_decay_db_s;
	uint32_t meter_hold_ms;
	struct bh_cfg_list cameras; /* struct obs_camera_config */
	char *split_left, *split_right, *default_camera;
	struct bh_cfg_list ptz; /* struct obs_ptz_config */
};

struct obs_model; /* its inside is model_int.h, for the files named above */

/* All memory is taken here. `cfg` and `sink` are borrowed and outlive it. The queue is the model's own. NULL and errno. */
struct obs_model *obs_model_new(const struct obs_config *cfg, const struct obs_sink *sink, uint32_t params);
void obs_model_free(struct obs_model *m);
int obs_model_reconfigure(struct obs_model *m, const struct obs_config *cfg); /* cameras, PTZ targets (what was chosen of them stays), periods; 0 or -errno: the old one stays */
struct obs_queue *obs_model_queue(struct obs_model *m);

/* What people have chosen of cameras, for memory that survives the process; zero = nothing. Recall before the first picture. */
#define OBS_CHOSEN_TARGETS 32u
struct obs_chosen_target { uint32_t name, configured, camera, flags; };
struct obs_chosen {
	uint32_t magic, view, last, followed;
	struct obs_chosen_target target[OBS_CHOSEN_TARGETS];
};
bool obs_model_is_choice(const struct obs_model *m, bh_param_id id); /* it tells one of these: remember before it is reported */
void obs_model_remember(const struct obs_model *m, struct obs_chosen *k);
void obs_model_recall(struct obs_model *m, const struct obs_chosen *k);

/*
 * The first picture. begin: forget what is not a name; then each stage: obs_model_stage() writes one RequestBatch into `o` (with batch id
 * `id`) and returns true, or false: the picture is whole, what was not told in it has been removed, everything is reported.
 * obs_model_batch() takes the answer. -EAGAIN: OBS is not ready yet (207): begin again later.
 */
void obs_model_begin(struct obs_model *m, uint64_t now_ns);
bool obs_model_stage(struct obs_model *m, uint32_t id, struct obs_out *o, uint64_t now_ns);
int obs_model_batch(struct obs_model *m, const struct obs_msg *msg, uint64_t now_ns);
/* True once after something has happened that only a new picture can tell (collection or profile changed). */
bool obs_model_wants_picture(struct obs_model *m);
/* Between CurrentSceneCollectionChanging and ...Changed: nothing is sent. */
bool obs_model_is_frozen(const struct obs_model *m);
/* Does this parameter change the programme? Then it is never set late. false: not known. */
bool obs_model_is_show(const struct obs_model *m, bh_param_id id);
/* Is it set later if OBS is not there now? Not what changes the programme, nor where a camera looks. true: not known. */
bool obs_model_may_wait(const struct obs_model *m, bh_param_id id);

void obs_model_event(struct obs_model *m, const char *type, const msgpack_object *data, uint64_t now_ns);
void obs_model_answer(struct obs_model *m, const struct obs_ask *ask, const struct obs_result *r, uint64_t now_ns);
/* A request was sent, dropped (its moment had passed), or lost with the connection. */
void obs_model_dropped(struct obs_model *m, const struct obs_ask *ask);
void obs_model_disconnected(struct obs_model *m);

/*
 * A wanted value; `stamp_ns` of the hand (CLOCK_BOOTTIME). 0, or -errno: it is not done, `value_failed` has said why. One that
 * changes the programme is refused when it is older than `max_age_ns`, and when it was chosen from a list that has changed since.
 */
int obs_model_set(struct obs_model *m, bh_param_id id, const struct bh_value *v, uint64_t stamp_ns, uint64_t now_ns, uint64_t max_age_ns);
/* 0, or -errno with `action_failed` called. `frozen`, not connected: -ENOTCONN. */
int obs_model_action(struct obs_model *m, const struct bh_action *a, uint64_t now_ns, uint64_t max_age_ns);
extern const struct bh_action_desc obs_actions[];
/* The answer to a RequestBatch that is no stage of a picture: an action's. false: none of ours waits for it. */
bool obs_model_batched(struct obs_model *m, const struct obs_msg *msg, uint64_t now_ns);

/* Somebody looks at the meter. Tells by obs_model_subscriptions() whether meters are wanted at all. */
void obs_model_watch(struct obs_model *m, bh_param_id id, bool shown);
/* eventSubscriptions that we want now. */
uint32_t obs_model_subscriptions(const struct obs_model *m);
/* Polls that are due, moves by velocity, time-outs; the next moment (CLOCK_BOOTTIME) it wants to be called, 0 = none. */
uint64_t obs_model_tick(struct obs_model *m, uint64_t now_ns);
/* What OBS has of it, if that is known, reported again: at once, or when what is on its way has been answered. */
void obs_model_report(struct obs_model *m, bh_param_id id);
