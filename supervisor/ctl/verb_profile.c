/* verb_profile.c - which named configurations there are, and going over to one */
#include <string.h>

#include "common/config/history.h"
#include "supervisor/ctl/client.h"

int
verb_profile(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	if (argc && !bh_profile_is_name(argv[0]))
		return ctl_error(ctl, "bad-value", NULL, "a profile's name has 1 to %u letters, digits, - and _", BH_PROFILE_MAX);
	uint64_t id = ctl_begin(&o, BH_VERB_PROFILE);
	if (argc)
		bh_wire_str(&o, "name", argv[0]);
	return ctl_act(ctl, &o, id, BH_VERB_PROFILE);
}
