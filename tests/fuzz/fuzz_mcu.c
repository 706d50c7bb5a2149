/*
 * Any bytes as Mackie Control, both directions: what decodes is in range, and what is encoded from it
 * decodes to the same struct. The bytes are also taken as text for a display.
 */
#include <stdlib.h>
#include <string.h>

#include "common/midi/mcu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static struct bh_midi_msg
parse_one(struct bh_midi_parser *p, const uint8_t *bytes, int len)
{
	struct bh_midi_msg msg = {0};
	bool got = false;
	for (int i = 0; i < len; i++)
		got = bh_midi_parse(p, bytes[i], &msg);
	demand(got);
	return msg;
}

static void
try_event(const struct bh_mcu_opts *opts, const struct bh_midi_msg *m)
{
	struct bh_mcu_event ev, back;
	if (!bh_mcu_decode_event(opts, m, &ev))
		return;
	demand(ev.index < BH_MCU_FADERS && ev.pos_14bit <= BH_MCU_POS_MAX);
	demand(ev.ticks >= -BH_MCU_TICKS_MAX && ev.ticks <= BH_MCU_TICKS_MAX);
	uint8_t bytes[BH_MCU_BYTES_MAX];
	struct bh_midi_parser p = {0};
	int len = bh_mcu_encode_event(ev.device_id, NULL, &ev, bytes, sizeof(bytes));
	demand(len > 0);
	struct bh_midi_msg again = parse_one(&p, bytes, len);
	demand(bh_mcu_decode_event(opts, &again, &back) && back.kind == ev.kind &&
	       back.ticks == ev.ticks && back.pos_14bit == ev.pos_14bit && back.note == ev.note);
}

static void
try_cmd(const struct bh_mcu_opts *opts, const struct bh_midi_msg *m)
{
	struct bh_mcu_cmd cmd, back;
	if (!bh_mcu_decode_cmd(opts, m, &cmd))
		return;
	demand(cmd.text_len <= BH_MCU_LCD_CELLS && cmd.index < BH_MCU_DIGITS);
	uint8_t bytes[BH_MCU_BYTES_MAX];
	struct bh_midi_parser p = {0};
	int len = bh_mcu_encode_cmd(cmd.device_id, NULL, &cmd, bytes, sizeof(bytes));
	/* A display takes glyph codes that we never send. */
	if (cmd.kind == BH_MCU_CMD_LCD && len < 0)
		return;
	demand(len > 0);
	struct bh_midi_msg again = parse_one(&p, bytes, len);
	demand(bh_mcu_decode_cmd(opts, &again, &back) && memcmp(&back, &cmd, sizeof(cmd)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct bh_mcu_opts opts = {.device_id = data[0] & 0x1f, .zero_is_a_tick = data[0] & 0x80};
	struct bh_midi_parser p = {0};
	for (size_t i = 1; i < size; i++) {
		struct bh_midi_msg m;
		if (!bh_midi_parse(&p, data[i], &m))
			continue;
		try_event(&opts, &m);
		try_cmd(&opts, &m);
	}
	char text[64];
	bh_mcu_text((const char *)data, size, text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		demand(bh_mcu_is_display_char((uint8_t)text[i]));
	return 0;
}
