/*
 * count_alloc - how often each process allocates, seen from outside
 *
 * A library to preload: malloc and its kin go to the C library as ever, and are counted in a file that the watcher maps: $BH_COUNT_ALLOC/PID,
 * struct count_alloc. Without the folder nothing is counted. A process that cannot make its file goes on uncounted; the
 * watcher sees that there is none.
 */
#include "tests/lib/count_alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the C library's own functions are called beneath. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *p);

static struct count_alloc nowhere, *counts = &nowhere;

/* A forked child would go on counting for its parent until it executes; nobody here forks without that. */
__attribute__((constructor)) static void
count_alloc_open(void)
{
	char path[256];
	const char *dir = getenv("BH_COUNT_ALLOC");
	if (!dir || snprintf(path, sizeof(path), "%s/%d", dir, (int)getpid()) >= (int)sizeof(path))
		return;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*counts)) == 0) {
		void *at = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at != MAP_FAILED)
			counts = at;
	}
	close(fd);
}

static void
count(uint64_t *what, const void *caller)
{
	uint64_t n = __atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&counts->caller[n % COUNT_ALLOC_CALLERS], (uint64_t)(uintptr_t)caller, __ATOMIC_RELAXED);
}

void *
malloc(size_t size)
{
	count(&counts->allocated, __builtin_return_address(0));
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	count(&counts->allocated, __builtin_return_address(0));
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	count(&counts->allocated, __builtin_return_address(0));
	return __libc_realloc(p, size);
}

void *
aligned_alloc(size_t align, size_t size)
{
	count(&counts->allocated, __builtin_return_address(0));
	return __libc_memalign(align, size);
}

int
posix_memalign(void **out, size_t align, size_t size)
{
	count(&counts->allocated, __builtin_return_address(0));
	*out = __libc_memalign(align, size);
	return *out ? 0 : ENOMEM;
}

void
free(void *p)
{
	if (p)
		count(&counts->freed, __builtin_return_address(0));
	__libc_free(p);
}
