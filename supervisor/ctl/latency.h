/* latency.h - the histograms of a pipeline's processes, and what came to them between two looks. Pure. */
#pragma once

#include "common/wire/msg.h"
#include "shm/hist.h"
#include "shm/seg.h"

/* What was added since `before` (zeroed = since the start). Buckets that count less than before are of a new process: taken whole. */
void latency_since(const struct bh_hist *now, const struct bh_hist *before, struct bh_hist *out);

/* A map: process, measure, count, p50_us, p90_us, p99_us, max_us (the largest bucket's upper edge), mean_us. */
void latency_put(const char *process, const struct bh_hist *h, struct bh_wire_out *o);

/* What is measured, in words: "hand to driver". */
const char *latency_words(const char *measure);
