/*
 * seq - the ALSA sequencer as bh-midi needs it: the narrow seam to libasound
 *
 * In:    the sequencer's queue: events at our ports, and the announcements of ports and links
 * Out:   our client, its ports, links to others, events
 * Fails: every call returns -errno and leaves things as they were. Nothing here blocks or retries.
 *
 * What ALSA does with an unplugged peer: an event for subscribers is dropped in silence, links go,
 * PORT_EXIT is announced; with the peer back, links do not return by themselves. While a program
 * has a port open as rawmidi, linking to it is refused with EAGAIN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "procs/midi/proto.h"

struct midi_seq;

struct midi_addr {
	uint8_t client, port;
};

#define MIDI_DIR_IN  1u /* events come to us */
#define MIDI_DIR_OUT 2u /* events go from us */

struct midi_port_info {
	struct midi_addr addr;
	unsigned can; /* MIDI_DIR_IN: we may receive from it; MIDI_DIR_OUT: we may send to it */
	char client[64], name[64];
};

/* Open, with a client of this name, listening to announcements. -ENOENT: the kernel has no
 * sequencer. */
int midi_seq_open(struct midi_seq **out, const char *client_name);
void midi_seq_close(struct midi_seq *seq); /* NULL is fine */
int midi_seq_fd(const struct midi_seq *seq);
uint8_t midi_seq_client(const struct midi_seq *seq);

/* Make a port that others may link to. Its number, or -errno. */
int midi_seq_add_port(struct midi_seq *seq, const char *name, unsigned dir);
void midi_seq_remove_port(struct midi_seq *seq, int port);
void midi_seq_rename(struct midi_seq *seq, const char *client_name);
/* Call fn for each port of other clients that can be linked. */
void midi_seq_list(struct midi_seq *seq, void (*fn)(void *data, const struct midi_port_info *info),
		   void *data);
/* One port of another client. -ENOENT: gone, ours, or not for linking. */
int midi_seq_look(struct midi_seq *seq, struct midi_addr addr, struct midi_port_info *info);

/* Link our port to a peer, one direction. A link that stands already is 0. */
int midi_seq_link(struct midi_seq *seq, int port, struct midi_addr peer, unsigned dir);
void midi_seq_unlink(struct midi_seq *seq, int port, struct midi_addr peer, unsigned dir);

/* Send to all who are linked to our port, or (`to`) to one. -EAGAIN: the queue is full, later. */
int midi_seq_send(struct midi_seq *seq, int port, const struct midi_event *ev,
		  const struct midi_addr *to);
int midi_seq_send_sysex(struct midi_seq *seq, int port, const uint8_t *bytes, size_t len);

enum midi_seq_kind {
	MIDI_SEQ_EVENT,      /* event, at our port */
	MIDI_SEQ_SYSEX,      /* a chunk, at our port */
	MIDI_SEQ_PORT_START, /* peer */
	MIDI_SEQ_PORT_EXIT,  /* peer */
	MIDI_SEQ_LINKED,     /* our port and a peer, dir; by whomever */
	MIDI_SEQ_UNLINKED,
	MIDI_SEQ_LOST, /* our queue ran over: events are missing */
	MIDI_SEQ_OTHER,
};
struct midi_seq_in {
	enum midi_seq_kind kind;
	int port;              /* ours */
	unsigned dir;          /* (un)linked: as seen from us */
	struct midi_addr peer; /* who sent, started, left, linked */
	struct midi_event event;
	const uint8_t *bytes; /* borrowed until the next call */
	size_t len;
};
/* The next one: 1; 0 = none; -errno = the sequencer has gone. */
int midi_seq_recv(struct midi_seq *seq, struct midi_seq_in *in);
/* Has libasound read more from the kernel than was taken? */
bool midi_seq_has_more(struct midi_seq *seq);
