/*
 * A desk on a real OBS: faders and lights both ways, and a fader that moves 200 times a second.
 *
 * Each SetInputVolume makes exactly one InputVolumeChanged at OBS, so a witness on a connection of its own counts what the driver
 * has really sent; the driver's own books must come to the same, to the last one. BH_FADER_S: seconds of it (10).
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "procs/obs/queue.h"
#include "tests/lib/obs_rig.h"
#include "tests/lib/obs_suite.h"

static const char bindings[] =
	"      fader1: obs/input/Mic/volume\n"
	"      fader2: obs/input/Music/volume\n"
	"      mute1: {toggle: obs/input/Mic/mute}\n"
	"      mute2: {toggle: obs/input/Music/mute}\n"
	"      strip1: {strip: obs/input/Mic/volume, text: Mic}\n";

static struct obs_rig rig;

static void
describe(struct obs_peer *p)
{
	obs_peer_colour(p, "Red", 0xff0000ff);
	obs_peer_tone(p, "Mic", 440, 0.25);
	obs_peer_tone(p, "Music", 550, 0.1);
	obs_peer_scene(p, "One", "Red", "Mic", "Music", NULL);
}

static void
setup(void)
{
	obs_rig_start(&rig, "faders", describe, ", max_age_ms: 60s", bindings);
}

static void
teardown(void)
{
	obs_rig_stop(&rig);
}

#define must_become(cond) ck_assert_msg(pipeline_until(10000, cond), "%s: %s", #cond, pipeline_log(&rig.pl))

START_TEST(a_fader_moves_obs_and_obs_moves_the_motor)
{
	simdesk_must(rig.desk, "move 1 0.5 over 0.3s touching");
	const double there = obs_rig_position(&rig, "input/Mic/volume", -96);
	ck_assert_double_lt(there, 0.5);
	must_become(fabs(obs_rig_position(&rig, "input/Mic/volume", obs_rig_volume(&rig, "Mic")) - 0.5) < 0.002);
	must_become(obs_rig_has_wanted(&rig, "Mic"));
	for (double db = -40; db < 0; db += 13.5) {
		obs_client_call(rig.c, "SetInputVolume", "{'inputName': 'Mic', 'inputVolumeDb': %g}", db);
		obs_client_call(rig.c, "SetInputVolume", "{'inputName': 'Music', 'inputVolumeDb': %g}", -db - 41);
		must_become(obs_rig_fader_agrees(&rig, 1, "Mic") && obs_rig_fader_agrees(&rig, 2, "Music"));
	}
	ck_assert_uint_eq(simdesk_counter(rig.desk, "fights"), 0);
	ck_assert_uint_eq(simdesk_counter(rig.desk, "ran_back"), 0);
}
END_TEST

START_TEST(a_mute_key_mutes_obs_and_its_light_follows_obs)
{
	for (int i = 0; i < 4; i++) {
		simdesk_must(rig.desk, "tap mute1");
		must_become(obs_true(obs_client_call(rig.c, "GetInputMute", "{'inputName': 'Mic'}"), "inputMuted") == (i % 2 == 0));
		must_become(obs_rig_mute_agrees(&rig, "mute1", "Mic"));
		obs_client_call(rig.c, "ToggleInputMute", "{'inputName': 'Music'}");
		must_become(obs_rig_mute_agrees(&rig, "mute2", "Music"));
	}
}
END_TEST

/* What was sent, by OBS's own account. */
static unsigned
sets_seen(void)
{
	obs_client_pump(rig.c, 0);
	return obs_client_count(rig.c, "InputVolumeChanged");
}

START_TEST(a_fader_at_200_hz_ends_exactly_at_its_last_value)
{
	const char *s = getenv("BH_FADER_S");
	const int seconds = s ? atoi(s) : 10;
	struct bh_cell_body wanted;
	must_become(obs_rig_is_quiet(&rig));
	const double values = obs_rig_number(&rig, "requests/values"), conflated = obs_rig_number(&rig, "requests/conflated");
	obs_client_forget(rig.c);
	simdesk_must(rig.desk, "touch 1; repeat %d {move 1 0.1 over 0.5s; move 1 0.9 over 0.5s}; move 1 0.6543 over 0.1s; release 1", seconds);
	must_become(obs_rig_has_wanted(&rig, "Mic"));
	ck_assert_int_eq(pipeline_wanted(&rig.pl, "obs", "input/Mic/volume", &wanted), 1);
	ck_assert_double_eq_tol(obs_rig_position(&rig, "input/Mic/volume", wanted.v.f), 0.6543, 0.0005);
	must_become(obs_rig_fader_agrees(&rig, 1, "Mic"));
	/* Given = conflated + sent, and sent is what OBS tells: to the last one. */
	must_become(obs_rig_is_quiet(&rig) && obs_rig_number(&rig, "requests/values") - values ==
						      obs_rig_number(&rig, "requests/conflated") - conflated + sets_seen());
	ck_assert_double_eq(obs_rig_number(&rig, "requests/lost"), 0);
	ck_assert_double_eq(obs_rig_number(&rig, "requests/refused"), 0);
	ck_assert_double_le(obs_rig_number(&rig, "requests/in-flight-most"), OBS_IN_FLIGHT);
	printf("%d s of fader: %.0f values came to the driver, %.0f were conflated, OBS took %u; at most %.0f in flight\n", seconds,
	       obs_rig_number(&rig, "requests/values") - values, obs_rig_number(&rig, "requests/conflated") - conflated, sets_seen(),
	       obs_rig_number(&rig, "requests/in-flight-most"));
	ck_assert_uint_eq(simdesk_counter(rig.desk, "fights"), 0);
	ck_assert_uint_eq(simdesk_counter(rig.desk, "ran_back"), 0);
}
END_TEST

/* A stopped OBS: the hand goes on, one request is in flight, and all that it moved through is one value. */
START_TEST(a_stopped_obs_gets_the_last_value_when_it_goes_on)
{
	obs_client_forget(rig.c);
	obs_peer_suspend(rig.obs);
	simdesk_must(rig.desk, "touch 1; move 1 0.2 over 0.5s; move 1 0.7 over 0.5s; release 1");
	obs_peer_resume(rig.obs);
	must_become(fabs(obs_rig_position(&rig, "input/Mic/volume", obs_rig_volume(&rig, "Mic")) - 0.7) < 0.002);
	must_become(obs_rig_fader_agrees(&rig, 1, "Mic"));
	ck_assert_uint_le(sets_seen(), 8);
	ck_assert_uint_eq(simdesk_counter(rig.desk, "ran_back"), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		a_fader_moves_obs_and_obs_moves_the_motor,
		a_mute_key_mutes_obs_and_its_light_follows_obs,
		a_fader_at_200_hz_ends_exactly_at_its_last_value,
		a_stopped_obs_gets_the_last_value_when_it_goes_on,
		NULL,
	};
	return obs_suite_run("obs_faders", 300, setup, teardown, tests);
}
