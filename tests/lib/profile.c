/* profile.c - see profile.h */
#include "tests/lib/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

const char *const profile_kinds[PROFILE_KINDS] = {"router", "loop", "template", "store", "control", "surface", "midi", "pad", "obs"};

static uint32_t
may_of(const char *name)
{
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *is = bh_sandbox_may_name(bit);
		if (is && strcmp(is, name) == 0)
			return bit;
	}
	return 0;
}

/* Instead of its own configuration. */
static void
configure(struct bh_sandbox_plan *plan, const struct bh_sandbox_line *l, const char *folder)
{
	if (l->may == BH_MAY_KEEP && !l->what)
		bh_sandbox_path(plan, BH_MAY_KEEP, folder);
	else if (l->may == BH_MAY_USE && !l->what)
		bh_sandbox_path(plan, BH_MAY_USE, "/dev/pts");
	else if (l->may == BH_MAY_PORT)
		bh_sandbox_port(plan, PROFILE_PORT);
	else if (l->may == BH_MAY_UDP)
		bh_sandbox_host(plan, "localhost");
}

static const char *
read_lines(char *text, struct bh_sandbox *box, unsigned *n)
{
	char *line;
	memset(box, 0, sizeof(*box));
	while ((line = strsep(&text, "\n")) && *line) {
		const char *may = strsep(&line, "\t"), *what = line ? strsep(&line, "\t") : NULL;
		if (!line || strlen(line) < 3)
			return "a line without a reason";
		if (*n == BH_ARRAY_LEN(box->line))
			return "too many lines";
		box->line[(*n)++] = (struct bh_sandbox_line){may_of(may), strcmp(what, "-") ? what : NULL, line};
		if (!may_of(may))
			return "a word that nobody knows";
	}
	return NULL;
}

const char *
profile_read(const char *kind, const char *folder, struct bh_sandbox_plan *plan)
{
	static struct bh_sandbox box;
	static char text[8192];
	char command[512];
	unsigned n = 0;
	snprintf(command, sizeof(command), "'%s/bh-%s' --sandbox", getenv("BH_BIN"), kind);
	FILE *in = popen(command, "re");
	if (!in)
		return "it does not start";
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	if (pclose(in) != 0)
		return "it fails";
	const char *why = read_lines(text, &box, &n);
	if (why)
		return why;
	bh_sandbox_plan(plan, &box, NULL);
	for (unsigned i = 0; i < n; i++)
		configure(plan, &box.line[i], folder);
	return NULL;
}
