/*
 * diff.c - see diff.h
 *
 * Mappings are compared key by key wherever these stand; lists of things that have names, by name; other lists as a whole. A line
 * for each process that changed, with all its keys, and for each control of each page.
 */
#include "procs/config/diff.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/effect.h"
#include "common/mem.h"

#define VALUE_MAX 56u /* bytes of one value that are shown */
#define KEYS_MAX 6u   /* keys in one line */

bool
diff_is_secret(const struct catalog *c, const char *key)
{
	struct {
		const struct bh_cfg_field *f;
	} stack[BH_CFG_LIST_DEPTH + 2];
	for (uint32_t k = 0; k < c->kinds; k++) {
		unsigned n = 0;
		if (c->kind[k].fields)
			stack[n++].f = c->kind[k].fields;
		while (n) {
			const struct bh_cfg_field *f = stack[n - 1].f++;
			if (f->type == BH_CFG_END)
				n--;
			else if (f->type == BH_CFG_SECRET && strcmp(f->key, key) == 0)
				return true;
			else if (f->type == BH_CFG_LIST && f->sub && n < BH_ARRAY_LEN(stack))
				stack[n++].f = f->sub;
		}
	}
	return false;
}

static void
put_line(struct diff *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (d->lines >= DIFF_LINES_MAX) {
		d->more++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*ARENA_PUSH(d->arena, d->line, d->lines) = arena_copy(d->arena, text, strlen(text));
}

/* ------------------------------------------------------------------ looking into mappings and lists */

/* The pairs of a mapping in the order of their keys: one may have tens of thousands. */
struct sorted {
	const struct node *map;
	uint32_t *order;
};

static int
by_key(const void *a, const void *b, void *map)
{
	const struct node *m = map;
	return strcmp(m->item[2 * *(const uint32_t *)a]->text, m->item[2 * *(const uint32_t *)b]->text);
}

static struct sorted
sort_map(struct diff *d, const struct node *map)
{
	struct sorted s = {.map = map, .order = arena_alloc(d->arena, (map->count + 1) * sizeof(uint32_t))};
	for (uint32_t i = 0; i < map->count; i++)
		s.order[i] = i;
	if (map->count)
		qsort_r(s.order, map->count, sizeof(*s.order), by_key, (void *)(uintptr_t)map);
	return s;
}

static const struct node *
find(const struct sorted *s, const char *key)
{
	uint32_t low = 0, high = s->map->count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int r = strcmp(s->map->item[2 * s->order[mid]]->text, key);
		if (r == 0)
			return s->map->item[2 * s->order[mid] + 1];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A list of mappings that all have a name, as a mapping of these names; NULL if it is none. Names that come twice: the first counts. */
static const struct node *
named(struct diff *d, const struct node *list)
{
	if (!list || list->kind != NODE_LIST || !list->count)
		return NULL;
	struct node *map = arena_alloc(d->arena, sizeof(*map));
	*map = (struct node){.kind = NODE_MAP, .line = list->line, .col = list->col, .src = list->src};
	map->item = arena_alloc(d->arena, 2 * list->count * sizeof(*map->item));
	for (uint32_t i = 0; i < list->count; i++) {
		const struct node *name = node_get(list->item[i], "name");
		if (!name || name->kind != NODE_TEXT)
			return NULL;
		map->item[2 * i] = (struct node *)(uintptr_t)name;
		map->item[2 * i + 1] = list->item[i];
	}
	map->count = list->count;
	return map;
}

static bool
is_empty(const struct node *n)
{
	return !n || (n->kind == NODE_TEXT && n->is_null) || (n->kind != NODE_TEXT && !n->count);
}

static bool
is_equal(struct diff *d, const struct node *a, const struct node *b)
{
	if (a == b || (is_empty(a) && is_empty(b)))
		return true;
	if (!a || !b || a->kind != b->kind)
		return false;
	if (a->kind == NODE_TEXT)
		return a->is_null == b->is_null && strcmp(a->text, b->text) == 0;
	if (a->count != b->count)
		return false;
	if (a->kind == NODE_LIST) {
		for (uint32_t i = 0; i < a->count; i++)
			if (!is_equal(d, a->item[i], b->item[i]))
				return false;
		return true;
	}
	/* Most often the keys stand where they stood. */
	struct sorted s = {0};
	for (uint32_t i = 0; i < b->count; i++) {
		const struct node *was = NULL;
		if (strcmp(a->item[2 * i]->text, b->item[2 * i]->text) == 0) {
			was = a->item[2 * i + 1];
		} else {
			if (!s.map)
				s = sort_map(d, a);
			was = find(&s, b->item[2 * i]->text);
			if (!was)
				return false;
		}
		if (!is_equal(d, was, b->item[2 * i + 1]))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ a value in a few words */

struct words {
	char text[VALUE_MAX + 8];
	size_t len;
	bool cut;
};

static void
say(struct words *w, const char *s)
{
	for (; *s && !w->cut; s++) {
		if (w->len >= VALUE_MAX && ((unsigned char)*s & 0xc0) != 0x80) {
			w->cut = true;
			break;
		}
		if (w->len + 4 < sizeof(w->text))
			w->text[w->len++] = (unsigned char)*s < 0x20 ? ' ' : *s;
	}
	w->text[w->len] = '\0';
}

static void
say_node(struct diff *d, struct words *w, const struct node *n)
{
	if (w->cut)
		return;
	if (n->kind == NODE_TEXT) {
		say(w, n->is_null ? "nothing" : *n->text ? n->text : "\"\"");
		return;
	}
	say(w, n->kind == NODE_LIST ? "[" : "{");
	for (uint32_t i = 0; i < n->count && !w->cut; i++) {
		say(w, i ? ", " : "");
		if (n->kind == NODE_LIST) {
			say_node(d, w, n->item[i]);
			continue;
		}
		say(w, n->item[2 * i]->text);
		say(w, ": ");
		if (diff_is_secret(d->catalog, n->item[2 * i]->text))
			say(w, "***");
		else
			say_node(d, w, n->item[2 * i + 1]);
	}
	say(w, n->kind == NODE_LIST ? "]" : "}");
}

static const char *
value_of(struct diff *d, const struct node *n)
{
	struct words w = {.len = 0};
	if (!n)
		return "its default";
	say_node(d, &w, n);
	if (w.cut)
		memcpy(w.text + w.len, "...", 4);
	return arena_copy(d->arena, w.text, strlen(w.text));
}

/* ------------------------------------------------------------------ keys that changed, in one line */

struct keys {
	char text[400];
	size_t len;
	uint32_t n;
};

static void
add_key(struct keys *k, const char *fmt, ...)
{
	va_list ap;
	if (k->n++ >= KEYS_MAX || k->len + 2 >= sizeof(k->text))
		return;
	if (k->n > 1)
		k->len += (size_t)snprintf(k->text + k->len, sizeof(k->text) - k->len, ", ");
	va_start(ap, fmt);
	int n = vsnprintf(k->text + k->len, sizeof(k->text) - k->len, fmt, ap);
	va_end(ap);
	k->len += n > 0 ? (size_t)n : 0;
	if (k->len >= sizeof(k->text))
		k->len = sizeof(k->text) - 1;
}

static const char *
close_keys(struct diff *d, const struct keys *k)
{
	if (k->n <= KEYS_MAX)
		return arena_copy(d->arena, k->text, k->len);
	return arena_print(d->arena, "%s and %u more", k->text, k->n - KEYS_MAX);
}

static void collect(struct diff *d, struct keys *k, const char *path, const struct node *a, const struct node *b);

static const char *
path_to(struct diff *d, const char *path, bool name, const char *key)
{
	if (!*path)
		return key;
	return name ? arena_print(d->arena, "%s[%s]", path, key) : arena_print(d->arena, "%s.%s", path, key);
}

static void
collect_map(struct diff *d, struct keys *k, const char *path, bool names, const struct node *a, const struct node *b)
{
	struct sorted was = sort_map(d, a), now = sort_map(d, b);
	const char *key;
	for (uint32_t i = 0; i < b->count; i++) {
		key = b->item[2 * i]->text;
		const struct node *before = find(&was, key);
		if (is_equal(d, before, b->item[2 * i + 1]))
			continue;
		collect(d, k, path_to(d, path, names, key), before, b->item[2 * i + 1]);
	}
	for (uint32_t i = 0; i < a->count; i++) {
		key = a->item[2 * i]->text;
		if (!find(&now, key) && !is_empty(a->item[2 * i + 1]))
			collect(d, k, path_to(d, path, names, key), a->item[2 * i + 1], NULL);
	}
}

/* a and b are different; NULL = not written. */
static void
collect(struct diff *d, struct keys *k, const char *path, const struct node *a, const struct node *b)
{
	const char *last = strrchr(path, '.');
	const struct node *was = named(d, a), *now = named(d, b);
	if (diff_is_secret(d->catalog, last ? last + 1 : path))
		add_key(k, "%s changed (not shown)", path);
	else if (a && b && a->kind == NODE_MAP && b->kind == NODE_MAP)
		collect_map(d, k, path, false, a, b);
	else if (was && now)
		collect_map(d, k, path, true, was, now);
	else
		add_key(k, "%s %s -> %s", path, value_of(d, a), value_of(d, b));
}

/* ------------------------------------------------------------------ processes */

static const struct bh_cfg_proc *
row_named(const struct bh_config *c, const char *name)
{
	return c ? bh_config_find_proc(c, name) : NULL;
}

static const char *
label_of(struct diff *d, const struct bh_config *c, const struct bh_cfg_proc *row)
{
	const char *name = bh_config_str(c, row->name);
	if (row->role == BH_ROLE_DRIVER)
		return arena_print(d->arena, "driver %s", name);
	return row->role == BH_ROLE_SURFACE ? arena_print(d->arena, "surface %s", name) : name;
}

static const struct node *
section_of(const struct node *root, const struct bh_cfg_proc *row, const char *name)
{
	if (row->role == BH_ROLE_DRIVER || row->role == BH_ROLE_SURFACE)
		return node_get(node_get(root, row->role == BH_ROLE_DRIVER ? "drivers" : "surfaces"), name);
	return node_get(root, name);
}

static bool
is_same_process(const struct diff *d, const struct bh_cfg_proc *a, const struct bh_cfg_proc *b)
{
	return a && b && a->role == b->role && a->slot == b->slot &&
	       strcmp(bh_config_str(d->before, a->kind), bh_config_str(d->after, b->kind)) == 0;
}

static void
diff_process(struct diff *d, const struct bh_cfg_proc *row, const struct node *before, const struct node *after)
{
	struct keys k = {.len = 0};
	static const struct node none = {.kind = NODE_MAP};
	const char *name = bh_config_str(d->after, row->name), *label = label_of(d, d->after, row);
	const struct bh_cfg_proc *was = row_named(d->before, name);
	if (!is_same_process(d, was, row)) {
		if (was)
			put_line(d, "%s: another kind of process now, bh-%s: started anew", label, bh_config_str(d->after, row->kind));
		else
			put_line(d, "%s: added%s", label, row->autostart ? "" : ", not started");
		return;
	}
	const struct node *a = before ? section_of(before, row, name) : NULL, *b = section_of(after, row, name);
	if (before && !is_equal(d, a, b))
		collect_map(d, &k, "", false, a && a->kind == NODE_MAP ? a : &none, b && b->kind == NODE_MAP ? b : &none);
	bool restart = row->role != BH_ROLE_SUPERVISOR && bh_cfg_needs_restart(was, row);
	const char *then = restart ? " (restarts)" : was->autostart == row->autostart ? "" : row->autostart ? " (starts)" : " (stops)";
	if (k.n)
		put_line(d, "%s: %s%s", label, close_keys(d, &k), then);
	else if (restart || was->options_check != row->options_check)
		put_line(d, "%s: %s%s", label, row->role == BH_ROLE_SURFACE ? "its device file changed" : "its options changed", then);
}

static void
diff_processes(struct diff *d, const struct node *before, const struct node *after)
{
	for (uint32_t i = 0; i < bh_config_count(d->after, BH_TAB_PROCS); i++)
		diff_process(d, bh_config_row(d->after, BH_TAB_PROCS, i), before, after);
	for (uint32_t i = 0; i < bh_config_count(d->before, BH_TAB_PROCS); i++) {
		const struct bh_cfg_proc *was = bh_config_row(d->before, BH_TAB_PROCS, i);
		if (!row_named(d->after, bh_config_str(d->before, was->name)))
			put_line(d, "%s: removed", label_of(d, d->before, was));
	}
}

/* ------------------------------------------------------------------ pages */

static void
diff_bindings(struct diff *d, const char *label, const struct node *a, const struct node *b)
{
	static const struct node none = {.kind = NODE_MAP};
	if (is_empty(a) || a->kind != NODE_MAP)
		a = &none;
	if (is_empty(b) || b->kind != NODE_MAP)
		b = &none;
	struct sorted was = sort_map(d, a), now = sort_map(d, b);
	for (uint32_t i = 0; i < b->count; i++) {
		const char *control = b->item[2 * i]->text;
		const struct node *before = find(&was, control), *after = b->item[2 * i + 1];
		if (!before) {
			put_line(d, "%s: %s now %s", label, control, value_of(d, after));
		} else if (!is_equal(d, before, after)) {
			struct keys k = {.len = 0};
			collect(d, &k, control, before, after);
			put_line(d, "%s: %s", label, close_keys(d, &k));
		}
	}
	for (uint32_t i = 0; i < a->count; i++)
		if (!find(&now, a->item[2 * i]->text))
			put_line(d, "%s: %s no longer %s", label, a->item[2 * i]->text, value_of(d, a->item[2 * i + 1]));
}

/* A page, or what holds on all of them: its bindings line by line, its other keys together. */
static void
diff_page(struct diff *d, const char *label, const struct node *a, const struct node *b)
{
	struct keys k = {.len = 0};
	if (!a || !b || a->kind != NODE_MAP || b->kind != NODE_MAP)
		return;
	struct sorted was = sort_map(d, a), now = sort_map(d, b);
	for (uint32_t i = 0; i < b->count; i++) {
		const char *key = b->item[2 * i]->text;
		const struct node *before = find(&was, key);
		if (strcmp(key, "bindings") != 0 && !is_equal(d, before, b->item[2 * i + 1]))
			collect(d, &k, key, before, b->item[2 * i + 1]);
	}
	for (uint32_t i = 0; i < a->count; i++) {
		const char *key = a->item[2 * i]->text;
		if (strcmp(key, "bindings") != 0 && !find(&now, key))
			collect(d, &k, key, a->item[2 * i + 1], NULL);
	}
	if (k.n)
		put_line(d, "%s: %s", label, close_keys(d, &k));
	diff_bindings(d, label, node_get(a, "bindings"), node_get(b, "bindings"));
}

static uint32_t
count_of(const struct node *page)
{
	const struct node *b = node_get(page, "bindings");
	return b && b->kind == NODE_MAP ? b->count : 0;
}

/* Do the names that both have follow each other in another order? */
static bool
is_reordered(const struct sorted *was, const struct sorted *now)
{
	uint32_t i = 0, k = 0;
	for (;;) {
		while (i < was->map->count && !find(now, was->map->item[2 * i]->text))
			i++;
		while (k < now->map->count && !find(was, now->map->item[2 * k]->text))
			k++;
		if (i >= was->map->count || k >= now->map->count)
			return false;
		if (strcmp(was->map->item[2 * i++]->text, now->map->item[2 * k++]->text) != 0)
			return true;
	}
}

static void
diff_pages(struct diff *d, const struct node *before, const struct node *after)
{
	static const struct node none = {.kind = NODE_MAP};
	const struct node *a = named(d, node_get(before, "pages")), *b = named(d, node_get(after, "pages"));
	a = a ? a : &none;
	b = b ? b : &none;
	struct sorted was = sort_map(d, a), now = sort_map(d, b);
	for (uint32_t i = 0; i < b->count; i++) {
		const char *name = b->item[2 * i]->text;
		const struct node *old = find(&was, name), *page = b->item[2 * i + 1];
		if (!old)
			put_line(d, "page %s: added, %u binding%s", name, count_of(page), count_of(page) == 1 ? "" : "s");
		else if (!is_equal(d, old, page))
			diff_page(d, arena_print(d->arena, "page %s", name), old, page);
	}
	for (uint32_t i = 0; i < a->count; i++)
		if (!find(&now, a->item[2 * i]->text))
			put_line(d, "page %s: removed", a->item[2 * i]->text);
	if (is_reordered(&was, &now))
		put_line(d, "pages: in another order");
}

/* ------------------------------------------------------------------ the whole */

/* What is told by another part of this file. */
static bool
is_told_elsewhere(const struct diff *d, const char *key)
{
	static const char *const sections[] = {"surfaces", "drivers", "pages", "global"};
	for (size_t i = 0; i < BH_ARRAY_LEN(sections); i++)
		if (strcmp(sections[i], key) == 0)
			return true;
	return row_named(d->after, key) != NULL;
}

static void
diff_rest(struct diff *d, const struct node *before, const struct node *after)
{
	struct keys k = {.len = 0};
	struct sorted was = sort_map(d, before), now = sort_map(d, after);
	for (uint32_t i = 0; i < after->count; i++) {
		const char *key = after->item[2 * i]->text;
		const struct node *old = find(&was, key);
		if (!is_told_elsewhere(d, key) && !is_equal(d, old, after->item[2 * i + 1]))
			collect(d, &k, key, old, after->item[2 * i + 1]);
	}
	for (uint32_t i = 0; i < before->count; i++) {
		const char *key = before->item[2 * i]->text;
		if (!is_told_elsewhere(d, key) && !find(&now, key))
			collect(d, &k, key, before->item[2 * i + 1], NULL);
	}
	if (k.n)
		put_line(d, "%s", close_keys(d, &k));
}

void
diff_configurations(struct diff *d, const struct node *before, const struct node *after)
{
	static const struct node none = {.kind = NODE_MAP};
	if (before && before->kind != NODE_MAP)
		before = NULL;
	diff_processes(d, before, after);
	if (!before)
		return;
	diff_pages(d, before, after);
	const struct node *a = node_get(before, "global"), *b = node_get(after, "global");
	diff_page(d, "all pages", is_empty(a) ? &none : a, is_empty(b) ? &none : b);
	diff_rest(d, before, after);
}

void
diff_print(const struct diff *d, FILE *out)
{
	for (uint32_t i = 0; i < d->lines; i++)
		fprintf(out, "%s\n", d->line[i]);
	if (d->more)
		fprintf(out, "and %u more\n", d->more);
}
