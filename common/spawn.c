/* spawn.c - see spawn.h */
#include "common/spawn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union spawn_control {
	char buf[CMSG_SPACE(sizeof(int) * BH_SPAWN_FDS)];
	struct cmsghdr align;
};

int
bh_spawn_send(int sock, struct bh_spawn_msg *msg, const int *fds)
{
	union spawn_control ctl;
	struct iovec iov = {.iov_base = msg, .iov_len = sizeof(*msg)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	if (msg->nfds > BH_SPAWN_FDS)
		return -E2BIG;
	msg->magic = BH_SPAWN_MAGIC;
	if (msg->nfds) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * msg->nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * msg->nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * msg->nfds);
	}
	ssize_t n;
	do
		n = sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*msg) ? 0 : -EMSGSIZE;
}

/* Take the descriptors out of the control data; more than expected are closed at once. */
static unsigned
spawn_collect(struct msghdr *mh, int *fds)
{
	unsigned got = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (got < BH_SPAWN_FDS)
				fds[got++] = fd;
			else
				close(fd);
		}
	}
	return got;
}

int
bh_spawn_recv(int sock, struct bh_spawn_msg *msg, int *fds, int wait)
{
	union spawn_control ctl;
	struct iovec iov = {.iov_base = msg, .iov_len = sizeof(*msg)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf)};
	ssize_t n;
	do
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	unsigned got = spawn_collect(&mh, fds);
	if (n == (ssize_t)sizeof(*msg) && msg->magic == BH_SPAWN_MAGIC && msg->nfds == got &&
	    !(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		msg->text[sizeof(msg->text) - 1] = 0;
		msg->kind[sizeof(msg->kind) - 1] = 0;
		return 1;
	}
	for (unsigned i = 0; i < got; i++)
		close(fds[i]);
	return -EPROTO;
}
