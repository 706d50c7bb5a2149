/*
 * actions - what bh-midi does when it is told to: bytes, a note, a program, panic
 *
 * In:    words, checked here
 * Out:   events at one of our ports, or at all of them
 * Fails: -EINVAL for words that are no MIDI, -ENOENT for a port that is none, -EPERM for one that
 * only hears, -EAGAIN for a full queue. An action is done once or not at all, never later.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/midi/parse.h"
#include "procs/midi/midi.h"

enum { MIDI_DO_SEND, MIDI_DO_NOTE, MIDI_DO_PROGRAM, MIDI_DO_PANIC };

const struct bh_action_desc midi_actions[] = {
	[MIDI_DO_SEND] = BH_ACTION("send", .args = "PORT BYTES",
				   .help = "MIDI bytes in hexadecimal, system exclusive too"),
	[MIDI_DO_NOTE] = BH_ACTION("note", .args = "PORT CHANNEL NOTE VELOCITY",
				   .help = "one note; velocity 0 ends it"),
	[MIDI_DO_PROGRAM] = BH_ACTION("program", .args = "PORT CHANNEL PROGRAM",
				      .help = "program change, 0 to 127"),
	[MIDI_DO_PANIC] = BH_ACTION("panic", .help = "end all notes and sound on all ports"),
	{0},
};

static int
number(const char *text, long min, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end == text || *end != '\0' || n < min || n > max ? -EINVAL : (int)n;
}

static int
send_msg(struct midi *m, int seq_port, const struct bh_midi_msg *msg)
{
	struct midi_event ev = {
		.channel = msg->status & 15, .number = msg->data[0], .value = msg->data[1]};

	if (msg->sysex != NULL)
		return midi_seq_send_sysex(m->seq, seq_port, msg->sysex, msg->sysex_len);
	switch (msg->status & 0xf0) {
	case BH_MIDI_NOTE_OFF:
		ev.kind = MIDI_EV_NOTE;
		ev.value = 0;
		break;
	case BH_MIDI_NOTE_ON: ev.kind = MIDI_EV_NOTE; break;
	case BH_MIDI_POLY_PRESSURE: ev.kind = MIDI_EV_POLY_PRESSURE; break;
	case BH_MIDI_CONTROL: ev.kind = MIDI_EV_CONTROL; break;
	case BH_MIDI_PROGRAM:
	case BH_MIDI_PRESSURE:
		ev.kind = (msg->status & 0xf0) == BH_MIDI_PROGRAM ? MIDI_EV_PROGRAM
								  : MIDI_EV_PRESSURE;
		ev.number = 0;
		ev.value = msg->data[0];
		break;
	case BH_MIDI_BEND:
		ev.kind = MIDI_EV_BEND;
		ev.number = 0;
		ev.value = (uint16_t)(msg->data[1] << 7 | msg->data[0]);
		break;
	default: return -EINVAL;
	}
	return midi_seq_send(m->seq, seq_port, &ev, NULL);
}

static int
do_send(struct midi *m, int seq_port, const struct bh_action *a)
{
	struct bh_midi_parser parser;
	struct bh_midi_msg msg;
	uint8_t bytes[BH_MIDI_SYSEX_MAX];
	int len = 0, sent = 0, r = 0;

	for (unsigned i = 1; i < a->argc && len >= 0; i++)
		len = midi_hex_add(a->argv[i], bytes, (size_t)len, sizeof(bytes));
	if (len < 0)
		return len;
	bh_midi_parser_init(&parser);
	for (int i = 0; i < len && r >= 0; i++)
		if (bh_midi_parse(&parser, bytes[i], &msg)) {
			r = send_msg(m, seq_port, &msg);
			sent++;
		}
	return r < 0 ? r : sent > 0 ? 0 : -EINVAL;
}

static int
do_panic(struct midi *m)
{
	static const uint8_t off[] = {64, 120, 123}; /* sustain, all sound, all notes */
	int r = 0;

	for (uint32_t i = 0; i < m->port_count; i++) {
		if ((m->ports[i].dir & MIDI_DIR_OUT) == 0)
			continue;
		for (unsigned n = 0; n < 16 * sizeof(off); n++) {
			struct midi_event ev = {MIDI_EV_CONTROL, (uint8_t)(n / sizeof(off)),
						off[n % sizeof(off)], 0};
			int e = midi_seq_send(m->seq, m->ports[i].seq_port, &ev, NULL);

			r = e < 0 ? e : r;
		}
	}
	return r;
}

static int
do_message(struct midi *m, int seq_port, const struct bh_action *a)
{
	int channel = a->argc > 1 ? number(a->argv[1], 1, 16) : -EINVAL;
	int first = a->argc > 2 ? number(a->argv[2], 0, 127) : -EINVAL;
	int velocity = a->argc > 3 ? number(a->argv[3], 0, 127) : -EINVAL;
	struct midi_event ev = {.kind = MIDI_EV_NOTE, .channel = (uint8_t)(channel - 1)};

	if (channel < 0 || first < 0 || (a->id == MIDI_DO_NOTE && velocity < 0))
		return -EINVAL;
	ev.number = (uint8_t)first;
	ev.value = (uint16_t)velocity;
	if (a->id == MIDI_DO_PROGRAM) {
		ev.kind = MIDI_EV_PROGRAM;
		ev.number = 0;
		ev.value = (uint16_t)first;
	}
	return midi_seq_send(m->seq, seq_port, &ev, NULL);
}

int
midi_on_action(void *data, const struct bh_action *a)
{
	struct midi *m = data;
	int64_t port;

	if (m->seq == NULL)
		return -ENOTCONN;
	if (a->id == MIDI_DO_PANIC)
		return do_panic(m);
	port = a->argc > 0 ? midi_port_by_name(m, a->argv[0]) : -EINVAL;
	if (port < 0)
		return (int)port;
	if ((m->ports[port].dir & MIDI_DIR_OUT) == 0)
		return -EPERM;
	return a->id == MIDI_DO_SEND ? do_send(m, m->ports[port].seq_port, a)
				     : do_message(m, m->ports[port].seq_port, a);
}
