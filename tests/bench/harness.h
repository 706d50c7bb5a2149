/*
 * harness.h - measure one thing against another on a machine that is never quiet
 *
 * Absolute times mean little on a shared or virtual machine: the same program is three times as fast when the host moves two
 * virtual CPUs to one core. So a bench measures a *subject* against an *anchor* in the same seconds and prints ratios:
 *
 *   round      floor  subject  anchor  anchor  subject  floor		ratio of the sums
 *   self test  floor  subject  subject subject subject  floor		the same ratio, which ought to be 1
 *
 * A round whose two floors differ by more than a quarter is dropped: the placement changed under it. The figure is the
 * median of at least 15 rounds. Where the self test misses 1 by more than half of what a bar allows, or too many rounds
 * were dropped, the verdict is `inconclusive`; else `met` or `missed`. A bench never fails a build because of time.
 *
 * The report goes to stdout, and into $BH_BENCH_DIR/NAME.txt where that is set; its lines begin with `bench`, `figure`, `bar`:
 *
 *   bar ring_hop p50: 1.11 <= 1.25 met
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What one measurement yields; nanoseconds unless the plan names another unit. */
struct bench_figures {
	double p50, p99;
};

/* One way of doing the thing. A measurement should take 2 to 50 ms: short enough to be interleaved. */
struct bench_way {
	const char *name;
	int (*measure)(void *arg, struct bench_figures *out); /* 0 or -errno */
	void *arg;
};

enum bench_figure { BENCH_P50, BENCH_P99 };

/* The subject's figure is to be at most `limit` times the anchor's. */
struct bench_bar {
	enum bench_figure figure;
	double limit; /* above 1; 0 ends the list */
};

#define BENCH_BARS 4

struct bench_plan {
	const char *name;
	const char *unit; /* NULL = "ns" */
	const char *tail; /* what its ways put into p99 if it is another quantile: "p95"; NULL = "p99" */
	struct bench_way subject, anchor, floor; /* the floor may be the anchor */
	struct bench_bar bar[BENCH_BARS];
	unsigned rounds;     /* to be kept; 0, and less than 15, means 15 */
	unsigned rounds_max; /* before giving up; 0 = four times `rounds` */
};

enum bench_verdict { BENCH_MET, BENCH_MISSED, BENCH_INCONCLUSIVE };

/* Run the plan and print its report. The worst verdict of its bars, or -errno where something could not be measured. */
int bench_run(const struct bench_plan *plan);

/* One more line of the same report, by itself: a count against a limit that must hold exactly. Returns BENCH_MET or _MISSED. */
int bench_count(const char *bench, const char *what, double count, double limit);

/* A line of the report, printf-like; `kind` is "bench", "figure" or "bar". */
void bench_print(const char *bench, const char *kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------------ tools for measuring functions */

uint64_t bench_now_ns(void); /* CLOCK_MONOTONIC */

/* Quantiles of samples, which are sorted in place. The second with another quantile than 0.99 in p99. */
void bench_quantiles(double *samples, size_t n, struct bench_figures *out);
void bench_quantiles_tail(double *samples, size_t n, double tail, struct bench_figures *out);
double bench_median(const double *samples, unsigned n); /* of up to 256 */

/* CPUs that this process may use when it first asks, and pinning the caller to the k-th of them (modulo their number). */
unsigned bench_cpus(void);
int bench_pin(unsigned k);
int bench_unpin(void); /* to all of them again */

/*
 * Run `party(arg)` in a child pinned to the k-th CPU; it is killed when its parent ends. Returns its pid or -errno.
 * bench_reap() kills it (if it still runs) and collects it.
 */
pid_t bench_party(void (*party)(void *arg), void *arg, unsigned k);
void bench_reap(pid_t pid);
