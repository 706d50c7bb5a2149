/* verb_pages.c - the pages, and which one is shown */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

int
verb_pages(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	(void)argc, (void)argv;
	int code = ctl_read(ctl, BH_VERB_PAGES, NULL, &a);
	if (code == CTL_OK)
		ctl->out->pages(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}
