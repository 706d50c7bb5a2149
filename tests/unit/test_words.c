/* What a compiled configuration says, in words. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/words.h"
#include "procs/config/compile.h"

static struct arena arena;
static struct report report = {.arena = &arena};
static struct catalog catalog = {.arena = &arena, .report = &report};
static struct bh_config config;
static void *image;

static const char desk[] = "device: desk\ncontrols:\n"
			   "  - {name: 'fader#', count: 2, kind: fader, strip: 0}\n"
			   "  - {name: 'rec#', count: 9, kind: button, led: red, strip: 0}\n"
			   "  - {name: vpot, kind: vpot, ring: true}\n  - {name: strip, kind: strip, color: true}\n"
			   "  - {name: digits, kind: digits}\n";
static const char surface[] = "kind: surface\nrole: surface\nfields: []\n";
static const char mix[] = "kind: mix\nrole: driver\nfields: []\nactions:\n  - {name: store, args: NAME}\n";
static const char text[] =
	"bulkhead: 1\nsurfaces: {d: {device: desk}}\ndrivers: {mix: {}}\nlayers: [shift]\n"
	"banks: {in: {items: mix/*/level, strips: d/1, each: {fader: 'mix/{}/level'}}}\n"
	"pages:\n"
	"  - name: A\n    bindings:\n"
	"      fader2: {value: mix/a, min: -60, max: 0, invert: yes}\n"
	"      rec1: {action: mix/store, args: [x], light: [{when: mix/s == Wide, show: flash}, {when: not mix/m}], hold: {toggle: mix/m, ms: 750}, double: {radio: mix/s, on: B}}\n"
	"      rec2: {do: [{set: mix/m, to: on}, {wait: 300ms, action: mix/store, args: [y], if: mix/a > -10}, {add: mix/a, by: -3, at: release}]}\n"
	"      rec3: {toggle: mix/m, on: 1, off: 0, also: {toggle: mix/n}}\n"
	"      rec4: {select: mix/s, choices: [A, B]}\n"
	"      rec5: {action: channel/next}\n"
	"      rec6: {momentary: room/layer/shift}\n"
	"      rec7: {hold: mix/m}\n"
	"      vpot: {relative: mix/a, step: 0.5, light: [{when: mix/m, ring: wrap}]}\n"
	"      strip: {text: \"Cam\\nleft\", light: [{when: mix/m, color: red}]}\n"
	"      digits: {display: time}\n"
	"    layers: {shift: {rec1: mix/m}}\n"
	"  - {name: B, banks: [in]}\n"
	"reactions: [{when: changes mix/s, do: [{action: page/go, args: [B]}]}]\n";

static void
setup(void)
{
	struct compile_env env = {.catalog = &catalog, .path = "x.yaml", .folder = "/", .generation = 1};
	struct compiled out;
	size_t size;
	catalog_add_kind(&catalog, "surface.yaml", surface, sizeof(surface) - 1);
	catalog_add_kind(&catalog, "mix.yaml", mix, sizeof(mix) - 1);
	catalog_add_device(&catalog, "desk", "desk.yaml", desk, sizeof(desk) - 1);
	int r = bh_config_compile(text, sizeof(text) - 1, &env, &arena, &report, &out);
	report_print(&report, stderr);
	ck_assert_int_eq(r, 0);
	image = bh_config_writer_image(out.common, "x.yaml", 1, &size);
	ck_assert_ptr_nonnull(image);
	ck_assert_int_eq(bh_config_open(&config, image, size), 0);
	compiled_fini(&out);
}

static void
teardown(void)
{
	free(image);
	arena_free(&arena);
}

static const char *
words(const char *control, enum bh_part part, unsigned nth)
{
	static char out[256];
	const struct bh_cfg_surface *s = bh_config_row(&config, BH_TAB_SURFACES, 0);
	int n = bh_config_find_control(&config, s, control);
	ck_assert_int_ge(n, 0);
	for (uint32_t i = 0; i < bh_config_count(&config, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(&config, BH_TAB_BINDINGS, i);
		if (b->control == n && b->part == part && nth-- == 0) {
			bh_words_binding(&config, b, out, sizeof(out));
			return out;
		}
	}
	return "";
}

START_TEST(each_binding_has_words)
{
	ck_assert_str_eq(words("fader2", BH_PART_MAIN, 0), "value mix/a from -60 to 0, the other way round");
	ck_assert_str_eq(words("rec1", BH_PART_MAIN, 0), "action mix/store x");
	ck_assert_str_eq(words("rec1", BH_PART_MAIN, 1), "while layer/shift is on: value mix/m");
	ck_assert_str_eq(words("rec1", BH_PART_LIGHT, 0), "light flashes while mix/s == Wide");
	ck_assert_str_eq(words("rec1", BH_PART_LIGHT, 1), "light on while not mix/m");
	ck_assert_str_eq(words("rec1", BH_PART_HOLD, 0), "held for 750 ms: toggle mix/m");
	ck_assert_str_eq(words("rec1", BH_PART_DOUBLE, 0), "pressed twice within 300 ms: radio mix/s to B");
	ck_assert_str_eq(words("rec2", BH_PART_MAIN, 0),
			 "do: set mix/m to on; 300 ms later mix/store y if mix/a > -10; when let go add -3 to mix/a");
	ck_assert_str_eq(words("rec3", BH_PART_MAIN, 0), "toggle mix/m on = 1, off = 0; also toggle mix/n");
	ck_assert_str_eq(words("rec4", BH_PART_MAIN, 0), "select mix/s of A, B");
	ck_assert_str_eq(words("rec5", BH_PART_MAIN, 0), "action channel/next in");
	ck_assert_str_eq(words("rec6", BH_PART_MAIN, 0), "momentary room/layer/shift");
	ck_assert_str_eq(words("rec7", BH_PART_MAIN, 0), "nothing");
	ck_assert_str_eq(words("vpot", BH_PART_MAIN, 0), "relative mix/a by 0.5");
	ck_assert_str_eq(words("vpot", BH_PART_LIGHT, 0), "ring wrap while mix/m");
	ck_assert_str_eq(words("strip", BH_PART_MAIN, 0), "strip \"Cam|left\"");
	ck_assert_str_eq(words("strip", BH_PART_LIGHT, 0), "colour red while mix/m");
	ck_assert_str_eq(words("digits", BH_PART_MAIN, 0), "display time");
	ck_assert_str_eq(words("fader1", BH_PART_MAIN, 0), "value mix/{}/level, place 1 of bank in");
}
END_TEST

START_TEST(conditions_and_targets_have_words)
{
	char out[64];
	const struct bh_cfg_reaction *r = bh_config_row(&config, BH_TAB_REACTIONS, 0);
	bh_words_cond(&config, &r->when, out, sizeof(out));
	ck_assert_str_eq(out, "changes mix/s");
	bh_words_step(&config, bh_config_row(&config, BH_TAB_STEPS, r->step_first), out, sizeof(out));
	ck_assert_str_eq(out, "page/go B");
	bh_words_target(&config, BH_SLOT_NONE, 0, 0, out, sizeof(out));
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(words_are_cut_at_a_whole_character)
{
	char out[64];
	struct bh_config_writer *w = bh_config_writer_new();
	struct bh_config c;
	size_t size;
	uint32_t name = bh_config_writer_str(w, "größe", strlen("größe"));
	void *small = bh_config_writer_image(w, "x", 1, &size);
	ck_assert_int_eq(bh_config_open(&c, small, size), 0);
	for (size_t cap = 0; cap < 16; cap++) {
		memset(out, 'x', sizeof(out));
		bh_words_target(&c, BH_SLOT_ROUTER, 0, name, out, cap);
		ck_assert(out[cap] == 'x');
		ck_assert(!cap || strlen(out) < cap);
		size_t len = cap ? strlen(out) : 0;
		ck_assert(!len || strncmp(out, "room/größe", len) == 0);
		/* No half of an ö or ß. */
		ck_assert(len != 8 && len != 10);
	}
	bh_config_writer_free(w);
	free(small);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("words");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_binding_has_words);
	tcase_add_test(t, conditions_and_targets_have_words);
	tcase_add_test(t, words_are_cut_at_a_whole_character);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
