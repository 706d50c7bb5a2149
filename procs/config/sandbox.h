/* sandbox.h - what a program that reads other people's files gives up before it reads the first */
#pragma once

#include <stdint.h>

/*
 * From here on: bounded memory and time, no further program, no network, no existing file opened for writing. `may`: of enum
 * bh_sandbox_may. 0 or -errno.
 */
int config_confine(uint32_t may);
