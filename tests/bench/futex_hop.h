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
 * A chain of hops: so many processes, each asleep on a word of its own until the one before wakes it, on two CPUs in turn. They are as
 * cold as parties that are woken so seldom are. NULL with errno set.
 */
struct bench_chain;
struct bench_chain *bench_chain_new(unsigned hops);
void bench_chain_free(struct bench_chain *chain);
/* Once along it: from before the first call to the last process's being back in user space, in ns. 0 or -errno. */
int bench_chain_run(struct bench_chain *chain, double *ns);

/* Wait until the next sample is due: sleeps, so that the sender's CPU is in the same state each time. */
void bench_pace(const struct bench_hop *hop);
#define BENCH_HOP_SAMPLES 96u
#define BENCH_HOP_PACE_US 200u
