/* test_obs_outputs - stream, record, replay buffer, virtual camera and statistics: what their events say, and what is asked meanwhile */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_stage.h"

static const struct obs_stage_row world[] = {
	{"GetVersion", NULL, "{'obsWebSocketVersion':'5.1.0','availableRequests':[]}", 0},
	{"GetSceneList", NULL, "{'currentProgramSceneName':'A','currentPreviewSceneName':null,'scenes':[{'sceneIndex':0,'sceneName':'A'}]}", 0},
	{"GetInputList", NULL, "{'inputs':[]}", 0},
	{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':false}", 0},
	{"GetStreamStatus", NULL, "{'outputActive':true,'outputReconnecting':false,'outputDuration':61234,'outputCongestion':0.125,'outputSkippedFrames':3,"
				  "'outputTotalFrames':400,'outputTimecode':'00:01:01.234'}", 0},
	{"GetRecordStatus", NULL, "{'outputActive':true,'outputPaused':true,'outputDuration':2500}", 0},
	{"GetReplayBufferStatus", NULL, "Replay buffer is not available.", 604},
	{"GetVirtualCamStatus", NULL, "{'outputActive':false}", 0},
	{"GetStats", NULL, "{'activeFps':29.97002997,'averageFrameRenderTime':1.23456,'cpuUsage':12.3456,'memoryUsage':412.6,"
			   "'availableDiskSpace':10240.0,'renderSkippedFrames':1,'renderTotalFrames':200,'outputSkippedFrames':0,'outputTotalFrames':0}", 0},
	{0},
};

static const struct obs_stage_row idle[] = {
	{"GetVersion", NULL, "{'obsWebSocketVersion':'5.1.0','availableRequests':[]}", 0},
	{"GetSceneList", NULL, "{'currentProgramSceneName':'A','currentPreviewSceneName':null,'scenes':[{'sceneIndex':0,'sceneName':'A'}]}", 0},
	{"GetInputList", NULL, "{'inputs':[]}", 0},
	{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':false}", 0},
	{"GetStreamStatus", NULL, "{'outputActive':false,'outputDuration':0}", 0},
	{"GetRecordStatus", NULL, "{'outputActive':false,'outputPaused':false,'outputDuration':0}", 0},
	{"GetReplayBufferStatus", NULL, "{'outputActive':false}", 0},
	{"GetVirtualCamStatus", NULL, "{'outputActive':false}", 0},
	{"GetStats", NULL, "{'activeFps':30.0}", 0},
	{0},
};

static struct obs_stage *s;

static void
begin_with(const struct obs_stage_row *w)
{
	s = obs_stage_new(NULL);
	obs_stage_world(s, w);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_advance(s, 1); /* the first poll */
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
}

static void
setup(void)
{
	begin_with(idle);
}

static void
teardown(void)
{
	obs_stage_free(s);
}

static void
expect(const char *param, const char *text)
{
	ck_assert_msg(!strcmp(obs_stage_text(s, param), text), "%s is %s, not %s", param, obs_stage_text(s, param), text);
}

static void
state(const char *event, const char *word)
{
	char d[128];
	snprintf(d, sizeof(d), "{'outputActive':false,'outputState':'OBS_WEBSOCKET_OUTPUT_%s'}", word);
	obs_stage_event(s, event, d);
}

static const struct {
	const char *param, *event, *start, *stop;
} outputs[] = {{"stream", "StreamStateChanged", "StartStream\n", "StopStream\n"},
	       {"record", "RecordStateChanged", "StartRecord\n", "StopRecord\n"},
	       {"replay", "ReplayBufferStateChanged", "StartReplayBuffer\n", "StopReplayBuffer\n"},
	       {"virtual-camera", "VirtualcamStateChanged", "StartVirtualCam\n", "StopVirtualCam\n"}};

START_TEST(output_is_what_its_events_say)
{
	char path[64];
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		snprintf(path, sizeof(path), "%s/state", outputs[i].param);
		expect(outputs[i].param, "false");
		expect(path, "stopped");
		obs_stage_set(s, outputs[i].param, 1);
		ck_assert_str_eq(obs_stage_sent(s), outputs[i].start);
		obs_stage_answer_all(s);
		expect(outputs[i].param, "false"); /* "yes" is not "done" */
		state(outputs[i].event, "STARTING");
		expect(path, "starting");
		expect(outputs[i].param, "true");
		state(outputs[i].event, "STARTED");
		expect(path, "started");
		obs_stage_set(s, outputs[i].param, 0);
		ck_assert_str_eq(obs_stage_sent(s), outputs[i].stop);
		obs_stage_answer_all(s);
		state(outputs[i].event, "STOPPING");
		expect(path, "stopping");
		expect(outputs[i].param, "true"); /* it is on air still */
		state(outputs[i].event, "STOPPED");
		expect(path, "stopped");
		expect(outputs[i].param, "false");
	}
	ck_assert_str_eq(obs_stage_told(s), "");
}
END_TEST

START_TEST(stream_with_a_bad_address_goes_back_and_says_so)
{
	obs_stage_set(s, "stream", 1);
	obs_stage_answer_all(s);
	state("StreamStateChanged", "STARTING");
	state("StreamStateChanged", "STOPPED");
	expect("stream", "false");
	ck_assert_str_eq(obs_stage_told(s), "failed stream: OBS could not start the stream; OBS's own window and log say why\n");
}
END_TEST

START_TEST(stream_that_reconnects_is_on_and_says_so)
{
	state("StreamStateChanged", "STARTED");
	state("StreamStateChanged", "RECONNECTING");
	expect("stream", "true");
	expect("stream/state", "reconnecting");
	state("StreamStateChanged", "RECONNECTED");
	expect("stream/state", "started");
	state("StreamStateChanged", "SOMETHING_NEW");
	expect("stream/state", "started");
	obs_stage_event(s, "StreamStateChanged", "{'outputState':7}");
	obs_stage_event(s, "StreamStateChanged", NULL);
}
END_TEST

START_TEST(what_is_so_already_is_no_failure)
{
	obs_stage_set(s, "record", 1);
	ck_assert_str_eq(obs_stage_sent(s), "StartRecord\n");
	obs_stage_answer_with(s, 0, 500, "The output is running.");
	ck_assert_str_eq(obs_stage_told(s), "");
	ck_assert_str_eq(obs_stage_sent(s), "GetRecordStatus\n");
	obs_stage_answer_with(s, 0, 100, "{'outputActive':true,'outputPaused':false,'outputDuration':0}");
	expect("record", "true");
	obs_stage_set(s, "stream", 0);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 501, NULL);
	ck_assert_str_eq(obs_stage_told(s), "");
	obs_stage_answer_all(s);
	obs_stage_set(s, "replay", 1);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 604, "Replay buffer is not available.");
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "failed replay: OBS: StartReplayBuffer"));
}
END_TEST

START_TEST(stop_of_what_is_only_starting_is_not_lost_in_silence)
{
	state("RecordStateChanged", "STARTING");
	obs_stage_set(s, "record", 0);
	ck_assert_str_eq(obs_stage_sent(s), "StopRecord\n");
	obs_stage_answer_with(s, 0, 501, NULL);
	ck_assert_str_eq(obs_stage_told(s), "failed record: OBS: StopRecord: it is not running (501)\n");
	obs_stage_answer_all(s);
	state("RecordStateChanged", "STARTED");
	expect("record", "true");
}
END_TEST

START_TEST(recording_pauses_when_obs_says_so)
{
	state("RecordStateChanged", "STARTED");
	obs_stage_set(s, "record/paused", 1);
	ck_assert_str_eq(obs_stage_sent(s), "PauseRecord\n");
	obs_stage_answer_all(s);
	expect("record/paused", "false");
	state("RecordStateChanged", "PAUSED");
	expect("record/paused", "true");
	expect("record", "true");
	expect("record/state", "paused");
	obs_stage_set(s, "record/paused", 0);
	ck_assert_str_eq(obs_stage_sent(s), "ResumeRecord\n");
	obs_stage_answer_all(s);
	state("RecordStateChanged", "RESUMED");
	expect("record/paused", "false");
	obs_stage_advance(s, 5000);
	ck_assert_str_eq(obs_stage_told(s), "");
}
END_TEST

START_TEST(pause_that_obs_accepts_and_does_not_do_is_told)
{
	state("RecordStateChanged", "STARTED");
	obs_stage_set(s, "record/paused", 1);
	obs_stage_answer_all(s);
	obs_stage_advance(s, 1900);
	ck_assert_str_eq(obs_stage_told(s), "");
	obs_stage_advance(s, 200);
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "failed record/paused: OBS did not pause the recording: one that has the stream's encoder"));
	ck_assert_ptr_nonnull(strstr(obs_stage_sent(s), "GetRecordStatus\n"));
	expect("record/paused", "false");
}
END_TEST

START_TEST(refused_pause_is_told_once)
{
	obs_stage_set(s, "record/paused", 1);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 501, NULL);
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "failed record/paused: OBS: PauseRecord"));
	obs_stage_answer_all(s);
	obs_stage_advance(s, 5000);
	ck_assert_str_eq(obs_stage_told(s), "");
}
END_TEST

START_TEST(saved_replay_is_told_by_its_file)
{
	obs_stage_event(s, "ReplayBufferSaved", "{'savedReplayPath':'/rec/Replay 1.mkv'}");
	expect("replay/saved", "/rec/Replay 1.mkv");
	obs_stage_event(s, "ReplayBufferSaved", "{'savedReplayPath':'/a/long/way/to/where/all/the/recordings/of/this/machine/are/kept/Replay 2.mkv'}");
	expect("replay/saved", "Replay 2.mkv");
}
END_TEST

START_TEST(only_what_runs_is_asked_how_it_is_doing)
{
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "GetStats\n");
	obs_stage_answer_all(s);
	state("StreamStateChanged", "STARTED");
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "GetStats\nGetStreamStatus\n");
	obs_stage_answer_all(s);
	state("StreamStateChanged", "STOPPED");
	state("RecordStateChanged", "STARTED");
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "GetStats\nGetRecordStatus\n");
}
END_TEST

START_TEST(obs_that_owes_an_answer_is_not_asked_again)
{
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "GetStats\n");
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "");
	obs_stage_advance(s, 4000); /* it never answered */
	ck_assert_str_eq(obs_stage_sent(s), "GetStats\n");
}
END_TEST

START_TEST(poll_between_the_events_of_a_stop_does_not_take_them_back)
{
	state("StreamStateChanged", "STARTED");
	obs_stage_advance(s, 2000);
	obs_stage_send(s);
	obs_stage_advance(s, 1);
	state("StreamStateChanged", "STOPPED");
	obs_stage_answer_with(s, 1, 100, "{'outputActive':true,'outputDuration':1000}"); /* from before */
	expect("stream", "false");
	expect("stream/time", "0");
	state("StreamStateChanged", "STARTING");
	obs_stage_advance(s, 8000);
	obs_stage_send(s);
	obs_stage_answer_all(s); /* says that it is not active */
	expect("stream/state", "starting");
}
END_TEST

START_TEST(running_outputs_and_statistics_are_told_by_the_picture)
{
	obs_stage_free(s);
	begin_with(world);
	expect("stream", "true");
	expect("stream/state", "started");
	expect("stream/time", "61.2");
	expect("stream/congestion", "12.5");
	expect("stream/dropped", "0.75");
	expect("record", "true");
	expect("record/paused", "true");
	expect("record/state", "paused");
	expect("record/time", "2.5");
	expect("virtual-camera", "false");
	expect("replay", ""); /* this OBS has none */
	expect("stats/fps", "29.97");
	expect("stats/frame-time", "1.23");
	expect("stats/cpu", "12.3");
	expect("stats/memory", "413");
	expect("stats/disk", "10");
	expect("stats/render-skipped", "0.5");
	expect("stats/output-skipped", "0");
}
END_TEST

START_TEST(another_obs_is_looked_at_afresh)
{
	state("StreamStateChanged", "STARTING");
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	expect("stream/state", "stopped");
	expect("stream", "false");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs_outputs");
	TCase *t = tcase_create("outputs");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, output_is_what_its_events_say);
	tcase_add_test(t, stream_with_a_bad_address_goes_back_and_says_so);
	tcase_add_test(t, stream_that_reconnects_is_on_and_says_so);
	tcase_add_test(t, what_is_so_already_is_no_failure);
	tcase_add_test(t, stop_of_what_is_only_starting_is_not_lost_in_silence);
	tcase_add_test(t, recording_pauses_when_obs_says_so);
	tcase_add_test(t, pause_that_obs_accepts_and_does_not_do_is_told);
	tcase_add_test(t, refused_pause_is_told_once);
	tcase_add_test(t, saved_replay_is_told_by_its_file);
	tcase_add_test(t, only_what_runs_is_asked_how_it_is_doing);
	tcase_add_test(t, obs_that_owes_an_answer_is_not_asked_again);
	tcase_add_test(t, poll_between_the_events_of_a_stop_does_not_take_them_back);
	tcase_add_test(t, running_outputs_and_statistics_are_told_by_the_picture);
	tcase_add_test(t, another_obs_is_looked_at_afresh);
	suite_add_tcase(suite, t);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
