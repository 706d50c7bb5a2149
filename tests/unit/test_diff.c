/* test_diff.c - what a reload says is different, and when a file that changes is looked at */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "procs/config/compile.h"
#include "procs/config/diff.h"
#include "supervisor/settle.h"

static const char lamp[] = "kind: lamp\nrole: driver\nfields:\n"
			   "  - {key: host, type: text, default: here, reload: restart, help: h}\n"
			   "  - {key: password, type: secret, default: '', reload: restart, help: h}\n"
			   "  - {key: gain, type: float, default: '0', min: '-60', max: '10', unit: dB, reload: live, help: h}\n"
			   "  - key: ports\n    type: list\n    reload: restart\n    sub:\n"
			   "      - {key: name, type: text, reload: restart, help: h}\n"
			   "      - {key: channel, type: u32, default: '1', min: '1', max: '16', reload: restart, help: h}\n"
			   "actions:\n  - {name: flash, args: 'on|off [HOW]', help: h}\n";
static const char router[] = "kind: router\nrole: router\nfields:\n"
			     "  - {key: settle, type: duration, default: 90ms, reload: live, help: h}\n";
static const char surface[] = "kind: surface\nrole: surface\nfields:\n"
			      "  - {key: path, type: path, default: '', reload: restart, help: h}\n";
static const char desk[] = "device: desk\ndescription: a desk\ncontrols:\n"
			   "  - {name: 'fader#', count: 9, kind: fader, touch: 104, motor: true}\n"
			   "  - {name: 'vpot#', count: 8, kind: vpot, ring: true}\n"
			   "  - {name: 'mute#', count: 8, kind: button, led: red}\n";

static struct arena arena;

static int
place(char *buf, size_t cap, const char *file)
{
	return snprintf(buf, cap, "/run/%s", file ? file : "") < (int)cap ? 0 : -1;
}

struct one {
	struct compiled tables;
	struct bh_config c;
	void *image;
};

static struct one
compile(struct catalog *catalog, const char *text, const struct bh_config *previous)
{
	struct one o = {0};
	struct report report = {.arena = &arena};
	struct compile_env env = {.catalog = catalog, .path = "x.yaml", .folder = "/", .previous = previous, .generation = 1,
				  .program = NULL, .runtime = place, .state = place};
	size_t size;
	int r = bh_config_compile(text, strlen(text), &env, &arena, &report, &o.tables);
	report_print(&report, stderr);
	ck_assert_int_eq(r, 0);
	o.image = bh_config_writer_image(o.tables.common, "x.yaml", 1, &size);
	ck_assert_ptr_nonnull(o.image);
	ck_assert_int_eq(bh_config_open(&o.c, o.image, size), 0);
	return o;
}

#define HEAD "bulkhead: 1\nsurfaces: {s: {device: desk}}\n"

/* The lines that come of two texts. */
static const char *
changes(const char *before, const char *after)
{
	static char *text;
	size_t size;
	struct report report = {.arena = &arena};
	struct catalog catalog = {.arena = &arena, .report = &report};
	catalog_add_kind(&catalog, "lamp.yaml", lamp, sizeof(lamp) - 1);
	catalog_add_kind(&catalog, "router.yaml", router, sizeof(router) - 1);
	catalog_add_kind(&catalog, "surface.yaml", surface, sizeof(surface) - 1);
	catalog_add_device(&catalog, "desk", "desk.yaml", desk, sizeof(desk) - 1);
	struct one a = compile(&catalog, before, NULL), b = compile(&catalog, after, &a.c);
	struct diff d = {.arena = &arena, .catalog = &catalog, .before = &a.c, .after = &b.c};
	diff_configurations(&d, a.tables.root, b.tables.root);
	free(text);
	FILE *f = open_memstream(&text, &size);
	diff_print(&d, f);
	fclose(f);
	compiled_fini(&a.tables);
	compiled_fini(&b.tables);
	free(a.image);
	free(b.image);
	return text;
}

#define PAGES(mix) HEAD "drivers: {l: {kind: lamp}}\npages:\n" mix

START_TEST(a_binding_that_changed_is_told_by_page_and_control)
{
	ck_assert_str_eq(changes(PAGES("  - {name: Talk, bindings: {fader3: l/ch3, fader4: l/ch4, vpot1: {relative: l/p, step: 0.1}}}\n"),
				 PAGES("  - {name: Talk, bindings: {fader5: l/ch5, vpot1: {relative: l/p, step: 0.2}, fader3: l/ch4}}\n")),
			 "page Talk: fader5 now l/ch5\n"
			 "page Talk: vpot1.step 0.1 -> 0.2\n"
			 "page Talk: fader3 l/ch3 -> l/ch4\n"
			 "page Talk: fader4 no longer l/ch4\n");
}
END_TEST

START_TEST(pages_are_known_by_their_names)
{
	ck_assert_str_eq(changes(PAGES("  - {name: A, bindings: {fader1: l/a}}\n  - {name: B, color: red}\n  - {name: C}\n"),
				 PAGES("  - {name: B, color: green}\n  - {name: N, bindings: {fader1: l/a, fader2: l/b}}\n"
				       "  - {name: A, bindings: {fader1: l/a}}\n")),
			 "page B: color red -> green\n"
			 "page N: added, 2 bindings\n"
			 "page C: removed\n"
			 "pages: in another order\n");
}
END_TEST

START_TEST(what_holds_on_all_pages_is_told_too)
{
	ck_assert_str_eq(changes(HEAD, HEAD "drivers: {l: {kind: lamp}}\n"
				       "global: {bindings: {mute1: {action: l/flash, args: [on]}}}\n"),
			 "driver l: added\nall pages: mute1 now {action: l/flash, args: [on]}\n");
}
END_TEST

START_TEST(a_process_is_told_in_one_line_with_what_becomes_of_it)
{
	ck_assert_str_eq(changes(HEAD "drivers: {l: {kind: lamp, host: a}, m: {kind: lamp}, n: {kind: lamp}}\n",
				 HEAD "drivers: {l: {kind: lamp, host: b, gain: 3}, m: {kind: lamp, gain: -3 dB}, o: {kind: lamp}}\n"),
			 "driver l: host a -> b, gain its default -> 3 (restarts)\n"
			 "driver m: gain its default -> -3 dB\n"
			 "driver o: added\n"
			 "driver n: removed\n");
	ck_assert_str_eq(changes(HEAD "drivers: {l: {kind: lamp, ports: [{name: a}, {name: b, channel: 2}]}}\n",
				 HEAD "drivers: {l: {kind: lamp, ports: [{name: b, channel: 3}, {name: c}]}}\n"),
			 "driver l: ports[b].channel 2 -> 3, ports[c] its default -> {name: c}, ports[a] {name: a} -> its default (restarts)\n");
	ck_assert_str_eq(changes(HEAD "drivers: {l: {kind: lamp, params: 10, start: no}}\n", HEAD "drivers: {l: {kind: lamp, params: 20, start: no}}\n"),
			 "driver l: params 10 -> 20 (restarts)\n");
	ck_assert_str_eq(changes(HEAD "drivers: {l: {kind: lamp, start: no}}\n", HEAD "drivers: {l: {kind: lamp}}\n"),
			 "driver l: start no -> its default (starts)\n");
	ck_assert_str_eq(changes(HEAD, HEAD "router: {settle: 50ms, hang_ms: 3s}\n"),
			 "router: settle its default -> 50ms, hang_ms its default -> 3s\n");
}
END_TEST

START_TEST(a_secret_is_never_told)
{
	const char *text = changes(HEAD "drivers: {l: {kind: lamp, password: sesame}}\n",
				   HEAD "drivers: {l: {kind: lamp, password: open}, m: {kind: lamp, password: hidden}}\n");
	ck_assert_str_eq(text, "driver l: password changed (not shown) (restarts)\ndriver m: added\n");
}
END_TEST

START_TEST(comments_order_and_other_ways_to_write_the_same_are_no_difference)
{
	ck_assert_str_eq(changes(HEAD "drivers: {l: {kind: lamp, host: a, gain: 1}, m: {kind: lamp}}\nstore:\n",
				 HEAD "# a comment\ndrivers:\n  m:\n    kind: lamp\n  l:\n    gain: \"1\"\n    host: a\n    kind: lamp\n"),
			 "");
}
END_TEST

START_TEST(much_is_counted_not_listed)
{
	static char text[8192];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", HEAD "drivers: {l: {kind: lamp}}\npages:\n");
	for (int i = 0; i < 60; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "  - {name: P%d}\n", i);
	const char *told = changes(HEAD "drivers: {l: {kind: lamp}}\n", text);
	unsigned lines = 0;
	for (const char *p = told; *p; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, DIFF_LINES_MAX + 1);
	ck_assert_ptr_nonnull(strstr(told, "and 20 more\n"));
	/* Nor is one line longer than can be read. */
	char long_name[3000];
	memset(long_name, 'x', sizeof(long_name));
	snprintf(text, sizeof(text), HEAD "drivers: {l: {kind: lamp, host: \"%.2500s\"}}\n", long_name);
	ck_assert_uint_lt(strlen(changes(HEAD "drivers: {l: {kind: lamp}}\n", text)), 200);
}
END_TEST

/* ------------------------------------------------------------------ when a file that changes is looked at */

#define MS(n) ((uint64_t)(n) * BH_NS_PER_MS)

START_TEST(several_changes_of_one_save_are_one)
{
	struct settle s = {0};
	uint64_t t = MS(1000);
	ck_assert(!settle_is_due(&s, t));
	settle_touch(&s, t, MS(150));
	settle_touch(&s, t + MS(5), MS(150));
	settle_touch(&s, t + MS(100), MS(150));
	ck_assert(!settle_is_due(&s, t + MS(249)));
	ck_assert(settle_is_due(&s, t + MS(250)));
	/* Once. */
	ck_assert(!settle_is_due(&s, t + MS(251)));
	ck_assert(!settle_is_due(&s, t + MS(10000)));
	settle_touch(&s, t + MS(20000), MS(150));
	ck_assert(settle_is_due(&s, t + MS(20150)));
}
END_TEST

START_TEST(who_writes_without_a_pause_is_looked_at_all_the_same)
{
	struct settle s = {0};
	unsigned looks = 0;
	for (uint64_t t = MS(1000); t < MS(11000); t += MS(10)) {
		settle_touch(&s, t, MS(150));
		looks += settle_is_due(&s, t);
	}
	/* Every 1.5 seconds. */
	ck_assert_uint_ge(looks, 5);
	ck_assert_uint_le(looks, 7);
}
END_TEST

START_TEST(a_kind_may_say_how_many_parameters_its_drivers_have)
{
	static const char studio[] = "kind: studio\nrole: driver\nmax_params: '2048'\nfields: []\n";
	static const struct {
		const char *drivers, *name;
		uint32_t params;
	} cases[] = {
		{"{studio: {}}", "studio", 2048},
		{"{a: {kind: studio}}", "a", 2048},
		{"{studio: {params: 100}}", "studio", 100},
		{"{studio: {params: 4096}}", "studio", 4096},
		{"{studio: {}, lamp: {}}", "lamp", 256},
		{"{studio: {kind: lamp}}", "studio", 256},
	};
	struct report report = {.arena = &arena};
	struct catalog catalog = {.arena = &arena, .report = &report};
	catalog_add_kind(&catalog, "lamp.yaml", lamp, sizeof(lamp) - 1);
	catalog_add_kind(&catalog, "studio.yaml", studio, sizeof(studio) - 1);
	for (unsigned i = 0; i < BH_ARRAY_LEN(cases); i++) {
		char text[128];
		snprintf(text, sizeof(text), "bulkhead: 1\ndrivers: %s\n", cases[i].drivers);
		struct one o = compile(&catalog, text, NULL);
		ck_assert_uint_eq(bh_config_find_proc(&o.c, cases[i].name)->params, cases[i].params);
		ck_assert_uint_eq(bh_config_find_proc(&o.c, cases[i].name)->records, cases[i].params);
		compiled_fini(&o.tables);
		free(o.image);
	}
	arena_free(&arena);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("diff");
	TCase *t = tcase_create("all");
	tcase_add_test(t, a_binding_that_changed_is_told_by_page_and_control);
	tcase_add_test(t, pages_are_known_by_their_names);
	tcase_add_test(t, what_holds_on_all_pages_is_told_too);
	tcase_add_test(t, a_process_is_told_in_one_line_with_what_becomes_of_it);
	tcase_add_test(t, a_secret_is_never_told);
	tcase_add_test(t, comments_order_and_other_ways_to_write_the_same_are_no_difference);
	tcase_add_test(t, much_is_counted_not_listed);
	tcase_add_test(t, a_kind_may_say_how_many_parameters_its_drivers_have);
	tcase_add_test(t, several_changes_of_one_save_are_one);
	tcase_add_test(t, who_writes_without_a_pause_is_looked_at_all_the_same);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
