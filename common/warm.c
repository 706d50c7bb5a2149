/* warm.c - see warm.h. Whatever the kernel does not do for us costs time later, and nothing else. */
#include "common/warm.h"

#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WARM_STACK (48u << 10)
#define WARM_HEAP (96u << 10) /* below what free() gives back to the kernel */
#define WARM_PART (4u << 20)  /* of one part of a program: large libraries are used in small pieces */

/* By page, for what stands read-only in the middle of a part ends no more than its own page. */
static void
warm_pages(uintptr_t from, uintptr_t to, int advice)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	from &= ~(page - 1);
	if (to - from > WARM_PART)
		to = from + WARM_PART;
	if (madvise((void *)from, (to - from + page - 1) & ~(page - 1), advice) == 0)
		return;
	for (; from < to; from += page)
		madvise((void *)from, page, advice);
}

static int
warm_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD)
			warm_pages(info->dlpi_addr + p->p_vaddr, info->dlpi_addr + p->p_vaddr + p->p_memsz,
				   p->p_flags & PF_W ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	}
	return 0;
}

static void __attribute__((noinline))
warm_stack(void)
{
	volatile uint8_t room[WARM_STACK];
	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 0;
}

void
bh_warm(void)
{
	dl_iterate_phdr(warm_object, NULL);
	warm_stack();
	void *heap = malloc(WARM_HEAP);
	if (heap)
		memset(heap, 0, WARM_HEAP);
	__asm__ volatile("" : : "r"(heap) : "memory"); /* not to be left out */
	free(heap);
}
