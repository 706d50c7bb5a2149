/* lane.c - see lane.h */
#include "tests/isolation/lane.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/harness.h"

void
lane_listen(struct lane *l, struct pipeline *pl, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	memset(l, 0, sizeof(*l));
	l->pl = pl;
	l->fd = -1;
	l->position = 4000;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s.sock", pl->dir, name);
	l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert(l->listener >= 0 && bind(l->listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(l->listener, 4) == 0);
}

void
lane_connect(struct lane *l, const char *driver, const char *param)
{
	static const uint8_t touch[3] = {0x90, 0x68, 0x7f};
	snprintf(l->driver, sizeof(l->driver), "%s", driver);
	snprintf(l->param, sizeof(l->param), "%s", param);
	ck_assert_msg(pipeline_until(20000, (l->fd = accept(l->listener, NULL, NULL)) >= 0), "no surface connects\n%s", pipeline_log(l->pl));
	lane_send(l, touch, sizeof(touch));
}

void
lane_close(struct lane *l)
{
	if (l->fd > 0)
		close(l->fd);
	if (l->listener > 0)
		close(l->listener);
	free(l->ns);
	memset(l, 0, sizeof(*l));
}

void
lane_drain(struct lane *l)
{
	uint8_t drain[4096];
	while (recv(l->fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
		;
}

bool
lane_was_dropped(struct lane *l)
{
	uint8_t byte;
	lane_drain(l);
	int again = accept(l->listener, NULL, NULL);
	if (again >= 0)
		close(again);
	return again >= 0 || recv(l->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

void
lane_send(struct lane *l, const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		lane_drain(l);
		ssize_t n = send(l->fd, bytes + at, len - at, MSG_NOSIGNAL);
		ck_assert_msg(n > 0, "the surface has hung up: %m\n%s", pipeline_log(l->pl));
		at += (size_t)n;
	}
}

bool
lane_try(struct lane *l, const uint8_t *bytes, size_t len)
{
	lane_drain(l);
	ssize_t n = send(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	ck_assert_msg(n == (ssize_t)len || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)), "the surface has hung up: %m\n%s", pipeline_log(l->pl));
	return n > 0;
}

/* Each differs from the one before by more than a step, and none is near an end. */
void
lane_next_move(struct lane *l, uint8_t message[3])
{
	l->position = l->position > 12000 ? 4000 : l->position + 40;
	message[0] = 0xe0;
	message[1] = (uint8_t)(l->position & 0x7f);
	message[2] = (uint8_t)(l->position >> 7);
}

static void
keep(struct lane *l, double ns)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 4096;
		l->ns = realloc(l->ns, l->cap * sizeof(*l->ns));
		ck_assert_ptr_nonnull(l->ns);
	}
	l->ns[l->n++] = ns;
}

static bool
has_come(struct lane *l, uint32_t gen, struct bh_cell_body *c)
{
	return pipeline_reported(l->pl, l->driver, l->param, c) && c->gen != gen;
}

void
lane_measure(struct lane *l, unsigned ms, unsigned pace_us)
{
	uint64_t end = bh_mono_ns() + ms * BH_NS_PER_MS;
	while (bh_mono_ns() < end) {
		struct bh_cell_body before = {0}, after;
		if (l->between)
			l->between(l->data);
		pipeline_reported(l->pl, l->driver, l->param, &before);
		uint8_t move[3];
		lane_next_move(l, move);
		l->moves++;
		uint64_t sent = bh_now_ns();
		lane_send(l, move, sizeof(move));
		usleep(pace_us);
		ck_assert_msg(pipeline_until(10000, has_come(l, before.gen, &after)), "a move of the desk did not arrive at %s/%s\n%s",
			      l->driver, l->param, pipeline_log(l->pl));
		keep(l, (double)(after.stamp_ns - sent));
	}
}

/* ------------------------------------------------------------------ what others notice */

void
notice_take(struct notice_bar *bar, struct lane *l)
{
	struct bench_figures f;
	ck_assert_uint_gt(l->n, 0);
	bench_quantiles(l->ns, l->n, &f);
	bar->samples += l->n;
	l->n = 0;
	bar->p50[bar->slice] = f.p50;
	bar->p99[bar->slice++] = f.p99;
	if (bar->slice < 4)
		return;
	bar->slice = 0;
	if (bar->rounds == NOTICE_ROUNDS)
		return;
	unsigned k = bar->rounds++;
	bar->quiet_p50[k] = (bar->p50[0] + bar->p50[3]) / 2;
	bar->disturbed_p50[k] = (bar->p50[1] + bar->p50[2]) / 2;
	bar->quiet_p99[k] = (bar->p99[0] + bar->p99[3]) / 2;
	bar->disturbed_p99[k] = (bar->p99[1] + bar->p99[2]) / 2;
	bar->ratio[k] = bar->disturbed_p99[k] / bar->quiet_p99[k];
	bar->self[k] = bar->p99[0] / bar->p99[3];
}

void
notice_print(const struct notice_bar *bar)
{
	if (!bar->rounds)
		return;
	double ratio = bench_median(bar->ratio, bar->rounds), self = bench_median(bar->self, bar->rounds);
	const char *verdict = ratio <= bar->limit ? "met" : "missed";
	if (fabs(self - 1) > (bar->limit - 1) / 2)
		verdict = "inconclusive";
	bench_print(bar->bench, "figure", "%s: p50 %.1f us p99 %.1f us, quiet p50 %.1f us p99 %.1f us; %zu samples in %u rounds", bar->what,
		    bench_median(bar->disturbed_p50, bar->rounds) / 1e3, bench_median(bar->disturbed_p99, bar->rounds) / 1e3,
		    bench_median(bar->quiet_p50, bar->rounds) / 1e3, bench_median(bar->quiet_p99, bar->rounds) / 1e3, bar->samples, bar->rounds);
	bench_print(bar->bench, "bar", "%s p99: %.2f <= %.2f %s (quiet against quiet %.2f)", bar->what, ratio, bar->limit, verdict, self);
}
