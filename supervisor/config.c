/*
 * config.c - take a configuration into use, and give it back when it is no good
 *
 * The YAML is read by bh-config, a process of its own that may die of it. What it gives us are tables in sealed memory. At the
 * first start an error ends everything (5). Later a new configuration goes two steps: first those who run and are
 * concerned look at it and may refuse; only when all have taken it are processes started, stopped and restarted. So a
 * configuration that is refused, or that nobody could read, never replaces the good one, and the answer says why.
 *
 * The one before is kept until the next: if a process crashes twice that never was ready under the new one, we go back.
 *
 * What is read because the file changed by itself is told in the log and in `status`, once for each wrong text; what a person has
 * asked for is told to him. Wishes that come while one is under way wait for its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/effect.h"
#include "common/config/history.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("config");

#define RUN_LIMIT_MS 10000
#define ASK_LIMIT_NS (5 * BH_NS_PER_S)

/* ------------------------------------------------------------------ our own options */

/* clang-format off */
const struct bh_cfg_field super_fields[] = {
	BH_CFG(struct super_config, crash_limit, .type = BH_CFG_U32, .def = "5", .min = "0", .max = "32", .reload = BH_RELOAD_LIVE,
	       .help = "failures within crash_window_ms after which a process is given up as failed; 0 = never"),
	BH_CFG(struct super_config, crash_window_ms, .type = BH_CFG_MS, .def = "30s", .min = "1s", .max = "60m", .reload = BH_RELOAD_LIVE,
	       .help = "the window in which failures are counted; a good start does not reset it"),
	BH_CFG(struct super_config, backoff_first_ms, .type = BH_CFG_MS, .def = "100ms", .min = "0ms", .max = "60s", .reload = BH_RELOAD_LIVE,
	       .help = "pause before the second restart within the window, doubling from there; the first is immediate"),
	BH_CFG(struct super_config, backoff_max_ms, .type = BH_CFG_MS, .def = "5s", .min = "0ms", .max = "10m", .reload = BH_RELOAD_LIVE,
	       .help = "longest pause before a restart"),
	BH_CFG(struct super_config, stop_ms, .type = BH_CFG_MS, .def = "3s", .min = "10ms", .max = "5m", .reload = BH_RELOAD_LIVE,
	       .help = "a process that was asked to leave is killed after this"),
	BH_CFG(struct super_config, abort_ms, .type = BH_CFG_MS, .def = "50ms", .min = "0ms", .max = "60s", .reload = BH_RELOAD_LIVE,
	       .help = "time that a hung process has to say where it hangs, between SIGABRT and SIGKILL; 0 = it is killed at once"),
	BH_CFG(struct super_config, memory_max_bytes, .type = BH_CFG_BYTES, .def = "0", .reload = BH_RELOAD_LIVE,
	       .help = "limit of a driver's private data memory from its next start on; 0 = none. Over it, it is ended: cause `limit`"),
	BH_CFG(struct super_config, cpu_max, .type = BH_CFG_U32, .def = "0", .max = "100", .reload = BH_RELOAD_LIVE,
	       .help = "percent of one processor that a driver may have, over some ten seconds; 0 = none. Over it, it is ended"),
	BH_CFG(struct super_config, files_max, .type = BH_CFG_U32, .def = "0", .max = "1048576", .reload = BH_RELOAD_LIVE,
	       .help = "descriptors that a driver may have, from its next start on (some 100 are for its segments); 0 = none. At it, it is ended"),
	BH_CFG(struct super_config, log_dir, .type = BH_CFG_STR, .def = "", .reload = BH_RELOAD_LIVE,
	       .help = "folder for bulkhead.log; empty = standard error (the terminal or the journal)"),
	BH_CFG(struct super_config, log_max_bytes, .type = BH_CFG_BYTES, .def = "10M", .min = "4k", .reload = BH_RELOAD_LIVE,
	       .help = "the log is rotated when it is larger than this"),
	BH_CFG(struct super_config, log_keep, .type = BH_CFG_U32, .def = "5", .min = "1", .max = "99", .reload = BH_RELOAD_LIVE,
	       .help = "how many rotated logs are kept"),
	BH_CFG(struct super_config, watch, .type = BH_CFG_BOOL, .def = "yes", .reload = BH_RELOAD_LIVE,
	       .help = "take the configuration file when it changes; no = only by `bulkhead reload` (to switch off on air)"),
	BH_CFG(struct super_config, watch_delay_ms, .type = BH_CFG_MS, .def = "150ms", .min = "10ms", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "how long the file must rest before it is taken"),
	BH_CFG(struct super_config, spares, .type = BH_CFG_BOOL, .def = "yes", .reload = BH_RELOAD_LIVE,
	       .help = "keep a process of each kind of driver and surface, and a router, started and waiting to follow one that dies"),
	BH_CFG(struct super_config, realtime, .type = BH_CFG_BOOL, .def = "no", .reload = BH_RELOAD_LIVE,
	       .help = "schedule supervisor, router, surfaces and drivers before other programs, where the system grants it: see `bulkhead doctor`"),
	BH_CFG(struct super_config, realtime_limit_ms, .type = BH_CFG_MS, .def = "200ms", .min = "10ms", .max = "10s", .reload = BH_RELOAD_LIVE,
	       .help = "with realtime: a process that computes for so long without a pause is ended"),
	BH_CFG_LAST,
};
/* clang-format on */

int
config_load_own(struct super *s)
{
	struct super_config fresh;
	struct bh_options options = {{0}};
	void *image = NULL;
	char err[200] = "";
	int fd = s->slot[BH_SLOT_SUPERVISOR].options;
	int r = fd >= 0 ? bh_config_map(&options.c, fd) : 0;
	if (r == 0)
		r = bh_cfg_load(&options, super_fields, &fresh, sizeof(fresh), &image, err, sizeof(err));
	if (r < 0) {
		bh_bug_peer("the supervisor's own options cannot be used (%s); the ones before stay", err);
		bh_config_unmap(&options.c);
		return r;
	}
	bh_config_unmap(&s->options.c);
	free(s->cfg_image);
	s->options = options;
	s->cfg_image = image;
	s->cfg = fresh;
	sched_apply(s);
	return 0;
}

/* ------------------------------------------------------------------ running bh-config */

static void
run_close(struct config_run *run)
{
	bh_watch_free(run->pid_watch);
	bh_watch_free(run->sock_watch);
	bh_watch_free(run->err_watch);
	run->pid_watch = run->sock_watch = run->err_watch = NULL;
	bh_timer_free(run->timer);
	run->timer = NULL;
	bh_close(&run->sock);
	bh_close(&run->err_fd);
	run->running = false;
}

static void
run_drop(struct config_run *run)
{
	bh_close(&run->config);
	bh_close(&run->source);
	bh_close(&run->changes);
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		bh_close(&run->options[q]);
}

static void
run_take(struct config_run *run)
{
	static struct bh_spawn_msg msg;
	int fds[BH_SPAWN_FDS];
	while (run->sock >= 0 && bh_spawn_recv(run->sock, &msg, fds, 0) == 1) {
		for (unsigned i = 0; i < msg.nfds; i++) {
			int *place = NULL;
			if (msg.type == BH_SPAWN_CONFIG && msg.fd[i].role == BH_FD_CONFIG)
				place = &run->config;
			else if (msg.type == BH_SPAWN_CONFIG && msg.fd[i].role == BH_FD_SOURCE)
				place = &run->source;
			else if (msg.type == BH_SPAWN_CONFIG && msg.fd[i].role == BH_FD_CHANGES)
				place = &run->changes;
			else if (msg.type == BH_SPAWN_CONFIG && msg.fd[i].role == BH_FD_OPTIONS && msg.fd[i].slot < BH_MAX_SLOTS)
				place = &run->options[msg.fd[i].slot];
			if (!place) {
				close(fds[i]);
				continue;
			}
			bh_close(place);
			*place = fds[i];
		}
		if (msg.type == BH_SPAWN_CONFIG && msg.value) {
			run->hash = msg.value;
			run->unchanged = msg.flags & BH_SPAWN_UNCHANGED;
		}
	}
}

static void
on_run_sock(void *data, int fd, uint32_t events)
{
	struct super *s = data;
	(void)fd;
	run_take(&s->run);
	if (events & (EPOLLHUP | EPOLLERR)) {
		bh_watch_free(s->run.sock_watch);
		s->run.sock_watch = NULL;
	}
}

static void
on_run_err(void *data, int fd, uint32_t events)
{
	struct super *s = data;
	struct config_run *run = &s->run;
	char spill[1024];
	(void)events;
	for (;;) {
		size_t room = sizeof(run->text) - 1 - run->text_len;
		ssize_t n = room ? read(fd, run->text + run->text_len, room) : read(fd, spill, sizeof(spill));
		if (n < 0)
			return;
		if (n == 0)
			break;
		run->text_len += room ? (size_t)n : 0;
		run->text[run->text_len] = 0;
	}
	bh_watch_free(run->err_watch);
	run->err_watch = NULL;
	run->err_eof = true;
	config_finish(s);
}

static void
on_run_late(void *data)
{
	struct super *s = data;
	s->run.late = true;
	kill(s->run.pid, SIGKILL); /* our own child, not yet waited for */
}

bool
config_is_busy(const struct super *s)
{
	return s->run.running || s->asking;
}

/* Its arguments: what is in use, as far as there is something; texts that need not be looked at again. */
static void
run_args(struct super *s, char *argv[], char *program, char texts[2][24])
{
	const uint64_t known[2] = {s->running ? s->memory->text : 0, s->running ? s->memory->text_refused : 0};
	unsigned n = 0;
	argv[n++] = program;
	if (s->running) {
		argv[n++] = "--previous";
		argv[n++] = "4";
	}
	if (s->running && s->source_fd >= 0) {
		argv[n++] = "--was";
		argv[n++] = "5";
	}
	for (unsigned i = 0; s->run.why == CONFIG_BY_WATCH && i < 2; i++) {
		if (!known[i])
			continue;
		snprintf(texts[i], 24, "%llx", (unsigned long long)known[i]);
		argv[n++] = "--unless";
		argv[n++] = texts[i];
	}
	argv[n++] = "--out";
	argv[n++] = "3";
	argv[n++] = s->run.path;
	argv[n] = NULL;
}

int
config_start(struct super *s, const char *path, enum config_why why)
{
	struct config_run *run = &s->run;
	char program[4096], texts[2][24], *argv[16];
	int pair[2], err[2], r;
	if (config_is_busy(s))
		return -EBUSY;
	r = bh_path_program(program, sizeof(program), "bh-config");
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		r = -errno;
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	run->sock = pair[0];
	run->err_fd = err[0];
	run->why = why;
	run->exited = run->err_eof = run->late = run->unchanged = false;
	run->hash = 0;
	run->text_len = 0;
	run->text[0] = 0;
	snprintf(run->path, sizeof(run->path), "%s", path);
	run_args(s, argv, program, texts);
	r = super_run_program(program, argv, (int[3]){pair[1], s->running ? s->config_fd : -1, s->running ? s->source_fd : -1}, err[1],
			      &run->pid, SUPER_RUN_ASIDE);
	close(pair[1]);
	close(err[1]);
	if (r < 0) {
		run_close(run);
		return r;
	}
	filewatch_read(s, path);
	run->running = true;
	run->sock_watch = bh_loop_watch(s->loop, run->sock, EPOLLIN, on_run_sock, s);
	run->err_watch = bh_loop_watch(s->loop, run->err_fd, EPOLLIN, on_run_err, s);
	run->timer = bh_timer_new(s->loop, on_run_late, s);
	if (!run->sock_watch || !run->err_watch || !run->timer)
		bh_bug_self("no room to watch bh-config");
	else
		bh_timer_in_ms(run->timer, RUN_LIMIT_MS);
	return 0;
}

/* ------------------------------------------------------------------ wishes */

/* Reload as soon as nothing else is under way. 0 or -EBUSY. */
int
config_wish(struct super *s, const char *path, bool by_request, uint32_t number)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->wish); i++) {
		struct config_wish *w = &s->wish[i];
		if (w->used)
			continue;
		*w = (struct config_wish){.used = true, .by_request = by_request, .number = number};
		snprintf(w->path, sizeof(w->path), "%s", path);
		return 0;
	}
	return -EBUSY;
}

void
config_next_wish(struct super *s)
{
	struct config_wish w = s->wish[0];
	if (!w.used || config_is_busy(s) || s->memory->quitting)
		return;
	memmove(&s->wish[0], &s->wish[1], sizeof(s->wish) - sizeof(s->wish[0]));
	s->wish[BH_ARRAY_LEN(s->wish) - 1].used = false;
	int r = config_start(s, w.path, w.by_request ? CONFIG_BY_REQUEST : CONFIG_BY_SIGNAL);
	if (r < 0 && w.by_request)
		super_result(s, w.number, r, strerror(-r));
	if (r < 0)
		return;
	s->reload_by_request = w.by_request;
	s->reload_request = w.number;
}

/* ------------------------------------------------------------------ history */

/* The text in use goes into the history, by a process of its own: writing may take as long as the disk likes. */
void
config_keep(struct super *s)
{
	char program[4096], main_path[sizeof(s->main_path)], path[sizeof(s->path)];
	char *argv[] = {program, "--keep", "3", "--main", main_path, path, NULL};
	unsigned i = 0;
	bh_profile_of(s->main_path, s->path, s->head->profile);
	if (s->source_fd < 0)
		return;
	while (i < BH_ARRAY_LEN(s->keeping) && s->keeping[i])
		i++;
	if (i == BH_ARRAY_LEN(s->keeping)) {
		bh_warn("this configuration is not put into the history: %u before it are still being written", i);
		return;
	}
	snprintf(main_path, sizeof(main_path), "%s", s->main_path);
	snprintf(path, sizeof(path), "%s", s->path);
	int r = bh_path_program(program, sizeof(program), "bh-config");
	if (r == 0)
		r = super_run_program(program, argv, (int[3]){s->source_fd, -1, -1}, logfile_fd(s), &s->keeping[i], SUPER_RUN_ASIDE);
	if (r < 0) {
		s->keeping[i] = 0;
		bh_warn("this configuration is not put into the history: %s", strerror(-r));
	}
}

bool
config_kept(struct super *s, pid_t pid, int status)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(s->keeping); i++) {
		if (s->keeping[i] != pid)
			continue;
		s->keeping[i] = 0;
		if (status)
			bh_warn("the configuration in use was not put into the history (status %#x)", (unsigned)status);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the answer */

/* What is wrong with the file that is in use, in `status`; NULL = nothing. */
static void
note(struct super *s, const char *text)
{
	struct child *me = &s->slot[BH_SLOT_SUPERVISOR];
	size_t len = text ? strcspn(text, "\n") : 0;
	const char *name = text;
	/* The folder is known. */
	for (size_t i = 0; i < len && text[i] != ':'; i++)
		if (text[i] == '/')
			name = text + i + 1;
	if (text)
		table_health(me, BH_HEALTH_OK, "the one in use goes on; `bulkhead check FILE` shows all errors", "%.*s",
			     (int)(len - (size_t)(name - text)), name);
	else
		table_health(me, BH_HEALTH_OK, NULL, "%s", "");
}

static void
answer(struct super *s, int err, const char *text)
{
	if (s->reload_by_request)
		super_result(s, s->reload_request, err, text);
	s->reload_by_request = false;
}

static void
next_drop(struct super *s)
{
	bh_config_unmap(&s->next);
	bh_close(&s->next_fd);
	bh_close(&s->next_source);
	s->next_text = 0;
	s->next_changes[0] = '\0';
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		bh_close(&s->next_options[q]);
	s->asking = false;
	s->asking_until_ns = 0;
}

/* ------------------------------------------------------------------ comparing */

static const struct bh_cfg_proc *
row_of(const struct bh_config *config, const struct child *c)
{
	for (uint32_t i = 0; config->head && i < bh_config_count(config, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *row = bh_config_row(config, BH_TAB_PROCS, i);
		if (row->slot == c->slot && row->role == c->body.role &&
		    !strcmp(bh_config_str(config, row->name), c->body.name) &&
		    !strcmp(bh_config_str(config, row->kind), c->body.kind))
			return row;
	}
	return NULL;
}

/* Can this pipeline go over to it? 0 or -errno with `why`. */
static int
check_next(const struct bh_config *next, char *why, size_t cap)
{
	uint32_t seen = 0, need = spawn_records(next);
	for (uint32_t i = 0; i < bh_config_count(next, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *row = bh_config_row(next, BH_TAB_PROCS, i);
		if (row->slot >= BH_MAX_SLOTS || seen & 1u << row->slot || row->role == BH_ROLE_NONE ||
		    row->role > BH_ROLE_DRIVER) {
			snprintf(why, cap, "bh-config wrote a table of processes that makes no sense");
			return -EPROTO;
		}
		seen |= 1u << row->slot;
	}
	if (!(seen & 1u << BH_SLOT_ROUTER)) {
		snprintf(why, cap, "bh-config wrote a table without a router");
		return -EPROTO;
	}
	if (need > BH_CFG_RECORDS_MAX) {
		snprintf(why, cap, "bh-config wrote a table of %u controls and parameters", need);
		return -EPROTO;
	}
	return 0;
}

static bool
needs_restart(const struct child *c, const struct bh_cfg_proc *before, const struct bh_cfg_proc *after, const struct bh_config *config)
{
	return bh_cfg_needs_restart(before, after) || !spawn_fits(c, after) || spawn_needs_room(c, config);
}

/* ------------------------------------------------------------------ taking it into use */

static void
start_new(struct child *c, const struct bh_cfg_proc *row)
{
	table_write(c);
	if (row->autostart)
		super_policy(c, BH_POL_EV_START, false, false);
	else
		table_health(c, BH_HEALTH_STOPPED, "bulkhead start NAME", "not started automatically");
}

/* Set up what the configuration has and we do not. Also called when a removed process has left its slot. */
void
config_reconcile(struct super *s)
{
	bool any = false;
	for (uint32_t i = 0; s->config.head && i < bh_config_count(&s->config, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *row = bh_config_row(&s->config, BH_TAB_PROCS, i);
		struct child *c = &s->slot[row->slot % BH_MAX_SLOTS];
		if (c->used || row->role == BH_ROLE_SUPERVISOR)
			continue;
		if (spawn_setup(c, &s->config, row) < 0)
			continue;
		any = true;
		start_new(c, row);
	}
	for (unsigned q = 1; any && q < BH_MAX_SLOTS; q++)
		spawn_flush(&s->slot[q]);
}

static void
change_child(struct super *s, struct child *c, const struct bh_config *old, bool asked)
{
	const struct bh_cfg_proc *before = row_of(old, c), *after = row_of(&s->config, c);
	if (!after) {
		c->mem.removed = 1;
		super_policy(c, BH_POL_EV_STOP, false, false);
		return;
	}
	bool restart = !before || needs_restart(c, before, after, &s->config);
	bool concerned = !before || bh_cfg_is_concerned(before, after);
	bool start = before && after->autostart && !before->autostart && c->mem.policy.state == BH_POL_STOPPED;
	bool stop = before && !after->autostart && before->autostart;
	if (!spawn_fits(c, after))
		c->mem.policy.fresh = 1;
	uint32_t records = c->records;
	spawn_row(c, &s->config, after);
	c->records = records; /* of the segment there is */
	if (c->took || (asked && !concerned))
		c->mem.proven_generation = s->config.head->generation;
	else if (bh_policy_is_alive(&c->mem.policy) && concerned && !restart)
		c->mem.config_unsent = 1;
	c->took = c->asked = false;
	table_write(c);
	if (stop)
		c->waits = false;
	if (start || stop)
		super_policy(c, start ? BH_POL_EV_START : BH_POL_EV_STOP, false, false);
	else if (restart && bh_policy_is_alive(&c->mem.policy))
		super_policy(c, BH_POL_EV_RESTART, false, false);
	else if (restart || concerned)
		super_policy(c, BH_POL_EV_CONFIG, false, false);
}

/* `next` becomes the one in use. The one in use becomes the one before, unless we are going back. */
static void
accept_next(struct super *s, bool asked)
{
	struct bh_config old = s->config;
	bh_close(&s->config_before);
	bh_close(&s->source_before);
	s->config_before = asked ? bh_steal_fd(&s->config_fd) : -1;
	s->source_before = asked ? bh_steal_fd(&s->source_fd) : -1;
	bh_close(&s->config_fd);
	bh_close(&s->source_fd);
	s->config_fd = bh_steal_fd(&s->next_fd);
	s->source_fd = bh_steal_fd(&s->next_source);
	/* Going back: the text that was too much is not taken from the file again by itself. */
	s->memory->text_refused = asked ? 0 : s->memory->text;
	s->memory->text_before = asked ? s->memory->text : 0;
	if (asked)
		memcpy(s->memory->path_before, s->path, sizeof(s->path));
	s->memory->text = s->next_text;
	s->config = s->next;
	s->next = (struct bh_config){0};
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		bh_close(&c->options_before);
		c->options_before = asked ? bh_steal_fd(&c->options) : -1;
		bh_close(&c->options);
		c->options = bh_steal_fd(&s->next_options[q]);
		if (c->options >= 0)
			keep_fd(s, BH_FD_OPTIONS, (uint16_t)q, 0, 0);
		if (c->options_before >= 0)
			keep_fd(s, BH_FD_OPTIONS, (uint16_t)q, 1, 0);
	}
	keep_fd(s, BH_FD_CONFIG, 0, 0, 0);
	keep_fd(s, BH_FD_CONFIG, 0, 1, 0);
	keep_fd(s, BH_FD_SOURCE, 0, 0, 0);
	keep_fd(s, BH_FD_SOURCE, 0, 1, 0);
	s->asking = false;
	s->asking_until_ns = 0;
	s->memory->config_generation = s->config.head->generation;
	s->head->config_generation++;
	if (s->next_path[0]) {
		snprintf(s->path, sizeof(s->path), "%s", s->next_path);
		snprintf(s->head->config_path, sizeof(s->head->config_path), "%s", s->next_path);
	}
	if (asked)
		note(s, NULL);
	config_keep(s);
	config_load_own(s);
	logfile_apply(s);
	filewatch_apply(s);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && !s->slot[q].mem.removed)
			change_child(s, &s->slot[q], &old, asked);
	bh_config_unmap(&old);
	config_reconcile(s);
	spare_touch(s);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		spawn_flush(&s->slot[q]);
}

static void
refuse_next(struct super *s, int err, const char *text)
{
	bh_warn("the new configuration is not taken: %s; the one in use stays", text);
	if (!strcmp(s->next_path, s->path)) {
		s->memory->text_refused = s->next_text;
		note(s, text);
	}
	s->asking = false;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		if (c->used && (c->asked || c->took))
			c->mem.config_unsent = 1;
		c->asked = c->took = false;
		spawn_flush(c);
	}
	next_drop(s);
	spare_touch(s);
	answer(s, err, text);
}

static void
accept_if_all_answered(struct super *s)
{
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (s->slot[q].used && s->slot[q].asked)
			return;
	static char text[sizeof(s->next_changes) + 100];
	char *line = s->next_changes, *rest = NULL;
	snprintf(text, sizeof(text), "the new configuration is in use%s%s", *line ? ":\n" : "; nothing that matters is different in it", line);
	size_t len = strlen(text);
	if (text[len - 1] == '\n')
		text[len - 1] = '\0';
	accept_next(s, true);
	bh_info("the new configuration %s is in use", s->path);
	for (line = strtok_r(line, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		bh_info("changed: %s", line);
	answer(s, 0, text);
}

static void
ask(struct super *s, struct child *c)
{
	static struct bh_spawn_msg msg;
	int fds[2] = {s->next_fd, s->next_options[c->slot]};
	memset(&msg, 0, sizeof(msg));
	msg.type = BH_SPAWN_CONFIG;
	msg.slot = c->slot;
	msg.value = s->next.head->generation;
	msg.nfds = fds[1] >= 0 ? 2 : 1;
	msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_CONFIG};
	msg.fd[1] = (struct bh_spawn_fd){.role = BH_FD_OPTIONS, .slot = c->slot};
	c->asked = bh_spawn_send(c->sock, &msg, fds) == 0;
}

static void
propose(struct super *s)
{
	s->asking = true;
	s->asking_until_ns = bh_mono_ns() + ASK_LIMIT_NS;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		c->asked = c->took = false;
		if (!c->used || c->mem.removed || c->frozen || c->sock < 0 || !c->body.alive)
			continue;
		if (c->mem.policy.state != BH_POL_RUNNING && c->mem.policy.state != BH_POL_STARTING)
			continue;
		const struct bh_cfg_proc *before = row_of(&s->config, c), *after = row_of(&s->next, c);
		if (before && after && !needs_restart(c, before, after, &s->next) && bh_cfg_is_concerned(before, after))
			ask(s, c);
	}
	accept_if_all_answered(s);
}

static void
first_config(struct super *s, bool ok, const char *text)
{
	char why[200];
	if (!ok) {
		fprintf(stderr, "%s%s", text, text[0] && text[strlen(text) - 1] != '\n' ? "\n" : "");
		super_cold_failed(s, 5);
		return;
	}
	s->config_fd = bh_steal_fd(&s->run.config);
	s->source_fd = bh_steal_fd(&s->run.source);
	s->next_text = s->run.hash;
	int r = bh_config_map(&s->config, s->config_fd);
	if (r == 0)
		r = check_next(&s->config, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "what bh-config wrote cannot be mapped: %s", strerror(-r));
	if (r < 0) {
		bh_bug_peer("%s", why);
		super_cold_failed(s, 5);
		return;
	}
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		s->slot[q].options = bh_steal_fd(&s->run.options[q]);
	super_cold_start(s);
}

/* The file is wrong. A text is told once, however often it is saved. */
static void
wrong_file(struct super *s, const char *text)
{
	struct config_run *run = &s->run;
	bh_warn("the new configuration has errors; the one in use stays:\n%s", text);
	answer(s, -EINVAL, text);
	if (strcmp(run->path, s->path) != 0)
		return;
	s->memory->text_refused = run->hash;
	note(s, text);
}

/* Read by itself, and it is a text that we know. */
static void
known_file(struct super *s)
{
	struct bh_health_record *h = &s->slot[BH_SLOT_SUPERVISOR].body.health;
	if (s->run.hash != s->memory->text)
		return;
	if (h->reason[0])
		bh_info("the configuration file is again the one in use");
	s->memory->text_refused = 0;
	note(s, NULL);
}

/* What is different, for people. */
static void
take_changes(struct super *s)
{
	ssize_t n = s->run.changes >= 0 ? pread(s->run.changes, s->next_changes, sizeof(s->next_changes) - 1, 0) : 0;
	s->next_changes[n > 0 ? n : 0] = '\0';
	for (unsigned char *p = (unsigned char *)s->next_changes; *p; p++)
		if ((*p < 0x20 && *p != '\n') || *p == 0x7f)
			*p = '?';
}

static void
next_config(struct super *s, bool ok, const char *text)
{
	char why[200];
	if (s->run.unchanged) {
		known_file(s);
		return;
	}
	if (!ok) {
		wrong_file(s, text);
		return;
	}
	next_drop(s);
	s->next_fd = bh_steal_fd(&s->run.config);
	s->next_source = bh_steal_fd(&s->run.source);
	s->next_text = s->run.hash;
	take_changes(s);
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		s->next_options[q] = bh_steal_fd(&s->run.options[q]);
	snprintf(s->next_path, sizeof(s->next_path), "%s", s->run.path);
	int r = bh_config_map(&s->next, s->next_fd);
	if (r < 0)
		snprintf(why, sizeof(why), "what bh-config wrote cannot be mapped: %s", strerror(-r));
	else
		r = check_next(&s->next, why, sizeof(why));
	if (r == 0 && spawn_needs_room(&s->slot[BH_SLOT_ROUTER], &s->next)) {
		size_t len = strlen(s->next_changes);
		snprintf(s->next_changes + len, sizeof(s->next_changes) - len, "router: more room for controls and parameters (restarts)\n");
	}
	if (r < 0)
		refuse_next(s, r, why);
	else
		propose(s);
}

/* bh-config ended and its words are complete. */
void
config_finish(struct super *s)
{
	struct config_run *run = &s->run;
	if (!run->running || !run->exited || !run->err_eof)
		return;
	run_take(run);
	bool ok = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0 && run->config >= 0;
	run->unchanged = run->unchanged && run->why == CONFIG_BY_WATCH;
	bool first = !s->running;
	run_close(run);
	if (run->unchanged)
		run->text[0] = 0;
	else if (!ok && run->late)
		snprintf(run->text, sizeof(run->text), "%s: bh-config took longer than %d s and was ended\n", run->path,
			 RUN_LIMIT_MS / 1000);
	else if (!ok && !run->text_len)
		snprintf(run->text, sizeof(run->text), "%s: bh-config ended (status %#x) and did not say why\n", run->path,
			 (unsigned)run->status);
	else if (ok && run->text_len)
		fprintf(stderr, "%s", run->text);
	if (first)
		first_config(s, ok, run->text);
	else
		next_config(s, ok, run->text);
	run_drop(run);
}

/* ------------------------------------------------------------------ what becomes of it */

void
config_on_back(struct child *c, const struct bh_spawn_msg *msg)
{
	struct super *s = c->s;
	char text[200];
	if (!s->asking || !c->asked || msg->value != s->next.head->generation) {
		if (msg->error >= 0 && s->config.head && msg->value == s->config.head->generation) {
			c->mem.proven_generation = msg->value;
			table_write(c);
		}
		return;
	}
	c->asked = false;
	if (msg->error < 0) {
		c->took = true; /* it gets the one in use again, to be sure */
		snprintf(text, sizeof(text), "%s refuses it: %s", c->body.name, msg->text);
		refuse_next(s, -EINVAL, text);
		return;
	}
	c->took = true;
	accept_if_all_answered(s);
}

void
config_on_death(struct child *c)
{
	struct super *s = c->s;
	char text[200];
	if (!s->asking || !c->asked)
		return;
	c->asked = false;
	snprintf(text, sizeof(text), "%s died while it looked at it", c->body.name);
	refuse_next(s, -EINVAL, text);
}

void
config_on_timer(struct super *s, uint64_t now)
{
	char text[200];
	if (!s->asking || now < s->asking_until_ns)
		return;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		if (!s->slot[q].used || !s->slot[q].asked)
			continue;
		snprintf(text, sizeof(text), "%s did not answer within %llu s", s->slot[q].body.name,
			 (unsigned long long)(ASK_LIMIT_NS / BH_NS_PER_S));
		refuse_next(s, -ETIMEDOUT, text);
		return;
	}
}

/* A process crashed twice under a configuration with which it never was ready. */
void
config_revert(struct super *s, const struct child *culprit)
{
	char why[96];
	if (s->config_before < 0 || s->asking)
		return;
	bh_err("%s crashed twice on the new configuration: going back to the one before", culprit->body.name);
	next_drop(s);
	snprintf(s->next_path, sizeof(s->next_path), "%.255s", s->memory->path_before);
	s->next_source = bh_steal_fd(&s->source_before);
	s->next_text = s->memory->text_before;
	s->next_fd = bh_steal_fd(&s->config_before);
	if (bh_config_map(&s->next, s->next_fd) < 0) {
		bh_bug_self("the configuration before cannot be mapped");
		next_drop(s);
		return;
	}
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		s->next_options[q] = bh_steal_fd(&s->slot[q].options_before);
	snprintf(why, sizeof(why), "%s crashed twice on the configuration in the file: taken back", culprit->body.name);
	accept_next(s, false);
	note(s, why);
}

void
config_child_ready(struct child *c)
{
	if (!c->mem.config_unsent && !c->asked && c->s->config.head)
		c->mem.proven_generation = c->s->config.head->generation;
}
