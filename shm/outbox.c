/* outbox.c - see outbox.h */
#include "shm/outbox.h"

#include <errno.h>

#include "shm/order.h"

static void
outbox_overflow(struct bh_outbox *ob)
{
	__atomic_store_n(&ob->head->overflow, __atomic_load_n(&ob->head->overflow, __ATOMIC_RELAXED) + 1,
			 BH_ORDER_OVERFLOW_STORE);
}

/* Something to look at, for a consumer that has emptied the ring: the word that it sleeps on changes. */
static void
outbox_resync(struct bh_outbox *ob, uint64_t stamp_ns)
{
	const struct bh_event look = {.kind = BH_EV_RESYNC, .stamp_ns = stamp_ns};
	if (bh_ring_room(&ob->ring) == ob->ring.mask + 1)
		bh_ring_push(&ob->ring, &look, NULL, 0);
}

/*
 * A predecessor may have died between a cell and its event; whoever says the same again would be told that it is known. A consumer that has
 * announced its sleep may have had its last look already, and being rung before it sleeps would not keep it from it.
 */
static void
outbox_attached(struct bh_outbox *ob, const struct bh_self *peer)
{
	outbox_overflow(ob);
	BH_FENCE_ATTACH();
	if (peer && __atomic_load_n(&peer->bell.episode, __ATOMIC_RELAXED) & 1)
		outbox_resync(ob, 0);
}

int
bh_outbox_attach(struct bh_outbox *ob, int fd, struct bh_self *self, const struct bh_self *peer, int pipe_wr)
{
	memset(ob, 0, sizeof(*ob));
	int ret = bh_seg_map(&ob->seg, fd, BH_SEG_OUTBOX, true);
	if (ret < 0)
		return ret;
	uint16_t from = ob->seg.head.writer, to = ob->seg.head.peer;
	ob->head = bh_seg_section(&ob->seg, BH_SEC_OUTBOX, sizeof(*ob->head), NULL);
	ret = -EPROTO;
	if (ob->head && from < BH_MAX_SLOTS && to < BH_MAX_SLOTS)
		ret = bh_ring_tx_attach(&ob->ring, &ob->seg, peer ? &peer->cursor[from] : NULL);
	if (ret < 0) {
		bh_outbox_detach(ob);
		return ret;
	}
	ob->cells = bh_seg_section(&ob->seg, BH_SEC_CELLS, sizeof(*ob->cells), &ob->cell_count);
	ob->ring.faults = &self->counter[BH_CNT_PEER_FAULTS];
	ob->conflated = &self->counter[BH_CNT_CONFLATED];
	ob->refused = &self->counter[BH_CNT_REFUSED];
	ob->out = &self->counter[BH_CNT_EVENTS_OUT];
	ob->thinned = &self->counter[BH_CNT_METERS_THINNED];
	ob->bell = (struct bh_bell_tx){
		.sleeper = peer,
		.answered = &self->answered[to],
		.ring = ob->ring.slots,
		.ring_mask = ob->ring.mask,
		.waker_slot = from,
		.pipe_wr = pipe_wr,
		.calls = &self->counter[BH_CNT_BELLS],
	};
	/* The sleeper may be a fresh one that counts its episodes from the beginning. */
	__atomic_store_n(ob->bell.answered, 0, __ATOMIC_RELAXED);
	if (ob->cell_count)
		outbox_attached(ob, peer);
	return 0;
}

int
bh_inbox_attach(struct bh_inbox *ib, int fd, struct bh_self *self, uint16_t from)
{
	memset(ib, 0, sizeof(*ib));
	int ret = bh_seg_map(&ib->seg, fd, BH_SEG_OUTBOX, false);
	if (ret < 0)
		return ret;
	ib->head = bh_seg_section(&ib->seg, BH_SEC_OUTBOX, sizeof(*ib->head), NULL);
	ret = -EPROTO;
	if (ib->head && from < BH_MAX_SLOTS && ib->seg.head.writer == from)
		ret = bh_ring_rx_attach(&ib->ring, &ib->seg, &self->cursor[from]);
	if (ret < 0) {
		bh_inbox_detach(ib);
		return ret;
	}
	ib->cells = bh_seg_section(&ib->seg, BH_SEC_CELLS, sizeof(*ib->cells), &ib->cell_count);
	ib->from = from;
	ib->overflow_seen = __atomic_load_n(&ib->head->overflow, __ATOMIC_RELAXED) - 1;
	return 0;
}

void
bh_outbox_detach(struct bh_outbox *ob)
{
	bh_seg_unmap(&ob->seg);
	memset(ob, 0, sizeof(*ob));
}

void
bh_inbox_detach(struct bh_inbox *ib)
{
	bh_seg_unmap(&ib->seg);
	memset(ib, 0, sizeof(*ib));
}

bool
bh_kind_has_cell(uint8_t kind)
{
	return kind >= BH_EV_VALUE && kind <= BH_EV_METER;
}

enum bh_class
bh_kind_class(uint8_t kind)
{
	switch (kind) {
	case BH_EV_VALUE:
	case BH_EV_TOUCH:
	case BH_EV_RELEASE: return BH_CLASS_VALUE;
	case BH_EV_RELATIVE: return BH_CLASS_RELATIVE;
	case BH_EV_PRESS:
	case BH_EV_ACTION: return BH_CLASS_ACTION;
	case BH_EV_METER: return BH_CLASS_METER;
	default: return BH_CLASS_OTHER;
	}
}

struct bh_account *
bh_account_of(const struct bh_seg *self)
{
	uint32_t count = 0;
	struct bh_account *a = bh_seg_section(self, BH_SEC_ACCOUNT, sizeof(*a), &count);
	return count >= BH_MAX_SLOTS * BH_CLASSES ? a : NULL;
}

void
bh_account_taken(struct bh_account *account, uint16_t slot, uint8_t kind)
{
	if (account && slot < BH_MAX_SLOTS)
		shm_count(&account[slot * BH_CLASSES + bh_kind_class(kind)].taken, 1);
}

/* What became of an event: 0 in the ring, 1 in its cell alone, else refused. Returns that. */
static int
outbox_account(const struct bh_outbox *ob, uint8_t kind, int ret)
{
	struct bh_account *a = ob->account ? &ob->account[bh_kind_class(kind)] : NULL;
	if (!a)
		return ret;
	shm_count(&a->sent, 1);
	shm_count(ret == 0 ? &a->published : ret > 0 ? &a->conflated : &a->dropped, 1);
	return ret;
}

/* Longest beginning of a text that fits a value and does not end inside a character. */
static size_t
outbox_text_len(const char *s)
{
	size_t len = strnlen(s, sizeof(union bh_val));
	if (len <= BH_TEXT_MAX)
		return len;
	len = BH_TEXT_MAX;
	while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/*
 * Fill in the inline bytes, and `whole` as it goes into the cell. Returns the bytes of payload, which stand at whole->s.
 */
static size_t
outbox_fill_value(struct bh_event *ev, const union bh_val *v, union bh_val *whole)
{
	memset(whole, 0, sizeof(*whole));
	if (ev->type == BH_TEXT) {
		size_t len = v ? outbox_text_len(v->s) : ev->len < BH_INLINE_MAX ? ev->len : BH_INLINE_MAX;
		memcpy(whole->s, v ? v->s : ev->v.s, len);
		ev->len = (uint8_t)len;
		memcpy(ev->v.s, whole->s, BH_INLINE_MAX);
		return len > BH_INLINE_MAX ? len : 0;
	}
	if (v)
		memcpy(&ev->v, v, BH_INLINE_MAX);
	memcpy(whole, &ev->v, BH_INLINE_MAX);
	return 0;
}

/* The cell's next body from its last one and the event. */
static void
outbox_write_cell(struct bh_outbox *ob, struct bh_event *ev, const union bh_val *whole, uint16_t cell_flags)
{
	struct bh_cell *cell = &ob->cells[ev->id];
	struct bh_cell_body body;
	bool written = bh_cell_read(cell, &body) > 0;
	if (!written)
		memset(&body, 0, sizeof(body));
	if (!ev->gen) {
		ev->gen = body.gen + 1 ? body.gen + 1 : 1;
		if (ev->kind == BH_EV_RELATIVE)
			ev->total = body.total + (uint32_t)ev->v.i;
	} else if (written && (int32_t)(ev->gen - body.gen) <= 0) {
		return;
	}
	body.gen = ev->gen;
	body.stamp_ns = ev->stamp_ns;
	body.kind = ev->kind;
	body.flags = cell_flags;
	if (ev->kind == BH_EV_RELATIVE)
		body.total = ev->total;
	if (ev->kind != BH_EV_RELATIVE && ev->kind != BH_EV_TOUCH) {
		body.type = ev->type;
		body.v = *whole;
		body.extra = ev->total;
	}
	bh_cell_write(cell, &body);
}

static void
outbox_count_conflated(struct bh_outbox *ob, uint8_t kind)
{
	bool meter = kind == BH_EV_METER;
	shm_count(meter ? &ob->head->thinned : &ob->head->conflated, 1);
	shm_count(meter ? ob->thinned : ob->conflated, 1);
}

void
bh_outbox_refuse(struct bh_outbox *ob)
{
	shm_count(&ob->head->refused, 1);
	shm_count(ob->refused, 1);
}

static int
outbox_push(struct bh_outbox *ob, const struct bh_event *ev, const void *payload, size_t len)
{
	int ret = bh_ring_push(&ob->ring, ev, payload, len);
	if (ret == 0) {
		shm_count(&ob->head->published, 1);
		shm_count(ob->out, 1);
	}
	return ret;
}

int
bh_outbox_put(struct bh_outbox *ob, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags)
{
	union bh_val whole;
	bool has_cell = bh_kind_has_cell(ev->kind);
	if (has_cell && ev->id >= ob->cell_count)
		return -ERANGE;
	size_t payload = outbox_fill_value(ev, v, &whole);
	if (has_cell)
		outbox_write_cell(ob, ev, &whole, cell_flags);
	int ret = outbox_push(ob, ev, whole.s, payload);
	if (ret == 0)
		return outbox_account(ob, ev->kind, 0);
	if (!has_cell) {
		bh_outbox_refuse(ob);
		return outbox_account(ob, ev->kind, ret);
	}
	/*
	 * The consumer may have emptied the ring meanwhile, looked at the count, and be on its way to sleep. Either it sees the
	 * new count in its last look, or we see its cursor and have room: see bell.h for the other half of this bargain.
	 */
	outbox_overflow(ob);
	BH_FENCE_PUT();
	if (outbox_push(ob, ev, whole.s, payload) == 0)
		return outbox_account(ob, ev->kind, 0);
	outbox_count_conflated(ob, ev->kind);
	return outbox_account(ob, ev->kind, 1);
}

int
bh_outbox_conflate(struct bh_outbox *ob, struct bh_event *ev, const union bh_val *v, uint16_t cell_flags)
{
	union bh_val whole;
	if (!bh_kind_has_cell(ev->kind) || ev->id >= ob->cell_count)
		return -ERANGE;
	outbox_fill_value(ev, v, &whole);
	outbox_write_cell(ob, ev, &whole, cell_flags);
	outbox_overflow(ob);
	BH_FENCE_CONFLATE();
	outbox_resync(ob, ev->stamp_ns);
	outbox_count_conflated(ob, ev->kind);
	return outbox_account(ob, ev->kind, 1);
}

uint32_t
bh_outbox_since(const struct bh_outbox *ob, uint64_t pos)
{
	uint32_t mask = ob->ring.mask, count = 0;
	if (ob->ring.realigned || ob->ring.pos - pos > mask + 1ull)
		return UINT32_MAX;
	while (pos < ob->ring.pos) {
		const struct bh_event *ev = &ob->ring.slots[pos & mask];
		count += ev->kind != BH_EV_RESYNC;
		pos += 1u + ev->cont;
	}
	return count;
}

int
bh_outbox_send(struct bh_outbox *ob, const struct bh_event *ev, const void *payload, size_t len)
{
	int ret = outbox_push(ob, ev, payload, len);
	if (ret < 0)
		bh_outbox_refuse(ob);
	return outbox_account(ob, ev->kind, ret);
}

int
bh_outbox_flush(struct bh_outbox *ob)
{
	return bh_bell_ring(&ob->bell);
}

int
bh_event_value(const struct bh_event *ev, const void *payload, size_t len, union bh_val *out)
{
	memset(out, 0, sizeof(*out));
	if (ev->type != BH_TEXT) {
		memcpy(out, &ev->v, BH_INLINE_MAX);
		return 0;
	}
	const void *text = ev->v.s;
	size_t text_len = ev->len;
	if (ev->cont) {
		text = payload;
		text_len = len;
	}
	if (text_len > (ev->cont ? BH_TEXT_MAX : BH_INLINE_MAX) || memchr(text, '\0', text_len))
		return -EPROTO;
	memcpy(out->s, text, text_len);
	return 0;
}

int
bh_inbox_cell(const struct bh_inbox *ib, uint32_t id, struct bh_cell_body *body)
{
	if (id >= ib->cell_count)
		return -ERANGE;
	int64_t turn = bh_cell_read(&ib->cells[id], body);
	return turn < 0 ? (int)turn : turn > 0;
}

bool
bh_inbox_overflowed(const struct bh_inbox *ib, uint64_t *now)
{
	*now = __atomic_load_n(&ib->head->overflow, BH_ORDER_OVERFLOW_LOAD);
	return *now != ib->overflow_seen && ib->cell_count; /* without cells there is nothing to look at */
}

bool
bh_inbox_pending(const struct bh_inbox *ib)
{
	uint64_t now;
	return bh_ring_has(&ib->ring) || bh_inbox_overflowed(ib, &now);
}
