/* folder.h - be told when something appears in a folder, without looking again and again */
#pragma once

#include <stdbool.h>

/*
 * A non-blocking descriptor (owned by the caller) that becomes readable when a name appears in the
 * folder or changes its rights (udev gives a node to its group only after it was made); of the
 * nearest parent while the folder does not exist, so watch anew once it has spoken. Or -errno.
 */
int bh_folder_watch(const char *folder);
/* The same of the folder that a path's last part stands in. */
int bh_folder_watch_parent(const char *path);
/* Read it out; true if anything came. */
bool bh_folder_drain(int fd);
