/* The verbs that work on a surface itself, against the real pipeline and the simulated desk. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

static struct pipeline p;
static struct simdesk *desk;
static char out[1 << 18];

static const char yaml[] = "bulkhead: 1\n"
			   "surfaces:\n"
			   "  desk: { device: x-touch, transport: socket, path: @DIR@/desk.sock }\n"
			   "drivers:\n"
			   "  loop: { kind: loop, channels: 4 }\n"
			   "pages:\n"
			   "  - name: Mix\n"
			   "    bindings:\n"
			   "      fader1: loop/ch1/level\n"
			   "      mute1: loop/ch1/mute\n"
			   "      vpot1: { relative: loop/ch1/pan, step: 0.1 }\n"
			   "      strip1: { strip: loop/ch1/level, text: Host, color: red }\n"
			   "global:\n"
			   "  bindings:\n"
			   "    f8: { action: loop/mark }\n";

#define tool(...) pipeline_tool(&p, out, sizeof(out), "bulkhead", __VA_ARGS__, NULL)
#define expect(code, ...)                                                                          \
	do {                                                                                       \
		int got_ = tool(__VA_ARGS__);                                                      \
		ck_assert_msg(got_ == (code), "exit %d, not %d:\n%s\n%s", got_, code, out, pipeline_log(&p)); \
	} while (0)

static void
setup(void)
{
	pipeline_prepare(&p, yaml);
	desk = simdesk_start(p.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	pipeline_run(&p);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&p)), "not all are ok:\n%s", pipeline_log(&p));
	simdesk_must(desk, "wait peer"); /* or what hands do is heard by nobody */
	ck_assert_msg(pipeline_until(10000, tool("version") == 0 && strstr(out, "running")), "bh-control does not answer:\n%s", out);
}

static void
teardown(void)
{
	pipeline_stop(&p);
	simdesk_stop(desk);
	pipeline_clean(&p);
}

static bool
is_json(void)
{
	FILE *f = popen("python3 -m json.tool --json-lines >/dev/null 2>&1", "w");
	ck_assert_ptr_nonnull(f);
	fputs(out, f);
	return pclose(f) == 0;
}

/* ------------------------------------------------------------------ a tool that runs while something is done */

struct running {
	FILE *f;
	size_t len;
};

/* Start it, and read until it has said `word` (on either output). */
static void
begin(struct running *r, const char *args, const char *word)
{
	char line[512];
	const char *bin = getenv("BH_BIN");
	snprintf(line, sizeof(line), "exec %s/bulkhead %s 2>&1 </dev/null", bin ? bin : "bin", args);
	r->f = popen(line, "r");
	r->len = 0;
	ck_assert_ptr_nonnull(r->f);
	out[0] = '\0';
	for (int c; !strstr(out, word);) {
		c = fgetc(r->f);
		ck_assert_msg(c != EOF, "it ended before it said \"%s\":\n%s", word, out);
		out[r->len++] = (char)c;
		out[r->len] = '\0';
	}
}

/* The rest of what it says; its exit code. */
static int
end(struct running *r)
{
	r->len += fread(out + r->len, 1, sizeof(out) - 1 - r->len, r->f);
	out[r->len] = '\0';
	int status = pclose(r->f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ------------------------------------------------------------------ learn */

#define LEARNS "turn a knob"

START_TEST(learn_tells_what_a_hand_has_moved)
{
	struct running r;
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "move 1 0.5 over 50ms touching");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/fader1: a fader") && strstr(out, "value loop/ch1/level") && strstr(out, "pipeline.yaml:9:"),
		      "%s", out);
	ck_assert_msg(strstr(out, "\n  fader1: loop/"), "%s", out);

	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "tap mute3");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/mute3: a button, pressed") && strstr(out, "on page 1 (Mix) not bound"), "%s", out);
	/* A switch that nothing on the page has yet, of the same strip. */
	ck_assert_msg(strstr(out, "mute3: loop/ch3/"), "%s", out);

	begin(&r, "learn desk", LEARNS);
	simdesk_must(desk, "turn 2 3");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "desk/vpot2: a vpot, turned") && strstr(out, "vpot2: { relative: loop/ch2/pan, step: "), "%s", out);

	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "tap f8");
	ck_assert_msg(end(&r) == 0, "%s", out);
	ck_assert_msg(strstr(out, "action loop/mark (global)") && strstr(out, "pipeline.yaml:15:"), "%s", out);
}
END_TEST

START_TEST(the_line_that_learn_gives_is_one_that_checks)
{
	char path[128], text[2048], *line;
	struct running r;
	begin(&r, "learn", LEARNS);
	simdesk_must(desk, "turn 3 1");
	ck_assert_msg(end(&r) == 0, "%s", out);
	line = strstr(out, "vpot3: {");
	ck_assert_msg(line != NULL, "%s", out);
	snprintf(text, sizeof(text), "bulkhead: 1\nsurfaces:\n  desk: { device: x-touch }\ndrivers:\n  loop: { kind: loop, channels: 4 }\n"
				     "pages:\n  - name: Mix\n    bindings:\n      %s", line);
	snprintf(path, sizeof(path), "%s/pasted.yaml", p.dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	expect(0, "check", path);
}
END_TEST

START_TEST(learn_without_end_tells_each_once_and_gives_up_in_time)
{
	struct running r;
	expect(1, "learn", "--timeout", "50ms");
	ck_assert_msg(strstr(out, "no hand has moved anything"), "%s", out);
	expect(2, "learn", "dsk", "--timeout", "1");
	ck_assert_msg(strstr(out, "did you mean \"desk\""), "%s", out);
	expect(2, "learn", "--timeout", "soon");
	begin(&r, "learn --all --timeout 10s", LEARNS);
	simdesk_must(desk, "move 2 0.5 over 50ms touching; tap solo1; tap solo1; turn 4 -2");
	ck_assert_msg(end(&r) == 0, "%s", out);
	const char *fader = strstr(out, "desk/fader2"), *solo = strstr(out, "desk/solo1"), *vpot = strstr(out, "desk/vpot4");
	ck_assert_msg(fader && solo && vpot && fader < solo && solo < vpot, "%s", out);
	ck_assert_msg(!strstr(solo + 1, "desk/solo1"), "%s", out);
	expect(1, "learn", "--json", "--timeout", "50ms");
	ck_assert_msg(is_json(), "%s", out);
}
END_TEST

START_TEST(without_a_pipeline_they_say_so_by_four)
{
	static const char *const lines[][4] = {{"learn", NULL}};
	pipeline_prepare(&p, yaml);
	for (unsigned i = 0; i < BH_ARRAY_LEN(lines); i++) {
		int got = pipeline_tool(&p, out, sizeof(out), "bulkhead", lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL);
		ck_assert_msg(got == 4, "%s: exit %d: %s", lines[i][0], got, out);
	}
	pipeline_clean(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("verbs");
	TCase *none = tcase_create("no pipeline"), *t = tcase_create("pipeline");
	tcase_set_timeout(none, 60);
	tcase_add_test(none, without_a_pipeline_they_say_so_by_four);
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, learn_tells_what_a_hand_has_moved);
	tcase_add_test(t, the_line_that_learn_gives_is_one_that_checks);
	tcase_add_test(t, learn_without_end_tells_each_once_and_gives_up_in_time);
	suite_add_tcase(s, none);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
