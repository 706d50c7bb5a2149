/* verb_sync.c - desks show everything again, drivers report everything again */
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

static int
sync_one(struct ctl *ctl, const char *name)
{
	struct bh_wire_out o;
	uint64_t id = ctl_begin(&o, BH_VERB_SYNC);
	bh_wire_str(&o, "name", name);
	return ctl_act(ctl, &o, id, BH_VERB_SYNC);
}

/* All that run of one role. The worst exit code. */
static int
sync_role(struct ctl *ctl, const msgpack_object *procs, const char *role)
{
	int worst = CTL_OK;
	for (uint32_t i = 0; procs && procs->type == MSGPACK_OBJECT_ARRAY && i < procs->via.array.size; i++) {
		const msgpack_object *p = &procs->via.array.ptr[i];
		char name[40], is[24];
		if (bh_wire_get_str(p, "name", name, sizeof(name)) <= 0 || bh_wire_get_str(p, "role", is, sizeof(is)) <= 0 ||
		    strcmp(is, role) != 0 || !bh_wire_get_bool(p, "alive", false))
			continue;
		int code = sync_one(ctl, name);
		if (code > worst)
			worst = code;
	}
	return worst;
}

int
verb_sync(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	if (argc)
		return sync_one(ctl, argv[0]);
	int code = ctl_read(ctl, BH_VERB_STATUS, NULL, &a);
	if (code == CTL_OK) {
		/* First the values, then what shows them. */
		int drivers = sync_role(ctl, bh_wire_get(a.root, "processes"), "driver");
		code = sync_role(ctl, bh_wire_get(a.root, "processes"), "surface");
		code = drivers > code ? drivers : code;
	}
	ctl_answer_fini(&a);
	return code;
}
