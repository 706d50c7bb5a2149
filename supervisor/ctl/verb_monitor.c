/* verb_monitor.c - what happens, in plain words */
#include "common/wire/view.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/watch.h"

/*
 * Without a name: what hands do, what is wanted and what is reported, who is how. With one: everything between it and the
 * others. It only looks: levels are neither shown nor asked for, which would have drivers and backends work for it.
 */
static bool
monitor_ring(const struct bh_view *v, uint16_t from, uint16_t to, int only)
{
	if (only >= 0)
		return from == only || to == only;
	uint8_t a = ctl_role(v, from), b = ctl_role(v, to);
	if (a == BH_ROLE_SURFACE || a == BH_ROLE_DRIVER)
		return b == BH_ROLE_ROUTER;
	if (a == BH_ROLE_ROUTER)
		return b == BH_ROLE_DRIVER;
	if (a == BH_ROLE_SUPERVISOR)
		return b == BH_ROLE_CONTROL; /* it is told of everybody's health, as all are: once is enough */
	return a == BH_ROLE_CONTROL && (b == BH_ROLE_ROUTER || b == BH_ROLE_SUPERVISOR);
}

static bool
monitor_event(const struct bh_event *ev, int only)
{
	(void)only;
	switch ((enum bh_event_kind)ev->kind) {
	case BH_EV_VALUE:
	case BH_EV_TOUCH:
	case BH_EV_RELEASE:
	case BH_EV_RELATIVE:
	case BH_EV_PRESS:
	case BH_EV_ACTION:
	case BH_EV_DROPPED:
	case BH_EV_DIRECTORY:
	case BH_EV_HEALTH:
	case BH_EV_REQUEST: return true;
	case BH_EV_METER: /* twenty a second and channel: trace shows them */
	case BH_EV_RESULT:
	case BH_EV_NONE:
	case BH_EV_MAIL:
	case BH_EV_RESYNC:
	case BH_EV_DIRTY:
	case BH_EV_OWED:
	case BH_EV_KIND_COUNT: break;
	}
	return false;
}

int
verb_monitor(struct ctl *ctl, int argc, char **argv)
{
	return ctl_watch(ctl, argc ? argv[0] : NULL, ctl->last < 0 ? 0 : ctl->last, monitor_ring, monitor_event, ctl->out->words);
}
