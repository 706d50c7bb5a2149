/*
 * bh-pad on evdev itself: a pad made with uinput, in a guest. Found by its name when it appears,
 * asked for its state after a kill and after lost frames, let go when it is pulled.
 */
#include <check.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/uinput.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/mem.h"
#include "procs/pad/model.h"
#include "tests/guest/guest_lib.h"
#include "tests/lib/host.h"

static struct host h;
static struct bh_cfg_control controls[PAD_BUTTONS + PAD_AXES];
static int pad = -1, sensors = -1;
static unsigned presses[PAD_BUTTONS], releases[PAD_BUTTONS];

/* With buttons it is a pad, without it is the motion sensors that come along. */
static int
make(bool buttons)
{
	static const uint16_t keys[] = {BTN_SOUTH, BTN_EAST, BTN_TL, BTN_TL2, BTN_MODE};
	struct uinput_setup setup = {
		.id = {.bustype = BUS_USB, .vendor = 0x057e, .product = 0x2009},
		.name = "Bulkhead Test Pro Controller"};
	static const uint8_t axes[] = {ABS_X, ABS_Y, ABS_RX, ABS_RY, ABS_HAT0X, ABS_HAT0Y};
	int fd = open("/dev/uinput", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ioctl(fd, UI_SET_EVBIT, EV_ABS);
	for (unsigned i = 0; i < BH_ARRAY_LEN(axes); i++) {
		int end = axes[i] >= ABS_HAT0X ? 1 : 2000;
		struct uinput_abs_setup abs = {.code = axes[i],
					       .absinfo = {.minimum = -end, .maximum = end}};
		ck_assert_int_eq(ioctl(fd, UI_ABS_SETUP, &abs), 0);
	}
	if (buttons)
		ioctl(fd, UI_SET_EVBIT, EV_KEY);
	for (unsigned i = 0; buttons && i < BH_ARRAY_LEN(keys); i++)
		ck_assert_int_eq(ioctl(fd, UI_SET_KEYBIT, keys[i]), 0);
	ck_assert_int_eq(ioctl(fd, UI_DEV_SETUP, &setup), 0);
	ck_assert_int_eq(ioctl(fd, UI_DEV_CREATE), 0);
	return fd;
}

static void
unplug(void)
{
	ioctl(pad, UI_DEV_DESTROY);
	bh_close(&pad);
}

static void
say(unsigned type, unsigned code, int value)
{
	struct input_event ev = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
	ck_assert_int_eq(write(pad, &ev, sizeof(ev)), (ssize_t)sizeof(ev));
}

static void
frame(unsigned type, unsigned code, int value)
{
	say(type, code, value);
	say(EV_SYN, SYN_REPORT, 0);
}

static void
router_read(void)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&h.in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		if (ev.kind == BH_EV_PRESS && ev.id < PAD_BUTTONS)
			presses[ev.id]++;
		else if (ev.kind == BH_EV_RELEASE && ev.id < PAD_BUTTONS)
			releases[ev.id]++;
		bh_ring_advance(&h.in.ring, &ev);
	}
	while (bh_ring_peek(&h.sup_in.ring, &ev, payload, sizeof(payload), &len) == 1)
		bh_ring_advance(&h.sup_in.ring, &ev);
}

#define until(cond)                                                                                \
	({                                                                                         \
		uint64_t end_ = bh_mono_ns() + patience_ms(GUEST_WAIT_MS) * BH_NS_PER_MS;          \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < end_) {                                   \
			router_read();                                                             \
			usleep(2000);                                                              \
		}                                                                                  \
		ok_;                                                                               \
	})

static bool
stands_at(unsigned axis, double wanted)
{
	struct bh_cell_body c;
	return bh_inbox_cell(&h.in, PAD_BUTTONS + axis, &c) == 1 && c.type == BH_FLOAT &&
	       c.v.f == wanted;
}

static bool
is_ready(void)
{
	return h.self->pid == (uint32_t)h.pid &&
	       __atomic_load_n(&h.self->ready_life, __ATOMIC_ACQUIRE) == h.self->attach_count;
}

static void
setup(void)
{
	for (unsigned i = 0; i < PAD_BUTTONS + PAD_AXES; i++) {
		struct bh_cfg_control *c = &controls[i];
		snprintf(c->name, sizeof(c->name), "control%u", i);
		c->kind = i < PAD_BUTTONS ? BH_CTL_BUTTON : BH_CTL_PEDAL;
		c->addr = (uint8_t)(i < PAD_BUTTONS ? i : i - PAD_BUTTONS);
		c->touch = c->strip = 0xff;
	}
	host_start_surface(&h, "pad", controls, PAD_BUTTONS + PAD_AXES, "match", "pro controller",
			   NULL);
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_CONNECTING);
	sensors = make(false);
	pad = make(true);
	ck_assert(until(host_health(&h, NULL, 0) == BH_HEALTH_OK));
}

static void
teardown(void)
{
	host_stop(&h);
	bh_close(&pad);
	bh_close(&sensors);
}

START_TEST(a_pad_is_found_by_its_name_when_it_appears)
{
	frame(EV_KEY, BTN_EAST, 1); /* a Nintendo's A */
	frame(EV_ABS, ABS_X, 2000);
	frame(EV_KEY, BTN_TL2, 1);
	ck_assert(until(presses[PAD_A] == 1 && stands_at(PAD_LX, 1) && presses[PAD_LT] == 1 &&
			stands_at(PAD_ZL, 1)));
	frame(EV_ABS, ABS_HAT0Y, -1);
	frame(EV_KEY, BTN_MODE, 1);
	ck_assert(until(presses[PAD_UP] == 1 && presses[PAD_HOME] == 1));
}
END_TEST

START_TEST(unplugging_a_deflected_stick_centres_it)
{
	frame(EV_ABS, ABS_RY, -1500);
	frame(EV_KEY, BTN_TL, 1);
	ck_assert(until(presses[PAD_LB] == 1));
	ck_assert(!stands_at(PAD_RY, 0.5));
	unplug();
	ck_assert(until(releases[PAD_LB] == 1 && stands_at(PAD_RY, 0.5)));
	ck_assert(until(host_health(&h, NULL, 0) == BH_HEALTH_CONNECTING));
	pad = make(true);
	ck_assert(until(host_health(&h, NULL, 0) == BH_HEALTH_OK));
	frame(EV_KEY, BTN_TL, 1);
	ck_assert(until(presses[PAD_LB] == 2));
}
END_TEST

START_TEST(a_successor_asks_the_pad_how_it_stands)
{
	frame(EV_KEY, BTN_SOUTH, 1);
	frame(EV_KEY, BTN_EAST, 1);
	frame(EV_ABS, ABS_X, 2000);
	frame(EV_ABS, ABS_Y, 2000);
	ck_assert(until(presses[PAD_A] == 1 && presses[PAD_B] == 1 && stands_at(PAD_LY, 0)));
	host_kill(&h);
	frame(EV_KEY, BTN_EAST, 0);
	frame(EV_ABS, ABS_Y, -2000);
	host_spawn(&h);
	ck_assert(until(is_ready() && releases[PAD_A] == 1 && stands_at(PAD_LY, 1)));
	frame(EV_KEY, BTN_SOUTH, 0);
	ck_assert(until(releases[PAD_B] == 1));
	ck_assert_uint_eq(presses[PAD_A], 1);
	ck_assert_uint_eq(presses[PAD_B], 1);
	ck_assert(stands_at(PAD_LX, 1));
}
END_TEST

START_TEST(what_the_kernel_dropped_is_read_anew)
{
	frame(EV_KEY, BTN_SOUTH, 1);
	ck_assert(until(presses[PAD_B] == 1));
	kill(h.pid, SIGSTOP);
	frame(EV_KEY, BTN_SOUTH, 0);
	frame(EV_KEY, BTN_TL, 1);
	for (int i = 0; i < 5000; i++)
		frame(EV_ABS, ABS_X, i % 2 ? 1000 + i % 900 : -1000 - i % 900);
	frame(EV_ABS, ABS_X, 2000);
	kill(h.pid, SIGCONT);
	frame(EV_ABS, ABS_RX, 2000); /* ends what was dropped */
	ck_assert(until(releases[PAD_B] == 1 && presses[PAD_LB] == 1 && stands_at(PAD_LX, 1) &&
			stands_at(PAD_RX, 1)));
	ck_assert_uint_gt(host_counter(&h, BH_CNT_LINK_ODDITIES), 0);
	ck_assert_uint_eq(presses[PAD_B], 1);
}
END_TEST

START_TEST(a_pad_is_shared_unless_it_is_grabbed)
{
	char node[64] = "";
	for (unsigned n = 0; n < 32 && !node[0]; n++) {
		char path[64];
		uint8_t keys[KEY_CNT / 8] = {0};
		snprintf(path, sizeof(path), "/dev/input/event%u", n);
		bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
		    keys[BTN_SOUTH / 8] & 1 << BTN_SOUTH % 8)
			snprintf(node, sizeof(node), "%s", path);
	}
	bh_autoclose int other = open(node, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(ioctl(other, EVIOCGRAB, 1), 0);
	ck_assert_int_eq(ioctl(other, EVIOCGRAB, 0), 0);
	ck_assert_int_eq(host_reload(&h, "match", "pro controller", "grab", "true", NULL), 0);
	ck_assert_int_lt(ioctl(other, EVIOCGRAB, 1), 0);
	ck_assert_int_eq(host_reload(&h, "match", "pro controller", NULL), 0);
	ck_assert_int_eq(ioctl(other, EVIOCGRAB, 1), 0);
}
END_TEST

int
main(void)
{
	int skip = guest_or_skip();
	if (skip)
		return skip;
	Suite *s = suite_create("pad_evdev");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_pad_is_found_by_its_name_when_it_appears);
	tcase_add_test(t, unplugging_a_deflected_stick_centres_it);
	tcase_add_test(t, a_successor_asks_the_pad_how_it_stands);
	tcase_add_test(t, what_the_kernel_dropped_is_read_anew);
	tcase_add_test(t, a_pad_is_shared_unless_it_is_grabbed);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_VERBOSE);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
