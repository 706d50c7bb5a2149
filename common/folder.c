/* folder - see folder.h */
#include "common/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/mem.h"

int
bh_folder_watch(const char *folder)
{
	char path[256];
	if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	bh_autoclose int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0) {
		char *slash = strrchr(path, '/');
		if (errno != ENOENT || !slash || slash == path)
			return -errno;
		*slash = '\0';
	}
	return bh_steal_fd(&fd);
}

int
bh_folder_watch_parent(const char *path)
{
	char folder[256];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	return bh_folder_watch(slash && slash != folder ? folder : "/");
}

bool
bh_folder_drain(int fd)
{
	char buf[4096];
	bool any = false;
	while (read(fd, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}
