/* pipeline.c - see pipeline.h */
#include "tests/lib/pipeline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/lib/scratch.h"

extern char **environ;

/* Benches use this without check: what fails is printed, and SIGABRT ends the test (in check: its process) or the bench. */
#define must(cond, ...)                                                                            \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: " #cond " failed: ", __FILE__, __LINE__);          \
			fprintf(stderr, __VA_ARGS__);                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void
program_path(char *buf, size_t cap, const char *name)
{
	const char *bin = getenv("BH_BIN");
	snprintf(buf, cap, "%s/%s", bin ? bin : "bin", name);
}

void
pipeline_config(struct pipeline *p, const char *yaml)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/pipeline.yaml", p->dir);
	FILE *f = fopen(path, "w");
	must(f, "%m\n");
	for (const char *at = yaml; *at;) {
		if (!strncmp(at, "@DIR@", 5)) {
			fputs(p->dir, f);
			at += 5;
		} else {
			fputc(*at++, f);
		}
	}
	must(fclose(f) == 0, "%m\n");
}

void
pipeline_prepare(struct pipeline *p, const char *yaml)
{
	char path[128];
	memset(p, 0, sizeof(*p));
	scratch_dir(p->dir, sizeof(p->dir), "pipeline");
	snprintf(path, sizeof(path), "%s/run", p->dir);
	mkdir(path, 0700);
	setenv("BULKHEAD_RUNTIME_DIR", path, 1);
	snprintf(path, sizeof(path), "%s/state", p->dir);
	mkdir(path, 0700);
	setenv("BULKHEAD_STATE_DIR", path, 1);
	setenv("BULKHEAD_PATIENCE", "8", 1);
	pipeline_config(p, yaml);
}

static void
unmap_all(struct pipeline *p)
{
	for (unsigned i = 0; i < p->maps; i++)
		bh_seg_unmap(&p->map[i].seg);
	p->maps = 0;
}

/* All pids that the table knows, keeper and supervisor included. */
static unsigned
all_pids(struct pipeline *p, pid_t *pids, unsigned cap)
{
	const struct bh_seg *t = pipeline_seg(p, "bulkhead.table");
	unsigned n = 0;
	uint32_t count = 0;
	if (!t)
		return 0;
	const struct bh_table_head *h = bh_seg_section(t, BH_SEC_TABLE, sizeof(*h), NULL);
	const struct bh_proc_entry *e = bh_seg_section(t, BH_SEC_PROCS, sizeof(*e), &count);
	pids[n++] = (pid_t)h->keeper_pid;
	pids[n++] = (pid_t)h->supervisor_pid;
	for (uint32_t i = 0; i < count && n < cap; i++) {
		struct bh_proc_body b;
		if (bh_proc_entry_read(&e[i], &b) > 0 && b.alive && b.pid)
			pids[n++] = (pid_t)b.pid;
	}
	return n;
}

/*
 * Waits for the test's word that all is over, and kills the pipeline if its end comes instead. In a session of its own, for
 * check kills the group of a test that failed.
 */
static void
guard(struct pipeline *p, int fd)
{
	pid_t pids[BH_MAX_SLOTS + 4];
	char word;
	ssize_t n;
	setsid();
	dup2(fd, STDIN_FILENO);
	closefrom(STDOUT_FILENO); /* nobody shall wait for us to close what the test had open */
	while ((n = recv(STDIN_FILENO, &word, 1, 0)) < 0 && errno == EINTR)
		;
	if (n == 1)
		_exit(0);
	unsigned count = all_pids(p, pids, BH_MAX_SLOTS + 4);
	kill(-p->pid, SIGKILL); /* keepers and supervisors, also those that the table does not know yet */
	for (unsigned i = 0; i < count; i++)
		if (pids[i] > 1)
			kill(pids[i], SIGKILL);
	_exit(0);
}

static void
dismiss_guard(struct pipeline *p)
{
	if (p->guard_fd <= 0)
		return;
	send(p->guard_fd, "k", 1, MSG_NOSIGNAL);
	close(p->guard_fd);
	p->guard_fd = -1;
}

static void
set_guard(struct pipeline *p)
{
	int ends[2];
	dismiss_guard(p); /* of one that ended in another way */
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "%m\n");
	pid_t pid = fork();
	must(pid >= 0, "%m\n");
	if (pid == 0) {
		close(ends[0]);
		guard(p, ends[1]);
	}
	close(ends[1]);
	p->guard_fd = ends[0];
}

void
pipeline_run(struct pipeline *p)
{
	char path[512], config[128], log[128];
	char *argv[] = {path, (char *)"run", (char *)"-c", config, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	program_path(path, sizeof(path), "bulkhead");
	snprintf(config, sizeof(config), "%s/pipeline.yaml", p->dir);
	snprintf(log, sizeof(log), "%s/log", p->dir);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&fa, STDOUT_FILENO, STDERR_FILENO);
	/* A group of its own, so that what is left of it can be ended even when everything that knows its pids is dead. */
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
	must(posix_spawn(&p->pid, path, &fa, &at, argv, environ) == 0, "%m\n");
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	set_guard(p);
	must(pipeline_until(15000, pipeline_seg(p, "bulkhead.table") != NULL), "no process table:\n%s", pipeline_log(p));
}

void
pipeline_start(struct pipeline *p, const char *yaml)
{
	pipeline_prepare(p, yaml);
	pipeline_run(p);
	must(pipeline_until(20000, pipeline_all_ok(p)), "not all processes are ok:\n%s", pipeline_log(p));
}

static bool
is_gone(pid_t pid)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return pid <= 0 || kill(pid, 0) < 0;
}

/* Stopped by a signal, or no more. */
static bool
is_at_rest(pid_t pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'T' || state == 'Z' || state == 'X';
}

void
pipeline_crash(struct pipeline *p)
{
	pid_t pids[BH_MAX_SLOTS + 4];
	unsigned n = all_pids(p, pids, BH_MAX_SLOTS + 4);
	/* First nobody goes on, so that none can act on the death of another: a signal takes a moment to arrive. */
	for (unsigned i = 0; i < n; i++)
		if (pids[i] > 1)
			kill(pids[i], SIGSTOP);
	for (unsigned i = 0; i < n; i++)
		must(pipeline_until(5000, is_at_rest(pids[i])), "pid %d does not stop", pids[i]);
	/* The keeper, who comes first, last: without it the kernel would continue the rest of its group, who would start another. */
	for (unsigned i = n; i-- > 0;)
		if (pids[i] > 1)
			kill(pids[i], SIGKILL);
	for (unsigned i = 0; i < n; i++)
		must(pipeline_until(5000, is_gone(pids[i])), "pid %d does not end", pids[i]);
	dismiss_guard(p);
	unmap_all(p);
}

void
pipeline_stop(struct pipeline *p)
{
	pid_t pids[BH_MAX_SLOTS + 4];
	pid_t keeper = pipeline_pid(p, "keeper");
	unsigned n = all_pids(p, pids, BH_MAX_SLOTS + 4);
	bool clean = true;
	if (keeper > 1)
		kill(keeper, SIGTERM);
	for (unsigned i = 0; i < n; i++)
		clean &= pipeline_until(10000, is_gone(pids[i]));
	for (unsigned i = 0; i < n && !clean; i++)
		if (pids[i] > 1)
			kill(pids[i], SIGKILL);
	if (clean)
		dismiss_guard(p);
	unmap_all(p);
	must(clean, "the pipeline did not end cleanly:\n%s", pipeline_log(p));
}

void
pipeline_clean(struct pipeline *p)
{
	if (p->dir[0])
		scratch_remove(p->dir);
}

/* ------------------------------------------------------------------ looking in */

/* Pids of keeper and supervisor, from the runtime folder. */
static void
holders(struct pipeline *p, pid_t *keeper, pid_t *supervisor)
{
	char path[128];
	int k = 0, s = 0;
	snprintf(path, sizeof(path), "%s/run/pid", p->dir);
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "keeper %d supervisor %d", &k, &s) < 1)
		k = 0;
	if (f)
		fclose(f);
	*keeper = k ? k : p->pid;
	*supervisor = s;
}

/* Open the memfd of this name that a process holds, read-only. */
static int
open_memfd(pid_t pid, const char *name)
{
	char dir[64], want[64];
	int fd = -1;
	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	snprintf(want, sizeof(want), "/memfd:%s", name);
	DIR *d = opendir(dir);
	for (struct dirent *e; d && fd < 0 && (e = readdir(d));) {
		char link[400], to[128];
		snprintf(link, sizeof(link), "%s/%s", dir, e->d_name);
		ssize_t n = readlink(link, to, sizeof(to) - 1);
		if (n <= 0)
			continue;
		to[n] = 0;
		char *gone = strstr(to, " (deleted)");
		if (gone)
			*gone = 0;
		if (!strcmp(to, want))
			fd = open(link, O_RDONLY | O_CLOEXEC);
	}
	if (d)
		closedir(d);
	return fd;
}

const struct bh_seg *
pipeline_seg(struct pipeline *p, const char *name)
{
	pid_t keeper, supervisor;
	for (unsigned i = 0; i < p->maps; i++)
		if (!strcmp(p->map[i].name, name))
			return &p->map[i].seg;
	holders(p, &keeper, &supervisor);
	int fd = open_memfd(supervisor, name);
	if (fd < 0)
		fd = open_memfd(keeper, name);
	if (fd < 0 || p->maps == BH_ARRAY_LEN(p->map))
		return NULL;
	struct pipeline_map *m = &p->map[p->maps];
	memset(m, 0, sizeof(*m));
	int r = bh_seg_map(&m->seg, fd, 0, false);
	close(fd);
	if (r < 0)
		return NULL;
	snprintf(m->name, sizeof(m->name), "%s", name);
	p->maps++;
	return &m->seg;
}

void
pipeline_forget(struct pipeline *p, const char *name)
{
	for (unsigned i = 0; i < p->maps; i++) {
		if (strcmp(p->map[i].name, name) != 0)
			continue;
		bh_seg_unmap(&p->map[i].seg);
		p->map[i] = p->map[--p->maps];
		return;
	}
}

static const struct bh_table_head *
table_head(struct pipeline *p)
{
	const struct bh_seg *t = pipeline_seg(p, "bulkhead.table");
	return t ? bh_seg_section(t, BH_SEC_TABLE, sizeof(struct bh_table_head), NULL) : NULL;
}

bool
pipeline_body(struct pipeline *p, const char *name, struct bh_proc_body *body)
{
	uint32_t count = 0;
	const struct bh_seg *t = pipeline_seg(p, "bulkhead.table");
	const struct bh_proc_entry *e = t ? bh_seg_section(t, BH_SEC_PROCS, sizeof(*e), &count) : NULL;
	for (uint32_t i = 0; i < count; i++)
		if (bh_proc_entry_read(&e[i], body) > 0 && body->role && !strcmp(body->name, name))
			return true;
	return false;
}

pid_t
pipeline_pid(struct pipeline *p, const char *name)
{
	struct bh_proc_body b;
	const struct bh_table_head *h = table_head(p);
	if (!strcmp(name, "keeper"))
		return h ? (pid_t)__atomic_load_n(&h->keeper_pid, __ATOMIC_RELAXED) : p->pid;
	if (!strcmp(name, "supervisor"))
		return h ? (pid_t)__atomic_load_n(&h->supervisor_pid, __ATOMIC_RELAXED) : 0;
	return pipeline_body(p, name, &b) && b.alive ? (pid_t)b.pid : 0;
}

bool
pipeline_is_ok(struct pipeline *p, const char *name)
{
	struct bh_proc_body b;
	if (!strcmp(name, "keeper") || !strcmp(name, "supervisor")) {
		pid_t pid = pipeline_pid(p, name);
		return pid > 0 && kill(pid, 0) == 0;
	}
	return pipeline_body(p, name, &b) && b.alive && b.health.health == BH_HEALTH_OK;
}

bool
pipeline_all_ok(struct pipeline *p)
{
	uint32_t count = 0;
	unsigned procs = 0;
	const struct bh_seg *t = pipeline_seg(p, "bulkhead.table");
	const struct bh_proc_entry *e = t ? bh_seg_section(t, BH_SEC_PROCS, sizeof(*e), &count) : NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct bh_proc_body b;
		if (bh_proc_entry_read(&e[i], &b) <= 0 || b.role <= BH_ROLE_SUPERVISOR)
			continue;
		procs++;
		if (!b.alive || b.health.health != BH_HEALTH_OK)
			return false;
	}
	return procs >= 4;
}

const struct bh_self *
pipeline_self(struct pipeline *p, const char *name)
{
	char seg[48];
	snprintf(seg, sizeof(seg), "%s.self", name);
	const struct bh_seg *s = pipeline_seg(p, seg);
	return s ? bh_seg_section(s, BH_SEC_SELF, sizeof(struct bh_self), NULL) : NULL;
}

bool
pipeline_param(struct pipeline *p, const char *drv, const char *param, struct bh_dir_record *r)
{
	char name[48];
	struct bh_dir dir;
	bool found = false;
	snprintf(name, sizeof(name), "%s.params", drv);
	const struct bh_seg *s = pipeline_seg(p, name);
	if (!s || bh_dir_attach(&dir, s) < 0)
		return false;
	for (uint32_t n = 0; n < bh_dir_count(&dir); n++) {
		struct bh_dir_record one;
		if (bh_dir_read(&dir, n, &one) < 0 || strcmp(one.name, param) != 0)
			continue;
		found = !(one.flags & BH_DIR_TOMBSTONE);
		*r = one;
	}
	return found;
}

static int64_t
param_index(struct pipeline *p, const char *drv, const char *param)
{
	struct bh_dir_record r;
	return pipeline_param(p, drv, param, &r) ? (int64_t)r.index : -1;
}

static int
read_cell(struct pipeline *p, const char *from, const char *to, int64_t id, struct bh_cell_body *c)
{
	char name[48];
	uint32_t count = 0;
	snprintf(name, sizeof(name), "%s>%s", from, to);
	const struct bh_seg *s = pipeline_seg(p, name);
	const struct bh_cell *cells = s ? bh_seg_section(s, BH_SEC_CELLS, sizeof(*cells), &count) : NULL;
	if (id < 0 || id >= count)
		return 0;
	return bh_cell_read(&cells[id], c) > 0;
}

int
pipeline_reported(struct pipeline *p, const char *drv, const char *param, struct bh_cell_body *c)
{
	return read_cell(p, drv, "router", param_index(p, drv, param), c);
}

int
pipeline_wanted(struct pipeline *p, const char *drv, const char *param, struct bh_cell_body *c)
{
	return read_cell(p, "router", drv, param_index(p, drv, param), c);
}

bool
pipeline_settled(struct pipeline *p, const char *drv, const char *param)
{
	struct bh_cell_body want, have;
	return !pipeline_wanted(p, drv, param, &want) ||
	       (pipeline_reported(p, drv, param, &have) && want.v.u[0] == have.v.u[0]);
}

double
pipeline_number(struct pipeline *p, const char *drv, const char *param)
{
	struct bh_cell_body c;
	if (!pipeline_reported(p, drv, param, &c))
		return NAN;
	return c.type == BH_FLOAT ? c.v.f : (double)c.v.i;
}

int
pipeline_tool(struct pipeline *p, char *out, size_t cap, const char *program, ...)
{
	char path[512], *argv[24] = {path};
	int pipefd[2], n = 1, status = 0;
	size_t len = 0;
	pid_t pid;
	va_list ap;
	posix_spawn_file_actions_t fa;
	(void)p;
	program_path(path, sizeof(path), program);
	va_start(ap, program);
	while (n < 23 && (argv[n] = va_arg(ap, char *)))
		n++;
	va_end(ap);
	argv[n] = NULL;
	must(pipe2(pipefd, O_CLOEXEC) == 0, "%m\n");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, pipefd[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, pipefd[1], STDERR_FILENO);
	must(posix_spawn(&pid, path, &fa, NULL, argv, environ) == 0, "%m\n");
	posix_spawn_file_actions_destroy(&fa);
	close(pipefd[1]);
	for (ssize_t got; len + 1 < cap && (got = read(pipefd[0], out + len, cap - 1 - len)) > 0;)
		len += (size_t)got;
	out[len] = 0;
	close(pipefd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *
pipeline_log_text(struct pipeline *p)
{
	static char text[8192];
	char path[128];
	snprintf(path, sizeof(path), "%s/log", p->dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "(no log)";
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, from);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

const char *
pipeline_log(struct pipeline *p)
{
	static char last[32768];
	dprintf(STDERR_FILENO, "---- the log of %s\n%s----\n", p->dir, pipeline_log_text(p));
	/* Out of shared memory: whoever hangs or is dead need not answer. */
	pipeline_tool(p, last, sizeof(last), "bulkhead", "monitor", "--once", "--last", "150", NULL);
	dprintf(STDERR_FILENO, "---- what happened last\n%s----\n", last);
	return "(the end of its log, and what happened last, are on stderr)";
}
