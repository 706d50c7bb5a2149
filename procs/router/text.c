/* text.c - values as people read them, at most 7 characters where that can be helped: a scribble strip has no more */
#include "procs/router/core_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define STRIP_CHARS 7

static void
number_text(const struct core_param *p, double x, char *out, size_t cap)
{
	double span = p->range.max - p->range.min;
	if (p->type == BH_FLOAT && p->range.taper == BH_TAPER_FADER_DB && x <= p->range.min)
		snprintf(out, cap, "-inf");
	else if (p->type != BH_FLOAT)
		snprintf(out, cap, "%.0f", x);
	else if (!(fabs(x) < 1e6))
		snprintf(out, cap, "%.3g", x);
	else
		snprintf(out, cap, "%.*f", span >= 1000 ? 0 : span >= 20 || p->range.taper == BH_TAPER_FADER_DB ? 1 : 2, x);
	/* "-0.0" says nothing that "0.0" does not */
	if (out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1))
		memmove(out, out + 1, strlen(out));
	size_t len = strlen(out), unit = strlen(p->unit);
	bool number = out[len - 1] >= '0' && out[len - 1] <= '9'; /* "-inf" has no unit */
	if (number && unit && len + unit <= STRIP_CHARS && len + unit < cap)
		memcpy(out + len, p->unit, unit + 1);
}

/* The name of choice k, or its number. */
static void
choice_text(struct bh_core *core, const struct core_param *p, int64_t k, char *out, size_t cap)
{
	const char *s = core->peer[p->slot].strings + p->choices_off, *end = s + p->choices_len;
	for (int64_t n = 0; p->choices_len && k >= 0 && n < k && s < end; n++)
		s += strlen(s) + 1;
	if (p->choices_len && k >= 0 && s < end)
		snprintf(out, cap, "%s", s);
	else
		snprintf(out, cap, "%" PRId64, k);
}

void
core_text(struct bh_core *core, const struct core_param *p, const union bh_val *v, bool stale, char *out, size_t cap)
{
	switch ((enum bh_type)p->type) {
	case BH_BOOL: snprintf(out, cap, "%s", v->i ? "on" : "off"); break;
	case BH_INT: number_text(p, (double)v->i, out, cap); break;
	case BH_FLOAT: number_text(p, v->f, out, cap); break;
	case BH_ENUM: choice_text(core, p, v->i, out, cap); break;
	case BH_TEXT: snprintf(out, cap, "%.63s", v->s); break;
	case BH_NONE:
	case BH_TRIGGER: out[0] = '\0'; break;
	}
	size_t len = strlen(out);
	if (stale && len + 2 <= cap)
		memcpy(out + len, "?", 2);
}

const char *
core_down_word(uint32_t health)
{
	switch ((enum bh_health)health) {
	case BH_HEALTH_CONNECTING: return "connect";
	case BH_HEALTH_BAD_CONFIG: return "config";
	case BH_HEALTH_AUTH_FAILED: return "auth";
	case BH_HEALTH_NO_PERMISSION: return "denied";
	case BH_HEALTH_HELD: return "held";
	case BH_HEALTH_STOPPED: return "stopped";
	case BH_HEALTH_STARTING:
	case BH_HEALTH_OK:
	case BH_HEALTH_DEGRADED:
	case BH_HEALTH_BACKING_OFF:
	case BH_HEALTH_FAILED:
	case BH_HEALTH_COUNT: break;
	}
	return "down";
}
