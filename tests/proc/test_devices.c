/*
 * The device files as the surface process gets them, compiled by bh-config: every control where the protocol has it, and
 * capabilities as options.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/compiled.h"
#include "common/spawn.h"
#include "procs/pad/model.h"
#include "tests/lib/scratch.h"
#include "tests/unit/panel.h"

struct compiled {
	struct bh_config c;
	struct bh_options options;
	const struct bh_cfg_surface *surface;
};

static void
take(struct compiled *k, const struct bh_spawn_msg *msg, const int *fds)
{
	for (unsigned i = 0; i < msg->nfds; i++) {
		if (msg->fd[i].role == BH_FD_CONFIG)
			ck_assert_int_eq(bh_config_map(&k->c, fds[i]), 0);
		if (msg->fd[i].role == BH_FD_OPTIONS && msg->fd[i].slot == BH_SLOT_FIRST_FREE)
			ck_assert_int_eq(bh_config_map(&k->options.c, fds[i]), 0);
		close(fds[i]);
	}
}

/* A configuration with one surface of this device, through the real compiler. */
static struct compiled
compile_keys(const char *device, const char *keys)
{
	struct compiled k = {0};
	char yaml[128], bin[512], out[16], text[128];
	struct bh_spawn_msg msg;
	int pair[2], fds[BH_SPAWN_FDS], status = -1, fd = scratch_file(yaml, sizeof(yaml), "devices", NULL);
	int len = snprintf(text, sizeof(text), "bulkhead: 1\nsurfaces: { desk: { device: %s%s } }\n", device, keys);
	ck_assert_int_eq(write(fd, text, (size_t)len), len);
	close(fd);
	snprintf(bin, sizeof(bin), "%s/bh-config", getenv("BH_BIN") ? getenv("BH_BIN") : "bin");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	snprintf(out, sizeof(out), "%d", pair[1]);
	pid_t pid = fork();
	if (pid == 0) {
		execl(bin, bin, "--out", out, yaml, (char *)NULL);
		_exit(126);
	}
	close(pair[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	unlink(yaml);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s does not compile", device);
	do { /* the text that was read goes before the tables */
		ck_assert_int_eq(bh_spawn_recv(pair[0], &msg, fds, 0), 1);
		take(&k, &msg, fds);
	} while (!(msg.flags & BH_SPAWN_LAST));
	close(pair[0]);
	k.surface = bh_config_surface(&k.c, BH_SLOT_FIRST_FREE);
	ck_assert_ptr_nonnull(k.surface);
	return k;
}

static struct compiled
compile(const char *device)
{
	return compile_keys(device, "");
}

static const char *
option(const struct compiled *k, const char *key)
{
	const struct bh_cfg_option *o = bh_config_option(&k->options.c, key);
	return o ? bh_config_str(&k->options.c, o->text) : "";
}

/* Each control of the device stands in the panel, at the same place. Returns how many there are. */
static unsigned
compare(const struct compiled *k, uint16_t ignored_flags)
{
	struct panel panel;
	panel_x_touch(&panel);
	for (unsigned i = 0; i < k->surface->controls; i++) {
		const struct bh_cfg_control *is = bh_config_control(&k->c, k->surface, i);
		const struct bh_cfg_control *want = &panel.c[panel_find(&panel, is->name)];
		ck_assert_msg(is->kind == want->kind, "%s is of another kind", is->name);
		ck_assert_msg(is->addr == want->addr, "%s is at %02x, not %02x", is->name, is->addr, want->addr);
		ck_assert_msg(is->touch == want->touch, "%s: touch", is->name);
		ck_assert_msg(is->width == want->width, "%s: width", is->name);
		uint16_t flags = want->flags | (want->kind == BH_CTL_LED ? BH_CTL_HAS_LED : 0);
		ck_assert_msg((is->flags | ignored_flags) == (flags | ignored_flags), "%s: flags %x", is->name, is->flags);
	}
	return k->surface->controls;
}

START_TEST(an_x_touch_has_every_control_where_the_protocol_has_it)
{
	struct compiled k = compile("x-touch");
	struct panel panel;
	panel_x_touch(&panel);
	ck_assert_uint_eq(compare(&k, 0), panel.n);
	ck_assert_str_eq(option(&k, "fader_max"), "16380");
	ck_assert_str_eq(option(&k, "colors"), "true");
}
END_TEST

START_TEST(an_extender_has_the_strips_and_its_own_id)
{
	struct compiled k = compile("x-touch-extender");
	ck_assert_uint_eq(compare(&k, 0), 10 * 8);
	ck_assert_str_eq(option(&k, "sysex_id"), "21");
	ck_assert_str_eq(option(&k, "usb"), "1397:00b6");
}
END_TEST

START_TEST(a_generic_mackie_control_has_the_same_panel_without_colours)
{
	struct compiled k = compile("mcu-generic");
	struct panel panel;
	panel_x_touch(&panel);
	ck_assert_uint_eq(compare(&k, BH_CTL_HAS_COLOR), panel.n);
	ck_assert_str_eq(option(&k, "fader_max"), "16383");
	ck_assert_str_eq(option(&k, "colors"), "false");
}
END_TEST

START_TEST(a_game_pad_has_every_button_and_axis_that_bh_pad_knows)
{
	static const char *const buttons[PAD_BUTTONS] = {"a",  "b",  "x",    "y",     "lb",   "rb",	 "lt", "rt",   "l3",
							 "r3", "plus", "minus", "home", "capture", "up", "down", "left", "right"};
	static const char *const axes[PAD_AXES] = {"axis_lx", "axis_ly", "axis_rx", "axis_ry", "axis_zl", "axis_zr"};
	struct compiled k = compile_keys("gamepad", ", kind: pad, match: \"Pro Controller\"");
	ck_assert_uint_eq(k.surface->controls, PAD_BUTTONS + PAD_AXES);
	for (unsigned i = 0; i < k.surface->controls; i++) {
		const struct bh_cfg_control *c = bh_config_control(&k.c, k.surface, i);
		ck_assert(c->kind == BH_CTL_BUTTON || c->kind == BH_CTL_PEDAL);
		ck_assert_uint_lt(c->addr, c->kind == BH_CTL_BUTTON ? PAD_BUTTONS : PAD_AXES);
		ck_assert_str_eq(c->name, c->kind == BH_CTL_BUTTON ? buttons[c->addr] : axes[c->addr]);
	}
	ck_assert_str_eq(option(&k, "match"), "Pro Controller");
	ck_assert_str_eq(option(&k, "gamma"), "1.5");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("devices");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 30);
	tcase_add_test(t, an_x_touch_has_every_control_where_the_protocol_has_it);
	tcase_add_test(t, an_extender_has_the_strips_and_its_own_id);
	tcase_add_test(t, a_generic_mackie_control_has_the_same_panel_without_colours);
	tcase_add_test(t, a_game_pad_has_every_button_and_axis_that_bh_pad_knows);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
