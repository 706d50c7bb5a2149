/*
 * Every key of every kind of process, as these describe themselves, is changed under a running pipeline: it takes effect live in the
 * same process, restarts that process and no other, or is refused with a reason. None is accepted and ignored. Keys that a
 * kind gets one day are looked at without a change here.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/config/catalog.h"
#include "procs/config/compile_int.h"
#include "tests/lib/pipeline.h"

static struct pipeline pl;
static char out[65536];
static struct arena arena;
static struct report report = {.arena = &arena};
static struct catalog catalog = {.arena = &arena, .report = &report};

/* A process of each kind: the fixed ones, and one of every kind of surface and driver. */
static struct proc {
	const struct kind *kind;
	char name[32];
	const struct bh_cfg_field *common;
} procs[32];
static unsigned count;

/* ------------------------------------------------------------------ values */

/* Where the other end of a range would change the test itself. */
static const struct {
	const char *kind, *key, *value;
} chosen[] = {
	{"supervisor", "memory_max_bytes", "4000M"}, {"supervisor", "cpu_max", "100"}, {"supervisor", "files_max", "4000"},
	{"supervisor", "log_dir", "@DIR@/logs"}, {"supervisor", "crash_limit", "9"},
	{"supervisor", "watch", "yes"},		     {"loop", "channels", "4"},
	{"store", "dir", "@DIR@/snapshots"},	     {"surface", "transport", "sequencer"},
};

/* What a surface is given, so that it waits for a device that nobody has. */
static const struct {
	const char *kind, *key, *value;
} given[] = {
	{"surface", "device", "x-touch"}, {"surface", "transport", "socket"}, {"surface", "path", "@DIR@/none.sock"},
	{"pad", "device", "gamepad"},	  {"pad", "path", "@DIR@/none.sock"},
};

static const char *
fallback(enum bh_cfg_type type)
{
	switch (type) {
	case BH_CFG_STR:
	case BH_CFG_SECRET: return "127.0.0.2";
	case BH_CFG_PATH: return "@DIR@/other";
	case BH_CFG_U32:
	case BH_CFG_I32: return "3";
	case BH_CFG_FLOAT: return "1.5";
	case BH_CFG_PORT: return "7001";
	case BH_CFG_MS: return "7s";
	case BH_CFG_BYTES: return "8M";
	case BH_CFG_BOOL:
	case BH_CFG_ENUM:
	case BH_CFG_LIST:
	case BH_CFG_END: break;
	}
	return "";
}

/* Another value than the default, and a right one. */
static const char *
other_value(const struct proc *p, const struct bh_cfg_field *f)
{
	for (unsigned i = 0; i < BH_ARRAY_LEN(chosen); i++)
		if (!strcmp(chosen[i].kind, p->kind->name) && !strcmp(chosen[i].key, f->key))
			return chosen[i].value;
	if (f->type == BH_CFG_BOOL)
		return f->def && (!strcmp(f->def, "yes") || !strcmp(f->def, "true") || !strcmp(f->def, "on")) ? "no" : "yes";
	if (f->type == BH_CFG_ENUM)
		return f->choices[0] && f->def && !strcmp(f->choices[0], f->def) && f->choices[1] ? f->choices[1] : f->choices[0];
	if (!strcmp(f->key, "ring_slots"))
		return "2048";
	if (f->max && (!f->def || strcmp(f->max, f->def)))
		return f->max;
	if (f->min && (!f->def || strcmp(f->min, f->def)))
		return f->min;
	return fallback(f->type);
}

/* ------------------------------------------------------------------ the file */

/* The base, with `key: value` for one process. */
static void
write_with(const struct proc *changed, const char *key, const char *value)
{
	static char text[16384];
	size_t len = (size_t)snprintf(text, sizeof(text), "bulkhead: 1\n");
	const char *section = "";
	for (unsigned i = 0; i < count; i++) {
		const struct proc *p = &procs[i];
		bool fixed = p->kind->role != BH_ROLE_SURFACE && p->kind->role != BH_ROLE_DRIVER;
		const char *in = fixed ? "" : p->kind->role == BH_ROLE_SURFACE ? "surfaces" : "drivers";
		if (strcmp(in, section) && *in)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s:\n", in);
		section = in;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:\n", fixed ? "" : "  ", p->name);
		const char *indent = fixed ? "  " : "    ";
		if (!fixed)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%skind: %s\n", indent, p->kind->name);
		if (p->kind->role == BH_ROLE_SUPERVISOR && (p != changed || strcmp(key, "watch")))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%swatch: no\n", indent);
		for (unsigned k = 0; k < BH_ARRAY_LEN(given); k++)
			if (!strcmp(given[k].kind, p->kind->name) && (p != changed || strcmp(key, given[k].key)))
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s: \"%s\"\n", indent, given[k].key, given[k].value);
		for (const struct bh_cfg_field *f = p->kind->fields; f && f->type != BH_CFG_END; f++)
			if (!f->def && f->type != BH_CFG_LIST && (p != changed || strcmp(key, f->key)))
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s: \"%s\"\n", indent, f->key,
							f->type == BH_CFG_STR ? "127.0.0.1" : fallback(f->type));
		if (p == changed)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s: %s%s%s\n", indent, key, *value == '[' ? "" : "\"", value, *value == '[' ? "" : "\"");
		else if (fixed && p->kind->role != BH_ROLE_SUPERVISOR) /* a section that is not empty */
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%shang_ms: 2s\n", indent);
	}
	pipeline_config(&pl, text);
}

static int
reload(void)
{
	return pipeline_tool(&pl, out, sizeof(out), "bulkhead", "reload", NULL);
}

/* ------------------------------------------------------------------ who runs */

static pid_t
pid_of(const struct proc *p)
{
	return pipeline_pid(&pl, p->name);
}

/* It has come as far as it can here: what it speaks to is not there. */
static bool
is_settled(const struct proc *p)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, p->name, &b) && b.health.health != BH_HEALTH_STARTING && b.health.health != BH_HEALTH_BACKING_OFF &&
	       (b.alive || b.health.health == BH_HEALTH_STOPPED);
}

static bool
are_settled(void)
{
	for (unsigned i = 0; i < count; i++)
		if (!is_settled(&procs[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ one key */

static unsigned live_keys, restart_keys, refused_keys;

static bool
is_restarted(const struct proc *p, pid_t before)
{
	pid_t now = pid_of(p);
	return now > 0 && now != before && is_settled(p);
}

static void
try_key(const struct proc *p, const struct bh_cfg_field *f)
{
	pid_t before[32];
	const char *value = f->type == BH_CFG_LIST ? "[{}]" : other_value(p, f);
	ck_assert_msg(pipeline_until(30000, are_settled()), "not all are settled\n%s", pipeline_log(&pl));
	for (unsigned i = 0; i < count; i++)
		before[i] = pid_of(&procs[i]);
	write_with(p, f->key, value);
	int r = reload();
	if (r == 5) {
		/* Refused: with the place in the file, or with the name of who refuses it. */
		ck_assert_msg(strstr(out, "pipeline.yaml:") || strstr(out, "refuses it: "), "%s.%s: refused without a reason: %s", p->name, f->key, out);
		for (unsigned i = 0; i < count; i++)
			ck_assert_msg(pid_of(&procs[i]) == before[i], "%s.%s was refused, and %s was restarted", p->name, f->key, procs[i].name);
		refused_keys++;
		return;
	}
	ck_assert_msg(r == 0, "%s.%s: %s: reload ends with %d: %s\n%s", p->name, f->key, value, r, out, pipeline_log(&pl));
	ck_assert_msg(strstr(out, f->key) != NULL, "%s.%s: %s: the answer does not tell the change: %s", p->name, f->key, value, out);
	bool start = !strcmp(f->key, "start");
	/* Of the supervisor's own keys none restarts anything. */
	bool restarts = f->reload == BH_RELOAD_RESTART && p->kind->role != BH_ROLE_SUPERVISOR;
	ck_assert_msg(!!strstr(out, "(restarts)") == restarts, "%s.%s is described as %s, and the answer is: %s", p->name, f->key,
		      restarts ? "restart" : "live", out);
	for (unsigned i = 0; i < count; i++) {
		if (&procs[i] != p)
			ck_assert_msg(pid_of(&procs[i]) == before[i], "%s.%s restarted %s", p->name, f->key, procs[i].name);
		else if (start)
			ck_assert_msg(pipeline_until(30000, pid_of(p) <= 0), "%s does not stop", p->name);
		else if (restarts)
			ck_assert_msg(pipeline_until(30000, is_restarted(p, before[i])), "%s.%s does not restart it\n%s", p->name, f->key,
				      pipeline_log(&pl));
		else
			ck_assert_msg(pid_of(p) == before[i], "%s.%s is live and restarted it", p->name, f->key);
	}
	live_keys += !restarts;
	restart_keys += restarts;
	/* And back. */
	for (unsigned i = 0; i < count; i++)
		before[i] = pid_of(&procs[i]);
	write_with(NULL, "", "");
	r = reload();
	ck_assert_msg(r == 0, "%s.%s: back: %s", p->name, f->key, out);
	if (start || restarts)
		ck_assert_msg(pipeline_until(30000, is_restarted(p, before[p - procs])), "%s.%s: back: %s does not come\n%s", p->name, f->key,
			      p->name, pipeline_log(&pl));
}

START_TEST(none_is_accepted_and_ignored)
{
	const struct proc *p = &procs[_i];
	for (const struct bh_cfg_field *f = p->common; f->type != BH_CFG_END; f++)
		if (strcmp(f->key, "kind") && strcmp(f->key, "device"))
			try_key(p, f);
	for (const struct bh_cfg_field *f = p->kind->fields; f && f->type != BH_CFG_END; f++)
		try_key(p, f);
	printf("%-10s %u keys live, %u restart it, %u refused\n", p->name, live_keys, restart_keys, refused_keys);
	ck_assert_uint_gt(live_keys + restart_keys + refused_keys, 1);
}
END_TEST

static void
find_kinds(void)
{
	static const enum bh_role order[] = {BH_ROLE_SUPERVISOR, BH_ROLE_ROUTER, BH_ROLE_CONTROL, BH_ROLE_STORE, BH_ROLE_SURFACE,
					     BH_ROLE_DRIVER};
	char folder[512];
	snprintf(folder, sizeof(folder), "%s/..", getenv("BH_BIN"));
	if (catalog_load(&catalog, folder) < 0 || report.count) {
		fputs("the kinds of process cannot be read: run by ctest\n", stderr);
		exit(2);
	}
	for (unsigned o = 0; o < BH_ARRAY_LEN(order); o++) {
		for (uint32_t k = 0; k < catalog.kinds && count < BH_ARRAY_LEN(procs); k++) {
			const struct kind *kind = &catalog.kind[k];
			if (kind->role != order[o])
				continue;
			struct proc *p = &procs[count++];
			p->kind = kind;
			p->common = common_fields(kind->role);
			bool fixed = kind->role != BH_ROLE_SURFACE && kind->role != BH_ROLE_DRIVER;
			snprintf(p->name, sizeof(p->name), "%s%s", fixed ? "" : "a-", kind->name);
		}
	}
}

static void
setup(void)
{
	pipeline_prepare(&pl, "bulkhead: 1\n");
	write_with(NULL, "", "");
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(30000, are_settled()), "not all are settled\n%s", pipeline_log(&pl));
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	pipeline_clean(&pl);
}

int
main(void)
{
	find_kinds();
	Suite *s = suite_create("every_key");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, none_is_accepted_and_ignored, 0, (int)count);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
