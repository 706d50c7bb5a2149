/*
 * Any bytes, parsed whole and again in two pieces cut where the first byte says: the same messages; each
 * can be encoded, and reads back as itself.
 */
#include <stdlib.h>
#include <string.h>

#include "common/midi/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static void
reads_back(const struct bh_midi_msg *m)
{
	uint8_t bytes[BH_MIDI_SYSEX_MAX];
	struct bh_midi_encoder e = {0};
	struct bh_midi_parser p = {0};
	struct bh_midi_msg back = {0};
	int len = bh_midi_encode(&e, m, bytes, sizeof(bytes));
	demand(len > 0);
	for (int i = 0; i < len; i++)
		demand(bh_midi_parse(&p, bytes[i], &back) == (i == len - 1));
	demand(back.status == m->status && back.len == m->len &&
	       memcmp(back.data, m->data, 2) == 0 && back.sysex_len == m->sysex_len);
	if (m->sysex)
		demand(memcmp(back.sysex, m->sysex, m->sysex_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t cut = 1 + data[0] % (size - 1);
	struct bh_midi_parser whole = {0}, pieces = {0};
	for (size_t i = 1; i < size; i++) {
		struct bh_midi_msg a, b;
		if (i == cut) {
			struct bh_midi_parser moved = pieces;
			memset(&pieces, 0xff, sizeof(pieces));
			pieces = moved;
		}
		bool got = bh_midi_parse(&whole, data[i], &a);
		demand(got == bh_midi_parse(&pieces, data[i], &b));
		if (!got)
			continue;
		demand(a.status == b.status && a.sysex_len == b.sysex_len);
		reads_back(&a);
	}
	demand(memcmp(&whole.counters, &pieces.counters, sizeof(whole.counters)) == 0);
	return 0;
}
