/*
 * test_core_property - the core against a small model of the room: a desk with hands on it, a mixer that answers late, and random
 * steps of everything that happens to them. BH_SEED sets the seed, BH_STEPS the number of steps; a failure names both.
 *
 * The mixer holds values of its own, takes what it is sent after a while, answers with what it holds then, and is moved by people
 * at its own end. The desk's motors stand where they were told last, unless a hand is on them.
 */
#include <check.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/feedback.h"
#include "procs/router/taper.h"
#include "tests/lib/core_rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 100000u
#else
#define STEPS 2000000u
#endif

#define MS 1000000ull
#define QUEUE 4096u
#define SHOWN_PARAMS 6u

static const unsigned moved[SHOWN_PARAMS] = {RIG_LEVEL1, RIG_LEVEL2, RIG_MUTED, RIG_PAN, RIG_SCENES, RIG_LEVEL3};

/* A value on its way to the mixer, or back. */
struct way {
	uint64_t at_ns;
	unsigned param;
	double x;
	bool back;
};

static struct {
	struct rig *r;
	uint64_t seed, random;
	unsigned long step;
	const char *doing;
	/* the mixer */
	double held[RIG_PARAMS];
	struct way way[QUEUE];
	unsigned head, len;
	unsigned delay_ms; /* each way, at most */
	uint64_t last_at_ns;
	bool is_down;
	unsigned actions;
	/* the desk */
	bool touched[RIG_CTLS];
	double motor[RIG_CTLS];
	bool has_motor[RIG_CTLS];
	uint64_t drives; /* of motors under a hand: must stay 0 */
	/* what must be so */
	unsigned presses_that_count;
	unsigned sent; /* values to the mixer in the step at hand */
} w;

static uint64_t
rnd(uint64_t below)
{
	w.random = w.random * 6364136223846793005ull + 1442695040888963407ull;
	return (w.random >> 33) % below;
}

static double
rnd_unit(void)
{
	return (double)rnd(16384) / 16383;
}

#define expect(cond, ...)                                                                          \
	do {                                                                                       \
		char what_[256];                                                                   \
		snprintf(what_, sizeof(what_), __VA_ARGS__);                                       \
		ck_assert_msg(cond, "%s (BH_SEED=%llu, step %lu, %s)", what_, (unsigned long long)w.seed, w.step, w.doing); \
	} while (0)

/* ------------------------------------------------------------------ the mixer */

/* Messages between the same two do not overtake one another. */
static void
send_on(unsigned param, double x, bool back)
{
	uint64_t at = w.r->now_ns + (w.delay_ms ? rnd(w.delay_ms + 1) : 0) * MS;
	if (at < w.last_at_ns)
		at = w.last_at_ns;
	w.last_at_ns = at;
	ck_assert_uint_lt(w.len, QUEUE);
	w.way[(w.head + w.len++) % QUEUE] = (struct way){at, param, x, back};
}

static void
arrive(const struct way *m)
{
	if (m->back) {
		mix_report(w.r, m->param, m->x);
	} else {
		w.held[m->param] = m->x;
		send_on(m->param, m->x, true);
	}
}

/* ------------------------------------------------------------------ what the core says */

static void
on_mixer(const struct rig_out *o)
{
	if (o->ev.kind == BH_EV_ACTION) {
		w.actions += o->ev.id == 3; /* play; touching fader 1 is an action, too */
	} else if (o->ev.kind == BH_EV_VALUE && o->ev.id != RIG_PEAK && !w.is_down) { /* who looks at meters is told at any time */
		w.sent++;
		send_on(o->ev.id, o->ev.type == BH_FLOAT ? o->v.f : (double)o->v.i, false);
	}
}

static void
on_desk(const struct rig_out *o)
{
	if (o->ev.id >= RIG_CTLS || (o->ev.id != RIG_FADER1 && o->ev.id != RIG_FADER2) || o->ev.type != BH_FLOAT)
		return;
	expect(!w.touched[o->ev.id], "fader %u was driven under the hand to %.4f", o->ev.id, o->v.f);
	w.motor[o->ev.id] = o->v.f;
	w.has_motor[o->ev.id] = true;
}

static void
listen(void)
{
	expect(w.r->logged < RIG_LOG, "a flood of %u outputs", w.r->logged);
	for (unsigned k = 0; k < w.r->logged; k++)
		(w.r->log[k].slot == RIG_MIX ? on_mixer : on_desk)(&w.r->log[k]);
	rig_clear(w.r);
}

/* Time goes by, and what is on its way arrives. */
static void
pass(unsigned ms)
{
	uint64_t end = w.r->now_ns + ms * MS;
	while (w.len && w.way[w.head].at_ns <= end) {
		struct way m = w.way[w.head];
		w.head = (w.head + 1) % QUEUE;
		w.len--;
		if (m.at_ns > w.r->now_ns)
			rig_advance(w.r, (unsigned)((m.at_ns - w.r->now_ns + MS - 1) / MS));
		listen();
		if (!w.is_down || !m.back)
			arrive(&m);
		listen();
	}
	if (end > w.r->now_ns)
		rig_advance(w.r, (unsigned)((end - w.r->now_ns) / MS));
	listen();
}

/* ------------------------------------------------------------------ steps */

static void
do_touch(unsigned fader, bool on)
{
	w.doing = on ? "touch" : "release";
	w.touched[fader] = on;
	desk_touch(w.r, fader, on);
}

static void
do_move(void)
{
	unsigned fader = rnd(2) ? RIG_FADER1 : RIG_FADER2;
	w.doing = "move";
	if (!w.touched[fader])
		do_touch(fader, true);
	listen();
	double pos = rnd(8) ? rnd_unit() : (double)rnd(2);
	desk_move(w.r, fader, pos);
	w.motor[fader] = pos;
}

static void
do_press(void)
{
	static const unsigned buttons[] = {RIG_MUTE, RIG_PLAY, RIG_SCENE};
	unsigned b = buttons[rnd(3)];
	w.doing = "press";
	if (b == RIG_PLAY && !w.is_down && bh_core_page(w.r->core) == 0)
		w.presses_that_count++;
	desk_press(w.r, b);
}

/* Somebody at the mixer. What is reported goes to nobody but the desk. */
static void
do_backend(void)
{
	unsigned p = moved[rnd(SHOWN_PARAMS)];
	w.doing = "the mixer moves by itself";
	double x = p == RIG_MUTED ? (double)rnd(2) : p == RIG_SCENES ? (double)rnd(3) : p == RIG_PAN ? rnd_unit() * 2 - 1 : -100 + 110 * rnd_unit();
	w.held[p] = x;
	if (!w.is_down)
		send_on(p, x, true);
}

static void
do_health(void)
{
	w.doing = "the driver goes or comes";
	w.is_down = !w.is_down;
	mix_health(w.r, w.is_down ? BH_HEALTH_BACKING_OFF : BH_HEALTH_OK);
	listen();
	if (w.is_down)
		return;
	/* Its successor has fresh cells, and tells what it finds. */
	rig_begin(w.r);
	rig_end(w.r);
	bh_core_verify(w.r->core, RIG_MIX, NULL, NULL);
	rig_begin(w.r);
	rig_end(w.r);
	listen();
	for (unsigned k = 0; k < SHOWN_PARAMS; k++)
		send_on(moved[k], w.held[moved[k]], true);
}

static void
step(void)
{
	uint64_t what = rnd(1000);
	w.sent = 0;
	if (what < 400)
		do_move();
	else if (what < 470)
		do_touch(rnd(2) ? RIG_FADER1 : RIG_FADER2, rnd(2));
	else if (what < 550)
		do_press();
	else if (what < 620)
		w.doing = "turn", desk_turn(w.r, RIG_VPOT, (int)rnd(7) - 3);
	else if (what < 780)
		do_backend();
	else if (what < 800)
		w.doing = "page", desk_press(w.r, RIG_F1);
	else if (what < 803)
		do_health();
	else if (what < 806)
		w.doing = "a successor of the router", rig_restart(w.r);
	else if (what < 808)
		w.doing = "reload", rig_reconfigure(w.r, rig_config());
	else
		w.doing = "time goes by", pass((unsigned)rnd(40));
	listen();
}

/* ------------------------------------------------------------------ silence */

static double
as_pos(unsigned param, double x)
{
	struct bh_taper_range range = {param == RIG_PAN ? BH_TAPER_LINEAR : BH_TAPER_FADER_DB, param == RIG_PAN ? -1 : -100,
				       param == RIG_PAN ? 1 : 10, 0};
	return bh_taper_position(&range, x);
}

static void
check_fader(unsigned fader, unsigned param)
{
	double want = as_pos(param, w.held[param]);
	expect(w.has_motor[fader] && bh_taper_same(w.motor[fader], want), "after silence fader %u stands at %.5f, the mixer holds %.5f (%.2f dB)",
	       fader, w.motor[fader], want, w.held[param]);
}

static void
check_light(unsigned ctl, bool on)
{
	expect((desk_ctl(w.r, ctl)->told.i == BH_LIGHT_ON) == on, "after silence light %u is %lld, should be %d", ctl,
	       (long long)desk_ctl(w.r, ctl)->told.i, on);
}

/* Hands off, everything arrives, every window is over: the desk shows what the mixer holds. */
static void
be_silent(void)
{
	for (unsigned f = RIG_FADER1; f <= RIG_FADER2; f++)
		if (w.touched[f])
			do_touch(f, false);
	listen();
	if (w.is_down)
		do_health();
	w.doing = "silence";
	for (int k = 0; k < 20 || w.len; k++)
		pass(500);
	expect(w.len == 0, "messages go round and round");
	uint32_t page = bh_core_page(w.r->core);
	for (unsigned k = 0; k < SHOWN_PARAMS; k++)
		expect(fabs(mix_value(w.r, moved[k]) - w.held[moved[k]]) < 1e-9, "after silence the router has %.4f for parameter %u, the mixer %.4f",
		       mix_value(w.r, moved[k]), moved[k], w.held[moved[k]]);
	if (page == 0) {
		check_fader(RIG_FADER1, RIG_LEVEL1);
		check_fader(RIG_FADER2, RIG_LEVEL2);
		check_light(RIG_MUTE, w.held[RIG_MUTED] != 0);
	} else if (page == 1) {
		check_fader(RIG_FADER1, RIG_LEVEL3);
		check_fader(RIG_FADER2, RIG_LEVEL2);
	}
	expect(w.actions == w.presses_that_count, "%u actions for %u presses", w.actions, w.presses_that_count);
}

/* All pages once round: the same picture, and nothing to the mixer. */
static void
turn_round(void)
{
	struct bh_rec_control before[RIG_CTLS];
	bool is_bare = bh_core_page(w.r->core) == 2; /* an unbound fader stays where the page before had it */
	for (unsigned c = 0; c < RIG_CTLS; c++)
		before[c] = *desk_ctl(w.r, c);
	w.doing = "the pages once round";
	w.sent = 0;
	for (int k = 0; k < 3; k++) {
		desk_press(w.r, RIG_F1);
		pass(1000);
	}
	expect(w.sent == 0, "turning pages sent %u values to the mixer", w.sent);
	for (unsigned c = 0; c < RIG_CTLS; c++) {
		const struct bh_rec_control *now = desk_ctl(w.r, c);
		bool text = now->kind == BH_CTL_STRIP || now->kind == BH_CTL_DIGITS;
		bool same = now->told_type == before[c].told_type &&
			    (text ? strcmp(now->text, before[c].text) == 0
				  : now->kind == BH_CTL_FADER ? bh_taper_same(now->told.f, before[c].told.f)
							      : now->told.u == before[c].told.u);
		expect(same || (is_bare && now->kind == BH_CTL_FADER), "control %u shows something else after all pages once round", c);
	}
}

static void
begin(unsigned delay_ms)
{
	const char *seed = getenv("BH_SEED");
	memset(&w, 0, sizeof(w));
	w.seed = seed ? strtoull(seed, NULL, 10) : 20261121;
	w.random = w.seed;
	w.doing = "start";
	w.delay_ms = delay_ms;
	w.r = rig_new();
	w.held[RIG_LEVEL1] = -10;
	w.held[RIG_LEVEL2] = -20;
	w.held[RIG_LEVEL3] = -30;
	for (unsigned f = RIG_FADER1; f <= RIG_FADER2; f++) {
		w.motor[f] = desk_ctl(w.r, f)->told.f;
		w.has_motor[f] = true;
	}
}

static unsigned long
steps(void)
{
	const char *n = getenv("BH_STEPS");
	return n ? strtoul(n, NULL, 10) : STEPS;
}

START_TEST(after_silence_the_desk_shows_what_the_backend_holds)
{
	begin((unsigned)_i);
	for (w.step = 1; w.step <= steps() / 3; w.step++) {
		step();
		if (w.step % 1000 == 0)
			be_silent();
		if (w.step % 10000 == 0)
			turn_round();
	}
	rig_free(w.r);
}
END_TEST

/* No step asks for memory but a configuration and a successor, which give back what they took. */
START_TEST(memory_is_constant)
{
	begin(20);
	for (w.step = 1; w.step <= 20000; w.step++)
		step();
	be_silent();
	size_t before = mallinfo2().uordblks;
	for (; w.step <= 60000; w.step++)
		step();
	be_silent();
	size_t after = mallinfo2().uordblks;
	expect(after <= before + 4096, "%zu bytes became %zu", before, after);
	rig_free(w.r);
}
END_TEST

/* ------------------------------------------------------------------ the fight */

/*
 * A minute of a hand and a backend on one fader, 100 moves a second each. The backend echoes what it takes up to half a second
 * late, and moves by itself until just before the hand lets go.
 */
START_TEST(hand_and_backend_fight_for_a_minute_and_the_hand_wins)
{
	begin((unsigned)_i);
	unsigned commands = 0;
	double last = 0;
	do_touch(RIG_FADER1, true);
	listen();
	for (int k = 0; k < 6000; k++) {
		last = k == 5999 ? 0.7 : rnd_unit();
		w.doing = "fight";
		desk_move(w.r, RIG_FADER1, last);
		w.motor[RIG_FADER1] = last;
		listen();
		if (k < 5990) {
			w.held[RIG_LEVEL1] = -100 + 110 * rnd_unit();
			send_on(RIG_LEVEL1, w.held[RIG_LEVEL1], true);
		}
		pass(10);
	}
	do_touch(RIG_FADER1, false);
	double worst = 0;
	for (int ms = 0; ms < 5000; ms++) {
		double was = w.motor[RIG_FADER1];
		pass(1);
		commands += w.motor[RIG_FADER1] != was;
		if (fabs(w.motor[RIG_FADER1] - last) > worst)
			worst = fabs(w.motor[RIG_FADER1] - last);
	}
	expect(worst <= BH_TAPER_STEP, "the fader went %.4f away from where the hand left it", worst);
	expect(commands <= 1, "the motor was sent %u times", commands);
	expect(bh_taper_same(as_pos(RIG_LEVEL1, w.held[RIG_LEVEL1]), last), "the mixer ends at %.4f instead of %.4f",
	       as_pos(RIG_LEVEL1, w.held[RIG_LEVEL1]), last);
	rig_free(w.r);
}
END_TEST

START_TEST(fast_push_to_the_top_arrives_as_exactly_100_percent)
{
	begin((unsigned)_i);
	do_touch(RIG_FADER1, true);
	for (int k = 0; k <= 12; k++) {
		w.doing = "push";
		desk_move(w.r, RIG_FADER1, k < 12 ? k / 12.0 : 16380 / 16383.0);
		listen();
		pass(4);
	}
	do_touch(RIG_FADER1, false);
	listen();
	pass(3000);
	expect(w.held[RIG_LEVEL1] == 10, "the mixer got %.6f dB instead of its maximum", w.held[RIG_LEVEL1]);
	expect(w.motor[RIG_FADER1] == 1, "the fader stands at %.6f", w.motor[RIG_FADER1]);
	rig_free(w.r);
}
END_TEST

int
main(void)
{
	static const int delays[] = {0, 30, 500};
	Suite *s = suite_create("core_property");
	TCase *t = tcase_create("property");
	tcase_set_timeout(t, 300);
	for (size_t k = 0; k < sizeof(delays) / sizeof(*delays); k++) {
		tcase_add_loop_test(t, after_silence_the_desk_shows_what_the_backend_holds, delays[k], delays[k] + 1);
		tcase_add_loop_test(t, hand_and_backend_fight_for_a_minute_and_the_hand_wins, delays[k], delays[k] + 1);
		tcase_add_loop_test(t, fast_push_to_the_top_arrives_as_exactly_100_percent, delays[k], delays[k] + 1);
	}
	tcase_add_test(t, memory_is_constant);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
