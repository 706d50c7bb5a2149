/*
 * bh-surface under a moving load from the simulated desk, killed again and again: the load's end state says what must have arrived
 * at the router (host.h), and the desk's counters whether a fader was left where the hand had not put it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/host.h"
#include "tests/lib/scratch.h"
#include "tests/lib/simdesk.h"
#include "tests/unit/panel.h"

static struct host h;
static struct panel panel;
static struct simdesk *desk;
static char dir[64];
static unsigned presses[BH_MAX_CONTROLS], releases[BH_MAX_CONTROLS];

static void
router_read(void)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&h.in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		if (ev.kind == BH_EV_PRESS && ev.id < BH_MAX_CONTROLS)
			presses[ev.id]++;
		if (ev.kind == BH_EV_RELEASE && ev.id < BH_MAX_CONTROLS)
			releases[ev.id]++;
		bh_ring_advance(&h.in.ring, &ev);
	}
	while (bh_ring_peek(&h.sup_in.ring, &ev, payload, sizeof(payload), &len) == 1)
		bh_ring_advance(&h.sup_in.ring, &ev);
}

#define until(ms, cond)                                                                            \
	({                                                                                         \
		uint64_t end_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                     \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < end_) {                                   \
			router_read();                                                             \
			usleep(500);                                                               \
		}                                                                                  \
		ok_;                                                                               \
	})

static int
cell(const char *name, struct bh_cell_body *c)
{
	return bh_inbox_cell(&h.in, panel_find(&panel, name), c);
}

static int32_t
total_of(const char *name)
{
	struct bh_cell_body c;
	return cell(name, &c) == 1 ? (int32_t)c.total : 0;
}

static bool
is_ready(void)
{
	return h.self->pid == (uint32_t)h.pid &&
	       __atomic_load_n(&h.self->ready_life, __ATOMIC_ACQUIRE) == h.self->attach_count;
}

static void
set_up(void)
{
	scratch_dir(dir, sizeof(dir), "load");
	memset(presses, 0, sizeof(presses));
	memset(releases, 0, sizeof(releases));
	desk = simdesk_start(dir, NULL);
	ck_assert_msg(desk, "%m");
	panel_x_touch(&panel);
	host_start_surface(&h, "surface", panel.c, panel.n, "transport", "socket", "path",
			   simdesk_socket(desk), "link", "free", "on_stop", "dark", "fader_max",
			   "16380", "fader_step", "4", "colors", "true", NULL);
	/* A desk that runs back only when nobody confirms at all. */
	simdesk_must(desk, "set return 60s; wait peer within 30s; expect quiet for 200ms within 30s; mark");
}

static void
tear_down(void)
{
	host_stop(&h);
	simdesk_stop(desk);
	scratch_remove(dir);
}

static unsigned
pressed_by_hand(const char *end_state, const char *name)
{
	char quoted[40];
	snprintf(quoted, sizeof(quoted), "\"%s\":", name);
	const char *at = strstr(end_state, "\"presses\":");
	return at && strstr(at, quoted) ? (unsigned)simdesk_number(at, "{", name) : 0;
}

/* What is not as the hands left it; NULL if all is. */
static const char *
difference(const char *end_state)
{
	static char what[128];
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		const char *name = bh_mcu_note_name((uint8_t)(BH_MCU_NOTE_TOUCH + i));
		int64_t pos = simdesk_number(end_state, "\"faders\"", name);
		struct bh_cell_body c;
		if (pos < 0)
			continue;
		int known = cell(name, &c);
		snprintf(what, sizeof(what), "%s is %.4f, not %.4f", name, known == 1 ? c.v.f : -1,
			 (double)pos / 16380);
		if (known != 1 || c.v.f < (double)pos / 16380 - 1e-4 || c.v.f > (double)pos / 16380 + 1e-4)
			return what;
	}
	for (unsigned i = 1; i <= BH_MCU_STRIPS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "vpot%u", i);
		int64_t ticks = simdesk_number(end_state, "\"vpots\"", name);
		snprintf(what, sizeof(what), "%s has %d ticks, not %lld", name, total_of(name),
			 (long long)ticks);
		if (total_of(name) != ticks)
			return what;
	}
	/*
	 * A press that found the router's ring full was refused, and counted; never is one doubled. A release that found it full is in
	 * the button's cell, as values are.
	 */
	uint64_t missing = 0;
	for (uint8_t note = 0; note < 4 * BH_MCU_STRIPS; note++) {
		const char *name = bh_mcu_note_name(note);
		unsigned id = panel_find(&panel, name), want = pressed_by_hand(end_state, name);
		struct bh_cell_body c;
		bool held = cell(name, &c) == 1 && (c.flags & BH_CELL_PRESSED);
		snprintf(what, sizeof(what), "%s: %u pressed, %u released, not %u%s", name, presses[id],
			 releases[id], want, held ? ", and held" : "");
		if (presses[id] > want || releases[id] > want || held)
			return what;
		missing += want - presses[id];
	}
	uint64_t refused = host_counter(&h, BH_CNT_REFUSED);
	snprintf(what, sizeof(what), "%u presses are missing, %u were refused", (unsigned)missing,
		 (unsigned)refused);
	if (missing > refused)
		return what;
	return NULL;
}

/* Few faders, so that what piles up during a restart mostly fits the router's ring of 64. */
#define CONTROLS                                                                                   \
	"using fader1 fader_main vpot1 vpot2 vpot3 vpot4 vpot5 vpot6 vpot7 vpot8 jog rec1 rec8 solo2 "   \
	"solo5 mute1 mute3 mute6 select4 select7"

static const char *const loads[] = {
	"random-load seed 1 for 2s rate 150; end-state", /* more than the ring holds, now and then */
	"split on every 1ms; random-load seed 2 for 2s rate 30 " CONTROLS "; end-state",
	"limit din; active-sensing on; random-load seed 3 for 2s rate 50 " CONTROLS "; end-state",
};

/* To the end of one load; returns how often the surface was killed meanwhile. */
static unsigned
play_once(const char *load, bool killing)
{
	unsigned kills = 0;
	simdesk_begin(desk, "%s", load);
	while (!simdesk_is_over(desk)) {
		uint64_t end_ns = bh_mono_ns() + (20 + (uint64_t)random() % 80) * BH_NS_PER_MS;
		ck_assert(until(5000, simdesk_is_over(desk) || bh_mono_ns() >= end_ns));
		if (!killing || simdesk_is_over(desk))
			continue;
		host_kill(&h);
		host_spawn(&h);
		ck_assert(until(10000, is_ready()));
		kills++;
	}
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	return kills;
}

static void
play_load(const char *load, bool killing)
{
	char end_state[4096];
	unsigned kills = 0;
	srandom(5);
	/* Where a start takes long, there are few of them in one load. */
	do
		kills += play_once(load, killing);
	while (killing && kills <= 5);
	snprintf(end_state, sizeof(end_state), "%s", simdesk_output(desk));
	ck_assert_msg(strstr(end_state, "\"presses\":{\""), "nobody pressed anything: %s", end_state);
	const char *what = NULL;
	ck_assert_msg(until(5000, !(what = difference(end_state))), "after %u kills: %s\n%s", kills, what,
		      end_state);
	/*
	 * The hand's last word is the motor's, too. (How often it was written under a finger is not asked: a touch may be on its
	 * way while the surface writes.)
	 */
	simdesk_must(desk, "expect quiet for 300ms within 30s; wait motors within 40s; expect ran_back = 0; expect odd = 0");
	for (int i = 1; i <= 9; i++)
		ck_assert(simdesk_target(desk, i) < 0 || simdesk_target(desk, i) == simdesk_pos(desk, i));
	ck_assert_uint_eq(simdesk_counter(desk, "lost_messages"), 0);
}

START_TEST(a_moving_load_arrives_whole)
{
	play_load(loads[_i], false);
}
END_TEST

START_TEST(a_moving_load_arrives_whole_though_the_surface_is_killed_again_and_again)
{
	play_load(loads[_i], true);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("surface_load");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, a_moving_load_arrives_whole, 0, 3);
	tcase_add_loop_test(t, a_moving_load_arrives_whole_though_the_surface_is_killed_again_and_again, 0, 3);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
