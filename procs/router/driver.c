/*
 * router - owns the wanted state and the state of the surfaces: pages, bindings, feedback
 *
 * In:    events of surfaces and drivers, requests of bh-control and bh-store, what the supervisor says of others' health
 * Out:   to surfaces what each control shall show; to drivers wanted values and actions; to the store a hint that the state
 *        changed; to bh-control results
 * Fails: killed at any instruction, its successor finishes what was committed and goes on (engine.h). A peer that writes
 *        nonsense is counted and ignored. A configuration that does not fit is refused, the old one stays. Nothing here
 *        waits for anyone: a full ring conflates values and refuses actions, visibly.
 *
 * It has no descriptors but the socketpair, so it sleeps on the words of its rings.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/proc.h"
#include "common/units.h"
#include "procs/router/engine.h"
#include "shm/words.h"

BH_LOG_TOPIC("router");

struct router_config {
	uint32_t hand_window, settle, echo_window, motor_window, flash, press_age, overlay;
};

static const struct bh_cfg_field router_fields[] = {
	BH_CFG(struct router_config, hand_window, .type = BH_CFG_MS, .def = "300ms", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "after a hand has moved a fader the backend does not drive it for so long"),
	BH_CFG(struct router_config, settle, .type = BH_CFG_MS, .def = "90ms", .max = "2s", .reload = BH_RELOAD_LIVE,
	       .help = "from the release of a fader until its motor is set (at once at both ends)"),
	BH_CFG(struct router_config, echo_window, .type = BH_CFG_MS, .def = "250ms", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "a report that differs from what was set and not confirmed yet is an older echo until the backend has been silent for so long"),
	BH_CFG(struct router_config, motor_window, .type = BH_CFG_MS, .def = "250ms", .max = "2s", .reload = BH_RELOAD_LIVE,
	       .help = "what an untouched fader reports so soon after its motor was sent is no hand"),
	BH_CFG(struct router_config, flash, .type = BH_CFG_MS, .def = "1s", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "the button of an action that did not happen flashes for so long"),
	BH_CFG(struct router_config, press_age, .type = BH_CFG_MS, .def = "1s", .min = "10ms", .max = "10s",
	       .reload = BH_RELOAD_LIVE, .help = "an older press toggles nothing and turns no page"),
	BH_CFG(struct router_config, overlay, .type = BH_CFG_MS, .def = "1500ms", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "after a fader or V-Pot was let go its strip shows the value for so long; 0 = never"),
	BH_CFG_LAST,
};

static const char *const router_hists[] = {"taken", NULL};

struct router_proc {
	struct router r;
	struct bh_proc *proc;	   /* borrowed: outlives us */
	struct bh_timer *due;	   /* owned by the loop: the core's next deadline */
	uint64_t due_ns;	   /* what `due` is armed for, CLOCK_BOOTTIME */
	uint64_t hint_end;	   /* position after our last hint in the ring to the store, 0 = none yet */
	uint64_t zone_ns;	   /* when we looked at the time zone last */
	int64_t zone_s;		   /* east of Greenwich */
};

static struct bh_core_options
windows(const struct router_config *c)
{
	return (struct bh_core_options){
		.hand_ms = c->hand_window,
		.settle_ms = c->settle,
		.echo_ms = c->echo_window,
		.motor_ms = c->motor_window,
		.flash_ms = c->flash,
		.press_age_ms = c->press_age,
		.overlay_ms = c->overlay,
	};
}

/* Displays may show the time of day, and nothing but our own timers turns its hands. Summer time begins within a minute. */
static void
router_clock(struct router_proc *p)
{
	struct timespec ts;
	struct tm tm;
	uint64_t now = bh_now_ns();
	clock_gettime(CLOCK_REALTIME, &ts);
	if (!p->zone_ns || now - p->zone_ns > 60 * BH_NS_PER_S) {
		p->zone_ns = now;
		p->zone_s = localtime_r(&ts.tv_sec, &tm) ? tm.tm_gmtoff : 0;
	}
	bh_core_clock(p->r.core, (ts.tv_sec + p->zone_s) * (int64_t)BH_NS_PER_S + ts.tv_nsec - (int64_t)now);
}

/* ------------------------------------------------------------------ inputs */

static bool
router_on_mail(void *data)
{
	struct router_proc *p = data;
	bh_proc_mail(p->proc);
	return false; /* our peers, the supervisor among them, may have new rings */
}

static void
router_drain_peer(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct router_proc *p = state;
	(void)proc;
	router_drain(&p->r, peer->slot, router_on_mail, p);
}

static void
router_on_due(void *data)
{
	struct router_proc *p = data;
	p->due_ns = 0; /* and before sleeping, what is due is done: after what happened before it and still stands in the rings */
	router_clock(p);
}

static void
take_peer(struct router_proc *p, struct bh_peer *peer)
{
	router_peer_changed(&p->r, peer->slot, peer->present && peer->has_in ? &peer->in : NULL,
			    peer->present && peer->has_out ? &peer->out : NULL,
			    peer->present && peer->has_dir ? &peer->dir : NULL);
}

/* Our own parameters, for others to see. A reader who meets us between two configurations sees what its check sums let pass. */
static void
tell_room(struct router_proc *p)
{
	if (p->proc->dir.head && router_tell_room(&p->r, &p->proc->dir) < 0)
		bh_warn("there are more of the room's own parameters than can be told to others: some are not listed");
}

static void
router_on_peer(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct router_proc *p = state;
	(void)proc;
	take_peer(p, peer);
	if (peer->slot == BH_SLOT_STORE) {
		p->hint_end = 0;
		p->r.dirty = true;
	}
	if (peer->present)
		router_meet(&p->r, peer->slot);
}

static int
router_on_config(struct bh_proc *proc, void *state, const void *new_config, char *why, size_t cap)
{
	struct router_proc *p = state;
	struct bh_core_options opt = windows(new_config);
	int r = router_config(&p->r, &proc->config, &opt, why, cap);
	if (r == 0)
		tell_room(p);
	return r;
}

/* ------------------------------------------------------------------ before sleeping */

/*
 * One hint at a time. While the store has not taken the last one, it has not looked at the state yet either: it will see what
 * changed meanwhile.
 */
static void
tell_store(struct router_proc *p)
{
	struct bh_peer *store = bh_proc_peer(p->proc, BH_SLOT_STORE);
	if (!p->r.dirty || !store || !store->has_out)
		return;
	p->r.dirty = false;
	/* A snapshot that is due will show this change, too; see store_is_due() in procs/store/driver.c. */
	shm_full_barrier();
	if (__atomic_load_n(&store->self->state_gen, __ATOMIC_RELAXED) & 1)
		return;
	uint64_t taken = __atomic_load_n(&store->self->cursor[p->proc->slot], __ATOMIC_ACQUIRE);
	if (p->hint_end && taken < p->hint_end)
		return;
	struct bh_event ev = {.kind = BH_EV_DIRTY, .stamp_ns = bh_now_ns()};
	if (bh_proc_send(p->proc, store, &ev, NULL, 0) == 0)
		p->hint_end = store->out.ring.pos;
	else
		p->r.dirty = true; /* full of results: with the next change */
}

static void
router_before_sleep(struct bh_proc *proc, void *state)
{
	struct router_proc *p = state;
	(void)proc;
	router_steps(&p->r);
	uint64_t due = bh_core_deadline(p->r.core), now = due ? bh_now_ns() : 0;
	if (due && due <= now) {
		router_timers(&p->r, now, now);
		due = bh_core_deadline(p->r.core);
	}
	tell_store(p);
	if (due == p->due_ns)
		return;
	p->due_ns = due;
	bh_timer_at(p->due, due ? bh_mono_ns() + (due > now ? due - now : 1) : 0, 0);
}

/* ------------------------------------------------------------------ life */

static int
router_start(struct bh_proc *proc, void *state)
{
	struct router_proc *p = state;
	struct bh_core_options opt = windows(bh_proc_config(proc));
	char why[96] = "";
	p->proc = proc;
	int ret = router_init(&p->r, &proc->state_seg, &proc->private_seg, proc->self);
	if (ret < 0) {
		bh_proc_health(proc, BH_HEALTH_FAILED, NULL, "its segments cannot be used: %s", strerror(-ret));
		return ret;
	}
	p->r.taken = proc->hists;
	p->r.account = proc->account;
	router_clock(p);
	p->due = bh_timer_new(proc->loop, router_on_due, p);
	if (!p->due)
		return -ENOMEM;
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		take_peer(p, &proc->peer[s]);
	int bad = router_recover(&p->r);
	if (bad)
		bh_warn("%d records of the state were damaged; they are shown as unknown until they are reported anew", bad);
	ret = router_config(&p->r, &proc->config, &opt, why, sizeof(why));
	if (ret < 0)
		bh_proc_health(proc, BH_HEALTH_BAD_CONFIG, "see `bulkhead config show`", "%s", why);
	else
		tell_room(p);
	return ret;
}

static void
router_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct router_proc *p = state;
	(void)proc, (void)clean;
	router_fini(&p->r);
}

static const struct bh_proc_ops router_ops = {
	.kind = "router",
	.role = BH_ROLE_ROUTER,
	.state_size = sizeof(struct router_proc),
	.fields = router_fields,
	.config_size = sizeof(struct router_config),
	.hists = router_hists,
	.start = router_start,
	.stop = router_stop,
	.drain = router_drain_peer,
	.wants_supervisor = true,
	.on_peer = router_on_peer,
	.on_config = router_on_config,
	.before_sleep = router_before_sleep,
};

int
main(int argc, char **argv)
{
	tzset(); /* reads a file, which is not allowed later */
	return bh_proc_main(argc, argv, &router_ops);
}
