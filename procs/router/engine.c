/* engine.c - see engine.h */
#include "procs/router/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/units.h"
#include "shm/hist.h"
#include "shm/latch.h"

BH_LOG_TOPIC("router");

#define TX_BYTES (64u << 10) /* keeps a transaction short; a page of 250 controls takes two */
#define BATCH 64

static uint64_t
clock_now(const struct bh_event *ev)
{
	(void)ev;
	return bh_now_ns();
}

static void
count(struct router *r, enum bh_counter c, uint64_t n)
{
	__atomic_store_n(&r->self->counter[c], r->self->counter[c] + n, __ATOMIC_RELAXED);
}

int
router_init(struct router *r, const struct bh_seg *state, const struct bh_seg *priv, struct bh_self *self)
{
	r->self = self;
	r->clock = clock_now;
	r->records = bh_seg_section(state, BH_SEC_RECORDS, sizeof(*r->records), &r->record_count);
	if (!r->records)
		return -EPROTO;
	int ret = bh_journal_attach(&r->journal, priv);
	if (ret < 0)
		return ret;
	if (r->journal.stride < sizeof(struct bh_journal_slot) + BH_TX_BYTES_MIN)
		return -EPROTO;
	ret = bh_core_new(&r->core, r->record_count);
	if (ret < 0)
		return ret;
	return bh_tx_init(&r->tx, TX_BYTES);
}

void
router_fini(struct router *r)
{
	bh_core_free(r->core);
	bh_tx_fini(&r->tx);
	r->core = NULL;
}

/* ------------------------------------------------------------------ carrying out what was committed */

/* The payload of output k: its first 64 bytes stand in it, the rest in those that follow. */
static size_t
output_payload(const struct bh_journal_output *out, uint32_t left, uint8_t *payload)
{
	size_t len = out->cell_flags < BH_PAYLOAD_MAX ? out->cell_flags : BH_PAYLOAD_MAX;
	size_t at = len < sizeof(out->v) ? len : sizeof(out->v);
	memcpy(payload, &out->v, at);
	for (uint32_t k = 1; at < len && k < left && out[k].flags & BH_OUT_MORE; k++) {
		size_t part = sizeof(out->ev) + sizeof(out->v);
		if (part > len - at)
			part = len - at;
		memcpy(payload + at, (const char *)&out[k] + offsetof(struct bh_journal_output, ev), part);
		at += part;
	}
	return at;
}

/*
 * Publish one output. `again`: a predecessor may have; `skip`: it has put this one into the ring, `lost`: that cannot be told, and
 * an action must not happen twice.
 */
static void
publish(struct bh_outbox *ob, const struct bh_journal_output *out, uint32_t left, bool skip, bool lost)
{
	struct bh_event ev = out->ev;
	if (skip)
		return;
	if (bh_kind_has_cell(ev.kind)) {
		if (out->flags & BH_OUT_PUSH && !lost)
			bh_outbox_put(ob, &ev, &out->v, (uint16_t)out->cell_flags);
		else
			bh_outbox_conflate(ob, &ev, &out->v, (uint16_t)out->cell_flags);
	} else if (!lost) {
		uint8_t payload[BH_PAYLOAD_MAX];
		size_t len = output_payload(out, left, payload);
		bh_outbox_send(ob, &ev, payload, len);
	}
}

static void
publish_all(struct router *r, const struct bh_journal_output *out, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct bh_outbox *ob = r->peer[out[k].slot].out;
		if (ob && !(out[k].flags & BH_OUT_MORE))
			publish(ob, &out[k], n - k, false, false);
	}
}

static bool
is_sound(const struct bh_journal_output *out)
{
	return out->slot < BH_MAX_SLOTS && out->ev.kind < BH_EV_KIND_COUNT;
}

/* Of each outbox's outputs, those that stand in the ring beyond the recorded end were published already. */
static void
publish_rest(struct router *r, const struct bh_journal_slot *txn, const struct bh_journal_output *out)
{
	uint32_t done[BH_MAX_SLOTS], seen[BH_MAX_SLOTS] = {0};
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++)
		done[s] = r->peer[s].out ? bh_outbox_since(r->peer[s].out, txn->outbox_end[s]) : 0;
	for (uint32_t k = 0; k < txn->outputs; k++) {
		if (!is_sound(&out[k]) || out[k].flags & BH_OUT_MORE || !r->peer[out[k].slot].out)
			continue;
		uint16_t s = out[k].slot;
		bool lost = done[s] == UINT32_MAX, push = out[k].flags & BH_OUT_PUSH;
		bool skip = push && !lost && seen[s] < done[s];
		seen[s] += push;
		publish(r->peer[s].out, &out[k], txn->outputs - k, skip, lost);
	}
}

static void
move_cursor(struct router *r, uint16_t slot, uint64_t pos)
{
	struct bh_inbox *in = slot < BH_MAX_SLOTS ? r->peer[slot].in : NULL;
	/* Not into another ring than the one the position was taken from. */
	if (in && pos > in->ring.pos && pos - in->ring.pos <= in->ring.mask + 1ull)
		bh_ring_seek(&in->ring, pos);
}

int
router_recover(struct router *r)
{
	const struct bh_journal_change *change;
	const struct bh_journal_output *out;
	const struct bh_journal_slot *txn = bh_journal_last(&r->journal, &change, &out);
	uint8_t data[BH_RECORD_BYTES];
	uint32_t gen;
	int bad = 0;
	for (uint32_t k = 0; txn && k < txn->changes; k++)
		if (change[k].record < r->record_count) {
			int there = bh_record_read(&r->records[change[k].record], &gen, data);
			if (there != 1 || gen != change[k].gen)
				bh_record_write(&r->records[change[k].record], change[k].gen, change[k].data);
		}
	if (txn) {
		publish_rest(r, txn, out);
		move_cursor(r, txn->input_slot, txn->input_seq);
		r->dirty = true;
	}
	for (uint32_t k = 0; k < r->record_count; k++) {
		int there = bh_record_read(&r->records[k], &gen, data);
		if (there == 1)
			bh_core_load(r->core, k, gen, data);
		bad += there < 0;
	}
	count(r, BH_CNT_RECORDS_BAD, (uint64_t)bad);
	return bad;
}

/* ------------------------------------------------------------------ a transaction */

/* Free slots; while half of the ring is free by what we knew last, nobody's cursor need be read again. */
static uint32_t
room_in(struct bh_ring_tx *tx)
{
	uint64_t used = tx->pos - tx->seen, slots = tx->mask + 1ull;
	return used <= slots / 2 ? (uint32_t)(slots - used) : bh_ring_room(tx);
}

static void
begin(struct router *r, uint64_t now_ns)
{
	for (uint32_t rest = r->outs; rest; rest &= rest - 1) {
		unsigned s = (unsigned)__builtin_ctz(rest);
		r->tx.room[s] = room_in(&r->peer[s].out->ring);
	}
	size_t room = r->journal.stride - sizeof(struct bh_journal_slot);
	r->tx.bytes = room < TX_BYTES ? room : TX_BYTES;
	bh_core_begin(r->core, &r->tx, now_ns);
}

static void
journal(struct router *r, uint16_t from, uint16_t kind, uint64_t seq, uint64_t now_ns)
{
	bh_journal_begin(&r->journal, from, kind, seq, now_ns);
	for (uint32_t k = 0; k < r->tx.changes; k++) {
		uint32_t gen;
		const void *data = bh_core_record(r->core, r->tx.change[k], &gen);
		if (data)
			bh_journal_change(&r->journal, r->tx.change[k], gen, data);
	}
	for (uint32_t k = 0; k < r->tx.outputs; k++)
		bh_journal_output(&r->journal, &r->tx.output[k]);
	for (uint32_t rest = r->outs; rest; rest &= rest - 1) {
		uint16_t s = (uint16_t)__builtin_ctz(rest);
		bh_journal_outbox_end(&r->journal, s, r->peer[s].out->ring.pos);
	}
	bh_journal_commit(&r->journal);
}

static void
write_records(struct router *r)
{
	for (uint32_t k = 0; k < r->tx.changes; k++) {
		uint32_t gen;
		const void *data = bh_core_record(r->core, r->tx.change[k], &gen);
		if (data)
			bh_record_write(&r->records[r->tx.change[k]], gen, data);
	}
	if (!r->tx.changes)
		return;
	__atomic_store_n(&r->self->state_gen, r->self->state_gen + 1, __ATOMIC_RELEASE);
	r->dirty |= r->tx.changes > r->tx.levels;
}

/* The last event of a scan rings at once those it concerns; within a scan each sleeper is rung but once. */
static void
ring_if_last(struct router *r, uint16_t from)
{
	if (bh_ring_has(&r->peer[from].in->ring))
		return;
	for (uint32_t k = 0; k < r->tx.outputs; k++) {
		struct bh_outbox *ob = r->peer[r->tx.output[k].slot].out;
		if (ob)
			bh_outbox_flush(ob);
	}
}

/* End, commit, carry out. `from` = BH_SLOT_NONE: no input behind it, no cursor to move. */
static void
end(struct router *r, uint16_t from, uint16_t kind, uint64_t seq, uint64_t now_ns)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(3, 10000);
	bh_core_end(r->core);
	bool meters_only = !r->tx.changes && r->tx.outputs == r->tx.meters;
	if (!meters_only)
		journal(r, from, kind, seq, now_ns);
	publish_all(r, r->tx.output, r->tx.outputs);
	if (from < BH_MAX_SLOTS) {
		bh_ring_seek(&r->peer[from].in->ring, seq);
		ring_if_last(r, from);
	}
	/* Nobody waits for these, and until the next commit the journal has them, too. */
	if (!meters_only)
		write_records(r);
	if (!r->tx.faults)
		return;
	count(r, BH_CNT_PEER_FAULTS, r->tx.faults);
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
		       "peer fault: what came from slot %u (%s) makes no sense; ignored and counted", from,
		       bh_event_kind_name(kind));
}

void
router_steps(struct router *r)
{
	while (bh_core_is_pending(r->core)) {
		uint64_t now = r->clock(NULL);
		begin(r, now);
		end(r, BH_SLOT_NONE, BH_EV_NONE, 0, now);
	}
}

void
router_timers(struct router *r, uint64_t until_ns, uint64_t now_ns)
{
	for (uint64_t due = bh_core_deadline(r->core); due && due <= until_ns; due = bh_core_deadline(r->core)) {
		begin(r, due);
		bh_core_timers(r->core, now_ns);
		end(r, BH_SLOT_NONE, BH_EV_NONE, 0, due);
		router_steps(r);
	}
}

/* ------------------------------------------------------------------ directories */

#define CHOICES_MAX 4096u

/* The names of choices, copied out once and checked for their ends. */
static size_t
copy_choices(const struct bh_dir *dir, const struct bh_dir_record *rec, char *out)
{
	size_t len = 0;
	for (unsigned k = 0; k < rec->choices; k++) {
		if (len >= CHOICES_MAX || bh_dir_choice(dir, rec, k, out + len, CHOICES_MAX - len) < 0)
			return 0;
		len += strlen(out + len) + 1;
	}
	return len;
}

/* What is new in a driver's directory. True: something is. */
static bool
read_directory(struct router *r, uint16_t slot)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 10000);
	static char choices[CHOICES_MAX];
	struct router_peer *p = &r->peer[slot];
	struct bh_dir_record rec;
	bool news = false;
	if (!p->dir)
		return false;
	uint32_t epoch = __atomic_load_n(&p->dir->head->epoch, __ATOMIC_ACQUIRE), n = bh_dir_count(p->dir);
	uint64_t now = r->clock(NULL);
	if (!p->dir_known || epoch != p->dir_epoch || n < p->dir_seen) {
		bh_core_unsettle(r->core); /* what comes back at once never looks gone */
		begin(r, now);
		bh_core_directory_reset(r->core, slot);
		end(r, BH_SLOT_NONE, BH_EV_DIRECTORY, 0, now);
		p->dir_known = true;
		p->dir_epoch = epoch;
		p->dir_seen = 0;
		news = true;
	}
	for (; p->dir_seen < n; p->dir_seen++) {
		news = true;
		if (bh_dir_read(p->dir, p->dir_seen, &rec) < 0) {
			count(r, BH_CNT_PEER_FAULTS, 1);
			bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
				       "peer fault: record %u of the directory in slot %u is damaged; ignored", p->dir_seen,
				       slot);
			continue;
		}
		size_t len = rec.choices ? copy_choices(p->dir, &rec, choices) : 0;
		begin(r, now);
		bh_core_directory(r->core, slot, &rec, choices, len);
		end(r, BH_SLOT_NONE, BH_EV_DIRECTORY, 0, now);
	}
	return news;
}

/* Does record n of it say this? */
static bool
tells(const struct bh_dir *dir, uint32_t n, const struct bh_dir_record *rec, const char *choices, size_t len)
{
	static char there[CHOICES_MAX];
	struct bh_dir_record old;
	if (bh_dir_read(dir, n, &old) < 0 || old.choices != rec->choices || old.choices_len != len)
		return false;
	if (memcmp(&old, rec, offsetof(struct bh_dir_record, choices_off)) != 0)
		return false;
	return !len || (len <= sizeof(there) && copy_choices(dir, &old, there) == len && memcmp(there, choices, len) == 0);
}

static int
next_of_room(struct router *r, uint32_t *n, struct bh_dir_record *rec, const char **choices, size_t *len)
{
	int ret;
	while ((ret = bh_core_room(r->core, (*n)++, rec, choices, len)) == -ENOENT)
		;
	return ret;
}

int
router_tell_room(struct router *r, struct bh_dir *dir)
{
	struct bh_dir_record rec;
	const char *choices;
	size_t len;
	uint32_t n = 0, told = 0;
	bool same = true;
	while (same && next_of_room(r, &n, &rec, &choices, &len) == 0)
		same = tells(dir, told++, &rec, choices, len);
	if (same && told == bh_dir_count(dir))
		return 0;
	if (bh_dir_count(dir))
		bh_dir_rebuild(dir);
	for (n = 0; next_of_room(r, &n, &rec, &choices, &len) == 0;)
		if (bh_dir_append(dir, &rec, choices, len) < 0)
			return -ENOSPC;
	return 0;
}

/* ------------------------------------------------------------------ cells */

/*
 * Take from the cells what their ring did not bring. One transaction for each. What a surface tells while we look stands in its ring in
 * the order of the hand, and its newest in the cells already: from there a move would overtake the press before it. So the ring is
 * taken first, and then we begin anew.
 */
static void
look_at_cells(struct router *r, uint16_t slot)
{
	struct bh_inbox *in = r->peer[slot].in;
	struct bh_cell_body body;
	uint64_t overflow;
	if (!in)
		return;
	r->peer[slot].look = true;
	bh_inbox_overflowed(in, &overflow);
	for (uint32_t id = 0; id < in->cell_count; id++) {
		if (bh_inbox_cell(in, id, &body) != 1 || !bh_core_cell_news(r->core, slot, id, &body))
			continue;
		if (!r->peer[slot].dir && bh_ring_has(&in->ring))
			return;
		const struct bh_event ev = {.kind = body.kind, .stamp_ns = body.stamp_ns, .id = id};
		uint64_t now = r->clock(&ev);
		begin(r, now);
		bh_core_cell(r->core, slot, id, &body);
		end(r, BH_SLOT_NONE, body.kind, 0, now);
		router_steps(r);
	}
	uint64_t now = r->clock(NULL);
	begin(r, now);
	bh_core_cells_seen(r->core, slot, overflow);
	end(r, BH_SLOT_NONE, BH_EV_RESYNC, 0, now);
	in->overflow_seen = overflow;
	r->peer[slot].look = false;
}

/*
 * Who is well has a directory, though its own word about that may still be on its way to us: what a hand does next may need it.
 */
static void
meet_the_well(struct router *r, const struct bh_event *health)
{
	uint16_t slot = health->id < BH_MAX_SLOTS ? (uint16_t)health->id : BH_SLOT_NONE;
	if (slot != BH_SLOT_NONE && health->v.i == BH_HEALTH_OK && read_directory(r, slot))
		look_at_cells(r, slot);
}

/* ------------------------------------------------------------------ events */

static void
input(struct router *r, uint16_t slot, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct bh_inbox *in = r->peer[slot].in;
	uint64_t now = r->clock(ev);
	/* What was due later than this happened comes after it, however long it has waited here: a press that was let go is no long one. */
	router_timers(r, ev->stamp_ns < now ? ev->stamp_ns : now, now);
	router_steps(r);
	begin(r, now);
	bh_core_event(r->core, slot, ev, payload, len);
	end(r, slot, ev->kind, in->ring.next, now);
	router_steps(r);
	if (r->taken && ev->kind <= BH_EV_ACTION && now > ev->stamp_ns)
		bh_hist_add(r->taken, r->clock(NULL) - ev->stamp_ns);
}

int
router_take(struct router *r, uint16_t slot, bool (*mail)(void *data), void *data)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(1, 10000);
	struct router_peer *p = &r->peer[slot];
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	int there = p->in ? bh_ring_peek(&p->in->ring, &ev, payload, sizeof(payload), &len) : 0;
	if (there == 0)
		return 0;
	if (there < 0) {
		count(r, BH_CNT_PEER_FAULTS, 1);
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic,
			       "peer fault: slot %u wrote an event that is none; skipped and counted", slot);
		bh_ring_advance(&p->in->ring, &ev);
		return 1;
	}
	count(r, BH_CNT_EVENTS_IN, 1);
	if (ev.kind == BH_EV_RESYNC) {
		p->look = true;
		bh_ring_advance(&p->in->ring, &ev);
	} else if (ev.kind == BH_EV_DIRECTORY) {
		/* Values may have come before their names: look at the cells. */
		p->look |= read_directory(r, slot);
		bh_core_settled(r->core);
		bh_ring_advance(&p->in->ring, &ev);
		router_steps(r);
	} else if (ev.kind == BH_EV_MAIL && slot == BH_SLOT_SUPERVISOR) {
		bh_ring_advance(&p->in->ring, &ev);
		if (mail && !mail(data))
			return -EINTR;
	} else {
		if (ev.kind == BH_EV_HEALTH && slot == BH_SLOT_SUPERVISOR)
			meet_the_well(r, &ev);
		input(r, slot, &ev, payload, len);
	}
	bh_account_taken(r->account, slot, ev.kind);
	return 1;
}

/*
 * What the supervisor had said before somebody's next event is heard before it: a hand that acts on a driver of which all the world
 * knows that it is well is not refused.
 */
static int
hear_supervisor(struct router *r, uint16_t slot, bool (*mail)(void *data), void *data)
{
	const struct bh_inbox *in = r->peer[slot].in, *sup = r->peer[BH_SLOT_SUPERVISOR].in;
	int took = 1;
	if (slot == BH_SLOT_SUPERVISOR || !in || !sup || !bh_ring_has(&in->ring))
		return 0;
	for (unsigned n = 0; n < BATCH && took > 0 && bh_ring_has(&sup->ring); n++)
		took = router_take(r, BH_SLOT_SUPERVISOR, mail, data);
	return took < 0 ? took : 0;
}

void
router_drain(struct router *r, uint16_t slot, bool (*mail)(void *data), void *data)
{
	struct router_peer *p = &r->peer[slot];
	uint64_t overflow;
	for (unsigned n = 0; n < BATCH; n++) {
		int took = hear_supervisor(r, slot, mail, data);
		if (took == 0)
			took = router_take(r, slot, mail, data);
		if (took < 0)
			return;
		if (took == 0)
			break;
	}
	if (p->in && !bh_ring_has(&p->in->ring) && (p->look || bh_inbox_overflowed(p->in, &overflow)))
		look_at_cells(r, slot);
}

/* ------------------------------------------------------------------ peers and configuration */

static uint32_t
cell_gen(void *data, uint16_t slot, uint32_t id)
{
	struct router *r = data;
	const struct bh_outbox *ob = r->peer[slot].out;
	struct bh_cell_body body;
	if (!ob || id >= ob->cell_count || bh_cell_read(&ob->cells[id], &body) <= 0)
		return 0;
	return body.gen;
}

/* Look at the memory between us and a peer: is it the one that our records are about? */
static void
check_memory(struct router *r, uint16_t slot)
{
	const struct router_peer *p = &r->peer[slot];
	uint32_t gen;
	const struct bh_rec_peer *rec = bh_core_record(r->core, BH_REC_PEER(slot), &gen);
	bool fresh = p->in && (!rec || rec->in_epoch != p->in->seg.head.epoch);
	if (p->out)
		bh_core_verify(r->core, slot, fresh ? NULL : cell_gen, r);
	if (p->in)
		bh_core_inbox(r->core, slot, p->in->seg.head.epoch);
}

void
router_peer_changed(struct router *r, uint16_t slot, struct bh_inbox *in, struct bh_outbox *out, struct bh_dir *dir)
{
	struct router_peer *p = &r->peer[slot];
	p->in = in;
	p->out = out;
	r->outs = out ? r->outs | 1u << slot : r->outs & ~(1u << slot);
	r->tx.room[slot] = 0;
	p->dir = dir;
	p->dir_known = false;
}

void
router_meet(struct router *r, uint16_t slot)
{
	read_directory(r, slot);
	bh_core_settled(r->core);
	check_memory(r, slot);
	router_steps(r);
	look_at_cells(r, slot);
}

int
router_config(struct router *r, const struct bh_config *config, const struct bh_core_options *opt, char *why,
	      size_t cap)
{
	int ret = bh_core_config(r->core, config, opt, why, cap);
	if (ret < 0)
		return ret;
	uint64_t now = r->clock(NULL);
	begin(r, now);
	bh_core_adopt(r->core);
	end(r, BH_SLOT_NONE, BH_EV_NONE, 0, now);
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		r->peer[s].dir_known = false;
		read_directory(r, s);
		check_memory(r, s);
	}
	bh_core_settled(r->core);
	router_steps(r);
	return 0;
}
