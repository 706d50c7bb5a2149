/* test_ring.c - the ring delivers each event once and in order, whoever dies between which stores, and whoever lies */
#include "shm/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/lib/pair.h"
#include "tests/lib/step.h"

#define SLOTS 32u

static struct pair p;
static struct bh_ring_tx *tx;
static struct bh_ring_rx *rx;
static struct bh_event *slots; /* as A writes them */

static void
setup(void)
{
	pair_init(&p, SLOTS, 4);
	tx = &p.ob.ring;
	rx = &p.ib.ring;
	slots = tx->slots;
}

static void
teardown(void)
{
	pair_fini(&p);
}

static int
push(uint32_t id, size_t payload_len)
{
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = id, .stamp_ns = id * 3ull, .total = ~id};
	uint8_t payload[BH_PAYLOAD_MAX] = {0};
	for (size_t k = 0; k < payload_len; k++)
		payload[k] = (uint8_t)(id + k);
	return bh_ring_push(tx, &ev, payload, payload_len);
}

static int
peek(uint32_t *id)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	int ret = bh_ring_peek(rx, &ev, payload, sizeof(payload), &len);
	if (ret == 1) {
		ck_assert_uint_eq(ev.stamp_ns, ev.id * 3ull);
		ck_assert_uint_eq(ev.total, ~ev.id);
		unsigned wrong_bytes = 0;
		for (size_t k = 0; k < len; k++)
			wrong_bytes += payload[k] != (uint8_t)(ev.id + k);
		ck_assert_uint_eq(wrong_bytes, 0);
		*id = ev.id;
	}
	return ret;
}

static void
expect(uint32_t id)
{
	uint32_t got = 0;
	ck_assert(bh_ring_has(rx));
	ck_assert_int_eq(peek(&got), 1);
	ck_assert_uint_eq(got, id);
	bh_ring_advance(rx, NULL);
}

static void
expect_nothing(void)
{
	uint32_t id;
	ck_assert(!bh_ring_has(rx));
	ck_assert_int_eq(peek(&id), 0);
	bh_ring_advance(rx, NULL);
}

START_TEST(events_arrive_once_and_in_order)
{
	uint32_t in = 0, out = 0;
	uint64_t rnd = 99;
	expect_nothing();
	while (out < 20000) {
		if (pair_random(&rnd) % 2) {
			size_t len = pair_random(&rnd) % 3 ? 0 : pair_random(&rnd) % (BH_PAYLOAD_MAX + 1);
			in += push(in, len) == 0;
		} else if (out < in) {
			expect(out++);
		} else {
			expect_nothing();
		}
	}
}
END_TEST

START_TEST(payloads_of_every_length_come_back_whole)
{
	for (size_t len = 0; len <= BH_PAYLOAD_MAX; len++) {
		uint8_t in[BH_PAYLOAD_MAX], out[BH_PAYLOAD_MAX];
		size_t got;
		struct bh_event ev = {.kind = BH_EV_RESULT}, back;
		for (size_t k = 0; k < len; k++)
			in[k] = (uint8_t)(len * 7 + k);
		ck_assert_int_eq(bh_ring_push(tx, &ev, in, len), 0);
		ck_assert_int_eq(bh_ring_peek(rx, &back, out, sizeof(out), &got), 1);
		ck_assert_uint_eq(got, len);
		ck_assert_mem_eq(out, in, len);
		/* Too small a buffer gets the beginning, and no buffer nothing. */
		ck_assert_int_eq(bh_ring_peek(rx, &back, out, 10, &got), 1);
		ck_assert_uint_eq(got, len < 10 ? len : 10);
		ck_assert_int_eq(bh_ring_peek(rx, &back, NULL, 0, NULL), 1);
		bh_ring_advance(rx, &back);
	}
	struct bh_event ev = {.kind = BH_EV_RESULT};
	uint8_t much[BH_PAYLOAD_MAX + 1] = {0};
	ck_assert_int_eq(bh_ring_push(tx, &ev, much, sizeof(much)), -EMSGSIZE);
	expect_nothing();
}
END_TEST

START_TEST(a_full_ring_takes_nothing_more_and_overwrites_nothing)
{
	uint32_t n = 0;
	while (push(n, 0) == 0)
		n++;
	ck_assert_uint_eq(n, SLOTS);
	ck_assert_uint_eq(bh_ring_room(tx), 0);
	ck_assert_int_eq(push(n, 0), -ENOSPC);
	expect(0);
	ck_assert_uint_eq(bh_ring_room(tx), 1);
	ck_assert_int_eq(push(n, 57), -ENOSPC); /* needs three slots */
	ck_assert_int_eq(push(n, 0), 0);
	for (uint32_t k = 1; k <= n; k++)
		expect(k);
	expect_nothing();
}
END_TEST

START_TEST(an_event_stays_until_it_is_done_and_a_successor_sees_it_again)
{
	for (uint32_t n = 0; n < 100; n++) {
		uint32_t id;
		ck_assert_int_eq(push(n, n), 0);
		ck_assert_int_eq(peek(&id), 1);
		bh_inbox_detach(&p.ib); /* died here */
		pair_attach_consumer(&p);
		expect(n);
		bh_inbox_detach(&p.ib);
		pair_attach_consumer(&p);
		expect_nothing();
	}
}
END_TEST

START_TEST(a_successor_of_the_producer_goes_on_where_it_ended)
{
	uint32_t in = 0, out = 0;
	uint64_t rnd = 5;
	while (out < 3000) {
		uint64_t r = pair_random(&rnd);
		if (r % 8 == 0) {
			uint64_t end = tx->pos;
			bh_outbox_detach(&p.ob);
			pair_attach_producer(&p);
			ck_assert_uint_eq(tx->pos, end);
			ck_assert(!tx->realigned);
		} else if (r % 2) {
			in += push(in, r >> 8 & 1 ? r % BH_PAYLOAD_MAX : 0) == 0;
		} else if (out < in) {
			expect(out++);
		}
	}
	ck_assert_uint_eq(*tx->faults, 0);
}
END_TEST

#ifndef BH_SANITIZED
static void
push_long(void *arg)
{
	(void)arg;
	push(1000, 150);
}

struct killed { unsigned images, published; uint32_t expect_before; };

/*
 * One image: the producer is dead. What is pending arrives, the unfinished event does not or does as a whole, and what the
 * successor says next arrives after it. All of it in a ring of its own that begins with this image.
 */
static void
successor_finds(void *arg, void *const *copies)
{
	void *copy = copies[0];
	struct killed *killed = arg;
	struct pair saved = p;
	struct pair image;
	pair_init(&image, SLOTS, 4);
	memcpy(image.ob.seg.base, copy, image.ob.seg.size);
	memcpy(image.b->cursor, saved.b->cursor, sizeof(image.b->cursor));
	bh_outbox_detach(&image.ob);
	bh_inbox_detach(&image.ib);
	pair_attach_consumer(&image);
	p = image; /* tx, rx point into p */

	uint32_t id;
	for (uint32_t k = 0; k < killed->expect_before; k++)
		expect(500 + k);
	bool published = peek(&id) == 1;
	ck_assert(published || !bh_ring_has(rx));
	if (published)
		expect(1000);
	expect_nothing();
	pair_attach_producer(&p);
	ck_assert(!tx->realigned);
	/* The low half of the next word must not look like the event that comes next: the consumer sleeps on it. */
	uint32_t asleep_on;
	const uint32_t *word = bh_ring_word(rx, &asleep_on);
	for (uint32_t k = 0; k < 2 * SLOTS; k++) {
		ck_assert_int_eq(push(2000 + k, 0), 0);
		ck_assert_uint_ne(__atomic_load_n(word, __ATOMIC_RELAXED), asleep_on);
		expect(2000 + k);
		expect_nothing();
		word = bh_ring_word(rx, &asleep_on);
	}
	killed->images++;
	killed->published += published;
	pair_fini(&p);
	p = saved;
}

START_TEST(a_producer_killed_at_any_store_has_published_all_or_nothing)
{
	/* At places all round the ring, so that events wrap around, with and without something pending. */
	for (uint32_t turn = 0; turn < SLOTS + 3; turn += 4) {
		struct killed killed = {.expect_before = turn % 3};
		for (uint32_t k = 0; k < killed.expect_before; k++)
			ck_assert_int_eq(push(500 + k, 0), 0);
		const struct bh_step_range whole = {p.ob.seg.base, p.ob.seg.size};
		int images = bh_step_images(push_long, &killed, &whole, 1, successor_finds);
		/* Three continuation slots of eight words, seven words and the sequence; some already had their value. */
		ck_assert_int_ge(images, 16);
		ck_assert_uint_eq(killed.images, images);
		ck_assert_uint_eq(killed.published, 1);
		bh_outbox_detach(&p.ob); /* ours does not know of the child's event */
		pair_attach_producer(&p);
		for (uint32_t k = 0; k < killed.expect_before; k++)
			expect(500 + k);
		expect(1000);
		expect_nothing();
	}
}
END_TEST
#endif

START_TEST(any_part_of_an_unfinished_event_is_invisible)
{
	/* Not only the parts that this compiler's order of stores leaves: any subset of the words but the head's sequence. */
	uint64_t rnd = 1234567;
	for (int round = 0; round < 3000; round++) {
		struct bh_event before[SLOTS], after[SLOTS];
		uint32_t pad = pair_random(&rnd) % SLOTS;
		for (uint32_t k = 0; k < pad; k++) {
			ck_assert_int_eq(push(k, 0), 0);
			expect(k);
		}
		memcpy(before, slots, sizeof(before));
		uint64_t head = tx->pos & tx->mask;
		ck_assert_int_eq(push(1000, pair_random(&rnd) % BH_PAYLOAD_MAX), 0);
		memcpy(after, slots, sizeof(after));
		uint64_t *image = (uint64_t *)slots;
		for (size_t k = 0; k < sizeof(before) / 8; k++)
			image[k] = pair_random(&rnd) % 2 && k != head * 8 ? ((uint64_t *)after)[k] : ((uint64_t *)before)[k];
		expect_nothing();
		bh_outbox_detach(&p.ob);
		pair_attach_producer(&p);
		slots = tx->slots;
		ck_assert_uint_eq(tx->pos, rx->pos);
		expect_nothing();
		ck_assert_int_eq(push(77, 60), 0);
		expect(77);
		expect_nothing();
	}
}
END_TEST

START_TEST(an_impossible_cursor_means_full_and_is_counted)
{
	const uint64_t lies[] = {UINT64_MAX, 1ull << 63, 1, 1000, (uint64_t)0 - SLOTS - 1};
	for (unsigned k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
		uint64_t faults = *tx->faults;
		tx->pos = 0, tx->seen = (uint64_t)0 - SLOTS; /* forget what we believed */
		p.b->cursor[PAIR_A] = lies[k];
		ck_assert_int_eq(push(1, 0), -ENOSPC);
		ck_assert_uint_eq(bh_ring_room(tx), 0);
		ck_assert_uint_eq(*tx->faults, faults + 2);
		ck_assert_uint_eq(slots[0].seq, 0);
	}
	p.b->cursor[PAIR_A] = 0;
	ck_assert_int_eq(push(1, 0), 0);
}
END_TEST

START_TEST(a_cursor_that_goes_back_gets_nothing_overwritten_beyond_the_ring)
{
	for (uint32_t n = 0; n < 200; n++) {
		ck_assert_int_eq(push(n, 0), 0);
		expect(n);
	}
	p.b->cursor[PAIR_A] = 200 - SLOTS;
	while (push(1, 0) == 0)
		;
	ck_assert_uint_le(tx->pos, 200 + SLOTS);
	p.b->cursor[PAIR_A] = 3;
	ck_assert_int_eq(push(1, 0), -ENOSPC);
}
END_TEST

START_TEST(every_lie_in_an_event_costs_that_event_and_nothing_else)
{
	struct bh_event good;
	ck_assert_int_eq(push(1, 0), 0);
	good = slots[0];
	const struct { size_t at; uint8_t value; } lies[] = {
		{offsetof(struct bh_event, kind), BH_EV_NONE}, {offsetof(struct bh_event, kind), BH_EV_KIND_COUNT},
		{offsetof(struct bh_event, kind), 255},	       {offsetof(struct bh_event, type), BH_TRIGGER + 1},
		{offsetof(struct bh_event, type), 255},	       {offsetof(struct bh_event, cont), 255},
		{offsetof(struct bh_event, cont), BH_CONT_MAX + 1},
	};
	uint64_t pos = 0;
	for (unsigned k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
		uint32_t id;
		slots[pos & tx->mask] = good;
		((uint8_t *)&slots[pos & tx->mask])[lies[k].at] = lies[k].value;
		slots[pos & tx->mask].seq = pos + 1;
		ck_assert(bh_ring_has(rx));
		ck_assert_int_eq(peek(&id), -EPROTO);
		ck_assert_int_eq(peek(&id), -EPROTO); /* until it is skipped */
		bh_ring_advance(rx, NULL);
		expect_nothing();
		pos++;
	}
	ck_assert_uint_eq(rx->pos, pos);
}
END_TEST

START_TEST(a_broken_continuation_is_skipped_with_its_event)
{
	uint32_t id;
	ck_assert_int_eq(push(1, 100), 0);
	ck_assert_int_eq(push(2, 0), 0);
	slots[2].seq ^= 1ull << 20;
	ck_assert_int_eq(peek(&id), -EPROTO);
	bh_ring_advance(rx, NULL);
	expect(2);
	/* A length that its continuation slots cannot have. */
	ck_assert_int_eq(push(3, 100), 0);
	slots[4].len = 200;
	ck_assert_int_eq(peek(&id), -EPROTO);
	bh_ring_advance(rx, NULL);
	ck_assert_int_eq(push(4, 0), 0);
	expect(4);
}
END_TEST

START_TEST(a_producer_that_overruns_us_is_a_fault_and_passed_in_one_step)
{
	uint32_t id;
	for (uint32_t k = 0; k < SLOTS; k++)
		slots[k].seq = 5 * SLOTS + k + 1;
	ck_assert(bh_ring_has(rx));
	ck_assert_int_eq(peek(&id), -EPROTO);
	bh_ring_advance(rx, NULL);
	ck_assert_uint_eq(rx->pos, 6 * SLOTS);
	expect_nothing();
	/* Continuation slots where a head should be are one too, wherever they are. */
	for (uint32_t k = 0; k < SLOTS; k++)
		slots[k].seq = (1ull << 40 | (k + 1)) | BH_SEQ_CONT;
	ck_assert_int_eq(peek(&id), -EPROTO);
	bh_ring_advance(rx, NULL);
	expect_nothing();
	/* The successor of such a producer and we find each other again. */
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	ck_assert(tx->realigned);
	ck_assert_int_eq(push(9, 90), 0);
	expect(9);
	expect_nothing();
}
END_TEST

START_TEST(rubbish_in_every_slot_does_no_harm_and_comes_to_rest)
{
	uint64_t rnd = 4242;
	for (int round = 0; round < 3000; round++) {
		uint64_t *words = (uint64_t *)slots;
		for (size_t k = 0; k < SLOTS * 8; k++) {
			uint64_t r = pair_random(&rnd);
			words[k] = r >> (r & 7 ? r % 64 : 0);
			if (k % 8 == 0 && r % 3) /* a sequence that looks right */
				words[k] = rx->pos + 1 + (k / 8 + SLOTS - rx->pos % SLOTS) % SLOTS + (r & 8 ? SLOTS : 0);
			if (k % 8 == 0 && r % 5 == 0)
				words[k] |= BH_SEQ_CONT;
		}
		unsigned steps = 0;
		while (bh_ring_has(rx)) {
			struct bh_event ev;
			uint8_t payload[BH_PAYLOAD_MAX];
			size_t len;
			uint64_t pos = rx->pos;
			int ret = bh_ring_peek(rx, &ev, payload, sizeof(payload), &len);
			ck_assert(ret == 1 || ret == -EPROTO);
			if (ret == 1)
				ck_assert(ev.kind && ev.kind < BH_EV_KIND_COUNT && len <= sizeof(payload));
			bh_ring_advance(rx, &ev);
			ck_assert_uint_gt(rx->pos, pos);
			ck_assert_uint_le(++steps, 4 * SLOTS);
		}
		bh_outbox_detach(&p.ob);
		pair_attach_producer(&p);
		slots = tx->slots;
		ck_assert_int_eq(push((uint32_t)round, round % 200), 0);
		expect((uint32_t)round);
		expect_nothing();
	}
}
END_TEST

START_TEST(a_fresh_cursor_goes_to_the_end_of_an_old_ring)
{
	for (uint32_t n = 0; n < 5 * SLOTS; n++) {
		ck_assert_int_eq(push(n, 0), 0);
		expect(n);
	}
	bh_inbox_detach(&p.ib);
	p.b->cursor[PAIR_A] = 0; /* as in a fresh self segment */
	while (push(1, 0) == 0) /* what the producer has read before it still believes */
		;
	pair_attach_consumer(&p);
	ck_assert(rx->jumped);
	expect_nothing();
	ck_assert_int_eq(push(8, 0), 0);
	expect(8);
}
END_TEST

START_TEST(a_fresh_ring_begins_where_the_old_cursor_stands)
{
	for (int first = 0; first < 2; first++) {
		p.b->cursor[PAIR_A] = 1000 + first; /* left from the ring before */
		memset(slots, 0, SLOTS * sizeof(*slots));
		bh_inbox_detach(&p.ib);
		bh_outbox_detach(&p.ob);
		if (first)
			pair_attach_consumer(&p);
		pair_attach_producer(&p);
		if (!first)
			pair_attach_consumer(&p);
		slots = tx->slots;
		for (uint32_t n = 0; n < 2 * SLOTS; n++) {
			ck_assert_int_eq(push(n, 0), 0);
			expect(n);
		}
	}
}
END_TEST

START_TEST(a_ring_with_a_hole_in_it_is_begun_anew)
{
	for (uint32_t n = 0; n < 4; n++)
		ck_assert_int_eq(push(n, 60), 0);
	slots[3].seq = 0x1234567; /* the producer scribbled over its second event, and died of it */
	expect(0);
	expect_nothing();
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	ck_assert(tx->realigned);
	for (uint32_t n = 10; n < 10 + 3 * SLOTS; n++) {
		ck_assert_int_eq(push(n, 60), 0);
		expect(n);
		expect_nothing();
	}
}
END_TEST

START_TEST(small_rings_refuse_what_takes_more_than_half_of_them)
{
	struct pair small;
	pair_init(&small, 4, 0);
	struct bh_event ev = {.kind = BH_EV_REQUEST};
	uint8_t payload[BH_PAYLOAD_MAX] = {0};
	ck_assert_int_eq(bh_ring_push(&small.ob.ring, &ev, payload, 57), -EMSGSIZE);
	ck_assert_int_eq(bh_ring_push(&small.ob.ring, &ev, payload, 56), 0);
	ck_assert_int_eq(bh_ring_push(&small.ob.ring, &ev, payload, 56), 0);
	ck_assert_int_eq(bh_ring_push(&small.ob.ring, &ev, payload, 0), -ENOSPC);
	pair_fini(&small);
}
END_TEST

START_TEST(a_ring_that_nobody_reads_keeps_the_newest_events)
{
	struct bh_ring_tx recorder;
	ck_assert_int_eq(bh_ring_tx_attach(&recorder, &p.ob.seg, NULL), 0);
	struct bh_event ev = {.kind = BH_EV_VALUE};
	for (ev.id = 0; ev.id < 100; ev.id++)
		ck_assert_int_eq(bh_ring_push(&recorder, &ev, NULL, 0), 0);
	for (uint32_t k = 100 - SLOTS; k < 100; k++)
		ck_assert_uint_eq(slots[k % SLOTS].id, k);
	ck_assert_int_eq(bh_ring_tx_attach(&recorder, &p.ob.seg, NULL), 0);
	ck_assert_uint_eq(recorder.pos, 100);
}
END_TEST

START_TEST(only_an_outbox_has_a_ring)
{
	struct bh_ring_tx t;
	struct bh_ring_rx r;
	uint64_t cursor = 0;
	ck_assert_int_eq(bh_ring_tx_attach(&t, &p.a_seg, NULL), -EPROTO);
	ck_assert_int_eq(bh_ring_rx_attach(&r, &p.a_seg, &cursor), -EPROTO);
	ck_assert_int_eq(bh_ring_tx_attach(&t, &p.ib.seg, NULL), -EPROTO); /* not writable */
}
END_TEST

static bool wrong;

static void *
consume_thread(void *arg)
{
	uint32_t want = 0, events = *(uint32_t *)arg;
	while (want < events) {
		struct bh_event ev;
		uint8_t payload[BH_PAYLOAD_MAX];
		size_t len;
		int ret = bh_ring_peek(rx, &ev, payload, sizeof(payload), &len);
		if (ret == 0) {
			sched_yield();
			continue;
		}
		if (ret < 0 || ev.id != want || len != want % 120 || (len && payload[len - 1] != (uint8_t)(want + len - 1)))
			wrong = true;
		if (wrong)
			break;
		bh_ring_advance(rx, &ev);
		want++;
	}
	return NULL;
}

START_TEST(two_threads_race_nowhere)
{
	uint32_t events = 50000;
	pthread_t thread;
	pair_share(&p);
	ck_assert_int_eq(pthread_create(&thread, NULL, consume_thread, &events), 0);
	uint64_t limit = 0;
	for (uint32_t n = 0; n < events && limit < 100000000;) {
		if (push(n, n % 120) == 0)
			n++;
		else
			sched_yield(), limit++;
	}
	pthread_join(thread, NULL);
	ck_assert(!wrong);
	ck_assert_uint_eq(rx->pos, tx->pos);
}
END_TEST

/* Two processes, each with its own mappings, and the consumer killed at random moments. */
START_TEST(nothing_is_lost_when_the_consumer_is_killed_again_and_again)
{
	enum { EVENTS = 20000 };
	uint64_t *seen = &p.a->counter[BH_CNT_USER0]; /* a word the children may write: the self of A is shared memory */
	uint32_t in = 0;
	uint64_t rnd = 3;
	int kills = 0;
	bh_inbox_detach(&p.ib);
	while (__atomic_load_n(seen, __ATOMIC_RELAXED) < EVENTS) {
		pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			struct bh_inbox ib;
			struct bh_event ev;
			if (bh_inbox_attach(&ib, p.box_fds.ro, p.b, PAIR_A) < 0)
				_exit(2);
			for (;;) {
				int ret = bh_ring_peek(&ib.ring, &ev, NULL, 0, NULL);
				if (ret < 0)
					_exit(3);
				if (ret == 0) {
					sched_yield();
					continue;
				}
				/* The effect, made repeatable by the event's own number: at most one again. */
				uint64_t had = __atomic_load_n(seen, __ATOMIC_RELAXED);
				if (ev.id != had && ev.id + 1 != had)
					_exit(4);
				__atomic_store_n(seen, ev.id + 1ull, __ATOMIC_RELAXED);
				bh_ring_advance(&ib.ring, &ev);
			}
		}
		uint64_t budget = 200 + pair_random(&rnd) % 2000, start = in;
		while (in < EVENTS && in - start < budget) {
			if (push(in, 0) == 0)
				in++;
			else
				sched_yield();
			ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
		}
		while (in == EVENTS && __atomic_load_n(seen, __ATOMIC_RELAXED) < EVENTS && waitpid(pid, NULL, WNOHANG) == 0)
			sched_yield();
		kill(pid, SIGKILL);
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		kills++;
	}
	ck_assert_int_gt(kills, 5);
	ck_assert_uint_eq(*seen, EVENTS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring");
	TCase *tc = tcase_create("ring");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, events_arrive_once_and_in_order);
	tcase_add_test(tc, payloads_of_every_length_come_back_whole);
	tcase_add_test(tc, a_full_ring_takes_nothing_more_and_overwrites_nothing);
	tcase_add_test(tc, an_event_stays_until_it_is_done_and_a_successor_sees_it_again);
	tcase_add_test(tc, a_successor_of_the_producer_goes_on_where_it_ended);
#ifndef BH_SANITIZED
	tcase_add_test(tc, a_producer_killed_at_any_store_has_published_all_or_nothing);
#endif
	tcase_add_test(tc, any_part_of_an_unfinished_event_is_invisible);
	tcase_add_test(tc, an_impossible_cursor_means_full_and_is_counted);
	tcase_add_test(tc, a_cursor_that_goes_back_gets_nothing_overwritten_beyond_the_ring);
	tcase_add_test(tc, every_lie_in_an_event_costs_that_event_and_nothing_else);
	tcase_add_test(tc, a_broken_continuation_is_skipped_with_its_event);
	tcase_add_test(tc, a_producer_that_overruns_us_is_a_fault_and_passed_in_one_step);
	tcase_add_test(tc, rubbish_in_every_slot_does_no_harm_and_comes_to_rest);
	tcase_add_test(tc, a_fresh_cursor_goes_to_the_end_of_an_old_ring);
	tcase_add_test(tc, a_fresh_ring_begins_where_the_old_cursor_stands);
	tcase_add_test(tc, a_ring_with_a_hole_in_it_is_begun_anew);
	tcase_add_test(tc, small_rings_refuse_what_takes_more_than_half_of_them);
	tcase_add_test(tc, a_ring_that_nobody_reads_keeps_the_newest_events);
	tcase_add_test(tc, only_an_outbox_has_a_ring);
	tcase_add_test(tc, two_threads_race_nowhere);
	suite_add_tcase(suite, tc);

	TCase *kills = tcase_create("kills");
	tcase_set_timeout(kills, 60);
	tcase_add_checked_fixture(kills, setup, teardown);
	tcase_add_test(kills, nothing_is_lost_when_the_consumer_is_killed_again_and_again);
	suite_add_tcase(suite, kills);
	return pair_run(suite);
}
