/*
 * paths.h - where things are: runtime and state folders, our programs, device files, kinds
 *
 * Runtime folder (sockets, pid file): BULKHEAD_RUNTIME_DIR, else $XDG_RUNTIME_DIR/bulkhead, else /tmp/bulkhead-UID. State folder
 * (snapshots, logs): BULKHEAD_STATE_DIR, else $XDG_STATE_HOME/bulkhead, else ~/.local/state/bulkhead. Both are made 0700 on demand.
 * Programs: next to the running one (build tree), else the installed libexec folder. Data (kinds, devices): BULKHEAD_DATA_DIR, else
 * the folder above the running program's (build tree: kinds/, devices/), else the installed share folder.
 *
 * All return 0 or -errno (-ENAMETOOLONG, or why a folder could not be made) and write an absolute path to buf.
 */
#pragma once

#include <stddef.h>

int bh_path_runtime(char *buf, size_t cap, const char *file); /* file may be NULL: the folder itself */
int bh_path_state(char *buf, size_t cap, const char *file);
int bh_path_program(char *buf, size_t cap, const char *binary); /* "bh-router" */
int bh_path_data(char *buf, size_t cap, const char *sub);	 /* "devices/x-touch.yaml" */
/* `path` from the root, seen from the folder we are in; links stay as they are. */
int bh_path_absolute(char *buf, size_t cap, const char *path);
