/* The MIDI byte parser: what real cables carry, and what they should not. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/midi/check.h"
#include "common/midi/parse.h"

struct got {
	struct bh_midi_msg msg[64];
	uint8_t sysex[64][BH_MIDI_SYSEX_MAX];
	size_t n;
};

static void
feed(struct bh_midi_parser *p, const uint8_t *bytes, size_t len, struct got *g)
{
	for (size_t i = 0; i < len; i++) {
		struct bh_midi_msg m;
		if (!bh_midi_parse(p, bytes[i], &m))
			continue;
		ck_assert_uint_lt(g->n, 64);
		g->msg[g->n] = m;
		if (m.sysex) {
			memcpy(g->sysex[g->n], m.sysex, m.sysex_len);
			g->msg[g->n].sysex = g->sysex[g->n];
		}
		g->n++;
	}
}

#define FEED(p, g, ...) \
	feed(p, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), g)

static void
assert_msg(const struct bh_midi_msg *m, unsigned status, int d0, int d1)
{
	ck_assert_uint_eq(m->status, status);
	ck_assert_int_eq(m->len, (d0 >= 0) + (d1 >= 0));
	ck_assert_int_eq(m->data[0], d0 < 0 ? 0 : d0);
	ck_assert_int_eq(m->data[1], d1 < 0 ? 0 : d1);
}

START_TEST(each_kind_of_channel_message_has_its_length)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0x90, 1, 2, 0x81, 3, 4, 0xa2, 5, 6, 0xb3, 7, 8, 0xc4, 9, 0xd5, 10, 0xe6, 11, 12);
	ck_assert_uint_eq(g.n, 7);
	assert_msg(&g.msg[0], 0x90, 1, 2);
	assert_msg(&g.msg[1], 0x81, 3, 4);
	assert_msg(&g.msg[2], 0xa2, 5, 6);
	assert_msg(&g.msg[3], 0xb3, 7, 8);
	assert_msg(&g.msg[4], 0xc4, 9, -1);
	assert_msg(&g.msg[5], 0xd5, 10, -1);
	assert_msg(&g.msg[6], 0xe6, 11, 12);
	ck_assert_uint_eq(p.counters.messages, 7);
	ck_assert_uint_eq(p.counters.running, 0);
}
END_TEST

START_TEST(running_status_repeats_the_last_channel_status)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0xb0, 0x40, 0x30, 0x41, 0x31, 0xd0, 0x00, 0x10, 0x20);
	ck_assert_uint_eq(g.n, 5);
	assert_msg(&g.msg[1], 0xb0, 0x41, 0x31);
	assert_msg(&g.msg[4], 0xd0, 0x20, -1);
	ck_assert_uint_eq(p.counters.running, 3);
}
END_TEST

START_TEST(system_common_ends_running_status)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0x90, 1, 2, 0xf6, 3, 4, 0x90, 5, 6, 0xf0, 0xf7, 7);
	ck_assert_uint_eq(g.n, 4);
	ck_assert_uint_eq(p.counters.orphan_data, 3);
}
END_TEST

START_TEST(realtime_bytes_stand_anywhere_and_disturb_nothing)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0x90, 0xf8, 1, 0xfe, 0xfd, 2, 0xf0, 1, 0xfa, 0xfe, 2, 0xfd, 0xf9, 0xf7, 0xff);
	ck_assert_uint_eq(g.n, 5);
	assert_msg(&g.msg[0], 0xf8, -1, -1);
	assert_msg(&g.msg[1], 0x90, 1, 2);
	assert_msg(&g.msg[2], 0xfa, -1, -1);
	ck_assert_uint_eq(g.msg[3].sysex_len, 4);
	ck_assert_mem_eq(g.msg[3].sysex, "\xf0\x01\x02\xf7", 4);
	assert_msg(&g.msg[4], 0xff, -1, -1);
	ck_assert_uint_eq(p.counters.active_sensing, 2);
	ck_assert_uint_eq(p.counters.filler, 2);
	ck_assert_uint_eq(p.counters.undefined, 1);
}
END_TEST

START_TEST(running_status_survives_realtime)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0xb0, 1, 2, 0xfe, 0xf8, 3, 4);
	ck_assert_uint_eq(g.n, 3);
	assert_msg(&g.msg[2], 0xb0, 3, 4);
}
END_TEST

START_TEST(a_status_byte_aborts_sysex_and_is_taken_itself)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0xf0, 1, 2, 3, 0x90, 4, 5, 0xf0, 6, 0xf0, 7, 0xf7);
	ck_assert_uint_eq(g.n, 2);
	assert_msg(&g.msg[0], 0x90, 4, 5);
	ck_assert_mem_eq(g.msg[1].sysex, "\xf0\x07\xf7", 3);
	ck_assert_uint_eq(p.counters.sysex_aborted, 2);
}
END_TEST

START_TEST(a_status_byte_cuts_a_message_short)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0xe0, 1, 0xb0, 2, 3);
	ck_assert_uint_eq(g.n, 1);
	assert_msg(&g.msg[0], 0xb0, 2, 3);
	ck_assert_uint_eq(p.counters.cut_short, 1);
}
END_TEST

START_TEST(sysex_of_the_bound_passes_and_one_byte_more_is_dropped_whole)
{
	static uint8_t b[BH_MIDI_SYSEX_MAX + 1];
	for (size_t over = 0; over < 2; over++) {
		struct bh_midi_parser p = {0};
		struct got g = {0};
		size_t len = BH_MIDI_SYSEX_MAX + over;
		memset(b, 0x11, sizeof(b));
		b[0] = 0xf0;
		b[len - 1] = 0xf7;
		feed(&p, b, len, &g);
		ck_assert_uint_eq(g.n, 1 - over);
		ck_assert_uint_eq(p.counters.sysex_too_long, over);
		FEED(&p, &g, 0x90, 1, 2);
		assert_msg(&g.msg[g.n - 1], 0x90, 1, 2);
	}
}
END_TEST

START_TEST(garbage_is_skipped_until_the_next_status)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 1, 2, 3, 0xf7, 0xf4, 4, 0xf5, 0xd0, 5);
	ck_assert_uint_eq(g.n, 1);
	assert_msg(&g.msg[0], 0xd0, 5, -1);
	ck_assert_uint_eq(p.counters.orphan_data, 4);
	ck_assert_uint_eq(p.counters.stray_end, 1);
	ck_assert_uint_eq(p.counters.undefined, 2);
}
END_TEST

START_TEST(resync_forgets_the_message_in_hand_and_keeps_the_counts)
{
	struct bh_midi_parser p = {0};
	struct got g = {0};
	FEED(&p, &g, 0x90, 1, 2, 0x90, 3);
	bh_midi_parser_resync(&p);
	FEED(&p, &g, 4, 0x90, 5, 6);
	ck_assert_uint_eq(g.n, 2);
	assert_msg(&g.msg[1], 0x90, 5, 6);
	ck_assert_uint_eq(p.counters.messages, 2);
	ck_assert_uint_eq(p.counters.orphan_data, 1);
}
END_TEST

START_TEST(a_parser_with_damaged_lengths_stays_in_bounds)
{
	struct bh_midi_parser p = {.in_sysex = 1, .sysex_len = 0xffffffff};
	struct got g = {0};
	FEED(&p, &g, 1, 2, 0xf7);
	ck_assert_uint_eq(g.n, 0);
	p = (struct bh_midi_parser){.status = 0x90, .have = 200};
	FEED(&p, &g, 1);
	ck_assert_uint_eq(g.n, 1);
}
END_TEST

START_TEST(the_encoder_leaves_out_a_repeated_status_only_where_allowed)
{
	struct bh_midi_msg m = {.status = 0xb0, .data = {1, 2}, .len = 2};
	struct bh_midi_msg clock = {.status = 0xf8};
	struct bh_midi_msg sysex = {.status = 0xf0, .sysex = (const uint8_t *)"\xf0\xf7", .sysex_len = 2};
	struct bh_midi_encoder plain = {0}, running = {.use_running = 1};
	uint8_t out[8];
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(bh_midi_encode(&plain, &m, out, sizeof(out)), 3);
	ck_assert_int_eq(bh_midi_encode(&running, &m, out, sizeof(out)), 3);
	ck_assert_int_eq(bh_midi_encode(&running, &m, out, sizeof(out)), 2);
	ck_assert_int_eq(bh_midi_encode(&running, &clock, out, sizeof(out)), 1);
	ck_assert_int_eq(bh_midi_encode(&running, &m, out, sizeof(out)), 2);
	ck_assert_int_eq(bh_midi_encode(&running, &sysex, out, sizeof(out)), 2);
	ck_assert_int_eq(bh_midi_encode(&running, &m, out, sizeof(out)), 3);
}
END_TEST

START_TEST(the_encoder_refuses_what_is_no_message_and_what_does_not_fit)
{
	struct bh_midi_encoder e = {0};
	uint8_t out[2] = {0};
	const struct bh_midi_msg bad[] = {
		{.status = 0x10, .len = 2},
		{.status = 0x90, .len = 1},
		{.status = 0x90, .data = {0x80, 0}, .len = 2},
		{.status = 0xf4},
		{.status = 0xfd},
		{.status = 0xf0},
		{.status = 0xf0, .sysex = (const uint8_t *)"\xf0\x90\xf7", .sysex_len = 3},
		{.status = 0xf0, .sysex = (const uint8_t *)"\xf0\x01", .sysex_len = 2},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(bh_midi_encode(&e, &bad[i], out, sizeof(out)), -EINVAL);
	struct bh_midi_msg m = {.status = 0x90, .data = {1, 2}, .len = 2};
	ck_assert_int_eq(bh_midi_encode(&e, &m, out, sizeof(out)), -ENOSPC);
	ck_assert_uint_eq(e.running, 0);
}
END_TEST

/* Messages at random, encoded with and without running status, parsed in two pieces cut anywhere. */
START_TEST(what_is_encoded_is_parsed_back_however_it_is_cut)
{
	srandom((unsigned)_i + 1);
	struct bh_midi_encoder e = {.use_running = _i & 1};
	struct got want = {0};
	uint8_t bytes[1024];
	size_t len = 0;
	for (int k = 0; k < 20; k++) {
		struct bh_midi_msg *m = &want.msg[want.n];
		long pick = random() % 10;
		m->status = (uint8_t)(0x80 + 0x10 * (random() % 7) + random() % 3);
		if (pick >= 8)
			m->status = pick == 9 ? BH_MIDI_SYSEX : BH_MIDI_CLOCK;
		if (m->status == 0xf0) {
			m->sysex_len = 2 + (size_t)(random() % 30);
			for (size_t i = 0; i < m->sysex_len; i++)
				want.sysex[want.n][i] = (uint8_t)(random() & 0x7f);
			want.sysex[want.n][0] = 0xf0;
			want.sysex[want.n][m->sysex_len - 1] = 0xf7;
			m->sysex = want.sysex[want.n];
		} else {
			m->len = (uint8_t)bh_midi_data_len(m->status);
			for (int i = 0; i < m->len; i++)
				m->data[i] = (uint8_t)(random() & 0x7f);
		}
		int n = bh_midi_encode(&e, m, bytes + len, sizeof(bytes) - len);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		want.n++;
	}
	for (size_t cut = 0; cut <= len; cut++) {
		struct bh_midi_parser p = {0};
		struct got g = {0};
		feed(&p, bytes, cut, &g);
		struct bh_midi_parser moved = p; /* another process goes on */
		feed(&moved, bytes + cut, len - cut, &g);
		ck_assert_uint_eq(g.n, want.n);
		for (size_t i = 0; i < g.n; i++) {
			ck_assert_uint_eq(g.msg[i].status, want.msg[i].status);
			ck_assert_uint_eq(g.msg[i].len, want.msg[i].len);
			ck_assert_mem_eq(g.msg[i].data, want.msg[i].data, 2);
			ck_assert_uint_eq(g.msg[i].sysex_len, want.msg[i].sysex_len);
			ck_assert_mem_eq(g.sysex[i], want.sysex[i], g.msg[i].sysex_len);
		}
	}
}
END_TEST

START_TEST(whole_messages_and_nothing_else)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
		bool whole;
		size_t at;
	} rows[] = {
		{{0x90, 0x18, 0x7f}, 3, true, 0},
		{{0x90, 0x18, 0x7f, 0xe0, 0, 0, 0xd0, 0x1c, 0xf8}, 9, true, 0},
		{{0xf0, 0, 0, 0x66, 0x14, 0, 0xf7, 0xc0, 1}, 9, true, 0},
		{{0}, 0, true, 0},
		{{0x18, 0x7f}, 2, false, 0},
		{{0x90, 0x18}, 2, false, 2},
		{{0x90, 0x18, 0x90, 0x18, 0x7f}, 5, false, 2},
		{{0x90, 0x18, 0x7f, 0x19, 0x7f}, 5, false, 3}, /* running status */
		{{0xf0, 1, 2}, 3, false, 3},
		{{0xf0, 1, 0x90, 0xf7}, 4, false, 2},
		{{0xf7}, 1, false, 0},
		{{0xf4}, 1, false, 0},
		{{0xfd}, 1, false, 0}, /* never on a cable: our rings are filled with it */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at;
		const char *why;
		bool whole = bh_midi_is_whole(rows[i].bytes, rows[i].len, &at, &why);
		ck_assert_msg(whole == rows[i].whole, "row %zu: %s", i, why);
		if (!whole)
			ck_assert_msg(at == rows[i].at && strlen(why) > 5, "row %zu: %zu", i, at);
	}
}
END_TEST

START_TEST(what_is_whole_is_parsed_without_an_oddity)
{
	srandom(11);
	unsigned odd = 0, whole = 0; /* an assertion each would take minutes */
	for (int k = 0; k < 200000; k++) {
		uint8_t bytes[9];
		size_t len = (size_t)(random() % 10), at;
		const char *why;
		struct bh_midi_parser p = {0};
		struct bh_midi_msg msg;
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(random() % 3 ? random() & 0x7f : random() % 3 ? 0x80 | random() : 0xf0 | (random() & 7));
		if (!bh_midi_is_whole(bytes, len, &at, &why)) {
			odd += at > len;
			continue;
		}
		for (size_t i = 0; i < len; i++)
			bh_midi_parse(&p, bytes[i], &msg);
		const struct bh_midi_counters *c = &p.counters;
		odd += p.status || p.in_sysex || c->undefined || c->orphan_data || c->cut_short || c->sysex_aborted || c->stray_end ||
		       c->running;
		whole++;
	}
	ck_assert_uint_eq(odd, 0);
	ck_assert_uint_gt(whole, 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("midi_parse");
	TCase *t = tcase_create("all");
	tcase_add_test(t, each_kind_of_channel_message_has_its_length);
	tcase_add_test(t, whole_messages_and_nothing_else);
	tcase_add_test(t, what_is_whole_is_parsed_without_an_oddity);
	tcase_add_test(t, running_status_repeats_the_last_channel_status);
	tcase_add_test(t, system_common_ends_running_status);
	tcase_add_test(t, realtime_bytes_stand_anywhere_and_disturb_nothing);
	tcase_add_test(t, running_status_survives_realtime);
	tcase_add_test(t, a_status_byte_aborts_sysex_and_is_taken_itself);
	tcase_add_test(t, a_status_byte_cuts_a_message_short);
	tcase_add_test(t, sysex_of_the_bound_passes_and_one_byte_more_is_dropped_whole);
	tcase_add_test(t, garbage_is_skipped_until_the_next_status);
	tcase_add_test(t, resync_forgets_the_message_in_hand_and_keeps_the_counts);
	tcase_add_test(t, a_parser_with_damaged_lengths_stays_in_bounds);
	tcase_add_test(t, the_encoder_leaves_out_a_repeated_status_only_where_allowed);
	tcase_add_test(t, the_encoder_refuses_what_is_no_message_and_what_does_not_fit);
	tcase_add_loop_test(t, what_is_encoded_is_parsed_back_however_it_is_cut, 0, 20);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
