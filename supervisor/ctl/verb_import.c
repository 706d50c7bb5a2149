/* verb_import.c - take over the configuration of another product: bh-config converts it, and checks what it made */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "supervisor/ctl/check.h"

/* Nothing that is there is written over, and nothing half-made stays. */
static int
import_to(struct ctl *ctl, const char *from, const char *to)
{
	bh_autoclose int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return ctl_error(ctl, "failed", "name another file, or move that one away", "%s is there already", to);
	if (fd < 0)
		return ctl_error(ctl, "failed", NULL, "%s: %s", to, strerror(errno));
	int code = ctl_import(ctl, from, fd);
	if (code != CTL_OK) {
		unlink(to);
		return code;
	}
	code = ctl_check_config(ctl, to);
	if (code == CTL_OK)
		fprintf(stderr, "%s is well; try it: bulkhead run -c %s\n", to, to);
	return code;
}

int
verb_import(struct ctl *ctl, int argc, char **argv)
{
	if (strcmp(argv[0], "xtouch-gw") != 0)
		return ctl_error(ctl, "bad-request", "bulkhead import xtouch-gw FILE [OUT]", "cannot import from \"%s\"", argv[0]);
	return argc > 2 ? import_to(ctl, argv[1], argv[2]) : ctl_import(ctl, argv[1], -1);
}
