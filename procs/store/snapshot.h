/*
 * snapshot.h - the room on disk: names and values, two generations
 *
 * A snapshot is a file of fixed entries behind a header with version, generation, count and check sum. Two files take turns:
 * the new one is written aside, synced, and renamed over the older of the two, then the folder is synced. So at every
 * moment, also in the middle of a write, on a full disk and after a power cut, the newest complete one is there, and if
 * it turns out to be damaged, the one before.
 *
 * Pure but for the files; time is an argument. Entries are ordered by nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/layout.h"

#define SNAPSHOT_MAGIC 0x31504e53444b4c42ull /* "BLKDSNP1" */
#define SNAPSHOT_VERSION 1u
#define SNAPSHOT_MAX 8192u /* entries */

struct snapshot_entry {
	char name[160]; /* "loop/ch1/level", "page:Mix" */
	uint64_t stamp_ns; /* wall clock (CLOCK_REALTIME) when it was taken into a snapshot with this value */
	uint8_t type;	/* enum bh_type */
	uint8_t pad[7];
	union bh_val v;
};
static_assert(sizeof(struct snapshot_entry) == 240, "file format");

struct snapshot_head {
	uint64_t magic;
	uint32_t version;
	uint32_t count;
	uint64_t generation;
	uint64_t written_ns; /* wall clock */
	uint32_t entry_size;
	uint32_t check; /* CRC-32C of the head with check = 0, then the entries */
	uint8_t pad[24];
};
static_assert(sizeof(struct snapshot_head) == 64, "file format");

struct snapshot {
	uint64_t generation, written_ns;
	uint32_t count;
	struct snapshot_entry *entry; /* owned, SNAPSHOT_MAX of them */
};

/* Room for SNAPSHOT_MAX entries. 0 or -ENOMEM. */
int snapshot_init(struct snapshot *s);
void snapshot_fini(struct snapshot *s);

/* Write `s` as generation `s->generation` into folder `dir`. 0 or -errno; on failure the two files are as they were. */
int snapshot_write(const struct snapshot *s, const char *dir);

/*
 * Read the newest complete one. 0; 1 = the newest file was damaged and the generation before was taken (`why` says what was wrong);
 * -ENOENT = none at all; -EBADMSG = both damaged.
 */
int snapshot_read(struct snapshot *s, const char *dir, char *why, size_t cap);

/* Put in or replace. -ENOSPC when full. */
int snapshot_set(struct snapshot *s, const char *name, uint8_t type, const union bh_val *v, uint64_t stamp_ns);
