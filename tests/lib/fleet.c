/* fleet.c - see fleet.h */
#include "tests/lib/fleet.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/lib/scratch.h"

uint64_t
fleet_now_ms(void)
{
	return bh_mono_ns() / BH_NS_PER_MS;
}

void
fleet_pause(void)
{
	struct timespec ts = {.tv_nsec = 2000000};
	nanosleep(&ts, NULL);
}

void
fleet_write(struct fleet *f, const char *config)
{
	FILE *out = fopen(f->config, "we");
	ck_assert_ptr_nonnull(out);
	fputs(config, out);
	fclose(out);
}

void
fleet_init(struct fleet *f, const char *config)
{
	memset(f, 0, sizeof(*f));
	f->sock = -1;
	scratch_dir(f->dir, sizeof(f->dir), "fleet");
	snprintf(f->config, sizeof(f->config), "%s/fleet.conf", f->dir);
	fleet_write(f, config);
	/* Whoever outlives its parents becomes our child: nothing is left behind by accident. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

pid_t
fleet_launch(struct fleet *f, int err_fd)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/../tests/fleet/bh-keeper", getenv("BH_BIN") ? getenv("BH_BIN") : "build/dev/bin");
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setenv("BULKHEAD_RUNTIME_DIR", f->dir, 1);
		if (f->notify[0])
			setenv("NOTIFY_SOCKET", f->notify, 1);
		else
			unsetenv("NOTIFY_SOCKET");
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails or is ended leaves nothing behind */
		if (err_fd >= 0)
			dup2(err_fd, STDERR_FILENO);
		execl(path, "bh-keeper", f->config, NULL);
		_exit(127);
	}
	return pid;
}

static pid_t
pid_from_file(struct fleet *f, bool keeper)
{
	char path[128], text[96] = "";
	int k = 0, s = 0;
	snprintf(path, sizeof(path), "%s/pid", f->dir);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "keeper %d supervisor %d", &k, &s) != 2)
		return 0;
	return keeper ? k : s;
}

pid_t
fleet_keeper(struct fleet *f)
{
	return pid_from_file(f, true);
}

pid_t
fleet_supervisor(struct fleet *f)
{
	return pid_from_file(f, false);
}

/* Find the table among the descriptors of a process, as the tool does when bh-control is down. */
static bool
find_table(struct fleet *f, pid_t pid)
{
	char dir[64], path[400], link[128];
	uint32_t n = 0;
	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	DIR *d = pid > 0 ? opendir(dir) : NULL;
	while (d) {
		struct dirent *e = readdir(d);
		if (!e)
			break;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ssize_t len = readlink(path, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = 0;
		if (strncmp(link, "/memfd:bulkhead.table", 21))
			continue;
		bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || bh_seg_map(&f->table, fd, BH_SEG_TABLE, false) < 0)
			continue;
		f->head = bh_seg_section(&f->table, BH_SEC_TABLE, sizeof(struct bh_table_head), NULL);
		f->entries = bh_seg_section(&f->table, BH_SEC_PROCS, sizeof(struct bh_proc_entry), &n);
		break;
	}
	if (d)
		closedir(d);
	return f->entries;
}

bool
fleet_is_there(struct fleet *f)
{
	pid_t pid = fleet_supervisor(f);
	bh_seg_unmap(&f->table);
	f->head = NULL;
	f->entries = NULL;
	return fleet_lives(pid) && find_table(f, pid);
}

void
fleet_start(struct fleet *f, const char *config)
{
	fleet_init(f, config);
	f->started = fleet_launch(f, -1);
	fleet_wait(10000, find_table(f, f->started));
	fleet_wait(10000, fleet_is_ok(f, "router"));
}

int
fleet_exit(struct fleet *f)
{
	int status = 0;
	pid_t pid = 0;
	fleet_wait(10000, (pid = waitpid(f->started, &status, WNOHANG)) != 0);
	ck_assert_int_eq(pid, f->started);
	f->started = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
fleet_end(struct fleet *f)
{
	pid_t keeper = fleet_keeper(f), supervisor = fleet_supervisor(f);
	/* Not nicely: tests of the clean end do that themselves. First both, then nobody starts anybody. */
	if (keeper > 0 && fleet_lives(keeper))
		kill(keeper, SIGSTOP);
	if (supervisor > 0 && fleet_lives(supervisor))
		kill(supervisor, SIGKILL);
	if (keeper > 0 && fleet_lives(keeper))
		kill(keeper, SIGKILL);
	for (unsigned q = 1; f->entries && q < BH_MAX_SLOTS; q++) {
		struct bh_proc_body b;
		if (bh_proc_entry_read(&f->entries[q], &b) > 0 && b.alive && b.pid && fleet_lives((pid_t)b.pid))
			kill((pid_t)b.pid, SIGKILL);
	}
	uint64_t until = fleet_now_ms() + PATIENCE_MS;
	while (waitpid(-1, NULL, WNOHANG) >= 0 && fleet_now_ms() < until)
		fleet_pause();
	bh_close(&f->sock);
	ck_assert_int_eq(scratch_remove(f->dir), 0);
}

struct bh_proc_body
fleet_proc(struct fleet *f, const char *name)
{
	struct bh_proc_body b;
	for (unsigned q = 0; q < BH_MAX_SLOTS; q++)
		if (bh_proc_entry_read(&f->entries[q], &b) > 0 && b.role && !strcmp(b.name, name))
			return b;
	memset(&b, 0, sizeof(b));
	return b;
}

uint32_t
fleet_health(struct fleet *f, const char *name)
{
	struct bh_proc_body b = fleet_proc(f, name);
	return b.role ? b.health.health : BH_HEALTH_COUNT;
}

pid_t
fleet_pid(struct fleet *f, const char *name)
{
	struct bh_proc_body b = fleet_proc(f, name);
	return b.alive ? (pid_t)b.pid : 0;
}

bool
fleet_is_ok(struct fleet *f, const char *name)
{
	struct bh_proc_body b = fleet_proc(f, name);
	return b.role && b.alive && b.health.health == BH_HEALTH_OK; /* of a dead one the last word stands there for a moment */
}

bool
fleet_all_ok(struct fleet *f)
{
	struct bh_proc_body b;
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++)
		if (bh_proc_entry_read(&f->entries[q], &b) > 0 && b.role && (!b.alive || b.health.health != BH_HEALTH_OK))
			return false;
	return true;
}

/* Alive, and not a zombie that waits for its parent. */
bool
fleet_lives(pid_t pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pid <= 0 || fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	char *p = strrchr(text, ')');
	return p && p[1] && p[2] != 'Z' && p[2] != 'X';
}

static unsigned
count(struct fleet *f, const char *program)
{
	char path[300], text[8192], want[100], exe[300];
	unsigned n = 0;
	size_t want_len = (size_t)snprintf(want, sizeof(want), "BULKHEAD_RUNTIME_DIR=%s", f->dir) + 1;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || !fleet_lives(atoi(e->d_name)))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/exe", e->d_name);
		ssize_t len = readlink(path, exe, sizeof(exe) - 1);
		exe[len > 0 ? len : 0] = 0;
		snprintf(path, sizeof(path), "/proc/%.20s/environ", e->d_name);
		bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd < 0 ? -1 : read(fd, text, sizeof(text));
		n += strstr(exe, program) && len > 0 && memmem(text, (size_t)len, want, want_len);
	}
	if (d)
		closedir(d);
	return n;
}

unsigned
fleet_count_children(struct fleet *f)
{
	return count(f, "/bh-child");
}

unsigned
fleet_count_all(struct fleet *f)
{
	return count(f, "/bh-");
}

static void
connect_control(struct fleet *f)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};
	if (f->sock >= 0)
		return;
	f->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(own.sun_path, sizeof(own.sun_path), "%s/test.sock", f->dir);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/child.sock", f->dir);
	ck_assert_int_eq(bind(f->sock, (struct sockaddr *)&own, sizeof(own)), 0);
	fleet_wait(5000, connect(f->sock, (struct sockaddr *)&to, sizeof(to)) == 0);
	struct timeval tv = {.tv_sec = 2 * PATIENCE_MS / 1000};
	setsockopt(f->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static uint16_t
slot_of(struct fleet *f, const char *name)
{
	struct bh_proc_body b;
	for (unsigned q = 0; name && q < BH_MAX_SLOTS; q++)
		if (bh_proc_entry_read(&f->entries[q], &b) > 0 && b.role && !strcmp(b.name, name))
			return (uint16_t)q;
	return BH_SLOT_NONE;
}

int
fleet_ask(struct fleet *f, enum bh_request what, const char *name, int64_t i, const char *arg, char *text, size_t cap)
{
	struct child_ask ask = {.request = what, .number = ++f->asked, .args = {.slot = slot_of(f, name), .v.i = i}};
	struct child_answer a;
	size_t at = 0;
	if (arg) {
		snprintf(ask.args.text, sizeof(ask.args.text), "%s", arg);
		ask.args.text_len = (uint32_t)strlen(ask.args.text);
	}
	connect_control(f);
	ck_assert_int_eq(send(f->sock, &ask, sizeof(ask), 0), sizeof(ask));
	do {
		ssize_t n = recv(f->sock, &a, sizeof(a), 0);
		ck_assert_msg(n == sizeof(a), "request %d was not answered: %s", (int)what, strerror(errno));
		if (a.number != ask.number)
			continue;
		for (size_t k = 0; text && a.text[k] && at + 1 < cap; k++)
			text[at++] = a.text[k];
	} while (a.number != ask.number || a.more);
	if (text)
		text[at] = 0;
	return a.error;
}
