/* model_int.h - the inside of the model, for its own files only; see model.h for which does what */
#pragma once

#include "procs/obs/model.h"
#include "procs/obs/scenes_int.h"

struct obs_list { /* names that OBS tells in an order of its own: scenes, transitions, profiles, collections */
	char (*name)[OBS_NAME_MAX + 1]; /* owned, OBS_CHOICES_MAX of them */
	uint32_t count;
	uint64_t changed_ns; /* when the order or the names changed last: choices made before mean the list before */
};

struct obs_of_param {
	uint32_t object;
	uint16_t kind;
	bool used, watched;
	bool held;	   /* OBS told a value while a hand's was on its way: it is reported when that has been answered */
	bool ranged;	   /* min, max, step instead of those of its kind */
	uint64_t held_until_ns; /* 0 = until the answer */
	uint64_t event_ns; /* an event told it last: answers to what was asked before are older */
	double min, max, step;
};

#define OBS_BUCKETS  1024u
#define OBS_PLAN_MAX 2000u /* requests of one batch of the picture */
#define OBS_SETTLE_NS 100000000ull /* for so long after an answer its event may still be on its way */

struct obs_model {
	const struct obs_config *cfg;
	const struct obs_sink *sink;
	struct obs_queue *queue; /* owned */
	uint32_t params;	 /* capacity */
	struct obs_object *object; /* owned, OBS_OBJECTS_MAX; [0] is the room */
	uint32_t objects;	 /* used at most */
	uint32_t free_object, bucket[OBS_BUCKETS], serial; /* objects.c */
	bool full_objects, full_params; /* has been noted */
	struct obs_transform *transform; /* owned, by object (items) */
	struct obs_of_param *of_param; /* owned, by parameter */
	struct bh_value *wanted; /* owned, by parameter: what obs_model_set() was given last */
	struct bh_value *value;	 /* owned, by parameter: what was reported last (type BH_NONE = nothing yet) */
	struct obs_list scenes, transitions, profiles, collections;

	/* connection */
	bool connected, frozen, wants_picture;
	uint32_t stage;		 /* of the picture; picture.c */
	uint32_t cursor;	 /* within a stage: the object at which the next batch goes on */
	uint32_t not_ready;	 /* answers 207 in this picture */
	uint64_t has_request[(OBS_REQ_COUNT + 63) / 64]; /* availableRequests */
	uint64_t now_ns;	 /* of the call that runs */
	bool in_event;		 /* it takes an event */
	uint64_t result_ns;	 /* it takes the answer to what was sent then; 0 = none */
	uint32_t held;		 /* parameters that are held */
	bool has_failed;	 /* obs_fail() was called within this call */
	bool lost;		 /* something was not found */
	uint32_t lost_pictures;	 /* pictures in a row in which it was so */
	bool again;		 /* something came, went or was renamed while the picture was taken */
	bool taking;		 /* a picture is being taken */
	bool tells_settings;	 /* this OBS has events for changes of settings (obs-websocket 5.4) */
	bool moves;		 /* events of transforms are wanted: one was set once, or there are cameras */
	uint64_t stage_ns;	 /* when the stage was sent */
	struct obs_planned { uint16_t req, object; uint32_t ref; } *plan; /* owned, OBS_PLAN_MAX: what the stage asked, in order */
	uint32_t planned;
	uint64_t next_settings_ns; /* filters.c */

	/* scenes.c */
	uint32_t program, preview; /* objects, OBS_NONE */
	bool studio_mode, in_transition;
	uint32_t transition_from; /* what else is on air while it runs; OBS_NONE = not known yet */
	uint64_t transition_until_ns; /* a transition that is never told to have ended */
	double tbar; /* where the hand has it, 0 at the bottom */
	struct obs_show show; /* scenes_int.h */
	double canvas_width, canvas_height;

	/* shows.c */
	char cut_name[OBS_NAME_MAX + 1]; /* the transition of kind "cut_transition", as OBS's language calls it; "" = not told */
	struct { uint32_t scene; uint64_t until_ns; } asked[2]; /* for program and preview; until then OBS may not have told it yet */
	/* outputs.c */
	struct obs_outputs outputs; /* scenes_int.h */
	uint64_t next_stats_ns, next_media_ns;
	/* cameras.c */
	struct obs_cameras *cameras; /* owned */
	uint32_t watched_meters;
};

#define OBS_PART_MAX	(OBS_NAME_MAX + 9) /* of a path, with NUL */
#define OBS_SERIAL_MASK 0xfffu /* with an object's number and the changes of its name it makes an ask's `ref`: obs_ref() */

/* --- objects.c */
void obs_store_init(struct obs_model *m); /* the room is there */
uint32_t obs_find(const struct obs_model *m, enum obs_class cls, uint32_t parent, const char *name); /* OBS_NONE = not there */
uint32_t obs_find_item(const struct obs_model *m, uint32_t scene, int64_t item_id);
uint32_t obs_find_source(const struct obs_model *m, const char *name); /* an input or a scene */
/* Find or add, mark as seen; its parameters come with obs_publish(). OBS_NONE: the store is full (noted once). */
uint32_t obs_add(struct obs_model *m, enum obs_class cls, uint32_t parent, const char *name);
/* Parameters of the object as its class, audio, media say: added, or removed where they no longer apply. */
void obs_publish(struct obs_model *m, uint32_t object);
/* The same, with the choices of one kind of it (NULL-terminated), or another range. */
void obs_publish_choices(struct obs_model *m, uint32_t object, enum obs_kind k, const struct obs_list *list);
void obs_publish_range(struct obs_model *m, uint32_t object, enum obs_kind k, double min, double max, double step);
/* With all that belongs to it (items, filters, settings, items elsewhere that show it). */
void obs_remove(struct obs_model *m, uint32_t object);
void obs_rename(struct obs_model *m, uint32_t object, const char *name); /* its parameters and those below it keep their ids */
/* The parameter, OBS_NONE if it has none. */
uint32_t obs_param(const struct obs_model *m, uint32_t object, enum obs_kind k);
void obs_tell(struct obs_model *m, uint32_t object, enum obs_kind k, struct bh_value v); /* reports; without a parameter nothing */
bool obs_told(const struct obs_model *m, uint32_t object, enum obs_kind k, struct bh_value *v);
/* Mark all of a class (below `parent`, or OBS_NONE = all) as not seen; remove those. */
void obs_unsee(struct obs_model *m, enum obs_class cls, uint32_t parent);
void obs_sweep(struct obs_model *m, enum obs_class cls, uint32_t parent);
int obs_list_set(struct obs_model *m, struct obs_list *l, const char *const *names, uint32_t n); /* 1 = it changed */
int64_t obs_list_find(const struct obs_list *l, const char *name); /* place, or -1 */
/* --- params.c */
const char *obs_class_name(enum obs_class cls);
void obs_part(const char *name, char out[OBS_PART_MAX]); /* as a name of OBS is written in paths */
void obs_own_part(const struct obs_object *o, char out[OBS_PART_MAX]); /* with the number that tells it from others that are written the same */
void obs_path(const struct obs_model *m, uint32_t object, enum obs_kind k, char out[BH_NAME_MAX + 1]);
void obs_unpublish(struct obs_model *m, uint32_t object);
void obs_publish_names(struct obs_model *m, uint32_t object); /* of it and all below it, after a change of its name */
const struct obs_list *obs_list_of(const struct obs_model *m, enum obs_kind k); /* what its choices are; NULL = none of ours */
void obs_tell_param(struct obs_model *m, uint32_t id, struct bh_value v);
bool obs_value_same(const struct bh_value *a, const struct bh_value *b);
bool obs_can(const struct obs_model *m, enum obs_req req); /* does this OBS have it? */

/* --- Each area. `picture`: adds its requests of this stage to a batch / takes their results. `event`: true = it was one of its own. `encode`: value to request.
 * `answer`: of its own reads. `tick`: next moment, 0 = none. */
void obs_note(struct obs_model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void obs_fail(struct obs_model *m, const struct obs_ask *ask, const char *fmt, ...) __attribute__((format(printf, 3, 4))); /* to value_failed or action_failed */

bool obs_inputs_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_inputs_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask);
bool obs_inputs_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r); /* of picture and reads alike */
uint64_t obs_inputs_tick(struct obs_model *m); /* media cursors */
bool obs_scenes_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_scenes_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask);
bool obs_scenes_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r);
uint64_t obs_scenes_tick(struct obs_model *m);
void obs_scenes_tally(struct obs_model *m); /* work it out anew, report what changed */
bool obs_outputs_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_outputs_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask);
bool obs_outputs_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r);
uint64_t obs_outputs_tick(struct obs_model *m);
/* Cameras: what OBS tells of scenes and transforms moves their parameters; values and actions move items. */
int obs_cameras_init(struct obs_model *m);
void obs_cameras_fini(struct obs_model *m);
void obs_cameras_publish(struct obs_model *m);
bool obs_cameras_event(struct obs_model *m, const char *type, const msgpack_object *d); /* looks; never the only one */
int obs_cameras_set(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v); /* 0, -errno */
/* Everything about a camera goes out under its x: the encoder of that parameter, and what OBS answers to it. */
int obs_cameras_encode(struct obs_model *m, uint32_t object, uint32_t id, struct obs_out *o, struct obs_ask *ask);
void obs_cameras_answer(struct obs_model *m, uint32_t object, bool ok);
void obs_cameras_undo(struct obs_model *m, const struct obs_ask *ask); /* an action was refused by OBS, or dropped */
void obs_cameras_follow(struct obs_model *m); /* program, preview or studio mode have changed: so may the view */
void obs_cameras_tally(struct obs_model *m);  /* the tally of scenes and inputs has changed */
/* --- shows.c: a scene was asked for, in program or preview; until OBS tells it, this is what is there for what is asked next. */
enum obs_target { OBS_TO_PROGRAM, OBS_TO_PREVIEW };
void obs_scene_asked(struct obs_model *m, enum obs_target target, uint32_t scene);
void obs_scene_told(struct obs_model *m, enum obs_target target);
void obs_cameras_lost(struct obs_model *m);   /* the connection */
void obs_cameras_transform(struct obs_model *m, uint32_t item); /* m->transform[item] has changed */
uint64_t obs_cameras_tick(struct obs_model *m);

bool obs_filters_event(struct obs_model *m, const char *type, const msgpack_object *d);
int obs_filters_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id, struct obs_out *o, struct obs_ask *ask);
bool obs_filters_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r);
uint64_t obs_filters_tick(struct obs_model *m); /* settings, where OBS does not tell them */

/* --- model.c */
uint32_t obs_ref(const struct obs_model *m, uint32_t object); /* of an ask: the object, which use of its place, and which of its names */
uint32_t obs_deref(const struct obs_model *m, uint32_t ref); /* OBS_NONE: it is gone */
bool obs_is_renamed(const struct obs_model *m, uint32_t ref); /* since the ask */
int obs_read_kind(struct obs_model *m, uint32_t object, enum obs_kind k); /* ask OBS what it has; -ENOTSUP: nothing tells it */
/* The result of a request goes to the area that knows it; what OBS says is not there (600) is removed. */
void obs_take_result(struct obs_model *m, enum obs_req req, uint32_t ref, const struct obs_result *r, uint64_t sent_ns);
bool obs_is_poll(enum obs_req req); /* asked again and again */
int obs_read_filter(struct obs_model *m, uint32_t filter); /* GET_FILTER: members sourceName, filterName */
/* What OBS said, for people: its own words, or ours for its code. */
void obs_words(const struct obs_result *r, char *out, size_t cap);

/* A read of our own: queued in the lane READ; its answer comes to the area's _result() with `object`. */
int obs_read_input(struct obs_model *m, enum obs_req req, uint32_t object);  /* member inputName */
int obs_read_source(struct obs_model *m, enum obs_req req, uint32_t object); /* member sourceName */
int obs_read_item(struct obs_model *m, enum obs_req req, uint32_t item);     /* members sceneName, sceneItemId */
int obs_read_plain(struct obs_model *m, enum obs_req req);
/* A request that changes something, of an action or of a camera: in the lane SHOW, with the action's last moment. Begin gives the place to write its members. */
struct obs_out *obs_do_begin(struct obs_model *m, enum obs_req req, uint32_t members, uint32_t *id);
int obs_do_commit(struct obs_model *m, enum obs_req req, const struct bh_action *a /* NULL = nobody's */, uint32_t ref, uint64_t until_ns);
