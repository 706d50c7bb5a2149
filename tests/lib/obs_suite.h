/* obs_suite.h - the whole main() of a program that tests against a real OBS: skipped (77), with the reason, where there can be none */
#pragma once

#include <check.h>

/* Each test with the fixtures around it; `tests` ends with NULL. */
int obs_suite_run(const char *name, int timeout_s, SFun setup, SFun teardown, const TTest *const *tests);
