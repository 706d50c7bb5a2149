/*
 * seg.h - segments: sealed memfds that describe themselves
 *
 * A segment is made once, by the supervisor, allocated in full, with two open files: one read-write for the one
 * writer, one read-only for readers. It is sealed against growing, shrinking and further seals, so that no mapping
 * can ever meet SIGBUS; it is not sealed against writing, because after F_SEAL_FUTURE_WRITE a restarted writer could
 * not map it again. Receivers check seals, size, header and sections before they believe any of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/layout.h"

struct bh_seg_plan {
	uint32_t kind; /* enum bh_section_kind */
	uint32_t stride;
	uint32_t count;
};

struct bh_seg_fds {
	int rw; /* owned: for the writer */
	int ro; /* owned: for readers */
};

/* A mapped segment. Zeroed = unmapped. */
struct bh_seg {
	struct bh_seg_header head; /* our own, checked copy */
	uint8_t *base;		   /* owned mapping */
	size_t size;
	bool writable;
};

/* Make a segment called `name` ("router.self") with these sections. Fills `out`; returns 0 or -errno. */
int bh_seg_create(struct bh_seg_fds *out, const char *name, uint32_t kind, uint16_t writer, uint16_t peer,
		  uint32_t epoch, const struct bh_seg_plan *plan, size_t plan_len);

/*
 * Map `fd` (borrowed: may be closed afterwards) and check it: seals, size, magic, version, check sum, each section
 * inside and aligned, kind as expected (0: any). Returns 0, or -EPROTO (not a segment of ours), -EPERM (not sealed),
 * or another -errno.
 */
int bh_seg_map(struct bh_seg *seg, int fd, uint32_t kind, bool writable);

/* Unmap; a zeroed segment is fine. */
void bh_seg_unmap(struct bh_seg *seg);

/*
 * The first section of this kind, or NULL; `count` may be NULL. Arrays have exactly `stride` bytes an element, so that
 * they can be indexed; single structs, and the slots of a journal, may be longer.
 */
void *bh_seg_section(const struct bh_seg *seg, uint32_t kind, size_t stride, uint32_t *count);

/* The segments of Bulkhead, by kind: what stands in each. Sizes as in layout.h. */
int bh_seg_create_self(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch);
/* `slots` a power of two; `cells` may be 0. */
int bh_seg_create_outbox(struct bh_seg_fds *out, const char *name, uint16_t from, uint16_t to, uint32_t epoch,
			 uint32_t slots, uint32_t cells);
int bh_seg_create_params(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch, uint32_t params,
			 uint32_t string_bytes);
int bh_seg_create_state(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch, uint32_t records);
/* journal_bytes a slot (0: none), bytes of raw input (0: none), scratch bytes (0: none); always a quarantine. */
int bh_seg_create_private(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch,
			  uint32_t journal_bytes, uint32_t raw_bytes, uint32_t scratch_bytes);
int bh_seg_create_table(struct bh_seg_fds *out);

/*
 * A memfd for data that is written once: append with write(), then bh_seg_seal_written() makes it immutable.
 * Returns the descriptor or -errno.
 */
int bh_seg_create_written(const char *name);
int bh_seg_seal_written(int fd);
