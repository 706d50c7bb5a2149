/* test_obs_tally - what is on air and in preview, through nested scenes, groups and transitions */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/model.h"
#include "procs/obs/tally.h"

enum { CAMS, WIDE, NEWS, LOWER, MIC, RED, BLUE, LOGO, NODES };
enum { OFF = OBS_TALLY_OFF, PVW = OBS_TALLY_PREVIEW, PGM = OBS_TALLY_PROGRAM };

static uint8_t out[NODES];
static uint32_t stack[NODES];

/* Cams: Red, Mic. Wide: Blue, Cams (a nested scene). News: Lower (a group), Mic. Lower: Logo. */
static struct obs_tally_edge show[] = {{WIDE, BLUE}, {NEWS, LOWER}, {CAMS, RED}, {CAMS, MIC},
				       {LOWER, LOGO}, {NEWS, MIC}, {WIDE, CAMS}};
#define EDGES (sizeof(show) / sizeof(show[0]))

static void
work_out(uint32_t program, uint32_t other, uint32_t preview)
{
	obs_tally_sort(show, EDGES);
	obs_tally(out, NODES, show, EDGES, program, other, preview, stack);
}

static void
expect(int cams, int wide, int news, int lower, int mic, int red, int blue, int logo)
{
	const int want[NODES] = {cams, wide, news, lower, mic, red, blue, logo};
	for (int i = 0; i < NODES; i++)
		ck_assert_msg(out[i] == want[i], "node %d: %d, not %d", i, out[i], want[i]);
}

START_TEST(what_the_program_shows_is_on_air_and_preview_is_what_is_not)
{
	work_out(CAMS, OBS_NONE, NEWS);
	/*     cams wide news lower mic red  blue logo: the microphone is in both, on air wins */
	expect(PGM, OFF, PVW, PVW, PGM, PGM, OFF, PVW);
}
END_TEST

START_TEST(nested_scene_and_what_it_shows_are_on_air)
{
	work_out(WIDE, OBS_NONE, OBS_NONE);
	expect(PGM, PGM, OFF, OFF, PGM, PGM, PGM, OFF);
}
END_TEST

START_TEST(nested_scene_on_air_is_not_in_preview_as_well)
{
	work_out(WIDE, OBS_NONE, CAMS);
	expect(PGM, PGM, OFF, OFF, PGM, PGM, PGM, OFF);
	work_out(CAMS, OBS_NONE, WIDE);
	expect(PGM, PVW, OFF, OFF, PGM, PGM, PVW, OFF);
}
END_TEST

START_TEST(both_scenes_of_a_transition_are_on_air)
{
	work_out(CAMS, NEWS, NEWS);
	expect(PGM, OFF, PGM, PGM, PGM, PGM, OFF, PGM);
}
END_TEST

START_TEST(nothing_known_is_nothing_on_air)
{
	work_out(OBS_NONE, OBS_NONE, OBS_NONE);
	expect(OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF);
	obs_tally(out, NODES, NULL, 0, MIC, OBS_NONE, NODES + 7, stack);
	expect(OFF, OFF, OFF, OFF, PGM, OFF, OFF, OFF);
	obs_tally(out, 0, NULL, 0, 0, 0, 0, stack);
}
END_TEST

START_TEST(scene_that_contains_itself_ends_the_search)
{
	struct obs_tally_edge ring[] = {{CAMS, WIDE}, {WIDE, NEWS}, {NEWS, CAMS}, {NEWS, NEWS}, {WIDE, RED}, {CAMS, 4000}};
	obs_tally_sort(ring, 6);
	obs_tally(out, NODES, ring, 6, NEWS, OBS_NONE, CAMS, stack);
	expect(PGM, PGM, PGM, OFF, OFF, PGM, OFF, OFF);
}
END_TEST

/* ------------------------------------------------------------------ against a naive reference */

#define MANY_NODES 40u
#define MANY_EDGES 120u

static uint32_t
roll(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/* Does `from` show `what` over any path? By the definition, without marks: a path longer than all nodes has a ring in it. */
static bool
shows(const struct obs_tally_edge *e, uint32_t count, uint32_t from, uint32_t what, bool *walked)
{
	if (from == what)
		return true;
	if (from >= MANY_NODES || walked[from])
		return false;
	walked[from] = true;
	for (uint32_t i = 0; i < count; i++)
		if (e[i].scene == from && shows(e, count, e[i].source, what, walked))
			return true;
	return false;
}

static bool
reaches(const struct obs_tally_edge *e, uint32_t count, uint32_t from, uint32_t what)
{
	bool walked[MANY_NODES] = {0};
	return from != OBS_NONE && shows(e, count, from, what, walked);
}

static uint32_t
some_node(uint64_t *seed)
{
	return roll(seed, 4) ? roll(seed, MANY_NODES) : OBS_NONE;
}

START_TEST(any_graph_gives_what_a_plain_search_gives)
{
	uint64_t seed = 20251126;
	struct obs_tally_edge plain[MANY_EDGES], sorted[MANY_EDGES];
	uint8_t got[MANY_NODES];
	uint32_t room[MANY_NODES];
	for (int round = 0; round < 2000; round++) {
		uint32_t count = roll(&seed, MANY_EDGES + 1);
		for (uint32_t i = 0; i < count; i++)
			plain[i] = (struct obs_tally_edge){roll(&seed, MANY_NODES), roll(&seed, MANY_NODES)};
		memcpy(sorted, plain, sizeof(plain));
		obs_tally_sort(sorted, count);
		uint32_t program = some_node(&seed), other = some_node(&seed), preview = some_node(&seed);
		obs_tally(got, MANY_NODES, sorted, count, program, other, preview, room);
		for (uint32_t n = 0; n < MANY_NODES; n++) {
			bool air = reaches(plain, count, program, n) || reaches(plain, count, other, n);
			enum obs_tally want = air ? OBS_TALLY_PROGRAM
					      : reaches(plain, count, preview, n) ? OBS_TALLY_PREVIEW : OBS_TALLY_OFF;
			ck_assert_msg(got[n] == want, "round %d node %u: %d, not %d", round, n, got[n], want);
		}
	}
}
END_TEST

START_TEST(any_list_of_items_is_sorted_and_none_is_lost)
{
	uint64_t seed = 7;
	static struct obs_tally_edge e[OBS_OBJECTS_MAX];
	for (uint32_t count = 0; count <= OBS_OBJECTS_MAX; count = count * 2 + 1) {
		uint64_t before = 0, after = 0;
		for (uint32_t i = 0; i < count; i++) {
			e[i] = (struct obs_tally_edge){roll(&seed, 256), roll(&seed, 2000)};
			before += e[i].scene * 4096ull + e[i].source;
		}
		obs_tally_sort(e, count);
		for (uint32_t i = 0; i < count; i++) {
			after += e[i].scene * 4096ull + e[i].source;
			ck_assert(!i || e[i - 1].scene < e[i].scene ||
				  (e[i - 1].scene == e[i].scene && e[i - 1].source <= e[i].source));
		}
		ck_assert_uint_eq(before, after);
	}
}
END_TEST

/* The most that the store holds, nested as deep as there are scenes: each item is looked at once, whatever the order. */
START_TEST(deepest_show_is_worked_out)
{
	static struct obs_tally_edge e[OBS_OBJECTS_MAX];
	static uint8_t all[OBS_OBJECTS_MAX];
	static uint32_t room[OBS_OBJECTS_MAX];
	uint32_t count = 0;
	for (uint32_t scene = OBS_SCENES_MAX - 1; scene-- > 0;)
		e[count++] = (struct obs_tally_edge){scene, scene + 1};
	for (uint32_t i = 0; count < OBS_OBJECTS_MAX; i++)
		e[count++] = (struct obs_tally_edge){i % OBS_SCENES_MAX, OBS_SCENES_MAX + i % 1000};
	obs_tally_sort(e, count);
	obs_tally(all, OBS_OBJECTS_MAX, e, count, 0, OBS_NONE, OBS_NONE, room);
	for (uint32_t i = 0; i < OBS_SCENES_MAX + 1000; i++)
		ck_assert_uint_eq(all[i], OBS_TALLY_PROGRAM);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obs_tally");
	TCase *t = tcase_create("tally");
	tcase_add_test(t, what_the_program_shows_is_on_air_and_preview_is_what_is_not);
	tcase_add_test(t, nested_scene_and_what_it_shows_are_on_air);
	tcase_add_test(t, nested_scene_on_air_is_not_in_preview_as_well);
	tcase_add_test(t, both_scenes_of_a_transition_are_on_air);
	tcase_add_test(t, nothing_known_is_nothing_on_air);
	tcase_add_test(t, scene_that_contains_itself_ends_the_search);
	tcase_add_test(t, any_graph_gives_what_a_plain_search_gives);
	tcase_add_test(t, any_list_of_items_is_sorted_and_none_is_lost);
	tcase_add_test(t, deepest_show_is_worked_out);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
