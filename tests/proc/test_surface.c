/*
 * bh-surface between a router (host.h) and a desk at the end of a Unix socket, both of them us: what the hand does
 * arrives, what shall be shown is shown, and neither a kill nor a pulled cable loses or doubles anything.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/feedback.h"
#include "common/spawn.h"
#include "tests/lib/host.h"
#include "tests/lib/scratch.h"
#include "tests/unit/panel.h"

static struct host h;
static struct panel panel;
static char path[108];

/* The desk: what it was told. */
static struct {
	int listener, fd;
	struct bh_midi_parser parser;
	uint8_t led[128]; /* velocity + 1 */
	unsigned flashes;
	uint16_t fader[9];
	unsigned fader_writes[9], messages, queries;
	size_t bytes;
	char lcd[BH_MCU_LCD_CELLS];
	bool over;
} desk;

/* What the router was told. */
static struct {
	unsigned presses[BH_MAX_CONTROLS], releases[BH_MAX_CONTROLS], events, resyncs;
	bool held[BH_MAX_CONTROLS];
	uint64_t press_ns;
} told;

static void
desk_listen(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	desk.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(desk.listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(desk.listener, 1), 0);
	desk.fd = -1;
}

/* The door before the cable: the surface tries again as soon as the cable is gone. */
static void
desk_unplug(void)
{
	unlink(path);
	bh_close(&desk.listener);
	bh_close(&desk.fd);
}

static void
desk_on(const struct bh_mcu_cmd *c)
{
	desk.messages++;
	switch (c->kind) {
	case BH_MCU_CMD_LED:
		desk.led[c->note & 0x7f] = (uint8_t)(c->led + 1);
		desk.flashes += c->led == BH_MCU_LED_FLASH;
		break;
	case BH_MCU_CMD_FADER:
		desk.fader[c->index] = c->pos_14bit;
		desk.fader_writes[c->index]++;
		break;
	case BH_MCU_CMD_LCD:
		for (unsigned i = 0; i < c->text_len; i++)
			desk.lcd[(c->offset + i) % BH_MCU_LCD_CELLS] = c->text[i];
		break;
	case BH_MCU_CMD_QUERY: desk.queries++; break;
	default: break;
	}
}

static void
desk_read(void)
{
	static const struct bh_mcu_opts any = {0};
	uint8_t buf[1024];
	ssize_t n;
	if (desk.fd < 0 && desk.listener >= 0)
		desk.fd = accept4(desk.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (desk.fd >= 0 && (n = read(desk.fd, buf, sizeof(buf))) != 0) {
		if (n < 0)
			return;
		desk.bytes += (size_t)n;
		for (ssize_t i = 0; i < n; i++) {
			struct bh_midi_msg m;
			struct bh_mcu_cmd c;
			if (bh_midi_parse(&desk.parser, buf[i], &m) && bh_mcu_decode_cmd(&any, &m, &c))
				desk_on(&c);
		}
	}
}

static void
router_let_go(unsigned control)
{
	told.releases[control] += told.held[control];
	told.held[control] = false;
}

/* As the router: after a RESYNC the cells say what their events may not have said; a press ends what was held before. */
static void
router_look(void)
{
	struct bh_cell_body c;
	for (unsigned n = 0; n < BH_MAX_CONTROLS; n++)
		if (told.held[n] && bh_inbox_cell(&h.in, n, &c) == 1 && !(c.flags & BH_CELL_PRESSED))
			router_let_go(n);
}

static void
router_read(void)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&h.in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		told.events++;
		told.resyncs += ev.kind == BH_EV_RESYNC;
		if (ev.kind == BH_EV_RESYNC)
			router_look();
		if (ev.kind == BH_EV_PRESS && ev.id < BH_MAX_CONTROLS) {
			router_let_go(ev.id);
			told.presses[ev.id]++;
			ck_assert_uint_gt(ev.stamp_ns, told.press_ns);
			told.press_ns = ev.stamp_ns;
			told.held[ev.id] = true;
		}
		if (ev.kind == BH_EV_RELEASE && ev.id < BH_MAX_CONTROLS)
			router_let_go(ev.id);
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
			desk_read();                                                               \
			router_read();                                                             \
			usleep(500);                                                               \
		}                                                                                  \
		ok_;                                                                               \
	})

static void
say(const char *bytes, size_t len)
{
	ck_assert_int_eq(send(desk.fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

#define SAY(s) say(s, sizeof(s) - 1)

static int
cell(const char *name, struct bh_cell_body *c)
{
	return bh_inbox_cell(&h.in, panel_find(&panel, name), c);
}

static bool
position_is(const char *name, double f)
{
	struct bh_cell_body c;
	return cell(name, &c) == 1 && c.type == BH_FLOAT && c.v.f > f - 1e-4 && c.v.f < f + 1e-4;
}

static uint32_t
total_of(const char *name)
{
	struct bh_cell_body c;
	return cell(name, &c) == 1 ? c.total : 0;
}

static void
show(const char *name, uint8_t type, union bh_val v)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .id = panel_find(&panel, name), .type = type, .stamp_ns = bh_now_ns()};
	ck_assert_int_ge(bh_outbox_put(&h.out, &ev, &v, 0), 0);
	host_flush(&h);
}

static bool
is_quiet(void)
{
	size_t before = desk.bytes;
	uint64_t end = bh_mono_ns() + 100 * BH_NS_PER_MS;
	while (bh_mono_ns() < end && desk.bytes == before) {
		desk_read();
		router_read();
		usleep(500);
	}
	return desk.bytes == before;
}

/* This life, not one before: some are killed before they have attached. */
static bool
is_ready(void)
{
	return h.self->pid == (uint32_t)h.pid && __atomic_load_n(&h.self->ready_life, __ATOMIC_ACQUIRE) == h.self->attach_count;
}

/* The next life; host_restart() would take events that we count. */
static void
restart(void)
{
	host_spawn(&h);
	ck_assert(until(10000, is_ready()));
}

static void
begin(const char *on_stop, const char *query)
{
	memset(&desk, 0, sizeof(desk));
	memset(&told, 0, sizeof(told));
	panel_x_touch(&panel);
	snprintf(path, sizeof(path), "%s/surface.%d", scratch(), getpid());
	desk_listen();
	host_start_surface(&h, "surface", panel.c, panel.n, "transport", "socket", "path", path, "link", "free", "on_stop",
			   on_stop, "query", query, "fader_max", "16380", "fader_step", "4", "colors", "true", NULL);
}

static void
setup(void)
{
	begin("dark", "true");
	/* The first render ends with the displays. */
	ck_assert(until(5000, desk.led[0x73] && desk.lcd[BH_MCU_LCD_CELLS - 1] == ' '));
	ck_assert(is_quiet());
}

static void
teardown(void)
{
	host_stop(&h);
	desk_unplug();
}

START_TEST(a_desk_that_appears_is_asked_and_rendered_whole)
{
	ck_assert_uint_eq(desk.queries, 1);
	for (unsigned i = 0; i < panel.n; i++)
		if (panel.c[i].flags & BH_CTL_HAS_LED)
			ck_assert_uint_eq(desk.led[panel.c[i].addr], BH_MCU_LED_OFF + 1);
	for (int i = 0; i < 9; i++)
		ck_assert_uint_eq(desk.fader_writes[i], 0); /* nobody wants anything of them yet */
	ck_assert_int_eq(host_health(&h, NULL, 0), BH_HEALTH_OK);
}
END_TEST

START_TEST(what_the_hand_does_arrives)
{
	struct bh_cell_body c;
	SAY("\x90\x68\x7f\xe0\x7c\x7f");
	ck_assert(until(2000, position_is("fader1", 1)));
	ck_assert_int_eq(cell("fader1", &c), 1);
	ck_assert_uint_eq(c.flags, BH_CELL_TOUCHED);
	SAY("\x90\x68");
	SAY("\x00\x90\x12\x7f\x90\x12\x00\xb0\x11\x43\xb0\x11\x01\xb0\x2e\x7f");
	ck_assert(until(2000, position_is("pedal", 1)));
	ck_assert_int_eq((int32_t)total_of("vpot2"), -2);
	ck_assert(until(2000, told.releases[panel_find(&panel, "mute3")] == 1));
	ck_assert_uint_eq(told.presses[panel_find(&panel, "mute3")], 1);
	cell("fader1", &c);
	ck_assert_uint_eq(c.flags, 0);
	ck_assert(until(2000, desk.fader_writes[0] == 1)); /* set once the hand has left */
	ck_assert_uint_eq(desk.fader[0], 16380);
}
END_TEST

START_TEST(what_shall_be_shown_is_shown_and_nothing_else_is_sent)
{
	union bh_val strip = {0};
	size_t before = desk.bytes;
	show("play", BH_INT, (union bh_val){.i = BH_LIGHT_FLASH});
	show("fader3", BH_FLOAT, (union bh_val){.f = 0.5});
	ck_assert(until(2000, desk.fader[2] == 8192 && desk.led[0x5e] == BH_MCU_LED_FLASH + 1));
	ck_assert_uint_eq(desk.bytes - before, 6);
	bh_feedback_strip(strip.s, 7, "Kick", "-3.0 dB");
	show("strip2", BH_TEXT, strip);
	ck_assert(until(2000, !memcmp(desk.lcd + 7, "Kick   ", 7) && !memcmp(desk.lcd + 63, "-3.0 dB", 7)));
	show("play", BH_INT, (union bh_val){.i = BH_LIGHT_FLASH});
	ck_assert(is_quiet());
}
END_TEST

START_TEST(a_burst_in_one_read_rings_the_router_once)
{
	char burst[16 * 3];
	for (int i = 0; i < 16; i++)
		memcpy(burst + 3 * i, (char[]){(char)(0xe0 + i % 8), (char)i, 0x20}, 3);
	ck_assert(is_quiet());
	/* We sleep, as far as it can see. */
	h.router_self->bell.mode = BH_BELL_FUTEX;
	uint64_t bells = host_counter(&h, BH_CNT_BELLS);
	bh_bell_announce(h.router_self);
	unsigned events = told.events;
	say(burst, sizeof(burst));
	ck_assert(until(2000, told.events - events == 16));
	ck_assert_uint_le(host_counter(&h, BH_CNT_BELLS) - bells, 1);
	bh_bell_awake(h.router_self);
}
END_TEST

/* What follows from a press is known by its stamp: router_read() compares. */
START_TEST(presses_that_were_read_together_have_stamps_of_their_own)
{
	SAY("\x90\x10\x7f\x90\x11\x7f\x90\x10\x00\x90\x10\x7f");
	ck_assert(until(2000, told.presses[panel_find(&panel, "mute1")] == 2));
	ck_assert_uint_eq(told.presses[panel_find(&panel, "mute2")], 1);
}
END_TEST

START_TEST(garbage_is_counted_and_does_no_harm)
{
	SAY("\x01\x02\xf0\x01\x02\x90\x10\x7f\xf7\xf4\xfe\x90\x10\x00");
	ck_assert(until(2000, told.releases[panel_find(&panel, "mute1")] == 1));
	ck_assert_uint_eq(told.presses[panel_find(&panel, "mute1")], 1);
	ck_assert(until(2000, host_counter(&h, BH_CNT_LINK_ODDITIES) >= 5)); /* counted after all is told */
	ck_assert_uint_eq(host_counter(&h, BH_CNT_LINK_ODDITIES), 5);
}
END_TEST

START_TEST(a_successor_sends_only_differences_on_the_same_cable)
{
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.25});
	ck_assert(until(2000, desk.led[0x10] == BH_MCU_LED_ON + 1 && desk.fader_writes[0] == 1));
	host_kill(&h);
	ck_assert_int_gt(h.device_fd, 0);
	size_t before = desk.bytes;
	SAY("\xb0\x10\x05\x90\x11\x7f"); /* while nobody listens */
	show("mute2", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	restart();
	ck_assert(until(2000, desk.led[0x11] == BH_MCU_LED_ON + 1 && told.presses[panel_find(&panel, "mute2")] == 1));
	ck_assert_uint_eq(total_of("vpot1"), 5);
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.bytes - before, 3);
	ck_assert_uint_eq(told.resyncs, 1);
}
END_TEST

START_TEST(the_hand_is_newer_than_feedback_from_before_the_kill)
{
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.25});
	ck_assert(until(2000, desk.fader_writes[0] == 1));
	SAY("\x90\x68\x7f\xe0\x00\x60\x90\x68\x00");
	ck_assert(until(2000, desk.fader_writes[0] == 2));
	host_kill(&h);
	restart();
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.fader[0], 0x60 << 7);
}
END_TEST

START_TEST(a_hand_that_moved_while_nobody_looked_is_not_driven_against)
{
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.25});
	ck_assert(until(2000, desk.fader_writes[0] == 1));
	host_kill(&h);
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.9});
	show("fader2", BH_FLOAT, (union bh_val){.f = 0.9});
	SAY("\x90\x68\x7f\xe0\x00\x60\x90\x68\x00\x90\x69\x7f");
	restart();
	ck_assert(until(2000, desk.fader_writes[0] == 2));
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.fader_writes[0], 2);
	ck_assert_uint_eq(desk.fader[0], 0x60 << 7);
	ck_assert_uint_eq(desk.fader_writes[1], 0); /* touched */
	SAY("\x90\x69\x00");
	ck_assert(until(2000, desk.fader_writes[1] == 1));
	ck_assert_uint_eq(desk.fader[1], 14744); /* 0.9, in steps of 4 */
}
END_TEST

static void
show_known(const char *name, double f, uint32_t seen)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .id = panel_find(&panel, name), .type = BH_FLOAT, .total = seen, .v.f = f,
			      .stamp_ns = bh_now_ns()};
	ck_assert_int_ge(bh_outbox_put(&h.out, &ev, NULL, 0), 0);
	host_flush(&h);
}

START_TEST(feedback_that_crossed_the_hands_move_on_its_way_does_not_drive_the_fader_back)
{
	struct bh_cell_body c;
	SAY("\x90\x68\x7f\xe0\x00\x20");
	ck_assert(until(2000, position_is("fader1", (0x20 << 7) / 16380.0)));
	ck_assert_int_eq(cell("fader1", &c), 1);
	uint32_t before = c.gen;
	SAY("\xe0\x00\x60");
	ck_assert(until(2000, position_is("fader1", (0x60 << 7) / 16380.0)));
	show_known("fader1", 0.1, before); /* the router had not seen the last move */
	show_known("fader2", 0.5, 0);
	ck_assert(until(2000, desk.fader_writes[1] == 1));
	SAY("\x90\x68\x00");
	ck_assert(until(2000, desk.fader_writes[0] == 1));
	ck_assert_uint_eq(desk.fader[0], 0x60 << 7);
	show_known("fader1", 0.2, before); /* nor now */
	ck_assert(is_quiet());
	show_known("fader1", 0.3, before + 2); /* this one knows */
	ck_assert(until(2000, desk.fader_writes[0] == 2));
}
END_TEST

START_TEST(a_successor_ignores_feedback_that_had_crossed_the_hands_move)
{
	struct bh_cell_body c;
	SAY("\x90\x68\x7f\xe0\x00\x20");
	ck_assert(until(2000, position_is("fader1", (0x20 << 7) / 16380.0)));
	ck_assert_int_eq(cell("fader1", &c), 1);
	SAY("\xe0\x00\x60");
	ck_assert(until(2000, position_is("fader1", (0x60 << 7) / 16380.0)));
	show_known("fader1", 0.1, c.gen);
	host_kill(&h);
	restart();
	SAY("\x90\x68\x00");
	ck_assert(until(2000, desk.fader_writes[0] == 1));
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.fader_writes[0], 1);
	ck_assert_uint_eq(desk.fader[0], 0x60 << 7);
	show_known("fader1", 0.3, c.gen + 2);
	ck_assert(until(2000, desk.fader_writes[0] == 2));
}
END_TEST

/* Ticks and presses under a moving load, killed again and again at any moment. */
START_TEST(no_kill_loses_or_doubles_a_tick_or_a_press)
{
	unsigned play = panel_find(&panel, "play");
	uint32_t ticks = 0;
	unsigned presses = 0, waiting = 0;
	srandom(11);
	for (int life = 0; life < 40; life++) {
		unsigned rounds = 1 + (unsigned)random() % 6;
		waiting += 4 * rounds;
		for (unsigned k = 0; k < rounds; k++) {
			char bytes[] = "\xb0\x10\x03\x90\x5e\x7f\x90\x5e\x00\xb0\x10\x01";
			/* In pieces, so that a read ends anywhere. */
			size_t cut = (size_t)random() % (sizeof(bytes) - 1);
			say(bytes, cut);
			say(bytes + cut, sizeof(bytes) - 1 - cut);
			ticks += 4;
			presses++;
			router_read();
			if (random() % 2)
				usleep((unsigned)random() % 300);
		}
		host_kill(&h);
		host_spawn(&h);
		/* Some are killed while they attach; but no more than the ring holds may pile up, or presses are refused. */
		if (random() % 3 || waiting + 24 >= HOST_RING) {
			ck_assert(until(10000, is_ready() && total_of("vpot1") == ticks && told.presses[play] == presses));
			waiting = 0;
		}
	}
	ck_assert_msg(until(10000, total_of("vpot1") == ticks && told.presses[play] == presses), "ticks %u of %u, presses %u of %u",
		      total_of("vpot1"), ticks, told.presses[play], presses);
	ck_assert(is_quiet());
	ck_assert_uint_eq(total_of("vpot1"), ticks);
	ck_assert_uint_eq(told.presses[play], presses);
	ck_assert_uint_eq(told.releases[play], presses);
}
END_TEST

START_TEST(a_press_that_the_router_does_not_take_flashes_and_is_not_done_later)
{
	unsigned mute = panel_find(&panel, "mute3");
	uint64_t end = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	for (unsigned k = 0; k < HOST_RING; k++)
		SAY("\x90\x12\x7f\x90\x12\x00");
	/* Nobody reads the ring. The flash may be over when we look: that it was there is what counts. */
	while ((!desk.flashes || host_counter(&h, BH_CNT_REFUSED) < HOST_RING / 2) && bh_mono_ns() < end) {
		desk_read();
		usleep(500);
	}
	ck_assert_uint_gt(desk.flashes, 0);
	ck_assert(until(3000, desk.led[0x12] == BH_MCU_LED_OFF + 1));
	ck_assert_uint_eq(host_counter(&h, BH_CNT_REFUSED), HOST_RING / 2);
	ck_assert_uint_eq(told.presses[mute], HOST_RING / 2);
}
END_TEST

START_TEST(after_a_pulled_cable_everything_is_sent_again_without_a_command)
{
	struct bh_cell_body c;
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	show("fader1", BH_FLOAT, (union bh_val){.f = 0.25});
	SAY("\x90\x69\x7f\x90\x5e\x7f");
	ck_assert(until(2000, desk.fader_writes[0] == 1 && told.presses[panel_find(&panel, "play")] == 1));
	desk_unplug();
	ck_assert(until(2000, host_health(&h, NULL, 0) == BH_HEALTH_CONNECTING));
	/* Hands do not stay on a desk that is away. */
	ck_assert(until(2000, told.releases[panel_find(&panel, "play")] == 1));
	ck_assert(until(2000, cell("fader2", &c) == 1 && c.flags == 0));
	show("mute2", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	memset(&desk, 0, sizeof(desk));
	desk_listen();
	ck_assert(until(8000, desk.lcd[BH_MCU_LCD_CELLS - 1] == ' '));
	ck_assert_uint_eq(desk.led[0x10], BH_MCU_LED_ON + 1);
	ck_assert_uint_eq(desk.led[0x11], BH_MCU_LED_ON + 1);
	ck_assert_uint_eq(desk.fader[0], 4096);
	ck_assert_uint_eq(desk.queries, 1);
	ck_assert(until(2000, host_health(&h, NULL, 0) == BH_HEALTH_OK));
	ck_assert_uint_eq(host_counter(&h, BH_CNT_RECONNECTS), 1);
}
END_TEST

/* The texts of its options lived in the memory of the configuration before. */
START_TEST(a_desk_is_found_again_after_a_reload)
{
	struct bh_spawn_msg m = {.type = BH_SPAWN_CONFIG, .slot = HOST_SLOT, .nfds = 2,
				 .fd = {{.role = BH_FD_CONFIG}, {.role = BH_FD_OPTIONS, .slot = HOST_SLOT}}};
	int fds[BH_SPAWN_FDS] = {h.config_fd, h.options_fd}, got[BH_SPAWN_FDS], r;
	ck_assert_int_eq(bh_spawn_send(h.sock, &m, fds), 0);
	do {
		ck_assert(until(5000, (r = bh_spawn_recv(h.sock, &m, got, 0)) != -EAGAIN));
		ck_assert_int_eq(r, 1);
		for (unsigned i = 0; i < m.nfds; i++)
			close(got[i]);
	} while (m.type != BH_SPAWN_CONFIG_BACK);
	ck_assert_msg(m.error == 0, "%s", m.text);
	desk_unplug();
	ck_assert(until(2000, host_health(&h, NULL, 0) == BH_HEALTH_CONNECTING));
	memset(&desk, 0, sizeof(desk));
	desk_listen();
	ck_assert(until(8000, desk.queries == 1));
	ck_assert(until(2000, host_health(&h, NULL, 0) == BH_HEALTH_OK));
}
END_TEST

START_TEST(a_power_up_announcement_has_everything_sent_again)
{
	static const char announce[] = "\xf0\x00\x00\x66\x14\x01\x58\x59\x5a\x57\x18\x61\x05\x57\x18\x61\x05\xf7";
	say(announce, sizeof(announce) - 1); /* answers our question: nothing new */
	ck_assert(is_quiet());
	teardown();
	begin("keep", "false"); /* now nothing was asked, so it speaks by itself */
	ck_assert(until(5000, desk.led[0x73] && desk.lcd[BH_MCU_LCD_CELLS - 1] == ' '));
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.queries, 0);
	memset(desk.led, 0, sizeof(desk.led));
	say(announce, sizeof(announce) - 1);
	ck_assert(until(2000, desk.led[0x73] != 0));
}
END_TEST

START_TEST(a_device_that_answers_under_another_id_is_believed)
{
	memset(desk.lcd, 0, sizeof(desk.lcd));
	SAY("\xf0\x00\x00\x66\x15\x01\x58\x59\x5a\x57\x18\x61\x05\x57\x18\x61\x05\xf7");
	ck_assert(until(2000, desk.lcd[BH_MCU_LCD_CELLS - 1] == ' '));
}
END_TEST

START_TEST(a_reload_of_options_sends_only_what_they_change)
{
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	ck_assert(until(2000, desk.led[0x10] == BH_MCU_LED_ON + 1));
	size_t before = desk.bytes;
	ck_assert_int_eq(host_reload(&h, "transport", "socket", "path", path, "link", "free", "fader_max", "16380", "fader_step",
				     "4", "colors", "true", "meter_hz", "10", NULL),
			 0);
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.bytes, before);
	memset(desk.lcd, 0, sizeof(desk.lcd));
	memset(desk.led, 0, sizeof(desk.led));
	ck_assert_int_eq(host_reload(&h, "transport", "socket", "path", path, "link", "free", "fader_max", "16380", "fader_step",
				     "4", "colors", "true", "sysex_id", "21", "on_stop", "keep", NULL),
			 0);
	ck_assert(until(2000, desk.lcd[BH_MCU_LCD_CELLS - 1] == ' ')); /* was not for that device before */
	ck_assert(is_quiet());
	ck_assert_uint_eq(desk.led[0x10], 0);
	SAY("\x90\x12\x7f"); /* and all goes on */
	ck_assert(until(2000, told.presses[panel_find(&panel, "mute3")] == 1));
	kill(h.pid, SIGTERM);
	ck_assert_int_eq(host_wait_death(&h, 5000), 0);
	desk_read();
	ck_assert_uint_eq(desk.led[0x10], 0); /* on_stop: keep */
}
END_TEST

START_TEST(a_clean_stop_leaves_the_desk_dark)
{
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	ck_assert(until(2000, desk.led[0x10] == BH_MCU_LED_ON + 1));
	kill(h.pid, SIGTERM);
	ck_assert_int_eq(host_wait_death(&h, 5000), 0);
	desk_read();
	ck_assert_uint_eq(desk.led[0x10], BH_MCU_LED_OFF + 1);
	ck_assert_int_eq(h.device_fd, 0); /* nobody holds it any more */
}
END_TEST

START_TEST(or_as_it_was)
{
	teardown();
	begin("keep", "true");
	show("mute1", BH_INT, (union bh_val){.i = BH_LIGHT_ON});
	ck_assert(until(5000, desk.led[0x10] == BH_MCU_LED_ON + 1 && desk.lcd[BH_MCU_LCD_CELLS - 1] == ' '));
	kill(h.pid, SIGTERM);
	ck_assert_int_eq(host_wait_death(&h, 5000), 0);
	desk_read();
	ck_assert_uint_eq(desk.led[0x10], BH_MCU_LED_ON + 1);
}
END_TEST

START_TEST(a_desk_that_is_not_there_yet_is_waited_for)
{
	char reason[80];
	teardown();
	memset(&desk, 0, sizeof(desk));
	desk.fd = desk.listener = -1;
	host_start_surface(&h, "surface", panel.c, panel.n, "transport", "socket", "path", path, "link", "free", NULL);
	ck_assert_int_eq(host_health(&h, reason, sizeof(reason)), BH_HEALTH_CONNECTING);
	ck_assert_ptr_nonnull(strstr(reason, path));
	desk_listen();
	ck_assert(until(8000, desk.queries == 1));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("surface");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_desk_that_appears_is_asked_and_rendered_whole);
	tcase_add_test(t, what_the_hand_does_arrives);
	tcase_add_test(t, what_shall_be_shown_is_shown_and_nothing_else_is_sent);
	tcase_add_test(t, a_burst_in_one_read_rings_the_router_once);
	tcase_add_test(t, presses_that_were_read_together_have_stamps_of_their_own);
	tcase_add_test(t, garbage_is_counted_and_does_no_harm);
	tcase_add_test(t, a_successor_sends_only_differences_on_the_same_cable);
	tcase_add_test(t, the_hand_is_newer_than_feedback_from_before_the_kill);
	tcase_add_test(t, a_hand_that_moved_while_nobody_looked_is_not_driven_against);
	tcase_add_test(t, no_kill_loses_or_doubles_a_tick_or_a_press);
	tcase_add_test(t, a_press_that_the_router_does_not_take_flashes_and_is_not_done_later);
	tcase_add_test(t, after_a_pulled_cable_everything_is_sent_again_without_a_command);
	tcase_add_test(t, a_desk_is_found_again_after_a_reload);
	tcase_add_test(t, a_power_up_announcement_has_everything_sent_again);
	tcase_add_test(t, a_device_that_answers_under_another_id_is_believed);
	tcase_add_test(t, feedback_that_crossed_the_hands_move_on_its_way_does_not_drive_the_fader_back);
	tcase_add_test(t, a_successor_ignores_feedback_that_had_crossed_the_hands_move);
	tcase_add_test(t, a_reload_of_options_sends_only_what_they_change);
	tcase_add_test(t, a_clean_stop_leaves_the_desk_dark);
	tcase_add_test(t, or_as_it_was);
	tcase_add_test(t, a_desk_that_is_not_there_yet_is_waited_for);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
