/*
 * midi - parameters and actions on the ALSA sequencer
 *
 * In:    wanted values of the configured parameters; the actions send, note, program and panic;
 *        events, ports and links of the sequencer
 * Out:   events at our ports; what peers sent, as reported values
 * Fails: a peer that is absent, or whose port another program holds, makes us CONNECTING or
 * DEGRADED: values are kept and go out when it is there. A sequencer that is missing is looked for
 * again. A full queue delays values and refuses actions. Wrong configuration is named and ends us.
 *
 * Each parameter has one newest raw value, whoever set it. A program that links to a port of ours,
 * we to it or it to us, gets all of them at once: so a peer that comes back is told the truth
 * unasked.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/driver.h"
#include "common/log.h"
#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

#define OPEN_RETRY_MS 2000u /* the sequencer is missing */
#define SEND_RETRY_MS 5u    /* its queue is full */

static const char *const directions[] = {"both", "in", "out", NULL};
static const char *const types[] = {"cc", "cc14", "note", "pitchbend", "program", NULL};
static const char *const tapers[] = {"linear", "fader_db", "log", NULL};

static const struct bh_cfg_field midi_port_fields[] = {
	BH_CFG(struct midi_port_config, name, .type = BH_CFG_STR,
	       .help = "name of the port that others see"),
	BH_CFG(struct midi_port_config, connect, .type = BH_CFG_STR, .def = "",
	       .help = "peer to stay connected to, CLIENT or CLIENT:PORT by name; empty for none"),
	BH_CFG(struct midi_port_config, direction, .type = BH_CFG_ENUM, .def = "both",
	       .choices = directions, .help = "in: events come to us; out: events go from us"),
	BH_CFG(struct midi_port_config, sysex_to, .type = BH_CFG_STR, .def = "",
	       .help = "port on which system exclusive that comes in here goes out unchanged"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field midi_param_fields[] = {
	BH_CFG(struct midi_param_config, name, .type = BH_CFG_STR,
	       .help = "the parameter, as in synth/volume"),
	BH_CFG(struct midi_param_config, port, .type = BH_CFG_STR,
	       .help = "name of a port in the list of ports"),
	BH_CFG(struct midi_param_config, type, .type = BH_CFG_ENUM, .def = "cc", .choices = types,
	       .help = "what carries the value; cc14 uses two controllers, number and number + 32"),
	BH_CFG(struct midi_param_config, channel, .type = BH_CFG_U32, .def = "1", .min = "1",
	       .max = "16", .help = "MIDI channel"),
	BH_CFG(struct midi_param_config, number, .type = BH_CFG_U32, .def = "0", .min = "0",
	       .max = "127", .help = "controller or note; for cc14 0 to 31"),
	BH_CFG(struct midi_param_config, min, .type = BH_CFG_FLOAT, .def = "0",
	       .help = "value at the lowest position; min and max both 0 mean MIDI's own numbers"),
	BH_CFG(struct midi_param_config, max, .type = BH_CFG_FLOAT, .def = "0",
	       .help = "value at the highest position"),
	BH_CFG(struct midi_param_config, direction, .type = BH_CFG_ENUM, .def = "both",
	       .choices = directions, .help = "in: only reported to us; out: only sent"),
	BH_CFG(struct midi_param_config, unit, .type = BH_CFG_STR, .def = "",
	       .help = "unit to show"),
	BH_CFG(struct midi_param_config, taper, .type = BH_CFG_ENUM, .def = "linear",
	       .choices = tapers, .help = "how positions of a fader spread over the range"),
	BH_CFG(struct midi_param_config, label, .type = BH_CFG_STR, .def = "",
	       .help = "short name for a strip"),
	BH_CFG_LAST,
};
static const struct bh_cfg_field midi_fields[] = {
	BH_CFG(struct midi_config, client, .type = BH_CFG_STR, .def = "Bulkhead",
	       .help = "name of our client on the sequencer"),
	BH_CFG(struct midi_config, ports, .type = BH_CFG_LIST, .sub = midi_port_fields,
	       .sub_size = sizeof(struct midi_port_config), .help = "our ports"),
	BH_CFG(struct midi_config, parameters, .type = BH_CFG_LIST, .sub = midi_param_fields,
	       .sub_size = sizeof(struct midi_param_config),
	       .help = "parameters: what a MIDI message means"),
	BH_CFG_LAST,
};

int64_t
midi_port_by_name(const struct midi *m, const char *name)
{
	for (uint32_t i = 0; i < m->port_count; i++)
		if (strcmp(m->ports[i].cfg->name, name) == 0)
			return i;
	return -ENOENT;
}

/* ------------------------------------------------------------------ health */

static int
midi_judge(struct midi *m)
{
	const char *absent = NULL, *refused = NULL;
	int error = 0;

	if (m->seq == NULL)
		return 0; /* said where it failed */
	for (uint32_t i = 0; i < m->port_count; i++)
		for (int d = 0; d < 2; d++) {
			const struct midi_link *l = &m->ports[i].link[d];

			if (l->dir == 0 || l->conn.state == MIDI_CONN_LINKED)
				continue;
			if (l->conn.state == MIDI_CONN_TRYING && l->error != 0) {
				refused = m->ports[i].cfg->connect;
				error = l->error;
			} else {
				absent = m->ports[i].cfg->connect;
			}
		}
	if (refused != NULL && error == -EAGAIN)
		return bh_health(m->drv, BH_HEALTH_DEGRADED,
				 "close the program that uses it as raw MIDI",
				 "%s is held by another program", refused);
	if (refused != NULL)
		return bh_health(m->drv, BH_HEALTH_DEGRADED, NULL, "%s: %s", refused,
				 strerror(-error));
	if (absent != NULL)
		return bh_health(m->drv, BH_HEALTH_CONNECTING, "`aconnect -l` lists what is there",
				 "waiting for %s", absent);
	return bh_health_ok(m->drv);
}

/* ------------------------------------------------------------------ values */

static struct bh_value
value_of(const struct midi_row *r, double number)
{
	switch (r->map.type) {
	case MIDI_NOTE: return bh_bool(number > (r->map.min + r->map.max) / 2);
	case MIDI_PROGRAM: return bh_int(lrint(number));
	case MIDI_CC:
	case MIDI_CC14:
	case MIDI_PITCHBEND:
	case MIDI_TYPE_COUNT: break;
	}
	return bh_float(number);
}

static uint16_t
raw_of(const struct midi_row *r, const struct bh_value *v)
{
	if (r->map.type == MIDI_NOTE)
		return v->i != 0 ? 127 : 0;
	return midi_to_raw(&r->map, v->type == BH_FLOAT ? v->f : (double)v->i);
}

static int
row_send(struct midi *m, const struct midi_row *r, const struct midi_addr *to)
{
	struct midi_event ev[2];
	int n = midi_map_out(&r->map, r->raw, ev), e = 0;

	for (int i = 0; i < n && e == 0; i++)
		e = midi_seq_send(m->seq, m->ports[r->port].seq_port, &ev[i], to);
	return e;
}

static bool
row_is_sent(const struct midi_row *r)
{
	return r->cfg->direction != 1;
}

/* Sends what is newest, and says that the peer has it. -ENOTCONN: its peer is away, it goes out
 * later. */
static int
row_flush(struct midi *m, struct midi_row *r)
{
	const struct midi_port *p = &m->ports[r->port];
	int e;

	if (m->seq == NULL || (p->link[1].dir != 0 && p->link[1].conn.state != MIDI_CONN_LINKED))
		return -ENOTCONN;
	e = row_send(m, r, NULL);
	if (e == -EAGAIN) {
		bh_log_limited(&m->full, BH_LOG_WARN, bh_log_topic,
			       "the sequencer's queue is full; newest values follow");
		if (!bh_timer_armed(m->send_timer))
			bh_timer_in_ms(m->send_timer, SEND_RETRY_MS);
	}
	if (e < 0)
		return e;
	r->unsent = false;
	return bh_report(m->drv, (bh_param_id)r->id, r->value);
}

static int
midi_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct midi *m = data;
	struct midi_row *r;

	if (id >= m->id_count || m->row_of_id[id] == 0)
		return -ENOENT;
	r = &m->rows[m->row_of_id[id] - 1];
	if (!row_is_sent(r))
		return -EPERM;
	r->raw = raw_of(r, v);
	r->value = *v; /* not the nearest MIDI step: a fader must not creep after the hand has left
			  it */
	r->known = r->unsent = true;
	return row_flush(m, r);
}

static void
on_send_again(void *data)
{
	struct midi *m = data;

	for (uint32_t i = 0; i < m->row_count; i++)
		if (m->rows[i].unsent && row_flush(m, &m->rows[i]) == -EAGAIN)
			return; /* the timer is armed again */
}

/* Somebody has linked to our port: it is told all that we know. */
static void
port_tell(struct midi *m, uint32_t port, struct midi_addr peer)
{
	for (uint32_t i = 0; i < m->row_count; i++) {
		struct midi_row *r = &m->rows[i];

		if (r->port != port || !r->known || !row_is_sent(r))
			continue;
		if (row_send(m, r, &peer) < 0) {
			r->unsent = true; /* to all, with the next attempt */
			if (!bh_timer_armed(m->send_timer))
				bh_timer_in_ms(m->send_timer, SEND_RETRY_MS);
		} else if (r->unsent) {
			r->unsent = false;
			bh_report(m->drv, (bh_param_id)r->id, r->value);
		}
	}
}

static void
row_received(struct midi *m, struct midi_row *r, uint16_t raw)
{
	if (r->known && !r->unsent && r->raw == raw)
		return; /* it says what it was told */
	r->raw = raw;
	r->known = true;
	r->unsent = false;
	r->value = value_of(r, midi_to_value(&r->map, raw));
	if (r->id >= 0)
		bh_report(m->drv, (bh_param_id)r->id, r->value);
}

static void
on_pair_due(void *data)
{
	struct midi *m = data;
	uint64_t now = bh_mono_ns();
	bool more = false;
	uint16_t raw;

	for (uint32_t i = 0; i < m->row_count; i++) {
		struct midi_row *r = &m->rows[i];

		if (midi_pair_due(&r->pair, now, &raw))
			row_received(m, r, raw);
		more |= r->pair.waiting;
	}
	if (more)
		bh_timer_in_ms(m->pair_timer, MIDI_PAIR_NS / BH_NS_PER_MS);
}

static void
on_event(struct midi *m, uint32_t port, const struct midi_event *ev)
{
	uint64_t now = bh_mono_ns();
	uint16_t raw;

	for (size_t i = midi_index_find(m->index, m->index_count, (uint16_t)port, ev);
	     midi_index_is(m->index, m->index_count, i, (uint16_t)port, ev); i++) {
		struct midi_row *r = &m->rows[m->index[i].row];

		if (midi_map_in(&r->map, &r->pair, ev, now, &raw))
			row_received(m, r, raw);
		if (r->pair.waiting && !bh_timer_armed(m->pair_timer))
			bh_timer_in_ms(m->pair_timer, MIDI_PAIR_NS / BH_NS_PER_MS + 1);
	}
}

struct midi_sysex_way {
	struct midi *m;
	int port;
};

static void
on_sysex(void *data, const uint8_t *bytes, size_t len)
{
	struct midi_sysex_way *w = data;
	int e = midi_seq_send_sysex(w->m->seq, w->port, bytes, len);

	if (e < 0)
		bh_log_limited(&w->m->sysex, BH_LOG_WARN, bh_log_topic,
			       "system exclusive of %zu bytes was not passed on: %s", len,
			       strerror(-e));
}

/* ------------------------------------------------------------------ connections */

static void
conn_arm(struct midi *m)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < m->port_count; i++)
		for (int d = 0; d < 2; d++) {
			const struct midi_conn *c = &m->ports[i].link[d].conn;

			if (c->retry_ns != 0 && (next == 0 || c->retry_ns < next))
				next = c->retry_ns;
		}
	bh_timer_at(m->conn_timer, next, 0);
}

static void
link_step(struct midi *m, struct midi_port *p, struct midi_link *l, enum midi_conn_event event)
{
	enum midi_conn_state before = l->conn.state;
	uint64_t now = bh_mono_ns();

	if (midi_conn_step(&l->conn, event, now)) {
		l->error = midi_seq_link(m->seq, p->seq_port, l->peer, l->dir);
		midi_conn_step(&l->conn, l->error < 0 ? MIDI_CONN_REFUSED : MIDI_CONN_MADE, now);
	}
	if (l->conn.state == before)
		return;
	if (l->conn.state == MIDI_CONN_LINKED)
		bh_info("%s: connected %s %s (%u:%u)", p->cfg->name,
			l->dir == MIDI_DIR_IN ? "from" : "to", p->cfg->connect, l->peer.client,
			l->peer.port);
	else if (before == MIDI_CONN_LINKED)
		bh_info("%s: %s has gone; it is connected again when it returns", p->cfg->name,
			p->cfg->connect);
}

static void
on_port_seen(void *data, const struct midi_port_info *info)
{
	struct midi *m = data;

	for (uint32_t i = 0; i < m->port_count; i++) {
		struct midi_port *p = &m->ports[i];

		if (!midi_conn_is_peer(p->cfg->connect, info->client, info->name))
			continue;
		for (int d = 0; d < 2; d++) {
			struct midi_link *l = &p->link[d];

			if ((l->dir & info->can) == 0 || l->conn.state != MIDI_CONN_ABSENT)
				continue;
			l->peer = info->addr;
			link_step(m, p, l, MIDI_CONN_SEEN);
		}
	}
}

static bool
is_peer(const struct midi_link *l, struct midi_addr a)
{
	return l->dir != 0 && l->conn.state != MIDI_CONN_ABSENT && l->peer.client == a.client &&
	       l->peer.port == a.port;
}

static bool
on_port_gone(struct midi *m, struct midi_addr addr)
{
	bool any = false;

	for (uint32_t i = 0; i < m->port_count; i++)
		for (int d = 0; d < 2; d++)
			if (is_peer(&m->ports[i].link[d], addr)) {
				link_step(m, &m->ports[i], &m->ports[i].link[d], MIDI_CONN_GONE);
				any = true;
			}
	return any;
}

/* Announcements are missing: what we believe of the peers is forgotten, and they are linked (again,
 * or still). */
static void
ports_look_anew(struct midi *m)
{
	for (uint32_t i = 0; i < m->port_count; i++)
		for (int d = 0; d < 2; d++)
			midi_conn_step(&m->ports[i].link[d].conn, MIDI_CONN_GONE, 0);
	midi_seq_list(m->seq, on_port_seen, m);
}

static void
on_conn_tick(void *data)
{
	struct midi *m = data;

	for (uint32_t i = 0; i < m->port_count; i++)
		for (int d = 0; d < 2; d++)
			link_step(m, &m->ports[i], &m->ports[i].link[d], MIDI_CONN_TICK);
	conn_arm(m);
	midi_judge(m);
}

/* ------------------------------------------------------------------ the sequencer */

static int64_t
port_of_seq(const struct midi *m, int seq_port)
{
	for (uint32_t i = 0; i < m->port_count; i++)
		if (m->ports[i].seq_port == seq_port)
			return i;
	return -ENOENT;
}

static void
on_announcement(struct midi *m, const struct midi_seq_in *in)
{
	struct midi_port_info info;
	int64_t port = port_of_seq(m, in->port);

	if (in->kind == MIDI_SEQ_PORT_START) {
		on_port_gone(
			m,
			in->peer); /* a new one has this address; its links are not the old one's */
		if (midi_seq_look(m->seq, in->peer, &info) == 0)
			on_port_seen(m, &info);
	} else if (in->kind == MIDI_SEQ_PORT_EXIT) {
		if (on_port_gone(m, in->peer))
			midi_seq_list(m->seq, on_port_seen, m); /* another one of that name? */
	}
	if (in->kind == MIDI_SEQ_LINKED && port >= 0 && in->dir == MIDI_DIR_OUT)
		port_tell(m, (uint32_t)port, in->peer);
	else if (in->kind == MIDI_SEQ_UNLINKED && port >= 0) {
		struct midi_link *l = &m->ports[port].link[in->dir == MIDI_DIR_OUT];

		if (is_peer(l, in->peer))
			link_step(m, &m->ports[port], l, MIDI_CONN_CUT);
	}
	conn_arm(m);
	midi_judge(m);
}

static void
on_input(struct midi *m, const struct midi_seq_in *in)
{
	int64_t port = port_of_seq(m, in->port);

	switch (in->kind) {
	case MIDI_SEQ_EVENT:
		if (port >= 0)
			on_event(m, (uint32_t)port, &in->event);
		break;
	case MIDI_SEQ_SYSEX:
		if (port >= 0 && m->ports[port].sysex_to >= 0) {
			struct midi_sysex_way w = {m, m->ports[m->ports[port].sysex_to].seq_port};

			midi_sysex_add(&m->ports[port].sysex, in->bytes, in->len, on_sysex, &w);
		}
		break;
	case MIDI_SEQ_PORT_START:
	case MIDI_SEQ_PORT_EXIT:
	case MIDI_SEQ_LINKED:
	case MIDI_SEQ_UNLINKED: on_announcement(m, in); break;
	case MIDI_SEQ_LOST:
		bh_count(bh_driver_proc(m->drv), BH_CNT_PEER_FAULTS, 1);
		bh_log_limited(&m->lost, BH_LOG_WARN, bh_log_topic,
			       "peers send faster than we are run: events are missing, and ports "
			       "are looked at anew");
		ports_look_anew(m);
		conn_arm(m);
		midi_judge(m);
		break;
	case MIDI_SEQ_OTHER: break;
	}
}

static void
seq_close(struct midi *m)
{
	bh_watch_free(m->watch);
	m->watch = NULL;
	midi_seq_close(m->seq);
	m->seq = NULL;
	for (uint32_t i = 0; i < m->port_count; i++) {
		m->ports[i].seq_port = -1;
		for (int d = 0; d < 2; d++)
			midi_conn_step(&m->ports[i].link[d].conn, MIDI_CONN_GONE, 0);
	}
}

static void
on_seq_ready(void *data, int fd, uint32_t events)
{
	struct midi *m = data;
	struct midi_seq_in in;
	int r = 0;

	(void)fd, (void)events;
	/* Bounded, so that a peer that never stops does not keep wanted values waiting; but what
	 * libasound has read already must be taken, epoll does not know of it. */
	for (int i = 0; i < 256 || midi_seq_has_more(m->seq); i++) {
		r = midi_seq_recv(m->seq, &in);
		if (r <= 0)
			break;
		on_input(m, &in);
	}
	if (r >= 0)
		return;
	bh_health(m->drv, BH_HEALTH_CONNECTING, NULL, "the sequencer has gone: %s", strerror(-r));
	seq_close(m);
	bh_timer_in_ms(m->open_timer, OPEN_RETRY_MS);
}

static int
seq_open(struct midi *m)
{
	const struct midi_config *cfg = bh_driver_config(m->drv);
	int r = midi_seq_open(&m->seq, cfg->client);

	for (uint32_t i = 0; r >= 0 && i < m->port_count; i++)
		r = m->ports[i].seq_port =
			midi_seq_add_port(m->seq, m->ports[i].cfg->name, m->ports[i].dir);
	if (r >= 0)
		m->watch = bh_loop_watch(bh_driver_loop(m->drv), midi_seq_fd(m->seq), EPOLLIN,
					 on_seq_ready, m);
	if (r >= 0 && m->watch == NULL)
		r = -errno;
	if (r < 0) {
		seq_close(m);
		return r;
	}
	midi_seq_list(m->seq, on_port_seen, m);
	for (uint32_t i = 0; i < m->row_count; i++)
		if (m->rows[i].unsent)
			row_flush(m, &m->rows[i]);
	conn_arm(m);
	return midi_judge(m);
}

static void
on_open(void *data)
{
	struct midi *m = data;
	int r = seq_open(m);

	if (r >= 0)
		return;
	if (r == -EACCES || r == -EPERM)
		bh_health(m->drv, BH_HEALTH_NO_PERMISSION, "add the user to the group audio",
			  "/dev/snd/seq may not be opened");
	else
		bh_health(m->drv, BH_HEALTH_CONNECTING, "modprobe snd-seq", "no ALSA sequencer: %s",
			  strerror(-r));
	bh_timer_in_ms(m->open_timer, OPEN_RETRY_MS);
}

/* ------------------------------------------------------------------ start and stop */

static int
refuse(struct midi *m, const char *what, const char *name, const char *why)
{
	bh_err("%s \"%s\": %s", what, name, why);
	bh_health(m->drv, BH_HEALTH_BAD_CONFIG, "correct it and reload", "%s %s: %s", what, name,
		  why);
	return -EINVAL;
}

static int
ports_prepare(struct midi *m, const struct midi_config *cfg)
{
	const struct midi_port_config *list = cfg->ports.items;

	m->ports = calloc(cfg->ports.count ? cfg->ports.count : 1, sizeof(*m->ports));
	if (m->ports == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < cfg->ports.count; i++) {
		struct midi_port *p = &m->ports[i];

		if (list[i].name[0] == '\0' || midi_port_by_name(m, list[i].name) >= 0)
			return refuse(m, "port", list[i].name, "the name is empty or there twice");
		*p = (struct midi_port){.cfg = &list[i], .seq_port = -1, .sysex_to = -1};
		p->dir = list[i].direction == 0 ? MIDI_DIR_IN | MIDI_DIR_OUT : list[i].direction;
		if (list[i].connect[0] != '\0') {
			p->link[0].dir = p->dir & MIDI_DIR_IN;
			p->link[1].dir = p->dir & MIDI_DIR_OUT;
		}
		m->port_count = i + 1;
	}
	for (uint32_t i = 0; i < m->port_count; i++) {
		int64_t to =
			list[i].sysex_to[0] != '\0' ? midi_port_by_name(m, list[i].sysex_to) : -1;

		if (list[i].sysex_to[0] != '\0' &&
		    (to < 0 || (m->ports[to].dir & MIDI_DIR_OUT) == 0))
			return refuse(m, "port", list[i].name, "sysex_to names no port that sends");
		m->ports[i].sysex_to = (int)to;
	}
	return 0;
}

static int
row_prepare(struct midi *m, struct midi_row *r, const struct midi_param_config *c)
{
	char why[80];
	int64_t port = midi_port_by_name(m, c->port);
	struct bh_value v;

	for (const struct midi_row *o = m->rows; o < r; o++)
		if (strcmp(o->cfg->name, c->name) == 0)
			return refuse(m, "parameter", c->name, "the name is there twice");
	if (port < 0)
		return refuse(m, "parameter", c->name, "there is no port of that name");
	*r = (struct midi_row){.cfg = c, .port = (uint16_t)port, .id = -1};
	if (midi_map_init(&r->map, (enum midi_type)c->type, c->channel, c->number, c->min, c->max,
			  why, sizeof(why)) < 0)
		return refuse(m, "parameter", c->name, why);

	struct bh_param p = {.name = c->name,
			     .type = c->type == MIDI_NOTE      ? BH_BOOL
				     : c->type == MIDI_PROGRAM ? BH_INT
							       : BH_FLOAT,
			     .unit = c->unit,
			     .min = fmin(r->map.min, r->map.max),
			     .max = fmax(r->map.min, r->map.max),
			     .taper = (enum bh_taper)c->taper,
			     .access = row_is_sent(r) ? BH_RW : BH_R,
			     .label = c->label,
			     .backend_id = c->port};
	if (p.type == BH_FLOAT)
		p.step = (p.max - p.min) / midi_raw_max(r->map.type);
	else if (p.type == BH_BOOL)
		p.min = 0, p.max = 1;
	r->id = bh_param_add(m->drv, &p);
	if (r->id < 0)
		return refuse(m, "parameter", c->name,
			      "the directory is full: raise `params` of this driver");
	/* What an earlier life of ours sent or heard is still true as far as we know. */
	if (bh_reported(m->drv, (bh_param_id)r->id, &v)) {
		r->raw = raw_of(r, &v);
		r->value = v;
		r->known = true;
	}
	return 0;
}

static int
rows_prepare(struct midi *m, const struct midi_config *cfg)
{
	const struct midi_param_config *list = cfg->parameters.items;
	uint32_t n = cfg->parameters.count;
	int r = 0;

	m->rows = calloc(n ? n : 1, sizeof(*m->rows));
	m->index = calloc(n ? 2 * n : 1, sizeof(*m->index));
	if (m->rows == NULL || m->index == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		r = row_prepare(m, &m->rows[i], &list[i]);
		if (r == 0)
			m->row_count = i + 1;
	}
	for (uint32_t i = 0; i < m->row_count; i++) {
		const struct midi_row *row = &m->rows[i];

		if (row->cfg->direction != 2)
			m->index_count += (size_t)midi_index_keys(&row->map, row->port, i,
								  m->index + m->index_count);
		if (row->id >= m->id_count)
			m->id_count = (uint32_t)row->id + 1;
	}
	midi_index_sort(m->index, m->index_count);
	return r;
}

/* Ids to rows; what an earlier configuration had and this one has not is taken out of the
 * directory. */
static int
ids_prepare(struct midi *m)
{
	struct bh_dir *dir = &bh_driver_proc(m->drv)->dir;
	struct bh_dir_record rec;

	m->row_of_id = calloc(m->id_count ? m->id_count : 1, sizeof(*m->row_of_id));
	if (m->row_of_id == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->row_count; i++)
		m->row_of_id[m->rows[i].id] = i + 1;
	for (uint32_t n = 0; n < bh_dir_count(dir); n++)
		if (bh_dir_read(dir, n, &rec) == 0 &&
		    (rec.index >= m->id_count || m->row_of_id[rec.index] == 0))
			bh_param_remove(m->drv, rec.index); /* -ENOENT where that was done before */
	return 0;
}

static int
midi_start(struct bh_driver *drv, void *data)
{
	const struct midi_config *cfg = bh_driver_config(drv);
	struct midi *m = data;
	struct bh_loop *loop = bh_driver_loop(drv);
	int r;

	*m = (struct midi){.drv = drv,
			   .lost = BH_LOG_LIMIT(1, 10000),
			   .full = BH_LOG_LIMIT(1, 10000),
			   .sysex = BH_LOG_LIMIT(3, 10000)};
	m->open_timer = bh_timer_new(loop, on_open, m);
	m->conn_timer = bh_timer_new(loop, on_conn_tick, m);
	m->pair_timer = bh_timer_new(loop, on_pair_due, m);
	m->send_timer = bh_timer_new(loop, on_send_again, m);
	if (m->open_timer == NULL || m->conn_timer == NULL || m->pair_timer == NULL ||
	    m->send_timer == NULL)
		return -ENOMEM;
	r = ports_prepare(m, cfg);
	if (r == 0)
		r = rows_prepare(m, cfg);
	if (r == 0)
		r = ids_prepare(m);
	if (r == 0)
		on_open(m);
	return r;
}

static void
midi_stop(void *data)
{
	struct midi *m = data;

	seq_close(m);
	bh_timer_free(m->open_timer);
	bh_timer_free(m->conn_timer);
	bh_timer_free(m->pair_timer);
	bh_timer_free(m->send_timer);
	free(m->ports);
	free(m->rows);
	free(m->index);
	free(m->row_of_id);
}

BH_DRIVER(.name = "midi", .state_size = sizeof(struct midi), .fields = midi_fields,
	  .config_size = sizeof(struct midi_config),
	  .sandbox = {BH_MAY_OPEN_RW, "opens the sequencer anew when it comes back"}, .actions = midi_actions, .start = midi_start,
	  .stop = midi_stop, .on_value = midi_on_value, .on_action = midi_on_action)
