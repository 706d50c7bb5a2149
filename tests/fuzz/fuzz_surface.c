/*
 * A surface between a device that sends anything and a router that wants anything: what goes to the device is always whole,
 * valid messages, no touched fader is driven, and all comes to rest.
 *
 * The input is a program: one byte of what to do, then its arguments.
 */
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/surface/decode.h"
#include "procs/surface/input.h"
#include "tests/unit/panel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct panel panel;
static struct decode decode;
static struct shadow shadow;
static struct shadow_memory memory;
static struct input input;
static struct bh_bytes_head head;
static uint8_t ring[INPUT_RING_MIN];
static struct bh_midi_parser device;
static uint64_t now;

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t
take(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	--*size;
	return *(*data)++;
}

static void
device_says(const uint8_t **data, size_t *size)
{
	struct bh_midi_msg m;
	struct surface_event ev;
	size_t room, n = take(data, size);
	uint8_t *at = input_room(&input, &room);
	if (n > *size)
		n = *size;
	if (n > room)
		n = room;
	memcpy(at, *data, n);
	*data += n;
	*size -= n;
	input_got(&input, n);
	while (input_next(&input, &m)) {
		if (decode_message(&decode, &m, &ev)) {
			demand(ev.kind == SURFACE_ANNOUNCE || ev.kind == SURFACE_VERSION || ev.control < panel.n);
			if (ev.kind == SURFACE_MOVE)
				shadow_hand(&shadow, ev.control, ev.pos_14bit, now);
			if (ev.kind == SURFACE_TOUCH)
				shadow_touch(&shadow, ev.control, ev.on);
			if (ev.kind == SURFACE_BUTTON)
				shadow_refuse(&shadow, ev.control, ev.on);
		}
		input_done(&input);
	}
}

static void
router_wants(const uint8_t **data, size_t *size)
{
	union bh_val v = {0};
	unsigned control = take(data, size);
	uint8_t type = take(data, size) % 8;
	size_t n = take(data, size) % (sizeof(v) + 1);
	for (size_t i = 0; i < n; i++)
		v.s[i] = (char)take(data, size);
	shadow_feedback(&shadow, control, 0, type, &v);
}

static void
device_takes(const uint8_t *bytes, size_t len)
{
	static const struct bh_mcu_opts any = {0};
	for (size_t i = 0; i < len; i++) {
		struct bh_midi_msg m;
		struct bh_mcu_cmd cmd;
		if (!bh_midi_parse(&device, bytes[i], &m))
			continue;
		demand(bh_mcu_decode_cmd(&any, &m, &cmd));
		demand(cmd.kind != BH_MCU_CMD_FADER || !shadow_is_touched(&shadow, cmd.index));
	}
	demand(device.counters.cut_short + device.counters.orphan_data + device.counters.sysex_aborted == 0);
}

static uint64_t
render(void)
{
	uint8_t buf[SHADOW_BATCH];
	uint64_t again;
	size_t len;
	while ((len = shadow_next(&shadow, now, buf, sizeof(buf), &again)) > 0) {
		demand(len <= sizeof(buf));
		device_takes(buf, len);
		shadow_written(&shadow, len / 2);
		shadow_written(&shadow, len - len / 2);
	}
	return again;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct decode_options o = {.fader_max = 16380};
	struct surface_caps caps = panel_caps();
	uint8_t how = take(&data, &size);
	caps.running_status = how & 1;
	caps.bytes_per_s = how & 2 ? 3125 : 0;
	panel_x_touch(&panel);
	decode_init(&decode, panel.c, panel.n, &o);
	memset(&memory, 0, sizeof(memory));
	memset(&device, 0, sizeof(device));
	memset(&head, 0, sizeof(head));
	memset(ring, BH_MIDI_FILLER, sizeof(ring));
	shadow_init(&shadow, &memory, panel.c, panel.n, &caps);
	demand(input_init(&input, ring, sizeof(ring), &head) == 0);
	now = BH_NS_PER_S;
	while (size > 0) {
		switch (take(&data, &size) % 5) {
		case 0: device_says(&data, &size); break;
		case 1: router_wants(&data, &size); break;
		case 2: now += take(&data, &size) * BH_NS_PER_MS; break;
		case 3: render(); break;
		case 4: shadow_init(&shadow, &memory, panel.c, panel.n, &caps); break; /* a successor */
		}
	}
	for (unsigned n = 0; n < panel.n; n++)
		shadow_touch(&shadow, n, false);
	for (unsigned k = 0; k < 2000 && !shadow_is_settled(&shadow); k++) {
		uint64_t again = render();
		now = again > now ? again : now + BH_NS_PER_MS;
	}
	demand(shadow_is_settled(&shadow));
	return 0;
}
