/* direct.c - see direct.h */
#include "supervisor/ctl/direct.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "shm/outbox.h"

#define EXITING 4u /* PF_EXITING of the kernel: it runs no more of its program */

/* A number may be another's by now: only a program of ours counts, and no dead one that nobody has buried. */
static bool
is_ours(pid_t pid, const char *comm)
{
	char path[64], have[32] = "", state = 'X';
	unsigned flags = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	bool ok = fscanf(f, "%*d (%31[^)]) %c %*d %*d %*d %*d %*d %u", have, &state, &flags) == 3;
	fclose(f);
	return ok && state != 'Z' && state != 'X' && !(flags & EXITING) && strcmp(have, comm) == 0;
}

bool
direct_pids(pid_t *keeper, pid_t *supervisor)
{
	char path[512];
	int k = 0, s = 0;
	*keeper = *supervisor = 0;
	if (bh_path_runtime(path, sizeof(path), "pid") < 0)
		return false;
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	int n = fscanf(f, "keeper %d supervisor %d", &k, &s);
	fclose(f);
	if (n >= 1 && is_ours(k, "bh-keeper"))
		*keeper = k;
	if (n >= 2 && is_ours(s, "bh-supervisor"))
		*supervisor = s;
	return *keeper || *supervisor;
}

/* Take a newer epoch of a segment, or leave what is there. */
static void
keep_newest(struct bh_seg *place, struct bh_seg *fresh)
{
	if (place->base && place->head.epoch >= fresh->head.epoch) {
		bh_seg_unmap(fresh);
		return;
	}
	bh_seg_unmap(place);
	*place = *fresh;
}

static void
take_config(struct direct *d, int fd)
{
	struct bh_config c = {0};
	if (bh_config_map(&c, fd) < 0)
		return;
	if (d->config.head && d->config.head->generation >= c.head->generation) {
		bh_config_unmap(&c);
		return;
	}
	bh_config_unmap(&d->config);
	d->config = c;
}

static void
take_segment(struct direct *d, int fd, bool outboxes)
{
	struct bh_seg seg = {0};
	if (bh_seg_map(&seg, fd, 0, false) < 0)
		return;
	uint16_t w = seg.head.writer;
	if (seg.head.kind == BH_SEG_TABLE) {
		keep_newest(&d->table, &seg);
	} else if (seg.head.kind == BH_SEG_SELF && w < BH_MAX_SLOTS) {
		keep_newest(&d->self[w], &seg);
	} else if (seg.head.kind == BH_SEG_PARAMS && w < BH_MAX_SLOTS) {
		keep_newest(&d->params[w], &seg);
	} else if (seg.head.kind == BH_SEG_STATE && w == BH_SLOT_ROUTER) {
		keep_newest(&d->state, &seg);
	} else if (seg.head.kind == BH_SEG_PRIVATE && d->raw && w == d->raw_slot) {
		keep_newest(d->raw, &seg);
	} else if (seg.head.kind == BH_SEG_OUTBOX && outboxes) {
		unsigned i = 0;
		while (i < d->outboxes && (d->outbox[i].head.writer != w || d->outbox[i].head.peer != seg.head.peer))
			i++;
		if (i == DIRECT_OUTBOXES) {
			bh_seg_unmap(&seg);
			return;
		}
		d->outboxes += i == d->outboxes;
		keep_newest(&d->outbox[i], &seg);
	} else {
		bh_seg_unmap(&seg);
	}
}

static bool
is_wanted(const struct direct *d, const char *name, bool outboxes)
{
	size_t len = strlen(name);
	static const char *const ends[] = {".self", ".params", ".state", ".table"};
	for (unsigned i = 0; i < BH_ARRAY_LEN(ends); i++)
		if (len > strlen(ends[i]) && strcmp(name + len - strlen(ends[i]), ends[i]) == 0)
			return true;
	if (d->raw && len > 8 && strcmp(name + len - 8, ".private") == 0)
		return true;
	return outboxes && strchr(name, '>');
}

/* Open what one process holds. 0 or -errno. */
static int
scan(struct direct *d, pid_t pid, bool outboxes)
{
	char dir[64];
	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	DIR *fds = opendir(dir);
	if (!fds)
		return -errno;
	for (struct dirent *e; (e = readdir(fds));) {
		char link[128];
		ssize_t n = readlinkat(dirfd(fds), e->d_name, link, sizeof(link) - 1);
		if (n <= 0 || strncmp(link, "/memfd:", 7) != 0)
			continue;
		link[n] = '\0';
		char *end = strstr(link, " (deleted)");
		if (end)
			*end = '\0';
		bool config = strcmp(link + 7, "bulkhead.config") == 0;
		if (!config && !is_wanted(d, link + 7, outboxes))
			continue;
		bh_autoclose int fd = openat(dirfd(fds), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (config)
			take_config(d, fd);
		else
			take_segment(d, fd, outboxes);
	}
	closedir(fds);
	return 0;
}

int
direct_open(struct direct *d, bool outboxes)
{
	pid_t keeper, supervisor;
	int r = 0;
	memset(d, 0, sizeof(*d));
	if (!direct_pids(&keeper, &supervisor))
		return -ESRCH;
	/* Both: either may be too young to have everything. */
	if (supervisor)
		r = scan(d, supervisor, outboxes);
	if (keeper) {
		int k = scan(d, keeper, outboxes);
		r = r < 0 ? r : k;
	}
	if (!d->table.base) {
		direct_close(d);
		return r < 0 ? r : -ESRCH;
	}
	d->view.direct = true;
	d->view.table = &d->table;
	d->view.config = d->config.head ? &d->config : NULL;
	d->view.state = d->state.base ? &d->state : NULL;
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		if (d->self[s].base) {
			d->view.slot[s].self = bh_seg_section(&d->self[s], BH_SEC_SELF, sizeof(struct bh_self), NULL);
			d->view.slot[s].account = bh_account_of(&d->self[s]);
		}
		if (d->params[s].base && bh_dir_attach(&d->dir[s], &d->params[s]) == 0)
			d->view.slot[s].dir = &d->dir[s];
	}
	return 0;
}

void
direct_close(struct direct *d)
{
	bh_seg_unmap(&d->table);
	bh_seg_unmap(&d->state);
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		bh_seg_unmap(&d->self[s]);
		bh_seg_unmap(&d->params[s]);
	}
	for (unsigned i = 0; i < d->outboxes; i++)
		bh_seg_unmap(&d->outbox[i]);
	bh_config_unmap(&d->config);
	memset(d, 0, sizeof(*d));
}

/* ------------------------------------------------------------------ the configuration in use */

/* Of what one process holds: the newest tables, and the text of that generation. */
static int
scan_config(pid_t pid, uint64_t *newest, int *config, int *source)
{
	char dir[64], text[64];
	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	for (unsigned pass = 0; pass < 2; pass++) {
		DIR *fds = opendir(dir);
		if (!fds)
			return -errno;
		snprintf(text, sizeof(text), "/memfd:bulkhead.source.%llx (deleted)", (unsigned long long)*newest);
		for (struct dirent *e; (e = readdir(fds));) {
			char link[128];
			ssize_t n = readlinkat(dirfd(fds), e->d_name, link, sizeof(link) - 1);
			link[n > 0 ? n : 0] = '\0';
			bool tables = pass == 0 && strcmp(link, "/memfd:bulkhead.config (deleted)") == 0;
			if (!tables && (pass == 0 || *source >= 0 || strcmp(link, text) != 0))
				continue;
			int fd = openat(dirfd(fds), e->d_name, O_RDONLY | O_CLOEXEC);
			struct bh_config c = {0};
			if (fd >= 0 && !tables) {
				*source = fd;
			} else if (fd >= 0 && bh_config_map(&c, fd) == 0 && c.head->generation > *newest) {
				*newest = c.head->generation;
				bh_close(config);
				*config = fd;
			} else {
				bh_close(&fd);
			}
			bh_config_unmap(&c);
		}
		closedir(fds);
	}
	return 0;
}

int
direct_config(int *config, int *source)
{
	pid_t keeper, supervisor;
	uint64_t newest = 0;
	int r = 0;
	*config = *source = -1;
	if (!direct_pids(&keeper, &supervisor))
		return -ESRCH;
	if (supervisor)
		r = scan_config(supervisor, &newest, config, source);
	if (keeper && *config < 0)
		r = scan_config(keeper, &newest, config, source);
	return *config >= 0 ? 0 : r < 0 ? r : -ESRCH;
}

int
direct_raw_open(struct direct_raw *r, uint16_t slot)
{
	struct direct d = {.raw = &r->seg, .raw_slot = slot};
	pid_t keeper, supervisor;
	memset(r, 0, sizeof(*r));
	if (!direct_pids(&keeper, &supervisor))
		return -ESRCH;
	if (supervisor)
		scan(&d, supervisor, false);
	if (keeper)
		scan(&d, keeper, false);
	direct_close(&d);
	r->ring = r->seg.base ? bh_seg_section(&r->seg, BH_SEC_BYTES, 1, &r->size) : NULL;
	r->head = r->seg.base ? bh_seg_section(&r->seg, BH_SEC_BYTES_HEAD, sizeof(*r->head), NULL) : NULL;
	if (!r->ring || !r->head || !r->size) {
		direct_raw_close(r);
		return -ENOENT;
	}
	r->pos = __atomic_load_n(&r->head->decoded, __ATOMIC_ACQUIRE);
	return 0;
}

size_t
direct_raw_read(struct direct_raw *r, uint8_t *buf, size_t cap)
{
	uint64_t end = __atomic_load_n(&r->head->decoded, __ATOMIC_ACQUIRE);
	size_t n = 0;
	/* The next read of the process clears what lies before it; and it may count anew after it was replaced. */
	if (end < r->pos || end - r->pos > r->size / 2)
		r->pos = end;
	while (n < cap && r->pos < end)
		buf[n++] = __atomic_load_n(&r->ring[r->pos++ % r->size], __ATOMIC_RELAXED);
	return n;
}

void
direct_raw_close(struct direct_raw *r)
{
	bh_seg_unmap(&r->seg);
	memset(r, 0, sizeof(*r));
}
