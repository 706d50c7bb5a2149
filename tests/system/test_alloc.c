/*
 * Nothing on the event path allocates after the start: counted by an allocator that is put before each process of the pipeline.
 *
 * A first load of every kind of event warms up, a second one of the same kinds is counted: hands on faders, V-Pots, buttons and the jog
 * wheel, page switches, lights, strips, meters, values and actions by the tool. bh-control is not on the event path.
 */
#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/lib/count_alloc.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

static const char yaml[] =
	"bulkhead: 1\n"
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
	"drivers:\n"
	"  loop: {kind: loop, channels: 8}\n"
	"store: {delay_ms: 50ms}\n" PIPELINE_PATIENT
	"pages:\n"
	"  - name: Mix\n"
	"    bindings:\n"
	"      fader1: loop/ch1/level\n"
	"      fader2: loop/ch2/level\n"
	"      vpot1: {relative: loop/ch1/pan, step: 0.01, ring: pan}\n"
	"      vpot2: {relative: loop/ch2/pan, step: 0.01, ring: wrap}\n"
	"      mute1: loop/ch1/mute\n"
	"      mute2: loop/ch2/mute\n"
	"      strip1: {strip: loop/ch1/level, text: One, color: red}\n"
	"      strip2: {strip: loop/ch2/level, text: Two, color: green}\n"
	"      meter1: loop/ch1/meter\n"
	"      meter2: loop/ch2/meter\n"
	"  - name: Other\n"
	"    bindings:\n"
	"      fader1: loop/ch3/level\n"
	"      fader2: loop/ch4/level\n"
	"      mute1: loop/ch3/mute\n"
	"      strip1: {strip: loop/ch3/level, text: Three, color: blue}\n"
	"      meter1: loop/ch3/meter\n"
	"global:\n"
	"  bindings:\n"
	"    jog: {relative: loop/main/level, step: 0.5}\n"
	"    play: {action: loop/transport, args: [play]}\n"
	"    stop: {action: loop/transport, args: [stop]}\n"
	"    cycle: {action: loop/mark}\n"
	"    bank_right: {action: page/next}\n"
	"    bank_left: {action: loop/scene, args: [Nowhere]}\n"
	"    record: {light: loop/transport/recording}\n"
	"    timecode: {display: loop/transport/position}\n"
	"    assign: {display: page}\n";

static struct pipeline pl;
static struct simdesk *desk;
static char out[65536];

static void
setup(void)
{
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	setenv("BH_COUNT_ALLOC", pl.dir, 1);
	setenv("LD_PRELOAD", BH_COUNT_ALLOC_LIB, 1);
	pipeline_run(&pl);
	unsetenv("LD_PRELOAD");
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

static struct count_alloc
counted(const char *process)
{
	char path[128];
	struct count_alloc c;
	snprintf(path, sizeof(path), "%s/%d", pl.dir, (int)pipeline_pid(&pl, process));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s is not counted", process);
	/* The file is mapped by its writer: what we read is what it has counted by now. */
	ck_assert_int_eq(pread(fd, &c, sizeof(c), 0), sizeof(c));
	close(fd);
	return c;
}

/* Where in which file the last allocations were asked for. */
static void
print_callers(const char *process, const struct count_alloc *c, uint64_t n)
{
	char path[64], line[512];
	for (uint64_t i = 0; i < n && i < COUNT_ALLOC_CALLERS; i++) {
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pipeline_pid(&pl, process));
		FILE *f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			unsigned long long from, to, off;
			int at = 0;
			if (sscanf(line, "%llx-%llx %*s %llx %*s %*s %n", &from, &to, &off, &at) >= 3 && c->caller[i] >= from &&
			    c->caller[i] < to)
				printf("  %s+0x%llx\n", strtok(line + at, "\n"), c->caller[i] - from + off);
		}
		if (f)
			fclose(f);
	}
}

__attribute__((format(printf, 1, 2))) static void
tool(const char *fmt, ...)
{
	char words[128], *arg[6] = {0};
	unsigned n = 0;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	for (char *w = strtok(words, " "); w && n < 6; w = strtok(NULL, " "))
		arg[n++] = w;
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], NULL);
	ck_assert_msg(r == 0, "bulkhead %s ends with %d: %s", fmt, r, out);
}

/* Every kind of event, and each of them again and again. */
static void
load(unsigned seed)
{
	simdesk_must(desk, "tap play; wait hands");
	simdesk_must(desk, "random-load seed %u for 2s rate 100 using fader1 fader2 vpot1 vpot2 mute1 mute2 bank_right cycle jog", seed);
	for (int i = 0; i < 4; i++) {
		tool("page %s", i % 2 ? "Mix" : "Other");
		tool("set loop/ch1/level -- -%d", 10 + i);
		tool("set loop/ch3/mute %d", i % 2);
		tool("set loop/scene %d", i % 4);
		tool("do loop/mark");
		tool("do loop/scene Music");
		tool("press mute1");
		tool("turn vpot1 %d", i + 1);
		tool("move fader2 0.%d", i + 2);
		tool("set loop/transport/recording %d", i % 2);
	}
	/* Held over a switch; refused, for there is no such scene; meters at rest again. */
	simdesk_must(desk, "touch 1; move 1 0.4 over 0.1s; wait hands; tap bank_right; wait 0.1s; move 1 0.6 over 0.1s; wait hands; release 1");
	simdesk_must(desk, "tap bank_left; tap stop; wait hands; wait motors within 30s");
	simdesk_must(desk, "send 90 7F; garbage 300 seed %u", seed);
	simdesk_must(desk, "send F7 90 68 00 90 10 00 90 11 00");
	simdesk_must(desk, "expect quiet for 500ms within 30s");
}

static const char *const parties[] = {"desk", "router", "loop"};

START_TEST(the_event_path_does_not_allocate)
{
	struct count_alloc before[BH_ARRAY_LEN(parties)];
	uint64_t events = 0, more = 0;
	load(1);
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++) {
		before[i] = counted(parties[i]);
		ck_assert_msg(before[i].allocated > 0, "%s: the counter counts nothing", parties[i]);
		events += pipeline_self(&pl, parties[i])->counter[BH_CNT_EVENTS_IN];
	}
	load(2);
	for (unsigned i = 0; i < BH_ARRAY_LEN(parties); i++) {
		struct count_alloc after = counted(parties[i]);
		uint64_t n = after.allocated - before[i].allocated, freed = after.freed - before[i].freed;
		more += pipeline_self(&pl, parties[i])->counter[BH_CNT_EVENTS_IN];
		printf("%-8s %llu allocations since its start, %llu in the load\n", parties[i], (unsigned long long)after.allocated,
		       (unsigned long long)n);
		print_callers(parties[i], &after, n + freed);
		ck_assert_msg(n == 0 && freed == 0, "%s: %llu allocations and %llu frees on the event path", parties[i],
			      (unsigned long long)n, (unsigned long long)freed);
	}
	ck_assert_uint_ge(more - events, 500);
	printf("%llu events were taken in meanwhile\n", (unsigned long long)(more - events));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("alloc");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 90);
	tcase_add_test(t, the_event_path_does_not_allocate);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
