/*
 * proto.h - bytes of the tally lamp's protocol. Pure: no I/O, no clock, no allocation
 *
 * A datagram is "L", the level 0-255, and the two's complement of both, so that a stray packet lights nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LAMP_PACKET 3

/* Level in percent (clamped to 0-100) to a packet of LAMP_PACKET bytes. Returns its length. */
size_t lamp_encode(uint8_t *pkt, double percent);
/* The level in percent, or -1 if it is no packet of ours. */
double lamp_decode(const uint8_t *pkt, size_t len);
