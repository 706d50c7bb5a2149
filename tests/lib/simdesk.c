/*
 * simdesk.c - see simdesk.h
 */
#include "tests/lib/simdesk.h"

#include <check.h>
#include <errno.h>
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
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"

enum { ARGS_MAX = 32, LINE_MAX_BYTES = 8192 };

struct simdesk {
	pid_t pid;
	int fd; /* owned */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char command[sizeof(((struct sockaddr_un *)0)->sun_path)];
	unsigned timeout_ms;
	char *got; /* owned: bytes read, zero-terminated */
	size_t have, cap;
	char *answer; /* in got */
};

static void
run_child(struct simdesk *s, const char *const args[])
{
	char program[4096];
	const char *bin = getenv("BH_BIN");
	const char *argv[ARGS_MAX] = {"bh-simdesk", "--headless", "--socket", s->socket, "--command",
				      s->command};
	size_t n = 6;
	for (; args && *args && n < ARGS_MAX - 1; args++)
		argv[n++] = *args;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(program, sizeof(program), "%s/bh-simdesk", bin ? bin : "bin");
	execv(program, (char *const *)argv);
	perror(program);
	_exit(127);
}

/* It listens when somebody can connect; until then, or until it dies, ask again. */
static int
connect_when_ready(struct simdesk *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t end_ns = bh_mono_ns() + s->timeout_ms * BH_NS_PER_MS;
	strcpy(a.sun_path, s->command);
	while (bh_mono_ns() < end_ns) {
		bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return bh_steal_fd(&fd);
		siginfo_t info = {0};
		if (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
			return -ECHILD;
		poll(NULL, 0, 2);
	}
	return -ETIMEDOUT;
}

struct simdesk *
simdesk_start(const char *dir, const char *const args[])
{
	struct simdesk *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->fd = -1;
	s->timeout_ms = 120000;
	if ((size_t)snprintf(s->socket, sizeof(s->socket), "%s/desk.sock", dir) >= sizeof(s->socket) ||
	    (size_t)snprintf(s->command, sizeof(s->command), "%s/desk-play.sock", dir) >=
		    sizeof(s->command)) {
		free(s);
		errno = ENAMETOOLONG;
		return NULL;
	}
	s->pid = fork();
	if (s->pid == 0)
		run_child(s, args);
	s->fd = s->pid < 0 ? -errno : connect_when_ready(s);
	if (s->fd < 0) {
		int e = -s->fd;
		simdesk_stop(s);
		errno = e;
		return NULL;
	}
	return s;
}

int
simdesk_stop(struct simdesk *s)
{
	int status = 0, code = -1;
	if (!s)
		return 0;
	bh_close(&s->fd);
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		if (waitpid(s->pid, &status, 0) == s->pid && WIFEXITED(status))
			code = WEXITSTATUS(status);
	}
	free(s->got);
	free(s);
	return code;
}

const char *
simdesk_socket(const struct simdesk *s)
{
	return s->socket;
}

pid_t
simdesk_pid(const struct simdesk *s)
{
	return s->pid;
}

void
simdesk_set_patience(struct simdesk *s, unsigned timeout_ms)
{
	s->timeout_ms = timeout_ms;
}

/* The last line that has come whole, if it is an answer. */
static char *
find_answer(struct simdesk *s)
{
	for (char *line = s->got; line && *line;) {
		char *end = strchr(line, '\n');
		if (!end)
			return NULL;
		if (*line != '{' && *line != '#') {
			*end = '\0';
			return line;
		}
		line = end + 1;
	}
	return NULL;
}

static int
read_more(struct simdesk *s, uint64_t end_ns)
{
	if (s->cap - s->have < 4096) {
		char *more = realloc(s->got, s->cap + 65536);
		if (!more)
			return -ENOMEM;
		s->got = more;
		s->cap += 65536;
	}
	uint64_t now_ns = bh_mono_ns();
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	int r = poll(&p, 1, now_ns < end_ns ? (int)((end_ns - now_ns) / BH_NS_PER_MS) + 1 : 0);
	if (r == 0)
		return -ETIMEDOUT;
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	ssize_t n = read(s->fd, s->got + s->have, s->cap - s->have - 1);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	s->have += (size_t)n;
	s->got[s->have] = '\0';
	return 0;
}

static int
send_line(struct simdesk *s, const char *fmt, va_list args)
{
	char line[LINE_MAX_BYTES];
	int n = vsnprintf(line, sizeof(line) - 1, fmt, args);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		return -EMSGSIZE;
	line[n++] = '\n';
	s->have = 0;
	s->answer = NULL;
	if (s->got)
		s->got[0] = '\0';
	return send(s->fd, line, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -errno;
}

int
simdesk_end(struct simdesk *s)
{
	uint64_t end_ns = bh_mono_ns() + s->timeout_ms * BH_NS_PER_MS;
	while (!s->answer) {
		int r = read_more(s, end_ns);
		if (r < 0)
			return r;
		s->answer = find_answer(s);
	}
	if (strncmp(s->answer, "ok", 2) == 0)
		return SIMDESK_OK;
	return strncmp(s->answer, "fail", 4) == 0 ? SIMDESK_FAIL : SIMDESK_ERROR;
}

bool
simdesk_is_over(struct simdesk *s)
{
	int r = s->answer ? 0 : read_more(s, 0);
	if (!s->answer)
		s->answer = find_answer(s);
	return s->answer || (r < 0 && r != -ETIMEDOUT);
}

int
simdesk_do(struct simdesk *s, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int r = send_line(s, fmt, args);
	va_end(args);
	return r < 0 ? r : simdesk_end(s);
}

void
simdesk_must(struct simdesk *s, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int r = send_line(s, fmt, args);
	va_end(args);
	if (r == 0)
		r = simdesk_end(s);
	if (r < 0)
		ck_abort_msg("the desk gave no answer to \"%s\": %s", fmt, strerror(-r));
	if (r > 0)
		ck_abort_msg("%s", s->answer);
}

void
simdesk_begin(struct simdesk *s, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int r = send_line(s, fmt, args);
	va_end(args);
	if (r < 0)
		ck_abort_msg("cannot tell the desk \"%s\": %s", fmt, strerror(-r));
}

const char *
simdesk_answer(const struct simdesk *s)
{
	return s->answer ? s->answer : "";
}

const char *
simdesk_output(const struct simdesk *s)
{
	return s->got && s->answer != s->got ? s->got : "";
}

const char *
simdesk_state(struct simdesk *s)
{
	simdesk_must(s, "state");
	return simdesk_output(s);
}

int64_t
simdesk_number(const char *json, const char *after, const char *key)
{
	char quoted[128];
	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	const char *at = strstr(json, after);
	at = at ? strstr(at, quoted) : NULL;
	if (!at)
		ck_abort_msg("no %s after %s in %.200s", key, after, json);
	at += strlen(quoted);
	return strncmp(at, "null", 4) == 0 ? -1 : strtoll(at, NULL, 10);
}

uint64_t
simdesk_counter(struct simdesk *s, const char *name)
{
	return (uint64_t)simdesk_number(simdesk_state(s), "\"counters\":{", name);
}

static int
fader_number(struct simdesk *s, int fader, const char *key)
{
	char after[32];
	snprintf(after, sizeof(after), fader == 9 ? "\"fader_main\"" : "\"fader%d\"", fader);
	return (int)simdesk_number(simdesk_state(s), after, key);
}

int
simdesk_pos(struct simdesk *s, int fader)
{
	return fader_number(s, fader, "pos");
}

int
simdesk_target(struct simdesk *s, int fader)
{
	return fader_number(s, fader, "target");
}
