/*
 * bh-surface on a USB desk, by raw MIDI and by the sequencer: found by its names, heard, rendered,
 * unplugged and plugged in again while things change. Runs in the guest; the desk is the USB
 * double, whose log has the bytes of the wire.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/feedback.h"
#include "tests/guest/guest_lib.h"
#include "tests/lib/host.h"
#include "tests/unit/panel.h"

static struct host h;
static struct panel panel;
static struct guest_desk d;
static const char *const transports[] = {"rawmidi", "sequencer"};

static void
surface_start(const char *transport)
{
	panel_x_touch(&panel);
	host_start_surface(&h, "surface", panel.c, panel.n, "transport", transport, "card",
			   "X-Touch", "port", "X-TOUCH_INT", "fader_max", "16380", "fader_step",
			   "4", "colors", "true", NULL);
}

static void
expect_health(enum bh_health health)
{
	char reason[80] = "";
	if (!host_until(&h, GUEST_WAIT_MS, host_health(&h, reason, sizeof(reason)) == health))
		ck_abort_msg("health is %s: %s", bh_health_name(host_health(&h, NULL, 0)), reason);
}

static void
show(const char *name, uint8_t type, union bh_val v)
{
	struct bh_event ev = {.kind = BH_EV_VALUE,
			      .id = panel_find(&panel, name),
			      .type = type,
			      .stamp_ns = bh_now_ns()};
	ck_assert_int_ge(bh_outbox_put(&h.out, &ev, &v, 0), 0);
	host_flush(&h);
}

static bool
position_is(const char *name, double f)
{
	struct bh_cell_body c;
	return bh_inbox_cell(&h.in, panel_find(&panel, name), &c) == 1 && c.type == BH_FLOAT &&
	       c.v.f > f - 1e-4 && c.v.f < f + 1e-4;
}

static uint32_t
total_of(const char *name)
{
	struct bh_cell_body c;
	return bh_inbox_cell(&h.in, panel_find(&panel, name), &c) == 1 ? c.total : 0;
}

/* The last of a full render: all is there. */
static void
expect_rendered(size_t *at)
{
	guest_expect_text(d.log, "INT f0 00 00 66 14 00 f7\n", at);
	guest_expect_text(d.log, "INT 90 73 00\n", at);
	guest_expect_text(d.log, "INT f0 00 00 66 14 72 07 07 07 07 07 07 07 07 f7\n", at);
	guest_expect_text(d.log, "INT f0 00 00 66 14 12 00 ", at);
	guest_expect_text(d.log, "INT d0 70\n", at);
}

START_TEST(the_desk_is_found_heard_and_rendered)
{
	size_t at = 0;
	guest_desk_start(&d, false, false);
	surface_start(transports[_i]);
	expect_health(BH_HEALTH_OK);
	expect_rendered(&at);
	ck_assert_str_eq(guest_desk_say(&d, "send 90 68 7f e0 7c 7f 90 68 00 b0 11 43"), "ok\n");
	ck_assert(host_until(&h, GUEST_WAIT_MS, total_of("vpot2") == (uint32_t)-3));
	ck_assert(position_is("fader1", 1));
	guest_expect_text(d.log, "INT e0 7c 7f\n", &at); /* set once the hand has left */
	show("mute3", BH_INT, (union bh_val){.i = BH_LIGHT_FLASH});
	guest_expect_text(d.log, "INT 90 12 01\n", &at);
	show("fader_main", BH_FLOAT, (union bh_val){.f = 0.5});
	guest_expect_text(d.log, "INT e8 00 40\n", &at);
	host_stop(&h);
	guest_expect_text(d.log, "INT 90 12 00\n", &at); /* dark */
	guest_desk_stop(&d);
}
END_TEST

START_TEST(a_pulled_cable_needs_no_command)
{
	size_t at = 0;
	guest_desk_start(&d, false, true);
	surface_start(transports[_i]);
	expect_health(BH_HEALTH_CONNECTING);
	for (int k = 0; k < 2; k++) {
		guest_desk_plug(&d);
		expect_health(BH_HEALTH_OK);
		expect_rendered(&at);
		ck_assert_str_eq(guest_desk_say(&d, "send b0 10 01"), "ok\n");
		ck_assert(host_until(&h, GUEST_WAIT_MS, total_of("vpot1") == (uint32_t)k + 1));
		guest_desk_unplug(&d);
		expect_health(BH_HEALTH_CONNECTING);
		show("play", BH_INT, (union bh_val){.i = k == 0 ? BH_LIGHT_ON : BH_LIGHT_OFF});
		show("fader2", BH_FLOAT, (union bh_val){.f = 0.25});
	}
	guest_desk_plug(&d);
	guest_expect_text(d.log, "INT e1 00 20\n", &at);
	guest_expect_text(d.log, "INT 90 5e 00\n", &at);
	expect_health(BH_HEALTH_OK);
	host_stop(&h);
	guest_desk_stop(&d);
}
END_TEST

START_TEST(the_kept_descriptor_of_a_raw_port_serves_the_successor)
{
	size_t at = 0, end;
	guest_desk_start(&d, false, false);
	surface_start("rawmidi");
	expect_rendered(&at);
	host_kill(&h);
	ck_assert_int_gt(h.device_fd, 0);
	ck_assert_str_eq(guest_desk_say(&d, "send b0 10 02"), "ok\n");
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	host_restart(&h);
	guest_expect_text(d.log, "INT 90 10 7f\n", &at);
	ck_assert(host_until(&h, GUEST_WAIT_MS, total_of("vpot1") == 2));
	show("mute2", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	end = at;
	guest_expect_text(d.log, "INT 90 11 7f\n", &end);
	char *log = guest_read(d.log);
	log[end] = '\0';
	ck_assert_msg(!strstr(log + at, "INT f0"), "more than the difference was sent: %s",
		      log + at);
	free(log);
	/* And an unplug that is seen through it. */
	guest_desk_unplug(&d);
	expect_health(BH_HEALTH_CONNECTING);
	host_stop(&h);
	close(h.device_fd); /* our copy, as the keeper's */
	guest_desk_stop(&d);
}
END_TEST

START_TEST(a_port_that_another_program_has_is_said_to_be_in_use)
{
	char reason[80];
	guest_desk_start(&d, false, false);
	pid_t dump = guest_spawn("/tmp/o", (const char *[]){"aseqdump", "-p", "X-Touch:0", NULL});
	guest_expect_text("/proc/asound/seq/clients", "\"aseqdump\"", NULL);
	guest_expect_text("/proc/asound/seq/clients", "Connected From: ", NULL);
	surface_start("rawmidi");
	ck_assert_int_eq(host_health(&h, reason, sizeof(reason)), BH_HEALTH_CONNECTING);
	ck_assert_ptr_nonnull(strstr(reason, "in use"));
	guest_end(&dump);
	expect_health(BH_HEALTH_OK); /* by itself */
	host_stop(&h);
	guest_desk_stop(&d);
}
END_TEST

int
main(void)
{
	int skip = guest_or_skip();
	if (skip)
		return skip;
	Suite *s = suite_create("desk_alsa");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 200);
	tcase_add_loop_test(t, the_desk_is_found_heard_and_rendered, 0, 2);
	tcase_add_loop_test(t, a_pulled_cable_needs_no_command, 0, 2);
	tcase_add_test(t, the_kept_descriptor_of_a_raw_port_serves_the_successor);
	tcase_add_test(t, a_port_that_another_program_has_is_said_to_be_in_use);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
