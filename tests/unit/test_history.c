/* test_history.c - versions of the configuration on disk, profiles, and differences between texts */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/history.h"
#include "common/config/text.h"
#include "supervisor/ctl/lines.h"
#include "tests/lib/scratch.h"

static char dir[64], name[256];

static void
setup(void)
{
	scratch_dir(dir, sizeof(dir), "history");
}

static void
teardown(void)
{
	ck_assert_int_eq(scratch_remove(dir), 0);
}

static const char *
in_dir(const char *file)
{
	snprintf(name, sizeof(name), "%s/%s", dir, file);
	return name;
}

static int
keep(const char *text, const char *profile)
{
	struct bh_version v = {.was_used = true, .time_s = 1000};
	snprintf(v.path, sizeof(v.path), "/etc/bulkhead/a b.yaml");
	snprintf(v.profile, sizeof(v.profile), "%s", profile);
	return bh_history_add(dir, &v, text, strlen(text));
}

static unsigned
files(void)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

START_TEST(a_version_comes_back_as_it_was)
{
	struct bh_version v;
	char *text = NULL;
	ck_assert_int_eq(keep("bulkhead: 1\n# \xc3\xa9\n", "Talk"), 1);
	ck_assert_int_eq(keep("no line end", ""), 2);
	ck_assert_int_eq(keep("", "default"), 3);
	ck_assert_int_eq(bh_history_read(dir, 1, &v, &text), 0);
	ck_assert_str_eq(text, "bulkhead: 1\n# \xc3\xa9\n");
	ck_assert_str_eq(v.profile, "Talk");
	ck_assert_str_eq(v.path, "/etc/bulkhead/a b.yaml");
	ck_assert_int_eq(v.time_s, 1000);
	ck_assert(v.was_used);
	free(text);
	ck_assert_int_eq(bh_history_read(dir, 2, &v, &text), 0);
	ck_assert_str_eq(text, "no line end");
	ck_assert_str_eq(v.profile, "");
	free(text);
	ck_assert_int_eq(bh_history_read(dir, 9, &v, &text), -ENOENT);
	/* For the owner alone. */
	struct stat st;
	ck_assert_int_eq(stat(in_dir("00000001.yaml"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(the_same_again_is_not_kept_again)
{
	ck_assert_int_eq(keep("a", "default"), 1);
	ck_assert_int_eq(keep("a", "default"), 0);
	ck_assert_int_eq(keep("b", "default"), 2);
	ck_assert_int_eq(keep("a", "default"), 3);
	/* Another profile with the same text is something else. */
	ck_assert_int_eq(keep("a", "Talk"), 4);
	ck_assert_uint_eq(files(), 4);
}
END_TEST

START_TEST(fifty_are_kept_and_numbers_are_never_used_again)
{
	struct bh_version v[BH_HISTORY_KEEP + 10];
	char text[32];
	for (unsigned i = 1; i <= 130; i++) {
		snprintf(text, sizeof(text), "%u", i);
		ck_assert_int_eq(keep(text, ""), (int)i);
	}
	ck_assert_uint_eq(files(), BH_HISTORY_KEEP);
	ck_assert_int_eq(bh_history_list(dir, v, BH_HISTORY_KEEP + 10), BH_HISTORY_KEEP);
	/* Newest first, by number and not by the order of the folder or of names. */
	for (unsigned i = 0; i < BH_HISTORY_KEEP; i++)
		ck_assert_uint_eq(v[i].number, 130 - i);
	/* One that is too many for another reason goes with the next. */
	int fd = open(in_dir("00000001.yaml"), O_WRONLY | O_CREAT, 0600);
	close(fd);
	ck_assert_int_eq(keep("more", ""), 131);
	ck_assert_uint_eq(files(), BH_HISTORY_KEEP);
}
END_TEST

START_TEST(damaged_ones_and_strangers_are_passed_over)
{
	struct bh_version v[8];
	char *text = NULL;
	ck_assert_int_eq(keep("first text", ""), 1);
	ck_assert_int_eq(keep("second text", ""), 2);
	int fd = open(in_dir("00000001.yaml"), O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	ck_assert_int_eq(bh_history_read(dir, 1, &v[0], &text), -EBADMSG);
	ck_assert_int_eq(truncate(in_dir("00000002.yaml"), 20), 0);
	ck_assert_int_eq(bh_history_read(dir, 2, &v[0], &text), -EBADMSG);
	close(open(in_dir("notes.txt"), O_WRONLY | O_CREAT, 0600));
	close(open(in_dir("12.yaml.bak"), O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(symlink("/etc/passwd", in_dir("00000007.yaml")), 0);
	ck_assert_int_eq(bh_history_list(dir, v, 8), 1);
	/* What it says of itself can still be told; its number goes on. */
	ck_assert_uint_eq(v[0].number, 1);
	ck_assert_int_eq(keep("third text", ""), 8);
}
END_TEST

/* ------------------------------------------------------------------ profiles */

START_TEST(a_profile_is_a_file_beside_the_main_one)
{
	char path[300], is[BH_PROFILE_MAX + 1];
	ck_assert_int_eq(bh_profile_path("/etc/b/main.yaml", "Talk", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/etc/b/profiles/Talk.yaml");
	bh_profile_of("/etc/b/main.yaml", path, is);
	ck_assert_str_eq(is, "Talk");
	ck_assert_int_eq(bh_profile_path("/etc/b/main.yaml", "default", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/etc/b/main.yaml");
	bh_profile_of("/etc/b/main.yaml", path, is);
	ck_assert_str_eq(is, "default");
	static const char *const none[] = {"/etc/b/other.yaml", "/etc/c/profiles/Talk.yaml", "/etc/b/profiles/Talk.yml",
					   "/etc/b/profiles/default.yaml", "/etc/b/profiles/a b.yaml", "", "x"};
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		bh_profile_of("/etc/b/main.yaml", none[i], is);
		ck_assert_msg(!is[0], "%s is taken for profile %s", none[i], is);
	}
	static const char *const bad[] = {"", "..", "a/b", "a.b", "a b", "\xc3\xa9", "-x",
					  "12345678901234567890123456789012345678901234567890123456789012345"};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(bh_profile_path("/m.yaml", bad[i], path, sizeof(path)) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(profiles_are_listed_in_order_and_the_choice_is_remembered)
{
	char main_path[300], list[8][BH_PROFILE_MAX + 1], is[BH_PROFILE_MAX + 1];
	snprintf(main_path, sizeof(main_path), "%s/main.yaml", dir);
	ck_assert_uint_eq(bh_profile_list(main_path, list, 8), 1);
	ck_assert_int_eq(mkdir(in_dir("profiles"), 0700), 0);
	static const char *const there[] = {"zebra.yaml", "Alpha.yaml", "b-2_x.yaml", "not.this.yaml", "nor this.yaml", "default.yaml", "x.yml"};
	for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		char file[64];
		snprintf(file, sizeof(file), "profiles/%s", there[i]);
		close(open(in_dir(file), O_WRONLY | O_CREAT, 0600));
	}
	ck_assert_uint_eq(bh_profile_list(main_path, list, 8), 4);
	ck_assert_str_eq(list[0], "default");
	ck_assert_str_eq(list[1], "Alpha");
	ck_assert_str_eq(list[2], "b-2_x");
	ck_assert_str_eq(list[3], "zebra");
	bh_profile_recall(dir, main_path, is);
	ck_assert_str_eq(is, "default");
	ck_assert_int_eq(bh_profile_remember(dir, main_path, "zebra"), 0);
	bh_profile_recall(dir, main_path, is);
	ck_assert_str_eq(is, "zebra");
	/* Chosen on one file, it says nothing about another. */
	bh_profile_recall(dir, "/etc/other.yaml", is);
	ck_assert_str_eq(is, "default");
}
END_TEST

/* ------------------------------------------------------------------ differences of texts */

static const char *
difference(const char *a, const char *b)
{
	static char *text;
	size_t size;
	free(text);
	FILE *f = open_memstream(&text, &size);
	ctl_diff_lines(f, a, b, "a", "b");
	fclose(f);
	return text;
}

START_TEST(differences_are_shown_as_people_know_them)
{
	ck_assert_str_eq(difference("a\nb\nc\n", "a\nb\nc\n"), "");
	ck_assert_str_eq(difference("", ""), "");
	ck_assert_str_eq(difference("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
			 "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	ck_assert_str_eq(difference("", "x\n"), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
	ck_assert_str_eq(difference("x\ny\n", ""), "--- a\n+++ b\n@@ -1,2 +0,0 @@\n-x\n-y\n");
}
END_TEST

/* What is behind ' ' and '+' is b, what is behind ' ' and '-' is a. */
static void
apply(const char *diff, char mark, char *out)
{
	for (const char *p = diff; *p; p += strcspn(p, "\n") + 1)
		if (*p == ' ' || (*p == mark && strncmp(p, "---", 3) && strncmp(p, "+++", 3)))
			out += sprintf(out, "%.*s\n", (int)strcspn(p + 1, "\n"), p + 1);
	*out = '\0';
}

START_TEST(any_difference_leads_from_the_one_text_to_the_other)
{
	srand(7);
	for (unsigned round = 0; round < 400; round++) {
		char a[2048] = "", b[2048] = "", back[4096];
		/* Few words, so that lines come again; short, so that one hunk has all of it. */
		for (int i = rand() % 7; i > 0; i--)
			sprintf(a + strlen(a), "w%d\n", rand() % 3);
		for (int i = rand() % 7; i > 0; i--)
			sprintf(b + strlen(b), "w%d\n", rand() % 3);
		const char *d = difference(a, b);
		if (!strcmp(a, b)) {
			ck_assert_str_eq(d, "");
			continue;
		}
		/* Lines beyond three around are left out of it: put some that are the same nowhere. */
		apply(d, '-', back);
		ck_assert_msg(strstr(a, back) != NULL, "%s\n%s\n%s", a, b, d);
		apply(d, '+', back);
		ck_assert_msg(strstr(b, back) != NULL, "%s\n%s\n%s", a, b, d);
	}
}
END_TEST

START_TEST(texts_that_have_nothing_in_common_are_bounded_work)
{
	char *a = malloc(400000), *b = malloc(400000);
	size_t la = 0, lb = 0;
	for (int i = 0; i < 20000; i++) {
		la += (size_t)sprintf(a + la, "a%d\n", i);
		lb += (size_t)sprintf(b + lb, "b%d\n", i);
	}
	const char *d = difference(a, b);
	ck_assert_ptr_nonnull(strstr(d, "@@ -1,20000 +1,20000 @@\n-a0\n"));
	free(a);
	free(b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("history");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_version_comes_back_as_it_was);
	tcase_add_test(t, the_same_again_is_not_kept_again);
	tcase_add_test(t, fifty_are_kept_and_numbers_are_never_used_again);
	tcase_add_test(t, damaged_ones_and_strangers_are_passed_over);
	tcase_add_test(t, a_profile_is_a_file_beside_the_main_one);
	tcase_add_test(t, profiles_are_listed_in_order_and_the_choice_is_remembered);
	tcase_add_test(t, differences_are_shown_as_people_know_them);
	tcase_add_test(t, any_difference_leads_from_the_one_text_to_the_other);
	tcase_add_test(t, texts_that_have_nothing_in_common_are_bounded_work);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
