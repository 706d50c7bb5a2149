/* ws_frame.c - see ws_frame.h */
#include "tests/fakes/ws_frame.h"

#include <libwebsockets.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
big_endian(const uint8_t *b, unsigned n)
{
	uint64_t x = 0;
	while (n--)
		x = x << 8 | *b++;
	return x;
}

size_t
ws_frame_parse(const uint8_t *b, size_t len, struct ws_frame *f)
{
	if (len < 2)
		return 0;
	const unsigned short_len = b[1] & 0x7f, more = short_len == 127 ? 8 : short_len == 126 ? 2 : 0;
	f->fin = b[0] & 0x80;
	f->rsv = b[0] >> 4 & 7;
	f->opcode = b[0] & 0x0f;
	f->masked = b[1] & 0x80;
	const size_t head = 2 + more + (f->masked ? 4 : 0);
	if (len < head)
		return 0;
	f->len = more ? big_endian(b + 2, more) : short_len;
	if (f->masked)
		memcpy(f->mask, b + 2 + more, 4);
	return head;
}

size_t
ws_frame_put(uint8_t to[static WS_HEAD_MAX], const struct ws_frame *f, unsigned coding)
{
	if (!coding)
		coding = f->len < 126 ? 7 : f->len < 65536 ? 16 : 64;
	const unsigned more = coding == 64 ? 8 : coding == 16 ? 2 : 0;
	to[0] = (uint8_t)((f->fin ? 0x80 : 0) | f->rsv << 4 | f->opcode);
	to[1] = (uint8_t)((f->masked ? 0x80 : 0) | (coding == 64 ? 127 : coding == 16 ? 126 : f->len & 0x7f));
	for (unsigned i = 0; i < more; i++)
		to[2 + i] = (uint8_t)(f->len >> 8 * (more - 1 - i));
	if (f->masked)
		memcpy(to + 2 + more, f->mask, 4);
	return 2 + more + (f->masked ? 4 : 0);
}

void
ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[static 4])
{
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= mask[i % 4];
}

void
ws_accept(char out[static 32], const char *key)
{
	char text[256];
	uint8_t digest[20];
	snprintf(text, sizeof(text), "%.200s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	lws_SHA1((const uint8_t *)text, strlen(text), digest);
	sodium_bin2base64(out, 32, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
}

/* ------------------------------------------------------------------ messages */

static void
append(uint8_t **to, size_t *have, size_t *cap, const uint8_t *bytes, size_t len)
{
	if (*have + len > *cap) {
		*cap = 2 * (*have + len) + 4096;
		*to = realloc(*to, *cap);
		if (!*to)
			abort();
	}
	if (len)
		memcpy(*to + *have, bytes, len);
	*have += len;
}

static void
take_frame(struct ws_reader *r, const struct ws_frame *f, const uint8_t *payload, ws_message_fn *fn, void *data)
{
	if (f->opcode >= WS_CLOSE) {
		fn(data, f->opcode, payload, f->len);
		return;
	}
	if (f->opcode != WS_CONTINUATION)
		r->opcode = f->opcode;
	append(&r->message, &r->message_len, &r->message_cap, payload, f->len);
	if (!f->fin)
		return;
	fn(data, r->opcode, r->message, r->message_len);
	r->message_len = 0;
}

/* Bytes of the first frame of `in`, 0 if it has not come whole. */
static size_t
take_first(struct ws_reader *r, size_t at, ws_message_fn *fn, void *data)
{
	struct ws_frame f;
	const size_t head = ws_frame_parse(r->in + at, r->in_len - at, &f);
	if (!head || f.len > r->in_len - at - head)
		return 0;
	if (f.masked)
		ws_mask(r->in + at + head, f.len, f.mask);
	take_frame(r, &f, r->in + at + head, fn, data);
	return head + f.len;
}

void
ws_reader_put(struct ws_reader *r, const uint8_t *bytes, size_t len, ws_message_fn *fn, void *data)
{
	size_t at = 0, n;
	append(&r->in, &r->in_len, &r->in_cap, bytes, len);
	if (!r->open) {
		const uint8_t *end = memmem(r->in, r->in_len, "\r\n\r\n", 4);
		if (!end)
			return;
		r->open = true;
		at = (size_t)(end - r->in) + 4;
	}
	while ((n = take_first(r, at, fn, data)))
		at += n;
	r->in_len -= at;
	memmove(r->in, r->in + at, r->in_len);
}

void
ws_reader_fini(struct ws_reader *r)
{
	free(r->in);
	free(r->message);
	memset(r, 0, sizeof(*r));
}
