/* The model of OBS: its first picture, inputs and filters that come, change and go, values and what OBS answers to them. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/obs/model_int.h"
#include "tests/lib/obs_stage.h"

/* As a real OBS 29 with obs-websocket 5.1 answers. */
static const struct obs_stage_row world[] = {
	{"GetVersion", NULL,
	 "{'obsWebSocketVersion':'5.1.0','availableRequests':['GetVersion','GetSceneList','GetInputList','GetInputVolume','GetInputMute',"
	 "'GetInputAudioBalance','GetInputAudioSyncOffset','GetInputAudioMonitorType','GetInputAudioTracks','GetMediaInputStatus',"
	 "'GetSourceFilterList','GetSourceFilter','GetSourceFilterDefaultSettings','GetSceneItemList']}", 0},
	{"GetSceneList", NULL, "{'currentPreviewSceneName':null,'currentProgramSceneName':'Wide','scenes':[{'sceneIndex':0,'sceneName':'Wide'}]}", 0},
	{"GetInputList", NULL,
	 "{'inputs':[{'inputKind':'pulse_input_capture','inputName':'Mic','unversionedInputKind':'pulse_input_capture'},"
	 "{'inputKind':'ffmpeg_source','inputName':'Tape','unversionedInputKind':'ffmpeg_source'},"
	 "{'inputKind':'color_source_v3','inputName':'Red','unversionedInputKind':'color_source'}]}", 0},
	{"GetInputVolume", "'Red'", "The specified input does not support audio.", 604},
	{"GetInputVolume", "'Mic'", "{'inputVolumeDb':-6.5,'inputVolumeMul':0.47315126}", 0},
	{"GetInputVolume", "'Nope'", "No source was found by the name of `Nope`.", 600},
	{"GetInputVolume", NULL, "{'inputVolumeDb':0.0,'inputVolumeMul':1.0}", 0},
	{"GetInputMute", NULL, "{'inputMuted':false}", 0},
	{"GetInputAudioBalance", NULL, "{'inputAudioBalance':0.5}", 0},
	{"GetInputAudioSyncOffset", NULL, "{'inputAudioSyncOffset':20}", 0},
	{"GetInputAudioMonitorType", NULL, "{'monitorType':'OBS_MONITORING_TYPE_MONITOR_ONLY'}", 0},
	{"GetInputAudioTracks", NULL, "{'inputAudioTracks':{'1':true,'2':false,'3':true,'4':true,'5':true,'6':true}}", 0},
	{"GetMediaInputStatus", "'Tape'", "{'mediaCursor':1500,'mediaDuration':10000,'mediaState':'OBS_MEDIA_STATE_PLAYING'}", 0},
	{"GetMediaInputStatus", NULL, "{'mediaCursor':null,'mediaDuration':null,'mediaState':'OBS_MEDIA_STATE_NONE'}", 0},
	{"GetSourceFilterList", "'Mic'",
	 "{'filters':[{'filterEnabled':true,'filterIndex':0,'filterKind':'gain_filter','filterName':'Gain','filterSettings':{'db':-3.0}},"
	 "{'filterEnabled':false,'filterIndex':1,'filterKind':'compressor_filter','filterName':'Comp','filterSettings':{'ratio':4}}]}", 0},
	{"GetSourceFilterList", NULL, "{'filters':[]}", 0},
	{"GetSourceFilterDefaultSettings", "gain_filter", "{'defaultFilterSettings':{'db':0.0}}", 0},
	{"GetSourceFilterDefaultSettings", "compressor_filter",
	 "{'defaultFilterSettings':{'attack_time':6,'output_gain':0.0,'ratio':10.0,'release_time':60,'sidechain_source':'none','threshold':-18.0}}", 0},
	{"GetSourceFilter", "'Gain'", "{'filterEnabled':true,'filterIndex':0,'filterKind':'gain_filter','filterSettings':{'db':-3.0}}", 0},
	{"GetSourceFilter", "'Comp'", "{'filterEnabled':false,'filterIndex':1,'filterKind':'compressor_filter','filterSettings':{'ratio':4}}", 0},
	{0}};

static struct obs_stage *s;
static struct obs_model *m;

static void
begin(void)
{
	static struct obs_config cfg;
	cfg = obs_stage_config();
	cfg.stats_ms = 0;
	s = obs_stage_new(&cfg);
	m = obs_stage_model(s);
	obs_stage_world(s, world);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_sent(s);
	obs_stage_told(s);
}

static void
end(void)
{
	obs_stage_free(s);
}

static void
expect_sent(const char *want)
{
	ck_assert_str_eq(obs_stage_sent(s), want);
}

static void
expect_told(const char *want)
{
	ck_assert_str_eq(obs_stage_told(s), want);
}

/* ------------------------------------------------------------------ the picture */

START_TEST(the_first_picture_tells_all_that_obs_has)
{
	begin();
	static const struct { const char *param, *text; } want[] = {
		{"input/Mic/volume", "-6.5"}, {"input/Tape/volume", "0"}, {"input/Mic/mute", "false"}, {"input/Mic/balance", "0.5"},
		{"input/Mic/sync", "20"}, {"input/Mic/monitor", "monitor only"}, {"input/Mic/track1", "true"}, {"input/Mic/track2", "false"},
		{"input/Tape/media/state", "playing"}, {"input/Tape/media/playing", "true"}, {"input/Tape/media/cursor", "1.5"},
		{"input/Tape/media/duration", "10"}, {"input/Mic/filter/Gain/enabled", "true"}, {"input/Mic/filter/Comp/enabled", "false"},
		{"input/Mic/filter/Gain/db", "-3"}, {"input/Mic/filter/Comp/ratio", "4"}, {"input/Mic/filter/Comp/threshold", "-18"},
		{"input/Mic/filter/Comp/attack_time", "6"}};
	for (size_t k = 0; k < BH_ARRAY_LEN(want); k++)
		ck_assert_str_eq(obs_stage_text(s, want[k].param), want[k].text);
	ck_assert(!obs_stage_has(s, "input/Red/volume"));
	ck_assert(!obs_stage_has(s, "input/Mic/media/state"));
	ck_assert(!obs_stage_has(s, "input/Mic/filter/Comp/sidechain_source"));
	ck_assert_double_eq(obs_stage_param(s, "input/Tape/media/cursor")->max, 10);
	/* A whole number in OBS's file is a float if its default is one, with the range of OBS's dialog. */
	ck_assert_int_eq(obs_stage_param(s, "input/Mic/filter/Comp/ratio")->type, BH_FLOAT);
	ck_assert_double_eq(obs_stage_param(s, "input/Mic/filter/Comp/ratio")->max, 32);
	ck_assert_int_eq(obs_stage_param(s, "input/Mic/filter/Comp/attack_time")->type, BH_INT);
	end();
}
END_TEST

START_TEST(the_picture_is_one_batch_for_each_stage)
{
	static uint8_t buf[64 << 10];
	struct obs_out o;
	s = obs_stage_new(NULL);
	m = obs_stage_model(s);
	obs_model_begin(m, 1);
	obs_out_init(&o, buf, sizeof(buf));
	ck_assert(obs_model_stage(m, 1, &o, 1));
	ck_assert(obs_out_done(&o));
	ck_assert_uint_eq(m->planned, 15);
	obs_stage_world(s, world);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	const char *sent = obs_stage_sent(s);
	const char *first = strstr(sent, "GetStats"), *second = strstr(sent, "GetInputVolume"), *third = strstr(sent, "GetInputMute");
	ck_assert(first && second && third && first < second && second < third);
	ck_assert_ptr_null(strstr(third, "GetInputVolume"));
	ck_assert_ptr_null(strstr(third, "GetInputMute {'inputName':'Red'}"));
	end();
}
END_TEST

START_TEST(a_picture_that_is_too_long_for_one_batch_comes_in_parts)
{
	static uint8_t buf[1200];
	struct obs_out o;
	unsigned batches = 0;
	begin();
	obs_model_begin(m, 1);
	for (m->stage = 1; ; batches++) { /* details */
		obs_out_init(&o, buf, sizeof(buf));
		if (!obs_model_stage(m, 1, &o, 1) || m->stage > 1)
			break;
		ck_assert(obs_out_done(&o));
		m->planned = 0;
	}
	ck_assert_uint_ge(batches, 2);
	m->taking = false;
	end();
}
END_TEST

START_TEST(an_obs_that_is_not_ready_is_asked_again)
{
	static const struct obs_stage_row busy[] = {{"GetSceneList", NULL, "OBS is not ready to perform the request.", 207}, {0}};
	s = obs_stage_new(NULL);
	m = obs_stage_model(s);
	obs_stage_world(s, busy);
	ck_assert_int_eq(obs_stage_connect(s), -EAGAIN);
	ck_assert(!m->connected);
	obs_stage_world(s, NULL); /* nothing is answered: no picture either */
	ck_assert_int_eq(obs_stage_connect(s), -EAGAIN);
	obs_stage_world(s, world);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	end();
}
END_TEST

static const struct obs_stage_row *later_world;

static bool
on_later(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	(void)ctx;
	for (const struct obs_stage_row *r = later_world; r->request; r++)
		if (!strcmp(r->request, request) && (!r->with || strstr(data, r->with))) {
			*row = *r;
			return true;
		}
	return false;
}

START_TEST(what_is_not_in_a_new_picture_is_gone_and_the_rest_keeps_its_ids)
{
	static const struct obs_stage_row later[] = {
		{"GetInputList", NULL, "{'inputs':[{'inputKind':'a','inputName':'New','unversionedInputKind':'a'},"
				       "{'inputKind':'pulse_input_capture','inputName':'Mic','unversionedInputKind':'pulse_input_capture'}]}", 0},
		{"GetSourceFilterList", "'Mic'", "{'filters':[{'filterEnabled':true,'filterIndex':0,'filterKind':'gain_filter','filterName':'Gain'}]}", 0},
		{"GetInputVolume", "'Mic'", "{'inputVolumeDb':-1.0}", 0}, {0}};
	begin();
	bh_param_id mic = obs_stage_id(s, "input/Mic/volume"), gain = obs_stage_id(s, "input/Mic/filter/Gain/db");
	unsigned reports = obs_stage_reports(s, "input/Mic/filter/Gain/db");
	later_world = later;
	obs_stage_on_request(s, on_later, NULL);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/volume"), mic);
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/filter/Gain/db"), gain);
	ck_assert_uint_gt(obs_stage_reports(s, "input/Mic/filter/Gain/db"), reports);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-1");
	ck_assert_str_eq(obs_stage_list(s, "input/Tape"), "");
	ck_assert_str_eq(obs_stage_list(s, "input/Mic/filter/Comp"), "");
	ck_assert(obs_stage_has(s, "input/New/volume"));
	end();
}
END_TEST

static const struct obs_sink *sink_below;
static bool went_dark;

static int
watch_report(void *ctx, bh_param_id id, struct bh_value v)
{
	went_dark |= (m->of_param[id].kind == OBS_K_SCENE_PROGRAM || m->of_param[id].kind == OBS_K_SCENE_PREVIEW) && !v.i;
	return sink_below->report(ctx, id, v);
}

START_TEST(no_light_goes_out_for_a_new_picture)
{
	static const struct obs_stage_row studio[] = {
		{"GetSceneList", NULL, "{'currentPreviewSceneName':'Wide','currentProgramSceneName':'Wide','scenes':[{'sceneIndex':0,'sceneName':'Wide'}]}", 0},
		{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':true}", 0}, {0}};
	begin();
	later_world = studio;
	obs_stage_on_request(s, on_later, NULL);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_str_eq(obs_stage_text(s, "scene/Wide/program"), "true");
	ck_assert_str_eq(obs_stage_text(s, "scene/Wide/preview"), "true");
	struct obs_sink watch = *m->sink;
	sink_below = m->sink;
	watch.report = watch_report;
	m->sink = &watch;
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert(!went_dark);
	m->sink = sink_below;
	end();
}
END_TEST

/* Something happens at OBS while this request of the picture is on its way. */
static const char *race_request, *race_with, *race_event, *race_data;

static bool
on_race(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	(void)ctx, (void)row;
	if (race_request && !strcmp(request, race_request) && (!race_with || strstr(data, race_with))) {
		race_request = NULL;
		m->now_ns++;
		obs_stage_event(s, race_event, race_data);
	}
	return false;
}

static void
race(const char *request, const char *with, const char *event, const char *data)
{
	race_request = request;
	race_with = with;
	race_event = event;
	race_data = data;
	obs_stage_on_request(s, on_race, NULL);
}

START_TEST(something_that_comes_while_the_picture_is_taken_asks_for_another_one)
{
	begin();
	race("GetInputMute", NULL, "InputNameChanged", "{'oldInputName':'Mic','inputName':'Host'}");
	bh_param_id id = obs_stage_id(s, "input/Mic/volume");
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_uint_eq(obs_stage_id(s, "input/Host/volume"), id);
	ck_assert(obs_model_wants_picture(m));
	ck_assert(!obs_model_wants_picture(m)); /* once */
	race("GetInputVolume", NULL, "InputVolumeChanged", "{'inputName':'Tape','inputVolumeDb':-2.0,'inputVolumeMul':0.8}");
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert(!obs_model_wants_picture(m));
	end();
}
END_TEST

START_TEST(an_input_that_is_gone_before_its_details_are_told_asks_for_another_picture)
{
	static const struct obs_stage_row later[] = {
		{"GetInputVolume", "'Tape'", "No source was found by the name of `Tape`.", 600}, {0}};
	begin();
	later_world = later;
	obs_stage_on_request(s, on_later, NULL);
	for (int k = 0; k < 3; k++) { /* it may be renamed, and we are to hear of it soon; but not for ever */
		ck_assert_int_eq(obs_stage_connect(s), 0);
		ck_assert(obs_model_wants_picture(m) == (k < 2));
	}
	ck_assert(obs_stage_has(s, "input/Tape/tally"));
	obs_stage_on_request(s, NULL, NULL);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert(!obs_model_wants_picture(m));
	end();
}
END_TEST

START_TEST(an_event_is_not_overwritten_by_a_picture_that_was_asked_for_before_it)
{
	static uint8_t buf[64 << 10];
	struct obs_out o;
	struct bh_value v;
	begin();
	obs_model_begin(m, 100);
	m->taking = true;
	m->stage = 1;
	obs_out_init(&o, buf, sizeof(buf));
	ck_assert(obs_model_stage(m, 1, &o, 100));
	uint32_t mic = obs_find(m, OBS_INPUT, OBS_NONE, "Mic");
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-2.0,'inputVolumeMul':0.8}");
	struct obs_result r = {.ok = true, .code = 100};
	msgpack_object_kv kv = {.key = {.type = MSGPACK_OBJECT_STR, .via.str = {13, "inputVolumeDb"}}, .val = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = -50}};
	msgpack_object map = {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &kv}};
	r.data = &map;
	obs_take_result(m, OBS_REQ_GET_INPUT_VOLUME, obs_ref(m, mic), &r, 100);
	ck_assert(obs_told(m, mic, OBS_K_VOLUME, &v) && v.f == -2);
	m->taking = false;
	end();
}
END_TEST

/* ------------------------------------------------------------------ events */

START_TEST(each_event_of_an_input_is_told)
{
	static const struct { const char *type, *data, *param, *text; } rows[] = {
		{"InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-9.0,'inputVolumeMul':0.35}", "input/Mic/volume", "-9"},
		{"InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-100.0,'inputVolumeMul':0.0}", "input/Mic/volume", "-100"},
		{"InputMuteStateChanged", "{'inputName':'Mic','inputMuted':true}", "input/Mic/mute", "true"},
		{"InputAudioBalanceChanged", "{'inputName':'Mic','inputAudioBalance':0.25}", "input/Mic/balance", "0.25"},
		{"InputAudioSyncOffsetChanged", "{'inputName':'Mic','inputAudioSyncOffset':-100}", "input/Mic/sync", "-100"},
		{"InputAudioMonitorTypeChanged", "{'inputName':'Mic','monitorType':'OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT'}", "input/Mic/monitor",
		 "monitor and output"},
		{"InputAudioTracksChanged", "{'inputName':'Mic','inputAudioTracks':{'6':false}}", "input/Mic/track6", "false"},
		{"MediaInputActionTriggered", "{'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE'}", "input/Tape/media/state", "paused"},
		{"MediaInputActionTriggered", "{'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PLAY'}", "input/Tape/media/playing", "true"},
		{"MediaInputPlaybackEnded", "{'inputName':'Tape'}", "input/Tape/media/state", "ended"},
		{"MediaInputPlaybackStarted", "{'inputName':'Tape'}", "input/Tape/media/state", "playing"},
		{"SourceFilterEnableStateChanged", "{'sourceName':'Mic','filterName':'Comp','filterEnabled':true}", "input/Mic/filter/Comp/enabled", "true"},
		{"SourceFilterSettingsChanged", "{'sourceName':'Mic','filterName':'Gain','filterSettings':{'db':-7.5}}", "input/Mic/filter/Gain/db", "-7.5"},
		{"SourceFilterSettingsChanged", "{'sourceName':'Mic','filterName':'Gain','filterSettings':{}}", "input/Mic/filter/Gain/db", "0"}};
	begin();
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++) {
		obs_stage_event(s, rows[k].type, rows[k].data);
		ck_assert_msg(!strcmp(obs_stage_text(s, rows[k].param), rows[k].text), "%s: %s is %s", rows[k].type, rows[k].param,
			      obs_stage_text(s, rows[k].param));
	}
	expect_sent("");
	end();
}
END_TEST

START_TEST(events_for_what_is_not_there_or_that_make_no_sense_do_nothing)
{
	static const struct { const char *type, *data; } rows[] = {
		{"InputVolumeChanged", "{'inputName':'Nobody','inputVolumeDb':-9.0}"}, {"InputVolumeChanged", "{'inputVolumeDb':-9.0}"},
		{"InputVolumeChanged", "{'inputName':'Mic'}"}, {"InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':'loud'}"},
		{"InputVolumeChanged", NULL}, {"InputRemoved", "{'inputName':'Nobody'}"}, {"InputRemoved", NULL}, {"InputCreated", NULL},
		{"InputNameChanged", "{'inputName':'X'}"}, {"InputAudioMonitorTypeChanged", "{'inputName':'Mic','monitorType':'LOUD'}"},
		{"InputAudioTracksChanged", "{'inputName':'Mic','inputAudioTracks':[]}"}, {"InputAudioTracksChanged", "{'inputName':'Mic','inputAudioTracks':{'7':true}}"},
		{"InputVolumeMeters", NULL}, {"InputVolumeMeters", "{'inputs':[1,{},{'inputName':'Mic'}]}"},
		{"MediaInputActionTriggered", "{'inputName':'Tape','mediaAction':'DANCE'}"}, {"MediaInputPlaybackEnded", "{'inputName':'Nobody'}"},
		{"SourceFilterCreated", "{'sourceName':'Nobody','filterName':'F'}"}, {"SourceFilterCreated", "{'sourceName':'Mic'}"},
		{"SourceFilterRemoved", "{'sourceName':'Mic','filterName':'Nothing'}"}, {"SourceFilterSettingsChanged", "{'sourceName':'Mic','filterName':'Gain'}"},
		{"SourceFilterSettingsChanged", "{'sourceName':'Mic','filterName':'Nothing','filterSettings':{'db':1}}"},
		{"SourceFilterListReindexed", "{'sourceName':'Mic','filters':4}"}, {"SourceFilterDances", "{'sourceName':'Mic'}"}, {"Unheard", "{'of':1}"}};
	begin();
	unsigned params = obs_stage_params(s);
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++)
		obs_stage_event(s, rows[k].type, rows[k].data);
	ck_assert_uint_eq(obs_stage_params(s), params);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	end();
}
END_TEST

START_TEST(an_input_that_is_created_is_asked_for_all_it_has)
{
	begin();
	obs_stage_event(s, "InputCreated", "{'inputName':'Guest','inputKind':'pulse_input_capture','unversionedInputKind':'pulse_input_capture','inputSettings':{},'defaultInputSettings':{}}");
	expect_sent("GetInputVolume {'inputName':'Guest'}\nGetInputMute {'inputName':'Guest'}\nGetInputAudioBalance {'inputName':'Guest'}\n"
		    "GetInputAudioSyncOffset {'inputName':'Guest'}\nGetInputAudioMonitorType {'inputName':'Guest'}\n"
		    "GetInputAudioTracks {'inputName':'Guest'}\nGetMediaInputStatus {'inputName':'Guest'}\nGetSourceFilterList {'sourceName':'Guest'}\n");
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "input/Guest/volume"), "0");
	ck_assert_str_eq(obs_stage_text(s, "input/Guest/track2"), "false");
	obs_stage_event(s, "InputRemoved", "{'inputName':'Guest'}");
	ck_assert_str_eq(obs_stage_list(s, "input/Guest"), "");
	end();
}
END_TEST

START_TEST(so_many_new_inputs_that_all_are_asked_at_once_instead)
{
	char data[200];
	begin();
	for (int k = 0; k < 40; k++) {
		snprintf(data, sizeof(data), "{'inputName':'In %d','inputKind':'x','unversionedInputKind':'x'}", k);
		obs_stage_event(s, "InputCreated", data);
	}
	ck_assert(obs_model_wants_picture(m));
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(a_renamed_input_and_a_renamed_filter_keep_their_ids)
{
	begin();
	bh_param_id volume = obs_stage_id(s, "input/Mic/volume"), db = obs_stage_id(s, "input/Mic/filter/Gain/db");
	obs_stage_event(s, "InputNameChanged", "{'oldInputName':'Mic','inputName':'Host'}");
	obs_stage_event(s, "SourceFilterNameChanged", "{'sourceName':'Host','oldFilterName':'Gain','filterName':'Trim'}");
	ck_assert_uint_eq(obs_stage_id(s, "input/Host/volume"), volume);
	ck_assert_uint_eq(obs_stage_id(s, "input/Host/filter/Trim/db"), db);
	ck_assert_str_eq(obs_stage_text(s, "input/Host/filter/Trim/db"), "-3");
	ck_assert_int_eq(obs_stage_set(s, "input/Host/filter/Trim/db", 2), 0);
	expect_sent("SetSourceFilterSettings {'sourceName':'Host','filterName':'Trim','filterSettings':{'db':2.0}}\n");
	obs_stage_answer_all(s);
	/* One that we have never heard of. */
	obs_stage_event(s, "InputNameChanged", "{'oldInputName':'Ghost','inputName':'Spirit'}");
	ck_assert(obs_model_wants_picture(m));
	end();
}
END_TEST

START_TEST(filters_come_with_their_settings_and_go)
{
	begin();
	obs_stage_event(s, "SourceFilterCreated",
			"{'sourceName':'Tape','filterName':'Gate','filterKind':'noise_gate_filter','filterIndex':0,'filterSettings':{'open_threshold':-20},"
			"'defaultFilterSettings':{'open_threshold':-26.0,'close_threshold':-32.0,'attack_time':25,'hold':true}}");
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/filter/Gate/enabled"), "true");
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/filter/Gate/open_threshold"), "-20");
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/filter/Gate/close_threshold"), "-32");
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/filter/Gate/hold"), "true");
	ck_assert_int_eq(obs_stage_set(s, "input/Tape/filter/Gate/hold", 0), 0);
	ck_assert_int_eq(obs_stage_set(s, "input/Tape/filter/Gate/attack_time", 50), 0);
	expect_sent("SetSourceFilterSettings {'sourceName':'Tape','filterName':'Gate','filterSettings':{'hold':false}}\n"
		    "SetSourceFilterSettings {'sourceName':'Tape','filterName':'Gate','filterSettings':{'attack_time':50}}\n");
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/filter/Gate/hold"), "false"); /* no event tells it in 5.1 */
	obs_stage_event(s, "SourceFilterListReindexed",
			"{'sourceName':'Mic','filters':[{'filterEnabled':true,'filterIndex':0,'filterKind':'compressor_filter','filterName':'Comp'}]}");
	ck_assert(!obs_stage_has(s, "input/Mic/filter/Gain/enabled"));
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/filter/Comp/enabled"), "true");
	obs_stage_event(s, "SourceFilterRemoved", "{'sourceName':'Tape','filterName':'Gate'}");
	ck_assert_str_eq(obs_stage_list(s, "input/Tape/filter"), "");
	end();
}
END_TEST

START_TEST(settings_that_were_set_here_are_read_again_where_obs_does_not_tell_them)
{
	static const struct obs_stage_row later[] = {{"GetSourceFilter", "'Gain'", "{'filterEnabled':true,'filterSettings':{'db':-12.0}}", 0}, {0}};
	begin();
	obs_stage_answer_all(s);
	obs_stage_advance(s, 5000);
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "GetSourceFilter"));
	obs_stage_answer_all(s);
	obs_stage_set(s, "input/Mic/filter/Gain/db", -1);
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/filter/Gain/db"), "-1");
	obs_stage_sent(s);
	obs_stage_advance(s, 1100);
	ck_assert_ptr_nonnull(strstr(obs_stage_sent(s), "GetSourceFilter {'sourceName':'Mic','filterName':'Gain'}\n"));
	later_world = later;
	obs_stage_on_request(s, on_later, NULL);
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/filter/Gain/db"), "-12");
	end();
}
END_TEST

START_TEST(where_media_are_is_asked_while_they_play)
{
	begin();
	obs_stage_advance(s, 10);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_advance(s, 500);
	expect_sent("GetMediaInputStatus {'inputName':'Tape'}\n");
	obs_stage_answer_all(s);
	obs_stage_event(s, "MediaInputActionTriggered", "{'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE'}");
	obs_stage_advance(s, 400);
	expect_sent("GetMediaInputStatus {'inputName':'Tape'}\n"); /* once: where it has stopped */
	obs_stage_answer_with(s, 0, 100, "{'mediaCursor':4000,'mediaDuration':10000,'mediaState':'OBS_MEDIA_STATE_PAUSED'}");
	ck_assert_str_eq(obs_stage_text(s, "input/Tape/media/cursor"), "4");
	obs_stage_advance(s, 5000);
	expect_sent("");
	end();
}
END_TEST

START_TEST(meters_are_wanted_only_while_somebody_looks)
{
	begin();
	const char *data = "{'inputs':[{'inputName':'Mic','inputLevelsMul':[[0.25,0.5,0.5],[0.125,0.25,1]]},{'inputName':'Tape','inputLevelsMul':[]}]}";
	ck_assert_uint_eq(obs_model_subscriptions(m) & OBS_SUB_METERS, 0);
	ck_assert_uint_ne(obs_model_subscriptions(m) & OBS_SUB_INPUTS, 0);
	obs_stage_event(s, "InputVolumeMeters", data);
	expect_told("");
	bh_param_id mic = obs_stage_id(s, "input/Mic/meter"), tape = obs_stage_id(s, "input/Tape/meter");
	obs_model_watch(m, mic, true);
	obs_model_watch(m, mic, true);
	obs_model_watch(m, tape, true);
	obs_model_watch(m, obs_stage_id(s, "input/Mic/volume"), true); /* is no meter */
	obs_model_watch(m, 100000, true);
	ck_assert_uint_ne(obs_model_subscriptions(m) & OBS_SUB_METERS, 0);
	obs_stage_event(s, "InputVolumeMeters", data);
	expect_told("meter input/Mic/meter 2 0.25/0.5/0.5 0.125/0.25/1\nmeter input/Tape/meter 0\n");
	obs_model_watch(m, tape, false);
	obs_stage_event(s, "InputRemoved", "{'inputName':'Mic'}");
	ck_assert_uint_eq(obs_model_subscriptions(m) & OBS_SUB_METERS, 0);
	end();
}
END_TEST

START_TEST(inputs_that_come_again_with_another_collection_keep_their_ids)
{
	static const struct obs_stage_row later[] = {
		{"GetInputList", NULL, "{'inputs':[{'inputKind':'pulse_input_capture','inputName':'Mic','unversionedInputKind':'pulse_input_capture'}]}", 0}, {0}};
	begin();
	bh_param_id mic = obs_stage_id(s, "input/Mic/volume"), db = obs_stage_id(s, "input/Mic/filter/Gain/db");
	m->frozen = true;
	obs_stage_event(s, "InputRemoved", "{'inputName':'Mic'}");
	obs_stage_event(s, "InputRemoved", "{'inputName':'Tape'}");
	ck_assert(!obs_model_wants_picture(m));
	m->frozen = false;
	obs_stage_event(s, "InputCreated", "{'inputName':'Mic','inputKind':'pulse_input_capture','unversionedInputKind':'pulse_input_capture'}");
	later_world = later;
	obs_stage_on_request(s, on_later, NULL);
	obs_stage_connect(s);
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/volume"), mic);
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/filter/Gain/db"), db);
	ck_assert_str_eq(obs_stage_list(s, "input/Tape"), "");
	obs_stage_answer_all(s);
	end();
}
END_TEST

/* ------------------------------------------------------------------ values */

START_TEST(each_value_becomes_its_request)
{
	static const struct { const char *param; double x; const char *sent; } rows[] = {
		{"input/Mic/volume", -12.5, "SetInputVolume {'inputName':'Mic','inputVolumeDb':-12.5}\n"},
		{"input/Mic/volume", 99, "SetInputVolume {'inputName':'Mic','inputVolumeDb':26.0}\n"},
		{"input/Mic/mute", 1, "SetInputMute {'inputName':'Mic','inputMuted':true}\n"},
		{"input/Mic/balance", 0.25, "SetInputAudioBalance {'inputName':'Mic','inputAudioBalance':0.25}\n"},
		{"input/Mic/sync", -2000, "SetInputAudioSyncOffset {'inputName':'Mic','inputAudioSyncOffset':-950}\n"},
		{"input/Mic/monitor", 2, "SetInputAudioMonitorType {'inputName':'Mic','monitorType':'OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT'}\n"},
		{"input/Mic/track3", 0, "SetInputAudioTracks {'inputName':'Mic','inputAudioTracks':{'3':false}}\n"},
		{"input/Tape/media/playing", 0, "TriggerMediaInputAction {'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE'}\n"},
		{"input/Tape/media/playing", 1, "TriggerMediaInputAction {'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PLAY'}\n"},
		{"input/Tape/media/cursor", 2.5, "SetMediaInputCursor {'inputName':'Tape','mediaCursor':2500}\n"},
		{"input/Mic/filter/Comp/enabled", 1, "SetSourceFilterEnabled {'sourceName':'Mic','filterName':'Comp','filterEnabled':true}\n"},
		{"input/Mic/filter/Comp/ratio", 3, "SetSourceFilterSettings {'sourceName':'Mic','filterName':'Comp','filterSettings':{'ratio':3.0}}\n"}};
	begin();
	for (size_t k = 0; k < BH_ARRAY_LEN(rows); k++) {
		ck_assert_int_eq(obs_stage_set(s, rows[k].param, rows[k].x), 0);
		expect_sent(rows[k].sent);
		obs_stage_answer_all(s);
		obs_stage_sent(s);
	}
	obs_stage_event(s, "MediaInputPlaybackEnded", "{'inputName':'Tape'}");
	obs_stage_set(s, "input/Tape/media/playing", 1);
	expect_sent("TriggerMediaInputAction {'inputName':'Tape','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART'}\n");
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(tracks_that_are_on_their_way_are_said_again_so_that_none_is_lost)
{
	begin();
	obs_stage_set(s, "input/Mic/track1", 0);
	obs_stage_set(s, "input/Mic/track2", 1);
	obs_stage_set(s, "input/Tape/track1", 0);
	expect_sent("SetInputAudioTracks {'inputName':'Mic','inputAudioTracks':{'1':false,'2':true}}\n"
		    "SetInputAudioTracks {'inputName':'Mic','inputAudioTracks':{'1':false,'2':true}}\n"
		    "SetInputAudioTracks {'inputName':'Tape','inputAudioTracks':{'1':false}}\n");
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(values_that_are_none_are_refused_with_words)
{
	begin();
	struct bh_value v = bh_float(0.0 / 0.0);
	ck_assert_int_eq(obs_model_set(m, obs_stage_id(s, "input/Mic/volume"), &v, 1, 1, 1), -EINVAL);
	v = bh_int(3);
	ck_assert_int_eq(obs_model_set(m, obs_stage_id(s, "input/Mic/volume"), &v, 1, 1, 1), -EINVAL);
	ck_assert_int_eq(obs_stage_set(s, "input/Mic/monitor", 3), -EINVAL);
	ck_assert_int_eq(obs_stage_set(s, "input/Mic/meter", 3), -EINVAL);
	ck_assert_int_eq(obs_model_set(m, 4000, &v, 1, 1, 1), -ENOENT);
	ck_assert_int_eq(obs_model_set(m, 1u << 30, &v, 1, 1, 1), -ENOENT);
	expect_told("failed input/Mic/volume: the value is no number\nfailed input/Mic/volume: the value is of another type\n"
		    "failed input/Mic/monitor: there is no such choice\nfailed input/Mic/meter: it can only be read\n");
	expect_sent("");
	end();
}
END_TEST

START_TEST(the_echo_of_a_hand_that_moves_on_is_not_reported)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_send(s);
	obs_stage_set(s, "input/Mic/volume", -20);
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-10.0,'inputVolumeMul':0.3}");
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	obs_stage_answer(s, 0);
	expect_sent("SetInputVolume {'inputName':'Mic','inputVolumeDb':-10.0}\nSetInputVolume {'inputName':'Mic','inputVolumeDb':-20.0}\n");
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	/* The last one's event comes first, or behind its answer. */
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-20.0,'inputVolumeMul':0.1}");
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-20");
	ck_assert_uint_eq(m->held, 0);
	end();
}
END_TEST

START_TEST(an_echo_that_comes_late_is_waited_for_before_an_older_one_is_taken_for_the_truth)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_send(s);
	obs_stage_answer(s, 0); /* without its event */
	obs_stage_set(s, "input/Mic/volume", -20);
	obs_stage_send(s);
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-10.0,'inputVolumeMul':0.3}");
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5"); /* not -10 */
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-20.0,'inputVolumeMul':0.1}");
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-20");
	/* What stays uncontradicted is what OBS has: somebody else moved it. */
	obs_stage_set(s, "input/Mic/volume", -30);
	obs_stage_send(s);
	obs_stage_event(s, "InputVolumeChanged", "{'inputName':'Mic','inputVolumeDb':-3.0,'inputVolumeMul':0.3}");
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-20");
	obs_stage_advance(s, 50);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-20");
	obs_stage_advance(s, 100);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-3");
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(what_obs_refuses_is_said_in_its_words_and_its_truth_is_read_again)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_sent(s);
	obs_stage_answer_with(s, 0, 402, "The field value of `inputVolumeDb` is above the maximum of `26.000000`");
	expect_told("failed input/Mic/volume: OBS: SetInputVolume of input Mic: The field value of `inputVolumeDb` is above the maximum of `26.000000` (402)\n");
	unsigned reports = obs_stage_reports(s, "input/Mic/volume");
	expect_sent("GetInputVolume {'inputName':'Mic'}\n");
	obs_stage_answer_all(s);
	ck_assert_uint_eq(obs_stage_reports(s, "input/Mic/volume"), reports + 1);
	ck_assert_str_eq(obs_stage_text(s, "input/Mic/volume"), "-6.5");
	/* Without words of its own, with ours. */
	obs_stage_set(s, "input/Mic/filter/Gain/db", 1);
	obs_stage_sent(s);
	obs_stage_answer_with(s, 0, 600, NULL);
	expect_told("failed input/Mic/filter/Gain/db: OBS: SetSourceFilterSettings of setting db of Gain: there is no such thing in OBS (600)\n");
	/* And if it is really gone, a new picture will say so. */
	expect_sent("GetSourceFilter {'sourceName':'Mic','filterName':'Gain'}\n");
	obs_stage_answer_with(s, 0, 600, "No filter was found");
	ck_assert(obs_model_wants_picture(m));
	end();
}
END_TEST

START_TEST(what_is_gone_when_its_answer_comes_is_not_told_of)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_sent(s);
	obs_stage_event(s, "InputRemoved", "{'inputName':'Mic'}");
	obs_stage_answer_with(s, 0, 600, "No source was found by the name of `Mic`.");
	expect_told("");
	expect_sent("");
	/* Nor does a value wait for it. */
	obs_stage_set(s, "input/Tape/volume", -10);
	obs_stage_event(s, "InputRemoved", "{'inputName':'Tape'}");
	obs_stage_event(s, "InputCreated", "{'inputName':'Tape','inputKind':'x','unversionedInputKind':'x'}");
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "SetInputVolume"));
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(an_answer_about_an_earlier_input_is_not_taken_for_its_successor)
{
	begin();
	obs_stage_event(s, "InputCreated", "{'inputName':'One','inputKind':'x','unversionedInputKind':'x'}");
	obs_stage_send(s);
	obs_stage_event(s, "InputRemoved", "{'inputName':'One'}");
	obs_stage_event(s, "InputCreated", "{'inputName':'Two','inputKind':'x','unversionedInputKind':'x'}");
	obs_stage_answer_with(s, 0, 100, "{'inputVolumeDb':-33.0}");
	ck_assert(!obs_stage_has(s, "input/Two/volume"));
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "input/Two/volume"), "0");
	end();
}
END_TEST

START_TEST(a_value_for_what_is_renamed_meanwhile_goes_out_again_by_the_new_name)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_sent(s);
	obs_stage_event(s, "InputNameChanged", "{'oldInputName':'Mic','inputName':'Host'}");
	obs_stage_answer_with(s, 0, 600, "No source was found by the name of `Mic`.");
	expect_told("");
	expect_sent("SetInputVolume {'inputName':'Host','inputVolumeDb':-10.0}\n");
	obs_stage_answer_all(s);
	/* And what was asked by the old name is not taken for the answer about the new one. */
	obs_stage_event(s, "InputCreated", "{'inputName':'One','inputKind':'x','unversionedInputKind':'x'}");
	obs_stage_send(s);
	obs_stage_event(s, "InputNameChanged", "{'oldInputName':'One','inputName':'Two'}");
	obs_stage_answer_with(s, 0, 100, "{'inputVolumeDb':-33.0}");
	ck_assert(!obs_stage_has(s, "input/Two/volume"));
	ck_assert(obs_model_wants_picture(m));
	obs_stage_answer_all(s);
	end();
}
END_TEST

START_TEST(values_without_a_connection_are_not_sent_later)
{
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_set(s, "input/Mic/volume", -11), -ENOTCONN);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "SetInput"));
	obs_stage_disconnect(s);
	obs_stage_disconnect(s); /* twice is once */
	end();
}
END_TEST

START_TEST(what_changes_the_programme_is_never_done_late)
{
	static const char *const scenes[] = {"Wide", "Close"};
	begin();
	m->now_ns = obs_stage_now(s) - 5 * BH_NS_PER_S;
	obs_list_set(m, &m->scenes, scenes, 2);
	obs_publish(m, 0);
	obs_stage_told(s);
	ck_assert_int_eq(obs_stage_set_at(s, "program", 1, obs_stage_now(s) - 2 * BH_NS_PER_S), -ETIME);
	expect_told("failed program: not done: it came 2000 ms late\n");
	/* A choice by number means the list that the hand saw. */
	static const char *const others[] = {"Close", "Wide"};
	m->now_ns = obs_stage_now(s) - 100 * BH_NS_PER_MS;
	obs_list_set(m, &m->scenes, others, 2);
	ck_assert_int_eq(obs_stage_set_at(s, "program", 1, obs_stage_now(s) - 200 * BH_NS_PER_MS), -ESTALE);
	expect_told("failed program: not done: OBS has changed the list since it was chosen\n");
	ck_assert(obs_model_is_show(m, obs_stage_id(s, "program")));
	ck_assert(!obs_model_is_show(m, obs_stage_id(s, "input/Mic/volume")));
	ck_assert(!obs_model_is_show(m, 1u << 30));
	ck_assert(!obs_model_may_wait(m, obs_stage_id(s, "program")));
	ck_assert(obs_model_may_wait(m, obs_stage_id(s, "input/Mic/volume")));
	ck_assert(obs_model_may_wait(m, 1u << 30));
	m->frozen = true;
	ck_assert_int_eq(obs_stage_set(s, "program", 1), -ENOTCONN);
	expect_told("failed program: not done: OBS changes its scene collection\n");
	m->frozen = false;
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_set(s, "program", 1), -ENOTCONN);
	expect_told("failed program: not done: no connection to OBS\n");
	end();
}
END_TEST

START_TEST(a_request_without_an_answer_is_said_and_read_again)
{
	struct obs_ask ask;
	begin();
	obs_stage_set(s, "input/Mic/volume", -10);
	obs_stage_sent(s);
	uint64_t later = obs_stage_now(s) + 6 * BH_NS_PER_S;
	while (obs_queue_expire(obs_model_queue(m), later, &ask))
		obs_model_dropped(m, &ask);
	expect_told("failed input/Mic/volume: OBS: SetInputVolume of input Mic: no answer for 5 s\n");
	expect_sent("GetInputVolume {'inputName':'Mic'}\n");
	end();
}
END_TEST

START_TEST(what_obs_has_can_be_reported_again)
{
	begin();
	unsigned a = obs_stage_reports(s, "input/Mic/volume"), b = obs_stage_reports(s, "input/Tape/media/state");
	obs_model_report(m, obs_stage_id(s, "input/Mic/volume"));
	ck_assert_uint_eq(obs_stage_reports(s, "input/Mic/volume"), a + 1);
	ck_assert_uint_eq(obs_stage_reports(s, "input/Tape/media/state"), b);
	obs_model_report(m, 1u << 30);
	/* Not while a hand's value is on its way. */
	double had = obs_stage_value(s, "input/Mic/volume");
	obs_stage_set(s, "input/Mic/volume", had);
	obs_model_report(m, obs_stage_id(s, "input/Mic/volume"));
	ck_assert_uint_eq(obs_stage_reports(s, "input/Mic/volume"), a + 1);
	obs_stage_answer_all(s);
	ck_assert_uint_eq(obs_stage_reports(s, "input/Mic/volume"), a + 2);
	ck_assert_double_eq(obs_stage_value(s, "input/Mic/volume"), had);
	end();
}
END_TEST

START_TEST(transforms_and_settings_come_and_go_with_the_configuration)
{
	struct obs_config cfg = obs_stage_config(), less = cfg;
	less.settings = false;
	s = obs_stage_new(&less);
	m = obs_stage_model(s);
	obs_stage_world(s, world);
	obs_stage_connect(s);
	ck_assert(!obs_stage_has(s, "input/Mic/filter/Gain/db"));
	ck_assert(obs_stage_has(s, "input/Mic/filter/Gain/enabled"));
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "Default"));
	ck_assert_int_eq(obs_model_reconfigure(m, &cfg), 0);
	ck_assert(obs_model_wants_picture(m));
	obs_stage_connect(s);
	ck_assert(obs_stage_has(s, "input/Mic/filter/Gain/db"));
	ck_assert_int_eq(obs_model_reconfigure(m, &less), 0);
	ck_assert(!obs_stage_has(s, "input/Mic/filter/Gain/db"));
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs_model");
	TCase *tc = tcase_create("picture");
	tcase_add_test(tc, the_first_picture_tells_all_that_obs_has);
	tcase_add_test(tc, the_picture_is_one_batch_for_each_stage);
	tcase_add_test(tc, a_picture_that_is_too_long_for_one_batch_comes_in_parts);
	tcase_add_test(tc, an_obs_that_is_not_ready_is_asked_again);
	tcase_add_test(tc, what_is_not_in_a_new_picture_is_gone_and_the_rest_keeps_its_ids);
	tcase_add_test(tc, no_light_goes_out_for_a_new_picture);
	tcase_add_test(tc, something_that_comes_while_the_picture_is_taken_asks_for_another_one);
	tcase_add_test(tc, an_input_that_is_gone_before_its_details_are_told_asks_for_another_picture);
	tcase_add_test(tc, an_event_is_not_overwritten_by_a_picture_that_was_asked_for_before_it);
	suite_add_tcase(suite, tc);
	tc = tcase_create("events");
	tcase_add_test(tc, each_event_of_an_input_is_told);
	tcase_add_test(tc, events_for_what_is_not_there_or_that_make_no_sense_do_nothing);
	tcase_add_test(tc, an_input_that_is_created_is_asked_for_all_it_has);
	tcase_add_test(tc, so_many_new_inputs_that_all_are_asked_at_once_instead);
	tcase_add_test(tc, a_renamed_input_and_a_renamed_filter_keep_their_ids);
	tcase_add_test(tc, filters_come_with_their_settings_and_go);
	tcase_add_test(tc, settings_that_were_set_here_are_read_again_where_obs_does_not_tell_them);
	tcase_add_test(tc, where_media_are_is_asked_while_they_play);
	tcase_add_test(tc, meters_are_wanted_only_while_somebody_looks);
	tcase_add_test(tc, inputs_that_come_again_with_another_collection_keep_their_ids);
	suite_add_tcase(suite, tc);
	tc = tcase_create("values");
	tcase_add_test(tc, each_value_becomes_its_request);
	tcase_add_test(tc, tracks_that_are_on_their_way_are_said_again_so_that_none_is_lost);
	tcase_add_test(tc, values_that_are_none_are_refused_with_words);
	tcase_add_test(tc, the_echo_of_a_hand_that_moves_on_is_not_reported);
	tcase_add_test(tc, an_echo_that_comes_late_is_waited_for_before_an_older_one_is_taken_for_the_truth);
	tcase_add_test(tc, what_obs_refuses_is_said_in_its_words_and_its_truth_is_read_again);
	tcase_add_test(tc, what_is_gone_when_its_answer_comes_is_not_told_of);
	tcase_add_test(tc, an_answer_about_an_earlier_input_is_not_taken_for_its_successor);
	tcase_add_test(tc, a_value_for_what_is_renamed_meanwhile_goes_out_again_by_the_new_name);
	tcase_add_test(tc, values_without_a_connection_are_not_sent_later);
	tcase_add_test(tc, what_changes_the_programme_is_never_done_late);
	tcase_add_test(tc, a_request_without_an_answer_is_said_and_read_again);
	tcase_add_test(tc, what_obs_has_can_be_reported_again);
	tcase_add_test(tc, transforms_and_settings_come_and_go_with_the_configuration);
	suite_add_tcase(suite, tc);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
