/* test_obs_scenes - scenes, groups, items, program, preview, transitions and what they make of the tally */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_stage.h"

#define MOVED(x) "'sceneItemTransform':{'positionX':" #x ",'positionY':20.0,'scaleX':0.5,'scaleY':-0.25,'rotation':90.0,'width':160.0,'height':45.0," \
		 "'sourceWidth':320.0,'sourceHeight':180.0,'alignment':5,'boundsType':'OBS_BOUNDS_NONE','boundsWidth':0.0,'boundsHeight':0.0," \
		 "'cropLeft':1,'cropRight':2,'cropTop':3,'cropBottom':4}"
#define ITEM(id, index, source, on) "{'sceneItemId':" #id ",'sceneItemIndex':" #index ",'sourceName':'" source "','sceneItemEnabled':" #on \
				    ",'sceneItemLocked':false," MOVED(10.0) "}"

/* Cams: Red, Mic. Wide: Blue, Cams (nested). News: Lower (a group), Mic. Lower: Logo twice. */
static const struct obs_stage_row world[] = {
	{"GetVersion", NULL, "{'obsWebSocketVersion':'5.1.0','availableRequests':['GetSceneItemList','GetGroupSceneItemList','GetSourceFilterList',"
			     "'GetInputVolume','GetMediaInputStatus']}", 0},
	{"GetSceneList", NULL, "{'currentProgramSceneName':'Cams','currentPreviewSceneName':null,'scenes':[{'sceneIndex':0,'sceneName':'News'},"
			       "{'sceneIndex':1,'sceneName':'Wide'},{'sceneIndex':2,'sceneName':'Cams'}]}", 0},
	{"GetGroupList", NULL, "{'groups':['Lower']}", 0},
	{"GetInputList", NULL, "{'inputs':[{'inputName':'Red','inputKind':'color_source_v3','unversionedInputKind':'color_source'},"
			       "{'inputName':'Blue','inputKind':'color_source_v3','unversionedInputKind':'color_source'},"
			       "{'inputName':'Mic','inputKind':'pulse_input_capture','unversionedInputKind':'pulse_input_capture'},"
			       "{'inputName':'Logo','inputKind':'image_source','unversionedInputKind':'image_source'}]}", 0},
	{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':false}", 0},
	{"GetSceneTransitionList", NULL, "{'currentSceneTransitionName':'Fade','transitions':[{'transitionName':'Cut','transitionFixed':true},"
					 "{'transitionName':'Fade','transitionFixed':false}]}", 0},
	{"GetCurrentSceneTransition", NULL, "{'transitionName':'Fade','transitionFixed':false,'transitionDuration':300}", 0},
	{"GetVideoSettings", NULL, "{'baseWidth':1920,'baseHeight':1080}", 0},
	{"GetProfileList", NULL, "{'currentProfileName':'Live','profiles':['Live','Test']}", 0},
	{"GetSceneCollectionList", NULL, "{'currentSceneCollectionName':'Show','sceneCollections':['Other','Show']}", 0},
	{"GetSceneItemList", "Cams", "{'sceneItems':[" ITEM(1, 0, "Red", true) "," ITEM(2, 1, "Mic", true) "]}", 0},
	{"GetSceneItemList", "Wide", "{'sceneItems':[" ITEM(1, 0, "Blue", true) "," ITEM(7, 1, "Cams", true) "]}", 0},
	{"GetSceneItemList", "News", "{'sceneItems':[" ITEM(1, 0, "Lower", true) "," ITEM(2, 1, "Mic", true) "]}", 0},
	{"GetGroupSceneItemList", "Lower", "{'sceneItems':[" ITEM(5, 0, "Logo", true) "," ITEM(3, 1, "Logo", true) "]}", 0},
	{"GetCurrentPreviewScene", NULL, "{'currentPreviewSceneName':'Cams'}", 0},
	{0},
};

static struct obs_config cfg;
static struct obs_stage *s;
static const char *program_now; /* what GetCurrentProgramScene answers */

static bool
on_request(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	static char text[256];
	(void)ctx, (void)data;
	if (strcmp(request, "GetCurrentProgramScene"))
		return false;
	snprintf(text, sizeof(text), "{'currentProgramSceneName':'%s'}", program_now);
	*row = (struct obs_stage_row){.request = request, .data = text};
	return true;
}

static void
setup(void)
{
	cfg = obs_stage_config();
	cfg.stats_ms = 0;
	s = obs_stage_new(&cfg);
	obs_stage_world(s, world);
	obs_stage_on_request(s, on_request, NULL);
	program_now = "Cams";
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_told(s);
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

/* "Cams=program Wide=off ...": scenes and inputs by their tally. */
static void
expect_tally(const char *all)
{
	char copy[512], path[128];
	snprintf(copy, sizeof(copy), "%s", all);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		char *is = strchr(word, '=');
		*is++ = '\0';
		snprintf(path, sizeof(path), "scene/%s/tally", word);
		if (!obs_stage_has(s, path))
			snprintf(path, sizeof(path), "input/%s/tally", word);
		ck_assert_msg(!strcmp(obs_stage_text(s, path), is), "%s is %s, not %s, of: %s", path, obs_stage_text(s, path), is, all);
	}
}

static void
studio_on(const char *preview)
{
	char d[128];
	obs_stage_event(s, "StudioModeStateChanged", "{'studioModeEnabled':true}");
	obs_stage_answer_all(s);
	snprintf(d, sizeof(d), "{'sceneName':'%s'}", preview);
	obs_stage_event(s, "CurrentPreviewSceneChanged", d);
	obs_stage_sent(s);
	obs_stage_told(s);
}

static void
starts(const char *to)
{
	program_now = to;
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Fade'}");
	obs_stage_answer_all(s);
	obs_stage_sent(s);
}

static void
program_event(const char *scene)
{
	char d[128];
	snprintf(d, sizeof(d), "{'sceneName':'%s'}", scene);
	program_now = scene;
	obs_stage_event(s, "CurrentProgramSceneChanged", d);
}

/* ------------------------------------------------------------------ the picture */

START_TEST(scenes_are_chosen_in_the_order_of_obs_from_the_top)
{
	const struct bh_param *p = obs_stage_param(s, "program");
	ck_assert_str_eq(p->choices[0], "Cams");
	ck_assert_str_eq(p->choices[1], "Wide");
	ck_assert_str_eq(p->choices[2], "News");
	ck_assert_ptr_null(p->choices[3]);
	expect("program", "Cams");
	expect("studio-mode", "false");
	expect("transition", "Fade");
	expect("transition/duration", "300");
	expect("transition/active", "false");
	expect("profile", "Live");
	expect("collection", "Show");
	expect("scene/Cams/program", "true");
	expect("scene/Wide/program", "false");
}
END_TEST

START_TEST(every_scene_group_and_input_has_its_tally_from_the_beginning)
{
	expect_tally("Cams=program Wide=off News=off Lower=off Red=program Mic=program Blue=off Logo=off");
	ck_assert(!obs_stage_has(s, "scene/Lower/program")); /* nobody puts a group on air */
}
END_TEST

START_TEST(items_are_told_with_their_transform)
{
	expect("scene/Cams/item/Red/visible", "true");
	expect("scene/Cams/item/Red/locked", "false");
	expect("scene/Cams/item/Red/x", "10");
	expect("scene/Cams/item/Red/y", "20");
	expect("scene/Cams/item/Red/scale", "50");
	expect("scene/Cams/item/Red/scale-x", "50");
	expect("scene/Cams/item/Red/scale-y", "-25");
	expect("scene/Cams/item/Red/rotation", "90");
	expect("scene/Cams/item/Red/crop-bottom", "4");
}
END_TEST

START_TEST(second_item_of_the_same_source_is_called_by_its_number)
{
	ck_assert_str_eq(obs_stage_list(s, "scene/Lower/item/Logo/visible"), "scene/Lower/item/Logo/visible\n");
	ck_assert(obs_stage_has(s, "scene/Lower/item/Logo#2/visible"));
	obs_stage_set(s, "scene/Lower/item/Logo/visible", 0); /* the older one, whatever layer it is on */
	ck_assert_str_eq(obs_stage_sent(s), "SetSceneItemEnabled {'sceneName':'Lower','sceneItemId':3,'sceneItemEnabled':false}\n");
	obs_stage_answer_all(s);
	obs_stage_event(s, "SceneItemRemoved", "{'sceneName':'Lower','sourceName':'Logo','sceneItemId':3}");
	ck_assert(!obs_stage_has(s, "scene/Lower/item/Logo#2/visible"));
	obs_stage_set(s, "scene/Lower/item/Logo/visible", 0);
	ck_assert_str_eq(obs_stage_sent(s), "SetSceneItemEnabled {'sceneName':'Lower','sceneItemId':5,'sceneItemEnabled':false}\n");
}
END_TEST

/* ------------------------------------------------------------------ what a hand wants */

START_TEST(each_value_is_its_request)
{
	static const struct {
		const char *param;
		double x;
		const char *request;
	} all[] = {
		{"program", 1, "SetCurrentProgramScene {'sceneName':'Wide'}\n"},
		{"scene/News/program", 1, "SetCurrentProgramScene {'sceneName':'News'}\n"},
		{"studio-mode", 1, "SetStudioModeEnabled {'studioModeEnabled':true}\n"},
		{"transition", 0, "SetCurrentSceneTransition {'transitionName':'Cut'}\n"},
		{"transition/duration", 750, "SetCurrentSceneTransitionDuration {'transitionDuration':750}\n"},
		{"scene/Cams/item/Red/visible", 0, "SetSceneItemEnabled {'sceneName':'Cams','sceneItemId':1,'sceneItemEnabled':false}\n"},
		{"scene/Wide/item/Cams/locked", 1, "SetSceneItemLocked {'sceneName':'Wide','sceneItemId':7,'sceneItemLocked':true}\n"},
		{"scene/Cams/item/Red/x", -5, "SetSceneItemTransform {'sceneName':'Cams','sceneItemId':1,'sceneItemTransform':{'positionX':-5.0}}\n"},
		{"scene/Cams/item/Mic/y", 5, "SetSceneItemTransform {'sceneName':'Cams','sceneItemId':2,'sceneItemTransform':{'positionY':5.0}}\n"},
		{"scene/Wide/item/Blue/scale", 100, /* mirrored it stays, and half as high as wide */
		 "SetSceneItemTransform {'sceneName':'Wide','sceneItemId':1,'sceneItemTransform':{'scaleX':1.0,'scaleY':-0.5}}\n"},
		{"scene/Wide/item/Cams/scale-x", 50, "SetSceneItemTransform {'sceneName':'Wide','sceneItemId':7,'sceneItemTransform':{'scaleX':0.5}}\n"},
		{"scene/News/item/Mic/scale-y", 50, "SetSceneItemTransform {'sceneName':'News','sceneItemId':2,'sceneItemTransform':{'scaleY':0.5}}\n"},
		{"scene/News/item/Lower/rotation", 45, "SetSceneItemTransform {'sceneName':'News','sceneItemId':1,'sceneItemTransform':{'rotation':45.0}}\n"},
		{"scene/Lower/item/Logo#2/crop-left", 9, "SetSceneItemTransform {'sceneName':'Lower','sceneItemId':5,'sceneItemTransform':{'cropLeft':9}}\n"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ck_assert_int_eq(obs_stage_set(s, all[i].param, all[i].x), 0);
		ck_assert_str_eq(obs_stage_sent(s), all[i].request);
		obs_stage_answer_all(s);
		obs_stage_sent(s);
	}
}
END_TEST

START_TEST(first_move_is_asked_for_as_its_event_may_not_be_subscribed_to_yet)
{
	ck_assert_uint_eq(obs_model_subscriptions(obs_stage_model(s)) & OBS_SUB_TRANSFORM, 0);
	obs_stage_set(s, "scene/Cams/item/Red/x", 33);
	ck_assert_uint_ne(obs_model_subscriptions(obs_stage_model(s)) & OBS_SUB_TRANSFORM, 0);
	obs_stage_send(s);
	obs_stage_answer(s, 0);
	obs_stage_sent(s);
	obs_stage_answer_with(s, 0, 100, "{" MOVED(33.0) "}");
	obs_stage_advance(s, 200);
	expect("scene/Cams/item/Red/x", "33");
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cams','sceneItemId':1," MOVED(33.0) "}");
	obs_stage_set(s, "scene/Cams/item/Red/x", 34);
	obs_stage_send(s);
	obs_stage_answer(s, 0);
	ck_assert_uint_eq(obs_stage_in_flight(s), 0);
}
END_TEST

/* OBS changes a transform as a whole, each request on a thread of its own: of two at a time one might undo the other. */
START_TEST(transform_of_an_item_is_moved_by_one_request_at_a_time)
{
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cams','sceneItemId':1," MOVED(10.0) "}");
	obs_stage_set(s, "scene/Cams/item/Red/x", 1);
	obs_stage_set(s, "scene/Cams/item/Red/y", 2);
	obs_stage_set(s, "scene/Cams/item/Mic/y", 3);
	ck_assert_str_eq(obs_stage_sent(s), "SetSceneItemTransform {'sceneName':'Cams','sceneItemId':1,'sceneItemTransform':{'positionX':1.0}}\n"
					    "SetSceneItemTransform {'sceneName':'Cams','sceneItemId':2,'sceneItemTransform':{'positionY':3.0}}\n");
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_sent(s), "SetSceneItemTransform {'sceneName':'Cams','sceneItemId':1,'sceneItemTransform':{'positionY':2.0}}\n");
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_with_a_reason)
{
	ck_assert_int_lt(obs_stage_set(s, "preview", 1), 0);
	ck_assert_int_lt(obs_stage_set(s, "scene/Wide/preview", 1), 0);
	ck_assert_int_lt(obs_stage_set(s, "scene/Cams/program", 0), 0);
	ck_assert_int_lt(obs_stage_set(s, "tbar", 0.5), 0);
	ck_assert_str_eq(obs_stage_told(s), "failed preview: studio mode is off: there is no preview\n"
					    "failed scene/Wide/preview: studio mode is off: there is no preview\n"
					    "failed scene/Cams/program: a scene leaves when another is chosen\n"
					    "failed tbar: studio mode is off: the T-bar has nothing to move\n");
	ck_assert_str_eq(obs_stage_sent(s), "");
	studio_on("Wide");
	ck_assert_int_eq(obs_stage_set(s, "preview", 2), 0);
	ck_assert_int_eq(obs_stage_set(s, "scene/Wide/preview", 1), 0);
	obs_stage_send(s);
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_sent(s), "SetCurrentPreviewScene {'sceneName':'News'}\nSetCurrentPreviewScene {'sceneName':'Wide'}\n");
	starts("Wide");
	ck_assert_int_eq(obs_stage_set(s, "program", 2), -EBUSY); /* OBS would say yes and not do it */
}
END_TEST

START_TEST(preview_behind_studio_mode_is_not_refused_because_obs_has_not_said_yet_that_it_is_on)
{
	ck_assert_int_eq(obs_stage_set(s, "studio-mode", 1), 0);
	ck_assert_int_eq(obs_stage_set(s, "preview", 1), 0);
	obs_stage_send(s);
	obs_stage_answer(s, 0);
	ck_assert_str_eq(obs_stage_sent(s), "SetStudioModeEnabled {'studioModeEnabled':true}\nSetCurrentPreviewScene {'sceneName':'Wide'}\n");
}
END_TEST

START_TEST(fixed_transition_has_no_duration)
{
	obs_stage_event(s, "CurrentSceneTransitionChanged", "{'transitionName':'Cut'}");
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 100, "{'transitionName':'Cut','transitionFixed':true,'transitionDuration':null}");
	expect("transition", "Cut");
	ck_assert_int_lt(obs_stage_set(s, "transition/duration", 500), 0);
	ck_assert_str_eq(obs_stage_told(s), "failed transition/duration: the current transition has no duration that can be set\n");
	obs_stage_event(s, "CurrentSceneTransitionChanged", "{'transitionName':'Fade'}");
	obs_stage_answer_all(s);
	ck_assert_int_eq(obs_stage_set(s, "transition/duration", 500), 0);
}
END_TEST

START_TEST(choice_that_is_gone_is_not_told_again)
{
	expect("collection", "Show");
	obs_stage_event(s, "SceneCollectionListChanged", "{'sceneCollections':['Other']}");
	unsigned n = obs_stage_reports(s, "collection");
	obs_model_report(obs_stage_model(s), obs_stage_id(s, "collection"));
	ck_assert_uint_eq(obs_stage_reports(s, "collection"), n);
	obs_stage_event(s, "SceneCollectionListChanged", "{'sceneCollections':['Other','Show']}");
	obs_stage_event(s, "CurrentSceneCollectionChanged", "{'sceneCollectionName':'Show'}");
	expect("collection", "Show");
}
END_TEST

START_TEST(transition_that_is_new_is_looked_up)
{
	obs_stage_event(s, "CurrentSceneTransitionChanged", "{'transitionName':'Sting'}");
	ck_assert_str_eq(obs_stage_sent(s), "GetSceneTransitionList\nGetCurrentSceneTransition\n");
	obs_stage_answer_with(s, 0, 100, "{'currentSceneTransitionName':'Sting','transitions':[{'transitionName':'Cut'},{'transitionName':'Fade'},"
					 "{'transitionName':'Sting'}]}");
	expect("transition", "Sting");
}
END_TEST

/* ------------------------------------------------------------------ events */

START_TEST(events_of_items_are_reported)
{
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Cams','sceneItemId':1,'sceneItemEnabled':false}");
	expect("scene/Cams/item/Red/visible", "false");
	obs_stage_event(s, "SceneItemLockStateChanged", "{'sceneName':'Cams','sceneItemId':1,'sceneItemLocked':true}");
	expect("scene/Cams/item/Red/locked", "true");
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cams','sceneItemId':1," MOVED(77.0) "}");
	expect("scene/Cams/item/Red/x", "77");
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cams','sceneItemId':99," MOVED(1.0) "}");
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Nowhere','sceneItemId':1,'sceneItemEnabled':false}");
	obs_stage_event(s, "SceneItemLockStateChanged", "{'sceneItemId':'x'}");
	obs_stage_event(s, "SceneItemCreated", NULL);
}
END_TEST

START_TEST(new_item_is_looked_at_with_its_list_and_many_ask_twice)
{
	for (int i = 20; i < 50; i++) {
		char d[128];
		snprintf(d, sizeof(d), "{'sceneName':'Cams','sourceName':'Blue','sceneItemId':%d,'sceneItemIndex':%d}", i, i);
		obs_stage_event(s, "SceneItemCreated", d);
	}
	ck_assert(obs_stage_has(s, "scene/Cams/item/Blue#30/visible"));
	ck_assert_str_eq(obs_stage_sent(s), "GetSceneItemList {'sceneName':'Cams'}\n");
	obs_stage_answer_with(s, 0, 100, "{'sceneItems':[" ITEM(1, 0, "Red", true) "," ITEM(20, 1, "Blue", false) "]}");
	ck_assert_str_eq(obs_stage_sent(s), "GetSceneItemList {'sceneName':'Cams'}\n");
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_sent(s), "");
	ck_assert(!obs_stage_has(s, "scene/Cams/item/Blue/visible")); /* the world has it not */
	ck_assert(obs_stage_has(s, "scene/Cams/item/Mic/visible"));
}
END_TEST

START_TEST(item_that_goes_while_its_list_is_on_its_way_does_not_come_back)
{
	obs_stage_event(s, "SceneItemCreated", "{'sceneName':'Cams','sourceName':'Logo','sceneItemId':9,'sceneItemIndex':2}");
	obs_stage_send(s);
	obs_stage_event(s, "SceneItemRemoved", "{'sceneName':'Cams','sourceName':'Logo','sceneItemId':9}");
	obs_stage_answer_with(s, 0, 100, "{'sceneItems':[" ITEM(1, 0, "Red", true) "," ITEM(2, 1, "Mic", true) "," ITEM(9, 2, "Logo", true) "]}");
	obs_stage_answer_all(s);
	ck_assert(!obs_stage_has(s, "scene/Cams/item/Logo/visible"));
}
END_TEST

START_TEST(answer_that_is_older_than_an_event_does_not_take_it_back)
{
	obs_stage_event(s, "SceneItemCreated", "{'sceneName':'Cams','sourceName':'Logo','sceneItemId':9,'sceneItemIndex':2}");
	obs_stage_send(s);
	obs_stage_advance(s, 1);
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Cams','sceneItemId':1,'sceneItemEnabled':false}");
	obs_stage_answer_with(s, 0, 100, "{'sceneItems':[" ITEM(1, 0, "Red", true) "," ITEM(2, 1, "Mic", true) "," ITEM(9, 2, "Logo", true) "]}");
	expect("scene/Cams/item/Red/visible", "false");
	expect_tally("Red=off Logo=program");
}
END_TEST

START_TEST(scenes_come_go_and_change_their_names)
{
	bh_param_id id = obs_stage_id(s, "scene/Wide/tally");
	obs_stage_event(s, "SceneNameChanged", "{'oldSceneName':'Wide','sceneName':'Total'}");
	ck_assert_uint_eq(obs_stage_id(s, "scene/Total/tally"), id);
	ck_assert_str_eq(obs_stage_param(s, "program")->choices[1], "Total");
	obs_stage_event(s, "SceneCreated", "{'sceneName':'Late','isGroup':false}");
	obs_stage_event(s, "SceneListChanged", "{'scenes':[{'sceneIndex':0,'sceneName':'News'},{'sceneIndex':1,'sceneName':'Late'},"
					       "{'sceneIndex':2,'sceneName':'Total'},{'sceneIndex':3,'sceneName':'Cams'}]}");
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_param(s, "program")->choices[2], "Late");
	expect_tally("Late=off Total=off");
	program_event("News");
	expect("program", "News");
	ck_assert_double_eq(obs_stage_value(s, "program"), 3);
	obs_stage_event(s, "SceneRemoved", "{'sceneName':'Late','isGroup':false}");
	obs_stage_event(s, "SceneListChanged", "{'scenes':[{'sceneIndex':0,'sceneName':'News'},{'sceneIndex':1,'sceneName':'Total'},"
					       "{'sceneIndex':2,'sceneName':'Cams'}]}");
	ck_assert(!obs_stage_has(s, "scene/Late/tally"));
	ck_assert_double_eq(obs_stage_value(s, "program"), 2); /* the same scene, at its new place */
	expect("program", "News");
}
END_TEST

START_TEST(group_that_comes_is_a_group)
{
	obs_stage_event(s, "SceneCreated", "{'sceneName':'Trio','isGroup':true}");
	ck_assert_str_eq(obs_stage_sent(s), "GetGroupSceneItemList {'sceneName':'Trio'}\n");
	ck_assert(!obs_stage_has(s, "scene/Trio/program"));
	obs_stage_event(s, "SceneItemCreated", "{'sceneName':'Cams','sourceName':'Trio','sceneItemId':11,'sceneItemIndex':3}");
	obs_stage_event(s, "SceneItemCreated", "{'sceneName':'Trio','sourceName':'Blue','sceneItemId':1,'sceneItemIndex':0}");
	expect_tally("Trio=program Blue=program");
}
END_TEST

/* ------------------------------------------------------------------ tally */

START_TEST(hidden_items_show_nothing)
{
	program_event("Wide");
	expect_tally("Cams=program Wide=program News=off Lower=off Red=program Mic=program Blue=program Logo=off");
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Wide','sceneItemId':7,'sceneItemEnabled':false}");
	expect_tally("Cams=off Wide=program Red=off Mic=off Blue=program");
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Wide','sceneItemId':7,'sceneItemEnabled':true}");
	expect_tally("Cams=program Red=program Mic=program");
}
END_TEST

START_TEST(one_of_two_items_that_show_the_same_is_enough)
{
	program_event("News");
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Lower','sceneItemId':3,'sceneItemEnabled':false}");
	expect_tally("Lower=program Logo=program");
	obs_stage_event(s, "SceneItemEnableStateChanged", "{'sceneName':'Lower','sceneItemId':5,'sceneItemEnabled':false}");
	expect_tally("Lower=program Logo=off");
}
END_TEST

START_TEST(only_differences_are_reported)
{
	unsigned before = obs_stage_reports(s, "input/Mic/tally"), red = obs_stage_reports(s, "input/Red/tally");
	program_event("News"); /* shows the microphone, too */
	ck_assert_uint_eq(obs_stage_reports(s, "input/Mic/tally"), before);
	ck_assert_uint_eq(obs_stage_reports(s, "input/Red/tally"), red + 1);
}
END_TEST

START_TEST(preview_is_green_in_studio_mode_only)
{
	studio_on("News");
	expect("preview", "News");
	expect("scene/News/preview", "true");
	expect_tally("Cams=program Wide=off News=preview Lower=preview Logo=preview Mic=program Red=program Blue=off");
	obs_stage_event(s, "StudioModeStateChanged", "{'studioModeEnabled':false}");
	expect("scene/News/preview", "false");
	expect("preview", "News"); /* a choice cannot be none */
	expect_tally("News=off Lower=off Logo=off Mic=program");
}
END_TEST

START_TEST(studio_mode_asks_what_is_in_preview)
{
	obs_stage_event(s, "StudioModeStateChanged", "{'studioModeEnabled':true}");
	ck_assert_str_eq(obs_stage_sent(s), "GetCurrentPreviewScene\n");
	obs_stage_answer_all(s);
	expect("preview", "Cams");
	expect("scene/Cams/preview", "true");
}
END_TEST

START_TEST(both_scenes_are_on_air_while_a_transition_runs)
{
	starts("News");
	expect("transition/active", "true");
	expect("program", "News"); /* as OBS itself names it */
	expect_tally("Cams=program News=program Red=program Logo=program Mic=program Blue=off Wide=off");
	obs_stage_event(s, "SceneTransitionVideoEnded", "{'transitionName':'Fade'}");
	program_event("News");
	expect_tally("Cams=program News=program");
	obs_stage_event(s, "SceneTransitionEnded", "{'transitionName':'Fade'}");
	expect("transition/active", "false");
	expect_tally("Cams=off News=program Red=off Logo=program");
}
END_TEST

START_TEST(newer_obs_tells_where_a_transition_leads_to)
{
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Fade','transitionDuration':300,'fromScene':'Cams','toScene':'News'}");
	ck_assert_str_eq(obs_stage_sent(s), "");
	expect_tally("Cams=program News=program");
}
END_TEST

START_TEST(transition_that_turns_to_a_third_scene_shows_where_it_comes_from)
{
	starts("News");
	starts("Wide");
	expect("program", "Wide");
	expect_tally("News=program Wide=program Logo=program Blue=program");
	program_event("Wide");
	obs_stage_event(s, "SceneTransitionEnded", "{'transitionName':'Fade'}");
	expect_tally("News=off Wide=program Cams=program Logo=off"); /* Cams is in Wide */
}
END_TEST

START_TEST(cut_tells_all_at_once)
{
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Cut'}");
	obs_stage_event(s, "SceneTransitionVideoEnded", "{'transitionName':'Cut'}");
	obs_stage_event(s, "SceneTransitionEnded", "{'transitionName':'Cut'}");
	program_event("News");
	obs_stage_answer_all(s);
	expect("program", "News");
	expect("transition/active", "false");
	expect_tally("Cams=off News=program");
}
END_TEST

START_TEST(transition_whose_end_is_never_told_ends_when_its_cursor_says_so)
{
	starts("News");
	obs_stage_advance(s, 2000);
	ck_assert_str_eq(obs_stage_sent(s), "");
	obs_stage_advance(s, 500);
	ck_assert_str_eq(obs_stage_sent(s), "GetCurrentSceneTransitionCursor\n");
	obs_stage_answer_with(s, 0, 100, "{'transitionCursor':0.9}"); /* a slow machine */
	expect_tally("Cams=program News=program");
	obs_stage_advance(s, 1000);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 100, "{'transitionCursor':1.0}");
	obs_stage_answer_all(s);
	expect("transition/active", "false");
	expect_tally("Cams=off News=program");
}
END_TEST

START_TEST(transition_that_was_taken_back_leaves_on_air_what_was)
{
	studio_on("News");
	starts("News"); /* by the T-bar in OBS's own window */
	obs_stage_advance(s, 3000);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 100, "{'transitionCursor':0.0}");
	expect("program", "Cams");
	expect_tally("Cams=program News=preview Logo=preview");
}
END_TEST

START_TEST(picture_after_an_outage_is_the_truth)
{
	studio_on("Wide");
	starts("Wide");
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	expect("transition/active", "false");
	expect("studio-mode", "false");
	expect("program", "Cams");
	expect_tally("Cams=program Wide=off News=off Lower=off Red=program Mic=program Blue=off Logo=off");
}
END_TEST

/* ------------------------------------------------------------------ collections */

START_TEST(change_of_collection_freezes_and_is_looked_at_as_a_whole)
{
	bh_param_id id = obs_stage_id(s, "input/Mic/tally");
	obs_stage_event(s, "CurrentSceneCollectionChanging", "{'sceneCollectionName':'Show'}");
	ck_assert(obs_model_is_frozen(obs_stage_model(s)));
	ck_assert_int_lt(obs_stage_set(s, "program", 1), 0);
	obs_stage_event(s, "InputRemoved", "{'inputName':'Mic'}");
	obs_stage_event(s, "SceneRemoved", "{'sceneName':'Cams','isGroup':false}");
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/tally"), id); /* it comes back */
	obs_stage_event(s, "CurrentSceneCollectionChanged", "{'sceneCollectionName':'Other'}");
	expect("collection", "Other");
	ck_assert(!obs_model_is_frozen(obs_stage_model(s)));
	ck_assert(obs_model_wants_picture(obs_stage_model(s)));
	ck_assert(!obs_model_wants_picture(obs_stage_model(s)));
	ck_assert_int_eq(obs_stage_connect(s), 0);
	ck_assert_uint_eq(obs_stage_id(s, "input/Mic/tally"), id);
}
END_TEST

START_TEST(change_of_collection_that_never_ends_is_given_up)
{
	obs_stage_event(s, "CurrentSceneCollectionChanging", "{'sceneCollectionName':'Show'}");
	obs_stage_advance(s, 29000);
	ck_assert(obs_model_is_frozen(obs_stage_model(s)));
	obs_stage_advance(s, 1500);
	ck_assert(!obs_model_is_frozen(obs_stage_model(s)));
	ck_assert(obs_model_wants_picture(obs_stage_model(s)));
}
END_TEST

START_TEST(profile_and_collection_are_chosen_by_name)
{
	obs_stage_set(s, "profile", 1);
	ck_assert_str_eq(obs_stage_sent(s), "SetCurrentProfile {'profileName':'Test'}\n");
	obs_stage_answer_all(s);
	obs_stage_set_text(s, "collection", "Other");
	ck_assert_str_eq(obs_stage_sent(s), "SetCurrentSceneCollection {'sceneCollectionName':'Other'}\n");
	obs_stage_event(s, "ProfileListChanged", "{'profiles':['Extra','Live','Test']}");
	ck_assert_str_eq(obs_stage_param(s, "profile")->choices[0], "Extra");
	expect("profile", "Live");
	obs_stage_event(s, "CurrentProfileChanging", "{'profileName':'Live'}");
	obs_stage_event(s, "CurrentProfileChanged", "{'profileName':'Test'}");
	expect("profile", "Test");
	ck_assert(obs_model_wants_picture(obs_stage_model(s)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs_scenes");
	TCase *t = tcase_create("scenes");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, scenes_are_chosen_in_the_order_of_obs_from_the_top);
	tcase_add_test(t, every_scene_group_and_input_has_its_tally_from_the_beginning);
	tcase_add_test(t, items_are_told_with_their_transform);
	tcase_add_test(t, second_item_of_the_same_source_is_called_by_its_number);
	tcase_add_test(t, each_value_is_its_request);
	tcase_add_test(t, first_move_is_asked_for_as_its_event_may_not_be_subscribed_to_yet);
	tcase_add_test(t, transform_of_an_item_is_moved_by_one_request_at_a_time);
	tcase_add_test(t, what_makes_no_sense_is_refused_with_a_reason);
	tcase_add_test(t, preview_behind_studio_mode_is_not_refused_because_obs_has_not_said_yet_that_it_is_on);
	tcase_add_test(t, fixed_transition_has_no_duration);
	tcase_add_test(t, transition_that_is_new_is_looked_up);
	tcase_add_test(t, choice_that_is_gone_is_not_told_again);
	tcase_add_test(t, events_of_items_are_reported);
	tcase_add_test(t, new_item_is_looked_at_with_its_list_and_many_ask_twice);
	tcase_add_test(t, item_that_goes_while_its_list_is_on_its_way_does_not_come_back);
	tcase_add_test(t, answer_that_is_older_than_an_event_does_not_take_it_back);
	tcase_add_test(t, scenes_come_go_and_change_their_names);
	tcase_add_test(t, group_that_comes_is_a_group);
	tcase_add_test(t, hidden_items_show_nothing);
	tcase_add_test(t, one_of_two_items_that_show_the_same_is_enough);
	tcase_add_test(t, only_differences_are_reported);
	tcase_add_test(t, preview_is_green_in_studio_mode_only);
	tcase_add_test(t, studio_mode_asks_what_is_in_preview);
	tcase_add_test(t, both_scenes_are_on_air_while_a_transition_runs);
	tcase_add_test(t, newer_obs_tells_where_a_transition_leads_to);
	tcase_add_test(t, transition_that_turns_to_a_third_scene_shows_where_it_comes_from);
	tcase_add_test(t, cut_tells_all_at_once);
	tcase_add_test(t, transition_whose_end_is_never_told_ends_when_its_cursor_says_so);
	tcase_add_test(t, transition_that_was_taken_back_leaves_on_air_what_was);
	tcase_add_test(t, picture_after_an_outage_is_the_truth);
	tcase_add_test(t, change_of_collection_freezes_and_is_looked_at_as_a_whole);
	tcase_add_test(t, change_of_collection_that_never_ends_is_given_up);
	tcase_add_test(t, profile_and_collection_are_chosen_by_name);
	suite_add_tcase(suite, t);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
