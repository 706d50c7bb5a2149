/*
 * watch.c - who died, and who hangs
 *
 * Deaths come from the kernel: a pidfd for each process, ours or adopted. The cause comes from waiting for our own children, from
 * the keeper for those that it inherited, and is `unknown` where neither knows.
 *
 * A hang is owed work without progress, and never a matter of time alone. A producer says that a process does not consume; we
 * look for ourselves that work lies there and the cursor stands still. Whom nobody waits for is looked at now and then: it hangs if it
 * is awake, and its loop is still in the turn that it was in. A call that takes long is declared, and has a limit of its own. Before it is called a hang, /proc is read: a process
 * that is stopped (by a signal, by a debugger) is shown as degraded and left alone, and time that it spent waiting for a
 * CPU, or for a disk that brings its memory back, does not count. So a machine under load, or a breakpoint, never looks like a
 * hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("watch");

#define BUSY_LIMIT_MAX_MS 600000u /* a process may declare a call of at most ten minutes */
#define DRAIN_MAX 256	/* events of one process in a turn */
#define DISK_TIMES 15	/* its patience: longer in a sleep that no signal ends is a hang, too */
#define LOOKS 8
#define LOOK_MIN_NS (BH_NS_PER_MS / 10)
#define LATE_NS (5 * BH_NS_PER_MS) /* we are that late on any machine */

static ssize_t
read_proc(pid_t pid, const char *file, char *buf, size_t cap)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);
	buf[n > 0 ? n : 0] = 0;
	return n;
}

/* Field 22 and the state letter of /proc/PID/stat. 0 or -ESRCH. */
int
watch_start_time(pid_t pid, uint64_t *start_time, char *state)
{
	char buf[1024];
	*start_time = 0;
	*state = '?';
	if (read_proc(pid, "stat", buf, sizeof(buf)) <= 0)
		return -ESRCH;
	char *p = strrchr(buf, ')'); /* the name may hold anything, ')' included */
	if (!p || p[1] != ' ')
		return -ESRCH;
	*state = p[2];
	p += 2;
	for (int field = 3; field < 22 && p; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -ESRCH;
	*start_time = strtoull(p + 1, NULL, 10);
	return 0;
}

/* CPU time had and waited for. Zeros where the kernel does not count it. */
static void
cpu_times(pid_t pid, uint64_t *ran_ns, uint64_t *waited_ns)
{
	char buf[128];
	*ran_ns = *waited_ns = 0;
	if (read_proc(pid, "schedstat", buf, sizeof(buf)) > 0)
		sscanf(buf, "%" SCNu64 " %" SCNu64, ran_ns, waited_ns);
}

uint64_t
watch_ran_ns(pid_t pid)
{
	uint64_t ran, waited;
	cpu_times(pid, &ran, &waited);
	return ran;
}

static bool
is_frozen_state(char state)
{
	return state == 'T' || state == 't';
}

/* ------------------------------------------------------------------ deaths */

static struct child *
by_pid(struct super *s, pid_t pid)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && s->slot[q].body.alive && s->slot[q].body.pid == (uint32_t)pid)
			return &s->slot[q];
	return NULL;
}

static void
died_with_status(struct child *c, int status)
{
	if (WIFSIGNALED(status))
		watch_died(c, BH_CAUSE_SIGNAL, WTERMSIG(status));
	else
		watch_died(c, BH_CAUSE_EXIT, WEXITSTATUS(status));
}

/* The keeper reaped somebody. We may have noticed the death before, or notice it in a moment. */
void
watch_on_reaped(struct super *s, pid_t pid, int status)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct bh_death *d = &s->slot[q].body.death[0];
		if (s->slot[q].used && d->pid == (uint32_t)pid && d->cause == BH_CAUSE_UNKNOWN) {
			d->cause = WIFSIGNALED(status) ? BH_CAUSE_SIGNAL : BH_CAUSE_EXIT;
			d->code = (uint16_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			bh_info("%s: it %s %u", s->slot[q].body.name,
				d->cause == BH_CAUSE_SIGNAL ? "had died of signal" : "had ended with status", d->code);
			table_write(&s->slot[q]);
			return;
		}
	}
	s->reaped[s->reaped_next % BH_ARRAY_LEN(s->reaped)].pid = pid;
	s->reaped[s->reaped_next++ % BH_ARRAY_LEN(s->reaped)].status = status;
}

static bool
take_reaped(struct super *s, pid_t pid, int *status)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->reaped); i++) {
		if (s->reaped[i].pid != pid)
			continue;
		*status = s->reaped[i].status;
		s->reaped[i].pid = 0;
		return true;
	}
	return false;
}

static void
on_pidfd(void *data, int fd, uint32_t events)
{
	struct child *c = data;
	siginfo_t si = {0};
	int status;
	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG) == 0) {
		if (si.si_pid)
			watch_died(c, si.si_code == CLD_EXITED ? BH_CAUSE_EXIT : BH_CAUSE_SIGNAL, si.si_status);
		return;
	}
	/* Adopted: the keeper's child, not ours. */
	uint32_t pid = c->body.pid;
	if (!take_reaped(c->s, (pid_t)pid, &status)) {
		keep_poll(c->s);
		if (!c->body.alive || c->body.pid != pid)
			return;
		if (!take_reaped(c->s, (pid_t)pid, &status)) {
			watch_died(c, BH_CAUSE_UNKNOWN, 0);
			return;
		}
	}
	died_with_status(c, status);
}

/* Adoption: it died while nobody watched. */
void
watch_gone(struct child *c)
{
	int status;
	if (take_reaped(c->s, (pid_t)c->body.pid, &status))
		died_with_status(c, status);
	else
		watch_died(c, BH_CAUSE_UNKNOWN, 0);
}

void
watch_start(struct child *c)
{
	if (c->pidfd >= 0)
		c->pid_watch = bh_loop_watch(c->s->loop, c->pidfd, EPOLLIN, on_pidfd, c);
	c->hang = (struct hang_watch){0};
	c->frozen = false;
}

void
watch_stop(struct child *c)
{
	bh_watch_free(c->pid_watch);
	bh_watch_free(c->sock_watch);
	c->pid_watch = c->sock_watch = NULL;
	bh_close(&c->pidfd);
	bh_close(&c->sock);
	c->hang = (struct hang_watch){0};
	c->frozen = c->sock_blocked = false;
}

/* SIGCHLD: our own processes have pidfds, too; here end the others (keepers, orphans of our processes). */
void
watch_children(struct super *s)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = by_pid(s, pid);
		if (c) {
			died_with_status(c, status);
		} else if (s->run.running && pid == s->run.pid) {
			s->run.exited = true;
			s->run.status = status;
			config_finish(s);
		} else if (!upgrade_reaped(s, pid, status)) {
			config_kept(s, pid, status);
		}
	}
}

static void
describe_cause(char *buf, size_t cap, int cause, int code)
{
	switch ((enum bh_cause)cause) {
	case BH_CAUSE_EXIT: snprintf(buf, cap, "ended with status %d", code); return;
	case BH_CAUSE_SIGNAL: snprintf(buf, cap, "died of signal %d (%s)", code, strsignal(code)); return;
	case BH_CAUSE_HANG: snprintf(buf, cap, "hung"); return;
	case BH_CAUSE_LIMIT: snprintf(buf, cap, "went over its limit of %s", bh_limit_name((uint32_t)code)); return;
	case BH_CAUSE_NEVER_READY: snprintf(buf, cap, "was not ready in time"); return;
	case BH_CAUSE_NONE:
	case BH_CAUSE_UNKNOWN: break;
	}
	snprintf(buf, cap, "died");
}

/* Whatever it was waited for by its peers: let them look. */
static void
ring_peers(struct child *c)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *o = &c->s->slot[q];
		if (o->used && o->has_tx && spawn_have_ring(c, o))
			bh_bell_ring_always(&o->tx.bell);
	}
}

void
watch_died(struct child *c, int cause, int code)
{
	struct bh_inflight doing = {0};
	bool attaching = false, crashed, leaving = c->mem.policy.state == BH_POL_LEAVING;
	char why[80], doing_text[80] = "";
	if (!c->body.alive)
		return;
	crashed = cause == BH_CAUSE_SIGNAL || c->mem.policy.cause == BH_CAUSE_HANG;
	if (c->mem.policy.cause != BH_CAUSE_NONE && !leaving)
		cause = c->mem.policy.cause;
	else if (!leaving && (c->mem.limit = (uint8_t)limits_of_death(c, cause, code)) != BH_LIMIT_NONE)
		cause = BH_CAUSE_LIMIT;
	if (cause == BH_CAUSE_LIMIT)
		code = c->mem.limit;
	watch_drain(c); /* its last words */
	if (c->shared) {
		doing = *(const volatile struct bh_inflight *)&c->shared->inflight;
		attaching = __atomic_load_n(&c->shared->attaching, __ATOMIC_ACQUIRE) == 1;
	}
	/* Whose predecessor has written over the head of its own segments cannot say so in them. */
	attaching |= cause == BH_CAUSE_EXIT && code == BH_EXIT_UNATTACHED;
	if (doing.seq && !leaving) {
		c->mem.inflight = doing;
		snprintf(doing_text, sizeof(doing_text), " while it was at %s %" PRIu32,
			 bh_event_kind_name(doing.kind), doing.id);
	}
	describe_cause(why, sizeof(why), cause, code);
	c->body.alive = 0;
	memmove(&c->body.death[1], &c->body.death[0], sizeof(c->body.death) - sizeof(c->body.death[0]));
	c->body.death[0] = (struct bh_death){
		.time_ns = bh_now_ns(), .pid = c->body.pid, .cause = (uint16_t)cause, .code = (uint16_t)code};
	c->body.hangs += cause == BH_CAUSE_HANG;
	c->body.pid = 0;
	watch_stop(c);
	if (leaving)
		bh_info("%s: has left", c->body.name);
	else
		bh_warn("%s: %s%s", c->body.name, why, doing_text);
	if (!leaving && !c->mem.died_ns)
		c->mem.died_ns = c->body.death[0].time_ns;
	config_on_death(c);
	upgrade_died(c);
	bool unproven = crashed && c->s->config_before >= 0 && c->s->config.head &&
			c->mem.proven_generation != c->s->config.head->generation;
	super_policy(c, BH_POL_EV_DIED, attaching, unproven);
	/* After its successor is on its way: each of these wakes somebody, who may take the processor from it. */
	if (c->sock < 0)
		keep_forget(c->s, c->slot, BH_FD_SOCKET);
	ring_peers(c);
}

/* ------------------------------------------------------------------ hangs */

/* Does work of `by` lie there that `c` has not consumed? What the producer says is not enough. */
static bool
really_owes(struct child *c, struct child *by, uint64_t *cursor)
{
	struct bh_seg ring = {0};
	struct bh_ring_rx rx = {0};
	*cursor = __atomic_load_n(&c->shared->cursor[by->slot], __ATOMIC_ACQUIRE);
	uint64_t at = *cursor;
	if (by->out[c->slot].ro < 0 || bh_seg_map(&ring, by->out[c->slot].ro, BH_SEG_OUTBOX, false) < 0)
		return false;
	bool owes = bh_ring_rx_attach(&rx, &ring, &at) == 0 && (rx.jumped || bh_ring_has(&rx));
	bh_seg_unmap(&ring);
	return owes;
}

static uint32_t
declared_ms(const struct child *c)
{
	uint32_t busy = __atomic_load_n(&c->shared->busy_limit_ms, __ATOMIC_ACQUIRE);
	return busy < BUSY_LIMIT_MAX_MS ? busy : BUSY_LIMIT_MAX_MS;
}

static uint64_t
patience_ns(const struct child *c)
{
	uint32_t busy = declared_ms(c);
	return (busy > c->hang_ms ? busy : c->hang_ms) * BH_NS_PER_MS;
}

/* It cannot be blamed now: what is owed is owed from now on. */
static void
excuse(struct child *c)
{
	c->hang.open = false;
	c->hang.excused_ns = bh_mono_ns();
}

static void
freeze(struct child *c, char state)
{
	excuse(c);
	if (c->frozen)
		return;
	c->frozen = true;
	bh_warn("%s: %s; left alone until it goes on", c->body.name,
		state == 't' ? "is stopped by a debugger" : "is stopped by a signal");
	table_health(c, BH_HEALTH_DEGRADED, state == 't' ? "detach the debugger" : "continue it: bulkhead kill --signal CONT",
		     "stopped");
	super_arm(c->s);
}

/* Does it stand still: before work of `by`, or (by itself) awake in one and the same turn of its loop? `mark` says where. */
static bool
stands_still(struct child *c, struct child *by, uint64_t *mark)
{
	if (by != c)
		return by->used && spawn_have_ring(c, by) && really_owes(c, by, mark);
	*mark = __atomic_load_n(&c->shared->beat, __ATOMIC_ACQUIRE);
	return !(__atomic_load_n(&c->shared->bell.episode, __ATOMIC_ACQUIRE) & 1);
}

/*
 * Seen for the first time. What the producer says to have waited counts as far as it cannot have been a wait for a CPU; at most
 * what passed since its start, since it was stopped, and since the end of a call that it had declared.
 */
static void
begin_watch(struct child *c, struct child *by, uint64_t now, uint64_t mark, uint64_t credit, uint64_t ran, uint64_t waited)
{
	struct hang_watch *h = &c->hang;
	uint64_t lived = bh_now_ns() - c->body.started_ns;
	uint64_t able_since = __atomic_load_n(&c->shared->busy_ended_ns, __ATOMIC_ACQUIRE);
	uint64_t queued = waited - (h->wait_mark_ns <= waited ? h->wait_mark_ns : waited);
	able_since = able_since > h->excused_ns ? able_since : h->excused_ns;
	credit = credit < lived ? credit : lived;
	credit = able_since < now ? (credit < now - able_since ? credit : now - able_since) : 0;
	credit -= queued < credit ? queued : credit;
	*h = (struct hang_watch){.open = true, .by = by->slot, .mark = mark, .since_ns = now - credit, .wait_ns = waited, .ran_ns = ran,
				 .busy_ms = declared_ms(c), .excused_ns = h->excused_ns};
}

/* Is it hung? If it cannot be said yet, we look again by ourselves. `credit`: how long another has seen it stand still. */
static void
look(struct child *c, struct child *by, uint64_t credit)
{
	struct hang_watch *h = &c->hang;
	uint64_t now = bh_mono_ns(), patience, ran, waited, mark, start_time;
	char state;
	h->look_ns = 0;
	if (!c->used || c->mem.policy.state != BH_POL_RUNNING || !c->shared || c->frozen || !stands_still(c, by, &mark)) {
		h->open = h->open && h->by != by->slot;
		return;
	}
	if (watch_start_time((pid_t)c->body.pid, &start_time, &state) < 0 || state == 'Z' || state == 'X')
		return;
	patience = patience_ns(c);
	if (is_frozen_state(state)) {
		freeze(c, state);
		return;
	}
	if (state == 'D' && credit < DISK_TIMES * patience) {
		excuse(c);
		return;
	}
	cpu_times((pid_t)c->body.pid, &ran, &waited);
	if (!h->open || h->by != by->slot || h->mark != mark)
		begin_watch(c, by, now, mark, credit, ran, waited);
	else if (h->busy_ms != declared_ms(c)) /* another call, with a limit of its own */
		begin_watch(c, by, now, mark, 0, ran, waited);
	h->wait_mark_ns = waited;
	/* Ready to run, and given nothing since we began to look: it cannot be blamed. */
	bool starved = state == 'R' && now > h->since_ns && ran == h->ran_ns && waited == h->wait_ns;
	uint64_t lag = now - h->since_ns, excused = waited - h->wait_ns;
	if (starved || lag < excused + patience) {
		uint64_t at = starved ? now + patience / LOOKS : h->since_ns + excused + patience;
		h->look_ns = at > now + LOOK_MIN_NS ? at : now + LOOK_MIN_NS;
		return;
	}
	if (by == c)
		bh_warn("%s: its loop has stood still for %.2f s (state %c); ending it", c->body.name, (double)lag / (double)BH_NS_PER_S, state);
	else
		bh_warn("%s: has not consumed what %s sent it for %.2f s (state %c); ending it", c->body.name, by->body.name,
			(double)lag / (double)BH_NS_PER_S, state);
	h->open = false;
	super_policy(c, BH_POL_EV_HANG, false, false);
}

/* The time has come that look() has set. What we are late ourselves, it may be, too. */
void
watch_look(struct child *c, uint64_t now)
{
	struct hang_watch *h = &c->hang;
	if (!h->look_ns || now < h->look_ns)
		return;
	uint64_t late = now - h->look_ns;
	if (late > LATE_NS)
		h->since_ns += late;
	h->look_ns = 0;
	if (h->open)
		look(c, &c->s->slot[h->by], 0);
}

/* It is ready: what it waited for a CPU until now was its start. */
void
watch_ready(struct child *c)
{
	uint64_t ran;
	cpu_times((pid_t)c->body.pid, &ran, &c->hang.wait_mark_ns);
}

/* Now and then: does its loop turn, though nobody waits for it? And until when has it waited for a CPU without being late? */
void
watch_beat(struct child *c)
{
	uint64_t ran;
	if (c->mem.policy.state != BH_POL_RUNNING || !c->shared || c->hang.open)
		return;
	cpu_times((pid_t)c->body.pid, &ran, &c->hang.wait_mark_ns);
	look(c, c, 0);
}

static void
on_owed(struct child *by, uint32_t slot, int64_t owed_ns)
{
	struct child *c = slot < BH_MAX_SLOTS ? &by->s->slot[slot] : NULL;
	if (!c || !c->used || c == by || owed_ns <= 0)
		return;
	look(c, by, (uint64_t)owed_ns);
}

/* While it is shown as stopped: does it go on? */
void
watch_frozen(struct child *c)
{
	uint64_t start_time;
	char state;
	if (!c->frozen || watch_start_time((pid_t)c->body.pid, &start_time, &state) < 0 || is_frozen_state(state))
		return;
	c->frozen = false;
	excuse(c);
	bh_info("%s: goes on", c->body.name);
	table_claimed(c);
}

/* The deadline for READY has passed: is it its own fault? Else the deadline is moved. */
bool
watch_may_expire(struct child *c, uint64_t now)
{
	uint64_t ran, waited, start_time, ready_ns = c->ready_ms * BH_NS_PER_MS;
	char state;
	if (c->mem.policy.state != BH_POL_STARTING ||
	    watch_start_time((pid_t)c->body.pid, &start_time, &state) < 0)
		return true;
	cpu_times((pid_t)c->body.pid, &ran, &waited);
	uint64_t lived = bh_now_ns() - c->body.started_ns;
	if (is_frozen_state(state)) {
		freeze(c, state);
		c->mem.policy.deadline_ns = now + ready_ns;
		return false;
	}
	if (lived >= ready_ns + waited)
		return true;
	c->mem.policy.deadline_ns = now + (ready_ns + waited - lived);
	return false;
}

/* ------------------------------------------------------------------ what processes tell us */

static void
on_request(struct child *c, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct bh_request_args args;
	if (c->body.role != BH_ROLE_CONTROL || len < sizeof(args)) {
		bh_bug_peer("%s sent a request that is none", c->body.name);
		return;
	}
	memcpy(&args, payload, sizeof(args));
	super_request(c->s, ev->id, ev->total, &args);
}

void
watch_drain(struct child *c)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(3, 10000);
	uint8_t payload[BH_PAYLOAD_MAX];
	struct bh_event ev;
	size_t len;
	int r;
	for (unsigned i = 0; i < DRAIN_MAX && c->has_rx; i++) {
		r = bh_ring_peek(&c->rx.ring, &ev, payload, sizeof(payload), &len);
		if (r == 0) {
			/* No cells, so an overflow says nothing; unseen, it would keep us awake. */
			bh_inbox_overflowed(&c->rx, &c->rx.overflow_seen);
			return;
		}
		bh_ring_advance(&c->rx.ring, &ev);
		if (r < 0) {
			c->s->self->counter[BH_CNT_PEER_FAULTS]++;
			bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "peer fault: %s wrote an event that is none",
				       c->body.name);
		} else if (ev.kind == BH_EV_HEALTH) {
			table_claimed(c);
		} else if (ev.kind == BH_EV_OWED) {
			on_owed(c, ev.id, ev.v.i);
		} else if (ev.kind == BH_EV_REQUEST) {
			on_request(c, &ev, payload, len);
		} else if (ev.kind == BH_EV_RESULT) {
			super_forwarded(c, &ev, payload, len);
		}
	}
}
