/*
 * step.h - every image of shared memory that a kill could leave behind
 *
 * Runs a function in a traced child, one machine instruction at a time, and shows the parent each state of the watched
 * memory that differs from the one before: what survivors and successors would find, had the child been killed there.
 * Works for the code as compiled, with no hook in it. Linux, and a kernel that allows ptrace of one's own child.
 */
#pragma once

#include <stddef.h>

struct bh_step_range {
	const void *memory; /* in a MAP_SHARED mapping */
	size_t len;
};

#define BH_STEP_RANGES 8

/*
 * `work(arg)` runs in the child. `on_image(arg, copies)` runs in the parent, with a copy of each range: first the image
 * before the first store, last the final one. Returns the number of images, or -errno.
 */
int bh_step_images(void (*work)(void *arg), void *arg, const struct bh_step_range *range, unsigned ranges,
		   void (*on_image)(void *arg, void *const *copies));
