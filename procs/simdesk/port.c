/*
 * port - see port.h
 */
#include "procs/simdesk/port.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"

BH_LOG_TOPIC("port");

static const uint64_t retry_after_ns = 250 * BH_NS_PER_MS;

void
port_init(struct port *p, enum port_kind kind, const char *path, struct bh_loop *loop,
	  struct desk *desk, struct cable *cable)
{
	*p = (struct port){.kind = kind,
			   .path = path,
			   .loop = loop,
			   .desk = desk,
			   .cable = cable,
			   .listen_fd = -1,
			   .fd = -1,
			   .slave_fd = -1};
}

static int
address_of(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	strcpy(a->sun_path, path);
	return 0;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un a;
	int r = address_of(path, &a);
	if (r < 0)
		return r;
	bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return bh_steal_fd(&fd);
}

int
port_listen_at(const char *path)
{
	struct sockaddr_un a;
	int r = address_of(path, &a);
	if (r < 0)
		return r;
	bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	if (r == -EADDRINUSE) {
		/* Left over by a desk that died, or in use by one that lives? */
		struct stat st;
		bh_autoclose int other = connect_to(path);
		if (other != -ECONNREFUSED || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
			return r;
		unlink(path);
		r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	}
	if (r < 0)
		return r;
	if (listen(fd, 4) < 0)
		return -errno;
	return bh_steal_fd(&fd);
}

static void
host_gone(struct port *p, uint64_t now_ns)
{
	bh_watch_free(p->watch);
	p->watch = NULL;
	p->events = 0;
	if (p->fd < 0)
		return;
	bh_close(&p->fd);
	cable_peer(p->cable, false, now_ns);
	p->desk->changed++;
	if (p->kind == PORT_CONNECT && p->open)
		p->retry_ns = now_ns + retry_after_ns;
	bh_info("the host is gone");
}

/* Watch for what can go on; a descriptor that nothing is wanted of is not watched, or its hang-up would spin. */
static void on_host(void *data, int fd, uint32_t events);

static void
watch_again(struct port *p, uint64_t now_ns)
{
	uint32_t want = (cable_rx(p->cable, now_ns) ? EPOLLIN : 0u) | (p->blocked ? EPOLLOUT : 0u);
	if (p->fd < 0 || want == p->events)
		return;
	if (p->watch && want) {
		bh_watch_events(p->watch, want);
	} else {
		bh_watch_free(p->watch);
		p->watch = want ? bh_loop_watch(p->loop, p->fd, want, on_host, p) : NULL;
		if (want && !p->watch) {
			bh_err("cannot watch the host's socket: %m");
			host_gone(p, now_ns);
			return;
		}
	}
	p->events = want;
}

static void
write_on(struct port *p, uint64_t now_ns)
{
	const uint8_t *bytes;
	size_t n;
	while (p->fd >= 0 && !p->blocked && (n = cable_tx(p->cable, now_ns, &bytes)) > 0) {
		ssize_t sent = write(p->fd, bytes, n);
		if (sent > 0)
			cable_tx_done(p->cable, now_ns, (size_t)sent);
		else if (sent < 0 && errno == EAGAIN)
			p->blocked = true;
		else if (sent < 0 && errno != EINTR)
			host_gone(p, now_ns);
	}
}

static void
read_on(struct port *p, uint64_t now_ns)
{
	uint8_t bytes[4096];
	size_t room = cable_rx(p->cable, now_ns);
	if (room > sizeof(bytes))
		room = sizeof(bytes);
	if (room == 0)
		return;
	ssize_t n = read(p->fd, bytes, room);
	if (n > 0) {
		cable_rx_done(p->cable, now_ns, (size_t)n);
		desk_receive(p->desk, now_ns, bytes, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		host_gone(p, now_ns);
	}
}

static void
on_host(void *data, int fd, uint32_t events)
{
	struct port *p = data;
	uint64_t now_ns = bh_mono_ns();
	(void)fd;
	if (events & EPOLLOUT)
		p->blocked = false;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_on(p, now_ns);
}

static void
host_here(struct port *p, int fd)
{
	uint64_t now_ns = bh_mono_ns();
	host_gone(p, now_ns);
	p->fd = fd;
	p->blocked = false;
	p->retry_ns = 0;
	cable_peer(p->cable, true, now_ns);
	bh_info("a host is here");
	desk_connect(p->desk, now_ns);
	watch_again(p, now_ns);
}

static void
on_listen(void *data, int fd, uint32_t events)
{
	struct port *p = data;
	(void)events;
	int host = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (host >= 0)
		host_here(p, host);
}

static int
open_listen(struct port *p)
{
	int fd = port_listen_at(p->path);
	if (fd < 0)
		return fd;
	p->listen_fd = fd;
	p->listen_watch = bh_loop_watch(p->loop, fd, EPOLLIN, on_listen, p);
	return p->listen_watch ? 0 : -errno;
}

static int
open_pty(struct port *p)
{
	struct termios raw;
	int master;
	if (openpty(&master, &p->slave_fd, NULL, NULL, NULL) < 0)
		return -errno;
	if (ttyname_r(p->slave_fd, p->pty_name, sizeof(p->pty_name)) != 0 ||
	    tcgetattr(p->slave_fd, &raw) < 0) {
		int r = -errno;
		close(master);
		return r;
	}
	cfmakeraw(&raw);
	tcsetattr(p->slave_fd, TCSANOW, &raw);
	fcntl(master, F_SETFL, O_NONBLOCK);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(p->slave_fd, F_SETFD, FD_CLOEXEC);
	if (p->path) {
		unlink(p->path);
		if (symlink(p->pty_name, p->path) < 0) {
			int r = -errno;
			close(master);
			return r;
		}
	}
	host_here(p, master);
	return 0;
}

int
port_open(struct port *p)
{
	int r = 0;
	if (p->open)
		return 0;
	p->open = true;
	switch (p->kind) {
	case PORT_LISTEN: r = open_listen(p); break;
	case PORT_CONNECT: p->retry_ns = 1; break;
	case PORT_PTY: r = open_pty(p); break;
	}
	if (r < 0)
		port_close(p);
	return r;
}

void
port_close(struct port *p)
{
	if (!p->open)
		return;
	p->open = false;
	p->retry_ns = 0;
	host_gone(p, bh_mono_ns());
	if (p->listen_fd >= 0 || (p->kind == PORT_PTY && p->path))
		unlink(p->path);
	bh_watch_free(p->listen_watch);
	p->listen_watch = NULL;
	bh_close(&p->listen_fd);
	bh_close(&p->slave_fd);
}

void
port_pump(struct port *p, uint64_t now_ns)
{
	if (p->retry_ns && p->retry_ns <= now_ns) {
		int fd = connect_to(p->path);
		p->retry_ns = now_ns + retry_after_ns;
		if (fd >= 0)
			host_here(p, fd);
	}
	cable_tick(p->cable, now_ns);
	write_on(p, now_ns);
	watch_again(p, now_ns);
}

uint64_t
port_next_ns(const struct port *p)
{
	return p->retry_ns;
}
