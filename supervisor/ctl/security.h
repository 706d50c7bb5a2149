/* security.h - what of the confinement of each process holds, for `status --security` */
#pragma once

#include "common/wire/msg.h"
#include "supervisor/ctl/ctl.h"

/* `status` is the answer of that verb; `all`: with the lines of the profiles, each with its reason. */
void ctl_security(const struct ctl *ctl, const msgpack_object *status, bool all);
