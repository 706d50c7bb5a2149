/*
 * midi - parameters, routes and actions on the ALSA sequencer
 *
 * In:    wanted values of the configured parameters; actions; events, ports and links of the sequencer
 * Out:   events at our ports; what peers sent, as reported values
 * Fails: a peer that is absent, or whose port another program holds, makes us CONNECTING or DEGRADED: values are kept
 *        and go out when it is there. A sequencer that is missing is looked for again. A full queue delays values and
 *        refuses actions. A loop over a cable is cut. Wrong configuration is named with its place: at the start we wait for a
 *        better one and do nothing, at a reload it is refused and the one in use stays.
 *
 * A program that links to a port of ours, we to it or it to us, gets the newest values of all its parameters at once: so a
 * peer that comes back is told the truth unasked. A reload keeps the ports, links and values that the new configuration
 * has, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

#define OPEN_RETRY_MS 2000u /* the sequencer is missing */

/* ------------------------------------------------------------------ the sequencer */

struct sysex_way {
	struct midi *m;
	uint32_t port;
	struct midi_addr source;
};

static void
on_sysex(void *data, const uint8_t *bytes, size_t len)
{
	struct sysex_way *w = data;

	midi_routes_sysex(w->m, w->port, bytes, len, w->source);
}

static int64_t
port_of_seq(const struct midi *m, int seq_port)
{
	for (uint32_t i = 0; i < m->set.port_count; i++)
		if (m->set.ports[i].seq_port == seq_port)
			return i;
	return -ENOENT;
}

static void
on_message(struct midi *m, const struct midi_seq_in *in)
{
	int64_t port = port_of_seq(m, in->port);

	if (port < 0)
		return;
	if (in->kind == MIDI_SEQ_EVENT) {
		midi_values_event(m, (uint32_t)port, &in->event);
		midi_routes_event(m, (uint32_t)port, &in->event, in->peer);
	} else if (m->set.ports[port].is_source) {
		struct sysex_way w = {m, (uint32_t)port, in->peer};

		midi_sysex_add(&m->set.ports[port].sysex, in->bytes, in->len, on_sysex, &w);
	}
}

static void
on_input(struct midi *m, const struct midi_seq_in *in)
{
	switch (in->kind) {
	case MIDI_SEQ_EVENT:
	case MIDI_SEQ_SYSEX: on_message(m, in); break;
	case MIDI_SEQ_PORT_START:
	case MIDI_SEQ_PORT_EXIT:
	case MIDI_SEQ_LINKED:
	case MIDI_SEQ_UNLINKED: midi_links_announced(m, in); break;
	case MIDI_SEQ_LOST:
		bh_count(bh_driver_proc(m->drv), BH_CNT_PEER_FAULTS, 1);
		bh_log_limited(&m->lost, BH_LOG_WARN, bh_log_topic,
			       "peers send faster than we are run: events are missing, and ports are looked at anew");
		midi_links_look_anew(m);
		midi_routes_release_all(m); /* the ends of notes may be among them */
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
	midi_links_forget(m);
	for (uint32_t i = 0; i < m->set.port_count; i++)
		m->set.ports[i].seq_port = -1;
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

/* The ports that the sequencer has not got yet. */
static int
ports_open(struct midi *m)
{
	for (uint32_t i = 0; i < m->set.port_count; i++) {
		struct midi_port *p = &m->set.ports[i];

		if (p->seq_port < 0)
			p->seq_port = midi_seq_add_port(m->seq, p->cfg->name, p->dir);
		if (p->seq_port < 0)
			return p->seq_port;
	}
	return 0;
}

static int
seq_open(struct midi *m)
{
	const struct midi_config *cfg = bh_driver_config(m->drv);
	int r = midi_seq_open(&m->seq, cfg->client);

	if (r >= 0)
		r = ports_open(m);
	if (r >= 0)
		m->watch = bh_loop_watch(bh_driver_loop(m->drv), midi_seq_fd(m->seq), EPOLLIN, on_seq_ready, m);
	if (r >= 0 && m->watch == NULL)
		r = -errno;
	if (r < 0) {
		seq_close(m);
		return r;
	}
	midi_links_look(m);
	midi_values_flush(m);
	midi_off_tick(m);
	return 0;
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
		bh_health(m->drv, BH_HEALTH_CONNECTING, "modprobe snd-seq", "no ALSA sequencer: %s", strerror(-r));
	bh_timer_in_ms(m->open_timer, OPEN_RETRY_MS);
}

/* ------------------------------------------------------------------ a new configuration */

/* A port that was there goes on: its number, its links to the same peers, what it has heard half of. */
static void
port_inherit(struct midi *m, struct midi_port *p, struct midi_port *was)
{
	p->seq_port = was->seq_port;
	was->seq_port = -1;
	p->rpn = was->rpn;
	p->sysex = was->sysex;
	for (int d = 0; d < 2; d++) {
		struct midi_link *l = &p->link[d], *old = &was->link[d];
		bool linked = old->dir != 0 && old->conn.state == MIDI_CONN_LINKED;
		const char *want = l->want;

		if (l->dir == old->dir && strcasecmp(want, old->want) == 0) {
			*l = *old;
			l->want = want; /* the new configuration's, the old one goes */
		} else if (linked && m->seq != NULL) {
			midi_seq_unlink(m->seq, p->seq_port, old->peer, old->dir);
		}
	}
}

static void
ports_inherit(struct midi *m, struct midi_set *old)
{
	for (uint32_t i = 0; i < m->set.port_count; i++) {
		int64_t n = midi_port_by_name(old, m->set.ports[i].cfg->name);

		if (n >= 0 && old->ports[n].dir == m->set.ports[i].dir)
			port_inherit(m, &m->set.ports[i], &old->ports[n]);
	}
	for (uint32_t i = 0; i < old->port_count && m->seq != NULL; i++)
		if (old->ports[i].seq_port >= 0)
			midi_seq_remove_port(m->seq, old->ports[i].seq_port);
}

static int
midi_on_config(void *data, const void *config, char *why, size_t cap)
{
	const struct midi_config *cfg = config;
	struct midi *m = data;
	struct midi_set next, old = m->set;
	char text[200];
	int r = midi_set_make(&next, cfg, &bh_driver_proc(m->drv)->options, text, sizeof(text));

	if (r == 0 && midi_params_count(&next) > bh_param_cap(m->drv)) {
		snprintf(text, sizeof(text), "%u parameters, and `params` of this driver is %u: raise it", midi_params_count(&next),
			 bh_param_cap(m->drv));
		midi_set_free(&next);
		r = -ENOSPC;
	}
	if (r < 0) {
		bh_err("%s", text); /* all of it: `why` may be cut */
		snprintf(why, cap, "%s", text);
		return r;
	}
	midi_routes_release_all(m);
	m->set = next;
	ports_inherit(m, &old);
	r = midi_rows_publish(m, &old);
	if (r < 0)
		bh_bug_self("the directory is full, though there was room");
	midi_set_free(&old);
	if (m->seq != NULL) {
		midi_seq_rename(m->seq, cfg->client);
		r = ports_open(m);
		if (r < 0)
			bh_warn("a port cannot be made: %s", strerror(-r));
		midi_links_look(m);
	}
	if (m->is_refused) {
		m->is_refused = false;
		bh_timer_in_ms(m->open_timer, 0); /* when this configuration is the one in use */
	}
	midi_values_report(m);
	midi_values_flush(m);
	midi_routes_tick(m);
	return 0;
}

/* ------------------------------------------------------------------ start and stop */

/* A wrong configuration is no reason to end: it would be as wrong in the next life. */
static int
set_start(struct midi *m)
{
	struct midi_set none = {0};
	char why[200];
	int r = midi_set_make(&m->set, bh_driver_config(m->drv), &bh_driver_proc(m->drv)->options, why, sizeof(why));

	if (r == -ENOMEM)
		return r;
	if (r == 0 && midi_rows_publish(m, &none) < 0) {
		snprintf(why, sizeof(why), "the directory is full: raise `params` of this driver");
		midi_set_free(&m->set);
		r = -EINVAL;
	}
	if (r == 0)
		return 0;
	m->is_refused = true;
	bh_err("%s", why);
	return bh_health(m->drv, BH_HEALTH_BAD_CONFIG, "correct it and reload", "%s", why);
}

static int
timers_start(struct midi *m)
{
	struct bh_loop *loop = bh_driver_loop(m->drv);

	m->open_timer = bh_timer_new(loop, on_open, m);
	m->conn_timer = bh_timer_new(loop, midi_links_tick, m);
	m->pair_timer = bh_timer_new(loop, midi_on_pair_due, m);
	m->send_timer = bh_timer_new(loop, midi_on_send_again, m);
	m->off_timer = bh_timer_new(loop, midi_off_tick, m);
	m->guard_timer = bh_timer_new(loop, midi_routes_tick, m);
	return m->open_timer && m->conn_timer && m->pair_timer && m->send_timer && m->off_timer && m->guard_timer ? 0 : -ENOMEM;
}

static int
midi_start(struct bh_driver *drv, void *data)
{
	static struct midi_scratch alone; /* where there is none that outlives us */
	struct midi *m = data;
	int r;

	*m = (struct midi){.drv = drv,
			   .lost = BH_LOG_LIMIT(1, 10000),
			   .full = BH_LOG_LIMIT(1, 10000),
			   .unsent = BH_LOG_LIMIT(3, 10000)};
	m->kept = bh_driver_scratch(drv, sizeof(*m->kept));
	if (m->kept == NULL)
		m->kept = &alone;
	memcpy(m->orphan, m->kept->kept, sizeof(m->orphan));
	r = timers_start(m);
	if (r == 0)
		r = set_start(m);
	if (r == 0 && !m->is_refused)
		on_open(m);
	return r;
}

static void
midi_stop(void *data)
{
	struct midi *m = data;

	if (m->seq != NULL)
		midi_routes_release_all(m);
	seq_close(m);
	bh_timer_free(m->open_timer);
	bh_timer_free(m->conn_timer);
	bh_timer_free(m->pair_timer);
	bh_timer_free(m->send_timer);
	bh_timer_free(m->off_timer);
	bh_timer_free(m->guard_timer);
	midi_set_free(&m->set);
}

static void
midi_on_ready(void *data)
{
	midi_values_report(data);
}

static void
midi_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	(void)config;
	bh_sandbox_home(plan);
}

BH_DRIVER(.name = "midi", .state_size = sizeof(struct midi), .fields = midi_fields,
	  .config_size = sizeof(struct midi_config),
	  
	  .sandbox = {.line = {{BH_MAY_OPEN_RW, NULL, "opens the sequencer anew when it comes back"},
			       {BH_MAY_USE, "/dev/snd", "there the sequencer is"},
			       {BH_MAY_READ, "/usr", "libasound's plug-ins and configuration"},
			       {BH_MAY_READ, "/etc/alsa", "libasound's configuration"},
			       {BH_MAY_READ, "/etc/asound.conf", "the same, of this machine"},
			       {BH_MAY_READ, NULL, "the same, of the user: ~/.asoundrc, ~/.config/alsa"},
			       {BH_MAY_READ, "/proc/asound", "the names of cards: libasound asks"}},
		      .configured = midi_sandbox}, .actions = midi_actions,
	  .start = midi_start, .on_ready = midi_on_ready, .stop = midi_stop, .on_value = midi_on_value,
	  .on_action = midi_on_action, .on_config = midi_on_config)
