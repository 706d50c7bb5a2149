/* beside.c - see beside.h */
#include "tests/lib/beside.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST	  32u
#define TIMEOUT_S 240

struct running {
	pid_t pid; /* 0 = none */
	int output;
};

struct tally {
	struct running running[MOST];
	unsigned failed, checks;
};

/* What a runner says by its exit code. */
enum { PASSED, FAILED, LEFT_OUT };

static void
give_up(const char *what)
{
	perror(what);
	abort();
}

static int
run(const char *suite, const struct beside_group *g, const struct beside_test *t, int turn)
{
	Suite *s = suite_create(suite);
	TCase *c = tcase_create(g->name);
	tcase_add_checked_fixture(c, g->setup, g->teardown);
	tcase_set_timeout(c, TIMEOUT_S);
	if (t->times)
		tcase_add_loop_test(c, t->test, turn, turn + 1);
	else
		tcase_add_test(c, t->test);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int end = srunner_ntests_failed(r) ? FAILED : srunner_ntests_run(r) ? PASSED : LEFT_OUT;
	srunner_free(r);
	return end;
}

static void
start(struct running *to, const char *suite, const struct beside_group *g, const struct beside_test *t, int turn)
{
	pid_t parent = getpid();
	to->output = memfd_create("output", MFD_CLOEXEC);
	fflush(NULL);
	to->pid = to->output < 0 ? -1 : fork();
	if (to->pid < 0)
		give_up("beside");
	if (to->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(to->output, STDOUT_FILENO) < 0 || dup2(to->output, STDERR_FILENO) < 0)
		_exit(FAILED);
	exit(run(suite, g, t, turn));
}

static void
show(int output)
{
	char bytes[4096];
	ssize_t n;
	lseek(output, 0, SEEK_SET);
	while ((n = read(output, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)n, stdout);
	fflush(stdout);
}

/* One that runs has ended; which place is free now. */
static struct running *
wait_one(struct tally *all)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);
	if (pid < 0)
		return NULL;
	for (unsigned i = 0; i < MOST; i++) {
		struct running *r = &all->running[i];
		if (r->pid != pid)
			continue;
		int end = WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
		all->checks += end != LEFT_OUT;
		if (end != PASSED && end != LEFT_OUT) {
			all->failed++;
			show(r->output);
		}
		close(r->output);
		r->pid = 0;
		return r;
	}
	return wait_one(all);
}

static struct running *
place(struct tally *all, unsigned at_once)
{
	for (unsigned i = 0; i < at_once && i < MOST; i++)
		if (!all->running[i].pid)
			return &all->running[i];
	return wait_one(all);
}

int
beside_run(const char *suite, const struct beside_group *groups, unsigned n, unsigned at_once)
{
	struct tally all = {0};
	for (unsigned g = 0; g < n; g++)
		for (unsigned k = 0; k < groups[g].n; k++)
			for (int turn = 0; turn == 0 || turn < groups[g].tests[k].times; turn++)
				start(place(&all, at_once), suite, &groups[g], &groups[g].tests[k], turn);
	while (wait_one(&all))
		;
	printf("%s: %u tests, %u failed\n", suite, all.checks, all.failed);
	return all.failed || !all.checks ? EXIT_FAILURE : EXIT_SUCCESS;
}
