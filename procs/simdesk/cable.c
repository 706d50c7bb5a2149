/*
 * cable - see cable.h
 */
#include "procs/simdesk/cable.h"

#include <string.h>

#include "common/midi/parse.h"
#include "common/units.h"

enum { READ_MAX = 4096 };

/* A late wake-up may send what the line could have carried meanwhile, but not more than this much. */
static const uint64_t catch_up_ns = 2 * BH_NS_PER_MS;
static const uint64_t sensing_ns = 250 * BH_NS_PER_MS;

void
cable_init(struct cable *c)
{
	memset(c, 0, sizeof(*c));
	c->wanted = true;
}

/* When the line was free at the earliest, seen from now. */
static uint64_t
lane_free(const struct cable_lane *l, uint64_t now_ns)
{
	uint64_t floor_ns = now_ns > catch_up_ns ? now_ns - catch_up_ns : 0;
	return l->free_ns > floor_ns ? l->free_ns : floor_ns;
}

static size_t
lane_room(const struct cable_lane *l, uint64_t now_ns)
{
	if (!l->byte_ns)
		return READ_MAX;
	uint64_t from = lane_free(l, now_ns);
	return from > now_ns ? 0 : (size_t)((now_ns - from) / l->byte_ns + 1);
}

static void
lane_pass(struct cable_lane *l, uint64_t now_ns, size_t n)
{
	l->bytes += n;
	l->busy_ns += n * l->byte_ns;
	if (l->byte_ns && n)
		l->free_ns = lane_free(l, now_ns) + n * l->byte_ns;
}

void
cable_limit(struct cable *c, uint64_t rate_bytes_s)
{
	c->to_host.byte_ns = c->from_host.byte_ns = rate_bytes_s ? BH_NS_PER_S / rate_bytes_s : 0;
}

void
cable_split(struct cable *c, bool on, uint64_t gap_ns)
{
	c->split = on;
	c->split_ns = gap_ns;
}

void
cable_sensing(struct cable *c, bool on, uint64_t now_ns)
{
	c->sensing = on;
	c->sent_ns = now_ns;
}

void
cable_peer(struct cable *c, bool here, uint64_t now_ns)
{
	c->peer = here;
	c->head = c->tail = 0;
	c->sent_ns = now_ns;
	c->peers += here;
}

size_t
cable_queued(const struct cable *c)
{
	return (size_t)(c->head - c->tail);
}

bool
cable_send(struct cable *c, const uint8_t *bytes, size_t len)
{
	if (!c->peer || len > CABLE_QUEUE - cable_queued(c)) {
		c->lost_messages++;
		c->lost_bytes += len;
		return false;
	}
	for (size_t i = 0; i < len; i++)
		c->queue[c->head++ % CABLE_QUEUE] = bytes[i];
	return true;
}

size_t
cable_tx(struct cable *c, uint64_t now_ns, const uint8_t **bytes)
{
	size_t n = cable_queued(c);
	size_t at = c->tail % CABLE_QUEUE;
	size_t room = lane_room(&c->to_host, now_ns);
	if (n > CABLE_QUEUE - at)
		n = CABLE_QUEUE - at;
	if (n > room)
		n = room;
	if (n > 0 && c->split)
		n = now_ns >= c->split_free_ns;
	*bytes = c->queue + at;
	return n;
}

void
cable_tx_done(struct cable *c, uint64_t now_ns, size_t n)
{
	c->tail += n;
	c->sent_ns = now_ns;
	c->split_free_ns = now_ns + c->split_ns;
	lane_pass(&c->to_host, now_ns, n);
}

size_t
cable_rx(const struct cable *c, uint64_t now_ns)
{
	return c->peer ? lane_room(&c->from_host, now_ns) : 0;
}

void
cable_rx_done(struct cable *c, uint64_t now_ns, size_t n)
{
	lane_pass(&c->from_host, now_ns, n);
}

void
cable_tick(struct cable *c, uint64_t now_ns)
{
	static const uint8_t fe = BH_MIDI_ACTIVE_SENSING;
	if (!c->sensing || !c->peer || cable_queued(c) || now_ns < c->sent_ns + sensing_ns)
		return;
	c->sent_ns = now_ns;
	cable_send(c, &fe, 1);
}

static uint64_t
sooner(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns && a_ns < b_ns ? a_ns : b_ns;
}

uint64_t
cable_next_ns(const struct cable *c, uint64_t now_ns)
{
	uint64_t next = 0;
	if (!c->peer)
		return 0;
	if (cable_queued(c)) {
		uint64_t at = c->to_host.byte_ns ? c->to_host.free_ns : 0;
		if (c->split && c->split_free_ns > at)
			at = c->split_free_ns;
		if (at > now_ns)
			next = at;
	} else if (c->sensing) {
		next = c->sent_ns + sensing_ns;
	}
	if (c->from_host.byte_ns && c->from_host.free_ns > now_ns)
		next = sooner(next, c->from_host.free_ns);
	return next;
}
