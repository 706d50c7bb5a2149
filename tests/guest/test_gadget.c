/*
 * The harness itself: the USB double is seen, named, heard, spoken to and unplugged by programs
 * that are not ours (amidi, aconnect, aseqdump). Runs in the guest.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guest/guest_lib.h"

#define DUMP "/tmp/aseqdump.out"

static pid_t
dump_start(void)
{
	pid_t pid = guest_spawn(DUMP, (const char *[]){"aseqdump", "-p", "X-Touch:0", NULL});
	size_t at = 0;

	/* Its own first line stays in its buffer until an event comes: ask the kernel instead. */
	guest_expect_text("/proc/asound/seq/clients", "\"aseqdump\"", &at);
	guest_expect_text("/proc/asound/seq/clients", "Connected From: ", &at);
	return pid;
}

START_TEST(alsa_shows_the_desk_by_its_usb_names)
{
	struct guest_desk d;
	char *text;

	guest_desk_start(&d, false, false);
	text = guest_read("/proc/asound/XTouch/usbid");
	ck_assert_str_eq(text, "1397:00b4\n");
	free(text);
	ck_assert_int_eq(guest_run("/tmp/o", (const char *[]){"amidi", "-l", NULL}), 0);
	guest_expect_text("/tmp/o", "X-Touch X-TOUCH_INT", NULL);
	guest_expect_text("/tmp/o", "X-Touch X-TOUCH_EXT", NULL);
	ck_assert_int_eq(guest_run("/tmp/o", (const char *[]){"aconnect", "-l", NULL}), 0);
	guest_expect_text("/tmp/o", "0 'X-Touch X-TOUCH_INT'", NULL);
	guest_expect_text("/tmp/o", "1 'X-Touch X-TOUCH_EXT'", NULL);
	guest_desk_stop(&d);
}
END_TEST

START_TEST(aseqdump_hears_the_desk)
{
	struct guest_desk d;
	pid_t dump;
	size_t at = 0;

	guest_desk_start(&d, false, false);
	dump = dump_start();
	/* Running status, and realtime inside a sysex, as a desk may send them. */
	guest_desk_say(&d, "send 90 10 7f 10 00 e3 7c 7f b0 10 41 f0 00 00 66 fe 14 12 00 41 f7");
	guest_expect_text(DUMP, "Note on                 0, note 16, velocity 127", &at);
	guest_expect_text(DUMP, "Note off                0, note 16", &at);
	guest_expect_text(DUMP, "Pitch bend              3, value 8188", &at);
	guest_expect_text(DUMP, "Control change          0, controller 16, value 65", &at);
	guest_expect_text(DUMP, "F0 00 00 66 14 12 00 41 F7", &at);
	guest_end(&dump);
	guest_desk_stop(&d);
}
END_TEST

START_TEST(what_amidi_sends_reaches_the_desk_whole)
{
	struct guest_desk d;
	char hw[32], bytes[512] = "f0", expected[512] = "INT f0";
	size_t at = 0;

	/* The X-Touch's largest: a whole display line, 112 bytes with its text. */
	for (int i = 0; i < 110; i++) {
		sprintf(bytes + strlen(bytes), " %02x", i);
		sprintf(expected + strlen(expected), " %02x", i);
	}
	strcat(bytes, " f7");
	strcat(expected, " f7\n");
	guest_desk_start(&d, false, false);
	snprintf(hw, sizeof(hw), "hw:%d,0,0", guest_desk_card());
	ck_assert_int_eq(guest_run("/tmp/o", (const char *[]){"amidi", "-p", hw, "-S",
							      "90 10 01 e8 2c 62 b0 30 16", NULL}),
			 0);
	guest_expect_text(d.log, "INT 90 10 01\n", &at);
	guest_expect_text(d.log, "INT e8 2c 62\n", &at);
	guest_expect_text(d.log, "INT b0 30 16\n", &at);
	ck_assert_int_eq(
		guest_run("/tmp/o", (const char *[]){"amidi", "-p", hw, "-S", bytes, NULL}), 0);
	guest_expect_text(d.log, expected, &at);
	snprintf(hw, sizeof(hw), "hw:%d,0,1", guest_desk_card());
	ck_assert_int_eq(
		guest_run("/tmp/o", (const char *[]){"amidi", "-p", hw, "-S", "c5 07", NULL}), 0);
	guest_expect_text(d.log, "EXT c5 07\n", &at);
	guest_desk_stop(&d);
}
END_TEST

START_TEST(the_stream_socket_carries_both_directions)
{
	struct guest_desk d;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = GUEST_WAIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t bytes[3];
	char hw[32];
	pid_t dump;

	guest_desk_start(&d, false, false);
	strcpy(a.sun_path, d.stream);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	dump = dump_start();
	ck_assert_int_eq(send(fd, "\x90\x68\x7f", 3, 0), 3);
	guest_expect_text(DUMP, "note 104, velocity 127", NULL);
	guest_end(&dump); /* sequencer and rawmidi exclude each other */
	snprintf(hw, sizeof(hw), "hw:%d,0,0", guest_desk_card());
	ck_assert_int_eq(
		guest_run("/tmp/o", (const char *[]){"amidi", "-p", hw, "-S", "e0 00 40", NULL}),
		0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(recv(fd, bytes, 3, MSG_WAITALL), 3);
	ck_assert_mem_eq(bytes, "\xe0\x00\x40", 3);
	close(fd);
	guest_desk_stop(&d);
}
END_TEST

START_TEST(the_simulated_desk_can_sit_at_the_other_end)
{
	struct guest_desk d;
	char program[512], hw[32];
	int status;
	pid_t dump, sim;

	snprintf(program, sizeof(program), "%s/bh-simdesk", getenv("BH_BIN"));
	guest_desk_start(&d, false, false);
	dump = dump_start();
	sim = guest_spawn("/tmp/simdesk.out",
			  (const char *[]){program, "--connect", d.stream, "-e",
					   "wait peer within 20s; touch 1; move 1 0.75; release 1;"
					   "expect led mute1 on within 20s",
					   NULL});
	guest_expect_text(DUMP, "note 104, velocity 127", NULL);
	guest_expect_text(DUMP, "Pitch bend              0, value ", NULL);
	guest_end(&dump);
	snprintf(hw, sizeof(hw), "hw:%d,0,0", guest_desk_card());
	ck_assert_int_eq(
		guest_run("/tmp/o", (const char *[]){"amidi", "-p", hw, "-S", "90 10 7f", NULL}),
		0);
	ck_assert_int_eq(waitpid(sim, &status, 0), sim);
	ck_assert_msg(status == 0, "bh-simdesk: %s", guest_read("/tmp/simdesk.out"));
	guest_desk_stop(&d);
}
END_TEST

START_TEST(the_cable_can_be_pulled_and_plugged_again)
{
	struct guest_desk d;
	pid_t dump;

	guest_desk_start(&d, false, false);
	dump = dump_start();
	guest_desk_unplug(&d);
	guest_expect_text(DUMP, "Port unsubscribed", NULL);
	guest_end(&dump);
	ck_assert_int_eq(strncmp(guest_desk_say(&d, "send 90 10 7f"), "error", 5), 0);
	guest_desk_plug(&d);
	dump = dump_start();
	guest_desk_say(&d, "send 90 11 7f");
	guest_expect_text(DUMP, "note 17, velocity 127", NULL);
	guest_end(&dump);
	guest_desk_stop(&d);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gadget");
	TCase *tc = tcase_create("desk");
	SRunner *sr;
	int failed = guest_or_skip();

	if (failed != 0)
		return failed;
	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, alsa_shows_the_desk_by_its_usb_names);
	tcase_add_test(tc, aseqdump_hears_the_desk);
	tcase_add_test(tc, what_amidi_sends_reaches_the_desk_whole);
	tcase_add_test(tc, the_stream_socket_carries_both_directions);
	tcase_add_test(tc, the_simulated_desk_can_sit_at_the_other_end);
	tcase_add_test(tc, the_cable_can_be_pulled_and_plugged_again);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
