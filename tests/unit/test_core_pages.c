/*
 * test_core_pages - the room's own parameters, groups of pages, layers and banks, on the bench of core_rig.h
 *
 * Two desks of the same controls: "desk" (slot 4), whose pages are the room's, and "desk2" (slot 6), a group of its own; the mixer
 * "mix" (slot 5); the room in the router's slot.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/feedback.h"
#include "tests/lib/core_rig.h"

#define DESK2 6
#define DESK2_BASE 400
#define ROOM_BASE 700
#define ROOM_RECORDS 64

/* ------------------------------------------------------------------ configuration */

struct maker {
	struct bh_config_writer *w;
	uint32_t bindings, rooms;
};

static uint32_t
str(struct maker *m, const char *s)
{
	return bh_config_writer_str(m->w, s, strlen(s));
}

/* "a|b|c" as a list of texts. */
static uint32_t
list(struct maker *m, const char *s, uint32_t *len, uint32_t *count)
{
	char all[512];
	*len = (uint32_t)strlen(s) + 1;
	*count = 1;
	for (uint32_t k = 0; k < *len; k++) {
		all[k] = s[k] == '|' ? '\0' : s[k];
		*count += s[k] == '|';
	}
	return bh_config_writer_str(m->w, all, *len - 1);
}

static void
procs(struct maker *m, uint32_t room_base)
{
	static const struct {
		const char *name;
		uint8_t kind, touch;
		uint16_t flags;
	} controls[RIG_CTLS] = {
		[RIG_FADER1] = {"fader1", BH_CTL_FADER, 0x68, BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR},
		[RIG_FADER2] = {"fader2", BH_CTL_FADER, 0x69, BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR},
		[RIG_MUTE] = {"mute1", BH_CTL_BUTTON, 0xff, BH_CTL_HAS_LED}, [RIG_VPOT] = {"vpot1", BH_CTL_VPOT, 0xff, BH_CTL_HAS_RING},
		[RIG_STRIP1] = {"strip1", BH_CTL_STRIP, 0xff, 0}, [RIG_STRIP2] = {"strip2", BH_CTL_STRIP, 0xff, 0},
		[RIG_METER] = {"meter1", BH_CTL_METER, 0xff, 0}, [RIG_DIGITS] = {"timecode", BH_CTL_DIGITS, 0xff, 0},
		[RIG_PLAY] = {"play", BH_CTL_BUTTON, 0xff, BH_CTL_HAS_LED}, [RIG_LED] = {"record", BH_CTL_LED, 0xff, 0},
		[RIG_F1] = {"f1", BH_CTL_BUTTON, 0xff, 0}, [RIG_F2] = {"f2", BH_CTL_BUTTON, 0xff, 0},
		[RIG_SCENE] = {"f3", BH_CTL_BUTTON, 0xff, 0}, [RIG_JOG] = {"jog", BH_CTL_JOG, 0xff, 0},
		[RIG_LOST] = {"f4", BH_CTL_BUTTON, 0xff, 0}, [RIG_TOUCH1] = {"f5", BH_CTL_BUTTON, 0xff, 0},
	};
	struct bh_cfg_proc p[] = {
		{.name = str(m, "router"), .kind = str(m, "router"), .slot = BH_SLOT_ROUTER, .role = BH_ROLE_ROUTER,
		 .record_base = room_base, .records = ROOM_RECORDS},
		{.name = str(m, "desk"), .kind = str(m, "surface"), .slot = RIG_DESK, .role = BH_ROLE_SURFACE,
		 .record_base = RIG_DESK_BASE, .records = 256},
		{.name = str(m, "desk2"), .kind = str(m, "surface"), .slot = DESK2, .role = BH_ROLE_SURFACE,
		 .record_base = DESK2_BASE, .records = 256},
		{.name = str(m, "mix"), .kind = str(m, "loop"), .slot = RIG_MIX, .role = BH_ROLE_DRIVER,
		 .record_base = RIG_MIX_BASE, .records = 64, .params = 64},
	};
	for (unsigned k = 0; k < sizeof(p) / sizeof(p[0]); k++)
		bh_config_writer_row(m->w, BH_TAB_PROCS, &p[k], sizeof(p[k]));
	for (unsigned k = 0; k < RIG_CTLS; k++) {
		struct bh_cfg_control c = {.kind = controls[k].kind, .flags = controls[k].flags, .width = 7, .addr = (uint8_t)k,
					   .touch = controls[k].touch};
		snprintf(c.name, sizeof(c.name), "%s", controls[k].name ? controls[k].name : "spare");
		if (!c.kind)
			c.kind = BH_CTL_LED;
		bh_config_writer_row(m->w, BH_TAB_CONTROLS, &c, sizeof(c));
	}
}

static void
surface(struct maker *m, uint16_t slot, uint32_t page_room)
{
	struct bh_cfg_surface sf = {.slot = slot, .controls = RIG_CTLS, .page_room = page_room};
	bh_config_writer_row(m->w, BH_TAB_SURFACES, &sf, sizeof(sf));
}

static uint32_t
room(struct maker *m, const char *name, enum bh_room_kind kind, enum bh_type type, const char *choices, const char *def)
{
	struct bh_cfg_room r = {.name = str(m, name), .kind = (uint8_t)kind, .type = (uint8_t)type};
	if (choices)
		r.choices = list(m, choices, &r.choices_len, &r.count);
	if (def)
		r.def = (struct bh_cfg_operand){.text = str(m, def), .type = BH_TEXT};
	bh_config_writer_row(m->w, BH_TAB_ROOM, &r, sizeof(r));
	return m->rooms++;
}

static struct bh_cfg_binding
bind(struct maker *m, unsigned page, uint16_t surface_slot, unsigned ctl, unsigned kind, const char *target)
{
	struct bh_cfg_binding b = {.page = (uint16_t)page, .surface = surface_slot, .control = (uint16_t)ctl, .kind = (uint8_t)kind,
				   .driver = target ? RIG_MIX : BH_SLOT_NONE, .taper = 0xff};
	if (target && strncmp(target, "room/", 5) == 0) {
		b.driver = BH_SLOT_ROUTER;
		target += 5;
	}
	if (target)
		b.target = str(m, target);
	return b;
}

static void
put(struct maker *m, struct bh_cfg_binding b)
{
	bh_config_writer_row(m->w, BH_TAB_BINDINGS, &b, sizeof(b));
	m->bindings++;
}

static void
on_layer(struct maker *m, uint32_t row, struct bh_cfg_binding b)
{
	b.layer = (uint16_t)(row + 1);
	put(m, b);
}

static void
own_action(struct maker *m, unsigned page, uint16_t slot, unsigned ctl, enum bh_page_action action, const char *arg)
{
	struct bh_cfg_binding b = bind(m, page, slot, ctl, BH_BIND_ACTION, "own");
	b.driver = BH_DRIVER_PAGE;
	b.action = (uint16_t)action;
	if (arg) {
		b.args = str(m, arg);
		b.args_len = (uint32_t)strlen(arg) + 1;
	}
	put(m, b);
}

static void
page(struct maker *m, const char *name, uint32_t first, uint32_t inherit)
{
	struct bh_cfg_page p = {.name = str(m, name), .first = first, .count = m->bindings - first, .inherit = inherit};
	bh_config_writer_row(m->w, BH_TAB_PAGES, &p, sizeof(p));
}

static int
finish(struct maker *m, uint64_t generation)
{
	int fd = bh_config_writer_finish(m->w, "pages", "pages.yaml", generation);
	bh_config_writer_free(m->w);
	ck_assert_int_ge(fd, 0);
	return fd;
}

enum { ROW_PAGE, ROW_PAGE2, ROW_QUIET, ROW_FINE, ROW_SHIFT, ROW_CAMERA, ROW_TITLE, ROW_EDGE };
#define PAGES "Base|Mix|Talk|Four|Five|Six|Seven|Eight|Nine"

/* What both desks have on a page. */
static void
desk_page(struct maker *m, uint16_t slot, unsigned n)
{
	static const char *const levels[] = {"ch1/level", "ch2/level", "ch3/level"};
	struct bh_cfg_binding b;
	if (n == 2)
		return; /* Talk has what Base has */
	put(m, bind(m, n, slot, RIG_FADER1, BH_BIND_VALUE, levels[n % 3]));
	if (n == 1)
		on_layer(m, ROW_SHIFT, bind(m, n, slot, RIG_FADER1, BH_BIND_VALUE, "room"));
	put(m, bind(m, n, slot, RIG_FADER2, BH_BIND_VALUE, "ch2/level"));
	if (n == 0)
		put(m, bind(m, n, slot, RIG_MUTE, BH_BIND_VALUE, "ch1/mute"));
	if (n == 0)
		on_layer(m, ROW_SHIFT, bind(m, n, slot, RIG_MUTE, BH_BIND_VALUE, "recording"));
	b = bind(m, n, slot, RIG_STRIP1, BH_BIND_STRIP, levels[n % 3]);
	b.text = str(m, n == 0 ? "Base" : "Page");
	put(m, b);
	b = bind(m, n, slot, RIG_STRIP2, BH_BIND_STRIP, "room/var/camera");
	b.text = str(m, "Cam");
	put(m, b);
	b = bind(m, n, slot, RIG_DIGITS, BH_BIND_DISPLAY, NULL);
	b.flags = BH_BINDF_SHOW_PAGE;
	put(m, b);
}

static void
global_keys(struct maker *m, uint16_t slot)
{
	own_action(m, BH_PAGE_GLOBAL, slot, RIG_PLAY, BH_PAGE_BACK, NULL);
	own_action(m, BH_PAGE_GLOBAL, slot, RIG_F1, BH_PAGE_NEXT, NULL);
	on_layer(m, ROW_SHIFT, bind(m, BH_PAGE_GLOBAL, slot, RIG_F1, BH_BIND_VALUE, "ch1/mute"));
	own_action(m, BH_PAGE_GLOBAL, slot, RIG_F2, BH_PAGE_GO, "Nine");
	put(m, bind(m, BH_PAGE_GLOBAL, slot, RIG_SCENE, BH_BIND_VALUE, "room/layer/shift"));
	own_action(m, BH_PAGE_GLOBAL, slot, RIG_TOUCH1, BH_PAGE_PREVIOUS, NULL);
}

static int
config(void)
{
	static const char *const names[] = {"Base", "Mix", "Talk", "Four", "Five", "Six", "Seven", "Eight", "Nine"};
	struct maker m = {.w = bh_config_writer_new()};
	procs(&m, ROOM_BASE);
	room(&m, "page", BH_ROOM_PAGE, BH_ENUM, PAGES, "Mix");
	room(&m, "page/second", BH_ROOM_PAGE, BH_ENUM, PAGES, "Talk");
	room(&m, "quiet", BH_ROOM_QUIET, BH_BOOL, NULL, NULL);
	room(&m, "layer/fine", BH_ROOM_LAYER, BH_BOOL, NULL, NULL);
	room(&m, "layer/shift", BH_ROOM_LAYER, BH_BOOL, NULL, NULL);
	room(&m, "var/camera", BH_ROOM_VAR, BH_ENUM, "Main|Left|Right", "Left");
	room(&m, "var/title", BH_ROOM_VAR, BH_TEXT, NULL, "Hello");
	room(&m, "edge/onair", BH_ROOM_EDGE, BH_BOOL, NULL, NULL);
	for (unsigned k = 0; k < BH_ROOM_RUNS; k++)
		room(&m, "run/0", BH_ROOM_RUN, BH_NONE, NULL, NULL);
	surface(&m, RIG_DESK, 0);
	surface(&m, DESK2, ROW_PAGE2);
	for (unsigned n = 0; n < 9; n++) {
		uint32_t first = m.bindings;
		desk_page(&m, RIG_DESK, n);
		desk_page(&m, DESK2, n);
		page(&m, names[n], first, n == 2 || n == 1 ? 1 : 0);
	}
	global_keys(&m, RIG_DESK);
	global_keys(&m, DESK2);
	return finish(&m, 1);
}

/* The same room with a row more before the others, pages in another order, and a camera less. */
static int
moved_config(void)
{
	struct maker m = {.w = bh_config_writer_new()};
	procs(&m, ROOM_BASE);
	room(&m, "page", BH_ROOM_PAGE, BH_ENUM, "Talk|Mix|Nine|Base", "Mix");
	room(&m, "var/new", BH_ROOM_VAR, BH_TEXT, NULL, "fresh");
	room(&m, "var/title", BH_ROOM_VAR, BH_TEXT, NULL, "Hello");
	room(&m, "edge/onair", BH_ROOM_EDGE, BH_BOOL, NULL, NULL);
	room(&m, "var/camera", BH_ROOM_VAR, BH_ENUM, "Right|Left", "Left");
	uint32_t second = room(&m, "page/second", BH_ROOM_PAGE, BH_ENUM, "Talk|Mix|Nine|Base", "Talk");
	room(&m, "layer/shift", BH_ROOM_LAYER, BH_BOOL, NULL, NULL);
	for (unsigned k = 0; k < BH_ROOM_RUNS; k++)
		room(&m, "run/0", BH_ROOM_RUN, BH_NONE, NULL, NULL);
	surface(&m, RIG_DESK, 0);
	surface(&m, DESK2, second);
	page(&m, "Talk", 0, 0);
	page(&m, "Mix", 0, 0);
	page(&m, "Nine", 0, 0);
	page(&m, "Base", 0, 0);
	return finish(&m, 2);
}

/* ------------------------------------------------------------------ hands and eyes */

static struct rig *
two_desks(void)
{
	struct rig *r = rig_new_with(config(), true);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL1, -10);
	mix_report(r, RIG_LEVEL2, -20);
	mix_report(r, RIG_LEVEL3, -30);
	mix_report(r, RIG_MUTED, 0);
	mix_report(r, RIG_RECORDING, 0);
	mix_report(r, RIG_ROOM, 50);
	rig_advance(r, 1000);
	rig_clear(r);
	return r;
}

static uint32_t desk2_gen;

static void
press_on(struct rig *r, uint16_t slot, unsigned ctl)
{
	rig_event(r, slot, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = ctl, .v.i = 1});
	rig_event(r, slot, (struct bh_event){.kind = BH_EV_RELEASE, .type = BH_BOOL, .id = ctl, .gen = ++desk2_gen + 1000});
}

static const struct bh_rec_param *
room_record(struct rig *r, uint32_t row)
{
	uint32_t gen;
	return bh_core_record(r->core, ROOM_BASE + row, &gen);
}

static int64_t
room_number(struct rig *r, uint32_t row)
{
	union bh_val v;
	ck_assert_int_ne(bh_param_newest(room_record(r, row), &v, NULL), BH_NONE);
	return v.i;
}

static int
set_room(struct rig *r, uint32_t row, int64_t x)
{
	return ask(r, BH_SLOT_CONTROL, BH_REQ_SET, BH_SLOT_ROUTER, row, BH_INT, (double)x, NULL);
}

/* What a control of a desk was told, by its record. */
static const struct bh_rec_control *
told(struct rig *r, uint16_t slot, unsigned ctl)
{
	uint32_t gen;
	return bh_core_record(r->core, (slot == RIG_DESK ? RIG_DESK_BASE : DESK2_BASE) + ctl, &gen);
}

static unsigned
outputs_to(const struct rig *r, uint16_t slot)
{
	unsigned n = 0;
	for (unsigned k = 0; k < r->logged; k++)
		n += r->log[k].slot == slot;
	return n;
}

/* ------------------------------------------------------------------ the room */

START_TEST(first_start_shows_the_pages_and_values_that_the_configuration_says)
{
	struct rig *r = two_desks();
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 1);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 2);
	ck_assert_int_eq(room_number(r, ROW_CAMERA), 1);
	ck_assert_str_eq(room_record(r, ROW_TITLE)->text, "Hello");
	ck_assert_str_eq(told(r, RIG_DESK, RIG_DIGITS)->text, "Mix");
	ck_assert_str_eq(told(r, DESK2, RIG_DIGITS)->text, "Talk");
	ck_assert_msg(!(room_record(r, ROW_EDGE)->flags & BH_PAR_KNOWN), "an edge has seen nothing yet");
	rig_free(r);
}
END_TEST

START_TEST(room_parameter_is_carried_out_and_confirmed_at_once_and_sent_to_nobody)
{
	struct rig *r = two_desks();
	ck_assert_int_eq(set_room(r, ROW_PAGE, 8), 0);
	ck_assert_uint_eq(bh_core_page(r->core), 8);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 8);
	ck_assert(!(room_record(r, ROW_PAGE)->flags & BH_PAR_PENDING));
	ck_assert_str_eq(told(r, RIG_DESK, RIG_DIGITS)->text, "Nine");
	ck_assert_int_eq(set_room(r, ROW_CAMERA, 2), 0);
	ck_assert_int_eq(room_number(r, ROW_CAMERA), 2);
	ck_assert_uint_eq(outputs_to(r, RIG_MIX), 0);
	ck_assert_uint_eq(outputs_to(r, BH_SLOT_ROUTER), 0);
	ck_assert_int_lt(set_room(r, ROW_PAGE, 9), 0);
	ck_assert_int_lt(set_room(r, ROW_CAMERA, 3), 0);
	ck_assert_int_eq(set_room(r, ROW_EDGE, 1), -EACCES);
	ck_assert_int_lt(set_room(r, ROW_EDGE + 1, 1), 0); /* a run is no parameter */
	rig_free(r);
}
END_TEST

START_TEST(strip_that_shows_a_variable_follows_it)
{
	struct rig *r = two_desks();
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_SET, BH_SLOT_ROUTER, ROW_CAMERA, BH_TEXT, 0, "Right"), 0);
	ck_assert_ptr_nonnull(strstr(told(r, RIG_DESK, RIG_STRIP2)->text + 1, "Right"));
	ck_assert_uint_eq(outputs_to(r, RIG_DESK), 1);
	rig_free(r);
}
END_TEST

START_TEST(page_parameter_follows_the_keys_of_its_own_desk)
{
	struct rig *r = two_desks();
	press_on(r, DESK2, RIG_F1);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 3);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 1);
	ck_assert_uint_eq(outputs_to(r, RIG_DESK), 0);
	press_on(r, RIG_DESK, RIG_F2);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 8);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 3);
	rig_free(r);
}
END_TEST

static void
look_at_moved(struct rig *r)
{
	ck_assert_uint_eq(bh_core_page(r->core), 2); /* Nine */
	ck_assert_int_eq(room_number(r, 0), 2);
	ck_assert_str_eq(room_record(r, 1)->text, "fresh");
	ck_assert_str_eq(room_record(r, 2)->text, "Evening");
	ck_assert_int_eq(room_number(r, 4), 0); /* Right */
	ck_assert_int_eq(room_number(r, 5), 1); /* Mix */
}

START_TEST(room_goes_on_over_a_reload_by_name_though_rows_and_choices_move)
{
	struct rig *r = two_desks();
	set_room(r, ROW_PAGE, 8);
	set_room(r, ROW_PAGE2, 1);
	set_room(r, ROW_CAMERA, 2);
	ask(r, BH_SLOT_CONTROL, BH_REQ_SET, BH_SLOT_ROUTER, ROW_TITLE, BH_TEXT, 0, "Evening");
	rig_reconfigure(r, moved_config());
	look_at_moved(r);
	rig_restart(r);
	look_at_moved(r);
	/* And back again; the camera that was not there meanwhile is not missed. */
	rig_reconfigure(r, config());
	ck_assert_int_eq(room_number(r, ROW_PAGE), 8);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 1);
	ck_assert_int_eq(room_number(r, ROW_CAMERA), 2);
	ck_assert_str_eq(room_record(r, ROW_TITLE)->text, "Evening");
	rig_free(r);
}
END_TEST

START_TEST(variable_whose_choice_is_gone_takes_its_default)
{
	struct rig *r = two_desks();
	set_room(r, ROW_CAMERA, 0); /* Main */
	rig_reconfigure(r, moved_config());
	ck_assert_int_eq(room_number(r, 4), 1); /* Left */
	rig_free(r);
}
END_TEST

START_TEST(store_brings_back_what_the_room_was_but_no_pressed_key)
{
	struct rig *r = rig_new_with(config(), true);
	ck_assert_int_eq(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_TEXT, 0, "page:Six"), 0);
	ck_assert_uint_eq(bh_core_page(r->core), 5);
	struct bh_request_args a = {.type = BH_TEXT, .v.s = "Right", .text = "room/var/camera", .text_len = 15};
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = BH_REQ_RESTORE, .total = 9, .stamp_ns = r->now_ns};
	rig_begin(r);
	bh_core_event(r->core, BH_SLOT_STORE, &ev, &a, sizeof(a));
	rig_end(r);
	ck_assert_int_eq(r->result, 0);
	ck_assert_int_eq(room_number(r, ROW_CAMERA), 2);
	strcpy(a.text, "room/page/second");
	strcpy(a.v.s, "Nine");
	a.text_len = 16;
	rig_begin(r);
	bh_core_event(r->core, BH_SLOT_STORE, &ev, &a, sizeof(a));
	rig_end(r);
	ck_assert_int_eq(r->result, 0);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 8);
	ck_assert_str_eq(told(r, DESK2, RIG_DIGITS)->text, "Nine");
	/* Somebody has chosen meanwhile. */
	press_on(r, DESK2, RIG_F1);
	rig_begin(r);
	bh_core_event(r->core, BH_SLOT_STORE, &ev, &a, sizeof(a));
	rig_end(r);
	ck_assert_int_eq(r->result, -EALREADY);
	ck_assert_int_lt(ask(r, BH_SLOT_STORE, BH_REQ_RESTORE, 0, 0, BH_BOOL, 1, "room/layer/shift"), 0);
	ck_assert_int_eq(room_number(r, ROW_SHIFT), 0);
	rig_free(r);
}
END_TEST

START_TEST(room_is_listed_for_other_processes_as_a_directory)
{
	struct rig *r = two_desks();
	struct bh_dir_record rec;
	const char *choices;
	size_t len;
	ck_assert_int_eq(bh_core_room(r->core, ROW_PAGE2, &rec, &choices, &len), 0);
	ck_assert_str_eq(rec.name, "page/second");
	ck_assert_uint_eq(rec.type, BH_ENUM);
	ck_assert_uint_eq(rec.choices, 9);
	ck_assert_uint_eq(len, sizeof(PAGES));
	ck_assert_str_eq(choices + 5, "Mix");
	ck_assert_int_eq(bh_core_room(r->core, ROW_EDGE, &rec, &choices, &len), 0);
	ck_assert_uint_eq(rec.access, BH_ACCESS_READ);
	ck_assert_int_eq(bh_core_room(r->core, ROW_EDGE + 1, &rec, &choices, &len), -ENOENT);
	ck_assert_int_eq(bh_core_room(r->core, ROW_EDGE + 1 + BH_ROOM_RUNS, &rec, &choices, &len), -ERANGE);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------------ pages */

START_TEST(more_than_eight_pages_wrap_around_both_ways)
{
	struct rig *r = two_desks();
	for (unsigned k = 0; k < 9; k++) {
		ck_assert_uint_eq(bh_core_page(r->core), (1 + k) % 9);
		press_on(r, RIG_DESK, RIG_F1);
	}
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	press_on(r, RIG_DESK, RIG_TOUCH1);
	press_on(r, RIG_DESK, RIG_TOUCH1);
	ck_assert_uint_eq(bh_core_page(r->core), 8);
	rig_free(r);
}
END_TEST

START_TEST(page_back_is_the_one_shown_before_also_for_a_successor)
{
	struct rig *r = two_desks();
	press_on(r, RIG_DESK, RIG_PLAY); /* none was */
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	press_on(r, RIG_DESK, RIG_F2);
	press_on(r, DESK2, RIG_F1);
	rig_restart(r);
	press_on(r, RIG_DESK, RIG_PLAY);
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	press_on(r, RIG_DESK, RIG_PLAY);
	ck_assert_uint_eq(bh_core_page(r->core), 8);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 3);
	press_on(r, DESK2, RIG_PLAY);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 2);
	rig_free(r);
}
END_TEST

START_TEST(page_is_turned_by_request_for_one_surface_or_for_the_room)
{
	struct rig *r = two_desks();
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, DESK2, 0, BH_INT, 0, NULL), 0);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 0);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, DESK2, 0, BH_INT, -3, NULL), 0);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 2);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_PAGE, 0, 0, BH_INT, -1, NULL), 0);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 2);
	ck_assert_int_eq(room_number(r, ROW_PAGE2), 2);
	ck_assert_int_eq(ask(r, BH_SLOT_CONTROL, BH_REQ_DO, BH_DRIVER_PAGE, BH_PAGE_BACK, BH_TEXT, 0, ""), 0);
	ck_assert_int_eq(room_number(r, ROW_PAGE), 1);
	rig_free(r);
}
END_TEST

START_TEST(two_quick_presses_of_a_page_key_are_two_pages)
{
	struct rig *r = two_desks();
	press_on(r, RIG_DESK, RIG_F1);
	press_on(r, RIG_DESK, RIG_F1);
	ck_assert_uint_eq(bh_core_page(r->core), 3);
	rig_free(r);
}
END_TEST

START_TEST(page_has_what_it_inherits_where_it_has_nothing_of_its_own)
{
	struct rig *r = two_desks();
	/* Talk inherits all of Base. */
	ck_assert_double_eq_tol(told(r, DESK2, RIG_FADER1)->told.f, fader_at(-10), 1e-9);
	ck_assert_uint_eq(told(r, DESK2, RIG_MUTE)->told_type, BH_INT);
	/* Mix has a fader of its own, and the mute key of Base. */
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, fader_at(-20), 1e-9);
	mix_report(r, RIG_MUTED, 1);
	ck_assert_int_eq(told(r, RIG_DESK, RIG_MUTE)->told.i, BH_LIGHT_ON);
	rig_free(r);
}
END_TEST

START_TEST(turning_a_page_touches_only_what_differs)
{
	struct rig *r = two_desks();
	press_on(r, RIG_DESK, RIG_F1); /* Talk */
	/* Fader 1 goes to another level; its strip says so; the window. Nothing else. */
	ck_assert_uint_eq(outputs_to(r, RIG_DESK), 3);
	ck_assert_uint_eq(outputs_to(r, DESK2), 0);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------------ layers */

START_TEST(layer_shows_its_own_controls_and_leaves_the_others)
{
	struct rig *r = two_desks();
	mix_report(r, RIG_RECORDING, 1);
	rig_clear(r);
	set_room(r, ROW_SHIFT, 1);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, 0.5, 1e-9);
	ck_assert_int_eq(told(r, RIG_DESK, RIG_MUTE)->told.i, BH_LIGHT_ON);
	ck_assert_int_eq(told(r, DESK2, RIG_MUTE)->told.i, BH_LIGHT_ON);
	ck_assert_uint_eq(outputs_to(r, RIG_DESK), 3); /* fader, mute, and the layer's key itself */
	press_on(r, RIG_DESK, RIG_F1);		       /* on the layer it is a mute key */
	ck_assert_uint_eq(bh_core_page(r->core), 1);
	ck_assert_uint_eq(sent_count(r, RIG_MUTED), 1);
	set_room(r, ROW_SHIFT, 0);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, fader_at(-20), 1e-9);
	ck_assert_int_eq(told(r, RIG_DESK, RIG_MUTE)->told.i, BH_LIGHT_ON); /* muted by now */
	rig_free(r);
}
END_TEST

START_TEST(layer_goes_on_over_a_page_switch_and_a_restart_of_the_router)
{
	struct rig *r = two_desks();
	set_room(r, ROW_SHIFT, 1);
	set_room(r, ROW_PAGE, 2); /* Talk, which has Base's layer */
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, fader_at(-10), 1e-9);
	set_room(r, ROW_PAGE, 1);
	rig_restart(r);
	rig_clear(r);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, 0.5, 1e-9);
	set_room(r, ROW_SHIFT, 0);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, fader_at(-20), 1e-9);
	rig_free(r);
}
END_TEST

START_TEST(fader_held_while_a_layer_goes_on_and_off_keeps_what_it_was_grabbed_with)
{
	struct rig *r = two_desks();
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.3);
	set_room(r, ROW_SHIFT, 1);
	desk_move(r, RIG_FADER1, 0.31);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 2);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 0);
	rig_restart(r);
	desk_move(r, RIG_FADER1, 0.32);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 0);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 500);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, 0.5, 1e-9);
	desk_touch(r, RIG_FADER1, true);
	set_room(r, ROW_SHIFT, 0);
	rig_restart(r);
	rig_clear(r);
	desk_move(r, RIG_FADER1, 0.6);
	ck_assert_uint_eq(sent_count(r, RIG_ROOM), 1);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 0);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------------ several surfaces */

static void
touch2(struct rig *r, unsigned ctl, bool on)
{
	rig_event(r, DESK2, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = ctl, .gen = ++desk2_gen + 1000, .v.i = on});
}

static void
move2(struct rig *r, unsigned ctl, double pos)
{
	rig_event(r, DESK2, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = ctl, .gen = ++desk2_gen + 1000, .v.f = pos});
}

START_TEST(fader_moved_on_one_desk_is_followed_by_the_other)
{
	struct rig *r = two_desks();
	desk_touch(r, RIG_FADER2, true);
	desk_move(r, RIG_FADER2, 0.8);
	ck_assert_double_eq_tol(told(r, DESK2, RIG_FADER2)->told.f, 0.8, 1e-9);
	ck_assert_uint_eq(told_count(r, RIG_FADER2), 0);
	rig_free(r);
}
END_TEST

START_TEST(two_hands_on_the_same_parameter_last_writer_wins_and_no_motor_fights)
{
	struct rig *r = two_desks();
	desk_touch(r, RIG_FADER2, true);
	touch2(r, RIG_FADER2, true);
	rig_clear(r);
	uint32_t gens[] = {told(r, RIG_DESK, RIG_FADER2)->told_gen, told(r, DESK2, RIG_FADER2)->told_gen};
	desk_move(r, RIG_FADER2, 0.8);
	move2(r, RIG_FADER2, 0.3);
	desk_move(r, RIG_FADER2, 0.81);
	move2(r, RIG_FADER2, 0.31);
	ck_assert_uint_eq(told(r, RIG_DESK, RIG_FADER2)->told_gen, gens[0]);
	ck_assert_uint_eq(told(r, DESK2, RIG_FADER2)->told_gen, gens[1]);
	ck_assert_uint_eq(sent_count(r, RIG_LEVEL2), 4);
	desk_touch(r, RIG_FADER2, false);
	rig_advance(r, 1000);
	/* The other hand was last: this motor goes there, once; that one is still held. */
	ck_assert_uint_eq(told_count(r, RIG_FADER2), 1);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER2)->told.f, 0.31, 1e-9);
	touch2(r, RIG_FADER2, false);
	rig_advance(r, 1000);
	ck_assert_double_eq_tol(told(r, DESK2, RIG_FADER2)->told.f, 0.31, 1e-9);
	ck_assert_uint_eq(told_count(r, RIG_FADER2), 1);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------------ banks */

/*
 * The mixer offers eight inputs, "in/A/level" ... at parameters 20 to 27, and their mutes at 30 to 37. The bank "inputs" has four
 * places, two on each desk, side by side as one row; the last one is pinned to C.
 */
enum { BANK_ROW = 1, IN_LEVEL = 20, IN_MUTE = 30, INPUTS = 8 };

static void
bank_binding(struct maker *m, struct bh_cfg_binding b, unsigned place)
{
	b.bank = 1;
	b.bank_pos = (uint16_t)place;
	put(m, b);
}

static void
bank_strip(struct maker *m, unsigned n, uint16_t slot, unsigned place, unsigned fader, unsigned strip)
{
	struct bh_cfg_binding b = bind(m, n, slot, strip, BH_BIND_STRIP, "in/{}/level");
	bank_binding(m, bind(m, n, slot, fader, BH_BIND_VALUE, "in/{}/level"), place);
	b.text = str(m, "{}");
	bank_binding(m, b, place);
}

static void
bank_page(struct maker *m, unsigned n, const char *name)
{
	uint32_t first = m->bindings;
	bank_strip(m, n, RIG_DESK, 0, RIG_FADER1, RIG_STRIP1);
	bank_strip(m, n, RIG_DESK, 1, RIG_FADER2, RIG_STRIP2);
	bank_binding(m, bind(m, n, RIG_DESK, RIG_MUTE, BH_BIND_VALUE, "in/{}/mute"), 0);
	bank_strip(m, n, DESK2, 2, RIG_FADER1, RIG_STRIP1);
	bank_strip(m, n, DESK2, 3, RIG_FADER2, RIG_STRIP2);
	page(m, name, first, 0);
}

static int
bank_config(const char *items, uint32_t flags)
{
	struct maker m = {.w = bh_config_writer_new()};
	uint32_t count;
	procs(&m, ROOM_BASE);
	room(&m, "page", BH_ROOM_PAGE, BH_ENUM, "Rest|Bank|Other", "Bank");
	room(&m, "bank/inputs", BH_ROOM_BANK, BH_INT, NULL, NULL);
	surface(&m, RIG_DESK, 0);
	surface(&m, DESK2, 0);
	page(&m, "Rest", 0, 0);
	bank_page(&m, 1, "Bank");
	bank_page(&m, 2, "Other");
	own_action(&m, BH_PAGE_GLOBAL, RIG_DESK, RIG_PLAY, BH_BANK_HOME, "inputs");
	own_action(&m, BH_PAGE_GLOBAL, RIG_DESK, RIG_F1, BH_BANK_NEXT, "inputs");
	own_action(&m, BH_PAGE_GLOBAL, RIG_DESK, RIG_F2, BH_BANK_PREVIOUS, "inputs");
	own_action(&m, BH_PAGE_GLOBAL, RIG_DESK, RIG_SCENE, BH_BANK_CHANNEL_NEXT, "inputs");
	own_action(&m, BH_PAGE_GLOBAL, RIG_DESK, RIG_LOST, BH_BANK_CHANNEL_PREVIOUS, "inputs");
	struct bh_cfg_bank b = {.name = str(&m, "inputs"), .room = BANK_ROW, .driver = RIG_MIX, .places = 4, .flags = flags, .max = 64};
	b.before = str(&m, "in/");
	b.after = str(&m, "/level");
	if (items)
		b.items = list(&m, items, &b.items_len, &count);
	b.pins = list(&m, "|||C", &b.pins_len, &count);
	bh_config_writer_row(m.w, BH_TAB_BANKS, &b, sizeof(b));
	return finish(&m, 3);
}

static void
offer(struct rig *r, unsigned index, const char *name, uint8_t type, uint8_t flags, unsigned was)
{
	struct bh_dir_record d = {.index = index, .gen = 1, .type = type, .access = 3, .min = type == BH_BOOL ? 0 : -100,
				  .max = type == BH_BOOL ? 1 : 10, .flags = flags, .was = was};
	d.taper = type == BH_BOOL ? BH_TAPER_STEPS : BH_TAPER_FADER_DB;
	snprintf(d.name, sizeof(d.name), "%s", name);
	rig_begin(r);
	ck_assert_int_eq(bh_core_directory(r->core, RIG_MIX, &d, NULL, 0), 0);
	rig_end(r);
}

static void
offer_input(struct rig *r, unsigned k)
{
	char name[32];
	snprintf(name, sizeof(name), "in/%c/level", 'A' + k);
	offer(r, IN_LEVEL + k, name, BH_FLOAT, 0, 0xffffffff);
	snprintf(name, sizeof(name), "in/%c/mute", 'A' + k);
	offer(r, IN_MUTE + k, name, BH_BOOL, 0, 0xffffffff);
}

static uint32_t input_gen;

static void
report_input(struct rig *r, unsigned k, double db)
{
	rig_event(r, RIG_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = IN_LEVEL + k, .gen = ++input_gen, .v.f = db});
}

static struct rig *
bank_rig(const char *items, uint32_t flags)
{
	struct rig *r = rig_new_with(bank_config(items, flags), true);
	mix_health(r, BH_HEALTH_OK);
	for (unsigned k = 0; k < INPUTS; k++)
		offer_input(r, k);
	for (unsigned k = 0; k < INPUTS; k++)
		report_input(r, k, -(double)k - 1);
	rig_advance(r, 1000);
	rig_clear(r);
	return r;
}

/* A successor, which reads the directory anew. */
static void
bank_restart(struct rig *r)
{
	rig_restart(r);
	for (unsigned k = 0; k < INPUTS; k++)
		offer_input(r, k);
}

/* "ABCD": what the four strips say; '-' = nothing bound. */
static const char *
row_of(struct rig *r)
{
	static char text[5];
	const struct bh_rec_control *c[] = {told(r, RIG_DESK, RIG_STRIP1), told(r, RIG_DESK, RIG_STRIP2), told(r, DESK2, RIG_STRIP1),
					    told(r, DESK2, RIG_STRIP2)};
	for (unsigned k = 0; k < 4; k++)
		text[k] = c[k]->told_type == BH_NONE ? '-' : c[k]->text[1];
	return text;
}

static void
look_at_row(struct rig *r, const char *want)
{
	const struct bh_rec_control *fader[] = {told(r, RIG_DESK, RIG_FADER1), told(r, RIG_DESK, RIG_FADER2),
						told(r, DESK2, RIG_FADER1), told(r, DESK2, RIG_FADER2)};
	ck_assert_str_eq(row_of(r), want);
	for (unsigned k = 0; k < 4; k++)
		if (want[k] >= 'A' && want[k] < 'A' + INPUTS && !(fader[k]->flags & BH_CTRL_TOUCHED))
			ck_assert_double_eq_tol(fader[k]->told.f, fader_at('A' - want[k] - 1), 1e-9);
}

START_TEST(bank_shows_what_the_backend_offers_with_pins_over_two_surfaces)
{
	struct rig *r = bank_rig(NULL, 0);
	look_at_row(r, "ABDC");
	rig_free(r);
}
END_TEST

START_TEST(bank_and_channel_keys_move_by_the_free_places_or_by_one_and_stop_at_the_ends)
{
	struct rig *r = bank_rig(NULL, 0); /* A B D E F G H on three places */
	press_on(r, RIG_DESK, RIG_F1);
	look_at_row(r, "EFGC");
	ck_assert_int_eq(room_number(r, BANK_ROW), 3);
	press_on(r, RIG_DESK, RIG_F1);
	look_at_row(r, "FGHC");
	press_on(r, RIG_DESK, RIG_SCENE);
	look_at_row(r, "FGHC");
	press_on(r, RIG_DESK, RIG_LOST);
	look_at_row(r, "EFGC");
	press_on(r, RIG_DESK, RIG_F2);
	look_at_row(r, "ABDC");
	press_on(r, RIG_DESK, RIG_SCENE);
	look_at_row(r, "BDEC");
	press_on(r, RIG_DESK, RIG_PLAY);
	look_at_row(r, "ABDC");
	press_on(r, RIG_DESK, RIG_F2);
	look_at_row(r, "ABDC");
	set_room(r, BANK_ROW, 2);
	look_at_row(r, "DEFC");
	rig_free(r);
}
END_TEST

START_TEST(bank_key_touches_only_what_differs_and_never_the_pinned_strip)
{
	struct rig *r = bank_rig(NULL, 0);
	uint32_t gen = told(r, DESK2, RIG_FADER2)->told_gen;
	press_on(r, RIG_DESK, RIG_F1);
	ck_assert_uint_eq(told(r, DESK2, RIG_FADER2)->told_gen, gen);
	ck_assert_uint_eq(outputs_to(r, DESK2), 2);
	ck_assert_uint_eq(outputs_to(r, RIG_DESK), 4);
	ck_assert_uint_eq(outputs_to(r, RIG_MIX), 0);
	rig_free(r);
}
END_TEST

START_TEST(fader_of_a_bank_moves_the_item_that_its_strip_names)
{
	struct rig *r = bank_rig(NULL, 0);
	press_on(r, RIG_DESK, RIG_F1);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL + 4), 1); /* E */
	press_on(r, RIG_DESK, RIG_MUTE);
	ck_assert_uint_eq(sent_count(r, IN_MUTE + 4), 1);
	rig_clear(r);
	report_input(r, 0, 3); /* A is not shown */
	ck_assert_uint_eq(told_count(r, RIG_FADER1), 0);
	rig_free(r);
}
END_TEST

START_TEST(item_that_is_gone_leaves_its_place_blank_and_has_it_again_when_it_is_back)
{
	struct rig *r = bank_rig(NULL, 0);
	offer(r, IN_LEVEL + 1, "in/B/level", BH_FLOAT, BH_DIR_TOMBSTONE, 0xffffffff);
	look_at_row(r, "A-DC");
	desk_touch(r, RIG_FADER2, true);
	desk_move(r, RIG_FADER2, 0.3);
	desk_touch(r, RIG_FADER2, false);
	rig_advance(r, 1000);
	ck_assert_uint_eq(outputs_to(r, RIG_MIX), 0);
	press_on(r, RIG_DESK, RIG_SCENE);
	look_at_row(r, "-DEC");
	press_on(r, RIG_DESK, RIG_LOST);
	offer_input(r, 1);
	look_at_row(r, "ABDC");
	rig_free(r);
}
END_TEST

START_TEST(renamed_item_keeps_its_place_and_a_new_one_comes_last)
{
	struct rig *r = bank_rig(NULL, 0);
	offer(r, IN_LEVEL + 1, "in/B/level", BH_FLOAT, BH_DIR_TOMBSTONE, 0xffffffff);
	offer(r, IN_LEVEL + 1, "in/Z/level", BH_FLOAT, 0, IN_LEVEL + 1);
	ck_assert_str_eq(row_of(r), "AZDC");
	offer(r, 40, "in/1/level", BH_FLOAT, 0, 0xffffffff);
	set_room(r, BANK_ROW, 5);
	ck_assert_str_eq(row_of(r), "GH1C");
	rig_free(r);
}
END_TEST

START_TEST(bank_by_name_is_sorted)
{
	struct rig *r = bank_rig(NULL, BH_BANKF_BY_NAME);
	offer(r, 40, "in/1/level", BH_FLOAT, 0, 0xffffffff);
	ck_assert_str_eq(row_of(r), "1ABC");
	rig_free(r);
}
END_TEST

START_TEST(bank_of_a_list_shows_the_list)
{
	struct rig *r = bank_rig("H|G|C|A", 0);
	look_at_row(r, "HGAC");
	press_on(r, RIG_DESK, RIG_F1);
	look_at_row(r, "HGAC");
	rig_free(r);
}
END_TEST

START_TEST(bank_goes_on_over_restarts_reloads_and_a_directory_begun_anew)
{
	struct rig *r = bank_rig(NULL, 0);
	press_on(r, RIG_DESK, RIG_F1);
	bank_restart(r);
	look_at_row(r, "EFGC");
	rig_clear(r);
	rig_begin(r);
	bh_core_directory_reset(r->core, RIG_MIX);
	rig_end(r);
	ck_assert_str_eq(row_of(r), "----");
	rig_directory(r);
	for (unsigned k = INPUTS; k-- > 0;)
		offer_input(r, k);
	look_at_row(r, "EFGC");
	rig_reconfigure(r, bank_config(NULL, 0));
	for (unsigned k = 0; k < INPUTS; k++)
		offer_input(r, k);
	look_at_row(r, "EFGC");
	rig_free(r);
}
END_TEST

START_TEST(fader_held_while_its_bank_moves_keeps_its_item_also_for_a_successor)
{
	struct rig *r = bank_rig(NULL, 0);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.4);
	press_on(r, RIG_DESK, RIG_F1);
	desk_move(r, RIG_FADER1, 0.41);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL), 2);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL + 4), 0);
	ck_assert_str_eq(row_of(r), "EFGC");
	set_room(r, 0, 0); /* another page meanwhile, and back */
	set_room(r, BANK_ROW, 1);
	set_room(r, 0, 1);
	ck_assert_str_eq(row_of(r), "BDEC");
	desk_move(r, RIG_FADER1, 0.42);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL), 3);
	bank_restart(r);
	desk_move(r, RIG_FADER1, 0.43);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL), 4);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL + 1), 0);
	desk_touch(r, RIG_FADER1, false);
	rig_advance(r, 1000);
	ck_assert_double_eq_tol(told(r, RIG_DESK, RIG_FADER1)->told.f, fader_at(-2), 1e-9);
	desk_touch(r, RIG_FADER1, true);
	desk_move(r, RIG_FADER1, 0.5);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL + 1), 1);
	ck_assert_uint_eq(sent_count(r, IN_LEVEL), 4);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------------ against a model */

/* What an operator would draw on paper: pages, one layer, a bank, two desks with pages of their own. */
struct model {
	unsigned page[2], back[2];
	bool shift, has_back[2];
	double level[3], room; /* ch1 to ch3, "room" */
	bool muted, recording;
};

static uint64_t random_state;

static unsigned
dice(unsigned sides)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(random_state >> 33) % sides;
}

static void
model_turn(struct model *m, unsigned g, unsigned to)
{
	if (to == m->page[g])
		return;
	m->back[g] = m->page[g];
	m->has_back[g] = true;
	m->page[g] = to;
}

/* Position of fader 1, of page n: see desk_page(). Talk has Base's. */
static double
model_fader1(const struct model *m, unsigned n)
{
	if (m->shift && n == 1)
		return m->room / 100;
	return fader_at(m->level[n == 2 ? 0 : n % 3]);
}

static void
look_at_model(struct rig *r, const struct model *m)
{
	static const char *const names[] = {"Base", "Mix", "Talk", "Four", "Five", "Six", "Seven", "Eight", "Nine"};
	for (unsigned g = 0; g < 2; g++) {
		uint16_t slot = g ? DESK2 : RIG_DESK;
		unsigned n = m->page[g];
		ck_assert_int_eq(room_number(r, g ? ROW_PAGE2 : ROW_PAGE), n);
		ck_assert_str_eq(told(r, slot, RIG_DIGITS)->text, n == 2 ? "Talk" : names[n]);
		ck_assert_double_eq_tol(told(r, slot, RIG_FADER1)->told.f, model_fader1(m, n), 1e-3);
		ck_assert_double_eq_tol(told(r, slot, RIG_FADER2)->told.f, fader_at(m->level[1]), 1e-3);
		/* Base, and what inherits from it, have a mute key, with another light on the layer. */
		const struct bh_rec_control *mute = told(r, slot, RIG_MUTE);
		if (n <= 2)
			ck_assert_int_eq(mute->told.i, (m->shift ? m->recording : m->muted) ? BH_LIGHT_ON : BH_LIGHT_OFF);
		else
			ck_assert_uint_eq(mute->told_type, BH_NONE);
		ck_assert_int_eq(told(r, slot, RIG_F1)->told.i, m->shift && m->muted ? BH_LIGHT_ON : BH_LIGHT_OFF);
		ck_assert_int_eq(told(r, slot, RIG_F2)->told.i, n == 8 ? BH_LIGHT_ON : BH_LIGHT_OFF);
		ck_assert_int_eq(told(r, slot, RIG_SCENE)->told.i, m->shift ? BH_LIGHT_ON : BH_LIGHT_OFF);
	}
}

static void
random_step(struct rig *r, struct model *m)
{
	unsigned g = dice(2), k = dice(3);
	uint16_t slot = g ? DESK2 : RIG_DESK;
	static const unsigned levels[] = {RIG_LEVEL1, RIG_LEVEL2, RIG_LEVEL3};
	switch (dice(9)) {
	case 0: /* on the layer it is a mute key */
		press_on(r, slot, RIG_F1);
		if (!m->shift)
			model_turn(m, g, (m->page[g] + 1) % 9);
		else
			m->muted = !m->muted;
		break;
	case 1:
		press_on(r, slot, RIG_TOUCH1);
		model_turn(m, g, (m->page[g] + 8) % 9);
		break;
	case 2:
		press_on(r, slot, RIG_F2);
		model_turn(m, g, 8);
		break;
	case 3:
		press_on(r, slot, RIG_PLAY);
		if (m->has_back[g])
			model_turn(m, g, m->back[g]);
		break;
	case 4:
		press_on(r, slot, RIG_SCENE);
		m->shift = !m->shift;
		break;
	case 5:
		m->level[k] = -(double)dice(60);
		mix_report(r, levels[k], m->level[k]);
		break;
	case 6:
		m->room = dice(101);
		mix_report(r, RIG_ROOM, m->room);
		break;
	case 7:
		m->recording = dice(2);
		mix_report(r, RIG_RECORDING, m->recording);
		break;
	case 8:
		m->muted = dice(2);
		mix_report(r, RIG_MUTED, m->muted);
		break;
	}
	rig_advance(r, 2000);
	/* A backend that says what it was told. */
	mix_report(r, RIG_MUTED, m->muted);
}

START_TEST(random_steps_over_pages_layers_and_two_desks_show_what_a_model_says)
{
	const char *given = getenv("BH_SEED"), *steps = getenv("BH_STEPS");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	unsigned count = steps ? (unsigned)atoi(steps) : 20000;
	struct rig *r = two_desks();
	struct model m = {.page = {1, 2}, .level = {-10, -20, -30}, .room = 50};
	random_state = seed;
	printf("seed %llu (BH_SEED sets it)\n", (unsigned long long)seed);
	fflush(stdout);
	for (unsigned k = 0; k < count; k++) {
		random_step(r, &m);
		look_at_model(r, &m);
		if (k % 8 == 0) {
			/* A successor has nothing to say: the picture is there. */
			rig_clear(r);
			rig_restart(r);
			ck_assert_uint_eq(outputs_to(r, RIG_DESK) + outputs_to(r, DESK2), 0);
			look_at_model(r, &m);
		}
		rig_clear(r);
	}
	rig_free(r);
}
END_TEST

/* What each control of both desks is told: the picture. */
static uint64_t
picture(struct rig *r)
{
	uint64_t h = 1469598103934665603ull;
	for (unsigned k = 0; k < 2 * RIG_CTLS; k++) {
		const struct bh_rec_control *c = told(r, k & 1 ? DESK2 : RIG_DESK, k / 2);
		bool text = c->kind == BH_CTL_STRIP || c->kind == BH_CTL_DIGITS;
		const uint8_t *bytes = text ? (const uint8_t *)c->text : (const uint8_t *)&c->told;
		for (unsigned n = 0; n < (text ? sizeof(c->text) : sizeof(c->told)) && c->told_type != BH_NONE; n++)
			h = (h ^ bytes[n]) * 1099511628211ull;
		h = (h ^ c->told_type) * 1099511628211ull;
	}
	return h;
}

START_TEST(page_layer_or_bank_there_and_back_changes_nothing)
{
	struct rig *r = two_desks();
	uint64_t before = picture(r);
	for (unsigned n = 0; n < 9; n++) {
		set_room(r, ROW_PAGE, n);
		set_room(r, ROW_SHIFT, 1);
		set_room(r, ROW_SHIFT, 0);
		set_room(r, ROW_PAGE, 1);
		ck_assert(picture(r) == before);
	}
	ck_assert_uint_eq(outputs_to(r, RIG_MIX), 0);
	rig_free(r);
	r = bank_rig(NULL, 0);
	before = picture(r);
	for (unsigned n = 0; n < 9; n++) {
		set_room(r, BANK_ROW, n);
		set_room(r, 0, 2);
		set_room(r, BANK_ROW, 0);
		set_room(r, 0, 1);
		ck_assert(picture(r) == before);
	}
	ck_assert_uint_eq(outputs_to(r, RIG_MIX), 0);
	rig_free(r);
}
END_TEST

START_TEST(random_steps_over_a_bank_show_what_a_model_says)
{
	const char *given = getenv("BH_SEED"), *steps = getenv("BH_STEPS");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
	unsigned count = steps ? (unsigned)atoi(steps) : 20000;
	static const char flow[] = "ABDEFGH"; /* C is pinned */
	struct rig *r = bank_rig(NULL, 0);
	bool there[INPUTS] = {1, 1, 1, 1, 1, 1, 1, 1};
	int first = 0;
	random_state = seed;
	printf("seed %llu (BH_SEED sets it)\n", (unsigned long long)seed);
	fflush(stdout);
	for (unsigned k = 0; k < count; k++) {
		static const struct {
			unsigned key;
			int by;
		} keys[] = {{RIG_F1, 3}, {RIG_F2, -3}, {RIG_SCENE, 1}, {RIG_LOST, -1}, {RIG_PLAY, -99}};
		unsigned what = dice(8), item = dice(INPUTS);
		char want[5] = "---", name[32];
		if (what < 5) {
			press_on(r, RIG_DESK, keys[what].key);
			first += keys[what].by;
			first = first < 0 ? 0 : first > 4 ? 4 : first;
		} else if (what == 5) {
			snprintf(name, sizeof(name), "in/%c/level", 'A' + item);
			if (there[item])
				offer(r, IN_LEVEL + item, name, BH_FLOAT, BH_DIR_TOMBSTONE, 0xffffffff);
			else
				offer(r, IN_LEVEL + item, name, BH_FLOAT, 0, 0xffffffff);
			there[item] = !there[item];
		} else if (what == 6) {
			set_room(r, 0, 2 - dice(2)); /* both pages have the bank */
		} else {
			rig_restart(r);
			for (unsigned n = 0; n < INPUTS; n++) {
				/* The directory is append-only: what is gone was there. */
				offer_input(r, n);
				snprintf(name, sizeof(name), "in/%c/level", 'A' + n);
				if (!there[n])
					offer(r, IN_LEVEL + n, name, BH_FLOAT, BH_DIR_TOMBSTONE, 0xffffffff);
			}
		}
		rig_advance(r, 1000);
		for (unsigned n = 0; n < 3; n++)
			want[n] = there[flow[(unsigned)first + n] - 'A'] ? flow[(unsigned)first + n] : '-';
		want[3] = there[2] ? 'C' : '-';
		want[4] = '\0';
		look_at_row(r, want);
		rig_clear(r);
	}
	rig_free(r);
}
END_TEST

int
main(void)
{
	const TTest *const room_tests[] = {
		first_start_shows_the_pages_and_values_that_the_configuration_says,
		room_parameter_is_carried_out_and_confirmed_at_once_and_sent_to_nobody,
		strip_that_shows_a_variable_follows_it,
		page_parameter_follows_the_keys_of_its_own_desk,
		room_goes_on_over_a_reload_by_name_though_rows_and_choices_move,
		variable_whose_choice_is_gone_takes_its_default,
		store_brings_back_what_the_room_was_but_no_pressed_key,
		room_is_listed_for_other_processes_as_a_directory,
	};
	const TTest *const page_tests[] = {
		more_than_eight_pages_wrap_around_both_ways,
		page_back_is_the_one_shown_before_also_for_a_successor,
		page_is_turned_by_request_for_one_surface_or_for_the_room,
		two_quick_presses_of_a_page_key_are_two_pages,
		page_has_what_it_inherits_where_it_has_nothing_of_its_own,
		turning_a_page_touches_only_what_differs,
		layer_shows_its_own_controls_and_leaves_the_others,
		layer_goes_on_over_a_page_switch_and_a_restart_of_the_router,
		fader_held_while_a_layer_goes_on_and_off_keeps_what_it_was_grabbed_with,
		fader_moved_on_one_desk_is_followed_by_the_other,
		two_hands_on_the_same_parameter_last_writer_wins_and_no_motor_fights,
	};
	const TTest *const bank_tests[] = {
		bank_shows_what_the_backend_offers_with_pins_over_two_surfaces,
		bank_and_channel_keys_move_by_the_free_places_or_by_one_and_stop_at_the_ends,
		bank_key_touches_only_what_differs_and_never_the_pinned_strip,
		fader_of_a_bank_moves_the_item_that_its_strip_names,
		item_that_is_gone_leaves_its_place_blank_and_has_it_again_when_it_is_back,
		renamed_item_keeps_its_place_and_a_new_one_comes_last,
		bank_by_name_is_sorted,
		bank_of_a_list_shows_the_list,
		bank_goes_on_over_restarts_reloads_and_a_directory_begun_anew,
		fader_held_while_its_bank_moves_keeps_its_item_also_for_a_successor,
	};
	const TTest *const model_tests[] = {
		random_steps_over_pages_layers_and_two_desks_show_what_a_model_says,
		page_layer_or_bank_there_and_back_changes_nothing,
		random_steps_over_a_bank_show_what_a_model_says,
	};
	Suite *s = suite_create("core_pages");
	TCase *t = tcase_create("room");
	for (unsigned k = 0; k < sizeof(room_tests) / sizeof(room_tests[0]); k++)
		tcase_add_test(t, room_tests[k]);
	suite_add_tcase(s, t);
	t = tcase_create("pages");
	for (unsigned k = 0; k < sizeof(page_tests) / sizeof(page_tests[0]); k++)
		tcase_add_test(t, page_tests[k]);
	suite_add_tcase(s, t);
	t = tcase_create("banks");
	for (unsigned k = 0; k < sizeof(bank_tests) / sizeof(bank_tests[0]); k++)
		tcase_add_test(t, bank_tests[k]);
	suite_add_tcase(s, t);
	t = tcase_create("model");
	tcase_set_timeout(t, 300);
	for (unsigned k = 0; k < sizeof(model_tests) / sizeof(model_tests[0]); k++)
		tcase_add_test(t, model_tests[k]);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
