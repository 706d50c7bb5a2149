/* proto.c - see proto.h */
#include "procs/template/proto.h"

size_t
lamp_encode(uint8_t *pkt, double percent)
{
	double p = percent < 0 ? 0 : percent > 100 ? 100 : percent;
	pkt[0] = 'L';
	pkt[1] = (uint8_t)(p * 2.55 + 0.5);
	pkt[2] = (uint8_t)(0x100 - ((pkt[0] + pkt[1]) & 0xff));
	return LAMP_PACKET;
}

double
lamp_decode(const uint8_t *pkt, size_t len)
{
	if (len != LAMP_PACKET || pkt[0] != 'L' || ((pkt[0] + pkt[1] + pkt[2]) & 0xff))
		return -1;
	return pkt[1] / 2.55;
}
