/* latch.c - see latch.h */
#include "shm/latch.h"

#include <errno.h>

#include "shm/crc.h"
#include "shm/order.h"

#define LATCH_TRIES 8

void
bh_latch_write(uint64_t *turn, void *copies, size_t stride, const void *value, size_t len)
{
	uint64_t next = __atomic_load_n(turn, __ATOMIC_RELAXED) + 1;
	if (!next || next > INT64_MAX)
		next = 2 - (next & 1); /* only after damage; the side that readers do not look at stays the same */
	shm_store_ordered((char *)copies + (next & 1) * stride, value, len);
	__atomic_store_n(turn, next, BH_ORDER_TURN_STORE);
}

int64_t
bh_latch_read(const uint64_t *turn, const void *copies, size_t stride, void *value, size_t len)
{
	for (int try = 0; try < LATCH_TRIES; try++) {
		uint64_t before = __atomic_load_n(turn, BH_ORDER_TURN_LOAD);
		if (before > INT64_MAX)
			return -EPROTO;
		shm_load_ordered(value, (const char *)copies + (before & 1) * stride, len);
		/* One step on, the writer may already be filling the copy that we read. */
		if (__atomic_load_n(turn, __ATOMIC_RELAXED) == before)
			return (int64_t)before;
	}
	return -EAGAIN;
}

void
bh_cell_write(struct bh_cell *cell, const struct bh_cell_body *body)
{
	bh_latch_write(&cell->turn, cell->copy, sizeof(cell->copy[0]), body, sizeof(*body));
}

int64_t
bh_cell_read(const struct bh_cell *cell, struct bh_cell_body *body)
{
	return bh_latch_read(&cell->turn, cell->copy, sizeof(cell->copy[0]), body, sizeof(*body));
}

static uint32_t
record_check(const struct bh_record_copy *copy)
{
	return bh_crc32c(0, copy, offsetof(struct bh_record_copy, check));
}

void
bh_record_write(struct bh_record *rec, uint32_t gen, const void *data)
{
	struct bh_record_copy copy = {.gen = gen};
	memcpy(copy.data, data, sizeof(copy.data));
	copy.check = record_check(&copy);
	bh_latch_write(&rec->turn, rec->copy, sizeof(copy), &copy, sizeof(copy));
}

int
bh_record_read(const struct bh_record *rec, uint32_t *gen, void *data)
{
	struct bh_record_copy copy;
	/* Of thousands most were never written, and a successor asks each. */
	if (!__atomic_load_n(&rec->turn, __ATOMIC_RELAXED))
		return 0;
	int64_t turn = bh_latch_read(&rec->turn, rec->copy, sizeof(copy), &copy, sizeof(copy));
	if (turn == 0)
		return 0;
	if (turn < 0)
		return turn == -EAGAIN ? -EAGAIN : -EBADMSG;
	if (copy.check != record_check(&copy))
		return -EBADMSG;
	if (gen)
		*gen = copy.gen;
	memcpy(data, copy.data, sizeof(copy.data));
	return 1;
}

void
bh_health_write(struct bh_self *self, const struct bh_health_record *h)
{
	bh_latch_write(&self->turn, self->health, sizeof(*h), h, sizeof(*h));
}

int64_t
bh_health_read(const struct bh_self *self, struct bh_health_record *h)
{
	int64_t turn = bh_latch_read(&self->turn, self->health, sizeof(*h), h, sizeof(*h));
	/* A peer's words: whoever prints them must meet an end. */
	h->reason[sizeof(h->reason) - 1] = '\0';
	h->hint[sizeof(h->hint) - 1] = '\0';
	return turn;
}

void
bh_proc_entry_write(struct bh_proc_entry *entry, const struct bh_proc_body *body)
{
	bh_latch_write(&entry->turn, entry->copy, sizeof(*body), body, sizeof(*body));
}

int64_t
bh_proc_entry_read(const struct bh_proc_entry *entry, struct bh_proc_body *body)
{
	int64_t turn = bh_latch_read(&entry->turn, entry->copy, sizeof(*body), body, sizeof(*body));
	body->name[sizeof(body->name) - 1] = '\0';
	body->kind[sizeof(body->kind) - 1] = '\0';
	body->health.reason[sizeof(body->health.reason) - 1] = '\0';
	body->health.hint[sizeof(body->health.hint) - 1] = '\0';
	return turn;
}

#define NAME_OF(table, k) ((k) < sizeof(table) / sizeof(table[0]) && table[k] ? table[k] : "?")

const char *
bh_health_name(uint32_t health)
{
	static const char *const names[BH_HEALTH_COUNT] = {
		[BH_HEALTH_STARTING] = "starting",
		[BH_HEALTH_OK] = "ok",
		[BH_HEALTH_CONNECTING] = "connecting",
		[BH_HEALTH_DEGRADED] = "degraded",
		[BH_HEALTH_BAD_CONFIG] = "bad-config",
		[BH_HEALTH_AUTH_FAILED] = "auth-failed",
		[BH_HEALTH_NO_PERMISSION] = "no-permission",
		[BH_HEALTH_BACKING_OFF] = "backing-off",
		[BH_HEALTH_FAILED] = "failed",
		[BH_HEALTH_HELD] = "held",
		[BH_HEALTH_STOPPED] = "stopped",
	};
	return NAME_OF(names, health);
}

const char *
bh_cause_name(uint32_t cause)
{
	static const char *const names[] = {
		[BH_CAUSE_NONE] = "none",
		[BH_CAUSE_EXIT] = "exit",
		[BH_CAUSE_SIGNAL] = "signal",
		[BH_CAUSE_HANG] = "hang",
		[BH_CAUSE_LIMIT] = "limit",
		[BH_CAUSE_NEVER_READY] = "never-ready",
		[BH_CAUSE_UNKNOWN] = "unknown",
	};
	return NAME_OF(names, cause);
}

const char *
bh_event_kind_name(uint32_t kind)
{
	static const char *const names[BH_EV_KIND_COUNT] = {
		[BH_EV_NONE] = "none",
		[BH_EV_VALUE] = "value",
		[BH_EV_TOUCH] = "touch",
		[BH_EV_RELEASE] = "release",
		[BH_EV_RELATIVE] = "relative",
		[BH_EV_METER] = "meter",
		[BH_EV_PRESS] = "press",
		[BH_EV_ACTION] = "action",
		[BH_EV_DROPPED] = "dropped",
		[BH_EV_DIRECTORY] = "directory",
		[BH_EV_HEALTH] = "health",
		[BH_EV_REQUEST] = "request",
		[BH_EV_RESULT] = "result",
		[BH_EV_MAIL] = "mail",
		[BH_EV_RESYNC] = "resync",
		[BH_EV_DIRTY] = "dirty",
		[BH_EV_OWED] = "owed",
	};
	return NAME_OF(names, kind);
}

const char *
bh_drop_name(uint32_t drop)
{
	static const char *const names[] = {
		[BH_DROP_LATE] = "late",
		[BH_DROP_FULL] = "full",
		[BH_DROP_QUARANTINED] = "quarantined",
		[BH_DROP_FAILED] = "failed",
		[BH_DROP_UNKNOWN] = "unknown",
		[BH_DROP_DOWN] = "down",
	};
	return NAME_OF(names, drop);
}
