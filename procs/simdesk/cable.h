/*
 * cable - what lies between the simulated desk and its host: pace, and damage on request
 *
 * In:    messages of the desk; how many bytes the host has for us
 * Out:   which bytes may be written or read at a given moment
 * Fails: a message that finds the queue full or nobody at the other end is lost whole and counted,
 *        as on the real device. Half a message is never queued.
 *
 * Pure: no I/O; time is an argument (nanoseconds of any one clock).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CABLE_QUEUE = 65536,   /* bytes on their way to the host; a power of two */
	CABLE_DIN_RATE = 3125, /* bytes a second: 31250 baud, 10 bits each */
};

/* One direction of a serial line. All zero: as fast as the other end takes it. */
struct cable_lane {
	uint64_t byte_ns; /* 0 = no limit */
	uint64_t free_ns; /* when the line can take the next byte */
	uint64_t busy_ns; /* time that bytes have spent on the line, in total */
	uint64_t bytes;   /* in total */
};

struct cable {
	bool wanted; /* plugged in, as far as the desk can do it */
	bool peer;   /* a host is there */
	struct cable_lane to_host, from_host;
	bool split;        /* one byte for each write */
	uint64_t split_ns; /* and this long between them */
	uint64_t split_free_ns;
	bool sensing; /* send FE when nothing else was sent for a while */
	uint64_t sent_ns;
	uint64_t lost_messages, lost_bytes;
	uint64_t peers; /* hosts that have come */
	uint64_t head, tail;
	uint8_t queue[CABLE_QUEUE];
};

void cable_init(struct cable *c);

/* Bytes a second, in both directions; 0 = no limit. */
void cable_limit(struct cable *c, uint64_t rate_bytes_s);
/* Dribble: byte by byte, with a gap. */
void cable_split(struct cable *c, bool on, uint64_t gap_ns);
void cable_sensing(struct cable *c, bool on, uint64_t now_ns);

/* A host has come or gone. What was queued for the one before is dropped. */
void cable_peer(struct cable *c, bool here, uint64_t now_ns);

/* Queue a message. False if it is lost. */
bool cable_send(struct cable *c, const uint8_t *bytes, size_t len);
size_t cable_queued(const struct cable *c);

/* How many bytes may be written now, and where they are; then how many of them were. */
size_t cable_tx(struct cable *c, uint64_t now_ns, const uint8_t **bytes);
void cable_tx_done(struct cable *c, uint64_t now_ns, size_t n);

/* How many bytes may be read now; then how many were. */
size_t cable_rx(const struct cable *c, uint64_t now_ns);
void cable_rx_done(struct cable *c, uint64_t now_ns, size_t n);

/* Active sensing, if it is due. */
void cable_tick(struct cable *c, uint64_t now_ns);

/* When cable_tx() or cable_tick() has something again, or cable_rx() allows more; 0 = not by time alone. */
uint64_t cable_next_ns(const struct cable *c, uint64_t now_ns);
