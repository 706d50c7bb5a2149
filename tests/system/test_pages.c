/*
 * What a page switch costs on the cable, and what the desk shows after one: bytes as the desk received them.
 *
 * The bytes are compared with what the controls that differ cost by the protocol: a fader, an LED, a ring or a digit 3, a line of a
 * strip 15 (8 around 7 characters), the colours 15 together, a meter 2. A gateway that sends the whole page on every switch
 * spends about 1550 bytes on one.
 */
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/router/taper.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define STRIPS 8
#define REFERENCE_BYTES 1550u
/* Of the whole surface, as the protocol's sizes add up. */
#define FULL_BYTES 523u
#define FULL_BYTES_RUNNING 404u
#define FULL_MS_RUNNING 129u
#define QUERY_BYTES 7u

static struct pipeline pl;
static struct simdesk *desk;
static char yaml[16384];
static char out[65536];

__attribute__((format(printf, 1, 2))) static void
yaml_add(const char *fmt, ...)
{
	size_t at = strlen(yaml);
	va_list ap;
	va_start(ap, fmt);
	ck_assert_int_lt(vsnprintf(yaml + at, sizeof(yaml) - at, fmt, ap), (int)(sizeof(yaml) - at));
	va_end(ap);
}

/* A page of eight whole channel strips of a mixer. */
static void
yaml_page(const char *name, const char *mixer, const char *label, const char *const colors[2], const char *display)
{
	yaml_add("  - name: %s\n    bindings:\n      timecode: {text: %s}\n", name, display);
	for (unsigned n = 1; n <= STRIPS; n++)
		yaml_add("      fader%u: %s/ch%u/level\n"
			 "      mute%u: %s/ch%u/mute\n"
			 "      vpot%u: {relative: %s/ch%u/pan, step: 0.05, ring: pan}\n"
			 "      meter%u: %s/ch%u/meter\n"
			 "      strip%u: {strip: %s/ch%u/level, text: %s %u, color: %s}\n",
			 n, mixer, n, n, mixer, n, n, mixer, n, n, mixer, n, n, mixer, n, label, n, colors[n % 2]);
}

static void
make_yaml(const char *link)
{
	static const char *const mix_colors[] = {"red", "green"}, *const bus_colors[] = {"red", "blue"};
	yaml[0] = 0;
	yaml_add("bulkhead: 1\n"
		 "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\", link: %s}}\n"
		 "drivers:\n"
		 "  loop: {kind: loop, channels: 8}\n"
		 "  bus: {kind: loop, channels: 8}\n"
		 PIPELINE_PATIENT
		 "router: {" PIPELINE_PATIENT_PRESSES "}\n"
		 "pages:\n",
		 link);
	yaml_page("Mix", "loop", "Ch", mix_colors, "MIX");
	yaml_page("Bus", "bus", "Grp", bus_colors, "BUS");
	yaml_page("Twin", "loop", "Ch", mix_colors, "MIX");
	yaml_add("global: {bindings: {bank_right: {action: page/next}, play: {action: loop/transport, args: [play]}, "
		 "stop: {action: loop/transport, args: [stop]}}}\n");
}

/* ------------------------------------------------------------------ words to the pipeline */

static void
tool(const char *verb, const char *a, const char *b)
{
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", verb, a, b, NULL);
	ck_assert_msg(r == 0, "bulkhead %s %s %s ends with %d: %s", verb, a ? a : "", b ? b : "", r, out);
}

static void
set(const char *param, double x)
{
	char value[32];
	snprintf(value, sizeof(value), "%g", x);
	int r = pipeline_tool(&pl, out, sizeof(out), "bulkhead", "set", param, "--", value, NULL);
	ck_assert_msg(r == 0, "set %s %s ends with %d: %s", param, value, r, out);
}

static void
await_mixers(void)
{
	static const char *const drivers[] = {"loop", "bus"}, *const params[] = {"level", "mute", "pan"};
	char name[40];
	for (unsigned m = 0; m < BH_ARRAY_LEN(drivers); m++)
		for (unsigned n = 1; n <= STRIPS; n++)
			for (unsigned k = 0; k < BH_ARRAY_LEN(params); k++) {
				snprintf(name, sizeof(name), "ch%u/%s", n, params[k]);
				ck_assert_msg(pipeline_until(10000, pipeline_settled(&pl, drivers[m], name)), "%s/%s is not what was set\n%s",
					      drivers[m], name, pipeline_log(&pl));
			}
}

static void
await_quiet(void)
{
	simdesk_must(desk, "wait motors within 30s");
	simdesk_must(desk, "expect quiet for 400ms within 30s");
}

/* Different levels, mutes and pans on the two mixers. Channels 7 and 8 are alike. */
static void
fill_mixers(void)
{
	static const char *const mixer[] = {"loop", "bus"};
	for (unsigned m = 0; m < 2; m++) {
		for (unsigned n = 1; n <= STRIPS; n++) {
			char name[40];
			bool alike = n > 6;
			snprintf(name, sizeof(name), "%s/ch%u/level", mixer[m], n);
			set(name, alike ? -6.0 : -4.0 * n - 20.0 * m);
			snprintf(name, sizeof(name), "%s/ch%u/mute", mixer[m], n);
			set(name, alike ? 1 : (n + m) % 2);
			snprintf(name, sizeof(name), "%s/ch%u/pan", mixer[m], n);
			set(name, alike ? 0.5 : -0.9 + 0.2 * n + 0.5 * m);
		}
	}
}

static void
start(const char *link, const char *limit)
{
	make_yaml(link);
	pipeline_prepare(&pl, yaml);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
	if (limit)
		simdesk_must(desk, "limit %s", limit);
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&pl)), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
	fill_mixers();
	await_mixers();
	simdesk_must(desk, "expect strip 1 lower \"-4.0dB\" within 30s; expect led mute8 on within 30s");
	await_quiet();
}

static void
setup(void)
{
	start("usb", NULL);
}

static void
teardown(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

/* ------------------------------------------------------------------ what the desk shows */

#define TEXT 48
struct shown {
	char fader[9][TEXT], ring[STRIPS][2 * TEXT], line[2][STRIPS][TEXT], color[STRIPS][TEXT], digits[2][TEXT];
	char leds[8192];
};

/* The text between two marks, behind `from`. Returns where it ended. */
static const char *
between(const char *from, const char *first, const char *last, char *to, size_t cap)
{
	const char *at = from ? strstr(from, first) : NULL;
	ck_assert_msg(at != NULL, "the desk's state has no %s", first);
	at += strlen(first);
	const char *end = strstr(at, last);
	ck_assert_ptr_nonnull(end);
	ck_assert_uint_lt((size_t)(end - at), cap);
	memcpy(to, at, (size_t)(end - at));
	to[end - at] = 0;
	return end;
}

static void
look(struct shown *s)
{
	const char *json = simdesk_state(desk), *at = json;
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 9; i++)
		at = between(at, "\"target\":", ",", s->fader[i], sizeof(s->fader[i]));
	at = strstr(json, "\"rings\":[");
	for (unsigned i = 0; i < STRIPS; i++)
		at = between(at, "{", "}", s->ring[i], sizeof(s->ring[i]));
	at = strstr(json, "\"strips\":[");
	for (unsigned i = 0; i < STRIPS; i++) {
		at = between(at, "\"upper\":\"", "\",\"lower\"", s->line[0][i], sizeof(s->line[0][i]));
		at = between(at, "\"lower\":\"", "\",\"color\"", s->line[1][i], sizeof(s->line[1][i]));
		at = between(at, "\"color\":\"", "\"", s->color[i], sizeof(s->color[i]));
	}
	between(json, "\"timecode\":\"", "\"", s->digits[0], sizeof(s->digits[0]));
	between(json, "\"assignment\":\"", "\"", s->digits[1], sizeof(s->digits[1]));
	between(json, "\"leds\":{", "}", s->leds, sizeof(s->leds));
}

struct cost {
	unsigned fader, led, ring, digit, lcd, color;
};

static unsigned
differing_leds(const char *a, const char *b)
{
	unsigned n = 0;
	while (*a && *b) {
		size_t la = strcspn(a, ","), lb = strcspn(b, ",");
		n += la != lb || memcmp(a, b, la) != 0;
		a += la + (a[la] == ',');
		b += lb + (b[lb] == ',');
	}
	return n;
}

/* What those controls cost that differ. */
static struct cost
cost_between(const struct shown *a, const struct shown *b)
{
	struct cost c = {0};
	bool colors = false;
	for (unsigned i = 0; i < 9; i++)
		c.fader += strcmp(a->fader[i], b->fader[i]) ? 3 : 0;
	for (unsigned i = 0; i < STRIPS; i++) {
		c.ring += strcmp(a->ring[i], b->ring[i]) ? 3 : 0;
		for (unsigned line = 0; line < 2; line++)
			c.lcd += strcmp(a->line[line][i], b->line[line][i]) ? 15 : 0;
		colors |= strcmp(a->color[i], b->color[i]) != 0;
	}
	for (unsigned d = 0; d < 2; d++) {
		/* Aligned to the right, where both end. */
		size_t la = strlen(a->digits[d]), lb = strlen(b->digits[d]);
		for (size_t k = 1; k <= la || k <= lb; k++)
			c.digit += (k <= la ? a->digits[d][la - k] : ' ') != (k <= lb ? b->digits[d][lb - k] : ' ') ? 3 : 0;
	}
	c.led = 3 * differing_leds(a->leds, b->leds);
	c.color = colors ? 15 : 0;
	return c;
}

static unsigned
cost_sum(const struct cost *c)
{
	return c->fader + c->led + c->ring + c->digit + c->lcd + c->color;
}

/* Turn to a page, and compare what it cost with what differs. Returns the bytes. */
static unsigned
switch_to(const char *page)
{
	struct shown before, after;
	look(&before);
	uint64_t had = simdesk_counter(desk, "bytes"), redundant = simdesk_counter(desk, "redundant");
	simdesk_must(desk, "mark");
	tool("page", page, NULL);
	simdesk_must(desk, "expect digits timecode \"%s\" within 30s", strcmp(page, "Bus") ? "MIX" : "BUS");
	await_quiet();
	look(&after);
	struct cost c = cost_between(&before, &after);
	simdesk_must(desk, "expect fader.bytes = %u since mark", c.fader);
	simdesk_must(desk, "expect led.bytes = %u since mark", c.led);
	simdesk_must(desk, "expect ring.bytes = %u since mark", c.ring);
	simdesk_must(desk, "expect digit.bytes = %u since mark", c.digit);
	simdesk_must(desk, "expect color.bytes = %u since mark", c.color);
	simdesk_must(desk, "expect lcd.bytes <= %u since mark", c.lcd);
	simdesk_must(desk, "expect meter.bytes = 0 since mark");
	simdesk_must(desk, "expect bytes <= %u since mark", cost_sum(&c));
	ck_assert_uint_eq(simdesk_counter(desk, "redundant"), redundant);
	return (unsigned)(simdesk_counter(desk, "bytes") - had);
}

static int
position_of(const char *mixer, unsigned n)
{
	static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};
	char param[32];
	snprintf(param, sizeof(param), "ch%u/level", n);
	return (int)lround(bh_taper_position(&level_range, pipeline_number(&pl, mixer, param)) * 16380);
}

static void
expect_faders(const char *mixer)
{
	for (unsigned n = 1; n <= STRIPS; n++) {
		int want = position_of(mixer, n);
		ck_assert_msg(abs(simdesk_target(desk, (int)n) - want) <= 4, "fader %u was sent to %d, %s is at %d", n,
			      simdesk_target(desk, (int)n), mixer, want);
		ck_assert_msg(abs(simdesk_pos(desk, (int)n) - want) <= 8, "fader %u stands at %d, %s is at %d", n,
			      simdesk_pos(desk, (int)n), mixer, want);
	}
}

/* ------------------------------------------------------------------ bytes */

START_TEST(a_switch_sends_the_controls_that_differ_and_nothing_else)
{
	struct shown a, b;
	look(&a);
	unsigned there = switch_to("Bus");
	look(&b);
	expect_faders("bus");
	struct cost c = cost_between(&a, &b);
	/* The scene must be a real one: faders, lights, rings, text, digits and colours differ, and some controls do not. */
	ck_assert_uint_eq(c.fader, 6 * 3);
	ck_assert_uint_eq(c.led, 6 * 3);
	ck_assert_uint_eq(c.digit, 3 * 3);
	ck_assert_uint_eq(c.color, 15);
	ck_assert_uint_ge(c.ring, 3 * 3);
	ck_assert_uint_ge(c.lcd, 8 * 15);
	unsigned back = switch_to("Mix");
	expect_faders("loop");
	printf("a switch between two pages of 8 strips: %u bytes there, %u back; the controls that differ cost %u, always sending all "
	       "about %u\n",
	       there, back, cost_sum(&c), REFERENCE_BYTES);
	ck_assert_uint_lt(there, REFERENCE_BYTES / 4);
}
END_TEST

START_TEST(a_switch_to_an_equal_page_sends_nothing)
{
	ck_assert_uint_eq(switch_to("Twin"), 0);
	ck_assert_uint_eq(switch_to("Mix"), 0);
	ck_assert_uint_gt(switch_to("Bus"), 0);
	ck_assert_uint_gt(switch_to("Twin"), 0);
}
END_TEST

START_TEST(a_switch_that_was_turned_back_at_once_sends_no_more_than_it_must)
{
	/* Twenty turns as fast as the tool can, ending where it began: nothing may be left of it on the desk. */
	struct shown before, after;
	look(&before);
	for (unsigned i = 0; i < 20; i++)
		tool("page", i % 2 ? "Mix" : "Bus", NULL);
	await_quiet();
	look(&after);
	struct cost c = cost_between(&before, &after);
	ck_assert_uint_eq(cost_sum(&c), 0);
	expect_faders("loop");
}
END_TEST

static bool
is_shown(const struct shown *before, struct shown *now)
{
	look(now);
	struct cost c = cost_between(before, now);
	return cost_sum(&c) == 0;
}

/* From dark to the whole truth, without what is asked of the device. Returns the bytes; the time in *ms. */
static unsigned
full_render(unsigned *ms)
{
	struct shown before, after;
	look(&before);
	simdesk_must(desk, "unplug");
	simdesk_must(desk, "expect peer gone within 30s");
	uint64_t had = simdesk_counter(desk, "bytes"), asked = simdesk_counter(desk, "sysex.bytes");
	simdesk_must(desk, "plug fresh");
	simdesk_must(desk, "wait peer");
	uint64_t from = bh_mono_ns();
	ck_assert_msg(pipeline_until(10000, is_shown(&before, &after)), "after the re-plug the desk does not show what it showed before");
	await_quiet();
	*ms = (unsigned)((bh_mono_ns() - from) / BH_NS_PER_MS);
	ck_assert_msg(is_shown(&before, &after), "after the re-plug the desk goes on to show other things");
	asked = simdesk_counter(desk, "sysex.bytes") - asked;
	ck_assert_uint_le(asked, 3 * QUERY_BYTES);
	return (unsigned)(simdesk_counter(desk, "bytes") - had - asked);
}

START_TEST(a_replugged_desk_is_rendered_in_full_within_the_budget)
{
	unsigned ms, bytes = full_render(&ms);
	printf("the whole X-Touch on USB: %u bytes (budget %u)\n", bytes, FULL_BYTES);
	ck_assert_uint_le(bytes, FULL_BYTES);
	ck_assert_uint_ge(bytes, FULL_BYTES / 2); /* else it was not the whole */
}
END_TEST

START_TEST(on_a_din_cable_running_status_keeps_the_full_render_within_its_budget)
{
	unsigned ms, bytes = full_render(&ms);
	printf("the whole X-Touch on DIN: %u bytes (budget %u, %u ms)\n", bytes, FULL_BYTES_RUNNING, FULL_MS_RUNNING);
	ck_assert_uint_le(bytes, FULL_BYTES_RUNNING);
	ck_assert_uint_ge(bytes, FULL_BYTES_RUNNING / 2);
}
END_TEST

#define STORM_TURNS 1000u
#define STORM_SAMPLES 512u
#define DIN_RATE 3125u
#define LINK_BURST (32u + 120u) /* 10 ms ahead of the cable, and the longest message: a display in one piece */
#define UNCOUNTED LINK_BURST	/* written before the first sample was taken, and counted after it */

/* What the surface has given to the cable, and when: not before `from`, not after `to`. */
struct sample {
	uint64_t from_ns, to_ns, bytes;
};

static struct sample
sample_link(void)
{
	const struct bh_self *self = pipeline_self(&pl, "desk");
	struct sample s = {.from_ns = bh_mono_ns()};
	ck_assert_ptr_nonnull(self);
	s.bytes = __atomic_load_n(&self->counter[BH_CNT_BYTES_OUT], __ATOMIC_RELAXED);
	s.to_ns = bh_mono_ns();
	return s;
}

/* Between no two samples more than the cable carries in that time. */
static void
check_budget(const struct sample *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = i + 1; k < n; k++) {
			double most = (double)(s[k].to_ns - s[i].from_ns) / BH_NS_PER_S * DIN_RATE + LINK_BURST + UNCOUNTED;
			ck_assert_msg((double)(s[k].bytes - s[i].bytes) <= most, "%llu bytes in %.3f s",
				      (unsigned long long)(s[k].bytes - s[i].bytes), (double)(s[k].to_ns - s[i].from_ns) / BH_NS_PER_S);
		}
}

/* 100 switches a second on a MIDI cable, hands on the faders and the mixer's meters moving. */
START_TEST(a_storm_of_pages_ends_in_the_picture_of_a_fresh_render_and_never_exceeds_the_cable)
{
	static struct sample s[STORM_SAMPLES];
	unsigned n = 0, ms;
	simdesk_must(desk, "tap play");
	simdesk_must(desk, "random-load seed 7 for 10s rate 20 using fader1 fader2 fader3 vpot4 mute5 &");
	simdesk_begin(desk, "repeat %u { tap bank_right for 2ms; wait 8ms }", STORM_TURNS);
	while (!simdesk_is_over(desk)) {
		struct sample now = sample_link();
		if (n < STORM_SAMPLES && (!n || now.from_ns - s[n - 1].from_ns > 30 * BH_NS_PER_MS))
			s[n++] = now;
		usleep(1000);
	}
	ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
	simdesk_must(desk, "wait hands within 60s; tap stop");
	await_quiet();
	ck_assert_uint_gt(n, 20);
	check_budget(s, n);
	/* 1000 turns of three pages end on the second one: no press was lost, none was done twice. */
	simdesk_must(desk, "expect digits timecode \"BUS\" within 30s");
	full_render(&ms);
	expect_faders("bus");
}
END_TEST

/* ------------------------------------------------------------------ hands and truth */

START_TEST(a_fader_held_over_a_switch_keeps_still_and_moves_only_what_it_held)
{
	double bus = pipeline_number(&pl, "bus", "ch1/level");
	simdesk_must(desk, "touch 1; move 1 0.5 over 0.1s; wait hands");
	int held = simdesk_pos(desk, 1);
	tool("page", "Bus", NULL);
	simdesk_must(desk, "expect strip 1 upper \"Grp 1\" within 30s");
	simdesk_must(desk, "expect quiet for 300ms within 30s");
	ck_assert_int_eq(simdesk_pos(desk, 1), held);
	ck_assert_uint_eq(simdesk_counter(desk, "touched_writes"), 0);
	/* The hand goes on: what it took hold of follows, the parameter of the new page does not jump. */
	simdesk_must(desk, "move 1 0.7 over 0.1s; wait hands");
	held = simdesk_pos(desk, 1);
	ck_assert_msg(pipeline_until(5000, abs(position_of("loop", 1) - held) <= 8),
		      "the hand is at %d, what it holds is at %d\n%s", held, position_of("loop", 1), pipeline_log(&pl));
	ck_assert_double_eq(pipeline_number(&pl, "bus", "ch1/level"), bus);
	simdesk_must(desk, "release 1");
	simdesk_must(desk, "expect target 1 %d +-4 within 30s", position_of("bus", 1));
	await_quiet();
	ck_assert_double_eq(pipeline_number(&pl, "bus", "ch1/level"), bus);
	ck_assert_int_le(abs(position_of("loop", 1) - held), 8);
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), 0);
	ck_assert_uint_eq(simdesk_counter(desk, "touched_writes"), 0);
	expect_faders("bus");
	/* Taken anew, it moves the parameter of this page. */
	simdesk_must(desk, "move 1 0.6 over 0.1s touching; wait hands");
	ck_assert(pipeline_until(5000, abs(position_of("bus", 1) - simdesk_pos(desk, 1)) <= 8));
	ck_assert_int_le(abs(position_of("loop", 1) - held), 8);
}
END_TEST

START_TEST(after_a_switch_each_control_shows_the_newest_value)
{
	char names[3][32];
	switch_to("Bus");
	/* Meanwhile the page that is not shown goes on. */
	for (unsigned n = 1; n <= 3; n++) {
		snprintf(names[n - 1], sizeof(names[0]), "loop/ch%u/level", n);
		set(names[n - 1], -1.5 * n);
	}
	set("loop/ch2/mute", 1);
	set("loop/ch3/mute", 0);
	set("loop/ch4/pan", 0);
	await_mixers();
	simdesk_must(desk, "mark");
	simdesk_must(desk, "expect quiet for 300ms within 30s; expect bytes = 0 since mark");
	switch_to("Mix");
	expect_faders("loop");
	simdesk_must(desk, "expect led mute2 on; expect led mute3 off; expect ring 4 boost 6 extra");
	simdesk_must(desk, "expect strip 1 lower \"-1.5dB\"; expect strip 2 lower \"-3.0dB\"; expect strip 3 lower \"-4.5dB\"");
}
END_TEST

START_TEST(a_driver_that_is_down_is_shown_on_its_strips_and_its_faders_keep_their_place)
{
	struct shown before, after;
	look(&before);
	simdesk_must(desk, "mark");
	tool("stop", "loop", NULL);
	for (unsigned n = 1; n <= STRIPS; n++)
		simdesk_must(desk, "expect strip %u upper \"loop\" within 30s; expect strip %u lower \"stopped\" within 30s", n, n);
	await_quiet();
	simdesk_must(desk, "expect fader.messages = 0 since mark");
	look(&after);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_str_eq(before.fader[i], after.fader[i]);
	/* Away and back again: still the same place, for it is the newest that is known. */
	tool("page", "Bus", NULL);
	simdesk_must(desk, "expect digits timecode \"BUS\" within 30s");
	await_quiet();
	expect_faders("bus");
	tool("page", "Mix", NULL);
	simdesk_must(desk, "expect digits timecode \"MIX\" within 30s");
	await_quiet();
	look(&after);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_str_eq(before.fader[i], after.fader[i]);
	simdesk_must(desk, "expect strip 1 lower \"stopped\" within 30s");
	simdesk_must(desk, "mark");
	tool("start", "loop", NULL);
	simdesk_must(desk, "expect strip 1 upper \"Ch 1\" within 30s; expect strip 8 lower \"-6.0dB\" within 30s");
	await_quiet();
	simdesk_must(desk, "expect fader.messages = 0 since mark");
	look(&after);
	struct cost c = cost_between(&before, &after);
	ck_assert_msg(cost_sum(&c) == 0, "the desk does not show again what it showed before the driver left");
	expect_faders("loop");
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), 0);
}
END_TEST

static void
setup_din(void)
{
	start("din", "din");
}

int
main(void)
{
	Suite *s = suite_create("pages");
	TCase *usb = tcase_create("usb"), *din = tcase_create("din");
	tcase_add_checked_fixture(usb, setup, teardown);
	tcase_set_timeout(usb, 90);
	tcase_add_test(usb, a_switch_sends_the_controls_that_differ_and_nothing_else);
	tcase_add_test(usb, a_switch_to_an_equal_page_sends_nothing);
	tcase_add_test(usb, a_switch_that_was_turned_back_at_once_sends_no_more_than_it_must);
	tcase_add_test(usb, a_replugged_desk_is_rendered_in_full_within_the_budget);
	tcase_add_test(usb, a_fader_held_over_a_switch_keeps_still_and_moves_only_what_it_held);
	tcase_add_test(usb, after_a_switch_each_control_shows_the_newest_value);
	tcase_add_test(usb, a_driver_that_is_down_is_shown_on_its_strips_and_its_faders_keep_their_place);
	tcase_add_checked_fixture(din, setup_din, teardown);
	tcase_set_timeout(din, 90);
	tcase_add_test(din, on_a_din_cable_running_status_keeps_the_full_render_within_its_budget);
	tcase_add_test(din, a_storm_of_pages_ends_in_the_picture_of_a_fresh_render_and_never_exceeds_the_cable);
	suite_add_tcase(s, usb);
	suite_add_tcase(s, din);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
