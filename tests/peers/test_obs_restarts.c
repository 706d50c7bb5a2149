/*
 * A real OBS killed and started again, 20 times, under a desk that is played on all the while: after each the picture on the desk is what
 * OBS has, whatever was renamed, removed and changed meanwhile; and no cut comes late. BH_OBS_KILLS: how often (20). Times are
 * printed.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_rig.h"
#include "tests/lib/obs_suite.h"

/* Faders 5 and 6 are the load's; the rest is the picture. */
static const char bindings[] =
	"      fader1: obs/input/Mic/volume\n"
	"      fader2: obs/input/Music/volume\n"
	"      fader5: obs/input/Load A/volume\n"
	"      fader6: obs/input/Load B/volume\n"
	"      mute1: {toggle: obs/input/Mic/mute}\n"
	"      mute2: {toggle: obs/input/Music/mute}\n"
	"      strip3: {strip: obs/input/Guest/volume, text: Guest}\n"
	"      f1: {radio: obs/program, on: One}\n"
	"      f2: {radio: obs/program, on: Two}\n"
	"      f3: {radio: obs/program, on: Deux}\n"
	"      f8: {action: obs/cut, args: [Three]}\n";

static struct obs_rig rig;
static bool has_guest = true, is_deux;

static void
describe(struct obs_peer *p)
{
	obs_peer_colour(p, "Red", 0xff0000ff);
	obs_peer_colour(p, "Blue", 0xffff0000);
	obs_peer_tone(p, "Mic", 440, 0.25);
	obs_peer_tone(p, "Music", 550, 0.1);
	obs_peer_tone(p, "Load A", 220, 0.1);
	obs_peer_tone(p, "Load B", 230, 0.1);
	obs_peer_tone(p, "Guest", 660, 0.1);
	obs_peer_scene(p, "One", "Red", "Mic", "Music", "Load A", "Load B", NULL);
	obs_peer_scene(p, "Two", "Blue", "Guest", NULL);
	obs_peer_scene(p, "Three", "One", NULL);
}

static void
setup(void)
{
	obs_rig_start(&rig, "restarts", describe, "", bindings);
}

static void
teardown(void)
{
	obs_rig_stop(&rig);
}

#define must_become(cond) ck_assert_msg(pipeline_until(10000, cond), "%s: %s", #cond, pipeline_log(&rig.pl))

/* While it is away: a scene gets another name, an input goes or comes back, the volumes in its file are others. */
static void
change_obs(int round)
{
	obs_peer_rename(rig.obs, is_deux ? "Deux" : "Two", is_deux ? "Two" : "Deux");
	is_deux = !is_deux;
	if (has_guest) {
		obs_peer_remove(rig.obs, "Guest");
	} else {
		obs_peer_tone(rig.obs, "Guest", 660, 0.1);
		obs_peer_add_item(rig.obs, is_deux ? "Deux" : "Two", "Guest"); /* what is in no scene, OBS forgets */
	}
	has_guest = !has_guest;
	obs_peer_volume(rig.obs, "Mic", round % 2 ? 0.5 : 0.1);
	obs_peer_volume(rig.obs, "Music", round % 3 ? 0.2 : 0.7);
}

static bool
program_is(const char *scene)
{
	return obs_is(obs_client_call(rig.c, "GetCurrentProgramScene", NULL), "currentProgramSceneName", scene);
}

/* What was last found not to agree. */
static const char *wrong;

static bool
part(const char *what, bool agrees)
{
	if (!agrees)
		wrong = what;
	return agrees;
}

static bool
lamps_agree(void)
{
	return part("light of One", obs_rig_is_lit(&rig, "f1") == program_is("One")) &&
	       part("light of Two", obs_rig_is_lit(&rig, "f2") == program_is("Two")) &&
	       part("light of Deux", obs_rig_is_lit(&rig, "f3") == program_is("Deux"));
}

static bool
picture_agrees(void)
{
	return part("health", pipeline_is_ok(&rig.pl, "obs")) && part("fader 1", obs_rig_fader_agrees(&rig, 1, "Mic")) &&
	       part("fader 2", obs_rig_fader_agrees(&rig, 2, "Music")) && part("mute 1", obs_rig_mute_agrees(&rig, "mute1", "Mic")) &&
	       part("mute 2", obs_rig_mute_agrees(&rig, "mute2", "Music")) && lamps_agree() &&
	       part("strip 3", obs_rig_shows(&rig, 3, "lower", "missing") != has_guest);
}

#define must_agree() \
	ck_assert_msg(pipeline_until(10000, picture_agrees()), "%s is not as in OBS: %s", wrong, pipeline_log(&rig.pl))

/* What is set by hand in OBS shows: it is the picture of this OBS, and not one that is left over. */
static void
move_something(int round)
{
	obs_client_call(rig.c, "SetInputMute", "{'inputName': 'Mic', 'inputMuted': %s}", round % 2 ? "true" : "false");
	obs_client_call(rig.c, "SetCurrentProgramScene", "{'sceneName': '%s'}", round % 2 ? "One" : is_deux ? "Deux" : "Two");
	must_agree();
}

static void
restart(int round, double *took_ms)
{
	obs_peer_kill(rig.obs);
	obs_client_close(rig.c);
	change_obs(round);
	must_become(!pipeline_is_ok(&rig.pl, "obs"));
	simdesk_must(rig.desk, "tap f8");
	obs_peer_start(rig.obs);
	rig.c = obs_client_open(OBS_RIG_PORT, OBS_RIG_PASSWORD, OBS_EVENTS_ALL);
	uint64_t began_ns = bh_mono_ns();
	must_agree();
	*took_ms = (double)(bh_mono_ns() - began_ns) / 1e6;
	ck_assert_msg(program_is("One"), "a cut of the time when OBS was away has come late");
	ck_assert_uint_eq(obs_client_count(rig.c, "CurrentProgramSceneChanged"), 0);
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

START_TEST(killed_and_restarted_under_load_the_desk_shows_what_obs_has)
{
	static double took_ms[1000];
	const char *s = getenv("BH_OBS_KILLS");
	const int kills = s ? atoi(s) : 20;
	must_agree();
	obs_rig_load(&rig, "random-load for 60min rate 20 using fader5 fader6");
	for (int i = 0; i < kills; i++) {
		restart(i, &took_ms[i]);
		move_something(i);
	}
	qsort(took_ms, (size_t)kills, sizeof(took_ms[0]), by_size);
	printf("%d kills of OBS: the desk agreed with it after %.0f ms (median), %.0f ms (longest) from its first answer\n", kills,
	       took_ms[kills / 2], took_ms[kills - 1]);
	ck_assert_uint_eq(simdesk_counter(rig.desk, "fights"), 0);
	ck_assert_msg(!strstr(pipeline_log_text(&rig.pl), "is damaged"), "%s", pipeline_log(&rig.pl));
}
END_TEST

/* The same, with the hand in the place of OBS's file: what it set while OBS was away is what OBS gets; mutes, too, but no scene. */
START_TEST(what_a_hand_set_while_obs_was_away_holds)
{
	obs_peer_kill(rig.obs);
	obs_client_close(rig.c);
	must_become(!pipeline_is_ok(&rig.pl, "obs"));
	simdesk_must(rig.desk, "move 1 0.4 over 0.2s touching; tap f2; tap f8");
	obs_peer_start(rig.obs);
	rig.c = obs_client_open(OBS_RIG_PORT, OBS_RIG_PASSWORD, OBS_EVENTS_ALL);
	must_become(fabs(obs_rig_position(&rig, "input/Mic/volume", obs_rig_volume(&rig, "Mic")) - 0.4) < 0.002);
	must_agree();
	ck_assert(program_is("One"));
	ck_assert_uint_eq(obs_client_count(rig.c, "CurrentProgramSceneChanged"), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		killed_and_restarted_under_load_the_desk_shows_what_obs_has,
		what_a_hand_set_while_obs_was_away_holds,
		NULL,
	};
	return obs_suite_run("obs_restarts", 600, setup, teardown, tests);
}
