/*
 * test_crash_router.c - the router's engine in the middle of a batch, with eight desks and eight drivers, killed at every instruction
 *
 * See tests/lib/crash.h. Its inputs are written beforehand, with stamps, and taken in the order of these: so what it does is decided by
 * them alone, and whoever goes on from whatever image must end with the same records, the same cells, and the same events in each ring.
 * Beyond that a reader of its own follows each event from ring to ring: what the hands pressed at each desk stands in the rings to
 * the drivers exactly once and in the order of the desk, and the values of each parameter count on without a gap.
 */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/records.h"
#include "procs/router/engine.h"
#include "shm/crc.h"
#include "shm/latch.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/core_rig.h"
#include "tests/lib/crash.h"

#define MS	 1000000ull
#define DESKS	 8u
#define DRIVERS	 8u
#define PEERS	 (1 + DESKS + DRIVERS) /* the supervisor first */
#define DESK(n)	 (uint16_t)(BH_SLOT_FIRST_FREE + (n))
#define DRIVER(n) (uint16_t)(BH_SLOT_FIRST_FREE + DESKS + (n))
#define BATCH	 48u
#define START_NS (1000000 * MS)

enum { FADER, MUTE, PLAY, VPOT, STRIP, CONTROLS };
enum { LEVEL, MUTED, PAN, PARAMS };
#define RECORDS 16u /* of each desk and driver */
#define CELLS	16u

/* Segments: the router's, its rings to the peers; then of each peer self, ring to the router, and the drivers' directories. */
enum { SELF, STATE, PRIVATE, OUT };
#define PEER_SELF (OUT + PEERS)
#define IN	  (PEER_SELF + PEERS)
#define DIR	  (IN + PEERS)

static uint16_t
slot_of(unsigned peer)
{
	return peer == 0 ? BH_SLOT_SUPERVISOR : peer <= DESKS ? DESK(peer - 1) : DRIVER(peer - 1 - DESKS);
}

/* ------------------------------------------------------------------ configuration */

static void
make_desk(struct rig_maker *m, unsigned n)
{
	static const struct bh_cfg_control controls[CONTROLS] = {
		[FADER] = {.name = "fader1", .kind = BH_CTL_FADER, .flags = BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR, .touch = 0x68},
		[MUTE] = {.name = "mute1", .kind = BH_CTL_BUTTON, .flags = BH_CTL_HAS_LED, .touch = 0xff, .addr = 1},
		[PLAY] = {.name = "play", .kind = BH_CTL_BUTTON, .flags = BH_CTL_HAS_LED, .touch = 0xff, .addr = 2},
		[VPOT] = {.name = "vpot1", .kind = BH_CTL_VPOT, .flags = BH_CTL_HAS_RING, .touch = 0xff, .addr = 3},
		[STRIP] = {.name = "strip1", .kind = BH_CTL_STRIP, .width = 7, .touch = 0xff, .addr = 4},
	};
	char name[16];
	snprintf(name, sizeof(name), "desk%u", n);
	struct bh_cfg_proc row = {.name = rig_str(m, name), .kind = rig_str(m, "surface"), .slot = DESK(n), .role = BH_ROLE_SURFACE,
				  .record_base = BH_REC_FIRST + RECORDS * n, .records = RECORDS};
	struct bh_cfg_surface sf = {.slot = DESK(n), .controls = CONTROLS, .first_control = n * CONTROLS};
	bh_config_writer_row(m->w, BH_TAB_PROCS, &row, sizeof(row));
	bh_config_writer_row(m->w, BH_TAB_SURFACES, &sf, sizeof(sf));
	for (unsigned k = 0; k < CONTROLS; k++)
		bh_config_writer_row(m->w, BH_TAB_CONTROLS, &controls[k], sizeof(controls[k]));
}

static void
put(struct rig_maker *m, unsigned desk, unsigned ctl, unsigned kind, const char *target, unsigned driver)
{
	struct bh_cfg_binding *b = rig_bind(m, 0, ctl, kind, target);
	b->surface = DESK(desk);
	b->driver = DRIVER(driver % DRIVERS);
	if (kind == BH_BIND_ACTION)
		b->action = 3;
	if (kind == BH_BIND_RELATIVE) {
		b->flags = BH_BINDF_HAS_STEP;
		b->step = 0.02;
	}
	rig_put(m, b);
}

static int
make_config(void)
{
	struct rig_maker m = {.w = bh_config_writer_new()};
	for (unsigned n = 0; n < DESKS; n++)
		make_desk(&m, n);
	for (unsigned n = 0; n < DRIVERS; n++) {
		char name[16];
		snprintf(name, sizeof(name), "mix%u", n);
		struct bh_cfg_proc row = {.name = rig_str(&m, name), .kind = rig_str(&m, "loop"), .slot = DRIVER(n),
					  .role = BH_ROLE_DRIVER, .record_base = BH_REC_FIRST + RECORDS * (DESKS + n),
					  .records = RECORDS, .params = RECORDS};
		bh_config_writer_row(m.w, BH_TAB_PROCS, &row, sizeof(row));
	}
	/* Each desk works on three drivers, each driver is worked on by three desks. */
	for (unsigned n = 0; n < DESKS; n++) {
		put(&m, n, FADER, BH_BIND_VALUE, "level", n);
		put(&m, n, MUTE, BH_BIND_TOGGLE, "mute", n);
		put(&m, n, PLAY, BH_BIND_ACTION, "transport", n + 1);
		put(&m, n, VPOT, BH_BIND_RELATIVE, "pan", n + 2);
		put(&m, n, STRIP, BH_BIND_STRIP, "level", n);
	}
	rig_page(&m, "All", 0);
	return rig_finish(&m, 1);
}

static void
make_directory(struct crash_memory *m, unsigned n)
{
	static const struct {
		const char *name;
		uint8_t type, taper;
		double min, max;
	} params[PARAMS] = {[LEVEL] = {"level", BH_FLOAT, BH_TAPER_FADER_DB, -100, 10}, [MUTED] = {"mute", BH_BOOL, 0, 0, 1}, [PAN] = {"pan", BH_FLOAT, 0, -1, 1}};
	struct bh_dir dir;
	crash_must(bh_dir_attach(&dir, &m->seg[DIR + n]) == 0);
	for (uint32_t k = 0; k < PARAMS; k++) {
		struct bh_dir_record d = {.index = k, .gen = 1, .type = params[k].type, .taper = params[k].taper, .access = 3,
					  .min = params[k].min, .max = params[k].max, .was = UINT32_MAX};
		strcpy(d.name, params[k].name);
		crash_must(bh_dir_append(&dir, &d, NULL, 0) >= 0);
	}
}

/* ------------------------------------------------------------------ a life of the router */

struct life {
	struct router r;
	struct bh_config config;
	struct bh_inbox in[PEERS];
	struct bh_outbox out[PEERS];
	struct bh_dir dir[DRIVERS];
	uint64_t clock_ns; /* of the one that dies: our clock is one for all */
};
static_assert(sizeof(struct life) <= CRASH_LIFE, "fits");

static const struct bh_core_options windows = {
	.hand_ms = 300, .settle_ms = 90, .echo_ms = 250, .motor_ms = 0, .flash_ms = 1000, .press_age_ms = 1000};
static int config_fd;
static uint64_t clock_last;
static const unsigned *work_inputs; /* how many the dying one begins with */

static uint64_t
clock_of(const struct bh_event *ev)
{
	if (ev && ev->stamp_ns > clock_last)
		clock_last = ev->stamp_ns;
	return clock_last;
}

static void
life_begin(struct crash_memory *m)
{
	struct life *l = m->life;
	struct bh_self *self = crash_self_of(m, SELF);
	char why[96];
	crash_must(router_init(&l->r, &m->seg[STATE], &m->seg[PRIVATE], self) == 0);
	l->r.clock = clock_of;
	for (unsigned k = 0; k < PEERS; k++) {
		uint16_t slot = slot_of(k);
		crash_must(bh_inbox_attach(&l->in[k], m->fds[IN + k].ro, self, slot) == 0);
		crash_must(bh_outbox_attach(&l->out[k], m->fds[OUT + k].rw, self, crash_self_of(m, PEER_SELF + k), -1) == 0);
		if (k > DESKS)
			crash_must(bh_dir_attach(&l->dir[k - 1 - DESKS], &m->seg[DIR + k - 1 - DESKS]) == 0);
		router_peer_changed(&l->r, slot, &l->in[k], &l->out[k], k > DESKS ? &l->dir[k - 1 - DESKS] : NULL);
	}
	const struct bh_journal_slot *txn = bh_journal_last(&l->r.journal, NULL, NULL);
	clock_last = txn ? txn->time_ns : 1;
	crash_must(router_recover(&l->r) == 0);
	crash_must(bh_config_map(&l->config, config_fd) == 0);
	crash_must(router_config(&l->r, &l->config, &windows, why, sizeof(why)) == 0);
}

/* So many events, in the order of their stamps. */
static void
life_take(struct life *l, unsigned events)
{
	for (; events; events--) {
		int first = -1;
		uint64_t stamp = UINT64_MAX;
		for (unsigned k = 0; k < PEERS; k++) {
			struct bh_event ev;
			if (bh_ring_peek(&l->in[k].ring, &ev, NULL, 0, NULL) == 1 && ev.stamp_ns < stamp) {
				first = (int)k;
				stamp = ev.stamp_ns;
			}
		}
		if (first < 0)
			return;
		router_take(&l->r, slot_of((unsigned)first), NULL, NULL);
	}
}

static void
life_end(struct life *l)
{
	router_fini(&l->r);
	bh_config_unmap(&l->config);
	for (unsigned k = 0; k < PEERS; k++) {
		bh_inbox_detach(&l->in[k]);
		bh_outbox_detach(&l->out[k]);
	}
}

/* ------------------------------------------------------------------ the batch */

struct input {
	unsigned peer;
	struct bh_event ev;
};

/* Number k of the batch: desks and drivers in turn. */
static struct input
input_of(unsigned k)
{
	unsigned n = k / 2 % 8, round = k / 16;
	struct input in = {.peer = k % 2 ? 1 + DESKS + n : 1 + n};
	if (k % 2)
		in.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = LEVEL, .v.f = -(double)k};
	else if ((round + n) % 3 == 0)
		in.ev = (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = PLAY, .v.i = 1};
	else if ((round + n) % 3 == 1)
		in.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = FADER, .v.f = k / 64.0};
	else
		in.ev = (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = VPOT, .v.i = 3};
	in.ev.stamp_ns = START_NS + (100 + k) * MS;
	return in;
}

static void
say(struct crash_memory *m, unsigned peer, struct bh_event *ev)
{
	struct bh_outbox ob;
	crash_must(bh_outbox_attach(&ob, m->fds[IN + peer].rw, crash_self_of(m, PEER_SELF + peer), crash_self_of(m, SELF), -1) == 0);
	crash_must(bh_outbox_put(&ob, ev, NULL, 0) == 0);
	bh_outbox_detach(&ob);
}

static void
router_build(struct crash_memory *m)
{
	crash_self(m, BH_SLOT_ROUTER);
	crash_state(m, BH_SLOT_ROUTER, BH_REC_FIRST + RECORDS * (DESKS + DRIVERS));
	crash_private(m, BH_SLOT_ROUTER, 12288, 0, 0);
	for (unsigned k = 0; k < PEERS; k++)
		crash_outbox(m, BH_SLOT_ROUTER, slot_of(k), k ? 64 : 16, k ? CELLS : 0);
	crash_own(m);
	for (unsigned k = 0; k < PEERS; k++)
		crash_self(m, slot_of(k));
	for (unsigned k = 0; k < PEERS; k++)
		crash_outbox(m, slot_of(k), BH_SLOT_ROUTER, 32, k ? CELLS : 0);
	for (unsigned n = 0; n < DRIVERS; n++) {
		crash_params(m, DRIVER(n), RECORDS, 64);
		make_directory(m, n);
	}
}

static void
router_before(struct crash_memory *m)
{
	for (unsigned n = 0; n < DRIVERS; n++)
		say(m, 0, &(struct bh_event){.kind = BH_EV_HEALTH, .id = DRIVER(n), .v.i = BH_HEALTH_OK, .stamp_ns = START_NS + n * MS});
	life_begin(m);
	life_take(m->life, DRIVERS);
	for (unsigned k = 0; k < BATCH; k++) {
		struct input in = input_of(k);
		say(m, in.peer, &in.ev);
	}
	life_take(m->life, BATCH / 2);
	((struct life *)m->life)->clock_ns = clock_last;
}

static void
router_work(struct crash_memory *m)
{
	clock_last = ((struct life *)m->life)->clock_ns;
	life_take(m->life, *work_inputs);
}

static void
router_go_on(struct crash_memory *m)
{
	struct life *l = m->life;
	life_take(l, 2 * BATCH);
	for (unsigned k = 0; k < PEERS; k++)
		router_drain(&l->r, slot_of(k), NULL, NULL);
	router_timers(&l->r, clock_last + 5000 * MS, clock_last + 5000 * MS);
}

static void
router_leave(struct crash_memory *m)
{
	life_end(m->life);
}

/* ------------------------------------------------------------------ judging */

struct followed {
	unsigned presses[DESKS]; /* arrived as actions */
	uint64_t last_ns[DESKS];
	unsigned values;
	uint32_t digest;
};

static void
follow_ring(struct crash_memory *m, unsigned peer, struct followed *f, char *why, size_t cap)
{
	struct crash_reader r = crash_reader(m, OUT + peer, 0);
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	uint32_t gen[CELLS] = {0};
	size_t len;
	int there;
	while ((there = crash_read(&r, &ev, payload, &len)) == 1) {
		if (ev.kind == BH_EV_RESYNC)
			continue;
		if (peer > DESKS && ev.kind == BH_EV_ACTION) {
			unsigned desk = (ev.total >> 16) - BH_SLOT_FIRST_FREE;
			if (desk >= DESKS || DRIVER((desk + 1) % DRIVERS) != slot_of(peer))
				crash_wrong(why, cap, "an action of nobody's, or to another driver");
			else if (ev.stamp_ns <= f->last_ns[desk])
				crash_wrong(why, cap, "desk %u: what it pressed came again, or out of order", desk);
			if (desk < DESKS) {
				f->last_ns[desk] = ev.stamp_ns;
				f->presses[desk]++;
			}
		} else if (ev.kind == BH_EV_VALUE && ev.id < CELLS) {
			if (gen[ev.id] && ev.gen != gen[ev.id] + 1)
				crash_wrong(why, cap, "slot %u: value %u of parameter or control %u after %u", slot_of(peer), ev.gen, ev.id, gen[ev.id]);
			gen[ev.id] = ev.gen;
			f->values += peer > DESKS;
		}
		ev.seq = 0;
		f->digest = bh_crc32c(f->digest, &ev, sizeof(ev));
		f->digest = bh_crc32c(f->digest, payload, len);
	}
	if (there < 0)
		crash_wrong(why, cap, "slot %u reads a torn event", slot_of(peer));
	for (uint32_t id = 0; peer && id < CELLS; id++) {
		struct bh_cell_body body;
		if (crash_cell(m, OUT + peer, id, &body))
			f->digest = bh_crc32c(f->digest, &body, sizeof(body));
	}
}

static uint32_t
router_judge(struct crash_memory *m, char *why, size_t cap)
{
	struct followed f = {0};
	unsigned pressed[DESKS] = {0};
	for (unsigned k = 0; k < PEERS; k++)
		follow_ring(m, k, &f, why, cap);
	for (unsigned k = 0; k < BATCH; k++) {
		struct input in = input_of(k);
		pressed[(in.peer - 1) % DESKS] += in.ev.kind == BH_EV_PRESS;
	}
	for (unsigned n = 0; n < DESKS; n++)
		if (f.presses[n] != pressed[n])
			crash_wrong(why, cap, "desk %u pressed %u times, %u arrived", n, pressed[n], f.presses[n]);
	if (f.values < DRIVERS)
		crash_wrong(why, cap, "only %u values came to all drivers", f.values);
	for (unsigned k = 0; k < PEERS; k++) {
		struct bh_inbox in;
		struct bh_self cursor = *crash_self_of(m, SELF);
		crash_must(bh_inbox_attach(&in, m->fds[IN + k].ro, &cursor, slot_of(k)) == 0);
		if (bh_ring_has(&in.ring))
			crash_wrong(why, cap, "what slot %u said is not all taken", slot_of(k));
		bh_inbox_detach(&in);
	}
	for (uint32_t k = 0; k < BH_REC_FIRST + RECORDS * (DESKS + DRIVERS); k++) {
		uint8_t data[BH_RECORD_BYTES];
		uint32_t gen;
		int there = crash_record(m, STATE, k, &gen, data);
		if (there < 0)
			crash_wrong(why, cap, "record %u is damaged", k);
		if (there < 1)
			continue;
		f.digest = bh_crc32c(f.digest, &k, sizeof(k));
		f.digest = bh_crc32c(f.digest, &gen, sizeof(gen));
		f.digest = bh_crc32c(f.digest, data, sizeof(data));
	}
	return f.digest;
}

START_TEST(a_router_killed_at_any_instruction_of_a_batch_ends_as_if_nothing_had_been)
{
	struct crash_scene scene = {
		.name = "router in mid-batch, 8 desks, 8 drivers", .build = router_build, .before = router_before, .work = router_work,
		.recover = life_begin, .go_on = router_go_on, .leave = router_leave, .judge = router_judge, .one_end = true,
	};
	struct crash_result r;
	unsigned inputs = (unsigned)bound("BH_CRASH_INPUTS", 8, BATCH / 2);
	work_inputs = &inputs;
	scene.every = (unsigned)bound("BH_CRASH_EVERY", 4, 1);
	scene.second = (unsigned)bound("BH_CRASH_SECOND", 0, 100);
	config_fd = make_config();
	bench_pin((unsigned)sched_getcpu());
	int ret = crash_run(&scene, (unsigned)bound("BH_CRASH_KILLS", 60, 2000), &r);
	crash_print(&scene, &r, NULL);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_gt(r.distinct, 200);
	ck_assert_int_eq(bench_count("crash_router", "images recovered wrongly", r.wrong, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("crash_router", "real kills that leave an image unlike any copy", r.unknown, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("crash_router", "real successors judged otherwise than the copy's", r.differ, 0), BENCH_MET);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crash_router");
	TCase *tc = tcase_create("crash_router");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_router_killed_at_any_instruction_of_a_batch_ends_as_if_nothing_had_been);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
