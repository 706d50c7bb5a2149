/*
 * standalone.c - see standalone.h
 *
 * In:    lines: `set PARAM VALUE`, `do ACTION ARG..`, `params`, `quit`; the end of the input is a `quit`
 * Out:   what was asked for; with --trace a line for each value the driver reports
 * Fails: a line that cannot be done is answered with "error: ..." and nothing else happens
 *
 * A turn of the driver takes all that has been put before it is looked at what it reported, so what stood in the lines
 * before a `quit` or `params` is done by then. What a backend answers later is not waited for.
 */
#include "common/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/compiled.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/spawn.h"
#include "shm/latch.h"

BH_LOG_TOPIC("standalone");

#define RING_SLOTS 1024u
#define STRING_BYTES 65536u
#define SCRATCH_BYTES 65536u

static struct {
	struct bh_proc *proc;
	struct bh_proc_ops ops;		      /* the driver's, with ours before some */
	const struct bh_proc_ops *inner;      /* the driver's */
	const struct bh_action_desc *actions; /* may be NULL */
	bool trace, ended, leaving; /* ended: no more input, but lines may be left */
	int config_fd, options_fd, bell[2], sock; /* owned */
	uint16_t slot;
	uint32_t params;
	struct bh_seg router_seg, self_seg;
	struct bh_watch *input; /* owned */
	struct bh_self *router; /* we write it */
	struct bh_outbox out;
	struct bh_inbox in;
	uint32_t action_gen;
	char line[1024];
	size_t len;
} alone;

/* ------------------------------------------------------------------ parameters and their values, as text */

/* The record that counts for an index: the last one. */
static bool
record_of(uint32_t index, struct bh_dir_record *r)
{
	for (uint32_t n = bh_dir_count(&alone.proc->dir); n-- > 0;)
		if (bh_dir_read(&alone.proc->dir, n, r) == 0 && r->index == index)
			return !(r->flags & BH_DIR_TOMBSTONE);
	return false;
}

static bool
record_called(const char *name, struct bh_dir_record *r)
{
	for (uint32_t n = bh_dir_count(&alone.proc->dir); n-- > 0;)
		if (bh_dir_read(&alone.proc->dir, n, r) == 0 && !strcmp(r->name, name))
			return !(r->flags & BH_DIR_TOMBSTONE);
	return false;
}

static void
print_value(const struct bh_dir_record *r, uint8_t type, const union bh_val *v)
{
	char choice[64];
	printf("%s = ", r->name);
	switch ((enum bh_type)type) {
	case BH_FLOAT: printf("%.6g", v->f); break;
	case BH_BOOL: printf("%s", v->i ? "on" : "off"); break;
	case BH_ENUM:
		if (v->i >= 0 && bh_dir_choice(&alone.proc->dir, r, (unsigned)v->i, choice, sizeof(choice)) == 0) {
			printf("%s", choice);
			break;
		}
		printf("%lld", (long long)v->i);
		break;
	case BH_INT: printf("%lld", (long long)v->i); break;
	case BH_TEXT: printf("\"%.*s\"", (int)sizeof(v->s), v->s); break;
	case BH_NONE:
	case BH_TRIGGER: printf("-"); break;
	}
	printf("%s%s\n", r->unit[0] ? " " : "", r->unit);
}

static bool
parse_choice(const struct bh_dir_record *r, const char *text, int64_t *out)
{
	char choice[64];
	for (unsigned k = 0; k < r->choices; k++) {
		if (bh_dir_choice(&alone.proc->dir, r, k, choice, sizeof(choice)) == 0 && !strcmp(choice, text)) {
			*out = k;
			return true;
		}
	}
	return false;
}

static bool
parse_value(const struct bh_dir_record *r, const char *text, union bh_val *v)
{
	char *rest = NULL;
	memset(v, 0, sizeof(*v));
	switch ((enum bh_type)r->type) {
	case BH_FLOAT: v->f = strtod(text, &rest); return rest != text && !*rest && v->f >= r->min && v->f <= r->max;
	case BH_INT:
		v->i = strtoll(text, &rest, 10);
		return rest != text && !*rest && (double)v->i >= r->min && (double)v->i <= r->max;
	case BH_BOOL:
		v->i = !strcmp(text, "on") || !strcmp(text, "1");
		return v->i || !strcmp(text, "off") || !strcmp(text, "0");
	case BH_ENUM: return parse_choice(r, text, &v->i);
	case BH_TEXT: memcpy(v->s, bh_text(text).s, sizeof(v->s)); return true;
	case BH_NONE:
	case BH_TRIGGER: return false;
	}
	return false;
}

/* ------------------------------------------------------------------ the lines */

static char *
word(char **rest)
{
	char *w;
	do
		w = strsep(rest, " \t");
	while (w && !*w);
	return w ? w : (char *)"";
}

static void
do_set(char *rest)
{
	const char *name = word(&rest);
	struct bh_dir_record r;
	union bh_val v;
	if (!record_called(name, &r)) {
		printf("error: no parameter %s; `params` shows them\n", name);
	} else if (!(r.access & BH_ACCESS_WRITE)) {
		printf("error: %s cannot be set\n", name);
	} else if (!rest || !parse_value(&r, rest, &v)) {
		printf("error: %s does not take this value\n", name);
	} else {
		struct bh_event ev = {.kind = BH_EV_VALUE, .id = r.index, .type = r.type, .stamp_ns = bh_now_ns()};
		bh_outbox_put(&alone.out, &ev, &v, 0);
	}
}

static void
do_action(char *rest)
{
	const char *name = word(&rest);
	char args[BH_PAYLOAD_MAX];
	size_t len = 0;
	uint32_t id = 0;
	while (alone.actions && alone.actions[id].name && strcmp(alone.actions[id].name, name) != 0)
		id++;
	if (!alone.actions || !alone.actions[id].name) {
		printf("error: no action %s; --describe shows them\n", name);
		return;
	}
	for (const char *a; *(a = word(&rest)); len += strlen(a) + 1) {
		if (len + strlen(a) + 1 > sizeof(args)) {
			printf("error: too many arguments\n");
			return;
		}
		memcpy(args + len, a, strlen(a) + 1);
	}
	struct bh_event ev = {.kind = BH_EV_ACTION, .id = id, .gen = ++alone.action_gen, .stamp_ns = bh_now_ns()};
	if (bh_outbox_send(&alone.out, &ev, args, len) < 0)
		printf("error: too much at once\n");
}

static void
do_params(void)
{
	struct bh_dir_record r;
	struct bh_cell_body cell;
	for (uint32_t index = 0; index < alone.params; index++) {
		if (!record_of(index, &r))
			continue;
		if (bh_inbox_cell(&alone.in, index, &cell) == 1)
			print_value(&r, cell.type, &cell.v);
		else
			printf("%s is not known\n", r.name);
	}
}

static void
do_line(char *line)
{
	char *rest = line;
	const char *verb = word(&rest);
	if (!strcmp(verb, "set"))
		do_set(rest);
	else if (!strcmp(verb, "do"))
		do_action(rest);
	else if (!strcmp(verb, "params"))
		do_params();
	else if (!strcmp(verb, "quit"))
		alone.leaving = true;
	else if (*verb)
		printf("error: set PARAM VALUE, do ACTION ARG.., params, or quit\n");
}

/* One line, if a whole one is there. */
static bool
take_line(void)
{
	char *end = memchr(alone.line, '\n', alone.len);
	if (!end)
		return false;
	char line[sizeof(alone.line)];
	size_t n = (size_t)(end - alone.line);
	memcpy(line, alone.line, n);
	line[n] = 0;
	alone.len -= n + 1;
	memmove(alone.line, end + 1, alone.len);
	do_line(line);
	return true;
}

static void
on_input(void *data, int fd, uint32_t events)
{
	(void)data, (void)events;
	if (alone.len == sizeof(alone.line)) {
		if (memchr(alone.line, '\n', alone.len))
			return; /* its turn comes first */
		printf("error: the line is too long\n");
		alone.len = 0;
	}
	ssize_t n = read(fd, alone.line + alone.len, sizeof(alone.line) - alone.len);
	if (n > 0)
		alone.len += (size_t)n;
	if (n > 0 || (n < 0 && errno == EINTR))
		return;
	if (alone.len)
		alone.line[alone.len++] = '\n'; /* there was room to read into */
	alone.ended = true;
	bh_watch_free(alone.input);
	alone.input = NULL;
}

/* ------------------------------------------------------------------ around the driver */

/* Who runs a driver alone looks at all its meters. */
static void
watch_meters(void)
{
	static struct bh_dir_index index;
	static bool told[BH_MAX_PARAMS];
	struct bh_dir_record r;
	bh_dir_index(&index, &alone.proc->dir);
	for (uint32_t i = 0; i < alone.params && i < BH_MAX_PARAMS; i++) {
		if (bh_dir_find(&index, i, &r) < 0 || !(r.access & BH_ACCESS_METER)) {
			told[i] = false;
			continue;
		}
		struct bh_event ev = {.kind = BH_EV_VALUE, .id = i, .type = r.type, .stamp_ns = bh_now_ns()};
		union bh_val on = {.u = {0}};
		if (r.type == BH_FLOAT)
			on.f = 1;
		else
			on.i = 1;
		if (!told[i])
			bh_outbox_put(&alone.out, &ev, &on, 0);
		told[i] = true;
	}
}

static void
take_reports(void)
{
	struct bh_event ev;
	struct bh_dir_record r;
	union bh_val v;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&alone.in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		if ((ev.kind == BH_EV_VALUE || ev.kind == BH_EV_METER) && alone.trace && record_of(ev.id, &r) &&
		    bh_event_value(&ev, payload, len, &v) == 0)
			print_value(&r, ev.type, &v);
		else if (ev.kind == BH_EV_DIRECTORY)
			watch_meters();
		else if (ev.kind == BH_EV_DROPPED)
			printf("error: not done: %.*s\n", len ? (int)len : 60, len ? (const char *)payload : bh_drop_name((uint32_t)ev.v.i));
		bh_ring_advance(&alone.in.ring, &ev);
	}
}

static int
alone_start(struct bh_proc *proc, void *state)
{
	int r = alone.inner->start(proc, state);
	if (r < 0)
		return r;
	alone.input = bh_loop_watch(proc->loop, STDIN_FILENO, EPOLLIN, on_input, NULL);
	if (alone.input)
		return 0;
	bh_err("the standard input must be a terminal or a pipe");
	return -EINVAL;
}

static void
alone_before_sleep(struct bh_proc *proc, void *state)
{
	if (alone.inner->before_sleep)
		alone.inner->before_sleep(proc, state);
	take_reports();
	/* What a line has put is done in the next turn, which comes at once, before the next line is read. */
	while (!alone.leaving && !bh_inbox_pending(&proc->peer[BH_SLOT_ROUTER].in)) {
		if (take_line())
			continue;
		alone.leaving = alone.ended;
		break;
	}
	fflush(stdout);
	if (alone.leaving)
		proc->quit = true;
}

/* ------------------------------------------------------------------ what a supervisor would have made */

static int
default_config(void)
{
	const char *kind = alone.inner->kind;
	struct bh_config_writer *w = bh_config_writer_new(), *o = bh_config_writer_new();
	int r = -ENOMEM;
	if (w && o) {
		uint32_t name = bh_config_writer_str(w, kind, strlen(kind));
		struct bh_cfg_proc row = {.name = name, .kind = name, .slot = BH_SLOT_FIRST_FREE, .role = BH_ROLE_DRIVER,
					  .ring_slots = RING_SLOTS, .params = BH_MAX_PARAMS, .max_age_ms = 250};
		bh_config_writer_row(w, BH_TAB_PROCS, &row, sizeof(row));
		alone.config_fd = bh_config_writer_finish(w, "bulkhead.config", "", 1);
		alone.options_fd = bh_config_writer_finish(o, "bulkhead.options", "", 1);
		r = alone.config_fd < 0 ? alone.config_fd : alone.options_fd < 0 ? alone.options_fd : 0;
	}
	bh_config_writer_free(w);
	bh_config_writer_free(o);
	return r;
}

/* The slot of the first driver of our kind, or -ENOENT. */
static int
find_ourselves(void)
{
	struct bh_config c = {0};
	int r = bh_config_map(&c, alone.config_fd);
	if (r < 0)
		return r;
	r = -ENOENT;
	for (uint16_t s = BH_SLOT_FIRST_FREE; s < BH_MAX_SLOTS && r < 0; s++) {
		const struct bh_cfg_proc *row = bh_config_proc(&c, s);
		if (row && !strcmp(bh_config_str(&c, row->kind), alone.inner->kind))
			r = s;
	}
	bh_config_unmap(&c);
	return r;
}

static void
take_compiled(int sock)
{
	static struct bh_spawn_msg msg;
	static int options[BH_MAX_SLOTS];
	int fds[BH_SPAWN_FDS];
	memset(options, -1, sizeof(options));
	while (bh_spawn_recv(sock, &msg, fds, 0) == 1) {
		for (unsigned i = 0; i < msg.nfds; i++) {
			int *place = msg.fd[i].role == BH_FD_CONFIG ? &alone.config_fd
				     : msg.fd[i].slot < BH_MAX_SLOTS ? &options[msg.fd[i].slot]
								     : NULL;
			if (place && *place < 0)
				*place = fds[i];
			else
				close(fds[i]);
		}
	}
	int slot = alone.config_fd < 0 ? -ENOENT : find_ourselves();
	if (slot >= 0) {
		alone.slot = (uint16_t)slot;
		alone.options_fd = bh_steal_fd(&options[slot]);
	}
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++)
		bh_close(&options[s]);
}

/* bh-config says on our standard error what is wrong. 0, or an exit code. */
static int
compile_config(char *file)
{
	char program[512], *argv[] = {program, (char *)"--out", (char *)"3", file, NULL};
	posix_spawn_file_actions_t fa;
	int pair[2], status;
	pid_t pid;
	if (bh_path_program(program, sizeof(program), "bh-config") < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return 1;
	bh_autoclose int ours = pair[0];
	bh_autoclose int its = fcntl(pair[1], F_DUPFD_CLOEXEC, 10); /* not 3: it must lose its close-on-exec */
	close(pair[1]);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, its, BH_SPAWN_FD);
	int r = posix_spawn(&pid, program, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (r != 0 || waitpid(pid, &status, 0) < 0) {
		bh_err("%s cannot be run: %s", program, strerror(r ? r : errno));
		return 1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	take_compiled(ours);
	if (alone.options_fd < 0) {
		bh_err("%s has no driver of kind %s", file, alone.inner->kind);
		return 5;
	}
	return 0;
}

static void
give(struct bh_spawn_msg *m, int *fds, int fd, enum bh_fd_role role, uint16_t slot, uint16_t peer)
{
	m->fd[m->nfds] = (struct bh_spawn_fd){.role = (uint16_t)role, .slot = slot, .peer = peer};
	fds[m->nfds++] = fd;
}

/* Make everything, attach the router's ends, send the driver's. What is open stays so until the process ends. */
static int
make_segments(void)
{
	struct bh_seg_fds self, router, to, from, params, priv;
	struct bh_spawn_msg m = {.type = BH_SPAWN_ATTACH, .slot = alone.slot, .flags = BH_SPAWN_LAST};
	uint16_t me = alone.slot;
	int fds[BH_SPAWN_FDS], pair[2], r;
	if ((r = bh_seg_create_self(&self, "alone.self", me, 1)) < 0 ||
	    (r = bh_seg_create_self(&router, "router.self", BH_SLOT_ROUTER, 1)) < 0 ||
	    (r = bh_seg_create_outbox(&to, "router>alone", BH_SLOT_ROUTER, me, 1, RING_SLOTS, alone.params)) < 0 ||
	    (r = bh_seg_create_outbox(&from, "alone>router", me, BH_SLOT_ROUTER, 1, RING_SLOTS, alone.params)) < 0 ||
	    (r = bh_seg_create_params(&params, "alone.params", me, 1, alone.params, STRING_BYTES)) < 0 ||
	    (r = bh_seg_create_private(&priv, "alone.private", me, 1, 0, 0, SCRATCH_BYTES)) < 0)
		return r;
	if (pipe2(alone.bell, O_CLOEXEC | O_NONBLOCK) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if ((r = bh_seg_map(&alone.router_seg, router.rw, BH_SEG_SELF, true)) < 0 ||
	    (r = bh_seg_map(&alone.self_seg, self.ro, BH_SEG_SELF, false)) < 0)
		return r;
	alone.router = bh_seg_section(&alone.router_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	const struct bh_self *driver = bh_seg_section(&alone.self_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	if ((r = bh_outbox_attach(&alone.out, to.rw, alone.router, driver, alone.bell[1])) < 0 ||
	    (r = bh_inbox_attach(&alone.in, from.ro, alone.router, me)) < 0)
		return r;
	snprintf(m.text, sizeof(m.text), "%s", alone.inner->kind);
	give(&m, fds, self.rw, BH_FD_SELF, me, 0);
	give(&m, fds, router.ro, BH_FD_SELF, BH_SLOT_ROUTER, 0);
	give(&m, fds, from.rw, BH_FD_OUTBOX, me, BH_SLOT_ROUTER);
	give(&m, fds, to.ro, BH_FD_OUTBOX, BH_SLOT_ROUTER, me);
	give(&m, fds, params.rw, BH_FD_PARAMS, me, 0);
	give(&m, fds, priv.rw, BH_FD_PRIVATE, me, 0);
	give(&m, fds, alone.config_fd, BH_FD_CONFIG, 0, 0);
	give(&m, fds, alone.options_fd, BH_FD_OPTIONS, me, 0);
	give(&m, fds, alone.bell[0], BH_FD_BELL_RD, me, 0);
	alone.sock = pair[0];
	alone.proc->spawn_fd = pair[1];
	return bh_spawn_send(alone.sock, &m, fds);
}

int
bh_standalone_prepare(struct bh_proc *proc, int argc, char **argv, const struct bh_action_desc *actions)
{
	char *file = NULL;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--trace")) {
			alone.trace = true;
		} else if (!strcmp(argv[i], "--config") && i + 1 < argc) {
			file = argv[++i];
		} else {
			fprintf(stderr, "usage: bh-%s --no-supervisor [--config FILE] [--trace]\n", proc->ops->kind);
			return 2;
		}
	}
	alone.proc = proc;
	alone.inner = proc->ops;
	alone.actions = actions;
	alone.slot = BH_SLOT_FIRST_FREE;
	alone.params = BH_MAX_PARAMS;
	alone.config_fd = alone.options_fd = -1;
	int r = file ? compile_config(file) : default_config();
	if (r > 0)
		return r;
	if (r == 0)
		r = make_segments();
	if (r < 0) {
		bh_err("cannot make what the supervisor would have made: %s", strerror(-r));
		return 1;
	}
	alone.ops = *alone.inner;
	alone.ops.start = alone_start;
	alone.ops.before_sleep = alone_before_sleep;
	proc->ops = &alone.ops;
	return 0;
}
