/*
 * Any filter and up to four steps of any kind on any messages, and the guard on what comes out: everything is a message
 * that MIDI has, and there is never more of it than one message can become. At most 64 messages.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "procs/midi/guard.h"
#include "procs/midi/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

static uint8_t
take(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static void
take_step(struct input *in, struct midi_step *s)
{
	midi_step_init(s, take(in) % MIDI_STEP_COUNT);
	s->channel = take(in) % 17;
	s->by = (int16_t)(take(in) % 255 - 127);
	s->number = (int16_t)(take(in) % 129 - 1);
	s->invert = take(in) & 1;
	s->fixed = take(in) % 128;
	s->min = take(in) % 128;
	s->max = take(in) % 128;
	s->scale = take(in) / 2.0;
	s->curve = 0.1 + take(in) / 26.0;
	s->has_map = take(in) & 1;
	for (unsigned i = 0; s->has_map && i < 8; i++)
		s->map[take(in) & 127] =
			take(in) & (s->kind == MIDI_STEP_CHANNEL || s->kind == MIDI_STEP_CC_TO_PITCHBEND ? 15 : 127);
}

static void
check(const struct midi_event *ev)
{
	bool is_wide = ev->kind == MIDI_EV_BEND || ev->kind == MIDI_EV_SYSTEM;

	demand(ev->channel < 16 && ev->release < 128);
	demand(ev->value <= (is_wide ? 16383 : 127));
	demand(ev->kind == MIDI_EV_SYSTEM || ev->number < 128);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct midi_guard guard;
	struct input in = {data, data + size};
	struct midi_step steps[4];
	struct midi_filter f;
	uint32_t count = take(&in) % 5;
	uint64_t now = 1, passed = 0, stopped = 0;
	char text[8] = "";
	uint8_t low = 0, high = 0;

	guard = (struct midi_guard){0};
	midi_filter_init(&f);
	f.kinds = take(&in) | (uint32_t)take(&in) << 8;
	f.channels = (uint16_t)(take(&in) | take(&in) << 8);
	for (uint32_t i = 0; i < count; i++)
		take_step(&in, &steps[i]);
	for (unsigned i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)take(&in);
	demand(midi_range_parse(text, &low, &high) < 0 || (low <= high && high <= 127));
	for (int i = 0; i < 64 && in.at < in.end; i++) {
		struct midi_event ev = {.kind = take(&in) % (MIDI_EV_OTHER + 1), .channel = take(&in), .half = take(&in) % 3,
					.release = take(&in)};
		struct midi_event out[MIDI_OUT_MAX];

		ev.number = (uint16_t)(take(&in) << 8 | take(&in));
		ev.value = (uint16_t)(take(&in) << 8 | take(&in));
		int n = midi_transform(&f, steps, count, &ev, out);
		demand(n >= 0 && n <= MIDI_OUT_MAX);
		for (int k = 0; k < n; k++) {
			check(&out[k]);
			for (int again = 0; again < 8; again++)
				midi_guard_step(&guard, midi_guard_hash(&out[k].number, 4), ev.half & 1, now) == MIDI_GUARD_PASS
					? passed++
					: stopped++;
		}
		now += (uint64_t)ev.release * 1000000;
		demand(guard.level < MIDI_GUARD_LIMIT && guard.stopped == stopped);
	}
	return 0;
}
