/*
 * transport_socket - a desk at the other end of a Unix socket that it listens on, or of a pty
 *
 * Fails: a path that is not there, or on which nobody listens yet, is an absent device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/mem.h"
#include "common/unixsock.h"
#include "procs/surface/transport.h"

static int
open_pty(const char *path)
{
	struct termios tio;
	bh_autoclose int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &tio) < 0)
		return -errno;
	cfmakeraw(&tio);
	if (tcsetattr(fd, TCSANOW, &tio) < 0)
		return -errno;
	return bh_steal_fd(&fd);
}

static int
sock_open(struct transport *t)
{
	struct stat st;
	if (t->hint_fd < 0)
		t->hint_fd = bh_folder_watch_parent(t->cfg.path);
	if (stat(t->cfg.path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
	int fd = S_ISCHR(st.st_mode) ? open_pty(t->cfg.path) : bh_unix_connect(t->cfg.path);
	if (fd < 0)
		return fd == -ENOENT ? -ENODEV : fd;
	t->fd = fd;
	snprintf(t->what, sizeof(t->what), "%.90s", t->cfg.path);
	return 0;
}

static int
sock_adopt(struct transport *t, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !(S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode)) ||
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		close(fd);
		return -EBADF;
	}
	t->fd = fd;
	snprintf(t->what, sizeof(t->what), "%.90s", t->cfg.path);
	return 0;
}

static ssize_t
sock_read(struct transport *t, void *buf, size_t len)
{
	ssize_t n = read(t->fd, buf, len);
	if (n < 0)
		return -errno;
	return n > 0 ? n : -ENODEV;
}

static ssize_t
sock_write(struct transport *t, const void *buf, size_t len)
{
	ssize_t n = send(t->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == ENOTSOCK)
		n = write(t->fd, buf, len);
	return n < 0 ? -errno : n;
}

static void
sock_close(struct transport *t)
{
	bh_close(&t->fd);
}

static bool
sock_hint(struct transport *t)
{
	bool any = bh_folder_drain(t->hint_fd);
	bh_close(&t->hint_fd); /* the next try watches anew: the folder may be another now */
	return any;
}

const struct transport_ops transport_socket = {
	.name = "socket",
	.keeps = true,
	.open = sock_open,
	.adopt = sock_adopt,
	.read = sock_read,
	.write = sock_write,
	.close = sock_close,
	.hint = sock_hint,
};
