/* history.c - see history.h */
#include "common/config/history.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/text.h"
#include "common/mem.h"
#include "common/paths.h"

#define HEAD_MAX 512

int
bh_history_folder(char *buf, size_t cap)
{
	int r = bh_path_state(buf, cap, "history");
	if (r == 0 && mkdir(buf, 0700) < 0 && errno != EEXIST)
		return -errno;
	return r;
}

/* ------------------------------------------------------------------ one version as a file */

static int
write_all(int fd, const char *text, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int
parse_head(const char *line, struct bh_version *v)
{
	int used = 0, at = 0;
	char profile[BH_PROFILE_MAX + 2];
	memset(v, 0, sizeof(*v));
	if (sscanf(line, "# bulkhead history 1 used=%d time=%" SCNd64 " size=%" SCNu64 " text=%" SCNx64 " profile=%65s path=%n", &used,
		   &v->time_s, &v->size, &v->hash, profile, &at) != 5 ||
	    !at || v->size > BH_HISTORY_TEXT_MAX)
		return -EBADMSG;
	v->was_used = used;
	if (bh_profile_is_name(profile))
		memcpy(v->profile, profile, strlen(profile) + 1);
	snprintf(v->path, sizeof(v->path), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	return 0;
}

/* The first line and, if `text` is given, all behind it. */
static int
read_version(int dir, const char *file, struct bh_version *v, char **text)
{
	char head[HEAD_MAX];
	bh_autoclose int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t n = pread(fd, head, sizeof(head) - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -EBADMSG;
	head[n] = '\0';
	char *end = memchr(head, '\n', (size_t)n);
	if (!end)
		return -EBADMSG;
	*end = '\0';
	int r = parse_head(head, v);
	if (r < 0 || !text)
		return r;
	char *all = malloc(v->size + 1);
	if (!all)
		return -ENOMEM;
	n = pread(fd, all, v->size + 1, end + 1 - head);
	if (n < 0)
		r = -errno;
	else if ((uint64_t)n != v->size || bh_text_hash(all, v->size) != v->hash)
		r = -EBADMSG;
	if (r < 0) {
		free(all);
		return r;
	}
	all[n] = '\0';
	*text = all;
	return 0;
}

/* "00000012.yaml" -> 12; 0 = another file. */
static uint32_t
number_of(const char *file)
{
	char *end;
	unsigned long n = isdigit((unsigned char)file[0]) ? strtoul(file, &end, 10) : 0;
	return n && n < UINT32_MAX && strcmp(end, ".yaml") == 0 ? (uint32_t)n : 0;
}

static void
file_of(uint32_t number, char *buf, size_t cap)
{
	snprintf(buf, cap, "%08" PRIu32 ".yaml", number);
}

/* ------------------------------------------------------------------ all of them */

static int
downwards(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* Their numbers, newest first (malloc'ed). */
static int
numbers(const char *dir, uint32_t **out)
{
	unsigned n = 0, cap = 64;
	DIR *d = opendir(dir);
	*out = malloc(cap * sizeof(**out));
	if (!d || !*out) {
		int r = d ? -ENOMEM : -errno;
		if (d)
			closedir(d);
		return r;
	}
	for (struct dirent *e; (e = readdir(d));) {
		uint32_t number = number_of(e->d_name);
		if (!number)
			continue;
		if (n == cap) {
			uint32_t *larger = realloc(*out, 2 * cap * sizeof(**out));
			if (!larger)
				break;
			*out = larger;
			cap *= 2;
		}
		(*out)[n++] = number;
	}
	closedir(d);
	if (n)
		qsort(*out, n, sizeof(**out), downwards);
	return (int)n;
}

int
bh_history_list(const char *dir, struct bh_version *out, unsigned cap)
{
	bh_autofree uint32_t *number = NULL;
	bh_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = fd < 0 ? -errno : numbers(dir, &number);
	unsigned have = 0;
	if (n == -ENOENT)
		return 0;
	for (int i = 0; i < n && have < cap; i++) {
		char file[32];
		file_of(number[i], file, sizeof(file));
		if (read_version(fd, file, &out[have], NULL) < 0)
			continue;
		out[have++].number = number[i];
	}
	return n < 0 ? n : (int)have;
}

int
bh_history_read(const char *dir, uint32_t number, struct bh_version *v, char **text)
{
	char file[32];
	bh_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	file_of(number, file, sizeof(file));
	int r = read_version(fd, file, v, text);
	v->number = number;
	return r;
}

/* ------------------------------------------------------------------ one more */

/* Write, synchronise, rename; `replace` or fail with -EEXIST. */
static int
put_file(int dir, const char *name, bool replace, const char *head, const char *text, size_t len)
{
	char temp[48];
	snprintf(temp, sizeof(temp), ".new-%d", (int)getpid());
	unlinkat(dir, temp, 0);
	int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, head, strlen(head));
	if (r == 0)
		r = write_all(fd, text, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && renameat2(dir, temp, dir, name, replace ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temp, 0);
	else if (fsync(dir) < 0)
		r = -errno;
	return r;
}

static void
prune(int dir, const uint32_t *number, int n)
{
	for (int i = (int)BH_HISTORY_KEEP - 1; i < n; i++) {
		char file[32];
		file_of(number[i], file, sizeof(file));
		unlinkat(dir, file, 0);
	}
}

int
bh_history_add(const char *dir, struct bh_version *v, const char *text, size_t len)
{
	char head[HEAD_MAX], file[32];
	struct bh_version newest = {0};
	bh_autofree uint32_t *number = NULL;
	bh_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	if (len > BH_HISTORY_TEXT_MAX || strchr(v->path, '\n'))
		return -EINVAL;
	int n = numbers(dir, &number);
	if (n < 0)
		return n;
	v->size = len;
	v->hash = bh_text_hash(text, len);
	v->number = n ? number[0] + 1 : 1;
	if (n)
		file_of(number[0], file, sizeof(file));
	if (n && read_version(fd, file, &newest, NULL) == 0 && newest.hash == v->hash && newest.size == v->size &&
	    newest.was_used == v->was_used && !strcmp(newest.profile, v->profile) && !strcmp(newest.path, v->path))
		return 0;
	snprintf(head, sizeof(head), "# bulkhead history 1 used=%d time=%" PRId64 " size=%" PRIu64 " text=%016" PRIx64 " profile=%s path=%s\n",
		 v->was_used, v->time_s, v->size, v->hash, v->profile[0] ? v->profile : "-", v->path);
	file_of(v->number, file, sizeof(file));
	int r = put_file(fd, file, false, head, text, len);
	if (r < 0)
		return r;
	prune(fd, number, n);
	return (int)v->number;
}

/* ------------------------------------------------------------------ profiles */

bool
bh_profile_is_name(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return len >= 1 && len <= BH_PROFILE_MAX && name[0] != '-';
}

int
bh_profile_path(const char *main, const char *name, char *buf, size_t cap)
{
	const char *slash = strrchr(main, '/');
	int n;
	if (!bh_profile_is_name(name))
		return -EINVAL;
	if (strcmp(name, "default") == 0)
		n = snprintf(buf, cap, "%s", main);
	else
		n = snprintf(buf, cap, "%.*sprofiles/%s.yaml", (int)(slash ? slash + 1 - main : 0), main, name);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

void
bh_profile_of(const char *main, const char *path, char *name)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	char guess[BH_PROFILE_MAX + 1] = "", made[PATH_MAX];
	if (strcmp(main, path) == 0)
		strcpy(guess, "default");
	else if (slash && dot > slash + 1 && (size_t)(dot - slash - 1) < sizeof(guess))
		snprintf(guess, sizeof(guess), "%.*s", (int)(dot - slash - 1), slash + 1);
	if (!guess[0] || bh_profile_path(main, guess, made, sizeof(made)) < 0 || strcmp(made, path) != 0)
		guess[0] = '\0';
	strcpy(name, guess);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

unsigned
bh_profile_list(const char *main, char (*name)[BH_PROFILE_MAX + 1], unsigned cap)
{
	char folder[PATH_MAX];
	unsigned n = 0;
	const char *slash = strrchr(main, '/');
	if (!cap)
		return 0;
	strcpy(name[n++], "default");
	snprintf(folder, sizeof(folder), "%.*sprofiles", (int)(slash ? slash + 1 - main : 0), main);
	DIR *d = opendir(folder);
	for (struct dirent *e; d && n < cap && (e = readdir(d));) {
		char *dot = strrchr(e->d_name, '.');
		if (!dot || strcmp(dot, ".yaml") != 0)
			continue;
		*dot = '\0';
		/* profiles/default.yaml is hidden by the file itself. */
		if (bh_profile_is_name(e->d_name) && strcmp(e->d_name, "default") != 0)
			strcpy(name[n++], e->d_name);
	}
	if (d)
		closedir(d);
	qsort(name + 1, n - 1, sizeof(*name), by_name);
	return n;
}

int
bh_profile_remember(const char *state_dir, const char *main, const char *name)
{
	char head[BH_PROFILE_MAX + 8];
	bh_autoclose int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!bh_profile_is_name(name) || strchr(main, '\n'))
		return -EINVAL;
	snprintf(head, sizeof(head), "%s\n", name);
	return put_file(fd, "profile", true, head, main, strlen(main));
}

void
bh_profile_recall(const char *state_dir, const char *main, char *name)
{
	char path[PATH_MAX], text[PATH_MAX + BH_PROFILE_MAX + 8];
	strcpy(name, "default");
	if (snprintf(path, sizeof(path), "%s/profile", state_dir) >= (int)sizeof(path))
		return;
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (n <= 0)
		return;
	text[n] = '\0';
	char *end = strchr(text, '\n');
	if (!end || strcmp(end + 1, main) != 0)
		return;
	*end = '\0';
	if (bh_profile_is_name(text))
		strcpy(name, text);
}
