/*
 * A surface process killed at any instruction between reading a message and being done with it: its successor
 * loses none and doubles none. Each image of shared memory that a kill could leave is tried.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "procs/surface/publish.h"
#include "tests/lib/pair.h"
#include "tests/lib/step.h"

enum { RING_BYTES = INPUT_RING_MIN, SLOTS = 16, CELLS = 8, FADER = 1, POT = 2, BUTTON = 3 };

/* A move, two turns (the second in running status), press, release. */
static const uint8_t said[] = {0xe0, 0x00, 0x40, 0xb0, 0x10, 0x03, 0x10, 0x02, 0x90, 0x10, 0x7f, 0x10, 0x00};

struct input_memory {
	struct bh_bytes_head head;
	uint8_t ring[RING_BYTES];
};

static struct pair life, next;
static struct input_memory *life_in, *next_in;
static unsigned images, presses_lost;
static uint32_t full_events; /* in the ring beforehand */

/* What the driver does with a message, without its panel. */
static int
publish_all(struct input *in, struct bh_outbox *out, bool recovering)
{
	struct bh_midi_msg m;
	int published = 0;
	while (input_next(in, &m)) {
		struct bh_event ev = {.type = BH_INT};
		if (m.status == 0xe0)
			ev = (struct bh_event){.kind = BH_EV_VALUE, .id = FADER, .type = BH_INT, .v.i = m.data[1] << 7 | m.data[0]};
		else if (m.status == 0xb0)
			ev = (struct bh_event){.kind = BH_EV_RELATIVE, .id = POT, .type = BH_INT, .v.i = m.data[1]};
		else
			ev = (struct bh_event){.kind = m.data[1] ? BH_EV_PRESS : BH_EV_RELEASE, .id = BUTTON, .type = BH_BOOL};
		published += publish_event(in, &recovering, out, &ev, 0) != 2;
		input_done(in);
	}
	return published;
}

static void
first_life(void *arg)
{
	struct input in;
	(void)arg;
	if (input_init(&in, life_in->ring, RING_BYTES, &life_in->head) >= 0)
		publish_all(&in, &life.ob, false);
}

static unsigned
count(const struct bh_outbox *ob, uint8_t kind)
{
	unsigned n = 0;
	for (uint64_t pos = 0; pos < ob->ring.pos; pos++)
		n += ob->ring.slots[pos & ob->ring.mask].kind == kind && ob->ring.slots[pos & ob->ring.mask].id == BUTTON;
	return n;
}

static void
successor_is_exact(void *arg, void *const *copies)
{
	struct bh_cell_body body;
	struct input in;
	(void)arg;
	memcpy(next.ob.seg.base, copies[0], next.ob.seg.size);
	memcpy(next_in, copies[1], sizeof(*next_in));
	bh_outbox_detach(&next.ob);
	pair_attach_producer(&next);
	ck_assert_int_ge(input_init(&in, next_in->ring, RING_BYTES, &next_in->head), 0);
	/* As the driver: first say that somebody new is here. */
	struct bh_event resync = {.kind = BH_EV_RESYNC};
	bh_outbox_send(&next.ob, &resync, NULL, 0);
	publish_all(&in, &next.ob, true);
	ck_assert_int_gt(bh_cell_read(&next.ob.cells[POT], &body), 0);
	ck_assert_uint_eq(body.total, 5);
	ck_assert_int_gt(bh_cell_read(&next.ob.cells[FADER], &body), 0);
	ck_assert_int_eq(body.v.i, 0x40 << 7);
	ck_assert_int_gt(bh_cell_read(&next.ob.cells[BUTTON], &body), 0);
	ck_assert_uint_eq(body.gen, 1); /* released once */
	ck_assert_uint_le(count(&next.ob, BH_EV_PRESS), 1);
	presses_lost += count(&next.ob, BH_EV_PRESS) == 0;
	ck_assert_uint_eq(in.head->decoded, sizeof(said));
	images++;
}

static void
begin(uint32_t fill)
{
	pair_init(&life, SLOTS, CELLS);
	pair_init(&next, SLOTS, CELLS);
	life_in = mmap(NULL, sizeof(*life_in), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	next_in = mmap(NULL, sizeof(*next_in), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(life_in != MAP_FAILED && next_in != MAP_FAILED);
	memset(life_in->ring, BH_MIDI_FILLER, RING_BYTES);
	memcpy(life_in->ring, said, sizeof(said));
	images = presses_lost = 0;
	full_events = fill;
	for (uint32_t i = 0; i < fill; i++) {
		struct bh_event ev = {.kind = BH_EV_VALUE, .id = 0, .type = BH_INT};
		ck_assert_int_eq(bh_outbox_put(&life.ob, &ev, NULL, 0), 0);
	}
	const struct bh_step_range range[] = {{life.ob.seg.base, life.ob.seg.size}, {life_in, sizeof(*life_in)}};
	ck_assert_int_gt(bh_step_images(first_life, NULL, range, 2, successor_is_exact), 30);
	ck_assert_uint_gt(images, 30);
}

START_TEST(a_kill_at_any_instruction_loses_and_doubles_nothing)
{
	begin(0);
	ck_assert_uint_eq(presses_lost, 0);
}
END_TEST

/* Nobody consumes: from some event on, values stand in their cells alone, and presses are refused, at any kill. */
START_TEST(with_a_full_ring_ticks_stay_exact_and_a_press_is_at_most_one)
{
	begin(SLOTS - 1 - (uint32_t)_i);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("publish");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_kill_at_any_instruction_loses_and_doubles_nothing);
	tcase_add_loop_test(t, with_a_full_ring_ticks_stay_exact_and_a_press_is_at_most_one, 0, 6);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
