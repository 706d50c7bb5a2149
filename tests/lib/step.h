/*
 * step.h - every image of shared memory, and every system call, at which a kill could come
 *
 * Runs a function in a traced child, one machine instruction at a time, and shows the parent each state of the watched
 * memory that differs from the one before: what survivors and successors would find, had the child been killed there.
 * Works for the code as compiled, with no hook in it. Linux, and a kernel that allows ptrace of one's own child.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bh_step_range {
	const void *memory; /* in a MAP_SHARED mapping */
	size_t len;
};

#define BH_STEP_RANGES 64

/*
 * `work(arg)` runs in the child. `on_image(arg, copies)` runs in the parent, with a copy of each range: first the image
 * before the first store, last the final one. It may itself step another child. Returns the number of images, or -errno.
 */
int bh_step_images(void (*work)(void *arg), void *arg, const struct bh_step_range *range, unsigned ranges,
		   void (*on_image)(void *arg, void *const *copies));

/* Instructions that the last pass (or the one under way so far) has stepped. */
unsigned long bh_step_instructions(void);

/*
 * The work of the last pass again, really killed after so many instructions (most of the way is run at full speed, the rest is
 * stepped). 1: it was; 0: it had ended before; -EAGAIN: it ran past that; again, on the memory as it was before; -errno.
 */
int bh_step_kill(void (*work)(void *arg), void *arg, unsigned long instructions);

/*
 * For what is not memory: `on_call(arg)` runs in the parent at each entry and each exit of a system call of the child. Returns how
 * often, or -errno.
 */
int bh_step_calls(void (*work)(void *arg), void *arg, void (*on_call)(void *arg));

/*
 * The same for a process that runs already, and is not our child: it is stopped at its next system call. bh_step_seize() 0 or -errno;
 * bh_step_next() 1 = stands at the entry or the exit of a system call, 0 = it is gone, -ETIMEDOUT: it has made none for `ms`; it is
 * running then. bh_step_let_go() lets it run on by itself.
 */
int bh_step_seize(pid_t pid);
int bh_step_next(pid_t pid, unsigned ms);
void bh_step_let_go(pid_t pid);
