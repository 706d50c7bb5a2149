/*
 * bh-midi's configuration: what bh-config refuses by the table, what bh-midi refuses itself, each with its place; and a
 * new one taken over without a restart. No sequencer is needed, and none is expected.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/host.h"
#include "tests/lib/scratch.h"

#define WAIT_MS 10000

/* What bh-midi says of drivers.midi with this text below it, which begins in line 5. */
static const char *
said(const char *body)
{
	static char text[65536];
	char path[128], command[700];
	int fd = scratch_file(path, sizeof(path), "midi", ".yaml");
	FILE *f = fdopen(fd, "w"), *p;
	size_t n;

	fprintf(f, "bulkhead: 1\ndrivers:\n  midi:\n    ports: [ { name: a }, { name: b }, { name: hears, direction: in } ]\n%s\n", body);
	fclose(f);
	snprintf(command, sizeof(command), "%s/bh-midi --no-supervisor --config %s </dev/null 2>&1",
		 getenv("BH_BIN") ? getenv("BH_BIN") : "bin", path);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = '\0';
	pclose(p);
	unlink(path);
	return text;
}

START_TEST(mistakes_are_named_with_their_place)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		/* the table's, by bh-config: `bulkhead check` says the same */
		{"    routes:\n      - { from: a, to: b, types: [pitchbent] }", "did you mean \"pitchbend\"?"},
		{"    routes:\n      - { from: a, to: b, channels: [17] }", ":6:38: drivers.midi.routes[0].channels[0].channel"},
		{"    routes:\n      - { from: a, to: b, trasnform: [] }", "did you mean \"transform\"?"},
		{"    routes:\n      - { from: a, to: b, transform: [{ do: transpose, by: 128 }] }", "128 is more than the most"},
		{"    parameters:\n      - { name: x, port: a, type: velocity }", "\"velocity\" is none of cc, cc14, note"},
		/* what no table can say, by bh-midi */
		{"    routes:\n      - { from: a, to: c }", ".yaml:6: routes[0].to: no port is called \"c\""},
		{"    routes:\n      - { from: heers, to: b }", ".yaml:6: routes[0].from: no port is called \"heers\"; did you mean \"hears\"?"},
		{"    routes:\n      - { from: a, to: hears }", ".yaml:6: routes[0].to: the port \"hears\" only hears"},
		{"    routes:\n      - { from: a, to: a }", "it would go back to where it came from; `back: yes` allows it"},
		{"    routes:\n      - from: a\n        to: b\n        notes: [36-47, H3]",
		 ".yaml:8: routes[0].notes[1].range: \"H3\" is neither a number"},
		{"    routes:\n      - from: a\n        to: b\n        transform:\n          - { do: transpose, by: 1 }\n"
		 "          - { do: velocity, by: 3 }",
		 ".yaml:10: routes[0].transform[1].by: does nothing for velocity; it takes fixed invert curve scale min max"},
		{"    routes:\n      - { from: a, to: b, transform: [{ do: channel, map: [{ from: 0, to: 1 }] }] }",
		 "map[0].from: channels are 1 to 16"},
		{"    routes:\n      - { from: a, to: b, transform: [channel] }", "transform[0].do: it needs a channel or a map"},
		{"    routes:\n      - { from: a, to: b, switch: x }\n      - { from: b, to: a, switch: x }",
		 ".yaml:7: routes[1].switch: \"x\" is there twice"},
		{"    parameters:\n      - { name: x, port: c }", ".yaml:6: parameters[0].port: no port is called \"c\""},
		{"    parameters:\n      - { name: x, port: a }\n      - { name: x, port: b }",
		 ".yaml:7: parameters[1].name: \"x\" is there twice"},
		{"    parameters:\n      - { name: x, port: a, type: cc14, number: 32 }", ".yaml:6: parameters[0].number: number 32"},
		{"    parameters:\n      - { name: x, port: a, on_value: 3 }", "only a switch has one"},
		{"    parameters:\n      - { name: x, port: a, type: note, max: 3 }", "a switch has no range"},
		{"    parameters:\n      - { name: x, port: a, direction: out, confirm: echo }", "what is only sent has no echo"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = said(rows[i].body);

		ck_assert_msg(strstr(text, rows[i].says) != NULL, "\"%s\" is not in:\n%s", rows[i].says, text);
	}
}
END_TEST

/* What xtouch-gw's pages can say of a passthrough, all of it at once. */
START_TEST(a_whole_configuration_is_taken)
{
	const char *text = said("    routes:\n"
				"      - from: a\n"
				"        to: b\n"
				"        types: [note_on, note_off, cc, program, pressure, poly_pressure, pitchbend, sysex, common, realtime]\n"
				"        channels: [1, 16]\n"
				"        notes: [0-59, 61-127]\n"
				"        except_notes: [36]\n"
				"        controllers: [7]\n"
				"        except_controllers: [8]\n"
				"        switch: through\n"
				"        transform:\n"
				"          - { do: pitchbend_to_note, number: 60 }\n"
				"          - { do: pitchbend_to_cc, channel: 1, number: 45, map: [{ from: 1, to: 0x50 }] }\n"
				"          - { do: velocity, curve: 0.5, scale: 0.8, min: 1, max: 120, invert: yes }\n"
				"          - { do: channel, map: [{ from: 1, to: 2 }] }\n"
				"    parameters:\n"
				"      - { name: x, port: a, type: nrpn, number: 16383, min: -60, max: 10, unit: dB, taper: fader_db }\n");

	ck_assert_msg(strstr(text, "no ALSA sequencer") != NULL || strstr(text, "health: ok") != NULL ||
			      strstr(text, "stopped: asked to leave") != NULL,
		      "%s", text);
	ck_assert_msg(strstr(text, "bad-config") == NULL, "%s", text);
}
END_TEST

static bool
has_param(struct host *h, const char *name)
{
	struct bh_dir_record r;
	bool seen[BH_MAX_PARAMS] = {false};

	for (uint32_t n = bh_dir_count(&h->dir); n-- > 0;) {
		if (bh_dir_read(&h->dir, n, &r) < 0 || seen[r.index])
			continue;
		seen[r.index] = true;
		if (!(r.flags & BH_DIR_TOMBSTONE) && strcmp(r.name, name) == 0)
			return true;
	}
	return false;
}

START_TEST(a_new_configuration_needs_no_restart)
{
	static struct host h;
	pid_t pid;

	host_start(&h, "midi", "ports", "2", "ports[0].name", "a", "ports[1].name", "b", "parameters", "2", "parameters[0].name", "x",
		   "parameters[0].port", "a", "parameters[1].name", "y", "parameters[1].port", "a", "routes", "1", "routes[0].from", "a",
		   "routes[0].to", "b", "routes[0].switch", "through", NULL);
	pid = h.pid;
	ck_assert(has_param(&h, "x") && has_param(&h, "y"));
	host_expect(&h, host_param(&h, "through"), bh_bool(true), WAIT_MS);
	ck_assert_int_ge(host_want(&h, host_param(&h, "through"), bh_bool(false), true), 0);
	host_expect(&h, host_param(&h, "through"), bh_bool(false), WAIT_MS);
	ck_assert_int_eq(host_reload(&h, "ports", "2", "ports[0].name", "c", "ports[1].name", "b", "parameters", "2",
				     "parameters[0].name", "z", "parameters[0].port", "c", "parameters[1].name", "y",
				     "parameters[1].port", "b", "parameters[1].type", "note", "routes", "1", "routes[0].from", "c",
				     "routes[0].to", "b", "routes[0].switch", "through", NULL),
			 0);
	ck_assert(!has_param(&h, "x") && has_param(&h, "y") && has_param(&h, "z"));
	host_expect(&h, host_param(&h, "through"), bh_bool(false), WAIT_MS); /* as it was turned */
	ck_assert_int_eq(host_want(&h, host_param(&h, "through"), bh_bool(true), true) < 0, 0);
	host_expect(&h, host_param(&h, "through"), bh_bool(true), WAIT_MS);
	/* A wrong one is refused, and nothing has changed. */
	ck_assert_int_eq(host_reload(&h, "ports", "1", "ports[0].name", "c", "routes", "1", "routes[0].from", "c", "routes[0].to", "b",
				     NULL),
			 -EINVAL);
	ck_assert(has_param(&h, "y") && has_param(&h, "z"));
	ck_assert_int_eq(host_want(&h, host_param(&h, "through"), bh_bool(false), true) < 0, 0);
	host_expect(&h, host_param(&h, "through"), bh_bool(false), WAIT_MS);
	/* Back and forth; a name that was there before is there again. */
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(host_reload(&h, "ports", "1", "ports[0].name", "a", "parameters", i % 2 ? "1" : "0", "parameters[0].name",
					     "x", "parameters[0].port", "a", NULL),
				 0);
	ck_assert(has_param(&h, "x") && !has_param(&h, "z") && !has_param(&h, "through"));
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(h.pid, pid);
	host_stop(&h);
}
END_TEST

START_TEST(a_wrong_configuration_at_the_start_waits_for_a_better_one)
{
	static struct host h;
	char reason[80] = "";

	host_start(&h, "midi", "ports", "1", "ports[0].name", "a", "parameters", "1", "parameters[0].name", "x", "parameters[0].port", "aa",
		   NULL);
	ck_assert_int_eq(host_health(&h, reason, sizeof(reason)), BH_HEALTH_BAD_CONFIG);
	ck_assert_str_eq(reason, "parameters[0].port: no port is called \"aa\"; did you mean \"a\"?");
	ck_assert_int_eq(host_reload(&h, "ports", "1", "ports[0].name", "a", "parameters", "1", "parameters[0].name", "x",
				     "parameters[0].port", "a", NULL),
			 0);
	ck_assert(has_param(&h, "x"));
	ck_assert(host_until(&h, WAIT_MS, host_health(&h, NULL, 0) != BH_HEALTH_BAD_CONFIG));
	host_stop(&h);
}
END_TEST

/* The directory only grows; when it is full it is begun anew. */
START_TEST(reloads_do_not_use_the_directory_up)
{
	static struct host h;
	int r = 0;

	host_start(&h, "midi", "ports", "1", "ports[0].name", "a", "parameters", "1", "parameters[0].name", "x", "parameters[0].port", "a",
		   NULL);
	for (int i = 0; i < 400 && r == 0; i++)
		r = host_reload(&h, "ports", "1", "ports[0].name", "a", "parameters", "1", "parameters[0].name", i % 2 ? "x" : "y",
				"parameters[0].port", "a", NULL);
	ck_assert_int_eq(r, 0);
	ck_assert(has_param(&h, "x") && !has_param(&h, "y"));
	ck_assert_uint_gt(h.dir.head->epoch, 0);
	ck_assert_int_ge(host_want(&h, host_param(&h, "x"), bh_float(5), true), 0);
	host_stop(&h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi options");
	TCase *tc = tcase_create("options");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, mistakes_are_named_with_their_place);
	tcase_add_test(tc, a_whole_configuration_is_taken);
	tcase_add_test(tc, a_new_configuration_needs_no_restart);
	tcase_add_test(tc, a_wrong_configuration_at_the_start_waits_for_a_better_one);
	tcase_add_test(tc, reloads_do_not_use_the_directory_up);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
