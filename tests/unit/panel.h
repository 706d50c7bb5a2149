/* An X-Touch's panel as compiled controls, for tests of the surface. Same controls as deploy/devices/x-touch.yaml. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/config/compiled.h"
#include "common/midi/mcu.h"
#include "procs/surface/shadow.h"

struct panel {
	struct bh_cfg_control c[BH_MAX_CONTROLS];
	unsigned n;
};

static inline void
panel_add(struct panel *p, const char *name, int number, uint8_t kind, unsigned addr, unsigned flags, unsigned width)
{
	struct bh_cfg_control *c = &p->c[p->n++];
	if (number)
		snprintf(c->name, sizeof(c->name), "%s%d", name, number);
	else
		snprintf(c->name, sizeof(c->name), "%s", name);
	c->kind = kind;
	c->addr = (uint8_t)addr;
	c->flags = (uint16_t)flags;
	c->width = (uint8_t)width;
	c->touch = kind == BH_CTL_FADER ? (uint8_t)(BH_MCU_NOTE_TOUCH + addr) : 0xff;
	c->strip = number ? (uint8_t)(number - 1) : 0xff;
}

static inline void
panel_x_touch(struct panel *p)
{
	memset(p, 0, sizeof(*p));
	for (int i = 1; i <= 8; i++)
		panel_add(p, "fader", i, BH_CTL_FADER, i - 1, BH_CTL_HAS_MOTOR | BH_CTL_HAS_TOUCH, 0);
	panel_add(p, "fader_main", 0, BH_CTL_FADER, 8, BH_CTL_HAS_MOTOR | BH_CTL_HAS_TOUCH, 0);
	/* Its touch sensor is a button, too, for actions; the surface tells of it as a touch alone. */
	for (int i = 0; i <= 8; i++) {
		char name[24] = "fader_main_touch";
		if (i < 8)
			snprintf(name, sizeof(name), "fader%d_touch", i + 1);
		panel_add(p, name, 0, BH_CTL_BUTTON, BH_MCU_NOTE_TOUCH + i, 0, 0);
	}
	for (int i = 1; i <= 8; i++)
		panel_add(p, "vpot", i, BH_CTL_VPOT, 0x10 + i - 1, BH_CTL_HAS_RING, 0);
	for (unsigned note = 0; note < 128; note++) {
		const char *name = bh_mcu_note_name((uint8_t)note);
		if (!name || (note >= 0x68 && note <= 0x70))
			continue;
		bool lamp = note >= 0x71;
		bool dark = (note >= 0x20 && note <= 0x27) || note == 0x34 || note == 0x35 || note == 0x66 || note == 0x67;
		panel_add(p, name, 0, lamp ? BH_CTL_LED : BH_CTL_BUTTON, note, dark ? 0 : BH_CTL_HAS_LED, 0);
	}
	for (int i = 1; i <= 8; i++)
		panel_add(p, "strip", i, BH_CTL_STRIP, i - 1, BH_CTL_HAS_COLOR, 7);
	for (int i = 1; i <= 8; i++)
		panel_add(p, "meter", i, BH_CTL_METER, i - 1, 0, 0);
	panel_add(p, "jog", 0, BH_CTL_JOG, 0x3c, 0, 0);
	panel_add(p, "pedal", 0, BH_CTL_PEDAL, 0x2e, 0, 0);
	panel_add(p, "timecode", 0, BH_CTL_DIGITS, 0, 0, 10);
	panel_add(p, "assign", 0, BH_CTL_DIGITS, 10, 0, 2);
}

static inline unsigned
panel_find(const struct panel *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->c[i].name, name) == 0)
			return i;
	ck_abort_msg("no control %s", name);
	return 0;
}

static inline struct surface_caps
panel_caps(void)
{
	return (struct surface_caps){.sysex_id = 0x14, .fader_max = 16380, .fader_step = 4, .meter_steps = 12,
				     .colors = true, .meters = true, .ring_mark = true,
				     .fader_hz = 50, .meter_hz = 20, .color_hz = 5};
}
