/* test_policy.c - the restart decisions: every state with every event, back-off, and the window */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "supervisor/policy.h"

#define MS(n) ((uint64_t)(n)*BH_NS_PER_MS)
#define T0 (1000 * BH_NS_PER_S)

static const struct bh_policy_limits limits = {
	.crash_limit = 5,
	.crash_window_ns = 30 * BH_NS_PER_S,
	.backoff_first_ns = MS(100),
	.backoff_max_ns = 5 * BH_NS_PER_S,
	.ready_ns = 5 * BH_NS_PER_S,
	.stop_ns = 3 * BH_NS_PER_S,
	.abort_ns = MS(100),
	.bury_ns = 2 * BH_NS_PER_S,
};

static unsigned
step(struct bh_policy *p, enum bh_policy_event ev, uint64_t now)
{
	return bh_policy_step(p, &limits, &(struct bh_policy_input){.event = ev}, now);
}

static unsigned
died(struct bh_policy *p, bool attaching, bool unproven, uint64_t now)
{
	return bh_policy_step(p, &limits,
			      &(struct bh_policy_input){.event = BH_POL_EV_DIED, .attaching = attaching, .unproven = unproven},
			      now);
}

/* Wait out the back-off, if there is one. */
static void
await_start(struct bh_policy *p)
{
	if (p->state == BH_POL_BACKING_OFF)
		step(p, BH_POL_EV_TIMER, p->deadline_ns);
	ck_assert_int_eq(p->state, BH_POL_STARTING);
}

/* A process in the given state, reached by events alone. */
static struct bh_policy
in_state(enum bh_policy_state want)
{
	struct bh_policy p = {0};
	if (want == BH_POL_STOPPED)
		return p;
	if (want == BH_POL_HELD) {
		step(&p, BH_POL_EV_HOLD, T0);
		return p;
	}
	step(&p, BH_POL_EV_START, T0);
	if (want == BH_POL_STARTING)
		return p;
	step(&p, BH_POL_EV_READY, T0);
	if (want == BH_POL_ENDING)
		step(&p, BH_POL_EV_HANG, T0);
	if (want == BH_POL_LEAVING)
		step(&p, BH_POL_EV_STOP, T0);
	if (want == BH_POL_BACKING_OFF || want == BH_POL_FAILED) {
		uint64_t t = T0;
		for (int i = 0; p.state != want && i < 10; i++) {
			died(&p, false, false, t);
			if (p.state == want)
				break;
			t += MS(1000);
			step(&p, BH_POL_EV_TIMER, t);
		}
	}
	return p;
}

#define S(s, todo) {BH_POL_##s, todo}
#define SPAWN BH_POL_DO_SPAWN
#define NO BH_POL_REFUSED
#define LV BH_POL_DO_LEAVE
#define AB BH_POL_DO_ABORT
#define KI BH_POL_DO_KILL

/* What is to follow, written down a second time by hand: a change of the table must be made twice. */
/* clang-format off */
static const struct { uint8_t state; unsigned todo; } expected[BH_POL_STATES][BH_POL_EVENTS] = {
[BH_POL_STOPPED] = { S(STARTING, SPAWN), S(STOPPED, 0), S(HELD, 0), S(STOPPED, NO), S(STARTING, SPAWN),
	S(STOPPED, 0), S(STOPPED, 0), S(STOPPED, 0), S(STOPPED, 0), S(STOPPED, 0), S(STOPPED, 0) },
[BH_POL_STARTING] = { S(STARTING, NO), S(LEAVING, LV), S(LEAVING, LV), S(STARTING, NO), S(LEAVING, LV),
	S(RUNNING, 0), S(STARTING, SPAWN), S(STARTING, 0), S(STARTING, 0), S(STARTING, 0), S(ENDING, AB) },
[BH_POL_RUNNING] = { S(RUNNING, NO), S(LEAVING, LV), S(LEAVING, LV), S(RUNNING, NO), S(LEAVING, LV),
	S(RUNNING, 0), S(STARTING, SPAWN), S(ENDING, AB), S(ENDING, AB), S(RUNNING, 0), S(RUNNING, 0) },
[BH_POL_ENDING] = { S(ENDING, 0), S(ENDING, 0), S(ENDING, 0), S(ENDING, NO), S(ENDING, 0),
	S(ENDING, 0), S(STARTING, SPAWN), S(ENDING, 0), S(ENDING, 0), S(ENDING, 0), S(ENDING, KI) },
[BH_POL_LEAVING] = { S(LEAVING, 0), S(LEAVING, 0), S(LEAVING, 0), S(LEAVING, 0), S(LEAVING, 0),
	S(LEAVING, 0), S(STOPPED, 0), S(LEAVING, 0), S(LEAVING, 0), S(LEAVING, 0), S(LEAVING, KI) },
[BH_POL_BACKING_OFF] = { S(STARTING, SPAWN), S(STOPPED, 0), S(HELD, 0), S(STARTING, SPAWN), S(STARTING, SPAWN),
	S(BACKING_OFF, 0), S(BACKING_OFF, 0), S(BACKING_OFF, 0), S(BACKING_OFF, 0), S(STARTING, SPAWN), S(STARTING, SPAWN) },
[BH_POL_FAILED] = { S(STARTING, SPAWN), S(STOPPED, 0), S(HELD, 0), S(STARTING, SPAWN), S(STARTING, SPAWN),
	S(FAILED, 0), S(FAILED, 0), S(FAILED, 0), S(FAILED, 0), S(STARTING, SPAWN), S(FAILED, 0) },
[BH_POL_HELD] = { S(STARTING, SPAWN), S(STOPPED, 0), S(HELD, 0), S(STARTING, SPAWN), S(HELD, NO),
	S(HELD, 0), S(HELD, 0), S(HELD, 0), S(HELD, 0), S(HELD, 0), S(HELD, 0) },
};
/* clang-format on */

START_TEST(every_state_answers_every_event_as_written_down)
{
	enum bh_policy_state s = (enum bh_policy_state)_i;
	struct bh_policy before = in_state(s);
	ck_assert_int_eq(before.state, s);
	for (unsigned e = 0; e < BH_POL_EVENTS; e++) {
		struct bh_policy p = before;
		uint64_t now = T0 + 100 * BH_NS_PER_S; /* every deadline has passed, every window too */
		unsigned todo = step(&p, (enum bh_policy_event)e, now);
		ck_assert_msg(p.state == expected[s][e].state && todo == expected[s][e].todo,
			      "%s + event %u: is %s, todo %u; should be %s, todo %u", bh_policy_state_name(s), e,
			      bh_policy_state_name(p.state), todo, bh_policy_state_name(expected[s][e].state),
			      expected[s][e].todo);
		if (todo & BH_POL_REFUSED)
			ck_assert_mem_eq(&p, &before, sizeof p);
	}
}
END_TEST

START_TEST(without_time_for_last_words_a_hang_is_killed_at_once)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	struct bh_policy_limits none = limits;
	none.abort_ns = 0;
	unsigned todo = bh_policy_step(&p, &none, &(struct bh_policy_input){.event = BH_POL_EV_HANG}, T0);
	ck_assert_uint_eq(todo, BH_POL_DO_KILL);
	ck_assert_int_eq(p.state, BH_POL_ENDING);
	ck_assert_uint_eq(p.deadline_ns, T0 + none.bury_ns);
	/* Who does not die of it is abandoned. */
	todo = bh_policy_step(&p, &none, &(struct bh_policy_input){.event = BH_POL_EV_TIMER}, p.deadline_ns);
	ck_assert_uint_ne(todo & BH_POL_DO_ABANDON, 0);
}
END_TEST

START_TEST(who_is_over_a_limit_is_ended_for_that)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	ck_assert_uint_eq(step(&p, BH_POL_EV_OVER, T0), BH_POL_DO_ABORT);
	ck_assert_int_eq(p.cause, BH_CAUSE_LIMIT);
	ck_assert_uint_eq(died(&p, false, false, T0 + 1), BH_POL_DO_SPAWN);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, T0 + 2), 1);
}
END_TEST

START_TEST(failures_are_counted_by_cause_within_the_window)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	uint32_t count[BH_POLICY_CAUSES];
	bh_policy_step(&p, &limits, &(struct bh_policy_input){.event = BH_POL_EV_DIED, .cause = BH_CAUSE_SIGNAL}, T0);
	await_start(&p);
	bh_policy_step(&p, &limits, &(struct bh_policy_input){.event = BH_POL_EV_DIED, .cause = BH_CAUSE_SIGNAL}, T0 + MS(10));
	await_start(&p);
	step(&p, BH_POL_EV_READY, T0 + MS(20));
	step(&p, BH_POL_EV_HANG, T0 + MS(30));
	died(&p, false, false, T0 + MS(40)); /* as we gave it ourselves */
	bh_policy_causes(&p, &limits, T0 + MS(50), count);
	ck_assert_uint_eq(count[BH_CAUSE_SIGNAL], 2);
	ck_assert_uint_eq(count[BH_CAUSE_HANG], 1);
	ck_assert_uint_eq(count[BH_CAUSE_EXIT], 0);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, T0 + MS(50)), 3);
	bh_policy_causes(&p, &limits, T0 + limits.crash_window_ns + MS(5), count);
	ck_assert_uint_eq(count[BH_CAUSE_SIGNAL], 1);
}
END_TEST

START_TEST(a_timer_before_its_deadline_changes_nothing)
{
	struct bh_policy before = in_state((enum bh_policy_state)_i), p = before;
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, p.deadline_ns ? p.deadline_ns - 1 : T0), 0);
	ck_assert_mem_eq(&p, &before, sizeof p);
}
END_TEST

START_TEST(the_first_restart_is_immediate_and_the_next_ones_back_off)
{
	static const uint64_t pause_ms[] = {0, 100, 200, 400};
	struct bh_policy p = in_state(BH_POL_RUNNING);
	uint64_t t = T0;
	for (unsigned i = 0; i < 4; i++) {
		unsigned todo = died(&p, false, false, t);
		if (!pause_ms[i]) {
			ck_assert_uint_eq(todo, BH_POL_DO_SPAWN);
		} else {
			ck_assert_uint_eq(todo, 0);
			ck_assert_int_eq(p.state, BH_POL_BACKING_OFF);
			ck_assert_uint_eq(p.deadline_ns, t + MS(pause_ms[i]));
			t = p.deadline_ns;
			ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, t), BH_POL_DO_SPAWN);
		}
		step(&p, BH_POL_EV_READY, ++t);
	}
}
END_TEST

START_TEST(the_pause_doubles_up_to_its_maximum)
{
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, 0), 0);
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, 1), 0);
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, 2), MS(100));
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, 7), MS(3200));
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, 8), MS(5000));
	ck_assert_uint_eq(bh_policy_backoff_ns(&limits, UINT32_MAX), MS(5000));
	struct bh_policy_limits none = limits;
	none.backoff_first_ns = 0;
	ck_assert_uint_eq(bh_policy_backoff_ns(&none, 9), 0);
}
END_TEST

START_TEST(good_starts_in_between_do_not_reset_the_window)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	uint64_t t = T0;
	for (unsigned i = 0; i < 4; i++) {
		died(&p, false, false, t);
		await_start(&p);
		t += MS(5000); /* ready, and well for five seconds */
		step(&p, BH_POL_EV_READY, t);
		ck_assert_int_eq(p.state, BH_POL_RUNNING);
	}
	ck_assert_uint_eq(died(&p, false, false, t), 0);
	ck_assert_int_eq(p.state, BH_POL_FAILED);
}
END_TEST

START_TEST(failures_age_out_of_the_window)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	uint64_t t = T0;
	for (unsigned i = 0; i < 100; i++) {
		died(&p, false, false, t);
		ck_assert_int_ne(p.state, BH_POL_FAILED);
		await_start(&p);
		step(&p, BH_POL_EV_READY, t + MS(1000));
		t += 8 * BH_NS_PER_S; /* never five within thirty seconds */
	}
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, t - 8 * BH_NS_PER_S), 4);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, t + 60 * BH_NS_PER_S), 0);
}
END_TEST

START_TEST(release_pardons_a_failed_process_and_its_count_begins_anew)
{
	struct bh_policy p = in_state(BH_POL_FAILED);
	uint64_t t = T0 + MS(4000);
	ck_assert_uint_eq(step(&p, BH_POL_EV_RELEASE, t), BH_POL_DO_SPAWN);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, t), 0);
	ck_assert_uint_eq(died(&p, false, false, t + 1), BH_POL_DO_SPAWN);
}
END_TEST

START_TEST(without_a_limit_nothing_is_given_up)
{
	struct bh_policy_limits free_of = limits;
	free_of.crash_limit = 0;
	struct bh_policy p = in_state(BH_POL_RUNNING);
	struct bh_policy_input in = {.event = BH_POL_EV_DIED}, timer = {.event = BH_POL_EV_TIMER};
	for (unsigned i = 0; i < 200; i++) {
		bh_policy_step(&p, &free_of, &in, T0 + i);
		bh_policy_step(&p, &free_of, &timer, p.deadline_ns);
		ck_assert_int_ne(p.state, BH_POL_FAILED);
		p.state = BH_POL_RUNNING;
	}
}
END_TEST

START_TEST(two_deaths_while_attaching_bring_fresh_segments)
{
	struct bh_policy p = in_state(BH_POL_STARTING);
	ck_assert_uint_eq(died(&p, true, false, T0), BH_POL_DO_SPAWN);
	ck_assert_uint_eq(died(&p, true, false, T0 + 1), 0);
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, p.deadline_ns), BH_POL_DO_SPAWN | BH_POL_DO_FRESH);
	/* the next death is the first again */
	died(&p, true, false, T0 + MS(300));
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, p.deadline_ns), BH_POL_DO_SPAWN);
}
END_TEST

START_TEST(a_death_outside_attaching_breaks_the_row)
{
	struct bh_policy p = in_state(BH_POL_STARTING);
	died(&p, true, false, T0);
	died(&p, false, false, T0 + 1);
	await_start(&p);
	died(&p, true, false, T0 + MS(200));
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, p.deadline_ns), BH_POL_DO_SPAWN);
}
END_TEST

START_TEST(a_configuration_that_kills_twice_is_taken_back)
{
	struct bh_policy p = in_state(BH_POL_STARTING);
	ck_assert_uint_eq(died(&p, false, true, T0) & BH_POL_DO_REVERT, 0);
	ck_assert_uint_eq(died(&p, false, true, T0 + 1) & BH_POL_DO_REVERT, BH_POL_DO_REVERT);
}
END_TEST

START_TEST(a_hung_process_gets_abort_then_kill_and_counts_as_a_hang)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	ck_assert_uint_eq(step(&p, BH_POL_EV_HANG, T0), BH_POL_DO_ABORT);
	ck_assert_uint_eq(p.deadline_ns, T0 + MS(100));
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, T0 + MS(100)), BH_POL_DO_KILL);
	ck_assert_int_eq(p.cause, BH_CAUSE_HANG);
	ck_assert_uint_eq(died(&p, false, false, T0 + MS(101)), BH_POL_DO_SPAWN);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, T0 + MS(101)), 1);
}
END_TEST

START_TEST(who_does_not_die_of_kill_is_abandoned_with_its_segments)
{
	struct bh_policy p = in_state(BH_POL_ENDING);
	step(&p, BH_POL_EV_TIMER, T0 + MS(100));
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, p.deadline_ns),
			  BH_POL_DO_SPAWN | BH_POL_DO_ABANDON | BH_POL_DO_FRESH);
	ck_assert_int_eq(p.state, BH_POL_STARTING);
}
END_TEST

START_TEST(never_ready_is_a_cause_of_its_own)
{
	struct bh_policy p = in_state(BH_POL_STARTING);
	ck_assert_uint_eq(step(&p, BH_POL_EV_TIMER, T0 + 5 * BH_NS_PER_S), BH_POL_DO_ABORT);
	ck_assert_int_eq(p.cause, BH_CAUSE_NEVER_READY);
}
END_TEST

START_TEST(hold_wins_over_a_hang_in_progress)
{
	struct bh_policy p = in_state(BH_POL_ENDING);
	step(&p, BH_POL_EV_HOLD, T0);
	ck_assert(!bh_policy_is_wanted(&p));
	ck_assert_uint_eq(died(&p, false, false, T0 + 1), 0);
	ck_assert_int_eq(p.state, BH_POL_HELD);
}
END_TEST

START_TEST(a_restart_by_wish_is_no_failure)
{
	struct bh_policy p = in_state(BH_POL_RUNNING);
	ck_assert_uint_eq(step(&p, BH_POL_EV_RESTART, T0), BH_POL_DO_LEAVE);
	ck_assert(bh_policy_is_wanted(&p));
	ck_assert_uint_eq(died(&p, false, false, T0 + 1), BH_POL_DO_SPAWN);
	ck_assert_uint_eq(bh_policy_recent(&p, &limits, T0 + 1), 0);
}
END_TEST

START_TEST(a_damaged_state_is_brought_into_bounds)
{
	struct bh_policy p;
	memset(&p, 0xa5, sizeof p);
	bh_policy_sanitise(&p);
	ck_assert_int_lt(p.state, BH_POL_STATES);
	for (unsigned e = 0; e < BH_POL_EVENTS; e++) {
		struct bh_policy q = p;
		step(&q, (enum bh_policy_event)e, UINT64_MAX / 2);
		ck_assert_int_lt(q.state, BH_POL_STATES);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("policy");
	tcase_add_loop_test(tc, every_state_answers_every_event_as_written_down, 0, BH_POL_STATES);
	tcase_add_test(tc, without_time_for_last_words_a_hang_is_killed_at_once);
	tcase_add_test(tc, who_is_over_a_limit_is_ended_for_that);
	tcase_add_test(tc, failures_are_counted_by_cause_within_the_window);
	tcase_add_loop_test(tc, a_timer_before_its_deadline_changes_nothing, 0, BH_POL_STATES);
	tcase_add_test(tc, the_first_restart_is_immediate_and_the_next_ones_back_off);
	tcase_add_test(tc, the_pause_doubles_up_to_its_maximum);
	tcase_add_test(tc, good_starts_in_between_do_not_reset_the_window);
	tcase_add_test(tc, failures_age_out_of_the_window);
	tcase_add_test(tc, release_pardons_a_failed_process_and_its_count_begins_anew);
	tcase_add_test(tc, without_a_limit_nothing_is_given_up);
	tcase_add_test(tc, two_deaths_while_attaching_bring_fresh_segments);
	tcase_add_test(tc, a_death_outside_attaching_breaks_the_row);
	tcase_add_test(tc, a_configuration_that_kills_twice_is_taken_back);
	tcase_add_test(tc, a_hung_process_gets_abort_then_kill_and_counts_as_a_hang);
	tcase_add_test(tc, who_does_not_die_of_kill_is_abandoned_with_its_segments);
	tcase_add_test(tc, never_ready_is_a_cause_of_its_own);
	tcase_add_test(tc, hold_wins_over_a_hang_in_progress);
	tcase_add_test(tc, a_restart_by_wish_is_no_failure);
	tcase_add_test(tc, a_damaged_state_is_brought_into_bounds);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
