/*
 * midi.h - what the files of bh-midi share: its configuration and its state
 *
 * Files, from the outside in: driver.c (the sequencer's events, start, reload), options.c (configuration to a checked set),
 * links.c (peers, health), values.c (parameters), routes.c (pass-through), actions.c; seq.c is the seam to libasound; proto,
 * transform, guard and conn are pure.
 */
#pragma once

#include "common/driver.h"
#include "common/log.h"
#include "procs/midi/conn.h"
#include "procs/midi/guard.h"
#include "procs/midi/proto.h"
#include "procs/midi/seq.h"
#include "procs/midi/transform.h"

/* ------------------------------------------------------------------ configuration, as the table fills it */

enum { MIDI_BOTH, MIDI_IN, MIDI_OUT };				      /* direction */
enum { MIDI_VALUES_AUTO, MIDI_VALUES_NUMBER, MIDI_VALUES_SWITCH };    /* values */
enum { MIDI_CONFIRM_SENT, MIDI_CONFIRM_ECHO };			      /* a port's confirm; a parameter's: 0 = the port's, then these */

struct midi_port_config {
	char *name, *connect, *connect_from, *connect_to;
	uint32_t direction, confirm;
};
struct midi_param_config {
	char *name, *port, *unit, *label;
	uint32_t type, direction, taper, channel, number, values, on_value, steps, confirm;
	double min, max;
};
struct midi_word_config { /* an item of the lists of types, channels, notes and controllers */
	char *range;
	uint32_t number;
};
struct midi_pair_config {
	uint32_t from, to;
};
struct midi_step_config {
	uint32_t kind, channel, fixed, min, max;
	int32_t by, number;
	double scale, curve;
	bool invert;
	struct bh_cfg_list map;
};
struct midi_route_config {
	char *from, *to, *switch_name, *label;
	bool back, start_on;
	struct bh_cfg_list types, channels, notes, except_notes, controllers, except_controllers, transform;
};
struct midi_config {
	char *client;
	struct bh_cfg_list ports, parameters, routes;
};
extern const struct bh_cfg_field midi_fields[];

/* ------------------------------------------------------------------ state */

/* One direction of a port's wanted connection. */
struct midi_link {
	struct midi_conn conn;
	const char *want;      /* borrowed from the configuration: the peer's name */
	struct midi_addr peer; /* unless absent */
	enum midi_conn_match match;
	unsigned dir; /* 0 = not wanted */
	int error;    /* of the last attempt */
};

struct midi_port {
	const struct midi_port_config *cfg; /* borrowed */
	unsigned dir;
	int seq_port;             /* -1 while the sequencer is missing */
	bool is_source;           /* of a route */
	struct midi_link link[2]; /* in, out */
	struct midi_rpn rpn;
	struct midi_sysex sysex;
};

struct midi_row {
	const struct midi_param_config *cfg; /* borrowed */
	struct midi_map map;
	struct midi_pair pair;
	uint16_t port;
	bool is_switch, is_sent, is_heard;
	bool waits_echo;       /* confirm: echo */
	bool known, unsent;    /* raw is a value; it has not gone out */
	uint16_t raw;          /* the newest, whoever set it */
	uint16_t on_raw;       /* switch: what is sent for on */
	int64_t told;          /* RELATIVE: the steps up to which the peer was told */
	struct bh_value value; /* the same as raw, as it was wanted or reported */
	int64_t id;            /* in the directory, negative = no room */
};

struct midi_route {
	const struct midi_route_config *cfg; /* borrowed */
	uint16_t from, to;		     /* ports */
	struct midi_filter filter;
	struct midi_step *step; /* owned by the set */
	uint32_t steps;
	bool is_on, was_cut;
	int64_t id; /* of its switch, negative = none */
	struct midi_guard guard;
	struct midi_set128 held[16]; /* notes that were begun at `to` and not ended, by channel */
};

/* All that follows from the configuration. */
struct midi_set {
	struct midi_port *ports;   /* owned, as all below */
	struct midi_row *rows;
	struct midi_route *routes;
	struct midi_index_entry *index;
	uint32_t *of_id; /* row + 1, or row_count + route + 1; 0 = none */
	uint32_t port_count, row_count, route_count, id_count;
	size_t index_count;
};

/* A note's end that is due. */
struct midi_off {
	uint64_t due_ns; /* 0 = free */
	uint32_t port;	 /* hash of its name */
	uint8_t channel, note, pad[2];
};
enum { MIDI_OFFS = 64, MIDI_KEPT = 16 };

/* What outlives us: who comes after us ends the notes that we have begun. */
struct midi_scratch {
	struct midi_off off[MIDI_OFFS];
	struct midi_kept {
		uint32_t port; /* hash of its name; 0 = free */
		uint32_t pad;
		struct midi_set128 notes[16]; /* that routes have begun there, by channel */
	} kept[MIDI_KEPT];
};

struct midi {
	struct bh_driver *drv;  /* borrowed */
	struct midi_seq *seq;   /* owned, NULL while missing */
	struct bh_watch *watch; /* owned */
	struct bh_timer *open_timer, *conn_timer, *pair_timer, *send_timer, *off_timer, *guard_timer; /* owned */
	struct midi_set set;
	bool is_refused; /* the configuration we were started with: all is empty until the next */
	struct midi_scratch *kept; /* borrowed */
	struct midi_kept orphan[MIDI_KEPT]; /* what our predecessor has begun, until somebody is there to hear the end */
	uint64_t cuts;             /* of routes, since the start */
	struct bh_log_limit lost, full, unsent;
};

/* --- options.c: 0 and a new set without ids, ports and links of its own; or -EINVAL, `why` says where and what. */
int midi_set_make(struct midi_set *s, const struct midi_config *cfg, const struct bh_options *options, char *why,
		  size_t cap);
void midi_set_free(struct midi_set *s);
/* Index of one of the ports, or -ENOENT. */
int64_t midi_port_by_name(const struct midi_set *s, const char *name);
uint32_t midi_port_hash(const struct midi_set *s, uint32_t port); /* of its name, never 0 */

/* --- links.c */
/* The peer's ports as they are now: links that can be made are made. */
void midi_links_look(struct midi *m);
/* What we believe of the peers is forgotten first: announcements were lost. */
void midi_links_look_anew(struct midi *m);
void midi_links_forget(struct midi *m); /* the sequencer has gone */
void midi_links_announced(struct midi *m, const struct midi_seq_in *in);
void midi_links_tick(void *data);
/* Is the peer that a port should be linked to there, or is there none to wait for? */
bool midi_port_is_reached(const struct midi_port *p, unsigned dir);
int midi_judge(struct midi *m); /* health */

/* --- values.c */
int midi_rows_publish(struct midi *m, struct midi_set *old); /* directory, and what is known of them; -errno */
uint32_t midi_params_count(const struct midi_set *s); /* at most */
int midi_on_value(void *data, bh_param_id id, const struct bh_value *v);
void midi_values_event(struct midi *m, uint32_t port, const struct midi_event *ev);
/* Somebody has linked to our port: it is told all that we know. */
void midi_values_tell(struct midi *m, uint32_t port, struct midi_addr peer);
void midi_values_flush(struct midi *m);
void midi_values_report(struct midi *m); /* once all is ready */
void midi_on_pair_due(void *data);
void midi_on_send_again(void *data);

/* --- routes.c */
void midi_routes_event(struct midi *m, uint32_t port, const struct midi_event *ev, struct midi_addr source);
void midi_routes_sysex(struct midi *m, uint32_t port, const uint8_t *bytes, size_t len, struct midi_addr source);
int midi_route_switch(struct midi *m, struct midi_route *r, bool on);
/* End the notes that a route has begun and not ended. */
void midi_route_release(struct midi *m, struct midi_route *r);
void midi_routes_release_from(struct midi *m, uint32_t port); /* its source has gone */
void midi_routes_release_all(struct midi *m);
void midi_routes_recover(struct midi *m, uint32_t port); /* somebody hears it: end what our predecessor has begun there */
void midi_routes_tick(void *data);

/* --- actions.c: the table, ended by { 0 }, and what they do. 0, or -errno: refused, not tried again. */
extern const struct bh_action_desc midi_actions[];
int midi_on_action(void *data, const struct bh_action *a);
/* A note's end, now or at a moment. -ENOSPC: too many wait. */
int midi_off_later(struct midi *m, uint32_t port, uint8_t channel, uint8_t note, uint64_t due_ns);
void midi_off_tick(void *data);
