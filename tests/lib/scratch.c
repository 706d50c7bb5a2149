/* scratch.c - see scratch.h */
#include "tests/lib/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static pid_t owner;

static void
give_up(const char *what)
{
	fprintf(stderr, "scratch: %s: %m\n", what);
	abort();
}

int
scratch_remove(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) < 0 ? -errno : 0;
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		char sub[1024];
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		scratch_remove(sub);
	}
	if (d)
		closedir(d);
	return rmdir(path) < 0 ? -errno : 0;
}

/* Before main(): cases are children, and the folder must be their parent's. */
__attribute__((constructor)) static void
make(void)
{
	snprintf(folder, sizeof(folder), "%s/bh-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(folder))
		give_up(folder);
	owner = getpid();
	/* What a test does not say goes there, too, and never to what runs on this machine. */
	setenv("BULKHEAD_RUNTIME_DIR", folder, 1);
	setenv("BULKHEAD_STATE_DIR", folder, 1);
}

__attribute__((destructor)) static void
clean(void)
{
	if (getpid() != owner)
		return;
	if (getenv("BH_KEEP")) {
		fprintf(stderr, "kept: %s\n", folder);
		return;
	}
	/* Who was ended with a case that failed may still write its last word. */
	for (unsigned i = 0; i < 100 && scratch_remove(folder) == -ENOTEMPTY; i++)
		usleep(20000);
}

const char *
scratch(void)
{
	return folder;
}

char *
scratch_dir(char *path, size_t cap, const char *name)
{
	snprintf(path, cap, "%s/%s-XXXXXX", folder, name);
	if (!mkdtemp(path))
		give_up(path);
	return path;
}

int
scratch_file(char *path, size_t cap, const char *name, const char *end)
{
	snprintf(path, cap, "%s/%s-XXXXXX%s", folder, name, end ? end : "");
	int fd = mkostemps(path, end ? (int)strlen(end) : 0, O_CLOEXEC);
	if (fd < 0)
		give_up(path);
	return fd;
}
