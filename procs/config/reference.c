/* reference.c - see reference.h */
#include "procs/config/reference.h"

#include <string.h>

#include "common/config/bindings.h"
#include "common/config/suggest.h"
#include "common/mem.h"
#include "procs/config/compile_int.h"

/* The order in which kinds are shown: the roles, and by name within one. */
static const struct {
	enum bh_role role;
	const char *title, *text;
} chapters[] = {
	{BH_ROLE_SUPERVISOR, "`supervisor`", "Starts, watches and restarts all others."},
	{BH_ROLE_ROUTER, "`router`", "Owns the state: pages, bindings, what is wanted."},
	{BH_ROLE_CONTROL, "`control`", "Answers the tool `bulkhead`."},
	{BH_ROLE_STORE, "`store`", "Writes snapshots, so that a cold start comes back where the room was."},
	{BH_ROLE_SURFACE, "`surfaces`", "Each is `NAME: { device: DEVICE, ... }`; a process of its own."},
	{BH_ROLE_DRIVER, "`drivers`", "Each is `NAME: { kind: KIND, ... }`; a process of its own."},
};

/* ------------------------------------------------------------------ Markdown */

/* In a cell of a table: a bar would end it. */
static void
put_cell(FILE *out, const char *s)
{
	for (; s && *s; s++)
		fprintf(out, *s == '|' ? "\\|" : "%c", *s);
}

static void
put_field_type(FILE *out, const struct bh_cfg_field *f)
{
	if (f->type != BH_CFG_ENUM || !f->choices) {
		fputs(bh_cfg_type_name(f->type), out);
		if (f->unit)
			fprintf(out, " (%s)", f->unit);
		return;
	}
	for (uint32_t i = 0; f->choices[i]; i++)
		fprintf(out, "%s`%s`", i ? " " : "", f->choices[i]);
}

static void
put_field_default(FILE *out, const struct bh_cfg_field *f)
{
	if (f->type == BH_CFG_LIST)
		fputs("empty", out);
	else if (!f->def)
		fputs("required", out);
	else if (!*f->def)
		fputs("`\"\"`", out);
	else
		fprintf(out, "`%s`", f->def);
}

/* "1 to 64", "at least 1", "at most 64". */
static void
put_range(FILE *out, const char *before, const struct bh_cfg_field *f)
{
	if (f->min && f->max)
		fprintf(out, "%s%s to %s", before, f->min, f->max);
	else if (f->min || f->max)
		fprintf(out, "%sat %s %s", before, f->min ? "least" : "most", f->min ? f->min : f->max);
}

static void
put_field_row(FILE *out, const struct bh_cfg_field *f, const char *prefix, bool is_live)
{
	fprintf(out, "| `%s%s` | ", prefix, f->key);
	put_field_type(out, f);
	fputs(" | ", out);
	put_field_default(out, f);
	fputs(" | ", out);
	put_range(out, "", f);
	fprintf(out, " | %s | ", is_live ? "live" : "restart");
	put_cell(out, f->help);
	fputs(" |\n", out);
}

static void
put_field_rows(FILE *out, const struct bh_cfg_field *f, const char *prefix, bool is_live)
{
	for (; f && f->type != BH_CFG_END; f++) {
		bool live = is_live || f->reload == BH_RELOAD_LIVE;
		char inner[128];
		put_field_row(out, f, prefix, live);
		if (f->type != BH_CFG_LIST || !f->sub)
			continue;
		snprintf(inner, sizeof(inner), "%s%s[].", prefix, f->key);
		put_field_rows(out, f->sub, inner, live);
	}
}

static void
put_fields(FILE *out, const struct bh_cfg_field *fields)
{
	if (!fields || fields->type == BH_CFG_END)
		return;
	fputs("\n| key | type | default | range | change | meaning |\n| --- | --- | --- | --- | --- | --- |\n", out);
	put_field_rows(out, fields, "", false);
}

static void
put_actions(FILE *out, const struct kind *k)
{
	if (!k->actions)
		return;
	fputs("\n| action | arguments | what it does |\n| --- | --- | --- |\n", out);
	for (uint32_t i = 0; i < k->actions; i++) {
		fprintf(out, "| `%s` | ", k->action[i].name);
		put_cell(out, k->action[i].args);
		fputs(" | ", out);
		put_cell(out, k->action[i].help);
		fputs(" |\n", out);
	}
}

static void
put_params(FILE *out, const struct kind *k)
{
	if (!k->params)
		return;
	fputs("\n| parameter | type | range | access |\n| --- | --- | --- | --- |\n", out);
	for (uint32_t i = 0; i < k->params; i++) {
		const struct param *p = &k->param[i];
		fprintf(out, "| `%s` | %s | ", p->name, p->type ? p->type : "");
		if (p->choices)
			put_cell(out, p->choices);
		else if (p->min && p->max)
			fprintf(out, "%s to %s %s", p->min, p->max, p->unit ? p->unit : "");
		fprintf(out, " | %s |\n", p->access ? p->access : "");
	}
}

static void
put_chapter(struct catalog *c, FILE *out, size_t n)
{
	bool is_fixed = chapters[n].role < BH_ROLE_SURFACE;
	fprintf(out, "\n## %s\n\n%s\n", chapters[n].title, chapters[n].text);
	if (!is_fixed)
		fputs("\nKeys of all of them:\n", out);
	put_fields(out, common_fields(chapters[n].role));
	for (uint32_t i = 0; i < c->kinds; i++) {
		const struct kind *k = &c->kind[i];
		if (k->role != chapters[n].role)
			continue;
		if (is_fixed) {
			put_fields(out, k->fields);
			continue;
		}
		fprintf(out, "\n### Kind `%s`\n", k->name);
		if (k->max_params)
			fprintf(out, "\nIts `params` is `%s` where nothing is written.\n", k->max_params);
		put_fields(out, k->fields);
		put_actions(out, k);
		put_params(out, k);
	}
}

static void
put_control_kinds(FILE *out, uint32_t controls)
{
	const char *sep = "";
	for (int k = 1; k < BH_CTL_KIND_COUNT; k++) {
		if (!(controls & 1u << k))
			continue;
		fprintf(out, "%s%s", sep, bh_control_kind_name(k));
		sep = ", ";
	}
}

/* Of the kinds that have this key, those controls on which it does something. */
static uint32_t
controls_of(const struct bh_binding_field *f)
{
	uint32_t controls = 0;
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++)
		if (bh_binding_row_has(&bh_binding_rows[i], f->key))
			controls |= bh_binding_rows[i].controls & f->controls;
	return controls;
}

static void
put_section(FILE *out, const char *section, const char *title)
{
	fprintf(out, "\n%s\n\n| key | type | meaning |\n| --- | --- | --- |\n", title);
	for (size_t k = 0; k < bh_section_key_count; k++) {
		if (strcmp(bh_section_keys[k].section, section) != 0)
			continue;
		fprintf(out, "| `%s` | %s | ", bh_section_keys[k].key, bh_section_keys[k].type);
		put_cell(out, bh_section_keys[k].help);
		fputs(" |\n", out);
	}
}

static void
put_kinds(FILE *out)
{
	fputs("\n| kind | stands on | further keys | meaning |\n| --- | --- | --- | --- |\n", out);
	for (int i = 1; i < BH_BIND_KIND_COUNT; i++) {
		const struct bh_binding_row *row = &bh_binding_rows[i];
		const char *sep = "";
		fprintf(out, "| `%s` | ", row->key);
		put_control_kinds(out, row->controls);
		fputs(" | ", out);
		for (size_t k = 0; k < bh_binding_field_count; k++) {
			if (!bh_binding_row_has(row, bh_binding_fields[k].key))
				continue;
			fprintf(out, "%s`%s`", sep, bh_binding_fields[k].key);
			sep = " ";
		}
		fprintf(out, " | %s |\n", row->help);
	}
	fputs("\n| key | type | on | meaning |\n| --- | --- | --- | --- |\n", out);
	for (size_t k = 0; k < bh_binding_field_count; k++) {
		fprintf(out, "| `%s` | %s | ", bh_binding_fields[k].key, bh_binding_fields[k].type);
		put_control_kinds(out, controls_of(&bh_binding_fields[k]));
		fputs(" | ", out);
		put_cell(out, bh_binding_fields[k].help);
		fputs(" |\n", out);
	}
}

static void
put_bindings(FILE *out)
{
	put_section(out, "root", "## The file as a whole");
	fputs("\n## `pages` and `global`\n\n"
	      "`pages` is a list; what stands in `global` holds on every page. A binding is `CONTROL: { KIND: TARGET, ... }`; where\n"
	      "there are several surfaces, the control is written `SURFACE/CONTROL`. A parameter is `DRIVER/NAME`, and those of the\n"
	      "router itself are `room/NAME` (below). `CONTROL: TARGET` alone takes the kind that the control usually has.\n\n"
	      "What a page says of a control replaces all that the page it inherits from says of it, and that what `global` says. A\n"
	      "layer that is on goes before all of them; what it does not bind shines through.\n",
	      out);
	put_section(out, "page", "Keys of a page:");
	put_section(out, "global", "Keys of `global`:");
	fputs("\n### Bindings\n", out);
	put_kinds(out);
	put_section(out, "light", "Keys of each entry of `light`:");
	put_section(out, "hold", "`hold` is a binding like any other of a key, with");
	put_section(out, "double", "`double` as well, with");
	fputs("\n### Conditions\n\n"
	      "`PARAM` (it is on; not 0; above its least; not empty), `not PARAM`, `PARAM == VALUE`, and in place of `==` also `!=`\n"
	      "`>` `>=` `<` `<=`; in reactions `changes PARAM`. An operator has a blank on each side. A name or value that holds such an\n"
	      "operator itself stands in double quotes. What is not known holds no condition, not even `not`.\n\n"
	      "### Steps\n\n"
	      "A step is `{ action: NAME, args: [...] }`, `{ set: PARAM, to: VALUE }`, `{ toggle: PARAM }` or `{ add: PARAM, by: NUMBER }`;\n"
	      "at most 64 stand in one list.\n",
	      out);
	put_section(out, "step", "Keys of a step:");
	put_section(out, "reaction", "### Reactions\n\nA reaction acts on a change, never on the state that is found at the start.");
	put_section(out, "bank", "### Banks\n\nA bank shows a long list on a row of strips. In its bindings {} stands for the item on the strip.");
	put_section(out, "variable", "### Variables");
	fputs("\n### What the router has itself\n\n"
	      "Parameters: `room/page` (the page shown), `room/page/GROUP` (of surfaces with `pages: GROUP`), `room/quiet` (motors stand\n"
	      "still, nothing flashes), `room/layer/NAME`, `room/layer/fine`, `room/bank/NAME` (first item shown), `room/var/NAME`, and, to\n"
	      "read alone, `room/edge/NAME` (what the reaction NAME saw last). They are bound, shown and set like any other.\n\n"
	      "Actions: `page/next`, `page/previous`, `page/go` PAGE, `page/back`; `bank/next`, `bank/previous`, `bank/home`,\n"
	      "`channel/next`, `channel/previous`, each with the name of a bank, where there is more than one.\n",
	      out);
}

/* fader1 ... fader8 as one entry. */
static void
put_controls(FILE *out, const struct device *d)
{
	for (uint32_t i = 0; i < d->controls;) {
		const char *name = d->control[i].name;
		size_t stem = strcspn(name, "0123456789");
		uint32_t last = i;
		while (name[stem] && last + 1 < d->controls && d->control[last + 1].kind == d->control[i].kind &&
		       strncmp(d->control[last + 1].name, name, stem) == 0 &&
		       strcspn(d->control[last + 1].name, "0123456789") == stem)
			last++;
		fprintf(out, "%s`%s`", i ? ", " : "", name);
		if (last > i)
			fprintf(out, " to `%s`", d->control[last].name);
		i = last + 1;
	}
	fputs(".\n", out);
}

static void
put_devices(struct catalog *c, FILE *out)
{
	fputs("\n## Devices\n\nA device file says what is on a panel, and has defaults for the keys of the surface.\n", out);
	for (uint32_t i = 0; i < c->devices; i++) {
		const struct device *d = catalog_device(c, c->device[i].name);
		if (!d->is_good)
			continue;
		fprintf(out, "\n### `%s`\n\n%s. %u controls: ", d->name, d->description ? d->description : d->name, d->controls);
		put_controls(out, d);
	}
}

void
print_reference(struct catalog *c, FILE *out)
{
	fputs("# Configuration reference\n\n"
	      "<!-- Written by `bh-config --reference` from the tables of the programs. Do not edit: build the target `reference`. -->\n\n"
	      "The configuration is one YAML file. `bulkhead check FILE` says all that is wrong with it at once, and a file with\n"
	      "errors never replaces a running configuration. The file begins with `bulkhead: 1`, the version of the format.\n\n"
	      "All values are texts, read by the type of their key: *duration* `250ms`, `1s`, `2m`, `1h`; *size* `4096`, `64k`,\n"
	      "`10M`; *bool* `yes`, `no`, `on`, `off`, `true`, `false`; *path* relative to the file's folder, `$runtime/x` and\n"
	      "`$state/x` in the folders of Bulkhead, `~/x` in yours; *secret* never printed. *Change*\n"
	      "says what a new value needs at a reload: *live* takes effect at once, *restart* restarts this process alone.\n",
	      out);
	for (size_t i = 0; i < BH_ARRAY_LEN(chapters); i++)
		put_chapter(c, out, i);
	put_bindings(out);
	put_devices(c, out);
}

/* ------------------------------------------------------------------ YAML */

static void
put_default(FILE *out, const struct bh_cfg_field *f, int indent, const char *first)
{
	fprintf(out, "%*s# %s", indent, "", f->help ? f->help : f->key);
	put_range(out, "; ", f);
	for (uint32_t i = 0; f->choices && f->choices[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "; one of ", f->choices[i]);
	if (f->type == BH_CFG_LIST) {
		fprintf(out, "; a list of\n%*s#%s%s:\n", indent, "", first, f->key);
		for (const struct bh_cfg_field *s = f->sub; s && s->type != BH_CFG_END; s++)
			fprintf(out, "%*s#  %s %s: %s\n", indent, "", s == f->sub ? "-" : " ", s->key,
				s->def ? *s->def ? s->def : "\"\"" : "...");
		return;
	}
	fputs(f->def ? "\n" : "; required\n", out);
	fprintf(out, "%*s%s%s%s: ", indent, "", f->def ? "#" : "", first, f->key);
	if (!f->def)
		fputs("...", out);
	else if (!*f->def || strpbrk(f->def, ":#{}[],&*!|>'\"%@`"))
		fprintf(out, "\"%s\"", f->def);
	else
		fputs(f->def, out);
	putc('\n', out);
}

static void
put_defaults_of(const struct kind *k, FILE *out)
{
	int indent = k->role < BH_ROLE_SURFACE ? 2 : 4;
	if (k->role < BH_ROLE_SURFACE)
		fprintf(out, "%s:\n", k->name);
	else
		fprintf(out, "  %s:\n", k->name);
	for (const struct bh_cfg_field *f = common_fields_of(k->role, k); f->type != BH_CFG_END; f++) {
		if (k->role == BH_ROLE_DRIVER && strcmp(f->key, "kind") == 0)
			fprintf(out, "%*s# %s\n%*skind: %s\n", indent, "", f->help, indent, "", k->name);
		else
			put_default(out, f, indent, "");
	}
	for (const struct bh_cfg_field *f = k->fields; f && f->type != BH_CFG_END; f++)
		put_default(out, f, indent, "");
}

bool
print_defaults(struct catalog *c, const char *kind, FILE *out)
{
	struct bh_suggest s = {.word = kind ? kind : ""};
	bool found = !kind;
	for (int role = BH_ROLE_SUPERVISOR; role <= BH_ROLE_DRIVER; role++) {
		bool is_first = true;
		for (uint32_t i = 0; i < c->kinds; i++) {
			const struct kind *k = &c->kind[i];
			if (kind)
				bh_suggest_offer(&s, k->name);
			if ((int)k->role != role || (kind && strcmp(k->name, kind) != 0))
				continue;
			if (is_first && role >= BH_ROLE_SURFACE)
				fputs(role == BH_ROLE_DRIVER ? "drivers:\n" : "surfaces:\n", out);
			is_first = false;
			found = true;
			put_defaults_of(k, out);
		}
	}
	if (!found)
		fprintf(stderr, "bh-config: there is no kind \"%s\"%s%s%s\n", kind, s.best ? "; did you mean \"" : "",
			s.best ? s.best : "", s.best ? "\"?" : "");
	return found;
}
