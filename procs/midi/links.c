/*
 * links - the peers of our ports: found by name, linked, missed, linked again; and what that means for our health
 *
 * In:    what the sequencer announces: ports that come and go, links that are made and cut
 * Out:   links; health
 * Fails: a peer that is absent is waited for, one that another program holds is tried again: for ever, see conn.h
 *
 * Of several ports that carry a wanted name the one that carries it exactly is taken; if it comes later, the link moves.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

/* ------------------------------------------------------------------ health */

/* What is missing, told of the first, the others counted. */
struct lack {
	const char *name;
	unsigned dir, others;
	int error; /* 0 = absent */
};

static void
lack_add(struct lack *w, const struct midi_link *l)
{
	bool is_refused = l->conn.state == MIDI_CONN_TRYING && l->error != 0;

	if (w->name != NULL && strcmp(w->name, l->want) == 0) {
		w->dir |= l->dir;
	} else if (w->name != NULL && (w->error != 0 || !is_refused)) {
		w->others++;
		return;
	} else {
		w->others += w->name != NULL;
		w->name = l->want;
		w->dir = l->dir;
	}
	if (is_refused)
		w->error = l->error;
}

static const struct midi_route *
cut_route(const struct midi *m, uint64_t now)
{
	for (uint32_t i = 0; i < m->set.route_count; i++)
		if (midi_guard_is_cut(&m->set.routes[i].guard, now))
			return &m->set.routes[i];
	return NULL;
}

bool
midi_port_is_reached(const struct midi_port *p, unsigned dir)
{
	const struct midi_link *l = &p->link[dir == MIDI_DIR_OUT];

	return l->dir == 0 || l->conn.state == MIDI_CONN_LINKED;
}

int
midi_judge(struct midi *m)
{
	static const char *const ways[] = {"", " (from it)", " (to it)", ""};
	struct lack w = {0};
	const struct midi_route *loop = cut_route(m, bh_mono_ns());
	bool any = false;
	char more[24] = "";

	if (m->seq == NULL)
		return 0; /* said where it failed */
	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++) {
			const struct midi_link *l = &m->set.ports[i].link[d];

			any |= l->dir == 0 ? m->set.ports[i].link[!d].dir == 0 : l->conn.state == MIDI_CONN_LINKED;
			if (l->dir != 0 && l->conn.state != MIDI_CONN_LINKED)
				lack_add(&w, l);
		}
	if (loop != NULL)
		return bh_health(m->drv, BH_HEALTH_DEGRADED, "take the cable out that brings it back, or filter it",
				 "loop: the route %.20s to %.20s is cut for %llu s", loop->cfg->from, loop->cfg->to,
				 (unsigned long long)(loop->guard.wait_ns / BH_NS_PER_S));
	if (w.name == NULL)
		return bh_health_ok(m->drv);
	if (w.others > 0)
		snprintf(more, sizeof(more), ", and %u more", w.others > 99 ? 99 : w.others);
	if (w.error == -EAGAIN)
		return bh_health(m->drv, BH_HEALTH_DEGRADED, "close the program that uses it as raw MIDI",
				 "%.32s is held by another program%s", w.name, more);
	if (w.error != 0)
		return bh_health(m->drv, BH_HEALTH_DEGRADED, NULL, "%.32s: %s%s", w.name, strerror(-w.error), more);
	return bh_health(m->drv, any ? BH_HEALTH_DEGRADED : BH_HEALTH_CONNECTING, "`aconnect -l` lists what is there",
			 "waiting for %.36s%s%s", w.name, ways[w.dir & 3], more);
}

/* ------------------------------------------------------------------ links */

static void
conn_arm(struct midi *m)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++) {
			const struct midi_conn *c = &m->set.ports[i].link[d].conn;

			if (c->retry_ns != 0 && (next == 0 || c->retry_ns < next))
				next = c->retry_ns;
		}
	bh_timer_at(m->conn_timer, next, 0);
}

static void
link_step(struct midi *m, uint32_t port, struct midi_link *l, enum midi_conn_event event)
{
	enum midi_conn_state before = l->conn.state;
	struct midi_port *p = &m->set.ports[port];
	uint64_t now = bh_mono_ns();

	if (midi_conn_step(&l->conn, event, now)) {
		l->error = midi_seq_link(m->seq, p->seq_port, l->peer, l->dir);
		midi_conn_step(&l->conn, l->error < 0 ? MIDI_CONN_REFUSED : MIDI_CONN_MADE, now);
	}
	if (l->conn.state == before)
		return;
	if (l->conn.state == MIDI_CONN_LINKED) {
		bh_info("%s: connected %s %s (%u:%u)", p->cfg->name, l->dir == MIDI_DIR_IN ? "from" : "to", l->want,
			l->peer.client, l->peer.port);
		if (l->dir == MIDI_DIR_OUT) /* of a link that stood already nothing is announced */
			midi_values_flush(m);
	} else if (before == MIDI_CONN_LINKED) {
		bh_info("%s: %s has gone; it is connected again when it returns", p->cfg->name, l->want);
		if (l->dir == MIDI_DIR_IN)
			midi_routes_release_from(m, port);
	}
}

static void
on_port_seen(void *data, const struct midi_port_info *info)
{
	struct midi *m = data;

	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++) {
			struct midi_link *l = &m->set.ports[i].link[d];
			enum midi_conn_match match = midi_conn_match(l->want, info->client, info->name);

			if ((l->dir & info->can) == 0 || match == MIDI_CONN_NO)
				continue;
			if (l->conn.state != MIDI_CONN_ABSENT) {
				if (match <= l->match)
					continue;
				midi_seq_unlink(m->seq, m->set.ports[i].seq_port, l->peer, l->dir);
				link_step(m, i, l, MIDI_CONN_GONE);
			}
			l->peer = info->addr;
			l->match = match;
			link_step(m, i, l, MIDI_CONN_SEEN);
		}
}

static bool
is_peer(const struct midi_link *l, struct midi_addr a)
{
	return l->dir != 0 && l->conn.state != MIDI_CONN_ABSENT && l->peer.client == a.client && l->peer.port == a.port;
}

static bool
on_port_gone(struct midi *m, struct midi_addr addr)
{
	bool any = false;

	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++)
			if (is_peer(&m->set.ports[i].link[d], addr)) {
				link_step(m, i, &m->set.ports[i].link[d], MIDI_CONN_GONE);
				any = true;
			}
	return any;
}

void
midi_links_look(struct midi *m)
{
	midi_seq_list(m->seq, on_port_seen, m);
	conn_arm(m);
	midi_judge(m);
}

void
midi_links_forget(struct midi *m)
{
	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++)
			midi_conn_step(&m->set.ports[i].link[d].conn, MIDI_CONN_GONE, 0);
}

void
midi_links_look_anew(struct midi *m)
{
	midi_links_forget(m); /* they are linked again, or still */
	midi_links_look(m);
}

void
midi_links_tick(void *data)
{
	struct midi *m = data;

	for (uint32_t i = 0; i < m->set.port_count; i++)
		for (int d = 0; d < 2; d++)
			link_step(m, i, &m->set.ports[i].link[d], MIDI_CONN_TICK);
	conn_arm(m);
	midi_judge(m);
}

static int64_t
port_of_seq(const struct midi *m, int seq_port)
{
	for (uint32_t i = 0; i < m->set.port_count; i++)
		if (m->set.ports[i].seq_port == seq_port)
			return i;
	return -ENOENT;
}

void
midi_links_announced(struct midi *m, const struct midi_seq_in *in)
{
	struct midi_port_info info;
	int64_t port = port_of_seq(m, in->port);

	if (in->kind == MIDI_SEQ_PORT_START) {
		on_port_gone(m, in->peer); /* a new one has this address; its links are not the old one's */
		if (midi_seq_look(m->seq, in->peer, &info) == 0)
			on_port_seen(m, &info);
	} else if (in->kind == MIDI_SEQ_PORT_EXIT) {
		if (on_port_gone(m, in->peer))
			midi_seq_list(m->seq, on_port_seen, m); /* another one of that name? */
	}
	if (in->kind == MIDI_SEQ_LINKED && port >= 0 && in->dir == MIDI_DIR_OUT) {
		midi_values_tell(m, (uint32_t)port, in->peer);
		midi_routes_recover(m, (uint32_t)port);
	} else if (in->kind == MIDI_SEQ_UNLINKED && port >= 0) {
		struct midi_link *l = &m->set.ports[port].link[in->dir == MIDI_DIR_OUT];

		if (is_peer(l, in->peer))
			link_step(m, (uint32_t)port, l, MIDI_CONN_CUT);
	}
	conn_arm(m);
	midi_judge(m);
}
