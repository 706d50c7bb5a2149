/*
 * reference.c - docs/reference/obs.md out of the driver's own tables: parameters, actions, requests
 *
 * A program of the build, not installed. `cmake -t reference` writes the file, the test
 * obs_reference_is_generated compares.
 */
#include <stdio.h>
#include <string.h>

#include "procs/obs/model.h"

static const char *const class_titles[OBS_CLASSES] = {
	[OBS_ROOM] = "OBS itself",
	[OBS_SCENE] = "A scene",
	[OBS_INPUT] = "An input",
	[OBS_ITEM] = "An item of a scene",
	[OBS_FILTER] = "A filter",
	[OBS_SETTING] = "A numeric setting of a filter",
	[OBS_CAMERA] = "A camera of the configuration",
	[OBS_PTZ] = "A PTZ target of the configuration",
};

static const char *const class_paths[OBS_CLASSES] = {
	[OBS_ROOM] = "",
	[OBS_SCENE] = "scene/SCENE/",
	[OBS_INPUT] = "input/INPUT/",
	[OBS_ITEM] = "scene/SCENE/item/SOURCE/",
	[OBS_FILTER] = "input/INPUT/filter/FILTER/",
	[OBS_SETTING] = "input/INPUT/filter/FILTER/SETTING",
	[OBS_CAMERA] = "camera/ID/",
	[OBS_PTZ] = "ptz/NAME/",
};

static const char *
type_name(enum bh_type t)
{
	switch (t) {
	case BH_BOOL: return "switch";
	case BH_INT: return "integer";
	case BH_FLOAT: return "number";
	case BH_ENUM: return "choice";
	case BH_TEXT: return "text";
	case BH_NONE:
	case BH_TRIGGER: break;
	}
	return "";
}

static void
print_range(const struct obs_kind_row *k)
{
	if (k->type == BH_ENUM && k->choices) {
		for (unsigned n = 0; k->choices[n]; n++)
			printf("%s%s", n ? ", " : "", k->choices[n]);
		return;
	}
	if (k->type == BH_ENUM)
		printf("as OBS has them");
	else if ((k->type == BH_INT || k->type == BH_FLOAT) && k->max > k->min)
		printf("%g to %g", k->min, k->max);
	if (k->unit && *k->unit)
		printf(" %s", k->unit);
}

static void
print_access(const struct obs_kind_row *k)
{
	if (k->access & BH_ACCESS_METER)
		printf("meter");
	else
		printf(k->access & BH_ACCESS_WRITE ? "read, write" : "read");
}

static void
print_request(enum obs_req r)
{
	if (r < OBS_REQ_COUNT)
		printf("%s", obs_req_name(r));
}

static void
print_class(enum obs_class c)
{
	printf("\n### %s\n\n| parameter | type | range | access | set by | told by | meaning |\n| "
	       "--- | --- | --- | --- | --- | --- | --- |\n",
	       class_titles[c]);
	for (unsigned i = 0; i < OBS_KINDS; i++) {
		const struct obs_kind_row *k = &obs_kinds[i];
		if (k->cls != c)
			continue;
		printf("| `%s%s` | %s | ", class_paths[c], k->name, type_name(k->type));
		print_range(k);
		printf(" | ");
		print_access(k);
		printf(" | ");
		print_request(k->set);
		printf(" | ");
		if (k->event)
			printf("%s", k->event);
		else
			print_request(k->get);
		printf(" | %s%s |\n", k->help, k->show ? "; never late" : "");
	}
}

static void
print_actions(void)
{
	printf("\n## Actions\n\n| action | arguments | what it does |\n| --- | --- | --- |\n");
	for (const struct bh_action_desc *a = obs_actions; a->name; a++) {
		printf("| `%s` | ", a->name);
		if (a->args) {
			putchar('`');
			for (const char *p = a->args; *p; p++)
				printf(*p == '|' ? "\\|" : "%c", *p);
			putchar('`');
		}
		printf(" | %s |\n", a->help);
	}
}

static void
print_requests(void)
{
	static const struct {
		const char *name, *since, *use;
	} row[] = {
#define ROW(id, name, since, use) {name, since, use},
		OBS_REQUESTS(ROW)
#undef ROW
	};
	printf("\n## Requests\n\nEvery request that `bh-obs` can send. Whether the OBS at hand has "
	       "it is asked, not assumed from its version. Each has been\n"
	       "sent to a real OBS by `test_obs_requests`, which knows the reason for each that is "
	       "refused there.\n\n"
	       "| request | obs-websocket | what for |\n| --- | --- | --- |\n");
	for (unsigned i = 0; i < OBS_REQ_COUNT; i++)
		printf("| `%s` | %s | %s |\n", row[i].name, row[i].since, row[i].use);
}

int
main(void)
{
	printf("# OBS: parameters, actions, requests\n\n"
	       "Made from the tables of `bh-obs` by `cmake --build --preset dev -t reference`. How "
	       "to use them: [howto/obs.md](../howto/obs.md). Keys of the\n"
	       "configuration: [configuration.md](configuration.md), kind `obs`.\n\n"
	       "## Parameters\n\n"
	       "Names in capitals are OBS's own, as they are written there. A second item of one "
	       "source in a scene is `SOURCE#2`. Filters of a scene stand\n"
	       "under `scene/SCENE/filter/` in the same way. *Never late*: it changes the "
	       "programme; what cannot be done within `max_age` is dropped\n"
	       "and told, and nothing of it is done after an outage; nor are cameras moved then.\n");
	for (unsigned c = 0; c < OBS_CLASSES; c++)
		print_class((enum obs_class)c);
	print_actions();
	print_requests();
	return ferror(stdout) != 0;
}
