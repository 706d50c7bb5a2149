/*
 * msg.h - msgpack maps of the control protocol: build them, and take apart what came
 *
 * Everything that arrives is looked through once by bh_wire_check() before msgpack-c sees it: bounded size, depth and
 * counts, map keys that are texts, valid UTF-8, nothing behind the end. So a 5-byte message that announces four billion
 * elements costs a comparison. A message that fails is answered with an error and counted; it is never an assert.
 *
 * See docs/reference/control-protocol.md. Linked by bh-control and the tool alone.
 */
#pragma once

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_WIRE_VERSION 1
#define BH_WIRE_DEPTH 8		     /* maps and arrays inside each other */
#define BH_WIRE_REQUEST_MAX 4096u    /* bytes of one request */
#define BH_WIRE_ANSWER_MAX (8u << 20) /* bytes of one answer */

/* A message being built. Zeroed = empty; grows up to BH_WIRE_ANSWER_MAX. */
struct bh_wire_out {
	uint8_t *data; /* owned */
	size_t len, cap;
	bool failed; /* too large, too deep, or no memory: the message is not to be sent */
	int depth;
	struct {
		size_t at; /* where its count stands */
		uint32_t count;
		bool map;
	} level[BH_WIRE_DEPTH];
	msgpack_packer pk;
};

void bh_wire_out_init(struct bh_wire_out *o);
void bh_wire_out_fini(struct bh_wire_out *o);
/* Empty again; a large buffer is given back. */
void bh_wire_out_reset(struct bh_wire_out *o);

/*
 * Open and close a map or array; key = NULL inside an array (and for the outermost). The count is filled in at the
 * closing, so the caller need not know it before.
 */
void bh_wire_map(struct bh_wire_out *o, const char *key);
void bh_wire_array(struct bh_wire_out *o, const char *key);
void bh_wire_close(struct bh_wire_out *o);

/* Values; key = NULL inside an array. Text that is not UTF-8 has its bad bytes replaced by '?'. */
void bh_wire_str(struct bh_wire_out *o, const char *key, const char *s);
void bh_wire_int(struct bh_wire_out *o, const char *key, int64_t i);
void bh_wire_uint(struct bh_wire_out *o, const char *key, uint64_t u);
void bh_wire_float(struct bh_wire_out *o, const char *key, double f);
void bh_wire_bool(struct bh_wire_out *o, const char *key, bool b);
/* Bytes as they are. */
void bh_wire_bin(struct bh_wire_out *o, const char *key, const void *data, size_t len);
void bh_wire_nil(struct bh_wire_out *o, const char *key);
/* An object that came in another message. */
void bh_wire_object(struct bh_wire_out *o, const char *key, msgpack_object obj);

/* Is this one complete, bounded msgpack map of ours? 0, or -EBADMSG; `why` (may be NULL) receives a constant text. */
int bh_wire_check(const uint8_t *data, size_t len, size_t max, const char **why);

/* A message taken apart. Texts point into `data`, which must outlive it. */
struct bh_wire_in {
	msgpack_unpacked u; /* owned */
	const msgpack_object *root; /* a map */
};
/* Check and unpack. 0 or -EBADMSG; `why` as above. bh_wire_in_fini() also after a failure. */
int bh_wire_in_init(struct bh_wire_in *in, const uint8_t *data, size_t len, size_t max, const char **why);
void bh_wire_in_fini(struct bh_wire_in *in);

/* Look into a map (NULL is fine: nothing is found in it). */
const msgpack_object *bh_wire_get(const msgpack_object *map, const char *key);
/* A text, copied: 1, 0 = not there, -EINVAL = another type or longer than cap - 1 bytes or with a NUL in it. */
int bh_wire_get_str(const msgpack_object *map, const char *key, char *buf, size_t cap);
/* A number or boolean; `def` when it is not there or another type. A float counts as an integer when it is one. */
int64_t bh_wire_get_int(const msgpack_object *map, const char *key, int64_t def);
double bh_wire_get_float(const msgpack_object *map, const char *key, double def);
bool bh_wire_get_bool(const msgpack_object *map, const char *key, bool def);
