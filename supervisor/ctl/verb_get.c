/* verb_get.c - one parameter, with all that is known of it */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

int
verb_get(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	(void)argc;
	int code = ctl_read(ctl, BH_VERB_GET, argv[0], &a);
	if (code == CTL_OK)
		ctl->out->get(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}
