/* test_dir.c - the parameter directory: append-only, checked field by field, rebuilt under a new epoch */
#include "shm/dir.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "shm/crc.h"
#include "tests/lib/pair.h"

static struct bh_seg_fds fds;
static struct bh_seg seg, reader_seg;
static struct bh_dir dir, reader;

static void
setup(void)
{
	ck_assert_int_eq(bh_seg_create_params(&fds, "loop.params", 5, 1, 8, 64), 0);
	ck_assert_int_eq(bh_seg_map(&seg, fds.rw, BH_SEG_PARAMS, true), 0);
	ck_assert_int_eq(bh_seg_map(&reader_seg, fds.ro, BH_SEG_PARAMS, false), 0);
	ck_assert_int_eq(bh_dir_attach(&dir, &seg), 0);
	ck_assert_int_eq(bh_dir_attach(&reader, &reader_seg), 0);
}

static void
teardown(void)
{
	bh_seg_unmap(&seg);
	bh_seg_unmap(&reader_seg);
	pair_fds_close(&fds);
}

static struct bh_dir_record
record_of(uint32_t index)
{
	struct bh_dir_record rec = {.index = index, .gen = 1, .type = BH_FLOAT, .taper = BH_TAPER_FADER_DB,
				    .access = BH_ACCESS_READ | BH_ACCESS_WRITE, .was = UINT32_MAX, .min = -90, .max = 10};
	snprintf(rec.name, sizeof(rec.name), "ch%u/level", index);
	snprintf(rec.unit, sizeof(rec.unit), "dB");
	return rec;
}

START_TEST(records_come_back_in_order_with_their_choices)
{
	static const char choices[] = "off\0pre\0post";
	for (uint32_t k = 0; k < 3; k++) {
		struct bh_dir_record rec = record_of(k), back;
		ck_assert_uint_eq(bh_dir_count(&reader), k);
		ck_assert_int_eq(bh_dir_read(&reader, k, &back), -ERANGE);
		rec.type = BH_ENUM;
		rec.choices = 3;
		ck_assert_int_eq(bh_dir_append(&dir, &rec, choices, sizeof(choices)), (int)k);
		ck_assert_int_eq(bh_dir_read(&reader, k, &back), 0);
		ck_assert_str_eq(back.name, rec.name);
		ck_assert_mem_eq(&back, &rec, sizeof(rec));
		char name[16];
		ck_assert_int_eq(bh_dir_choice(&reader, &back, 0, name, sizeof(name)), 0);
		ck_assert_str_eq(name, "off");
		ck_assert_int_eq(bh_dir_choice(&reader, &back, 2, name, sizeof(name)), 0);
		ck_assert_str_eq(name, "post");
		ck_assert_int_eq(bh_dir_choice(&reader, &back, 2, name, 3), 0); /* cut to fit */
		ck_assert_str_eq(name, "po");
		ck_assert_int_eq(bh_dir_choice(&reader, &back, 3, name, sizeof(name)), -ERANGE);
	}
}
END_TEST

START_TEST(a_full_directory_says_so_and_is_rebuilt_under_a_new_epoch)
{
	struct bh_dir_record rec = record_of(0);
	ck_assert_int_eq(bh_dir_append(&dir, &rec, "0123456789", 65), -ENOSPC);
	for (uint32_t k = 0; k < 8; k++)
		ck_assert_int_eq(bh_dir_append(&dir, &rec, NULL, 0), (int)k);
	ck_assert_int_eq(bh_dir_append(&dir, &rec, NULL, 0), -ENOSPC);
	uint32_t epoch = reader.head->epoch;
	bh_dir_rebuild(&dir);
	ck_assert_uint_eq(reader.head->epoch, epoch + 1);
	ck_assert_uint_eq(bh_dir_count(&reader), 0);
	ck_assert_int_eq(bh_dir_append(&dir, &rec, "a", 2), 0);
}
END_TEST

START_TEST(a_tombstone_needs_no_name)
{
	struct bh_dir_record rec = {.index = 3, .flags = BH_DIR_TOMBSTONE}, back;
	bh_dir_append(&dir, &rec, NULL, 0);
	ck_assert_int_eq(bh_dir_read(&reader, 0, &back), 0);
	rec.flags = 0;
	bh_dir_append(&dir, &rec, NULL, 0);
	ck_assert_int_eq(bh_dir_read(&reader, 1, &back), -EBADMSG);
}
END_TEST

START_TEST(damage_of_any_byte_is_noticed)
{
	struct bh_dir_record rec = record_of(1), back;
	bh_dir_append(&dir, &rec, NULL, 0);
	for (size_t k = 0; k < sizeof(rec); k++) {
		((uint8_t *)&dir.records[0])[k] ^= 1;
		ck_assert_int_eq(bh_dir_read(&reader, 0, &back), -EBADMSG);
		((uint8_t *)&dir.records[0])[k] ^= 1;
	}
	ck_assert_int_eq(bh_dir_read(&reader, 0, &back), 0);
}
END_TEST

START_TEST(a_lie_with_a_correct_check_sum_is_refused)
{
	struct bh_dir_record good = record_of(1), back;
	bh_dir_append(&dir, &good, NULL, 0);
#define REFUSED(change)                                                                                                \
	do {                                                                                                           \
		struct bh_dir_record bad = good;                                                                       \
		change;                                                                                                \
		bad.check = bh_crc32c(0, &bad, offsetof(struct bh_dir_record, check));                                 \
		dir.records[0] = bad;                                                                                  \
		ck_assert_msg(bh_dir_read(&reader, 0, &back) == -EBADMSG, #change);                                    \
	} while (0)
	REFUSED(memset(bad.name, 'x', sizeof(bad.name)));
	REFUSED(memset(bad.name, 'x', BH_NAME_MAX + 1));
	REFUSED(bad.name[0] = '\0');
	REFUSED(memset(bad.unit, 'x', sizeof(bad.unit)));
	REFUSED(memset(bad.label, 'x', sizeof(bad.label)));
	REFUSED(memset(bad.backend_id, 'x', sizeof(bad.backend_id)));
	REFUSED(bad.index = BH_MAX_PARAMS);
	REFUSED(bad.index = UINT32_MAX);
	REFUSED(bad.type = BH_TRIGGER + 1);
	REFUSED(bad.taper = BH_TAPER_COUNT);
	REFUSED(bad.access = 16);
	REFUSED(bad.flags = 2);
	REFUSED(bad.min = (double)NAN);
	REFUSED(bad.max = (double)INFINITY);
	REFUSED(bad.step = -(double)INFINITY);
	REFUSED(bad.def = (double)NAN);
	REFUSED(bad.choices = 1);
	REFUSED(bad.choices_off = 65);
	REFUSED(bad.choices_len = 65);
	REFUSED(bad.choices_off = UINT32_MAX; bad.choices_len = 2);
	REFUSED(bad.choices_off = 2; bad.choices_len = UINT32_MAX);
}
END_TEST

START_TEST(choices_without_an_end_are_noticed)
{
	struct bh_dir_record rec = record_of(1), back;
	char name[16];
	rec.choices = 2;
	bh_dir_append(&dir, &rec, "aa\0bb", 5); /* the last one lacks its NUL, and the strings after it are another's */
	ck_assert_int_eq(bh_dir_read(&reader, 0, &back), 0);
	ck_assert_int_eq(bh_dir_choice(&reader, &back, 0, name, sizeof(name)), 0);
	ck_assert_int_eq(bh_dir_choice(&reader, &back, 1, name, sizeof(name)), -EBADMSG);
	ck_assert_int_eq(bh_dir_choice(&reader, &back, 0, name, 0), -ERANGE);
}
END_TEST

START_TEST(a_count_beyond_the_records_is_bounded)
{
	struct bh_dir_record rec = record_of(0);
	dir.head->count = UINT64_MAX;
	ck_assert_uint_eq(bh_dir_count(&reader), 8);
	ck_assert_int_eq(bh_dir_read(&reader, 8, &rec), -ERANGE);
	ck_assert_int_eq(bh_dir_append(&dir, &rec, NULL, 0), -ENOSPC);
	dir.head->count = 0;
	dir.head->strings = UINT64_MAX;
	ck_assert_int_eq(bh_dir_append(&dir, &rec, "a", 2), -ENOSPC);
}
END_TEST

START_TEST(a_segment_of_another_kind_has_no_directory)
{
	struct bh_seg_fds none;
	struct bh_seg other;
	ck_assert_int_eq(bh_seg_create_state(&none, "s", 5, 1, 4), 0);
	ck_assert_int_eq(bh_seg_map(&other, none.rw, 0, true), 0);
	ck_assert_int_eq(bh_dir_attach(&dir, &other), -EPROTO);
	bh_seg_unmap(&other);
	pair_fds_close(&none);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dir");
	TCase *tc = tcase_create("dir");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, records_come_back_in_order_with_their_choices);
	tcase_add_test(tc, a_full_directory_says_so_and_is_rebuilt_under_a_new_epoch);
	tcase_add_test(tc, a_tombstone_needs_no_name);
	tcase_add_test(tc, damage_of_any_byte_is_noticed);
	tcase_add_test(tc, a_lie_with_a_correct_check_sum_is_refused);
	tcase_add_test(tc, choices_without_an_end_are_noticed);
	tcase_add_test(tc, a_count_beyond_the_records_is_bounded);
	tcase_add_test(tc, a_segment_of_another_kind_has_no_directory);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
