/* text.h - the text of a configuration, told from another by a number */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* FNV-1a over the text; never 0, which stands for none. */
static inline uint64_t
bh_text_hash(const void *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	uint64_t h = 0xcbf29ce484222325ull ^ len;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ? h : 1;
}
