/* test_seg.c - segments are what they say, cannot be cut from under a reader, and lies in a header are refused */
#include "shm/seg.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shm/crc.h"
#include "tests/lib/pair.h"

static struct bh_seg_fds fds;

static void
make_outbox(void)
{
	ck_assert_int_eq(bh_seg_create_outbox(&fds, "desk>router", 4, 1, 7, 64, 16), 0);
}

static void
close_fds(void)
{
	pair_fds_close(&fds);
}

START_TEST(a_segment_describes_itself)
{
	struct bh_seg seg;
	uint32_t count;
	ck_assert_int_eq(bh_seg_map(&seg, fds.ro, BH_SEG_OUTBOX, false), 0);
	ck_assert_str_eq(seg.head.name, "desk>router");
	ck_assert_uint_eq(seg.head.writer, 4);
	ck_assert_uint_eq(seg.head.peer, 1);
	ck_assert_uint_eq(seg.head.epoch, 7);
	const char *ring = bh_seg_section(&seg, BH_SEC_RING, sizeof(struct bh_event), &count);
	ck_assert_ptr_nonnull(ring);
	ck_assert_uint_eq(count, 64);
	ck_assert_uint_eq((uintptr_t)ring % BH_LINE, 0);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_CELLS, sizeof(struct bh_cell), &count));
	ck_assert_uint_eq(count, 16);
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_JOURNAL, 1, NULL));
	bh_seg_unmap(&seg);
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_RING, sizeof(struct bh_event), NULL));
	bh_seg_unmap(&seg);
}
END_TEST

START_TEST(its_size_can_never_change_and_its_pages_are_there)
{
	struct stat st;
	ck_assert_int_eq(fstat(fds.rw, &st), 0);
	ck_assert_int_ge(st.st_blocks * 512, st.st_size);
	ck_assert_uint_eq(st.st_mode & 07777, 0400);
	ck_assert_int_eq(ftruncate(fds.rw, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fds.rw, st.st_size + 4096), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fcntl(fds.rw, F_ADD_SEALS, F_SEAL_WRITE), -1);
}
END_TEST

START_TEST(a_readers_descriptor_maps_read_only)
{
	struct bh_seg seg;
	ck_assert_int_eq(bh_seg_map(&seg, fds.ro, 0, true), -EACCES);
	ck_assert_int_eq(bh_seg_map(&seg, fds.ro, 0, false), 0);
	ck_assert_int_eq(mprotect(seg.base, seg.size, PROT_READ | PROT_WRITE), -1);
	bh_seg_unmap(&seg);
}
END_TEST

START_TEST(a_successor_can_map_it_writable_again)
{
	struct bh_seg seg;
	for (int life = 0; life < 3; life++) {
		ck_assert_int_eq(bh_seg_map(&seg, fds.rw, BH_SEG_OUTBOX, true), 0);
		uint64_t *word = bh_seg_section(&seg, BH_SEC_OUTBOX, sizeof(struct bh_outbox_head), NULL);
		ck_assert_uint_eq((*word)++, life);
		bh_seg_unmap(&seg);
	}
}
END_TEST

START_TEST(what_is_no_sealed_segment_is_refused)
{
	struct bh_seg seg;
	int pipes[2];
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(bh_seg_map(&seg, pipes[0], 0, false), -EPROTO);
	ck_assert_int_eq(bh_seg_map(&seg, -1, 0, false), -EBADF);
	int file = open("/proc/self/exe", O_RDONLY);
	ck_assert_int_eq(bh_seg_map(&seg, file, 0, false), -EPROTO);
	int empty = bh_seg_create_written("empty");
	ck_assert_int_eq(bh_seg_map(&seg, empty, 0, false), -EPROTO);

	/* The right bytes, but in a file that its sender could still cut short. */
	struct bh_seg good;
	ck_assert_int_eq(bh_seg_map(&good, fds.ro, 0, false), 0);
	int loose = bh_seg_create_written("loose");
	ck_assert_int_eq(write(loose, good.base, good.size), (ssize_t)good.size);
	ck_assert_int_eq(bh_seg_map(&seg, loose, 0, false), -EPERM);
	ck_assert_int_eq(fcntl(loose, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_assert_int_eq(bh_seg_map(&seg, loose, 0, false), -EPERM);
	ck_assert_int_eq(fcntl(loose, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL), 0);
	ck_assert_int_eq(bh_seg_map(&seg, loose, 0, false), 0);
	bh_seg_unmap(&seg);
	ck_assert_int_eq(bh_seg_map(&seg, loose, BH_SEG_SELF, false), -EPROTO);
	bh_seg_unmap(&good);
	close(pipes[0]), close(pipes[1]), close(file), close(empty), close(loose);
}
END_TEST

START_TEST(every_flipped_byte_of_the_header_is_noticed)
{
	for (unsigned at = 0; at < sizeof(struct bh_seg_header); at++) {
		struct bh_seg seg;
		uint8_t byte, flipped;
		ck_assert_int_eq(pread(fds.rw, &byte, 1, at), 1);
		flipped = byte ^ (uint8_t)(1u << at % 8);
		ck_assert_int_eq(pwrite(fds.rw, &flipped, 1, at), 1);
		ck_assert_int_eq(bh_seg_map(&seg, fds.ro, 0, false), -EPROTO);
		ck_assert_int_eq(pwrite(fds.rw, &byte, 1, at), 1);
	}
}
END_TEST

/* A header as a liar would write it: with a correct check sum. */
static int
map_with(const struct bh_seg_header *head, struct bh_seg *seg)
{
	struct bh_seg_header lie = *head;
	lie.check = 0;
	lie.check = bh_crc32c(0, &lie, sizeof(lie));
	ck_assert_int_eq(pwrite(fds.rw, &lie, sizeof(lie), 0), sizeof(lie));
	return bh_seg_map(seg, fds.ro, 0, false);
}

START_TEST(a_lie_with_a_correct_check_sum_is_refused)
{
	struct bh_seg seg;
	struct bh_seg_header good, bad;
	ck_assert_int_eq(pread(fds.rw, &good, sizeof(good), 0), sizeof(good));
#define REFUSED(change)                                                                                                \
	do {                                                                                                           \
		bad = good;                                                                                            \
		change;                                                                                                \
		ck_assert_msg(map_with(&bad, &seg) == -EPROTO, #change);                                               \
	} while (0)
	REFUSED(bad.magic++);
	REFUSED(bad.version++);
	REFUSED(bad.size += 4096);
	REFUSED(bad.size = UINT64_MAX);
	REFUSED(bad.sections = BH_SEG_SECTIONS + 1);
	REFUSED(bad.sections = UINT32_MAX);
	REFUSED(bad.writer = BH_MAX_SLOTS);
	REFUSED(bad.peer = 0x8000);
	REFUSED(memset(bad.name, 'x', sizeof(bad.name)));
	REFUSED(bad.section[0].kind = 0);
	REFUSED(bad.section[0].stride = 0);
	REFUSED(bad.section[0].count = UINT32_MAX);
	REFUSED(bad.section[0].stride = UINT32_MAX);
	REFUSED(bad.section[0].stride = bad.section[0].count = UINT32_MAX);
	REFUSED(bad.section[0].offset = 0);
	REFUSED(bad.section[0].offset += 8);
	REFUSED(bad.section[0].offset = (uint64_t)0 - BH_LINE);
	REFUSED(bad.section[0].offset = bad.size);
	REFUSED(bad.section[1].offset = bad.section[0].offset);
	ck_assert_int_eq(map_with(&good, &seg), 0);
	bh_seg_unmap(&seg);
}
END_TEST

START_TEST(whatever_a_liar_writes_no_section_leaves_the_mapping)
{
	struct bh_seg seg;
	struct bh_seg_header good, bad;
	uint64_t rnd = 88172645463325252ull;
	unsigned accepted = 0;
	ck_assert_int_eq(pread(fds.rw, &good, sizeof(good), 0), sizeof(good));
	for (int round = 0; round < 20000; round++) {
		bad = good;
		uint64_t r = pair_random(&rnd);
		struct bh_section *s = &bad.section[r % 3];
		uint64_t value = pair_random(&rnd) >> (r >> 8) % 60;
		switch ((r >> 16) % 5) {
		case 0: s->stride = (uint32_t)value; break;
		case 1: s->count = (uint32_t)value; break;
		case 2: s->offset = value & ~63ull; break;
		case 3: s->kind = (uint32_t)value % 20; break;
		case 4: bad.sections = (uint32_t)value % 20; break;
		}
		if (map_with(&bad, &seg) < 0)
			continue;
		accepted++;
		for (uint32_t kind = 1; kind < 20; kind++) {
			uint32_t count = 0;
			const uint8_t *at = bh_seg_section(&seg, kind, 64, &count);
			if (at)
				ck_assert(at >= seg.base && count <= seg.size / 64 &&
					  at + (size_t)count * 64 <= seg.base + seg.size);
		}
		bh_seg_unmap(&seg);
	}
	ck_assert_uint_gt(accepted, 100);
}
END_TEST

START_TEST(an_array_with_elements_of_another_size_is_not_indexed)
{
	struct bh_seg seg;
	ck_assert_int_eq(bh_seg_map(&seg, fds.ro, 0, false), 0);
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_RING, 32, NULL));
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_RING, 128, NULL));
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_OUTBOX, 32, NULL));
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_OUTBOX, 65, NULL));
	bh_seg_unmap(&seg);
}
END_TEST

START_TEST(a_ring_that_is_no_power_of_two_is_not_made)
{
	struct bh_seg_fds none;
	ck_assert_int_eq(bh_seg_create_outbox(&none, "x", 4, 1, 0, 48, 0), -EINVAL);
	ck_assert_int_eq(bh_seg_create_outbox(&none, "x", 4, 1, 0, 1, 0), -EINVAL);
	ck_assert_int_eq(bh_seg_create_outbox(&none, "x", 4, 1, 0, 0, 0), -EINVAL);
	ck_assert_int_eq(bh_seg_create_outbox(&none, "x", 4, 1, 0, 1u << 31, 0), -EFBIG);
	ck_assert_int_eq(none.rw, -1);
	ck_assert_int_eq(none.ro, -1);
}
END_TEST

START_TEST(each_kind_has_its_sections)
{
	struct bh_seg_fds f;
	struct bh_seg seg;
	uint32_t n;
	ck_assert_int_eq(bh_seg_create_self(&f, "desk.self", 4, 1), 0);
	ck_assert_int_eq(bh_seg_map(&seg, f.rw, BH_SEG_SELF, true), 0);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_SELF, sizeof(struct bh_self), &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_HISTS, sizeof(struct bh_hist), &n));
	ck_assert_uint_eq(n, 8);
	bh_seg_unmap(&seg);
	pair_fds_close(&f);

	ck_assert_int_eq(bh_seg_create_private(&f, "router.private", 1, 1, 10000, 4096, 100), 0);
	ck_assert_int_eq(bh_seg_map(&seg, f.rw, BH_SEG_PRIVATE, true), 0);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_JOURNAL, sizeof(struct bh_journal_slot), &n));
	ck_assert_uint_eq(n, 2);
	const uint8_t *raw = bh_seg_section(&seg, BH_SEC_BYTES, 1, &n);
	ck_assert_uint_eq(n, 4096);
	for (uint32_t k = 0; k < n; k++)
		ck_assert_uint_eq(raw[k], 0xfd);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_BYTES_HEAD, sizeof(struct bh_bytes_head), NULL));
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_QUARANTINE, sizeof(struct bh_quarantine), &n));
	ck_assert_uint_eq(n, 16);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_SCRATCH, 1, &n));
	ck_assert_uint_eq(n, 100);
	bh_seg_unmap(&seg);
	pair_fds_close(&f);

	ck_assert_int_eq(bh_seg_create_private(&f, "midi.private", 5, 1, 0, 0, 0), 0);
	ck_assert_int_eq(bh_seg_map(&seg, f.rw, BH_SEG_PRIVATE, true), 0);
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_JOURNAL, sizeof(struct bh_journal_slot), NULL));
	ck_assert_ptr_null(bh_seg_section(&seg, BH_SEC_BYTES, 1, NULL));
	bh_seg_unmap(&seg);
	pair_fds_close(&f);

	ck_assert_int_eq(bh_seg_create_state(&f, "router.state", 1, 1, 500), 0);
	ck_assert_int_eq(bh_seg_map(&seg, f.ro, BH_SEG_STATE, false), 0);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_RECORDS, sizeof(struct bh_record), &n));
	ck_assert_uint_eq(n, 500);
	bh_seg_unmap(&seg);
	pair_fds_close(&f);

	ck_assert_int_eq(bh_seg_create_table(&f), 0);
	ck_assert_int_eq(bh_seg_map(&seg, f.ro, BH_SEG_TABLE, false), 0);
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_TABLE, sizeof(struct bh_table_head), NULL));
	ck_assert_ptr_nonnull(bh_seg_section(&seg, BH_SEC_PROCS, sizeof(struct bh_proc_entry), &n));
	ck_assert_uint_eq(n, BH_MAX_SLOTS);
	bh_seg_unmap(&seg);
	pair_fds_close(&f);
}
END_TEST

START_TEST(written_once_means_never_again)
{
	int fd = bh_seg_create_written("config");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "table", 5), 5);
	ck_assert_int_eq(bh_seg_seal_written(fd), 0);
	ck_assert_int_eq(pwrite(fd, "T", 1, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_mem_eq(map, "table", 5);
	munmap(map, 4096);
	close(fd);
}
END_TEST

START_TEST(nothing_is_left_open_or_mapped)
{
	/* The lowest free descriptor tells. */
	int before = dup(0);
	close(before);
	for (int round = 0; round < 100; round++) {
		struct bh_seg_fds f;
		struct bh_seg seg;
		ck_assert_int_eq(bh_seg_create_state(&f, "s", 1, 1, 4), 0);
		ck_assert_int_eq(bh_seg_map(&seg, f.ro, BH_SEG_SELF, false), -EPROTO);
		ck_assert_int_eq(bh_seg_map(&seg, f.ro, BH_SEG_STATE, false), 0);
		bh_seg_unmap(&seg);
		pair_fds_close(&f);
	}
	int after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("seg");
	TCase *tc = tcase_create("seg");
	tcase_add_checked_fixture(tc, make_outbox, close_fds);
	tcase_add_test(tc, a_segment_describes_itself);
	tcase_add_test(tc, its_size_can_never_change_and_its_pages_are_there);
	tcase_add_test(tc, a_readers_descriptor_maps_read_only);
	tcase_add_test(tc, a_successor_can_map_it_writable_again);
	tcase_add_test(tc, what_is_no_sealed_segment_is_refused);
	tcase_add_test(tc, every_flipped_byte_of_the_header_is_noticed);
	tcase_add_test(tc, a_lie_with_a_correct_check_sum_is_refused);
	tcase_add_test(tc, whatever_a_liar_writes_no_section_leaves_the_mapping);
	tcase_add_test(tc, an_array_with_elements_of_another_size_is_not_indexed);
	tcase_add_test(tc, a_ring_that_is_no_power_of_two_is_not_made);
	tcase_add_test(tc, each_kind_has_its_sections);
	tcase_add_test(tc, written_once_means_never_again);
	tcase_add_test(tc, nothing_is_left_open_or_mapped);
	suite_add_tcase(suite, tc);
	return pair_run(suite);
}
