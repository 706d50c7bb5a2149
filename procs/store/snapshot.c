/* snapshot.c - see snapshot.h */
#include "procs/store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/crc.h"

static const char *const snapshot_files[2] = {"snapshot-a", "snapshot-b"};

int
snapshot_init(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->entry = calloc(SNAPSHOT_MAX, sizeof(*s->entry));
	return s->entry ? 0 : -ENOMEM;
}

void
snapshot_fini(struct snapshot *s)
{
	free(s->entry);
	memset(s, 0, sizeof(*s));
}

static uint32_t
snapshot_check(struct snapshot_head head, const struct snapshot_entry *entry, uint32_t count)
{
	head.check = 0;
	return bh_crc32c(bh_crc32c(0, &head, sizeof(head)), entry, sizeof(*entry) * count);
}

static int
write_all(int fd, const void *data, size_t len)
{
	for (const uint8_t *p = data; len;) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
read_all(int fd, void *data, size_t len)
{
	for (uint8_t *p = data; len;) {
		ssize_t n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static bool
is_head(const struct snapshot_head *head)
{
	return head->magic == SNAPSHOT_MAGIC && head->version == SNAPSHOT_VERSION && head->count <= SNAPSHOT_MAX &&
	       head->entry_size == sizeof(struct snapshot_entry) && head->generation;
}

/*
 * Which file is older? A damaged one is, whatever its header says (0, as if it were absent): else the next write would replace the
 * good one, and the damaged one would stay.
 */
static uint64_t
file_generation(const char *path)
{
	struct snapshot_head head = {0}, plain;
	struct snapshot_entry some[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	int r = read_all(fd, &head, sizeof(head));
	if (r == 0 && !is_head(&head))
		r = -EBADMSG;
	plain = head;
	plain.check = 0;
	uint32_t check = r == 0 ? bh_crc32c(0, &plain, sizeof(plain)) : 0;
	for (uint32_t left = r == 0 ? head.count : 0; r == 0 && left;) {
		uint32_t n = left < 16 ? left : 16;
		r = read_all(fd, some, n * sizeof(some[0]));
		check = r == 0 ? bh_crc32c(check, some, n * sizeof(some[0])) : check;
		left -= n;
	}
	close(fd);
	return r == 0 && check == head.check ? head.generation : 0;
}

int
snapshot_write(const struct snapshot *s, const char *dir)
{
	char path[2][PATH_MAX], aside[PATH_MAX];
	struct snapshot_head head = {.magic = SNAPSHOT_MAGIC, .version = SNAPSHOT_VERSION, .count = s->count,
				     .generation = s->generation, .written_ns = s->written_ns,
				     .entry_size = sizeof(struct snapshot_entry)};
	for (int i = 0; i < 2; i++)
		if (snprintf(path[i], PATH_MAX, "%s/%s", dir, snapshot_files[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
	if (snprintf(aside, sizeof(aside), "%s/snapshot.new", dir) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	int older = file_generation(path[0]) <= file_generation(path[1]) ? 0 : 1;
	/* One left by a predecessor that was killed is not written into: what is opened for writing is always new (sandbox.h). */
	if (unlink(aside) < 0 && errno != ENOENT)
		return -errno;
	int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	head.check = snapshot_check(head, s->entry, s->count);
	int r = write_all(fd, &head, sizeof(head));
	if (r == 0)
		r = write_all(fd, s->entry, sizeof(*s->entry) * s->count);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(aside, path[older]) < 0)
		r = -errno;
	if (r < 0) {
		unlink(aside);
		return r;
	}
	return sync_folder(dir);
}

static int
snapshot_read_file(struct snapshot *s, const char *path)
{
	struct snapshot_head head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = read_all(fd, &head, sizeof(head));
	if (r == 0 && !is_head(&head))
		r = -EBADMSG;
	if (r == 0)
		r = read_all(fd, s->entry, sizeof(*s->entry) * head.count);
	close(fd);
	if (r == 0 && snapshot_check(head, s->entry, head.count) != head.check)
		r = -EBADMSG;
	if (r < 0)
		return r;
	s->generation = head.generation;
	s->written_ns = head.written_ns;
	s->count = head.count;
	for (uint32_t i = 0; i < s->count; i++) {
		s->entry[i].name[sizeof(s->entry[i].name) - 1] = 0;
		s->entry[i].v.s[sizeof(s->entry[i].v.s) - 1] &= s->entry[i].type == BH_TEXT ? 0 : ~0;
	}
	return 0;
}

int
snapshot_read(struct snapshot *s, const char *dir, char *why, size_t cap)
{
	char path[2][PATH_MAX];
	for (int i = 0; i < 2; i++)
		if (snprintf(path[i], PATH_MAX, "%s/%s", dir, snapshot_files[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
	struct snapshot other = {.entry = calloc(SNAPSHOT_MAX, sizeof(*s->entry))};
	if (!other.entry)
		return -ENOMEM;
	int ra = snapshot_read_file(s, path[0]), rb = snapshot_read_file(&other, path[1]);
	if (rb == 0 && (ra < 0 || other.generation > s->generation)) {
		struct snapshot_entry *mine = s->entry;
		*s = other;
		other.entry = mine;
	}
	free(other.entry);
	if (ra == -ENOENT && rb == -ENOENT)
		return -ENOENT;
	if (ra < 0 && rb < 0) {
		snprintf(why, cap, "both snapshots are damaged");
		return -EBADMSG;
	}
	int bad = ra < 0 && ra != -ENOENT ? 0 : rb < 0 && rb != -ENOENT ? 1 : -1;
	if (bad < 0)
		return 0;
	snprintf(why, cap, "%s is damaged", snapshot_files[bad]);
	return 1;
}

int
snapshot_set(struct snapshot *s, const char *name, uint8_t type, const union bh_val *v, uint64_t stamp_ns)
{
	struct snapshot_entry *e = NULL;
	for (uint32_t i = 0; i < s->count && !e; i++)
		if (!strncmp(s->entry[i].name, name, sizeof(s->entry[i].name)))
			e = &s->entry[i];
	if (!e) {
		if (s->count >= SNAPSHOT_MAX)
			return -ENOSPC;
		e = &s->entry[s->count++];
		memset(e, 0, sizeof(*e));
		snprintf(e->name, sizeof(e->name), "%s", name);
	}
	e->type = type;
	e->v = *v;
	e->stamp_ns = stamp_ns;
	return 0;
}
