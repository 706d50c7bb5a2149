/*
 * describe.c - what a process says about itself to bh-config: --describe, as YAML
 *
 * Everything but the words of the format is written double-quoted, so that no help text can break it.
 */
#include "common/config/table.h"

#include "common/driver.h"

static void
put_quoted(FILE *out, const char *s)
{
	putc('"', out);
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", (unsigned)*s);
		else
			putc(*s, out);
	}
	putc('"', out);
}

static void
put_text(FILE *out, int indent, const char *key, const char *s)
{
	if (!s)
		return;
	fprintf(out, "%*s%s: ", indent, "", key);
	put_quoted(out, s);
	putc('\n', out);
}

static void
put_choices(FILE *out, int indent, const char *const *choices)
{
	if (!choices)
		return;
	fprintf(out, "%*schoices: [", indent, "");
	for (size_t i = 0; choices[i]; i++) {
		fputs(i ? ", " : "", out);
		put_quoted(out, choices[i]);
	}
	fputs("]\n", out);
}

void
bh_cfg_describe(FILE *out, const struct bh_cfg_field *fields, int indent)
{
	for (const struct bh_cfg_field *f = fields; f && f->type != BH_CFG_END; f++) {
		int in = indent + 2;
		fprintf(out, "%*s- key: ", indent, "");
		put_quoted(out, f->key);
		fprintf(out, "\n%*stype: %s\n", in, "", bh_cfg_type_name(f->type));
		put_text(out, in, "default", f->def);
		put_text(out, in, "min", f->min);
		put_text(out, in, "max", f->max);
		put_text(out, in, "unit", f->unit);
		put_choices(out, in, f->choices);
		fprintf(out, "%*sreload: %s\n", in, "", f->reload == BH_RELOAD_LIVE ? "live" : "restart");
		put_text(out, in, "help", f->help);
		if (f->type == BH_CFG_LIST && f->sub) {
			fprintf(out, "%*ssub:\n", in, "");
			bh_cfg_describe(out, f->sub, in + 2);
		}
	}
}

void
bh_cfg_describe_kind(FILE *out, const char *kind, const char *role, const struct bh_cfg_field *fields)
{
	put_text(out, 0, "kind", kind);
	put_text(out, 0, "role", role);
	if (!fields || fields->type == BH_CFG_END) {
		fputs("fields: []\n", out);
		return;
	}
	fputs("fields:\n", out);
	bh_cfg_describe(out, fields, 2);
}

static const char *
value_type_name(enum bh_type type)
{
	switch (type) {
	case BH_BOOL: return "bool";
	case BH_INT: return "int";
	case BH_FLOAT: return "float";
	case BH_ENUM: return "choice";
	case BH_TEXT: return "text";
	case BH_TRIGGER: return "trigger";
	case BH_NONE: break;
	}
	return "none";
}

void
bh_cfg_describe_max_params(FILE *out, uint32_t n)
{
	if (n)
		fprintf(out, "max_params: \"%u\"\n", n);
}

void
bh_cfg_describe_params(FILE *out, const struct bh_param *params)
{
	if (!params || !params->name) {
		fputs("params: []\n", out);
		return;
	}
	fputs("params:\n", out);
	for (const struct bh_param *p = params; p->name; p++) {
		fputs("  - name: ", out);
		put_quoted(out, p->name);
		fprintf(out, "\n    type: %s\n", value_type_name(p->type));
		put_text(out, 4, "unit", p->unit);
		if (p->type == BH_FLOAT || p->type == BH_INT)
			fprintf(out, "    min: \"%g\"\n    max: \"%g\"\n", p->min, p->max);
		put_choices(out, 4, p->choices);
		fprintf(out, "    access: \"%s%s%s\"\n", p->access & BH_ACCESS_READ ? "read" : "",
			p->access & BH_ACCESS_WRITE ? " write" : "", p->access & BH_ACCESS_METER ? " meter" : "");
		put_text(out, 4, "label", p->label);
	}
}

void
bh_cfg_describe_actions(FILE *out, const struct bh_action_desc *actions)
{
	if (!actions || !actions->name) {
		fputs("actions: []\n", out);
		return;
	}
	fputs("actions:\n", out);
	for (const struct bh_action_desc *a = actions; a->name; a++) {
		fputs("  - name: ", out);
		put_quoted(out, a->name);
		putc('\n', out);
		put_text(out, 4, "args", a->args);
		put_text(out, 4, "help", a->help);
	}
}
