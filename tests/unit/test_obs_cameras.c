/* Cameras, split views, PTZ targets: what the view is, what is asked of OBS, and where pictures end up. */
#include <math.h>

#include "tests/unit/obs_show.h"

static char *word(const char *s) { return (char *)(uintptr_t)s; }

static struct obs_camera_config cameras[3];
static struct obs_ptz_config ptz[2];
static struct obs_config cfg;
static struct obs_stage *s;

static void
configure(void)
{
	cameras[0] = (struct obs_camera_config){word("cam1"), word("Cam 1"), word("Eye 1"), word("Half 1"), true};
	cameras[1] = (struct obs_camera_config){word("cam2"), word("Cam 2"), word("Eye 2"), word("Half 2"), true};
	cameras[2] = (struct obs_camera_config){word("cam3"), word("Cam 3"), word("Eye 3"), word(""), false};
	ptz[0] = (struct obs_ptz_config){word("pad"), word("dynamic"), 15, 3, 1};
	ptz[1] = (struct obs_ptz_config){word("joy"), word("cam2"), 15, 3, 1};
	cfg = obs_stage_config();
	cfg.cameras.items = cameras;
	cfg.cameras.count = 3;
	cfg.ptz.items = ptz;
	cfg.ptz.count = 2;
	cfg.split_left = word("Left");
	cfg.split_right = word("Right");
	cfg.default_camera = word("cam2");
}

static void
setup(void)
{
	configure();
	s = show_begin(&cfg);
}

static void
teardown(void)
{
	obs_stage_free(s);
}

#define PROGRAM(n) "SetCurrentProgramScene {'sceneName':'" n "'}\n"
#define PREVIEW(n) "SetCurrentPreviewScene {'sceneName':'" n "'}\n"
#define STUDIO_ON  "| SetStudioModeEnabled {'studioModeEnabled':true}\n"
#define SHOW(scene, id, on) "| SetSceneItemEnabled {'sceneName':'" scene "','sceneItemId':" #id ",'sceneItemEnabled':" on "}\n"
#define CUT(n)                                                                                                                       \
	"| GetSceneSceneTransitionOverride {'sceneName':'" n "'} -> {'name':'transitionName','ms':'transitionDuration'}\n"           \
	"| SetSceneSceneTransitionOverride {'sceneName':'" n "','transitionName':'Schnitt'}\n"                                       \
	"| SetCurrentProgramScene {'sceneName':'" n "'}\n"                                                                           \
	"| SetSceneSceneTransitionOverride {'sceneName':'" n "'} <- {'transitionName':'name','transitionDuration':'ms'}\n"
#define RENEW(n)                                                                                                                     \
	"| GetCurrentPreviewScene -> {'preview':'currentPreviewSceneName'}\n| " PREVIEW(n) CUT(n)                                   \
	"| SetCurrentPreviewScene <- {'sceneName':'preview'}\n"
#define MOVE(scene, id, members) "SetSceneItemTransform {'sceneName':'" scene "','sceneItemId':" #id ",'sceneItemTransform':{" members "}}\n"

/* One step of a show: something that OBS tells, or an action; then what was sent, told, and how it stands. */
struct step {
	const char *what, *arg1, *arg2; /* "program", "preview", "studio", "event": OBS tells; else an action */
	const char *sent, *told;
	const char *view, *pad;
};

static void
do_step(const struct step *p)
{
	if (!strcmp(p->what, "program"))
		show_program(s, p->arg1);
	else if (!strcmp(p->what, "preview"))
		show_preview(s, p->arg1);
	else if (!strcmp(p->what, "studio"))
		obs_stage_event(s, "StudioModeStateChanged", p->arg1 ? "{'studioModeEnabled':true}" : "{'studioModeEnabled':false}");
	else if (!strcmp(p->what, "event"))
		obs_stage_event(s, p->arg1, p->arg2);
	else
		obs_stage_action(s, p->what, p->arg1, p->arg2, NULL);
}

static void
run(const struct step *p)
{
	for (unsigned i = 0; p[i].what; i++) {
		char what[200];

		snprintf(what, sizeof(what), "step %u, %s %s %s,", i, p[i].what, p[i].arg1 ? p[i].arg1 : "", p[i].arg2 ? p[i].arg2 : "");
		do_step(&p[i]);
		check_sent(s, what, p[i].sent ? p[i].sent : "");
		check_told(s, what, p[i].told ? p[i].told : "");
		ck_assert_msg(!strcmp(obs_stage_text(s, "view"), p[i].view), "%s view is %s, not %s", what, obs_stage_text(s, "view"), p[i].view);
		if (p[i].pad)
			ck_assert_msg(!strcmp(obs_stage_text(s, "ptz/pad/camera"), p[i].pad), "%s the pad drives %s, not %s", what,
				      obs_stage_text(s, "ptz/pad/camera"), p[i].pad);
		obs_stage_answer_all(s);
		obs_stage_sent(s);
		obs_stage_told(s);
	}
}

/* ------------------------------------------------------------------ which is shown */

START_TEST(cameras_without_studio_mode)
{
	static const struct step steps[] = {
		{"camera", "cam2", NULL, "| " PROGRAM("Cam 2"), NULL, "full", "cam1"},
		{"program", "Cam 2", NULL, NULL, NULL, "full", "cam2"},
		{"program", "Break", NULL, NULL, NULL, "full", "cam2"},
		{"camera", "cam3", NULL, "| " PROGRAM("Cam 3"), NULL, "full", "cam2"},
		{"program", "Cam 3", NULL, NULL, NULL, "full", "cam2"}, /* may not be moved: no target */
		{"camera", "cam1", "preview", STUDIO_ON "| " PREVIEW("Cam 1"), NULL, "full", NULL},
		{"camera", "cam9", NULL, NULL, "failed action camera: no camera \"cam9\" in the configuration; did you mean \"cam3\"?\n", "full", NULL},
		{"camera", "cam", NULL, NULL, "failed action camera: no camera \"cam\" in the configuration; did you mean \"cam1\"?\n", "full", NULL},
		{"camera", "cam1", "pda", NULL, "failed action camera: no PTZ target \"pda\" in the configuration; did you mean \"pad\"?\n", "full", NULL},
		{0},
	};

	run(steps);
}
END_TEST

START_TEST(cameras_in_studio_mode)
{
	static const struct step steps[] = {
		{"studio", "on", NULL, NULL, NULL, "full", NULL},
		{"preview", "Cam 1", NULL, NULL, NULL, "full", "cam1"},
		{"camera", "cam2", NULL, "| " PREVIEW("Cam 2"), NULL, "full", NULL},
		{"preview", "Cam 2", NULL, NULL, NULL, "full", "cam2"},
		{"camera", "cam1", "program", "| " PROGRAM("Cam 1"), NULL, "full", "cam2"},
		{"event", "SceneTransitionStarted", "{'transitionName':'Blende'}", NULL, NULL, "full", NULL},
		{"camera", "cam1", "program", NULL, "failed action camera: OBS is in the middle of a transition\n", "full", NULL},
		{"camera", "cam1", "preview", "| " PREVIEW("Cam 1"), NULL, "full", NULL},
		{0},
	};

	run(steps);
}
END_TEST

START_TEST(a_pad_chooses_by_its_modifier)
{
	static const struct step let_go[] = {{"camera", "cam2", "joy", "| " PROGRAM("Cam 2"), NULL, "full", "cam1"}, {0}};
	static const struct step held[] = {
		{"camera", "cam1", "joy", STUDIO_ON "| " PREVIEW("Cam 1"), NULL, "full", "cam1"},
		{"camera", "cam3", "joy", STUDIO_ON "| " PREVIEW("Cam 3"), NULL, "full", "cam1"},
		{0},
	};

	run(let_go);
	ck_assert_str_eq(obs_stage_text(s, "ptz/joy/camera"), "cam2");
	ck_assert_int_eq(obs_stage_set(s, "ptz/joy/modifier", 1), 0);
	run(held);
	ck_assert_str_eq(obs_stage_text(s, "ptz/joy/camera"), "cam1"); /* cam3 may not be moved */
	ck_assert_int_eq(obs_stage_set(s, "ptz/joy/modifier", 0), 0);
	ck_assert_str_eq(obs_stage_text(s, "ptz/joy/modifier"), "false");
	run(let_go);
	/* Without OBS a target can be turned, and nothing be moved later. */
	static const char *const never_late[] = {"ptz/joy/x", "ptz/joy/zoom", "ptz/joy/move-x", "ptz/joy/move-zoom", "camera/cam1/x", "camera/cam1/move-y"};
	for (size_t i = 0; i < BH_ARRAY_LEN(never_late); i++)
		ck_assert(!obs_model_may_wait(obs_stage_model(s), obs_stage_id(s, never_late[i])));
	ck_assert(obs_model_may_wait(obs_stage_model(s), obs_stage_id(s, "ptz/joy/camera")));
	ck_assert(obs_model_may_wait(obs_stage_model(s), obs_stage_id(s, "ptz/joy/modifier")));
}
END_TEST

/* ------------------------------------------------------------------ what outlives us */

static void
next_life_with(void (*change)(void))
{
	static struct obs_chosen kept;

	obs_model_remember(obs_stage_model(s), &kept);
	obs_stage_free(s);
	if (change)
		change();
	s = show_new(&cfg);
	obs_model_recall(obs_stage_model(s), &kept);
	ck_assert_int_eq(obs_stage_connect(s), 0);
}

static void
next_life(void)
{
	next_life_with(NULL);
}

#define expect_text(param, text) ck_assert_str_eq(obs_stage_text(s, param), text)

START_TEST(what_was_chosen_is_chosen_in_the_next_life)
{
	static const char *const choices[] = {"view", "ptz/pad/camera", "ptz/joy/modifier"}, *const others[] = {"program", "ptz/joy/x", "camera/cam1/tally"};
	for (size_t i = 0; i < BH_ARRAY_LEN(choices); i++) {
		ck_assert(obs_model_is_choice(obs_stage_model(s), obs_stage_id(s, choices[i])));
		ck_assert(!obs_model_is_choice(obs_stage_model(s), obs_stage_id(s, others[i])));
	}
	expect_text("ptz/pad/camera", "cam1"); /* it follows what is on air */
	obs_stage_set_text(s, "ptz/pad/camera", "cam2");
	obs_stage_set_text(s, "ptz/joy/camera", "cam1");
	obs_stage_set(s, "ptz/joy/modifier", 1); /* a key that is still held */
	next_life();
	expect_text("ptz/pad/camera", "cam2");
	expect_text("ptz/joy/camera", "cam1");
	expect_text("ptz/joy/modifier", "true");
	expect_text("ptz/pad/modifier", "false");
	expect_text("view", "full");
	next_life();
	expect_text("ptz/pad/camera", "cam2");
	/* And goes on following. */
	show_program(s, "Cam 2");
	show_program(s, "Cam 1");
	expect_text("ptz/pad/camera", "cam1");
	expect_text("ptz/joy/camera", "cam1");
	/* A split that a camera's scene is not seen to be in. */
	obs_stage_action(s, "split", "left", NULL);
	obs_stage_answer_all(s);
	show_program(s, "Left");
	obs_stage_action(s, "camera", "cam2", NULL);
	obs_stage_answer_all(s);
	expect_text("view", "split-left");
	expect_text("ptz/pad/camera", "cam2");
	next_life(); /* of an OBS that shows Cam 1 again */
	expect_text("view", "split-left");
	obs_stage_sent(s);
}
END_TEST

START_TEST(what_is_on_air_anew_in_the_next_life_is_followed)
{
	show_program(s, "Break");
	obs_stage_set_text(s, "ptz/pad/camera", "cam2");
	next_life(); /* shows Cam 1 */
	expect_text("ptz/pad/camera", "cam1");
}
END_TEST

static void
other_order(void)
{
	struct obs_camera_config first = cameras[0];

	cameras[0] = cameras[1];
	cameras[1] = first;
}

static void
other_target(void)
{
	ptz[1].camera = word("cam3");
}

static void
other_name(void)
{
	cameras[0].id = word("cam9");
}

static void
no_left_split(void)
{
	cfg.split_left = word("");
}

START_TEST(new_options_win_over_what_was_chosen)
{
	obs_stage_set_text(s, "ptz/joy/camera", "cam1");
	next_life_with(other_order);
	expect_text("ptz/joy/camera", "cam1");
	next_life_with(other_target);
	expect_text("ptz/joy/camera", "cam3");
	obs_stage_set_text(s, "ptz/pad/camera", "cam2");
	next_life_with(other_name); /* of cam2 */
	expect_text("ptz/pad/camera", "cam1");
	obs_stage_action(s, "split", "left", NULL);
	obs_stage_answer_all(s);
	expect_text("view", "split-left");
	next_life_with(no_left_split);
	expect_text("view", "full");
	obs_stage_sent(s);
	obs_stage_told(s);
}
END_TEST

START_TEST(a_reload_leaves_what_was_chosen)
{
	struct obs_config next = cfg;

	obs_stage_set_text(s, "ptz/pad/camera", "cam2");
	next.meter_decay_db_s = 9;
	ck_assert_int_eq(obs_model_reconfigure(obs_stage_model(s), &next), 0);
	expect_text("ptz/pad/camera", "cam2");
	/* A new one follows what is on air, and with it those that do. */
	struct obs_ptz_config more[3] = {ptz[0], ptz[1], {word("new"), word("dynamic"), 15, 3, 1}};
	next.ptz.items = more;
	next.ptz.count = 3;
	show_program(s, "Cam 2");
	ck_assert_int_eq(obs_model_reconfigure(obs_stage_model(s), &next), 0);
	expect_text("ptz/new/camera", "cam2");
	ck_assert_int_eq(obs_model_reconfigure(obs_stage_model(s), &cfg), 0);
}
END_TEST

START_TEST(memory_of_something_else_is_not_recalled)
{
	struct obs_chosen other;

	memset(&other, 0x5a, sizeof(other));
	obs_model_recall(obs_stage_model(s), &other);
	memset(&other, 0, sizeof(other));
	obs_model_recall(obs_stage_model(s), &other);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	expect_text("view", "full");
	expect_text("ptz/joy/camera", "cam2");
}
END_TEST

/* ------------------------------------------------------------------ splits */

START_TEST(split_views_without_studio_mode)
{
	static const struct step steps[] = {
		{"split", "left", NULL, SHOW("Left", 1, "true") "| " PROGRAM("Left"), NULL, "split-left", "cam1"},
		{"program", "Left", NULL, NULL, NULL, "split-left", "cam1"},
		{"camera", "cam2", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false"), NULL, "split-left", "cam2"},
		/* OBS has not told it yet: what may be shown is hidden, too. */
		{"camera", "cam1", NULL, SHOW("Left", 1, "true") SHOW("Left", 2, "false"), NULL, "split-left", "cam1"},
		{"camera", "cam3", NULL, NULL, "failed action camera: camera \"cam3\" is in no split view: it has no split_source\n", "split-left", "cam1"},
		{"camera", "cam2", "preview", STUDIO_ON "| " PREVIEW("Cam 2"), NULL, "split-left", "cam1"},
		{"program", "Cam 2", NULL, NULL, NULL, "split-left", "cam2"}, /* a camera's scene does not leave the split */
		{"program", "Break", NULL, NULL, NULL, "split-left", "cam2"},
		{"split", "right", NULL, SHOW("Right", 4, "true") SHOW("Right", 5, "false") "| " PROGRAM("Right"), NULL, "split-right", "cam1"},
		{"program", "Right", NULL, NULL, NULL, "split-right", NULL},
		{"split", "exit", NULL, "| " PROGRAM("Cam 2"), NULL, "full", "cam2"},
		{"program", "Cam 2", NULL, NULL, NULL, "full", "cam2"},
		{"split", "toggle", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false") "| " PROGRAM("Left"), NULL, "split-left", "cam2"},
		{"split", "toggle", "right", "| " PROGRAM("Cam 2"), NULL, "full", "cam2"},
		{"split", "toggle", "right", SHOW("Right", 5, "true") SHOW("Right", 4, "false") "| " PROGRAM("Right"), NULL, "split-right", "cam2"},
		{"split", "enter", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false") "| " PROGRAM("Left"), NULL, "split-left", "cam2"},
		{0},
	};

	run(steps);
}
END_TEST

START_TEST(the_view_follows_obs)
{
	static const struct step steps[] = {
		{"program", "Right", NULL, NULL, NULL, "split-right", NULL},
		{"program", "Left", NULL, NULL, NULL, "split-left", NULL},
		{"program", "Cam 1", NULL, NULL, NULL, "split-left", "cam1"},
		{"split", "exit", NULL, "| " PROGRAM("Cam 2"), NULL, "full", "cam2"},
		{"program", "Cam 2", NULL, NULL, NULL, "full", NULL},
		{"studio", "on", NULL, NULL, NULL, "full", NULL},
		{"preview", "Cam 1", NULL, NULL, NULL, "full", "cam1"},
		{"program", "Left", NULL, NULL, NULL, "full", "cam1"}, /* preview counts in studio mode */
		{"preview", "Left", NULL, NULL, NULL, "split-left", NULL},
		{"studio", NULL, NULL, NULL, NULL, "split-left", NULL},
		{0},
	};

	run(steps);
}
END_TEST

/* OBS has a copy of the split scene on air: to show what has changed it is put on air again, as a cut and by the same message. */
START_TEST(a_split_view_on_air_in_studio_mode_is_renewed)
{
	static const struct step steps[] = {
		{"studio", "on", NULL, NULL, NULL, "full", NULL},
		{"preview", "Cam 1", NULL, NULL, NULL, "full", NULL},
		{"split", "left", NULL, SHOW("Left", 1, "true") "| " PREVIEW("Left"), NULL, "split-left", NULL},
		{"preview", "Left", NULL, NULL, NULL, "split-left", NULL},
		/* in preview: it shows there by itself */
		{"camera", "cam2", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false"), NULL, "split-left", "cam2"},
		{"transition", NULL, NULL, "TriggerStudioModeTransition\n", NULL, "split-left", NULL},
		{"event", "SceneTransitionStarted", "{'transitionName':'Blende'}", NULL, NULL, "split-left", NULL},
		{"event", "SceneTransitionVideoEnded", "{'transitionName':'Blende'}", NULL, NULL, "split-left", NULL},
		{"preview", "Cam 1", NULL, NULL, NULL, "split-left", NULL},
		{"program", "Left", NULL, NULL, NULL, "split-left", NULL},
		{"event", "SceneTransitionEnded", "{'transitionName':'Blende'}", NULL, NULL, "split-left", NULL},
		{"camera", "cam1", NULL, SHOW("Left", 1, "true") SHOW("Left", 2, "false") RENEW("Left"), NULL, "split-left", "cam1"},
		/* which OBS tells like this: nobody has chosen anything */
		{"camera", "cam2", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false") RENEW("Left"), NULL, "split-left", "cam2"},
		{"preview", "Left", NULL, NULL, NULL, "split-left", "cam2"},
		{"preview", "Cam 1", NULL, NULL, NULL, "split-left", "cam2"},
		{"split", "exit", NULL, "| " PREVIEW("Cam 2"), NULL, "full", "cam2"},
		{0},
	};

	run(steps);
}
END_TEST

START_TEST(a_split_view_that_is_changed_during_a_transition_is_renewed_when_it_ends)
{
	static const struct step steps[] = {
		{"studio", "on", NULL, NULL, NULL, "full", NULL},
		{"program", "Left", NULL, NULL, NULL, "full", NULL},
		{"preview", "Left", NULL, NULL, NULL, "split-left", NULL},
		{"event", "SceneTransitionStarted", "{'transitionName':'Blende'}", NULL, NULL, "split-left", NULL},
		{"camera", "cam2", NULL, SHOW("Left", 2, "true") SHOW("Left", 1, "false"), NULL, "split-left", NULL},
		{"event", "SceneTransitionEnded", "{'transitionName':'Blende'}", RENEW("Left"), NULL, "split-left", NULL},
		{"event", "SceneTransitionEnded", "{'transitionName':'Schnitt'}", NULL, NULL, "split-left", NULL},
		{0},
	};

	run(steps);
}
END_TEST

START_TEST(what_obs_refuses_leaves_the_view_as_it_was)
{
	obs_stage_action(s, "split", "left", NULL);
	ck_assert_str_eq(obs_stage_text(s, "view"), "split-left");
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 600, "No source was found by the name of `Left`.");
	ck_assert_str_eq(obs_stage_text(s, "view"), "full");
	obs_stage_answer_all(s);
	/* So does one that is never sent. */
	obs_stage_action(s, "split", "left", NULL);
	obs_stage_action(s, "split", "right", NULL);
	obs_stage_send(s);
	obs_stage_advance(s, 1500);
	obs_stage_answer(s, 0);
	obs_stage_sent(s);
	ck_assert_str_eq(obs_stage_text(s, "view"), "split-left");
	obs_stage_answer_all(s);
}
END_TEST

START_TEST(a_split_that_is_not_configured_is_refused)
{
	static const struct step steps[] = {
		{"split", "right", NULL, NULL, "failed action split: there is no split view on the right: split_right is not set\n", "full", NULL},
		{"split", "enter", NULL, NULL, "failed action split: no scene \"Lift\" in OBS; did you mean \"Left\"?\n", "full", NULL},
		{0},
	};

	obs_stage_free(s);
	configure();
	cfg.split_right = word("");
	cfg.split_left = word("Lift");
	s = show_begin(&cfg);
	run(steps);
}
END_TEST

START_TEST(targets_are_turned_to_a_camera_or_follow)
{
	static const struct step steps[] = {
		{"ptz", "pad", "cam2", NULL, NULL, "full", "cam2"},
		{"ptz", "pad", "cam3", NULL, "failed action ptz: camera \"cam3\" is not to be moved (ptz: no)\n", "full", "cam2"},
		{"ptz", "pat", "cam2", NULL, "failed action ptz: no PTZ target \"pat\" in the configuration; did you mean \"pad\"?\n", "full", "cam2"},
		{"ptz", "pad", "dynamic", NULL, NULL, "full", "cam1"},
		{0},
	};

	run(steps);
	ck_assert_int_eq(obs_stage_set_text(s, "ptz/joy/camera", "cam1"), 0);
	ck_assert_str_eq(obs_stage_text(s, "ptz/joy/camera"), "cam1");
}
END_TEST

START_TEST(a_camera_is_on_air_with_its_scene_or_its_source)
{
	ck_assert_str_eq(obs_stage_text(s, "camera/cam1/tally"), "program");
	ck_assert_str_eq(obs_stage_text(s, "camera/cam2/tally"), "off");
	show_program(s, "Right"); /* both halves */
	obs_stage_answer_all(s);
	ck_assert_str_eq(obs_stage_text(s, "camera/cam1/tally"), "program");
	ck_assert_str_eq(obs_stage_text(s, "camera/cam2/tally"), "program");
	show_studio_mode(s, true, "Cam 3");
	ck_assert_str_eq(obs_stage_text(s, "camera/cam3/tally"), "preview");
}
END_TEST

/* ------------------------------------------------------------------ where they look */

START_TEST(a_pan_sends_a_position_and_a_zoom_what_it_changes)
{
	ck_assert_double_eq(obs_stage_value(s, "camera/cam2/x"), 100);
	ck_assert_double_eq(obs_stage_value(s, "camera/cam2/zoom"), 100);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/x"), 100);
	obs_stage_set(s, "camera/cam2/x", 120);
	check_sent(s, "x", MOVE("Cam 2", 1, "'positionX':120.0"));
	obs_stage_answer_all(s);
	obs_stage_set(s, "ptz/joy/y", 40);
	check_sent(s, "y", MOVE("Cam 2", 1, "'positionY':40.0"));
	obs_stage_answer_all(s);
	obs_stage_set(s, "camera/cam2/zoom", 200); /* about 960, 540 */
	check_sent(s, "zoom", MOVE("Cam 2", 1, "'positionX':-720.0,'positionY':-460.0,'scaleX':2.0,'scaleY':2.0"));
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/zoom"), 200);
	obs_stage_answer_all(s);
}
END_TEST

/* While one is on its way the next is worked out from where it will have put it, and all of it goes out at once. */
START_TEST(what_is_turned_while_a_move_is_on_its_way_adds_up)
{
	obs_stage_set(s, "camera/cam1/x", 10);
	obs_stage_send(s);
	obs_stage_set(s, "camera/cam1/y", 20);
	obs_stage_set(s, "camera/cam1/zoom", 50);
	obs_stage_set(s, "camera/cam1/zoom", 200);
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cam 1','sceneItemId':1,'sceneItemTransform':" TRANSFORM(10, 0, 1.0) "}");
	check_sent(s, "the first", MOVE("Cam 1", 1, "'positionX':10.0"));
	obs_stage_answer(s, 0);
	check_sent(s, "the rest", MOVE("Cam 1", 1, "'positionX':-940.0,'positionY':-500.0,'scaleX':2.0,'scaleY':2.0"));
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cam 1','sceneItemId':1,'sceneItemTransform':" TRANSFORM(-940, -500, 2.0) "}");
	obs_stage_answer_all(s);
	/* Somebody else moves it: when all has settled that is the truth. */
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cam 1','sceneItemId':1,'sceneItemTransform':" TRANSFORM(7, 8, 1.0) "}");
	obs_stage_advance(s, 500);
	ck_assert_double_eq(obs_stage_value(s, "camera/cam1/x"), 7);
	ck_assert_double_eq(obs_stage_value(s, "camera/cam1/y"), 8);
	ck_assert_double_eq(obs_stage_value(s, "camera/cam1/zoom"), 100);
}
END_TEST

START_TEST(what_may_not_be_moved_or_is_not_there_is_refused)
{
	ck_assert_int_lt(obs_stage_set(s, "camera/cam3/x", 5), 0);
	check_told(s, "ptz: no", "failed camera/cam3/x: camera \"cam3\" is not to be moved (ptz: no)\n");
	obs_stage_event(s, "SceneItemRemoved", "{'sceneName':'Cam 1','sceneItemId':1,'sourceName':'Eye 1'}");
	obs_stage_answer_all(s);
	obs_stage_told(s);
	ck_assert_int_lt(obs_stage_set(s, "camera/cam1/zoom", 150), 0);
	check_told(s, "no item", "failed camera/cam1/zoom: no source \"Eye 1\" in scene \"Cam 1\" of OBS\n");
	obs_stage_action(s, "nudge-x", "cam1", NULL);
	check_told(s, "no item", "failed action nudge-x: no source \"Eye 1\" in scene \"Cam 1\" of OBS\n");
	obs_stage_disconnect(s);
	obs_stage_told(s);
	ck_assert_int_lt(obs_stage_set(s, "camera/cam2/x", 5), 0);
}
END_TEST

START_TEST(a_camera_follows_its_scene_when_it_is_renamed)
{
	obs_stage_event(s, "SceneNameChanged", "{'oldSceneName':'Cam 2','sceneName':'Guest'}");
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	obs_stage_set(s, "camera/cam2/x", 1);
	check_sent(s, "x", MOVE("Guest", 1, "'positionX':1.0"));
	obs_stage_answer_all(s);
}
END_TEST

START_TEST(nudges_add_up_and_reach_any_item)
{
	obs_stage_action(s, "nudge-x", "cam2", NULL);
	obs_stage_action(s, "nudge-x", "cam2", "-10", NULL);
	obs_stage_action(s, "nudge-y", "Cam 2", "Eye 2", "5", NULL); /* the same item */
	obs_stage_answer_all(s);
	check_sent(s, "nudges", MOVE("Cam 2", 1, "'positionX':102.0") MOVE("Cam 2", 1, "'positionX':92.0") MOVE("Cam 2", 1, "'positionY':55.0"));
	obs_stage_action(s, "nudge-y", "Left", "Half 1", NULL);
	obs_stage_action(s, "nudge-y", "Left", "Half 1", NULL);
	obs_stage_action(s, "scale", "Left", "Half 1", "1", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "others",
		   MOVE("Left", 1, "'positionY':2.0") MOVE("Left", 1, "'positionY':4.0")
			   MOVE("Left", 1, "'positionX':-960.0,'positionY':-532.0,'scaleX':2.0,'scaleY':2.0"));
	obs_stage_action(s, "nudge-x", "cam2", "much", NULL);
	obs_stage_action(s, "nudge-x", "Left", "Half 1", "1", "2", NULL);
	obs_stage_action(s, "scale", "cam2", "-1", NULL);
	obs_stage_action(s, "nudge-x", "cam3", NULL);
	check_told(s, "refusals",
		   "failed action nudge-x: \"much\" is no step\n"
		   "failed action nudge-x: nudge-x takes NAME [SOURCE] [STEP]\n"
		   "failed action scale: a zoom by -1 leaves nothing\n"
		   "failed action nudge-x: camera \"cam3\" is not to be moved (ptz: no)\n");
}
END_TEST

START_TEST(resets)
{
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cam 2','sceneItemId':1,'sceneItemTransform':" TRANSFORM(-1000, -440, 2.0) "}");
	obs_stage_action(s, "reset-zoom", "cam2", NULL);
	obs_stage_answer_all(s);
	obs_stage_action(s, "reset-position", "cam2", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "one by one",
		   MOVE("Cam 2", 1, "'positionX':-20.0,'positionY':50.0,'scaleX':1.0,'scaleY':1.0") MOVE("Cam 2", 1, "'positionX':0.0,'positionY':0.0"));
	obs_stage_advance(s, 1000);
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Left','sceneItemId':2,'sceneItemTransform':" TRANSFORM(300, 3, 0.5) "}");
	obs_stage_action(s, "reset", "Left", "Half 2", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "both", MOVE("Left", 2, "'positionX':0.0,'positionY':0.0,'scaleX':1.0,'scaleY':1.0"));
}
END_TEST

START_TEST(a_ptz_target_stands_for_the_camera_that_it_moves)
{
	obs_stage_event(s, "SceneItemTransformChanged", "{'sceneName':'Cam 2','sceneItemId':1,'sceneItemTransform':" TRANSFORM(-20, 50, 1.0) "}");
	obs_stage_action(s, "reset-position", "joy", NULL);
	obs_stage_answer_all(s);
	check_sent(s, "by its target", MOVE("Cam 2", 1, "'positionX':0.0,'positionY':0.0"));
	obs_stage_action(s, "reset-position", "jay", NULL);
	check_sent(s, "none", "");
}
END_TEST

/* A source that has just begun may look like nothing: OBS is asked again, once. */
START_TEST(a_scale_near_nothing_is_read_again)
{
	obs_stage_free(s);
	configure();
	cameras[2].ptz = true;
	s = show_begin(&cfg);
	ck_assert_int_eq(obs_stage_set(s, "camera/cam3/x", 30), 0);
	check_sent(s, "a small one", "GetSceneItemTransform {'sceneName':'Cam 3','sceneItemId':7}\n");
	obs_stage_answer_with(s, 0, 100, "{'sceneItemTransform':" TRANSFORM(0, 0, 1.0) "}");
	check_sent(s, "it is not small", MOVE("Cam 3", 7, "'positionX':30.0"));
	obs_stage_answer_all(s);
	obs_stage_set(s, "camera/cam3/x", 31);
	check_sent(s, "it is known", MOVE("Cam 3", 7, "'positionX':31.0"));
	obs_stage_answer_all(s);
}
END_TEST

/* ------------------------------------------------------------------ sticks */

/* An OBS that does what it is asked and tells it, for the positions of cameras 1 and 2. */
static struct {
	double x[2], y[2], scale[2];
	bool changed[2];
} truth;

static double
member(const char *data, const char *name, double now)
{
	const char *at = strstr(data, name);

	return at ? strtod(at + strlen(name) + 2, NULL) : now;
}

static bool
does_it(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	int n = strstr(data, "'Cam 2'") ? 1 : strstr(data, "'Cam 1'") ? 0 : -1;

	if (!strcmp(request, "SetSceneItemTransform") && n >= 0) {
		truth.x[n] = member(data, "positionX", truth.x[n]);
		truth.y[n] = member(data, "positionY", truth.y[n]);
		truth.scale[n] = member(data, "scaleX", truth.scale[n]);
		truth.changed[n] = true;
	}
	return show_answers(ctx, request, data, row);
}

static void
tell_truth(void)
{
	for (int n = 0; n < 2; n++) {
		char data[800];

		if (!truth.changed[n])
			continue;
		truth.changed[n] = false;
		snprintf(data, sizeof(data),
			 "{'sceneName':'Cam %d','sceneItemId':1,'sceneItemTransform':{'alignment':5,'boundsAlignment':0,'boundsHeight':0.0,"
			 "'boundsType':'OBS_BOUNDS_NONE','boundsWidth':0.0,'cropBottom':0,'cropLeft':0,'cropRight':0,'cropTop':0,'height':1080.0,"
			 "'positionX':%.9f,'positionY':%.9f,'rotation':0.0,'scaleX':%.9f,'scaleY':%.9f,'sourceHeight':1080.0,'sourceWidth':1920.0,'width':1920.0}}",
			 n + 1, truth.x[n], truth.y[n], truth.scale[n], truth.scale[n]);
		obs_stage_event(s, "SceneItemTransformChanged", data);
	}
}

static void
begin_truth(void)
{
	memset(&truth, 0, sizeof(truth));
	truth.x[1] = 100;
	truth.y[1] = 50;
	truth.scale[0] = truth.scale[1] = 1;
	obs_stage_on_request(s, does_it, NULL);
}

static double
walk(const char *param, unsigned ms)
{
	for (unsigned t = 0; t < ms; t++) {
		obs_stage_advance(s, 1);
		obs_stage_answer_all(s);
		tell_truth();
	}
	return obs_stage_value(s, param);
}

START_TEST(a_stick_moves_its_camera_until_it_is_let_go)
{
	double x;

	begin_truth();
	obs_stage_set(s, "ptz/joy/move-x", 0.1); /* 0.1 x 15 x 2 px each 16 ms */
	x = walk("camera/cam2/x", 1600);
	ck_assert_double_eq_tol(x, 100 + 0.1 * 15 * 2 * 100, 3.1);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), 0.1);
	obs_stage_set(s, "ptz/joy/move-x", 0);
	x = obs_stage_value(s, "camera/cam2/x");
	ck_assert_double_eq(walk("camera/cam2/x", 500), x);
	/* A zoom there and back is where it was. */
	obs_stage_set(s, "camera/cam2/zoom", 100);
	obs_stage_answer_all(s);
	x = obs_stage_value(s, "camera/cam2/x");
	obs_stage_set(s, "camera/cam2/move-zoom", 0.2);
	walk("camera/cam2/zoom", 640);
	obs_stage_set(s, "camera/cam2/move-zoom", -0.2);
	ck_assert_double_eq_tol(walk("camera/cam2/zoom", 640), 100, 0.01);
	obs_stage_set(s, "camera/cam2/move-zoom", 0);
	ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam2/x"), x, 0.01);
	obs_stage_sent(s);
}
END_TEST

START_TEST(a_pan_by_a_stick_never_sends_a_scale)
{
	obs_stage_set(s, "ptz/joy/move-y", -1);
	walk("camera/cam2/y", 200);
	const char *sent = show_sent(s);

	ck_assert_ptr_null(strstr(sent, "scale"));
	ck_assert_ptr_null(strstr(sent, "positionX"));
	ck_assert_ptr_nonnull(strstr(sent, "positionY"));
	ck_assert_ptr_null(strstr(sent, "Get"));
}
END_TEST

/* However slow OBS is: one request in flight, and the newest position in the next. */
START_TEST(a_slow_obs_has_one_request_in_flight)
{
	const char *sent;

	begin_truth();
	obs_stage_set(s, "ptz/joy/move-x", 1);
	for (unsigned i = 0; i < 60; i++) {
		obs_stage_advance(s, 16);
		obs_stage_send(s);
	}
	sent = show_sent(s);
	ck_assert_ptr_nonnull(strstr(sent, "SetSceneItemTransform"));
	ck_assert_ptr_null(strstr(strchr(sent, '\n'), "SetSceneItemTransform"));
	obs_stage_set(s, "ptz/joy/move-x", 0);
	obs_stage_answer_all(s);
	tell_truth();
	ck_assert_double_ge(truth.x[1], 1700);
	ck_assert_double_eq(obs_stage_value(s, "camera/cam2/x"), truth.x[1]);
	ck_assert_uint_eq(obs_queue_counts(obs_model_queue(obs_stage_model(s)))->sent_values, 2);
}
END_TEST

/* A pad that dies with its stick out of the centre. */
START_TEST(a_stick_that_is_told_nothing_new_for_long_lets_go)
{
	double x;

	begin_truth();
	obs_stage_set(s, "ptz/joy/move-x", 0.01);
	walk("camera/cam2/x", 9900);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), 0.01);
	walk("camera/cam2/x", 200);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), 0);
	x = obs_stage_value(s, "camera/cam2/x");
	ck_assert_double_eq(walk("camera/cam2/x", 1000), x);
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "note: joy: a move has been stopped: nothing new was told for 10 s\n"));
	obs_stage_sent(s);
}
END_TEST

START_TEST(three_refusals_in_a_row_stop_it)
{
	obs_stage_set(s, "ptz/joy/move-x", 0.5);
	for (unsigned i = 0; i < 3; i++) {
		obs_stage_advance(s, 16);
		obs_stage_send(s);
		while (obs_stage_in_flight(s) > 0)
			obs_stage_answer_with(s, 0, 604, "not now");
		ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), i < 2 ? 0.5 : 0);
	}
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	walk("camera/cam2/x", 100);
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "SetSceneItemTransform"));
}
END_TEST

START_TEST(a_lost_connection_stops_it)
{
	obs_stage_set(s, "ptz/joy/move-x", 0.5);
	walk("camera/cam2/x", 100);
	obs_stage_disconnect(s);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), 0);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	obs_stage_sent(s);
	walk("camera/cam2/x", 100);
	ck_assert_ptr_null(strstr(obs_stage_sent(s), "SetSceneItemTransform"));
}
END_TEST

START_TEST(a_stick_let_go_while_obs_changes_its_collection_stands_still)
{
	obs_stage_set(s, "ptz/joy/move-x", 0.5);
	ck_assert_int_eq(obs_stage_set(s, "ptz/joy/modifier", 1), 0);
	obs_stage_event(s, "CurrentSceneCollectionChanging", "{'sceneCollectionName':'gw'}");
	ck_assert_int_eq(obs_stage_set(s, "ptz/joy/move-x", 0), 0);
	ck_assert_int_eq(obs_stage_set(s, "ptz/joy/modifier", 0), 0);
	ck_assert_double_eq(obs_stage_value(s, "ptz/joy/move-x"), 0);
	ck_assert_str_eq(obs_stage_text(s, "ptz/joy/modifier"), "false");
	obs_stage_sent(s);
}
END_TEST

/* ------------------------------------------------------------------ anything whatever */

static void
do_anything(void)
{
	static const char *const scenes[] = {"Cam 1", "Cam 2", "Cam 3", "Left", "Right", "Break"}, *const ids[] = {"cam1", "cam2", "cam3"};
	static const char *const params[] = {"camera/cam1/x", "camera/cam2/y", "camera/cam1/zoom", "ptz/joy/x", "ptz/pad/zoom"};
	static const char *const moves[] = {"ptz/pad/move-x", "ptz/joy/move-y", "camera/cam1/move-zoom", "ptz/pad/move-zoom"};
	const char *scene = scenes[rand() % 6], *id = ids[rand() % 3];

	switch (rand() % 14) {
	case 0: show_program(s, scene); break;
	case 1: show_preview(s, scene); break;
	case 2: obs_stage_event(s, "StudioModeStateChanged", rand() % 2 ? "{'studioModeEnabled':true}" : "{'studioModeEnabled':false}"); break;
	case 3: obs_stage_event(s, rand() % 2 ? "SceneTransitionStarted" : "SceneTransitionEnded", "{'transitionName':'Blende'}"); break;
	case 4: obs_stage_action(s, "camera", id, rand() % 2 ? "joy" : NULL, NULL); break;
	case 5: obs_stage_action(s, "split", rand() % 2 ? "toggle" : "right", NULL); break;
	case 6: obs_stage_action(s, "ptz", "pad", rand() % 2 ? id : "dynamic", NULL); break;
	case 7: obs_stage_action(s, "nudge-x", id, "3", NULL); break;
	case 8: obs_stage_action(s, rand() % 8 ? "scale" : "reset", id, NULL); break;
	case 9: obs_stage_set(s, params[rand() % 5], 1 + rand() % 400); break;
	case 10: obs_stage_set(s, moves[rand() % 4], rand() % 3 - 1.0); break;
	case 11: obs_stage_advance(s, (unsigned)rand() % 40); break;
	case 12:
		obs_stage_send(s);
		if (obs_stage_in_flight(s) > 0)
			obs_stage_answer(s, (unsigned)rand() % obs_stage_in_flight(s));
		break;
	default: tell_truth(); break;
	}
}

START_TEST(whatever_happens_the_picture_ends_where_the_parameters_say)
{
	static const char *const sticks[] = {"ptz/pad/move-x", "ptz/joy/move-y", "camera/cam1/move-zoom", "ptz/pad/move-zoom"};

	srand(5);
	begin_truth();
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 200; i++)
			do_anything();
		for (unsigned i = 0; i < 4; i++)
			obs_stage_set(s, sticks[i], 0);
		obs_stage_answer_all(s);
		tell_truth();
		obs_stage_advance(s, 500);
		obs_stage_answer_all(s);
		obs_stage_sent(s);
		obs_stage_told(s);
		ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam1/x"), truth.x[0], 1e-6);
		ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam1/y"), truth.y[0], 1e-6);
		ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam1/zoom"), truth.scale[0] * 100, 1e-4);
		ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam2/x"), truth.x[1], 1e-6);
		ck_assert_double_eq_tol(obs_stage_value(s, "camera/cam2/zoom"), truth.scale[1] * 100, 1e-4);
		ck_assert_double_eq(obs_stage_value(s, "ptz/joy/x"),
				    obs_stage_value(s, !strcmp(obs_stage_text(s, "ptz/joy/camera"), "cam1") ? "camera/cam1/x" : "camera/cam2/x"));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs cameras");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, cameras_without_studio_mode);
	tcase_add_test(t, cameras_in_studio_mode);
	tcase_add_test(t, a_pad_chooses_by_its_modifier);
	tcase_add_test(t, what_was_chosen_is_chosen_in_the_next_life);
	tcase_add_test(t, what_is_on_air_anew_in_the_next_life_is_followed);
	tcase_add_test(t, new_options_win_over_what_was_chosen);
	tcase_add_test(t, a_reload_leaves_what_was_chosen);
	tcase_add_test(t, memory_of_something_else_is_not_recalled);
	tcase_add_test(t, split_views_without_studio_mode);
	tcase_add_test(t, the_view_follows_obs);
	tcase_add_test(t, a_split_view_on_air_in_studio_mode_is_renewed);
	tcase_add_test(t, a_split_view_that_is_changed_during_a_transition_is_renewed_when_it_ends);
	tcase_add_test(t, what_obs_refuses_leaves_the_view_as_it_was);
	tcase_add_test(t, a_split_that_is_not_configured_is_refused);
	tcase_add_test(t, targets_are_turned_to_a_camera_or_follow);
	tcase_add_test(t, a_camera_is_on_air_with_its_scene_or_its_source);
	tcase_add_test(t, a_pan_sends_a_position_and_a_zoom_what_it_changes);
	tcase_add_test(t, what_is_turned_while_a_move_is_on_its_way_adds_up);
	tcase_add_test(t, what_may_not_be_moved_or_is_not_there_is_refused);
	tcase_add_test(t, a_camera_follows_its_scene_when_it_is_renamed);
	tcase_add_test(t, nudges_add_up_and_reach_any_item);
	tcase_add_test(t, resets);
	tcase_add_test(t, a_ptz_target_stands_for_the_camera_that_it_moves);
	tcase_add_test(t, a_scale_near_nothing_is_read_again);
	tcase_add_test(t, a_stick_moves_its_camera_until_it_is_let_go);
	tcase_add_test(t, a_pan_by_a_stick_never_sends_a_scale);
	tcase_add_test(t, a_slow_obs_has_one_request_in_flight);
	tcase_add_test(t, a_stick_that_is_told_nothing_new_for_long_lets_go);
	tcase_add_test(t, three_refusals_in_a_row_stop_it);
	tcase_add_test(t, a_lost_connection_stops_it);
	tcase_add_test(t, a_stick_let_go_while_obs_changes_its_collection_stands_still);
	tcase_add_test(t, whatever_happens_the_picture_ends_where_the_parameters_say);
	suite_add_tcase(suite, t);

	SRunner *r = srunner_create(suite);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
