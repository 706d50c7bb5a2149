/* steps.c - actions with their arguments, and the lists of steps of macros, `also` and reactions */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

#define ACTION_ARGS_MAX 6u /* BH_ACTION_ARGS of driver.h */
#define STEPS_MAX 64u	   /* of one list */
#define ALL_STEPS_MAX 65535u

/* ------------------------------------------------------------------ arguments */

/* The arguments as they are written: a list, or one alone. */
static const struct node *
arg_at(const struct node *args, uint32_t i)
{
	return !args ? NULL : args->kind == NODE_LIST ? args->item[i] : args;
}

static uint32_t
arg_count(const struct node *args)
{
	return !args || (args->kind == NODE_TEXT && args->is_null) ? 0 : args->kind == NODE_LIST ? args->count : 1;
}

/* A word of an action's arguments: "NAME", "play|stop", "[NAME]", "program|preview|PTZ". */
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

/* In capitals: it stands for whatever has a name. */
static bool
is_placeholder(const char *choice)
{
	return *choice && strspn(choice, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(choice);
}

static void
check_choice(struct compile *c, const struct node *arg, const char *word, const char *path)
{
	struct bh_suggest s = {.word = arg->text};
	if (!strchr(word, '|'))
		return;
	for (const char *p = word; *p;) {
		size_t n = strcspn(p, "|");
		char *choice = arena_copy(c->arena, p, n);
		if (strcmp(choice, arg->text) == 0 || is_placeholder(choice))
			return;
		bh_suggest_offer(&s, choice);
		p += n + (p[n] == '|');
	}
	COMPLAIN(c, arg, path, s.best, "\"%s\" is none of %s", arg->text, word);
}

static void
check_variable(struct compile *c, const struct node *arg, const char *at, size_t len, const char *path)
{
	const char *name = arena_copy(c->arena, at, len);
	struct bh_suggest s = {.word = name};
	if (strcmp(name, "page") == 0)
		return;
	bh_suggest_offer(&s, "page");
	for (uint32_t i = 0; i < c->rooms; i++) {
		if (c->room[i].row.kind != BH_ROOM_VAR)
			continue;
		const char *var = c->room[i].name + strlen("var/");
		if (strcmp(var, name) == 0)
			return;
		bh_suggest_offer(&s, var);
	}
	COMPLAIN(c, node_at(c, arg, at), path, s.best, "there is no variable called \"%s\"; for a $ write $$", name);
}

/* $name and $$; true if there is any of them. */
static bool
check_variables(struct compile *c, const struct node *arg, const char *path)
{
	bool any = false;
	for (const char *p = strchr(arg->text, '$'); p; p = strchr(p, '$')) {
		size_t len = 0;
		any = true;
		p++;
		while (isalnum((unsigned char)p[len]) || p[len] == '_' || p[len] == '-')
			len++;
		if (*p == '$')
			p++;
		else if (!len)
			COMPLAIN(c, node_at(c, arg, p - 1), path, NULL, "a $ is followed by the name of a variable; for a $ write $$");
		else
			check_variable(c, arg, p, len, path);
	}
	return any;
}

/* `words`: what the action takes. */
static bool
read_args(struct compile *c, const struct node *at, const struct node *args, const char *path, const char *words,
	  uint32_t required, uint32_t most, bool with_vars, struct call *out)
{
	uint32_t count = arg_count(args);
	char packed[BH_PAYLOAD_MAX];
	size_t used = 0;
	if (count < required) {
		COMPLAIN(c, args ? args : at, path, NULL, "%s: args: [%s]",
			 count ? "too few arguments" : "arguments are missing", words);
		return false;
	}
	if (count > most || count > ACTION_ARGS_MAX) {
		COMPLAIN(c, args, path, NULL, most ? "too many arguments, at most %u" : "it takes no arguments",
			 most < ACTION_ARGS_MAX ? most : ACTION_ARGS_MAX);
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct node *arg = arg_at(args, i);
		if (arg->kind != NODE_TEXT) {
			COMPLAIN(c, arg, path, NULL, "an argument is one value");
			return false;
		}
		size_t n = strlen(arg->text) + 1;
		if (used + n > sizeof(packed)) {
			COMPLAIN(c, arg, path, NULL, "the arguments are too long, at most %zu bytes", sizeof(packed));
			return false;
		}
		memcpy(packed + used, arg->text, n);
		used += n;
		if (with_vars && check_variables(c, arg, path))
			out->has_vars = true;
		else if (!c->in_bank || !strstr(arg->text, "{}"))
			check_choice(c, arg, arg_word(c->arena, words, i), path);
	}
	if (used)
		out->args = bh_config_writer_str(c->w, packed, used);
	out->args_len = (uint32_t)used;
	return true;
}

/* ------------------------------------------------------------------ actions of the router */

/* clang-format off */
static const struct own_action {
	const char *name;
	enum bh_page_action action;
	bool of_page, of_bank;
} own_actions[] = {
	{"page/next", BH_PAGE_NEXT, false, false},
	{"page/previous", BH_PAGE_PREVIOUS, false, false},
	{"page/go", BH_PAGE_GO, true, false},
	{"page/back", BH_PAGE_BACK, false, false},
	{"bank/next", BH_BANK_NEXT, false, true},
	{"bank/previous", BH_BANK_PREVIOUS, false, true},
	{"bank/home", BH_BANK_HOME, false, true},
	{"channel/next", BH_BANK_CHANNEL_NEXT, false, true},
	{"channel/previous", BH_BANK_CHANNEL_PREVIOUS, false, true},
};
/* clang-format on */

static bool
is_own(const char *text)
{
	return strncmp(text, "page/", 5) == 0 || strncmp(text, "bank/", 5) == 0 || strncmp(text, "channel/", 8) == 0;
}

static const struct own_action *
find_own_action(struct compile *c, const struct node *n, const char *path)
{
	struct bh_suggest s = {.word = n->text};
	char list[160] = "";
	size_t group = strcspn(n->text, "/") + 1;
	for (size_t i = 0; i < BH_ARRAY_LEN(own_actions); i++) {
		const char *name = own_actions[i].name;
		size_t used = strlen(list);
		if (strcmp(name, n->text) == 0)
			return &own_actions[i];
		bh_suggest_offer(&s, name);
		if (strncmp(name, n->text, group) == 0)
			snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", name);
	}
	COMPLAIN(c, n, path, s.best, "there is no action \"%s\"; there is %s", n->text, list);
	return NULL;
}

static bool
read_own_bank(struct compile *c, const struct node *n, const struct node *args, const char *path, struct call *out)
{
	/* With one bank there is no doubt. */
	if (!arg_count(args) && c->banks == 1) {
		out->args = bh_config_writer_str(c->w, c->bank[0].name, strlen(c->bank[0].name) + 1);
		out->args_len = (uint32_t)strlen(c->bank[0].name) + 1;
		c->room[c->bank[0].row.room].is_set = true;
		return true;
	}
	if (!c->banks) {
		COMPLAIN(c, n, path, NULL, "there is no bank");
		return false;
	}
	if (!read_args(c, n, args, path, "BANK", 1, 1, false, out))
		return false;
	const struct node *bank = arg_at(args, 0);
	int i = find_bank(c, bank->text);
	if (i >= 0)
		return true;
	struct bh_suggest s = {.word = bank->text};
	for (uint32_t k = 0; k < c->banks; k++)
		bh_suggest_offer(&s, c->bank[k].name);
	COMPLAIN(c, bank, path, s.best, "there is no bank called \"%s\"", bank->text);
	return false;
}

static bool
read_own_action(struct compile *c, const struct node *n, const struct node *args, const char *path, const char *args_path,
		struct call *out)
{
	const struct own_action *a = find_own_action(c, n, path);
	if (!a)
		return false;
	out->driver = BH_DRIVER_PAGE;
	out->target = strchr(a->name, '/') + 1;
	out->action = (uint16_t)a->action;
	if (a->of_bank)
		return read_own_bank(c, n, args, args_path, out);
	if (!read_args(c, n, args, args_path, a->of_page ? "PAGE" : "", a->of_page, a->of_page, false, out))
		return false;
	if (!a->of_page) {
		c->every_page = c->every_page || a->action != BH_PAGE_BACK;
		return true;
	}
	const struct node *page = arg_at(args, 0);
	int number = find_page(c, page->text);
	if (number >= 0)
		c->page_of[number].is_reached = true;
	else
		COMPLAIN(c, page, args_path, meant_page(c, page->text), "there is no page called \"%s\"", page->text);
	return number >= 0;
}

/* ------------------------------------------------------------------ actions of drivers */

bool
read_call(struct compile *c, const struct node *n, const struct node *args, const char *path, const char *args_path,
	  struct call *out)
{
	struct target t;
	*out = (struct call){.driver = BH_SLOT_NONE};
	if (n->kind != NODE_TEXT || n->is_null) {
		COMPLAIN(c, n, path, NULL, "is one name, as in loop/scene or page/next");
		return false;
	}
	if (is_own(n->text))
		return read_own_action(c, n, args, path, args_path, out);
	if (!find_target(c, n, n->text, path, &t))
		return false;
	if (!t.process) {
		COMPLAIN(c, n, path, NULL, "%s is a parameter, not an action; to set it, write value, toggle, momentary, radio or set",
			 n->text);
		return false;
	}
	out->driver = t.driver;
	out->target = t.name;
	if (t.process->is_broken)
		return false;
	const struct kind *k = t.process->kind;
	for (uint32_t i = 0; i < k->actions; i++) {
		const struct action *a = &k->action[i];
		if (strcmp(a->name, t.name) == 0) {
			out->action = a->index;
			return read_args(c, n, args, args_path, a->args, a->required, a->most, true, out);
		}
	}
	struct bh_suggest s = {.word = t.name};
	for (uint32_t i = 0; i < k->actions; i++)
		bh_suggest_offer(&s, k->action[i].name);
	COMPLAIN(c, n, path, s.best, "%s (%s) has no action \"%s\"", t.process->name, k->name, t.name);
	return false;
}

/* ------------------------------------------------------------------ steps */

static const struct {
	const char *key;
	enum bh_step_kind kind;
	const char *with, *needs; /* the further key that goes with it, and whether it must be there */
} step_kinds[] = {
	{"action", BH_STEP_ACTION, "args", NULL},
	{"set", BH_STEP_SET, "to", "the value"},
	{"toggle", BH_STEP_TOGGLE, NULL, NULL},
	{"add", BH_STEP_ADD, "by", "the difference"},
};

struct step_in {
	struct compile *c;
	const struct node *node;
	const char *path;
	bool pressed;
	int kind; /* index of step_kinds, -1 = none */
};

static const char *
step_path(struct step_in *s, const char *key)
{
	return arena_print(s->c->arena, "%s.%s", s->path, key);
}

static void
find_step_kind(struct step_in *s)
{
	s->kind = -1;
	for (int i = 0; i < (int)BH_ARRAY_LEN(step_kinds); i++) {
		const struct node *key = node_key(s->node, step_kinds[i].key);
		if (!key)
			continue;
		if (s->kind >= 0)
			COMPLAIN(s->c, key, step_path(s, key->text), NULL, "a step does one thing: either %s or %s",
				 step_kinds[s->kind].key, key->text);
		else
			s->kind = i;
	}
	/* What belongs to another kind of step. */
	for (size_t i = 0; s->kind >= 0 && i < BH_ARRAY_LEN(step_kinds); i++) {
		const struct node *key = step_kinds[i].with ? node_key(s->node, step_kinds[i].with) : NULL;
		if (key && (int)i != s->kind)
			COMPLAIN(s->c, key, step_path(s, key->text), NULL, "goes with %s, not with %s", step_kinds[i].key,
				 step_kinds[s->kind].key);
	}
}

static void
read_step_target(struct step_in *s, struct bh_cfg_step *out)
{
	const char *key = step_kinds[s->kind].key, *with = step_kinds[s->kind].with;
	const struct node *n = node_get(s->node, key), *value = with ? node_get(s->node, with) : NULL;
	struct target t;
	struct call call;
	out->kind = (uint8_t)step_kinds[s->kind].kind;
	if (out->kind == BH_STEP_ACTION) {
		if (read_call(s->c, n, value, step_path(s, key), step_path(s, "args"), &call)) {
			out->driver = call.driver;
			out->action = call.action;
			out->args = call.args;
			out->args_len = call.args_len;
			out->target = put_text(s->c, call.target);
			out->flags |= call.has_vars ? BH_STEPF_VARS : 0;
		}
		return;
	}
	if (!find_settable(s->c, n, step_path(s, key), &t))
		return;
	out->driver = t.driver;
	out->target = put_text(s->c, t.name);
	if (out->kind == BH_STEP_ADD) {
		struct known number = {.type = BH_FLOAT, .unit = t.known.unit};
		if (t.known.type == BH_TEXT || t.known.type == BH_ENUM || t.known.type == BH_BOOL)
			COMPLAIN(s->c, n, step_path(s, key), NULL, "%s is no number", n->text);
		else if (value)
			read_operand(s->c, value, value->kind == NODE_TEXT ? value->text : "", step_path(s, with), &number, &out->to);
	} else if (value) {
		if (read_operand(s->c, value, value->kind == NODE_TEXT ? value->text : "", step_path(s, with), &t.known, &out->to) &&
		    out->to.type == BH_TEXT && strchr(value->text, '$') && check_variables(s->c, value, step_path(s, with)))
			out->flags |= BH_STEPF_VARS;
	}
	if (step_kinds[s->kind].needs && !value)
		COMPLAIN(s->c, n, step_path(s, with), NULL, "is required: %s", step_kinds[s->kind].needs);
	note_set(s->c, &t, out->kind == BH_STEP_SET ? &out->to : NULL);
}

static void
read_step(struct step_in *s)
{
	struct bh_cfg_step out = {.driver = BH_SLOT_NONE, .when = {.driver = BH_SLOT_NONE}, .place = place_of(s->node)};
	const struct node *at = node_get(s->node, "at"), *cond = node_get(s->node, "if");
	if (s->node->kind != NODE_MAP) {
		COMPLAIN(s->c, s->node, s->path, NULL, "is a step, as in { set: loop/ch1/mute, to: on } or { action: page/next }");
		return;
	}
	check_section(s->c, s->node, "step", s->path);
	find_step_kind(s);
	if (s->kind < 0) {
		COMPLAIN(s->c, s->node, s->path, NULL, "does not say what it does: action, set, toggle or add");
		return;
	}
	read_step_target(s, &out);
	read_duration(s->c, s->node, "wait", s->path, "0", "10m", &out.delay_ms);
	if (cond)
		read_cond(s->c, cond, step_path(s, "if"), false, &out.when);
	if (at && (at->kind != NODE_TEXT || (strcmp(at->text, "release") != 0 && strcmp(at->text, "press") != 0)))
		COMPLAIN(s->c, at, step_path(s, "at"), NULL, "is press or release");
	else if (at && !s->pressed)
		COMPLAIN(s->c, node_key(s->node, "at"), step_path(s, "at"), NULL, "a reaction is not pressed or let go");
	else if (at && strcmp(at->text, "release") == 0)
		out.flags |= BH_STEPF_RELEASE;
	*ARENA_PUSH(s->c->arena, s->c->step, s->c->steps) = out;
}

void
read_steps(struct compile *c, const struct node *list, const char *path, bool pressed, uint32_t *first, uint16_t *count)
{
	uint32_t n = list->kind == NODE_LIST ? list->count : 1;
	*first = c->steps;
	*count = 0;
	if (list->kind == NODE_TEXT || !n) {
		COMPLAIN(c, list, path, NULL, "is a list of steps, as in [{ set: loop/ch1/mute, to: on }, { action: page/next }]");
		return;
	}
	if (n > STEPS_MAX) {
		COMPLAIN(c, list->item[STEPS_MAX], path, NULL, "too many steps, at most %u in one list", STEPS_MAX);
		return;
	}
	if (c->steps + n > ALL_STEPS_MAX) {
		COMPLAIN(c, list, path, NULL, "too many steps, at most %u in all lists together", ALL_STEPS_MAX);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct step_in s = {.c = c, .pressed = pressed, .node = list->kind == NODE_LIST ? list->item[i] : list};
		s.path = list->kind == NODE_LIST ? arena_print(c->arena, "%s[%u]", path, i) : path;
		read_step(&s);
	}
	*count = (uint16_t)(c->steps - *first);
}
