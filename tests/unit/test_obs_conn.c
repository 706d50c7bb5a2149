/* bh-obs's connection: every cell of the table in conn.h, the waits, the pings, and what the operator is told. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/obs/conn.h"

#define MS BH_NS_PER_MS
#define T0 (1000 * MS)
#define KEEPALIVE_MS 4000u

static struct obs_conn
fresh(void)
{
	struct obs_conn c;
	obs_conn_init(&c, KEEPALIVE_MS, 7);
	return c;
}

static struct obs_conn
in_state(enum obs_conn_state state)
{
	struct obs_conn c = fresh();
	static const enum obs_conn_event way[] = {OBS_CONN_START, OBS_CONN_OPENED, OBS_CONN_IDENTIFIED, OBS_CONN_LOADED};
	unsigned steps = state == OBS_CONN_IDLE ? 0 : state == OBS_CONN_READY ? 4 : state == OBS_CONN_LOADING ? 3 : state == OBS_CONN_IDENTIFYING ? 2 : 1;
	for (unsigned i = 0; i < steps; i++)
		obs_conn_step(&c, way[i], T0);
	if (state == OBS_CONN_WAITING)
		obs_conn_step(&c, OBS_CONN_LOST, T0);
	if (state == OBS_CONN_REFUSED)
		obs_conn_step(&c, OBS_CONN_BAD_PASSWORD, T0);
	if (state == OBS_CONN_KICKED)
		obs_conn_step(&c, OBS_CONN_THROWN_OUT, T0);
	ck_assert_int_eq(c.state, state);
	return c;
}

/* "Wxt": waiting; close, tell */
static const char *
spelled(enum obs_conn_state state, unsigned todo, char out[8])
{
	unsigned n = 0;
	out[n++] = "IWCNLRFK"[state];
	for (unsigned bit = 0; bit < 5; bit++)
		if (todo & 1u << bit)
			out[n++] = "xolpt"[bit];
	out[n] = '\0';
	return out;
}

/* clang-format off */
#define ENDS "Wt", "Wt", "Wt", "Wt", "Wt", "Wt", "Wt", "Ft", "Ft", "Kt", "Wt"
#define NO_ENDS(s) s, s, s, s, s, s, s, s, s, s, s
static const char *const want[OBS_CONN_STATES][OBS_CONN_EVENTS] = {
/*                        start   stop  opened ident noPass notRdy loaded reload garbled pong tick, ends */
[OBS_CONN_IDLE] =        {"Co",   "I",  "I",   "I",  "I",   "I",   "I",   "I",   "I",   "I", "I", NO_ENDS("I")},
[OBS_CONN_WAITING] =     {"Cot",  "I",  "W",   "W",  "W",   "W",   "W",   "W",   "W",   "W", "W", NO_ENDS("W")},
[OBS_CONN_CONNECTING] =  {"Cxo",  "Ix", "N",   "C",  "C",   "C",   "C",   "C",   "Wxt", "C", "C", ENDS},
[OBS_CONN_IDENTIFYING] = {"Cxo",  "Ix", "N",   "Ll", "Fxt", "N",   "N",   "N",   "Wxt", "N", "N", ENDS},
[OBS_CONN_LOADING] =     {"Cxo",  "Ix", "L",   "L",  "L",   "Lt",  "Rt",  "Ll",  "Wxt", "L", "L", ENDS},
[OBS_CONN_READY] =       {"Cxot", "Ix", "R",   "R",  "R",   "R",   "R",   "Ll", "Wxt", "R", "R", ENDS},
[OBS_CONN_REFUSED] =     {"Cot",  "I",  "F",   "F",  "F",   "F",   "F",   "F",   "F",   "F", "F", NO_ENDS("F")},
[OBS_CONN_KICKED] =      {"Cot",  "I",  "K",   "K",  "K",   "K",   "K",   "K",   "K",   "K", "K", NO_ENDS("K")},
};
/* clang-format on */

START_TEST(every_state_answers_every_event_as_the_table_says)
{
	for (int s = 0; s < OBS_CONN_STATES; s++)
		for (int e = 0; e < OBS_CONN_EVENTS; e++) {
			struct obs_conn c = in_state((enum obs_conn_state)s);
			char got[8];
			unsigned todo = obs_conn_step(&c, (enum obs_conn_event)e, T0 + 1);
			ck_assert_msg(!strcmp(spelled(c.state, todo, got), want[s][e]), "%s, %s: %s, not %s",
				      obs_conn_state_name((enum obs_conn_state)s), obs_conn_event_name((enum obs_conn_event)e), got, want[s][e]);
		}
}
END_TEST

START_TEST(every_state_and_event_has_a_name)
{
	for (int s = 0; s < OBS_CONN_STATES; s++)
		ck_assert_str_ne(obs_conn_state_name((enum obs_conn_state)s), "?");
	for (int e = 0; e < OBS_CONN_EVENTS; e++)
		ck_assert_str_ne(obs_conn_event_name((enum obs_conn_event)e), "?");
}
END_TEST

/* Fails until it waits for `now` + w; returns w in ms. */
static uint64_t
wait_after(struct obs_conn *c, enum obs_conn_event end, uint64_t *now)
{
	obs_conn_step(c, end, *now);
	uint64_t until = obs_conn_deadline(c), wait = until - *now;
	ck_assert_int_eq(obs_conn_step(c, OBS_CONN_TICK, until - 1), 0);
	*now = until;
	ck_assert_uint_eq(obs_conn_step(c, OBS_CONN_TICK, until), OBS_CONN_DO_OPEN);
	ck_assert_int_eq(c->state, OBS_CONN_CONNECTING);
	ck_assert_uint_eq(obs_conn_deadline(c), 0); /* ws.c ends what does not come about */
	return wait / MS;
}

START_TEST(a_refused_port_is_tried_again_after_100_ms_doubled_up_to_500)
{
	static const unsigned most[] = {100, 200, 400, 500, 500, 500, 500, 500};
	bool differs = false;
	for (uint32_t seed = 0; seed < 50; seed++) {
		struct obs_conn c;
		uint64_t now = T0, before = 0;
		obs_conn_init(&c, KEEPALIVE_MS, seed);
		obs_conn_step(&c, OBS_CONN_START, now);
		for (unsigned i = 0; i < 8; i++) {
			uint64_t wait = wait_after(&c, OBS_CONN_NO_ANSWER, &now);
			ck_assert_uint_ge(wait, most[i] / 2);
			ck_assert_uint_le(wait, most[i]);
			differs |= i > 3 && wait != before;
			before = wait;
		}
	}
	ck_assert(differs); /* not all at the same moment */
}
END_TEST

START_TEST(a_steady_connection_begins_again_with_the_shortest_wait)
{
	struct obs_conn c = fresh();
	uint64_t now = T0;
	obs_conn_step(&c, OBS_CONN_START, now);
	for (int i = 0; i < 6; i++)
		wait_after(&c, OBS_CONN_NO_ANSWER, &now);
	obs_conn_step(&c, OBS_CONN_OPENED, now);
	obs_conn_step(&c, OBS_CONN_IDENTIFIED, now);
	obs_conn_step(&c, OBS_CONN_LOADED, now);
	now += OBS_CONN_STEADY_MS * MS;
	ck_assert_uint_le(wait_after(&c, OBS_CONN_LOST, &now), OBS_CONN_WAIT_MIN_MS);
	/* One that breaks as soon as it is ready does not. */
	for (int i = 0; i < 6; i++)
		wait_after(&c, OBS_CONN_NO_ANSWER, &now);
	obs_conn_step(&c, OBS_CONN_OPENED, now);
	obs_conn_step(&c, OBS_CONN_IDENTIFIED, now);
	obs_conn_step(&c, OBS_CONN_LOADED, now);
	ck_assert_uint_ge(wait_after(&c, OBS_CONN_LOST, &now), OBS_CONN_WAIT_MAX_MS / 2);
}
END_TEST

START_TEST(a_refused_password_is_not_hammered)
{
	static const struct {
		enum obs_conn_event end;
		uint32_t least_ms, most_ms;
		enum bh_health health;
	} row[] = {
		{OBS_CONN_BAD_PASSWORD, 30000, 30000, BH_HEALTH_AUTH_FAILED},
		{OBS_CONN_BAD_VERSION, 30000, 30000, BH_HEALTH_BAD_CONFIG},
		{OBS_CONN_THROWN_OUT, 30000, 30000, BH_HEALTH_CONNECTING},
		{OBS_CONN_NOT_OBS, 2500, 5000, BH_HEALTH_BAD_CONFIG},
		{OBS_CONN_NO_TLS, 2500, 5000, BH_HEALTH_BAD_CONFIG},
		{OBS_CONN_NO_NAME, 2500, 5000, BH_HEALTH_CONNECTING},
		{OBS_CONN_BROKEN, 2500, 5000, BH_HEALTH_CONNECTING},
		{OBS_CONN_GARBLED, 2500, 5000, BH_HEALTH_CONNECTING},
		{OBS_CONN_OUR_FAULT, 2500, 5000, BH_HEALTH_CONNECTING},
		{OBS_CONN_SHUT, 50, 100, BH_HEALTH_CONNECTING},
		{OBS_CONN_LOST, 50, 100, BH_HEALTH_CONNECTING},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct obs_conn c = in_state(OBS_CONN_IDENTIFYING);
		uint64_t now = T0, wait = wait_after(&c, row[i].end, &now);
		ck_assert_msg(wait >= row[i].least_ms && wait <= row[i].most_ms, "%s: %llu ms", obs_conn_event_name(row[i].end), (unsigned long long)wait);
		/* and it goes on saying so while it is tried again */
		ck_assert_int_eq(obs_conn_health(&c)->health, row[i].health);
	}
	struct obs_conn c = in_state(OBS_CONN_IDENTIFYING);
	uint64_t now = T0;
	ck_assert_uint_eq(wait_after(&c, OBS_CONN_NO_PASSWORD, &now), 30000);
	ck_assert_int_eq(obs_conn_health(&c)->health, BH_HEALTH_AUTH_FAILED);
}
END_TEST

START_TEST(new_options_are_tried_at_once)
{
	struct obs_conn c = in_state(OBS_CONN_REFUSED);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_START, T0 + 1), OBS_CONN_DO_OPEN | OBS_CONN_DO_TELL);
	c = in_state(OBS_CONN_READY);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_START, T0 + 1), OBS_CONN_DO_CLOSE | OBS_CONN_DO_OPEN | OBS_CONN_DO_TELL);
}
END_TEST

START_TEST(close_codes_are_understood)
{
	static const struct {
		enum obs_ws_end end;
		int code;
		enum obs_conn_event event;
	} row[] = {
		{OBS_WS_CLOSED, 4009, OBS_CONN_BAD_PASSWORD}, {OBS_WS_CLOSED, 4010, OBS_CONN_BAD_VERSION},
		{OBS_WS_CLOSED, 4011, OBS_CONN_THROWN_OUT},   {OBS_WS_CLOSED, 1001, OBS_CONN_SHUT},
		{OBS_WS_CLOSED, 1000, OBS_CONN_SHUT},	      {OBS_WS_CLOSED, 1006, OBS_CONN_LOST},
		{OBS_WS_CLOSED, 0, OBS_CONN_LOST},	      {OBS_WS_CLOSED, 1011, OBS_CONN_LOST},
		{OBS_WS_CLOSED, 4002, OBS_CONN_OUR_FAULT},    {OBS_WS_CLOSED, 4012, OBS_CONN_OUR_FAULT},
		{OBS_WS_CLOSED, 4000, OBS_CONN_OUR_FAULT},    {OBS_WS_CLOSED, 5000, OBS_CONN_LOST},
		{OBS_WS_LOST, 1006, OBS_CONN_LOST},	      {OBS_WS_NO_ANSWER, 0, OBS_CONN_NO_ANSWER},
		{OBS_WS_NO_NAME, 0, OBS_CONN_NO_NAME},	      {OBS_WS_NOT_OBS, 0, OBS_CONN_NOT_OBS},
		{OBS_WS_NO_TLS, 0, OBS_CONN_NO_TLS},	      {OBS_WS_BROKEN, 4009, OBS_CONN_BROKEN},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		ck_assert_msg(obs_conn_end(row[i].end, row[i].code) == row[i].event, "end %d, code %d", row[i].end, row[i].code);
}
END_TEST

START_TEST(who_says_no_hello_is_left)
{
	struct obs_conn c = in_state(OBS_CONN_IDENTIFYING);
	uint64_t until = T0 + OBS_CONN_HELLO_MS * MS;
	for (uint64_t at = obs_conn_deadline(&c); at < until; at = obs_conn_deadline(&c)) {
		ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_TICK, at), OBS_CONN_DO_PING);
		obs_conn_step(&c, OBS_CONN_PONG, at);
	}
	ck_assert_uint_eq(obs_conn_deadline(&c), until);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_TICK, until), OBS_CONN_DO_CLOSE | OBS_CONN_DO_TELL);
	ck_assert_int_eq(c.state, OBS_CONN_WAITING);
	ck_assert_ptr_nonnull(strstr(obs_conn_health(&c)->reason, "no Hello"));
}
END_TEST

/* Ticks and pongs until something else than a ping is to be done. */
static unsigned
run(struct obs_conn *c, uint64_t *at)
{
	for (;;) {
		*at = obs_conn_deadline(c);
		ck_assert_uint_gt(*at, 0);
		unsigned todo = obs_conn_step(c, OBS_CONN_TICK, *at);
		obs_conn_step(c, OBS_CONN_PONG, *at);
		if (todo & ~(unsigned)OBS_CONN_DO_PING)
			return todo;
	}
}

START_TEST(a_long_picture_is_told_and_an_endless_one_given_up)
{
	struct obs_conn c = in_state(OBS_CONN_LOADING);
	uint64_t at;
	ck_assert_uint_eq(run(&c, &at), OBS_CONN_DO_TELL);
	ck_assert_uint_eq(at, T0 + OBS_CONN_TELL_LOADING_MS * MS);
	ck_assert_str_eq(obs_conn_health(&c)->reason, "reading what OBS has");
	ck_assert_uint_eq(run(&c, &at), OBS_CONN_DO_CLOSE | OBS_CONN_DO_TELL);
	ck_assert_uint_eq(at, T0 + OBS_CONN_LOAD_MS * MS);
	ck_assert_int_eq(c.state, OBS_CONN_WAITING);
}
END_TEST

START_TEST(an_obs_that_is_starting_is_asked_again_for_as_long_as_it_takes)
{
	struct obs_conn c = in_state(OBS_CONN_LOADING);
	uint64_t at = T0;
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_NOT_READY, at), OBS_CONN_DO_TELL);
	for (int i = 0; i < 200; i++) {
		uint64_t before = at;
		ck_assert_uint_eq(run(&c, &at) & ~(unsigned)OBS_CONN_DO_PING, OBS_CONN_DO_LOAD);
		ck_assert_uint_eq(at, before + OBS_CONN_AGAIN_MS * MS);
		ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_NOT_READY, at), 0); /* no news */
	}
	ck_assert_str_eq(obs_conn_health(&c)->reason, "OBS is starting, or changing its collection");
	run(&c, &at);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_LOADED, at), OBS_CONN_DO_TELL);
	ck_assert_int_eq(obs_conn_health(&c)->health, BH_HEALTH_OK);
}
END_TEST

START_TEST(a_new_picture_is_news_when_it_takes_long_and_does_not_take_the_strips_down)
{
	struct obs_conn c = in_state(OBS_CONN_READY);
	uint64_t late = T0 + OBS_CONN_TELL_LOADING_MS * MS;
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_RELOAD, T0), OBS_CONN_DO_LOAD);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_RELOAD, T0), OBS_CONN_DO_LOAD); /* and again, meanwhile */
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_LOADED, T0), 0);
	ck_assert_int_eq(c.state, OBS_CONN_READY);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_RELOAD, T0), OBS_CONN_DO_LOAD);
	ck_assert_uint_le(obs_conn_deadline(&c), late);
	ck_assert(obs_conn_step(&c, OBS_CONN_TICK, late) & OBS_CONN_DO_TELL);
	ck_assert_int_eq(obs_conn_health(&c)->health, BH_HEALTH_DEGRADED);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_LOADED, late), OBS_CONN_DO_TELL);
	ck_assert_int_eq(obs_conn_health(&c)->health, BH_HEALTH_OK);
}
END_TEST

START_TEST(a_dead_peer_is_found_within_the_keepalive)
{
	static const enum obs_conn_state states[] = {OBS_CONN_IDENTIFYING, OBS_CONN_LOADING, OBS_CONN_READY};
	for (unsigned s = 0; s < 3; s++) {
		struct obs_conn c = in_state(states[s]);
		/* The last sign of life is just after a ping. */
		uint64_t at = T0 + KEEPALIVE_MS / 4 * MS, died = at;
		ck_assert(obs_conn_step(&c, OBS_CONN_TICK, at) & OBS_CONN_DO_PING);
		obs_conn_step(&c, OBS_CONN_PONG, at);
		while (c.state == states[s]) {
			at = obs_conn_deadline(&c);
			obs_conn_step(&c, OBS_CONN_TICK, at);
		}
		ck_assert_int_eq(c.state, OBS_CONN_WAITING);
		ck_assert_uint_le(at - died, KEEPALIVE_MS * MS);
		ck_assert_msg(c.cause == OBS_CAUSE_DEAD || states[s] == OBS_CONN_IDENTIFYING, "%d", c.cause);
	}
}
END_TEST

START_TEST(a_process_that_was_stopped_does_not_blame_its_peer)
{
	struct obs_conn c = in_state(OBS_CONN_READY);
	uint64_t at = obs_conn_deadline(&c);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_TICK, at), OBS_CONN_DO_PING);
	/* An hour in a debugger; its pong is still to be read. */
	at += 3600 * BH_NS_PER_S;
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_TICK, at), OBS_CONN_DO_PING);
	ck_assert_int_eq(c.state, OBS_CONN_READY);
	obs_conn_step(&c, OBS_CONN_PONG, at);
	ck_assert_uint_eq(c.unanswered, 0);
}
END_TEST

START_TEST(without_keepalive_nothing_wakes_a_connection_that_is_ready)
{
	struct obs_conn c;
	obs_conn_init(&c, 0, 1);
	obs_conn_step(&c, OBS_CONN_START, T0);
	obs_conn_step(&c, OBS_CONN_OPENED, T0);
	obs_conn_step(&c, OBS_CONN_IDENTIFIED, T0);
	obs_conn_step(&c, OBS_CONN_LOADED, T0);
	ck_assert_uint_eq(obs_conn_deadline(&c), 0);
	ck_assert_uint_eq(obs_conn_step(&c, OBS_CONN_TICK, T0 + 3600 * BH_NS_PER_S), 0);
}
END_TEST

START_TEST(a_closed_connection_wakes_nobody)
{
	struct obs_conn c = in_state(OBS_CONN_READY);
	obs_conn_step(&c, OBS_CONN_STOP, T0);
	ck_assert_uint_eq(obs_conn_deadline(&c), 0);
}
END_TEST

START_TEST(each_trouble_has_its_own_words_that_fit)
{
	struct bh_health_record r;
	for (int cause = 0; cause < OBS_CAUSES; cause++) {
		struct obs_conn c = {.cause = (enum obs_conn_cause)cause};
		const struct obs_conn_health *h = obs_conn_health(&c);
		ck_assert_ptr_nonnull(h->reason);
		ck_assert_ptr_nonnull(h->hint);
		ck_assert_uint_lt(strlen(h->reason), sizeof(r.reason));
		ck_assert_uint_lt(strlen(h->hint), sizeof(r.hint));
		ck_assert_msg((cause == OBS_CAUSE_NONE) == (h->health == BH_HEALTH_OK), "%d", cause);
		ck_assert_msg((cause == OBS_CAUSE_NONE) == !h->reason[0], "%d", cause);
		for (int other = 0; other < cause; other++) {
			struct obs_conn d = {.cause = (enum obs_conn_cause)other};
			ck_assert_str_ne(h->reason, obs_conn_health(&d)->reason);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs conn");
	TCase *t = tcase_create("conn");
	tcase_add_test(t, every_state_answers_every_event_as_the_table_says);
	tcase_add_test(t, every_state_and_event_has_a_name);
	tcase_add_test(t, a_refused_port_is_tried_again_after_100_ms_doubled_up_to_500);
	tcase_add_test(t, a_steady_connection_begins_again_with_the_shortest_wait);
	tcase_add_test(t, a_refused_password_is_not_hammered);
	tcase_add_test(t, new_options_are_tried_at_once);
	tcase_add_test(t, close_codes_are_understood);
	tcase_add_test(t, who_says_no_hello_is_left);
	tcase_add_test(t, a_long_picture_is_told_and_an_endless_one_given_up);
	tcase_add_test(t, an_obs_that_is_starting_is_asked_again_for_as_long_as_it_takes);
	tcase_add_test(t, a_new_picture_is_news_when_it_takes_long_and_does_not_take_the_strips_down);
	tcase_add_test(t, a_dead_peer_is_found_within_the_keepalive);
	tcase_add_test(t, a_process_that_was_stopped_does_not_blame_its_peer);
	tcase_add_test(t, without_keepalive_nothing_wakes_a_connection_that_is_ready);
	tcase_add_test(t, a_closed_connection_wakes_nobody);
	tcase_add_test(t, each_trouble_has_its_own_words_that_fit);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
