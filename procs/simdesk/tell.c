/*
 * tell - see tell.h
 */
#include "procs/simdesk/tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"

enum { ALL_OK, ONE_FAILED, ONE_WRONG, NO_DESK };

static int
no_desk(const char *path)
{
	fprintf(stderr, "bh-simdesk: %s: %s\n", path, errno ? strerror(errno) : "the desk went away");
	return NO_DESK;
}

/* One line, and its answers. */
static int
tell_line(FILE *desk, const char *line, size_t len)
{
	char *answer = NULL;
	size_t cap = 0;
	int result = NO_DESK;
	errno = 0;
	if (fwrite(line, 1, len, desk) == len && fputc('\n', desk) != EOF && fflush(desk) == 0) {
		while (result == NO_DESK && getline(&answer, &cap, desk) > 0) {
			if (strncmp(answer, "fail ", 5) == 0)
				result = ONE_FAILED;
			else if (strncmp(answer, "error ", 6) == 0)
				result = ONE_WRONG;
			else if (strcmp(answer, "ok\n") == 0)
				result = ALL_OK;
			fputs(answer, result == ALL_OK || result == NO_DESK ? stdout : stderr);
		}
	}
	free(answer);
	return result;
}

int
tell(const char *path, const char *text, size_t len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(a.sun_path))
		return no_desk(path);
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int r = no_desk(path);
		bh_close(&fd);
		return r;
	}
	FILE *desk = fdopen(fd, "r+e");
	if (!desk) {
		bh_close(&fd);
		return no_desk(path);
	}
	int result = ALL_OK;
	for (const char *end; result == ALL_OK && len > 0; len -= (size_t)(end - text), text = end) {
		end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		end = text + (end ? n + 1 : n);
		if (n > 0)
			result = tell_line(desk, text, n);
		if (result == NO_DESK)
			no_desk(path);
	}
	fclose(desk);
	return result;
}
