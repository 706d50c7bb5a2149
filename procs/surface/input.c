/* input - see input.h */
#include "procs/surface/input.h"

#include <errno.h>
#include <string.h>

enum { P_RUNNING, P_MARK_END, P_MARK_POS, P_MARK_GEN };

static void
store(uint64_t *word, uint64_t v)
{
	__atomic_store_n(word, v, __ATOMIC_RELEASE);
}

/* FD over [from, from + len), around the end of the ring. */
static void
fill(struct input *in, uint64_t from, size_t len)
{
	uint32_t at = (uint32_t)(from % in->size);
	size_t first = len < in->size - at ? len : in->size - at;
	memset(in->ring + at, BH_MIDI_FILLER, first);
	memset(in->ring, BH_MIDI_FILLER, len - first);
}

/* The end of what was read: after the last byte of the read's window that is not FD. */
static uint64_t
find_end(const struct input *in, uint64_t read_from)
{
	uint64_t end = read_from;
	for (uint64_t p = read_from; p < read_from + INPUT_READ_MAX; p++)
		if (in->ring[p % in->size] != BH_MIDI_FILLER)
			end = p + 1;
	return end;
}

int
input_init(struct input *in, uint8_t *ring, uint32_t size, struct bh_bytes_head *head)
{
	if (size < INPUT_RING_MIN)
		return -EINVAL;
	memset(in, 0, sizeof(*in));
	in->ring = ring;
	in->size = size;
	in->head = head;
	uint64_t decoded = head->decoded, read_from = head->read_from;
	uint64_t end = find_end(in, read_from);
	uint64_t window = size - INPUT_READ_MAX;
	if (decoded > end || end - decoded > window || head->parser[P_RUNNING] > 0xff) {
		input_forget(in);
		return 0;
	}
	in->at = decoded;
	in->end = end;
	in->parser.running = (uint8_t)head->parser[P_RUNNING];
	return (int)(end - decoded);
}

void *
input_room(struct input *in, size_t *len)
{
	uint32_t at = (uint32_t)(in->end % in->size);
	*len = in->size - at < INPUT_READ_MAX ? in->size - at : INPUT_READ_MAX;
	/* The whole window that a successor will look at must be clean before the read may write there. */
	fill(in, in->end, INPUT_READ_MAX);
	store(&in->head->read_from, in->end);
	return in->ring + at;
}

void
input_got(struct input *in, size_t n)
{
	in->end += n;
}

/* Nothing of the bytes before `at` is needed to parse those after it, but the running status. */
static bool
is_between(const struct bh_midi_parser *p)
{
	return !p->status && (!p->in_sysex || p->too_long);
}

static void
commit(struct input *in)
{
	/* First the status: bytes parsed again under the newer one begin with a status byte of their own, or it is the same. */
	store(&in->head->parser[P_RUNNING], in->parser.running);
	store(&in->head->decoded, in->at);
}

bool
input_next(struct input *in, struct bh_midi_msg *msg)
{
	while (in->at < in->end) {
		bool got = bh_midi_parse(&in->parser, in->ring[in->at % in->size], msg);
		in->at++;
		if (got)
			return true;
	}
	if (is_between(&in->parser))
		commit(in);
	return false;
}

void
input_done(struct input *in)
{
	/* A realtime byte in the middle of a message is no place to go on from. */
	if (is_between(&in->parser))
		commit(in);
}

void
input_mark(struct input *in, uint64_t outbox_pos, uint32_t gen)
{
	store(&in->head->parser[P_MARK_END], 0);
	store(&in->head->parser[P_MARK_POS], outbox_pos);
	store(&in->head->parser[P_MARK_GEN], gen);
	store(&in->head->parser[P_MARK_END], in->at);
}

bool
input_was_marked(const struct input *in, uint64_t *outbox_pos, uint32_t *gen)
{
	*outbox_pos = in->head->parser[P_MARK_POS];
	*gen = (uint32_t)in->head->parser[P_MARK_GEN];
	return in->head->parser[P_MARK_END] == in->at;
}

void
input_forget(struct input *in)
{
	bh_midi_parser_resync(&in->parser);
	/* Positions go on, so that no mark of before fits. */
	uint64_t at = in->end > in->head->decoded ? in->end : in->head->decoded;
	if (at > UINT64_MAX / 2)
		at = 0;
	in->at = in->end = at;
	store(&in->head->parser[P_MARK_END], 0);
	fill(in, 0, in->size);
	store(&in->head->read_from, at);
	commit(in);
}
