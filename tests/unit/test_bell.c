/* test_bell.c - nobody sleeps through an event, and a sleep is ended by one system call */
#include "shm/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/lib/pair.h"

#ifdef BH_SANITIZED
#define HOPS 20000u
#define LITMUS_ROUNDS 20000u
#else
#define HOPS 100000u
#define LITMUS_ROUNDS 100000u
#endif

static struct pair p;

static void
setup(void)
{
	pair_init(&p, 32, 16);
}

static void
teardown(void)
{
	pair_fini(&p);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
in_ms(uint64_t ms)
{
	return now_ns() + ms * 1000000u;
}

static void
put(struct pair *pair, uint32_t id, int64_t value)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .id = id, .v.i = value};
	ck_assert_int_ge(bh_outbox_put(&pair->ob, &ev, NULL, 0), 0);
}

/* Sleep as a process does. Returns what bh_bell_sleep() said, or 1 if there was something to do already. */
static int
sleep_for_events(struct pair *pair, uint64_t deadline_ns)
{
	struct bh_bell_wait wait;
	int ret = 1;
	bh_bell_announce(pair->b);
	wait.word = bh_ring_word(&pair->ib.ring, &wait.value);
	if (!bh_inbox_pending(&pair->ib))
		ret = bh_bell_sleep(&wait, 1, deadline_ns);
	bh_bell_awake(pair->b);
	return ret;
}

static void
look_at_cells(struct pair *pair)
{
	uint64_t now;
	bh_inbox_overflowed(&pair->ib, &now);
	pair->ib.overflow_seen = now;
}

START_TEST(a_deadline_ends_a_sleep)
{
	look_at_cells(&p);
	uint64_t until = in_ms(20);
	ck_assert_int_eq(sleep_for_events(&p, until), 0);
	ck_assert_uint_ge(now_ns(), until);
	ck_assert_int_eq(bh_bell_sleep(NULL, 0, in_ms(5)), 0);
	ck_assert_int_eq(bh_bell_sleep(NULL, 0, 1), 0);
}
END_TEST

START_TEST(a_word_that_moved_before_the_sleep_ends_it_at_once)
{
	static uint32_t words[3] = {1, 2, 3};
	struct bh_bell_wait wait[3] = {{&words[0], 1}, {&words[1], 2}, {&words[2], 3}};
	ck_assert_int_eq(bh_bell_sleep(wait, 3, in_ms(1)), 0);
	wait[2].value = 4;
	ck_assert_int_eq(bh_bell_sleep(wait, 3, in_ms(60000)), 1);
	ck_assert_int_eq(bh_bell_sleep(&wait[2], 1, in_ms(60000)), 1);
	ck_assert_int_eq(bh_bell_sleep(wait, BH_BELL_WORDS + 1, in_ms(1)), -EINVAL);
}
END_TEST

START_TEST(nobody_sleeps_on_an_event_that_is_there)
{
	/* Whichever comes first, the word or the look. */
	struct bh_bell_wait wait;
	put(&p, 0, 1);
	wait.word = bh_ring_word(&p.ib.ring, &wait.value);
	ck_assert_int_eq(bh_bell_sleep(&wait, 1, in_ms(60000)), 1);
}
END_TEST

START_TEST(one_system_call_for_a_sleep_however_many_events_follow)
{
	uint64_t *calls = p.ob.bell.calls;
	for (int scan = 0; scan < 3; scan++)
		for (uint32_t fader = 0; fader < 16; fader++)
			put(&p, fader, fader);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 0); /* nobody sleeps */
	ck_assert_uint_eq(*calls, 0);

	bh_ring_seek(&p.ib.ring, p.ob.ring.pos);
	bh_bell_announce(p.b);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 0); /* nothing to wake it for */
	for (uint32_t fader = 0; fader < 16; fader++)
		put(&p, fader, fader + 100);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	ck_assert_uint_eq(*calls, 1);
	for (uint32_t fader = 0; fader < 16; fader++) {
		put(&p, fader, fader + 200);
		ck_assert_int_eq(bh_outbox_flush(&p.ob), 0); /* rung already */
	}
	ck_assert_uint_eq(*calls, 1);
	bh_bell_awake(p.b);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 0);
	bh_ring_seek(&p.ib.ring, p.ob.ring.pos);
	bh_bell_announce(p.b); /* the next sleep */
	put(&p, 1, 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	ck_assert_uint_eq(*calls, 2);
}
END_TEST

START_TEST(a_flush_without_events_does_not_use_up_the_ring)
{
	bh_bell_announce(p.b);
	for (int k = 0; k < 5; k++)
		ck_assert_int_eq(bh_outbox_flush(&p.ob), 0);
	put(&p, 0, 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
}
END_TEST

START_TEST(a_sleeper_restarted_asleep_is_rung_again)
{
	bh_bell_announce(p.b);
	put(&p, 0, 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	bh_ring_seek(&p.ib.ring, p.ob.ring.pos); /* killed before it said that it is awake */
	bh_bell_announce(p.b);
	put(&p, 0, 2);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
}
END_TEST

START_TEST(a_fresh_sleeper_is_rung_though_it_counts_its_sleeps_from_the_beginning)
{
	bh_bell_announce(p.b);
	put(&p, 0, 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	bh_ring_seek(&p.ib.ring, p.ob.ring.pos);
	p.b->bell.episode = 0; /* another self segment, to which the producer attaches */
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	bh_bell_announce(p.b);
	put(&p, 0, 2);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
}
END_TEST

START_TEST(a_pipe_holds_the_ring_until_it_is_read)
{
	int fds[2];
	char byte;
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	p.b->bell.mode = BH_BELL_PIPE;
	p.ob.bell.pipe_wr = fds[1];
	put(&p, 0, 1);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 0);
	ck_assert_int_eq(read(fds[0], &byte, 1), -1);
	bh_bell_announce(p.b);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	struct pollfd poll_fd = {.fd = fds[0], .events = POLLIN};
	ck_assert_int_eq(poll(&poll_fd, 1, 0), 1);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_int_eq(read(fds[0], &byte, 1), -1);
	/* A pipe that is full blocks nobody. */
	while (write(fds[1], "", 1) == 1)
		;
	for (int k = 0; k < 3; k++) {
		bh_bell_awake(p.b);
		bh_bell_announce(p.b);
		bh_ring_seek(&p.ib.ring, p.ob.ring.pos);
		put(&p, 0, 1);
		ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
		bh_bell_ring_always(&p.ob.bell);
	}
	close(fds[0]), close(fds[1]);
}
END_TEST

START_TEST(a_hostile_sleeper_costs_its_waker_one_call_at_most)
{
	uint64_t rnd = 11;
	for (int k = 0; k < 20000; k++) {
		p.b->bell.episode = pair_random(&rnd);
		p.b->bell.mode = (uint32_t)pair_random(&rnd);
		p.b->cursor[PAIR_A] = pair_random(&rnd) >> pair_random(&rnd) % 64;
		uint64_t calls = *p.ob.bell.calls;
		int ret = bh_outbox_flush(&p.ob);
		ck_assert(ret == 0 || ret == 1);
		ck_assert_uint_le(*p.ob.bell.calls - calls, 1);
	}
}
END_TEST

/* Until the child says that it sleeps, and does: between the two it may still see what is there, and wake by itself. */
static void
await_sleep(pid_t pid)
{
	char path[64], state = 0;
	uint64_t limit = in_ms(20000);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while ((state != 'S' || !(__atomic_load_n(&p.b_ro->bell.episode, __ATOMIC_ACQUIRE) & 1)) && now_ns() < limit) {
		FILE *f = fopen(path, "re");
		ck_assert_ptr_nonnull(f);
		ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
		fclose(f);
	}
}

/* The kernel facts that this rests on: waiting and waking through read-only mappings of two processes. */
START_TEST(a_sleeper_in_another_process_wakes_on_a_word_it_cannot_write)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		look_at_cells(&p);
		int ret = sleep_for_events(&p, in_ms(60000));
		_exit(ret == 1 && bh_ring_has(&p.ib.ring) ? 0 : 1);
	}
	await_sleep(pid);
	put(&p, 3, 7);
	ck_assert_int_eq(bh_outbox_flush(&p.ob), 1);
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(a_successor_rings_for_its_predecessor_who_published_and_died)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		look_at_cells(&p);
		_exit(sleep_for_events(&p, in_ms(60000)) == 1 && bh_ring_has(&p.ib.ring) ? 0 : 1);
	}
	await_sleep(pid);
	put(&p, 3, 7); /* and never flushed */
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	bh_bell_ring_always(&p.ob.bell);
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* The cell is written, the event is not, and the ring of the successor comes before the sleep: nothing but the word keeps it from it. */
START_TEST(a_sleeper_that_has_had_its_last_look_does_not_sleep_through_a_successor)
{
	struct bh_bell_wait wait;
	look_at_cells(&p);
	bh_bell_announce(p.b);
	wait.word = bh_ring_word(&p.ib.ring, &wait.value);
	ck_assert(!bh_inbox_pending(&p.ib));
	bh_outbox_detach(&p.ob);
	pair_attach_producer(&p);
	bh_bell_ring_always(&p.ob.bell);
	ck_assert_int_eq(bh_bell_sleep(&wait, 1, in_ms(20000)), 1);
	ck_assert(bh_inbox_pending(&p.ib));
}
END_TEST

START_TEST(one_of_many_rings_wakes_a_sleeper_on_all_of_them)
{
	/* futex_waitv on read-only mappings of several producers, each its own process. */
	enum { MANY = 5 };
	static struct pair many[MANY];
	for (int k = 0; k < MANY; k++) {
		pair_init(&many[k], 16, 4);
		look_at_cells(&many[k]);
	}
	for (int who = 0; who < MANY; who++) {
		struct bh_bell_wait wait[MANY];
		for (int k = 0; k < MANY; k++) {
			bh_bell_announce(many[k].b);
			wait[k].word = bh_ring_word(&many[k].ib.ring, &wait[k].value);
		}
		pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			put(&many[who], 0, who);
			_exit(bh_outbox_flush(&many[who].ob) == 1 ? 0 : 1);
		}
		int ret = 1;
		unsigned which = 0;
		while (ret == 1 && !bh_ring_has(&many[who].ib.ring))
			ret = bh_bell_sleep_which(wait, MANY, in_ms(60000), &which);
		ck_assert_int_eq(ret, 1);
		ck_assert_msg(which == 0 || which == (unsigned)who, "word %u was rung, not %u", who, which);
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		bh_outbox_detach(&many[who].ob);
		pair_attach_producer(&many[who]);
		bh_ring_seek(&many[who].ib.ring, many[who].ob.ring.pos);
		for (int k = 0; k < MANY; k++)
			bh_bell_awake(many[k].b);
	}
	for (int k = 0; k < MANY; k++)
		pair_fini(&many[k]);
}
END_TEST

/* Ping-pong of two threads over two pairs: each sleeps for the other, with random work before each step. */
struct player {
	struct pair *hears, *tells;
	uint64_t rnd;
	bool serves;
	unsigned hops, lost, sleeps;
};

static void *
play(void *arg)
{
	struct player *me = arg;
	if (me->serves) {
		put(me->tells, 0, 0);
		bh_outbox_flush(&me->tells->ob);
	}
	while (me->hops < HOPS / 2) {
		struct bh_event ev;
		for (uint64_t spin = pair_random(&me->rnd) % 400; spin; spin--)
			__asm__ volatile("");
		int ret = bh_ring_peek(&me->hears->ib.ring, &ev, NULL, 0, NULL);
		if (ret == 0) {
			me->sleeps++;
			if (sleep_for_events(me->hears, in_ms(60000)) == 0 && bh_ring_has(&me->hears->ib.ring))
				me->lost++;
			continue;
		}
		if (ret < 0)
			break;
		bh_ring_advance(&me->hears->ib.ring, &ev);
		me->hops++;
		for (uint64_t spin = pair_random(&me->rnd) % 400; spin; spin--)
			__asm__ volatile("");
		put(me->tells, 0, me->hops);
		bh_outbox_flush(&me->tells->ob);
	}
	return NULL;
}

START_TEST(no_wake_up_is_lost_in_a_hundred_thousand_hops)
{
	static struct pair back;
	pthread_t thread;
	pair_init(&back, 32, 4);
	pair_share(&back);
	pair_share(&p);
	look_at_cells(&p);
	look_at_cells(&back);
	struct player a = {.hears = &back, .tells = &p, .rnd = 17, .serves = true};
	struct player b = {.hears = &p, .tells = &back, .rnd = 71};
	ck_assert_int_eq(pthread_create(&thread, NULL, play, &b), 0);
	play(&a);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(a.hops, HOPS / 2);
	ck_assert_uint_eq(b.hops, HOPS / 2);
	ck_assert_uint_eq(a.lost + b.lost, 0);
	/* One call a sleep at most, and sleeps did happen. */
	ck_assert_uint_le(*p.ob.bell.calls, b.sleeps);
	ck_assert_uint_le(*back.ob.bell.calls, a.sleeps);
	ck_assert_uint_gt(a.sleeps + b.sleeps, HOPS / 100);
	pair_fini(&back);
}
END_TEST

/*
 * The litmus test under it: one announces and looks, the other publishes and reads the episode, at the same moment. That
 * both miss each other must never happen. Each round is counted in by both, so that they meet as closely as two threads can.
 */
static uint32_t round_a, round_b;
static bool saw[2];

static void
meet(uint32_t *mine, const uint32_t *other, uint32_t n)
{
	__atomic_store_n(mine, n, __ATOMIC_RELEASE);
	for (unsigned spin = 0; __atomic_load_n(other, __ATOMIC_ACQUIRE) < n; spin++)
		if (spin % 1024 == 1023)
			sched_yield();
}

static void *
announce_and_look(void *arg)
{
	(void)arg;
	uint64_t rnd = 23;
	for (uint32_t n = 1; n <= LITMUS_ROUNDS; n++) {
		meet(&round_b, &round_a, 3 * n);
		for (uint64_t spin = pair_random(&rnd) % 64; spin; spin--)
			__asm__ volatile("");
		bh_bell_announce(p.b);
		saw[1] = bh_ring_has(&p.ib.ring);
		meet(&round_b, &round_a, 3 * n + 1);
		bh_bell_awake(p.b);
		bh_ring_seek(&p.ib.ring, n);
		meet(&round_b, &round_a, 3 * n + 2);
	}
	return NULL;
}

START_TEST(sleeper_and_waker_never_miss_each_other)
{
	pthread_t thread;
	uint64_t rnd = 5;
	unsigned looked = 0, rang = 0, missed = 0;
	pair_share(&p);
	ck_assert_int_eq(pthread_create(&thread, NULL, announce_and_look, NULL), 0);
	for (uint32_t n = 1; n <= LITMUS_ROUNDS; n++) {
		const struct bh_event ev = {.kind = BH_EV_VALUE};
		meet(&round_a, &round_b, 3 * n);
		for (uint64_t spin = pair_random(&rnd) % 64; spin; spin--)
			__asm__ volatile("");
		bh_ring_push(&p.ob.ring, &ev, NULL, 0);
		saw[0] = bh_bell_ring(&p.ob.bell) == 1;
		meet(&round_a, &round_b, 3 * n + 1);
		looked += saw[1];
		rang += saw[0];
		missed += !saw[0] && !saw[1];
		meet(&round_a, &round_b, 3 * n + 2);
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(missed, 0);
	/* Both outcomes were met, or this has tested nothing. */
	ck_assert_uint_gt(looked, 0);
	ck_assert_uint_gt(rang, 0);
}
END_TEST

/*
 * The other half of the bargain: the ring is full, the value goes to its cell alone. The consumer that has just emptied the
 * ring either sees the count before it sleeps, or the producer sees the room and publishes after all.
 */
static void *
empty_and_look(void *arg)
{
	(void)arg;
	uint64_t rnd = 29;
	for (uint32_t n = 1; n <= LITMUS_ROUNDS; n++) {
		meet(&round_b, &round_a, 3 * n);
		for (uint64_t spin = pair_random(&rnd) % 64; spin; spin--)
			__asm__ volatile("");
		struct bh_event ev;
		bool got = false;
		while (bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL) == 1) {
			got |= ev.kind == BH_EV_VALUE;
			bh_ring_advance(&p.ib.ring, &ev);
		}
		bh_bell_announce(p.b);
		saw[1] = bh_inbox_pending(&p.ib) || got;
		meet(&round_b, &round_a, 3 * n + 1);
		bh_bell_awake(p.b);
		while (bh_ring_peek(&p.ib.ring, &ev, NULL, 0, NULL) == 1)
			bh_ring_advance(&p.ib.ring, &ev);
		look_at_cells(&p);
		meet(&round_b, &round_a, 3 * n + 2);
	}
	return NULL;
}

START_TEST(a_value_that_met_a_full_ring_leaves_nobody_asleep)
{
	pthread_t thread;
	uint64_t rnd = 31;
	unsigned missed = 0, conflated = 0;
	/* The smallest ring: to be emptied between two instructions of the producer. */
	teardown();
	pair_init(&p, 2, 16);
	pair_share(&p);
	look_at_cells(&p);
	const struct bh_event fill = {.kind = BH_EV_METER};
	while (bh_ring_push(&p.ob.ring, &fill, NULL, 0) == 0)
		;
	ck_assert_int_eq(pthread_create(&thread, NULL, empty_and_look, NULL), 0);
	for (uint32_t n = 1; n <= LITMUS_ROUNDS; n++) {
		meet(&round_a, &round_b, 3 * n);
		for (uint64_t spin = pair_random(&rnd) % 64; spin; spin--)
			__asm__ volatile("");
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .v.i = n};
		conflated += bh_outbox_put(&p.ob, &ev, NULL, 0) == 1;
		saw[0] = bh_bell_ring(&p.ob.bell) == 1;
		meet(&round_a, &round_b, 3 * n + 1);
		missed += !saw[0] && !saw[1];
		meet(&round_a, &round_b, 3 * n + 2);
		while (n < LITMUS_ROUNDS && bh_ring_push(&p.ob.ring, &fill, NULL, 0) == 0)
			;
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(missed, 0);
	ck_assert_uint_gt(conflated, 0);
	ck_assert_uint_lt(conflated, LITMUS_ROUNDS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bell");
	TCase *tc = tcase_create("bell");
	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_deadline_ends_a_sleep);
	tcase_add_test(tc, a_word_that_moved_before_the_sleep_ends_it_at_once);
	tcase_add_test(tc, nobody_sleeps_on_an_event_that_is_there);
	tcase_add_test(tc, one_system_call_for_a_sleep_however_many_events_follow);
	tcase_add_test(tc, a_flush_without_events_does_not_use_up_the_ring);
	tcase_add_test(tc, a_sleeper_restarted_asleep_is_rung_again);
	tcase_add_test(tc, a_fresh_sleeper_is_rung_though_it_counts_its_sleeps_from_the_beginning);
	tcase_add_test(tc, a_pipe_holds_the_ring_until_it_is_read);
	tcase_add_test(tc, a_hostile_sleeper_costs_its_waker_one_call_at_most);
	tcase_add_test(tc, a_sleeper_in_another_process_wakes_on_a_word_it_cannot_write);
	tcase_add_test(tc, a_successor_rings_for_its_predecessor_who_published_and_died);
	tcase_add_test(tc, a_sleeper_that_has_had_its_last_look_does_not_sleep_through_a_successor);
	tcase_add_test(tc, one_of_many_rings_wakes_a_sleeper_on_all_of_them);
	tcase_add_test(tc, no_wake_up_is_lost_in_a_hundred_thousand_hops);
	tcase_add_test(tc, sleeper_and_waker_never_miss_each_other);
	tcase_add_test(tc, a_value_that_met_a_full_ring_leaves_nobody_asleep);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
