/* What a killed surface process had read is decoded by its successor: once, whole, and in order. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "procs/surface/input.h"

enum { RING = 2048 };

static uint8_t ring[RING];
static struct bh_bytes_head head;
static struct input in;

static void
set_up(void)
{
	memset(ring, BH_MIDI_FILLER, sizeof(ring));
	memset(&head, 0, sizeof(head));
	ck_assert_int_eq(input_init(&in, ring, RING, &head), 0);
}

/* As a read would: at most what fits; `told` = the read returned to us. Returns the bytes taken. */
static size_t
device_says(const uint8_t *bytes, size_t len, bool told)
{
	size_t room;
	uint8_t *at = input_room(&in, &room);
	size_t n = len < room ? len : room;
	memcpy(at, bytes, n);
	if (told)
		input_got(&in, n);
	return n;
}

static void
successor(int bytes)
{
	memset(&in, 0xee, sizeof(in));
	ck_assert_int_eq(input_init(&in, ring, RING, &head), bytes);
}

START_TEST(messages_come_out_whole_across_reads)
{
	struct bh_midi_msg m;
	device_says((const uint8_t *)"\x90\x01", 2, true);
	ck_assert(!input_next(&in, &m));
	device_says((const uint8_t *)"\x7f\xb0", 2, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.data[0], 1);
	input_done(&in);
	ck_assert(!input_next(&in, &m));
	ck_assert_uint_eq(head.decoded, 3);
}
END_TEST

START_TEST(what_was_read_before_the_kill_is_decoded_by_the_successor)
{
	struct bh_midi_msg m;
	device_says((const uint8_t *)"\xe0\x01\x02\xe0\x03\x04\xe0", 7, false); /* killed as the read returned */
	successor(7);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.data[0], 1);
	input_done(&in);
	successor(4);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.data[0], 3);
	input_done(&in);
	ck_assert(!input_next(&in, &m));
	successor(1);
	ck_assert(!input_next(&in, &m));
	device_says((const uint8_t *)"\x05\x06", 2, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.data[0], 5);
}
END_TEST

START_TEST(running_status_holds_across_the_kill)
{
	struct bh_midi_msg m;
	device_says((const uint8_t *)"\xb0\x10\x01\x11\x01\x12", 6, true);
	for (int i = 0; i < 2; i++) {
		ck_assert(input_next(&in, &m));
		input_done(&in);
	}
	ck_assert(!input_next(&in, &m));
	successor(1);
	device_says((const uint8_t *)"\x01", 1, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.status, 0xb0);
	ck_assert_uint_eq(m.data[0], 0x12);
}
END_TEST

START_TEST(a_message_not_done_with_is_seen_again_with_its_mark)
{
	struct bh_midi_msg m;
	uint64_t pos;
	uint32_t gen;
	device_says((const uint8_t *)"\xb0\x10\x01\xb0\x10\x02", 6, true);
	ck_assert(input_next(&in, &m));
	ck_assert(!input_was_marked(&in, &pos, &gen));
	input_mark(&in, 41, 7);
	successor(6);
	ck_assert(input_next(&in, &m));
	ck_assert(input_was_marked(&in, &pos, &gen));
	ck_assert_uint_eq(pos, 41);
	ck_assert_uint_eq(gen, 7);
	input_done(&in);
	ck_assert(input_next(&in, &m));
	ck_assert(!input_was_marked(&in, &pos, &gen)); /* the next message is another */
}
END_TEST

START_TEST(a_realtime_byte_inside_a_message_is_no_place_to_go_on_from)
{
	struct bh_midi_msg m;
	device_says((const uint8_t *)"\x90\x01\xf8", 3, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.status, 0xf8);
	input_done(&in);
	successor(3);
	device_says((const uint8_t *)"\x7f", 1, true);
	ck_assert(input_next(&in, &m)); /* the clock again: harmless */
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.status, 0x90);
	ck_assert_uint_eq(m.data[0], 1);
}
END_TEST

START_TEST(the_ring_goes_round_for_ever)
{
	struct bh_midi_msg m;
	uint8_t bytes[3 * 60];
	unsigned seen = 0;
	for (unsigned k = 0; k < 1000; k++) {
		for (unsigned i = 0; i < 60; i++) {
			bytes[3 * i] = 0xe0;
			bytes[3 * i + 1] = (uint8_t)((k * 60 + i) & 0x7f);
			bytes[3 * i + 2] = (uint8_t)((k * 60 + i) >> 7 & 0x7f);
		}
		for (size_t at = 0; at < sizeof(bytes);) {
			at += device_says(bytes + at, sizeof(bytes) - at, k % 3 != 0);
			if (k % 3 == 0) {
				memset(&in, 0xee, sizeof(in));
				ck_assert_int_ge(input_init(&in, ring, RING, &head), 0);
			}
			while (input_next(&in, &m)) {
				ck_assert_uint_eq(m.status, 0xe0);
				ck_assert_uint_eq(m.data[0] | m.data[1] << 7, seen & 0x3fff);
				seen++;
				input_done(&in);
			}
		}
	}
	ck_assert_uint_eq(seen, 60000);
}
END_TEST

START_TEST(endless_sysex_does_not_hold_the_ring)
{
	struct bh_midi_msg m;
	uint8_t junk[200];
	memset(junk, 0x11, sizeof(junk));
	device_says((const uint8_t *)"\xf0", 1, true);
	for (int k = 0; k < 50; k++) {
		device_says(junk, sizeof(junk), true);
		ck_assert(!input_next(&in, &m));
	}
	ck_assert_uint_lt(in.end - head.decoded, RING - INPUT_READ_MAX);
	device_says((const uint8_t *)"\xf7\x90\x01\x7f", 4, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.status, 0x90);
}
END_TEST

START_TEST(a_memory_that_cannot_be_is_started_afresh)
{
	struct bh_midi_msg m;
	srandom(5);
	for (int k = 0; k < 200; k++) {
		uint8_t *h = (uint8_t *)&head;
		for (size_t i = 0; i < sizeof(head); i++)
			h[i] = (uint8_t)random();
		for (size_t i = 0; i < RING; i++)
			ring[i] = (uint8_t)random();
		int n = input_init(&in, ring, RING, &head);
		ck_assert_int_ge(n, 0);
		while (input_next(&in, &m))
			input_done(&in);
		device_says((const uint8_t *)"\xf7\x90\x01\x7f", 4, true);
		ck_assert(input_next(&in, &m));
	}
	ck_assert_int_eq(input_init(&in, ring, 100, &head), -EINVAL);
}
END_TEST

START_TEST(a_device_that_was_away_leaves_nothing_behind)
{
	struct bh_midi_msg m;
	device_says((const uint8_t *)"\xb0\x10", 2, true);
	ck_assert(!input_next(&in, &m));
	input_forget(&in);
	device_says((const uint8_t *)"\x01\x90\x05\x7f", 4, true);
	ck_assert(input_next(&in, &m));
	ck_assert_uint_eq(m.status, 0x90);
	ck_assert_uint_eq(m.data[0], 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("input");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_test(t, messages_come_out_whole_across_reads);
	tcase_add_test(t, what_was_read_before_the_kill_is_decoded_by_the_successor);
	tcase_add_test(t, running_status_holds_across_the_kill);
	tcase_add_test(t, a_message_not_done_with_is_seen_again_with_its_mark);
	tcase_add_test(t, a_realtime_byte_inside_a_message_is_no_place_to_go_on_from);
	tcase_add_test(t, the_ring_goes_round_for_ever);
	tcase_add_test(t, endless_sysex_does_not_hold_the_ring);
	tcase_add_test(t, a_memory_that_cannot_be_is_started_afresh);
	tcase_add_test(t, a_device_that_was_away_leaves_nothing_behind);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
