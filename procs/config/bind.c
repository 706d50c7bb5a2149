/* bind.c - pages and bindings: which control means what, checked as far as it can be before anything runs */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define PAGE_NAME_MAX 63u
#define LABEL_MAX 120u
#define ACTION_ARGS_MAX 6u /* BH_ACTION_ARGS of driver.h */

static const char *const page_actions[] = {
	[BH_PAGE_NEXT] = "next", [BH_PAGE_PREVIOUS] = "previous", [BH_PAGE_GO] = "go"};

/* One binding that is being read. */
struct binding {
	struct compile *c;
	const char *path;	 /* "pages[0].bindings.fader1" */
	const struct node *key;	 /* the control as written */
	const struct node *node; /* what it is bound to */
	const struct process *surface;
	const struct bh_cfg_control *control;
	const struct bh_binding_row *row;
	struct bh_cfg_binding out;
};

static const char *
sub_path(struct binding *b, const char *key)
{
	return arena_print(b->c->arena, "%s.%s", b->path, key);
}

/* ------------------------------------------------------------------ the control */

static const struct process *
process_named(const struct compile *c, enum bh_role role, const char *name, size_t len)
{
	for (uint32_t i = 0; i < c->processes; i++)
		if (c->process[i].role == role && strlen(c->process[i].name) == len &&
		    strncmp(c->process[i].name, name, len) == 0)
			return &c->process[i];
	return NULL;
}

static const char *
meant_process(struct compile *c, enum bh_role role, const char *name, size_t len)
{
	struct bh_suggest s = {.word = arena_copy(c->arena, name, len)};
	for (uint32_t i = 0; i < c->processes; i++)
		if (c->process[i].role == role)
			bh_suggest_offer(&s, c->process[i].name);
	return s.best;
}

/* "desk/fader1", or "fader1" where there is only one surface. Sets b->surface. */
static const char *
find_surface(struct binding *b)
{
	struct compile *c = b->c;
	const char *name = b->key->text, *slash = strchr(name, '/');
	if (slash) {
		b->surface = process_named(c, BH_ROLE_SURFACE, name, (size_t)(slash - name));
		if (!b->surface)
			COMPLAIN(c, b->key, b->path, meant_process(c, BH_ROLE_SURFACE, name, (size_t)(slash - name)),
				 "there is no surface called \"%.*s\"", (int)(slash - name), name);
		return slash + 1;
	}
	const struct process *only = NULL;
	unsigned surfaces = 0;
	for (uint32_t i = 0; i < c->processes; i++) {
		if (c->process[i].role == BH_ROLE_SURFACE) {
			only = &c->process[i];
			surfaces++;
		}
	}
	if (surfaces == 1)
		b->surface = only;
	else if (surfaces)
		COMPLAIN(c, b->key, b->path, NULL, "there are %u surfaces: write which, as in %s/%s", surfaces,
			 only->name, name);
	else
		COMPLAIN(c, b->key, b->path, NULL, "there is no surface");
	return name;
}

static bool
find_control(struct binding *b)
{
	const char *name = find_surface(b);
	if (!b->surface || b->surface->is_broken)
		return false;
	const struct device *d = b->surface->device;
	for (uint32_t i = 0; i < d->controls; i++) {
		if (strcmp(d->control[i].name, name) == 0) {
			b->control = &d->control[i];
			b->out.control = (uint16_t)i;
			b->out.surface = b->surface->slot;
			return true;
		}
	}
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < d->controls; i++)
		bh_suggest_offer(&s, d->control[i].name);
	COMPLAIN(b->c, b->key, b->path, s.best, "%s (%s) has no control \"%s\"", b->surface->name, d->name, name);
	return false;
}

/* ------------------------------------------------------------------ what it is bound to */

/* "driver/rest": sets driver and target. NULL = wrong, and reported. */
static const struct process *
find_driver(struct binding *b, const struct node *n, const char *path, const char **rest)
{
	const char *slash = strchr(n->text, '/');
	if (!slash || slash == n->text || !slash[1]) {
		static const char *const page = "page";
		const char *best = b->row->kind == BH_BIND_DISPLAY ? bh_suggest_from(n->text, &page, 1) : NULL;
		COMPLAIN(b->c, n, path, best, "\"%s\" is not DRIVER/NAME, as in loop/ch1/level", n->text);
		return NULL;
	}
	if (strlen(slash + 1) > BH_NAME_MAX) {
		COMPLAIN(b->c, n, path, NULL, "the name is too long, at most %u bytes", BH_NAME_MAX);
		return NULL;
	}
	const struct process *p = process_named(b->c, BH_ROLE_DRIVER, n->text, (size_t)(slash - n->text));
	if (!p) {
		COMPLAIN(b->c, n, path, meant_process(b->c, BH_ROLE_DRIVER, n->text, (size_t)(slash - n->text)),
			 "there is no driver called \"%.*s\"", (int)(slash - n->text), n->text);
		return NULL;
	}
	*rest = slash + 1;
	b->out.driver = p->slot;
	b->out.target = put_text(b->c, slash + 1);
	return p;
}

static bool
has_page(const struct compile *c, const char *name)
{
	for (uint32_t i = 0; i < c->pages; i++)
		if (c->page_name[i] && strcmp(c->page_name[i], name) == 0)
			return true;
	return false;
}

static const char *
meant_page(const struct compile *c, const char *name)
{
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < c->pages; i++)
		if (c->page_name[i])
			bh_suggest_offer(&s, c->page_name[i]);
	return s.best;
}

/* The arguments as they are written: a list, or one alone. */
static const struct node *
arg_at(const struct node *args, uint32_t i)
{
	return !args ? NULL : args->kind == NODE_LIST ? args->item[i] : args;
}

static uint32_t
arg_count(const struct node *args)
{
	return !args ? 0 : args->kind == NODE_LIST ? args->count : 1;
}

/* A word of an action's arguments: "NAME", "play|stop", "[NAME]". */
static const char *
arg_word(struct arena *a, const char *words, uint32_t i)
{
	for (;; i--) {
		words += strspn(words, " ");
		size_t n = strcspn(words, " ");
		if (!n)
			return "";
		if (!i) {
			bool is_optional = words[0] == '[' && words[n - 1] == ']';
			return arena_copy(a, words + is_optional, n - 2u * is_optional);
		}
		words += n;
	}
}

static void
check_choice(struct binding *b, const struct node *arg, const char *word, const char *path)
{
	struct bh_suggest s = {.word = arg->text};
	if (!strchr(word, '|'))
		return;
	for (const char *p = word; *p;) {
		size_t n = strcspn(p, "|");
		char *choice = arena_copy(b->c->arena, p, n);
		if (strcmp(choice, arg->text) == 0)
			return;
		bh_suggest_offer(&s, choice);
		p += n + (p[n] == '|');
	}
	COMPLAIN(b->c, arg, path, s.best, "\"%s\" is none of %s", arg->text, word);
}

/* `words`: what the action takes. */
static void
read_args(struct binding *b, const struct node *at, const char *words, uint32_t required, uint32_t most)
{
	const struct node *args = node_get(b->node, "args");
	const char *path = sub_path(b, "args");
	uint32_t count = arg_count(args);
	char packed[BH_PAYLOAD_MAX];
	size_t used = 0;
	if (count < required) {
		COMPLAIN(b->c, args ? args : at, path, NULL, "%s: args: [%s]",
			 count ? "too few arguments" : "arguments are missing", words);
		return;
	}
	if (count > most || count > ACTION_ARGS_MAX) {
		COMPLAIN(b->c, args, path, NULL, most ? "too many arguments, at most %u" : "it takes no arguments",
			 most < ACTION_ARGS_MAX ? most : ACTION_ARGS_MAX);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct node *arg = arg_at(args, i);
		if (arg->kind != NODE_TEXT) {
			COMPLAIN(b->c, arg, path, NULL, "an argument is one value");
			return;
		}
		size_t n = strlen(arg->text) + 1;
		if (used + n > sizeof(packed)) {
			COMPLAIN(b->c, arg, path, NULL, "the arguments are too long, at most %zu bytes", sizeof(packed));
			return;
		}
		memcpy(packed + used, arg->text, n);
		used += n;
		check_choice(b, arg, arg_word(b->c->arena, words, i), path);
	}
	if (used)
		b->out.args = bh_config_writer_str(b->c->w, packed, used);
	b->out.args_len = (uint32_t)used;
}

static void
read_page_action(struct binding *b, const struct node *n, const char *path)
{
	const char *name = n->text + strlen("page/");
	uint16_t i = 0;
	while (i < BH_ARRAY_LEN(page_actions) && strcmp(page_actions[i], name) != 0)
		i++;
	if (i == BH_ARRAY_LEN(page_actions)) {
		COMPLAIN(b->c, n, path, bh_suggest_from(name, page_actions, BH_ARRAY_LEN(page_actions)),
			 "page has no action \"%s\"; it has next, previous and go", name);
		return;
	}
	b->out.driver = BH_DRIVER_PAGE;
	b->out.target = put_text(b->c, name);
	b->out.action = i;
	read_args(b, n, i == BH_PAGE_GO ? "PAGE" : "", i == BH_PAGE_GO, i == BH_PAGE_GO);
	const struct node *page = i == BH_PAGE_GO ? arg_at(node_get(b->node, "args"), 0) : NULL;
	if (page && page->kind == NODE_TEXT && !has_page(b->c, page->text))
		COMPLAIN(b->c, page, sub_path(b, "args"), meant_page(b->c, page->text), "there is no page called \"%s\"",
			 page->text);
}

static void
read_action(struct binding *b, const struct node *n, const char *path)
{
	const char *name;
	if (strncmp(n->text, "page/", 5) == 0) {
		read_page_action(b, n, path);
		return;
	}
	const struct process *p = find_driver(b, n, path, &name);
	if (!p || p->is_broken)
		return;
	for (uint32_t i = 0; i < p->kind->actions; i++) {
		const struct action *a = &p->kind->action[i];
		if (strcmp(a->name, name) == 0) {
			b->out.action = a->index;
			read_args(b, n, a->args, a->required, a->most);
			return;
		}
	}
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < p->kind->actions; i++)
		bh_suggest_offer(&s, p->kind->action[i].name);
	COMPLAIN(b->c, n, path, s.best, "%s (%s) has no action \"%s\"", p->name, p->kind->name, name);
}

static void
read_target(struct binding *b, const struct node *n)
{
	const char *path = n == b->node ? b->path : sub_path(b, b->row->key), *rest;
	if (n->kind != NODE_TEXT) {
		COMPLAIN(b->c, n, path, NULL, "is one name, as in loop/ch1/level");
		return;
	}
	if (n->is_null) {
		COMPLAIN(b->c, n, path, NULL, "has no value");
		return;
	}
	if (b->row->kind == BH_BIND_ACTION)
		read_action(b, n, path);
	else if (b->row->kind == BH_BIND_DISPLAY && strcmp(n->text, "page") == 0)
		b->out.flags |= BH_BINDF_SHOW_PAGE;
	else
		find_driver(b, n, path, &rest);
}

/* ------------------------------------------------------------------ further keys */

static bool
read_float(struct binding *b, const char *key, double *out)
{
	const struct node *n = node_get(b->node, key);
	struct bh_cfg_field f = {.type = BH_CFG_FLOAT};
	char why[128];
	if (!n)
		return false;
	if (n->kind != NODE_TEXT || n->is_null)
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is a number");
	else if (bh_cfg_parse_value(&f, n->text, out, why, sizeof(why)) < 0)
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "%s", why);
	else
		return true;
	return false;
}

static void
read_flag(struct binding *b, const char *key, unsigned flag)
{
	const struct node *n = node_get(b->node, key);
	struct bh_cfg_field f = {.type = BH_CFG_BOOL};
	bool on = false;
	char why[128] = "is yes or no";
	if (n && (n->kind != NODE_TEXT || bh_cfg_parse_value(&f, n->text, &on, why, sizeof(why)) < 0))
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "%s", why);
	if (on)
		b->out.flags |= (uint16_t)flag;
}

static int
read_name(struct binding *b, const char *key, int (*number)(const char *), const char *(*name)(int), int first)
{
	const struct node *n = node_get(b->node, key);
	if (!n)
		return -1;
	const char *word = n->kind == NODE_TEXT ? n->text : "";
	int v = number(word);
	if (v >= 0)
		return v;
	struct bh_suggest s = {.word = word};
	char list[160] = "";
	for (int i = first; name(i); i++) {
		bh_suggest_offer(&s, name(i));
		size_t used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", name(i));
	}
	COMPLAIN(b->c, n, sub_path(b, key), s.best, "\"%s\" is none of %s", word, list);
	return -1;
}

static uint32_t
read_words(struct binding *b, const char *key, size_t most)
{
	const struct node *n = node_get(b->node, key);
	if (!n)
		return 0;
	if (n->kind != NODE_TEXT) {
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is a text");
		return 0;
	}
	if (strlen(n->text) > most) {
		COMPLAIN(b->c, n, sub_path(b, key), NULL, "is too long, at most %zu bytes", most);
		return 0;
	}
	return put_text(b->c, n->text);
}

static void
read_range(struct binding *b)
{
	bool min = read_float(b, "min", &b->out.min), max = read_float(b, "max", &b->out.max);
	const struct node *n = node_key(b->node, "min") ? node_key(b->node, "min") : node_key(b->node, "max");
	if (n && !(node_get(b->node, "min") && node_get(b->node, "max")))
		COMPLAIN(b->c, n, sub_path(b, n->text), NULL, "min and max go together");
	else if (min && max && !(b->out.min < b->out.max))
		COMPLAIN(b->c, node_get(b->node, "min"), sub_path(b, "min"), NULL,
			 "min is not below max; to turn it round, write invert: yes");
	else if (min && max)
		b->out.flags |= BH_BINDF_HAS_RANGE;
	if (read_float(b, "step", &b->out.step)) {
		if (b->out.step > 0)
			b->out.flags |= BH_BINDF_HAS_STEP;
		else
			COMPLAIN(b->c, node_get(b->node, "step"), sub_path(b, "step"), NULL, "is more than 0");
	}
}

static void
read_fields(struct binding *b)
{
	read_range(b);
	read_flag(b, "invert", BH_BINDF_INVERT);
	read_flag(b, "flash", BH_BINDF_FLASH);
	int ring = read_name(b, "ring", bh_ring_from_name, bh_ring_name, 0);
	int taper = read_name(b, "taper", bh_taper_from_name, bh_taper_name, 0);
	int color = read_name(b, "color", bh_color_from_name, bh_color_name, 0);
	b->out.ring = (uint8_t)(ring > 0 ? ring : 0);
	b->out.taper = (uint8_t)(taper >= 0 ? taper : 0xff);
	b->out.color = (uint8_t)(color > 0 ? color : 0);
	b->out.text = read_words(b, "text", BH_TEXT_MAX);
	b->out.label = read_words(b, "label", LABEL_MAX);
	if (node_get(b->node, "ring") && !(b->control->flags & BH_CTL_HAS_RING))
		COMPLAIN(b->c, node_key(b->node, "ring"), sub_path(b, "ring"), NULL, "%s has no ring", b->control->name);
}

/* ------------------------------------------------------------------ the kind */

/* What a control does when only a name is written. */
static const struct bh_binding_row *
natural_row(enum bh_control_kind kind)
{
	static const uint8_t natural[BH_CTL_KIND_COUNT] = {
		[BH_CTL_FADER] = BH_BIND_VALUE,	 [BH_CTL_VPOT] = BH_BIND_VALUE,	  [BH_CTL_BUTTON] = BH_BIND_VALUE,
		[BH_CTL_JOG] = BH_BIND_RELATIVE, [BH_CTL_STRIP] = BH_BIND_STRIP,  [BH_CTL_METER] = BH_BIND_METER,
		[BH_CTL_DIGITS] = BH_BIND_DISPLAY, [BH_CTL_PEDAL] = BH_BIND_VALUE, [BH_CTL_LED] = BH_BIND_LIGHT,
	};
	return &bh_binding_rows[natural[kind]];
}

/* The row whose key is in the mapping; more than one is an error. */
static const struct bh_binding_row *
written_row(struct binding *b, const struct node **target)
{
	const struct bh_binding_row *row = NULL;
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		const struct node *key = node_key(b->node, bh_binding_rows[i].key);
		if (!key)
			continue;
		if (row)
			COMPLAIN(b->c, key, sub_path(b, key->text), NULL,
				 "a control does one thing on a page: either %s or %s", row->key, key->text);
		else
			*target = node_get(b->node, key->text);
		row = row ? row : &bh_binding_rows[i];
	}
	return row;
}

static bool
is_row_key(const char *key)
{
	for (int k = 1; k < BH_BIND_KIND_COUNT; k++)
		if (strcmp(bh_binding_rows[k].key, key) == 0)
			return true;
	return false;
}

/* Of a binding whose kind is not known yet every key is a candidate. */
static const char *
meant_key(const struct binding *b, const char *key)
{
	struct bh_suggest s = {.word = key};
	for (int k = 1; k < BH_BIND_KIND_COUNT && !b->row; k++)
		bh_suggest_offer(&s, bh_binding_rows[k].key);
	for (size_t k = 0; k < bh_binding_field_count; k++)
		if (!b->row || bh_binding_row_has(b->row, bh_binding_fields[k].key))
			bh_suggest_offer(&s, bh_binding_fields[k].key);
	return s.best;
}

/* false: there was one that does not belong there. */
static bool
check_binding_keys(struct binding *b)
{
	bool all_known = true;
	for (uint32_t i = 0; i < b->node->count; i++) {
		const struct node *key = b->node->item[2 * i];
		bool is_field = bh_binding_field_named(key->text);
		if (is_row_key(key->text) || (b->row ? bh_binding_row_has(b->row, key->text) : is_field))
			continue;
		all_known = false;
		if (is_field)
			COMPLAIN(b->c, key, sub_path(b, key->text), NULL, "a binding of kind %s has no key \"%s\"",
				 b->row->key, key->text);
		else
			COMPLAIN(b->c, key, sub_path(b, key->text), meant_key(b, key->text), "unknown key");
	}
	return all_known;
}

static void
list_kinds_of(const struct bh_cfg_control *ctl, char *buf, size_t cap)
{
	buf[0] = '\0';
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		size_t used = strlen(buf);
		if (bh_binding_rows[i].controls & 1u << ctl->kind)
			snprintf(buf + used, cap - used, "%s%s", used ? " or " : "", bh_binding_rows[i].key);
	}
}

static bool
check_fit(struct binding *b, const struct node *at)
{
	char kinds[96];
	if (b->row->controls & 1u << b->control->kind) {
		if (b->row->kind != BH_BIND_LIGHT || b->control->flags & BH_CTL_HAS_LED)
			return true;
		COMPLAIN(b->c, at, b->path, NULL, "%s has no light", b->control->name);
		return false;
	}
	list_kinds_of(b->control, kinds, sizeof(kinds));
	COMPLAIN(b->c, at, b->path, NULL, "%s (%s) takes %s, not %s", b->control->name,
		 bh_control_kind_name(b->control->kind), kinds, b->row->key);
	return false;
}

static void
read_body(struct binding *b)
{
	const struct node *target = NULL;
	if (b->node->kind == NODE_TEXT && !b->node->is_null) {
		b->row = natural_row(b->control->kind);
		read_target(b, b->node);
		return;
	}
	if (b->node->kind != NODE_MAP) {
		COMPLAIN(b->c, b->node, b->path, NULL, "is a name as in loop/ch1/level, or a mapping as in {action: loop/scene}");
		return;
	}
	b->row = written_row(b, &target);
	if (!b->row && node_get(b->node, "text") && !natural_row(b->control->kind)->needs_target)
		b->row = natural_row(b->control->kind);
	bool all_known = check_binding_keys(b);
	if (!b->row) {
		if (all_known)
			COMPLAIN(b->c, b->node, b->path, NULL,
				 "does not say what it does: value, relative, action, strip, meter, display or light");
		return;
	}
	if (!check_fit(b, target ? node_key(b->node, b->row->key) : b->key))
		return;
	if (target && !(target->is_null && !b->row->needs_target && node_get(b->node, "text")))
		read_target(b, target);
	read_fields(b);
}

static void
read_binding(struct compile *c, uint16_t page, const char *path, const struct node *key, const struct node *node)
{
	struct binding b = {
		.c = c, .path = arena_print(c->arena, "%s.%s", path, key->text), .key = key, .node = node,
		.out = {.page = page, .driver = BH_SLOT_NONE, .taper = 0xff, .place = place_of(key)},
	};
	if (!find_control(&b))
		return;
	read_body(&b);
	if (!b.row)
		return;
	b.out.kind = (uint8_t)b.row->kind;
	if (c->bindings == BINDINGS_MAX) {
		COMPLAIN(c, key, b.path, NULL, "too many bindings, at most %u", BINDINGS_MAX);
		return;
	}
	*ARENA_PUSH(c->arena, c->binding, c->bindings) = b.out;
}

/* ------------------------------------------------------------------ pages */

struct twin {
	uint32_t id, i;
};

static int
twin_order(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* "fader1" and "desk/fader1" are two keys for one control. */
static void
check_twins(struct compile *c, uint32_t first, const struct node *map, const char *path)
{
	uint32_t n = c->bindings - first;
	struct twin *twin = arena_alloc(c->arena, (n + 1) * sizeof(*twin));
	for (uint32_t i = 0; i < n; i++)
		twin[i] = (struct twin){(uint32_t)c->binding[first + i].surface << 16 | c->binding[first + i].control, first + i};
	qsort(twin, n, sizeof(*twin), twin_order);
	for (uint32_t i = 1; i < n; i++) {
		const struct bh_cfg_binding *a = &c->binding[twin[i - 1].i], *b = &c->binding[twin[i].i];
		if (twin[i].id == twin[i - 1].id)
			report_add(c->report, map->src, b->place.line, b->place.column, path, NULL,
				   "this control is bound already, in line %u", a->place.line);
	}
}

static void
read_bindings(struct compile *c, uint16_t page, const struct node *map, const char *path)
{
	uint32_t first = c->bindings;
	if (!map || map->is_null)
		return;
	if (map->kind != NODE_MAP) {
		COMPLAIN(c, map, path, NULL, "is a mapping: a control, and what it is bound to");
		return;
	}
	for (uint32_t i = 0; i < map->count; i++)
		read_binding(c, page, path, map->item[2 * i], map->item[2 * i + 1]);
	check_twins(c, first, map, path);
}

static void
check_page_keys(struct compile *c, const struct node *page, const char *path, const char *const *keys, size_t n)
{
	for (uint32_t i = 0; i < page->count; i++) {
		const struct node *key = page->item[2 * i];
		const char *best = bh_suggest_from(key->text, keys, n);
		if (!best || strcmp(best, key->text) != 0)
			COMPLAIN(c, key, arena_print(c->arena, "%s.%s", path, key->text), best, "unknown key");
	}
}

/* Names first: page/go may go to a page further down. Reads all but the bindings. */
static void
read_page_head(struct compile *c, const struct node *n, const char *path)
{
	static const char *const keys[] = {"name", "color", "bindings"};
	struct bh_cfg_page *page = ARENA_PUSH(c->arena, c->page, c->pages);
	page->place = place_of(n);
	if (n->kind != NODE_MAP) {
		COMPLAIN(c, n, path, NULL, "is a mapping with name and bindings");
		return;
	}
	check_page_keys(c, n, path, keys, BH_ARRAY_LEN(keys));
	const char *name = node_text(n, "name");
	const struct node *at = node_get(n, "name") ? node_get(n, "name") : n;
	const char *name_path = arena_print(c->arena, "%s.name", path);
	if (!name || !*name)
		COMPLAIN(c, at, name_path, NULL, "is required: a page has a name");
	else if (strlen(name) > PAGE_NAME_MAX)
		COMPLAIN(c, at, name_path, NULL, "is too long, at most %u bytes", PAGE_NAME_MAX);
	else if (has_page(c, name))
		COMPLAIN(c, at, name_path, NULL, "there is a page of this name already");
	else
		page->name = put_text(c, c->page_name[c->pages - 1] = name);
	struct binding b = {.c = c, .path = path, .node = n};
	int color = read_name(&b, "color", bh_color_from_name, bh_color_name, 0);
	page->color = (uint32_t)(color > 0 ? color : 0);
}

void
compile_pages(struct compile *c)
{
	static const char *const global_keys[] = {"bindings"};
	const struct node *pages = node_get(c->root, "pages"), *global = node_get(c->root, "global");
	bool is_list = pages && pages->kind == NODE_LIST;
	uint32_t count = is_list ? pages->count : 0;
	if (pages && !is_list && !pages->is_null)
		COMPLAIN(c, pages, "pages", NULL, "is a list of pages, each with name and bindings");
	if (count > PAGES_MAX) {
		COMPLAIN(c, pages->item[PAGES_MAX], "pages", NULL, "too many pages, at most %u", PAGES_MAX);
		count = PAGES_MAX;
	}
	c->page_name = arena_alloc(c->arena, (count + 1) * sizeof(*c->page_name));
	for (uint32_t i = 0; i < count; i++)
		read_page_head(c, pages->item[i], arena_print(c->arena, "pages[%u]", i));
	/* There is always a page to show. */
	if (!count)
		ARENA_PUSH(c->arena, c->page, c->pages)->name = put_text(c, "Main");
	uint32_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		const char *path = arena_print(c->arena, "pages[%u].bindings", i);
		read_bindings(c, (uint16_t)i, node_get(pages->item[i], "bindings"), path);
		c->page[i].first = at;
		c->page[i].count = c->bindings - at;
		at = c->bindings;
	}
	if (global && global->kind != NODE_MAP && !global->is_null)
		COMPLAIN(c, global, "global", NULL, "is a mapping with bindings");
	if (global && global->kind == NODE_MAP) {
		check_page_keys(c, global, "global", global_keys, 1);
		read_bindings(c, BH_PAGE_GLOBAL, node_get(global, "bindings"), "global.bindings");
	}
}
