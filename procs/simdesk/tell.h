/*
 * tell - the other end of the command socket, for shells
 *
 * Fails: see the return value. It waits for as long as the line takes.
 */
#pragma once

#include <stddef.h>

/*
 * Send the lines of text to the desk that takes commands at path, one after the other, and print what it answers, up to the first
 * one that is not ok. 0 all ok, 1 one failed, 2 one is wrong, 3 no such desk, or it went away.
 */
int tell(const char *path, const char *text, size_t len);
