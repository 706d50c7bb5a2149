/* must.h - for helpers that need no check: what must be and is not is said, and ends the program (in check: the test) by SIGABRT */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define must(cond, ...)                                                                            \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s failed: ", __FILE__, __LINE__, #cond);          \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)
