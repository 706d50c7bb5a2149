/*
 * test_ring_kills.c - producer and consumer of one ring, killed at random, as often as it takes
 *
 * Two processes at full speed, on two CPUs, that sleep and wake each other by the bell without a time limit; one of them (now and then
 * both) is killed at a random moment, and a successor goes on. The consumer commits what it has made of an event, then moves its
 * cursor; so each event must count exactly once, whole and in order, and whoever survives must get on. For comparison the same with
 * PUSH and PULL of ZeroMQ, where what a dead consumer had been given is gone.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "shm/latch.h"
#include "shm/outbox.h"
#include "tests/bench/harness.h"
#include "tests/lib/bounds.h"
#include "tests/lib/patience.h"
#include "tests/lib/scratch.h"

#define A     4
#define B     BH_SLOT_ROUTER
#define SLOTS 32u

/* The consumer's record: what it has made of all events so far. */
struct book {
	uint64_t number; /* of the newest event */
	uint64_t seq;	 /* where it stood in the ring */
	uint64_t count, torn, lost, doubled;
	uint64_t pad[BH_RECORD_BYTES / 8 - 6];
};
static_assert(sizeof(struct book) == BH_RECORD_BYTES, "one record");

static struct {
	struct bh_seg_fds a, b, box, state;
	struct bh_seg a_seg, b_seg, box_seg, state_seg;
	struct bh_self *self_a, *self_b;
	struct bh_record *record;
} ring;

static void
make_ring(void)
{
	ck_assert_int_eq(bh_seg_create_self(&ring.a, "a.self", A, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&ring.b, "b.self", B, 1), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&ring.box, "a>b", A, B, 1, SLOTS, 0), 0);
	ck_assert_int_eq(bh_seg_create_state(&ring.state, "b.state", B, 1, 1), 0);
	ck_assert_int_eq(bh_seg_map(&ring.a_seg, ring.a.rw, BH_SEG_SELF, true), 0);
	ck_assert_int_eq(bh_seg_map(&ring.b_seg, ring.b.rw, BH_SEG_SELF, true), 0);
	ck_assert_int_eq(bh_seg_map(&ring.state_seg, ring.state.rw, BH_SEG_STATE, true), 0);
	ck_assert_int_eq(bh_seg_map(&ring.box_seg, ring.box.ro, BH_SEG_OUTBOX, false), 0);
	ring.self_a = bh_seg_section(&ring.a_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	ring.self_b = bh_seg_section(&ring.b_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	ring.record = bh_seg_section(&ring.state_seg, BH_SEC_RECORDS, sizeof(struct bh_record), NULL);
	ring.self_b->bell.mode = BH_BELL_FUTEX;
}

/* ------------------------------------------------------------------ the two, in children: no check assertions here */

static size_t
payload_of(uint64_t number, uint8_t *bytes)
{
	size_t len = number % 5 == 0 ? number % 170 : 0;
	for (size_t k = 0; k < len; k++)
		bytes[k] = (uint8_t)(number + k);
	return len;
}

/* What its predecessor said last stands in the ring. */
static uint64_t
last_number(const struct bh_ring_tx *tx)
{
	uint64_t newest = 0, number = 0;
	for (uint32_t k = 0; k <= tx->mask; k++) {
		const struct bh_event *ev = &tx->slots[k];
		if (!(ev->seq & BH_SEQ_CONT) && ev->seq > newest && ev->seq <= tx->pos) {
			newest = ev->seq;
			number = ev->v.u[0];
		}
	}
	return number;
}

static void
produce(void *arg)
{
	struct bh_outbox ob;
	uint8_t bytes[BH_PAYLOAD_MAX];
	(void)arg;
	if (bh_outbox_attach(&ob, ring.box.rw, ring.self_a, ring.self_b, -1) < 0 || ob.ring.realigned)
		_exit(1);
	bh_bell_ring_always(&ob.bell);
	for (uint64_t number = last_number(&ob.ring) + 1;; number++) {
		size_t len = payload_of(number, bytes);
		struct bh_event ev = {.kind = BH_EV_REQUEST, .id = (uint32_t)number, .stamp_ns = ~number, .total = (uint32_t)(number * 7),
				      .v.u = {number, number * 3, number * 5, number * 7}};
		while (bh_ring_push(&ob.ring, &ev, bytes, len) == -ENOSPC) {
			bh_outbox_flush(&ob);
			sched_yield();
		}
		if (number % 3 == 0)
			bh_outbox_flush(&ob);
		if (number % 64 == 0) /* so that the consumer gets to sleep */
			nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
}

static bool
is_whole(const struct bh_event *ev, const uint8_t *bytes, size_t len)
{
	uint8_t want[BH_PAYLOAD_MAX];
	uint64_t n = ev->v.u[0];
	return ev->id == (uint32_t)n && ev->stamp_ns == ~n && ev->total == (uint32_t)(n * 7) && ev->v.u[1] == n * 3 &&
	       ev->v.u[2] == n * 5 && ev->v.u[3] == n * 7 && len == payload_of(n, want) && memcmp(bytes, want, len) == 0;
}

static void
enter(struct book *book, const struct bh_event *ev, bool whole)
{
	uint64_t number = ev->v.u[0];
	book->count++;
	book->seq = ev->seq;
	if (!whole) {
		book->torn++;
		return;
	}
	if (number <= book->number)
		book->doubled++;
	else
		book->lost += number - book->number - 1;
	book->number = number > book->number ? number : book->number;
}

static void
consume(void *arg)
{
	struct bh_inbox ib;
	struct bh_event ev;
	uint8_t bytes[BH_PAYLOAD_MAX];
	struct book book = {0};
	uint32_t gen = 0;
	size_t len;
	(void)arg;
	if (bh_inbox_attach(&ib, ring.box.ro, ring.self_b, A) < 0 || ib.ring.jumped || bh_record_read(ring.record, &gen, &book) < 0)
		_exit(1);
	bh_bell_awake(ring.self_b);
	for (;;) {
		int there = bh_ring_peek(&ib.ring, &ev, bytes, sizeof(bytes), &len);
		if (there != 0) {
			if (there < 0 || ev.seq > book.seq) { /* else its commit was the last thing that our predecessor did */
				enter(&book, &ev, there > 0 && is_whole(&ev, bytes, len));
				bh_record_write(ring.record, ++gen, &book);
			}
			bh_ring_advance(&ib.ring, &ev);
			continue;
		}
		struct bh_bell_wait wait;
		wait.word = bh_ring_word(&ib.ring, &wait.value);
		bh_bell_announce(ring.self_b);
		if (!bh_ring_has(&ib.ring))
			bh_bell_sleep(&wait, 1, 0);
		bh_bell_awake(ring.self_b);
	}
}

/* ------------------------------------------------------------------ killing */

static struct book
look_in_book(void)
{
	struct book book = {0};
	while (bh_record_read(ring.record, NULL, &book) == -EAGAIN)
		;
	return book;
}

/* Has the newest number moved since? In time, or never. */
static bool
gets_on(uint64_t since)
{
	uint64_t until = bench_now_ns() + PATIENCE_MS * 1000000ull;
	while (look_in_book().number <= since) {
		if (bench_now_ns() > until)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
	}
	return true;
}

static uint32_t
chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

START_TEST(random_kills_of_producer_and_consumer_lose_double_and_tear_nothing_and_block_nobody)
{
	unsigned kills = (unsigned)bound("BH_RING_KILLS", 5000, 100000), blocked = 0, died = 0, of_producer = 0, of_consumer = 0;
	uint64_t dice = (uint64_t)bound("BH_SEED", 4711, bench_now_ns());
	bench_print("ring_kills", "bench", "seed %lu", (unsigned long)dice);
	make_ring();
	pid_t p = bench_party(produce, NULL, 0), c = bench_party(consume, NULL, 1);
	for (unsigned k = 0; k < kills && !blocked && !died;) {
		uint64_t since = look_in_book().number;
		struct timespec ts = {.tv_nsec = chance(&dice) % 200000};
		unsigned who = chance(&dice) % 20; /* 0: both */
		nanosleep(&ts, NULL);
		/* One that has ended by itself could not attach, or worse. */
		died += waitpid(p, NULL, WNOHANG) != 0 || waitpid(c, NULL, WNOHANG) != 0;
		if (who % 2 == 0) {
			bench_reap(p);
			of_producer++;
			k++;
		}
		if (who % 2 || who == 0) {
			bench_reap(c);
			of_consumer++;
			k++;
		}
		if (who % 2 == 0)
			p = bench_party(produce, NULL, 0);
		if (who % 2 || who == 0)
			c = bench_party(consume, NULL, 1);
		ck_assert(p > 0 && c > 0);
		/* Not after each: a successor is killed while it attaches, too. */
		if (k % 4 == 0)
			blocked += !gets_on(since);
	}
	blocked += !gets_on(look_in_book().number);
	bench_reap(p);
	bench_reap(c);
	struct book book = look_in_book();
	bench_print("ring_kills", "figure", "%u kills of the producer, %u of the consumer, %lu events", of_producer, of_consumer,
		    (unsigned long)book.count);
	ck_assert_uint_eq(died, 0);
	ck_assert_int_eq(bench_count("ring_kills", "torn", (double)book.torn, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("ring_kills", "lost", (double)book.lost, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("ring_kills", "doubled", (double)book.doubled, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("ring_kills", "survivors blocked", blocked, 0), BENCH_MET);
	ck_assert_uint_eq(book.count, book.number);
	ck_assert_uint_ge(of_producer + of_consumer, kills);
}
END_TEST

/* ------------------------------------------------------------------ ZeroMQ, for comparison */

static char address[128];
static struct book *shared; /* here a word after the other is enough: it is what arrived, not how it is kept */

static void
push(void *arg)
{
	(void)arg;
	void *ctx = zmq_ctx_new(), *sock = zmq_socket(ctx, ZMQ_PUSH);
	if (zmq_bind(sock, address) < 0)
		_exit(1);
	for (uint64_t number = 1;; number++) {
		if (zmq_send(sock, &number, sizeof(number), 0) < 0)
			_exit(1);
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
}

static void
pull(void *arg)
{
	uint64_t number;
	(void)arg;
	void *ctx = zmq_ctx_new(), *sock = zmq_socket(ctx, ZMQ_PULL);
	if (zmq_connect(sock, address) < 0)
		_exit(1);
	while (zmq_recv(sock, &number, sizeof(number), 0) == sizeof(number)) {
		if (number <= shared->number)
			shared->doubled++;
		else
			shared->lost += number - shared->number - 1;
		__atomic_store_n(&shared->number, number, __ATOMIC_RELEASE);
	}
}

START_TEST(push_and_pull_of_zeromq_lose_what_a_killed_consumer_was_given)
{
	unsigned kills = (unsigned)bound("BH_ZMQ_KILLS", 20, 200), done = 0;
	uint64_t dice = 99;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	snprintf(address, sizeof(address), "ipc://%s/ring_kills", scratch());
	pid_t p = bench_party(push, NULL, 0), c = bench_party(pull, NULL, 1);
	for (bool gets_on = true; done < kills && gets_on; done++) {
		uint64_t since = __atomic_load_n(&shared->number, __ATOMIC_ACQUIRE), until = bench_now_ns() + PATIENCE_MS * 1000000ull;
		struct timespec ts = {.tv_nsec = 5000000 + chance(&dice) % 5000000};
		while (__atomic_load_n(&shared->number, __ATOMIC_ACQUIRE) <= since && (gets_on = bench_now_ns() < until))
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
		nanosleep(&ts, NULL);
		bench_reap(c);
		c = bench_party(pull, NULL, 1);
	}
	bench_reap(p);
	bench_reap(c);
	/* Informative: what it does under what load is not ours to judge. */
	bench_print("ring_kills", "figure", "ZeroMQ PUSH/PULL: %u kills of the consumer, %lu events, %lu lost (%.1f a kill), %lu doubled", done,
		    (unsigned long)shared->number, (unsigned long)shared->lost, done ? (double)shared->lost / done : 0,
		    (unsigned long)shared->doubled);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ring_kills");
	TCase *tc = tcase_create("ring_kills");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, random_kills_of_producer_and_consumer_lose_double_and_tear_nothing_and_block_nobody);
	tcase_add_test(tc, push_and_pull_of_zeromq_lose_what_a_killed_consumer_was_given);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
