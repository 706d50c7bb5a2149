/* unixsock.h - a Unix socket that stands for a device: the simulated desk, a game pad of a test */
#pragma once

/*
 * A connected, non-blocking descriptor (owned by the caller). -ENODEV while nobody listens there, -ENAMETOOLONG, or another -errno.
 */
int bh_unix_connect(const char *path);
