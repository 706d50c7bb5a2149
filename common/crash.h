/*
 * crash.h - the last words of a process: where it was when it died
 *
 * Who dies by its own fault (SIGSEGV ...), or is ended because it hangs (SIGABRT from the supervisor), writes the calls that it was in to
 * standard error, innermost first, as MODULE+OFFSET for `addr2line -e MODULE OFFSET`, and dies of that signal all the same. What it costs
 * is bounded: by SIGKILL after `abort_ms` for who hangs, by an alarm of a second for who stumbles over its own last words.
 *
 * Fails: where somebody else has a handler (a sanitizer) it stays theirs.
 */
#pragma once

/* Once, early. Allocates nothing and opens nothing, now or later. */
void bh_crash_init(const char *name);
/* The exit status of who failed with this errno because of a limit that was set for it, 0 if it was none. */
int bh_crash_limit(int err);
/* The name that stands before each line; copied. */
void bh_crash_name(const char *name);
