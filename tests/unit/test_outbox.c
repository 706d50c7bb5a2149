/* test_outbox.c - latest values arrive, ticks add up, actions happen at most once, and the books balance */
#include "shm/outbox.h"

#include <errno.h>

#include "tests/lib/pair.h"
#include "tests/lib/step.h"

#define CELLS 8u

static struct pair p;

static void
setup(void)
{
	pair_init(&p, 8, CELLS);
	uint64_t now;
	ck_assert(bh_inbox_overflowed(&p.ib, &now)); /* who has just attached looks at all cells */
	p.ib.overflow_seen = now;
}

static void
teardown(void)
{
	pair_fini(&p);
}

static int
put(uint8_t kind, uint32_t id, int64_t i, uint16_t flags)
{
	struct bh_event ev = {.kind = kind, .type = BH_INT, .id = id, .v.i = i};
	return bh_outbox_put(&p.ob, &ev, NULL, flags);
}

static void
fill(void)
{
	while (put(BH_EV_PRESS, 0, 0, 0) == 0)
		;
}

static void
drop_all(void)
{
	struct bh_event ev;
	while (bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL) == 1)
		bh_ring_advance(&p.ib.ring, &ev);
}

static struct bh_cell_body
cell(uint32_t id)
{
	struct bh_cell_body body;
	ck_assert_int_eq(bh_inbox_cell(&p.ib, id, &body), 1);
	return body;
}

START_TEST(a_value_stands_in_its_cell_and_in_the_ring)
{
	struct bh_cell_body none;
	struct bh_event ev;
	ck_assert_int_eq(bh_inbox_cell(&p.ib, 3, &none), 0);
	ck_assert_int_eq(put(BH_EV_VALUE, 3, 77, BH_CELL_TOUCHED), 0);
	ck_assert_int_eq(bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL), 1);
	ck_assert_int_eq(ev.v.i, 77);
	ck_assert_uint_eq(ev.gen, 1);
	struct bh_cell_body body = cell(3);
	ck_assert_int_eq(body.v.i, 77);
	ck_assert_uint_eq(body.gen, 1);
	ck_assert_uint_eq(body.flags, BH_CELL_TOUCHED);
	ck_assert_uint_eq(body.kind, BH_EV_VALUE);
	ck_assert_uint_eq(p.a->counter[BH_CNT_EVENTS_OUT], 1);
	ck_assert_int_eq(put(BH_EV_VALUE, CELLS, 1, 0), -ERANGE);
	ck_assert_int_eq(put(BH_EV_VALUE, UINT32_MAX, 1, 0), -ERANGE);
	ck_assert_int_eq(bh_inbox_cell(&p.ib, CELLS, &none), -ERANGE);
	ck_assert_int_eq(bh_inbox_cell(&p.ib, UINT32_MAX, &none), -ERANGE);
}
END_TEST

START_TEST(touch_and_ticks_leave_the_value_alone)
{
	put(BH_EV_VALUE, 1, 500, 0);
	put(BH_EV_TOUCH, 1, 1, BH_CELL_TOUCHED);
	ck_assert_int_eq(cell(1).v.i, 500);
	ck_assert_uint_eq(cell(1).flags, BH_CELL_TOUCHED);
	ck_assert_uint_eq(cell(1).kind, BH_EV_TOUCH);
	ck_assert_uint_eq(cell(1).gen, 2);
	put(BH_EV_RELATIVE, 1, -3, 0);
	put(BH_EV_RELATIVE, 1, 5, 0);
	ck_assert_int_eq(cell(1).v.i, 500);
	ck_assert_uint_eq(cell(1).total, 2);
	put(BH_EV_VALUE, 1, 501, 0);
	ck_assert_uint_eq(cell(1).total, 2);
}
END_TEST

START_TEST(generations_skip_zero_when_they_wrap)
{
	struct bh_cell_body body = {.gen = UINT32_MAX};
	bh_cell_write(&p.ob.cells[2], &body);
	put(BH_EV_VALUE, 2, 1, 0);
	ck_assert_uint_eq(cell(2).gen, 1);
}
END_TEST

START_TEST(texts_of_every_length_come_back)
{
	for (size_t len = 0; len <= BH_TEXT_MAX; len++) {
		union bh_val v, back;
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_TEXT, .id = 1}, got;
		char payload[BH_PAYLOAD_MAX];
		size_t bytes;
		memset(&v, 0, sizeof(v));
		memset(v.s, 'a' + (int)(len % 26), len);
		ck_assert_int_eq(bh_outbox_put(&p.ob, &ev, &v, 0), 0);
		ck_assert_int_eq(bh_ring_peek(&p.ib.ring, &got, payload, sizeof(payload), &bytes), 1);
		ck_assert_int_eq(bh_event_value(&got, payload, bytes, &back), 0);
		ck_assert_str_eq(back.s, v.s);
		ck_assert_str_eq(cell(1).v.s, v.s);
		bh_ring_advance(&p.ib.ring, &got);
	}
	/* Without an end: cut, but not inside a character. */
	union bh_val v;
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_TEXT, .id = 1};
	for (int k = 0; k < 64; k += 2)
		memcpy(v.s + k, "\xc3\xa9", 2);
	bh_outbox_put(&p.ob, &ev, &v, 0);
	ck_assert_uint_eq(strlen(cell(1).v.s), 62);
}
END_TEST

START_TEST(a_text_that_lies_about_itself_is_refused)
{
	union bh_val out;
	char payload[BH_PAYLOAD_MAX];
	memset(payload, 'x', sizeof(payload));
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_TEXT, .len = 33};
	memset(ev.v.s, 'x', sizeof(ev.v.s));
	ck_assert_int_eq(bh_event_value(&ev, NULL, 0, &out), -EPROTO);
	ev.len = 255;
	ck_assert_int_eq(bh_event_value(&ev, NULL, 0, &out), -EPROTO);
	ev.len = 32;
	ck_assert_int_eq(bh_event_value(&ev, NULL, 0, &out), 0);
	ck_assert_uint_eq(strlen(out.s), 32);
	ev.v.s[5] = '\0';
	ck_assert_int_eq(bh_event_value(&ev, NULL, 0, &out), -EPROTO);
	ev.cont = 2;
	ck_assert_int_eq(bh_event_value(&ev, payload, 64, &out), -EPROTO);
	ck_assert_int_eq(bh_event_value(&ev, payload, 63, &out), 0);
	ck_assert_uint_eq(strlen(out.s), 63);
}
END_TEST

START_TEST(a_full_ring_conflates_values_thins_meters_and_refuses_actions)
{
	fill();
	uint64_t refused = p.a->counter[BH_CNT_REFUSED], now;
	ck_assert(!bh_inbox_overflowed(&p.ib, &now)); /* presses do not send anyone to the cells */
	ck_assert_int_eq(put(BH_EV_VALUE, 0, 1, 0), 1);
	ck_assert_int_eq(put(BH_EV_VALUE, 0, 2, 0), 1);
	ck_assert_int_eq(put(BH_EV_TOUCH, 0, 1, BH_CELL_TOUCHED), 1);
	ck_assert_int_eq(put(BH_EV_RELEASE, 2, 0, 0), 1);
	ck_assert_int_eq(put(BH_EV_METER, 1, 9, 0), 1);
	ck_assert_int_eq(put(BH_EV_ACTION, 0, 0, 0), -ENOSPC);
	ck_assert_int_eq(put(BH_EV_PRESS, 0, 0, 0), -ENOSPC);
	struct bh_event request = {.kind = BH_EV_REQUEST};
	ck_assert_int_eq(bh_outbox_send(&p.ob, &request, "x", 1), -ENOSPC);
	bh_outbox_refuse(&p.ob);
	ck_assert_uint_eq(p.a->counter[BH_CNT_CONFLATED], 4);
	ck_assert_uint_eq(p.a->counter[BH_CNT_METERS_THINNED], 1);
	ck_assert_uint_eq(p.a->counter[BH_CNT_REFUSED], refused + 4);
	ck_assert_uint_eq(p.ib.head->conflated, 4);
	ck_assert_uint_eq(p.ib.head->thinned, 1);
	ck_assert_uint_eq(p.ib.head->refused, p.a->counter[BH_CNT_REFUSED]);
	drop_all();
	ck_assert(bh_inbox_pending(&p.ib));
	ck_assert(bh_inbox_overflowed(&p.ib, &now));
	ck_assert_int_eq(cell(0).v.i, 2);
	ck_assert_uint_eq(cell(0).flags, BH_CELL_TOUCHED);
	ck_assert_int_eq(cell(1).v.i, 9);
	p.ib.overflow_seen = now;
	ck_assert(!bh_inbox_pending(&p.ib));
}
END_TEST

START_TEST(who_has_no_cells_sends_nobody_to_look_at_them)
{
	struct pair bare;
	pair_init(&bare, 8, 0);
	ck_assert(!bh_inbox_pending(&bare.ib)); /* or a process that has just attached would never sleep */
	bare.ob.head->overflow = 17;
	ck_assert(!bh_inbox_pending(&bare.ib));
	pair_fini(&bare);
}
END_TEST

/* The predecessor may have died between a cell and its event, and we shall be told the same value, which is no news to us. */
START_TEST(who_attaches_as_a_producer_has_its_consumer_look_at_the_cells_once)
{
	uint64_t now;
	drop_all();
	bh_inbox_overflowed(&p.ib, &now);
	p.ib.overflow_seen = now;
	struct bh_cell_body body = {.gen = 1, .kind = BH_EV_VALUE, .type = BH_INT, .v.i = 7};
	bh_cell_write(&p.ob.cells[3], &body);
	ck_assert(!bh_inbox_pending(&p.ib));
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	ck_assert(bh_inbox_pending(&p.ib));
	ck_assert(bh_inbox_overflowed(&p.ib, &now));
	ck_assert_int_eq(cell(3).v.i, 7);
	p.ib.overflow_seen = now;
	ck_assert(!bh_inbox_pending(&p.ib));
	ck_assert_uint_eq(p.ib.head->conflated, 0);
}
END_TEST

START_TEST(ticks_add_up_over_a_full_ring)
{
	uint64_t rnd = 77;
	uint32_t acted = 0, sum = 0;
	for (int k = 0; k < 5000; k++) {
		int64_t ticks = (int64_t)(pair_random(&rnd) % 15) - 7;
		sum += (uint32_t)ticks;
		put(BH_EV_RELATIVE, 4, ticks, 0);
		if (pair_random(&rnd) % 50 == 0) {
			struct bh_event ev;
			while (bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL) == 1) {
				acted += ev.total - acted; /* the difference to what was committed */
				bh_ring_advance(&p.ib.ring, &ev);
			}
			acted += cell(4).total - acted;
		}
	}
	ck_assert_uint_eq(cell(4).total, sum);
	acted += cell(4).total - acted;
	ck_assert_uint_eq(acted, sum);
}
END_TEST

START_TEST(a_repeated_output_changes_nothing_but_the_ring)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = 10, .v.i = 5};
	struct bh_event older = {.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = 9, .v.i = 4};
	struct bh_event wrapped = {.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = 0x80000005, .v.i = 6};
	ck_assert_int_eq(bh_outbox_put(&p.ob, &ev, NULL, 0), 0);
	uint64_t turn = p.ob.cells[1].turn;
	ck_assert_int_eq(bh_outbox_put(&p.ob, &ev, NULL, 0), 0);
	ck_assert_int_eq(bh_outbox_put(&p.ob, &older, NULL, 0), 0);
	ck_assert_uint_eq(p.ob.cells[1].turn, turn);
	ck_assert_int_eq(cell(1).v.i, 5);
	ck_assert_uint_eq(p.ob.ring.pos, 3);
	ck_assert_int_eq(bh_outbox_put(&p.ob, &wrapped, NULL, 0), 0); /* newer, if only just */
	ck_assert_int_eq(cell(1).v.i, 6);

	struct bh_event ticks = {.kind = BH_EV_RELATIVE, .id = 2, .gen = 3, .total = 40, .v.i = 7};
	for (int k = 0; k < 3; k++)
		bh_outbox_put(&p.ob, &ticks, NULL, 0);
	ck_assert_uint_eq(cell(2).total, 40);
}
END_TEST

START_TEST(a_conflated_output_never_moves_a_ring_with_events_in_it_but_wakes_an_empty_one)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = 1, .v.i = 5}, got;
	struct bh_event action = {.kind = BH_EV_ACTION};
	uint64_t now;
	put(BH_EV_PRESS, 0, 0, 0);
	uint64_t end = p.ob.ring.pos;
	ck_assert_int_eq(bh_outbox_conflate(&p.ob, &ev, NULL, 0), 1);
	ck_assert_uint_eq(p.ob.ring.pos, end);
	ck_assert(bh_inbox_overflowed(&p.ib, &now));
	drop_all();
	bh_bell_announce(p.b);
	ck_assert_int_eq(bh_outbox_conflate(&p.ob, &ev, NULL, 0), 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	ck_assert_int_eq(bh_ring_peek(&p.ib.ring, &got, NULL, 0, NULL), 1);
	ck_assert_uint_eq(got.kind, BH_EV_RESYNC);
	ck_assert_uint_eq(bh_outbox_since(&p.ob, end), 0);
	ck_assert_int_eq(put(BH_EV_PRESS, 0, 0, 0), 0);
	ck_assert_uint_eq(bh_outbox_since(&p.ob, end), 1);
	ck_assert_int_eq(bh_outbox_conflate(&p.ob, &action, NULL, 0), -ERANGE);
	ev.id = CELLS;
	ck_assert_int_eq(bh_outbox_conflate(&p.ob, &ev, NULL, 0), -ERANGE);
}
END_TEST

START_TEST(a_successor_knows_how_much_was_published)
{
	drop_all();
	uint64_t end = p.ob.ring.pos;
	struct bh_event request = {.kind = BH_EV_REQUEST};
	char payload[100] = {0};
	put(BH_EV_ACTION, 0, 0, 0);
	ck_assert_int_eq(bh_outbox_send(&p.ob, &request, payload, sizeof(payload)), 0);
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	ck_assert_uint_eq(bh_outbox_since(&p.ob, end), 2);
	ck_assert_uint_eq(bh_outbox_since(&p.ob, p.ob.ring.pos), 0);
	ck_assert_uint_eq(bh_outbox_since(&p.ob, p.ob.ring.pos + 1), UINT32_MAX);
}
END_TEST

START_TEST(a_segment_of_the_wrong_kind_or_writer_is_refused)
{
	struct bh_outbox ob;
	struct bh_inbox ib;
	ck_assert_int_eq(bh_outbox_attach(&ob, p.a_fds.rw, p.a, p.b_ro, -1), -EPROTO);
	ck_assert_int_eq(bh_outbox_attach(&ob, p.box_fds.ro, p.a, p.b_ro, -1), -EACCES);
	ck_assert_int_eq(bh_inbox_attach(&ib, p.box_fds.ro, p.b, PAIR_A + 1), -EPROTO);
	ck_assert_int_eq(bh_inbox_attach(&ib, p.box_fds.ro, p.b, BH_SLOT_NONE), -EPROTO);
	ck_assert_int_eq(bh_inbox_attach(&ib, p.a_fds.ro, p.b, PAIR_A), -EPROTO);
	bh_outbox_detach(&ob);
	bh_inbox_detach(&ib);
}
END_TEST

#ifndef BH_SANITIZED
/* Killed at every store of a put: the cell is never behind the ring, and both are whole. */
static void
put_next(void *arg)
{
	(void)arg;
	put(BH_EV_RELATIVE, 5, 10, 0);
}

static void
cell_is_not_behind(void *arg, void *const *copies)
{
	void *copy = copies[0];
	unsigned *images = arg;
	struct bh_seg image = p.ob.seg;
	image.base = copy;
	const struct bh_cell *cells = bh_seg_section(&image, BH_SEC_CELLS, sizeof(*cells), NULL);
	const struct bh_event *slots = bh_seg_section(&image, BH_SEC_RING, sizeof(*slots), NULL);
	struct bh_cell_body body;
	ck_assert_int_gt(bh_cell_read(&cells[5], &body), 0);
	ck_assert(body.total == 3 || body.total == 13);
	ck_assert(body.gen == (body.total == 3 ? 1 : 2));
	if (slots[1].seq == 2) {
		ck_assert_uint_eq(slots[1].total, 13);
		ck_assert_uint_eq(body.total, 13);
	}
	++*images;
}

START_TEST(a_producer_killed_at_any_store_never_leaves_the_cell_behind_the_ring)
{
	const struct bh_step_range whole = {p.ob.seg.base, p.ob.seg.size};
	unsigned images = 0;
	put(BH_EV_RELATIVE, 5, 3, 0);
	ck_assert_int_gt(bh_step_images(put_next, &images, &whole, 1, cell_is_not_behind), 5);
	ck_assert_uint_gt(images, 5);
}
END_TEST
#endif

/*
 * Everything at once, against a plain model: puts of all kinds, consumption, and the death of either side at every step of
 * its work, in a random order. The consumer commits as a process does: what it has seen of each id and the sequence of the
 * last event, before the effect of an action, and the cursor after it.
 */
struct model {
	/* the producer's truth */
	int64_t value[CELLS];
	uint32_t ticks[CELLS];
	uint64_t puts, in_ring, conflated, thinned, refused;
	uint32_t accepted[100000];
	unsigned accepted_count;
	/* the consumer's committed state */
	int64_t seen_value[CELLS];
	uint32_t seen_gen[CELLS], seen_total[CELLS], ticks_done[CELLS];
	uint64_t committed_seq, delivered;
	uint32_t action_done[100000];
	unsigned done_count, lost_in_flight;
};

static struct model m;
static uint64_t rnd;

static void
produce(void)
{
	static uint32_t next_action = 1;
	uint32_t id = (uint32_t)(pair_random(&rnd) % (CELLS / 2));
	uint64_t r = pair_random(&rnd) % 10;
	int ret;
	uint8_t kind;
	if (r < 4) {
		kind = BH_EV_VALUE;
		m.value[id] = (int64_t)pair_random(&rnd);
		ret = put(kind, id, m.value[id], 0);
	} else if (r < 7) {
		kind = BH_EV_RELATIVE;
		id += CELLS / 2;
		int64_t ticks = (int64_t)(pair_random(&rnd) % 9) - 4;
		m.ticks[id] += (uint32_t)ticks;
		ret = put(kind, id, ticks, 0);
	} else if (r < 8) {
		kind = BH_EV_METER;
		m.value[id] = (int64_t)pair_random(&rnd);
		ret = put(kind, id, m.value[id], 0);
	} else {
		kind = BH_EV_ACTION;
		ret = put(kind, next_action, 0, 0);
		if (ret == 0 && m.accepted_count < 100000)
			m.accepted[m.accepted_count++] = next_action;
		next_action++;
	}
	m.puts++;
	m.in_ring += ret == 0;
	m.conflated += ret == 1 && kind != BH_EV_METER;
	m.thinned += ret == 1 && kind == BH_EV_METER;
	m.refused += ret == -ENOSPC;
}

static void
take(uint32_t id, uint32_t gen, uint32_t total, int64_t value, bool relative)
{
	if (relative) {
		m.ticks_done[id] += total - m.seen_total[id];
		m.seen_total[id] = total;
	} else if ((int32_t)(gen - m.seen_gen[id]) > 0) {
		m.seen_gen[id] = gen;
		m.seen_value[id] = value;
	}
}

/* One event; dies (returns false) before, between or after its steps when `dies_at` says so. */
static bool
consume(unsigned dies_at)
{
	struct bh_event ev;
	if (bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL) != 1)
		return true;
	if (dies_at == 0)
		return false;
	if (ev.kind != BH_EV_ACTION) {
		take(ev.id, ev.gen, ev.total, ev.v.i, ev.kind == BH_EV_RELATIVE);
		if (ev.seq > m.committed_seq)
			m.delivered++;
		m.committed_seq = ev.seq > m.committed_seq ? ev.seq : m.committed_seq;
	} else if (ev.seq > m.committed_seq) {
		m.committed_seq = ev.seq;
		m.delivered++;
		if (dies_at == 1) {
			m.lost_in_flight++;
			return false;
		}
		m.action_done[m.done_count++] = ev.id;
	}
	if (dies_at == 2)
		return false;
	bh_ring_advance(&p.ib.ring, &ev);
	return true;
}

static void
look_at_cells(void)
{
	uint64_t now;
	if (bh_ring_has(&p.ib.ring) || !bh_inbox_overflowed(&p.ib, &now))
		return;
	for (uint32_t id = 0; id < CELLS; id++) {
		struct bh_cell_body body;
		if (bh_inbox_cell(&p.ib, id, &body) == 1)
			take(id, body.gen, body.total, body.v.i, id >= CELLS / 2);
	}
	p.ib.overflow_seen = now;
}

START_TEST(whatever_dies_in_whatever_order_the_books_balance)
{
	for (int run = 0; run < 40; run++) {
		memset(&m, 0, sizeof(m));
		rnd = 1000003ull * (uint64_t)(run + 1);
		for (int step = 0; step < 4000; step++) {
			uint64_t r = pair_random(&rnd) % 100;
			if (r < 55) {
				produce();
			} else if (r < 90) {
				for (uint64_t n = pair_random(&rnd) % 4; n; n--)
					consume(9);
				look_at_cells();
			} else if (r < 95) {
				bh_outbox_detach(&p.ob);
				pair_attach_producer(&p);
				ck_assert(!p.ob.ring.realigned);
			} else {
				consume((unsigned)(pair_random(&rnd) % 4));
				bh_inbox_detach(&p.ib);
				pair_attach_consumer(&p);
				ck_assert(!p.ib.ring.jumped);
			}
		}
		while (bh_inbox_pending(&p.ib)) {
			consume(9);
			look_at_cells();
		}
		for (uint32_t id = 0; id < CELLS / 2; id++)
			ck_assert_int_eq(m.seen_value[id], m.value[id]);
		for (uint32_t id = CELLS / 2; id < CELLS; id++)
			ck_assert_uint_eq(m.ticks_done[id], m.ticks[id]);
		ck_assert_uint_eq(m.puts, m.in_ring + m.conflated + m.thinned + m.refused);
		ck_assert_uint_eq(m.delivered, m.in_ring);
		/* Each accepted action done once and in order, except those whose doer died doing them. */
		unsigned k = 0;
		for (unsigned a = 0; a < m.accepted_count; a++)
			if (k < m.done_count && m.action_done[k] == m.accepted[a])
				k++;
		ck_assert_uint_eq(k, m.done_count);
		ck_assert_uint_eq(m.done_count + m.lost_in_flight, m.accepted_count);
		/* What stands in shared memory for people to read says the same. */
		ck_assert_uint_eq(p.ib.head->published, m.in_ring);
		ck_assert_uint_eq(p.ib.head->conflated, m.conflated);
		ck_assert_uint_eq(p.ib.head->thinned, m.thinned);
		ck_assert_uint_eq(p.ib.head->refused, m.refused);
		ck_assert_uint_gt(m.conflated, 50);
		ck_assert_uint_gt(m.refused, 10);
		teardown();
		setup();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tc = tcase_create("outbox");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_value_stands_in_its_cell_and_in_the_ring);
	tcase_add_test(tc, touch_and_ticks_leave_the_value_alone);
	tcase_add_test(tc, generations_skip_zero_when_they_wrap);
	tcase_add_test(tc, texts_of_every_length_come_back);
	tcase_add_test(tc, a_text_that_lies_about_itself_is_refused);
	tcase_add_test(tc, a_full_ring_conflates_values_thins_meters_and_refuses_actions);
	tcase_add_test(tc, who_has_no_cells_sends_nobody_to_look_at_them);
	tcase_add_test(tc, who_attaches_as_a_producer_has_its_consumer_look_at_the_cells_once);
	tcase_add_test(tc, ticks_add_up_over_a_full_ring);
	tcase_add_test(tc, a_repeated_output_changes_nothing_but_the_ring);
	tcase_add_test(tc, a_conflated_output_never_moves_a_ring_with_events_in_it_but_wakes_an_empty_one);
	tcase_add_test(tc, a_successor_knows_how_much_was_published);
	tcase_add_test(tc, a_segment_of_the_wrong_kind_or_writer_is_refused);
#ifndef BH_SANITIZED
	tcase_add_test(tc, a_producer_killed_at_any_store_never_leaves_the_cell_behind_the_ring);
#endif
	tcase_add_test(tc, whatever_dies_in_whatever_order_the_books_balance);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
