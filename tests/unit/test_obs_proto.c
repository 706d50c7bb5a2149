/* Messages of obs-websocket: what arrives is taken apart without trust, what we send is what a server reads. */
#include <check.h>
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/packed.h"
#include "procs/obs/proto.h"

static struct obs_decoder dec;
static uint8_t bytes[64 << 10];

static void
setup(void)
{
	ck_assert_int_eq(obs_decoder_init(&dec), 0);
}

static void
teardown(void)
{
	obs_decoder_fini(&dec);
}

static size_t
pack(const char *json)
{
	int n = obs_json_to_msgpack(json, bytes, sizeof(bytes));
	ck_assert_msg(n > 0, "%d: %s", n, json);
	return (size_t)n;
}

static struct obs_msg
decoded(const char *json)
{
	struct obs_msg m;
	const char *why = NULL;
	ck_assert_msg(obs_decode(&dec, bytes, pack(json), &m, &why) == 0, "%s: %s", why, json);
	return m;
}

static const char *
refused(const char *json)
{
	struct obs_msg m;
	const char *why = NULL;
	ck_assert_int_eq(obs_decode(&dec, bytes, pack(json), &m, &why), -EBADMSG);
	return why;
}

/* ------------------------------------------------------------------ what arrives */

START_TEST(a_hello_tells_version_and_whether_a_password_is_asked_for)
{
	struct obs_msg m = decoded("{\"d\":{\"obsWebSocketVersion\":\"5.1.0\",\"rpcVersion\":1},\"op\":0}");
	ck_assert_int_eq(m.op, OBS_OP_HELLO);
	ck_assert_str_eq(m.version, "5.1.0");
	ck_assert_uint_eq(m.rpc_version, 1);
	ck_assert(!m.needs_auth);
	m = decoded("{\"op\":0,\"d\":{\"rpcVersion\":1,\"authentication\":{\"challenge\":\"c=\",\"salt\":\"s=\"}}}");
	ck_assert(m.needs_auth);
	ck_assert_str_eq(m.challenge, "c=");
	ck_assert_str_eq(m.salt, "s=");
	refused("{\"op\":0,\"d\":{\"rpcVersion\":1,\"authentication\":{\"challenge\":\"c=\"}}}");
}
END_TEST

START_TEST(a_challenge_is_never_cut)
{
	char json[400];
	snprintf(json, sizeof(json), "{\"op\":0,\"d\":{\"authentication\":{\"salt\":\"s\",\"challenge\":\"%0200d\"}}}", 1);
	refused(json);
}
END_TEST

START_TEST(an_event_has_a_type_and_perhaps_data)
{
	double db;
	char name[20];
	struct obs_msg m = decoded("{\"op\":5,\"d\":{\"eventType\":\"InputVolumeChanged\",\"eventIntent\":8,"
				   "\"eventData\":{\"inputName\":\"Mic\",\"inputVolumeDb\":-6}}}");
	ck_assert_int_eq(m.op, OBS_OP_EVENT);
	ck_assert_str_eq(m.event, "InputVolumeChanged");
	ck_assert(obs_get_number(m.data, "inputVolumeDb", &db) && db == -6);
	ck_assert(obs_get_str(m.data, "inputName", name, sizeof(name)));
	ck_assert_str_eq(name, "Mic");
	ck_assert_ptr_null(decoded("{\"op\":5,\"d\":{\"eventType\":\"ExitStarted\",\"eventIntent\":1}}").data);
	ck_assert_ptr_null(decoded("{\"op\":5,\"d\":{\"eventType\":\"ExitStarted\",\"eventData\":[1]}}").data);
	refused("{\"op\":5,\"d\":{\"eventIntent\":1}}");
}
END_TEST

START_TEST(an_answer_belongs_to_a_request_of_ours)
{
	struct obs_msg m = decoded("{\"op\":7,\"d\":{\"requestType\":\"SetInputVolume\",\"requestId\":\"4294967295\","
				   "\"requestStatus\":{\"result\":true,\"code\":100}}}");
	ck_assert_int_eq(m.op, OBS_OP_RESPONSE);
	ck_assert_int_eq(m.result.req, OBS_REQ_SET_INPUT_VOLUME);
	ck_assert_uint_eq(m.result.id, UINT32_MAX);
	ck_assert(m.result.ok);
	ck_assert_int_eq(m.result.code, OBS_STATUS_OK);
	ck_assert_ptr_null(m.result.data);
	m = decoded("{\"op\":7,\"d\":{\"requestType\":\"GetInputMute\",\"requestId\":\"7\",\"responseData\":{\"inputMuted\":true},"
		    "\"requestStatus\":{\"result\":false,\"code\":600,\"comment\":\"No source was found.\"}}}");
	ck_assert(!m.result.ok);
	ck_assert_int_eq(m.result.code, OBS_STATUS_NOT_FOUND);
	ck_assert_str_eq(m.result.comment, "No source was found.");
	bool muted = false;
	ck_assert(obs_get_bool(m.result.data, "inputMuted", &muted) && muted);
	refused("{\"op\":7,\"d\":{\"requestType\":\"GetInputMute\",\"requestId\":\"7\"}}");
}
END_TEST

START_TEST(ids_that_are_not_ours_are_none)
{
	static const char *const ids[] = {"\"\"", "\"0\"", "\"07\"", "\"-1\"", "\"4294967296\"", "\"99999999999\"", "\"1x\"", "\" 1\"", "1", "null"};
	char json[200];
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		snprintf(json, sizeof(json), "{\"op\":7,\"d\":{\"requestId\":%s,\"requestStatus\":{\"result\":true,\"code\":100}}}", ids[i]);
		struct obs_msg m = decoded(json);
		ck_assert_msg(m.result.id == 0, "%s", ids[i]);
		ck_assert_int_eq(m.result.req, OBS_REQ_COUNT);
	}
}
END_TEST

START_TEST(a_batch_has_a_result_each_and_a_bad_one_spoils_no_other)
{
	struct obs_result r;
	struct obs_msg m = decoded("{\"op\":9,\"d\":{\"requestId\":\"3\",\"results\":["
				   "{\"requestType\":\"GetStats\",\"requestStatus\":{\"result\":true,\"code\":100},\"responseData\":{\"cpuUsage\":1.5}},"
				   "17,{\"requestType\":\"GetInputMute\",\"requestStatus\":{\"result\":false,\"code\":604}}]}}");
	ck_assert_uint_eq(m.batch_id, 3);
	ck_assert_uint_eq(m.results, 3);
	double cpu = 0;
	ck_assert(obs_batch_result(&m, 0, &r) && r.ok && r.req == OBS_REQ_GET_STATS && obs_get_number(r.data, "cpuUsage", &cpu));
	ck_assert(cpu == 1.5);
	ck_assert(!obs_batch_result(&m, 1, &r));
	ck_assert(obs_batch_result(&m, 2, &r) && !r.ok && r.code == OBS_STATUS_INVALID_STATE);
	ck_assert(!obs_batch_result(&m, 3, &r));
	refused("{\"op\":9,\"d\":{\"requestId\":\"3\",\"results\":{}}}");
}
END_TEST

START_TEST(what_no_server_sends_is_refused)
{
	refused("{\"op\":6,\"d\":{}}");
	refused("{\"op\":99,\"d\":{}}");
	refused("{\"op\":5}");
	refused("{\"op\":\"5\",\"d\":{\"eventType\":\"x\"}}");
	refused("{\"op\":5,\"d\":[]}");
	refused("{}");
}
END_TEST

START_TEST(bytes_that_are_no_message_are_refused_with_the_reason)
{
	static const struct {
		const char *b;
		size_t len;
		const char *why;
	} bad[] = {{"", 0, "empty"}, {"\x01", 1, "not a map"}, {"\x81\xa1" "a", 3, "cut short"}, {"\x81\x01\x02", 3, "a key that is not a text"},
		   {"\xdf\xff\xff\xff\xff\xa0\xc0", 7, "announces more elements than it has bytes"}, {"\x80\x80", 2, "bytes behind its end"},
		   {"\x81\xa0\xdb\xff\xff\xff\xff", 7, "cut short"}, {"\x81\xa0\xc1", 3, "not msgpack"}, {"\x81\xa0\xcb\0\0", 5, "cut short"},
		   {"\x81\xa0\xc7\x05\x01", 5, "cut short"}};
	struct obs_msg m;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = NULL;
		ck_assert_int_eq(obs_decode(&dec, (const uint8_t *)bad[i].b, bad[i].len, &m, &why), -EBADMSG);
		ck_assert_str_eq(why, bad[i].why);
	}
	memset(bytes, 0x91, 100);
	bytes[0] = 0x81;
	bytes[1] = 0xa0;
	const char *why = NULL;
	ck_assert_int_eq(obs_decode(&dec, bytes, 100, &m, &why), -EBADMSG);
	ck_assert_str_eq(why, "nested too deep");
}
END_TEST

START_TEST(every_kind_of_msgpack_is_passed_over)
{
	/* op and d behind one of each; msgpack-c must agree with our own look */
	static const uint8_t kinds[] = "\xde\x00\x14"
		"\xa1" "a\xc4\x01x" "\xa1" "b\xc5\x00\x01x" "\xa1" "c\xc6\x00\x00\x00\x01x" "\xa1" "d\xc7\x01\x05x" "\xa1" "e\xc8\x00\x01\x05x"
		"\xa1" "f\xc9\x00\x00\x00\x01\x05x" "\xa1" "g\xd4\x05x" "\xa1" "h\xd5\x05xx" "\xa1" "i\xd6\x05xxxx" "\xa1" "j\xd7\x05xxxxxxxx"
		"\xa1" "k\xd8\x05xxxxxxxxxxxxxxxx" "\xd9\x01l\xca\x00\x00\x00\x00" "\xda\x00\x01m\xd0\xff" "\xdb\x00\x00\x00\x01n\xd1\xff\xff"
		"\xa1" "o\xd2\xff\xff\xff\xff" "\xa1" "p\xd3\xff\xff\xff\xff\xff\xff\xff\xff" "\xa1" "q\xdc\x00\x02\xc0\xc3" "\xa1" "r\xdd\x00\x00\x00\x01\xcf"
		"\x01\x02\x03\x04\x05\x06\x07\x08"
		"\xa2" "op\xcd\x00\x05" "\xa1" "d\xdf\x00\x00\x00\x01\xa9" "eventType\xa1" "E";
	struct obs_msg m;
	const char *why = NULL;
	/* "d" is there twice: the first is no map */
	ck_assert_int_eq(obs_decode(&dec, kinds, sizeof(kinds) - 1, &m, &why), -EBADMSG);
	ck_assert_str_eq(why, "a message without op and d");
	memcpy(bytes, kinds, sizeof(kinds));
	bytes[sizeof(kinds) - 1] = 0;
	uint8_t *first = memmem(bytes, sizeof(kinds), "\xa1" "d\xc7", 3);
	first[1] = 'D';
	ck_assert_msg(obs_decode(&dec, bytes, sizeof(kinds) - 1, &m, &why) == 0, "%s", why);
	ck_assert_str_eq(m.event, "E");
}
END_TEST

START_TEST(members_of_another_type_are_absent)
{
	struct obs_msg m = decoded("{\"op\":5,\"d\":{\"eventType\":\"x\",\"eventData\":{\"s\":\"text\",\"i\":-3,\"u\":7,\"f\":2.5,\"b\":true,"
				   "\"m\":{},\"a\":[1,2],\"n\":null,\"big\":1e300}}}");
	const msgpack_object *o = NULL;
	uint32_t n = 9;
	double f = 9;
	int64_t i = 9;
	bool b = false;
	char s[10] = "old";
	ck_assert(obs_get_number(m.data, "i", &f) && f == -3);
	ck_assert(obs_get_number(m.data, "u", &f) && f == 7);
	ck_assert(obs_get_number(m.data, "f", &f) && f == 2.5);
	ck_assert(!obs_get_number(m.data, "s", &f) && !obs_get_number(m.data, "n", &f) && !obs_get_number(m.data, "b", &f) && f == 2.5);
	ck_assert(obs_get_int(m.data, "f", &i) && i == 3);
	ck_assert(obs_get_int(m.data, "i", &i) && i == -3);
	ck_assert(!obs_get_int(m.data, "big", &i) && !obs_get_int(m.data, "none", &i) && i == -3);
	ck_assert(obs_get_bool(m.data, "b", &b) && b && !obs_get_bool(m.data, "i", &b));
	ck_assert(!obs_get_str(m.data, "i", s, sizeof(s)) && !obs_get_str(NULL, "s", s, sizeof(s)));
	ck_assert_str_eq(s, "old");
	ck_assert(obs_get_map(m.data, "m", &o) && !obs_get_map(m.data, "a", &o));
	ck_assert(!obs_get_array(m.data, "m", &o, &n) && obs_get_array(m.data, "a", &o, &n) && n == 2);
	ck_assert_ptr_null(obs_get(&o[0], "x"));
}
END_TEST

START_TEST(integers_beyond_63_bits_and_numbers_that_are_none_are_absent)
{
	static const uint8_t msg[] = "\x82\xa2" "op\x05\xa1" "d\x82\xa9" "eventType\xa1x\xa9" "eventData\x83"
		"\xa1u\xcf\xff\xff\xff\xff\xff\xff\xff\xff" "\xa1n\xcb\x7f\xf8\0\0\0\0\0\0" "\xa1i\xcb\xff\xf0\0\0\0\0\0\0";
	struct obs_msg m;
	int64_t i = 1;
	double f = 1;
	ck_assert_int_eq(obs_decode(&dec, msg, sizeof(msg) - 1, &m, NULL), 0);
	ck_assert(!obs_get_int(m.data, "u", &i) && obs_get_number(m.data, "u", &f) && f == 0x1p64);
	ck_assert(!obs_get_number(m.data, "n", &f) && !obs_get_number(m.data, "i", &f) && !obs_get_int(m.data, "n", &i));
}
END_TEST

START_TEST(texts_are_cut_between_characters_and_refused_when_they_are_no_utf8)
{
	char s[5];
	struct obs_msg m = decoded("{\"op\":5,\"d\":{\"eventType\":\"x\",\"eventData\":{\"n\":\"a\xc3\xa4\xe2\x82\xac\",\"z\":\"a\\u0000b\"}}}");
	ck_assert(obs_get_str(m.data, "n", s, sizeof(s)));
	ck_assert_str_eq(s, "a\xc3\xa4");
	ck_assert(obs_get_str(m.data, "n", s, 1));
	ck_assert_str_eq(s, "");
	ck_assert(!obs_get_str(m.data, "z", s, sizeof(s)));
	uint8_t *at = memmem(bytes, sizeof(bytes), "\xc3\xa4", 2);
	at[0] = 'b';
	ck_assert(!obs_get_str(m.data, "n", s, sizeof(s)));
}
END_TEST

START_TEST(a_large_message_takes_room_and_gives_it_back)
{
	static char json[60000];
	size_t n = (size_t)snprintf(json, sizeof(json), "{\"op\":5,\"d\":{\"eventType\":\"x\",\"eventData\":{\"a\":[0");
	for (int i = 0; i < 20000; i++)
		n += (size_t)snprintf(json + n, sizeof(json) - n, ",1");
	snprintf(json + n, sizeof(json) - n, "]}}}");
	const msgpack_object *items;
	uint32_t count;
	struct obs_msg m = decoded(json);
	ck_assert(obs_get_array(m.data, "a", &items, &count) && count == 20001);
	ck_assert_uint_ge(dec.room, 20001 * sizeof(msgpack_object));
	decoded("{\"op\":5,\"d\":{\"eventType\":\"x\"}}");
	ck_assert_uint_lt(dec.room, 100000);
	msgpack_zone *z = dec.zone;
	decoded("{\"op\":5,\"d\":{\"eventType\":\"x\"}}");
	ck_assert_ptr_eq(dec.zone, z);
}
END_TEST

START_TEST(every_message_of_a_real_obs_is_understood)
{
	/* Taken from OBS 29.0.2 with obs-websocket 5.1.0. */
	char pattern[500];
	glob_t g;
	unsigned events = 0, answers = 0;
	snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/seeds/obs/*_*", getenv("BH_SRC") ? getenv("BH_SRC") : ".");
	ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *name = strrchr(g.gl_pathv[i], '/') + 1, *why = NULL;
		FILE *f = fopen(g.gl_pathv[i], "r");
		ck_assert_ptr_nonnull(f);
		size_t n = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		struct obs_msg m;
		bool event = !strncmp(name, "event_", 6);
		ck_assert(event || !strncmp(name, "answer_", 7));
		ck_assert_msg(obs_decode(&dec, bytes, n, &m, &why) == 0, "%s: %s", name, why);
		if (event)
			ck_assert_msg(m.op == OBS_OP_EVENT && !strcmp(m.event, name + 6), "%s", name);
		else
			ck_assert_msg(m.op == OBS_OP_RESPONSE && m.result.id > 0 && m.result.ok == !strpbrk(name + 7, "_"), "%s", name);
		events += event;
		answers += !event;
	}
	globfree(&g);
	ck_assert_uint_gt(events, 40);
	ck_assert_uint_gt(answers, 30);
}
END_TEST

/* ------------------------------------------------------------------ what we send */

static void
expect_bytes(const struct obs_out *o, const char *json)
{
	static uint8_t want[4096];
	msgpack_unpacked a, b;
	size_t off = 0;
	ck_assert(obs_out_done(o));
	int n = obs_json_to_msgpack(json, want, sizeof(want));
	ck_assert_int_gt(n, 0);
	msgpack_unpacked_init(&a);
	msgpack_unpacked_init(&b);
	ck_assert_int_eq(msgpack_unpack_next(&a, (const char *)o->buf, o->len, &off), MSGPACK_UNPACK_SUCCESS);
	ck_assert_uint_eq(off, o->len);
	off = 0;
	ck_assert_int_eq(msgpack_unpack_next(&b, (const char *)want, (size_t)n, &off), MSGPACK_UNPACK_SUCCESS);
	if (!msgpack_object_equal(a.data, b.data)) {
		msgpack_object_print(stderr, a.data);
		ck_abort_msg(" is not %s", json);
	}
	msgpack_unpacked_destroy(&a);
	msgpack_unpacked_destroy(&b);
}

START_TEST(identify_says_what_a_server_wants_to_read)
{
	uint8_t buf[300];
	struct obs_out o;
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_identify(&o, NULL, OBS_SUB_INPUTS | OBS_SUB_METERS);
	expect_bytes(&o, "{\"op\":1,\"d\":{\"rpcVersion\":1,\"eventSubscriptions\":65544}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_identify(&o, "abc=", 1);
	expect_bytes(&o, "{\"op\":1,\"d\":{\"rpcVersion\":1,\"authentication\":\"abc=\",\"eventSubscriptions\":1}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_reidentify(&o, 2047);
	expect_bytes(&o, "{\"op\":3,\"d\":{\"eventSubscriptions\":2047}}");
}
END_TEST

START_TEST(a_request_has_an_id_and_its_members)
{
	uint8_t buf[300];
	struct obs_out o;
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_request(&o, 12, OBS_REQ_SET_INPUT_VOLUME, 2);
	ck_assert(!obs_out_done(&o));
	obs_put_str(&o, "inputName", "M\xc3\xbc");
	ck_assert(!obs_out_done(&o));
	obs_put_number(&o, "inputVolumeDb", -6.5);
	expect_bytes(&o, "{\"op\":6,\"d\":{\"requestType\":\"SetInputVolume\",\"requestId\":\"12\",\"requestData\":{\"inputName\":\"M\xc3\xbc\","
			 "\"inputVolumeDb\":-6.5}}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_request(&o, 1, OBS_REQ_GET_STATS, 0);
	expect_bytes(&o, "{\"op\":6,\"d\":{\"requestType\":\"GetStats\",\"requestId\":\"1\"}}");
}
END_TEST

START_TEST(maps_inside_end_by_themselves)
{
	uint8_t buf[300];
	struct obs_out o;
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_request(&o, 1, OBS_REQ_SET_ITEM_TRANSFORM, 3);
	obs_put_str(&o, "sceneName", "S");
	obs_put_map(&o, "sceneItemTransform", 2);
	obs_put_int(&o, "cropLeft", -4);
	obs_put_map(&o, "empty", 0);
	obs_put_int(&o, "sceneItemId", 3);
	expect_bytes(&o, "{\"op\":6,\"d\":{\"requestType\":\"SetSceneItemTransform\",\"requestId\":\"1\",\"requestData\":{\"sceneName\":\"S\","
			 "\"sceneItemTransform\":{\"cropLeft\":-4,\"empty\":{}},\"sceneItemId\":3}}}");
}
END_TEST

START_TEST(a_batch_has_its_requests_without_ids)
{
	uint8_t buf[400];
	struct obs_out o;
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_batch(&o, 5, 3);
	obs_put_batched(&o, OBS_REQ_GET_STATS, 0);
	obs_put_batched(&o, OBS_REQ_GET_INPUT_MUTE, 1);
	obs_put_str(&o, "inputName", "Mic");
	ck_assert(!obs_out_done(&o));
	obs_put_batched(&o, OBS_REQ_SET_STUDIO_MODE, 1);
	obs_put_bool(&o, "studioModeEnabled", true);
	expect_bytes(&o, "{\"op\":8,\"d\":{\"requestId\":\"5\",\"haltOnFailure\":false,\"executionType\":0,\"requests\":[{\"requestType\":\"GetStats\"},"
			 "{\"requestType\":\"GetInputMute\",\"requestData\":{\"inputName\":\"Mic\"}},"
			 "{\"requestType\":\"SetStudioModeEnabled\",\"requestData\":{\"studioModeEnabled\":true}}]}}");
}
END_TEST

START_TEST(a_request_of_a_batch_hands_on_variables)
{
	uint8_t buf[400];
	struct obs_out o;
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_batch(&o, 5, 3);
	obs_put_batched_vars(&o, OBS_REQ_GET_PREVIEW, "", "scene=currentPreviewSceneName", 0);
	obs_put_batched_vars(&o, OBS_REQ_SET_OVERRIDE, "sceneName=scene", "", 1);
	obs_put_str(&o, "transitionName", "Cut");
	obs_put_batched_vars(&o, OBS_REQ_GET_OVERRIDE, "sceneName=scene", "name=transitionName ms=transitionDuration", 0);
	expect_bytes(&o, "{\"op\":8,\"d\":{\"requestId\":\"5\",\"haltOnFailure\":false,\"executionType\":0,\"requests\":["
			 "{\"requestType\":\"GetCurrentPreviewScene\",\"outputVariables\":{\"scene\":\"currentPreviewSceneName\"}},"
			 "{\"requestType\":\"SetSceneSceneTransitionOverride\",\"inputVariables\":{\"sceneName\":\"scene\"},"
			 "\"requestData\":{\"transitionName\":\"Cut\"}},"
			 "{\"requestType\":\"GetSceneSceneTransitionOverride\",\"inputVariables\":{\"sceneName\":\"scene\"},"
			 "\"outputVariables\":{\"name\":\"transitionName\",\"ms\":\"transitionDuration\"}}]}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_batch(&o, 5, 1);
	obs_put_batched_vars(&o, OBS_REQ_GET_PREVIEW, "sceneName=", "", 0);
	ck_assert(!obs_out_done(&o));
}
END_TEST

START_TEST(a_raw_request_carries_what_a_person_wrote)
{
	uint8_t buf[300], data[100];
	struct obs_out o;
	int n = obs_json_to_msgpack("{\"a\":[1,{\"b\":null}]}", data, sizeof(data));
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_raw_request(&o, 2, "CallVendorRequest", data, (size_t)n);
	expect_bytes(&o, "{\"op\":6,\"d\":{\"requestType\":\"CallVendorRequest\",\"requestId\":\"2\",\"requestData\":{\"a\":[1,{\"b\":null}]}}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_raw_request(&o, 2, "GetStats", NULL, 0);
	expect_bytes(&o, "{\"op\":6,\"d\":{\"requestType\":\"GetStats\",\"requestId\":\"2\"}}");
	obs_out_init(&o, buf, sizeof(buf));
	obs_put_raw_request(&o, 2, "GetStats", (const uint8_t *)"\x91\x01", 2);
	ck_assert(o.failed);
}
END_TEST

START_TEST(what_is_not_whole_is_not_done)
{
	uint8_t buf[300];
	struct obs_out o;
#define BEGIN obs_out_init(&o, buf, sizeof(buf))
#define NOT_DONE ck_assert(!obs_out_done(&o))
	BEGIN;
	NOT_DONE;
	obs_put_str(&o, "a", "b"); /* no message */
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 1, OBS_REQ_GET_STATS, 0);
	obs_put_str(&o, "a", "b"); /* one too many */
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 0, OBS_REQ_GET_STATS, 0); /* no id */
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 1, OBS_REQ_COUNT, 0); /* no request */
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 1, OBS_REQ_GET_STATS, 0);
	obs_put_request(&o, 2, OBS_REQ_GET_STATS, 0); /* two messages */
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 1, OBS_REQ_SET_TBAR, 1);
	obs_put_number(&o, "position", NAN);
	NOT_DONE;
	BEGIN;
	obs_put_request(&o, 1, OBS_REQ_SET_PROGRAM, 1);
	obs_put_str(&o, "sceneName", "\xff");
	NOT_DONE;
	BEGIN;
	obs_put_batch(&o, 1, 2);
	obs_put_batched(&o, OBS_REQ_GET_STATS, 0);
	NOT_DONE; /* one is missing */
	obs_put_str(&o, "a", "b");
	NOT_DONE; /* and it is no text */
	BEGIN;
	obs_put_batch(&o, 1, 2);
	obs_put_batched(&o, OBS_REQ_GET_INPUT_MUTE, 1);
	obs_put_batched(&o, OBS_REQ_GET_STATS, 0); /* the one before is not whole */
	NOT_DONE;
	obs_out_init(&o, buf, 40);
	obs_put_request(&o, 1, OBS_REQ_SET_PROGRAM, 1);
	obs_put_str(&o, "sceneName", "Scene"); /* too small */
	NOT_DONE;
	ck_assert_uint_le(o.len, 40);
}
END_TEST

START_TEST(every_request_has_a_name_and_is_found_by_it)
{
	for (unsigned i = 0; i < OBS_REQ_COUNT; i++)
		ck_assert_int_eq(obs_req_by_name(obs_req_name((enum obs_req)i)), i);
	ck_assert_int_eq(obs_req_by_name("Nothing"), OBS_REQ_COUNT);
	ck_assert_ptr_null(obs_req_name(OBS_REQ_COUNT));
}
END_TEST

/* ------------------------------------------------------------------ JSON */

START_TEST(json_is_read_strictly)
{
	static const char *const good[] = {"{}", " { } ", "{\"a\":1}", "{\"a\":[],\"b\":{},\"c\":[{}]}", "{\"a\":-0.5e+3}", "{\"\":\"\"}",
					   "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"a\":18446744073709551615}"};
	static const char *const bad[] = {"", "[]", "1", "null", "{", "{}x", "{}{}", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":[1,]}",
					  "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":1e999}", "{\"a\":nul}",
					  "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}",
					  "{\"a\":\"\\udc00\"}", "{\"a\":\"\xff\"}", "{\"a\":\"", "{\"a\":\"\\", "{'a':1}", "{\"a\":truex}", "{\"a\" 1}"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int n = obs_json_to_msgpack(good[i], bytes, sizeof(bytes));
		ck_assert_msg(n > 0 && bh_packed_check(bytes, (size_t)n, OBS_DEPTH, false, NULL) == 0, "%s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(obs_json_to_msgpack(bad[i], bytes, sizeof(bytes)) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(json_keeps_numbers_and_characters)
{
	struct obs_msg m = decoded("{\"op\":5,\"d\":{\"eventType\":\"x\",\"eventData\":{\"min\":-9223372036854775808,\"max\":9223372036854775807,"
				   "\"f\":0.1,\"whole\":3.0,\"s\":\"\\u0041\\u00e4\\u20ac\\ud83d\\ude00\"}}}");
	int64_t i;
	double f;
	char s[20];
	ck_assert(obs_get_int(m.data, "min", &i) && i == INT64_MIN);
	ck_assert(obs_get_int(m.data, "max", &i) && i == INT64_MAX);
	ck_assert(obs_get_number(m.data, "f", &f) && f == 0.1);
	ck_assert_int_eq(obs_get(m.data, "whole")->type, MSGPACK_OBJECT_FLOAT64);
	ck_assert(obs_get_str(m.data, "s", s, sizeof(s)));
	ck_assert_str_eq(s, "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}
END_TEST

START_TEST(json_that_does_not_fit_or_is_too_deep_is_refused)
{
	static const char json[] = "{\"key\":[\"text\",1,2.5,{\"a\":true}]}";
	int n = obs_json_to_msgpack(json, bytes, sizeof(bytes));
	for (int cap = 0; cap < n; cap++)
		ck_assert_int_eq(obs_json_to_msgpack(json, bytes, (size_t)cap), -EMSGSIZE);
	ck_assert_int_eq(obs_json_to_msgpack(json, bytes, (size_t)n), n);
	char deep[100] = "{\"a\":";
	memset(deep + 5, '[', 90);
	ck_assert_int_eq(obs_json_to_msgpack(deep, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

int
main(void)
{
	TCase *in = tcase_create("in"), *out = tcase_create("out"), *json = tcase_create("json");
	tcase_add_checked_fixture(in, setup, teardown);
	tcase_add_test(in, a_hello_tells_version_and_whether_a_password_is_asked_for);
	tcase_add_test(in, a_challenge_is_never_cut);
	tcase_add_test(in, an_event_has_a_type_and_perhaps_data);
	tcase_add_test(in, an_answer_belongs_to_a_request_of_ours);
	tcase_add_test(in, ids_that_are_not_ours_are_none);
	tcase_add_test(in, a_batch_has_a_result_each_and_a_bad_one_spoils_no_other);
	tcase_add_test(in, what_no_server_sends_is_refused);
	tcase_add_test(in, bytes_that_are_no_message_are_refused_with_the_reason);
	tcase_add_test(in, every_kind_of_msgpack_is_passed_over);
	tcase_add_test(in, members_of_another_type_are_absent);
	tcase_add_test(in, integers_beyond_63_bits_and_numbers_that_are_none_are_absent);
	tcase_add_test(in, texts_are_cut_between_characters_and_refused_when_they_are_no_utf8);
	tcase_add_test(in, every_message_of_a_real_obs_is_understood);
	tcase_add_test(in, a_large_message_takes_room_and_gives_it_back);
	tcase_add_checked_fixture(out, setup, teardown);
	tcase_add_test(out, identify_says_what_a_server_wants_to_read);
	tcase_add_test(out, a_request_has_an_id_and_its_members);
	tcase_add_test(out, maps_inside_end_by_themselves);
	tcase_add_test(out, a_batch_has_its_requests_without_ids);
	tcase_add_test(out, a_request_of_a_batch_hands_on_variables);
	tcase_add_test(out, a_raw_request_carries_what_a_person_wrote);
	tcase_add_test(out, what_is_not_whole_is_not_done);
	tcase_add_test(out, every_request_has_a_name_and_is_found_by_it);
	tcase_add_checked_fixture(json, setup, teardown);
	tcase_add_test(json, json_is_read_strictly);
	tcase_add_test(json, json_keeps_numbers_and_characters);
	tcase_add_test(json, json_that_does_not_fit_or_is_too_deep_is_refused);
	Suite *s = suite_create("obs_proto");
	suite_add_tcase(s, in);
	suite_add_tcase(s, out);
	suite_add_tcase(s, json);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
