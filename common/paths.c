/* paths.c - see paths.h */
#include "common/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef BH_LIBEXEC_DIR
#define BH_LIBEXEC_DIR "/usr/libexec/bulkhead"
#endif
#ifndef BH_DATA_DIR
#define BH_DATA_DIR "/usr/share/bulkhead"
#endif

static int
put(char *buf, size_t cap, const char *a, const char *b, const char *c)
{
	int n = snprintf(buf, cap, "%s%s%s%s%s", a, b && *b ? "/" : "", b ? b : "", c && *c ? "/" : "", c ? c : "");
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

/* Make a folder and those above it, for us alone. */
static int
make_folder(const char *path)
{
	char p[PATH_MAX];
	if (snprintf(p, sizeof(p), "%s", path) >= (int)sizeof(p))
		return -ENAMETOOLONG;
	for (char *s = p + 1;; s++) {
		if (*s && *s != '/')
			continue;
		char was = *s;
		*s = 0;
		/* A confined process makes no folders, and is told so even of those that are there. */
		if (mkdir(p, 0700) < 0 && errno != EEXIST) {
			int r = -errno;
			if (access(p, F_OK) < 0)
				return r;
		}
		*s = was;
		if (!was)
			return 0;
	}
}

static int
in_folder(char *buf, size_t cap, const char *dir, const char *file)
{
	int r = make_folder(dir);
	return r < 0 ? r : put(buf, cap, dir, file, NULL);
}

int
bh_path_runtime(char *buf, size_t cap, const char *file)
{
	char dir[PATH_MAX];
	const char *own = getenv("BULKHEAD_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
	if (own && *own)
		snprintf(dir, sizeof(dir), "%s", own);
	else if (xdg && *xdg)
		snprintf(dir, sizeof(dir), "%s/bulkhead", xdg);
	else
		snprintf(dir, sizeof(dir), "/tmp/bulkhead-%u", (unsigned)getuid());
	return in_folder(buf, cap, dir, file);
}

int
bh_path_state(char *buf, size_t cap, const char *file)
{
	char dir[PATH_MAX];
	const char *own = getenv("BULKHEAD_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (own && *own)
		snprintf(dir, sizeof(dir), "%s", own);
	else if (xdg && *xdg)
		snprintf(dir, sizeof(dir), "%s/bulkhead", xdg);
	else if (home && *home)
		snprintf(dir, sizeof(dir), "%s/.local/state/bulkhead", home);
	else
		snprintf(dir, sizeof(dir), "/tmp/bulkhead-%u/state", (unsigned)getuid());
	return in_folder(buf, cap, dir, file);
}

/* The folder of the running program. */
static int
own_folder(char *buf, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", buf, cap - 1);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	char *slash = strrchr(buf, '/');
	if (slash)
		*slash = 0;
	return 0;
}

int
bh_path_program(char *buf, size_t cap, const char *binary)
{
	char dir[PATH_MAX];
	int r = own_folder(dir, sizeof(dir));
	if (r < 0)
		return r;
	r = put(buf, cap, dir, binary, NULL);
	if (r == 0 && access(buf, X_OK) == 0)
		return 0;
	return put(buf, cap, BH_LIBEXEC_DIR, binary, NULL);
}

int
bh_path_data(char *buf, size_t cap, const char *sub)
{
	char dir[PATH_MAX];
	const char *own = getenv("BULKHEAD_DATA_DIR");
	if (own && *own)
		return put(buf, cap, own, sub, NULL);
	int r = own_folder(dir, sizeof(dir));
	if (r < 0)
		return r;
	r = put(buf, cap, dir, "..", sub);
	if (r == 0 && access(buf, R_OK) == 0) {
		char real[PATH_MAX];
		if (realpath(buf, real))
			return put(buf, cap, real, NULL, NULL);
	}
	return put(buf, cap, BH_DATA_DIR, sub, NULL);
}

int
bh_path_absolute(char *buf, size_t cap, const char *path)
{
	char dir[PATH_MAX];
	if (*path == '/')
		return put(buf, cap, path, NULL, NULL);
	if (!getcwd(dir, sizeof(dir)))
		return -errno;
	return put(buf, cap, dir[1] ? dir : "", path, NULL);
}
