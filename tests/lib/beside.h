/*
 * beside.h - the tests of a program beside each other: for those that wait most of their time
 *
 * Each test, and each turn of a loop, is a Check runner of its own in a process of its own; so many run at once, in the order in
 * which they stand: those that wait longest first. What a test writes is shown if it fails, whole and by itself. All that Check takes from the
 * environment holds (CK_RUN_CASE is the name of the group).
 */
#pragma once

#include <check.h>

struct beside_test {
	const TTest *test;
	int times; /* of a loop; 0 = no loop */
};

struct beside_group {
	const char *name;
	SFun setup, teardown; /* checked fixtures; may be NULL */
	const struct beside_test *tests;
	unsigned n;
};

/* For the end of main(): EXIT_SUCCESS, or EXIT_FAILURE if one failed. Nothing runs any more. */
int beside_run(const char *suite, const struct beside_group *groups, unsigned n, unsigned at_once);
