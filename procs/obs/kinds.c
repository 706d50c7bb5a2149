/* kinds.c - the table of parameters that OBS's objects have; see model.h for how a name is made of a row's */
#include "procs/obs/model.h"

static const char *const tally_choices[] = {"off", "preview", "program", NULL};
static const char *const output_choices[] = {"stopped", "starting", "started", "stopping", "reconnecting", "paused", NULL};
static const char *const media_choices[] = {"none", "playing", "opening", "buffering", "paused", "stopped", "ended", "error", NULL};
static const char *const view_choices[] = {"full", "split-left", "split-right", NULL};
/* "OBS_MONITORING_TYPE_NONE", "..._MONITOR_ONLY", "..._MONITOR_AND_OUTPUT": inputs.c counts on this order. */
static const char *const monitor_choices[] = {"off", "monitor only", "monitor and output", NULL};

/* Nothing of OBS sets or asks for it. */
#define NOT	OBS_REQ_COUNT
#define SET(r)	.set = OBS_REQ_##r
#define GET(r)	.get = OBS_REQ_##r
#define TOGGLE	.type = BH_BOOL, .access = BH_RW, .max = 1, .step = 1
#define LAMP	.type = BH_BOOL, .access = BH_R, .max = 1, .step = 1
#define LIST	.type = BH_ENUM, .access = BH_RW
#define STATE	.type = BH_ENUM, .access = BH_R
#define SHOWN(k, n, l, u, lo, hi, h) /* a number that is only shown; of GetStats */ \
	[OBS_K_##k] = {.cls = OBS_ROOM, .name = (n), .label = (l), .type = BH_FLOAT, .unit = (u), .min = (lo), .max = (hi), \
		       .access = BH_R, .set = NOT, GET(GET_STATS), .help = (h)}
#define TRACK(n) \
	[OBS_K_TRACK##n] = {.cls = OBS_INPUT, .name = "track" #n, .label = "track " #n, TOGGLE, .has = OBS_HAS_AUDIO, SET(SET_INPUT_TRACKS), \
			    GET(GET_INPUT_TRACKS), .event = "InputAudioTracksChanged", .help = "in audio track " #n}
/* Of an item's transform; without STEPS a V-Pot would go by 1/64 of the whole range with each tick. */
#define MOVED(k, n, u, lo, hi, by, d, h) \
	[OBS_K_ITEM_##k] = {.cls = OBS_ITEM, .name = (n), .label = (n), .type = BH_FLOAT, .unit = (u), .min = (lo), .max = (hi), .step = (by), \
			    .def = (d), .taper = BH_TAPER_STEPS, .access = BH_RW, SET(SET_ITEM_TRANSFORM), GET(GET_ITEM_TRANSFORM), \
			    .event = "SceneItemTransformChanged", .help = (h)}
#define CROP(k, n, h) \
	[OBS_K_ITEM_CROP_##k] = {.cls = OBS_ITEM, .name = (n), .label = (n), .type = BH_INT, .unit = "px", .max = 100000, .step = 1, .access = BH_RW, \
				 SET(SET_ITEM_TRANSFORM), GET(GET_ITEM_TRANSFORM), .event = "SceneItemTransformChanged", .help = (h)}
/* Of a camera and of a PTZ target: cameras.c makes transforms of them. */
#define AIM(c, k, n, u, lo, hi, by, d, h) \
	[OBS_K_##c##_##k] = {.cls = OBS_##c, .name = (n), .label = (n), .type = BH_FLOAT, .unit = (u), .min = (lo), .max = (hi), .step = (by), .def = (d), \
			     .taper = BH_TAPER_STEPS, .access = BH_RW, SET(SET_ITEM_TRANSFORM), GET(GET_ITEM_TRANSFORM), \
			     .event = "SceneItemTransformChanged", .help = (h)}
#define STICK(c, k, n, h) \
	[OBS_K_##c##_##k] = {.cls = OBS_##c, .name = (n), .label = (n), .type = BH_FLOAT, .min = -1, .max = 1, .access = BH_RW, SET(SET_ITEM_TRANSFORM), \
			     .get = NOT, .help = (h)}

/* clang-format off */
const struct obs_kind_row obs_kinds[OBS_KINDS] = {
	/* --- the room */
	[OBS_K_PROGRAM] = {.cls = OBS_ROOM, .name = "program", .label = "Program", LIST, .show = true, SET(SET_PROGRAM), GET(GET_PROGRAM),
			   .event = "CurrentProgramSceneChanged", .help = "the scene on air"},
	[OBS_K_PREVIEW] = {.cls = OBS_ROOM, .name = "preview", .label = "Preview", LIST, .show = true, SET(SET_PREVIEW), GET(GET_PREVIEW),
			   .event = "CurrentPreviewSceneChanged", .help = "the scene in preview, in studio mode"},
	[OBS_K_SELECTED] = {.cls = OBS_ROOM, .name = "selected", .label = "Scene", .type = BH_ENUM, .access = BH_ACCESS_READ, .set = NOT, .get = NOT,
			    .help = "the scene that is selected in OBS: in preview in studio mode, else on air"},
	[OBS_K_STUDIO_MODE] = {.cls = OBS_ROOM, .name = "studio-mode", .label = "Studio", TOGGLE, .show = true, SET(SET_STUDIO_MODE), GET(GET_STUDIO_MODE),
			       .event = "StudioModeStateChanged", .help = "studio mode"},
	[OBS_K_TRANSITION] = {.cls = OBS_ROOM, .name = "transition", .label = "Trans", LIST, .show = true, SET(SET_TRANSITION), GET(GET_TRANSITION_LIST),
			      .event = "CurrentSceneTransitionChanged", .help = "the current transition"},
	[OBS_K_TRANSITION_DURATION] = {.cls = OBS_ROOM, .name = "transition/duration", .label = "Trans ms", .type = BH_INT, .unit = "ms", .min = 50, .max = 20000,
				       .step = 10, .def = 300, .access = BH_RW, SET(SET_TRANSITION_DURATION), GET(GET_TRANSITION),
				       .event = "CurrentSceneTransitionDurationChanged", .help = "how long the current transition takes; a fixed one (cut, stinger) has no duration"},
	[OBS_K_TRANSITION_ACTIVE] = {.cls = OBS_ROOM, .name = "transition/active", .label = "Trans", LAMP, .set = NOT, .get = NOT,
				     .event = "SceneTransitionStarted", .help = "a transition is running"},
	[OBS_K_TBAR] = {.cls = OBS_ROOM, .name = "tbar", .label = "T-bar", .type = BH_FLOAT, .max = 1, .access = BH_RW, .show = true, SET(SET_TBAR), .get = NOT,
			.help = "the T-bar, in studio mode"},
	[OBS_K_PROFILE] = {.cls = OBS_ROOM, .name = "profile", .label = "Profile", LIST, .show = true, SET(SET_PROFILE), GET(GET_PROFILES),
			   .event = "CurrentProfileChanged", .help = "the current profile"},
	[OBS_K_COLLECTION] = {.cls = OBS_ROOM, .name = "collection", .label = "Collectn", LIST, .show = true, SET(SET_COLLECTION), GET(GET_COLLECTIONS),
			      .event = "CurrentSceneCollectionChanged", .help = "the current scene collection"},

	[OBS_K_STREAM] = {.cls = OBS_ROOM, .name = "stream", .label = "Stream", TOGGLE, .show = true, SET(START_STREAM), GET(GET_STREAM),
			  .event = "StreamStateChanged", .help = "on: start streaming, off: stop"},
	[OBS_K_STREAM_STATE] = {.cls = OBS_ROOM, .name = "stream/state", .label = "Stream", STATE, .choices = output_choices, .set = NOT, GET(GET_STREAM),
				.event = "StreamStateChanged", .help = "how far it is"},
	[OBS_K_STREAM_TIME] = {.cls = OBS_ROOM, .name = "stream/time", .label = "Stream", .type = BH_FLOAT, .unit = "s", .access = BH_R, .set = NOT, GET(GET_STREAM),
			       .help = "for how long"},
	[OBS_K_STREAM_CONGESTION] = {.cls = OBS_ROOM, .name = "stream/congestion", .label = "Congest", .type = BH_FLOAT, .unit = "%", .max = 100, .access = BH_R,
				     .set = NOT, GET(GET_STREAM), .help = "how full the way to the server is"},
	[OBS_K_STREAM_DROPPED] = {.cls = OBS_ROOM, .name = "stream/dropped", .label = "Dropped", .type = BH_FLOAT, .unit = "%", .max = 100, .access = BH_R,
				  .set = NOT, GET(GET_STREAM), .help = "frames that the stream has lost"},
	[OBS_K_RECORD] = {.cls = OBS_ROOM, .name = "record", .label = "Record", TOGGLE, .show = true, SET(START_RECORD), GET(GET_RECORD),
			  .event = "RecordStateChanged", .help = "on: start recording, off: stop"},
	[OBS_K_RECORD_STATE] = {.cls = OBS_ROOM, .name = "record/state", .label = "Record", STATE, .choices = output_choices, .set = NOT, GET(GET_RECORD),
				.event = "RecordStateChanged", .help = "how far it is"},
	[OBS_K_RECORD_PAUSED] = {.cls = OBS_ROOM, .name = "record/paused", .label = "Rec pause", TOGGLE, .show = true, SET(PAUSE_RECORD), GET(GET_RECORD),
				 .event = "RecordStateChanged", .help = "the recording pauses"},
	[OBS_K_RECORD_TIME] = {.cls = OBS_ROOM, .name = "record/time", .label = "Record", .type = BH_FLOAT, .unit = "s", .access = BH_R, .set = NOT, GET(GET_RECORD),
			       .help = "for how long"},
	[OBS_K_REPLAY] = {.cls = OBS_ROOM, .name = "replay", .label = "Replay", TOGGLE, .show = true, SET(START_REPLAY), GET(GET_REPLAY),
			  .event = "ReplayBufferStateChanged", .help = "on: start the replay buffer, off: stop"},
	[OBS_K_REPLAY_STATE] = {.cls = OBS_ROOM, .name = "replay/state", .label = "Replay", STATE, .choices = output_choices, .set = NOT, GET(GET_REPLAY),
				.event = "ReplayBufferStateChanged", .help = "how far it is"},
	[OBS_K_REPLAY_SAVED] = {.cls = OBS_ROOM, .name = "replay/saved", .label = "Replay", .type = BH_TEXT, .access = BH_R, .set = NOT, .get = NOT,
				.event = "ReplayBufferSaved", .help = "the file of the last saved replay"},
	[OBS_K_VIRTUALCAM] = {.cls = OBS_ROOM, .name = "virtual-camera", .label = "VirtCam", TOGGLE, .show = true, SET(START_VIRTUALCAM), GET(GET_VIRTUALCAM),
			      .event = "VirtualcamStateChanged", .help = "on: start the virtual camera, off: stop"},
	[OBS_K_VIRTUALCAM_STATE] = {.cls = OBS_ROOM, .name = "virtual-camera/state", .label = "VirtCam", STATE, .choices = output_choices, .set = NOT,
				    GET(GET_VIRTUALCAM), .event = "VirtualcamStateChanged", .help = "how far it is"},
	SHOWN(FPS, "stats/fps", "FPS", "fps", 0, 240, "frames a second"),
	SHOWN(FRAME_TIME, "stats/frame-time", "Frame", "ms", 0, 100, "how long a frame takes to draw"),
	SHOWN(CPU, "stats/cpu", "CPU", "%", 0, 100, "CPU that OBS uses"),
	SHOWN(MEMORY, "stats/memory", "Memory", "MB", 0, 65536, "memory that OBS uses"),
	SHOWN(DISK, "stats/disk", "Disk", "GB", 0, 0, "room on the disk that is recorded to"),
	SHOWN(RENDER_SKIPPED, "stats/render-skipped", "Skip rnd", "%", 0, 100, "frames that were drawn too late"),
	SHOWN(OUTPUT_SKIPPED, "stats/output-skipped", "Skip enc", "%", 0, 100, "frames that were encoded too late"),
	[OBS_K_VIEW] = {.cls = OBS_ROOM, .name = "view", .label = "View", STATE, .choices = view_choices, .set = NOT, .get = NOT,
			.help = "full, or one of the split views"},

	/* --- a scene */
	[OBS_K_SCENE_TALLY] = {.cls = OBS_SCENE, .name = "tally", STATE, .choices = tally_choices, .set = NOT, .get = NOT,
			       .help = "on air, in preview, also inside of other scenes"},
	[OBS_K_SCENE_PROGRAM] = {.cls = OBS_SCENE, .name = "program", TOGGLE, .show = true, SET(SET_PROGRAM), GET(GET_PROGRAM),
				 .event = "CurrentProgramSceneChanged", .help = "it is the program scene; on: make it so"},
	[OBS_K_SCENE_PREVIEW] = {.cls = OBS_SCENE, .name = "preview", TOGGLE, .show = true, SET(SET_PREVIEW), GET(GET_PREVIEW),
				 .event = "CurrentPreviewSceneChanged", .help = "it is the preview scene; on: make it so"},

	/* --- an input */
	[OBS_K_INPUT_TALLY] = {.cls = OBS_INPUT, .name = "tally", STATE, .choices = tally_choices, .set = NOT, .get = NOT,
			       .help = "on air, in preview, through all scenes"},
	[OBS_K_VOLUME] = {.cls = OBS_INPUT, .name = "volume", .type = BH_FLOAT, .unit = "dB", .min = -100, .max = 26, .taper = BH_TAPER_OBS_DB, .access = BH_RW,
			  .has = OBS_HAS_AUDIO, SET(SET_INPUT_VOLUME), GET(GET_INPUT_VOLUME), .event = "InputVolumeChanged", .help = "volume"},
	[OBS_K_MUTE] = {.cls = OBS_INPUT, .name = "mute", TOGGLE, .has = OBS_HAS_AUDIO, SET(SET_INPUT_MUTE), GET(GET_INPUT_MUTE),
			.event = "InputMuteStateChanged", .help = "mute"},
	[OBS_K_MONITOR] = {.cls = OBS_INPUT, .name = "monitor", .label = "mon", LIST, .choices = monitor_choices, .has = OBS_HAS_AUDIO, SET(SET_INPUT_MONITOR),
			   GET(GET_INPUT_MONITOR), .event = "InputAudioMonitorTypeChanged", .help = "audio monitoring"},
	[OBS_K_BALANCE] = {.cls = OBS_INPUT, .name = "balance", .label = "bal", .type = BH_FLOAT, .max = 1, .def = 0.5, .access = BH_RW, .has = OBS_HAS_AUDIO,
			   SET(SET_INPUT_BALANCE), GET(GET_INPUT_BALANCE), .event = "InputAudioBalanceChanged", .help = "0 left, 0.5 middle, 1 right"},
	[OBS_K_SYNC] = {.cls = OBS_INPUT, .name = "sync", .label = "sync", .type = BH_INT, .unit = "ms", .min = -950, .max = 20000, .step = 1, .access = BH_RW,
			.has = OBS_HAS_AUDIO, SET(SET_INPUT_SYNC), GET(GET_INPUT_SYNC), .event = "InputAudioSyncOffsetChanged", .help = "sync offset"},
	TRACK(1), TRACK(2), TRACK(3), TRACK(4), TRACK(5), TRACK(6),
	[OBS_K_METER] = {.cls = OBS_INPUT, .name = "meter", .type = BH_FLOAT, .unit = "dB", .min = -60, .access = BH_METER, .has = OBS_HAS_AUDIO, .set = NOT, .get = NOT,
			 .event = "InputVolumeMeters", .help = "level behind the fader, the louder channel; OBS sends it only while somebody looks"},
	[OBS_K_MEDIA_STATE] = {.cls = OBS_INPUT, .name = "media/state", STATE, .choices = media_choices, .has = OBS_HAS_MEDIA, .set = NOT, GET(GET_MEDIA),
			       .event = "MediaInputPlaybackStarted", .help = "what a media source does"},
	[OBS_K_MEDIA_PLAYING] = {.cls = OBS_INPUT, .name = "media/playing", .label = "play", TOGGLE, .has = OBS_HAS_MEDIA, SET(TRIGGER_MEDIA), GET(GET_MEDIA),
				 .event = "MediaInputActionTriggered", .help = "it plays; on: play (from the start when it has ended), off: pause"},
	[OBS_K_MEDIA_CURSOR] = {.cls = OBS_INPUT, .name = "media/cursor", .label = "pos", .type = BH_FLOAT, .unit = "s", .access = BH_RW, .has = OBS_HAS_MEDIA,
				SET(SET_MEDIA_CURSOR), GET(GET_MEDIA), .help = "where a media source is; its range is its duration"},
	[OBS_K_MEDIA_DURATION] = {.cls = OBS_INPUT, .name = "media/duration", .label = "length", .type = BH_FLOAT, .unit = "s", .access = BH_R,
				  .has = OBS_HAS_MEDIA, .set = NOT, GET(GET_MEDIA), .help = "how long a media source is"},

	/* --- an item of a scene */
	[OBS_K_ITEM_VISIBLE] = {.cls = OBS_ITEM, .name = "visible", TOGGLE, .show = true, SET(SET_ITEM_ENABLED), GET(GET_ITEM_ENABLED),
				.event = "SceneItemEnableStateChanged", .help = "it is shown"},
	[OBS_K_ITEM_LOCKED] = {.cls = OBS_ITEM, .name = "locked", .label = "lock", TOGGLE, SET(SET_ITEM_LOCKED), GET(GET_ITEM_LOCKED),
			       .event = "SceneItemLockStateChanged", .help = "it is locked in OBS's window"},
	MOVED(X, "x", "px", -90000, 90000, 1, 0, "position, from the left"),
	MOVED(Y, "y", "px", -90000, 90000, 1, 0, "position, from the top"),
	MOVED(SCALE, "scale", "%", 1, 1000, 1, 100, "width and height together"),
	MOVED(SCALE_X, "scale-x", "%", -10000, 10000, 1, 100, "width; negative is mirrored"),
	MOVED(SCALE_Y, "scale-y", "%", -10000, 10000, 1, 100, "height; negative is mirrored"),
	MOVED(ROTATION, "rotation", "deg", -360, 360, 1, 0, "clockwise"),
	CROP(LEFT, "crop-left", "cut away at the left"),
	CROP(RIGHT, "crop-right", "cut away at the right"),
	CROP(TOP, "crop-top", "cut away at the top"),
	CROP(BOTTOM, "crop-bottom", "cut away at the bottom"),

	/* --- a filter, and one of its settings (its type and range are those of the setting) */
	[OBS_K_FILTER_ENABLED] = {.cls = OBS_FILTER, .name = "enabled", TOGGLE, SET(SET_FILTER_ENABLED), GET(GET_FILTER),
				  .event = "SourceFilterEnableStateChanged", .help = "the filter works"},
	[OBS_K_SETTING] = {.cls = OBS_SETTING, .name = "", .type = BH_FLOAT, .access = BH_RW, SET(SET_FILTER_SETTINGS), GET(GET_FILTER),
			   .event = "SourceFilterSettingsChanged", .help = "a number or a switch of the filter's settings, by its name in OBS's files"},

	/* --- a camera of the configuration */
	[OBS_K_CAMERA_TALLY] = {.cls = OBS_CAMERA, .name = "tally", STATE, .choices = tally_choices, .set = NOT, .get = NOT, .help = "its scene or source is on air, in preview"},
	AIM(CAMERA, X, "x", "px", -90000, 90000, 2, 0, "position of its item, from the left"),
	AIM(CAMERA, Y, "y", "px", -90000, 90000, 2, 0, "position of its item, from the top"),
	AIM(CAMERA, ZOOM, "zoom", "%", 1, 1000, 2, 100, "zoom about the middle; 100 fills the canvas"),
	STICK(CAMERA, MOVE_X, "move-x", "pan with this speed"),
	STICK(CAMERA, MOVE_Y, "move-y", "tilt with this speed"),
	STICK(CAMERA, MOVE_ZOOM, "move-zoom", "zoom with this speed"),

	/* --- a PTZ target */
	[OBS_K_PTZ_CAMERA] = {.cls = OBS_PTZ, .name = "camera", .label = "cam", LIST, .set = NOT, .get = NOT, .help = "which camera it moves"},
	[OBS_K_PTZ_MODIFIER] = {.cls = OBS_PTZ, .name = "modifier", .label = "mod", TOGGLE, .set = NOT, .get = NOT, .help = "held: a camera is chosen for preview"},
	AIM(PTZ, X, "x", "px", -90000, 90000, 2, 0, "position of its camera's item, from the left"),
	AIM(PTZ, Y, "y", "px", -90000, 90000, 2, 0, "position of its camera's item, from the top"),
	AIM(PTZ, ZOOM, "zoom", "%", 1, 1000, 2, 100, "zoom of its camera"),
	STICK(PTZ, MOVE_X, "move-x", "pan its camera with this speed"),
	STICK(PTZ, MOVE_Y, "move-y", "tilt its camera with this speed"),
	STICK(PTZ, MOVE_ZOOM, "move-zoom", "zoom its camera with this speed"),
};
/* clang-format on */

enum obs_kind
obs_class_first(enum obs_class cls)
{
	static const enum obs_kind first[OBS_CLASSES + 1] = {
		OBS_K_PROGRAM, OBS_K_SCENE_TALLY, OBS_K_INPUT_TALLY, OBS_K_ITEM_VISIBLE, OBS_K_FILTER_ENABLED, OBS_K_SETTING,
		OBS_K_CAMERA_TALLY, OBS_K_PTZ_CAMERA, OBS_KINDS};
	return first[cls <= OBS_CLASSES ? cls : OBS_CLASSES];
}
