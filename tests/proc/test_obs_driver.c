/*
 * The whole of bh-obs between a router and what is no OBS, or an OBS that does what it should not. After each of it the process
 * lives, its health is what the operator needs to know, and it works again when the server behaves.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "procs/obs/model.h"
#include "procs/obs/ws.h"
#include "shm/latch.h"
#include "tests/fakes/obs_server.h"
#include "tests/lib/beside.h"
#include "tests/lib/host.h"

#define WAIT_MS 10000
#define PARAMS 1024u
#define VOLUME "input/Mic/volume"
#define NOT_AT_ONCE_MS 30000u /* after a refusal */

static struct host h;
static struct obs_server *server;
static char port[8];

/* ------------------------------------------------------------------ a small OBS */

static void
serve(const char *tape)
{
	server = obs_server_start(0, "secret", tape);
	snprintf(port, sizeof(port), "%u", obs_server_port(server));
}

static void
setup(void)
{
	serve(NULL);
	obs_server_answer(server, "GetVersion", 100,
			  "{'obsWebSocketVersion': '5.1.0', 'rpcVersion': 1, 'availableRequests': ['GetInputVolume', 'SetInputVolume', "
			  "'GetInputMute', 'GetSceneItemList', 'SetCurrentProgramScene', 'SetCurrentPreviewScene', "
			  "'TriggerStudioModeTransition', 'SetSceneSceneTransitionOverride', 'GetSceneSceneTransitionOverride']}");
	obs_server_answer(server, "GetSceneList", 100,
			  "{'currentProgramSceneName': 'One', 'scenes': [{'sceneName': 'Two'}, {'sceneName': 'One'}]}");
	obs_server_answer(server, "GetInputList", 100, "{'inputs': [{'inputName': 'Mic', 'inputKind': 'alsa'}]}");
	obs_server_answer(server, "GetStudioModeEnabled", 100, "{'studioModeEnabled': false}");
	obs_server_answer(server, "GetInputVolume", 100, "{'inputVolumeDb': -6.0, 'inputVolumeMul': 0.5}");
	obs_server_answer(server, "GetInputMute", 100, "{'inputMuted': false}");
	obs_server_answer(server, "GetSceneItemList", 100, "{'sceneItems': []}");
	obs_server_answer(server, "SetInputVolume", 100, NULL);
	obs_server_answer(server, "SetCurrentProgramScene", 100, NULL);
}

static void
teardown(void)
{
	host_stop(&h);
	obs_server_stop(server);
}

static void
start(const char *password, const char *keepalive)
{
	host_start_large(&h, "obs", PARAMS, "port", port, "password", password, "keepalive_ms", keepalive, NULL);
}

/* ------------------------------------------------------------------ what is to be seen */

static bool
tells(enum bh_health health, const char *reason, const char *hint)
{
	struct bh_health_record r = {0};
	bh_health_read(h.self, &r);
	return r.health == health && strstr(r.reason, reason) && strstr(r.hint, hint);
}

static void
expect_health(enum bh_health health, const char *reason, const char *hint)
{
	struct bh_health_record r = {0};
	if (host_until(&h, WAIT_MS, tells(health, reason, hint)))
		return;
	bh_health_read(h.self, &r);
	ck_abort_msg("health is %s, \"%s\", \"%s\"", bh_health_name(r.health), r.reason, r.hint);
}

static bool
is_reported(uint32_t id, double value)
{
	struct bh_value v;
	return host_reported(&h, id, &v) && v.type == BH_FLOAT && v.f == value;
}

/* It is what was started, it is at ease, and a fader goes to OBS and back. */
static void
works(void)
{
	static double db = -10;
	char text[48];
	expect_health(BH_HEALTH_OK, "", "");
	uint32_t id = host_param(&h, VOLUME);
	db -= 0.5;
	snprintf(text, sizeof(text), "\"inputVolumeDb\":%g", db);
	host_want(&h, id, bh_float(db), true);
	ck_assert_msg(host_until(&h, WAIT_MS, strstr(obs_server_last(server, "SetInputVolume"), text)), "OBS is not told %s", text);
	ck_assert(host_until(&h, WAIT_MS, (obs_server_event(server, "InputVolumeChanged", "{'inputName': 'Mic', 'inputVolumeDb': %g}", db),
					   usleep(5000), is_reported(id, db))));
	ck_assert_uint_eq(h.lives, 1);
	ck_assert_int_eq(waitpid(h.pid, NULL, WNOHANG), 0);
}

/* ------------------------------------------------------------------ passwords */

/* Some seconds of looking: a second try before half a minute is one too many. */
static void
expect_patience(uint64_t since_ns)
{
	for (unsigned turns = 0; turns < 3000; turns++) {
		host_drain(&h);
		usleep(1000);
	}
	unsigned tries = obs_server_connections(server);
	uint64_t gone_ms = (bh_now_ns() - since_ns) / BH_NS_PER_MS;
	ck_assert_uint_ge(tries, 1);
	ck_assert_uint_le(tries, 1 + gone_ms / NOT_AT_ONCE_MS);
}

static void
expect_reload_connects_at_once(void)
{
	unsigned turns = 0, limit = 20 * second_in_turns(1000);
	ck_assert_int_eq(host_reload(&h, "port", port, "password", "secret", "keepalive_ms", "60s", NULL), 0);
	while (!tells(BH_HEALTH_OK, "", "") && turns++ < limit) {
		host_drain(&h);
		usleep(1000);
	}
	ck_assert_uint_le(turns, limit);
	works();
	ck_assert_uint_eq(obs_server_identified(server), 1);
}

START_TEST(a_wrong_password_is_tried_once_and_a_right_one_at_once)
{
	uint64_t since = bh_now_ns();
	start("wrong", "60s");
	expect_health(BH_HEALTH_AUTH_FAILED, "OBS refuses the password", "`password`");
	expect_patience(since);
	expect_health(BH_HEALTH_AUTH_FAILED, "OBS refuses the password", "`password`");
	expect_reload_connects_at_once();
}
END_TEST

START_TEST(a_password_that_is_put_right_in_obs_is_tried_at_a_reload_of_the_same_options)
{
	obs_server_refuse_identify(server, 4009);
	start("secret", "60s");
	expect_health(BH_HEALTH_AUTH_FAILED, "OBS refuses the password", "`password`");
	obs_server_refuse_identify(server, 0);
	expect_reload_connects_at_once();
}
END_TEST

START_TEST(without_a_password_where_one_is_asked_for_nothing_is_tried)
{
	uint64_t since = bh_now_ns();
	start("", "60s");
	expect_health(BH_HEALTH_AUTH_FAILED, "OBS asks for a password", "`password`");
	expect_patience(since);
	ck_assert_uint_eq(obs_server_identified(server), 0);
	expect_reload_connects_at_once();
}
END_TEST

/* ------------------------------------------------------------------ who is no OBS */

START_TEST(a_refused_port_is_tried_until_somebody_listens)
{
	obs_server_set_listening(server, false);
	start("secret", "60s");
	expect_health(BH_HEALTH_CONNECTING, "OBS does not answer", "start OBS");
	ck_assert_uint_eq(obs_server_connections(server), 0);
	obs_server_set_listening(server, true);
	works();
}
END_TEST

static const struct {
	enum obs_server_manner manner;
	enum bh_health health;
	const char *reason, *hint;
} manners[] = {
	{OBS_SERVER_MUTE, BH_HEALTH_CONNECTING, "in 15 s", "overloaded"}, /* the longest */
	{OBS_SERVER_NOT_FOUND, BH_HEALTH_BAD_CONFIG, "no obs-websocket 5", "`port`"},
	{OBS_SERVER_RUBBISH, BH_HEALTH_BAD_CONFIG, "no obs-websocket 5", "`port`"},
	{OBS_SERVER_WRONG_KEY, BH_HEALTH_BAD_CONFIG, "no obs-websocket 5", "`port`"},
	{OBS_SERVER_NO_SUBPROTOCOL, BH_HEALTH_BAD_CONFIG, "no obs-websocket 5", "`port`"},
	{OBS_SERVER_SILENT, BH_HEALTH_CONNECTING, "OBS does not answer", "start OBS"},
	{OBS_SERVER_HALF_UPGRADE, BH_HEALTH_CONNECTING, "", ""},
	{OBS_SERVER_NO_HELLO, BH_HEALTH_CONNECTING, "no Hello", "`port`"},
	{OBS_SERVER_NO_IDENTIFIED, BH_HEALTH_CONNECTING, "no Hello", "`port`"},
	{OBS_SERVER_DROP, BH_HEALTH_CONNECTING, "", ""},
};

START_TEST(what_is_no_obs_is_named_and_tried_again)
{
	obs_server_set_manner(server, manners[_i].manner);
	start("secret", "60s");
	/* Twice, so that the first was taken for what it is. */
	ck_assert(host_until(&h, WAIT_MS, obs_server_connections(server) >= 2));
	expect_health(manners[_i].health, manners[_i].reason, manners[_i].hint);
	obs_server_set_manner(server, OBS_SERVER_PROPER);
	works();
}
END_TEST

START_TEST(an_obs_of_another_protocol_is_named)
{
	obs_server_refuse_identify(server, 4010);
	start("secret", "60s");
	expect_health(BH_HEALTH_BAD_CONFIG, "another version", "OBS 28");
	obs_server_refuse_identify(server, 0);
	ck_assert(host_until(&h, 4 * NOT_AT_ONCE_MS, tells(BH_HEALTH_OK, "", "")));
	works();
}
END_TEST

/* ------------------------------------------------------------------ frames and messages that are none */

static void
send_binary(const void *bytes, size_t len)
{
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_BINARY, .len = len}, 0, bytes, len);
}

static void
send_text_frame(void)
{
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_TEXT, .len = 8}, 0, "{\"op\":5}", 8);
}

static void
send_rubbish(void)
{
	uint8_t bytes[256];
	memset(bytes, 0xff, sizeof(bytes));
	obs_server_bytes(server, bytes, sizeof(bytes));
}

static void
send_no_msgpack(void)
{
	send_binary("\xc1\xc1\xc1\xc1", 4);
}

static void
send_half_a_map(void)
{
	send_binary("\x82\xa2op\x05\xa1" "d\xdf\xff\xff\xff\xff", 12);
}

static void
send_nothing(void)
{
	send_binary("", 0);
}

static void
send_a_number(void)
{
	send_binary("\x2a", 1);
}

static void
send_deep_nesting(void)
{
	uint8_t bytes[20000];
	memset(bytes, 0x91, sizeof(bytes));
	send_binary(bytes, sizeof(bytes));
}

static void
send_unknown_op(void)
{
	obs_server_say(server, "{'op': 77, 'd': {}}");
}

static void
send_answer_without_status(void)
{
	obs_server_say(server, "{'op': 7, 'd': {'requestId': '1', 'requestType': 'GetVersion'}}");
}

static void
send_oversized(void)
{
	bh_autofree uint8_t *bytes = calloc(1, OBS_WS_MESSAGE_MAX + 1);
	ck_assert_ptr_nonnull(bytes);
	send_binary(bytes, OBS_WS_MESSAGE_MAX + 1);
}

static void
declare_oversized(void)
{
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_BINARY, .len = 1ull << 40}, 64, "\x81", 1);
}

static void
send_half_a_frame(void)
{
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_BINARY, .len = 1000}, 0, "\x82\xa2op", 4);
}

static void
send_half_a_head(void)
{
	obs_server_bytes(server, "\x82", 1);
}

#define UNKNOWN "cannot be understood"
static const struct {
	void (*send)(void);
	const char *reason;
} frames[] = {
	{send_text_frame, UNKNOWN}, {send_rubbish, UNKNOWN}, {send_no_msgpack, UNKNOWN}, {send_half_a_map, UNKNOWN},
	{send_a_number, UNKNOWN}, {send_nothing, UNKNOWN}, {send_deep_nesting, UNKNOWN}, {send_unknown_op, UNKNOWN},
	{send_answer_without_status, UNKNOWN}, {send_oversized, UNKNOWN},
	/* Found by the message's deadline or by the pings that nobody answers, whichever is first. */
	{declare_oversized, ""}, {send_half_a_frame, ""}, {send_half_a_head, ""},
};

START_TEST(what_cannot_be_read_ends_the_connection_and_no_more)
{
	unsigned sent = 0, n;
	start("secret", "4s");
	works();
	/* To each connection, until it is seen to be in trouble: it may be well again before we look. */
	ck_assert(host_until(&h, WAIT_MS,
			     ((n = obs_server_identified(server)) != sent ? frames[_i].send(), sent = n : 0,
			      tells(BH_HEALTH_CONNECTING, frames[_i].reason, ""))));
	works();
}
END_TEST

/* A byte now and then: no pong comes between them. */
START_TEST(a_message_that_drips_is_given_up)
{
	static const struct ws_frame head = {.fin = true, .opcode = WS_BINARY, .len = 1u << 20};
	unsigned sent = 0, n;
	start("secret", "4s");
	works();
	ck_assert(host_until(&h, WAIT_MS,
			     ((n = obs_server_identified(server)) != sent ? obs_server_frame(server, &head, 0, "", 0), sent = n : 0,
			      obs_server_bytes(server, "\x82", 1), usleep(20000), tells(BH_HEALTH_CONNECTING, "", ""))));
	works();
}
END_TEST

/* ------------------------------------------------------------------ messages that concern nobody */

static const char *const strangers[] = {
	"{'op': 7, 'd': {'requestId': '4242', 'requestType': 'SetInputVolume', 'requestStatus': {'result': true, 'code': 100}}}",
	"{'op': 7, 'd': {'requestId': 'x', 'requestType': 'Nonsense', 'requestStatus': {'result': false, 'code': 204}}}",
	"{'op': 9, 'd': {'requestId': '4242', 'results': []}}",
	"{'op': 9, 'd': {'requestId': '', 'results': [1, null, {}]}}",
	"{'op': 2, 'd': {'negotiatedRpcVersion': 1}}",
	"{'op': 5, 'd': {'eventType': 'Nonsense', 'eventIntent': 1}}",
	"{'op': 5, 'd': {'eventType': 'InputVolumeChanged', 'eventIntent': 8, 'eventData': {'inputName': 'Nobody', 'inputVolumeDb': -3.0}}}",
	"{'op': 5, 'd': {'eventType': 'InputVolumeChanged', 'eventIntent': 8, 'eventData': {'inputName': 7, 'inputVolumeDb': 'loud'}}}",
	"{'op': 5, 'd': {'eventType': 'InputVolumeChanged', 'eventIntent': 8}}",
	"{'op': 5, 'd': {'eventType': 'InputVolumeMeters', 'eventIntent': 65536, 'eventData': {'inputs': [{'inputName': 'Nobody', 'inputLevelsMul': [[1]]}]}}}",
	"{'op': 5, 'd': {'eventType': 'InputRemoved', 'eventIntent': 8, 'eventData': {'inputName': 'Nobody'}}}",
	"{'op': 5, 'd': {'eventType': 'InputNameChanged', 'eventIntent': 8, 'eventData': {'oldInputName': 'Nobody', 'inputName': 'Noone'}}}",
	"{'op': 5, 'd': {'eventType': 'SceneRemoved', 'eventIntent': 4, 'eventData': {'sceneName': 'Nowhere', 'isGroup': false}}}",
	"{'op': 5, 'd': {'eventType': 'CurrentProgramSceneChanged', 'eventIntent': 4, 'eventData': {'sceneName': 'Nowhere'}}}",
	"{'op': 5, 'd': {'eventType': 'SceneItemEnableStateChanged', 'eventIntent': 128, 'eventData': {'sceneName': 'Nowhere', 'sceneItemId': 9, 'sceneItemEnabled': true}}}",
	"{'op': 5, 'd': {'eventType': 'SceneItemTransformChanged', 'eventIntent': 524288, 'eventData': {'sceneName': 'One', 'sceneItemId': 99, 'sceneItemTransform': {'positionX': 1}}}}",
	"{'op': 5, 'd': {'eventType': 'SourceFilterEnableStateChanged', 'eventIntent': 32, 'eventData': {'sourceName': 'Nobody', 'filterName': 'None', 'filterEnabled': true}}}",
	"{'op': 5, 'd': {'eventType': 'MediaInputPlaybackStarted', 'eventIntent': 256, 'eventData': {'inputName': 'Nobody'}}}",
	"{'op': 5, 'd': {'eventType': 'SceneTransitionStarted', 'eventIntent': 16, 'eventData': {'transitionName': 'None'}}}",
};

START_TEST(what_concerns_nobody_changes_nothing)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME), records = bh_dir_count(&h.dir);
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < BH_ARRAY_LEN(strangers); i++)
			obs_server_say(server, "%s", strangers[i]);
	works(); /* its event is behind them */
	ck_assert_uint_eq(host_param(&h, VOLUME), volume);
	ck_assert_uint_eq(bh_dir_count(&h.dir), records);
	ck_assert_uint_eq(obs_server_connections(server), 1);
}
END_TEST

/* ------------------------------------------------------------------ while there is no OBS */

static uint32_t
action(const char *name)
{
	for (uint32_t i = 0; obs_actions[i].name; i++)
		if (!strcmp(obs_actions[i].name, name))
			return i;
	ck_abort_msg("no action %s", name);
	return 0;
}

static unsigned
shows(void)
{
	return obs_server_requests(server, "SetCurrentProgramScene") + obs_server_requests(server, "SetCurrentPreviewScene") +
	       obs_server_requests(server, "TriggerStudioModeTransition");
}

static const struct host_dropped *
expect_drop(bool is_value)
{
	ck_assert(host_until(&h, WAIT_MS, h.drops == 1));
	ck_assert_int_eq(h.dropped[0].is_value, is_value);
	return &h.dropped[0];
}

START_TEST(an_action_without_obs_is_refused_and_never_done)
{
	obs_server_set_listening(server, false);
	start("secret", "60s");
	expect_health(BH_HEALTH_CONNECTING, "OBS does not answer", "");
	host_act(&h, action("cut"), 0, "Two", NULL);
	ck_assert_str_eq(expect_drop(false)->words, "OBS is not connected");
	obs_server_set_listening(server, true);
	works(); /* its request would have been behind it */
	ck_assert_uint_eq(shows(), 0);
	ck_assert_uint_eq(h.drops, 1);
}
END_TEST

START_TEST(a_value_without_obs_is_set_later_and_the_programme_is_not)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME), scene = host_param(&h, "scene/Two/program");
	obs_server_set_listening(server, false);
	obs_server_drop(server);
	expect_health(BH_HEALTH_CONNECTING, "OBS does not answer", "start OBS");
	host_want(&h, volume, bh_float(-41.5), true);
	host_want(&h, volume, bh_float(-42.5), true);
	host_want(&h, scene, bh_bool(true), true);
	const struct host_dropped *d = expect_drop(true);
	ck_assert_uint_eq(d->action, scene);
	ck_assert_str_eq(d->words, "OBS is not connected; it is not done later");
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	obs_server_set_listening(server, true);
	ck_assert(host_until(&h, WAIT_MS, strstr(obs_server_last(server, "SetInputVolume"), "-42.5")));
	ck_assert_uint_eq(obs_server_requests(server, "SetInputVolume"), sets + 1);
	works();
	ck_assert_uint_eq(shows(), 0);
}
END_TEST

/* ------------------------------------------------------------------ while a picture is taken */

/* The driver waits for the answer to the next stage of a picture. */
static void
reading(void)
{
	ck_assert(host_until(&h, WAIT_MS, obs_server_held(server)));
}

/* It has what a hand wants, and its picture is still not whole. */
static void
want_taken(uint32_t id, struct bh_value v)
{
	uint64_t taken = host_counter(&h, BH_CNT_EVENTS_IN);
	host_want(&h, id, v, true);
	ck_assert(host_until(&h, WAIT_MS, host_counter(&h, BH_CNT_EVENTS_IN) > taken));
	ck_assert_uint_gt(obs_server_held(server), 0);
}

static void
expect_volume_set(const char *db, unsigned times)
{
	char text[48];
	snprintf(text, sizeof(text), "\"inputVolumeDb\":%s", db);
	ck_assert(host_until(&h, WAIT_MS, strstr(obs_server_last(server, "SetInputVolume"), text)));
	ck_assert_uint_eq(obs_server_requests(server, "SetInputVolume"), times);
}

START_TEST(a_value_while_a_new_obs_is_read_is_the_newest)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME), scene = host_param(&h, "scene/Two/program");
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	obs_server_hold_answers(server, true);
	obs_server_drop(server);
	reading();
	want_taken(volume, bh_float(-31.5));
	want_taken(volume, bh_float(-32.5));
	want_taken(scene, bh_bool(true));
	ck_assert_str_eq(expect_drop(true)->words, "OBS is being read; it is not done later");
	host_act(&h, action("cut"), 0, "Two", NULL);
	ck_assert(host_until(&h, WAIT_MS, h.drops == 2));
	ck_assert_str_eq(h.dropped[1].words, "OBS is being read");
	obs_server_hold_answers(server, false);
	expect_volume_set("-32.5", sets + 1);
	works();
	ck_assert_uint_eq(shows(), 0);
}
END_TEST

START_TEST(a_value_while_obs_is_read_by_the_next_life_is_the_newest)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME), scene = host_param(&h, "scene/Two/program");
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	host_kill(&h);
	obs_server_hold_answers(server, true);
	host_restart(&h);
	reading();
	want_taken(volume, bh_float(-33.5));
	want_taken(scene, bh_bool(true)); /* which it does not know for what it is yet */
	obs_server_hold_answers(server, false);
	expect_volume_set("-33.5", sets + 1);
	const struct host_dropped *d = expect_drop(true);
	ck_assert_uint_eq(d->action, scene);
	ck_assert_str_eq(d->words, "OBS was being read; it is not done later");
	expect_health(BH_HEALTH_OK, "", "");
	ck_assert_uint_eq(shows(), 0);
	ck_assert_uint_eq(h.drops, 1);
}
END_TEST

START_TEST(a_value_while_obs_changes_its_collection_is_the_newest)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME);
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	obs_server_event(server, "CurrentSceneCollectionChanging", "{'sceneCollectionName': 'A'}");
	/* Which is told even then, and behind it. */
	obs_server_event(server, "ReplayBufferSaved", "{'savedReplayPath': '/a'}");
	host_expect(&h, host_param(&h, "replay/saved"), bh_text("/a"), WAIT_MS);
	uint64_t taken = host_counter(&h, BH_CNT_EVENTS_IN);
	host_want(&h, volume, bh_float(-34.5), true);
	ck_assert(host_until(&h, WAIT_MS, host_counter(&h, BH_CNT_EVENTS_IN) > taken));
	ck_assert_uint_eq(obs_server_requests(server, "SetInputVolume"), sets);
	obs_server_hold_answers(server, true);
	obs_server_event(server, "CurrentSceneCollectionChanged", "{'sceneCollectionName': 'B'}");
	reading();
	want_taken(volume, bh_float(-35.5));
	obs_server_hold_answers(server, false);
	expect_volume_set("-35.5", sets + 1);
	works();
}
END_TEST

/* It is what was told last: nobody would see that the hand insists on it. */
START_TEST(a_value_that_changes_nothing_is_set_while_obs_is_read)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME);
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	struct bh_value had;
	ck_assert(host_reported(&h, volume, &had));
	obs_server_hold_answers(server, true);
	obs_server_drop(server);
	reading();
	want_taken(volume, bh_float(-36.5));
	want_taken(volume, had);
	obs_server_hold_answers(server, false);
	ck_assert(host_until(&h, WAIT_MS, obs_server_requests(server, "SetInputVolume") == sets + 1));
	works();
}
END_TEST

/* OBS has what the hand wants, and tells no event when it is set to it: the desk hears of it nevertheless. */
START_TEST(a_switch_that_obs_has_where_it_is_wanted_is_told)
{
	obs_server_answer(server, "SetInputMute", 100, NULL);
	start("secret", "60s");
	works();
	uint32_t mute = host_param(&h, "input/Mic/mute");
	host_expect(&h, mute, bh_bool(false), WAIT_MS);
	obs_server_answer(server, "GetInputMute", 100, "{'inputMuted': true}");
	obs_server_hold_answers(server, true);
	obs_server_drop(server);
	reading();
	want_taken(mute, bh_bool(true));
	obs_server_hold_answers(server, false);
	host_expect(&h, mute, bh_bool(true), WAIT_MS);
	ck_assert_uint_eq(obs_server_requests(server, "SetInputMute"), 1);
}
END_TEST

START_TEST(a_value_of_what_the_new_obs_has_no_more_is_forgotten)
{
	start("secret", "60s");
	works();
	uint32_t volume = host_param(&h, VOLUME);
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	obs_server_answer(server, "GetInputList", 100, "{'inputs': []}");
	obs_server_hold_answers(server, true);
	obs_server_drop(server);
	reading();
	want_taken(volume, bh_float(-37.5));
	obs_server_hold_answers(server, false);
	ck_assert(host_until(&h, WAIT_MS, !host_has_param(&h, VOLUME)));
	expect_health(BH_HEALTH_OK, "", "");
	/* It comes again, as OBS has it. */
	obs_server_answer(server, "GetInputList", 100, "{'inputs': [{'inputName': 'Mic', 'inputKind': 'alsa'}]}");
	obs_server_answer(server, "GetInputVolume", 100, "{'inputVolumeDb': -3.0, 'inputVolumeMul': 0.7}");
	obs_server_event(server, "CurrentSceneCollectionChanged", "{'sceneCollectionName': 'B'}");
	host_expect(&h, host_param(&h, VOLUME), bh_float(-3), WAIT_MS);
	ck_assert_uint_eq(obs_server_requests(server, "SetInputVolume"), sets);
	works();
}
END_TEST

/* What OBS does not know: it is as the hands left it, though what is on air would say otherwise. */
START_TEST(what_was_chosen_of_cameras_is_chosen_in_the_next_life)
{
	obs_server_answer(server, "GetSceneList", 100,
			  "{'currentProgramSceneName': 'One', 'scenes': [{'sceneName': 'Left'}, {'sceneName': 'Two'}, {'sceneName': 'One'}]}");
	host_start_large(&h, "obs", PARAMS, "port", port, "password", "secret", "split_left", "Left", "ptz", "1", "ptz[0].name", "pad", "cameras", "2",
			 "cameras[0].id", "c1", "cameras[0].scene", "One", "cameras[0].source", "Red", "cameras[1].id", "c2",
			 "cameras[1].scene", "Two", "cameras[1].source", "Blue", NULL);
	works();
	uint32_t target = host_param(&h, "ptz/pad/camera"), view = host_param(&h, "view"), volume = host_param(&h, VOLUME);
	host_expect(&h, target, bh_enum(0), WAIT_MS); /* what is on air */
	host_act(&h, action("split"), 0, "left", NULL);
	host_expect(&h, view, bh_enum(OBS_VIEW_SPLIT_LEFT), WAIT_MS);
	host_want(&h, target, bh_enum(1), true);
	host_expect(&h, target, bh_enum(1), WAIT_MS);
	host_kill(&h);
	unsigned sets = obs_server_requests(server, "SetInputVolume");
	host_restart(&h);
	host_want(&h, volume, bh_float(-38.5), true);
	expect_volume_set("-38.5", sets + 1); /* behind the picture, and all that follows from it */
	host_expect(&h, target, bh_enum(1), WAIT_MS);
	host_expect(&h, view, bh_enum(OBS_VIEW_SPLIT_LEFT), WAIT_MS);
}
END_TEST

/* ------------------------------------------------------------------ the first picture */

START_TEST(a_connection_that_ends_in_the_first_picture_is_taken_up_again)
{
	unsigned met = 0;
	obs_server_hold_answers(server, true);
	start("secret", "60s");
	for (unsigned round = 0; round < 3; round++) {
		ck_assert(host_until(&h, WAIT_MS, obs_server_identified(server) > met));
		met = obs_server_identified(server);
		obs_server_drop(server);
	}
	ck_assert(!tells(BH_HEALTH_OK, "", ""));
	/* And with some of it answered. */
	obs_server_hold_answers(server, false);
	for (unsigned round = 0; round < 3; round++) {
		unsigned volumes = obs_server_requests(server, "GetInputVolume");
		ck_assert(host_until(&h, WAIT_MS, obs_server_requests(server, "GetInputVolume") > volumes));
		obs_server_close(server, 1001, "OBS ends");
		obs_server_drop(server);
	}
	works();
}
END_TEST

/* ------------------------------------------------------------------ a real session, without OBS */

static void
expect(const char *name, struct bh_value v)
{
	host_expect(&h, host_param(&h, name), v, WAIT_MS);
}

START_TEST(a_recorded_obs_is_on_the_desk)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/recordings/obs/requests.tape", getenv("BH_SRC"));
	serve(path);
	start("secret", "60s");
	expect("scene/One/program", bh_bool(true));
	expect("scene/Two/program", bh_bool(false));
	expect("scene/Two/preview", bh_bool(false));
	expect("scene/One/item/Pair/visible", bh_bool(true));
	expect("scene/Pair/item/Blue/scale", bh_float(100));
	expect("input/Mic/volume", bh_float(0));
	expect("input/Mic/balance", bh_float(0.5));
	expect("input/Mic/track6", bh_bool(true));
	expect("input/Mic/filter/Gain/db", bh_float(-3));
	expect("transition/duration", bh_int(300));
	host_param(&h, "input/Clip/media/cursor");
	expect_health(BH_HEALTH_OK, "", "");
	/* A hand at a fader, and another scene: OBS tells what it told then, and a tape that is asked again what it told before. */
	host_want(&h, host_param(&h, "input/Mic/volume"), bh_float(-6.5), true);
	expect("input/Mic/volume", bh_float(-6.5));
	ck_assert(strstr(obs_server_last(server, "SetInputVolume"), "\"Mic\""));
	host_want(&h, host_param(&h, "scene/Two/program"), bh_bool(true), true);
	ck_assert(host_until(&h, WAIT_MS, strstr(obs_server_last(server, "SetCurrentProgramScene"), "\"Two\"")));
	/* All that it told later, without anybody's asking: another collection at its end. */
	unsigned pictures = obs_server_requests(server, "GetSceneList");
	obs_server_play(server);
	ck_assert(host_until(&h, WAIT_MS, obs_server_requests(server, "GetSceneList") > pictures));
	expect_health(BH_HEALTH_OK, "", "");
	ck_assert_uint_eq(obs_server_connections(server), 1);
	ck_assert_int_eq(waitpid(h.pid, NULL, WNOHANG), 0);
}
END_TEST

/*
 * What a desk did to a real OBS, and what OBS did by itself: faders at work, kills and restarts. The input is in each list of inputs of
 * its tape, so it is there whatever the session did, and whenever the server is asked.
 */
static const struct {
	const char *tape, *volume;
} sessions[] = {{"requests", "input/Mic/volume"}, {"faders", "input/Music/volume"}, {"restarts", "input/Load A/volume"}};

START_TEST(each_recorded_session_is_taken_up_again_without_obs)
{
	char path[512];
	struct bh_value v = {0};
	snprintf(path, sizeof(path), "%s/tests/recordings/obs/%s.tape", getenv("BH_SRC"), sessions[_i].tape);
	serve(path);
	start("secret", "60s");
	uint32_t volume = host_param(&h, sessions[_i].volume);
	ck_assert(host_until(&h, WAIT_MS, host_reported(&h, volume, &v)));
	expect_health(BH_HEALTH_OK, "", "");
	/* All events that the session had. */
	obs_server_play(server);
	expect_health(BH_HEALTH_OK, "", "");
	/* What is told while they make it look again arrives, too. */
	host_want(&h, volume, bh_float(-7.5), true);
	ck_assert(host_until(&h, WAIT_MS, strstr(obs_server_last(server, "SetInputVolume"), "-7.5")));
	ck_assert_uint_eq(h.lives, 1);
	ck_assert_int_eq(waitpid(h.pid, NULL, WNOHANG), 0);
}
END_TEST

int
main(void)
{
	/* Those that wait longest first. */
	const struct beside_test hostile[] = {
		{an_obs_of_another_protocol_is_named, 0},
		{what_is_no_obs_is_named_and_tried_again, BH_ARRAY_LEN(manners)},
		{what_cannot_be_read_ends_the_connection_and_no_more, BH_ARRAY_LEN(frames)},
		{a_message_that_drips_is_given_up, 0},
		{a_wrong_password_is_tried_once_and_a_right_one_at_once, 0},
		{without_a_password_where_one_is_asked_for_nothing_is_tried, 0},
		{a_password_that_is_put_right_in_obs_is_tried_at_a_reload_of_the_same_options, 0},
		{a_refused_port_is_tried_until_somebody_listens, 0},
		{what_concerns_nobody_changes_nothing, 0},
		{an_action_without_obs_is_refused_and_never_done, 0},
		{a_value_without_obs_is_set_later_and_the_programme_is_not, 0},
		{a_connection_that_ends_in_the_first_picture_is_taken_up_again, 0},
	};
	const struct beside_test read[] = {
		{a_value_while_a_new_obs_is_read_is_the_newest, 0},
		{a_value_while_obs_is_read_by_the_next_life_is_the_newest, 0},
		{a_value_while_obs_changes_its_collection_is_the_newest, 0},
		{a_value_that_changes_nothing_is_set_while_obs_is_read, 0},
		{a_switch_that_obs_has_where_it_is_wanted_is_told, 0},
		{a_value_of_what_the_new_obs_has_no_more_is_forgotten, 0},
		{what_was_chosen_of_cameras_is_chosen_in_the_next_life, 0},
	};
	const struct beside_test tape[] = {
		{a_recorded_obs_is_on_the_desk, 0},
		{each_recorded_session_is_taken_up_again_without_obs, BH_ARRAY_LEN(sessions)},
	};
	const struct beside_group groups[] = {
		{"without a real OBS", setup, teardown, hostile, BH_ARRAY_LEN(hostile)},
		{"while OBS is read", setup, teardown, read, BH_ARRAY_LEN(read)},
		{"of a tape", NULL, teardown, tape, BH_ARRAY_LEN(tape)},
	};
	signal(SIGPIPE, SIG_IGN);
	return beside_run("bh-obs", groups, BH_ARRAY_LEN(groups), 12);
}
