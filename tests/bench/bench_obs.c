/*
 * bench_obs - from a fader to OBS and back to the desk, against a bare client of OBS and six bare futex hops
 *
 * The router shows what is wanted at once, so the fader that is moved cannot tell when OBS has answered. Hence two drivers on one
 * OBS: fader 1 sets the volume through the one, fader 2 follows what the other hears OBS say. A sample is from the desk's write of fader 1 to the
 * arrival of fader 2's motor: six hops between processes, and OBS in the middle.
 *
 *	desk -> surface -> router -> obs -> OBS -> mirror -> router -> surface -> desk
 *
 * The bare client sends the same request on a connection of its own and waits for the same event; TCP_NODELAY, TCP_QUICKACK and all. Both
 * are paced alike and in turn, on the same OBS, so slowly that the motor's own period (50 a second) is over. The six hops are a chain of
 * six processes that sleep on futexes, on two CPUs in turn, each time right after the client and paced as it is: who is woken every
 * 23 ms has grown cold.
 *
 *	p50 <= 1.15 x the client + six hops		p95 <= 1.25 x the client + six hops
 *
 * What is counted, and may fail: how often the two drivers wake up for one round trip.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/units.h"
#include "tests/bench/futex_hop.h"
#include "tests/bench/harness.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/pipeline.h"

#define PORT 4455
#define PASSWORD "secret123"
#define SAMPLES 24u
#define HOPS 6u
#define TAIL 0.95
#define P50_LIMIT 1.15
#define P95_LIMIT 1.25
#define COUNTED 200u	      /* round trips whose wake-ups are counted */
#define WAKEUPS_OBS 4.0	      /* the value, the answer, the event; and what comes in between */
#define WAKEUPS_MIRROR 2.0    /* the event */
#define ANSWER_MS 10000
#define STEP 48		      /* of the fader, from one round trip to the next */

static const struct bench_hop pace = {.pace_us = 23000}; /* motors are sent at most every 20 ms */

static struct pipeline pl;
static struct obs_client *client;
static struct bench_chain *chain;
static int desk = -1;
static uint32_t position = 4000;
static double client_db = -20;

/* ------------------------------------------------------------------ the pipeline */

/* Does the desk's input move fader 2 to where fader 1 was put? System exclusives are passed over; running status is not used. */
static bool
moves_fader2(const uint8_t *b, ssize_t len, bool *in_sysex)
{
	bool moves = false;
	for (ssize_t i = 0; i < len; i++) {
		if (b[i] == 0xf0 || b[i] == 0xf7)
			*in_sysex = b[i] == 0xf0;
		else if (!*in_sysex && b[i] == 0xe1 && i + 2 < len)
			moves |= abs((b[i + 1] | b[i + 2] << 7) - (int)position) < STEP / 2;
	}
	return moves;
}

static void
drain_desk(void)
{
	uint8_t b[4096];
	while (recv(desk, b, sizeof(b), MSG_DONTWAIT) > 0)
		;
}

static int
await_fader2(void)
{
	struct pollfd p = {.fd = desk, .events = POLLIN};
	bool in_sysex = false;
	uint8_t b[4096];
	for (;;) {
		int r = poll(&p, 1, ANSWER_MS);
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		ssize_t n = recv(desk, b, sizeof(b), MSG_DONTWAIT);
		if (n <= 0)
			return -EPIPE;
		if (moves_fader2(b, n, &in_sysex))
			return 0;
	}
}

static int
round_trip(double *ns)
{
	position = position > 12000 ? 4000 : position + STEP;
	uint8_t msg[3] = {0xe0, (uint8_t)(position & 0x7f), (uint8_t)(position >> 7)};
	drain_desk();
	uint64_t start = bench_now_ns();
	if (send(desk, msg, 3, MSG_NOSIGNAL) != 3)
		return -EPIPE;
	int r = await_fader2();
	*ns = (double)(bench_now_ns() - start);
	return r;
}

static int
measure_pipeline(void *arg, struct bench_figures *out)
{
	double s[SAMPLES];
	(void)arg;
	for (unsigned i = 0; i < SAMPLES; i++) {
		bench_pace(&pace);
		int r = round_trip(&s[i]);
		if (r < 0)
			return r;
	}
	bench_quantiles_tail(s, SAMPLES, TAIL, out);
	return 0;
}

/* ------------------------------------------------------------------ the bare client and the hops */

static double
client_round_trip(void)
{
	client_db = client_db > -3 ? -20 : client_db + 0.11;
	uint64_t start = bench_now_ns();
	uint32_t number = obs_client_send(client, "SetInputVolume", "{'inputName': 'Mic', 'inputVolumeDb': %.2f}", client_db);
	/* Not the event of an earlier change. */
	while (fabs(obs_number(obs_client_event(client, "InputVolumeChanged", "inputName", "Mic"), "inputVolumeDb") - client_db) > 0.01)
		;
	double ns = (double)(bench_now_ns() - start);
	obs_client_wait(client, number);
	return ns;
}

static int
measure_hops(void *arg, struct bench_figures *out)
{
	double s[SAMPLES];
	(void)arg;
	for (unsigned i = 0; i < SAMPLES; i++) {
		bench_pace(&pace);
		int r = bench_chain_run(chain, &s[i]);
		if (r < 0)
			return r;
	}
	bench_quantiles_tail(s, SAMPLES, TAIL, out);
	return 0;
}

struct both {
	double client[2][256], hops[2][256];
	unsigned n;
};

static int
measure_client_and_hops(void *arg, struct bench_figures *out)
{
	struct both *b = arg;
	double s[SAMPLES], sum[SAMPLES];
	struct bench_figures c, h;
	obs_client_forget(client);
	for (unsigned i = 0; i < SAMPLES; i++) {
		bench_pace(&pace);
		s[i] = client_round_trip();
		bench_pace(&pace);
		int r = bench_chain_run(chain, &sum[i]);
		if (r < 0)
			return r;
	}
	bench_quantiles_tail(s, SAMPLES, TAIL, &c);
	bench_quantiles_tail(sum, SAMPLES, TAIL, &h);
	if (b->n < 256) {
		b->client[0][b->n] = c.p50;
		b->client[1][b->n] = c.p99;
		b->hops[0][b->n] = h.p50;
		b->hops[1][b->n++] = h.p99;
	}
	/* So that "at most the limit times this" is "at most the limit times the client, and the hops". */
	out->p50 = c.p50 + h.p50 / P50_LIMIT;
	out->p99 = c.p99 + h.p99 / P95_LIMIT;
	return 0;
}

/* ------------------------------------------------------------------ what is counted */

/* How often it went to sleep of its own will; 0 where that cannot be read. */
static unsigned long
sleeps_of(const char *name)
{
	char path[64], line[128];
	unsigned long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pipeline_pid(&pl, name));
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static int
count_wakeups(void)
{
	unsigned long obs = sleeps_of("obs"), mirror = sleeps_of("mirror");
	double ns;
	for (unsigned i = 0; i < COUNTED; i++) {
		bench_pace(&pace);
		int r = round_trip(&ns);
		if (r < 0)
			return r;
	}
	bench_pace(&pace);
	int a = bench_count("obs_round_trip", "wake-ups of the driver that sets, per round trip", (double)(sleeps_of("obs") - obs) / COUNTED, WAKEUPS_OBS);
	int b = bench_count("obs_round_trip", "wake-ups of the driver that hears, per round trip", (double)(sleeps_of("mirror") - mirror) / COUNTED,
			    WAKEUPS_MIRROR);
	return a == BENCH_MET && b == BENCH_MET ? BENCH_MET : BENCH_MISSED;
}

/* ------------------------------------------------------------------ set-up */

static int
listen_for_surface(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/desk.sock", pl.dir);
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l < 0 || bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 1) < 0)
		return -errno;
	return l;
}

static int
start_pipeline(void)
{
	static const char yaml[] = "bulkhead: 1\n"
				   "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
				   "drivers:\n"
				   "  obs: {kind: obs, password: " PASSWORD ", stats_ms: 60s, media_ms: 10s}\n"
				   "  mirror: {kind: obs, password: " PASSWORD ", stats_ms: 60s, media_ms: 10s}\n"
				   "pages:\n  - name: Mix\n    bindings: {fader1: obs/input/Mic/volume, fader2: mirror/input/Mic/volume}\n";
	pipeline_prepare(&pl, yaml);
	int l = listen_for_surface();
	if (l < 0)
		return l;
	pipeline_run(&pl);
	desk = accept(l, NULL, NULL);
	close(l);
	if (desk < 0 || !pipeline_until(30000, pipeline_all_ok(&pl)))
		return -ETIMEDOUT;
	/* A hand holds fader 1, and nobody fader 2. */
	static const uint8_t touch[3] = {0x90, 0x68, 0x7f};
	if (send(desk, touch, 3, MSG_NOSIGNAL) != 3)
		return -EPIPE;
	/* The first may be lost on what the pipeline has still to learn. */
	double ns;
	int r = -ETIMEDOUT;
	for (unsigned i = 0; i < 3 && r < 0; i++)
		r = round_trip(&ns);
	return r;
}

static struct obs_peer *
start_obs(void)
{
	struct obs_peer *obs = obs_peer_new(PORT, PASSWORD);
	obs_peer_colour(obs, "Red", 0xff0000ff);
	obs_peer_tone(obs, "Mic", 440, 0.25);
	obs_peer_scene(obs, "Scene 1", "Red", "Mic", NULL);
	obs_peer_start(obs);
	return obs;
}

static int
run(void)
{
	static struct both both;
	int r = start_pipeline();
	if (r < 0) {
		fprintf(stderr, "bench_obs: the pipeline did not come up: %s\n%s\n", strerror(-r), pipeline_log(&pl));
		return r;
	}
	chain = bench_chain_new(HOPS);
	if (!chain)
		return -ECHILD;
	client = obs_client_open(PORT, PASSWORD, 1u << 3);
	const struct bench_plan plan = {
		.name = "obs_round_trip", .tail = "p95", .subject = {"fader to OBS and back to the desk", measure_pipeline, NULL},
		.anchor = {"bare client, and six futex hops", measure_client_and_hops, &both}, .floor = {"six futex hops", measure_hops, NULL},
		.bar = {{BENCH_P50, P50_LIMIT}, {BENCH_P99, P95_LIMIT}},
		.rounds_max = 30,
	};
	r = bench_run(&plan);
	if (r >= 0) {
		bench_print(plan.name, "figure", "bare client: p50 %.1f p95 %.1f ns", bench_median(both.client[0], both.n), bench_median(both.client[1], both.n));
		bench_print(plan.name, "figure", "six futex hops: p50 %.1f p95 %.1f ns", bench_median(both.hops[0], both.n), bench_median(both.hops[1], both.n));
		r = count_wakeups();
	}
	obs_client_close(client);
	bench_chain_free(chain);
	return r;
}

int
main(void)
{
	if (bench_cpus() < 2) {
		bench_print("obs_round_trip", "bench", "skipped: needs two CPUs");
		return 77;
	}
	const char *why = obs_peer_prepare();
	if (why) {
		bench_print("obs_round_trip", "bench", "skipped: %s", why);
		return 77;
	}
	struct obs_peer *obs = start_obs();
	int r = run();
	pipeline_stop(&pl);
	pipeline_clean(&pl);
	obs_peer_free(obs);
	return r == BENCH_MET ? 0 : 1;
}
