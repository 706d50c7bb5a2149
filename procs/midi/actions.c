/*
 * actions - what bh-midi does when it is told to: bytes, a note, a controller, a program, panic
 *
 * In:    words, checked here
 * Out:   events at one of our ports, or at all of them
 * Fails: -EINVAL for words that are no MIDI, -ENOENT for a port that is none, -EPERM for one that only hears, -EAGAIN for a
 *        full queue, -ENOSPC for more notes that end later than we can keep. An action is done once or not at all.
 *
 * The end of a note with a length stands in memory that outlives us: who comes after us ends it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/midi/parse.h"
#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

enum { MIDI_DO_SEND, MIDI_DO_NOTE, MIDI_DO_PROGRAM, MIDI_DO_PANIC, MIDI_DO_CC, MIDI_DO_BEND, MIDI_DO_SYSEX };

#define LENGTH_MAX_MS 600000

const struct bh_action_desc midi_actions[] = {
	[MIDI_DO_SEND] = BH_ACTION("send", .args = "PORT BYTES [BYTES] [BYTES] [BYTES] [BYTES]",
				   .help = "MIDI bytes in hexadecimal, system exclusive too"),
	[MIDI_DO_NOTE] = BH_ACTION("note", .args = "PORT CHANNEL NOTE VELOCITY [MS]",
				   .help = "one note; velocity 0 ends it; with MS it ends by itself after so long"),
	[MIDI_DO_PROGRAM] = BH_ACTION("program", .args = "PORT CHANNEL PROGRAM [BANK]",
				      .help = "program change, 0 to 127, after the bank, 0 to 16383, if one is given"),
	[MIDI_DO_PANIC] = BH_ACTION("panic", .args = "[PORT]", .help = "end all notes and sound, on one port or all"),
	[MIDI_DO_CC] = BH_ACTION("cc", .args = "PORT CHANNEL CONTROLLER VALUE", .help = "control change, 0 to 127"),
	[MIDI_DO_BEND] = BH_ACTION("bend", .args = "PORT CHANNEL VALUE", .help = "pitch bend, 0 to 16383, rest at 8192"),
	[MIDI_DO_SYSEX] = BH_ACTION("sysex", .args = "PORT BYTES [BYTES] [BYTES] [BYTES] [BYTES]",
				    .help = "system exclusive in hexadecimal; F0 and F7 may be left out"),
	{0},
};

/* ------------------------------------------------------------------ notes that end later */

static void
off_arm(struct midi *m)
{
	uint64_t next = 0;

	for (int i = 0; i < MIDI_OFFS; i++)
		if (m->kept->off[i].due_ns != 0 && (next == 0 || m->kept->off[i].due_ns < next))
			next = m->kept->off[i].due_ns;
	bh_timer_at(m->off_timer, next, 0);
}

int
midi_off_later(struct midi *m, uint32_t port, uint8_t channel, uint8_t note, uint64_t due_ns)
{
	uint32_t hash = midi_port_hash(&m->set, port);
	struct midi_off *free_one = NULL;

	for (int i = 0; i < MIDI_OFFS; i++) {
		struct midi_off *o = &m->kept->off[i];

		if (o->due_ns != 0 && o->port == hash && o->channel == channel && o->note == note) {
			free_one = o; /* struck again: it ends with the later one */
			break;
		}
		if (o->due_ns == 0 && free_one == NULL)
			free_one = o;
	}
	if (free_one == NULL)
		return -ENOSPC;
	*free_one = (struct midi_off){.due_ns = due_ns, .port = hash, .channel = channel, .note = note};
	off_arm(m);
	return 0;
}

static void
off_do(struct midi *m, struct midi_off *o, uint64_t now)
{
	struct midi_event ev = {.kind = MIDI_EV_NOTE, .channel = o->channel & 15, .number = o->note & 127};

	for (uint32_t i = 0; i < m->set.port_count; i++)
		if (midi_port_hash(&m->set, i) == o->port && midi_seq_send(m->seq, m->set.ports[i].seq_port, &ev, NULL) == -EAGAIN) {
			o->due_ns = now + 5 * BH_NS_PER_MS;
			return;
		}
	o->due_ns = 0;
}

void
midi_off_tick(void *data)
{
	struct midi *m = data;
	uint64_t now = bh_mono_ns();

	if (m->seq == NULL)
		return; /* called again once it is there */
	for (int i = 0; i < MIDI_OFFS; i++)
		if (m->kept->off[i].due_ns != 0 && m->kept->off[i].due_ns <= now)
			off_do(m, &m->kept->off[i], now);
	off_arm(m);
}

/* ------------------------------------------------------------------ the actions */

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
	struct midi_event ev = {.channel = msg->status & 15, .number = msg->data[0], .value = msg->data[1]};

	if (msg->sysex != NULL)
		return midi_seq_send_sysex(m->seq, seq_port, msg->sysex, msg->sysex_len);
	switch (msg->status & 0xf0) {
	case BH_MIDI_NOTE_OFF:
		ev.kind = MIDI_EV_NOTE;
		ev.release = msg->data[1];
		ev.value = 0;
		break;
	case BH_MIDI_NOTE_ON: ev.kind = MIDI_EV_NOTE; break;
	case BH_MIDI_POLY_PRESSURE: ev.kind = MIDI_EV_POLY_PRESSURE; break;
	case BH_MIDI_CONTROL: ev.kind = MIDI_EV_CONTROL; break;
	case BH_MIDI_PROGRAM:
	case BH_MIDI_PRESSURE:
		ev.kind = (msg->status & 0xf0) == BH_MIDI_PROGRAM ? MIDI_EV_PROGRAM : MIDI_EV_PRESSURE;
		ev.number = 0;
		ev.value = msg->data[0];
		break;
	case BH_MIDI_BEND:
		ev.kind = MIDI_EV_BEND;
		ev.number = 0;
		ev.value = (uint16_t)(msg->data[1] << 7 | msg->data[0]);
		break;
	default:
		ev = (struct midi_event){.kind = MIDI_EV_SYSTEM, .number = msg->status,
					 .value = (uint16_t)(msg->data[1] << 7 | msg->data[0])};
		break;
	}
	return midi_seq_send(m->seq, seq_port, &ev, NULL);
}

static int
read_bytes(const struct bh_action *a, uint8_t *bytes, size_t at, size_t cap)
{
	int len = (int)at;

	for (unsigned i = 1; i < a->argc && len >= 0; i++)
		len = midi_hex_add(a->argv[i], bytes, (size_t)len, cap);
	return len;
}

static int
do_send(struct midi *m, int seq_port, const struct bh_action *a)
{
	struct bh_midi_parser parser;
	struct bh_midi_msg msg;
	uint8_t bytes[BH_MIDI_SYSEX_MAX];
	int len = read_bytes(a, bytes, 0, sizeof(bytes)), sent = 0, r = 0;

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
do_sysex(struct midi *m, int seq_port, const struct bh_action *a)
{
	uint8_t bytes[BH_MIDI_SYSEX_MAX] = {BH_MIDI_SYSEX};
	int len = read_bytes(a, bytes, 1, sizeof(bytes) - 1), from = 1;

	if (len < 2)
		return len < 0 ? len : -EINVAL;
	if (bytes[1] != BH_MIDI_SYSEX)
		from = 0;
	if (bytes[len - 1] != BH_MIDI_SYSEX_END)
		bytes[len++] = BH_MIDI_SYSEX_END;
	for (int i = from + 1; i < len - 1; i++)
		if (bytes[i] >= 0x80)
			return -EINVAL;
	return len - from < 3 ? -EINVAL : midi_seq_send_sysex(m->seq, seq_port, bytes + from, (size_t)(len - from));
}

static int
panic_port(struct midi *m, uint32_t port)
{
	static const uint8_t off[] = {64, 120, 123}; /* sustain, all sound, all notes */
	int r = 0;

	for (unsigned n = 0; n < 16 * sizeof(off); n++) {
		struct midi_event ev = {.kind = MIDI_EV_CONTROL,
					.channel = (uint8_t)(n / sizeof(off)),
					.number = off[n % sizeof(off)]};
		int e = midi_seq_send(m->seq, m->set.ports[port].seq_port, &ev, NULL);

		r = e < 0 ? e : r;
	}
	for (int i = 0; i < MIDI_OFFS; i++)
		if (m->kept->off[i].due_ns != 0 && m->kept->off[i].port == midi_port_hash(&m->set, port))
			off_do(m, &m->kept->off[i], bh_mono_ns());
	return r;
}

static int
do_panic(struct midi *m, int64_t only)
{
	int r = 0;

	for (uint32_t i = 0; i < m->set.route_count; i++)
		if (only < 0 || m->set.routes[i].to == only)
			midi_route_release(m, &m->set.routes[i]);
	for (uint32_t i = 0; i < m->set.port_count; i++) {
		int e = (only < 0 || i == only) && (m->set.ports[i].dir & MIDI_DIR_OUT) ? panic_port(m, i) : 0;

		r = e < 0 ? e : r;
	}
	return r;
}

static int
do_note(struct midi *m, uint32_t port, const struct bh_action *a, uint8_t channel)
{
	int note = a->argc > 2 ? number(a->argv[2], 0, 127) : -EINVAL;
	int velocity = a->argc > 3 ? number(a->argv[3], 0, 127) : -EINVAL;
	int ms = a->argc > 4 ? number(a->argv[4], 1, LENGTH_MAX_MS) : 0, r;
	struct midi_event ev = {.kind = MIDI_EV_NOTE, .channel = channel};

	if (note < 0 || velocity < 0 || ms < 0)
		return -EINVAL;
	ev.number = (uint16_t)note;
	ev.value = (uint16_t)velocity;
	/* Its end first: a note that cannot be ended is not begun. */
	r = ms > 0 && velocity > 0
		    ? midi_off_later(m, port, channel, (uint8_t)note, bh_mono_ns() + (uint64_t)ms * BH_NS_PER_MS)
		    : 0;
	return r < 0 ? r : midi_seq_send(m->seq, m->set.ports[port].seq_port, &ev, NULL);
}

static int
do_program(struct midi *m, int seq_port, const struct bh_action *a, uint8_t channel)
{
	int program = a->argc > 2 ? number(a->argv[2], 0, 127) : -EINVAL;
	int bank = a->argc > 3 ? number(a->argv[3], 0, 16383) : 0, n = 0, r = 0;
	struct midi_event ev[3];

	if (program < 0 || bank < 0)
		return -EINVAL;
	if (a->argc > 3) {
		struct midi_event select = {
			.kind = MIDI_EV_CONTROL14, .channel = channel, .number = 0, .value = (uint16_t)bank};
		struct midi_event halves[MIDI_OUT_MAX];

		n = midi_plain(&select, halves);
		memcpy(ev, halves, 2 * sizeof(*ev));
	}
	ev[n++] = (struct midi_event){.kind = MIDI_EV_PROGRAM, .channel = channel, .value = (uint16_t)program};
	for (int i = 0; i < n && r == 0; i++)
		r = midi_seq_send(m->seq, seq_port, &ev[i], NULL);
	return r;
}

/* One message of one or two numbers. */
static int
do_message(struct midi *m, int seq_port, const struct bh_action *a, uint8_t channel)
{
	bool is_bend = a->id == MIDI_DO_BEND;
	int first = a->argc > 2 ? number(a->argv[2], 0, is_bend ? 16383 : 127) : -EINVAL;
	int second = is_bend ? 0 : a->argc > 3 ? number(a->argv[3], 0, 127) : -EINVAL;
	struct midi_event ev = {.kind = is_bend ? MIDI_EV_BEND : MIDI_EV_CONTROL, .channel = channel};

	if (first < 0 || second < 0)
		return -EINVAL;
	ev.number = is_bend ? 0 : (uint16_t)first;
	ev.value = (uint16_t)(is_bend ? first : second);
	return midi_seq_send(m->seq, seq_port, &ev, NULL);
}

int
midi_on_action(void *data, const struct bh_action *a)
{
	struct midi *m = data;
	int64_t port = a->argc > 0 ? midi_port_by_name(&m->set, a->argv[0]) : -ENODATA;
	int seq_port, channel;

	if (m->seq == NULL)
		return -ENOTCONN;
	if (a->id == MIDI_DO_PANIC && a->argc == 0)
		return do_panic(m, -1);
	if (port < 0)
		return port == -ENODATA ? -EINVAL : (int)port;
	if ((m->set.ports[port].dir & MIDI_DIR_OUT) == 0)
		return -EPERM;
	seq_port = m->set.ports[port].seq_port;
	if (a->id == MIDI_DO_PANIC)
		return do_panic(m, port);
	if (a->id == MIDI_DO_SEND)
		return do_send(m, seq_port, a);
	if (a->id == MIDI_DO_SYSEX)
		return do_sysex(m, seq_port, a);
	channel = a->argc > 1 ? number(a->argv[1], 1, 16) - 1 : -1;
	if (channel < 0)
		return -EINVAL;
	if (a->id == MIDI_DO_NOTE)
		return do_note(m, (uint32_t)port, a, (uint8_t)channel);
	return a->id == MIDI_DO_PROGRAM ? do_program(m, seq_port, a, (uint8_t)channel)
					: do_message(m, seq_port, a, (uint8_t)channel);
}
