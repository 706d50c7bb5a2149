/*
 * value.h - values as people write and read them: "-6dB", "on", "Scene 2", "50 %"
 *
 * A parameter's directory record says type, unit, range and choices. Pure.
 */
#pragma once

#include "common/wire/request.h"
#include "shm/dir.h"
#include "shm/layout.h"

/*
 * A value of a request (text, number or boolean) -> the parameter's own type. A number may carry the parameter's unit, or one that
 * can be turned into it (ms and s, Hz and kHz, % for a range 0 to 1). 0, or -EINVAL with `err` saying what would be right.
 */
int bh_wire_value_parse(const struct bh_dir *dir, const struct bh_dir_record *rec, const struct bh_wire_request *req, union bh_val *out,
			struct bh_wire_error *err);
/* The value as a text with its unit. dir may be NULL (choices are then numbers). */
void bh_wire_value_text(const struct bh_dir *dir, const struct bh_dir_record *rec, const union bh_val *v, char *out, size_t cap);
/* Shell pattern over a whole name: * any text (also /), ? one byte. NULL or "" matches everything. */
bool bh_wire_glob(const char *pattern, const char *name);
