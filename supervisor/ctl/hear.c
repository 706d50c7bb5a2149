/* hear.c - see hear.h */
#include "supervisor/ctl/hear.h"

#include <stdio.h>

#include "common/midi/mcu.h"

void
hear_words(const struct bh_midi_msg *msg, char *out, size_t cap)
{
	static const struct bh_mcu_opts any = {.device_id = BH_MCU_ID_ANY};
	struct bh_mcu_event ev;
	if (!bh_mcu_decode_event(&any, msg, &ev))
		ev.kind = BH_MCU_EV_OTHER;
	switch (ev.kind) {
	case BH_MCU_EV_BUTTON: {
		const char *name = bh_mcu_note_name(ev.note);
		snprintf(out, cap, "button %s%s (note %u)", name ? name : "?", ev.pressed ? " pressed" : " released", ev.note);
		return;
	}
	case BH_MCU_EV_TOUCH: snprintf(out, cap, "fader %u %s", ev.index + 1, ev.pressed ? "touched" : "let go"); return;
	case BH_MCU_EV_FADER: snprintf(out, cap, "fader %u at %u", ev.index + 1, ev.pos_14bit); return;
	case BH_MCU_EV_VPOT: snprintf(out, cap, "V-Pot %u turned by %+d", ev.index + 1, ev.ticks); return;
	case BH_MCU_EV_JOG: snprintf(out, cap, "jog wheel turned by %+d", ev.ticks); return;
	case BH_MCU_EV_PEDAL: snprintf(out, cap, "pedal at %u", ev.value); return;
	case BH_MCU_EV_ANNOUNCE: snprintf(out, cap, "says who it is: id %u", ev.device_id); return;
	case BH_MCU_EV_CONFIRMED: snprintf(out, cap, "confirms the connection"); return;
	case BH_MCU_EV_REFUSED: snprintf(out, cap, "refuses the connection"); return;
	case BH_MCU_EV_READY: snprintf(out, cap, "is ready"); return;
	case BH_MCU_EV_VERSION: snprintf(out, cap, "firmware %s", ev.version); return;
	case BH_MCU_EV_OTHER: break;
	}
	snprintf(out, cap, "%s", msg->sysex ? "a system exclusive that Mackie Control does not have" : "not of Mackie Control");
}

size_t
hear_hex(const struct bh_midi_msg *msg, char *out, size_t cap)
{
	size_t n = msg->sysex ? msg->sysex_len : 1u + msg->len, at = 0;
	out[0] = '\0';
	for (size_t i = 0; i < n && at + 4 < cap; i++) {
		uint8_t b = msg->sysex ? msg->sysex[i] : i == 0 ? msg->status : msg->data[i - 1];
		at += (size_t)snprintf(out + at, cap - at, "%s%02x", i ? " " : "", b);
	}
	return n;
}
