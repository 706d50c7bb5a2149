/* harness.c - see harness.h */
#include "tests/bench/harness.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BENCH_ROUNDS_MIN 15u
#define BENCH_ROUNDS_CAP 256u
#define BENCH_FLOOR_DRIFT 1.25

/* The first line of a report replaces the report of the run before. */
static bool
bench_is_new(const char *bench)
{
	static char names[16][64];
	for (unsigned k = 0; k < 16; k++) {
		if (strncmp(names[k], bench, sizeof(names[k]) - 1) == 0)
			return false;
		if (!names[k][0]) {
			snprintf(names[k], sizeof(names[k]), "%s", bench);
			return true;
		}
	}
	return false;
}

void
bench_print(const char *bench, const char *kind, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	printf("%s %s %s\n", kind, bench, line);
	fflush(stdout);

	const char *dir = getenv("BH_BENCH_DIR");
	if (!dir)
		return;
	char path[512];
	mkdir(dir, 0777);
	snprintf(path, sizeof(path), "%s/%s.txt", dir, bench);
	FILE *file = fopen(path, bench_is_new(bench) ? "w" : "a");
	if (!file)
		return;
	fprintf(file, "%s %s %s\n", kind, bench, line);
	fclose(file);
}

uint64_t
bench_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double
quantile(double *samples, size_t n, double q)
{
	qsort(samples, n, sizeof(*samples), compare_doubles);
	return n ? samples[(size_t)((double)(n - 1) * q + 0.5)] : 0;
}

void
bench_quantiles_tail(double *samples, size_t n, double tail, struct bench_figures *out)
{
	out->p50 = quantile(samples, n, 0.5);
	out->p99 = quantile(samples, n, tail);
}

void
bench_quantiles(double *samples, size_t n, struct bench_figures *out)
{
	bench_quantiles_tail(samples, n, 0.99, out);
}

static const cpu_set_t *
bench_allowed(void)
{
	static cpu_set_t allowed;
	if (!CPU_COUNT(&allowed))
		sched_getaffinity(0, sizeof(allowed), &allowed);
	return &allowed;
}

unsigned
bench_cpus(void)
{
	return (unsigned)CPU_COUNT(bench_allowed());
}

int
bench_pin(unsigned k)
{
	const cpu_set_t *allowed = bench_allowed();
	unsigned left = bench_cpus() ? k % bench_cpus() : 0;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed) || left--)
			continue;
		cpu_set_t one;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) < 0 ? -errno : 0;
	}
	return -ENOENT;
}

int
bench_unpin(void)
{
	return sched_setaffinity(0, sizeof(cpu_set_t), bench_allowed()) < 0 ? -errno : 0;
}

pid_t
bench_party(void (*party)(void *arg), void *arg, unsigned k)
{
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	bench_pin(k);
	party(arg);
	_exit(0);
}

void
bench_reap(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The ratios of all kept rounds, and what each way yielded in them. */
struct series {
	double ratio[2][BENCH_ROUNDS_CAP];
	double subject[2][BENCH_ROUNDS_CAP], anchor[2][BENCH_ROUNDS_CAP], floor[BENCH_ROUNDS_CAP];
	unsigned kept, dropped;
};

static double
figure_of(const struct bench_figures *f, unsigned which)
{
	return which == BENCH_P50 ? f->p50 : f->p99;
}

static int
measure(const struct bench_way *way, struct bench_figures *out)
{
	int ret = way->measure(way->arg, out);
	if (ret == 0 && !(out->p50 > 0))
		ret = -ERANGE;
	if (ret < 0)
		fprintf(stderr, "bench: %s cannot be measured: %s\n", way->name, strerror(-ret));
	return ret;
}

/* One ABBA round with its floors. */
static int
bench_round(const struct bench_plan *plan, const struct bench_way *b, struct series *s)
{
	const struct bench_way *order[6] = {&plan->floor, &plan->subject, b, b, &plan->subject, &plan->floor};
	struct bench_figures got[6];
	for (unsigned k = 0; k < 6; k++) {
		int ret = measure(order[k], &got[k]);
		if (ret < 0)
			return ret;
	}
	double drift = got[0].p50 > got[5].p50 ? got[0].p50 / got[5].p50 : got[5].p50 / got[0].p50;
	if (drift > BENCH_FLOOR_DRIFT) {
		s->dropped++;
		return 0;
	}
	for (unsigned f = 0; f < 2; f++) {
		double subject = figure_of(&got[1], f) + figure_of(&got[4], f);
		double anchor = figure_of(&got[2], f) + figure_of(&got[3], f);
		s->subject[f][s->kept] = subject / 2;
		s->anchor[f][s->kept] = anchor / 2;
		s->ratio[f][s->kept] = anchor > 0 ? subject / anchor : 0;
	}
	s->floor[s->kept++] = (got[0].p50 + got[5].p50) / 2;
	return 0;
}

double
bench_median(const double *samples, unsigned n)
{
	double copy[BENCH_ROUNDS_CAP];
	n = n < BENCH_ROUNDS_CAP ? n : BENCH_ROUNDS_CAP;
	memcpy(copy, samples, n * sizeof(*copy));
	return quantile(copy, n, 0.5);
}

static const char *
tail_of(const struct bench_plan *plan)
{
	return plan->tail ? plan->tail : "p99";
}

static int
print_bar(const struct bench_plan *plan, const struct bench_bar *bar, const struct series *s, const struct series *self,
	  bool enough)
{
	static const char *const words[] = {"met", "missed", "inconclusive"};
	double ratio = bench_median(s->ratio[bar->figure], s->kept), noise = bench_median(self->ratio[bar->figure], self->kept);
	int verdict = ratio <= bar->limit ? BENCH_MET : BENCH_MISSED;
	double off = noise > 1 ? noise - 1 : 1 - noise;
	if (!enough || off > (bar->limit - 1) / 2)
		verdict = BENCH_INCONCLUSIVE;
	bench_print(plan->name, "bar", "%s: %.2f <= %.2f %s (%s against %s; self test %.2f)",
		    bar->figure == BENCH_P50 ? "p50" : tail_of(plan), ratio, bar->limit, words[verdict], plan->subject.name,
		    plan->anchor.name, noise);
	return verdict;
}

int
bench_run(const struct bench_plan *plan)
{
	static struct series s, self;
	const char *unit = plan->unit ? plan->unit : "ns";
	unsigned rounds = plan->rounds > BENCH_ROUNDS_MIN ? plan->rounds : BENCH_ROUNDS_MIN;
	if (rounds > BENCH_ROUNDS_CAP)
		rounds = BENCH_ROUNDS_CAP;
	unsigned limit = plan->rounds_max ? plan->rounds_max : 4 * rounds;
	memset(&s, 0, sizeof(s));
	memset(&self, 0, sizeof(self));
	for (unsigned k = 0; k < limit && (s.kept < rounds || self.kept < rounds); k++) {
		int ret = 0;
		if (s.kept < rounds)
			ret = bench_round(plan, &plan->anchor, &s);
		if (ret == 0 && self.kept < rounds)
			ret = bench_round(plan, &plan->subject, &self);
		if (ret < 0)
			return ret;
	}
	bool enough = s.kept >= rounds && self.kept >= rounds;
	bench_print(plan->name, "bench", "%u rounds kept, %u dropped; self test %u kept, %u dropped", s.kept, s.dropped,
		    self.kept, self.dropped);
	if (!s.kept || !self.kept) {
		bench_print(plan->name, "bar", "inconclusive: no round with a steady floor");
		return BENCH_INCONCLUSIVE;
	}
	bench_print(plan->name, "figure", "%s: p50 %.1f %s %.1f %s", plan->subject.name, bench_median(s.subject[0], s.kept),
		    tail_of(plan), bench_median(s.subject[1], s.kept), unit);
	bench_print(plan->name, "figure", "%s: p50 %.1f %s %.1f %s", plan->anchor.name, bench_median(s.anchor[0], s.kept),
		    tail_of(plan), bench_median(s.anchor[1], s.kept), unit);
	bench_print(plan->name, "figure", "%s (floor): p50 %.1f %s", plan->floor.name, bench_median(s.floor, s.kept), unit);
	int worst = BENCH_MET;
	for (unsigned k = 0; k < BENCH_BARS && plan->bar[k].limit > 0; k++) {
		int verdict = print_bar(plan, &plan->bar[k], &s, &self, enough);
		if (verdict > worst)
			worst = verdict;
	}
	return worst;
}

int
bench_count(const char *bench, const char *what, double count, double limit)
{
	bool met = count <= limit;
	bench_print(bench, "bar", "%s: %g <= %g %s", what, count, limit, met ? "met" : "missed");
	return met ? BENCH_MET : BENCH_MISSED;
}
