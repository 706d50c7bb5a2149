/* stage.c - see stage.h */
#include "tests/lib/stage.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "common/request.h"
#include "procs/config/compile.h"
#include "procs/router/core.h"

#define MS 1000000ull
#define RECORDS 8192u
#define PARAMS 256u
#define LOG 4096u

struct stage_param {
	uint16_t slot;
	struct bh_dir_record dir;
	char choices[512];
	size_t choices_len;
	uint32_t gen;
	bool gone;
};

struct stage {
	struct bh_core *core;
	struct bh_config config;
	struct bh_tx tx;
	uint64_t now_ns, generation;
	struct stage_param param[PARAMS];
	unsigned params;
	uint32_t gen[BH_MAX_SLOTS][BH_MAX_CONTROLS], total[BH_MAX_SLOTS][BH_MAX_CONTROLS];
	uint32_t request;
	struct bh_journal_output log[LOG];
	unsigned logged;
	char done[8192], words[128];
};

static const struct bh_core_options windows = {
	.hand_ms = 300, .settle_ms = 90, .echo_ms = 250, .motor_ms = 250, .flash_ms = 1000, .press_age_ms = 1000,
	.overlay_ms = 1500};

/* ------------------------------------------------------------------ configuration */

static void
compile(struct stage *s, const char *yaml)
{
	struct arena arena = {0};
	struct report report = {.arena = &arena};
	struct catalog catalog = {.arena = &arena, .report = &report};
	struct compiled tables;
	char data[512];
	ck_assert_int_eq(bh_path_data(data, sizeof(data), "kinds"), 0);
	*strrchr(data, '/') = '\0';
	ck_assert_int_eq(catalog_load(&catalog, data), 0);
	struct compile_env env = {.catalog = &catalog, .path = "stage.yaml", .folder = "/", .generation = ++s->generation,
				  .previous = s->config.head ? &s->config : NULL, .program = bh_path_program,
				  .runtime = bh_path_runtime, .state = bh_path_state};
	int r = bh_config_compile(yaml, strlen(yaml), &env, &arena, &report, &tables);
	if (report.count)
		report_print(&report, stderr);
	ck_assert_msg(r == 0, "the configuration does not compile");
	int fd = bh_config_writer_finish(tables.common, "stage", "stage.yaml", s->generation);
	ck_assert_int_ge(fd, 0);
	compiled_fini(&tables);
	arena_free(&arena);
	struct bh_config old = s->config;
	char why[96] = "";
	ck_assert_int_eq(bh_config_map(&s->config, fd), 0);
	close(fd);
	ck_assert_msg(bh_core_config(s->core, &s->config, &windows, why, sizeof(why)) == 0, "%s", why);
	bh_config_unmap(&old);
}

static void
begin_at(struct stage *s, uint64_t ns)
{
	for (unsigned k = 0; k < BH_MAX_SLOTS; k++)
		s->tx.room[k] = 1024;
	s->tx.bytes = 65536;
	bh_core_begin(s->core, &s->tx, ns);
}

static void
begin(struct stage *s)
{
	begin_at(s, s->now_ns);
}

static void
collect(struct stage *s)
{
	for (uint32_t k = 0; k < s->tx.outputs && s->logged < LOG; k++)
		s->log[s->logged++] = s->tx.output[k];
}

static void
end(struct stage *s)
{
	bh_core_end(s->core);
	collect(s);
	for (unsigned k = 0; bh_core_is_pending(s->core); k++) {
		ck_assert_uint_lt(k, 10000);
		begin(s);
		bh_core_end(s->core);
		collect(s);
	}
}

static void
tell_param(struct stage *s, struct stage_param *p)
{
	if (p->gone)
		return;
	begin(s);
	ck_assert_int_eq(bh_core_directory(s->core, p->slot, &p->dir, p->choices_len ? p->choices : NULL, p->choices_len), 0);
	end(s);
}

static void
adopt(struct stage *s)
{
	begin(s);
	bh_core_adopt(s->core);
	end(s);
	for (unsigned k = 0; k < s->params; k++)
		tell_param(s, &s->param[k]);
	bh_core_settled(s->core);
	begin(s);
	end(s);
}

static void
all_up(struct stage *s)
{
	for (uint32_t k = 0; k < bh_config_count(&s->config, BH_TAB_PROCS); k++) {
		const struct bh_cfg_proc *p = bh_config_row(&s->config, BH_TAB_PROCS, k);
		if (p->role == BH_ROLE_DRIVER)
			stage_health(s, bh_config_str(&s->config, p->name), BH_HEALTH_OK);
	}
}

struct stage *
stage_new(const char *yaml)
{
	struct stage *s = calloc(1, sizeof(*s));
	s->now_ns = 1000000 * MS;
	ck_assert_int_eq(bh_core_new(&s->core, RECORDS), 0);
	ck_assert_int_eq(bh_tx_init(&s->tx, 65536), 0);
	compile(s, yaml);
	adopt(s);
	all_up(s);
	stage_advance(s, 2000);
	stage_clear(s);
	return s;
}

void
stage_free(struct stage *s)
{
	bh_core_free(s->core);
	bh_tx_fini(&s->tx);
	bh_config_unmap(&s->config);
	free(s);
}

void
stage_restart(struct stage *s)
{
	struct bh_core *next;
	char why[96];
	ck_assert_int_eq(bh_core_new(&next, RECORDS), 0);
	for (uint32_t k = 0; k < RECORDS; k++) {
		uint32_t gen;
		const void *data = bh_core_record(s->core, k, &gen);
		if (data)
			bh_core_load(next, k, gen, data);
	}
	bh_core_free(s->core);
	s->core = next;
	ck_assert_int_eq(bh_core_config(s->core, &s->config, &windows, why, sizeof(why)), 0);
	adopt(s);
}

void
stage_reload(struct stage *s, const char *yaml)
{
	compile(s, yaml);
	adopt(s);
	all_up(s);
}

/* ------------------------------------------------------------------ names */

static uint16_t
slot_of(struct stage *s, const char *name, size_t len)
{
	char proc[64];
	snprintf(proc, sizeof(proc), "%.*s", (int)len, name);
	const struct bh_cfg_proc *p = bh_config_find_proc(&s->config, proc);
	ck_assert_msg(p != NULL, "there is no process \"%s\"", proc);
	return p->slot;
}

static bool
is_room(const char *name)
{
	return strncmp(name, "room/", 5) == 0;
}

/* Number of a row of the room, by its name. */
static uint32_t
room_row(struct stage *s, const char *name)
{
	for (uint32_t k = 0; k < bh_config_count(&s->config, BH_TAB_ROOM); k++) {
		const struct bh_cfg_room *row = bh_config_row(&s->config, BH_TAB_ROOM, k);
		if (strcmp(bh_config_str(&s->config, row->name), name + 5) == 0)
			return k;
	}
	ck_abort_msg("there is no %s", name);
	return 0;
}

static struct stage_param *
find_param(struct stage *s, const char *name)
{
	const char *slash = strchr(name, '/');
	ck_assert_ptr_nonnull(slash);
	uint16_t slot = slot_of(s, name, (size_t)(slash - name));
	for (unsigned k = 0; k < s->params; k++)
		if (s->param[k].slot == slot && strcmp(s->param[k].dir.name, slash + 1) == 0)
			return &s->param[k];
	return NULL;
}

static struct stage_param *
param(struct stage *s, const char *name)
{
	if (!find_param(s, name))
		stage_param(s, name, BH_FLOAT, 0, 1, NULL);
	return find_param(s, name);
}

void
stage_param(struct stage *s, const char *name, enum bh_type type, double min, double max, const char *choices)
{
	const char *slash = strchr(name, '/');
	struct stage_param *p = find_param(s, name);
	uint32_t index = 0;
	ck_assert_ptr_nonnull(slash);
	uint16_t slot = slot_of(s, name, (size_t)(slash - name));
	for (unsigned k = 0; k < s->params; k++)
		index += s->param[k].slot == slot;
	if (!p) {
		ck_assert_uint_lt(s->params, PARAMS);
		p = &s->param[s->params++];
		p->dir.index = index;
	}
	uint32_t gen = p->dir.gen + 1, at = p->dir.index;
	p->slot = slot;
	p->gone = false;
	p->dir = (struct bh_dir_record){.index = at, .gen = gen, .type = (uint8_t)type, .access = 3, .was = 0xffffffff, .min = min,
					.max = max, .def = min};
	snprintf(p->dir.name, sizeof(p->dir.name), "%s", slash + 1);
	p->choices_len = 0;
	if (choices) {
		p->choices_len = (size_t)snprintf(p->choices, sizeof(p->choices), "%s", choices) + 1;
		p->dir.choices = 1;
		for (char *c = p->choices; *c; c++) {
			if (*c != '|')
				continue;
			*c = '\0';
			p->dir.choices++;
		}
	}
	tell_param(s, p);
}

void
stage_remove(struct stage *s, const char *name)
{
	struct stage_param *p = param(s, name);
	p->dir.flags = BH_DIR_TOMBSTONE;
	p->dir.gen++;
	tell_param(s, p);
	p->gone = true;
	p->dir.flags = 0;
}

struct where {
	uint16_t slot;
	unsigned index;
};

static struct where
control(struct stage *s, const char *name)
{
	const char *slash = strchr(name, '/');
	for (uint32_t k = 0; k < bh_config_count(&s->config, BH_TAB_SURFACES); k++) {
		const struct bh_cfg_surface *sf = bh_config_row(&s->config, BH_TAB_SURFACES, k);
		if (slash && sf->slot != slot_of(s, name, (size_t)(slash - name)))
			continue;
		int n = bh_config_find_control(&s->config, sf, slash ? slash + 1 : name);
		if (n >= 0)
			return (struct where){sf->slot, (unsigned)n};
	}
	ck_abort_msg("there is no control \"%s\"", name);
	return (struct where){0, 0};
}

/* ------------------------------------------------------------------ backends */

static void
event(struct stage *s, uint16_t from, struct bh_event ev)
{
	ev.stamp_ns = s->now_ns;
	begin(s);
	bh_core_event(s->core, from, &ev, NULL, 0);
	end(s);
}

void
stage_report(struct stage *s, const char *name, double x)
{
	struct stage_param *p = param(s, name);
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = p->dir.type, .id = p->dir.index, .gen = ++p->gen};
	if (ev.type == BH_FLOAT)
		ev.v.f = x;
	else
		ev.v.i = (int64_t)x;
	event(s, p->slot, ev);
}

void
stage_health(struct stage *s, const char *driver, enum bh_health h)
{
	event(s, BH_SLOT_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = slot_of(s, driver, strlen(driver)), .v.i = h});
}

static const struct bh_rec_param *
param_record(struct stage *s, const char *name)
{
	uint32_t gen, index = is_room(name) ? room_row(s, name) : param(s, name)->dir.index;
	uint16_t slot = is_room(name) ? BH_SLOT_ROUTER : param(s, name)->slot;
	const struct bh_cfg_proc *row = bh_config_proc(&s->config, slot);
	ck_assert_ptr_nonnull(row);
	return bh_core_record(s->core, row->record_base + index, &gen);
}

double
stage_value(struct stage *s, const char *name)
{
	const struct bh_rec_param *r = param_record(s, name);
	union bh_val v;
	enum bh_type t = r ? bh_param_newest(r, &v, NULL) : BH_NONE;
	return t == BH_NONE || t == BH_TEXT ? (double)NAN : t == BH_FLOAT ? v.f : (double)v.i;
}

const char *
stage_words(struct stage *s, const char *name)
{
	const struct bh_rec_param *r = param_record(s, name);
	union bh_val v;
	enum bh_type t = r ? bh_param_newest(r, &v, NULL) : BH_NONE;
	snprintf(s->words, sizeof(s->words), "%s", t == BH_TEXT ? v.s : "");
	if (t != BH_ENUM || !is_room(name))
		return s->words;
	const struct bh_cfg_room *row = bh_config_row(&s->config, BH_TAB_ROOM, room_row(s, name));
	const char *c = bh_config_str(&s->config, row->choices);
	for (int64_t k = 0; k < v.i; k++)
		c += strlen(c) + 1;
	snprintf(s->words, sizeof(s->words), "%s", c);
	return s->words;
}

static void
set(struct stage *s, const char *name, enum bh_type type, double x, const char *text)
{
	struct bh_request_args a = {.slot = is_room(name) ? BH_SLOT_ROUTER : param(s, name)->slot, .type = (uint8_t)type,
				    .index = is_room(name) ? room_row(s, name) : param(s, name)->dir.index};
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = BH_REQ_SET, .total = ++s->request, .stamp_ns = s->now_ns};
	if (text)
		snprintf(a.v.s, sizeof(a.v.s), "%s", text);
	else if (type == BH_FLOAT)
		a.v.f = x;
	begin(s);
	bh_core_event(s->core, BH_SLOT_CONTROL, &ev, &a, sizeof(a));
	end(s);
}

void
stage_set(struct stage *s, const char *name, double x)
{
	set(s, name, BH_FLOAT, x, NULL);
}

void
stage_set_text(struct stage *s, const char *name, const char *text)
{
	set(s, name, BH_TEXT, 0, text);
}

/* ------------------------------------------------------------------ hands */

static void
hand(struct stage *s, const char *name, struct bh_event ev)
{
	struct where c = control(s, name);
	ev.id = c.index;
	if (ev.kind != BH_EV_PRESS)
		ev.gen = ++s->gen[c.slot][c.index];
	if (ev.kind == BH_EV_RELATIVE)
		ev.total = s->total[c.slot][c.index] += (uint32_t)ev.v.i;
	event(s, c.slot, ev);
}

void
stage_press(struct stage *s, const char *button)
{
	hand(s, button, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .v.i = 1});
}

void
stage_release(struct stage *s, const char *button)
{
	hand(s, button, (struct bh_event){.kind = BH_EV_RELEASE, .type = BH_BOOL});
}

void
stage_tap(struct stage *s, const char *button)
{
	stage_press(s, button);
	stage_release(s, button);
}

void
stage_touch(struct stage *s, const char *fader, bool on)
{
	hand(s, fader, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .v.i = on});
}

void
stage_move(struct stage *s, const char *fader, double pos)
{
	const struct bh_rec_control *r = stage_control(s, fader);
	if (r->kind == BH_CTL_FADER && !(r->flags & BH_CTRL_TOUCHED))
		stage_touch(s, fader, true);
	hand(s, fader, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .v.f = pos});
}

void
stage_turn(struct stage *s, const char *wheel, int ticks)
{
	hand(s, wheel, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .v.i = ticks});
}

void
stage_advance(struct stage *s, unsigned ms)
{
	uint64_t until = s->now_ns + ms * MS;
	for (;;) {
		uint64_t due = bh_core_deadline(s->core);
		if (!due || due > until)
			break;
		if (due > s->now_ns)
			s->now_ns = due;
		begin_at(s, due);
		bh_core_timers(s->core, s->now_ns);
		end(s);
	}
	s->now_ns = until;
}

void
stage_skip(struct stage *s, unsigned ms)
{
	s->now_ns += ms * MS;
}

uint64_t
stage_now(const struct stage *s)
{
	return s->now_ns;
}

/* ------------------------------------------------------------------ what came of it */

void
stage_clear(struct stage *s)
{
	s->logged = 0;
}

double
stage_sent(struct stage *s, const char *name)
{
	const struct stage_param *p = param(s, name);
	double x = NAN;
	for (unsigned k = 0; k < s->logged; k++) {
		const struct bh_journal_output *o = &s->log[k];
		if (o->slot == p->slot && o->ev.kind == BH_EV_VALUE && o->ev.id == p->dir.index)
			x = o->ev.type == BH_FLOAT ? o->v.f : (double)o->v.i;
	}
	return x;
}

unsigned
stage_sent_count(struct stage *s, const char *name)
{
	const struct stage_param *p = param(s, name);
	unsigned n = 0;
	for (unsigned k = 0; k < s->logged; k++)
		n += s->log[k].slot == p->slot && s->log[k].ev.kind == BH_EV_VALUE && s->log[k].ev.id == p->dir.index;
	return n;
}

static const char *
action_name(struct stage *s, const struct bh_cfg_proc *p, uint32_t index)
{
	for (uint32_t k = 0; k < bh_config_count(&s->config, BH_TAB_ACTIONS); k++) {
		const struct bh_cfg_action *a = bh_config_row(&s->config, BH_TAB_ACTIONS, k);
		if (a->index == index && strcmp(bh_config_str(&s->config, a->kind), bh_config_str(&s->config, p->kind)) == 0)
			return bh_config_str(&s->config, a->name);
	}
	return "?";
}

const char *
stage_done(struct stage *s)
{
	size_t n = 0;
	s->done[0] = '\0';
	for (unsigned k = 0; k < s->logged; k++) {
		const struct bh_journal_output *o = &s->log[k];
		const struct bh_cfg_proc *p = bh_config_proc(&s->config, o->slot);
		if (o->ev.kind != BH_EV_ACTION || !(o->flags & BH_OUT_PUSH))
			continue;
		n += (size_t)snprintf(s->done + n, sizeof(s->done) - n, "%s%s/%s(", n ? " " : "", bh_config_str(&s->config, p->name),
				      action_name(s, p, o->ev.id));
		size_t len = o->cell_flags < sizeof(o->v) ? o->cell_flags : sizeof(o->v);
		for (size_t i = 0; i + 1 < len; i++)
			n += (size_t)snprintf(s->done + n, sizeof(s->done) - n, "%c", o->v.s[i] ? o->v.s[i] : ',');
		n += (size_t)snprintf(s->done + n, sizeof(s->done) - n, ")");
		ck_assert_uint_lt(n, sizeof(s->done) - 200);
	}
	return s->done;
}

unsigned
stage_told_count(struct stage *s, const char *name)
{
	struct where c = control(s, name);
	unsigned n = 0;
	for (unsigned k = 0; k < s->logged; k++)
		n += s->log[k].slot == c.slot && (s->log[k].ev.kind == BH_EV_VALUE || s->log[k].ev.kind == BH_EV_METER) &&
		     s->log[k].ev.id == c.index;
	return n;
}

const struct bh_rec_control *
stage_control(struct stage *s, const char *name)
{
	struct where c = control(s, name);
	uint32_t gen;
	return bh_core_record(s->core, bh_config_proc(&s->config, c.slot)->record_base + c.index, &gen);
}

int64_t
stage_shown(struct stage *s, const char *name)
{
	return stage_control(s, name)->told.i;
}

double
stage_motor(struct stage *s, const char *name)
{
	return stage_control(s, name)->told.f;
}

const char *
stage_text(struct stage *s, const char *name)
{
	return stage_control(s, name)->text;
}
