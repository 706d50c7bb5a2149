/*
 * parse - see parse.h
 *
 *   state       data byte          80-EF        F0          F1-F6     F7         F8-FF
 *   idle        orphan, or runs    begin        sysex       begin     stray      as idle
 *   collecting  next, or complete  cut, begin   cut, sysex  cut       cut        untouched
 *   in sysex    collect            abort,begin  abort,sysex abort     complete   untouched
 */
#include "common/midi/parse.h"

#include <errno.h>
#include <string.h>

void
bh_midi_parser_init(struct bh_midi_parser *p)
{
	memset(p, 0, sizeof(*p));
}

void
bh_midi_parser_resync(struct bh_midi_parser *p)
{
	struct bh_midi_counters kept = p->counters;
	bh_midi_parser_init(p);
	p->counters = kept;
}

int
bh_midi_data_len(uint8_t status)
{
	switch (status & 0xf0) {
	case BH_MIDI_NOTE_OFF:
	case BH_MIDI_NOTE_ON:
	case BH_MIDI_POLY_PRESSURE:
	case BH_MIDI_CONTROL:
	case BH_MIDI_BEND: return 2;
	case BH_MIDI_PROGRAM:
	case BH_MIDI_PRESSURE: return 1;
	}
	switch (status) {
	case 0xf1:
	case 0xf3: return 1;
	case 0xf2: return 2;
	case 0xf6:
	case 0xf8:
	case 0xfa:
	case 0xfb:
	case 0xfc:
	case 0xff: return 0;
	}
	return -1;
}

static void
emit(struct bh_midi_parser *p, uint8_t status, const uint8_t *data, int len,
     struct bh_midi_msg *out)
{
	*out = (struct bh_midi_msg){ .status = status, .len = (uint8_t)len };
	if (len > 0)
		memcpy(out->data, data, (size_t)len);
	p->counters.messages++;
}

/* May stand anywhere, inside system exclusive too, and disturbs nothing. */
static bool
on_realtime(struct bh_midi_parser *p, uint8_t byte, struct bh_midi_msg *out)
{
	if (byte == BH_MIDI_FILLER)
		p->counters.filler++;
	else if (byte == BH_MIDI_ACTIVE_SENSING)
		p->counters.active_sensing++;
	else if (bh_midi_data_len(byte) < 0)
		p->counters.undefined++;
	else {
		emit(p, byte, NULL, 0, out);
		return true;
	}
	return false;
}

static void
sysex_add(struct bh_midi_parser *p, uint8_t byte)
{
	/* A parser taken over from shared memory may hold any length. */
	if (p->sysex_len >= BH_MIDI_SYSEX_MAX)
		p->too_long = 1;
	else
		p->sysex[p->sysex_len++] = byte;
}

static bool
sysex_end(struct bh_midi_parser *p, struct bh_midi_msg *out)
{
	sysex_add(p, BH_MIDI_SYSEX_END);
	p->in_sysex = 0;
	if (p->too_long) {
		p->counters.sysex_too_long++;
		return false;
	}
	emit(p, BH_MIDI_SYSEX, NULL, 0, out);
	out->sysex = p->sysex;
	out->sysex_len = p->sysex_len;
	return true;
}

static bool
on_status(struct bh_midi_parser *p, uint8_t byte, struct bh_midi_msg *out)
{
	if (p->in_sysex) {
		if (byte == BH_MIDI_SYSEX_END)
			return sysex_end(p, out);
		p->counters.sysex_aborted++;
		p->in_sysex = 0;
	} else if (p->status) {
		p->counters.cut_short++;
	}
	p->status = 0;
	p->have = 0;
	p->implied = 0;
	/* System common messages end running status, channel messages set it. */
	p->running = byte < BH_MIDI_SYSEX ? byte : 0;
	if (byte == BH_MIDI_SYSEX) {
		p->in_sysex = 1;
		p->too_long = 0;
		p->sysex_len = 0;
		sysex_add(p, byte);
	} else if (byte == BH_MIDI_SYSEX_END) {
		p->counters.stray_end++;
	} else if (bh_midi_data_len(byte) < 0) {
		p->counters.undefined++;
	} else if (bh_midi_data_len(byte) == 0) {
		emit(p, byte, NULL, 0, out);
		return true;
	} else {
		p->status = byte;
	}
	return false;
}

static bool
on_data(struct bh_midi_parser *p, uint8_t byte, struct bh_midi_msg *out)
{
	if (p->in_sysex) {
		sysex_add(p, byte);
		return false;
	}
	if (!p->status) {
		if (!p->running) {
			p->counters.orphan_data++;
			return false;
		}
		p->status = p->running;
		p->implied = 1;
	}
	int need = bh_midi_data_len(p->status);
	if (p->have < sizeof(p->data))
		p->data[p->have++] = byte;
	if (p->have < need)
		return false;
	emit(p, p->status, p->data, need < 0 ? 0 : need, out);
	if (p->implied)
		p->counters.running++;
	p->status = 0;
	p->have = 0;
	p->implied = 0;
	return true;
}

bool
bh_midi_parse(struct bh_midi_parser *p, uint8_t byte, struct bh_midi_msg *out)
{
	if (byte >= BH_MIDI_CLOCK)
		return on_realtime(p, byte, out);
	if (byte & 0x80)
		return on_status(p, byte, out);
	return on_data(p, byte, out);
}

static int
encode_sysex(struct bh_midi_encoder *e, const struct bh_midi_msg *msg, uint8_t *out, size_t cap)
{
	if (!msg->sysex || msg->sysex_len < 2 || msg->sysex_len > BH_MIDI_SYSEX_MAX ||
	    msg->sysex[0] != BH_MIDI_SYSEX || msg->sysex[msg->sysex_len - 1] != BH_MIDI_SYSEX_END)
		return -EINVAL;
	for (size_t i = 1; i + 1 < msg->sysex_len; i++)
		if (msg->sysex[i] & 0x80)
			return -EINVAL;
	if (msg->sysex_len > cap)
		return -ENOSPC;
	memcpy(out, msg->sysex, msg->sysex_len);
	e->running = 0;
	return (int)msg->sysex_len;
}

int
bh_midi_encode(struct bh_midi_encoder *e, const struct bh_midi_msg *msg, uint8_t *out, size_t cap)
{
	if (msg->status == BH_MIDI_SYSEX)
		return encode_sysex(e, msg, out, cap);
	int need = bh_midi_data_len(msg->status);
	if (msg->status < 0x80 || need < 0 || msg->len != need || (msg->data[0] & 0x80) ||
	    (msg->data[1] & 0x80))
		return -EINVAL;
	bool is_channel = msg->status < BH_MIDI_SYSEX;
	bool is_realtime = msg->status >= BH_MIDI_CLOCK;
	size_t skip = e->use_running && is_channel && e->running == msg->status;
	size_t len = 1 + (size_t)need - skip;
	if (len > cap)
		return -ENOSPC;
	if (!skip)
		*out++ = msg->status;
	memcpy(out, msg->data, (size_t)need);
	if (!is_realtime)
		e->running = is_channel ? msg->status : 0;
	return (int)len;
}
