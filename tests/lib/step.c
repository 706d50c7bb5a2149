/* step.c - see step.h */
#include "tests/lib/step.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void
step_child(void (*work)(void *arg), void *arg)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	raise(SIGSTOP);
	work(arg);
	_exit(0);
}

/* Bring the copies up to date; was there anything to bring? */
static bool
step_changed(const struct bh_step_range *range, unsigned ranges, void *const *copies)
{
	bool changed = false;
	for (unsigned k = 0; k < ranges; k++) {
		if (memcmp(copies[k], range[k].memory, range[k].len) == 0)
			continue;
		memcpy(copies[k], range[k].memory, range[k].len);
		changed = true;
	}
	return changed;
}

static int
step_through(pid_t pid, void *arg, const struct bh_step_range *range, unsigned ranges, void *const *copies,
	     void (*on_image)(void *arg, void *const *copies))
{
	int status, images = 1;
	waitpid(pid, &status, 0);
	on_image(arg, copies);
	while (WIFSTOPPED(status)) {
		if (step_changed(range, ranges, copies)) {
			on_image(arg, copies);
			images++;
		}
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0)
			break;
		waitpid(pid, &status, 0);
	}
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? images : -EIO;
}

int
bh_step_images(void (*work)(void *arg), void *arg, const struct bh_step_range *range, unsigned ranges,
	       void (*on_image)(void *arg, void *const *copies))
{
	void *copies[BH_STEP_RANGES] = {NULL};
	int ret = ranges > BH_STEP_RANGES ? -EINVAL : 0;
	for (unsigned k = 0; ret == 0 && k < ranges; k++) {
		copies[k] = malloc(range[k].len);
		if (!copies[k])
			ret = -ENOMEM;
		else
			memcpy(copies[k], range[k].memory, range[k].len);
	}
	pid_t pid = ret == 0 ? fork() : -1;
	if (pid == 0)
		step_child(work, arg);
	if (ret == 0)
		ret = pid < 0 ? -errno : step_through(pid, arg, range, ranges, copies, on_image);
	for (unsigned k = 0; k < BH_STEP_RANGES; k++)
		free(copies[k]);
	return ret;
}
