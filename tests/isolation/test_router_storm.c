/*
 * The router is killed in mid-batch, with eight desks writing and eight drivers doing: what stood in the rings before it stands in the
 * rings behind it, each once and in order, and nobody but the supervisor notices.
 *
 * BH_KILLS: kills that met a router with events before it (100; soak 1000). BH_SEED: of moments and moves (1).
 *
 * Desk n's fader k, V-Pot k and button k drive channel n of driver k. Each round writes a batch to all desks, in every other round while
 * the router is stopped, so that all of it lies before it at once; then comes the kill. As a third process we read every event of the
 * eight rings to the router and of the eight behind it, and match them by class and stamp of the hand, for each of the 64 pairs: the
 * same sequence, or the test fails. Two drivers take no action that is older than a few milliseconds: what they let drop is told to the
 * router by number, and performed + dropped is what was pressed.
 */
#include <check.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procs/router/taper.h"
#include "tests/bench/harness.h"
#include "tests/isolation/lane.h"
#include "tests/lib/bounds.h"

#define DESKS 8
#define DRIVERS 8
#define IMPATIENT 6 /* drivers from this one on */
#define BATCH_MAX 256

static struct pipeline pl;
static struct lane desk[DESKS];

/* ------------------------------------------------------------------ the room */

static void
write_room(char *yaml, size_t cap)
{
	FILE *f = fmemopen(yaml, cap, "w");
	fputs("bulkhead: 1\n" PIPELINE_PATIENT "router: {" PIPELINE_PATIENT_PRESSES "}\n"
	      "supervisor: {crash_limit: 0, backoff_first_ms: 0ms, backoff_max_ms: 0ms}\nsurfaces:\n", f);
	for (unsigned n = 1; n <= DESKS; n++)
		fprintf(f, "  d%u: {device: x-touch, transport: socket, path: \"@DIR@/d%u.sock\", link: free}\n", n, n);
	fputs("drivers:\n", f);
	for (unsigned k = 1; k <= DRIVERS; k++)
		fprintf(f, "  m%u: {kind: loop, channels: 8, meters: false, max_age_ms: %s}\n", k, k > IMPATIENT ? "5ms" : "60s");
	fputs("pages:\n  - name: All\n    bindings:\n", f);
	for (unsigned n = 1; n <= DESKS; n++)
		for (unsigned k = 1; k <= DRIVERS; k++)
			fprintf(f, "      d%u/fader%u: m%u/ch%u/level\n      d%u/vpot%u: {relative: m%u/ch%u/pan, step: 0.001}\n"
				   "      d%u/rec%u: {action: m%u/mark}\n", n, k, k, n, n, k, k, n, n, k, k);
	ck_assert_int_eq(fclose(f), 0);
}

/* ------------------------------------------------------------------ a ring, read along */

struct follower {
	const struct bh_event *slots; /* borrowed */
	uint32_t mask;
	uint64_t pos;
};

static void
follow(struct follower *f, const char *from, const char *to)
{
	char name[48];
	uint32_t count = 0;
	snprintf(name, sizeof(name), "%s>%s", from, to);
	const struct bh_seg *seg = pipeline_seg(&pl, name);
	ck_assert_msg(seg != NULL, "no ring %s", name);
	f->slots = bh_seg_section(seg, BH_SEC_RING, sizeof(*f->slots), &count);
	f->mask = count - 1;
	f->pos = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t seq = __atomic_load_n(&f->slots[i].seq, __ATOMIC_ACQUIRE) & ~BH_SEQ_CONT;
		f->pos = seq > f->pos ? seq : f->pos;
	}
}

static bool
next_event(struct follower *f, struct bh_event *ev)
{
	for (;;) {
		const struct bh_event *slot = &f->slots[f->pos & f->mask];
		uint64_t seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
		ck_assert_msg((seq & ~BH_SEQ_CONT) <= f->pos + 1, "the ring has overtaken its reader");
		if ((seq & ~BH_SEQ_CONT) != f->pos + 1)
			return false;
		f->pos++;
		if (seq & BH_SEQ_CONT)
			continue;
		*ev = *slot;
		return true;
	}
}

/* ------------------------------------------------------------------ what was written, and what came of it */

enum class { MOVE, TURN, PRESS, RELEASE };

struct item {
	uint64_t stamp;
	enum class class;
};

struct list {
	struct item item[BATCH_MAX];
	unsigned n;
};

struct sent {
	enum class class;
	uint8_t driver;
};

static struct follower before[DESKS], behind[DRIVERS], told[DRIVERS];
static struct list in[DESKS][DRIVERS], out[DESKS][DRIVERS]; /* of the round */
static struct sent sent[DESKS][BATCH_MAX];
static unsigned sent_n[DESKS];
static uint16_t desk_slot[DESKS];
static uint32_t level_id[DRIVERS][DESKS], pan_id[DRIVERS][DESKS];
static uint32_t position[DESKS][DRIVERS];
static int ticks[DESKS][DRIVERS];
static uint64_t actions[DRIVERS], drops[DRIVERS], inputs, outputs; /* since the beginning */
static uint32_t last_action[DRIVERS];

static void
add(struct list *l, enum class class, uint64_t stamp)
{
	ck_assert_uint_lt(l->n, BATCH_MAX);
	l->item[l->n++] = (struct item){stamp, class};
}

static size_t
put_message(uint8_t *bytes, unsigned n, unsigned k, enum class class)
{
	int turn = ticks[n][k] > 0 ? -1 - rand() % 9 : 1 + rand() % 9;
	ck_assert_uint_lt(sent_n[n], BATCH_MAX);
	sent[n][sent_n[n]++] = (struct sent){class, (uint8_t)k};
	switch (class) {
	case MOVE:
		position[n][k] = position[n][k] > 12000 ? 4000 + (uint32_t)(rand() % 64) * 4 : position[n][k] + 40 + (uint32_t)(rand() % 64) * 4;
		bytes[0] = (uint8_t)(0xe0 + k);
		bytes[1] = position[n][k] & 0x7f;
		bytes[2] = (uint8_t)(position[n][k] >> 7);
		break;
	case TURN:
		ticks[n][k] += turn;
		bytes[0] = 0xb0;
		bytes[1] = (uint8_t)(0x10 + k);
		bytes[2] = (uint8_t)(turn > 0 ? turn : 0x40 - turn);
		break;
	case PRESS:
	case RELEASE:
		bytes[0] = 0x90;
		bytes[1] = (uint8_t)k;
		bytes[2] = class == PRESS ? 0x7f : 0;
		break;
	}
	return 3;
}

/* A batch of every class for every driver, in an order that differs from round to round. */
static size_t
make_batch(uint8_t *bytes, unsigned n)
{
	size_t len = 0;
	unsigned first = (unsigned)rand() % DRIVERS;
	sent_n[n] = 0;
	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; i < DRIVERS; i++) {
			unsigned k = (first + i) % DRIVERS;
			len += put_message(bytes + len, n, k, MOVE);
			len += put_message(bytes + len, n, k, TURN);
			if (turn == 0 || rand() % 2) {
				len += put_message(bytes + len, n, k, PRESS);
				len += put_message(bytes + len, n, k, MOVE);
				len += put_message(bytes + len, n, k, RELEASE);
			}
		}
	return len;
}

/* Desk n's events of the round, against what was written to it: the same, one by one. */
static void
read_desk(unsigned n, unsigned *at)
{
	static const uint8_t kind[] = {[MOVE] = BH_EV_VALUE, [TURN] = BH_EV_RELATIVE, [PRESS] = BH_EV_PRESS, [RELEASE] = BH_EV_RELEASE};
	struct bh_event ev;
	while (next_event(&before[n], &ev)) {
		ck_assert_msg(*at < sent_n[n], "desk %u tells more than was written", n + 1);
		const struct sent *s = &sent[n][(*at)++];
		ck_assert_msg(ev.kind == kind[s->class], "desk %u tells kind %u where %u was written", n + 1, ev.kind, kind[s->class]);
		inputs++;
		if (s->class != RELEASE)
			add(&in[n][s->driver], s->class, ev.stamp_ns);
	}
}

static unsigned
desk_of(uint16_t slot)
{
	for (unsigned n = 0; n < DESKS; n++)
		if (desk_slot[n] == slot)
			return n;
	ck_abort_msg("an action comes from slot %u", slot);
}

static void
read_driver(unsigned k)
{
	struct bh_event ev;
	while (next_event(&behind[k], &ev)) {
		if (ev.kind == BH_EV_ACTION) {
			ck_assert_msg(ev.gen == last_action[k] + 1, "driver %u: action %u follows %u", k + 1, ev.gen, last_action[k]);
			last_action[k] = ev.gen;
			actions[k]++;
			add(&out[desk_of((uint16_t)(ev.total >> 16))][k], PRESS, ev.stamp_ns);
		} else if (ev.kind == BH_EV_VALUE) {
			for (unsigned n = 0; n < DESKS; n++)
				if (ev.id == level_id[k][n] || ev.id == pan_id[k][n])
					add(&out[n][k], ev.id == level_id[k][n] ? MOVE : TURN, ev.stamp_ns);
		} else {
			continue;
		}
		outputs++;
	}
	while (next_event(&told[k], &ev))
		drops[k] += ev.kind == BH_EV_DROPPED && !ev.v.u[1];
}

static bool
all_taken(const struct bh_self *router)
{
	for (unsigned n = 0; n < DESKS; n++)
		if (__atomic_load_n(&router->cursor[desk_slot[n]], __ATOMIC_ACQUIRE) != before[n].pos)
			return false;
	for (unsigned k = 0; k < DRIVERS; k++) {
		char name[8];
		snprintf(name, sizeof(name), "m%u", k + 1);
		read_driver(k);
		if (__atomic_load_n(&pipeline_self(&pl, name)->cursor[BH_SLOT_ROUTER], __ATOMIC_ACQUIRE) != behind[k].pos)
			return false;
	}
	return true;
}

/* A successor is there; all that was written has been told, all that was told has been taken, and so has all that came of it. */
static bool
round_is_over(pid_t killed, unsigned *at)
{
	bool all = true;
	for (unsigned n = 0; n < DESKS; n++) {
		lane_drain(&desk[n]);
		read_desk(n, &at[n]);
		all &= at[n] == sent_n[n];
	}
	return all && pipeline_pid(&pl, "router") != killed && pipeline_is_ok(&pl, "router") && all_taken(pipeline_self(&pl, "router"));
}

static void
expect_the_same(unsigned round)
{
	for (unsigned n = 0; n < DESKS; n++)
		for (unsigned k = 0; k < DRIVERS; k++) {
			const struct list *a = &in[n][k], *b = &out[n][k];
			for (unsigned i = 0; i < a->n && i < b->n; i++)
				ck_assert_msg(a->item[i].stamp == b->item[i].stamp && a->item[i].class == b->item[i].class,
					      "round %u, desk %u to driver %u: event %u of %u is another behind the router\n%s", round,
					      n + 1, k + 1, i, a->n, pipeline_log(&pl));
			ck_assert_msg(a->n == b->n, "round %u, desk %u to driver %u: %u events before the router, %u behind\n%s", round,
				      n + 1, k + 1, a->n, b->n, pipeline_log(&pl));
		}
}

/* ------------------------------------------------------------------ the kill */

static struct {
	unsigned kills, mid_batch, served;
	double *ms;
} tally;

static uint64_t
count_of(const struct bh_self *self, enum bh_counter c)
{
	return __atomic_load_n(&self->counter[c], __ATOMIC_ACQUIRE);
}

static uint64_t
lives_of(const struct bh_self *self)
{
	return __atomic_load_n(&self->attach_count, __ATOMIC_ACQUIRE);
}

/* How much of the batch has been told and not taken. */
static uint64_t
left_behind(const struct bh_self *router)
{
	uint64_t left = 0;
	for (unsigned n = 0; n < DESKS; n++) {
		struct follower f = before[n];
		struct bh_event ev;
		while (next_event(&f, &ev))
			;
		left += f.pos - __atomic_load_n(&router->cursor[desk_slot[n]], __ATOMIC_ACQUIRE);
	}
	return left;
}

/* After the router has taken so many events more; it may have been idle for long by then, if the machine is busy. */
static void
wait_for_progress(const struct bh_self *router, uint64_t from, unsigned events)
{
	uint64_t until = bh_mono_ns() + 50 * BH_NS_PER_MS;
	while (count_of(router, BH_CNT_EVENTS_IN) - from < events && bh_mono_ns() < until)
		;
}

/* Returns whom. */
static pid_t
kill_router(bool all_at_once, unsigned events)
{
	const struct bh_self *router = pipeline_self(&pl, "router");
	pid_t pid = pipeline_pid(&pl, "router");
	uint64_t lives = lives_of(router), from = count_of(router, BH_CNT_EVENTS_IN);
	if (all_at_once)
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	ck_assert_int_ge(fd, 0);
	wait_for_progress(router, from, (unsigned)rand() % events);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	struct pollfd dead = {.fd = fd, .events = POLLIN};
	ck_assert_int_eq(poll(&dead, 1, 60000), 1);
	close(fd);
	uint64_t left = left_behind(router), taken = count_of(router, BH_CNT_EVENTS_IN);
	tally.kills++;
	if (!left || lives_of(router) != lives)
		return pid; /* it met an idle router, or we came too late to tell */
	tally.mid_batch++;
	ck_assert_msg(pipeline_until(10000, lives_of(router) != lives && count_of(router, BH_CNT_EVENTS_IN) != taken),
		      "no successor takes an event\n%s", pipeline_log(&pl));
	uint64_t now = bh_now_ns();
	struct bh_proc_body b;
	if (!pipeline_body(&pl, "router", &b) || (pid_t)b.pid == pid || b.started_ns >= now)
		return pid;
	tally.ms[tally.served++] = (double)(now - b.started_ns) / 1e6;
	return pid;
}

static void
one_round(unsigned round)
{
	static uint8_t bytes[DESKS][3 * BATCH_MAX];
	size_t len[DESKS];
	unsigned at[DESKS] = {0}, events = 0;
	bool all_at_once = round % 2;
	memset(in, 0, sizeof(in));
	memset(out, 0, sizeof(out));
	for (unsigned n = 0; n < DESKS; n++) {
		len[n] = make_batch(bytes[n], n);
		events += sent_n[n];
	}
	if (all_at_once)
		ck_assert_int_eq(kill(pipeline_pid(&pl, "router"), SIGSTOP), 0);
	for (unsigned n = 0; n < DESKS; n++)
		lane_send(&desk[n], bytes[n], len[n]);
	if (all_at_once)
		usleep(8000); /* for the desks to tell it; what is not told by then comes later */
	pid_t killed = kill_router(all_at_once, events);
	ck_assert_msg(pipeline_until(20000, round_is_over(killed, at)), "round %u does not end\n%s", round, pipeline_log(&pl));
	expect_the_same(round);
}

/* ------------------------------------------------------------------ who notices */

static const char *
peer_name(unsigned i)
{
	static char name[8];
	snprintf(name, sizeof(name), "%c%u", i < DESKS ? 'd' : 'm', i % DESKS + 1);
	return name;
}

struct notice {
	uint64_t pid, lives, reconnects, health_ns, judged_ns;
};

static struct notice
notice_of(const char *name)
{
	const struct bh_self *self = pipeline_self(&pl, name);
	struct bh_health_record h = {0};
	struct bh_proc_body b;
	ck_assert(self && pipeline_body(&pl, name, &b));
	bh_health_read(self, &h);
	return (struct notice){(uint64_t)pipeline_pid(&pl, name), lives_of(self), count_of(self, BH_CNT_RECONNECTS), h.since_ns, b.health.since_ns};
}

static void
expect_unnoticed(const struct notice *were)
{
	for (unsigned i = 0; i < DESKS + DRIVERS; i++) {
		struct notice is = notice_of(peer_name(i));
		ck_assert_msg(memcmp(&is, &were[i], sizeof(is)) == 0, "%s has noticed: pid %u, was %u; %u connections, were %u; health of %llu, was of %llu, as judged of %llu, was of %llu\n%s",
			      peer_name(i), (unsigned)is.pid, (unsigned)were[i].pid, (unsigned)is.reconnects, (unsigned)were[i].reconnects,
			      (unsigned long long)is.health_ns, (unsigned long long)were[i].health_ns, (unsigned long long)is.judged_ns,
			      (unsigned long long)were[i].judged_ns, pipeline_log(&pl));
	}
	for (unsigned n = 0; n < DESKS; n++)
		ck_assert_msg(!lane_was_dropped(&desk[n]), "desk %u was connected anew", n + 1);
}

/* ------------------------------------------------------------------ side effects */

static uint64_t
dropped_by_record(unsigned k)
{
	uint32_t count = 0;
	struct bh_proc_body b;
	struct bh_rec_peer p;
	char name[8];
	const struct bh_record *rec = bh_seg_section(pipeline_seg(&pl, "router.state"), BH_SEC_RECORDS, sizeof(*rec), &count);
	snprintf(name, sizeof(name), "m%u", k + 1);
	ck_assert(pipeline_body(&pl, name, &b));
	for (unsigned s = BH_SLOT_FIRST_FREE; s < BH_MAX_SLOTS; s++)
		if (bh_record_read(&rec[BH_REC_PEER(s)], NULL, &p) == 1 && p.tag == BH_REC_TAG_PEER && p.name_hash == bh_name_hash(name))
			return p.dropped;
	return 0;
}

static bool
effects_agree(char *why, size_t cap)
{
	static const struct bh_taper_range range = {BH_TAPER_FADER_DB, -90, 10, 0};
	for (unsigned k = 0; k < DRIVERS; k++) {
		char name[8], param[32];
		snprintf(name, sizeof(name), "m%u", k + 1);
		read_driver(k);
		for (unsigned n = 0; n < DESKS; n++) {
			snprintf(param, sizeof(param), "ch%u/level", n + 1);
			double level = bh_taper_position(&range, pipeline_number(&pl, name, param));
			snprintf(param, sizeof(param), "ch%u/pan", n + 1);
			double pan = pipeline_number(&pl, name, param);
			snprintf(why, cap, "%s channel %u: level at %.1f, the fader at %u; pan at %.6f after %d ticks", name, n + 1, level * 16380,
				 position[n][k], pan, ticks[n][k]);
			if (fabs(level - position[n][k] / 16380.0) > 8 / 16380.0 || fabs(pan - 0.001 * ticks[n][k]) > 1e-6)
				return false;
		}
		double done = pipeline_number(&pl, name, "ledger/actions");
		snprintf(why, cap, "%s: %llu actions asked of it, %.0f done, %llu told as dropped, %llu counted", name,
			 (unsigned long long)actions[k], done, (unsigned long long)drops[k], (unsigned long long)dropped_by_record(k));
		if ((uint64_t)done + drops[k] != actions[k] || drops[k] != dropped_by_record(k))
			return false;
		snprintf(why, cap, "%s: an action was done twice, or late", name);
		if (pipeline_number(&pl, name, "ledger/twice") != 0 || (k < IMPATIENT && drops[k]))
			return false;
	}
	return true;
}

static void
prepare(void)
{
	static char yaml[1 << 16];
	char name[8], param[32];
	write_room(yaml, sizeof(yaml));
	pipeline_prepare(&pl, yaml);
	for (unsigned n = 0; n < DESKS; n++)
		lane_listen(&desk[n], &pl, peer_name(n));
	pipeline_run(&pl);
	for (unsigned n = 0; n < DESKS; n++)
		lane_connect(&desk[n], "", "");
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	for (unsigned n = 0; n < DESKS; n++) {
		uint8_t touch[3 * 7];
		for (unsigned k = 1; k < DRIVERS; k++) {
			touch[3 * k - 3] = 0x90;
			touch[3 * k - 2] = (uint8_t)(0x68 + k);
			touch[3 * k - 1] = 0x7f;
		}
		lane_send(&desk[n], touch, sizeof(touch));
	}
	for (unsigned n = 0; n < DESKS; n++) {
		uint32_t at = 0;
		struct bh_event ev;
		follow(&before[n], peer_name(n), "router");
		/* All eight fingers must lie before the first batch counts. */
		before[n].pos = 0;
		ck_assert(pipeline_until(10000, ({ while (next_event(&before[n], &ev)) at += ev.kind == BH_EV_TOUCH; at == DRIVERS; })));
		snprintf(param, sizeof(param), "d%u>router", n + 1);
		desk_slot[n] = pipeline_seg(&pl, param)->head.writer;
		for (unsigned k = 0; k < DRIVERS; k++)
			position[n][k] = 4000 + 40 * k;
	}
	for (unsigned k = 0; k < DRIVERS; k++) {
		struct bh_dir_record r;
		snprintf(name, sizeof(name), "m%u", k + 1);
		follow(&behind[k], "router", name);
		follow(&told[k], name, "router");
		for (unsigned n = 0; n < DESKS; n++) {
			snprintf(param, sizeof(param), "ch%u/level", n + 1);
			ck_assert(pipeline_param(&pl, name, param, &r));
			level_id[k][n] = r.index;
			snprintf(param, sizeof(param), "ch%u/pan", n + 1);
			ck_assert(pipeline_param(&pl, name, param, &r));
			pan_id[k][n] = r.index;
		}
	}
}

START_TEST(a_router_killed_in_mid_batch_takes_each_event_once_and_nobody_notices)
{
	unsigned kills = (unsigned)bound("BH_KILLS", 100, 1000), round = 0;
	struct notice were[DESKS + DRIVERS];
	char why[200];
	srand((unsigned)bound("BH_SEED", 1, 1));
	tally.ms = calloc(kills, sizeof(*tally.ms));
	ck_assert_ptr_nonnull(tally.ms);
	prepare();
	for (unsigned i = 0; i < DESKS + DRIVERS; i++)
		were[i] = notice_of(peer_name(i));
	for (; tally.mid_batch < kills && round < 4 * kills; round++)
		one_round(round);
	ck_assert_msg(pipeline_until(20000, effects_agree(why, sizeof(why))), "%s\n%s", why, pipeline_log(&pl));
	expect_unnoticed(were);

	uint64_t pressed = 0, dropped = 0;
	for (unsigned k = 0; k < DRIVERS; k++) {
		pressed += actions[k];
		dropped += drops[k];
	}
	struct bench_figures took = {0};
	struct bh_proc_body b = {0};
	if (tally.served)
		bench_quantiles(tally.ms, tally.served, &took);
	pipeline_body(&pl, "router", &b);
	bench_print("router_storm", "bench", "%u kills of the router, %u of them with events before it; 8 desks, 8 drivers", tally.kills, tally.mid_batch);
	bench_print("router_storm", "figure", "%llu events in the rings to the router, %llu in those behind it, in order, each once",
		    (unsigned long long)inputs, (unsigned long long)outputs);
	bench_print("router_storm", "figure", "%llu actions asked for, %llu done, %llu dropped as late, each told by number; none twice",
		    (unsigned long long)pressed, (unsigned long long)(pressed - dropped), (unsigned long long)dropped);
	bench_print("router_storm", "figure", "from its start until it takes an event: p50 %.2f ms, p99 %.2f ms (%u starts; of all %u, %u by a spare)",
		    took.p50, took.p99, tally.served, b.restarts, b.warm_starts);
	bench_print("router_storm", "bar", "serving p50: %.2f ms <= 5 ms %s", took.p50, took.p50 <= 5 ? "met" : "missed");
	bench_print("router_storm", "bar", "serving p99: %.2f ms <= 5 ms %s", took.p99, took.p99 <= 5 ? "met" : "missed");
	bench_count("router_storm", "desks and drivers that noticed", 0, 0);
	free(tally.ms);
}
END_TEST

static void
teardown(void)
{
	pipeline_stop(&pl);
	for (unsigned n = 0; n < DESKS; n++)
		lane_close(&desk[n]);
	pipeline_clean(&pl);
}

int
main(void)
{
	Suite *s = suite_create("router storm");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_router_killed_in_mid_batch_takes_each_event_once_and_nobody_notices);
	tcase_set_timeout(t, (double)bound("BH_TIMEOUT", 300, 14000));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
