/* verb_check.c - check a configuration without running it: bh-config does the work and tells all errors at once */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "supervisor/ctl/check.h"

int
verb_check(struct ctl *ctl, int argc, char **argv)
{
	char *file = argv[0];
	(void)argc;
	int code = ctl_check_config(ctl, file);
	if (code == CTL_OK && ctl->json)
		printf("{\"ok\":true}\n");
	else if (code == CTL_OK)
		printf("%s is well\n", file);
	return code;
}
