/* journal.c - see journal.h */
#include "shm/journal.h"

#include <errno.h>
#include <string.h>

#include "shm/crc.h"
#include "shm/order.h"

static struct bh_journal_slot *
journal_slot(const struct bh_journal *j, uint64_t txn)
{
	return (struct bh_journal_slot *)(j->slots + (txn & 1) * j->stride);
}

static size_t
journal_room(const struct bh_journal *j)
{
	return j->stride - sizeof(struct bh_journal_slot);
}

static uint8_t *
journal_body(const struct bh_journal_slot *slot)
{
	return (uint8_t *)(slot + 1);
}

/* Everything after `commit`, the sum itself taken as zero, and `bytes` of body. */
static uint32_t
journal_check(const struct bh_journal_slot *slot, uint32_t bytes)
{
	struct bh_journal_slot head = *slot;
	head.check = 0;
	uint32_t crc = bh_crc32c(0, &head.txn, sizeof(head) - offsetof(struct bh_journal_slot, txn));
	return bh_crc32c(crc, journal_body(slot), bytes);
}

static uint64_t
journal_bytes(const struct bh_journal_slot *slot)
{
	return (uint64_t)slot->changes * sizeof(struct bh_journal_change) +
	       (uint64_t)slot->outputs * sizeof(struct bh_journal_output);
}

static bool
journal_is_committed(const struct bh_journal *j, unsigned index)
{
	const struct bh_journal_slot *slot = journal_slot(j, index);
	uint64_t txn = __atomic_load_n(&slot->commit, __ATOMIC_RELAXED);
	return txn && txn == slot->txn && (txn & 1) == index && slot->bytes <= journal_room(j) &&
	       journal_bytes(slot) == slot->bytes && slot->check == journal_check(slot, slot->bytes);
}

static const struct bh_journal_slot *
journal_newest(const struct bh_journal *j)
{
	const struct bh_journal_slot *newest = NULL;
	for (unsigned k = 0; k < 2; k++)
		if (journal_is_committed(j, k) && (!newest || journal_slot(j, k)->txn > newest->txn))
			newest = journal_slot(j, k);
	return newest;
}

int
bh_journal_attach(struct bh_journal *j, const struct bh_seg *priv)
{
	memset(j, 0, sizeof(*j));
	uint32_t count = 0;
	j->slots = bh_seg_section(priv, BH_SEC_JOURNAL, sizeof(struct bh_journal_slot), &count);
	for (uint32_t k = 0; k < priv->head.sections; k++)
		if (priv->head.section[k].kind == BH_SEC_JOURNAL) {
			j->stride = priv->head.section[k].stride;
			break;
		}
	if (!j->slots || count != 2 || j->stride % 8)
		return -EPROTO;
	j->change_cap = (uint32_t)(journal_room(j) / sizeof(struct bh_journal_change));
	j->output_cap = (uint32_t)(journal_room(j) / sizeof(struct bh_journal_output));
	const struct bh_journal_slot *newest = journal_newest(j);
	j->txn = newest ? newest->txn : 0;
	return 0;
}

void
bh_journal_begin(struct bh_journal *j, uint16_t input_slot, uint16_t input_kind, uint64_t input_seq, uint64_t time_ns)
{
	struct bh_journal_slot *slot = journal_slot(j, j->txn + 1);
	/* First of all: from here to the commit this slot holds nothing. */
	__atomic_store_n(&slot->commit, 0, __ATOMIC_RELAXED);
	BH_FENCE_BEGIN();
	memset((char *)slot + sizeof(slot->commit), 0, sizeof(*slot) - sizeof(slot->commit));
	slot->txn = j->txn + 1;
	slot->input_slot = input_slot;
	slot->input_kind = input_kind;
	slot->input_seq = input_seq;
	slot->time_ns = time_ns;
	j->open = slot;
	j->change = (struct bh_journal_change *)journal_body(slot);
	j->output = (struct bh_journal_output *)(journal_body(slot) + journal_room(j) / 8 * 8);
}

static bool
journal_has_room(const struct bh_journal *j, size_t more)
{
	return journal_bytes(j->open) + more <= journal_room(j);
}

int
bh_journal_change(struct bh_journal *j, uint32_t record, uint32_t gen, const void *data)
{
	if (!journal_has_room(j, sizeof(*j->change)))
		return -ENOSPC;
	struct bh_journal_change *change = &j->change[j->open->changes++];
	change->record = record;
	change->gen = gen;
	memcpy(change->data, data, sizeof(change->data));
	return 0;
}

int
bh_journal_output(struct bh_journal *j, const struct bh_journal_output *out)
{
	if (!journal_has_room(j, sizeof(*out)))
		return -ENOSPC;
	*--j->output = *out;
	j->open->outputs++;
	return 0;
}

void
bh_journal_outbox_end(struct bh_journal *j, uint16_t slot, uint64_t pos)
{
	if (slot < BH_MAX_SLOTS)
		j->open->outbox_end[slot] = pos;
}

void
bh_journal_overflow_seen(struct bh_journal *j, uint16_t slot, uint64_t count)
{
	if (slot < BH_MAX_SLOTS)
		j->open->overflow_seen[slot] = count;
}

/* The outputs were stacked from the back: turn them round and move them up to the changes. */
static void
journal_settle_outputs(struct bh_journal *j)
{
	uint32_t n = j->open->outputs;
	for (uint32_t k = 0; k < n / 2; k++) {
		struct bh_journal_output swap = j->output[k];
		j->output[k] = j->output[n - 1 - k];
		j->output[n - 1 - k] = swap;
	}
	memmove(&j->change[j->open->changes], j->output, n * sizeof(*j->output));
}

uint64_t
bh_journal_commit(struct bh_journal *j)
{
	struct bh_journal_slot *slot = j->open;
	journal_settle_outputs(j);
	slot->bytes = (uint32_t)journal_bytes(slot);
	slot->check = journal_check(slot, slot->bytes);
	__atomic_store_n(&slot->commit, slot->txn, BH_ORDER_COMMIT);
	j->txn = slot->txn;
	j->open = NULL;
	return j->txn;
}

const struct bh_journal_slot *
bh_journal_last(const struct bh_journal *j, const struct bh_journal_change **change,
		const struct bh_journal_output **output)
{
	const struct bh_journal_slot *slot = journal_newest(j);
	if (slot && change)
		*change = (const struct bh_journal_change *)journal_body(slot);
	if (slot && output)
		*output = (const struct bh_journal_output *)(journal_body(slot) +
							     slot->changes * sizeof(struct bh_journal_change));
	return slot;
}
