/* test_obs_tbar - the T-bar: a hand on the fader on one side, OBS 29's way with SetTBarPosition (as tried out) on the other */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_stage.h"
#include "tests/lib/obs_text.h"

static const struct obs_stage_row world[] = {
	{"GetVersion", NULL, "{'obsWebSocketVersion':'5.1.0','availableRequests':[]}", 0},
	{"GetSceneList", NULL, "{'currentProgramSceneName':'A','currentPreviewSceneName':'B','scenes':[{'sceneIndex':0,'sceneName':'B'},"
			       "{'sceneIndex':1,'sceneName':'A'}]}", 0},
	{"GetInputList", NULL, "{'inputs':[]}", 0},
	{"GetStudioModeEnabled", NULL, "{'studioModeEnabled':true}", 0},
	{"GetSceneTransitionList", NULL, "{'currentSceneTransitionName':'Fade','transitions':[{'transitionName':'Fade','transitionFixed':false}]}", 0},
	{"GetCurrentSceneTransition", NULL, "{'transitionName':'Fade','transitionFixed':false,'transitionDuration':300}", 0},
	{0},
};

/* OBS 29 */
static struct {
	const char *air, *preview, *named; /* on air, in preview, and what it calls its program */
	bool active, finishing, taken_back;
	double position;
	unsigned started, ended, messages;
} obs;

static struct obs_config cfg;
static struct obs_stage *s;

static void
event(const char *type, const char *scene)
{
	char d[64];
	snprintf(d, sizeof(d), "{'sceneName':'%s','transitionName':'Fade'}", scene);
	obs_stage_event(s, type, d);
}

static void
take_position(const char *data)
{
	double at = obs.position;
	const char *p = strstr(data, "'position':");
	ck_assert_ptr_nonnull(p);
	at = strtod(p + 11, NULL);
	obs.messages++;
	if (obs.finishing)
		return;
	if (!obs.active) {
		obs.taken_back = false;
		obs.active = true;
		obs.named = obs.preview;
		obs.started++;
		event("SceneTransitionStarted", "");
	}
	obs.position = at;
	if (at <= 0.1) {
		obs.active = false; /* and says nothing */
		obs.taken_back = true;
	} else if (at >= 0.9) {
		obs.finishing = true;
	}
}

/* So much later. */
static void
obs_finishes(void)
{
	if (!obs.finishing)
		return;
	const char *was = obs.air;
	obs.air = obs.named;
	obs.preview = was;
	obs.finishing = obs.active = false;
	obs.position = 0;
	obs.ended++;
	event("SceneTransitionVideoEnded", "");
	event("CurrentPreviewSceneChanged", obs.preview);
	event("CurrentProgramSceneChanged", obs.air);
	event("SceneTransitionEnded", "");
}

static bool
on_request(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	static char text[128];
	(void)ctx;
	*row = (struct obs_stage_row){.request = request, .data = text};
	if (!strcmp(request, "SetTBarPosition")) {
		take_position(data);
		row->data = NULL;
	} else if (!strcmp(request, "GetCurrentProgramScene")) {
		snprintf(text, sizeof(text), "{'currentProgramSceneName':'%s'}", obs.named);
	} else if (!strcmp(request, "GetCurrentSceneTransitionCursor")) {
		snprintf(text, sizeof(text), "{'transitionCursor':%.3f}", obs.active ? obs.position : obs.taken_back ? 0.0 : 1.0);
	} else {
		return false;
	}
	return true;
}

static void
setup(void)
{
	memset(&obs, 0, sizeof(obs));
	obs.air = obs.named = "A";
	obs.preview = "B";
	cfg = obs_stage_config();
	cfg.stats_ms = 0;
	s = obs_stage_new(&cfg);
	obs_stage_world(s, world);
	obs_stage_on_request(s, on_request, NULL);
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

/* What was sent of the T-bar since. */
static const char *
positions(void)
{
	static char out[4096];
	const char *line = obs_stage_sent(s);
	size_t n = 0;
	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		if (!strncmp(line, "SetTBarPosition", 15)) {
			memcpy(out + n, line, (size_t)(end + 1 - line));
			n += (size_t)(end + 1 - line);
			ck_assert_uint_lt(n, sizeof(out) / 2);
		}
	out[n] = '\0';
	return out;
}

static const char *
hand(double position)
{
	positions();
	obs_stage_set(s, "tbar", position);
	const char *sent = positions();
	obs_stage_answer_all(s);
	return sent;
}

static void
expect(const char *param, const char *text)
{
	ck_assert_msg(!strcmp(obs_stage_text(s, param), text), "%s is %s, not %s", param, obs_stage_text(s, param), text);
}

#define POSITION(p, release) "SetTBarPosition {'position':" #p ",'release':" #release "}\n"

START_TEST(travel_from_end_to_end_puts_the_preview_on_air_once)
{
	ck_assert_str_eq(hand(0.05), "");
	ck_assert_str_eq(hand(0.25), POSITION(0.25, false));
	expect("scene/A/tally", "program");
	expect("scene/B/tally", "program");
	expect("program", "A"); /* until it is done */
	expect("tbar", "0.25");
	ck_assert_str_eq(hand(0.75), POSITION(0.75, false));
	ck_assert_str_eq(hand(0.95), POSITION(1.0, true));
	ck_assert_str_eq(hand(1.0), "");
	obs_finishes();
	ck_assert_str_eq(hand(0.99), ""); /* a hand is not that still */
	expect("program", "B");
	expect("preview", "A");
	expect("scene/A/tally", "preview");
	expect("transition/active", "false");
	ck_assert_uint_eq(obs.started, 1);
	ck_assert_str_eq(obs_stage_told(s), "");
}
END_TEST

START_TEST(next_travel_goes_from_the_top_down)
{
	hand(0.5);
	hand(0.96);
	obs_finishes();
	expect("tbar", "1"); /* the motor brings it to its end */
	ck_assert_str_eq(hand(0.9), "");
	ck_assert_str_eq(hand(0.75), POSITION(0.25, false));
	ck_assert_str_eq(hand(0.25), POSITION(0.75, false));
	ck_assert_str_eq(hand(0), POSITION(1.0, true));
	obs_finishes();
	expect("program", "A");
	expect("tbar", "0");
	ck_assert_uint_eq(obs.started, 2);
}
END_TEST

START_TEST(hand_that_creeps_over_the_end_begins_no_other_transition)
{
	hand(0.5);
	for (int k = 890; k <= 1000; k++) {
		hand(k / 1000.0);
		obs_finishes(); /* as soon as it can */
	}
	expect("program", "B");
	ck_assert_uint_eq(obs.started, 1);
	ck_assert_uint_eq(obs.ended, 1);
}
END_TEST

START_TEST(hand_that_rests_where_the_travel_ended_begins_no_other_transition)
{
	hand(0.5);
	hand(0.9);
	obs_finishes();
	for (int k = 0; k < 20; k++)
		ck_assert_str_eq(hand(k % 2 ? 0.885 : 0.905), "");
	ck_assert_uint_eq(obs.started, 1);
}
END_TEST

START_TEST(transition_that_is_taken_back_leaves_on_air_what_was)
{
	hand(0.5);
	ck_assert_str_eq(hand(0.08), POSITION(0.0, true));
	ck_assert_str_eq(hand(0.02), "");
	ck_assert_str_eq(hand(0.0), "");
	expect("transition/active", "false");
	expect("program", "A"); /* though OBS calls B its program now */
	expect("scene/A/tally", "program");
	expect("scene/B/tally", "preview");
	expect("tbar", "0");
	hand(0.5); /* and again, to the end */
	hand(1);
	obs_finishes();
	expect("program", "B");
}
END_TEST

START_TEST(t_bar_stays_in_the_middle_as_long_as_it_is_left_there)
{
	hand(0.5);
	positions();
	obs_stage_advance(s, 600000);
	ck_assert_str_eq(obs_stage_sent(s), "");
	expect("transition/active", "true");
	expect("tbar", "0.5");
	ck_assert_str_eq(hand(0.625), POSITION(0.625, false));
}
END_TEST

START_TEST(jump_from_end_to_end_is_a_transition)
{
	ck_assert_str_eq(hand(1), POSITION(1.0, true));
	obs_finishes();
	expect("program", "B");
	expect("tbar", "1");
}
END_TEST

START_TEST(newest_position_is_what_obs_gets)
{
	obs_stage_set(s, "tbar", 0.25);
	obs_stage_send(s);
	for (int k = 26; k <= 50; k++)
		obs_stage_set(s, "tbar", k / 100.0);
	obs_stage_answer(s, 0);
	ck_assert_str_eq(positions(), POSITION(0.25, false) POSITION(0.5, false));
	obs_stage_answer_all(s);
	expect("tbar", "0.5");
}
END_TEST

START_TEST(end_is_never_lost_in_newer_positions)
{
	obs_stage_set(s, "tbar", 0.5);
	obs_stage_send(s);
	obs_stage_set(s, "tbar", 0.95);
	obs_stage_set(s, "tbar", 0.97);
	obs_stage_set(s, "tbar", 0.8); /* too late: it is under way */
	obs_stage_answer_all(s);
	ck_assert_str_eq(positions(), POSITION(0.5, false) POSITION(1.0, true));
	obs_finishes();
	expect("program", "B");
	expect("tbar", "1");
}
END_TEST

START_TEST(travel_that_somebody_else_ended_sends_the_fader_home)
{
	hand(0.5);
	obs.finishing = true;
	obs_finishes();
	expect("tbar", "0");
	ck_assert_str_eq(hand(0.55), "");
	ck_assert_str_eq(obs_stage_told(s), "failed tbar: the transition went on without the T-bar: bring it back to its end first\n");
	ck_assert_str_eq(hand(0.6), "");
	ck_assert_str_eq(obs_stage_told(s), ""); /* once for each travel */
	ck_assert_str_eq(hand(0.05), "");
	ck_assert_str_eq(hand(0.5), POSITION(0.5, false));
	ck_assert_uint_eq(obs.started, 2);
}
END_TEST

START_TEST(studio_mode_that_is_turned_off_sends_the_fader_home)
{
	hand(0.5);
	obs_stage_event(s, "StudioModeStateChanged", "{'studioModeEnabled':false}");
	expect("tbar", "0");
	expect("transition/active", "false");
	ck_assert_str_eq(hand(0.6), "");
	ck_assert_str_eq(obs_stage_told(s), "failed tbar: the transition went on without the T-bar: bring it back to its end first\n");
	hand(0);
	ck_assert_str_eq(hand(0.6), "");
	ck_assert_str_eq(obs_stage_told(s), "failed tbar: studio mode is off: the T-bar has nothing to move\n");
	ck_assert_uint_eq(obs.messages, 1);
}
END_TEST

START_TEST(timed_transition_is_not_disturbed)
{
	obs_stage_event(s, "SceneTransitionStarted", "{'transitionName':'Fade'}");
	ck_assert_str_eq(hand(0.5), "");
	ck_assert_str_eq(obs_stage_told(s), "failed tbar: OBS is in the middle of a transition\n");
	ck_assert_uint_eq(obs.messages, 0);
}
END_TEST

START_TEST(position_that_obs_refuses_sends_the_fader_home)
{
	obs_stage_set(s, "tbar", 0.5);
	obs_stage_send(s);
	obs_stage_answer_with(s, 0, 506, "Studio mode is not active.");
	expect("tbar", "0");
	ck_assert_ptr_nonnull(strstr(obs_stage_told(s), "failed tbar: OBS: SetTBarPosition"));
}
END_TEST

START_TEST(end_that_came_too_late_is_asked_for_again)
{
	hand(0.5);
	obs_stage_set_text(s, "transition", "Fade"); /* occupies the lane */
	obs_stage_send(s);
	obs_stage_set(s, "tbar", 1);
	obs_stage_advance(s, 1500); /* and its moment passes */
	obs_stage_answer_all(s);
	ck_assert_uint_eq(obs.ended + obs.finishing, 0);
	ck_assert_str_eq(hand(0.99), POSITION(1.0, true));
	obs_finishes();
	expect("program", "B");
}
END_TEST

START_TEST(outage_in_the_middle_keeps_the_travel_if_obs_has_it_still)
{
	hand(0.5);
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	expect("transition/active", "true");
	expect("tbar", "0.5");
	obs_stage_sent(s);
	ck_assert_str_eq(hand(0.75), POSITION(0.75, false));
	obs.active = false; /* another OBS */
	obs.position = 0;
	obs_stage_disconnect(s);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	obs_stage_answer_all(s);
	expect("tbar", "0");
	obs_stage_sent(s);
	ck_assert_str_eq(hand(0.8), "");
}
END_TEST

/* ------------------------------------------------------------------ any hand */

static uint32_t
roll(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/*
 * Whatever a hand does and however late OBS finishes: scenes change places as often as a travel has ended at the other end, never
 * otherwise; and once all is quiet we know what is on air.
 */
START_TEST(any_hand_changes_scenes_once_a_travel)
{
	uint64_t seed = 29;
	double at = 0;
	for (int round = 0; round < 20000; round++) {
		double to = roll(&seed, 5) ? at + ((int)roll(&seed, 401) - 200) / 1000.0 : roll(&seed, 1001) / 1000.0;
		at = to < 0 ? 0 : to > 1 ? 1 : to;
		bool was_done = obs.finishing;
		obs_stage_advance(s, 1);
		obs_stage_set(s, "tbar", at);
		if (roll(&seed, 3))
			obs_stage_answer_all(s);
		if (was_done && roll(&seed, 2))
			obs_finishes();
		ck_assert_uint_le(obs.ended, obs.started);
		if (round % 50 == 0) {
			obs_stage_answer_all(s);
			obs_finishes();
			obs_stage_answer_all(s);
			if (!obs.active)
				expect("program", obs.air);
			expect("scene/A/tally", obs.active || !strcmp(obs.air, "A") ? "program" : "preview");
			expect("scene/B/tally", obs.active || !strcmp(obs.air, "B") ? "program" : "preview");
		}
		obs_stage_sent(s);
		obs_stage_told(s);
	}
	ck_assert_uint_gt(obs.ended, 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs_tbar");
	TCase *t = tcase_create("tbar");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, travel_from_end_to_end_puts_the_preview_on_air_once);
	tcase_add_test(t, next_travel_goes_from_the_top_down);
	tcase_add_test(t, hand_that_creeps_over_the_end_begins_no_other_transition);
	tcase_add_test(t, hand_that_rests_where_the_travel_ended_begins_no_other_transition);
	tcase_add_test(t, transition_that_is_taken_back_leaves_on_air_what_was);
	tcase_add_test(t, t_bar_stays_in_the_middle_as_long_as_it_is_left_there);
	tcase_add_test(t, jump_from_end_to_end_is_a_transition);
	tcase_add_test(t, newest_position_is_what_obs_gets);
	tcase_add_test(t, end_is_never_lost_in_newer_positions);
	tcase_add_test(t, travel_that_somebody_else_ended_sends_the_fader_home);
	tcase_add_test(t, studio_mode_that_is_turned_off_sends_the_fader_home);
	tcase_add_test(t, timed_transition_is_not_disturbed);
	tcase_add_test(t, position_that_obs_refuses_sends_the_fader_home);
	tcase_add_test(t, end_that_came_too_late_is_asked_for_again);
	tcase_add_test(t, outage_in_the_middle_keeps_the_travel_if_obs_has_it_still);
	tcase_add_test(t, any_hand_changes_scenes_once_a_travel);
	suite_add_tcase(suite, t);
	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
