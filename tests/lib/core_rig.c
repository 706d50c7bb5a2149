/* core_rig.c - see core_rig.h */
#include "tests/lib/core_rig.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procs/router/taper.h"
#include "shm/crc.h"

#define MS 1000000ull

static const struct {
	const char *name;
	uint8_t kind;
	uint16_t flags;
	uint8_t strip; /* from 1; 0 = none */
} controls[RIG_CTLS] = {
	[RIG_FADER1] = {"fader1", BH_CTL_FADER, BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR, 1},
	[RIG_FADER2] = {"fader2", BH_CTL_FADER, BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR, 2},
	[RIG_MUTE] = {"mute1", BH_CTL_BUTTON, BH_CTL_HAS_LED},
	[RIG_VPOT] = {"vpot1", BH_CTL_VPOT, BH_CTL_HAS_RING, 1},
	[RIG_STRIP1] = {"strip1", BH_CTL_STRIP, BH_CTL_HAS_COLOR, 1},
	[RIG_STRIP2] = {"strip2", BH_CTL_STRIP, BH_CTL_HAS_COLOR, 2},
	[RIG_METER] = {"meter1", BH_CTL_METER, 0},
	[RIG_DIGITS] = {"timecode", BH_CTL_DIGITS, 0},
	[RIG_PLAY] = {"play", BH_CTL_BUTTON, BH_CTL_HAS_LED},
	[RIG_LED] = {"record", BH_CTL_LED, BH_CTL_HAS_LED},
	[RIG_F1] = {"f1", BH_CTL_BUTTON, BH_CTL_HAS_LED},
	[RIG_F2] = {"f2", BH_CTL_BUTTON, BH_CTL_HAS_LED},
	[RIG_SCENE] = {"f3", BH_CTL_BUTTON, BH_CTL_HAS_LED},
	[RIG_JOG] = {"jog", BH_CTL_JOG, 0},
	[RIG_LOST] = {"strip3", BH_CTL_STRIP, BH_CTL_HAS_COLOR, 3},
	[RIG_TOUCH1] = {"fader1_touch", BH_CTL_BUTTON, 0},
	[RIG_PEDAL] = {"pedal1", BH_CTL_PEDAL, 0},
};

static const struct {
	const char *name;
	uint8_t type, taper, access;
	double min, max, step, def;
	const char *unit;
} params[RIG_PARAMS] = {
	[RIG_LEVEL1] = {"ch1/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10, 0, -100, "dB"},
	[RIG_LEVEL2] = {"ch2/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10, 0, -20, "dB"},
	[RIG_MUTED] = {"ch1/mute", BH_BOOL, 0, 3, 0, 1, 1, 0, ""},
	[RIG_PAN] = {"ch1/pan", BH_FLOAT, BH_TAPER_LINEAR, 3, -1, 1, 0, 0, ""},
	[RIG_SCENES] = {"scene", BH_ENUM, 0, 3, 0, 2, 1, 0, ""},
	[RIG_PEAK] = {"ch1/meter", BH_FLOAT, BH_TAPER_LINEAR, 5, 0, 1, 0, 0, ""},
	[RIG_RECORDING] = {"recording", BH_BOOL, 0, 1, 0, 1, 1, 0, ""},
	[RIG_LEVEL3] = {"ch3/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10, 0, -100, "dB"},
	[RIG_TITLE] = {"title", BH_TEXT, 0, 3, 0, 0, 0, 0, ""},
	[RIG_ROOM] = {"room", BH_FLOAT, BH_TAPER_LINEAR, 3 | BH_ACCESS_RESTORE, 0, 100, 0, 50, "%"},
	[RIG_COUNT] = {"count", BH_INT, 0, 3, 0, 10, 1, 0, ""},
	[RIG_RO] = {"readonly", BH_FLOAT, BH_TAPER_LINEAR, 1, 0, 100, 0, 0, "%"},
};

/* ------------------------------------------------------------------ configuration */

uint32_t
rig_str(struct rig_maker *m, const char *s)
{
	return bh_config_writer_str(m->w, s, strlen(s));
}

struct bh_cfg_binding *
rig_bind(struct rig_maker *m, unsigned page, unsigned ctl, unsigned kind, const char *target)
{
	static struct bh_cfg_binding b;
	b = (struct bh_cfg_binding){.page = (uint16_t)page, .surface = RIG_DESK, .control = (uint16_t)ctl,
				    .kind = (uint8_t)kind, .driver = target ? RIG_MIX : BH_SLOT_NONE, .taper = 0xff};
	if (target)
		b.target = rig_str(m, target);
	return &b;
}

void
rig_put(struct rig_maker *m, const struct bh_cfg_binding *b)
{
	bh_config_writer_row(m->w, BH_TAB_BINDINGS, b, sizeof(*b));
	m->bindings++;
}

void
rig_page(struct rig_maker *m, const char *name, uint32_t first)
{
	struct bh_cfg_page p = {.name = rig_str(m, name), .first = first, .count = m->bindings - first};
	bh_config_writer_row(m->w, BH_TAB_PAGES, &p, sizeof(p));
}

void
rig_page_action(struct rig_maker *m, unsigned ctl, const char *verb, const char *arg)
{
	struct bh_cfg_binding *b = rig_bind(m, BH_PAGE_GLOBAL, ctl, BH_BIND_ACTION, verb);
	b->driver = BH_DRIVER_PAGE;
	b->action = arg ? BH_PAGE_GO : BH_PAGE_NEXT;
	if (arg) {
		b->args = rig_str(m, arg);
		b->args_len = (uint32_t)strlen(arg) + 1;
	}
	rig_put(m, b);
}

static void
make_procs(struct rig_maker *m, unsigned mix_params)
{
	struct bh_cfg_proc desk = {.name = rig_str(m, "desk"), .kind = rig_str(m, "surface"), .slot = RIG_DESK,
				   .role = BH_ROLE_SURFACE, .record_base = RIG_DESK_BASE, .records = 256};
	struct bh_cfg_proc mix = {.name = rig_str(m, "mix"), .kind = rig_str(m, "loop"), .slot = RIG_MIX, .role = BH_ROLE_DRIVER,
				  .record_base = RIG_MIX_BASE, .records = mix_params, .params = mix_params};
	struct bh_cfg_surface sf = {.slot = RIG_DESK, .controls = RIG_CTLS};
	bh_config_writer_row(m->w, BH_TAB_PROCS, &desk, sizeof(desk));
	bh_config_writer_row(m->w, BH_TAB_PROCS, &mix, sizeof(mix));
	bh_config_writer_row(m->w, BH_TAB_SURFACES, &sf, sizeof(sf));
	for (unsigned k = 0; k < RIG_CTLS; k++) {
		struct bh_cfg_control c = {.kind = controls[k].kind, .flags = controls[k].flags, .width = 7,
					   .addr = (uint8_t)k, .touch = 0xff,
					    .strip = (uint8_t)(controls[k].strip - 1)};
		if (c.flags & BH_CTL_HAS_TOUCH)
			c.touch = (uint8_t)(0x68 + k);
		if (k == RIG_TOUCH1)
			c.addr = 0x68 + RIG_FADER1;
		snprintf(c.name, sizeof(c.name), "%s", controls[k].name);
		bh_config_writer_row(m->w, BH_TAB_CONTROLS, &c, sizeof(c));
	}
}

void
rig_make(struct rig_maker *m)
{
	*m = (struct rig_maker){.w = bh_config_writer_new()};
	make_procs(m, 64);
}

int
rig_finish(struct rig_maker *m, uint64_t generation)
{
	int fd = bh_config_writer_finish(m->w, "rig", "rig.yaml", generation);
	bh_config_writer_free(m->w);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static int
make_config(const char *fader1, uint64_t generation)
{
	struct rig_maker m;
	struct bh_cfg_binding *b;
	rig_make(&m);

	rig_put(&m, rig_bind(&m, 0, RIG_FADER1, BH_BIND_VALUE, fader1));
	rig_put(&m, rig_bind(&m, 0, RIG_FADER2, BH_BIND_VALUE, "ch2/level"));
	rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_VALUE, "ch1/mute"));
	b = rig_bind(&m, 0, RIG_VPOT, BH_BIND_RELATIVE, "ch1/pan");
	b->flags = BH_BINDF_HAS_STEP;
	b->step = 0.02;
	b->ring = BH_RING_PAN;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_STRIP1, BH_BIND_STRIP, "ch1/level");
	b->text = rig_str(&m, "Ch 1");
	b->color = 1;
	rig_put(&m, b);
	rig_put(&m, rig_bind(&m, 0, RIG_STRIP2, BH_BIND_STRIP, "scene"));
	rig_put(&m, rig_bind(&m, 0, RIG_METER, BH_BIND_METER, "ch1/meter"));
	b = rig_bind(&m, 0, RIG_DIGITS, BH_BIND_DISPLAY, NULL);
	b->flags = BH_BINDF_SHOW_PAGE;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_ACTION, "transport");
	b->action = 3;
	b->args = rig_str(&m, "play");
	b->args_len = 5;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_LED, BH_BIND_LIGHT, "recording");
	b->flags = BH_BINDF_FLASH;
	rig_put(&m, b);
	rig_put(&m, rig_bind(&m, 0, RIG_SCENE, BH_BIND_VALUE, "scene"));
	b = rig_bind(&m, 0, RIG_LOST, BH_BIND_STRIP, "ch9/level");
	b->text = rig_str(&m, "Ch 9");
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_TOUCH1, BH_BIND_ACTION, "touched");
	b->action = 7;
	rig_put(&m, b);
	rig_page(&m, "Mix", 0);

	uint32_t first = m.bindings;
	rig_put(&m, rig_bind(&m, 1, RIG_FADER1, BH_BIND_VALUE, "ch3/level"));
	rig_put(&m, rig_bind(&m, 1, RIG_FADER2, BH_BIND_VALUE, "ch2/level"));
	b = rig_bind(&m, 1, RIG_STRIP1, BH_BIND_STRIP, "ch3/level");
	b->text = rig_str(&m, "Ch 3");
	b->color = 1;
	rig_put(&m, b);
	b = rig_bind(&m, 1, RIG_DIGITS, BH_BIND_DISPLAY, NULL);
	b->flags = BH_BINDF_SHOW_PAGE;
	rig_put(&m, b);
	rig_page(&m, "Other", first);
	rig_page(&m, "Bare", m.bindings);

	rig_page_action(&m, RIG_F1, "next", NULL);
	rig_page_action(&m, RIG_F2, "go", "Other");
	return rig_finish(&m, generation);
}

int
rig_config(void)
{
	return make_config("ch1/level", 1);
}

int
rig_changed_config(void)
{
	return make_config("ch3/level", 2);
}

/* One of each kind and gesture. Returns how many. */
static unsigned
put_each_kind(struct rig_maker *m, unsigned p)
{
	uint32_t first = m->bindings;
	struct bh_cfg_binding *b;
	rig_put(m, rig_bind(m, p, RIG_FADER1, BH_BIND_VALUE, "ch1/level"));
	b = rig_bind(m, p, RIG_FADER2, BH_BIND_VALUE, "ch2/level");
	b->curve = 2;
	rig_put(m, b);
	rig_put(m, rig_bind(m, p, RIG_MUTE, BH_BIND_VALUE, "ch1/mute"));
	rig_put(m, rig_bind(m, p, RIG_VPOT, BH_BIND_RELATIVE, "ch1/pan"));
	rig_put(m, rig_bind(m, p, RIG_STRIP1, BH_BIND_STRIP, "ch1/level"));
	rig_put(m, rig_bind(m, p, RIG_METER, BH_BIND_METER, "ch1/meter"));
	rig_put(m, rig_bind(m, p, RIG_PLAY, BH_BIND_ACTION, "transport"));
	b = rig_bind(m, p, RIG_PLAY, BH_BIND_TOGGLE, "ch3/level");
	b->part = BH_PART_HOLD;
	rig_put(m, b);
	b = rig_bind(m, p, RIG_PLAY, BH_BIND_RADIO, "count");
	b->part = BH_PART_DOUBLE;
	rig_put(m, b);
	rig_put(m, rig_bind(m, p, RIG_SCENE, BH_BIND_SELECT, "scene"));
	b = rig_bind(m, p, RIG_JOG, BH_BIND_RELATIVE, "count");
	b->flags = BH_BINDF_ACCEL;
	rig_put(m, b);
	rig_put(m, rig_bind(m, p, RIG_TOUCH1, BH_BIND_MOMENTARY, "room"));
	b = rig_bind(m, p, RIG_PEDAL, BH_BIND_VALUE, "ch2/level");
	b->flags = BH_BINDF_PICKUP;
	rig_put(m, b);
	return m->bindings - first;
}

int
rig_large_config(unsigned pages, unsigned per_page)
{
	struct rig_maker m;
	rig_make(&m);
	for (unsigned p = 0; p < pages; p++) {
		uint32_t first = m.bindings;
		char name[32];
		for (unsigned k = put_each_kind(&m, p); k < per_page; k++) {
			/* Controls that the desk does not have would be refused by bh-config; the rest share one button. */
			snprintf(name, sizeof(name), "p%u/x%u", p, k);
			rig_put(&m, rig_bind(&m, p, RIG_F1, BH_BIND_VALUE, name));
		}
		snprintf(name, sizeof(name), "Page %u", p);
		rig_page(&m, name, first);
	}
	return rig_finish(&m, 3);
}

/* ------------------------------------------------------------------ life */

static const struct bh_core_options windows = {
	.hand_ms = 300, .settle_ms = 90, .echo_ms = 250, .motor_ms = 250, .flash_ms = 1000, .press_age_ms = 1000,
	.overlay_ms = 1500};

static void
take_config(struct rig *r, int fd)
{
	char why[96] = "";
	struct bh_config old = r->config;
	ck_assert_int_eq(bh_config_map(&r->config, fd), 0);
	close(fd);
	ck_assert_msg(bh_core_config(r->core, &r->config, &windows, why, sizeof(why)) == 0, "%s", why);
	bh_config_unmap(&old);
	rig_begin(r);
	bh_core_adopt(r->core);
	rig_end(r);
}

static void
settle(struct rig *r)
{
	bh_core_settled(r->core);
	rig_begin(r);
	rig_end(r);
}

struct rig *
rig_new_with(int config_fd, bool directory)
{
	struct rig *r = calloc(1, sizeof(*r));
	r->now_ns = 1000000 * MS;
	r->room = 1024;
	ck_assert_int_eq(bh_core_new(&r->core, RIG_RECORDS), 0);
	ck_assert_int_eq(bh_tx_init(&r->tx, 65536), 0);
	take_config(r, config_fd);
	if (directory)
		rig_directory(r);
	settle(r);
	return r;
}

struct rig *
rig_new(void)
{
	return rig_new_full(rig_config());
}

struct rig *
rig_new_full(int config_fd)
{
	struct rig *r = rig_new_with(config_fd, true);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL1, -10);
	mix_report(r, RIG_LEVEL2, -20);
	mix_report(r, RIG_LEVEL3, -30);
	mix_report(r, RIG_MUTED, 0);
	mix_report(r, RIG_PAN, 0);
	mix_report(r, RIG_SCENES, 0);
	mix_report(r, RIG_RECORDING, 0);
	mix_report(r, RIG_ROOM, 50);
	mix_report(r, RIG_COUNT, 5);
	rig_advance(r, 1000);
	rig_clear(r);
	return r;
}

void
rig_free(struct rig *r)
{
	bh_core_free(r->core);
	bh_tx_fini(&r->tx);
	bh_config_unmap(&r->config);
	free(r);
}

void
rig_restart(struct rig *r)
{
	struct bh_core *next;
	ck_assert_int_eq(bh_core_new(&next, RIG_RECORDS), 0);
	for (uint32_t k = 0; k < RIG_RECORDS; k++) {
		uint32_t gen;
		const void *data = bh_core_record(r->core, k, &gen);
		if (data)
			bh_core_load(next, k, gen, data);
	}
	bh_core_free(r->core);
	r->core = next;
	char why[96];
	ck_assert_int_eq(bh_core_config(r->core, &r->config, &windows, why, sizeof(why)), 0);
	rig_begin(r);
	bh_core_adopt(r->core);
	rig_end(r);
	rig_directory(r);
	settle(r);
}

void
rig_reconfigure(struct rig *r, int config_fd)
{
	take_config(r, config_fd);
	rig_directory(r);
	settle(r);
}

void
rig_dir_add(struct rig *r, unsigned index, const char *name, unsigned flags, unsigned was)
{
	struct bh_dir_record d = {
		.index = index, .gen = 1, .type = BH_FLOAT, .access = 3, .min = -100, .max = 10, .flags = (uint8_t)flags, .was = was,
		.taper = BH_TAPER_FADER_DB, .unit = "dB"};
	snprintf(d.name, sizeof(d.name), "%s", name);
	rig_begin(r);
	ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, NULL, 0), 0);
	rig_end(r);
}

void
rig_directory(struct rig *r)
{
	static const char scenes[] = "Day\0Night\0Off";
	for (unsigned k = 0; k < RIG_PARAMS; k++) {
		struct bh_dir_record d = {.index = k, .gen = 1, .type = params[k].type, .taper = params[k].taper,
					  .access = params[k].access, .was = 0xffffffff, .min = params[k].min,
					  .max = params[k].max, .step = params[k].step, .def = params[k].def};
		snprintf(d.name, sizeof(d.name), "%s", params[k].name);
		snprintf(d.unit, sizeof(d.unit), "%s", params[k].unit);
		d.choices = k == RIG_SCENES ? 3 : 0;
		rig_begin(r);
		ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, d.choices ? scenes : NULL,
						   d.choices ? sizeof(scenes) : 0),
				 0);
		rig_end(r);
	}
}

/* ------------------------------------------------------------------ transactions */

static void
begin(struct rig *r)
{
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++)
		r->tx.room[s] = r->room;
	r->tx.bytes = 65536;
	bh_core_begin(r->core, &r->tx, r->now_ns);
}

static uint64_t
mix_in(uint64_t digest, const void *data, size_t len)
{
	return (digest ^ bh_crc32c((uint32_t)digest, data, len)) * 0x9e3779b97f4a7c15ull;
}

static void
collect(struct rig *r)
{
	for (uint32_t k = 0; k < r->tx.changes; k++) {
		uint32_t gen;
		const void *data = bh_core_record(r->core, r->tx.change[k], &gen);
		r->digest = mix_in(r->digest, data, BH_RECORD_BYTES);
		r->digest = mix_in(r->digest, &gen, sizeof(gen));
	}
	for (uint32_t k = 0; k < r->tx.outputs; k++) {
		const struct bh_journal_output *o = &r->tx.output[k];
		r->digest = mix_in(r->digest, o, sizeof(*o));
		if (r->logged == RIG_LOG)
			continue;
		r->log[r->logged++] =
			(struct rig_out){.slot = o->slot, .flags = o->flags, .ev = o->ev, .v = o->v, .at_ns = r->now_ns};
		if (o->ev.kind == BH_EV_RESULT) {
			r->result = (int)o->ev.v.i;
			snprintf(r->result_text, sizeof(r->result_text), "%.*s", (int)o->cell_flags, o->v.s);
		}
	}
}

void
rig_begin(struct rig *r)
{
	begin(r);
}

void
rig_end(struct rig *r)
{
	bh_core_end(r->core);
	collect(r);
	while (bh_core_is_pending(r->core)) {
		begin(r);
		bh_core_end(r->core);
		collect(r);
	}
}

void
rig_event(struct rig *r, uint16_t from, struct bh_event ev)
{
	if (!ev.stamp_ns)
		ev.stamp_ns = r->now_ns;
	rig_begin(r);
	bh_core_event(r->core, from, &ev, NULL, 0);
	rig_end(r);
}

void
rig_advance(struct rig *r, unsigned ms)
{
	uint64_t until = r->now_ns + ms * MS;
	for (;;) {
		uint64_t due = bh_core_deadline(r->core);
		if (!due || due > until)
			break;
		if (due > r->now_ns)
			r->now_ns = due;
		rig_begin(r);
		bh_core_timers(r->core, r->now_ns);
		rig_end(r);
	}
	r->now_ns = until;
}

/* ------------------------------------------------------------------ hands and backend */

void
desk_touch(struct rig *r, unsigned ctl, bool touched)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = ctl, .gen = ++r->desk_gen[ctl],
						 .v.i = touched});
}

void
desk_move(struct rig *r, unsigned ctl, double pos)
{
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = ctl, .gen = ++r->desk_gen[ctl],
						 .v.f = pos});
}

void
desk_push(struct rig *r, unsigned ctl, bool pressed)
{
	if (pressed)
		rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = ctl, .v.i = 1});
	else
		rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_RELEASE, .type = BH_BOOL, .id = ctl, .gen = ++r->desk_gen[ctl]});
}

void
desk_press(struct rig *r, unsigned ctl)
{
	desk_push(r, ctl, true);
	desk_push(r, ctl, false);
}

void
desk_turn(struct rig *r, unsigned ctl, int ticks)
{
	r->total[ctl] += (uint32_t)ticks;
	rig_event(r, RIG_DESK, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = ctl, .gen = ++r->desk_gen[ctl],
						 .total = r->total[ctl], .v.i = ticks});
}

void
mix_report(struct rig *r, unsigned param, double x)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = params[param].type, .id = param, .gen = ++r->mix_gen[param]};
	if (ev.type == BH_FLOAT)
		ev.v.f = x;
	else
		ev.v.i = (int64_t)x;
	rig_event(r, RIG_MIX, ev);
}

void
mix_report_text(struct rig *r, unsigned param, const char *s)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_TEXT, .id = param, .gen = ++r->mix_gen[param],
			      .len = (uint8_t)strlen(s)};
	memcpy(ev.v.s, s, ev.len);
	rig_event(r, RIG_MIX, ev);
}

void
mix_meter(struct rig *r, double x)
{
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_METER, .type = BH_FLOAT, .id = RIG_PEAK,
						.gen = ++r->mix_gen[RIG_PEAK], .v.f = x});
}

void
mix_health(struct rig *r, enum bh_health h)
{
	rig_event(r, BH_SLOT_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = h});
}

int
ask(struct rig *r, uint16_t from, enum bh_request what, uint16_t slot, unsigned index, enum bh_type type, double x,
    const char *text)
{
	struct bh_request_args a = {.slot = slot, .index = index, .type = (uint8_t)type};
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = what, .total = ++r->request, .stamp_ns = r->now_ns};
	if (type == BH_FLOAT)
		a.v.f = x;
	else
		a.v.i = (int64_t)x;
	if (text) {
		a.text_len = (uint32_t)strlen(text) + (what == BH_REQ_DO);
		memcpy(a.text, text, strlen(text));
		if (type == BH_TEXT)
			snprintf(a.v.s, sizeof(a.v.s), "%s", text);
	}
	r->result = 1;
	rig_begin(r);
	bh_core_event(r->core, from, &ev, &a, sizeof(a));
	rig_end(r);
	return r->result;
}

/* ------------------------------------------------------------------ looking */

const struct bh_rec_control *
desk_ctl(struct rig *r, unsigned ctl)
{
	uint32_t gen;
	return bh_core_record(r->core, RIG_DESK_BASE + ctl, &gen);
}

const struct bh_rec_param *
mix_param(struct rig *r, unsigned param)
{
	uint32_t gen;
	return bh_core_record(r->core, RIG_MIX_BASE + param, &gen);
}

double
mix_value(struct rig *r, unsigned param)
{
	union bh_val v;
	enum bh_type t = bh_param_newest(mix_param(r, param), &v, NULL);
	return t == BH_NONE ? (double)NAN : t == BH_FLOAT ? v.f : (double)v.i;
}

void
rig_clear(struct rig *r)
{
	r->logged = 0;
}

static const struct rig_out *
find(const struct rig *r, uint16_t slot, int kind, unsigned id, unsigned *count)
{
	const struct rig_out *last = NULL;
	*count = 0;
	for (unsigned k = 0; k < r->logged; k++) {
		const struct rig_out *o = &r->log[k];
		bool is_kind = kind == BH_EV_ACTION ? o->ev.kind == kind : o->ev.kind == BH_EV_VALUE || o->ev.kind == BH_EV_METER;
		if (o->slot != slot || !is_kind || (kind != BH_EV_ACTION && o->ev.id != id))
			continue;
		last = o;
		++*count;
	}
	return last;
}

unsigned
told_count(const struct rig *r, unsigned ctl)
{
	unsigned n;
	find(r, RIG_DESK, BH_EV_VALUE, ctl, &n);
	return n;
}

const struct rig_out *
told_last(const struct rig *r, unsigned ctl)
{
	unsigned n;
	const struct rig_out *o = find(r, RIG_DESK, BH_EV_VALUE, ctl, &n);
	ck_assert_msg(o != NULL, "%s was told nothing", controls[ctl].name);
	return o;
}

unsigned
sent_count(const struct rig *r, unsigned param)
{
	unsigned n;
	find(r, RIG_MIX, BH_EV_VALUE, param, &n);
	return n;
}

const struct rig_out *
sent_last(const struct rig *r, unsigned param)
{
	unsigned n;
	const struct rig_out *o = find(r, RIG_MIX, BH_EV_VALUE, param, &n);
	ck_assert_msg(o != NULL, "%s was sent nothing", params[param].name);
	return o;
}

unsigned
actions_count(const struct rig *r)
{
	unsigned n;
	find(r, RIG_MIX, BH_EV_ACTION, 0, &n);
	return n;
}

const struct rig_out *
action_last(const struct rig *r)
{
	unsigned n;
	const struct rig_out *o = find(r, RIG_MIX, BH_EV_ACTION, 0, &n);
	ck_assert_msg(o != NULL, "no action was sent");
	return o;
}

double
fader_at(double db)
{
	struct bh_taper_range range = {BH_TAPER_FADER_DB, -100, 10, 0};
	return bh_taper_position(&range, db);
}
