/*
 * filewatch.c - notice that the configuration file is another one
 *
 * In:    the kernel's word (inotify) of what happens in the folders on the way to the file
 * Out:   once it has settled (settle.h), a run of bh-config that ends at once if the text is the one in use, or the one refused last
 * Fails: without inotify the file is taken by `bulkhead reload` alone, and we say so.
 *
 * Editors do not write into a file: they write another one and rename it over the old, or delete and create it. So folders are watched
 * and names in them, never the file. Every symbolic link on the way is such a name, too, and of a folder or file that is not
 * there, the place where it will appear. All of it is looked up anew each time something has happened. What happens to other
 * names in these folders wakes us and is forgotten; an idle folder costs nothing.
 *
 * The descriptor lies with the keeper, too: closing the last copy of one takes the kernel some 20 ms, and so long would nobody learn
 * that we died.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "supervisor/super.h"

BH_LOG_TOPIC("watch-file");

#define LINKS_MAX 16
#define RETRY_NS (50 * BH_NS_PER_MS)

/* IN_ATTRIB: a file that may be read now. Not IN_MODIFY: who writes closes in the end. */
#define NAME_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB)
#define FOLDER_EVENTS (IN_MOVE_SELF | IN_DELETE_SELF)
#define LOST_EVENTS (FOLDER_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW)

static uint64_t
delay_ns(const struct super *s)
{
	return s->cfg.watch_delay_ms * BH_NS_PER_MS;
}

static int
watch_folder(struct file_watch *w, const char *dir, uint32_t events)
{
	int wd = inotify_add_watch(w->fd, dir, events | IN_ONLYDIR | IN_MASK_ADD | IN_DONT_FOLLOW);
	unsigned i = 0;
	while (i < w->folders && w->folder[i] != wd)
		i++;
	if (wd >= 0 && i == w->folders && i < BH_ARRAY_LEN(w->folder))
		w->folder[w->folders++] = wd;
	return wd;
}

static void
forget_way(struct file_watch *w)
{
	for (unsigned i = 0; i < w->folders; i++)
		inotify_rm_watch(w->fd, w->folder[i]);
	w->folders = w->places = 0;
	w->path[0] = '\0';
}

static void
watch_name(struct file_watch *w, const char *dir, const char *name)
{
	int wd = watch_folder(w, dir, NAME_EVENTS);
	if (wd < 0 || w->places == BH_ARRAY_LEN(w->place) || strlen(name) >= sizeof(w->place[0].name))
		return;
	w->place[w->places].wd = wd;
	strcpy(w->place[w->places++].name, name);
}

/* The next component of `rest` into `name`; false at its end. */
static bool
next_name(char *rest, char *name)
{
	size_t skip = strspn(rest, "/"), len = strcspn(rest + skip, "/");
	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, rest + skip, len);
	name[len] = '\0';
	memmove(rest, rest + skip + len, strlen(rest + skip + len) + 1);
	return true;
}

static void
go_up(char *dir)
{
	char *slash = strrchr(dir, '/');
	if (slash)
		*(slash == dir ? slash + 1 : slash) = '\0';
}

/* What the link `full` stands for goes before `rest`. */
static bool
follow_link(const char *full, char *dir, char *rest)
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlink(full, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	if (snprintf(whole, sizeof(whole), "%s/%s", target, rest) >= PATH_MAX)
		return false;
	strcpy(rest, whole);
	if (target[0] == '/')
		strcpy(dir, "/");
	return true;
}

/* Go the way of the path as the kernel does, and watch each name on it that may come to mean something else. */
static void
watch_way(struct file_watch *w, const char *path)
{
	char dir[PATH_MAX] = "/", rest[PATH_MAX], name[NAME_MAX + 1], full[PATH_MAX + NAME_MAX + 2];
	struct stat st;
	snprintf(rest, sizeof(rest), "%s", path);
	for (unsigned links = 0; links <= LINKS_MAX && next_name(rest, name);) {
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			go_up(dir);
			continue;
		}
		bool last = !rest[strspn(rest, "/")];
		snprintf(full, sizeof(full), "%s%s%s", dir, dir[1] ? "/" : "", name);
		watch_folder(w, dir, FOLDER_EVENTS);
		if (lstat(full, &st) == 0 && !last && S_ISDIR(st.st_mode)) {
			if (strlen(full) >= sizeof(dir))
				return;
			strcpy(dir, full);
			continue;
		}
		/* Watched first, then looked at: nothing slips in between. */
		watch_name(w, dir, name);
		if (lstat(full, &st) < 0 || !S_ISLNK(st.st_mode) || !follow_link(full, dir, rest))
			return;
		links++;
	}
}

static void
close_watch(struct super *s)
{
	struct file_watch *w = &s->file;
	bh_watch_free(w->watch);
	w->watch = NULL;
	if (w->fd < 0)
		return;
	forget_way(w);
	bh_close(&w->fd);
	keep_forget(s, 0, BH_FD_FILE_WATCH);
}

/* A name that appears says so again when it has content, unless it is a link. */
static bool
is_news(const struct super *s, const struct file_watch *w, const struct inotify_event *ev)
{
	struct stat st;
	if (ev->mask & LOST_EVENTS)
		return true;
	for (unsigned i = 0; i < w->places; i++) {
		if (w->place[i].wd != ev->wd || !ev->len || strcmp(w->place[i].name, ev->name) != 0)
			continue;
		if (!(ev->mask & IN_CREATE) || lstat(s->path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_size)
			return true;
	}
	return false;
}

static void
on_change(void *data, int fd, uint32_t events)
{
	struct super *s = data;
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;
	bool news = false;
	(void)events;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const struct inotify_event *)p;
			news = news || is_news(s, &s->file, ev);
			p += sizeof(*ev) + ev->len;
		}
	}
	if (news)
		settle_touch(&s->file.settle, bh_mono_ns(), delay_ns(s));
}

/* Ours, or a predecessor's. */
static bool
have_watch(struct super *s)
{
	struct file_watch *w = &s->file;
	bool fresh = w->fd < 0;
	if (w->watch)
		return true;
	if (fresh)
		w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd >= 0)
		w->watch = bh_loop_watch(s->loop, w->fd, EPOLLIN, on_change, s);
	if (w->watch && fresh)
		keep_fd(s, BH_FD_FILE_WATCH, 0, 0, 0);
	return w->watch;
}

static void
watch_anew(struct super *s)
{
	struct file_watch *w = &s->file;
	bool able = have_watch(s);
	if (!able && !w->unable)
		bh_warn("the configuration file cannot be watched (%m): after a change, `bulkhead reload`");
	w->unable = !able;
	if (!able)
		return;
	forget_way(w);
	snprintf(w->path, sizeof(w->path), "%s", s->path);
	watch_way(w, s->path);
}

void
filewatch_apply(struct super *s)
{
	struct file_watch *w = &s->file;
	if (!s->cfg.watch) {
		close_watch(s);
		w->settle = (struct settle){0};
		return;
	}
	if (w->watch && !strcmp(w->path, s->path))
		return;
	watch_anew(s);
	/* What happened before we looked. */
	settle_touch(&w->settle, bh_mono_ns(), delay_ns(s));
}

void
filewatch_read(struct super *s, const char *path)
{
	if (!strcmp(path, s->path))
		s->file.settle = (struct settle){0};
}

void
filewatch_on_timer(struct super *s, uint64_t now)
{
	struct file_watch *w = &s->file;
	if (!settle_is_due(&w->settle, now) || s->memory->quitting)
		return;
	if (config_is_busy(s)) {
		settle_touch(&w->settle, now, RETRY_NS);
		return;
	}
	watch_anew(s);
	int r = config_start(s, s->path, CONFIG_BY_WATCH);
	if (r < 0)
		bh_warn("the changed configuration cannot be looked at: %s; `bulkhead reload` tries again", strerror(-r));
}
