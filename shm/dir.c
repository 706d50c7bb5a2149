/* dir.c - see dir.h */
#include "shm/dir.h"

#include <errno.h>
#include <string.h>

#include "shm/crc.h"
#include "shm/words.h"

int
bh_dir_attach(struct bh_dir *dir, const struct bh_seg *params)
{
	static uint64_t attached;
	memset(dir, 0, sizeof(*dir));
	dir->attached = __atomic_add_fetch(&attached, 1, __ATOMIC_RELAXED);
	dir->head = bh_seg_section(params, BH_SEC_DIRECTORY, sizeof(*dir->head), NULL);
	dir->records = bh_seg_section(params, BH_SEC_DIR_RECORDS, sizeof(*dir->records), &dir->record_cap);
	/* A directory without choices needs no strings. */
	dir->strings = bh_seg_section(params, BH_SEC_DIR_STRINGS, 1, &dir->string_cap);
	return dir->head && dir->records ? 0 : -EPROTO;
}

uint32_t
bh_dir_count(const struct bh_dir *dir)
{
	uint64_t count = __atomic_load_n(&dir->head->count, __ATOMIC_ACQUIRE);
	return count < dir->record_cap ? (uint32_t)count : dir->record_cap;
}

static uint32_t
dir_check(const struct bh_dir_record *rec)
{
	return bh_crc32c(0, rec, offsetof(struct bh_dir_record, check));
}

int
bh_dir_append(struct bh_dir *dir, struct bh_dir_record *rec, const char *choices, size_t choices_len)
{
	uint32_t n = bh_dir_count(dir);
	uint64_t used = __atomic_load_n(&dir->head->strings, __ATOMIC_RELAXED);
	if (n == dir->record_cap || used > dir->string_cap || choices_len > dir->string_cap - used)
		return -ENOSPC;
	rec->choices_off = (uint32_t)used;
	rec->choices_len = (uint32_t)choices_len;
	rec->check = dir_check(rec);
	for (size_t k = 0; k < choices_len; k++)
		__atomic_store_n(&dir->strings[used + k], choices[k], __ATOMIC_RELAXED);
	shm_store_words(&dir->records[n], rec, sizeof(*rec));
	__atomic_store_n(&dir->head->strings, used + choices_len, __ATOMIC_RELAXED);
	__atomic_store_n(&dir->head->count, n + 1ull, __ATOMIC_RELEASE);
	return (int)n;
}

static bool
dir_ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool
dir_record_ok(const struct bh_dir *dir, const struct bh_dir_record *rec)
{
	if (rec->check != dir_check(rec))
		return false;
	if (!dir_ends(rec->name, BH_NAME_MAX + 1) || !dir_ends(rec->unit, sizeof(rec->unit)) ||
	    !dir_ends(rec->label, sizeof(rec->label)) || !dir_ends(rec->backend_id, sizeof(rec->backend_id)))
		return false;
	if (!rec->name[0] && !(rec->flags & BH_DIR_TOMBSTONE))
		return false;
	if (rec->index >= BH_MAX_PARAMS || rec->type > BH_TRIGGER || rec->taper >= BH_TAPER_COUNT)
		return false;
	if (rec->access & ~(BH_ACCESS_READ | BH_ACCESS_WRITE | BH_ACCESS_METER | BH_ACCESS_RESTORE) ||
	    rec->flags & ~BH_DIR_TOMBSTONE)
		return false;
	if (!__builtin_isfinite(rec->min) || !__builtin_isfinite(rec->max) || !__builtin_isfinite(rec->step) ||
	    !__builtin_isfinite(rec->def))
		return false;
	return rec->choices_off <= dir->string_cap && rec->choices_len <= dir->string_cap - rec->choices_off &&
	       rec->choices <= rec->choices_len;
}

int
bh_dir_read(const struct bh_dir *dir, uint32_t n, struct bh_dir_record *out)
{
	if (n >= bh_dir_count(dir))
		return -ERANGE;
	shm_load_words(out, &dir->records[n], sizeof(*out));
	return dir_record_ok(dir, out) ? 0 : -EBADMSG;
}

int
bh_dir_choice(const struct bh_dir *dir, const struct bh_dir_record *rec, unsigned k, char *out, size_t cap)
{
	if (k >= rec->choices || !cap)
		return -ERANGE;
	size_t len = 0;
	for (uint32_t at = 0; at < rec->choices_len; at++) {
		char c = __atomic_load_n(&dir->strings[rec->choices_off + at], __ATOMIC_RELAXED);
		if (k == 0 && (c == '\0' || len + 1 == cap)) {
			out[len] = '\0';
			return 0;
		}
		if (k == 0)
			out[len++] = c;
		else if (c == '\0')
			k--;
	}
	return -EBADMSG;
}

void
bh_dir_index(struct bh_dir_index *ix, const struct bh_dir *dir)
{
	struct bh_dir_record rec;
	uint32_t epoch = dir ? __atomic_load_n(&dir->head->epoch, __ATOMIC_ACQUIRE) : 0, count = dir ? bh_dir_count(dir) : 0;
	if (!dir || ix->dir != dir || ix->attached != dir->attached || ix->epoch != epoch || count < ix->seen) {
		memset(ix, 0, sizeof(*ix));
		ix->dir = dir;
		ix->attached = dir ? dir->attached : 0;
		ix->epoch = epoch;
	}
	for (; ix->seen < count; ix->seen++)
		if (bh_dir_read(dir, ix->seen, &rec) == 0)
			ix->newest[rec.index] = rec.flags & BH_DIR_TOMBSTONE ? 0 : ix->seen + 1;
}

int
bh_dir_find(const struct bh_dir_index *ix, uint32_t index, struct bh_dir_record *out)
{
	uint32_t n = index < BH_MAX_PARAMS ? ix->newest[index] : 0;
	if (!n || bh_dir_read(ix->dir, n - 1, out) < 0 || out->index != index)
		return -ENOENT;
	return 0;
}

void
bh_dir_rebuild(struct bh_dir *dir)
{
	/* The epoch first: who dies after it leaves a whole directory under a new number, which harms nobody. */
	__atomic_store_n(&dir->head->epoch, __atomic_load_n(&dir->head->epoch, __ATOMIC_RELAXED) + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&dir->head->count, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&dir->head->strings, 0, __ATOMIC_RELEASE);
}
