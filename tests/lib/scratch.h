/*
 * scratch.h - a folder for what a test program writes
 *
 * Made when the program starts, in memory where there is such a place, and removed with all that is in it when the program ends,
 * whatever became of its cases (each is a process of its own, and one that fails cleans up nothing). BH_KEEP=1 in the environment
 * leaves it, to be looked into; its name is printed then. What a busy disk does is not what these tests look at. It is also the
 * runtime and the state folder of the programs that a test starts, unless that gives them others.
 */
#pragma once

#include <stddef.h>

const char *scratch(void);
/* A fresh folder in it: "NAME-XXXXXX". Returns `path`. */
char *scratch_dir(char *path, size_t cap, const char *name);
/* A fresh file in it, "NAME-XXXXXX" and `end` (NULL = ""): opened for reading and writing. */
int scratch_file(char *path, size_t cap, const char *name, const char *end);
/* Remove a folder with all that is in it, or a file. 0 or -errno. */
int scratch_remove(const char *path);
