/* crash_rings.c - scenes of the ring: publishing, consuming, attaching either side */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shm/outbox.h"
#include "tests/isolation/crash_scenes.h"

#define DESK 4
#define CELLS 8u
#define END_ID 999u
#define EARLIER_ID 100u /* + position: what was in the ring before */

enum { A, BOX, B, A_STATE_SEGS }; /* publishing: A's are its own */
enum { C_SELF, C_STATE, C_FROM, C_BOX }; /* consuming: the consumer's are its own */

struct ends {
	struct bh_outbox ob;
	struct bh_inbox ib;
};

/* ------------------------------------------------------------------ publishing */

/* What is said: an event, or with `payload` a request, or into its cell alone. */
struct saying {
	uint8_t kind, type;
	uint32_t id;
	int64_t i;
	uint32_t payload;
	bool conflate;
};

struct publish_arg {
	uint32_t slots;	  /* of the ring */
	uint32_t at;	  /* position of its beginning */
	uint32_t earlier; /* events that nobody has consumed yet */
	struct saying say[10];
};

static const struct publish_arg publish_all_kinds = {
	.slots = 32, .at = 23, .earlier = 2,
	.say = {{BH_EV_VALUE, BH_INT, 0, 1001, 0, false}, {BH_EV_VALUE, BH_TEXT, 1, 60, 0, false},
		{BH_EV_RELATIVE, BH_INT, 2, 3, 0, false}, {BH_EV_REQUEST, BH_NONE, 50, 0, 150, false},
		{BH_EV_PRESS, BH_BOOL, 3, 1, 0, false},	  {BH_EV_VALUE, BH_INT, 0, 1002, 0, false},
		{BH_EV_METER, BH_FLOAT, 4, 7, 0, false},  {BH_EV_VALUE, BH_INT, 5, 1003, 0, true}},
};
static const struct publish_arg publish_full = {
	.slots = 8, .at = 5, .earlier = 8,
	.say = {{BH_EV_VALUE, BH_INT, 0, 1001, 0, false}, {BH_EV_RELATIVE, BH_INT, 2, 3, 0, false},
		{BH_EV_METER, BH_FLOAT, 4, 7, 0, false},  {BH_EV_PRESS, BH_BOOL, 3, 1, 0, false},
		{BH_EV_VALUE, BH_TEXT, 1, 60, 0, false},  {BH_EV_REQUEST, BH_NONE, 50, 0, 150, false}},
};
static const struct publish_arg publish_runs_full = {
	.slots = 16, .at = 9, .earlier = 11,
	.say = {{BH_EV_PRESS, BH_BOOL, 3, 1, 0, false},	  {BH_EV_VALUE, BH_TEXT, 1, 60, 0, false},
		{BH_EV_VALUE, BH_INT, 0, 1001, 0, false}, {BH_EV_RELATIVE, BH_INT, 2, 3, 0, false},
		{BH_EV_RELATIVE, BH_INT, 2, 4, 0, false}, {BH_EV_VALUE, BH_INT, 0, 1002, 0, false}},
};
static const struct publish_arg publish_into_cells = {
	.slots = 8, .at = 6, .earlier = 0,
	.say = {{BH_EV_VALUE, BH_INT, 0, 1001, 0, true}, {BH_EV_VALUE, BH_INT, 5, 1002, 0, true}},
};

static void
publish_build(struct crash_memory *m)
{
	const struct publish_arg *arg = m->scene;
	crash_self(m, DESK);
	crash_outbox(m, DESK, BH_SLOT_ROUTER, arg->slots, CELLS);
	crash_own(m);
	crash_self(m, BH_SLOT_ROUTER);
}

static void
publish_attach(struct crash_memory *m)
{
	struct ends *e = m->life;
	crash_must(bh_outbox_attach(&e->ob, m->fds[BOX].rw, crash_self_of(m, A), crash_self_of(m, B), -1) == 0);
}

static void
publish_leave(struct crash_memory *m)
{
	bh_outbox_detach(&((struct ends *)m->life)->ob);
}

static int
say(struct bh_outbox *ob, const struct saying *s)
{
	uint8_t bytes[BH_PAYLOAD_MAX];
	union bh_val v = {.i = s->i};
	struct bh_event ev = {.kind = s->kind, .type = s->type, .id = s->id, .v.i = s->i};
	for (uint32_t k = 0; k < s->payload; k++)
		bytes[k] = (uint8_t)(s->id + 3 * k);
	if (s->type == BH_TEXT) {
		memset(v.s, 0, sizeof(v.s));
		memset(v.s, 'a' + (int)s->id, (size_t)s->i);
	}
	if (s->conflate)
		return bh_outbox_conflate(ob, &ev, &v, 0);
	return s->payload ? bh_outbox_send(ob, &ev, bytes, s->payload) : bh_outbox_put(ob, &ev, &v, 0);
}

static void
publish_before(struct crash_memory *m)
{
	const struct publish_arg *arg = m->scene;
	struct bh_self *b = crash_self_of(m, B);
	struct bh_outbox *ob = &((struct ends *)m->life)->ob;
	publish_attach(m);
	for (uint32_t k = 0; k < arg->at + arg->earlier; k++) {
		struct bh_event ev = {.kind = BH_EV_PRESS, .id = EARLIER_ID + k, .type = BH_BOOL};
		crash_must(bh_outbox_put(ob, &ev, NULL, 0) == 0);
		if (k < arg->at)
			b->cursor[DESK]++;
	}
	/* The consumer has looked at all cells, and sleeps. */
	b->counter[BH_CNT_USER0] = crash_overflow(m, BOX);
	b->bell.mode = BH_BELL_FUTEX;
	bh_bell_announce(b);
}

static void
publish_work(struct crash_memory *m)
{
	const struct publish_arg *arg = m->scene;
	struct bh_outbox *ob = &((struct ends *)m->life)->ob;
	for (unsigned k = 0; arg->say[k].kind; k++)
		say(ob, &arg->say[k]);
	bh_outbox_flush(ob);
}

/* As attach_peers() of common/proc.c. */
static void
publish_recover(struct crash_memory *m)
{
	struct bh_outbox *ob = &((struct ends *)m->life)->ob;
	publish_attach(m);
	crash_must(!ob->ring.realigned);
	bh_bell_ring_always(&ob->bell);
}

/* One more event, as soon as there is room for it: the consumer takes one, if it must. */
static void
publish_go_on(struct crash_memory *m)
{
	struct bh_outbox *ob = &((struct ends *)m->life)->ob;
	struct bh_self *b = crash_self_of(m, B);
	struct bh_event ev = {.kind = BH_EV_PRESS, .id = END_ID, .type = BH_BOOL};
	for (unsigned tries = 0; bh_outbox_put(ob, &ev, NULL, 0) < 0; tries++) {
		crash_must(tries < 2);
		b->cursor[DESK]++;
	}
}

static bool
is_said(const struct saying *s, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	if (ev->kind != s->kind || ev->id != s->id)
		return false;
	if (s->payload) {
		bool same = len == s->payload;
		for (size_t k = 0; k < len; k++)
			same = same && payload[k] == (uint8_t)(s->id + 3 * k);
		return same;
	}
	if (s->type == BH_TEXT) {
		bool same = len == (size_t)s->i;
		for (size_t k = 0; k < len; k++)
			same = same && payload[k] == 'a' + s->id;
		return same;
	}
	return ev->v.i == s->i;
}

/*
 * What a consumer that lived through it knows in the end: everything from before, of what was said a part with nothing in it left out
 * but what went into cells alone; and of each cell the newest, from the ring or because it was told to look.
 */
static uint32_t
publish_judge(struct crash_memory *m, char *why, size_t cap)
{
	const struct publish_arg *arg = m->scene;
	const struct bh_self *b = crash_self_of(m, B);
	struct crash_reader r = crash_reader(m, BOX, b->cursor[DESK]);
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	uint32_t gen[CELLS] = {0}, total[CELLS] = {0}, known = 0, ticks = 0;
	unsigned next = 0, ends = 0;
	size_t len;
	int there;
	while ((there = crash_read(&r, &ev, payload, &len)) == 1) {
		if (ev.kind == BH_EV_RESYNC)
			continue;
		if (ev.kind == BH_EV_PRESS && ev.id >= EARLIER_ID && ev.id < END_ID) {
			if (ev.id != EARLIER_ID + r.pos - 1 || next)
				crash_wrong(why, cap, "event %u from before stands at %lu", ev.id, (unsigned long)r.pos - 1);
			continue;
		}
		if (ev.id == END_ID) {
			ends++;
			continue;
		}
		while (arg->say[next].kind && !is_said(&arg->say[next], &ev, payload, len))
			next++; /* it stands in its cell, or was refused */
		if (!arg->say[next].kind || ends)
			crash_wrong(why, cap, "an event of kind %u, id %u that nobody said, or not then", ev.kind, ev.id);
		else
			next++;
		if (ev.id < CELLS && ev.kind != BH_EV_PRESS) {
			gen[ev.id] = ev.gen;
			total[ev.id] = ev.total;
		}
	}
	if (there < 0)
		crash_wrong(why, cap, "a torn event at %lu", (unsigned long)r.pos);
	if (ends != 1)
		crash_wrong(why, cap, "what the successor said came %u times", ends);
	bool looks = crash_overflow(m, BOX) != b->counter[BH_CNT_USER0];
	for (unsigned k = 0; arg->say[k].kind == BH_EV_RELATIVE || arg->say[k].kind; k++)
		ticks |= arg->say[k].kind == BH_EV_RELATIVE ? 1u << arg->say[k].id : 0;
	for (uint32_t id = 0; id < CELLS; id++) {
		struct bh_cell_body body;
		if (!crash_cell(m, BOX, id, &body))
			continue;
		known = known * 31 + body.gen * 7 + body.total + (uint32_t)body.v.i;
		if ((int32_t)(gen[id] - body.gen) > 0)
			crash_wrong(why, cap, "cell %u is behind the ring", id);
		if (body.gen != gen[id] && !looks)
			crash_wrong(why, cap, "cell %u has generation %u, its consumer knows %u, and nobody tells it to look", id,
				    body.gen, gen[id]);
		if (ticks & 1u << id && body.gen == gen[id] && body.total != total[id])
			crash_wrong(why, cap, "ticks of cell %u: %u, told %u", id, body.total, total[id]);
	}
	return known * 16 + next;
}

/* The consumer alone, while the producer lies dead: it gets what was published, and is not held up by what was not. */
static void
publish_survive(struct crash_memory *m, char *why, size_t cap)
{
	struct bh_inbox ib;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	struct crash_reader r = crash_reader(m, BOX, crash_self_of(m, B)->cursor[DESK]);
	crash_must(bh_inbox_attach(&ib, m->fds[BOX].ro, crash_self_of(m, B), DESK) == 0);
	for (;;) {
		struct bh_event want;
		int there = bh_ring_peek(&ib.ring, &ev, payload, sizeof(payload), &len), ours = crash_read(&r, &want, payload, &len);
		if (there != ours || (there == 1 && memcmp(&ev, &want, sizeof(ev)) != 0))
			crash_wrong(why, cap, "the consumer reads %d where %d stands", there, ours);
		if (there != 1)
			break;
		bh_ring_advance(&ib.ring, &ev);
	}
	if (bh_ring_has(&ib.ring))
		crash_wrong(why, cap, "a consumer that has read everything would not sleep");
	bh_inbox_detach(&ib);
}

#define PUBLISH(n, a) \
	{.name = n, .arg = a, .build = publish_build, .before = publish_before, .work = publish_work, .recover = publish_recover, \
	 .go_on = publish_go_on, .leave = publish_leave, .judge = publish_judge, .survive = publish_survive}

/* ------------------------------------------------------------------ attaching the producer's side */

/* Its predecessor died in the middle of an event of several slots; or ring and cursor do not belong together. */
static void
attach_before(struct crash_memory *m)
{
	publish_before(m);
	const struct publish_arg *arg = m->scene;
	struct bh_event *slots = crash_section(m, BOX, BH_SEC_RING, NULL);
	uint64_t end = arg->at + arg->earlier;
	for (uint64_t pos = end + 1; pos < end + 4; pos++)
		slots[pos & (arg->slots - 1)].seq = (pos + 1) | BH_SEQ_CONT;
	crash_self_of(m, A)->answered[BH_SLOT_ROUTER] = 41;
	publish_leave(m);
}

static void
attach_work(struct crash_memory *m)
{
	struct ends *e = m->life;
	publish_attach(m);
	bh_bell_ring_always(&e->ob.bell);
}

static const struct publish_arg attach_half_way = {.slots = 16, .at = 11, .earlier = 3};

struct stray { uint32_t slots, events; uint64_t cursor; };
static const struct stray stray_fresh_ring = {8, 5, 1000}, stray_fresh_cursor = {8, 21, 2}, stray_hole = {16, 12, 4};

static void
stray_build(struct crash_memory *m)
{
	const struct stray *arg = m->scene;
	crash_self(m, DESK);
	crash_outbox(m, DESK, BH_SLOT_ROUTER, arg->slots, CELLS);
	crash_own(m);
	crash_self(m, BH_SLOT_ROUTER);
}

static void
stray_before(struct crash_memory *m)
{
	const struct stray *arg = m->scene;
	struct bh_event *slots = crash_section(m, BOX, BH_SEC_RING, NULL);
	for (uint64_t pos = 0; pos < arg->events; pos++)
		slots[pos & (arg->slots - 1)] = (struct bh_event){.seq = pos + 1, .kind = BH_EV_PRESS, .id = EARLIER_ID + (uint32_t)pos};
	if (arg == &stray_hole)
		slots[7].seq = 3;
	crash_self_of(m, B)->cursor[DESK] = arg->cursor;
}

static void
stray_recover(struct crash_memory *m)
{
	attach_work(m);
}

/* It goes on at the cursor: the consumer gets what is said from now on, and nothing of which it cannot be told whether it was done. */
static uint32_t
stray_judge(struct crash_memory *m, char *why, size_t cap)
{
	const struct stray *arg = m->scene;
	struct crash_reader r = crash_reader(m, BOX, crash_self_of(m, B)->cursor[DESK]);
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	if (r.pos != arg->cursor)
		crash_wrong(why, cap, "the producer moved a cursor that is not its own");
	if (crash_read(&r, &ev, payload, &len) != 1 || ev.id != END_ID)
		crash_wrong(why, cap, "what the successor says does not arrive");
	if (crash_read(&r, &ev, payload, &len) != 0)
		crash_wrong(why, cap, "something old comes after it");
	return (uint32_t)r.pos;
}

#define STRAY(n, a) \
	{.name = n, .arg = a, .build = stray_build, .before = stray_before, .work = attach_work, .recover = stray_recover, \
	 .go_on = publish_go_on, .leave = publish_leave, .judge = stray_judge, .second = 3}

/* ------------------------------------------------------------------ consuming */

#define INPUTS 6u
struct sum { uint64_t sum, count, seq, pad[BH_RECORD_BYTES / 8 - 3]; };

static void
consume_build(struct crash_memory *m)
{
	crash_self(m, BH_SLOT_ROUTER);
	crash_state(m, BH_SLOT_ROUTER, 1);
	crash_own(m);
	crash_self(m, DESK);
	crash_outbox(m, DESK, BH_SLOT_ROUTER, 16, CELLS);
}

static void
consume_attach(struct crash_memory *m)
{
	struct ends *e = m->life;
	crash_must(bh_inbox_attach(&e->ib, m->fds[C_BOX].ro, crash_self_of(m, C_SELF), DESK) == 0);
}

static void
consume_leave(struct crash_memory *m)
{
	bh_inbox_detach(&((struct ends *)m->life)->ib);
}

static void
consume_before(struct crash_memory *m)
{
	struct ends *e = m->life;
	crash_must(bh_outbox_attach(&e->ob, m->fds[C_BOX].rw, crash_self_of(m, C_FROM), crash_self_of(m, C_SELF), -1) == 0);
	for (unsigned k = 0; k < INPUTS; k++) {
		const struct saying s = {.kind = k % 2 ? BH_EV_VALUE : BH_EV_REQUEST, .type = BH_INT, .id = k, .i = 1 << k, .payload = k % 2 ? 0 : 70};
		crash_must(say(&e->ob, &s) == 0);
	}
	bh_outbox_detach(&e->ob);
	consume_attach(m);
}

/* The consumer's recipe: what it makes of an event is committed together with the event's number, the cursor moves after. */
static bool
consume_one(struct crash_memory *m)
{
	struct bh_ring_rx *rx = &((struct ends *)m->life)->ib.ring;
	struct bh_record *rec = crash_section(m, C_STATE, BH_SEC_RECORDS, NULL);
	struct bh_event ev;
	struct sum sum = {0};
	uint32_t gen = 0;
	if (bh_ring_peek(rx, &ev, NULL, 0, NULL) != 1)
		return false;
	crash_must(bh_record_read(rec, &gen, &sum) >= 0);
	if (ev.seq > sum.seq) {
		sum.sum += (uint64_t)ev.v.i;
		sum.count++;
		sum.seq = ev.seq;
		bh_record_write(rec, gen + 1, &sum);
	}
	bh_ring_advance(rx, &ev);
	return true;
}

static void
consume_work(struct crash_memory *m)
{
	bh_bell_awake(crash_self_of(m, C_SELF));
	for (unsigned k = 0; k < INPUTS - 1; k++)
		crash_must(consume_one(m));
	bh_bell_announce(crash_self_of(m, C_SELF));
}

static void
consume_recover(struct crash_memory *m)
{
	consume_attach(m);
	crash_must(!((struct ends *)m->life)->ib.ring.jumped);
}

static void
consume_go_on(struct crash_memory *m)
{
	while (consume_one(m))
		;
}

static uint32_t
consume_judge(struct crash_memory *m, char *why, size_t cap)
{
	struct sum sum = {0};
	uint32_t gen = 0, ops = 0;
	if (crash_record(m, C_STATE, 0, &gen, &sum) != 1)
		crash_wrong(why, cap, "no sum");
	if (sum.count != INPUTS || sum.sum != (1u << INPUTS) - 1)
		crash_wrong(why, cap, "%lu events of %u were added up, to %lu", (unsigned long)sum.count, INPUTS, (unsigned long)sum.sum);
	for (unsigned k = 0; k < INPUTS; k++)
		ops += k % 2 ? 1 : 3;
	if (crash_self_of(m, C_SELF)->cursor[DESK] != ops)
		crash_wrong(why, cap, "the cursor stands at %lu", (unsigned long)crash_self_of(m, C_SELF)->cursor[DESK]);
	return (uint32_t)sum.sum + gen;
}

/* The producer, meanwhile: the cursor is one that it believes. */
static void
consume_survive(struct crash_memory *m, char *why, size_t cap)
{
	struct bh_ring_tx tx;
	uint64_t cursor = crash_self_of(m, C_SELF)->cursor[DESK];
	crash_must(bh_ring_tx_attach(&tx, &m->seg[C_BOX], &crash_self_of(m, C_SELF)->cursor[DESK]) == 0);
	uint32_t room = bh_ring_room(&tx);
	struct bh_event ev = {.kind = BH_EV_PRESS, .id = 1};
	if (tx.realigned || room != 16 - (12 - cursor))
		crash_wrong(why, cap, "the producer finds %u slots free with the cursor at %lu", room, (unsigned long)cursor);
	else if (bh_ring_push(&tx, &ev, NULL, 0) != 0)
		crash_wrong(why, cap, "the producer is held up");
}

/* Attaching the consumer's side, where its cursor lies too far behind. */
static void
jump_before(struct crash_memory *m)
{
	struct bh_event *slots = crash_section(m, C_BOX, BH_SEC_RING, NULL);
	for (uint64_t pos = 0; pos < 40; pos++)
		slots[pos & 15] = (struct bh_event){.seq = pos + 1, .kind = BH_EV_PRESS, .id = (uint32_t)pos};
	crash_self_of(m, C_SELF)->cursor[DESK] = 3;
}

static void
jump_recover(struct crash_memory *m)
{
	consume_attach(m);
}

static void
jump_go_on(struct crash_memory *m)
{
	struct ends *e = m->life;
	struct bh_event ev = {.kind = BH_EV_PRESS, .id = END_ID};
	crash_must(bh_outbox_attach(&e->ob, m->fds[C_BOX].rw, crash_self_of(m, C_FROM), crash_self_of(m, C_SELF), -1) == 0);
	crash_must(!bh_ring_has(&e->ib.ring));
	crash_must(bh_outbox_put(&e->ob, &ev, NULL, 0) == 0);
	crash_must(bh_ring_peek(&e->ib.ring, &ev, NULL, 0, NULL) == 1 && ev.id == END_ID);
	bh_ring_advance(&e->ib.ring, &ev);
	bh_outbox_detach(&e->ob);
}

static uint32_t
jump_judge(struct crash_memory *m, char *why, size_t cap)
{
	uint64_t cursor = crash_self_of(m, C_SELF)->cursor[DESK];
	if (cursor != 41)
		crash_wrong(why, cap, "the cursor stands at %lu", (unsigned long)cursor);
	return (uint32_t)cursor;
}

const struct crash_scene crash_rings[] = {
	PUBLISH("publish", &publish_all_kinds),
	PUBLISH("publish, ring full", &publish_full),
	PUBLISH("publish, ring runs full", &publish_runs_full),
	PUBLISH("publish into cells", &publish_into_cells),
	{.name = "attach a producer", .arg = &attach_half_way, .build = publish_build, .before = attach_before, .work = attach_work,
	 .recover = publish_recover, .go_on = publish_go_on, .leave = publish_leave, .judge = publish_judge, .second = 1},
	STRAY("attach a producer to a cursor beyond its ring", &stray_fresh_ring),
	STRAY("attach a producer to a cursor far behind", &stray_fresh_cursor),
	STRAY("attach a producer to a ring with a hole", &stray_hole),
	{.name = "consume", .build = consume_build, .before = consume_before, .work = consume_work, .recover = consume_recover,
	 .go_on = consume_go_on, .leave = consume_leave, .judge = consume_judge, .survive = consume_survive},
	{.name = "attach a consumer", .build = consume_build, .before = jump_before, .work = consume_attach, .recover = jump_recover,
	 .go_on = jump_go_on, .leave = consume_leave, .judge = jump_judge, .second = 1},
	{0},
};
