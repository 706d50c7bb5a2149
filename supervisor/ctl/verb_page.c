/* verb_page.c - turn to a page */
#include "supervisor/ctl/client.h"

int
verb_page(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_PAGE);
	(void)argc;
	bh_wire_str(&o, "page", argv[0]);
	if (ctl->surface)
		bh_wire_str(&o, "surface", ctl->surface);
	return ctl_act(ctl, &o, id, BH_VERB_PAGE);
}
