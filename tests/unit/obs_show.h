/* An OBS for the tests of actions and cameras: three cameras, two split views, sound, media; 1920 x 1080. Texts as in obs_stage.h. */
#pragma once

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_stage.h"

#define ITEM_AT(source, id, enabled, x, y, scale)                                                                                    \
	"{'sceneItemId':" #id ",'sceneItemIndex':" #id ",'sourceName':'" source "','sourceType':'OBS_SOURCE_TYPE_INPUT'," \
	"'inputKind':'v4l2_input','isGroup':null,'sceneItemEnabled':" enabled ",'sceneItemLocked':false,'sceneItemTransform':" TRANSFORM(x, y, scale) "}"
#define TRANSFORM(x, y, scale)                                                                                                       \
	"{'alignment':5,'boundsAlignment':0,'boundsHeight':0.0,'boundsType':'OBS_BOUNDS_NONE','boundsWidth':0.0,'cropBottom':0," \
	"'cropLeft':0,'cropRight':0,'cropTop':0,'height':1080.0,'positionX':" #x ".0,'positionY':" #y ".0,'rotation':0.0,'scaleX':" #scale \
	",'scaleY':" #scale ",'sourceHeight':1080.0,'sourceWidth':1920.0,'width':1920.0}"
#define INPUT(name, kind) "{'inputName':'" name "','inputKind':'" kind "','unversionedInputKind':'" kind "'}"

static const struct obs_stage_row show_world[] = {
	{"GetSceneList", NULL,
	 "{'currentProgramSceneName':'Cam 1','currentPreviewSceneName':null,'scenes':[{'sceneIndex':0,'sceneName':'Right'},"
	 "{'sceneIndex':1,'sceneName':'Left'},{'sceneIndex':2,'sceneName':'Break'},{'sceneIndex':3,'sceneName':'Cam 3'},"
	 "{'sceneIndex':4,'sceneName':'Cam 2'},{'sceneIndex':5,'sceneName':'Cam 1'}]}", 0},
	{"GetInputList", NULL,
	 "{'inputs':[" INPUT("Mic", "pulse_input_capture") "," INPUT("Clip", "ffmpeg_source") "," INPUT("Eye 1", "v4l2_input") ","
	 INPUT("Eye 2", "v4l2_input") "," INPUT("Eye 3", "v4l2_input") "," INPUT("Half 1", "v4l2_input") "," INPUT("Half 2", "v4l2_input") ","
	 INPUT("Page", "browser_source") "]}", 0},
	{"GetGroupList", NULL, "{'groups':[]}", 0},
	{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':false}", 0},
	{"GetSceneTransitionList", NULL,
	 "{'currentSceneTransitionName':'Blende','currentSceneTransitionKind':'fade_transition','transitions':["
	 "{'transitionName':'Schnitt','transitionKind':'cut_transition','transitionFixed':true,'transitionConfigurable':false},"
	 "{'transitionName':'Blende','transitionKind':'fade_transition','transitionFixed':false,'transitionConfigurable':false}]}", 0},
	{"GetCurrentSceneTransition", NULL,
	 "{'transitionName':'Blende','transitionKind':'fade_transition','transitionFixed':false,'transitionDuration':300,"
	 "'transitionConfigurable':false,'transitionSettings':null}", 0},
	{"GetProfileList", NULL, "{'currentProfileName':'gw','profiles':['gw','HD']}", 0},
	{"GetSceneCollectionList", NULL, "{'currentSceneCollectionName':'gw','sceneCollections':['gw','Sunday']}", 0},
	{"GetVideoSettings", NULL, "{'baseWidth':1920,'baseHeight':1080,'outputWidth':1920,'outputHeight':1080,'fpsNumerator':30,'fpsDenominator':1}", 0},
	{"GetStreamStatus", NULL, "{'outputActive':false,'outputReconnecting':false}", 0},
	{"GetRecordStatus", NULL, "{'outputActive':false,'outputPaused':false}", 0},
	{"GetReplayBufferStatus", NULL, "{'outputActive':false}", 0},
	{"GetVirtualCamStatus", NULL, "{'outputActive':false}", 0},
	{"GetInputVolume", "Mic", "{'inputVolumeDb':0.0,'inputVolumeMul':1.0}", 0},
	{"GetInputMute", "Mic", "{'inputMuted':false}", 0},
	{"GetInputAudioBalance", "Mic", "{'inputAudioBalance':0.5}", 0},
	{"GetInputAudioSyncOffset", "Mic", "{'inputAudioSyncOffset':0}", 0},
	{"GetInputAudioMonitorType", "Mic", "{'monitorType':'OBS_MONITORING_TYPE_NONE'}", 0},
	{"GetInputAudioTracks", "Mic", "{'inputAudioTracks':{'1':true,'2':false,'3':false,'4':false,'5':false,'6':false}}", 0},
	{"GetInputVolume", NULL, "no sound", 604},
	{"GetInputMute", NULL, "no sound", 604},
	{"GetMediaInputStatus", "Clip", "{'mediaState':'OBS_MEDIA_STATE_PLAYING','mediaCursor':1000,'mediaDuration':9000}", 0},
	{"GetMediaInputStatus", NULL, "no media", 604},
	{"GetSourceFilterList", "'Mic'", "{'filters':[{'filterName':'Gate','filterKind':'noise_gate_filter','filterEnabled':true,'filterIndex':0,'filterSettings':{}}]}", 0},
	{"GetSourceFilterList", NULL, "{'filters':[]}", 0},
	{"GetSourceFilter", NULL, "{'filterName':'Gate','filterKind':'noise_gate_filter','filterEnabled':true,'filterIndex':0,'filterSettings':{}}", 0},
	{"GetSourceFilterDefaultSettings", NULL, "{'defaultFilterSettings':{}}", 0},
	{"GetSceneItemList", "Cam 1", "{'sceneItems':[" ITEM_AT("Eye 1", 1, "true", 0, 0, 1.0) "]}", 0},
	{"GetSceneItemList", "Cam 2", "{'sceneItems':[" ITEM_AT("Eye 2", 1, "true", 100, 50, 1.0) "]}", 0},
	{"GetSceneItemList", "Cam 3", "{'sceneItems':[" ITEM_AT("Eye 3", 7, "true", 0, 0, 0.001) "]}", 0},
	{"GetSceneItemList", "Break", "{'sceneItems':[" ITEM_AT("Clip", 1, "true", 0, 0, 1.0) "," ITEM_AT("Clip", 2, "false", 0, 0, 1.0) "]}", 0},
	{"GetSceneItemList", "Left", "{'sceneItems':[" ITEM_AT("Half 1", 1, "true", 0, 0, 1.0) "," ITEM_AT("Half 2", 2, "false", 0, 0, 1.0) "]}", 0},
	{"GetSceneItemList", "Right", "{'sceneItems':[" ITEM_AT("Half 1", 4, "true", 0, 0, 1.0) "," ITEM_AT("Half 2", 5, "true", 0, 0, 1.0) "]}", 0},
	{0},
};

static const char *show_lacks; /* a request that this OBS does not have */

static inline bool
show_answers(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	static char version[8192];
	size_t len;

	(void)ctx;
	(void)data;
	if (strcmp(request, "GetVersion") != 0)
		return false;
	len = (size_t)sprintf(version, "{'obsVersion':'29.0.2','obsWebSocketVersion':'5.5.0','rpcVersion':1,'availableRequests':[");
	for (enum obs_req r = 0; r < OBS_REQ_COUNT; r++)
		if (!show_lacks || strcmp(obs_req_name(r), show_lacks) != 0)
			len += (size_t)sprintf(version + len, "%s'%s'", r ? "," : "", obs_req_name(r));
	sprintf(version + len, "]}");
	*row = (struct obs_stage_row){.request = request, .data = version};
	return true;
}

/* What was asked to be done; what the model asks for itself is left out, but transforms. */
static inline const char *
show_sent(struct obs_stage *s)
{
	static char out[65536];
	size_t len = 0;

	for (const char *line = obs_stage_sent(s), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (strncmp(line, "Get", 3) != 0 || !strncmp(line, "GetSceneItemTransform", 21))
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s\n", (int)(end - line), line);
		ck_assert_uint_lt(len, sizeof(out));
	}
	out[len] = '\0';
	return out;
}

static inline void
check_sent(struct obs_stage *s, const char *what, const char *expected)
{
	const char *sent = show_sent(s);

	ck_assert_msg(!strcmp(sent, expected), "%s sent\n%sbut should send\n%s", what, sent, expected);
}

static inline void
check_told(struct obs_stage *s, const char *what, const char *expected)
{
	const char *told = obs_stage_told(s);

	ck_assert_msg(!strcmp(told, expected), "%s told\n%sbut should tell\n%s", what, told, expected);
}

/* It has been asked nothing yet. */
static inline struct obs_stage *
show_new(const struct obs_config *cfg)
{
	struct obs_stage *s = obs_stage_new(cfg);

	show_lacks = NULL;
	obs_stage_world(s, show_world);
	obs_stage_on_request(s, show_answers, NULL);
	return s;
}

static inline struct obs_stage *
show_begin(const struct obs_config *cfg)
{
	struct obs_stage *s = show_new(cfg);

	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
	return s;
}

/* Events as OBS 29 sends them. */
static inline void
show_program(struct obs_stage *s, const char *scene)
{
	char data[400];

	snprintf(data, sizeof(data), "{'sceneName':'%s'}", scene);
	obs_stage_event(s, "CurrentProgramSceneChanged", data);
}

static inline void
show_preview(struct obs_stage *s, const char *scene)
{
	char data[400];

	snprintf(data, sizeof(data), "{'sceneName':'%s'}", scene);
	obs_stage_event(s, "CurrentPreviewSceneChanged", data);
}

static inline void
show_studio_mode(struct obs_stage *s, bool on, const char *preview)
{
	obs_stage_event(s, "StudioModeStateChanged", on ? "{'studioModeEnabled':true}" : "{'studioModeEnabled':false}");
	if (on)
		show_preview(s, preview);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
}
