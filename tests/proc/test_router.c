/*
 * test_router - the real bh-router between a desk, a mixer, the store and the supervisor that the test plays
 *
 * Waiting is polling for a state with a deadline. Killed, the router must go on where it was: nothing lost, nothing twice.
 */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/spawn.h"
#include "common/units.h"
#include "tests/lib/patience.h"
#include "tests/lib/router_room.h"

static struct room *m;
static pid_t pid;
static int sock, options_fd;
static unsigned lives;

#define until(ms, cond)                                                                            \
	({                                                                                         \
		uint64_t end_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                     \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < end_)                                     \
			usleep(200);                                                               \
		ok_;                                                                               \
	})

/* ------------------------------------------------------------------ a supervisor */

static void
give(struct bh_spawn_msg *msg, int *fds, int fd, enum bh_fd_role role, uint16_t slot, uint16_t peer)
{
	msg->fd[msg->nfds] = (struct bh_spawn_fd){.role = (uint16_t)role, .slot = slot, .peer = peer};
	fds[msg->nfds++] = fd;
}

static void
give_peer(struct bh_spawn_msg *msg, int *fds, unsigned k)
{
	uint16_t s = room_slots[k];
	give(msg, fds, m->peer_self[k].ro, BH_FD_SELF, s, 0);
	give(msg, fds, m->out[k].rw, BH_FD_OUTBOX, BH_SLOT_ROUTER, s);
	give(msg, fds, m->in[k].ro, BH_FD_OUTBOX, s, BH_SLOT_ROUTER);
	if (k == ROOM_MIX)
		give(msg, fds, m->params.ro, BH_FD_PARAMS, s, 0);
}

static void
start_router(void)
{
	char path[512], *argv[] = {path, NULL};
	int pair[2], fds[BH_SPAWN_FDS];
	extern char **environ;
	posix_spawn_file_actions_t fa;
	struct bh_spawn_msg msg = {.type = BH_SPAWN_ATTACH, .slot = BH_SLOT_ROUTER, .text = "router",
				   .flags = (uint16_t)(BH_SPAWN_LAST | (lives ? BH_SPAWN_SUCCESSOR : 0))};
	snprintf(path, sizeof(path), "%s/bh-router", getenv("BH_BIN") ? getenv("BH_BIN") : "bin");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (pair[1] == BH_SPAWN_FD)
		pair[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pair[1], BH_SPAWN_FD);
	ck_assert_int_eq(posix_spawn(&pid, path, &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(pair[1]);
	sock = pair[0];
	give(&msg, fds, m->self.rw, BH_FD_SELF, BH_SLOT_ROUTER, 0);
	give(&msg, fds, m->state.rw, BH_FD_STATE, BH_SLOT_ROUTER, 0);
	give(&msg, fds, m->priv.rw, BH_FD_PRIVATE, BH_SLOT_ROUTER, 0);
	give(&msg, fds, m->config_fd, BH_FD_CONFIG, 0, 0);
	give(&msg, fds, options_fd, BH_FD_OPTIONS, BH_SLOT_ROUTER, 0);
	for (unsigned k = 0; k < ROOM_PEERS; k++)
		give_peer(&msg, fds, k);
	ck_assert_int_eq(bh_spawn_send(sock, &msg, fds), 0);
	lives++;
	ck_assert_msg(until(10000, __atomic_load_n(&m->router->ready_life, __ATOMIC_ACQUIRE) == lives),
		      "bh-router did not become ready");
}

static void
kill_router(void)
{
	int status;
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "bh-router had died by itself: %x", status);
	close(sock);
}

static void
setup(void)
{
	struct bh_config_writer *w = bh_config_writer_new();
	/* On a busy machine a press may be old when the router comes to it; that is not what is looked at here. */
	struct bh_cfg_option patient = {.key = bh_config_writer_str(w, "press_age", 9), .text = bh_config_writer_str(w, "10s", 3)};
	bh_config_writer_row(w, BH_TAB_OPTIONS, &patient, sizeof(patient));
	options_fd = bh_config_writer_finish(w, "router.options", "test", 1);
	bh_config_writer_free(w);
	m = room_new(1024);
	m->now_ns = 0;
	lives = 0;
	start_router();
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_HEALTH, .id = RIG_MIX, .v.i = BH_HEALTH_OK});
}

static void
teardown(void)
{
	kill_router();
}

/* ------------------------------------------------------------------ looking */

static double
wanted(uint32_t param)
{
	struct bh_cell_body b;
	return room_cell(m, ROOM_MIX, param, &b) == 1 ? b.type == BH_FLOAT ? b.v.f : (double)b.v.i : (double)NAN;
}

static double
told(uint32_t ctl)
{
	struct bh_cell_body b;
	return room_cell(m, ROOM_DESK, ctl, &b) == 1 && b.type == BH_FLOAT ? b.v.f : (double)NAN;
}

/* Events that a peer has sent and the router has not yet dealt with. */
static uint64_t
waiting(unsigned peer)
{
	return m->producer[peer].ring.pos - __atomic_load_n(&m->router->cursor[room_slots[peer]], __ATOMIC_ACQUIRE);
}

static bool
is_asleep(void)
{
	return __atomic_load_n(&m->router->bell.episode, __ATOMIC_ACQUIRE) & 1;
}

static bool
text_is(unsigned ctl, const char *text)
{
	struct bh_cell_body b;
	return room_cell(m, ROOM_DESK, ctl, &b) == 1 && b.type == BH_TEXT && !strcmp(b.v.s, text);
}

static bool
strip_says(const char *text)
{
	return text_is(RIG_STRIP1, text);
}

static void
touch(bool on)
{
	say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_TOUCH, .type = BH_BOOL, .id = RIG_FADER1, .v.i = on});
}

static void
move(double pos)
{
	say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = RIG_FADER1, .v.f = pos});
}

static void
report(uint32_t param, double x)
{
	say(m, ROOM_MIX, (struct bh_event){.kind = BH_EV_VALUE, .type = BH_FLOAT, .id = param, .v.f = x});
}

static void
take_all(struct bh_inbox *in)
{
	struct bh_event ev;
	while (bh_ring_peek(&in->ring, &ev, NULL, 0, NULL) == 1)
		bh_ring_advance(&in->ring, &ev);
}

/* Peers that have taken all they were sent: who owes work is looked at, and that keeps the router awake. */
static void
consume_everything(void)
{
	for (unsigned k = 0; k < ROOM_PEERS; k++) {
		struct bh_inbox in;
		struct bh_self *self = bh_seg_section(&m->peer_seg[k], BH_SEC_SELF, sizeof(*self), NULL);
		ck_assert_int_eq(bh_inbox_attach(&in, m->out[k].ro, self, BH_SLOT_ROUTER), 0);
		take_all(&in);
		bh_inbox_detach(&in);
	}
}

/* ------------------------------------------------------------------ tests */

START_TEST(moved_fader_reaches_the_driver_and_the_motor_is_set_after_the_release)
{
	report(RIG_LEVEL1, -60);
	ck_assert(until(2000, fabs(told(RIG_FADER1) - fader_at(-60)) < 1e-6));
	touch(true);
	move(12588 / 16383.0);
	ck_assert(until(2000, fabs(wanted(RIG_LEVEL1)) < 1e-6));
	report(RIG_LEVEL1, 0);
	ck_assert(until(2000, strip_says("1Ch 1\n0.0dB")));
	ck_assert_double_eq_tol(told(RIG_FADER1), fader_at(-60), 1e-6);
	touch(false);
	ck_assert(until(2000, fabs(told(RIG_FADER1) - 12588 / 16383.0) < 1e-6));
}
END_TEST

START_TEST(router_with_nothing_to_do_sleeps)
{
	report(RIG_LEVEL1, -10);
	ck_assert(until(2000, strip_says("1Ch 1\n-10.0dB")));
	/* its timers run out, then nothing wakes it */
	uint64_t beat = 0, since = 0;
	ck_assert(until(10000, ({
		consume_everything();
		uint64_t now = __atomic_load_n(&m->router->beat, __ATOMIC_RELAXED);
		if (now != beat)
			since = bh_mono_ns();
		beat = now;
		bh_mono_ns() - since > 1500 * BH_NS_PER_MS;
	})));
	report(RIG_LEVEL1, -11);
	ck_assert(until(2000, strip_says("1Ch 1\n-11.0dB")));
}
END_TEST

START_TEST(successor_of_a_killed_router_says_nothing_anew_and_goes_on)
{
	touch(true);
	move(0.5);
	report(RIG_LEVEL2, -20);
	/* All that there is to say: the second strip, too, has heard that the mixer is up. */
	ck_assert(until(2000, !isnan(wanted(RIG_LEVEL1)) && !isnan(told(RIG_FADER2)) && text_is(RIG_STRIP2, "0scene\n")));
	double before = wanted(RIG_LEVEL1);
	struct bh_cell_body a[RIG_CTLS], b;
	for (unsigned k = 0; k < RIG_CTLS; k++)
		room_cell(m, ROOM_DESK, k, &a[k]);
	kill_router();
	move(0.25);
	start_router();
	ck_assert(until(2000, wanted(RIG_LEVEL1) != before));
	for (unsigned k = 0; k < RIG_CTLS; k++) {
		if (k == RIG_STRIP1 || room_cell(m, ROOM_DESK, k, &b) != 1)
			continue;
		ck_assert_msg(a[k].gen == b.gen, "control %u was told again", k);
	}
	touch(false);
	ck_assert(until(2000, fabs(told(RIG_FADER1) - 0.25) < 1e-6));
}
END_TEST

/* What stands in the router's ring to the mixer, taken as a driver takes it. */
static unsigned
take_actions(struct bh_inbox *in, uint32_t *last)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	unsigned n = 0;
	while (bh_ring_peek(&in->ring, &ev, payload, sizeof(payload), &len) == 1) {
		bh_ring_advance(&in->ring, &ev);
		if (ev.kind != BH_EV_ACTION)
			continue;
		ck_assert_uint_eq(ev.gen, *last + 1);
		*last = ev.gen;
		n++;
	}
	return n;
}

START_TEST(killed_under_load_nothing_is_lost_and_nothing_happens_twice)
{
	struct bh_inbox in;
	struct bh_self *mix = bh_seg_section(&m->peer_seg[ROOM_MIX], BH_SEC_SELF, sizeof(*mix), NULL);
	struct bh_self *desk = bh_seg_section(&m->peer_seg[ROOM_DESK], BH_SEC_SELF, sizeof(*desk), NULL);
	struct bh_inbox desk_in;
	uint32_t last = 0, ticks = 0;
	unsigned actions = 0, presses = 1; /* the touch is bound to an action, too */
	uint64_t dice = 12345;
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[ROOM_MIX].ro, mix, BH_SLOT_ROUTER), 0);
	ck_assert_int_eq(bh_inbox_attach(&desk_in, m->out[ROOM_DESK].ro, desk, BH_SLOT_ROUTER), 0);
	touch(true);
	for (unsigned life = 0; life < 25; life++) {
		unsigned load = 20 + (unsigned)(dice >> 40) % 60;
		/* Some are killed before they come to their work; but no more than the ring holds may pile up, or presses are refused. */
		ck_assert(until(5000, waiting(ROOM_DESK) < 128));
		for (unsigned k = 0; k < load; k++) {
			move((life * 100 + k) / 3000.0);
			if (k % 5 == 0 && ++ticks)
				say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_RELATIVE, .type = BH_INT, .id = RIG_VPOT, .v.i = 1});
			if (k % 10 == 0 && ++presses)
				say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_PLAY, .v.i = 1});
			usleep((useconds_t)(dice >> 33) % 200);
			dice = dice * 6364136223846793005ull + 1442695040888963407ull;
		}
		kill_router();
		start_router();
		actions += take_actions(&in, &last);
		take_all(&desk_in);
	}
	move(0.25);
	touch(false);
	ck_assert(until(5000, fabs(told(RIG_FADER1) - 0.25) < 1e-6));
	actions += take_actions(&in, &last);
	/* On a slow machine the driver's ring may run full while a successor catches up: what is refused then is counted. */
	struct bh_rec_peer mixer;
	ck_assert_int_eq(room_record(m, BH_REC_PEER(RIG_MIX), &mixer), 1);
	ck_assert_uint_eq(actions + mixer.dropped, presses);
	struct bh_rec_control vpot;
	ck_assert_int_eq(room_record(m, RIG_DESK_BASE + RIG_VPOT, &vpot), 1);
	ck_assert_uint_eq(vpot.seen_total, ticks);
	ck_assert_double_eq_tol(wanted(RIG_PAN), ticks * 0.02 < 1 ? ticks * 0.02 : 1, 1e-9);
}
END_TEST

START_TEST(store_is_told_once_until_it_has_looked)
{
	struct bh_inbox in;
	struct bh_self *store = bh_seg_section(&m->peer_seg[ROOM_STORE], BH_SEC_SELF, sizeof(*store), NULL);
	struct bh_event ev;
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[ROOM_STORE].ro, store, BH_SLOT_ROUTER), 0);
	ck_assert(until(2000, bh_ring_has(&in.ring)));
	for (int k = 0; k < 20; k++) {
		report(RIG_LEVEL1, -k);
		report(RIG_LEVEL1, -k);
	}
	/* Asleep again: all that there is to tell of this it has told. */
	ck_assert(until(2000, strip_says("1Ch 1\n-19.0dB") && !waiting(ROOM_MIX) && is_asleep()));
	ck_assert_int_eq(bh_ring_peek(&in.ring, &ev, NULL, 0, NULL), 1);
	ck_assert_int_eq(ev.kind, BH_EV_DIRTY);
	bh_ring_advance(&in.ring, &ev);
	ck_assert(!bh_ring_has(&in.ring)); /* it looks only now, and sees all twenty */
	report(RIG_LEVEL1, -25);
	ck_assert(until(5000, bh_ring_has(&in.ring)));
}
END_TEST

static void
mail(struct bh_spawn_msg *msg, const int *fds)
{
	ck_assert_int_eq(bh_spawn_send(sock, msg, fds), 0);
	say(m, ROOM_SUPERVISOR, (struct bh_event){.kind = BH_EV_MAIL});
}

static int
config_answer(char *text, size_t cap)
{
	static struct bh_spawn_msg back;
	int fds[BH_SPAWN_FDS];
	ck_assert(until(5000, bh_spawn_recv(sock, &back, fds, 0) == 1 && back.type == BH_SPAWN_CONFIG_BACK));
	snprintf(text, cap, "%s", back.text);
	return back.error;
}

START_TEST(new_configuration_is_taken_and_one_that_does_not_fit_is_refused)
{
	char why[96];
	report(RIG_LEVEL1, -10);
	report(RIG_LEVEL3, -30);
	ck_assert(until(2000, strip_says("1Ch 1\n-10.0dB")));
	int fd = rig_changed_config();
	struct bh_spawn_msg msg = {.type = BH_SPAWN_CONFIG, .value = 2};
	int fds[BH_SPAWN_FDS];
	give(&msg, fds, fd, BH_FD_CONFIG, 0, 0);
	mail(&msg, fds);
	ck_assert_int_eq(config_answer(why, sizeof(why)), 0);
	report(RIG_LEVEL3, -31);
	ck_assert(until(2000, fabs(told(RIG_FADER1) - fader_at(-31)) < 1e-6));

	/* a driver with more parameters than the state has records */
	struct bh_config_writer *w = bh_config_writer_new();
	struct bh_cfg_proc big = {.name = bh_config_writer_str(w, "mix", 3), .kind = bh_config_writer_str(w, "loop", 4),
				  .slot = RIG_MIX, .role = BH_ROLE_DRIVER, .record_base = 320, .records = 1000, .params = 1000};
	bh_config_writer_row(w, BH_TAB_PROCS, &big, sizeof(big));
	fd = bh_config_writer_finish(w, "big", "big.yaml", 3);
	bh_config_writer_free(w);
	msg = (struct bh_spawn_msg){.type = BH_SPAWN_CONFIG, .value = 3};
	give(&msg, fds, fd, BH_FD_CONFIG, 0, 0);
	mail(&msg, fds);
	ck_assert_int_lt(config_answer(why, sizeof(why)), 0);
	ck_assert_msg(strstr(why, "records") != NULL, "%s", why);
	report(RIG_LEVEL3, -32);
	ck_assert(until(2000, fabs(told(RIG_FADER1) - fader_at(-32)) < 1e-6));
}
END_TEST

START_TEST(driver_with_fresh_segments_is_told_what_it_has_not_confirmed)
{
	touch(true);
	move(0.5);
	ck_assert(until(2000, !isnan(wanted(RIG_LEVEL1))));
	double value = wanted(RIG_LEVEL1);
	room_refresh(m, ROOM_MIX, 1024, 3);
	ck_assert(isnan(wanted(RIG_LEVEL1)));
	struct bh_spawn_msg msg = {.type = BH_SPAWN_PEER, .slot = RIG_MIX};
	int fds[BH_SPAWN_FDS];
	give_peer(&msg, fds, ROOM_MIX);
	mail(&msg, fds);
	ck_assert(until(2000, wanted(RIG_LEVEL1) == value));
	/* its generations begin anew, and are believed */
	report(RIG_LEVEL1, value);
	struct bh_rec_param p;
	ck_assert(until(2000, room_record(m, RIG_MIX_BASE + RIG_LEVEL1, &p) == 1 && !(p.flags & BH_PAR_PENDING)));
}
END_TEST

START_TEST(page_of_many_controls_and_all_pages_are_turned_without_a_word_too_many)
{
	/* 100 page turns end on the page where they began, and the desk's cells as they were. */
	report(RIG_LEVEL1, -10);
	report(RIG_LEVEL3, -30);
	ck_assert(until(2000, strip_says("1Ch 1\n-10.0dB")));
	double at = told(RIG_FADER1);
	for (int k = 0; k < 99; k++) {
		say(m, ROOM_DESK, (struct bh_event){.kind = BH_EV_PRESS, .type = BH_BOOL, .id = RIG_F1, .v.i = 1});
		usleep(100);
	}
	struct bh_rec_global g;
	ck_assert(until(5000, room_record(m, BH_REC_GLOBAL, &g) == 1 && g.turns == 99));
	ck_assert_uint_eq(g.page, 0);
	ck_assert(until(2000, strip_says("1Ch 1\n-10.0dB") && told(RIG_FADER1) == at));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("router");
	TCase *t = tcase_create("router");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, moved_fader_reaches_the_driver_and_the_motor_is_set_after_the_release);
	tcase_add_test(t, router_with_nothing_to_do_sleeps);
	tcase_add_test(t, successor_of_a_killed_router_says_nothing_anew_and_goes_on);
	tcase_add_test(t, killed_under_load_nothing_is_lost_and_nothing_happens_twice);
	tcase_add_test(t, store_is_told_once_until_it_has_looked);
	tcase_add_test(t, new_configuration_is_taken_and_one_that_does_not_fit_is_refused);
	tcase_add_test(t, driver_with_fresh_segments_is_told_what_it_has_not_confirmed);
	tcase_add_test(t, page_of_many_controls_and_all_pages_are_turned_without_a_word_too_many);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
