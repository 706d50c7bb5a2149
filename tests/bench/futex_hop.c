/* futex_hop.c - see futex_hop.h */
#include "tests/bench/futex_hop.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 4096u

struct hop_page {
	_Alignas(64) uint32_t word; /* counts messages */
	uint64_t sent_ns;
	_Alignas(64) uint32_t received;
	double sample[SAMPLES_MAX];
};

static void
hop_receive(void *arg)
{
	struct hop_page *page = arg;
	for (uint32_t n = 0;; n++) {
		while (__atomic_load_n(&page->word, __ATOMIC_ACQUIRE) == n)
			syscall(SYS_futex, &page->word, FUTEX_WAIT, n, NULL, NULL, 0);
		page->sample[n % SAMPLES_MAX] = (double)(bench_now_ns() - page->sent_ns);
		__atomic_store_n(&page->received, n + 1, __ATOMIC_RELEASE);
	}
}

void
bench_pace(const struct bench_hop *hop)
{
	unsigned us = hop && hop->pace_us ? hop->pace_us : BENCH_HOP_PACE_US;
	struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};
	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

int
bench_futex_hop(void *arg, struct bench_figures *out)
{
	const struct bench_hop *hop = arg;
	uint32_t samples = hop && hop->samples ? hop->samples : BENCH_HOP_SAMPLES, warm = samples / 8 + 1;
	if (samples + warm > SAMPLES_MAX)
		return -EINVAL;
	struct hop_page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	bench_pin(hop ? hop->from_cpu : 0);
	pid_t pid = bench_party(hop_receive, page, hop ? hop->to_cpu : 1);
	int ret = pid < 0 ? pid : 0;
	for (uint32_t n = 1; ret == 0 && n <= samples + warm; n++) {
		bench_pace(hop);
		page->sent_ns = bench_now_ns();
		__atomic_store_n(&page->word, n, __ATOMIC_RELEASE);
		syscall(SYS_futex, &page->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		for (uint64_t limit = bench_now_ns() + 60000000000u; __atomic_load_n(&page->received, __ATOMIC_ACQUIRE) < n;)
			if (bench_now_ns() > limit) {
				ret = -ETIMEDOUT;
				break;
			}
	}
	bench_reap(pid);
	if (ret == 0)
		bench_quantiles(page->sample + warm, samples, out);
	munmap(page, sizeof(*page));
	return ret;
}
