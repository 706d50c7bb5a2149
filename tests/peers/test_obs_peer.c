/* What the other tests of this folder stand on: a real OBS that starts, answers, dies and comes back, beside another one. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "common/units.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/obs_suite.h"
#include "tests/lib/patience.h"

#define PORT 4455
#define PASSWORD "secret \"123\""

static struct obs_peer *obs;
static struct obs_client *c;

static void
describe(struct obs_peer *p)
{
	obs_peer_colour(p, "Red", 0xff0000ff);
	obs_peer_colour(p, "Blue \"deep\"", 0xffff0000);
	obs_peer_tone(p, "Mic", 440, 0.25);
	obs_peer_media(p, "Clip", 2);
	obs_peer_filter(p, "Mic", "Gain", "gain_filter", "{\"db\":-3.0}");
	obs_peer_scene(p, "Scene 1", "Red", "Mic", NULL);
	obs_peer_scene(p, "Scene 2", "Blue \"deep\"", "Clip", "Scene 1", NULL);
}

static void
setup(void)
{
	obs = obs_peer_new(PORT, PASSWORD);
	describe(obs);
	obs_peer_start(obs);
	c = obs_client_open(PORT, PASSWORD, OBS_EVENTS_ALL);
}

static void
teardown(void)
{
	obs_client_close(c);
	obs_peer_free(obs);
}

START_TEST(it_has_what_was_described)
{
	const msgpack_object *o = obs_client_call(c, "GetSceneList", NULL);
	ck_assert_str_eq(obs_string(o, "currentProgramSceneName"), "Scene 1");
	ck_assert_str_eq(obs_string(o, "scenes/1/sceneName"), "Scene 1");
	ck_assert_str_eq(obs_string(o, "scenes/0/sceneName"), "Scene 2");
	ck_assert_uint_eq(obs_at(obs_client_call(c, "GetInputList", NULL), "inputs")->via.array.size, 4);
	o = obs_client_call(c, "GetSceneItemList", "{'sceneName': 'Scene 2'}");
	ck_assert_str_eq(obs_string(o, "sceneItems/0/sourceName"), "Blue \"deep\"");
	ck_assert_str_eq(obs_string(o, "sceneItems/2/sourceName"), "Scene 1");
	o = obs_client_call(c, "GetSourceFilter", "{'sourceName': 'Mic', 'filterName': 'Gain'}");
	ck_assert_double_eq(obs_number(o, "filterSettings/db"), -3.0);
	o = obs_client_call(c, "GetMediaInputStatus", "{'inputName': 'Clip'}");
	ck_assert(obs_has(o, "mediaState"));
}
END_TEST

START_TEST(a_call_is_answered_and_tells_everybody)
{
	struct obs_client *other = obs_client_open(PORT, PASSWORD, OBS_EVENTS_ALL);
	obs_client_call(c, "SetInputVolume", "{'inputName': '%s', 'inputVolumeDb': %g}", "Mic", -9.0);
	ck_assert_double_eq(obs_number(obs_client_event(c, "InputVolumeChanged", "inputName", "Mic"), "inputVolumeDb"), -9);
	ck_assert_double_eq(obs_number(obs_client_event(other, "InputVolumeChanged", "inputName", "Mic"), "inputVolumeDb"), -9);
	ck_assert_double_eq(obs_number(obs_client_call(other, "GetInputVolume", "{'inputName': 'Mic'}"), "inputVolumeDb"), -9);
	ck_assert_int_eq(obs_client_ask(c, "SetInputVolume", "{'inputName': 'None', 'inputVolumeDb': 0}"), 600);
	ck_assert(*obs_client_comment(c));
	const msgpack_object *results =
		obs_client_batch(c, "[{'requestType': 'GetVersion'}, {'requestType': 'GetInputMute', 'requestData': {'inputName': 'Red'}}]");
	ck_assert_str_eq(obs_string(results, "0/responseData/obsWebSocketVersion"), "5.1.0");
	ck_assert_double_eq(obs_number(results, "1/requestStatus/code"), 604);
	obs_client_close(other);
}
END_TEST

/* OBS works on them in several threads: which one is the last to be carried out, nobody knows. */
START_TEST(many_calls_are_in_flight_at_once)
{
	obs_client_forget(c);
	uint32_t before = obs_client_answered(c);
	for (int i = 0; i < 500; i++)
		obs_client_send(c, "SetInputVolume", "{'inputName': 'Mic', 'inputVolumeDb': %g}", -i / 10.0);
	ck_assert(obs_client_until(c, 10000, obs_client_answered(c) == before + 500));
	ck_assert(obs_client_until(c, 10000, obs_client_count(c, "InputVolumeChanged") == 500));
}
END_TEST

/* A quarter of full scale, and 3 dB less by the filter. */
START_TEST(a_tone_is_metered)
{
	double peak = 0;
	obs_client_say(c, "{'op': 3, 'd': {'eventSubscriptions': %u}}", OBS_EVENTS_METERS);
	for (int i = 0; i < 200 && fabs(peak - 0.177) > 0.002; i++) {
		const msgpack_object *o = obs_client_event(c, "InputVolumeMeters", NULL, NULL);
		peak = obs_is(o, "inputs/0/inputName", "Mic") ? obs_number(o, "inputs/0/inputLevelsMul/0/1") : 0;
	}
	ck_assert_double_eq_tol(peak, 0.177, 0.002);
}
END_TEST

START_TEST(a_wrong_password_and_an_empty_port_are_told)
{
	int code = -1;
	ck_assert_ptr_null(obs_client_try(PORT, "wrong", OBS_EVENTS_ALL, &code));
	ck_assert_int_eq(code, 4009);
	ck_assert_ptr_null(obs_client_try(PORT + 1, PASSWORD, OBS_EVENTS_ALL, &code));
	ck_assert_int_eq(code, 0);
}
END_TEST

START_TEST(a_killed_one_is_seen_and_starts_again)
{
	for (int i = 0; i < 3; i++) {
		obs_peer_kill(obs);
		obs_client_wait_close(c);
		ck_assert_int_eq(obs_client_close_code(c), 1006);
		ck_assert_int_eq(obs_client_ask(c, "GetVersion", NULL), -ENOTCONN);
		obs_client_close(c);
		if (i == 0) {
			obs_peer_rename(obs, "Scene 1", "Opening");
			obs_peer_remove(obs, "Clip");
			obs_peer_start(obs);
		} else {
			obs_peer_start_again(obs);
		}
		c = obs_client_open(PORT, PASSWORD, OBS_EVENTS_ALL);
		const msgpack_object *o = obs_client_call(c, "GetSceneItemList", "{'sceneName': 'Scene 2'}");
		ck_assert_uint_eq(obs_at(o, "sceneItems")->via.array.size, 2);
		ck_assert_str_eq(obs_string(o, "sceneItems/1/sourceName"), "Opening");
	}
}
END_TEST

START_TEST(a_suspended_one_goes_on)
{
	obs_peer_suspend(obs);
	uint32_t number = obs_client_send(c, "GetVersion", NULL);
	obs_client_pump(c, 200);
	ck_assert(obs_client_is_open(c));
	ck_assert_uint_lt(obs_client_answered(c), number);
	obs_peer_resume(obs);
	ck_assert_int_eq(obs_client_wait(c, number), 100);
}
END_TEST

START_TEST(two_run_side_by_side)
{
	struct obs_peer *second = obs_peer_new(PORT + 1, NULL);
	describe(second);
	obs_peer_start(second);
	struct obs_client *d = obs_client_open(PORT + 1, NULL, OBS_EVENTS_ALL);
	obs_client_call(d, "SetInputMute", "{'inputName': 'Mic', 'inputMuted': true}");
	ck_assert(obs_true(obs_client_call(d, "GetInputMute", "{'inputName': 'Mic'}"), "inputMuted"));
	ck_assert(!obs_true(obs_client_call(c, "GetInputMute", "{'inputName': 'Mic'}"), "inputMuted"));
	obs_peer_kill(obs);
	obs_client_wait_close(c);
	obs_client_call(d, "GetVersion", NULL);
	obs_client_close(d);
	obs_peer_free(second);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		it_has_what_was_described,
		a_call_is_answered_and_tells_everybody,
		many_calls_are_in_flight_at_once,
		a_tone_is_metered,
		a_wrong_password_and_an_empty_port_are_told,
		a_killed_one_is_seen_and_starts_again,
		a_suspended_one_goes_on,
		two_run_side_by_side,
		NULL,
	};
	return obs_suite_run("obs_peer", 120, setup, teardown, tests);
}
