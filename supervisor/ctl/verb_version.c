/* verb_version.c - of this tool, and of what runs */
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

int
verb_version(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a = {0};
	struct bh_wire_out o;
	struct bh_wire_in in;
	char running[40] = "";
	pid_t keeper, supervisor;
	(void)argc, (void)argv;
	/* Its own version it tells whether or not something runs. */
	msgpack_unpacked_init(&a.in.u);
	if (direct_pids(&keeper, &supervisor) && ctl_read(ctl, BH_VERB_VERSION, NULL, &a) == CTL_OK)
		bh_wire_get_str(a.root, "version", running, sizeof(running));
	ctl_answer_fini(&a);
	bh_wire_out_init(&o);
	bh_wire_map(&o, NULL);
	bh_wire_str(&o, "version", BH_VERSION);
	bh_wire_uint(&o, "protocol", BH_WIRE_VERSION);
	bh_wire_str(&o, "running", running);
	bh_wire_close(&o);
	if (bh_wire_in_init(&in, o.data, o.len, BH_WIRE_ANSWER_MAX, NULL) == 0)
		ctl->out->version(stdout, in.root);
	bh_wire_in_fini(&in);
	bh_wire_out_fini(&o);
	return CTL_OK;
}
