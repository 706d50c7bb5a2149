/*
 * Every request that bh-obs can send, put to a real OBS: accepted, or refused for a reason that stands here. BH_RECORD=FOLDER keeps the
 * session as FOLDER/requests.tape.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "procs/obs/requests.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/obs_suite.h"
#include "tests/lib/obs_tape.h"
#include "tests/lib/patience.h"

#define PORT 4455
#define PASSWORD "secret123"

struct row {
	enum obs_req req;
	const char *data;  /* "@DIR@" is the peer's folder */
	int code;	   /* 0: accepted */
	const char *why;   /* it is refused here */
	const char *event; /* that follows */
};

/* In an order in which each has what it needs. */
/* clang-format off */
#define RECORDS "it goes on"
#define DRAWS "some frames"
#define YES(id, text)		 {OBS_REQ_##id, text, 0, NULL, NULL}
#define TOLD(id, text, told)	 {OBS_REQ_##id, text, 0, NULL, told}
#define NO(id, text, code, reason) {OBS_REQ_##id, text, code, reason, NULL}
static const struct row rows[] = {
	YES(GET_VERSION, NULL),
	YES(GET_STATS, NULL),
	YES(GET_SCENE_LIST, NULL),
	YES(GET_INPUT_LIST, NULL),
	YES(GET_GROUP_LIST, NULL),
	YES(GET_VIDEO_SETTINGS, NULL),
	YES(GET_PROGRAM, NULL),
	TOLD(SET_PROGRAM, "{'sceneName': 'Two'}", "CurrentProgramSceneChanged"),

	YES(GET_STUDIO_MODE, NULL),
	NO(SET_PREVIEW, "{'sceneName': 'One'}", 506, "studio mode is off"),
	NO(SET_TBAR, "{'position': 0.5}", 506, "studio mode is off"),
	TOLD(SET_STUDIO_MODE, "{'studioModeEnabled': true}", "StudioModeStateChanged"),
	YES(GET_PREVIEW, NULL),
	TOLD(SET_PREVIEW, "{'sceneName': 'One'}", "CurrentPreviewSceneChanged"),
	YES(GET_TRANSITION_LIST, NULL),
	YES(SET_TRANSITION, "{'transitionName': 'Fade'}"),
	YES(GET_TRANSITION, NULL),
	TOLD(SET_TRANSITION_DURATION, "{'transitionDuration': 200}", "CurrentSceneTransitionDurationChanged"),
	TOLD(TRIGGER_TRANSITION, NULL, "SceneTransitionEnded"),
	YES(GET_TRANSITION_CURSOR, NULL),
	TOLD(SET_TBAR, "{'position': 0.4, 'release': false}", "SceneTransitionStarted"),
	TOLD(SET_TBAR, "{'position': 1.0, 'release': true}", "SceneTransitionEnded"),
	YES(GET_OVERRIDE, "{'sceneName': 'One'}"),
	YES(SET_OVERRIDE, "{'sceneName': 'One', 'transitionName': 'Cut', 'transitionDuration': 100}"),
	YES(SET_OVERRIDE, "{'sceneName': 'One', 'transitionName': null, 'transitionDuration': null}"),
	TOLD(SET_STUDIO_MODE, "{'studioModeEnabled': false}", "StudioModeStateChanged"),

	YES(GET_INPUT_VOLUME, "{'inputName': 'Mic'}"),
	NO(GET_INPUT_VOLUME, "{'inputName': 'Red'}", 604, "a colour has no audio"),
	TOLD(SET_INPUT_VOLUME, "{'inputName': 'Mic', 'inputVolumeDb': -6.5}", "InputVolumeChanged"),
	NO(SET_INPUT_VOLUME, "{'inputName': 'Mic', 'inputVolumeDb': 26.5}", 402, "above +26 dB"),
	NO(SET_INPUT_VOLUME, "{'inputName': 'None', 'inputVolumeDb': 0.0}", 600, "no such input"),
	YES(GET_INPUT_MUTE, "{'inputName': 'Mic'}"),
	TOLD(SET_INPUT_MUTE, "{'inputName': 'Mic', 'inputMuted': true}", "InputMuteStateChanged"),
	YES(GET_INPUT_BALANCE, "{'inputName': 'Mic'}"),
	TOLD(SET_INPUT_BALANCE, "{'inputName': 'Mic', 'inputAudioBalance': 0.25}", "InputAudioBalanceChanged"),
	YES(GET_INPUT_SYNC, "{'inputName': 'Mic'}"),
	TOLD(SET_INPUT_SYNC, "{'inputName': 'Mic', 'inputAudioSyncOffset': 40}", "InputAudioSyncOffsetChanged"),
	YES(GET_INPUT_MONITOR, "{'inputName': 'Mic'}"),
	TOLD(SET_INPUT_MONITOR, "{'inputName': 'Mic', 'monitorType': 'OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT'}", "InputAudioMonitorTypeChanged"),
	YES(GET_INPUT_TRACKS, "{'inputName': 'Mic'}"),
	TOLD(SET_INPUT_TRACKS, "{'inputName': 'Mic', 'inputAudioTracks': {'3': false}}", "InputAudioTracksChanged"),
	NO(PRESS_BUTTON, "{'inputName': 'Mic', 'propertyName': 'refresh'}", 600, "no input of Debian's OBS has a button without hardware or a browser"),

	YES(GET_MEDIA, "{'inputName': 'Clip'}"),
	TOLD(TRIGGER_MEDIA, "{'inputName': 'Clip', 'mediaAction': 'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART'}", "MediaInputActionTriggered"),
	TOLD(TRIGGER_MEDIA, "{'inputName': 'Clip', 'mediaAction': 'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE'}", "MediaInputActionTriggered"),
	YES(SET_MEDIA_CURSOR, "{'inputName': 'Clip', 'mediaCursor': 1000}"),
	YES(OFFSET_MEDIA_CURSOR, "{'inputName': 'Clip', 'mediaCursorOffset': -500}"),
	TOLD(TRIGGER_MEDIA, "{'inputName': 'Clip', 'mediaAction': 'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_STOP'}", "MediaInputActionTriggered"),

	YES(GET_ITEM_LIST, "{'sceneName': 'One'}"),
	YES(GET_GROUP_ITEM_LIST, "{'sceneName': 'Pair'}"),
	YES(GET_ITEM_ENABLED, "{'sceneName': 'One', 'sceneItemId': 1}"),
	TOLD(SET_ITEM_ENABLED, "{'sceneName': 'One', 'sceneItemId': 1, 'sceneItemEnabled': false}", "SceneItemEnableStateChanged"),
	YES(GET_ITEM_LOCKED, "{'sceneName': 'One', 'sceneItemId': 1}"),
	TOLD(SET_ITEM_LOCKED, "{'sceneName': 'One', 'sceneItemId': 1, 'sceneItemLocked': true}", "SceneItemLockStateChanged"),
	YES(GET_ITEM_TRANSFORM, "{'sceneName': 'One', 'sceneItemId': 1}"),
	TOLD(SET_ITEM_TRANSFORM, "{'sceneName': 'One', 'sceneItemId': 1, 'sceneItemTransform': {'positionX': 10.0, 'scaleX': 1.5, 'rotation': 45.0, 'cropLeft': 4}}", "SceneItemTransformChanged"),

	YES(GET_FILTER_LIST, "{'sourceName': 'Mic'}"),
	YES(GET_FILTER, "{'sourceName': 'Mic', 'filterName': 'Gain'}"),
	YES(GET_FILTER_DEFAULTS, "{'filterKind': 'gain_filter'}"),
	TOLD(SET_FILTER_ENABLED, "{'sourceName': 'Mic', 'filterName': 'Gain', 'filterEnabled': false}", "SourceFilterEnableStateChanged"),
	YES(SET_FILTER_SETTINGS, "{'sourceName': 'Mic', 'filterName': 'Gain', 'filterSettings': {'db': 3.0}, 'overlay': true}"),

	/* Before the recording: its encoder would be shared, and its next key frame may be 25 s away. */
	YES(GET_REPLAY, NULL),
	TOLD(START_REPLAY, NULL, "ReplayBufferStateChanged/OBS_WEBSOCKET_OUTPUT_STARTED"),
	TOLD(GET_STATS, NULL, DRAWS),
	/* Once: each further one within the encoder's delay puts off the saving. */
	TOLD(SAVE_REPLAY, NULL, "ReplayBufferSaved"),
	TOLD(STOP_REPLAY, NULL, "ReplayBufferStateChanged/OBS_WEBSOCKET_OUTPUT_STOPPED"),
	YES(GET_RECORD, NULL),
	NO(STOP_RECORD, NULL, 501, "nothing is recorded"),
	TOLD(START_RECORD, NULL, "RecordStateChanged/OBS_WEBSOCKET_OUTPUT_STARTED"),
	TOLD(GET_RECORD, NULL, RECORDS),
	TOLD(PAUSE_RECORD, NULL, "RecordStateChanged/OBS_WEBSOCKET_OUTPUT_PAUSED"),
	TOLD(GET_STATS, NULL, DRAWS), /* a pause shorter than a frame, and OBS 29 would never end this recording */
	TOLD(RESUME_RECORD, NULL, "RecordStateChanged/OBS_WEBSOCKET_OUTPUT_RESUMED"),
	TOLD(GET_RECORD, NULL, RECORDS),
	NO(SPLIT_RECORD, NULL, 204, "since 5.5"),
	NO(CREATE_CHAPTER, NULL, 204, "since 5.5"),
	TOLD(STOP_RECORD, NULL, "RecordStateChanged/OBS_WEBSOCKET_OUTPUT_STOPPED"),
	YES(GET_STREAM, NULL),
	TOLD(START_STREAM, NULL, "StreamStateChanged/OBS_WEBSOCKET_OUTPUT_STOPPED"), /* it has no server to go to */
	NO(STOP_STREAM, NULL, 501, "it did not get so far as to run"),
	NO(GET_VIRTUALCAM, NULL, 604, "no v4l2loopback here"),
	NO(START_VIRTUALCAM, NULL, 604, "no v4l2loopback here"),
	NO(STOP_VIRTUALCAM, NULL, 604, "no v4l2loopback here"),

	YES(TRIGGER_HOTKEY, "{'hotkeyName': 'OBSBasic.EnablePreview'}"),
	NO(TRIGGER_HOTKEY, "{'hotkeyName': 'Nonsense'}", 600, "no such hotkey"),
	YES(TRIGGER_HOTKEY_KEYS, "{'keyId': 'OBS_KEY_F1', 'keyModifiers': {'shift': true}}"),
	YES(SAVE_SCREENSHOT, "{'sourceName': 'One', 'imageFormat': 'png', 'imageFilePath': '@DIR@/rec/shot.png'}"),
	YES(GET_PROFILES, NULL),
	TOLD(SET_PROFILE, "{'profileName': 'Second'}", "CurrentProfileChanged"),
	YES(GET_COLLECTIONS, NULL),
	TOLD(SET_COLLECTION, "{'sceneCollectionName': 'Second'}", "CurrentSceneCollectionChanged"),
};
/* clang-format on */

static struct obs_peer *obs;
static struct obs_client *c;
static struct obs_recorder *recorder;

static void
setup(void)
{
	const char *folder = getenv("BH_RECORD");
	char path[512];
	obs = obs_peer_new(PORT, PASSWORD);
	obs_peer_colour(obs, "Red", 0xff0000ff);
	obs_peer_colour(obs, "Blue", 0xffff0000);
	obs_peer_tone(obs, "Mic", 440, 0.25);
	obs_peer_tone(obs, "Music", 550, 0.1);
	obs_peer_media(obs, "Clip", 3);
	obs_peer_filter(obs, "Mic", "Gain", "gain_filter", "{\"db\":-3.0}");
	obs_peer_filter(obs, "Red", "Colour", "color_filter_v2", "{\"gamma\":0.2}");
	obs_peer_group(obs, "Pair", "Blue", "Music", NULL);
	obs_peer_scene(obs, "One", "Red", "Mic", "Pair", NULL);
	obs_peer_scene(obs, "Two", "Blue", "Clip", "One", NULL);
	obs_peer_start(obs);
	/* The other profile and collection, which need a request that bh-obs does not know. */
	c = obs_client_open(PORT, PASSWORD, OBS_EVENTS_ALL);
	obs_client_call(c, "CreateProfile", "{'profileName': 'Second'}");
	obs_client_call(c, "SetCurrentProfile", "{'profileName': 'gw'}");
	obs_client_call(c, "CreateSceneCollection", "{'sceneCollectionName': 'Second'}");
	obs_client_call(c, "SetCurrentSceneCollection", "{'sceneCollectionName': 'gw'}");
	obs_client_close(c);
	snprintf(path, sizeof(path), "%s/requests.tape", folder ? folder : obs_peer_dir(obs));
	recorder = obs_recorder_start(PORT + 1, PORT, path);
	c = obs_client_open(PORT + 1, PASSWORD, OBS_EVENTS_ALL | OBS_EVENTS_TRANSFORM);
}

static void
teardown(void)
{
	obs_client_close(c);
	obs_recorder_stop(recorder);
	obs_peer_free(obs);
}

static const char *
with_dir(const char *data)
{
	static char text[1024];
	const char *at = data ? strstr(data, "@DIR@") : NULL;
	if (!at)
		return data;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - data), data, obs_peer_dir(obs), at + 5);
	return text;
}

/* "TYPE", or of an output "TYPE/STATE". */
static void
expect_event(const char *event)
{
	char type[64];
	const char *state = strchr(event, '/');
	snprintf(type, sizeof(type), "%.*s", (int)strcspn(event, "/"), event);
	obs_client_event(c, type, state ? "outputState" : NULL, state ? state + 1 : NULL);
}

static void
wait_growth(const char *request, const char *field, double by)
{
	const double before = obs_number(obs_client_call(c, request, NULL), field);
	bool grown = false;
	for (int i = 0; i < 600 && !grown; i++) {
		obs_client_pump(c, 100);
		grown = obs_number(obs_client_call(c, request, NULL), field) >= before + by;
	}
	ck_assert_msg(grown, "%s: %s stays %g", request, field, before);
}

static void
put(const struct row *row)
{
	const char *name = obs_req_name(row->req), *data = with_dir(row->data);
	int code = data ? obs_client_ask(c, name, "%s", data) : obs_client_ask(c, name, NULL);
	ck_assert_msg(code == (row->code ? row->code : 100), "%s %s answered %d, %s", name, data ? data : "", code, obs_client_comment(c));
	if (row->event && !strcmp(row->event, RECORDS))
		wait_growth("GetRecordStatus", "outputDuration", 500);
	else if (row->event && !strcmp(row->event, DRAWS))
		wait_growth("GetStats", "renderTotalFrames", 10);
	else if (row->event)
		expect_event(row->event);
}

/* Those that are never accepted are told. */
START_TEST(each_request_of_the_driver_is_accepted_or_its_refusal_explained)
{
	unsigned tried[OBS_REQ_COUNT] = {0}, accepted[OBS_REQ_COUNT] = {0}, n = 0;
	for (const struct row *row = rows; row < rows + BH_ARRAY_LEN(rows); row++) {
		put(row);
		tried[row->req]++;
		accepted[row->req] += !row->code;
		n += !row->code && accepted[row->req] == 1;
	}
	printf("%u of %d requests accepted by OBS\n", n, OBS_REQ_COUNT);
	for (int i = 0; i < OBS_REQ_COUNT; i++)
		ck_assert_msg(tried[i], "nothing puts %s to OBS", obs_req_name((enum obs_req)i));
	for (const struct row *row = rows; row < rows + BH_ARRAY_LEN(rows); row++)
		if (!accepted[row->req])
			printf("%s: refused, %d: %s\n", obs_req_name(row->req), row->code, row->why);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {each_request_of_the_driver_is_accepted_or_its_refusal_explained, NULL};
	return obs_suite_run("obs_requests", 120, setup, teardown, tests);
}
