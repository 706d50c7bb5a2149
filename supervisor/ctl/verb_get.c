/* verb_get.c - one parameter, with all that is known of it */
#include <string.h>
#include <unistd.h>

#include "supervisor/ctl/client.h"
#include "supervisor/ctl/output.h"

#define LEVEL_TRIES 10u
#define LEVEL_WAIT_MS 50u

static bool
awaits_level(const msgpack_object *a)
{
	char access[8] = "";
	bh_wire_get_str(a, "access", access, sizeof(access));
	return strchr(access, 'm') && !bh_wire_get(a, "value") && bh_wire_get_bool(a, "driver_ok", false);
}

int
verb_get(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	(void)argc;
	int code = ctl_read(ctl, BH_VERB_GET, argv[0], &a);
	/* A level comes only once somebody looks, and we have just begun to. */
	for (unsigned i = 0; i < LEVEL_TRIES && code == CTL_OK && awaits_level(a.root); i++) {
		usleep(LEVEL_WAIT_MS * 1000);
		ctl_answer_fini(&a);
		code = ctl_read(ctl, BH_VERB_GET, argv[0], &a);
	}
	if (code == CTL_OK)
		ctl->out->get(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}
