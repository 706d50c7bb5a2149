/* target.c - names of parameters, values, and keys, as people write them: found, checked, and what may have been meant */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

/* ------------------------------------------------------------------ names */

const struct process *
process_named(const struct compile *c, enum bh_role role, const char *name, size_t len)
{
	for (uint32_t i = 0; i < c->processes; i++)
		if (c->process[i].role == role && strlen(c->process[i].name) == len &&
		    strncmp(c->process[i].name, name, len) == 0)
			return &c->process[i];
	return NULL;
}

const char *
meant_process(struct compile *c, enum bh_role role, const char *name, size_t len)
{
	struct bh_suggest s = {.word = arena_copy(c->arena, name, len)};
	for (uint32_t i = 0; i < c->processes; i++)
		if (c->process[i].role == role)
			bh_suggest_offer(&s, c->process[i].name);
	return s.best;
}

const struct node *
node_at(struct compile *c, const struct node *n, const char *p)
{
	struct node *at = arena_alloc(c->arena, sizeof(*at));
	*at = *n;
	for (const char *s = n->text; s < p; s++)
		at->col += ((unsigned char)*s & 0xc0) != 0x80;
	return at;
}

static const struct {
	const char *name;
	enum bh_type type;
} types[] = {{"bool", BH_BOOL}, {"int", BH_INT}, {"float", BH_FLOAT}, {"choice", BH_ENUM}, {"text", BH_TEXT}, {"trigger", BH_TRIGGER}};

static struct known
known_of(const struct param *p)
{
	struct known k = {.unit = p->unit, .choice = p->choice, .choices = p->choice_count};
	for (size_t i = 0; p->type && i < BH_ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, p->type) == 0)
			k.type = types[i].type;
	if (p->min && p->max && (k.type == BH_FLOAT || k.type == BH_INT)) {
		k.min = strtod(p->min, NULL);
		k.max = strtod(p->max, NULL);
		k.has_range = k.min < k.max;
	}
	k.is_read_only = p->access && !strstr(p->access, "write");
	return k;
}

static bool
find_own(struct compile *c, const struct node *at, const char *name, const char *path, struct target *out)
{
	int row = find_room(c, name);
	if (row >= 0 && c->room[row].row.kind != BH_ROOM_RUN) {
		*out = (struct target){
			.driver = BH_SLOT_ROUTER, .name = name, .known = c->room[row].known, .room = (uint32_t)row};
		return true;
	}
	struct bh_suggest s = {.word = name};
	for (uint32_t i = 0; i < c->rooms; i++)
		if (c->room[i].row.kind != BH_ROOM_RUN)
			bh_suggest_offer(&s, c->room[i].name);
	COMPLAIN(c, at, path, s.best ? arena_print(c->arena, "room/%s", s.best) : NULL,
		 "the router has no parameter \"%s\": there is no such layer, variable, bank or group", name);
	return false;
}

bool
find_target(struct compile *c, const struct node *at, const char *text, const char *path, struct target *out)
{
	const char *slash = strchr(text, '/');
	*out = (struct target){.driver = BH_SLOT_NONE};
	if (!slash || slash == text || !slash[1]) {
		COMPLAIN(c, at, path, NULL, "\"%s\" is not DRIVER/NAME, as in loop/ch1/level", text);
		return false;
	}
	if (strlen(slash + 1) > BH_NAME_MAX) {
		COMPLAIN(c, at, path, NULL, "the name is too long, at most %u bytes", BH_NAME_MAX);
		return false;
	}
	if (strstr(slash, "{}") && !c->in_bank) {
		COMPLAIN(c, at, path, NULL, "{} stands for the item of a bank: it is for banks alone");
		return false;
	}
	size_t len = (size_t)(slash - text);
	if (len == strlen(BH_ROOM_NAME) && strncmp(text, BH_ROOM_NAME, len) == 0)
		return find_own(c, at, slash + 1, path, out);
	const struct process *p = process_named(c, BH_ROLE_DRIVER, text, len);
	if (!p) {
		COMPLAIN(c, at, path, meant_process(c, BH_ROLE_DRIVER, text, len), "there is no driver called \"%.*s\"",
			 (int)len, text);
		return false;
	}
	*out = (struct target){.driver = p->slot, .name = slash + 1, .process = p};
	for (uint32_t i = 0; p->kind && i < p->kind->params; i++)
		if (strcmp(p->kind->param[i].name, slash + 1) == 0)
			out->known = known_of(&p->kind->param[i]);
	return true;
}

bool
find_settable(struct compile *c, const struct node *at, const char *path, struct target *out)
{
	if (at->kind != NODE_TEXT || at->is_null) {
		COMPLAIN(c, at, path, NULL, "is one name, as in loop/ch1/level");
		return false;
	}
	if (!find_target(c, at, at->text, path, out))
		return false;
	if (!out->known.is_read_only)
		return true;
	COMPLAIN(c, at, path, NULL, "%s can be read, not set", at->text);
	return false;
}

void
note_set(struct compile *c, const struct target *t, const struct bh_cfg_operand *to)
{
	if (t->driver != BH_SLOT_ROUTER || t->process)
		return;
	struct room_row *r = &c->room[t->room];
	r->is_set = true;
	if (r->row.kind != BH_ROOM_PAGE)
		return;
	if (to && to->type == BH_FLOAT && to->num >= 0 && to->num < c->pages)
		c->page_of[(uint32_t)to->num].is_reached = true;
	else
		c->every_page = true;
}

/* ------------------------------------------------------------------ values */

static bool
choice_operand(struct compile *c, const struct node *at, const char *text, const char *path, const struct known *k,
	       struct bh_cfg_operand *out)
{
	struct bh_suggest s = {.word = text};
	char list[160] = "";
	for (uint32_t i = 0; i < k->choices; i++) {
		size_t used = strlen(list);
		if (strcmp(k->choice[i], text) == 0) {
			*out = (struct bh_cfg_operand){.num = i, .text = put_text(c, text), .type = BH_FLOAT};
			return true;
		}
		bh_suggest_offer(&s, k->choice[i]);
		if (i < 12)
			snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", i < 11 ? k->choice[i] : "...");
	}
	COMPLAIN(c, at, path, s.best, "\"%s\" is none of %s", text, list);
	return false;
}

static bool
number_operand(struct compile *c, const struct node *at, const char *text, const char *path, const struct known *k,
	       struct bh_cfg_operand *out)
{
	struct bh_cfg_field f = {.type = BH_CFG_FLOAT, .unit = k->unit && *k->unit ? k->unit : NULL};
	double num;
	char why[160];
	if (bh_cfg_parse_value(&f, text, &num, why, sizeof(why)) < 0) {
		COMPLAIN(c, at, path, NULL, "%s", why);
		return false;
	}
	if (k->has_range && (num < k->min || num > k->max)) {
		COMPLAIN(c, at, path, NULL, "%g is not within %g to %g%s%s", num, k->min, k->max, f.unit ? " " : "",
			 f.unit ? f.unit : "");
		return false;
	}
	*out = (struct bh_cfg_operand){.num = num, .text = put_text(c, text), .type = BH_FLOAT};
	return true;
}

/* A number, or a word such as on and no; false: another text. */
static bool
is_number(const char *text, double *num)
{
	struct bh_cfg_field number = {.type = BH_CFG_FLOAT}, flag = {.type = BH_CFG_BOOL};
	char why[160];
	bool on;
	if (bh_cfg_parse_value(&number, text, num, why, sizeof(why)) == 0)
		return true;
	if (bh_cfg_parse_value(&flag, text, &on, why, sizeof(why)) < 0)
		return false;
	*num = on;
	return true;
}

bool
read_operand(struct compile *c, const struct node *at, const char *text, const char *path, const struct known *known,
	     struct bh_cfg_operand *out)
{
	double num = 0;
	if (at->kind != NODE_TEXT || (at->is_null && text == at->text)) {
		COMPLAIN(c, at, path, NULL, "is one value: a number, on or off, or a text");
		return false;
	}
	bool is_item = c->in_bank && strstr(text, "{}");
	if (is_item && strlen(text) <= BH_NAME_MAX) {
		*out = (struct bh_cfg_operand){.text = put_text(c, text), .type = BH_TEXT};
		return true;
	}
	if (known->type == BH_ENUM && known->choices)
		return choice_operand(c, at, text, path, known, out);
	if (known->type == BH_FLOAT || known->type == BH_INT)
		return number_operand(c, at, text, path, known, out);
	bool is_num = is_number(text, &num);
	if (known->type == BH_BOOL && (!is_num || (num != 0 && num != 1))) {
		COMPLAIN(c, at, path, NULL, "\"%s\" is neither on nor off", text);
		return false;
	}
	size_t most = known->type == BH_TEXT ? BH_TEXT_MAX : BH_NAME_MAX;
	if (strlen(text) > most) {
		COMPLAIN(c, at, path, NULL, "is too long, at most %zu bytes", most);
		return false;
	}
	is_num = is_num && known->type != BH_TEXT;
	*out = (struct bh_cfg_operand){
		.num = is_num ? num : 0, .text = put_text(c, text), .type = is_num ? BH_FLOAT : BH_TEXT};
	return true;
}

bool
pack_texts(struct compile *c, const struct node *list, const char *path, size_t most, uint32_t *off, uint32_t *len,
	   uint32_t *count)
{
	uint32_t n = !list ? 0 : list->kind == NODE_LIST ? list->count : 1;
	size_t used = 0, cap = 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct node *item = list->kind == NODE_LIST ? list->item[i] : list;
		if (item->kind != NODE_TEXT || item->is_null) {
			COMPLAIN(c, item, path, NULL, "is one text");
			return false;
		}
		if (strlen(item->text) > most) {
			COMPLAIN(c, item, path, NULL, "is too long, at most %zu bytes", most);
			return false;
		}
		cap += strlen(item->text) + 1;
	}
	char *packed = arena_alloc(c->arena, cap);
	for (uint32_t i = 0; i < n; i++) {
		const char *text = (list->kind == NODE_LIST ? list->item[i] : list)->text;
		size_t bytes = strlen(text) + 1;
		memcpy(packed + used, text, bytes);
		used += bytes;
	}
	*off = used ? bh_config_writer_str(c->w, packed, used) : 0;
	*len = (uint32_t)used;
	*count = n;
	return true;
}

/* ------------------------------------------------------------------ keys */

void
check_section(struct compile *c, const struct node *map, const char *section, const char *path)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct node *key = map->item[2 * i];
		struct bh_suggest s = {.word = key->text};
		bool is_there = false;
		for (size_t k = 0; k < bh_section_key_count; k++) {
			if (strcmp(bh_section_keys[k].section, section) != 0)
				continue;
			is_there = is_there || strcmp(bh_section_keys[k].key, key->text) == 0;
			bh_suggest_offer(&s, bh_section_keys[k].key);
		}
		if (!is_there)
			COMPLAIN(c, key, *path ? arena_print(c->arena, "%s.%s", path, key->text) : key->text, s.best,
				 "unknown key");
	}
}

bool
read_duration(struct compile *c, const struct node *map, const char *key, const char *path, const char *min,
	      const char *max, uint32_t *out)
{
	const struct node *n = node_get(map, key);
	struct bh_cfg_field f = {.type = BH_CFG_MS, .min = min, .max = max};
	char why[160];
	if (!n)
		return false;
	/* Of a key called so a number alone is milliseconds. */
	const char *text = n->kind == NODE_TEXT ? n->text : "";
	if (strcmp(key, "ms") == 0 && *text && !text[strspn(text, "0123456789")])
		text = arena_print(c->arena, "%sms", text);
	if (bh_cfg_parse_value(&f, text, out, why, sizeof(why)) == 0)
		return true;
	COMPLAIN(c, n, arena_print(c->arena, "%s.%s", path, key), NULL, "%s", why);
	return false;
}

bool
read_yes(struct compile *c, const struct node *map, const char *key, const char *path, bool *out)
{
	const struct node *n = node_get(map, key);
	struct bh_cfg_field f = {.type = BH_CFG_BOOL};
	char why[128] = "is yes or no";
	if (!n)
		return false;
	if (n->kind == NODE_TEXT && bh_cfg_parse_value(&f, n->text, out, why, sizeof(why)) == 0)
		return true;
	COMPLAIN(c, n, arena_print(c->arena, "%s.%s", path, key), NULL, "%s", why);
	return false;
}

int
read_word(struct compile *c, const struct node *map, const char *key, const char *path, int (*number)(const char *),
	  const char *(*name)(int))
{
	const struct node *n = node_get(map, key);
	if (!n)
		return -1;
	const char *word = n->kind == NODE_TEXT ? n->text : "";
	int v = number(word);
	if (v >= 0)
		return v;
	struct bh_suggest s = {.word = word};
	char list[160] = "";
	for (int i = 0; name(i); i++) {
		bh_suggest_offer(&s, name(i));
		size_t used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", name(i));
	}
	COMPLAIN(c, n, arena_print(c->arena, "%s.%s", path, key), s.best, "\"%s\" is none of %s", word, list);
	return -1;
}

bool
is_plain_name(const char *name)
{
	size_t len = strlen(name);
	bool good = len >= 1 && len <= 31 && isalpha((unsigned char)name[0]);
	for (size_t i = 0; good && i < len; i++)
		good = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-';
	return good;
}
