/*
 * bench_bell.c - one blocking hop: an outbox put and flushed on one CPU, taken from the inbox by a sleeper on another
 *
 * Subject: bh_outbox_put() and bh_outbox_flush() to bh_ring_peek() returning, once over a futex and once over a pipe in
 * epoll. Anchor and floor: a bare futex hop, pinned and paced the same way.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shm/outbox.h"
#include "tests/bench/futex_hop.h"

#define FROM 4u
#define TO   1u
#define WARM 12u
#define SAMPLES BENCH_HOP_SAMPLES

struct hop {
	uint32_t mode; /* BH_BELL_FUTEX or _PIPE */
	struct bh_seg_fds box, from_self, to_self;
	struct bh_seg from_seg, to_seg, to_seen;
	struct bh_outbox ob;
	struct bh_inbox ib;
	struct bh_self *from, *to;
	int pipe[2], epoll;
	double *sample; /* shared */
	uint32_t taken;
};

static void
hop_take_all(struct hop *hop)
{
	struct bh_event ev;
	while (bh_ring_peek(&hop->ib.ring, &ev, NULL, 0, NULL) == 1) {
		hop->sample[hop->taken++ % (WARM + SAMPLES)] = (double)(bench_now_ns() - ev.stamp_ns);
		bh_ring_advance(&hop->ib.ring, &ev);
	}
}

static void
hop_receive(void *arg)
{
	struct hop *hop = arg;
	for (;;) {
		struct bh_bell_wait wait;
		bh_bell_announce(hop->to);
		wait.word = bh_ring_word(&hop->ib.ring, &wait.value);
		if (!bh_inbox_pending(&hop->ib)) {
			struct epoll_event ready;
			if (hop->mode == BH_BELL_FUTEX)
				bh_bell_sleep(&wait, 1, 0);
			else
				epoll_wait(hop->epoll, &ready, 1, -1);
		}
		bh_bell_awake(hop->to);
		hop_take_all(hop);
	}
}

static int
hop_measure(void *arg, struct bench_figures *out)
{
	struct hop *hop = arg;
	hop->taken = 0;
	bench_pin(0);
	pid_t pid = bench_party(hop_receive, hop, 1);
	if (pid < 0)
		return pid;
	int ret = 0;
	for (uint32_t n = 0; ret == 0 && n < WARM + SAMPLES; n++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .v.i = n};
		bench_pace(NULL);
		ev.stamp_ns = bench_now_ns();
		bh_outbox_put(&hop->ob, &ev, NULL, 0);
		bh_outbox_flush(&hop->ob);
		for (uint64_t limit = bench_now_ns() + 60000000000u;
		     __atomic_load_n(&hop->to->cursor[FROM], __ATOMIC_ACQUIRE) != hop->ob.ring.pos;)
			if (bench_now_ns() > limit) {
				ret = -ETIMEDOUT;
				break;
			}
	}
	bench_reap(pid);
	/* The party was a copy of us: our own place in the ring is where it stopped. */
	bh_ring_seek(&hop->ib.ring, hop->ob.ring.pos);
	bench_quantiles(hop->sample + WARM, SAMPLES, out);
	return ret;
}

static int
hop_open(struct hop *hop, uint32_t mode)
{
	struct epoll_event edge = {.events = EPOLLIN | EPOLLET};
	uint64_t now;
	hop->mode = mode;
	hop->sample = mmap(NULL, (WARM + SAMPLES) * sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	hop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (hop->sample == MAP_FAILED || hop->epoll < 0 || pipe2(hop->pipe, O_NONBLOCK | O_CLOEXEC) < 0 ||
	    epoll_ctl(hop->epoll, EPOLL_CTL_ADD, hop->pipe[0], &edge) < 0)
		return -errno;
	if (bh_seg_create_outbox(&hop->box, "bench.box", FROM, TO, 1, 256, 16) < 0 ||
	    bh_seg_create_self(&hop->from_self, "from.self", FROM, 1) < 0 || bh_seg_create_self(&hop->to_self, "to.self", TO, 1) < 0)
		return -ENOMEM;
	if (bh_seg_map(&hop->from_seg, hop->from_self.rw, BH_SEG_SELF, true) < 0 ||
	    bh_seg_map(&hop->to_seg, hop->to_self.rw, BH_SEG_SELF, true) < 0 ||
	    bh_seg_map(&hop->to_seen, hop->to_self.ro, BH_SEG_SELF, false) < 0)
		return -ENOMEM;
	hop->from = bh_seg_section(&hop->from_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	hop->to = bh_seg_section(&hop->to_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	hop->to->bell.mode = mode;
	int ret = bh_outbox_attach(&hop->ob, hop->box.rw, hop->from,
				   bh_seg_section(&hop->to_seen, BH_SEC_SELF, sizeof(struct bh_self), NULL),
				   mode == BH_BELL_PIPE ? hop->pipe[1] : -1);
	if (ret == 0)
		ret = bh_inbox_attach(&hop->ib, hop->box.ro, hop->to, FROM);
	if (ret == 0 && bh_inbox_overflowed(&hop->ib, &now))
		hop->ib.overflow_seen = now;
	return ret;
}

static int
hop_bench(const char *name, const char *subject, uint32_t mode, double limit)
{
	static struct hop hop;
	int ret = hop_open(&hop, mode);
	if (ret < 0)
		return ret;
	const struct bench_plan plan = {
		.name = name,
		.subject = {subject, hop_measure, &hop},
		.anchor = {"bare futex", bench_futex_hop, NULL},
		.floor = {"bare futex", bench_futex_hop, NULL},
		.bar = {{BENCH_P50, limit}},
	};
	uint64_t calls = hop.from->counter[BH_CNT_BELLS], events = hop.ob.ring.pos;
	ret = bench_run(&plan);
	calls = hop.from->counter[BH_CNT_BELLS] - calls;
	events = hop.ob.ring.pos - events;
	if (ret >= 0 && events)
		bench_count(name, "system calls of the sender for an event", (double)calls / (double)events, 1);
	return ret;
}

int
main(void)
{
	if (bench_cpus() < 2) {
		bench_print("futex_bell", "bar", "inconclusive: a hop across CPUs needs two");
		return 0;
	}
	int ret = hop_bench("futex_bell", "outbox and futex", BH_BELL_FUTEX, 1.1);
	if (ret >= 0)
		ret = hop_bench("pipe_bell", "outbox and pipe", BH_BELL_PIPE, 1.25);
	return ret < 0 ? 1 : 0;
}
