/*
 * test_crash_images.c - a process dies at every instruction, and its successor makes of it what had to become of it
 *
 * See tests/lib/crash.h. What stands in crash_*.c is a piece of work each: the ring's sides, records, the redo record. In the long
 * form every image has its successor stepped, too, and ten times as many processes are really killed.
 */
#include <check.h>
#include <sched.h>
#include <stdio.h>

#include "common/log.h"
#include "tests/bench/harness.h"
#include "tests/isolation/crash_scenes.h"
#include "tests/lib/bounds.h"

static const struct crash_scene *const lists[] = {crash_rings, crash_records, crash_surface, crash_driver};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

START_TEST(every_crash_image_is_recovered_exactly)
{
	struct crash_result sum = {0};
	unsigned scenes = 0;
	bh_log_set_level(BH_LOG_ERR);
	bench_pin((unsigned)sched_getcpu()); /* who steps and who is stepped take turns: on one CPU that is quicker by half */
	for (unsigned l = 0; l < LISTS; l++)
		for (const struct crash_scene *s = lists[l]; s->name; s++)
			scenes++;
	unsigned kills = (unsigned)bound("BH_CRASH_KILLS", 1000, 12000) / scenes + 1;
	for (unsigned l = 0; l < LISTS; l++)
		for (const struct crash_scene *s = lists[l]; s->name; s++) {
			struct crash_scene scene = *s;
			struct crash_result r;
			scene.second = scene.second ? (unsigned)bound("BH_CRASH_SECOND", scene.second, 1) : 0;
			int ret = crash_run(&scene, kills, &r);
			crash_print(s, &r, &sum);
			ck_assert_msg(ret == 0, "%s: cannot be stepped: %d", s->name, ret);
			ck_assert_msg(r.distinct > 1, "%s: nothing happens in it", s->name);
			ck_assert_uint_eq(r.kills, kills);
		}
	bench_print("crash_images", "figure",
		    "all: %lu instructions, %u images, %u distinct, %u of successors, %u recoveries, %u real kills", sum.instructions,
		    sum.images, sum.distinct, sum.second_images, sum.successors, sum.kills);
	ck_assert_int_eq(bench_count("crash_images", "images recovered wrongly", sum.wrong, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("crash_images", "real kills that leave an image unlike any copy", sum.unknown, 0), BENCH_MET);
	ck_assert_int_eq(bench_count("crash_images", "real successors judged otherwise than the copy's", sum.differ, 0), BENCH_MET);
	ck_assert_uint_ge(sum.kills, 1000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crash_images");
	TCase *tc = tcase_create("crash_images");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, every_crash_image_is_recovered_exactly);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
