/*
 * obs_tape.h - recordings of sessions between a client and OBS
 *
 * A tape is a file: the 8 bytes "OBSTAPE1", then for each message, in the order in which they passed,
 *
 *	1 byte	'>' to OBS, '<' from OBS; 'O' a connection was made, 'C' it ended
 *	4 bytes	milliseconds since the tape began, little-endian
 *	4 bytes	length, little-endian
 *	n bytes	the message as it was: msgpack (of 'C': the two bytes of the close code, if one was sent)
 *
 * The recorder is a thread that listens on a port of its own and passes all on to OBS, byte by byte. obs_server.h plays tapes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct obs_tape_entry {
	char what;
	uint32_t ms;
	uint32_t len;
	const uint8_t *bytes; /* in the tape */
};

struct obs_tape {
	uint8_t *file; /* owned */
	struct obs_tape_entry *entry; /* owned */
	size_t entries;
};

/* 0 or -errno: -EPROTO if it is no tape. */
int obs_tape_load(struct obs_tape *t, const char *path);
void obs_tape_unload(struct obs_tape *t);
void obs_tape_put(FILE *f, char what, uint32_t ms, const void *bytes, size_t len);
/* As lines: "1234 > {..}". */
void obs_tape_print(const struct obs_tape *t, FILE *f);

struct obs_recorder;
/* From `port` (0: any) to OBS on `obs_port`, into a file; aborts with a message if that cannot be. */
struct obs_recorder *obs_recorder_start(uint16_t port, uint16_t obs_port, const char *path);
uint16_t obs_recorder_port(const struct obs_recorder *r);
/* Ends the connections that pass through it. NULL is fine. */
void obs_recorder_stop(struct obs_recorder *r);
