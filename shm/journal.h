/*
 * journal.h - the router's commit by redo record
 *
 * For each input the router's core returns changes of records and outputs. They are written here, with the input's ring
 * and cursor and the end of each outbox, into one of two slots, and committed by one release store; only then are they
 * applied. A successor finds at most one committed transaction that may be half applied, and finishes it: writing a
 * record twice is harmless, and of each outbox's outputs it skips what stands in the ring beyond the recorded end.
 */
#pragma once

#include "shm/layout.h"
#include "shm/seg.h"

struct bh_journal {
	uint8_t *slots; /* borrowed: two of `stride` bytes */
	uint32_t stride;
	uint64_t txn; /* of the last committed one */
	/* the one being written */
	struct bh_journal_slot *open;
	struct bh_journal_change *change;
	struct bh_journal_output *output;
	uint32_t change_cap, output_cap;
};

/* Attach to a private segment's journal section. 0 or -EPROTO. */
int bh_journal_attach(struct bh_journal *j, const struct bh_seg *priv);

/* Begin a transaction. Changes grow from the front, outputs from the back of the slot. */
void bh_journal_begin(struct bh_journal *j, uint16_t input_slot, uint16_t input_kind, uint64_t input_seq, uint64_t time_ns);
/* 0, or -ENOSPC: the transaction is too large (a configuration limit, checked at load). */
int bh_journal_change(struct bh_journal *j, uint32_t record, uint32_t gen, const void *data);
int bh_journal_output(struct bh_journal *j, const struct bh_journal_output *out);
/* Positions of the outboxes before the outputs, and overflow counts that this transaction drains. */
void bh_journal_outbox_end(struct bh_journal *j, uint16_t slot, uint64_t pos);
void bh_journal_overflow_seen(struct bh_journal *j, uint16_t slot, uint64_t count);
/* Commit: from here on the transaction happens, whoever dies. Returns its number. */
uint64_t bh_journal_commit(struct bh_journal *j);

/*
 * The newest committed transaction, or NULL: what a successor must finish. `change` and `output` (each may be NULL)
 * receive the arrays; outputs stand in the order in which they are to be published.
 */
const struct bh_journal_slot *bh_journal_last(const struct bh_journal *j, const struct bh_journal_change **change,
					      const struct bh_journal_output **output);
