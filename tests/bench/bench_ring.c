/*
 * bench_ring.c - what the ring's promises cost: round trips and floods of two spinning processes, pinned to two CPUs
 *
 * Subject: bh_ring_push(), bh_ring_peek() and bh_ring_advance(), each process mapping the other's segment read-only.
 * Anchor: a bare ring mapped the same way: seven words and a sequence in one cache line, nothing checked, nothing restartable.
 * Floor: one word in one line, there and back; it is the anchor of the second bar.
 * Flood: one process writes as fast as it can, the other consumes; nanoseconds an event, so that a rate of at least 0.6 times the
 * bare ring's is a time of at most 1 / 0.6 times its.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "shm/ring.h"
#include "tests/bench/harness.h"

#define TRIPS  16384u
#define WARM   1024u
#define BATCH  16u /* timed together: reading the clock costs as much as a quarter of a near round trip */
#define SLOTS  256u
#define FLOOD_SAMPLES 48u
#define FLOOD_BATCH   2048u /* events timed together */

/* Two processes' memory. [0] is written by the measuring one, [1] by the one that answers. */
static struct {
	struct bh_seg box_rw[2], box_ro[2], self_rw[2], self_ro[2];
	struct bh_self *self[2];
	const struct bh_self *peer[2]; /* self[k] as the other one maps it */
} shared;

struct kind {
	void (*answer)(void *kind);		  /* in the child, for good */
	void (*trip)(struct kind *kind, uint64_t n); /* one round trip; of a flood: one event, as soon as there is room */
	struct bh_ring_tx tx;
	struct bh_ring_rx rx;
	uint64_t pos, seen;
};

/* The two words of the floor, as `who` sees them. */
static uint64_t *line_out[2];
static const uint64_t *line_in[2];

static void
line_send(unsigned who, uint64_t n)
{
	__atomic_store_n(line_out[who], n, __ATOMIC_RELEASE);
}

static void
line_wait(unsigned who, uint64_t n)
{
	while (__atomic_load_n(line_in[who], __ATOMIC_ACQUIRE) != n)
		;
}

static void
line_answer(void *kind)
{
	(void)kind;
	for (uint64_t n = 1;; n++) {
		line_wait(1, n);
		line_send(1, n);
	}
}

static void
line_trip(struct kind *kind, uint64_t n)
{
	(void)kind;
	line_send(0, n);
	line_wait(0, n);
}

static struct bh_event *
bare_slot(struct bh_seg *box, uint64_t pos)
{
	struct bh_event *slots = bh_seg_section(box, BH_SEC_RING, sizeof(struct bh_event), NULL);
	return &slots[pos & (SLOTS - 1)];
}

static void
bare_send(struct bh_event *slots, uint64_t pos, const struct bh_event *ev)
{
	struct bh_event *slot = &slots[pos & (SLOTS - 1)];
	memcpy((char *)slot + 8, (const char *)ev + 8, sizeof(*ev) - 8);
	__atomic_store_n(&slot->seq, pos + 1, __ATOMIC_RELEASE);
}

static void
bare_wait(const struct bh_event *slots, uint64_t pos, struct bh_event *ev)
{
	const struct bh_event *slot = &slots[pos & (SLOTS - 1)];
	while (__atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) != pos + 1)
		;
	memcpy(ev, slot, sizeof(*ev));
}

static void
bare_answer(void *arg)
{
	struct kind *kind = arg;
	struct bh_event *out = bare_slot(&shared.box_rw[1], 0), ev;
	const struct bh_event *in = bare_slot(&shared.box_ro[0], 0);
	for (uint64_t pos = kind->pos;; pos++) {
		bare_wait(in, pos, &ev);
		bare_send(out, pos, &ev);
	}
}

static void
bare_trip(struct kind *kind, uint64_t n)
{
	static struct bh_event *out;
	static const struct bh_event *in;
	if (!out) {
		out = bare_slot(&shared.box_rw[0], 0);
		in = bare_slot(&shared.box_ro[1], 0);
	}
	struct bh_event ev = {.stamp_ns = n, .kind = BH_EV_VALUE, .v.i = (int64_t)n};
	bare_send(out, kind->pos, &ev);
	bare_wait(in, kind->pos, &ev);
	kind->pos++;
}

static void
ring_attach(struct kind *kind, unsigned who)
{
	bh_ring_tx_attach(&kind->tx, &shared.box_rw[who], &shared.peer[!who]->cursor[who]);
	bh_ring_rx_attach(&kind->rx, &shared.box_ro[!who], &shared.self[who]->cursor[!who]);
}

static void
ring_wait(struct kind *kind, struct bh_event *ev)
{
	while (bh_ring_peek(&kind->rx, ev, NULL, 0, NULL) != 1)
		;
	bh_ring_advance(&kind->rx, ev);
}

static void
ring_answer(void *arg)
{
	struct kind kind = *(struct kind *)arg;
	struct bh_event ev;
	ring_attach(&kind, 1);
	for (;;) {
		ring_wait(&kind, &ev);
		bh_ring_push(&kind.tx, &ev, NULL, 0);
	}
}

static void
ring_trip(struct kind *kind, uint64_t n)
{
	struct bh_event ev = {.stamp_ns = n, .kind = BH_EV_VALUE, .v.i = (int64_t)n};
	bh_ring_push(&kind->tx, &ev, NULL, 0);
	ring_wait(kind, &ev);
}

/* ------------------------------------------------------------------ floods */

/* The cursor of the bare ring stands in the consumer's line. */
static void
bare_swallow(void *arg)
{
	struct bh_event ev;
	const struct bh_event *in = bare_slot(&shared.box_ro[0], 0);
	(void)arg;
	for (uint64_t pos = 0;; pos++) {
		bare_wait(in, pos, &ev);
		line_send(1, pos + 1);
	}
}

static void
bare_pour(struct kind *kind, uint64_t n)
{
	static struct bh_event *out;
	struct bh_event ev = {.stamp_ns = n, .kind = BH_EV_VALUE, .v.i = (int64_t)n};
	if (!out)
		out = bare_slot(&shared.box_rw[0], 0);
	while (kind->pos - kind->seen >= SLOTS)
		kind->seen = __atomic_load_n(line_in[0], __ATOMIC_ACQUIRE);
	bare_send(out, kind->pos++, &ev);
}

static void
ring_swallow(void *arg)
{
	struct kind kind = *(struct kind *)arg;
	struct bh_event ev;
	ring_attach(&kind, 1);
	for (;;)
		ring_wait(&kind, &ev);
}

static void
ring_pour(struct kind *kind, uint64_t n)
{
	struct bh_event ev = {.stamp_ns = n, .kind = BH_EV_VALUE, .v.i = (int64_t)n};
	while (bh_ring_push(&kind->tx, &ev, NULL, 0) == -ENOSPC)
		;
}

/* ------------------------------------------------------------------ measuring */

static void
clear_memory(void)
{
	for (unsigned k = 0; k < 2; k++) {
		memset(bare_slot(&shared.box_rw[k], 0), 0, SLOTS * sizeof(struct bh_event));
		memset(shared.self[k]->cursor, 0, sizeof(shared.self[k]->cursor));
		line_send(k, 0);
	}
}

static int
measure(void *arg, struct bench_figures *out)
{
	static double sample[TRIPS / BATCH];
	struct kind *kind = arg;
	clear_memory();
	kind->pos = kind->seen = 0;
	ring_attach(kind, 0);
	bench_pin(0);
	pid_t pid = bench_party(kind->answer, kind, 1);
	if (pid < 0)
		return pid;
	uint64_t n = 1;
	for (; n <= WARM; n++)
		kind->trip(kind, n);
	for (unsigned k = 0; k < TRIPS / BATCH; k++) {
		uint64_t from = bench_now_ns();
		for (unsigned b = 0; b < BATCH; b++)
			kind->trip(kind, n++);
		sample[k] = (double)(bench_now_ns() - from) / BATCH;
	}
	bench_reap(pid);
	bench_quantiles(sample, TRIPS / BATCH, out);
	return 0;
}

static int
measure_flood(void *arg, struct bench_figures *out)
{
	double sample[FLOOD_SAMPLES];
	struct kind *kind = arg;
	clear_memory();
	kind->pos = kind->seen = 0;
	ring_attach(kind, 0);
	bench_pin(0);
	pid_t pid = bench_party(kind->answer, kind, 1);
	if (pid < 0)
		return pid;
	uint64_t n = 1;
	for (; n <= FLOOD_BATCH; n++)
		kind->trip(kind, n);
	for (unsigned k = 0; k < FLOOD_SAMPLES; k++) {
		uint64_t from = bench_now_ns();
		for (unsigned b = 0; b < FLOOD_BATCH; b++)
			kind->trip(kind, n++);
		sample[k] = (double)(bench_now_ns() - from) / FLOOD_BATCH;
	}
	bench_reap(pid);
	bench_quantiles(sample, FLOOD_SAMPLES, out);
	return 0;
}

static int
make_memory(void)
{
	for (uint16_t k = 0; k < 2; k++) {
		struct bh_seg_fds box, self;
		if (bh_seg_create_outbox(&box, "bench.box", k, !k, 1, SLOTS, 0) < 0 ||
		    bh_seg_create_self(&self, "bench.self", k, 1) < 0)
			return -ENOMEM;
		if (bh_seg_map(&shared.box_rw[k], box.rw, 0, true) < 0 || bh_seg_map(&shared.box_ro[k], box.ro, 0, false) < 0 ||
		    bh_seg_map(&shared.self_rw[k], self.rw, 0, true) < 0 || bh_seg_map(&shared.self_ro[k], self.ro, 0, false) < 0)
			return -ENOMEM;
		line_out[k] = bh_seg_section(&shared.box_rw[k], BH_SEC_OUTBOX, sizeof(struct bh_outbox_head), NULL);
		line_in[!k] = bh_seg_section(&shared.box_ro[k], BH_SEC_OUTBOX, sizeof(struct bh_outbox_head), NULL);
		shared.self[k] = bh_seg_section(&shared.self_rw[k], BH_SEC_SELF, sizeof(struct bh_self), NULL);
		shared.peer[k] = bh_seg_section(&shared.self_ro[k], BH_SEC_SELF, sizeof(struct bh_self), NULL);
	}
	return 0;
}

int
main(void)
{
	static struct kind line = {.answer = line_answer, .trip = line_trip};
	static struct kind bare = {.answer = bare_answer, .trip = bare_trip};
	static struct kind ring = {.answer = ring_answer, .trip = ring_trip};
	static struct kind bare_flood = {.answer = bare_swallow, .trip = bare_pour};
	static struct kind ring_flood = {.answer = ring_swallow, .trip = ring_pour};
	if (bench_cpus() < 2) {
		bench_print("ring_hop", "bar", "inconclusive: two processes that spin need two CPUs");
		return 0;
	}
	if (make_memory() < 0) {
		fprintf(stderr, "bench_ring: no shared memory\n");
		return 1;
	}
	const struct bench_plan plans[] = {
		{
			.name = "ring_hop",
			.subject = {"bh_ring", measure, &ring},
			.anchor = {"bare ring", measure, &bare},
			.floor = {"one line", measure, &line},
			.bar = {{BENCH_P50, 1.25}},
			.rounds = 21,
		},
		{
			.name = "ring_hop_line",
			.subject = {"bh_ring", measure, &ring},
			.anchor = {"one line", measure, &line},
			.floor = {"one line", measure, &line},
			.bar = {{BENCH_P50, 1.8}},
			.rounds = 21,
		},
		{
			.name = "ring_flood",
			.unit = "ns an event",
			.subject = {"bh_ring", measure_flood, &ring_flood},
			.anchor = {"bare ring", measure_flood, &bare_flood},
			.floor = {"one line", measure, &line},
			.bar = {{BENCH_P50, 1 / 0.6}},
			.rounds = 21,
		},
	};
	int failed = 0;
	for (unsigned k = 0; k < sizeof(plans) / sizeof(plans[0]); k++)
		failed |= bench_run(&plans[k]) < 0;
	return failed;
}
