/*
 * schema.c - the configuration as a JSON Schema, for editors that complete and check while one types
 *
 * From the same tables as the compiler's checks and the reference. A schema is a coarse sieve: names of controls, parameters and pages,
 * and which key goes with which, are for `bulkhead check`.
 */
#include <string.h>

#include "common/config/bindings.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"
#include "procs/config/reference.h"

static void
put_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", (unsigned)*s);
		else
			putc(*s, out);
	}
	putc('"', out);
}

/* ------------------------------------------------------------------ types of bindings and sections */

/* Words of the tables; what YAML makes a number or a boolean of is a text to us. */
#define SCALAR "\"type\": [\"string\", \"number\", \"boolean\"]"
#define FLAG "\"enum\": [true, false, \"yes\", \"no\", \"on\", \"off\", \"true\", \"false\"]"
#define REF(name) "\"$ref\": \"#/definitions/" name "\""
#define LIST_OF(what) "\"type\": \"array\", \"items\": {" what "}"
#define MAP_OF(what) "\"type\": \"object\", \"additionalProperties\": {" what "}"
#define ANY_OF(a, b) "\"anyOf\": [{" a "}, {" b "}]"

/* clang-format off */
static const struct {
	const char *type, *schema;
} types[] = {
	{"number", SCALAR}, {"float", SCALAR}, {"text", SCALAR}, {"value", SCALAR}, {"duration", SCALAR}, {"condition", "\"type\": \"string\""},
	{"name", "\"type\": \"string\""}, {"bool", FLAG}, {"format", "\"enum\": [\"plain\", \"timecode\"]"},
	{"lower", "\"enum\": [\"value\", \"name\", \"text\"]"}, {"light", "\"enum\": [\"off\", \"on\", \"flash\", true, false]"},
	{"edge", "\"enum\": [\"press\", \"release\"]"}, {"order", "\"enum\": [\"offered\", \"name\"]"},
	{"list", ANY_OF(LIST_OF(SCALAR), SCALAR)}, {"items", ANY_OF(LIST_OF(SCALAR), "\"type\": \"string\"")},
	{"strips", ANY_OF(LIST_OF(SCALAR), SCALAR)}, {"pins", MAP_OF(SCALAR)},
	{"lights", "\"anyOf\": [{\"type\": \"string\"}, {" REF("light") "}, {" LIST_OF(ANY_OF("\"type\": \"string\"", REF("light"))) "}]"},
	{"steps", ANY_OF(REF("step"), LIST_OF(REF("step")))}, {"bindings", MAP_OF(REF("binding"))},
	{"layers", MAP_OF(MAP_OF(REF("binding")))}, {"reactions", LIST_OF(REF("reaction"))}, {"banks", MAP_OF(REF("bank"))},
	{"variables", MAP_OF(ANY_OF(REF("variable"), "\"type\": \"null\""))}, {"pages", LIST_OF(REF("page"))}, {"global", REF("global")},
	{"process", "\"type\": [\"object\", \"null\"]"},
};
/* clang-format on */

static void
put_names(FILE *out, const char *(*name)(int))
{
	fputs("\"enum\": [", out);
	for (int i = 0; name(i); i++) {
		fputs(i ? ", " : "", out);
		put_string(out, name(i));
	}
	putc(']', out);
}

/* `key`: where a type says the same of two keys that are not the same. */
static void
put_type(FILE *out, const char *type, const char *key)
{
	if (strcmp(type, "color") == 0)
		put_names(out, bh_color_name);
	else if (strcmp(type, "ring") == 0)
		put_names(out, bh_ring_name);
	else if (strcmp(type, "taper") == 0)
		put_names(out, bh_taper_name);
	else if (strcmp(type, "effect") == 0)
		put_names(out, bh_effect_name);
	else if (strcmp(type, "binding") == 0)
		fprintf(out, ANY_OF("\"type\": \"string\"", "\"$ref\": \"#/definitions/%s\""), key);
	else
		for (size_t i = 0; i < BH_ARRAY_LEN(types); i++)
			if (strcmp(types[i].type, type) == 0)
				fputs(types[i].schema, out);
}

static void
put_key(FILE *out, const char *key, const char *type, const char *help, const char *sep)
{
	fprintf(out, "%s\n      ", sep);
	put_string(out, key);
	fputs(": {", out);
	put_type(out, type, key);
	fputs(", \"description\": ", out);
	put_string(out, help);
	putc('}', out);
}

static void
put_section(FILE *out, const char *section)
{
	const char *sep = "";
	for (size_t i = 0; i < bh_section_key_count; i++) {
		const struct bh_section_key *k = &bh_section_keys[i];
		if (strcmp(k->section, section) != 0 || (strcmp(section, "root") == 0 && strncmp(k->type, "process", 7) == 0))
			continue;
		put_key(out, k->key, strcmp(section, "root") != 0 && strcmp(k->key, "banks") == 0 ? "list" : k->type, k->help, sep);
		sep = ",";
	}
}

/* A binding: all keys of all kinds. `part`: of a long or double press, with their own. */
static void
put_binding(FILE *out, const char *part)
{
	const char *sep = "";
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		const struct bh_binding_row *row = &bh_binding_rows[i];
		if (row->kind == BH_BIND_LIGHT)
			continue;
		put_key(out, row->key, row->kind == BH_BIND_DO ? "steps" : "name", row->help, sep);
		sep = ",";
	}
	for (size_t i = 0; i < bh_binding_field_count; i++) {
		const struct bh_binding_field *f = &bh_binding_fields[i];
		if (!part || (f->type[0] != 'b' || strcmp(f->type, "binding") != 0))
			put_key(out, f->key, f->type, f->help, sep);
	}
	if (part) {
		putc(',', out);
		put_section(out, part);
	}
}

/* ------------------------------------------------------------------ processes */

static void put_fields(FILE *out, const struct bh_cfg_field *f, const char **sep);

static void
put_field_type(FILE *out, const struct bh_cfg_field *f)
{
	const char *sep = "";
	switch (f->type) {
	case BH_CFG_BOOL: fputs(FLAG, out); return;
	case BH_CFG_LIST:
		fputs("\"type\": [\"array\", \"null\"], \"items\": {\"anyOf\": [{" SCALAR "}, {\"type\": \"object\", \"additionalProperties\": false, "
		      "\"properties\": {", out);
		put_fields(out, f->sub, &sep);
		fputs("}}]}", out);
		return;
	case BH_CFG_ENUM:
		fputs("\"enum\": [", out);
		for (uint32_t i = 0; f->choices && f->choices[i]; i++) {
			fputs(i ? ", " : "", out);
			put_string(out, f->choices[i]);
			/* What YAML takes for a boolean is the word to us. */
			if (strcmp(f->choices[i], "on") == 0 || strcmp(f->choices[i], "yes") == 0)
				fputs(", true", out);
			if (strcmp(f->choices[i], "off") == 0 || strcmp(f->choices[i], "no") == 0)
				fputs(", false", out);
		}
		putc(']', out);
		return;
	case BH_CFG_STR:
	case BH_CFG_U32:
	case BH_CFG_I32:
	case BH_CFG_FLOAT:
	case BH_CFG_PORT:
	case BH_CFG_MS:
	case BH_CFG_BYTES:
	case BH_CFG_PATH:
	case BH_CFG_SECRET: fputs(SCALAR, out); return;
	case BH_CFG_END: return;
	}
}

static void
put_fields(FILE *out, const struct bh_cfg_field *f, const char **sep)
{
	for (; f && f->type != BH_CFG_END; f++) {
		fprintf(out, "%s\n      ", *sep);
		put_string(out, f->key);
		fputs(": {", out);
		put_field_type(out, f);
		if (f->help) {
			fputs(", \"description\": ", out);
			put_string(out, f->help);
		}
		if (f->def) {
			fputs(", \"default\": ", out);
			put_string(out, f->def);
		}
		putc('}', out);
		*sep = ",";
	}
}

/* A process of a kind, or one that is always there. */
static void
put_kind(FILE *out, const struct kind *k)
{
	const char *sep = "";
	fprintf(out, ",\n    \"%s_%s\": {\"type\": [\"object\", \"null\"], \"additionalProperties\": false, \"properties\": {",
		k->role == BH_ROLE_DRIVER ? "driver" : k->role == BH_ROLE_SURFACE ? "surface" : "process", k->name);
	put_fields(out, common_fields_of(k->role, k), &sep);
	put_fields(out, k->fields, &sep);
	fputs("}}", out);
}

static void
put_processes(struct catalog *c, FILE *out, const char *section, const char *prefix, enum bh_role role)
{
	const char *sep = "";
	fprintf(out, ",\n    \"%s\": {\"type\": [\"object\", \"null\"], \"additionalProperties\": {\"anyOf\": [", section);
	for (uint32_t i = 0; i < c->kinds; i++) {
		if (c->kind[i].role != role)
			continue;
		fprintf(out, "%s{\"$ref\": \"#/definitions/%s_%s\"}", sep, prefix, c->kind[i].name);
		sep = ", ";
	}
	fputs("]}}", out);
}

void
print_schema(struct catalog *c, FILE *out)
{
	static const char *const sections[] = {"page", "global", "light", "step", "reaction", "bank", "variable"};
	fputs("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": \"Bulkhead configuration\",\n"
	      "  \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"bulkhead\"],\n  \"properties\": {",
	      out);
	put_section(out, "root");
	put_processes(c, out, "surfaces", "surface", BH_ROLE_SURFACE);
	put_processes(c, out, "drivers", "driver", BH_ROLE_DRIVER);
	for (uint32_t i = 0; i < c->kinds; i++)
		if (c->kind[i].role < BH_ROLE_SURFACE)
			fprintf(out, ",\n    \"%s\": {\"$ref\": \"#/definitions/process_%s\"}", c->kind[i].name, c->kind[i].name);
	fputs("},\n  \"definitions\": {\n    \"binding\": {\"anyOf\": [{\"type\": \"string\"}, {" REF("entry") "}]},\n", out);
	fputs("    \"entry\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
	put_binding(out, NULL);
	fputs("}},\n    \"hold\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
	put_binding(out, "hold");
	fputs("}},\n    \"double\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
	put_binding(out, "double");
	fputs("}}", out);
	for (size_t i = 0; i < BH_ARRAY_LEN(sections); i++) {
		fprintf(out, ",\n    \"%s\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", sections[i]);
		put_section(out, sections[i]);
		fputs("}}", out);
	}
	for (uint32_t i = 0; i < c->kinds; i++)
		put_kind(out, &c->kind[i]);
	fputs("}\n}\n", out);
}
