/*
 * bh-config - compiles the configuration for all others
 *
 * In:    the YAML file, kinds/ and devices/ of the data folder; of the configuration in use the tables (--previous) and the
 *        text (--was)
 * Out:   with --out, over a socket: first the text that was read and its number, then the common tables, one memfd of options
 *        for each process, and what is different, all sealed
 * Fails: a file that is not right is refused as a whole: all errors on stderr, exit code 5. Short-lived and bounded: a
 *        file that takes too much memory or time ends this process and no other.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/config/history.h"
#include "common/config/text.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/sandbox.h"
#include "common/spawn.h"
#include "procs/config/compile.h"
#include "procs/config/diff.h"
#include "procs/config/import.h"
#include "procs/config/redact.h"
#include "procs/config/reference.h"
#include "procs/config/sandbox.h"
#include "shm/seg.h"

enum { EXIT_USAGE = 2, EXIT_REFUSED = 5 };

struct args {
	int previous_fd, was_fd, out_fd, keep_fd;
	uint64_t unless[2]; /* texts that are not wanted again; 0 = none */
	bool changes;
	const char *file;
	const char *defaults; /* kind, "" = all, NULL = not asked for */
	const char *main; /* the file that Bulkhead was started with */
	bool reference, schema, redact;
	const char *import; /* file of XTouch-GW */
};

static int
usage(FILE *out)
{
	fputs("usage: bh-config [--previous FD [--was FD] [--changes]] [--out FD] [--unless HASH] FILE\n"
	      "                                      check and compile a configuration; say what is different\n"
	      "       bh-config --defaults [KIND]    every key with its default, as YAML\n"
	      "       bh-config --import-xtouch-gw FILE\n"
	      "                                      a configuration of XTouch-GW as one of ours\n"
	      "       bh-config --reference          the reference of the configuration, as Markdown\n"
	      "       bh-config --schema             a JSON Schema of the configuration, for editors\n"
	      "       bh-config --keep FD --main FILE FILE   put the text that FILE had into the history\n"
	      "       bh-config --redact FILE        the text without its secrets\n",
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
	*a = (struct args){.previous_fd = -1, .was_fd = -1, .out_fd = -1, .keep_fd = -1};
	const struct {
		const char *name;
		int *fd;
	} fds[] = {{"--previous", &a->previous_fd}, {"--was", &a->was_fd}, {"--out", &a->out_fd}, {"--keep", &a->keep_fd}};
	for (int i = 1; i < argc; i++) {
		unsigned k = 0;
		while (k < BH_ARRAY_LEN(fds) && strcmp(argv[i], fds[k].name) != 0)
			k++;
		if (k < BH_ARRAY_LEN(fds)) {
			if (!parse_fd(i + 1 < argc ? argv[i + 1] : NULL, fds[k].fd))
				return false;
			i++;
		} else if (strcmp(argv[i], "--main") == 0) {
			a->main = i + 1 < argc ? argv[++i] : NULL;
		} else if (strcmp(argv[i], "--unless") == 0) {
			char *end = NULL;
			uint64_t hash = i + 1 < argc ? strtoull(argv[++i], &end, 16) : 0;
			if (!end || *end)
				return false;
			a->unless[a->unless[0] != 0] = hash;
		} else if (strcmp(argv[i], "--changes") == 0) {
			a->changes = true;
		} else if (strcmp(argv[i], "--redact") == 0) {
			a->redact = true;
		} else if (strcmp(argv[i], "--defaults") == 0) {
			a->defaults = i + 1 < argc ? argv[++i] : "";
		} else if (strcmp(argv[i], "--import-xtouch-gw") == 0 && i + 1 < argc) {
			a->import = argv[++i];
		} else if (strcmp(argv[i], "--reference") == 0) {
			a->reference = true;
		} else if (strcmp(argv[i], "--schema") == 0) {
			a->schema = true;
		} else if (argv[i][0] == '-' || a->file) {
			return false;
		} else {
			a->file = argv[i];
		}
	}
	return !!a->file + !!a->defaults + a->reference + a->schema + !!a->import == 1;
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

/* ------------------------------------------------------------------ what the supervisor gets */

/* Text that is written once, as a sealed memfd: the descriptor or -errno. */
static int
sealed_text(const char *name, const char *text, size_t len)
{
	bh_autoclose int fd = bh_seg_create_written(name);
	for (size_t done = 0; fd >= 0 && done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	int r = fd < 0 ? fd : bh_seg_seal_written(fd);
	return r < 0 ? r : bh_steal_fd(&fd);
}

/* Before it is looked into: which text it is, whatever comes of it. */
static int
send_source(int sock, const char *text, size_t len, uint64_t hash, uint64_t generation, bool unchanged)
{
	char name[48];
	/* By its name the tool finds the text that belongs to the tables. */
	snprintf(name, sizeof(name), "bulkhead.source.%llx", (unsigned long long)generation);
	struct bh_spawn_msg msg = {.type = BH_SPAWN_CONFIG, .slot = BH_SLOT_SUPERVISOR, .value = hash, .nfds = 1,
				   .flags = unchanged ? BH_SPAWN_UNCHANGED : 0};
	int fd = sealed_text(name, text, len);
	if (fd < 0)
		return fd;
	msg.fd[0] = (struct bh_spawn_fd){.role = BH_FD_SOURCE, .slot = 0, .peer = BH_SLOT_NONE};
	int r = bh_spawn_send(sock, &msg, &fd);
	close(fd);
	return r;
}

/* Make the memfds and send them. */
static int
send_tables(int sock, struct compiled *tables, const char *file, uint64_t generation, const char *changes)
{
	struct bh_spawn_msg msg = {.type = BH_SPAWN_CONFIG, .slot = BH_SLOT_SUPERVISOR, .flags = BH_SPAWN_LAST};
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
	if (r >= 0 && changes && *changes) {
		r = fds[msg.nfds] = sealed_text("bulkhead.changes", changes, strlen(changes));
		if (r >= 0)
			msg.fd[msg.nfds++] = (struct bh_spawn_fd){.role = BH_FD_CHANGES, .slot = 0, .peer = BH_SLOT_NONE};
	}
	if (r >= 0)
		r = bh_spawn_send(sock, &msg, fds);
	for (unsigned i = 0; i < msg.nfds; i++)
		close(fds[i]);
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ what is different */

static char *
read_fd(struct arena *a, int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0 || (size_t)size > TREE_TEXT_MAX)
		return NULL;
	char *text = arena_alloc(a, (size_t)size + 1);
	*len = (size_t)size;
	return pread(fd, text, (size_t)size, 0) == size ? text : NULL;
}

/* Lines for people, "" for nothing, in the arena; NULL: it could not be found out, which is no reason to refuse the configuration. */
static const char *
find_changes(const struct args *a, struct arena *arena, struct catalog *catalog, const struct bh_config *previous,
	     const struct compiled *tables)
{
	struct report report = {.arena = arena};
	struct diff d = {.arena = arena, .catalog = catalog, .before = previous};
	struct bh_config after;
	struct source was = {.path = "before"};
	const struct node *before = NULL;
	size_t size = 0;
	char *text = NULL;
	void *image = bh_config_writer_image(tables->common, a->file, previous->head->generation + 1, &size);
	if (!image || bh_config_open(&after, image, size) < 0) {
		free(image);
		return NULL;
	}
	d.after = &after;
	was.text = a->was_fd >= 0 ? read_fd(arena, a->was_fd, &was.len) : NULL;
	if (was.text)
		before = tree_parse(arena, &report, &was);
	diff_configurations(&d, before, tables->root);
	FILE *f = open_memstream(&text, &size);
	if (f) {
		diff_print(&d, f);
		fclose(f);
	}
	char *copy = text ? arena_copy(arena, text, size) : NULL;
	free(text);
	free(image);
	return copy;
}

/* ------------------------------------------------------------------ a file */

static int
hand_over(const struct args *a, struct arena *arena, struct catalog *catalog, const struct bh_config *previous,
	  struct compiled *tables, uint64_t generation)
{
	char path[PATH_MAX];
	const char *changes = previous->head ? find_changes(a, arena, catalog, previous, tables) : NULL;
	if (a->changes)
		fputs(changes ? changes : "", stdout);
	if (a->out_fd < 0)
		return 0;
	int r = send_tables(a->out_fd, tables, realpath(a->file, path) ? path : a->file, generation, changes);
	if (r < 0)
		fprintf(stderr, "bh-config: the tables cannot be handed over: %s\n", strerror(-r));
	return r;
}

static int
compile_text(const struct args *a, struct arena *arena, const struct bh_config *previous, const char *text, size_t len,
	     uint64_t generation)
{
	struct report report = {.arena = arena};
	struct catalog catalog = {.arena = arena, .report = &report};
	struct compiled tables;
	const struct bh_config *before = previous->head ? previous : NULL;
	if (load_catalog(&catalog) < 0)
		return EXIT_REFUSED;
	struct compile_env env = {
		.catalog = &catalog,
		.path = a->file,
		.folder = folder_of(arena, a->file),
		.previous = before,
		.generation = generation,
		.program = bh_path_program,
		.runtime = bh_path_runtime,
		.state = bh_path_state,
	};
	int r = bh_config_compile(text, len, &env, arena, &report, &tables);
	report_print(&report, stderr);
	if (r < 0)
		return EXIT_REFUSED;
	r = hand_over(a, arena, &catalog, previous, &tables, generation);
	compiled_fini(&tables);
	return r < 0 ? EXIT_REFUSED : 0;
}

static int
compile_file(const struct args *a, struct arena *arena)
{
	struct bh_config previous = {0};
	size_t len = 0;
	int r = a->previous_fd >= 0 ? bh_config_map(&previous, a->previous_fd) : 0;
	if (r < 0) {
		fprintf(stderr, "bh-config: --previous %d: %s\n", a->previous_fd, strerror(-r));
		return EXIT_REFUSED;
	}
	const char *text = read_text(arena, a->file, &len);
	if (!text) {
		fprintf(stderr, "%s: cannot be read: %s\n", a->file, strerror(errno));
		bh_config_unmap(&previous);
		return EXIT_REFUSED;
	}
	uint64_t hash = bh_text_hash(text, len);
	bool unchanged = hash == a->unless[0] || hash == a->unless[1];
	uint64_t generation = generation_after(previous.head ? &previous : NULL);
	r = a->out_fd >= 0 ? send_source(a->out_fd, text, len, hash, generation, unchanged) : 0;
	if (r < 0)
		fprintf(stderr, "bh-config: the text cannot be handed over: %s\n", strerror(-r));
	if (!unchanged)
		r = r < 0 ? EXIT_REFUSED : compile_text(a, arena, &previous, text, len, generation);
	bh_config_unmap(&previous);
	return r < 0 ? EXIT_REFUSED : r;
}

/* Ours on stdout; what has no counterpart, and what is wrong with theirs, on stderr. */
static int
import_file(const struct args *a, struct arena *arena)
{
	struct report report = {.arena = arena};
	struct import_result result;
	struct source src = {.path = a->import};
	src.text = read_text(arena, a->import, &src.len);
	if (!src.text) {
		fprintf(stderr, "%s: cannot be read: %s\n", a->import, strerror(errno));
		return EXIT_REFUSED;
	}
	int r = import_xtouch_gw(&src, arena, &report, stdout, stderr, &result);
	report_print(&report, stderr);
	if (r < 0)
		return EXIT_REFUSED;
	fprintf(stderr, "%u controls converted; %u things without a counterpart\n", result.converted, result.noted);
	return fflush(stdout) ? EXIT_REFUSED : 0;
}

/* ------------------------------------------------------------------ what becomes of a text */

/* Into the history, with the profile that it is of; and that profile is the one to go on with at the next start. */
static int
keep_text(const struct args *a, struct arena *arena)
{
	char dir[PATH_MAX];
	struct bh_version v = {.was_used = true, .time_s = time(NULL)};
	size_t len = 0;
	const char *text = read_fd(arena, a->keep_fd, &len);
	int r = text ? bh_history_folder(dir, sizeof(dir)) : -EIO;
	if (r == 0 && snprintf(v.path, sizeof(v.path), "%s", a->file) >= (int)sizeof(v.path))
		r = -ENAMETOOLONG;
	if (r < 0) {
		fprintf(stderr, "bh-config: %s cannot be put into the history: %s\n", a->file, strerror(-r));
		return 1;
	}
	if (a->main)
		bh_profile_of(a->main, a->file, v.profile);
	r = bh_history_add(dir, &v, text, len);
	if (r < 0)
		fprintf(stderr, "bh-config: %s cannot be put into the history in %s: %s\n", a->file, dir, strerror(-r));
	*strrchr(dir, '/') = '\0';
	int e = v.profile[0] ? bh_profile_remember(dir, a->main, v.profile) : 0;
	if (e < 0)
		fprintf(stderr, "bh-config: which profile is in use cannot be remembered in %s: %s\n", dir, strerror(-e));
	return r < 0 || e < 0;
}

static int
redact_file(const struct args *a, struct arena *arena)
{
	struct report report = {.arena = arena};
	struct catalog catalog = {.arena = arena, .report = &report};
	struct source src = {.path = a->file};
	if (load_catalog(&catalog) < 0)
		return EXIT_REFUSED;
	src.text = read_text(arena, a->file, &src.len);
	if (!src.text) {
		fprintf(stderr, "%s: cannot be read: %s\n", a->file, strerror(errno));
		return EXIT_REFUSED;
	}
	int r = redact(&catalog, arena, &report, &src, stdout);
	report_print(&report, stderr);
	return r < 0 ? EXIT_REFUSED : 0;
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
	r = config_confine(a.keep_fd >= 0 ? BH_MAY_CREATE : 0);
	if (r < 0)
		fprintf(stderr, "bh-config: goes on without its confinement: %s\n", strerror(-r));
	if (a.import) {
		r = import_file(&a, &arena);
	} else if (a.file && a.keep_fd >= 0) {
		r = keep_text(&a, &arena);
	} else if (a.file && a.redact) {
		r = redact_file(&a, &arena);
	} else if (a.file) {
		r = compile_file(&a, &arena);
	} else {
		struct report report = {.arena = &arena};
		struct catalog catalog = {.arena = &arena, .report = &report};
		r = load_catalog(&catalog) < 0 ? EXIT_REFUSED : 0;
		if (r == 0 && a.reference)
			print_reference(&catalog, stdout);
		else if (r == 0 && a.schema)
			print_schema(&catalog, stdout);
		else if (r == 0 && !print_defaults(&catalog, *a.defaults ? a.defaults : NULL, stdout))
			r = EXIT_USAGE;
	}
	arena_free(&arena);
	return r;
}
