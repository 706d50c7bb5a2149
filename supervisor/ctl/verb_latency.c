/* verb_latency.c - how long events take, from the processes' own histograms; read as a third party */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/units.h"
#include "supervisor/ctl/bound.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/latency.h"
#include "supervisor/ctl/output.h"

#define HISTS 8u

static struct bh_hist before[BH_MAX_SLOTS][HISTS];

static const struct bh_hist *
hists_of(const struct direct *d, unsigned slot, uint32_t *count)
{
	*count = 0;
	const struct bh_hist *h = d->self[slot].base ? bh_seg_section(&d->self[slot], BH_SEC_HISTS, sizeof(*h), count) : NULL;
	*count = !h ? 0 : *count < HISTS ? *count : HISTS;
	return h;
}

static void
remember(const struct direct *d)
{
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		uint32_t n;
		const struct bh_hist *h = hists_of(d, s, &n);
		if (n)
			memcpy(before[s], h, n * sizeof(*h));
	}
}

static void
put_all(const struct direct *d, int only, struct bh_wire_out *o)
{
	static struct bh_hist since;
	bh_wire_map(o, NULL);
	bh_wire_array(o, "latency");
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		uint32_t n;
		const struct bh_hist *h = hists_of(d, s, &n);
		for (uint32_t k = 0; k < n; k++) {
			latency_since(&h[k], &before[s][k], &since);
			if (since.name[0] && (only < 0 || only == (int)s))
				latency_put(s == BH_SLOT_ROUTER ? "router" : bound_process(&d->view, (uint16_t)s), &since, o);
		}
	}
	bh_wire_close(o);
	bh_wire_close(o);
}

static int
print_all(struct ctl *ctl, const struct direct *d, const char *name)
{
	struct bh_wire_error err = {0};
	struct bh_wire_out out;
	struct bh_wire_in in;
	int only = name ? bh_view_find_proc(&d->view, name, &err) : -1, code = CTL_FAILED;
	if (name && only < 0)
		return ctl_show_error(ctl, &err);
	bh_wire_out_init(&out);
	put_all(d, only, &out);
	if (!out.failed && bh_wire_in_init(&in, out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) == 0) {
		ctl->out->latency(stdout, in.root);
		bh_wire_in_fini(&in);
		code = CTL_OK;
	}
	bh_wire_out_fini(&out);
	return code;
}

int
verb_latency(struct ctl *ctl, int argc, char **argv)
{
	static struct direct d;
	int code = ctl_look(ctl, &d);
	if (code == CTL_OK && ctl->timeout > 0) {
		remember(&d);
		direct_close(&d);
		struct timespec t = {.tv_sec = (time_t)ctl->timeout,
				     .tv_nsec = (long)((ctl->timeout - (double)(time_t)ctl->timeout) * 1e9)};
		while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
			;
		code = ctl_look(ctl, &d);
	}
	if (code != CTL_OK)
		return code;
	code = print_all(ctl, &d, argc ? argv[0] : NULL);
	direct_close(&d);
	return code;
}
