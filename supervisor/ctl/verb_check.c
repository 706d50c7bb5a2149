/* verb_check.c - check a configuration without running it: bh-config does the work and tells all errors at once */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "supervisor/ctl/check.h"
#include "supervisor/ctl/output.h"

static void
put_json(const char *changes)
{
	printf("{\"ok\":true");
	if (changes)
		printf(",\"changes\":[");
	for (const char *line = changes; line && *line;) {
		size_t len = strcspn(line, "\n");
		printf("%s", line == changes ? "" : ",");
		ctl_json_string(stdout, line, len);
		line += len + (line[len] == '\n');
	}
	printf("%s}\n", changes ? "]" : "");
}

int
verb_check(struct ctl *ctl, int argc, char **argv)
{
	char *file = argv[0];
	bh_autofree char *changes = NULL;
	(void)argc;
	if (ctl->against && strcmp(ctl->against, "running") != 0)
		return ctl_error(ctl, "bad-value", "--against running", "--against what?");
	int code = ctl->against ? ctl_check_against(ctl, file, &changes) : ctl_check_config(ctl, file);
	if (code == CTL_OK && ctl->json)
		put_json(changes);
	else if (code == CTL_OK)
		printf("%s is well\n%s", file, changes ? *changes ? changes : "nothing that matters is different in it\n" : "");
	return code;
}
