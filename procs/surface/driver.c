/*
 * surface - a control surface that speaks Mackie Control (X-Touch and its kin)
 *
 * In:    the device's bytes; from the router what each control shall show (common/feedback.h)
 * Out:   to the router: moves, touches, turns, presses; to the device: what differs from what it shows
 * Fails: an unplugged or silent device makes us CONNECTING, and everything is sent again when it is back; without
 *        the right to open it we are NO_PERMISSION. A router that is away leaves the desk as it is.
 *
 * A kill loses nothing: what was read and not published, what is shown and what is wanted stand in our private
 * segment, the device's descriptor is kept by the keeper where the transport allows it. See input.h and shadow.h.
 *
 * What hands mean and motors do is measured by the fader's own travel (calibrate.h), once a person has calibrated it.
 *
 *   absent    hint or retry: open       -> open: everything unknown, all of it is sent
 *   open      bytes: decode, publish       turn ends: send what differs, within the link's budget
 *   open      read or write fails       -> absent: hands leave, buttons are released
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "common/feedback.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/midi/check.h"
#include "common/paths.h"
#include "common/proc.h"
#include "common/units.h"
#include "procs/surface/calibrate_file.h"
#include "procs/surface/decode.h"
#include "procs/surface/input.h"
#include "procs/surface/publish.h"
#include "procs/surface/shadow.h"
#include "procs/surface/transport.h"

BH_LOG_TOPIC("surface");

enum { LINK_USB, LINK_DIN, LINK_FREE };
enum { TRANSPORT_RAWMIDI, TRANSPORT_SEQUENCER, TRANSPORT_SOCKET };
enum { STOP_DARK, STOP_KEEP };

enum {
	READS_A_WAKE = 4,
	READS_AT_START = 16, /* times the above: more than any kernel buffer holds */
	QUERY_ANSWER_MS = 2000, /* an announcement within this time answers our query; later it is a power-up */
	REFUSED_MS = 1000,	/* a refused press flashes for so long */
	SYNC_LIMIT_MS = 1500, /* then its answer says how far it came; bh-control waits for two seconds */
	MEASURE_LIMIT_MS = 30000, /* nobody asks any more: whoever began to calibrate has left */
	STOP_LIMIT_MS = 700,	/* to get dark on a DIN cable takes 130 ms */
};

struct surface_config {
	uint32_t transport;
	char *path, *card, *port, *usb;
	uint32_t link, usb_bytes_per_s, din_bytes_per_s;
	uint32_t sysex_id;
	bool query;
	uint32_t fader_min, fader_max, fader_snap, fader_step, meter_steps;
	bool colors, meters, ring_mark, invert_vpots, zero_tick;
	uint32_t fader_hz, meter_hz, color_hz;
	uint32_t on_stop;
};

static const char *const transport_names[] = {"rawmidi", "sequencer", "socket", NULL};
static const char *const link_names[] = {"usb", "din", "free", NULL};
static const char *const stop_names[] = {"dark", "keep", NULL};

#define FIELD(member, ...) BH_CFG(struct surface_config, member, __VA_ARGS__)
static const struct bh_cfg_field surface_fields[] = {
	FIELD(transport, .type = BH_CFG_ENUM, .def = "rawmidi", .choices = transport_names,
	      .help = "how the device is reached: raw MIDI alone, the ALSA sequencer (shared), or a Unix socket or pty"),
	FIELD(path, .type = BH_CFG_PATH, .def = "", .help = "socket: the Unix socket or pty of the desk"),
	FIELD(card, .type = BH_CFG_STR, .def = "", .help = "part of the ALSA card's or client's name; a|b tries both"),
	FIELD(port, .type = BH_CFG_STR, .def = "", .help = "part of the port's name; a|b| prefers a, then b, then any"),
	FIELD(usb, .type = BH_CFG_STR, .def = "", .help = "rawmidi: USB id as 1397:00b4; empty takes any"),
	FIELD(link, .type = BH_CFG_ENUM, .def = "usb", .choices = link_names, .reload = BH_RELOAD_LIVE,
	      .help = "what limits the bytes to the device: usb, din (a MIDI cable), or free"),
	FIELD(usb_bytes_per_s, .type = BH_CFG_U32, .def = "24000", .min = "100", .reload = BH_RELOAD_LIVE,
	      .help = "bytes a second on USB"),
	FIELD(din_bytes_per_s, .type = BH_CFG_U32, .def = "3125", .min = "100", .reload = BH_RELOAD_LIVE,
	      .help = "bytes a second on a DIN cable"),
	FIELD(sysex_id, .type = BH_CFG_U32, .def = "20", .max = "127", .reload = BH_RELOAD_LIVE,
	      .help = "device id in system exclusive: 20 Mackie Control, 21 its extender, 16 and 17 Logic Control"),
	FIELD(query, .type = BH_CFG_BOOL, .def = "true", .reload = BH_RELOAD_LIVE,
	      .help = "ask the device who it is when it appears, and take over the id it answers with"),
	FIELD(fader_min, .type = BH_CFG_U32, .def = "0", .max = "8191", .reload = BH_RELOAD_LIVE,
	      .help = "lowest position that the faders report; `bulkhead calibrate` measures it for each"),
	FIELD(fader_max, .type = BH_CFG_U32, .def = "16383", .min = "127", .max = "16383", .reload = BH_RELOAD_LIVE,
	      .help = "highest position that the faders report"),
	FIELD(fader_snap, .type = BH_CFG_U32, .def = "8", .max = "1024", .reload = BH_RELOAD_LIVE,
	      .help = "a position so near to an end of the travel is the end; never less than fader_step"),
	FIELD(fader_step, .type = BH_CFG_U32, .def = "1", .min = "1", .max = "1024", .reload = BH_RELOAD_LIVE,
	      .help = "smallest step of the motors"),
	FIELD(meter_steps, .type = BH_CFG_U32, .def = "12", .min = "1", .max = "13", .reload = BH_RELOAD_LIVE,
	      .help = "highest meter level"),
	FIELD(colors, .type = BH_CFG_BOOL, .def = "false", .reload = BH_RELOAD_LIVE, .help = "the scribble strips have colours"),
	FIELD(meters, .type = BH_CFG_BOOL, .def = "true", .reload = BH_RELOAD_LIVE, .help = "send meters"),
	FIELD(ring_mark, .type = BH_CFG_BOOL, .def = "true", .reload = BH_RELOAD_LIVE,
	      .help = "the rings have a further LED or two"),
	FIELD(invert_vpots, .type = BH_CFG_BOOL, .def = "false", .reload = BH_RELOAD_LIVE, .help = "V-Pots count the other way"),
	FIELD(zero_tick, .type = BH_CFG_BOOL, .def = "false", .reload = BH_RELOAD_LIVE,
	      .help = "a turn by 0 ticks means one, as some devices send it"),
	FIELD(fader_hz, .type = BH_CFG_U32, .def = "50", .max = "1000", .reload = BH_RELOAD_LIVE,
	      .help = "a motor is sent at most so often in a second; 0 = no limit"),
	FIELD(meter_hz, .type = BH_CFG_U32, .def = "20", .max = "1000", .reload = BH_RELOAD_LIVE,
	      .help = "a meter is sent at most so often in a second; 0 = no limit"),
	FIELD(color_hz, .type = BH_CFG_U32, .def = "5", .max = "1000", .reload = BH_RELOAD_LIVE,
	      .help = "colours are sent at most so often in a second; 0 = no limit"),
	FIELD(on_stop, .type = BH_CFG_ENUM, .def = "dark", .choices = stop_names, .reload = BH_RELOAD_LIVE,
	      .help = "a clean stop leaves the desk dark, or as it was"),
	BH_CFG_LAST,
};

/* In the private segment: survives us. */
struct surface_memory {
	struct shadow_memory shadow;
	uint32_t router_epoch; /* of the router's outbox whose generations the shadow has taken */
	uint32_t last_hand;    /* the fader moved last by a hand, + 1 */
	uint8_t pressed[BH_MAX_CONTROLS / 8];
	uint8_t learned_id; /* the device answered with, 0 = none */
	uint8_t pad[7];
	uint32_t moved_gen[BH_MCU_FADERS]; /* by the fader's address: of the last move under a touch, 0 = none */
};
static_assert(sizeof(struct surface_memory) <= 4096, "fits the scratch section");

struct surface {
	struct bh_proc *proc; /* borrowed: outlives us */
	struct surface_memory *mem; /* borrowed: private segment, or `spare` */
	struct surface_memory spare;
	uint8_t spare_ring[INPUT_RING_MIN];
	struct bh_bytes_head spare_head;
	struct shadow shadow;
	struct decode decode;
	struct input input;
	struct transport transport;
	struct bh_watch *watch; /* of the device, or of the hint while it is absent */
	struct bh_timer *retry, *render, *refused, *reply, *measured;
	int anchor_fd; /* owned */
	bool blocked;  /* the device takes no more for now */
	bool recovering; /* a message may have been published by a predecessor */
	bool seen;	 /* the device was open in this life */
	unsigned tries;
	uint64_t query_ns, stamp_ns;
	uint64_t pending[BH_MAX_CONTROLS / 64]; /* feedback cells to look at */
	uint8_t tx[SHADOW_BATCH];
	size_t tx_len, tx_done;
	uint64_t oddities; /* told so far */
	bool syncing; /* answer sync_request once everything stands there */
	uint32_t sync_request;
	uint64_t sync_until_ns, sync_bytes;
	bool measuring; /* hands are measured, and move nothing */
	struct measure measure;
	struct calibration travel; /* as measured; zero = as configured */
};

static const struct surface_config *
config_of(const struct surface *s)
{
	return bh_proc_config(s->proc);
}

/* ---- to the router --------------------------------------------------------------------------- */

/* One event, of the message in hand or, if not `of_message`, of ourselves. As bh_outbox_put(). */
static int
publish(struct surface *s, bool of_message, uint8_t kind, unsigned control, struct bh_event ev)
{
	struct bh_peer *router = bh_proc_router(s->proc);
	if (!router || !router->has_out)
		return -ENOTCONN;
	ev.kind = kind;
	ev.id = control;
	ev.stamp_ns = s->stamp_ns;
	bool pressed = s->mem->pressed[control / 8] >> (control % 8) & 1;
	uint16_t flags = (uint16_t)((shadow_is_touched(&s->shadow, control) ? BH_CELL_TOUCHED : 0) |
				    (pressed ? BH_CELL_PRESSED : 0));
	return of_message ? publish_event(&s->input, &s->recovering, &router->out, &ev, flags)
			  : bh_proc_put(s->proc, router, &ev, NULL, flags);
}

static void
set_pressed(struct surface *s, unsigned control, bool on)
{
	uint8_t bit = (uint8_t)(1u << (control % 8));
	if (on)
		s->mem->pressed[control / 8] |= bit;
	else
		s->mem->pressed[control / 8] &= (uint8_t)~bit;
}

/* The generation of a fader's last move under a touch, or NULL: no fader. */
static uint32_t *
moved_gen(struct surface *s, unsigned control)
{
	const struct bh_cfg_control *c = control < s->shadow.controls ? &s->shadow.control[control] : NULL;
	return c && c->kind == BH_CTL_FADER && c->addr < BH_MCU_FADERS ? &s->mem->moved_gen[c->addr] : NULL;
}

static uint32_t
own_gen(struct surface *s, unsigned control)
{
	struct bh_peer *router = bh_proc_router(s->proc);
	struct bh_cell_body own;
	if (!router || !router->has_out || control >= router->out.cell_count ||
	    bh_cell_read(&router->out.cells[control], &own) <= 0)
		return 0;
	return own.gen;
}

static void
on_move(struct surface *s, const struct surface_event *ev)
{
	if (s->measuring) {
		const struct bh_cfg_control *c = &s->shadow.control[ev->control];
		/* Where hands are felt, what moves without one is the motor. */
		if (!(c->flags & BH_CTL_HAS_TOUCH) || shadow_is_touched(&s->shadow, ev->control))
			measure_move(&s->measure, c->addr, ev->pos_14bit);
		return;
	}
	if (!shadow_hand(&s->shadow, ev->control, ev->pos_14bit, bh_mono_ns()))
		return; /* the motor's own way */
	s->mem->last_hand = ev->control + 1;
	publish(s, true, BH_EV_VALUE, ev->control, (struct bh_event){.type = BH_FLOAT, .v.f = ev->unit});
	uint32_t *moved = moved_gen(s, ev->control);
	if (moved && shadow_is_touched(&s->shadow, ev->control))
		*moved = own_gen(s, ev->control);
}

static void
on_button(struct surface *s, const struct surface_event *ev)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 10000);
	set_pressed(s, ev->control, ev->on);
	int r = publish(s, true, ev->on ? BH_EV_PRESS : BH_EV_RELEASE, ev->control,
			(struct bh_event){.type = BH_BOOL, .v.i = ev->on});
	if (r >= 0 || !ev->on)
		return;
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "the router takes no presses now; refused, the button flashes");
	shadow_refuse(&s->shadow, ev->control, true);
	bh_timer_in_ms(s->refused, REFUSED_MS);
}

static void
on_refused_timer(void *data)
{
	struct surface *s = data;
	for (unsigned n = 0; n < s->shadow.controls; n++)
		shadow_refuse(&s->shadow, n, false);
}

static void
ask_device(struct surface *s)
{
	uint8_t bytes[16];
	struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_QUERY};
	int n = bh_mcu_encode_cmd(s->shadow.caps.sysex_id, NULL, &cmd, bytes, sizeof(bytes));
	if (n > 0 && shadow_raw(&s->shadow, bytes, (size_t)n))
		s->query_ns = bh_mono_ns();
}

/* A Logic Control wants its challenge answered; the others are content. */
static void
answer_challenge(struct surface *s, const struct bh_mcu_event *ev)
{
	uint8_t bytes[32];
	struct bh_mcu_cmd cmd = {.kind = BH_MCU_CMD_REPLY};
	if (ev->kind != BH_MCU_EV_ANNOUNCE || (ev->device_id != BH_MCU_ID_LOGIC && ev->device_id != BH_MCU_ID_LOGIC_XT))
		return;
	memcpy(cmd.serial, ev->serial, sizeof(cmd.serial));
	bh_mcu_response(ev->challenge, cmd.response);
	int n = bh_mcu_encode_cmd(ev->device_id, NULL, &cmd, bytes, sizeof(bytes));
	if (n > 0)
		shadow_raw(&s->shadow, bytes, (size_t)n);
}

static void
on_announce(struct surface *s, const struct bh_mcu_event *ev)
{
	uint64_t now = bh_mono_ns();
	bool answer = s->query_ns && now - s->query_ns < QUERY_ANSWER_MS * BH_NS_PER_MS;
	if (config_of(s)->query && ev->device_id != s->shadow.caps.sysex_id) {
		bh_info("the device answers as id %u, taken over instead of %u", ev->device_id, s->shadow.caps.sysex_id);
		s->mem->learned_id = ev->device_id;
		shadow_device_id(&s->shadow, ev->device_id);
	}
	answer_challenge(s, ev);
	/* A challenge is confirmed at once; only an announcement out of the blue is a power-up. */
	if (answer || ev->kind != BH_MCU_EV_ANNOUNCE)
		return;
	bh_info("the device was switched on; everything is sent again");
	shadow_forget(&s->shadow);
	s->tx_len = s->tx_done = 0;
}

static void
on_surface_event(struct surface *s, const struct surface_event *ev)
{
	switch (ev->kind) {
	case SURFACE_MOVE: on_move(s, ev); break;
	case SURFACE_TOUCH:
		shadow_touch(&s->shadow, ev->control, ev->on);
		if (s->measuring && !ev->on)
			measure_release(&s->measure, s->shadow.control[ev->control].addr);
		publish(s, true, BH_EV_TOUCH, ev->control, (struct bh_event){.type = BH_BOOL, .v.i = ev->on});
		break;
	case SURFACE_TURN:
		publish(s, true, BH_EV_RELATIVE, ev->control, (struct bh_event){.type = BH_INT, .v.i = ev->ticks});
		break;
	case SURFACE_BUTTON: on_button(s, ev); break;
	case SURFACE_PEDAL:
		publish(s, true, BH_EV_VALUE, ev->control, (struct bh_event){.type = BH_FLOAT, .v.f = ev->unit});
		break;
	case SURFACE_ANNOUNCE: on_announce(s, &ev->device); break;
	case SURFACE_VERSION: bh_info("the device's firmware is %s", ev->device.version); break;
	}
}

static uint64_t
count_oddities(const struct bh_midi_counters *c)
{
	return c->undefined + c->orphan_data + c->cut_short + c->sysex_aborted + c->sysex_too_long + c->stray_end;
}

/* Everything that was read and not yet published. */
static void
decode_all(struct surface *s)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 60000);
	struct bh_midi_msg msg;
	struct surface_event ev;
	while (input_next(&s->input, &msg)) {
		if (decode_message(&s->decode, &msg, &ev))
			on_surface_event(s, &ev);
		input_done(&s->input);
		s->stamp_ns++; /* of each its own: by its stamp an action is known */
	}
	uint64_t odd = count_oddities(&s->input.parser.counters);
	if (odd == s->oddities)
		return;
	bh_count(s->proc, BH_CNT_LINK_ODDITIES, odd - s->oddities);
	s->oddities = odd;
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
		       "device fault: bytes from %s that are no MIDI; skipped and counted; a cable or hub may be bad",
		       s->transport.what);
}

/* ---- the device ------------------------------------------------------------------------------ */

static void on_device(void *data, int fd, uint32_t events);
static void on_hint(void *data, int fd, uint32_t events);

static void
watch_fd(struct surface *s, int fd, uint32_t events, bh_fd_fn fn)
{
	bh_watch_free(s->watch);
	s->watch = fd >= 0 ? bh_loop_watch(s->proc->loop, fd, events, fn, s) : NULL;
}

static void
say_absent(struct surface *s, int err)
{
	const struct surface_config *cfg = config_of(s);
	const char *what = cfg->transport == TRANSPORT_SOCKET ? cfg->path : cfg->card[0] ? cfg->card : "any MIDI device";
	switch (-err) {
	case EACCES:
	case EPERM:
		bh_proc_health(s->proc, BH_HEALTH_NO_PERMISSION, "add this user to the group audio, or install the udev rule",
			       "not allowed to open %s", what);
		break;
	case EBUSY:
		bh_proc_health(s->proc, BH_HEALTH_CONNECTING, "close the other program, or use transport: sequencer",
			       "%s is in use by another program", what);
		break;
	case ENODEV:
		bh_proc_health(s->proc, BH_HEALTH_CONNECTING, "is it plugged in and switched on?", "waiting for %s", what);
		break;
	default:
		bh_proc_health(s->proc, BH_HEALTH_CONNECTING, NULL, "cannot open %s: %s", what, strerror(-err));
		break;
	}
}

/* Soon after a hint, as nodes appear before their rights do; then ever more seldom. */
static void
retry_later(struct surface *s)
{
	static const uint16_t wait_ms[] = {50, 200, 1000, 2000, 5000};
	unsigned k = s->tries < BH_ARRAY_LEN(wait_ms) ? s->tries : BH_ARRAY_LEN(wait_ms) - 1;
	s->tries++;
	bh_timer_in_ms(s->retry, wait_ms[k]);
}

static void
device_open(struct surface *s)
{
	s->tries = 0;
	s->blocked = false;
	s->tx_len = s->tx_done = 0;
	bh_timer_at(s->retry, 0, 0);
	watch_fd(s, s->transport.fd, EPOLLIN, on_device);
	if (s->seen)
		bh_count(s->proc, BH_CNT_RECONNECTS, 1);
	s->seen = true;
	bh_info("%s is there", s->transport.what);
	bh_proc_health(s->proc, BH_HEALTH_OK, NULL, "%s", "");
}

static void
try_open(struct surface *s)
{
	watch_fd(s, -1, 0, NULL);
	int r = s->transport.ops->open(&s->transport);
	if (r < 0) {
		say_absent(s, r);
		watch_fd(s, s->transport.hint_fd, EPOLLIN, on_hint);
		retry_later(s);
		return;
	}
	/* Whatever it shows, nobody knows; and what it was told under another id was not for it. */
	input_forget(&s->input);
	s->mem->learned_id = 0;
	s->shadow.caps.sysex_id = config_of(s)->sysex_id & 0x7f;
	shadow_forget(&s->shadow);
	device_open(s);
	if (s->transport.ops->keeps)
		bh_proc_keep_device(s->proc, s->transport.fd);
	if (config_of(s)->query)
		ask_device(s);
}

static void
on_retry(void *data)
{
	try_open(data);
}

static void
on_hint(void *data, int fd, uint32_t events)
{
	struct surface *s = data;
	(void)fd, (void)events;
	watch_fd(s, -1, 0, NULL);
	bool worth = s->transport.ops->hint(&s->transport);
	if (worth || s->transport.hint_fd < 0) {
		s->tries = 0;
		try_open(s);
	} else {
		watch_fd(s, s->transport.hint_fd, EPOLLIN, on_hint);
	}
}

/* No hand can be on a desk that is away: what was held is let go, or it would be held for ever. */
static void
let_go(struct surface *s)
{
	s->stamp_ns = bh_now_ns();
	for (unsigned n = 0; n < s->shadow.controls; n++) {
		if (shadow_is_touched(&s->shadow, n)) {
			shadow_touch(&s->shadow, n, false);
			publish(s, false, BH_EV_TOUCH, n, (struct bh_event){.type = BH_BOOL});
		}
		if (s->mem->pressed[n / 8] >> (n % 8) & 1) {
			set_pressed(s, n, false);
			publish(s, false, BH_EV_RELEASE, n, (struct bh_event){.type = BH_BOOL});
		}
	}
}

static void
device_lost(struct surface *s, int err)
{
	bh_info("%s is gone (%s); waiting for it", s->transport.what, strerror(-err));
	watch_fd(s, -1, 0, NULL);
	if (s->transport.ops->keeps)
		bh_proc_keep_device(s->proc, -1);
	s->transport.ops->close(&s->transport);
	shadow_drop_batch(&s->shadow);
	s->tx_len = s->tx_done = 0;
	bh_timer_at(s->render, 0, 0);
	let_go(s);
	s->tries = 0;
	say_absent(s, -ENODEV);
	watch_fd(s, s->transport.hint_fd, EPOLLIN, on_hint);
	retry_later(s);
}

/* At most a few reads, so that a device that never stops does not keep us. True = there may be more. */
static bool
read_device(struct surface *s)
{
	for (unsigned k = 0; k < READS_A_WAKE; k++) {
		size_t room;
		void *at = input_room(&s->input, &room);
		ssize_t n = s->transport.ops->read(&s->transport, at, room);
		if (n == -EAGAIN || n == -EINTR)
			return false;
		if (n < 0) {
			device_lost(s, (int)n);
			return false;
		}
		s->stamp_ns = bh_now_ns();
		input_got(&s->input, (size_t)n);
		bh_count(s->proc, BH_CNT_BYTES_IN, (uint64_t)n);
		decode_all(s);
		if ((size_t)n < room)
			return false;
	}
	return true;
}

static void
on_device(void *data, int fd, uint32_t events)
{
	struct surface *s = data;
	(void)fd;
	if (events & EPOLLOUT) {
		s->blocked = false;
		bh_watch_events(s->watch, EPOLLIN);
	}
	read_device(s);
	bh_proc_flush(s->proc); /* before we render: the hand comes first */
}

/* Write what is in hand, then what comes next. 0, or -errno: the device is gone. */
static int
render(struct surface *s, uint64_t *again_ns)
{
	*again_ns = 0;
	while (s->transport.fd >= 0 && !s->blocked) {
		if (s->tx_len == 0) {
			s->tx_done = 0;
			s->tx_len = shadow_next(&s->shadow, bh_mono_ns(), s->tx, sizeof(s->tx), again_ns);
			if (s->tx_len == 0)
				return 0;
		}
		ssize_t n = s->transport.ops->write(&s->transport, s->tx + s->tx_done, s->tx_len - s->tx_done);
		if (n == -EAGAIN || n == -EINTR) {
			s->blocked = true;
			if (s->watch)
				bh_watch_events(s->watch, EPOLLIN | EPOLLOUT);
			return 0;
		}
		if (n < 0)
			return (int)n;
		shadow_written(&s->shadow, (size_t)n);
		bh_count(s->proc, BH_CNT_BYTES_OUT, (uint64_t)n);
		s->tx_done += (size_t)n;
		if (s->tx_done == s->tx_len)
			s->tx_len = 0;
	}
	return 0;
}

static void
on_render_timer(void *data)
{
	(void)data; /* the end of this turn renders */
}

/* ---- from the router ------------------------------------------------------------------------- */

static void
look_at_all_cells(struct surface *s)
{
	memset(s->pending, 0xff, sizeof(s->pending));
}

static void
take_feedback(struct surface *s)
{
	struct bh_peer *router = bh_proc_router(s->proc);
	if (!router || !router->has_in)
		return;
	for (unsigned w = 0; w < BH_ARRAY_LEN(s->pending); w++) {
		uint64_t bits = s->pending[w];
		s->pending[w] = 0;
		while (bits) {
			unsigned n = w * 64 + (unsigned)__builtin_ctzll(bits);
			struct bh_cell_body body;
			const uint32_t *moved = moved_gen(s, n);
			bits &= bits - 1;
			int r = bh_inbox_cell(&router->in, n, &body);
			if (r == -EAGAIN)
				s->pending[w] |= 1ull << (n % 64); /* written right now: the event is on its way */
			else if (r == 1 && moved && body.kind == BH_EV_VALUE && bh_feedback_is_older(body.extra, *moved))
				continue; /* it crossed the hand on its way; the next one knows */
			else if (r == 1 && !shadow_feedback(&s->shadow, n, body.gen, body.type, &body.v))
				bh_count(s->proc, BH_CNT_PEER_FAULTS, 1);
		}
	}
}

static void
surface_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct surface *s = state;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	uint64_t overflow;
	bool conflated = bh_inbox_overflowed(&peer->in, &overflow);
	while (bh_proc_take(proc, peer, &ev, payload, &len)) {
		bh_proc_done(proc, peer, &ev);
		if (peer->slot != BH_SLOT_ROUTER)
			continue;
		if ((ev.kind == BH_EV_VALUE || ev.kind == BH_EV_METER) && ev.id < BH_MAX_CONTROLS)
			s->pending[ev.id / 64] |= 1ull << (ev.id % 64); /* the cell has the newest */
		else if (ev.kind == BH_EV_RESYNC)
			look_at_all_cells(s);
	}
	if (conflated) {
		look_at_all_cells(s);
		peer->in.overflow_seen = overflow;
	}
}

static void
meet_router(struct surface *s)
{
	struct bh_peer *router = bh_proc_router(s->proc);
	if (!router || !router->has_in)
		return;
	if (s->mem->router_epoch != router->in.seg.head.epoch) {
		shadow_forget_gens(&s->shadow); /* fresh cells count from one again */
		memset(s->mem->moved_gen, 0, sizeof(s->mem->moved_gen));
		s->mem->router_epoch = router->in.seg.head.epoch;
	}
	/* Cells of ours that count from one again have not seen that move. */
	for (unsigned n = 0; n < s->shadow.controls; n++) {
		uint32_t *moved = moved_gen(s, n);
		if (moved && (int32_t)(*moved - own_gen(s, n)) > 0)
			*moved = 0;
	}
	look_at_all_cells(s);
}

static void
surface_on_peer(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	(void)proc;
	if (peer->slot == BH_SLOT_ROUTER && peer->present)
		meet_router(state);
}

/* ---- what people ask ------------------------------------------------------------------------- */

static void
sync_answer(struct surface *s, int err, const char *how)
{
	if (!s->syncing)
		return;
	s->syncing = false;
	bh_timer_at(s->reply, 0, 0);
	bh_proc_answer(s->proc, s->sync_request, err, "%s: %llu bytes%s", s->proc->name,
		       (unsigned long long)(s->shadow.stats.bytes - s->sync_bytes), how);
}

static void
sync_look(struct surface *s)
{
	if (!s->syncing)
		return;
	if (s->transport.fd < 0)
		sync_answer(s, -ENODEV, "; then the device was gone");
	else if (s->tx_len == 0 && shadow_is_settled(&s->shadow))
		sync_answer(s, 0, "");
	else if (bh_mono_ns() >= s->sync_until_ns)
		sync_answer(s, 0, " so far; the rest follows as fast as the link takes it");
}

static void
on_reply_timer(void *data)
{
	(void)data; /* the end of this turn looks */
}

static void
request_sync(struct surface *s, uint32_t number)
{
	sync_answer(s, 0, " so far; it was asked for anew");
	s->syncing = true;
	s->sync_request = number;
	s->sync_bytes = s->shadow.stats.bytes;
	s->sync_until_ns = bh_mono_ns() + SYNC_LIMIT_MS * BH_NS_PER_MS;
	bh_timer_in_ms(s->reply, SYNC_LIMIT_MS);
	shadow_redraw(&s->shadow);
}

/* A fader that the bytes would drive under a hand, or -1. */
static int
driven_under_hand(const struct surface *s, const uint8_t *bytes, size_t len)
{
	struct bh_midi_parser parser = {0};
	struct bh_midi_msg msg;
	for (size_t i = 0; i < len; i++) {
		if (!bh_midi_parse(&parser, bytes[i], &msg) || (msg.status & 0xf0) != BH_MIDI_BEND)
			continue;
		for (unsigned n = 0; n < s->shadow.controls; n++)
			if (s->shadow.control[n].kind == BH_CTL_FADER && s->shadow.control[n].addr == (msg.status & 0xf) &&
			    shadow_is_touched(&s->shadow, n))
				return (int)n;
	}
	return -1;
}

static void
request_emit(struct surface *s, uint32_t number, const struct bh_request_args *args)
{
	const uint8_t *bytes = (const uint8_t *)args->text;
	size_t len = args->text_len, at;
	const char *why;
	int held;
	if (len == 0 || len > sizeof(args->text) || !bh_midi_is_whole(bytes, len, &at, &why))
		bh_proc_answer(s->proc, number, -EINVAL, "these are no whole MIDI messages");
	else if ((held = driven_under_hand(s, bytes, len)) >= 0)
		bh_proc_answer(s->proc, number, -EPERM, "a hand is on %.23s", s->shadow.control[held].name);
	else if (!shadow_raw(&s->shadow, bytes, len))
		bh_proc_answer(s->proc, number, -EBUSY, "the bytes before these have not been sent yet");
	else
		bh_proc_answer(s->proc, number, 0, "%s: %zu bytes", s->proc->name, len);
}

static struct travel
travel_of(const struct surface *s, unsigned addr)
{
	return s->decode.travel.fader[addr < BH_MCU_FADERS ? addr : 0];
}

/* One line a fader: name, positions at bottom and top, and words. */
static void
answer_faders(struct surface *s, uint32_t number, int err, bool measured)
{
	char text[BH_PAYLOAD_MAX];
	int n = 0;
	text[0] = '\0';
	for (unsigned k = 0; k < s->shadow.controls && n >= 0 && (size_t)n < sizeof(text); k++) {
		const struct bh_cfg_control *c = &s->shadow.control[k];
		struct travel t;
		const char *why = "";
		if (c->kind != BH_CTL_FADER || c->addr >= BH_MCU_FADERS)
			continue;
		t = travel_of(s, c->addr);
		if (!measured) {
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%.23s %u %u %u %s\n", c->name, c->addr, t.min, t.max,
				      s->travel.fader[c->addr].max ? "measured" : "configured");
			continue;
		}
		const struct measure_fader *f = &s->measure.fader[c->addr];
		bool good = measure_result(f, &t, &why);
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%.23s %u %u %u %u %u %s\n", c->name, c->addr, good ? t.min : 0,
			      good ? t.max : 0, f->tops, f->bottoms, good ? "ok" : f->moved ? "more" : "-");
	}
	bh_proc_answer(s->proc, number, err, "%s", text);
}

static void
measure_end(struct surface *s)
{
	s->measuring = false;
	bh_timer_at(s->measured, 0, 0);
	shadow_hold_faders(&s->shadow, false);
}

static void
on_measured_timer(void *data)
{
	struct surface *s = data;
	bh_info("calibration was not finished; the faders are as before");
	measure_end(s);
}

static int set_up_panel(struct surface *s, const struct surface_config *cfg);

/* The panel anew by what is calibrated now. */
static void
travel_changed(struct surface *s)
{
	uint64_t again_ns;
	uint8_t id = s->shadow.caps.sysex_id;
	/* A batch that is half written must end first, or the device gets half a message. */
	while (s->tx_len > 0 && s->transport.fd >= 0 && !s->blocked)
		if (render(s, &again_ns) < 0)
			break;
	set_up_panel(s, config_of(s));
	s->shadow.caps.sysex_id = id;
	shadow_forget_gens(&s->shadow); /* what is wanted stands in positions of before */
	look_at_all_cells(s);
}

static void
request_finish(struct surface *s, uint32_t number)
{
	struct calibration c = s->travel;
	unsigned good = 0;
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		struct travel t;
		const char *why;
		if (!measure_result(&s->measure.fader[i], &t, &why) || !travel_is_possible(&t))
			continue;
		c.fader[i] = t;
		good++;
	}
	if (!good) {
		bh_proc_answer(s->proc, number, -EINVAL, "no fader was pushed to both ends often enough, each time to the same end");
		return;
	}
	int r = calibration_save(&c, s->proc->name);
	if (r < 0) {
		bh_proc_answer(s->proc, number, r, "it cannot be kept in the state folder: %s", strerror(-r));
		return;
	}
	s->travel = c;
	measure_end(s);
	travel_changed(s);
	bh_info("%u faders are calibrated", good);
	answer_faders(s, number, 0, false);
}

static void
request_calibrate(struct surface *s, uint32_t number, int64_t step)
{
	int r;
	if (s->measuring)
		bh_timer_in_ms(s->measured, MEASURE_LIMIT_MS);
	if (!s->measuring && (step == BH_CALIBRATE_STATE || step == BH_CALIBRATE_FINISH)) {
		bh_proc_answer(s->proc, number, -EINVAL, "no calibration is under way; it ends by itself when it is not asked for");
		return;
	}
	if (step < 0 || step >= BH_CALIBRATE_STEPS) {
		bh_proc_answer(s->proc, number, -EINVAL, "no such step");
		return;
	}
	switch ((enum bh_calibrate_step)step) {
	case BH_CALIBRATE_BEGIN:
		if (s->measuring) {
			bh_proc_answer(s->proc, number, -EBUSY, "a calibration is under way already");
			return;
		}
		memset(&s->measure, 0, sizeof(s->measure));
		s->measuring = true;
		shadow_hold_faders(&s->shadow, true);
		bh_timer_in_ms(s->measured, MEASURE_LIMIT_MS);
		bh_info("calibration: the faders move nothing else until it ends");
		answer_faders(s, number, 0, true);
		return;
	case BH_CALIBRATE_STATE: answer_faders(s, number, 0, true); return;
	case BH_CALIBRATE_FINISH: request_finish(s, number); return;
	case BH_CALIBRATE_CANCEL:
		measure_end(s);
		bh_proc_answer(s->proc, number, 0, "%s", "");
		return;
	case BH_CALIBRATE_SHOW: answer_faders(s, number, 0, false); return;
	case BH_CALIBRATE_RESET:
		r = calibration_remove(s->proc->name);
		if (r < 0) {
			bh_proc_answer(s->proc, number, r, "it cannot be removed from the state folder: %s", strerror(-r));
			return;
		}
		memset(&s->travel, 0, sizeof(s->travel));
		travel_changed(s);
		answer_faders(s, number, 0, false);
		return;
	case BH_CALIBRATE_STEPS: return;
	}
}

static void
surface_on_request(struct bh_proc *proc, void *state, const struct bh_event *ev, const struct bh_request_args *args)
{
	struct surface *s = state;
	bool ours = ev->id == BH_REQ_EMIT || ev->id == BH_REQ_SYNC || ev->id == BH_REQ_CALIBRATE;
	if (!ours)
		return;
	if (!args)
		bh_proc_answer(proc, ev->total, -EPROTO, "the request is of another version");
	else if (s->transport.fd < 0 && !(ev->id == BH_REQ_CALIBRATE && args->v.i >= BH_CALIBRATE_CANCEL))
		bh_proc_answer(proc, ev->total, -ENODEV, "the device is not there");
	else if (ev->id == BH_REQ_EMIT)
		request_emit(s, ev->total, args);
	else if (ev->id == BH_REQ_SYNC)
		request_sync(s, ev->total);
	else
		request_calibrate(s, ev->total, args->v.i);
}

static void
surface_before_sleep(struct bh_proc *proc, void *state)
{
	struct surface *s = state;
	uint64_t again_ns;
	(void)proc;
	take_feedback(s);
	int r = render(s, &again_ns);
	if (r < 0)
		device_lost(s, r);
	else if (!s->blocked)
		bh_timer_at(s->render, again_ns, 0);
	sync_look(s);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct surface_caps
caps_of(const struct surface_config *cfg)
{
	static const uint32_t no_limit = 0;
	const uint32_t rate[] = {
		[LINK_USB] = cfg->usb_bytes_per_s, [LINK_DIN] = cfg->din_bytes_per_s, [LINK_FREE] = no_limit};
	return (struct surface_caps){
		.sysex_id = cfg->sysex_id & 0x7f,
		.fader_min = (uint16_t)cfg->fader_min,
		.fader_max = (uint16_t)cfg->fader_max,
		.fader_step = (uint16_t)cfg->fader_step,
		.meter_steps = (uint8_t)cfg->meter_steps,
		.colors = cfg->colors,
		.meters = cfg->meters,
		.ring_mark = cfg->ring_mark,
		/* USB-MIDI and the sequencer have none: the kernel would only write it out again. */
		.running_status = cfg->link == LINK_DIN && cfg->transport != TRANSPORT_SEQUENCER,
		.bytes_per_s = rate[cfg->link],
		.fader_hz = cfg->fader_hz,
		.meter_hz = cfg->meter_hz,
		.color_hz = cfg->color_hz,
	};
}

/* The panel and what the device can do, from the configuration. 0 known memory, 1 fresh memory, -errno. */
static int
set_up_panel(struct surface *s, const struct surface_config *cfg)
{
	static struct bh_cfg_control controls[BH_MAX_CONTROLS]; /* too much for a stack */
	const struct bh_config *c = &s->proc->config;
	const struct bh_cfg_surface *row = c->head ? bh_config_surface(c, s->proc->slot) : NULL;
	unsigned n = 0;
	if (!row)
		return -ENOENT;
	for (; n < row->controls && n < BH_MAX_CONTROLS; n++) {
		const struct bh_cfg_control *control = bh_config_control(c, row, n);
		if (!control)
			return -ENOENT;
		controls[n] = *control;
	}
	struct surface_caps caps = caps_of(cfg);
	caps.measured = s->travel;
	const struct decode_options o = {.fader_min = (uint16_t)cfg->fader_min,
					 .fader_max = (uint16_t)cfg->fader_max,
					 .fader_snap = (uint16_t)(cfg->fader_snap > cfg->fader_step ? cfg->fader_snap : cfg->fader_step),
					 .measured = &s->travel,
					 .invert_vpots = cfg->invert_vpots,
					 .zero_is_a_tick = cfg->zero_tick};
	decode_init(&s->decode, controls, n, &o);
	s->tx_len = s->tx_done = 0;
	bool known = shadow_init(&s->shadow, &s->mem->shadow, controls, n, &caps);
	s->shadow.hold_faders = s->measuring;
	if (known)
		return 0;
	memset(s->mem->moved_gen, 0, sizeof(s->mem->moved_gen));
	return 1;
}

/* Where we remember; without a private segment a restart draws everything anew. Returns bytes left to decode. */
static int
set_up_memory(struct surface *s)
{
	struct bh_proc *proc = s->proc;
	uint32_t scratch = 0, raw = 0;
	void *mem = bh_seg_section(&proc->private_seg, BH_SEC_SCRATCH, 1, &scratch);
	uint8_t *ring = bh_seg_section(&proc->private_seg, BH_SEC_BYTES, 1, &raw);
	struct bh_bytes_head *head =
		bh_seg_section(&proc->private_seg, BH_SEC_BYTES_HEAD, sizeof(struct bh_bytes_head), NULL);
	s->mem = mem && scratch >= sizeof(*s->mem) ? mem : &s->spare;
	if (!ring || !head || raw < INPUT_RING_MIN) {
		ring = s->spare_ring;
		head = &s->spare_head;
		raw = sizeof(s->spare_ring);
	}
	if (s->mem == &s->spare || head == &s->spare_head)
		bh_bug_peer("no memory of our own that outlives us; a restart will draw the whole desk anew");
	return input_init(&s->input, ring, raw, head);
}

static int
set_up_transport(struct surface *s)
{
	static const struct transport_ops *const ops[] = {[TRANSPORT_RAWMIDI] = &transport_rawmidi,
							  [TRANSPORT_SEQUENCER] = &transport_seq,
							  [TRANSPORT_SOCKET] = &transport_socket};
	const struct surface_config *cfg = config_of(s);
	const struct transport_config t = {
		.path = cfg->path, .card = cfg->card, .port = cfg->port, .usb = cfg->usb, .name = s->proc->name};
	if (cfg->transport == TRANSPORT_SOCKET && !cfg->path[0]) {
		bh_proc_health(s->proc, BH_HEALTH_BAD_CONFIG, "set path to the desk's socket", "transport socket needs a path");
		return -EINVAL;
	}
	return transport_init(&s->transport, ops[cfg->transport], &t);
}

/* Go on with the descriptor that the keeper kept. */
static bool
resume_device(struct surface *s)
{
	int fd = bh_steal_fd(&s->proc->device_fd);
	if (fd < 0 || s->transport.ops->adopt(&s->transport, fd) < 0)
		return false;
	if (s->mem->learned_id)
		s->shadow.caps.sysex_id = s->mem->learned_id;
	device_open(s);
	return true;
}

static void
recall_travel(struct surface *s)
{
	int r = calibration_load(&s->travel, s->proc->name);
	if (r < 0 && r != -ENOENT)
		bh_warn("its calibration in the state folder cannot be used (%s); it goes by fader_min and fader_max. `bulkhead calibrate %s` "
			"makes another", strerror(-r), s->proc->name);
}

static int
surface_start(struct bh_proc *proc, void *state)
{
	struct surface *s = state;
	s->proc = proc;
	s->anchor_fd = -1;
	int left = set_up_memory(s);
	if (left < 0)
		return left;
	recall_travel(s);
	int known = set_up_panel(s, config_of(s));
	if (known < 0) {
		bh_proc_health(proc, BH_HEALTH_BAD_CONFIG, NULL, "this surface's controls are not in the configuration");
		return known;
	}
	int r = set_up_transport(s);
	if (r < 0)
		return r;
	s->retry = bh_timer_new(proc->loop, on_retry, s);
	s->render = bh_timer_new(proc->loop, on_render_timer, s);
	s->refused = bh_timer_new(proc->loop, on_refused_timer, s);
	s->reply = bh_timer_new(proc->loop, on_reply_timer, s);
	s->measured = bh_timer_new(proc->loop, on_measured_timer, s);
	/* Never readable: keeps us in epoll while there is neither a device nor a hint. */
	s->anchor_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!s->retry || !s->render || !s->refused || !s->reply || !s->measured || s->anchor_fd < 0 || !bh_loop_watch(proc->loop, s->anchor_fd, EPOLLIN, on_hint, s))
		return -ENOMEM;
	on_refused_timer(s); /* a predecessor's would flash for ever */
	/* Feedback first, then the hand: what it did while nobody looked is newer for us, and the router decides. */
	if (!proc->successor)
		memset(s->mem->moved_gen, 0, sizeof(s->mem->moved_gen));
	meet_router(s);
	take_feedback(s);
	if (!proc->successor) {
		input_forget(&s->input);
		memset(s->mem->pressed, 0, sizeof(s->mem->pressed));
		s->mem->last_hand = 0;
	} else if (bh_proc_router(proc) && bh_proc_router(proc)->has_out) {
		struct bh_event ev = {.kind = BH_EV_RESYNC, .stamp_ns = bh_now_ns()};
		bh_proc_send(proc, bh_proc_router(proc), &ev, NULL, 0);
		s->recovering = true;
		s->stamp_ns = bh_now_ns();
		if (left > 0)
			bh_info("%d bytes that were read before are decoded now", left);
		decode_all(s);
		s->recovering = false;
	}
	if (resume_device(s)) {
		/* Before anything is sent: a finger may lie on a fader by now. */
		for (unsigned k = 0; k < READS_AT_START && read_device(s); k++)
			;
		return 0;
	}
	let_go(s);
	try_open(s);
	/* The hand may have moved it while nobody looked. */
	if (proc->successor && s->mem->last_hand)
		shadow_leave(&s->shadow, s->mem->last_hand - 1);
	return 0;
}

/* Dark, or as far as the cable takes it in time. */
static void
go_dark(struct surface *s)
{
	uint64_t end = bh_mono_ns() + STOP_LIMIT_MS * BH_NS_PER_MS, now, again_ns;
	shadow_dark(&s->shadow);
	s->blocked = false;
	while (s->transport.fd >= 0 && !shadow_is_settled(&s->shadow) && (now = bh_mono_ns()) < end) {
		if (render(s, &again_ns) < 0)
			return;
		struct pollfd pfd = {.fd = s->transport.fd, .events = s->blocked ? POLLOUT : 0};
		uint64_t until = !s->blocked && again_ns && again_ns < end ? again_ns : end;
		if (!s->blocked && !again_ns)
			return;
		now = bh_mono_ns();
		poll(&pfd, 1, until > now ? (int)((until - now) / BH_NS_PER_MS + 1) : 0);
		s->blocked = false;
	}
}

static void
surface_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct surface *s = state;
	if (clean) {
		if (config_of(s)->on_stop == STOP_DARK)
			go_dark(s);
		if (s->transport.ops && s->transport.ops->keeps)
			bh_proc_keep_device(proc, -1);
	}
	bh_watch_free(s->watch);
	s->watch = NULL;
	transport_fini(&s->transport);
	bh_close(&s->anchor_fd);
}

static int
surface_on_config(struct bh_proc *proc, void *state, const void *new_config, char *why, size_t cap)
{
	struct surface *s = state;
	const struct bh_config *c = &proc->config;
	if (!c->head || !bh_config_surface(c, proc->slot)) {
		snprintf(why, cap, "this surface's controls are not in it");
		return -ENOENT;
	}
	/* A batch that is half written must end first, or the device gets half a message. */
	while (s->tx_len > 0 && s->transport.fd >= 0 && !s->blocked) {
		uint64_t again_ns;
		if (render(s, &again_ns) < 0)
			break;
	}
	const struct surface_config *old = config_of(s), *cfg = new_config;
	bool other_travel = cfg->fader_min != old->fader_min || cfg->fader_max != old->fader_max;
	uint8_t id_before = s->shadow.caps.sysex_id;
	int r = set_up_panel(s, cfg);
	if (r < 0) {
		snprintf(why, cap, "this surface's controls are damaged");
		return r;
	}
	/* An id that the user changed goes before one that the device said. */
	if (cfg->sysex_id != old->sysex_id)
		s->mem->learned_id = 0;
	s->shadow.caps.sysex_id = id_before;
	shadow_device_id(&s->shadow, s->mem->learned_id ? s->mem->learned_id : (uint8_t)cfg->sysex_id);
	/* The same words (others would have restarted us), but the memory of the old ones goes when we return. */
	s->transport.cfg.path = cfg->path;
	s->transport.cfg.card = cfg->card;
	s->transport.cfg.port = cfg->port;
	s->transport.cfg.usb = cfg->usb;
	if (other_travel)
		shadow_forget_gens(&s->shadow); /* what is wanted stands in positions of before */
	look_at_all_cells(s);
	return 0;
}

static void
surface_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	static const char *const alsa[] = {"/usr", "/etc/alsa", "/etc/asound.conf"};
	const struct surface_config *cfg = config;
	char dir[PATH_MAX];
	if (bh_path_state(dir, sizeof(dir), NULL) == 0)
		bh_sandbox_path(plan, BH_MAY_KEEP, dir);
	if (cfg->transport == TRANSPORT_SOCKET) {
		bh_sandbox_parent(plan, BH_MAY_USE, cfg->path);
		bh_sandbox_path(plan, BH_MAY_USE, "/dev/pts");
		return;
	}
	bh_sandbox_drop(plan, BH_MAY_UNIX);
	bh_sandbox_path(plan, BH_MAY_USE, "/dev/snd");
	bh_sandbox_path(plan, BH_MAY_READ, "/proc/asound");
	for (size_t i = 0; cfg->transport == TRANSPORT_SEQUENCER && i < BH_ARRAY_LEN(alsa); i++)
		bh_sandbox_path(plan, BH_MAY_READ, alsa[i]);
	if (cfg->transport == TRANSPORT_SEQUENCER)
		bh_sandbox_home(plan);
}

static const struct bh_proc_ops surface_ops = {
	.kind = "surface",
	.role = BH_ROLE_SURFACE,
	.state_size = sizeof(struct surface),
	.fields = surface_fields,
	.config_size = sizeof(struct surface_config),
	.sandbox = {.line = {{BH_MAY_OPEN_RW, NULL, "opens its desk anew whenever it is plugged in"},
			     {BH_MAY_UNIX, NULL, "its desk may be at a Unix socket; not if it is a MIDI device"},
			     {BH_MAY_CREATE, NULL, "keeps the calibration of its faders"},
			     {BH_MAY_KEEP, NULL, "the state folder: there the calibration is"},
			     {BH_MAY_USE, NULL, "/dev/snd: there MIDI devices are"},
			     {BH_MAY_READ, NULL, "/proc/asound: USB ids of cards"},
			     {BH_MAY_USE, NULL, "the folder of path, if that is set, and /dev/pts: a pty may be there"},
			     {BH_MAY_READ, NULL, "libasound's plug-ins and configuration, if its desk is at the sequencer"}},
		    .configured = surface_sandbox},
	.start = surface_start,
	.stop = surface_stop,
	.drain = surface_drain,
	.on_peer = surface_on_peer,
	.on_config = surface_on_config,
	.on_request = surface_on_request,
	.before_sleep = surface_before_sleep,
};

int
main(int argc, char **argv)
{
	return bh_proc_main(argc, argv, &surface_ops);
}
