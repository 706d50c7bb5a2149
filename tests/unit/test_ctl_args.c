/* The tool's table of verbs, its command line, and what is generated from the table. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/hear.h"
#include "supervisor/ctl/learn.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/tail.h"
#include "common/mem.h"
#include "shm/ring.h"

static struct ctl ctl;
static char *rest[32];
static int nrest;

/* A command line in one string; words are separated by one space. */
static int
parse(const char *line)
{
	static char words[400];
	char *argv[32];
	int argc = 0;
	snprintf(words, sizeof(words), "bulkhead %s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	return ctl_parse(&ctl, argc, argv, rest, &nrest);
}

START_TEST(every_verb_has_a_help_a_group_and_something_to_run)
{
	for (size_t i = 0; i < ctl_verb_count; i++) {
		const struct ctl_verb *v = &ctl_verbs[i];
		ck_assert_msg(strlen(v->help) > 10, "%s", v->name);
		ck_assert_ptr_nonnull(v->group);
		ck_assert(v->run != NULL);
		ck_assert(v->max < 0 || v->min <= v->max);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(ctl_verbs[k].name, v->name);
	}
}
END_TEST

START_TEST(every_verb_that_reads_has_json)
{
	static const char *const reads[] = {"check", "status", "monitor", "trace", "pages", "params", "get", "names", "version", "learn", "sync", "emit", "calibrate", "setup"};
	for (size_t i = 0; i < BH_ARRAY_LEN(reads); i++)
		ck_assert_msg(ctl_find_verb(reads[i])->options & CTL_OPT_JSON, "%s", reads[i]);
}
END_TEST

START_TEST(every_verb_of_the_plan_is_there)
{
	static const char *const verbs[] = {"run", "check", "status", "monitor", "start", "stop", "restart", "hold", "release", "kill",
					    "reload", "pages", "page", "params", "get", "set", "do", "press", "move", "turn", "trace",
					    "version", "help"};
	for (size_t i = 0; i < BH_ARRAY_LEN(verbs); i++)
		ck_assert_msg(ctl_find_verb(verbs[i]) != NULL, "%s", verbs[i]);
}
END_TEST

START_TEST(options_stand_anywhere_and_negative_values_are_values)
{
	ck_assert_int_eq(parse("set loop/ch1/level -6dB"), 0);
	ck_assert_str_eq(ctl.verb->name, "set");
	ck_assert_int_eq(nrest, 2);
	ck_assert_str_eq(rest[1], "-6dB");
	ck_assert_int_eq(parse("set x -inf"), 0);
	ck_assert_int_eq(parse("set x -.5"), 0);
	ck_assert_int_eq(parse("status loop --json"), 0);
	ck_assert(ctl.json);
	ck_assert_str_eq(rest[0], "loop");
	ck_assert_int_eq(parse("--json status"), 0);
	ck_assert(ctl.json);
	ck_assert_int_eq(parse("kill --signal=SEGV loop"), 0);
	ck_assert_str_eq(ctl.signal, "SEGV");
	ck_assert_int_eq(parse("kill loop -s 9"), 0);
	ck_assert_str_eq(ctl.signal, "9");
	ck_assert_int_eq(parse("do loop/say -- --loud"), 0);
	ck_assert_str_eq(rest[1], "--loud");
	ck_assert_int_eq(parse("trace loop --last 7 --once"), 0);
	ck_assert_int_eq((int)ctl.last, 7);
	ck_assert(ctl.once);
	ck_assert_int_eq(parse("learn --all --timeout 2s"), 0);
	ck_assert(ctl.all && ctl.timeout == 2);
	ck_assert_int_eq(parse("learn --timeout=300ms"), 0);
	ck_assert_double_eq_tol(ctl.timeout, 0.3, 1e-9);
}
END_TEST

START_TEST(wrong_uses_are_two)
{
	static const char *const lines[] = {"", "dance", "set x", "get", "status a b", "status --signal 9", "set --json x 1", "status --jsno",
					    "trace", "trace loop --last many", "learn --timeout soon", "learn --timeout -1", "kill --signal", "status --json=yes", "page"};
	for (size_t i = 0; i < BH_ARRAY_LEN(lines); i++)
		ck_assert_msg(parse(lines[i]) == CTL_USAGE, "bulkhead %s", lines[i]);
}
END_TEST

START_TEST(bytes_are_written_as_people_write_them)
{
	uint8_t out[8];
	const char *wrong = "";
	char *good[] = {"90", "0x18", "7Fh", "E00102"};
	ck_assert_int_eq(ctl_parse_hex(4, good, out, sizeof(out), &wrong), 6);
	ck_assert_mem_eq(out, ((uint8_t[]){0x90, 0x18, 0x7f, 0xe0, 0x01, 0x02}), 6);
	ck_assert_int_eq(ctl_parse_hex(4, good, out, 5, &wrong), -E2BIG);
	static char *bad[] = {"9", "0x", "9g", "", "h", "909"};
	for (size_t i = 0; i < BH_ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(ctl_parse_hex(1, &bad[i], out, sizeof(out), &wrong), -EINVAL);
		ck_assert_ptr_eq(wrong, bad[i]);
	}
}
END_TEST

START_TEST(what_a_device_says_is_told_in_words)
{
	static const struct {
		struct bh_midi_msg msg;
		const char *words, *hex;
	} rows[] = {
		{{.status = 0x90, .data = {0x12, 0x7f}, .len = 2}, "button mute3 pressed (note 18)", "90 12 7f"},
		{{.status = 0x90, .data = {0x68, 0x00}, .len = 2}, "fader 1 let go", "90 68 00"},
		{{.status = 0xe8, .data = {0x3f, 0x7c}, .len = 2}, "fader 9 at 15935", "e8 3f 7c"},
		{{.status = 0xb0, .data = {0x11, 0x42}, .len = 2}, "V-Pot 2 turned by -2", "b0 11 42"},
		{{.status = 0xc3, .data = {0x11}, .len = 1}, "not of Mackie Control", "c3 11"},
	};
	char text[200];
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		hear_words(&rows[i].msg, text, sizeof(text));
		ck_assert_str_eq(text, rows[i].words);
		hear_hex(&rows[i].msg, text, sizeof(text));
		ck_assert_str_eq(text, rows[i].hex);
	}
}
END_TEST

START_TEST(a_learnt_line_is_one_that_can_be_pasted)
{
	static const struct {
		const char *param, *want;
		enum bh_control_kind kind;
		struct bh_dir_record rec;
	} rows[] = {
		{"loop/ch1/level", "x: loop/ch1/level", BH_CTL_FADER, {.type = BH_FLOAT}},
		{"obs/Mic 1, \"old\"", "x: \"obs/Mic 1, \\\"old\\\"\"", BH_CTL_BUTTON, {.type = BH_BOOL}},
		{"loop/pan", "x: { relative: loop/pan, step: 0.04 }", BH_CTL_VPOT, {.type = BH_FLOAT, .min = -1, .max = 1}},
		{"midi/cc", "x: { relative: midi/cc, step: 1 }", BH_CTL_JOG, {.type = BH_INT, .min = 0, .max = 127}},
		{"a/b", "x: { relative: a/b, step: 0.5 }", BH_CTL_VPOT, {.type = BH_FLOAT, .max = 1, .step = 0.5}},
		{NULL, "x: DRIVER/PARAMETER", BH_CTL_FADER, {.type = BH_NONE}},
	};
	char line[400];
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		learn_line(line, sizeof(line), "x", rows[i].kind, rows[i].param, &rows[i].rec);
		ck_assert_str_eq(line, rows[i].want);
	}
}
END_TEST

START_TEST(help_may_be_asked_for_in_both_ways)
{
	ck_assert_int_eq(parse("status --help"), 0);
	ck_assert_str_eq(ctl.verb->name, "help");
	ck_assert_str_eq(rest[0], "status");
	ck_assert_int_eq(parse("--help"), 0);
	ck_assert_str_eq(ctl.verb->name, "help");
	ck_assert_int_eq(nrest, 0);
	ck_assert_int_eq(parse("--version"), 0);
	ck_assert_str_eq(ctl.verb->name, "version");
}
END_TEST

START_TEST(the_runtime_folder_becomes_absolute)
{
	ck_assert_int_eq(parse("status --runtime here"), 0);
	ck_assert_int_eq(getenv("BULKHEAD_RUNTIME_DIR")[0], '/');
	ck_assert_int_eq(parse("status --runtime /run/x"), 0);
	ck_assert_str_eq(getenv("BULKHEAD_RUNTIME_DIR"), "/run/x");
}
END_TEST

START_TEST(small_words_are_taken_and_refused)
{
	double d;
	long n;
	char text[40];
	ck_assert(ctl_parse_position("50%", &d) == 0 && d == 0.5);
	ck_assert(ctl_parse_position("0.25", &d) == 0 && d == 0.25);
	ck_assert(ctl_parse_position("1.01", &d) < 0 && ctl_parse_position("-1", &d) < 0);
	ck_assert(ctl_parse_position("nan", &d) < 0 && ctl_parse_position("", &d) < 0 && ctl_parse_position("1x", &d) < 0);
	ck_assert(ctl_parse_int("-3", -10, 10, &n) == 0 && n == -3);
	ck_assert(ctl_parse_int("11", -10, 10, &n) < 0 && ctl_parse_int("3x", -10, 10, &n) < 0);
	ck_assert_int_eq(ctl_parse_signal("KILL"), 9);
	ck_assert_int_eq(ctl_parse_signal("sigsegv"), 11);
	ck_assert_int_eq(ctl_parse_signal("19"), 19);
	ck_assert(ctl_parse_signal("BOOM") < 0 && ctl_parse_signal("0") < 0 && ctl_parse_signal("65") < 0);
	ck_assert_int_eq(ctl_parse_press("down"), 1);
	ck_assert_int_lt(ctl_parse_press("hard"), 0);
	ctl_duration(0.25, text, sizeof(text));
	ck_assert_str_eq(text, "250 ms");
	ctl_duration(182, text, sizeof(text));
	ck_assert_str_eq(text, "3 min 2 s");
	ctl_duration(90000, text, sizeof(text));
	ck_assert_str_eq(text, "1 d 1 h");
}
END_TEST

/* ------------------------------------------------------------------ what is generated */

static char *
slurp(const char *path)
{
	char full[500];
	const char *src = getenv("BH_SRC");
	snprintf(full, sizeof(full), "%s/%s", src ? src : ".", path);
	FILE *f = fopen(full, "r");
	ck_assert_msg(f != NULL, "cannot read %s", full);
	char *buf = calloc(1, 1 << 18);
	size_t n = fread(buf, 1, (1 << 18) - 1, f);
	ck_assert_uint_gt(n, 0);
	fclose(f);
	return buf;
}

static char *
generated(const char *form)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);
	ck_assert_int_eq(ctl_print_as(f, form), CTL_OK);
	fclose(f);
	return buf;
}

START_TEST(completions_are_those_of_the_table)
{
	static const char *const rows[][2] = {{"bash", "deploy/completions/bulkhead.bash"},
					      {"zsh", "deploy/completions/_bulkhead"},
					      {"fish", "deploy/completions/bulkhead.fish"}};
	char *want = generated(rows[_i][0]), *have = slurp(rows[_i][1]);
	ck_assert_msg(strcmp(want, have) == 0, "%s is old: bulkhead help --as %s > %s", rows[_i][1], rows[_i][0], rows[_i][1]);
	for (size_t i = 0; i < ctl_verb_count; i++)
		ck_assert_msg(strstr(have, ctl_verbs[i].name) != NULL, "%s", ctl_verbs[i].name);
	free(want);
	free(have);
}
END_TEST

START_TEST(the_manual_page_lists_the_verbs_of_the_table)
{
	char *want = generated("scd"), *have = slurp("docs/man/bulkhead.1.scd");
	ck_assert_msg(strstr(have, want) != NULL, "docs/man/bulkhead.1.scd is old: put in `bulkhead help --as scd`");
	for (size_t i = 0; i < ctl_verb_count; i++) {
		char line[60];
		snprintf(line, sizeof(line), "\n*%s*", ctl_verbs[i].name);
		ck_assert_msg(strstr(have, line) != NULL, "%s", ctl_verbs[i].name);
	}
	free(want);
	free(have);
}
END_TEST

START_TEST(json_escapes_what_must_be_and_has_no_word_for_infinity)
{
	struct bh_wire_out o;
	struct bh_wire_in in;
	char *buf = NULL;
	size_t len;
	bh_wire_out_init(&o);
	bh_wire_map(&o, NULL);
	bh_wire_str(&o, "a\"b", "c\\d\n\x01");
	bh_wire_float(&o, "inf", 1.0 / 0.0);
	bh_wire_float(&o, "f", -6.5);
	bh_wire_array(&o, "l");
	bh_wire_bool(&o, NULL, true);
	bh_wire_nil(&o, NULL);
	bh_wire_int(&o, NULL, -3);
	bh_wire_close(&o);
	bh_wire_close(&o);
	ck_assert_int_eq(bh_wire_in_init(&in, o.data, o.len, 4096, NULL), 0);
	FILE *f = open_memstream(&buf, &len);
	ctl_json_object(f, in.root);
	fclose(f);
	ck_assert_str_eq(buf, "{\"a\\\"b\":\"c\\\\d\\n\\u0001\",\"inf\":null,\"f\":-6.5,\"l\":[true,null,-3]}");
	free(buf);
	bh_wire_in_fini(&in);
	bh_wire_out_fini(&o);
}
END_TEST

/* ------------------------------------------------------------------ following a ring */

static struct bh_seg ring_seg;
static struct bh_ring_tx tx;

static void
ring_setup(void)
{
	struct bh_seg_fds fds;
	ck_assert_int_eq(bh_seg_create_outbox(&fds, "a>b", 4, 1, 1, 64, 0), 0);
	ck_assert_int_eq(bh_seg_map(&ring_seg, fds.rw, BH_SEG_OUTBOX, true), 0);
	ck_assert_int_eq(bh_ring_tx_attach(&tx, &ring_seg, NULL), 0); /* nobody consumes: the oldest is overwritten */
}

static void
push(uint32_t id, const char *payload)
{
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = id};
	ck_assert_int_eq(bh_ring_push(&tx, &ev, payload, payload ? strlen(payload) + 1 : 0), 0);
}

START_TEST(a_tail_sees_what_is_published_in_order_with_its_payload)
{
	struct tail t;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	char text[300];
	memset(text, 'x', sizeof(text));
	text[299] = '\0';
	ck_assert_int_eq(tail_init(&t, &ring_seg, 0), 0);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 0);
	push(1, NULL);
	push(2, "hello");
	push(3, text);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 1);
	ck_assert_uint_eq(ev.id, 1);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 1);
	ck_assert_uint_eq(len, 6);
	ck_assert_str_eq((char *)payload, "hello");
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 1);
	ck_assert_uint_eq(len, 300);
	ck_assert_str_eq((char *)payload, text);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 0);
}
END_TEST

START_TEST(a_tail_begins_some_events_back_as_far_as_there_are_any)
{
	struct tail t;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	for (uint32_t i = 1; i <= 5; i++)
		push(i, i == 4 ? "long" : NULL);
	ck_assert_int_eq(tail_init(&t, &ring_seg, 2), 0);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 1);
	ck_assert_uint_eq(ev.id, 4);
	ck_assert_int_eq(tail_init(&t, &ring_seg, 1000), 0);
	ck_assert_int_eq(tail_next(&t, &ev, payload, &len), 1);
	ck_assert_uint_eq(ev.id, 1);
}
END_TEST

START_TEST(a_tail_that_is_overtaken_says_how_much_it_missed)
{
	struct tail t;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	uint32_t seen = 0, last = 0;
	ck_assert_int_eq(tail_init(&t, &ring_seg, 0), 0);
	for (uint32_t i = 1; i <= 1000; i++)
		push(i, NULL);
	while (tail_next(&t, &ev, payload, &len)) {
		ck_assert_uint_gt(ev.id, last);
		last = ev.id;
		seen++;
	}
	ck_assert_uint_eq(last, 1000);
	ck_assert_uint_gt(seen, 16);
	ck_assert_uint_eq(seen + t.missed, 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ctl");
	TCase *args = tcase_create("command line"), *gen = tcase_create("generated"), *tail = tcase_create("tail");
	tcase_add_test(args, every_verb_has_a_help_a_group_and_something_to_run);
	tcase_add_test(args, every_verb_that_reads_has_json);
	tcase_add_test(args, every_verb_of_the_plan_is_there);
	tcase_add_test(args, options_stand_anywhere_and_negative_values_are_values);
	tcase_add_test(args, wrong_uses_are_two);
	tcase_add_test(args, bytes_are_written_as_people_write_them);
	tcase_add_test(args, what_a_device_says_is_told_in_words);
	tcase_add_test(args, a_learnt_line_is_one_that_can_be_pasted);
	tcase_add_test(args, help_may_be_asked_for_in_both_ways);
	tcase_add_test(args, the_runtime_folder_becomes_absolute);
	tcase_add_test(args, small_words_are_taken_and_refused);
	tcase_add_loop_test(gen, completions_are_those_of_the_table, 0, 3);
	tcase_add_test(gen, the_manual_page_lists_the_verbs_of_the_table);
	tcase_add_test(gen, json_escapes_what_must_be_and_has_no_word_for_infinity);
	tcase_add_checked_fixture(tail, ring_setup, NULL);
	tcase_add_test(tail, a_tail_sees_what_is_published_in_order_with_its_payload);
	tcase_add_test(tail, a_tail_begins_some_events_back_as_far_as_there_are_any);
	tcase_add_test(tail, a_tail_that_is_overtaken_says_how_much_it_missed);
	suite_add_tcase(s, args);
	suite_add_tcase(s, gen);
	suite_add_tcase(s, tail);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
