/*
 * standalone.h - a driver alone in a terminal: `bh-loop --no-supervisor`
 *
 * For who writes or debugs one: no pipeline, no files in the runtime folder. The driver attaches to segments of its
 * own exactly as it would to the supervisor's, and the other ends of them, the router's, are in the same process: lines
 * from the standard input become wanted values and actions, and what the driver reports is printed.
 */
#pragma once

#include "common/driver.h"

/*
 * Make segments and configuration (from --config FILE, by bh-config, else every key's default) and put the message to
 * attach into proc->spawn_fd; proc->ops becomes a copy that reads the input, too. `argv[0]` is --no-supervisor.
 * 0 = go on, else an exit code.
 */
int bh_standalone_prepare(struct bh_proc *proc, int argc, char **argv, const struct bh_action_desc *actions);
