/*
 * test_obs_show - the model of scenes, transitions, the T-bar and outputs, in front of a real OBS: what it sends is asked of OBS, what OBS tells
 * goes into it, and then what it says is held against what OBS says of itself (GetSourceActive: is it on air?)
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/obs_stage.h"
#include "tests/lib/obs_suite.h"
#include "tests/lib/patience.h"

#define PORT 4455

static struct obs_peer *obs;
static struct obs_client *c;
static struct obs_stage *s;
static struct obs_config cfg;
static uint64_t now;
static unsigned transitions; /* that have begun */

/* ------------------------------------------------------------------ between the two */

static const char *
printed(const msgpack_object *o)
{
	static char text[64 << 10];
	if (!o || o->type == MSGPACK_OBJECT_NIL)
		return NULL;
	return obs_text_print(text, sizeof(text), o);
}

static bool
ask_obs(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	(void)ctx;
	int code = data && *data ? obs_client_ask(c, request, "%s", data) : obs_client_ask(c, request, NULL);
	*row = (struct obs_stage_row){.request = request, .code = code};
	row->data = code == 100 ? printed(obs_client_answer(c)) : "refused";
	return true;
}

/* All that has come, in its order; and time goes on. */
static void
go_on(unsigned ms)
{
	uint64_t end = bh_mono_ns() + ms * BH_NS_PER_MS;
	do {
		char type[64];
		for (const msgpack_object *d; (d = obs_client_next_event(c, type, sizeof(type)));) {
			transitions += !strcmp(type, "SceneTransitionStarted");
			obs_stage_event(s, type, printed(d));
		}
		obs_stage_answer_all(s);
		obs_client_pump(c, 5);
		uint64_t passed = (bh_mono_ns() - now) / BH_NS_PER_MS;
		obs_stage_advance(s, (unsigned)passed);
		now += passed * BH_NS_PER_MS;
	} while (bh_mono_ns() < end);
}

#define UNTIL(cond)                                                                                                     \
	do {                                                                                                           \
		uint64_t until_ = bh_mono_ns() + patience_ms(10000) * BH_NS_PER_MS;                                      \
		bool ok_;                                                                                              \
		while (!(ok_ = (cond)) && bh_mono_ns() < until_)                                                       \
			go_on(10);                                                                                     \
		ck_assert_msg(ok_, "%s; the model has said: %s", #cond, obs_stage_told(s));                            \
	} while (0)

static bool
is(const char *param, const char *text)
{
	return !strcmp(obs_stage_text(s, param), text);
}

static void
setup(void)
{
	obs = obs_peer_new(PORT, NULL);
	obs_peer_colour(obs, "Red", 0xff0000ff);
	obs_peer_colour(obs, "Blue", 0xffff0000);
	obs_peer_colour(obs, "Logo", 0xff00ff00);
	obs_peer_colour(obs, "Spare", 0xff00ffff);
	obs_peer_group(obs, "Lower", "Logo", NULL);
	obs_peer_scene(obs, "Cams", "Red", NULL);
	obs_peer_scene(obs, "Wide", "Blue", "Cams", NULL);
	obs_peer_scene(obs, "News", "Lower", "Spare", NULL);
	obs_peer_start(obs);
	c = obs_client_open(PORT, NULL, OBS_EVENTS_ALL | OBS_EVENTS_TRANSFORM);
	cfg = obs_stage_config();
	cfg.stats_ms = 500;
	s = obs_stage_new(&cfg);
	obs_stage_on_request(s, ask_obs, NULL);
	now = bh_mono_ns();
	obs_client_call(c, "SetCurrentSceneTransitionDuration", "{'transitionDuration': 300}");
	ck_assert_int_eq(obs_stage_connect(s), 0);
	transitions = 0;
	UNTIL(is("program", "Cams"));
	obs_stage_told(s);
}

static void
teardown(void)
{
	obs_stage_free(s);
	obs_client_close(c);
	obs_peer_free(obs);
}

/* ------------------------------------------------------------------ what OBS says of itself */

static const char *const sources[] = {"input/Red", "input/Blue", "input/Logo", "input/Spare", "scene/Cams", "scene/Wide", "scene/News", "scene/Lower"};

static bool
is_tally_true(void)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s/tally", sources[i]);
		if (*sources[i] == 's' && is("studio-mode", "true"))
			continue; /* in studio mode a copy of the scene is on air */
		bool active = obs_true(obs_client_call(c, "GetSourceActive", "{'sourceName': '%s'}", strchr(sources[i], '/') + 1), "videoActive");
		if (is(path, "program") != active)
			return false;
	}
	return true;
}

static bool
is_program(const char *scene)
{
	return is("program", scene) && obs_is(obs_client_call(c, "GetCurrentProgramScene", NULL), "currentProgramSceneName", scene);
}

static void
hand(double position)
{
	obs_stage_set(s, "tbar", position);
	go_on(15);
}

static void
travel(double from, double to, int steps)
{
	for (int k = 1; k <= steps; k++)
		hand(from + (to - from) * k / steps);
}

START_TEST(tally_is_what_obs_has_on_air)
{
	static const char *const scenes[] = {"Wide", "News", "Cams", "Wide"};
	UNTIL(is_tally_true());
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		obs_stage_set_text(s, "program", scenes[i]);
		UNTIL(is_program(scenes[i]) && is("transition/active", "false"));
		UNTIL(is_tally_true());
	}
	int cams = (int)obs_number(obs_client_call(c, "GetSceneItemList", "{'sceneName': 'Wide'}"), "sceneItems/1/sceneItemId");
	obs_stage_set(s, "scene/Wide/item/Cams/visible", 0);
	UNTIL(is("scene/Wide/item/Cams/visible", "false") && is_tally_true());
	ck_assert(is("input/Red/tally", "off"));
	obs_client_call(c, "SetSceneItemEnabled", "{'sceneName': 'Wide', 'sceneItemId': %d, 'sceneItemEnabled': true}", cams);
	UNTIL(is("input/Red/tally", "program") && is_tally_true());
	obs_client_call(c, "CreateSceneItem", "{'sceneName': 'Wide', 'sourceName': 'News'}");
	UNTIL(is("input/Logo/tally", "program") && is_tally_true());
	obs_client_call(c, "SetCurrentSceneTransition", "{'transitionName': 'Cut'}");
	obs_stage_set_text(s, "program", "Cams");
	UNTIL(is_program("Cams") && is("input/Logo/tally", "off") && is_tally_true());
}
END_TEST

START_TEST(item_that_stands_twice_in_a_scene_has_a_number)
{
	int first = (int)obs_number(obs_client_call(c, "GetSceneItemList", "{'sceneName': 'Cams'}"), "sceneItems/0/sceneItemId");
	int second = (int)obs_number(obs_client_call(c, "CreateSceneItem", "{'sceneName': 'Cams', 'sourceName': 'Red'}"), "sceneItemId");
	UNTIL(obs_stage_has(s, "scene/Cams/item/Red#2/x"));
	obs_stage_set(s, "scene/Cams/item/Red#2/x", 33);
	obs_stage_set(s, "scene/Cams/item/Red#2/y", 44);
	obs_stage_set(s, "scene/Cams/item/Red#2/scale", 50);
	go_on(50);
	const msgpack_object *o = obs_client_call(c, "GetSceneItemTransform", "{'sceneName': 'Cams', 'sceneItemId': %d}", second);
	ck_assert_double_eq(obs_number(o, "sceneItemTransform/positionX"), 33);
	ck_assert_double_eq(obs_number(o, "sceneItemTransform/positionY"), 44);
	ck_assert_double_eq(obs_number(o, "sceneItemTransform/scaleX"), 0.5);
	obs_client_call(c, "RemoveSceneItem", "{'sceneName': 'Cams', 'sceneItemId': %d}", first);
	UNTIL(!obs_stage_has(s, "scene/Cams/item/Red#2/x") && is("scene/Cams/item/Red/x", "33"));
}
END_TEST

START_TEST(preview_is_green_and_a_transition_is_red_on_both_sides)
{
	obs_stage_set(s, "studio-mode", 1);
	obs_stage_set_text(s, "preview", "News");
	UNTIL(is("scene/News/tally", "preview") && is("input/Spare/tally", "preview"));
	obs_client_call(c, "SetCurrentSceneTransitionDuration", "{'transitionDuration': 6000}");
	obs_client_call(c, "TriggerStudioModeTransition", NULL);
	UNTIL(is("scene/News/tally", "program") && is("scene/Cams/tally", "program") && is_tally_true());
	ck_assert_int_lt(obs_stage_set_text(s, "program", "Wide"), 0); /* OBS would say yes and not do it */
	UNTIL(is_program("News") && is("scene/Cams/tally", "preview") && is_tally_true());
	obs_stage_set(s, "studio-mode", 0);
	UNTIL(is("studio-mode", "false") && is("scene/Cams/tally", "off"));
}
END_TEST

START_TEST(t_bar_changes_scenes_once_a_travel)
{
	obs_stage_set(s, "studio-mode", 1);
	obs_stage_set_text(s, "preview", "Wide");
	UNTIL(is("preview", "Wide"));
	travel(0, 0.5, 10);
	UNTIL(is("scene/Wide/tally", "program") && is("transition/active", "true") && is_tally_true());
	ck_assert(is("program", "Cams"));
	travel(0.5, 0.88, 10);
	travel(0.88, 1, 60); /* a slow hand, over the place where OBS finishes by itself */
	UNTIL(is_program("Wide") && is("preview", "Cams") && is("transition/active", "false") && is_tally_true());
	ck_assert_uint_eq(transitions, 1);
	travel(1, 0, 40); /* and down */
	UNTIL(is_program("Cams") && is("transition/active", "false") && is_tally_true());
	ck_assert_uint_eq(transitions, 2);
	travel(0, 0.6, 10); /* taken back */
	travel(0.6, 0, 10);
	UNTIL(is("transition/active", "false") && is("program", "Cams") && is("scene/Wide/tally", "preview"));
	travel(0, 1, 20);
	UNTIL(is_program("Wide") && is("tbar", "1") && is_tally_true());
	obs_client_call(c, "TriggerStudioModeTransition", NULL); /* by another hand: the next travel begins where this one ended */
	UNTIL(is_program("Cams") && is("transition/active", "false"));
	travel(1, 0, 20);
	UNTIL(is_program("Wide") && is("tbar", "0") && is_tally_true());
	ck_assert_str_eq(obs_stage_told(s), "");
}
END_TEST

START_TEST(outputs_say_what_they_do)
{
	obs_stage_set(s, "record", 1);
	UNTIL(is("record/state", "started") && is("record", "true") && obs_stage_value(s, "record/time") > 0);
	obs_stage_set(s, "record/paused", 1);
	UNTIL(is("record/paused", "true") && is("record/state", "paused") && is("record", "true"));
	obs_stage_set(s, "record/paused", 0);
	UNTIL(is("record/paused", "false"));
	obs_stage_set(s, "record", 0);
	UNTIL(is("record", "false") && is("record/state", "stopped"));
	ck_assert_str_eq(obs_stage_told(s), "");
	obs_stage_set(s, "stream", 1); /* to nowhere */
	UNTIL(strstr(obs_stage_told(s), "failed stream: OBS could not start the stream"));
	ck_assert(is("stream", "false") && is("stream/state", "stopped"));
	UNTIL(obs_stage_value(s, "stats/fps") > 0 && obs_stage_value(s, "stats/memory") > 0 && obs_stage_value(s, "stats/disk") > 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		tally_is_what_obs_has_on_air,
		item_that_stands_twice_in_a_scene_has_a_number,
		preview_is_green_and_a_transition_is_red_on_both_sides,
		t_bar_changes_scenes_once_a_travel,
		outputs_say_what_they_do,
		NULL,
	};
	return obs_suite_run("obs_show", 240, setup, teardown, tests);
}
