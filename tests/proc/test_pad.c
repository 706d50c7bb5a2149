/*
 * bh-pad between a router (host.h) and a pad at the end of a Unix socket, both of them us: edges
 * and positions arrive once, and neither a pulled cable nor a kill leaves anything pressed or
 * pushed.
 */
#include <check.h>
#include <errno.h>
#include <linux/input.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "procs/pad/model.h"
#include "tests/lib/host.h"
#include "tests/lib/scratch.h"

static struct host h;
static struct bh_cfg_control controls[PAD_BUTTONS + PAD_AXES];
static char path[108];
static int listener, wire; /* the pad */

/* What the router was told. */
static struct {
	unsigned presses[PAD_BUTTONS], releases[PAD_BUTTONS], values[PAD_AXES], resyncs;
	char order[256]; /* of edges: '+' or '-' and the button as a letter */
	uint64_t stamp_ns;
} told;

static unsigned
axis_id(unsigned axis)
{
	return PAD_BUTTONS + axis;
}

static void
pad_plug(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	wire = -1;
}

/* The door before the cable: it tries again as soon as the cable is gone. */
static void
pad_unplug(void)
{
	unlink(path);
	bh_close(&listener);
	bh_close(&wire);
}

static void
say(unsigned type, unsigned code, int value)
{
	struct input_event ev = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
	ck_assert_int_eq(send(wire, &ev, sizeof(ev), MSG_NOSIGNAL), (ssize_t)sizeof(ev));
}

static void
frame(unsigned type, unsigned code, int value)
{
	say(type, code, value);
	say(EV_SYN, SYN_REPORT, 0);
}

static void
edge(const struct bh_event *ev, bool on)
{
	size_t at = strlen(told.order);
	if (ev->id >= PAD_BUTTONS)
		return;
	(on ? told.presses : told.releases)[ev->id]++;
	if (at + 3 < sizeof(told.order))
		snprintf(told.order + at, 3, "%c%c", on ? '+' : '-', 'a' + (int)ev->id);
	ck_assert_uint_gt(ev->stamp_ns, told.stamp_ns);
	told.stamp_ns = ev->stamp_ns;
}

static void
router_read(void)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&h.in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		if (ev.kind == BH_EV_PRESS || ev.kind == BH_EV_RELEASE)
			edge(&ev, ev.kind == BH_EV_PRESS);
		else if (ev.kind == BH_EV_VALUE && ev.id >= PAD_BUTTONS &&
			 ev.id < PAD_BUTTONS + PAD_AXES)
			told.values[ev.id - PAD_BUTTONS]++;
		told.resyncs += ev.kind == BH_EV_RESYNC;
		bh_ring_advance(&h.in.ring, &ev);
	}
	while (bh_ring_peek(&h.sup_in.ring, &ev, payload, sizeof(payload), &len) == 1)
		bh_ring_advance(&h.sup_in.ring, &ev);
}

/* Without the router: it stalls. */
#define until_stalled(ms, cond)                                                                    \
	({                                                                                         \
		uint64_t end_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                     \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < end_) {                                   \
			if (wire < 0 && listener >= 0)                                             \
				wire = accept4(listener, NULL, NULL, SOCK_CLOEXEC);                \
			usleep(500);                                                               \
		}                                                                                  \
		ok_;                                                                               \
	})
#define until(ms, cond)                                                                            \
	until_stalled(ms, ({                                                                       \
			      router_read();                                                       \
			      cond;                                                                \
		      }))

/* 1 and where the axis stands, or 0: it was never told. */
static int
position(unsigned axis, double *pos)
{
	struct bh_cell_body c;
	if (bh_inbox_cell(&h.in, axis_id(axis), &c) != 1 || c.type != BH_FLOAT)
		return 0;
	*pos = c.v.f;
	return 1;
}

static bool
stands_at(unsigned axis, double wanted)
{
	double pos;
	return position(axis, &pos) && pos == wanted;
}

static bool
stands_near(unsigned axis, double wanted)
{
	double pos;
	return position(axis, &pos) && fabs(pos - wanted) < 1e-4;
}

/* A button that no test uses otherwise: once it has arrived, all before it has. */
static void
all_has_arrived(void)
{
	unsigned before = told.releases[PAD_CAPTURE];
	frame(EV_KEY, BTN_Z, 1);
	frame(EV_KEY, BTN_Z, 0);
	ck_assert(until(10000, told.releases[PAD_CAPTURE] == before + 1));
}

static void
panel(void)
{
	for (unsigned i = 0; i < PAD_BUTTONS + PAD_AXES; i++) {
		struct bh_cfg_control *c = &controls[i];
		bool button = i < PAD_BUTTONS;
		snprintf(c->name, sizeof(c->name), "%s%u", button ? "button" : "axis", i);
		c->kind = button ? BH_CTL_BUTTON : BH_CTL_PEDAL;
		c->addr = (uint8_t)(button ? i : i - PAD_BUTTONS);
		c->touch = c->strip = 0xff;
	}
}

static bool
is_ready(void)
{
	return h.self->pid == (uint32_t)h.pid &&
	       __atomic_load_n(&h.self->ready_life, __ATOMIC_ACQUIRE) == h.self->attach_count;
}

/* It is connected, and knows that nothing is held. */
static void
connected(void)
{
	ck_assert(until(10000, wire >= 0));
	say(EV_SYN, SYN_REPORT, 0);
}

static void
setup(void)
{
	memset(&told, 0, sizeof(told));
	panel();
	snprintf(path, sizeof(path), "%s/pad.%d", scratch(), getpid());
	pad_plug();
	host_start_surface(&h, "pad", controls, PAD_BUTTONS + PAD_AXES, "path", path, "layout",
			   "xbox", "deadzone", "0", NULL);
	connected();
}

static void
teardown(void)
{
	host_stop(&h);
	pad_unplug();
}

START_TEST(a_pad_that_appears_does_nothing)
{
	double pos;
	all_has_arrived();
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_OK);
	ck_assert_str_eq(told.order, "+n-n");
	for (unsigned a = 0; a < PAD_AXES; a++)
		ck_assert_int_eq(position(a, &pos), 0);
}
END_TEST

START_TEST(every_button_and_axis_arrives)
{
	static const uint16_t codes[] = {BTN_SOUTH, BTN_EAST,   BTN_NORTH, BTN_WEST,   BTN_TL,
					 BTN_TR,    BTN_TL2,    BTN_TR2,   BTN_THUMBL, BTN_THUMBR,
					 BTN_START, BTN_SELECT, BTN_MODE};
	static const uint8_t axes[] = {ABS_X, ABS_Y, ABS_RX, ABS_RY, ABS_Z, ABS_RZ};
	for (unsigned i = 0; i < BH_ARRAY_LEN(codes); i++) {
		frame(EV_KEY, codes[i], 1);
		frame(EV_KEY, codes[i], 0);
	}
	frame(EV_ABS, ABS_HAT0Y, -1);
	frame(EV_ABS, ABS_HAT0Y, 1);
	frame(EV_ABS, ABS_HAT0Y, 0);
	all_has_arrived();
	ck_assert_str_eq(told.order,
			 "+a-a+b-b+c-c+d-d+e-e+f-f+g-g+h-h+i-i+j-j+k-k+l-l+m-m+o-o+p-p+n-n");
	for (unsigned i = 0; i < BH_ARRAY_LEN(axes); i++)
		frame(EV_ABS, axes[i], 32767);
	ck_assert(until(10000, stands_at(PAD_LX, 1) && stands_at(PAD_LY, 0) &&
				       stands_at(PAD_RX, 1) && stands_at(PAD_RY, 0) &&
				       stands_at(PAD_ZL, 1) && stands_at(PAD_ZR, 1)));
}
END_TEST

/* The pads of one kind of the reference product have no lt, rt and home. */
START_TEST(pulled_triggers_are_lt_and_rt_and_there_is_a_home_button)
{
	frame(EV_ABS, ABS_Z, 255);
	frame(EV_ABS, ABS_RZ, 255);
	frame(EV_KEY, BTN_MODE, 1);
	ck_assert(until(10000, told.presses[PAD_LT] == 1 && told.presses[PAD_RT] == 1 &&
				       told.presses[PAD_HOME] == 1));
	frame(EV_ABS, ABS_Z, 0);
	ck_assert(until(10000, told.releases[PAD_LT] == 1));
}
END_TEST

START_TEST(gamma_is_applied_once)
{
	frame(EV_ABS, ABS_X, 16384); /* half the way */
	ck_assert(until(10000, stands_near(PAD_LX, (1 + pow(0.5, 1.5)) / 2)));
}
END_TEST

START_TEST(idle_triggers_are_zero)
{
	frame(EV_ABS, ABS_Z, 200);
	frame(EV_ABS, ABS_Z, 7); /* trembles a little above its end */
	ck_assert(until(10000, told.values[PAD_ZL] >= 1 && stands_at(PAD_ZL, 0)));
	all_has_arrived();
	ck_assert_uint_eq(told.values[PAD_ZL], 2);
}
END_TEST

START_TEST(a_stick_near_the_centre_tells_its_centre_once)
{
	frame(EV_ABS, ABS_X, 20000);
	for (int i = 0; i < 20; i++)
		frame(EV_ABS, ABS_X, i % 2 ? 900 : -700);
	all_has_arrived();
	ck_assert(stands_at(PAD_LX, 0.5));
	ck_assert_uint_eq(told.values[PAD_LX], 2);
	frame(EV_ABS, ABS_X, 20000);
	for (int i = 0; i < 10; i++)
		frame(EV_ABS, ABS_X, 20000 + i); /* less than a thousandth */
	all_has_arrived();
	ck_assert_uint_eq(told.values[PAD_LX], 3);
}
END_TEST

START_TEST(unplugging_a_deflected_stick_centres_it)
{
	char reason[80];
	frame(EV_ABS, ABS_X, 30000);
	frame(EV_ABS, ABS_RZ, 200);
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_ABS, ABS_HAT0X, 1);
	ck_assert(until(10000, told.presses[PAD_RIGHT] == 1));
	ck_assert(!stands_at(PAD_LX, 0.5) && !stands_at(PAD_ZR, 0));
	pad_unplug();
	ck_assert(until(10000, told.releases[PAD_RIGHT] == 1 && told.releases[PAD_A] == 1 &&
				       told.releases[PAD_RT] == 1));
	ck_assert(until(10000, stands_at(PAD_LX, 0.5) && stands_at(PAD_ZR, 0)));
	ck_assert(until(10000, host_health(&h, reason, sizeof(reason)) == BH_HEALTH_CONNECTING));
	ck_assert_ptr_nonnull(strstr(reason, path));
	/* And it is the same pad when it is back, without a command. */
	pad_plug();
	connected();
	ck_assert(until(10000, host_health(&h, NULL, 0) == BH_HEALTH_OK));
	frame(EV_KEY, BTN_SOUTH, 1);
	ck_assert(until(10000, told.presses[PAD_A] == 2));
	ck_assert_uint_eq(host_counter(&h, BH_CNT_RECONNECTS), 1);
}
END_TEST

START_TEST(a_clean_stop_centres_what_is_pushed)
{
	frame(EV_ABS, ABS_X, 30000);
	frame(EV_KEY, BTN_SOUTH, 1);
	ck_assert(until(10000, told.presses[PAD_A] == 1));
	kill(h.pid, SIGTERM);
	ck_assert_int_eq(host_wait_death(&h, 10000), 0);
	struct bh_cell_body c;
	ck_assert(stands_at(PAD_LX, 0.5));
	ck_assert_int_eq(bh_inbox_cell(&h.in, PAD_A, &c),
			 1); /* host_wait_death() has taken the event */
	ck_assert_uint_eq(c.kind, BH_EV_RELEASE);
}
END_TEST

/* Sticks that move a thousand times meanwhile leave room for buttons. */
START_TEST(a_stalled_router_loses_no_button_edge)
{
	char want[128] = "";
	uint64_t refused = host_counter(&h, BH_CNT_REFUSED);
	for (int i = 0; i < 10; i++) {
		for (int k = 1; k <= 100; k++) {
			frame(EV_ABS, ABS_X, (i % 2 ? -1 : 1) * (20000 + 100 * k));
			frame(EV_ABS, ABS_RY, 32767 - 200 * k);
		}
		frame(EV_KEY, i % 2 ? BTN_EAST : BTN_SOUTH, 1);
		frame(EV_KEY, i % 2 ? BTN_EAST : BTN_SOUTH, 0);
		strcat(want, i % 2 ? "+b-b" : "+a-a");
	}
	frame(EV_ABS, ABS_X, 32767);
	ck_assert(until_stalled(20000, stands_at(PAD_LX, 1)));
	ck_assert_uint_eq(host_counter(&h, BH_CNT_REFUSED), refused);
	router_read();
	ck_assert_str_eq(told.order, want);
	ck_assert(stands_at(PAD_LX, 1)); /* the newest */
}
END_TEST

START_TEST(lost_frames_are_read_anew)
{
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_ABS, ABS_X, 32767);
	ck_assert(until(10000, told.presses[PAD_A] == 1 && stands_at(PAD_LX, 1)));
	say(EV_SYN, SYN_DROPPED, 0);
	frame(EV_KEY, BTN_TR, 1);   /* part of what was lost */
	frame(EV_KEY, BTN_EAST, 1); /* this is how it stands now */
	ck_assert(until(10000, told.presses[PAD_B] == 1));
	ck_assert_str_eq(told.order, "+a-a+b");
	ck_assert(until(10000, stands_at(PAD_LX, 0.5)));
}
END_TEST

/* The next life; host_restart() would take events that we count. */
static void
restart(void)
{
	bh_close(&wire);
	host_spawn(&h);
	ck_assert(until(20000, is_ready() && wire >= 0));
}

START_TEST(a_successor_presses_nothing_again_and_releases_what_was_let_go)
{
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_KEY, BTN_EAST, 1);
	frame(EV_ABS, ABS_X, 32767);
	frame(EV_ABS, ABS_Y, 32767);
	/* By its event, the last one of the last frame: its cell is written before the event can be read. */
	ck_assert(until(10000, told.presses[PAD_A] == 1 && told.presses[PAD_B] == 1 && told.values[PAD_LY] == 1 &&
				       stands_at(PAD_LY, 0)));
	unsigned values = told.values[PAD_LX];
	host_kill(&h);
	restart();
	say(EV_KEY, BTN_SOUTH,
	    1); /* still held; EAST was let go, and NORTH pressed nobody knows when */
	say(EV_KEY, BTN_NORTH, 1);
	say(EV_ABS, ABS_X, 32767);
	say(EV_SYN, SYN_REPORT, 0);
	all_has_arrived();
	ck_assert_str_eq(told.order, "+a+b-b+n-n");
	ck_assert_uint_eq(told.values[PAD_LX], values);
	ck_assert(stands_at(PAD_LY, 0.5));
	frame(EV_KEY, BTN_NORTH, 0);
	frame(EV_KEY, BTN_SOUTH, 0);
	frame(EV_KEY, BTN_NORTH, 1);
	ck_assert(until(10000, told.presses[PAD_X] == 1));
	ck_assert_str_eq(told.order, "+a+b-b+n-n-a+c");
}
END_TEST

START_TEST(a_pad_that_left_together_with_its_process_is_let_go)
{
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_ABS, ABS_X, 32767);
	ck_assert(until(10000, told.presses[PAD_A] == 1 && stands_at(PAD_LX, 1)));
	host_kill(&h);
	pad_unplug();
	host_spawn(&h);
	ck_assert(until(20000, is_ready() && told.releases[PAD_A] == 1 && stands_at(PAD_LX, 0.5)));
}
END_TEST

/* Wherever the kill falls: a press is told at most once, and what was told is released. */
START_TEST(no_kill_doubles_a_press_or_leaves_one)
{
	for (unsigned i = 0; i < 15; i++) {
		unsigned presses = told.presses[PAD_A];
		frame(EV_KEY, BTN_SOUTH, 1);
		usleep(i * 40);
		host_kill(&h);
		restart();
		frame(EV_KEY, BTN_SOUTH, 1);
		all_has_arrived();
		ck_assert_uint_le(told.presses[PAD_A], presses + 1);
		frame(EV_KEY, BTN_SOUTH, 0);
		all_has_arrived();
		ck_assert_uint_eq(told.releases[PAD_A], told.presses[PAD_A]);
	}
}
END_TEST

START_TEST(options_are_taken_over_while_it_runs)
{
	frame(EV_ABS, ABS_X, 16384);
	frame(EV_ABS, ABS_Y, 32767);
	ck_assert(until(10000, stands_at(PAD_LY, 0)));
	ck_assert_int_eq(host_reload(&h, "path", path, "layout", "nintendo", "deadzone", "0",
				     "gamma", "1", "invert_ly", "true", NULL),
			 0);
	ck_assert(until(10000, stands_near(PAD_LX, 0.75) && stands_at(PAD_LY, 1)));
	frame(EV_KEY, BTN_EAST, 1);
	ck_assert(until(10000, told.presses[PAD_A] == 1));
	ck_assert_uint_eq(host_counter(&h, BH_CNT_RECONNECTS), 0);
	/* Another pad: what this one held is let go. */
	ck_assert_int_eq(host_reload(&h, "path", "/nonexistent/pad", NULL), 0);
	ck_assert(until(10000, told.releases[PAD_A] == 1 && stands_at(PAD_LX, 0.5)));
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_CONNECTING);
}
END_TEST

START_TEST(a_pad_that_is_not_there_yet_is_waited_for)
{
	char reason[80];
	teardown();
	host_start_surface(&h, "pad", controls, PAD_BUTTONS + PAD_AXES, "match", "no such pad \x1b",
			   NULL);
	ck_assert_int_eq(host_health(&h, reason, sizeof(reason)), BH_HEALTH_CONNECTING);
	ck_assert_ptr_nonnull(strstr(reason, "no such pad"));
	host_stop(&h);
	memset(&told, 0, sizeof(told));
	host_start_surface(&h, "pad", controls, PAD_BUTTONS + PAD_AXES, "path", path, NULL);
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_CONNECTING);
	pad_plug();
	connected();
	all_has_arrived();
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pad");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_pad_that_appears_does_nothing);
	tcase_add_test(t, every_button_and_axis_arrives);
	tcase_add_test(t, pulled_triggers_are_lt_and_rt_and_there_is_a_home_button);
	tcase_add_test(t, gamma_is_applied_once);
	tcase_add_test(t, idle_triggers_are_zero);
	tcase_add_test(t, a_stick_near_the_centre_tells_its_centre_once);
	tcase_add_test(t, unplugging_a_deflected_stick_centres_it);
	tcase_add_test(t, a_clean_stop_centres_what_is_pushed);
	tcase_add_test(t, a_stalled_router_loses_no_button_edge);
	tcase_add_test(t, lost_frames_are_read_anew);
	tcase_add_test(t, a_successor_presses_nothing_again_and_releases_what_was_let_go);
	tcase_add_test(t, a_pad_that_left_together_with_its_process_is_let_go);
	tcase_add_test(t, no_kill_doubles_a_press_or_leaves_one);
	tcase_add_test(t, options_are_taken_over_while_it_runs);
	tcase_add_test(t, a_pad_that_is_not_there_yet_is_waited_for);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
