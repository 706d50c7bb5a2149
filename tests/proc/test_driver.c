/* The driver skeleton, shown on the embedded backend: promises about values and actions, and deaths in the middle of them. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/host.h"

enum { A_TRANSPORT, A_SCENE, A_STORE, A_MARK, A_FAULT };

static struct host h;
static uint32_t level, mute, actions, twice, late;

static void
setup(void)
{
	host_start(&h, "loop", "channels", "8", NULL);
	level = host_param(&h, "ch1/level");
	mute = host_param(&h, "ch1/mute");
	actions = host_param(&h, "ledger/actions");
	twice = host_param(&h, "ledger/twice");
	late = host_param(&h, "ledger/late");
}

static void
teardown(void)
{
	host_stop(&h);
}

START_TEST(a_wanted_value_is_applied_and_reported)
{
	ck_assert_int_eq(host_want(&h, level, bh_float(-6), true), 0);
	host_expect(&h, level, bh_float(-6), 2000);
}
END_TEST

START_TEST(the_same_name_has_the_same_id_in_the_next_life)
{
	uint32_t records = bh_dir_count(&h.dir);
	host_kill(&h);
	host_restart(&h);
	ck_assert_uint_eq(host_param(&h, "ch1/level"), level);
	ck_assert_uint_eq(bh_dir_count(&h.dir), records);
}
END_TEST

START_TEST(after_a_kill_the_backend_has_the_newest_values_again)
{
	host_want(&h, level, bh_float(-12), true);
	host_want(&h, mute, bh_bool(true), true);
	host_expect(&h, level, bh_float(-12), 2000);
	host_expect(&h, mute, bh_bool(true), 2000);
	host_kill(&h);
	host_want(&h, level, bh_float(-3), true); /* while it is down */
	host_restart(&h);
	host_expect(&h, level, bh_float(-3), 2000);
	host_expect(&h, mute, bh_bool(true), 2000);
}
END_TEST

/* Its stamp is of when the hand was read: that may be before the report of what the hand had wanted just before. */
START_TEST(after_a_kill_the_backend_has_what_a_hand_wanted_that_went_on_before_the_report)
{
	uint64_t hand = bh_now_ns();
	host_want_at(&h, level, bh_float(-12), hand, true);
	host_expect(&h, level, bh_float(-12), 2000);
	host_kill(&h);
	host_want_at(&h, level, bh_float(-13), hand + 1, true);
	host_restart(&h);
	host_expect(&h, level, bh_float(-13), 2000);
	/* And again, of the value that resync applied. */
	host_kill(&h);
	host_want_at(&h, level, bh_float(-14), hand + 2, true);
	host_restart(&h);
	host_expect(&h, level, bh_float(-14), 2000);
}
END_TEST

START_TEST(a_successor_reports_no_default_on_the_way_to_the_newest_value)
{
	host_want(&h, level, bh_float(-12), true);
	host_expect(&h, level, bh_float(-12), 2000);
	host_drain(&h);
	host_kill(&h);
	host_spawn(&h);
	uint64_t until = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	while (__atomic_load_n(&h.self->ready_life, __ATOMIC_ACQUIRE) != h.lives && bh_mono_ns() < until) {
		struct bh_value v;
		ck_assert_int_eq(host_reported(&h, level, &v), 1);
		ck_assert_double_eq(v.f, -12);
	}
	host_expect(&h, level, bh_float(-12), 2000);
}
END_TEST

START_TEST(an_action_is_done_once_and_a_late_one_never)
{
	ck_assert_int_eq(host_act(&h, A_MARK, 0, NULL), 0);
	host_expect(&h, actions, bh_int(1), 2000);
	host_act(&h, A_MARK, HOST_MAX_AGE_MS + 150, NULL);
	ck_assert(host_until(&h, 2000, h.drops == 1));
	ck_assert_int_eq(h.dropped[0].why, BH_DROP_LATE);
	ck_assert_uint_eq(h.dropped[0].gen, 2);
	ck_assert_uint_eq(host_counter(&h, BH_CNT_DROPPED_LATE), 1);
	host_act(&h, A_MARK, 0, NULL);
	host_expect(&h, actions, bh_int(2), 2000);
	host_expect(&h, late, bh_int(0), 100);
}
END_TEST

START_TEST(an_unknown_action_and_a_failed_one_are_given_back)
{
	host_act(&h, 99, 0, NULL);
	host_act(&h, A_SCENE, 0, "No such scene", NULL);
	ck_assert(host_until(&h, 2000, h.drops == 2));
	ck_assert_int_eq(h.dropped[0].why, BH_DROP_UNKNOWN);
	ck_assert_int_eq(h.dropped[1].why, BH_DROP_FAILED);
}
END_TEST

START_TEST(an_action_that_kills_the_driver_is_not_tried_again)
{
	host_act(&h, A_FAULT, 0, "abort", NULL);
	int status = host_wait_death(&h, 5000);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	host_restart(&h);
	host_act(&h, A_MARK, 0, NULL);
	host_expect(&h, actions, bh_int(2), 2000);
	host_expect(&h, twice, bh_int(0), 100);
}
END_TEST

START_TEST(a_wild_pointer_dies_of_sigsegv)
{
	host_act(&h, A_FAULT, 0, "crash", NULL);
	int status = host_wait_death(&h, 5000);
#ifdef BH_SANITIZED
	ck_assert_int_ne(status, 0);
#else
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
#endif
}
END_TEST

START_TEST(a_value_that_killed_the_driver_twice_is_quarantined_and_others_pass)
{
	/* The menu is armed anew in each life: it is the value that kills. */
	for (int life = 0; life < 2; life++) {
		host_act(&h, A_FAULT, 0, "crash-on", "ch1/level", "-13", NULL);
		host_act(&h, A_MARK, 0, NULL);
		host_expect(&h, actions, bh_int(2 * life + 2), 2000);
		host_want(&h, level, bh_float(-13), true);
		ck_assert_int_ge(host_wait_death(&h, 5000), 0);
		if (life == 0) {
			/* The successor is given the same value by resync, unarmed: it lives. */
			host_restart(&h);
			host_expect(&h, level, bh_float(-13), 2000);
			host_want(&h, level, bh_float(-20), true);
			host_expect(&h, level, bh_float(-20), 2000);
		}
	}
	host_restart(&h);
	ck_assert(host_until(&h, 2000, host_counter(&h, BH_CNT_QUARANTINED) == 1));
	struct bh_value v;
	ck_assert_int_eq(host_reported(&h, level, &v), 1);
	ck_assert_double_ne(v.f, -13);
	host_want(&h, level, bh_float(-14), true);
	host_expect(&h, level, bh_float(-14), 2000);
}
END_TEST

START_TEST(a_full_ring_conflates_values_and_the_last_arrives)
{
	kill(h.pid, SIGSTOP);
	int conflated = 0;
	for (int i = 0; i < 500; i++)
		conflated += host_want(&h, level, bh_float(-(double)i / 10), true) == 1;
	ck_assert_int_ge(conflated, 500 - (int)HOST_RING);
	kill(h.pid, SIGCONT);
	host_expect(&h, level, bh_float(-49.9), 5000);
}
END_TEST

START_TEST(a_full_ring_refuses_actions_at_once)
{
	int refused = 0, sent = 0;
	kill(h.pid, SIGSTOP);
	for (int i = 0; i < 200; i++) {
		if (host_act(&h, A_MARK, 0, NULL) == -ENOSPC)
			refused++;
		else
			sent++;
	}
	ck_assert_int_gt(refused, 0);
	kill(h.pid, SIGCONT);
	/* Those that were sent are done, or dropped as late on a slow machine; none is lost without a word. */
	struct bh_value v = {0};
	ck_assert(host_until(&h, 5000, host_reported(&h, actions, &v) && v.i + (int64_t)h.drops >= sent));
	ck_assert_int_eq(v.i + (int64_t)h.drops, sent);
	host_expect(&h, twice, bh_int(0), 1000);
}
END_TEST

START_TEST(values_before_and_after_an_action_keep_their_order)
{
	/* "level -20, store, level -40": the scene must hold -20 although a newer value waits behind it. */
	kill(h.pid, SIGSTOP);
	host_want(&h, level, bh_float(-20), false);
	host_act(&h, A_STORE, 0, "Music", NULL);
	host_want(&h, level, bh_float(-40), true);
	kill(h.pid, SIGCONT);
	host_expect(&h, level, bh_float(-40), 2000);
	host_act(&h, A_SCENE, 0, "Music", NULL);
	host_expect(&h, level, bh_float(-20), 2000);
}
END_TEST

START_TEST(garbage_in_the_routers_ring_is_counted_and_survived)
{
	struct bh_event bad[] = {
		{.kind = 200, .id = 1, .type = BH_FLOAT},
		{.kind = BH_EV_VALUE, .id = 0xffffffff, .type = BH_FLOAT},
		{.kind = BH_EV_VALUE, .id = level, .type = 99},
		{.kind = BH_EV_VALUE, .id = level, .type = BH_TEXT, .len = 255},
		{.kind = BH_EV_VALUE, .id = level, .type = BH_FLOAT, .v.f = __builtin_nan("")},
		{.kind = BH_EV_ACTION, .id = 0xffffffff},
	};
	for (unsigned i = 0; i < BH_ARRAY_LEN(bad); i++)
		bh_outbox_send(&h.out, &bad[i], NULL, 0);
	host_want(&h, level, bh_float(-7), true);
	host_expect(&h, level, bh_float(-7), 2000);
	ck_assert_uint_ge(host_counter(&h, BH_CNT_PEER_FAULTS), 2);
}
END_TEST

START_TEST(meters_move_only_while_the_transport_plays_and_idle_costs_no_wake_up)
{
	uint32_t meter = host_param(&h, "ch1/meter");
	host_want(&h, meter, bh_float(1), true); /* somebody looks */
	host_want(&h, level, bh_float(0), true);
	host_act(&h, A_TRANSPORT, 0, "play", NULL);
	struct bh_value v = {0};
	ck_assert(host_until(&h, 5000, host_reported(&h, meter, &v) && v.f > -80));
	host_act(&h, A_TRANSPORT, 0, "stop", NULL);
	ck_assert(host_until(&h, 15000, host_reported(&h, meter, &v) && v.f <= -90));
	ck_assert(host_until(&h, 2000, h.self->bell.episode & 1));
	uint64_t before = 0, now = host_counter(&h, BH_CNT_WAKEUPS);
	/* The owed-work timer of the last report may still run out; then nothing wakes it any more. */
	for (int i = 0; i < 20 && before != now; i++) {
		before = now;
		usleep(300000);
		host_drain(&h);
		now = host_counter(&h, BH_CNT_WAKEUPS);
	}
	ck_assert_uint_eq(before, now);
}
END_TEST

START_TEST(orphans_leave_within_a_second)
{
	int status = -1;
	unsigned turns = 0;
	close(h.sock);
	while (waitpid(h.pid, &status, WNOHANG) != h.pid) {
		ck_assert_uint_lt(++turns, second_in_turns(500));
		usleep(500);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	h.pid = 0;
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("driver");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_wanted_value_is_applied_and_reported);
	tcase_add_test(t, the_same_name_has_the_same_id_in_the_next_life);
	tcase_add_test(t, after_a_kill_the_backend_has_the_newest_values_again);
	tcase_add_test(t, after_a_kill_the_backend_has_what_a_hand_wanted_that_went_on_before_the_report);
	tcase_add_test(t, a_successor_reports_no_default_on_the_way_to_the_newest_value);
	tcase_add_test(t, an_action_is_done_once_and_a_late_one_never);
	tcase_add_test(t, an_unknown_action_and_a_failed_one_are_given_back);
	tcase_add_test(t, an_action_that_kills_the_driver_is_not_tried_again);
	tcase_add_test(t, a_wild_pointer_dies_of_sigsegv);
	tcase_add_test(t, a_value_that_killed_the_driver_twice_is_quarantined_and_others_pass);
	tcase_add_test(t, a_full_ring_conflates_values_and_the_last_arrives);
	tcase_add_test(t, a_full_ring_refuses_actions_at_once);
	tcase_add_test(t, values_before_and_after_an_action_keep_their_order);
	tcase_add_test(t, garbage_in_the_routers_ring_is_counted_and_survived);
	tcase_add_test(t, meters_move_only_while_the_transport_plays_and_idle_costs_no_wake_up);
	tcase_add_test(t, orphans_leave_within_a_second);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
