/*
 * bench_confine.c - what confinement adds to a start, for the profile of each program
 *
 * A child of a small process enters the profile once and tells how long that took. A spare has done it before it is needed,
 * so that a warm start has none of it. The bar is that of a cold one, and absolute: 100 us at the median.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/harness.h"
#include "tests/lib/profile.h"

#define ROUNDS 200u
#define LIMIT_US 100.0

static double
one_start(const struct bh_sandbox_plan *plan)
{
	double took = -1;
	int p[2];
	if (pipe(p) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		uint64_t from = bench_now_ns();
		bh_sandbox_enter(plan);
		took = (double)(bench_now_ns() - from);
		_exit(write(p[1], &took, sizeof(took)) != (ssize_t)sizeof(took));
	}
	close(p[1]);
	if (pid < 0 || read(p[0], &took, sizeof(took)) != (ssize_t)sizeof(took))
		took = -1;
	close(p[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return took;
}

int
main(void)
{
#ifdef BH_UNCONFINED
	printf("bench_confine: %s\n", BH_UNCONFINED);
	return 77;
#endif
	static struct bh_sandbox_plan plan;
	static double sample[ROUNDS];
	bench_pin(0);
	for (unsigned k = 0; k < PROFILE_KINDS; k++) {
		struct bench_figures f;
		const char *why = profile_read(profile_kinds[k], "/tmp", &plan);
		if (why) {
			fprintf(stderr, "bench_confine: bh-%s: %s\n", profile_kinds[k], why);
			return 1;
		}
		for (unsigned i = 0; i < ROUNDS; i++) {
			sample[i] = one_start(&plan);
			if (sample[i] < 0)
				return 1;
		}
		bench_quantiles(sample, ROUNDS, &f);
		bench_print("confine", "figure", "%s: p50 %.0f us, p99 %.0f us", profile_kinds[k], f.p50 / 1e3, f.p99 / 1e3);
		bench_count("confine", profile_kinds[k], f.p50 / 1e3, LIMIT_US);
	}
	return 0;
}
