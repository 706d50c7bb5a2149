/* The stand-in for OBS, its tapes and their recorder, with the bare client of libwebsockets against them. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakes/obs_server.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_tape.h"

static struct obs_server *server;
static struct obs_client *c;
static char tape[64];

static struct obs_client *
open_client(uint16_t port)
{
	struct obs_client *made = obs_client_try(port, "secret", OBS_EVENTS_ALL, NULL);
	ck_assert_ptr_nonnull(made);
	return made;
}

static void
setup(void)
{
	server = obs_server_start(0, "secret", NULL);
	obs_server_answer(server, "GetVersion", 100, "{'obsWebSocketVersion': '5.1.0', 'rpcVersion': 1}");
	obs_server_answer(server, "GetInputVolume", 100, "{'inputVolumeDb': -6.5, 'inputVolumeMul': 0.47}");
	obs_server_answer(server, "SetInputVolume", 100, NULL);
	snprintf(tape, sizeof(tape), "/tmp/bh-tape-XXXXXX");
	int fd = mkstemp(tape);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void
teardown(void)
{
	obs_client_close(c);
	obs_server_stop(server);
	unlink(tape);
}

START_TEST(it_identifies_and_answers_by_rules)
{
	c = obs_client_open(obs_server_port(server), "secret", OBS_EVENTS_ALL | OBS_EVENTS_METERS);
	ck_assert_uint_eq(obs_server_subscriptions(server), OBS_EVENTS_ALL | OBS_EVENTS_METERS);
	ck_assert_double_eq(obs_number(obs_client_call(c, "GetInputVolume", "{'inputName': 'Mic'}"), "inputVolumeDb"), -6.5);
	ck_assert_str_eq(obs_server_last(server, "GetInputVolume"), "{\"inputName\":\"Mic\"}");
	ck_assert_int_eq(obs_client_ask(c, "Nonsense", NULL), 204);
	obs_server_answer(server, "GetInputVolume", 600, NULL);
	ck_assert_int_eq(obs_client_ask(c, "GetInputVolume", NULL), 600);
	const msgpack_object *results = obs_client_batch(c, "[{'requestType': 'GetVersion', 'requestId': 'a'}, {'requestType': 'Nonsense'}]");
	ck_assert_str_eq(obs_string(results, "0/requestId"), "a");
	ck_assert_double_eq(obs_number(results, "1/requestStatus/code"), 204);
	obs_server_event(server, "InputMuteStateChanged", "{'inputName': '%s', 'inputMuted': true}", "Mic");
	ck_assert(obs_true(obs_client_event(c, "InputMuteStateChanged", "inputName", "Mic"), "inputMuted"));
	ck_assert_uint_eq(obs_server_identified(server), 1);
}
END_TEST

START_TEST(answers_are_held_and_let_go)
{
	c = open_client(obs_server_port(server));
	obs_server_hold_answers(server, true);
	uint32_t first = obs_client_send(c, "GetVersion", NULL), last = obs_client_send(c, "SetInputVolume", "{'inputVolumeDb': 0.0}");
	obs_client_pump(c, 50);
	ck_assert_uint_eq(obs_client_answered(c), 0);
	obs_server_hold_answers(server, false);
	ck_assert_int_eq(obs_client_wait(c, first), 100);
	ck_assert_int_eq(obs_client_wait(c, last), 100);
}
END_TEST

START_TEST(it_refuses_as_it_is_told)
{
	static const enum obs_server_manner manner[] = {OBS_SERVER_NOT_FOUND, OBS_SERVER_DROP, OBS_SERVER_WRONG_KEY};
	int code;
	ck_assert_ptr_null(obs_client_try(obs_server_port(server), "wrong", OBS_EVENTS_ALL, &code));
	ck_assert_int_eq(code, 4009);
	obs_server_refuse_identify(server, 4010);
	ck_assert_ptr_null(obs_client_try(obs_server_port(server), "secret", OBS_EVENTS_ALL, &code));
	ck_assert_int_eq(code, 4010);
	obs_server_refuse_identify(server, 0);
	for (unsigned i = 0; i < sizeof(manner) / sizeof(manner[0]); i++) {
		obs_server_set_manner(server, manner[i]);
		ck_assert_ptr_null(obs_client_try(obs_server_port(server), "secret", OBS_EVENTS_ALL, &code));
		ck_assert_int_eq(code, 0);
	}
	ck_assert_uint_eq(obs_server_connections(server), 5);
	obs_server_set_manner(server, OBS_SERVER_PROPER);
	obs_server_set_listening(server, false);
	ck_assert_ptr_null(obs_client_try(obs_server_port(server), "secret", OBS_EVENTS_ALL, &code));
	ck_assert_uint_eq(obs_server_connections(server), 5);
	obs_server_set_listening(server, true);
	c = open_client(obs_server_port(server));
}
END_TEST

START_TEST(it_closes_with_a_code_or_dies)
{
	c = open_client(obs_server_port(server));
	obs_server_close(server, 4011, "kicked");
	obs_client_wait_close(c);
	ck_assert_int_eq(obs_client_close_code(c), 4011);
	ck_assert(obs_server_until(10000, !obs_server_is_connected(server)));
	obs_client_close(c);
	c = open_client(obs_server_port(server));
	obs_server_drop(server);
	obs_client_wait_close(c);
	ck_assert_int_eq(obs_client_close_code(c), 1006);
}
END_TEST

/* One event, in all the ways in which it may come over the wire. */
START_TEST(it_sends_exact_frames)
{
	static const char text[] = "\x82\xa2op\x05\xa1" "d\x83\xa9" "eventType\xa1X\xab" "eventIntent\x01\xa9" "eventData\x81\xa1n\xcd\x01\x00";
	const size_t len = sizeof(text) - 1;
	uint8_t slow[sizeof(text) + WS_HEAD_MAX];
	c = open_client(obs_server_port(server));
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_BINARY, .len = len}, 64, text, len);
	ck_assert_double_eq(obs_number(obs_client_event(c, "X", NULL, NULL), "n"), 256);
	obs_server_frame(server, &(struct ws_frame){.opcode = WS_BINARY, .len = 20}, 0, text, 20);
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_PING, .len = 2}, 0, "hi", 2);
	obs_server_frame(server, &(struct ws_frame){.fin = true, .opcode = WS_CONTINUATION, .len = len - 20}, 16, text + 20, len - 20);
	ck_assert_double_eq(obs_number(obs_client_event(c, "X", NULL, NULL), "n"), 256);
	size_t head = ws_frame_put(slow, &(struct ws_frame){.fin = true, .opcode = WS_BINARY, .len = len}, 0);
	memcpy(slow + head, text, len);
	obs_server_drip(server, slow, head + len, 100);
	ck_assert_double_eq(obs_number(obs_client_event(c, "X", NULL, NULL), "n"), 256);
	obs_server_frame(server, &(struct ws_frame){.fin = true, .rsv = 7, .opcode = 0xf, .len = 2}, 0, "??", 2);
	obs_client_wait_close(c);
}
END_TEST

/* A session through the recorder, and then its tape in place of the server that it was with. */
START_TEST(what_is_recorded_is_played)
{
	struct obs_recorder *r = obs_recorder_start(0, obs_server_port(server), tape);
	c = open_client(obs_recorder_port(r));
	obs_client_call(c, "GetVersion", NULL);
	obs_client_call(c, "GetInputVolume", "{'inputName': 'Mic'}");
	obs_server_answer(server, "GetInputVolume", 100, "{'inputVolumeDb': -9.0}");
	obs_client_call(c, "SetInputVolume", "{'inputName': 'Mic', 'inputVolumeDb': -9.0}");
	obs_server_event(server, "InputVolumeChanged", "{'inputName': 'Mic', 'inputVolumeDb': -9.0}");
	obs_client_event(c, "InputVolumeChanged", NULL, NULL);
	obs_client_batch(c, "[{'requestType': 'GetInputVolume', 'requestData': {'inputName': 'Mic'}}]");
	obs_client_close(c);
	obs_recorder_stop(r);

	obs_server_stop(server);
	server = obs_server_start(0, "secret", tape);
	c = open_client(obs_server_port(server));
	ck_assert_str_eq(obs_string(obs_client_call(c, "GetVersion", NULL), "obsWebSocketVersion"), "5.1.0");
	/* In their order, the last one again; in a batch or not. */
	const msgpack_object *o = obs_client_batch(c, "[{'requestType': 'GetInputVolume', 'requestData': {'inputName': 'Mic'}}]");
	ck_assert_double_eq(obs_number(o, "0/responseData/inputVolumeDb"), -6.5);
	for (int i = 0; i < 2; i++)
		ck_assert_double_eq(obs_number(obs_client_call(c, "GetInputVolume", "{'inputName': 'Mic'}"), "inputVolumeDb"), -9);
	ck_assert_int_eq(obs_client_ask(c, "GetInputVolume", "{'inputName': 'None'}"), 600);
	ck_assert_int_eq(obs_client_ask(c, "Nonsense", NULL), 204);
	ck_assert_uint_eq(obs_client_count(c, ""), 0);
	ck_assert_str_eq(obs_server_unasked(server), "SetInputVolume {\"inputName\":\"Mic\",\"inputVolumeDb\":-9.0}\n");
	/* Another number, but the same input: the event goes with it. */
	obs_client_call(c, "SetInputVolume", "{'inputName': 'Mic', 'inputVolumeDb': -12.5}");
	ck_assert_double_eq(obs_number(obs_client_event(c, "InputVolumeChanged", "inputName", "Mic"), "inputVolumeDb"), -9);
	obs_server_play(server); /* nothing is left */
	obs_client_call(c, "GetVersion", NULL);
	ck_assert_uint_eq(obs_client_count(c, ""), 1);
}
END_TEST

static void
replay(const struct obs_tape_entry *e)
{
	static char data[4096];
	msgpack_unpacked un;
	msgpack_unpacked_init(&un);
	ck_assert_int_eq(msgpack_unpack_next(&un, (const char *)e->bytes, e->len, NULL), MSGPACK_UNPACK_SUCCESS);
	if (obs_number(&un.data, "op") == 6) {
		const char *type = obs_string(&un.data, "d/requestType");
		obs_text_print(data, sizeof(data), obs_at(&un.data, "d/requestData"));
		int code = obs_client_ask(c, type, "%s", data);
		ck_assert_msg(code != 203 && (code != 204 || strstr(type, "Split") || strstr(type, "Chapter")), "%s %s: %d", type, data, code);
	}
	msgpack_unpacked_destroy(&un);
}

/* Of a real OBS: every request that the driver knows, as tests/peers put it. */
START_TEST(a_session_with_a_real_obs_is_played)
{
	char path[512];
	struct obs_tape t;
	unsigned events = 0;
	snprintf(path, sizeof(path), "%s/tests/recordings/obs/requests.tape", getenv("BH_SRC"));
	obs_server_stop(server);
	server = obs_server_start(0, "secret", path);
	c = open_client(obs_server_port(server));
	ck_assert_int_eq(obs_tape_load(&t, path), 0);
	for (size_t i = 0; i < t.entries; i++) {
		if (t.entry[i].what == '>')
			replay(&t.entry[i]);
		events += t.entry[i].what == '<' && memmem(t.entry[i].bytes, t.entry[i].len, "eventType", 9);
	}
	obs_server_play(server);
	obs_client_call(c, "GetVersion", NULL);
	ck_assert_uint_ge(events, 50);
	ck_assert_uint_eq(obs_client_count(c, ""), events);
	ck_assert_str_eq(obs_server_unasked(server), "");
	obs_tape_unload(&t);
}
END_TEST

START_TEST(a_file_that_is_no_tape_is_refused)
{
	struct obs_tape t;
	FILE *f = fopen(tape, "w");
	fputs("OBSTAPE1<....\xff\xff\xff\x7f", f);
	fclose(f);
	ck_assert_int_eq(obs_tape_load(&t, tape), -EPROTO);
	ck_assert_int_eq(obs_tape_load(&t, "/nonexistent"), -ENOENT);
}
END_TEST

/* Texts of requests, and back. */
START_TEST(texts_are_packed_and_printed)
{
	static const char *const bad[] = {"", "{", "{'a'}", "{'a' 1}", "[1,]", "[1 2]", "'a", "{'a': 1}x", "1.2.3", "'\\q'", "nul", "[1,,2]"};
	static const char in[] = " { 'a' : [1, -2, 3.5, true, null, [], {}], \"b\\\"\": 'c\\u00e4\\n,]' } ";
	char text[256];
	msgpack_sbuffer buf;
	msgpack_packer pk;
	msgpack_unpacked un;
	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	ck_assert_int_eq(obs_text_pack(&pk, in), 0);
	msgpack_unpacked_init(&un);
	ck_assert_int_eq(msgpack_unpack_next(&un, buf.data, buf.size, NULL), MSGPACK_UNPACK_SUCCESS);
	ck_assert_str_eq(obs_text_print(text, sizeof(text), &un.data),
			 "{\"a\":[1,-2,3.5,true,null,[],{}],\"b\\\"\":\"c\xc3\xa4\\u000a,]\"}");
	ck_assert_double_eq(obs_number(&un.data, "a/1"), -2);
	ck_assert(obs_true(&un.data, "a/3"));
	ck_assert(!obs_has(&un.data, "a/9/x"));
	msgpack_unpacked_destroy(&un);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(obs_text_pack(&pk, bad[i]) < 0, "%s", bad[i]);
	msgpack_sbuffer_destroy(&buf);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs_server");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_identifies_and_answers_by_rules);
	tcase_add_test(t, answers_are_held_and_let_go);
	tcase_add_test(t, it_refuses_as_it_is_told);
	tcase_add_test(t, it_closes_with_a_code_or_dies);
	tcase_add_test(t, it_sends_exact_frames);
	tcase_add_test(t, what_is_recorded_is_played);
	tcase_add_test(t, a_session_with_a_real_obs_is_played);
	tcase_add_test(t, a_file_that_is_no_tape_is_refused);
	tcase_add_test(t, texts_are_packed_and_printed);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
