/*
 * dir.h - the parameter directory of a driver
 *
 * Append-only fixed records, released by a count. Removing a parameter appends a tombstone, renaming a tombstone and
 * a record with `was`. Readers copy a record, check its sum and every field, then use it.
 */
#pragma once

#include "shm/layout.h"
#include "shm/seg.h"

struct bh_dir {
	struct bh_dir_head *head; /* borrowed; the reader's is mapped read-only */
	struct bh_dir_record *records;
	char *strings;
	uint32_t record_cap, string_cap;
	uint64_t attached; /* which bh_dir_attach() it was: no two have the same */
};

int bh_dir_attach(struct bh_dir *dir, const struct bh_seg *params);
/*
 * Append (writer only). `choices`: the names, each NUL-terminated, one after the other (`choices_len` bytes), or NULL.
 * Fills in check and choices_off. Returns the record number or -ENOSPC.
 */
int bh_dir_append(struct bh_dir *dir, struct bh_dir_record *rec, const char *choices, size_t choices_len);
/* Number of released records (bounded by capacity). */
uint32_t bh_dir_count(const struct bh_dir *dir);
/* Copy record n and check it: 0, -ERANGE, -EBADMSG. */
int bh_dir_read(const struct bh_dir *dir, uint32_t n, struct bh_dir_record *out);
/* Name of choice k of a checked record, copied into `out` (at most cap bytes with NUL). 0, -ERANGE, -EBADMSG. */
int bh_dir_choice(const struct bh_dir *dir, const struct bh_dir_record *rec, unsigned k, char *out, size_t cap);
/*
 * Which record of a directory is the newest of each index. Begin with zeroes; bh_dir_index() brings it in step, and reads only what
 * was appended since. bh_dir_find(): 0 and the record, -ENOENT: there is no such parameter now.
 */
struct bh_dir_index {
	const struct bh_dir *dir; /* borrowed */
	uint64_t attached;
	uint32_t epoch, seen;
	uint32_t newest[BH_MAX_PARAMS]; /* record number + 1; 0 = none or gone */
};
void bh_dir_index(struct bh_dir_index *ix, const struct bh_dir *dir);
int bh_dir_find(const struct bh_dir_index *ix, uint32_t index, struct bh_dir_record *out);
/*
 * Start anew under the next epoch (writer only; when it is damaged or full). A reader that works through the records reads
 * head->epoch before and after: if it moved, what it read belongs to no epoch.
 */
void bh_dir_rebuild(struct bh_dir *dir);
