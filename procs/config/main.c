/*
 * bh-config - compiles the configuration for all others
 *
 * In:    the YAML file, kinds/ and devices/ of the data folder, with --previous the compiled configuration in use
 * Out:   with --out, one message over a socket: the common tables and one memfd of options for each process, sealed
 * Fails: a file that is not right is refused as a whole: all errors on stderr, exit code 5. Short-lived and bounded: a
 *        file that takes too much memory or time ends this process and no other.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "common/spawn.h"
#include "procs/config/compile.h"
#include "procs/config/reference.h"
#include "procs/config/sandbox.h"

enum { EXIT_USAGE = 2, EXIT_REFUSED = 5 };

struct args {
	int previous_fd, out_fd;
	const char *file;
	const char *defaults; /* kind, "" = all, NULL = not asked for */
	bool reference;
};

static int
usage(FILE *out)
{
	fputs("usage: bh-config [--previous FD] [--out FD] FILE   check and compile a configuration\n"
	      "       bh-config --defaults [KIND]                 every key with its default, as YAML\n"
	      "       bh-config --reference                       the reference of the configuration, as Markdown\n",
	      out);
	return out == stdout ? 0 : EXIT_USAGE;
}

static bool
parse_fd(const char *text, int *fd)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : -1;
	if (n < 0 || n > INT_MAX || *end || end == text)
		return false;
	*fd = (int)n;
	return true;
}

static bool
parse_args(int argc, char **argv, struct args *a)
{
	*a = (struct args){.previous_fd = -1, .out_fd = -1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--previous") == 0 || strcmp(argv[i], "--out") == 0) {
			int *fd = argv[i][2] == 'p' ? &a->previous_fd : &a->out_fd;
			if (!parse_fd(i + 1 < argc ? argv[i + 1] : NULL, fd))
				return false;
			i++;
		} else if (strcmp(argv[i], "--defaults") == 0) {
			a->defaults = i + 1 < argc ? argv[++i] : "";
		} else if (strcmp(argv[i], "--reference") == 0) {
			a->reference = true;
		} else if (argv[i][0] == '-' || a->file) {
			return false;
		} else {
			a->file = argv[i];
		}
	}
	return a->file ? !a->defaults && !a->reference : a->defaults || a->reference;
}

static int
load_catalog(struct catalog *c)
{
	char kinds[PATH_MAX];
	int r = bh_path_data(kinds, sizeof(kinds), "kinds");
	if (r == 0) {
		*strrchr(kinds, '/') = '\0';
		r = catalog_load(c, kinds);
	}
	if (r < 0)
		fprintf(stderr, "bh-config: the kinds of process are not found in %s: %s\n", kinds, strerror(-r));
	return r;
}

/* The folder of the file, absolute. */
static const char *
folder_of(struct arena *a, const char *file)
{
	char path[PATH_MAX];
	if (!realpath(file, path))
		return "/";
	char *slash = strrchr(path, '/');
	*(slash == path ? slash + 1 : slash) = '\0';
	return arena_copy(a, path, strlen(path));
}

static uint64_t
generation_after(const struct bh_config *previous)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	uint64_t now = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
	uint64_t before = previous ? previous->head->generation : 0;
	/* The clock may have been set back. */
	return now > before ? now : before + 1;
}

/* Make the memfds and send them. */
static int
send_tables(int sock, struct compiled *tables, const char *file, uint64_t generation)
{
	struct bh_spawn_msg msg = {
		.magic = BH_SPAWN_MAGIC, .type = BH_SPAWN_CONFIG, .slot = BH_SLOT_SUPERVISOR, .flags = BH_SPAWN_LAST};
	int fds[BH_SPAWN_FDS], r = 0;
	fds[0] = bh_config_writer_finish(tables->common, "bulkhead.config", file, generation);
	if (fds[0] < 0)
		return fds[0];
	msg.fd[msg.nfds++] = (struct bh_spawn_fd){.role = BH_FD_CONFIG, .slot = BH_SLOT_NONE, .peer = BH_SLOT_NONE};
	for (uint16_t slot = 0; slot < BH_MAX_SLOTS && r >= 0; slot++) {
		char name[64];
		if (!tables->options[slot])
			continue;
		snprintf(name, sizeof(name), "%s.options", tables->name[slot]);
		r = fds[msg.nfds] = bh_config_writer_finish(tables->options[slot], name, file, generation);
		if (r >= 0)
			msg.fd[msg.nfds++] = (struct bh_spawn_fd){.role = BH_FD_OPTIONS, .slot = slot, .peer = BH_SLOT_NONE};
	}
	if (r >= 0)
		r = bh_spawn_send(sock, &msg, fds);
	for (unsigned i = 0; i < msg.nfds; i++)
		close(fds[i]);
	return r < 0 ? r : 0;
}

static int
compile_file(const struct args *a, struct arena *arena)
{
	struct report report = {.arena = arena};
	struct catalog catalog = {.arena = arena, .report = &report};
	struct bh_config previous = {0};
	struct compiled tables;
	size_t len = 0;
	int r;
	if (load_catalog(&catalog) < 0)
		return EXIT_REFUSED;
	if (a->previous_fd >= 0 && (r = bh_config_map(&previous, a->previous_fd)) < 0) {
		fprintf(stderr, "bh-config: --previous %d: %s\n", a->previous_fd, strerror(-r));
		return EXIT_REFUSED;
	}
	const char *text = read_text(arena, a->file, &len);
	if (!text) {
		fprintf(stderr, "%s: cannot be read: %s\n", a->file, strerror(errno));
		bh_config_unmap(&previous);
		return EXIT_REFUSED;
	}
	struct compile_env env = {
		.catalog = &catalog,
		.path = a->file,
		.folder = folder_of(arena, a->file),
		.previous = previous.head ? &previous : NULL,
		.generation = generation_after(previous.head ? &previous : NULL),
		.program = bh_path_program,
		.runtime = bh_path_runtime,
		.state = bh_path_state,
	};
	r = bh_config_compile(text, len, &env, arena, &report, &tables);
	report_print(&report, stderr);
	bh_config_unmap(&previous);
	if (r < 0)
		return EXIT_REFUSED;
	char path[PATH_MAX];
	if (a->out_fd >= 0)
		r = send_tables(a->out_fd, &tables, realpath(a->file, path) ? path : a->file, env.generation);
	compiled_fini(&tables);
	if (r < 0) {
		fprintf(stderr, "bh-config: the tables cannot be handed over: %s\n", strerror(-r));
		return EXIT_REFUSED;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct arena arena = {0};
	struct args a;
	int r;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("bh-config %s\n", BH_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (!parse_args(argc, argv, &a))
		return usage(stderr);
	r = config_confine();
	if (r < 0)
		fprintf(stderr, "bh-config: goes on without its confinement: %s\n", strerror(-r));
	if (a.file) {
		r = compile_file(&a, &arena);
	} else {
		struct report report = {.arena = &arena};
		struct catalog catalog = {.arena = &arena, .report = &report};
		r = load_catalog(&catalog) < 0 ? EXIT_REFUSED : 0;
		if (r == 0 && a.reference)
			print_reference(&catalog, stdout);
		else if (r == 0 && !print_defaults(&catalog, *a.defaults ? a.defaults : NULL, stdout))
			r = EXIT_USAGE;
	}
	arena_free(&arena);
	return r;
}
