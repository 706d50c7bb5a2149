/*
 * Any bytes as what a peer left in its segments. The first byte chooses whose:
 *
 *   0  a producer's outbox: its consumer comes to rest in bounded work, and finds the producer's successor again
 *   1  a segment whose header has a correct check sum: refused, or every section lies inside the mapping
 *   2  a parameter directory: what is read is whole, terminated and within its bounds
 *   3  the router's journal: no commit, or one that fits its slot
 *   4  another process's self segment: ringing it is one system call at most, its health has an end
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/crc.h"
#include "shm/dir.h"
#include "shm/journal.h"
#include "shm/outbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOTS 16u
#define FROM  4u
#define TO    1u

#define demand(what)                                                                                                   \
	do {                                                                                                           \
		if (!(what)) {                                                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                           \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

static struct world {
	struct bh_seg_fds box, from, to, params, priv;
	struct bh_seg from_seg, to_seg, box_seg, params_seg, priv_seg;
	struct bh_self *a, *b;
} w;

static void
build_world(void)
{
	if (w.a)
		return;
	demand(bh_seg_create_outbox(&w.box, "box", FROM, TO, 1, SLOTS, 4) == 0);
	demand(bh_seg_create_self(&w.from, "from", FROM, 1) == 0);
	demand(bh_seg_create_self(&w.to, "to", TO, 1) == 0);
	demand(bh_seg_create_params(&w.params, "params", FROM, 1, 4, 64) == 0);
	demand(bh_seg_create_private(&w.priv, "private", FROM, 1, 1024, 0, 0) == 0);
	demand(bh_seg_map(&w.from_seg, w.from.rw, BH_SEG_SELF, true) == 0);
	demand(bh_seg_map(&w.to_seg, w.to.rw, BH_SEG_SELF, true) == 0);
	demand(bh_seg_map(&w.box_seg, w.box.rw, BH_SEG_OUTBOX, true) == 0);
	demand(bh_seg_map(&w.params_seg, w.params.rw, BH_SEG_PARAMS, true) == 0);
	demand(bh_seg_map(&w.priv_seg, w.priv.rw, BH_SEG_PRIVATE, true) == 0);
	w.a = bh_seg_section(&w.from_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	w.b = bh_seg_section(&w.to_seg, BH_SEC_SELF, sizeof(struct bh_self), NULL);
	demand(w.a && w.b);
}

/* Everything after the header becomes the input, then zeros. */
static void
overwrite(struct bh_seg *seg, const uint8_t *data, size_t size)
{
	size_t room = seg->size - sizeof(struct bh_seg_header);
	if (size > room)
		size = room;
	memset(seg->base + sizeof(struct bh_seg_header), 0, room);
	memcpy(seg->base + sizeof(struct bh_seg_header), data, size);
}

static void
consume_to_rest(struct bh_inbox *ib)
{
	for (unsigned steps = 0; bh_ring_has(&ib->ring); steps++) {
		struct bh_event ev;
		union bh_val v;
		uint8_t payload[BH_PAYLOAD_MAX];
		size_t len;
		uint64_t pos = ib->ring.pos;
		demand(steps < 8 * SLOTS);
		int ret = bh_ring_peek(&ib->ring, &ev, payload, sizeof(payload), &len);
		demand(ret == 1 || ret == -EPROTO);
		if (ret == 1) {
			demand(ev.kind > BH_EV_NONE && ev.kind < BH_EV_KIND_COUNT && ev.type <= BH_TRIGGER);
			demand(len <= sizeof(payload));
			if (bh_event_value(&ev, payload, len, &v) == 0 && ev.type == BH_TEXT)
				demand(memchr(v.s, '\0', sizeof(v.s)) != NULL);
		}
		bh_ring_advance(&ib->ring, &ev);
		demand(ib->ring.pos > pos);
	}
}

static void
hostile_outbox(const uint8_t *data, size_t size)
{
	struct bh_outbox ob;
	struct bh_inbox ib;
	struct bh_cell_body body;
	memset(w.b, 0, sizeof(*w.b));
	if (size >= 8)
		memcpy(&w.b->cursor[FROM], data, 8); /* our own, from an earlier life of theirs */
	w.b->cursor[FROM] >>= w.b->cursor[FROM] & 63;
	w.b->cursor[FROM] &= ~(1ull << 63);
	overwrite(&w.box_seg, data, size);
	demand(bh_inbox_attach(&ib, w.box.ro, w.b, FROM) == 0);
	consume_to_rest(&ib);
	for (uint32_t id = 0; id < 6; id++)
		bh_inbox_cell(&ib, id, &body);
	if (bh_outbox_attach(&ob, w.box.rw, w.a, w.b, -1) == 0) {
		struct bh_event ev = {.kind = BH_EV_REQUEST, .id = 0xabcd}, got;
		uint8_t payload[100] = {1, 2, 3}, back[100];
		size_t len;
		if (ib.ring.pos < 1ull << 61) {
			demand(bh_outbox_send(&ob, &ev, payload, sizeof(payload)) == 0);
			demand(bh_ring_peek(&ib.ring, &got, back, sizeof(back), &len) == 1);
			demand(got.id == 0xabcd && len == sizeof(payload) && memcmp(back, payload, len) == 0);
		}
		bh_outbox_detach(&ob);
	}
	bh_inbox_detach(&ib);
}

static void
lying_header(const uint8_t *data, size_t size)
{
	struct bh_seg seg;
	struct bh_seg_header good = w.box_seg.head, lie = good;
	/* Pairs of place and byte, on top of a good one. */
	for (size_t k = 0; k + 2 < size; k += 3)
		((uint8_t *)&lie)[(data[k] | data[k + 1] << 8) % sizeof(lie)] = data[k + 2];
	lie.check = 0;
	lie.check = bh_crc32c(0, &lie, sizeof(lie));
	memcpy(w.box_seg.base, &lie, sizeof(lie));
	if (bh_seg_map(&seg, w.box.ro, 0, false) == 0) {
		for (uint32_t kind = 0; kind < 20; kind++) {
			static const size_t strides[] = {1, 8, 64, sizeof(struct bh_cell), sizeof(struct bh_self)};
			for (size_t k = 0; k < sizeof(strides) / sizeof(strides[0]); k++) {
				uint32_t count = 0;
				const uint8_t *at = bh_seg_section(&seg, kind, strides[k], &count);
				demand(!at || (at >= seg.base && at <= seg.base + seg.size &&
					       strides[k] * count <= (size_t)(seg.base + seg.size - at)));
			}
		}
		bh_seg_unmap(&seg);
	}
	memcpy(w.box_seg.base, &good, sizeof(good));
}

static void
hostile_directory(const uint8_t *data, size_t size)
{
	struct bh_dir dir;
	struct bh_dir_record rec;
	char name[BH_NAME_MAX + 1];
	overwrite(&w.params_seg, data, size);
	demand(bh_dir_attach(&dir, &w.params_seg) == 0);
	for (uint32_t n = 0; n < dir.record_cap; n++) /* so that more than damage is found */
		dir.records[n].check = bh_crc32c(0, &dir.records[n], offsetof(struct bh_dir_record, check));
	uint32_t count = bh_dir_count(&dir);
	demand(count <= dir.record_cap);
	for (uint32_t n = 0; n <= count; n++) {
		if (bh_dir_read(&dir, n, &rec) < 0)
			continue;
		demand(n < count && strlen(rec.name) <= BH_NAME_MAX && rec.index < BH_MAX_PARAMS);
		for (unsigned k = 0; k < 70; k++)
			if (bh_dir_choice(&dir, &rec, k, name, sizeof(name)) == 0)
				demand(strlen(name) < sizeof(name));
	}
}

static void
hostile_journal(const uint8_t *data, size_t size)
{
	struct bh_journal j;
	const struct bh_journal_change *change;
	const struct bh_journal_output *output;
	overwrite(&w.priv_seg, data, size);
	demand(bh_journal_attach(&j, &w.priv_seg) == 0);
	for (unsigned k = 0; k < 2; k++) { /* a correct sum, as far as its own lengths allow one */
		struct bh_journal_slot *slot = (struct bh_journal_slot *)(j.slots + k * j.stride);
		uint32_t room = j.stride - (uint32_t)sizeof(*slot);
		slot->txn = slot->commit;
		slot->bytes %= room + 1;
		struct bh_journal_slot head = *slot;
		head.check = 0;
		slot->check = bh_crc32c(bh_crc32c(0, &head.txn, sizeof(head) - 8), slot + 1, slot->bytes);
	}
	const struct bh_journal_slot *last = bh_journal_last(&j, &change, &output);
	if (!last)
		return;
	const uint8_t *end = (const uint8_t *)last + j.stride;
	demand((const uint8_t *)(change + last->changes) <= end && (const uint8_t *)(output + last->outputs) <= end);
}

static void
hostile_sleeper(const uint8_t *data, size_t size)
{
	struct bh_outbox ob;
	struct bh_health_record h;
	memset(w.b, 0, sizeof(*w.b));
	memset(w.box_seg.base + sizeof(struct bh_seg_header), 0, w.box_seg.size - sizeof(struct bh_seg_header));
	demand(bh_outbox_attach(&ob, w.box.rw, w.a, w.b, -1) == 0);
	memcpy(w.b, data, size < sizeof(*w.b) ? size : sizeof(*w.b));
	for (uint32_t k = 0; k < 2 * SLOTS; k++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .type = BH_INT, .id = k % 4};
		int ret = bh_outbox_put(&ob, &ev, NULL, 0);
		demand(ret == 0 || ret == 1);
		ret = bh_outbox_flush(&ob);
		demand(ret == 0 || ret == 1);
	}
	bh_bell_ring_always(&ob.bell);
	demand(bh_ring_room(&ob.ring) <= SLOTS);
	bh_health_read(w.b, &h);
	demand(memchr(h.reason, '\0', sizeof(h.reason)) && memchr(h.hint, '\0', sizeof(h.hint)));
	bh_outbox_detach(&ob);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	build_world();
	if (size < 1)
		return 0;
	switch (data[0] % 5) {
	case 0: hostile_outbox(data + 1, size - 1); break;
	case 1: lying_header(data + 1, size - 1); break;
	case 2: hostile_directory(data + 1, size - 1); break;
	case 3: hostile_journal(data + 1, size - 1); break;
	case 4: hostile_sleeper(data + 1, size - 1); break;
	}
	return 0;
}
