/* verb_do.c - do an action, at most once */
#include "supervisor/ctl/client.h"

int
verb_do(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_DO);
	bh_wire_str(&o, "action", argv[0]);
	bh_wire_array(&o, "args");
	for (int i = 1; i < argc; i++)
		bh_wire_str(&o, NULL, argv[i]);
	bh_wire_close(&o);
	return ctl_act(ctl, &o, id, BH_VERB_DO);
}
