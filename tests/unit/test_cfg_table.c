/* Values of the configuration: texts into fields, options into structs, and guesses at what was meant. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/compiled.h"
#include "common/config/suggest.h"
#include "common/config/table.h"
#include "common/driver.h"

static char why[256];

static int
parse(struct bh_cfg_field f, const char *text, void *out)
{
	why[0] = '\0';
	return bh_cfg_parse_value(&f, text, out, why, sizeof(why));
}

#define U32(text, ...)                                                                             \
	({                                                                                         \
		uint32_t v_ = 0xdeadbeef;                                                          \
		int r_ = parse((struct bh_cfg_field){__VA_ARGS__}, text, &v_);                     \
		ck_assert_msg(r_ == 0, "%s: %s", text, why);                                       \
		v_;                                                                                \
	})

#define REFUSED(text, expected, ...)                                                               \
	do {                                                                                       \
		uint64_t v_ = 0;                                                                   \
		ck_assert_int_eq(parse((struct bh_cfg_field){__VA_ARGS__}, text, &v_), -EINVAL);   \
		ck_assert_str_eq(why, expected);                                                   \
		ck_assert_uint_eq(v_, 0);                                                          \
	} while (0)

START_TEST(durations_are_written_with_a_unit)
{
	ck_assert_uint_eq(U32("250ms", .type = BH_CFG_MS), 250);
	ck_assert_uint_eq(U32("1s", .type = BH_CFG_MS), 1000);
	ck_assert_uint_eq(U32("1.5 s", .type = BH_CFG_MS), 1500);
	ck_assert_uint_eq(U32("2m", .type = BH_CFG_MS), 120000);
	ck_assert_uint_eq(U32("1h", .type = BH_CFG_MS), 3600000);
	ck_assert_uint_eq(U32("0", .type = BH_CFG_MS), 0);
	REFUSED("250", "\"250\" is not a duration such as 250ms, 1s or 2m", .type = BH_CFG_MS);
	REFUSED("-1s", "\"-1s\" is not a duration such as 250ms, 1s or 2m", .type = BH_CFG_MS);
	REFUSED("", "\"\" is not a duration such as 250ms, 1s or 2m", .type = BH_CFG_MS);
	REFUSED("1000h", "1000h is more than the most, 5m", .type = BH_CFG_MS, .max = "5m");
	REFUSED("2000h", "2000h is more than the most, 49 days", .type = BH_CFG_MS);
}
END_TEST

START_TEST(sizes_count_in_1024)
{
	uint64_t v;
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_BYTES}, "64k", &v), 0);
	ck_assert_uint_eq(v, 65536);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_BYTES}, "10M", &v), 0);
	ck_assert_uint_eq(v, 10u << 20);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_BYTES}, "4096", &v), 0);
	ck_assert_uint_eq(v, 4096);
	REFUSED("10X", "\"10X\" is not a size such as 4096, 64k or 10M", .type = BH_CFG_BYTES);
	REFUSED("1e30", "\"1e30\" is not a size such as 4096, 64k or 10M", .type = BH_CFG_BYTES);
	REFUSED("1k", "1k is less than the least, 64k", .type = BH_CFG_BYTES, .min = "64k");
}
END_TEST

START_TEST(numbers_keep_to_their_type_and_range)
{
	double f;
	int32_t i;
	uint16_t port;
	ck_assert_uint_eq(U32("8", .type = BH_CFG_U32), 8);
	ck_assert_uint_eq(U32("0x14", .type = BH_CFG_U32), 20);
	ck_assert_uint_eq(U32("010", .type = BH_CFG_U32), 10);
	REFUSED("-1", "-1 is less than the least, 0", .type = BH_CFG_U32);
	REFUSED("4294967296", "4294967296 is more than the most, 4294967295", .type = BH_CFG_U32);
	REFUSED("99999999999999999999", "\"99999999999999999999\" is not a whole number", .type = BH_CFG_U32);
	REFUSED("8x", "\"8x\" is not a whole number", .type = BH_CFG_U32);
	REFUSED("1.5", "\"1.5\" is not a whole number", .type = BH_CFG_U32);
	REFUSED("0", "0 is less than the least, 1", .type = BH_CFG_PORT);
	REFUSED("65536", "65536 is more than the most, 65535", .type = BH_CFG_PORT);
	REFUSED("65", "65 is more than the most, 64", .type = BH_CFG_U32, .max = "64");
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_PORT}, "7000", &port), 0);
	ck_assert_uint_eq(port, 7000);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_I32}, "-5", &i), 0);
	ck_assert_int_eq(i, -5);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_FLOAT, .unit = "dB"}, "-6.5 dB", &f), 0);
	ck_assert_double_eq(f, -6.5);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_FLOAT, .unit = "dB"}, "-6.5", &f), 0);
	REFUSED("nan", "\"nan\" is not a number", .type = BH_CFG_FLOAT);
	REFUSED("inf", "\"inf\" is not a number", .type = BH_CFG_FLOAT);
	REFUSED("1e999", "\"1e999\" is not a number", .type = BH_CFG_FLOAT);
	REFUSED("0x10", "\"0x10\" is not a number", .type = BH_CFG_FLOAT);
	REFUSED("3 Hz", "\"3 Hz\" is not a number in dB", .type = BH_CFG_FLOAT, .unit = "dB");
	REFUSED("-91", "-91 is less than the least, -90", .type = BH_CFG_FLOAT, .min = "-90");
}
END_TEST

START_TEST(switches_and_choices_are_words)
{
	static const char *const modes[] = {"rawmidi", "seq", "socket", NULL};
	bool b = false;
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_BOOL}, "yes", &b), 0);
	ck_assert(b);
	ck_assert_int_eq(parse((struct bh_cfg_field){.type = BH_CFG_BOOL}, "false", &b), 0);
	ck_assert(!b);
	REFUSED("1", "\"1\" is neither yes nor no", .type = BH_CFG_BOOL);
	ck_assert_uint_eq(U32("socket", .type = BH_CFG_ENUM, .choices = modes), 2);
	REFUSED("sock", "\"sock\" is none of rawmidi, seq, socket", .type = BH_CFG_ENUM, .choices = modes);
}
END_TEST

/* An endless list of choices must not write behind the message. */
START_TEST(a_long_list_of_choices_is_cut_to_the_message)
{
	const char *many[64];
	for (size_t i = 0; i < 63; i++)
		many[i] = "a-long-choice";
	many[63] = NULL;
	char small[32];
	memset(small, 'x', sizeof(small));
	uint32_t v;
	struct bh_cfg_field f = {.type = BH_CFG_ENUM, .choices = many};
	ck_assert_int_eq(bh_cfg_parse_value(&f, "b", &v, small, 24), -EINVAL);
	ck_assert_uint_eq(strlen(small), 23);
	ck_assert_int_eq(small[24], 'x');
}
END_TEST

/* ------------------------------------------------------------------ options -> struct */

struct port_config {
	char *name;
	uint32_t channel;
};
struct sample_config {
	char *host;
	uint16_t port;
	uint32_t refresh_ms;
	bool loud;
	double gain_db;
	struct bh_cfg_list ports;
};

static const struct bh_cfg_field port_fields[] = {
	BH_CFG(struct port_config, name, .type = BH_CFG_STR, .help = "its name"),
	BH_CFG(struct port_config, channel, .type = BH_CFG_U32, .def = "1", .min = "1", .max = "16"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field sample_fields[] = {
	BH_CFG(struct sample_config, host, .type = BH_CFG_STR, .help = "address \"or\" name"),
	BH_CFG(struct sample_config, port, .type = BH_CFG_PORT, .def = "7000"),
	BH_CFG(struct sample_config, refresh_ms, .type = BH_CFG_MS, .def = "1s", .min = "100ms", .max = "60s",
	       .reload = BH_RELOAD_LIVE),
	BH_CFG(struct sample_config, loud, .type = BH_CFG_BOOL, .def = "no"),
	BH_CFG(struct sample_config, gain_db, .type = BH_CFG_FLOAT, .def = "0", .unit = "dB"),
	BH_CFG(struct sample_config, ports, .type = BH_CFG_LIST, .sub = port_fields,
	       .sub_size = sizeof(struct port_config)),
	BH_CFG_LAST,
};

struct sample {
	struct bh_options options;
	void *bytes, *image;
	struct sample_config cfg;
	char err[128];
};

/* `pairs`: key, text, key, text ..., NULL. */
static int
load(struct sample *s, const char *const *pairs)
{
	struct bh_config_writer *w = bh_config_writer_new();
	for (; *pairs; pairs += 2) {
		struct bh_cfg_option o = {.key = bh_config_writer_str(w, pairs[0], strlen(pairs[0])),
					  .text = bh_config_writer_str(w, pairs[1], strlen(pairs[1]))};
		bh_config_writer_row(w, BH_TAB_OPTIONS, &o, sizeof(o));
	}
	size_t size;
	*s = (struct sample){0};
	s->bytes = bh_config_writer_image(w, "sample.yaml", 1, &size);
	ck_assert_ptr_nonnull(s->bytes);
	bh_config_writer_free(w);
	ck_assert_int_eq(bh_config_open(&s->options.c, s->bytes, size), 0);
	return bh_cfg_load(&s->options, sample_fields, &s->cfg, sizeof(s->cfg), &s->image, s->err, sizeof(s->err));
}

static void
unload(struct sample *s)
{
	free(s->image);
	free(s->bytes);
}

#define LOAD(s, ...) load(s, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(defaults_stand_where_nothing_is_written)
{
	struct sample s;
	ck_assert_int_eq(LOAD(&s, "host", "lamp.local", "refresh_ms", "250ms"), 0);
	ck_assert_str_eq(s.cfg.host, "lamp.local");
	ck_assert_uint_eq(s.cfg.port, 7000);
	ck_assert_uint_eq(s.cfg.refresh_ms, 250);
	ck_assert(!s.cfg.loud);
	ck_assert_uint_eq(s.cfg.ports.count, 0);
	ck_assert_ptr_null(s.cfg.ports.items);
	unload(&s);
}
END_TEST

START_TEST(lists_become_arrays)
{
	struct sample s;
	ck_assert_int_eq(LOAD(&s, "host", "h", "ports", "2", "ports[0].name", "in", "ports[1].name", "out",
			      "ports[1].channel", "16"), 0);
	const struct port_config *p = s.cfg.ports.items;
	ck_assert_uint_eq(s.cfg.ports.count, 2);
	ck_assert_str_eq(p[0].name, "in");
	ck_assert_uint_eq(p[0].channel, 1);
	ck_assert_str_eq(p[1].name, "out");
	ck_assert_uint_eq(p[1].channel, 16);
	unload(&s);
}
END_TEST

START_TEST(options_that_do_not_fit_the_table_are_refused)
{
	struct sample s;
	ck_assert_int_eq(LOAD(&s, "port", "1"), -EBADMSG);
	ck_assert_str_eq(s.err, "host: is required");
	unload(&s);
	ck_assert_int_eq(LOAD(&s, "host", "h", "refresh_ms", "1ms"), -EBADMSG);
	ck_assert_str_eq(s.err, "refresh_ms: 1ms is less than the least, 100ms");
	unload(&s);
	ck_assert_int_eq(LOAD(&s, "host", "h", "ports", "257"), -EBADMSG);
	unload(&s);
	ck_assert_int_eq(LOAD(&s, "host", "h", "ports", "1"), -EBADMSG);
	ck_assert_str_eq(s.err, "ports[0].name: is required");
	unload(&s);
}
END_TEST

START_TEST(without_options_all_is_default)
{
	struct bh_options none = {0};
	struct sample_config cfg;
	void *image;
	char err[64];
	ck_assert_int_eq(bh_cfg_load(&none, sample_fields + 1, &cfg, sizeof(cfg), &image, err, sizeof(err)), 0);
	ck_assert_uint_eq(cfg.port, 7000);
	ck_assert_uint_eq(cfg.refresh_ms, 1000);
	free(image);
	/* A struct that is smaller than its table says is a fault, not a scribble. */
	ck_assert_int_eq(bh_cfg_load(&none, sample_fields + 1, &cfg, 4, &image, err, sizeof(err)), -EBADMSG);
}
END_TEST

/* ------------------------------------------------------------------ --describe */

START_TEST(a_table_describes_itself)
{
	static const struct bh_action_desc actions[] = {BH_ACTION("flash", .args = "HOW", .help = "full level"), {0}};
	static const struct bh_param params[] = {
		BH_PARAM("level", .type = BH_FLOAT, .unit = "%", .min = 0, .max = 100, .access = BH_RW),
		{0},
	};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bh_cfg_describe_kind(out, "lamp", "driver", sample_fields);
	bh_cfg_describe_params(out, params);
	bh_cfg_describe_actions(out, actions);
	fclose(out);
	ck_assert_str_eq(text, "kind: \"lamp\"\nrole: \"driver\"\nfields:\n"
			       "  - key: \"host\"\n    type: text\n    reload: restart\n"
			       "    help: \"address \\\"or\\\" name\"\n"
			       "  - key: \"port\"\n    type: port\n    default: \"7000\"\n    reload: restart\n"
			       "  - key: \"refresh_ms\"\n    type: duration\n    default: \"1s\"\n"
			       "    min: \"100ms\"\n    max: \"60s\"\n    reload: live\n"
			       "  - key: \"loud\"\n    type: bool\n    default: \"no\"\n    reload: restart\n"
			       "  - key: \"gain_db\"\n    type: float\n    default: \"0\"\n    unit: \"dB\"\n"
			       "    reload: restart\n"
			       "  - key: \"ports\"\n    type: list\n    reload: restart\n    sub:\n"
			       "      - key: \"name\"\n        type: text\n        reload: restart\n"
			       "        help: \"its name\"\n"
			       "      - key: \"channel\"\n        type: u32\n        default: \"1\"\n"
			       "        min: \"1\"\n        max: \"16\"\n        reload: restart\n"
			       "params:\n  - name: \"level\"\n    type: float\n    unit: \"%\"\n"
			       "    min: \"0\"\n    max: \"100\"\n    access: \"read write\"\n"
			       "actions:\n  - name: \"flash\"\n    args: \"HOW\"\n    help: \"full level\"\n");
	free(text);
}
END_TEST

/* ------------------------------------------------------------------ did you mean */

START_TEST(slips_of_the_finger_are_guessed)
{
	static const char *const keys[] = {"channels", "refresh_ms", "host", "port", "transport"};
	ck_assert_str_eq(bh_suggest_from("chanels", keys, 5), "channels");
	ck_assert_str_eq(bh_suggest_from("Channels", keys, 5), "channels");
	ck_assert_str_eq(bh_suggest_from("refersh_ms", keys, 5), "refresh_ms");
	ck_assert_str_eq(bh_suggest_from("prot", keys, 5), "port");
	ck_assert_str_eq(bh_suggest_from("tranport", keys, 5), "transport");
	ck_assert_ptr_null(bh_suggest_from("colour", keys, 5));
	ck_assert_ptr_null(bh_suggest_from("", keys, 5));
}
END_TEST

START_TEST(a_number_does_not_slip)
{
	static const char *const controls[] = {"fader1", "fader8", "fader_main", "vpot1", "vpot8", "vpot8_push"};
	ck_assert_str_eq(bh_suggest_from("fader9", controls, 6), "fader_main");
	ck_assert_str_eq(bh_suggest_from("vpot9", controls, 6), "vpot8");
	ck_assert_str_eq(bh_suggest_from("fadr1", controls, 6), "fader1");
}
END_TEST

START_TEST(each_kind_of_binding_has_its_row)
{
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		const struct bh_binding_row *row = &bh_binding_rows[i];
		ck_assert_int_eq(row->kind, i);
		ck_assert_uint_ne(row->controls, 0);
		ck_assert_ptr_nonnull(row->help);
		/* Every further key is described. */
		char keys[128];
		ck_assert_int_lt(snprintf(keys, sizeof(keys), "%s", row->fields), (int)sizeof(keys));
		for (char *k = strtok(keys, ","); k; k = strtok(NULL, ",")) {
			const struct bh_binding_field *f = bh_binding_field_named(k);
			ck_assert_msg(f != NULL, "%s: %s", row->key, k);
			/* And does something on one of its controls. */
			ck_assert_msg(f->controls & row->controls, "%s: %s", row->key, k);
			ck_assert(bh_binding_row_has(row, k));
		}
		ck_assert(!bh_binding_row_has(row, "min,max"));
		ck_assert(!bh_binding_row_has(row, "ste"));
	}
	ck_assert_int_eq(bh_color_from_name("red"), 1);
	ck_assert_str_eq(bh_color_name(4), "blue");
	ck_assert_int_eq(bh_color_from_name("purple"), -1);
	ck_assert_int_eq(bh_ring_from_name("wrap"), BH_RING_WRAP);
	ck_assert_int_eq(bh_control_kind_from_name("jog"), BH_CTL_JOG);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cfg_table");
	TCase *t = tcase_create("all");
	tcase_add_test(t, durations_are_written_with_a_unit);
	tcase_add_test(t, sizes_count_in_1024);
	tcase_add_test(t, numbers_keep_to_their_type_and_range);
	tcase_add_test(t, switches_and_choices_are_words);
	tcase_add_test(t, a_long_list_of_choices_is_cut_to_the_message);
	tcase_add_test(t, defaults_stand_where_nothing_is_written);
	tcase_add_test(t, lists_become_arrays);
	tcase_add_test(t, options_that_do_not_fit_the_table_are_refused);
	tcase_add_test(t, without_options_all_is_default);
	tcase_add_test(t, a_table_describes_itself);
	tcase_add_test(t, slips_of_the_finger_are_guessed);
	tcase_add_test(t, a_number_does_not_slip);
	tcase_add_test(t, each_kind_of_binding_has_its_row);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
