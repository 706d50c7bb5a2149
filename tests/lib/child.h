/* child.h - what a test asks of the supervisor through child.c, which stands in for bh-control */
#pragma once

#include <stdint.h>

#include "common/request.h"

struct child_ask {
	uint32_t request, number;
	struct bh_request_args args;
};

struct child_answer {
	uint32_t number, more;
	int32_t error;
	char text[BH_PAYLOAD_MAX + 1];
};
