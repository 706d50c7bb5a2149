/* host.c - see host.h */
#include "tests/lib/host.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/compiled.h"
#include "common/spawn.h"

static void
compile(struct host *h, va_list ap)
{
	char path[512];
	struct bh_config_writer *w = bh_config_writer_new(), *o = bh_config_writer_new();
	const char *bin = getenv("BH_BIN");
	snprintf(path, sizeof(path), "%s/bh-%s", bin ? bin : "bin", h->kind);
	struct bh_cfg_proc row = {.name = bh_config_writer_str(w, "dut", 3),
				  .kind = bh_config_writer_str(w, h->kind, strlen(h->kind)),
				  .binary = bh_config_writer_str(w, path, strlen(path)), .slot = HOST_SLOT,
				  .role = h->controls ? BH_ROLE_SURFACE : BH_ROLE_DRIVER, .ring_slots = HOST_RING, .params = h->params, .max_age_ms = HOST_MAX_AGE_MS};
	bh_config_writer_row(w, BH_TAB_PROCS, &row, sizeof(row));
	if (h->controls) {
		struct bh_cfg_surface surface = {.slot = HOST_SLOT, .controls = (uint16_t)h->controls_len};
		bh_config_writer_row(w, BH_TAB_SURFACES, &surface, sizeof(surface));
		for (unsigned i = 0; i < h->controls_len; i++)
			bh_config_writer_row(w, BH_TAB_CONTROLS, &h->controls[i], sizeof(h->controls[i]));
	}
	for (const char *key; (key = va_arg(ap, const char *));) {
		const char *text = va_arg(ap, const char *);
		struct bh_cfg_option opt = {.key = bh_config_writer_str(o, key, strlen(key)),
					    .text = bh_config_writer_str(o, text, strlen(text))};
		bh_config_writer_row(o, BH_TAB_OPTIONS, &opt, sizeof(opt));
	}
	h->config_fd = bh_config_writer_finish(w, "test.config", "test", 1);
	h->options_fd = bh_config_writer_finish(o, "test.options", "test", 1);
	ck_assert_int_ge(h->config_fd, 0);
	ck_assert_int_ge(h->options_fd, 0);
	bh_config_writer_free(w);
	bh_config_writer_free(o);
}

static struct bh_self *
map_self(struct bh_seg *seg, int fd, bool writable)
{
	ck_assert_int_eq(bh_seg_map(seg, fd, BH_SEG_SELF, writable), 0);
	return bh_seg_section(seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
}

static void
segments(struct host *h)
{
	ck_assert_int_eq(bh_seg_create_self(&h->self_fd[BH_SLOT_SUPERVISOR], "supervisor.self", BH_SLOT_SUPERVISOR, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&h->self_fd[BH_SLOT_ROUTER], "router.self", BH_SLOT_ROUTER, 1), 0);
	ck_assert_int_eq(bh_seg_create_self(&h->self_fd[HOST_SLOT], "dut.self", HOST_SLOT, 1), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->to_fd, "router>dut", BH_SLOT_ROUTER, HOST_SLOT, 1, HOST_RING, h->params), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->from_fd, "dut>router", HOST_SLOT, BH_SLOT_ROUTER, 1, HOST_RING, h->params), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->sup_to_fd, "supervisor>dut", BH_SLOT_SUPERVISOR, HOST_SLOT, 1, 64, 0), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&h->sup_from_fd, "dut>supervisor", HOST_SLOT, BH_SLOT_SUPERVISOR, 1, 64, 0), 0);
	ck_assert_int_eq(bh_seg_create_params(&h->params_fd, "dut.params", HOST_SLOT, 1, h->params + h->params / 2, 16384), 0);
	ck_assert_int_eq(bh_seg_create_private(&h->private_fd, "dut.private", HOST_SLOT, 1, 0, 8192, 65536), 0);
	ck_assert_int_eq(pipe2(h->bell, O_CLOEXEC | O_NONBLOCK), 0);

	h->self = map_self(&h->child_self, h->self_fd[HOST_SLOT].ro, false);
	h->router_self = map_self(&h->own_self, h->self_fd[BH_SLOT_ROUTER].rw, true);
	h->supervisor_self = map_self(&h->sup_self, h->self_fd[BH_SLOT_SUPERVISOR].rw, true);
	ck_assert_int_eq(bh_seg_map(&h->params_seg, h->params_fd.ro, BH_SEG_PARAMS, false), 0);
	ck_assert_int_eq(bh_seg_map(&h->private_seg, h->private_fd.ro, BH_SEG_PRIVATE, false), 0);
	ck_assert_int_eq(bh_dir_attach(&h->dir, &h->params_seg), 0);
	ck_assert_int_eq(bh_outbox_attach(&h->out, h->to_fd.rw, h->router_self, h->self, h->bell[1]), 0);
	ck_assert_int_eq(bh_inbox_attach(&h->in, h->from_fd.ro, h->router_self, HOST_SLOT), 0);
	ck_assert_int_eq(bh_outbox_attach(&h->sup_out, h->sup_to_fd.rw, h->supervisor_self, h->self, h->bell[1]), 0);
	ck_assert_int_eq(bh_inbox_attach(&h->sup_in, h->sup_from_fd.ro, h->supervisor_self, HOST_SLOT), 0);
}

static void
give(struct bh_spawn_msg *m, int *fds, int fd, enum bh_fd_role role, uint16_t slot, uint16_t peer, bool rw)
{
	m->fd[m->nfds] = (struct bh_spawn_fd){.role = (uint16_t)role, .slot = slot, .peer = peer,
					      .flags = rw ? BH_SPAWN_FD_RW : 0};
	fds[m->nfds++] = fd;
}

static void
attach(struct host *h)
{
	struct bh_spawn_msg m = {.type = BH_SPAWN_ATTACH, .slot = HOST_SLOT,
				 .flags = (uint16_t)(BH_SPAWN_LAST | (h->lives ? BH_SPAWN_SUCCESSOR : 0))};
	int fds[BH_SPAWN_FDS];
	snprintf(m.text, sizeof(m.text), "dut");
	give(&m, fds, h->self_fd[HOST_SLOT].rw, BH_FD_SELF, HOST_SLOT, 0, true);
	give(&m, fds, h->self_fd[BH_SLOT_ROUTER].ro, BH_FD_SELF, BH_SLOT_ROUTER, 0, false);
	give(&m, fds, h->self_fd[BH_SLOT_SUPERVISOR].ro, BH_FD_SELF, BH_SLOT_SUPERVISOR, 0, false);
	give(&m, fds, h->from_fd.rw, BH_FD_OUTBOX, HOST_SLOT, BH_SLOT_ROUTER, true);
	give(&m, fds, h->to_fd.ro, BH_FD_OUTBOX, BH_SLOT_ROUTER, HOST_SLOT, false);
	give(&m, fds, h->sup_from_fd.rw, BH_FD_OUTBOX, HOST_SLOT, BH_SLOT_SUPERVISOR, true);
	give(&m, fds, h->sup_to_fd.ro, BH_FD_OUTBOX, BH_SLOT_SUPERVISOR, HOST_SLOT, false);
	give(&m, fds, h->params_fd.rw, BH_FD_PARAMS, HOST_SLOT, 0, true);
	give(&m, fds, h->private_fd.rw, BH_FD_PRIVATE, HOST_SLOT, 0, true);
	give(&m, fds, h->config_fd, BH_FD_CONFIG, 0, 0, false);
	give(&m, fds, h->options_fd, BH_FD_OPTIONS, HOST_SLOT, 0, false);
	give(&m, fds, h->bell[0], BH_FD_BELL_RD, HOST_SLOT, 0, false);
	if (h->device_fd > 0)
		give(&m, fds, h->device_fd, BH_FD_DEVICE, HOST_SLOT, 0, true);
	ck_assert_int_eq(bh_spawn_send(h->sock, &m, fds), 0);
}

/* What it wrote into the socketpair: of interest is only the device to keep. */
static void
take_mail(struct host *h, const struct bh_spawn_msg *m, int *fds)
{
	unsigned kept = m->type == BH_SPAWN_DEVICE && m->nfds;
	if (m->type == BH_SPAWN_DEVICE) {
		if (h->device_fd > 0)
			close(h->device_fd);
		h->device_fd = kept ? fds[0] : 0;
	}
	for (unsigned i = kept; i < m->nfds; i++)
		close(fds[i]);
}

static void
read_mail(struct host *h)
{
	struct bh_spawn_msg m;
	int fds[BH_SPAWN_FDS];
	while (bh_spawn_recv(h->sock, &m, fds, 0) == 1)
		take_mail(h, &m, fds);
}

int
host_reload(struct host *h, ...)
{
	struct bh_spawn_msg m = {.type = BH_SPAWN_CONFIG, .slot = HOST_SLOT, .value = 2};
	int fds[BH_SPAWN_FDS], old[] = {h->config_fd, h->options_fd};
	va_list ap;
	va_start(ap, h);
	compile(h, ap);
	va_end(ap);
	close(old[0]);
	close(old[1]);
	give(&m, fds, h->config_fd, BH_FD_CONFIG, 0, 0, false);
	give(&m, fds, h->options_fd, BH_FD_OPTIONS, HOST_SLOT, 0, false);
	ck_assert_int_eq(bh_spawn_send(h->sock, &m, fds), 0);
	do {
		ck_assert_int_eq(bh_spawn_recv(h->sock, &m, fds, 1), 1);
		take_mail(h, &m, fds);
	} while (m.type != BH_SPAWN_CONFIG_BACK);
	return m.error;
}

void
host_spawn(struct host *h)
{
	char path[512], *argv[] = {path, NULL};
	int pair[2];
	posix_spawn_file_actions_t fa;
	extern char **environ;
	const char *bin = getenv("BH_BIN");
	snprintf(path, sizeof(path), "%s/bh-%s", bin ? bin : "bin", h->kind);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	/* dup2 to the same number would keep close-on-exec. */
	if (pair[1] == BH_SPAWN_FD)
		pair[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pair[1], BH_SPAWN_FD);
	ck_assert_int_eq(posix_spawn(&h->pid, path, &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(pair[1]);
	h->sock = pair[0];
	attach(h);
	h->lives++;
}

bool
host_wait_ready(struct host *h, unsigned ms)
{
	return host_until(h, ms, __atomic_load_n(&h->self->ready_life, __ATOMIC_ACQUIRE) == h->lives);
}

static void
start(struct host *h, const char *kind, va_list ap)
{
	snprintf(h->kind, sizeof(h->kind), "%s", kind);
	if (!h->params)
		h->params = HOST_PARAMS;
	compile(h, ap);
	segments(h);
	host_spawn(h);
	ck_assert_msg(host_wait_ready(h, 10000), "bh-%s did not become ready", kind);
}

void
host_start(struct host *h, const char *kind, ...)
{
	va_list ap;
	memset(h, 0, sizeof(*h));
	va_start(ap, kind);
	start(h, kind, ap);
	va_end(ap);
}

void
host_start_large(struct host *h, const char *kind, uint32_t params, ...)
{
	va_list ap;
	memset(h, 0, sizeof(*h));
	h->params = params;
	va_start(ap, params);
	start(h, kind, ap);
	va_end(ap);
}

void
host_start_surface(struct host *h, const char *kind, const struct bh_cfg_control *controls, unsigned n, ...)
{
	va_list ap;
	memset(h, 0, sizeof(*h));
	h->controls = controls;
	h->controls_len = n;
	va_start(ap, n);
	start(h, kind, ap);
	va_end(ap);
}

void
host_kill(struct host *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
	read_mail(h);
	close(h->sock);
}

void
host_restart(struct host *h)
{
	host_spawn(h);
	ck_assert_msg(host_wait_ready(h, 10000), "the successor did not become ready");
}

int
host_wait_death(struct host *h, unsigned ms)
{
	int status = -1;
	if (!host_until(h, ms, waitpid(h->pid, &status, WNOHANG) == h->pid))
		return -1;
	h->pid = 0;
	read_mail(h);
	close(h->sock);
	return status;
}

void
host_stop(struct host *h)
{
	if (h->pid) {
		kill(h->pid, SIGTERM);
		if (host_wait_death(h, 5000) < 0)
			host_kill(h);
	}
}

static int64_t
find(struct host *h, const char *name)
{
	int64_t found = -1;
	for (uint32_t n = 0; n < bh_dir_count(&h->dir); n++) {
		struct bh_dir_record r;
		if (bh_dir_read(&h->dir, n, &r) == 0 && !strcmp(r.name, name))
			found = r.flags & BH_DIR_TOMBSTONE ? -1 : (int64_t)r.index;
	}
	return found;
}

bool
host_has_param(struct host *h, const char *name)
{
	return find(h, name) >= 0;
}

uint32_t
host_param(struct host *h, const char *name)
{
	int64_t id = -1;
	ck_assert_msg(host_until(h, 5000, (id = find(h, name)) >= 0), "no parameter %s", name);
	return (uint32_t)id;
}

void
host_flush(struct host *h)
{
	bh_outbox_flush(&h->out);
}

int
host_want(struct host *h, uint32_t id, struct bh_value v, bool flush)
{
	return host_want_at(h, id, v, bh_now_ns(), flush);
}

int
host_want_at(struct host *h, uint32_t id, struct bh_value v, uint64_t stamp_ns, bool flush)
{
	struct bh_event ev = {.kind = BH_EV_VALUE, .id = id, .type = (uint8_t)v.type, .stamp_ns = stamp_ns};
	union bh_val u;
	memcpy(&u, v.s, sizeof(u));
	int r = bh_outbox_put(&h->out, &ev, &u, 0);
	if (flush)
		host_flush(h);
	return r;
}

int
host_act(struct host *h, uint32_t action, unsigned age_ms, ...)
{
	char args[BH_PAYLOAD_MAX];
	size_t len = 0;
	va_list ap;
	va_start(ap, age_ms);
	for (const char *a; (a = va_arg(ap, const char *));) {
		memcpy(args + len, a, strlen(a) + 1);
		len += strlen(a) + 1;
	}
	va_end(ap);
	struct bh_event ev = {.kind = BH_EV_ACTION, .id = action, .gen = ++h->action_gen, .total = 7,
			      .stamp_ns = bh_now_ns() - age_ms * BH_NS_PER_MS};
	int r = bh_outbox_send(&h->out, &ev, args, len);
	host_flush(h);
	return r;
}

static void
note_dropped(struct host *h, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct host_dropped *d = &h->dropped[h->drops++];
	*d = (struct host_dropped){.action = ev->id, .gen = ev->gen, .why = (enum bh_drop)ev->v.i, .is_value = ev->v.u[1]};
	memcpy(d->words, payload, len);
}

void
host_drain(struct host *h)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (bh_ring_peek(&h->in.ring, &ev, payload, sizeof(payload), &len) == 1) {
		if (ev.kind == BH_EV_DROPPED && h->drops < BH_ARRAY_LEN(h->dropped))
			note_dropped(h, &ev, payload, len);
		bh_ring_advance(&h->in.ring, &ev);
	}
	while (bh_ring_peek(&h->sup_in.ring, &ev, payload, sizeof(payload), &len) == 1)
		bh_ring_advance(&h->sup_in.ring, &ev);
}

int
host_reported(struct host *h, uint32_t id, struct bh_value *v)
{
	struct bh_cell_body c;
	if (bh_inbox_cell(&h->in, id, &c) != 1)
		return 0;
	v->type = c.type;
	memcpy(v->s, &c.v, sizeof(v->s));
	return 1;
}

static bool
reports(struct host *h, uint32_t id, const struct bh_value *v)
{
	struct bh_value r;
	if (!host_reported(h, id, &r) || r.type != v->type)
		return false;
	return v->type == BH_TEXT ? !strcmp(r.s, v->s) : r.i == v->i;
}

void
host_expect(struct host *h, uint32_t id, struct bh_value v, unsigned ms)
{
	struct bh_value r = {.type = BH_NONE};
	if (host_until(h, ms, reports(h, id, &v)))
		return;
	host_reported(h, id, &r);
	ck_abort_msg("parameter %u: expected type %d %g / %lld, is type %d %g / %lld", id, v.type, v.f, (long long)v.i, r.type,
		     r.f, (long long)r.i);
}

uint64_t
host_counter(const struct host *h, enum bh_counter c)
{
	return __atomic_load_n(&h->self->counter[c], __ATOMIC_RELAXED);
}

enum bh_health
host_health(const struct host *h, char *reason, size_t cap)
{
	struct bh_health_record r = {0};
	bh_health_read(h->self, &r);
	if (reason)
		snprintf(reason, cap, "%s", r.reason);
	return (enum bh_health)r.health;
}
