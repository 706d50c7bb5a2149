/* hist.c - see hist.h */
#include "shm/hist.h"

#include "shm/words.h"

/* Below 32 a bucket holds one value; above, the five bits after the leading one choose it. */
unsigned
bh_hist_bucket(uint64_t ns)
{
	if (ns < BH_HIST_SUB)
		return (unsigned)ns;
	unsigned top_bit = 63u - (unsigned)__builtin_clzll(ns);
	unsigned bucket = (top_bit - 4) * BH_HIST_SUB + (unsigned)(ns >> (top_bit - 5) & (BH_HIST_SUB - 1));
	return bucket < BH_HIST_BUCKETS ? bucket : BH_HIST_BUCKETS - 1;
}

uint64_t
bh_hist_bucket_top(unsigned bucket)
{
	if (bucket < BH_HIST_SUB)
		return bucket;
	if (bucket >= BH_HIST_BUCKETS)
		bucket = BH_HIST_BUCKETS - 1;
	unsigned shift = bucket / BH_HIST_SUB - 1;
	return ((uint64_t)(BH_HIST_SUB + bucket % BH_HIST_SUB + 1) << shift) - 1;
}

void
bh_hist_add(struct bh_hist *h, uint64_t ns)
{
	uint32_t *bucket = &h->bucket[bh_hist_bucket(ns)];
	__atomic_store_n(bucket, __atomic_load_n(bucket, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
	shm_count(&h->count, 1);
	shm_count(&h->sum_ns, ns);
	if (ns > __atomic_load_n(&h->max_ns, __ATOMIC_RELAXED))
		__atomic_store_n(&h->max_ns, ns, __ATOMIC_RELAXED);
}

uint64_t
bh_hist_quantile(const struct bh_hist *h, unsigned permille)
{
	/* The buckets' own sum, not `count`: they move while we look, and the two may be out of step. */
	uint64_t total = 0;
	for (unsigned k = 0; k < BH_HIST_BUCKETS; k++)
		total += __atomic_load_n(&h->bucket[k], __ATOMIC_RELAXED);
	if (!total)
		return 0;
	uint64_t rank = (total * (permille < 1000 ? permille : 1000) + 999) / 1000;
	if (!rank)
		rank = 1;
	uint64_t below = 0;
	unsigned highest = 0;
	for (unsigned k = 0; k < BH_HIST_BUCKETS; k++) {
		uint32_t n = __atomic_load_n(&h->bucket[k], __ATOMIC_RELAXED);
		below += n;
		if (n)
			highest = k;
		if (below >= rank)
			break;
	}
	return bh_hist_bucket_top(highest);
}
