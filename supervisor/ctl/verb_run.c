/* verb_run.c - check the configuration, then become the keeper: in the foreground, until it is told to leave */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/history.h"
#include "common/paths.h"
#include "supervisor/ctl/check.h"
#include "supervisor/ctl/direct.h"

/* The configuration when none is named: the user's, else the machine's. */
static int
default_config(char *path, size_t cap)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && *xdg)
		snprintf(path, cap, "%s/bulkhead/bulkhead.yaml", xdg);
	else
		snprintf(path, cap, "%s/.config/bulkhead/bulkhead.yaml", home ? home : "");
	if (access(path, R_OK) == 0)
		return 0;
	snprintf(path, cap, "/etc/bulkhead/bulkhead.yaml");
	return access(path, R_OK) == 0 ? 0 : -ENOENT;
}

/* The file to be run: that of the profile that is asked for or was chosen last. bh-supervisor finds it in the same way. */
static int
choose_profile(struct ctl *ctl, const char *file, char *run, size_t cap)
{
	char state[PATH_MAX], name[BH_PROFILE_MAX + 1] = "default";
	int r = bh_path_state(state, sizeof(state), NULL);
	if (ctl->profile && !bh_profile_is_name(ctl->profile))
		return ctl_error(ctl, "bad-value", NULL, "a profile's name has 1 to %u letters, digits, - and _", BH_PROFILE_MAX);
	if (ctl->profile && bh_profile_path(file, ctl->profile, run, cap) == 0 && access(run, R_OK) < 0)
		return ctl_error(ctl, "unknown-name", NULL, "there is no profile \"%s\": %s: %s", ctl->profile, run, strerror(errno));
	if (r == 0 && ctl->profile)
		r = bh_profile_remember(state, file, ctl->profile);
	if (r < 0 && ctl->profile)
		return ctl_error(ctl, "failed", NULL, "the profile cannot be remembered: %s", strerror(-r));
	if (r == 0)
		bh_profile_recall(state, file, name);
	r = bh_profile_path(file, name, run, cap);
	return r < 0 ? ctl_error(ctl, "bad-config", NULL, "profile %s: %s", name, strerror(-r)) : CTL_OK;
}

int
verb_run(struct ctl *ctl, int argc, char **argv)
{
	char found[PATH_MAX], file[PATH_MAX], run[PATH_MAX], program[512];
	pid_t keeper, supervisor;
	(void)argc, (void)argv;
	if (!ctl->config && default_config(found, sizeof(found)) < 0)
		return ctl_error(ctl, "bad-config", "`bulkhead run -c FILE` names one",
				 "there is no configuration in ~/.config/bulkhead/bulkhead.yaml or /etc/bulkhead/bulkhead.yaml");
	int r = bh_path_absolute(file, sizeof(file), ctl->config ? ctl->config : found);
	if (r == 0 && access(file, R_OK) < 0)
		r = -errno;
	if (r < 0)
		return ctl_error(ctl, "bad-config", NULL, "%s: %s", ctl->config ? ctl->config : found, strerror(-r));
	if (direct_pids(&keeper, &supervisor))
		return ctl_error(ctl, "failed", "`bulkhead reload` takes a changed configuration; --runtime DIR runs a second one",
				 "Bulkhead is running already (keeper %d)", keeper);
	int code = choose_profile(ctl, file, run, sizeof(run));
	if (code == CTL_OK)
		code = ctl_check_config(ctl, run);
	if (code == CTL_BAD_CONFIG && strcmp(run, file) != 0)
		fprintf(stderr, "bulkhead: the profile chosen last is %s; `bulkhead run --profile default` starts %s itself\n", run, file);
	if (code != CTL_OK)
		return code;
	r = bh_path_program(program, sizeof(program), "bh-keeper");
	if (r == 0) {
		execl(program, "bh-keeper", file, NULL);
		r = -errno;
	}
	return ctl_error(ctl, "failed", "is Bulkhead installed in full?", "cannot start bh-keeper: %s", strerror(-r));
}
