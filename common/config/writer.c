/*
 * writer.c - writing compiled configurations: rows and strings are collected, then laid out, check-summed and sealed
 *
 * Fails: memory that runs out is remembered and comes out at the end, so that those who add rows need not look.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/compiled.h"
#include "common/mem.h"
#include "shm/seg.h"

struct table {
	uint8_t *rows; /* owned */
	size_t count, cap, stride;
};

struct bh_config_writer {
	struct table table[BH_TAB_COUNT];
	char *strings; /* owned */
	size_t strings_len, strings_cap;
	uint32_t *index; /* owned: hash table of offsets + 1 into strings */
	size_t index_cap, index_used;
	int error;
};

struct bh_config_writer *
bh_config_writer_new(void)
{
	struct bh_config_writer *w = calloc(1, sizeof(*w));
	if (w)
		bh_config_writer_str(w, "", 0);
	return w;
}

void
bh_config_writer_free(struct bh_config_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < BH_TAB_COUNT; i++)
		free(w->table[i].rows);
	free(w->strings);
	free(w->index);
	free(w);
}

/* Room for `need` elements of `size` bytes in *p. */
static bool
reserve(struct bh_config_writer *w, void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return true;
	size_t n = *cap ? *cap : 64;
	while (n < need)
		n *= 2;
	void *q = n * size <= BH_CFG_SIZE_MAX ? realloc(*(void **)p, n * size) : NULL;
	if (!q) {
		w->error = -ENOMEM;
		return false;
	}
	*(void **)p = q;
	*cap = n;
	return true;
}

static uint64_t
hash_of(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3ull;
	return h;
}

/* Where this string is, or should be, in the index. */
static uint32_t *
index_place(uint32_t *index, size_t cap, const char *strings, const char *s, size_t len)
{
	size_t i = hash_of(s, len) & (cap - 1);
	while (index[i] && (strncmp(strings + index[i] - 1, s, len) != 0 || strings[index[i] - 1 + len]))
		i = (i + 1) & (cap - 1);
	return &index[i];
}

static bool
grow_index(struct bh_config_writer *w)
{
	if ((w->index_used + 1) * 2 <= w->index_cap)
		return true;
	size_t cap = w->index_cap ? w->index_cap * 2 : 256;
	uint32_t *index = calloc(cap, sizeof(*index));
	if (!index) {
		w->error = -ENOMEM;
		return false;
	}
	for (size_t i = 0; i < w->index_cap; i++) {
		if (!w->index[i])
			continue;
		const char *s = w->strings + w->index[i] - 1;
		*index_place(index, cap, w->strings, s, strlen(s)) = w->index[i];
	}
	free(w->index);
	w->index = index;
	w->index_cap = cap;
	return true;
}

uint32_t
bh_config_writer_str(struct bh_config_writer *w, const char *s, size_t len)
{
	/* Lists of texts hold NULs: they are added as they are, shared with nothing. */
	bool plain = !memchr(s, '\0', len);
	uint32_t *place = NULL;
	if (plain) {
		if (!grow_index(w))
			return 0;
		place = index_place(w->index, w->index_cap, w->strings, s, len);
		if (*place)
			return *place - 1;
	}
	if (!reserve(w, &w->strings, &w->strings_cap, w->strings_len + len + 1, 1))
		return 0;
	uint32_t off = (uint32_t)w->strings_len;
	memcpy(w->strings + off, s, len);
	w->strings[off + len] = '\0';
	w->strings_len += len + 1;
	if (place) {
		*place = off + 1;
		w->index_used++;
	}
	return off;
}

uint32_t
bh_config_writer_row(struct bh_config_writer *w, enum bh_cfg_table table, const void *row, size_t size)
{
	struct table *t = &w->table[table];
	if (!t->stride)
		t->stride = size;
	if (t->stride != size) {
		w->error = -EINVAL;
		return 0;
	}
	if (!reserve(w, &t->rows, &t->cap, t->count + 1, size))
		return 0;
	memcpy(t->rows + t->count * size, row, size);
	return (uint32_t)t->count++;
}

static size_t
align_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

void *
bh_config_writer_image(struct bh_config_writer *w, const char *file, uint64_t generation, size_t *size)
{
	struct bh_cfg_head h = {.magic = BH_CFG_MAGIC, .version = BH_CFG_VERSION, .generation = generation};
	h.file_off = bh_config_writer_str(w, file, strlen(file));
	size_t at = sizeof(h);
	for (size_t i = 0; i < BH_TAB_COUNT; i++) {
		struct table *t = &w->table[i];
		if (!t->count)
			continue;
		h.table[i] = (struct bh_cfg_range){
			.off = (uint32_t)at, .count = (uint32_t)t->count, .stride = (uint32_t)t->stride};
		at = align_up(at + t->count * t->stride);
	}
	h.strings_off = (uint32_t)at;
	h.strings_len = (uint32_t)w->strings_len;
	h.size = at + w->strings_len;
	if (h.size > BH_CFG_SIZE_MAX)
		w->error = -EFBIG;
	uint8_t *image = w->error ? NULL : calloc(1, h.size);
	if (!image) {
		errno = w->error ? -w->error : ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < BH_TAB_COUNT; i++)
		if (h.table[i].count)
			memcpy(image + h.table[i].off, w->table[i].rows, w->table[i].count * w->table[i].stride);
	memcpy(image + h.strings_off, w->strings, w->strings_len);
	memcpy(image, &h, sizeof(h));
	((struct bh_cfg_head *)image)->check = bh_config_checksum((struct bh_cfg_head *)image, h.size);
	*size = h.size;
	return image;
}

int
bh_config_writer_finish(struct bh_config_writer *w, const char *name, const char *file, uint64_t generation)
{
	size_t size = 0;
	bh_autofree uint8_t *image = bh_config_writer_image(w, file, generation, &size);
	if (!image)
		return -errno;
	bh_autoclose int fd = bh_seg_create_written(name);
	if (fd < 0)
		return bh_steal_fd(&fd);
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, image + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	int r = bh_seg_seal_written(fd);
	return r < 0 ? r : bh_steal_fd(&fd);
}
