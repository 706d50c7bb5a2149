/* Our scale of OBS's fader against the one in libobs: the same level at each position, and back. No OBS need run. */
#include <check.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "procs/router/taper.h"

#define FADER_LOG 2 /* enum obs_fader_type; what OBS's mixer uses */
#define SKIPPED 77

/* Beyond what libobs's single precision can tell apart. */
#define DB_NEAR 2e-4
#define POS_NEAR 2e-6

static void *fader;
static bool (*set_deflection)(void *fader, float def);
static bool (*set_db)(void *fader, float db);
static float (*get_deflection)(void *fader);
static float (*get_db)(void *fader);

static const struct bh_taper_range ours = {BH_TAPER_OBS_DB, -100, 26, 0};

/* NULL, or why there is nothing to compare with. */
static const char *
find_libobs(void)
{
	void *lib = dlopen("libobs.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return dlerror();
	void *(*create)(int type) = NULL;
	*(void **)&create = dlsym(lib, "obs_fader_create");
	*(void **)&set_deflection = dlsym(lib, "obs_fader_set_deflection");
	*(void **)&set_db = dlsym(lib, "obs_fader_set_db");
	*(void **)&get_deflection = dlsym(lib, "obs_fader_get_deflection");
	*(void **)&get_db = dlsym(lib, "obs_fader_get_db");
	if (!create || !set_deflection || !set_db || !get_deflection || !get_db)
		return "libobs.so.0 has no faders";
	fader = create(FADER_LOG);
	return fader ? NULL : "obs_fader_create() made none";
}

START_TEST(each_position_is_the_same_level)
{
	for (int k = 1; k <= 16383; k++) {
		double pos = k / 16383.0;
		set_deflection(fader, (float)pos);
		double theirs = get_db(fader), mine = bh_taper_value(&ours, pos);
		ck_assert_msg(fabs(mine - theirs) < DB_NEAR, "at %.5f OBS has %.5f dB, we %.5f", pos, theirs, mine);
	}
	set_deflection(fader, 0);
	ck_assert(isinf(get_db(fader)) && get_db(fader) < 0);
	ck_assert_double_eq(bh_taper_value(&ours, 0), ours.min); /* which the driver knows as no sound at all */
}
END_TEST

START_TEST(each_level_is_the_same_position)
{
	for (int k = -1000; k <= 260; k++) {
		double db = k / 10.0;
		set_db(fader, (float)db);
		double theirs = get_deflection(fader), mine = bh_taper_position(&ours, db);
		ck_assert_msg(fabs(mine - theirs) < POS_NEAR, "at %.1f dB OBS stands at %.6f, we at %.6f", db, theirs, mine);
	}
}
END_TEST

int
main(void)
{
	const char *why = find_libobs();
	if (why) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	Suite *s = suite_create("fader of OBS");
	TCase *t = tcase_create("all");
	tcase_add_test(t, each_position_is_the_same_level);
	tcase_add_test(t, each_level_is_the_same_position);
	suite_add_tcase(s, t);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
