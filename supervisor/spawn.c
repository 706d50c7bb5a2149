/*
 * spawn.c - the segments and descriptors of a slot, its process, and what its peers are told
 *
 * Who may see what is decided here and nowhere else: two processes have rings with each other if one of them is the
 * supervisor or the router; only then do they get each other's self segment and bell. The router, bh-control and bh-store read
 * the directories of drivers, the latter two the router's own; bh-control and bh-store the router's state; bh-control alone everybody's health and the table.
 *
 * Fails: a segment that cannot be made is an error of the start (or reload); a process that cannot be started is a death like
 * any other; a child that does not read its socketpair is sent the rest when it does, nobody waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("spawn");

extern char **environ;

#define ROUTER_JOURNAL (512u << 10)
#define SURFACE_RAW (64u << 10)
#define SCRATCH (64u << 10)
#define STATE_RECORDS_MIN 8192u /* room in the router's state for what a reload adds */
#define SURFACE_RECORDS BH_MAX_CONTROLS
#define PARAM_STRINGS 32u /* bytes for the names of choices, for each parameter */
#define ROOM_STRINGS (128u << 10) /* the same of the router's own parameters: each group of pages has a list of them all */

static bool
is_control(const struct child *c)
{
	return c->body.role == BH_ROLE_CONTROL;
}

bool
spawn_have_ring(const struct child *a, const struct child *b)
{
	if (!a->used || !b->used || a == b)
		return false;
	return a->slot == BH_SLOT_SUPERVISOR || b->slot == BH_SLOT_SUPERVISOR || a->body.role == BH_ROLE_ROUTER ||
	       b->body.role == BH_ROLE_ROUTER;
}

static bool
sees_self(const struct child *reader, const struct child *of)
{
	return spawn_have_ring(reader, of) || (is_control(reader) && of->used && reader != of);
}

static bool
sees_params(const struct child *reader, const struct child *of)
{
	if (of->body.role == BH_ROLE_ROUTER)
		return is_control(reader) || reader->body.role == BH_ROLE_STORE;
	return of->body.role == BH_ROLE_DRIVER && (reader->body.role == BH_ROLE_ROUTER || is_control(reader) ||
						   reader->body.role == BH_ROLE_STORE);
}

static bool
sees_state(const struct child *reader, const struct child *of)
{
	if (of->body.role == BH_ROLE_ROUTER)
		return is_control(reader) || reader->body.role == BH_ROLE_STORE;
	return of->body.role == BH_ROLE_SURFACE && is_control(reader);
}

/* ------------------------------------------------------------------ segments */

static void
ring_size(const struct child *from, const struct child *to, uint32_t *slots, uint32_t *cells)
{
	const struct child *other = from->body.role == BH_ROLE_ROUTER ? to : from;
	*cells = 0;
	if (from->slot == BH_SLOT_SUPERVISOR || to->slot == BH_SLOT_SUPERVISOR) {
		*slots = is_control(from) || is_control(to) ? 256 : 64;
		return;
	}
	switch ((enum bh_role)other->body.role) {
	case BH_ROLE_CONTROL: *slots = 256; return;
	case BH_ROLE_STORE: *slots = from == other ? 64 : 16; return;
	case BH_ROLE_SURFACE: *cells = BH_MAX_CONTROLS; break;
	case BH_ROLE_DRIVER: *cells = other->params; break;
	case BH_ROLE_NONE:
	case BH_ROLE_SUPERVISOR:
	case BH_ROLE_ROUTER: break;
	}
	*slots = other->ring_slots >= 16 && !(other->ring_slots & (other->ring_slots - 1)) ? other->ring_slots : 1024;
}

static void
close_pair(struct bh_seg_fds *f)
{
	bh_close(&f->rw);
	bh_close(&f->ro);
}

static int
make_outbox(struct child *from, struct child *to)
{
	char name[80];
	uint32_t slots, cells, epoch = from->body.segment_epoch + to->body.segment_epoch;
	ring_size(from, to, &slots, &cells);
	snprintf(name, sizeof(name), "%s>%s", from->body.name, to->body.name);
	close_pair(&from->out[to->slot]);
	return bh_seg_create_outbox(&from->out[to->slot], name, from->slot, to->slot, epoch, slots, cells);
}

static int
make_bell(struct child *c)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* Who rings has this end, and could re-open it to read: what it took away nobody would wake of. */
	if (fchmod(p[1], 0200) < 0)
		bh_warn("%s: those who ring its bell could read it, too: %m", c->body.name);
	bh_close(&c->bell_rd);
	bh_close(&c->bell_wr);
	c->bell_rd = p[0];
	c->bell_wr = p[1];
	return 0;
}

static int
make_own(struct child *c)
{
	static const uint32_t scratch = SCRATCH;
	uint32_t epoch = c->body.segment_epoch;
	uint8_t role = c->body.role;
	char name[80];
	close_pair(&c->self);
	close_pair(&c->priv);
	close_pair(&c->par);
	close_pair(&c->state);
	snprintf(name, sizeof(name), "%s.self", c->body.name);
	int r = bh_seg_create_self(&c->self, name, c->slot, epoch);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s.private", c->body.name);
	r = bh_seg_create_private(&c->priv, name, c->slot, epoch, role == BH_ROLE_ROUTER ? ROUTER_JOURNAL : 0,
				  role == BH_ROLE_SURFACE ? SURFACE_RAW : 0,
				  c->slot == BH_SLOT_SUPERVISOR ? (uint32_t)sizeof(struct super_memory) : scratch);
	if (r == 0 && (role == BH_ROLE_DRIVER || role == BH_ROLE_ROUTER)) {
		bool room = role == BH_ROLE_ROUTER; /* as large as any configuration can make it: a reload must fit */
		snprintf(name, sizeof(name), "%s.params", c->body.name);
		/* A directory only grows until it is full and begun anew: half as much again, so that this is rare. */
		r = bh_seg_create_params(&c->par, name, c->slot, epoch, room ? BH_MAX_ROOM : c->params + c->params / 2,
					 room ? ROOM_STRINGS : c->params * PARAM_STRINGS);
	}
	if (r == 0 && (role == BH_ROLE_ROUTER || role == BH_ROLE_SURFACE)) {
		snprintf(name, sizeof(name), "%s.state", c->body.name);
		r = bh_seg_create_state(&c->state, name, c->slot, epoch, c->records);
	}
	return r < 0 ? r : make_bell(c);
}

/* Own segments, and both directions of every ring with those that are there already. */
static int
make_all(struct child *c)
{
	struct super *s = c->s;
	int r = make_own(c);
	for (unsigned q = 0; r == 0 && q < BH_MAX_SLOTS; q++) {
		struct child *o = &s->slot[q];
		if (!spawn_have_ring(c, o))
			continue;
		r = make_outbox(c, o);
		if (r == 0)
			r = make_outbox(o, c);
		if (r == 0 && o->slot != BH_SLOT_SUPERVISOR)
			o->mem.peers_untold |= 1u << c->slot;
	}
	for (unsigned q = 0; r == 0 && q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && q != c->slot && sees_self(&s->slot[q], c))
			s->slot[q].mem.peers_untold |= 1u << c->slot;
	return r;
}

uint32_t
spawn_records(const struct bh_config *config)
{
	uint32_t need = 64;
	for (uint32_t i = 0; i < bh_config_count(config, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *row = bh_config_row(config, BH_TAB_PROCS, i);
		if (row->record_base > UINT32_MAX / 4 || row->records > UINT32_MAX / 4)
			return UINT32_MAX;
		if (row->records && row->record_base + row->records > need)
			need = row->record_base + row->records;
	}
	return need;
}

void
spawn_row(struct child *c, const struct bh_config *config, const struct bh_cfg_proc *row)
{
	snprintf(c->body.name, sizeof(c->body.name), "%s", bh_config_str(config, row->name));
	snprintf(c->body.kind, sizeof(c->body.kind), "%s", bh_config_str(config, row->kind));
	if (row->role == BH_ROLE_SUPERVISOR)
		snprintf(c->body.name, sizeof(c->body.name), "supervisor");
	snprintf(c->binary, sizeof(c->binary), "%s", bh_config_str(config, row->binary));
	c->body.role = row->role;
	c->hang_ms = row->hang_ms ? row->hang_ms : 1000;
	c->ready_ms = row->ready_ms ? row->ready_ms : 5000;
	c->ring_slots = row->ring_slots;
	c->params = row->params && row->params <= BH_MAX_PARAMS ? row->params : 256;
	c->records = SURFACE_RECORDS;
	if (row->role == BH_ROLE_ROUTER) {
		uint32_t need = spawn_records(config);
		c->records = need * 2 > STATE_RECORDS_MIN ? need * 2 : STATE_RECORDS_MIN;
	}
}

/* How many records there are in its state, as made. */
static uint32_t
state_room(const struct child *c)
{
	struct bh_seg seg = {0};
	uint32_t n = 0;
	if (c->state.ro < 0 || bh_seg_map(&seg, c->state.ro, BH_SEG_STATE, false) < 0)
		return 0;
	bh_seg_section(&seg, BH_SEC_RECORDS, sizeof(struct bh_record), &n);
	bh_seg_unmap(&seg);
	return n;
}

bool
spawn_needs_room(const struct child *c, const struct bh_config *config)
{
	/* None at all: its head is damaged. Its process finds that out, and gets fresh ones. */
	uint32_t room = c->body.role == BH_ROLE_ROUTER ? state_room(c) : 0;
	return room && spawn_records(config) > room;
}

/* Every record as it stands; the numbers of those that there were do not change. */
static int
copy_records(const struct bh_seg_fds *from, const struct bh_seg_fds *to)
{
	struct bh_seg old = {0}, fresh = {0};
	uint32_t have = 0, room = 0;
	int r = bh_seg_map(&old, from->ro, BH_SEG_STATE, false);
	if (r == 0)
		r = bh_seg_map(&fresh, to->rw, BH_SEG_STATE, true);
	const struct bh_record *src = r == 0 ? bh_seg_section(&old, BH_SEC_RECORDS, sizeof(*src), &have) : NULL;
	struct bh_record *dst = r == 0 ? bh_seg_section(&fresh, BH_SEC_RECORDS, sizeof(*dst), &room) : NULL;
	if (r == 0 && (!src || !dst))
		r = -EPROTO;
	if (r == 0)
		memcpy(dst, src, sizeof(*dst) * (have < room ? have : room));
	bh_seg_unmap(&old);
	bh_seg_unmap(&fresh);
	return r;
}

/*
 * The router does not run, and the configuration has more controls and parameters than its state has room for: a larger one, with
 * all that stands in the old. Its other segments go on, the redo record among them, so its successor finishes what was committed.
 */
int
spawn_grow(struct child *c)
{
	struct super *s = c->s;
	struct bh_seg_fds larger = {-1, -1};
	char name[80];
	uint32_t records = 2 * spawn_records(&s->config);
	snprintf(name, sizeof(name), "%s.state", c->body.name);
	int r = bh_seg_create_state(&larger, name, c->slot, c->body.segment_epoch + 1, records);
	if (r == 0)
		r = copy_records(&c->state, &larger);
	if (r < 0) {
		bh_err("%s: no room for %u records of state: %s", c->body.name, records, strerror(-r));
		close_pair(&larger);
		return r;
	}
	close_pair(&c->state);
	c->state = larger;
	c->records = records;
	c->body.segment_epoch++;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && q != c->slot && sees_state(&s->slot[q], c))
			s->slot[q].mem.peers_untold |= 1u << c->slot;
	table_write(c);
	keep_slot(c);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		spawn_flush(&s->slot[q]);
	bh_info("%s: goes on with room for %u records of state", c->body.name, records);
	return 0;
}

/* Do its segments still fit what the configuration now says? */
bool
spawn_fits(const struct child *c, const struct bh_cfg_proc *row)
{
	uint32_t params = row->params && row->params <= BH_MAX_PARAMS ? row->params : 256;
	return (row->role != BH_ROLE_DRIVER || params == c->params) && row->ring_slots == c->ring_slots;
}

int
spawn_setup(struct child *c, const struct bh_config *config, const struct bh_cfg_proc *row)
{
	memset(&c->mem, 0, sizeof(c->mem));
	memset(&c->body, 0, sizeof(c->body));
	spawn_row(c, config, row);
	c->used = true;
	int r = make_all(c);
	if (r < 0) {
		bh_err("%s: its segments cannot be made: %s", c->body.name, strerror(-r));
		spawn_teardown(c);
		return r;
	}
	if (c->slot != BH_SLOT_SUPERVISOR && (r = spawn_map(c)) < 0)
		bh_bug_self("%s: segments that we made cannot be mapped: %s", c->body.name, strerror(-r));
	if (c->s->running)
		keep_slot(c);
	return 0;
}

int
spawn_fresh(struct child *c)
{
	c->body.segment_epoch++;
	spawn_unmap(c);
	int r = make_all(c);
	if (r == 0)
		r = spawn_map(c);
	if (r < 0)
		bh_err("%s: fresh segments cannot be made: %s", c->body.name, strerror(-r));
	else
		bh_warn("%s: starts with fresh segments (epoch %u)", c->body.name, c->body.segment_epoch);
	c->mem.lived = 0;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (c->s->slot[q].used)
			table_write(&c->s->slot[q]);
	keep_slot(c);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		spawn_flush(&c->s->slot[q]);
	return r;
}

void
spawn_teardown(struct child *c)
{
	struct super *s = c->s;
	spawn_unmap(c);
	close_pair(&c->self);
	close_pair(&c->par);
	close_pair(&c->state);
	close_pair(&c->priv);
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++) {
		close_pair(&c->out[q]);
		close_pair(&s->slot[q].out[c->slot]);
	}
	bh_close(&c->bell_rd);
	bh_close(&c->bell_wr);
	bh_close(&c->device);
	bh_close(&c->options);
	bh_close(&c->options_before);
	bh_close(&c->sock);
	bh_close(&c->program);
	upgrade_cancel(c);
	c->used = false;
}

/* ------------------------------------------------------------------ our own side */

void
spawn_unmap(struct child *c)
{
	if (c->has_tx)
		bh_outbox_detach(&c->tx);
	if (c->has_rx)
		bh_inbox_detach(&c->rx);
	bh_seg_unmap(&c->self_map);
	c->has_tx = c->has_rx = false;
	c->shared = NULL;
}

int
spawn_map(struct child *c)
{
	struct super *s = c->s;
	spawn_unmap(c);
	int r = bh_seg_map(&c->self_map, c->self.ro, BH_SEG_SELF, false);
	if (r < 0)
		return r;
	c->shared = bh_seg_section(&c->self_map, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	if (!c->shared)
		return -EPROTO;
	r = bh_outbox_attach(&c->tx, s->slot[0].out[c->slot].rw, s->self, c->shared, c->bell_wr);
	if (r < 0)
		return r;
	c->has_tx = true;
	r = bh_inbox_attach(&c->rx, c->out[0].ro, s->self, c->slot);
	if (r < 0)
		return r;
	c->has_rx = true;
	return 0;
}

/* ------------------------------------------------------------------ lists of descriptors */

int *
spawn_place(struct super *s, const struct bh_spawn_fd *what)
{
	bool rw = what->flags & BH_SPAWN_FD_RW;
	if (what->slot >= BH_MAX_SLOTS)
		return NULL;
	struct child *c = &s->slot[what->slot];
	switch ((enum bh_fd_role)what->role) {
	case BH_FD_SELF: return rw ? &c->self.rw : &c->self.ro;
	case BH_FD_PARAMS: return rw ? &c->par.rw : &c->par.ro;
	case BH_FD_STATE: return rw ? &c->state.rw : &c->state.ro;
	case BH_FD_PRIVATE: return rw ? &c->priv.rw : &c->priv.ro;
	case BH_FD_OUTBOX:
		if (what->peer >= BH_MAX_SLOTS)
			return NULL;
		return rw ? &c->out[what->peer].rw : &c->out[what->peer].ro;
	case BH_FD_BELL_RD: return &c->bell_rd;
	case BH_FD_BELL_WR: return &c->bell_wr;
	case BH_FD_DEVICE: return &c->device;
	case BH_FD_OPTIONS: return what->peer ? &c->options_before : &c->options;
	case BH_FD_CONFIG: return what->peer ? &s->config_before : &s->config_fd;
	case BH_FD_TABLE: return rw ? &s->table.rw : &s->table.ro;
	case BH_FD_SOCKET: return &c->sock;
	case BH_FD_LOCK: return &s->lock;
	case BH_FD_SOURCE: return what->peer ? &s->source_before : &s->source_fd;
	case BH_FD_FILE_WATCH: return &s->file.fd;
	case BH_FD_PROGRAM: return &c->program;
	case BH_FD_CHANGES:
	case BH_FD_STDERR:
	case BH_FD_CHILD_SOCKET: return NULL;
	}
	return NULL;
}

struct list {
	struct super *s;
	struct bh_spawn_fd what[2 * BH_SPAWN_FDS];
	int fd[2 * BH_SPAWN_FDS];
	unsigned n;
};

static void
add(struct list *l, uint16_t role, uint16_t slot, uint16_t peer, uint16_t flags)
{
	struct bh_spawn_fd what = {.role = role, .slot = slot, .peer = peer, .flags = flags};
	int *fd = spawn_place(l->s, &what);
	if (!fd || *fd < 0 || l->n == BH_ARRAY_LEN(l->what))
		return;
	l->what[l->n] = what;
	l->fd[l->n++] = *fd;
}

/* What `c` gets of peer `o`. */
static void
list_peer(struct list *l, const struct child *c, const struct child *o)
{
	if (sees_self(c, o))
		add(l, BH_FD_SELF, o->slot, 0, 0);
	if (spawn_have_ring(c, o)) {
		add(l, BH_FD_OUTBOX, o->slot, c->slot, 0);
		add(l, BH_FD_OUTBOX, c->slot, o->slot, BH_SPAWN_FD_RW);
		add(l, BH_FD_BELL_WR, o->slot, 0, 0);
	}
	if (sees_params(c, o))
		add(l, BH_FD_PARAMS, o->slot, 0, 0);
	if (sees_state(c, o))
		add(l, BH_FD_STATE, o->slot, 0, 0);
}

static void
list_all(struct list *l, const struct child *c)
{
	add(l, BH_FD_SELF, c->slot, 0, BH_SPAWN_FD_RW);
	add(l, BH_FD_PARAMS, c->slot, 0, BH_SPAWN_FD_RW);
	add(l, BH_FD_STATE, c->slot, 0, BH_SPAWN_FD_RW);
	add(l, BH_FD_PRIVATE, c->slot, 0, BH_SPAWN_FD_RW);
	add(l, BH_FD_BELL_RD, c->slot, 0, 0);
	add(l, BH_FD_DEVICE, c->slot, 0, 0);
	add(l, BH_FD_CONFIG, 0, 0, 0);
	add(l, BH_FD_OPTIONS, c->slot, 0, 0);
	if (is_control(c))
		add(l, BH_FD_TABLE, 0, 0, 0);
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		if (l->s->slot[q].used && q != c->slot)
			list_peer(l, c, &l->s->slot[q]);
}

/* Send a list in as many messages as it takes. 0 or -errno. */
static int
send_list(struct child *c, struct bh_spawn_msg *msg, const struct list *l, uint16_t last)
{
	unsigned done = 0;
	do {
		unsigned n = l->n - done < BH_SPAWN_FDS ? l->n - done : BH_SPAWN_FDS;
		memcpy(msg->fd, l->what + done, n * sizeof(msg->fd[0]));
		msg->nfds = (uint16_t)n;
		msg->flags = (uint16_t)((c->mem.lived ? BH_SPAWN_SUCCESSOR : 0) | (done + n == l->n ? last : 0));
		int r = bh_spawn_send(c->sock, msg, l->fd + done);
		if (r < 0)
			return r;
		done += n;
	} while (done < l->n);
	return 0;
}

static void
name_message(struct bh_spawn_msg *msg, uint16_t type, const struct child *about)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = type;
	msg->slot = about->slot;
	msg->role = about->body.role;
	snprintf(msg->text, sizeof(msg->text), "%s", about->body.name);
	snprintf(msg->kind, sizeof(msg->kind), "%s", about->body.kind);
}

int
spawn_attach(struct child *c)
{
	static struct bh_spawn_msg msg;
	struct list l = {.s = c->s};
	list_all(&l, c);
	name_message(&msg, BH_SPAWN_ATTACH, c);
	int r = send_list(c, &msg, &l, BH_SPAWN_LAST);
	c->mem.peers_untold = c->mem.peers_ungone = 0;
	c->mem.config_unsent = 0;
	c->health_untold = 0;
	return r;
}

/* Send what is still to be told. Stops when the child does not read; EPOLLOUT brings us back. */
void
spawn_flush(struct child *c)
{
	static struct bh_spawn_msg msg;
	int r = 0;
	if (!c->used || c->sock < 0 || !c->body.alive)
		return;
	bool changed = c->mem.peers_untold || c->mem.peers_ungone || c->mem.config_unsent;
	if (c->mem.config_unsent) {
		struct list l = {.s = c->s};
		add(&l, BH_FD_CONFIG, 0, 0, 0);
		add(&l, BH_FD_OPTIONS, c->slot, 0, 0);
		name_message(&msg, BH_SPAWN_CONFIG, c);
		msg.value = c->s->config.head ? c->s->config.head->generation : 0;
		r = send_list(c, &msg, &l, BH_SPAWN_LAST);
		if (r == 0)
			c->mem.config_unsent = 0;
	}
	for (unsigned q = 0; r == 0 && q < BH_MAX_SLOTS; q++) {
		struct child *o = &c->s->slot[q];
		if (c->mem.peers_ungone & 1u << q) {
			memset(&msg, 0, sizeof(msg));
			msg.type = BH_SPAWN_PEER_GONE;
			msg.slot = (uint16_t)q;
			r = bh_spawn_send(c->sock, &msg, NULL);
			if (r == 0)
				c->mem.peers_ungone &= ~(1u << q);
		}
		if (r == 0 && c->mem.peers_untold & 1u << q) {
			struct list l = {.s = c->s};
			if (o->used)
				list_peer(&l, c, o);
			name_message(&msg, BH_SPAWN_PEER, o);
			if (l.n)
				r = send_list(c, &msg, &l, BH_SPAWN_LAST);
			if (r == 0)
				c->mem.peers_untold &= ~(1u << q);
		}
	}
	bool blocked = r == -EAGAIN;
	if (blocked != c->sock_blocked && c->sock_watch)
		bh_watch_events(c->sock_watch, EPOLLIN | (blocked ? EPOLLOUT : 0u));
	c->sock_blocked = blocked;
	if (changed)
		table_write(c);
}

/* ------------------------------------------------------------------ the process */

/* Ours, and the linker looks nothing up later. */
static char **
env_of_spare(void)
{
	static char *env[1024], now[] = "LD_BIND_NOW=1";
	unsigned n = 0;
	for (char **e = environ; *e && n < BH_ARRAY_LEN(env) - 2; e++)
		env[n++] = *e;
	env[n++] = now;
	env[n] = NULL;
	return env;
}

/*
 * Start a program: `fds` become descriptors 3 to 5, `fd_err` (-1: as ours) stdout and stderr, nothing else is inherited.
 * (Our own 3 to 5 are placeholders, so that none of them can be overwritten by another.)
 */
int
super_run_program(const char *binary, char *const argv[], const int fds[3], int fd_err, pid_t *pid, enum super_run how)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t mask, all;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	const struct sched_param everybody = {0};
	char **env = how == SUPER_RUN_SPARE ? env_of_spare() : environ;
	sigemptyset(&mask);
	if (how == SUPER_RUN_KEEPER) {
		/* A keeper: what is sent to it before it listens must wait for it. */
		sigaddset(&mask, SIGTERM);
		sigaddset(&mask, SIGINT);
		sigaddset(&mask, SIGHUP);
	}
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (fd_err >= 0)
		posix_spawn_file_actions_adddup2(&files, fd_err, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			posix_spawn_file_actions_adddup2(&files, fds[i], BH_SPAWN_FD + i);
		else
			posix_spawn_file_actions_addclose(&files, BH_SPAWN_FD + i);
	}
	posix_spawn_file_actions_addclosefrom_np(&files, BH_SPAWN_FD + 3);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &mask);
	posix_spawnattr_setsigdefault(&attr, &all);
	if (how != SUPER_RUN_KEEPER) {
		posix_spawnattr_setpgroup(&attr, 0);
		flags |= POSIX_SPAWN_SETPGROUP;
	}
	if (how != SUPER_RUN_NOW) {
		posix_spawnattr_setschedpolicy(&attr, SCHED_OTHER);
		posix_spawnattr_setschedparam(&attr, &everybody);
		flags |= POSIX_SPAWN_SETSCHEDULER;
	}
	posix_spawnattr_setflags(&attr, flags);
	int r = -posix_spawn(pid, binary, &files, &attr, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return r;
}

static void
on_sock(void *data, int fd, uint32_t events)
{
	static struct bh_spawn_msg msg;
	struct child *c = data;
	int fds[BH_SPAWN_FDS], r = -EAGAIN;
	(void)fd;
	while (c->sock >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR) &&
	       (r = bh_spawn_recv(c->sock, &msg, fds, 0)) == 1) {
		int device = -1;
		for (unsigned i = 0; i < msg.nfds; i++) {
			if (msg.type == BH_SPAWN_DEVICE && msg.fd[i].role == BH_FD_DEVICE && device < 0)
				device = fds[i];
			else
				close(fds[i]);
		}
		if (msg.type == BH_SPAWN_READY) {
			super_policy(c, BH_POL_EV_READY, false, false);
		} else if (msg.type == BH_SPAWN_DEVICE) {
			bh_close(&c->device);
			c->device = device;
			if (device >= 0)
				keep_fd(c->s, BH_FD_DEVICE, c->slot, 0, 0);
			else
				keep_forget(c->s, c->slot, BH_FD_DEVICE);
		} else if (msg.type == BH_SPAWN_CONFIG_BACK) {
			config_on_back(c, &msg);
		}
	}
	if (r == 0 || (r < 0 && r != -EAGAIN && r != -EPROTO)) {
		/* It closed its end: it is dying, the pidfd will say so. */
		bh_watch_free(c->sock_watch);
		c->sock_watch = NULL;
		return;
	}
	if (events & EPOLLOUT)
		spawn_flush(c);
}

void
spawn_watch_sock(struct child *c)
{
	c->sock_blocked = false;
	c->sock_watch = bh_loop_watch(c->s->loop, c->sock, EPOLLIN, on_sock, c);
}

/* It has a process: tell of it, and then tell it who it is. */
static int
enter(struct child *c)
{
	c->body.alive = 1;
	c->body.started_ns = bh_now_ns();
	limits_set(c);
	sched_process(c->s, (pid_t)c->body.pid, c->body.role);
	table_write(c);
	watch_start(c);
	spawn_watch_sock(c);
	return spawn_attach(c);
}

/* 0, or -errno: it is not the one, and is ended. */
static int
hand_over(struct child *c, struct spare *sp)
{
	spare_take(sp, c);
	c->body.warm_starts++;
	keep_fd(c->s, BH_FD_SOCKET, c->slot, 0, 0);
	int r = enter(c);
	if (r < 0)
		bh_warn("%s: its spare cannot be told who it is (%s); starting another process", c->body.name, strerror(-r));
	if (r < 0 && c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	if (r < 0) {
		watch_stop(c);
		c->body.alive = 0;
		c->body.warm_starts--;
	}
	spare_taken(sp, c);
	return r;
}

/*
 * The order matters to whoever takes over when we die in between: the keeper has the socket first (a process whose socket
 * nobody has leaves by itself), then the process, then its entry in the table, and only then may it touch segments.
 */
static int
start_cold(struct child *c)
{
	struct super *s = c->s;
	int pair[2];
	pid_t pid;
	char *argv[] = {c->binary, NULL}, state, path[64];
	const char *program;
	upgrade_program(c, path, &program);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->sock = pair[0];
	keep_fd(s, BH_FD_SOCKET, c->slot, 0, 0);
	int r = super_run_program(program, argv, (int[3]){pair[1], -1, -1}, logfile_fd(s), &pid,
				  sched_level(s, c->body.role) ? SUPER_RUN_NOW : SUPER_RUN_ASIDE);
	close(pair[1]);
	if (r < 0) {
		bh_err("%s: %s cannot be started: %s", c->body.name, c->binary, strerror(-r));
		bh_close(&c->sock);
		keep_forget(s, c->slot, BH_FD_SOCKET);
		return r;
	}
	c->body.pid = (uint32_t)pid;
	watch_start_time(pid, &c->body.start_time, &state);
	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	r = enter(c);
	if (r < 0)
		bh_err("%s: its descriptors cannot be sent: %s", c->body.name, strerror(-r));
	return 0;
}

/* A spare waits for those who are needed now; who backs off can wait for a process, too. */
int
spawn_process(struct child *c, bool at_once)
{
	struct spare *sp = upgrade_next(c);
	if (!sp && at_once)
		sp = spare_for(c);
	bh_close(&c->sock);
	return sp && hand_over(c, sp) == 0 ? 0 : start_cold(c);
}

void
spawn_leave(struct child *c)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_STOP, .slot = c->slot};
	/* First, for who hears that it shall leave is gone at once; a leak checker that looks at it then is lost without its SIGSTOP. */
	if (c->pidfd >= 0 && c->frozen)
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGCONT, NULL, 0);
	if (c->sock >= 0)
		bh_spawn_send(c->sock, &msg, NULL);
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGTERM, NULL, 0);
}
