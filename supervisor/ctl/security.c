/*
 * security.c - see security.h
 *
 * What holds is the process's own word, written before it read a word of anybody else; its profile is that of the program which is
 * installed, asked by --sandbox.
 */
#include "supervisor/ctl/security.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/paths.h"
#include "common/sandbox.h"
#include "shm/layout.h"
#include "supervisor/ctl/output.h"

struct line {
	char *may, *what, *why;
};

static const char *
text_of(const msgpack_object *p, const char *key, char *buf, size_t cap)
{
	if (bh_wire_get_str(p, key, buf, cap) < 0)
		buf[0] = '\0';
	return buf;
}

static bool
is_in(const msgpack_object *p, const char *list, const char *name)
{
	const msgpack_object *a = bh_wire_get(p, list);
	for (uint32_t i = 0; a && a->type == MSGPACK_OBJECT_ARRAY && i < a->via.array.size; i++) {
		const msgpack_object *o = &a->via.array.ptr[i];
		if (o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(name) && memcmp(o->via.str.ptr, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

static bool
is_confined(const msgpack_object *p)
{
	const msgpack_object *a = bh_wire_get(p, "holds");
	return a && a->type == MSGPACK_OBJECT_ARRAY && a->via.array.size > 0;
}

/* Each line of its profile, one after the other: true while there are more. `row` is overwritten. */
static FILE *
profile_open(const char *kind)
{
	char program[512], binary[64], command[600];
	/* Names of kinds are letters: the table's writer is the supervisor, but its memory is not ours. */
	if (!kind[0] || kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return NULL;
	snprintf(binary, sizeof(binary), "bh-%s", kind);
	if (bh_path_program(program, sizeof(program), binary) < 0 || strchr(program, '\''))
		return NULL;
	snprintf(command, sizeof(command), "'%s' --sandbox 2>/dev/null", program);
	return popen(command, "re");
}

static bool
profile_next(FILE *in, char *row, size_t cap, struct line *l)
{
	char *rest = row;
	if (!fgets(row, (int)cap, in))
		return false;
	row[strcspn(row, "\n")] = '\0';
	l->may = strsep(&rest, "\t");
	l->what = rest ? strsep(&rest, "\t") : NULL;
	l->why = rest;
	return l->why != NULL;
}

static void
text_profile(const char *kind)
{
	char row[512];
	struct line l;
	FILE *in = profile_open(kind);
	if (!in)
		return;
	printf("  what it may do, and why; all else is refused:\n");
	while (profile_next(in, row, sizeof(row), &l))
		printf("    %-8s %-28s %s\n", l.may, strcmp(l.what, "-") ? l.what : "", l.why);
	pclose(in);
}

static void
text_process(const msgpack_object *p, bool all)
{
	char name[64], kind[64];
	text_of(p, "name", name, sizeof(name));
	text_of(p, "kind", kind, sizeof(kind));
	bool alive = bh_wire_get_bool(p, "alive", false);
	if (!alive || !is_confined(p)) {
		printf("%s (bh-%s): %s\n", name, kind,
		       !alive			       ? "does not run"
		       : strcmp(kind, "supervisor") == 0 ? "not confined: it starts programs and holds everybody's memory; it reads no data of peers"
							 : "not confined: a build with sanitizers or for coverage, or no list of calls for this machine");
		return;
	}
	printf("%s (bh-%s, pid %" PRId64 ")\n", name, kind, bh_wire_get_int(p, "pid", 0));
	for (size_t i = 0; i < bh_sandbox_word_count; i++) {
		const struct bh_sandbox_word *w = &bh_sandbox_words[i];
		if (is_in(p, "holds", w->name))
			printf("  holds    %-18s %s\n", w->name, w->what);
		else if (is_in(p, "lacks", w->name))
			printf("  LACKS    %-18s %s: this kernel does not have it (since Linux %s)\n", w->name, w->what, w->since);
		else if (w->bit == BH_HOLDS_NO_NETWORK)
			printf("  without  %-18s its profile has a network\n", w->name);
	}
	if (all)
		text_profile(kind);
}

static void
json_profile(const char *kind)
{
	char row[512];
	struct line l;
	FILE *in = profile_open(kind);
	bool first = true;
	printf(",\"profile\":[");
	while (in && profile_next(in, row, sizeof(row), &l)) {
		printf("%s{\"may\":", first ? "" : ",");
		ctl_json_string(stdout, l.may, strlen(l.may));
		if (strcmp(l.what, "-")) {
			printf(",\"what\":");
			ctl_json_string(stdout, l.what, strlen(l.what));
		}
		printf(",\"why\":");
		ctl_json_string(stdout, l.why, strlen(l.why));
		putchar('}');
		first = false;
	}
	if (in)
		pclose(in);
	putchar(']');
}

static void
json_member(const msgpack_object *p, const char *key, bool first)
{
	const msgpack_object *o = bh_wire_get(p, key);
	printf("%s\"%s\":", first ? "" : ",", key);
	if (o)
		ctl_json_object(stdout, o);
	else
		printf("[]");
}

static void
json_process(const msgpack_object *p)
{
	static const char *const keys[] = {"kind", "role", "alive", "pid", "holds", "lacks"};
	char kind[64];
	putchar('{');
	json_member(p, "name", true);
	for (size_t i = 0; i < BH_ARRAY_LEN(keys); i++)
		json_member(p, keys[i], false);
	json_profile(text_of(p, "kind", kind, sizeof(kind)));
	putchar('}');
}

void
ctl_security(const struct ctl *ctl, const msgpack_object *status, bool all)
{
	const msgpack_object *procs = bh_wire_get(status, "processes");
	if (!procs || procs->type != MSGPACK_OBJECT_ARRAY)
		return;
	if (ctl->json)
		printf("{\"ok\":true,\"processes\":[");
	for (uint32_t i = 0; i < procs->via.array.size; i++) {
		if (!ctl->json) {
			text_process(&procs->via.array.ptr[i], all);
			continue;
		}
		if (i)
			putchar(',');
		json_process(&procs->via.array.ptr[i]);
	}
	if (ctl->json)
		printf("]}\n");
}
