/* obs-tape FILE: a recording of a session with OBS, one line for each message; see obs_tape.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/obs_tape.h"

int
main(int argc, char **argv)
{
	struct obs_tape tape;
	int r = argc == 2 ? obs_tape_load(&tape, argv[1]) : -EINVAL;
	if (r < 0) {
		fprintf(stderr, "obs-tape FILE: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	obs_tape_print(&tape, stdout);
	obs_tape_unload(&tape);
	return EXIT_SUCCESS;
}
