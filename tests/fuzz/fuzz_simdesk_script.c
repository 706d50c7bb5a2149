/*
 * Any text as a script of the simulated desk: it is refused with at least one error, or it is a script; and what is a script
 * plays for a while without harm, in virtual time.
 */
#include <stdlib.h>
#include <string.h>

#include "procs/simdesk/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct desk desk;
static struct cable cable;

static bool
hear(void *data, const uint8_t *bytes, size_t len)
{
	return cable_send(data, bytes, len);
}

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static void
play(const struct script *script)
{
	static struct run run;
	uint64_t now_ns = 1000000000, next;
	struct run_env env = {.desk = &desk, .cable = &cable};
	cable_init(&cable);
	desk_init(&desk, &desk_defaults, &(struct desk_ops){hear, &cable}, now_ns);
	cable_peer(&cable, true, now_ns);
	run = (struct run){0};
	run_start(&run, &env, script, now_ns);
	for (int turn = 0; turn < 10; turn++) {
		if (run_step(&run, now_ns, &next) != RUN_WAITING)
			return;
		uint64_t self = desk_next_ns(&desk);
		next = !next || (self && self < next) ? self : next;
		now_ns = next > now_ns ? next : now_ns;
		/* The host answers with what it hears: our own bytes are as good as any. */
		size_t n = cable_queued(&cable);
		desk_receive(&desk, now_ns, cable.queue, n > 64 ? 64 : n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script *script;
	char *errors;
	int r = script_parse("fuzz", (const char *)data, size, &script, &errors);
	demand((r == 0) == (script != NULL));
	demand(r == 0 || (errors && errors[0]));
	/* This one statement writes files. */
	if (script && !memmem(data, size, "end-state", 9))
		play(script);
	script_free(script);
	free(errors);
	return 0;
}
