/*
 * crash_records.c - scenes of records: latches, and the router's commit as a recipe over shm/
 *
 * A small router with two records, one inbox and two outboxes. For each input it decides changes and outputs, commits them
 * as a redo record, and carries them out. Wherever it dies, a successor finishes what was committed and goes on with the rest; both
 * drivers must then have got each event once and in order, and the records must say what the inputs add up to.
 */
#include <stdio.h>
#include <string.h>

#include "shm/journal.h"
#include "shm/latch.h"
#include "shm/outbox.h"
#include "supervisor/super.h"
#include "tests/isolation/crash_scenes.h"

/* ------------------------------------------------------------------ latches */

enum { L_STATE, L_BOX, L_SELF, L_TABLE, L_MEMORY };
#define ENTRY 5 /* of the process table */

static struct slot_latch *
slot_latch(struct crash_memory *m)
{
	struct super_memory *memory = crash_section(m, L_MEMORY, BH_SEC_SCRATCH, NULL);
	return &memory->slot[ENTRY];
}

/* Everything that stands in a latch, with n all over it; in the supervisor's order (table_write()). */
static void
write_all(struct crash_memory *m, uint32_t n)
{
	struct bh_record *rec = crash_section(m, L_STATE, BH_SEC_RECORDS, NULL);
	struct bh_cell *cell = crash_section(m, L_BOX, BH_SEC_CELLS, NULL);
	struct bh_table_head *head = crash_section(m, L_TABLE, BH_SEC_TABLE, NULL);
	struct bh_proc_entry *entry = crash_section(m, L_TABLE, BH_SEC_PROCS, NULL);
	struct slot_latch *slot = slot_latch(m);
	uint8_t data[BH_RECORD_BYTES];
	struct bh_cell_body body = {.gen = n, .stamp_ns = n, .total = n, .extra = n};
	struct bh_health_record health = {.health = n % BH_HEALTH_COUNT, .since_ns = n};
	struct slot_memory mem;
	struct bh_proc_body proc;
	memset(data, (int)n, sizeof(data));
	memset(&body.v, (int)n, sizeof(body.v));
	memset(health.reason, 'a' + (int)n, sizeof(health.reason) - 1);
	memset(&mem, (int)n, sizeof(mem));
	memset(&proc, 'a' + (int)n, sizeof(proc));
	bh_record_write(rec, n, data);
	bh_cell_write(cell, &body);
	bh_health_write(crash_self_of(m, L_SELF), &health);
	bh_latch_write(&slot->turn, slot->copy, sizeof(slot->copy[0]), &mem, sizeof(mem));
	bh_proc_entry_write(&entry[ENTRY], &proc);
	__atomic_store_n(&head->generation, n, __ATOMIC_RELEASE);
}

static void
latch_build(struct crash_memory *m)
{
	crash_state(m, BH_SLOT_SUPERVISOR, 1);
	crash_outbox(m, BH_SLOT_SUPERVISOR, BH_SLOT_ROUTER, 2, 1);
	crash_self(m, BH_SLOT_SUPERVISOR);
	crash_table(m);
	crash_private(m, BH_SLOT_SUPERVISOR, 0, 0, sizeof(struct super_memory));
	crash_own(m);
}

static void
latch_before(struct crash_memory *m)
{
	write_all(m, 1);
	write_all(m, 2);
}

static void
latch_work(struct crash_memory *m)
{
	write_all(m, 3);
}

static void
latch_nothing(struct crash_memory *m)
{
	(void)m;
}

static void
latch_go_on(struct crash_memory *m)
{
	write_all(m, 4);
}

static bool
is_all(const void *bytes, size_t len, int value)
{
	for (size_t k = 0; k < len; k++)
		if (((const uint8_t *)bytes)[k] != value)
			return false;
	return true;
}

/* Each of them whole, and `from` or newer. Returns how many are newer. */
static uint32_t
latch_look(struct crash_memory *m, uint32_t from, char *why, size_t cap)
{
	const struct bh_self *self = crash_self_of(m, L_SELF);
	const struct bh_proc_entry *entry = crash_section(m, L_TABLE, BH_SEC_PROCS, NULL);
	const struct slot_latch *slot = slot_latch(m);
	const struct bh_health_record *health = &self->health[self->turn & 1];
	const struct slot_memory *mem = &slot->copy[slot->turn & 1];
	const struct bh_proc_body *proc = &entry[ENTRY].copy[entry[ENTRY].turn & 1];
	uint8_t data[BH_RECORD_BYTES];
	struct bh_cell_body body;
	uint32_t gen = 0, n;
	if (crash_record(m, L_STATE, 0, &gen, data) != 1 || gen < from || gen > from + 1 || !is_all(data, sizeof(data), (int)gen))
		crash_wrong(why, cap, "the record is torn, or of generation %u", gen);
	n = gen;
	crash_cell(m, L_BOX, 0, &body);
	if (body.gen < from || body.gen > from + 1 || body.total != body.gen || body.stamp_ns != body.gen || body.extra != body.gen ||
	    !is_all(&body.v, sizeof(body.v), (int)body.gen))
		crash_wrong(why, cap, "the cell is torn");
	n += body.gen;
	if (health->health < from || health->health > from + 1 || health->since_ns != health->health ||
	    !is_all(health->reason, sizeof(health->reason) - 1, 'a' + (int)health->health))
		crash_wrong(why, cap, "the health is torn");
	n += health->health;
	int first = *(const uint8_t *)mem;
	if (first < (int)from || first > (int)from + 1 || !is_all(mem, sizeof(*mem), first))
		crash_wrong(why, cap, "what the supervisor remembers of a process is torn");
	n += (uint32_t)first;
	first = *(const uint8_t *)proc - 'a';
	if (first < (int)from || first > (int)from + 1 || !is_all(proc, sizeof(*proc), first + 'a'))
		crash_wrong(why, cap, "the entry of the process table is torn");
	return n + (uint32_t)first - 5 * from;
}

static void
latch_survive(struct crash_memory *m, char *why, size_t cap)
{
	latch_look(m, 2, why, cap);
}

static uint32_t
latch_judge(struct crash_memory *m, char *why, size_t cap)
{
	return latch_look(m, 4, why, cap);
}

/* ------------------------------------------------------------------ the router */

#define DESK	4
#define LAMP	5 /* gets values, some of them conflated */
#define CUTTER	6 /* gets actions */
#define RING	16u
#define INPUTS	6u

enum { SELF, STATE, PRIVATE, TO_LAMP, TO_CUTTER, DESK_SELF, LAMP_SELF, CUTTER_SELF, FROM_DESK };

struct router {
	struct bh_record *record;
	struct bh_journal journal;
	struct bh_outbox lamp, cutter;
	struct bh_inbox desk;
};

static void
redo_build(struct crash_memory *m)
{
	crash_self(m, BH_SLOT_ROUTER);
	crash_state(m, BH_SLOT_ROUTER, 2);
	crash_private(m, BH_SLOT_ROUTER, 2048, 0, 0);
	crash_outbox(m, BH_SLOT_ROUTER, LAMP, RING, 2);
	crash_outbox(m, BH_SLOT_ROUTER, CUTTER, RING, 0);
	crash_own(m);
	crash_self(m, DESK);
	crash_self(m, LAMP);
	crash_self(m, CUTTER);
	crash_outbox(m, DESK, BH_SLOT_ROUTER, RING, 2);
}

/* What the records hold: [0] the sum of all values, [1] how many actions were passed on. */
static uint64_t
record_value(const struct router *r, uint32_t n, uint32_t *gen)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {0};
	*gen = 0;
	crash_must(bh_record_read(&r->record[n], gen, data) >= 0);
	return data[0];
}

static void
decide_change(struct router *r, uint32_t n, uint64_t value, uint32_t gen)
{
	uint64_t data[BH_RECORD_BYTES / 8] = {value};
	crash_must(bh_journal_change(&r->journal, n, gen, data) == 0);
}

/* A value: the sum goes to the lamp twice, once as an event and once, for another id, as a conflated one; and an action. */
static void
decide(struct router *r, const struct bh_event *in)
{
	uint32_t gen, count_gen;
	uint64_t sum = record_value(r, 0, &gen) + (uint64_t)in->v.i, count = record_value(r, 1, &count_gen) + 1;
	struct bh_journal_output value = {.slot = LAMP, .flags = BH_OUT_PUSH | BH_OUT_CELL};
	value.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_INT, .id = 0, .gen = gen + 1, .v.u[0] = sum};
	struct bh_journal_output quiet = {.slot = LAMP, .flags = BH_OUT_CELL};
	quiet.ev = (struct bh_event){.kind = BH_EV_VALUE, .type = BH_INT, .id = 1, .gen = gen + 1, .v.u[0] = sum * 2};
	struct bh_journal_output action = {.slot = CUTTER, .flags = BH_OUT_PUSH};
	action.ev = (struct bh_event){.kind = BH_EV_ACTION, .id = (uint32_t)count};

	bh_journal_begin(&r->journal, DESK, in->kind, r->desk.ring.next, in->stamp_ns);
	bh_journal_outbox_end(&r->journal, LAMP, r->lamp.ring.pos);
	bh_journal_outbox_end(&r->journal, CUTTER, r->cutter.ring.pos);
	decide_change(r, 0, sum, gen + 1);
	decide_change(r, 1, count, count_gen + 1);
	crash_must(bh_journal_output(&r->journal, &action) == 0);
	crash_must(bh_journal_output(&r->journal, &quiet) == 0); /* into an empty ring the first time: with a RESYNC */
	crash_must(bh_journal_output(&r->journal, &value) == 0);
	value.ev.id = 0, value.ev.gen = gen + 2, value.ev.v.u[0] = sum; /* twice the same id in one commit */
	action.ev.id = (uint32_t)count + 1000;
	crash_must(bh_journal_output(&r->journal, &value) == 0);
	crash_must(bh_journal_output(&r->journal, &action) == 0);
	decide_change(r, 0, sum, gen + 2);
	bh_journal_commit(&r->journal);
}

static void
write_records(struct router *r, const struct bh_journal_slot *txn, const struct bh_journal_change *change)
{
	for (uint32_t k = 0; k < txn->changes; k++)
		bh_record_write(&r->record[change[k].record], change[k].gen, change[k].data);
}

/*
 * Carry out the newest commit: as its author, who writes the records last, as nobody waits for them; or as the successor of one who got
 * somewhere into it, who reads them next.
 */
static void
carry_out(struct router *r, bool successor)
{
	const struct bh_journal_change *change;
	const struct bh_journal_output *output;
	const struct bh_journal_slot *txn = bh_journal_last(&r->journal, &change, &output);
	if (!txn)
		return;
	uint32_t lamp_done = bh_outbox_since(&r->lamp, txn->outbox_end[LAMP]);
	uint32_t cutter_done = bh_outbox_since(&r->cutter, txn->outbox_end[CUTTER]);
	crash_must(lamp_done <= 2 && cutter_done <= 2);
	if (successor)
		write_records(r, txn, change);
	for (uint32_t k = 0; k < txn->outputs; k++) {
		struct bh_outbox *ob = output[k].slot == LAMP ? &r->lamp : &r->cutter;
		uint32_t *done = output[k].slot == LAMP ? &lamp_done : &cutter_done;
		struct bh_event ev = output[k].ev;
		if (!(output[k].flags & BH_OUT_PUSH))
			bh_outbox_conflate(ob, &ev, NULL, 0);
		else if (*done)
			--*done;
		else
			crash_must(bh_outbox_put(ob, &ev, NULL, 0) == 0);
	}
	if (r->desk.ring.pos < txn->input_seq)
		bh_ring_seek(&r->desk.ring, txn->input_seq);
	bh_outbox_flush(&r->lamp);
	bh_outbox_flush(&r->cutter);
	if (!successor)
		write_records(r, txn, change);
}

static void
redo_recover(struct crash_memory *m)
{
	struct router *r = m->life;
	r->record = crash_section(m, STATE, BH_SEC_RECORDS, NULL);
	crash_must(bh_journal_attach(&r->journal, &m->seg[PRIVATE]) == 0);
	crash_must(bh_outbox_attach(&r->lamp, m->fds[TO_LAMP].rw, crash_self_of(m, SELF), crash_self_of(m, LAMP_SELF), -1) == 0);
	crash_must(bh_outbox_attach(&r->cutter, m->fds[TO_CUTTER].rw, crash_self_of(m, SELF), crash_self_of(m, CUTTER_SELF), -1) == 0);
	crash_must(bh_inbox_attach(&r->desk, m->fds[FROM_DESK].ro, crash_self_of(m, SELF), DESK) == 0);
	crash_must(!r->lamp.ring.realigned && !r->cutter.ring.realigned && !r->desk.ring.jumped);
	carry_out(r, true);
}

static bool
redo_step(struct router *r)
{
	struct bh_event in;
	if (bh_ring_peek(&r->desk.ring, &in, NULL, 0, NULL) != 1)
		return false;
	decide(r, &in);
	carry_out(r, false);
	return true;
}

static const unsigned first_input = 0, fourth_input = 3;

static void
redo_before(struct crash_memory *m)
{
	struct bh_outbox desk;
	crash_must(bh_outbox_attach(&desk, m->fds[FROM_DESK].rw, crash_self_of(m, DESK_SELF), crash_self_of(m, SELF), -1) == 0);
	for (unsigned k = 0; k < INPUTS; k++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .v.i = (int64_t)k + 1};
		crash_must(bh_outbox_put(&desk, &ev, NULL, 0) == 0);
	}
	bh_outbox_detach(&desk);
	redo_recover(m);
	for (unsigned k = 0; k < *(const unsigned *)m->scene; k++)
		crash_must(redo_step(m->life));
}

static void
redo_work(struct crash_memory *m)
{
	crash_must(redo_step(m->life));
}

static void
redo_go_on(struct crash_memory *m)
{
	while (redo_step(m->life))
		;
}

static void
redo_leave(struct crash_memory *m)
{
	struct router *r = m->life;
	bh_outbox_detach(&r->lamp);
	bh_outbox_detach(&r->cutter);
	bh_inbox_detach(&r->desk);
}

static uint32_t
redo_judge(struct crash_memory *m, char *why, size_t cap)
{
	struct crash_reader lamp = crash_reader(m, TO_LAMP, 0), cutter = crash_reader(m, TO_CUTTER, 0);
	struct bh_event ev;
	struct bh_cell_body body;
	uint8_t payload[BH_PAYLOAD_MAX];
	uint64_t sum = 0, data[BH_RECORD_BYTES / 8] = {0};
	uint32_t n = 0, gen;
	size_t len;
	int there;
	while ((there = crash_read(&lamp, &ev, payload, &len)) == 1) {
		if (ev.kind == BH_EV_RESYNC)
			continue;
		sum += ++n % 2 ? (n + 1) / 2 : 0;
		if (ev.gen != n || ev.v.u[0] != sum)
			crash_wrong(why, cap, "value %u to the lamp has generation %u", n, ev.gen);
	}
	if (there < 0 || n != 2 * INPUTS)
		crash_wrong(why, cap, "the lamp got %u values", n);
	if (!crash_cell(m, TO_LAMP, 0, &body) || body.v.u[0] != sum)
		crash_wrong(why, cap, "the lamp's first cell is not the sum");
	if (!crash_cell(m, TO_LAMP, 1, &body) || body.v.u[0] != 2 * sum)
		crash_wrong(why, cap, "the lamp's second cell is not twice the sum");
	for (n = 0; (there = crash_read(&cutter, &ev, payload, &len)) == 1; n++)
		if (ev.kind != BH_EV_ACTION || ev.id != n / 2 + 1 + (n % 2 ? 1000 : 0))
			crash_wrong(why, cap, "action %u is %u", n, ev.id);
	if (there < 0 || n != 2 * INPUTS)
		crash_wrong(why, cap, "the cutter got %u actions", n);
	if (crash_record(m, STATE, 0, &gen, data) != 1 || data[0] != sum)
		crash_wrong(why, cap, "the record of the sum says %lu", (unsigned long)data[0]);
	if (crash_record(m, STATE, 1, &gen, data) != 1 || data[0] != INPUTS)
		crash_wrong(why, cap, "the record of the actions says %lu", (unsigned long)data[0]);
	if (crash_self_of(m, SELF)->cursor[DESK] != INPUTS)
		crash_wrong(why, cap, "the cursor stands at %lu", (unsigned long)crash_self_of(m, SELF)->cursor[DESK]);
	return (uint32_t)sum * 31 + gen;
}

/* The drivers, while the router lies dead: what they read is whole, and the cell never behind the ring. */
static void
redo_survive(struct crash_memory *m, char *why, size_t cap)
{
	struct crash_reader lamp = crash_reader(m, TO_LAMP, 0);
	struct bh_event ev;
	struct bh_cell_body body;
	uint8_t payload[BH_PAYLOAD_MAX];
	uint32_t gen = 0;
	size_t len;
	int there;
	while ((there = crash_read(&lamp, &ev, payload, &len)) == 1)
		gen = ev.kind == BH_EV_VALUE ? ev.gen : gen;
	if (there < 0)
		crash_wrong(why, cap, "the lamp reads a torn event");
	if (gen && (!crash_cell(m, TO_LAMP, 0, &body) || (int32_t)(body.gen - gen) < 0))
		crash_wrong(why, cap, "the lamp's cell is behind its ring");
}

#define REDO(n, a, s) \
	{.name = n, .arg = a, .build = redo_build, .before = redo_before, .work = redo_work, .recover = redo_recover, \
	 .go_on = redo_go_on, .leave = redo_leave, .judge = redo_judge, .survive = redo_survive, .second = s}

const struct crash_scene crash_records[] = {
	{.name = "latches", .build = latch_build, .before = latch_before, .work = latch_work, .recover = latch_nothing,
	 .go_on = latch_go_on, .leave = latch_nothing, .judge = latch_judge, .survive = latch_survive},
	REDO("commit, first input", &first_input, 24),
	REDO("commit, fourth input", &fourth_input, 24),
	{0},
};
