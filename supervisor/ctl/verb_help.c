/* verb_help.c - help, and what is generated from the table of verbs */
#include "common/config/suggest.h"
#include "supervisor/ctl/ctl.h"

int
verb_help(struct ctl *ctl, int argc, char **argv)
{
	if (ctl->as)
		return ctl_print_as(stdout, ctl->as);
	if (argc == 0) {
		ctl_usage(stdout);
		return CTL_OK;
	}
	const struct ctl_verb *v = ctl_find_verb(argv[0]);
	if (!v)
		return ctl_error(ctl, "unknown-verb", "`bulkhead help` lists them", "there is no verb \"%s\"", argv[0]);
	ctl_verb_usage(stdout, v);
	return CTL_OK;
}
