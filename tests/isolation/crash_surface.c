/*
 * crash_surface.c - scenes of the surface's raw input: between reading a message and being done with it
 *
 * A surface process is killed while it decodes what the device said and publishes it: its successor loses none and doubles none.
 */
#include <stdio.h>
#include <string.h>

#include "procs/surface/publish.h"
#include "tests/isolation/crash_scenes.h"

enum { FADER = 1, POT = 2, BUTTON = 3, CELLS = 8, SLOTS = 16, DESK = 4 };
enum { SELF, BOX, PRIVATE, ROUTER };

/* A move, two turns (the second in running status), press, release. */
static const uint8_t said[] = {0xe0, 0x00, 0x40, 0xb0, 0x10, 0x03, 0x10, 0x02, 0x90, 0x10, 0x7f, 0x10, 0x00};

struct desk {
	struct input in;
	struct bh_outbox out;
	bool recovering;
};

/* How many slots of the ring are taken beforehand: nobody consumes. */
static const unsigned none = 0, but_four = SLOTS - 4, but_three = SLOTS - 3, but_two = SLOTS - 2, but_one = SLOTS - 1, all = SLOTS;

static void
surface_build(struct crash_memory *m)
{
	crash_self(m, DESK);
	crash_outbox(m, DESK, BH_SLOT_ROUTER, SLOTS, CELLS);
	crash_private(m, DESK, 0, INPUT_RING_MIN, 0);
	crash_own(m);
	crash_self(m, BH_SLOT_ROUTER);
	memset(crash_section(m, PRIVATE, BH_SEC_BYTES, NULL), BH_MIDI_FILLER, INPUT_RING_MIN);
}

static void
surface_attach(struct crash_memory *m)
{
	struct desk *d = m->life;
	crash_must(bh_outbox_attach(&d->out, m->fds[BOX].rw, crash_self_of(m, SELF), crash_self_of(m, ROUTER), -1) == 0);
	crash_must(input_init(&d->in, crash_section(m, PRIVATE, BH_SEC_BYTES, NULL), INPUT_RING_MIN,
			      crash_section(m, PRIVATE, BH_SEC_BYTES_HEAD, NULL)) >= 0);
}

static void
surface_before(struct crash_memory *m)
{
	struct desk *d = m->life;
	surface_attach(m);
	for (unsigned k = 0; k < *(const unsigned *)m->scene; k++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .id = 0, .type = BH_INT};
		crash_must(bh_outbox_put(&d->out, &ev, NULL, 0) == 0);
	}
	crash_self_of(m, ROUTER)->counter[BH_CNT_USER0] = crash_overflow(m, BOX);
}

/* What the driver does with a message, without its panel. */
static void
publish_all(struct desk *d)
{
	struct bh_midi_msg m;
	while (input_next(&d->in, &m)) {
		struct bh_event ev = {.type = BH_INT};
		if (m.status == 0xe0)
			ev = (struct bh_event){.kind = BH_EV_VALUE, .id = FADER, .type = BH_INT, .v.i = m.data[1] << 7 | m.data[0]};
		else if (m.status == 0xb0)
			ev = (struct bh_event){.kind = BH_EV_RELATIVE, .id = POT, .type = BH_INT, .v.i = m.data[1]};
		else
			ev = (struct bh_event){.kind = m.data[1] ? BH_EV_PRESS : BH_EV_RELEASE, .id = BUTTON, .type = BH_BOOL};
		publish_event(&d->in, &d->recovering, &d->out, &ev, 0);
		input_done(&d->in);
	}
}

/* The kernel's read, and all that follows. */
static void
surface_work(struct crash_memory *m)
{
	struct desk *d = m->life;
	size_t room;
	uint8_t *at = input_room(&d->in, &room);
	crash_must(room >= sizeof(said));
	memcpy(at, said, sizeof(said));
	input_got(&d->in, sizeof(said));
	publish_all(d);
}

static void
surface_recover(struct crash_memory *m)
{
	struct desk *d = m->life;
	surface_attach(m);
	/* As the driver: first say that somebody new is here. */
	struct bh_event resync = {.kind = BH_EV_RESYNC};
	bh_outbox_send(&d->out, &resync, NULL, 0);
	d->recovering = true;
	publish_all(d);
	d->recovering = false;
}

/* The device goes on where its reader broke off: the driver kept it open. Of the bytes of a read that was cut short none is told twice. */
static void
surface_go_on(struct crash_memory *m)
{
	struct desk *d = m->life;
	if (d->in.end >= sizeof(said))
		return;
	size_t room, left = sizeof(said) - (size_t)d->in.end;
	const uint8_t *rest = said + d->in.end;
	uint8_t *at = input_room(&d->in, &room);
	memcpy(at, rest, left);
	input_got(&d->in, left);
	publish_all(d);
}

static void
surface_leave(struct crash_memory *m)
{
	bh_outbox_detach(&((struct desk *)m->life)->out);
}

static uint32_t
surface_judge(struct crash_memory *m, char *why, size_t cap)
{
	const struct bh_bytes_head *head = crash_section(m, PRIVATE, BH_SEC_BYTES_HEAD, NULL);
	struct crash_reader r = crash_reader(m, BOX, 0);
	struct bh_event ev;
	struct bh_cell_body body;
	uint8_t payload[BH_PAYLOAD_MAX];
	unsigned presses = 0, taken = *(const unsigned *)m->scene;
	uint32_t gen[CELLS] = {0};
	size_t len;
	int there;
	while ((there = crash_read(&r, &ev, payload, &len)) == 1) {
		presses += ev.kind == BH_EV_PRESS;
		if (ev.id < CELLS && ev.kind != BH_EV_PRESS && ev.kind != BH_EV_RESYNC)
			gen[ev.id] = ev.gen;
	}
	if (there < 0)
		crash_wrong(why, cap, "a torn event");
	if (!crash_cell(m, BOX, POT, &body) || body.total != 5)
		crash_wrong(why, cap, "the pot was turned by %u ticks of 5", body.total);
	if (!crash_cell(m, BOX, FADER, &body) || body.v.i != 0x40 << 7 || body.gen != 1)
		crash_wrong(why, cap, "the fader was moved to %ld, %u times", (long)body.v.i, body.gen);
	if (!crash_cell(m, BOX, BUTTON, &body) || body.gen != 1)
		crash_wrong(why, cap, "the button was let go %u times", body.gen);
	if (presses > 1 || (!presses && !taken))
		crash_wrong(why, cap, "the button was pressed %u times", presses);
	if (head->decoded != sizeof(said))
		crash_wrong(why, cap, "%lu bytes of %zu are decoded", (unsigned long)head->decoded, sizeof(said));
	bool looks = crash_overflow(m, BOX) != crash_self_of(m, ROUTER)->counter[BH_CNT_USER0];
	for (uint32_t id = FADER; id <= BUTTON && !looks; id++)
		if (crash_cell(m, BOX, id, &body) && body.gen != gen[id])
			crash_wrong(why, cap, "cell %u is newer than the ring, and nobody tells the router to look", id);
	return presses;
}

#define SURFACE(n, a) \
	{.name = n, .arg = a, .build = surface_build, .before = surface_before, .work = surface_work, .recover = surface_recover, \
	 .go_on = surface_go_on, .leave = surface_leave, .judge = surface_judge, .second = 60}

const struct crash_scene crash_surface[] = {
	SURFACE("raw input", &none),
	SURFACE("raw input, ring with 4 slots left", &but_four),
	SURFACE("raw input, ring with 3 slots left", &but_three),
	SURFACE("raw input, ring with 2 slots left", &but_two),
	SURFACE("raw input, ring with 1 slot left", &but_one),
	SURFACE("raw input, ring full", &all),
	{0},
};
