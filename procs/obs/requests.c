/* requests.c - see requests.h */
#include "procs/obs/requests.h"

#include <stddef.h>
#include <string.h>

static const char *const names[OBS_REQ_COUNT] = {
#define OBS_REQ_NAME(id, name, since, use) [OBS_REQ_##id] = name,
	OBS_REQUESTS(OBS_REQ_NAME)
#undef OBS_REQ_NAME
};

const char *
obs_req_name(enum obs_req req)
{
	return req < OBS_REQ_COUNT ? names[req] : NULL;
}

enum obs_req
obs_req_by_name(const char *name)
{
	for (unsigned i = 0; i < OBS_REQ_COUNT; i++)
		if (!strcmp(names[i], name))
			return (enum obs_req)i;
	return OBS_REQ_COUNT;
}
