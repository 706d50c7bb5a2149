/*
 * view.h - the pipeline as a reader sees it: names, values and health out of shared memory
 *
 * bh-control fills a view from the segments it was given; the tool, when bh-control does not answer, from the descriptors
 * of keeper and supervisor. Both then give the same answers by the same code. Nothing in the segments is trusted:
 * every number is bounded, every record checked, every text cut and cleaned before it goes out.
 *
 * All reading; nothing here allocates but the answers.
 */
#pragma once

#include "common/config/compiled.h"
#include "common/records.h"
#include "common/wire/request.h"
#include "common/wire/value.h"
#include "shm/dir.h"
#include "shm/seg.h"

/* All pointers borrowed; any may be NULL, then nothing is known of that part. */
struct bh_view {
	const struct bh_seg *table;
	const struct bh_config *config;
	const struct bh_seg *state; /* the router's */
	struct {
		const struct bh_self *self;
		const struct bh_account *account; /* BH_MAX_SLOTS * BH_CLASSES, or NULL */
		const struct bh_dir *dir;
	} slot[BH_MAX_SLOTS];
	bool direct; /* read by the tool itself: control does not answer */
};

/* The supervisor's entry of a slot: 1, 0 = unused. */
int bh_view_proc(const struct bh_view *v, uint16_t slot, struct bh_proc_body *body);
/* The process `name`: its slot, or -ENOENT with `err` (and a did-you-mean). */
int bh_view_find_proc(const struct bh_view *v, const char *name, struct bh_wire_error *err);

/* The parameters of a driver that are there now. next() returns 1 and the record, 0 at the end. */
struct bh_view_params {
	struct bh_dir_index index;
	uint32_t at;
};
void bh_view_params_init(struct bh_view_params *it, const struct bh_dir *dir);
int bh_view_params_next(struct bh_view_params *it, struct bh_dir_record *rec);

struct bh_view_param {
	uint16_t slot;
	struct bh_dir_record rec;
};
/* "loop/ch1/level": 0 or -ENOENT with `err`. */
int bh_view_find_param(const struct bh_view *v, const char *name, struct bh_view_param *out, struct bh_wire_error *err);
/* What the router knows of it: 1, or 0 = nothing. */
int bh_view_param_state(const struct bh_view *v, uint16_t slot, const struct bh_dir_record *rec, struct bh_rec_param *out);
/* Its full name, "loop/ch1/level". */
void bh_view_param_name(const struct bh_view *v, uint16_t slot, const struct bh_dir_record *rec, char *out, size_t cap);
/* Record number of the router's state for a parameter or control, BH_REC_NONE if it has none. */
uint32_t bh_view_record(const struct bh_view *v, uint16_t slot, uint32_t index);
uint32_t bh_view_state_count(const struct bh_view *v);
/* Read record n of the router's state: 1, 0 = nothing or damaged. `data` has BH_RECORD_BYTES. */
int bh_view_state_read(const struct bh_view *v, uint32_t n, void *data);
int bh_view_global(const struct bh_view *v, struct bh_rec_global *out);
/* The page that the group of row `room` of BH_TAB_ROOM shows (no such row: the main group); -ENOENT: not known. */
int bh_view_page_of(const struct bh_view *v, uint32_t room);
/* The router's own actions, "page/next" ...: the enum bh_page_action, or -ENOENT. By number: the name, NULL beyond. */
int bh_view_own_action(const char *name);
const char *bh_view_own_action_name(unsigned action);

/* "desk/fader1", or "fader1" when one surface has it: 0 or -ENOENT with `err`. */
struct bh_view_control {
	uint16_t slot, index;
	const struct bh_cfg_control *control;
};
int bh_view_find_control(const struct bh_view *v, const char *name, struct bh_view_control *out, struct bh_wire_error *err);

/* "loop/transport": 0 or -ENOENT with `err`. */
int bh_view_find_action(const struct bh_view *v, const char *name, uint16_t *slot, const struct bh_cfg_action **out,
			struct bh_wire_error *err);
/* A page's number from 0; -1 = next, -2 = previous, -3 = back; -ENOENT with `err`. */
int bh_view_find_page(const struct bh_view *v, const char *name, int *number, struct bh_wire_error *err);

/* One value as the members "value" and "text" of the open map; nothing when type is BH_NONE. */
void bh_view_put_value(struct bh_wire_out *o, const struct bh_dir *dir, const struct bh_dir_record *rec, enum bh_type type,
		       const union bh_val *val);

/*
 * Answer a request that only reads: writes the whole answer, or an error, to `o`. `now_ns` by CLOCK_BOOTTIME. 0, or -EINVAL when it
 * was answered by an error; -ENOTSUP = not a verb that reads (nothing written).
 */
int bh_view_answer(const struct bh_view *v, const struct bh_wire_request *req, uint64_t now_ns, struct bh_wire_out *o);

/*
 * missing.c: names that the configuration has and driver `slot` has not, at most `most` of them with their places and what may be
 * meant, as the members "missing" (how many, 256 at most) and "missing_names" of the open map. Nothing if there are none.
 */
void bh_view_put_missing(const struct bh_view *v, uint16_t slot, unsigned most, struct bh_wire_out *o);

/* How to go on from this health, in one line; "" if nothing need be done. */
void bh_view_hint(const struct bh_proc_body *body, char *out, size_t cap);
