/*
 * test_router_engine - the core made to happen on real segments, killed at any instruction
 *
 * Everything that the router shares with others stands in memfds of the test. Its inputs are written beforehand, with stamps, and
 * taken in the order of these: so a run is decided by its inputs alone, and a run with kills must end with the same records,
 * the same cells, and the same events in each outbox, as one without.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/records.h"
#include "common/units.h"
#include "procs/router/engine.h"
#include "shm/crc.h"
#include "shm/latch.h"
#include "tests/lib/router_room.h"

#define MS 1000000ull
/* ------------------------------------------------------------------ allocations */

static unsigned long allocations;

#ifndef BH_SANITIZED
extern void *__libc_malloc(size_t size), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t size);

void *
malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

static void *
counted(size_t size)
{
	void *volatile p = malloc(size);
	return p;
}
#endif

/* ------------------------------------------------------------------ a life of the router */

struct life {
	struct router r;
	struct bh_config config;
	struct bh_seg self, state, priv, params, peer_self[ROOM_PEERS];
	struct bh_inbox in[ROOM_PEERS];
	struct bh_outbox out[ROOM_PEERS];
	struct bh_dir dir;
};

static uint64_t clock_last;
static long stop_at = -1; /* stop before that many events were taken */

static uint64_t
clock_of(const struct bh_event *ev)
{
	if (ev && stop_at >= 0 && stop_at-- == 0)
		raise(SIGSTOP);
	if (ev && ev->stamp_ns > clock_last)
		clock_last = ev->stamp_ns;
	return clock_last;
}

static const struct bh_core_options windows = {
	.hand_ms = 300, .settle_ms = 90, .echo_ms = 250, .motor_ms = 250, .flash_ms = 1000, .press_age_ms = 1000};

static void
must(int ret)
{
	if (ret < 0)
		abort();
}

static int
life_begin(struct life *l, const struct room *m)
{
	char why[96];
	memset(l, 0, sizeof(*l));
	must(bh_seg_map(&l->self, m->self.rw, BH_SEG_SELF, true));
	must(bh_seg_map(&l->state, m->state.rw, BH_SEG_STATE, true));
	must(bh_seg_map(&l->priv, m->priv.rw, BH_SEG_PRIVATE, true));
	must(bh_seg_map(&l->params, m->params.ro, BH_SEG_PARAMS, false));
	must(bh_dir_attach(&l->dir, &l->params));
	struct bh_self *self = bh_seg_section(&l->self, BH_SEC_SELF, sizeof(*self), NULL);
	must(router_init(&l->r, &l->state, &l->priv, self));
	l->r.clock = clock_of;
	for (unsigned k = 0; k < ROOM_PEERS; k++) {
		must(bh_seg_map(&l->peer_self[k], m->peer_self[k].ro, BH_SEG_SELF, false));
		const struct bh_self *peer = bh_seg_section(&l->peer_self[k], BH_SEC_SELF, sizeof(*peer), NULL);
		must(bh_inbox_attach(&l->in[k], m->in[k].ro, self, room_slots[k]));
		must(bh_outbox_attach(&l->out[k], m->out[k].rw, self, peer, -1));
		router_peer_changed(&l->r, room_slots[k], &l->in[k], &l->out[k], room_slots[k] == RIG_MIX ? &l->dir : NULL);
	}
	const struct bh_journal_slot *txn = bh_journal_last(&l->r.journal, NULL, NULL);
	clock_last = txn ? txn->time_ns : 1;
	int bad = router_recover(&l->r);
	must(bh_config_map(&l->config, m->config_fd));
	must(router_config(&l->r, &l->config, &windows, why, sizeof(why)));
	return bad;
}

/* Take everything there is, in the order of its stamps. */
static void
life_run(struct life *l)
{
	for (;;) {
		int first = -1;
		uint64_t stamp = UINT64_MAX;
		for (int k = 0; k < ROOM_PEERS; k++) {
			struct bh_event ev;
			if (bh_ring_peek(&l->in[k].ring, &ev, NULL, 0, NULL) == 1 && ev.stamp_ns < stamp) {
				first = k;
				stamp = ev.stamp_ns;
			}
		}
		if (first < 0)
			break;
		router_take(&l->r, room_slots[first], NULL, NULL);
	}
	for (unsigned k = 0; k < ROOM_PEERS; k++)
		router_drain(&l->r, room_slots[k], NULL, NULL);
	router_timers(&l->r, clock_last + 5000 * MS, clock_last + 5000 * MS);
}

static void
life_end(struct life *l)
{
	router_fini(&l->r);
	for (unsigned k = 0; k < ROOM_PEERS; k++) {
		bh_inbox_detach(&l->in[k]);
		bh_outbox_detach(&l->out[k]);
		bh_seg_unmap(&l->peer_self[k]);
	}
	bh_seg_unmap(&l->self);
	bh_seg_unmap(&l->state);
	bh_seg_unmap(&l->priv);
	bh_seg_unmap(&l->params);
	bh_config_unmap(&l->config);
}

static void
child_run(const struct room *m, long stop)
{
	static struct life l;
	stop_at = stop;
	life_begin(&l, m);
	life_run(&l);
	_exit(0);
}

/* ------------------------------------------------------------------ inputs */

static uint32_t
chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

static void
say_something(struct room *m, uint64_t *seed)
{
	static double level;
	switch (chance(seed) % 12) {
	case 0: say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = RIG_FADER1, .v.i = chance(seed) % 2}); break;
	case 1:
	case 2:
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = chance(seed) % 2, .v.f = chance(seed) % 500 / 499.0});
		break;
	case 3: say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1}); break;
	case 4: say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_MUTE, .v.i = 1}); break;
	case 5:
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = RIG_VPOT, .v.i = (int)(chance(seed) % 7) - 3});
		break;
	case 6: say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_F1, .v.i = 1}); break;
	case 7:
		level = -(double)(chance(seed) % 60);
		say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = chance(seed) % 2, .v.f = level});
		break;
	case 8: say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_BOOL, .id = RIG_MUTED, .v.i = chance(seed) % 2}); break;
	case 9:
		say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = chance(seed) % 4 ? BH_HEALTH_OK : BH_HEALTH_BACKING_OFF});
		break;
	case 10: say_request(m, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, -(double)(chance(seed) % 50), NULL); break;
	default: say_request(m, BH_REQ_DO, RIG_MIX, 4, 0, room_long_args); break;
	}
	m->now_ns += chance(seed) % 4 ? 0 : chance(seed) % 300 * MS;
}

/* Buttons that are held: pressed and let go, within the windows of their gestures or not. */
static void
say_a_gesture(struct room *m, uint64_t *seed)
{
	static const uint8_t buttons[] = {RIG_PLAY, RIG_MUTE, RIG_SCENE};
	uint32_t id = buttons[chance(seed) % 3], how = chance(seed) % 8;
	struct bh_event ev = {.kind = how % 2 ? BH_EV_RELEASE : BH_EV_PRESS, .type = BH_BOOL, .id = id, .v.i = how % 2 == 0};
	if (how < 6)
		say(m, ROOM_DESK, ev);
	else
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_F1, .v.i = 1});
	m->now_ns += chance(seed) % 400 * MS;
}

static void
say_much(struct room *m, uint64_t seed, unsigned events, bool gestures)
{
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	for (unsigned k = 0; k < events; k++) {
		if (gestures && chance(&seed) % 3)
			say_a_gesture(m, &seed);
		else
			say_something(m, &seed);
	}
}

/* A desk with long and double presses, and a key that holds its parameter down. */
static int
gesture_config(void)
{
	struct rig_maker m;
	rig_make(&m);
	rig_put(&m, rig_bind(&m, 0, RIG_MUTE, BH_BIND_MOMENTARY, "ch1/mute"));
	struct bh_cfg_binding *b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_ACTION, "transport");
	b->action = 3;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_MOMENTARY, "room");
	b->part = BH_PART_HOLD;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_PLAY, BH_BIND_TOGGLE, "ch2/level");
	b->part = BH_PART_DOUBLE;
	rig_put(&m, b);
	b = rig_bind(&m, 0, RIG_SCENE, BH_BIND_SELECT, "scene");
	b->part = BH_PART_DOUBLE;
	rig_put(&m, b);
	rig_page(&m, "Mix", 0);
	uint32_t first = m.bindings;
	rig_put(&m, rig_bind(&m, 1, RIG_MUTE, BH_BIND_MOMENTARY, "room"));
	rig_page(&m, "Other", first);
	rig_page_action(&m, RIG_F1, "next", NULL);
	return rig_finish(&m, 1);
}

/* ------------------------------------------------------------------ outcome */

struct outcome {
	uint32_t records, rings, cells;
	unsigned events, actions, results;
	uint32_t action_gen[256];
};

static void
read_ring(const struct room *m, unsigned k, struct outcome *o)
{
	struct bh_inbox in;
	struct bh_self cursor = {.pid = 0};
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[k].ro, &cursor, BH_SLOT_ROUTER), 0);
	while (bh_ring_peek(&in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		bh_ring_advance(&in.ring, &ev);
		if (ev.kind == BH_EV_RESYNC)
			continue;
		ev.seq = 0;
		o->rings = bh_crc32c(o->rings, &ev, sizeof(ev));
		o->rings = bh_crc32c(o->rings, payload, len);
		o->events++;
		o->results += ev.kind == BH_EV_RESULT;
		if (ev.kind == BH_EV_ACTION)
			o->action_gen[o->actions++ % 256] = ev.gen;
	}
	for (uint32_t id = 0; id < in.cell_count; id++) {
		struct bh_cell_body body;
		if (bh_inbox_cell(&in, id, &body) == 1)
			o->cells = bh_crc32c(o->cells, &body, sizeof(body));
	}
	bh_inbox_detach(&in);
}

static struct outcome
outcome_of(const struct room *m)
{
	struct outcome o = {0};
	uint32_t count;
	const struct bh_record *rec = bh_seg_section(&m->state_seg, BH_SEC_RECORDS, sizeof(*rec), &count);
	for (uint32_t k = 0; k < count; k++) {
		uint8_t data[BH_RECORD_BYTES];
		uint32_t gen;
		int there = bh_record_read(&rec[k], &gen, data);
		ck_assert_int_ge(there, 0);
		if (!there)
			continue;
		o.records = bh_crc32c(o.records, &k, sizeof(k));
		o.records = bh_crc32c(o.records, &gen, sizeof(gen));
		o.records = bh_crc32c(o.records, data, sizeof(data));
	}
	for (unsigned k = 0; k < ROOM_PEERS; k++)
		read_ring(m, k, &o);
	return o;
}

/* ------------------------------------------------------------------ kills */

static pid_t
spawn(const struct room *m, long stop)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(3);
		child_run(m, stop);
	}
	return pid;
}

/* One life that dies `steps` instructions after it began to take event number `event` of its own. True: it ended before. */
static bool
kill_within(const struct room *m, long event, unsigned steps)
{
	int status;
	pid_t pid = spawn(m, event);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status) && steps-- > 0) {
		ck_assert_int_eq((int)ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		return false;
	}
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the router died by itself: %x", status);
	return true;
}

static void
run_to_the_end(const struct room *m)
{
	ck_assert(kill_within(m, -1, 0));
}

/* Returns how many actions there were. */
static unsigned
killed_run_ends_like_a_quiet_one(uint64_t seed, uint32_t out_slots, unsigned kills, bool gestures)
{
	struct room *quiet = room_new(out_slots), *killed = room_new(out_slots);
	uint64_t dice = seed * 77 + 1;
	if (gestures) {
		close(quiet->config_fd);
		close(killed->config_fd);
		quiet->config_fd = gesture_config();
		killed->config_fd = gesture_config();
	}
	say_much(quiet, seed, 60, gestures);
	say_much(killed, seed, 60, gestures);
	run_to_the_end(quiet);
	for (unsigned k = 0; k < kills; k++)
		kill_within(killed, chance(&dice) % (60 / kills + 1), chance(&dice) % 9000);
	run_to_the_end(killed);
	/* and once more, with nothing to do: it says nothing */
	run_to_the_end(killed);
	struct outcome a = outcome_of(quiet), b = outcome_of(killed);
	ck_assert_uint_gt(a.events, 20);
	ck_assert_msg(a.actions == b.actions, "seed %lu: %u actions against %u", (unsigned long)seed, a.actions, b.actions);
	for (unsigned k = 0; k < b.actions && k < 256; k++)
		ck_assert_uint_eq(b.action_gen[k], k + 1);
	ck_assert_msg(a.events == b.events && a.rings == b.rings, "seed %lu: %u events against %u", (unsigned long)seed,
		      a.events, b.events);
	ck_assert_msg(a.cells == b.cells, "seed %lu: cells differ", (unsigned long)seed);
	ck_assert_msg(a.records == b.records, "seed %lu: records differ", (unsigned long)seed);
	return a.actions;
}

START_TEST(router_killed_at_any_instruction_ends_with_the_same_state_and_the_same_outputs)
{
	for (uint64_t seed = 1; seed <= 12; seed++)
		ck_assert_uint_gt(killed_run_ends_like_a_quiet_one(seed, 1024, 6, false), 0);
}
END_TEST

START_TEST(router_killed_with_full_rings_conflates_the_same_and_refuses_the_same)
{
	for (uint64_t seed = 21; seed <= 28; seed++)
		ck_assert_uint_gt(killed_run_ends_like_a_quiet_one(seed, 32, 6, false), 0);
}
END_TEST

START_TEST(gestures_of_a_killed_router_are_decided_as_those_of_a_quiet_one)
{
	unsigned actions = 0;
	for (uint64_t seed = 41; seed <= 52; seed++)
		actions += killed_run_ends_like_a_quiet_one(seed, 1024, 6, true);
	ck_assert_uint_gt(actions, 20);
}
END_TEST

/* ------------------------------------------------------------------ in one process */

static struct room *m;
static struct life l;

static void
setup(void)
{
	m = room_new(1024);
}

START_TEST(long_arguments_arrive_whole)
{
	struct bh_inbox in;
	struct bh_self cursor = {.pid = 0};
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len = 0;
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	say_request(m, BH_REQ_DO, RIG_MIX, 4, 0, room_long_args);
	life_begin(&l, m);
	life_run(&l);
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[ROOM_MIX].ro, &cursor, BH_SLOT_ROUTER), 0);
	do
		ck_assert_int_eq(bh_ring_peek(&in.ring, &ev, payload, sizeof(payload), &len), 1);
	while (ev.kind != BH_EV_ACTION && (bh_ring_advance(&in.ring, &ev), true));
	ck_assert_uint_eq(len, strlen(room_long_args) + 1);
	ck_assert_str_eq((const char *)payload, room_long_args);
}
END_TEST

static uint64_t
late_clock(const struct bh_event *ev)
{
	return ev ? ev->stamp_ns + 900 * MS : m->now_ns + 900 * MS;
}

/* The router was away for most of a second: what stands in the ring is older than what is due. */
START_TEST(release_that_waits_in_the_ring_makes_no_long_press)
{
	uint32_t gen;
	close(m->config_fd);
	m->config_fd = gesture_config();
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	life_begin(&l, m);
	life_run(&l);
	const struct bh_rec_param *p = bh_core_record(l.r.core, RIG_MIX_BASE + RIG_ROOM, &gen);
	const struct bh_rec_peer *mix = bh_core_record(l.r.core, BH_REC_PEER(RIG_MIX), &gen);
	l.r.clock = late_clock;
	say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1});
	m->now_ns += 400 * MS;
	say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_RELEASE, .type = BH_BOOL, .id = RIG_PLAY});
	router_drain(&l.r, RIG_DESK, NULL, NULL);
	ck_assert(!p || !(p->flags & BH_PAR_WANTED));
	ck_assert_uint_eq(mix->action_gen, 1); /* the short press: after the window of the double one, when it was let go */
}
END_TEST

START_TEST(meters_alone_are_not_journaled)
{
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	life_begin(&l, m);
	life_run(&l);
	uint64_t txn = l.r.journal.txn, pos = l.out[ROOM_DESK].ring.pos;
	for (int k = 0; k < 10; k++)
		say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_METER, .type = BH_FLOAT, .id = RIG_PEAK, .v.f = 0.1 * k});
	while (router_take(&l.r, RIG_MIX, NULL, NULL) == 1)
		;
	ck_assert_uint_eq(l.r.journal.txn, txn);
	ck_assert_uint_eq(l.out[ROOM_DESK].ring.pos, pos + 10);
	ck_assert(!bh_ring_has(&l.in[ROOM_MIX].ring));
}
END_TEST

START_TEST(what_overflowed_its_ring_is_taken_from_the_cells)
{
	life_begin(&l, m);
	life_run(&l);
	for (int k = 1; k <= 400; k++)
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = RIG_VPOT, .v.i = k % 3 ? 1 : -1});
	for (int k = 0; k < 20; k++)
		router_drain(&l.r, RIG_DESK, NULL, NULL);
	uint32_t gen;
	const struct bh_rec_param *p = bh_core_record(l.r.core, RIG_MIX_BASE + RIG_PAN, &gen);
	const struct bh_rec_control *c = bh_core_record(l.r.core, RIG_DESK_BASE + RIG_VPOT, &gen);
	ck_assert_uint_eq(c->seen_total, 400 - 2 * 133);
	ck_assert_uint_eq(c->seen_gen, 400);
	ck_assert_double_eq_tol(p->wanted.f, 1, 1e-9);
	ck_assert(!bh_inbox_pending(&l.in[ROOM_DESK]));
}
END_TEST

/* A hand goes on while the router looks at its cells: it presses play, then moves the second fader. */
static uint64_t
clock_of_a_hand(const struct bh_event *ev)
{
	static bool done;
	if (ev && ev->kind == BH_EV_VALUE && ev->id == RIG_FADER1 && !done) {
		done = true;
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1});
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_FADER2, .v.f = 0.25});
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_FADER2, .v.f = 0.5});
	}
	return clock_of(ev);
}

START_TEST(what_comes_while_the_cells_are_looked_at_keeps_its_order)
{
	static const struct {
		uint8_t kind;
		uint32_t id;
	} wanted[] = {{BH_EV_VALUE, RIG_LEVEL1}, {BH_EV_ACTION, 0}, {BH_EV_VALUE, RIG_LEVEL2}, {BH_EV_VALUE, RIG_LEVEL2}};
	struct bh_inbox in;
	struct bh_self cursor = {.pid = 0};
	struct bh_event ev, move = {.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_FADER1, .v.f = 0.75};
	unsigned n = 0;
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	life_begin(&l, m);
	life_run(&l);
	uint64_t before = l.out[ROOM_MIX].ring.pos;
	move.stamp_ns = m->now_ns;
	ck_assert_int_eq(bh_outbox_conflate(&m->producer[ROOM_DESK], &move, NULL, 0), 1);
	l.r.clock = clock_of_a_hand;
	for (unsigned k = 0; k < 4; k++)
		router_drain(&l.r, RIG_DESK, NULL, NULL);
	ck_assert(!bh_inbox_pending(&l.in[ROOM_DESK]));
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[ROOM_MIX].ro, &cursor, BH_SLOT_ROUTER), 0);
	for (; bh_ring_peek(&in.ring, &ev, NULL, 0, NULL) == 1; bh_ring_advance(&in.ring, &ev)) {
		if (in.ring.pos < before)
			continue;
		ck_assert_uint_lt(n, 4);
		ck_assert_msg(ev.kind == wanted[n].kind, "event %u is of kind %u", n, ev.kind);
		ck_assert_msg(ev.kind == BH_EV_ACTION || ev.id == wanted[n].id, "event %u is about %u", n, ev.id);
		n++;
	}
	ck_assert_uint_eq(n, 4);
	bh_inbox_detach(&in);
}
END_TEST

START_TEST(damaged_record_is_dropped_and_counted_and_comes_back_with_the_next_report)
{
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_LEVEL1, .v.f = -10});
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_LEVEL2, .v.f = -20});
	life_begin(&l, m);
	life_run(&l);
	l.r.records[RIG_MIX_BASE + RIG_LEVEL1].copy[0].data[40] ^= 1;
	l.r.records[RIG_MIX_BASE + RIG_LEVEL1].copy[1].data[40] ^= 1;
	life_end(&l);
	ck_assert_int_eq(life_begin(&l, m), 1);
	uint32_t gen;
	const struct bh_rec_param *p = bh_core_record(l.r.core, RIG_MIX_BASE + RIG_LEVEL1, &gen);
	ck_assert(!(p->flags & BH_PAR_KNOWN));
	p = bh_core_record(l.r.core, RIG_MIX_BASE + RIG_LEVEL2, &gen);
	ck_assert(p->flags & BH_PAR_KNOWN);
	/* Its cell still has what the driver reported: that it was lost is found out by the look at all cells. */
	life_run(&l);
	p = bh_core_record(l.r.core, RIG_MIX_BASE + RIG_LEVEL1, &gen);
	ck_assert(p->flags & BH_PAR_KNOWN);
	ck_assert_double_eq(p->reported.f, -10);
}
END_TEST

START_TEST(what_is_told_after_a_record_was_lost_still_reaches_its_cell)
{
	struct bh_cell_body body;
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	for (int k = 0; k < 10; k++)
		say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_LEVEL1, .v.f = -k});
	say_request(m, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, -5, NULL);
	say_request(m, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, -6, NULL);
	life_begin(&l, m);
	life_run(&l);
	const uint32_t lost[] = {RIG_DESK_BASE + RIG_STRIP1, RIG_DESK_BASE + RIG_FADER1, RIG_MIX_BASE + RIG_LEVEL2};
	for (size_t k = 0; k < sizeof(lost) / sizeof(lost[0]); k++)
		l.r.records[lost[k]].copy[0].check ^= 1, l.r.records[lost[k]].copy[1].check ^= 1;
	life_end(&l);
	ck_assert_int_ge(life_begin(&l, m), 2); /* what the last transaction wrote is mended by it */
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_LEVEL1, .v.f = -42});
	say_request(m, BH_REQ_SET, RIG_MIX, RIG_LEVEL2, -7, NULL);
	life_run(&l);
	ck_assert_int_eq(room_cell(m, ROOM_DESK, RIG_STRIP1, &body), 1);
	ck_assert_str_eq(body.v.s, "1Ch 1\n-42.0dB");
	ck_assert_int_eq(room_cell(m, ROOM_DESK, RIG_FADER1, &body), 1);
	ck_assert_double_eq_tol(body.v.f, fader_at(-42), 1e-6);
	ck_assert_int_eq(room_cell(m, ROOM_MIX, RIG_LEVEL2, &body), 1);
	ck_assert_double_eq(body.v.f, -7);
}
END_TEST

START_TEST(directory_that_grows_is_read_and_values_that_came_before_are_found)
{
	life_begin(&l, m);
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 20, .v.f = -3});
	life_run(&l);
	struct bh_dir_record d = {.index = 20, .gen = 1, .type = BH_FLOAT, .taper = BH_TAPER_FADER_DB, .access = 3, .min = -100,
				  .max = 10, .was = 0xffffffff, .name = "ch9/level"};
	ck_assert_int_ge(bh_dir_append(&m->dir, &d, NULL, 0), 0);
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_DIRECTORY, .v.i = 11});
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	life_run(&l);
	uint32_t gen;
	const struct bh_rec_control *c = bh_core_record(l.r.core, RIG_DESK_BASE + RIG_LOST, &gen);
	ck_assert_str_eq(c->text, "0Ch 9\n-3.0");
}
END_TEST

/* The ring of who acts is looked at before the supervisor's, and before the driver has told that its directory is complete. */
START_TEST(what_a_hand_does_to_a_driver_that_is_said_to_be_well_is_not_refused)
{
	uint32_t gen;
	life_begin(&l, m);
	life_run(&l);
	const struct bh_rec_peer *mix = bh_core_record(l.r.core, BH_REC_PEER(RIG_MIX), &gen);
	ck_assert_uint_eq(mix->action_gen, 0);
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = 20, .v.f = -3});
	struct bh_dir_record d = {.index = 20, .gen = 1, .type = BH_FLOAT, .taper = BH_TAPER_FADER_DB, .access = 3, .min = -100,
				  .max = 10, .was = 0xffffffff, .name = "ch9/level"};
	ck_assert_int_ge(bh_dir_append(&m->dir, &d, NULL, 0), 0);
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
	say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1});
	router_drain(&l.r, RIG_DESK, NULL, NULL);
	ck_assert_uint_eq(mix->action_gen, 1);
	ck_assert_uint_eq(mix->dropped, 0);
	ck_assert(!bh_ring_has(&l.in[ROOM_SUPERVISOR].ring));
	const struct bh_rec_control *c = bh_core_record(l.r.core, RIG_DESK_BASE + RIG_LOST, &gen);
	ck_assert_str_eq(c->text, "0Ch 9\n-3.0");
}
END_TEST

START_TEST(events_are_taken_without_an_allocation)
{
	say_much(m, 5, 40, false);
	life_begin(&l, m);
	unsigned long before = allocations;
	life_run(&l);
	unsigned long after = allocations;
	ck_assert_uint_eq(after - before, 0);
	ck_assert_uint_gt(l.r.journal.txn, 40);
#ifndef BH_SANITIZED
	before = allocations;
	free(counted(1));
	ck_assert_uint_gt(allocations, before); /* the counter counts */
#endif
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("router_engine");
	TCase *t = tcase_create("kills");
	tcase_set_timeout(t, 300);
#ifdef BH_SANITIZED /* a sanitizer's checks at exit make a killed and stepped child look like a failed one */
	bool can_step = false;
#else
	bool can_step = true;
#endif
	if (can_step) {
		tcase_add_test(t, router_killed_at_any_instruction_ends_with_the_same_state_and_the_same_outputs);
		tcase_add_test(t, router_killed_with_full_rings_conflates_the_same_and_refuses_the_same);
		tcase_add_test(t, gestures_of_a_killed_router_are_decided_as_those_of_a_quiet_one);
	}
	suite_add_tcase(s, t);
	t = tcase_create("engine");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, long_arguments_arrive_whole);
	tcase_add_test(t, release_that_waits_in_the_ring_makes_no_long_press);
	tcase_add_test(t, meters_alone_are_not_journaled);
	tcase_add_test(t, what_overflowed_its_ring_is_taken_from_the_cells);
	tcase_add_test(t, what_comes_while_the_cells_are_looked_at_keeps_its_order);
	tcase_add_test(t, damaged_record_is_dropped_and_counted_and_comes_back_with_the_next_report);
	tcase_add_test(t, what_is_told_after_a_record_was_lost_still_reaches_its_cell);
	tcase_add_test(t, directory_that_grows_is_read_and_values_that_came_before_are_found);
	tcase_add_test(t, what_a_hand_does_to_a_driver_that_is_said_to_be_well_is_not_refused);
	tcase_add_test(t, events_are_taken_without_an_allocation);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
