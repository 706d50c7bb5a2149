/* The control protocol: messages, requests, values, and the answers that are read out of shared memory. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire/view.h"
#include "procs/control/resolve.h"
#include "shm/latch.h"
#include "supervisor/ctl/describe.h"

/* ------------------------------------------------------------------ messages */

static struct bh_wire_out out;
static struct bh_wire_in in;

static void
setup(void)
{
	bh_wire_out_init(&out);
	msgpack_unpacked_init(&in.u);
}

static void
teardown(void)
{
	bh_wire_in_fini(&in);
	bh_wire_out_fini(&out);
}

static void
reread(void)
{
	const char *why = NULL;
	bh_wire_in_fini(&in);
	ck_assert(!out.failed);
	ck_assert_int_eq(out.depth, 0);
	ck_assert_msg(bh_wire_in_init(&in, out.data, out.len, BH_WIRE_ANSWER_MAX, &why) == 0, "%s", why);
}

START_TEST(a_message_comes_out_as_it_went_in)
{
	char text[32];
	bh_wire_map(&out, NULL);
	bh_wire_str(&out, "name", "Fl\xc3\xbcgel");
	bh_wire_int(&out, "low", INT64_MIN);
	bh_wire_float(&out, "gain", -6.5);
	bh_wire_bool(&out, "on", true);
	bh_wire_nil(&out, "nothing");
	bh_wire_array(&out, "list");
	for (int i = 0; i < 100; i++)
		bh_wire_int(&out, NULL, i);
	bh_wire_close(&out);
	bh_wire_close(&out);
	reread();
	ck_assert_int_eq(bh_wire_get_str(in.root, "name", text, sizeof(text)), 1);
	ck_assert_str_eq(text, "Fl\xc3\xbcgel");
	ck_assert(bh_wire_get_int(in.root, "low", 0) == INT64_MIN);
	ck_assert_double_eq(bh_wire_get_float(in.root, "gain", 0), -6.5);
	ck_assert(bh_wire_get_bool(in.root, "on", false));
	ck_assert_int_eq(bh_wire_get_str(in.root, "nothing", text, sizeof(text)), 0);
	ck_assert_int_eq(bh_wire_get_str(in.root, "absent", text, sizeof(text)), 0);
	ck_assert_uint_eq(bh_wire_get(in.root, "list")->via.array.size, 100);
	ck_assert_int_eq((int)bh_wire_get(in.root, "list")->via.array.ptr[99].via.u64, 99);
}
END_TEST

START_TEST(text_that_is_not_utf8_does_not_spoil_the_answer)
{
	char text[32];
	bh_wire_map(&out, NULL);
	bh_wire_str(&out, "reason", "cut \xc3");
	bh_wire_str(&out, "next", "\xff\xfeok");
	bh_wire_close(&out);
	reread();
	bh_wire_get_str(in.root, "reason", text, sizeof(text));
	ck_assert_str_eq(text, "cut ?");
	bh_wire_get_str(in.root, "next", text, sizeof(text));
	ck_assert_str_eq(text, "??ok");
}
END_TEST

START_TEST(an_answer_that_grows_too_large_or_too_deep_is_not_sent)
{
	static char big[1 << 20];
	memset(big, 'x', sizeof(big) - 1);
	bh_wire_map(&out, NULL);
	for (int i = 0; i < 9; i++)
		bh_wire_str(&out, "k", big);
	bh_wire_close(&out);
	ck_assert(out.failed);
	bh_wire_out_reset(&out);
	for (int i = 0; i <= BH_WIRE_DEPTH; i++)
		bh_wire_map(&out, i ? "k" : NULL);
	ck_assert(out.failed);
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_an_error_not_a_cut)
{
	char text[4];
	bh_wire_map(&out, NULL);
	bh_wire_str(&out, "name", "four");
	bh_wire_close(&out);
	reread();
	ck_assert_int_eq(bh_wire_get_str(in.root, "name", text, sizeof(text)), -EINVAL);
}
END_TEST

static const struct hostile {
	const char *what;
	const char *bytes;
	size_t len;
} hostile[] = {
#define H(w, b) {w, b, sizeof(b) - 1}
	H("nothing", ""),
	H("not a map", "\x01"),
	H("an array", "\x91\x01"),
	H("a map of four billion pairs in five bytes", "\xdf\xff\xff\xff\xff"),
	H("an array of four billion elements", "\x81\xa1k\xdd\xff\xff\xff\xff"),
	H("a text of four billion bytes", "\x81\xa1k\xdb\xff\xff\xff\xff"),
	H("half a length", "\x81\xa1k\xda\x01"),
	H("a key that is a number", "\x81\x01\x01"),
	H("a key that is a map", "\x81\x80\x01"),
	H("a value that is missing", "\x81\xa1k"),
	H("half a character", "\x81\xa1k\xa1\xc3"),
	H("an overlong character", "\x81\xa1k\xa2\xc0\x80"),
	H("a surrogate", "\x81\xa1k\xa3\xed\xa0\x80"),
	H("the byte that is never used", "\x81\xa1k\xc1"),
	H("an extension", "\x81\xa1k\xd4\x01\x00"),
	H("bytes behind the end", "\x80\x80"),
	H("nine arrays inside each other", "\x81\xa1k\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
#undef H
};

START_TEST(hostile_messages_are_refused_with_a_reason)
{
	const struct hostile *h = &hostile[_i];
	const char *why = NULL;
	ck_assert_msg(bh_wire_check((const uint8_t *)h->bytes, h->len, 4096, &why) == -EBADMSG, "%s was taken", h->what);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(every_cut_of_a_good_message_is_refused)
{
	bh_wire_map(&out, NULL);
	bh_wire_str(&out, "verb", "status");
	bh_wire_float(&out, "x", 1.5);
	bh_wire_array(&out, "l");
	bh_wire_int(&out, NULL, 70000);
	bh_wire_close(&out);
	bh_wire_close(&out);
	ck_assert_int_eq(bh_wire_check(out.data, out.len, 4096, NULL), 0);
	for (size_t n = 0; n < out.len; n++)
		ck_assert_int_eq(bh_wire_check(out.data, n, 4096, NULL), -EBADMSG);
	ck_assert_int_eq(bh_wire_check(out.data, out.len, out.len - 1, NULL), -EBADMSG);
}
END_TEST

/* ------------------------------------------------------------------ requests */

static struct bh_wire_request req;
static struct bh_wire_error err;

static void
begin(const char *verb)
{
	bh_wire_out_reset(&out);
	bh_wire_map(&out, NULL);
	bh_wire_int(&out, "v", BH_WIRE_VERSION);
	bh_wire_int(&out, "id", 7);
	bh_wire_str(&out, "verb", verb);
}

static int
parse(void)
{
	bh_wire_close(&out);
	ck_assert(!out.failed);
	return bh_wire_request_parse(&req, out.data, out.len, &err);
}

START_TEST(a_request_is_taken_apart)
{
	begin("set");
	bh_wire_str(&out, "param", "loop/ch1/level");
	bh_wire_str(&out, "value", "-6dB");
	ck_assert_int_eq(parse(), 0);
	ck_assert_int_eq(req.verb, BH_VERB_SET);
	ck_assert_uint_eq(req.id, 7);
	ck_assert_str_eq(req.name, "loop/ch1/level");
	ck_assert_uint_eq(req.value_type, BH_WIRE_STR);
	ck_assert_str_eq(req.str, "-6dB");
}
END_TEST

START_TEST(arguments_of_an_action_arrive_each_with_its_end)
{
	begin("do");
	bh_wire_str(&out, "action", "loop/transport");
	bh_wire_array(&out, "args");
	bh_wire_str(&out, NULL, "play");
	bh_wire_str(&out, NULL, "");
	bh_wire_close(&out);
	ck_assert_int_eq(parse(), 0);
	ck_assert_uint_eq(req.args_len, 6);
	ck_assert_mem_eq(req.args, "play\0\0", 6);
}
END_TEST

START_TEST(requests_that_lack_something_are_answered_by_what_is_missing)
{
	begin("get");
	ck_assert_int_lt(parse(), 0);
	ck_assert_str_eq(err.code, "bad-request");
	ck_assert(strstr(err.text, "param"));
	begin("dance");
	ck_assert_int_lt(parse(), 0);
	ck_assert_str_eq(err.code, "unknown-verb");
	begin("press");
	bh_wire_str(&out, "control", "f1");
	bh_wire_str(&out, "value", "hard");
	ck_assert_int_lt(parse(), 0);
	begin("move");
	bh_wire_str(&out, "control", "fader1");
	bh_wire_float(&out, "value", 0.0 / 0.0 * 1.0);
	ck_assert_int_lt(parse(), 0);
	begin("do");
	bh_wire_str(&out, "action", "loop/x");
	bh_wire_array(&out, "args");
	bh_wire_int(&out, NULL, 1);
	bh_wire_close(&out);
	ck_assert_int_lt(parse(), 0);
}
END_TEST

START_TEST(another_version_is_told_which_one_we_speak)
{
	bh_wire_map(&out, NULL);
	bh_wire_int(&out, "v", 99);
	bh_wire_int(&out, "id", 7);
	bh_wire_str(&out, "verb", "status");
	ck_assert_int_lt(parse(), 0);
	ck_assert_str_eq(err.code, "bad-version");
	ck_assert_uint_eq(req.id, 7);
}
END_TEST

START_TEST(every_verb_of_the_protocol_has_a_row_and_a_help)
{
	for (int i = 0; i < BH_VERB_COUNT; i++) {
		ck_assert_ptr_nonnull(bh_wire_verbs[i].name);
		ck_assert_ptr_nonnull(bh_wire_verbs[i].help);
		ck_assert(strlen(bh_wire_verbs[i].help) > 5);
	}
}
END_TEST

START_TEST(every_verb_and_code_stands_in_the_reference)
{
	static const char *const codes[] = {"bad-request", "bad-version", "unknown-verb", "unknown-name", "bad-value", "read-only",
					    "refused", "busy", "not-running", "timed-out", "bad-config", "failed"};
	static char text[65536], path[400], word[40];
	const char *src = getenv("BH_SRC");
	snprintf(path, sizeof(path), "%s/docs/reference/control-protocol.md", src ? src : ".");
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 1000);
	fclose(f);
	for (int i = 0; i < BH_VERB_COUNT; i++) {
		snprintf(word, sizeof(word), "`%s`", bh_wire_verbs[i].name);
		ck_assert_msg(strstr(text, word) != NULL, "%s", word);
	}
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(word, sizeof(word), "`%s`", codes[i]);
		ck_assert_msg(strstr(text, word) != NULL, "%s", word);
	}
}
END_TEST

/* ------------------------------------------------------------------ a small pipeline to read from */

static struct {
	struct bh_seg table, state, params;
	struct bh_config config;
	struct bh_dir dir;
	struct bh_view view;
} room;

static struct bh_seg
mapped(struct bh_seg_fds fds, uint32_t kind)
{
	struct bh_seg seg = {0};
	ck_assert_int_eq(bh_seg_map(&seg, fds.rw, kind, true), 0);
	close(fds.rw);
	close(fds.ro);
	return seg;
}

static void
room_proc(uint16_t slot, const char *name, uint8_t role, enum bh_health health)
{
	uint32_t n;
	struct bh_proc_entry *e = bh_seg_section(&room.table, BH_SEC_PROCS, sizeof(*e), &n);
	struct bh_proc_body b = {.role = role, .wanted = 1, .alive = health != BH_HEALTH_FAILED, .pid = 100u + slot, .restarts = 3};
	ck_assert_uint_lt(slot, n);
	snprintf(b.name, sizeof(b.name), "%s", name);
	snprintf(b.kind, sizeof(b.kind), "%s", name);
	b.health.health = health;
	b.health.since_ns = 1000000000;
	bh_proc_entry_write(&e[slot], &b);
}

static uint32_t
str(struct bh_config_writer *w, const char *s)
{
	return bh_config_writer_str(w, s, strlen(s));
}

static void
room_config(void)
{
	struct bh_config_writer *w = bh_config_writer_new();
	struct bh_cfg_control c[3] = {{.name = "fader1", .kind = BH_CTL_FADER}, {.name = "mute1", .kind = BH_CTL_BUTTON},
				      {.name = "vpot1", .kind = BH_CTL_VPOT}};
	struct bh_cfg_surface s = {.slot = 4, .controls = 3};
	struct bh_cfg_proc desk = {.name = str(w, "desk"), .kind = str(w, "surface"), .slot = 4, .role = BH_ROLE_SURFACE,
				   .record_base = 64, .records = 256};
	struct bh_cfg_proc loop = {.name = str(w, "loop"), .kind = str(w, "loop"), .slot = 5, .role = BH_ROLE_DRIVER,
				   .record_base = 320, .records = 8};
	struct bh_cfg_action a = {.kind = str(w, "loop"), .name = str(w, "transport"), .args = 1};
	struct bh_cfg_page mix = {.name = str(w, "Mix")}, obs = {.name = str(w, "Cameras")};
	bh_config_writer_row(w, BH_TAB_PROCS, &desk, sizeof(desk));
	bh_config_writer_row(w, BH_TAB_PROCS, &loop, sizeof(loop));
	bh_config_writer_row(w, BH_TAB_SURFACES, &s, sizeof(s));
	for (int i = 0; i < 3; i++)
		bh_config_writer_row(w, BH_TAB_CONTROLS, &c[i], sizeof(c[i]));
	bh_config_writer_row(w, BH_TAB_ACTIONS, &a, sizeof(a));
	bh_config_writer_row(w, BH_TAB_PAGES, &mix, sizeof(mix));
	bh_config_writer_row(w, BH_TAB_PAGES, &obs, sizeof(obs));
	int fd = bh_config_writer_finish(w, "test.config", "/etc/test.yaml", 1);
	ck_assert_int_ge(fd, 0);
	bh_config_writer_free(w);
	ck_assert_int_eq(bh_config_map(&room.config, fd), 0);
	close(fd);
}

static void
room_param(uint32_t index, const char *name, uint8_t type, const char *unit, double min, double max, const char *choices, size_t len,
	   uint16_t n)
{
	struct bh_dir_record r = {.index = index, .gen = 1, .type = type, .min = min, .max = max, .was = 0xffffffff, .choices = n,
				  .access = BH_ACCESS_READ | BH_ACCESS_WRITE};
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.unit, sizeof(r.unit), "%s", unit);
	ck_assert_int_ge(bh_dir_append(&room.dir, &r, choices, len), 0);
}

static void
room_state(uint32_t n, const void *data)
{
	uint32_t count;
	struct bh_record *r = bh_seg_section(&room.state, BH_SEC_RECORDS, sizeof(*r), &count);
	ck_assert_uint_lt(n, count);
	bh_record_write(&r[n], 1, data);
}

static void
room_setup(void)
{
	struct bh_seg_fds fds;
	setup();
	ck_assert_int_eq(bh_seg_create_table(&fds), 0);
	room.table = mapped(fds, BH_SEG_TABLE);
	ck_assert_int_eq(bh_seg_create_state(&fds, "router.state", BH_SLOT_ROUTER, 1, 400), 0);
	room.state = mapped(fds, BH_SEG_STATE);
	ck_assert_int_eq(bh_seg_create_params(&fds, "loop.params", 5, 1, 8, 4096), 0);
	room.params = mapped(fds, BH_SEG_PARAMS);
	ck_assert_int_eq(bh_dir_attach(&room.dir, &room.params), 0);
	room_proc(0, "supervisor", BH_ROLE_SUPERVISOR, BH_HEALTH_OK);
	room_proc(1, "router", BH_ROLE_ROUTER, BH_HEALTH_OK);
	room_proc(4, "desk", BH_ROLE_SURFACE, BH_HEALTH_OK);
	room_proc(5, "loop", BH_ROLE_DRIVER, BH_HEALTH_OK);
	room_config();
	room_param(0, "ch1/level", BH_FLOAT, "dB", -90, 10, NULL, 0, 0);
	room_param(1, "ch1/mute", BH_BOOL, "", 0, 0, NULL, 0, 0);
	room_param(2, "scene", BH_ENUM, "", 0, 0, "Opening\0Talk\0", 13, 2);
	room_param(3, "delay", BH_INT, "ms", 0, 5000, NULL, 0, 0);
	room.view = (struct bh_view){.table = &room.table, .config = &room.config, .state = &room.state};
	room.view.slot[5].dir = &room.dir;
}

static void
room_teardown(void)
{
	bh_config_unmap(&room.config);
	bh_seg_unmap(&room.table);
	bh_seg_unmap(&room.state);
	bh_seg_unmap(&room.params);
	teardown();
}

/* ------------------------------------------------------------------ values */

static int
value(const char *param, const char *text, union bh_val *v)
{
	struct bh_view_param p;
	memset(&req, 0, sizeof(req));
	ck_assert_int_eq(bh_view_find_param(&room.view, param, &p, &err), 0);
	req.value_type = BH_WIRE_STR;
	snprintf(req.str, sizeof(req.str), "%s", text);
	return bh_wire_value_parse(&room.dir, &p.rec, &req, v, &err);
}

START_TEST(values_are_taken_as_people_write_them)
{
	union bh_val v;
	ck_assert_int_eq(value("loop/ch1/level", "-6dB", &v), 0);
	ck_assert_double_eq(v.f, -6);
	ck_assert_int_eq(value("loop/ch1/level", "-6.5 dB", &v), 0);
	ck_assert_double_eq(v.f, -6.5);
	ck_assert_int_eq(value("loop/ch1/level", "-inf", &v), 0);
	ck_assert_double_eq(v.f, -90);
	ck_assert_int_eq(value("loop/ch1/mute", "on", &v), 0);
	ck_assert_int_eq((int)v.i, 1);
	ck_assert_int_eq(value("loop/ch1/mute", "False", &v), 0);
	ck_assert_int_eq((int)v.i, 0);
	ck_assert_int_eq(value("loop/scene", "talk", &v), 0);
	ck_assert_int_eq((int)v.i, 1);
	ck_assert_int_eq(value("loop/delay", "2s", &v), 0);
	ck_assert_int_eq((int)v.i, 2000);
}
END_TEST

START_TEST(wrong_values_are_refused_by_what_would_be_right)
{
	union bh_val v;
	ck_assert_int_lt(value("loop/ch1/level", "11dB", &v), 0);
	ck_assert_msg(strstr(err.text, "-90 to 10 dB") != NULL, "%s", err.text);
	ck_assert_int_lt(value("loop/ch1/level", "50%", &v), 0);
	ck_assert(strstr(err.text, "dB"));
	ck_assert_int_lt(value("loop/ch1/level", "loud", &v), 0);
	ck_assert_int_lt(value("loop/ch1/level", "nan", &v), 0);
	ck_assert_int_lt(value("loop/ch1/mute", "maybe", &v), 0);
	ck_assert_int_lt(value("loop/scene", "Interval", &v), 0);
	ck_assert(strstr(err.text, "Opening, Talk"));
	ck_assert_int_lt(value("loop/delay", "1.5", &v), 0);
}
END_TEST

START_TEST(patterns_match_whole_names)
{
	ck_assert(bh_wire_glob("", "x") && bh_wire_glob("*", "") && bh_wire_glob("loop/*", "loop/ch1/level"));
	ck_assert(bh_wire_glob("*/level", "loop/ch1/level") && bh_wire_glob("loop/ch?/mute", "loop/ch1/mute"));
	ck_assert(!bh_wire_glob("loop/ch?/mute", "loop/ch10/mute") && !bh_wire_glob("loop", "loop/x"));
	ck_assert(!bh_wire_glob("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}
END_TEST

/* ------------------------------------------------------------------ answers */

static const msgpack_object *
ask(enum bh_wire_verb verb, const char *name)
{
	memset(&req, 0, sizeof(req));
	req.id = 9;
	req.verb = verb;
	snprintf(req.name, sizeof(req.name), "%s", name);
	bh_wire_out_reset(&out);
	bh_view_answer(&room.view, &req, 5000000000, &out);
	reread();
	ck_assert_int_eq((int)bh_wire_get_int(in.root, "id", 0), 9);
	return in.root;
}

START_TEST(status_says_who_is_well_and_since_when)
{
	char text[64];
	const msgpack_object *a = ask(BH_VERB_STATUS, "");
	ck_assert(bh_wire_get_bool(a, "ok", false) && bh_wire_get_bool(a, "well", false));
	const msgpack_object *p = bh_wire_get(a, "processes");
	ck_assert_uint_eq(p->via.array.size, 4);
	const msgpack_object *loop = &p->via.array.ptr[3];
	bh_wire_get_str(loop, "name", text, sizeof(text));
	ck_assert_str_eq(text, "loop");
	ck_assert_double_eq(bh_wire_get_float(loop, "since_s", 0), 4);
	room_proc(5, "loop", BH_ROLE_DRIVER, BH_HEALTH_FAILED);
	a = ask(BH_VERB_STATUS, "");
	ck_assert(!bh_wire_get_bool(a, "well", true));
	bh_wire_get_str(&bh_wire_get(a, "processes")->via.array.ptr[3], "hint", text, sizeof(text));
	ck_assert_msg(strstr(text, "restart loop") != NULL, "%s", text);
}
END_TEST

START_TEST(a_process_that_was_stopped_is_well_unless_asked_for_by_name)
{
	room_proc(5, "loop", BH_ROLE_DRIVER, BH_HEALTH_STOPPED);
	ck_assert(bh_wire_get_bool(ask(BH_VERB_STATUS, ""), "well", false));
	ck_assert(!bh_wire_get_bool(ask(BH_VERB_STATUS, "loop"), "well", true));
}
END_TEST

START_TEST(names_that_are_not_there_get_a_did_you_mean)
{
	static const struct {
		enum bh_wire_verb verb;
		const char *name, *meant;
	} rows[] = {{BH_VERB_STATUS, "loob", "loop"}, {BH_VERB_GET, "loop/ch1/levle", "loop/ch1/level"}};
	char text[160];
	for (unsigned i = 0; i < 2; i++) {
		const msgpack_object *a = ask(rows[i].verb, rows[i].name), *e = bh_wire_get(a, "error");
		ck_assert(!bh_wire_get_bool(a, "ok", true));
		bh_wire_get_str(e, "code", text, sizeof(text));
		ck_assert_str_eq(text, "unknown-name");
		bh_wire_get_str(e, "hint", text, sizeof(text));
		ck_assert_msg(strstr(text, rows[i].meant) != NULL, "%s", text);
	}
	struct bh_view_control c;
	int page;
	ck_assert_int_lt(bh_view_find_control(&room.view, "fadr1", &c, &err), 0);
	ck_assert_msg(strstr(err.hint, "fader1") != NULL, "%s", err.hint);
	ck_assert_int_lt(bh_view_find_page(&room.view, "Camera", &page, &err), 0);
	ck_assert_msg(strstr(err.hint, "Cameras") != NULL, "%s", err.hint);
}
END_TEST

START_TEST(controls_actions_and_pages_are_found_by_name)
{
	struct bh_view_control c;
	const struct bh_cfg_action *a;
	uint16_t slot;
	int page;
	ck_assert_int_eq(bh_view_find_control(&room.view, "desk/mute1", &c, &err), 0);
	ck_assert_uint_eq(c.slot, 4);
	ck_assert_uint_eq(c.index, 1);
	ck_assert_int_eq(bh_view_find_control(&room.view, "vpot1", &c, &err), 0);
	ck_assert_uint_eq(c.index, 2);
	ck_assert_int_eq(bh_view_find_action(&room.view, "loop/transport", &slot, &a, &err), 0);
	ck_assert_uint_eq(slot, 5);
	ck_assert_int_eq(bh_view_find_page(&room.view, "Cameras", &page, &err), 0);
	ck_assert_int_eq(page, 1);
	ck_assert_int_eq(bh_view_find_page(&room.view, "1", &page, &err), 0);
	ck_assert_int_eq(page, 0);
	ck_assert_int_eq(bh_view_find_page(&room.view, "next", &page, &err), 0);
	ck_assert_int_eq(page, -1);
	ck_assert_int_lt(bh_view_find_page(&room.view, "3", &page, &err), 0);
}
END_TEST

START_TEST(a_parameter_is_shown_with_what_is_wanted_and_what_was_reported)
{
	char text[64];
	struct bh_rec_param p = {.tag = BH_REC_TAG_PARAM, .type = BH_FLOAT, .slot = 5, .index = 0, .name_hash = bh_name_hash("ch1/level"),
				 .flags = BH_PAR_KNOWN | BH_PAR_WANTED | BH_PAR_PENDING};
	p.wanted.f = -6;
	p.reported.f = -20;
	room_state(320, &p);
	const msgpack_object *a = ask(BH_VERB_GET, "loop/ch1/level");
	ck_assert_double_eq(bh_wire_get_float(a, "value", 0), -6);
	ck_assert_double_eq(bh_wire_get_float(a, "reported", 0), -20);
	ck_assert(bh_wire_get_bool(a, "pending", false) && !bh_wire_get_bool(a, "stale", true));
	bh_wire_get_str(a, "text", text, sizeof(text));
	ck_assert_str_eq(text, "-6.0 dB");
}
END_TEST

START_TEST(a_record_of_another_parameter_is_not_shown_as_this_one)
{
	struct bh_rec_param p = {.tag = BH_REC_TAG_PARAM, .type = BH_FLOAT, .slot = 5, .index = 0, .name_hash = bh_name_hash("old/name"),
				 .flags = BH_PAR_KNOWN};
	room_state(320, &p);
	ck_assert_ptr_null(bh_wire_get(ask(BH_VERB_GET, "loop/ch1/level"), "value"));
}
END_TEST

START_TEST(a_removed_parameter_is_gone_and_its_successor_is_there)
{
	struct bh_dir_record gone = {.index = 3, .gen = 1, .type = BH_INT, .flags = BH_DIR_TOMBSTONE, .was = 0xffffffff};
	snprintf(gone.name, sizeof(gone.name), "delay");
	ck_assert_int_ge(bh_dir_append(&room.dir, &gone, NULL, 0), 0);
	ck_assert_uint_eq(bh_wire_get(ask(BH_VERB_PARAMS, ""), "params")->via.array.size, 3);
	room_param(3, "echo", BH_INT, "ms", 0, 10, NULL, 0, 0);
	ck_assert_uint_eq(bh_wire_get(ask(BH_VERB_PARAMS, "loop/e*"), "params")->via.array.size, 1);
}
END_TEST

START_TEST(pages_say_which_one_is_shown)
{
	struct bh_rec_global g = {.tag = BH_REC_TAG_GLOBAL, .page = 1, .pages = 2, .page_name = "Cameras"};
	room_state(0, &g);
	const msgpack_object *p = bh_wire_get(ask(BH_VERB_PAGES, ""), "pages");
	ck_assert_uint_eq(p->via.array.size, 2);
	ck_assert(!bh_wire_get_bool(&p->via.array.ptr[0], "shown", true));
	ck_assert(bh_wire_get_bool(&p->via.array.ptr[1], "shown", false));
	p = bh_wire_get(ask(BH_VERB_PAGES, ""), "groups");
	ck_assert_uint_eq(p->via.array.size, 1);
	ck_assert_int_eq(bh_wire_get_int(&p->via.array.ptr[0], "page", 0), 2);
}
END_TEST

START_TEST(names_are_listed_by_kind)
{
	static const struct {
		const char *kind;
		uint32_t count;
	} rows[] = {{"processes", 4}, {"pages", 2}, {"params", 4}, {"controls", 3}, {"actions", 5}};
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(bh_wire_get(ask(BH_VERB_NAMES, rows[i].kind), "names")->via.array.size, rows[i].count);
	ck_assert(!bh_wire_get_bool(ask(BH_VERB_NAMES, "cats"), "ok", true));
}
END_TEST

/* ------------------------------------------------------------------ acts */

static struct control_act action;

/* A request with one name and a value that is text, number or nothing. */
static int
resolve(enum bh_wire_verb verb, const char *name, unsigned type, const char *text, double number)
{
	memset(&req, 0, sizeof(req));
	memset(&err, 0, sizeof(err));
	req.verb = verb;
	req.value_type = type;
	snprintf(req.name, sizeof(req.name), "%s", name);
	if (type == BH_WIRE_STR)
		snprintf(req.str, sizeof(req.str), "%s", text);
	if (type == BH_WIRE_LIST) {
		req.args_len = (uint32_t)strlen(text) + 1;
		memcpy(req.args, text, req.args_len);
	}
	req.f = number;
	req.i = (int64_t)number;
	return control_resolve(&room.view, &req, &action, &err);
}

START_TEST(bytes_for_a_device_are_whole_messages)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool good;
	} rows[] = {{"\x90\x12\x7f", 3, true}, {"\x90\x12", 2, false}, {"\x12\x7f", 2, false}, {"", 0, false},
		    {"\xf0\x00\xf7\xe0\x00\x00", 6, true}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bh_wire_out_reset(&out);
		bh_wire_map(&out, NULL);
		bh_wire_int(&out, "v", BH_WIRE_VERSION);
		bh_wire_int(&out, "id", 1);
		bh_wire_str(&out, "verb", "emit");
		bh_wire_str(&out, "surface", "desk");
		bh_wire_bin(&out, "bytes", rows[i].bytes, rows[i].len);
		bh_wire_close(&out);
		ck_assert_int_eq(bh_wire_request_parse(&req, out.data, out.len, &err), 0);
		ck_assert_uint_eq(req.args_len, rows[i].len);
		ck_assert_msg((control_resolve(&room.view, &req, &action, &err) == 0) == rows[i].good, "row %u", i);
		if (rows[i].good)
			ck_assert(action.code == BH_REQ_EMIT && action.args.text_len == rows[i].len &&
				  memcmp(action.args.text, rows[i].bytes, rows[i].len) == 0);
	}
	bh_wire_out_reset(&out);
	bh_wire_map(&out, NULL);
	bh_wire_int(&out, "v", BH_WIRE_VERSION);
	bh_wire_int(&out, "id", 1);
	bh_wire_str(&out, "verb", "emit");
	bh_wire_str(&out, "surface", "desk");
	char many[BH_WIRE_ARGS_MAX + 1] = {0};
	bh_wire_bin(&out, "bytes", many, sizeof(many));
	bh_wire_close(&out);
	ck_assert_int_lt(bh_wire_request_parse(&req, out.data, out.len, &err), 0);
}
END_TEST

START_TEST(acts_are_resolved_to_slots_and_numbers)
{
	ck_assert_int_eq(resolve(BH_VERB_SET, "loop/ch1/mute", BH_WIRE_STR, "on", 0), 0);
	ck_assert(action.to == BH_SLOT_ROUTER && action.code == BH_REQ_SET && action.args.slot == 5 && action.args.index == 1);
	ck_assert(action.args.type == BH_BOOL && action.args.v.i == 1);
	ck_assert_int_eq(resolve(BH_VERB_MOVE, "fader1", BH_WIRE_FLOAT, NULL, 0.25), 0);
	ck_assert(action.code == BH_REQ_MOVE && action.args.slot == 4 && action.args.index == 0 && action.args.v.f == 0.25);
	ck_assert_int_eq(resolve(BH_VERB_PRESS, "mute1", 0, NULL, 0), 0);
	ck_assert(action.code == BH_REQ_PRESS && action.args.v.i == 2);
	ck_assert_int_eq(resolve(BH_VERB_TURN, "vpot1", BH_WIRE_INT, NULL, -3), 0);
	ck_assert(action.code == BH_REQ_TURN && action.args.v.i == -3);
	ck_assert_int_eq(resolve(BH_VERB_DO, "loop/transport", BH_WIRE_LIST, "play", 0), 0);
	ck_assert(action.code == BH_REQ_DO && action.args.slot == 5 && action.args.text_len == 5);
	ck_assert_int_eq(resolve(BH_VERB_DO, "page/go", BH_WIRE_LIST, "Cameras", 0), 0);
	ck_assert(action.code == BH_REQ_PAGE && action.args.v.i == 1);
	ck_assert_int_eq(resolve(BH_VERB_DO, "page/next", 0, NULL, 0), 0);
	ck_assert(action.code == BH_REQ_PAGE && action.args.v.i == -1);
	ck_assert_int_eq(resolve(BH_VERB_KILL, "loop", BH_WIRE_INT, NULL, 9), 0);
	ck_assert(action.to == BH_SLOT_SUPERVISOR && action.code == BH_REQ_KILL && action.args.slot == 5 && action.args.v.i == 9);
	ck_assert_int_eq(resolve(BH_VERB_RELOAD, "", 0, NULL, 0), 0);
	ck_assert(action.code == BH_REQ_RELOAD && action.args.text_len == 0);
	ck_assert_int_eq(resolve(BH_VERB_SYNC, "desk", 0, NULL, 0), 0);
	ck_assert(action.to == BH_SLOT_SUPERVISOR && action.code == BH_REQ_SYNC && action.args.slot == 4);
	ck_assert_int_eq(resolve(BH_VERB_SYNC, "loop", 0, NULL, 0), 0);
	ck_assert_int_eq(resolve(BH_VERB_CALIBRATE, "desk", BH_WIRE_STR, "finish", 0), 0);
	ck_assert(action.code == BH_REQ_CALIBRATE && action.args.v.i == BH_CALIBRATE_FINISH);
	ck_assert_int_lt(resolve(BH_VERB_CALIBRATE, "desk", BH_WIRE_STR, "finsh", 0), 0);
	ck_assert_int_lt(resolve(BH_VERB_CALIBRATE, "loop", BH_WIRE_STR, "begin", 0), 0);
	ck_assert_int_lt(resolve(BH_VERB_SYNC, "router", 0, NULL, 0), 0);
}
END_TEST

START_TEST(acts_that_make_no_sense_are_refused_before_they_are_sent)
{
	static const struct {
		enum bh_wire_verb verb;
		const char *name;
		unsigned type;
		const char *text;
		double number;
	} rows[] = {
		{BH_VERB_PRESS, "fader1", 0, NULL, 0},		   {BH_VERB_MOVE, "mute1", BH_WIRE_FLOAT, NULL, 0.5},
		{BH_VERB_TURN, "fader1", BH_WIRE_INT, NULL, 1},	   {BH_VERB_MOVE, "fader1", BH_WIRE_FLOAT, NULL, 1.5},
		{BH_VERB_PRESS, "mute1", BH_WIRE_INT, NULL, 3},	   {BH_VERB_TURN, "vpot1", BH_WIRE_INT, NULL, 1e6},
		{BH_VERB_DO, "loop/transport", 0, NULL, 0},	   {BH_VERB_DO, "loop/dance", 0, NULL, 0},
		{BH_VERB_DO, "page/go", 0, NULL, 0},		   {BH_VERB_PAGE, "9", 0, NULL, 0},
		{BH_VERB_STOP, "supervisor", 0, NULL, 0},	   {BH_VERB_START, "nobody", 0, NULL, 0},
		{BH_VERB_KILL, "loop", BH_WIRE_INT, NULL, 65},	   {BH_VERB_RELOAD, "relative.yaml", 0, NULL, 0},
		{BH_VERB_SET, "loop/ch1/level", BH_WIRE_BOOL, NULL, 1}, {BH_VERB_STATUS, "", 0, NULL, 0},
	};
	const unsigned n = sizeof(rows) / sizeof(rows[0]);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_msg(resolve(rows[i].verb, rows[i].name, rows[i].type, rows[i].text, rows[i].number) < 0, "row %u", i);
		ck_assert_msg(err.code && err.text[0], "row %u", i);
	}
}
END_TEST

/* ------------------------------------------------------------------ events in words */

static const char *
words(uint16_t from, uint16_t to, struct bh_event ev, const char *payload, size_t len)
{
	static char text[600];
	bh_wire_out_reset(&out);
	ctl_describe(&room.view, from, to, &ev, (const uint8_t *)payload, len, &out);
	reread();
	bh_wire_get_str(in.root, "words", text, sizeof(text));
	return text;
}

START_TEST(events_are_told_in_plain_words)
{
	ck_assert_str_eq(words(4, 1, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 0, .v.f = 0.5}, "", 0),
			 "desk/fader1 moved to 50.0 %");
	ck_assert_str_eq(words(4, 1, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = 1, .v.i = 1}, "", 0), "desk/mute1 pressed");
	ck_assert_str_eq(words(4, 1, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = 2, .v.i = -2}, "", 0),
			 "desk/vpot1 turned by -2");
	ck_assert_str_eq(words(1, 5, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 0, .v.f = -6}, "", 0),
			 "loop/ch1/level is to be -6.0 dB");
	ck_assert_str_eq(words(5, 1, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_ENUM, .id = 2, .v.i = 1}, "", 0), "loop/scene is Talk");
	ck_assert_str_eq(words(1, 5, (struct bh_event){.kind = BH_EV_ACTION, .id = 0}, "play", 5), "loop/transport play");
	ck_assert_str_eq(words(0, 2, (struct bh_event){.kind = BH_EV_HEALTH, .id = 5, .v.i = BH_HEALTH_FAILED}, "", 0), "loop is failed");
}
END_TEST

START_TEST(whatever_a_peer_wrote_can_be_described)
{
	srand(3);
	for (unsigned i = 0; i < 20000; i++) {
		struct bh_event ev;
		char payload[BH_PAYLOAD_MAX];
		for (unsigned k = 0; k < sizeof(ev); k++)
			((uint8_t *)&ev)[k] = (uint8_t)rand();
		if (i & 1)
			ev.kind %= BH_EV_KIND_COUNT;
		if (i & 2)
			ev.id %= 8;
		if (i & 4)
			ev.type %= 8;
		for (unsigned k = 0; k < sizeof(payload); k++)
			payload[k] = (char)rand();
		words((uint16_t)(rand() % 7), (uint16_t)(rand() % 7), ev, payload, i & 8 ? sizeof(payload) : (size_t)rand() % 400);
	}
}
END_TEST

START_TEST(an_empty_view_answers_too)
{
	struct bh_view none = {0};
	room.view = none;
	for (int v = BH_VERB_VERSION; v <= BH_VERB_NAMES; v++)
		ask((enum bh_wire_verb)v, v == BH_VERB_NAMES ? "params" : "");
	ck_assert_uint_eq(bh_wire_get(ask(BH_VERB_PAGES, ""), "pages")->via.array.size, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wire");
	TCase *msg = tcase_create("messages"), *reqs = tcase_create("requests"), *view = tcase_create("answers");
	tcase_add_checked_fixture(msg, setup, teardown);
	tcase_add_test(msg, a_message_comes_out_as_it_went_in);
	tcase_add_test(msg, text_that_is_not_utf8_does_not_spoil_the_answer);
	tcase_add_test(msg, an_answer_that_grows_too_large_or_too_deep_is_not_sent);
	tcase_add_test(msg, a_text_that_does_not_fit_is_an_error_not_a_cut);
	tcase_add_loop_test(msg, hostile_messages_are_refused_with_a_reason, 0, (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_test(msg, every_cut_of_a_good_message_is_refused);
	tcase_add_checked_fixture(reqs, setup, teardown);
	tcase_add_test(reqs, a_request_is_taken_apart);
	tcase_add_test(reqs, arguments_of_an_action_arrive_each_with_its_end);
	tcase_add_test(reqs, requests_that_lack_something_are_answered_by_what_is_missing);
	tcase_add_test(reqs, another_version_is_told_which_one_we_speak);
	tcase_add_test(reqs, every_verb_of_the_protocol_has_a_row_and_a_help);
	tcase_add_test(reqs, every_verb_and_code_stands_in_the_reference);
	tcase_add_checked_fixture(view, room_setup, room_teardown);
	tcase_add_test(view, values_are_taken_as_people_write_them);
	tcase_add_test(view, wrong_values_are_refused_by_what_would_be_right);
	tcase_add_test(view, patterns_match_whole_names);
	tcase_add_test(view, status_says_who_is_well_and_since_when);
	tcase_add_test(view, a_process_that_was_stopped_is_well_unless_asked_for_by_name);
	tcase_add_test(view, names_that_are_not_there_get_a_did_you_mean);
	tcase_add_test(view, controls_actions_and_pages_are_found_by_name);
	tcase_add_test(view, a_parameter_is_shown_with_what_is_wanted_and_what_was_reported);
	tcase_add_test(view, a_record_of_another_parameter_is_not_shown_as_this_one);
	tcase_add_test(view, a_removed_parameter_is_gone_and_its_successor_is_there);
	tcase_add_test(view, pages_say_which_one_is_shown);
	tcase_add_test(view, names_are_listed_by_kind);
	tcase_add_test(view, bytes_for_a_device_are_whole_messages);
	tcase_add_test(view, acts_are_resolved_to_slots_and_numbers);
	tcase_add_test(view, acts_that_make_no_sense_are_refused_before_they_are_sent);
	tcase_add_test(view, events_are_told_in_plain_words);
	tcase_add_test(view, whatever_a_peer_wrote_can_be_described);
	tcase_add_test(view, an_empty_view_answers_too);
	suite_add_tcase(s, msg);
	suite_add_tcase(s, reqs);
	suite_add_tcase(s, view);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
