/* stamp.c - the empty program of bench_restart: says when it began, in the memory that it gets as descriptor 3, and waits */
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int
main(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	uint64_t *stamp = mmap(NULL, sizeof(*stamp), PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	if (stamp == MAP_FAILED)
		return 1;
	__atomic_store_n(stamp, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec, __ATOMIC_RELEASE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}
