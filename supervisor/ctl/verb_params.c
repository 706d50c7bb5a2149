/* verb_params.c - parameters by pattern */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

int
verb_params(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	int code = ctl_read(ctl, BH_VERB_PARAMS, argc ? argv[0] : NULL, &a);
	if (code == CTL_OK)
		ctl->out->params(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}
