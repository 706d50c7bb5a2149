/* check.c - see check.h */
#include "supervisor/ctl/check.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "supervisor/ctl/output.h"

extern char **environ;

/* What it says, until it closes its end. */
static void
read_all(int fd, char *text, size_t cap)
{
	char rest[512];
	size_t len = 0;
	for (;;) {
		/* What does not fit is read all the same: it must not wait for us. */
		bool fits = len + 1 < cap;
		ssize_t n = read(fd, fits ? text + len : rest, fits ? cap - 1 - len : sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += fits ? (size_t)n : 0;
	}
	text[len] = '\0';
}

/*
 * Its exit status; `verb` may be NULL. `text` receives its errors, or NULL: they go to stderr. What it prints goes to `out`, -1 =
 * our own stdout. -errno if it could not be started.
 */
static int
run_config(const char *verb, const char *file, int out, char *text, size_t cap)
{
	char program[512];
	char *args[] = {program, (char *)(uintptr_t)(verb ? verb : file), verb ? (char *)(uintptr_t)file : NULL, NULL};
	posix_spawn_file_actions_t fa;
	int pipefd[2] = {-1, -1}, status;
	pid_t pid;
	int r = bh_path_program(program, sizeof(program), "bh-config");
	if (r == 0 && text && pipe2(pipefd, O_CLOEXEC) < 0)
		r = -errno;
	if (r < 0)
		return r;
	posix_spawn_file_actions_init(&fa);
	if (text)
		posix_spawn_file_actions_adddup2(&fa, pipefd[1], STDERR_FILENO);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	r = -posix_spawn(&pid, program, &fa, NULL, args, environ);
	posix_spawn_file_actions_destroy(&fa);
	bh_close(&pipefd[1]);
	if (r == 0 && text)
		read_all(pipefd[0], text, cap);
	bh_close(&pipefd[0]);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
run_on_file(struct ctl *ctl, const char *verb, const char *file, int out)
{
	static char text[65536];
	if (access(file, R_OK) < 0)
		return ctl_error(ctl, "bad-config", NULL, "%s: %s", file, strerror(errno));
	int r = run_config(verb, file, out, ctl->json ? text : NULL, sizeof(text));
	if (r == 0)
		return CTL_OK;
	if (r < 0)
		return ctl_error(ctl, "failed", "is Bulkhead installed in full?", "cannot run bh-config: %s", strerror(-r));
	if (r != CTL_BAD_CONFIG)
		return ctl_error(ctl, "failed", NULL, "bh-config ended with status %d", r);
	/* People have read the errors on stderr already. */
	if (ctl->json)
		ctl->out->error(stdout, "bad-config", text, "");
	return CTL_BAD_CONFIG;
}

int
ctl_check_config(struct ctl *ctl, const char *file)
{
	return run_on_file(ctl, NULL, file, -1);
}

int
ctl_import(struct ctl *ctl, const char *file, int out)
{
	return run_on_file(ctl, "--import-xtouch-gw", file, out);
}
