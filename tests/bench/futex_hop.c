/* futex_hop.c - see futex_hop.h */
#include "tests/bench/futex_hop.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
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

/* One-way times of `n` hops, after some that do not count. */
static int
hop_samples(const struct bench_hop *hop, uint32_t n, double *sample)
{
	uint32_t warm = n / 8 + 1;
	if (n + warm > SAMPLES_MAX)
		return -EINVAL;
	struct hop_page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	bench_pin(hop ? hop->from_cpu : 0);
	pid_t pid = bench_party(hop_receive, page, hop ? hop->to_cpu : 1);
	int ret = pid < 0 ? pid : 0;
	for (uint32_t k = 1; ret == 0 && k <= n + warm; k++) {
		bench_pace(hop);
		page->sent_ns = bench_now_ns();
		__atomic_store_n(&page->word, k, __ATOMIC_RELEASE);
		syscall(SYS_futex, &page->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		for (uint64_t limit = bench_now_ns() + 60000000000u; __atomic_load_n(&page->received, __ATOMIC_ACQUIRE) < k;)
			if (bench_now_ns() > limit) {
				ret = -ETIMEDOUT;
				break;
			}
	}
	bench_reap(pid);
	if (ret == 0)
		memcpy(sample, page->sample + warm, n * sizeof(*sample));
	munmap(page, sizeof(*page));
	return ret;
}

static uint32_t
samples_of(const struct bench_hop *hop)
{
	return hop && hop->samples ? hop->samples : BENCH_HOP_SAMPLES;
}

int
bench_futex_hop(void *arg, struct bench_figures *out)
{
	double sample[SAMPLES_MAX];
	uint32_t n = samples_of(arg);
	int ret = hop_samples(arg, n, sample);
	if (ret == 0)
		bench_quantiles(sample, n, out);
	return ret;
}

/* ------------------------------------------------------------------ a chain */

#define CHAIN_MAX 16u
#define CHAIN_LIMIT_S 60

struct chain_page {
	struct {
		_Alignas(64) uint32_t word; /* counts messages */
	} party[CHAIN_MAX + 1];	    /* the last: of whoever began */
	uint64_t end_ns;
};

struct bench_chain {
	struct chain_page *page;
	unsigned hops;
	pid_t pid[CHAIN_MAX];
};

struct link {
	struct chain_page *page;
	unsigned n, hops;
};

static void
chain_wake(uint32_t *word)
{
	__atomic_store_n(word, *word + 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void
chain_pass_on(void *arg)
{
	const struct link *link = arg;
	struct chain_page *page = link->page;
	uint32_t *word = &page->party[link->n].word;
	for (uint32_t seen = 0;; seen++) {
		while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen)
			syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
		if (link->n + 1 == link->hops)
			page->end_ns = bench_now_ns();
		chain_wake(&page->party[link->n + 1].word);
	}
}

struct bench_chain *
bench_chain_new(unsigned hops)
{
	struct bench_chain *chain = calloc(1, sizeof(*chain));
	if (!chain || hops == 0 || hops > CHAIN_MAX) {
		free(chain);
		return NULL;
	}
	chain->page = mmap(NULL, sizeof(*chain->page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned k = 0; k < hops && chain->page != MAP_FAILED; k++) {
		struct link link = {chain->page, k, hops};
		chain->pid[k] = bench_party(chain_pass_on, &link, k + 1);
		chain->hops += chain->pid[k] > 0;
	}
	if (chain->hops == hops)
		return chain;
	bench_chain_free(chain);
	return NULL;
}

void
bench_chain_free(struct bench_chain *chain)
{
	if (!chain)
		return;
	for (unsigned k = 0; k < CHAIN_MAX; k++)
		bench_reap(chain->pid[k]);
	if (chain->page != MAP_FAILED)
		munmap(chain->page, sizeof(*chain->page));
	free(chain);
}

int
bench_chain_run(struct bench_chain *chain, double *ns)
{
	const struct timespec limit = {.tv_sec = CHAIN_LIMIT_S};
	uint32_t *back = &chain->page->party[chain->hops].word, before = *back;
	uint64_t start = bench_now_ns();
	chain_wake(&chain->page->party[0].word);
	while (__atomic_load_n(back, __ATOMIC_ACQUIRE) == before)
		if (syscall(SYS_futex, back, FUTEX_WAIT, before, &limit, NULL, 0) < 0 && errno == ETIMEDOUT)
			return -ETIMEDOUT;
	*ns = (double)(chain->page->end_ns - start);
	return 0;
}
