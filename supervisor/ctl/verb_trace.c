/* verb_trace.c - every event into and out of one process, decoded */
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/watch.h"

static bool
trace_ring(const struct bh_view *v, uint16_t from, uint16_t to, int only)
{
	(void)v;
	return from == only || to == only;
}

static bool
trace_event(const struct bh_event *ev, int only)
{
	(void)ev, (void)only;
	return true;
}

int
verb_trace(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ctl_watch(ctl, argv[0], ctl->last < 0 ? 20 : ctl->last, trace_ring, trace_event, ctl->out->trace);
}
