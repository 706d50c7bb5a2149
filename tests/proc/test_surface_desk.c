/*
 * bh-surface against the simulated desk, which knows what motors and hands do: it runs back to its last target unless it
 * is told otherwise, counts what is written against a finger and what is sent in vain. The router (host.h) says nothing
 * of its own unless a case does.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/feedback.h"
#include "tests/lib/host.h"
#include "tests/lib/scratch.h"
#include "tests/unit/panel.h"

static struct host h;
static struct panel panel;
static char path[108], out[128];
static pid_t desk;

static void
desk_start(const char *script)
{
	char bin[512], *argv[] = {bin, "--socket", path, "-e", (char *)script, NULL};
	posix_spawn_file_actions_t fa;
	extern char **environ;
	snprintf(bin, sizeof(bin), "%s/bh-simdesk", getenv("BH_BIN") ? getenv("BH_BIN") : "bin");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	ck_assert_int_eq(posix_spawn(&desk, bin, &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
}

/* The script's end; it must have met all its expectations. */
static void
desk_end(void)
{
	int status = -1;
	char text[4096] = "";
	ck_assert_msg(host_until(&h, 180000, waitpid(desk, &status, WNOHANG) == desk), "the script does not end");
	desk = 0;
	FILE *f = fopen(out, "r");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", text);
}

static void
surface_start(const char *link)
{
	panel_x_touch(&panel);
	host_start_surface(&h, "surface", panel.c, panel.n, "transport", "socket", "path", path, "link", link, "fader_max",
			   "16380", "fader_step", "4", "colors", "true", NULL);
}

static void
show(const char *name, uint8_t type, union bh_val v)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .id = panel_find(&panel, name), .type = type, .stamp_ns = bh_now_ns()};
	ck_assert_int_ge(bh_outbox_put(&h.out, &ev, &v, 0), 0);
	host_flush(&h);
}

static int
cell(const char *name, struct bh_cell_body *c)
{
	return bh_inbox_cell(&h.in, panel_find(&panel, name), c);
}

static void
setup(void)
{
	snprintf(path, sizeof(path), "%s/desk.%d", scratch(), getpid());
	snprintf(out, sizeof(out), "%s.out", path);
}

static void
teardown(void)
{
	if (desk)
		kill(desk, SIGTERM);
	host_stop(&h);
	unlink(path);
	unlink(out);
}

START_TEST(a_fader_stays_where_the_hand_left_it)
{
	struct bh_cell_body c;
	desk_start("set return 60s; wait peer within 30s; expect led solo_led off within 30s\n"
		   "touch 1; move 1 0.75 over 0.3s; release 1; expect target 1 0.75 within 30s; wait 1.5s\n"
		   "expect fader 1 0.75; expect target 1 0.75; expect touched_writes = 0; expect fights = 0\n"
		   "expect ran_back = 0; expect fader.messages = 1");
	surface_start("free");
	desk_end();
	ck_assert_int_eq(cell("fader1", &c), 1);
	ck_assert_double_eq_tol(c.v.f, 0.75, 0.001);
	ck_assert_uint_eq(c.flags, 0);
}
END_TEST

START_TEST(a_fader_moved_without_a_touch_stays_too)
{
	/* In one step: a hand that stands still on its way, as when the machine does, has left. */
	desk_start("set return 60s; wait peer within 30s; expect led solo_led off within 30s\n"
		   "move 2 0.5; expect target 2 0.5 within 30s; wait 1.5s; expect fader 2 0.5; expect ran_back = 0; expect fights = 0");
	surface_start("free");
	desk_end();
}
END_TEST

START_TEST(what_the_motors_report_is_no_hand)
{
	struct bh_cell_body c;
	/* Motors that are there at once: one that stood still on its way, as when the machine does, would look like a hand. */
	desk_start("set report on; set settle instant; wait peer within 30s; expect fader 3 0.9 within 30s; wait motors; wait 0.5s\n"
		   "expect fader.messages = 1");
	surface_start("free");
	show("fader3", BH_FLOAT, (union bh_val){.f = 0.9});
	desk_end();
	ck_assert_int_eq(cell("fader3", &c), 0); /* the router was told of no movement */
}
END_TEST

START_TEST(a_din_cable_carries_the_whole_desk_within_its_budget)
{
	union bh_val strip = {0};
	bh_feedback_strip(strip.s, 1, "Host", "-3.0 dB");
	surface_start("din");
	show("strip1", BH_TEXT, strip);
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_FLASH});
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.5});
	desk_start("limit din; wait peer within 30s; expect strip 1 lower \"-3.0 dB\" within 30s\n"
		   "expect strip 1 color red within 30s; expect led mute1 flash within 30s; wait 0.3s\n"
		   "expect bytes <= 411; expect odd = 0"); /* 404, and our question of 7 */
	desk_end();
}
END_TEST

START_TEST(a_desk_that_comes_back_dark_is_drawn_again)
{
	surface_start("usb");
	show("play", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	show("fader4", BH_FLOAT, (union bh_val){.f = 0.25});
	desk_start("wait peer within 30s; expect led play on within 30s; expect fader 4 0.25 within 30s; wait 0.3s\n"
		   "unplug; wait 0.3s; plug fresh; wait peer within 30s\n"
		   "expect led play on within 30s; expect fader 4 0.25 within 30s");
	desk_end();
}
END_TEST

static long
number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

/*
 * Gestures at random, in whole messages and byte by byte with active sensing between: each arrives as it was made. (What
 * is written against a finger is not asked here: a touch may be on its way while we write.)
 */
START_TEST(a_random_load_arrives_as_it_was_made)
{
	struct bh_cell_body c;
	char end_file[128], script[512], text[8192] = "", want[64];
	snprintf(end_file, sizeof(end_file), "%s.json", path);
	snprintf(script, sizeof(script),
		 "set return 60s; %s; wait peer within 30s; expect led solo_led off within 30s\n"
		 "random-load seed 7 for 3s rate %d; wait hands; wait motors within 40s; expect quiet for 300ms within 30s\n"
		 "expect ran_back = 0; expect odd = 0\nend-state \"%s\"",
		 _i ? "split on; active-sensing on" : "split off", _i ? 10 : 60, end_file);
	desk_start(script);
	surface_start("free");
	desk_end();
	FILE *f = fopen(end_file, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	unlink(end_file);
	unsigned turned = 0;
	for (int i = 1; i <= 8; i++) {
		snprintf(want, sizeof(want), "\"vpot%d\":", i);
		long ticks = number_after(text, want);
		if (!strstr(text, want))
			continue;
		char name[16];
		snprintf(name, sizeof(name), "vpot%d", i);
		c.total = 0;
		ck_assert_msg(host_until(&h, 5000, (cell(name, &c), (int32_t)c.total == ticks)), "%s: %d of %ld in %s", name,
			      (int32_t)c.total, ticks, text);
		turned++;
	}
	ck_assert_msg(turned > 0, "no V-Pot in %s", text);
	ck_assert_uint_eq(host_counter(&h, BH_CNT_LINK_ODDITIES), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("surface_desk");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_fader_stays_where_the_hand_left_it);
	tcase_add_test(t, a_fader_moved_without_a_touch_stays_too);
	tcase_add_test(t, what_the_motors_report_is_no_hand);
	tcase_add_test(t, a_din_cable_carries_the_whole_desk_within_its_budget);
	tcase_add_test(t, a_desk_that_comes_back_dark_is_drawn_again);
	tcase_add_loop_test(t, a_random_load_arrives_as_it_was_made, 0, 2);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
