/* check.c - see check.h */
#include "supervisor/ctl/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "supervisor/ctl/direct.h"
#include "supervisor/ctl/output.h"

extern char **environ;

#define FD_TABLES 4
#define FD_TEXT 5
#define OUTPUT_MAX (8u << 20)

/* What one of its descriptors says, until it closes it. */
struct said {
	int fd[2]; /* owned: ours, its */
	char *text; /* owned, NUL behind it */
	size_t len, cap;
};

static int
said_open(struct said *s)
{
	*s = (struct said){.fd = {-1, -1}};
	return pipe2(s->fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static void
said_close(struct said *s)
{
	bh_close(&s->fd[0]);
	bh_close(&s->fd[1]);
}

/* False at its end. What does not fit is read all the same: it must not wait for us. */
static bool
said_read(struct said *s)
{
	char buf[4096];
	ssize_t n = read(s->fd[0], buf, sizeof(buf));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (s->len + (size_t)n + 1 > s->cap && s->cap < OUTPUT_MAX) {
		size_t cap = s->cap ? 2 * s->cap : 8192;
		char *larger = realloc(s->text, cap);
		if (!larger)
			return false;
		s->text = larger;
		s->cap = cap;
	}
	if (s->len + (size_t)n + 1 <= s->cap) {
		memcpy(s->text + s->len, buf, (size_t)n);
		s->len += (size_t)n;
		s->text[s->len] = '\0';
	}
	return true;
}

/* Its exit status; `out`, `err` (may be NULL: as ours) receive what it says. -errno if it could not be started. */
static int
run_config(char *const args[], int tables, int text, struct said *out, struct said *err)
{
	char program[512];
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status, r = bh_path_program(program, sizeof(program), "bh-config");
	/* Out of the way of the numbers that they get in the child. */
	bh_autoclose int high_tables = tables >= 0 ? fcntl(tables, F_DUPFD_CLOEXEC, 10) : -1;
	bh_autoclose int high_text = text >= 0 ? fcntl(text, F_DUPFD_CLOEXEC, 10) : -1;
	if (r < 0)
		return r;
	posix_spawn_file_actions_init(&fa);
	if (out)
		posix_spawn_file_actions_adddup2(&fa, out->fd[1], STDOUT_FILENO);
	if (err)
		posix_spawn_file_actions_adddup2(&fa, err->fd[1], STDERR_FILENO);
	if (high_tables >= 0)
		posix_spawn_file_actions_adddup2(&fa, high_tables, FD_TABLES);
	if (high_text >= 0)
		posix_spawn_file_actions_adddup2(&fa, high_text, FD_TEXT);
	r = -posix_spawn(&pid, program, &fa, NULL, args, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (r < 0)
		return r;
	struct said *all[2] = {out, err};
	struct pollfd p[2] = {{.fd = -1, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	for (unsigned i = 0; i < 2; i++) {
		if (!all[i])
			continue;
		bh_close(&all[i]->fd[1]);
		p[i].fd = all[i]->fd[0];
	}
	while ((p[0].fd >= 0 || p[1].fd >= 0) && (poll(p, 2, -1) >= 0 || errno == EINTR))
		for (unsigned i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents && !said_read(all[i]))
				p[i].fd = -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Its words as an answer. */
static int
judge(struct ctl *ctl, int r, const char *errors)
{
	if (r == 0)
		return CTL_OK;
	if (r < 0)
		return ctl_error(ctl, "failed", "is Bulkhead installed in full?", "cannot run bh-config: %s", strerror(-r));
	if (r != CTL_BAD_CONFIG)
		return ctl_error(ctl, "failed", NULL, "bh-config ended with status %d", r);
	/* People have read the errors on stderr already. */
	if (ctl->json)
		ctl->out->error(stdout, "bad-config", errors ? errors : "", "");
	return CTL_BAD_CONFIG;
}

static int
check(struct ctl *ctl, const char *file, int tables, int text, char **changes)
{
	char *args[10] = {(char *)"bh-config"};
	unsigned n = 1;
	struct said out = {.fd = {-1, -1}}, err = {.fd = {-1, -1}};
	if (access(file, R_OK) < 0)
		return ctl_error(ctl, "bad-config", NULL, "%s: %s", file, strerror(errno));
	if (tables >= 0) {
		args[n++] = (char *)"--previous";
		args[n++] = (char *)"4";
		args[n++] = (char *)"--changes";
	}
	if (text >= 0) {
		args[n++] = (char *)"--was";
		args[n++] = (char *)"5";
	}
	args[n++] = (char *)(uintptr_t)file;
	int r = changes ? said_open(&out) : 0;
	if (r == 0 && ctl->json)
		r = said_open(&err);
	if (r == 0)
		r = run_config(args, tables, text, changes ? &out : NULL, ctl->json ? &err : NULL);
	int code = judge(ctl, r, err.text);
	if (changes) {
		*changes = out.text ? out.text : calloc(1, 1);
		out.text = NULL;
	}
	said_close(&out);
	said_close(&err);
	free(out.text);
	free(err.text);
	return code;
}

int
ctl_check_config(struct ctl *ctl, const char *file)
{
	return check(ctl, file, -1, -1, NULL);
}

int
ctl_check_against(struct ctl *ctl, const char *file, char **changes)
{
	bh_autoclose int tables = -1, text = -1;
	*changes = NULL;
	int r = direct_config(&tables, &text);
	if (r == -ESRCH)
		return ctl_error(ctl, "not-running", "`bulkhead run` starts it; --runtime DIR names another folder", "Bulkhead is not running");
	if (r < 0)
		return ctl_error(ctl, "refused", "it runs as another user", "cannot read its configuration: %s", strerror(-r));
	return check(ctl, file, tables, text, changes);
}

int
ctl_import(struct ctl *ctl, const char *file, int out)
{
	char *args[] = {(char *)"bh-config", (char *)"--import-xtouch-gw", (char *)(uintptr_t)file, NULL};
	struct said to = {.fd = {-1, -1}}, err = {.fd = {-1, -1}};
	if (access(file, R_OK) < 0)
		return ctl_error(ctl, "bad-config", NULL, "%s: %s", file, strerror(errno));
	to.fd[1] = out >= 0 ? fcntl(out, F_DUPFD_CLOEXEC, 10) : -1;
	int r = ctl->json ? said_open(&err) : 0;
	if (r == 0)
		r = run_config(args, -1, -1, out >= 0 ? &to : NULL, ctl->json ? &err : NULL);
	int code = judge(ctl, r, err.text);
	said_close(&to);
	said_close(&err);
	free(err.text);
	return code;
}

int
ctl_redact(struct ctl *ctl, const char *file, char **text)
{
	char *args[] = {(char *)"bh-config", (char *)"--redact", (char *)(uintptr_t)file, NULL};
	struct said out, err;
	*text = NULL;
	int r = said_open(&out);
	if (r == 0)
		r = said_open(&err);
	if (r == 0)
		r = run_config(args, -1, -1, &out, &err);
	int code = CTL_OK;
	if (r == 0) {
		*text = out.text ? out.text : calloc(1, 1);
		out.text = NULL;
	} else {
		code = ctl_error(ctl, "failed", "--secrets shows it as it is", "its secrets cannot be found, for it cannot be read as YAML");
	}
	said_close(&out);
	said_close(&err);
	free(out.text);
	free(err.text);
	return code;
}

int
ctl_try_config(const char *file, char *text, size_t cap)
{
	char *args[] = {(char *)"bh-config", (char *)(uintptr_t)file, NULL};
	struct said err;
	int r = said_open(&err);
	if (r == 0)
		r = run_config(args, -1, -1, NULL, &err);
	snprintf(text, cap, "%s", err.text ? err.text : "");
	said_close(&err);
	free(err.text);
	return r;
}
