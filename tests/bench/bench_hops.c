/*
 * bench_hops - from the desk to the driver, against one bare futex hop
 *
 * The real pipeline on a socket desk: each sample writes one fader message, waits until all is quiet again, and reads three stamps of
 * one clock: before the desk's write, after bh-surface's read (the event's stamp), and when the driver had applied the value (the
 * stamp of its report). Surface and driver are pinned to one CPU, the router to the other, so that each hop crosses. The
 * anchor is one blocking hop by a bare futex between the same CPUs, paced the same way.
 *
 *   two hops    surface -> router -> driver             p50 <= 2.2 x, p99 <= 3 x
 *   three hops  desk -> surface -> router -> driver     p50 <= 3.4 x
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/units.h"
#include "tests/bench/futex_hop.h"
#include "tests/bench/harness.h"
#include "tests/lib/pipeline.h"

static const struct bench_hop pace = {.from_cpu = 0, .to_cpu = 1, .samples = 40, .pace_us = 500};
/* The bare hop as seldom as a sample, which waits twice: before it is sent, and until it has arrived. */
static const struct bench_hop bare = {.from_cpu = 0, .to_cpu = 1, .samples = 40, .pace_us = 1000};

/* ------------------------------------------------------------------ the subject: the pipeline */

static struct pipeline pl;
static int desk = -1;
static uint32_t position = 4000;

struct hops {
	bool from_desk;
};

static int
send_fader(uint64_t *sent_ns)
{
	uint8_t drain[512];
	while (recv(desk, drain, sizeof(drain), MSG_DONTWAIT) > 0)
		;
	position = position > 12000 ? 4000 : position + 40;
	uint8_t msg[3] = {0xe0, (uint8_t)(position & 0x7f), (uint8_t)(position >> 7)};
	*sent_ns = bh_now_ns();
	return send(desk, msg, 3, MSG_NOSIGNAL) == 3 ? 0 : -EPIPE;
}

static bool
arrived(const struct bh_cell_body *before, struct bh_cell_body *after)
{
	return pipeline_reported(&pl, "loop", "ch1/level", after) && after->gen != before->gen;
}

static int
surface_stamp(uint64_t *ns)
{
	struct bh_cell_body w;
	/* The wanted cell carries the stamp of the event that caused it: the surface's read. */
	if (!pipeline_wanted(&pl, "loop", "ch1/level", &w))
		return -ENOENT;
	*ns = w.stamp_ns;
	return 0;
}

static int
measure_hops(void *arg, struct bench_figures *out)
{
	const struct hops *how = arg;
	double s[64];
	for (unsigned i = 0; i < pace.samples; i++) {
		struct bh_cell_body before = {0}, after;
		uint64_t sent, read_ns;
		bench_pace(&pace);
		pipeline_reported(&pl, "loop", "ch1/level", &before);
		int r = send_fader(&sent);
		if (r < 0)
			return r;
		bench_pace(&pace);
		if (!pipeline_until(1000, arrived(&before, &after)))
			return -ETIMEDOUT;
		r = surface_stamp(&read_ns);
		if (r < 0)
			return r;
		uint64_t from = how->from_desk ? sent : read_ns;
		s[i] = (double)(after.stamp_ns - from);
	}
	bench_quantiles(s, pace.samples, out);
	return 0;
}

static int
pin_process(const char *name, int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pipeline_pid(&pl, name), sizeof(set), &set) < 0 ? -errno : 0;
}

static int
open_desk(const char path[100])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l < 0 || bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 1) < 0)
		return -errno;
	return l;
}

int
main(void)
{
	static const char yaml[] = "bulkhead: 1\n"
				   "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
				   "drivers: {loop: {kind: loop, channels: 8, meters: false}}\n"
				   "pages:\n  - name: Mix\n    bindings: {fader1: loop/ch1/level}\n";
	char path[100];
	struct hops two = {false}, three = {true};
	if (bench_cpus() < 2) {
		bench_print("hops", "bench", "skipped: needs two CPUs");
		return 77;
	}
	pipeline_prepare(&pl, yaml);
	snprintf(path, sizeof(path), "%s/desk.sock", pl.dir);
	int listener = open_desk(path);
	pipeline_run(&pl);
	desk = listener >= 0 ? accept(listener, NULL, NULL) : -1;
	if (desk < 0 || !pipeline_until(10000, pipeline_all_ok(&pl))) {
		fprintf(stderr, "bench_hops: the pipeline did not come up\n%s\n", pipeline_log(&pl));
		return 1;
	}
	static const uint8_t touch[3] = {0x90, 0x68, 0x7f};
	if (send(desk, touch, 3, MSG_NOSIGNAL) != 3)
		return 1;
	int r = pin_process("desk", 0);
	if (r == 0)
		r = pin_process("router", 1);
	if (r == 0)
		r = pin_process("loop", 0);
	if (r < 0)
		return 1;
	bench_pin(0);
	/* The waker of the bare hop sits where the surface does. */
	struct bench_way floor = {"bare futex hop", bench_futex_hop, (void *)&bare};
	struct bench_plan plan2 = {.name = "hops_surface_to_driver", .subject = {"two hops", measure_hops, &two}, .anchor = floor,
				   .floor = floor, .bar = {{BENCH_P50, 2.2}, {BENCH_P99, 3.0}}};
	struct bench_plan plan3 = {.name = "hops_desk_to_driver", .subject = {"three hops", measure_hops, &three}, .anchor = floor,
				   .floor = floor, .bar = {{BENCH_P50, 3.4}}};
	int v2 = bench_run(&plan2), v3 = bench_run(&plan3);
	pipeline_stop(&pl);
	pipeline_clean(&pl);
	return v2 < 0 || v3 < 0 ? 1 : 0;
}
