/*
 * What the whole pipeline costs when nothing happens, and what it costs in memory: counts, not times.
 *
 * BH_IDLE_S: seconds of idleness to watch (60), BH_EVENTS: events to push through (10 million).
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/pipeline.h"

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
	"drivers:\n"
	"  loop: {kind: loop, channels: 8, meters: false}\n"
	"  loop2: {kind: loop, channels: 8, meters: false}\n"
	"pages:\n"
	"  - name: Mix\n"
	"    bindings: {fader1: loop/ch1/level, fader2: loop2/ch1/level, mute1: loop/ch1/mute, vpot1: {relative: loop/ch1/pan}}\n";

static struct pipeline pl;
static int listener = -1, desk = -1;

static void
setup(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	pipeline_prepare(&pl, yaml);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/desk.sock", pl.dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	pipeline_run(&pl);
	desk = accept(listener, NULL, NULL);
	ck_assert_int_ge(desk, 0);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	close(desk);
	close(listener);
	pipeline_clean(&pl);
}

static const char *const parties[] = {"keeper", "supervisor", "router", "control", "store", "desk", "loop", "loop2"};

/* Context switches of all threads of a process, and nanoseconds on a CPU. */
static void
usage(pid_t pid, uint64_t *switches, uint64_t *ran_ns)
{
	char path[64], line[128];
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		unsigned long long n;
		char file[400];
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s/status", path, e->d_name);
		FILE *f = fopen(file, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1)
				*switches += n;
		if (f)
			fclose(f);
		snprintf(file, sizeof(file), "%s/%s/schedstat", path, e->d_name);
		f = fopen(file, "r");
		if (f && fscanf(f, "%llu", &n) == 1)
			*ran_ns += n;
		if (f)
			fclose(f);
	}
	closedir(d);
}

static uint64_t
total_switches(void)
{
	uint64_t n = 0, ns = 0;
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++)
		usage(pipeline_pid(&pl, parties[i]), &n, &ns);
	return n;
}

/* Proportional set size of a process in KiB. */
static uint64_t
pss_kib(pid_t pid)
{
	char path[64], line[128];
	unsigned long long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %llu", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* Of each program, the process that waits to follow it: one for both loops. */
static const char *const spares[] = {"router", "desk", "loop"};

static pid_t
spare_of(const char *name)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b) ? (pid_t)b.spare_pid : 0;
}

static bool
has_all_spares(void)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(spares); i++)
		if (!spare_of(spares[i]))
			return false;
	return true;
}

static uint64_t
total_pss_kib(bool print)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < BH_ARRAY_LEN(spares); i++) {
		uint64_t n = pss_kib(spare_of(spares[i]));
		if (print)
			printf("  %-10s %6llu KiB (spare)\n", spares[i], (unsigned long long)n);
		sum += n;
	}
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++) {
		uint64_t n = pss_kib(pipeline_pid(&pl, parties[i]));
		if (print)
			printf("  %-10s %6llu KiB\n", parties[i], (unsigned long long)n);
		sum += n;
	}
	return sum;
}

static unsigned
from_env(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);
	return s && *s ? (unsigned)strtoul(s, NULL, 10) : otherwise;
}

static bool
is_quiet(void)
{
	uint64_t before = total_switches();
	usleep(500000);
	return total_switches() - before <= 2;
}

START_TEST(an_idle_pipeline_wakes_up_less_than_five_times_a_second)
{
	unsigned seconds = from_env("BH_IDLE_S", 60);
	uint64_t n[2][BH_ARRAY_LEN(parties)] = {{0}}, ns[2][BH_ARRAY_LEN(parties)] = {{0}}, sum = 0, ran = 0;
	/* Start-up is over: spares made, snapshot written, look at owed work done. */
	ck_assert_msg(pipeline_until(20000, has_all_spares()), "no spares:\n%s", pipeline_log(&pl));
	ck_assert_msg(pipeline_until(20000, is_quiet()), "the pipeline never becomes quiet");
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++)
		usage(pipeline_pid(&pl, parties[i]), &n[0][i], &ns[0][i]);
	sleep(seconds);
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++) {
		usage(pipeline_pid(&pl, parties[i]), &n[1][i], &ns[1][i]);
		printf("  %-10s %4llu wake-ups, %6.3f ms of CPU in %u s\n", parties[i], (unsigned long long)(n[1][i] - n[0][i]),
		       (double)(ns[1][i] - ns[0][i]) / 1e6, seconds);
		sum += n[1][i] - n[0][i];
		ran += ns[1][i] - ns[0][i];
	}
	printf("idle: %.2f wake-ups a second (bar: 5), %.4f %% of a core (bar: 0.1)\n", (double)sum / seconds,
	       100.0 * (double)ran / 1e9 / seconds);
	ck_assert_msg(sum < 5 * seconds, "%llu wake-ups in %u s", (unsigned long long)sum, seconds);
	ck_assert_msg(ran < seconds * 1000000ull, "%llu ns of CPU in %u s", (unsigned long long)ran, seconds);
}
END_TEST

/* Fader moves as fast as the surface takes them. */
static void
push_events(uint64_t count)
{
	uint8_t buf[3 * 256], drain[4096];
	unsigned pos = 0;
	for (uint64_t sent = 0; sent < count;) {
		for (unsigned i = 0; i < 256; i++) {
			pos = (pos + 37) & 0x3fff;
			buf[3 * i] = (uint8_t)(0xe0 | (i & 1));
			buf[3 * i + 1] = (uint8_t)(pos & 0x7f);
			buf[3 * i + 2] = (uint8_t)(pos >> 7);
		}
		ck_assert_int_eq(send(desk, buf, sizeof(buf), MSG_NOSIGNAL), sizeof(buf));
		while (recv(desk, drain, sizeof(drain), MSG_DONTWAIT) > 0)
			;
		sent += 256;
	}
}

static uint64_t
surface_bytes(void)
{
	return __atomic_load_n(&pipeline_self(&pl, "desk")->counter[BH_CNT_BYTES_IN], __ATOMIC_RELAXED);
}

START_TEST(all_processes_together_need_at_most_16_mb_and_no_more_after_ten_million_events)
{
	static const uint8_t touch[6] = {0x90, 0x68, 0x7f, 0x90, 0x69, 0x7f};
	uint64_t events = from_env("BH_EVENTS", 10000000);
	ck_assert_int_eq(send(desk, touch, 6, MSG_NOSIGNAL), 6);
	push_events(200000); /* all pages that are ever touched, touched */
	ck_assert(pipeline_until(20000, has_all_spares() && is_quiet()));
	uint64_t before = total_pss_kib(true), bytes = surface_bytes();
	push_events(events);
	ck_assert(pipeline_until(60000, surface_bytes() - bytes >= 3 * events));
	ck_assert(pipeline_until(20000, is_quiet()));
	uint64_t after = total_pss_kib(true);
	printf("memory: %.2f MB PSS (bar: 16), after %llu events %.2f MB\n", (double)before / 1024, (unsigned long long)events,
	       (double)after / 1024);
#ifndef BH_SANITIZED
	ck_assert_uint_le(before, 16 * 1024);
	/* Flat: a page here or there of the C library's may still come, ten million events' worth may not. */
	ck_assert_uint_le(after, before + 128);
#endif
}
END_TEST

/* As sched_getattr() tells it, for kernels that have slices; see proc_short_slices(). */
struct slice {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

static uint64_t
slice_of(pid_t pid)
{
	struct slice s = {.size = sizeof(s)};
	return syscall(SYS_sched_getattr, pid, &s, sizeof(s), 0) == 0 && s.policy == SCHED_OTHER ? s.runtime_ns : 0;
}

static bool
kernel_has_slices(void)
{
	const struct slice ours = {.size = sizeof(ours), .runtime_ns = 200000}, usual = {.size = sizeof(usual)};
	bool has = syscall(SYS_sched_setattr, 0, &ours, 0) == 0 && slice_of(0) == ours.runtime_ns;
	syscall(SYS_sched_setattr, 0, &usual, 0);
	return has;
}

START_TEST(who_carries_events_runs_before_who_computes_for_long)
{
	if (!kernel_has_slices())
		return;
	static const char *const carriers[] = {"desk", "router", "loop", "loop2"}, *const others[] = {"store", "control", "supervisor"};
	for (unsigned i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		ck_assert_msg(slice_of(pipeline_pid(&pl, carriers[i])) == 100000, "%s has not the shortest slice", carriers[i]);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(slice_of(pipeline_pid(&pl, others[i])) != 100000, "%s has no need of a short slice", others[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("budget");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, who_carries_events_runs_before_who_computes_for_long);
	tcase_add_test(t, an_idle_pipeline_wakes_up_less_than_five_times_a_second);
	tcase_add_test(t, all_processes_together_need_at_most_16_mb_and_no_more_after_ten_million_events);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
