/* seq - see the header. */
#include "procs/midi/seq.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAN_READ  (SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ)
#define CAN_WRITE (SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE)

/* Room for a burst while a process is stopped or restarted; the kernel's default is 200 and 500. */
enum { POOL_IN = 1000, POOL_OUT = 1000, BUFFER_BYTES = 16384, ANNOUNCE_PORT = 200 };

struct midi_seq {
	snd_seq_t *handle; /* owned */
	int fd;            /* of the handle */
	int client;
	int announce; /* our port that hears announcements */
};

/* Out of the way: ports that people configure count from 0. */
static int
add_announce_port(struct midi_seq *s)
{
	snd_seq_port_info_t *p;

	snd_seq_port_info_alloca(&p);
	snd_seq_port_info_set_name(p, "announcements");
	snd_seq_port_info_set_port(p, ANNOUNCE_PORT);
	snd_seq_port_info_set_port_specified(p, 1);
	snd_seq_port_info_set_capability(p, SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_NO_EXPORT);
	snd_seq_port_info_set_type(p, SND_SEQ_PORT_TYPE_APPLICATION);
	s->announce = ANNOUNCE_PORT;
	return snd_seq_create_port(s->handle, p);
}

static int
setup(struct midi_seq *s, const char *client_name)
{
	struct pollfd p;
	int r;

	r = snd_seq_set_client_name(s->handle, client_name);
	if (r < 0)
		return r;
	/* Large enough for the longest system exclusive: libasound allocates nothing later. */
	snd_seq_set_output_buffer_size(s->handle, BUFFER_BYTES);
	snd_seq_set_input_buffer_size(s->handle, BUFFER_BYTES);
	snd_seq_set_client_pool_input(s->handle, POOL_IN);
	snd_seq_set_client_pool_output(s->handle, POOL_OUT);
	if (snd_seq_poll_descriptors(s->handle, &p, 1, POLLIN) != 1)
		return -EIO;
	s->fd = p.fd;
	s->client = snd_seq_client_id(s->handle);
	r = add_announce_port(s);
	if (r < 0)
		return r;
	return snd_seq_connect_from(s->handle, s->announce, SND_SEQ_CLIENT_SYSTEM,
				    SND_SEQ_PORT_SYSTEM_ANNOUNCE);
}

/* libasound tells of a missing device on stderr, each time we try; we say it once, in our words. */
static void
say_nothing(const char *file, int line, const char *function, int err, const char *fmt, ...)
{
	(void)file, (void)line, (void)function, (void)err, (void)fmt;
}

int
midi_seq_open(struct midi_seq **out, const char *client_name)
{
	struct midi_seq *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	snd_lib_error_set_handler(say_nothing);
	r = snd_seq_open(&s->handle, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK);
	if (r >= 0)
		r = setup(s, client_name);
	if (r < 0) {
		midi_seq_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void
midi_seq_close(struct midi_seq *s)
{
	if (s == NULL)
		return;
	if (s->handle != NULL)
		snd_seq_close(s->handle);
	snd_config_update_free_global();
	free(s);
}

int
midi_seq_fd(const struct midi_seq *s)
{
	return s->fd;
}

uint8_t
midi_seq_client(const struct midi_seq *s)
{
	return (uint8_t)s->client;
}

int
midi_seq_add_port(struct midi_seq *s, const char *name, unsigned dir)
{
	unsigned caps = 0;

	if (dir & MIDI_DIR_IN)
		caps |= CAN_WRITE; /* others write to it */
	if (dir & MIDI_DIR_OUT)
		caps |= CAN_READ;
	if (caps == (CAN_READ | CAN_WRITE))
		caps |= SND_SEQ_PORT_CAP_DUPLEX;
	return snd_seq_create_simple_port(s->handle, name, caps,
					  SND_SEQ_PORT_TYPE_MIDI_GENERIC |
						  SND_SEQ_PORT_TYPE_SOFTWARE |
						  SND_SEQ_PORT_TYPE_APPLICATION);
}

void
midi_seq_remove_port(struct midi_seq *s, int port)
{
	snd_seq_delete_simple_port(s->handle, port);
}

void
midi_seq_rename(struct midi_seq *s, const char *client_name)
{
	snd_seq_set_client_name(s->handle, client_name);
}

static bool
fill_info(struct midi_seq *s, snd_seq_client_info_t *c, snd_seq_port_info_t *p,
	  struct midi_port_info *info)
{
	unsigned caps = snd_seq_port_info_get_capability(p);
	int client = snd_seq_port_info_get_client(p);

	if (client == s->client || client == SND_SEQ_CLIENT_SYSTEM ||
	    (caps & SND_SEQ_PORT_CAP_NO_EXPORT))
		return false;
	info->addr = (struct midi_addr){(uint8_t)client, (uint8_t)snd_seq_port_info_get_port(p)};
	info->can = ((caps & CAN_READ) == CAN_READ ? MIDI_DIR_IN : 0) |
		    ((caps & CAN_WRITE) == CAN_WRITE ? MIDI_DIR_OUT : 0);
	snprintf(info->client, sizeof(info->client), "%s", snd_seq_client_info_get_name(c));
	snprintf(info->name, sizeof(info->name), "%s", snd_seq_port_info_get_name(p));
	return info->can != 0;
}

void
midi_seq_list(struct midi_seq *s, void (*fn)(void *data, const struct midi_port_info *info),
	      void *data)
{
	struct midi_port_info info;
	snd_seq_client_info_t *c;
	snd_seq_port_info_t *p;

	snd_seq_client_info_alloca(&c);
	snd_seq_port_info_alloca(&p);
	snd_seq_client_info_set_client(c, -1);
	while (snd_seq_query_next_client(s->handle, c) >= 0) {
		snd_seq_port_info_set_client(p, snd_seq_client_info_get_client(c));
		snd_seq_port_info_set_port(p, -1);
		while (snd_seq_query_next_port(s->handle, p) >= 0)
			if (fill_info(s, c, p, &info))
				fn(data, &info);
	}
}

int
midi_seq_look(struct midi_seq *s, struct midi_addr addr, struct midi_port_info *info)
{
	snd_seq_client_info_t *c;
	snd_seq_port_info_t *p;

	snd_seq_client_info_alloca(&c);
	snd_seq_port_info_alloca(&p);
	if (snd_seq_get_any_client_info(s->handle, addr.client, c) < 0 ||
	    snd_seq_get_any_port_info(s->handle, addr.client, addr.port, p) < 0)
		return -ENOENT;
	return fill_info(s, c, p, info) ? 0 : -ENOENT;
}

int
midi_seq_link(struct midi_seq *s, int port, struct midi_addr peer, unsigned dir)
{
	int r = dir == MIDI_DIR_IN ? snd_seq_connect_from(s->handle, port, peer.client, peer.port)
				   : snd_seq_connect_to(s->handle, port, peer.client, peer.port);

	return r == -EBUSY ? 0
			   : r; /* busy: the link stands, made by hand or by a session manager */
}

void
midi_seq_unlink(struct midi_seq *s, int port, struct midi_addr peer, unsigned dir)
{
	if (dir == MIDI_DIR_IN)
		snd_seq_disconnect_from(s->handle, port, peer.client, peer.port);
	else
		snd_seq_disconnect_to(s->handle, port, peer.client, peer.port);
}

static int
output(struct midi_seq *s, int port, snd_seq_event_t *e, const struct midi_addr *to)
{
	int r;

	snd_seq_ev_set_source(e, (unsigned char)port);
	snd_seq_ev_set_direct(e);
	if (to != NULL)
		snd_seq_ev_set_dest(e, to->client, to->port);
	else
		snd_seq_ev_set_subs(e);
	r = snd_seq_event_output_direct(s->handle, e);
	return r < 0 ? r : 0;
}

/* What the sequencer calls the status bytes from F1 on; 0 = nothing that goes alone. */
static const uint8_t system_types[16] = {
	[0x1] = SND_SEQ_EVENT_QFRAME,       [0x2] = SND_SEQ_EVENT_SONGPOS, [0x3] = SND_SEQ_EVENT_SONGSEL,
	[0x6] = SND_SEQ_EVENT_TUNE_REQUEST, [0x8] = SND_SEQ_EVENT_CLOCK,   [0xa] = SND_SEQ_EVENT_START,
	[0xb] = SND_SEQ_EVENT_CONTINUE,     [0xc] = SND_SEQ_EVENT_STOP,    [0xe] = SND_SEQ_EVENT_SENSING,
	[0xf] = SND_SEQ_EVENT_RESET,
};

static int
fill_system(snd_seq_event_t *e, const struct midi_event *ev)
{
	uint8_t type = system_types[ev->number & 15];

	if (type == 0)
		return -EINVAL;
	e->type = type;
	snd_seq_ev_set_fixed(e);
	e->data.control.value = ev->value;
	return 0;
}

int
midi_seq_send(struct midi_seq *s, int port, const struct midi_event *ev, const struct midi_addr *to)
{
	snd_seq_event_t e;

	snd_seq_ev_clear(&e);
	switch (ev->kind) {
	case MIDI_EV_NOTE:
		if (ev->value > 0)
			snd_seq_ev_set_noteon(&e, ev->channel, (uint8_t)ev->number, (uint8_t)ev->value);
		else
			snd_seq_ev_set_noteoff(&e, ev->channel, (uint8_t)ev->number, ev->release);
		break;
	case MIDI_EV_CONTROL:
		snd_seq_ev_set_controller(&e, ev->channel, ev->number, ev->value);
		break;
	case MIDI_EV_CONTROL14:
		snd_seq_ev_set_controller(&e, ev->channel, ev->number, ev->value);
		e.type = SND_SEQ_EVENT_CONTROL14;
		break;
	case MIDI_EV_PROGRAM: snd_seq_ev_set_pgmchange(&e, ev->channel, ev->value); break;
	case MIDI_EV_BEND: /* ALSA counts from -8192 */
		snd_seq_ev_set_pitchbend(&e, ev->channel, ev->value - 8192);
		break;
	case MIDI_EV_PRESSURE: snd_seq_ev_set_chanpress(&e, ev->channel, ev->value); break;
	case MIDI_EV_POLY_PRESSURE:
		snd_seq_ev_set_keypress(&e, ev->channel, (uint8_t)ev->number, (uint8_t)ev->value);
		break;
	case MIDI_EV_SYSTEM:
		if (fill_system(&e, ev) < 0)
			return -EINVAL;
		break;
	case MIDI_EV_NRPN: /* as controllers: midi_plain() */
	case MIDI_EV_RPN:
	case MIDI_EV_OTHER: return -EINVAL;
	}
	return output(s, port, &e, to);
}

int
midi_seq_send_sysex(struct midi_seq *s, int port, const uint8_t *bytes, size_t len)
{
	snd_seq_event_t e;

	if (len > MIDI_SYSEX_MAX)
		return -EMSGSIZE;
	snd_seq_ev_clear(&e);
	snd_seq_ev_set_sysex(&e, (unsigned)len, (void *)(uintptr_t)bytes);
	return output(s, port, &e, NULL);
}

static uint16_t
clamp(int v, int top)
{
	return (uint16_t)(v < 0 ? 0 : v > top ? top : v);
}

static bool
take_system(const snd_seq_event_t *e, struct midi_event *ev)
{
	for (uint8_t n = 1; n < 16; n++)
		if (system_types[n] == e->type && e->type != 0) {
			*ev = (struct midi_event){.kind = MIDI_EV_SYSTEM, .number = 0xf0 | n};
			if (n <= 3)
				ev->value = clamp(e->data.control.value, 16383);
			return true;
		}
	return false;
}

static struct midi_event
controller(enum midi_event_kind kind, const snd_seq_ev_ctrl_t *c, unsigned number, int value, int top)
{
	return (struct midi_event){.kind = kind,
				   .channel = c->channel & 15,
				   .number = (uint16_t)(number & (top > 127 ? 16383 : 127)),
				   .value = clamp(value, top)};
}

static enum midi_seq_kind
take_event(const snd_seq_event_t *e, struct midi_event *ev)
{
	const snd_seq_ev_ctrl_t *c = &e->data.control;
	const snd_seq_ev_note_t *n = &e->data.note;
	bool is_on = e->type == SND_SEQ_EVENT_NOTEON && (n->velocity & 127) != 0;

	*ev = (struct midi_event){.kind = MIDI_EV_OTHER};
	switch (e->type) {
	case SND_SEQ_EVENT_NOTEON:
	case SND_SEQ_EVENT_NOTEOFF: /* its velocity is none of the note's value */
		*ev = (struct midi_event){.kind = MIDI_EV_NOTE,
					  .channel = n->channel & 15,
					  .number = n->note & 127,
					  .value = is_on ? n->velocity & 127 : 0,
					  .release = e->type == SND_SEQ_EVENT_NOTEOFF ? n->velocity & 127 : 0};
		break;
	case SND_SEQ_EVENT_KEYPRESS:
		*ev = (struct midi_event){.kind = MIDI_EV_POLY_PRESSURE,
					  .channel = n->channel & 15,
					  .number = n->note & 127,
					  .value = n->velocity & 127};
		break;
	case SND_SEQ_EVENT_CONTROLLER: *ev = controller(MIDI_EV_CONTROL, c, c->param, c->value, 127); break;
	case SND_SEQ_EVENT_CONTROL14:
		*ev = controller(MIDI_EV_CONTROL14, c, c->param & 127, c->value, 16383);
		break;
	case SND_SEQ_EVENT_NONREGPARAM: *ev = controller(MIDI_EV_NRPN, c, c->param, c->value, 16383); break;
	case SND_SEQ_EVENT_REGPARAM: *ev = controller(MIDI_EV_RPN, c, c->param, c->value, 16383); break;
	case SND_SEQ_EVENT_PGMCHANGE: *ev = controller(MIDI_EV_PROGRAM, c, 0, c->value, 127); break;
	case SND_SEQ_EVENT_CHANPRESS: *ev = controller(MIDI_EV_PRESSURE, c, 0, c->value, 127); break;
	case SND_SEQ_EVENT_PITCHBEND: *ev = controller(MIDI_EV_BEND, c, 0, c->value + 8192, 16383); break;
	default: return take_system(e, ev) ? MIDI_SEQ_EVENT : MIDI_SEQ_OTHER;
	}
	return MIDI_SEQ_EVENT;
}

static void
take_announcement(struct midi_seq *s, const snd_seq_event_t *e, struct midi_seq_in *in)
{
	const snd_seq_connect_t *l = &e->data.connect;
	bool linked = e->type == SND_SEQ_EVENT_PORT_SUBSCRIBED;

	switch (e->type) {
	case SND_SEQ_EVENT_PORT_START:
	case SND_SEQ_EVENT_PORT_EXIT:
		in->kind = e->type == SND_SEQ_EVENT_PORT_START ? MIDI_SEQ_PORT_START
							       : MIDI_SEQ_PORT_EXIT;
		in->peer = (struct midi_addr){e->data.addr.client, e->data.addr.port};
		break;
	case SND_SEQ_EVENT_PORT_SUBSCRIBED:
	case SND_SEQ_EVENT_PORT_UNSUBSCRIBED:
		if (l->sender.client == s->client) {
			in->dir = MIDI_DIR_OUT;
			in->port = l->sender.port;
			in->peer = (struct midi_addr){l->dest.client, l->dest.port};
		} else if (l->dest.client == s->client) {
			in->dir = MIDI_DIR_IN;
			in->port = l->dest.port;
			in->peer = (struct midi_addr){l->sender.client, l->sender.port};
		} else {
			break;
		}
		in->kind = linked ? MIDI_SEQ_LINKED : MIDI_SEQ_UNLINKED;
		break;
	default: break;
	}
}

int
midi_seq_recv(struct midi_seq *s, struct midi_seq_in *in)
{
	snd_seq_event_t *e;
	int r = snd_seq_event_input(s->handle, &e);

	*in = (struct midi_seq_in){.kind = MIDI_SEQ_OTHER, .port = -1};
	if (r == -EAGAIN)
		return 0;
	if (r == -ENOSPC) {
		in->kind = MIDI_SEQ_LOST;
		return 1;
	}
	if (r < 0)
		return r;
	if (e->dest.port == s->announce) {
		/* Anyone may write to a port; only the kernel announces. */
		if (e->source.client == SND_SEQ_CLIENT_SYSTEM)
			take_announcement(s, e, in);
		return 1;
	}
	in->port = e->dest.port;
	in->peer = (struct midi_addr){e->source.client, e->source.port};
	if (e->type == SND_SEQ_EVENT_SYSEX && snd_seq_ev_is_variable(e)) {
		in->kind = MIDI_SEQ_SYSEX;
		in->bytes = e->data.ext.ptr;
		in->len = e->data.ext.len;
	} else {
		in->kind = take_event(e, &in->event);
	}
	return 1;
}

bool
midi_seq_has_more(struct midi_seq *s)
{
	return snd_seq_event_input_pending(s->handle, 0) > 0;
}
