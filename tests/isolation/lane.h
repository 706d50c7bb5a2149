/*
 * lane.h - a desk that is the test itself, and the way from it through the pipeline to a driver
 *
 * A lane is one desk's socket (the test listens, bh-surface connects) and the parameter that its fader 1 sets. A sample writes one
 * fader message and reads the moment at which the driver had applied it: both by CLOCK_BOOTTIME, so nobody's polling counts.
 * What cannot be ends the test with a message.
 */
#pragma once

#include "tests/lib/pipeline.h"

struct lane {
	struct pipeline *pl; /* borrowed */
	char driver[24], param[24];
	int listener, fd; /* owned */
	uint32_t position;
	uint64_t moves; /* fader messages written */
	double *ns; /* owned: samples of the slice in hand */
	size_t n, cap;
	void (*between)(void *data); /* called before each sample; may be NULL */
	void *data;
};

/* Listen at `dir`/`name`.sock; before the pipeline starts. */
void lane_listen(struct lane *l, struct pipeline *pl, const char *name);
/* After it: wait for bh-surface, and lay a finger on fader 1. */
void lane_connect(struct lane *l, const char *driver, const char *param);
void lane_close(struct lane *l); /* zeroed is fine */
/* Write all of it; drain what the host has sent. */
void lane_send(struct lane *l, const uint8_t *bytes, size_t len);
void lane_drain(struct lane *l);
/* Write all of a few bytes, or nothing if the surface takes no more for now. */
bool lane_try(struct lane *l, const uint8_t *bytes, size_t len);
/* The next position of fader 1. */
void lane_next_move(struct lane *l, uint8_t message[3]);
/* Has bh-surface hung up, or connected anew? */
bool lane_was_dropped(struct lane *l);
/*
 * What others notice, by slices of lanes that are interleaved: quiet, disturbed, disturbed, quiet is a round. Its figure is the ratio of
 * the sums of the two p99s; the report's is the median of the rounds, judged as by bench_run(): `inconclusive` where the two
 * quiet slices differ, by their median ratio, by more than half of what the bar allows.
 */
#define NOTICE_ROUNDS 256
struct notice_bar {
	const char *bench, *what;
	double limit;
	double p99[4], ratio[NOTICE_ROUNDS], self[NOTICE_ROUNDS], quiet_p99[NOTICE_ROUNDS], disturbed_p99[NOTICE_ROUNDS];
	double quiet_p50[NOTICE_ROUNDS], disturbed_p50[NOTICE_ROUNDS], p50[4];
	unsigned slice, rounds;
	size_t samples;
};

/* Takes the samples of the lane's slice; the fourth completes a round. */
void notice_take(struct notice_bar *bar, struct lane *l);
void notice_print(const struct notice_bar *bar);

/* Samples for so long, one in about pace_us; added to those of the slice. Nothing may stay away. */
void lane_measure(struct lane *l, unsigned ms, unsigned pace_us);
