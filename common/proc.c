/*
 * proc.c - see proc.h
 *
 * Two ways to sleep. With descriptors of its own a process sleeps in epoll, where its bell's pipe, the socketpair and a
 * signalfd are watched too. Without, it sleeps on the futex words of its inboxes; signals and the end of the socketpair
 * then move a word of our own that is slept on together with them, so that nothing can slip in between look and sleep.
 */
#include "common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/crash.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/spawn.h"
#include "common/units.h"
#include "common/warm.h"

BH_LOG_TOPIC("proc");

#define OWED_LOOKS 4	/* how often the cursor of a consumer that owes us work is looked at, until its patience is over */
#define OWED_LOOK_MAX_NS (500 * BH_NS_PER_MS)
#define OWED_REMIND_NS (100 * BH_NS_PER_MS)
#define OWED_DEFAULT_MS 1000u
#define SLICE_NS 100000		/* the shortest that the kernel takes */
#ifndef SCHED_FLAG_KEEP_POLICY
#define SCHED_FLAG_KEEP_POLICY 0x08 /* of linux/sched.h, which does not go together with sched.h */
#endif
#define BELL_DRAIN_EVERY 1024	/* wake-ups between two reads of the bell's pipe (edge-triggered; holds 65536) */

/* Moved by signal handlers; futex sleepers sleep on it, too. */
static volatile uint32_t proc_signal_word;
static volatile sig_atomic_t proc_stop_asked, proc_mail_came;

static void
on_stop_signal(int sig)
{
	(void)sig;
	proc_stop_asked = 1;
	proc_signal_word++;
}

static void
on_io_signal(int sig)
{
	(void)sig;
	proc_mail_came = 1;
	proc_signal_word++;
}

/* ------------------------------------------------------------------ peers */

struct peer_fds {
	int self, out, in, params, state, bell_wr;
};

static const struct peer_fds no_fds = {-1, -1, -1, -1, -1, -1};

/* Each slot of a set, from the highest down: drivers and surfaces wait for nobody, supervisor and store can. */
#define FOR_EACH_SLOT(s, set) \
	for (uint32_t rest_ = (set), s; rest_ && (s = 31u - (uint32_t)__builtin_clz(rest_), 1); rest_ &= ~(1u << s))

static void
peer_unmap(struct bh_proc *proc, struct bh_peer *p)
{
	if (p->has_in)
		bh_inbox_detach(&p->in);
	if (p->has_out)
		bh_outbox_detach(&p->out);
	bh_seg_unmap(&p->self_seg);
	bh_seg_unmap(&p->params_seg);
	bh_seg_unmap(&p->state_seg);
	bh_close(&p->bell_wr);
	p->has_in = p->has_out = p->has_dir = p->present = false;
	p->self = NULL;
	proc->ins &= ~(1u << p->slot);
	proc->outs &= ~(1u << p->slot);
}

static void
peer_name(struct bh_proc *proc, struct bh_peer *p)
{
	const struct bh_cfg_proc *row = proc->config.head ? bh_config_proc(&proc->config, p->slot) : NULL;
	static const struct {
		const char *name;
		enum bh_role role;
	} known[BH_SLOT_FIRST_FREE] = {
		[BH_SLOT_SUPERVISOR] = {"supervisor", BH_ROLE_SUPERVISOR},
		[BH_SLOT_ROUTER] = {"router", BH_ROLE_ROUTER},
		[BH_SLOT_CONTROL] = {"control", BH_ROLE_CONTROL},
		[BH_SLOT_STORE] = {"store", BH_ROLE_STORE},
	};
	if (p->slot < BH_SLOT_FIRST_FREE) {
		snprintf(p->name, sizeof(p->name), "%s", known[p->slot].name);
		snprintf(p->kind, sizeof(p->kind), "%s", known[p->slot].name);
		p->role = (uint8_t)known[p->slot].role;
	} else if (row) {
		snprintf(p->name, sizeof(p->name), "%s", bh_config_str(&proc->config, row->name));
		snprintf(p->kind, sizeof(p->kind), "%s", bh_config_str(&proc->config, row->kind));
		p->role = row->role;
	}
}

/* Map what came for a peer; what did not come stays as it is. 0 or -errno (the peer is then not present). */
static int
peer_attach(struct bh_proc *proc, uint16_t slot, struct peer_fds *f)
{
	struct bh_peer *p = &proc->peer[slot];
	int r = 0;
	p->slot = slot;
	peer_name(proc, p);
	if (f->bell_wr >= 0) {
		bh_close(&p->bell_wr);
		p->bell_wr = bh_steal_fd(&f->bell_wr);
		if (p->has_out)
			p->out.bell.pipe_wr = p->bell_wr;
	}
	if (f->self >= 0) {
		/* The outbox looks into the peer's self: it must follow to the new one. */
		struct bh_seg fresh = {0};
		r = bh_seg_map(&fresh, f->self, BH_SEG_SELF, false);
		if (r < 0)
			return r;
		bh_seg_unmap(&p->self_seg);
		p->self_seg = fresh;
		p->self = bh_seg_section(&p->self_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
		if (!p->self)
			return -EPROTO;
		if (p->has_out) {
			p->out.bell.sleeper = p->self;
			p->out.ring.cursor = &p->self->cursor[proc->slot];
		}
	}
	if (f->out >= 0 && p->self) {
		if (p->has_out)
			bh_outbox_detach(&p->out);
		p->has_out = false;
		proc->outs &= ~(1u << slot);
		r = bh_outbox_attach(&p->out, f->out, proc->self, p->self, p->bell_wr);
		if (r < 0)
			return r;
		p->out.account = proc->account ? &proc->account[slot * BH_CLASSES] : NULL;
		p->has_out = true;
		proc->outs |= 1u << slot;
	}
	if (f->in >= 0) {
		if (p->has_in)
			bh_inbox_detach(&p->in);
		p->has_in = false;
		proc->ins &= ~(1u << slot);
		r = bh_inbox_attach(&p->in, f->in, proc->self, slot);
		if (r < 0)
			return r;
		p->has_in = true;
		proc->ins |= 1u << slot;
	}
	if (f->params >= 0) {
		bh_seg_unmap(&p->params_seg);
		p->has_dir = false;
		r = bh_seg_map(&p->params_seg, f->params, BH_SEG_PARAMS, false);
		if (r == 0)
			r = bh_dir_attach(&p->dir, &p->params_seg);
		if (r < 0)
			return r;
		p->has_dir = true;
	}
	if (f->state >= 0) {
		bh_seg_unmap(&p->state_seg);
		r = bh_seg_map(&p->state_seg, f->state, BH_SEG_STATE, false);
		if (r < 0)
			return r;
	}
	p->present = true;
	return 0;
}

static void
close_fds(struct peer_fds *f)
{
	bh_close(&f->self);
	bh_close(&f->out);
	bh_close(&f->in);
	bh_close(&f->params);
	bh_close(&f->state);
	bh_close(&f->bell_wr);
}

/* ------------------------------------------------------------------ own segments and configuration */

static int
map_own(struct bh_seg *seg, int fd, uint32_t kind)
{
	bh_seg_unmap(seg);
	return bh_seg_map(seg, fd, kind, true);
}

static int
attach_self(struct bh_proc *proc, int fd)
{
	int r = map_own(&proc->self_seg, fd, BH_SEG_SELF);
	uint32_t hists = 0;
	if (r < 0)
		return r;
	proc->self = bh_seg_section(&proc->self_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	proc->hists = bh_seg_section(&proc->self_seg, BH_SEC_HISTS, sizeof(struct bh_hist), &hists);
	proc->account = bh_account_of(&proc->self_seg);
	if (!proc->self)
		return -EPROTO;
	for (uint32_t i = 0; proc->ops->hists && proc->ops->hists[i] && i < hists; i++)
		snprintf(proc->hists[i].name, sizeof(proc->hists[i].name), "%s", proc->ops->hists[i]);
	return 0;
}

/* There may be a password in them, and the texts that the process uses stay where they are: so they come into no core. */
static int
map_options(struct bh_options *options, int fd)
{
	int r = bh_config_map(&options->c, fd);
	if (r == 0 && madvise((void *)options->c.head, options->c.size, MADV_DONTDUMP) < 0)
		bh_dbg("options may come into a core: %m");
	return r;
}

/* Read the options into a fresh struct. The old one stays until the caller has swapped. */
static int
load_options(struct bh_proc *proc, const struct bh_options *opt, void **cfg, void **image)
{
	char err[200] = "";
	*cfg = *image = NULL;
	if (!proc->ops->fields)
		return 0;
	*cfg = calloc(1, proc->ops->config_size);
	if (!*cfg)
		return -ENOMEM;
	int r = bh_cfg_load(opt, proc->ops->fields, *cfg, proc->ops->config_size, image, err, sizeof(err));
	if (r < 0) {
		bh_bug_peer("options do not fit this program: %s; is it of another version than bh-config?", err);
		free(*cfg);
		*cfg = NULL;
	}
	return r;
}

const void *
bh_proc_config(const struct bh_proc *proc)
{
	return proc->cfg;
}

/* The same keys with the same texts? */
static bool
options_same(const struct bh_options *a, const struct bh_options *b)
{
	uint32_t n = bh_config_count(&a->c, BH_TAB_OPTIONS);
	if (n != bh_config_count(&b->c, BH_TAB_OPTIONS))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct bh_cfg_option *x = bh_config_row(&a->c, BH_TAB_OPTIONS, i), *y = bh_config_row(&b->c, BH_TAB_OPTIONS, i);
		if (strcmp(bh_config_str(&a->c, x->key), bh_config_str(&b->c, y->key)) ||
		    strcmp(bh_config_str(&a->c, x->text), bh_config_str(&b->c, y->text)))
			return false;
	}
	return true;
}

/*
 * Reload: map aside, ask the process, then swap. Options that say the same stay where they are, so that a process that cannot
 * change them may point into them for as long as it lives.
 */
static int
take_config(struct bh_proc *proc, int config_fd, int options_fd, char *why, size_t cap)
{
	struct bh_config config = {0};
	struct bh_options options = {{0}};
	void *cfg = NULL, *image = NULL;
	int r = config_fd >= 0 ? bh_config_map(&config, config_fd) : 0;
	if (r == 0 && options_fd >= 0)
		r = map_options(&options, options_fd);
	if (r < 0) {
		snprintf(why, cap, "the compiled configuration is damaged (%s)", strerror(-r));
		goto out;
	}
	if (options_fd >= 0 && proc->cfg && options_same(&proc->options, &options)) {
		bh_config_unmap(&options.c);
		options_fd = -1;
	}
	if (options_fd >= 0)
		r = load_options(proc, &options, &cfg, &image);
	if (r < 0) {
		snprintf(why, cap, "its options do not fit bh-%s", proc->ops->kind);
		goto out;
	}
	struct bh_config old_config = proc->config;
	struct bh_options old_options = proc->options;
	if (config.head)
		proc->config = config;
	if (options_fd >= 0)
		proc->options = options;
	r = proc->ops->on_config ? proc->ops->on_config(proc, proc->state, cfg ? cfg : proc->cfg, why, cap) : 0;
	if (r < 0) {
		proc->config = old_config;
		proc->options = old_options;
		goto out;
	}
	if (config.head)
		bh_config_unmap(&old_config);
	if (options_fd >= 0) {
		bh_config_unmap(&old_options.c);
		if (cfg) {
			free(proc->cfg);
			free(proc->cfg_image);
			proc->cfg = cfg;
			proc->cfg_image = image;
		}
	}
	return 0;
out:
	bh_config_unmap(&config);
	bh_config_unmap(&options.c);
	free(cfg);
	free(image);
	return r;
}

/* ------------------------------------------------------------------ mail */

struct attach_fds {
	int self, params, state, priv, table, config, options, bell_rd, device, stderr_fd;
	struct peer_fds peer[BH_MAX_SLOTS];
	bool touched[BH_MAX_SLOTS];
};

static void
attach_fds_init(struct attach_fds *a)
{
	a->self = a->params = a->state = a->priv = a->table = a->config = a->options = -1;
	a->bell_rd = a->device = a->stderr_fd = -1;
	for (unsigned i = 0; i < BH_MAX_SLOTS; i++) {
		a->peer[i] = no_fds;
		a->touched[i] = false;
	}
}

static void
attach_fds_close(struct attach_fds *a)
{
	int *own[] = {&a->self, &a->params, &a->state, &a->priv, &a->table, &a->config, &a->options,
		      &a->bell_rd, &a->device, &a->stderr_fd};
	for (unsigned i = 0; i < BH_ARRAY_LEN(own); i++)
		bh_close(own[i]);
	for (unsigned i = 0; i < BH_MAX_SLOTS; i++)
		close_fds(&a->peer[i]);
}

/* Where a descriptor that came belongs; NULL = nowhere. */
static int *
attach_place(struct attach_fds *a, uint16_t own, const struct bh_spawn_fd *d)
{
	struct peer_fds *p;
	if (d->slot >= BH_MAX_SLOTS)
		return NULL;
	p = &a->peer[d->slot];
	switch ((enum bh_fd_role)d->role) {
	case BH_FD_SELF: return d->slot == own ? &a->self : &p->self;
	case BH_FD_PARAMS: return d->slot == own ? &a->params : &p->params;
	case BH_FD_STATE: return d->slot == own ? &a->state : &p->state;
	case BH_FD_PRIVATE: return &a->priv;
	case BH_FD_OUTBOX:
		if (d->slot != own)
			return d->peer == own ? &p->in : NULL;
		return d->peer < BH_MAX_SLOTS ? &a->peer[d->peer].out : NULL;
	case BH_FD_CONFIG: return &a->config;
	case BH_FD_OPTIONS: return &a->options;
	case BH_FD_TABLE: return &a->table;
	case BH_FD_BELL_RD: return &a->bell_rd;
	case BH_FD_BELL_WR: return &p->bell_wr;
	case BH_FD_DEVICE: return &a->device;
	case BH_FD_STDERR: return &a->stderr_fd;
	case BH_FD_SOCKET:
	case BH_FD_CHILD_SOCKET:
	case BH_FD_SOURCE:
	case BH_FD_CHANGES:
	case BH_FD_FILE_WATCH:
	case BH_FD_PROGRAM:
	case BH_FD_LOCK: return NULL;
	}
	return NULL;
}

static void
attach_sort(struct attach_fds *a, uint16_t own, const struct bh_spawn_msg *msg, int *fds)
{
	for (unsigned i = 0; i < msg->nfds; i++) {
		const struct bh_spawn_fd *d = &msg->fd[i];
		int *place = attach_place(a, own, d);
		if (!place) {
			close(fds[i]);
			continue;
		}
		bh_close(place);
		*place = fds[i];
		if (d->slot < BH_MAX_SLOTS && d->slot != own)
			a->touched[d->slot] = true;
		if (d->role == BH_FD_OUTBOX && d->slot == own && d->peer < BH_MAX_SLOTS)
			a->touched[d->peer] = true;
	}
}

static void
attach_peers(struct bh_proc *proc, struct attach_fds *a, bool tell)
{
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		if (!a->touched[s])
			continue;
		int r = peer_attach(proc, s, &a->peer[s]);
		if (r < 0)
			bh_bug_peer("segments of %s cannot be used (%s); going on without it",
				    proc->peer[s].name[0] ? proc->peer[s].name : "a peer", strerror(-r));
		else if (proc->peer[s].has_out)
			bh_bell_ring_always(&proc->peer[s].out.bell);
		if (tell && proc->ops->on_peer)
			proc->ops->on_peer(proc, proc->state, &proc->peer[s]);
	}
}

static void
answer_config(struct bh_proc *proc, uint64_t generation, int r, const char *why)
{
	struct bh_spawn_msg back = {.type = BH_SPAWN_CONFIG_BACK, .slot = proc->slot, .value = generation, .error = r};
	snprintf(back.text, sizeof(back.text), "%s", r < 0 ? why : "");
	bh_spawn_send(proc->spawn_fd, &back, NULL);
}

static void
on_mail_config(struct bh_proc *proc, const struct bh_spawn_msg *msg, struct attach_fds *a)
{
	char why[96] = "";
	int r = take_config(proc, a->config, a->options, why, sizeof(why));
	if (r < 0)
		bh_warn("new configuration refused: %s; the old one stays in use", why);
	else
		bh_info("new configuration in use");
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		if (proc->peer[s].present)
			peer_name(proc, &proc->peer[s]);
	answer_config(proc, msg->value, r, why);
}

static void
on_mail(struct bh_proc *proc, struct bh_spawn_msg *msg, int *fds)
{
	struct attach_fds a;
	attach_fds_init(&a);
	attach_sort(&a, proc->slot, msg, fds);
	switch ((enum bh_spawn_type)msg->type) {
	case BH_SPAWN_PEER:
		attach_peers(proc, &a, true);
		break;
	case BH_SPAWN_PEER_GONE:
		if (msg->slot < BH_MAX_SLOTS && proc->peer[msg->slot].present) {
			peer_unmap(proc, &proc->peer[msg->slot]);
			if (proc->ops->on_peer)
				proc->ops->on_peer(proc, proc->state, &proc->peer[msg->slot]);
		}
		break;
	case BH_SPAWN_CONFIG: on_mail_config(proc, msg, &a); break;
	case BH_SPAWN_STDERR:
		if (a.stderr_fd >= 0)
			dup2(a.stderr_fd, STDERR_FILENO);
		break;
	case BH_SPAWN_STOP: proc->quit = true; break;
	case BH_SPAWN_ATTACH: break; /* a supervisor that took over could not know that we had been told */
	default: bh_bug_peer("the supervisor sent a message of type %u that is not for us", msg->type); break;
	}
	attach_fds_close(&a);
}

void
bh_proc_mail(struct bh_proc *proc)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
	int r;
	proc_mail_came = 0;
	while ((r = bh_spawn_recv(proc->spawn_fd, &msg, fds, 0)) != -EAGAIN) {
		if (r == 1) {
			on_mail(proc, &msg, fds);
		} else if (r == 0) {
			bh_warn("supervisor and keeper are both gone; leaving");
			proc->quit = true;
			return;
		} else {
			bh_bug_peer("a broken message came from the supervisor (%s)", strerror(-r));
		}
	}
}

static void
on_mail_fd(void *data, int fd, uint32_t events)
{
	(void)fd, (void)events;
	bh_proc_mail(data);
}

/* ------------------------------------------------------------------ events */

struct bh_peer *
bh_proc_router(struct bh_proc *proc)
{
	return bh_proc_peer(proc, BH_SLOT_ROUTER);
}

struct bh_peer *
bh_proc_peer(struct bh_proc *proc, uint16_t slot)
{
	return slot < BH_MAX_SLOTS && proc->peer[slot].present ? &proc->peer[slot] : NULL;
}

int
bh_proc_take(struct bh_proc *proc, struct bh_peer *peer, struct bh_event *ev, uint8_t *payload, size_t *len)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 10000);
	for (;;) {
		int r = bh_ring_peek(&peer->in.ring, ev, payload, BH_PAYLOAD_MAX, len);
		if (r == 1 && ev->kind < BH_EV_KIND_COUNT) {
			bh_count(proc, BH_CNT_EVENTS_IN, 1);
			return 1;
		}
		if (r == 0)
			return 0;
		bh_count(proc, BH_CNT_PEER_FAULTS, 1);
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
			       "peer fault: %s wrote an event that is none; skipped and counted", peer->name);
		if (r != 1)
			*ev = (struct bh_event){.seq = peer->in.ring.pos + 1};
		bh_ring_advance(&peer->in.ring, ev);
	}
}

void
bh_proc_done(struct bh_proc *proc, struct bh_peer *peer, const struct bh_event *ev)
{
	bh_ring_advance(&peer->in.ring, ev);
	bh_account_taken(proc->account, peer->slot, ev->kind);
}

int
bh_proc_put(struct bh_proc *proc, struct bh_peer *peer, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags)
{
	(void)proc;
	return peer->has_out ? bh_outbox_put(&peer->out, ev, v, cell_flags) : -ENOTCONN;
}

int
bh_proc_send(struct bh_proc *proc, struct bh_peer *peer, const struct bh_event *ev, const void *payload, size_t len)
{
	(void)proc;
	return peer->has_out ? bh_outbox_send(&peer->out, ev, payload, len) : -ENOTCONN;
}

void
bh_proc_answer(struct bh_proc *proc, uint32_t number, int err, const char *text, ...)
{
	struct bh_peer *sup = bh_proc_peer(proc, BH_SLOT_SUPERVISOR);
	struct bh_event ev = {.kind = BH_EV_RESULT, .type = BH_INT, .total = number, .stamp_ns = bh_now_ns(), .v.i = err};
	char words[BH_PAYLOAD_MAX];
	va_list ap;
	va_start(ap, text);
	vsnprintf(words, sizeof(words), text, ap);
	va_end(ap);
	/* Without room nobody is told, and the asker's time-out says so. */
	if (sup)
		bh_proc_send(proc, sup, &ev, words, strlen(words));
}

void
bh_proc_flush(struct bh_proc *proc)
{
	FOR_EACH_SLOT(s, proc->outs)
		bh_outbox_flush(&proc->peer[s].out);
}

/* What the supervisor tells everybody; processes that want its events take them themselves. */
static void
drain_supervisor(struct bh_proc *proc, struct bh_peer *sup)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_proc_take(proc, sup, &ev, payload, &len)) {
		bh_proc_done(proc, sup, &ev);
		if (ev.kind == BH_EV_MAIL) {
			bh_proc_mail(proc);
			if (!sup->has_in)
				return;
		} else if (ev.kind == BH_EV_HEALTH && ev.id < BH_MAX_SLOTS && ev.v.i >= 0 && ev.v.i < BH_HEALTH_COUNT) {
			struct bh_peer *p = &proc->peer[ev.id];
			p->health = (uint32_t)ev.v.i;
			if (proc->ops->on_health)
				proc->ops->on_health(proc, proc->state, p);
		} else if (ev.kind == BH_EV_REQUEST && proc->ops->on_request) {
			struct bh_request_args args;
			bool whole = len == sizeof(args);
			if (whole)
				memcpy(&args, payload, sizeof(args));
			proc->ops->on_request(proc, proc->state, &ev, whole ? &args : NULL);
		}
	}
}

static bool
proc_has_work(const struct bh_proc *proc)
{
	if (proc_stop_asked || proc_mail_came)
		return true;
	FOR_EACH_SLOT(s, proc->ins)
		if (bh_inbox_pending(&proc->peer[s].in))
			return true;
	return false;
}

static void
drain_peer(struct bh_proc *proc, struct bh_peer *p)
{
	/* A peer drained before may have told us that this one is gone. */
	if (!p->has_in || !bh_inbox_pending(&p->in))
		return;
	if (p->slot == BH_SLOT_SUPERVISOR && !proc->ops->wants_supervisor)
		drain_supervisor(proc, p);
	else if (proc->ops->drain)
		proc->ops->drain(proc, proc->state, p);
	/* What these events have caused goes out before anything else is looked at. */
	bh_proc_flush(proc);
}

static void
proc_drain(struct bh_proc *proc)
{
	/* Who woke us has waited for that, and the rings of the others lie in memory that has grown cold. */
	if (proc->woken_by < BH_MAX_SLOTS)
		drain_peer(proc, &proc->peer[proc->woken_by]);
	proc->woken_by = BH_SLOT_NONE;
	FOR_EACH_SLOT(s, proc->ins)
		drain_peer(proc, &proc->peer[s]);
}

/* ------------------------------------------------------------------ owed work */

static uint64_t
peer_cursor(const struct bh_proc *proc, const struct bh_peer *p)
{
	return __atomic_load_n(&p->self->cursor[proc->slot], __ATOMIC_RELAXED);
}

static bool
peer_owes(const struct bh_proc *proc, const struct bh_peer *p)
{
	return p->has_out && p->self && p->slot != BH_SLOT_SUPERVISOR && peer_cursor(proc, p) != p->out.ring.pos;
}

static uint64_t
peer_patience(const struct bh_proc *proc, const struct bh_peer *p)
{
	const struct bh_cfg_proc *row = proc->config.head ? bh_config_proc(&proc->config, p->slot) : NULL;
	return (row && row->hang_ms ? row->hang_ms : OWED_DEFAULT_MS) * BH_NS_PER_MS;
}

static void
owed_tell(struct bh_proc *proc, struct bh_peer *p, uint64_t for_ns)
{
	struct bh_peer *sup = bh_proc_peer(proc, BH_SLOT_SUPERVISOR);
	struct bh_event ev = {.kind = BH_EV_OWED, .id = p->slot, .type = BH_INT, .stamp_ns = bh_now_ns(),
			      .v.i = (int64_t)for_ns};
	if (sup)
		bh_proc_send(proc, sup, &ev, NULL, 0);
}

/* What it owes us, and since when as far as we have seen it stand still. */
static bool
owed_note(struct bh_proc *proc, struct bh_peer *p, uint64_t now)
{
	uint64_t cursor;
	if (!peer_owes(proc, p)) {
		p->owed_since_ns = 0;
		return false;
	}
	cursor = peer_cursor(proc, p);
	if (!p->owed_since_ns || cursor != p->owed_cursor) {
		p->owed_cursor = cursor;
		p->owed_since_ns = now;
		p->owed_told = false;
	}
	return true;
}

/*
 * Several times within the patience of the least patient: who comes to owe us something in between is noticed in time, too. When the
 * supervisor has been told of all who owe us, it looks itself, and we only remind it.
 */
static void
owed_arm(struct bh_proc *proc, uint64_t now, bool remind)
{
	uint64_t step = remind ? OWED_REMIND_NS : OWED_LOOK_MAX_NS;
	FOR_EACH_SLOT(s, remind ? 0 : proc->outs) {
		uint64_t own = s == BH_SLOT_SUPERVISOR ? step : peer_patience(proc, &proc->peer[s]) / OWED_LOOKS;
		step = own < step ? own : step;
	}
	proc->owed_remind = remind;
	proc->owed_step_ns = step;
	proc->owed_due_ns = now + step;
	bh_timer_at(proc->owed_timer, proc->owed_due_ns, 0);
}

static void
on_owed_timer(void *data)
{
	struct bh_proc *proc = data;
	uint64_t now = bh_mono_ns(), late = now - proc->owed_due_ns;
	bool again = false, remind = true;
	FOR_EACH_SLOT(s, proc->outs) {
		struct bh_peer *p = &proc->peer[s];
		/* While we did not run ourselves, perhaps nobody could. */
		if (p->owed_since_ns && late > proc->owed_step_ns)
			p->owed_since_ns += late;
		if (!owed_note(proc, p, now))
			continue;
		again = true;
		if (now - p->owed_since_ns >= peer_patience(proc, p)) {
			owed_tell(proc, p, now - p->owed_since_ns);
			p->owed_told = true;
		}
		remind = remind && p->owed_told;
	}
	if (again)
		owed_arm(proc, now, remind);
}

static void
owed_look(struct bh_proc *proc)
{
	uint64_t now = 0;
	bool remind = true;
	if (bh_timer_armed(proc->owed_timer) && !proc->owed_remind)
		return;
	FOR_EACH_SLOT(s, proc->outs) {
		if (!peer_owes(proc, &proc->peer[s])) {
			proc->peer[s].owed_since_ns = 0;
			continue;
		}
		now = now ? now : bh_mono_ns();
		owed_note(proc, &proc->peer[s], now);
		remind = remind && proc->peer[s].owed_told;
	}
	if (now && !(remind && bh_timer_armed(proc->owed_timer)))
		owed_arm(proc, now, remind);
}

/* ------------------------------------------------------------------ health and devices */

static bool
health_same(struct bh_proc *proc, enum bh_health health, const char *reason)
{
	struct bh_health_record was;
	return bh_health_read(proc->self, &was) > 0 && was.health == health && !strcmp(was.reason, reason);
}

void
bh_proc_health(struct bh_proc *proc, enum bh_health health, const char *hint, const char *reason, ...)
{
	struct bh_health_record h = {.since_ns = bh_now_ns(), .health = health};
	va_list ap;
	va_start(ap, reason);
	vsnprintf(h.reason, sizeof(h.reason), reason, ap);
	va_end(ap);
	snprintf(h.hint, sizeof(h.hint), "%s", hint ? hint : "");
	if (!proc->self || health_same(proc, health, h.reason))
		return;
	bh_health_write(proc->self, &h);
	bh_log(health == BH_HEALTH_OK || health == BH_HEALTH_STOPPED ? BH_LOG_INFO : BH_LOG_WARN, "health", "%s%s%s%s%s", bh_health_name(health),
	       h.reason[0] ? ": " : "", h.reason, h.hint[0] ? "; " : "", h.hint);
	struct bh_peer *sup = bh_proc_peer(proc, BH_SLOT_SUPERVISOR);
	struct bh_event ev = {.kind = BH_EV_HEALTH, .id = proc->slot, .type = BH_INT, .stamp_ns = h.since_ns, .v.i = health};
	if (sup)
		bh_proc_send(proc, sup, &ev, NULL, 0);
}

void
bh_proc_busy(struct bh_proc *proc, uint32_t limit_ms)
{
	if (!limit_ms)
		__atomic_store_n(&proc->self->busy_ended_ns, bh_mono_ns(), __ATOMIC_RELEASE);
	__atomic_store_n(&proc->self->busy_limit_ms, limit_ms, __ATOMIC_RELEASE);
}

int
bh_proc_keep_device(struct bh_proc *proc, int fd)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_DEVICE, .slot = proc->slot};
	if (proc->standalone)
		return 0;
	if (fd >= 0) {
		msg.nfds = 1;
		msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_DEVICE, .slot = proc->slot, .flags = BH_SPAWN_FD_RW};
	}
	return bh_spawn_send(proc->spawn_fd, &msg, &fd);
}

/* ------------------------------------------------------------------ sleeping */

static void
sleep_on_futex(struct bh_proc *proc)
{
	struct bh_bell_wait words[BH_MAX_SLOTS + 1];
	uint16_t whose[BH_MAX_SLOTS + 1] = {BH_SLOT_NONE};
	unsigned n = 0, which = 0;
	words[n].word = (const uint32_t *)&proc_signal_word;
	words[n++].value = proc_signal_word;
	FOR_EACH_SLOT(s, proc->ins) {
		words[n].word = bh_ring_word(&proc->peer[s].in.ring, &words[n].value);
		whose[n++] = (uint16_t)s;
	}
	bh_bell_announce(proc->self);
	if (!proc_has_work(proc)) {
		bh_count(proc, BH_CNT_SLEEPS, 1);
		bh_bell_sleep_which(words, n, bh_loop_next_deadline(proc->loop), &which);
		proc->woken_by = whose[which];
		bh_count(proc, BH_CNT_WAKEUPS, 1);
	}
	bh_bell_awake(proc->self);
}

/* What follows is work: peers need not ring, and who does not come back from it does not count as asleep. */
static void
on_wake(void *data)
{
	struct bh_proc *proc = data;
	bh_bell_awake(proc->self);
}

static void
sleep_in_epoll(struct bh_proc *proc)
{
	bh_bell_announce(proc->self);
	bool work = proc_has_work(proc);
	if (!work)
		bh_count(proc, BH_CNT_SLEEPS, 1);
	int r = bh_loop_step(proc->loop, !work);
	/* What came by a descriptor goes on at once, before anything else is looked at. */
	bh_proc_flush(proc);
	if (!work)
		bh_count(proc, BH_CNT_WAKEUPS, 1);
	if (r < 0)
		bh_bug_self("epoll failed: %s", strerror(-r));
}

/* The bell's pipe is edge-triggered and read only now and then: waking costs one system call, not two. */
static void
on_bell(void *data, int fd, uint32_t events)
{
	static unsigned unread;
	char buf[4096];
	(void)data, (void)events;
	if (++unread < BELL_DRAIN_EVERY)
		return;
	unread = 0;
	while (read(fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		;
}

static void
on_signal_fd(void *data, int fd, uint32_t events)
{
	struct bh_proc *proc = data;
	struct signalfd_siginfo si;
	(void)events;
	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		proc->quit = true;
}

/* Go over from futex to epoll: the process has got descriptors. Also at start, if it has some. */
static int
use_pipe_bell(struct bh_proc *proc)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	if (!bh_loop_watch(proc->loop, fd, EPOLLIN, on_signal_fd, proc))
		return -errno;
	if (proc->spawn_fd >= 0) {
		fcntl(proc->spawn_fd, F_SETFL, O_NONBLOCK);
		proc->mail_watch = bh_loop_watch(proc->loop, proc->spawn_fd, EPOLLIN, on_mail_fd, proc);
		if (!proc->mail_watch)
			return -errno;
	}
	if (proc->bell_rd >= 0) {
		proc->bell_watch = bh_loop_watch(proc->loop, proc->bell_rd, EPOLLIN | EPOLLET, on_bell, proc);
		if (!proc->bell_watch)
			return -errno;
	}
	proc->self->bell.mode = BH_BELL_PIPE;
	return 0;
}

/* The end of the socketpair and mail come as SIGIO when we sleep on futexes. */
static int
use_futex_bell(struct bh_proc *proc)
{
	proc->self->bell.mode = BH_BELL_FUTEX;
	if (proc->spawn_fd < 0)
		return 0;
	if (fcntl(proc->spawn_fd, F_SETOWN, getpid()) < 0 || fcntl(proc->spawn_fd, F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
		return -errno;
	proc_mail_came = 1; /* what came before SIGIO was on */
	return 0;
}

/* ------------------------------------------------------------------ life */

static void
proc_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop_signal}, io = {.sa_handler = on_io_signal};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGIO, &io, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* As people and tools find it. */
static void
proc_name(const char *kind, bool is_spare)
{
	char name[16];
	snprintf(name, sizeof(name), is_spare ? "%.9s-spare" : "bh-%.12s", kind);
	prctl(PR_SET_NAME, name);
}

/* Nothing is lost if a spare is ended, so any signal and the end of its supervisor may. */
static void
proc_park(struct bh_proc *proc)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_PARKED, .value = BH_SEG_VERSION};
	snprintf(msg.kind, sizeof(msg.kind), "%s", proc->ops->kind);
	snprintf(msg.text, sizeof(msg.text), "%s", BH_VERSION);
	proc_name(proc->ops->kind, true);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	tzset(); /* for the first line of the log: later there may be no such file */
	/* What its configuration decides follows when it has one. */
	proc->holds = bh_sandbox_enter_early(&proc->ops->sandbox);
	proc->confined = true;
	bh_warm();
	bh_spawn_send(proc->spawn_fd, &msg, NULL);
}

static void
proc_unpark(struct bh_proc *proc)
{
	proc_name(proc->ops->kind, false);
	proc_signals();
}

/* The next message of the identity we are given. A spare may wait long for the first. 0, or -errno: there will be none. */
static int
proc_identity(struct bh_proc *proc, struct bh_spawn_msg *msg, int *fds)
{
	static bool parked;
	int r;
	while ((r = bh_spawn_recv(proc->spawn_fd, msg, fds, 1)) == 1 && msg->type != BH_SPAWN_ATTACH) {
		if (msg->type == BH_SPAWN_PARK && !parked)
			proc_park(proc);
		else if (!parked || (msg->type != BH_SPAWN_STDERR && msg->type != BH_SPAWN_STOP))
			r = -EPROTO;
		else if (msg->type == BH_SPAWN_STOP)
			r = -ECANCELED;
		parked = true;
		for (unsigned i = 0; i < msg->nfds; i++) {
			if (msg->type == BH_SPAWN_STDERR)
				dup2(fds[i], STDERR_FILENO);
			close(fds[i]);
		}
		if (r < 0)
			return r;
	}
	if (r != 1)
		return r == 0 && parked ? -ECANCELED : r == 0 ? -EPIPE : r;
	if (parked)
		proc_unpark(proc);
	parked = false;
	return msg->slot < BH_MAX_SLOTS ? 0 : -EPROTO;
}

static int
proc_attach(struct bh_proc *proc)
{
	struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
	struct attach_fds a;
	int r;
	attach_fds_init(&a);
	do {
		r = proc_identity(proc, &msg, fds);
		if (r < 0)
			return r;
		proc->slot = msg.slot;
		proc->successor = msg.flags & BH_SPAWN_SUCCESSOR;
		if (msg.text[0])
			snprintf(proc->name, sizeof(proc->name), "%.31s", msg.text);
		attach_sort(&a, proc->slot, &msg, fds);
	} while (!(msg.flags & BH_SPAWN_LAST));

	bh_log_init(proc->name);
	bh_crash_name(proc->name);
	r = a.self >= 0 ? attach_self(proc, a.self) : -EPROTO;
	if (r < 0)
		goto out;
	__atomic_store_n(&proc->self->attaching, 1, __ATOMIC_RELEASE);
	proc->self->attach_count++;
	/* Who sees this number sees the life that it is of. */
	__atomic_store_n(&proc->self->pid, (uint32_t)getpid(), __ATOMIC_RELEASE);
	if (proc->self->bell.episode & 1)
		bh_bell_awake(proc->self); /* the dead one slept */
	proc->self->busy_limit_ms = 0;
	if (a.config >= 0)
		r = bh_config_map(&proc->config, a.config);
	if (r == 0 && a.options >= 0)
		r = map_options(&proc->options, a.options);
	if (r == 0)
		r = load_options(proc, &proc->options, &proc->cfg, &proc->cfg_image);
	if (r == 0 && a.params >= 0)
		r = map_own(&proc->params_seg, a.params, BH_SEG_PARAMS);
	if (r == 0 && a.params >= 0)
		r = bh_dir_attach(&proc->dir, &proc->params_seg);
	if (r == 0 && a.state >= 0)
		r = map_own(&proc->state_seg, a.state, BH_SEG_STATE);
	if (r == 0 && a.priv >= 0)
		r = map_own(&proc->private_seg, a.priv, BH_SEG_PRIVATE);
	if (r == 0 && a.table >= 0)
		r = bh_seg_map(&proc->table_seg, a.table, BH_SEG_TABLE, false);
	if (r < 0)
		goto out;
	proc->bell_rd = bh_steal_fd(&a.bell_rd);
	proc->device_fd = bh_steal_fd(&a.device);
	attach_peers(proc, &a, false);
out:
	attach_fds_close(&a);
	return r;
}

static void
proc_ready(struct bh_proc *proc)
{
	struct bh_health_record h;
	struct bh_spawn_msg msg = {.type = BH_SPAWN_READY, .slot = proc->slot, .value = proc->self->attach_count};
	__atomic_store_n(&proc->self->ready_life, proc->self->attach_count, __ATOMIC_RELEASE);
	__atomic_store_n(&proc->self->attaching, 0, __ATOMIC_RELEASE);
	if (bh_health_read(proc->self, &h) <= 0 || h.health == BH_HEALTH_STARTING)
		bh_proc_health(proc, BH_HEALTH_OK, NULL, "%s", "");
	if (proc->spawn_fd >= 0)
		bh_spawn_send(proc->spawn_fd, &msg, NULL);
}

static void
proc_work(struct bh_proc *proc)
{
	proc->now_ns = bh_now_ns();
	__atomic_store_n(&proc->self->beat, proc->self->beat + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&proc->self->beat_ns, proc->now_ns, __ATOMIC_RELAXED);
	if (proc_mail_came)
		bh_proc_mail(proc);
	proc_drain(proc);
	if (proc->bell_watch == NULL)
		bh_loop_run_timers(proc->loop, bh_mono_ns()); /* epoll's step has run them */
	if (proc->ops->before_sleep)
		proc->ops->before_sleep(proc, proc->state);
	bh_proc_flush(proc);
	owed_look(proc);
	if (proc_stop_asked)
		proc->quit = true;
}

static void
proc_turn(struct bh_proc *proc)
{
	proc_work(proc);
	/* Its first descriptor came after the start (a connection, a device that appears): sleep in epoll from now on. */
	if (!proc->bell_watch && proc->bell_rd >= 0 && bh_loop_has_fds(proc->loop) && use_pipe_bell(proc) < 0) {
		bh_bug_self("cannot watch descriptors: %m; leaving");
		proc->quit = true;
	}
	if (proc->quit)
		return;
	if (proc->bell_watch || (proc->spawn_fd < 0 && bh_loop_has_fds(proc->loop)))
		sleep_in_epoll(proc);
	else
		sleep_on_futex(proc);
	/* What had come before the wish to leave is dealt with, as an answer that somebody waits for. */
	if (proc->quit)
		proc_work(proc);
}

static int
proc_run(struct bh_proc *proc)
{
	struct bh_health_record starting = {.since_ns = bh_now_ns(), .health = BH_HEALTH_STARTING};
	bool started = false;
	int r;
	bh_health_write(proc->self, &starting);
	proc->loop = bh_loop_new();
	proc->state = calloc(1, proc->ops->state_size ? proc->ops->state_size : 1);
	if (!proc->loop || !proc->state)
		return -ENOMEM;
	proc->owed_timer = bh_timer_new(proc->loop, on_owed_timer, proc);
	bh_loop_on_wake(proc->loop, on_wake, proc);
	proc->now_ns = bh_now_ns();
	r = proc->ops->start(proc, proc->state);
	if (r == 0)
		r = bh_loop_has_fds(proc->loop) ? use_pipe_bell(proc) : use_futex_bell(proc);
	if (r == 0) {
		started = true;
		proc_ready(proc);
	}
	while (r == 0 && !proc->quit)
		proc_turn(proc);
	if (proc->ops->stop)
		proc->ops->stop(proc, proc->state, started);
	bh_proc_flush(proc);
	if (started)
		bh_proc_health(proc, BH_HEALTH_STOPPED, NULL, "asked to leave");
	else
		bh_err("cannot start: %s", strerror(-r));
	return r;
}

/*
 * Short slices: whoever wakes for an event runs at once, before what has long to compute (another program's picture), and gets no more
 * of the CPU for it. Of kernels since 6.12; older ones take no notice. See docs/decisions/0020-short-slices.md
 */
static void
proc_short_slices(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} attr = {.size = sizeof(attr)};
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 || attr.policy != SCHED_OTHER)
		return;
	/* The supervisor may put us into real time at this very moment: then this is refused, and that stays. */
	attr.flags |= SCHED_FLAG_KEEP_POLICY;
	attr.runtime_ns = SLICE_NS;
	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		bh_dbg("no short slices: %m");
}

static int
proc_live(struct bh_proc *proc)
{
	int r = proc_attach(proc);
	if (r == -ECANCELED)
		return 0; /* a spare that nobody needed */
	if (r < 0) {
		bh_err("cannot attach to its segments: %s", strerror(-r));
		return BH_EXIT_UNATTACHED;
	}
	/* All that is ours is mapped; what comes next may listen to others. */
	if (!proc->confined) {
		tzset();
		proc->holds = bh_sandbox_enter_early(&proc->ops->sandbox);
	}
	proc->holds = bh_sandbox_enter_late(&proc->ops->sandbox, proc->cfg, proc->holds);
	__atomic_store_n(&proc->self->holds, proc->holds, __ATOMIC_RELAXED);
	if (proc->ops->role == BH_ROLE_ROUTER || proc->ops->role == BH_ROLE_SURFACE || proc->ops->role == BH_ROLE_DRIVER)
		proc_short_slices();
	r = proc_run(proc);
	int limit = r < 0 ? bh_crash_limit(-r) : 0;
	return limit ? limit : r < 0 ? 1 : 0;
}

static int
proc_usage(const struct bh_proc_ops *ops, FILE *out)
{
	fprintf(out,
		"bh-%s - part of Bulkhead %s; started by its supervisor (see bulkhead(1))\n\n"
		"  --describe        print configuration keys, parameters and actions as YAML\n"
		"  --sandbox         print what it may do, and why\n"
		"  --version         print the version\n%s",
		ops->kind, BH_VERSION,
		ops->standalone ? "  --no-supervisor [--config FILE] [--trace]   run alone in this terminal, told by lines\n" : "");
	return out == stdout ? 0 : 2;
}

static int
proc_describe(const struct bh_proc_ops *ops)
{
	static const char *const roles[] = {"none", "supervisor", "router", "control", "store", "surface", "driver"};
	bh_cfg_describe_kind(stdout, ops->kind, roles[ops->role], ops->fields);
	if (ops->describe)
		ops->describe(stdout);
	return 0;
}

int
bh_proc_main(int argc, char **argv, const struct bh_proc_ops *ops)
{
	static struct bh_proc proc; /* 32 peers are too much for a stack */
	proc.ops = ops;
	proc.spawn_fd = proc.bell_rd = proc.device_fd = -1;
	proc.woken_by = BH_SLOT_NONE;
	snprintf(proc.name, sizeof(proc.name), "%s", ops->kind);
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		proc.peer[s].slot = (uint16_t)s;
		proc.peer[s].bell_wr = -1;
	}
	bh_log_init(ops->kind);
	proc_name(ops->kind, false); /* started by a descriptor, it would be called by its number */
	if (argc > 1 && !strcmp(argv[1], "--describe"))
		return proc_describe(ops);
	if (argc > 1 && !strcmp(argv[1], "--sandbox")) {
		bh_sandbox_print(stdout, &ops->sandbox);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--version"))
		return printf("bh-%s %s\n", ops->kind, BH_VERSION) < 0;
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return proc_usage(ops, stdout);
	proc_signals();
	bh_crash_init(ops->kind);
	if (argc > 1 && !strcmp(argv[1], "--no-supervisor") && ops->standalone) {
		proc.standalone = true;
		int code = ops->standalone(&proc, argc - 1, argv + 1);
		return code ? code : proc_live(&proc);
	}
	if (argc > 1)
		return proc_usage(ops, stderr);
	struct bh_spawn_msg probe;
	if (recv(BH_SPAWN_FD, &probe, 0, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == ENOTSOCK || errno == EBADF)) {
		fprintf(stderr, "bh-%s is started by the supervisor: use `bulkhead run`\n", ops->kind);
		return 2;
	}
	proc.spawn_fd = BH_SPAWN_FD;
	fcntl(proc.spawn_fd, F_SETFD, FD_CLOEXEC);
	return proc_live(&proc);
}
