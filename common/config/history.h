/*
 * history.h - the configurations that were in use, newest 50, each a file of its own in the state folder
 *
 * A version is the text as it was, behind one line of comment that says when, of which file and profile, and which text it is (so
 * that a damaged one is known). Written beside, synchronised and renamed: there is a whole version or none. Open to the owner
 * alone, for a configuration may hold passwords. Who adds one locks the folder.
 *
 * Also the profile that was chosen last, which the next start goes on with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_HISTORY_KEEP 50u
#define BH_HISTORY_TEXT_MAX (4u << 20)
#define BH_PROFILE_MAX 64u /* bytes of a profile's name */

struct bh_version {
	uint32_t number; /* from 1, never used again */
	bool was_used;	 /* false: kept because something else was put in its place */
	int64_t time_s;	 /* CLOCK_REALTIME */
	uint64_t hash;	 /* bh_text_hash() */
	uint64_t size;
	char profile[BH_PROFILE_MAX + 1]; /* "" = none */
	char path[256];
};

/* STATE/history, made on demand. 0 or -errno. */
int bh_history_folder(char *buf, size_t cap);
/* Newest first; how many (at most cap), or -errno. Files that are none are passed over. */
int bh_history_list(const char *dir, struct bh_version *out, unsigned cap);
/* The text (owned by the caller, NUL behind it). 0, -ENOENT, -EBADMSG = damaged, or another -errno. */
int bh_history_read(const char *dir, uint32_t number, struct bh_version *v, char **text);
/*
 * Keep a text: v's path, profile, was_used and time_s are given, the rest is filled in. The same as the newest is not kept again
 * (0); else its number; or -errno. What is more than BH_HISTORY_KEEP goes, oldest first.
 */
int bh_history_add(const char *dir, struct bh_version *v, const char *text, size_t len);

/* ------------------------------------------------------------------ profiles */

/* 1 to 64 letters, digits, - and _; "default" is the file that Bulkhead was started with. */
bool bh_profile_is_name(const char *name);
/* profiles/NAME.yaml beside the file `main`; main itself for "default". 0 or -errno. */
int bh_profile_path(const char *main, const char *name, char *buf, size_t cap);
/* The profile that this file is; "" = none. `name` has BH_PROFILE_MAX + 1 bytes. */
void bh_profile_of(const char *main, const char *path, char *name);
/* Names, sorted, "default" first; how many. */
unsigned bh_profile_list(const char *main, char (*name)[BH_PROFILE_MAX + 1], unsigned cap);
/* Which one the next start on `main` goes on with. 0 or -errno. */
int bh_profile_remember(const char *state_dir, const char *main, const char *name);
/* "default" if none was chosen. */
void bh_profile_recall(const char *state_dir, const char *main, char *name);
