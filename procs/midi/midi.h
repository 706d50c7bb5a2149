/*
 * midi.h - what the files of bh-midi share: its configuration and its state
 */
#pragma once

#include "common/driver.h"
#include "common/log.h"
#include "procs/midi/conn.h"
#include "procs/midi/proto.h"
#include "procs/midi/seq.h"

struct midi_port_config {
	char *name, *connect, *sysex_to;
	uint32_t direction;
};
struct midi_param_config {
	char *name, *port, *unit, *label;
	uint32_t type, direction, taper, channel, number;
	double min, max;
};
struct midi_config {
	char *client;
	struct bh_cfg_list ports, parameters;
};

/* One direction of a port's wanted connection. */
struct midi_link {
	struct midi_conn conn;
	struct midi_addr peer; /* unless absent */
	unsigned dir;          /* 0 = not wanted */
	int error;             /* of the last attempt */
};

struct midi_port {
	const struct midi_port_config *cfg; /* borrowed */
	unsigned dir;
	int seq_port;             /* -1 while the sequencer is missing */
	int sysex_to;             /* index of a port, -1 = nowhere */
	struct midi_link link[2]; /* in, out */
	struct midi_sysex sysex;
};

struct midi_row {
	const struct midi_param_config *cfg; /* borrowed */
	struct midi_map map;
	struct midi_pair pair;
	uint16_t port;
	bool known, unsent;    /* raw is a value; it has not gone out */
	uint16_t raw;          /* the newest, whoever set it */
	struct bh_value value; /* the same, as it was wanted or reported */
	int64_t id;            /* in the directory, negative = no room */
};

struct midi {
	struct bh_driver *drv;  /* borrowed */
	struct midi_seq *seq;   /* owned, NULL while missing */
	struct bh_watch *watch; /* owned */
	struct bh_timer *open_timer, *conn_timer, *pair_timer, *send_timer; /* owned */
	struct midi_port *ports;                                            /* owned */
	struct midi_row *rows;                                              /* owned */
	uint32_t port_count, row_count;
	struct midi_index_entry *index; /* owned */
	size_t index_count;
	uint32_t *row_of_id; /* owned, row + 1; 0 = none */
	uint32_t id_count;
	struct bh_log_limit lost, full, sysex;
};

/* Index of one of our ports, or -ENOENT. */
int64_t midi_port_by_name(const struct midi *m, const char *name);

/* actions.c: the table, ended by { 0 }, and what they do. 0, or -errno: refused, not tried again.
 */
extern const struct bh_action_desc midi_actions[];
int midi_on_action(void *data, const struct bh_action *a);
