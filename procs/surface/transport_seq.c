/*
 * transport_seq - a device by the ALSA sequencer, which others may use at the same time
 *
 * One client with one port, connected both ways to the device's port, found by client and port name. The announce port says
 * when ports come and go; old connections do not come back by themselves.
 *
 * What the kernel does not say: output to a device that has gone succeeds and is dropped. So the announcement decides:
 * read gives -ENODEV once the device's port has left. A sysex beyond 256 bytes comes in pieces, each an event.
 * The descriptor belongs to libasound's handle and is no use to a successor.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/midi/parse.h"
#include "procs/surface/transport.h"

enum { CODER_BYTES = 1024 };

struct seq {
	snd_seq_t *handle;
	snd_midi_event_t *coder; /* bytes <-> events */
	int port;
	snd_seq_addr_t peer;
	bool linked, gone;
	/* bytes of an event that did not fit the reader's buffer */
	uint8_t left[CODER_BYTES];
	size_t left_len;
};

static void
seq_drop(struct transport *t)
{
	struct seq *q = t->own;
	if (!q)
		return;
	if (q->coder)
		snd_midi_event_free(q->coder);
	if (q->handle)
		snd_seq_close(q->handle);
	free(q);
	t->own = NULL;
	t->hint_fd = t->fd = -1; /* were the handle's */
}

/* The client, its port, the announcements: once. */
static int
seq_begin(struct transport *t)
{
	struct seq *q = calloc(1, sizeof(*q));
	struct pollfd pfd;
	if (!q)
		return -ENOMEM;
	t->own = q;
	int r = snd_seq_open(&q->handle, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK);
	if (r >= 0)
		r = snd_seq_set_client_name(q->handle, t->cfg.name);
	if (r >= 0)
		r = q->port = snd_seq_create_simple_port(
			    q->handle, "surface", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_DUPLEX,
			    SND_SEQ_PORT_TYPE_MIDI_GENERIC | SND_SEQ_PORT_TYPE_APPLICATION);
	if (r >= 0)
		r = snd_seq_connect_from(q->handle, q->port, SND_SEQ_CLIENT_SYSTEM, SND_SEQ_PORT_SYSTEM_ANNOUNCE);
	if (r >= 0)
		r = snd_midi_event_new(CODER_BYTES, &q->coder);
	if (r >= 0 && snd_seq_poll_descriptors(q->handle, &pfd, 1, POLLIN) != 1)
		r = -EIO;
	if (r < 0) {
		seq_drop(t);
		return r == -ENOENT ? -ENODEV : r; /* no sequencer in the kernel (yet) */
	}
	snd_midi_event_no_status(q->coder, 1); /* each message with its status */
	t->hint_fd = pfd.fd;
	return 0;
}

static bool
is_usable(const snd_seq_port_info_t *p)
{
	const unsigned both = SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ | SND_SEQ_PORT_CAP_WRITE |
			      SND_SEQ_PORT_CAP_SUBS_WRITE;
	return (snd_seq_port_info_get_capability(p) & both) == both;
}

/* The best port; its rank, or -1. */
static int
find_peer(struct transport *t, snd_seq_addr_t *best)
{
	struct seq *q = t->own;
	snd_seq_client_info_t *client;
	snd_seq_port_info_t *port;
	int rank = -1;
	snd_seq_client_info_alloca(&client);
	snd_seq_port_info_alloca(&port);
	snd_seq_client_info_set_client(client, -1);
	while (snd_seq_query_next_client(q->handle, client) >= 0) {
		int id = snd_seq_client_info_get_client(client);
		if (id == SND_SEQ_CLIENT_SYSTEM || id == snd_seq_client_id(q->handle) ||
		    transport_matches(t->cfg.card, snd_seq_client_info_get_name(client)) < 0)
			continue;
		snd_seq_port_info_set_client(port, id);
		snd_seq_port_info_set_port(port, -1);
		while (snd_seq_query_next_port(q->handle, port) >= 0) {
			int fits = transport_matches(t->cfg.port, snd_seq_port_info_get_name(port));
			if (!is_usable(port) || fits < 0 || (rank >= 0 && fits >= rank))
				continue;
			rank = fits;
			*best = *snd_seq_port_info_get_addr(port);
			snprintf(t->what, sizeof(t->what), "%.60s (%d:%d)", snd_seq_port_info_get_name(port), best->client,
				 best->port);
		}
	}
	return rank;
}

static int
seq_open(struct transport *t)
{
	snd_seq_addr_t peer;
	int r = t->own ? 0 : seq_begin(t);
	if (r < 0)
		return r;
	struct seq *q = t->own;
	if (find_peer(t, &peer) < 0)
		return -ENODEV;
	r = snd_seq_connect_from(q->handle, q->port, peer.client, peer.port);
	if (r >= 0)
		r = snd_seq_connect_to(q->handle, q->port, peer.client, peer.port);
	if (r < 0) {
		snd_seq_disconnect_from(q->handle, q->port, peer.client, peer.port);
		return r == -EAGAIN ? -EBUSY : r; /* another program has it as rawmidi */
	}
	q->peer = peer;
	q->linked = true;
	q->gone = false;
	q->left_len = 0;
	snd_midi_event_reset_encode(q->coder);
	snd_midi_event_reset_decode(q->coder);
	t->fd = t->hint_fd;
	return 0;
}

static int
seq_adopt(struct transport *t, int fd)
{
	(void)t;
	close(fd);
	return -ENOTSUP;
}

static bool
is_peer(const struct seq *q, const snd_seq_addr_t *a, bool whole_client)
{
	return a->client == q->peer.client && (whole_client || a->port == q->peer.port);
}

/* An announcement, or bytes into `left`. True = something that may be worth a new try to open. */
static bool
on_event(struct seq *q, const snd_seq_event_t *ev)
{
	switch (ev->type) {
	case SND_SEQ_EVENT_PORT_START: return true;
	case SND_SEQ_EVENT_PORT_EXIT: q->gone |= q->linked && is_peer(q, &ev->data.addr, false); return false;
	case SND_SEQ_EVENT_CLIENT_EXIT: q->gone |= q->linked && is_peer(q, &ev->data.addr, true); return false;
	case SND_SEQ_EVENT_PORT_UNSUBSCRIBED:
		/* Somebody cut our connection: it is ours to restore. */
		q->gone |= q->linked && (is_peer(q, &ev->data.connect.sender, false) || is_peer(q, &ev->data.connect.dest, false)) &&
			   (ev->data.connect.sender.client == snd_seq_client_id(q->handle) ||
			    ev->data.connect.dest.client == snd_seq_client_id(q->handle));
		return false;
	}
	if (!q->linked || ev->source.client != q->peer.client || ev->source.port != q->peer.port)
		return false;
	long n = snd_midi_event_decode(q->coder, q->left, sizeof(q->left), ev);
	q->left_len = n > 0 ? (size_t)n : 0;
	return false;
}

static ssize_t
seq_read(struct transport *t, void *buf, size_t len)
{
	struct seq *q = t->own;
	size_t done = 0;
	while (done < len) {
		size_t n = q->left_len < len - done ? q->left_len : len - done;
		memcpy((uint8_t *)buf + done, q->left, n);
		memmove(q->left, q->left + n, q->left_len - n);
		q->left_len -= n;
		done += n;
		if (q->left_len > 0 || q->gone)
			break;
		snd_seq_event_t *ev = NULL;
		int r = snd_seq_event_input(q->handle, &ev);
		if (r == -ENOSPC)
			continue; /* the kernel's queue ran over: what is left is good */
		if (r < 0)
			break;
		on_event(q, ev);
	}
	if (done > 0)
		return (ssize_t)done;
	return q->gone ? -ENODEV : -EAGAIN;
}

/* The pool took `done` bytes of whole events. */
static ssize_t
seq_write(struct transport *t, const void *buf, size_t len)
{
	struct seq *q = t->own;
	const uint8_t *bytes = buf;
	size_t done = 0, at = 0;
	if (q->gone)
		return -ENODEV;
	while (at < len) {
		snd_seq_event_t ev;
		snd_seq_ev_clear(&ev);
		long n = snd_midi_event_encode(q->coder, bytes + at, (long)(len - at), &ev);
		if (n <= 0)
			break;
		at += (size_t)n;
		if (ev.type == SND_SEQ_EVENT_NONE)
			continue;
		snd_seq_ev_set_source(&ev, (unsigned char)q->port);
		snd_seq_ev_set_subs(&ev);
		snd_seq_ev_set_direct(&ev);
		int r = snd_seq_event_output_direct(q->handle, &ev);
		if (r < 0) {
			/* With running status the next try must begin with a status again: the shadow's batches do. */
			snd_midi_event_reset_encode(q->coder);
			return done > 0 ? (ssize_t)done : r == -ENOENT ? -ENODEV : r;
		}
		done = at;
	}
	return done > 0 ? (ssize_t)done : -EAGAIN;
}

static void
seq_close(struct transport *t)
{
	struct seq *q = t->own;
	if (q && q->linked) {
		snd_seq_disconnect_from(q->handle, q->port, q->peer.client, q->peer.port);
		snd_seq_disconnect_to(q->handle, q->port, q->peer.client, q->peer.port);
		q->linked = q->gone = false;
	}
	t->fd = -1;
}

static bool
seq_hint(struct transport *t)
{
	struct seq *q = t->own;
	snd_seq_event_t *ev;
	bool worth = false;
	int r;
	while ((r = snd_seq_event_input(q->handle, &ev)) >= 0 || r == -ENOSPC)
		worth |= r >= 0 && on_event(q, ev);
	return worth;
}

const struct transport_ops transport_seq = {
	.name = "sequencer",
	.keeps = false,
	.open = seq_open,
	.adopt = seq_adopt,
	.read = seq_read,
	.write = seq_write,
	.close = seq_close,
	.hint = seq_hint,
	.fini = seq_drop,
};
