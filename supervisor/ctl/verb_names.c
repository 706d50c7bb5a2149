/* verb_names.c - names of one kind, one a line: what the shell completes with */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

int
verb_names(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	(void)argc;
	int code = ctl_read(ctl, BH_VERB_NAMES, argv[0], &a);
	if (code == CTL_OK)
		ctl->out->names(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}
