/* verb_status.c - who runs and how it is; works whoever is down */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/security.h"

int
verb_status(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	int code = ctl_read(ctl, BH_VERB_STATUS, argc ? argv[0] : NULL, &a);
	if (code == CTL_OK) {
		if (ctl->security)
			ctl_security(ctl, a.root, argc > 0);
		else
			ctl->out->status(stdout, a.root);
		if (!bh_wire_get_bool(a.root, "well", false) || !bh_wire_get_bool(a.root, "control_answers", false))
			code = CTL_DEGRADED;
	}
	ctl_answer_fini(&a);
	return code;
}
