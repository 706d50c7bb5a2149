/*
 * supervisor - starts, watches, restarts and adopts the processes; never touches an event of theirs
 *
 * In:    a compiled configuration (config.c); deaths (watch.c); requests of bh-control by ring; signals
 * Out:   running processes, the process table, health told to those who want to know, results of requests
 * Fails: when it dies, nothing else does: the keeper starts the next one, which adopts what runs by the table. Errors in the
 *        first configuration end it with 5, a pipeline that runs already with 2.
 *
 * Order of start: the router first; once it is ready (or has failed: nobody waits for the dead) all others at once, for
 * they depend on nothing else. Order of a clean end: surfaces, so that the desk is left dark or as it was before anything that
 * it shows breaks away; drivers; the router, which has then consumed what they said last; the store, whose last snapshot sees
 * the router's final state; bh-control, which has answered whoever asked. Each stage has its time limit (stop_ms).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/config/history.h"
#include "common/config/loss.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("main");

#define FROZEN_LOOK_NS (250 * BH_NS_PER_MS)
#define TICK_NS (3 * BH_NS_PER_S)
#define RETRY_NS (100 * BH_NS_PER_MS)
#define ANSWER_NS (50 * BH_NS_PER_MS)
#define RESULT_TEXT_MAX 8192u

/* ------------------------------------------------------------------ deciding, and doing it */

void
super_limits(const struct child *c, struct bh_policy_limits *out)
{
	const struct super_config *cfg = &c->s->cfg;
	*out = (struct bh_policy_limits){
		.crash_limit = cfg->crash_limit,
		.crash_window_ns = cfg->crash_window_ms * BH_NS_PER_MS,
		.backoff_first_ns = cfg->backoff_first_ms * BH_NS_PER_MS,
		.backoff_max_ns = cfg->backoff_max_ms * BH_NS_PER_MS,
		.ready_ns = c->ready_ms * BH_NS_PER_MS,
		.stop_ns = cfg->stop_ms * BH_NS_PER_MS,
		.abort_ns = cfg->abort_ms * BH_NS_PER_MS,
		.bury_ns = 2 * BH_NS_PER_S,
	};
}

static void
last_death(const struct child *c, char *buf, size_t cap)
{
	const struct bh_death *d = &c->body.death[0];
	if (d->cause == BH_CAUSE_SIGNAL)
		snprintf(buf, cap, "signal %u", d->code);
	else if (d->cause == BH_CAUSE_EXIT)
		snprintf(buf, cap, "exit status %u", d->code);
	else if (d->cause == BH_CAUSE_LIMIT)
		snprintf(buf, cap, "limit of %s", bh_limit_name(d->code));
	else
		snprintf(buf, cap, "%s", bh_cause_name(d->cause));
}

/* "5 failures in 30 s (3 signal, 2 hang)": within the window, by cause. */
static void
failures(const struct child *c, const struct bh_policy_limits *limits, char *buf, size_t cap)
{
	uint32_t count[BH_POLICY_CAUSES], all = 0, kinds = 0;
	bh_policy_causes(&c->mem.policy, limits, bh_mono_ns(), count);
	for (uint32_t i = 0; i < BH_POLICY_CAUSES; i++) {
		all += count[i];
		kinds += count[i] > 0;
	}
	size_t at = (size_t)snprintf(buf, cap, "%u failures in %u s", all, c->s->cfg.crash_window_ms / 1000);
	for (uint32_t i = 0, n = 0; kinds > 1 && i < BH_POLICY_CAUSES && at < cap; i++)
		if (count[i])
			at += (size_t)snprintf(buf + at, cap - at, "%s%u %s", n++ ? ", " : " (", count[i], bh_cause_name(i));
	if (kinds > 1 && at < cap)
		snprintf(buf + at, cap - at, ")");
}

/* The health that follows from the state alone. */
static void
show(struct child *c, const struct bh_policy_limits *limits)
{
	char why[40], hint[80], how_often[64];
	enum bh_health health = bh_policy_health(&c->mem.policy);
	last_death(c, why, sizeof(why));
	failures(c, limits, how_often, sizeof(how_often));
	switch (health) {
	case BH_HEALTH_STARTING:
		if (c->mem.died_ns)
			table_health(c, health, NULL, "restarting after %s", why);
		else
			table_health(c, health, NULL, "%s", "");
		return;
	case BH_HEALTH_BACKING_OFF:
		table_health(c, health, NULL, "%s; %s", why, how_often);
		return;
	case BH_HEALTH_FAILED:
		snprintf(hint, sizeof(hint), "see its log, then: bulkhead release %s", c->body.name);
		table_health(c, health, hint, "%s, the last by %s", how_often, why);
		return;
	case BH_HEALTH_HELD:
		snprintf(hint, sizeof(hint), "bulkhead release %s", c->body.name);
		table_health(c, health, hint, "held");
		return;
	case BH_HEALTH_STOPPED:
		snprintf(hint, sizeof(hint), "bulkhead start %s", c->body.name);
		table_health(c, health, hint, "stopped");
		return;
	default: table_claimed(c); return;
	}
}

static void
log_change(struct child *c, uint8_t before, const struct bh_policy_limits *limits)
{
	uint8_t after = c->mem.policy.state;
	uint64_t now = bh_mono_ns();
	char how_often[64], why[40], lost[400];
	if (after == before)
		return;
	if (after == BH_POL_FAILED) {
		failures(c, limits, how_often, sizeof(how_often));
		last_death(c, why, sizeof(why));
		bh_config_loss(&c->s->config, c->slot, lost, sizeof(lost));
		bh_err("%s: failed: %s, the last by %s; left alone now. Lost until then: %s. After mending it: bulkhead release %s", c->body.name,
		       how_often, why, lost[0] ? lost : "nothing that is on a surface", c->body.name);
	} else if (after == BH_POL_BACKING_OFF)
		bh_info("%s: next start in %.1f s", c->body.name,
			(double)(c->mem.policy.deadline_ns - now) / (double)BH_NS_PER_S);
	else if (after == BH_POL_RUNNING)
		bh_info("%s: ready (%u)", c->body.name, c->body.pid);
}

static void
send_signal(struct child *c, int sig)
{
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
}

static void
abandon(struct child *c)
{
	bh_err("%s: process %u does not die of SIGKILL; going on without it, with fresh segments", c->body.name,
	       c->body.pid);
	watch_stop(c);
	keep_forget(c->s, c->slot, BH_FD_SOCKET);
	c->body.alive = 0;
	c->body.pid = 0;
}

static void
start_process(struct child *c, bool fresh, bool at_once)
{
	int r = fresh ? spawn_fresh(c) : spawn_needs_room(c, &c->s->config) ? spawn_grow(c) : 0;
	if (c->mem.lived)
		c->body.restarts++;
	if (r == 0)
		r = spawn_process(c, at_once);
	if (r == 0) {
		c->mem.lived = 1;
		return;
	}
	memmove(&c->body.death[1], &c->body.death[0], sizeof(c->body.death) - sizeof(c->body.death[0]));
	c->body.death[0] = (struct bh_death){.time_ns = bh_now_ns(), .cause = BH_CAUSE_EXIT, .code = 127};
	super_policy(c, BH_POL_EV_DIED, false, false);
}

static void release_waiting(struct super *s);
static void quit_on(struct super *s);

static unsigned
apply_event(struct child *c, const struct bh_policy_input *in)
{
	struct super *s = c->s;
	struct bh_policy_limits limits;
	uint8_t before = c->mem.policy.state;
	super_limits(c, &limits);
	unsigned todo = bh_policy_step(&c->mem.policy, &limits, in, bh_mono_ns());
	if (todo & BH_POL_REFUSED)
		return todo;
	if (in->event == BH_POL_EV_READY) {
		config_child_ready(c);
		upgrade_ready(c);
		watch_ready(c);
	}
	table_write(c);
	log_change(c, before, &limits);
	if (todo & BH_POL_DO_REVERT)
		config_revert(s, c);
	if (todo & BH_POL_DO_ABANDON)
		abandon(c);
	if (todo & BH_POL_DO_LEAVE)
		spawn_leave(c);
	if (todo & BH_POL_DO_ABORT)
		send_signal(c, SIGABRT);
	if (todo & BH_POL_DO_KILL)
		send_signal(c, SIGKILL);
	if (!c->frozen || c->mem.policy.state != BH_POL_RUNNING)
		show(c, &limits);
	if (todo & BH_POL_DO_SPAWN)
		start_process(c, todo & BH_POL_DO_FRESH, before != BH_POL_BACKING_OFF);
	if (in->event == BH_POL_EV_READY)
		table_tell_all(c);
	if (before != c->mem.policy.state)
		spare_touch(s);
	if (!bh_policy_is_alive(&c->mem.policy) && c->upgrade.stage == UPGRADE_LEAVING)
		upgrade_cancel(c); /* a person has stopped it meanwhile */
	if (!bh_policy_is_alive(&c->mem.policy) && c->mem.removed)
		super_gone(c);
	if (c->slot == BH_SLOT_ROUTER && c->mem.policy.state != BH_POL_STARTING)
		release_waiting(s);
	if (s->memory->quitting && before != c->mem.policy.state)
		quit_on(s);
	return todo;
}

void
super_policy(struct child *c, enum bh_policy_event ev, bool attaching, bool unproven)
{
	struct bh_policy_input in = {.event = ev, .attaching = attaching, .unproven = unproven};
	if (ev == BH_POL_EV_DIED)
		in.cause = c->body.death[0].cause;
	apply_event(c, &in);
}

/* Taken out of the configuration, and it has left: its slot is free. */
void
super_gone(struct child *c)
{
	struct super *s = c->s;
	uint32_t bit = 1u << c->slot;
	bh_info("%s: taken out of the configuration", c->body.name);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *o = &s->slot[q];
		if (!o->used || o == c)
			continue;
		o->mem.peers_untold &= ~bit;
		o->health_untold &= ~bit;
		if (spawn_have_ring(o, c) || o->body.role == BH_ROLE_CONTROL || o->body.role == BH_ROLE_STORE)
			o->mem.peers_ungone |= bit;
	}
	watch_stop(c);
	spawn_teardown(c);
	keep_forget(s, c->slot, 0);
	table_write(c);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		spawn_flush(&s->slot[q]);
	config_reconcile(s);
}

/* ------------------------------------------------------------------ first start, clean end */

static void
release_waiting(struct super *s)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (!c->used || !c->waits)
			continue;
		c->waits = false;
		if (!s->memory->quitting)
			super_policy(c, BH_POL_EV_START, false, false);
	}
}

/* systemd hears of the first start's end, and in one line how things are. */
static void
say_state(struct super *s)
{
	static char said[200];
	char text[200];
	unsigned n = 0, bad = 0, starting = 0;
	size_t at;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		n += s->slot[q].used;
	at = (size_t)snprintf(text, sizeof(text), "%u processes", n);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		uint32_t h = c->body.health.health;
		if (!c->used)
			continue;
		starting += c->waits || c->mem.policy.state == BH_POL_STARTING;
		if (h == BH_HEALTH_OK || h == BH_HEALTH_STOPPED || bad++ >= 4 || at >= sizeof(text))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "; %s %s", c->body.name, bh_health_name(h));
	}
	if (s->memory->cold && !starting) {
		s->memory->cold = 0;
		notify_systemd("READY=1");
	}
	if (strcmp(text, said)) {
		snprintf(said, sizeof(said), "%s", text);
		notify_systemd("STATUS=%s", text);
	}
}

/* Which processes leave in which stage. */
static const uint8_t quit_roles[] = {BH_ROLE_NONE, BH_ROLE_SURFACE, BH_ROLE_DRIVER, BH_ROLE_ROUTER, BH_ROLE_STORE,
				     BH_ROLE_CONTROL};

/* One stage after the other; comes back here whenever a process has left. */
static void
quit_on(struct super *s)
{
	static bool inside;
	if (inside)
		return; /* asking a process to leave brings us here again */
	inside = true;
	while (s->memory->quitting < BH_ARRAY_LEN(quit_roles)) {
		bool left = true;
		for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
			struct child *c = &s->slot[q];
			if (!c->used || c->body.role != quit_roles[s->memory->quitting])
				continue;
			if (!c->told_stop) {
				c->told_stop = true;
				c->waits = false;
				super_policy(c, BH_POL_EV_STOP, false, false);
			}
			left = left && !bh_policy_is_alive(&c->mem.policy);
		}
		if (!left)
			break;
		s->memory->quitting++;
	}
	inside = false;
	if (s->memory->quitting < BH_ARRAY_LEN(quit_roles))
		return;
	bh_info("all processes have left");
	spare_end_all(s);
	table_unlock(s);
	keep_quit(s, s->memory->exit_code);
	exit(s->memory->exit_code);
}

void
super_quit(struct super *s, int exit_code)
{
	if (!s->running)
		super_cold_failed(s, 0);
	if (s->memory->quitting)
		return;
	bh_info("stopping: surfaces, drivers, router, store, control");
	notify_systemd("STOPPING=1");
	s->memory->exit_code = (uint8_t)exit_code;
	s->memory->quitting = 1;
	spare_end_all(s);
	quit_on(s);
}

void
super_cold_failed(struct super *s, int exit_code)
{
	table_unlock(s);
	keep_quit(s, exit_code);
	exit(exit_code);
}

/* Our own entry, and what a new life of ours means for the table. */
static void
enter_self(struct super *s)
{
	struct child *me = &s->slot[BH_SLOT_SUPERVISOR];
	char state;
	me->used = true;
	snprintf(me->body.name, sizeof(me->body.name), "supervisor");
	snprintf(me->body.kind, sizeof(me->body.kind), "supervisor");
	me->body.role = BH_ROLE_SUPERVISOR;
	me->body.wanted = me->body.alive = 1;
	me->body.pid = (uint32_t)getpid();
	watch_start_time(getpid(), &me->body.start_time, &state);
	me->body.started_ns = bh_now_ns();
	me->body.restarts = s->head->supervisor_lives;
	me->body.health = (struct bh_health_record){.health = BH_HEALTH_OK, .since_ns = bh_now_ns()};
	s->head->supervisor_pid = (uint32_t)getpid();
	__atomic_store_n(&s->head->supervisor_lives, s->head->supervisor_lives + 1, __ATOMIC_RELEASE);
	s->head->keeper_pid = (uint32_t)s->keeper_pid;
	if (!s->head->keeper_lives)
		s->head->keeper_lives = 1;
	table_write(me);
	table_pid_file(s);
}

static void
on_bell(void *data, int fd, uint32_t events)
{
	char buf[4096];
	(void)data, (void)events;
	while (read(fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		;
}

/* Both ways in: the segments are there; everything goes to the keeper, and our bell can be rung. */
static void
enter(struct super *s)
{
	if (!bh_loop_watch(s->loop, s->slot[BH_SLOT_SUPERVISOR].bell_rd, EPOLLIN | EPOLLET, on_bell, s))
		bh_bug_self("our bell cannot be watched: %m");
	s->running = true;
	s->tick_ns = bh_mono_ns() + TICK_NS;
	limits_init(s);
	keep_all(s);
}

/* The first configuration is there: make everything, hand it to the keeper, start the router. */
void
super_cold_start(struct super *s)
{
	struct child *me = &s->slot[BH_SLOT_SUPERVISOR];
	struct bh_cfg_proc own = {.role = BH_ROLE_SUPERVISOR};
	int options = bh_steal_fd(&me->options);
	int r = spawn_setup(me, &s->config, &own);
	me->options = options;
	if (r == 0)
		r = table_create(s);
	if (r < 0) {
		bh_err("shared memory cannot be had: %s", strerror(-r));
		super_cold_failed(s, 1);
	}
	config_load_own(s);
	logfile_apply(s);
	s->memory->text = s->next_text;
	snprintf(s->head->config_path, sizeof(s->head->config_path), "%s", s->path);
	s->memory->config_generation = s->config.head->generation;
	enter_self(s);
	for (uint32_t i = 0; i < bh_config_count(&s->config, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *row = bh_config_row(&s->config, BH_TAB_PROCS, i);
		struct child *c = &s->slot[row->slot];
		if (row->role == BH_ROLE_SUPERVISOR)
			continue;
		if (row->slot == BH_SLOT_SUPERVISOR || spawn_setup(c, &s->config, row) < 0)
			super_cold_failed(s, 1);
		c->waits = row->autostart && row->slot != BH_SLOT_ROUTER;
		table_write(c);
	}
	enter(s);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (!c->used)
			continue;
		if (c->waits)
			table_health(c, BH_HEALTH_STARTING, NULL, "waits for the router");
		else if (q != BH_SLOT_ROUTER)
			table_health(c, BH_HEALTH_STOPPED, "bulkhead start NAME", "not started automatically");
	}
	config_keep(s);
	if (strcmp(s->path, s->main_path) != 0)
		bh_info("starting from %s: profile %s, chosen last", s->path, s->head->profile);
	else
		bh_info("starting from %s", s->path);
	filewatch_apply(s);
	super_policy(&s->slot[BH_SLOT_ROUTER], BH_POL_EV_START, false, false);
}

/* ------------------------------------------------------------------ adoption */

/* Does it know who it is? */
static bool
has_attached(const struct child *c)
{
	return c->shared && __atomic_load_n(&c->shared->pid, __ATOMIC_ACQUIRE) == (uint32_t)c->body.pid;
}

/* Has this very process said that it is ready? */
static bool
has_said_ready(const struct child *c)
{
	const struct bh_self *self = c->shared;
	if (!has_attached(c))
		return false;
	uint64_t life = __atomic_load_n(&self->ready_life, __ATOMIC_ACQUIRE);
	return life && life == __atomic_load_n(&self->attach_count, __ATOMIC_RELAXED);
}

static void
adopt_child(struct child *c)
{
	uint64_t start_time = 0;
	char state;
	pid_t pid = (pid_t)c->body.pid;
	c->pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	/* The pid may be another's by now: the descriptor first, then the start time of whom it stands for. */
	if (c->pidfd >= 0 && (watch_start_time(pid, &start_time, &state) < 0 || start_time != c->body.start_time))
		bh_close(&c->pidfd);
	if (c->pidfd < 0) {
		watch_gone(c);
		return;
	}
	watch_start(c);
	if (c->sock >= 0)
		spawn_watch_sock(c);
	/* Our predecessor may have died before he told it who it is; it does not mind to be told twice. */
	if (c->mem.policy.state == BH_POL_STARTING && c->sock >= 0 && !has_attached(c))
		spawn_attach(c);
	spawn_flush(c);
	c->health_untold = 0;
	/* Our predecessor may have read the message and died before he wrote it down. Said twice it counts once. */
	if (c->mem.policy.state == BH_POL_STARTING && has_said_ready(c))
		super_policy(c, BH_POL_EV_READY, false, false);
}

/* What stands between the table and the processes after our predecessor's death. */
static void
adopt_state(struct child *c)
{
	if (c->body.alive) {
		adopt_child(c);
		return;
	}
	bh_close(&c->sock);
	if (bh_policy_is_alive(&c->mem.policy)) {
		/* It was decided to start it, and it was not started, or not entered (and then left by itself). */
		c->mem.policy.state = BH_POL_STOPPED;
		super_policy(c, c->mem.policy.after == BH_POL_HELD ? BH_POL_EV_HOLD : BH_POL_EV_START, false, false);
	} else if (c->mem.removed) {
		super_gone(c);
	}
}

static void
close_everything(struct super *s)
{
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++) {
		spawn_teardown(&s->slot[q]);
		keep_forget(s, (uint16_t)q, 0);
		memset(&s->slot[q].body, 0, sizeof(s->slot[q].body));
		memset(&s->slot[q].mem, 0, sizeof(s->slot[q].mem));
	}
	bh_config_unmap(&s->config);
	bh_seg_unmap(&s->table_map);
	bh_seg_unmap(&s->self_map);
	bh_seg_unmap(&s->memory_map);
	bh_close(&s->table.rw);
	bh_close(&s->table.ro);
	bh_close(&s->config_fd);
	bh_close(&s->config_before);
	bh_close(&s->source_fd);
	bh_close(&s->source_before);
	bh_close(&s->file.fd);
	s->head = NULL;
	s->entries = NULL;
	s->self = NULL;
	s->memory = NULL;
}

/* 0, or -errno: there is nothing to be adopted, a cold start is due. */
static int
adopt(struct super *s)
{
	unsigned alive = 0;
	struct bh_config before = {0};
	int r = table_map(s);
	if (r == 0)
		r = bh_config_map(&s->config, s->config_fd);
	for (unsigned q = 1; r == 0 && q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		table_load(c);
		alive += c->used && c->body.alive;
		for (uint32_t i = 0; c->used && i < bh_config_count(&s->config, BH_TAB_PROCS); i++) {
			const struct bh_cfg_proc *row = bh_config_row(&s->config, BH_TAB_PROCS, i);
			if (row->slot == q && !strcmp(bh_config_str(&s->config, row->name), c->body.name))
				spawn_row(c, &s->config, row);
		}
		if (c->used && spawn_map(c) < 0)
			r = -EPROTO;
	}
	if (r == 0 && s->memory->cold && !alive)
		r = -ENOENT;
	if (r < 0)
		return r;
	bh_bell_awake(s->self); /* the one before us died asleep */
	s->self->answered[0] = 0;
	if (s->config_before >= 0 && (bh_config_map(&before, s->config_before) < 0 ||
				      before.head->generation == s->config.head->generation))
		bh_close(&s->config_before);
	bh_config_unmap(&before);
	snprintf(s->path, sizeof(s->path), "%.255s", s->head->config_path);
	config_load_own(s);
	logfile_apply(s);
	table_load(&s->slot[BH_SLOT_SUPERVISOR]);
	enter_self(s);
	enter(s);
	spare_adopt(s);
	keep_poll(s); /* causes of deaths that happened without us */
	bh_info("took over %u running processes", alive);
	if (s->memory->cold)
		for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
			const struct bh_cfg_proc *row = bh_config_proc(&s->config, (uint16_t)q);
			s->slot[q].waits = s->slot[q].used && row && row->autostart &&
					   s->slot[q].mem.policy.state == BH_POL_STOPPED;
		}
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used)
			adopt_state(&s->slot[q]);
	s->head->adoption_ns = bh_now_ns() - s->exec_ns;
	__atomic_store_n(&s->head->adopted_ns, s->exec_ns + s->head->adoption_ns, __ATOMIC_RELEASE);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && s->slot[q].has_tx) {
			table_claimed(&s->slot[q]);
			table_tell_all(&s->slot[q]);
			bh_bell_ring_always(&s->slot[q].tx.bell);
		}
	if (s->slot[BH_SLOT_ROUTER].mem.policy.state != BH_POL_STARTING)
		release_waiting(s);
	config_reconcile(s);
	filewatch_apply(s);
	if (s->memory->quitting)
		quit_on(s);
	return 0;
}

/* ------------------------------------------------------------------ requests */

void
super_result(struct super *s, uint32_t number, int err, const char *text)
{
	struct child *to = &s->slot[BH_SLOT_CONTROL];
	size_t len = strlen(text), at = 0;
	if (len > RESULT_TEXT_MAX)
		len = RESULT_TEXT_MAX;
	uint32_t more = len ? (uint32_t)((len - 1) / BH_PAYLOAD_MAX) : 0;
	do {
		size_t n = len - at < BH_PAYLOAD_MAX ? len - at : BH_PAYLOAD_MAX;
		struct bh_event ev = {.kind = BH_EV_RESULT, .id = more, .total = number, .type = BH_INT, .stamp_ns = bh_now_ns(),
				      .v.i = err};
		if (!to->has_tx || bh_outbox_send(&to->tx, &ev, text + at, n) < 0) {
			bh_warn("bh-control does not take the answer to request %u", number);
			break;
		}
		at += n;
	} while (more-- > 0);
	if (to->has_tx)
		bh_outbox_flush(&to->tx);
}

static void
request_kill(struct super *s, struct child *c, uint32_t number, int64_t sig)
{
	if (sig < 1 || sig > 64)
		super_result(s, number, -EINVAL, "no such signal");
	else if (c->pidfd < 0)
		super_result(s, number, -ESRCH, "it does not run");
	else if (syscall(SYS_pidfd_send_signal, c->pidfd, (int)sig, NULL, 0) < 0)
		super_result(s, number, -errno, strerror(errno));
	else
		super_result(s, number, 0, "");
}

static void
request_policy(struct super *s, struct child *c, uint32_t number, enum bh_policy_event ev, const char *refused)
{
	struct bh_policy_input in = {.event = ev};
	c->waits = false;
	if (c->slot == BH_SLOT_CONTROL && c->mem.policy.state == BH_POL_RUNNING &&
	    (ev == BH_POL_EV_RESTART || ev == BH_POL_EV_STOP || ev == BH_POL_EV_HOLD)) {
		/* It has to pass the answer on before it leaves. */
		super_result(s, number, 0, "");
		c->later = ev;
		c->later_ns = bh_mono_ns() + ANSWER_NS;
		return;
	}
	unsigned todo = apply_event(c, &in);
	if (todo & BH_POL_REFUSED)
		super_result(s, number, -EALREADY, refused);
	else
		super_result(s, number, 0, "");
}

static void
request_reload(struct super *s, uint32_t number, struct bh_request_args *args)
{
	char path[sizeof(s->path)];
	args->text[sizeof(args->text) - 1] = 0;
	if (args->text_len < sizeof(args->text))
		args->text[args->text_len] = 0;
	snprintf(path, sizeof(path), "%s", args->text[0] ? args->text : s->path);
	int r = config_wish(s, path, true, number);
	if (r < 0)
		super_result(s, number, r, "several wait for a new configuration already");
}

/* Which profiles there are. */
static void
list_profiles(struct super *s, uint32_t number)
{
	static char name[100][BH_PROFILE_MAX + 1], text[RESULT_TEXT_MAX];
	char here[BH_PROFILE_MAX + 1];
	unsigned n = bh_profile_list(s->main_path, name, BH_ARRAY_LEN(name));
	size_t len = 0;
	bh_profile_of(s->main_path, s->path, here);
	for (unsigned i = 0; i < n && len + BH_PROFILE_MAX + 4 < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s", i ? "\n" : "", strcmp(name[i], here) ? " " : "*", name[i]);
	super_result(s, number, BH_RESULT_LIST, text);
}

static void
request_profile(struct super *s, uint32_t number, struct bh_request_args *args)
{
	char path[sizeof(s->path)], text[600];
	args->text[args->text_len < sizeof(args->text) ? args->text_len : sizeof(args->text) - 1] = 0;
	if (!args->text[0]) {
		list_profiles(s, number);
		return;
	}
	int r = bh_profile_path(s->main_path, args->text, path, sizeof(path));
	if (r == -EINVAL)
		snprintf(text, sizeof(text), "a profile's name has 1 to %u letters, digits, - and _", BH_PROFILE_MAX);
	else if (r < 0)
		snprintf(text, sizeof(text), "its path would be too long");
	else if (access(path, F_OK) < 0 && (r = -ENOENT))
		snprintf(text, sizeof(text), "there is no profile \"%s\": it would be the file %s", args->text, path);
	else if ((r = config_wish(s, path, true, number)) < 0)
		snprintf(text, sizeof(text), "several wait for a new configuration already");
	if (r < 0)
		super_result(s, number, r == -EINVAL ? -ENOENT : r, text);
}

/* What a process does itself: its answer goes back as it comes. */
static void
request_forward(struct super *s, struct child *c, uint32_t what, uint32_t number, const struct bh_request_args *args)
{
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = what, .total = number, .stamp_ns = bh_now_ns()};
	if (c->mem.policy.state != BH_POL_RUNNING || !c->has_tx) {
		super_result(s, number, -ESRCH, "it does not run");
		return;
	}
	if (bh_outbox_send(&c->tx, &ev, args, sizeof(*args)) < 0) {
		super_result(s, number, -EBUSY, "it has not taken the requests before this one");
		return;
	}
	bh_outbox_flush(&c->tx);
	c->forwarded[c->forwarded_at++ % BH_ARRAY_LEN(c->forwarded)] = number;
}

/* Who is out of service comes back; what is quarantined in a driver is no longer, now or once it has come back. */
static void
request_release(struct super *s, struct child *c, uint32_t number, const struct bh_request_args *args)
{
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = BH_REQ_RELEASE, .stamp_ns = bh_now_ns()};
	if (c->body.role == BH_ROLE_DRIVER && c->mem.policy.state == BH_POL_RUNNING) {
		request_forward(s, c, BH_REQ_RELEASE, number, args);
		return;
	}
	if (c->body.role == BH_ROLE_DRIVER && c->has_tx && bh_outbox_send(&c->tx, &ev, args, sizeof(*args)) == 0)
		bh_outbox_flush(&c->tx);
	request_policy(s, c, number, BH_POL_EV_RELEASE, "it is neither held nor failed");
}

void
super_forwarded(struct child *c, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	char text[BH_PAYLOAD_MAX + 1];
	for (unsigned i = 0; i < BH_ARRAY_LEN(c->forwarded); i++) {
		if (c->forwarded[i] != ev->total || !ev->total)
			continue;
		c->forwarded[i] = 0;
		memcpy(text, payload, len);
		text[len] = '\0';
		super_result(c->s, ev->total, ev->v.i < 0 && ev->v.i > -4096 ? (int)ev->v.i : 0, text);
		return;
	}
}

void
super_request(struct super *s, uint32_t what, uint32_t number, struct bh_request_args *args)
{
	struct child *c = args->slot < BH_MAX_SLOTS && s->slot[args->slot].used ? &s->slot[args->slot] : NULL;
	if (s->memory->quitting) {
		super_result(s, number, -ESHUTDOWN, "Bulkhead is stopping");
		return;
	}
	if (what == BH_REQ_QUIT) {
		super_result(s, number, 0, "");
		super_quit(s, 0);
		return;
	}
	if (what == BH_REQ_RELOAD) {
		request_reload(s, number, args);
		return;
	}
	if (what == BH_REQ_PROFILE) {
		request_profile(s, number, args);
		return;
	}
	if (!c || c->mem.removed) {
		super_result(s, number, -ENOENT, "no such process");
		return;
	}
	if (c->slot == BH_SLOT_SUPERVISOR) {
		if (what == BH_REQ_RESTART && args->v.i) {
			upgrade_self(s, number);
			return;
		}
		/* The next one adopts: a restart of ours costs nobody anything. */
		s->restart_me = what == BH_REQ_RESTART;
		super_result(s, number, s->restart_me ? 0 : -EINVAL,
			     s->restart_me ? "" : "the supervisor can be restarted; `bulkhead quit` ends it all");
		return;
	}
	switch ((enum bh_request)what) {
	case BH_REQ_START: request_policy(s, c, number, BH_POL_EV_START, "it is running already"); return;
	case BH_REQ_STOP: request_policy(s, c, number, BH_POL_EV_STOP, ""); return;
	case BH_REQ_RESTART:
		if (args->v.i) {
			upgrade_begin(c, number);
			return;
		}
		request_policy(s, c, number, BH_POL_EV_RESTART, "it is held: release it first");
		return;
	case BH_REQ_HOLD: request_policy(s, c, number, BH_POL_EV_HOLD, ""); return;
	case BH_REQ_RELEASE: request_release(s, c, number, args); return;
	case BH_REQ_KILL: request_kill(s, c, number, args->v.i); return;
	case BH_REQ_EMIT:
	case BH_REQ_SYNC:
	case BH_REQ_CALIBRATE: request_forward(s, c, what, number, args); return;
	default: super_result(s, number, -ENOSYS, "the supervisor knows no such request"); return;
	}
}

/* ------------------------------------------------------------------ the loop */

/* SIGUSR1: who would carry the request is bh-control itself, so the tool asks by a signal. */
static void
bring_control_back(struct super *s)
{
	struct child *c = &s->slot[BH_SLOT_CONTROL];
	if (!s->running || !c->used || s->memory->quitting)
		return;
	super_policy(c, BH_POL_EV_RELEASE, false, false);
	super_policy(c, BH_POL_EV_START, false, false);
}

static void
on_signal(void *data, int fd, uint32_t events)
{
	struct super *s = data;
	struct signalfd_siginfo si;
	(void)events;
	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			watch_children(s);
		else if (si.ssi_signo == SIGUSR1)
			bring_control_back(s);
		else if (si.ssi_signo != SIGHUP || s->hup_ends)
			super_quit(s, 0);
		else if (s->running && config_wish(s, s->path, false, 0) == 0)
			bh_info("reading the configuration anew");
	}
}

static void
on_timer(void *data)
{
	struct super *s = data;
	uint64_t now = bh_mono_ns();
	keep_on_timer(s, now);
	if (!s->running)
		return;
	config_on_timer(s, now);
	filewatch_on_timer(s, now);
	spare_on_timer(s, now);
	upgrade_on_timer(s, now);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (!c->used)
			continue;
		watch_frozen(c);
		watch_look(c, now);
		if (now >= s->tick_ns) {
			watch_beat(c);
			limits_look(c, now);
		}
		if (c->later_ns && c->later_ns <= now) {
			c->later_ns = 0;
			super_policy(c, c->later, false, false);
		}
		uint64_t at = c->mem.policy.deadline_ns;
		if (at && at <= now && (c->mem.policy.state != BH_POL_STARTING || watch_may_expire(c, now)))
			super_policy(c, BH_POL_EV_TIMER, false, false);
	}
	if (now >= s->tick_ns)
		s->tick_ns = now + TICK_NS;
}

static void
sooner(uint64_t *at, uint64_t other)
{
	if (other && (!*at || other < *at))
		*at = other;
}

/* One timer for everything that is pending; nothing pending, no timer. */
void
super_arm(struct super *s)
{
	uint64_t at = 0, now = bh_mono_ns();
	sooner(&at, s->keeper_due_ns);
	sooner(&at, s->file.settle.due_ns);
	sooner(&at, s->spare_due_ns);
	if (!s->self_try.late)
		sooner(&at, s->self_try.until_ns);
	sooner(&at, s->running ? s->tick_ns : 0);
	if (s->asking)
		sooner(&at, s->asking_until_ns);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (!c->used)
			continue;
		sooner(&at, c->mem.policy.deadline_ns);
		sooner(&at, c->later_ns);
		sooner(&at, c->upgrade.until_ns);
		sooner(&at, c->hang.look_ns);
		if (c->frozen)
			sooner(&at, now + FROZEN_LOOK_NS);
		else if (c->health_untold && c->mem.policy.state == BH_POL_RUNNING)
			sooner(&at, now + RETRY_NS);
	}
	bh_timer_at(s->timer, at, 0);
}

static bool
has_work(const struct super *s)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].has_rx && bh_inbox_pending(&s->slot[q].rx))
			return true;
	return false;
}

static void
turn(struct super *s)
{
	bool work = false;
	if (s->running) {
		for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
			if (s->slot[q].has_rx)
				watch_drain(&s->slot[q]);
		config_next_wish(s);
		table_tell(s);
		say_state(s);
		if (s->restart_me)
			exit(0);
		__atomic_store_n(&s->self->beat, s->self->beat + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&s->self->beat_ns, bh_now_ns(), __ATOMIC_RELAXED);
	}
	super_arm(s);
	if (s->running) {
		bh_bell_announce(s->self);
		work = has_work(s);
	}
	int r = bh_loop_step(s->loop, !work);
	if (s->running)
		bh_bell_awake(s->self);
	if (r < 0)
		bh_bug_self("epoll failed: %s", strerror(-r));
}

static int
prepare(struct super *s)
{
	sigset_t set;
	struct rlimit files;
	static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		c->s = s;
		c->slot = (uint16_t)q;
		c->self = c->par = c->state = c->priv = (struct bh_seg_fds){-1, -1};
		for (unsigned p = 0; p < BH_MAX_SLOTS; p++)
			c->out[p] = (struct bh_seg_fds){-1, -1};
		c->bell_rd = c->bell_wr = c->device = c->options = c->options_before = c->sock = c->pidfd = -1;
		c->program = c->upgrade.old = c->upgrade.next.sock = c->upgrade.next.pidfd = -1;
		s->next_options[q] = s->run.options[q] = -1;
	}
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->spare); i++)
		s->spare[i].sock = s->spare[i].pidfd = -1;
	s->table = (struct bh_seg_fds){-1, -1};
	s->config_fd = s->config_before = s->next_fd = s->lock = -1;
	s->source_fd = s->source_before = s->next_source = s->file.fd = -1;
	s->run.config = s->run.source = s->run.changes = s->run.sock = s->run.err_fd = -1;
	s->keeper_sock = s->keeper_pidfd = s->log_fd = s->log_inotify = -1;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (unsigned i = 0; i < BH_ARRAY_LEN(ours); i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->hup_ends = isatty(STDERR_FILENO) == 1;
	/* 3 to 5 stay taken: see super_run_program(). */
	int keeper = fcntl(BH_SPAWN_FD, F_DUPFD_CLOEXEC, 10), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (keeper < 0 || null < 0)
		return -errno;
	dup3(null, BH_SPAWN_FD, O_CLOEXEC);
	dup3(null, BH_SPAWN_FD + 1, O_CLOEXEC);
	dup3(null, BH_SPAWN_FD + 2, O_CLOEXEC);
	if (null > BH_SPAWN_FD + 2)
		close(null);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->loop = bh_loop_new();
	if (s->signals < 0 || !s->loop)
		return -ENOMEM;
	s->timer = bh_timer_new(s->loop, on_timer, s);
	if (!bh_loop_watch(s->loop, s->signals, EPOLLIN, on_signal, s))
		return -errno;
	return keep_attach(s, keeper, getppid());
}

/* The profile that was chosen last, on this file. */
static void
choose_profile(struct super *s)
{
	char state[4096], name[BH_PROFILE_MAX + 1] = "default";
	if (bh_path_state(state, sizeof(state), NULL) == 0)
		bh_profile_recall(state, s->main_path, name);
	if (bh_profile_path(s->main_path, name, s->path, sizeof(s->path)) < 0)
		snprintf(s->path, sizeof(s->path), "%s", s->main_path);
}

static int
start_cold(struct super *s)
{
	int r = s->lock >= 0 ? 0 : table_lock(s);
	if (r == -EWOULDBLOCK)
		super_cold_failed(s, 2);
	if (r == 0) {
		keep_fd(s, BH_FD_LOCK, 0, 0, 0);
		table_pid_file(s);
		choose_profile(s);
		r = config_start(s, s->path, CONFIG_FIRST);
	}
	if (r < 0) {
		bh_err("cannot start: %s", strerror(-r));
		super_cold_failed(s, 1);
	}
	return 0;
}

static int
describe(void)
{
	printf("kind: supervisor\nrole: supervisor\nfields:\n");
	bh_cfg_describe(stdout, super_fields, 2);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct super s;
	bool adopting = argc == 3 && !strcmp(argv[1], "--adopt");
	struct bh_spawn_msg probe;
	bh_log_init("supervisor");
	prctl(PR_SET_NAME, "bh-supervisor"); /* started by a descriptor, we would be called by its number */
	if (argc == 2 && !strcmp(argv[1], "--describe"))
		return describe();
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return printf("bh-supervisor %s\n", BH_VERSION) < 0;
	if ((!adopting && (argc != 2 || argv[1][0] == '-')) ||
	    (recv(BH_SPAWN_FD, &probe, 0, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN)) {
		fprintf(stderr, "bh-supervisor is started by bh-keeper: use `bulkhead run`\n");
		return 2;
	}
	/* Not resolved: a link on the way may come to mean another file. */
	if (bh_path_absolute(s.main_path, sizeof(s.main_path), argv[argc - 1]) < 0)
		snprintf(s.main_path, sizeof(s.main_path), "%s", argv[argc - 1]);
	int r = prepare(&s);
	if (r < 0) {
		bh_err("cannot start: %s", strerror(-r));
		return 1;
	}
	if (adopting) {
		r = keep_receive(&s);
		if (r < 0)
			return 1;
		r = adopt(&s);
		if (r < 0) {
			bh_err("what the keeper handed over cannot be used (%s); starting anew", strerror(-r));
			close_everything(&s);
		}
	}
	if (!s.running)
		start_cold(&s);
	for (;;)
		turn(&s);
}
