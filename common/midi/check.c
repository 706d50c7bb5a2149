/* check - see check.h */
#include "common/midi/check.h"

#include "common/midi/parse.h"

/* The end of the message that begins at `i`, or 0 with what is wrong, and where. */
static size_t
one(const uint8_t *b, size_t len, size_t i, size_t *at, const char **why)
{
	uint8_t status = b[i];
	*at = i;
	if (status < 0x80) {
		*why = "a data byte without a status byte before it";
		return 0;
	}
	if (status >= BH_MIDI_CLOCK) {
		*why = "no MIDI message begins like this";
		return status == 0xf9 || status == BH_MIDI_FILLER ? 0 : i + 1;
	}
	bool sysex = status == BH_MIDI_SYSEX;
	int data = bh_midi_data_len(status);
	if (!sysex && (data < 0 || status == BH_MIDI_SYSEX_END)) {
		*why = status == BH_MIDI_SYSEX_END ? "the end of a system exclusive that has not begun" : "no MIDI message begins like this";
		return 0;
	}
	for (size_t k = i + 1; sysex || k <= i + (size_t)data; k++) {
		*at = k;
		if (k == len) {
			*why = sysex ? "the system exclusive does not end (f7)" : "the message is cut short";
			return 0;
		}
		if (sysex && b[k] == BH_MIDI_SYSEX_END)
			return k + 1;
		if (b[k] & 0x80) {
			*why = "a status byte in the middle of a message";
			return 0;
		}
		if (sysex && k - i + 2 > BH_MIDI_SYSEX_MAX) {
			*why = "the system exclusive is too long";
			return 0;
		}
	}
	return i + 1 + (size_t)data;
}

bool
bh_midi_is_whole(const uint8_t *bytes, size_t len, size_t *at, const char **why)
{
	*at = 0;
	*why = "";
	for (size_t i = 0; i < len;)
		if ((i = one(bytes, len, i, at, why)) == 0)
			return false;
	return true;
}
