/*
 * table.c - texts of configuration values into structs, and the table itself into YAML
 *
 * Fails: on texts that do not fit their field, with the reason in plain words. bh_cfg_load() trusts neither the options (another
 * process wrote them) nor that they are of the same build: what is missing takes its default, what does not fit is refused.
 */
#include "common/config/table.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/compiled.h"
#include "common/mem.h"

static const char *const type_names[] = {
	[BH_CFG_STR] = "text",	    [BH_CFG_BOOL] = "bool",   [BH_CFG_U32] = "u32",
	[BH_CFG_I32] = "i32",	    [BH_CFG_FLOAT] = "float", [BH_CFG_PORT] = "port",
	[BH_CFG_MS] = "duration",   [BH_CFG_BYTES] = "size",  [BH_CFG_ENUM] = "choice",
	[BH_CFG_PATH] = "path",	    [BH_CFG_SECRET] = "secret", [BH_CFG_LIST] = "list",
};

const char *
bh_cfg_type_name(enum bh_cfg_type type)
{
	return (size_t)type < BH_ARRAY_LEN(type_names) ? type_names[type] : NULL;
}

enum bh_cfg_type
bh_cfg_type_from_name(const char *name)
{
	for (size_t i = 1; i < BH_ARRAY_LEN(type_names); i++)
		if (strcmp(type_names[i], name) == 0)
			return (enum bh_cfg_type)i;
	return BH_CFG_END;
}

/* ------------------------------------------------------------------ one value */

/* A number as written, whatever its type: FLOAT uses f, all others i. */
struct number {
	double f;
	int64_t i;
};

struct suffix {
	const char *text;
	double factor;
};

/* Longer ones first where one begins with the other. */
static const struct suffix durations[] = {{"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"m", 6e4}, {"h", 3.6e6}, {NULL, 0}};
static const struct suffix sizes[] = {{"k", 1024},	   {"K", 1024}, {"M", 1024.0 * 1024},
				      {"G", 1024.0 * 1048576}, {"", 1}, {NULL, 0}};

/* strtod() that is not led astray by a locale with a decimal comma. */
static double
number_of(const char *text, char **end)
{
	static locale_t c_locale;
	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	/* Only digits, sign, point and exponent are numbers to us: no "nan", "inf", 0x. */
	if (text[strspn(text, "0123456789+-.eE")] == 'x' || !strpbrk(text, "0123456789") ||
	    !strchr("0123456789+-.", text[0])) {
		*end = (char *)text;
		return 0;
	}
	return strtod_l(text, end, c_locale);
}

static const char *
after_blanks(const char *s)
{
	return s + strspn(s, " ");
}

/* `rest` is nothing, or the field's unit. */
static bool
is_unit(const struct bh_cfg_field *f, const char *rest)
{
	rest = after_blanks(rest);
	return !*rest || (f->unit && strcmp(rest, f->unit) == 0);
}

static int
parse_float(const struct bh_cfg_field *f, const char *text, struct number *n, char *err, size_t cap)
{
	char *end;
	n->f = number_of(text, &end);
	if (end == text || !is_unit(f, end) || !isfinite(n->f)) {
		snprintf(err, cap, "\"%s\" is not a number%s%s", text, f->unit ? " in " : "",
			 f->unit ? f->unit : "");
		return -EINVAL;
	}
	return 0;
}

static int
parse_whole(const struct bh_cfg_field *f, const char *text, struct number *n, char *err, size_t cap)
{
	char *end = (char *)text;
	errno = 0;
	if (*text && strchr("0123456789+-", *text))
		n->i = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	if (end == text || !is_unit(f, end) || errno == ERANGE) {
		snprintf(err, cap, "\"%s\" is not a whole number%s%s", text, f->unit ? " of " : "",
			 f->unit ? f->unit : "");
		return -EINVAL;
	}
	return 0;
}

static int
parse_suffixed(const struct suffix *s, const char *example, const char *text, struct number *n, char *err,
	       size_t cap)
{
	char *end;
	double f = number_of(text, &end);
	const char *rest = after_blanks(end);
	if (end != text && f >= 0 && isfinite(f)) {
		/* Nothing of something needs no unit. */
		if (!*rest && f == 0) {
			n->i = 0;
			return 0;
		}
		for (; s->text; s++) {
			if (strcmp(rest, s->text) == 0 && f * s->factor < 9e15) {
				n->i = (int64_t)(f * s->factor + 0.5);
				return 0;
			}
		}
	}
	snprintf(err, cap, "\"%s\" is not %s", text, example);
	return -EINVAL;
}

static int
parse_number(const struct bh_cfg_field *f, const char *text, struct number *n, char *err, size_t cap)
{
	*n = (struct number){0};
	switch (f->type) {
	case BH_CFG_FLOAT:
		return parse_float(f, text, n, err, cap);
	case BH_CFG_MS:
		return parse_suffixed(durations, "a duration such as 250ms, 1s or 2m", text, n, err, cap);
	case BH_CFG_BYTES:
		return parse_suffixed(sizes, "a size such as 4096, 64k or 10M", text, n, err, cap);
	case BH_CFG_U32:
	case BH_CFG_I32:
	case BH_CFG_PORT:
		return parse_whole(f, text, n, err, cap);
	case BH_CFG_END:
	case BH_CFG_STR:
	case BH_CFG_BOOL:
	case BH_CFG_ENUM:
	case BH_CFG_PATH:
	case BH_CFG_SECRET:
	case BH_CFG_LIST:
		break;
	}
	return -EINVAL;
}

static bool
is_below(const struct bh_cfg_field *f, const struct number *a, const struct number *b)
{
	return f->type == BH_CFG_FLOAT ? a->f < b->f : a->i < b->i;
}

/* What the type itself can hold. */
static void
type_range(enum bh_cfg_type type, struct number *min, struct number *max, const char **min_text,
	   const char **max_text)
{
	min->i = 0;
	max->i = UINT32_MAX;
	*min_text = "0";
	*max_text = "4294967295";
	if (type == BH_CFG_I32) {
		min->i = INT32_MIN;
		max->i = INT32_MAX;
		*min_text = "-2147483648";
		*max_text = "2147483647";
	} else if (type == BH_CFG_PORT) {
		min->i = 1;
		max->i = 65535;
		*min_text = "1";
		*max_text = "65535";
	} else if (type == BH_CFG_MS) {
		*max_text = "49 days";
	} else if (type == BH_CFG_BYTES) {
		max->i = INT64_MAX;
		*max_text = "8 EB";
	} else if (type == BH_CFG_FLOAT) {
		min->f = -HUGE_VAL;
		max->f = HUGE_VAL;
	}
}

static int
check_range(const struct bh_cfg_field *f, const char *text, const struct number *n, char *err, size_t cap)
{
	struct number min, max, limit;
	const char *min_text, *max_text;
	char ignored[8];
	type_range(f->type, &min, &max, &min_text, &max_text);
	if (f->min && parse_number(f, f->min, &limit, ignored, sizeof(ignored)) == 0) {
		min = limit;
		min_text = f->min;
	}
	if (f->max && parse_number(f, f->max, &limit, ignored, sizeof(ignored)) == 0) {
		max = limit;
		max_text = f->max;
	}
	if (is_below(f, n, &min)) {
		snprintf(err, cap, "%s is less than the least, %s", text, min_text);
		return -EINVAL;
	}
	if (is_below(f, &max, n)) {
		snprintf(err, cap, "%s is more than the most, %s", text, max_text);
		return -EINVAL;
	}
	return 0;
}

static int
parse_bool(const char *text, bool *out, char *err, size_t cap)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};
	for (size_t i = 0; i < BH_ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i & 1;
			return 0;
		}
	}
	snprintf(err, cap, "\"%s\" is neither yes nor no", text);
	return -EINVAL;
}

static int
parse_choice(const struct bh_cfg_field *f, const char *text, uint32_t *out, char *err, size_t cap)
{
	size_t used = 0;
	if (cap)
		err[0] = '\0';
	for (uint32_t i = 0; f->choices && f->choices[i]; i++) {
		if (strcmp(f->choices[i], text) == 0) {
			*out = i;
			return 0;
		}
	}
	used = (size_t)snprintf(err, cap, "\"%s\" is none of", text);
	for (uint32_t i = 0; f->choices && f->choices[i] && used < cap; i++)
		used += (size_t)snprintf(err + used, cap - used, "%s %s", i ? "," : "", f->choices[i]);
	return -EINVAL;
}

int
bh_cfg_parse_value(const struct bh_cfg_field *f, const char *text, void *out, char *err, size_t cap)
{
	struct number n;
	if (f->type == BH_CFG_BOOL)
		return parse_bool(text, out, err, cap);
	if (f->type == BH_CFG_ENUM)
		return parse_choice(f, text, out, err, cap);
	int r = parse_number(f, text, &n, err, cap);
	if (r == 0)
		r = check_range(f, text, &n, err, cap);
	if (r < 0)
		return r;
	if (f->type == BH_CFG_FLOAT)
		*(double *)out = n.f;
	else if (f->type == BH_CFG_PORT)
		*(uint16_t *)out = (uint16_t)n.i;
	else if (f->type == BH_CFG_BYTES)
		*(uint64_t *)out = (uint64_t)n.i;
	else if (f->type == BH_CFG_I32)
		*(int32_t *)out = (int32_t)n.i;
	else
		*(uint32_t *)out = (uint32_t)n.i;
	return 0;
}

size_t
bh_cfg_value_size(enum bh_cfg_type type)
{
	switch (type) {
	case BH_CFG_STR:
	case BH_CFG_PATH:
	case BH_CFG_SECRET:
		return sizeof(char *);
	case BH_CFG_BOOL:
		return sizeof(bool);
	case BH_CFG_U32:
	case BH_CFG_I32:
	case BH_CFG_MS:
	case BH_CFG_ENUM:
		return sizeof(uint32_t);
	case BH_CFG_FLOAT:
		return sizeof(double);
	case BH_CFG_PORT:
		return sizeof(uint16_t);
	case BH_CFG_BYTES:
		return sizeof(uint64_t);
	case BH_CFG_LIST:
		return sizeof(struct bh_cfg_list);
	case BH_CFG_END:
		break;
	}
	return 0;
}

/* ------------------------------------------------------------------ options -> struct */

#define KEY_MAX 256
#define LIST_ITEMS_MAX 4096u

struct loading {
	const struct bh_config *options;
	uint8_t *image; /* where lists go; NULL while only their size is added up */
	size_t used;
	uint32_t items; /* of all lists together */
	char *err;
	size_t cap;
};

static int load_fields(struct loading *l, const struct bh_cfg_field *fields, const char *prefix, uint8_t *strct,
		       size_t size, unsigned depth);

/* Text of a key: as written, else its default; NULL = required and missing. */
static const char *
text_of(const struct loading *l, const struct bh_cfg_field *f, const char *key)
{
	const struct bh_cfg_option *o = l->options->head ? bh_config_option(l->options, key) : NULL;
	return o ? bh_config_str(l->options, o->text) : f->def;
}

static int
load_list(struct loading *l, const struct bh_cfg_field *f, const char *key, uint8_t *strct, unsigned depth)
{
	static const struct bh_cfg_field count_field = {.type = BH_CFG_U32, .max = "256"};
	static_assert(BH_CFG_LIST_MAX == 256, "count_field.max");
	uint32_t count = 0;
	const char *text = text_of(l, f, key);
	char why[128];
	if (text && *text && bh_cfg_parse_value(&count_field, text, &count, why, sizeof(why)) < 0) {
		snprintf(l->err, l->cap, "%s: %s", key, why);
		return -EBADMSG;
	}
	if (depth >= BH_CFG_LIST_DEPTH || !f->sub || !f->sub_size)
		return -EBADMSG;
	l->items += count;
	if (l->items > LIST_ITEMS_MAX)
		return -EBADMSG;
	size_t at = l->used;
	l->used += ((size_t)count * f->sub_size + 15) & ~(size_t)15;
	uint8_t *items = l->image ? l->image + at : NULL;
	for (uint32_t i = 0; i < count; i++) {
		char item[KEY_MAX];
		if (snprintf(item, sizeof(item), "%s[%u].", key, i) >= (int)sizeof(item))
			return -EBADMSG;
		int r = load_fields(l, f->sub, item, items ? items + (size_t)i * f->sub_size : NULL, f->sub_size,
				    depth + 1);
		if (r < 0)
			return r;
	}
	if (strct)
		memcpy(strct + f->offset, &(struct bh_cfg_list){.items = count ? items : NULL, .count = count},
		       sizeof(struct bh_cfg_list));
	return 0;
}

static int
load_field(struct loading *l, const struct bh_cfg_field *f, const char *key, uint8_t *strct, size_t size,
	   unsigned depth)
{
	size_t value_size = bh_cfg_value_size(f->type);
	if (!value_size || f->offset > size || size - f->offset < value_size) {
		snprintf(l->err, l->cap, "%s: the table and its struct do not fit", key);
		return -EBADMSG;
	}
	if (f->type == BH_CFG_LIST)
		return load_list(l, f, key, strct, depth);
	const char *text = text_of(l, f, key);
	if (!text) {
		snprintf(l->err, l->cap, "%s: is required", key);
		return -EBADMSG;
	}
	if (f->type == BH_CFG_STR || f->type == BH_CFG_PATH || f->type == BH_CFG_SECRET) {
		if (strct)
			memcpy(strct + f->offset, &text, sizeof(text));
		return 0;
	}
	union {
		uint64_t u;
		double f;
		uint8_t bytes[8];
	} value = {0};
	char why[160];
	if (bh_cfg_parse_value(f, text, &value, why, sizeof(why)) < 0) {
		snprintf(l->err, l->cap, "%s: %s", key, why);
		return -EBADMSG;
	}
	if (strct)
		memcpy(strct + f->offset, value.bytes, value_size);
	return 0;
}

static int
load_fields(struct loading *l, const struct bh_cfg_field *fields, const char *prefix, uint8_t *strct, size_t size,
	    unsigned depth)
{
	for (const struct bh_cfg_field *f = fields; f && f->type != BH_CFG_END; f++) {
		char key[KEY_MAX];
		if (snprintf(key, sizeof(key), "%s%s", prefix, f->key) >= (int)sizeof(key))
			return -EBADMSG;
		int r = load_field(l, f, key, strct, size, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

int
bh_cfg_load(const struct bh_options *opt, const struct bh_cfg_field *fields, void *strct, size_t size, void **image,
	    char *err, size_t cap)
{
	struct loading l = {.options = &opt->c, .err = err, .cap = cap};
	if (cap)
		snprintf(err, cap, "the options do not fit the table");
	*image = NULL;
	if (strct)
		memset(strct, 0, size);
	/* Twice: to add up what the lists need, and to fill them. */
	int r = load_fields(&l, fields, "", NULL, size, 0);
	if (r < 0)
		return r;
	uint8_t *lists = calloc(1, l.used ? l.used : 1);
	if (!lists)
		return -ENOMEM;
	l.image = lists;
	l.used = l.items = 0;
	r = load_fields(&l, fields, "", strct, size, 0);
	if (r < 0) {
		free(lists);
		return r;
	}
	*image = lists;
	if (cap)
		err[0] = '\0';
	return 0;
}
