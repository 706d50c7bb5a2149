/*
 * routes - what comes in at one of our ports and goes on from another, without the router
 *
 * In:    events and whole system exclusive messages of peers; the routes' switches
 * Out:   events at other ports
 * Fails: a full queue loses messages, counted and told; the end of a note is kept and follows. A loop is cut, counted and
 *        told in health, and tried again (guard.h). When a route is turned off, changed or cut, or its source goes, the
 *        notes that it has begun are ended.
 *
 * Nothing goes back to the peer that it came from, unless the route says `back: yes`.
 */
#include <errno.h>
#include <string.h>

#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

static int
off_now(struct midi *m, uint32_t port, uint8_t channel, uint8_t note)
{
	struct midi_event ev = {.kind = MIDI_EV_NOTE, .channel = channel, .number = note};
	int e = m->seq != NULL ? midi_seq_send(m->seq, m->set.ports[port].seq_port, &ev, NULL) : -ENOTCONN;

	return e == -EAGAIN ? midi_off_later(m, port, channel, note, bh_mono_ns() + 5 * BH_NS_PER_MS) : e;
}

static bool
is_silent(const struct midi_kept *k)
{
	for (unsigned c = 0; c < 16; c++)
		if ((k->notes[c].bits[0] | k->notes[c].bits[1]) != 0)
			return false;
	return true;
}

/* Where it is kept what sounds at a port; NULL = no room: a successor will not know. */
static struct midi_set128 *
kept_at(struct midi *m, uint32_t port)
{
	uint32_t hash = midi_port_hash(&m->set, port);
	struct midi_kept *free_one = NULL;

	for (unsigned i = 0; i < MIDI_KEPT; i++) {
		if (m->kept->kept[i].port == hash)
			return m->kept->kept[i].notes;
		if (free_one == NULL && (m->kept->kept[i].port == 0 || is_silent(&m->kept->kept[i])))
			free_one = &m->kept->kept[i];
	}
	if (free_one != NULL)
		free_one->port = hash;
	return free_one != NULL ? free_one->notes : NULL;
}

/* End all notes of a set, and forget them. */
static void
end_notes(struct midi *m, uint32_t port, struct midi_set128 held[16])
{
	struct midi_set128 *kept = kept_at(m, port);

	for (uint8_t c = 0; c < 16; c++)
		for (uint8_t n = 0; n < 128 && (held[c].bits[0] | held[c].bits[1]) != 0; n++)
			if (midi_set_has(&held[c], n)) {
				off_now(m, port, c, n);
				midi_set_drop(&held[c], n);
				if (kept != NULL)
					midi_set_drop(&kept[c], n);
			}
}

void
midi_route_release(struct midi *m, struct midi_route *r)
{
	end_notes(m, r->to, r->held);
}

void
midi_routes_release_all(struct midi *m)
{
	for (uint32_t i = 0; i < m->set.route_count; i++)
		midi_route_release(m, &m->set.routes[i]);
}

void
midi_routes_recover(struct midi *m, uint32_t port)
{
	uint32_t hash = midi_port_hash(&m->set, port);

	for (unsigned k = 0; k < MIDI_KEPT; k++)
		if (m->orphan[k].port == hash) {
			end_notes(m, port, m->orphan[k].notes);
			m->orphan[k].port = 0;
		}
}

void
midi_routes_release_from(struct midi *m, uint32_t port)
{
	for (uint32_t i = 0; i < m->set.route_count; i++)
		if (m->set.routes[i].from == port)
			midi_route_release(m, &m->set.routes[i]);
}

int
midi_route_switch(struct midi *m, struct midi_route *r, bool on)
{
	if (!on)
		midi_route_release(m, r);
	r->is_on = on;
	return bh_report(m->drv, (bh_param_id)r->id, bh_bool(on));
}

/* ------------------------------------------------------------------ loops */

void
midi_routes_tick(void *data)
{
	struct midi *m = data;
	uint64_t now = bh_mono_ns(), next = 0;

	for (uint32_t i = 0; i < m->set.route_count; i++) {
		struct midi_route *r = &m->set.routes[i];

		if (midi_guard_is_cut(&r->guard, now)) {
			if (next == 0 || r->guard.until_ns < next)
				next = r->guard.until_ns;
		} else if (r->was_cut) {
			r->was_cut = false;
			bh_info("route %s to %s: open again; %llu messages were stopped", r->cfg->from, r->cfg->to,
				(unsigned long long)r->guard.stopped);
		}
	}
	bh_timer_at(m->guard_timer, next, 0);
	midi_judge(m);
}

static void
on_loop(struct midi *m, struct midi_route *r)
{
	m->cuts++;
	r->was_cut = true;
	bh_count(bh_driver_proc(m->drv), BH_CNT_PEER_FAULTS, 1);
	bh_warn("loop: what the route %s to %s sends comes back to it; it is cut for %llu s and then tried again "
		"(cut %llu times since the start)",
		r->cfg->from, r->cfg->to, (unsigned long long)(r->guard.wait_ns / BH_NS_PER_S), (unsigned long long)m->cuts);
	midi_route_release(m, r);
	midi_routes_tick(m);
}

static bool
guard_passes(struct midi *m, struct midi_route *r, uint64_t hash, bool often)
{
	switch (midi_guard_step(&r->guard, hash, often, bh_mono_ns())) {
	case MIDI_GUARD_PASS: return true;
	case MIDI_GUARD_STOP: return false;
	case MIDI_GUARD_CUT: on_loop(m, r); break;
	}
	return false;
}

/* ------------------------------------------------------------------ messages */

static bool
is_open(const struct midi *m, const struct midi_route *r, uint32_t port, struct midi_addr source)
{
	const struct midi_link *to = &m->set.ports[r->to].link[1];

	if (!r->is_on || r->from != port)
		return false;
	return r->cfg->back || to->dir == 0 || to->conn.state != MIDI_CONN_LINKED || to->peer.client != source.client ||
	       to->peer.port != source.port;
}

static void
lost(struct midi *m, const struct midi_route *r, int error)
{
	bh_log_limited(&m->unsent, BH_LOG_WARN, bh_log_topic, "route %s to %s: a message was not passed on: %s", r->cfg->from,
		       r->cfg->to, strerror(-error));
}

static void
route_send(struct midi *m, struct midi_route *r, const struct midi_event *ev)
{
	int e = midi_seq_send(m->seq, m->set.ports[r->to].seq_port, ev, NULL);
	struct midi_set128 *kept = ev->kind == MIDI_EV_NOTE ? kept_at(m, r->to) : NULL;
	uint8_t channel = ev->channel & 15;
	bool is_off = ev->kind == MIDI_EV_NOTE && ev->value == 0;

	if (e == -EAGAIN && is_off)
		e = off_now(m, r->to, ev->channel, (uint8_t)ev->number);
	if (e < 0) {
		lost(m, r, e);
		return;
	}
	if (ev->kind != MIDI_EV_NOTE)
		return;
	(is_off ? midi_set_drop : midi_set_add)(&r->held[channel], ev->number);
	if (kept != NULL)
		(is_off ? midi_set_drop : midi_set_add)(&kept[channel], ev->number);
}

static bool
repeats_by_nature(const struct midi_event *ev)
{
	return ev->kind == MIDI_EV_PRESSURE || ev->kind == MIDI_EV_POLY_PRESSURE || ev->kind == MIDI_EV_SYSTEM;
}

void
midi_routes_event(struct midi *m, uint32_t port, const struct midi_event *ev, struct midi_addr source)
{
	uint16_t words[5] = {(uint16_t)ev->kind, ev->channel, ev->number, ev->value, ev->half};

	for (uint32_t i = 0; i < m->set.route_count; i++) {
		struct midi_route *r = &m->set.routes[i];
		struct midi_event out[MIDI_OUT_MAX];
		int n;

		if (!is_open(m, r, port, source))
			continue;
		n = midi_transform(&r->filter, r->step, r->steps, ev, out);
		if (n == 0 || !guard_passes(m, r, midi_guard_hash(words, sizeof(words)), repeats_by_nature(ev)))
			continue;
		for (int k = 0; k < n; k++)
			route_send(m, r, &out[k]);
	}
}

void
midi_routes_sysex(struct midi *m, uint32_t port, const uint8_t *bytes, size_t len, struct midi_addr source)
{
	for (uint32_t i = 0; i < m->set.route_count; i++) {
		struct midi_route *r = &m->set.routes[i];
		int e;

		if (!(r->filter.kinds & MIDI_PASS_SYSEX) || !is_open(m, r, port, source) ||
		    !guard_passes(m, r, midi_guard_hash(bytes, (uint32_t)len), false))
			continue;
		e = midi_seq_send_sysex(m->seq, m->set.ports[r->to].seq_port, bytes, len);
		if (e < 0)
			lost(m, r, e);
	}
}
