/* shadow - see shadow.h */
#include "procs/surface/shadow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "shm/crc.h"

enum {
	DIGIT_UNKNOWN = 0xff,
	COLOR_UNKNOWN = 0xff,
	COLOR_DEFAULT = 7, /* white: text on black cannot be read */
	METER_OVER = 0x100,
	RING_MARK = 0x40,
	VPOT_CC = 0x10,
	LCD_OVERHEAD = 8,  /* bytes of an LCD message around its text */
	COLORS_AT = 0,	   /* the one item of its class */
};

/* ---- the panel ------------------------------------------------------------------------------- */

static bool
is_possible(const struct bh_cfg_control *c)
{
	switch ((enum bh_control_kind)c->kind) {
	case BH_CTL_FADER: return c->addr < BH_MCU_FADERS;
	case BH_CTL_VPOT: return c->addr >= VPOT_CC && c->addr < VPOT_CC + BH_MCU_STRIPS;
	case BH_CTL_BUTTON:
	case BH_CTL_LED: return c->addr < 0x80;
	case BH_CTL_STRIP: return c->addr < BH_MCU_STRIPS && c->width > 0 && c->width <= BH_MCU_CELL_WIDTH;
	case BH_CTL_METER: return c->addr < BH_MCU_STRIPS;
	case BH_CTL_DIGITS: return c->width > 0 && c->addr + c->width <= BH_MCU_DIGITS;
	case BH_CTL_JOG:
	case BH_CTL_PEDAL:
	case BH_CTL_KIND_COUNT: return false;
	}
	return false;
}

/* Which class renders a control; SHADOW_CLASSES = none. */
static enum shadow_class
class_of(const struct shadow *s, unsigned n)
{
	const struct bh_cfg_control *c = &s->control[n];
	if (!is_possible(c))
		return SHADOW_CLASSES;
	switch ((enum bh_control_kind)c->kind) {
	case BH_CTL_FADER: return c->flags & BH_CTL_HAS_MOTOR ? SHADOW_FADERS : SHADOW_CLASSES;
	case BH_CTL_VPOT: return c->flags & BH_CTL_HAS_RING ? SHADOW_RINGS : SHADOW_CLASSES;
	case BH_CTL_BUTTON: return c->flags & BH_CTL_HAS_LED ? SHADOW_LEDS : SHADOW_CLASSES;
	case BH_CTL_LED: return SHADOW_LEDS;
	case BH_CTL_STRIP: return SHADOW_TEXT;
	case BH_CTL_METER: return s->caps.meters ? SHADOW_METERS : SHADOW_CLASSES;
	case BH_CTL_DIGITS: return SHADOW_DIGITS;
	case BH_CTL_JOG:
	case BH_CTL_PEDAL:
	case BH_CTL_KIND_COUNT: return SHADOW_CLASSES;
	}
	return SHADOW_CLASSES;
}

static void
set_dirty(struct shadow *s, enum shadow_class cls, unsigned at)
{
	s->dirty[cls][at / 64] |= 1ull << (at % 64);
}

static void
clear_dirty(struct shadow *s, enum shadow_class cls, unsigned at)
{
	s->dirty[cls][at / 64] &= ~(1ull << (at % 64));
}

static void
set_all_dirty(struct shadow *s)
{
	for (unsigned n = 0; n < s->controls; n++) {
		enum shadow_class cls = class_of(s, n);
		if (cls != SHADOW_CLASSES)
			set_dirty(s, cls, n);
	}
	if (s->caps.colors)
		set_dirty(s, SHADOW_COLORS, COLORS_AT);
}

/* What is dark or blank where nobody wants anything; faders have no such state. */
static void
want_dark(struct shadow *s)
{
	for (unsigned n = 0; n < BH_MAX_CONTROLS; n++)
		if (n >= s->controls || s->control[n].kind != BH_CTL_FADER)
			s->mem->item[n].wanted = 0;
	memset(s->mem->lcd_wanted, ' ', sizeof(s->mem->lcd_wanted));
	memset(s->mem->digit_wanted, BH_MCU_DIGIT_BLANK, sizeof(s->mem->digit_wanted));
	memset(s->mem->color_wanted, COLOR_DEFAULT, sizeof(s->mem->color_wanted));
}

/* A memory that was scribbled over must not put a byte on the cable that is none. */
static void
repair(struct shadow *s)
{
	struct shadow_memory *m = s->mem;
	for (unsigned i = 0; i < BH_MCU_LCD_CELLS; i++)
		if (!bh_mcu_is_display_char((uint8_t)m->lcd_wanted[i]))
			m->lcd_wanted[i] = ' ';
	for (unsigned i = 0; i < BH_MCU_DIGITS; i++)
		m->digit_wanted[i] &= 0x7f;
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++)
		m->color_wanted[i] &= 7;
}

bool
shadow_init(struct shadow *s, struct shadow_memory *mem, const struct bh_cfg_control *controls, unsigned n,
	    const struct surface_caps *caps)
{
	memset(s, 0, sizeof(*s));
	s->mem = mem;
	s->caps = *caps;
	s->caps.sysex_id &= 0x7f;
	s->enc.use_running = caps->running_status;
	if (s->caps.fader_max == 0 || s->caps.fader_max > BH_MCU_POS_MAX)
		s->caps.fader_max = BH_MCU_POS_MAX;
	if (s->caps.fader_min >= s->caps.fader_max)
		s->caps.fader_min = 0;
	if (s->caps.fader_step == 0)
		s->caps.fader_step = 1;
	if (s->caps.meter_steps == 0 || s->caps.meter_steps > BH_MCU_METER_MAX)
		s->caps.meter_steps = BH_MCU_METER_MAX - 1;
	s->controls = n < BH_MAX_CONTROLS ? n : BH_MAX_CONTROLS;
	memcpy(s->control, controls, s->controls * sizeof(*controls));
	bool has_color = false;
	for (unsigned i = 0; i < s->controls; i++)
		has_color |= s->control[i].kind == BH_CTL_STRIP && (s->control[i].flags & BH_CTL_HAS_COLOR);
	s->caps.colors &= has_color;
	uint32_t shape = bh_crc32c(0, s->control, s->controls * sizeof(*controls));
	bool known = mem->magic == SHADOW_MAGIC && mem->size == sizeof(*mem) && mem->shape == shape;
	if (known) {
		repair(s);
		set_all_dirty(s); /* each is compared once; what is shown already costs no byte */
		return true;
	}
	memset(mem, 0, sizeof(*mem));
	want_dark(s);
	/* Places that no control of this panel has are never sent. */
	memcpy(mem->lcd_shown, mem->lcd_wanted, sizeof(mem->lcd_shown));
	memcpy(mem->digit_shown, mem->digit_wanted, sizeof(mem->digit_shown));
	shadow_forget(s);
	mem->size = sizeof(*mem);
	mem->shape = shape;
	mem->magic = SHADOW_MAGIC;
	return false;
}

static void
forget_displays(struct shadow *s)
{
	for (unsigned n = 0; n < s->controls; n++) {
		const struct bh_cfg_control *c = &s->control[n];
		enum shadow_class cls = class_of(s, n);
		if (cls == SHADOW_DIGITS)
			memset(s->mem->digit_shown + c->addr, DIGIT_UNKNOWN, c->width);
		for (unsigned line = 0; cls == SHADOW_TEXT && line < 2; line++)
			memset(s->mem->lcd_shown + line * BH_MCU_LCD_COLS + c->addr * BH_MCU_CELL_WIDTH, 0,
			       BH_MCU_CELL_WIDTH);
	}
	memset(s->mem->color_shown, COLOR_UNKNOWN, sizeof(s->mem->color_shown));
}

void
shadow_forget(struct shadow *s)
{
	for (unsigned n = 0; n < BH_MAX_CONTROLS; n++) {
		s->mem->item[n].shown = 0;
		s->mem->item[n].flags &= (uint8_t)~SHADOW_TOUCHED;
	}
	forget_displays(s);
	memset(s->turn, 0, sizeof(s->turn)); /* from the left, which also gives the fewest messages */
	memset(s->sent_ns, 0, sizeof(s->sent_ns));
	memset(s->motor_ns, 0, sizeof(s->motor_ns));
	memset(s->hand_ns, 0, sizeof(s->hand_ns));
	s->colors_ns = 0;
	s->ready_ns = 0;
	s->enc.running = 0;
	s->raw_len = 0;
	shadow_drop_batch(s);
	set_all_dirty(s);
}

void
shadow_redraw(struct shadow *s)
{
	for (unsigned n = 0; n < BH_MAX_CONTROLS; n++) {
		struct shadow_item *it = &s->mem->item[n];
		/* The overload mark is sent only when it differs. */
		bool meter = n < s->controls && class_of(s, n) == SHADOW_METERS;
		it->shown = meter ? (it->wanted & METER_OVER) ^ METER_OVER : 0;
	}
	forget_displays(s);
	s->enc.running = 0;
	set_all_dirty(s);
}

void
shadow_forget_gens(struct shadow *s)
{
	for (unsigned n = 0; n < BH_MAX_CONTROLS; n++)
		s->mem->item[n].gen = 0;
}

/* ---- what shall be shown --------------------------------------------------------------------- */

static double
unit(double f)
{
	return f > 0 ? f < 1 ? f : 1 : 0; /* a NaN is 0 */
}

static void
want(struct shadow *s, unsigned n, enum shadow_class cls, uint16_t value)
{
	struct shadow_item *it = &s->mem->item[n];
	if (cls == SHADOW_METERS && it->wanted != value && it->shown != (SHADOW_KNOWN | it->wanted))
		s->stats.thinned++; /* the one before was never shown */
	it->wanted = value;
	it->flags |= SHADOW_WANTED;
	set_dirty(s, cls, n);
}

static uint16_t
fader_pos(const struct shadow *s, unsigned n, double f)
{
	const struct travel usual = {.min = s->caps.fader_min, .max = s->caps.fader_max};
	const struct travel *own = &s->caps.measured.fader[s->control[n].addr];
	return travel_pos(own->max ? own : &usual, s->caps.fader_step, f);
}

static uint16_t
ring_byte(const struct surface_caps *caps, int64_t packed)
{
	static const uint8_t mcu_mode[] = {
		[BH_RING_DOT] = BH_MCU_RING_DOT,
		[BH_RING_PAN] = BH_MCU_RING_BOOST_CUT,
		[BH_RING_WRAP] = BH_MCU_RING_WRAP,
		[BH_RING_SPREAD] = BH_MCU_RING_SPREAD,
	};
	struct bh_ring_state r = bh_feedback_ring_open(packed);
	uint16_t mark = r.mark && caps->ring_mark ? RING_MARK : 0;
	if (!r.lit)
		return mark;
	int steps = r.mode == BH_RING_SPREAD ? 6 : BH_MCU_RING_POS_MAX;
	int pos = 1 + (int)rint(r.pos * (steps - 1));
	return (uint16_t)(mark | mcu_mode[r.mode] << 4 | pos);
}

static uint16_t
meter_level(const struct surface_caps *caps, double f)
{
	unsigned level = (unsigned)rint(unit(f) * caps->meter_steps);
	return (uint16_t)(level | (f > 1 ? METER_OVER : 0));
}

static void
want_strip(struct shadow *s, unsigned n, const char *text)
{
	const struct bh_cfg_control *c = &s->control[n];
	struct bh_strip_state st;
	bh_feedback_strip_open(text, &st);
	for (unsigned line = 0; line < 2; line++) {
		char cell[BH_MCU_CELL_WIDTH];
		memset(cell, ' ', sizeof(cell));
		bh_mcu_text(st.line[line], st.len[line], cell, c->width);
		memcpy(s->mem->lcd_wanted + line * BH_MCU_LCD_COLS + c->addr * BH_MCU_CELL_WIDTH, cell, sizeof(cell));
	}
	s->mem->item[n].flags |= SHADOW_WANTED;
	set_dirty(s, SHADOW_TEXT, n);
	if (!s->caps.colors)
		return;
	s->mem->color_wanted[c->addr] = st.color ? st.color : COLOR_DEFAULT;
	set_dirty(s, SHADOW_COLORS, COLORS_AT);
}

static void
want_digits(struct shadow *s, unsigned n, const char *text)
{
	const struct bh_cfg_control *c = &s->control[n];
	uint8_t row[BH_MCU_DIGITS];
	char plain[BH_TEXT_MAX + 1];
	size_t len = bh_mcu_text(text, strlen(text), plain, BH_TEXT_MAX);
	plain[len] = '\0';
	bh_mcu_digits(plain, row, c->width);
	for (unsigned i = 0; i < c->width; i++) /* the protocol counts from the right */
		s->mem->digit_wanted[c->addr + c->width - 1 - i] = row[i];
	s->mem->item[n].flags |= SHADOW_WANTED;
	set_dirty(s, SHADOW_DIGITS, n);
}

static uint16_t
led_state(int64_t light)
{
	return light == BH_LIGHT_OFF	 ? BH_MCU_LED_OFF
	       : light == BH_LIGHT_FLASH ? BH_MCU_LED_FLASH
					 : BH_MCU_LED_ON;
}

static bool
is_type_of(enum shadow_class cls, uint8_t type)
{
	switch (cls) {
	case SHADOW_FADERS:
	case SHADOW_METERS: return type == BH_FLOAT;
	case SHADOW_LEDS: return type == BH_INT || type == BH_BOOL;
	case SHADOW_RINGS: return type == BH_INT;
	case SHADOW_DIGITS:
	case SHADOW_TEXT: return type == BH_TEXT;
	case SHADOW_COLORS:
	case SHADOW_CLASSES: return false;
	}
	return false;
}

bool
shadow_feedback(struct shadow *s, unsigned control, uint32_t gen, uint8_t type, const union bh_val *v)
{
	enum shadow_class cls = control < s->controls ? class_of(s, control) : SHADOW_CLASSES;
	bool none = type == BH_NONE;
	if (control < s->controls && cls == SHADOW_CLASSES)
		return true;
	if (cls == SHADOW_CLASSES || (!none && !is_type_of(cls, type)))
		return false;
	if (type == BH_TEXT && !memchr(v->s, 0, sizeof(v->s)))
		return false;
	struct shadow_item *it = &s->mem->item[control];
	if (gen != 0 && gen == it->gen)
		return true;
	switch (cls) {
	case SHADOW_FADERS:
		if (none)
			break;
		s->hand_ns[control] = 0; /* newer than the hand's last move */
		want(s, control, cls, fader_pos(s, control, v->f));
		break;
	case SHADOW_LEDS: want(s, control, cls, none ? BH_MCU_LED_OFF : led_state(v->i)); break;
	case SHADOW_RINGS: want(s, control, cls, none ? 0 : ring_byte(&s->caps, v->i)); break;
	case SHADOW_METERS:
		if (none)
			s->over_ns[control] = 0;
		want(s, control, cls, none ? 0 : meter_level(&s->caps, v->f));
		break;
	case SHADOW_DIGITS: want_digits(s, control, none ? "" : v->s); break;
	case SHADOW_TEXT: want_strip(s, control, none ? "" : v->s); break;
	case SHADOW_COLORS:
	case SHADOW_CLASSES: return false;
	}
	it->gen = gen; /* last: killed before, the cell is taken again */
	return true;
}

/* A motor command that is on its way says nothing any more once the hand is there. */
static void
cancel_in_batch(struct shadow *s, unsigned control)
{
	for (unsigned i = s->batch_done; i < s->batch_len; i++)
		if (s->batch[i].cls == SHADOW_FADERS && s->batch[i].at == control)
			s->batch[i].cls = SHADOW_CLASSES;
}

/* ---- the hand -------------------------------------------------------------------------------- */

/* Untouched movement: is it the motor's own? */
static bool
is_motor(struct shadow *s, unsigned n, uint16_t pos, uint64_t now_ns)
{
	const struct shadow_item *it = &s->mem->item[n];
	if (now_ns < s->motor_ns[n]) {
		uint64_t limit = s->sent_ns[n] + SHADOW_MOTOR_LIMIT_MS * BH_NS_PER_MS;
		uint64_t until = now_ns + SHADOW_MOTOR_PAUSE_MS * BH_NS_PER_MS;
		if (until > s->motor_ns[n])
			s->motor_ns[n] = until < limit ? until : limit;
		return true;
	}
	return it->shown == (SHADOW_KNOWN | it->wanted) &&
	       abs(pos - it->wanted) <= SHADOW_MOTOR_STEPS * s->caps.fader_step;
}

bool
shadow_hand(struct shadow *s, unsigned control, uint16_t pos_14bit, uint64_t now_ns)
{
	if (control >= s->controls || s->control[control].kind != BH_CTL_FADER)
		return false;
	struct shadow_item *it = &s->mem->item[control];
	if (class_of(s, control) != SHADOW_FADERS)
		return true; /* no motor, no echo */
	bool touched = it->flags & SHADOW_TOUCHED;
	if (!touched && is_motor(s, control, pos_14bit, now_ns)) {
		s->stats.motor_echoes++;
		return false;
	}
	want(s, control, SHADOW_FADERS, pos_14bit & BH_MCU_POS_MAX);
	it->shown = 0; /* the fader is where the hand put it, the motor's own target is another */
	cancel_in_batch(s, control);
	s->hand_ns[control] = touched ? 0 : now_ns;
	return true;
}

void
shadow_touch(struct shadow *s, unsigned control, bool touched)
{
	if (control >= s->controls || s->control[control].kind != BH_CTL_FADER)
		return;
	struct shadow_item *it = &s->mem->item[control];
	if (touched) {
		it->flags |= SHADOW_TOUCHED;
	} else if (it->flags & SHADOW_TOUCHED) {
		/* Set the motor once, even to where the fader stands: else some run back to an older target. */
		it->shown = 0;
		it->flags &= (uint8_t)~SHADOW_TOUCHED;
	}
	s->hand_ns[control] = 0;
	cancel_in_batch(s, control);
	if (class_of(s, control) == SHADOW_FADERS)
		set_dirty(s, SHADOW_FADERS, control);
}

bool
shadow_is_touched(const struct shadow *s, unsigned control)
{
	return control < s->controls && (s->mem->item[control].flags & SHADOW_TOUCHED);
}

void
shadow_refuse(struct shadow *s, unsigned control, bool refused)
{
	if (control >= s->controls || class_of(s, control) != SHADOW_LEDS)
		return;
	uint8_t *flags = &s->mem->item[control].flags;
	*flags = (uint8_t)(refused ? *flags | SHADOW_REFUSED : *flags & ~SHADOW_REFUSED);
	set_dirty(s, SHADOW_LEDS, control);
}

void
shadow_dark(struct shadow *s)
{
	want_dark(s);
	memset(s->over_ns, 0, sizeof(s->over_ns));
	for (unsigned n = 0; n < s->controls; n++)
		shadow_refuse(s, n, false);
	shadow_forget_gens(s); /* whoever starts next takes all feedback anew */
	set_all_dirty(s);
}

void
shadow_device_id(struct shadow *s, uint8_t sysex_id)
{
	if (s->caps.sysex_id == (sysex_id & 0x7f))
		return;
	s->caps.sysex_id = sysex_id & 0x7f;
	forget_displays(s); /* what was sent under the other id was not for this device */
	set_all_dirty(s);
}

void
shadow_hold_faders(struct shadow *s, bool hold)
{
	if (s->hold_faders == hold)
		return;
	s->hold_faders = hold;
	for (unsigned n = 0; n < s->controls && !hold; n++) {
		if (class_of(s, n) != SHADOW_FADERS)
			continue;
		s->mem->item[n].shown = 0; /* hands have moved it meanwhile */
		set_dirty(s, SHADOW_FADERS, n);
	}
}

void
shadow_leave(struct shadow *s, unsigned control)
{
	if (control < s->controls && s->control[control].kind == BH_CTL_FADER)
		s->mem->item[control].shown = SHADOW_KNOWN | s->mem->item[control].wanted;
}

bool
shadow_raw(struct shadow *s, const uint8_t *bytes, size_t len)
{
	if (len > sizeof(s->raw) - s->raw_len)
		return false;
	memcpy(s->raw + s->raw_len, bytes, len);
	s->raw_len += (unsigned)len;
	return true;
}

/* ---- what comes next ------------------------------------------------------------------------- */

struct out {
	struct shadow *s;
	uint64_t now_ns;
	uint64_t again_ns;
	uint8_t *buf;
	size_t cap, len;
};

static void
again(struct out *o, uint64_t at_ns)
{
	if (o->again_ns == 0 || at_ns < o->again_ns)
		o->again_ns = at_ns;
}

static uint64_t
link_ns(const struct shadow *s, size_t bytes)
{
	return s->caps.bytes_per_s ? bytes * BH_NS_PER_S / s->caps.bytes_per_s : 0;
}

/* May the link be given more now? */
static bool
link_is_free(struct out *o)
{
	uint64_t ahead = SHADOW_AHEAD_MS * BH_NS_PER_MS;
	if (o->s->ready_ns <= o->now_ns + ahead)
		return true;
	again(o, o->s->ready_ns - ahead);
	return false;
}

static void
link_used(struct out *o, size_t bytes)
{
	struct shadow *s = o->s;
	if (s->ready_ns < o->now_ns)
		s->ready_ns = o->now_ns;
	s->ready_ns += link_ns(s, bytes);
	s->stats.bytes += bytes;
}

static uint64_t
period_ns(uint32_t hz)
{
	return hz ? BH_NS_PER_S / hz : 0;
}

/* Not before its time; else *o learns when. */
static bool
is_due(struct out *o, uint64_t last_ns, uint64_t period)
{
	if (last_ns == 0 || o->now_ns >= last_ns + period)
		return true;
	again(o, last_ns + period);
	return false;
}

enum step {
	STEP_SAME,  /* nothing to send */
	STEP_SENT,
	STEP_LATER, /* not due: stays dirty */
	STEP_FULL,  /* no room: stays dirty, comes with the next batch */
};

/* Encode into the batch. */
static enum step
emit(struct out *o, const struct bh_mcu_cmd *cmd, enum shadow_class cls, unsigned at, unsigned len, uint32_t value)
{
	struct shadow *s = o->s;
	if (s->batch_len >= SHADOW_BATCH_ITEMS)
		return STEP_FULL;
	int n = bh_mcu_encode_cmd(s->caps.sysex_id, &s->enc, cmd, o->buf + o->len, o->cap - o->len);
	if (n == -EINVAL)
		return STEP_SAME; /* a damaged value must not hold up the rest */
	if (n < 0)
		return STEP_FULL;
	o->len += (size_t)n;
	s->batch[s->batch_len++] = (struct shadow_sent){
		.end = (uint16_t)o->len, .cls = (uint8_t)cls, .at = (uint8_t)at, .len = (uint8_t)len, .value = value};
	s->stats.messages++;
	link_used(o, (size_t)n);
	return STEP_SENT;
}

static enum step
next_fader(struct out *o, unsigned n)
{
	struct shadow *s = o->s;
	struct shadow_item *it = &s->mem->item[n];
	/* A touched one is dirty again when the hand leaves. */
	if (s->hold_faders || !(it->flags & SHADOW_WANTED) || (it->flags & SHADOW_TOUCHED) || it->shown == (SHADOW_KNOWN | it->wanted))
		return STEP_SAME;
	if (!is_due(o, s->hand_ns[n], SHADOW_SETTLE_MS * BH_NS_PER_MS) ||
	    !is_due(o, s->sent_ns[n], period_ns(s->caps.fader_hz)))
		return STEP_LATER;
	struct bh_mcu_cmd cmd = {
		.kind = BH_MCU_CMD_FADER, .index = s->control[n].addr, .pos_14bit = it->wanted & BH_MCU_POS_MAX};
	enum step did = emit(o, &cmd, SHADOW_FADERS, n, 1, it->wanted);
	if (did == STEP_SENT) {
		s->sent_ns[n] = o->now_ns;
		s->motor_ns[n] = o->now_ns + SHADOW_MOTOR_MS * BH_NS_PER_MS;
		s->hand_ns[n] = 0;
	}
	return did;
}

static uint32_t
led_value(const struct shadow_item *it)
{
	if (it->flags & SHADOW_REFUSED)
		return BH_MCU_LED_FLASH;
	return it->wanted <= BH_MCU_LED_ON ? it->wanted : BH_MCU_LED_OFF;
}

static enum step
next_led(struct out *o, unsigned n)
{
	const struct shadow_item *it = &o->s->mem->item[n];
	uint32_t value = led_value(it);
	if (it->shown == (SHADOW_KNOWN | value))
		return STEP_SAME;
	struct bh_mcu_cmd cmd = {
		.kind = BH_MCU_CMD_LED, .note = o->s->control[n].addr, .led = (enum bh_mcu_led)value};
	return emit(o, &cmd, SHADOW_LEDS, n, 1, value);
}

static enum step
next_ring(struct out *o, unsigned n)
{
	struct shadow_item *it = &o->s->mem->item[n];
	it->wanted &= 0x7f;
	if ((it->wanted & 0xf) > BH_MCU_RING_POS_MAX)
		it->wanted = 0;
	if (it->shown == (SHADOW_KNOWN | it->wanted))
		return STEP_SAME;
	struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_RING,
				 .index = (uint8_t)(o->s->control[n].addr - VPOT_CC),
				 .ring = (enum bh_mcu_ring)(it->wanted >> 4 & 3),
				 .value = it->wanted & 0xf,
				 .extra = it->wanted & RING_MARK};
	return emit(o, &cmd, SHADOW_RINGS, n, 1, it->wanted);
}

/* From the right, only those that changed. */
static enum step
next_digits(struct out *o, unsigned n)
{
	const struct bh_cfg_control *c = &o->s->control[n];
	struct shadow_memory *m = o->s->mem;
	enum step did = STEP_SAME;
	for (unsigned i = c->addr; i < (unsigned)c->addr + c->width; i++) {
		if (m->digit_shown[i] == m->digit_wanted[i])
			continue;
		struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_DIGIT, .index = (uint8_t)i, .value = m->digit_wanted[i]};
		did = emit(o, &cmd, SHADOW_DIGITS, i, 1, m->digit_wanted[i]);
		if (did == STEP_FULL)
			break;
	}
	return did;
}

static enum step
next_colors(struct out *o, unsigned n)
{
	(void)n;
	struct shadow *s = o->s;
	if (memcmp(s->mem->color_wanted, s->mem->color_shown, BH_MCU_STRIPS) == 0)
		return STEP_SAME;
	if (!is_due(o, s->colors_ns, period_ns(s->caps.color_hz)))
		return STEP_LATER;
	struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_COLOURS};
	memcpy(cmd.colours, s->mem->color_wanted, BH_MCU_STRIPS);
	enum step did = emit(o, &cmd, SHADOW_COLORS, COLORS_AT, BH_MCU_STRIPS, 0);
	if (did == STEP_SENT) {
		memcpy(s->batch_colors, s->mem->color_wanted, BH_MCU_STRIPS);
		s->colors_ns = o->now_ns;
	}
	return did;
}

/* batch_lcd is what will stand there once this batch is written. */
static bool
lcd_differs(const struct shadow *s, unsigned i)
{
	return s->batch_lcd[i] != s->mem->lcd_wanted[i];
}

/*
 * One message for each line of the strip, from the first cell that differs on through the neighbours: a gap of equal
 * cells that is shorter than the frame of another message is sent along.
 */
static enum step
next_text(struct out *o, unsigned n)
{
	struct shadow *s = o->s;
	enum step did = STEP_SAME;
	for (unsigned line = 0; line < 2 && did != STEP_FULL; line++) {
		unsigned from = line * BH_MCU_LCD_COLS + s->control[n].addr * BH_MCU_CELL_WIDTH;
		unsigned end = from + BH_MCU_CELL_WIDTH;
		while (from < end && !lcd_differs(s, from))
			from++;
		if (from == end)
			continue;
		unsigned last = from;
		for (unsigned i = from + 1; i < BH_MCU_LCD_CELLS && i - last <= LCD_OVERHEAD; i++)
			if (lcd_differs(s, i))
				last = i;
		struct bh_mcu_cmd cmd = {
			.kind = BH_MCU_CMD_LCD, .offset = (uint8_t)from, .text_len = (uint8_t)(last - from + 1)};
		memcpy(cmd.text, s->mem->lcd_wanted + from, cmd.text_len);
		did = emit(o, &cmd, SHADOW_TEXT, from, cmd.text_len, 0);
		if (did == STEP_SENT)
			memcpy(s->batch_lcd + from, cmd.text, cmd.text_len);
	}
	return did;
}

/* A clip is read long after it was: its mark stays for a while. */
static bool
is_over(struct out *o, unsigned n)
{
	struct shadow *s = o->s;
	if (s->mem->item[n].wanted & METER_OVER)
		s->over_ns[n] = o->now_ns;
	else if (!(s->mem->item[n].shown & METER_OVER))
		return false;
	uint64_t until = s->over_ns[n] + SHADOW_CLIP_HOLD_MS * BH_NS_PER_MS;
	if (o->now_ns < until)
		again(o, until);
	return o->now_ns < until;
}

static enum step
next_meter(struct out *o, unsigned n)
{
	struct shadow *s = o->s;
	struct shadow_item *it = &s->mem->item[n];
	uint8_t level = it->wanted & 0xf, index = s->control[n].addr;
	bool over = is_over(o, n);
	uint16_t value = (uint16_t)(level | (over ? METER_OVER : 0));
	bool same = it->shown == (SHADOW_KNOWN | value);
	if (same && level == 0)
		return over ? STEP_LATER : STEP_SAME;
	if (!is_due(o, s->sent_ns[n], same ? SHADOW_METER_HOLD_MS * BH_NS_PER_MS : period_ns(s->caps.meter_hz)))
		return STEP_LATER;
	if (over != !!(it->shown & METER_OVER)) {
		struct bh_mcu_cmd mark = {.kind = BH_MCU_CMD_METER_OVER, .index = index, .on = over};
		if (emit(o, &mark, SHADOW_CLASSES, n, 1, 0) == STEP_FULL)
			return STEP_FULL;
	}
	struct bh_mcu_cmd cmd = {
		.kind = BH_MCU_CMD_METER, .index = index, .value = level > BH_MCU_METER_MAX ? BH_MCU_METER_MAX : level};
	if (emit(o, &cmd, SHADOW_METERS, n, 1, value) == STEP_FULL)
		return STEP_FULL;
	s->sent_ns[n] = o->now_ns;
	return level || over ? STEP_LATER : STEP_SENT; /* to be held up, or let go */
}

static enum step (*const next_of[])(struct out *o, unsigned n) = {
	[SHADOW_FADERS] = next_fader, [SHADOW_LEDS] = next_led,	 [SHADOW_RINGS] = next_ring, [SHADOW_DIGITS] = next_digits,
	[SHADOW_COLORS] = next_colors, [SHADOW_TEXT] = next_text, [SHADOW_METERS] = next_meter,
};

/* The next dirty item of a class at or after `from`, going round once; -1 = none. */
static int
find_dirty(const struct shadow *s, enum shadow_class cls, unsigned from)
{
	for (unsigned k = 0; k <= BH_MAX_CONTROLS / 64; k++) {
		unsigned word = (from / 64 + k) % (BH_MAX_CONTROLS / 64);
		uint64_t bits = s->dirty[cls][word];
		if (k == 0)
			bits &= ~0ull << (from % 64);
		else if (k == BH_MAX_CONTROLS / 64)
			bits &= (1ull << (from % 64)) - 1;
		if (bits)
			return (int)(word * 64 + (unsigned)__builtin_ctzll(bits));
	}
	return -1;
}

/* All of a class that is due; false when link or batch are full. */
static bool
next_class(struct out *o, enum shadow_class cls)
{
	struct shadow *s = o->s;
	uint64_t later[BH_MAX_CONTROLS / 64] = {0};
	bool go_on = true;
	int n;
	while (go_on && (n = find_dirty(s, cls, s->turn[cls])) >= 0) {
		if (!link_is_free(o)) {
			go_on = false;
			break;
		}
		unsigned at = (unsigned)n;
		switch (next_of[cls](o, at)) {
		case STEP_FULL:
			/* The driver asks again once this batch is written. */
			go_on = false;
			continue;
		case STEP_LATER:
			later[at / 64] |= 1ull << (at % 64);
			break;
		case STEP_SAME:
		case STEP_SENT: break;
		}
		clear_dirty(s, cls, at);
		s->turn[cls] = (at + 1) % BH_MAX_CONTROLS;
	}
	for (unsigned w = 0; w < BH_MAX_CONTROLS / 64; w++)
		s->dirty[cls][w] |= later[w];
	return go_on;
}

/* ---- what others have put on the device ------------------------------------------------------ */

/* What `cls` shows at this address is not known any more. */
static void
unknown_at(struct shadow *s, enum shadow_class cls, unsigned addr, uint32_t shown)
{
	for (unsigned n = 0; n < s->controls; n++)
		if (class_of(s, n) == cls && s->control[n].addr == addr)
			s->mem->item[n].shown = shown;
}

static void
unknown_fader(struct shadow *s, unsigned n, uint64_t now_ns)
{
	s->mem->item[n].shown = 0;
	s->sent_ns[n] = now_ns;
	s->motor_ns[n] = now_ns + SHADOW_MOTOR_MS * BH_NS_PER_MS;
	s->hand_ns[n] = 0;
}

static void
unknown_digits(struct shadow *s, unsigned first, unsigned count)
{
	for (unsigned n = 0; n < s->controls; n++) {
		const struct bh_cfg_control *c = &s->control[n];
		if (class_of(s, n) != SHADOW_DIGITS)
			continue;
		for (unsigned i = c->addr; i < (unsigned)c->addr + c->width; i++)
			if (i >= first && i < first + count)
				s->mem->digit_shown[i] = DIGIT_UNKNOWN;
	}
}

static void
unknown_text(struct shadow *s, unsigned first, unsigned count)
{
	for (unsigned n = 0; n < s->controls; n++) {
		for (unsigned i = 0; class_of(s, n) == SHADOW_TEXT && i < 2 * BH_MCU_CELL_WIDTH; i++) {
			unsigned at = i / BH_MCU_CELL_WIDTH * BH_MCU_LCD_COLS + s->control[n].addr * BH_MCU_CELL_WIDTH +
				      i % BH_MCU_CELL_WIDTH;
			if (at >= first && at < first + count)
				s->mem->lcd_shown[at] = s->batch_lcd[at] = 0;
		}
	}
}

static void
unknown_all(struct shadow *s, uint64_t now_ns)
{
	for (unsigned n = 0; n < s->controls; n++) {
		s->mem->item[n].shown = 0;
		if (class_of(s, n) == SHADOW_FADERS)
			unknown_fader(s, n, now_ns);
	}
	forget_displays(s);
	memcpy(s->batch_lcd, s->mem->lcd_shown, sizeof(s->batch_lcd));
}

static void
unknown_after(struct shadow *s, const struct bh_midi_msg *msg, uint64_t now_ns)
{
	static const struct bh_mcu_opts any = {.device_id = BH_MCU_ID_ANY};
	struct bh_mcu_cmd cmd;
	if (!bh_mcu_decode_cmd(&any, msg, &cmd))
		cmd.kind = BH_MCU_CMD_OTHER;
	switch (cmd.kind) {
	case BH_MCU_CMD_LED: unknown_at(s, SHADOW_LEDS, cmd.note, 0); break;
	case BH_MCU_CMD_FADER:
		for (unsigned n = 0; n < s->controls; n++)
			if (class_of(s, n) == SHADOW_FADERS && s->control[n].addr == cmd.index)
				unknown_fader(s, n, now_ns);
		break;
	case BH_MCU_CMD_RING: unknown_at(s, SHADOW_RINGS, VPOT_CC + cmd.index, 0); break;
	case BH_MCU_CMD_DIGIT: unknown_digits(s, cmd.index, 1); break;
	case BH_MCU_CMD_TIMECODE: unknown_digits(s, 0, 10); break;
	case BH_MCU_CMD_ASSIGNMENT: unknown_digits(s, 10, 2); break;
	case BH_MCU_CMD_METER: unknown_at(s, SHADOW_METERS, cmd.index, 0); break;
	case BH_MCU_CMD_METER_OVER: unknown_at(s, SHADOW_METERS, cmd.index, cmd.on ? METER_OVER : 0); break;
	case BH_MCU_CMD_LCD: unknown_text(s, cmd.offset, cmd.text_len); break;
	case BH_MCU_CMD_COLOURS: memset(s->mem->color_shown, COLOR_UNKNOWN, sizeof(s->mem->color_shown)); break;
	case BH_MCU_CMD_RESET:
	case BH_MCU_CMD_RECALIBRATE:
	case BH_MCU_CMD_OFFLINE:
	case BH_MCU_CMD_FADERS_DOWN:
	case BH_MCU_CMD_LEDS_OFF:
	case BH_MCU_CMD_GO_OFFLINE: unknown_all(s, now_ns); break;
	case BH_MCU_CMD_OTHER:
		if (msg->sysex)
			unknown_all(s, now_ns);
		break;
	case BH_MCU_CMD_QUERY:
	case BH_MCU_CMD_REPLY:
	case BH_MCU_CMD_VERSION_REQUEST:
	case BH_MCU_CMD_CLICK:
	case BH_MCU_CMD_BACKLIGHT:
	case BH_MCU_CMD_TOUCHLESS:
	case BH_MCU_CMD_SENSITIVITY:
	case BH_MCU_CMD_METER_MODE:
	case BH_MCU_CMD_METER_ORIENTATION: break;
	}
}

static void
send_raw(struct out *o)
{
	struct shadow *s = o->s;
	struct bh_midi_parser parser = {0};
	struct bh_midi_msg msg;
	if (s->raw_len == 0 || s->raw_len > o->cap || !link_is_free(o))
		return;
	memcpy(o->buf, s->raw, s->raw_len);
	o->len = s->raw_len;
	link_used(o, s->raw_len);
	for (unsigned i = 0; i < s->raw_len; i++)
		if (bh_midi_parse(&parser, s->raw[i], &msg))
			unknown_after(s, &msg, o->now_ns);
	s->raw_len = 0;
	s->enc.running = 0;
}

size_t
shadow_next(struct shadow *s, uint64_t now_ns, uint8_t *buf, size_t cap, uint64_t *again_ns)
{
	struct out o = {.s = s, .now_ns = now_ns, .buf = buf, .cap = cap < SHADOW_BATCH ? cap : SHADOW_BATCH};
	s->batch_len = s->batch_done = 0;
	s->batch_written = 0;
	memcpy(s->batch_lcd, s->mem->lcd_shown, sizeof(s->batch_lcd));
	send_raw(&o);
	for (unsigned cls = 0; cls < SHADOW_CLASSES; cls++)
		if (!next_class(&o, (enum shadow_class)cls))
			break;
	s->batch_bytes = o.len;
	*again_ns = o.again_ns;
	return o.len;
}

/* ---- what was written ------------------------------------------------------------------------ */

static void
note_shown(struct shadow *s, const struct shadow_sent *b)
{
	switch ((enum shadow_class)b->cls) {
	case SHADOW_FADERS:
	case SHADOW_LEDS:
	case SHADOW_RINGS:
	case SHADOW_METERS:
		s->mem->item[b->at].shown = SHADOW_KNOWN | b->value;
		break;
	case SHADOW_DIGITS: s->mem->digit_shown[b->at] = (uint8_t)b->value; break;
	case SHADOW_COLORS: memcpy(s->mem->color_shown, s->batch_colors, BH_MCU_STRIPS); break;
	case SHADOW_TEXT: memcpy(s->mem->lcd_shown + b->at, s->batch_lcd + b->at, b->len); break;
	case SHADOW_CLASSES: break;
	}
}

void
shadow_written(struct shadow *s, size_t len)
{
	s->batch_written += len;
	while (s->batch_done < s->batch_len && s->batch[s->batch_done].end <= s->batch_written)
		note_shown(s, &s->batch[s->batch_done++]);
}

void
shadow_drop_batch(struct shadow *s)
{
	s->batch_len = s->batch_done = 0;
	s->batch_bytes = s->batch_written = 0;
	s->enc.running = 0;
}

bool
shadow_is_settled(const struct shadow *s)
{
	for (unsigned n = 0; n < s->controls; n++) {
		const struct shadow_item *it = &s->mem->item[n];
		enum shadow_class cls = class_of(s, n);
		bool differs = it->shown != (SHADOW_KNOWN | it->wanted);
		if (cls == SHADOW_FADERS && !s->hold_faders && (it->flags & SHADOW_WANTED) && !(it->flags & SHADOW_TOUCHED) && differs)
			return false;
		if (cls == SHADOW_RINGS && differs)
			return false;
		if (cls == SHADOW_LEDS && it->shown != (SHADOW_KNOWN | led_value(it)))
			return false;
	}
	return memcmp(s->mem->lcd_wanted, s->mem->lcd_shown, sizeof(s->mem->lcd_wanted)) == 0 &&
	       memcmp(s->mem->digit_wanted, s->mem->digit_shown, sizeof(s->mem->digit_wanted)) == 0 &&
	       (!s->caps.colors || memcmp(s->mem->color_wanted, s->mem->color_shown, BH_MCU_STRIPS) == 0);
}
