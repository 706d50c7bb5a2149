/*
 * requests.h - every request that bh-obs can send, by its name in obs-websocket's protocol
 *
 * The one list: the encoder, docs/reference/obs.md and the test that shows each of them to a real OBS are made from it.
 * `since` is the obs-websocket version that has it ("5.0" = all of 5); whether the OBS at hand has it, GetVersion's
 * availableRequests tells, never its version number.
 */
#pragma once

/* X(identifier, name, since, what we use it for) */
#define OBS_REQUESTS(X)                                                                                            \
	X(GET_VERSION, "GetVersion", "5.0", "what this OBS can do")                                                \
	X(GET_STATS, "GetStats", "5.0", "frames, CPU, disk")                                                       \
	X(GET_SCENE_LIST, "GetSceneList", "5.0", "scenes, program, preview")                                       \
	X(GET_INPUT_LIST, "GetInputList", "5.0", "inputs")                                                         \
	X(GET_GROUP_LIST, "GetGroupList", "5.0", "groups")                                                         \
	X(GET_STUDIO_MODE, "GetStudioModeEnabled", "5.0", "studio mode")                                           \
	X(SET_STUDIO_MODE, "SetStudioModeEnabled", "5.0", "studio mode on and off")                                \
	X(GET_PROGRAM, "GetCurrentProgramScene", "5.0", "program scene")                                           \
	X(SET_PROGRAM, "SetCurrentProgramScene", "5.0", "scene to program")                                        \
	X(GET_PREVIEW, "GetCurrentPreviewScene", "5.0", "preview scene")                                           \
	X(SET_PREVIEW, "SetCurrentPreviewScene", "5.0", "scene to preview")                                        \
	X(TRIGGER_TRANSITION, "TriggerStudioModeTransition", "5.0", "preview to program")                          \
	X(SET_TBAR, "SetTBarPosition", "5.0", "the T-bar")                                                         \
	X(GET_TRANSITION_LIST, "GetSceneTransitionList", "5.0", "transitions, the current one")                    \
	X(GET_TRANSITION, "GetCurrentSceneTransition", "5.0", "the current transition and its duration")           \
	X(SET_TRANSITION, "SetCurrentSceneTransition", "5.0", "choose a transition")                               \
	X(SET_TRANSITION_DURATION, "SetCurrentSceneTransitionDuration", "5.0", "its duration")                     \
	X(GET_TRANSITION_CURSOR, "GetCurrentSceneTransitionCursor", "5.0", "how far a transition is")              \
	X(GET_OVERRIDE, "GetSceneSceneTransitionOverride", "5.0", "a scene's own transition, to put it back behind a cut")    \
	X(SET_OVERRIDE, "SetSceneSceneTransitionOverride", "5.0", "a cut, whatever the current transition is")           \
	X(GET_INPUT_VOLUME, "GetInputVolume", "5.0", "volume")                                                     \
	X(SET_INPUT_VOLUME, "SetInputVolume", "5.0", "volume")                                                     \
	X(GET_INPUT_MUTE, "GetInputMute", "5.0", "mute")                                                           \
	X(SET_INPUT_MUTE, "SetInputMute", "5.0", "mute")                                                           \
	X(GET_INPUT_BALANCE, "GetInputAudioBalance", "5.0", "balance")                                             \
	X(SET_INPUT_BALANCE, "SetInputAudioBalance", "5.0", "balance")                                             \
	X(GET_INPUT_SYNC, "GetInputAudioSyncOffset", "5.0", "sync offset")                                         \
	X(SET_INPUT_SYNC, "SetInputAudioSyncOffset", "5.0", "sync offset")                                         \
	X(GET_INPUT_MONITOR, "GetInputAudioMonitorType", "5.0", "audio monitoring")                                \
	X(SET_INPUT_MONITOR, "SetInputAudioMonitorType", "5.0", "audio monitoring")                                \
	X(GET_INPUT_TRACKS, "GetInputAudioTracks", "5.0", "audio tracks")                                          \
	X(SET_INPUT_TRACKS, "SetInputAudioTracks", "5.0", "audio tracks")                                          \
	X(GET_MEDIA, "GetMediaInputStatus", "5.0", "state, cursor, duration of a media input")                     \
	X(SET_MEDIA_CURSOR, "SetMediaInputCursor", "5.0", "to a position")                                         \
	X(OFFSET_MEDIA_CURSOR, "OffsetMediaInputCursor", "5.0", "forward and back")                                \
	X(TRIGGER_MEDIA, "TriggerMediaInputAction", "5.0", "play, pause, stop, restart, next, previous")           \
	X(GET_ITEM_LIST, "GetSceneItemList", "5.0", "items of a scene")                                            \
	X(GET_GROUP_ITEM_LIST, "GetGroupSceneItemList", "5.1", "items of a group")                                 \
	X(GET_ITEM_ENABLED, "GetSceneItemEnabled", "5.0", "is an item visible")                                    \
	X(SET_ITEM_ENABLED, "SetSceneItemEnabled", "5.0", "show and hide an item")                                 \
	X(GET_ITEM_LOCKED, "GetSceneItemLocked", "5.0", "is an item locked")                                       \
	X(SET_ITEM_LOCKED, "SetSceneItemLocked", "5.0", "lock an item")                                            \
	X(GET_ITEM_TRANSFORM, "GetSceneItemTransform", "5.0", "position, scale, rotation, crop")                   \
	X(SET_ITEM_TRANSFORM, "SetSceneItemTransform", "5.0", "position, scale, rotation, crop")                   \
	X(GET_FILTER_LIST, "GetSourceFilterList", "5.0", "filters of a source")                                    \
	X(GET_FILTER, "GetSourceFilter", "5.0", "a filter's settings")                                             \
	X(GET_FILTER_DEFAULTS, "GetSourceFilterDefaultSettings", "5.0", "settings that a filter has unless told")  \
	X(SET_FILTER_ENABLED, "SetSourceFilterEnabled", "5.0", "filter on and off")                                \
	X(SET_FILTER_SETTINGS, "SetSourceFilterSettings", "5.0", "a filter's settings")                            \
	X(GET_VIDEO_SETTINGS, "GetVideoSettings", "5.0", "size of the canvas")                                     \
	X(GET_STREAM, "GetStreamStatus", "5.0", "stream: time, congestion, dropped frames")                        \
	X(START_STREAM, "StartStream", "5.0", "stream")                                                            \
	X(STOP_STREAM, "StopStream", "5.0", "stream")                                                              \
	X(GET_RECORD, "GetRecordStatus", "5.0", "recording: time, paused")                                         \
	X(START_RECORD, "StartRecord", "5.0", "record")                                                            \
	X(STOP_RECORD, "StopRecord", "5.0", "record")                                                              \
	X(PAUSE_RECORD, "PauseRecord", "5.0", "pause the recording")                                               \
	X(RESUME_RECORD, "ResumeRecord", "5.0", "go on recording")                                                 \
	X(SPLIT_RECORD, "SplitRecordFile", "5.5", "begin another file")                                            \
	X(CREATE_CHAPTER, "CreateRecordChapter", "5.5", "chapter mark")                                            \
	X(GET_REPLAY, "GetReplayBufferStatus", "5.0", "replay buffer")                                             \
	X(START_REPLAY, "StartReplayBuffer", "5.0", "replay buffer")                                               \
	X(STOP_REPLAY, "StopReplayBuffer", "5.0", "replay buffer")                                                 \
	X(SAVE_REPLAY, "SaveReplayBuffer", "5.0", "save the replay")                                               \
	X(GET_VIRTUALCAM, "GetVirtualCamStatus", "5.0", "virtual camera")                                          \
	X(START_VIRTUALCAM, "StartVirtualCam", "5.0", "virtual camera")                                            \
	X(STOP_VIRTUALCAM, "StopVirtualCam", "5.0", "virtual camera")                                              \
	X(GET_PROFILES, "GetProfileList", "5.0", "profiles")                                                       \
	X(SET_PROFILE, "SetCurrentProfile", "5.0", "another profile")                                              \
	X(GET_COLLECTIONS, "GetSceneCollectionList", "5.0", "scene collections")                                   \
	X(SET_COLLECTION, "SetCurrentSceneCollection", "5.0", "another scene collection")                          \
	X(TRIGGER_HOTKEY, "TriggerHotkeyByName", "5.0", "a hotkey by its name")                                    \
	X(TRIGGER_HOTKEY_KEYS, "TriggerHotkeyByKeySequence", "5.0", "a hotkey by its keys")                        \
	X(SAVE_SCREENSHOT, "SaveSourceScreenshot", "5.0", "screenshot into a file")                                \
	X(PRESS_BUTTON, "PressInputPropertiesButton", "5.0", "a button of an input's properties")

/* clang-format off */
enum obs_req {
#define OBS_REQ_ENUM(id, name, since, use) OBS_REQ_##id,
	OBS_REQUESTS(OBS_REQ_ENUM)
#undef OBS_REQ_ENUM
	OBS_REQ_COUNT
};
/* clang-format on */

/* "SetInputVolume"; NULL beyond the table. */
const char *obs_req_name(enum obs_req req);
/* OBS_REQ_COUNT: none of ours. */
enum obs_req obs_req_by_name(const char *name);
