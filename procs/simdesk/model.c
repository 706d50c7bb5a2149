/*
 * model - see model.h
 *
 *   fader   hand takes it     host writes             hand leaves             time
 *   free    held              drive to it             -                       driving: nearer, or there
 *   held    -                 remember; it strains    free; wait return_ns    reports along the hand's line
 *   waiting held              drive to it             -                       return_ns over: drive to target
 */
#include "procs/simdesk/model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"

/* Full scale falls to nothing in about 1.8 s, as on a Logic Control. */
static const uint64_t meter_fall_ns = 150 * BH_NS_PER_MS;

const struct desk_opts desk_defaults = {
	.device_id = BH_MCU_ID_MCU,
	.throw_ns = 250 * BH_NS_PER_MS,
	.return_ns = BH_NS_PER_S,
	.tick_ns = 5 * BH_NS_PER_MS,
	.jump = 164,
	.answers = true,
};

/* clang-format off */
#define KIND(k) k ".bytes", k ".messages", k ".redundant"
static const char *const count_names[] = {
	[DESK_C_BYTES] = "bytes",
	[DESK_C_MESSAGES] = "messages",
	[DESK_C_REDUNDANT] = "redundant",
	[DESK_C_TOUCHED] = "touched_writes",
	[DESK_C_FIGHTS] = "fights",
	[DESK_C_LATE] = "late",
	[DESK_C_STALE] = "stale",
	[DESK_C_JUMPS] = "jumps",
	[DESK_C_RAN_BACK] = "ran_back",
	[DESK_C_ODD] = "odd",
	[DESK_C_SENT_BYTES] = "sent_bytes",
	[DESK_C_SENT_MESSAGES] = "sent_messages",
	[DESK_C_LOST_MESSAGES] = "lost_messages",
	[DESK_C_KIND] = KIND("led"), KIND("fader"), KIND("ring"), KIND("digit"), KIND("meter"),
	KIND("lcd"), KIND("color"), KIND("sysex"), KIND("unknown"),
};
/* clang-format on */
_Static_assert(BH_ARRAY_LEN(count_names) == DESK_COUNTS, "each count has a name");

const char *
desk_count_name(unsigned count)
{
	return count < DESK_COUNTS ? count_names[count] : NULL;
}

const char *
desk_colour_name(unsigned colour)
{
	static const char *const names[] = {"off",  "red",     "green", "yellow",
					    "blue", "magenta", "cyan",  "white"};
	return names[colour & 7];
}

const char *
desk_ring_name(enum bh_mcu_ring mode)
{
	switch (mode) {
	case BH_MCU_RING_DOT: return "dot";
	case BH_MCU_RING_BOOST_CUT: return "boost";
	case BH_MCU_RING_WRAP: return "wrap";
	case BH_MCU_RING_SPREAD: return "spread";
	}
	return "?";
}

const char *
desk_led_name(enum bh_mcu_led led)
{
	switch (led) {
	case BH_MCU_LED_OFF: return "off";
	case BH_MCU_LED_FLASH: return "flash";
	case BH_MCU_LED_ON: return "on";
	}
	return "?";
}

/* ---- saying things to the host --------------------------------------------------------------- */

static bool
say_bytes(struct desk *d, const uint8_t *bytes, size_t len)
{
	if (!d->ops.send || !d->ops.send(d->ops.data, bytes, len)) {
		d->count[DESK_C_LOST_MESSAGES]++;
		return false;
	}
	d->count[DESK_C_SENT_MESSAGES]++;
	d->count[DESK_C_SENT_BYTES] += len;
	return true;
}

static bool
say(struct desk *d, const struct bh_mcu_event *ev)
{
	uint8_t bytes[BH_MCU_BYTES_MAX];
	int n = bh_mcu_encode_event(d->opts.device_id, NULL, ev, bytes, sizeof(bytes));
	return n > 0 && say_bytes(d, bytes, (size_t)n);
}

static void
say_announce(struct desk *d)
{
	/* The serial number and challenge that a Mackie Control was once seen to send. */
	say(d, &(struct bh_mcu_event){
		       .kind = BH_MCU_EV_ANNOUNCE,
		       .serial = {0x58, 0x59, 0x5a, 0x57, 0x18, 0x61, 0x05},
		       .challenge = {0x57, 0x18, 0x61, 0x05},
	       });
}

/* ---- faders ---------------------------------------------------------------------------------- */

uint16_t
desk_quantise(double pos)
{
	if (!(pos > 0))
		return 0;
	if (pos >= DESK_TOP)
		return DESK_TOP;
	return (uint16_t)(lround(pos / DESK_STEP) * DESK_STEP);
}

uint16_t
desk_pos(const struct desk_fader *f)
{
	uint16_t pos = desk_quantise(f->pos);
	return pos < f->low ? f->low : pos > f->high ? f->high : pos;
}

/* As far as the cap goes. */
static double
within(const struct desk_fader *f, double pos)
{
	return pos < f->low ? f->low : pos > f->high ? f->high : pos;
}

bool
desk_held(const struct desk_fader *f)
{
	return f->touched || f->hand.on;
}

static unsigned
distance(unsigned a, unsigned b)
{
	return a > b ? a - b : b - a;
}

/* The path: every step that the cap went through in the last hand, and where it came from. */
static void
path_add(struct desk_fader *f, unsigned from, unsigned to)
{
	unsigned low = (from < to ? from : to) / DESK_STEP, high = (from < to ? to : from) / DESK_STEP;
	for (unsigned step = low; step <= high && step < 64 * DESK_PATH; step++)
		f->path[step / 64] |= 1ull << (step % 64);
}

/* Two steps of rounding either way are forgiven: hosts keep values in other scales. */
static bool
path_left_behind(const struct desk_fader *f, unsigned target)
{
	if (!f->is_left || distance(target, f->reported) <= 2 * DESK_STEP)
		return false;
	unsigned step = target / DESK_STEP;
	return step < 64 * DESK_PATH && (f->path[step / 64] >> (step % 64) & 1);
}

static void
report(struct desk *d, unsigned i)
{
	struct desk_fader *f = &d->fader[i];
	uint16_t pos = desk_pos(f);
	if (f->has_reported && f->reported == pos)
		return;
	if (!f->touched && !d->touchless)
		return;
	if (!say(d, &(struct bh_mcu_event){
			    .kind = BH_MCU_EV_FADER, .index = (uint8_t)i, .pos_14bit = pos}))
		return;
	f->reported = pos;
	f->has_reported = true;
}

static void
motor_run(struct desk *d, struct desk_fader *f, uint64_t now_ns)
{
	if (f->driving && (now_ns > f->at_ns || !d->opts.throw_ns)) {
		double to = within(f, f->target), left = to - f->pos;
		double reach = d->opts.throw_ns ? (double)DESK_TOP * (double)(now_ns - f->at_ns) /
							  (double)d->opts.throw_ns
						: DESK_TOP;
		/* Times are whole nanoseconds: a thousandth of a step is there. */
		f->driving = fabs(left) > reach + 0.004;
		f->pos = f->driving ? f->pos + copysign(reach, left) : to;
		d->changed++;
	}
	f->at_ns = now_ns;
}

static void
motor_start(struct desk *d, unsigned i)
{
	struct desk_fader *f = &d->fader[i];
	f->run_back_ns = 0;
	if (desk_held(f) || fabs(within(f, f->target) - f->pos) < 0.004) {
		f->driving = false;
		return;
	}
	f->driving = true;
	f->at_ns = d->now_ns;
	if (!d->opts.throw_ns)
		motor_run(d, f, d->now_ns);
	if (d->opts.reports_motor) {
		if (f->driving)
			f->report_ns = d->now_ns + d->opts.tick_ns;
		else
			report(d, i);
	}
}

static uint64_t
motor_arrival_ns(const struct desk *d, const struct desk_fader *f)
{
	double left = fabs(within(f, f->target) - f->pos);
	return f->at_ns + (uint64_t)ceil(left / DESK_TOP * (double)d->opts.throw_ns);
}

static void
hand_takes(struct desk *d, struct desk_fader *f)
{
	f->driving = false;
	f->run_back_ns = f->report_ns = 0;
	memset(f->path, 0, sizeof(f->path));
	f->is_left = true;
	path_add(f, desk_pos(f), desk_pos(f));
	if (f->has_target)
		path_add(f, f->target, f->target);
	d->changed++;
}

static void
hand_leaves(struct desk *d, struct desk_fader *f)
{
	if (desk_held(f))
		return;
	f->left = desk_pos(f);
	f->has_left = true;
	if (f->has_target && (uint16_t)within(f, f->target) != desk_pos(f))
		f->run_back_ns = d->now_ns + d->opts.return_ns;
	d->changed++;
}

static void
touch_set(struct desk *d, unsigned i, bool on)
{
	struct desk_fader *f = &d->fader[i];
	if (f->touched == on)
		return;
	if (on && !desk_held(f))
		hand_takes(d, f);
	f->touched = on;
	f->touches += on;
	say(d, &(struct bh_mcu_event){
		       .kind = BH_MCU_EV_TOUCH, .index = (uint8_t)i, .pressed = on});
	if (!on)
		hand_leaves(d, f);
}

static void
hand_put(struct desk *d, unsigned i, double pos)
{
	struct desk_fader *f = &d->fader[i];
	path_add(f, desk_pos(f), desk_quantise(pos));
	f->pos = within(f, desk_quantise(pos));
	d->changed++;
	report(d, i);
}

static void
hand_tick(struct desk *d, unsigned i)
{
	struct desk_fader *f = &d->fader[i];
	struct desk_hand *h = &f->hand;
	if (d->now_ns < h->end_ns) {
		double part = (double)(d->now_ns - h->start_ns) / (double)(h->end_ns - h->start_ns);
		hand_put(d, i, h->from + (h->to - h->from) * part);
		h->next_ns += d->opts.tick_ns;
		if (h->next_ns > h->end_ns)
			h->next_ns = h->end_ns;
		return;
	}
	hand_put(d, i, h->to);
	h->on = false;
	if (h->lets_go)
		touch_set(d, i, false);
	else
		hand_leaves(d, f);
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t
sooner(uint64_t a_ns, uint64_t b_ns)
{
	return !a_ns || (b_ns && b_ns < a_ns) ? b_ns : a_ns;
}

/* The next moment at which the fader says or begins something. */
static uint64_t
fader_next_ns(const struct desk_fader *f)
{
	uint64_t next = f->run_back_ns;
	if (f->hand.on)
		next = sooner(next, f->hand.next_ns);
	return sooner(next, f->report_ns);
}

static void
fader_due(struct desk *d, unsigned i)
{
	struct desk_fader *f = &d->fader[i];
	motor_run(d, f, d->now_ns);
	if (f->hand.on && f->hand.next_ns <= d->now_ns)
		hand_tick(d, i);
	if (f->run_back_ns && f->run_back_ns <= d->now_ns) {
		d->count[DESK_C_RAN_BACK]++;
		motor_start(d, i);
	}
	if (f->report_ns && f->report_ns <= d->now_ns) {
		report(d, i);
		f->report_ns = f->driving ? f->report_ns + d->opts.tick_ns : 0;
	}
}

static void
button_set(struct desk *d, unsigned note, bool pressed)
{
	if (d->release_ns[note]) {
		d->release_ns[note] = 0;
		d->taps--;
	}
	if (d->pressed[note] == pressed)
		return;
	d->pressed[note] = pressed;
	d->changed++;
	bool sent = say(d, &(struct bh_mcu_event){
				   .kind = BH_MCU_EV_BUTTON, .note = (uint8_t)note, .pressed = pressed});
	if (pressed && sent)
		d->presses[note]++;
	else if (pressed)
		d->presses_lost++;
}

static uint64_t
taps_next_ns(const struct desk *d)
{
	uint64_t next = 0;
	for (unsigned n = 0; d->taps && n < DESK_BUTTONS; n++)
		next = sooner(next, d->release_ns[n]);
	return next;
}

static void
taps_due(struct desk *d)
{
	for (unsigned n = 0; d->taps && n < DESK_BUTTONS; n++)
		if (d->release_ns[n] && d->release_ns[n] <= d->now_ns)
			button_set(d, n, false);
}

/* In order of time, so that what is said does not depend on how often we are called. */
void
desk_advance(struct desk *d, uint64_t now_ns)
{
	if (now_ns < d->now_ns)
		return;
	for (;;) {
		uint64_t next = taps_next_ns(d);
		for (unsigned i = 0; i < BH_MCU_FADERS; i++)
			next = sooner(next, fader_next_ns(&d->fader[i]));
		if (!next || next > now_ns)
			break;
		if (next > d->now_ns)
			d->now_ns = next;
		for (unsigned i = 0; i < BH_MCU_FADERS; i++)
			fader_due(d, i);
		taps_due(d);
	}
	d->now_ns = now_ns;
	for (unsigned i = 0; i < BH_MCU_FADERS; i++)
		motor_run(d, &d->fader[i], now_ns);
}

uint8_t
desk_meter_level(const struct desk *d, unsigned strip)
{
	const struct desk_meter *m = &d->meter[strip];
	uint64_t fallen = (d->now_ns - m->at_ns) / meter_fall_ns;
	return fallen >= m->level ? 0 : (uint8_t)(m->level - fallen);
}

static uint64_t
meter_next_ns(const struct desk *d, unsigned strip)
{
	const struct desk_meter *m = &d->meter[strip];
	if (desk_meter_level(d, strip) == 0)
		return 0;
	return m->at_ns + ((d->now_ns - m->at_ns) / meter_fall_ns + 1) * meter_fall_ns;
}

uint64_t
desk_next_ns(const struct desk *d)
{
	uint64_t next = taps_next_ns(d);
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		const struct desk_fader *f = &d->fader[i];
		next = sooner(next, fader_next_ns(f));
		if (f->driving) {
			uint64_t step = d->now_ns + d->opts.tick_ns, there = motor_arrival_ns(d, f);
			next = sooner(next, there > d->now_ns && there < step ? there : step);
		}
	}
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++)
		next = sooner(next, meter_next_ns(d, i));
	return next;
}

bool
desk_hands_busy(const struct desk *d)
{
	for (unsigned i = 0; i < BH_MCU_FADERS; i++)
		if (d->fader[i].hand.on)
			return true;
	return d->taps > 0;
}

bool
desk_motors_busy(const struct desk *d)
{
	for (unsigned i = 0; i < BH_MCU_FADERS; i++)
		if (d->fader[i].driving || d->fader[i].run_back_ns)
			return true;
	return false;
}

/* ---- what the host wants --------------------------------------------------------------------- */

/* Each returns whether the message changed anything. */

static bool
want_fader(struct desk *d, unsigned i, uint16_t pos_14bit)
{
	struct desk_fader *f = &d->fader[i];
	/* The ends of the travel need not be whole steps. */
	bool is_end = pos_14bit == f->low || pos_14bit == f->high;
	uint16_t target = is_end ? pos_14bit : pos_14bit / DESK_STEP * DESK_STEP;
	bool is_new = !f->has_target || f->target != target;
	bool fight = f->touched && distance(target, desk_pos(f)) > DESK_STEP;
	/* Two steps of rounding are forgiven here, too. It is neither old for the host nor does it move anything under a finger. */
	bool late = fight && f->has_left && distance(target, f->left) <= 2 * DESK_STEP;
	bool stale = !late && path_left_behind(f, target);
	d->log[d->logged++ % DESK_LOG] = (struct desk_target){
		.at_ns = d->now_ns,
		.target = target,
		.pos = desk_pos(f),
		.fader = (uint8_t)i,
		.touched = f->touched,
		.stale = stale,
	};
	f->writes++;
	d->count[DESK_C_TOUCHED] += f->touched;
	d->count[DESK_C_FIGHTS] += fight;
	d->count[DESK_C_LATE] += late;
	d->count[DESK_C_STALE] += stale;
	f->fights += fight;
	if (!late && distance(target, desk_pos(f)) > d->opts.jump)
		d->count[DESK_C_JUMPS]++;
	f->target = target;
	f->has_target = true;
	motor_start(d, i);
	return is_new;
}

static bool
want_led(struct desk *d, unsigned note, enum bh_mcu_led led)
{
	bool is_new = note < DESK_BUTTONS && d->led[note] != led;
	if (is_new)
		d->led[note] = led;
	return is_new;
}

static bool
want_ring(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	struct desk_ring *r = &d->ring[cmd->index], old = *r;
	*r = (struct desk_ring){.mode = cmd->ring, .pos = cmd->value, .extra = cmd->extra};
	return r->mode != old.mode || r->pos != old.pos || r->extra != old.extra;
}

static bool
want_meter(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	struct desk_meter *m = &d->meter[cmd->index];
	if (cmd->kind == BH_MCU_CMD_METER_OVER) {
		bool is_new = m->over != cmd->on;
		m->over = cmd->on;
		return is_new;
	}
	/* The same level again holds it up, unless it is on the floor. */
	bool is_new = cmd->value > 0 || desk_meter_level(d, cmd->index) > 0;
	m->level = cmd->value;
	m->at_ns = d->now_ns;
	return is_new;
}

static bool
want_text(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	size_t room = cmd->offset < sizeof(d->lcd) ? sizeof(d->lcd) - cmd->offset : 0;
	size_t n = cmd->text_len < room ? cmd->text_len : room;
	if (n == 0 || memcmp(d->lcd + cmd->offset, cmd->text, n) == 0)
		return false;
	memcpy(d->lcd + cmd->offset, cmd->text, n);
	return true;
}

static bool
want_colours(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	bool is_new = memcmp(d->colour, cmd->colours, sizeof(d->colour)) != 0;
	memcpy(d->colour, cmd->colours, sizeof(d->colour));
	return is_new;
}

static bool
want_digit(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	bool is_new = d->digit[cmd->index] != cmd->value;
	d->digit[cmd->index] = cmd->value;
	return is_new;
}

static void
go_dark(struct desk *d)
{
	memset(d->led, 0, sizeof(d->led));
	memset(d->ring, 0, sizeof(d->ring));
	memset(d->lcd, ' ', sizeof(d->lcd));
	memset(d->colour, 7, sizeof(d->colour));
	memset(d->digit, BH_MCU_DIGIT_BLANK, sizeof(d->digit));
	memset(d->meter, 0, sizeof(d->meter));
	d->changed++;
}

/* Opcodes 0F, 10, 11 and 61-63 do nothing on what came after the Logic Control, so they do nothing here. */
static bool
want_sysex(struct desk *d, const struct bh_mcu_cmd *cmd)
{
	switch (cmd->kind) {
	case BH_MCU_CMD_QUERY:
		if (d->opts.answers)
			say_announce(d);
		return true;
	case BH_MCU_CMD_VERSION_REQUEST:
		if (d->opts.answers)
			say(d, &(struct bh_mcu_event){
				       .kind = BH_MCU_EV_VERSION, .version = "V1.22"});
		return true;
	case BH_MCU_CMD_RESET: go_dark(d); return true;
	case BH_MCU_CMD_TOUCHLESS: {
		bool is_new = d->touchless != cmd->on;
		d->touchless = cmd->on;
		return is_new;
	}
	default: return true;
	}
}

static enum desk_kind
want(struct desk *d, const struct bh_midi_msg *msg, bool *is_new)
{
	struct bh_mcu_opts opts = {.device_id = d->opts.device_id};
	struct bh_mcu_cmd cmd;
	*is_new = true;
	if (!bh_mcu_decode_cmd(&opts, msg, &cmd))
		return DESK_UNKNOWN;
	switch (cmd.kind) {
	case BH_MCU_CMD_FADER: *is_new = want_fader(d, cmd.index, cmd.pos_14bit); return DESK_FADER;
	case BH_MCU_CMD_LED: *is_new = want_led(d, cmd.note, cmd.led); return DESK_LED;
	case BH_MCU_CMD_RING: *is_new = want_ring(d, &cmd); return DESK_RING;
	case BH_MCU_CMD_DIGIT: *is_new = want_digit(d, &cmd); return DESK_DIGIT;
	case BH_MCU_CMD_METER:
	case BH_MCU_CMD_METER_OVER: *is_new = want_meter(d, &cmd); return DESK_METER;
	case BH_MCU_CMD_LCD: *is_new = want_text(d, &cmd); return DESK_LCD;
	case BH_MCU_CMD_COLOURS: *is_new = want_colours(d, &cmd); return DESK_COLOUR;
	default: *is_new = want_sysex(d, &cmd); return DESK_SYSEX;
	}
}

static void
on_message(struct desk *d, const struct bh_midi_msg *msg)
{
	bool is_new;
	enum desk_kind kind = want(d, msg, &is_new);
	uint64_t *of_kind = d->count + DESK_C_KIND + 3 * kind;
	of_kind[0] += d->message_bytes;
	of_kind[1]++;
	of_kind[2] += !is_new;
	d->message_bytes = 0;
	d->count[DESK_C_MESSAGES]++;
	d->count[DESK_C_REDUNDANT] += !is_new;
	d->changed += is_new;
}

void
desk_receive(struct desk *d, uint64_t now_ns, const uint8_t *bytes, size_t len)
{
	desk_advance(d, now_ns);
	d->rx_ns = d->now_ns;
	for (size_t i = 0; i < len; i++) {
		struct bh_midi_msg msg;
		d->message_bytes++;
		d->count[DESK_C_BYTES]++;
		if (bh_midi_parse(&d->parser, bytes[i], &msg))
			on_message(d, &msg);
	}
	const struct bh_midi_counters *c = &d->parser.counters;
	d->count[DESK_C_ODD] = c->undefined + c->orphan_data + c->cut_short + c->sysex_aborted +
			       c->sysex_too_long + c->stray_end;
}

/* ---- life ------------------------------------------------------------------------------------ */

void
desk_init(struct desk *d, const struct desk_opts *opts, const struct desk_ops *ops, uint64_t now_ns)
{
	memset(d, 0, sizeof(*d));
	d->opts = *opts;
	d->ops = *ops;
	d->now_ns = now_ns;
	d->fresh = d->touchless = true;
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		d->fader[i].at_ns = now_ns;
		d->fader[i].high = DESK_TOP;
	}
	go_dark(d);
}

void
desk_connect(struct desk *d, uint64_t now_ns)
{
	desk_advance(d, now_ns);
	bh_midi_parser_resync(&d->parser);
	d->message_bytes = 0;
	d->changed++;
	if (d->fresh)
		say_announce(d);
	d->fresh = false;
}

void
desk_power_cycle(struct desk *d, uint64_t now_ns)
{
	desk_advance(d, now_ns);
	go_dark(d);
	d->fresh = d->touchless = true;
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		struct desk_fader *f = &d->fader[i];
		f->has_target = f->driving = f->is_left = f->has_reported = false;
		f->run_back_ns = f->report_ns = 0;
	}
}

/* ---- hands ----------------------------------------------------------------------------------- */

int
desk_travel(struct desk *d, uint64_t now_ns, uint16_t low, uint16_t high)
{
	if (low >= high || high > DESK_TOP)
		return -EINVAL;
	desk_advance(d, now_ns);
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		d->fader[i].low = low;
		d->fader[i].high = high;
		d->fader[i].pos = within(&d->fader[i], d->fader[i].pos);
	}
	d->changed++;
	return 0;
}

int
desk_touch(struct desk *d, uint64_t now_ns, unsigned fader, bool on)
{
	if (fader >= BH_MCU_FADERS)
		return -EINVAL;
	desk_advance(d, now_ns);
	touch_set(d, fader, on);
	return 0;
}

int
desk_move(struct desk *d, uint64_t now_ns, unsigned fader, uint16_t pos, uint64_t dur_ns,
	  bool touching)
{
	if (fader >= BH_MCU_FADERS || pos > BH_MCU_POS_MAX)
		return -EINVAL;
	desk_advance(d, now_ns);
	struct desk_fader *f = &d->fader[fader];
	if (touching)
		touch_set(d, fader, true);
	if (!desk_held(f))
		hand_takes(d, f);
	f->hand = (struct desk_hand){
		.on = true,
		.lets_go = touching,
		.from = desk_pos(f),
		.to = (uint16_t)within(f, desk_quantise(pos)),
		.start_ns = d->now_ns,
		.end_ns = d->now_ns + dur_ns,
		.next_ns = d->now_ns + (dur_ns < d->opts.tick_ns ? dur_ns : d->opts.tick_ns),
	};
	if (dur_ns == 0)
		hand_tick(d, fader);
	return 0;
}

bool
desk_has_button(unsigned note)
{
	return note < BH_MCU_NOTE_TOUCH && bh_mcu_note_name((uint8_t)note);
}

int
desk_button(struct desk *d, uint64_t now_ns, unsigned note, bool pressed)
{
	if (!desk_has_button(note))
		return -EINVAL;
	desk_advance(d, now_ns);
	button_set(d, note, pressed);
	return 0;
}

int
desk_tap(struct desk *d, uint64_t now_ns, unsigned note, uint64_t hold_ns)
{
	int r = desk_button(d, now_ns, note, true);
	if (r < 0)
		return r;
	if (!hold_ns)
		return desk_button(d, now_ns, note, false);
	d->taps++;
	d->release_ns[note] = d->now_ns + hold_ns;
	return 0;
}

static void
turn(struct desk *d, const struct bh_mcu_event *like, int ticks, int64_t *total)
{
	while (ticks != 0) {
		int n = ticks > DESK_TURN_MAX ? DESK_TURN_MAX
			: ticks < -DESK_TURN_MAX ? -DESK_TURN_MAX : ticks;
		struct bh_mcu_event ev = *like;
		ev.ticks = (int16_t)n;
		if (say(d, &ev))
			*total += n;
		else
			d->turned_lost += n < 0 ? -n : n;
		ticks -= n;
	}
	d->changed++;
}

int
desk_turn(struct desk *d, uint64_t now_ns, unsigned vpot, int ticks)
{
	if (vpot >= BH_MCU_STRIPS)
		return -EINVAL;
	desk_advance(d, now_ns);
	turn(d, &(struct bh_mcu_event){.kind = BH_MCU_EV_VPOT, .index = (uint8_t)vpot}, ticks,
	     &d->turned[vpot]);
	return 0;
}

int
desk_jog(struct desk *d, uint64_t now_ns, int ticks)
{
	desk_advance(d, now_ns);
	turn(d, &(struct bh_mcu_event){.kind = BH_MCU_EV_JOG}, ticks, &d->jogged);
	return 0;
}

int
desk_pedal(struct desk *d, uint64_t now_ns, uint8_t value)
{
	if (value > 127)
		return -EINVAL;
	desk_advance(d, now_ns);
	d->pedal = value;
	d->changed++;
	say(d, &(struct bh_mcu_event){.kind = BH_MCU_EV_PEDAL, .value = value});
	return 0;
}

/* ---- reading the displays -------------------------------------------------------------------- */

void
desk_strip_text(const struct desk *d, unsigned strip, unsigned line,
		char text[BH_MCU_CELL_WIDTH + 1])
{
	memcpy(text, d->lcd + line * BH_MCU_LCD_COLS + strip * BH_MCU_CELL_WIDTH, BH_MCU_CELL_WIDTH);
	size_t n = BH_MCU_CELL_WIDTH;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
}

void
desk_digits(const struct desk *d, unsigned first, unsigned n, char *text, size_t cap)
{
	size_t at = 0;
	for (unsigned i = n; i-- > 0 && at + 2 < cap;) {
		uint8_t code = d->digit[first + i];
		text[at++] = bh_mcu_digit_char(code & (BH_MCU_DIGIT_DOT - 1));
		if (code & BH_MCU_DIGIT_DOT)
			text[at++] = '.';
	}
	text[at] = '\0';
}
