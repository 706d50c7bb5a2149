/*
 * bh-config as the supervisor runs it: what it says about wrong files (tests/golden/config: each NAME.yaml with the NAME.err it
 * must print; BH_GOLDEN=write writes them), and what it hands over for right ones.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/compiled.h"
#include "common/config/table.h"
#include "common/feedback.h"
#include "common/mem.h"
#include "common/records.h"
#include "common/sandbox.h"
#include "common/spawn.h"
#include "procs/config/sandbox.h"
#include "tests/lib/scratch.h"

/* A run of bh-config: exit status and what it wrote. */
struct run {
	int status;
	char *err, *out;
	size_t err_len, out_len;
	struct rusage usage;
};

static char golden[PATH_MAX], program[PATH_MAX];
static char golden_data[64];
static const char *data = golden_data; /* kinds of the golden files, devices of the source; NULL = those of the build */

static void
find_places(void)
{
	const char *src = getenv("BH_SRC"), *bin = getenv("BH_BIN");
	if (!src || !bin) {
		fputs("BH_SRC and BH_BIN say where things are: run by ctest\n", stderr);
		exit(2);
	}
	snprintf(golden, sizeof(golden), "%s/tests/golden/config", src);
	snprintf(program, sizeof(program), "%s/bh-config", bin);
	scratch_dir(golden_data, sizeof(golden_data), "data");
	char link[128], target[2 * PATH_MAX];
	snprintf(link, sizeof(link), "%s/kinds", golden_data);
	snprintf(target, sizeof(target), "%s/data/kinds", golden);
	bool ok = symlink(target, link) == 0;
	snprintf(link, sizeof(link), "%s/devices", golden_data);
	snprintf(target, sizeof(target), "%s/deploy/devices", src);
	if (!ok || symlink(target, link) < 0)
		exit(2);
}

static char *
slurp(int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(fd, text, (size_t)size, 0), size);
	*len = (size_t)size;
	close(fd);
	return text;
}

static struct run
run_in(const char *dir, char *const argv[])
{
	struct run r = {0};
	char err[128], out[128];
	int err_fd = scratch_file(err, sizeof(err), "err", NULL), out_fd = scratch_file(out, sizeof(out), "out", NULL);
	unlink(err);
	unlink(out);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		if (chdir(dir) < 0)
			_exit(125);
		if (data)
			setenv("BULKHEAD_DATA_DIR", data, 1);
		execv(program, argv);
		_exit(126);
	}
	ck_assert_int_eq(wait4(pid, &r.status, 0, &r.usage), pid);
	r.err = slurp(err_fd, &r.err_len);
	r.out = slurp(out_fd, &r.out_len);
	ck_assert_msg(WIFEXITED(r.status), "killed by signal %d: %s", WTERMSIG(r.status), r.err);
	r.status = WEXITSTATUS(r.status);
	return r;
}

#define RUN(...) run_in(golden, (char *const[]){program, __VA_ARGS__, NULL})

static void
run_free(struct run *r)
{
	free(r->err);
	free(r->out);
}

/* ------------------------------------------------------------------ wrong files */

static void
check_golden(const char *name)
{
	char path[PATH_MAX], yaml[NAME_MAX];
	snprintf(yaml, sizeof(yaml), "%s", name);
	struct run r = RUN(yaml);
	*strrchr(yaml, '.') = '\0';
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s.err", golden, yaml), (int)sizeof(path));
	if (getenv("BH_GOLDEN")) {
		FILE *f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fwrite(r.err, 1, r.err_len, f);
		fclose(f);
	}
	int fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	size_t len;
	char *expected = slurp(fd, &len);
	ck_assert_msg(len == r.err_len && memcmp(expected, r.err, len) == 0,
		      "%s: it says\n%s\nand should say\n%s", name, r.err, expected);
	ck_assert_msg(r.status == 5, "%s: exit status %d", name, r.status);
	free(expected);
	run_free(&r);
}

START_TEST(every_wrong_file_is_refused_with_these_words)
{
	struct dirent *e;
	DIR *d = opendir(golden);
	unsigned files = 0;
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);
		if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0 || strncmp(e->d_name, "good", 4) == 0)
			continue;
		check_golden(e->d_name);
		files++;
	}
	closedir(d);
	ck_assert_uint_gt(files, 30);
}
END_TEST

START_TEST(a_file_that_is_too_large_is_refused)
{
	char path[128];
	int fd = scratch_file(path, sizeof(path), "large", NULL);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(dprintf(fd, "%01000d\n", 0), 1001);
	close(fd);
	struct run r = RUN(path);
	ck_assert_int_eq(r.status, 5);
	ck_assert_ptr_nonnull(strstr(r.err, "the file is too large, at most 4 MB"));
	run_free(&r);
	unlink(path);
}
END_TEST

START_TEST(wrong_use_is_not_a_refused_file)
{
	struct run r = RUN("--nonsense");
	ck_assert_int_eq(r.status, 2);
	run_free(&r);
	r = RUN("--out", "x", "good_full.yaml");
	ck_assert_int_eq(r.status, 2);
	run_free(&r);
	r = RUN("no-such-file.yaml");
	ck_assert_int_eq(r.status, 5);
	ck_assert_str_eq(r.err, "no-such-file.yaml: cannot be read: No such file or directory\n");
	run_free(&r);
}
END_TEST

#ifndef BH_UNCONFINED
/* What is left to one that was taken over. Each case of check is a process of its own: this one confines itself. */
START_TEST(a_confined_process_can_read_and_no_more)
{
	ck_assert_int_eq(config_confine(0), 0);
	int fd = open("/etc/passwd", O_RDONLY);
	bool can_read = fd >= 0;
	bool refused_write = open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0 && errno == EPERM;
	bool refused_create = open("/tmp/bh-config-never", O_RDONLY | O_CREAT, 0600) < 0 && errno == EPERM;
	bool refused_socket = socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == ENOSYS;
	bool refused_fork = fork() < 0 && errno == ENOSYS;
	char *argv[] = {program, NULL};
	bool refused_exec = execv(program, argv) < 0 && errno == ENOSYS;
	bool can_make_tables = memfd_create("x", MFD_CLOEXEC) >= 0;
	ck_assert(can_read && can_make_tables);
	ck_assert(refused_write && refused_create && refused_socket && refused_fork && refused_exec);
}
END_TEST

/* While it waits for somebody to write into a pipe, one can look at what it gave up. */
START_TEST(it_is_confined_before_it_reads_the_file)
{
	char path[128], status[64], text[4096] = "";
	scratch_dir(path, sizeof(path), "pipe");
	char fifo[140];
	snprintf(fifo, sizeof(fifo), "%s/x.yaml", path);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = {program, fifo, NULL};
		if (chdir(golden) == 0)
			setenv("BULKHEAD_DATA_DIR", golden_data, 1);
		execv(program, argv);
		_exit(126);
	}
	/* Our open returns when it has opened the other end; it goes on when we close. */
	int fd = open(fifo, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	snprintf(status, sizeof(status), "/proc/%d/status", pid);
	int status_fd = open(status, O_RDONLY);
	ck_assert_int_gt(read(status_fd, text, sizeof(text) - 1), 0);
	close(status_fd);
	ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1"));
	ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2"));
	ck_assert_int_eq(write(fd, "bulkhead: 1\n", 12), 12);
	close(fd);
	int how;
	ck_assert_int_eq(waitpid(pid, &how, 0), pid);
	ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	unlink(fifo);
	rmdir(path);
}
END_TEST
#endif

/* ------------------------------------------------------------------ right ones */

/* What was handed over. */
struct handed {
	struct bh_config c;
	struct bh_options options[BH_MAX_SLOTS];
	int config_fd;
	unsigned fds;
	uint64_t text; /* number of the text that was read */
};

static struct handed
compile(const char *file, int previous_fd)
{
	struct handed h = {.config_fd = -1};
	struct bh_spawn_msg msg;
	int pair[2], fds[BH_SPAWN_FDS];
	char out[16], previous[16], path[PATH_MAX + NAME_MAX + 2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	snprintf(out, sizeof(out), "%d", pair[1]);
	/* Received descriptors are close-on-exec; this one goes on. */
	if (previous_fd >= 0)
		previous_fd = dup(previous_fd);
	snprintf(previous, sizeof(previous), "%d", previous_fd);
	snprintf(path, sizeof(path), "%s", file);
	struct run r = previous_fd >= 0 ? RUN("--previous", previous, "--out", out, path) : RUN("--out", out, path);
	ck_assert_msg(r.status == 0 && (!r.err_len || strstr(r.err, ": warning: ")), "exit status %d: %.3000s", r.status, r.err);
	run_free(&r);
	/* First the text as it was read, then what was made of it. */
	ck_assert_int_eq(bh_spawn_recv(pair[0], &msg, fds, 0), 1);
	ck_assert_uint_eq(msg.type, BH_SPAWN_CONFIG);
	ck_assert_uint_eq(msg.nfds, 1);
	ck_assert_uint_eq(msg.fd[0].role, BH_FD_SOURCE);
	ck_assert_uint_ne(msg.value, 0);
	h.text = msg.value;
	close(fds[0]);
	ck_assert_int_eq(bh_spawn_recv(pair[0], &msg, fds, 0), 1);
	ck_assert_uint_eq(msg.type, BH_SPAWN_CONFIG);
	for (unsigned i = 0; i < msg.nfds; i++) {
		if (msg.fd[i].role == BH_FD_CHANGES) {
			close(fds[i]);
			h.fds--;
			continue;
		}
		struct bh_config *c = msg.fd[i].role == BH_FD_CONFIG ? &h.c : &h.options[msg.fd[i].slot].c;
		ck_assert_int_eq(bh_config_map(c, fds[i]), 0);
		if (msg.fd[i].role == BH_FD_CONFIG)
			h.config_fd = fds[i];
		else
			close(fds[i]);
	}
	h.fds += msg.nfds;
	bh_close(&previous_fd);
	close(pair[0]);
	close(pair[1]);
	return h;
}

static void
handed_free(struct handed *h)
{
	bh_config_unmap(&h->c);
	for (unsigned i = 0; i < BH_MAX_SLOTS; i++)
		bh_config_unmap(&h->options[i].c);
	bh_close(&h->config_fd);
}

static const char *
option(const struct handed *h, uint16_t slot, const char *key)
{
	const struct bh_cfg_option *o = bh_config_option(&h->options[slot].c, key);
	return o ? bh_config_str(&h->options[slot].c, o->text) : NULL;
}

static const struct bh_cfg_binding *
bound(const struct handed *h, uint32_t page, const char *surface, const char *control)
{
	const struct bh_cfg_proc *p = bh_config_find_proc(&h->c, surface);
	int n = bh_config_find_control(&h->c, bh_config_surface(&h->c, p->slot), control);
	ck_assert_msg(n >= 0, "%s", control);
	for (uint32_t i = 0; i < bh_config_count(&h->c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(&h->c, BH_TAB_BINDINGS, i);
		if (b->page == page && b->surface == p->slot && b->control == n)
			return b;
	}
	ck_abort_msg("%s/%s is not bound on page %u", surface, control, page);
	return NULL;
}

START_TEST(a_file_with_nothing_in_it_runs_the_fixed_processes)
{
	struct handed h = compile("good_minimal.yaml", -1);
	ck_assert_uint_eq(bh_config_count(&h.c, BH_TAB_PROCS), 4);
	ck_assert_uint_eq(bh_config_count(&h.c, BH_TAB_PAGES), 1);
	ck_assert_uint_eq(bh_config_proc(&h.c, BH_SLOT_ROUTER)->role, BH_ROLE_ROUTER);
	ck_assert_uint_eq(bh_config_find_proc(&h.c, "store")->slot, BH_SLOT_STORE);
	ck_assert_str_eq(option(&h, BH_SLOT_STORE, "delay_ms"), "500ms");
	handed_free(&h);
}
END_TEST

START_TEST(processes_come_out_as_written)
{
	struct handed h = compile("good_full.yaml", -1);
	static const struct {
		const char *name, *kind;
		uint16_t slot;
		enum bh_role role;
		uint32_t record_base, records;
	} expected[] = {
		{"desk", "surface", 4, BH_ROLE_SURFACE, BH_REC_FIRST, 256},
		{"ext", "surface", 5, BH_ROLE_SURFACE, BH_REC_FIRST + 256, 256},
		{"loop", "loop", 6, BH_ROLE_DRIVER, BH_REC_FIRST + 512, 256},
		{"lamp", "lamp", 7, BH_ROLE_DRIVER, BH_REC_FIRST + 768, 8},
	};
	ck_assert_uint_eq(bh_config_count(&h.c, BH_TAB_PROCS), 8);
	ck_assert_uint_eq(h.fds, 9);
	for (size_t i = 0; i < BH_ARRAY_LEN(expected); i++) {
		const struct bh_cfg_proc *p = bh_config_find_proc(&h.c, expected[i].name);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->slot, expected[i].slot);
		ck_assert_uint_eq(p->role, expected[i].role);
		ck_assert_str_eq(bh_config_str(&h.c, p->kind), expected[i].kind);
		ck_assert_uint_eq(p->record_base, expected[i].record_base);
		ck_assert_uint_eq(p->records, expected[i].records);
		ck_assert_uint_ne(p->place.line, 0);
	}
	const struct bh_cfg_proc *lamp = bh_config_find_proc(&h.c, "lamp");
	ck_assert_uint_eq(lamp->autostart, 0);
	ck_assert_uint_eq(lamp->params, 8);
	ck_assert_uint_eq(lamp->hang_ms, 500);
	ck_assert_uint_eq(lamp->max_age_ms, 250);
	ck_assert_uint_eq(bh_config_find_proc(&h.c, "ext")->ring_slots, 256);
	ck_assert_ptr_nonnull(strstr(bh_config_str(&h.c, lamp->binary), "/bh-lamp"));
	handed_free(&h);
}
END_TEST

START_TEST(each_process_gets_its_own_options_and_no_others)
{
	struct handed h = compile("good_full.yaml", -1);
	char path[PATH_MAX + 16];
	ck_assert_str_eq(option(&h, 6, "channels"), "16");
	ck_assert_str_eq(option(&h, 6, "meter_ms"), "0.1s");
	ck_assert_str_eq(option(&h, 6, "meters"), "yes");
	ck_assert_ptr_null(option(&h, 6, "password"));
	ck_assert_str_eq(option(&h, 7, "password"), "s3cret: yes");
	ck_assert_str_eq(option(&h, 7, "ports"), "2");
	ck_assert_str_eq(option(&h, 7, "ports[0].name"), "desk light");
	ck_assert_str_eq(option(&h, 7, "ports[0].mode"), "soft");
	ck_assert_str_eq(option(&h, 7, "ports[1].name"), "on");
	ck_assert_str_eq(option(&h, 7, "ports[1].channel"), "2");
	snprintf(path, sizeof(path), "%s/lamp.log", golden);
	ck_assert_str_eq(option(&h, 7, "log"), path);
	/* The device's own default, before that of the table, behind the user's. */
	ck_assert_str_eq(option(&h, 4, "card"), "X-Touch");
	ck_assert_str_eq(option(&h, 4, "fader_max"), "16380");
	ck_assert_str_eq(option(&h, 4, "meters"), "off");
	ck_assert_uint_eq(bh_config_option(&h.options[4].c, "fader_max")->place.line, 0);
	ck_assert_uint_eq(bh_config_option(&h.options[4].c, "meters")->place.line, 6);
	/* Nobody else's memory holds the password. */
	for (unsigned i = 0; i < BH_MAX_SLOTS; i++)
		if (h.options[i].c.head && i != 7)
			ck_assert_ptr_null(memmem(h.options[i].c.head, h.options[i].c.size, "s3cret", 6));
	ck_assert_ptr_null(memmem(h.c.head, h.c.size, "s3cret", 6));
	handed_free(&h);
}
END_TEST

START_TEST(a_process_reads_its_options_by_its_table)
{
	struct port {
		char *name;
		uint32_t channel, mode;
	};
	struct lamp {
		char *host, *log;
		uint16_t port;
		double gain;
		uint64_t buffer;
		struct bh_cfg_list ports;
	} cfg;
	static const char *const modes[] = {"soft", "hard", NULL};
	static const struct bh_cfg_field ports[] = {
		BH_CFG(struct port, name, .type = BH_CFG_STR), BH_CFG(struct port, channel, .type = BH_CFG_U32),
		BH_CFG(struct port, mode, .type = BH_CFG_ENUM, .choices = modes), BH_CFG_LAST};
	static const struct bh_cfg_field fields[] = {
		BH_CFG(struct lamp, host, .type = BH_CFG_STR),
		BH_CFG(struct lamp, log, .type = BH_CFG_PATH),
		BH_CFG(struct lamp, port, .type = BH_CFG_PORT),
		BH_CFG(struct lamp, gain, .type = BH_CFG_FLOAT, .unit = "dB"),
		BH_CFG(struct lamp, buffer, .type = BH_CFG_BYTES),
		BH_CFG(struct lamp, ports, .type = BH_CFG_LIST, .sub = ports, .sub_size = sizeof(struct port)),
		BH_CFG_LAST,
	};
	struct handed h = compile("good_full.yaml", -1);
	void *image;
	char err[128];
	ck_assert_msg(bh_cfg_load(&h.options[7], fields, &cfg, sizeof(cfg), &image, err, sizeof(err)) == 0, "%s", err);
	ck_assert_str_eq(cfg.host, "lamp.local");
	ck_assert_uint_eq(cfg.port, 7001);
	ck_assert_double_eq(cfg.gain, -6.5);
	ck_assert_uint_eq(cfg.buffer, 1u << 20);
	ck_assert_uint_eq(cfg.ports.count, 2);
	const struct port *p = cfg.ports.items;
	ck_assert_uint_eq(p[1].mode, 1);
	ck_assert_uint_eq(p[1].channel, 2);
	free(image);
	handed_free(&h);
}
END_TEST

START_TEST(bindings_come_out_as_written)
{
	struct handed h = compile("good_full.yaml", -1);
	const struct bh_config *c = &h.c;
	const struct bh_cfg_binding *b = bound(&h, 0, "desk", "fader2");
	ck_assert_uint_eq(b->kind, BH_BIND_VALUE);
	ck_assert_uint_eq(b->driver, 6);
	ck_assert_str_eq(bh_config_str(c, b->target), "ch2/level");
	ck_assert_uint_eq(b->flags, BH_BINDF_HAS_RANGE);
	ck_assert_double_eq(b->min, -20);
	ck_assert_double_eq(b->max, 5.5);
	ck_assert_uint_eq(b->taper, BH_TAPER_LINEAR);
	ck_assert_str_eq(bh_config_str(c, b->label), "second");
	ck_assert_uint_eq(b->place.line, 34);
	b = bound(&h, 0, "desk", "vpot1");
	ck_assert_uint_eq(b->kind, BH_BIND_RELATIVE);
	ck_assert_uint_eq(b->ring, BH_RING_PAN);
	ck_assert_uint_eq(b->flags, BH_BINDF_HAS_STEP | BH_BINDF_INVERT | BH_BINDF_HAS_RING);
	ck_assert_uint_eq(b->taper, 0xff);
	b = bound(&h, 0, "desk", "stop");
	ck_assert_uint_eq(b->kind, BH_BIND_ACTION);
	ck_assert_uint_eq(b->action, 0);
	ck_assert_uint_eq(b->args_len, 5);
	ck_assert_str_eq(bh_config_str(c, b->args), "stop");
	b = bound(&h, 0, "desk", "f3");
	ck_assert_uint_eq(b->action, 3);
	ck_assert_int_eq(memcmp(bh_config_str(c, b->args), "slow\0" "50", b->args_len), 0);
	b = bound(&h, 0, "desk", "strip1");
	ck_assert_uint_eq(b->kind, BH_BIND_STRIP);
	ck_assert_str_eq(bh_config_str(c, b->text), "Größe");
	ck_assert_uint_eq(b->color, 1);
	b = bound(&h, 0, "desk", "strip2");
	ck_assert_uint_eq(b->driver, BH_SLOT_NONE);
	ck_assert_uint_eq(bound(&h, 0, "desk", "timecode")->flags, BH_BINDF_SHOW_PAGE);
	ck_assert_uint_eq(bound(&h, 0, "desk", "jog")->kind, BH_BIND_RELATIVE);
	ck_assert_uint_eq(bound(&h, 0, "desk", "meter1")->kind, BH_BIND_METER);
	ck_assert_uint_eq(bound(&h, 0, "desk", "solo_led")->kind, BH_BIND_LIGHT);
	ck_assert_uint_eq(bound(&h, 0, "desk", "record")->flags, BH_BINDF_FLASH);
	ck_assert_uint_eq(bound(&h, 0, "ext", "fader1")->driver, 7);
	/* The same again by an alias. */
	ck_assert_str_eq(bh_config_str(c, bound(&h, 1, "desk", "fader2")->label), "second");
	b = bound(&h, BH_PAGE_GLOBAL, "desk", "f1");
	ck_assert_uint_eq(b->driver, BH_DRIVER_PAGE);
	ck_assert_uint_eq(b->action, BH_PAGE_GO);
	ck_assert_str_eq(bh_config_str(c, b->target), "go");
	ck_assert_str_eq(bh_config_str(c, b->args), "Kopie");
	ck_assert_uint_eq(bound(&h, BH_PAGE_GLOBAL, "desk", "bank_left")->action, BH_PAGE_PREVIOUS);
	handed_free(&h);
}
END_TEST

START_TEST(bindings_are_sorted_by_page_surface_and_control)
{
	struct handed h = compile("good_full.yaml", -1);
	uint64_t before = 0;
	for (uint32_t i = 0; i < bh_config_count(&h.c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(&h.c, BH_TAB_BINDINGS, i);
		uint64_t now = (uint64_t)b->page << 48 | (uint64_t)b->layer << 32 | (uint64_t)b->surface << 16 | b->control;
		ck_assert(!i || now > before);
		before = now;
	}
	const struct bh_cfg_page *p = bh_config_row(&h.c, BH_TAB_PAGES, 1);
	ck_assert_str_eq(bh_config_str(&h.c, p->name), "Kopie");
	ck_assert_uint_eq(p->first, p->count);
	handed_free(&h);
}
END_TEST

START_TEST(controls_come_from_the_device)
{
	struct handed h = compile("good_full.yaml", -1);
	const struct bh_cfg_surface *s = bh_config_surface(&h.c, 4);
	ck_assert_str_eq(bh_config_str(&h.c, s->device), "x-touch");
	ck_assert_uint_eq(s->strips, 8);
	const struct bh_cfg_control *f8 = bh_config_control(&h.c, s, (uint32_t)bh_config_find_control(&h.c, s, "fader8"));
	ck_assert_uint_eq(f8->kind, BH_CTL_FADER);
	ck_assert_uint_eq(f8->addr, 7);
	ck_assert_uint_eq(f8->touch, 0x6f);
	ck_assert_uint_eq(f8->strip, 7);
	ck_assert_uint_eq(f8->flags, BH_CTL_HAS_TOUCH | BH_CTL_HAS_MOTOR);
	const struct bh_cfg_control *main_fader =
		bh_config_control(&h.c, s, (uint32_t)bh_config_find_control(&h.c, s, "fader_main"));
	ck_assert_uint_eq(main_fader->strip, 0xff);
	const struct bh_cfg_control *play = bh_config_control(&h.c, s, (uint32_t)bh_config_find_control(&h.c, s, "play"));
	ck_assert_uint_eq(play->addr, 0x5e);
	ck_assert_uint_eq(play->flags, BH_CTL_HAS_LED);
	handed_free(&h);
}
END_TEST

static struct handed
compile_text(const char *text, int previous_fd)
{
	char path[128];
	int fd = scratch_file(path, sizeof(path), "text", NULL);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	struct handed h = compile(path, previous_fd);
	unlink(path);
	return h;
}

/* ------------------------------------------------------------------ parts, layers, banks */

static const struct bh_cfg_binding *
part(const struct handed *h, uint32_t page, const char *layer, const char *control, enum bh_part part, unsigned nth)
{
	const struct bh_config *c = &h->c;
	const char *slash = strchr(control, '/');
	char surface[32];
	snprintf(surface, sizeof(surface), "%.*s", (int)(slash - control), control);
	const struct bh_cfg_proc *p = bh_config_find_proc(c, surface);
	int n = bh_config_find_control(c, bh_config_surface(c, p->slot), slash + 1);
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(c, BH_TAB_BINDINGS, i);
		const struct bh_cfg_room *r = b->layer ? bh_config_row(c, BH_TAB_ROOM, b->layer - 1u) : NULL;
		const char *name = r ? bh_config_str(c, r->name) + strlen("layer/") : "";
		if (b->page == page && b->surface == p->slot && b->control == n && b->part == part && strcmp(name, layer) == 0 &&
		    nth-- == 0)
			return b;
	}
	return NULL;
}

static const struct bh_cfg_room *
room(const struct handed *h, const char *name)
{
	for (uint32_t i = 0; i < bh_config_count(&h->c, BH_TAB_ROOM); i++) {
		const struct bh_cfg_room *r = bh_config_row(&h->c, BH_TAB_ROOM, i);
		if (strcmp(bh_config_str(&h->c, r->name), name) == 0)
			return r;
	}
	ck_abort_msg("room/%s is missing", name);
	return NULL;
}

static const struct bh_cfg_step *
step(const struct handed *h, uint32_t first, uint32_t n)
{
	return bh_config_row(&h->c, BH_TAB_STEPS, first + n);
}

#define STR(off) bh_config_str(&h.c, off)

START_TEST(each_part_of_a_control_is_a_row)
{
	struct handed h = compile("good_everything.yaml", -1);
	uint16_t mix = bh_config_find_proc(&h.c, "mix")->slot;
	const struct bh_cfg_binding *b = part(&h, 0, "", "desk/rec1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_ACTION);
	ck_assert_uint_eq(b->flags, BH_BINDF_VARS);
	ck_assert_uint_eq(b->steps, 3);
	ck_assert_uint_eq(step(&h, b->step_first, 0)->kind, BH_STEP_SET);
	ck_assert_double_eq(step(&h, b->step_first, 0)->to.num, 1);
	ck_assert_uint_eq(step(&h, b->step_first, 1)->delay_ms, 300);
	ck_assert_uint_eq(step(&h, b->step_first, 1)->when.op, BH_COND_GT);
	ck_assert_double_eq(step(&h, b->step_first, 1)->when.with.num, -10);
	ck_assert_uint_eq(step(&h, b->step_first, 1)->when.driver, mix);
	ck_assert_uint_eq(step(&h, b->step_first, 2)->flags, BH_STEPF_RELEASE);
	/* Lights in the order in which they are written. */
	b = part(&h, 0, "", "desk/rec1", BH_PART_LIGHT, 0);
	ck_assert_uint_eq(b->light_on, BH_LIGHT_FLASH);
	ck_assert_uint_eq(b->when.op, BH_COND_EQ);
	ck_assert_str_eq(STR(b->when.with.text), "Opening");
	ck_assert_uint_eq(b->place.line, 43);
	b = part(&h, 0, "", "desk/rec1", BH_PART_LIGHT, 1);
	ck_assert_uint_eq(b->light_on, BH_LIGHT_ON);
	ck_assert_uint_eq(b->when.op, BH_COND_OFF);
	ck_assert_ptr_null(part(&h, 0, "", "desk/rec1", BH_PART_LIGHT, 2));
	b = part(&h, 0, "", "desk/rec1", BH_PART_HOLD, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_ACTION);
	ck_assert_uint_eq(b->ms, 750);
	ck_assert_str_eq(STR(b->args), "x");
	ck_assert_uint_eq(b->place.line, 44);
	b = part(&h, 0, "", "desk/rec1", BH_PART_DOUBLE, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_TOGGLE);
	ck_assert_uint_eq(b->ms, 400);
	/* All of an entry stands together, its parts in their order. */
	for (uint32_t i = 1; i < bh_config_count(&h.c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *x = bh_config_row(&h.c, BH_TAB_BINDINGS, i - 1), *y = bh_config_row(&h.c, BH_TAB_BINDINGS, i);
		bool is_same = x->page == y->page && x->layer == y->layer && x->surface == y->surface && x->control == y->control;
		ck_assert(!is_same || x->part <= y->part);
		ck_assert(is_same || y->part == BH_PART_MAIN);
	}
	/* Where only the long press does something the short one does nothing. */
	b = part(&h, 0, "", "desk/rec3", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_DO);
	ck_assert_uint_eq(b->steps, 0);
	ck_assert_uint_eq(part(&h, 0, "", "desk/rec3", BH_PART_HOLD, 0)->ms, 500);
	handed_free(&h);
}
END_TEST

START_TEST(each_key_of_a_binding_comes_out)
{
	struct handed h = compile("good_everything.yaml", -1);
	const struct bh_cfg_binding *b = part(&h, 0, "", "desk/fader1", BH_PART_MAIN, 0);
	ck_assert_double_eq(b->curve, 2);
	ck_assert_uint_eq(b->flags, BH_BINDF_HAS_RANGE | BH_BINDF_PICKUP);
	ck_assert_double_eq(b->min, -60);
	b = part(&h, 0, "", "desk/vpot1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->flags, BH_BINDF_HAS_STEP | BH_BINDF_ACCEL | BH_BINDF_HAS_RING);
	ck_assert_double_eq(b->fine, 0.1);
	ck_assert_uint_eq(part(&h, 0, "", "desk/vpot1", BH_PART_LIGHT, 0)->light_on, BH_LIGHT_OFF);
	ck_assert_uint_eq(part(&h, 0, "", "desk/vpot1", BH_PART_LIGHT, 1)->ring, BH_RING_WRAP);
	b = part(&h, 0, "", "desk/mute1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_TOGGLE);
	ck_assert_double_eq(b->on.num, 1);
	ck_assert_uint_eq(b->off.type, BH_FLOAT);
	ck_assert_uint_eq(part(&h, 0, "", "desk/solo1", BH_PART_MAIN, 0)->on.type, BH_NONE);
	b = part(&h, 0, "", "desk/select1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->kind, BH_BIND_RADIO);
	ck_assert_str_eq(STR(b->on.text), "Opening");
	b = part(&h, 0, "", "desk/select2", BH_PART_MAIN, 0);
	ck_assert_int_eq(memcmp(STR(b->choices), "Talk\0Closing", b->choices_len), 0);
	ck_assert_uint_eq(part(&h, 0, "", "desk/rec2", BH_PART_MAIN, 0)->steps, 2);
	b = part(&h, 0, "", "desk/strip1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->flags, BH_BINDF_NAME_LOWER | BH_BINDF_NO_OVERLAY | BH_BINDF_SCROLL);
	ck_assert_uint_eq(part(&h, 0, "", "desk/strip1", BH_PART_LIGHT, 0)->color, 4);
	b = part(&h, 0, "", "desk/strip2", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->flags, BH_BINDF_TEXT_LOWER);
	ck_assert_str_eq(STR(b->text), "Cam 2\nleft");
	ck_assert_uint_eq(part(&h, 0, "", "desk/timecode", BH_PART_MAIN, 0)->flags, BH_BINDF_TIMECODE);
	b = part(&h, 0, "", "desk/assign", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->effect, BH_FX_BLINK);
	ck_assert_uint_eq(b->ms, 500);
	b = part(&h, BH_PAGE_GLOBAL, "", "desk/timecode", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->flags, BH_BINDF_SHOW_TIME);
	ck_assert_uint_eq(b->effect, BH_FX_MARQUEE);
	b = part(&h, 0, "", "desk/solo_led", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->flags, BH_BINDF_FLASH | BH_BINDF_INVERT);
	ck_assert_uint_eq(b->light_on, BH_LIGHT_FLASH);
	ck_assert_uint_eq(part(&h, 0, "", "desk/smpte_led", BH_PART_LIGHT, 0)->when.op, BH_COND_OFF);
	handed_free(&h);
}
END_TEST

START_TEST(the_room_has_its_parameters_in_their_order)
{
	struct handed h = compile("good_everything.yaml", -1);
	static const char *const order[] = {"page", "page/second", "quiet", "layer/fine", "layer/shift", "layer/option",
					    "bank/inputs", "bank/scenes", "var/camera", "var/title", "var/note", "edge/onair"};
	uint32_t count = bh_config_count(&h.c, BH_TAB_ROOM);
	for (uint32_t i = 0; i < BH_ARRAY_LEN(order); i++)
		ck_assert_str_eq(STR(((const struct bh_cfg_room *)bh_config_row(&h.c, BH_TAB_ROOM, i))->name), order[i]);
	/* Three more reactions, and the macros that run. */
	ck_assert_uint_eq(count, BH_ARRAY_LEN(order) + 3 + BH_ROOM_RUNS);
	const struct bh_cfg_room *last = bh_config_row(&h.c, BH_TAB_ROOM, count - 1);
	ck_assert_uint_eq(last->kind, BH_ROOM_RUN);
	const struct bh_cfg_proc *router = bh_config_proc(&h.c, BH_SLOT_ROUTER);
	ck_assert_uint_ge(router->records, count);
	ck_assert_uint_ge(router->record_base, BH_REC_FIRST + 5 * 256);
	ck_assert_uint_eq(room(&h, "page")->count, 3);
	ck_assert_int_eq(memcmp(STR(room(&h, "page")->choices), "Mix\0Talk\0Banks", room(&h, "page")->choices_len), 0);
	ck_assert_uint_eq(room(&h, "var/camera")->type, BH_ENUM);
	ck_assert_double_eq(room(&h, "var/camera")->def.num, 1);
	ck_assert_uint_eq(room(&h, "var/title")->type, BH_TEXT);
	ck_assert_str_eq(STR(room(&h, "var/title")->def.text), "Größe");
	ck_assert_uint_eq(bh_config_surface(&h.c, bh_config_find_proc(&h.c, "desk")->slot)->page_room, 0);
	ck_assert_uint_eq(bh_config_surface(&h.c, bh_config_find_proc(&h.c, "desk2")->slot)->page_room, 1);
	const struct bh_cfg_binding *b = part(&h, 0, "", "desk/shift", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->driver, BH_SLOT_ROUTER);
	ck_assert_str_eq(STR(b->target), "layer/shift");
	b = part(&h, 0, "", "desk/f1", BH_PART_MAIN, 0);
	ck_assert_double_eq(b->on.num, 1);
	/* A layer's own, and that of all pages. */
	ck_assert_uint_eq(part(&h, 0, "shift", "desk/f1", BH_PART_MAIN, 0)->action, BH_PAGE_BACK);
	ck_assert_str_eq(STR(part(&h, 0, "option", "desk/f1", BH_PART_MAIN, 0)->target), "quiet");
	ck_assert_uint_eq(part(&h, BH_PAGE_GLOBAL, "shift", "desk/bank_left", BH_PART_MAIN, 0)->action, BH_PAGE_PREVIOUS);
	handed_free(&h);
}
END_TEST

START_TEST(a_bank_stands_on_each_of_its_strips)
{
	struct handed h = compile("good_everything.yaml", -1);
	const struct bh_cfg_bank *bank = bh_config_row(&h.c, BH_TAB_BANKS, 0);
	ck_assert_str_eq(STR(bank->name), "inputs");
	ck_assert_str_eq(STR(bank->before), "input/");
	ck_assert_str_eq(STR(bank->after), "/volume");
	ck_assert_uint_eq(bank->driver, bh_config_find_proc(&h.c, "loop")->slot);
	ck_assert_uint_eq(bank->places, 16);
	ck_assert_uint_eq(bank->flags, BH_BANKF_BY_NAME);
	ck_assert_uint_eq(bank->pins_len, 16 + strlen("Music") + strlen("Mic 2"));
	ck_assert_str_eq(STR(bank->pins + 7), "Music");
	const struct bh_cfg_room *row = bh_config_row(&h.c, BH_TAB_ROOM, bank->room);
	ck_assert_str_eq(STR(row->name), "bank/inputs");
	/* The ninth place is the first strip of the second surface. */
	const struct bh_cfg_binding *b = part(&h, 1, "", "ext/fader1", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->bank, 1);
	ck_assert_uint_eq(b->bank_pos, 8);
	ck_assert_str_eq(STR(b->target), "input/{}/volume");
	b = part(&h, 1, "", "ext/select8", BH_PART_LIGHT, 0);
	ck_assert_uint_eq(b->bank_pos, 15);
	ck_assert_str_eq(STR(b->when.with.text), "{}");
	ck_assert_ptr_null(part(&h, 0, "", "ext/fader1", BH_PART_MAIN, 0));
	b = part(&h, 2, "", "desk2/rec2", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->bank, 2);
	bank = bh_config_row(&h.c, BH_TAB_BANKS, 1);
	ck_assert_uint_eq(bank->driver, BH_SLOT_NONE);
	ck_assert_int_eq(memcmp(STR(bank->items), "Opening\0Talk\0Closing", bank->items_len), 0);
	ck_assert_uint_eq(bank->max, 3);
	b = part(&h, BH_PAGE_GLOBAL, "", "desk/bank_right", BH_PART_MAIN, 0);
	ck_assert_uint_eq(b->action, BH_BANK_NEXT);
	ck_assert_str_eq(STR(b->args), "inputs");
	ck_assert_uint_eq(((const struct bh_cfg_page *)bh_config_row(&h.c, BH_TAB_PAGES, 1))->inherit, 1);
	handed_free(&h);
}
END_TEST

static uint32_t
edge_of(const struct handed *h, const char *when, uint32_t nth)
{
	for (uint32_t i = 0; i < bh_config_count(&h->c, BH_TAB_REACTIONS); i++) {
		const struct bh_cfg_reaction *r = bh_config_row(&h->c, BH_TAB_REACTIONS, i);
		if (strcmp(bh_config_str(&h->c, r->when.target), when) == 0 && nth-- == 0)
			return r->room;
	}
	ck_abort_msg("there is no reaction to %s", when);
	return 0;
}

START_TEST(a_reaction_keeps_its_memory_when_others_come_and_go)
{
	static const char before[] = "bulkhead: 1\ndrivers: { loop: {} }\nreactions:\n"
				     "  - { when: loop/a, do: [{ toggle: loop/x }] }\n"
				     "  - { when: loop/b, do: [{ toggle: loop/x }] }\n"
				     "  - { when: loop/b, do: [{ toggle: loop/y }] }\n";
	static const char after[] = "bulkhead: 1\ndrivers: { loop: {} }\nlayers: [shift]\nreactions:\n"
				    "  - { when: loop/c, do: [{ toggle: loop/x }] }\n"
				    "  - { when: loop/b, do: [{ toggle: loop/z }] }\n"
				    "  - { when: loop/b, do: [{ toggle: loop/y }] }\n"
				    "  - { name: mine, when: changes loop/a, do: [{ toggle: loop/x }] }\n"
				    "pages: [{ name: A, reactions: [{ when: loop/b, do: [{ toggle: loop/x }] }] }]\n";
	struct handed a = compile_text(before, -1), b = compile_text(after, a.config_fd);
	const struct bh_cfg_room *was, *is;
	for (uint32_t n = 0; n < 2; n++) {
		was = bh_config_row(&a.c, BH_TAB_ROOM, edge_of(&a, "b", n));
		is = bh_config_row(&b.c, BH_TAB_ROOM, edge_of(&b, "b", n));
		ck_assert_str_eq(bh_config_str(&a.c, was->name), bh_config_str(&b.c, is->name));
	}
	is = bh_config_row(&b.c, BH_TAB_ROOM, edge_of(&b, "b", 2));
	ck_assert_str_ne(bh_config_str(&a.c, was->name), bh_config_str(&b.c, is->name));
	is = bh_config_row(&b.c, BH_TAB_ROOM, edge_of(&b, "a", 0));
	ck_assert_str_eq(bh_config_str(&b.c, is->name), "edge/mine");
	ck_assert_uint_eq(((const struct bh_cfg_reaction *)bh_config_row(&b.c, BH_TAB_REACTIONS, 3))->page, BH_PAGE_GLOBAL);
	ck_assert_uint_eq(((const struct bh_cfg_reaction *)bh_config_row(&b.c, BH_TAB_REACTIONS, 4))->page, 0);
	/* A row more does not move the router's records. */
	ck_assert_uint_eq(bh_config_proc(&a.c, BH_SLOT_ROUTER)->record_base, bh_config_proc(&b.c, BH_SLOT_ROUTER)->record_base);
	handed_free(&a);
	handed_free(&b);
}
END_TEST

START_TEST(what_is_hardly_meant_is_a_warning)
{
	struct run r = RUN("good_warnings.yaml");
	ck_assert_int_eq(r.status, 0);
	ck_assert_str_eq(r.err,
			 "good_warnings.yaml:4:17: warning: layers: nothing switches the layer \"option\" on: write momentary: "
			 "room/layer/option for a key\n"
			 "    layers: [shift, option]\n                    ^\n"
			 "good_warnings.yaml:11:5: warning: pages: no control leads to the page \"Talk\" (and 1 more): write action: page/next "
			 "for a key, or page/go with its name\n"
			 "      - name: Talk\n        ^\n");
	run_free(&r);
}
END_TEST

START_TEST(a_path_may_begin_with_a_place)
{
	static const char text[] = "bulkhead: 1\nsurfaces: { a: { device: x-touch, path: $runtime/desk.sock } }\n"
				   "drivers: { b: { kind: lamp, host: h, log: ~/b.log }, c: { kind: lamp, host: h, log: /c.log } }\n";
	setenv("BULKHEAD_RUNTIME_DIR", "/tmp", 1);
	setenv("HOME", "/home/me", 1);
	struct handed h = compile_text(text, -1);
	ck_assert_str_eq(option(&h, 4, "path"), "/tmp/desk.sock");
	ck_assert_str_eq(option(&h, 5, "log"), "/home/me/b.log");
	ck_assert_str_eq(option(&h, 6, "log"), "/c.log");
	handed_free(&h);
}
END_TEST

START_TEST(every_example_compiles)
{
	char folder[PATH_MAX];
	struct dirent *e;
	unsigned files = 0;
	data = NULL;
	snprintf(folder, sizeof(folder), "%s/deploy/examples", getenv("BH_SRC"));
	DIR *d = opendir(folder);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		char path[PATH_MAX + NAME_MAX + 2];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		struct handed h = compile(path, -1);
		ck_assert_uint_gt(bh_config_count(&h.c, BH_TAB_BINDINGS), 0);
		handed_free(&h);
		files++;
	}
	closedir(d);
	ck_assert_uint_gt(files, 0);
}
END_TEST

/* What a block of YAML from a page of the documentation is. */
enum doc_block { DOC_CONFIG, DOC_BINDINGS, DOC_PART };

static bool
begins_with_one_of(const char *text, const char *const *keys)
{
	for (; *keys; keys++)
		if (!strncmp(text, *keys, strlen(*keys)) && text[strlen(*keys)] == ':')
			return true;
	return false;
}

static enum doc_block
kind_of_block(const char *text)
{
	static const char *const top[] = {"bulkhead", "drivers", "pages", "surfaces", "banks", "supervisor", NULL};
	static const char *const inner[] = {"routes", "surfaces", NULL}; /* of a driver that stands elsewhere; in a list */
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (begins_with_one_of(line, top))
			return DOC_CONFIG;
	return begins_with_one_of(text + strspn(text, " "), inner) ? DOC_PART : DOC_BINDINGS;
}

/* What a page leaves out for brevity is put in front. */
static void
write_block(FILE *f, const char *text, enum doc_block kind)
{
	bh_autofree char *padded = NULL;
	ck_assert_int_gt(asprintf(&padded, "\n%s", text), 0);
	if (!strstr(padded, "\nbulkhead:"))
		fputs("bulkhead: 1\n", f);
	if (!strstr(padded, "\nsurfaces:"))
		fputs("surfaces: { desk: { device: x-touch } }\n", f);
	if (!strstr(padded, "\ndrivers:") && (strstr(padded, "obs/") || strstr(padded, "loop/")))
		fprintf(f, "drivers: { %s: {} }\n", strstr(padded, "obs/") ? "obs" : "loop");
	if (kind == DOC_CONFIG) {
		fputs(text, f);
		return;
	}
	fputs("pages:\n  - name: Page\n    bindings:\n", f);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		fprintf(f, "      %.*s\n", (int)strcspn(line, "\n"), line);
		if (!strchr(line, '\n'))
			break;
	}
}

/* `is_yaml`: it says so; else it may be anything, and is taken for one only if it is a whole configuration. */
static bool
compile_block(const char *page, const char *block, size_t len, bool is_yaml)
{
	char path[128];
	bh_autofree char *text = strndup(block, len);
	ck_assert_ptr_nonnull(text);
	enum doc_block kind = kind_of_block(text);
	if (kind == DOC_PART || (kind == DOC_BINDINGS && !is_yaml))
		return false;
	FILE *f = fdopen(scratch_file(path, sizeof(path), "doc", NULL), "w");
	write_block(f, text, kind);
	fclose(f);
	struct run r = RUN(path);
	ck_assert_msg(r.status == 0, "%s:\n%s\n%s", page, text, r.err);
	run_free(&r);
	unlink(path);
	return true;
}

START_TEST(every_configuration_in_the_documentation_compiles)
{
	unsigned blocks = 0;
	char command[PATH_MAX + 64], page[PATH_MAX];
	data = NULL;
	snprintf(command, sizeof(command), "grep -rlE --include=*.md --include=*.scd '^```' '%.3000s' --exclude-dir=build", getenv("BH_SRC"));
	FILE *pages = popen(command, "r");
	ck_assert_ptr_nonnull(pages);
	while (fgets(page, sizeof(page), pages)) {
		size_t len;
		page[strcspn(page, "\n")] = '\0';
		int fd = open(page, O_RDONLY);
		ck_assert_int_ge(fd, 0);
		char *text = slurp(fd, &len);
		for (char *p = text, *end; (p = strstr(p, "```")); p = end) {
			char *block = strchr(p, '\n') + 1;
			end = strstr(block, "```");
			ck_assert_msg(end != NULL, "%s: a block without an end", page);
			bool is_yaml = strncmp(p, "```yaml\n", 8) == 0;
			if (is_yaml || strncmp(p, "```\n", 4) == 0)
				blocks += compile_block(page, block, (size_t)(end - block), is_yaml);
			end += 3;
		}
		free(text);
	}
	pclose(pages);
	ck_assert_uint_gt(blocks, 1);
}
END_TEST

/* ------------------------------------------------------------------ devices */

static struct run
check_device(const char *device, const char *options)
{
	char dir[64], path[PATH_MAX], target[PATH_MAX + 16];
	scratch_dir(dir, sizeof(dir), "device");
	snprintf(target, sizeof(target), "%s/data/kinds", golden);
	snprintf(path, sizeof(path), "%s/kinds", dir);
	ck_assert_int_eq(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/devices", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/devices/mine.yaml", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(device, f);
	fclose(f);
	snprintf(target, sizeof(target), "%s/x.yaml", dir);
	f = fopen(target, "w");
	fprintf(f, "bulkhead: 1\nsurfaces: { desk: { device: mine %s } }\n"
		   "pages: [{ name: A, bindings: { knob3: loop/x } }]\ndrivers: { loop: {} }\n", options);
	fclose(f);
	data = dir;
	struct run r = RUN(target);
	data = golden_data;
	/* Names of temporary folders are of no interest. */
	for (char *p; (p = strstr(r.err, dir));)
		memmove(p, p + strlen(dir) + 1, strlen(p + strlen(dir) + 1) + 1);
	scratch_remove(dir);
	return r;
}

START_TEST(a_device_of_ones_own_is_a_file)
{
	struct run r = check_device("device: mine\noptions: { fader_max: 1023 }\ncontrols:\n"
				    "  - { name: 'knob#', count: 4, kind: vpot, addr: 16 }\n", "");
	ck_assert_str_eq(r.err, "");
	ck_assert_int_eq(r.status, 0);
	run_free(&r);
}
END_TEST

START_TEST(what_is_wrong_with_a_device_is_said_of_its_file)
{
	struct run r = check_device("device: mine\nopions: {}\ncontrols:\n"
				    "  - { name: 'knob#', count: 4, kind: vopt, addr: 300, leds: red }\n"
				    "  - { name: x, kind: button, led: pink }\n", "");
	ck_assert_int_eq(r.status, 5);
	ck_assert_str_eq(r.err,
			 "devices/mine.yaml:2:1: opions: unknown key of a device; did you mean \"options\"?\n"
			 "    opions: {}\n    ^\n"
			 "devices/mine.yaml:4:38: kind: is none of fader, vpot, button, jog, strip, meter, digits, pedal, led\n"
			 "      - { name: 'knob#', count: 4, kind: vopt, addr: 300, leds: red }\n"
			 "                                         ^\n"
			 "devices/mine.yaml:4:50: addr: is too large\n"
			 "      - { name: 'knob#', count: 4, kind: vopt, addr: 300, leds: red }\n"
			 "                                                     ^\n"
			 "devices/mine.yaml:4:55: leds: unknown key of a control; did you mean \"led\"?\n"
			 "      - { name: 'knob#', count: 4, kind: vopt, addr: 300, leds: red }\n"
			 "                                                          ^\n"
			 "devices/mine.yaml:5:35: led: is none of red, orange, green, blue\n"
			 "      - { name: x, kind: button, led: pink }\n"
			 "                                      ^\n");
	run_free(&r);
	r = check_device("device: mine\noptions: { fader_mx: 1, meter_hz: often }\ncontrols:\n"
			 "  - { name: 'knob#', count: 4, kind: vpot }\n  - { name: knob2, kind: vpot }\n", "");
	ck_assert_ptr_nonnull(strstr(r.err, "devices/mine.yaml:5:5: knob2: there are two controls of this name"));
	run_free(&r);
	r = check_device("device: mine\noptions: { fader_mx: 1, meter_hz: often }\ncontrols:\n"
			 "  - { name: 'knob#', count: 4, kind: vpot }\n", "");
	ck_assert_ptr_nonnull(strstr(r.err, "devices/mine.yaml:2:12: options.fader_mx: unknown key; did you mean \"fader_max\"?"));
	ck_assert_ptr_nonnull(strstr(r.err, "devices/mine.yaml:2:35: surfaces.desk.meter_hz: \"often\" is not a whole number"));
	run_free(&r);
	/* What the user writes goes before it. */
	r = check_device("device: mine\noptions: { meter_hz: often }\ncontrols:\n"
			 "  - { name: 'knob#', count: 4, kind: vpot }\n", ", meter_hz: 10");
	ck_assert_str_eq(r.err, "");
	run_free(&r);
}
END_TEST

/* ------------------------------------------------------------------ the next one */

START_TEST(a_process_of_the_same_name_and_kind_keeps_slot_and_records)
{
	struct handed a = compile_text("bulkhead: 1\n"
				       "drivers: {a: {kind: loop}, b: {kind: loop, params: 100}, c: {kind: loop}}\n", -1);
	/* a is gone, b stays, c is another kind now, d and e are new. */
	struct handed b = compile_text("bulkhead: 1\ndrivers: {d: {kind: loop, params: 300}, c: {kind: lamp, host: h},\n"
				       "  b: {kind: loop, params: 100}, e: {kind: loop, params: 10}}\n", a.config_fd);
	const struct bh_cfg_proc *was = bh_config_find_proc(&a.c, "b"), *now = bh_config_find_proc(&b.c, "b");
	ck_assert_uint_eq(now->slot, was->slot);
	ck_assert_uint_eq(now->record_base, was->record_base);
	ck_assert_uint_gt(b.c.head->generation, a.c.head->generation);
	/* New ones do not take what somebody has just left, and nobody's records overlap. */
	ck_assert_uint_ge(bh_config_find_proc(&b.c, "d")->slot, 7);
	ck_assert_uint_ge(bh_config_find_proc(&b.c, "c")->slot, 7);
	ck_assert_uint_ge(bh_config_find_proc(&b.c, "e")->slot, 7);
	for (uint32_t i = 0; i < bh_config_count(&b.c, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *p = bh_config_row(&b.c, BH_TAB_PROCS, i);
		for (uint32_t k = 0; k < i; k++) {
			const struct bh_cfg_proc *q = bh_config_row(&b.c, BH_TAB_PROCS, k);
			ck_assert_uint_ne(p->slot, q->slot);
			ck_assert(p->record_base >= q->record_base + q->records ||
				  q->record_base >= p->record_base + p->records);
		}
	}
	/* The room that a left is given to who fits into it. */
	ck_assert_uint_eq(bh_config_find_proc(&b.c, "c")->record_base, BH_REC_FIRST);
	handed_free(&a);
	handed_free(&b);
}
END_TEST

START_TEST(a_full_house_can_be_replaced)
{
	char text[4096] = "bulkhead: 1\ndrivers:\n", other[4096] = "bulkhead: 1\ndrivers:\n";
	for (int i = 0; i < 28; i++) {
		sprintf(text + strlen(text), "  old%d: {kind: loop, params: 1024}\n", i);
		sprintf(other + strlen(other), "  new%d: {kind: loop, params: 1024}\n", i);
	}
	struct handed a = compile_text(text, -1), b = compile_text(other, a.config_fd);
	ck_assert_uint_eq(bh_config_count(&b.c, BH_TAB_PROCS), 32);
	handed_free(&a);
	handed_free(&b);
}
END_TEST

START_TEST(check_sums_tell_whom_a_reload_concerns)
{
	struct handed a = compile_text("bulkhead: 1\ndrivers: {l: {kind: loop, channels: 8, meter_ms: 50ms}}\n", -1);
	struct handed tidy = compile_text("# new\nbulkhead: 1\ndrivers:\n  l:\n    meter_ms: 50ms\n    kind: loop\n", -1);
	struct handed live = compile_text("bulkhead: 1\ndrivers: {l: {kind: loop, meter_ms: 60ms}}\n", -1);
	struct handed restart = compile_text("bulkhead: 1\ndrivers: {l: {kind: loop, channels: 9}}\n", -1);
	const struct bh_cfg_proc *p = bh_config_find_proc(&a.c, "l");
	const struct bh_cfg_proc *q = bh_config_find_proc(&tidy.c, "l");
	ck_assert_uint_eq(q->options_check, p->options_check);
	ck_assert_uint_eq(q->live_check, p->live_check);
	q = bh_config_find_proc(&live.c, "l");
	ck_assert_uint_ne(q->options_check, p->options_check);
	ck_assert_uint_eq(q->live_check, p->live_check);
	q = bh_config_find_proc(&restart.c, "l");
	ck_assert_uint_ne(q->options_check, p->options_check);
	ck_assert_uint_ne(q->live_check, p->live_check);
	handed_free(&a);
	handed_free(&tidy);
	handed_free(&live);
	handed_free(&restart);
}
END_TEST

START_TEST(a_previous_that_is_none_is_refused)
{
	int fd = open("/dev/null", O_RDONLY);
	char text[16];
	snprintf(text, sizeof(text), "%d", fd);
	struct run r = RUN("--previous", text, "good_full.yaml");
	ck_assert_int_eq(r.status, 5);
	ck_assert_ptr_nonnull(strstr(r.err, "--previous"));
	run_free(&r);
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------ size */

START_TEST(sixty_four_pages_of_512_bindings_fit)
{
	static const char *const names[] = {"fader", "mute", "solo", "rec", "select", "vpot", "strip", "meter"};
	char path[128];
	FILE *f = fdopen(scratch_file(path, sizeof(path), "big", NULL), "w");
	fputs("bulkhead: 1\nsurfaces:\n", f);
	for (int s = 0; s < 8; s++)
		fprintf(f, "  s%d: { device: x-touch }\n", s);
	fputs("drivers: { loop: { kind: loop, channels: 64 } }\npages:\n", f);
	for (int p = 0; p < 64; p++) {
		fprintf(f, "  - name: Page %d\n    bindings:\n", p);
		for (int i = 0; i < 512; i++) {
			const char *name = names[i / 8 % 8];
			const char *kind = i / 8 % 8 < 6 ? "value" : name;
			fprintf(f, "      s%d/%s%d: { %s: loop/ch%d/level, label: binding %d of %d }\n", i / 64, name,
				i % 8 + 1, kind, i % 64 + 1, i, p);
		}
	}
	ck_assert_int_eq(fclose(f), 0);
	struct handed h = compile(path, -1);
	ck_assert_uint_eq(bh_config_count(&h.c, BH_TAB_BINDINGS), 64 * 512);
	ck_assert_uint_eq(bh_config_count(&h.c, BH_TAB_PAGES), 64);
	handed_free(&h);
	struct run r = RUN(path);
	ck_assert_int_eq(r.status, 0);
#ifndef BH_SANITIZED
	/* The documents of the library alone take 133 MB. */
	ck_assert_int_lt(r.usage.ru_maxrss, 64000);
#endif
	run_free(&r);
	unlink(path);
}
END_TEST

/* ------------------------------------------------------------------ what is generated */

START_TEST(secrets_are_taken_out_wherever_they_stand)
{
	static const char text[] = "# password: old one\n"
				   "bulkhead: 1\n"
				   "x: &pw \"anchored\"\n"
				   "drivers:\n"
				   "  a: {kind: lamp, host: h, password: \"in flow\", gain: 1} # password: behind\n"
				   "  b:\n"
				   "    kind: lamp\n"
				   "    password: plain words   # a comment\n"
				   "    host: passwords: 1\n";
	static const char more[] = "  c:\n    password: |\n      block one\n      block two\n    host: z\n"
				   "  d: {password: *pw}\n  e: {password: 'single ''quoted'' \xc3\xa9', host: \xc3\xbc}\n"
				   "  f: {password: [aa, bb, {c: dd}]}\n";
	static const char *const gone[] = {"old one", "anchored", "in flow", "behind", "plain words", "block", "single", "aa", "bb", "dd"};
	char path[128];
	int fd = scratch_file(path, sizeof(path), "secret", NULL);
	ck_assert_int_gt(dprintf(fd, "%.*s%s", (int)(strstr(text, "    host: passwords") - text), text, more), 0);
	struct run r = RUN("--redact", path);
	ck_assert_msg(r.status == 0, "%s", r.err);
	for (size_t i = 0; i < BH_ARRAY_LEN(gone); i++)
		ck_assert_msg(!strstr(r.out, gone[i]), "\"%s\" is still there:\n%s", gone[i], r.out);
	/* The rest is as it was. */
	ck_assert_ptr_nonnull(strstr(r.out, "  a: {kind: lamp, host: h, password: \"***\", gain: 1} # password: ***\n"));
	ck_assert_ptr_nonnull(strstr(r.out, "    password: ***   # a comment\n"));
	ck_assert_ptr_nonnull(strstr(r.out, "***\n    host: z\n"));
	ck_assert_ptr_nonnull(strstr(r.out, "host: \xc3\xbc}"));
	run_free(&r);
	/* Where nobody can tell, nothing is printed. */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	lseek(fd, 0, SEEK_SET);
	ck_assert_int_gt(dprintf(fd, "%s", text), 0);
	r = RUN("--redact", path);
	ck_assert_int_eq(r.status, 5);
	ck_assert_uint_eq(r.out_len, 0);
	run_free(&r);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(defaults_are_yaml_that_compiles)
{
	struct run r = RUN("--defaults", "loop");
	ck_assert_int_eq(r.status, 0);
	ck_assert_ptr_nonnull(strstr(r.out, "#channels: 8"));
	char text[16384];
	snprintf(text, sizeof(text), "bulkhead: 1\n%s", r.out);
	struct handed h = compile_text(text, -1);
	/* And with every default written out. */
	for (char *p = text; (p = strstr(p, "    #"));)
		if (p[5] != ' ')
			memmove(p + 4, p + 5, strlen(p + 5) + 1);
		else
			p += 5;
	struct handed full = compile_text(text, -1);
	ck_assert_uint_eq(bh_config_find_proc(&full.c, "loop")->options_check,
			  bh_config_find_proc(&h.c, "loop")->options_check);
	handed_free(&h);
	handed_free(&full);
	run_free(&r);
	r = RUN("--defaults", "lop");
	ck_assert_int_eq(r.status, 2);
	ck_assert_str_eq(r.err, "bh-config: there is no kind \"lop\"; did you mean \"loop\"?\n");
	run_free(&r);
}
END_TEST

START_TEST(the_reference_names_every_key)
{
	struct run r = RUN("--reference");
	ck_assert_int_eq(r.status, 0);
	static const char *const words[] = {"### Kind `lamp`", "| `ports[].channel` | u32 | `1` | 1 to 16 | restart |",
					    "play\\|stop\\|record\\|toggle", "### `x-touch`", "`fader1` to `fader8`", "| `relative` |",
					    "`page/go`", "| `max_age_ms` |"};
	for (size_t i = 0; i < BH_ARRAY_LEN(words); i++)
		ck_assert_msg(strstr(r.out, words[i]) != NULL, "%s", words[i]);
	run_free(&r);
}
END_TEST

int
main(void)
{
	find_places();
	Suite *s = suite_create("bh_config");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_wrong_file_is_refused_with_these_words);
	tcase_add_test(t, a_file_that_is_too_large_is_refused);
	tcase_add_test(t, wrong_use_is_not_a_refused_file);
#ifndef BH_UNCONFINED
	tcase_add_test(t, a_confined_process_can_read_and_no_more);
	tcase_add_test(t, it_is_confined_before_it_reads_the_file);
#endif
	tcase_add_test(t, a_file_with_nothing_in_it_runs_the_fixed_processes);
	tcase_add_test(t, processes_come_out_as_written);
	tcase_add_test(t, each_process_gets_its_own_options_and_no_others);
	tcase_add_test(t, a_process_reads_its_options_by_its_table);
	tcase_add_test(t, bindings_come_out_as_written);
	tcase_add_test(t, bindings_are_sorted_by_page_surface_and_control);
	tcase_add_test(t, controls_come_from_the_device);
	tcase_add_test(t, each_part_of_a_control_is_a_row);
	tcase_add_test(t, each_key_of_a_binding_comes_out);
	tcase_add_test(t, the_room_has_its_parameters_in_their_order);
	tcase_add_test(t, a_bank_stands_on_each_of_its_strips);
	tcase_add_test(t, a_reaction_keeps_its_memory_when_others_come_and_go);
	tcase_add_test(t, what_is_hardly_meant_is_a_warning);
	tcase_add_test(t, a_path_may_begin_with_a_place);
	tcase_add_test(t, every_example_compiles);
	tcase_add_test(t, every_configuration_in_the_documentation_compiles);
	tcase_add_test(t, a_device_of_ones_own_is_a_file);
	tcase_add_test(t, what_is_wrong_with_a_device_is_said_of_its_file);
	tcase_add_test(t, a_process_of_the_same_name_and_kind_keeps_slot_and_records);
	tcase_add_test(t, a_full_house_can_be_replaced);
	tcase_add_test(t, check_sums_tell_whom_a_reload_concerns);
	tcase_add_test(t, a_previous_that_is_none_is_refused);
	tcase_add_test(t, sixty_four_pages_of_512_bindings_fit);
	tcase_add_test(t, secrets_are_taken_out_wherever_they_stand);
	tcase_add_test(t, defaults_are_yaml_that_compiles);
	tcase_add_test(t, the_reference_names_every_key);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
