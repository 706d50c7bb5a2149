/* verb_process.c - start, stop, restart, hold, release, kill: acts of the supervisor on one process */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "supervisor/ctl/client.h"

#define REVIVE_MS 5000

/*
 * bh-control has failed, or was stopped or held: who would carry the request is who is to be started. The supervisor takes
 * SIGUSR1 as this one request.
 */
static int
revive_control(struct ctl *ctl)
{
	pid_t keeper, supervisor;
	if (!direct_pids(&keeper, &supervisor) || !supervisor)
		return ctl_error(ctl, "not-running", "`bulkhead run` starts it", "the supervisor does not run");
	if (kill(supervisor, SIGUSR1) < 0)
		return ctl_error(ctl, "failed", NULL, "supervisor (pid %d): %s", supervisor, strerror(errno));
	if (!ctl_wait_control(REVIVE_MS))
		return ctl_error(ctl, "timed-out", "`bulkhead status control` tells why", "bh-control did not come back");
	return CTL_OK;
}

static bool
revives(enum bh_wire_verb verb, const char *name)
{
	pid_t keeper, supervisor;
	return strcmp(name, "control") == 0 && (verb == BH_VERB_START || verb == BH_VERB_RESTART || verb == BH_VERB_RELEASE) &&
	       direct_pids(&keeper, &supervisor) && !ctl_wait_control(0);
}

static int
act_on(struct ctl *ctl, enum bh_wire_verb verb, const char *name)
{
	struct bh_wire_out o;
	if (revives(verb, name))
		return revive_control(ctl);
	uint64_t id = ctl_begin(&o, verb);
	bh_wire_str(&o, "name", name);
	if (ctl->upgrade)
		bh_wire_bool(&o, "upgrade", true);
	return ctl_act(ctl, &o, id, verb);
}

int
verb_start(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return act_on(ctl, BH_VERB_START, argv[0]);
}

int
verb_stop(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	if (ctl->all && argc == 0)
		return ctl_act(ctl, &o, ctl_begin(&o, BH_VERB_QUIT), BH_VERB_QUIT);
	if (ctl->all || argc == 0)
		return ctl_error(ctl, "bad-request", "`bulkhead stop NAME`, or `bulkhead stop --all`", "stop what?");
	return act_on(ctl, BH_VERB_STOP, argv[0]);
}

int
verb_restart(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return act_on(ctl, BH_VERB_RESTART, argv[0]);
}

int
verb_hold(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return act_on(ctl, BH_VERB_HOLD, argv[0]);
}

int
verb_release(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return act_on(ctl, BH_VERB_RELEASE, argv[0]);
}

/* Supervisor and keeper do not kill themselves: this program sends the signal. */
static int
kill_guardian(struct ctl *ctl, const char *name, int sig)
{
	pid_t keeper, supervisor;
	direct_pids(&keeper, &supervisor);
	pid_t pid = *name == 'k' ? keeper : supervisor;
	if (!pid)
		return ctl_error(ctl, "not-running", "`bulkhead run` starts it", "the %s does not run", name);
	if (kill(pid, sig) < 0)
		return ctl_error(ctl, "failed", NULL, "%s (pid %d): %s", name, pid, strerror(errno));
	return CTL_OK;
}

int
verb_kill(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	int sig = ctl->signal ? ctl_parse_signal(ctl->signal) : 15;
	(void)argc;
	if (sig < 0)
		return ctl_error(ctl, "bad-value", "a name such as KILL, SEGV, STOP, or a number", "there is no signal \"%s\"",
				 ctl->signal);
	if (strcmp(argv[0], "supervisor") == 0 || strcmp(argv[0], "keeper") == 0)
		return kill_guardian(ctl, argv[0], sig);
	uint64_t id = ctl_begin(&o, BH_VERB_KILL);
	bh_wire_str(&o, "name", argv[0]);
	bh_wire_int(&o, "signal", sig);
	return ctl_act(ctl, &o, id, BH_VERB_KILL);
}
