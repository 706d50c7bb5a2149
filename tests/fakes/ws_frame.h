/* ws_frame.h - the frames of RFC 6455 and its handshake, for what stands in for a server or in the middle; pure */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_frame {
	bool fin, masked;
	uint8_t rsv; /* three bits */
	uint8_t opcode;
	uint8_t mask[4];
	uint64_t len; /* as declared */
};

#define WS_HEAD_MAX 14u

/* The head of a frame (section 5.2): its length, or 0 if it has not come whole. */
size_t ws_frame_parse(const uint8_t *bytes, size_t len, struct ws_frame *f);
/* Write one; `coding` is 7, 16 or 64 bits for the length, 0 = the shortest. Returns its length. */
size_t ws_frame_put(uint8_t to[static WS_HEAD_MAX], const struct ws_frame *f, unsigned coding);
void ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[static 4]);
/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2). */
void ws_accept(char out[static 32], const char *key);

/*
 * Messages out of a stream of bytes, fragments put together. Zeroed to begin with. Up to the empty line that ends
 * the handshake nothing is a message.
 */
struct ws_reader {
	bool open;	/* the handshake is over */
	uint8_t opcode; /* of the message under way */
	uint8_t *in, *message; /* owned */
	size_t in_len, in_cap, message_len, message_cap;
};
/* Called with each whole message, ping, pong and close frame. */
typedef void ws_message_fn(void *data, enum ws_opcode opcode, const uint8_t *bytes, size_t len);
void ws_reader_put(struct ws_reader *r, const uint8_t *bytes, size_t len, ws_message_fn *fn, void *data);
void ws_reader_fini(struct ws_reader *r);
