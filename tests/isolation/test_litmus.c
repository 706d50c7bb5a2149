/*
 * test_litmus.c - announce and look again, publish and read the episode, on the processors that there are
 *
 * Two threads on two CPUs, at the same moment: one announces its sleep and looks, the other publishes and rings. That the sleeper sees no
 * event and the waker no sleep is a lost wake-up, and must never happen. The same without the two fences says whether this machine would show it.
 */
#include <pthread.h>
#include <sched.h>

#include "tests/bench/harness.h"
#include "tests/isolation/weak_bell.h"
#include "tests/lib/bounds.h"
#include "tests/lib/pair.h"

static struct pair p;
static unsigned long rounds, seconds;
static uint64_t count_a, count_b;
static bool looked_in_vain, weak, over;

/* Both count themselves in, so that they meet as closely as two threads can. */
static void
meet(uint64_t *mine, const uint64_t *other)
{
	uint64_t n = __atomic_load_n(mine, __ATOMIC_RELAXED) + 1;
	__atomic_store_n(mine, n, __ATOMIC_RELEASE);
	for (unsigned spin = 0; __atomic_load_n(other, __ATOMIC_ACQUIRE) < n; spin++)
		if (spin % 1024 == 1023)
			sched_yield();
}

static void
dawdle(uint64_t *rnd)
{
	for (uint64_t spin = pair_random(rnd) % 48; spin; spin--)
		__asm__ volatile("");
}

static void *
sleep_side(void *arg)
{
	uint64_t rnd = 23;
	(void)arg;
	bench_pin(1);
	for (unsigned long n = 0; !over; n++) {
		meet(&count_b, &count_a);
		dawdle(&rnd);
		if (weak)
			weak_announce(p.b);
		else
			bh_bell_announce(p.b);
		looked_in_vain = !bh_ring_has(&p.ib.ring);
		meet(&count_b, &count_a);
		bh_bell_awake(p.b);
		bh_ring_seek(&p.ib.ring, n + 1);
		meet(&count_b, &count_a);
	}
	bench_unpin();
	return NULL;
}

/* How many wake-ups were lost in `*n` rounds: as many as were asked for, or as there is time for on a busy machine. */
static unsigned long
play(unsigned long *n)
{
	static const struct bh_event event = {.kind = BH_EV_REQUEST};
	uint64_t rnd = 71;
	unsigned long lost = 0, met = 0;
	pthread_t thread;
	uint64_t until = bench_now_ns() + seconds * 1000000000u;
	count_a = count_b = 0;
	over = false;
	*n = 0;
	pair_init(&p, 16, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, sleep_side, NULL), 0);
	bench_pin(0);
	while (!over) {
		meet(&count_a, &count_b);
		dawdle(&rnd);
		bool full = bh_ring_push(&p.ob.ring, &event, NULL, 0) < 0;
		bool rang = (weak ? weak_ring(&p.ob.bell) : bh_bell_ring(&p.ob.bell)) == 1;
		meet(&count_a, &count_b);
		lost += looked_in_vain && !rang && !full;
		met += looked_in_vain || rang;
		over = ++*n == rounds || bench_now_ns() > until;
		meet(&count_a, &count_b);
	}
	pthread_join(thread, NULL);
	bench_unpin();
	pair_fini(&p);
	ck_assert_uint_gt(met, 0);
	return lost;
}

START_TEST(no_wake_up_is_lost_on_this_machine)
{
	unsigned long n, lost;
	rounds = bound("BH_LITMUS", 300000, 100000000);
	seconds = bound("BH_LITMUS_S", 8, 1200);
	weak = true;
	lost = play(&n);
	bench_print("litmus", "figure", "without its fences the bell loses %lu of %lu wake-ups here", lost, n);
	weak = false;
	lost = play(&n);
	bench_print("litmus", "figure", "%lu rounds with them", n);
	bench_count("litmus", "wake-ups lost", (double)lost, 0);
	ck_assert_uint_eq(lost, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("litmus");
	TCase *tc = tcase_create("litmus");
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, no_wake_up_is_lost_on_this_machine);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
