/*
 * Any text as a configuration: parse, check, compile. What compiles is an image that its reader takes, and whose bindings lead to
 * controls and drivers that exist; what does not has at least one error, each within the text, and prints.
 */
#include <stdlib.h>
#include <string.h>

#include "procs/config/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char lamp[] =
	"kind: lamp\nrole: driver\nfields:\n"
	"  - {key: host, type: text, reload: restart, help: h}\n"
	"  - {key: port, type: port, default: '7000', reload: restart, help: h}\n"
	"  - {key: gain, type: float, default: '0', min: '-60', max: '10', unit: dB, reload: live, help: h}\n"
	"  - {key: every, type: duration, default: 1s, min: 1ms, reload: live, help: h}\n"
	"  - {key: room, type: size, default: 64k, reload: live, help: h}\n"
	"  - {key: log, type: path, default: '', reload: restart, help: h}\n"
	"  - {key: loud, type: bool, default: 'no', reload: restart, help: h}\n"
	"  - {key: mode, type: choice, default: soft, choices: [soft, hard], reload: restart, help: h}\n"
	"  - key: ports\n    type: list\n    reload: restart\n    sub:\n"
	"      - {key: name, type: text, reload: restart, help: h}\n"
	"      - {key: channel, type: u32, default: '1', min: '1', max: '16', reload: restart, help: h}\n"
	"params:\n  - {name: level, type: float, unit: dB, min: '-60', max: '10', access: read write}\n"
	"  - {name: mute, type: bool, access: read write}\n  - {name: over, type: bool, access: read}\n"
	"  - {name: scene, type: choice, choices: [A, B], access: read write}\n  - {name: title, type: text, access: read write}\n"
	"actions:\n  - {name: flash, args: 'on|off [HOW]', help: h}\n";
static const char surface[] = "kind: surface\nrole: surface\nfields:\n"
			      "  - {key: path, type: path, default: '', reload: restart, help: h}\n";
static const char desk[] = "device: desk\ndescription: a desk\ncontrols:\n"
			   "  - {name: 'fader#', count: 9, kind: fader, touch: 104, motor: true, strip: 0}\n"
			   "  - {name: 'vpot#', count: 8, kind: vpot, ring: true, strip: 0}\n"
			   "  - {name: 'mute#', count: 8, kind: button, led: red, strip: 0}\n"
			   "  - {name: 'strip#', count: 8, kind: strip, width: 7, color: true, strip: 0}\n"
			   "  - {name: 'meter#', count: 8, kind: meter}\n"
			   "  - {name: jog, kind: jog}\n  - {name: time, kind: digits}\n  - {name: lit, kind: led, led: red}\n";

static void
demand(bool ok)
{
	if (!ok)
		abort();
}

static int
place(char *buf, size_t cap, const char *file)
{
	return snprintf(buf, cap, "/run/%s", file ? file : "") < (int)cap ? 0 : -1;
}

/* Read once: it does not change. */
static struct catalog *
the_catalog(void)
{
	static struct arena arena;
	static struct report report = {.arena = &arena};
	static struct catalog catalog = {.arena = &arena, .report = &report};
	if (!catalog.kinds) {
		catalog_add_kind(&catalog, "lamp.yaml", lamp, sizeof(lamp) - 1);
		catalog_add_kind(&catalog, "surface.yaml", surface, sizeof(surface) - 1);
		catalog_add_device(&catalog, "desk", "desk.yaml", desk, sizeof(desk) - 1);
		demand(catalog_device(&catalog, "desk")->is_good && catalog.kinds == 2);
	}
	demand(report.count == 0);
	return &catalog;
}

static void
check_errors(struct report *report, size_t size)
{
	static FILE *nowhere;
	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	demand(report->count > 0);
	for (uint32_t i = 0; i < report->count; i++) {
		demand(report->entry[i].text[0]);
		demand(report->entry[i].line <= size + 1 && report->entry[i].col <= size + 2);
	}
	report_print(report, nowhere);
}

static void
check_image(struct bh_config_writer *w)
{
	size_t size;
	struct bh_config c;
	void *image = bh_config_writer_image(w, "x.yaml", 1, &size);
	demand(image && bh_config_open(&c, image, size) == 0);
	for (uint32_t i = 0; i < bh_config_count(&c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(&c, BH_TAB_BINDINGS, i);
		demand(bh_config_control(&c, bh_config_surface(&c, b->surface), b->control) != NULL);
		demand(b->driver >= BH_DRIVER_PAGE || bh_config_proc(&c, b->driver) != NULL);
		demand(b->place.line > 0);
		for (uint32_t k = 0; k < b->steps; k++)
			demand(bh_config_row(&c, BH_TAB_STEPS, b->step_first + k) != NULL);
	}
	for (uint32_t i = 0; i < bh_config_count(&c, BH_TAB_ROOM); i++) {
		const struct bh_cfg_room *r = bh_config_row(&c, BH_TAB_ROOM, i);
		demand(bh_config_str(&c, r->name)[0]);
		demand(i != 0 || r->kind == BH_ROOM_PAGE);
	}
	free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct report report = {.arena = &arena};
	struct compile_env env = {
		.catalog = the_catalog(), .path = "x.yaml", .folder = "/etc", .generation = 1, .runtime = place, .state = place};
	/* In memory of just its size, so that a step outside is seen. */
	char *text = malloc(size ? size : 1);
	if (size)
		memcpy(text, data, size);
	struct compiled out;
	if (bh_config_compile(text, size, &env, &arena, &report, &out) == 0) {
		demand(report.count == 0);
		check_image(out.common);
		for (size_t i = 0; i < BH_MAX_SLOTS; i++)
			if (out.options[i])
				check_image(out.options[i]);
		compiled_fini(&out);
	} else {
		check_errors(&report, size);
	}
	free(text);
	arena_free(&arena);
	return 0;
}
