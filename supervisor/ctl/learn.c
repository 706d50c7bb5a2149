/* learn.c - see learn.h */
#include "supervisor/ctl/learn.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "supervisor/ctl/bound.h"

bool
learn_is_hand(const struct bh_event *ev)
{
	switch ((enum bh_event_kind)ev->kind) {
	case BH_EV_VALUE:
	case BH_EV_RELATIVE:
	case BH_EV_PRESS: return true;
	case BH_EV_TOUCH: return ev->v.i != 0;
	case BH_EV_RELEASE:
	case BH_EV_METER:
	case BH_EV_ACTION:
	case BH_EV_DROPPED:
	case BH_EV_DIRECTORY:
	case BH_EV_HEALTH:
	case BH_EV_REQUEST:
	case BH_EV_RESULT:
	case BH_EV_NONE:
	case BH_EV_MAIL:
	case BH_EV_RESYNC:
	case BH_EV_DIRTY:
	case BH_EV_OWED:
	case BH_EV_KIND_COUNT: break;
	}
	return false;
}

static const char *
happened(uint8_t kind)
{
	return kind == BH_EV_PRESS ? "pressed" : kind == BH_EV_RELATIVE ? "turned" : kind == BH_EV_TOUCH ? "touched" : "moved";
}

/* ------------------------------------------------------------------ an example that fits */

static bool
is_shown(const struct bh_view *v, uint16_t slot, const char *name, uint32_t page)
{
	for (uint32_t i = 0; i < bh_config_count(v->config, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(v->config, BH_TAB_BINDINGS, i);
		if ((b->page == page || b->page == BH_PAGE_GLOBAL) && b->driver == slot &&
		    strcmp(bh_config_str(v->config, b->target), name) == 0)
			return true;
	}
	return false;
}

/* Does the number stand in the name by itself: 3 in "ch3/level", not in "ch13/level"? */
static bool
has_number(const char *name, unsigned long number)
{
	for (const char *p = name; *p;) {
		if (!isdigit((unsigned char)*p)) {
			p++;
			continue;
		}
		char *end;
		if (strtoul(p, &end, 10) == number)
			return true;
		p = end;
	}
	return false;
}

/* How well a parameter fits a control; 0 = not at all. */
static unsigned
fit(const struct bh_dir_record *rec, const struct bh_cfg_control *c, bool shown)
{
	enum bh_type type = rec->type;
	bool number = type == BH_FLOAT || type == BH_INT;
	bool level = rec->taper == BH_TAPER_FADER_DB || rec->taper == BH_TAPER_OBS_DB;
	unsigned points = 0;
	if (!(rec->access & BH_ACCESS_WRITE) || rec->access & BH_ACCESS_METER)
		return 0;
	switch ((enum bh_control_kind)c->kind) {
	case BH_CTL_FADER:
	case BH_CTL_PEDAL: points = !number ? 0 : level ? 4 : type == BH_FLOAT ? 3 : 1; break;
	case BH_CTL_VPOT:
	case BH_CTL_JOG: points = !number ? 0 : level ? 2 : 3; break;
	case BH_CTL_BUTTON: points = type == BH_BOOL ? 3 : type == BH_ENUM ? 1 : 0; break;
	case BH_CTL_STRIP:
	case BH_CTL_METER:
	case BH_CTL_DIGITS:
	case BH_CTL_LED:
	case BH_CTL_KIND_COUNT: break;
	}
	if (!points)
		return 0;
	return points + (shown ? 0 : 16) + (c->strip < 8 && has_number(rec->name, c->strip + 1u) ? 8 : 0);
}

static unsigned
find_example(const struct bh_view *v, const struct bh_cfg_control *c, uint32_t page, char *name, size_t cap,
	     struct bh_dir_record *best)
{
	static struct bh_view_params it;
	struct bh_dir_record rec;
	unsigned most = 0;
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		if (!v->slot[s].dir)
			continue;
		bh_view_params_init(&it, v->slot[s].dir);
		while (bh_view_params_next(&it, &rec)) {
			unsigned points = fit(&rec, c, is_shown(v, s, rec.name, page));
			if (points <= most)
				continue;
			most = points;
			*best = rec;
			bh_view_param_name(v, s, &rec, name, cap);
		}
	}
	return most;
}

/* A text as YAML: plain where nothing in it can mean something else. */
static void
put_yaml(char *out, size_t cap, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/.-";
	size_t n = 0;
	if (*s && s[strspn(s, plain)] == '\0' && isalnum((unsigned char)*s)) {
		snprintf(out, cap, "%s", s);
		return;
	}
	out[n++] = '"';
	for (; *s && n + 4 < cap; s++) {
		if (*s == '"' || *s == '\\')
			out[n++] = '\\';
		out[n++] = (unsigned char)*s < 0x20 ? ' ' : *s;
	}
	out[n++] = '"';
	out[n] = '\0';
}

static double
step_of(const struct bh_dir_record *rec)
{
	if (rec->type == BH_INT)
		return rec->step >= 1 ? rec->step : 1;
	if (rec->step > 0)
		return rec->step;
	return rec->max > rec->min ? (rec->max - rec->min) / 50 : 0.02;
}

void
learn_line(char *out, size_t cap, const char *control, enum bh_control_kind kind, const char *param, const struct bh_dir_record *rec)
{
	char target[2 * BH_WIRE_NAME_MAX];
	if (!param)
		snprintf(target, sizeof(target), "DRIVER/PARAMETER");
	else
		put_yaml(target, sizeof(target), param);
	if (kind != BH_CTL_VPOT && kind != BH_CTL_JOG)
		snprintf(out, cap, "%s: %s", control, target);
	else
		snprintf(out, cap, "%s: { relative: %s, step: %g }", control, target, rec ? step_of(rec) : 1);
}

/* ------------------------------------------------------------------ all together */

bool
learn_describe(const struct bh_view *v, uint16_t slot, const struct bh_event *ev, struct bh_wire_out *o)
{
	const struct bh_cfg_surface *s = v->config && v->config->head ? bh_config_surface(v->config, slot) : NULL;
	const struct bh_cfg_control *c = s ? bh_config_control(v->config, s, ev->id) : NULL;
	char full[80], shortname[32], param[BH_WIRE_NAME_MAX], line[3 * BH_WIRE_NAME_MAX];
	struct bh_dir_record rec;
	if (!c)
		return false;
	struct bound bound;
	bound_find(v, slot, ev->id, &bound);
	uint32_t page = bound.page;
	const struct bh_cfg_page *p = bh_config_row(v->config, BH_TAB_PAGES, page);
	const struct bh_cfg_binding *b = bound.part[BH_PART_MAIN];
	bool alone = bh_config_count(v->config, BH_TAB_SURFACES) == 1;
	bool example = find_example(v, c, page, param, sizeof(param), &rec) > 0;
	snprintf(shortname, sizeof(shortname), "%.23s", c->name);
	snprintf(full, sizeof(full), "%s/%s", bound_process(v, slot), shortname);
	learn_line(line, sizeof(line), alone ? shortname : full, c->kind, example ? param : NULL, example ? &rec : NULL);
	bh_wire_map(o, NULL);
	bh_wire_str(o, "control", full);
	bh_wire_str(o, "kind", bh_control_kind_name(c->kind));
	bh_wire_str(o, "happened", happened(ev->kind));
	bh_wire_map(o, "page");
	bh_wire_uint(o, "number", page + 1);
	bh_wire_str(o, "name", p ? bh_config_str(v->config, p->name) : "");
	bh_wire_close(o);
	if (b)
		bound_put(v, "binding", b, o);
	bh_wire_str(o, "line", line);
	bh_wire_bool(o, "example", example);
	bh_wire_close(o);
	return true;
}
