/* guest_lib - see the header. */
#include "tests/guest/guest_lib.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/units.h"

#define DESK_LOG     "/tmp/xtouch.log"
#define DESK_STREAM  "/tmp/xtouch.sock"
#define DESK_CONTROL "/tmp/xtouch.control"
#define DESK_CARD    "/proc/asound/XTouch"

int
guest_or_skip(void)
{
	if (getenv("BH_GUEST") != NULL)
		return 0;
	printf("skipped: runs inside the guest only (tests/guest/guest-run)\n");
	return 77;
}

void
guest_pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

pid_t
guest_spawn(const char *out, const char *const argv[])
{
	/* Opened here, so that nobody finds the text of the run before in it. */
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	pid_t pid = fork();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		fprintf(stderr, "%s: %m\n", argv[0]);
		_exit(127);
	}
	close(fd);
	return pid;
}

int
guest_end(pid_t *pid)
{
	int status = 0;

	if (*pid > 0) {
		kill(*pid, SIGTERM);
		waitpid(*pid, &status, 0);
	}
	*pid = 0;
	return status;
}

int
guest_run(const char *out, const char *const argv[])
{
	int status;
	pid_t pid = guest_spawn(out, argv);

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *
guest_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, n;

	do {
		text = realloc(text, len + 65536 + 1);
		ck_assert_ptr_nonnull(text);
		n = f != NULL ? fread(text + len, 1, 65536, f) : 0;
		len += n;
	} while (n > 0);
	text[len] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

bool
guest_wait_text(const char *path, const char *text, size_t *from)
{
	uint64_t end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;

	do {
		char *all = guest_read(path), *at = NULL;
		size_t skip = from != NULL ? *from : 0;

		if (strlen(all) >= skip)
			at = strstr(all + skip, text);
		if (at != NULL && from != NULL)
			*from = (size_t)(at - all) + strlen(text);
		free(all);
		if (at != NULL)
			return true;
		guest_pause_ms(20);
	} while (bh_mono_ns() < end);
	return false;
}

void
guest_expect_text(const char *path, const char *text, size_t *from)
{
	if (!guest_wait_text(path, text, from))
		ck_abort_msg("'%s' did not come in %s (after byte %zu), which has:\n%s", text, path,
			     from != NULL ? *from : 0, guest_read(path));
}

bool
guest_wait_path(const char *path, bool there)
{
	uint64_t end = bh_mono_ns() + GUEST_WAIT_MS * BH_NS_PER_MS;

	while ((access(path, F_OK) == 0) != there) {
		if (bh_mono_ns() > end)
			return false;
		guest_pause_ms(10);
	}
	return true;
}

void
guest_desk_start(struct guest_desk *d, bool connect_stream, bool unplugged)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = DESK_CONTROL};
	const char *argv[12] = {getenv("BH_XTOUCH_GADGET"),
				"--stream",
				DESK_STREAM,
				"--control",
				DESK_CONTROL,
				"--log",
				DESK_LOG};
	int n = 7;

	ck_assert_msg(argv[0] != NULL, "BH_XTOUCH_GADGET is not set");
	if (connect_stream)
		argv[n++] = "--connect";
	if (unplugged)
		argv[n++] = "--unplugged";
	d->log = DESK_LOG;
	d->stream = DESK_STREAM;
	/* The card of the case before goes with its process, but not at once. */
	ck_assert(guest_wait_path(DESK_CARD, false));
	unlink(DESK_CONTROL);
	d->pid = guest_spawn("/tmp/xtouch.out", argv);
	guest_expect_text("/tmp/xtouch.out", "ready", NULL);
	d->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(d->control, (struct sockaddr *)&a, sizeof(a)), 0);
	if (!unplugged)
		guest_desk_plug(d);
}

const char *
guest_desk_say(struct guest_desk *d, const char *fmt, ...)
{
	static char text[4096];
	struct pollfd p = {.fd = d->control, .events = POLLIN};
	va_list ap;
	int len;
	ssize_t n;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	text[len++] = '\n';
	ck_assert_int_eq(send(d->control, text, (size_t)len, MSG_NOSIGNAL), len);
	ck_assert_msg(poll(&p, 1, GUEST_WAIT_MS) == 1, "the double does not answer");
	n = recv(d->control, text, sizeof(text) - 1, 0);
	ck_assert_msg(n > 0, "the double has gone");
	text[n] = '\0';
	return text;
}

void
guest_desk_plug(struct guest_desk *d)
{
	ck_assert_str_eq(guest_desk_say(d, "plug"), "ok\n");
	ck_assert_msg(guest_wait_path(DESK_CARD "/midi0", true), "no card after plugging in: %s",
		      guest_read("/tmp/xtouch.out"));
}

void
guest_desk_unplug(struct guest_desk *d)
{
	ck_assert_str_eq(guest_desk_say(d, "unplug"), "ok\n");
	ck_assert_msg(guest_wait_path(DESK_CARD, false), "the card stays after unplugging");
}

void
guest_desk_stop(struct guest_desk *d)
{
	close(d->control);
	guest_end(&d->pid);
	ck_assert(guest_wait_path(DESK_CARD, false));
}

int
guest_desk_card(void)
{
	char target[64];
	ssize_t n = readlink(DESK_CARD, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return atoi(target + strlen("card"));
}
