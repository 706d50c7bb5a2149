/*
 * latch.h - a record that one process writes and any number read, without locks
 *
 * Two copies and a turn. The writer fills the copy that readers do not look at, then moves the turn by a release
 * store; copy turn & 1 is the current one. A writer that dies half-way leaves the turn where it was, so nobody waits
 * for the dead (with a sequence lock they would). A reader whose turn moved under its hands reads again (one step on the
 * writer may already be filling the copy that it read), a bounded number of times, then says so.
 *
 * Both copies are aligned to 8 bytes and `stride` is a multiple of 8, though `len` need not be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/layout.h"

/*
 * Write `len` bytes as the next value. `turn` and the two copies (each `stride` bytes apart, the first at `copies`)
 * belong to the calling process. Never fails.
 */
void bh_latch_write(uint64_t *turn, void *copies, size_t stride, const void *value, size_t len);

/*
 * Read the newest value. Returns the turn it belongs to (0: never written), -EAGAIN after 8 torn reads, -EPROTO for a
 * turn that no writer reaches. `value` is overwritten in any case.
 */
int64_t bh_latch_read(const uint64_t *turn, const void *copies, size_t stride, void *value, size_t len);

/* Cells. A reader checks type and kind itself. Return as bh_latch_read(). */
void bh_cell_write(struct bh_cell *cell, const struct bh_cell_body *body);
int64_t bh_cell_read(const struct bh_cell *cell, struct bh_cell_body *body);

/* Records: as cells, with generation and check sum. */
void bh_record_write(struct bh_record *rec, uint32_t gen, const void *data);
/* 1 and the data; 0 = never written; -EBADMSG = check sum; -EAGAIN = torn for too long. */
int bh_record_read(const struct bh_record *rec, uint32_t *gen, void *data);

/* The health claimed in a self segment, and entries of the process table. What is read is terminated, but not clean. */
void bh_health_write(struct bh_self *self, const struct bh_health_record *h);
int64_t bh_health_read(const struct bh_self *self, struct bh_health_record *h);
void bh_proc_entry_write(struct bh_proc_entry *entry, const struct bh_proc_body *body);
int64_t bh_proc_entry_read(const struct bh_proc_entry *entry, struct bh_proc_body *body);

/* "ok", "auth-failed", ...; "?" for a word that is none. */
const char *bh_health_name(uint32_t health);
const char *bh_cause_name(uint32_t cause);
const char *bh_event_kind_name(uint32_t kind);
const char *bh_drop_name(uint32_t drop);
