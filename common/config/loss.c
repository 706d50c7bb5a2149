/* loss.c - see loss.h */
#include "common/config/loss.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_ROOM 24u /* for "... and 65535 more" */

struct list {
	const struct bh_config *c;
	char *buf;
	size_t cap, len;
	uint32_t page;	     /* that is being listed, NO_PAGE = none yet */
	char stem[48];	     /* "desk/fader" of the last one, */
	unsigned long last;  /* its number, 0 = it has none */
	bool run;	     /* more than one number so far: the last is not yet written */
	unsigned left_out;
	const struct bh_cfg_control *control; /* the last: a control may be bound several times */
};

#define NO_PAGE 0xfffffffeu

static bool
add(struct list *l, const char *fmt, ...)
{
	char text[160];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || l->len + (size_t)n + REST_ROOM >= l->cap)
		return false;
	memcpy(l->buf + l->len, text, (size_t)n + 1);
	l->len += (size_t)n;
	return true;
}

/* The end of "fader1-3". */
static void
end_run(struct list *l)
{
	if (l->run)
		add(l, "-%lu", l->last);
	l->run = false;
	l->last = 0;
	l->stem[0] = 0;
}

static const char *
page_name(const struct bh_config *c, uint32_t page)
{
	const struct bh_cfg_page *row = page == BH_PAGE_GLOBAL ? NULL : bh_config_row(c, BH_TAB_PAGES, page);
	return row ? bh_config_str(c, row->name) : "all pages";
}

static void
add_control(struct list *l, uint32_t page, const char *surface, const char *name)
{
	char full[48], stem[48];
	snprintf(full, sizeof(full), "%s%s%s", surface, *surface ? "/" : "", name);
	size_t n = strlen(full);
	while (n && isdigit((unsigned char)full[n - 1]))
		n--;
	unsigned long number = strtoul(full + n, NULL, 10);
	snprintf(stem, sizeof(stem), "%.*s", (int)n, full);
	if (l->left_out) {
		l->left_out++;
		return;
	}
	if (page == l->page && number && l->last && number == l->last + 1 && !strcmp(stem, l->stem)) {
		l->last = number;
		l->run = true;
		return;
	}
	end_run(l);
	bool fits = page == l->page ? add(l, ", %s", full) : add(l, "%s%s: %s", l->len ? "; " : "", page_name(l->c, page), full);
	if (!fits) {
		l->left_out = 1;
		return;
	}
	l->page = page;
	l->last = number;
	snprintf(l->stem, sizeof(l->stem), "%s", stem);
}

static bool
needs(const struct bh_config *c, const struct bh_cfg_binding *b, uint16_t slot)
{
	if (b->driver == slot)
		return true;
	for (uint32_t i = 0; i < b->steps; i++) {
		const struct bh_cfg_step *s = bh_config_row(c, BH_TAB_STEPS, b->step_first + i);
		if (s && s->driver == slot)
			return true;
	}
	return false;
}

static void
list_bindings(struct list *l, uint16_t slot)
{
	bool several = bh_config_count(l->c, BH_TAB_SURFACES) > 1;
	for (uint32_t i = 0; i < bh_config_count(l->c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(l->c, BH_TAB_BINDINGS, i);
		if (!needs(l->c, b, slot))
			continue;
		const struct bh_cfg_surface *s = bh_config_surface(l->c, b->surface);
		const struct bh_cfg_control *k = s ? bh_config_control(l->c, s, b->control) : NULL;
		const struct bh_cfg_proc *p = bh_config_proc(l->c, b->surface);
		if (!k || (k == l->control && b->page == l->page))
			continue;
		l->control = k;
		add_control(l, b->page, several && p ? bh_config_str(l->c, p->name) : "", k->name);
	}
	end_run(l);
	if (l->left_out)
		l->len += (size_t)snprintf(l->buf + l->len, l->cap - l->len, " ... and %u more", l->left_out);
}

const char *
bh_config_loss(const struct bh_config *c, uint16_t slot, char *buf, size_t cap)
{
	struct list l = {.c = c, .buf = buf, .cap = cap, .page = NO_PAGE};
	const struct bh_cfg_proc *row = c && c->head ? bh_config_proc(c, slot) : NULL;
	buf[0] = 0;
	if (!row)
		return buf;
	switch ((enum bh_role)row->role) {
	case BH_ROLE_DRIVER: list_bindings(&l, slot); break;
	case BH_ROLE_SURFACE: snprintf(buf, cap, "all of %s", bh_config_str(c, row->name)); break;
	case BH_ROLE_ROUTER: snprintf(buf, cap, "all controls"); break;
	case BH_ROLE_STORE: snprintf(buf, cap, "snapshots for the next start"); break;
	case BH_ROLE_CONTROL: snprintf(buf, cap, "what the tool asks for, beside `status`"); break;
	case BH_ROLE_SUPERVISOR:
	case BH_ROLE_NONE: break;
	}
	return buf;
}
