/* guard - see the header. */
#include "procs/midi/guard.h"

uint64_t
midi_guard_hash(const void *bytes, uint32_t len)
{
	const uint8_t *b = bytes;
	uint64_t h = 0xcbf29ce484222325ull;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	h ^= h >> 32; /* the slot is taken from the low bits */
	return h != 0 ? h : 1;
}

bool
midi_guard_is_cut(const struct midi_guard *g, uint64_t now_ns)
{
	return g->until_ns != 0 && now_ns < g->until_ns;
}

static void
drain(struct midi_guard *g, uint64_t now_ns)
{
	uint64_t n = (now_ns - g->drained_ns) / MIDI_GUARD_DRAIN_NS;

	if (n >= g->level) {
		g->level = 0;
		g->drained_ns = now_ns;
		return;
	}
	g->level -= (uint32_t)n;
	g->drained_ns += n * MIDI_GUARD_DRAIN_NS;
}

static void
cut(struct midi_guard *g, uint64_t now_ns)
{
	bool calm = g->until_ns == 0 || now_ns - g->until_ns >= MIDI_GUARD_CALM_NS;

	g->wait_ns = calm ? MIDI_GUARD_CUT_MIN_NS : g->wait_ns * 2;
	if (g->wait_ns > MIDI_GUARD_CUT_MAX_NS)
		g->wait_ns = MIDI_GUARD_CUT_MAX_NS;
	g->cut_ns = now_ns;
	g->until_ns = now_ns + g->wait_ns;
	g->level = 0;
	g->cuts++;
	g->stopped++;
}

enum midi_guard_verdict
midi_guard_step(struct midi_guard *g, uint64_t hash, bool often, uint64_t now_ns)
{
	struct midi_guard_seen *s = &g->seen[hash % MIDI_GUARD_SLOTS];
	uint64_t near = often ? MIDI_GUARD_OFTEN_NS : MIDI_GUARD_NEAR_NS;
	bool repeat = s->hash == hash && now_ns - s->last_ns < near;

	if (midi_guard_is_cut(g, now_ns)) {
		g->stopped++;
		return MIDI_GUARD_STOP;
	}
	s->hash = hash;
	s->last_ns = now_ns;
	drain(g, now_ns);
	if (!repeat || ++g->level < MIDI_GUARD_LIMIT)
		return MIDI_GUARD_PASS;
	cut(g, now_ns);
	return MIDI_GUARD_CUT;
}
