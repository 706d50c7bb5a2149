/*
 * bench_router_cost - what an event costs the router's core, in instructions, with many pages and bindings against few
 *
 * Exact, and the same on every machine: a traced child goes through a fixed scene one instruction at a time. 64 pages of 512 bindings
 * may cost at most 1.1 times as much as one page of 16. And each kind of input alone: at most 2,000 for it and for each output that it
 * causes; the plan of a page switch, before anything of it is rendered, at most 200,000.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/harness.h"
#include "tests/lib/core_rig.h"

#define EVENTS 30

static void
scene(struct rig *r)
{
	for (int k = 0; k < EVENTS / 6; k++) {
		desk_touch(r, RIG_FADER1, true);
		desk_move(r, RIG_FADER1, 0.1 * k);
		mix_report(r, RIG_LEVEL1, sent_last(r, RIG_LEVEL1)->v.f);
		desk_touch(r, RIG_FADER1, false);
		desk_press(r, RIG_MUTE);
		desk_turn(r, RIG_VPOT, 1);
	}
}

static void
child(unsigned pages, unsigned per_page)
{
	struct rig *r = rig_new_with(rig_large_config(pages, per_page), true);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_LEVEL1, -10);
	scene(r); /* once before: what is touched for the first time costs page faults, not instructions, but also caches of libc */
	rig_clear(r);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	raise(SIGSTOP);
	scene(r);
	raise(SIGSTOP);
	_exit(0);
}

/* Instructions from the first stop to the second, or -errno. */
static long
instructions(unsigned pages, unsigned per_page)
{
	int status;
	long n = 0;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(pages, per_page);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -ECHILD;
	do {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
			return -errno;
		n++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	bool reached = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return reached ? n : -ECHILD;
}

START_TEST(cost_in_instructions_does_not_grow_with_pages_and_bindings)
{
	long few = instructions(1, 16), many = instructions(64, 512);
	ck_assert_msg(few > 0 && many > 0, "cannot count instructions (%ld, %ld)", few, many);
	bench_print("router_cost", "figure", "1x16: %ld instructions an event", few / EVENTS);
	bench_print("router_cost", "figure", "64x512: %ld instructions an event", many / EVENTS);
	bench_print("router_cost", "bar", "instructions: %.3f <= 1.10 %s", (double)many / (double)few,
	       (double)many <= 1.1 * (double)few ? "met" : "missed");
	/* a count, not a time: it must hold */
	ck_assert(many * 10 <= few * 11);
}
END_TEST

/* ------------------------------------------------------------------ each kind of input alone */

enum what { EVENT, TIMER, PLAN, NOTHING };

static const struct probe {
	const char *name;
	enum what what;
	uint16_t from;
	uint8_t kind, type;
	uint32_t id;
	double f; /* of a FLOAT; else */
	int64_t i;
	unsigned wait_ms; /* before it */
} probes[] = {
	{.name = "nothing", .what = NOTHING},
	{"fader touched", EVENT, RIG_DESK, BH_EV_TOUCH, BH_BOOL, RIG_FADER1, 0, 1, 0},
	{"fader moved", EVENT, RIG_DESK, BH_EV_VALUE, BH_FLOAT, RIG_FADER1, 0.31, 0, 0},
	{"fader moved again", EVENT, RIG_DESK, BH_EV_VALUE, BH_FLOAT, RIG_FADER1, 0.57, 0, 0},
	{"its echo", EVENT, RIG_MIX, BH_EV_VALUE, BH_FLOAT, RIG_LEVEL1, -9, 0, 0},
	{"fader released", EVENT, RIG_DESK, BH_EV_TOUCH, BH_BOOL, RIG_FADER1, 0, 0, 0},
	{"motor set", TIMER, 0, 0, 0, 0, 0, 0, 0},
	{"fader with a curve", EVENT, RIG_DESK, BH_EV_VALUE, BH_FLOAT, RIG_FADER2, 0.4, 0, 3000},
	{"fader reported", EVENT, RIG_MIX, BH_EV_VALUE, BH_FLOAT, RIG_LEVEL1, -3, 0, 3000},
	{"pedal with pickup", EVENT, RIG_DESK, BH_EV_VALUE, BH_FLOAT, RIG_PEDAL, 0.05, 0, 0},
	{"pedal across", EVENT, RIG_DESK, BH_EV_VALUE, BH_FLOAT, RIG_PEDAL, 0.9, 0, 0},
	{"switch pressed", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_MUTE, 0, 1, 0},
	{"switch released", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_MUTE, 0, 0, 0},
	{"switch reported", EVENT, RIG_MIX, BH_EV_VALUE, BH_BOOL, RIG_MUTED, 0, 0, 3000},
	{"momentary pressed", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_TOUCH1, 0, 1, 0},
	{"momentary released", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_TOUCH1, 0, 0, 0},
	{"select", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_SCENE, 0, 1, 0},
	{"gesture begun", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_PLAY, 0, 1, 3000},
	{"long press", TIMER, 0, 0, 0, 0, 0, 0, 0},
	{"its release", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_PLAY, 0, 0, 0},
	{"gesture begun again", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_PLAY, 0, 1, 3000},
	{"let go", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_PLAY, 0, 0, 0},
	{"double press", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_PLAY, 0, 1, 0},
	{"its release too", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_PLAY, 0, 0, 0},
	{"and again", EVENT, RIG_DESK, BH_EV_PRESS, BH_BOOL, RIG_PLAY, 0, 1, 3000},
	{"let go again", EVENT, RIG_DESK, BH_EV_RELEASE, BH_BOOL, RIG_PLAY, 0, 0, 0},
	{"action after the window", TIMER, 0, 0, 0, 0, 0, 0, 0},
	{"knob turned", EVENT, RIG_DESK, BH_EV_RELATIVE, BH_INT, RIG_VPOT, 0, 1, 0},
	{"wheel with acceleration", EVENT, RIG_DESK, BH_EV_RELATIVE, BH_INT, RIG_JOG, 0, 1, 20},
	{"wheel again", EVENT, RIG_DESK, BH_EV_RELATIVE, BH_INT, RIG_JOG, 0, -1, 20},
	{"meter", EVENT, RIG_MIX, BH_EV_METER, BH_FLOAT, RIG_PEAK, 0.5, 0, 0},
	{"report that nothing shows", EVENT, RIG_MIX, BH_EV_VALUE, BH_BOOL, RIG_RECORDING, 0, 1, 0},
	{"plan of a page switch", PLAN, 0, 0, 0, 0, 0, 0, 3000},
};
#define PROBES (sizeof(probes) / sizeof(probes[0]))

/* What the child tells. */
static struct said {
	uint32_t outputs[PROBES];
} *said;

static void
probe(struct rig *r, size_t k, bool traced)
{
	const struct probe *p = &probes[k];
	struct bh_event ev = {.kind = p->kind, .type = p->type, .id = p->id};
	struct bh_request_args a = {.v.i = -1};
	rig_advance(r, p->wait_ms);
	if (p->what == TIMER)
		r->now_ns = bh_core_deadline(r->core);
	ev.stamp_ns = r->now_ns;
	if (p->type == BH_FLOAT)
		ev.v.f = p->f * (traced ? 0.9 : 1); /* another one than in the round before */
	else
		ev.v.i = p->i;
	if (p->what == PLAN)
		ev = (struct bh_event){.kind = BH_EV_REQUEST,
				       .id = BH_REQ_PAGE,
				       .total = 1,
				       .stamp_ns = r->now_ns};
	else if (p->kind != BH_EV_PRESS && p->from)
		ev.gen = p->from == RIG_DESK ? ++r->desk_gen[p->id] : ++r->mix_gen[p->id];
	if (p->kind == BH_EV_RELATIVE)
		ev.total = r->total[p->id] += (uint32_t)p->i;
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++)
		r->tx.room[s] = 1024;
	r->tx.bytes = 65536;
	raise(SIGSTOP);
	if (p->what != NOTHING)
		bh_core_begin(r->core, &r->tx, r->now_ns);
	if (p->what == TIMER)
		bh_core_timers(r->core, r->now_ns);
	else if (p->what != NOTHING)
		bh_core_event(r->core, p->what == PLAN ? BH_SLOT_CONTROL : p->from, &ev, &a,
			      sizeof(a));
	if (p->what == PLAN)
		raise(SIGSTOP);
	if (p->what != NOTHING)
		bh_core_end(r->core);
	if (p->what != PLAN)
		raise(SIGSTOP);
	said->outputs[k] = r->tx.outputs;
	rig_begin(r);
	rig_end(r);
	r->logged = 0;
}

static void
probed_child(void)
{
	struct rig *r = rig_new_full(rig_large_config(64, 512));
	for (size_t k = 0; k < PROBES; k++) /* once before, as above */
		if (probes[k].what != PLAN)
			probe(r, k, false);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	rig_advance(r, 5000);
	for (size_t k = 0; k < PROBES; k++)
		probe(r, k, true);
	_exit(0);
}

/* To the child's next stop by itself, one instruction at a time or not. Instructions, or -errno. */
static long
to_next_stop(pid_t pid, enum __ptrace_request how)
{
	int status;
	long n = 0;
	do {
		if (ptrace(how, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
			return -errno;
		n++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP ? n : -ECHILD;
}

START_TEST(each_kind_of_input_stays_within_its_instructions)
{
	int status;
	long nothing = 0;
	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		probed_child();
	/* The rounds before the trace stop it, too. */
	for (size_t k = 0; k < 2 * (PROBES - 1); k++) {
		ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
		ck_assert(WIFSTOPPED(status));
		kill(pid, SIGCONT);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (size_t k = 0; k < PROBES; k++) {
		long n = to_next_stop(pid, PTRACE_SINGLESTEP);
		ck_assert_msg(n > 0, "cannot count instructions (%ld)", n);
		nothing = k ? nothing : n;
		if (k + 1 < PROBES)
			ck_assert_int_gt(to_next_stop(pid, PTRACE_CONT), 0);
		long most = probes[k].what == PLAN ? 200000 : 2000 * (1 + (long)said->outputs[k]);
		bench_print("router_cost", "bar", "%s: %ld instructions, %u outputs: %ld <= %ld %s",
			    probes[k].name, n - nothing, said->outputs[k], n - nothing, most,
			    n - nothing <= most ? "met" : "missed");
		ck_assert_msg(n - nothing <= most, "%s", probes[k].name);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
END_TEST

/* ------------------------------------------------------------------ a full surface */

#define FULL_CTLS 256u
#define FULL_ROOM 700u
enum { FULL_PAGE_ROW, FULL_SHIFT_ROW, FULL_ROWS };

static uint32_t
text(struct bh_config_writer *w, const char *s)
{
	return bh_config_writer_str(w, s, strlen(s));
}

/* 64 pages of 512 bindings on 256 buttons: each with another parameter, and a light by condition; one of them on a layer. */
static int
full_config(void)
{
	struct bh_config_writer *w = bh_config_writer_new();
	char name[32], names[64 * sizeof(name)];
	size_t len = 0;
	for (unsigned p = 0; p < 64; p++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "Page %u", p) + 1;
	struct bh_cfg_proc procs[] = {
		{.name = text(w, "router"), .kind = text(w, "router"), .slot = BH_SLOT_ROUTER, .role = BH_ROLE_ROUTER,
		 .record_base = FULL_ROOM, .records = 16},
		{.name = text(w, "desk"), .kind = text(w, "surface"), .slot = RIG_DESK, .role = BH_ROLE_SURFACE,
		 .record_base = RIG_DESK_BASE, .records = 256},
		{.name = text(w, "mix"), .kind = text(w, "loop"), .slot = RIG_MIX, .role = BH_ROLE_DRIVER, .record_base = RIG_MIX_BASE,
		 .records = 64, .params = 64},
	};
	struct bh_cfg_surface sf = {.slot = RIG_DESK, .controls = FULL_CTLS};
	struct bh_cfg_room rows[FULL_ROWS] = {
		[FULL_PAGE_ROW] = {.name = text(w, "page"), .kind = BH_ROOM_PAGE, .type = BH_ENUM, .count = 64,
				   .choices = bh_config_writer_str(w, names, len - 1), .choices_len = (uint32_t)len},
		[FULL_SHIFT_ROW] = {.name = text(w, "layer/shift"), .kind = BH_ROOM_LAYER, .type = BH_BOOL},
	};
	for (unsigned k = 0; k < 3; k++)
		bh_config_writer_row(w, BH_TAB_PROCS, &procs[k], sizeof(procs[k]));
	bh_config_writer_row(w, BH_TAB_SURFACES, &sf, sizeof(sf));
	for (unsigned k = 0; k < FULL_ROWS; k++)
		bh_config_writer_row(w, BH_TAB_ROOM, &rows[k], sizeof(rows[k]));
	for (unsigned k = 0; k < FULL_CTLS; k++) {
		struct bh_cfg_control c = {.kind = BH_CTL_BUTTON, .flags = BH_CTL_HAS_LED, .addr = (uint8_t)k, .touch = 0xff};
		snprintf(c.name, sizeof(c.name), "b%u", k);
		bh_config_writer_row(w, BH_TAB_CONTROLS, &c, sizeof(c));
	}
	for (unsigned p = 0, b = 0; p < 64; p++) {
		snprintf(name, sizeof(name), "Page %u", p);
		struct bh_cfg_page page = {.name = text(w, name), .first = b, .count = 2 * FULL_CTLS + 1, .inherit = p ? 1 : 0};
		bh_config_writer_row(w, BH_TAB_PAGES, &page, sizeof(page));
		for (unsigned k = 0; k < 2 * FULL_CTLS + 1; k++, b++) {
			unsigned ctl = k < 2 * FULL_CTLS ? k / 2 : FULL_CTLS - 1;
			snprintf(name, sizeof(name), "p%u/x%u", p, ctl);
			struct bh_cfg_binding row = {.page = (uint16_t)p, .surface = RIG_DESK, .control = (uint16_t)ctl, .kind = BH_BIND_VALUE,
						     .driver = RIG_MIX, .taper = 0xff, .target = text(w, name)};
			if (k & 1) {
				row.kind = BH_BIND_LIGHT;
				row.part = BH_PART_LIGHT;
				row.when = (struct bh_cfg_cond){.target = text(w, "ch1/mute"), .driver = RIG_MIX, .op = BH_COND_ON};
			}
			if (k == 2 * FULL_CTLS)
				row.layer = FULL_SHIFT_ROW + 1;
			bh_config_writer_row(w, BH_TAB_BINDINGS, &row, sizeof(row));
		}
	}
	int fd = bh_config_writer_finish(w, "full", "full.yaml", 1);
	bh_config_writer_free(w);
	return fd;
}

/* Stops before and after each of: a page switch, a layer on, its end with what it renders. */
static void
full_child(void)
{
	struct rig *r = rig_new_with(full_config(), true);
	mix_health(r, BH_HEALTH_OK);
	mix_report(r, RIG_MUTED, 1);
	struct bh_event page = {.kind = BH_EV_REQUEST, .id = BH_REQ_PAGE, .total = 1, .stamp_ns = r->now_ns};
	struct bh_event set = {.kind = BH_EV_REQUEST, .id = BH_REQ_SET, .total = 2, .stamp_ns = r->now_ns};
	struct bh_request_args next = {.v.i = -1},
			       on = {.slot = BH_SLOT_ROUTER, .index = FULL_SHIFT_ROW, .type = BH_INT, .v.i = 1};
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	r->logged = 0;
	rig_begin(r);
	raise(SIGSTOP);
	bh_core_event(r->core, BH_SLOT_CONTROL, &page, &next, sizeof(next));
	raise(SIGSTOP);
	rig_end(r);
	r->logged = 0;
	rig_begin(r);
	raise(SIGSTOP);
	bh_core_event(r->core, BH_SLOT_CONTROL, &set, &on, sizeof(on));
	bh_core_end(r->core);
	raise(SIGSTOP);
	_exit(0);
}

START_TEST(full_surface_turns_its_page_and_its_layer_within_their_instructions)
{
	static const struct {
		const char *name;
		long most;
	} bars[] = {{"plan of a page switch on 256 controls", 200000}, {"layer of one control", 2000 * 3}};
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		full_child();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (unsigned k = 0; k < 2; k++) {
		long n = to_next_stop(pid, PTRACE_SINGLESTEP);
		ck_assert_msg(n > 0, "cannot count instructions (%ld)", n);
		if (k == 0)
			ck_assert_int_gt(to_next_stop(pid, PTRACE_CONT), 0);
		bench_print("router_cost", "bar", "%s: %ld <= %ld %s", bars[k].name, n, bars[k].most, n <= bars[k].most ? "met" : "missed");
		ck_assert_msg(n <= bars[k].most, "%s: %ld instructions", bars[k].name, n);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("router_cost");
	TCase *t = tcase_create("cost");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, cost_in_instructions_does_not_grow_with_pages_and_bindings);
	tcase_add_test(t, each_kind_of_input_stays_within_its_instructions);
	tcase_add_test(t, full_surface_turns_its_page_and_its_layer_within_their_instructions);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
