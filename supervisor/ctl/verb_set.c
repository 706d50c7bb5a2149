/* verb_set.c - set a parameter; its driver's directory says what the value may be */
#include "supervisor/ctl/client.h"

int
verb_set(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_SET);
	(void)argc;
	bh_wire_str(&o, "param", argv[0]);
	bh_wire_str(&o, "value", argv[1]);
	return ctl_act(ctl, &o, id, BH_VERB_SET);
}
