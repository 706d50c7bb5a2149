/* latency.c - see latency.h */
#include "supervisor/ctl/latency.h"

#include <string.h>

void
latency_since(const struct bh_hist *now, const struct bh_hist *before, struct bh_hist *out)
{
	bool is_new = now->count < before->count || memcmp(now->name, before->name, sizeof(now->name)) != 0;
	*out = *now;
	if (is_new)
		return;
	out->count -= before->count;
	out->sum_ns -= before->sum_ns;
	for (unsigned k = 0; k < BH_HIST_BUCKETS; k++)
		out->bucket[k] -= before->bucket[k] <= out->bucket[k] ? before->bucket[k] : out->bucket[k];
}

const char *
latency_words(const char *measure)
{
	if (strcmp(measure, "stamp-to-apply") == 0)
		return "hand to driver";
	return strcmp(measure, "taken") == 0 ? "hand to router" : measure;
}

static double
us(uint64_t ns)
{
	return (double)ns / 1000;
}

void
latency_put(const char *process, const struct bh_hist *h, struct bh_wire_out *o)
{
	char measure[sizeof(h->name) + 1];
	memcpy(measure, h->name, sizeof(h->name));
	measure[sizeof(h->name)] = '\0';
	bh_wire_map(o, NULL);
	bh_wire_str(o, "process", process);
	bh_wire_str(o, "measure", latency_words(measure));
	bh_wire_uint(o, "count", h->count);
	bh_wire_float(o, "p50_us", us(bh_hist_quantile(h, 500)));
	bh_wire_float(o, "p90_us", us(bh_hist_quantile(h, 900)));
	bh_wire_float(o, "p99_us", us(bh_hist_quantile(h, 990)));
	bh_wire_float(o, "max_us", us(bh_hist_quantile(h, 1000)));
	bh_wire_float(o, "mean_us", h->count ? us(h->sum_ns) / (double)h->count : 0);
	bh_wire_close(o);
}
