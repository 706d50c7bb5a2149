/* transport - what the transports share; see transport.h */
#include "procs/surface/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/mem.h"

int
transport_init(struct transport *t, const struct transport_ops *ops, const struct transport_config *cfg)
{
	memset(t, 0, sizeof(*t));
	t->ops = ops;
	t->cfg = *cfg;
	t->fd = t->hint_fd = -1;
	return 0;
}

void
transport_fini(struct transport *t)
{
	if (!t->ops)
		return;
	t->ops->close(t);
	if (t->ops->fini)
		t->ops->fini(t);
	bh_close(&t->hint_fd);
	t->ops = NULL;
}

int
transport_matches(const char *pattern, const char *text)
{
	for (int n = 0;; n++) {
		size_t len = strcspn(pattern, "|");
		if (len == 0 || memmem(text, strlen(text), pattern, len))
			return n;
		if (!pattern[len])
			return -1;
		pattern += len + 1;
	}
}

int
transport_watch_folder(const char *folder)
{
	char path[256];
	if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	bh_autoclose int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* IN_ATTRIB: udev gives the node to its group only after it was made. */
	while (inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0) {
		char *slash = strrchr(path, '/');
		if (errno != ENOENT || !slash || slash == path)
			return -errno;
		*slash = '\0';
	}
	return bh_steal_fd(&fd);
}

bool
transport_drain_watch(int fd)
{
	char buf[4096];
	bool any = false;
	while (read(fd, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}
