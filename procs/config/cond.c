/*
 * cond.c - conditions as people write them: "obs/studio", "not obs/studio", "obs/scene == Wide", "loop/ch1/level > -10 dB"
 *
 * Names of backends have blanks in them, so an operator counts only with a blank on each side. A name or a value that holds such
 * a thing itself is written in double quotes.
 */
#include <string.h>

#include "common/config/bindings.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

/* Its parts, cut out of the text. */
struct cond_text {
	const char *name, *value; /* where they begin in the text */
	const char *op_at;
	size_t name_len, value_len;
	int op;		  /* enum bh_cond_op; -1 = none */
	bool is_not, is_changes;
};

static const char *
after_word(const char *s, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(s, word, n) != 0 || s[n] != ' ')
		return NULL;
	return s + n + strspn(s + n, " ");
}

/* The next operator that stands free, from `s` on. */
static const char *
find_op(const char *s, int *op, size_t *len)
{
	for (const char *blank = strchr(s, ' '); blank; blank = strchr(blank + 1, ' ')) {
		const char *word = blank + 1;
		size_t n = strcspn(word, " ");
		char copy[4] = "";
		if (!n || n >= sizeof(copy))
			continue;
		memcpy(copy, word, n);
		*op = bh_cond_op_from_name(copy);
		if (*op < 0)
			continue;
		*len = n;
		return word;
	}
	return NULL;
}

/* "a b" with its quotes: what is inside. */
static void
unquote(const char **s, size_t *len)
{
	if (*len < 2 || (*s)[0] != '"' || (*s)[*len - 1] != '"')
		return;
	++*s;
	*len -= 2;
}

static void
cut(const char *text, struct cond_text *t)
{
	const char *s = text + strspn(text, " "), *rest, *close = *s == '"' ? strchr(s + 1, '"') : NULL;
	size_t len = 0;
	*t = (struct cond_text){.op = -1};
	if (!close && (rest = after_word(s, "not"))) {
		t->is_not = true;
		s = rest;
	} else if (!close && (rest = after_word(s, "changes"))) {
		t->is_changes = true;
		s = rest;
	}
	if (*s == '"')
		close = strchr(s + 1, '"');
	t->name = s;
	t->name_len = strlen(s);
	t->op_at = find_op(close ? close : s, &t->op, &len);
	if (t->op_at) {
		t->name_len = (size_t)(t->op_at - s);
		t->value = t->op_at + len + strspn(t->op_at + len, " ");
		t->value_len = strlen(t->value);
	} else {
		t->op = -1;
	}
	while (t->name_len && t->name[t->name_len - 1] == ' ')
		t->name_len--;
	while (t->value_len && t->value[t->value_len - 1] == ' ')
		t->value_len--;
	unquote(&t->name, &t->name_len);
}

static bool
read_value(struct compile *c, const struct node *n, const char *path, const struct cond_text *t, const struct known *known,
	   struct bh_cfg_operand *out)
{
	const char *s = t->value;
	size_t len = t->value_len;
	const struct node *at = node_at(c, n, s);
	if (!len) {
		COMPLAIN(c, node_at(c, n, t->op_at), path, NULL, "%s is followed by a value", bh_cond_op_name(t->op));
		return false;
	}
	unquote(&s, &len);
	const char *text = arena_copy(c->arena, s, len);
	if (!read_operand(c, at, text, path, known, out))
		return false;
	/* What was quoted is a text, whatever it looks like. */
	if (len != t->value_len && known->type == BH_NONE)
		out->type = BH_TEXT;
	bool by_size = t->op != BH_COND_EQ && t->op != BH_COND_NE;
	if (!by_size || (out->type == BH_FLOAT && known->type != BH_ENUM && known->type != BH_BOOL))
		return true;
	COMPLAIN(c, at, path, NULL, "%s compares numbers; for \"%s\" write == or !=", bh_cond_op_name(t->op), text);
	return false;
}

/* x==y, x ==y: meant as an operator, and none. */
static bool
check_tight(struct compile *c, const struct node *n, const char *path, const char *name)
{
	static const char *const tight[] = {"==", "!=", ">=", "<="};
	for (size_t i = 0; i < BH_ARRAY_LEN(tight); i++) {
		const char *p = strstr(name, tight[i]);
		if (!p)
			continue;
		COMPLAIN(c, node_at(c, n, strstr(n->text, tight[i])), path, NULL, "write a blank on each side of %s", tight[i]);
		return false;
	}
	return true;
}

bool
read_cond(struct compile *c, const struct node *n, const char *path, bool with_changes, struct bh_cfg_cond *out)
{
	struct cond_text t;
	struct target target;
	*out = (struct bh_cfg_cond){.driver = BH_SLOT_NONE};
	if (n->kind != NODE_TEXT || n->is_null || !*n->text) {
		COMPLAIN(c, n, path, NULL, "is a condition, as in loop/ch1/mute, not loop/ch1/mute, loop/scene == Opening");
		return false;
	}
	cut(n->text, &t);
	const char *name = arena_copy(c->arena, t.name, t.name_len);
	if (t.is_changes && !with_changes) {
		COMPLAIN(c, n, path, NULL, "\"changes\" is for reactions: nothing is so for longer than a moment");
		return false;
	}
	if ((t.is_not || t.is_changes) && t.op >= 0) {
		COMPLAIN(c, node_at(c, n, t.op_at), path, NULL, "\"%s\" goes with a name alone%s", t.is_not ? "not" : "changes",
			 t.is_not ? "; write == or != and so on" : "");
		return false;
	}
	if (t.op < 0 && t.name[-(t.name > n->text)] != '"' && !check_tight(c, n, path, name))
		return false;
	if (!find_target(c, node_at(c, n, t.name), name, path, &target))
		return false;
	out->driver = target.driver;
	out->target = put_text(c, target.name);
	out->op = (uint8_t)(t.op >= 0 ? t.op : t.is_not ? BH_COND_OFF : t.is_changes ? BH_COND_CHANGES : BH_COND_ON);
	return t.op < 0 || read_value(c, n, path, &t, &target.known, &out->with);
}
