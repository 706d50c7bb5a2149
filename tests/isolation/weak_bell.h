/* weak_bell.h - the bell without its fences, for comparison */
#pragma once

#include <stdbool.h>

#include "shm/bell.h"

void weak_announce(struct bh_self *self);
int weak_ring(struct bh_bell_tx *bell);
