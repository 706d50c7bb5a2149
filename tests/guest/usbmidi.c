/* usbmidi - see the header. Pure: no I/O, no allocation. */
#include "tests/guest/usbmidi.h"

#include <stdio.h>
#include <string.h>

/* Data bytes that follow a channel or system common status. */
static unsigned
data_bytes(uint8_t status)
{
	if (status < 0xf0)
		return (status & 0xe0) == 0xc0 ? 1 : 2;
	return status == 0xf2 ? 2 : status == 0xf1 || status == 0xf3 ? 1 : 0;
}

static void
put(uint8_t pkt[4], unsigned cable, unsigned cin, const uint8_t *bytes, size_t len)
{
	memset(pkt, 0, 4);
	pkt[0] = (uint8_t)(cable << 4 | cin);
	memcpy(pkt + 1, bytes, len);
}

bool
usbmidi_pack(struct usbmidi_packer *p, unsigned cable, uint8_t byte, uint8_t pkt[4])
{
	if (byte >= 0xf8) {
		put(pkt, cable, 0xf, &byte, 1);
		return true;
	}
	if (byte == 0xf7) {
		bool ends = p->status == 0xf0;

		p->status = 0;
		if (!ends)
			return false;
		p->data[p->have++] = byte;
		put(pkt, cable, 4 + p->have, p->data, p->have); /* 5, 6, 7: ends with 1, 2, 3 */
		return true;
	}
	if (byte >= 0x80) {
		p->status = byte;
		p->data[0] = byte;
		p->have = 1;
		if (byte > 0xf0 && data_bytes(byte) == 0) {
			p->status = 0;
			put(pkt, cable, 5, &byte, 1);
			return true;
		}
		return false;
	}
	if (p->status == 0)
		return false;
	p->data[p->have++] = byte;
	if (p->status == 0xf0) {
		if (p->have < 3)
			return false;
		p->have = 0;
		put(pkt, cable, 4, p->data, 3);
		return true;
	}
	if (p->have < 1 + data_bytes(p->status))
		return false;
	if (p->status < 0xf0) {
		put(pkt, cable, p->status >> 4, p->data, p->have);
		p->have = 1; /* running status */
	} else {
		put(pkt, cable, p->have, p->data, p->have); /* 2, 3 */
		p->status = 0;
	}
	return true;
}

size_t
usbmidi_unpack(const uint8_t pkt[4], uint8_t bytes[3])
{
	static const uint8_t len[16] = {0, 0, 2, 3, 3, 1, 2, 3, 3, 3, 3, 3, 2, 2, 3, 1};
	size_t n = len[pkt[0] & 15];

	memcpy(bytes, pkt + 1, n);
	return n;
}

const char *
usbmidi_text_add(struct usbmidi_text *t, const uint8_t pkt[4])
{
	uint8_t bytes[3];
	size_t n = usbmidi_unpack(pkt, bytes);
	unsigned cin = pkt[0] & 15;

	if (!t->in_sysex)
		t->len = 0;
	for (size_t i = 0; i < n && t->len + 4 < sizeof(t->line); i++)
		t->len += (size_t)snprintf(t->line + t->len, 4, " %02x", bytes[i]);
	t->in_sysex = cin == 4 || (t->in_sysex && cin == 0xf);
	return t->in_sysex || n == 0 ? NULL : t->line;
}
