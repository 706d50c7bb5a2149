/*
 * verb_config.c - the configurations that were in use: show, history, diff, restore
 *
 * Read from the state folder, so it works while nothing runs. Secrets are not shown unless asked for: bh-config, which knows what
 * keys there are, takes them out.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/config/history.h"
#include "common/config/text.h"
#include "common/mem.h"
#include "supervisor/ctl/check.h"
#include "supervisor/ctl/client.h"
#include "supervisor/ctl/lines.h"
#include "supervisor/ctl/output.h"

struct past {
	char dir[PATH_MAX];
	struct bh_version version[BH_HISTORY_KEEP]; /* newest first */
	int count;
};

static int
open_past(struct ctl *ctl, struct past *p)
{
	int r = bh_history_folder(p->dir, sizeof(p->dir));
	p->count = r < 0 ? r : bh_history_list(p->dir, p->version, BH_HISTORY_KEEP);
	if (p->count < 0)
		return ctl_error(ctl, "failed", NULL, "the history cannot be read: %s", strerror(-p->count));
	if (p->count == 0)
		return ctl_error(ctl, "unknown-name", "a version is kept whenever a configuration is taken into use", "there is no history yet in %s",
				 p->dir);
	return CTL_OK;
}

/* The n-th newest that was in use; NULL = so far back it does not go. */
static const struct bh_version *
used(const struct past *p, int n)
{
	for (int i = 0; i < p->count; i++)
		if (p->version[i].was_used && n-- == 0)
			return &p->version[i];
	return NULL;
}

/* Of a word on the command line. */
static const struct bh_version *
find(struct ctl *ctl, const struct past *p, const char *word)
{
	long n = 0;
	if (ctl_parse_int(word, 1, INT_MAX, &n) < 0) {
		ctl_error(ctl, "bad-value", "`bulkhead config history` lists them", "a version is a number, not \"%s\"", word);
		return NULL;
	}
	for (int i = 0; i < p->count; i++)
		if (p->version[i].number == (uint32_t)n)
			return &p->version[i];
	ctl_error(ctl, "unknown-name", "`bulkhead config history` lists them", "there is no version %ld", n);
	return NULL;
}

/* Its text, as far as it may be shown (free() it). */
static int
text_of(struct ctl *ctl, const struct past *p, const struct bh_version *v, char **text)
{
	struct bh_version again;
	char file[PATH_MAX + 32];
	int r = bh_history_read(p->dir, v->number, &again, text);
	if (r < 0)
		return ctl_error(ctl, "failed", NULL, "version %" PRIu32 ": %s", v->number, r == -EBADMSG ? "it is damaged" : strerror(-r));
	if (ctl->secrets)
		return CTL_OK;
	free(*text);
	snprintf(file, sizeof(file), "%s/%08" PRIu32 ".yaml", p->dir, v->number);
	r = ctl_redact(ctl, file, text);
	if (r != CTL_OK)
		return r;
	/* The first line is the history's own. */
	size_t head = strcspn(*text, "\n");
	head += (*text)[head] == '\n';
	memmove(*text, *text + head, strlen(*text + head) + 1);
	return CTL_OK;
}

static void
time_of(const struct bh_version *v, char *out, size_t cap)
{
	time_t t = (time_t)v->time_s;
	struct tm tm;
	if (!localtime_r(&t, &tm) || !strftime(out, cap, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, cap, "?");
}

/* ------------------------------------------------------------------ show, history, diff */

static void
put_version(const struct bh_version *v, bool in_use)
{
	char when[40];
	time_of(v, when, sizeof(when));
	printf("{\"version\":%" PRIu32 ",\"in_use\":%s,\"was_used\":%s,\"time_s\":%" PRId64 ",\"time\":\"%s\",\"profile\":", v->number,
	       in_use ? "true" : "false", v->was_used ? "true" : "false", v->time_s, when);
	ctl_json_string(stdout, v->profile, strlen(v->profile));
	printf(",\"file\":");
	ctl_json_string(stdout, v->path, strlen(v->path));
	printf(",\"bytes\":%" PRIu64 ",\"check\":\"%016" PRIx64 "\"", v->size, v->hash);
}

static int
show(struct ctl *ctl, const struct past *p, int argc, char **argv)
{
	bh_autofree char *text = NULL;
	const struct bh_version *v = argc ? find(ctl, p, argv[0]) : used(p, 0);
	if (!v)
		return argc ? CTL_USAGE : ctl_error(ctl, "unknown-name", NULL, "no configuration was in use yet");
	int code = text_of(ctl, p, v, &text);
	if (code != CTL_OK)
		return code;
	if (!ctl->json) {
		fputs(text, stdout);
		return CTL_OK;
	}
	put_version(v, v == used(p, 0));
	printf(",\"text\":");
	ctl_json_string(stdout, text, strlen(text));
	printf("}\n");
	return CTL_OK;
}

static int
history(struct ctl *ctl, const struct past *p, int argc, char **argv)
{
	const struct bh_version *now = used(p, 0);
	(void)argc, (void)argv;
	if (ctl->json)
		printf("{\"ok\":true,\"versions\":[");
	for (int i = 0; i < p->count; i++) {
		const struct bh_version *v = &p->version[i];
		char when[40];
		if (ctl->json) {
			printf("%s", i ? "," : "");
			put_version(v, v == now);
			printf("}");
			continue;
		}
		time_of(v, when, sizeof(when));
		printf("%c %4" PRIu32 "  %s  %-12s %7" PRIu64 " bytes  %s%s\n", v == now ? '*' : ' ', v->number, when, v->profile[0] ? v->profile : "-",
		       v->size, v->path, v->was_used ? "" : "  (was in the file, not in use)");
	}
	if (ctl->json)
		printf("]}\n");
	return CTL_OK;
}

static int
diff(struct ctl *ctl, const struct past *p, int argc, char **argv)
{
	bh_autofree char *a_text = NULL, *b_text = NULL, *out = NULL;
	const struct bh_version *b = argc > 1 ? find(ctl, p, argv[1]) : used(p, 0), *a = argc ? find(ctl, p, argv[0]) : used(p, 1);
	char a_name[64], b_name[64];
	size_t size = 0;
	if ((argc && !a) || (argc > 1 && !b))
		return CTL_USAGE;
	if (!a || !b)
		return ctl_error(ctl, "unknown-name", NULL, "there is no version before the one in use");
	int code = text_of(ctl, p, a, &a_text);
	if (code == CTL_OK)
		code = text_of(ctl, p, b, &b_text);
	if (code != CTL_OK)
		return code;
	snprintf(a_name, sizeof(a_name), "version %" PRIu32, a->number);
	snprintf(b_name, sizeof(b_name), "version %" PRIu32 "%s", b->number, b == used(p, 0) ? " (in use)" : "");
	if (!ctl->json) {
		ctl_diff_lines(stdout, a_text, b_text, a_name, b_name);
		return CTL_OK;
	}
	FILE *f = open_memstream(&out, &size);
	if (!f)
		return CTL_FAILED;
	ctl_diff_lines(f, a_text, b_text, a_name, b_name);
	fclose(f);
	printf("{\"ok\":true,\"from\":%" PRIu32 ",\"to\":%" PRIu32 ",\"diff\":", a->number, b->number);
	ctl_json_string(stdout, out, size);
	printf("}\n");
	return CTL_OK;
}

/* ------------------------------------------------------------------ restore */

static int
write_beside(const char *path, const char *text, char *temp, size_t cap)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	size_t len = strlen(text);
	int folder = (int)(slash ? slash + 1 - path : 0);
	if (snprintf(temp, cap, "%.*s.%s.restored-%d", folder, path, path + folder, (int)getpid()) >= (int)cap)
		return -ENAMETOOLONG;
	mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
	bh_autoclose int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n <= 0 && errno != EINTR)
			return n < 0 ? -errno : -EIO;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* What stands in the file now, if no version has it: somebody may want it back, too. */
static void
keep_present(const struct past *p, const struct bh_version *v, const char *path)
{
	struct bh_version present = {.time_s = time(NULL)};
	struct stat st;
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > (off_t)BH_HISTORY_TEXT_MAX)
		return;
	bh_autofree char *text = calloc(1, (size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		return;
	uint64_t hash = bh_text_hash(text, (size_t)st.st_size);
	for (int i = 0; i < p->count; i++)
		if (p->version[i].hash == hash && p->version[i].size == (uint64_t)st.st_size)
			return;
	memcpy(present.path, v->path, sizeof(present.path));
	memcpy(present.profile, v->profile, sizeof(present.profile));
	int n = bh_history_add(p->dir, &present, text, (size_t)st.st_size);
	if (n > 0)
		fprintf(stderr, "what was in %s is version %d now\n", path, n);
}

static int
put_back(struct ctl *ctl, const struct past *p, const struct bh_version *v, const char *text)
{
	char path[PATH_MAX], temp[PATH_MAX + 32];
	/* A link stays one. */
	if (!realpath(v->path, path))
		snprintf(path, sizeof(path), "%s", v->path);
	int r = write_beside(path, text, temp, sizeof(temp));
	if (r < 0) {
		unlink(temp);
		return ctl_error(ctl, "failed", NULL, "%s cannot be written: %s", path, strerror(-r));
	}
	int code = ctl_check_config(ctl, temp);
	if (code != CTL_OK) {
		unlink(temp);
		return code;
	}
	keep_present(p, v, path);
	if (rename(temp, path) < 0) {
		r = errno;
		unlink(temp);
		return ctl_error(ctl, "failed", NULL, "%s cannot be replaced: %s", path, strerror(r));
	}
	return CTL_OK;
}

static int
restore(struct ctl *ctl, const struct past *p, int argc, char **argv)
{
	bh_autofree char *text = NULL;
	struct bh_version again;
	struct bh_wire_out o;
	pid_t keeper, supervisor;
	const struct bh_version *v = argc ? find(ctl, p, argv[0]) : NULL;
	if (!v)
		return argc ? CTL_USAGE : ctl_error(ctl, "bad-request", "`bulkhead config restore N`", "restore what?");
	int r = bh_history_read(p->dir, v->number, &again, &text);
	if (r < 0)
		return ctl_error(ctl, "failed", "nothing was changed", "version %" PRIu32 ": %s", v->number,
				 r == -EBADMSG ? "it is damaged" : strerror(-r));
	int code = put_back(ctl, p, v, text);
	if (code != CTL_OK)
		return code;
	if (!ctl->json)
		printf("version %" PRIu32 " is in %s\n", v->number, v->path);
	if (!direct_pids(&keeper, &supervisor)) {
		printf("%s\n", ctl->json ? "{\"ok\":true,\"text\":\"restored; nothing runs\"}" : "nothing runs: it is taken at the next start");
		return CTL_OK;
	}
	uint64_t id = ctl_begin(&o, BH_VERB_RELOAD);
	bh_wire_str(&o, "file", v->path);
	return ctl_act(ctl, &o, id, BH_VERB_RELOAD);
}

int
verb_config(struct ctl *ctl, int argc, char **argv)
{
	static const struct {
		const char *name;
		int most;
		int (*run)(struct ctl *ctl, const struct past *p, int argc, char **argv);
	} rows[] = {{"show", 1, show}, {"history", 0, history}, {"diff", 2, diff}, {"restore", 1, restore}};
	static struct past past;
	for (size_t i = 0; i < BH_ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, argv[0]) != 0)
			continue;
		if (argc - 1 > rows[i].most)
			return ctl_error(ctl, "bad-request", "`bulkhead help config`", "too many arguments");
		int code = open_past(ctl, &past);
		return code == CTL_OK ? rows[i].run(ctl, &past, argc - 1, argv + 1) : code;
	}
	return ctl_error(ctl, "bad-request", "show, history, diff, restore", "there is no \"config %s\"", argv[0]);
}
