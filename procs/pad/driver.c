/*
 * pad - a game pad as a surface, by evdev
 *
 * In:    the pad's events, as the kernel has them; nothing is polled
 * Out:   to the router: presses and releases, and where sticks and triggers stand
 * (common/feedback.h: buttons and pedals) Fails: a pad that goes away lets everything go: sticks to
 * the centre, triggers to 0, buttons released; we are CONNECTING until it is back, and the surface
 * stays the same one. Without the right to open it we are NO_PERMISSION.
 *
 * A kill loses nothing that is still so: the successor asks the device how it stands. What is told
 * stands in our private segment, so a button that is still held is not pressed again, and one that
 * was let go meanwhile is released. A button that was pressed while nobody looked does nothing
 * until it is pressed anew: when that was cannot be known.
 *
 *   absent    hint or retry: open       -> open: the state is read, what differs is told
 *   open      a frame is complete: tell what differs
 *   open      frames were lost          -> the state is read anew
 *   open      read fails                -> absent: everything is let go
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "common/feedback.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/units.h"
#include "procs/pad/model.h"
#include "procs/pad/source.h"

BH_LOG_TOPIC("pad");

enum { LAYOUT_AUTO, LAYOUT_NINTENDO, LAYOUT_XBOX };
enum { EVENTS_A_READ = 64, READS_A_WAKE = 4, NO_CONTROL = 0xffff, MARK_ON = 0x100 };

struct pad_config {
	char *match, *serial, *path;
	uint32_t layout;
	double deadzone, gamma, trigger;
	bool invert_lx, invert_ly, invert_rx, invert_ry, invert_zl, invert_zr;
	bool grab;
};

static const char *const layout_names[] = {"auto", "nintendo", "xbox", NULL};

#define FIELD(member, ...) BH_CFG(struct pad_config, member, .reload = BH_RELOAD_LIVE, __VA_ARGS__)
static const struct bh_cfg_field pad_fields[] = {
	FIELD(match, .type = BH_CFG_STR, .def = "",
	      .help = "part of the pad's name, upper or lower case; the first that fits is taken; "
		      "empty takes any"),
	FIELD(serial, .type = BH_CFG_STR, .def = "",
	      .help = "part of its serial number or Bluetooth address, to tell two of a name "
		      "apart; empty takes any"),
	BH_CFG(struct pad_config, path, .type = BH_CFG_PATH, .def = "",
	      .help = "instead of match: the node of one pad, or a Unix socket that delivers "
		      "struct input_event"),
	FIELD(layout, .type = BH_CFG_ENUM, .def = "auto", .choices = layout_names,
	      .help = "where a and b are: nintendo has a in the east, xbox in the south; auto goes "
		      "by the maker"),
	FIELD(deadzone, .type = BH_CFG_FLOAT, .def = "0.02", .min = "0", .max = "0.9",
	      .help = "so much of the way from the centre does nothing; the rest is stretched"),
	FIELD(gamma, .type = BH_CFG_FLOAT, .def = "1.5", .min = "0.1", .max = "10",
	      .help = "sticks and triggers are bent by this power; above 1 it is finer near the "
		      "centre"),
	FIELD(trigger, .type = BH_CFG_FLOAT, .def = "0.5", .min = "0.05", .max = "1",
	      .help = "a trigger pulled so far is lt or rt pressed"),
	FIELD(invert_lx, .type = BH_CFG_BOOL, .def = "false", .help = "the left stick's left is 1"),
	FIELD(invert_ly, .type = BH_CFG_BOOL, .def = "false",
	      .help = "the left stick's lower end is 1"),
	FIELD(invert_rx, .type = BH_CFG_BOOL, .def = "false",
	      .help = "the right stick's left is 1"),
	FIELD(invert_ry, .type = BH_CFG_BOOL, .def = "false",
	      .help = "the right stick's lower end is 1"),
	FIELD(invert_zl, .type = BH_CFG_BOOL, .def = "false",
	      .help = "the left trigger is 1 when it is idle"),
	FIELD(invert_zr, .type = BH_CFG_BOOL, .def = "false",
	      .help = "the right trigger is 1 when it is idle"),
	FIELD(grab, .type = BH_CFG_BOOL, .def = "false",
	      .help = "for us alone: other programs do not see the pad"),
	BH_CFG_LAST,
};

/* In the private segment: survives us. */
struct pad_memory {
	uint32_t pressed; /* buttons as told */
	uint32_t mark; /* the button that is being told + 1, with MARK_ON for a press; 0 = none */
	uint64_t mark_pos, mark_ns; /* of the outbox before that; its stamp */
	double told[PAD_AXES];
	uint32_t epoch; /* of the outbox in which this was told */
	uint32_t pad;
};
static_assert(sizeof(struct pad_memory) == 80, "survives us");

struct pad_proc {
	struct bh_proc *proc;   /* borrowed: outlives us */
	struct pad_memory *mem; /* borrowed: private segment, or `spare` */
	struct pad_memory spare;
	struct pad_config cfg; /* its texts are the configuration's */
	struct pad pad;
	struct source source;
	uint16_t button[PAD_BUTTONS], axis[PAD_AXES]; /* their controls, or NO_CONTROL */
	struct bh_watch *watch; /* of the pad, or of the hint while it is absent */
	struct bh_timer *retry;
	int anchor_fd; /* owned */
	uint32_t deaf; /* held since before we looked */
	bool fresh;    /* the first look at a pad that was opened */
	bool seen;     /* it was open in this life */
	unsigned tries;
	uint64_t stamp_ns;
};

/* ---- to the router --------------------------------------------------------------------------- */

static struct bh_peer *
router_of(struct pad_proc *d)
{
	struct bh_peer *router = bh_proc_router(d->proc);
	return router && router->has_out ? router : NULL;
}

/* Of each its own: by its stamp an action is known. */
static uint64_t
next_stamp(struct pad_proc *d)
{
	uint64_t now = bh_now_ns();
	d->stamp_ns = now > d->stamp_ns ? now : d->stamp_ns + 1;
	return d->stamp_ns;
}

static void
set_pressed(struct pad_proc *d, unsigned button, bool on)
{
	uint32_t bit = 1u << button;
	__atomic_store_n(&d->mem->pressed, on ? d->mem->pressed | bit : d->mem->pressed & ~bit,
			 __ATOMIC_RELEASE);
}

static void
tell_button(struct pad_proc *d, unsigned button, bool on, uint64_t stamp_ns)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 10000);
	struct bh_peer *router = router_of(d);
	if (!router)
		return;
	d->mem->mark_pos = router->out.ring.pos;
	d->mem->mark_ns = stamp_ns;
	__atomic_store_n(&d->mem->mark, (button + 1) | (on ? MARK_ON : 0), __ATOMIC_RELEASE);
	int r = 0;
	if (d->button[button] != NO_CONTROL) {
		struct bh_event ev = {.kind = on ? BH_EV_PRESS : BH_EV_RELEASE,
				      .id = d->button[button],
				      .type = BH_BOOL,
				      .stamp_ns = stamp_ns,
				      .v.i = on};
		r = bh_proc_put(d->proc, router, &ev, NULL, on ? BH_CELL_PRESSED : 0);
	}
	set_pressed(d, button, on);
	__atomic_store_n(&d->mem->mark, 0, __ATOMIC_RELEASE);
	if (r < 0 && on)
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
			       "the router takes no presses now; refused and counted");
}

/*
 * Sticks leave half of the ring to the buttons: while the router does not read, the newest position
 * waits in its cell, and no edge of a button is lost.
 */
static void
tell_axis(struct pad_proc *d, unsigned axis, double pos)
{
	struct bh_peer *router = router_of(d);
	double rest = pad_axis_rest(&d->pad, (enum pad_axis)axis);
	if (!router || !pad_axis_differs(d->mem->told[axis], pos, rest, axis < PAD_ZL ? 0.5 : 1))
		return;
	d->mem->told[axis] = pos;
	if (d->axis[axis] == NO_CONTROL)
		return;
	struct bh_event ev = {.kind = BH_EV_VALUE,
			      .id = d->axis[axis],
			      .type = BH_FLOAT,
			      .stamp_ns = next_stamp(d),
			      .v.f = pos};
	struct bh_outbox *out = &router->out;
	if (bh_ring_room(&out->ring) > (out->ring.mask + 1) / 2)
		bh_proc_put(d->proc, router, &ev, NULL, 0);
	else
		bh_outbox_conflate(out, &ev, NULL, 0);
}

static void
tell_buttons(struct pad_proc *d, uint32_t held)
{
	uint32_t differ = held ^ d->mem->pressed;
	for (int on = 0; on <= 1; on++) /* releases go first */
		for (unsigned b = 0; b < PAD_BUTTONS; b++)
			if (differ >> b & 1 && (held >> b & 1) == (uint32_t)on)
				tell_button(d, b, on, next_stamp(d));
}

static void
tell_axes(struct pad_proc *d, const double pos[PAD_AXES])
{
	for (unsigned a = 0; a < PAD_AXES; a++)
		tell_axis(d, a, pos[a]);
}

/* Tell what differs from what was told. */
static void
look(struct pad_proc *d)
{
	double pos[PAD_AXES];
	uint32_t held = pad_held(&d->pad);
	if (d->fresh)
		d->deaf = held & ~d->mem->pressed;
	d->fresh = false;
	d->deaf &= held;
	pad_position(&d->pad, pos);
	tell_buttons(d, held & ~d->deaf);
	tell_axes(d, pos);
}

/* No hand can be on a pad that is away. */
static void
let_go(struct pad_proc *d)
{
	double pos[PAD_AXES];
	for (unsigned a = 0; a < PAD_AXES; a++)
		pos[a] = pad_axis_rest(&d->pad, (enum pad_axis)a);
	tell_axes(d, pos); /* first what moves something */
	tell_buttons(d, 0);
}

/* ---- the pad --------------------------------------------------------------------------------- */

static void on_pad(void *data, int fd, uint32_t events);
static void on_hint(void *data, int fd, uint32_t events);

static void
watch_fd(struct pad_proc *d, int fd, bh_fd_fn fn)
{
	bh_watch_free(d->watch);
	d->watch = fd >= 0 ? bh_loop_watch(d->proc->loop, fd, EPOLLIN, fn, d) : NULL;
}

static void
say_absent(struct pad_proc *d, int err)
{
	const struct pad_config *cfg = &d->cfg;
	const char *what = cfg->path[0] ? cfg->path : cfg->match[0] ? cfg->match : "any game pad";
	switch (-err) {
	case EACCES:
	case EPERM:
		bh_proc_health(d->proc, BH_HEALTH_NO_PERMISSION,
			       "log in at this machine itself, or add this user to the group input",
			       "not allowed to open %s", what);
		break;
	case EBUSY:
		bh_proc_health(d->proc, BH_HEALTH_CONNECTING,
			       "close the other program, or use grab: no",
			       "another program has %s for itself", what);
		break;
	case ENODEV:
		bh_proc_health(d->proc, BH_HEALTH_CONNECTING,
			       "is it plugged in, or paired and switched on?", "waiting for %s",
			       what);
		break;
	default:
		bh_proc_health(d->proc, BH_HEALTH_CONNECTING, NULL, "cannot open %s: %s", what,
			       strerror(-err));
		break;
	}
}

/* A few times soon after a hint, as nodes appear before their rights do. After that the kernel
 * tells us; it says nothing of sockets. */
static void
retry_later(struct pad_proc *d)
{
	static const uint16_t wait_ms[] = {50, 200, 1000, 2000, 5000};
	unsigned k = d->tries < BH_ARRAY_LEN(wait_ms) ? d->tries : BH_ARRAY_LEN(wait_ms) - 1;
	if (d->tries++ >= BH_ARRAY_LEN(wait_ms) && d->source.hint_fd >= 0 && !d->cfg.path[0])
		return;
	bh_timer_in_ms(d->retry, wait_ms[k]);
}

static struct pad_options
options_of(const struct pad_proc *d)
{
	const struct pad_config *c = &d->cfg;
	return (struct pad_options){
		.bend = {.deadzone = c->deadzone, .gamma = c->gamma},
		.trigger = c->trigger,
		.nintendo = c->layout == LAYOUT_NINTENDO ||
			    (c->layout == LAYOUT_AUTO && d->source.nintendo),
		.invert = {c->invert_lx, c->invert_ly, c->invert_rx, c->invert_ry, c->invert_zl,
			   c->invert_zr},
	};
}

static void
pad_open(struct pad_proc *d, const struct pad_state *state)
{
	const struct pad_options o = options_of(d);
	d->tries = 0;
	bh_timer_at(d->retry, 0, 0);
	pad_init(&d->pad, &o, state);
	d->pad.pulled[0] = d->mem->pressed >> PAD_LT & 1;
	d->pad.pulled[1] = d->mem->pressed >> PAD_RT & 1;
	d->fresh = true;
	watch_fd(d, d->source.fd, on_pad);
	if (d->seen)
		bh_count(d->proc, BH_CNT_RECONNECTS, 1);
	d->seen = true;
	bh_info("%s is there", d->source.what);
	bh_proc_health(d->proc, BH_HEALTH_OK, NULL, "%s", "");
	if (state)
		look(d);
	if (d->deaf)
		bh_info("a button of %s is held already; it does nothing until it is pressed anew",
			d->source.what);
}

static void
pad_absent(struct pad_proc *d, int err)
{
	let_go(d);
	say_absent(d, err);
	watch_fd(d, d->source.hint_fd, on_hint);
	retry_later(d);
}

static void
try_open(struct pad_proc *d)
{
	const struct source_config c = {.path = d->cfg.path,
					.match = d->cfg.match,
					.serial = d->cfg.serial,
					.grab = d->cfg.grab};
	struct pad_state state;
	watch_fd(d, -1, NULL);
	int r = source_open(&d->source, &c);
	int asked = r < 0 ? r : source_state(&d->source, &state);
	if (asked < 0 && asked != -ENOTTY) {
		source_close(&d->source);
		pad_absent(d, asked);
		return;
	}
	pad_open(d, asked < 0 ? NULL : &state);
}

static void
on_retry(void *data)
{
	try_open(data);
}

static void
on_hint(void *data, int fd, uint32_t events)
{
	struct pad_proc *d = data;
	(void)fd, (void)events;
	watch_fd(d, -1, NULL);
	if (source_hint(&d->source))
		d->tries = 0;
	try_open(d);
}

static void
pad_lost(struct pad_proc *d, int err)
{
	bh_info("%s is gone (%s): its sticks are centred, its buttons let go; waiting for it",
		d->source.what, strerror(-err));
	watch_fd(d, -1, NULL);
	source_close(&d->source);
	d->tries = 0;
	d->deaf = 0;
	pad_absent(d, -ENODEV);
}

/* Frames were lost. 0, or -errno: it is gone. */
static int
read_anew(struct pad_proc *d)
{
	struct pad_state state;
	bh_count(d->proc, BH_CNT_LINK_ODDITIES, 1);
	int r = source_state(&d->source, &state);
	if (r == -ENOTTY) {
		d->pad.lost = false;
		pad_rest(&d->pad); /* the next frame says all */
		return 0;
	}
	if (r < 0)
		return r;
	pad_set_state(&d->pad, &state);
	look(d);
	return 0;
}

static int
take(struct pad_proc *d, const struct input_event *ev)
{
	switch (pad_event(&d->pad, ev)) {
	case PAD_MORE: break;
	case PAD_FRAME: look(d); break;
	case PAD_REREAD: return read_anew(d);
	}
	return 0;
}

/* At most a few reads, so that a pad that never stops does not keep us. */
static void
on_pad(void *data, int fd, uint32_t events)
{
	struct pad_proc *d = data;
	struct input_event ev[EVENTS_A_READ];
	(void)fd, (void)events;
	for (unsigned k = 0; k < READS_A_WAKE; k++) {
		ssize_t n = source_read(&d->source, ev, EVENTS_A_READ);
		if (n == -EAGAIN || n == -EINTR)
			return;
		int r = n < 0 ? (int)n : 0;
		for (ssize_t i = 0; i < n && r == 0; i++)
			r = take(d, &ev[i]);
		if (r < 0) {
			pad_lost(d, r);
			return;
		}
		bh_count(d->proc, BH_CNT_BYTES_IN, (uint64_t)n * sizeof(ev[0]));
		if (n < EVENTS_A_READ)
			return;
	}
}

/* ---- from the router ------------------------------------------------------------------------- */

/* A pad shows nothing. */
static void
pad_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	uint64_t overflow;
	(void)state;
	bool conflated = bh_inbox_overflowed(&peer->in, &overflow);
	while (bh_proc_take(proc, peer, &ev, payload, &len))
		bh_proc_done(proc, peer, &ev);
	if (conflated)
		peer->in.overflow_seen = overflow;
}

/* What was told into another outbox is told again, unless it is at rest. */
static void
meet_router(struct pad_proc *d)
{
	struct bh_peer *router = router_of(d);
	if (!router || d->mem->epoch == router->out.seg.head.epoch)
		return;
	d->mem->epoch = router->out.seg.head.epoch;
	for (unsigned a = 0; a < PAD_AXES; a++)
		if (d->mem->told[a] != pad_axis_rest(&d->pad, (enum pad_axis)a))
			d->mem->told[a] = NAN;
}

static void
pad_on_peer(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct pad_proc *d = state;
	(void)proc;
	if (peer->slot != BH_SLOT_ROUTER || !peer->present)
		return;
	meet_router(d);
	if (d->source.fd < 0)
		let_go(d);
	else if (!d->fresh)
		look(d);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Where each button and axis stands on the panel. */
static int
set_up_panel(struct pad_proc *d)
{
	const struct bh_config *c = &d->proc->config;
	const struct bh_cfg_surface *row = c->head ? bh_config_surface(c, d->proc->slot) : NULL;
	if (!row)
		return -ENOENT;
	memset(d->button, 0xff, sizeof(d->button));
	memset(d->axis, 0xff, sizeof(d->axis));
	for (uint16_t n = 0; n < row->controls && n < BH_MAX_CONTROLS; n++) {
		const struct bh_cfg_control *control = bh_config_control(c, row, n);
		if (!control)
			return -ENOENT;
		if (control->kind == BH_CTL_BUTTON && control->addr < PAD_BUTTONS)
			d->button[control->addr] = n;
		else if (control->kind == BH_CTL_PEDAL && control->addr < PAD_AXES)
			d->axis[control->addr] = n;
	}
	return 0;
}

/*
 * A predecessor was killed while it told of a button. What was not told is told now, with the stamp
 * of then: whether that is too late, the consumer judges. Where it cannot be known: rather none
 * than two.
 */
static void
finish_mark(struct pad_proc *d)
{
	struct bh_peer *router = router_of(d);
	uint32_t button = (d->mem->mark & ~(uint32_t)MARK_ON) - 1;
	bool on = d->mem->mark & MARK_ON;
	if (!d->mem->mark || button >= PAD_BUTTONS || !router ||
	    d->mem->epoch != router->out.seg.head.epoch)
		;
	else if (bh_outbox_since(&router->out, d->mem->mark_pos) == 0)
		tell_button(d, button, on, d->mem->mark_ns);
	else
		set_pressed(d, button, on);
	d->mem->mark = 0;
}

static void
set_up_memory(struct pad_proc *d)
{
	uint32_t size = 0;
	void *mem = bh_seg_section(&d->proc->private_seg, BH_SEC_SCRATCH, 1, &size);
	d->mem = mem && size >= sizeof(*d->mem) ? mem : &d->spare;
	if (d->mem == &d->spare)
		bh_bug_peer("no memory of our own that outlives us; buttons held over a restart "
			    "stay pressed until they are used");
	if (d->proc->successor && mem)
		return;
	memset(d->mem, 0, sizeof(*d->mem));
	for (unsigned a = 0; a < PAD_AXES; a++)
		d->mem->told[a] = pad_axis_rest(
			&d->pad, (enum pad_axis)a); /* nothing moves until a hand does */
}

static int
pad_start(struct bh_proc *proc, void *state)
{
	struct pad_proc *d = state;
	d->proc = proc;
	d->cfg = *(const struct pad_config *)bh_proc_config(proc);
	d->anchor_fd = -1;
	source_init(&d->source);
	int r = set_up_panel(d);
	if (r < 0) {
		bh_proc_health(proc, BH_HEALTH_BAD_CONFIG, NULL,
			       "this surface's controls are not in the configuration");
		return r;
	}
	const struct pad_options o = options_of(d);
	pad_init(&d->pad, &o, NULL);
	set_up_memory(d);
	d->retry = bh_timer_new(proc->loop, on_retry, d);
	/* Never readable: keeps us in epoll while there is neither a pad nor a hint. */
	d->anchor_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!d->retry || d->anchor_fd < 0 ||
	    !bh_loop_watch(proc->loop, d->anchor_fd, EPOLLIN, on_hint, d))
		return -ENOMEM;
	finish_mark(d);
	meet_router(d);
	try_open(d);
	return 0;
}

static void
pad_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct pad_proc *d = state;
	if (clean) {
		let_go(d); /* or a camera goes on */
		bh_proc_flush(proc);
	}
	bh_watch_free(d->watch);
	d->watch = NULL;
	source_fini(&d->source);
	bh_close(&d->anchor_fd);
}

static int
pad_on_config(struct bh_proc *proc, void *state, const void *new_config, char *why, size_t cap)
{
	struct pad_proc *d = state;
	const struct pad_config old = d->cfg, *cfg = new_config;
	uint16_t button[PAD_BUTTONS], axis[PAD_AXES];
	if (!proc->config.head || !bh_config_surface(&proc->config, proc->slot)) {
		snprintf(why, cap, "this surface's controls are not in it");
		return -ENOENT;
	}
	bool other = strcmp(old.path, cfg->path) || strcmp(old.match, cfg->match) ||
		     strcmp(old.serial, cfg->serial);
	memcpy(button, d->button, sizeof(button));
	memcpy(axis, d->axis, sizeof(axis));
	if (set_up_panel(d) < 0) {
		memcpy(d->button, button, sizeof(button));
		memcpy(d->axis, axis, sizeof(axis));
		snprintf(why, cap, "this surface's controls are damaged");
		return -EBADMSG;
	}
	d->cfg = *cfg;
	if (other) {
		watch_fd(d, -1, NULL);
		source_close(&d->source);
		bh_close(&d->source.hint_fd);
		let_go(d);
	}
	d->pad.opt = options_of(d);
	d->tries = 0;
	if (d->source.fd < 0) {
		try_open(d);
		return 0;
	}
	if (old.grab != cfg->grab && source_grab(&d->source, cfg->grab) < 0)
		bh_warn("another program has %s for itself; it stays as it was", d->source.what);
	if (!d->fresh)
		look(d);
	return 0;
}

static void
pad_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	const struct pad_config *cfg = config;
	bh_sandbox_parent(plan, BH_MAY_USE, cfg->path);
	if (!cfg->path[0])
		bh_sandbox_drop(plan, BH_MAY_UNIX);
}

static const struct bh_proc_ops pad_ops = {
	.kind = "pad",
	.role = BH_ROLE_SURFACE,
	.state_size = sizeof(struct pad_proc),
	.fields = pad_fields,
	.config_size = sizeof(struct pad_config),
	.sandbox = {.line = {{BH_MAY_UNIX, NULL, "a pad may be at a Unix socket: path"},
			     {BH_MAY_USE, "/dev/input", "there the nodes are; they are opened to read"},
			     {BH_MAY_READ, "/sys/class/input", "the names of pads that it may not open"},
			     {BH_MAY_READ, "/sys/devices", "where those lead to"},
			     {BH_MAY_USE, NULL, "the folder of path, if that is set"}},
		    .configured = pad_sandbox},
	.start = pad_start,
	.stop = pad_stop,
	.drain = pad_drain,
	.on_peer = pad_on_peer,
	.on_config = pad_on_config,
};

int
main(int argc, char **argv)
{
	return bh_proc_main(argc, argv, &pad_ops);
}
