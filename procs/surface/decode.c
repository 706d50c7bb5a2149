/* decode - see decode.h */
#include "procs/surface/decode.h"

#include <string.h>

enum { CC_VPOT = 0x10, CC_JOG = 0x3c, CC_PEDAL = 0x2e };

static void
learn(uint16_t *map, size_t len, unsigned addr, unsigned control)
{
	if (addr < len)
		map[addr] = (uint16_t)control;
}

void
decode_init(struct decode *d, const struct bh_cfg_control *controls, unsigned n, const struct decode_options *o)
{
	memset(d, 0, sizeof(*d));
	memset(d->by_note, 0xff, sizeof(d->by_note));
	memset(d->by_touch, 0xff, sizeof(d->by_touch));
	memset(d->by_bend, 0xff, sizeof(d->by_bend));
	memset(d->by_cc, 0xff, sizeof(d->by_cc));
	d->opts.zero_is_a_tick = o->zero_is_a_tick;
	d->invert_vpots = o->invert_vpots;
	uint16_t max = o->fader_max ? o->fader_max : BH_MCU_POS_MAX, min = o->fader_min < max ? o->fader_min : 0;
	d->snap = o->fader_snap;
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		d->travel.fader[i] = (struct travel){.min = min, .max = max};
		if (o->measured && o->measured->fader[i].max)
			d->travel.fader[i] = o->measured->fader[i];
	}
	for (unsigned i = 0; i < n && i < BH_MAX_CONTROLS; i++) {
		const struct bh_cfg_control *c = &controls[i];
		d->kind[i] = c->kind;
		switch ((enum bh_control_kind)c->kind) {
		case BH_CTL_FADER:
			learn(d->by_bend, 16, c->addr, i);
			learn(d->by_touch, 128, c->touch, i);
			break;
		case BH_CTL_BUTTON: learn(d->by_note, 128, c->addr, i); break;
		case BH_CTL_VPOT:
		case BH_CTL_JOG:
		case BH_CTL_PEDAL: learn(d->by_cc, 128, c->addr, i); break;
		case BH_CTL_STRIP:
		case BH_CTL_METER:
		case BH_CTL_DIGITS:
		case BH_CTL_LED:
		case BH_CTL_KIND_COUNT: break;
		}
	}
}

static bool
on_note(const struct decode *d, uint8_t note, bool on, struct surface_event *ev)
{
	ev->on = on;
	if (d->by_touch[note & 0x7f] != DECODE_NONE) {
		ev->kind = SURFACE_TOUCH;
		ev->control = d->by_touch[note & 0x7f];
		return true;
	}
	ev->kind = SURFACE_BUTTON;
	ev->control = d->by_note[note & 0x7f];
	return ev->control != DECODE_NONE;
}

static bool
on_cc(const struct decode *d, uint8_t cc, enum bh_control_kind kind, struct surface_event *ev)
{
	ev->control = d->by_cc[cc];
	return ev->control != DECODE_NONE && d->kind[ev->control] == kind;
}

bool
decode_message(const struct decode *d, const struct bh_midi_msg *msg, struct surface_event *ev)
{
	struct bh_mcu_event m;
	memset(ev, 0, sizeof(*ev));
	if (!bh_mcu_decode_event(&d->opts, msg, &m))
		return false;
	switch (m.kind) {
	case BH_MCU_EV_BUTTON: return on_note(d, m.note, m.pressed, ev);
	case BH_MCU_EV_TOUCH: return on_note(d, (uint8_t)(BH_MCU_NOTE_TOUCH + m.index), m.pressed, ev);
	case BH_MCU_EV_FADER:
		ev->kind = SURFACE_MOVE;
		ev->control = d->by_bend[m.index];
		ev->pos_14bit = m.pos_14bit;
		ev->unit = travel_unit(&d->travel.fader[m.index], d->snap, m.pos_14bit);
		return ev->control != DECODE_NONE;
	case BH_MCU_EV_VPOT:
		ev->kind = SURFACE_TURN;
		ev->ticks = d->invert_vpots ? -m.ticks : m.ticks;
		return on_cc(d, (uint8_t)(CC_VPOT + m.index), BH_CTL_VPOT, ev);
	case BH_MCU_EV_JOG:
		ev->kind = SURFACE_TURN;
		ev->ticks = m.ticks;
		return on_cc(d, CC_JOG, BH_CTL_JOG, ev);
	case BH_MCU_EV_PEDAL:
		ev->kind = SURFACE_PEDAL;
		ev->unit = (double)m.value / 127;
		return on_cc(d, CC_PEDAL, BH_CTL_PEDAL, ev);
	case BH_MCU_EV_ANNOUNCE:
	case BH_MCU_EV_CONFIRMED:
	case BH_MCU_EV_READY:
		ev->kind = SURFACE_ANNOUNCE;
		ev->device = m;
		return true;
	case BH_MCU_EV_VERSION:
		ev->kind = SURFACE_VERSION;
		ev->device = m;
		return true;
	case BH_MCU_EV_REFUSED: /* nothing we can do about it; it works all the same */
	case BH_MCU_EV_OTHER: return false;
	}
	return false;
}
