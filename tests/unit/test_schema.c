/* The JSON Schema of the configuration: it is JSON, every right file passes it, and a wrong key does not. */
#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/config/compile.h"
#include "procs/config/reference.h"

static struct arena arena;
static struct report report = {.arena = &arena};
static struct catalog catalog = {.arena = &arena, .report = &report};
static const struct node *schema;
static const char *src;

static const struct node *
parse(const char *path, const char *text, size_t len)
{
	struct source *s = arena_alloc(&arena, sizeof(*s));
	*s = (struct source){.path = path, .text = text, .len = len};
	const struct node *root = tree_parse(&arena, &report, s);
	if (report.count)
		report_print(&report, stderr);
	ck_assert_msg(root != NULL && !report.count, "%s", path);
	return root;
}

static void
setup(void)
{
	char *text = NULL, kinds[PATH_MAX];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	src = getenv("BH_SRC");
	ck_assert_ptr_nonnull(src);
	snprintf(kinds, sizeof(kinds), "%s/tests/golden/config/data/kinds", src);
	/* Kinds of the golden files; devices are nothing to a schema. */
	DIR *d = opendir(kinds);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		char path[PATH_MAX + NAME_MAX + 2];
		size_t n;
		snprintf(path, sizeof(path), "%s/%s", kinds, e->d_name);
		if (e->d_name[0] == '.')
			continue;
		const char *kind = read_text(&arena, path, &n);
		ck_assert_ptr_nonnull(kind);
		catalog_add_kind(&catalog, arena_copy(&arena, path, strlen(path)), kind, n);
	}
	closedir(d);
	print_schema(&catalog, out);
	fclose(out);
	schema = parse("schema", arena_copy(&arena, text, len), len);
	free(text);
}

static void
teardown(void)
{
	arena_free(&arena);
}

/* ------------------------------------------------------------------ as much of a validator as our schema needs */

static bool passes(const struct node *s, const struct node *n);

static bool
is_type(const char *type, const struct node *n)
{
	if (strcmp(type, "object") == 0)
		return n->kind == NODE_MAP;
	if (strcmp(type, "array") == 0)
		return n->kind == NODE_LIST;
	if (strcmp(type, "null") == 0)
		return n->kind == NODE_TEXT && n->is_null;
	/* Texts, numbers and booleans are one to this parser. */
	return n->kind == NODE_TEXT && !n->is_null;
}

static bool
is_among(const struct node *list, const struct node *n, bool types)
{
	if (list->kind == NODE_TEXT)
		return is_type(list->text, n);
	for (uint32_t i = 0; i < list->count; i++)
		if (types ? is_type(list->item[i]->text, n) : n->kind == NODE_TEXT && strcmp(list->item[i]->text, n->text) == 0)
			return true;
	return false;
}

static bool
keys_pass(const struct node *s, const struct node *n)
{
	const struct node *properties = node_get(s, "properties"), *more = node_get(s, "additionalProperties");
	for (uint32_t i = 0; n->kind == NODE_MAP && i < n->count; i++) {
		const struct node *own = node_get(properties, n->item[2 * i]->text);
		const struct node *rule = own ? own : more;
		if (rule && rule->kind == NODE_TEXT && strcmp(rule->text, "false") == 0)
			return false;
		if (rule && rule->kind == NODE_MAP && !passes(rule, n->item[2 * i + 1]))
			return false;
	}
	return true;
}

static bool
passes(const struct node *s, const struct node *n)
{
	const struct node *ref = node_get(s, "$ref"), *any = node_get(s, "anyOf"), *type = node_get(s, "type");
	const struct node *among = node_get(s, "enum"), *items = node_get(s, "items");
	bool ok = !any;
	if (ref) {
		const struct node *there = node_get(node_get(schema, "definitions"), ref->text + strlen("#/definitions/"));
		ck_assert_msg(there != NULL, "%s leads nowhere", ref->text);
		return passes(there, n);
	}
	for (uint32_t i = 0; any && i < any->count && !ok; i++)
		ok = passes(any->item[i], n);
	if (!ok || (type && !is_among(type, n, true)) || (among && !is_among(among, n, false)) || !keys_pass(s, n))
		return false;
	for (uint32_t i = 0; items && n->kind == NODE_LIST && i < n->count; i++)
		if (!passes(items, n->item[i]))
			return false;
	return true;
}

static bool
file_passes(const char *path)
{
	size_t len;
	const char *text = read_text(&arena, path, &len);
	ck_assert_msg(text != NULL, "%s", path);
	return passes(schema, parse(arena_copy(&arena, path, strlen(path)), text, len));
}

START_TEST(every_right_file_passes)
{
	static const char *const files[] = {"tests/golden/config/good_full.yaml", "tests/golden/config/good_minimal.yaml",
					    "tests/golden/config/good_everything.yaml", "tests/golden/config/good_warnings.yaml",
					    "deploy/examples/everything.yaml", "deploy/examples/demo.yaml"};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", src, files[i]);
		ck_assert_msg(file_passes(path), "%s", files[i]);
	}
}
END_TEST

START_TEST(wrong_keys_and_words_do_not_pass)
{
	static const char *const wrong[] = {
		"bulkhead: 1\npags: []\n",
		"bulkhead: 1\npages: {}\n",
		"bulkhead: 1\npages: [{ name: A, bindings: { fader1: { value: a/b, invrt: yes } } }]\n",
		"bulkhead: 1\npages: [{ name: A, bindings: { fader1: { value: [a/b] } } }]\n",
		"bulkhead: 1\npages: [{ name: A, bindings: { rec1: { action: a/b, hold: { action: a/b, hold: a/b } } } }]\n",
		"bulkhead: 1\npages: [{ name: A, bindings: { vpot1: { value: a/b, ring: fan } } }]\n",
		"bulkhead: 1\npages: [{ name: A, bindings: { rec1: { do: [{ sett: a/b }] } } }]\n",
		"bulkhead: 1\nreactions: [{ whn: a/b }]\n",
		"bulkhead: 1\nbanks: { a: { itms: [b] } }\n",
		"bulkhead: 1\nvariables: { a: { choics: [b] } }\n",
		"bulkhead: 1\ndrivers: { lamp: { hots: x } }\n",
		"bulkhead: 1\ndrivers: { lamp: { ports: [{ name: a, mode: sotf }] } }\n",
		"bulkhead: 1\nglobal: { reactions: [] }\n",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(!passes(schema, parse("wrong", wrong[i], strlen(wrong[i]))), "%s", wrong[i]);
	static const char right[] = "bulkhead: 1\ndrivers: { lamp: { host: x, ports: [{ name: a, mode: soft }] } }\n";
	ck_assert(passes(schema, parse("right", right, strlen(right))));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_right_file_passes);
	tcase_add_test(t, wrong_keys_and_words_do_not_pass);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
