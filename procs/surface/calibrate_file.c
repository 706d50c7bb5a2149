/* calibrate_file - see calibrate_file.h */
#include "procs/surface/calibrate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"

static int
file_path(char *path, size_t cap, const char *surface, const char *end)
{
	char name[96];
	snprintf(name, sizeof(name), "%s.calibration%s", surface, end);
	return bh_path_state(path, cap, name);
}

int
calibration_load(struct calibration *c, const char *surface)
{
	char path[PATH_MAX], text[CALIBRATE_TEXT_MAX];
	memset(c, 0, sizeof(*c));
	int r = file_path(path, sizeof(path), surface, "");
	if (r < 0)
		return r;
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof(text));
	return n < 0 ? -errno : calibration_parse(c, text, (size_t)n);
}

/* So that the name is on the disk, too. */
static void
sync_folder(void)
{
	char dir[PATH_MAX];
	if (bh_path_state(dir, sizeof(dir), NULL) < 0)
		return;
	bh_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

int
calibration_save(const struct calibration *c, const char *surface)
{
	char path[PATH_MAX], fresh[PATH_MAX], text[CALIBRATE_TEXT_MAX];
	int n = calibration_print(c, surface, text, sizeof(text));
	int r = n < 0 ? n : file_path(path, sizeof(path), surface, "");
	if (r == 0)
		r = file_path(fresh, sizeof(fresh), surface, ".new");
	if (r < 0)
		return r;
	unlink(fresh);
	bh_autoclose int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ssize_t did = write(fd, text, (size_t)n);
	if (did != n || fsync(fd) < 0 || rename(fresh, path) < 0) {
		r = did >= 0 && did != n ? -ENOSPC : -errno;
		unlink(fresh);
		return r;
	}
	sync_folder();
	return 0;
}

int
calibration_remove(const char *surface)
{
	char path[PATH_MAX];
	int r = file_path(path, sizeof(path), surface, "");
	if (r < 0)
		return r;
	if (unlink(path) < 0)
		return errno == ENOENT ? 0 : -errno;
	sync_folder();
	return 0;
}
