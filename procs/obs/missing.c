/* missing.c - what an area of the model that is not built in would do: nothing. The last of the library's sources, so that the areas win. */
#include <errno.h>

#include "procs/obs/model_int.h"

#define WEAK __attribute__((weak))
#define AREA(area)                                                                                                                                  \
	WEAK bool obs_##area##_event(struct obs_model *m, const char *type, const msgpack_object *d) { (void)m, (void)type, (void)d; return false; } \
	WEAK int obs_##area##_encode(struct obs_model *m, uint32_t object, enum obs_kind k, const struct bh_value *v, uint32_t id,                   \
				     struct obs_out *o, struct obs_ask *ask)                                                                        \
	{                                                                                                                                           \
		(void)m, (void)object, (void)k, (void)v, (void)id, (void)o, (void)ask;                                                              \
		return -ENOTSUP;                                                                                                                    \
	}                                                                                                                                           \
	WEAK bool obs_##area##_result(struct obs_model *m, enum obs_req req, uint32_t object, const struct obs_result *r)                            \
	{                                                                                                                                           \
		(void)m, (void)req, (void)object, (void)r;                                                                                          \
		return false;                                                                                                                       \
	}                                                                                                                                           \
	WEAK uint64_t obs_##area##_tick(struct obs_model *m) { (void)m; return 0; }

/* clang-format off */
AREA(scenes)
AREA(outputs)
WEAK void obs_scenes_tally(struct obs_model *m) { (void)m; }
/* clang-format on */
