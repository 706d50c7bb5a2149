/* Requests on their way to OBS: the bound, newest values, the order of the show, nothing late, the books. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/obs/queue.h"

#define PARAMS 100u
#define MS BH_NS_PER_MS

static struct obs_queue *q;
static uint64_t now = 1000 * BH_NS_PER_S;
static int64_t wanted[PARAMS];
static bool gone[PARAMS]; /* cannot be written any more */
static struct obs_ask dropped[100];
static unsigned drops;

/* A sent message, read again. */
struct sent {
	uint32_t id;
	int64_t value;
	struct obs_ask ask;
};

static int
encode(void *data, uint32_t param, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	ck_assert_ptr_eq(data, &now);
	if (gone[param])
		return -ENOENT;
	ask->req = OBS_REQ_SET_INPUT_VOLUME;
	obs_put_request(o, id, ask->req, 1);
	obs_put_int(o, "v", wanted[param]);
	return 0;
}

static void
on_dropped(void *data, const struct obs_ask *ask)
{
	ck_assert_ptr_eq(data, &now);
	dropped[drops++] = *ask;
}

static void
setup(void)
{
	q = obs_queue_new(PARAMS, encode, &now);
	ck_assert_ptr_nonnull(q);
}

static void
teardown(void)
{
	ck_assert(obs_queue_balanced(q));
	obs_queue_free(q);
}

static void
want(uint32_t param, int64_t value)
{
	wanted[param] = value;
	ck_assert_int_eq(obs_queue_value(q, param, now), 0);
}

static int
show(uint32_t param, int64_t value, unsigned ms)
{
	wanted[param] = value;
	return obs_queue_show_value(q, param, now, now + ms * MS);
}

static int
put(enum obs_lane lane, int64_t value, unsigned ms)
{
	uint32_t id;
	struct obs_ask ask = {.req = OBS_REQ_GET_STATS, .lane = lane, .is_action = lane == OBS_LANE_SHOW, .ref = (uint32_t)value,
			      .until_ns = ms ? now + ms * MS : 0};
	struct obs_out *o = obs_queue_begin(q, lane, &id);
	if (!o)
		return -ENOSPC;
	obs_put_request(o, id, ask.req, 1);
	obs_put_int(o, "v", value);
	return obs_queue_commit(q, &ask, now);
}

static struct sent
read_sent(const uint8_t *bytes, size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	const msgpack_object *d, *data;
	struct sent s = {0};
	char id[16];
	msgpack_unpacked_init(&u);
	ck_assert_int_eq(msgpack_unpack_next(&u, (const char *)bytes, len, &off), MSGPACK_UNPACK_SUCCESS);
	ck_assert(obs_get_map(&u.data, "d", &d) && obs_get_map(d, "requestData", &data) && obs_get_int(data, "v", &s.value));
	ck_assert(obs_get_str(d, "requestId", id, sizeof(id)));
	s.id = (uint32_t)strtoul(id, NULL, 10);
	msgpack_unpacked_destroy(&u);
	return s;
}

/* The next message; id 0 = none. */
static struct sent
next(void)
{
	const uint8_t *bytes;
	size_t len;
	struct obs_ask ask;
	if (!obs_queue_next(q, now, &bytes, &len, &ask, on_dropped))
		return (struct sent){0};
	struct sent s = read_sent(bytes, len);
	s.ask = ask;
	return s;
}

static int64_t
next_value(void)
{
	struct sent s = next();
	ck_assert_uint_ne(s.id, 0);
	return s.value;
}

static void
expect_none(void)
{
	ck_assert_uint_eq(next().id, 0);
}

static struct obs_ask
answer(struct sent s, bool ok)
{
	struct obs_ask ask;
	ck_assert_int_eq(obs_queue_answer(q, s.id, ok, now, &ask), 1);
	return ask;
}

START_TEST(a_value_goes_out_and_the_newest_follows_its_answer)
{
	want(3, 1);
	struct sent s = next();
	ck_assert_int_eq(s.value, 1);
	ck_assert(s.ask.is_value && s.ask.param == 3 && s.ask.lane == OBS_LANE_VALUE && s.ask.req == OBS_REQ_SET_INPUT_VOLUME);
	for (int i = 2; i < 50; i++)
		want(3, i);
	expect_none();
	ck_assert(obs_queue_is_busy(q, 3) && !obs_queue_is_busy(q, 4));
	answer(s, true);
	s = next();
	ck_assert_int_eq(s.value, 49);
	expect_none();
	answer(s, true);
	ck_assert(!obs_queue_is_busy(q, 3));
	ck_assert_uint_eq(obs_queue_counts(q)->conflated, 47);
	ck_assert_uint_eq(obs_queue_counts(q)->sent_values, 2);
}
END_TEST

START_TEST(the_order_of_the_show_is_kept)
{
	ck_assert_int_eq(show(1, 10, 1000), 0); /* preview A */
	ck_assert_int_eq(put(OBS_LANE_SHOW, 11, 1000), 0); /* cut */
	ck_assert_int_eq(show(1, 12, 1000), 0); /* preview B */
	ck_assert_int_eq(show(1, 13, 1000), 0); /* no, preview C */
	for (int64_t v = 10; v <= 13; v += v == 11 ? 2 : 1) {
		struct sent s = next();
		ck_assert_int_eq(s.value, v);
		expect_none();
		answer(s, true);
	}
	expect_none();
}
END_TEST

START_TEST(values_go_out_in_the_order_in_which_they_began_to_wait)
{
	for (uint32_t i = 0; i < 10; i++)
		want(9 - i, i);
	want(9, 100);
	ck_assert_int_eq(next_value(), 100);
	for (int64_t i = 1; i < 10; i++)
		ck_assert_int_eq(next_value(), i);
	expect_none();
}
END_TEST

START_TEST(never_more_than_the_bound_is_in_flight_and_a_show_always_finds_room)
{
	struct sent s[OBS_IN_FLIGHT];
	for (uint32_t i = 0; i < PARAMS; i++)
		want(i, i);
	for (uint32_t i = 0; i < OBS_IN_FLIGHT - 1; i++)
		s[i] = next();
	expect_none();
	ck_assert_int_eq(put(OBS_LANE_READ, 500, 0), 0);
	expect_none();
	ck_assert_int_eq(put(OBS_LANE_SHOW, 600, 0), 0);
	ck_assert_int_eq(put(OBS_LANE_SHOW, 601, 0), 0);
	s[OBS_IN_FLIGHT - 1] = next();
	ck_assert_int_eq(s[OBS_IN_FLIGHT - 1].value, 600);
	expect_none();
	answer(s[0], true);
	ck_assert_int_eq(next_value(), OBS_IN_FLIGHT - 1);
	expect_none();
	answer(s[OBS_IN_FLIGHT - 1], true);
	ck_assert_int_eq(next_value(), 601);
	expect_none();
	ck_assert_uint_eq(obs_queue_counts(q)->in_flight_most, OBS_IN_FLIGHT);
}
END_TEST

START_TEST(questions_wait_behind_all_others)
{
	ck_assert_int_eq(put(OBS_LANE_READ, 1, 0), 0);
	ck_assert_int_eq(put(OBS_LANE_READ, 2, 0), 0);
	want(5, 3);
	ck_assert_int_eq(show(6, 4, 100), 0);
	ck_assert_int_eq(next_value(), 4);
	ck_assert_int_eq(next_value(), 3);
	ck_assert_int_eq(next_value(), 1);
	ck_assert_int_eq(next_value(), 2);
}
END_TEST

START_TEST(lanes_that_are_full_say_so)
{
	for (uint32_t i = 0; i < OBS_SHOW_MAX; i++)
		ck_assert_int_eq(put(OBS_LANE_SHOW, i, 0), 0);
	ck_assert_int_eq(put(OBS_LANE_SHOW, 0, 0), -ENOSPC);
	ck_assert_int_eq(show(1, 1, 100), -ENOSPC);
	for (uint32_t i = 0; i < OBS_READ_MAX; i++)
		ck_assert_int_eq(put(OBS_LANE_READ, i, 0), 0);
	ck_assert_int_eq(put(OBS_LANE_READ, 0, 0), -ENOSPC);
	ck_assert_uint_eq(obs_queue_counts(q)->full, 3);
	ck_assert_int_eq(obs_queue_value(q, PARAMS, now), -EINVAL);
	ck_assert_int_eq(obs_queue_show_value(q, PARAMS, now, 0), -EINVAL);
}
END_TEST

START_TEST(a_show_that_is_late_is_dropped_with_what_stands_behind_it)
{
	struct sent first;
	ck_assert_int_eq(put(OBS_LANE_SHOW, 1, 0), 0);
	first = next();
	ck_assert_int_eq(put(OBS_LANE_SHOW, 2, 0), 0);   /* it may take its time */
	ck_assert_int_eq(show(7, 3, 100), 0);	         /* preview A */
	ck_assert_int_eq(put(OBS_LANE_SHOW, 4, 200), 0); /* cut */
	ck_assert_uint_eq(obs_queue_deadline(q), now + 100 * MS + 1);
	now += 100 * MS;
	expect_none();
	ck_assert_uint_eq(drops, 0);
	now++;
	expect_none();
	ck_assert_uint_eq(drops, 2);
	ck_assert(dropped[0].is_value && dropped[0].param == 7 && dropped[0].sent_ns == 0);
	ck_assert(dropped[1].is_action && dropped[1].ref == 4);
	ck_assert(!obs_queue_is_busy(q, 7));
	answer(first, true);
	ck_assert_int_eq(next_value(), 2);
	expect_none();
	ck_assert_uint_eq(obs_queue_counts(q)->late, 2);
	ck_assert_uint_eq(obs_queue_counts(q)->late_values, 1);
}
END_TEST

START_TEST(what_has_no_answer_is_given_up_and_its_lane_goes_on)
{
	struct obs_ask ask;
	want(1, 10);
	struct sent value = next();
	ck_assert_int_eq(put(OBS_LANE_SHOW, 20, 0), 0);
	ck_assert_int_eq(put(OBS_LANE_SHOW, 21, 0), 0);
	now += MS;
	struct sent cut = next();
	want(1, 11);
	ck_assert_uint_eq(obs_queue_deadline(q), now - MS + OBS_ANSWER_MS * MS);
	now += (OBS_ANSWER_MS - 1) * MS - 1;
	ck_assert_int_eq(obs_queue_expire(q, now, &ask), 0);
	now++;
	ck_assert_int_eq(obs_queue_expire(q, now, &ask), 1);
	ck_assert(ask.is_value && ask.param == 1);
	ck_assert_int_eq(obs_queue_expire(q, now, &ask), 0);
	ck_assert_int_eq(next_value(), 11);
	now += MS;
	ck_assert_int_eq(obs_queue_expire(q, now, &ask), 1);
	ck_assert_uint_eq(ask.ref, 20);
	ck_assert_int_eq(next_value(), 21);
	/* Their answers come after all: to nobody. */
	ck_assert_int_eq(obs_queue_answer(q, value.id, true, now, &ask), 0);
	ck_assert_int_eq(obs_queue_answer(q, cut.id, true, now, &ask), 0);
	ck_assert_int_eq(obs_queue_answer(q, 0, true, now, &ask), 0);
	ck_assert_uint_eq(obs_queue_counts(q)->expired, 2);
}
END_TEST

START_TEST(with_the_connection_goes_all_that_waited)
{
	want(1, 1);
	struct sent old = next();
	want(1, 2);
	want(2, 3);
	ck_assert_int_eq(put(OBS_LANE_SHOW, 4, 0), 0);
	next();
	ck_assert_int_eq(show(3, 5, 1000), 0);
	ck_assert_int_eq(put(OBS_LANE_READ, 6, 0), 0);
	obs_queue_reset(q, on_dropped);
	ck_assert_uint_eq(drops, 2);
	ck_assert(dropped[0].is_action && dropped[0].sent_ns != 0);
	ck_assert(dropped[1].is_value && dropped[1].param == 3 && dropped[1].sent_ns == 0);
	expect_none();
	ck_assert_uint_eq(obs_queue_deadline(q), 0);
	for (uint32_t i = 0; i < PARAMS; i++)
		ck_assert(!obs_queue_is_busy(q, i));
	ck_assert_uint_eq(obs_queue_counts(q)->lost, 2);
	ck_assert_uint_eq(obs_queue_counts(q)->lost_values, 3);
	ck_assert(obs_queue_balanced(q));
	/* An answer to a request of the connection before is none. */
	struct obs_ask ask;
	want(1, 7);
	struct sent s = next();
	ck_assert_int_eq(obs_queue_answer(q, old.id, true, now, &ask), 0);
	answer(s, true);
}
END_TEST

START_TEST(what_cannot_be_written_is_lost_and_holds_up_nothing)
{
	gone[1] = true;
	want(1, 1);
	want(2, 2);
	ck_assert_int_eq(next_value(), 2);
	ck_assert(!obs_queue_is_busy(q, 1));
	ck_assert_int_eq(show(1, 3, 100), -ENOENT);
	expect_none();
	/* An older one at the end of the lane is not what is wanted any more. */
	ck_assert_int_eq(show(3, 4, 100), 0);
	gone[3] = true;
	ck_assert_int_eq(show(3, 5, 100), -ENOENT);
	expect_none();
	ck_assert(!obs_queue_is_busy(q, 3));
	ck_assert_uint_eq(obs_queue_counts(q)->lost_values, 3);
	ck_assert_uint_eq(obs_queue_counts(q)->conflated, 1);
}
END_TEST

START_TEST(what_is_begun_is_committed_whole_or_forgotten)
{
	uint32_t id, second;
	struct obs_ask ask = {.req = OBS_REQ_GET_STATS};
	ck_assert_int_eq(obs_queue_commit(q, &ask, now), -ENOSPC);
	struct obs_out *o = obs_queue_begin(q, OBS_LANE_READ, &id);
	obs_put_request(o, id, OBS_REQ_GET_STATS, 1);
	ck_assert_int_eq(obs_queue_commit(q, &ask, now), -EMSGSIZE);
	o = obs_queue_begin(q, OBS_LANE_SHOW, &id);
	obs_put_request(o, id, OBS_REQ_GET_STATS, 0);
	o = obs_queue_begin(q, OBS_LANE_READ, &second);
	obs_put_request(o, second, OBS_REQ_GET_STATS, 1);
	obs_put_int(o, "v", 8);
	ck_assert_int_eq(obs_queue_commit(q, &ask, now), 0);
	ck_assert_int_eq(obs_queue_commit(q, &ask, now), -ENOSPC);
	struct sent s = next();
	ck_assert_uint_eq(s.id, second);
	ck_assert_int_eq(s.ask.lane, OBS_LANE_READ);
	ck_assert_uint_eq(s.ask.asked_ns, now);
	expect_none();
}
END_TEST

START_TEST(of_a_group_one_is_in_flight_and_each_has_its_turn)
{
	obs_queue_group(q, 4, 3);
	obs_queue_group(q, 5, 3);
	int turns[PARAMS] = {0};
	for (int i = 0; i < 30; i++) {
		want(4, 100 + i); /* all move all the time */
		want(3, 200 + i);
		want(5, 300 + i);
		want(6, 400 + i);
		struct sent s = next(), other = next();
		ck_assert_uint_ne(s.id, 0);
		if (s.ask.param == 6 || other.ask.param == 6)
			turns[6]++; /* is by itself */
		expect_none();
		turns[s.ask.param == 6 ? other.ask.param : s.ask.param]++;
		answer(s, i % 3);
		if (other.id)
			answer(other, true);
	}
	ck_assert(turns[3] == 10 && turns[4] == 10 && turns[5] == 10 && turns[6] == 30);
	obs_queue_group(q, 4, 4);
	for (int n = 0; next().id; n++)
		ck_assert_int_lt(n, 4);
}
END_TEST

START_TEST(newest_of_each_of_a_group_arrives)
{
	uint64_t seed = 5;
	int64_t arrived[PARAMS] = {0};
	struct sent flight[OBS_IN_FLIGHT];
	unsigned flying = 0;
	for (uint32_t p = 0; p < 12; p++)
		obs_queue_group(q, p, p / 4 * 4);
	for (int step = 0; step < 20000 || flying; step++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint32_t p = (uint32_t)(seed >> 33) % 12;
		if (step < 20000 && seed >> 62)
			want(p, step);
		struct sent s = seed >> 61 & 1 ? next() : (struct sent){0};
		for (unsigned i = 0; s.id && i < flying; i++)
			ck_assert_uint_ne(flight[i].ask.param / 4, s.ask.param / 4);
		if (s.id)
			flight[flying++] = s;
		if (flying && (seed >> 60 & 1 || step >= 20000)) {
			unsigned i = (unsigned)(seed >> 40) % flying;
			arrived[flight[i].ask.param] = flight[i].value;
			answer(flight[i], true);
			flight[i] = flight[--flying];
		}
		if (step >= 20000 && !flying && (s = next()).id)
			flight[flying++] = s;
	}
	for (uint32_t p = 0; p < 12; p++)
		ck_assert_int_eq(arrived[p], wanted[p]);
	expect_none();
}
END_TEST

START_TEST(refusals_are_counted)
{
	want(1, 1);
	struct sent s = next();
	struct obs_ask ask = answer(s, false);
	ck_assert(ask.is_value && ask.param == 1);
	ck_assert_uint_eq(obs_queue_counts(q)->refused, 1);
	ck_assert_uint_eq(obs_queue_counts(q)->answered, 1);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("queue");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_value_goes_out_and_the_newest_follows_its_answer);
	tcase_add_test(tc, the_order_of_the_show_is_kept);
	tcase_add_test(tc, values_go_out_in_the_order_in_which_they_began_to_wait);
	tcase_add_test(tc, never_more_than_the_bound_is_in_flight_and_a_show_always_finds_room);
	tcase_add_test(tc, questions_wait_behind_all_others);
	tcase_add_test(tc, lanes_that_are_full_say_so);
	tcase_add_test(tc, a_show_that_is_late_is_dropped_with_what_stands_behind_it);
	tcase_add_test(tc, what_has_no_answer_is_given_up_and_its_lane_goes_on);
	tcase_add_test(tc, with_the_connection_goes_all_that_waited);
	tcase_add_test(tc, what_cannot_be_written_is_lost_and_holds_up_nothing);
	tcase_add_test(tc, what_is_begun_is_committed_whole_or_forgotten);
	tcase_add_test(tc, of_a_group_one_is_in_flight_and_each_has_its_turn);
	tcase_add_test(tc, newest_of_each_of_a_group_arrives);
	tcase_add_test(tc, refusals_are_counted);
	Suite *s = suite_create("obs_queue");
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
