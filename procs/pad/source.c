/* source - see source.h */
#include "procs/pad/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/folder.h"
#include "common/mem.h"
#include "common/unixsock.h"

#define INPUT_FOLDER "/dev/input"

enum { NODES_MAX = 1024, VENDOR_NINTENDO = 0x057e };

void
source_init(struct source *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = s->hint_fd = -1;
}

void
source_fini(struct source *s)
{
	bh_close(&s->fd);
	bh_close(&s->hint_fd);
}

static bool
fits(const char *pattern, const char *text)
{
	return !pattern[0] || strcasestr(text, pattern);
}

/* Without the right to open it, sysfs still says what it is. */
static bool
is_wanted_by_name(const struct source_config *cfg, unsigned number)
{
	char path[64], name[128] = "";
	snprintf(path, sizeof(path), "/sys/class/input/event%u/device/name", number);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	return cfg->match[0] && fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 &&
	       fits(cfg->match, name);
}

static bool
is_wanted(const struct source_config *cfg, int fd)
{
	uint8_t keys[KEY_CNT / 8] = {0}, axes[ABS_CNT / 8] = {0};
	char name[128] = "", serial[64] = "";
	if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0 ||
	    ioctl(fd, EVIOCGBIT(EV_ABS, sizeof(axes)), axes) < 0 || !pad_is_one(keys, axes))
		return false;
	ioctl(fd, EVIOCGNAME(sizeof(name) - 1), name);
	ioctl(fd, EVIOCGUNIQ(sizeof(serial) - 1), serial);
	return fits(cfg->match, name) && fits(cfg->serial, serial);
}

static int
open_node(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* The numbers of /dev/input/eventN, as bits. */
static void
list_nodes(uint8_t there[NODES_MAX / 8])
{
	DIR *dir = opendir(INPUT_FOLDER);
	unsigned number;
	memset(there, 0, NODES_MAX / 8);
	for (const struct dirent *e; dir && (e = readdir(dir));)
		if (sscanf(e->d_name, "event%u", &number) == 1 && number < NODES_MAX)
			there[number / 8] |= (uint8_t)(1u << (number % 8));
	if (dir)
		closedir(dir);
}

static int
find_node(const struct source_config *cfg)
{
	uint8_t there[NODES_MAX / 8];
	int denied = -ENODEV;
	list_nodes(there);
	for (unsigned n = 0; n < NODES_MAX; n++) {
		char path[64];
		if (!(there[n / 8] >> (n % 8) & 1))
			continue;
		snprintf(path, sizeof(path), INPUT_FOLDER "/event%u", n);
		bh_autoclose int fd = open_node(path);
		if (fd == -EACCES && is_wanted_by_name(cfg, n))
			denied = -EACCES;
		if (fd >= 0 && is_wanted(cfg, fd))
			return bh_steal_fd(&fd);
	}
	return denied;
}

static int
open_path(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
	if (S_ISSOCK(st.st_mode))
		return bh_unix_connect(path);
	bh_autoclose int fd = open_node(path);
	int version;
	if (fd >= 0 && ioctl(fd, EVIOCGVERSION, &version) < 0)
		return -ENOTTY;
	return bh_steal_fd(&fd);
}

static void
describe(struct source *s, const struct source_config *cfg)
{
	struct input_id id = {0};
	char name[96] = "";
	s->asks = ioctl(s->fd, EVIOCGNAME(sizeof(name) - 1), name) >= 0;
	snprintf(s->what, sizeof(s->what), "%s", s->asks ? name : cfg->path);
	s->nintendo = s->asks && ioctl(s->fd, EVIOCGID, &id) >= 0 && id.vendor == VENDOR_NINTENDO;
}

int
source_open(struct source *s, const struct source_config *cfg)
{
	if (s->hint_fd < 0)
		s->hint_fd = cfg->path[0] ? bh_folder_watch_parent(cfg->path)
					  : bh_folder_watch(INPUT_FOLDER);
	int fd = cfg->path[0] ? open_path(cfg->path) : find_node(cfg);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENXIO ? -ENODEV : fd;
	s->fd = fd;
	s->part_len = 0;
	describe(s, cfg);
	int r = cfg->grab ? source_grab(s, true) : 0;
	if (r < 0)
		source_close(s);
	return r;
}

void
source_close(struct source *s)
{
	bh_close(&s->fd);
}

int
source_grab(const struct source *s, bool on)
{
	if (!s->asks)
		return 0;
	return ioctl(s->fd, EVIOCGRAB, on ? 1 : 0) < 0 ? -errno : 0;
}

int
source_state(const struct source *s, struct pad_state *out)
{
	uint8_t axes[ABS_CNT / 8] = {0};
	memset(out, 0, sizeof(*out));
	if (!s->asks)
		return -ENOTTY;
	if (ioctl(s->fd, EVIOCGKEY(sizeof(out->keys)), out->keys) < 0 ||
	    ioctl(s->fd, EVIOCGBIT(EV_ABS, sizeof(axes)), axes) < 0)
		return -errno;
	for (unsigned i = 0; i < ABS_CNT; i++) {
		struct input_absinfo info;
		if (!(axes[i / 8] >> (i % 8) & 1) || ioctl(s->fd, EVIOCGABS(i), &info) < 0)
			continue;
		out->has[i] = true;
		out->range[i] = (struct pad_range){info.minimum, info.maximum};
		out->abs[i] = info.value;
	}
	return 0;
}

ssize_t
source_read(struct source *s, struct input_event *ev, size_t max)
{
	uint8_t *bytes = (uint8_t *)ev;
	memcpy(bytes, s->part, s->part_len);
	ssize_t n = read(s->fd, bytes + s->part_len, max * sizeof(*ev) - s->part_len);
	if (n <= 0)
		return n < 0 ? -errno : -ENODEV;
	size_t got = s->part_len + (size_t)n;
	s->part_len = got % sizeof(*ev);
	memcpy(s->part, bytes + got - s->part_len, s->part_len);
	size_t events = got / sizeof(*ev);
	return events ? (ssize_t)events : -EAGAIN;
}

bool
source_hint(struct source *s)
{
	bool any = bh_folder_drain(s->hint_fd);
	bh_close(&s->hint_fd); /* the folder may be another now */
	return any;
}
