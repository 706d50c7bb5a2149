/* What arrives at bh-control's endpoint: whatever the bytes, a request is either sound or answered by a sound error. */
#include <stdlib.h>
#include <string.h>

#include "common/wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bh_wire_request req;
	struct bh_wire_error err;
	struct bh_wire_out out;
	int r = bh_wire_request_parse(&req, data, len, &err);
	if (r == 0) {
		if (req.verb >= BH_VERB_COUNT || req.id == 0 || req.args_len > sizeof(req.args) ||
		    memchr(req.name, 0, sizeof(req.name)) == NULL || memchr(req.str, 0, sizeof(req.str)) == NULL)
			abort();
		return 0;
	}
	if (!err.code || !err.text[0])
		abort();
	bh_wire_out_init(&out);
	bh_wire_begin_answer(&out, req.id, false);
	bh_wire_put_error(&out, &err);
	bh_wire_close(&out);
	/* The error quotes what came: the answer must be sound all the same. */
	if (out.failed || bh_wire_check(out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) < 0)
		abort();
	bh_wire_out_fini(&out);
	return 0;
}
