/* weak_bell.c - shm/bell.c as it would be if somebody left out the fences; what it needs of order.h is overridden as in a mutant build */
#define BH_FENCE_ANNOUNCE() (void)0
#define BH_FENCE_RING() (void)0
#define bh_bell_announce weak_announce
#define bh_bell_ring weak_ring
#define bh_bell_awake weak_awake
#define bh_bell_ring_always weak_ring_always
#define bh_bell_sleep weak_sleep
#define bh_bell_sleep_which weak_sleep_which
#include "shm/bell.c"
