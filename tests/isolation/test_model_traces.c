/*
 * test_model_traces.c - what the model does, done by the code
 *
 * Spin runs a model of tests/model at random, one line for each operation (OPERATION and SAY in memory.pml). Each line is carried out here
 * by the real function on real segments, kills and successors too, and what it says must be what is there: positions, what was
 * taken, whether somebody was rung, whether a sleeper would sleep. A line without a function here is a failure.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "procs/router/engine.h"
#include "shm/latch.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pair.h"

static unsigned long lines;
static char line[128];
static char trace[200]; /* what makes this one again */

static void __attribute__((format(printf, 2, 3)))
require(bool holds, const char *format, ...)
{
	char what[128];
	va_list ap;
	if (holds)
		return;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	line[strcspn(line, "\n")] = '\0';
	ck_abort_msg("\"%s\": %s; %s", line, what, trace);
}

static void
require_eq(uint64_t is, uint64_t ought, const char *what)
{
	require(is == ought, "%s is %llu and not %llu", what, (unsigned long long)is, (unsigned long long)ought);
}

/* Does the line say this? Its numbers go to `n`. */
static bool
says(const char *format, unsigned n[8])
{
	int end = 0;
	char whole[96];
	snprintf(whole, sizeof(whole), "%s%%n", format);
	memset(n, 0, 8 * sizeof(*n));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	unsigned numbers = 0;
	for (const char *c = format; *c; c++)
		numbers += *c == '%';
	int *at = &end;
	void *to[9];
	for (unsigned k = 0; k < 9; k++)
		to[k] = k < numbers ? (void *)&n[k] : (void *)at;
	sscanf(line, whole, to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7], to[8]);
#pragma GCC diagnostic pop
	return end > 0 && line[end] == '\n';
}

/* Run one trace: `step` is called for each line. */
static void
replay(const char *model, const char *bounds, unsigned seed, void (*step)(void))
{
	char command[512];
	const char *src = getenv("BH_SRC");
	snprintf(trace, sizeof(trace), "spin -DTRACE %s -T -n%u -u20000 tests/model/%s.pml", bounds, seed, model);
	/* In a folder of its own: spin leaves files behind. */
	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && cd \"$d\" && spin -DTRACE %s -T -n%u -u20000 '%s/tests/model/%s.pml'; rm -rf \"$d\"", bounds, seed, src, model);
	FILE *f = popen(command, "re");
	ck_assert_ptr_nonnull(f);
	unsigned n = 0;
	while (fgets(line, sizeof(line), f) && strncmp(line, "timeout", 7) != 0 && line[0] != '-') {
		step();
		n++;
	}
	while (fgets(line, sizeof(line), f))
		ck_assert_msg(!strstr(line, "assert"), "the model itself fails: %s; %s", line, trace);
	pclose(f);
	ck_assert_msg(n > 5, "no trace came: is spin installed? %s", trace);
	lines += n;
}

/* ------------------------------------------------------------------ ring.pml */

static struct pair p;

static void
ring_push(unsigned more, int ought)
{
	static const char payload[BH_CONT_BYTES];
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = (uint32_t)p.ob.ring.pos};
	require_eq((uint64_t)bh_ring_push(&p.ob.ring, &ev, payload, more * 10), (uint64_t)ought, "bh_ring_push()");
}

static void
ring_step(void)
{
	unsigned n[8];
	struct bh_event ev;
	if (says("tx_attach pos %u seen %u", n)) {
		bh_outbox_detach(&p.ob);
		pair_attach_producer(&p);
		require_eq(p.ob.ring.pos, n[0], "pos");
		require_eq(p.ob.ring.seen, n[1], "seen");
		require(!p.ob.ring.realigned, "realigned");
	} else if (says("rx_attach pos %u", n)) {
		bh_inbox_detach(&p.ib);
		pair_attach_consumer(&p);
		require_eq(p.ib.ring.pos, n[0], "pos");
		require(!p.ib.ring.jumped, "jumped");
	} else if (says("push ok more %u pos %u", n)) {
		ring_push(n[0], 0);
		require_eq(p.ob.ring.pos, n[1], "pos");
	} else if (says("push full more %u pos %u", n)) {
		ring_push(n[0], -ENOSPC);
		require_eq(p.ob.ring.pos, n[1], "pos");
	} else if (says("peek there pos %u more %u", n)) {
		require_eq((uint64_t)bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL), 1, "bh_ring_peek()");
		require_eq(ev.id, n[0], "the event");
		require_eq(ev.cont, n[1], "cont");
		require(bh_ring_has(&p.ib.ring), "bh_ring_has()");
	} else if (says("peek none pos %u", n)) {
		require_eq((uint64_t)bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL), 0, "bh_ring_peek()");
		require_eq(p.ib.ring.pos, n[0], "pos");
	} else if (says("advance pos %u", n)) {
		bh_ring_advance(&p.ib.ring, &ev);
		require_eq(p.ib.ring.pos, n[0], "pos");
		require_eq(p.b_ro->cursor[PAIR_A], n[0], "cursor");
	} else {
		require(says("producer_dies", n) || says("consumer_dies", n), "has no function");
	}
}

/* ------------------------------------------------------------------ bell.pml */

static struct bh_bell_wait wait_on;
static bool late, cells_due;

static void
bell_producer_step(const unsigned n[8], bool conflate)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .gen = n[0], .v.i = n[0]};
	if (conflate) {
		require_eq((uint64_t)bh_outbox_conflate(&p.ob, &ev, NULL, 0), 1, "bh_outbox_conflate()");
		require_eq(p.ob.ring.pos, n[1], "pos");
	} else {
		require_eq((uint64_t)bh_outbox_put(&p.ob, &ev, NULL, 0), !n[1], "bh_outbox_put()");
		require_eq(p.ob.ring.pos, n[2], "pos");
	}
}

static void
bell_take(unsigned there, unsigned pos)
{
	struct bh_event ev;
	uint64_t now;
	require_eq((uint64_t)bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL), there, "bh_ring_peek()");
	bh_ring_advance(&p.ib.ring, &ev);
	require_eq(p.ib.ring.pos, pos, "pos");
	if (there && ev.kind == BH_EV_RESYNC)
		p.ib.overflow_seen = ~0ull;
	cells_due = !there && bh_inbox_overflowed(&p.ib, &now);
}

static void
bell_cells(unsigned value)
{
	struct bh_cell_body body = {0};
	uint64_t now;
	require(bh_inbox_overflowed(&p.ib, &now), "bh_inbox_overflowed()");
	require_eq((uint64_t)bh_inbox_cell(&p.ib, 0, &body), value != 0, "bh_inbox_cell()");
	require_eq(value ? body.gen : 0, value, "the cell");
	p.ib.overflow_seen = now;
}

static void
bell_sleep(unsigned sleeps)
{
	/* A deadline that has passed: 0 = it would have slept. */
	require_eq((uint64_t)bh_bell_sleep(&wait_on, 1, 1), !sleeps, "bh_bell_sleep()");
}

static void
bell_step(void)
{
	unsigned n[8];
	bool due = cells_due;
	cells_due = false;
	if (says("cells waker 0 value %u", n)) {
		require(due, "nothing has overflowed");
		bell_cells(n[0]);
		return;
	}
	require(!due, "the cells ought to be looked at");
	if (says("tx_attach waker 0 pos %u", n)) {
		bh_outbox_detach(&p.ob);
		pair_attach_producer(&p);
		bh_bell_ring_always(&p.ob.bell);
		require_eq(p.ob.ring.pos, n[0], "pos");
	} else if (says("rx_attach", n)) {
		bh_inbox_detach(&p.ib);
		pair_attach_consumer(&p);
	} else if (says("put waker 0 value %u ring %u pos %u", n)) {
		bell_producer_step(n, false);
	} else if (says("conflate waker 0 value %u pos %u", n)) {
		bell_producer_step(n, true);
	} else if (says("flush waker 0 rang %u", n)) {
		uint64_t calls = p.a->counter[BH_CNT_BELLS];
		require_eq((uint64_t)bh_outbox_flush(&p.ob), n[0], "bh_outbox_flush()");
		require_eq(p.a->counter[BH_CNT_BELLS] - calls, n[0], "calls");
	} else if (says("take waker 0 there %u pos %u", n)) {
		bell_take(n[0], n[1]);
	} else if (says("announce late %u episode %u", n)) {
		late = n[0];
		if (!late)
			wait_on.word = bh_ring_word(&p.ib.ring, &wait_on.value);
		bh_bell_announce(p.b);
		require_eq(p.b->bell.episode, n[1], "episode");
	} else if (says("look work %u", n)) {
		require_eq(bh_inbox_pending(&p.ib), n[0], "bh_inbox_pending()");
		if (late)
			wait_on.word = bh_ring_word(&p.ib.ring, &wait_on.value);
	} else if (says("sleep %u", n)) {
		bell_sleep(n[0]);
	} else if (says("awake episode %u", n)) {
		bh_bell_awake(p.b);
		require_eq(p.b->bell.episode, n[0], "episode");
	} else if (says("sleeper_dies fresh %u", n)) {
		if (n[0]) {
			p.b->bell.episode = 0;
			p.ob.bell.sleeper = NULL; /* it still has the old one, until it is told */
		}
	} else {
		require(says("waker_dies waker 0 upto %u", n), "has no function");
	}
}

/* ------------------------------------------------------------------ redo.pml */

enum { IN0 = 4, IN1, OUT0, OUT1, PEERS };

static struct {
	struct bh_seg_fds self, state, priv, to[PEERS], from[PEERS], peer[PEERS];
	struct bh_seg self_seg, state_seg, priv_seg, peer_seg[PEERS];
	struct bh_self *own, *peer_self[PEERS];
	struct bh_inbox in[PEERS], consumer[PEERS];
	struct bh_outbox out[PEERS];
	struct router r;
	uint32_t in_now, sum, count;
} h;

#define FOR_PRODUCERS(k) for (unsigned k = IN0; k <= IN1; k++)
#define FOR_CONSUMERS(k) for (unsigned k = OUT0; k <= OUT1; k++)

static void
must(int ret)
{
	ck_assert_int_ge(ret, 0);
}

static void
redo_build(void)
{
	memset(&h, 0, sizeof(h));
	must(bh_seg_create_self(&h.self, "router.self", BH_SLOT_ROUTER, 1));
	must(bh_seg_create_state(&h.state, "router.state", BH_SLOT_ROUTER, 1, 128));
	must(bh_seg_create_private(&h.priv, "router.private", BH_SLOT_ROUTER, 1, 128u << 10, 0, 0));
	must(bh_seg_map(&h.self_seg, h.self.rw, BH_SEG_SELF, true));
	must(bh_seg_map(&h.state_seg, h.state.rw, BH_SEG_STATE, true));
	must(bh_seg_map(&h.priv_seg, h.priv.rw, BH_SEG_PRIVATE, true));
	h.own = bh_seg_section(&h.self_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	for (unsigned k = IN0; k < PEERS; k++) {
		must(bh_seg_create_self(&h.peer[k], "peer.self", (uint16_t)k, 1));
		must(bh_seg_map(&h.peer_seg[k], h.peer[k].rw, BH_SEG_SELF, true));
		h.peer_self[k] = bh_seg_section(&h.peer_seg[k], BH_SEC_SELF, sizeof(struct bh_self), NULL);
	}
	FOR_PRODUCERS(k) {
		struct bh_outbox ob;
		must(bh_seg_create_outbox(&h.from[k], "peer>router", (uint16_t)k, BH_SLOT_ROUTER, 1, 16, 0));
		must(bh_outbox_attach(&ob, h.from[k].rw, h.peer_self[k], h.own, -1));
		for (unsigned n = 0; n < 3; n++) {
			const struct bh_event ev = {.kind = BH_EV_REQUEST, .id = n};
			must(bh_outbox_send(&ob, &ev, NULL, 0));
		}
		bh_outbox_detach(&ob);
	}
	FOR_CONSUMERS(k) {
		must(bh_seg_create_outbox(&h.to[k], "router>peer", BH_SLOT_ROUTER, (uint16_t)k, 1, 16, 2));
		must(bh_inbox_attach(&h.consumer[k], h.to[k].ro, h.peer_self[k], BH_SLOT_ROUTER));
	}
}

static void
redo_die(void)
{
	FOR_PRODUCERS(k)
		bh_inbox_detach(&h.in[k]);
	FOR_CONSUMERS(k)
		bh_outbox_detach(&h.out[k]);
	router_fini(&h.r);
	memset(&h.r, 0, sizeof(h.r));
}

static void
redo_pull_down(void)
{
	redo_die();
	FOR_CONSUMERS(k)
		bh_inbox_detach(&h.consumer[k]);
	bh_seg_unmap(&h.self_seg);
	bh_seg_unmap(&h.state_seg);
	bh_seg_unmap(&h.priv_seg);
	pair_fds_close(&h.self);
	pair_fds_close(&h.state);
	pair_fds_close(&h.priv);
	for (unsigned k = IN0; k < PEERS; k++) {
		bh_seg_unmap(&h.peer_seg[k]);
		pair_fds_close(&h.peer[k]);
		pair_fds_close(k <= IN1 ? &h.from[k] : &h.to[k]);
	}
}

static uint64_t
redo_record(uint32_t k)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {0};
	must(bh_record_read(&h.r.records[100 + k], NULL, data));
	return data[1];
}

/* The real successor: router_recover(). */
static void
redo_recover(const unsigned n[8])
{
	must(router_init(&h.r, &h.state_seg, &h.priv_seg, h.own));
	FOR_PRODUCERS(k) {
		must(bh_inbox_attach(&h.in[k], h.from[k].ro, h.own, (uint16_t)k));
		router_peer_changed(&h.r, (uint16_t)k, &h.in[k], NULL, NULL);
	}
	FOR_CONSUMERS(k) {
		must(bh_outbox_attach(&h.out[k], h.to[k].rw, h.own, h.peer_self[k], -1));
		router_peer_changed(&h.r, (uint16_t)k, NULL, &h.out[k], NULL);
	}
	require_eq((uint64_t)router_recover(&h.r), 0, "records that are bad");
	require_eq(h.r.journal.txn, n[0], "txn");
	require_eq(redo_record(0), n[1], "sum");
	require_eq(redo_record(1), n[2], "count");
	require_eq(h.out[OUT0].ring.pos, n[3], "pos of 0");
	require_eq(h.out[OUT1].ring.pos, n[4], "pos of 1");
	require_eq(h.own->cursor[IN0], n[5], "cursor of 0");
	require_eq(h.own->cursor[IN1], n[6], "cursor of 1");
}

static void
redo_value(uint32_t record, uint32_t value, bool commit)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {0, value};
	if (commit)
		must(bh_journal_change(&h.r.journal, 100 + record, h.count, data));
	else
		bh_record_write(&h.r.records[100 + record], h.count, data);
}

static void
redo_output(uint16_t slot, uint8_t kind, uint16_t flags)
{
	struct bh_journal_output out = {.slot = slot, .flags = flags};
	out.ev = (struct bh_event){.kind = kind, .type = kind == BH_EV_VALUE ? BH_INT : BH_NONE, .gen = h.count, .v.i = h.count};
	if (kind == BH_EV_ACTION)
		out.ev.id = h.count;
	out.v.i = h.count;
	must(bh_journal_output(&h.r.journal, &out));
}

static void
redo_commit(const unsigned n[8])
{
	h.in_now = n[1];
	h.sum = n[3];
	h.count = n[4];
	bh_journal_begin(&h.r.journal, (uint16_t)(IN0 + n[1]), BH_EV_REQUEST, n[2], 1);
	redo_value(0, h.sum, true);
	redo_value(1, h.count, true);
	redo_output(OUT0, BH_EV_ACTION, BH_OUT_PUSH);
	if (h.in_now) {
		redo_output(OUT1, BH_EV_VALUE, BH_OUT_CELL);
		redo_output(OUT1, BH_EV_ACTION, BH_OUT_PUSH);
	}
	FOR_CONSUMERS(k)
		bh_journal_outbox_end(&h.r.journal, (uint16_t)k, h.out[k].ring.pos);
	require_eq(bh_journal_commit(&h.r.journal), n[0], "txn");
}

static void
redo_publish(const unsigned n[8])
{
	struct bh_event action = {.kind = BH_EV_ACTION, .id = h.count};
	struct bh_event value = {.kind = BH_EV_VALUE, .type = BH_INT, .gen = h.count, .v.i = h.count};
	must(bh_outbox_send(&h.out[OUT0], &action, NULL, 0));
	if (h.in_now) {
		must(bh_outbox_conflate(&h.out[OUT1], &value, NULL, 0));
		must(bh_outbox_send(&h.out[OUT1], &action, NULL, 0));
	}
	require_eq(h.out[OUT0].ring.pos, n[0], "pos of 0");
	require_eq(h.out[OUT1].ring.pos, n[1], "pos of 1");
}

static void
redo_consume(unsigned which, unsigned ought)
{
	struct bh_ring_rx *rx = &h.consumer[which].ring;
	struct bh_event ev;
	require_eq((uint64_t)bh_ring_peek(rx, &ev, NULL, 0, NULL), 1, "bh_ring_peek()");
	bh_ring_advance(rx, &ev);
	require_eq(which == OUT0 ? ev.id : rx->pos, ought, "what came");
}

static void
redo_step(void)
{
	unsigned n[8];
	if (says("recover txn %u sum %u count %u pos %u %u cursor %u %u", n)) {
		redo_recover(n);
	} else if (says("commit txn %u input %u cursor %u sum %u count %u", n)) {
		redo_commit(n);
	} else if (says("apply sum %u count %u", n)) {
		redo_value(0, n[0], false);
		redo_value(1, n[1], false);
	} else if (says("publish pos %u %u", n)) {
		redo_publish(n);
	} else if (says("seek input %u cursor %u", n)) {
		bh_ring_seek(&h.in[IN0 + n[0]].ring, n[1]);
	} else if (says("consume0 %u", n)) {
		redo_consume(OUT0, n[0]);
	} else if (says("consume1 %u", n)) {
		redo_consume(OUT1, n[0]);
	} else {
		require(says("router_dies", n), "has no function");
		redo_die();
	}
}

/* ------------------------------------------------------------------ the tests */

static unsigned
traces(void)
{
	return (unsigned)bound("BH_TRACES", 100, 4000);
}

static void
report(const char *model)
{
	bench_print("model_traces", "figure", "%s: %u traces, %lu operations, each as the code does it", model, traces(), lines);
}

START_TEST(the_ring_does_what_its_model_does)
{
	for (unsigned seed = 1; seed <= traces(); seed++) {
		pair_init(&p, 4, 0);
		ring_push(0, 0);
		ring_push(0, 0);
		replay("ring", "-DLAST=30 -DKILLS=4", seed, ring_step);
		pair_fini(&p);
	}
	report("ring");
}
END_TEST

START_TEST(the_bell_and_the_cells_do_what_their_model_does)
{
	for (unsigned seed = 1; seed <= traces(); seed++) {
		pair_init(&p, 2, 1);
		replay("bell", "-DVALUES=12 -DKILLS=3 -DSLOTS=2 -DNO_PIPE", seed, bell_step);
		pair_fini(&p);
	}
	report("bell");
}
END_TEST

START_TEST(the_router_and_its_successor_do_what_their_model_does)
{
	for (unsigned seed = 1; seed <= traces(); seed++) {
		redo_build();
		replay("redo", "-DFIRST=2 -DSECOND=2 -DKILLS=4", seed, redo_step);
		redo_pull_down();
	}
	report("redo");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model_traces");
	TCase *tc = tcase_create("model_traces");
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, the_ring_does_what_its_model_does);
	tcase_add_test(tc, the_bell_and_the_cells_do_what_their_model_does);
	tcase_add_test(tc, the_router_and_its_successor_do_what_their_model_does);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
