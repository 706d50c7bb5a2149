/*
 * Forty inputs of a real OBS, each with a meter on one of five desks: what bh-obs takes of memory for it; what of a core is for
 * tests/bench/bench_obs_meters.c. Meters that nobody looks at are not asked for.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/obs_load.h"
#include "tests/lib/obs_rig.h"
#include "tests/lib/obs_suite.h"

static struct obs_load load;

static void
setup(void)
{
	/* The tones are media that play: to ask where they are is not what is looked at here. */
	obs_load_start(&load, ", media_ms: 10s");
}

static void
teardown(void)
{
	obs_load_stop(&load);
}

#define must_become(cond) ck_assert_msg(pipeline_until(10000, cond), "%s: %s", #cond, pipeline_log(&load.pl))

START_TEST(forty_meters_move_and_take_little_memory)
{
	for (int n = 0; n < OBS_LOAD_INPUTS; n++)
		must_become(obs_load_meter_moves(&load, n));
	const double kb = obs_load_private_dirty_kb(&load);
	printf("bh-obs with 40 meters: %.0f kB of private dirty memory\n", kb);
#ifndef BH_SANITIZED
	ck_assert_double_le(kb, 2.5 * 1024);
#endif
}
END_TEST

/* A page without a meter: OBS sends none. */
START_TEST(meters_that_nobody_sees_are_not_sent)
{
	must_become(obs_load_meter_moves(&load, 0));
	obs_load_page(&load, "Bare");
	must_become(obs_load_is_silent(&load));
	obs_load_page(&load, "Meters");
	must_become(obs_load_meter_moves(&load, 39));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {forty_meters_move_and_take_little_memory, meters_that_nobody_sees_are_not_sent, NULL};
	return obs_suite_run("obs_meters", 300, setup, teardown, tests);
}
