/* Snapshots: two generations, and what is left of them after every accident. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procs/store/snapshot.h"
#include "tests/lib/scratch.h"

static char dir[64];
static struct snapshot s;
static char why[120];

static void
setup(void)
{
	scratch_dir(dir, sizeof(dir), "snapshot");
	ck_assert_int_eq(snapshot_init(&s), 0);
}

static void
teardown(void)
{
	scratch_remove(dir);
	snapshot_fini(&s);
}

static void
set(const char *name, double f)
{
	ck_assert_int_eq(snapshot_set(&s, name, BH_FLOAT, &(union bh_val){.f = f}, 1), 0);
}

static void
write_generation(uint64_t g, double level)
{
	set("loop/ch1/level", level);
	s.generation = g;
	ck_assert_int_eq(snapshot_write(&s, dir), 0);
}

static double
read_level(int expect)
{
	struct snapshot r;
	double f;
	ck_assert_int_eq(snapshot_init(&r), 0);
	ck_assert_int_eq(snapshot_read(&r, dir, why, sizeof(why)), expect);
	ck_assert_uint_eq(r.count, 1);
	f = r.entry[0].v.f;
	snapshot_fini(&r);
	return f;
}

/* Change one byte at `at` of the file. */
static void
damage(const char *file, off_t at)
{
	char p[128], b;
	snprintf(p, sizeof(p), "%s/%s", dir, file);
	int fd = open(p, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &b, 1, at), 1);
	b = (char)(b ^ 0x40);
	ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

START_TEST(nothing_on_disk_is_a_first_start)
{
	ck_assert_int_eq(snapshot_read(&s, dir, why, sizeof(why)), -ENOENT);
}
END_TEST

START_TEST(the_newest_generation_is_read_whichever_file_holds_it)
{
	for (uint64_t g = 1; g <= 5; g++) {
		write_generation(g, -(double)g);
		ck_assert_double_eq(read_level(0), -(double)g);
	}
}
END_TEST

START_TEST(every_damaged_byte_of_the_newest_brings_back_the_generation_before)
{
	size_t size = sizeof(struct snapshot_head) + sizeof(struct snapshot_entry);
	write_generation(1, -10);
	write_generation(2, -20);
	for (size_t at = 0; at < size; at++) {
		damage("snapshot-b", (off_t)at);
		ck_assert_double_eq(read_level(1), -10);
		ck_assert_ptr_nonnull(strstr(why, "snapshot-b"));
		damage("snapshot-b", (off_t)at); /* mended */
	}
	ck_assert_double_eq(read_level(0), -20);
}
END_TEST

START_TEST(both_damaged_is_said_and_not_read)
{
	write_generation(1, -10);
	write_generation(2, -20);
	damage("snapshot-a", 100);
	damage("snapshot-b", 100);
	ck_assert_int_eq(snapshot_read(&s, dir, why, sizeof(why)), -EBADMSG);
}
END_TEST

START_TEST(after_a_damaged_newest_the_next_write_replaces_the_damaged_one)
{
	write_generation(1, -10);
	write_generation(2, -20);
	damage("snapshot-b", 0); /* its magic: the header itself is gone */
	write_generation(3, -30);
	ck_assert_double_eq(read_level(0), -30);
	/* Its header may be whole, and newer than what is written now: the generation that was loaded goes on counting. */
	damage("snapshot-b", sizeof(struct snapshot_head) + 170);
	ck_assert_double_eq(read_level(1), -10);
	write_generation(2, -21);
	ck_assert_double_eq(read_level(0), -21);
	damage("snapshot-b", sizeof(struct snapshot_head) + 170);
	ck_assert_double_eq(read_level(1), -10);
}
END_TEST

START_TEST(a_full_disk_leaves_both_generations_as_they_were)
{
	struct rlimit limit, before;
	write_generation(1, -10);
	write_generation(2, -20);
	set("loop/ch1/level", -30);
	s.generation = 3;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){100, before.rlim_max};
	/* Only around the write: the file of results would be cut, too. */
	int limited = setrlimit(RLIMIT_FSIZE, &limit), written = snapshot_write(&s, dir), lifted = setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(limited, 0);
	ck_assert_int_eq(lifted, 0);
	ck_assert_int_lt(written, 0);
	ck_assert_double_eq(read_level(0), -20);
	char p[128];
	snprintf(p, sizeof(p), "%s/snapshot.new", dir);
	ck_assert_int_ne(access(p, F_OK), 0);
}
END_TEST

/* Write generations without end until killed. No ck_assert here: it writes to the file of results, and a kill may cut that. */
static void
write_for_ever(void)
{
	for (uint64_t g = 3;; g++) {
		s.generation = g;
		if (snapshot_set(&s, "loop/ch1/level", BH_FLOAT, &(union bh_val){.f = -(double)g}, 1) < 0 || snapshot_write(&s, dir) < 0)
			_exit(1);
	}
}

START_TEST(kill_in_the_middle_of_a_write_always_leaves_a_whole_generation)
{
	double newest = -2;
	write_generation(1, -1);
	write_generation(2, -2);
	srand(7);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			write_for_ever();
		usleep((useconds_t)(rand() % 4000));
		kill(pid, SIGKILL);
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		double f = read_level(0); /* 0: not even one file is damaged */
		ck_assert_double_le(f, -2);
		newest = f;
	}
	ck_assert_double_le(newest, -2);
}
END_TEST

START_TEST(a_snapshot_of_another_version_is_not_believed)
{
	write_generation(1, -10);
	write_generation(2, -20);
	damage("snapshot-b", offsetof(struct snapshot_head, version));
	ck_assert_double_eq(read_level(1), -10);
}
END_TEST

START_TEST(names_beyond_the_room_are_refused)
{
	char name[32];
	for (unsigned i = 0; i < SNAPSHOT_MAX; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		s.count = i; /* appended without looking for the name: quadratic otherwise */
		snprintf(s.entry[s.count++].name, sizeof(s.entry[0].name), "%s", name);
	}
	ck_assert_int_eq(snapshot_set(&s, "one more", BH_FLOAT, &(union bh_val){0}, 1), -ENOSPC);
	ck_assert_int_eq(snapshot_set(&s, "p17", BH_FLOAT, &(union bh_val){.f = 4}, 1), 0);
	ck_assert_double_eq(s.entry[17].v.f, 4);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nothing_on_disk_is_a_first_start);
	tcase_add_test(t, the_newest_generation_is_read_whichever_file_holds_it);
	tcase_add_test(t, every_damaged_byte_of_the_newest_brings_back_the_generation_before);
	tcase_add_test(t, both_damaged_is_said_and_not_read);
	tcase_add_test(t, after_a_damaged_newest_the_next_write_replaces_the_damaged_one);
	tcase_add_test(t, a_full_disk_leaves_both_generations_as_they_were);
	tcase_add_test(t, kill_in_the_middle_of_a_write_always_leaves_a_whole_generation);
	tcase_add_test(t, a_snapshot_of_another_version_is_not_believed);
	tcase_add_test(t, names_beyond_the_room_are_refused);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
