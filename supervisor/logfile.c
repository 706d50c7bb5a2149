/*
 * logfile.c - a log file of our own, for those who have no journal
 *
 * With `log_dir` set, everybody's standard error is log_dir/bulkhead.log. The kernel tells us of writes (inotify), we look at the
 * size at most once a second and only after writes: an idle log costs nothing. Too large: renamed to .1 (.1 to .2 ...),
 * and all get a new file.
 *
 * Fails: a folder that cannot be written leaves standard error as it is, and says so there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("log");

#define LOOK_MS 1000

int
logfile_fd(const struct super *s)
{
	return s->log_fd;
}

/* Give everybody the open file as standard error. */
static void
hand_out(struct super *s)
{
	dup2(s->log_fd, STDERR_FILENO);
	for (unsigned q = 1; q < BH_MAX_SLOTS; q++) {
		struct child *c = &s->slot[q];
		struct bh_spawn_msg msg = {.type = BH_SPAWN_STDERR, .slot = c->slot, .nfds = 1};
		msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_STDERR, .flags = BH_SPAWN_FD_RW};
		if (c->used && c->sock >= 0)
			bh_spawn_send(c->sock, &msg, &s->log_fd);
	}
	spare_log(s, s->log_fd);
}

static int
open_log(struct super *s)
{
	int fd = open(s->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	bh_close(&s->log_fd);
	s->log_fd = fd;
	if (s->log_inotify >= 0)
		inotify_add_watch(s->log_inotify, s->log_path, IN_MODIFY | IN_ONESHOT);
	return 0;
}

static void
rotate(struct super *s)
{
	char from[sizeof(s->log_path) + 16], to[sizeof(s->log_path) + 16];
	for (unsigned n = s->cfg.log_keep; n > 0; n--) {
		snprintf(to, sizeof(to), "%s.%u", s->log_path, n);
		if (n > 1)
			snprintf(from, sizeof(from), "%s.%u", s->log_path, n - 1);
		else
			snprintf(from, sizeof(from), "%s", s->log_path);
		rename(from, to);
	}
	int r = open_log(s);
	if (r < 0)
		bh_err("a new log cannot be opened: %s; going on with the old one", strerror(-r));
	else
		hand_out(s);
}

static void
on_look(void *data)
{
	struct super *s = data;
	struct stat st;
	if (s->log_fd < 0)
		return;
	if (fstat(s->log_fd, &st) == 0 && (uint64_t)st.st_size > s->cfg.log_max_bytes)
		rotate(s);
	else
		inotify_add_watch(s->log_inotify, s->log_path, IN_MODIFY | IN_ONESHOT);
}

static void
on_written(void *data, int fd, uint32_t events)
{
	struct super *s = data;
	char buf[1024];
	(void)events;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	if (s->log_timer && !bh_timer_armed(s->log_timer))
		bh_timer_in_ms(s->log_timer, LOOK_MS);
}

static void
close_log(struct super *s)
{
	bh_watch_free(s->log_watch);
	bh_timer_free(s->log_timer);
	s->log_watch = NULL;
	s->log_timer = NULL;
	bh_close(&s->log_inotify);
	bh_close(&s->log_fd);
	s->log_path[0] = 0;
}

/* After every configuration: open, move or close the log. */
void
logfile_apply(struct super *s)
{
	char path[sizeof(s->log_path)] = "";
	if (s->cfg.log_dir && s->cfg.log_dir[0]) {
		mkdir(s->cfg.log_dir, 0750);
		snprintf(path, sizeof(path), "%s/bulkhead.log", s->cfg.log_dir);
	}
	if (!strcmp(path, s->log_path))
		return;
	close_log(s);
	if (!path[0])
		return; /* who runs keeps the old file as standard error until its next start */
	snprintf(s->log_path, sizeof(s->log_path), "%s", path);
	s->log_inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->log_inotify >= 0) {
		s->log_watch = bh_loop_watch(s->loop, s->log_inotify, EPOLLIN, on_written, s);
		s->log_timer = bh_timer_new(s->loop, on_look, s);
	}
	int r = open_log(s);
	if (r < 0) {
		bh_err("the log %s cannot be opened: %s; standard error stays as it is", path, strerror(-r));
		close_log(s);
		return;
	}
	hand_out(s);
}
