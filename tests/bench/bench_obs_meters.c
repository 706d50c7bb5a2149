/*
 * bench_obs_meters - forty meters of a real OBS on five desks: what of a core bh-obs takes for them, and how often it wakes up
 *
 * OBS sends the levels of all inputs in one message, 20 times a second. The inputs are media that play, so there are forty questions
 * beside them every media_ms, in one go: that is measured as it comes, and the levels with hardly any of these.
 *
 *	of a core, as it comes <= 1.5 %	   printed: time on a shared machine fails nothing
 *	wake-ups a second <= what OBS sends, and the driver's own timers	counted: it may fail
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/harness.h"
#include "tests/lib/obs_load.h"

#define NAME	    "obs_meters"
#define SECONDS	    20u
#define SHARE_LIMIT 1.5	 /* % of a core */
#define LEVELS	    20.0 /* messages a second */
#define PINGS	    4.0	 /* two a second, and their pongs */
#define STATS	    12.0 /* once a second: a timer, and up to eleven answers */
#define LOOKS	    4.0	 /* at media, a second, by default: a timer, and an answer for each that plays */

static struct obs_load load;

static void
expect_meters(void)
{
	for (int n = 0; n < OBS_LOAD_INPUTS; n++)
		if (!pipeline_until(10000, obs_load_meter_moves(&load, n))) {
			fprintf(stderr, "meter %d does not move: %s\n", n, pipeline_log(&load.pl));
			abort();
		}
}

static int
measure(const char *what, double wakeups)
{
	char text[80];
	expect_meters();
	const struct obs_load_use use = obs_load_use(&load, SECONDS);
	const double share = 100 * use.share;
	bench_print(NAME, "figure", "%s: %.2f %% of a core, %.1f wake-ups a second", what, share, use.wakeups);
	bench_print(NAME, "bar", "%s, %% of a core: %.2f <= %.2f %s", what, share, SHARE_LIMIT, share <= SHARE_LIMIT ? "met" : "missed");
	snprintf(text, sizeof(text), "%s, wake-ups a second", what);
	return bench_count(NAME, text, use.wakeups, wakeups);
}

int
main(void)
{
	const char *why = obs_peer_prepare();
	if (why) {
		bench_print(NAME, "bench", "skipped: %s", why);
		return 77;
	}
	obs_load_start(&load, "");
	int all = measure("40 meters, 40 media", LEVELS + PINGS + STATS + LOOKS * (OBS_LOAD_INPUTS + 1));
	obs_load_configure(&load, ", media_ms: 10s");
	int levels = measure("40 meters", LEVELS + PINGS + STATS);
	obs_load_stop(&load);
	return all == BENCH_MET && levels == BENCH_MET ? 0 : 1;
}
