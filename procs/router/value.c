/* value.c - what is written in the configuration, once the parameter it is about is known */
#include "procs/router/core_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t
core_choice(const struct bh_core *core, const struct core_param *p, const char *name)
{
	const char *s = core->peer[p->slot].strings + p->choices_off, *end = s + p->choices_len;
	for (int64_t n = 0; p->choices_len && s < end; n++, s += strlen(s) + 1)
		if (strcmp(s, name) == 0)
			return n;
	return -1;
}

bool
core_operand_text(const struct bh_core *core, const struct core_param *p, const char *text, union bh_val *out)
{
	memset(out, 0, sizeof(*out));
	if (p->type == BH_ENUM) {
		out->i = core_choice(core, p, text);
		return out->i >= 0;
	}
	size_t len = strlen(text);
	if (len > BH_TEXT_MAX)
		for (len = BH_TEXT_MAX; len && ((uint8_t)text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(out->s, text, len);
	return p->type == BH_TEXT;
}

bool
core_operand(const struct bh_core *core, const struct core_param *p, const struct bh_cfg_operand *o, union bh_val *out)
{
	memset(out, 0, sizeof(*out));
	const char *text = core_str(core, o->text);
	if (o->type == BH_NONE)
		return false;
	switch ((enum bh_type)p->type) {
	case BH_TEXT: strncpy(out->s, text, BH_TEXT_MAX); return true;
	case BH_ENUM: {
		int64_t k = core_choice(core, p, text);
		out->i = k < 0 && o->type == BH_FLOAT ? core_whole(o->num) : k;
		return out->i >= 0 && out->i < p->choices;
	}
	case BH_FLOAT: out->f = o->num; return o->type == BH_FLOAT;
	case BH_BOOL: out->i = o->num != 0; return o->type == BH_FLOAT;
	case BH_INT:
	case BH_TRIGGER: out->i = core_whole(o->num); return o->type == BH_FLOAT;
	case BH_NONE: break;
	}
	return false;
}

static bool
is_truthy(const struct core_param *p, const union bh_val *v)
{
	if (p->type == BH_TEXT)
		return v->s[0];
	return p->type == BH_FLOAT ? v->f > p->range.min : v->i != 0;
}

/* -1, 0, 1; texts only as equal or not. */
static int
compare(const struct core_param *p, const union bh_val *a, const union bh_val *b)
{
	if (p->type == BH_TEXT)
		return strcmp(a->s, b->s);
	double x = p->type == BH_FLOAT ? a->f : (double)a->i, y = p->type == BH_FLOAT ? b->f : (double)b->i;
	return (x > y) - (x < y);
}

bool
core_holds(struct bh_core *core, const struct bh_cfg_cond *cond, const struct core_param *p)
{
	union bh_val v, with;
	if (cond->op == BH_COND_ALWAYS)
		return true;
	if (!p || core_newest(core, p, &v, NULL) == BH_NONE)
		return false;
	if (cond->op == BH_COND_ON || cond->op == BH_COND_OFF)
		return is_truthy(p, &v) == (cond->op == BH_COND_ON);
	if (!core_operand(core, p, &cond->with, &with))
		return cond->op == BH_COND_NE; /* it cannot be equal to what it cannot have */
	int order = compare(p, &v, &with);
	switch ((enum bh_cond_op)cond->op) {
	case BH_COND_EQ: return order == 0;
	case BH_COND_NE: return order != 0;
	case BH_COND_GT: return order > 0;
	case BH_COND_GE: return order >= 0;
	case BH_COND_LT: return order < 0;
	case BH_COND_LE: return order <= 0;
	case BH_COND_ALWAYS:
	case BH_COND_ON:
	case BH_COND_OFF:
	case BH_COND_CHANGES:
	case BH_COND_COUNT: break;
	}
	return false;
}

struct core_param *
core_named_param(struct bh_core *core, uint16_t driver, uint32_t name_off)
{
	return driver < BH_MAX_SLOTS ? core_param_by_name(core, driver, core_str(core, name_off)) : NULL;
}

static double
number_of(const struct core_param *p, const union bh_val *v)
{
	return p->type == BH_FLOAT ? v->f : (double)v->i;
}

bool
core_turned_over(struct bh_core *core, const struct core_param *p, const struct bh_taper_range *r, union bh_val *v)
{
	union bh_val now;
	bool known = core_newest(core, p, &now, NULL) != BH_NONE;
	memset(v, 0, sizeof(*v));
	switch ((enum bh_type)p->type) {
	case BH_BOOL: v->i = !known || !now.i; return true;
	case BH_ENUM: v->i = !known || now.i >= core_whole(r->max) ? core_whole(r->min) : now.i + 1; return true;
	case BH_INT: v->i = core_whole(known && now.i > core_whole(r->min) ? r->min : r->max); return true;
	case BH_FLOAT: v->f = known && now.f > r->min ? r->min : r->max; return true;
	case BH_TRIGGER: v->i = 1; return true;
	case BH_NONE:
	case BH_TEXT: break;
	}
	return false;
}

bool
core_added(struct bh_core *core, const struct core_param *p, double by, union bh_val *v)
{
	union bh_val now;
	if (p->type == BH_TEXT || p->type == BH_NONE || p->type == BH_TRIGGER || core_newest(core, p, &now, NULL) == BH_NONE)
		return false;
	double x = number_of(p, &now) + by, min = p->range.min, max = p->range.max;
	if (p->type == BH_BOOL)
		min = 0, max = 1;
	if (p->type == BH_ENUM)
		min = 0, max = p->choices ? p->choices - 1 : 0;
	if (max > min)
		x = x > min ? x < max ? x : max : min;
	memset(v, 0, sizeof(*v));
	if (p->type == BH_FLOAT)
		v->f = x;
	else
		v->i = core_whole(x);
	return true;
}
