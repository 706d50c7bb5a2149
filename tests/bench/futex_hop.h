/*
 * futex_hop.h - the anchor of every blocking hop: one process wakes another that sleeps on a word, nothing else
 *
 * The sender stores a time into a shared line and calls FUTEX_WAKE; the receiver, pinned to another CPU and asleep, takes
 * the time when it is back in user space. One at a time, paced, so that both CPUs have come to rest in between.
 */
#pragma once

#include "tests/bench/harness.h"

struct bench_hop {
	unsigned from_cpu, to_cpu; /* k-th of the CPUs that we may use */
	unsigned samples;	   /* 0 = 96 */
	unsigned pace_us;	   /* 0 = 200 */
};

/* A bench_way's measure(); `arg` is a struct bench_hop, or NULL for CPU 0 to CPU 1. One-way times in ns. */
int bench_futex_hop(void *arg, struct bench_figures *out);

/*
 * A chain of `hops` of them: the sum of so many in a row, `samples` times. p99 is the quantile `tail` of the sums.
 */
int bench_futex_chain(const struct bench_hop *hop, unsigned hops, double tail, struct bench_figures *out);

/* Wait until the next sample is due: sleeps, so that the sender's CPU is in the same state each time. */
void bench_pace(const struct bench_hop *hop);
#define BENCH_HOP_SAMPLES 96u
#define BENCH_HOP_PACE_US 200u
