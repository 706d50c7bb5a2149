/*
 * The whole pipeline on real MIDI: a USB desk named X-Touch on one side, a client of the ALSA
 * sequencer on the other, `bulkhead run` between them. The test owns the desk's bytes (sent and
 * recorded) and the client; aseqdump, which is not ours, listens to what reaches the client. Runs
 * in the guest.
 */
#include <alsa/asoundlib.h>
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guest/guest_lib.h"
#include "tests/lib/pipeline.h"

#define DUMP    "/tmp/aseqdump.out"
#define CLIENTS "/proc/asound/seq/clients"

/* The configuration is the one that people are shown. */
#define EXAMPLE "deploy/examples/x-touch-midi.yaml"

static struct guest_desk desk;
static struct pipeline pipe_line;
static snd_seq_t *studio; /* the peer */
static int studio_port;
static pid_t dump;
static size_t heard, shown; /* how far the dump and the desk's log have been looked at */

static void
studio_start(void)
{
	ck_assert_int_ge(snd_seq_open(&studio, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK),
			 0);
	snd_seq_set_client_name(studio, "Studio");
	studio_port = snd_seq_create_simple_port(
		studio, "io",
		SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ | SND_SEQ_PORT_CAP_WRITE |
			SND_SEQ_PORT_CAP_SUBS_WRITE,
		SND_SEQ_PORT_TYPE_MIDI_GENERIC);
	ck_assert_int_ge(studio_port, 0);
}

static void
studio_send(snd_seq_event_t *e)
{
	snd_seq_ev_set_source(e, (unsigned char)studio_port);
	snd_seq_ev_set_subs(e);
	snd_seq_ev_set_direct(e);
	ck_assert_int_ge(snd_seq_event_output_direct(studio, e), 0);
}

static void
studio_control(int number, int value)
{
	snd_seq_event_t e;

	snd_seq_ev_clear(&e);
	snd_seq_ev_set_controller(&e, 0, number, value);
	studio_send(&e);
}

static void
studio_level(int value_14bit)
{
	studio_control(7, value_14bit >> 7);
	studio_control(39, value_14bit & 127);
}

static void
studio_mute(bool on)
{
	snd_seq_event_t e;

	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteon(&e, 0, 16, on ? 127 : 0);
	studio_send(&e);
}

/* What aseqdump hears next. */
static void
expect_heard(const char *text)
{
	if (!guest_wait_text(DUMP, text, &heard))
		ck_abort_msg("the peer did not hear '%s' but:\n%s\nthe pipeline's log:\n%s", text,
			     guest_read(DUMP), pipeline_log(&pipe_line));
}

/* What the desk is told next. */
static void
expect_shown(const char *text)
{
	if (!guest_wait_text(desk.log, text, &shown))
		ck_abort_msg("the desk was not told '%s' (after byte %zu) but:\n%s\nthe pipeline's "
			     "log:\n%s",
			     text, shown, guest_read(desk.log), pipeline_log(&pipe_line));
}

/* Where the host put a motor last, after byte `from` of the desk's log; -1: nowhere. */
static int
fader_told(unsigned fader, size_t from)
{
	char *text = guest_read(desk.log), needle[16], *at;
	unsigned low, high;
	int pos = -1;

	snprintf(needle, sizeof(needle), "INT e%u ", fader);
	at = strlen(text) > from ? text + from : text + strlen(text);
	while ((at = strstr(at, needle)) != NULL) {
		at += strlen(needle);
		if (sscanf(at, "%2x %2x", &low, &high) == 2)
			pos = (int)(high << 7 | low);
	}
	free(text);
	return pos;
}

/* The motor stands at a position of 14 bits, give or take the desk's step and rounding. */
static void
expect_fader(unsigned fader, int pos, size_t from)
{
	if (!pipeline_until(GUEST_WAIT_MS, abs(fader_told(fader, from) - pos) <= 8))
		ck_abort_msg("fader %u was told %d, not %d; the pipeline's log:\n%s", fader + 1,
			     fader_told(fader, from), pos, pipeline_log(&pipe_line));
}

static size_t
log_size(void)
{
	char *text = guest_read(desk.log);
	size_t n = strlen(text);

	free(text);
	return n;
}

static void
expect_number(const char *param, double want)
{
	if (!pipeline_until(GUEST_WAIT_MS,
			    fabs(pipeline_number(&pipe_line, "midi", param) - want) < 1e-6))
		ck_abort_msg("%s is %g, not %g", param, pipeline_number(&pipe_line, "midi", param),
			     want);
}

static void
setup(void)
{
	char path[512], *yaml;
	size_t at = 0;

	heard = shown = 0;
	guest_desk_start(&desk, false, false);
	studio_start();
	dump = guest_spawn(DUMP, (const char *[]){"aseqdump", NULL});
	guest_expect_text(CLIENTS, "\"aseqdump\"", &at);
	snprintf(path, sizeof(path), "%s/" EXAMPLE, getenv("BH_SRC"));
	yaml = guest_read(path);
	ck_assert_msg(*yaml != '\0', "%s is not there", path);
	pipeline_start(&pipe_line, yaml);
	free(yaml);
	ck_assert_int_eq(
		guest_run("/tmp/o", (const char *[]){"aconnect", "Bulkhead:0", "aseqdump:0", NULL}),
		0);
}

static void
teardown(void)
{
	pipeline_stop(&pipe_line);
	pipeline_clean(&pipe_line);
	guest_end(&dump);
	snd_seq_close(studio);
	guest_desk_stop(&desk);
}

START_TEST(fader_touch_button_and_vpot_reach_the_peer)
{
	studio_control(10, 64);
	expect_number("ch1/pan", 64);
	/* A hand on the fader: 12800 of 16380 is 12802 of 16383. */
	guest_desk_say(&desk, "send 90 68 7f e0 00 20 e0 00 64 90 68 00");
	expect_heard("Note on                 0, note 104, velocity 127"); /* the touch itself */
	expect_heard("Control change          0, controller 7, value 100");
	expect_heard("Control change          0, controller 39, value 2");
	guest_desk_say(&desk,
		       "send 90 69 7f e1 7c 7f 90 69 00"); /* the stop of an X-Touch is the top */
	expect_heard("Pitch bend              1, value 8191");
	guest_desk_say(&desk, "send 90 10 7f 90 10 00");
	expect_heard("Note on                 0, note 16, velocity 127");
	guest_desk_say(&desk, "send b0 10 03");
	expect_heard("Control change          0, controller 10, value 67");
	guest_desk_say(&desk, "send b0 10 42");
	expect_heard("Control change          0, controller 10, value 65");
	guest_desk_say(&desk, "send 90 18 7f 90 18 00");
	expect_heard("Note on                 9, note 60, velocity 100");
}
END_TEST

START_TEST(the_peers_answers_light_leds_and_move_faders)
{
	studio_mute(true);
	expect_shown("INT 90 10 7f\n");
	studio_level(12345);
	expect_fader(0, 12345, 0);
	studio_mute(false);
	expect_shown("INT 90 10 00\n");
	/* Under a hand the motor stays, whatever the peer says; it follows once the hand has left.
	 */
	guest_desk_say(&desk, "send 90 68 7f e0 00 10");
	expect_heard("controller 7, value 16");
	size_t from = log_size();
	studio_level(4000);
	expect_number("ch1/level", 4000);
	studio_mute(true); /* shown after it, so what was to be told of the fader has been */
	expect_shown("INT 90 10 7f\n");
	ck_assert_int_eq(fader_told(0, from), -1);
	guest_desk_say(&desk, "send 90 68 00");
	ck_assert(pipeline_until(GUEST_WAIT_MS, fader_told(0, from) >= 0));
}
END_TEST

START_TEST(after_unplug_and_plug_the_desk_shows_the_truth_by_itself)
{
	studio_level(1000);
	studio_mute(false);
	expect_fader(0, 1000, 0);
	for (int round = 1; round <= 3; round++) {
		size_t from = log_size();
		int last = 0;

		guest_desk_unplug(&desk);
		/* Values change while it is away, while it comes, and after. */
		for (int i = 0; i < 40; i++) {
			last = 2000 * round + 100 * i;
			studio_level(last);
			studio_mute(i % 2 == 0 ? round % 2 == 0 : round % 2 == 1);
			if (i == 20)
				ck_assert_str_eq(guest_desk_say(&desk, "plug"), "ok\n");
			guest_pause_ms(20);
		}
		guest_desk_plug(&desk);
		expect_number("ch1/level", last);
		expect_fader(0, last, from);
		shown = from;
		expect_shown(round % 2 == 1 ? "INT 90 10 7f\n" : "INT 90 10 00\n");
		/* And it is the same desk to the hand: what it does arrives. */
		guest_desk_say(&desk, "send 90 18 7f 90 18 00");
		expect_heard("Note on                 9, note 60, velocity 100");
	}
	ck_assert(pipeline_all_ok(&pipe_line));
}
END_TEST

START_TEST(the_simulated_desk_with_its_motors_plays_with_the_peer)
{
	char program[512];
	int status;
	pid_t sim;
	snd_seq_event_t e;

	snprintf(program, sizeof(program), "%s/bh-simdesk", getenv("BH_BIN"));
	sim = guest_spawn(
		"/tmp/simdesk.out",
		(const char *[]){program, "--connect", desk.stream, "-e",
				 "wait peer within 30s; touch 1; move 1 0.5 over 0.5s; release 1;"
				 "expect led mute1 on within 60s; expect fader 2 0.25 within 60s;"
				 "wait motors; expect fader 1 0.5; tap mute1; expect led mute1 off "
				 "within 60s",
				 NULL});
	if (!guest_wait_text(DUMP, "Control change          0, controller 7, value", &heard))
		ck_abort_msg("the peer hears nothing of the hand; bh-simdesk: %s\nUSB desk: "
			     "%s\n%s\nlog:\n%s",
			     guest_read("/tmp/simdesk.out"), guest_desk_say(&desk, "state"),
			     guest_read("/tmp/xtouch.out"), pipeline_log(&pipe_line));
	studio_mute(true);
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_pitchbend(&e, 1, -4096);
	studio_send(&e);
	expect_heard("Note off                0, note 16");
	ck_assert_int_eq(waitpid(sim, &status, 0), sim);
	ck_assert_msg(status == 0, "bh-simdesk: %s\nthe pipeline's log:\n%s",
		      guest_read("/tmp/simdesk.out"), pipeline_log(&pipe_line));
}
END_TEST

START_TEST(a_peer_that_comes_back_is_told_what_the_desk_did_meanwhile)
{
	guest_desk_say(&desk, "send 90 68 7f e0 00 20 90 68 00");
	expect_heard("controller 7, value 32");
	snd_seq_close(studio);
	ck_assert(pipeline_until(GUEST_WAIT_MS, !pipeline_is_ok(&pipe_line, "midi")));
	guest_desk_say(&desk, "send 90 68 7f e0 00 40 90 68 00");
	studio_start();
	ck_assert(pipeline_until(GUEST_WAIT_MS, pipeline_is_ok(&pipe_line, "midi")));
	/* The client itself reads what it is told. */
	uint64_t end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;
	snd_seq_event_t *e;
	bool told = false;

	while (!told && bh_mono_ns() < end) {
		while (snd_seq_event_input(studio, &e) >= 0)
			told |= e->type == SND_SEQ_EVENT_CONTROLLER && e->data.control.param == 7 &&
				e->data.control.value == 64;
		guest_pause_ms(5);
	}
	ck_assert_msg(told, "the peer was not told the fader's place");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("real MIDI");
	TCase *tc = tcase_create("pipeline");
	SRunner *sr;
	int failed = guest_or_skip();

	if (failed != 0)
		return failed;
	tcase_set_timeout(tc, 180);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fader_touch_button_and_vpot_reach_the_peer);
	tcase_add_test(tc, the_peers_answers_light_leds_and_move_faders);
	tcase_add_test(tc, after_unplug_and_plug_the_desk_shows_the_truth_by_itself);
	tcase_add_test(tc, the_simulated_desk_with_its_motors_plays_with_the_peer);
	tcase_add_test(tc, a_peer_that_comes_back_is_told_what_the_desk_did_meanwhile);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
