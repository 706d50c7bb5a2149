/* model - see model.h */
#include "procs/pad/model.h"

#include <string.h>

/* What tells a button, beside the axes. */
static const struct {
	uint16_t code;
	uint8_t button;
} codes[] = {
	{BTN_NORTH, PAD_X},        {BTN_WEST, PAD_Y},           {BTN_TL, PAD_LB},
	{BTN_TR, PAD_RB},          {BTN_TL2, PAD_LT},           {BTN_TR2, PAD_RT},
	{BTN_THUMBL, PAD_L3},      {BTN_THUMBR, PAD_R3},        {BTN_START, PAD_PLUS},
	{BTN_SELECT, PAD_MINUS},   {BTN_MODE, PAD_HOME},        {BTN_Z, PAD_CAPTURE},
	{KEY_RECORD, PAD_CAPTURE}, {BTN_DPAD_UP, PAD_UP},       {BTN_DPAD_DOWN, PAD_DOWN},
	{BTN_DPAD_LEFT, PAD_LEFT}, {BTN_DPAD_RIGHT, PAD_RIGHT},
};

static bool
bit(const uint8_t *bits, unsigned n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

static void
set_bit(uint8_t *bits, unsigned n, bool on)
{
	uint8_t mask = (uint8_t)(1u << (n % 8));
	bits[n / 8] = (uint8_t)(on ? bits[n / 8] | mask : bits[n / 8] & ~mask);
}

static bool
is_trigger(enum pad_axis axis)
{
	return axis == PAD_ZL || axis == PAD_ZR;
}

/* Up is 1: the kernel's Y counts downwards. */
static bool
points_down(enum pad_axis axis)
{
	return axis == PAD_LY || axis == PAD_RY;
}

/* Pads without a driver of their own have the right stick on Z and RZ, and the triggers on brake
 * and gas. */
static void
find_axes(struct pad *p)
{
	bool usual = p->raw.has[ABS_RX] && p->raw.has[ABS_RY];
	const uint8_t want[PAD_AXES] = {ABS_X,
					ABS_Y,
					usual ? ABS_RX : ABS_Z,
					usual ? ABS_RY : ABS_RZ,
					usual ? ABS_Z : ABS_BRAKE,
					usual ? ABS_RZ : ABS_GAS};
	for (unsigned i = 0; i < PAD_AXES; i++)
		p->source[i] = p->raw.has[want[i]] ? want[i] : PAD_NO_AXIS;
}

static void
usual_state(struct pad_state *s)
{
	static const struct {
		uint8_t axis;
		int16_t min, max;
	} usual[] = {{ABS_X, -32768, 32767},  {ABS_Y, -32768, 32767}, {ABS_RX, -32768, 32767},
		     {ABS_RY, -32768, 32767}, {ABS_Z, 0, 255},        {ABS_RZ, 0, 255},
		     {ABS_HAT0X, -1, 1},      {ABS_HAT0Y, -1, 1}};
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		s->has[usual[i].axis] = true;
		s->range[usual[i].axis] = (struct pad_range){usual[i].min, usual[i].max};
	}
}

void
pad_set_state(struct pad *p, const struct pad_state *state)
{
	p->raw = *state;
	p->lost = false;
	find_axes(p);
}

void
pad_init(struct pad *p, const struct pad_options *opt, const struct pad_state *state)
{
	struct pad_state usual;
	usual_state(&usual);
	memset(p, 0, sizeof(*p));
	p->opt = *opt;
	pad_set_state(p, state ? state : &usual);
	if (!state)
		pad_rest(p);
}

void
pad_rest(struct pad *p)
{
	memset(p->raw.keys, 0, sizeof(p->raw.keys));
	memset(p->raw.abs, 0, sizeof(p->raw.abs));
	for (unsigned i = 0; i < PAD_AXES; i++) {
		if (p->source[i] == PAD_NO_AXIS)
			continue;
		const struct pad_range *r = &p->raw.range[p->source[i]];
		p->raw.abs[p->source[i]] =
			is_trigger(i) ? r->min : (int32_t)(((int64_t)r->min + r->max) / 2);
	}
}

enum pad_turn
pad_event(struct pad *p, const struct input_event *ev)
{
	if (ev->type == EV_SYN && ev->code == SYN_DROPPED)
		p->lost = true;
	if (ev->type == EV_SYN && ev->code == SYN_REPORT)
		return p->lost ? PAD_REREAD : PAD_FRAME;
	if (p->lost)
		return PAD_MORE;
	if (ev->type == EV_KEY && ev->code < KEY_CNT && ev->value != 2)
		set_bit(p->raw.keys, ev->code, ev->value != 0);
	else if (ev->type == EV_ABS && ev->code < ABS_CNT)
		p->raw.abs[ev->code] = ev->value;
	return PAD_MORE;
}

/* How far a trigger is pulled: one that is only a switch is at one end or the other. */
static double
pulled(const struct pad *p, enum pad_axis axis)
{
	unsigned source = p->source[axis];
	if (source == PAD_NO_AXIS)
		return bit(p->raw.keys, axis == PAD_ZL ? BTN_TL2 : BTN_TR2) ? 1 : 0;
	return pad_trigger_unit(p->raw.range[source], p->raw.abs[source]);
}

/* A step back before it is let go, so that a finger that trembles presses once. */
static bool
is_pulled(struct pad *p, enum pad_axis axis)
{
	bool *was = &p->pulled[axis - PAD_ZL];
	*was = pulled(p, axis) >= (*was ? p->opt.trigger * 0.8 : p->opt.trigger);
	return *was;
}

static int
hat(const struct pad *p, unsigned axis)
{
	if (!p->raw.has[axis])
		return 0;
	return (p->raw.abs[axis] > 0) - (p->raw.abs[axis] < 0);
}

uint32_t
pad_held(struct pad *p)
{
	uint32_t held = 0;
	held |= (uint32_t)bit(p->raw.keys, p->opt.nintendo ? BTN_EAST : BTN_SOUTH) << PAD_A;
	held |= (uint32_t)bit(p->raw.keys, p->opt.nintendo ? BTN_SOUTH : BTN_EAST) << PAD_B;
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		held |= (uint32_t)bit(p->raw.keys, codes[i].code) << codes[i].button;
	held |= (uint32_t)is_pulled(p, PAD_ZL) << PAD_LT;
	held |= (uint32_t)is_pulled(p, PAD_ZR) << PAD_RT;
	held |= (uint32_t)(hat(p, ABS_HAT0Y) < 0) << PAD_UP | (uint32_t)(hat(p, ABS_HAT0Y) > 0)
								      << PAD_DOWN;
	held |= (uint32_t)(hat(p, ABS_HAT0X) < 0) << PAD_LEFT | (uint32_t)(hat(p, ABS_HAT0X) > 0)
									<< PAD_RIGHT;
	return held;
}

static double
pushed(const struct pad *p, enum pad_axis axis)
{
	unsigned source = p->source[axis];
	if (source == PAD_NO_AXIS)
		return 0;
	double v = pad_axis_unit(p->raw.range[source], p->raw.abs[source]);
	return points_down(axis) ? -v : v;
}

void
pad_position(const struct pad *p, double out[PAD_AXES])
{
	for (unsigned x = PAD_LX; x <= PAD_RX; x += 2) {
		double at[2] = {pushed(p, (enum pad_axis)x), pushed(p, (enum pad_axis)(x + 1))};
		pad_stick_bend(&p->opt.bend, &at[0], &at[1]);
		for (unsigned i = 0; i < 2; i++)
			out[x + i] = pad_stick_position(at[i], p->opt.invert[x + i]);
	}
	for (unsigned z = PAD_ZL; z <= PAD_ZR; z++)
		out[z] = pad_trigger_position(
			pad_trigger_bend(&p->opt.bend, pulled(p, (enum pad_axis)z)),
			p->opt.invert[z]);
}

double
pad_axis_rest(const struct pad *p, enum pad_axis axis)
{
	return is_trigger(axis) ? pad_trigger_position(0, p->opt.invert[axis]) : 0.5;
}

bool
pad_is_one(const uint8_t keys[KEY_CNT / 8], const uint8_t axes[ABS_CNT / 8])
{
	return bit(keys, BTN_GAMEPAD) && bit(axes, ABS_X) && bit(axes, ABS_Y);
}
