/*
 * test_obs_queue_property - the queue of requests against a plain description of it, in random steps: wishes, sending, answers in any order,
 * refusals, time-outs, parameters that go, connections that end. BH_SEED sets the seed, BH_STEPS the number of steps; a failure
 * names both.
 *
 * What is described is which message comes next, which shows are dropped and all books, to the last count. What must hold whatever the
 * description says is looked at by itself: the bound, one in flight for each parameter, the newest value last, nothing late.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "procs/obs/queue.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 200000u
#else
#define STEPS 3000000u
#endif

#define MS BH_NS_PER_MS
#define VALUES 60u /* parameters of the lane value, then those of the show */
#define PARAMS 70u
#define SENT_MAX 4096u /* ids that are remembered */

struct show {
	bool is_value;
	uint32_t param;
	int64_t value;
	uint64_t until_ns;
};

static struct {
	struct obs_queue *q;
	uint64_t now, seed, random;
	unsigned long step;
	const char *doing;
	int64_t last_value;
	/* the parameters */
	int64_t wanted[PARAMS], sent[PARAMS];
	bool gone[PARAMS], waiting[PARAMS], in_flight[PARAMS];
	uint32_t ready[VALUES], ready_n;
	/* the lanes */
	struct show show[OBS_SHOW_MAX];
	uint32_t show_n, read_n;
	int64_t read[OBS_READ_MAX];
	/* in flight */
	struct {
		uint32_t id;
		enum obs_lane lane;
		bool is_value;
		uint32_t param;
		int64_t value;
		uint64_t sent_ns;
	} flight[OBS_IN_FLIGHT];
	uint32_t flight_n, old_id[SENT_MAX], old_n;
	struct show drop[OBS_SHOW_MAX + 1];
	uint32_t drop_n, dropped;
	struct obs_queue_counts counts;
} w;

#define HOLDS(cond, ...)                                                                                                \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			char what_[256];                                                                               \
			snprintf(what_, sizeof(what_), __VA_ARGS__);                                                   \
			ck_abort_msg("%s: %s (BH_SEED=%llu, step %lu, %s)", #cond, what_, (unsigned long long)w.seed, w.step, w.doing); \
		}                                                                                                      \
	} while (0)

static uint32_t
rnd(uint32_t n)
{
	w.random = w.random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((w.random >> 33) % n);
}

/* ------------------------------------------------------------------ wishes */

static int
encode(void *data, uint32_t param, uint32_t id, struct obs_out *o, struct obs_ask *ask)
{
	HOLDS(data == &w, "the encoder's data");
	if (w.gone[param])
		return -ENOENT;
	ask->req = OBS_REQ_SET_INPUT_VOLUME;
	obs_put_request(o, id, ask->req, 1);
	obs_put_int(o, "v", w.wanted[param]);
	return 0;
}

static void
give_value(void)
{
	uint32_t p = rnd(rnd(4) ? VALUES : 3); /* some are moved much more than others */
	w.wanted[p] = ++w.last_value;
	HOLDS(obs_queue_value(w.q, p, w.now) == 0, "value %u", p);
	w.counts.values++;
	if (w.waiting[p]) {
		w.counts.conflated++;
		return;
	}
	w.waiting[p] = true;
	if (!w.in_flight[p])
		w.ready[w.ready_n++] = p;
}

static uint64_t
some_until(void)
{
	return rnd(4) ? w.now + (1 + rnd(300)) * MS : 0;
}

static void
give_show_value(void)
{
	uint32_t p = VALUES + rnd(PARAMS - VALUES);
	uint64_t until = some_until();
	w.wanted[p] = ++w.last_value;
	bool same = w.show_n > 0 && w.show[w.show_n - 1].is_value && w.show[w.show_n - 1].param == p;
	int r = obs_queue_show_value(w.q, p, w.now, until);
	if (!same && w.show_n == OBS_SHOW_MAX) {
		HOLDS(r == -ENOSPC, "a full lane: %d", r);
		w.counts.full++;
		return;
	}
	w.counts.values++;
	w.counts.conflated += same;
	w.show_n -= same;
	if (w.gone[p]) {
		HOLDS(r == -ENOENT, "a parameter that is gone: %d", r);
		w.counts.lost_values++;
		return;
	}
	HOLDS(r == 0, "show value: %d", r);
	w.show[w.show_n++] = (struct show){true, p, w.wanted[p], until};
}

static void
give_bytes(enum obs_lane lane)
{
	uint32_t id;
	struct obs_ask ask = {.req = OBS_REQ_GET_STATS, .is_action = lane == OBS_LANE_SHOW, .until_ns = lane == OBS_LANE_SHOW ? some_until() : 0};
	struct obs_out *o = obs_queue_begin(w.q, lane, &id);
	bool full = lane == OBS_LANE_SHOW ? w.show_n == OBS_SHOW_MAX : w.read_n == OBS_READ_MAX;
	HOLDS(!o == full, "a lane is full or not");
	w.counts.full += full;
	if (!o || rnd(50) == 0)
		return; /* begun and forgotten */
	obs_put_request(o, id, ask.req, 1);
	obs_put_int(o, "v", ++w.last_value);
	HOLDS(obs_queue_commit(w.q, &ask, w.now) == 0, "commit");
	if (lane == OBS_LANE_SHOW)
		w.show[w.show_n++] = (struct show){false, 0, w.last_value, ask.until_ns};
	else
		w.read[w.read_n++] = w.last_value;
}

/* ------------------------------------------------------------------ sending */

static void
on_dropped(void *data, const struct obs_ask *ask)
{
	const struct show *d = &w.drop[w.dropped++];
	HOLDS(data == &w && w.dropped <= w.drop_n, "%u are dropped, %u should be", w.dropped, w.drop_n);
	HOLDS(ask->is_value == d->is_value && ask->param == d->param && ask->is_action == !d->is_value, "another is dropped");
	/* Who hears of it may ask for something else. */
	if (rnd(3) == 0)
		give_value();
	if (rnd(3) == 0)
		give_bytes(OBS_LANE_READ);
	if (rnd(10) == 0)
		give_bytes(OBS_LANE_SHOW);
}

static void
describe_late(void)
{
	uint32_t i = 0;
	while (i < w.show_n && !(w.show[i].until_ns && w.now > w.show[i].until_ns))
		i++;
	w.drop_n = w.dropped = 0;
	for (uint32_t k = i; k < w.show_n; k++) {
		w.drop[w.drop_n++] = w.show[k];
		w.counts.late++;
		w.counts.late_values += w.show[k].is_value;
	}
	w.show_n = i;
}

static bool
show_is_in_flight(void)
{
	for (uint32_t i = 0; i < w.flight_n; i++)
		if (w.flight[i].lane == OBS_LANE_SHOW)
			return true;
	return false;
}

/* What goes out next: its lane, value and parameter; false = nothing. */
static bool
describe_next(enum obs_lane *lane, int64_t *value, uint32_t *param, bool *is_value)
{
	*param = 0;
	*is_value = false;
	if (w.flight_n == OBS_IN_FLIGHT)
		return false;
	if (w.show_n > 0 && !show_is_in_flight()) {
		*lane = OBS_LANE_SHOW;
		*value = w.show[0].value;
		*param = w.show[0].param;
		*is_value = w.show[0].is_value;
		HOLDS(w.show[0].until_ns == 0 || w.now <= w.show[0].until_ns, "late");
		memmove(&w.show[0], &w.show[1], --w.show_n * sizeof(w.show[0]));
		return true;
	}
	if (w.flight_n - show_is_in_flight() == OBS_IN_FLIGHT - 1)
		return false;
	while (w.ready_n > 0) {
		*param = w.ready[0];
		memmove(&w.ready[0], &w.ready[1], --w.ready_n * sizeof(w.ready[0]));
		w.waiting[*param] = false;
		if (w.gone[*param]) {
			w.counts.lost_values++;
			continue;
		}
		*lane = OBS_LANE_VALUE;
		*value = w.wanted[*param];
		return *is_value = true;
	}
	if (w.read_n == 0)
		return false;
	*lane = OBS_LANE_READ;
	*param = 0;
	*value = w.read[0];
	memmove(&w.read[0], &w.read[1], --w.read_n * sizeof(w.read[0]));
	return true;
}

/* The id and the value of a message. */
static uint32_t
read_message(const uint8_t *bytes, size_t len, int64_t *value)
{
	static msgpack_zone *zone;
	msgpack_object root;
	const msgpack_object *d, *data;
	size_t off = 0;
	char id[16] = "";
	if (!zone)
		zone = msgpack_zone_new(4096);
	msgpack_zone_clear(zone);
	HOLDS(msgpack_unpack((const char *)bytes, len, &off, zone, &root) == MSGPACK_UNPACK_SUCCESS && off == len, "no message");
	HOLDS(obs_get_map(&root, "d", &d) && obs_get_str(d, "requestId", id, sizeof(id)) && obs_get_map(d, "requestData", &data) &&
		      obs_get_int(data, "v", value), "no request");
	return (uint32_t)strtoul(id, NULL, 10);
}

static void
note_sent(uint32_t id, const struct obs_ask *ask, int64_t value)
{
	for (uint32_t i = 0; i < w.flight_n; i++) {
		HOLDS(w.flight[i].id != id, "id %u twice", id);
		HOLDS(!(ask->is_value && w.flight[i].is_value && w.flight[i].param == ask->param), "parameter %u twice in flight", ask->param);
		HOLDS(!(ask->lane == OBS_LANE_SHOW && w.flight[i].lane == OBS_LANE_SHOW), "two shows in flight");
	}
	HOLDS(w.flight_n < OBS_IN_FLIGHT, "the bound");
	w.flight[w.flight_n].id = id;
	w.flight[w.flight_n].lane = ask->lane;
	w.flight[w.flight_n].is_value = ask->is_value;
	w.flight[w.flight_n].param = ask->param;
	w.flight[w.flight_n].value = value;
	w.flight[w.flight_n++].sent_ns = w.now;
	w.old_id[w.old_n++ % SENT_MAX] = id;
	if (ask->is_value) {
		HOLDS(value > w.sent[ask->param], "parameter %u: an older value goes out after a newer one", ask->param);
		w.sent[ask->param] = value;
	}
	w.counts.sent++;
	w.counts.sent_values += ask->is_value;
	w.counts.in_flight++;
	if (w.counts.in_flight > w.counts.in_flight_most)
		w.counts.in_flight_most = w.counts.in_flight;
}

static bool
send_one(void)
{
	const uint8_t *bytes;
	size_t len;
	struct obs_ask ask;
	enum obs_lane lane;
	int64_t value, read;
	uint32_t param;
	bool is_value;
	describe_late();
	int r = obs_queue_next(w.q, w.now, &bytes, &len, &ask, on_dropped);
	HOLDS(w.dropped == w.drop_n, "%u were dropped, %u should have been", w.dropped, w.drop_n);
	bool any = describe_next(&lane, &value, &param, &is_value);
	HOLDS((r == 1) == any, "%d", r);
	if (!any)
		return false;
	uint32_t id = read_message(bytes, len, &read);
	HOLDS(ask.lane == lane && ask.is_value == is_value && (!is_value || ask.param == param), "lane %d parameter %u, should be %d %u",
	      (int)ask.lane, ask.param, (int)lane, param);
	HOLDS(read == value, "%lld is sent, should be %lld", (long long)read, (long long)value);
	HOLDS(ask.sent_ns == w.now && (ask.until_ns == 0 || w.now <= ask.until_ns), "its times");
	note_sent(id, &ask, read);
	if (is_value && lane == OBS_LANE_VALUE)
		w.in_flight[param] = true;
	return true;
}

/* ------------------------------------------------------------------ what comes back */

static void
land(uint32_t i, const struct obs_ask *ask)
{
	HOLDS(ask->lane == w.flight[i].lane && ask->is_value == w.flight[i].is_value && ask->param == w.flight[i].param &&
		      ask->sent_ns == w.flight[i].sent_ns, "it is another's answer");
	uint32_t p = w.flight[i].param;
	if (w.flight[i].lane == OBS_LANE_VALUE) {
		w.in_flight[p] = false;
		if (w.waiting[p])
			w.ready[w.ready_n++] = p;
	}
	w.flight[i] = w.flight[--w.flight_n];
	w.counts.in_flight--;
}

static void
answer_one(void)
{
	struct obs_ask ask;
	if (w.flight_n == 0)
		return;
	uint32_t i = rnd(w.flight_n);
	bool ok = rnd(10) != 0;
	HOLDS(obs_queue_answer(w.q, w.flight[i].id, ok, w.now, &ask) == 1, "an answer");
	w.counts.answered++;
	w.counts.refused += !ok;
	land(i, &ask);
}

/* One that came twice, too late, or to nobody. */
static void
answer_to_nobody(void)
{
	struct obs_ask ask;
	uint32_t id = w.old_n && rnd(2) ? w.old_id[rnd(w.old_n < SENT_MAX ? w.old_n : SENT_MAX)] : rnd(UINT32_MAX);
	for (uint32_t i = 0; i < w.flight_n; i++)
		if (w.flight[i].id == id)
			return;
	HOLDS(obs_queue_answer(w.q, id, true, w.now, &ask) == 0, "id %u is nobody's", id);
}

static void
expire(void)
{
	struct obs_ask ask;
	unsigned due = 0, n = 0;
	for (uint32_t i = 0; i < w.flight_n; i++)
		due += w.now >= w.flight[i].sent_ns + OBS_ANSWER_MS * MS;
	for (; obs_queue_expire(w.q, w.now, &ask); n++) {
		uint32_t i = 0;
		while (i < w.flight_n && !(w.flight[i].lane == ask.lane && w.flight[i].param == ask.param && w.flight[i].sent_ns == ask.sent_ns))
			i++;
		HOLDS(i < w.flight_n && w.now >= ask.sent_ns + OBS_ANSWER_MS * MS, "nothing of that kind was due");
		/* Reads that went out at one moment are alike, and are given up together. */
		land(i, &ask);
		w.counts.expired++;
	}
	HOLDS(n == due, "%u were given up, %u were due", n, due);
}

static void
disconnect(void)
{
	w.drop_n = w.dropped = 0;
	for (uint32_t i = 0; i < w.flight_n; i++)
		if (w.flight[i].lane == OBS_LANE_SHOW)
			w.drop[w.drop_n++] = (struct show){.is_value = w.flight[i].is_value, .param = w.flight[i].param};
	for (uint32_t i = 0; i < w.show_n; i++) {
		w.drop[w.drop_n++] = w.show[i];
		w.counts.lost_values += w.show[i].is_value;
	}
	for (uint32_t p = 0; p < VALUES; p++) {
		w.counts.lost_values += w.waiting[p];
		w.waiting[p] = w.in_flight[p] = false;
	}
	w.counts.lost += w.flight_n;
	w.counts.in_flight = w.flight_n = w.show_n = w.read_n = w.ready_n = 0;
	obs_queue_reset(w.q, on_dropped);
	HOLDS(w.dropped == w.drop_n, "%u were told to be lost, %u should have been", w.dropped, w.drop_n);
}

/* ------------------------------------------------------------------ and all of it */

static void
look(void)
{
	uint64_t next = 0, at;
	HOLDS(obs_queue_balanced(w.q), "the books do not agree");
	HOLDS(!memcmp(obs_queue_counts(w.q), &w.counts, sizeof(w.counts)), "the books are not these");
	HOLDS(w.counts.in_flight_most <= OBS_IN_FLIGHT, "the bound");
	uint32_t p = rnd(PARAMS);
	bool busy = w.waiting[p] || w.in_flight[p];
	for (uint32_t i = 0; i < w.flight_n; i++) {
		busy |= w.flight[i].is_value && w.flight[i].param == p;
		at = w.flight[i].sent_ns + OBS_ANSWER_MS * MS;
		next = !next || at < next ? at : next;
	}
	for (uint32_t i = 0; i < w.show_n; i++) {
		busy |= w.show[i].is_value && w.show[i].param == p;
		at = w.show[i].until_ns + 1;
		next = at > 1 && (!next || at < next) ? at : next;
	}
	HOLDS(obs_queue_is_busy(w.q, p) == busy, "is parameter %u busy?", p);
	HOLDS(obs_queue_deadline(w.q) == next, "the deadline");
}

static void
step(void)
{
	uint32_t what = rnd(1000);
#define DO(until, name, ...)                                                                       \
	if (what < (until)) {                                                                      \
		w.doing = name;                                                                    \
		__VA_ARGS__;                                                                       \
		return;                                                                            \
	}
	DO(300, "value", give_value());
	DO(360, "show value", give_show_value());
	DO(400, "show", give_bytes(OBS_LANE_SHOW));
	DO(450, "read", give_bytes(OBS_LANE_READ));
	DO(650, "send", send_one());
	DO(680, "send all", while (send_one()););
	DO(900, "answer", answer_one());
	DO(930, "answer to nobody", answer_to_nobody());
	DO(940, "expire", expire());
	DO(985, "time", w.now += rnd(50) * MS);
	DO(990, "a parameter goes", w.gone[rnd(PARAMS)] = true);
	DO(997, "a parameter comes", w.gone[rnd(PARAMS)] = false);
	DO(999, "much time", w.now += (OBS_ANSWER_MS / 2 + rnd(OBS_ANSWER_MS)) * MS);
	DO(1000, "disconnect", disconnect());
}

/* All answered: then OBS has the newest value of each. */
static void
settle(void)
{
	w.doing = "settle";
	while (send_one() || w.flight_n > 0)
		answer_one();
	for (uint32_t p = 0; p < PARAMS; p++) {
		HOLDS(!obs_queue_is_busy(w.q, p), "parameter %u", p);
		w.gone[p] = false;
	}
	for (uint32_t p = 0; p < VALUES; p++) {
		w.wanted[p] = ++w.last_value;
		HOLDS(obs_queue_value(w.q, p, w.now) == 0, "value %u", p);
		w.counts.values++;
		w.waiting[p] = true;
		w.ready[w.ready_n++] = p;
	}
	while (send_one() || w.flight_n > 0)
		answer_one();
	for (uint32_t p = 0; p < VALUES; p++)
		HOLDS(w.sent[p] == w.wanted[p], "parameter %u ends at %lld", p, (long long)w.sent[p]);
}

START_TEST(a_queue_does_as_it_is_described_whatever_happens)
{
	const char *seed = getenv("BH_SEED"), *n = getenv("BH_STEPS");
	unsigned long steps = n ? strtoul(n, NULL, 10) : STEPS;
	w.seed = seed ? strtoull(seed, NULL, 10) : 20261126;
	w.random = w.seed;
	w.now = 1000 * BH_NS_PER_S;
	w.q = obs_queue_new(PARAMS, encode, &w);
	ck_assert_ptr_nonnull(w.q);
	for (; w.step < steps; w.step++) {
		step();
		look();
		if (rnd(20000) == 0)
			settle();
	}
	settle();
	look();
	ck_assert_uint_eq(w.counts.in_flight_most, OBS_IN_FLIGHT);
	ck_assert(w.counts.late > 0 && w.counts.expired > 0 && w.counts.lost > 0 && w.counts.full > 0);
	obs_queue_free(w.q);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("queue");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_queue_does_as_it_is_described_whatever_happens);
	Suite *s = suite_create("obs_queue_property");
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
