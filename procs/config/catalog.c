/*
 * catalog.c - see catalog.h
 *
 * Fails: a file of kinds comes from our own programs, but perhaps from another version: what is not understood is left out. A device
 * file is written by people, so it is reported on like a configuration.
 */
#include "procs/config/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"

/* ------------------------------------------------------------------ kinds */

static const char *const roles[] = {"none", "supervisor", "router", "control", "store", "surface", "driver"};

static enum bh_role
role_named(const char *name)
{
	for (size_t i = 1; name && i < BH_ARRAY_LEN(roles); i++)
		if (strcmp(roles[i], name) == 0)
			return (enum bh_role)i;
	return BH_ROLE_DRIVER;
}

static const char *const *
read_choices(struct arena *a, const struct node *list)
{
	if (!list || list->kind != NODE_LIST)
		return NULL;
	const char **choices = arena_alloc(a, (list->count + 1) * sizeof(*choices));
	uint32_t n = 0;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->item[i]->kind == NODE_TEXT)
			choices[n++] = list->item[i]->text;
	return choices;
}

static const struct bh_cfg_field *
read_fields(struct arena *a, const struct node *list)
{
	uint32_t count = list && list->kind == NODE_LIST ? list->count : 0, n = 0;
	struct bh_cfg_field *fields = arena_alloc(a, (count + 1) * sizeof(*fields));
	for (uint32_t i = 0; i < count; i++) {
		const struct node *row = list->item[i];
		const char *key = node_text(row, "key"), *type = node_text(row, "type");
		const struct node *def = node_get(row, "default");
		const char *reload = node_text(row, "reload");
		if (!key || !type)
			continue;
		struct bh_cfg_field f = {
			.key = key,
			.type = bh_cfg_type_from_name(type),
			.def = def && def->kind == NODE_TEXT ? def->text : NULL,
			.min = node_text(row, "min"),
			.max = node_text(row, "max"),
			.unit = node_text(row, "unit"),
			.choices = read_choices(a, node_get(row, "choices")),
			.reload = reload && strcmp(reload, "live") == 0 ? BH_RELOAD_LIVE : BH_RELOAD_RESTART,
			.help = node_text(row, "help"),
		};
		if (f.type == BH_CFG_LIST)
			f.sub = read_fields(a, node_get(row, "sub"));
		if (f.type != BH_CFG_END)
			fields[n++] = f;
	}
	return fields;
}

/* "NAME [VALUE]": what must be there, what may. */
static void
count_args(struct action *act)
{
	for (const char *p = act->args; *p;) {
		p += strspn(p, " ");
		size_t n = strcspn(p, " ");
		if (n) {
			act->most++;
			if (*p != '[')
				act->required++;
		}
		p += n;
	}
}

static void
read_actions(struct arena *a, struct kind *k, const struct node *list)
{
	for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++) {
		const char *name = node_text(list->item[i], "name");
		const char *args = node_text(list->item[i], "args"), *help = node_text(list->item[i], "help");
		if (!name)
			continue;
		struct action *act = ARENA_PUSH(a, k->action, k->actions);
		*act = (struct action){.name = name, .args = args ? args : "", .help = help ? help : "", .index = (uint16_t)i};
		count_args(act);
	}
}

static void
read_params(struct arena *a, struct kind *k, const struct node *list)
{
	for (uint32_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++) {
		const struct node *row = list->item[i];
		const struct node *choices = node_get(row, "choices");
		struct param p = {
			.name = node_text(row, "name"), .type = node_text(row, "type"), .unit = node_text(row, "unit"),
			.min = node_text(row, "min"),	.max = node_text(row, "max"),	.access = node_text(row, "access"),
		};
		p.choice = read_choices(a, choices);
		while (p.choice && p.choice[p.choice_count])
			p.choice_count++;
		for (uint32_t n = 0; choices && choices->kind == NODE_LIST && n < choices->count; n++)
			if (choices->item[n]->kind == NODE_TEXT)
				p.choices = arena_print(a, "%s%s%s", p.choices ? p.choices : "", p.choices ? ", " : "",
							choices->item[n]->text);
		if (p.name)
			*ARENA_PUSH(a, k->param, k->params) = p;
	}
}

void
catalog_add_kind(struct catalog *c, const char *path, const char *text, size_t len)
{
	struct source *src = arena_alloc(c->arena, sizeof(*src));
	*src = (struct source){.path = path, .text = text, .len = len};
	const struct node *root = tree_parse(c->arena, c->report, src);
	const char *name = node_text(root, "kind");
	if (!name || strlen(name) > 23)
		return;
	struct kind *k = ARENA_PUSH(c->arena, c->kind, c->kinds);
	k->name = name;
	k->role = role_named(node_text(root, "role"));
	k->fields = read_fields(c->arena, node_get(root, "fields"));
	read_actions(c->arena, k, node_get(root, "actions"));
	read_params(c->arena, k, node_get(root, "params"));
	k->max_params = node_text(root, "max_params");
}

const struct kind *
catalog_kind(const struct catalog *c, const char *name)
{
	for (uint32_t i = 0; i < c->kinds; i++)
		if (strcmp(c->kind[i].name, name) == 0)
			return &c->kind[i];
	return NULL;
}

/* ------------------------------------------------------------------ devices */

void
catalog_add_device(struct catalog *c, const char *name, const char *path, const char *text, size_t len)
{
	struct device *d = ARENA_PUSH(c->arena, c->device, c->devices);
	*d = (struct device){.name = name, .src = {.path = path, .text = text, .len = len}};
}

static const char *const control_keys[] = {"name", "kind", "count", "addr",  "touch", "motor",
					   "ring", "color", "led",  "width", "strip"};
/* Colours of LEDs, in the order of bh_cfg_control.led. */
static const char *const led_names[] = {"none", "red", "orange", "green", "blue"};

struct reading {
	struct catalog *c;
	struct device *d;
	bool failed;
};

static void
complain(struct reading *r, const struct node *n, const char *key, const char *best, const char *what)
{
	report_add(r->c->report, &r->d->src, n ? n->line : 0, n ? n->col : 0, key, best, "%s", what);
	r->failed = true;
}

/* A number of a control's row, with its default. */
static uint32_t
number(struct reading *r, const struct node *row, const char *key, uint32_t most, uint32_t def)
{
	const struct node *n = node_get(row, key);
	struct bh_cfg_field f = {.type = BH_CFG_U32};
	uint32_t v = def;
	char why[160];
	if (!n)
		return def;
	if (n->kind != NODE_TEXT)
		complain(r, n, key, NULL, "is a number");
	else if (bh_cfg_parse_value(&f, n->text, &v, why, sizeof(why)) < 0)
		complain(r, n, key, NULL, why);
	else if (v > most)
		complain(r, n, key, NULL, "is too large");
	return v;
}

static bool
is_true(struct reading *r, const struct node *row, const char *key)
{
	const struct node *n = node_get(row, key);
	struct bh_cfg_field f = {.type = BH_CFG_BOOL};
	bool v = false;
	char why[160];
	if (n && (n->kind != NODE_TEXT || bh_cfg_parse_value(&f, n->text, &v, why, sizeof(why)) < 0))
		complain(r, n, key, NULL, "is yes or no");
	return v;
}

static void
add_control(struct reading *r, const struct node *row, const struct bh_cfg_control *first, const char *name,
	    uint32_t i)
{
	struct bh_cfg_control ctl = *first;
	const char *mark = strchr(name, '#');
	int len = mark ? snprintf(ctl.name, sizeof(ctl.name), "%.*s%u%s", (int)(mark - name), name, i + 1, mark + 1)
		       : snprintf(ctl.name, sizeof(ctl.name), "%s", name);
	if (len < 1 || len >= (int)sizeof(ctl.name) || strchr(name, '/')) {
		complain(r, row, name, NULL, "a control's name has 1 to 23 characters, and no /");
		return;
	}
	for (uint32_t k = 0; k < r->d->controls; k++) {
		if (strcmp(r->d->control[k].name, ctl.name) == 0) {
			complain(r, row, ctl.name, NULL, "there are two controls of this name");
			return;
		}
	}
	if (r->d->controls >= BH_MAX_CONTROLS) {
		complain(r, row, ctl.name, NULL, "too many controls, at most 256");
		return;
	}
	ctl.addr = (uint8_t)(first->addr + i);
	if (first->touch != 0xff)
		ctl.touch = (uint8_t)(first->touch + i);
	if (first->strip != 0xff)
		ctl.strip = (uint8_t)(first->strip + i);
	if (ctl.kind == BH_CTL_STRIP)
		r->d->strips++;
	*ARENA_PUSH(r->c->arena, r->d->control, r->d->controls) = ctl;
}

static uint16_t
control_flags(struct reading *r, const struct node *row, const struct bh_cfg_control *ctl)
{
	unsigned flags = 0;
	flags |= ctl->touch != 0xff ? BH_CTL_HAS_TOUCH : 0;
	flags |= is_true(r, row, "motor") ? BH_CTL_HAS_MOTOR : 0;
	flags |= ctl->led ? BH_CTL_HAS_LED : 0;
	flags |= is_true(r, row, "color") ? BH_CTL_HAS_COLOR : 0;
	flags |= is_true(r, row, "ring") ? BH_CTL_HAS_RING : 0;
	return (uint16_t)flags;
}

static void
read_control(struct reading *r, const struct node *row)
{
	const char *name = node_text(row, "name"), *kind = node_text(row, "kind"), *led = node_text(row, "led");
	if (!name || !kind) {
		complain(r, row, "controls", NULL, "each control has a name and a kind");
		return;
	}
	for (uint32_t i = 0; i < row->count; i++) {
		const struct node *key = row->item[2 * i];
		const char *best = bh_suggest_from(key->text, control_keys, BH_ARRAY_LEN(control_keys));
		if (!best || strcmp(best, key->text) != 0)
			complain(r, key, key->text, best, "unknown key of a control");
	}
	int number_of_kind = bh_control_kind_from_name(kind);
	struct bh_cfg_control ctl = {
		.kind = (uint8_t)(number_of_kind > 0 ? number_of_kind : 0),
		.addr = (uint8_t)number(r, row, "addr", 0xff, 0),
		.touch = (uint8_t)number(r, row, "touch", 0xfe, 0xff),
		.width = (uint8_t)number(r, row, "width", 0xff, 0),
		.strip = (uint8_t)number(r, row, "strip", 0xfe, 0xff),
	};
	if (number_of_kind <= 0)
		complain(r, node_get(row, "kind"), "kind", NULL,
			 "is none of fader, vpot, button, jog, strip, meter, digits, pedal, led");
	for (uint8_t i = 1; led && i < BH_ARRAY_LEN(led_names); i++)
		if (strcmp(led_names[i], led) == 0)
			ctl.led = i;
	if (led && !ctl.led)
		complain(r, node_get(row, "led"), "led", NULL, "is none of red, orange, green, blue");
	ctl.flags = control_flags(r, row, &ctl);
	uint32_t count = number(r, row, "count", BH_MAX_CONTROLS, 1);
	for (uint32_t i = 0; i < count && !r->failed; i++)
		add_control(r, row, &ctl, name, i);
}

static void
read_device(struct catalog *c, struct device *d)
{
	static const char *const keys[] = {"device", "description", "protocol", "options", "controls"};
	struct reading r = {.c = c, .d = d};
	uint32_t before = c->report->count + c->report->more;
	const struct node *root = tree_parse(c->arena, c->report, &d->src);
	d->is_read = true;
	if (!root || root->kind != NODE_MAP) {
		if (before == c->report->count + c->report->more)
			complain(&r, NULL, NULL, NULL, "this is no description of a device");
		return;
	}
	for (uint32_t i = 0; i < root->count; i++) {
		const struct node *key = root->item[2 * i];
		const char *best = bh_suggest_from(key->text, keys, BH_ARRAY_LEN(keys));
		if (!best || strcmp(best, key->text) != 0)
			complain(&r, key, key->text, best, "unknown key of a device");
	}
	const struct node *controls = node_get(root, "controls");
	d->description = node_text(root, "description");
	d->options = node_get(root, "options");
	if (d->options && d->options->kind != NODE_MAP)
		complain(&r, d->options, "options", NULL, "are keys and values");
	if (!controls || controls->kind != NODE_LIST)
		complain(&r, controls ? controls : root, "controls", NULL, "are a list");
	for (uint32_t i = 0; controls && controls->kind == NODE_LIST && i < controls->count; i++)
		read_control(&r, controls->item[i]);
	d->is_good = !r.failed;
}

const struct device *
catalog_device(struct catalog *c, const char *name)
{
	for (uint32_t i = 0; i < c->devices; i++) {
		struct device *d = &c->device[i];
		if (strcmp(d->name, name) != 0)
			continue;
		if (!d->is_read)
			read_device(c, d);
		return d;
	}
	return NULL;
}

/* ------------------------------------------------------------------ files */

char *
read_text(struct arena *a, const char *path, size_t *len)
{
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t cap = 16384, used = 0;
	if (fd < 0)
		return NULL;
	bh_autofree char *buf = malloc(cap);
	while (buf) {
		ssize_t n = read(fd, buf + used, cap - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		used += (size_t)n;
		if (n == 0 || used > TREE_TEXT_MAX) {
			*len = used;
			return arena_copy(a, buf, used);
		}
		if (used == cap) {
			char *more = realloc(buf, cap *= 2);
			if (!more)
				return NULL;
			buf = more;
		}
	}
	return NULL;
}

static int
is_yaml(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	return dot && dot != e->d_name && strcmp(dot, ".yaml") == 0;
}

static int
load_folder(struct catalog *c, const char *folder, const char *sub, bool devices)
{
	struct dirent **list = NULL;
	const char *dir = arena_print(c->arena, "%s/%s", folder, sub);
	int n = scandir(dir, &list, is_yaml, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		size_t len;
		char *path = arena_print(c->arena, "%s/%s", dir, list[i]->d_name);
		char *text = read_text(c->arena, path, &len);
		if (text && devices)
			catalog_add_device(c, arena_copy(c->arena, list[i]->d_name, strlen(list[i]->d_name) - 5), path,
					   text, len);
		else if (text)
			catalog_add_kind(c, path, text, len);
		free(list[i]);
	}
	free(list);
	return 0;
}

int
catalog_load(struct catalog *c, const char *folder)
{
	int r = load_folder(c, folder, "kinds", false);
	int s = load_folder(c, folder, "devices", true);
	return r < 0 ? r : s;
}
