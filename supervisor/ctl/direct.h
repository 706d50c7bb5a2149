/*
 * direct.h - the pipeline's shared memory, read by the tool itself
 *
 * Keeper and supervisor hold every segment; their descriptors are found in /proc by the names of the memfds and opened
 * anew, for reading. So status works while bh-control, the supervisor or the keeper is down, and monitor and trace look at
 * the rings without the pipeline knowing.
 */
#pragma once

#include <sys/types.h>

#include "common/wire/view.h"

#define DIRECT_OUTBOXES 160

struct direct {
	struct bh_view view;
	struct bh_seg table, state, self[BH_MAX_SLOTS], params[BH_MAX_SLOTS]; /* owned mappings */
	struct bh_dir dir[BH_MAX_SLOTS];
	struct bh_config config;
	struct bh_seg outbox[DIRECT_OUTBOXES]; /* only when asked for */
	unsigned outboxes;
	struct bh_seg *raw; /* only when asked for: the private segment of raw_slot (borrowed) */
	uint16_t raw_slot;
};

/*
 * What a surface has read from its device, as its process keeps it: followed without the process knowing. `pos` counts all bytes;
 * of those that are whole messages and still there, read() copies up to cap bytes and moves on.
 */
struct direct_raw {
	struct bh_seg seg; /* owned */
	const struct bh_bytes_head *head;
	const uint8_t *ring;
	uint32_t size;
	uint64_t pos;
};
/* From now on. 0 or -errno. */
int direct_raw_open(struct direct_raw *r, uint16_t slot);
size_t direct_raw_read(struct direct_raw *r, uint8_t *buf, size_t cap);
void direct_raw_close(struct direct_raw *r);

/* Do keeper or supervisor of this runtime folder live? Their numbers, 0 = not. */
bool direct_pids(pid_t *keeper, pid_t *supervisor);
/* 0; -ESRCH = nothing runs; -EACCES = another user's. */
int direct_open(struct direct *d, bool outboxes);
void direct_close(struct direct *d);
/*
 * The compiled configuration in use and the text it was made of, as descriptors (owned by the caller; the text may be -1). 0; -ESRCH =
 * nothing runs; another -errno.
 */
int direct_config(int *config, int *source);
