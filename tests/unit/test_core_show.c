/* test_core_show - what surfaces are told to show: lights, rings, strips, digits, meters; a whole desk and the rig's mixer */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "procs/router/core_int.h"
#include "tests/lib/core_rig.h"

/* ------------------------------------------------------------------ a whole desk, and pages of any bindings */

#define STRIPS 8
#define NOTES 102
enum { FADER = 0, VPOT = 8, STRIP = 16, METER = 24, TIMECODE = 32, ASSIGN, BUTTON, CTLS = BUTTON + NOTES };
/* Notes of the usual groups. */
enum { REC = 0, MUTE = 16, ASSIGN_TRACK = 40, F1 = 54, READ = 74, PLAY = 94 };

struct desk {
	struct bh_config_writer *w;
	uint32_t bindings, first, page;
	struct bh_cfg_binding b[4000];
};
static struct desk *d;
static struct rig *r;

static uint32_t
str(const char *s)
{
	return bh_config_writer_str(d->w, s, strlen(s));
}

static uint8_t
kind_of(unsigned n)
{
	return n < VPOT ? BH_CTL_FADER : n < STRIP ? BH_CTL_VPOT : n < METER ? BH_CTL_STRIP : n < TIMECODE ? BH_CTL_METER :
	       n < BUTTON ? BH_CTL_DIGITS : BH_CTL_BUTTON;
}

static void
desk_begin(void)
{
	d = calloc(1, sizeof(*d));
	d->w = bh_config_writer_new();
	struct bh_cfg_proc desk = {.name = str("desk"), .kind = str("surface"), .slot = RIG_DESK, .role = BH_ROLE_SURFACE,
				   .record_base = RIG_DESK_BASE, .records = 256};
	struct bh_cfg_proc mix = {.name = str("mix"), .kind = str("loop"), .slot = RIG_MIX, .role = BH_ROLE_DRIVER,
				  .record_base = RIG_MIX_BASE, .records = 64, .params = 64};
	struct bh_cfg_surface sf = {.slot = RIG_DESK, .controls = CTLS, .strips = STRIPS};
	bh_config_writer_row(d->w, BH_TAB_PROCS, &desk, sizeof(desk));
	bh_config_writer_row(d->w, BH_TAB_PROCS, &mix, sizeof(mix));
	bh_config_writer_row(d->w, BH_TAB_SURFACES, &sf, sizeof(sf));
	for (unsigned n = 0; n < CTLS; n++) {
		struct bh_cfg_control c = {.kind = kind_of(n), .strip = 0xff, .touch = 0xff, .addr = (uint8_t)(n % 128)};
		if (n < TIMECODE)
			c.strip = (uint8_t)(n % STRIPS);
		c.width = n == TIMECODE ? 10 : n == ASSIGN ? 2 : 7;
		c.flags = BH_CTL_HAS_LED | BH_CTL_HAS_RING | BH_CTL_HAS_MOTOR | BH_CTL_HAS_TOUCH | BH_CTL_HAS_COLOR;
		snprintf(c.name, sizeof(c.name), "c%u", n);
		bh_config_writer_row(d->w, BH_TAB_CONTROLS, &c, sizeof(c));
	}
}

/* A binding on the page that is being written; to be filled in until the next one. */
static struct bh_cfg_binding *
bind(unsigned ctl, unsigned kind, const char *target)
{
	struct bh_cfg_binding *b = &d->b[d->bindings++];
	*b = (struct bh_cfg_binding){.page = (uint16_t)d->page, .surface = RIG_DESK, .control = (uint16_t)ctl,
				     .kind = (uint8_t)kind, .driver = target ? RIG_MIX : BH_SLOT_NONE, .taper = 0xff,
				     .when.driver = BH_SLOT_NONE};
	if (target)
		b->target = str(target);
	return b;
}

static struct bh_cfg_operand
operand(double num, const char *text)
{
	return (struct bh_cfg_operand){.num = num, .text = str(text), .type = (uint8_t)(num >= 0 ? BH_FLOAT : BH_TEXT)};
}

static struct bh_cfg_binding *
light(unsigned ctl, enum bh_light show, const char *target, enum bh_cond_op op, const char *with)
{
	struct bh_cfg_binding *b = bind(ctl, BH_BIND_LIGHT, NULL);
	b->part = BH_PART_LIGHT;
	b->light_on = (uint8_t)show;
	b->when = (struct bh_cfg_cond){.target = str(target), .driver = RIG_MIX, .op = (uint8_t)op};
	if (with)
		b->when.with = operand(strspn(with, "0123456789.") == strlen(with) ? strtod(with, NULL) : -1, with);
	return b;
}

static void
page_end(const char *name)
{
	struct bh_cfg_page p = {.name = str(name), .first = d->first, .count = d->bindings - d->first};
	bh_config_writer_row(d->w, BH_TAB_PAGES, &p, sizeof(p));
	d->first = d->bindings;
	d->page++;
}

static int
desk_file(uint64_t generation)
{
	for (uint32_t k = 0; k < d->bindings; k++)
		bh_config_writer_row(d->w, BH_TAB_BINDINGS, &d->b[k], sizeof(d->b[k]));
	int fd = bh_config_writer_finish(d->w, "show", "show.yaml", generation);
	ck_assert_int_ge(fd, 0);
	bh_config_writer_free(d->w);
	free(d);
	d = NULL;
	return fd;
}

static void
everything_reported(void)
{
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL1, -10);
	mix_report(r, RIG_LEVEL2, -20);
	mix_report(r, RIG_LEVEL3, -30);
	mix_report(r, RIG_MUTED, 0);
	mix_report(r, RIG_PAN, 0);
	mix_report(r, RIG_SCENES, 0);
	mix_report(r, RIG_RECORDING, 0);
	mix_report(r, RIG_ROOM, 50);
	rig_advance(r, 1000);
	rig_clear(r);
}

/* Pages are written; the desk comes up on the first one, with all values known. */
static void
desk_up(void)
{
	r = rig_new_with(desk_file(1), true);
	everything_reported();
}

static void
go(const char *page)
{
	int n = core_find_page(r->core, page);
	ck_assert_int_ge(n, 0);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, 0, 0, BH_INT, n, NULL), 0);
}

static void
touch(unsigned ctl, bool on)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = ctl, .v.i = on});
}

static void
move(unsigned ctl, double pos)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = ctl, .v.f = pos});
}

static void
turn(unsigned ctl, int ticks)
{
	static uint32_t total[CTLS];
	total[ctl] = desk_ctl(r, ctl)->seen_total + (uint32_t)ticks;
	rig_event(r, RIG_DESK,
		  (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = ctl, .total = total[ctl], .v.i = ticks});
}

/* As room/quiet does. */
static void
quiet(bool on)
{
	rig_begin(r);
	r->core->quiet = on;
	for (uint32_t k = 0; k < r->core->ctls; k++)
		core_queue_ctl(r->core, k);
	rig_end(r);
}

static int64_t
lit(unsigned note)
{
	return desk_ctl(r, BUTTON + note)->told.i;
}

static struct bh_ring_state
ring(unsigned n)
{
	return bh_feedback_ring_open(desk_ctl(r, VPOT + n)->told.i);
}

static const char *
line(unsigned n, int which)
{
	static char out[2][BH_TEXT_MAX + 1];
	struct bh_strip_state st;
	bh_feedback_strip_open(desk_ctl(r, STRIP + n)->text, &st);
	memcpy(out[which], st.line[which], st.len[which]);
	out[which][st.len[which]] = '\0';
	return out[which];
}

#define upper(n) line(n, 0)
#define lower(n) line(n, 1)

static const char *
digits(void)
{
	return desk_ctl(r, TIMECODE)->text;
}

static void
teardown(void)
{
	if (r)
		rig_free(r);
	r = NULL;
}

/* ------------------------------------------------------------------ lights */

START_TEST(first_light_row_that_holds_is_shown)
{
	desk_begin();
	bind(BUTTON + REC, BH_BIND_ACTION, "transport");
	light(BUTTON + REC, BH_LIGHT_FLASH, "scene", BH_COND_EQ, "Night");
	light(BUTTON + REC, BH_LIGHT_ON, "ch1/mute", BH_COND_OFF, NULL);
	page_end("A");
	desk_up();
	ck_assert_int_eq(lit(REC), BH_LIGHT_ON);
	mix_report(r, RIG_SCENES, 1);
	ck_assert_int_eq(lit(REC), BH_LIGHT_FLASH);
	mix_report(r, RIG_MUTED, 1);
	ck_assert_int_eq(lit(REC), BH_LIGHT_FLASH);
	mix_report(r, RIG_SCENES, 2);
	ck_assert_int_eq(lit(REC), BH_LIGHT_OFF); /* none holds */
}
END_TEST

START_TEST(light_row_that_only_says_off_leaves_the_rest_to_the_button)
{
	desk_begin();
	bind(BUTTON + MUTE, BH_BIND_TOGGLE, "ch1/mute");
	light(BUTTON + MUTE, BH_LIGHT_OFF, "scene", BH_COND_EQ, "Off");
	page_end("A");
	desk_up();
	mix_report(r, RIG_MUTED, 1);
	ck_assert_int_eq(lit(MUTE), BH_LIGHT_ON);
	mix_report(r, RIG_SCENES, 2);
	ck_assert_int_eq(lit(MUTE), BH_LIGHT_OFF);
}
END_TEST

START_TEST(button_without_light_rows_is_lit_by_what_it_does)
{
	desk_begin();
	struct bh_cfg_binding *b = bind(BUTTON + 24, BH_BIND_RADIO, "scene");
	b->on = operand(-1, "Night");
	b = bind(BUTTON + 25, BH_BIND_RADIO, "scene");
	b->on = operand(-1, "Off");
	bind(BUTTON + 26, BH_BIND_MOMENTARY, "ch1/mute");
	b = bind(BUTTON + 27, BH_BIND_TOGGLE, "ch1/level");
	b->on = operand(-1, "x");
	b->on = (struct bh_cfg_operand){.num = 0, .type = BH_FLOAT};
	page_end("A");
	desk_up();
	ck_assert_int_eq(lit(24) + lit(25) + lit(26) + lit(27), 0);
	mix_report(r, RIG_SCENES, 1);
	ck_assert_int_eq(lit(24), BH_LIGHT_ON);
	mix_report(r, RIG_SCENES, 2);
	ck_assert_int_eq(lit(24), BH_LIGHT_OFF);
	ck_assert_int_eq(lit(25), BH_LIGHT_ON);
	mix_report(r, RIG_MUTED, 1);
	ck_assert_int_eq(lit(26), BH_LIGHT_ON);
	mix_report(r, RIG_LEVEL1, 0);
	ck_assert_int_eq(lit(27), BH_LIGHT_ON);
	mix_report(r, RIG_LEVEL1, -3);
	ck_assert_int_eq(lit(27), BH_LIGHT_OFF);
}
END_TEST

START_TEST(one_parameter_lights_every_button_that_shows_it)
{
	desk_begin();
	for (unsigned n = 0; n < 40; n++)
		bind(BUTTON + n, n % 2 ? BH_BIND_VALUE : BH_BIND_LIGHT, "ch1/mute");
	for (unsigned n = 40; n < 60; n++) {
		bind(BUTTON + n, BH_BIND_ACTION, "transport");
		light(BUTTON + n, BH_LIGHT_ON, "ch1/mute", BH_COND_ON, NULL);
	}
	page_end("A");
	desk_up();
	mix_report(r, RIG_MUTED, 1);
	for (unsigned n = 0; n < 60; n++)
		ck_assert_int_eq(lit(n), BH_LIGHT_ON);
	mix_report(r, RIG_MUTED, 0);
	for (unsigned n = 0; n < 60; n++)
		ck_assert_int_eq(lit(n), BH_LIGHT_OFF);
}
END_TEST

START_TEST(page_entry_covers_the_global_indicator_and_gives_it_back)
{
	desk_begin();
	bind(BUTTON + F1, BH_BIND_LIGHT, "recording");
	page_end("A");
	bind(BUTTON + PLAY, BH_BIND_VALUE, "ch1/mute");
	page_end("B");
	page_end("Bare");
	d->page = BH_PAGE_GLOBAL;
	bind(BUTTON + F1, BH_BIND_LIGHT, "ch1/mute");
	light(BUTTON + READ, BH_LIGHT_FLASH, "scene", BH_COND_NE, "Day");
	desk_up();
	mix_report(r, RIG_MUTED, 1);
	mix_report(r, RIG_SCENES, 1);
	ck_assert_int_eq(lit(F1), BH_LIGHT_OFF);
	ck_assert_int_eq(lit(READ), BH_LIGHT_FLASH);
	go("B");
	ck_assert_int_eq(lit(F1), BH_LIGHT_ON);
	ck_assert_int_eq(lit(READ), BH_LIGHT_FLASH);
	ck_assert_int_eq(lit(PLAY), BH_LIGHT_ON);
	go("Bare"); /* a page without any entry has the global ones */
	ck_assert_int_eq(lit(F1), BH_LIGHT_ON);
	ck_assert_int_eq(lit(READ), BH_LIGHT_FLASH);
	ck_assert_int_eq(desk_ctl(r, BUTTON + PLAY)->told_type, BH_NONE);
	ck_assert_uint_eq(told_count(r, BUTTON + READ), 1);
}
END_TEST

START_TEST(indicators_are_seen_anew_on_every_page_switch)
{
	desk_begin();
	bind(BUTTON + REC, BH_BIND_LIGHT, "recording");
	page_end("A");
	page_end("B");
	desk_up();
	go("B");
	mix_report(r, RIG_RECORDING, 1);
	go("A");
	ck_assert_int_eq(lit(REC), BH_LIGHT_ON);
	go("B");
	mix_report(r, RIG_RECORDING, 0);
	go("A");
	ck_assert_int_eq(lit(REC), BH_LIGHT_OFF);
}
END_TEST

START_TEST(quiet_room_flashes_and_wanders_nowhere)
{
	desk_begin();
	bind(BUTTON + REC, BH_BIND_LIGHT, "recording")->flags = BH_BINDF_FLASH;
	bind(VPOT, BH_BIND_VALUE, "ch1/level");
	light(VPOT, BH_LIGHT_FLASH, "recording", BH_COND_ON, NULL);
	struct bh_cfg_binding *b = bind(STRIP, BH_BIND_STRIP, NULL);
	b->text = str("Guest microphone 2");
	b->flags = BH_BINDF_SCROLL;
	b = bind(TIMECODE, BH_BIND_DISPLAY, NULL);
	b->text = str("On air");
	b->effect = BH_FX_BLINK;
	page_end("A");
	desk_up();
	mix_report(r, RIG_RECORDING, 1);
	ck_assert_int_eq(lit(REC), BH_LIGHT_FLASH);
	quiet(true);
	ck_assert_int_eq(lit(REC), BH_LIGHT_ON);
	ck_assert(ring(0).lit);
	ck_assert_str_eq(upper(0), "GstMic2");
	ck_assert_str_eq(digits(), "On air");
	rig_clear(r);
	rig_advance(r, 60000);
	ck_assert_uint_eq(r->logged, 0);
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
	quiet(false);
	ck_assert_int_eq(lit(REC), BH_LIGHT_FLASH);
	rig_advance(r, 5000);
	ck_assert_uint_gt(told_count(r, VPOT), 5);
	ck_assert_uint_gt(told_count(r, STRIP), 5);
	ck_assert_uint_gt(told_count(r, TIMECODE), 5);
}
END_TEST

START_TEST(quiet_motors_stand_still_and_are_set_once_afterwards)
{
	desk_begin();
	bind(FADER, BH_BIND_VALUE, "ch1/level");
	bind(FADER + 1, BH_BIND_VALUE, "ch2/level");
	page_end("A");
	bind(FADER, BH_BIND_VALUE, "ch3/level");
	page_end("B");
	desk_up();
	quiet(true);
	mix_report(r, RIG_LEVEL1, 0);
	mix_report(r, RIG_LEVEL1, 3);
	go("B");
	go("A");
	rig_advance(r, 60000);
	ck_assert_uint_eq(told_count(r, FADER), 0);
	quiet(false);
	ck_assert_uint_eq(told_count(r, FADER), 1);
	ck_assert_double_eq_tol(told_last(r, FADER)->v.f, fader_at(3), 1e-6);
	ck_assert_uint_eq(told_count(r, FADER + 1), 0);
}
END_TEST

/* ------------------------------------------------------------------ rings */

START_TEST(ring_mode_fits_the_parameter_unless_it_is_written)
{
	static const struct {
		const char *name;
		enum bh_ring_mode mode;
	} fits[] = {{"ch1/pan", BH_RING_PAN}, {"ch1/level", BH_RING_WRAP}, {"scene", BH_RING_DOT}, {"ch1/mute", BH_RING_DOT},
		    {"room", BH_RING_WRAP}, {"eq/q", BH_RING_SPREAD}};
	desk_begin();
	for (unsigned n = 0; n < 6; n++)
		bind(VPOT + n, n % 2 ? BH_BIND_VALUE : BH_BIND_RELATIVE, fits[n].name);
	struct bh_cfg_binding *b = bind(VPOT + 6, BH_BIND_RELATIVE, "ch1/pan");
	b->flags = BH_BINDF_HAS_RING;
	b->ring = BH_RING_DOT;
	page_end("A");
	desk_up();
	rig_dir_add(r, 40, "eq/q", 0, 0xffffffff);
	r->mix_gen[RIG_LEVEL1] = r->mix_gen[RIG_LEVEL1];
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 40, .gen = 1, .v.f = -10});
	for (unsigned n = 0; n < 6; n++) {
		ck_assert_msg(ring(n).lit, "%s is dark", fits[n].name);
		ck_assert_msg(ring(n).mode == fits[n].mode, "%s: mode %d", fits[n].name, ring(n).mode);
	}
	ck_assert_int_eq(ring(6).mode, BH_RING_DOT);
}
END_TEST

START_TEST(ring_shows_the_same_for_every_type)
{
	static const struct {
		uint8_t type;
		double min, max, at;
	} kinds[] = {{BH_FLOAT, 0, 1, 1}, {BH_INT, 0, 127, 127}, {BH_ENUM, 0, 2, 2}, {BH_BOOL, 0, 1, 1}, {BH_FLOAT, -1, 1, 1}};
	desk_begin();
	for (unsigned n = 0; n < 5; n++) {
		char name[8];
		snprintf(name, sizeof(name), "p%u", n);
		struct bh_cfg_binding *b = bind(VPOT + n, BH_BIND_VALUE, name);
		b->flags = BH_BINDF_HAS_RING;
		b->ring = BH_RING_WRAP;
	}
	page_end("A");
	desk_up();
	for (unsigned n = 0; n < 5; n++) {
		struct bh_dir_record rec = {.index = 40 + n, .gen = 1, .type = kinds[n].type, .access = 3, .min = kinds[n].min,
					    .max = kinds[n].max, .was = 0xffffffff, .taper = BH_TAPER_LINEAR,
					    .choices = kinds[n].type == BH_ENUM ? 3 : 0};
		snprintf(rec.name, sizeof(rec.name), "p%u", n);
		rig_begin(r);
		ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &rec, rec.choices ? "a\0b\0c" : NULL, rec.choices ? 6 : 0), 0);
		rig_end(r);
	}
	for (unsigned top = 0; top < 2; top++) {
		for (unsigned n = 0; n < 5; n++) {
			struct bh_event ev = {.kind = BH_EV_VALUE, .type = kinds[n].type, .id = 40 + n, .gen = 1 + top};
			double x = top ? kinds[n].at : kinds[n].min;
			if (ev.type == BH_FLOAT)
				ev.v.f = x;
			else
				ev.v.i = (int64_t)x;
			rig_event(r, RIG_MIX, ev);
		}
		rig_advance(r, 1000);
		for (unsigned n = 0; n < 5; n++) {
			ck_assert(ring(n).lit);
			ck_assert_int_eq(ring(n).mode, BH_RING_WRAP);
			ck_assert_double_eq(ring(n).pos, top);
		}
	}
}
END_TEST

START_TEST(ring_marks_the_middle_and_a_default_inside_the_scale)
{
	desk_begin();
	bind(VPOT, BH_BIND_RELATIVE, "ch1/pan");
	bind(VPOT + 1, BH_BIND_RELATIVE, "room");      /* default 50 of 100 */
	bind(VPOT + 2, BH_BIND_RELATIVE, "ch1/level"); /* default: the bottom */
	struct bh_cfg_binding *b = bind(VPOT + 3, BH_BIND_RELATIVE, "room");
	b->flags = BH_BINDF_INVERT;
	page_end("A");
	desk_up();
	ck_assert(ring(0).mark && ring(1).mark && ring(3).mark);
	mix_report(r, RIG_PAN, 0.2);
	mix_report(r, RIG_ROOM, 80);
	mix_report(r, RIG_LEVEL1, -100);
	ck_assert(!ring(0).mark && !ring(1).mark && !ring(2).mark && !ring(3).mark);
	ck_assert_double_eq_tol(ring(1).pos, 0.8, 1e-4);
	ck_assert_double_eq_tol(ring(3).pos, 0.2, 1e-4);
}
END_TEST

START_TEST(ring_is_dark_or_flashes_while_its_condition_holds)
{
	desk_begin();
	bind(VPOT, BH_BIND_RELATIVE, "room");
	light(VPOT, BH_LIGHT_OFF, "ch1/mute", BH_COND_ON, NULL);
	struct bh_cfg_binding *b = light(VPOT, BH_LIGHT_FLASH, "scene", BH_COND_EQ, "Night");
	b->flags = BH_BINDF_HAS_RING;
	b->ring = BH_RING_SPREAD;
	bind(VPOT + 1, BH_BIND_RELATIVE, "room");
	light(VPOT + 1, BH_LIGHT_ON, "ch1/mute", BH_COND_ON, NULL);
	page_end("A");
	desk_up();
	ck_assert(ring(0).lit);
	ck_assert(!ring(1).lit);
	mix_report(r, RIG_MUTED, 1);
	ck_assert(ring(1).lit);
	ck_assert_int_eq(desk_ctl(r, VPOT)->told.i, 0);
	mix_report(r, RIG_MUTED, 0);
	ck_assert(ring(0).lit);
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
	mix_report(r, RIG_SCENES, 1);
	rig_clear(r);
	rig_advance(r, 3000);
	ck_assert_uint_eq(told_count(r, VPOT), 10);
	ck_assert(ring(0).mode == BH_RING_SPREAD || !ring(0).lit);
	mix_report(r, RIG_SCENES, 0);
	ck_assert(ring(0).lit);
	ck_assert_int_eq(ring(0).mode, BH_RING_WRAP);
	rig_advance(r, 1000);
	ck_assert_uint_eq(bh_core_deadline(r->core), 0); /* and nothing wakes us any more */
}
END_TEST

/* ------------------------------------------------------------------ strips */

static void
strips(void)
{
	desk_begin();
	bind(FADER, BH_BIND_VALUE, "ch1/level");
	bind(VPOT, BH_BIND_RELATIVE, "ch1/pan");
	struct bh_cfg_binding *b = bind(STRIP, BH_BIND_STRIP, "ch1/mute");
	b->text = str("Host");
	b->color = 1;
	light(STRIP, BH_LIGHT_ON, "scene", BH_COND_EQ, "Night")->color = 4;
	bind(FADER + 1, BH_BIND_VALUE, "ch2/level");
	bind(STRIP + 1, BH_BIND_STRIP, NULL)->text = str("Guest");
	bind(FADER + 2, BH_BIND_VALUE, "room");
	b = bind(STRIP + 2, BH_BIND_STRIP, "room");
	b->flags = BH_BINDF_NO_OVERLAY;
	bind(STRIP + 3, BH_BIND_STRIP, "scene");
	b = bind(STRIP + 4, BH_BIND_STRIP, "ch9/level");
	bind(FADER + 5, BH_BIND_VALUE, "ch3/level");
	b = bind(STRIP + 6, BH_BIND_STRIP, "ch2/level");
	b->flags = BH_BINDF_NAME_LOWER;
	b->text = str("Band");
	page_end("A");
	bind(STRIP, BH_BIND_STRIP, NULL)->text = str("Other");
	bind(FADER, BH_BIND_VALUE, "ch3/level");
	page_end("B");
	desk_up();
}

START_TEST(strip_shows_label_or_name_and_value_with_unit)
{
	strips();
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "1Host\noff");
	ck_assert_str_eq(desk_ctl(r, STRIP + 1)->text, "0Guest\n");
	ck_assert_str_eq(desk_ctl(r, STRIP + 2)->text, "0room\n50.0%");
	ck_assert_str_eq(desk_ctl(r, STRIP + 3)->text, "0scene\nDay");
	ck_assert_str_eq(desk_ctl(r, STRIP + 4)->text, "0ch9Levl\nmissing");
	ck_assert_str_eq(desk_ctl(r, STRIP + 6)->text, "0Band\nch2Levl");
}
END_TEST

START_TEST(strip_takes_its_color_from_a_condition)
{
	strips();
	mix_report(r, RIG_SCENES, 1);
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "4Host\noff");
	mix_report(r, RIG_SCENES, 2);
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "1Host\noff");
}
END_TEST

START_TEST(touched_fader_shows_its_value_in_the_lower_line_until_after_the_release)
{
	strips();
	touch(FADER, true);
	ck_assert_str_eq(upper(0), "Host");
	ck_assert_str_eq(lower(0), "-10.0dB");
	rig_advance(r, 60000);
	ck_assert_str_eq(lower(0), "-10.0dB");
	move(FADER, 1);
	ck_assert_str_eq(lower(0), "+10.0dB");
	touch(FADER, false);
	rig_advance(r, 1499);
	ck_assert_str_eq(lower(0), "+10.0dB");
	rig_advance(r, 1);
	ck_assert_str_eq(lower(0), "off");
	ck_assert_str_eq(upper(0), "Host");
	ck_assert_str_eq(lower(1), "");
	move(FADER + 1, 0); /* by a sleeve */
	ck_assert_str_eq(lower(1), "-inf");
	rig_advance(r, 1000);
	move(FADER + 1, 0.5);
	rig_advance(r, 1499);
	ck_assert_str_ne(lower(1), "");
	rig_advance(r, 1);
	ck_assert_str_eq(lower(1), "");
}
END_TEST

START_TEST(turned_knob_shows_its_value_as_percent)
{
	strips();
	turn(VPOT, 16);
	ck_assert_str_eq(lower(0), "50%");
	turn(VPOT, -32);
	ck_assert_str_eq(lower(0), "-50%");
	rig_advance(r, 1000);
	turn(VPOT, -1);
	rig_advance(r, 1000);
	ck_assert_str_eq(lower(0), "-53%");
	rig_advance(r, 500);
	ck_assert_str_eq(lower(0), "off");
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
}
END_TEST

START_TEST(overlay_follows_the_backend_and_survives_the_router)
{
	strips();
	turn(VPOT, 16);
	mix_report(r, RIG_PAN, 0.5);
	mix_report(r, RIG_PAN, -1);
	rig_advance(r, 400); /* it insists */
	ck_assert_str_eq(lower(0), "-100%");
	rig_restart(r);
	ck_assert_str_eq(lower(0), "-100%");
	rig_advance(r, 1100);
	ck_assert_str_eq(lower(0), "off");
}
END_TEST

START_TEST(strip_without_overlay_keeps_its_line_and_one_without_a_binding_stays_dark)
{
	strips();
	touch(FADER + 2, true);
	move(FADER + 2, 0.2);
	ck_assert_str_eq(desk_ctl(r, STRIP + 2)->text, "0room\n20.0%"); /* its own parameter */
	rig_clear(r);
	touch(FADER + 2, false);
	rig_advance(r, 5000);
	ck_assert_uint_eq(told_count(r, STRIP + 2), 0);
	touch(FADER + 5, true); /* one without a binding shows nothing */
	ck_assert_int_eq(desk_ctl(r, STRIP + 5)->told_type, BH_NONE);
}
END_TEST

START_TEST(overlay_does_not_outlive_the_page_it_was_about)
{
	strips();
	turn(VPOT, 1);
	move(FADER, 0.9);
	go("B");
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "0Other\n");
	go("A");
	ck_assert_str_eq(lower(0), "off");
	touch(FADER, true); /* held over the switch: the strip is another's, its fader not yet */
	go("B");
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "0Other\n");
	touch(FADER, false);
	touch(FADER, true);
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "0Other\n-30.0dB");
}
END_TEST

START_TEST(hundred_moves_under_a_touch_write_the_strip_once)
{
	strips();
	touch(FADER + 1, true);
	uint32_t gen, before;
	bh_core_record(r->core, RIG_DESK_BASE + STRIP + 1, &before);
	for (int k = 0; k < 100; k++)
		move(FADER + 1, 0.5);
	bh_core_record(r->core, RIG_DESK_BASE + STRIP + 1, &gen);
	ck_assert_uint_le(gen - before, 1);
}
END_TEST

START_TEST(strip_of_a_dead_driver_says_which_and_since_when)
{
	static const struct {
		unsigned after_s;
		const char *says;
	} rows[] = {{0, "down"}, {59, "down"}, {60, "down 1m"}, {3600, "down60m"}, {99 * 60, "down99m"}, {100 * 60, "down 1h"},
		    {99 * 3600, "down99h"}, {100 * 3600, "down 4d"}, {1000 * 86400, "down99d"}};
	strips();
	mix_health(r, BH_HEALTH_BACKING_OFF);
	uint64_t since = r->now_ns;
	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		uint64_t at = since + rows[k].after_s * 1000000000ull;
		while (r->now_ns < at)
			rig_advance(r, at - r->now_ns > 3600000000000ull ? 3600000 : (unsigned)((at - r->now_ns) / 1000000));
		ck_assert_str_eq(upper(0), "mix");
		ck_assert_str_eq(lower(0), rows[k].says);
		ck_assert_str_eq(lower(1), rows[k].says); /* text alone: by its fader */
		ck_assert_str_eq(upper(1), "mix");
		rig_clear(r);
	}
	mix_health(r, BH_HEALTH_AUTH_FAILED);
	ck_assert_str_eq(lower(0), "auth99d");
	mix_health(r, BH_HEALTH_OK);
	ck_assert_str_eq(desk_ctl(r, STRIP)->text, "1Host\noff");
	ck_assert_str_eq(upper(1), "Guest");
	mix_health(r, BH_HEALTH_CONNECTING);
	ck_assert_str_eq(lower(0), "connect");
	rig_advance(r, 120000);
	ck_assert_str_eq(lower(0), "conn 2m");
	rig_clear(r);
	rig_advance(r, 600000);
	ck_assert_uint_eq(told_count(r, STRIP), 10); /* once a minute, no more */
}
END_TEST

START_TEST(stale_value_is_marked_within_its_seven_characters)
{
	r = rig_new_with(rig_config(), true);
	mix_health(r, BH_HEALTH_OK);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_FLOAT, -12, "mix/ch1/level"), 0);
	ck_assert_str_eq(desk_ctl(r, RIG_STRIP1)->text, "1Ch 1\n-12.0?");
}
END_TEST

START_TEST(text_that_is_too_long_wanders_and_rests_at_both_ends)
{
	desk_begin();
	struct bh_cfg_binding *b = bind(STRIP, BH_BIND_STRIP, NULL);
	b->text = str("Über microphone"); /* 15 characters: 8 steps */
	b->flags = BH_BINDF_SCROLL;
	b = bind(STRIP + 1, BH_BIND_STRIP, NULL);
	b->text = str("Öffnung");
	b->flags = BH_BINDF_SCROLL;
	page_end("A");
	page_end("B");
	desk_up();
	go("B");
	rig_clear(r);
	go("A");
	ck_assert_str_eq(upper(0), "Über mi");
	ck_assert_str_eq(upper(1), "Öffnung");
	rig_advance(r, 1499);
	ck_assert_str_eq(upper(0), "Über mi");
	rig_advance(r, 2);
	ck_assert_str_eq(upper(0), "ber mic");
	rig_advance(r, 334);
	ck_assert_str_eq(upper(0), "er micr");
	rig_advance(r, 334 * 6);
	ck_assert_str_eq(upper(0), "rophone");
	rig_advance(r, 1400);
	ck_assert_str_eq(upper(0), "rophone");
	rig_advance(r, 200);
	ck_assert_str_eq(upper(0), "crophon");
	rig_advance(r, 7 * 334);
	ck_assert_str_eq(upper(0), "Über mi");
	ck_assert_uint_eq(told_count(r, STRIP + 1), 1);
	rig_clear(r);
	rig_advance(r, 60000);
	ck_assert_uint_le(told_count(r, STRIP), 180);
	rig_restart(r); /* goes on where it was */
	rig_clear(r);
	rig_advance(r, 300);
	ck_assert_uint_le(told_count(r, STRIP), 1);
	go("B");
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
}
END_TEST

START_TEST(surface_with_fresh_memory_is_told_what_moves_as_it_is_now)
{
	desk_begin();
	struct bh_cfg_binding *b = bind(STRIP, BH_BIND_STRIP, NULL);
	b->text = str("Guest microphone 2");
	b->flags = BH_BINDF_SCROLL;
	page_end("A");
	desk_up();
	rig_advance(r, 2000);
	rig_clear(r);
	bh_core_verify(r->core, RIG_DESK, NULL, NULL);
	rig_begin(r);
	rig_end(r);
	ck_assert_str_eq(told_last(r, STRIP)->v.s, desk_ctl(r, STRIP)->text);
}
END_TEST

/* ------------------------------------------------------------------ cutting */

START_TEST(names_are_cut_so_that_what_distinguishes_stays)
{
	static const struct {
		const char *text, *cut;
	} rows[] = {
		{"Host", "Host"},
		{"", ""},
		{"  Host  ", "Host"},
		{"Guest microphone 2", "GstMic2"},
		{"Guest microphone 12", "GuMic12"},
		{"Guest microphone left", "GuMiLft"},
		{"Guest microphone right", "GuMiRig"},
		{"Camera 1", "Camera1"},
		{"Camera 12", "Camer12"},
		{"Presentation", "Prsnttn"},
		{"Desktop Audio", "DesAudi"},
		{"ch1/level", "ch1Levl"},
		{"ch12/level", "ch12Lvl"},
		{"input/Mic/volume", "inMcVlm"},
		{"1234567890", "4567890"},
		{"Take 1 2 3", "Tk1 2 3"},
		{"Größe 12345", "Gr12345"},
		{"Mikrofón před řečí", "MiPřřeč"},
		{"漢字漢字漢字漢字漢字", "漢字漢字漢字漢"},
		{"----------", "-------"},
		{"e\xcc\x81"
		 "e\xcc\x81"
		 "e\xcc\x81"
		 "e\xcc\x81"
		 "abcd",
		 "e\xcc\x81"
		 "e\xcc\x81"
		 "e\xcc\x81"
		 "e\xcc\x81"
		 "bcd"},
	};
	char out[64];
	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		core_fit_text(rows[k].text, 7, false, out, sizeof(out));
		ck_assert_str_eq(out, rows[k].cut);
	}
}
END_TEST

static uint32_t
chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

static bool
is_utf8(const char *s)
{
	for (const uint8_t *u = (const uint8_t *)s; *u;) {
		unsigned len = *u < 0x80 ? 1 : *u >= 0xc2 && *u < 0xe0 ? 2 : (*u & 0xf0) == 0xe0 ? 3 : *u >= 0xf0 ? 4 : 0;
		if (!len)
			return false;
		for (unsigned k = 1; k < len; k++)
			if ((u[k] & 0xc0) != 0x80)
				return false;
		u += len;
	}
	return true;
}

START_TEST(any_text_is_cut_to_its_width_and_keeps_the_figures_at_its_end)
{
	static const char *const parts[] = {"a", "e", "Mic", "é", "ß", "漢",	  " ",	  "/", "-",
					    "7", "42", ".", "x\xcc\x88", "Left", "_", "O", "\xff", "🎤"};
	uint64_t seed = 11;
	for (int k = 0; k < 100000; k++) {
		char text[120] = "", out[120], again[120], tail[16];
		unsigned n = chance(&seed) % 20, width = 1 + chance(&seed) % 12;
		bool dots = chance(&seed) % 2;
		for (unsigned i = 0; i < n; i++)
			strcat(text, parts[chance(&seed) % (sizeof(parts) / sizeof(parts[0]))]);
		unsigned figures = chance(&seed) % 4;
		snprintf(tail, sizeof(tail), "%.*s", (int)figures, "369");
		strcat(text, tail);
		core_fit_text(text, width, dots, out, sizeof(out));
		ck_assert_msg(core_text_length(out, dots) <= width, "\"%s\" in %u: \"%s\"", text, width, out);
		ck_assert_msg(is_utf8(out) || !is_utf8(text), "\"%s\" in %u: \"%s\"", text, width, out);
		if (figures <= width && strlen(out) >= figures)
			ck_assert_msg(strcmp(out + strlen(out) - figures, tail) == 0, "\"%s\" in %u: \"%s\"", text, width, out);
		core_fit_text(text, width, dots, again, sizeof(again));
		ck_assert_str_eq(out, again);
		core_fit_text(out, width, dots, again, sizeof(again)); /* what fits is left alone */
		ck_assert_str_eq(out, again);
	}
}
END_TEST

/* ------------------------------------------------------------------ digits */

static struct bh_cfg_binding *
display(const char *target)
{
	desk_begin();
	return bind(TIMECODE, BH_BIND_DISPLAY, target);
}

START_TEST(digits_show_the_page_by_its_name)
{
	display(NULL)->flags = BH_BINDF_SHOW_PAGE;
	page_end("Präsentation 12");
	bind(TIMECODE, BH_BIND_DISPLAY, NULL)->flags = BH_BINDF_SHOW_PAGE;
	page_end("Mix");
	desk_up();
	ck_assert_str_eq(digits(), "Präsnttn12"); /* ten characters, not bytes */
	go("Mix");
	ck_assert_str_eq(digits(), "Mix");
}
END_TEST

START_TEST(digits_show_the_time_of_day_each_second_and_only_while_they_are_seen)
{
	display(NULL)->flags = BH_BINDF_SHOW_TIME;
	bind(ASSIGN, BH_BIND_DISPLAY, NULL)->flags = BH_BINDF_SHOW_TIME;
	page_end("A");
	page_end("B");
	desk_up();
	bh_core_clock(r->core, (int64_t)(12 * 3600 + 34 * 60 + 56) * 1000000000ll - (int64_t)r->now_ns);
	go("B");
	go("A");
	ck_assert_str_eq(digits(), "12:34:56");
	ck_assert_str_eq(desk_ctl(r, ASSIGN)->text, "12");
	rig_clear(r);
	rig_advance(r, 999);
	ck_assert_uint_eq(told_count(r, TIMECODE), 0);
	rig_advance(r, 1);
	ck_assert_str_eq(digits(), "12:34:57");
	rig_advance(r, 9000);
	ck_assert_str_eq(digits(), "12:35:06");
	ck_assert_uint_eq(told_count(r, TIMECODE), 10);
	ck_assert_uint_eq(told_count(r, ASSIGN), 0);
	bh_core_clock(r->core, -(int64_t)r->now_ns - 1000000000ll); /* a second before midnight, before our time began */
	rig_advance(r, 1);
	rig_advance(r, 999);
	ck_assert_str_eq(digits(), "00:00:00");
	go("B");
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
}
END_TEST

START_TEST(digits_show_a_timecode)
{
	display("room")->flags = BH_BINDF_TIMECODE;
	page_end("A");
	desk_up();
	mix_report(r, RIG_ROOM, 0);
	ck_assert_str_eq(digits(), "00:00:00:00");
	mix_report(r, RIG_ROOM, 61.52);
	ck_assert_str_eq(digits(), "00:01:01:13");
	char out[16];
	core_timecode(3723.96, 25, out, sizeof(out));
	ck_assert_str_eq(out, "01:02:03:24");
	core_timecode(-1.5, 30, out, sizeof(out));
	ck_assert_str_eq(out, "-00:00:01:15");
	core_timecode(NAN, 25, out, sizeof(out));
	core_timecode(1e300, 25, out, sizeof(out));
	ck_assert_str_eq(out, "99:00:00:00");
}
END_TEST

START_TEST(digits_show_a_value_or_a_text_that_fits)
{
	desk_begin();
	bind(TIMECODE, BH_BIND_DISPLAY, "ch1/level");
	bind(ASSIGN, BH_BIND_DISPLAY, "ch1/level");
	page_end("A");
	bind(TIMECODE, BH_BIND_DISPLAY, NULL)->text = str("Sendung läuft");
	bind(ASSIGN, BH_BIND_DISPLAY, NULL)->text = str("Camera 2");
	page_end("B");
	desk_up();
	ck_assert_str_eq(digits(), "-10.0dB");
	ck_assert_str_eq(desk_ctl(r, ASSIGN)->text, "--"); /* not "10" */
	mix_report(r, RIG_LEVEL1, 5);
	ck_assert_str_eq(desk_ctl(r, ASSIGN)->text, "+5");
	go("B");
	ck_assert_uint_le(core_text_length(digits(), true), 10);
	ck_assert_str_eq(desk_ctl(r, ASSIGN)->text, "C2");
}
END_TEST

/* What the digits show over some steps of the effect. */
static void
seen(unsigned step_ms, unsigned steps, char out[][BH_TEXT_MAX + 1])
{
	for (unsigned k = 0; k < steps; k++) {
		memcpy(out[k], digits(), BH_TEXT_MAX + 1);
		rig_advance(r, step_ms);
	}
}

START_TEST(digits_blink_spin_pulse_march_and_progress_each_at_its_pace)
{
	static const uint8_t effects[] = {BH_FX_STATIC, BH_FX_BLINK, BH_FX_MARQUEE, BH_FX_SPINNER, BH_FX_PULSE, BH_FX_PROGRESS};
	static const char *const show[6][4] = {
		{"On air", "On air", "On air", "On air"},
		{"On air", "", "On air", ""},
		{"On air    ", "n air     ", " air     O", "air     On"},
		{"On air_", "On air-", "On air=", "On air-"},
		{"On air", "O.n. .a.i.r.", "On air", "O.n. .a.i.r."},
		{"----------", "=---------", "==--------", "===-------"},
	};
	desk_begin();
	for (unsigned k = 0; k < 6; k++) {
		char name[8];
		struct bh_cfg_binding *b = bind(TIMECODE, BH_BIND_DISPLAY, NULL);
		b->text = str("On air");
		b->effect = effects[k];
		b->ms = (uint16_t)(100 + 50 * k);
		snprintf(name, sizeof(name), "P%u", k);
		page_end(name);
	}
	page_end("None");
	desk_up();
	for (unsigned k = 0; k < 6; k++) {
		char name[8], out[4][BH_TEXT_MAX + 1];
		snprintf(name, sizeof(name), "P%u", k);
		go("None");
		ck_assert_uint_eq(bh_core_deadline(r->core), 0);
		go(name);
		rig_clear(r);
		seen(100 + 50 * k, 4, out);
		for (unsigned n = 0; n < 4; n++)
			ck_assert_str_eq(out[n], show[k][n]);
		ck_assert_uint_eq(told_count(r, TIMECODE), k == BH_FX_STATIC ? 0 : 4);
		for (int n = 0; n < 1000; n++) {
			rig_advance(r, 77);
			ck_assert_uint_le(core_text_length(digits(), true), 10);
		}
	}
}
END_TEST

START_TEST(progress_of_a_parameter_is_a_bar_also_in_a_quiet_room)
{
	display("room")->effect = BH_FX_PROGRESS;
	page_end("A");
	desk_up();
	ck_assert_str_eq(digits(), "=====-----");
	quiet(true);
	mix_report(r, RIG_ROOM, 80);
	ck_assert_str_eq(digits(), "========--");
	ck_assert_uint_eq(bh_core_deadline(r->core), 0);
}
END_TEST

/* ------------------------------------------------------------------ meters */

static void
meters(void)
{
	desk_begin();
	bind(METER, BH_BIND_METER, "ch1/meter");
	struct bh_cfg_binding *b = bind(METER + 1, BH_BIND_METER, "ch1/meter");
	b->flags = BH_BINDF_HAS_RANGE;
	b->max = 2;
	b = bind(METER + 2, BH_BIND_METER, "ch1/meter");
	b->flags = BH_BINDF_HAS_RANGE;
	b->min = -100;
	b->max = 10;
	b->taper = BH_TAPER_FADER_DB;
	page_end("A");
	bind(METER, BH_BIND_METER, "ch1/meter");
	page_end("B");
	bind(METER, BH_BIND_METER, "ch1/level");
	page_end("C");
	desk_up();
}

START_TEST(meter_shows_its_level_by_scale_and_taper_and_says_overload)
{
	meters();
	mix_meter(r, 0.5);
	ck_assert_double_eq(told_last(r, METER)->v.f, 0.5);
	ck_assert_double_eq(told_last(r, METER + 1)->v.f, 0.25);
	mix_meter(r, 1.2);
	ck_assert_double_gt(told_last(r, METER)->v.f, 1);
	ck_assert_double_le(told_last(r, METER + 1)->v.f, 1);
	mix_meter(r, 0);
	ck_assert_double_eq_tol(told_last(r, METER + 2)->v.f, fader_at(0), 1e-6);
}
END_TEST

START_TEST(meter_falls_when_its_driver_dies_and_when_its_page_goes)
{
	meters();
	mix_meter(r, 0.5);
	go("B"); /* the same meter there: it goes on */
	ck_assert_double_eq(told_last(r, METER)->v.f, 0.5);
	ck_assert_int_eq(told_last(r, METER + 1)->ev.type, BH_NONE);
	go("C");
	ck_assert_double_eq(told_last(r, METER)->v.f, 0);
	go("B");
	mix_meter(r, 0.5);
	mix_health(r, BH_HEALTH_BACKING_OFF);
	ck_assert_double_eq(told_last(r, METER)->v.f, 0);
}
END_TEST

static uint32_t
gen_in_cell(void *data, uint16_t slot, uint32_t id)
{
	(void)data, (void)slot;
	return desk_ctl(r, id)->told_gen + 5 * (id >= METER && id < TIMECODE);
}

START_TEST(meter_falls_too_if_its_driver_died_with_the_router)
{
	meters();
	mix_meter(r, 0.5);
	rig_restart(r);
	bh_core_verify(r->core, RIG_DESK, gen_in_cell, NULL);
	rig_clear(r);
	rig_begin(r);
	rig_end(r);
	ck_assert_uint_eq(told_count(r, METER), 0); /* no flicker while the driver is there */
	mix_health(r, BH_HEALTH_BACKING_OFF);
	ck_assert_double_eq(told_last(r, METER)->v.f, 0);
	ck_assert_uint_gt(told_last(r, METER)->ev.gen, desk_ctl(r, METER)->told_gen - 1);
}
END_TEST

/* What the mixer was told of its meter last: 1 somebody looks, 0 nobody; -1 = nothing since the log was cleared. */
static int
watched(void)
{
	return sent_count(r, RIG_PEAK) ? (int)sent_last(r, RIG_PEAK)->v.f : -1;
}

START_TEST(driver_of_a_meter_is_told_while_a_page_shows_it)
{
	meters();
	r->logged = 0;
	go("B"); /* still shown */
	go("A");
	ck_assert_int_eq(watched(), -1);
	go("C");
	ck_assert_int_eq(watched(), 0);
	ck_assert_uint_eq(sent_count(r, RIG_PEAK), 1);
	go("A");
	ck_assert_int_eq(watched(), 1);
	ck_assert_uint_eq(sent_count(r, RIG_PEAK), 2);
	ck_assert_int_eq(sent_last(r, RIG_PEAK)->ev.type, BH_FLOAT);
}
END_TEST

static uint32_t
gen_that_was_told(void *data, uint16_t slot, uint32_t id)
{
	(void)data;
	return slot != RIG_MIX ? desk_ctl(r, id)->told_gen : id < RIG_PARAMS && mix_param(r, id) ? mix_param(r, id)->wanted_gen : 0;
}

START_TEST(successor_tells_who_looks_only_where_it_is_not_known)
{
	meters();
	rig_restart(r);
	bh_core_verify(r->core, RIG_MIX, gen_that_was_told, NULL);
	rig_clear(r);
	rig_begin(r);
	rig_end(r);
	ck_assert_int_eq(watched(), -1);
	bh_core_verify(r->core, RIG_MIX, NULL, NULL); /* fresh cells */
	rig_begin(r);
	rig_end(r);
	ck_assert_int_eq(watched(), 1);
	go("C");
	ck_assert_int_eq(watched(), 0);
	bh_core_verify(r->core, RIG_MIX, NULL, NULL);
	rig_clear(r);
	rig_begin(r);
	rig_end(r);
	ck_assert_int_eq(watched(), 0); /* its driver may think otherwise */
}
END_TEST

START_TEST(tool_looks_at_a_meter_for_as_long_as_it_asked)
{
	meters();
	go("C");
	rig_clear(r);
	mix_meter(r, 0.25);
	ck_assert(isnan(mix_value(r, RIG_PEAK)) || !(mix_param(r, RIG_PEAK)->flags & BH_PAR_KNOWN));
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_WATCH, RIG_MIX, RIG_PEAK, BH_INT, 2, NULL), 0);
	ck_assert_int_eq(watched(), 1);
	mix_meter(r, 0.5);
	ck_assert_double_eq(mix_value(r, RIG_PEAK), 0.5);
	rig_advance(r, 1900);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_WATCH, RIG_MIX, RIG_PEAK, BH_INT, 2, NULL), 0);
	rig_advance(r, 1900);
	ck_assert_uint_eq(sent_count(r, RIG_PEAK), 1); /* renewed, not told again */
	rig_restart(r);
	rig_clear(r);
	mix_meter(r, 0.75);
	ck_assert_double_eq(mix_value(r, RIG_PEAK), 0.75);
	rig_advance(r, 200);
	ck_assert_int_eq(watched(), 0);
	ck_assert(!(mix_param(r, RIG_PEAK)->flags & BH_PAR_KNOWN));
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_WATCH, RIG_MIX, RIG_PEAK, BH_INT, 3600, NULL), -ERANGE);
	/* What is no meter is none. */
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_WATCH, RIG_MIX, RIG_LEVEL1, BH_INT, 2, NULL), 0);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL1), 0);
}
END_TEST

START_TEST(level_shows_on_a_strip_and_in_a_condition_too)
{
	desk_begin();
	bind(STRIP, BH_BIND_STRIP, "ch1/meter");
	page_end("A");
	light(BUTTON + MUTE, BH_LIGHT_ON, "ch1/meter", BH_COND_GE, "0.9");
	page_end("B");
	page_end("C");
	desk_up();
	ck_assert(mix_param(r, RIG_PEAK)->flags & BH_PAR_WATCHED);
	mix_meter(r, 0.5);
	ck_assert_msg(strstr(desk_ctl(r, STRIP)->text, "0.5") != NULL, "%s", desk_ctl(r, STRIP)->text);
	rig_clear(r);
	go("B");
	ck_assert_int_eq(watched(), -1);
	ck_assert_int_eq(lit(MUTE), BH_LIGHT_OFF);
	mix_meter(r, 0.95);
	ck_assert_int_eq(lit(MUTE), BH_LIGHT_ON);
	mix_meter(r, 0.2);
	ck_assert_int_eq(lit(MUTE), BH_LIGHT_OFF);
	go("C");
	ck_assert_int_eq(watched(), 0);
}
END_TEST

/* ------------------------------------------------------------------ page switches by difference */

static const char *const numbers[] = {"ch1/level", "ch2/level", "ch3/level", "ch1/mute", "ch1/pan", "scene", "recording", "room"};

static void
any_light_rows(unsigned ctl, uint64_t *seed)
{
	for (unsigned n = chance(seed) % 3; n > 0; n--)
		light(ctl, (enum bh_light)(chance(seed) % (kind_of(ctl) == BH_CTL_VPOT ? 2 : 3)), /* a ring flashes by our clock */
		      numbers[chance(seed) % 8],
		      chance(seed) % 2 ? BH_COND_ON : BH_COND_OFF, NULL)
			->color = (uint8_t)(chance(seed) % 8);
}

static void
any_binding(unsigned ctl, uint64_t *seed)
{
	static const uint8_t buttons[] = {BH_BIND_VALUE, BH_BIND_LIGHT, BH_BIND_TOGGLE, BH_BIND_MOMENTARY, BH_BIND_RADIO};
	static const char *const texts[] = {"", "Host", "Guest microphone 2", "Übung"};
	const char *target = numbers[chance(seed) % 8], *text = texts[chance(seed) % 4];
	struct bh_cfg_binding *b = NULL;
	switch (kind_of(ctl)) {
	case BH_CTL_FADER: bind(ctl, BH_BIND_VALUE, numbers[chance(seed) % 3]); return;
	case BH_CTL_VPOT: bind(ctl, BH_BIND_RELATIVE, target); break;
	case BH_CTL_STRIP:
		b = bind(ctl, BH_BIND_STRIP, chance(seed) % 3 ? target : NULL);
		b->color = (uint8_t)(chance(seed) % 8);
		b->text = str(text);
		break;
	case BH_CTL_METER: bind(ctl, BH_BIND_METER, "ch1/meter"); return;
	case BH_CTL_DIGITS:
		b = bind(ctl, BH_BIND_DISPLAY, chance(seed) % 2 ? target : NULL);
		b->text = str(text);
		b->flags = chance(seed) % 2 ? BH_BINDF_SHOW_PAGE : 0;
		return;
	default:
		b = bind(ctl, buttons[chance(seed) % 5], target);
		b->flags = chance(seed) % 4 == 0 ? BH_BINDF_INVERT : 0;
		if (b->kind == BH_BIND_RADIO)
			b->on = operand(chance(seed) % 2, "");
	}
	any_light_rows(ctl, seed);
}

static void
any_pages(uint64_t seed, unsigned pages)
{
	char name[8];
	desk_begin();
	for (unsigned p = 0; p <= pages; p++) {
		unsigned often = chance(&seed) % 4;
		d->page = p < pages ? p : BH_PAGE_GLOBAL;
		for (unsigned ctl = 0; ctl < CTLS; ctl++)
			if (chance(&seed) % 4 < (p < pages ? often : 1))
				any_binding(ctl, &seed);
		snprintf(name, sizeof(name), "P%u", p);
		if (p < pages)
			page_end(name);
	}
}

static void
any_values(uint64_t *seed)
{
	mix_report(r, RIG_LEVEL1, chance(seed) % 110 - 100.0);
	mix_report(r, RIG_LEVEL2, chance(seed) % 110 - 100.0);
	mix_report(r, RIG_LEVEL3, chance(seed) % 110 - 100.0);
	mix_report(r, RIG_MUTED, chance(seed) % 2);
	mix_report(r, RIG_PAN, chance(seed) % 200 / 100.0 - 1);
	mix_report(r, RIG_SCENES, chance(seed) % 3);
	mix_report(r, RIG_RECORDING, chance(seed) % 2);
	mix_report(r, RIG_ROOM, chance(seed) % 100);
}

struct picture {
	uint8_t type[CTLS];
	char what[CTLS][64];
};

static void
look(struct picture *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned n = 0; n < CTLS; n++) {
		const struct bh_rec_control *c = desk_ctl(r, n);
		p->type[n] = c->told_type;
		if (kind_of(n) == BH_CTL_STRIP || kind_of(n) == BH_CTL_DIGITS)
			memcpy(p->what[n], c->text, sizeof(c->text));
		else
			memcpy(p->what[n], &c->told, sizeof(c->told));
		if (kind_of(n) == BH_CTL_FADER && c->told_type == BH_NONE)
			memset(p->what[n], 0, sizeof(p->what[n]));
	}
}

static bool
same(const struct picture *a, const struct picture *b, unsigned n)
{
	double x, y;
	if (kind_of(n) == BH_CTL_FADER) { /* less than a step is no difference */
		memcpy(&x, a->what[n], sizeof(x));
		memcpy(&y, b->what[n], sizeof(y));
		return b->type[n] == BH_NONE || (a->type[n] == b->type[n] && fabs(x - y) < BH_TAPER_STEP);
	}
	return a->type[n] == b->type[n] && memcmp(a->what[n], b->what[n], sizeof(a->what[n])) == 0;
}

/* Two desks: one turns pages, the other one is switched on with that page and shows everything for the first time. */
START_TEST(page_switch_tells_every_control_that_differs_and_no_other)
{
	struct picture before, after, fresh;
	for (uint64_t s = 1; s <= 40; s++) {
		uint64_t seed = s;
		any_pages(s, 6);
		r = rig_new_with(desk_file(1), true);
		struct rig *turned = r;
		everything_reported();
		for (unsigned k = 0; k < 10; k++) {
			char name[8];
			snprintf(name, sizeof(name), "P%u", chance(&seed) % 6);
			r = turned;
			uint64_t values = seed;
			any_values(&seed);
			rig_advance(r, 2000);
			look(&before);
			rig_clear(r);
			go(name);
			look(&after);
			for (unsigned n = 0; n < CTLS; n++)
				ck_assert_msg(!told_count(r, n) == same(&before, &after, n), "seed %d step %u to %s: control %u %s",
					      (int)s, k, name, n, told_count(r, n) ? "was told what it shows" : "was forgotten");
			any_pages(s, 6);
			r = rig_new_with(desk_file(1), true);
			everything_reported();
			any_values(&values);
			rig_advance(r, 2000);
			go(name);
			look(&fresh);
			for (unsigned n = 0; n < CTLS; n++)
				ck_assert_msg((kind_of(n) == BH_CTL_FADER && core_main(&r->core->ctl[n]) == NONE) ||
						      same(&after, &fresh, n),
					      "seed %d step %u to %s: control %u is not as a fresh desk shows it", (int)s, k,
					      name, n);
			rig_free(r);
		}
		rig_free(turned);
		r = NULL;
	}
}
END_TEST

/* ------------------------------------------------------------------ */

static void
add(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
	TCase *t = tcase_create(name);
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 120);
	for (size_t k = 0; k < n; k++)
		tcase_add_test(t, tests[k]);
	suite_add_tcase(s, t);
}
#define ADD(s, name, ...)                                                                          \
	do {                                                                                       \
		const TTest *const tests_[] = {__VA_ARGS__};                                       \
		add(s, name, tests_, sizeof(tests_) / sizeof(tests_[0]));                          \
	} while (0)

int
main(void)
{
	Suite *s = suite_create("core_show");
	ADD(s, "lights", first_light_row_that_holds_is_shown, light_row_that_only_says_off_leaves_the_rest_to_the_button,
	    button_without_light_rows_is_lit_by_what_it_does, one_parameter_lights_every_button_that_shows_it,
	    page_entry_covers_the_global_indicator_and_gives_it_back, indicators_are_seen_anew_on_every_page_switch);
	ADD(s, "quiet", quiet_room_flashes_and_wanders_nowhere, quiet_motors_stand_still_and_are_set_once_afterwards);
	ADD(s, "rings", ring_mode_fits_the_parameter_unless_it_is_written, ring_shows_the_same_for_every_type,
	    ring_marks_the_middle_and_a_default_inside_the_scale, ring_is_dark_or_flashes_while_its_condition_holds);
	ADD(s, "strips", strip_shows_label_or_name_and_value_with_unit, strip_takes_its_color_from_a_condition,
	    touched_fader_shows_its_value_in_the_lower_line_until_after_the_release, turned_knob_shows_its_value_as_percent,
	    overlay_follows_the_backend_and_survives_the_router,
	    strip_without_overlay_keeps_its_line_and_one_without_a_binding_stays_dark,
	    overlay_does_not_outlive_the_page_it_was_about, hundred_moves_under_a_touch_write_the_strip_once,
	    strip_of_a_dead_driver_says_which_and_since_when, stale_value_is_marked_within_its_seven_characters,
	    text_that_is_too_long_wanders_and_rests_at_both_ends, surface_with_fresh_memory_is_told_what_moves_as_it_is_now);
	ADD(s, "cutting", names_are_cut_so_that_what_distinguishes_stays,
	    any_text_is_cut_to_its_width_and_keeps_the_figures_at_its_end);
	ADD(s, "digits", digits_show_the_page_by_its_name,
	    digits_show_the_time_of_day_each_second_and_only_while_they_are_seen, digits_show_a_timecode,
	    digits_show_a_value_or_a_text_that_fits, digits_blink_spin_pulse_march_and_progress_each_at_its_pace,
	    progress_of_a_parameter_is_a_bar_also_in_a_quiet_room);
	ADD(s, "meters", meter_shows_its_level_by_scale_and_taper_and_says_overload,
	    driver_of_a_meter_is_told_while_a_page_shows_it, successor_tells_who_looks_only_where_it_is_not_known,
	    tool_looks_at_a_meter_for_as_long_as_it_asked, level_shows_on_a_strip_and_in_a_condition_too,
	    meter_falls_when_its_driver_dies_and_when_its_page_goes, meter_falls_too_if_its_driver_died_with_the_router);
	ADD(s, "pages", page_switch_tells_every_control_that_differs_and_no_other);
	SRunner *run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	int failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
