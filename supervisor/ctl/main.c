/*
 * bulkhead - the one program that a user types
 *
 * In:    a verb, its arguments and options (verbs.c)
 * Out:   text, or JSON; the exit code says how it went (ctl.h)
 * Fails: what only reads works while bh-control is down, out of shared memory; acts say that they were not done, or that
 *        nobody knows whether they were.
 */
#include <stdlib.h>

#include "common/mem.h"
#include "supervisor/ctl/ctl.h"

int
main(int argc, char **argv)
{
	struct ctl ctl;
	bh_autofree char **rest = calloc((size_t)argc + 1, sizeof(*rest));
	int n = 0;
	if (!rest)
		return CTL_FAILED;
	int code = ctl_parse(&ctl, argc, argv, rest, &n);
	if (code == 0)
		code = ctl.verb->run(&ctl, n, rest);
	if (fflush(stdout) != 0 && code == CTL_OK)
		code = CTL_FAILED;
	return code;
}
