/* mem.h - ownership helpers: what is declared with them is released when it goes out of scope */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void
bh_free_p(void *p)
{
	free(*(void **)p);
}

/* Close and forget; -1 and negative errnos are fine. */
static inline void
bh_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define bh_autofree __attribute__((cleanup(bh_free_p)))
#define bh_autoclose __attribute__((cleanup(bh_close)))

/* Hand over: the value, and the variable no longer owns it. */
#define bh_steal_ptr(pp) ({ __typeof__(*(pp)) p_ = *(pp); *(pp) = NULL; p_; })
static inline int
bh_steal_fd(int *fd)
{
	int f = *fd;
	*fd = -1;
	return f;
}

#define BH_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
