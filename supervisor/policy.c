/*
 * policy.c - the restart decisions, see policy.h
 *
 * Read the table first: it says for each state and event which move follows, the moves stand below it. It fails in no
 * way: every pair of state and event has a move, an unknown state is taken for STOPPED.
 */
#include "supervisor/policy.h"

#define AFTER_JUDGED 0xff

enum move {
	NONE,	   /* nothing follows */
	REFUSE,	   /* nothing follows, and the one who wished is told */
	GO,	   /* start */
	PARDON,	   /* forget the failures, start */
	OFF,	   /* is stopped from now on */
	HOLD,	   /* is held from now on */
	LEAVE_OFF, /* ask it to leave, then stopped */
	LEAVE_HOLD,
	LEAVE_GO,
	THEN_OFF,  /* it is ending already: what follows */
	THEN_HOLD,
	THEN_GO,
	UP,	   /* is ready */
	JUDGE,	   /* a failure: count, then restart, back off or give up */
	GONE,	   /* left as asked */
	HUNG,	   /* SIGABRT, then SIGKILL */
	OVER,	   /* the same, over a limit */
	LATE,	   /* as HUNG, but never ready */
	KILL,	   /* SIGKILL; the second time: abandon */
};

/* clang-format off */
static const uint8_t moves[BH_POL_STATES][BH_POL_EVENTS] = {
	/*			 START	  STOP	     HOLD	 RELEASE  RESTART   READY  DIED   HANG  OVER  CONFIG  TIMER */
	[BH_POL_STOPPED]     = { PARDON,  NONE,      HOLD,       REFUSE,  PARDON,   NONE,  NONE,  NONE, NONE, NONE,   NONE },
	[BH_POL_STARTING]    = { REFUSE,  LEAVE_OFF, LEAVE_HOLD, REFUSE,  LEAVE_GO, UP,    JUDGE, NONE, NONE, NONE,   LATE },
	[BH_POL_RUNNING]     = { REFUSE,  LEAVE_OFF, LEAVE_HOLD, REFUSE,  LEAVE_GO, NONE,  JUDGE, HUNG, OVER, NONE,   NONE },
	[BH_POL_ENDING]	     = { NONE,    THEN_OFF,  THEN_HOLD,  REFUSE,  THEN_GO,  NONE,  JUDGE, NONE, NONE, NONE,   KILL },
	[BH_POL_LEAVING]     = { THEN_GO, THEN_OFF,  THEN_HOLD,  THEN_GO, THEN_GO,  NONE,  GONE,  NONE, NONE, NONE,   KILL },
	[BH_POL_BACKING_OFF] = { GO,      OFF,       HOLD,       GO,      GO,       NONE,  NONE,  NONE, NONE, PARDON, GO   },
	[BH_POL_FAILED]	     = { PARDON,  OFF,       HOLD,       PARDON,  PARDON,   NONE,  NONE,  NONE, NONE, PARDON, NONE },
	[BH_POL_HELD]	     = { PARDON,  OFF,       NONE,       PARDON,  REFUSE,   NONE,  NONE,  NONE, NONE, NONE,   NONE },
};
/* clang-format on */

static const char *const state_names[BH_POL_STATES] = {
	"stopped", "starting", "running", "ending", "leaving", "backing-off", "failed", "held",
};

const char *
bh_policy_state_name(unsigned state)
{
	return state < BH_POL_STATES ? state_names[state] : "?";
}

void
bh_policy_causes(const struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns, uint32_t count[BH_POLICY_CAUSES])
{
	uint32_t have = p->deaths < BH_POLICY_DEATHS ? p->deaths : BH_POLICY_DEATHS;
	for (uint32_t i = 0; i < BH_POLICY_CAUSES; i++)
		count[i] = 0;
	for (uint32_t i = 0; i < have; i++) {
		uint64_t t = p->death_ns[i];
		uint8_t cause = p->death_cause[i] < BH_POLICY_CAUSES ? p->death_cause[i] : BH_CAUSE_UNKNOWN;
		count[cause] += t && t <= now_ns && now_ns - t < limits->crash_window_ns;
	}
}

uint32_t
bh_policy_recent(const struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns)
{
	uint32_t n = 0, count[BH_POLICY_CAUSES];
	bh_policy_causes(p, limits, now_ns, count);
	for (uint32_t i = 0; i < BH_POLICY_CAUSES; i++)
		n += count[i];
	return n;
}

uint64_t
bh_policy_backoff_ns(const struct bh_policy_limits *limits, uint32_t recent)
{
	uint64_t pause = limits->backoff_first_ns;
	if (recent < 2)
		return 0;
	for (uint32_t i = 2; i < recent && pause < limits->backoff_max_ns; i++)
		pause *= 2;
	return pause < limits->backoff_max_ns ? pause : limits->backoff_max_ns;
}

static unsigned
go(struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns)
{
	unsigned todo = BH_POL_DO_SPAWN | (p->fresh ? BH_POL_DO_FRESH : 0);
	p->state = BH_POL_STARTING;
	p->cause = BH_CAUSE_NONE;
	p->killed = 0;
	p->fresh = 0;
	p->deadline_ns = now_ns + limits->ready_ns;
	return todo;
}

static unsigned
pardon(struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns)
{
	p->deaths = 0;
	p->config_deaths = 0;
	for (unsigned i = 0; i < BH_POLICY_DEATHS; i++)
		p->death_ns[i] = 0;
	return go(p, limits, now_ns);
}

static unsigned
rest(struct bh_policy *p, uint8_t state)
{
	p->state = state;
	p->deadline_ns = 0;
	return 0;
}

static unsigned
leave(struct bh_policy *p, const struct bh_policy_limits *limits, uint8_t after, uint64_t now_ns)
{
	p->state = BH_POL_LEAVING;
	p->after = after;
	p->killed = 0;
	p->deadline_ns = now_ns + limits->stop_ns;
	return BH_POL_DO_LEAVE;
}

static unsigned
finish_off(struct bh_policy *p, const struct bh_policy_limits *limits, uint8_t cause, uint64_t now_ns)
{
	p->state = BH_POL_ENDING;
	p->after = AFTER_JUDGED;
	p->cause = cause;
	p->killed = !limits->abort_ns; /* no time for last words */
	p->deadline_ns = now_ns + (p->killed ? limits->bury_ns : limits->abort_ns);
	return p->killed ? BH_POL_DO_KILL : BH_POL_DO_ABORT;
}

static unsigned
follow(struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns)
{
	return p->after == BH_POL_STARTING ? go(p, limits, now_ns) : rest(p, p->after);
}

static unsigned
judge(struct bh_policy *p, const struct bh_policy_limits *limits, const struct bh_policy_input *in,
      uint64_t now_ns)
{
	bool ending = p->state == BH_POL_ENDING;
	unsigned todo = 0;

	uint32_t at = p->deaths++ % BH_POLICY_DEATHS;
	p->death_ns[at] = now_ns;
	p->death_cause[at] = (uint8_t)(in->cause ? in->cause : p->cause ? p->cause : BH_CAUSE_UNKNOWN);
	p->attach_deaths = in->attaching ? (uint8_t)(p->attach_deaths + 1) : 0;
	if (p->attach_deaths >= 2) {
		p->attach_deaths = 0;
		p->fresh = 1;
	}
	p->config_deaths = in->unproven ? (uint8_t)(p->config_deaths + 1) : 0;
	if (p->config_deaths >= 2) {
		p->config_deaths = 0;
		todo |= BH_POL_DO_REVERT;
	}
	if (ending && p->after != AFTER_JUDGED)
		return todo | follow(p, limits, now_ns);

	uint32_t recent = bh_policy_recent(p, limits, now_ns);
	if (limits->crash_limit && recent >= limits->crash_limit)
		return todo | rest(p, BH_POL_FAILED);
	uint64_t pause = bh_policy_backoff_ns(limits, recent);
	if (!pause)
		return todo | go(p, limits, now_ns);
	p->state = BH_POL_BACKING_OFF;
	p->deadline_ns = now_ns + pause;
	return todo;
}

static unsigned
kill_it(struct bh_policy *p, const struct bh_policy_limits *limits, uint64_t now_ns)
{
	static const struct bh_policy_input died = {.event = BH_POL_EV_DIED};
	if (!p->killed) {
		p->killed = 1;
		p->deadline_ns = now_ns + limits->bury_ns;
		return BH_POL_DO_KILL;
	}
	p->fresh = 1;
	unsigned todo = p->state == BH_POL_LEAVING ? follow(p, limits, now_ns)
						    : judge(p, limits, &died, now_ns);
	return todo | BH_POL_DO_ABANDON;
}

unsigned
bh_policy_step(struct bh_policy *p, const struct bh_policy_limits *limits,
	       const struct bh_policy_input *in, uint64_t now_ns)
{
	unsigned state = p->state < BH_POL_STATES ? p->state : BH_POL_STOPPED;
	if ((unsigned)in->event >= BH_POL_EVENTS)
		return BH_POL_REFUSED;
	if (in->event == BH_POL_EV_TIMER && (!p->deadline_ns || now_ns < p->deadline_ns))
		return 0;

	switch ((enum move)moves[state][in->event]) {
	case NONE: return 0;
	case REFUSE: return BH_POL_REFUSED;
	case GO: return go(p, limits, now_ns);
	case PARDON: return pardon(p, limits, now_ns);
	case OFF: return rest(p, BH_POL_STOPPED);
	case HOLD: return rest(p, BH_POL_HELD);
	case LEAVE_OFF: return leave(p, limits, BH_POL_STOPPED, now_ns);
	case LEAVE_HOLD: return leave(p, limits, BH_POL_HELD, now_ns);
	case LEAVE_GO: return leave(p, limits, BH_POL_STARTING, now_ns);
	case THEN_OFF: p->after = BH_POL_STOPPED; return 0;
	case THEN_HOLD: p->after = BH_POL_HELD; return 0;
	case THEN_GO: p->after = BH_POL_STARTING; return 0;
	case UP:
		p->attach_deaths = 0;
		p->config_deaths = 0;
		return rest(p, BH_POL_RUNNING);
	case JUDGE: return judge(p, limits, in, now_ns);
	case GONE: return follow(p, limits, now_ns);
	case HUNG: return finish_off(p, limits, BH_CAUSE_HANG, now_ns);
	case OVER: return finish_off(p, limits, BH_CAUSE_LIMIT, now_ns);
	case LATE: return finish_off(p, limits, BH_CAUSE_NEVER_READY, now_ns);
	case KILL: return kill_it(p, limits, now_ns);
	}
	return BH_POL_REFUSED;
}

enum bh_health
bh_policy_health(const struct bh_policy *p)
{
	switch ((enum bh_policy_state)p->state) {
	case BH_POL_STOPPED: return BH_HEALTH_STOPPED;
	case BH_POL_STARTING: return BH_HEALTH_STARTING;
	case BH_POL_RUNNING: return BH_HEALTH_OK;
	case BH_POL_ENDING: return BH_HEALTH_BACKING_OFF;
	case BH_POL_LEAVING:
		return p->after == BH_POL_STARTING ? BH_HEALTH_STARTING
		       : p->after == BH_POL_HELD   ? BH_HEALTH_HELD
						   : BH_HEALTH_STOPPED;
	case BH_POL_BACKING_OFF: return BH_HEALTH_BACKING_OFF;
	case BH_POL_FAILED: return BH_HEALTH_FAILED;
	case BH_POL_HELD: return BH_HEALTH_HELD;
	case BH_POL_STATES: break;
	}
	return BH_HEALTH_STOPPED;
}

bool
bh_policy_is_alive(const struct bh_policy *p)
{
	return p->state == BH_POL_STARTING || p->state == BH_POL_RUNNING || p->state == BH_POL_ENDING ||
	       p->state == BH_POL_LEAVING;
}

bool
bh_policy_is_wanted(const struct bh_policy *p)
{
	if (p->state == BH_POL_LEAVING || (p->state == BH_POL_ENDING && p->after != AFTER_JUDGED))
		return p->after == BH_POL_STARTING;
	return p->state != BH_POL_STOPPED && p->state != BH_POL_HELD;
}

void
bh_policy_sanitise(struct bh_policy *p)
{
	if (p->state >= BH_POL_STATES)
		p->state = BH_POL_STOPPED;
	if (p->after != BH_POL_STOPPED && p->after != BH_POL_HELD && p->after != BH_POL_STARTING)
		p->after = AFTER_JUDGED;
	if (p->state == BH_POL_LEAVING && p->after == AFTER_JUDGED)
		p->after = BH_POL_STARTING;
	if (p->cause > BH_CAUSE_UNKNOWN)
		p->cause = BH_CAUSE_NONE;
}
