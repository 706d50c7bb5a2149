/*
 * setup.h - what `bulkhead setup` finds on this machine, and the configuration it makes of it
 *
 * Looking has no effect on what is looked at: files of /proc are read, sockets are looked for, and on loopback one connection
 * each is opened and closed again. All of that at once, and within SETUP_PROBE_MS. Writing is pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	SETUP_PROBE_MS = 300,
	SETUP_CARDS_MAX = 16,
	SETUP_PEERS_MAX = 24,
};

enum setup_backend { SETUP_OBS, SETUP_QLC, SETUP_MQTT, SETUP_PIPEWIRE, SETUP_PULSE, SETUP_MPRIS, SETUP_BACKENDS };

/* A sound card with raw MIDI. */
struct setup_card {
	int number;
	char name[64], usb[16];
	char device[40]; /* device file that fits it, "" = none: perhaps no control surface */
};

/* A client of the ALSA sequencer that is neither ours nor such a card. */
struct setup_peer {
	char client[64], port[64];
};

struct setup_found {
	struct setup_card card[SETUP_CARDS_MAX];
	unsigned cards;
	bool has_alsa, may_open; /* sound devices are there; and we may open them */
	struct setup_peer peer[SETUP_PEERS_MAX];
	unsigned peers;
	struct {
		bool found, needs_password;
		char detail[96]; /* "OBS WebSocket 5.3.3" */
	} backend[SETUP_BACKENDS];
};

/* Where to look; tests look elsewhere. */
struct setup_places {
	const char *asound;  /* /proc/asound */
	const char *snd;     /* /dev/snd */
	const char *devices; /* folder of device files */
	const char *runtime; /* $XDG_RUNTIME_DIR, may be NULL */
	uint16_t port[SETUP_BACKENDS]; /* on 127.0.0.1; 0 = not looked for */
};

extern const struct setup_places setup_usual;
/* "obs=4455,mqtt=0" into the ports. 0 or -EINVAL. */
int setup_ports(struct setup_places *p, const char *text);
const char *setup_backend_name(enum setup_backend b);

void setup_look_at_cards(const struct setup_places *p, struct setup_found *f);
void setup_probe(const struct setup_places *p, struct setup_found *f);

/* What a backend's bytes say. Pure. True = it is what we looked for, or certainly not (found stays false). */
bool setup_hear(enum setup_backend b, const char *said, size_t len, struct setup_found *f);

struct setup_answers {
	const char *password[SETUP_BACKENDS]; /* NULL = none was given */
	bool has_kind[SETUP_BACKENDS];	      /* there is a driver for it today */
	bool has_midi;
	/* Which keys of theirs the driver has. */
	bool has_port_key[SETUP_BACKENDS], has_password_key[SETUP_BACKENDS];
	uint16_t port[SETUP_BACKENDS];
	bool only_loop; /* drivers other than loop as comments */
};

/* The commented configuration. Pure. */
void setup_write(FILE *out, const struct setup_found *f, const struct setup_answers *a);
/* True if it has a password in it. */
bool setup_is_secret(const struct setup_found *f, const struct setup_answers *a);
