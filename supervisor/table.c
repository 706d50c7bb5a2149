/*
 * table.c - what others read about the processes, and what the next supervisor needs to know
 *
 * Two memories: the process table, which everybody who has it may read, and a scratch of our own with the state of the
 * restart decisions. Both are written entry by entry through latches: a supervisor that is killed half-way leaves the entry
 * as it was. Health is decided here: a process says how it is, but who is not alive says nothing, and who is stopped by a
 * signal is not ok whatever it said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("table");

#define LOCK_TRIES 100
#define LOCK_PAUSE_US 10000
#define MEMORY_MAGIC 0x324d455250555348ull

int
table_map(struct super *s)
{
	struct child *me = &s->slot[BH_SLOT_SUPERVISOR];
	uint32_t n = 0;
	int r = bh_seg_map(&s->table_map, s->table.rw, BH_SEG_TABLE, true);
	if (r == 0)
		r = bh_seg_map(&s->self_map, me->self.rw, BH_SEG_SELF, true);
	if (r == 0)
		r = bh_seg_map(&s->memory_map, me->priv.rw, BH_SEG_PRIVATE, true);
	if (r < 0)
		return r;
	s->head = bh_seg_section(&s->table_map, BH_SEC_TABLE, sizeof(struct bh_table_head), NULL);
	s->entries = bh_seg_section(&s->table_map, BH_SEC_PROCS, sizeof(struct bh_proc_entry), &n);
	s->self = bh_seg_section(&s->self_map, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	if (!s->head || !s->entries || n < BH_MAX_SLOTS || !s->self)
		return -EPROTO;
	s->memory = bh_seg_section(&s->memory_map, BH_SEC_SCRATCH, 1, &n);
	if (!s->memory || n < sizeof(struct super_memory))
		return -EPROTO;
	s->self->bell.mode = BH_BELL_PIPE;
	s->self->pid = (uint32_t)getpid();
	s->self->attach_count++;
	return 0;
}

int
table_create(struct super *s)
{
	int r = bh_seg_create_table(&s->table);
	if (r == 0)
		r = table_map(s);
	if (r < 0)
		return r;
	s->memory->magic = MEMORY_MAGIC;
	s->memory->cold = 1;
	s->head->started_ns = bh_now_ns();
	return 0;
}

/* For people: until when it backs off, on the clock of all stamps. */
static uint64_t
next_start(const struct child *c)
{
	uint64_t now = bh_mono_ns(), at = c->mem.policy.deadline_ns;
	if (c->mem.policy.state != BH_POL_BACKING_OFF)
		return 0;
	return bh_now_ns() + (at > now ? at - now : 0);
}

void
table_write(struct child *c)
{
	struct super *s = c->s;
	struct slot_latch *latch = &s->memory->slot[c->slot];
	struct bh_policy_limits limits;
	super_limits(c, &limits);
	if (!c->used) {
		memset(&c->body, 0, sizeof(c->body));
		memset(&c->mem, 0, sizeof(c->mem));
	} else if (c->slot != BH_SLOT_SUPERVISOR) {
		c->body.wanted = bh_policy_is_wanted(&c->mem.policy);
		c->body.recent_failures = bh_policy_recent(&c->mem.policy, &limits, bh_mono_ns());
		c->body.next_start_ns = next_start(c);
	}
	bh_latch_write(&latch->turn, latch->copy, sizeof(latch->copy[0]), &c->mem, sizeof(c->mem));
	bh_proc_entry_write(&s->entries[c->slot], &c->body);
	__atomic_store_n(&s->head->generation, s->head->generation + 1, __ATOMIC_RELEASE);
}

/* Adoption: the entry as our predecessor left it. */
void
table_load(struct child *c)
{
	struct slot_latch *latch = &c->s->memory->slot[c->slot];
	memset(&c->mem, 0, sizeof(c->mem));
	if (c->s->memory->magic == MEMORY_MAGIC &&
	    bh_latch_read(&latch->turn, latch->copy, sizeof(latch->copy[0]), &c->mem, sizeof(c->mem)) < 0)
		memset(&c->mem, 0, sizeof(c->mem));
	bh_policy_sanitise(&c->mem.policy);
	if (bh_proc_entry_read(&c->s->entries[c->slot], &c->body) <= 0)
		memset(&c->body, 0, sizeof(c->body));
	c->body.name[sizeof(c->body.name) - 1] = 0;
	c->body.kind[sizeof(c->body.kind) - 1] = 0;
	c->used = c->body.role != BH_ROLE_NONE;
}

/* ------------------------------------------------------------------ health */

/* Text of another process, on its way to a terminal. */
static void
clean(char *text, size_t cap)
{
	text[cap - 1] = 0;
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static bool
is_told(const struct child *reader, const struct child *about)
{
	if (!reader->used || reader == about || reader->slot == BH_SLOT_SUPERVISOR)
		return false;
	return about->body.role == BH_ROLE_ROUTER || reader->body.role == BH_ROLE_ROUTER ||
	       reader->body.role == BH_ROLE_CONTROL || reader->body.role == BH_ROLE_STORE;
}

/* A process that has become ready knows nothing yet: everybody's health is untold. */
void
table_tell_all(struct child *reader)
{
	reader->health_untold = 0;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (reader->s->slot[q].used && is_told(reader, &reader->s->slot[q]))
			reader->health_untold |= 1u << q;
}

static void
set_health(struct child *c, const struct bh_health_record *h)
{
	bool changed = c->body.health.health != h->health;
	if (!changed && !strcmp(c->body.health.reason, h->reason) && !strcmp(c->body.health.hint, h->hint))
		return;
	c->body.health = *h;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (is_told(&c->s->slot[q], c))
			c->s->slot[q].health_untold |= 1u << c->slot;
	/* First those who act on it, then all who look: what people do because of it is not met by somebody who has not heard. */
	table_tell(c->s);
	table_write(c);
}

void
table_health(struct child *c, enum bh_health health, const char *hint, const char *reason, ...)
{
	struct bh_health_record h = {.since_ns = bh_now_ns(), .health = health};
	va_list ap;
	va_start(ap, reason);
	vsnprintf(h.reason, sizeof(h.reason), reason, ap);
	va_end(ap);
	snprintf(h.hint, sizeof(h.hint), "%s", hint ? hint : "");
	set_health(c, &h);
}

/* It runs: its own word counts, as far as it is one that a running process can say. */
void
table_claimed(struct child *c)
{
	struct bh_health_record h;
	if (c->mem.policy.state != BH_POL_RUNNING || c->frozen || !c->shared)
		return;
	if (bh_health_read(c->shared, &h) <= 0)
		h = (struct bh_health_record){.health = BH_HEALTH_OK};
	clean(h.reason, sizeof(h.reason));
	clean(h.hint, sizeof(h.hint));
	h.since_ns = bh_now_ns();
	switch (h.health) {
	case BH_HEALTH_OK:
	case BH_HEALTH_STARTING:
	case BH_HEALTH_CONNECTING:
	case BH_HEALTH_DEGRADED:
	case BH_HEALTH_BAD_CONFIG:
	case BH_HEALTH_AUTH_FAILED:
	case BH_HEALTH_NO_PERMISSION: break;
	case BH_HEALTH_STOPPED: return; /* it is leaving: the pidfd will say so */
	default: h.health = BH_HEALTH_DEGRADED; break;
	}
	if (h.health == BH_HEALTH_OK && c->mem.died_ns) {
		c->body.last_recovery_ns = h.since_ns - c->mem.died_ns;
		c->mem.died_ns = 0;
		bh_info("%s: well again %.1f ms after it died", c->body.name,
			(double)c->body.last_recovery_ns / (double)BH_NS_PER_MS);
		table_write(c);
	}
	set_health(c, &h);
}

/* Tell what is untold. A ring that is full keeps its rest for later. */
void
table_tell(struct super *s)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *to = &s->slot[q];
		if (!to->used || !to->health_untold || !to->has_tx)
			continue;
		for (unsigned p = 1; p < BH_MAX_SLOTS; p++) {
			if (!(to->health_untold & 1u << p))
				continue;
			struct bh_event ev = {.kind = BH_EV_HEALTH, .id = p, .type = BH_INT, .stamp_ns = bh_now_ns(),
					      .v.i = s->slot[p].used ? (int64_t)s->slot[p].body.health.health
								     : BH_HEALTH_STOPPED};
			if (bh_outbox_send(&to->tx, &ev, NULL, 0) < 0)
				break;
			to->health_untold &= ~(1u << p);
		}
		bh_outbox_flush(&to->tx);
	}
}

/* ------------------------------------------------------------------ the pid file */

/* Rewritten in place: its lock belongs to the open file. */
void
table_pid_file(struct super *s)
{
	char text[96];
	if (s->lock < 0)
		return;
	int n = snprintf(text, sizeof(text), "keeper %d supervisor %d\n", (int)s->keeper_pid, (int)getpid());
	if (pwrite(s->lock, text, (size_t)n, 0) != n || ftruncate(s->lock, n) < 0)
		bh_warn("the pid file cannot be written: %m");
}

/* Locked by whoever is dying still has it for a moment: all that it had open is closed one after the other. */
static int
lock_patiently(int fd)
{
	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		usleep(LOCK_PAUSE_US);
	}
	return -1;
}

/* 0, -EWOULDBLOCK if a pipeline runs here already (its pid file's text was printed), or -errno. */
int
table_lock(struct super *s)
{
	char path[4096], text[96];
	struct stat ours, there;
	int r = bh_path_runtime(path, sizeof(path), "pid");
	if (r < 0)
		return r;
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		if (lock_patiently(fd) < 0) {
			ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
			text[n > 0 ? n : 0] = 0;
			text[strcspn(text, "\n")] = 0;
			close(fd);
			bh_err("Bulkhead is running already (%s; %s); `bulkhead status` shows it", text, path);
			return -EWOULDBLOCK;
		}
		/* A pipeline that ended just now has taken the file away under our hands. */
		if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino) {
			s->lock = fd;
			return 0;
		}
		close(fd);
	}
	return -EBUSY;
}

void
table_unlock(struct super *s)
{
	char path[4096];
	if (s->lock >= 0 && bh_path_runtime(path, sizeof(path), "pid") == 0)
		unlink(path);
	bh_close(&s->lock);
}
