/* What each action asks of OBS, in order, and in which words it is refused. */
#include "tests/unit/obs_show.h"

static struct obs_stage *s;

static void
setup(void)
{
	s = show_begin(NULL);
}

static void
teardown(void)
{
	obs_stage_free(s);
}

struct act {
	const char *name, *arg[6], *sent, *told;
};

static int
run(const struct act *a)
{
	int r = obs_stage_action(s, a->name, a->arg[0], a->arg[1], a->arg[2], a->arg[3], a->arg[4], a->arg[5], NULL);
	char what[200];

	snprintf(what, sizeof(what), "%s %s %s %s", a->name, a->arg[0] ? a->arg[0] : "", a->arg[1] ? a->arg[1] : "", a->arg[2] ? a->arg[2] : "");
	check_sent(s, what, a->sent ? a->sent : "");
	check_told(s, what, a->told ? a->told : "");
	ck_assert_msg((r < 0) == (a->told != NULL), "%s: %d", what, r);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
	return r;
}

static void
run_all(const struct act *a)
{
	for (; a->name; a++)
		run(a);
}

#define PROGRAM(n) "SetCurrentProgramScene {'sceneName':'" n "'}\n"
#define PREVIEW(n) "SetCurrentPreviewScene {'sceneName':'" n "'}\n"
#define CUT(n)                                                                                                                       \
	"| GetSceneSceneTransitionOverride {'sceneName':'" n "'} -> {'name':'transitionName','ms':'transitionDuration'}\n"           \
	"| SetSceneSceneTransitionOverride {'sceneName':'" n "','transitionName':'Schnitt'}\n"                                       \
	"| SetCurrentProgramScene {'sceneName':'" n "'}\n"                                                                           \
	"| SetSceneSceneTransitionOverride {'sceneName':'" n "'} <- {'transitionName':'name','transitionDuration':'ms'}\n"

START_TEST(scenes_without_studio_mode)
{
	static const struct act acts[] = {
		{"scene", {"Cam 2"}, PROGRAM("Cam 2"), NULL},
		{"scene", {"Cam 2", "program"}, PROGRAM("Cam 2"), NULL},
		{"scene", {"Cam 2", "preview"}, NULL, "failed action scene: studio mode is off: there is no preview\n"},
		{"scene", {"Cam 9"}, NULL, "failed action scene: no scene \"Cam 9\" in OBS; did you mean \"Cam 3\"?\n"},
		{"scene", {"Stage"}, NULL, "failed action scene: no scene \"Stage\" in OBS\n"},
		{"scene", {"Brake"}, NULL, "failed action scene: no scene \"Brake\" in OBS; did you mean \"Break\"?\n"},
		{"scene", {"Cam 2", "programm"}, NULL, "failed action scene: scene: \"programm\" is none of program|preview\n"},
		{"scene", {NULL}, NULL, "failed action scene: scene needs NAME [program|preview]\n"},
		{"program", {"Break"}, PROGRAM("Break"), NULL},
		{"preview", {"Break"}, NULL, "failed action preview: studio mode is off: there is no preview\n"},
		{"cut", {NULL}, NULL, "failed action cut: studio mode is off: there is no preview\n"},
		{"cut", {"Cam 3"}, CUT("Cam 3"), NULL},
		{"transition", {NULL}, NULL, "failed action transition: studio mode is off: there is no preview\n"},
		{"studio-mode", {"on"}, "SetStudioModeEnabled {'studioModeEnabled':true}\n", NULL},
		{"studio-mode", {"off"}, "SetStudioModeEnabled {'studioModeEnabled':false}\n", NULL},
		{"studio-mode", {"toggle"}, "SetStudioModeEnabled {'studioModeEnabled':true}\n", NULL},
		{0},
	};

	run_all(acts);
}
END_TEST

START_TEST(scenes_in_studio_mode)
{
	static const struct act acts[] = {
		{"cut", {NULL}, CUT("Cam 1"), NULL},
		{"scene", {"Cam 2"}, PREVIEW("Cam 2"), NULL},
		{"scene", {"Cam 2", "program"}, PROGRAM("Cam 2"), NULL},
		{"preview", {"Break"}, PREVIEW("Break"), NULL},
		{"program", {"Break"}, PROGRAM("Break"), NULL},
		{"preview", {"Break"}, PREVIEW("Break"), NULL},
		{"cut", {NULL}, CUT("Break"), NULL}, /* it was asked for, and OBS has not told it yet */
		{"cut", {"Cam 3"}, CUT("Cam 3"), NULL},
		{"transition", {NULL}, "TriggerStudioModeTransition\n", NULL},
		{"transition", {"Blende"}, "| SetCurrentSceneTransition {'transitionName':'Blende'}\n| TriggerStudioModeTransition\n", NULL},
		{"transition", {"Blende", "500"},
		 "| SetCurrentSceneTransition {'transitionName':'Blende'}\n| SetCurrentSceneTransitionDuration {'transitionDuration':500}\n"
		 "| TriggerStudioModeTransition\n", NULL},
		{"transition", {"700"}, "| SetCurrentSceneTransitionDuration {'transitionDuration':700}\n| TriggerStudioModeTransition\n", NULL},
		{"transition", {"Blend"}, NULL, "failed action transition: no transition \"Blend\" in OBS; did you mean \"Blende\"?\n"},
		{"transition", {"Blende", "20"}, NULL, "failed action transition: a transition takes 50 to 20000 ms, not \"20\"\n"},
		{"studio-mode", {"toggle"}, "SetStudioModeEnabled {'studioModeEnabled':false}\n", NULL},
		{0},
	};

	show_studio_mode(s, true, "Cam 1");
	run_all(acts);
}
END_TEST

/* OBS would answer that it did it, and not do it. */
START_TEST(nothing_goes_on_air_while_a_transition_runs_in_studio_mode)
{
	static const struct act acts[] = {
		{"program", {"Cam 2"}, NULL, "failed action program: OBS is in the middle of a transition\n"},
		{"cut", {"Cam 2"}, NULL, "failed action cut: OBS is in the middle of a transition\n"},
		{"cut", {NULL}, NULL, "failed action cut: OBS is in the middle of a transition\n"},
		{"transition", {NULL}, NULL, "failed action transition: OBS is in the middle of a transition\n"},
		{"preview", {"Cam 2"}, PREVIEW("Cam 2"), NULL},
		{0},
	};

	show_studio_mode(s, true, "Cam 1");
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Blende'}");
	run_all(acts);
}
END_TEST

START_TEST(next_and_previous_go_through_the_list_as_obs_shows_it)
{
	run(&(struct act){"next", {NULL}, PROGRAM("Cam 2"), NULL});
	show_program(s, "Cam 2");
	run(&(struct act){"next", {NULL}, PROGRAM("Cam 3"), NULL});
	show_program(s, "Right");
	run(&(struct act){"next", {NULL}, NULL, "failed action next: \"Right\" is the last scene\n"});
	run(&(struct act){"previous", {NULL}, PROGRAM("Left"), NULL});
	show_program(s, "Cam 1");
	run(&(struct act){"previous", {NULL}, NULL, "failed action previous: \"Cam 1\" is the first scene\n"});
	run(&(struct act){"next", {"preview"}, NULL, "failed action next: studio mode is off: there is no preview\n"});
	show_studio_mode(s, true, "Break");
	run(&(struct act){"next", {NULL}, PREVIEW("Left"), NULL});
	run(&(struct act){"next", {"program"}, PROGRAM("Cam 2"), NULL});
}
END_TEST

/* The program scene is told when its transition has ended. */
START_TEST(two_presses_of_next_are_two_scenes_though_obs_has_not_told_the_first)
{
	obs_stage_action(s, "next", NULL);
	obs_stage_answer_all(s);
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Blende'}");
	obs_stage_action(s, "next", NULL);
	check_sent(s, "next twice", PROGRAM("Cam 2") PROGRAM("Cam 3"));
	obs_stage_answer_all(s);
	/* In preview it is the same between the request and its event. */
	obs_stage_event(s, "SceneTransitionEnded", "{'transitionName':'Blende'}");
	show_program(s, "Cam 3");
	show_studio_mode(s, true, "Cam 1");
	obs_stage_action(s, "next", NULL);
	obs_stage_answer_all(s);
	obs_stage_action(s, "next", NULL);
	check_sent(s, "next twice", PREVIEW("Cam 2") PREVIEW("Cam 3"));
	obs_stage_answer_all(s);
}
END_TEST

/* "preview, cut" in one breath, whoever asks for the preview and how. */
START_TEST(a_cut_takes_what_was_asked_for_and_not_what_was_told_before)
{
	show_studio_mode(s, true, "Cam 1");
	obs_stage_set_text(s, "preview", "Cam 2");
	obs_stage_action(s, "cut", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "by a value", PREVIEW("Cam 2") CUT("Cam 2"));
	obs_stage_set(s, "scene/Cam 3/preview", 1);
	obs_stage_action(s, "cut", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "by a light", PREVIEW("Cam 3") CUT("Cam 3"));
	/* And back, at once: OBS has put into preview what was on air. */
	show_preview(s, "Cam 2");
	show_program(s, "Cam 3");
	obs_stage_action(s, "cut", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "and back", CUT("Cam 2"));
	/* Somebody chooses another one in OBS. */
	obs_stage_advance(s, 200);
	show_preview(s, "Break");
	obs_stage_action(s, "cut", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "in OBS", CUT("Break"));
	/* What was refused is not there. */
	obs_stage_action(s, "preview", "Cam 2", NULL);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 600, "no");
	obs_stage_action(s, "cut", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "refused", PREVIEW("Cam 2") CUT("Break"));
}
END_TEST

START_TEST(outputs)
{
	static const struct act stopped[] = {
		{"stream", {"start"}, "StartStream\n", NULL},
		{"stream", {"toggle"}, "StartStream\n", NULL},
		{"stream", {"stop"}, NULL, "failed action stream: the stream does not run\n"},
		{"record", {"start"}, "StartRecord\n", NULL},
		{"replay", {"start"}, "StartReplayBuffer\n", NULL},
		{"virtual-camera", {"start"}, "StartVirtualCam\n", NULL},
		{"pause", {"on"}, NULL, "failed action pause: nothing is being recorded\n"},
		{"split-file", {NULL}, NULL, "failed action split-file: nothing is being recorded\n"},
		{"chapter", {"Goal"}, NULL, "failed action chapter: nothing is being recorded\n"},
		{"save-replay", {NULL}, NULL, "failed action save-replay: the replay buffer does not run\n"},
		{"record", {"begin"}, NULL, "failed action record: record: \"begin\" is none of start|stop|toggle\n"},
		{0},
	};
	static const struct act running[] = {
		{"stream", {"start"}, NULL, "failed action stream: the stream runs already\n"},
		{"stream", {"toggle"}, "StopStream\n", NULL},
		{"record", {"stop"}, "StopRecord\n", NULL},
		{"replay", {"stop"}, "StopReplayBuffer\n", NULL},
		{"virtual-camera", {"toggle"}, "StopVirtualCam\n", NULL},
		{"pause", {"on"}, "PauseRecord\n", NULL},
		{"pause", {"off"}, NULL, "failed action pause: the recording does not pause\n"},
		{"split-file", {NULL}, "SplitRecordFile\n", NULL},
		{"chapter", {NULL}, "CreateRecordChapter\n", NULL},
		{"chapter", {"Goal"}, "CreateRecordChapter {'chapterName':'Goal'}\n", NULL},
		{"save-replay", {NULL}, "SaveReplayBuffer\n", NULL},
		{0},
	};

	run_all(stopped);
	obs_stage_event(s, "StreamStateChanged", "{'outputActive':true,'outputState':'OBS_WEBSOCKET_OUTPUT_STARTED'}");
	obs_stage_event(s, "RecordStateChanged", "{'outputActive':true,'outputState':'OBS_WEBSOCKET_OUTPUT_STARTED','outputPath':null}");
	obs_stage_event(s, "ReplayBufferStateChanged", "{'outputActive':true,'outputState':'OBS_WEBSOCKET_OUTPUT_STARTED'}");
	obs_stage_event(s, "VirtualcamStateChanged", "{'outputActive':true,'outputState':'OBS_WEBSOCKET_OUTPUT_STARTED'}");
	run_all(running);
	obs_stage_event(s, "RecordStateChanged", "{'outputActive':true,'outputState':'OBS_WEBSOCKET_OUTPUT_PAUSED','outputPath':null}");
	run(&(struct act){"pause", {"toggle"}, "ResumeRecord\n", NULL});
	run(&(struct act){"pause", {"on"}, NULL, "failed action pause: the recording pauses already\n"});
}
END_TEST

START_TEST(what_this_obs_does_not_have_is_refused_by_name)
{
	obs_stage_free(s);
	s = obs_stage_new(NULL);
	show_lacks = "CreateRecordChapter";
	obs_stage_world(s, show_world);
	obs_stage_on_request(s, show_answers, NULL);
	obs_stage_connect(s);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
	run(&(struct act){"chapter", {NULL}, NULL, "failed action chapter: this OBS cannot mark chapters: it has no CreateRecordChapter\n"});
	run(&(struct act){"hotkey", {"libobs.mute", "Mic"}, "TriggerHotkeyByName {'hotkeyName':'libobs.mute','contextName':'Mic'}\n", NULL});
}
END_TEST

START_TEST(inputs_items_and_filters)
{
	static const struct act acts[] = {
		{"mute", {"Mic", "on"}, "SetInputMute {'inputName':'Mic','inputMuted':true}\n", NULL},
		{"mute", {"Mic", "toggle"}, "SetInputMute {'inputName':'Mic','inputMuted':true}\n", NULL},
		{"mute", {"Mic", "off"}, "SetInputMute {'inputName':'Mic','inputMuted':false}\n", NULL},
		{"mute", {"Mike", "on"}, NULL, "failed action mute: no input \"Mike\" in OBS; did you mean \"Mic\"?\n"},
		{"mute", {"Eye 1", "on"}, NULL, "failed action mute: input \"Eye 1\" has no sound\n"},
		{"mute", {"Mic"}, NULL, "failed action mute: mute needs INPUT on|off|toggle\n"},
		{"mute", {"Mic", "on", "now"}, NULL, "failed action mute: mute takes INPUT on|off|toggle\n"},
		{"item", {"Left", "Half 2", "show"}, "SetSceneItemEnabled {'sceneName':'Left','sceneItemId':2,'sceneItemEnabled':true}\n", NULL},
		{"item", {"Left", "Half 1", "toggle"}, "SetSceneItemEnabled {'sceneName':'Left','sceneItemId':1,'sceneItemEnabled':false}\n", NULL},
		{"item", {"Break", "Clip#2", "show"}, "SetSceneItemEnabled {'sceneName':'Break','sceneItemId':2,'sceneItemEnabled':true}\n", NULL},
		{"item", {"Left", "Half 3", "show"}, NULL, "failed action item: no item \"Half 3\" in \"Left\"; did you mean \"Half 2\"?\n"},
		{"item", {"Left", "Hal 1", "show"}, NULL, "failed action item: no item \"Hal 1\" in \"Left\"; did you mean \"Half 1\"?\n"},
		{"filter", {"Mic", "Gate", "off"}, "SetSourceFilterEnabled {'sourceName':'Mic','filterName':'Gate','filterEnabled':false}\n", NULL},
		{"filter", {"Mic", "Gate", "toggle"}, "SetSourceFilterEnabled {'sourceName':'Mic','filterName':'Gate','filterEnabled':false}\n", NULL},
		{"filter", {"Mic", "Gait", "off"}, NULL, "failed action filter: no filter \"Gait\" in \"Mic\"; did you mean \"Gate\"?\n"},
		{"press-button", {"Page", "refreshnocache"},
		 "PressInputPropertiesButton {'inputName':'Page','propertyName':'refreshnocache'}\n", NULL},
		{0},
	};

	run_all(acts);
}
END_TEST

#define MEDIA(a) "TriggerMediaInputAction {'inputName':'Clip','mediaAction':'OBS_WEBSOCKET_MEDIA_INPUT_ACTION_" a "'}\n"

START_TEST(media)
{
	static const struct act acts[] = {
		{"media", {"Clip", "play"}, MEDIA("PLAY"), NULL},
		{"media", {"Clip", "pause"}, MEDIA("PAUSE"), NULL},
		{"media", {"Clip", "stop"}, MEDIA("STOP"), NULL},
		{"media", {"Clip", "restart"}, MEDIA("RESTART"), NULL},
		{"media", {"Clip", "next"}, MEDIA("NEXT"), NULL},
		{"media", {"Clip", "previous"}, MEDIA("PREVIOUS"), NULL},
		{"media", {"Clip", "toggle"}, MEDIA("PAUSE"), NULL},
		{"media", {"Mic", "play"}, NULL, "failed action media: input \"Mic\" is no media source\n"},
		{"seek", {"Clip", "1500"}, "SetMediaInputCursor {'inputName':'Clip','mediaCursor':1500}\n", NULL},
		{"seek", {"Clip", "+500"}, "OffsetMediaInputCursor {'inputName':'Clip','mediaCursorOffset':500}\n", NULL},
		{"seek", {"Clip", "-500"}, "OffsetMediaInputCursor {'inputName':'Clip','mediaCursorOffset':-500}\n", NULL},
		{"seek", {"Clip", "soon"}, NULL, "failed action seek: \"soon\" is no time in ms\n"},
		{0},
	};

	run_all(acts);
	obs_stage_event(s, "MediaInputPlaybackEnded", "{'inputName':'Clip'}");
	run(&(struct act){"media", {"Clip", "toggle"}, MEDIA("RESTART"), NULL});
}
END_TEST

START_TEST(hotkeys)
{
	static const struct act acts[] = {
		{"hotkey", {"OBSBasic.SelectScene"}, "TriggerHotkeyByName {'hotkeyName':'OBSBasic.SelectScene'}\n", NULL},
		{"keys", {"F1"}, "TriggerHotkeyByKeySequence {'keyId':'OBS_KEY_F1'}\n", NULL},
		{"keys", {"ctrl+Shift+f1"},
		 "TriggerHotkeyByKeySequence {'keyId':'OBS_KEY_F1','keyModifiers':{'shift':true,'control':true,'alt':false,'command':false}}\n", NULL},
		{"keys", {"OBS_KEY_NUM1"}, "TriggerHotkeyByKeySequence {'keyId':'OBS_KEY_NUM1'}\n", NULL},
		{"keys", {"ALT++"},
		 "TriggerHotkeyByKeySequence {'keyId':'OBS_KEY_PLUS','keyModifiers':{'shift':false,'control':false,'alt':true,'command':false}}\n", NULL},
		{"keys", {"HYPER+F1"}, NULL, "failed action keys: \"HYPER\" is none of SHIFT, CTRL, ALT, CMD\n"},
		{"keys", {"CTRL+SHIFT"}, NULL, "failed action keys: \"CTRL+SHIFT\" has no key in it\n"},
		{"keys", {""}, NULL, "failed action keys: \"\" has no key in it\n"},
		{0},
	};

	run_all(acts);
}
END_TEST

START_TEST(screenshots_profiles_collections)
{
	static const struct act acts[] = {
		{"screenshot", {"Eye 1", "/tmp/a.png"},
		 "SaveSourceScreenshot {'sourceName':'Eye 1','imageFormat':'png','imageFilePath':'/tmp/a.png'}\n", NULL},
		{"screenshot", {"program", "/tmp/a.JPG"},
		 "SaveSourceScreenshot {'sourceName':'Cam 1','imageFormat':'jpg','imageFilePath':'/tmp/a.JPG'}\n", NULL},
		{"screenshot", {"Eye 1", "/tmp/a"}, NULL,
		 "failed action screenshot: \"/tmp/a\" is no picture's name: .png, .jpg, .bmp, .webp, .tiff\n"},
		{"screenshot", {"Ey 1", "/tmp/a.png"}, NULL, "failed action screenshot: no source \"Ey 1\" in OBS; did you mean \"Eye 1\"?\n"},
		{"profile", {"HD"}, "SetCurrentProfile {'profileName':'HD'}\n", NULL},
		{"profile", {"SD"}, NULL, "failed action profile: no profile \"SD\" in OBS; did you mean \"HD\"?\n"},
		{"collection", {"Sunday"}, "SetCurrentSceneCollection {'sceneCollectionName':'Sunday'}\n", NULL},
		{"collection", {"Monday"}, NULL, NULL},
		{0},
	};

	for (unsigned i = 0; i < 7; i++)
		run(&acts[i]);
}
END_TEST

START_TEST(any_request_is_the_last_resort)
{
	static const struct act acts[] = {
		{"request", {"ToggleStream"}, "ToggleStream\n", NULL},
		{"request", {"CallVendorRequest", "{\"vendorName\": \"x\", \"requestType\": \"y\", \"requestData\": {\"n\": [1, 2.5, null]}}"},
		 "CallVendorRequest {'vendorName':'x','requestType':'y','requestData':{'n':[1,2.5,null]}}\n", NULL},
		{"request", {"Sleep", "[1]"}, NULL,
		 "failed action request: the data of a request is a JSON object: {\"sceneName\": \"Cam 1\"}\n"},
		{"request", {""}, NULL, "failed action request: \"\" is no type of request\n"},
		{0},
	};

	run_all(acts);
}
END_TEST

/* ------------------------------------------------------------------ refusals */

START_TEST(what_obs_refuses_is_told_in_its_words)
{
	obs_stage_action(s, "scene", "Cam 2", NULL);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 600, "No source was found by the name of `Cam 2`.");
	check_told(s, "a refusal", "failed action scene: OBS: SetCurrentProgramScene: No source was found by the name of `Cam 2` (600)\n");
	obs_stage_answer_all(s);
}
END_TEST

START_TEST(a_batch_has_failed_if_one_of_it_has)
{
	obs_stage_action(s, "cut", "Cam 2", NULL);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 207, "OBS is not ready");
	check_told(s, "a refused batch", "failed action cut: OBS: GetSceneSceneTransitionOverride: OBS is not ready (207)\n");
	obs_stage_answer_all(s);
}
END_TEST

START_TEST(no_action_is_done_late)
{
	obs_stage_action(s, "scene", "Cam 2", NULL);
	obs_stage_action(s, "scene", "Cam 3", NULL);
	obs_stage_send(s);
	obs_stage_advance(s, 1500); /* the first has no answer for so long */
	obs_stage_answer(s, 0);
	check_sent(s, "late", PROGRAM("Cam 2"));
	check_told(s, "late", "failed action scene: SetCurrentProgramScene: not sent, its moment had passed\n");
}
END_TEST

START_TEST(without_obs_everything_is_refused_at_once)
{
	obs_stage_disconnect(s);
	obs_stage_told(s);
	for (unsigned i = 0; obs_actions[i].name; i++) {
		char told[120];

		ck_assert_int_eq(obs_stage_action(s, obs_actions[i].name, NULL), -ENOTCONN);
		snprintf(told, sizeof(told), "failed action %s: OBS is not connected\n", obs_actions[i].name);
		check_told(s, obs_actions[i].name, told);
	}
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
	obs_stage_event(s, "CurrentSceneCollectionChanging", "{'sceneCollectionName':'gw'}");
	ck_assert_int_eq(obs_stage_action(s, "scene", "Cam 2", NULL), -ENOTCONN);
	check_told(s, "frozen", "failed action scene: OBS is changing its scene collection or profile\n");
}
END_TEST

START_TEST(too_many_at_once_are_refused_and_the_others_keep_their_order)
{
	unsigned refused = 0;

	for (unsigned i = 0; i < OBS_SHOW_MAX + 10; i++)
		refused += obs_stage_action(s, "scene", i % 2 ? "Cam 2" : "Cam 3", NULL) == -ENOSPC;
	ck_assert_uint_ge(refused, 9);
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "failed action scene: OBS does not keep up: too many actions wait\n"));
	obs_stage_answer_all(s);
	for (const char *line = show_sent(s), *was = NULL; *line; line = strchr(line, '\n') + 1) {
		ck_assert(!was || strncmp(was, line, strlen(PROGRAM("Cam 2"))) != 0);
		was = line;
	}
}
END_TEST

/* ------------------------------------------------------------------ the table */

START_TEST(every_action_has_words_of_its_own)
{
	for (unsigned i = 0; obs_actions[i].name; i++) {
		ck_assert_msg(obs_actions[i].help && strlen(obs_actions[i].help) >= 4, "%s", obs_actions[i].name);
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(obs_actions[i].name, obs_actions[k].name);
	}
}
END_TEST

/* Any words whatever: no crash, and what is not refused is sent whole. */
START_TEST(any_arguments_are_dealt_with)
{
	static const char *const words[] = {"",	     "Cam 1", "Cam 2",	"Mic",	"Clip", "Left", "Half 1", "on", "off",	 "toggle", "show", "start", "stop", "program",
					    "preview", "play", "+5",	"{}",	"a.png", "F1",	 "left", "exit", "nan", "1e999", "-1",	 "🎥",	 "%s%n"};
	const unsigned n = sizeof(words) / sizeof(*words);
	unsigned actions = 0;

	while (obs_actions[actions].name)
		actions++;
	srand(11);
	for (unsigned i = 0; i < 20000; i++) {
		const char *arg[4] = {NULL};

		for (unsigned k = 0; k < 4 && rand() % 4; k++)
			arg[k] = words[rand() % n];
		obs_stage_action(s, obs_actions[rand() % actions].name, arg[0], arg[1], arg[2], arg[3], NULL);
		obs_stage_answer_all(s);
		if (i % 64 == 0) {
			obs_stage_sent(s);
			obs_stage_told(s);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs actions");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, scenes_without_studio_mode);
	tcase_add_test(t, scenes_in_studio_mode);
	tcase_add_test(t, nothing_goes_on_air_while_a_transition_runs_in_studio_mode);
	tcase_add_test(t, next_and_previous_go_through_the_list_as_obs_shows_it);
	tcase_add_test(t, two_presses_of_next_are_two_scenes_though_obs_has_not_told_the_first);
	tcase_add_test(t, a_cut_takes_what_was_asked_for_and_not_what_was_told_before);
	tcase_add_test(t, outputs);
	tcase_add_test(t, what_this_obs_does_not_have_is_refused_by_name);
	tcase_add_test(t, inputs_items_and_filters);
	tcase_add_test(t, media);
	tcase_add_test(t, hotkeys);
	tcase_add_test(t, screenshots_profiles_collections);
	tcase_add_test(t, any_request_is_the_last_resort);
	tcase_add_test(t, what_obs_refuses_is_told_in_its_words);
	tcase_add_test(t, a_batch_has_failed_if_one_of_it_has);
	tcase_add_test(t, no_action_is_done_late);
	tcase_add_test(t, without_obs_everything_is_refused_at_once);
	tcase_add_test(t, too_many_at_once_are_refused_and_the_others_keep_their_order);
	tcase_add_test(t, every_action_has_words_of_its_own);
	tcase_add_test(t, any_arguments_are_dealt_with);
	suite_add_tcase(suite, t);

	SRunner *r = srunner_create(suite);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
