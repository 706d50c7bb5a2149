/* value.c - see value.h */
#include "common/wire/value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *written, *unit;
	double factor;
} unit_rows[] = {
	{"s", "ms", 1000}, {"ms", "s", 0.001}, {"kHz", "Hz", 1000}, {"Hz", "kHz", 0.001}, {"%", "", 0.01},
};

/* Factor from the unit written to the parameter's. 0 = cannot be turned. */
static double
unit_factor(const char *written, const struct bh_dir_record *rec)
{
	if (!*written || strcasecmp(written, rec->unit) == 0)
		return 1;
	for (size_t i = 0; i < sizeof(unit_rows) / sizeof(unit_rows[0]); i++)
		if (strcasecmp(written, unit_rows[i].written) == 0 && strcmp(rec->unit, unit_rows[i].unit) == 0 &&
		    (*written != '%' || (rec->min == 0 && rec->max == 1)))
			return unit_rows[i].factor;
	return 0;
}

static bool
has_range(const struct bh_dir_record *rec)
{
	return rec->max > rec->min;
}

static int
wrong(struct bh_wire_error *err, const struct bh_dir_record *rec, const char *what)
{
	if (has_range(rec))
		return bh_wire_fail(err, "bad-value", NULL, "%s: %s; it goes from %g to %g%s%s", rec->name, what, rec->min, rec->max,
				    rec->unit[0] ? " " : "", rec->unit);
	return bh_wire_fail(err, "bad-value", NULL, "%s: %s", rec->name, what);
}

static int
parse_number(const struct bh_dir_record *rec, const struct bh_wire_request *req, double *out, struct bh_wire_error *err)
{
	char what[200];
	double d = req->f;
	if (req->value_type == BH_WIRE_BOOL)
		return wrong(err, rec, "takes a number");
	if (req->value_type == BH_WIRE_STR) {
		char *end;
		d = strtod(req->str, &end);
		if (end == req->str || isnan(d)) {
			snprintf(what, sizeof(what), "\"%.60s\" is not a number", req->str);
			return wrong(err, rec, what);
		}
		while (*end == ' ')
			end++;
		double factor = unit_factor(end, rec);
		if (factor == 0) {
			snprintf(what, sizeof(what), "is in %s, not in \"%.40s\"", rec->unit[0] ? rec->unit : "plain numbers", end);
			return wrong(err, rec, what);
		}
		d *= factor;
		/* Nobody means the number by "-inf dB": it is the lower end. */
		if (isinf(d) && has_range(rec))
			d = d < 0 ? rec->min : rec->max;
	}
	if (!isfinite(d) || (has_range(rec) && (d < rec->min || d > rec->max))) {
		snprintf(what, sizeof(what), "%g is out of its range", d);
		return wrong(err, rec, what);
	}
	*out = d;
	return 0;
}

static int
parse_bool(const struct bh_dir_record *rec, const struct bh_wire_request *req, union bh_val *out, struct bh_wire_error *err)
{
	static const char *const on[] = {"on", "true", "yes", "1"}, *const off[] = {"off", "false", "no", "0"};
	if (req->value_type == BH_WIRE_BOOL || (req->value_type == BH_WIRE_INT && (req->i == 0 || req->i == 1))) {
		out->i = req->i;
		return 0;
	}
	for (unsigned k = 0; req->value_type == BH_WIRE_STR && k < 4; k++) {
		if (strcasecmp(req->str, on[k]) == 0 || strcasecmp(req->str, off[k]) == 0) {
			out->i = strcasecmp(req->str, on[k]) == 0;
			return 0;
		}
	}
	return bh_wire_fail(err, "bad-value", NULL, "%s: is on or off", rec->name);
}

static int
parse_enum(const struct bh_dir *dir, const struct bh_dir_record *rec, const struct bh_wire_request *req, union bh_val *out,
	   struct bh_wire_error *err)
{
	char name[BH_NAME_MAX + 1], all[200] = "";
	size_t len = 0;
	int64_t number = req->i;
	bool numeric = req->value_type == BH_WIRE_INT;
	for (unsigned k = 0; k < rec->choices; k++) {
		if (!dir || bh_dir_choice(dir, rec, k, name, sizeof(name)) < 0)
			continue;
		if (req->value_type == BH_WIRE_STR && strcasecmp(name, req->str) == 0) {
			out->i = k;
			return 0;
		}
		if (len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", k ? ", " : "", name);
	}
	if (req->value_type == BH_WIRE_STR) {
		char *end;
		number = strtoll(req->str, &end, 10);
		numeric = end != req->str && *end == '\0';
	}
	if (numeric && number >= 0 && number < rec->choices) {
		out->i = number;
		return 0;
	}
	return bh_wire_fail(err, "bad-value", NULL, "%s: is one of %s", rec->name, all);
}

static int
parse_text(const struct bh_dir_record *rec, const struct bh_wire_request *req, union bh_val *out, struct bh_wire_error *err)
{
	if (req->value_type != BH_WIRE_STR || strlen(req->str) > BH_TEXT_MAX)
		return bh_wire_fail(err, "bad-value", NULL, "%s: is a text of at most %u bytes", rec->name, BH_TEXT_MAX);
	snprintf(out->s, sizeof(out->s), "%.*s", (int)BH_TEXT_MAX, req->str);
	return 0;
}

int
bh_wire_value_parse(const struct bh_dir *dir, const struct bh_dir_record *rec, const struct bh_wire_request *req, union bh_val *out,
		    struct bh_wire_error *err)
{
	double d = 0;
	memset(out, 0, sizeof(*out));
	if (!(rec->access & BH_ACCESS_WRITE))
		return bh_wire_fail(err, "read-only", NULL, "%s cannot be set", rec->name);
	switch ((enum bh_type)rec->type) {
	case BH_BOOL: return parse_bool(rec, req, out, err);
	case BH_ENUM: return parse_enum(dir, rec, req, out, err);
	case BH_TEXT: return parse_text(rec, req, out, err);
	case BH_FLOAT:
	case BH_INT:
		if (parse_number(rec, req, &d, err) < 0)
			return -EINVAL;
		if (rec->type == BH_INT && floor(d) != d)
			return wrong(err, rec, "takes whole numbers");
		if (rec->type == BH_FLOAT)
			out->f = d;
		else
			out->i = (int64_t)d;
		return 0;
	case BH_NONE:
	case BH_TRIGGER: break;
	}
	return bh_wire_fail(err, "bad-value", NULL, "%s has no value that can be set", rec->name);
}

void
bh_wire_value_text(const struct bh_dir *dir, const struct bh_dir_record *rec, const union bh_val *v, char *out, size_t cap)
{
	const char *gap = rec->unit[0] && strcmp(rec->unit, "%") ? " " : "";
	int decimals = rec->step >= 1 ? 0 : rec->step >= 0.1 || (rec->step <= 0 && rec->max - rec->min >= 20) ? 1 : 3;
	switch ((enum bh_type)rec->type) {
	case BH_BOOL: snprintf(out, cap, "%s", v->i ? "on" : "off"); return;
	case BH_FLOAT: snprintf(out, cap, "%.*f%s%s", decimals, v->f, gap, rec->unit); return;
	case BH_INT: snprintf(out, cap, "%" PRId64 "%s%s", v->i, gap, rec->unit); return;
	case BH_ENUM:
		if (!dir || v->i < 0 || v->i >= rec->choices || bh_dir_choice(dir, rec, (unsigned)v->i, out, cap) < 0)
			snprintf(out, cap, "%" PRId64, v->i);
		return;
	case BH_TEXT: snprintf(out, cap, "%.*s", (int)BH_TEXT_MAX, v->s); return;
	case BH_NONE:
	case BH_TRIGGER: break;
	}
	snprintf(out, cap, "%s", "");
}

bool
bh_wire_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;
	if (!pattern || !*pattern)
		return true;
	/* One way back to the newest star: linear in practice, never exponential. */
	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
