/*
 * bh-midi alone on a real sequencer: what it sends is read by aseqdump, what it hears comes from a
 * sequencer client of the test, and peers come and go. Runs in the guest.
 */
#include <alsa/asoundlib.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/guest/guest_lib.h"
#include "tests/lib/host.h"

#define DUMP    "/tmp/aseqdump.out"
#define CLIENTS "/proc/asound/seq/clients"

enum { SEND, NOTE, PROGRAM, PANIC, CC, BEND, SYSEX };

/* Two ports: one that others link to, and one that looks for a peer by its name. Lists are compiled
 * to a count and items. */
static void
midi_start(struct host *h)
{
	/* clang-format off */
	host_start(h, "midi",
		"client", "Bulkhead",
		"ports", "2",
		"parameters", "10",
		"routes", "4",
		"ports[0].name", "open",
		"ports[1].name", "synth",
		"ports[1].connect", "Synth:keys",
		"parameters[0].name", "open/volume",
		"parameters[0].port", "open",
		"parameters[0].number", "7",
		"parameters[0].max", "1",
		"parameters[1].name", "open/fine",
		"parameters[1].port", "open",
		"parameters[1].type", "cc14",
		"parameters[1].channel", "2",
		"parameters[1].number", "1",
		"parameters[2].name", "open/bend",
		"parameters[2].port", "open",
		"parameters[2].type", "pitchbend",
		"parameters[2].channel", "16",
		"parameters[3].name", "open/lamp",
		"parameters[3].port", "open",
		"parameters[3].type", "note",
		"parameters[3].number", "60",
		"parameters[4].name", "open/patch",
		"parameters[4].port", "open",
		"parameters[4].type", "program",
		"parameters[5].name", "synth/level",
		"parameters[5].port", "synth",
		"parameters[5].number", "11",
		"parameters[6].name", "synth/echoed",
		"parameters[6].port", "synth",
		"parameters[6].number", "12",
		"parameters[6].confirm", "echo",
		"parameters[7].name", "open/knob",
		"parameters[7].port", "open",
		"parameters[7].type", "relative",
		"parameters[7].number", "16",
		"parameters[8].name", "open/cutoff",
		"parameters[8].port", "open",
		"parameters[8].type", "nrpn",
		"parameters[8].number", "300",
		"parameters[9].name", "synth/key",
		"parameters[9].port", "synth",
		"parameters[9].type", "note",
		"parameters[9].number", "61",
		"parameters[9].values", "number",
		"routes[0].from", "synth",
		"routes[0].to", "open",
		"routes[0].types", "2",
		"routes[0].types[0].type", "note",
		"routes[0].types[1].type", "sysex",
		"routes[0].except_notes", "1",
		"routes[0].except_notes[0].range", "0-35",
		"routes[0].transform", "1",
		"routes[0].transform[0].do", "transpose",
		"routes[0].transform[0].by", "12",
		"routes[1].from", "synth",
		"routes[1].to", "open",
		"routes[1].types", "1",
		"routes[1].types[0].type", "pitchbend",
		"routes[1].transform", "1",
		"routes[1].transform[0].do", "pitchbend_to_cc",
		"routes[1].transform[0].channel", "1",
		"routes[2].from", "open",
		"routes[2].to", "synth",
		"routes[2].switch", "route/clock",
		"routes[2].types", "1",
		"routes[2].types[0].type", "realtime",
		"routes[3].from", "open",
		"routes[3].to", "open",
		"routes[3].back", "yes",
		"routes[3].switch", "route/back",
		"routes[3].start_on", "no",
		NULL);
	/* clang-format on */
}

static void
want(struct host *h, const char *param, struct bh_value v)
{
	ck_assert_int_ge(host_want(h, host_param(h, param), v, true), 0);
}

static void
expect(struct host *h, const char *param, struct bh_value v)
{
	host_expect(h, host_param(h, param), v, GUEST_WAIT_MS);
}

static void
expect_health(struct host *h, enum bh_health health, const char *reason_has)
{
	char reason[80] = "";

	if (!host_until(h, GUEST_WAIT_MS,
			host_health(h, reason, sizeof(reason)) == health &&
				strstr(reason, reason_has) != NULL))
		ck_abort_msg("health is %s: %s", bh_health_name(host_health(h, NULL, 0)), reason);
}

/* aseqdump linked to a port of bh-midi. */
static pid_t
dump_start(const char *port)
{
	pid_t pid = guest_spawn(DUMP, (const char *[]){"aseqdump", "-p", port, NULL});
	size_t at = 0;

	guest_expect_text(CLIENTS, "\"aseqdump\"", &at);
	guest_expect_text(CLIENTS, "Connected From: ", &at);
	return pid;
}

/* The synthesizer: a client of ours with one port, both ways. */
struct synth {
	snd_seq_t *seq;
	int port;
};

static void
synth_start(struct synth *s)
{
	ck_assert_int_ge(snd_seq_open(&s->seq, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK),
			 0);
	snd_seq_set_client_name(s->seq, "Synth");
	s->port = snd_seq_create_simple_port(s->seq, "keys",
					     SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ |
						     SND_SEQ_PORT_CAP_WRITE |
						     SND_SEQ_PORT_CAP_SUBS_WRITE,
					     SND_SEQ_PORT_TYPE_MIDI_GENERIC);
	ck_assert_int_ge(s->port, 0);
}

static void
synth_send(struct synth *s, snd_seq_event_t *e)
{
	snd_seq_ev_set_source(e, (unsigned char)s->port);
	snd_seq_ev_set_subs(e);
	snd_seq_ev_set_direct(e);
	ck_assert_int_ge(snd_seq_event_output_direct(s->seq, e), 0);
}

static void
synth_control(struct synth *s, int param, int value)
{
	snd_seq_event_t e;

	snd_seq_ev_clear(&e);
	snd_seq_ev_set_controller(&e, 0, param, value);
	synth_send(s, &e);
}

/* Wait for a controller event; anything else is passed over. */
static void
synth_expect_control(struct synth *s, unsigned param, int value)
{
	uint64_t end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;
	snd_seq_event_t *e;

	for (;;) {
		while (snd_seq_event_input(s->seq, &e) >= 0)
			if (e->type == SND_SEQ_EVENT_CONTROLLER && e->data.control.param == param &&
			    e->data.control.value == value)
				return;
		ck_assert_msg(bh_mono_ns() < end, "controller %u = %d did not come", param, value);
		guest_pause_ms(5);
	}
}

START_TEST(each_type_of_message_goes_out_as_aseqdump_reads_it)
{
	static struct host h;
	pid_t dump;
	size_t at = 0;

	midi_start(&h);
	dump = dump_start("Bulkhead:0");
	want(&h, "open/volume", bh_float(1));
	guest_expect_text(DUMP, "Control change          0, controller 7, value 127", &at);
	want(&h, "open/fine", bh_float(12345));
	guest_expect_text(DUMP, "Control change          1, controller 1, value 96", &at);
	guest_expect_text(DUMP, "Control change          1, controller 33, value 57", &at);
	want(&h, "open/bend", bh_float(-8192));
	guest_expect_text(DUMP, "Pitch bend             15, value -8192", &at);
	want(&h, "open/lamp", bh_bool(true));
	guest_expect_text(DUMP, "Note on                 0, note 60, velocity 127", &at);
	want(&h, "open/lamp", bh_bool(false));
	guest_expect_text(DUMP, "Note off                0, note 60", &at);
	want(&h, "open/patch", bh_int(42));
	guest_expect_text(DUMP, "Program change          0, program 42", &at);
	expect(&h, "open/patch", bh_int(42)); /* and what was sent is reported */
	expect(&h, "open/volume", bh_float(1));
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(actions_send_notes_bytes_and_panic_and_refuse_what_is_none)
{
	static struct host h;
	pid_t dump;
	size_t at = 0;

	midi_start(&h);
	dump = dump_start("Bulkhead:0");
	host_act(&h, NOTE, 0, "open", "3", "61", "99", NULL);
	guest_expect_text(DUMP, "Note on                 2, note 61, velocity 99", &at);
	host_act(&h, PROGRAM, 0, "open", "16", "5", NULL);
	guest_expect_text(DUMP, "Program change         15, program 5", &at);
	host_act(&h, SEND, 0, "open", "f0 00 00 66 14 0a 01 f7 b0 07 10", NULL);
	guest_expect_text(DUMP, "F0 00 00 66 14 0A 01 F7", &at);
	guest_expect_text(DUMP, "controller 7, value 16", &at);
	host_act(&h, PANIC, 0, NULL);
	guest_expect_text(DUMP, "Control change         15, controller 123, value 0", &at);
	ck_assert_uint_eq(h.drops, 0);
	host_act(&h, SEND, 0, "open", "9g", NULL);
	host_act(&h, NOTE, 0, "open", "17", "61", "99", NULL);
	host_act(&h, NOTE, 0, "nowhere", "1", "61", "99", NULL);
	host_act(&h, PROGRAM, 0, "open", "1", "77", NULL); /* this one is well: the fence */
	guest_expect_text(DUMP, "program 77", &at);
	want(&h, "open/volume", bh_float(0));
	expect(&h, "open/volume", bh_float(0));
	ck_assert(host_until(&h, GUEST_WAIT_MS, h.drops == 3));
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(a_peer_is_found_by_name_heard_and_told)
{
	static struct host h;
	struct synth s;

	midi_start(&h);
	expect_health(&h, BH_HEALTH_DEGRADED, "waiting for Synth:keys");
	want(&h, "synth/level", bh_float(20)); /* while it is away */
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	synth_expect_control(&s, 11, 20); /* what it missed */
	expect(&h, "synth/level", bh_float(20));
	synth_control(&s, 11, 90);
	expect(&h, "synth/level", bh_float(90));
	want(&h, "synth/level", bh_float(30));
	synth_expect_control(&s, 11, 30);
	/* It goes; its port and number go with it. It moves on while away; it comes back. */
	snd_seq_close(s.seq);
	expect_health(&h, BH_HEALTH_DEGRADED, "waiting for Synth:keys");
	want(&h, "synth/level", bh_float(31));
	want(&h, "synth/level", bh_float(32));
	synth_start(&s);
	synth_expect_control(&s, 11, 32);
	expect(&h, "synth/level", bh_float(32));
	expect_health(&h, BH_HEALTH_OK, "");
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(whoever_links_to_a_port_is_told_the_newest_values)
{
	static struct host h;
	pid_t dump;
	size_t at = 0;

	midi_start(&h);
	want(&h, "open/volume", bh_float(1));
	want(&h, "open/patch", bh_int(9));
	expect(&h, "open/patch", bh_int(9));
	dump = dump_start("Bulkhead:0");
	guest_expect_text(DUMP, "controller 7, value 127", &at);
	guest_expect_text(DUMP, "program 9", &at);
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(a_successor_knows_what_was_heard_and_links_again)
{
	static struct host h;
	struct synth s;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	want(&h, "synth/level", bh_float(20));
	synth_expect_control(&s, 11, 20);
	synth_control(&s, 11, 90); /* the synthesizer has the last word */
	expect(&h, "synth/level", bh_float(90));
	host_kill(&h);
	host_restart(&h);
	expect_health(&h, BH_HEALTH_OK, "");
	synth_expect_control(&s, 11, 90); /* not the 20 that was wanted before */
	expect(&h, "synth/level", bh_float(90));
	synth_control(&s, 11, 91);
	expect(&h, "synth/level", bh_float(91));
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(system_exclusive_passes_through_whole)
{
	static struct host h;
	struct synth s;
	pid_t dump;
	static uint8_t bytes[300] = {0xf0, 0x7d};
	snd_seq_event_t e;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	dump = dump_start("Bulkhead:0");
	bytes[298] = 0x55;
	bytes[299] = 0xf7;
	/* In two pieces, with a controller between them, as two sources on a cable may have it. */
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_sysex(&e, 100, bytes);
	synth_send(&s, &e);
	synth_control(&s, 11, 5);
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_sysex(&e, 200, bytes + 100);
	synth_send(&s, &e);
	expect(&h, "synth/level", bh_float(5));
	guest_expect_text(DUMP, "F0 7D 00 00", NULL);
	guest_expect_text(DUMP, "00 00 55 F7\n", NULL);
	char *text = guest_read(DUMP), *first = strstr(text, "F0 7D");
	ck_assert_ptr_eq(strchr(first, '\n') + 1, text + strlen(text)); /* one event, one line */
	ck_assert_uint_eq((size_t)(strchr(first, '\n') - first), 300 * 3 - 1);
	free(text);
	guest_end(&dump);
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

/* A file with a note that passes, one that does not, a bend on channel 2, and the end of the first note at velocity 64. */
static void
write_song(const char *path)
{
	static const uint8_t song[] = {'M', 'T', 'h', 'd', 0, 0, 0, 6, 0, 0, 0, 1, 0, 96, 'M', 'T', 'r', 'k', 0, 0, 0, 28,
				       0, 0x90, 60, 100, 0, 0x90, 35, 100, 0, 0xe1, 0x7f, 0x7f, 10, 0xb0, 11, 55,
				       10, 0x80, 60, 64, 10, 0x80, 35, 64, 0, 0xff, 0x2f, 0};
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(song, 1, sizeof(song), f), sizeof(song));
	fclose(f);
}

/* Both ends are not ours: aplaymidi plays into one port, aseqdump listens at the other. */
START_TEST(routes_pass_what_they_are_told_and_as_what)
{
	static struct host h;
	pid_t dump, play;
	size_t at = 0;
	char *text;

	midi_start(&h);
	dump = dump_start("Bulkhead:0");
	write_song("/tmp/song.mid");
	play = guest_spawn("/tmp/aplaymidi.out", (const char *[]){"aplaymidi", "-p", "Bulkhead:1", "/tmp/song.mid", NULL});
	guest_expect_text(DUMP, "Note on                 0, note 72, velocity 100", &at);
	guest_expect_text(DUMP, "Control change          0, controller 46, value 127", &at);
	guest_expect_text(DUMP, "Note off                0, note 72", &at);
	expect(&h, "synth/level", bh_float(55)); /* a parameter hears it, too */
	text = guest_read(DUMP);
	ck_assert_ptr_null(strstr(text, "note 35"));
	ck_assert_ptr_null(strstr(text, "note 47"));
	ck_assert_ptr_null(strstr(text, "controller 11"));
	free(text);
	guest_end(&play);
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(a_route_is_turned_off_by_its_switch_and_its_notes_end)
{
	static struct host h;
	struct synth s;
	snd_seq_event_t e;
	pid_t dump;
	size_t at = 0;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	expect(&h, "route/clock", bh_bool(true));
	expect(&h, "route/back", bh_bool(false));
	dump = dump_start("Bulkhead:0");
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteon(&e, 4, 60, 100);
	synth_send(&s, &e);
	guest_expect_text(DUMP, "Note on                 4, note 72, velocity 100", &at);
	snd_seq_close(s.seq); /* the key is never let go */
	guest_expect_text(DUMP, "Note off                4, note 72", &at);
	want(&h, "route/clock", bh_bool(false));
	expect(&h, "route/clock", bh_bool(false));
	host_kill(&h);
	host_restart(&h);
	expect(&h, "route/clock", bh_bool(false));
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

/* aconnect ties what goes out to what comes in: a virtual cable. */
START_TEST(a_loop_over_a_cable_is_cut_and_said)
{
	static struct host h;
	pid_t cable, dump;
	char reason[80] = "";
	uint64_t end;

	midi_start(&h);
	end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;
	cable = guest_spawn("/tmp/aconnect.out", (const char *[]){"aconnect", "Bulkhead:0", "Bulkhead:0", NULL});
	guest_expect_text(CLIENTS, "Connected From: 128:0", NULL);
	want(&h, "route/back", bh_bool(true));
	expect(&h, "route/back", bh_bool(true));
	/* Enough of them that the cable is busy however slow this machine is, and again should we have missed the moment. */
	do {
		for (int n = 40; n < 64; n++) {
			char note[4];

			snprintf(note, sizeof(note), "%d", n);
			host_act(&h, NOTE, 0, "open", "1", note, "99", NULL);
		}
		ck_assert_msg(bh_mono_ns() < end, "no loop was found");
	} while (!host_until(&h, 500, host_health(&h, reason, sizeof(reason)) == BH_HEALTH_DEGRADED &&
					      strncmp(reason, "loop", 4) == 0));
	/* It is alive, and the other ports go on. */
	dump = dump_start("Bulkhead:0");
	host_act(&h, CC, 0, "open", "2", "20", "21", NULL);
	guest_expect_text(DUMP, "Control change          1, controller 20, value 21", NULL);
	want(&h, "route/back", bh_bool(false));
	expect(&h, "route/back", bh_bool(false));
	guest_end(&cable);
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(only_an_echo_confirms_where_the_configuration_says_so)
{
	static struct host h;
	struct synth s;
	struct bh_value v;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	want(&h, "synth/echoed", bh_float(20.25));
	synth_expect_control(&s, 12, 20);
	want(&h, "synth/level", bh_float(7)); /* a fence: this one counts as soon as it is sent */
	expect(&h, "synth/level", bh_float(7));
	ck_assert_int_eq(host_reported(&h, host_param(&h, "synth/echoed"), &v), 0);
	synth_control(&s, 12, 20);
	expect(&h, "synth/echoed", bh_float(20.25)); /* exactly what was wanted */
	synth_control(&s, 12, 90);
	expect(&h, "synth/echoed", bh_float(90));
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

/* Not 64, and not a half. */
START_TEST(a_release_with_a_velocity_is_zero)
{
	static struct host h;
	struct synth s;
	snd_seq_event_t e;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteon(&e, 0, 61, 99);
	synth_send(&s, &e);
	expect(&h, "synth/key", bh_float(99));
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteoff(&e, 0, 61, 64);
	synth_send(&s, &e);
	expect(&h, "synth/key", bh_float(0));
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteon(&e, 0, 61, 98);
	synth_send(&s, &e);
	expect(&h, "synth/key", bh_float(98));
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_noteon(&e, 0, 61, 0);
	synth_send(&s, &e);
	expect(&h, "synth/key", bh_float(0));
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(each_direction_has_its_peer_and_health_tells_which_is_missing)
{
	static struct host h;
	struct synth s;
	size_t at = 0;

	host_start(&h, "midi", "ports", "2", "ports[0].name", "app", "ports[0].connect_from", "synth:KEY", "ports[0].connect_to", "nobody",
		   "ports[1].name", "none", "parameters", "1", "parameters[0].name", "x", "parameters[0].port", "app",
		   "parameters[0].number", "11", NULL);
	expect_health(&h, BH_HEALTH_DEGRADED, "and 1 more");
	synth_start(&s);
	expect_health(&h, BH_HEALTH_DEGRADED, "waiting for nobody (to it)");
	synth_control(&s, 11, 90);
	expect(&h, "x", bh_float(90));
	/* The exact name wins over a part of one, whenever it comes. */
	ck_assert_int_eq(host_reload(&h, "ports", "1", "ports[0].name", "app", "ports[0].connect", "syn", "parameters", "1",
				     "parameters[0].name", "x", "parameters[0].port", "app", "parameters[0].number", "11", NULL),
			 0);
	expect_health(&h, BH_HEALTH_OK, "");
	want(&h, "x", bh_float(5));
	synth_expect_control(&s, 11, 5);
	snd_seq_t *other;
	ck_assert_int_ge(snd_seq_open(&other, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK), 0);
	snd_seq_set_client_name(other, "Syn");
	ck_assert_int_ge(snd_seq_create_simple_port(other, "in",
						    SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE |
							    SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ,
						    SND_SEQ_PORT_TYPE_MIDI_GENERIC),
			 0);
	guest_expect_text(CLIENTS, "\"Syn\"", &at);
	guest_expect_text(CLIENTS, "Connected From: 128:0", &at);
	struct synth exact = {other, 0};
	synth_control(&exact, 11, 33);
	expect(&h, "x", bh_float(33));
	snd_seq_close(other);
	expect_health(&h, BH_HEALTH_OK, "");
	want(&h, "x", bh_float(6));
	synth_expect_control(&s, 11, 6);
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(knobs_nrpn_and_notes_with_a_length)
{
	static struct host h;
	pid_t dump;
	size_t at = 0;

	midi_start(&h);
	dump = dump_start("Bulkhead:0");
	expect(&h, "open/knob", bh_int(0));
	want(&h, "open/knob", bh_int(2));
	guest_expect_text(DUMP, "Control change          0, controller 16, value 2", &at);
	want(&h, "open/knob", bh_int(1));
	guest_expect_text(DUMP, "Control change          0, controller 16, value 65", &at);
	want(&h, "open/cutoff", bh_float(8193));
	guest_expect_text(DUMP, "controller 99, value 2", &at);
	guest_expect_text(DUMP, "controller 98, value 44", &at);
	guest_expect_text(DUMP, "controller 6, value 64", &at);
	guest_expect_text(DUMP, "controller 38, value 1", &at);
	host_act(&h, SYSEX, 0, "open", "7d 01", NULL);
	guest_expect_text(DUMP, "F0 7D 01 F7", &at);
	host_act(&h, NOTE, 0, "open", "3", "61", "99", "50", NULL);
	guest_expect_text(DUMP, "Note on                 2, note 61, velocity 99", &at);
	guest_expect_text(DUMP, "Note off                2, note 61", &at);
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(who_dies_before_the_end_of_a_note_leaves_it_to_the_next)
{
	static struct host h;
	struct synth s;
	snd_seq_event_t *e = NULL, on;
	pid_t dump;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	host_act(&h, NOTE, 0, "synth", "3", "62", "99", "1500", NULL);
	host_act(&h, CC, 0, "synth", "3", "20", "21", NULL);
	synth_expect_control(&s, 20, 21);
	/* And one that a route has begun; its key is never let go. */
	dump = dump_start("Bulkhead:0");
	snd_seq_ev_clear(&on);
	snd_seq_ev_set_noteon(&on, 4, 60, 100);
	synth_send(&s, &on);
	guest_expect_text(DUMP, "Note on                 4, note 72, velocity 100", NULL);
	guest_end(&dump);
	host_kill(&h);
	host_restart(&h);
	for (uint64_t end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;; guest_pause_ms(5)) {
		if (snd_seq_event_input(s.seq, &e) >= 0 && e->type == SND_SEQ_EVENT_NOTEOFF && e->data.note.note == 62)
			break;
		ck_assert_msg(bh_mono_ns() < end, "the note was not ended");
	}
	dump = dump_start("Bulkhead:0");
	guest_expect_text(DUMP, "Note off                4, note 72", NULL);
	guest_end(&dump);
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(a_reload_keeps_the_links_and_values_that_stay)
{
	static struct host h;
	struct synth s;
	pid_t pid;

	midi_start(&h);
	synth_start(&s);
	expect_health(&h, BH_HEALTH_OK, "");
	want(&h, "synth/level", bh_float(20));
	synth_expect_control(&s, 11, 20);
	expect(&h, "synth/level", bh_float(20));
	pid = h.pid;
	/* The port stays, its parameter moves to another controller, one is new, all else goes. */
	ck_assert_int_eq(host_reload(&h, "ports", "1", "ports[0].name", "synth", "ports[0].connect", "synth:ke", "parameters", "2",
				     "parameters[0].name", "synth/level", "parameters[0].port", "synth", "parameters[0].number", "21",
				     "parameters[1].name", "synth/new", "parameters[1].port", "synth", "parameters[1].number", "22",
				     NULL),
			 0);
	synth_expect_control(&s, 21, 20); /* what is known is told by the new message */
	synth_control(&s, 22, 5);
	expect(&h, "synth/new", bh_float(5));
	want(&h, "synth/level", bh_float(30));
	synth_expect_control(&s, 21, 30);
	ck_assert_int_eq(host_reload(&h, "ports", "0", "parameters", "1", "parameters[0].name", "x", "parameters[0].port", "none", NULL),
			 -EINVAL);
	want(&h, "synth/level", bh_float(31)); /* refused: all is as before */
	synth_expect_control(&s, 21, 31);
	ck_assert_int_eq(h.pid, pid);
	snd_seq_close(s.seq);
	host_stop(&h);
}
END_TEST

START_TEST(a_sequencer_that_comes_later_is_found)
{
	static struct host h;
	pid_t dump;

	/* As if it were not there: another process may not open the node. */
	ck_assert_int_eq(rename("/dev/snd/seq", "/dev/snd/seq.away"), 0);
	midi_start(&h);
	expect_health(&h, BH_HEALTH_CONNECTING, "no ALSA sequencer");
	want(&h, "open/volume", bh_float(1));
	ck_assert_int_eq(rename("/dev/snd/seq.away", "/dev/snd/seq"), 0);
	expect_health(&h, BH_HEALTH_DEGRADED, "waiting for Synth:keys"); /* now it waits for that only */
	dump = dump_start("Bulkhead:0");
	guest_expect_text(DUMP, "controller 7, value 127", NULL);
	guest_end(&dump);
	host_stop(&h);
}
END_TEST

START_TEST(a_desk_held_as_raw_midi_is_said_and_linked_when_it_is_free)
{
	struct guest_desk d;
	static struct host h;
	char hw[32];
	pid_t amidi;

	guest_desk_start(&d, false, false);
	snprintf(hw, sizeof(hw), "hw:%d,0,0", guest_desk_card());
	amidi = guest_spawn("/tmp/amidi.out", (const char *[]){"amidi", "-p", hw, "-d", NULL});
	guest_expect_text("/proc/asound/XTouch/midi0", "Owner PID", NULL);
	host_start(&h, "midi", "ports", "1", "ports[0].name", "desk", "ports[0].connect",
		   "X-Touch:X-TOUCH_INT", "parameters", "1", "parameters[0].name", "fader1",
		   "parameters[0].port", "desk", "parameters[0].type", "pitchbend", NULL);
	expect_health(&h, BH_HEALTH_DEGRADED, "held by another program");
	guest_end(&amidi);
	expect_health(&h, BH_HEALTH_OK, "");
	guest_desk_say(&d, "send e0 7c 7f");
	expect(&h, "fader1", bh_float(8188));
	/* The cable is pulled while its value changes, and plugged again: it is told the truth. */
	guest_desk_unplug(&d);
	expect_health(&h, BH_HEALTH_CONNECTING, "X-Touch:X-TOUCH_INT");
	want(&h, "fader1", bh_float(0));
	guest_desk_plug(&d);
	expect_health(&h, BH_HEALTH_OK, "");
	guest_expect_text(d.log, "INT e0 00 40\n", NULL);
	expect(&h, "fader1", bh_float(0));
	host_stop(&h);
	guest_desk_stop(&d);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi");
	TCase *tc = tcase_create("bh-midi");
	SRunner *sr;
	int failed = guest_or_skip();

	if (failed != 0)
		return failed;
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, each_type_of_message_goes_out_as_aseqdump_reads_it);
	tcase_add_test(tc, actions_send_notes_bytes_and_panic_and_refuse_what_is_none);
	tcase_add_test(tc, a_peer_is_found_by_name_heard_and_told);
	tcase_add_test(tc, whoever_links_to_a_port_is_told_the_newest_values);
	tcase_add_test(tc, a_successor_knows_what_was_heard_and_links_again);
	tcase_add_test(tc, system_exclusive_passes_through_whole);
	tcase_add_test(tc, routes_pass_what_they_are_told_and_as_what);
	tcase_add_test(tc, a_route_is_turned_off_by_its_switch_and_its_notes_end);
	tcase_add_test(tc, a_loop_over_a_cable_is_cut_and_said);
	tcase_add_test(tc, only_an_echo_confirms_where_the_configuration_says_so);
	tcase_add_test(tc, a_release_with_a_velocity_is_zero);
	tcase_add_test(tc, each_direction_has_its_peer_and_health_tells_which_is_missing);
	tcase_add_test(tc, knobs_nrpn_and_notes_with_a_length);
	tcase_add_test(tc, who_dies_before_the_end_of_a_note_leaves_it_to_the_next);
	tcase_add_test(tc, a_reload_keeps_the_links_and_values_that_stay);
	tcase_add_test(tc, a_sequencer_that_comes_later_is_found);
	tcase_add_test(tc, a_desk_held_as_raw_midi_is_said_and_linked_when_it_is_free);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
