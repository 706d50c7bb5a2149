/* verb_reload.c - take the configuration anew, or another file; a wrong one changes nothing */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "supervisor/ctl/client.h"

int
verb_reload(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	char path[PATH_MAX];
	int r = argc ? bh_path_absolute(path, sizeof(path), argv[0]) : 0;
	if (r == 0 && argc && access(path, R_OK) < 0)
		r = -errno;
	if (r < 0)
		return ctl_error(ctl, "bad-value", NULL, "%s: %s", argv[0], strerror(-r));
	if (argc && strlen(path) >= BH_WIRE_NAME_MAX)
		return ctl_error(ctl, "bad-value", "move it to a shorter one", "the path %s is too long", path);
	uint64_t id = ctl_begin(&o, BH_VERB_RELOAD);
	if (argc)
		bh_wire_str(&o, "file", path);
	return ctl_act(ctl, &o, id, BH_VERB_RELOAD);
}
