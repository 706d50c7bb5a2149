/*
 * The real bh-control, with the test as its clients, its router and its supervisor: requests, hostile messages, time-outs,
 * kill -9, subscribers, and that it costs nothing while nobody asks.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/mem.h"
#include "common/request.h"
#include "common/spawn.h"
#include "common/units.h"
#include "common/wire/request.h"
#include "tests/lib/host.h"
#include "tests/lib/scratch.h"

static struct host h;
static char dir[64];
static void *ctx, *sock;
static struct bh_wire_out req;
static uint8_t answer_bytes[1 << 20];
static struct bh_wire_in answer;

static void *
client(int type, const char *name)
{
	char where[128];
	int zero = 0;
	void *s = zmq_socket(ctx, type);
	ck_assert_ptr_nonnull(s);
	zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof(zero));
	snprintf(where, sizeof(where), "ipc://%s/%s", dir, name);
	ck_assert_int_eq(zmq_connect(s, where), 0);
	return s;
}

static void
start(const char *request_timeout)
{
	scratch_dir(dir, sizeof(dir), "control");
	setenv("BULKHEAD_RUNTIME_DIR", dir, 1);
	host_start(&h, "control", "request_timeout", request_timeout, NULL);
	ctx = zmq_ctx_new();
	sock = client(ZMQ_DEALER, "control.sock");
	bh_wire_out_init(&req);
	msgpack_unpacked_init(&answer.u);
}

static void
setup(void)
{
	start("60s"); /* no machine is so slow that our answers come too late */
}

#define HASTE_MS 2000u

static void
setup_hasty(void)
{
	start("2s");
}

static void
teardown(void)
{
	bh_wire_in_fini(&answer);
	bh_wire_out_fini(&req);
	zmq_close(sock);
	zmq_ctx_term(ctx);
	host_stop(&h);
	scratch_remove(dir);
}

/* ------------------------------------------------------------------ client's side */

static void
begin(uint64_t id, const char *verb)
{
	bh_wire_out_reset(&req);
	bh_wire_map(&req, NULL);
	bh_wire_int(&req, "v", BH_WIRE_VERSION);
	bh_wire_uint(&req, "id", id);
	bh_wire_str(&req, "verb", verb);
}

static void
send_request(void)
{
	bh_wire_close(&req);
	ck_assert_int_ge(zmq_send(sock, req.data, req.len, 0), 0);
}

/* The next answer; NULL = none. */
static const msgpack_object *
receive(void)
{
	int ms = PATIENCE_MS;
	zmq_setsockopt(sock, ZMQ_RCVTIMEO, &ms, sizeof(ms));
	int n = zmq_recv(sock, answer_bytes, sizeof(answer_bytes), 0);
	if (n < 0)
		return NULL;
	bh_wire_in_fini(&answer);
	const char *why = NULL;
	ck_assert_msg(bh_wire_in_init(&answer, answer_bytes, (size_t)n, sizeof(answer_bytes), &why) == 0, "%s", why);
	return answer.root;
}

static const char *
error_code(const msgpack_object *a)
{
	static char code[32];
	bh_wire_get_str(bh_wire_get(a, "error"), "code", code, sizeof(code));
	return code;
}

static const char *
ask(const char *verb)
{
	static uint64_t id = 1000;
	begin(++id, verb);
	send_request();
	const msgpack_object *a = receive();
	ck_assert_msg(a != NULL, "%s was not answered", verb);
	ck_assert_uint_eq((uint64_t)bh_wire_get_int(a, "id", 0), id);
	return bh_wire_get_bool(a, "ok", false) ? "" : error_code(a);
}

/* ------------------------------------------------------------------ router's and supervisor's side */

/* The next request out of a ring: fails the test if none comes. */
static struct bh_event
take_request(struct bh_inbox *in, struct bh_request_args *args)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len = 0;
	uint64_t until = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	memset(&ev, 0, sizeof(ev));
	while (ev.kind != BH_EV_REQUEST) {
		ck_assert_msg(bh_mono_ns() < until, "no request came");
		if (bh_ring_peek(&in->ring, &ev, payload, sizeof(payload), &len) == 1)
			bh_ring_advance(&in->ring, &ev);
		else
			usleep(300);
	}
	ck_assert_uint_eq(len, sizeof(*args));
	memcpy(args, payload, sizeof(*args));
	return ev;
}

static void
give_result(struct bh_outbox *out, uint32_t number, int64_t result, const char *text, uint32_t more)
{
	struct bh_event ev = {.kind = BH_EV_RESULT, .id = more, .total = number, .type = BH_INT, .v.i = result, .stamp_ns = bh_now_ns()};
	ck_assert_int_eq(bh_outbox_send(out, &ev, text, strlen(text)), 0);
	bh_outbox_flush(out);
}

/* ------------------------------------------------------------------ tests */

START_TEST(a_read_is_answered_out_of_shared_memory)
{
	ck_assert_str_eq(ask("version"), "");
	ck_assert_int_eq((int)bh_wire_get_int(answer.root, "protocol", 0), BH_WIRE_VERSION);
	ck_assert_str_eq(ask("status"), "");
	ck_assert_str_eq(ask("params"), "");
}
END_TEST

START_TEST(an_act_goes_into_the_routers_ring_and_its_answer_comes_back)
{
	struct bh_request_args args;
	char text[64];
	begin(5, "page");
	bh_wire_str(&req, "page", "next");
	send_request();
	struct bh_event ev = take_request(&h.in, &args);
	ck_assert_uint_eq(ev.id, BH_REQ_PAGE);
	ck_assert_int_eq((int)args.v.i, -1);
	give_result(&h.out, ev.total, 0, "page Mix", 0);
	const msgpack_object *a = receive();
	ck_assert(a && bh_wire_get_bool(a, "ok", false));
	ck_assert_int_eq((int)bh_wire_get_int(a, "id", 0), 5);
	bh_wire_get_str(a, "text", text, sizeof(text));
	ck_assert_str_eq(text, "page Mix");
}
END_TEST

/* As when everything is ended by a request: its answer and the wish to leave come together. */
START_TEST(an_answer_that_came_before_the_wish_to_leave_is_passed_on)
{
	struct bh_spawn_msg leave = {.type = BH_SPAWN_STOP, .slot = HOST_SLOT};
	struct bh_request_args args;
	begin(5, "page");
	bh_wire_str(&req, "page", "next");
	send_request();
	struct bh_event ev = take_request(&h.in, &args);
	kill(h.pid, SIGSTOP);
	give_result(&h.out, ev.total, 0, "page Mix", 0);
	ck_assert_int_eq(bh_spawn_send(h.sock, &leave, NULL), 0);
	kill(h.pid, SIGCONT);
	const msgpack_object *a = receive();
	ck_assert_msg(a && bh_wire_get_bool(a, "ok", false), "no answer");
	ck_assert_int_eq(host_wait_death(&h, 5000), 0);
}
END_TEST

START_TEST(a_refused_reload_brings_all_its_errors_back)
{
	static char want[2000], part[400], got[2100];
	struct bh_request_args args;
	begin(6, "reload");
	bh_wire_str(&req, "file", "/etc/bulkhead.yaml");
	send_request();
	struct bh_event ev = take_request(&h.sup_in, &args);
	ck_assert_uint_eq(ev.id, BH_REQ_RELOAD);
	ck_assert_uint_eq(args.text_len, 18);
	ck_assert_mem_eq(args.text, "/etc/bulkhead.yaml", 18);
	for (unsigned i = 4; i-- > 0;) {
		memset(part, 'a' + (int)i, 399);
		strcat(want, part);
		give_result(&h.sup_out, ev.total, -EINVAL, part, i);
	}
	const msgpack_object *a = receive();
	ck_assert(a && !bh_wire_get_bool(a, "ok", true));
	ck_assert_str_eq(error_code(a), "bad-config");
	ck_assert_int_eq(bh_wire_get_str(a, "text", got, sizeof(got)), 1);
	ck_assert_str_eq(got, want);
}
END_TEST

START_TEST(answers_find_who_asked_whatever_their_order)
{
	struct bh_request_args args;
	void *first = sock, *second = client(ZMQ_DEALER, "control.sock");
	begin(1, "page");
	bh_wire_str(&req, "page", "next");
	send_request();
	struct bh_event a = take_request(&h.in, &args);
	sock = second;
	begin(1, "page");
	bh_wire_str(&req, "page", "previous");
	send_request();
	struct bh_event b = take_request(&h.in, &args);
	ck_assert_uint_ne(a.total, b.total);
	give_result(&h.out, b.total, -EPERM, "not now", 0);
	ck_assert_str_eq(error_code(receive()), "refused");
	sock = first;
	give_result(&h.out, a.total, 0, "", 0);
	ck_assert(bh_wire_get_bool(receive(), "ok", false));
	zmq_close(second);
}
END_TEST

START_TEST(an_act_that_nobody_carries_out_is_answered_in_time)
{
	struct bh_request_args args;
	begin(7, "page");
	bh_wire_str(&req, "page", "next");
	uint64_t t0 = bh_mono_ns();
	send_request();
	const msgpack_object *a = receive();
	ck_assert_msg(a != NULL, "no answer");
	ck_assert_str_eq(error_code(a), "timed-out");
	ck_assert_uint_ge(bh_mono_ns() - t0, (HASTE_MS - 10) * BH_NS_PER_MS);
	/* What comes too late is nobody's. */
	give_result(&h.out, take_request(&h.in, &args).total, 0, "late", 0);
	ck_assert_str_eq(ask("version"), "");
}
END_TEST

START_TEST(what_is_no_request_is_answered_by_an_error_and_counted)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"", 0}, {"\xc1", 1}, {"hello", 5}, {"\xdf\xff\xff\xff\xff", 5}, {"\x81\xa1k\xdd\xff\xff\xff\xff", 8}, {"\x80", 1}};
	for (unsigned i = 0; i < BH_ARRAY_LEN(bad); i++) {
		ck_assert_int_ge(zmq_send(sock, bad[i].bytes, bad[i].len, 0), 0);
		ck_assert_str_eq(error_code(receive()), i == 5 ? "bad-version" : "bad-request");
	}
	ck_assert_uint_eq(host_counter(&h, BH_CNT_PEER_FAULTS), BH_ARRAY_LEN(bad));
	/* More frames than one, and more bytes than are allowed. */
	static char large[8000];
	zmq_send(sock, "a", 1, ZMQ_SNDMORE);
	zmq_send(sock, "b", 1, 0);
	ck_assert_str_eq(error_code(receive()), "bad-request");
	zmq_send(sock, large, sizeof(large), 0);
	ck_assert_str_eq(error_code(receive()), "bad-request");
	ck_assert_str_eq(ask("version"), "");
}
END_TEST

START_TEST(a_flood_of_rubbish_does_not_end_it)
{
	srand(7);
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t bytes[64];
		size_t len = (size_t)(rand() % (int)sizeof(bytes));
		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)rand();
		zmq_send(sock, bytes, len, 0);
		if (i % 50 == 49)
			for (unsigned k = 0; k < 50; k++)
				ck_assert_msg(receive() != NULL, "no answer to %u", i);
	}
	ck_assert_str_eq(ask("version"), "");
	ck_assert_uint_ge(host_counter(&h, BH_CNT_PEER_FAULTS), 3000);
}
END_TEST

START_TEST(a_req_socket_is_served_too)
{
	void *dealer = sock;
	sock = client(ZMQ_REQ, "control.sock");
	ck_assert_str_eq(ask("version"), "");
	ck_assert_str_eq(ask("pages"), "");
	zmq_close(sock);
	sock = dealer;
}
END_TEST

START_TEST(more_acts_than_it_can_keep_are_refused_at_once)
{
	unsigned busy = 0, timed_out = 0;
	for (uint64_t i = 1; i <= 100; i++) {
		begin(i, "page");
		bh_wire_str(&req, "page", "next");
		send_request();
	}
	for (unsigned i = 0; i < 100; i++) {
		const msgpack_object *a = receive();
		ck_assert_msg(a != NULL, "answer %u is missing", i);
		busy += !strcmp(error_code(a), "busy");
		timed_out += !strcmp(error_code(a), "timed-out");
	}
	ck_assert_uint_gt(busy, 0);
	ck_assert_uint_gt(timed_out, 0);
	ck_assert_uint_eq(busy + timed_out, 100);
}
END_TEST

START_TEST(after_kill_9_the_next_one_answers_on_the_same_socket)
{
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(ask("version"), "");
		begin(77, "page");
		bh_wire_str(&req, "page", "next");
		send_request();
		struct bh_request_args args;
		struct bh_event ev = take_request(&h.in, &args);
		host_kill(&h);
		/* The answer to the dead one's request meets its successor, whose own it is not. */
		give_result(&h.out, ev.total, 0, "for the dead", 0);
		host_restart(&h);
		zmq_close(sock);
		sock = client(ZMQ_DEALER, "control.sock");
		begin(78, "page");
		bh_wire_str(&req, "page", "previous");
		send_request();
		ev = take_request(&h.in, &args);
		ck_assert_int_eq((int)args.v.i, -2);
		give_result(&h.out, ev.total, 0, "mine", 0);
		const msgpack_object *a = receive();
		char text[40];
		ck_assert(a && bh_wire_get_str(a, "text", text, sizeof(text)) == 1);
		ck_assert_str_eq(text, "mine");
	}
}
END_TEST

static uint64_t
switches(pid_t pid)
{
	char path[64];
	uint64_t sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		char file[400], line[200];
		unsigned long long n;
		snprintf(file, sizeof(file), "%s/%s/status", path, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(file, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1)
				sum += n;
		if (f)
			fclose(f);
	}
	closedir(d);
	return sum;
}

/*
 * Wake-ups of its threads and turns of its loop in 2 s, once there was a second of silence (or ten seconds are over). Turns,
 * too: who never sleeps is never woken.
 */
static uint64_t
activity(void)
{
	return switches(h.pid) + __atomic_load_n(&h.self->beat, __ATOMIC_RELAXED);
}

static uint64_t
wakeups(void)
{
	uint64_t before = activity();
	for (unsigned i = 0; i < 10; i++, before = activity()) {
		usleep(1000000);
		if (activity() == before)
			break;
	}
	usleep(2000000);
	return activity() - before;
}

START_TEST(it_does_not_wake_while_nobody_asks)
{
	ck_assert_str_eq(ask("status"), "");
	ck_assert_uint_eq(wakeups(), 0);
	ck_assert_str_eq(ask("status"), "");
}
END_TEST

START_TEST(it_looks_at_values_only_while_somebody_subscribes)
{
	uint64_t silent = activity();
	void *health = client(ZMQ_SUB, "events.sock"), *value = client(ZMQ_SUB, "events.sock");
	zmq_setsockopt(health, ZMQ_SUBSCRIBE, "health/", 7);
	ck_assert_msg(host_until(&h, 5000, activity() > silent), "it does not hear of subscribers");
	ck_assert_uint_eq(wakeups(), 0);
	uint64_t before = switches(h.pid);
	zmq_setsockopt(value, ZMQ_SUBSCRIBE, "value/loop", 10);
	ck_assert_msg(host_until(&h, 5000, switches(h.pid) > before + 20), "it does not look: %llu wake-ups", (unsigned long long)(switches(h.pid) - before));
	zmq_close(value);
	ck_assert_uint_eq(wakeups(), 0);
	zmq_close(health);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("control");
	TCase *t = tcase_create("bh-control");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_read_is_answered_out_of_shared_memory);
	tcase_add_test(t, an_act_goes_into_the_routers_ring_and_its_answer_comes_back);
	tcase_add_test(t, an_answer_that_came_before_the_wish_to_leave_is_passed_on);
	tcase_add_test(t, a_refused_reload_brings_all_its_errors_back);
	tcase_add_test(t, answers_find_who_asked_whatever_their_order);
	tcase_add_test(t, what_is_no_request_is_answered_by_an_error_and_counted);
	tcase_add_test(t, a_flood_of_rubbish_does_not_end_it);
	tcase_add_test(t, a_req_socket_is_served_too);
	tcase_add_test(t, after_kill_9_the_next_one_answers_on_the_same_socket);
	TCase *hasty = tcase_create("hasty");
	tcase_set_timeout(hasty, 60);
	tcase_add_checked_fixture(hasty, setup_hasty, teardown);
	tcase_add_test(hasty, an_act_that_nobody_carries_out_is_answered_in_time);
	tcase_add_test(hasty, more_acts_than_it_can_keep_are_refused_at_once);
	TCase *idle = tcase_create("idle");
	tcase_set_timeout(idle, 60);
	tcase_add_checked_fixture(idle, setup, teardown);
	tcase_add_test(idle, it_does_not_wake_while_nobody_asks);
	tcase_add_test(idle, it_looks_at_values_only_while_somebody_subscribes);
	suite_add_tcase(s, t);
	suite_add_tcase(s, hasty);
	suite_add_tcase(s, idle);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
