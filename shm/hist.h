/*
 * hist.h - latency histogram with log-linear buckets (32 to the octave: within 3.2 %)
 *
 * One writer; anyone reads while it is written and sees a picture that is at most a few samples out of step.
 */
#pragma once

#include <stdint.h>

#include "shm/layout.h"

/* Count one sample. Three stores, no division. */
void bh_hist_add(struct bh_hist *h, uint64_t ns);
/* The value below which `permille` of 1000 samples lie, in ns (the bucket's upper edge); 0 when empty. */
uint64_t bh_hist_quantile(const struct bh_hist *h, unsigned permille);
/* Bucket of a value and the largest value in a bucket: for tests and exporters. */
unsigned bh_hist_bucket(uint64_t ns);
uint64_t bh_hist_bucket_top(unsigned bucket);
