/* sandbox.h - what a program that reads other people's files gives up before it reads the first */
#pragma once

/* From here on: bounded memory and time, no further program, no network, no file opened for writing. 0 or -errno. */
int config_confine(void);
