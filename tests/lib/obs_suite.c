/* obs_suite.c - see obs_suite.h */
#include "tests/lib/obs_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/obs_peer.h"

enum { SKIPPED = 77 };

int
obs_suite_run(const char *name, int timeout_s, SFun setup, SFun teardown, const TTest *const *tests)
{
	const char *why = obs_peer_prepare();
	if (why) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	Suite *s = suite_create(name);
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, timeout_s);
	tcase_add_checked_fixture(t, setup, teardown);
	while (*tests)
		tcase_add_test(t, *tests++);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
