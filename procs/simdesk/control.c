/*
 * control - see control.h
 */
#include "procs/simdesk/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "procs/simdesk/port.h"

BH_LOG_TOPIC("control");

static void
client_drop(struct control_client *c)
{
	bh_watch_free(c->watch);
	c->watch = NULL;
	bh_close(&c->fd);
	script_free(c->script);
	c->script = NULL;
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_cap = c->have = 0;
}

static void
client_say(void *data, const char *text)
{
	struct control_client *c = data;
	size_t n = strlen(text);
	if (c->out_len + n > CONTROL_OUT_MAX) {
		c->over = true;
		return;
	}
	if (c->out_len + n > c->out_cap) {
		size_t cap = 2 * (c->out_len + n);
		char *more = realloc(c->out, cap);
		if (!more)
			return;
		c->out = more;
		c->out_cap = cap;
	}
	memcpy(c->out + c->out_len, text, n);
	c->out_len += n;
}

static void
client_flush(struct control_client *c)
{
	while (c->fd >= 0 && c->out_len > 0) {
		ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			client_drop(c);
			return;
		}
		if (n > 0) {
			c->out_len -= (size_t)n;
			memmove(c->out, c->out + n, c->out_len);
		}
	}
}

/* The answer to a line: one line, whatever is in it. */
static void
client_answer(struct control_client *c, const char *word, const char *text)
{
	client_say(c, word);
	for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n';)
		len--;
	char buf[2] = "";
	for (client_say(c, *text ? " " : ""); *text; text++) {
		if (*text == '\n' && !text[1])
			break;
		buf[0] = *text;
		client_say(c, *text == '\n' ? " | " : buf);
	}
	client_say(c, "\n");
}

/* Take the next line, if there is a whole one. */
static bool
client_next_line(struct control_client *c, uint64_t now_ns)
{
	char *end = memchr(c->in, '\n', c->have), *errors;
	if (!end)
		return false;
	int r = script_parse("line", c->in, (size_t)(end - c->in), &c->script, &errors);
	c->have -= (size_t)(end + 1 - c->in);
	memmove(c->in, end + 1, c->have);
	if (r < 0) {
		client_answer(c, "error", errors ? errors : strerror(-r));
		free(errors);
		return true;
	}
	c->run.print = client_say;
	c->run.data = c;
	run_start(&c->run, c->control->env, c->script, now_ns);
	return true;
}

static void
client_step(struct control_client *c, uint64_t now_ns, uint64_t *next_ns)
{
	for (unsigned lines = 0; c->fd >= 0; lines++) {
		if (lines == 100) {
			*next_ns = now_ns;
			return;
		}
		if (!c->script) {
			if (c->over && !memchr(c->in, '\n', c->have)) {
				client_flush(c);
				client_drop(c);
				return;
			}
			if (!client_next_line(c, now_ns))
				return;
			continue;
		}
		uint64_t next = 0;
		enum run_result r = run_step(&c->run, now_ns, &next);
		if (r == RUN_WAITING) {
			if (next && (!*next_ns || next < *next_ns))
				*next_ns = next;
			return;
		}
		client_answer(c, r == RUN_DONE ? "ok" : "fail", r == RUN_DONE ? "" : c->run.saw);
		script_free(c->script);
		c->script = NULL;
		if (c->control->env->quit)
			return;
	}
}

static void
on_client(void *data, int fd, uint32_t events)
{
	struct control_client *c = data;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (c->have == sizeof(c->in)) {
		bh_bug_peer("a line of %zu bytes without an end", c->have);
		client_drop(c);
		return;
	}
	ssize_t n = read(fd, c->in + c->have, sizeof(c->in) - c->have);
	if (n > 0)
		c->have += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->over = true;
}

/* Lines wait in the socket while one is being played and there is no more room. */
static void
client_watch(struct control_client *c)
{
	if (c->fd < 0)
		return;
	bool busy = c->script && c->have == sizeof(c->in);
	uint32_t want = (c->over || busy ? 0u : EPOLLIN) | (c->out_len ? EPOLLOUT : 0u);
	if (want == c->events)
		return;
	if (c->watch && want) {
		bh_watch_events(c->watch, want);
	} else {
		bh_watch_free(c->watch);
		c->watch = want ? bh_loop_watch(c->control->loop, c->fd, want, on_client, c) : NULL;
	}
	c->events = want;
}

static void
on_listen(void *data, int fd, uint32_t events)
{
	struct control *control = data;
	(void)events;
	bh_autoclose int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	for (unsigned i = 0; peer >= 0 && i < CONTROL_CLIENTS; i++) {
		struct control_client *c = &control->client[i];
		if (c->fd >= 0)
			continue;
		c->control = control;
		c->events = EPOLLIN;
		c->over = false;
		c->watch = bh_loop_watch(control->loop, peer, EPOLLIN, on_client, c);
		if (c->watch)
			c->fd = bh_steal_fd(&peer);
		return;
	}
	if (peer >= 0)
		bh_warn("more than %d programs want to play; one was turned away", CONTROL_CLIENTS);
}

int
control_open(struct control *c, const char *path, struct bh_loop *loop, struct run_env *env)
{
	memset(c, 0, sizeof(*c));
	c->path = path;
	c->loop = loop;
	c->env = env;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		c->client[i].fd = -1;
	c->listen_fd = port_listen_at(path);
	if (c->listen_fd < 0)
		return c->listen_fd;
	c->listen_watch = bh_loop_watch(loop, c->listen_fd, EPOLLIN, on_listen, c);
	return c->listen_watch ? 0 : -errno;
}

void
control_close(struct control *c)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		client_flush(&c->client[i]);
		client_drop(&c->client[i]);
	}
	bh_watch_free(c->listen_watch);
	if (c->listen_fd >= 0)
		unlink(c->path);
	bh_close(&c->listen_fd);
}

void
control_step(struct control *c, uint64_t now_ns, uint64_t *next_ns)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &c->client[i];
		if (client->fd < 0)
			continue;
		client_step(client, now_ns, next_ns);
		client_flush(client);
		client_watch(client);
	}
}
