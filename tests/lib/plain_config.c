/*
 * plain_config.c - stands in for bh-config in the tests of keeper and supervisor: compiles lists of processes
 *
 * In:    lines "proc NAME ROLE SLOT HANG_MS READY_MS OPTIONS LIVE START"; "option KEY VALUE" for the supervisor's options;
 *        "error TEXT"; "hang". Everything runs the program `bh-child` beside this one. Options as bh-config's: --out FD,
 *        --unless HASH, FILE.
 * Fails: with 5 and the text of an error line.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/compiled.h"
#include "common/config/text.h"
#include "common/paths.h"
#include "common/spawn.h"
#include "common/units.h"

static uint32_t
add(struct bh_config_writer *w, const char *s)
{
	return bh_config_writer_str(w, s, strlen(s));
}

/* Says which text it is; true if it is one that is not wanted again. */
static bool
known(int argc, char **argv, FILE *f, int out)
{
	static char text[65536];
	struct bh_spawn_msg msg = {.type = BH_SPAWN_CONFIG};
	size_t len = fread(text, 1, sizeof(text), f);
	rewind(f);
	msg.value = bh_text_hash(text, len);
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--unless") && strtoull(argv[i + 1], NULL, 16) == msg.value)
			msg.flags = BH_SPAWN_UNCHANGED;
	if (out >= 0)
		bh_spawn_send(out, &msg, NULL);
	return msg.flags;
}

int
main(int argc, char **argv)
{
	struct bh_config_writer *all = bh_config_writer_new(), *own = bh_config_writer_new();
	struct bh_spawn_msg msg = {.type = BH_SPAWN_CONFIG};
	char line[512], binary[4096];
	bool spares = false;
	int out = -1, fds[BH_SPAWN_FDS];
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--out"))
			out = atoi(argv[i + 1]);
	FILE *f = fopen(argv[argc - 1], "re");
	if (!f) {
		fprintf(stderr, "%s: no such file\n", argv[argc - 1]);
		bh_config_writer_free(all);
		bh_config_writer_free(own);
		return 5;
	}
	if (known(argc, argv, f, out)) {
		bh_config_writer_free(all);
		bh_config_writer_free(own);
		fclose(f);
		return 0;
	}
	bh_path_program(binary, sizeof(binary), "bh-child");
	/* Where spares are the matter, the test says so: others count processes. */
	while (fgets(line, sizeof(line), f))
		spares = spares || !strncmp(line, "option spares", 13);
	rewind(f);
	if (!spares) {
		struct bh_cfg_option none = {.key = add(own, "spares"), .text = add(own, "no")};
		bh_config_writer_row(own, BH_TAB_OPTIONS, &none, sizeof(none));
	}
	/* These tests ask for each reload; the watch is looked at with the real bh-config. */
	struct bh_cfg_option quiet = {.key = add(own, "watch"), .text = add(own, "no")};
	bh_config_writer_row(own, BH_TAB_OPTIONS, &quiet, sizeof(quiet));
	while (fgets(line, sizeof(line), f)) {
		char name[32], text[400];
		unsigned role, slot, hang, ready, options, live, start;
		if (sscanf(line, "error %399[^\n]", text) == 1) {
			fprintf(stderr, "%s:1:1: %s\n", argv[argc - 1], text);
			bh_config_writer_free(all);
			bh_config_writer_free(own);
			fclose(f);
			return 5;
		}
		if (!strncmp(line, "hang", 4))
			pause();
		if (sscanf(line, "option %31s %399s", name, text) == 2) {
			struct bh_cfg_option o = {.key = add(own, name), .text = add(own, text)};
			bh_config_writer_row(own, BH_TAB_OPTIONS, &o, sizeof(o));
		}
		if (sscanf(line, "proc %31s %u %u %u %u %u %u %u", name, &role, &slot, &hang, &ready, &options, &live, &start) != 8)
			continue;
		struct bh_cfg_proc p = {.name = add(all, name), .kind = add(all, "child"), .binary = add(all, binary),
					.slot = (uint16_t)slot, .role = (uint8_t)role, .autostart = (uint8_t)start,
					.ring_slots = 64, .params = 16, .hang_ms = hang, .ready_ms = ready,
					.options_check = options, .live_check = live};
		bh_config_writer_row(all, BH_TAB_PROCS, &p, sizeof(p));
	}
	fclose(f);
	fds[0] = bh_config_writer_finish(all, "bulkhead.config", argv[argc - 1], bh_now_ns());
	fds[1] = bh_config_writer_finish(own, "supervisor.options", argv[argc - 1], bh_now_ns());
	if (fds[0] < 0 || fds[1] < 0)
		return 1;
	msg.nfds = 2;
	msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_CONFIG};
	msg.fd[1] = (struct bh_spawn_fd){.role = BH_FD_OPTIONS, .slot = BH_SLOT_SUPERVISOR};
	int r = out >= 0 ? bh_spawn_send(out, &msg, fds) : 0;
	bh_config_writer_free(all);
	bh_config_writer_free(own);
	return r < 0 ? 1 : 0;
}
